"""The platform cards: what was collected is on them, nothing without a source, every answer has its card."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
import yaml
from support.shipped import shipped

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.cli import main
from advisor.engine.timing import timing
from advisor.engine.verdict import Judge
from advisor.model import platforms
from advisor.model.platforms import WAY, cards, doubts, months_between
from advisor.report.card_text import age_text
from advisor.report.lookup import explain
from advisor.ruleset.compile import compile_folder
from advisor.ruleset.prove import prove
from advisor.ruleset.stale import dated, due, months_of, older_than, overdue, review_of, today_of
from advisor.ruleset.tables_schema import COST_FIGURES, TIMING_FIGURES

RULES = shipped()
CARDS = cards(RULES)
FACTS = yaml.safe_load((Path(__file__).parent / "platform_facts.yaml").read_text("utf-8"))["facts"]
TODAY = (2026, 11, 24)
NEWEST = (2026, 11, 29)  # nothing was read or measured later
SURE = {"low": 0, "medium": 1, "high": 2}


def place(path):
    """The row at card/group/key."""
    card, group, key = path.split("/")
    name = f"{card}-{key}" if group == "limits" else key
    (row,) = [row for row in CARDS[card].groups[group] if row.id == name]
    return row


def as_said(fact, row):
    """What a card must say: yes and no in words, no limit for nothing, 0 and infinite."""
    value = fact["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "infinite" or (value == 0 and row.kind):
        return "none"
    return value


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(data("rules"), tmp_path / "rules")
    return tmp_path / "rules"


# --- what was collected -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FACTS)
def test_a_collected_fact_stands_on_its_card_or_it_is_said_why_not(name):
    fact = FACTS[name]
    row = place(fact["row"])
    if "within" in fact:
        told = f"{row.says} {row.note} {row.setting} {row.value} {row.up_to or 0:g}"
        value, words = fact["value"], fact["within"]
        assert any(one in told for one in ([words] if words is not True else [f"{value:g}", f"{value:,}"])), told
        return
    assert row.value == fact.get("said", as_said(fact, row))
    assert ("said" in fact) == bool(fact.get("because"))
    assert row.source == fact["source"]
    if row.kind and "max" in fact and row.change != "fixed":
        assert row.up_to == fact["max"] or "max-because" in fact
    assert row.low == fact.get("min") or not row.kind
    assert "surer" in fact or SURE[row.confidence] <= SURE[fact["confidence"]]
    assert "surer" in fact or fact.get("checked") != "recalled" or "memory" in str(doubts(row))
    assert not fact.get("contested") or row.contested


def test_almost_every_number_is_as_collected():
    numbers = {
        n: f for n, f in FACTS.items() if isinstance(f["value"], int | float) and not isinstance(f["value"], bool)
    }
    other = [name for name, fact in numbers.items() if "said" in fact]
    assert other == ["gwapi.timeout.disable", "linux.tw_reuse"]
    assert len(numbers) > 120


def test_every_value_has_a_source_a_date_and_a_confidence():
    for card in CARDS.values():
        for row in card.rows():
            assert re.match(r"https?://\S+$", row.source), (card.id, row.id)
            assert platforms.day(row.as_of) is not None, (card.id, row.id)
            assert platforms.day(row.as_of) <= NEWEST, (card.id, row.id)
            assert row.confidence in SURE, (card.id, row.id)
            assert row.says.endswith((".", ")")), (card.id, row.id, row.says)


def test_every_answer_that_stands_on_the_way_has_a_card_that_stands_there():
    for fact in WAY:
        for option in RULES.questions[fact].options:
            assert option == "none" or fact in CARDS[option].stands_at, (fact, option)


# --- what an author gets wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["source", "as-of", "confidence", "says"])
def test_no_value_without_source_date_and_confidence(folder, key):
    path = folder / "platforms" / "heroku.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith(f"    {key}:"))
    path.write_text("".join(lines[:first] + lines[first + 1 :]), "utf-8")
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(folder)
    assert any(
        p.file == "rules/platforms/heroku.yaml" and f"{key}: is missing" in p.message for p in caught.value.problems
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    confidence:", "    confidense:", "did you mean confidence?"),
        ("stickiness:", "stickyness:", "did you mean stickiness?"),
        ("    seconds: 30\n", "    seconds: 0\n", "greater than 0"),
        ("    kind: first-byte", "    kind: first_byte", "'first-byte'"),
        ("    change: fixed", "    change: fixed\n    up-to: 40", "a fixed limit must not have `up-to`"),
        ("    source: https://", "    source: ", "source"),
        ("    as-of: 2024-05-07", "    as-of: May 2024", "as-of"),
        ("stands-at: [platform]", "stands-at: [platforms]", "stands-at"),
    ],
)
def test_what_is_wrong_on_a_card_is_named_with_its_place(folder, old, new, message):
    path = folder / "platforms" / "heroku.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(folder)
    assert all(p.file == "rules/platforms/heroku.yaml" and p.line > 1 for p in caught.value.problems)
    assert any(message in p.message for p in caught.value.problems), [p.message for p in caught.value.problems]


@pytest.mark.long
def test_an_answer_without_a_card_is_a_finding(folder):
    (folder / "platforms" / "fastly.yaml").unlink()
    found = prove(compile_folder(folder)).findings
    assert [f.id for f in found] == ["NO_CARD:cdn.fastly"]
    assert found[0].place.file == "rules/questions.yaml"


def test_limits_have_no_second_home(folder):
    path = folder / "timing.yaml"
    path.write_text(path.read_text("utf-8") + "limits: []\n", "utf-8")
    with pytest.raises(RuleBaseError, match="rules/platforms/"):
        compile_folder(folder)


def test_a_figure_that_nothing_gives_is_named(folder):
    path = folder / "caveats" / "network.yaml"
    path.write_text(path.read_text("utf-8").replace("{idle-timeout-s}", "{idle-timeout}", 1), "utf-8")
    with pytest.raises(
        RuleBaseError, match=r"\{idle-timeout\} is not a known number or limit; did you mean idle-timeout-s\?"
    ):
        compile_folder(folder)


KEYCDN = """\
name: KeyCDN
stands-at: [cdn]
summary: A CDN.
limits:
  idle:
    kind: idle
    for: [websocket, sse]
    seconds: 8
    change: fixed
    says: Closes what was silent for this long.
    source: https://example.org/limits
    as-of: 2026-11-24
    confidence: high
"""


@pytest.mark.long
def test_one_file_adds_a_platform(folder):
    (folder / "platforms" / "keycdn.yaml").write_text(KEYCDN, "utf-8")
    base = compile_folder(folder)
    assert base.questions["cdn"].options["keycdn"] == "KeyCDN"
    assert prove(base).findings == ()
    solved = timing({"cdn": "keycdn"}, base, "sse")
    assert solved["heartbeat_s"] == 4
    assert "KeyCDN" in solved["binding"]["heartbeat_s"]
    verdict = Judge(base).feature("one", {"cdn": "keycdn", "server-msg-rate-per-s": 0.001})
    heartbeat = next(c for c in verdict["caveats"] if c["id"] == "idle-timeout-heartbeat")
    assert heartbeat["figures"].startswith("Your KeyCDN cuts a silent connection after 8 s, which cannot be changed.")
    assert explain("keycdn", base, today=TODAY).startswith("keycdn (platform: CDN)")


# --- explain ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_shown_with_all_that_it_says_and_with_verify_where_it_is_in_doubt(name):
    card = CARDS[name]
    said = explain(f"platform:{name}", RULES, today=TODAY)
    flat = " ".join(said.split())
    assert said.count("VERIFY:") == sum(len(doubts(row)) for row in card.rows())
    for row in card.rows():
        assert row.says in flat, row.id
        assert row.source in flat, row.id
        assert f"as of {row.as_of}" in flat, row.id
        assert not row.setting or row.setting in flat, row.id
    assert f"In rules/platforms/{name}.yaml." in said


@pytest.mark.parametrize(
    "word", ["alb", "ALB", "AWS Application Load Balancer", "aws application load balancer", "aws-alb"]
)
def test_a_platform_is_found_by_its_names(word):
    assert explain(word, RULES).startswith("aws-alb (platform: load balancer)")


def test_limits_stand_under_what_cures_them():
    said = explain("azure-front-door", RULES, today=TODAY)
    silence, _, age = said.partition("Limits on age (only reconnecting and resuming helps):")
    assert "- socket-idle (silence): 300 s" in silence
    assert "- socket-life (age): 14,400 s" in age
    assert "Only" not in silence.partition("Limits on silence (a heartbeat cures them):")[0]


@pytest.mark.parametrize(
    ("as_of", "text"),
    [
        ("2026-11-24", "2026-11-24, less than a month old"),
        ("2026-10-24 (2.4 manual)", "2026-10-24 (2.4 manual), 1 month old"),
        ("2026-07", "2026-07, 4 months old"),
        ("2026", "2026, at most 10 months old"),
        ("2024-11-25", "2024-11-25, 23 months old"),
        ("2024-11-11", "2024-11-11, 2 years old"),
        ("2027-01-01", "2027-01-01, which is still to come"),
        ("soon", "soon, of unknown age"),
    ],
)
def test_how_old_a_value_is(as_of, text):
    assert age_text(as_of, TODAY) == text


# --- stale ------------------------------------------------------------------------------------------------------------


def test_whole_months():
    assert months_between((2025, 11, 24), TODAY) == 12
    assert months_between((2025, 11, 25), TODAY) == 11
    assert months_between((2026, 12, 1), TODAY) == -1


def test_what_has_grown_old_is_listed_oldest_first_and_grows_with_time():
    every = dated(RULES, TODAY)
    old, later = older_than(every, 12), older_than(dated(RULES, (2030, 1, 1)), 12)
    assert 0 < len(old) < len(later) <= len(every)
    assert [s.months for s in old] == sorted((s.months for s in old), reverse=True)
    assert all(s.months >= 12 for s in old)
    assert any(s.what == "heroku-idle" and s.place.file == "rules/platforms/heroku.yaml" for s in old)
    lines = (data("rules") / "costs.yaml").read_text("utf-8").splitlines()
    assert all(lines[s.place.line - 1] == f"  {s.what}:" for s in later if s.place.file == "rules/costs.yaml")
    assert {s.place.file for s in later} >= {"rules/costs.yaml", "rules/timing.yaml"}
    rows = sum(len(list(card.rows())) for card in CARDS.values())
    assert len([s for s in older_than(dated(RULES, (9999, 1, 1)), 0) if "/platforms/" in s.place.file]) == rows


@pytest.mark.parametrize(
    ("then", "review", "day"),
    [
        ((2026, 7, 22), "timeless", None),
        ((2026, 7, 22), "2y", (2028, 7, 22)),
        ((2026, 7, 22), "6m", (2027, 1, 22)),
        ((2026, 12, 1), "1m", (2027, 1, 1)),
        ((2026, 1, 31), "12m", (2027, 1, 31)),
        ((2018, 1, 1), "2027-05-30", (2027, 5, 30)),
    ],
)
def test_when_a_statement_is_due(then, review, day):
    assert due(then, review) == day


def test_a_statement_is_overdue_from_the_day_of_its_review_on():
    every = [statement._replace(due=(2027, 5, 30)) for statement in dated(RULES, TODAY)[:1]]
    assert [bool(overdue(every, day)) for day in ((2027, 5, 29), (2027, 5, 30), (2028, 1, 1))] == [False, True, True]
    assert overdue([every[0]._replace(due=None)], (9999, 1, 1)) == []


def test_standards_and_measurements_are_timeless_and_pages_and_products_are_not():
    assert review_of("source", "https://www.rfc-editor.org/rfc/rfc6455#section-5.2", "") == "timeless"
    assert review_of("source", "https://www.rfc-editor.org.example/rfc", "") == "2y"
    assert review_of("measured", "", "") == "timeless"
    assert review_of("source", "https://devcenter.heroku.com/articles/http-routing", "") == "2y"
    assert review_of("card", "https://nginx.org/en/docs/", "") == "2y"
    assert review_of("measured", "", "6m") == "6m"
    late = overdue(dated(RULES, (9999, 1, 1)), (9999, 1, 1))
    assert {s.what for s in late} >= {"heroku-idle", "cross-instance-fanout"}
    assert not [s for s in late if "rfc-editor" in s.url or (not s.url and "/platforms/" not in s.place.file)]


def test_the_command_says_what_is_overdue_and_what_to_do(capsys):
    assert main(["rules", "stale", "--today", "2029-01-01"]) == 1
    out = capsys.readouterr().out
    assert re.search(
        r"^rules/platforms/heroku.yaml:\d+:\d+: heroku-first-byte \(as of 2024-05-07, to be read again since "
        r"2026-05-07\): .* \[https://",
        out,
        re.MULTILINE,
    )
    assert "\nRead the source of each again. If it says the same, write its new date into `as-of`" in out
    assert re.search(r"^\d+ of \d+ dated statements are overdue; \d+ are timeless", out, re.MULTILINE)
    assert main(["rules", "stale", "--today", "2009-01-01"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"0 of \d+ dated statements are overdue; \d+ are timeless; the next is due on 20\d\d-", out)
    assert "Read the source" not in out


@pytest.mark.long
def test_a_gate_is_red_for_what_is_overdue_by_its_own_review_time_alone(folder, capsys):
    """Neither age nor what was written from memory makes it red: `review` of a statement does."""
    path = folder / "platforms" / "nginx.yaml"
    text, exits = path.read_text("utf-8"), {}
    words = ["rules", "stale", "--folder", str(folder), "--today", "2009-01-01"]  # nothing else is due so early
    for review in ("timeless", "2008-12-31", "2009-01-01", "2009-01-02", "2y"):
        path.write_text(text.replace("    confidence:", f"    review: {review}\n    confidence:", 1), "utf-8")
        exits[review] = main([*words, "--unread", "--older-than", "99y"])
        out = capsys.readouterr().out
        assert ("nginx-read (as of 2026-07-22 (nginx 1.31.3 / 1.30.4 docs), to be read again since" in out) == (
            exits[review] == 1
        )
    assert {review for review, code in exits.items() if code == 1} == {"2008-12-31", "2009-01-01"}
    unread = sum(row.checked == "memory" for card in CARDS.values() for row in card.rows())
    assert out.count("(written from memory, not checked)") == unread > 0
    assert f"{unread} were written from memory and not checked against a source; --unread lists them" in out


@pytest.mark.parametrize("review", ["soon", "2027-13", "never", "0d", "2027"])
def test_a_review_time_that_is_none_is_refused(folder, review, capsys):
    path = folder / "platforms" / "nginx.yaml"
    path.write_text(
        path.read_text("utf-8").replace("    confidence: high\n", f"    review: {review}\n    confidence: high\n", 1),
        "utf-8",
    )
    assert main(["rules", "check", "--folder", str(folder)]) == 1
    assert "rules/platforms/nginx.yaml:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "figure"), [("costs", "frame-bytes"), ("costs", "exchange-segments"), ("timing", "hold-share")]
)
def test_a_figure_that_the_program_counts_with_is_missed_before_it_counts(folder, file, figure, capsys):
    path = folder / f"{file}.yaml"
    path.write_text(path.read_text("utf-8").replace(f"  {figure}:\n", f"  {figure}x:\n"), "utf-8")
    assert main(["rules", "check", "--folder", str(folder)]) == 1
    said = capsys.readouterr().err
    assert re.search(rf"rules/{file}\.yaml:\d+:\d+: figures: {figure} is missing; the program needs every figure", said)


@pytest.mark.parametrize(("module", "declared"), [("costs", COST_FIGURES), ("timing", TIMING_FIGURES)])
def test_the_figures_that_must_exist_are_those_that_the_program_uses(module, declared):
    source = (Path(platforms.__file__).parent.parent / "engine" / f"{module}.py").read_text("utf-8")
    used = set(re.findall(r'figures\["([a-z0-9-]+)"\]', source))
    kinds = set(re.findall(r'exchange_overhead_bytes\(figures, "(\w+)"\)', source))
    used |= {f"{kind}-{part}" for kind in kinds for part in re.findall(r'figures\[f"\{kind\}-(\w+)"\]', source)}
    assert used == set(declared)


@pytest.mark.parametrize(("text", "months"), [("12m", 12), ("0m", 0), ("2y", 24)])
def test_spans(text, months):
    assert months_of(text) == months


@pytest.mark.parametrize(
    "words", [["--older-than", "12"], ["--older-than", "-1m"], ["--today", "24.11.2026"], ["--older-than", ""]]
)
def test_a_span_or_a_day_that_is_none_is_refused(words, capsys):
    assert main(["rules", "stale", *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_without_a_day_it_is_today():
    before, given, after = time.localtime()[:3], today_of(None), time.localtime()[:3]
    assert before <= given <= after
    assert today_of("2026-11-24") == TODAY


def test_cards_are_not_parsed_by_a_recommendation(monkeypatch):
    def no(_text):
        raise AssertionError("a recommendation read the cards")

    monkeypatch.setattr(platforms, "_cards", no)
    assert Judge(RULES).feature("one", {"cdn": "fastly"})["primary"]
