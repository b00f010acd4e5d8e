"""The kit's page in a real browser: what it shows, and its modules called from a test."""

from __future__ import annotations

import json
import time

from support.kit_lab import publish_through, until

WATCH_ROWS = """
window.seenRows = [];
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes)
    if (node.dataset?.id) window.seenRows.push(node.dataset.id);
}).observe(document, { childList: true, subtree: true });
"""


def open_page(browser, url):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH_ROWS})
    browser.get(url)
    return Page(browser)


class Page:
    def __init__(self, browser):
        self.browser = browser

    def state(self):
        return self.text("state")

    def text(self, name):
        return self.browser.execute_script("return document.getElementById(arguments[0])?.textContent", name)

    def rows(self):
        return self.browser.execute_script("return window.seenRows")

    def wait_for(self, state, seconds=15):
        until(lambda: self.state() == state, f"the page is {state}", seconds)

    def notices(self):
        """Wait until it says that the stream is gone, and let it try in vain for a while."""
        until(lambda: self.state() != "open", "the page notices")
        time.sleep(0.8)

    def complaints(self):
        """What the page's own scripts logged or failed with; the browser's reports about requests do not count."""
        return [entry for entry in self.browser.get_log("browser") if entry["source"] != "network"]


def is_told_when_the_sign_in_is_over(kit, page):
    """What counted as a sign-in no longer does; the page says so, and reads again after another one."""
    kit.kill_server()
    (kit.folder / "var/viewer-key").write_text("another-key-for-viewers\n")
    kit.start_server()
    page.wait_for("your sign-in is over: sign in again")
    connects = page.text("connects")
    time.sleep(1.5)  # longer than any delay here
    assert (page.state(), page.text("connects")) == ("your sign-in is over: sign in again", connects)
    assert page.browser.find_element("id", "sign-in").is_displayed()
    assert page.text("transport") == "-"
    page.browser.find_element("id", "key").send_keys("another-key-for-viewers\n")
    page.wait_for("open")
    published = publish_through(kit, 3, per_s=50)
    until(lambda: page.rows()[-3:] == published, "the events after it arrive")


def signed_in(browser, kit):
    """The kit's page after its viewer has given the key."""
    page = open_page(browser, kit.url)
    page.wait_for("sign in to read")
    browser.find_element("id", "key").send_keys((kit.folder / "var/viewer-key").read_text().strip() + "\n")
    page.wait_for("open")
    return page


def run(browser, script, **values):
    """Run a script that calls done(value) with the page's modules loaded and `values` as constants."""
    constants = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
    failed, value = browser.execute_async_script(f"""
      const finish = arguments[arguments.length - 1];
      const done = (value) => finish([false, value]);
      const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      {constants}
      const modules = ["stream", "transports", "poll-source", "sender", "shared-source", "fetch-source"];
      Promise.all(modules.map((name) => import(new URL(`${{name}}.js`, document.baseURI)))).then(
        async (found) => {{
          const all = Object.assign({{}}, ...found);
          const {{ EventStream, transportsOf, FetchSource, PollSource, Sender, SharedSource }} = all;
          {script}
        }},
      ).catch((error) => finish([true, error.stack]));
    """)
    assert not failed, value
    return value
