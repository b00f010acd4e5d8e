"""Options of the whole suite: `--no-skip` (a skip is a failure), `--long` (all of it), `--accept` (goldens).

Without `--long`, tests marked `long` do not run, and of the cases of a test marked `grid` only the first does.
"""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# Machines that run tests are shared: a slow example is not a wrong one. Always the same examples: a red run repeats.
settings.register_profile("advisor", deadline=None, derandomize=True)
settings.load_profile("advisor")

# A runner that nohup or a script's background started ignores Ctrl-C, and so would every program that tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("advisor")
    group.addoption("--no-skip", action="store_true", help="a skipped test is a failure (CI has everything)")
    group.addoption("--long", action="store_true", help="also run what takes long, and every case of each grid")
    group.addoption("--accept", action="store_true", help="rewrite goldens that differ, for review in the diff")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        first = {_function(item): item for item in reversed(items)}
        kept = [
            item
            for item in items
            if item.get_closest_marker("long") is None
            and (item.get_closest_marker("grid") is None or first[_function(item)] is item)
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _function(item: pytest.Item) -> str:
    """The test without its parameters."""
    return item.nodeid.partition("[")[0]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-n auto`: a worker per core, and two at least, because many tests wait for a timeout or a program.

    With `--long`, one more than there are cores: the tests of kits need a tenth to a half of a core each (measured).
    """
    cores = os.cpu_count() or 1
    return cores + 1 if config.getoption("--long") else max(2, cores)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Under `-n`, a test marked `alone` waits until no other runs, and holds the others until it is over."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return (yield)
    alone = item.get_closest_marker("alone") is not None
    with _turn(Path(tempfile.gettempdir()) / f"advisor-tests-{run}", alone=alone):
        return (yield)


@contextmanager
def _turn(path: Path, *, alone: bool) -> Iterator[None]:
    """A lock that many share, or one has; the gate keeps those who share from overtaking the one that waits."""
    with path.with_suffix(".gate").open("w") as gate, path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001  # pytest passes it by name
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skip") and item.get_closest_marker("benchmark") is None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "benchmark" not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped, which --no-skip forbids: {reason}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """The compiled rules of a test run are cached in a folder of its own."""
    before = os.environ.get("ADVISOR_CACHE")
    os.environ["ADVISOR_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["ADVISOR_CACHE"]
    else:
        os.environ["ADVISOR_CACHE"] = before


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--accept"))
