"""What the files of a kit cure: the index that `ruleset` reads from the manifests under templates/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from advisor.model.values import Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHECKS: Final = tuple(f"V{number}" for number in range(1, 17))  # what a cure may name as its proof


class Chosen(NamedTuple):
    """When an option of a kit is taken: the fact that decides (empty: always) and the answers that it serves."""

    fact: str
    serves: tuple[str, ...]
    unanswered: bool

    def by(self, answers: Mapping[str, Value]) -> bool:
        """Whether these answers take it."""
        answer = answers.get(self.fact)
        if not self.fact or answer is None or isinstance(answer, Unknown):
            return self.unanswered or not self.fact
        given = answer if isinstance(answer, tuple) else (answer,)
        return any(choice in self.serves for choice in given)


class Cure(NamedTuple):
    """One file of a kit that cures a caveat, and the check that proves it.

    The kit of a pattern in `patterns` has the file where the answers take all options of `where`, one of `beside` (if
    there are any) and none of `apart`. `instances` is "one" or "several" for a file that only such a kit has.
    `lines` are the lines that do it, where single lines do.
    """

    caveat: str
    check: str
    lines: tuple[str, ...]
    file: str
    patterns: tuple[str, ...]
    where: tuple[Chosen, ...]
    beside: tuple[Chosen, ...]
    apart: tuple[Chosen, ...]
    instances: str
    place: tuple[str, int, int]

    def holds(self, pattern: str, answers: Mapping[str, Value]) -> bool:
        """Whether the kit for this pattern and these answers has the file."""
        if pattern not in self.patterns:
            return False
        count = answers.get("instances")
        several = isinstance(count, int | float) and not isinstance(count, bool) and count > 1
        return (
            self.instances in ("", "several" if several else "one")
            and all(option.by(answers) for option in self.where)
            and (not self.beside or any(option.by(answers) for option in self.beside))
            and not any(option.by(answers) for option in self.apart)
        )


def cured_by(cures: Iterable[Cure], caveat: str, pattern: str, answers: Mapping[str, Value]) -> list[str]:
    """The files of the kit for this pattern and these answers that cure the caveat."""
    files = (cure.file for cure in cures if cure.caveat == caveat and cure.holds(pattern, answers))
    return list(dict.fromkeys(files))


def from_data(data: Iterable[dict[str, Any]]) -> tuple[Cure, ...]:
    """The index from what a cache kept."""
    made = []
    for item in data:
        options = {
            key: tuple(Chosen(o["fact"], tuple(o["serves"]), o["unanswered"]) for o in item[key])
            for key in ("where", "beside", "apart")
        }
        listed = {"lines": tuple(item["lines"]), "patterns": tuple(item["patterns"]), "place": tuple(item["place"])}
        made.append(Cure(**{**item, **options, **listed}))
    return tuple(made)
