"""The page over each transport in a real Chromium behind a real nginx: restarts, blocked ways, sending, signing in."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest
from support.hand_made_kits import often
from support.kit_lab import nginx_conf, nginx_version, publish_across_kills, publish_through, until
from support.pages import is_told_when_the_sign_in_is_over, open_page, run, signed_in

pytestmark = pytest.mark.lab

SOCKET = {"transports": ["websocket", "sse", "long-polling"], "two_way": True}
KITS = {
    "WebSocket": SOCKET,
    "long polling": {"transports": ["long-polling"], "hold_s": 3},
    "short polling": {"transports": ["short-polling"], "poll_s": 0.4},
}


def without_upgrade(kit, binary):
    """The kit's nginx configuration without the lines that let a WebSocket through."""
    conf = nginx_conf(nginx_version(binary), kit.settings)
    cut = re.sub(r" *proxy_set_header (Upgrade|Connection) \$[^\n]*\n", "", conf)
    assert cut.count("\n") == conf.count("\n") - 2
    return cut


@pytest.fixture
def kit_of(make_lab):
    """kit_of(settings, nginx, conf=None) -> a kit behind nginx."""

    def make(settings, nginx, conf=None, **more):
        kit = make_lab(**settings, **more)
        kit.start_nginx(nginx, conf and conf(kit, nginx))
        return kit

    return make


def say(browser, page, text):
    """Send a message with the page's form; what the page says became of it."""
    before = page.text("sent")
    browser.find_element("id", "text").send_keys(text + "\n")

    def became():
        shown = page.text("sent")
        return shown != before and "sending" not in shown and shown

    return until(became, "the page says what became of it")


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("transport", KITS)
def test_the_page_shows_each_event_over_each_transport(kit_of, nginx, browser, transport):
    kit = kit_of(KITS[transport], nginx)
    early = publish_through(kit, 2, per_s=100)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = early + publish_through(kit, 20, per_s=20)
    until(lambda: page.text("events") == "20", "the page counts twenty events")
    assert page.rows() == published
    assert page.text("transport").startswith(transport)
    assert page.text("fallback") == ""
    assert [page.text(name) for name in ("missing", "repeated", "resets", "connects")] == ["0", "0", "0", "1"]
    # The middle one: each event would be late if the transport were; one alone may be the machine's fault.
    lags = browser.execute_script("return [...document.querySelectorAll('.log li span')].map((lag) => lag.textContent)")
    shown = sorted(int(lag.removesuffix(" ms")) for lag in lags if lag != "kept")
    assert (len(shown), shown[10] < (700 if transport == "short polling" else 200)) == (20, True), shown
    assert browser.find_element("id", "send").is_displayed() == (transport == "WebSocket")
    assert page.complaints() == []


@pytest.mark.long
@pytest.mark.parametrize("transport", often(KITS))
def test_the_page_survives_kill_9_over_each_transport(kit_of, nginx, browser, transport):
    kit = kit_of(KITS[transport], nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_across_kills(kit, down=page.notices, up=lambda: page.wait_for("open"))
    until(lambda: page.rows()[-1:] == published[-1:], "the last event arrives")
    assert page.rows() == published
    assert page.text("missing") == page.text("repeated") == page.text("resets") == "0"
    until(lambda: page.text("transport").startswith(transport), "it is the same transport, if need be after a probe")
    assert page.complaints() == []


@pytest.mark.long
@pytest.mark.parametrize("transport", often(["long polling", "short polling"]))
def test_a_page_that_is_far_behind_does_not_wait_between_polls(kit_of, any_nginx, browser, transport):
    kit = kit_of(KITS[transport] | {"poll_s": 5}, any_nginx)  # per_client_queue is 64: one answer brings no more
    page = open_page(browser, kit.url)
    page.wait_for("open")
    kit.nginx.terminate()
    kit.nginx.wait()
    kit.nginx = None
    until(lambda: "trying again" in page.state(), "the page has noticed that it is off the network")
    published = publish_through(kit, 400, per_s=2000)
    kit.start_nginx(any_nginx)
    browser.execute_script("dispatchEvent(new Event('online'))")
    until(lambda: page.text("events") == "400", "all events, long before the next poll would be due", 4)
    assert page.rows() == published


@pytest.mark.long
@pytest.mark.parametrize("transport", often(KITS))
def test_a_deploy_and_a_new_log_over_each_transport(kit_of, any_nginx, browser, transport):
    kit = kit_of(KITS[transport], any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    first = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == first, "three events")
    kit.close_server()
    until(lambda: "trying again" in page.state(), "the page waits")
    kit.start_server()
    page.wait_for("open")
    second = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == first + second, "three more")
    assert page.text("resets") == "0"
    kit.close_server()
    for file in (kit.folder / "var").glob("events.sqlite3*"):
        file.unlink()
    kit.start_server()
    published = publish_through(kit, 2, per_s=50)
    until(lambda: page.text("resets") == "1" and page.text("last-id") == published[-1], "the page has started anew")
    assert page.text("missing") == page.text("repeated") == "0"


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("transport", ["WebSocket", "long polling"])
def test_at_a_deploy_the_page_waits_as_long_as_it_was_told_over_each_transport(kit_of, any_nginx, browser, transport):
    kit = kit_of(KITS[transport], any_nginx, retry_ms=3000, retry_max_ms=60_000)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    kit.close_server()
    told = until(lambda: re.fullmatch(r"not connected, trying again in (.+) s", page.state()), "the page is told", 2)
    assert 3 <= float(told[1]) <= 12  # its own first delay would be 1.5 to 3 s


@pytest.mark.long
def test_a_socket_that_the_proxy_blocks_is_replaced_within_four_seconds(kit_of, nginx, browser):
    kit = kit_of(SOCKET, nginx, without_upgrade)
    began = time.monotonic()
    page = open_page(browser, kit.url)
    page.wait_for("open", 4)
    assert time.monotonic() - began < 4
    assert page.text("transport").startswith("SSE")
    assert page.text("fallback") == "WebSocket was refused; using SSE."
    published = publish_through(kit, 10, per_s=50)
    until(lambda: page.rows() == published, "the events arrive")
    assert "over POST" in say(browser, page, "hello")
    until(lambda: page.text("events") == "11", "the message comes back as an event")
    kit.kill_server()
    until(lambda: page.state() != "open", "the page notices")
    kit.start_server()
    page.wait_for("open")
    published = publish_through(kit, 5, per_s=50)
    until(lambda: page.rows()[11:] == published, "the later events arrive")
    assert page.text("transport").startswith("SSE")


def swallowing(kit, binary, paths, deaf):
    """The kit's nginx configuration, in which requests to these paths are never answered."""
    conf = nginx_conf(nginx_version(binary), kit.settings)
    for path in paths:
        wanted = rf"(location = {path} {{\n *proxy_pass) http://event_server;"
        conf, count = re.subn(wanted, rf"\1 http://127.0.0.1:{deaf};", conf)
        assert count == 1
    return conf


@pytest.mark.long
@pytest.mark.parametrize(
    ("paths", "transport", "note", "most_s"),
    [
        pytest.param(["/ws"], "SSE", "WebSocket did not open within 2.5 s; using SSE.", 4, marks=pytest.mark.long),
        (
            ["/ws", "/events"],
            "long polling",
            "WebSocket did not open within 2.5 s; using SSE. SSE did not open within 2.5 s; using long polling.",
            6.5,
        ),
    ],
)
def test_what_is_swallowed_on_the_way_is_replaced_after_the_patience(  # noqa: PLR0917 - fixtures and a table's row
    make_lab, any_nginx, browser, deaf, paths, transport, note, most_s
):
    kit = make_lab(**SOCKET, heartbeat_s=2)
    kit.start_nginx(any_nginx, swallowing(kit, any_nginx, paths, deaf))
    began = time.monotonic()
    page = open_page(browser, kit.url)
    page.wait_for("open", most_s)
    assert time.monotonic() - began < most_s
    assert page.text("transport").startswith(transport)
    assert page.text("fallback") == note
    published = publish_through(kit, 5, per_s=50)
    until(lambda: page.rows() == published, "the events arrive")


@pytest.fixture
def deaf():
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.long
def test_the_page_goes_back_to_the_socket_when_it_is_let_through(kit_of, any_nginx, browser):
    kit = kit_of(SOCKET, any_nginx, without_upgrade)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_through(kit, 3, per_s=50)
    conf = kit.folder / "var/nginx.conf"
    blocked = conf.read_text()
    kit.nginx.terminate()
    kit.nginx.wait()
    kit.start_nginx(any_nginx)
    assert conf.read_text() != blocked
    page.wait_for("open")
    browser.execute_script("dispatchEvent(new Event('online'))")  # else it would look again after half a minute
    until(lambda: page.text("transport") == "WebSocket", "the socket is back")
    assert page.text("fallback") == ""
    published += publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == published, "nothing is lost or repeated")
    assert page.text("repeated") == page.text("missing") == "0"


@pytest.mark.long
def test_what_a_viewer_sends_goes_over_the_socket_once_even_if_the_server_dies(kit_of, any_nginx, browser):
    kit = kit_of(SOCKET, any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    assert "sent as #1 over WebSocket" in say(browser, page, "first")
    kit.kill_server()
    browser.find_element("id", "text").send_keys("second\n")
    until(lambda: "trying again" in page.text("sent"), "the page says that it tries again")
    kit.start_server()
    until(lambda: "sent as #2 over POST" in page.text("sent"), "it is sent")
    page.wait_for("open")
    until(lambda: page.text("events") == "2", "both came back as events")
    assert [row["data"] for row in kit.http.get(f"{kit.url}/snapshot").json()["events"]["order-status"]] == [
        {"text": "first"}, {"text": "second"}
    ]  # fmt: skip


@pytest.mark.long
def test_a_viewer_who_sends_a_lot_loses_neither_messages_nor_the_socket(kit_of, any_nginx, browser):
    kit = kit_of(SOCKET, any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    browser.execute_script("""
      for (let n = 0; n < 40; n += 1) {
        document.getElementById("text").value = n;
        document.getElementById("send").requestSubmit();
      }
    """)
    until(lambda: page.text("events") == "40", "all messages came back", 15)
    assert page.text("connects") == "1"


@pytest.mark.long
@pytest.mark.parametrize("auth", ["cookie", "bearer-header"])
@pytest.mark.parametrize("transport", often(KITS))
def test_a_viewer_signs_in_over_each_transport(kit_of, any_nginx, browser, transport, auth):
    kit = kit_of(KITS[transport], any_nginx, auth=auth)
    page = signed_in(browser, kit)
    assert page.text("transport").startswith(transport)
    assert page.text("fallback") == ""
    published = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == published, "the events arrive")
    if transport == "WebSocket":
        assert "sent as #4" in say(browser, page, "hello")


@pytest.mark.long
@pytest.mark.parametrize("auth", ["cookie", "bearer-header"])
@pytest.mark.parametrize("transport", KITS)
def test_a_viewer_is_told_over_each_transport_when_the_sign_in_is_over(kit_of, any_nginx, browser, transport, auth):
    kit = kit_of(KITS[transport], any_nginx, auth=auth)
    page = signed_in(browser, kit)
    is_told_when_the_sign_in_is_over(kit, page)


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1100])
def test_the_page_of_a_two_way_kit_fits_its_window(kit_of, any_nginx, browser, width):
    long = "stock alerts of all warehouses in the northern and the southern region"
    features = [{"name": "order status", "slug": "order-status"}, {"name": long, "slug": "stock-alerts"}]
    kit = kit_of(SOCKET | {"features": features}, any_nginx, without_upgrade)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    )
    page = open_page(browser, kit.url)
    page.wait_for("open")
    say(browser, page, "x" * 300)
    until(lambda: page.text("events") == "1", "the event arrives")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


CROSS = """
const states = [], events = [];
const address = (path) => `${other}/${path}`;
const stream = new EventStream({
  transports: transportsOf(config, address, {}), snapshotUrl: address("snapshot"), healthUrl: address("healthz"),
  heartbeatS: 1, retryMs: 200, retryMaxMs: 200,
  onEvent: ({ data }) => events.push(data), onSnapshot() {}, onState: (state) => states.push(state),
});
const sender = new Sender({
  url: address("send"), headers: {}, source: () => ({}), retryMs: 200, retryMaxMs: 200, onChange() {},
});
stream.start();
await sleep(700);
if (config.two_way) sender.send("order-status", 1);
await sleep(700);
stream.stop();
done({ open: states.includes("open"), events });
"""


@pytest.mark.long
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("transport", often(KITS))
def test_a_page_of_another_origin_reads_and_sends_if_it_is_listed_and_only_then(make_lab, browser, transport, listed):
    page, other = make_lab(run=False), make_lab(run=False, **KITS[transport])
    for kit, origins in ((page, []), (other, [page.direct if listed else "https://app.example.com"])):
        (kit.folder / "settings.json").write_text(json.dumps(kit.settings | {"origins": origins}))
        kit.start_server()
    browser.get(f"{page.direct}/style.css")  # a document without the page's policy, which allows its own origin only
    found = run(browser, CROSS, other=other.direct, config=KITS[transport])
    assert found == {"open": listed, "events": [1] if listed and transport == "WebSocket" else []}
