"""The manifests of a templates folder as plain data, and everything that they lack, with its place."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from advisor.base.errors import Problem, RuleBaseError
from advisor.kit import option_schema, version_gates
from advisor.kit.kit_file import files_of
from advisor.ruleset.reader import Reader
from advisor.yamlio import nodes

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.kit.option_schema import FileEntry
    from advisor.ruleset.files import RuleFile


def read(templates: Path) -> tuple[dict[str, Any], list[Problem]]:
    """{kits: {pattern: ...}, options: {layer: [{folder, says, gates}]}} of the complete options; what others lack.

    Raises RuleBaseError where kits.yaml says nothing that could be read.
    """
    _, kits = Reader(templates, "templates").read("kits.yaml", dict[str, option_schema.Kit])
    wanted = {pattern: {option_schema.key(k): v for k, v in asdict(kit).items()} for pattern, kit in kits.items()}
    layers: dict[str, list[dict[str, Any]]] = {}
    found: list[Problem] = []
    for layer in sorted({layer for kit in kits.values() for layer in (*kit.layers, *kit.each, *kit.examples)}):
        layers[layer] = []
        for folder in _folders(templates / layer):
            try:
                layers[layer].append(_option(templates, layer, folder))
            except RuleBaseError as error:
                found += error.problems
    return {"kits": wanted, "options": layers}, found


def _folders(layer: Path) -> list[Path]:
    """The folders of a layer's options: its own where it has a manifest, else all inside it."""
    if (layer / "manifest.yaml").exists():
        return [layer]
    inside = sorted(path for path in layer.iterdir() if path.is_dir()) if layer.is_dir() else []
    return inside or [layer]


def _option(templates: Path, layer: str, folder: Path) -> dict[str, Any]:
    """Raises RuleBaseError with everything that is wrong with the option."""
    place = folder.relative_to(templates).as_posix()
    name = f"{place}/manifest.yaml"
    model = option_schema.model_of(layer)
    if not (folder / "manifest.yaml").is_file():
        needs = ", ".join(option_schema.required(model))
        raise RuleBaseError([Problem(f"templates/{name}", 0, 0, f"is missing; an option of {layer} needs {needs}")])
    reader = Reader(templates, "templates")
    file, says = reader.read(name, model)
    for i, entry in enumerate(says.files):
        _check_files(reader, file, folder, entry, i)
    if isinstance(says, option_schema.ServerManifest) and not (folder / says.image.template).is_file():
        reader.problem(file, ("image", "template"), f"there is no file {says.image.template} in {folder.name}/")
    gates = _gates(reader, file, f"{place}/{says.gates}") if says.gates else None
    reader.stop()
    return {"folder": place, "says": asdict(says), "gates": gates}


def _check_files(reader: Reader, file: RuleFile, folder: Path, entry: FileEntry, i: int) -> None:
    found = list(files_of(folder, entry))
    if entry.template and not found[0].source.is_file():
        reader.problem(file, ("files", i, "template"), f"there is no file {entry.template}")
    if entry.copy and not found:
        reader.problem(file, ("files", i, "copy"), f"nothing matches {entry.copy}")


def _gates(reader: Reader, file: RuleFile, name: str) -> dict[str, Any] | None:
    """What a file of version gates says, if that is whole; else the reader has the problem."""
    gates = cast("dict[str, Any]", nodes.plain(reader.file(name).node))
    try:
        version_gates.load(gates)
    except (KeyError, ValueError, AttributeError) as error:
        reader.problem(file, ("gates",), f"{name}: {error}")
        return None
    return gates
