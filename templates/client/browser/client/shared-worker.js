// The one connection that the tabs of a page share (shared-source.js says why). It ends with the last tab.
//
// Each tab has a cursor and gets each event after it once, in order. A tab that joins is fed from the newest events,
// which are kept here; if it is further behind, the connection is opened again from its cursor, and the other tabs get
// nothing twice. Delays and new attempts are the tabs' (stream.js): when the connection fails, all are sent away.

import { transportsOf } from "./transports.js";

const TAIL = 1000; // newest events that are kept
const PING_MS = 5000;
const DEAF_MS = 15000; // a tab that has not answered for so long is asleep or gone

const tabs = new Set(); // of {port, cursor, greeted, askedAt}
let source = null;
let start = null; // the cursor before the first event in `tail`; null until it is known
let last = null; // the cursor after the last one
let hello = null; // the source's greeting, once it has come
let tail = []; // of {name, data, lastEventId}

const numberOf = (id) => Number(id.slice(id.lastIndexOf("-") + 1));
const epochOf = (id) => id.slice(0, id.lastIndexOf("-"));
const follows = (id, cursor) => cursor === null || numberOf(id) > numberOf(cursor);

function join(tab, { join: url, transport: name, config, headers }) {
  tab.cursor = new URL(url).searchParams.get("cursor"); // null: from now on
  tab.greeted = false;
  tab.askedAt = null;
  tabs.add(tab);
  count();
  if (!source || !reaches(tab.cursor)) {
    const transport = transportsOf(config, (path) => path, headers).find((known) => known.name === name);
    open(transport, url, tab.cursor);
  } else if (hello) greet(tab);
}

// Whether a tab with this cursor can be fed from what is open.
function reaches(cursor) {
  if (cursor === null) return true;
  return start !== null && epochOf(start) === epochOf(cursor) && !follows(start, cursor);
}

function open(transport, url, cursor) {
  source?.close();
  [start, last, hello, tail] = [cursor, cursor, null, []];
  // Numbers of another log cannot be compared: those tabs come back, and ask about their own cursor.
  dismiss((tab) => tab.cursor !== null && cursor !== null && epochOf(tab.cursor) !== epochOf(cursor));
  source = transport.open(url);
  const opened = source;
  const listen = (type, handle) => {
    opened.addEventListener(type, (message) => {
      if (opened === source) handle(message);
    });
  };
  listen("hello", ({ data, lastEventId }) => {
    hello = { name: "hello", data, lastEventId };
    start ??= lastEventId;
    last ??= lastEventId;
    for (const type of typesOf(data)) listen(type, (message) => receive(type, message));
    for (const tab of tabs) if (!tab.greeted) greet(tab);
  });
  listen("heartbeat", ({ data }) => {
    for (const tab of tabs) tab.port.postMessage({ name: "heartbeat", data });
  });
  listen("reset", ({ data }) => {
    // It is about the cursor that this connection had. A tab that is elsewhere asks about its own.
    dismiss((tab) => tab.cursor === last, { name: "reset", data });
    shut();
  });
  listen("drain", ({ data }) => shut({ name: "drain", data }));
  opened.onerror = () => {
    if (opened === source) shut();
  };
}

const typesOf = (data) => (typeof data === "string" ? JSON.parse(data) : data).types;

function greet(tab) {
  tab.greeted = true;
  tab.port.postMessage(hello);
  tab.cursor ??= last;
  for (const event of tail) pass(tab, event);
}

function receive(name, { data, lastEventId }) {
  const event = { name, data, lastEventId };
  // Over a gap no tab can be fed later: one that comes with a cursor before it needs the log.
  if (numberOf(lastEventId) !== numberOf(last) + 1) {
    tail = [];
    start = `${epochOf(lastEventId)}-${numberOf(lastEventId) - 1}`;
  }
  last = lastEventId;
  tail.push(event);
  if (tail.length > TAIL) start = tail.shift().lastEventId;
  for (const tab of tabs) if (tab.greeted) pass(tab, event);
}

function pass(tab, event) {
  if (!follows(event.lastEventId, tab.cursor)) return;
  tab.cursor = event.lastEventId;
  tab.port.postMessage(event);
}

// No event tells that a tab is asleep or has crashed, or that this worker has ended: they hear from each other.
setInterval(() => {
  const now = performance.now();
  dismiss((tab) => tab.askedAt !== null && now - tab.askedAt > DEAF_MS);
  for (const tab of tabs) {
    tab.port.postMessage({ name: "ping" });
    tab.askedAt ??= now;
  }
}, PING_MS);

// Send tabs away; they read the last message whenever they wake up.
function dismiss(which, goodbye = { name: "error", data: "the connection has ended" }) {
  for (const tab of [...tabs].filter(which)) {
    tab.port.postMessage(goodbye);
    leave(tab);
  }
}

function shut(goodbye) {
  source?.close();
  source = null;
  dismiss(() => true, goodbye);
}

function leave(tab) {
  if (!tabs.delete(tab)) return;
  if (tabs.size > 0) count();
  else {
    source?.close();
    source = null;
  }
}

function count() {
  for (const tab of tabs) tab.port.postMessage({ name: "tabs", data: tabs.size });
}

addEventListener("connect", ({ ports: [port] }) => {
  const tab = { port };
  port.onmessage = ({ data }) => {
    if (data.join) join(tab, data);
    else if (data.awake) tab.askedAt = null;
    else leave(tab);
  };
});
