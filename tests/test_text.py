"""Words for people: nothing that a terminal would run, and numbers that can be read."""

from __future__ import annotations

import itertools
import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.text import did_you_mean, nearest, number, plural, quoted, visible, wrap

ANY = st.text(st.characters(codec=None))  # lone surrogates included


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, mit Ümlaut und 日本 😀", "plain, mit Ümlaut und 日本 😀"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("\x7f\x85\x9b", r"\x7f\x85\x9b"),
        ("\u202egnp.exe\u2066\u2069\u200e\u200f\u061c", r"\u202egnp.exe\u2066\u2069\u200e\u200f\u061c"),
        ("a\u200bb\ufeffc\u2060", r"a\u200bb\ufeffc\u2060"),
        ("\ud800x", r"\ud800x"),
        ("\U000e0041", r"\U000e0041"),
        ("a\nb\r\tc\u2028", r"a\nb\r\tc\u2028"),
    ],
)
def test_what_acts_or_hides_is_shown_as_an_escape(raw, shown):
    assert visible(raw) == shown


@given(ANY)
def test_nothing_visible_acts_or_hides(raw):
    shown = visible(raw)
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    assert visible(shown) == shown
    assert all(c == "\n" or c.isprintable() for c in visible(raw, lines=True))


@given(ANY, st.integers(3, 40))
def test_a_limit_bounds_what_is_taken_from_the_text(raw, limit):
    assert len(visible(raw, limit)) <= limit * len(r"\U00000000")
    if len(raw) > limit:
        assert visible(raw, limit).endswith("...")


def test_line_feeds_stay_where_lines_are_asked_for():
    assert visible("a\nb\x1b", lines=True) == "a\nb\\x1b"


def test_a_quoted_value_is_short_and_visible():
    assert quoted("x\x1b") == r'"x\x1b"'
    assert quoted("y" * 100) == '"' + "y" * 57 + '..."'


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("ngnix", "nginx"),
        ("NGINX", "nginx"),
        ("Idle_Timeout S", "idle-timeout-s"),
        ("idle-timeout", "idle-timeout-s"),
        ("zebra", ""),
        ("n" * 100_000, ""),
        ("", ""),
    ],
)
def test_the_nearest_known_word_is_found_if_there_is_one(word, found):
    known = ["nginx", "haproxy", "idle-timeout-s"]
    assert nearest(word, known) == found
    assert did_you_mean(word, known) == (f"; did you mean {found}?" if found else "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1000, "1,000"),
        (72000.0, "72,000"),
        (0.2, "0.2"),
        (1234.5, "1,234.5"),
        (1234567.8, "1,234,568"),
        (1 / 3, "0.333333"),
        (1e-9, "1e-9"),
        (123456789012345, "123,456,789,012,345"),
        (1e15, "1e15"),
        (1e308, "1e308"),
        (10**300, "1e300"),
        (-2, "-2"),
        (math.inf, "infinite"),
        (-math.inf, "minus infinite"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_are_written_for_people(value, shown):
    assert number(value) == shown


def test_fewer_digits_can_be_asked_for():
    assert number(2 / 3, 2) == "0.67"


@given(st.floats())
def test_every_number_has_a_short_form(value):
    assert 0 < len(number(value)) <= 24


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 query"), (2, "2 queries"), (0, "0 queries"), (2000, "2,000 queries")]
)
def test_a_count_agrees_with_its_noun(count, said):
    assert plural(count, "query", "queries") == said
    assert plural(3, "feature") == "3 features"


def test_lines_break_between_words_and_indent():
    text = "one two three  four\nfive"
    assert wrap(text, 11, "  ") == "  one two\n  three\n  four five"
    assert wrap(text, 11, "  ", "- ") == "- one two\n  three\n  four five"
    assert wrap("", 10, "# ") == ""


@given(st.text("ab \n", max_size=200), st.integers(5, 30))
def test_wrapping_keeps_every_word_and_breaks_only_where_needed(text, width):
    lines = wrap(text, width, "> ").splitlines()
    assert " ".join(line[2:] for line in lines).split() == text.split()
    assert all(len(line) <= width or " " not in line[2:] for line in lines)
    for line, following in itertools.pairwise(lines):
        assert len(line) + 1 + len(following[2:].split()[0]) > width
