"""The files of a rules folder: which they are, their digest, and the places of what stands in one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from advisor import yamlfile
from advisor.rulebase import Place

Steps = tuple[str | int, ...]  # the way to a node: keys and positions


def sources(folder: Path) -> list[Path]:
    """The rule files that a rule base is made of, in a stable order. Examples and schemas are not among them."""
    return sorted(folder.glob("*.yaml")) + sorted(folder.glob("caveats/*.yaml"))


def digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of the rule files."""
    sha = hashlib.sha256()
    for path in sources(folder):
        content = path.read_bytes()
        sha.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        sha.update(content)
    return sha.hexdigest()


class RuleFile:
    """One rules file: its nodes (for places) and its model."""

    def __init__(self, name: str, node: yamlfile.Node) -> None:
        self.name = name
        self.node = node

    def place(self, path: Steps, *, key: bool = False) -> Place:
        """The place of what the path leads to; with `key`, of the key that it stands under."""
        line, column = yamlfile.find(self.node, path, key=key)
        return Place(self.name, line, column)
