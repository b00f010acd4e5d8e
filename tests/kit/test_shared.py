"""The connection that tabs share, by itself in a real Chromium: its worker, played with faults."""

from __future__ import annotations

import pytest
from support.pages import run

pytestmark = pytest.mark.lab

# The worker's module in a page: what connects to it are tabs, what it opens are played sources.
WORKER = """
const opened = [];
globalThis.EventSource = class extends EventTarget {
  constructor(url) {
    super();
    this.cursor = new URL(url).searchParams.get("cursor");
    opened.push(this);
  }
  close() { this.closed = true; }
  say(name, lastEventId = "", data = {}) {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { lastEventId, data: JSON.stringify(data) }));
  }
  hello(id = this.cursor) { this.say("hello", id, { types: ["t"], heartbeat_s: 60 }); }
  events(from, to, epoch = "e") { for (let n = from; n <= to; n += 1) this.say("t", `${epoch}-${n}`, { n }); }
};
await import(new URL("shared-worker.js", document.baseURI));
class Tab {
  constructor(cursor) {
    const { port1, port2 } = new MessageChannel();
    dispatchEvent(Object.assign(new Event("connect"), { ports: [port2] }));
    this.got = [];
    this.port = port1;
    port1.onmessage = ({ data: { name, lastEventId } }) => {
      if (name === "t") this.got.push(lastEventId);
      else if (!["tabs", "ping"].includes(name)) this.got.push(name);
    };
    this.join(cursor);
  }
  join(cursor) {
    const url = `http://x/events${cursor ? `?cursor=${cursor}` : ""}`;
    this.port.postMessage({ join: url, transport: "sse", config: {}, headers: {} });
  }
  leave() { this.port.postMessage({ leave: true }); }
}
const tabs = {};
const step = async () => { await sleep(20); };
STEPS
await step();
done({ opened: opened.map(({ cursor, closed }) => cursor + (closed ? " closed" : "")),
  got: Object.fromEntries(Object.entries(tabs).map(([name, { got }]) => [name, got.join(" ")])) });
"""


CASES = {
    "the newest are kept": (
        """tabs.a = new Tab("e-5"); tabs.b = new Tab("e-5"); await step();
        opened[0].hello(); opened[0].events(6, 8); tabs.c = new Tab("e-7"); await step(); opened[0].events(9, 9);""",
        ["e-5"],
        {"a": "hello e-6 e-7 e-8 e-9", "b": "hello e-6 e-7 e-8 e-9", "c": "hello e-8 e-9"},
    ),
    # It knows more than the connection: the snapshot may be newer than what has come so far.
    "a tab is ahead": (
        """tabs.a = new Tab("e-5"); await step(); opened[0].hello(); tabs.b = new Tab("e-7"); await step();
        opened[0].events(6, 8);""",
        ["e-5"],
        {"a": "hello e-6 e-7 e-8", "b": "hello e-8"},
    ),
    "a tab is behind": (
        """tabs.a = new Tab("e-5"); await step(); opened[0].hello(); opened[0].events(6, 8);
        tabs.b = new Tab("e-3"); await step(); opened[1].hello(); opened[1].events(4, 9);""",
        ["e-5 closed", "e-3"],
        {"a": "hello e-6 e-7 e-8 e-9", "b": "hello e-4 e-5 e-6 e-7 e-8 e-9"},
    ),
    "no more than a bounded tail": (
        """tabs.a = new Tab("e-0"); await step(); opened[0].hello(); opened[0].events(1, 1500); await step();
        tabs.a.got = [];
        tabs.b = new Tab("e-1498"); await step(); tabs.c = new Tab("e-499"); await step();""",
        ["e-0 closed", "e-499"],
        {"a": "", "b": "hello e-1499 e-1500", "c": ""},
    ),
    # A tab that has seen a gap asks again from before it, and must not be fed from behind it.
    "a gap": (
        """tabs.a = new Tab("e-0"); await step(); opened[0].hello(); opened[0].events(1, 2); opened[0].events(5, 6);
        await step(); tabs.b = new Tab("e-5"); await step(); tabs.a.leave(); tabs.a.join("e-2"); await step();
        opened[1].hello(); opened[1].events(3, 7);""",
        ["e-0 closed", "e-2"],
        {"a": "hello e-1 e-2 e-5 e-6 hello e-3 e-4 e-5 e-6 e-7", "b": "hello e-6 e-7"},
    ),
    # A reset is for those whose cursor it is about.
    "reset": (
        """tabs.a = new Tab("e-9"); await step(); opened[0].hello(); tabs.b = new Tab("e-2"); await step();
        opened[1].hello(); opened[1].say("reset");""",
        ["e-9 closed", "e-2 closed"],
        {"a": "hello error", "b": "hello reset"},
    ),
    "another log": (
        """tabs.a = new Tab("e-9"); await step(); opened[0].hello(); tabs.b = new Tab("f-2"); await step();
        opened[1].hello(); opened[1].events(3, 3, "f");""",
        ["e-9 closed", "f-2"],
        {"a": "hello error", "b": "hello f-3"},
    ),
    "failure": (
        """tabs.a = new Tab("e-1"); tabs.b = new Tab("e-1"); await step(); opened[0].hello(); opened[0].events(2, 2);
        opened[0].onerror(); await step(); tabs.b.join("e-2"); await step(); opened[1].hello(); tabs.a.join("e-2");
        await step(); opened[1].events(3, 3);""",
        ["e-1 closed", "e-2"],
        {"a": "hello e-2 error hello e-3", "b": "hello e-2 error hello e-3"},
    ),
    "drain": (
        """tabs.a = new Tab("e-1"); tabs.b = new Tab("e-1"); await step(); opened[0].hello();
        opened[0].say("drain");""",
        ["e-1 closed"],
        {"a": "hello drain", "b": "hello drain"},
    ),
    "the last one leaves": (
        """tabs.a = new Tab("e-1"); await step(); tabs.b = new Tab("e-1"); await step(); opened[0].hello();
        tabs.a.leave(); await step(); opened[0].events(2, 2); tabs.b.leave(); await step(); opened[0].events(3, 3);""",
        ["e-1 closed"],
        {"a": "hello", "b": "hello e-2"},
    ),
    # No cursor: a probe, which wants nothing of the past.
    "no cursor": (
        """tabs.a = new Tab(); await step(); opened[0].hello("e-7"); opened[0].events(8, 8); tabs.b = new Tab();
        await step(); tabs.c = new Tab("e-7"); await step(); opened[0].events(9, 9);""",
        ["null"],
        {"a": "hello e-8 e-9", "b": "hello e-9", "c": "hello e-8 e-9"},
    ),
}


@pytest.mark.long
def test_each_tab_gets_each_event_after_its_cursor_once(modules):
    found = {}
    for name, (steps, _, _) in CASES.items():
        modules.refresh()  # the worker's state is its module's
        found[name] = run(modules, WORKER.replace("STEPS", steps))
    assert found == {name: {"opened": opened, "got": got} for name, (_, opened, got) in CASES.items()}


# Real streams over real shared sources and the real worker; the server, its failures and the tabs' comings are random.
RANDOM = """
let state = seed;
const random = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648);
const below = (n) => Math.floor(random() * n);
const log = [];
let sources = [];
let opened = 0;
let up = true;
globalThis.EventSource = class extends EventTarget {
  constructor(url) {
    super();
    const cursor = new URL(url).searchParams.get("cursor");
    this.sent = cursor === null ? log.length : Number(cursor.split("-")[1]);
    sources.push(this);
    opened += 1;
    setTimeout(() => {
      if (!up) this.fail();
      else this.say("hello", `e-${this.sent}`, { types: ["t"], heartbeat_s: 60 });
      this.live = up;
      this.flush();
    }, below(4));
  }
  say(name, lastEventId, data) {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { lastEventId, data: JSON.stringify(data) }));
  }
  flush(most = Infinity) {
    while (this.live && !this.closed && this.sent < log.length && most-- > 0) {
      this.sent += 1;
      this.say("t", `e-${this.sent}`, { at: 0, data: this.sent });
    }
  }
  fail() { if (!this.closed) this.onerror?.(new Event("error")); }
  close() { this.closed = true; }
};
globalThis.SharedWorker = class {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    dispatchEvent(Object.assign(new Event("connect"), { ports: [port2] }));
  }
};
const snapshot = () => ({ latest: `e-${log.length}`, events: {}, viewer: "v" });
globalThis.fetch = async () => {
  await sleep(below(4));
  if (!up) throw new TypeError("no network");
  return new Response(JSON.stringify(snapshot()));
};
await import(new URL("shared-worker.js", document.baseURI));
const sharing = { needed: () => true, viewer: () => "v", onTabs() {} };
class Page {
  constructor() {
    this.seen = [];
    this.stream = new EventStream({
      transports: transportsOf({ transports: ["sse"] }, (path) => `http://x/${path}`, {}, sharing),
      snapshotUrl: "http://x/snapshot", heartbeatS: 60, retryMs: 4, retryMaxMs: 8, onState() {},
      onSnapshot: ({ latest }) => (this.seen = [Number(latest.split("-")[1])]),
      onEvent: ({ data }) => this.seen.push(data),
    });
    this.stream.start();
  }
}
let pages = [new Page()];
const gone = [];
let most = 0;
const acts = [
  () => log.push(0), () => log.push(0), () => { for (let n = below(1500); n > 0; n -= 1) log.push(0); },
  () => pages.length < 8 && pages.push(new Page()),
  () => pages.length > 1 && gone.push(...pages.splice(below(pages.length), 1)),
  () => sources.forEach((source) => source.fail()),
  () => { up = false; sources.forEach((source) => source.fail()); }, () => { up = true; }, () => { up = true; },
  () => pages[below(pages.length)].stream.source?.leave(), // put aside, and back after a while
];
for (let round = 0; round < 200; round += 1) {
  acts[below(acts.length)]();
  for (const page of gone.splice(0)) page.stream.stop();
  sources = sources.filter((source) => !source.closed);
  most = Math.max(most, sources.length);
  for (const source of sources) source.flush(below(3) ? Infinity : below(50));
  if (below(2)) await sleep(below(6));
}
up = true;
log.push(0);
const whole = (seen) => seen.every((n, at) => at === 0 || n === seen[at - 1] + 1);
const current = () => pages.every(({ seen }) => seen.at(-1) === log.length);
for (let tries = 0; tries < 400 && !current(); tries += 1) {
  sources.forEach((source) => source.flush());
  await sleep(5);
}
const counts = pages.map(({ stream: { counts: { missing, repeated, resets } } }) => missing + repeated + resets);
const result = { current: current(), whole: pages.every(({ seen }) => whole(seen)), counts: Math.max(...counts), most,
  opened };
pages.forEach(({ stream }) => stream.stop());
const left = () => sources.filter((source) => !source.closed).length;
for (let tries = 0; tries < 400 && left() > 0; tries += 1) await sleep(5); // the worker hears of it by messages
done({ ...result, left: left() });
"""


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 5))
def test_whatever_fails_and_whoever_comes_and_goes_each_tab_shows_each_event_once(modules, seed):
    found = run(modules, RANDOM, seed=seed)
    assert found.pop("opened") > 1, "the connection was lost at least once"
    assert found == {"current": True, "whole": True, "counts": 0, "most": 1, "left": 0}
