"""The plan of the house: which folder may import which, and what a run may load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import layout
import pytest
from support.import_graph import FLOORS, PACKAGE, circle, imported, modules

ROOT = PACKAGE.parent

FLOOR = {folder: i for i, folders in enumerate(FLOORS) for folder in folders}


def test_every_module_is_in_a_folder_of_the_plan():
    assert {name.split(".")[0] for name in modules()} == set(FLOOR)


@pytest.mark.grid
@pytest.mark.parametrize("module", sorted(modules().keys() - {"__init__"}))  # it names the library for the type checker
def test_no_folder_imports_one_above_or_beside_it(module):
    own = module.split(".")[0]
    others = {name.split(".")[0] for name in imported(modules()[module].read_text("utf-8"), {*modules()})}
    wrong = {other for other in others if other != own and FLOOR[other] <= FLOOR[own]}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


def test_no_modules_import_each_other_in_a_circle():
    """Also not for the type checker alone: a module can be read when those that it imports have been."""
    known = {*modules()}
    arrows = {name: {*imported(path.read_text("utf-8"), known)} for name, path in modules().items()}
    del arrows["__init__"]  # it names the library for the type checker
    assert circle(arrows) == []


def test_the_layout_of_the_program_fits_on_a_page():
    lines = layout.page().splitlines()
    assert len(lines) < 40
    assert all(len(line) < 130 for line in lines)
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        f for floor in FLOORS for f in sorted(floor) if "_" not in f
    ]


def test_a_circle_is_seen_in_every_kind_of_import():
    known = {"__init__", "tui.__init__", "tui.app", "tui.files", "tui.screens", "cli"}
    app = "from advisor.tui import files\ndef run():\n    import advisor.cli\n    from advisor import __version__"
    screens = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from advisor.tui.app import App"
    arrows = {"tui.app": {*imported(app, known)}, "tui.screens": {*imported(screens, known)}}
    assert arrows == {"tui.app": {"tui.files", "cli", "__init__"}, "tui.screens": {"tui.app"}}
    assert circle(arrows) == []
    found = circle({**arrows, "tui.files": {*imported("from advisor.tui.screens import Ours", known)}})
    assert sorted(found[:-1]) == ["tui.app", "tui.files", "tui.screens"]
    assert found[0] == found[-1]


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


@pytest.mark.grid
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


def test_values_are_named_tuples_and_not_written_by_hand():
    """A class with its own `__init__` and `__eq__` is a value somebody wrote by hand; `Other` alone has a reason."""
    found = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                own = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                found += [f"{name}.{node.name}"] if {"__init__", "__eq__"} <= own else []
    assert found == ["model.values.Other"]


def test_version_loads_next_to_nothing():
    assert not loaded(MAIN, "--version") & (HEAVY | {"yaml", "json", "argparse", "dataclasses"})


@pytest.mark.parametrize("module", ["interview.session", "interview.plain", "kit.build", "report.text"])
def test_nothing_but_the_screens_loads_textual(module):
    assert not loaded(f"import advisor.{module}") & {"textual", "rich"}


@pytest.mark.long
def test_only_the_entries_print():
    for name, path in modules().items():
        if name not in ("commands.streams", "interview.console", "tui.app"):
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


def test_the_name_of_a_test_fits_a_line():
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in re.findall(r"def (test_\w+)", text) if len(name) > 80] == []


@pytest.mark.parametrize("tool", [["ruff", "check", "--quiet"], ["mypy"]])
def test_the_linter_and_the_type_checker_are_content(tool):
    ran = subprocess.run(
        [sys.executable, "-m", *tool], capture_output=True, text=True, check=False, cwd=ROOT, timeout=170
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
