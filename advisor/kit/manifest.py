"""The options of each kit layer, read from templates/<layer>/<option>/manifest.yaml.

A layer that no answer decides has its one manifest in templates/<layer>/ itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from advisor.kit import version_gates as gates
from advisor.model.values import Other, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from advisor.kit.version_gates import Gates


@dataclass(frozen=True, slots=True)
class File:
    """One file of a kit: copied as it is (`target` empty) or rendered for the language `target` with `extra` values.

    `beside` names options of any layer, as NAME or LAYER/NAME (of "between" only so): the file is written with one of
    them only. Empty: always. `apart` names those with which it is not written.
    `instances` is "one" or "several" for a file that only such a kit has.
    """

    source: Path
    to: str
    target: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    instances: str = ""

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
    """

    layer: str
    name: str
    title: str
    fact: str
    serves: tuple[str, ...]
    unanswered: bool
    files: tuple[File, ...]
    gates: Gates | None
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


def pick(options: Collection[Option], answers: Mapping[str, Value]) -> tuple[Option, bool]:
    """The option of a layer for these answers, and whether it only stands in for one that there is not yet."""
    for option in options:
        if option.takes(answers.get(option.fact)):
            return option, False
    return next(option for option in options if option.otherwise), True


def load(templates: Path) -> dict[str, list[Option]]:
    """Layer to its options, sorted by name. Raises KeyError, ValueError or OSError for a defect of the templates."""
    layers: dict[str, list[Option]] = {}
    for path in sorted(templates.rglob("manifest.yaml")):
        option = _option(path, path.relative_to(templates).parts)
        layers.setdefault(option.layer, []).append(option)
    return layers


def kits(templates: Path) -> dict[str, dict[str, Any]]:
    """The kits of templates/kits.yaml: pattern to {layers, each, examples, transports, two-way}."""
    found = _yaml(templates / "kits.yaml")
    return {str(pattern): dict(kit) for pattern, kit in found.items()}


def files(chosen: Collection[Option], instances: int) -> list[File]:
    """What a kit of these options, for so many instances, has of their files."""
    names = {option.name for option in chosen if option.layer != "between"}
    names |= {f"{option.layer}/{option.name}" for option in chosen}
    return [file for option in chosen for file in option.files if file.suits(names, instances)]


def words(answer: Value | None) -> list[str]:
    """An answer's options as a list of words for people."""
    chosen = answer if isinstance(answer, tuple) else (answer,)
    return [choice.text if isinstance(choice, Other) else str(choice) for choice in chosen]


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} is not a mapping")  # noqa: TRY004 - a defect of the file, not of a type
    return data


def _option(path: Path, parts: tuple[str, ...]) -> Option:
    data = _yaml(path)
    folder = path.parent
    ((fact, serves),) = data.get("answers", {"": []}).items()
    files = [file for entry in data["files"] for file in _files(folder, entry)]
    return Option(
        layer=parts[0],
        name=folder.name,
        title=data["title"],
        fact=fact,
        serves=tuple(serves),
        unanswered=data.get("unanswered", False),
        files=tuple(files),
        gates=gates.load(_yaml(folder / data["gates"])) if "gates" in data else None,
        rows=tuple(data.get("rows", ())),
        kept=data.get("kept", ""),
        otherwise=data.get("otherwise", ""),
        notes=data.get("notes", {}),
    )


def _files(folder: Path, entry: dict[str, Any]) -> list[File]:
    only: dict[str, Any] = {name: tuple(entry.get(name, ())) for name in ("beside", "apart")}
    only["instances"] = entry.get("instances", "")
    if "template" in entry:
        return [File(_there(folder / entry["template"]), entry["to"], entry["target"], entry.get("with", {}), **only)]
    found = [_there(path) for path in sorted(folder.glob(entry["copy"])) if path.name not in entry.get("without", [])]
    if not found:
        raise ValueError(f"{folder.name}: nothing matches {entry['copy']}")
    return [File(path, f"{entry.get('to', '')}{path.name}", **only) for path in found]


def _there(path: Path) -> Path:
    """A file that another option has too is named by its way from here: ../OPTION/FILE."""
    return path.parent.resolve() / path.name if ".." in path.parts else path
