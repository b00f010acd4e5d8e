"""The prover against brute force on small bases, and on the shipped rules with a defect seeded in each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from support.random_bases import bands, consistent, make, means, pattern, question, worlds

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.model import rulebase as rb
from advisor.ruleset.compile import compile_folder
from advisor.ruleset.prove import prove

slow = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
BY_CASES = ("GAP", "DEAD_RULE", "AMBIGUOUS", "EMPTY_CHOICE", "DEAD_CAVEAT", "UNUSED_PATTERN", "DEAD_ALTERNATIVE")


def reach(world):
    """For every step: the rules' taken patterns over the cases that no rule of an earlier step holds for."""
    left = world.cases
    for step in world.base.steps:
        yield step, left
        left = [case for case in left if not any(means(rule.when, case, world.base) for rule in step.rules)]
    yield None, left


def by_cases(world):  # noqa: C901, PLR0912  # one paragraph a finding, in the order of the prover
    base, found = world.base, set()
    chosen, decided, taken = set(), set(), set()
    for step, left in reach(world):
        if step is None:
            found |= {"GAP:decision"} if left else set()
            continue
        for case in left:
            takes = {rule.id: world.takes(rule, case) for rule in step.rules}
            holding = [rule for rule in step.rules if means(rule.when, case, base)]
            decided |= {holding[0].id} if holding else set()
            for i, a in enumerate(holding):
                if takes[a.id] is None:
                    found.add(f"EMPTY_CHOICE:{a.id}")
                    continue
                taken.add((a.id, takes[a.id]))
                chosen.add(takes[a.id])
                for b in holding[i + 1 :]:
                    if takes[b.id] not in (None, takes[a.id]):
                        found.add(f"AMBIGUOUS:{a.id}+{b.id}")
    rules = [rule for step in base.steps for rule in step.rules]
    found |= {f"DEAD_RULE:{rule.id}" for rule in rules if rule.id not in decided}
    found |= {f"DEAD_ALTERNATIVE:{r.id}.{p}" for r in rules for p in r.patterns if (r.id, p) not in taken}
    found |= {f"UNUSED_PATTERN:{p}" for p in base.patterns if p not in chosen}
    for i, rule in enumerate(base.excludes):
        for name in rule.patterns:
            earlier = [r for r in base.excludes[:i] if name in r.patterns]
            if not any(
                means(rule.when, c, base) and not any(means(r.when, c, base) for r in earlier) for c in world.cases
            ):
                found.add(f"DEAD_RULE:{rule.id}.{name}")
    outcomes = [
        (case, name)
        for step, left in reach(world)
        for case in left
        for name in {world.takes(rule, case) for rule in (step.rules if step else ())} - {None}
    ]
    for rule in base.accepts:
        for name in rule.patterns:
            if not any(
                name != primary
                and not world.excluded(name, case)
                and means(rule.when, world.with_pattern(case, primary), base)
                for case, primary in outcomes
            ):
                found.add(f"DEAD_RULE:{rule.id}.{name}")
    for caveat in base.caveats.values():
        situations = caveat.when if isinstance(caveat.when, list) else [caveat.when]
        if not all(any(means(s, world.with_pattern(c, p), base) for c, p in outcomes) for s in situations):
            found.add(f"DEAD_CAVEAT:{caveat.id}")
    return found


@pytest.mark.long
@slow
@given(worlds())
def test_the_prover_reports_a_defect_exactly_when_a_case_shows_it(world):
    contradictions = {item.id for item in world.base.impossible}
    reported = {f.id for f in prove(world.base).findings if f.code in BY_CASES and f.subject not in contradictions}
    assert reported == by_cases(world)


@pytest.mark.long
@slow
@given(worlds())
def test_every_witness_is_a_case_that_really_shows_the_defect(world):
    base = world.base
    rules = {rule.id: (i, rule) for i, step in enumerate(base.steps) for rule in step.rules}
    for finding in prove(base).findings:
        if finding.code not in ("GAP", "AMBIGUOUS", "EMPTY_CHOICE"):
            continue
        shown = consistent(finding.witness, world)
        assert shown, finding
        named = [rules[name] for name in finding.subject.split("+")] if finding.code != "GAP" else []
        before = base.steps[: named[0][0]] if named else base.steps
        for case in shown:
            assert not any(means(r.when, case, base) for step in before for r in step.rules)
            assert all(means(rule.when, case, base) for _, rule in named)
            takes = [world.takes(rule, case) for _, rule in named]
            if finding.code == "AMBIGUOUS":
                assert takes[0] != takes[1]
                assert None not in takes
            if finding.code == "EMPTY_CHOICE":
                assert takes == [None]


@pytest.mark.long
@slow
@given(worlds())
def test_the_least_hiding_set_hides_and_none_of_it_can_be_spared(world):
    base = world.base
    rules = {rule.id: rule for step in base.steps for rule in step.rules}
    for finding in prove(base).findings:
        if finding.code != "DEAD_RULE" or finding.subject not in rules or "hidden by" not in finding.sentence:
            continue
        mine = [case for case in world.cases if means(rules[finding.subject].when, case, base)]
        hiding = [rules[name] for name in finding.sentence.split("hidden by ")[1].split(", ")]
        assert all(any(means(r.when, case, base) for r in hiding) for case in mine)
        for spared in hiding:
            rest = [r for r in hiding if r is not spared]
            assert any(not any(means(r.when, case, base) for r in rest) for case in mine)


def test_a_rule_hidden_by_several_together_is_dead_and_these_are_named():
    base = make(
        [question("a", "yes-no"), question("b", "yes-no"), question("c", "yes-no")],
        ["p", "r", "s"],
        steps=[
            [("idle", {"c": "yes", "a": "yes", "b": "no"}, ("p",))],
            [("one", {"a": "yes"}, ("p",))],
            [("two", {"b": "yes"}, ("r",))],
            [("hidden", [{"a": "yes", "c": "no"}, {"b": "yes", "c": "no"}], ("s",))],
            [("last", {}, ("s",))],
        ],
    )
    (dead,) = [f for f in prove(base).findings if f.code == "DEAD_RULE"]
    assert dead.sentence == "hidden never decides: already covered by one, two"


def test_a_question_that_only_a_derived_number_reads_is_used():
    product = rb.Derived("ab", "", "", {"a": 1, "b": 1}, bands(4))
    base = make(
        [question("a", "number", bands=bands(4)), question("b", "number", bands=bands(4)), question("c", "yes-no")],
        ["p", "r"],
        derived=[product],
        steps=[[("big", {"ab": "b1"}, ("p",))], [("last", {}, ("r",))]],
    )
    assert [f.id for f in prove(base).findings] == ["UNUSED_QUESTION:c"]


def test_waivers_set_findings_aside_and_one_that_waives_nothing_is_a_finding():
    asked, patterns = [question("a", "yes-no")], ["p", "r"]
    steps = [[("first", {"a": "yes"}, ("p",))]]
    bare = prove(make(asked, patterns, steps=steps))
    assert [f.id for f in bare.findings] == ["GAP:decision", "UNUSED_PATTERN:r"]
    waived = prove(make(asked, patterns, steps=steps, waive=["GAP:decision", "GAP:elsewhere"]))
    assert [f.id for f in waived.findings] == ["UNUSED_PATTERN:r", "UNUSED_WAIVER:GAP:elsewhere"]
    assert [(f.id, why) for f, why in waived.waived] == [("GAP:decision", "because")]


# --- the shipped rules ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules():
    return data("rules")


def test_the_shipped_rules_have_no_finding_and_no_waiver(rules):
    proof = prove(compile_folder(rules))
    assert proof.findings == ()
    assert proof.waived == ()


@pytest.fixture
def broken(rules, tmp_path):
    """Copy the shipped rules, change them, and give what the prover finds (beyond findings that only follow)."""

    def change(file, old, new, count=1):
        folder = tmp_path / "rules"
        if not folder.exists():
            shutil.copytree(rules, folder, ignore=shutil.ignore_patterns("examples", "schema"))
        path = folder / file
        text = path.read_text("utf-8")
        assert text.count(old) >= 1, f"{file} has no {old!r} any more"
        path.write_text(text.replace(old, new, count), "utf-8")
        return folder

    return change


EVIDENCE = "evidence: [{judgement: seeded}]"
STEP = """\
  - step: seeded
    title: A seeded step
    rules:
"""


def rule(key, when, choose, expect="sse"):
    return f"""\
      - id: {key}
        when: {when}
        choose: {choose}
        because: Seeded.
        {EVIDENCE}
        examples: [{{given: {{}}, expect: {expect}}}]
"""


def findings(folder):
    return {f.id: f for f in prove(compile_folder(folder)).findings}


def test_without_its_last_step_the_decision_has_a_gap_with_a_witness(rules, broken):
    text = (rules / "decision.yaml").read_text("utf-8")
    start = text.index("  - step: one-way\n")
    folder = broken("decision.yaml", text[start : text.index("\naccepts:")], "")
    gap = findings(folder)["GAP:decision"]
    assert gap.place.file == "rules/decision.yaml"
    assert gap.place.line > 1
    assert gap.witness
    from advisor.engine.decision import decide, know

    base = compile_folder(folder)
    assert decide(know(gap.witness, base).lead, base).primary is None


@pytest.mark.long
def test_a_rule_that_two_others_hide_together_is_reported_with_both(broken):
    steps = STEP + rule("seeded-one", "{binary: yes}", "[sse]") + STEP.replace("seeded\n", "seeded-2\n", 1)
    steps += rule("seeded-two", "{binary: no, prototype: yes}", "[sse]") + STEP.replace("seeded\n", "seeded-3\n", 1)
    steps += rule("seeded-hidden", "{prototype: yes}", "[websocket]")
    found = findings(broken("decision.yaml", "steps:\n", "steps:\n" + steps))
    assert found["DEAD_RULE:seeded-hidden"].sentence.endswith("already covered by seeded-one, seeded-two")


def test_a_disagreement_inside_a_step_is_reported_with_a_case_in_which_both_hold(broken):
    steps = STEP + rule("seeded-one", "{binary: yes}", "[sse]") + rule("seeded-two", "{prototype: yes}", "[websocket]")
    found = findings(broken("decision.yaml", "steps:\n", "steps:\n" + steps))
    witness = found["AMBIGUOUS:seeded-one+seeded-two"].witness
    assert witness["binary"] is True
    assert witness["prototype"] is True


@pytest.mark.long
def test_a_choice_that_exclusions_can_empty_is_reported_with_the_case(broken):
    found = findings(
        broken("decision.yaml", "steps:\n", "steps:\n" + STEP + rule("seeded", "{binary: yes}", "[websocket]"))
    )
    assert found["EMPTY_CHOICE:seeded"].witness["binary"] is True


@pytest.mark.long
def test_a_pattern_and_an_alternative_that_never_come_out_are_reported(broken):
    folder = broken("decision.yaml", "choose: [push-notification]", "choose: [push-notification, mqtt]")
    assert "DEAD_ALTERNATIVE:closed-app-needs-push.mqtt" in findings(folder)
    folder = broken("decision.yaml", "choose: [push-notification, mqtt]", "choose: [mqtt]")
    assert "UNUSED_PATTERN:push-notification" in findings(folder)


CAVEAT = f"""\
  - id: seeded
    severity: note
    when: {{pattern: webrtc, media: no}}
    title: Seeded
    why: Seeded.
    do: {{server: Seed.}}
    {EVIDENCE}
    examples: [{{given: {{}}, expect: silent}}]
"""


def test_a_caveat_that_no_answers_raise_is_reported_at_its_place(broken):
    folder = broken("caveats/sse.yaml", "caveats:\n", "caveats:\n" + CAVEAT)
    dead = findings(folder)["DEAD_CAVEAT:seeded"]
    line = (folder / "caveats/sse.yaml").read_text("utf-8").splitlines().index("  - id: seeded") + 1
    assert (dead.place.file, dead.place.line) == ("rules/caveats/sse.yaml", line)


SEEDED_QUESTION = """\
questions:
  seeded-fact:
    scope: feature
    type: one-of
    ask: Seeded?
    why: Seeded.
    find-out: Seed.
    options: {one: one, two: two, three: three}
    when-unknown: {assume: one}
"""


@pytest.mark.long
def test_unread_questions_and_indistinct_answers_are_reported(broken):
    folder = broken("questions.yaml", "questions:\n", SEEDED_QUESTION)
    unused = findings(folder)["UNUSED_QUESTION:seeded-fact"]
    line = (folder / "questions.yaml").read_text("utf-8").splitlines().index("  seeded-fact:") + 1
    assert (unused.place.file, unused.place.line) == ("rules/questions.yaml", line)
    seeded = CAVEAT.replace("{pattern: webrtc, media: no}", "{seeded-fact: one}")
    folder = broken("caveats/sse.yaml", "caveats:\n", "caveats:\n" + seeded.replace("silent", "raised"))
    same = findings(folder)["SAME_ANSWERS:seeded-fact"]
    assert same.sentence.endswith("distinguishes these answers of seeded-fact: two, three")


def test_an_example_that_does_not_hold_is_reported_with_what_comes_out_instead(broken):
    folder = broken("decision.yaml", "{given: {media: yes, bidirectional-realtime: yes}, expect: webrtc}",
                    "{given: {media: no, bidirectional-realtime: no}, expect: webrtc}")  # fmt: skip
    (failed,) = findings(folder).values()
    assert failed.code == "EXAMPLE"
    assert "the example expects webrtc" in failed.sentence
    assert failed.place.line > 1


@pytest.mark.long
def test_a_waiver_sets_a_finding_aside_and_an_unused_one_is_a_finding(broken):
    folder = broken("decision.yaml", "waive: []", "waive: [{finding: 'DEAD_CAVEAT:seeded', because: Seeded.}]")
    assert list(findings(folder)) == ["UNUSED_WAIVER:DEAD_CAVEAT:seeded"]
    broken("caveats/sse.yaml", "caveats:\n", "caveats:\n" + CAVEAT)
    proof = prove(compile_folder(folder))
    assert proof.findings == ()
    assert [f.id for f, _ in proof.waived] == ["DEAD_CAVEAT:seeded"]


@pytest.mark.grid
@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("decision.yaml", "when: {media: yes}", "when: {meda: yes}", "no fact 'meda'; did you mean media?"),
        (
            "decision.yaml",
            "when: {websockets-blocked: always}",
            "when: {websockets-blocked: alway}",
            "did you mean always?",
        ),
        ("decision.yaml", "exclude: webtransport", "exclude: webtransprt", "did you mean webtransport?"),
        ("decision.yaml", "{given: {media: yes,", "{given: {meda: yes,", "did you mean media?"),
        (
            "decision.yaml",
            "id: media-needs-webrtc",
            "id: udp-blocked",
            "'udp-blocked' is already used in rules/decision.yaml:",
        ),
        ("caveats/sse.yaml", "  - id: ", "  - colour: red\n    id: ", "colour"),
        ("questions.yaml", "below: 10000}", "below: 20000}", "bands must neither overlap nor leave gaps"),
        ("questions.yaml", "  media:\n", "  media: {}\n  media:\n", "media"),
        ("impossible.yaml", "existing-connection: websocket", "existing-connection: [websocket, [x]]", "no answer"),
    ],
)
def test_a_mistake_of_an_author_is_named_with_its_place(broken, file, old, new, complaint):
    folder = broken(file, old, new)
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(folder)
    told = [str(p) for p in caught.value.problems if complaint in str(p)]
    assert told, caught.value.problems
    assert told[0].startswith(f"rules/{file}:")
    assert int(told[0].split(":")[1]) > 1
    assert int(told[0].split(":")[2]) >= 1


def test_a_waived_finding_is_matched_by_its_whole_id():
    assert pattern("p").nearest_core == "p"
    assert isinstance(data("rules"), Path)
