"""Plain YAML scalars: their value in YAML 1.2, and what a program for YAML 1.1 would read instead."""

from __future__ import annotations

import math
import re

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BEGINNINGS = "+-.0123456789"
_NUMBER = re.compile(r"[-+]?(?=\.?[0-9])(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TIME = r"([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?"
_ODD = tuple(
    (re.compile(pattern), what)
    for pattern, what in (
        (r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF", "true or false"),
        (r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", "a number in base 60"),
        (r"[-+]?0[0-9_]+(\.[0-9_]*)?([eE][-+]?[0-9]+)?", "an octal number or one without its leading zeros"),
        (r"[-+]?0(o[0-7]+|x[0-9a-fA-F_]+|b[01_]+)", "a number that is not decimal"),
        (r"[-+]?(?=.*_)(?=\.?[0-9])([0-9][0-9_]*)?(\.[0-9_]*)?([eE][-+]?[0-9]+)?", "a number without the _"),
        (rf"[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}({_TIME})?", "a date"),
        (r"=|<<", "a special key"),
    )
)


def resolve(text: str) -> str | bool | int | float | None:
    """The value of a plain scalar: null, true, false, a decimal number; yes, no, on, off, 012, 1_000, 1:30 stay texts.

    A number too large for a float is infinite.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _BEGINNINGS:
        if _NUMBER.fullmatch(text):
            whole = text.lstrip("+-").isdigit()
            return int(text) if whole and len(text) <= 300 else float(text)
        if _SPECIAL.fullmatch(text):
            return math.nan if text[1] in "nN" else math.copysign(math.inf, -1 if text[0] == "-" else 1)
    return text


def odd(text: str) -> str:
    """What a program for YAML 1.1 would read instead of this plain text, or ""."""
    if len(text) > 3 and text[0] not in _BEGINNINGS:
        return ""
    return next((what for pattern, what in _ODD if pattern.fullmatch(text)), "")
