"""The answers file that `advisor new` writes: valid as it stands, and with every question answered."""

from __future__ import annotations

import re

import pytest
from support.shipped import shipped
from support.small_base import small_base

from advisor.answers.blank import EXAMPLE, allowed, new
from advisor.answers.file import parse

SMALL = small_base()
SHIPPED = shipped()
BASES = pytest.mark.parametrize("base", [SMALL, SHIPPED], ids=["small", "shipped"])


@BASES
def test_it_is_valid_as_it_stands(base):
    project = parse(new(base), "new.yaml", base)
    (feature,) = project.features
    given = project.answers(feature)
    assert given == {fact: value for fact, value in EXAMPLE.items() if fact in base.questions}
    assert given


@BASES
def test_it_is_valid_with_every_line_uncommented_and_then_answers_every_question(base):
    text = re.sub(r"(?m)^( *)#(?! )", r"\1", new(base))
    project = parse(text, "new.yaml", base)
    given = project.answers(project.features[0])
    assert set(given) == set(base.questions)


@BASES
def test_every_question_stands_there_with_what_may_be_answered(base):
    text = new(base)
    words = " ".join(re.sub(r"(?m)^ *# *", "", text).split())
    for question in base.questions.values():
        assert len(re.findall(rf"(?m)^ *#?{question.id}: ", text)) == 1
        assert f"{' '.join(question.ask.split())} {allowed(question)}" in words


@BASES
def test_its_lines_fit_and_hold_nothing_unseen(base):
    assert all(len(line) <= 100 and line.isprintable() for line in new(base).splitlines())


def test_everything_filled_in_is_a_question_of_the_shipped_rules():
    assert set(EXAMPLE) <= set(SHIPPED.questions)
