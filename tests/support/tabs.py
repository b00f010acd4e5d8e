"""Several tabs of one browser on one page, and which of them holds the connection."""

from __future__ import annotations

from support.kit_lab import until
from support.pages import open_page

SSE = {"transports": ["sse"], "connect_patience_ms": 20_000}


class Tabs:
    """The page in several tabs; `at(n)` brings one to the front and returns it."""

    def __init__(self, browser, url):
        self.browser = browser
        self.url = url
        self.handles = []
        self.page = None

    def open(self, count):
        for _ in range(count):
            if self.handles:
                self.browser.switch_to.new_window("tab")
            self.handles.append(self.browser.current_window_handle)
            self.page = open_page(self.browser, self.url)
        return self

    def at(self, number):
        self.browser.switch_to.window(self.handles[number])
        return self.page

    def close(self, number):
        self.at(number)
        self.browser.close()
        del self.handles[number]
        self.browser.switch_to.window(self.handles[0])

    def each(self, check):
        return [check(self.at(number)) for number in range(len(self.handles))]

    def wait_for(self, what, true, seconds=20):
        """Until it holds in every tab."""
        self.each(lambda page: until(lambda: true(page), f"in each tab: {what}", seconds))

    def all_open(self):
        self.wait_for("open", lambda page: page.state() == "open")

    def have(self, published, **counts):
        """Every tab has shown exactly these, in this order, and nothing was missing or repeated."""
        self.wait_for("the last event", lambda page: page.rows()[-1:] == published[-1:])
        for rows in self.each(lambda page: page.rows()):
            assert rows == published
        for name in ("missing", "repeated", "resets"):
            assert self.each(lambda page, name=name: page.text(name)) == [str(counts.get(name, 0))] * len(self.handles)

    def fetch_answers(self):
        """An ordinary request of the page in front is answered."""
        self.browser.set_script_timeout(10)
        return self.browser.execute_async_script("""
          const done = arguments[0];
          fetch("healthz", { cache: "no-store", signal: AbortSignal.timeout(5000) })
            .then((response) => done(response.status)).catch((error) => done(error.name));
        """)
