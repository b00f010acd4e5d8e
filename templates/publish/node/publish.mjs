// Publishes one event from a Node back end (18 or newer), with nothing but Node itself. Take `publish` into your own code.
//
// Try it:  PUBLISH_TOKEN=$(cat var/token) node publish/publish.mjs TYPE '{"hello": "world"}' [KEY]

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const URL_ = process.env.PUBLISH_URL ?? "http://127.0.0.1:8080/publish";
const TOKEN = process.env.PUBLISH_TOKEN;
const TRY_MS = 10_000; // for one request
const GIVE_UP_MS = 60_000; // for all of them; after that let a queue of yours try again later, with the same key

/**
 * The event's id, once it is stored. The same key always means the same event: then a repetition doubles nothing.
 * Take the key from what happened ("order-17-shipped"), so that your back end repeats it after a crash of its own.
 */
export async function publish(type, data, key) {
  const body = JSON.stringify({ type, data });
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", "idempotency-key": key };
  const end = Date.now() + GIVE_UP_MS;
  for (let pause = 500; ; pause = Math.min(5000, pause * 2)) {
    let why;
    try {
      const response = await fetch(URL_, { method: "POST", headers, body, signal: AbortSignal.timeout(TRY_MS) });
      const text = await response.text();
      if (response.status === 201 || response.status === 200) return JSON.parse(text).id; // 200: it was stored before
      why = new Error(`${response.status}: ${text}`);
      if (![429, 502, 503, 504].includes(response.status)) why.final = true; // stays wrong however often it is repeated
    } catch (error) {
      why = error; // no connection, or no answer in time: perhaps it was stored, so repeat with this key
    }
    if (why.final || Date.now() + pause > end) throw why;
    await sleep(pause);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [type, data, key] = process.argv.slice(2);
  console.log(await publish(type, JSON.parse(data), key ?? randomUUID()));
}
