"""`advisor completion SHELL`: completion of commands, options, answers and files, made from the commands' parsers."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import NamedTuple

from advisor.base.arguments import Parser
from advisor.base.errors import Exit
from advisor.commands import COMMANDS, streams

SHELLS = ("bash", "zsh", "fish")
WHERE = {
    "bash": 'eval "$(advisor completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(advisor completion zsh)" in ~/.zshrc, after compinit',
    "fish": "advisor completion fish > ~/.config/fish/completions/advisor.fish",
}


class Word(NamedTuple):
    """What may follow a command: an option with its help, and the values that it takes ("" none, FILE or DIR)."""

    name: str
    about: str
    values: tuple[str, ...]
    takes: str


def parser() -> Parser:
    """The arguments."""
    made = Parser("advisor completion", "Print the completion of words for a shell.", *(WHERE[s] for s in SHELLS))
    made.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
    return made


def run(words: list[str]) -> int:
    """Print the script; the exit code."""
    options = parser().parse(words)
    streams.data({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell]())
    return Exit.OK


def words_of(command: str) -> list[Word]:
    """The options of a command, and the words that it takes without an option (name "")."""
    found = []
    for action in import_module(f"advisor.commands.{command}").parser()._actions:  # noqa: SLF001  # argparse has no other way
        if action.help == argparse.SUPPRESS:
            continue
        values = tuple(map(str, action.choices or ()))
        takes = "" if action.nargs == 0 or values else str(action.metavar or "")
        names = [name for name in action.option_strings if name.startswith("--")] or [""]
        found.append(Word(names[0], " ".join((action.help or "").split()), values, takes))
    return found


def ids() -> list[str]:
    """What `explain` takes: ids, once each."""
    from advisor.report.explain import catalogue
    from advisor.ruleset.stale import today_of

    return list(dict.fromkeys(name for _, name, _ in catalogue(streams.base(), today_of(None))))


def _plain(command: str) -> list[str]:
    """The words that a command takes without an option."""
    if command == "explain":
        return ids()
    return [value for word in words_of(command) if not word.name for value in word.values]


def _bash() -> str:
    cases: list[str] = []
    values: dict[str, tuple[str, ...]] = {}
    for command in COMMANDS:
        words = [word.name for word in words_of(command) if word.name]
        cases.append(f"    {command}) words='{' '.join([*words, *_plain(command)])}' ;;")
        values |= {word.name: word.values for word in words_of(command) if word.name and word.values}
    after = [
        f"    {name}) COMPREPLY=($(compgen -W '{' '.join(given)}' -- \"$now\")); return ;;"
        for name, given in values.items()
    ]
    return "\n".join(
        [
            "# Completion of advisor for bash.",
            "_advisor() {",
            '  local now="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""',
            '  case "$before" in',
            *after,
            "  esac",
            '  if [ "$COMP_CWORD" -eq 1 ]; then',
            f"    words='{' '.join([*COMMANDS, '--help', '--version', '--plain'])}'",
            "  else",
            '    case "${COMP_WORDS[1]}" in',
            *cases,
            "    esac",
            "  fi",
            '  COMPREPLY=($(compgen -W "$words" -- "$now") $(compgen -f -- "$now"))',
            "}",
            "complete -o filenames -F _advisor advisor",
        ]
    )


def _zsh() -> str:
    listed = [f"    {_quoted(f'{command}:{about}')}" for command, about in COMMANDS.items()]
    cases = []
    for command in COMMANDS:
        specs = []
        for word in words_of(command):
            end = f":value:({' '.join(word.values)})" if word.values else ":file:_files" if word.takes else ""
            if word.name:
                about = word.about.replace("[", "(").replace("]", ")").replace(":", " ")
                specs.append(_quoted(f"{word.name}[{about}]{end}"))
        rest = _plain(command)
        specs.append(_quoted(f"*:word:({' '.join(rest)})") if rest else "'*:file:_files'")
        cases.append(f"    {command}) _arguments {' '.join(specs)} ;;")
    return "\n".join(
        [
            "#compdef advisor",
            "_advisor() {",
            "  local -a commands",
            "  commands=(",
            *listed,
            "  )",
            "  if (( CURRENT == 2 )); then",
            "    _describe command commands",
            "    _files",
            "    return",
            "  fi",
            "  local command=${words[2]}",
            "  shift words",
            "  (( CURRENT-- ))",
            "  case $command in",
            *cases,
            "  esac",
            "}",
            "compdef _advisor advisor",
        ]
    )


def _fish() -> str:
    lines = ["# Completion of advisor for fish."]
    for command, about in COMMANDS.items():
        lines.append(f"complete -c advisor -n __fish_use_subcommand -a {command} -d {_quoted(about)}")
        seen = f"-n '__fish_seen_subcommand_from {command}'"
        for word in words_of(command):
            values = f" -x -a {_quoted(' '.join(word.values))}" if word.values else " -r" if word.takes else ""
            if word.name:
                lines.append(f"complete -c advisor {seen} -l {word.name[2:]} -d {_quoted(word.about)}{values}")
        if rest := _plain(command):
            lines.append(f"complete -c advisor {seen} -a {_quoted(' '.join(rest))}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """For all three shells: single quotes, a quote inside of them closed and escaped."""
    return "'" + text.replace("'", "'\\''") + "'"
