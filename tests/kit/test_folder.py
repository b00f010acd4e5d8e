"""Writing a folder: whole or not at all, whatever goes wrong; what people changed or added is never lost."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from support.folders import kit, only, state, whole

from advisor.base import folder
from advisor.base.errors import OutputError

# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_new_folder_holds_the_files_and_nothing_else_is_left(tmp_path):
    assert folder.write(kit(), tmp_path / "out") == "written"
    assert {n: c for n, c in state(tmp_path / "out").items() if c != "folder"} == kit()
    only(tmp_path, "out")


def test_modes_do_not_depend_on_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        folder.write(kit(), tmp_path / "out")
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in [tmp_path / "out", *(tmp_path / "out").rglob("*")]}
    assert modes == {
        "out": 0o755,
        "start.py": 0o755,
        "server": 0o755,
        "app.py": 0o644,
        "README.md": 0o644,
        folder.LOCK: 0o644,
    }


def test_missing_parents_are_made(tmp_path):
    folder.write(kit(), tmp_path / "a/b/out")
    assert (tmp_path / "a/b/out/README.md").exists()


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    assert folder.write(kit(), tmp_path / "out") == "written"


def test_odd_names_of_the_target_are_fine(tmp_path):
    for name in ("with space", "em\U0001f600oji", "-rf", "line\nbreak", "quo\"te'"):
        folder.write(kit(), tmp_path / name)
        assert (tmp_path / name / "README.md").exists()


def test_the_same_kit_again_touches_nothing(tmp_path):
    folder.write(kit(), tmp_path / "out")
    before = (tmp_path / "out").stat().st_ino
    assert folder.write(kit(), tmp_path / "out") == "unchanged"
    assert (tmp_path / "out").stat().st_ino == before


def test_an_earlier_kit_is_replaced_and_its_dropped_files_go(tmp_path):
    folder.write(kit("1", old__gone=b"o"), tmp_path / "out")
    assert folder.write(kit("2"), tmp_path / "out") == "replaced"
    assert {n: c for n, c in state(tmp_path / "out").items() if c != "folder"} == kit("2")
    only(tmp_path, "out")


def test_what_a_running_kit_wrote_is_carried_over(tmp_path):
    out = tmp_path / "out"
    folder.write(kit("1"), out)
    (out / "var/tmp").mkdir(parents=True)
    (out / "var/events.sqlite3").write_bytes(b"log")
    (out / "server/mine.py").write_bytes(b"mine")
    (out / "link").symlink_to("/nowhere")
    log = (out / "var/events.sqlite3").open("ab")
    folder.write(kit("2"), out)
    log.write(b" goes on")
    log.close()
    now = state(out)
    assert (now["var/events.sqlite3"], now["server/mine.py"], now["link"]) == (b"log goes on", b"mine", "link")
    assert now["server/app.py"] == b"2"
    only(tmp_path, "out")


# --- refusing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/../b", "/etc/x", "a//b", "a/", "./a", "nul\0", "a\\b", "c:x", "new\nline", "a/.."],
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="not a valid name for a file inside"):
        folder.write({name: b""}, tmp_path / "out")
    only(tmp_path)


def test_a_file_that_would_be_another_ones_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match="Nothing was changed"):
        folder.write({"a": b"", "a/b": b""}, tmp_path / "out")
    only(tmp_path)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["link to a folder", "link to nothing", "file", "fifo"])
def test_what_is_no_folder_is_refused_and_stays(tmp_path, kind, force):
    target, real = tmp_path / "out", tmp_path / "real"
    real.mkdir()
    if kind == "file":
        target.write_text("mine", encoding="utf-8")
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target.symlink_to(real if kind == "link to a folder" else tmp_path / "nowhere")
    before = target.lstat()
    with pytest.raises(OutputError, match="symbolic link" if "link" in kind else "not a folder"):
        folder.write(kit(), target, force=force)
    assert (target.lstat().st_ino, target.lstat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    only(tmp_path, "out", "real")
    only(real)


def test_a_parent_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="Nothing was changed"):
        folder.write(kit(), tmp_path / "file/out")
    only(tmp_path, "file")


def test_a_name_that_the_system_refuses_leaves_no_parents_behind(tmp_path):
    with pytest.raises(OutputError, match="too long"):
        folder.write({"x" * 300: b""}, tmp_path / "a/b/out")
    only(tmp_path)


def test_the_folder_that_one_is_in_is_refused(tmp_path, monkeypatch):
    (tmp_path / "out/below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out/below")
    (tmp_path / "out/below").rmdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(OutputError, match="is your current folder"):
        folder.write(kit(), tmp_path / "empty")


def test_a_folder_with_something_in_it_is_refused_and_stays(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_bytes(b"mine")
    with pytest.raises(OutputError, match="not empty and contains no kit"):
        folder.write(kit(), tmp_path / "out")
    assert state(tmp_path / "out") == {"mine": b"mine"}


@pytest.mark.parametrize(
    "lock",
    [
        b"",
        b"{",
        b"[]",
        b'{"files": 1}',
        b'{"files": {"../../etc/passwd": "0"}}',
        b"[" * 100_000,
        b"\xff",
        b" " * (2 << 20),
    ],
)
def test_a_lock_that_makes_no_sense_is_no_kit(tmp_path, lock):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / folder.LOCK).write_bytes(lock)
    with pytest.raises(OutputError, match="contains no kit"):
        folder.write(kit(), tmp_path / "out")
    assert state(tmp_path / "out") == {folder.LOCK: lock}


def test_a_changed_kit_is_refused_and_every_difference_is_named(tmp_path):
    out = tmp_path / "out"
    folder.write(kit("1"), out)
    (out / "server/app.py").write_bytes(b"edited")
    (out / "README.md").unlink()
    (out / "new.txt").write_bytes(b"a stranger where the next kit has a file")
    before = state(out)
    with pytest.raises(OutputError) as caught:
        folder.write(kit("2", **{"new.txt": b"n"}), out)
    text = str(caught.value)
    assert "README.md (deleted), new.txt (not from the kit), server/app.py (changed)" in text
    assert "--force" in text
    assert state(out) == before
    only(tmp_path, "out")


def test_a_file_swapped_for_a_link_counts_as_changed(tmp_path):
    out = tmp_path / "out"
    folder.write(kit("1"), out)
    (out / "README.md").unlink()
    (out / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"README\.md \(deleted\)"):
        folder.write(kit("2"), out)


# --- force ------------------------------------------------------------------------------------------------------------


def test_force_replaces_the_kits_own_files_and_keeps_all_others(tmp_path):
    out = tmp_path / "out"
    folder.write(kit("1", old__edited=b"o"), out)
    (out / "server/app.py").write_bytes(b"edited")
    (out / "old/edited").write_bytes(b"edited, and the next kit has no such file")
    (out / "server/mine.py").write_bytes(b"mine")
    folder.write(kit("2"), out, force=True)
    now = state(out)
    assert now["server/app.py"] == b"2"
    assert now["server/mine.py"] == b"mine"
    assert now["old/edited"].startswith(b"edited")


def test_force_into_a_folder_without_a_kit_keeps_what_is_there(tmp_path):
    out = tmp_path / "out"
    (out / "server").mkdir(parents=True)
    (out / "server/theirs.py").write_bytes(b"theirs")
    (out / "photo.jpg").write_bytes(b"photo")
    folder.write(kit(), out, force=True)
    now = state(out)
    assert (now["server/theirs.py"], now["photo.jpg"], now["server/app.py"]) == (b"theirs", b"photo", b"1")


@pytest.mark.parametrize("name", ["server", "README.md"])
def test_force_never_turns_a_folder_into_a_file_or_back(tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_bytes(b"moved before the clash is seen")
    if name == "server":
        (out / name).write_bytes(b"a file")
    else:
        (out / name).mkdir()
        (out / name / "deep").write_bytes(b"kept")
    before = state(out)
    with pytest.raises(OutputError, match="is a file here and a folder in the new kit"):
        folder.write(kit(), out, force=True)
    assert state(out) == before
    only(tmp_path, "out")


# --- what can happen meanwhile ----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 128 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to mount a tmpfs here")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.lab
def test_a_full_disk_leaves_the_old_state(small_disk):
    folder.write(kit("1"), small_disk / "out")
    before = state(small_disk / "out")
    with pytest.raises(OutputError, match=r"No space left on device\. Nothing was changed"):
        folder.write(kit("2", big=b"x" * 200_000), small_disk / "out")
    with pytest.raises(OutputError, match="No space left"):
        folder.write(kit("2", big=b"x" * 200_000), small_disk / "new")
    assert state(small_disk / "out") == before
    only(small_disk, "out")


def test_a_limit_on_the_size_of_files_leaves_the_old_state(tmp_path):
    folder.write(kit("1"), tmp_path / "out")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match="File too large"):
            folder.write(kit("2", big=b"x" * 200_000), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert state(tmp_path / "out")["server/app.py"] == b"1"
    only(tmp_path, "out")


@pytest.mark.lab
def test_a_read_only_disk_is_refused(small_disk):
    folder.write(kit("1"), small_disk / "out")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for target in ("out", "new", "a/b"):
        with pytest.raises(OutputError, match="Read-only file system"):
            folder.write(kit("2"), small_disk / target)
    assert state(small_disk / "out")["server/app.py"] == b"1"


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    from support.folders import kit
    from advisor.base import folder
    many = {f"server/{i}.py": b"x" * 1000 for i in range(300)}
    print("go", flush=True)
    try:
        folder.write(kit(sys.argv[2], **many), Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
""")


def writer(target, version):
    command = [sys.executable, "-c", WRITER, str(target), version, str(Path(__file__).parents[1])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"go\n"
    process.stdout.close()
    return process


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_signal_at_any_moment_leaves_the_old_state_or_the_new_one(tmp_path, number, exists):
    chance = random.Random(1)
    ends = set()
    for i in range(12):
        out = tmp_path / f"{i}" / "out"
        if exists:
            folder.write(kit("1"), out)
            (out / "var").mkdir()
            (out / "var/log").write_bytes(b"log")
        else:
            out.parent.mkdir()
        process = writer(out, "2")
        time.sleep(chance.random() * 0.12)
        process.send_signal(number)
        process.wait()
        now = state(out).get("server/app.py")
        assert now in {b"1" if exists else None, b"2"}
        assert now is None or whole(out)
        assert not exists or (out / "var/log").read_bytes() == b"log"
        if number == signal.SIGINT:
            only(out.parent, *(["out"] if now else []))
        ends.add(now)
    assert b"2" in ends or len(ends) == 1


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file between its open and its with
@pytest.mark.timeout(600)
@pytest.mark.parametrize("exists", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_keyboard_interrupt_before_any_line_leaves_nothing_beside_the_folder(in_memory, exists):
    """Ctrl-C before each line in turn that Python runs for the writing, those of its own library included."""
    out = in_memory / "parent" / "out"
    out.parent.mkdir()
    if exists:
        folder.write(kit("1"), out)
    ends, step = set(), 0
    while b"whole run" not in ends:
        if exists and b"2" in ends:
            folder.write(kit("1"), out)
        elif not exists:
            shutil.rmtree(out, ignore_errors=True)
        left = step

        def trace(_frame, event, _arg):
            nonlocal left
            if event == "line":
                if left == 0:
                    signal.raise_signal(signal.SIGINT)
                left -= 1
            return trace

        before = sys.gettrace()
        try:
            sys.settrace(trace)
            folder.write(kit("2"), out)
        except KeyboardInterrupt:
            pass
        else:
            ends.add(b"whole run")
        finally:
            sys.settrace(before)
        now = state(out).get("server/app.py")
        assert now in {b"1" if exists else None, b"2"}, step
        assert now is None or whole(out), step
        only(out.parent, *(["out"] if now else []))
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set(), step
        ends.add(now)
        step += 1
    assert len(ends) == 3
    assert step > 500


@pytest.mark.long
def test_two_runs_at_once_give_one_whole_kit(tmp_path):
    for i in range(5):
        out = tmp_path / f"{i}" / "out"
        out.parent.mkdir()
        runs = [writer(out, version) for version in ("1", "2", "3")]
        assert [run.wait() for run in runs] == [0, 0, 0]
        only(out.parent, "out")
        assert whole(out)


def test_the_target_is_never_missing_while_it_is_replaced(tmp_path):
    out = tmp_path / "out"
    folder.write(kit("1"), out)
    missing, end = [], threading.Event()

    def look():
        while not end.is_set():
            try:
                (out / "server/app.py").read_bytes()
            except FileNotFoundError:
                missing.append(1)

    thread = threading.Thread(target=look)
    thread.start()
    for i in range(30):
        folder.write(kit(str(i)), out)
    end.set()
    thread.join()
    assert not missing or sys.platform != "linux"
