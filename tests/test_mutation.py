"""Would anybody notice a wrong rule? `python tests/mutate.py` shows the survivors."""

from __future__ import annotations

import pytest


@pytest.mark.long
@pytest.mark.timeout(600)  # two thousand rule bases
def test_nearly_every_mutant_of_the_rules_is_noticed(capsys):
    import mutate

    assert mutate.main([]) == 0, capsys.readouterr().out
