"""The answers file: what each kind of question takes, every mistake with its place, and the way back into a file."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_base import small_base

from advisor.answers.file import MAX_FEATURES, UNNAMED, dump, parse, read, same_name, written
from advisor.answers.read_fact import MAX_TEXT, tidy, wrong_text
from advisor.base.data import data
from advisor.base.errors import Exit, InputError
from advisor.model.project import Feature, Project
from advisor.model.rulebase import Place
from advisor.model.values import UNKNOWN, Other, plain_name
from advisor.ruleset.cache import load

BASE = small_base()
ONE_LINE = "write one line without control characters"
OR_APP = "move it under app: or into a feature"
OR_PATH = "move it under path: or into a feature"
DIGITS = " by some YAML programs; write plain decimal digits"
BARE = "is not one of the answers (some YAML programs read it as"
CLIENTS = "(allowed: browser, ios, server, {other: TEXT} or unknown)"
LISTED = "(allowed: none, nginx, haproxy, {other: TEXT} or unknown)"


def problems(text):
    with pytest.raises(InputError) as caught:
        parse(text, "a.yaml", BASE)
    return [str(problem) for problem in caught.value.problems]


def outcome(text):
    """The problems of a text; where there are none, its project comes back from a file."""
    try:
        project = parse(text, "a.yaml", BASE)
    except InputError as error:
        return error.problems
    assert parse(dump(project, BASE), "a.yaml", BASE) == project
    return []


def fact(answer, name="latency-need-ms"):
    """What the answer is read as, in a file that has it in line 2, column 4 + len(name) + 2."""
    project = parse(f"features:\n- {name}: {answer}\n  name: f\n", "a.yaml", BASE)
    return project.features[0].facts[name]


def wrong(answer, name="latency-need-ms"):
    """The one problem of an answer; its place is checked here."""
    (problem,) = problems(f"features:\n- {name}: {answer}\n  name: f\n")
    place = f"a.yaml:2:{len(name) + 5}: {name}: "
    assert problem.startswith(place)
    return problem.removeprefix(place)


# --- the whole file ---------------------------------------------------------------------------------------------------

WHOLE = """\
project: Acme orders
path:  {reverse-proxy: nginx, http2-to-browser: yes}
app:   {instances: 3, broker: {other: Pulsar}}
features:
  - name: order status
    clients: [server, browser]
    bidirectional-realtime: no
    http2-to-browser: unknown
  - name: chat
"""


def test_a_file_becomes_a_project():
    project = parse(WHOLE, "a.yaml", BASE)
    assert project == Project(
        "Acme orders",
        {"http2-to-browser": True, "reverse-proxy": "nginx"},
        {"instances": 3, "broker": Other("Pulsar")},
        (
            Feature(
                "order status",
                {"clients": ("browser", "server"), "bidirectional-realtime": False, "http2-to-browser": UNKNOWN},
            ),
            Feature("chat", {}),
        ),
    )
    assert project.file == "a.yaml"
    assert project.features[0].place == Place("a.yaml", 5, 11)


@pytest.mark.parametrize("form", ["", "answers: 1\n", "answers: 2\n"])
def test_both_forms_are_read_alike(form):
    text = "project: p\nfeatures: [{name: a, clients: [browser]}, {name: b}]\n"
    assert parse(form + text, "a.yaml", BASE) == parse(text, "a.yaml", BASE)
    assert parse(form + text, "a.yaml", BASE).notes == ()


@pytest.mark.parametrize("form", ["3", "yes", "'2'", "2.5", "[2]", ""])
def test_a_form_that_nobody_knows_is_refused_at_its_place(form):
    with pytest.raises(InputError, match=r"a\.yaml:1:\d+: answers is the form of this file: write answers: 2"):
        parse(f"answers: {form}\nfeatures: [{{name: a}}]\n", "a.yaml", BASE)


def test_a_file_of_the_first_form_in_which_only_some_state_a_page_gets_a_note():
    text = "features:\n  - {name: a, page: shop}\n  - {name: b}\n  - {name: c}\n  - {name: d}\n"
    (note,) = parse(text, "a.yaml", BASE).notes
    assert note.startswith('a.yaml:1:1: "b" and "c" and 1 more state no page, so each is decided alone')
    assert parse("answers: 2\n" + text, "a.yaml", BASE).notes == ()


def test_a_feature_overrides_what_holds_for_all():
    project = parse(WHOLE, "a.yaml", BASE)
    first, second = map(project.answers, project.features)
    assert first["http2-to-browser"] is UNKNOWN
    assert second == {"http2-to-browser": True, "reverse-proxy": "nginx", "instances": 3, "broker": Other("Pulsar")}
    assert first["instances"] == 3


def test_facts_have_the_order_of_the_questions_wherever_they_stand():
    a = parse("features: [{name: f, page: p, clients: []}]", "a", BASE)
    b = parse("features: [{clients: [], page: p, name: f}]", "b", BASE)
    assert list(a.features[0].facts) == list(b.features[0].facts) == ["clients", "page"]


def test_a_project_needs_neither_name_nor_path_nor_app():
    for text in ("features: [{name: f}]", "project:\npath:\napp: ~\nfeatures: [{name: f}]"):
        assert parse(text, "a", BASE) == Project(UNNAMED, {}, {}, (Feature("f", {}),))


def test_an_answers_file_may_be_json():
    answers = {
        "project": "p",
        "features": [{"name": "f", "bidirectional-realtime": False, "page": None, "clients": ["ios"]}],
    }
    facts = parse(json.dumps(answers, indent=1), "a", BASE).features[0].facts
    assert facts == {"clients": ("ios",), "bidirectional-realtime": False, "page": UNKNOWN}


def test_a_file_and_standard_input_read_alike(tmp_path):
    (tmp_path / "a.yaml").write_text(WHOLE)
    code = (
        "from support import small_base as s; from advisor.answers import file; print(file.read('-', s.small_base()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=WHOLE.encode(),
        capture_output=True,
        check=True,
        cwd=data("rules").parent,
        env={"PYTHONPATH": f"tests:{data('rules').parent}"},
    )
    project = read(str(tmp_path / "a.yaml"), BASE)
    assert done.stdout.decode().strip() == str(project).replace(str(tmp_path / "a.yaml"), "<stdin>")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just words", "1:1: an answers file needs the key features: (`advisor new FILE` writes an example)"),
        ("- a\n- b", "1:1: an answers file needs the key features: (`advisor new FILE` writes an example)"),
        ("project: p", "1:1: there are no features; list them under features: and begin each with - name: NAME"),
        (
            "project: p\nfeatures:",
            "2:1: there are no features; list them under features: and begin each with - name: NAME",
        ),
        (
            "project: p\nfeatures: []",
            "2:1: there are no features; list them under features: and begin each with - name: NAME",
        ),
        ("features: {name: f}", "1:11: features must be a list; begin each feature with - name: NAME"),
        ("features: f", "1:11: features must be a list; begin each feature with - name: NAME"),
        ("features:\n- order status", "2:3: a feature begins with - name: NAME, followed by one answer per line"),
        ("features:\n-", "2:2: a feature begins with - name: NAME, followed by one answer per line"),
        ("features:\n- page: p", "2:3: this feature has no name; begin it with - name: NAME"),
        ("features:\n- name: [a]", "2:9: name: write a text, not a list"),
        ("features:\n- name:", "2:8: name: the text is missing; write it after the colon"),
        ("features:\n- name: ''", "2:9: name: the text is empty"),
        ("features:\n- name: 12", '2:9: name: without quotes, 12 is read as a number; write "12"'),
        ("features:\n- name: on", '2:9: name: without quotes, on is read as true or false; write "on"'),
        ('features:\n- name: "a\\nb"', r'2:9: name: "a\nb" contains \n; ' + ONE_LINE),
        ('features:\n- name: "\\e[2J"', r'2:9: name: "\x1b[2J" contains \x1b; ' + ONE_LINE),
        ("features:\n- name: a\u202eb", r'2:9: name: "a\u202eb" contains \u202e; ' + ONE_LINE),
        (f"features:\n- name: {'x' * 201}", "2:9: name: the text has 201 characters; the maximum is 200"),
        ("project: 3\nfeatures: [{name: f}]", '1:10: project: without quotes, 3 is read as a number; write "3"'),
        ("project: {a: b}\nfeatures: [{name: f}]", "1:10: project: write a text, not a mapping"),
        ("path: nginx\nfeatures: [{name: f}]", "1:7: path: write one answer per line, as ID: ANSWER"),
        ("app: [a]\nfeatures: [{name: f}]", "1:6: app: write one answer per line, as ID: ANSWER"),
        ("featuers: 1\nfeatures: [{name: f}]", '1:1: unknown key "featuers"; did you mean features?'),
        ("page: p\nfeatures: [{name: f}]", "1:1: page is not allowed here; move it into a feature"),
        ("broker: redis\nfeatures: [{name: f}]", f"1:1: broker is not allowed here; {OR_APP}"),
        ("path: {page: p}\nfeatures: [{name: f}]", "1:8: page is not allowed under path:; move it into a feature"),
        ("path: {broker: redis}\nfeatures: [{name: f}]", f"1:8: broker is not allowed under path:; {OR_APP}"),
        (
            "app:\n  nginx-version: unknown\nfeatures: [{name: f}]",
            f"2:3: nginx-version is not allowed under app:; {OR_PATH}",
        ),
        (
            "app: {name: x}\nfeatures: [{name: f}]",
            "1:7: name is allowed only in a feature; write the name of the project as project: NAME",
        ),
        (
            "features:\n- name: f\n  latency_need: 1",
            '3:3: unknown key "latency_need"; did you mean latency-need-ms?',
        ),
        ("features:\n- name: f\n  zebra: 1", '3:3: unknown key "zebra"; `advisor new -` lists all keys'),
        ('features:\n- name: f\n  "\\e]0;x\\a": 1', r'3:3: unknown key "\x1b]0;x\x07"; `advisor new -` lists all keys'),
        ("features:\n- name: f\n  name: g", '3:3: the key "name" is already in line 2; remove one of them'),
        ("", "1:1: the file is empty"),
    ],
)
def test_what_is_wrong_with_the_file_and_where(text, said):
    assert problems(text) == [f"a.yaml:{said}"]


@pytest.mark.parametrize(("one", "two"), [("a b", "A  B"), ("\u00e9", "e\u0301"), ("x", "x")])
def test_two_features_of_one_name(one, two):
    assert problems(f"features:\n- name: {one}\n- name: b\n- page: p\n  name: {two!r}") == [
        f'a.yaml:5:9: a feature named "{two}" is already in line 2; rename one'
    ]


def test_ten_thousand_features_get_one_clear_line():
    started = time.monotonic()
    assert problems("features:\n" + "".join(f"- name: f{i}\n" for i in range(10_000))) == [
        "a.yaml:1:1: 10,000 features are too many; one file may have 200"
    ]
    assert time.monotonic() - started < 5
    most = parse("features:\n" + "".join(f"- name: f{i}\n" for i in range(MAX_FEATURES)), "a", BASE)
    assert len(most.features) == MAX_FEATURES


def test_every_mistake_is_told_in_the_order_of_the_file():
    text = "featurs: 1\napp: {instances: 0}\npath: {reverse-proxy: ngnix}\nfeatures:\n- nam: f\n  page: no\n"
    assert problems(text) == [
        'a.yaml:1:1: unknown key "featurs"; did you mean features?',
        "a.yaml:2:18: instances: 0 is too small; the minimum is 1",
        f'a.yaml:3:23: reverse-proxy: "ngnix" is not one of the answers; did you mean nginx? {LISTED}',
        "a.yaml:5:3: this feature has no name; begin it with - name: NAME",
        'a.yaml:5:3: unknown key "nam"; did you mean name?',
        'a.yaml:6:9: page: without quotes, no is read as true or false; write "no"',
    ]


def test_a_mistake_is_the_users_and_shows_the_line():
    with pytest.raises(InputError) as caught:
        parse("features:\n- name: f\n  instances: 0 # \u202e", "a", BASE)
    assert caught.value.exit == Exit.USAGE
    assert [p.source for p in caught.value.problems] == [r"  instances: 0 # \u202e"]


# --- unknown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clients", "kind", "bidirectional-realtime", "latency-need-ms", "page"])
@pytest.mark.parametrize("word", ["unknown", '"unknown"', "null", "~", ""])
def test_unknown_is_an_answer_to_every_question(name, word):
    assert fact(word, name) is UNKNOWN


# --- yes-no -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", True),
        ("no", False),
        ("true", True),
        ("false", False),
        ("True", True),
        ("FALSE", False),
        ('"yes"', True),
        ("'no'", False),
        ('"true"', True),
    ],
)
def test_yes_and_no(word, value):
    assert fact(word, "bidirectional-realtime") is value


@pytest.mark.parametrize(
    ("word", "meant"),
    [("Yes", "yes"), ("NO", "no"), ("on", "yes"), ("off", "no"), ("y", "yes"), ("n", "no"), ("1", "yes"), ("0", "no")],
)
def test_other_spellings_of_yes_and_no_are_asked_back(word, meant):
    assert wrong(word, "bidirectional-realtime") == (
        f'"{word}" is not an answer; write yes, no or unknown; did you mean {meant}?'
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("maybe", '"maybe" is not an answer; write yes, no or unknown'),
        ('"\\e[2J"', r'"\x1b[2J" is not an answer; write yes, no or unknown'),
        ("''", '"" is not an answer; write yes, no or unknown'),
        ("[yes]", "write yes, no or unknown, not a list"),
        ("{other: x}", "write yes, no or unknown, not a mapping"),
        ("x" * 100, '"' + "x" * 57 + '..." is not an answer; write yes, no or unknown'),
    ],
)
def test_neither_yes_nor_no(word, said):
    assert wrong(word, "bidirectional-realtime") == said


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0", 0),
        ("0.2", 0.2),
        ("5.0", 5),
        ("-0.0", 0),
        ("1e3", 1000),
        ("1e308", 1e308),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("+7", 7),
        (".5", 0.5),
        ("9007199254740991", 2**53 - 1),
        ("9007199254740992", float(2**53)),
        ("9007199254740993", float(2**53)),
        ("9" * 300, float("9" * 300)),
        ("1e-400", 0),
    ],
)
def test_numbers(word, value):
    assert fact(word) == value
    assert type(fact(word)) is type(value)
    assert str(fact(word)) == str(value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("-1", "-1 is negative; the minimum is 0"),
        (".nan", "the number must be finite; write another one, or unknown"),
        (".inf", "the number must be finite; write another one, or unknown"),
        ("-.inf", "the number must be finite; write another one, or unknown"),
        ("1e309", "1e309 is too large; write a smaller number"),
        ("9" * 5000, "99999999999999999... is too large; write a smaller number"),
        ("-" + "9" * 5000, "-9999999999999999... is too large; write a smaller number"),
        ("true", '"true" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("yes", '"yes" is read as true or false' + DIGITS),
        ("1:30", '"1:30" is read as a number in base 60' + DIGITS),
        ("012", '"012" is read as an octal number or one without its leading zeros' + DIGITS),
        ("0x10", '"0x10" is read as a number that is not decimal' + DIGITS),
        ("1_000", '"1_000" is read as a number without the _' + DIGITS),
        ("2026-11-24", '"2026-11-24" is read as a date' + DIGITS),
        ('"10"', '"10" is text because of its quotes; write 10 without them'),
        ("'true'", '"true" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("10k", '"10k" is not a number; write 10000'),
        ("1.5 K", '"1.5 K" is not a number; write 1500'),
        ("0,5", '"0,5" can mean 0.5 or 5; write 0.5 or 5'),
        ("1,0000", '"1,0000" can mean 1.0000 or 10000; write 1.0000 or 10000'),
        ("0,500 s", '"0,500 s" can mean 0.500 or 500; write 0.500 s or 500 s'),
        ("1,000,00", '"1,000,00" has a comma that separates no thousands; write 100000'),
        ("10M", '"M" is not a unit of a time; write one of ms, s, min, h or d'),
        ("2 m", '"m" is not a unit of a time; write one of ms, s, min, h or d'),
        ("2 kB", "2 kB has no unit of a time; write one of ms, s, min, h or d"),
        ("5/min", "5/min has no unit of a time; write one of ms, s, min, h or d"),
        ("-2 s", '"-2 s" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("1:30 min", '"1:30 min" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("many", '"many" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("٣", '"٣" is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        ("[1]", "write a number (in ms), not a list"),
        ("{other: 1}", "write a number (in ms), not a mapping"),
        ("' '", '" " is not a number; write the number (in ms), 2 s for 2,000, or unknown'),
        (
            "1" + "," * 50_000,
            '"1' + "," * 56 + '..." is not a number; write the number (in ms), 2 s for 2,000, or unknown',
        ),
    ],
)
def test_not_a_number_that_can_be_used(word, said):
    assert wrong(word) == said


@pytest.mark.grid
@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("250 ms", "latency-need-ms", 250),
        ("250ms", "latency-need-ms", 250),
        ("2 s", "latency-need-ms", 2000),
        ("0.1 s", "latency-need-ms", 100),
        ("0.3 s", "latency-need-ms", 300),
        ("2 min", "latency-need-ms", 120_000),
        ('"2 min"', "idle-timeout-s", 120),
        ("1 h", "idle-timeout-s", 3600),
        ("7 d", "idle-timeout-s", 604_800),
        ("500 ms", "idle-timeout-s", 0.5),
        ("2 kB", "payload-bytes", 2000),
        ("2 KiB", "payload-bytes", 2048),
        ("64 bytes", "payload-bytes", 64),
        ("1.5 MB", "payload-bytes", 1_500_000),
        ("5/min", "server-msg-rate-per-s", 5 / 60),
        ("5 / s", "server-msg-rate-per-s", 5),
        ("36/h", "server-msg-rate-per-s", 0.01),
        ("1,000/s", "server-msg-rate-per-s", 1000),
        ("1,000", "concurrent-clients", 1000),
        ('"1,000,000"', "concurrent-clients", 1_000_000),
        ("1,000.5 ms", "latency-need-ms", 1000.5),
    ],
)
def test_a_number_may_have_a_unit_of_its_kind(word, name, value):
    base = load()
    project = parse(f"features:\n- name: f\n  {name}: {word}\n", "a.yaml", base)
    read_as = project.features[0].facts[name]
    assert read_as == value
    assert type(read_as) is type(value)
    assert parse(dump(project, base), "a.yaml", base) == project


def test_a_count_takes_no_unit():
    assert wrong("5 ms", "concurrent-clients") == "5 ms has a unit, and the answer is a plain number of clients"
    assert wrong("1 s", "instances") == "1 s has a unit, and the answer is a plain number of instances"


@given(st.integers(1, 10**6), st.sampled_from([("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)]))
def test_a_whole_amount_of_a_unit_is_a_whole_number_of_the_question(amount, unit):
    word, factor = unit
    assert fact(f"{amount} {word}") == amount * factor


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("0", "0 is too small; the minimum is 1"),
        ("1.5", "1.5 is not a whole number; round it"),
        ("1e-9", "1e-9 is too small; the minimum is 1"),
        ("-3", "-3 is negative; the minimum is 1"),
    ],
)
def test_instances_are_whole_and_one_at_least(word, said):
    assert wrong(word, "instances") == said


def test_counts_are_whole_however_large():
    assert fact("1e308", "concurrent-clients") == 1e308
    assert fact("1000.0", "concurrent-clients") == 1000
    assert wrong("0.5", "concurrent-clients") == "0.5 is not a whole number; round it"


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60))
def test_tidying_keeps_the_number(value):
    assert float(tidy(value)) == float(value)
    assert str(tidy(value)) != "-0.0"
    assert repr(tidy(tidy(value))) == repr(tidy(value))


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "value"),
    [("nginx", "nginx"), ('"none"', "none"), ("{other: KeyCDN}", Other("KeyCDN")), ('{other: " a b "}', Other("a b"))],
)
def test_one_of(word, value):
    assert fact(word, "reverse-proxy") == value


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ngnix", f'"ngnix" is not one of the answers; did you mean nginx? {LISTED}'),
        ("zebra", f'"zebra" is not one of the answers {LISTED}'),
        ("5", f'"5" is not one of the answers {LISTED}'),
        ("no", f'"no" {BARE} true or false); did you mean none? {LISTED}'),
        ("false", f'"false" is not one of the answers; did you mean none? {LISTED}'),
        ("on", f'"on" {BARE} true or false) {LISTED}'),
        ("1:30", f'"1:30" {BARE} a number in base 60) {LISTED}'),
        ("other", "other needs a text; write {other: TEXT}"),
        ("[nginx]", f"write one answer, not a list {LISTED}"),
        ("{}", f"empty braces are not an answer {LISTED}"),
        ("x\u202ey", rf'"x\u202ey" is not one of the answers {LISTED}'),
    ],
)
def test_not_one_of(word, said):
    assert wrong(word, "reverse-proxy") == said


def test_a_long_list_of_options_is_not_spelled_out():
    assert wrong("kind-19x", "kind") == (
        '"kind-19x" is not one of the answers; did you mean kind-19? (advisor explain kind lists all answers)'
    )


@pytest.mark.parametrize(
    ("word", "column", "said"),
    [
        ("{other: }", 26, "other needs a text; if you do not know it, write unknown without braces"),
        ("{other: unknown}", 26, "other needs a text; if you do not know it, write unknown without braces"),
        ("{other: 7}", 26, 'without quotes, 7 is read as a number; write "7"'),
        ("{other: yes}", 26, 'without quotes, yes is read as true or false; write "yes"'),
        ("{other: [x]}", 26, "write a text, not a list"),
        ("{ohter: x}", 19, '"ohter" is not allowed here; only {other: TEXT} has braces'),
        ("{nginx: x}", 19, '"nginx" is not allowed here; write nginx without braces'),
        ("{other: x, y: z}", 29, '"y" is not allowed here; only {other: TEXT} has braces'),
    ],
)
def test_other_takes_one_text(word, column, said):
    text = f"features:\n- reverse-proxy: {word}\n  name: f\n"
    (problem,) = problems(text)
    assert problem == f"a.yaml:2:{column}: reverse-proxy: {said}"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("[]", ()),
        ("[server, browser]", ("browser", "server")),
        ("[{other: b}, ios, {other: a}]", ("ios", Other("b"), Other("a"))),
    ],
)
def test_some_of(word, value):
    assert fact(word, "clients") == value


@pytest.mark.parametrize(
    ("word", "column", "said"),
    [
        ("browser", 12, "write a list, such as [browser]; [] means none of them"),
        ("none", 12, "write a list, such as [browser]; [] means none of them"),
        ("{other: x}", 12, "write a list, such as [browser]; [] means none of them"),
        ("[ios, ios]", 18, '"ios" is in the list twice'),
        ("[{other: x}, {other: x}]", 25, '"x" is in the list twice'),
        ("[ios, unknown]", 18, "one entry of the list cannot be unknown; write clients: unknown for the whole list"),
        ("[ios, ]", 12, None),
        ("[ios, ~]", 18, "one entry of the list cannot be unknown; write clients: unknown for the whole list"),
        ("[[ios]]", 13, "write one answer, not a list " + CLIENTS),
        ("[brwser]", 13, '"brwser" is not one of the answers; did you mean browser? ' + CLIENTS),
        ("[" + "ios, " * 51 + "]", 12, "the list has 51 entries; the maximum is 50"),
    ],
)
def test_not_some_of(word, column, said):
    text = f"features:\n- clients: {word}\n  name: f\n"
    if said is None:
        assert parse(text, "a", BASE).features[0].facts == {"clients": ("ios",)}
    else:
        assert problems(text) == [f"a.yaml:2:{column}: clients: {said}"]


def test_every_wrong_part_of_a_list_is_told():
    assert len(problems("features:\n- name: f\n  clients: [a, b, ios, c]")) == 3


def test_another_name_of_a_listed_answer_is_that_answer_with_a_note():
    base = load()
    text = (
        "path: {cdn: {other: azure-frontdoor}, load-balancer: {other: AWS ALB}}\n"
        "features:\n- name: f\n  reverse-proxy: {other: Nginx}\n"
        "  clients: [ios, {other: Browser on a computer}, {other: kiosk}]\n"
        "  service-mesh: {other: Consul Connect}\n"
    )
    project = parse(text, "a.yaml", base)
    facts = project.answers(project.features[0])
    assert (facts["cdn"], facts["load-balancer"], facts["reverse-proxy"]) == ("azure-front-door", "aws-alb", "nginx")
    assert facts["clients"] == ("browser", "ios", Other("kiosk"))
    assert facts["service-mesh"] == Other("Consul Connect")
    assert [note.split(": ", 1)[0] for note in project.notes] == [
        "a.yaml:1:21",
        "a.yaml:1:62",
        "a.yaml:4:26",
        "a.yaml:5:26",
    ]
    assert project.notes[1].endswith('load-balancer: "AWS ALB" is read as the listed answer aws-alb')
    assert parse(dump(project, base), "a.yaml", base) == project


def test_a_name_of_two_listed_answers_is_neither():
    base = load()
    for question in base.questions.values():
        for name, option in question.also_called.items():
            others = {plain_name(other) for other in question.options if other != option}
            assert name not in others, (question.id, name)


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1.22.1", "1.22.1"),
        ('"1.30"', "1.30"),
        ("ticket page", "ticket page"),
        ('" x "', "x"),
        ("'no'", "no"),
        ("Zürich 😀", "Zürich 😀"),
        ('"a\\u200db"', "a\u200db"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
    ],
)
def test_texts(word, value):
    assert fact(word, "nginx-version") == value


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("1.30", 'without quotes, 1.30 is read as a number; write "1.30"'),
        ("true", 'without quotes, true is read as true or false; write "true"'),
        ("1:30", 'without quotes, 1:30 is read as a number in base 60; write "1:30"'),
        ("2026-11-24", 'without quotes, 2026-11-24 is read as a date; write "2026-11-24"'),
        ("!!int 3", "write a text"),
        ('"\\x9b"', r'"\x9b" contains \x9b; write one line without control characters'),
    ],
)
def test_not_a_text(word, said):
    assert wrong(word, "page") == said


# --- the way back -----------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=30).map(str.strip).filter(lambda t: not wrong_text(t))
WORDS = st.sampled_from(
    [
        "a: b",
        "# x",
        "- x",
        "{a}",
        '"',
        "\\",
        "'",
        "a  b",
        "x #y",
        "!x",
        "&a",
        "*a",
        "yes",
        "No",
        "null",
        "~",
        "1",
        "1.5",
        "012",
    ]
) | st.sampled_from(["1:30", "=", "<<", "2026-11-24", "1e3", "0x1", "1_0", "true", ".inf", "unknown"])
NAMES = TEXTS | WORDS


def _answers(question):
    other = NAMES.filter(lambda t: t.casefold() not in question.options and t != "unknown").map(Other)
    choice = st.sampled_from(list(question.options) or ["-"]) | other
    least = int(question.minimum)
    numbers = st.integers(least, 10**17) | st.sampled_from([1e308, 1e300])
    if not question.whole:
        numbers |= st.floats(question.minimum, allow_nan=False, allow_infinity=False)
    return (
        st.just(UNKNOWN)
        | {
            "yes-no": st.booleans(),
            "number": numbers.map(tidy),
            "one-of": choice,
            "some-of": st.lists(choice, unique=True, max_size=4).map(lambda chosen: _in_order(question, chosen)),
            "text": NAMES.filter(lambda t: t != "unknown"),
        }[question.type]
    )


def _in_order(question, chosen):
    listed = sorted((c for c in chosen if isinstance(c, str)), key=list(question.options).index)
    return (*listed, *(c for c in chosen if isinstance(c, Other)))


def _facts(*scopes):
    return st.fixed_dictionaries({}, optional={q.id: _answers(q) for q in BASE.questions.values() if q.scope in scopes})


FEATURES = st.lists(
    st.builds(Feature, NAMES, _facts("feature", "path", "app")),
    min_size=1,
    max_size=3,
    unique_by=lambda f: same_name(f.name),
)
PROJECTS = st.builds(Project, NAMES, _facts("path"), _facts("app"), FEATURES.map(tuple))


@pytest.mark.long
@given(PROJECTS)
@settings(max_examples=300, deadline=None)
def test_a_project_comes_back_from_its_file(project):
    text = dump(project, BASE)
    again = parse(text, "a", BASE)
    assert again == project
    assert dump(again, BASE) == text
    assert all(line.isprintable() for line in text.splitlines())


@given(NAMES | st.floats(0, allow_nan=False, allow_infinity=False))
@settings(max_examples=500)
def test_texts_and_numbers_are_the_same_to_a_reader_of_yaml_1_1(value):
    value = tidy(value) if isinstance(value, float) else value
    read_back = yaml.safe_load(f"k: {written(value)}")["k"]
    assert read_back == value
    assert isinstance(read_back, str) == isinstance(value, str)


def test_a_written_file_is_easy_to_read():
    assert dump(parse(WHOLE, "a", BASE), BASE) == (
        "answers: 2\nproject: Acme orders\n\npath:\n  http2-to-browser: yes\n  reverse-proxy: nginx\n\n"
        "app:\n  instances: 3\n"
        "  broker: {other: Pulsar}\n\nfeatures:\n  - name: order status\n    clients: [browser, server]\n"
        "    bidirectional-realtime: no\n    http2-to-browser: unknown\n\n  - name: chat\n"
    )


# --- anything at all --------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["project", "path", "app", "features", "name", "other", "x", *BASE.questions])
LEAVES = (
    NAMES
    | st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["unknown", "ios", "nginx", "\x1b[2J"])
)
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(KEYS, t, max_size=4), max_leaves=12)
FILES = st.fixed_dictionaries(
    {}, optional={"features": st.lists(st.dictionaries(KEYS, TREES)) | TREES, "path": TREES, "app": TREES}
)


@pytest.mark.long
@given(FILES | TREES)
@settings(max_examples=500, deadline=None)
def test_any_structure_is_read_or_refused(tree):
    text = yaml.safe_dump(tree, allow_unicode=True)
    assert all(str(p).isprintable() for p in outcome(text))


@given(st.text(st.sampled_from("features: name\n- {}[]'\",page:nx\u202e\t&*!|>"), max_size=60))
@settings(max_examples=500)
def test_any_text_is_read_or_refused(text):
    assert all(str(p).isprintable() for p in outcome(text))


@pytest.mark.parametrize(
    "text",
    [
        "features:\n- name: f\n" + "".join(f"  latency-need-m{i}: 1\n" for i in range(10_000)),
        "features: [{name: f, clients: [" + ", ".join(f"o{i}" for i in range(30_000)) + "]}]",
        "features:\n"
        + "".join(f"- {{name: f{i}, clients: [a, b, c, d], kind: kind-x, page: no}}\n" for i in range(200)),
        "features: [{name: f, page: '" + "x" * 250_000 + "'}]",
        "features: [{name: f, latency-need-ms: " + "9" * 250_000 + "}]",
        "project: " + "a:" * 100_000,
        "features: [{name: f, reverse-proxy: {" + ", ".join(f"k{i}: 1" for i in range(20_000)) + "}}]",
    ],
    ids=["keys", "options", "features", "text", "digits", "colons", "other"],
)
def test_a_full_file_of_mistakes_is_done_in_time(text):
    started = time.monotonic()
    assert len(problems(text)) <= 20
    assert time.monotonic() - started < 10


# --- the shipped rules ------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("file", sorted((data("rules") / "examples").glob("*.yaml")), ids=lambda f: f.stem)
def test_a_shipped_example_is_read_and_written_back(file):
    base = load()
    project = read(file, base)
    assert parse(dump(project, base), "a", base) == project
    assert project.features


def test_reading_answers_loads_none_of_the_heavy_packages():
    code = "import sys; from advisor.answers.file import parse; from support.small_base import small_base\n"
    code += "parse('features: [{name: f}]', 'a', small_base())\n"
    code += "assert not {'pydantic', 'textual', 'rich', 'jinja2', 'dataclasses', 'pathlib'} & set(sys.modules)"
    root = data("rules").parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={"PYTHONPATH": f"tests:{root}"})
