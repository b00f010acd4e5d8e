"""The page: what the verdict says is on it, nothing on it can run or reach out, and everybody can read it."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.hostile_names import NAMES
from support.shipped import shipped

from advisor.answers.file import read
from advisor.base.data import data
from advisor.base.text import visible
from advisor.engine.portfolio import recommend
from advisor.kit import build
from advisor.model.project import Feature, Project
from advisor.report import caveat_words, cost_tables, words
from advisor.report.html import html
from advisor.report.one_page import fitting

RULES = shipped()
EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
FIXTURE = json.loads((Path(__file__).parent / "golden" / "fixture.json").read_text("utf-8"))
ACTIVE = {"script", "link", "img", "iframe", "object", "embed", "form", "input", "base", "image", "use"}
VOID = {"meta", "br", "link", "img", "input", "hr"}
STYLE = (data("templates") / "report" / "page.css").read_text("utf-8")


class Page(HTMLParser):
    """The page as read: balanced elements, their attributes, and the text outside `style`."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.pieces = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())

    def all(self, name):
        return [attrs for tag, attrs in self.elements if tag == name]


def example(name):
    return recommend(read(str(data("rules") / "examples" / f"{name}.yaml"), RULES), RULES)


def verdicts():
    return [FIXTURE, *(recommend(read(str(path), RULES), RULES) for path in EXAMPLES)]


@pytest.mark.long
def test_every_example_and_the_rare_states_give_a_well_formed_page():
    for verdict in verdicts():
        source = html(verdict, RULES)
        page = Page(source)
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
        for _, attrs in page.elements:
            targets.update((attrs.get("aria-labelledby") or "").split())
        assert targets <= set(ids)
        assert source.isascii()
        assert "Undefined" not in source


def said(verdict):
    """Every sentence and id of a verdict that a reader should find."""
    yield verdict["rules"]["sha256"]
    yield from (words.connection_line(connection, RULES) for connection in verdict["shared"]["connections"])
    yield from caveat_words.handled(verdict)
    for feature in verdict["features"]:
        yield from (feature["name"], feature["confidence"], words.article_line(feature, RULES))
        yield words.title(feature["primary"], RULES) if feature["primary"] else "No pattern fits"
        for caveat in caveat_words.of(feature, verdict):
            yield from (caveat["id"], caveat["title"], caveat["because"], caveat["why"], caveat["figures"] or "")
            yield from (step["text"] for step in caveat["do"])
            yield from (item["text"] for item in caveat["evidence"])
        yield from (item["why"] for item in (*feature["acceptable"], *feature["rejected"], *feature["contradictions"]))
        yield from (item["id"] for item in feature["caveats_if"])
        yield from (item["title"] for kept in feature["if_kept"] for item in kept["caveats"])
        yield from words.assumed(feature, RULES)
        yield from (change["text"] for change in feature["changes"])
        yield from (step["title"] for step in (*feature["steps"], *feature["article_steps"]))
        yield from (fact for fact in feature["open"] if fact in feature["matters"])
        if feature["costs"]:
            yield from cost_tables.sentences(feature, RULES)
            for key, every in itertools.product(cost_tables.SCALES, (cost_tables.TRAFFIC, cost_tables.HELD)):
                rows = cost_tables.table(feature, RULES, key, cost_tables.columns(feature, RULES, every))
                yield from ("".join([row.name, *row.cells]) for row in rows)
        if feature["timing"] and feature["primary"] and not feature["outside"]:
            yield from ("".join(row) for row in words.times(feature, RULES))


@pytest.mark.long
def test_the_page_says_everything_that_the_verdict_says():
    for verdict in verdicts():
        page = Page(html(verdict, RULES))
        text = page.text
        missing = [one for one in said(verdict) if " ".join(visible(str(one)).split()) not in text]
        assert missing == []
        caveats = [caveat for feature in verdict["features"] for caveat in feature["caveats"]]
        urls = {item["url"] for caveat in caveats for item in caveat["evidence"] if item["url"]}
        assert urls <= {a["href"] for a in page.all("a")}


def test_the_path_is_drawn_with_every_step_and_ends_in_the_pattern():
    verdict = example("notifications")
    source = html(verdict, RULES)
    drawings = re.findall(r"<svg.*?</svg>", source, re.DOTALL)
    (walked,) = (d for d in drawings if "f1-walk-title" in d)
    steps = verdict["features"][0]["steps"]
    assert walked.count('class="station passed"') == sum(step["state"] == "passed" for step in steps)
    assert walked.count('class="station decided"') == 1
    assert 'class="chip-text">Server-Sent Events' in walked
    assert "The path ends in Server-Sent Events." in walked


def test_the_chart_has_a_bar_for_each_pattern_as_long_as_its_number():
    source = html(example("notifications"), RULES)
    (bars,) = (d for d in re.findall(r"<svg.*?</svg>", source, re.DOTALL) if "f1-chart-0-title" in d)
    assert [float(w) for w in re.findall(r'width="([\d.]+)" height="10" rx="3" class="bar', bars)] == pytest.approx(
        [290, 290 * 251_771 / 720_000, 0, 0], abs=0.3
    )


@pytest.mark.long
def test_nothing_on_the_page_runs_or_is_fetched():
    for verdict in verdicts():
        source = html(verdict, RULES)
        page = Page(source)
        names = {tag for tag, _ in page.elements}
        assert not names & ACTIVE
        for tag, attrs in page.elements:
            assert not [name for name in attrs if name.startswith("on") or name in {"src", "style", "srcset"}], tag
            assert re.match(r"#|https?://", attrs.get("href", "#")), attrs
        policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
        inside = re.search(r"<style>(.*?)</style>", source, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        assert not re.search(r"url\(|@import", inside)


def hostile_project(names):
    features = tuple(
        Feature(name, {"bidirectional-realtime": i % 3 == 0, "page": name}) for i, name in enumerate(names)
    )
    return Project(names[0], {}, {}, features)


def named(name):
    """The fixture's page with this name wherever a user can have written one."""
    verdict = copy.deepcopy(FIXTURE)
    verdict["project"] = verdict["features"][0]["name"] = name
    verdict["features"][0]["steps"][1]["rules"][0]["conditions"][1]["answer"][2] = {"other": name}
    return Page(html(verdict, RULES, {"nginx/nginx.conf": name.encode("utf-8", "replace")}, [name]))


PLAIN = [(tag, sorted(attrs)) for tag, attrs in named("plain").elements]


@pytest.mark.grid
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_a_user_wrote_stays_text(name):
    page = named(name)
    assert [(tag, sorted(attrs)) for tag, attrs in page.elements] == PLAIN
    assert page.text.count(" ".join(visible(name).split())) >= 4
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(page.pieces))


@pytest.mark.long
def test_thirty_features_have_a_table_with_links():
    project = hostile_project(NAMES[:30])
    page = Page(html(recommend(project, RULES), RULES))
    links = [a["href"] for a in page.all("a")]
    for i in range(1, 31):
        assert links.count(f"#f{i}") == 1  # the table; a list of them above it would say the same twice
    assert links.count("#verdict") == 31  # what skips the head, and the end of each feature


@pytest.mark.long
def test_the_page_begins_with_the_first_page_and_all_else_is_folded():
    """For a single feature too: what the text and the record say, in the same sentences, before the first fold."""
    for verdict in verdicts():
        source = html(verdict, RULES)
        assert not [a for a in Page(source).all("details") if "open" in a]
        shown = fitting(verdict, RULES)
        articles = re.findall(r"<article.*?</article>", source, re.DOTALL)
        for page, article in zip(shown.features, articles, strict=True):
            text = Page(article.partition('<div class="folds">')[0] + "</article>").text
            told = [page.sure, page.fallback, page.because, page.counts, *page.flips, page.article if page.fits else ""]
            told += [part for bite in page.bites for part in (bite.title, bite.cure)]
            told += [part for cost in page.costs for part in cost]
            assert [one for one in told if one not in text] == []
            assert text.index(page.sure) < text.rindex(page.because)  # the verdict, what bites, then why
            assert not page.bites or text.index(page.bites[0].cure) < text.rindex(page.because)
        head = source.partition("<article")[0]
        assert all(visible(bite.cure) in Page(f"{head}</main></body></html>").text for bite in shown.shared)


def test_how_many_caveats_there_are_is_said_in_english():
    verdict = example("notifications")
    assert "What will bite you, and what to do first: 4 that break, 1 that degrades" in Page(html(verdict, RULES)).text
    (feature,) = verdict["features"]
    one = {**feature["caveats"][0], "severity": "note"}
    assert caveat_words.counts([one]) == "1 note"
    assert caveat_words.counts([one, one, *feature["caveats"][:1]]) == "1 that breaks, 2 notes"
    assert caveat_words.counts([]) == ""


def test_the_kits_configuration_is_on_the_page_and_its_programs_are_named():
    project = read(str(data("rules") / "examples" / "notifications.yaml"), RULES)
    verdict = recommend(project, RULES)
    made = build.build(project, verdict, RULES)
    page = Page(html(verdict, RULES, made.files, made.notes))
    text = "".join(page.pieces)
    assert made.files["nginx/nginx.conf"].decode() in text
    assert made.files["answers.yaml"].decode() in text
    assert made.files["server/hub.py"].decode() not in text
    assert "server/hub.py" in text
    assert "below; advisor recommend answers.yaml --kit my-kit writes all of them." in page.text
    said = Page(html(verdict, RULES, {}, ["There is no kit for that."])).text
    assert "There is no kit for that." in said


# --- for everybody ----------------------------------------------------------------------------------------------------


def colours(css):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_is_legible_in_both_themes():
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    day = colours(light)
    for theme in (day, day | colours(dark)):
        for ink, paper in (
            ("ink", "paper"), ("ink", "ground"), ("soft", "paper"), ("soft", "ground"), ("accent", "paper"),
            ("ink", "tint"), ("soft", "tint"), ("paper", "accent"), ("breaks", "breaks-tint"), ("ink", "breaks-tint"),
            ("degrades", "degrades-tint"), ("note", "note-tint"),
        ):  # fmt: skip
            assert contrast(theme[ink], theme[paper]) >= 4.5, (ink, paper)
        assert contrast(theme["bar"], theme["paper"]) >= 2.9
        assert contrast(theme["accent"], theme["track"]) >= 3


@pytest.mark.long
def test_headings_go_down_one_level_at_a_time_and_tables_have_heads():
    for verdict in verdicts():
        page = Page(html(verdict, RULES))
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels)), levels
        assert len(page.all("table")) == len(page.all("caption"))
        assert all(a.get("scope") in {"row", "col"} for a in page.all("th"))
        assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in page.all("svg"))
        assert all(a.get("tabindex") == "0" for _, a in page.elements if a.get("class") == "scroll")
