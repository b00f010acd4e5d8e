"""The plan of the house: which module stands on which floor, and what a run may load.

A module imports from lower floors only, wherever the import stands (inside functions too). Imports for the type checker
alone do not count: they are gone at run time.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "advisor"
ROOT = PACKAGE.parent

FLOORS: list[tuple[str, set[str]]] = [
    (
        "words and errors",
        {"verdict_types", "__init__", "bars", "boxes", "data", "errors", "scalars", "sizing", "swap", "text", "values"},
    ),
    (
        "files, and the nouns of the rules",
        {
            "arguments",
            "gates",
            "folder",
            "limits",
            "marks",
            "quoting",
            "rulebase",
            "schema",
            "svg",
            "textfile",
            "writing",
        },
    ),
    (
        "what the nouns mean",
        {
            "conditions",
            "edits",
            "figures",
            "given",
            "manifest",
            "platforms",
            "regions",
            "render",
            "rulejson",
            "project",
            "space",
            "timing",
            "yamlfile",
        },
    ),
    (
        "one case, one file",
        {
            "card_schema",
            "costs",
            "crosschecks",
            "decision",
            "diagram",
            "facts",
            "figure_schema",
            "kit_values",
            "report_json",
            "rulefiles",
            "salvage",
        },
    ),
    (
        "many cases",
        {"answers", "cards", "changes", "completions", "editor_schema", "examples", "reach", "rulereader"},
    ),
    ("what may be said in which of them", {"claims"}),
    ("how sure, and what to watch", {"confidence", "raising"}),
    ("proved and judged", {"compile", "prove", "relevance", "verdict"}),
    (
        "several features, and words for all of it",
        {"answering", "card_text", "knowledge", "portfolio", "stale", "words"},
    ),
    ("tables and drawings", {"bill", "chart", "graph", "walk"}),
    ("what people read", {"explain", "overview", "report_html", "report_markdown", "report_text", "template"}),
    ("what they get and how they are asked", {"interview", "kit", "recovery", "reference", "splice"}),
    ("what stays", {"draft"}),
    ("last words", {"closing", "export", "linear", "talk", "typed"}),
    ("files of a conversation", {"keeper"}),
    ("widgets below ours", {"tui.calm", "tui.turns"}),
    ("panes", {"prompts", "tui.__init__", "tui.helping", "tui.panes", "tui.widgets"}),
    ("parts of screens", {"tui.choices", "tui.dialogs", "tui.pages"}),
    ("lists of parts", {"tui.cards", "tui.features", "tui.files", "tui.shared"}),
    ("what screens have in common", {"tui.screens"}),
    ("screens", {"tui.answers", "tui.export", "tui.results"}),
    ("a screen before screens", {"tui.commands", "tui.portfolio"}),
    ("the first screen", {"tui.interview"}),
    ("the program in the terminal", {"tui.app"}),
    ("the command line", {"cli"}),
    ("python -m advisor", {"__main__"}),
]
FLOOR = {module: i for i, (_, modules) in enumerate(FLOORS) for module in modules}


def modules() -> dict[str, Path]:
    return {
        p.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): p for p in sorted(PACKAGE.rglob("*.py"))
    }


def imported(path: Path, known: set[str]) -> Iterator[str]:
    """The modules of this package that a file imports at run time."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.ImportFrom)
            or id(node) in for_types
            or not (node.module or "").startswith("advisor")
        ):
            continue
        inside = (node.module or "").removeprefix("advisor").lstrip(".")
        for name in (f"{inside}.{alias.name}".lstrip(".") for alias in node.names):
            yield name if name in known else inside or "__init__"


def test_the_plan_names_every_module_once():
    named = [module for _, floor in FLOORS for module in floor]
    assert sorted(named) == sorted(modules())


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module):
    here = FLOOR[module]
    up = [other for other in imported(modules()[module], set(modules())) if FLOOR[other] >= here and other != module]
    assert up == [], f"{module} stands on floor {here} ({FLOORS[here][0]})"


def loaded(code: str, *words: str) -> set[str]:
    program = f"import sys\nsys.argv = ['advisor', *{list(words)!r}]\n{code}\nprint(*sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    return {name.split(".")[0] for name in ran.stderr.split()}


HEAVY = {"pydantic", "textual", "rich", "jinja2"}
MAIN = "from advisor.cli import main\nmain()"


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["explain", "sse-buffering"],
        ["recommend", "--answers", "rules/examples/notifications.yaml"],
        ["recommend", "--answers", "rules/examples/notifications.yaml", "--format", "markdown"],
        ["recommend", "--answers", "rules/examples/notifications.yaml", "--format", "json"],
    ],
)
def test_the_run_path_loads_nothing_heavy(words):
    loaded(
        MAIN, "recommend", "--answers", "rules/examples/notifications.yaml"
    )  # the rules are in the cache from here on
    assert not loaded(MAIN, *words) & (HEAVY | {"dataclasses", "inspect", "pathlib", "hashlib", "shutil"})


def test_version_loads_next_to_nothing():
    assert not loaded(MAIN, "--version") & (HEAVY | {"yaml", "json", "argparse", "dataclasses"})


@pytest.mark.parametrize("module", ["interview", "prompts", "kit", "report_text"])
def test_nothing_but_the_screens_loads_textual(module):
    assert not loaded(f"import advisor.{module}") & {"textual", "rich"}


def test_only_the_entries_print():
    for name, path in modules().items():
        if name not in ("cli", "talk", "tui.app"):
            calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
            assert not [c for c in calls if ast.unparse(c.func) in ("print", "sys.stdout.write", "sys.stderr.write")], (
                name
            )


def test_no_module_is_long_and_no_function_either():
    for name, path in modules().items():
        text = path.read_text("utf-8")
        assert text.count("\n") <= 400, name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{name}: {node.name}"


@pytest.mark.parametrize("tool", [["ruff", "check", "--quiet"], ["mypy"]])
def test_the_linter_and_the_type_checker_are_content(tool):
    ran = subprocess.run(
        [sys.executable, "-m", *tool], capture_output=True, text=True, check=False, cwd=ROOT, timeout=170
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
