"""Text that breaks readers of lines or of JSON, published and read back through each of the page's sources."""

from __future__ import annotations

import json

import httpx
import pytest
from support.kit_lab import publish_through, until
from support.pages import open_page, run, signed_in

pytestmark = pytest.mark.lab

TEXTS = [
    "line separator \u2028 paragraph separator \u2029 next line \u0085",
    "vertical tab \x0b form feed \x0c file separator \x1c \x1d \x1e",
    "\u2028", "\u2029\u2029", "\x0b\x0c\u0085",
    "nul \x00 delete \x7f escape \x1b c1 \x9b backspace \x08",
    "\ufeffBOM at the start, inside \ufeff and at the end \ufeff",
    "emoji \U0001f600 family \U0001f468\u200d\U0001f469\u200d\U0001f467 flag \U0001f1e9\U0001f1ea",
    "cr \r lf \n crlf \r\n\r\n data: x\n\nevent: reset\nid: 666\n\n",
    "written like escapes \\u2028 \\ud800 \\n \\x00 \\\\",
    "not a character \uffff \ufffe replaced \ufffd bidi \u202e end",
    '"quotes" \\ back \\" both {[ ]}', "", " ", "x" * 20_000 + "\u2028",
]  # fmt: skip
SOURCES = {
    "EventSource": {"transports": ["sse"]},
    "fetch-source": {"transports": ["sse"], "auth": "bearer-header"},
    "WebSocket": {"transports": ["websocket"], "two_way": True},
    "WebSocket with a ticket": {"transports": ["websocket"], "auth": "bearer-header"},
    "long polling": {"transports": ["long-polling"]},
    "short polling": {"transports": ["short-polling"], "poll_s": 0.3},
}
READ = """
const address = (path) => new URL(path, document.baseURI).href;
const states = [], events = [], snapshots = [];
const stream = new EventStream({
  transports: transportsOf(config, address, headers), snapshotUrl: address("snapshot"), healthUrl: address("healthz"),
  headers, heartbeatS: 1, retryMs: 200, retryMaxMs: 2000,
  onEvent: ({ data }) => events.push(data), onState: (state) => states.push(state),
  onSnapshot: ({ events }) => snapshots.push(...events["order-status"].map(({ data }) => data)),
});
globalThis.seen = { events, snapshots, states, counts: stream.counts };
stream.start();
done(true);
"""


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
def test_hostile_text_comes_back_as_it_was_through_every_source(make_lab, browser, source):
    kit = make_lab(**SOURCES[source])
    payloads = [{text: [text]} for text in TEXTS]
    for payload in payloads[:5]:
        assert kit.publish(payload).status_code == 201
    key = (kit.folder / "var/viewer-key").read_text().strip() if "auth" in SOURCES[source] else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    browser.get(f"{kit.url}/style.css")
    run(browser, READ, config=kit.http.get(f"{kit.url}/config").json(), headers=headers)
    until(lambda: browser.execute_script("return seen.states.at(-1)") == "open", "it is open")
    for payload in payloads:
        assert kit.publish(payload).status_code == 201
    until(lambda: browser.execute_script("return seen.events.length") == len(payloads), "all arrive")
    seen = browser.execute_script("return JSON.stringify(seen)")
    found = json.loads(seen)
    assert found["snapshots"] == payloads[:5]
    assert found["events"] == payloads
    assert found["counts"] == {"connects": 1, "events": len(payloads), "missing": 0, "repeated": 0, "resets": 0}


@pytest.mark.long
@pytest.mark.parametrize("source", ["EventSource", "fetch-source", "long polling"])
def test_what_an_older_server_kept_unescaped_is_read_too(make_lab, browser, source):
    """Such a log has the line ends of Unicode as they are, and they go out as they are."""
    kit = make_lab(run=False, **SOURCES[source])
    publish = kit.folder / "server/publish.py"
    program = publish.read_text(encoding="utf-8")
    publish.write_text(program.replace("    for raw, escaped in LINE_ENDS.items():", "    for raw, escaped in ():"))
    assert publish.read_text() != program
    kit.start_server()
    key = (kit.folder / "var/viewer-key").read_text().strip() if "auth" in SOURCES[source] else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    browser.get(f"{kit.url}/style.css")
    run(browser, READ, config=kit.http.get(f"{kit.url}/config").json(), headers=headers)
    until(lambda: browser.execute_script("return seen.states.at(-1)") == "open", "it is open")
    for text in TEXTS:
        assert kit.publish(text).status_code == 201
    until(lambda: browser.execute_script("return seen.events.length") == len(TEXTS), "all arrive")
    assert json.loads(browser.execute_script("return JSON.stringify(seen.events)")) == TEXTS
    assert browser.execute_script("return seen.counts.connects") == 1


@pytest.mark.long
def test_the_page_of_a_viewer_with_a_header_shows_what_comes_after_a_line_separator(make_lab, browser):
    kit = make_lab(transports=["sse", "long-polling"], auth="bearer-header")
    page = signed_in(browser, kit)
    published = [kit.publish(text).json()["id"] for text in ("one", "two\u2028lines", "three")]
    published += publish_through(kit, 2, per_s=50)
    until(lambda: page.rows() == published, "all five are shown")
    assert [page.text(name) for name in ("missing", "repeated", "resets", "connects")] == ["0", "0", "0", "1"]
    assert page.complaints() == []


@pytest.mark.long
def test_half_a_surrogate_pair_is_refused_and_the_pages_stay(make_lab, browser):
    kit = make_lab()
    page = open_page(browser, kit.url)
    page.wait_for("open")
    headers = {"authorization": f"Bearer {kit.token}", "content-type": "application/json"}
    for half in ('"\\ud800"', '"\\udc00\\ud800"', '{"\\ud83d":1}'):
        body = '{"type":"order-status","data":' + half + "}"
        assert httpx.post(f"{kit.direct}/publish", headers=headers, content=body).status_code == 400
    (made,) = publish_through(kit, 1, per_s=50)
    until(lambda: page.rows() == [made], "the event after them is shown")
