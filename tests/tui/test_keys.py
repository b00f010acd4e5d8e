"""Every key does what the help says, and what it leads to is safe on the disk at once."""

from __future__ import annotations

import re

import pytest
from support.keystrokes import unknown_to_the_end

from advisor.answers import typed
from advisor.answers.file import read
from advisor.interview.plain_text import labels as labels_in_the_twin
from advisor.interview.session import Session
from advisor.model.values import UNKNOWN, Other
from advisor.ruleset.cache import load
from advisor.tui.widgets import Keys, Line

RECOVERY = ".answers.yaml.recovery"


def facts(app):
    return app.session.feature.facts


def test_a_number_answers_and_the_answer_is_on_the_disk_at_once(drive, home, base):
    app = drive("3")  # kind: dashboard; no other number begins with 3
    assert facts(app)["kind"] == "dashboard"
    assert read(home / RECOVERY, base).features[0].facts["kind"] == "dashboard"
    assert "kind" not in read(home / "answers.yaml", base).features[0].facts


@pytest.mark.long
def test_a_number_that_may_go_on_waits_for_a_further_digit_or_enter(drive):
    waiting = drive("1")
    assert "kind" not in facts(waiting)
    assert "You typed the beginning of 1, 10, 11, 12, 13" in waiting.shown
    assert "a further digit or Enter decides." in " ".join(waiting.shown.split())
    assert facts(drive("1", "2"))["kind"] == "auction"
    assert facts(drive("1", "enter"))["kind"] == "notifications"
    assert facts(drive("2", "4"))["kind"] == "server-events"


@pytest.mark.long
def test_a_question_mark_is_i_do_not_know_and_zero_is_nothing_in_a_list(drive):
    assert facts(drive("?"))["kind"] is UNKNOWN
    assert "kind" not in facts(drive("0"))


@pytest.mark.grid
@pytest.mark.parametrize("fact", ["media", "kind", "existing-stack", "server-model", "reverse-proxy", "cdn"])
def test_the_first_highlight_is_the_usual_answer(drive, base, fact):
    """Enter, Enter, Enter is never the unusual way: the first choice of a list may be live video."""

    async def go(pilot):
        goto(pilot.app, fact)
        await pilot.pause()
        await pilot.press("enter")

    question = base.questions[fact]
    usual = next(iter(question.options)) if isinstance(question.lead, Other) else question.lead
    assert drive(then=go, text="features: [{name: a}]\n").session.answers[fact] == usual


def test_yes_is_1_and_no_is_2_wherever_a_question_can_be_answered_so(base):
    from advisor.tui.choices import choices

    for fact, question in base.questions.items():
        labels = [choice.label.casefold() for choice in choices(Session.new(base, "a"), question)]
        yes = [i for i, label in enumerate(labels) if re.match(r"yes\b", label)]
        no = [i for i, label in enumerate(labels) if re.match(r"no\b", label)]
        if yes and no:
            assert (yes[0], no[0]) == (0, 1), fact
            assert [plain.casefold() for plain in labels_in_the_twin(question)[:2]] == labels[:2]
            assert typed.answer("1", question, str) == choices(Session.new(base, "a"), question)[0].value


def test_arrows_move_and_preview_and_enter_answers(drive):
    text = "features: [{name: a, clients: [browser], bidirectional-realtime: yes}]\n"
    app = drive("@media", "up", "look", "enter", text=text)  # "yes" would leave WebRTC alone
    assert "leaves only WebRTC" in app.seen[0]
    assert "would be out" in app.seen[0]
    assert facts(app)["media"] is True
    assert "is decided: WebRTC" not in app.shown  # what the kind says is still asked


def test_several_choices_are_ticked_and_enter_takes_them(drive):
    app = drive("@clients", "3", "5", "space", "look", "enter")  # browser is ticked already
    assert "[x] browser on a computer" in app.seen[0]
    assert "[x] iOS app" in app.seen[0]
    assert facts(app)["clients"] == ("browser", "ios")


@pytest.mark.long
def test_nothing_ticked_takes_the_marked_line_and_none_is_a_choice_of_its_own(drive):
    assert facts(drive("@clients", "1", "enter"))["clients"] == ("browser",)
    none = str(len(load().questions["existing-stack"].options) + 2)  # after the options and "something else"
    keys = ("@existing-stack", "3", *none)
    waiting = drive(*keys, " ", "look")
    assert "Enter takes it and removes all ticks." in waiting.seen[0]
    assert waiting.session.question.id == "existing-stack"
    assert facts(drive(*keys, "enter"))["existing-stack"] == ()
    assert facts(drive(*keys, "up", "up", "space", "enter"))["existing-stack"] != ()
    assert facts(drive("@existing-stack", "home", "down", "enter"))["existing-stack"] == ("grpc-web",)


@pytest.mark.long
def test_something_else_asks_for_its_text(drive):
    app = drive("2", "5", *"my [red] kind", "enter")
    assert facts(app)["kind"] == Other("my [red] kind")
    kept = drive("@clients", "1", "0", "=pager", "enter")
    assert facts(kept)["clients"] == ("browser", Other("pager"))
    refused = drive("2", "5", "=chat", "enter", "look", "escape")
    assert "is already in the list; choose it there" in refused.seen[0]
    assert "kind" not in facts(refused)


def goto(app, fact):
    app.change(lambda session: session.goto(fact))


@pytest.mark.long
def test_a_number_is_typed_checked_and_may_be_unknown(drive):
    async def typing(pilot):
        goto(pilot.app, "concurrent-clients")
        await pilot.pause()
        await pilot.press("1", ".", "5")
        assert "not a whole number" in str(pilot.app.screen.query_one("#effect").content)
        await pilot.press("enter")
        assert "concurrent-clients" not in facts(pilot.app)
        await pilot.press("backspace", "backspace", "2", "0", "enter")
        assert facts(pilot.app)["concurrent-clients"] == 120
        goto(pilot.app, "concurrent-clients")
        await pilot.pause()
        assert pilot.app.screen.query_one(Line).value == ""  # shown, but no text to type beside
        assert pilot.app.screen.query_one(Line).placeholder == "120 clients"
        await pilot.press("enter")
        assert facts(pilot.app)["concurrent-clients"] == 120
        goto(pilot.app, "concurrent-clients")
        await pilot.pause()
        await pilot.press("question_mark")
        assert facts(pilot.app)["concurrent-clients"] is UNKNOWN
        goto(pilot.app, "concurrent-clients")
        await pilot.pause()
        await pilot.press("enter")
        assert facts(pilot.app)["concurrent-clients"] is UNKNOWN
        goto(pilot.app, "concurrent-clients")
        await pilot.pause()
        await pilot.press("b")  # a letter is a command, not part of a number
        assert pilot.app.session.question.id != "concurrent-clients"

    drive(then=typing)


@pytest.mark.long
def test_a_text_is_typed_and_its_letters_are_no_commands(drive):
    async def typing(pilot):
        goto(pilot.app, "nginx-version")
        await pilot.pause()
        await pilot.press("ctrl+u", "question_mark")  # as the list under the line says
        assert pilot.app.session.project.path["nginx-version"] is UNKNOWN
        goto(pilot.app, "nginx-version")
        await pilot.pause()
        await pilot.press("ctrl+u", *"quba?", "enter")
        assert pilot.app.session.project.path["nginx-version"] == "quba?"
        goto(pilot.app, "nginx-version")
        await pilot.pause()
        await pilot.press("down", "enter")
        assert pilot.app.session.project.path["nginx-version"] is UNKNOWN

    drive(then=typing)


@pytest.mark.long
def test_a_paste_of_a_megabyte_is_refused_in_words(drive):
    from textual import events

    async def paste(pilot):
        goto(pilot.app, "page")
        await pilot.pause()
        pilot.app.screen.query_one(Line).post_message(events.Paste("x" * 1_000_000))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "the maximum is 200" in str(pilot.app.screen.query_one("#effect").content)

    app = drive(then=paste)
    assert "page" not in facts(app)


@pytest.mark.long
def test_back_forward_and_undo(drive):
    app = drive("3", "b", "look", "right", "look", "u", "look")
    assert "describes the feature best?" in app.seen[0]
    assert "describes the feature best?" not in app.seen[1]
    assert "Undone: kind: dashboard" in app.seen[2]
    assert "kind" not in facts(app)
    assert "nothing to undo" in drive("u").shown
    assert "first question" in drive("b", "b", "b", text="features: [{name: a, kind: chat}]\n").shown


@pytest.mark.long
def test_all_answers_jump_and_take_away(drive):
    jumped = drive("@clients", "a", "enter")
    assert jumped.session.question.id == "clients"
    gone = drive("@clients", "a", "x")
    assert "clients" not in facts(gone)
    assert drive("a", "o", "enter").session.question.id == "kind"
    assert drive("a", "escape").session.question.id == "kind"


def test_letters_are_text_where_a_text_is_asked_for_and_keys_again_after_escape(drive):
    """The last line shows no key that would only be typed."""
    seen = []

    async def then(pilot):
        pilot.app.change(lambda session: session.goto("page"))
        await pilot.pause()
        for keys in (["b", "a"], ["escape"], ["b"]):
            await pilot.press(*keys)
            await pilot.pause()
            here = pilot.app.screen
            seen.append((str(here.query_one(Keys).content), here.query_one(Line).value, here.session.question.id))

    drive(text="features: [{name: a, page: cart, kind: chat}]\n", then=then)
    typing, left, after = seen
    assert typing == ("f1 help  esc leave the line", "cartba", "page")
    assert left[0].startswith("f1 help  b back")
    assert "esc" not in left[0]
    assert after[2] != "page"


@pytest.mark.long
def test_names_are_text_and_never_markup(drive):
    text = 'features:\n  - name: "[red]x[/red] [@click=app.quit]y[/]"\n'
    app = drive("look", "f", "look", "m", "look", "escape", "escape", "r", "look", text=text)
    for shown in app.seen:
        assert "[red]x[/red] [@click=app.quit]y[/]" in shown


@pytest.mark.long
def test_the_end_says_what_to_do_next_and_its_choices_do_it(drive, base):
    text = "features: [{name: a, media: yes}]\n"
    app = drive(*unknown_to_the_end(text, base), "look", "1", "look", "?", "2", "look", text=text)
    assert '"a" is decided: WebRTC.' in app.seen[0]
    first, _, _ = base.questions[app.session.verdict["features"][0]["riskiest"]["fact"]].ask.partition("?")
    assert first in app.seen[1]
    assert "[1 Recommendation]" in app.seen[2]


@pytest.mark.long
def test_the_end_of_a_feature_that_rides_on_anothers_connection_says_so(drive, base):
    """Beside it stand the patterns that its own answers leave, so the headline alone would contradict them."""
    chat = "{name: chat, kind: chat, page: room, bidirectional-realtime: yes}"
    text = f"features: [{{name: board, kind: dashboard, page: room}}, {chat}]\n"
    app = drive(*unknown_to_the_end(text, base), "look", text=text)
    said = " ".join(app.seen[0].replace("│", " ").split())
    assert '"board" is decided: WebSocket, on an open connection;' in said


@pytest.mark.long
def test_contradictory_answers_are_said_and_can_be_changed(drive):
    text = "path: {websockets-blocked: always}\nfeatures: [{name: a, existing-connection: websocket}]\n"
    app = drive("look", "a", "enter", text=text)
    assert "contradict each other" in app.seen[0]
    assert app.session.question.id == "existing-connection"


# --- saving -----------------------------------------------------------------------------------------------------------


def test_quitting_writes_the_file_and_forgets_the_recovery_file(drive, home, base):
    app = drive("3", "q")
    assert not app.is_running
    assert app.saved
    assert read(home / "answers.yaml", base).features[0].facts["kind"] == "dashboard"
    assert not (home / RECOVERY).exists()


def test_quitting_without_a_change_touches_nothing(drive, home):
    drive("q")
    assert "[browser]" in (home / "answers.yaml").read_text()
    assert sorted(p.name for p in home.iterdir()) == ["answers.yaml"]


@pytest.mark.long
def test_what_a_killed_run_left_is_offered(drive):
    drive("3")  # ends without quitting
    app = drive("look", "1", text=None, fresh=False)
    assert "Found unsaved answers from an earlier interview" in app.seen[0]
    assert facts(app)["kind"] == "dashboard"
    assert not app.saved
    away = drive("escape", text=None, fresh=False)  # neither of the two: they wait for the next run
    assert away.session is None
    assert facts(drive("1", text=None, fresh=False))["kind"] == "dashboard"
    assert "kind" not in facts(drive("2", text=None, fresh=False))


def test_a_new_interview_asks_for_a_name_and_on_quitting_for_a_file(drive, home, base):
    app = drive("=chat", "enter", "3", "q", "look", "enter", text=None, file=None)
    assert "Which file should the answers be saved in?" in app.seen[0]
    assert read(home / "answers.yaml", base).features[0].name == "chat"
    assert not app.is_running


def test_the_first_dialog_says_that_escape_quits(drive):
    app = drive("look", "escape", text=None, file=None)
    assert "Enter takes it, F2 shows an example first, Escape quits, F1 helps" in app.seen[0]
    assert not app.is_running
    assert app.failure is None
    assert "Escape goes back" in drive("n").shown


@pytest.mark.long
def test_q_quits_from_every_whole_screen(drive, home, base):
    for way in (["e"], ["r"], ["f"], ["r", "e"]):
        (home / "answers.yaml").unlink(missing_ok=True)
        assert not drive("3", *way, "q").is_running, way
        assert read(home / "answers.yaml", base).features[0].facts["kind"] == "dashboard"


@pytest.mark.long
def test_a_file_that_exists_is_not_replaced_unasked(drive, home):
    (home / "answers.yaml").write_text("features: [{name: mine}]\n")
    keys = ("enter", "3", "q", "enter", "look")
    app = drive(*keys, "1", text=None, file=None)
    assert "already exists" in app.seen[0]
    assert "mine" in (home / "answers.yaml").read_text()
    app = drive(*keys, "2", text=None, file=None)
    assert "mine" not in (home / "answers.yaml").read_text()


@pytest.mark.long
def test_only_what_is_there_is_offered_to_be_replaced(drive):
    """A folder that is missing is reported; the person can then name another file."""
    app = drive("enter", "3", "q", "=nowhere/a.yaml", "enter", text=None, file=None)
    assert "nowhere/a.yaml cannot be written: No such file or directory" in app.shown
    assert "replace" not in app.shown
    app = drive("r", "2", "s", "=nowhere/why.txt", "enter")
    assert "nowhere/why.txt cannot be written: No such file or directory" in app.shown
    assert "replace it" not in app.shown


@pytest.mark.long
def test_a_file_that_somebody_else_changed_is_not_replaced_unasked(drive, home):
    async def meddle(pilot):
        (home / "answers.yaml").write_text("features: [{name: theirs}]\n")
        await pilot.press("q")
        await pilot.pause()
        assert "another program" in str(pilot.app.screen.query("Static").first().content)
        await pilot.press("1")

    app = drive("3", then=meddle)
    assert app.is_running or not app.saved
    assert "theirs" in (home / "answers.yaml").read_text()


def test_a_read_only_folder_is_said_and_loses_nothing(drive, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    async def answer(pilot):
        monkeypatch.setattr("advisor.base.writing.tempfile.mkstemp", full)
        await pilot.press("3")
        await pilot.pause()
        assert "No space left on device" in str(pilot.app.screen.query_one("#effect").content)
        await pilot.press("q")
        await pilot.pause()
        assert "No space left" in " ".join(str(s.content) for s in pilot.app.screen.query("Static").results())
        assert pilot.app.is_running

    app = drive(then=answer)
    assert facts(app)["kind"] == "dashboard"


@pytest.mark.parametrize(("ground", "theme"), [("0;15", "advisor-light"), ("15;0", "advisor-dark")])
def test_the_theme_fits_the_terminal(drive, monkeypatch, ground, theme):
    monkeypatch.setenv("COLORFGBG", ground)
    assert drive().theme == theme


def test_it_works_without_colours(drive, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = drive("3", "look")
    assert "Still possible" in app.seen[0]


@pytest.mark.long
def test_what_cannot_be_seen_in_a_pasted_name_is_marked_and_refused_at_once(drive):
    app = drive("n", "=a\u202eb\x1bc\u200bd", "look", "=plain", "look", "enter", size=(70, 24))
    assert "a?b?c?d" in app.seen[0]
    assert not set("\u202e\x1b\u200b") & set(app.seen[0])
    assert "write one line without control characters" in " ".join(app.seen[0].split())
    assert "one line without" not in " ".join(app.seen[1].split())
    assert app.session.feature.name == "plain"
