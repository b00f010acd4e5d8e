"""What is printed when an interview ends: each feature's pattern, where the answers are, the next command."""

from __future__ import annotations

import shlex
from pathlib import Path

from advisor.interview import Session
from advisor.text import visible
from advisor.words import title


def closing(session: Session, file: Path | None, kept: Path | None) -> str:
    """Lines for people, ending with a newline. `file` holds the answers; without one, `kept` may."""
    lines = []
    for feature in session.verdict["features"]:
        if feature["primary"] is None:
            lines.append(f"{visible(feature['name'])}: no pattern fits these answers")
        else:
            pattern = title(feature["primary"], session.base)
            lines.append(f"{visible(feature['name'])}: {pattern} ({feature['confidence']} confidence)")
    if file is not None:
        name = shlex.quote(visible(str(file)))
        lines.append(f"Answers saved in {visible(str(file))}. Go on with: advisor {name}")
        lines.append(f"The whole verdict, and a starter kit: advisor recommend --answers {name} --kit kit")
    elif kept is not None:
        lines.append("The answers have no file yet; the next `advisor` offers to go on with them.")
    else:
        lines.append("The answers were not saved.")
    return "\n".join(lines) + "\n"
