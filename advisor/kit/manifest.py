"""The options of each kit layer, read from templates/<layer>/<option>/manifest.yaml.

A layer that no answer decides has its one manifest in templates/<layer>/ itself. What an option lacks is a problem with
its place, and no kit is made from templates that have one: manifest_reader.py checks them when they are new, and what
it read is kept as plain data. So no kit and no screen loads pydantic (12 MB, a fifth of a second).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from advisor.base import kept_text
from advisor.base.errors import RuleBaseError
from advisor.kit import option_schema, version_gates
from advisor.kit.kit_file import IMAGE, File, files_of
from advisor.model.values import Other, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from advisor.kit.option_schema import EdgeManifest, Manifest, PublishManifest, ServerManifest
    from advisor.kit.version_gates import Gates

FORM = "1"  # of the kept data; raise it when option_schema.py or manifest_reader.py change its shape


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of one layer. `fact` decides the layer ("" = none does); this option serves the answers `serves`.

    `otherwise`: it also stands for every answer that no other option of the layer serves, and this is said of it.
    `notes` are what is said of a single answer.

    `rows` are what its files take from platform cards, each as platform/group/key; `kept` is the one that says how long
    this stage keeps idle connections to what stands behind it.
    `says`: the manifest itself, for what only one layer has (`server`, `edge`, `publish`).
    """

    layer: str
    name: str
    title: str
    fact: str
    serves: tuple[str, ...]
    unanswered: bool
    files: tuple[File, ...]
    gates: Gates | None
    folder: Path
    says: Manifest
    rows: tuple[str, ...] = ()
    kept: str = ""
    otherwise: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    def takes(self, answer: Value | None) -> bool:
        """Whether this option serves the answer (for a some-of fact: one of its elements)."""
        if not self.fact:
            return True
        if answer is None or isinstance(answer, Unknown):
            return self.unanswered
        chosen = answer if isinstance(answer, tuple) else (answer,)
        return any(choice in self.serves for choice in chosen if isinstance(choice, str))

    @property
    def server(self) -> ServerManifest:
        """What an event server says of itself. For options of the layer "server" only."""
        return cast("ServerManifest", self.says)  # each layer has a class of its own

    @property
    def edge(self) -> EdgeManifest:
        """What a proxy says of itself. For options of the layer "edge" only."""
        return cast("EdgeManifest", self.says)

    @property
    def publish(self) -> PublishManifest:
        """What an example of publishing says of itself. For options of the layer "publish" only."""
        return cast("PublishManifest", self.says)


def pick(options: Collection[Option], answers: Mapping[str, Value]) -> tuple[Option, bool]:
    """The option of a layer for these answers, and whether it only stands in for one that there is not yet."""
    for option in options:
        if option.takes(answers.get(option.fact)):
            return option, False
    return next(option for option in options if option.otherwise), True


def of_layer(chosen: Collection[Option], layer: str) -> Option:
    """The option of a layer that has one in every kit (server, edge)."""
    return next(option for option in chosen if option.layer == layer)


def files(chosen: Collection[Option], instances: int) -> list[File]:
    """What a kit of these options, for so many instances, has of their files."""
    names = {option.name for option in chosen if option.layer != "between"}
    names |= {f"{option.layer}/{option.name}" for option in chosen}
    found = [file for option in chosen for file in option.files if file.suits(names, instances)]
    return [_image(chosen, file) if file.of_server == IMAGE else file for file in found]


def templates_of(option: Option) -> list[File]:
    """The files of an option that are rendered, and what other options take of it."""
    own = [file for file in option.files if file.target and not file.of_server]
    if option.layer == "server":
        own.append(File(option.folder / option.server.image.template, "", "json"))
    return own


def _image(chosen: Collection[Option], file: File) -> File:
    server = of_layer(chosen, "server")
    return replace(file, source=server.folder / server.server.image.template)


def words(answer: Value | None) -> list[str]:
    """An answer's options as a list of words for people."""
    chosen = answer if isinstance(answer, tuple) else (answer,)
    return [choice.text if isinstance(choice, Other) else str(choice) for choice in chosen]


# --- the manifests of a folder ----------------------------------------------------------------------------------------


def load(templates: Path) -> dict[str, list[Option]]:
    """Layer to its options: first those that an answer decides, then by name.

    Raises RuleBaseError with everything that the manifests lack.
    """
    return options(templates, checked(templates))


def kits(templates: Path) -> dict[str, dict[str, Any]]:
    """The kits of templates/kits.yaml: pattern to {layers, each, examples, transports, two-way}.

    Raises RuleBaseError with everything that this file or the manifests lack.
    """
    found: dict[str, dict[str, Any]] = checked(templates)["kits"]
    return found


def options(templates: Path, read: Mapping[str, Any]) -> dict[str, list[Option]]:
    """Layer to its options, as `load` has them, from what manifest_reader.py read."""
    return {
        layer: sorted(
            (_option(templates, layer, entry) for entry in entries), key=lambda option: (not option.fact, option.name)
        )
        for layer, entries in read["options"].items()
    }


def checked(templates: Path) -> dict[str, Any]:
    """What manifest_reader.py reads: `kits` and `options`, of the files as they are now.

    Raises RuleBaseError with everything that the manifests lack.
    """

    def make() -> str:
        from advisor.kit import manifest_reader

        data, problems = manifest_reader.read(templates)
        if problems:
            raise RuleBaseError(problems)
        return json.dumps(data, separators=(",", ":"))

    folder = os.fspath(templates)
    found: dict[str, Any] = json.loads(
        kept_text.text("templates", folder, lambda: kept_text.tree(folder, lambda _: True), make, FORM)
    )
    return found


def _option(templates: Path, layer: str, entry: Mapping[str, Any]) -> Option:
    folder = templates / entry["folder"]
    says = option_schema.manifest_of(layer, entry["says"])
    ((fact, serves),) = says.answers.items() or [("", [])]
    return Option(
        layer=layer,
        name=folder.name,
        title=says.title,
        fact=fact,
        serves=tuple(serves),
        unanswered=says.unanswered,
        files=tuple(file for one in says.files for file in files_of(folder, one)),
        gates=version_gates.load(entry["gates"]) if entry["gates"] else None,
        folder=folder,
        says=says,
        rows=tuple(says.rows),
        kept=says.kept,
        otherwise=says.otherwise,
        notes={answer: note.says for note in says.notes for answer in note.answers},
    )
