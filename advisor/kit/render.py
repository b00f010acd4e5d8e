"""Fills a template: every value goes through the quoting of the template's language, none goes round it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from advisor.kit import quoting

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2


@functools.cache
def environment(target: str) -> jinja2.Environment:
    """The Jinja environment of one language (a key of quoting.QUOTES).

    It has no loader, so a template cannot include another, and no autoescape, because `finalize` is stricter: it sees
    the result of every `{{ }}`, whatever filters made it, and only quoting.Trusted text passes unquoted. Unknown names
    raise.
    """
    import jinja2

    quote = quoting.QUOTES[target]

    def finalize(value: object) -> str:
        if isinstance(value, jinja2.Undefined):
            return str(value)  # StrictUndefined raises here and names the variable
        return quote(value)

    made = jinja2.Environment(  # noqa: S701 - see the docstring: nothing reaches the text but through finalize
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["line"] = functools.partial(quoting.line, target)
    made.filters["words"] = quoting.words

    @jinja2.pass_context
    def fragment(context: jinja2.runtime.Context, text: object) -> str:
        """Text of a manifest, with the values of the template that it is put into."""
        if not isinstance(text, quoting.Fragment):
            raise quoting.UnquotableError("only text of a template's manifest is rendered")
        return quoting.written(_compiled(text, target).render(context.get_all()).strip())

    made.filters["fragment"] = fragment
    return made


def render(source: str, target: str, values: Mapping[str, object]) -> str:
    """The template `source` with `values`, for the language `target`.

    Raises quoting.UnquotableError for a value that the language cannot hold. A template that names an unknown variable
    raises jinja2.UndefinedError: a defect in the template, which a test finds.
    """
    return _compiled(source, target).render(values)


@functools.lru_cache(maxsize=256)  # compiling takes most of a kit's time, and an interview writes several kits
def _compiled(source: str, target: str) -> jinja2.Template:
    return environment(target).from_string(source)


def variables(tree: jinja2.nodes.Template) -> set[str]:
    """The names that a parsed template takes from outside."""
    from jinja2 import meta

    return meta.find_undeclared_variables(tree)
