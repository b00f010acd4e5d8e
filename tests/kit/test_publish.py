"""The publish examples, each run by its own language against the real event server, over a way that fails at first."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.kit_lab import TEMPLATES, free_port

from advisor.kit import manifest

EXAMPLES = {option.name: option for option in manifest.load(TEMPLATES)["publish"]}
DATA = '{"text": "Gr\\u00fc\\u00dfe \\u4e2d \\"quoted\\"", "n": [1, 2.5, null]}'
RUN = {  # how each is run, from the kit's folder; None: no toolchain for it on the machines that run these tests
    "python": ["python3", "publish/publish.py"],
    "node": ["node", "publish/publish.mjs"],
    "go": ["go", "run", "publish/publish.go"],
    "java": ["java", "publish/Publish.java"],
    "ruby": ["ruby", "publish/publish.rb"],
    "php": ["php", "publish/publish.php"],
    "elixir": ["elixir", "publish/publish.exs"],
    "rust": ["cargo", "run", "--quiet", "--no-default-features", "--manifest-path", "publish/Cargo.toml", "--"],
    "http": ["sh", "publish/publish.sh"],
    "dotnet": None,
}
SLOW = {"rust": [pytest.mark.long]}  # it fetches and builds its client first
RUNNABLE = [pytest.param(name, marks=SLOW.get(name, [])) for name, command in RUN.items() if command]
pytestmark = pytest.mark.timeout(600)  # a first `go run` compiles the standard library


class Way(http.server.ThreadingHTTPServer):
    """Between the example and the event server: answers the first requests itself, and keeps what it has seen."""

    def __init__(self, port, to, first):
        self.to, self.first, self.seen = to, list(first), []
        super().__init__(("127.0.0.1", port), Passing)


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((time.monotonic(), dict(self.headers), body))
        how = self.server.first.pop(0) if self.server.first else "pass"
        if how in {"pass", "pass and say nothing"}:
            onward = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=10)
            onward.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "host"})
            answer = onward.getresponse()
            status, text = answer.status, answer.read()
            onward.close()
            if how == "pass and say nothing":  # it was stored, and the answer is lost
                self.close_connection = True
                self.connection.close()
                return
        else:
            status, text = how, b"not now"
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def kit(make_lab):
    lab = make_lab(auth="none", transports=["sse"])
    for name, option in EXAMPLES.items():
        for file in option.files:
            place = lab.folder / name / file.to
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.source, place)
    return lab


def published(kit, language, key, *, port, token=None):
    """(exit code, output) of the example."""
    program = shutil.which(RUN[language][0])
    environment = os.environ | {
        "PUBLISH_URL": f"http://127.0.0.1:{port}/publish", "PUBLISH_TOKEN": token or kit.token,
        "CARGO_TARGET_DIR": str(Path(tempfile.gettempdir()) / "advisor-publish-example"),
    }  # fmt: skip
    command = [program, *RUN[language][1:], "order-status", DATA, key]
    ran = subprocess.run(
        command, cwd=kit.folder / language, env=environment, capture_output=True, text=True, check=False, timeout=500
    )
    return ran.returncode, ran.stdout + ran.stderr


def stored(kit):
    return kit.http.get(f"{kit.direct}/snapshot").json()["events"]["order-status"]


def needs(language):
    if not shutil.which(RUN[language][0]):
        pytest.skip(f"no {RUN[language][0]} here")


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.parametrize("language", RUNNABLE)
def test_an_event_is_stored_once_across_refusals_lost_answers_and_repetitions(language, kit):
    needs(language)
    port = free_port()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(published, kit, language, "order-17-shipped", port=port)
        time.sleep(1)  # nothing listens there yet: no connection (unless the language takes longer to start)
        way = Way(port, kit.port, ["pass and say nothing", 503, 502])
        thread = threading.Thread(target=way.serve_forever)
        thread.start()
        try:
            code, said = running.result()
            assert (code, len(way.seen)) == (0, 4), said
            (event,) = stored(kit)
            assert event["id"] in said
            assert event["data"] == json.loads(DATA)
            headers = [{name.lower(): value for name, value in seen.items()} for _, seen, _ in way.seen]
            assert {h["idempotency-key"] for h in headers} == {"order-17-shipped"}
            assert {h["content-type"].partition(";")[0] for h in headers} == {"application/json"}
            pauses = [b - a for (a, *_), (b, *_) in zip(way.seen, way.seen[1:], strict=False)]
            assert min(pauses) > 0.3, pauses
            code, said = published(kit, language, "order-17-shipped", port=port)  # the same again: 200
            assert code == 0
            assert event["id"] in said
            assert [one["id"] for one in stored(kit)] == [event["id"]]
        finally:
            way.shutdown()
            thread.join()
            way.server_close()


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.lab
@pytest.mark.parametrize("language", RUNNABLE)
def test_a_refusal_that_stays_is_told_at_once_and_not_repeated(language, kit):
    needs(language)
    way = Way(free_port(), kit.port, [])
    thread = threading.Thread(target=way.serve_forever)
    thread.start()
    try:
        code, said = published(kit, language, "k", port=way.server_port, token="wrong-token")
        assert code != 0
        assert "401" in said
        assert len(way.seen) == 1
        assert "wrong-token" not in said
        assert stored(kit) == []
    finally:
        way.shutdown()
        thread.join()
        way.server_close()


def test_there_is_an_example_for_every_listed_language_and_for_any_other(base):
    assert EXAMPLES.keys() == RUN.keys()
    assert EXAMPLES.keys() - {"http"} == base.questions["server-stack"].options.keys()


@pytest.mark.parametrize("language", EXAMPLES)
def test_each_example_sends_what_the_server_asks_for_and_says_how_to_try_it(language):
    """The only test of those that no machine here can run."""
    text = EXAMPLES[language].files[-1].source.read_text(encoding="utf-8")
    for word in ("PUBLISH_URL", "PUBLISH_TOKEN", "Authorization", "Idempotency-Key", "application/json", "201", "200"):
        assert word.lower() in text.lower().replace("created", "201 created"), word
    if language != "http":  # curl knows itself which answers may be repeated
        assert all(status in text for status in ("429", "502", "503", "504"))
    assert "Try it" in text
    assert f"publish/{EXAMPLES[language].files[-1].source.name}" in text or language == "rust"
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("//", "#", "///", "*")))
    for pair in ("()", "[]", "{}"):
        assert code.count(pair[0]) == code.count(pair[1]) or language == "http", pair
    assert max(map(len, text.splitlines())) <= 150
