"""The result: its tabs, the cards behind them, what is copied and saved."""

from __future__ import annotations

import pytest

from advisor.tui.results import SHORT, TABS

CALLS = (
    "features: [{name: call, media: yes, clients: [browser], bidirectional-realtime: yes},"
    " {name: film, media: yes, clients: [browser], bidirectional-realtime: yes}]\n"
)


def flat(shown):
    return " ".join(shown.split())


@pytest.mark.long
def test_results_have_six_tabs_each_filled_when_opened(drive):
    keys = [key for tab in ("r", "2", "3", "4", "5", "6", "right", "left") for key in (tab, "look")]
    app = drive(*keys)
    for name, shown, part in zip(
        (*TABS, TABS[0], TABS[5]), app.seen,
         ("Server-Sent Events", "The decision", "[breaks] A silent connection", "What would change it", "client/app.js",
         "720 requests per hour",
         "Server-Sent Events", "720 requests"), strict=True,
    ):  # fmt: skip
        assert name in shown
        assert part in shown
    assert drive("r", "b", "3").session.feature.facts["kind"] == "dashboard"


@pytest.mark.long
def test_configs_show_the_files_of_the_kit(drive):
    async def go(pilot):
        await pilot.press("r", "5")
        await pilot.press(*["down"] * pilot.app.screen.files.index("nginx/nginx.conf"))

    app = drive(then=go, size=(120, 40))
    assert "> nginx/nginx.conf" in app.shown
    first = app.last.kit["nginx/nginx.conf"].decode().splitlines()[:20]
    assert all(line.strip()[:40] in app.shown for line in first)


@pytest.mark.long
def test_no_screen_promises_a_kit_or_times_where_there_are_none(drive):
    app = drive("look", "r", "look", "5", "look", "escape", "f", "look", text=CALLS, size=(80, 24))
    question, result, configs, features = map(flat, app.seen)
    assert "details: up to" in question
    assert "kit" not in question.partition("left")[2].partition("The rest")[0].partition("The remaining")[0]
    assert "the starter kit if there is one" in result
    assert "There is no kit for these answers; e exports" in configs
    assert "heartbeat" not in features
    assert "heartbeat" in drive("f", "n", "=chat", "enter", "f", text=CALLS, size=(80, 24)).shown


def test_the_result_copies_the_open_tab(drive):
    app = drive("r", "c")
    assert "Server-Sent Events" in app.clipboard


@pytest.mark.long
def test_only_the_open_tab_is_made(drive):
    app = drive("r")
    assert app.last.kit is None
    assert app.last.blocks == []


@pytest.mark.long
def test_every_rule_opens_its_card_with_the_evidence(drive, base):
    app = drive("r", "2", *["down"] * (len(base.steps) - 1), "enter", "look", "escape", size=(120, 50))
    assert "one-way-stream (rule: step one-way)" in app.seen[0]
    assert "Evidence:" in app.seen[0]
    assert "[2 Why]" in app.shown
    step = drive("r", "2", "enter")
    assert f"{base.steps[0].id} (step 1)" in step.shown


@pytest.mark.long
def test_every_block_of_every_example_leads_to_a_card_or_a_question(base):
    from advisor.answers.file import read
    from advisor.base.data import data
    from advisor.engine.portfolio import recommend
    from advisor.tui import cards

    for file in sorted((data("rules") / "examples").glob("*.yaml")):
        verdict = recommend(read(file, base), base)
        for feature in verdict["features"]:
            blocks = [
                *cards.why(76, feature, base),
                *cards.caveats(76, verdict, feature, base),
                *cards.changes(76, feature, base),
            ]
            leads = {block.leads for block in blocks if block.leads}
            assert any(lead.startswith("rule:") for lead in leads)
            for lead in leads:
                kind, _, name = lead.partition(":")
                if kind == "question":
                    assert name in base.questions
                else:
                    assert name in cards.card(lead, 70, verdict, feature, base).plain


@pytest.mark.long
def test_a_caveat_opens_with_its_reason_the_figures_of_this_feature_and_the_evidence(drive):
    app = drive("r", "3", "enter", size=(120, 200))
    assert "idle-timeout-heartbeat (caveat: breaks)" in app.shown
    assert "Planned: a heartbeat every 15 s." in app.shown
    assert "Evidence:" in app.shown


@pytest.mark.long
def test_what_would_change_it_goes_to_the_question(drive):
    app = drive("r", "4", "enter")
    assert app.session.question.id == "bidirectional-realtime"
    assert "While the feature is in use, must the client also send data in" in app.shown
    other = drive("f", "n", "=second", "enter", "r", "f", "4", "enter")
    assert other.session.current == 0


@pytest.mark.long
def test_the_articles_verdict_stands_beside_the_refined_one(drive, base):
    text = "features: [{name: a, clients: [browser], binary: yes, bidirectional-realtime: no, "
    text += "server-msg-rate-per-s: 0.2, app-handles-reconnect: no}]\n"
    app = drive("r", text=text, size=(120, 40))
    article = app.session.verdict["features"][0]["article"]
    title = base.patterns[article["primary"]].title
    assert f"the article's five steps alone: {title} (settled at step {article['step']})" in app.shown
    assert "this verdict: WebSocket" in app.shown
    assert "They differ: " in app.shown
    text = "features: [{name: a, clients: [browser], bidirectional-realtime: yes}]\n"
    assert "They agree." in drive("r", text=text, size=(120, 40)).shown


@pytest.mark.long
def test_a_file_of_the_kit_is_copied_and_saved(drive, home):
    app = drive("r", "5", "down", "c", "look", "s", "=out.md", "enter", "look", "s", "enter", "look")
    assert "DECISION.md was sent to the terminal's clipboard" in flat(app.seen[0])
    assert app.clipboard.startswith("---\nstatus: proposed")
    assert (home / "out.md").read_text() == app.clipboard
    assert "Saved in out.md." in app.seen[1]
    assert "Saved in DECISION.md." in app.seen[2]


@pytest.mark.long
def test_what_is_saved_replaces_nothing_unasked(drive, home):
    (home / "why.txt").write_text("mine")
    app = drive("r", "2", "s", "enter", "look", "1")
    assert "why.txt already exists; nothing was written." in app.seen[0]
    assert (home / "why.txt").read_text() == "mine"
    drive("r", "2", "s", "enter", "2")
    assert "Is it live audio or video?" in (home / "why.txt").read_text()


@pytest.mark.long
def test_a_long_copy_is_said_to_be_one(drive, monkeypatch):
    monkeypatch.setattr("advisor.tui.results.MOST_COPIED", 100)
    assert "bytes, which is too much for some terminals" in drive("r", "c").shown


@pytest.mark.long
def test_the_open_tab_has_its_whole_name_in_60_columns(drive):
    for tab, name in enumerate(SHORT, 1):
        assert f"[{tab} {name}]" in drive("r", str(tab), size=(60, 18)).shown


@pytest.mark.grid
@pytest.mark.parametrize("tab", range(1, 7))
def test_every_tab_scrolls_and_says_what_to_do_next(drive, tab):
    app = drive("r", str(tab), "look", "pagedown", "look", "pageup", size=(60, 18))
    assert app.seen[0].splitlines()[-2].strip()
    if tab != 5:  # the notes fit
        assert app.seen[0] != app.seen[1]
