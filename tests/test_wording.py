"""Texts for people are plain English: phrases that made readers stop stay out of messages, questions and pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
# Made from rules/, and checked by test_reference.py; history, whose lines are left as they were.
NOT_LOOKED_AT = {"caveats.md", "platforms.md", "CHANGELOG.md"}
# A phrase, and what to write instead.
PHRASES = {
    r"\bof ours\b": "name it, or leave it out",
    r"\bon the way\b": "on the path, between client and server",
    r"\b(?:a|an) (?:second|minute|hour|user|client) and (?:user|client|instance|minute|hour)\b": "per second per user",
    r"\b(?:requests|queries|bytes|overhead|billed) an hour\b": "per hour",
    r"\b(?:is|are|was|were) (?:said|told)\b": "is printed, listed, reported",
    r"\band said\b": "and listed",
    r"\btold\b": "printed, listed, configured, sent",
    r"\b(?:nobody|somebody) (?:said|says|stated|gave|has (?:said|stated|asked|answered))\b": "is not stated",
    r"\b(?:answer|question|name|readme|browser) tells\b": "shows, explains, decides between",
    r"\bwithout a say\b": "without effect, does not change",
    r"\bsecond way\b": "fallback",
    r"\bis taken for\b": "counts as",
    r"\bstands? (?:in|at|on|before|under|beside|between|behind|for|already)\b": "is in, is at, means",
    r"\bstand-in\b": "placeholder",
    r"\bcannot stand\b": "is not allowed",
    r"\blies? (?:in|on|at|between|beside|outside)\b": "is in, is between",
    r"\banew\b": "again, re-",
    r"\bgo(?:es)? on with\b": "continue with",
    r"\bwhat comes of\b": "name the result",
    r"\b(?:the question|none|one) at hand\b": "the current question",
    r"\bdoes not go together\b": "conflicts",
    r"\bwe then\b": "assumes",
    r"(?<!\bthere )\bis no (?:command|file|day|span|schema|folder)\b": "is not a",
    r"\bis none of\b": "is not one of",
    r"\bis not read here\b": "is not supported",
    r"\bwhoever\b": "everybody who, clients that",
    r"\bby itself\b": "automatically, alone",
}


def literals(source: str) -> Iterator[tuple[int, str]]:
    """The texts of a module with their lines, without docstrings; what a format string fills in is left out."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    heads = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body]
    docstrings = {id(head.value) for head in heads if isinstance(head, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def texts() -> Iterator[tuple[str, str]]:
    """Every text for people, with its place."""
    for path in sorted((ROOT / "advisor").rglob("*.py")):
        for line, text in literals(path.read_text("utf-8")):
            if " " in text.strip():
                yield f"{path.relative_to(ROOT)}:{line}", text
    questions = yaml.safe_load((ROOT / "rules" / "questions.yaml").read_text("utf-8"))["questions"]
    for fact, question in questions.items():
        labels = [str(label) for label in (question.get("options") or {}).values()]
        for text in [question["ask"], question["why"], question["find-out"], question.get("unit", ""), *labels]:
            yield f"rules/questions.yaml: {fact}", text
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "templates" / "docs").glob("*.j2")]:
        if path.name not in NOT_LOOKED_AT:
            yield str(path.relative_to(ROOT)), re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)


TEXTS = list(texts())


@pytest.mark.parametrize("phrase", PHRASES)
def test_phrases_that_readers_stumbled_over_stay_out(phrase: str) -> None:
    found = [
        f"{place}: {' '.join(text[max(at.start() - 30, 0) : at.end() + 30].split())!r}"
        for place, text in TEXTS
        for at in re.finditer(phrase, text, re.IGNORECASE)
    ]
    assert not found, f"write instead: {PHRASES[phrase]}\n" + "\n".join(found)


def test_all_kinds_of_texts_are_looked_at() -> None:
    places = {place.partition(":")[0] for place, _ in TEXTS}
    assert {"advisor/cli.py", "advisor/tui/panes.py", "rules/questions.yaml", "README.md", "docs/adding.md"} <= places
    assert "templates/docs/README.md.j2" in places
    assert len(TEXTS) > 1000


def test_docstrings_are_not_texts_for_people() -> None:
    source = '"""It stands in a file."""\ndef f(x):\n    """On the way."""\n    return f"{x} stands in line {1}"\n'
    assert [text for _, text in literals(source)] == [" stands in line "]
