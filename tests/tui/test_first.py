"""The first screen, the look of the terminal, and the keys that people try to leave with."""

from __future__ import annotations

import pytest

from advisor.tui.app import AdvisorApp
from advisor.tui.first import FirstName


def flat(shown):
    return " ".join(shown.replace("|", " ").split())


@pytest.fixture
def noticed(monkeypatch):
    """A message in a corner of the screen, which a run without a terminal does not draw."""
    said = []
    monkeypatch.setattr(AdvisorApp, "notify", lambda _app, message, **_more: said.append(message))
    return said


@pytest.mark.long
def test_the_first_screen_says_what_comes_out_and_shows_an_example_without_a_trace(drive, home):
    app = drive("look", "f2", "look", "4", "enter", "look", "e", "look", "q", "b", text=None, file=None, size=(80, 24))
    first, example, question, export = map(flat, app.seen)
    assert "advisor recommends how a feature of your product gets updates from your servers in real time" in first
    assert "with a decision record and a starter kit that runs." in first
    assert "F2 shows an example first" in first
    assert "Example b goes back to your own feature" in example
    assert "Server-Sent Events" in example
    for said in (question, export):
        assert "This is an example; b goes back" in said
    assert type(app.last) is FirstName
    assert app.session is None
    assert list(home.iterdir()) == []


@pytest.mark.grid
@pytest.mark.parametrize(
    ("asked", "theme"),
    [("light", "advisor-light"), ("dark", "advisor-dark"), ("nord", "nord"), ("pink", "advisor-dark")],
)
def test_advisor_theme_decides_and_a_wrong_name_is_said(drive, monkeypatch, noticed, asked, theme):
    monkeypatch.setenv("ADVISOR_THEME", asked)
    app = drive(size=(120, 32))
    assert app.theme == theme
    assert any("ADVISOR_THEME names no theme" in said for said in noticed) is (asked == "pink")


def test_a_theme_that_was_chosen_is_there_in_the_next_run(drive):
    async def go(pilot):
        pilot.app.switch_theme()
        await pilot.pause()

    assert drive(then=go).theme == "advisor-light"
    assert drive(fresh=False).theme == "advisor-light"


@pytest.mark.long
def test_ctrl_c_names_the_keys_that_quit(drive, noticed):
    said = flat(drive("ctrl+c").shown)
    assert "q (in a line: Escape, then q) saves and quits. ctrl+q quits at once" in said
    drive("n", "ctrl+c")
    drive("ctrl+c", text=None, file=None)
    assert noticed[0].startswith("Escape closes this; then q saves and quits.")
    assert noticed[1:] == ["Escape quits, and so does ctrl+q."]


@pytest.mark.grid
@pytest.mark.parametrize("key", ["n", "f m", "f d"])
def test_a_name_that_is_refused_stays_to_be_changed(drive, key):
    text = "features: [{name: chat}, {name: orders}]\n"
    app = drive(*key.split(), "=Orders", "enter", "look", "=more", "enter", text=text)
    assert 'A feature named "Orders" already exists.' in flat(app.seen[0])
    assert "Orders" in app.seen[0].split("name of the ")[1]
    assert "more" in [feature.name for feature in app.session.project.features]


@pytest.mark.long
def test_a_file_that_cannot_be_written_stays_to_be_changed(drive, home):
    app = drive("enter", "3", "q", "=nowhere/a.yaml", "enter", "look", "=here.yaml", "enter", text=None, file=None)
    assert "nowhere/a.yaml cannot be written" in flat(app.seen[0])
    assert (home / "here.yaml").is_file()
    assert not app.is_running


def test_the_palette_does_not_cover_a_dialog_with_its_text(drive, noticed):
    app = drive("n", "=half a name", "ctrl+p", "look")
    assert "half a name" in app.seen[0]
    assert "Answer this first, or leave it with Escape" in noticed[0]


@pytest.mark.long
def test_the_next_feature_of_a_single_one_says_that_there_is_none(drive):
    assert "There is only this feature" in flat(drive("r", "f").shown)
    assert "There is only this feature" not in flat(drive("r", "f", text="features: [{name: a}, {name: b}]\n").shown)


@pytest.mark.long
def test_the_export_ticks_what_a_team_commits_and_offers_the_page(drive, home):
    app = drive("e", "look", "4", "1", "2", "3", "w", text="features: [{name: call, media: yes}]\n")
    assert "4 [ ] report (HTML)   report.html  new" in app.seen[0]
    assert "1 [x] answers file" in app.seen[0]
    assert "2 [x] decision record" in app.seen[0]
    assert (home / "report.html").read_text().startswith("<!")
    assert sorted(path.name for path in home.iterdir() if path.is_file() and path.name[0] != ".") == [
        "answers.yaml",
        "report.html",
    ]
