"""The command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def advisor(*words: str) -> subprocess.CompletedProcess[str]:
    """Run one command in the repository's folder, without a terminal and without input."""
    return subprocess.run(
        [sys.executable, "-m", "advisor", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
    )  # fmt: skip
