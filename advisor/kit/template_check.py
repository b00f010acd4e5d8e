"""What is wrong with a templates folder: manifests that lack something, templates that name undefined variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints, is_typeddict

from advisor.base.errors import Problem
from advisor.base.text import did_you_mean
from advisor.kit import manifest, manifest_reader, render
from advisor.kit.context import Context

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from advisor.model.rulebase import RuleBase


def problems(templates: Path) -> list[Problem]:
    """Everything that is wrong, with its place, sorted. Empty: nothing. Line 0: the problem is a file's absence."""
    read, found = manifest_reader.read(templates)
    for option in (option for options in manifest.options(templates, read).values() for option in options):
        for file in manifest.templates_of(option):
            name = file.source.resolve().relative_to(templates.resolve()).as_posix()
            found += check(file.source.read_text(encoding="utf-8"), file.target, f"templates/{name}", file.extra)
        name = option.folder.relative_to(templates).as_posix()
        for text in option.says.fragments():
            said = check(text, "markdown", f"templates/{name}/manifest.yaml", ())
            found += [p._replace(line=1, column=1, message=f"{p.message}, in the text {text!r}") for p in said]
    return sorted(set(found))


def unserved(templates: Path, base: RuleBase) -> list[Problem]:
    """Manifests that serve an answer which no question has, and servers in a language that has no publishing example.

    For templates without `problems`.
    """
    found = []
    layers = manifest.load(templates)
    for option in (option for options in layers.values() for option in options if option.fact):
        name = f"templates/{option.folder.relative_to(templates).as_posix()}/manifest.yaml"
        question = base.questions.get(option.fact)
        if question is None:
            message = f"answers: there is no question {option.fact}{did_you_mean(option.fact, base.questions)}"
            found.append(Problem(name, 1, 1, message))
            continue
        examples = layers.get("publish", ())
        for answer in option.serves:
            if answer not in question.options:
                message = f"answers: {answer} is no answer of {option.fact}; add it to rules/questions.yaml"
                found.append(Problem(name, 1, 1, message + did_you_mean(answer, question.options)))
            elif option.layer == "server" and not any(example.takes(answer) for example in examples):
                message = f"templates/publish/ has no example of publishing for {option.fact} {answer}"
                found.append(Problem(name, 1, 1, message))
    return sorted(found)


def check(source: str, target: str, shown: str, extra: Collection[str]) -> Iterator[Problem]:
    """Problems of one template: its syntax, and names that are neither in `Context` nor in `extra`."""
    import jinja2

    known = get_type_hints(Context)
    try:
        tree = render.environment(target).parse(source)
    except jinja2.TemplateSyntaxError as error:
        yield Problem(shown, error.lineno, 1, f"{error.message}")
        return
    unknown = render.variables(tree) - known.keys() - set(extra)
    for node in tree.find_all(jinja2.nodes.Name):
        if node.name in unknown:
            yield Problem(shown, node.lineno, 1, f"no template may name {node.name}{did_you_mean(node.name, known)}")
    for attribute in tree.find_all(jinja2.nodes.Getattr):
        of = attribute.node
        inside = _keys(known, of.name) if isinstance(of, jinja2.nodes.Name) and of.name not in extra else None
        if isinstance(of, jinja2.nodes.Name) and inside is not None and attribute.attr not in inside:
            hint = did_you_mean(attribute.attr, inside)
            yield Problem(shown, attribute.lineno, 1, f"{of.name} has no {attribute.attr}{hint}")


def _keys(known: dict[str, Any], name: str) -> list[str] | None:
    """The names inside of a name that is a TypedDict of its own (edge, server, origin); None for any other."""
    kind = known.get(name)
    return list(get_type_hints(kind)) if is_typeddict(kind) else None
