"""The folders of the shipped rules and templates, in a checkout and in a wheel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def data(kind: str) -> Path:
    """Return the folder `kind` ("rules" or "templates"). Raises FileNotFoundError if the install lacks it."""
    from pathlib import Path

    return Path(shipped(kind))


def shipped(kind: str) -> str:
    """The same as `data`, as a string: every command needs it at its start, and pathlib is slow to import."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    for folder in (os.path.join(package, "_data", kind), os.path.join(os.path.dirname(package), kind)):
        if os.path.isdir(folder):
            return folder
    raise FileNotFoundError(f"the installation lacks its folder {kind}; install advisor again")
