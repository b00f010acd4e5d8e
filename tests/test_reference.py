"""The reference pages in docs/: made from the rules, complete, and as fresh as the rules."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.shipped import shipped

from advisor.model.platforms import cards
from advisor.report.reference import pages

ROOT = Path(__file__).resolve().parent.parent
RULES = shipped()
PAGES = pages(RULES)


def advisor(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "advisor", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_the_rules_say(name):
    path = ROOT / "docs" / name
    committed = path.read_text("utf-8") if path.exists() else ""
    assert committed == PAGES[name], f"docs/{name} differs from the rules. Write it again: advisor rules docs docs"


def anchors(page: str) -> list[str]:
    """What a link can lead to: `## id` headings, and the anchors of table rows."""
    return re.findall(r'^## (.+)$|<a id="([^"]+)">', page, re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_a_page_has_one_target(name):
    found = [heading or anchor for heading, anchor in anchors(PAGES[name])]
    assert len(found) == len(set(found))
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGES[name])) <= set(found)


def test_every_caveat_is_there_with_its_parts():
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGES["caveats.md"], re.MULTILINE))
    assert list(sections) == list(RULES.caveats)
    for caveat in RULES.caveats.values():
        text = sections[caveat.id]
        assert [part for part in ("Raised when", "**Why:**", "**Do:**") if part not in text] == []
        assert text.partition("Evidence:")[2].count("\n- ") == len(caveat.evidence)


def test_every_value_of_a_platform_is_a_row_with_source_date_and_confidence():
    page = PAGES["platforms.md"]
    for card in cards(RULES).values():
        assert f"\n## {card.id}\n" in page
        for group, rows in card.groups.items():
            for row in rows:
                anchor = row.id if group == "limits" else f"{card.id}-{group}-{row.id}"
                (line,) = [line for line in page.splitlines() if f'<a id="{anchor}">' in line]
                assert [part for part in (row.source, row.as_of) if part not in line] == []
                assert line.endswith(f"| {row.confidence} |")


def test_a_text_of_the_rules_cannot_leave_its_cell_or_become_html():
    caveat = next(iter(RULES.caveats.values()))
    hostile = caveat._replace(title="a | b\n## c <script>[x](y)")
    page = pages(RULES.replaced(caveats={caveat.id: hostile}))["caveats.md"]
    (row,) = [line for line in page.splitlines() if line.startswith(f"| [{caveat.id}]")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 4
    assert re.findall(r"^#+ .*", page, re.MULTILINE) == ["# Caveats", f"## {caveat.id}"]
    assert not re.search(r"(?<!\\)<script|(?<!\\)\[x\]", page)


def test_the_command_writes_both_pages_and_the_same_bytes_again(tmp_path):
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        ran = advisor("rules", "docs", str(folder))
        assert (ran.returncode, ran.stdout) == (0, "")
        assert ran.stderr.count(" written") == 2
        assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == PAGES


@pytest.mark.long
def test_the_command_takes_another_rules_folder(tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    path = rules / "caveats" / "sse.yaml"
    path.write_text(path.read_text().replace("An event stream carries text only", "Text only"))
    assert advisor("rules", "docs", str(tmp_path / "docs"), "--folder", str(rules)).returncode == 0
    assert "**Text only** (degrades)" in (tmp_path / "docs" / "caveats.md").read_text()


def test_the_command_says_what_is_missing_or_cannot_be_written(tmp_path):
    ran = advisor("rules", "docs")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "advisor rules docs docs" in ran.stderr
    (tmp_path / "taken").write_text("")
    ran = advisor("rules", "docs", str(tmp_path / "taken"))
    assert (ran.returncode, (tmp_path / "taken").read_text()) == (2, "")
    assert "cannot be written" in ran.stderr
