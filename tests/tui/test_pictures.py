"""The README's pictures are what the program shows today, and need nothing from elsewhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from pictures import FOLDER, PICTURES, drawn


@pytest.mark.long
def test_the_pictures_are_those_of_the_program_of_today(home, accept):
    made = drawn(home)
    assert set(made) == set(PICTURES) == {file.stem for file in FOLDER.iterdir()}
    for name, svg in made.items():
        file = FOLDER / f"{name}.svg"
        if accept:
            file.write_text(svg, "utf-8")
        assert words(svg) == words(file.read_text("utf-8")), f"{file.name} has grown old: python tests/pictures.py"


def words(svg):
    """The text of a picture, line by line. Its colours and ids may differ with the version of the library."""
    found = [(element.get("y"), "".join(element.itertext())) for element in ET.fromstring(svg).iter()
             if element.tag.endswith("text")]  # fmt: skip
    return [(y, text.replace("\xa0", " ")) for y, text in found]


def test_the_pictures_ask_nothing_of_the_network():
    for file in FOLDER.iterdir():
        addresses = set(re.findall(r"https?://[^\"' )<]*", file.read_text("utf-8")))
        assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_documentation_shows_every_picture():
    page = (FOLDER.parents[2] / "docs" / "interview.md").read_text("utf-8")
    for name, (says, _) in PICTURES.items():
        assert f"![{says}](../tests/golden/pictures/{name}.svg)" in page
