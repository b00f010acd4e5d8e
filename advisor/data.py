"""Where the shipped rules and templates lie, in a checkout and in a wheel alike."""

from __future__ import annotations

from pathlib import Path


def data(kind: str) -> Path:
    """Return the folder `kind` ("rules" or "templates"). Raises FileNotFoundError if the install lacks it."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_data" / kind, here.parent / kind):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"advisor is installed without its {kind}")
