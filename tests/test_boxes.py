"""The one primitive against brute force: find, meet, covers, complement."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from advisor.model.boxes import bits, complement, contains, covers, find, meet

SIZES = (2, 3, 2, 4, 2, 3)
FULL = tuple((1 << size) - 1 for size in SIZES)
CASES = list(itertools.product(*(range(size) for size in SIZES)))

boxes = st.dictionaries(st.integers(0, len(SIZES) - 1), st.integers(1, 14), max_size=4).map(
    lambda raw: {v: mask & FULL[v] for v, mask in raw.items() if 0 < mask & FULL[v] < FULL[v]}
)
lists = st.lists(boxes, max_size=12)


def cases(box):
    return {case for case in CASES if all(mask >> case[v] & 1 for v, mask in box.items())}


@given(boxes, lists)
def test_find_gives_a_part_of_the_box_outside_the_others_or_none_where_there_is_none(box, minus):
    left = cases(box).difference(*map(cases, minus))
    found = find(box, minus, FULL)
    assert (found is None) == (not left)
    if found is not None:
        assert cases(found)
        assert cases(found) <= left


@given(boxes, boxes)
def test_meet_holds_exactly_the_cases_of_both(a, b):
    both = meet(a, b)
    assert (set() if both is None else cases(both)) == cases(a) & cases(b)
    assert both == meet(b, a)
    assert both is None or all(both.values())


@given(boxes, boxes)
def test_covers_is_inclusion(a, b):
    assert covers(a, b) == (cases(b) <= cases(a))


@given(boxes)
def test_the_complement_is_disjoint_and_holds_everything_else(box):
    parts = [cases(part) for part in complement(box, FULL)]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert set().union(*parts) == set(CASES) - cases(box)


@given(boxes)
def test_contains_is_membership(box):
    assert {case for case in CASES if contains(box, case)} == cases(box)


@given(st.sets(st.integers(0, 70)))
def test_bits_lists_the_set_bits_in_order(numbers):
    assert bits(sum(1 << n for n in numbers)) == sorted(numbers)


def test_find_changes_neither_of_its_arguments():
    box, minus = {0: 1}, [{1: 3}, {0: 1, 2: 1}]
    find(box, minus, FULL)
    assert (box, minus) == ({0: 1}, [{1: 3}, {0: 1, 2: 1}])


def test_find_sees_a_box_hidden_only_by_several_others_together():
    assert find({0: 1}, [{1: 3}, {1: 4}], FULL) is None
    assert find({0: 1}, [{1: 3}], FULL) == {0: 1, 1: 4}
