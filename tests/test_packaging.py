"""The wheel: what is in it, and that it runs from any folder in a venv that has only the run-time packages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_exported_version_is_the_packaged_one() -> None:

    from advisor import __version__

    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.lab
@pytest.mark.long
def test_the_wheel_runs_from_another_folder(tmp_path: Path) -> None:
    """Build, install into a fresh venv, run elsewhere: rules and templates travel in the wheel."""
    wheels = tmp_path / "wheels"
    run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(ROOT)])
    (wheel,) = wheels.glob("advisor-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("rules", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"advisor/_data/{path.relative_to(ROOT).as_posix()}" in names
    assert not [n for n in names if n.startswith(("rules/", "templates/", "tests/"))]
    venv = tmp_path / "venv"
    run([sys.executable, "-m", "venv", str(venv)])
    run([str(venv / "bin" / "pip"), "install", "-q", str(wheel)])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    example = ROOT / "rules" / "examples" / "notifications.yaml"
    command = [str(venv / "bin" / "advisor"), "recommend", "--answers", str(example), "--kit", "kit"]
    report = run(command, cwd=elsewhere)
    assert "Server-Sent Events" in report
    assert (elsewhere / "kit" / "start.py").exists()
    assert "0 findings" in run([str(venv / "bin" / "advisor"), "rules", "check"], cwd=elsewhere)


def run(command: list[str], cwd: Path | None = None) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=170)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_benchmark_needs_nothing_but_what_its_extra_installs() -> None:
    """`pip install -e '.[bench]'` and the command of the README ended with "No module named 'httpx'"."""
    import tomllib

    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    installed = {re.split(r"[\[>=<;]", line)[0].strip().replace("-", "_") for line in extra}
    folders = (ROOT / "tests" / "benchmarks" / "fanout", ROOT / "tests" / "kit")
    waiting, needed = {folders[0] / "run.py", *folders[0].glob("*.py")}, set()
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in imported(path):
            local = [folder / f"{name}.py" for folder in folders if (folder / f"{name}.py").exists()]
            waiting |= {*local} - seen
            if not local and name not in sys.stdlib_module_names and name != "advisor":
                needed.add(name)
    assert needed <= installed, needed - installed


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found
