"""What an option of a kit says of itself in its manifest.yaml: its keys, and those that its layer must have.

Plain dataclasses, because every kit reads them; pydantic checks the files against them (manifest_reader.py) when they
are new. Text called Markdown here is a template itself: it may name what a template may name (context.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen

from advisor.kit.quoting import QUOTES, is_word

ALIASES = {"extra": "with"}  # keys that Python keeps for itself


def key(name: str) -> str:
    """What a field is called in a manifest."""
    return ALIASES.get(name, name.replace("_", "-"))


class Checked:
    """Marks a type whose values a function checks. It raises ValueError for a wrong one."""

    def __init__(self, check: Callable[[str], str]) -> None:
        self.check = check

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """For pydantic, which is not loaded for a kit."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.check, handler(source))


def _word(text: str) -> str:
    if not is_word(text):
        raise ValueError(f"{text!r} is not a plain word: letters, digits and . _ / = -")
    return text


def _start_word(text: str) -> str:
    return text if text in {"{python}", "{program}"} else _word(text)


Text = Annotated[str, MinLen(1)]
PlainWord = Annotated[str, Checked(_word)]  # without a meaning of its own in any language of a kit
Command = Annotated[list[PlainWord], MinLen(1)]
StartCommand = Annotated[list[Annotated[str, Checked(_start_word)]], MinLen(1)]


class Keys:
    """A mapping of a manifest, in which an unknown key is an error; keys are written with hyphens."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "alias_generator": key}


@dataclass(frozen=True, kw_only=True)
class FileEntry(Keys):
    """One entry of `files`: copied as it is, rendered, or a file that the chosen server brings."""

    copy: str = ""  # a glob in the option's folder
    template: str = ""
    server: Literal["", "image"] = ""  # what this option takes from the server's manifest
    to: str = ""
    target: str = ""  # the language that values are quoted for: a key of quoting.QUOTES
    extra: dict[str, Any] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    instances: Literal["", "one", "several"] = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.copy, self.template, self.server))) != 1:
            raise ValueError("needs one of copy, template and server")
        if self.template and (not self.to or self.target not in QUOTES):
            raise ValueError(f"a template needs `to`, and a `target` out of {', '.join(sorted(QUOTES))}")
        if self.server and not self.to:
            raise ValueError("needs `to`")


@dataclass(frozen=True, kw_only=True)
class Note(Keys):
    """What people are told about some of the answers that an option serves; `{answer}` is the answer's title."""

    answers: Annotated[list[str], MinLen(1)]
    says: Text


@dataclass(frozen=True, kw_only=True)
class Manifest(Keys):
    """What every option says."""

    title: Text
    files: list[FileEntry]
    answers: Annotated[dict[str, list[str]], MaxLen(1)] = field(default_factory=dict)  # none: no answer decides
    unanswered: bool = False
    otherwise: str = ""
    gates: str = ""
    rows: list[str] = field(default_factory=list)
    kept: str = ""
    notes: list[Note] = field(default_factory=list)

    def fragments(self) -> list[str]:
        """The texts in Markdown, which are templates."""
        return []


@dataclass(frozen=True, kw_only=True)
class Start(Keys):
    """How start.py runs the server. `--port N` is added to the command, which runs in the kit's folder."""

    command: StartCommand  # {python}: with the modules; {program}: one of programs
    modules: list[str] = field(
        default_factory=list
    )  # Python modules; where one is missing, requirements.txt is installed
    modules_several: list[str] = field(default_factory=list)  # more of them where there are several instances
    programs: list[str] = field(default_factory=list)  # one of these must be on the PATH
    install: str = ""  # what people are told where none is
    prepare: list[Command] = field(default_factory=list)  # commands to run once, and again when one of these changes:
    prepared_from: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if ("{program}" in self.command) != bool(self.programs) or bool(self.programs) != bool(self.install):
            raise ValueError("{program} in `command`, `programs` and `install` go together")
        if bool(self.prepare) != bool(self.prepared_from):
            raise ValueError("`prepare` and `prepared-from` go together")


@dataclass(frozen=True, kw_only=True)
class Image(Keys):
    """The server as a container: it runs as user 10001 in /kit, and keeps its files in /kit/var.

    `--host` and `--port` are added to the command. In `health`, a command that ends with 0 while the server answers,
    `{port}` is its port.
    """

    template: Text  # of the Dockerfile, rendered for JSON; its CMD is the command
    command: Command
    health: Annotated[list[Text], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Unit(Keys):
    """The server under systemd, its kit in a folder of /opt. The first word of `exec` is absolute or in that folder."""

    exec: Command
    copy: list[PlainWord]  # what it needs there besides server, client, settings.json
    install: list[Text]  # shell commands, as Markdown


@dataclass(frozen=True, kw_only=True)
class ServerReadme(Keys):
    """Words of the kit's README about the server, each Markdown."""

    needs: Text  # "It needs ...": for start.py and for the server
    no_nginx: Text  # what `start.py` does where the kit has nginx and the machine has none: "where there is none, ..."
    log: Text  # "the event server: log in ..."
    log_file: Text  # where a single instance has its log
    rate: Text  # where the limit of what viewers send is
    sign_in: Text  # "Replace ...: one key for all viewers is a stand-in"
    sender: Text  # "Replace ... too: it says whose limit a message counts against"
    accepts: Text  # "Check in ... what a viewer may say"
    narrow: Text  # "Every viewer gets every event. Narrow it down in ..."
    polling: str  # what holds for long polling only; empty: nothing


@dataclass(frozen=True, kw_only=True)
class ServerManifest(Manifest):
    """An event server: a process that speaks docs/kit-protocol.md."""

    language: Text
    log: Text  # the program or library that keeps the log of a single instance
    memory_kb: dict[Literal["websocket", "other"], float]  # measured, of one stream
    start: Start
    image: Image
    unit: Unit
    readme: ServerReadme

    def __post_init__(self) -> None:
        if len(self.memory_kb) != 2:
            raise ValueError("memory-kb needs websocket and other")

    def fragments(self) -> list[str]:
        """The words of the README, and the commands that install the server."""
        return [*asdict(self.readme).values(), *self.unit.install]


@dataclass(frozen=True, kw_only=True)
class EdgeReadme(Keys):
    """Words of the kit's README about the proxy, each Markdown."""

    first_step: Text  # before production: where the certificate goes, or that something else has to end TLS
    trial_certificate: str = ""  # a shell command after the one that makes a certificate to try it with
    waits_for: str  # empty: the next byte of a stream and the answer to a poll, each with its own time
    check: str  # how to check the syntax; empty: there is nothing to check
    tested: Text  # what the tests run of such a kit, and with which version


@dataclass(frozen=True, kw_only=True)
class EdgeManifest(Manifest):
    """A proxy."""

    tls: bool  # whether it ends TLS itself
    limits_addresses: bool  # whether its template limits the streams of one address
    readme: EdgeReadme

    def fragments(self) -> list[str]:
        """The words of the README."""
        return list(asdict(self.readme).values())


@dataclass(frozen=True, kw_only=True)
class PublishManifest(Manifest):
    """An example of publishing from a back end."""

    tested: bool  # whether a test runs it


@dataclass(frozen=True, kw_only=True)
class Kit(Keys):
    """The kit of a pattern: an entry of kits.yaml."""

    layers: list[str]
    each: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    transports: list[str] = field(default_factory=list)
    two_way: bool = False


MODELS: dict[str, type[Manifest]] = {"server": ServerManifest, "edge": EdgeManifest, "publish": PublishManifest}


def model_of(layer: str) -> type[Manifest]:
    """The class of the manifests of a layer."""
    return MODELS.get(layer, Manifest)


def required(kind: type[Any]) -> list[str]:
    """The keys that a mapping must have, in the order of the class."""
    return [key(f.name) for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]


def manifest_of(layer: str, data: dict[str, Any]) -> Manifest:
    """The manifest that `dataclasses.asdict` made into this data."""
    made = {**data, "files": [FileEntry(**f) for f in data["files"]], "notes": [Note(**n) for n in data["notes"]]}
    if layer == "server":
        inside = {"start": Start, "image": Image, "unit": Unit, "readme": ServerReadme}
    else:
        inside = {"readme": EdgeReadme} if layer == "edge" else {}
    made |= {name: kind(**data[name]) for name, kind in inside.items()}
    return model_of(layer)(**made)
