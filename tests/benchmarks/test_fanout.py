"""The fan-out benchmark itself runs, small, so that its table can be made again at any time."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "fanout" / "run.py"


@pytest.mark.lab
@pytest.mark.long
def test_the_kits_deliver_everything_beside_the_bare_loop():
    if not shutil.which("cc"):
        pytest.skip("no C compiler here (apt install gcc)")
    small = ["--clients", "50", "--events", "5", "--idle", "0", "--rounds", "1", "--no-peers"]
    ran = subprocess.run([sys.executable, RUN, *small], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.findall(r"^\| (\S+): (.+?) \|", ran.stdout, re.MULTILINE) == [
        ("SSE", "epoll loop in C"), ("SSE", "kit"), ("WebSocket", "epoll loop in C"), ("WebSocket", "kit")
    ]  # fmt: skip
