"""The folders of the program on one page: `python tests/layout.py` prints what each has and which others it imports."""

from __future__ import annotations

import ast
import sys

from support.import_graph import FLOORS, imported, modules


def page() -> str:
    found = modules()
    texts = {name: path.read_text("utf-8") for name, path in found.items()}
    lines = []
    for floor in FLOORS:
        for folder in sorted(floor - {"__main__", "__init__"}):
            mine = [name for name in found if name.partition(".")[0] == folder]
            others = {other.partition(".")[0] for name in mine for other in imported(texts[name], {*found})}
            below = [other for level in FLOORS for other in sorted(level & others - {folder, "__init__"})]
            size = sum(texts[name].count("\n") for name in mine)
            lines.append(f"{folder:10} {len(mine):3} modules {size:6,} lines   imports {', '.join(below) or 'nothing'}")
            says = ast.get_docstring(ast.parse(texts.get(f"{folder}.__init__", texts.get(folder, "")))) or ""
            lines.append(f"{'':10} {says.splitlines()[0]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
