"""The verdict as one HTML page that needs nothing else: no network, no script, its own style, readable on paper."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from advisor.base.data import data
from advisor.base.text import visible
from advisor.engine.costs import COUNTED
from advisor.model.answers_in_words import named
from advisor.report import caveat_words, cost_tables, words
from advisor.report.cost_chart import chart
from advisor.report.first_page import BITE_HEAD, FLIP_HEAD
from advisor.report.one_page import fitting
from advisor.report.path_drawing import walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import FeatureVerdict, Verdict

SEVERITY = {"breaks": "Breaks", "degrades": "Degrades", "note": "Note"}
STATE = {"passed": "passed", "decided": "decided", "not-reached": "not reached"}
PANELS = (cost_tables.TRAFFIC[0], cost_tables.BARS, cost_tables.HELD[0])
CONFIGS = (".conf", ".yaml", ".yml", ".json", ".toml", ".cfg", ".service", ".vcl", "Dockerfile", "Caddyfile")


def html(
    verdict: Verdict,
    base: RuleBase,
    files: Mapping[str, bytes] | None = None,
    notes: Sequence[str] = (),
    file: str = "answers.yaml",
) -> str:
    """The page: of each feature first what text and Markdown print too (first_page.py), then everything, folded.

    `files` are the kit's, by name, where there is a kit; `notes` say why not, or what to know about it. `file` is the
    answers file that its commands name.

    Everything that comes from answers and rules is escaped by the template engine, after invisible controls and marks
    have become visible. The content security policy allows the page's own style and nothing else. It is all ASCII, so
    that no locale can spoil it.
    """
    folder = data("templates") / "report"
    style = (folder / "page.css").read_text("utf-8")
    template = _environment().from_string((folder / "page.html.j2").read_text("utf-8"))
    page: str = template.render(
        verdict=verdict,
        base=base,
        style=_markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{_digest(style)}'; base-uri 'none'; form-action 'none'",
        configs={name: _text(content) for name, content in (files or {}).items() if name.endswith(CONFIGS)},
        others=[name for name in files or {} if not name.endswith(CONFIGS)],
        notes=notes,
        first=fitting(verdict, base, file),
        heads={"bite": BITE_HEAD, "flip": FLIP_HEAD},
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    made.globals.update(
        bill=cost_tables, words=words, caveats=caveat_words, walk=_walk, panels=_panels, severity=SEVERITY, state=STATE,
        counted=COUNTED, named=named,
    )  # fmt: skip
    return made


def _shown(value: Any) -> Any:
    """What a reader cannot see, made visible; markup that we made passes."""
    return visible(value) if type(value) is str else value


def _markup(made: str) -> Markup:
    from markupsafe import Markup

    return Markup(made)  # noqa: S704  # our own file, or built by svg.py, which escapes what it is given


def _digest(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode("ascii")


def _text(content: bytes) -> Markup:
    """A file's text with its line feeds, escaped."""
    from markupsafe import Markup, escape

    return Markup("\n").join(escape(visible(line)) for line in content.decode("utf-8", "replace").split("\n"))


def _walk(feature: FeatureVerdict, base: RuleBase, name: str, *, article: bool = False) -> Markup:
    if article:
        title, end = "The article's five steps, as walked", feature["article"]["primary"]
        return _markup(walk(feature["article_steps"], base.article, end, base, title, name))
    title = "The steps of the decision, as walked"
    return _markup(walk(feature["steps"], base.steps, feature["primary"], base, title, name))


def _panels(feature: FeatureVerdict, base: RuleBase, name: str) -> list[tuple[str, Markup]]:
    """The cost chart: a panel for each of a few costs, with its caption."""
    chosen = cost_tables.name(feature["primary"], base) if feature["primary"] else ""
    made = []
    for i, column in enumerate(PANELS):
        rows = cost_tables.lengths(feature, base, "patterns", column)
        made.append((column.title, _markup(chart(rows, chosen, column.title, f"{name}-{i}"))))
    return made
