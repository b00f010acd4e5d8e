"""The two secrets in var: made whole, and refused where they would open the server to everybody."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from server import security
from support.hand_made_kits import rendered

pytestmark = pytest.mark.lab

BAD = {
    "empty": b"",
    "blank": b" \n\t \r\n",
    "fifteen characters": b"x" * 15 + b"\n",
    "fifteen and space around": b"   " + b"x" * 15 + b" " * 20,
    "nul bytes": b"\0" * 4096,  # what some file systems leave of a file after a power failure
    "not ASCII": "gr\u00fc\u00dfe an alle, die dies lesen".encode(),
    "two lines": b"a" * 20 + b"\n" + b"b" * 20,
}


@pytest.mark.grid
@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", ["token", "viewer-key"])
def test_a_server_does_not_start_with_a_secret_that_is_none(make_lab, name, content):
    kit = make_lab(run=False, auth="cookie")
    (kit.folder / "var" / name).write_bytes(content)
    ended = start(kit)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert f"var/{name} holds no secret" in line
    assert "at least 16 ASCII characters" in line
    assert "delete it and start again" in line
    assert (kit.folder / "var" / name).read_bytes() == content


@pytest.mark.parametrize("name", ["token", "viewer-key"])
def test_a_secret_that_cannot_be_read_is_said(make_lab, name):
    kit = make_lab(run=False, auth="bearer-header")
    (kit.folder / "var" / name).mkdir()  # what Kubernetes makes of a key that its secret does not have
    ended = start(kit)
    assert ended.returncode == 2
    assert f"var/{name} cannot be read: Is a directory" in ended.stderr
    assert "Traceback" not in ended.stderr


def start(kit):
    return subprocess.run(
        [sys.executable, "-m", "server", "--port", str(kit.port)],
        cwd=kit.folder, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip


@pytest.mark.grid
@pytest.mark.parametrize("content", ["x" * 16, "correct horse battery staple\n", "  " + "y" * 40 + "\r\n"])
def test_a_secret_of_ones_own_is_taken(make_lab, content):
    kit = make_lab(run=False)
    (kit.folder / "var/token").write_text(content)
    kit.start_server()
    assert kit.publish(1).status_code == 201
    assert kit.publish(1, authorization="Bearer").status_code == 401


def test_a_viewer_key_is_not_asked_for_where_everybody_may_read(make_lab):
    kit = make_lab(run=False)
    (kit.folder / "var/viewer-key").touch()
    kit.start_server()


def test_a_new_secret_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "link"):
        real = getattr(os, name)

        def seen(first, *rest, name=name, real=real):
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(first).st_mode)
            size = os.fstat(first).st_size if name == "fsync" else Path(first).stat().st_size
            done.append((name, "folder" if folder else size))
            return real(first, *rest)

        monkeypatch.setattr(os, name, seen)
    made = security.secret(tmp_path / "token")
    assert done == [("fsync", 44), ("link", 44), ("fsync", "folder")]
    assert [path.name for path in tmp_path.iterdir()] == ["token"]
    assert security.secret(tmp_path / "token") == made
    assert len(made) == 43
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


OPENSSL = {
    "is missing": None,
    "fails": "exit 1",
    "prints nothing": "exit 0",
    "works": "echo 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
}


@pytest.mark.grid
@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("openssl", OPENSSL)
@pytest.mark.parametrize("auth", ["none", "cookie"])
def test_the_readme_makes_no_empty_secret_for_kubernetes(tmp_path, auth, openssl, shell):
    readme = rendered(platform="kubernetes", auth=auth)["README.md"].decode()
    (command,) = re.findall(r"^    (token=(?:.*\\\n)*.*)$", readme, re.MULTILINE)
    tools = tmp_path / "bin"
    tools.mkdir()
    stubs = {"kubectl": f'echo "$*" >> {tmp_path}/made'}
    if OPENSSL[openssl]:
        stubs["openssl"] = OPENSSL[openssl]
    for name, body in stubs.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    binary = next(path for path in ("/bin", "/usr/bin") if (Path(path) / shell).exists())
    ran = subprocess.run(
        [f"{binary}/{shell}", "-c", command],
        env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    made = (tmp_path / "made").read_text() if (tmp_path / "made").exists() else ""
    if openssl == "works":
        secret = "0123456789abcdef" * 4
        assert f"--from-literal=token={secret}" in made, ran.stderr
        assert (f"--from-literal=viewer-key={secret}" in made) == (auth != "none")
    else:
        assert made == ""
        assert ran.returncode != 0
