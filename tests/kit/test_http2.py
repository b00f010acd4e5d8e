"""Chromium and many streams of one origin: over HTTP/2 all open, over HTTP/1.1 six do and nothing else loads."""

from __future__ import annotations

import pytest
from support import nginx_lab
from support.hand_made_kits import conf
from support.kit_lab import nginx_version, publish_through
from support.pages import run
from support.tabs import SSE, Tabs

pytestmark = pytest.mark.lab

STREAMS = 7  # one more than a browser opens connections to an origin
WITHIN_MS = 5000  # they take less than 500 ms on a quiet machine; the other way never ends

OPENED = """
const address = (path) => new URL(path, document.baseURI).href;
const began = performance.now();
const since = () => Math.round(performance.now() - began);
const streams = Array.from({ length: count }, () => new EventSource(address("events")));
const greeting = (stream) => new Promise((resolve) => stream.addEventListener("hello", () => resolve(since())));
const late = sleep(withinMs).then(() => null);
const opened = await Promise.all(streams.map((stream) => Promise.race([greeting(stream), late])));
const asked = performance.now();
const status = await fetch(address("healthz"), { cache: "no-store", signal: AbortSignal.timeout(withinMs) })
  .then((response) => response.status).catch((error) => error.name);
const answered = Math.round(performance.now() - asked);
const { nextHopProtocol } = performance.getEntriesByName(document.baseURI).at(-1);
streams.forEach((stream) => stream.close());
done({ opened, status, answered, protocol: nextHopProtocol });
"""


@pytest.fixture
def secure(make_lab, nginx):
    """(kit, its address over TLS) behind its nginx for production."""
    kit = make_lab(**SSE)
    nginx_lab.certificate(kit.folder)
    text = conf("nginx-tls", nginx_version=nginx_version(nginx), patterns=("sse",))
    with nginx_lab.running(nginx, text, kit.folder, kit.port) as tls:
        yield kit, f"https://127.0.0.1:{tls.port}"


@pytest.mark.long
def test_seven_streams_open_over_http_2_and_a_fetch_still_answers(secure, browser):
    _, url = secure
    browser.get(f"{url}/style.css")  # a document without a stream of its own
    found = run(browser, OPENED, count=STREAMS, withinMs=WITHIN_MS)
    print(found)  # the figures: pytest -s
    assert (found["protocol"], found["status"]) == ("h2", 200)
    assert None not in found["opened"]


@pytest.mark.long
def test_red_control_over_http_1_the_seventh_does_not_open_and_a_fetch_hangs(make_lab, any_nginx, browser):
    kit = make_lab(**SSE)
    kit.start_nginx(any_nginx)
    browser.get(f"{kit.url}/style.css")
    found = run(browser, OPENED, count=STREAMS, withinMs=1500)
    assert (found["protocol"], found["status"]) == ("http/1.1", "TimeoutError")
    assert found["opened"].count(None) >= 1


@pytest.mark.long
def test_seven_tabs_over_http_2_have_a_stream_each_and_get_every_event(secure, browser):
    kit, url = secure
    tabs = Tabs(browser, url).open(STREAMS)
    tabs.all_open()
    assert kit.streams() == STREAMS
    tabs.have(publish_through(kit, 10, per_s=50))
    assert tabs.each(lambda page: page.text("transport")) == ["SSE over HTTP/2"] * STREAMS
    assert tabs.each(lambda page: page.text("fallback")) == [""] * STREAMS
    assert tabs.fetch_answers() == 200
