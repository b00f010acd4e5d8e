"""How fast the screens are, beside a trivial Textual app in the same run: pytest tests/benchmarks --benchmark-only

Nothing here fails by the clock; the budgets hold on an idle core. The figures in brackets are the ratios.
"""

from __future__ import annotations

import itertools
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are for Unix", allow_module_level=True)

from support.pty_driver import TRIVIAL, Driven, first_paint

OURS = ["-m", "advisor", "orders.yaml"]
STILL = (  # a cursor that blinks draws too, half a second after a key
    "from advisor.cli import main; from advisor.tui.widgets import Line; "
    "Line.cursor_blink = False; main(['orders.yaml'])"
)
FILE = "features: [{name: order status, media: no, background-delivery: no, clients: [browser]}]\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "orders.yaml").write_text(FILE)
    (tmp_path / "trivial.py").write_text(TRIVIAL)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "text"),
    [pytest.param(["trivial.py"], "hello", id="trivial"), pytest.param(OURS, "Still possible", id="ours")],
)
@pytest.mark.benchmark(group="first paint")  # of the whole screen: at most 2 times the trivial app
def test_first_paint(benchmark, folder, words, text):
    benchmark.pedantic(lambda: first_paint(words, folder, text), rounds=10, warmup_rounds=1)


@pytest.mark.benchmark(group="key to the last byte of its repaint, and a quarter of a second of quiet")
@pytest.mark.parametrize(
    "keys",
    [
        ("trivial", "ab"), ("moving", ("down", "up")), ("answering", "0u"), ("back", "b0"), ("answering anew", "?"),
    ],
    ids=str,
)  # fmt: skip
def test_keys(benchmark, folder, keys):
    name, pressed = keys
    driven = Driven(["trivial.py"] if name == "trivial" else ["-c", STILL], folder)
    try:
        driven.settle(until="hello" if name == "trivial" else "Still possible")
        driven.settle(limit=1)
        turn = itertools.cycle(pressed)
        times = []
        benchmark.pedantic(lambda: times.append(driven.key(next(turn))), rounds=30, warmup_rounds=2)
        benchmark.extra_info["median ms"] = round(sorted(times)[len(times) // 2] * 1000, 1)
        benchmark.extra_info["worst ms"] = round(max(times) * 1000, 1)
        print(f"\n{name}: median {benchmark.extra_info['median ms']} ms, worst {benchmark.extra_info['worst ms']} ms")
    finally:
        driven.end()
