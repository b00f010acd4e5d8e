"""Many tabs of the page in one Chromium: over HTTP/1.1 they share one connection, over HTTP/2 each has its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from selenium.common.exceptions import WebDriverException
from support.kit_lab import publish_across_kills, publish_through, until
from support.pages import open_page, run
from support.tabs import SSE, Tabs

pytestmark = pytest.mark.lab

MANY = 8  # two more than a browser opens connections to an origin
# A slow machine may take seconds to start a worker or a server; nothing here is about that.
LONG = {"transports": ["long-polling"], "hold_s": 3, "connect_patience_ms": 20_000}
KITS = {"SSE": SSE, "long polling": LONG}
ALSO_LONG = [pytest.param("SSE"), pytest.param("long polling", marks=pytest.mark.long)]


@pytest.fixture
def tabs_of(make_lab, any_nginx, browser):
    """tabs_of(settings, count) -> (kit behind nginx, tabs that are open)."""

    def make(settings, count):
        kit = make_lab(**settings)
        kit.start_nginx(any_nginx)
        tabs = Tabs(browser, kit.url).open(count)
        tabs.all_open()
        return kit, tabs

    return make


@pytest.mark.long
@pytest.mark.parametrize("transport", ALSO_LONG)
def test_eight_tabs_over_http_1_share_one_connection_and_get_every_event(tabs_of, transport):
    kit, tabs = tabs_of(KITS[transport], MANY)
    assert kit.streams() == 1
    published = publish_through(kit, 20, per_s=50)
    tabs.have(published)
    assert tabs.each(lambda _: tabs.fetch_answers()) == [200] * MANY
    shown = f"{transport} over HTTP/1.1, shared by {MANY} tabs"
    tabs.wait_for("it says so", lambda page: page.text("transport") == shown)
    assert tabs.each(lambda page: page.text("fallback")) == [""] * MANY
    assert tabs.page.complaints() == []


@pytest.mark.long
def test_red_control_without_sharing_the_seventh_tab_does_not_even_load(make_lab, any_nginx, browser):
    kit = make_lab(**SSE)
    kit.start_nginx(any_nginx)
    tabs = Tabs(browser, kit.url)
    for number in range(6):
        if number:
            browser.switch_to.new_window("tab")
        tabs.handles.append(browser.current_window_handle)
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete globalThis.SharedWorker;"})
        tabs.page = open_page(browser, kit.url)
        tabs.page.wait_for("open", 20)
    assert kit.streams() == 6
    assert tabs.page.text("transport") == "SSE over HTTP/1.1"
    assert tabs.page.text("fallback").startswith("This browser has no SharedWorker. So this tab has its own connection")
    assert tabs.fetch_answers() == "TimeoutError"
    tabs.close(0)
    assert tabs.fetch_answers() == 200


@pytest.mark.long
@pytest.mark.parametrize("transport", KITS)
def test_closing_any_tab_loses_nothing_in_the_others(tabs_of, transport):
    kit, tabs = tabs_of(KITS[transport], 3)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kit, 150, 50)
        for _ in range(2):  # the first is the one that has started the worker
            time.sleep(0.8)
            tabs.close(0)
        published = publishing.result()
    tabs.have(published)
    assert tabs.page.text("connects") == "1"
    until(lambda: tabs.page.text("transport") == f"{transport} over HTTP/1.1", "it is alone and says nothing of others")
    assert kit.streams() <= 1


def end_worker(browser):
    """What a browser does that needs memory."""
    filtered = {"filter": [{"type": "shared_worker"}]}
    found = browser.execute_cdp_cmd("Target.getTargets", filtered)["targetInfos"]
    for target in found:
        browser.execute_cdp_cmd("Target.closeTarget", {"targetId": target["targetId"]})
    return len(found)


# Over long polling a tab notices after 12 s, over SSE after two and a half heartbeats.
@pytest.mark.long
@pytest.mark.parametrize("transport", KITS)
def test_a_worker_that_the_browser_ends_is_replaced_and_nothing_is_lost(tabs_of, transport):
    kit, tabs = tabs_of(KITS[transport], 3)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kit, 150, 50)
        time.sleep(0.8)
        assert end_worker(tabs.browser) == 1
        published = publishing.result()
    tabs.have(published)
    assert tabs.each(lambda page: int(page.text("connects")) >= 2) == [True] * 3
    tabs.wait_for("shared", lambda page: page.text("transport") == f"{transport} over HTTP/1.1, shared by 3 tabs")


@pytest.mark.long
@pytest.mark.parametrize("transport", KITS)
def test_a_tab_that_crashes_takes_no_other_with_it(tabs_of, transport):
    kit, tabs = tabs_of(KITS[transport], 3)
    tabs.at(0)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kit, 100, 50)
        time.sleep(0.8)
        with pytest.raises(WebDriverException):
            tabs.browser.get("chrome://crash")
        published = publishing.result()
    del tabs.handles[0]
    tabs.have(published)
    tabs.wait_for("shared", lambda page: page.text("transport") == f"{transport} over HTTP/1.1, shared by 2 tabs", 30)


@pytest.mark.long
@pytest.mark.parametrize("transport", KITS)
def test_kill_9_of_the_server_loses_and_doubles_nothing_in_any_tab(tabs_of, transport):
    kit, tabs = tabs_of(KITS[transport], 3)
    published = publish_across_kills(kit, down=tabs.page.notices, up=lambda: tabs.page.wait_for("open"))
    tabs.have(published)
    tabs.all_open()
    until(lambda: kit.streams() == 1, "still one connection")


def lifecycle(browser, state):
    browser.execute_cdp_cmd("Page.setWebLifecycleState", {"state": state})


@pytest.mark.long
@pytest.mark.parametrize(
    "count",
    [pytest.param(20, id="a little"), pytest.param(1500, id="more than the worker keeps", marks=pytest.mark.long)],
)
def test_a_tab_that_has_slept_gets_what_it_has_missed_and_the_others_nothing_twice(tabs_of, count):
    kit, tabs = tabs_of(SSE, 3)
    early = publish_through(kit, 5, per_s=50)
    tabs.have(early)
    tabs.at(1)
    lifecycle(tabs.browser, "frozen")
    tabs.at(0)
    until(lambda: tabs.page.text("transport") == "SSE over HTTP/1.1, shared by 2 tabs", "two are left")
    published = early + publish_through(kit, count, per_s=2000)
    until(lambda: tabs.page.text("last-id") == published[-1], "the tab in front has them")
    tabs.at(1)
    lifecycle(tabs.browser, "active")
    published += publish_through(kit, 5, per_s=50)
    tabs.have(published)
    assert kit.streams() == 1


@pytest.mark.long
def test_a_new_log_resets_every_tab_once(tabs_of):
    kit, tabs = tabs_of(SSE, 3)
    tabs.have(publish_through(kit, 3, per_s=50))
    kit.close_server()
    for file in (kit.folder / "var").glob("events.sqlite3*"):
        file.unlink()
    kit.start_server()
    published = publish_through(kit, 2, per_s=50)
    tabs.wait_for("started anew", lambda page: page.text("resets") == "1" and page.text("last-id") == published[-1])
    assert tabs.each(lambda page: page.text("missing") + page.text("repeated")) == ["00"] * 3
    until(lambda: kit.streams() == 1, "one connection")


@pytest.mark.long
def test_tabs_share_over_plain_http_although_web_locks_are_missing(make_lab, any_nginx, browser):
    kit = make_lab(**SSE)
    kit.start_nginx(any_nginx)
    tabs = Tabs(browser, kit.url.replace("127.0.0.1", "kit.example")).open(3)
    tabs.all_open()
    assert browser.execute_script("return [isSecureContext, 'locks' in navigator]") == [False, False]
    tabs.have(publish_through(kit, 5, per_s=50))
    assert kit.streams() == 1


@pytest.mark.long
def test_a_worker_that_does_not_start_is_replaced_by_an_own_connection(make_lab, browser):
    kit = make_lab(**SSE, run=False)
    (kit.folder / "client/shared-worker.js").unlink()
    kit.start_server()
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == published, "the events arrive")
    assert page.text("transport") == "SSE over HTTP/1.1"
    assert page.text("fallback").startswith("The shared worker does not start. So this tab has its own connection")


@pytest.mark.long
def test_a_page_that_comes_back_from_the_cache_goes_on_from_its_cursor(tabs_of):
    kit, tabs = tabs_of(SSE, 2)
    early = publish_through(kit, 3, per_s=50)
    tabs.have(early)
    page = tabs.at(0)
    tabs.browser.execute_script("addEventListener('pageshow', (event) => (window.kept = event.persisted))")
    tabs.browser.get(f"{kit.direct}/style.css")
    until(lambda: tabs.at(1).text("transport") == "SSE over HTTP/1.1", "the other one is alone")
    later = publish_through(kit, 5, per_s=50)
    tabs.at(0)
    tabs.browser.back()
    page.wait_for("open")
    until(lambda: page.rows()[-1:] == later[-1:], "the last event")
    assert tabs.browser.execute_script("return window.kept") is True
    assert page.rows() == early + later
    assert page.text("missing") + page.text("repeated") == "00"
    assert kit.streams() == 1


MIXED = """
const address = (path) => new URL(path, document.baseURI).href;
const config = await (await fetch(address("config"))).json();
const open = (viewer, more = {}) => new Promise((opened) => {
  const options = { transport: "sse", config: { ...config, ...more }, headers: {}, viewer, quietS: 30, onTabs() {} };
  const source = new SharedSource(`${address("events")}?cursor=`, options);
  source.addEventListener("hello", () => opened(source));
});
const streams = async () => (await (await fetch(address("healthz"))).json()).streams;
const counts = [];
for (const how of [["a"], ["a"], ["b"], ["a", { heartbeat_s: 9 }]]) {
  await open(...how);
  counts.push(await streams());
}
done(counts);
"""


@pytest.mark.long
def test_tabs_of_other_viewers_or_another_config_have_a_connection_of_their_own(make_lab, browser):
    browser.get(make_lab(**SSE).url + "/style.css")
    assert run(browser, MIXED) == [1, 1, 2, 3]
