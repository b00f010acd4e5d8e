"""The interview as a value: any sequence of operations leaves a valid one, and its file decides what it shows."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, given, settings
from support.random_bases import random_base, random_value, randoms

from advisor.answers.check import RefusedError, fitting, unknown_means
from advisor.answers.file import MAX_FEATURES, dump, parse, read
from advisor.engine.decision_diagram import Diagram
from advisor.engine.portfolio import recommend
from advisor.interview import ending
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.model.values import UNKNOWN, Other
from advisor.report import words
from advisor.ruleset.cache import load
from advisor.tui import cards

slow = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = ["chat", "[red]orders[/]", "order: status", "№ 1", "  spaced  ", "Chat", "", "a\x1b[31m", "x" * 300, "yes"]


@pytest.fixture(scope="module")
def base():
    return load()


def legal(rng, question):
    """A legal answer to a question of the shipped rules."""
    if rng.random() < 0.15:
        return UNKNOWN
    if question.type == "text":
        return rng.choice(["1.22.1", "yes", "a page", "[b]"])
    if question.type == "number":
        numbers = (0, 0.05, 1, 3, 60, 5000, 250_000, 1e308)
        fit = [v for v in numbers if v >= question.minimum and (not question.whole or v == int(v))]
        return rng.choice(fit)
    if question.type == "some-of":
        some = rng.sample(list(question.options), rng.randint(0, 3))
        return (*some, Other("mine")) if rng.random() < 0.2 else tuple(some)
    return random_value(rng, question)


def step(session, rng):
    """One random operation of a person."""
    asked = session.question or rng.choice(list(session.base.questions.values()))
    any_fact = rng.choice(list(session.base.questions))
    name = rng.choice(NAMES)
    return rng.choice([
        *[lambda: session.answer(asked.id, legal(rng, asked))] * 12,
        lambda: session.answer(any_fact, legal(rng, session.base.questions[any_fact])),
        lambda: session.clear(any_fact),
        lambda: session.unknown(asked.id),
        session.back, session.forward, session.undo,
        lambda: session.goto(any_fact),
        lambda: session.add_feature(name),
        lambda: session.rename_feature(name),
        lambda: session.duplicate_feature(name),
        session.remove_feature,
        lambda: session.select(rng.randint(-1, 3)),
        lambda: session.rename_project(name),
    ])()  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(600)
@slow
@given(randoms)
def test_after_any_operations_the_session_is_valid_and_its_file_agrees(rng):
    base = load_once()
    session = Session.new(base, "orders")
    for _ in range(rng.randint(5, 25)):
        before = session
        try:
            session = step(session, rng)
        except RefusedError:
            assert session is before
        assert 0 <= session.current < len(session.project.features)
        assert session.progress.least <= session.progress.most == len(session.open)
        assert (session.question is None) == (session.at is None and not session.open)
        assert set(session.standing) | set(session.parked) == set(session.answers)
        if len(session.past) > len(before.past):
            assert session.undo().project == before.project
    text = dump(session.project, base)
    again = parse(text, "answers.yaml", base)
    assert again == session.project
    assert recommend(again, base) == session.verdict
    assert Session.from_project(again, base).standing == Session.from_project(session.project, base).standing


BASES = {}


def load_once():
    return BASES.setdefault("shipped", load())


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(randoms)
def test_the_number_of_questions_left_is_at_least_and_at_most_what_it_says(rng):
    """Without priors: what one fills in for an "I don't know" can make the questions matter that the prior reads."""
    base = random_base(rng, priors=False)
    questions = {k: q._replace(feeds=("kit",) if rng.random() < 0.3 else ()) for k, q in base.questions.items()}
    session = Session.new(base.replaced(questions=questions), "f")
    bounds = []
    count = 0
    while session.question is not None:
        bounds.append((session.progress, count))
        asked = session.question
        try:
            session = session.answer(asked.id, UNKNOWN if rng.random() < 0.2 else random_value(rng, asked))
        except RefusedError:
            session = session.unknown(asked.id)
        count += 1
        assume(session.relevance.possible)  # an assumed answer may contradict a given one: then nothing is left to ask
    for progress, at in bounds:
        assert progress.least <= count - at <= progress.most
    assert session.progress.most == 0


@pytest.mark.long
def test_with_everything_answered_one_pattern_is_left_and_it_is_the_verdict(base):
    session = Session.new(base, "orders")
    while session.question is not None:
        question = session.question
        session = session.answer(question.id, "1.22.1" if question.type == "text" else question.lead)
    assert len(session.possible) == 1
    assert session.possible == [session.so_far] == [session.verdict["features"][0]["primary"]]
    certain = {c.id for c in session.caveats if c.certain}
    verdict = session.verdict
    told = {c["id"] for c in verdict["features"][0]["caveats"]}
    besides = {c["id"] for c in (*verdict["shared"]["handled"], *verdict["features"][0]["caveats_if"])}
    assert told <= certain <= told | besides


def test_the_article_as_walked_ends_where_the_verdict_says(base):
    session = Session.from_project(read("rules/examples/collaborative-editor.yaml", base), base)
    assert session.article[0].settles
    assert session.article[0].keeps == ("websocket",)
    assert {s.state for s in session.article[1:]} == {"not-reached"}
    assert session.verdict["features"][0]["article"] == {"primary": "websocket", "step": 1}


def test_i_do_not_know_and_not_asked_stay_apart_in_the_file(base):
    session = Session.new(base, "orders").unknown("media")
    text = dump(session.project, base)
    assert "media: unknown" in text
    assert "background-delivery" not in text
    again = Session.from_project(parse(text, "a", base), base)
    assert again.answers == {"media": UNKNOWN}
    assert again.question.id == "kind"


def test_an_answer_is_parked_with_its_question_and_returns_with_it(base):
    session = Session.new(base, "orders").answer("reverse-proxy", "nginx").answer("nginx-version", "1.22.1")
    assert session.parked == []
    other = session.answer("reverse-proxy", "caddy")
    assert other.parked == ["nginx-version"]
    assert "nginx-version" not in other.open
    assert dump(other.project, base).count("1.22.1") == 1
    assert other.answer("reverse-proxy", "nginx").parked == []
    assert {row.question.id: row.state for row in other.rows}["nginx-version"] == "parked"


def test_contradicting_answers_are_refused_with_reason_and_other_answer(base):
    session = Session.new(base, "orders").answer("existing-connection", "websocket")
    with pytest.raises(RefusedError, match=r"cannot be open.*answered existing-connection: a WebSocket"):
        session.answer("websockets-blocked", "always")
    assert "cannot be open" in session.preview("websockets-blocked", "always").refused
    assert session.answer("websockets-blocked", "sometimes").answers["websockets-blocked"] == "sometimes"


def test_a_shared_answer_that_contradicts_another_feature_is_refused_by_its_name(base):
    session = Session.new(base, "chat").answer("existing-connection", "websocket").add_feature("queue")
    with pytest.raises(RefusedError, match='in "chat"'):
        session.answer("websockets-blocked", "always")


@pytest.mark.long
def test_a_file_that_contradicts_itself_opens_says_why_and_can_be_mended(base):
    text = "path: {websockets-blocked: always}\nfeatures:\n  - name: a\n    existing-connection: websocket\n"
    session = Session.from_project(parse(text, "a", base), base)
    assert len(session.conflicts) == 1
    assert session.possible == []
    assert session.verdict["features"][0]["name"] == "a"
    mended = session.answer("existing-connection", "none")
    assert mended.conflicts == []
    assert mended.question is not None


@pytest.mark.parametrize(
    ("fact", "value", "said"),
    [
        ("media", "yes", "yes or no"),
        ("media", 1, "yes or no"),
        ("concurrent-clients", -1, "negative"),
        ("concurrent-clients", 1.5, "not a whole number"),
        ("concurrent-clients", float("nan"), "finite"),
        ("instances", 0, "the minimum is 1"),
        ("instances", True, "a number"),
        ("cdn", "cloudfare", "from the list"),
        ("cdn", ("fastly",), "from the list"),
        ("cdn", Other("Fastly"), "is already in the list; choose it there"),
        ("cdn", Other(""), "empty"),
        ("clients", "ios", "from the list"),
        ("clients", ("ios", "pager"), "from the list"),
        ("page", "a\x1b[31mb", "control characters"),
        ("page", "x" * 1_000_000, "the maximum is 200"),
        ("page", "", "empty"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_in_words_and_changes_nothing(base, fact, value, said):
    session = Session.new(base, "orders")
    with pytest.raises(RefusedError, match=said) as refused:
        session.answer(fact, value)
    assert "\x1b" not in str(refused.value)
    assert session.answers == {}


def test_choices_are_kept_in_the_order_of_the_question_and_once(base):
    given = (Other("pager"), "ios", "browser", "ios")
    assert fitting(base.questions["clients"], given) == ("browser", "ios", Other("pager"))


def test_undo_takes_back_change_after_change_whatever_they_were(base):
    sessions = [Session.new(base, "a")]
    for change in (
        lambda s: s.answer("media", False),
        lambda s: s.answer("media", True),
        lambda s: s.add_feature("b"),
        lambda s: s.rename_feature("c"),
        lambda s: s.duplicate_feature("d"),
        lambda s: s.remove_feature(),
        lambda s: s.rename_project("p"),
        lambda s: s.select(0).clear("media"),
    ):
        sessions.append(change(sessions[-1]))
    last = sessions[-1]
    assert last.past[-1].change == "media: no answer"
    for before in reversed(sessions[:-1]):
        last = last.undo()
        assert last.project == before.project
    with pytest.raises(RefusedError, match="nothing to undo"):
        last.undo()


def test_back_and_forward_walk_over_the_answers_and_an_answer_leads_on(base):
    """Along the way on which they were asked, and not in the order of the rules."""
    session = Session.new(base, "a").answer("clients", ("browser",)).answer("media", False)
    assert session.question.id == "kind"
    assert session.back().question.id == "media"
    first = session.back().back()
    assert first.question.id == "clients"
    with pytest.raises(RefusedError, match="first question"):
        first.back()
    assert first.forward().question.id == "media"
    assert first.forward().forward().question.id == "kind"
    assert first.answer("clients", ("browser", "ios")).question.id == "kind"
    assert session.goto("broker").question.id == "broker"
    with pytest.raises(RefusedError):
        session.goto("brokers")


def test_features_share_the_path_and_have_names_of_their_own(base):
    session = Session.new(base, "chat").answer("reverse-proxy", "nginx").answer("media", False).add_feature("queue")
    assert session.answers == {"reverse-proxy": "nginx"}
    assert session.question.id == "kind"
    copied = session.select(0).duplicate_feature("chat 2")
    assert copied.answers == {"media": False, "reverse-proxy": "nginx"}
    for name, why in (("CHAT", "already"), ("", "empty"), ("a\nb", "control")):
        with pytest.raises(RefusedError, match=why):
            session.add_feature(name)
    with pytest.raises(RefusedError, match="at least one"):
        Session.new(base, "only").remove_feature()
    many = Session.new(base, "0")
    for i in range(1, MAX_FEATURES):
        many = many.add_feature(str(i))
    with pytest.raises(RefusedError, match=str(MAX_FEATURES)):
        many.add_feature("one more")


def test_a_path_answer_of_one_feature_alone_is_edited_where_it_stands(base):
    text = "path: {cdn: fastly}\nfeatures:\n  - {name: a, cdn: none}\n  - {name: b}\n"
    session = Session.from_project(parse(text, "a", base), base).answer("cdn", "akamai")
    assert session.project.features[0].facts["cdn"] == "akamai"
    assert session.project.path["cdn"] == "fastly"
    assert session.select(1).answer("cdn", "cloudflare").project.path["cdn"] == "cloudflare"


def test_a_preview_says_what_the_answer_then_does(base):
    session = Session.new(base, "a").answer("media", False)
    seen = session.preview("clients", ("server",))
    after = session.answer("clients", ("server",))
    assert list(seen.left) == after.possible
    assert set(seen.falls) == set(session.possible) - set(after.possible)
    fell = {f.pattern: f for f in after.fallen}
    assert fell["webrtc"].facts == ("media",)
    assert {p for p, f in fell.items() if f.facts == ("clients",)} == set(seen.falls)


def test_a_fallen_pattern_names_the_rule_where_one_alone_did_it(base):
    session = Session.new(base, "a").answer("buffering-intermediary", True)
    fell = {f.pattern: f for f in session.fallen}
    assert fell["sse"].rule == "stream-held-back"
    assert fell["sse"].because == next(r.because for r in base.excludes if r.id == "stream-held-back")
    listens = Session.new(base, "b").answer("clients", ("browser",)).answer("media", False)
    listens = listens.answer("bidirectional-realtime", False)
    decided = listens.answer("background-delivery", True)
    streams = {f.rule for f in decided.fallen if f.pattern in ("sse", "websocket", "long-polling")}
    assert streams == {"closed-app-needs-push"}


def others(question, answer):
    """Other answers: every band of numbers, and each option with and without, also two that are needed together."""
    if question.type == "yes-no":
        return [value for value in (True, False) if value is not answer]
    if question.type == "number":
        return [max(band.low, question.minimum) for band in question.bands] or [0]
    if question.type == "one-of":
        return [option for option in question.options if option != answer]
    if question.type == "some-of":
        now = {choice for choice in answer if isinstance(choice, str)} if isinstance(answer, tuple) else set()
        changed = [now ^ {option} for option in question.options]
        few = [set(some) for count in (0, 1, 2) for some in itertools.combinations(question.options, count)]
        return [tuple(o for o in question.options if o in some) for some in (*changed, *few)]
    return ["elsewhere"]


def brings_back(session, fact, pattern):
    """Whether the engine finds the pattern possible again after some other answer."""
    for value in others(session.base.questions[fact], session.answers[fact]):
        try:
            after = session.answer(fact, value)
        except RefusedError:
            continue
        if pattern in after.possible:
            return True
    return False


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(randoms)
def test_the_answer_that_is_named_for_a_fallen_pattern_brings_it_back(rng):
    """With any other answer that is named alone, the engine itself finds the pattern possible again."""
    base = load_once()
    session = Session.new(base, "f")
    for _ in range(rng.randint(2, 30)):
        try:
            session = step(session, rng)
        except RefusedError:
            continue
    if session.conflicts:
        return
    for item in session.fallen:
        assert item.facts, item
        assert set(item.facts) <= set(session.answers)
        without = session
        for fact in item.facts:
            without = without.clear(fact)
        assert item.pattern in without.possible
        if len(item.facts) == 1:
            assert brings_back(session, item.facts[0], item.pattern), item
        else:  # none of them would do alone
            assert not any(item.pattern in session.clear(fact).possible for fact in item.facts)


def test_a_pattern_that_is_still_the_fallback_is_known(base):
    session = Session.from_project(read("rules/examples/notifications.yaml", base), base)
    assert session.fallback == session.verdict["features"][0]["fallback"] == "long-polling"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_the_end_the_open_answers_and_what_to_ask_next_agree_with_the_report(base, seed):
    rng = random.Random(seed)
    session = Session.new(base, "f")
    while session.question is not None:
        asked = session.question
        try:
            session = session.answer(asked.id, UNKNOWN if rng.random() < 0.3 else legal(rng, asked))
        except RefusedError:
            session = session.unknown(asked.id)
    feature = session.verdict["features"][0]
    said = " ".join(ending.paragraphs(session))
    unknown = ending.missing(session)
    assert {*words.still_open(feature)} <= {*unknown}
    assert ("Every question that can change the result is answered." in said) == (unknown == [])
    assert ("Ask this next: " in said) == (feature["ask_next"] is not None)
    if feature["ask_next"]:
        assert ending.next_fact(session) in unknown
    assert words.confidence_line(feature, base) in said
    shown = [block.content.plain.strip() for block in cards.changes(200, feature, base)]
    listed = shown[shown.index("Still open") + 1 :] if "Still open" in shown else []
    assert [line.partition("\n")[0] for line in listed] == words.still_open(feature)
    assert (f"Still open: {', '.join(words.still_open(feature))}." in said) == bool(listed)


def test_what_a_step_would_keep_is_not_called_kept_while_one_before_it_is_open(base):
    """A reader took it for the result: step 5 kept long polling, step 4 was open, and the verdict was another."""
    session = Session.new(base, "a").answer("bidirectional-realtime", False).answer("kind", "status")
    open_at = [step.number for step in session.article if step.state == "open"]
    for step in session.article:
        assert step.certain == (not open_at or step.number < open_at[0]), step


def test_words_for_answers_are_safe_to_show_and_say_units(base):
    questions = base.questions
    assert labelled(questions["instances"], 1) == "1 instance"
    assert labelled(questions["server-msg-rate-per-s"], 1) == "1 message per second"
    assert labelled(questions["idle-timeout-s"], 1) == "1 s"
    assert labelled(questions["clients"], ()) == "none of these"
    assert labelled(questions["cdn"], Other("a\x1b[31m")) == r"something else (a\x1b[31m)"
    rate = questions["server-msg-rate-per-s"]
    assert unknown_means(rate, {"kind": "logs"}, base) == "assumes: 5 messages per second"
    assert unknown_means(questions["corporate-networks"], {}, base) == "considers every answer"


def test_the_interview_and_its_plain_twin_never_load_textual_or_rich(base):
    code = (
        "import sys\n"
        "from advisor.interview import closing, export, plain, session\n"
        "from advisor.ruleset.cache import load\n"
        "s = session.Session.new(load(), 'a').answer('media', False)\n"
        "s.rows, s.caveats, s.article, s.fallen, s.verdict\n"
        "print([m for m in ('textual', 'rich', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert Diagram.of(base)


def test_a_step_of_the_article_that_nobody_answered_settles_nothing(base):
    """Its own reconnection was once taken for needed where nobody had said so, and step 4 settled every verdict."""
    session = Session.new(base, "orders").answer("bidirectional-realtime", False)
    session = session.answer("app-handles-reconnect", UNKNOWN)
    assert session.article[3].state == "passed"
    assert session.verdict["features"][0]["article"] == {"primary": None, "step": None}
    said = session.answer("app-handles-reconnect", False)
    assert said.article[3].state == "holds"
    assert said.verdict["features"][0]["article"] == {"primary": "sse", "step": 4}
