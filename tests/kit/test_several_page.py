"""The page in a real Chromium in front of two instances behind a real nginx."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.kit_lab import publish_through, until
from support.pages import open_page
from support.server_instances import PATIENT, behind_nginx

pytestmark = pytest.mark.lab
TITLES = {"websocket": "WebSocket", "sse": "SSE over HTTP/1.1", "long-polling": "long polling over HTTP/1.1"}


@pytest.fixture
def two(make_several, any_nginx):
    """two(transport) -> two instances of a kit behind nginx, whose page uses this transport."""
    several = make_several(run=False, hold_s=3, connect_patience_ms=20_000, **PATIENT)
    stack = contextlib.ExitStack()

    def make(transport):
        file = several.kits[0].folder / "settings.json"  # of both: they share the folder
        file.write_text(json.dumps(several.kits[0].settings | {"transports": [transport]}), encoding="utf-8")
        several.start()
        stack.enter_context(behind_nginx(any_nginx, several.kits, several.kits[0].folder))
        return several.kits

    with stack:
        yield make


def holder(kits):
    """(the instance that the page's stream goes through, the other one)."""
    found = until(lambda: [kit for kit in kits if kit.streams()], "the page has a stream")
    return found[0], next(kit for kit in kits if kit is not found[0])


@pytest.mark.long
@pytest.mark.parametrize(
    "transport", ["sse", *(pytest.param(name, marks=pytest.mark.long) for name in ("websocket", "long-polling"))]
)
def test_the_page_gets_what_either_instance_accepts_and_goes_on_when_one_is_killed(two, browser, transport):
    kits = two(transport)
    page = open_page(browser, kits[0].url)
    page.wait_for("open", 20)
    holds, other = holder(kits)
    published = [kit.publish({"number": n}).json()["id"] for n in range(10) for kit in (other, holds)]
    until(lambda: page.rows() == published, "what either has accepted")
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kits[0], 150, 50)  # through nginx
        for _ in range(2):  # each instance once, while it has the page's stream
            holds, other = holder(kits)
            holds.kill_server()
            until(lambda other=other: other.streams() == 1, "it goes on through the other one", 20)
            page.wait_for("open", 20)
            holds.start_server()
        published += publishing.result()
    until(lambda: page.rows()[-1:] == published[-1:], "the last event arrives", 20)
    assert page.rows() == published
    assert [page.text(name) for name in ("missing", "repeated", "resets")] == ["0", "0", "0"]
    assert page.text("transport") == TITLES[transport]
    assert page.complaints() == []
