"""advisor: choose how to push data to clients in real time, see why, and get a kit that is proved to work."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """`advisor.__version__`, read from the installed package only when somebody asks."""
    if name == "__version__":
        from importlib.metadata import version

        return version("advisor")
    raise AttributeError(name)
