"""How a value is written in each language of a kit so that it stays one value: the only way into a template.

A quote takes a Python value and returns text that means exactly this value where one token of the language is expected,
or raises UnquotableError. Booleans, numbers and None are written in the language's own words. `Trusted` text passes as
it is; it can only be made from characters that mean nothing in any of these languages.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Self, TypeAlias

from advisor.base.errors import OutputError
from advisor.base.text import quoted, visible

Quote: TypeAlias = Callable[[object], str]

_INERT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_WORD = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)(?:/|\.|-{1,2})?[A-Za-z_][A-Za-z0-9._/=-]*")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # and halves of characters, which no file can hold
_TOKEN_LIMIT = 2000  # nginx reads through a buffer of 4,096 bytes and refuses what fills it; quoting may double a text
_LINE_LIMIT = 120  # also of a comment
_SLUG_LIMIT = 40  # names of Kubernetes have 63 characters at most, and the kit puts words before and after


class UnquotableError(OutputError):
    """A value that the language cannot hold."""


class Trusted(str):
    """Text that passes unquoted: letters, digits and . _ / - only, and no leading punctuation."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the characters. Raises ValueError."""
        if not _INERT.fullmatch(text):
            raise ValueError(f"{text!r} is not inert in every language of a kit")
        return super().__new__(cls, text)


class _Written(str):
    """Text that a filter of this module has made for one language."""

    __slots__ = ()


class Word(_Written):
    """A word of a command in a manifest. Unquoted it is one word, and a text, in every language of a kit."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the characters. Raises ValueError."""
        if not is_word(text):
            raise ValueError(f"{text!r} is not a plain word of a command")
        return super().__new__(cls, text)


def is_word(text: str) -> bool:
    """Whether the text can be a Word."""
    return _WORD.fullmatch(text) is not None


class Fragment(str):
    """Text of a template's manifest, in the language of the file that it goes into, and a template itself.

    It is quoted like any other text, unless the filter `fragment` renders it.
    """

    __slots__ = ()


def slug(text: str) -> str:
    """A short lower-case ASCII name for paths and identifiers, or an empty string where nothing is left of the text."""
    return _words(text)[:_SLUG_LIMIT].strip("-")


def says_all(text: str) -> bool:
    """Whether its slug has every word of the text: nothing but case and punctuation is lost."""
    return text.isascii() and 0 < len(_words(text)) <= _SLUG_LIMIT


def own_slug(name: str, instead: str) -> str:
    """A slug that no other name has, for places that projects share; `instead` is used where no letter is left.

    Of all names with the same letters and digits one keeps the plain slug: the one in lower case with a capital first
    and single spaces ("Acme orders"). For every other one it ends with a hash of the name, as no plain slug does.
    """
    made = slug(name)
    words = made.replace("-", " ")
    if made and name == words[0].upper() + words[1:] and not re.search("-[0-9a-f]{8}$", made):
        return made
    return marked_slug(name, instead)


def marked_slug(name: str, instead: str) -> str:
    """A slug that ends with a hash of the name, and is as short as any other."""
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug(name)[: _SLUG_LIMIT - 9].strip('-') or instead}-{mark}"


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def number(value: float) -> str:
    """A finite number without exponent where it is whole."""
    if not isinstance(value, int):
        if not math.isfinite(value):
            raise UnquotableError(f"{value} is not a number that a configuration can hold")
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _scalar(yes: str, no: str, none: str | None, text: Quote) -> Quote:
    def quote(value: object) -> str:
        if isinstance(value, Trusted | _Written):
            return str(value)
        if isinstance(value, bool):
            return yes if value else no
        if isinstance(value, int | float):
            return number(value)
        if isinstance(value, str):
            return text(value)
        if value is None and none is not None:
            return none
        raise UnquotableError(f"a value of type {type(value).__name__} has no form here")

    return quote


def _refuse(language: str, text: str, characters: str, why: str) -> None:
    for character in characters:
        if character in text:
            raise UnquotableError(f"{quoted(text)} cannot be written for {language}: {visible(character)} {why}")


def _no_controls(language: str, text: str) -> None:
    if found := _CONTROL.search(text):
        raise UnquotableError(
            f"{quoted(text)} cannot be written for {language}: {visible(found[0])} is a control character"
        )


def _nginx(value: object) -> str:
    text = str(value)
    # nginx has no escape for "$": inside and outside quotes it starts a variable. So it is refused, not smuggled in
    # through a map, because a directive that takes no variables would then print the map's name.
    _refuse("nginx", text, "$", "would start a variable and has no escape")
    _no_controls("nginx", text)
    if len(text.encode()) > _TOKEN_LIMIT:
        raise UnquotableError(
            f"a text of {len(text)} characters is too long for nginx; it takes {_TOKEN_LIMIT:,} bytes"
        )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escapes(text: str, extra: Mapping[str, str]) -> str:
    def one(character: str) -> str:
        code = ord(character)
        if character in extra:
            return extra[character]
        if 32 <= code < 127:
            return character
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"

    return "".join(map(one, text))


def _yaml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(QUOTES["yaml"](item) for item in value) + "]"
    # ASCII only, and every character beyond U+FFFF as one \U: YAML reads a JSON surrogate pair as two broken halves.
    return '"' + _escapes(str(value), {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}) + '"'


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UnquotableError(f"JSON cannot hold this: {error}") from error


def _hcl(value: object) -> str:
    text = _json(str(value))
    return text.replace("${", "$${").replace("%{", "%%{")  # both would start a template


def _shell(value: object) -> str:
    text = str(value)
    _no_controls("the shell", text)
    return shlex.quote(text)


def _systemd(value: object) -> str:
    text = str(value)
    _refuse("systemd", text, "\0", "ends a string")
    _refuse("systemd", text, "$", "is a variable on command lines only, so no one spelling holds for every setting")
    octets = "".join(
        chr(b) if 32 <= b < 127 and b not in (34, 37, 92) else {37: "%%"}.get(b, f"\\x{b:02x}")
        for b in text.encode("utf-8", "surrogatepass")
    )
    return f'"{octets}"'


def _nowhere(language: str) -> Quote:
    """For languages whose templates have numbers and comments only."""

    def refuse(value: object) -> str:
        raise UnquotableError(f"{quoted(str(value))} cannot be written for {language}: a kit writes no text there")

    return refuse


def _env(value: object) -> str:
    text = str(value)
    # Docker, systemd and the shell read one file in three ways; they agree on single quotes around plain text only.
    _no_controls("an environment file", text)
    _refuse("an environment file", text, "'\\", "is read differently by docker, systemd and the shell")
    return f"'{text}'"


_MARKUP = re.compile(
    r"[\\`*\[\]{}<>#|~&$@^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis, code, links, HTML, tables, entities
    r"|:(?=\S)|(?<=www)\.(?=\S)"  # bare links
    r"|^[-+=]|(?<=\d)[.)](?=\s|$)",  # lists and underlined headings
    re.IGNORECASE,
)


def _markdown(value: object) -> str:
    """Inline text: no markup, no link, no HTML, no table cell, one line."""
    return _MARKUP.sub(lambda m: "\\" + m[0], visible(str(value)).strip())


def _html(value: object) -> str:
    return html.escape(visible(str(value)), quote=True)


def _line(text: str) -> str:
    shown = visible(text)
    if len(shown) > _LINE_LIMIT:
        shown = shown[: _LINE_LIMIT - 3] + "..."
    return shown.rstrip("\\ ")  # a trailing backslash would join the next line


def line(target: str, value: object) -> str:
    """Free text up to the end of the line: a comment, or a systemd description. At most 120 characters."""
    if target not in LINES:
        raise UnquotableError(f"{target} has no free text up to the end of a line")
    text = _line(str(value))
    return _Written(text.replace("%", "%%") if target == "systemd" else text)


def words(command: object) -> str:
    """The words of a command, separated by spaces. Raises UnquotableError for anything but a list of Word."""
    if not isinstance(command, list) or not all(isinstance(word, Word) for word in command):
        raise UnquotableError("only a command of a template's manifest is written as words")
    return _Written(" ".join(command))


def written(text: str) -> str:
    """Text that has been rendered for the language that it is now put into."""
    return _Written(text)


NUMBERS: Final = {"haproxy": "HAProxy", "caddy": "Caddy", "apache": "Apache httpd", "vcl": "VCL"}
LINES: Final = ("nginx", "yaml", "shell", "systemd", "env", "python", "hcl", *NUMBERS)
QUOTES: Final[Mapping[str, Quote]] = MappingProxyType(
    {
        "nginx": _scalar("on", "off", None, _nginx),
        "yaml": lambda v: _yaml(v) if isinstance(v, list | tuple) else _scalar("true", "false", "null", _yaml)(v),
        "json": _json,
        "hcl": _scalar("true", "false", "null", _hcl),
        "shell": _scalar("true", "false", None, _shell),
        "systemd": _scalar("yes", "no", None, _systemd),
        "python": _scalar("True", "False", "None", lambda v: ascii(str(v))),
        "markdown": _scalar("yes", "no", "unknown", _markdown),
        "html": _scalar("yes", "no", "unknown", _html),
        "env": _scalar("true", "false", None, _env),
        **{target: _scalar("on", "off", None, _nowhere(language)) for target, language in NUMBERS.items()},
    }
)
