"""Patterns are data: one more needs no change of the program, and fields that contradict each other are a problem."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.engine.portfolio import recommend
from advisor.engine.verdict import Judge
from advisor.interview import ruled_out
from advisor.kit import build
from advisor.model.project import Feature, Project
from advisor.report import cost_tables, html, lookup, markdown, text
from advisor.ruleset import editor_schema
from advisor.ruleset.cache import load
from advisor.ruleset.compile import compile_folder

ROOT = Path(__file__).resolve().parent.parent
PATTERN = """
  event-socket:
    group: extended
    holds: connection
    shareable: yes
    times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read-timeout-s]
    title: Event socket
    summary: A connection of our own making.
    strengths: [It is ours.]
    weaknesses: [Nobody else has it.]
    nearest-core: websocket
    fallbacks: [websocket, sse]
    evidence:
      - judgement: Made up for a test.
"""
STEP = """
  - step: own-making
    title: Is there an event socket already?
    rules:
      - id: ride-event-socket
        when: {existing-stack: event-sockets}
        choose: [event-socket]
        because: The team runs event sockets.
        evidence:
          - judgement: Made up for a test.
        examples:
          - {given: {existing-stack: [event-sockets]}, expect: event-socket}
"""


def inserted(path, before, what):
    """Put text before a line that is there once."""
    written = path.read_text("utf-8")
    assert written.count(before) == 1
    path.write_text(written.replace(before, what + before), "utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped rules, with a fourteenth pattern and a rule that chooses it."""
    made = tmp_path_factory.mktemp("fourteen") / "rules"
    shutil.copytree(data("rules"), made)
    inserted(made / "patterns.yaml", "\n  sse:\n", PATTERN)
    inserted(made / "questions.yaml", "      sse: an SSE stream\n", "      event-socket: an event socket\n")
    inserted(made / "questions.yaml", "      graphql: GraphQL\n", "      event-sockets: event sockets\n")
    inserted(made / "decision.yaml", "\n  - step: app-closed\n", STEP)
    return made


@pytest.fixture(scope="module")
def base(folder):
    return compile_folder(folder)


@pytest.fixture(scope="module")
def verdict(base):
    facts = {"existing-stack": ("event-sockets",), "page": "shop", "reverse-proxy": "nginx"}
    features = (Feature("prices", facts), Feature("stock", facts))
    return recommend(Project("p", {}, {"concurrent-clients": 3000}, features), base, Judge(base))


@pytest.mark.long
def test_the_check_of_the_rules_finds_nothing_in_a_fourteenth_pattern(folder):
    words = [sys.executable, "-m", "advisor", "rules", "check", "--folder", str(folder)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert (ran.returncode, ran.stdout.count(" 0 findings")) == (0, 1), ran.stdout + ran.stderr


@pytest.mark.long
def test_a_fourteenth_pattern_is_decided_shared_and_timed(base, verdict):
    assert [f["primary"] for f in verdict["features"]] == ["event-socket"] * 2
    assert verdict["features"][0]["fallback"] == "websocket"
    assert verdict["shared"]["connections"] == [
        {"page": "shop", "pattern": "event-socket", "features": ["prices", "stock"]}
    ]
    assert verdict["shared"]["pages"] == []  # it is none of the connections that a browser counts
    timing = verdict["features"][0]["timing"]
    met = {limit["id"] for limit in timing["limits"]}
    same = recommend(
        Project("p", {}, {}, (Feature("f", {"existing-connection": "websocket", "reverse-proxy": "nginx"}),)), base
    )["features"][0]["timing"]
    assert met == {limit["id"] for limit in same["limits"]}  # its channel is that of its nearest core pattern
    assert timing["heartbeat_s"] == same["heartbeat_s"]


def test_a_fourteenth_pattern_is_costed_as_its_nearest_core_pattern(base, verdict):
    for scale in ("patterns", "at_ten_times"):
        rows = verdict["features"][0]["costs"][scale]
        assert rows["event-socket"] == rows["websocket"] != rows["sse"]
    assert cost_tables.shown(verdict["features"][0], base)[-1] == "event-socket"


def test_a_fourteenth_pattern_is_in_every_report(base, verdict):
    for made in (text.text(verdict, base), markdown.markdown(verdict, base), html.html(verdict, base)):
        assert "Event socket" in made
    printed = text.text(verdict, base)
    assert "prices and stock share one Event socket connection" in printed
    assert "heartbeat" in printed
    assert "connect patience" not in printed  # its own times, not those of a WebSocket
    assert "Event socket. A connection of our own making." in lookup.explain("event-socket", base)
    assert "WebSocket, Event socket = " in lookup.explain("requests-per-client-per-h", base, 200)


def test_a_fourteenth_pattern_is_in_the_interview_the_kit_and_the_editor(base, verdict):
    assert "event-socket" in ruled_out.possible((), base)
    given = {"existing-stack": ()}
    left = ruled_out.possible(tuple(given.items()), base)
    assert ("event-socket", ("existing-stack",)) in [(f.pattern, f.facts) for f in ruled_out.fallen(given, left, base)]
    project = Project("p", {}, {}, (Feature("prices", {}), Feature("stock", {})))
    assert build.build(project, verdict, base).notes == [
        f"{name}: no template for Event socket yet; nothing is written for it" for name in ("prices", "stock")
    ]
    for name in ("patterns", "decision"):
        assert "event-socket" in json.loads(editor_schema.schema_text(name, base))["$defs"]["PatternId"]["enum"]


# --- fields that contradict each other --------------------------------------------------------------------------------

WRONG = [
    ("holds: connection", "holds: nothing", "event-socket: it holds nothing, which no second feature can share"),
    ("holds: connection", "holds: nothing", "it holds nothing and is costed-as sockets: short-polls are those that"),
    ("holds: connection", "holds: nothing", "it holds nothing, and its times have heartbeat-s"),
    ("holds: connection", "holds: request", "it holds a request, and its times lack hold-s"),
    ("holds: connection", "holds: nothing\n    channel: sse", "it holds nothing, so it must not have a `channel`"),
    ("holds: connection", "holds: socket", "patterns.event-socket.holds: "),
    ("    holds: connection\n", "", "patterns.event-socket.holds: is missing"),
    ("nearest-core: websocket", "nearest-core: short-polling", "it holds a connection, so it needs a `channel`"),
    ("nearest-core: websocket", "nearest-core: mqtt", "must be a core pattern, and mqtt is not one"),
    ("    times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read-timeout-s]\n    title: Event",
     "    costed-as: short-polls\n    title: Event", "it holds a connection and is costed-as short-polls"),
    ("    times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read-timeout-s]\n    title: Event socket",
     "    channel: sse-2\n    title: Event socket", "no channel 'sse-2'; did you mean sse?"),
    ("holds: connection\n    shareable: yes\n    times: [", "holds: request\n    times: [hold-s, ",
     "it holds a request, and its times have heartbeat-s"),
    ("    group: extended\n    holds: connection", "    group: outside\n    holds: connection",
     "a pattern outside the article must not have shareable, times, only `holds`"),
    ("shareable: yes\n    times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read",
     "times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read",
     "existing-connection has the option event-socket, a pattern that is not shareable"),
    ("times: [heartbeat-s, retry-ms, retry-max-ms, drain-s, read", "times: [heartbeat-ms, retry-ms, drain-s, read",
     "patterns.event-socket.times.0: "),
    ("    costed-as: streams\n", "", "sse: a core pattern needs `costed-as` and `times`"),
    ("    costed-as: long-polls\n", "    costed-as: streams\n", "no core pattern is costed-as long-polls"),
]  # fmt: skip


@pytest.mark.grid
@pytest.mark.parametrize(("there", "instead", "complaint"), WRONG)
def test_fields_that_contradict_each_other_are_a_problem_at_their_place(folder, tmp_path, there, instead, complaint):
    wrong = tmp_path / "rules"
    shutil.copytree(folder, wrong)
    path = wrong / "patterns.yaml"
    written = path.read_text("utf-8")
    at = written.index("  event-socket:") if there in PATTERN else 0
    assert there in written[at:]
    path.write_text(written[:at] + written[at:].replace(there, instead, 1), "utf-8")
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(wrong)
    found = [str(problem) for problem in caught.value.problems]
    assert any(complaint in line for line in found), found
    assert all(line.startswith(("rules/patterns.yaml:", "rules/questions.yaml:")) for line in found)


def test_a_shareable_pattern_must_be_an_answer_to_what_is_open(folder, tmp_path):
    wrong = tmp_path / "rules"
    shutil.copytree(folder, wrong)
    path = wrong / "questions.yaml"
    path.write_text(path.read_text("utf-8").replace("      event-socket: an event socket\n", ""), "utf-8")
    with pytest.raises(RuleBaseError, match="event-socket is shareable, and is no option of existing-connection"):
        compile_folder(wrong)


@pytest.mark.grid
@pytest.mark.parametrize(
    ("file", "there", "instead", "complaint"),
    [
        (
            "platforms/nginx.yaml",
            "for: [",
            "for: [ssse, ",
            "no channel 'ssse' in rules/patterns.yaml; did you mean sse?",
        ),
        ("questions.yaml", "on-a-page: [browser", "on-a-page: [brouser", "no option 'brouser'; did you mean browser?"),
    ],
)
def test_a_channel_or_an_option_that_there_is_not_is_a_problem(tmp_path, file, there, instead, complaint):
    wrong = tmp_path / "rules"
    shutil.copytree(data("rules"), wrong)
    path = wrong / file
    written = path.read_text("utf-8")
    assert there in written
    path.write_text(written.replace(there, instead, 1), "utf-8")
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(wrong)
    assert complaint in str(caught.value.problems[0])


# --- nothing of it in the program -------------------------------------------------------------------------------------

ALLOWED = {("model/platforms.py", "websocket")}  # a heading of the platform cards: what they say about WebSocket


def test_no_module_names_a_pattern_but_the_kit_whose_own_transports_they_are():
    ids = set(load(data("rules")).patterns)
    package = ROOT / "advisor"
    found = {
        (path.relative_to(package).as_posix(), node.value)
        for path in package.rglob("*.py")
        if package / "kit" not in path.parents
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids
    }
    assert found == ALLOWED
