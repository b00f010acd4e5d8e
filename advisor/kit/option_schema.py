"""What an option of a kit says of itself in its manifest.yaml, as models: its keys, and those that its layer must have.

Text called Markdown here is a template itself: it may name what a template may name (context.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from advisor.kit.quoting import QUOTES, is_word
from advisor.ruleset.schema import Model

Text = Annotated[str, StringConstraints(min_length=1)]


def _word(text: str) -> str:
    if not is_word(text):
        raise ValueError(f"{text!r} is not a plain word: letters, digits and . _ / = -")
    return text


def _start_word(text: str) -> str:
    return text if text in {"{python}", "{program}"} else _word(text)


PlainWord = Annotated[str, AfterValidator(_word)]  # without a meaning of its own in any language of a kit
Command = Annotated[list[PlainWord], Field(min_length=1)]
StartCommand = Annotated[list[Annotated[str, AfterValidator(_start_word)]], Field(min_length=1)]


class FileEntry(Model):
    """One entry of `files`: copied as it is, rendered, or a file that the chosen server brings."""

    copies: Annotated[str, Field(alias="copy")] = ""  # a glob in the option's folder
    template: str = ""
    server: Literal["", "image"] = ""  # what this option takes from the server's manifest
    to: str = ""
    target: str = ""  # the language that values are quoted for: a key of quoting.QUOTES
    extra: Annotated[dict[str, Any], Field(alias="with", default_factory=dict)]
    without: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    instances: Literal["", "one", "several"] = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(map(bool, (self.copies, self.template, self.server))) != 1:
            raise ValueError("needs one of copy, template and server")
        if self.template and (not self.to or self.target not in QUOTES):
            raise ValueError(f"a template needs `to`, and a `target` out of {', '.join(sorted(QUOTES))}")
        if self.server and not self.to:
            raise ValueError("needs `to`")
        return self


class Note(Model):
    """What people are told about some of the answers that an option serves; `{answer}` is the answer's title."""

    answers: Annotated[list[str], Field(min_length=1)]
    says: Text


class Manifest(Model):
    """What every option says."""

    title: Text
    files: list[FileEntry]
    answers: Annotated[
        dict[str, list[str]], Field(max_length=1, default_factory=dict)
    ]  # none: no answer decides the layer
    unanswered: bool = False
    otherwise: str = ""
    gates: str = ""
    rows: tuple[str, ...] = ()
    kept: str = ""
    notes: tuple[Note, ...] = ()

    def fragments(self) -> list[str]:
        """The texts in Markdown, which are templates."""
        return []


class Start(Model):
    """How start.py runs the server. `--port N` is added to the command, which runs in the kit's folder."""

    command: StartCommand  # {python}: with the modules; {program}: one of programs
    modules: tuple[
        str, ...
    ] = ()  # Python modules that it needs; where one is missing, requirements.txt goes into .venv
    modules_several: tuple[str, ...] = ()  # more of them where there are several instances
    programs: tuple[str, ...] = ()  # one of these must be on the PATH
    install: str = ""  # what people are told where none is
    prepare: tuple[Command, ...] = ()  # commands to run once, and again when a file of `prepared-from` changes
    prepared_from: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if ("{program}" in self.command) != bool(self.programs) or bool(self.programs) != bool(self.install):
            raise ValueError("{program} in `command`, `programs` and `install` go together")
        if bool(self.prepare) != bool(self.prepared_from):
            raise ValueError("`prepare` and `prepared-from` go together")
        return self


class Image(Model):
    """The server as a container: it runs as user 10001 in /kit, and keeps its files in /kit/var.

    `--host` and `--port` are added to the command. In `health`, a command that ends with 0 while the server answers,
    `{port}` is its port.
    """

    template: Text  # of the Dockerfile, rendered for JSON; its CMD is the command
    command: Command
    health: Annotated[list[Text], Field(min_length=1)]


class Unit(Model):
    """The server under systemd, its kit in a folder of /opt. The first word of `exec` is absolute or in that folder."""

    exec: Command
    copies: Annotated[list[PlainWord], Field(alias="copy")]  # what it needs there besides server, client, settings.json
    install: list[Text]  # shell commands, as Markdown


class ServerReadme(Model):
    """Words of the kit's README about the server, each Markdown."""

    needs: Text  # "It wants ...": for start.py and for the server
    no_nginx: Text  # what `start.py` does where the kit has nginx and the machine has none: "where there is none, ..."
    log: Text  # "the event server: log in ..."
    log_file: Text  # where a single instance has its log
    rate: Text  # where the limit of what viewers send is
    sign_in: Text  # "Replace ...: one key for all viewers is a stand-in"
    sender: Text  # "Replace ... too: it says whose limit a message counts against"
    accepts: Text  # "Check in ... what a viewer may say"
    narrow: Text  # "Every viewer gets every event. Narrow it down in ..."
    polling: str  # what holds for long polling only; empty: nothing


class ServerManifest(Manifest):
    """An event server: a process that speaks docs/kit-protocol.md."""

    language: Text
    log: Text  # the program or library that keeps the log of a single instance
    memory_kb: dict[Literal["websocket", "other"], float]  # measured, of one stream
    start: Start
    image: Image
    unit: Unit
    readme: ServerReadme

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.memory_kb) != 2:
            raise ValueError("memory-kb needs websocket and other")
        return self

    def fragments(self) -> list[str]:
        """The words of the README, and the commands that install the server."""
        return [*self.readme.model_dump().values(), *self.unit.install]


class EdgeReadme(Model):
    """Words of the kit's README about the proxy, each Markdown."""

    first_step: Text  # before production: where the certificate goes, or that something else has to end TLS
    trial_certificate: str = ""  # a shell command after the one that makes a certificate to try it with
    waits_for: str  # empty: the next byte of a stream and the answer to a poll, each with its own time
    check: str  # how to check the syntax; empty: there is nothing to check
    tested: Text  # what the tests run of such a kit, and with which version


class EdgeManifest(Manifest):
    """A proxy."""

    tls: bool  # whether it ends TLS itself
    limits_addresses: bool  # whether its template limits the streams of one address
    readme: EdgeReadme

    def fragments(self) -> list[str]:
        """The words of the README."""
        return list(self.readme.model_dump().values())


class PublishManifest(Manifest):
    """An example of publishing from a back end."""

    tested: bool  # whether a test runs it


class Kit(Model):
    """The kit of a pattern: an entry of kits.yaml."""

    layers: list[str]
    each: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    two_way: bool = False


MODELS: dict[str, type[Manifest]] = {"server": ServerManifest, "edge": EdgeManifest, "publish": PublishManifest}


def model_of(layer: str) -> type[Manifest]:
    """The model of the manifests of a layer."""
    return MODELS.get(layer, Manifest)


def required(layer: str) -> list[str]:
    """The keys that a manifest of the layer must have, in the order of the file."""
    return [field.alias or name for name, field in model_of(layer).model_fields.items() if field.is_required()]
