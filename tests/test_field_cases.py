"""Incidents from public threads: the program names the fault that somebody had, and recommends what fits."""

from __future__ import annotations

import field_cases
import pytest


@pytest.fixture(scope="module")
def told():
    return field_cases.told()


def test_the_fault_of_every_incident_is_named(told):
    assert [(case.id, case.places) for case in told if not all(case.places.values())] == []


def test_most_faults_are_among_the_first_that_are_read(told):
    places = [place for case in told for place in case.places.values()]
    assert sum(0 < place <= field_cases.EARLY for place in places) / len(places) >= 0.8


def test_no_recommendation_is_wrong(told):
    assert [(case.id, case.primary) for case in told if not case.acceptable] == []
    assert sum(case.right for case in told) / len(told) >= 0.95
