"""advisor: choose how to push data to clients in real time, see why, and get a kit that is proved to work.

As a library: `load_rules` gives the rule base, `read_answers` a project from an answers file, `recommend` the `Verdict`
of a project, `build_kit` its files. These names stay; all others may change. They are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.answers.file import read as read_answers
    from advisor.engine.portfolio import recommend
    from advisor.kit.build import build as build_kit
    from advisor.model.verdict import Verdict
    from advisor.ruleset.cache import load as load_rules

__version__ = "0.1.0"
__all__ = ["Verdict", "__version__", "build_kit", "load_rules", "read_answers", "recommend"]

_HOME = {
    "Verdict": ("advisor.model.verdict", "Verdict"),
    "build_kit": ("advisor.kit.build", "build"),
    "load_rules": ("advisor.ruleset.cache", "load"),
    "read_answers": ("advisor.answers.file", "read"),
    "recommend": ("advisor.engine.portfolio", "recommend"),
}


def __getattr__(name: str) -> Any:
    """Import a name of the library when it is first used, so that no command loads what it does not need."""
    if name not in _HOME:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}; the library is {', '.join(__all__)}")
    from importlib import import_module

    module, attribute = _HOME[name]
    return getattr(import_module(module), attribute)
