"""kill -9 of the serving instance again and again behind nginx: the page and independent clients on every transport."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.kit_lab import publish_across_kills, until
from support.pages import run
from support.peer_clients import all_followed, all_get, number, publish_at_once

pytestmark = pytest.mark.lab

# For longer: ADVISOR_KILL_EVENTS=20000 python -m pytest --long -s tests/kit/test_kill.py tests/kit/test_several.py
EVENTS = int(os.environ.get("ADVISOR_KILL_EVENTS", "5000"))
PUBLISHERS = 4
ALL = {
    "transports": ["websocket", "sse", "long-polling", "short-polling"],
    "two_way": True,
    "poll_s": 0.2,
    "history_events": 30_000,
}
PAGE = """
const address = (path) => new URL(path, document.baseURI).href;
const config = await (await fetch(address("config"))).json();
globalThis.seen = {};
for (const name of config.transports) {
  const ids = [];
  const stream = new EventStream({
    transports: transportsOf({ ...config, transports: [name] }, address, {}), snapshotUrl: address("snapshot"),
    heartbeatS: 1, retryMs: config.retry_ms, retryMaxMs: config.retry_max_ms,
    onEvent: ({ id }) => ids.push(id), onSnapshot() {}, onState: (state) => { seen[name].state = state; },
  });
  seen[name] = { ids, counts: stream.counts };
  stream.start();
}
done(true);
"""


def check(got, published):
    """Once they have all come: nothing lost, nothing doubled, in order."""
    all_get(got, published, 60)
    time.sleep(0.2)
    assert [number(name) for name in published] == list(range(1, len(published) + 1)), "a repeated publish is one event"
    for name, client in got.items():
        assert client.ids == published, name
        assert "reset" not in client.names, name
    assert min(got[name].connects for name in ("sse", "websocket")) > 1


@pytest.mark.long
def test_kill_9_in_mid_stream_loses_and_doubles_nothing_on_any_transport(make_lab, nginx):
    kit = make_lab(**ALL)
    kit.start_nginx(nginx)
    with all_followed(kit.url, 1, ALL["poll_s"]) as got:
        check(got, publish_across_kills(kit))
    assert all([p["number"] for p in client.payloads] == list(range(150)) for client in got.values())


@pytest.mark.long
@pytest.mark.timeout(600)
def test_thousands_of_events_across_kill_9_every_few_seconds(make_lab, any_nginx, browser):
    kit = make_lab(**ALL)
    kit.start_nginx(any_nginx)
    browser.get(kit.url)
    run(browser, PAGE)
    ask = "return Object.values(seen).map(({ state, ids }) => [state, ids.at(-1)])"
    until(
        lambda: all(state == "open" for state, _ in browser.execute_script(ask)), "the page is open on all transports"
    )
    with all_followed(kit.url, 1, ALL["poll_s"]) as got, ThreadPoolExecutor(1) as pool:
        began, kills = time.monotonic(), 0
        publishing = pool.submit(publish_at_once, kit, EVENTS, PUBLISHERS)
        while not publishing.done():
            time.sleep(2)
            kit.kill_server()
            time.sleep(0.3)
            kit.start_server()
            kills += 1
        published = publishing.result()
        assert kills >= 3
        print(f"{EVENTS} events in {time.monotonic() - began:.0f} s, {kills} kills")
        check(got, published)
        last = published[-1]
        until(lambda: all(seen == last for _, seen in browser.execute_script(ask)), "the page's last events", 60)
    assert len(published) == EVENTS
    for name, one in browser.execute_script("return seen").items():
        assert one["ids"] == published, name
        assert (one["counts"]["missing"], one["counts"]["resets"]) == (0, 0), name
