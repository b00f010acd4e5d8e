"""Turns a verdict into the files of a kit: one option per layer, notes for what has no template."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.base import data
from advisor.base.text import visible
from advisor.kit import manifest, render
from advisor.kit.member import Member
from advisor.kit.values import ON_THE_WAY, context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from advisor.kit.manifest import Option
    from advisor.model.project import Project
    from advisor.model.rulebase import RuleBase
    from advisor.model.values import Value
    from advisor.model.verdict import Verdict

LOCK = "advisor.lock"
BESIDE = (
    "the event server is a process of its own in {language}; your back end needs no {language} and publishes to it "
    "over HTTP"
)


@dataclass(frozen=True, slots=True)
class Kit:
    """The files of a kit by their relative POSIX path, sorted; `notes` says what has no template. No files: no kit.

    `needed`: some feature needs files. An ordinary request needs none.
    """

    files: dict[str, bytes]
    notes: list[str]
    needed: bool = True


def build(project: Project, verdict: Verdict, base: RuleBase, templates: Path | None = None) -> Kit:
    """The kit for a project verdict. Pure: the same answers, rules and templates give the same bytes.

    Raises quoting.UnquotableError (an OutputError) if a value cannot be written in a file's language.
    """
    templates = templates or data.data("templates")
    notes: list[str] = []
    read = manifest.checked(templates)
    kits = read["kits"]
    members = _members(project, verdict, base, kits, notes)
    if not members:
        return Kit({}, notes, any(f["primary"] not in kits for f in verdict["features"]))
    chosen, members = choose(members, manifest.options(templates, read), base, notes)
    values = context(project.name, members, base, chosen, notes)
    files = dict(rendered(chosen, values))
    files |= _documents(project, verdict, base)
    files[LOCK] = lock(files, base)
    return Kit(dict(sorted(files.items())), notes)


# --- which features, which options ------------------------------------------------------------------------------------


def _members(
    project: Project, verdict: Verdict, base: RuleBase, kits: Mapping[str, Any], notes: list[str]
) -> list[Member]:
    members = []
    for feature, decided in zip(project.features, verdict["features"], strict=True):
        name, primary = visible(feature.name), decided["primary"]
        if primary is not None and primary in kits and kits[primary]["layers"]:
            members.append(Member(feature.name, project.answers(feature), decided, kits[primary]))
        elif primary is not None and primary in kits:
            notes.append(f"{name}: {base.patterns[primary].title} needs no files; there is nothing to write for it")
        elif primary is None:
            notes.append(f"{name}: no pattern fits, so there is no kit for it")
        else:
            notes.append(f"{name}: no template for {base.patterns[primary].title} yet; nothing is written for it")
    return members


def choose(
    members: list[Member], options: Mapping[str, list[Option]], base: RuleBase, notes: list[str]
) -> tuple[list[Option], list[Member]]:
    """The options that the first member needs, and the members that need the same ones, whatever their transports.

    There is one option per layer; a layer of `each` has all that the answers name; examples are those of all members.
    """
    kept: list[Member] = []
    chosen: list[Option] = []
    examples: dict[str, Option] = {}
    for member in members:
        kit, said = member.entry, _said(member, options, base)
        wanted = [manifest.pick(options[layer], member.answers)[0] for layer in kit["layers"]]
        wanted += [o for layer in kit["each"] for o in options.get(layer, []) if o.takes(member.answers.get(o.fact))]
        if kept and wanted != chosen:
            first = visible(kept[0].name)
            said = [f"its answers need other templates than {first}; write a kit of its own for it"]
        else:
            chosen = wanted
            kept.append(member)
            shown = [manifest.pick(options[layer], member.answers)[0] for layer in kit["examples"]]
            examples |= {option.name: option for option in shown}
        notes += [f"{visible(member.name)}: {what}" for what in said]
    return [*chosen, *examples.values()], kept


def _said(member: Member, options: Mapping[str, list[Option]], base: RuleBase) -> list[str]:
    """Notes to print about the options for these answers: which are missing, and what that costs."""
    kit, answers, said = member.entry, member.answers, []
    server = manifest.pick(options["server"], answers)[0]
    language = server.server.language
    for layer in (*kit["layers"], *kit["examples"]):
        option, stands_in = manifest.pick(options[layer], answers)
        answer = str(answers.get(option.fact, ""))
        if stands_in:
            said.append(
                f"no template for {_missing(option.fact, answers)} yet: {option.otherwise.format(language=language)}"
            )
        elif answer in option.notes:
            title = base.questions[option.fact].options[answer]
            said.append(f"{option.fact}: {option.notes[answer].format(answer=title)}")
        elif layer in kit["examples"] and member.answered(option.fact) and option.name != server.name:
            beside = BESIDE.format(language=language)
            said.append(f"{option.fact}: {option.title}: {beside} (see {option.files[-1].to})")
    written = {o.fact for layer in kit["each"] for o in options.get(layer, []) if o.takes(answers.get(o.fact))}
    on_the_way = [fact for fact in ON_THE_WAY if member.answered(fact) and fact not in written]
    what = "the kit is written without it; its README says what is to be set there"
    return said + [f"no template for {_missing(fact, answers)} yet: {what}" for fact in on_the_way]


def _missing(fact: str, answers: Mapping[str, Value]) -> str:
    return f"{fact}: {', '.join(map(visible, manifest.words(answers.get(fact))))}"


# --- files ------------------------------------------------------------------------------------------------------------


def rendered(chosen: list[Option], values: Mapping[str, Any]) -> Iterable[tuple[str, bytes]]:
    """(path in the kit, content) for every file of the chosen options."""
    for file in manifest.files(chosen, values["instances"]):
        content = file.source.read_bytes()
        if file.target:
            content = render.render(content.decode(), file.target, {**values, **file.extra}).encode()
        yield file.to, content


def _documents(project: Project, verdict: Verdict, base: RuleBase) -> dict[str, bytes]:
    from advisor.answers import file as answers
    from advisor.report.record import record

    return {
        "answers.yaml": answers.dump(project, base).encode(),
        "DECISION.md": record(verdict, base).encode(),
    }


def lock(files: Mapping[str, bytes], base: RuleBase) -> bytes:
    """advisor.lock: what the kit was made from, and the SHA-256 of every file."""
    from advisor import __version__

    made = {
        "lock": 1,
        "advisor": __version__,
        "rules": {"version": base.version, "sha256": base.sha256},
        "answers": hashlib.sha256(files["answers.yaml"]).hexdigest(),
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())},
    }
    return (json.dumps(made, indent=2, ensure_ascii=True) + "\n").encode()
