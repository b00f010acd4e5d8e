"""The plan of the house: which folder may import which, and what a run may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "advisor"
ROOT = PACKAGE.parent

# From the top; a folder imports those below it, and none beside it.
FLOORS = (
    {"__main__"},
    {"cli"},
    {"tui"},
    {"interview"},
    {"kit"},
    {"report"},
    {"ruleset", "answers"},
    {"engine"},
    {"model", "yamlio"},
    {"base"},
    {"__init__"},
)
FLOOR = {folder: i for i, folders in enumerate(FLOORS) for folder in folders}


def modules() -> dict[str, Path]:
    return {
        p.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): p for p in sorted(PACKAGE.rglob("*.py"))
    }


def imported(path: Path) -> Iterator[str]:
    """The folders of this package that a file imports, at run time or for the type checker."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "advisor":
            yield from (alias.name if alias.name in FLOOR else "__init__" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("advisor."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("advisor."))


def test_every_module_is_in_a_folder_of_the_plan():
    assert {name.split(".")[0] for name in modules()} == set(FLOOR)


@pytest.mark.parametrize("module", sorted(modules().keys() - {"__init__"}))  # it names the library for the type checker
def test_no_folder_imports_one_above_or_beside_it(module):
    own = module.split(".")[0]
    wrong = {other for other in imported(modules()[module]) if other != own and FLOOR[other] <= FLOOR[own]}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("folder", [p.parent for p in sorted(PACKAGE.glob("*/__init__.py"))], ids=lambda p: p.name)
def test_a_folder_says_in_a_sentence_what_belongs_in_it(folder):
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    assert 20 < len(said) < 200


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


@pytest.mark.parametrize("module", ["interview.session", "interview.plain", "kit.build", "report.text"])
def test_nothing_but_the_screens_loads_textual(module):
    assert not loaded(f"import advisor.{module}") & {"textual", "rich"}


def test_only_the_entries_print():
    for name, path in modules().items():
        if name not in ("cli", "interview.console", "tui.app"):
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
