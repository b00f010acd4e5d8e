"""What a team stated about its project: its features, and the answers that hold for all of them."""

from __future__ import annotations

from typing import Final

from advisor.model.rulebase import Place
from advisor.model.values import Value

NOWHERE = Place("", 0, 0)


class Feature:
    """One feature: its name and the facts stated in it, in the order of the questions. `place` is not compared."""

    __slots__ = ("facts", "name", "place")
    __hash__ = None  # type: ignore[assignment]  # facts are a dict

    def __init__(self, name: str, facts: dict[str, Value], place: Place = NOWHERE) -> None:
        self.name: Final = name
        self.facts: Final = facts
        self.place: Final = place

    def __eq__(self, other: object) -> bool:
        return (self.name, self.facts) == (other.name, other.facts) if isinstance(other, Feature) else NotImplemented

    def __repr__(self) -> str:
        return f"Feature(name={self.name!r}, facts={self.facts!r}, place={self.place!r})"

    def replaced(self, *, name: str | None = None, facts: dict[str, Value] | None = None) -> Feature:
        """The same feature, at the same place, with another name or other facts."""
        return Feature(self.name if name is None else name, self.facts if facts is None else facts, self.place)


class Project:
    """All answers. `path` and `app` hold for every feature that does not say otherwise. `file` is not compared."""

    __slots__ = ("app", "features", "file", "name", "path")
    __hash__ = None  # type: ignore[assignment]  # the same

    def __init__(
        self, name: str, path: dict[str, Value], app: dict[str, Value], features: tuple[Feature, ...], file: str = ""
    ) -> None:
        self.name: Final = name
        self.path: Final = path
        self.app: Final = app
        self.features: Final = features
        self.file: Final = file

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, Project) else NotImplemented

    def __repr__(self) -> str:
        parts = (f"{name}={getattr(self, name)!r}" for name in ("name", "path", "app", "features", "file"))
        return f"Project({', '.join(parts)})"

    def _compared(self) -> tuple[str, dict[str, Value], dict[str, Value], tuple[Feature, ...]]:
        return self.name, self.path, self.app, self.features

    def replaced(
        self,
        *,
        name: str | None = None,
        path: dict[str, Value] | None = None,
        app: dict[str, Value] | None = None,
        features: tuple[Feature, ...] | None = None,
    ) -> Project:
        """The same project, of the same file, with what is given here instead."""
        return Project(
            self.name if name is None else name,
            self.path if path is None else path,
            self.app if app is None else app,
            self.features if features is None else features,
            self.file,
        )

    def answers(self, feature: Feature) -> dict[str, Value]:
        """Every fact that holds for this feature."""
        return {**self.path, **self.app, **feature.facts}
