"""A run that is killed before any step of writing a kit: the log, the token and the keys stay, the next run ends it."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal

import pytest
from support.folders import kit, only, state, whole

from advisor.base import folder, swap
from advisor.base.errors import OutputError

STEPS = ["chmod", "fchmod", "fsync", "mkdir", "open", "readlink", "rename", "rmdir", "scandir", "symlink", "unlink"]
THEIRS = {
    "var/token": b"token",
    "var/deep/log": b"log",
    "nginx/tls/site: \udce9.pem": b"key",  # names that the kit itself must not have
    "server/mine.py": b"mine",
}


@pytest.fixture
def tmp_path(in_memory):
    return in_memory


def killed(step, work):
    """Do `work` in a process that is killed (-9) before its step-th call of the system. Whether it ended before."""
    pid = os.fork()
    if pid == 0:
        try:
            left = iter(range(step, -1, -1))

            def counted(call):
                def wrapped(*args, **kwargs):
                    if next(left) == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return call(*args, **kwargs)

                return wrapped

            for name in STEPS:
                setattr(os, name, counted(getattr(os, name)))
            io.open = counted(io.open)
            swap._exchanged = counted(swap._exchanged)
            work()
        except BaseException:  # noqa: BLE001 - the parent is to see it
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGKILL}, status
    return status == 0


def running_kit(out):
    """A kit with what its run and its user have put into it."""
    folder.write(kit("1"), out)
    for name, content in THEIRS.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)


def theirs(out):
    return {name: (out / name).read_bytes() for name in THEIRS if (out / name).exists()}


def settled(out):
    """The whole kit's version, with everything in its place and nothing beside."""
    only(out.parent, out.name)
    now = state(out)
    assert "link" not in now.values()
    assert {name: now.pop(name) for name in THEIRS} == THEIRS
    files = {name: content for name, content in now.items() if content != "folder"}
    version = files["server/app.py"]
    assert files == kit(version.decode(), **({"nginx__new": b"n"} if version == b"2" else {}))
    return version


def no_exchange(monkeypatch):
    """A system that cannot exchange two folders in one step."""
    monkeypatch.setattr(swap, "_exchanged", lambda *_: False)


@pytest.mark.long
@pytest.mark.parametrize("how", ["exchange", "three renames"])
@pytest.mark.parametrize("next_run", ["the same again", "another kit"])
def test_killed_before_any_step_everything_stays_in_reach_and_the_next_run_ends_it(
    tmp_path, monkeypatch, how, next_run
):
    if how != "exchange":
        no_exchange(monkeypatch)
    second = kit("2", nginx__new=b"n")
    ends, step, done = set(), 0, False
    while not done:
        parent = tmp_path / str(step)
        out = parent / "out"
        parent.mkdir()
        running_kit(out)
        done = killed(step, lambda: folder.write(second, out))  # noqa: B023 - called at once
        if how == "exchange":
            assert theirs(out) == THEIRS, step
            assert state(out)["server/app.py"] in {b"1", b"2"}, step
        ends.add((out / "server/app.py").read_bytes() if out.exists() else None)
        folder.write(second if next_run == "the same again" else kit("1"), out)
        assert settled(out) == (b"2" if next_run == "the same again" else b"1"), step
        shutil.rmtree(parent)
        step += 1
    assert {b"1", b"2"} <= ends
    assert step > 60


@pytest.mark.long
def test_a_run_killed_while_it_ends_a_killed_one_loses_nothing(tmp_path):
    """The second run is killed at any step too: the first one at the step at which most is still to be done."""
    moves = [step for step in range(200) if _links_after(tmp_path, step)]
    assert len(moves) >= 3
    for step in (moves[0], moves[-1]):
        again, done = 0, False
        while not done:
            out = tmp_path / f"{step}-{again}" / "out"
            out.parent.mkdir()
            running_kit(out)
            killed(step, lambda: folder.write(kit("2", nginx__new=b"n"), out))  # noqa: B023 - called at once
            done = killed(again, lambda: folder.write(kit("1"), out))  # noqa: B023 - the same
            assert theirs(out) == THEIRS, (step, again)
            folder.write(kit("1"), out)
            assert settled(out) == b"1"
            shutil.rmtree(out.parent)
            again += 1


def _links_after(tmp_path, step):
    """Whether a run that is killed at this step leaves a link in the place of what is carried over."""
    out = tmp_path / f"try {step}" / "out"
    out.parent.mkdir()
    running_kit(out)
    killed(step, lambda: folder.write(kit("2", nginx__new=b"n"), out))
    found = (out / "var").is_symlink()
    shutil.rmtree(out.parent)
    return found


@pytest.mark.long
def test_without_symbolic_links_the_next_run_puts_back_what_a_killed_one_has_moved(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refused)
    away, step, done = 0, 0, False
    while not done:
        out = tmp_path / str(step) / "out"
        out.parent.mkdir()
        running_kit(out)
        done = killed(step, lambda: folder.write(kit("2", nginx__new=b"n"), out))  # noqa: B023 - called at once
        away += theirs(out) != THEIRS
        folder.write(kit("1"), out)
        assert settled(out) == b"1", step
        shutil.rmtree(out.parent)
        step += 1
    assert away  # that is what the links are for


@pytest.mark.parametrize("links", [True, False])
def test_when_something_fails_after_the_exchange_all_is_as_before(tmp_path, monkeypatch, links):
    out = tmp_path / "out"
    running_kit(out)
    before = state(out)
    if not links:
        monkeypatch.setattr(os, "symlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(1, "no")))
    settle = swap._settle
    monkeypatch.setattr(swap, "_settle", lambda *args: (settle(*args), (_ for _ in ()).throw(OSError(5, "I/O error"))))
    with pytest.raises(OutputError, match="Nothing was changed"):
        folder.write(kit("2"), out)
    assert state(out) == before
    only(tmp_path, "out")


@pytest.mark.long
def test_what_cannot_be_put_back_is_kept_and_named(tmp_path, monkeypatch):
    """Without links, and start.py made a new var/ before the next run: neither of the two logs may go."""
    out = tmp_path / "out"
    running_kit(out)
    monkeypatch.setattr(os, "symlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(1, "no")))
    step = 0
    while (out / "var").exists():
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        running_kit(out)
        killed(step, lambda: folder.write(kit("2"), out))
        step += 1
    (out / "var").mkdir()
    (out / "var/token").write_bytes(b"new")
    folder.write(kit("2"), out)
    (part,) = swap.left(tmp_path)
    assert (part / "var/token").read_bytes() == b"token"
    assert (out / "var/token").read_bytes() == b"new"
    (note,) = folder.notes(out, "written")
    assert str(part) in note
    assert "var" in note
    (out / "var/token").unlink()
    (out / "var").rmdir()
    folder.write(kit("1"), out)
    assert (out / "var/token").read_bytes() == b"token"
    only(tmp_path, "out")


def test_folders_of_runs_that_live_and_of_other_targets_are_left_alone(tmp_path):
    folder.write(kit("1"), tmp_path / "out")
    live, dead, other = (swap.workshop(tmp_path / name) for name in ("out", "out", "other"))
    descriptor = swap.alive(live)
    folder.write(kit("2"), tmp_path / "out")
    assert live.exists()
    assert not dead.exists()
    assert swap.left(tmp_path) == [other]
    assert [str(other) in note for note in folder.notes(tmp_path / "out", "written")] == [True]
    os.close(descriptor)
    folder.write(kit("1"), tmp_path / "out")
    only(tmp_path, other.name, "out")


@pytest.mark.parametrize("journal", [b"{", b'["../../x"]', b'["a/../../x"]', b'"var"', b"[1]", b'[""]'])
def test_a_journal_that_makes_no_sense_moves_nothing_out_of_the_folder(tmp_path, journal):
    (tmp_path / "x").write_bytes(b"not the kit's")
    folder.write(kit("1"), tmp_path / "below/out")
    part = swap.workshop(tmp_path / "below/out")
    (part / "var").mkdir()
    part.with_suffix(".moves").write_bytes(journal)
    folder.write(kit("2"), tmp_path / "below/out")
    assert whole(tmp_path / "below/out")
    assert not (tmp_path / "below/out/var").exists()
    assert (tmp_path / "x").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_nobody_else_can_put_a_var_into_a_kit_through_the_folder_beside_it(tmp_path):
    """In /tmp, say: a token that an attacker knows."""
    folder.write(kit("1"), tmp_path / "out")
    part = swap.workshop(tmp_path / "out")
    (part / "var").mkdir()
    (part / "var/token").write_bytes(b"known")
    part.with_suffix(".moves").write_text(json.dumps(["var"]))
    os.chown(part, 65_534, 65_534)
    folder.write(kit("2"), tmp_path / "out")
    assert not (tmp_path / "out/var").exists()
    assert part.exists()
