"""The kit's stream.js by itself in a real Chromium: faults played to it, its delays, other origins."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.lab

# What a faulty server or proxy could do, played to the page's own module: a gap, a repetition, an endless reset.
FAULTS = """
const plan = PLAN; // cursor -> what each connection from there plays
const done = arguments[arguments.length - 1];
import(new URL("stream.js", document.baseURI)).then(({ EventStream }) => {
  const opened = [], events = [];
  let snapshots = 0;
  class Fake extends EventTarget {
    constructor(url) {
      super();
      this.cursor = Number(new URL(url).searchParams.get("cursor").split("-")[1]);
      opened.push(this.cursor);
      setTimeout(() => {
        this.say("hello", this.cursor, { heartbeat_s: 60, types: ["t"] });
        for (const n of plan[this.cursor]?.shift() ?? []) this.say("t", n, { at: 0, data: n });
      });
    }
    say(name, n, data) {
      const message = { lastEventId: `e-${n}`, data: JSON.stringify(data) };
      if (!this.closed) this.dispatchEvent(new MessageEvent(name, message));
    }
    close() { this.closed = true; }
  }
  globalThis.fetch = async () => {
    snapshots += 1;
    return { ok: true, status: 200, json: async () => ({ latest: snapshots === 1 ? "e-0" : "e-9", events: {} }) };
  };
  const stream = new EventStream({
    eventsUrl: "http://x/events", snapshotUrl: "x", heartbeatS: 60, retryMs: 20, retryMaxMs: 20,
    open: (url) => new Fake(url), onEvent: (event) => events.push(event.data), onSnapshot() {}, onState() {},
  });
  stream.start();
  setTimeout(() => { stream.stop(); done({ opened, events, snapshots, counts: stream.counts }); }, 400);
});
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("plan", "found"),
    [
        ({0: [[1, 2, 2, 1, 3]]}, {"opened": [0], "events": [1, 2, 3], "snapshots": 1, "missing": 0, "repeated": 2}),
        (
            {0: [[1, 2, 5, 6]], 2: [[3, 4, 5, 6]]},
            {"opened": [0, 2], "events": [1, 2, 3, 4, 5, 6], "snapshots": 1, "missing": 2, "repeated": 0},
        ),
        (
            {0: [[1, 2, 5, 6]], 2: [[5, 6]], 9: [[10]]},
            {"opened": [0, 2, 9], "events": [1, 2, 10], "snapshots": 2, "missing": 4, "repeated": 0},
        ),
    ],
    ids=["repetition", "gap that the log can fill", "gap for good"],
)
def test_the_client_shows_no_event_twice_and_no_gap_unnoticed(make_lab, browser, plan, found):
    kit = make_lab()
    browser.get(kit.url)
    played = browser.execute_async_script(FAULTS.replace("PLAN", json.dumps(plan)))
    assert played.pop("counts").items() >= {"missing": found.pop("missing"), "repeated": found.pop("repeated")}.items()
    assert played == found


@pytest.mark.long
def test_delays_grow_to_the_longest_and_have_jitter(make_lab, browser):
    kit = make_lab()
    browser.get(kit.url)
    waits = browser.execute_async_script("""
      const done = arguments[0];
      import(new URL("stream.js", document.baseURI)).then(({ EventStream }) => {
        const stream = new EventStream({ heartbeatS: 60, retryMs: 100, retryMaxMs: 1600, onState: () => {} });
        const rounds = Array.from({ length: 40 }, () => {
          stream.failures = 0;
          return Array.from({ length: 8 }, () => {
            let ms;
            stream.wait = (delay) => (ms = delay);
            stream.fail();
            return ms;
          });
        });
        done(rounds);
      });
    """)
    for attempt, longest in enumerate([100, 200, 400, 800, 1600, 1600, 1600, 1600]):
        delays = [round_[attempt] for round_ in waits]
        assert longest / 2 <= min(delays) < longest * 0.75 < max(delays) <= longest
        assert len(set(delays)) > 30


CROSS = """
const done = arguments[1];
import(new URL("stream.js", document.baseURI)).then(({ EventStream }) => {
  const stream = new EventStream({ eventsUrl: `${arguments[0]}/events`, snapshotUrl: `${arguments[0]}/snapshot`,
    heartbeatS: 1, retryMs: 200, retryMaxMs: 200,
    onEvent() {}, onSnapshot() {}, onState: (state) => seen.push(state) });
  const seen = [];
  stream.start();
  setTimeout(() => { stream.stop(); done(seen); }, 1000);
});
"""


@pytest.mark.long
@pytest.mark.parametrize("listed", [True, False])
def test_a_page_of_another_origin_reads_if_it_is_listed_and_only_then(make_lab, browser, listed):
    page, events = make_lab(run=False), make_lab(run=False)
    for kit, origins in ((page, []), (events, [page.direct if listed else "https://app.example.com"])):
        (kit.folder / "settings.json").write_text(json.dumps(kit.settings | {"origins": origins}))
        kit.start_server()
    browser.get(f"{page.direct}/style.css")  # a document without the page's policy, which allows its own origin only
    states = browser.execute_async_script(CROSS, events.direct)
    assert ("open" in states) == listed, states
