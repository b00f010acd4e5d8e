"""The options of each kit layer, read from templates/<layer>/<option>/manifest.yaml.

A layer that no answer decides has its one manifest in templates/<layer>/ itself. What an option lacks is a problem with
its place, and no kit is made from templates that have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from advisor.base.errors import Problem, RuleBaseError
from advisor.kit import version_gates as gates
from advisor.model.values import Other, Unknown, Value
from advisor.yamlio import nodes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from advisor.kit.option_schema import EdgeManifest, FileEntry, Manifest, PublishManifest, ServerManifest
    from advisor.kit.version_gates import Gates
    from advisor.ruleset.files import RuleFile
    from advisor.ruleset.reader import Reader

IMAGE = "image"  # a file that another option takes from the chosen server


@dataclass(frozen=True, slots=True)
class File:
    """One file of a kit: copied as it is (`target` empty) or rendered for the language `target` with `extra` values.

    `beside` names options of any layer, as NAME or LAYER/NAME (of "between" only so): the file is written with one of
    them only. Empty: always. `apart` names those with which it is not written.
    `instances` is "one" or "several" for a file that only such a kit has.
    `of_server`: `files` puts the server's own template of that name in place of `source`.
    """

    source: Path
    to: str
    target: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    instances: str = ""
    of_server: str = ""

    def suits(self, names: Collection[str], instances: int) -> bool:
        """Whether a kit of these options, for so many instances, has this file."""
        with_option = not self.beside or any(name in names for name in self.beside)
        return (
            with_option
            and not any(name in names for name in self.apart)
            and self.instances in {"", "several" if instances > 1 else "one"}
        )


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
        return cast("ServerManifest", self.says)  # `_option` reads each layer with its own model

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


# --- reading ----------------------------------------------------------------------------------------------------------


def load(templates: Path) -> dict[str, list[Option]]:
    """Layer to its options: first those that an answer decides, then by name.

    Raises RuleBaseError with everything that the manifests lack.
    """
    layers, problems = read(templates)
    if problems:
        raise RuleBaseError(problems)
    return layers


def kits(templates: Path) -> dict[str, dict[str, Any]]:
    """The kits of templates/kits.yaml: pattern to {layers, each, examples, transports, two-way}.

    Raises RuleBaseError for a defect of that file.
    """
    from pydantic import RootModel

    from advisor.kit.option_schema import Kit
    from advisor.ruleset.reader import Reader

    _, found = Reader(templates, "templates").read("kits.yaml", RootModel[dict[str, Kit]])
    return {pattern: kit.model_dump(by_alias=True) for pattern, kit in found.root.items()}


def read(templates: Path) -> tuple[dict[str, list[Option]], list[Problem]]:
    """Layer to its options, as `load` has them, without those that lack something; and what these lack.

    Raises RuleBaseError where kits.yaml says nothing that could be read.
    """
    layers: dict[str, list[Option]] = {}
    found: list[Problem] = []
    wanted = kits(templates).values()
    for layer in sorted({layer for kit in wanted for key in ("layers", "each", "examples") for layer in kit[key]}):
        layers[layer] = []
        for folder in _folders(templates / layer):
            try:
                layers[layer].append(_option(templates, layer, folder))
            except RuleBaseError as error:
                found += error.problems
        layers[layer].sort(key=lambda option: (not option.fact, option.name))
    return layers, found


def _folders(layer: Path) -> list[Path]:
    """The folders of a layer's options: its own where it has a manifest, else all inside it."""
    if (layer / "manifest.yaml").exists():
        return [layer]
    inside = sorted(path for path in layer.iterdir() if path.is_dir()) if layer.is_dir() else []
    return inside or [layer]


def _option(templates: Path, layer: str, folder: Path) -> Option:
    """Raises RuleBaseError with everything that is wrong with the option."""
    from advisor.kit import option_schema
    from advisor.ruleset.reader import Reader

    name = f"{folder.relative_to(templates).as_posix()}/manifest.yaml"
    if not (folder / "manifest.yaml").is_file():
        needs = ", ".join(option_schema.required(layer))
        raise RuleBaseError([Problem(f"templates/{name}", 0, 0, f"is missing; an option of {layer} needs {needs}")])
    reader = Reader(templates, "templates")
    file, data = reader.read(name, option_schema.model_of(layer))
    made = [one for i, entry in enumerate(data.files) for one in _files(reader, file, folder, entry, i)]
    if isinstance(data, option_schema.ServerManifest) and not (folder / data.image.template).is_file():
        reader.problem(file, ("image", "template"), f"there is no file {data.image.template} in {folder.name}/")
    gated = _gates(reader, file, data.gates and f"{folder.relative_to(templates).as_posix()}/{data.gates}")
    reader.stop()
    ((fact, serves),) = data.answers.items() or [("", [])]
    return Option(
        layer=layer,
        name=folder.name,
        title=data.title,
        fact=fact,
        serves=tuple(serves),
        unanswered=data.unanswered,
        files=tuple(made),
        gates=gated,
        folder=folder,
        says=data,
        rows=tuple(data.rows),
        kept=data.kept,
        otherwise=data.otherwise,
        notes={answer: note.says for note in data.notes for answer in note.answers},
    )


def _files(reader: Reader, file: RuleFile, folder: Path, entry: FileEntry, i: int) -> Iterator[File]:
    only: dict[str, Any] = {"beside": tuple(entry.beside), "apart": tuple(entry.apart), "instances": entry.instances}
    if entry.server:
        yield File(folder, entry.to, "json", of_server=entry.server, **only)
    elif entry.template:
        source = _resolved(folder / entry.template)
        if not source.is_file():
            reader.problem(file, ("files", i, "template"), f"there is no file {entry.template}")
        yield File(source, entry.to, entry.target, entry.extra, **only)
    else:
        found = [_resolved(p) for p in sorted(folder.glob(entry.copies)) if p.name not in entry.without]
        if not found:
            reader.problem(file, ("files", i, "copy"), f"nothing matches {entry.copies}")
        yield from (File(path, f"{entry.to}{path.name}", **only) for path in found)


def _gates(reader: Reader, file: RuleFile, name: str) -> Gates | None:
    """The version gates in a file of the option, if it has one and that is whole; else the reader has the problem."""
    if not name:
        return None
    try:
        return gates.load(cast("dict[str, Any]", nodes.plain(reader.file(name).node)))
    except (KeyError, ValueError, AttributeError) as error:
        reader.problem(file, ("gates",), f"{name}: {error}")
        return None


def _resolved(path: Path) -> Path:
    """A file that another option has too is named by its way from here: ../OPTION/FILE."""
    return path.parent.resolve() / path.name if ".." in path.parts else path
