"""The kit's page in a real Chromium, through a real nginx."""

from __future__ import annotations

import re
import time

import pytest
from support.kit_lab import TEMPLATES, nginx_conf, nginx_version, publish_across_kills, publish_through, until
from support.pages import is_told_when_the_sign_in_is_over, open_page

pytestmark = pytest.mark.lab

# Runs before the page's own scripts and only looks: it notes each row in the order in which the page adds it.


@pytest.fixture
def kit(make_lab, nginx):
    kit = make_lab()
    kit.start_nginx(nginx)
    return kit


def without_retry_location(kit, binary):
    """The kit's configuration without the lines that turn a 502 into a delay."""
    conf = nginx_conf(nginx_version(binary), kit.settings)
    cut = re.sub(r" *(proxy_intercept_errors|error_page) [^\n]*\n", "", conf)
    assert cut.count("\n") == conf.count("\n") - 2
    return cut


@pytest.mark.long
def test_the_page_shows_each_event_with_its_lag(kit, browser):
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_through(kit, 10, per_s=20)
    kit.publish("<b>bold</b>", slug="stock-alerts")
    until(lambda: page.text("events") == "11", "the page counts eleven events")
    assert page.rows()[:10] == published
    assert page.text("project") == "Acme orders"
    assert page.text("last-id").endswith("-11")
    assert [page.text(name) for name in ("missing", "repeated", "resets", "connects")] == ["0", "0", "0", "1"]
    assert int(re.fullmatch(r"\d+ / (\d+) ms", page.text("lag"))[1]) < 1000
    assert browser.execute_script("return document.querySelectorAll('.log b ~ code b').length") == 0
    assert "<b>bold</b>" in browser.find_element("id", "features").text
    assert page.complaints() == []


@pytest.mark.long
def test_a_page_opened_later_shows_what_happened_before(kit, browser):
    published = publish_through(kit, 5, per_s=50)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    assert page.rows() == published
    assert kit.publish(1).json()["id"] == until(lambda: page.rows()[5:], "the next event")[0]


@pytest.mark.long
def test_the_page_survives_kill_9_without_loss_or_repetition(kit, browser):
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_across_kills(kit, down=page.notices, up=lambda: page.wait_for("open"))
    until(lambda: page.rows()[-1:] == published[-1:], "the last event arrives")
    assert page.rows() == published
    assert page.text("missing") == page.text("resets") == "0"
    assert int(page.text("connects")) >= 3
    assert page.complaints() == []


BARE = """
window.bare = new EventSource("/events");
window.bareIds = [];
bare.addEventListener("order-status", (event) => bareIds.push(event.lastEventId));
"""


@pytest.mark.long
def test_red_control_a_502_ends_a_bare_eventsource_but_not_the_page(make_lab, any_nginx, browser):
    kit = make_lab(heartbeat_s=30)  # so that the watchdog has no part in it
    kit.start_nginx(any_nginx, without_retry_location(kit, any_nginx))
    page = open_page(browser, kit.url)
    page.wait_for("open")
    browser.execute_script(BARE)
    until(lambda: browser.execute_script("return bare.readyState") == 1, "the bare one is open")
    kit.kill_server()
    until(lambda: browser.execute_script("return bare.readyState") == 2, "the 502 has closed the bare one")
    kit.start_server()
    page.wait_for("open")
    published = publish_through(kit, 3, per_s=20)
    until(lambda: page.rows() == published, "the page has the events")
    assert browser.execute_script("return [bare.readyState, bareIds.length]") == [2, 0]


@pytest.mark.long
def test_behind_the_kits_nginx_even_a_bare_eventsource_comes_back(kit, browser):
    page = open_page(browser, kit.url)
    page.wait_for("open")
    browser.execute_script(BARE)
    until(lambda: browser.execute_script("return bare.readyState") == 1, "the bare one is open")
    first = publish_through(kit, 2, per_s=20)
    kit.kill_server()
    time.sleep(1)
    kit.start_server()
    second = publish_through(kit, 2, per_s=20)
    until(lambda: browser.execute_script("return bareIds") == first + second, "the bare one has all events")


@pytest.mark.long
def test_a_page_loaded_while_the_server_is_away_starts_by_itself(kit, browser):
    kit.kill_server()
    page = open_page(browser, kit.url)
    until(lambda: "not connected, trying again" in page.state(), "the page says that it waits")
    command = browser.find_element("id", "test-event")
    assert not command.is_displayed(), "it has nothing to show yet"
    kit.start_server()
    page.wait_for("open")
    assert command.is_displayed()


@pytest.mark.long
def test_a_silent_connection_is_given_up_after_two_and_a_half_heartbeats(make_lab, any_nginx, browser):
    """A server that accepts and then says nothing looks open to an EventSource for ever."""
    kit = make_lab(heartbeat_s=0.5)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    publish_through(kit, 1, 10)
    kit.server.send_signal(19)  # SIGSTOP: connections stay open, nothing moves
    began = time.monotonic()
    until(lambda: page.state() != "open", "the page notices", 5)
    assert time.monotonic() - began < 2.5
    kit.server.send_signal(18)
    page.wait_for("open")
    published = publish_through(kit, 1, 10)
    until(lambda: page.rows()[-1:] == published, "the next event arrives")


@pytest.mark.long
def test_a_reset_shows_the_snapshot_and_goes_on(kit, browser):
    page = open_page(browser, kit.url)
    page.wait_for("open")
    publish_through(kit, 3, per_s=50)
    until(lambda: page.text("events") == "3", "three events")
    kit.close_server()
    for file in (kit.folder / "var").glob("events.sqlite3*"):
        file.unlink()  # a new log: the cursor of the page means nothing to it
    kit.start_server()
    published = publish_through(kit, 2, per_s=50)
    until(lambda: page.text("resets") == "1" and page.text("last-id") == published[-1], "the page has started anew")
    shown = browser.execute_script("return [...document.querySelectorAll('.log li')].map((row) => row.dataset.id)")
    assert shown == published[::-1]


@pytest.mark.long
def test_at_a_deploy_the_page_waits_as_long_as_the_server_has_told_it(make_lab, any_nginx, browser):
    kit = make_lab(retry_ms=3000, retry_max_ms=60_000)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    kit.close_server()
    told = until(lambda: re.fullmatch(r"not connected, trying again in (.+) s", page.state()), "the page is told", 2)
    assert 3 <= float(told[1]) <= 12  # its own first delay would be 1.5 to 3 s


@pytest.mark.long
def test_a_quiet_stream_stays_open_on_heartbeats_alone(make_lab, any_nginx, browser):
    kit = make_lab(heartbeat_s=0.5)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    time.sleep(3)
    assert (page.state(), page.text("connects")) == ("open", "1")


@pytest.mark.long
def test_a_network_that_is_back_ends_the_waiting_at_once(make_lab, any_nginx, browser):
    kit = make_lab(retry_ms=20_000, retry_max_ms=60_000)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("open")
    kit.kill_server()
    until(lambda: "trying again" in page.state(), "the page waits")
    kit.start_server()
    browser.execute_script("dispatchEvent(new Event('online'))")
    page.wait_for("open", 3)


@pytest.mark.long
def test_the_page_keeps_a_bounded_number_of_rows(make_lab, browser):
    kit = make_lab()
    page = open_page(browser, kit.url)
    page.wait_for("open")
    published = publish_through(kit, 130, per_s=1000)
    until(lambda: page.text("events") == "130", "all events")
    assert page.rows() == published
    assert browser.execute_script("return document.querySelectorAll('.log li').length") == 100


@pytest.mark.long
@pytest.mark.parametrize("auth", ["cookie", "bearer-header"])
def test_a_viewer_signs_in_and_reads(make_lab, any_nginx, browser, auth):
    kit = make_lab(auth=auth)
    kit.start_nginx(any_nginx)
    page = open_page(browser, kit.url)
    page.wait_for("sign in to read")
    field = browser.find_element("id", "key")
    assert field == browser.switch_to.active_element
    field.send_keys("wrong\n")
    page.wait_for("the key is wrong: try again")
    field.send_keys((kit.folder / "var/viewer-key").read_text().strip() + "\n")
    page.wait_for("open")
    first = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == first, "the events arrive")
    kit.kill_server()
    until(lambda: page.state() != "open", "the page notices")
    kit.start_server()
    page.wait_for("open")
    second = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows() == first + second, "the later events arrive")
    assert not browser.find_element("id", "sign-in").is_displayed()
    is_told_when_the_sign_in_is_over(kit, page)


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    wide = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(wide[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_what_is_read_or_operated_stands_out_from_what_is_behind_it(scheme):
    css = (TEMPLATES / "client/browser/client/style.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--(\w+): light-dark\(#(\w+), #(\w+)\)", css)
    shades = {name: luminance(pair[scheme]) for name, *pair in pairs}

    def contrast(*names):
        low, high = sorted(shades[name] for name in names)
        return (high + 0.05) / (low + 0.05)

    for behind in ("back", "card"):
        assert {name: round(ratio, 1) for name in ("text", "soft", "good", "wait", "bad")
                if (ratio := contrast(name, behind)) < 4.5} == {}  # fmt: skip
        assert contrast("edge", behind) >= 3


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1100])
def test_nothing_sticks_out_of_the_window(kit, browser, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    )
    page = open_page(browser, kit.url)
    page.wait_for("open")
    kit.publish({"text": "long " * 50, "word": "x" * 300})
    until(lambda: page.text("events") == "1", "the event arrives")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
