"""What fetch-source.js makes of any bytes is what the browser's own EventSource makes of them."""

from __future__ import annotations

import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.kit_lab import TEMPLATES

pytestmark = pytest.mark.lab

TOKENS = [
    b"data", b"event", b"id", b"retry", b"data: ", b"event: ", b"id: ", b"data\n", b":", b": ", b" ", b"\n", b"\r",
    b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"x", b"7", b"message", b"hello", b"\x00", b"\x0b", b"\x0c", b"\x1c", b"\t",
    *(text.encode() for text in ("\u0085", "\u2028", "\u2029", "\ufeff", "\U0001f600", "\u00e9")),
    b"\xff", b"\xe2\x80", b"\xf0\x9f", b"\xed\xa0\x80",  # no UTF-8
]  # fmt: skip
SOUP = st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join)
VALUE = st.lists(st.sampled_from([b"a", b" ", b":", *TOKENS[21:]]), max_size=6).map(b"".join)
LINE = st.tuples(
    st.sampled_from([b"data", b"event", b"id", b"", b"retry", b"Data", b"data "]),
    st.sampled_from([b"", b":", b": ", b":  "]),
    VALUE,
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
).map(b"".join)
END = st.sampled_from([b"\n", b"\r", b"\r\n"])
DATA = st.tuples(st.sampled_from([b"data", b"data:", b"data: "]), VALUE, END).map(b"".join)
EVENT = st.tuples(st.lists(LINE, max_size=3).map(b"".join), DATA, st.lists(LINE, max_size=2).map(b"".join), END).map(
    b"".join
)
BLOCKS = st.lists(EVENT | EVENT | LINE | END, max_size=8).map(b"".join)
BOM = b"\xef\xbb\xbf"


def after_bom(stream):
    """Chromium 156 loses the line after a BOM and a line end; the standard does not. So a comment comes between."""
    return stream[:3] + b":" + stream[3:] if stream.startswith((BOM + b"\n", BOM + b"\r")) else stream


STREAM = (
    st.tuples(st.sampled_from([b"", BOM, BOM * 2]), SOUP | BLOCKS, st.sampled_from([b"", b"\n\n"]))
    .map(b"".join)
    .map(after_bom)
)

# Each stream is given to both: to EventSource by a server, to FetchSource in pieces that are cut where the test says.
BOTH = """
const [streams, done] = arguments;
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
import("/fetch-source.js").then(async ({ FetchSource }) => {
  const found = [];
  for (const { at, pieces } of streams) {
    const parts = pieces.map(bytesOf);
    globalThis.fetch = async () => new Response(new ReadableStream({
      async start(control) {
        for (const part of parts) { control.enqueue(part); await Promise.resolve(); }
        control.close();
      },
    }));
    const ours = [];
    await new Promise((resolve) => {
      const source = new FetchSource("x", {});
      source.dispatchEvent = ({ type, data, lastEventId }) => ours.push([type, data, lastEventId]);
      source.onerror = resolve;
    });
    const text = await new Response(new Blob(parts)).text();
    const names = new Set(["message", ...ours.map(([type]) => type)]);
    for (const line of text.split(/[\\r\\n]/)) {
      if (line.startsWith("event:")) names.add(line.slice(6)).add(line.slice(7));
    }
    const theirs = [];
    await new Promise((resolve) => {
      const source = new EventSource(`/stream/${at}`);
      names.delete("error"); names.delete("open"); names.delete("");
      for (const name of names) {
        source.addEventListener(name, ({ type, data, lastEventId }) => theirs.push([type, data, lastEventId]));
      }
      source.onerror = () => { source.close(); resolve(); };
    });
    found.push([ours, theirs]);
  }
  done(found);
}).catch((error) => done(error.stack));
"""


@pytest.fixture
def played(browser):
    """played([(bytes, cuts)]) -> [(what FetchSource says, what EventSource says)]."""
    streams = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path.startswith("/stream/"):
                body, kind = streams[int(self.path.rpartition("/")[2])], "text/event-stream"
            elif self.path == "/fetch-source.js":
                body, kind = (TEMPLATES / "client/browser/client/fetch-source.js").read_bytes(), "text/javascript"
            else:
                body, kind = b"<!doctype html>", "text/html"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def play(wanted):
        first = len(streams)
        streams.extend(body for body, _ in wanted)
        told = []
        for at, (body, cuts) in enumerate(wanted, first):
            edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
            pieces = [b64encode(body[start:end]).decode() for start, end in pairwise(edges)]
            told.append({"at": at, "pieces": pieces})
        found = browser.execute_async_script(BOTH, told)
        assert isinstance(found, list), found
        return found

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        browser.get(f"http://127.0.0.1:{server.server_address[1]}/")
        try:
            yield play
        finally:
            server.shutdown()
            thread.join()


EVERY = list(range(200))  # cut between all bytes
HOSTILE = [
    "data: a\u2028b\u2029c\u0085d\x0be\x0cf\n\n",
    "event: na\u2028me\ndata: 1\n\ndata: 2\n\n",
    "event\ndata: bare\n\nevent:\ndata: empty\n\n",
    "\ufeffdata: after a BOM\n\n\ufeffdata: inside\n\n",
    "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\nid: 3\n\ndata: d\n\n",
    "data: a\r\rdata: b\r\n\r\ndata: c\r\n\ndata: d\n\r\ndata: e\r\n\r\n",
    "data\n\ndata\ndata\n\ndata:\n\ndata: x\n\n",
    "data:  two spaces\n\ndata:none\n\ndata:\ttab\n\ndata :no\n\n",
    ":comment\ndata: x\n:\n: \nretry: 1\n\n",
    "event: x\n\ndata: the type before was forgotten\n\n",
    "data: never ended\n",
    "data: \U0001f600\u00e9\U0001f468\u200d\U0001f469\n\n",
]


@pytest.mark.long
def test_hostile_streams_cut_anywhere_are_read_as_eventsource_reads_them(played):
    streams = [(text.encode(), cuts) for text in HOSTILE for cuts in ([], EVERY)]
    found = played(streams)
    for (body, _), (ours, theirs) in zip(streams, found, strict=True):
        assert ours == theirs, body
    assert found[0][1] == [["message", "a\u2028b\u2029c\u0085d\x0be\x0cf", ""]]  # the oracle itself
    assert sum(len(theirs) for _, theirs in found) > 40


@pytest.mark.long
def test_any_stream_cut_anywhere_is_read_like_eventsource_reads_it(played):
    seen = []

    @settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(STREAM, st.lists(st.integers(0, 300), max_size=8)), min_size=1, max_size=10))
    @example([(b"data: x\r", [7]), (b"data: x\r\n\r", [8, 9])])
    def check(streams):
        for (body, cuts), (ours, theirs) in zip(streams, played(streams), strict=True):
            assert ours == theirs, (body, cuts)
            seen.append(len(theirs))

    check()
    assert len(seen) > 200
    assert sum(seen) > 100  # else the streams would say nothing
