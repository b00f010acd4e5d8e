// The page: what the stream is doing, and the newest events of each feature.

import { Sender } from "./sender.js";
import { protocolOf } from "./shared-source.js";
import { EventStream } from "./stream.js";
import { transportsOf } from "./transports.js";

const ROWS = 100; // of each feature; older ones leave the page
const ALONE = "So this tab has its own connection; over HTTP/1.1 a browser opens six for all tabs of a site.";
const PROTOCOLS = { "http/1.1": "HTTP/1.1", h2: "HTTP/2", h3: "HTTP/3" }; // by the names that browsers use
const SENT = 5; // of the viewer's own messages
const byId = (id) => document.getElementById(id);
const address = (path) => new URL(path, document.baseURI).href; // also where the page is not at the root
const cell = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
const lists = new Map(); // slug -> <ol>
let config;
let stream;
let sender;
let greeted; // the transport in use, and why not those before it
let given = false; // the viewer has given a key
let viewer; // the server's mark for who reads
let longestLag = 0;

async function start() {
  config = await loadConfig();
  document.title = config.project;
  byId("project").textContent = config.project;
  config.features.forEach(addFeature);
  for (const [choice, select] of [["choice", "feature"], ["send-choice", "send-feature"]]) {
    byId(choice).hidden = byId(select).length < 2;
  }
  byId("feature").addEventListener("change", showCommand);
  byId("copy").addEventListener("click", copyCommand);
  byId("sign-in").addEventListener("submit", signIn);
  byId("send").hidden = !config.two_way;
  byId("send").addEventListener("submit", sendText);
  byId("test-event").hidden = false;
  showCommand();
  connect();
}

// The first request may meet a server that is being restarted: the page tries again instead of staying empty.
async function loadConfig() {
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await fetch(address("config"));
      if (response.ok) return await response.json();
    } catch {
      // the network is down: like a 502
    }
    const ms = Math.min(30000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    showState("waiting", ms);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function connect(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  stream = new EventStream({
    transports: transportsOf(config, address, headers, {
      needed: () => protocolOf(address("config")).startsWith("http/1"), // same origin, so the stream's too
      viewer: () => viewer,
      onTabs: () => showTransport(),
    }),
    snapshotUrl: address("snapshot"),
    healthUrl: address("healthz"),
    patienceMs: config.connect_patience_ms ?? 2500,
    heartbeatS: config.heartbeat_s,
    retryMs: config.retry_ms,
    retryMaxMs: config.retry_max_ms,
    maxConnectionS: config.max_connection_s ?? 0,
    headers,
    onEvent: (event) => {
      const lag = Math.max(0, Date.now() - event.at); // of the two machines' clocks
      longestLag = Math.max(longestLag, lag);
      byId("lag").textContent = `${lag} / ${longestLag} ms`;
      addRow(event, lag);
      showCounts();
    },
    onSnapshot: (snapshot) => {
      viewer = snapshot.viewer;
      for (const list of lists.values()) list.replaceChildren();
      for (const [type, events] of Object.entries(snapshot.events)) {
        for (const event of events) addRow({ type, ...event });
      }
      showCounts();
    },
    onState: showState,
    onTransport: (transport, notes) => {
      greeted = { transport, notes };
      showTransport();
    },
  });
  sender = new Sender({
    url: address("send"),
    headers,
    source: () => stream.source,
    retryMs: config.retry_ms,
    retryMaxMs: config.retry_max_ms,
    onChange: showSent,
  });
  stream.start();
}

// EventSource cannot send a header: with cookies the server sets one; with bearer-header this page keeps the key.
async function signIn(submit) {
  submit.preventDefault();
  const key = byId("key").value.trim();
  if (config.auth === "cookie") await fetch(address("session"), { method: "POST", body: key });
  byId("key").value = "";
  given = true;
  connect(config.auth === "bearer-header" ? key : undefined);
}

function showState(state, detail) {
  const signsIn = state === "refused" && detail === 401 && config.auth !== "none";
  const texts = {
    waiting: () => `not connected, trying again in ${(detail / 1000).toFixed(1)} s`,
    refused: () => {
      if (!signsIn) return `the server refuses this page (${detail})`;
      if (stream.lastId) return "your sign-in is over: sign in again";
      return given ? "the key is wrong: try again" : "sign in to read";
    },
  };
  byId("state").dataset.state = state;
  byId("state").textContent = texts[state]?.() ?? state;
  byId("sign-in").hidden = !signsIn;
  if (signsIn && document.activeElement === document.body) byId("key").focus();
  if (state === "refused") {
    greeted = null;
    byId("transport").textContent = "-";
    byId("fallback").textContent = "";
  }
  if (stream) showCounts();
}

function showTransport() {
  if (!greeted || !stream?.source) return;
  const { transport, notes } = greeted;
  const protocol = protocolOf(address("config"));
  const over = transport.name === "websocket" ? "" : ` over ${PROTOCOLS[protocol] ?? "HTTP"}`;
  const { tabs, why } = stream.source;
  byId("transport").textContent = transport.title + over + (tabs > 1 ? `, shared by ${tabs} tabs` : "");
  byId("fallback").textContent = [...notes, ...(why ? [why, ALONE] : [])].join(" ");
}

function sendText(submit) {
  submit.preventDefault();
  sender.send(byId("send-feature").value, { text: byId("text").value });
  byId("text").value = "";
}

function showSent({ key, data, state, over, tries, id, error }) {
  const texts = {
    sending: tries > 1 ? `trying again (${tries})` : "sending",
    sent: `sent as #${id?.slice(id.lastIndexOf("-") + 1)} over ${over}`,
    refused: `refused: ${error}`,
  };
  const known = byId("sent").querySelector(`[data-key="${key}"]`);
  const row = known ?? document.createElement("li");
  row.dataset.key = key;
  row.dataset.state = state;
  row.replaceChildren(cell("code", data.text), cell("span", texts[state]));
  if (known) return;
  byId("sent").prepend(row);
  if (byId("sent").childElementCount > SENT) byId("sent").lastElementChild.remove();
}

function showCounts() {
  byId("last-id").textContent = stream.lastId ?? "-";
  for (const [name, count] of Object.entries(stream.counts)) {
    byId(name).textContent = count;
    byId(name).classList.toggle("bad", name === "missing" && count > 0);
  }
}

function addFeature({ name, slug, two_way: viewersSend = true }) {
  const section = byId("feature-template").content.cloneNode(true).firstElementChild;
  section.querySelector("h2").textContent = name;
  section.querySelector(".slug").textContent = slug;
  lists.set(slug, section.querySelector("ol"));
  lists.get(slug).ariaLabel = name;
  byId("features").append(section);
  byId("feature").append(new Option(name, slug));
  if (viewersSend) byId("send-feature").append(new Option(name, slug));
}

function addRow({ id, type, at, data }, lag) {
  const list = lists.get(type);
  if (!list) return; // a feature that is newer than this page
  const row = document.createElement("li");
  row.dataset.id = id;
  const number = id.slice(id.lastIndexOf("-") + 1);
  const time = cell("time", new Date(at).toLocaleTimeString());
  time.dateTime = new Date(at).toISOString();
  const text = typeof data === "string" ? data : JSON.stringify(data);
  row.append(cell("b", `#${number}`), time, cell("span", lag === undefined ? "kept" : `${lag} ms`), cell("code", text));
  list.prepend(row);
  if (list.childElementCount > ROWS) list.lastElementChild.remove();
}

function showCommand() {
  const body = JSON.stringify({ type: byId("feature").value, data: { text: "hello" } });
  byId("command").textContent = [
    `curl ${address("publish")}`,
    '  -H "Authorization: Bearer $(cat var/token)"',
    '  -H "Content-Type: application/json"',
    `  -d '${body}'`,
  ].join(" \\\n");
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText(byId("command").textContent);
    byId("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("command")); // no clipboard without HTTPS or permission
  }
}

start();
