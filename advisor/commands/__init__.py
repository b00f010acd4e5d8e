"""The commands of the command line: each a module with `parser()`, its arguments, and `run(words)`, its exit code.

Each imports what it needs when it runs, and prints only through `streams`.
"""

from __future__ import annotations

COMMANDS = {  # a word, and what it does
    "recommend": "recommend a pattern for an answers file, with reasons; --kit also writes the starter kit",
    "check": "check answers files without deciding anything",
    "diff": "show what changes between two answers files, or two versions of the rules",
    "new": "write an answers file with comments, to fill in",
    "explain": "explain a question, step, rule, pattern, caveat, platform or limit",
    "rules": "check, draw, describe or document the rules",
    "completion": "print the completion of words for bash, zsh or fish",
}
