"""What is needed is on the screen at 80x24, and what does not fit is marked."""

from __future__ import annotations

import re

import pytest

from advisor.interview.session import Session
from advisor.tui import panes
from advisor.tui.answers import line as answers_line
from advisor.tui.side import NOTHING, Side
from advisor.tui.widgets import Keys


def flat(shown):
    return " ".join(shown.split())


@pytest.mark.grid
@pytest.mark.parametrize("fact", ["media", "latency-need-ms", "nginx-version", "server-model", "clients"])
def test_at_80x24_the_question_how_to_find_out_and_the_ways_out_are_visible(drive, base, fact):
    async def go(pilot):
        pilot.app.change(lambda session: session.goto(fact))
        await pilot.pause()

    shown = drive(size=(80, 24), then=go).shown
    assert flat(base.questions[fact].ask) in flat(shown)
    assert flat(f"Find out: {base.questions[fact].find_out}") in flat(shown)
    assert "I don't know" in shown
    if base.questions[fact].type not in ("number", "text"):
        assert "n new" in shown
        assert "q quit" in shown


@pytest.mark.long
def test_every_question_fits_at_80x24_or_says_what_is_missing(drive, base):
    """A text that is cut names F1; a list that scrolls says how many choices it has."""
    seen = []

    async def go(pilot):
        for fact in base.questions:
            pilot.app.change(lambda session, fact=fact: session.goto(fact))
            await pilot.pause()
            screen = pilot.app.screen
            listed, words = screen.query_one("#choices"), screen.query_one("#words")
            seen.append((fact, listed.max_scroll_y, words.max_scroll_y, str(screen.query_one("#effect").content)))

    drive(size=(80, 24), then=go)
    for fact, scrolls, cut, said in seen:
        assert cut == 0, fact  # the text of the question is shortened, not scrolled away
        assert (scrolls > 0) == ("choices: down shows more" in said), (fact, scrolls, said)


@pytest.mark.parametrize("size", [(96, 28), (100, 30), (120, 32), (160, 50)])
@pytest.mark.parametrize(
    "answers", [{}, {"bidirectional-realtime": False, "reverse-proxy": "nginx", "cdn": "cloudflare"}]
)
def test_the_side_pane_fits_or_says_where_the_rest_is(base, size, answers):
    session = Session.new(base, "a")
    for fact, value in answers.items():
        session = session.answer(fact, value)
    width, rows = panes.side_width(size[0]), size[1] - 2
    side = Side(session, width, rows)
    parts = (side.path, side.patterns(NOTHING), side.caveats)
    assert sum(panes.height(part, width) for part in parts) + 2 <= rows
    whole = Side(session, width, 500)
    if side.path.plain != whole.path.plain:
        assert "F1" in side.path.plain
    if side.patterns(NOTHING).plain != whole.patterns(NOTHING).plain:
        assert "F1" in side.patterns(NOTHING).plain
    if side.caveats.plain != whole.caveats.plain:
        assert "r and then 3 shows all" in side.caveats.plain


@pytest.mark.long
def test_f1_has_what_the_side_pane_shortens(drive):
    shown = flat(drive("f1", "end", size=(100, 30)).shown)
    whole = flat(drive("f1", size=(100, 200)).shown)
    assert "So far" in whole
    assert "in this order; the first that leaves one settles it" in whole
    assert "Escape goes back" in shown


@pytest.mark.grid
@pytest.mark.parametrize("width", [30, 60, 80, 100, 140])
def test_the_line_of_keys_is_cut_at_a_key_and_marked(drive, width):
    async def go(pilot):
        keys = pilot.app.screen.query_one(Keys)
        names = [
            binding.description
            for binding in pilot.app.screen.BINDINGS
            if binding.show and binding.key_display != "esc"
        ]
        said = keys.line(width).plain
        assert len(said) <= width
        listed = [re.sub(r"^\S+ ", "", part) for part in said.removesuffix("  ..").split("  ")]
        assert listed == names[: len(listed)]
        assert said.endswith("..") == (len(listed) < len(names))
        if width >= 80:
            assert len(listed) == len(names)

    drive(then=go)


@pytest.mark.long
def test_no_key_is_shown_that_a_dialog_would_take_as_text(drive):
    assert "b back" not in drive(text=None, size=(80, 24)).shown
    assert "q quit" not in drive("n", size=(80, 24)).shown
    assert "q quit" in drive("n", "escape", size=(80, 24)).shown


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_question_in_the_list_of_all_answers_is_cut_with_a_mark(base, width):
    session = Session.new(base, "a").answer("media", False)
    for row in session.rows:
        shown = answers_line(row, width).plain
        assert len(shown) < width
        assert shown.endswith((row.question.ask, ".."))


MANY = "features:\n" + "".join(f"  - name: f{i}\n    medai: no\n" for i in range(8))


@pytest.mark.grid
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (60, 18)])
def test_a_file_with_many_mistakes_shows_its_choices_and_scrolls(drive, size):
    app = drive("look", *["pagedown"] * 6, "look", "1", text=MANY, size=size)
    for shown in app.seen:
        assert "1 continue with what could be read" in shown
        assert "2 quit and correct the file" in shown
    assert "answers.yaml:3:5" in app.seen[0]
    assert "The file is not changed until you agree." in flat(app.seen[1])
    if size != (100, 30):
        assert "Page down shows more of the text" in flat(app.seen[0])
    assert app.session is not None
