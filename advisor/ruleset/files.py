"""The files of a rules folder: their names, their digest, and the places of their content."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from advisor.base.kept_text import digest_of
from advisor.model.rulebase import Place
from advisor.yamlio import nodes

if TYPE_CHECKING:
    from pathlib import Path

Steps = tuple[str | int, ...]  # the path to a node: keys and positions


def sources(folder: str | Path) -> list[str]:
    """The rule files that a rule base is made of, by their names in the folder ("caveats/sse.yaml"), in a stable order.

    Examples, boundary cases and schemas are not among them: they decide nothing.
    """
    names: list[str] = []
    for part in ("", "caveats/", "platforms/"):
        with suppress(FileNotFoundError, NotADirectoryError):
            names += sorted(part + name for name in os.listdir(os.path.join(folder, part)) if name.endswith(".yaml"))
    return names


def manifests(templates: str) -> list[tuple[str, str]]:
    """What of the templates the rules know: kits.yaml and each manifest, as names and paths in a stable order."""
    found = [("kits.yaml", os.path.join(templates, "kits.yaml"))]
    for layer in sorted(os.listdir(templates)):
        inside = os.path.join(templates, layer)
        for option in ["", *sorted(os.listdir(inside) if os.path.isdir(inside) else [])]:
            name = os.path.join(layer, option, "manifest.yaml") if option else os.path.join(layer, "manifest.yaml")
            found.append((name, os.path.join(templates, name)))
    return [(name, path) for name, path in found if os.path.isfile(path)]


def digest(folder: str | Path) -> str:
    """SHA-256 over the names and bytes of the rule files."""
    return digest_of((name, os.path.join(folder, name)) for name in sources(folder))


class RuleFile:
    """One rules file: its nodes (for places) and its model."""

    def __init__(self, name: str, node: nodes.Node) -> None:
        self.name = name
        self.node = node

    def place(self, path: Steps, *, key: bool = False) -> Place:
        """The place of the value at the path; with `key`, the place of its key."""
        line, column = nodes.find(self.node, path, key=key)
        return Place(self.name, line, column)
