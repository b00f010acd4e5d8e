"""When a connection counts as good: a page neither hammers what cuts it off, nor stays with a way that never holds."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from support.kit_lab import nginx_conf, nginx_version, publish_through, until
from support.network_boxes import box
from support.pages import open_page, run, signed_in

pytestmark = pytest.mark.lab

SOCKET = {"transports": ["websocket", "sse", "long-polling"], "two_way": True, "retry_ms": 1000, "retry_max_ms": 30_000}
SSE = {"transports": ["sse", "long-polling"], "connect_patience_ms": 5000}  # as a kit for SSE has it
K19 = (0.1, 0.5)


# --- in a real Chromium, through what cuts or holds back --------------------------------------------------------------


@pytest.mark.long
def test_a_socket_that_is_cut_soon_after_it_opens_is_given_up_for_the_next_way(make_lab, browser):
    kit = make_lab(**SOCKET)
    with box(kit.port, ws=K19) as between:
        page = open_page(browser, between.url)
        until(lambda: page.text("transport").startswith("SSE"), "the page uses SSE")
        # Where the machine is slow the box may cut before the greeting, and then that is what the page has seen.
        why = r"WebSocket was (cut off 2 times soon after it had opened|refused); using SSE\."
        assert re.fullmatch(why, page.text("fallback"))
        connects, at_first = page.text("connects"), len(between.opened["/ws"])
        assert at_first <= 4  # one that is cut before its greeting is tried once more at once
        published = publish_through(kit, 5, per_s=50)
        until(lambda: page.rows() == published, "the events arrive")
        for _ in range(3):  # each looks at the socket beside the stream; that it greets is not enough
            before = len(between.opened["/ws"])
            browser.execute_script("dispatchEvent(new Event('online'))")
            until(lambda before=before: len(between.opened["/ws"]) > before, "the page looks whether the socket works")
            time.sleep(1)
        time.sleep(8)
        assert (page.state(), page.text("connects")) == ("open", connects)
        assert page.text("transport").startswith("SSE")
        assert len(between.opened["/ws"]) <= at_first + 3 + 1  # those asked for here, and one more of its own
        between.cuts.clear()
        browser.execute_script("dispatchEvent(new Event('online'))")
        until(lambda: page.text("transport") == "WebSocket", "the socket holds again, and is used again")
        published += publish_through(kit, 5, per_s=50)
        until(lambda: page.rows() == published, "nothing is lost or repeated")
    assert page.text("missing") == page.text("repeated") == page.text("resets") == "0"
    assert page.complaints() == []


@pytest.mark.long
def test_where_sockets_and_streams_are_cut_long_polling_is_left(make_lab, browser):
    kit = make_lab(**SOCKET | {"retry_ms": 500})
    with box(kit.port, ws=K19, events=K19) as between:
        page = open_page(browser, between.url)
        until(lambda: page.text("transport").startswith("long polling"), "the page polls", 20)
        published = publish_through(kit, 5, per_s=50)
        until(lambda: page.rows() == published, "the events arrive")
        assert max(len(between.opened["/ws"]), len(between.opened["/events"])) <= 5


@pytest.mark.long
def test_a_socket_that_was_good_is_not_given_up_for_one_short_outage(make_lab, browser):
    kit = make_lab(**SOCKET | {"retry_ms": 200, "heartbeat_s": 0.3})
    with box(kit.port) as between:
        page = open_page(browser, between.url)
        page.wait_for("open")
        time.sleep(1)  # it has had its heartbeats
        between.cuts["/ws"] = (0.05, 0.1)
        kit.kill_server()
        kit.start_server()
        until(lambda: len(between.opened["/ws"]) >= 3, "two more connections, which are cut")
        between.cuts.clear()
        until(
            lambda: page.state() == "open" and time.monotonic() - between.opened["/ws"][-1] > 1, "one connection stays"
        )
        assert (page.text("transport"), page.text("fallback")) == ("WebSocket", "")
        assert "/events" not in between.opened


@pytest.mark.long
def test_a_stream_that_ends_after_its_greeting_is_tried_less_and_less_often(make_lab, browser):
    kit = make_lab(transports=["sse"], retry_ms=300, retry_max_ms=30_000)
    with box(kit.port, events=(0.1, 0.12)) as between:
        page = open_page(browser, between.url)
        until(lambda: between.opened.get("/events"), "the first connection")
        time.sleep(10)
        opened = between.opened["/events"]
        assert page.text("connects") == str(len(opened))
    gaps = [later - earlier for earlier, later in pairwise(opened)]
    assert 3 <= len(opened) <= 8, gaps  # 300, 600, 1200, 2400, 4800 ms, each times 0.5 to 1
    assert max(gaps) > 4 * min(gaps)


def holding_back(kit, binary):
    """The kit's nginx configuration, but it collects an answer of /events before it passes it on: many proxies do."""
    conf = nginx_conf(nginx_version(binary), kit.settings)
    conf, found = re.subn(
        r"(location = /events \{[^}]*?)proxy_buffering off;[^\n]*",
        r"\1proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; proxy_buffers 8 64k; proxy_buffer_size 64k; "
        r"gzip on; gzip_proxied any; gzip_types text/event-stream;",
        conf,
    )
    assert found == 1
    return conf


@pytest.mark.long
@pytest.mark.parametrize("auth", ["none", "bearer-header"])
def test_a_stream_that_is_held_back_is_replaced_by_long_polling(make_lab, any_nginx, browser, auth):
    kit = make_lab(**SSE, auth=auth)
    kit.start_nginx(any_nginx, holding_back(kit, any_nginx))
    if auth == "none":
        page = open_page(browser, kit.url)
        began = time.monotonic()
        until(lambda: page.text("transport").startswith("long polling"), "the page polls", 12)
        assert 4 < time.monotonic() - began < 12
    else:
        page = signed_in(browser, kit)
    assert page.text("transport").startswith("long polling")
    assert page.text("fallback") == "SSE did not open within 5 s; using long polling."
    published = publish_through(kit, 10, per_s=20)
    until(lambda: page.rows() == published, "the events arrive")
    assert page.complaints() == []


@pytest.mark.long
def test_a_stream_that_is_not_held_back_stays(make_lab, any_nginx, browser):
    kit = make_lab(**SSE)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    time.sleep(6)  # longer than the patience
    published = publish_through(kit, 3, per_s=20)
    until(lambda: page.rows() == published, "the events arrive")
    assert (page.text("transport").startswith("SSE"), page.text("fallback"), page.text("connects")) == (True, "", "1")


# --- stream.js by itself: what each connection plays is in the test ---------------------------------------------------

PLAYED = """
const opened = [], delays = [], shown = [];
class Fake extends EventTarget {
  constructor(name) {
    super();
    const number = opened.push([name, performance.now()]);
    setTimeout(async () => {
      for (const step of plays(name, number)) {
        if (this.closed) return;
        if (typeof step === "number") await sleep(step);
        else if (step === "end") this.onerror?.();
        else this.dispatchEvent(new MessageEvent(step[0], step[1]));
      }
    });
  }
  close() { this.closed = true; }
}
let n = 0;
const hello = ["hello", { lastEventId: "e-0", data: { heartbeat_s: 60, types: ["t"] } }];
const beat = ["heartbeat", { data: {} }];
const goodbye = ["drain", { data: { retry_ms: 5 } }];
const event = () => ["t", { lastEventId: `e-${n += 1}`, data: { at: 0, data: n } }];
const poison = ["t", { lastEventId: "e-1", data: "no JSON" }];
globalThis.fetch = async (url) => new Response(JSON.stringify({ latest: "e-0", events: {} }));
const stream = new EventStream({
  transports: names.map((name) => ({ name, title: name, url: "x", open: () => new Fake(name) })),
  snapshotUrl: "http://x/snapshot", healthUrl: "http://x/healthz", heartbeatS: 60, patienceMs: 200,
  retryMs: 20, retryMaxMs: 100_000, maxConnectionS: 0, onEvent() {}, onSnapshot() {}, ...options,
  onTransport: (transport, notes) => shown.push(transport.name),
  onState: (state, ms) => state === "waiting" && delays.push(ms),
});
globalThis.addEventListener("error", (error) => error.preventDefault());
const plays = (name, number) => PLAYS;
stream.start();
await sleep(ms);
stream.stop();
done({ opened: opened.map(([name]) => name), delays, shown });
"""


def play(modules, plays, names=("first",), ms=1500, **options):
    return run(modules, PLAYED.replace("PLAYS", plays), names=list(names), ms=ms, options=options)


def doubles(delays, least=4):
    """Each delay is drawn between the half and the whole of twice the one before."""
    assert len(delays) >= least, delays
    for number, delay in enumerate(delays):
        assert 10 * 2**number <= delay <= 20 * 2**number, delays
    return True


@pytest.mark.long
@pytest.mark.parametrize(
    "plays",
    ['["end"]', '[hello, "end"]', '[hello, event(), event(), "end"]', '[hello, beat, "end"]',
     '[hello, beat, event(), "end"]', '[hello, beat, 5, "end"]', '[hello, poison, event(), event(), "end"]'],
    ids=["refused", "a greeting", "a moved cursor", "one heartbeat", "heartbeat and cursor", "and a while", "poison"],
)  # fmt: skip
def test_what_is_not_good_does_not_end_the_growing_of_delays(modules, plays):
    found = play(modules, plays)
    assert doubles(found["delays"])
    assert len(found["opened"]) <= 9


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.parametrize(
    ("plays", "options"),
    [
        ('[hello, beat, beat, "end"]', {}),
        ('[hello, beat, 1030, "end"]', {"maxConnectionS": 1.1}),  # an end at the known age
    ],
    ids=["two heartbeats", "of age"],
)
def test_what_is_good_ends_the_growing_of_delays(modules, plays, options):
    found = play(modules, plays, ms=6000 if options else 1500, **options)
    assert len(found["delays"]) >= 4
    assert all(10 <= delay <= 20 for delay in found["delays"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("plays", "age"),
    [('[hello, beat, 30, "end"]', 1.1), ('[hello, 1030, "end"]', 1.1), ('[hello, beat, 100, "end"]', 0)],
    ids=["too young", "without a heartbeat", "no age is known"],
)
def test_an_end_at_another_age_or_without_a_heartbeat_is_not_good(modules, plays, age):
    assert doubles(play(modules, plays, ms=5000 if age else 1500, maxConnectionS=age)["delays"], 3)


@pytest.mark.long
def test_after_a_goodbye_the_delays_begin_anew(modules):
    found = play(modules, '[hello, number < 4 || number > 4 ? "end" : goodbye]')
    assert found["delays"][3] == 5  # the server's own
    assert doubles(found["delays"][:3], 3)
    assert doubles(found["delays"][4:], 2)


HOLDS = "[hello, beat, beat]"
CUT = '[hello, "end"]'
GOOD = '[hello, beat, beat, 20, "end"]'


@pytest.mark.long
@pytest.mark.parametrize(
    ("plays", "opened"),
    [
        (f'name === "first" ? {CUT} : [hello, beat, beat]', ["first", "first", "second"]),
        (f'name === "third" ? [hello, beat, beat] : {CUT}', ["first", "first", "second", "second", "third"]),
        (f"number === 1 ? {GOOD} : number < 4 ? {CUT} : [hello, beat, beat]", ["first"] * 4),
        (f'number === 1 ? {GOOD} : name === "first" ? {CUT} : [hello, beat, beat]', ["first"] * 5 + ["second"]),
        # Two in a row: one that was good between them, or a goodbye, restarts the count.
        (f"number === 1 || number === 3 ? {CUT} : number === 2 ? {GOOD} : [hello, beat, beat]", ["first"] * 4),
        (f"number === 1 || number === 3 ? {CUT} : number === 2 ? [hello, goodbye] : {HOLDS}", ["first"] * 4),
        # A way that opens and is cut once, and then does not open at all.
        (f'name === "first" ? (number === 1 ? {CUT} : []) : [hello, beat, beat]', ["first", "first", "second"]),
    ],
    ids=["cut", "two are cut", "good before", "good before, now never", "good between", "a goodbye", "cut, then deaf"],
)  # fmt: skip
def test_a_way_whose_connections_are_never_good_is_left(modules, plays, opened):
    found = play(modules, plays, names=("first", "second", "third"))
    assert found["opened"] == opened
    assert found["shown"][-1] == opened[-1]
