"""The modules of the program, what each imports, and the plan of its folders."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "advisor"

# From the top; a folder imports those below it, and none beside it.
FLOORS = (
    {"__main__"},
    {"cli"},
    {"commands"},
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


def modules() -> dict[str, Path]:
    return {
        p.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): p for p in sorted(PACKAGE.rglob("*.py"))
    }


def imported(source: str, known: set[str]) -> Iterator[str]:
    """The modules of this package that a text imports: at run time, inside functions, or for the type checker."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "advisor":
                yield module_of(name.partition(".")[2], known)


def module_of(name: str, known: set[str]) -> str:
    """The module that has this name: "tui.files.save" is of tui.files, "__version__" of the package itself."""
    for candidate in (name, f"{name}.__init__", name.rpartition(".")[0], f"{name.rpartition('.')[0]}.__init__"):
        if candidate in known:
            return candidate
    return "__init__"


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, one after the other and back to the first; empty if there are none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []
