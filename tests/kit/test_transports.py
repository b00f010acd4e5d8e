"""The page's transports by themselves in a real Chromium: faults played to them, fallback, pace of polls, sending."""

from __future__ import annotations

import time

import pytest
from support.hand_made_kits import often
from support.kit_lab import publish_through, until
from support.pages import run

pytestmark = pytest.mark.lab


# The same plan over every transport: cursor -> what each connection from there brings.
PLAYED = """
const opened = [], events = [], states = [];
let snapshots = 0;
const next = (cursor) => {
  opened.push(Number(cursor.split("-")[1]));
  return plan[opened.at(-1)]?.shift() ?? [];
};
const full = (n) => ({ id: `e-${n}`, type: "t", at: 0, data: n });
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 1;
  constructor(url) {
    setTimeout(() => {
      this.say({ type: "hello", id: "e-0", heartbeat_s: 60 });
      for (const n of next(new URL(url).searchParams.get("cursor"))) {
        if (n === "drain") this.say({ type: "drain", retry_ms: 5 });
        else if (n === "reset") this.say({ type: "reset", reason: "trimmed" });
        else this.say({ ...full(n), type: "event", event: "t" });
      }
    });
  }
  say(message) { if (!this.closed) this.onmessage({ data: JSON.stringify(message) }); }
  close() { this.closed = true; }
};
const json = (body) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
globalThis.fetch = async (url, { signal } = {}) => {
  if (`${url}`.endsWith("snapshot")) {
    snapshots += 1;
    return json({ latest: snapshots === 1 ? "e-0" : "e-9", events: {} });
  }
  const { searchParams } = new URL(url);
  const cursor = searchParams.get("cursor");
  if (searchParams.get("wait") !== "0" || asked.has(cursor)) {
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  }
  const list = next(cursor);
  if (list.length === 0) asked.add(cursor);
  if (list[0] === "drain") return new Response("", { status: 503, headers: { "Retry-After": "0.005" } });
  const reset = list[0] === "reset" ? { reason: "trimmed" } : null;
  const found = reset ? [] : list.map(full);
  return json({ cursor: found.at(-1)?.id ?? cursor, events: found, reset, retry_ms: 5, poll_s: 60 });
};
const asked = new Set();
const address = (path) => `http://x/${path}`;
const stream = new EventStream({
  transports: transportsOf({ transports: [transport], hold_s: 60, poll_s: 60 }, address, {}),
  snapshotUrl: address("snapshot"), heartbeatS: 60, retryMs: 20, retryMaxMs: 20,
  onEvent: (event) => events.push([event.type, event.data]), onSnapshot() {}, onState: (state) => states.push(state),
});
stream.start();
const complete = () => opened.length >= most.opened && events.length >= most.events;
for (let waited = 0; waited < 5000 && !complete(); waited += 50) await sleep(50);
await sleep(200); // what must not come has time to
stream.stop();
const { missing, repeated, resets } = stream.counts;
done({ opened, events: events.map(([type, data]) => data), types: [...new Set(events.map(([type]) => type))], snapshots,
  counts: [missing, repeated, resets], state: states.at(-2) });
"""


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("transport", often(["websocket", "long-polling", "short-polling"]))
@pytest.mark.parametrize(
    ("plan", "opened", "events", "snapshots", "counts"),
    [
        ({0: [[1, 2, 2, 1, 3]]}, [0], [1, 2, 3], 1, [0, 2, 0]),
        ({0: [[1, 2, 5, 6]], 2: [[3, 4, 5, 6]]}, [0, 2], [1, 2, 3, 4, 5, 6], 1, [2, 0, 0]),
        ({0: [[1, 2, 5, 6]], 2: [[5, 6]], 9: [[10]]}, [0, 2, 9], [1, 2, 10], 2, [4, 0, 0]),
        ({0: [["reset"]], 9: [[10, 11]]}, [0, 9], [10, 11], 2, [0, 0, 1]),
        ({0: [["drain"], [1, 2]]}, [0, 0], [1, 2], 1, [0, 0, 0]),
    ],
    ids=["repetition", "gap that the log can fill", "gap for good", "reset", "drain"],
)
def test_no_event_twice_and_no_gap_unnoticed(modules, transport, plan, opened, events, snapshots, counts):
    most = {"opened": len(opened), "events": len(events)}
    played = run(modules, PLAYED, plan=plan, transport=transport, most=most)
    assert played == {
        "opened": opened, "events": events, "types": ["t"], "snapshots": snapshots, "counts": counts, "state": "open"
    }  # fmt: skip


SHORT = """
const asked = [];
let number = 0;
globalThis.fetch = async (url, { headers }) => {
  const { searchParams } = new URL(url);
  asked.push({ at: performance.now(), cursor: searchParams.get("cursor"), wait: searchParams.get("wait"), headers });
  if (asked.length === 3) number = 1;
  if (headers["If-None-Match"] === `"e-${number}"`) {
    return new Response(null, { status: 304, headers: { "Retry-After": "0.1" } });
  }
  const events = [{ id: "e-1", type: "t", at: 0, data: 1 }];
  return new Response(JSON.stringify({ cursor: "e-1", events, reset: null, retry_ms: 10, poll_s: 0.1 }));
};
const look = (state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
const source = new PollSource("http://x/poll?cursor=e-0", { pollS: 30, headers: { Authorization: "Bearer x" } });
const got = [];
source.addEventListener("event", (message) => got.push(message.lastEventId));
await sleep(1050);
look("hidden");
const hiddenFrom = asked.length;
await sleep(1500);
const back = performance.now();
look("visible");
await sleep(20);
const soon = asked.at(-1).at - back;
source.close();
const closedAt = asked.length;
await sleep(300);
const gap = (from, to) => asked.slice(from, to).map((ask, at, list) => ask.at - list[at - 1]?.at).slice(1);
done({ got, soon, after: asked.length - closedAt, visible: gap(0, hiddenFrom), hidden: gap(hiddenFrom, closedAt - 1),
  first: asked.slice(0, 4).map(({ cursor, wait, headers: { Authorization: key, "If-None-Match": tag } }) =>
    [cursor, wait, tag, key]) });
"""


@pytest.mark.long
def test_short_polling_asks_at_the_servers_interval_with_an_etag(modules):
    found = run(modules, SHORT)
    assert found["first"] == [[c, "0", f'"{c}"', "Bearer x"] for c in ("e-0", "e-0", "e-0", "e-1")]
    assert found["got"] == ["e-1"]
    assert all(75 < ms < 200 for ms in found["visible"]), found["visible"]
    assert len({round(ms) for ms in found["visible"]}) > 2, "jitter"
    assert found["hidden"], "still asks"
    assert all(300 < ms < 560 for ms in found["hidden"]), found["hidden"]
    assert 0 <= found["soon"] < 20, "asks at once when somebody looks again"
    assert found["after"] == 0, "a closed source asks no more"


LONG = """
const asked = [], events = [], pauses = [];
let latest = 0;
let answered = null;
const began = performance.now();
globalThis.fetch = async (url, { headers, signal }) => {
  const { searchParams } = new URL(url);
  const cursor = Number(searchParams.get("cursor").split("-")[1]);
  const wait = Number(searchParams.get("wait"));
  asked.push([cursor, wait, headers["If-None-Match"]]);
  if (answered !== null) pauses.push(performance.now() - answered);
  const end = performance.now() + wait * 1000;
  while (latest <= cursor && performance.now() < end && !signal.aborted) await sleep(1);
  const found = [];
  for (let n = cursor + 1; n <= latest && found.length < 500; n += 1) {
    found.push({ id: `e-${n}`, type: "t", at: 0, data: n });
  }
  const to = cursor + found.length;
  const answer = { cursor: `e-${to}`, events: found, reset: null, retry_ms: 10, more: to < latest };
  answered = performance.now();
  return new Response(JSON.stringify(answer));
};
const source = new PollSource("http://x/poll?cursor=e-0", { holdS: 5 });
const lags = [];
const publishedAt = [];
source.addEventListener("event", ({ lastEventId, data }) => {
  events.push(data.data);
  lags.push(performance.now() - publishedAt[data.data]);
});
await sleep(50);
for (let n = 1; n <= count; n += 1) {
  publishedAt[n] = performance.now();
  latest = n;
  await sleep(gapMs);
}
const late = performance.now() + 60000;
await sleep(100);
while (events.length < latest && performance.now() < late) await sleep(20);
source.close();
pauses.sort((one, other) => one - other);
done({ asked: asked.length, first: asked.slice(0, 2), events, lag: Math.max(...lags), pauses });
"""


BUSY = """
const asks = globalThis.fetch;
globalThis.polls = 0;
globalThis.fetch = (...all) => { polls += 1; return asks(...all); };
globalThis.lags = { poll: [], stream: [] };
const note = (list, data) => list.push([data.number, Date.now() - data.sent_ms]);
const { cursor } = await (await fetch(new URL("poll", document.baseURI))).json();
const address = (path) => `${new URL(path, document.baseURI)}?cursor=${cursor}`;
const source = new PollSource(address("poll"), { holdS: 5 });
source.addEventListener("event", ({ data }) => note(lags.poll, data.data));
const stream = new EventSource(address("events"));
stream.addEventListener("order-status", ({ data }) => note(lags.stream, JSON.parse(data).data));
stream.addEventListener("hello", () => done(true));
"""


@pytest.mark.long
@pytest.mark.alone
def test_long_polling_in_a_busy_room_makes_few_requests_and_lags_less_than_100_ms(make_lab, browser):
    kit = make_lab(transports=["sse", "long-polling"])
    browser.get(kit.url)
    run(browser, BUSY)
    for _ in range(3):  # what is slow once is a busy machine
        before = browser.execute_script("lags.poll.length = lags.stream.length = 0; return polls")
        began = time.monotonic()
        publish_through(kit, 150, per_s=100)
        until(lambda: browser.execute_script("return lags.poll.length") == 150, "all events arrive")
        polls, took = browser.execute_script("return polls") - before, time.monotonic() - began
        lags = browser.execute_script("return lags")
        assert [number for number, _ in lags["poll"]] == list(range(150))
        assert polls < 17 * took + 3, (polls, took)
        worst = {name: max(ms for _, ms in seen) for name, seen in lags.items()}
        if worst["poll"] < 100 + max(0, worst["stream"] - 20):
            return
    raise AssertionError(worst)


@pytest.mark.long
@pytest.mark.alone
def test_long_polling_shows_events_one_by_one_without_delay(modules):
    lags = []
    while len(lags) < 3 and min(lags, default=60) >= 60:  # what is slow once is a busy machine
        found = run(modules, LONG, count=10, gapMs=100)
        assert found["first"] == [[0, 0, '"e-0"'], [0, 5, None]]
        assert found["events"] == list(range(1, 11))
        lags.append(found["lag"])
    assert min(lags) < 60


@pytest.mark.long
@pytest.mark.parametrize("source", ["holdS: 5", "holdS: 0, pollS: 0.5"])
def test_a_long_backlog_is_fetched_without_pauses(modules, source):
    """After an answer with `more` no interval passes; on a busy machine some requests are late."""
    script = LONG.replace("let latest = 0", "let latest = 20000").replace("holdS: 5", source)
    found = run(modules, script, count=0, gapMs=0)
    assert found["events"] == list(range(1, 20001))
    backlog = found["pauses"][:39]  # between 40 answers of 500; before what follows an interval may pass
    assert backlog[len(backlog) // 2] < 250, backlog


# Transports that greet or not, a server that answers or not; times in ms are short so that many attempts fit.
CHAIN = """
let healthy = true;
let may = true;
const greets = { first: false, second: true, third: true };
const opened = [], shown = [], states = [];
class Fake extends EventTarget {
  constructor(name, url) {
    super();
    opened.push(name);
    this.name = name;
    Fake.last = this;
    setTimeout(() => {
      const how = Array.isArray(greets[name]) ? greets[name].shift() : greets[name];
      if (how === "refuses") this.onerror?.();
      else if (how === "drains") this.dispatchEvent(new MessageEvent("drain", { data: { retry_ms: 5 } }));
      else if (how) this.greet(how);
    }, 5);
  }
  greet(how) {
    const say = (name, data) => this.closed || this.dispatchEvent(new MessageEvent(name, { lastEventId: "e-0", data }));
    say("hello", { heartbeat_s: 60, types: ["t"] });
    if (how === "is cut") setTimeout(() => this.closed || this.onerror?.());
    else for (let beats = 0; beats < 2; beats += 1) say("heartbeat", {});
  }
  close() { this.closed = true; }
}
globalThis.fetch = async (url) => {
  if (`${url}`.endsWith("healthz")) return new Response("", { status: healthy ? 200 : 502 });
  return new Response(JSON.stringify({ latest: "e-0", events: {} }), { status: may ? 200 : 401 });
};
const stream = new EventStream({
  transports: Object.keys(greets).map((name) => ({ name, title: name, url: "x", open: (url) => new Fake(name, url) })),
  snapshotUrl: "http://x/snapshot", healthUrl: "http://x/healthz",
  heartbeatS: 60, retryMs: 20, retryMaxMs: 40, patienceMs: 100,
  onEvent() {}, onSnapshot() {}, onState: (state) => states.push(state),
  onTransport: (transport, notes) => shown.push([transport.name, ...notes]),
});
const until = async (true_) => { for (let tries = 0; !true_() && tries < 400; tries += 1) await sleep(5); };
STEPS
stream.stop();
done({ opened, shown, state: states.at(-2) });
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("steps", "opened", "shown"),
    [
        (
            "stream.start(); await sleep(300);",
            ["first", "second"],
            [["second", "first did not open within 0.1 s; using second."]],
        ),
        (
            "greets.first = greets.second = 'refuses'; stream.start(); await sleep(300);",
            ["first", "first", "second", "second", "third"],
            [["third", "first was refused; using second.", "second was refused; using third."]],
        ),
        (
            # A server that comes up between the refusal and the question whether it is there has blocked nothing.
            """greets.first = 'refuses'; const fetched = globalThis.fetch;
            globalThis.fetch = (url) => { if (/healthz/.test(url)) greets.first = true; return fetched(url); };
            stream.start(); await until(() => shown.length === 1);""",
            ["first", "first"],
            [["first"]],
        ),
        (
            # Once the first has worked, every new attempt begins with it, also from another one.
            """greets.first = true; stream.start(); await until(() => shown.length === 1);
            greets.first = 'refuses'; Fake.last.onerror(); await until(() => shown.length === 2);
            greets.first = true; Fake.last.onerror(); await until(() => shown.length === 3);""",
            ["first", "first", "first", "second", "first"],
            [["first"], ["second", "first was refused; using second."], ["first"]],
        ),
        (
            # What has worked is not blocked because it is slow once,
            """greets.first = [true, false, true]; stream.start(); await until(() => shown.length === 1);
            Fake.last.onerror(); await until(() => shown.length === 2);""",
            ["first", "first", "first"],
            [["first"], ["first"]],
        ),
        (
            # but it is if it does not open twice.
            """greets.first = [true, false, false]; stream.start(); await until(() => shown.length === 1);
            Fake.last.onerror(); await until(() => shown.length === 2);""",
            ["first", "first", "first", "second"],
            [["first"], ["second", "first did not open within 0.1 s; using second."]],
        ),
        (
            # A refusal before the server sent the page away says nothing about a refusal after it.
            """greets.first = ['refuses', 'drains', 'refuses', true]; stream.start();
            await until(() => shown.length === 1);""",
            ["first", "first", "first", "first"],
            [["first"]],
        ),
        (
            # A probe finds that the first works; nothing is lost meanwhile, since the second one goes on.
            """stream.start(); await until(() => shown.length === 1);
            greets.first = true; dispatchEvent(new Event('online')); await until(() => shown.length === 2);""",
            ["first", "second", "first", "first"],
            [["second", "first did not open within 0.1 s; using second."], ["first"]],
        ),
        (
            # A probe that fails changes nothing.
            """stream.start(); await until(() => shown.length === 1);
            dispatchEvent(new Event('online')); await sleep(300);""",
            ["first", "second", "first"],
            [["second", "first did not open within 0.1 s; using second."]],
        ),
    ],
    ids=[
        "blocked",
        "two are blocked",
        "the server comes up",
        "it has worked before",
        "slow once",
        "slow twice",
        "a doubt that is old",
        "probe",
        "probe fails",
    ],
)
def test_a_transport_that_is_blocked_is_replaced_and_the_page_says_so(modules, steps, opened, shown):
    assert run(modules, CHAIN.replace("STEPS", steps)) == {"opened": opened, "shown": shown, "state": "open"}


@pytest.mark.long
def test_a_server_that_is_away_is_not_taken_for_a_blocked_transport(modules):
    found = run(
        modules,
        CHAIN.replace(
            "STEPS",
            """healthy = false; greets.first = 'refuses'; stream.start(); await until(() => opened.length === 4);
            healthy = true; greets.first = true; await until(() => shown.length === 1);""",
        ),
    )
    assert set(found["opened"]) == {"first"}
    assert found["shown"] == [["first"]]


@pytest.mark.long
@pytest.mark.parametrize("first", ["refuses", False], ids=["401 at once", "no answer"])
def test_a_viewer_who_may_no_longer_read_is_told_so_and_the_page_asks_no_more(modules, first):
    steps = """greets.first = true; stream.start(); await until(() => shown.length === 1);
        may = false; greets.first = how; greets.second = greets.third = 'refuses'; Fake.last.onerror();
        await until(() => states.at(-1) === 'refused'); const asked = opened.length; await sleep(200);
        if (opened.length > asked) throw new Error('asks again');"""
    found = run(modules, CHAIN.replace("STEPS", steps), how=first)
    assert (found["state"], found["opened"]) == ("refused", ["first", "first"])


SENDING = """
const asked = [], states = [];
class Socket extends EventTarget {
  send(message) {
    asked.push(["socket", message.key, message.feature, message.data]);
    const say = (name, data) => this.dispatchEvent(new MessageEvent(name, { data }));
    if (socket === "answers") setTimeout(() => {
      say("sent", { key: "of another", id: "e-1" });
      say("sent", { key: message.key, id: "e-7" });
    });
    if (socket === "refuses") setTimeout(() => say("refused", { key: message.key, error: "no" }));
    if (socket === "ends") setTimeout(() => this.dispatchEvent(new Event("end")));
    return socket !== "closed";
  }
}
const source = socket ? new Socket() : {};
globalThis.fetch = async (url, { method, headers, body }) => {
  asked.push([method, headers["Idempotency-Key"], JSON.parse(body).type, JSON.parse(body).data]);
  const [status, answer, retryAfter] = answers.shift();
  if (status === 0) throw new TypeError("no network");
  return new Response(JSON.stringify(answer), { status, headers: retryAfter ? { "Retry-After": retryAfter } : {} });
};
const sender = new Sender({ url: "http://x/send", headers: {}, source: () => source, retryMs: 10, retryMaxMs: 20,
  onChange: ({ state }) => states.push(state) });
const began = performance.now();
const item = sender.send("t", { text: "hi" });
while (item.state === "sending") await sleep(2);
done({ over: asked.map(([how]) => how), keys: new Set(asked.map(([, key]) => key)).size, id: item.id, error: item.error,
  same: asked.every(([, , type, data]) => type === "t" && data.text === "hi"), ms: performance.now() - began });
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("socket", "answers", "over", "outcome"),
    [
        ("answers", [], ["socket"], "e-7"),
        ("refuses", [], ["socket"], "no"),
        ("ends", [[200, {"id": "e-7"}]], ["socket", "POST"], "e-7"),
        ("", [[201, {"id": "e-7"}]], ["POST"], "e-7"),
        ("", [[0, {}], [502, {}], [503, {}], [201, {"id": "e-7"}]], ["POST"] * 4, "e-7"),
        ("", [[413, {"error": "too large"}]], ["POST"], "too large"),
        ("", [[429, {}, "1"], [201, {"id": "e-7"}]], ["POST", "POST"], "e-7"),
    ],
)
def test_what_is_sent_is_repeated_with_its_key_until_the_server_answers(modules, socket, answers, over, outcome):
    sent = run(modules, SENDING, socket=socket, answers=answers)
    assert (sent["over"], sent["keys"], sent["same"]) == (over, 1, True)
    assert outcome in (sent["id"], sent["error"])
    assert sent["ms"] >= (1000 if any(len(answer) > 2 for answer in answers) else 0)
