"""Wheel and sdist: their names, what is in them, and that each runs in a venv that has nothing else."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from advisor import __version__

ROOT = Path(__file__).resolve().parent.parent


Built = dict[str, Path]  # "wheel" and "sdist"
CACHES = re.compile(r"__pycache__|\.py[co]$|_cache/|\.hypothesis|\.benchmarks|\.venv|\.coverage|\.git/|/(dist|build)/")


def shipped(*folders: str) -> list[str]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return [name for path in paths if not CACHES.search(name := path.relative_to(ROOT).as_posix())]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Wheel and sdist, made from a checkout in which tests have run and things lie about."""
    source, made = tmp_path_factory.mktemp("source") / "checkout", tmp_path_factory.mktemp("dist")
    skipped = shutil.ignore_patterns(".git", ".venv", "*_cache", ".hypothesis", ".benchmarks", "__pycache__")
    shutil.copytree(ROOT, source, ignore=skipped)
    left = ("tests/__pycache__/a.pyc", "tests/.pytest_cache/b", "rules/__pycache__/c.pyc", "my-kit/start.py", "d.whl")
    for name in (*left, "templates/server/python/server/__pycache__/e.pyc", ".mypy_cache/f.json", ".coverage"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("left by a run")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(source)])
    (wheel,), (sdist,) = made.glob("*.whl"), made.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.mark.long
def test_the_wheel_has_the_program_and_its_data_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = set(archive.namelist())
        about = archive.read(f"realtime_advisor-{__version__}.dist-info/METADATA").decode()
    own = {name for name in names if ".dist-info/" not in name}
    data = {f"advisor/_data/{name}" for name in shipped("rules", "templates")}
    manual = f"realtime_advisor-{__version__}.data/data/share/man/man1/advisor.1"
    assert own == {*shipped("advisor"), *data, manual}
    assert {"advisor/py.typed", "advisor/tui/advisor.tcss", "advisor/_data/templates/kits.yaml"} <= own
    assert {name.partition("/")[2] for name in names - own} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip
    assert f"Name: realtime-advisor\nVersion: {__version__}\n" in about
    assert "License-Expression: MIT\n" in about


def test_the_sdist_has_all_that_a_packager_needs_and_no_caches(built: Built) -> None:
    with tarfile.open(built["sdist"]) as archive:
        top, names = f"realtime_advisor-{__version__}/", {member.name for member in archive if member.isfile()}
    assert all(name.startswith(top) for name in names)
    names = {name.removeprefix(top) for name in names}
    folders = ("advisor", "rules", "templates", "tests", "docs", ".ci", ".github")
    files = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "pyproject.toml"}
    made = {"PKG-INFO", ".gitignore", ".pre-commit-config.yaml"}
    assert names == {*shipped(*folders), *files, *made}


@pytest.mark.long
@pytest.mark.timeout(900)  # both are installed from the index, with all that they depend on
def test_what_was_built_runs_in_an_empty_venv_from_an_empty_folder(built: Built, tmp_path: Path) -> None:
    """Rules and templates travel along; nothing of this checkout is needed. The sdist then replaces the wheel."""
    venv = tmp_path / "venv"
    answers = shutil.copy(ROOT / "rules" / "examples" / "notifications.yaml", tmp_path / "answers.yaml")
    run([sys.executable, "-m", "venv", str(venv)])
    pip = [str(venv / "bin" / "pip"), "install", "-q", "--no-compile"]
    run([*pip, str(built["wheel"])])
    it_runs(venv, answers, tmp_path / "from the wheel")
    run([str(venv / "bin" / "pip"), "uninstall", "-q", "-y", "realtime-advisor"])
    assert not (venv / "bin" / "advisor").exists()
    run([*pip, "--no-deps", str(built["sdist"])])
    it_runs(venv, answers, tmp_path / "from the sdist")


def it_runs(venv: Path, answers: Path, elsewhere: Path) -> None:
    elsewhere.mkdir()
    advisor = str(venv / "bin" / "advisor")
    assert run([advisor, "--version"], cwd=elsewhere) == f"advisor {__version__}\n"
    report = run([advisor, "recommend", "--answers", str(answers), "--kit", "kit"], cwd=elsewhere)
    assert "Server-Sent Events" in report
    assert (elsewhere / "kit" / "start.py").exists()
    assert "0 findings" in run([advisor, "rules", "check"], cwd=elsewhere)
    code = "import advisor; advisor.load_rules(); print(advisor.__file__)"
    assert run([str(venv / "bin" / "python"), "-c", code], cwd=elsewhere).startswith(str(venv))


def run(command: list[str], cwd: Path | None = None) -> str:
    there = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=600, env=there)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_nobody_is_told_to_install_the_other_program() -> None:
    """On the package index, "advisor" is not ours."""
    wrong = re.compile(r"\b(?:pipx?|uv|tool) (?:install|add)(?: -\S+)* ['\"]?advisor\b(?!-)")
    assert wrong.search("run `pip install -q advisor` first")
    assert not wrong.search("pip install realtime-advisor")
    pages = [*ROOT.glob("*.md"), *(ROOT / name for name in shipped("docs", "advisor", "rules", "templates", ".github"))]
    assert [path.name for path in pages if wrong.search(path.read_text("utf-8"))] == []


def test_the_version_is_stated_once() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    number = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    pages = [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *(ROOT / name for name in shipped("docs", "advisor"))]
    stated = [path.relative_to(ROOT) for path in pages if number.search(path.read_text("utf-8"))]
    assert stated == [Path("advisor/__init__.py")]


def test_the_benchmark_needs_nothing_but_what_its_extra_installs() -> None:
    """`pip install -e '.[bench]'` and the command of the README ended with "No module named 'httpx'"."""
    import tomllib

    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    installed = {re.split(r"[\[>=<;]", line)[0].strip().replace("-", "_") for line in extra}
    folders = (ROOT / "tests" / "benchmarks" / "fanout", ROOT / "tests")  # as run.py extends sys.path
    waiting, needed = {folders[0] / "run.py", *folders[0].glob("*.py")}, set()
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in imported(path):
            files = [folder / f"{name.replace('.', '/')}.py" for folder in folders]
            local = {file for file in files if file.exists()}
            waiting |= local - seen
            package = name.partition(".")[0]
            if not local and package not in sys.stdlib_module_names and package != "advisor":
                needed.add(package)
    assert needed <= installed, needed - installed


def imported(path: Path) -> set[str]:
    """The modules that a file imports, with their packages."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found
