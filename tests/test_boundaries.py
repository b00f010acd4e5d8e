"""Every boundary case holds (rules/boundaries/README.md says what they are)."""

from __future__ import annotations

from support.boundary_cases import broken, files

from advisor.ruleset.cache import load


def test_every_boundary_case_holds():
    assert list(broken(load())) == []


def test_cases_name_real_caveats_and_have_both_sides():
    base = load()
    for name, content in files():
        cases = content.get("caveats", {})
        assert set(cases) <= base.caveats.keys(), name
        for caveat, sides in cases.items():
            assert set(sides) <= {"raised", "silent"}, caveat
