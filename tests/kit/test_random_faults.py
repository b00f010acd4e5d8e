"""The page's stream over all its transports in a real Chromium, while a played server does whatever servers do."""

from __future__ import annotations

import pytest
from support.pages import run

pytestmark = [pytest.mark.lab, pytest.mark.long]

RANDOM = """
let state = seed;
const random = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648);
const below = (n) => Math.floor(random() * n);
const any = (list) => list[below(list.length)];

// The server: a log, and what it does to those who ask.
const log = [];
let up = true, signedIn = true, calm = false;
const blocked = new Set(); // paths that the network swallows
const ends = new Set(); // of what is open: end()
const met = {}; // how often each fault was met
const meet = (name) => { met[name] = (met[name] ?? 0) + 1; return name; };
const faultOf = (path) => {
  if (blocked.has(path)) return meet("timeout");
  if (!up) return meet("refused");
  if (!signedIn && path !== "healthz") return meet("401");
  return !calm && below(3) === 0 ? meet(any(["refused", "502", "timeout", "empty", "cut"])) : "none";
};
const opened = (end) => { ends.add(end); return end; };
const full = (n) => ({ id: `e-${n}`, type: "t", at: 0, data: n });
const from = (params) => (params.get("cursor") ? Number(params.get("cursor").split("-")[1]) : log.length);

// What a stream sends, one piece after the other, until `over()`; a cut is in the middle of a piece.
async function feed(cursor, fault, over, say, cut) {
  let sent = cursor;
  say("hello", sent);
  const most = fault === "cut" ? sent + below(6) : Infinity;
  for (let beat = 1; !over(); beat += 1) {
    while (sent < log.length && !over()) {
      if (sent >= most) return cut(sent + 1);
      sent += 1;
      say("t", sent);
      if (below(8) === 0) await sleep(below(3));
    }
    if (beat % 10 === 0) say("heartbeat", sent);
    if (!calm && below(60) === 0) { meet("drain"); say("drain", sent); }
    await sleep(4);
  }
}

globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 0;
  constructor(url) {
    this.serve(new URL(url).searchParams);
  }
  async serve(params) {
    const fault = faultOf("ws");
    if (fault === "timeout") return;
    await sleep(below(4));
    const end = (this.end = opened(() => {
      ends.delete(end);
      if (!this.closed) { this.closed = true; this.onclose?.({}); }
    }));
    if (this.closed) ends.delete(end);
    if (!["none", "cut"].includes(fault)) { end(); return; }
    const say = (name, n) => {
      const message = name === "t" ? { ...full(n), type: "event", event: "t" }
        : name === "hello" ? { type: "hello", id: `e-${n}`, heartbeat_s: beatS } : { type: name, retry_ms: below(10) };
      if (!this.closed) this.onmessage({ data: JSON.stringify(message) });
    };
    await feed(from(params), fault, () => this.closed, say, end);
  }
  close() { this.closed = true; ends.delete(this.end); }
};

const textOf = (name, n) => {
  const data = { hello: { types: ["t"], heartbeat_s: beatS }, t: { at: 0, data: n }, drain: { retry_ms: below(10) } };
  const id = ["hello", "t"].includes(name) ? `id: e-${n}\\n` : "";
  return `event: ${name}\\n${id}data: ${JSON.stringify(data[name] ?? {})}\\n\\n`;
};
function streamed(params, fault, signal) {
  let over = false;
  return new ReadableStream({
    start(to) {
      const end = opened(() => { ends.delete(end); if (!over) { over = true; to.close(); } });
      signal?.addEventListener("abort", () => {
        ends.delete(end);
        if (!over) { over = true; to.error(signal.reason); }
      });
      const write = (text) => { if (!over) to.enqueue(new TextEncoder().encode(text)); };
      const say = (name, n) => {
        const text = textOf(name, n), at = below(text.length);
        write(text.slice(0, at));
        write(text.slice(at));
      };
      const cut = (n) => { const text = textOf("t", n); write(text.slice(0, below(text.length))); end(); };
      feed(from(params), fault, () => over, say, cut);
    },
  });
}
async function poll(params, fault, over) {
  const until = performance.now() + Number(params.get("wait")) * 1000;
  const cursor = from(params);
  while (log.length <= cursor && performance.now() < until && up && !over()) await sleep(2);
  if (!up) throw new TypeError("no network");
  const found = log.slice(cursor, cursor + 1 + below(40)).map((_, at) => full(cursor + 1 + at));
  const to = cursor + found.length;
  const answer = JSON.stringify({ cursor: `e-${to}`, events: found, reset: null, retry_ms: 5, more: to < log.length });
  return fault === "cut" ? answer.slice(0, below(answer.length)) : answer;
}
globalThis.fetch = async (url, { signal, method } = {}) => {
  const { pathname, searchParams } = new URL(url);
  const path = pathname.slice(1);
  const fault = faultOf(path);
  const gone = new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    if (fault === "timeout" && !blocked.has(path)) setTimeout(() => reject(new TypeError("timed out")), 80);
  });
  gone.catch(() => {});
  if (fault === "timeout") return gone;
  await Promise.race([sleep(below(4)), gone]);
  if (fault === "refused") throw new TypeError("no network");
  if (["401", "502"].includes(fault)) return new Response("{}", { status: Number(fault) });
  const answer = async () => {
    if (path === "ticket") return '{"ticket": "x"}';
    if (method === "HEAD") return null;
    if (path === "snapshot") return JSON.stringify({ latest: `e-${log.length}`, events: {} });
    return path === "poll" ? poll(searchParams, fault, () => signal?.aborted) : "";
  };
  const body = fault === "empty" ? "" : path === "events" ? streamed(searchParams, fault, signal) : await answer();
  return new Response(body, { headers: { "Content-Type": "application/json" } });
};

// A browser's EventSource with a cookie tells no status.
globalThis.EventSource = class extends FetchSource {
  constructor(url) { super(url, {}); }
};

let outs = 0;
let at = null; // the number up to which the page has everything
const wrong = [];
const stream = new EventStream({
  transports: transportsOf({ transports, auth, hold_s: 0.2, poll_s: 0.02 }, (path) => `http://x/${path}`, {}),
  snapshotUrl: "http://x/snapshot", healthUrl: "http://x/healthz",
  heartbeatS: beatS, retryMs: 4, retryMaxMs: 16, patienceMs: 60,
  onSnapshot: ({ latest }) => { if (at !== null) wrong.push("a second snapshot"); at = Number(latest.split("-")[1]); },
  onEvent: ({ data }) => { if (data !== at + 1) wrong.push([at, data]); at = data; },
  onState: (now) => {
    if (now !== "refused") return;
    outs += 1;
    setTimeout(() => { signedIn = true; stream.start(); }, below(10));
  },
  onTransport: ({ name }) => used.add(name),
});
const used = new Set();
const acts = [
  () => log.push(0), () => log.push(0), () => log.push(0),
  () => { for (let n = below(200); n > 0; n -= 1) log.push(0); },
  () => { meet("restart"); [...ends].forEach((end) => end()); },
  () => { meet("restart"); up = false; [...ends].forEach((end) => end()); }, () => { up = true; }, () => { up = true; },
  () => { if (below(3) === 0) { signedIn = false; [...ends].forEach((end) => end()); } },
  () => blocked.add("ws"), () => blocked.add(any(["ws", "events"])), () => below(2) && blocked.clear(),
  () => dispatchEvent(new Event("online")),
];
stream.start();
for (let round = 0; round < 400; round += 1) {
  any(acts)();
  await sleep(below(12));
}
calm = up = true;
blocked.clear();
log.push(0);
for (let tries = 0; tries < 2000 && at !== log.length; tries += 1) await sleep(5);
const { missing, repeated, resets, events, connects } = stream.counts;
stream.stop();
await sleep(20);
done({ whole: at === log.length, wrong, counts: [missing, repeated, resets], met, outs, used: [...used].sort(),
  events, connects, left: ends.size });
"""
ALL = ["websocket", "sse", "long-polling"]


@pytest.mark.parametrize("auth", ["cookie", "bearer-header"])
@pytest.mark.parametrize(
    ("transports", "seed"), [(ALL, 1), (ALL, 2), (ALL, 3), (["sse"], 4), (["long-polling"], 5), (["short-polling"], 6)]
)
def test_whatever_the_server_does_no_event_is_lost_or_shown_twice(modules, transports, seed, auth):
    modules.set_script_timeout(60)
    found = run(modules, RANDOM, seed=seed, transports=transports, auth=auth, beatS=0.2)
    print(found)  # what was met: pytest -s
    assert (found["whole"], found["wrong"], found["counts"]) == (True, [], [0, 0, 0])
    assert found["left"] == 0
    # It has met something: no promise of the page.
    assert len(found["met"]) >= 5, found["met"]
    assert found["outs"] >= 1, "a sign-in was over"
    assert min(found["events"], found["connects"]) > 10
