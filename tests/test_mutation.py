"""Would anybody notice a wrong rule? `python tests/mutate.py` shows the survivors."""

from __future__ import annotations

import os
import time

import mutate
import pytest

PARTS = 72  # about 70 mutants: a minute or two


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_is_noticed_today_stays_noticed(capsys):
    """A part that is new in each run, against the survivors of all: the command that counts all takes half an hour."""
    seed = int(os.environ.get("FUZZ_SEED") or time.time())
    code = mutate.main(["--part", f"{seed % PARTS}/{PARTS}"])
    assert code == 0, f"FUZZ_SEED={seed}: {capsys.readouterr().out}"
