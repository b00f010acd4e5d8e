"""Answers written into a file that a person wrote: it says what was meant, and every other line stays to the byte."""

from __future__ import annotations

from difflib import ndiff
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.handwritten_answers import Hand, edited, random_project
from support.small_base import small_base

from advisor.answers.blank import new
from advisor.answers.file import parse
from advisor.answers.rewrite import same_features, splice
from advisor.base.data import data
from advisor.base.errors import InputError, OutputError
from advisor.interview.session import Session
from advisor.model.project import Feature
from advisor.model.values import UNKNOWN, Other
from advisor.ruleset.cache import load

BASE = small_base()
seeds = st.integers(0, 2**32)
often = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


# --- any file, any edits ----------------------------------------------------------------------------------------------


def touched(before, after):
    """What the edits were about, in the terms of `handwritten`; lines about anything else may not change."""
    about = set()
    for scope in ("path", "app"):
        old, now = getattr(before, scope), getattr(after, scope)
        about |= {(scope, fact) for fact in {*old, *now} if old.get(fact) != now.get(fact)}
        about |= {(scope, "")} if old != now else set()
    was = same_features(before.features, after.features)
    for i, feature in enumerate(before.features):
        if i not in was:
            about.add((i,))
            continue
        now = after.features[was.index(i)]
        about |= {(i, fact) for fact in {*feature.facts, *now.facts} if feature.facts.get(fact) != now.facts.get(fact)}
        about |= {(i, "name")} if now.name != feature.name else set()
        about |= {(i, "")} if now != feature else set()
    about |= {("project",)} if before.name != after.name else set()
    return about | ({("features",)} if before.features != after.features else set())


def lost(lines, after, about):
    """The lines that should have stayed and did not, or not in their order."""
    left = after.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    feature_gone = any(len(subject) == 1 and isinstance(subject[0], int) for subject in about)
    missing = []
    for line, subject in lines:
        if subject[:1] in about or subject[:2] in about or (feature_gone and not line.strip()):
            continue
        plain = line if len(subject) < 3 else line.replace(",", "")  # in brackets a comma may come and go
        place = next(
            (i for i, found in enumerate(left) if (found if len(subject) < 3 else found.replace(",", "")) == plain),
            None,
        )
        if place is None:
            missing.append(line)
        else:
            left = left[place + 1 :]
    return missing


@pytest.mark.long
@often
@given(seeds)
def test_a_file_of_any_style_says_what_was_meant_and_all_other_lines_stay(seed):
    rng = Random(seed)
    project = random_project(rng, BASE)
    text, lines = Hand(rng, BASE).file(project)
    before = parse(text, "a.yaml", BASE)
    assert before == project  # or the test writes what it does not mean
    after = edited(rng, before, BASE)
    changed = splice(text, after, BASE)
    assert parse(changed, "a.yaml", BASE) == after
    assert lost(lines, changed, touched(before, after)) == [], f"{text}\n=====\n{changed}"
    assert changed.startswith("\ufeff") == text.startswith("\ufeff")
    assert changed.endswith(("\n", "\r")) == text.endswith(("\n", "\r"))
    breaks = {"\r\n" in text, "\n" in text.replace("\r\n", ""), "\r" in text.replace("\r\n", "")}
    if breaks == {True, False}:
        assert ("\r\n" in changed) == ("\r\n" in text)
        assert ("\r" in changed.replace("\r\n", "")) == ("\r" in text.replace("\r\n", ""))


# --- what people write ------------------------------------------------------------------------------------------------


def session(text, change):
    """The text after a change of the interview, at the shipped rules."""
    base = shipped()
    return splice(text, change(Session.from_project(parse(text, "a", base), base)).project, base)


def shipped(_kept=[]):  # noqa: B006  # kept between calls on purpose
    if not _kept:
        _kept.append(load())
    return _kept[0]


HAND = """\
# Acme, for the board on Friday
project: 'Acme orders'   # working title

path:
  reverse-proxy: nginx       # asked Bob
  http2-to-browser: yes
features:
  # the shop
  - name: order status
    media: no
    clients:
      - browser   # mostly
      - ios

  # the desk
  - {name: desk, media: no}   # small
"""


def test_an_answer_touches_its_own_line_and_takes_the_style_of_what_stood_there():
    changed = session(HAND, lambda s: s.answer("reverse-proxy", "caddy").rename_project("Acme's"))
    assert changed == HAND.replace("nginx  ", "caddy  ").replace("'Acme orders'", "'Acme''s'")


def test_answers_come_where_their_questions_belong():
    changed = session(HAND, lambda s: s.answer("background-delivery", False).answer("cdn", Other("KeyCDN: x")))
    with_both = HAND.replace("    media: no\n", "    media: no\n    background-delivery: no\n")
    assert changed == with_both.replace("# asked Bob\n", '# asked Bob\n  cdn: {other: "KeyCDN: x"}\n')


def test_a_list_gains_and_loses_single_lines_and_keeps_its_comments():
    changed = session(HAND, lambda s: s.answer("clients", ("browser", "server", Other("pager"))))
    assert "      - browser   # mostly\n      - server\n      - {other: pager}\n\n  # the desk" in changed
    assert "clients: []\n\n" in session(HAND, lambda s: s.answer("clients", ()))
    assert "clients: unknown\n\n" in session(HAND, lambda s: s.unknown("clients"))


def test_a_mapping_in_brackets_stays_one():
    changed = session(HAND, lambda s: s.select(1).answer("background-delivery", False))
    assert changed == HAND.replace("media: no}", "media: no, background-delivery: no}")
    gone = session(changed, lambda s: s.select(1).clear("media"))
    assert gone == HAND.replace("media: no}", "background-delivery: no}")


def test_features_come_and_go_with_their_comments_and_the_others_stay():
    added = session(HAND, lambda s: s.add_feature("chat: new").answer("media", True))
    assert added == HAND + '\n  - name: "chat: new"\n    media: yes\n'
    renamed = session(HAND, lambda s: s.rename_feature("orders"))
    assert renamed == HAND.replace("name: order status", "name: orders")
    removed = session(HAND, lambda s: s.remove_feature())
    assert removed == HAND.replace(HAND[HAND.index("  - name: order") : HAND.index("  # the desk")], "")
    copied = session(HAND, lambda s: s.duplicate_feature("copy"))
    assert copied == HAND + "\n  - name: copy\n    media: no\n    clients: [browser, ios]\n"


def test_a_new_section_stands_at_its_place():
    changed = session(HAND, lambda s: s.answer("instances", 3))
    assert changed == HAND.replace("features:", "app:\n  instances: 3\nfeatures:")
    bare = "features: [{name: a}]"
    assert session(bare, lambda s: s.answer("cdn", "none").answer("instances", 2)) == (
        "path:\n  cdn: none\napp:\n  instances: 2\nfeatures: [{name: a}]"
    )
    json_text = '{"features": [{"name": "a", "media": null}]}\n'
    assert session(json_text, lambda s: s.answer("media", False).answer("cdn", "none")) == (
        '{"path": {"cdn": "none"}, "features": [{"name": "a", "media": false}]}\n'
    )


def test_in_the_template_an_answer_stands_under_its_question():
    text = new(shipped())

    def change(s):
        return (
            s.unknown("media")
            .answer("instances", 3)
            .answer("background-delivery", True)
            .answer("http2-to-browser", False)
        )

    changed = session(text, change)
    difference = [line for line in ndiff(text.splitlines(), changed.splitlines()) if line[:2] in ("- ", "+ ")]
    assert sorted(line[2:] for line in difference if line[0] == "+") == [
        "    background-delivery: yes", "    media: unknown", "  http2-to-browser: no", "  instances: 3",
    ]  # fmt: skip
    assert all(line[2:].lstrip().startswith("#") for line in difference if line[0] == "-")
    assert len(text.splitlines()) == len(changed.splitlines())


def test_a_note_that_only_looks_like_a_question_stays():
    text = "features:\n  - name: a\n    # media: yes, says Bob\n    background-delivery: no\n"
    changed = session(text, lambda s: s.answer("media", False))
    assert changed == text.replace("Bob\n", "Bob\n    media: no\n")


@pytest.mark.parametrize("file", sorted(data("rules/examples").glob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_example_keeps_every_line_when_something_is_added(file):
    text = file.read_text("utf-8")
    changed = session(text, lambda s: s.add_feature("one more").answer("media", False))
    assert changed.startswith(text.rstrip("\n"))
    assert session(text, lambda s: s) == text


def test_nothing_is_changed_where_the_reader_refuses_the_file():
    project = parse("features: [{name: a}]", "a", BASE)
    for text in ("features:\n  - &x {name: a}\n", "features: [", "- a\n"):
        with pytest.raises(InputError):
            splice(text, project, BASE)


def test_a_style_that_allows_no_change_in_place_is_said():
    text = "features: [name: a]\n"  # a mapping without brackets inside a list
    before = parse(text, "a", BASE)
    after = before._replace(features=(Feature("a", {"bidirectional-realtime": UNKNOWN}),))
    with pytest.raises(OutputError, match="in place"):
        splice(text, after, BASE)
    assert splice(text, before, BASE) == text
    assert splice(text, before._replace(features=(Feature("b", {}),)), BASE) == "features: [name: b]\n"
