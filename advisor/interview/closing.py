"""What is printed when an interview ends: each feature's pattern, where the answers are, the next command."""

from __future__ import annotations

from pathlib import Path

from advisor.base.text import shell_word, visible
from advisor.interview.session import Session
from advisor.report.words import title

RECOMMEND = "advisor recommend --answers"


def closing(session: Session, file: Path | None, *, saved: bool | None) -> str:
    """Lines for people, ending with a newline. What is not saved is in the recovery file; None: nothing was new."""
    lines = []
    for feature in session.verdict["features"]:
        if feature["primary"] is None:
            lines.append(f"{visible(feature['name'])}: no pattern fits these answers")
        else:
            pattern = title(feature["primary"], session.base)
            lines.append(f"{visible(feature['name'])}: {pattern} ({feature['confidence']} confidence)")
    name = f"advisor {shell_word(str(file))}" if file is not None else "advisor"
    if saved is None:
        lines.append(f"Nothing was written to {visible(str(file))}.")
    elif saved and file is not None:
        lines.append(f"Answers saved in {visible(str(file))}. To continue: {name}")
        recommend = name.replace("advisor", RECOMMEND, 1)
        lines.append(f"For the full report and the starter kit, if there is one: {recommend} --kit kit")
    else:
        lines.append(f"These answers are not saved in a file; the next `{name}` offers to continue with them.")
    return "\n".join(lines) + "\n"
