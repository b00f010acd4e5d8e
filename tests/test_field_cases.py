"""Incidents from public threads: the program names the fault that somebody had, and recommends what fits."""

from __future__ import annotations

import field_cases
import pytest


@pytest.fixture(scope="module")
def told():
    return field_cases.told()


def test_the_fault_of_every_incident_is_named(told):
    assert [(case.id, case.places) for case in told if not all(case.places.values())] == []


def test_no_recommendation_is_wrong(told):
    assert [(case.id, case.primary) for case in told if not case.acceptable] == []
    assert sum(case.right for case in told) / len(told) >= 0.95
