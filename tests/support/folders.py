"""A small kit as files, and what a folder holds."""

from __future__ import annotations

import hashlib
import json

from advisor.base import folder


def kit(version="1", **more):
    """A small kit with its lock, as files."""
    files = {"start.py": b"#!/usr/bin/env python3\n", "server/app.py": version.encode(), "README.md": b"x\n"}
    files |= {name.replace("__", "/"): content for name, content in more.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {**files, folder.LOCK: json.dumps({"files": digests}).encode()}


def state(target):
    """Everything below a folder: path to content, or "link" or "folder"."""
    found = {}
    for path in sorted(target.rglob("*")) if target.is_dir() else []:
        name = path.relative_to(target).as_posix()
        found[name] = "link" if path.is_symlink() else "folder" if path.is_dir() else path.read_bytes()
    return found


def whole(target):
    """Whether the folder holds exactly what its lock lists, besides var/."""
    files = {n: c for n, c in state(target).items() if c != "folder" and not n.startswith("var/")}
    listed = json.loads(files.pop(folder.LOCK))["files"]
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == listed


def only(parent, *names):
    assert sorted(p.name for p in parent.iterdir()) == sorted(names)
