"""Would anybody notice a wrong rule? `python tests/mutate.py` shows the survivors."""

from __future__ import annotations

import os
import time

import mutate
import pytest

PARTS = 16  # one of them takes a minute; all of them are a command's


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nearly_every_mutant_of_the_rules_is_noticed(capsys):
    """A part that is new in each run has no survivor beyond those of the whole, of which there are few."""
    seed = int(os.environ.get("FUZZ_SEED") or time.time())
    code = mutate.main(["--part", f"{seed % PARTS}/{PARTS}"])
    assert code == 0, f"FUZZ_SEED={seed}: {capsys.readouterr().out}"
