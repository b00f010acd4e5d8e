"""The cache of compiled rules: the same rules with and without it, whatever happens to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest

from advisor.base import kept_text
from advisor.base.data import data
from advisor.kit import manifest
from advisor.ruleset import cache as rule_cache
from advisor.ruleset.cache import cache_file, load
from advisor.ruleset.serialise import to_data


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ADVISOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(cache):
    return sorted(cache.rglob("*")) if cache.exists() else []


@pytest.mark.long
def test_the_rules_are_the_same_from_the_cache_and_without_one(cache, monkeypatch):
    fresh = to_data(load())
    assert [p.suffix for p in files(cache) if p.is_file()] == [".json"]
    assert to_data(load()) == fresh
    monkeypatch.setenv("ADVISOR_CACHE", "")
    assert cache_file(data("rules")) is None
    assert to_data(load()) == fresh


def damage(text):
    half = len(text) // 2
    return {
        "empty": "",
        "half": text[:half],
        "no checksum": text.partition("\n")[2],
        "another rule base": text.replace("websocket", "webbsocket"),
        "a byte": text[:half] + chr(ord(text[half]) ^ 1) + text[half + 1 :],
        "more": text + " ",
        "not text": "\x00\x01",
        "not ours": '{"version": "1"}',
    }


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("kind", damage("{}").keys())
def test_a_damaged_text_is_passed_over_and_made_again(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_text, "SETTLED_S", 0)
    source = tmp_path / "a.yaml"
    source.write_text("a", "utf-8")
    made = []

    def text():
        return kept_text.text(
            "rules", str(tmp_path), lambda: [("a.yaml", str(source))], lambda: made.append(1) or "a websocket", "1"
        )

    assert [text(), text(), made] == ["a websocket", "a websocket", [1]]
    path = Path(kept_text.cache_file("rules", tmp_path))
    whole = path.read_text("utf-8")
    path.write_text(damage(whole)[kind], "utf-8")
    assert [text(), made] == ["a websocket", [1, 1]]
    assert path.read_text("utf-8") == whole


@pytest.mark.long
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("kind", ["half", "not ours"])
def test_a_damaged_cache_is_passed_over_and_replaced(kind):
    """The same with the rules, which take some seconds to compile."""
    fresh = to_data(load())
    path = Path(cache_file(data("rules")))
    whole = path.read_text("utf-8")
    path.write_text(damage(whole)[kind], "utf-8")
    assert to_data(load()) == fresh
    assert path.read_text("utf-8") == whole


@pytest.mark.long
def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("in the way", "utf-8")
    monkeypatch.setenv("ADVISOR_CACHE", str(blocker))
    assert load().patterns
    assert blocker.read_text("utf-8") == "in the way"


@pytest.mark.long
@pytest.mark.usefixtures("cache")
def test_a_change_of_the_rules_is_seen_at_once(tmp_path):
    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    before = load(folder)
    path = folder / "impossible.yaml"
    path.write_text(path.read_text("utf-8").replace("socket-open-where-blocked", "renamed"), "utf-8")
    after = load(folder)
    assert "renamed" in [i.id for i in after.impossible]
    assert before.sha256 != after.sha256


@pytest.mark.long
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("settled", [0, kept_text.SETTLED_S])
def test_a_change_that_keeps_size_and_date_is_seen(tmp_path, monkeypatch, settled):
    monkeypatch.setattr(kept_text, "SETTLED_S", settled)
    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    before = load(folder)
    path = folder / "impossible.yaml"
    status = path.stat()
    path.write_text(path.read_text("utf-8").replace("socket-open-where-blocked", "blocked-where-socket-open"), "utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    after = load(folder)
    assert "blocked-where-socket-open" in [i.id for i in after.impossible]
    assert before.sha256 != after.sha256


@pytest.mark.long
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["extra.yaml", "caveats/extra.yaml"])
def test_a_file_that_comes_or_goes_is_seen(tmp_path, monkeypatch, name):
    monkeypatch.setattr(kept_text, "SETTLED_S", 0)
    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    before = load(folder)
    (folder / name).write_text("caveats: []\n", "utf-8")
    assert load(folder).sha256 != before.sha256
    (folder / name).unlink()
    assert load(folder).sha256 == before.sha256


@pytest.mark.long
def test_rules_that_were_only_touched_are_not_compiled_again(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_text, "SETTLED_S", 0)
    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    fresh = to_data(load(folder))
    monkeypatch.setattr(rule_cache, "_compiled", lambda _: pytest.fail("compiled again"))
    for path in folder.glob("*.yaml"):
        path.touch()
    assert to_data(load(folder)) == fresh
    monkeypatch.setattr(kept_text, "_digest", lambda *_: pytest.fail("read again"))  # the new dates are kept as well
    assert to_data(load(folder)) == fresh
    assert len([p for p in files(cache) if p.is_file()]) == 1


@pytest.mark.long
def test_several_at_once_get_the_same_rules_and_leave_one_whole_file(cache):
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(load().sha256)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 4
    assert len(set(loaded)) == 1
    (only,) = [p for p in files(cache) if p.is_file()]
    checksum, _, body = only.read_bytes().partition(b"\n")
    assert f"{zlib.crc32(body):08x} {len(body)}".encode() == checksum


@pytest.mark.long
@pytest.mark.usefixtures("cache")
def test_a_warm_run_imports_neither_pydantic_nor_yaml():
    load()
    code = (
        "import sys; from advisor.ruleset.cache import load; load();"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'pydantic', 'yaml', 'textual', 'rich', 'jinja2'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.long
def test_a_file_that_cannot_be_read_among_them_changes_nothing_but_the_time(cache, tmp_path):
    """Editors leave links to nowhere beside a file that they have open."""
    folder = tmp_path / "templates"
    shutil.copytree(data("templates"), folder, ignore=shutil.ignore_patterns("__pycache__"))
    there = manifest.kits(folder)
    (folder / "edge/.#manifest.yaml").symlink_to("nobody@nowhere")
    assert manifest.kits(folder) == there
    assert manifest.load(folder).keys() == manifest.load(data("templates")).keys()
    assert files(cache)


@pytest.mark.long
@pytest.mark.usefixtures("cache")
def test_a_kit_is_made_without_pydantic_once_its_manifests_are_kept():
    code = (
        "import sys; import advisor;"
        "base = advisor.load_rules(); project = advisor.read_answers('rules/examples/notifications.yaml', base);"
        "kit = advisor.build_kit(project, advisor.recommend(project, base), base);"
        "print(len(kit.files) > 20, 'pydantic' in sys.modules)"
    )
    for loaded in ("True", "False"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.split() == ["True", loaded]


@pytest.mark.long
def test_a_change_of_any_module_is_seen(tmp_path):
    """A list of modules missed four: rules that an edit of caveat_figures.py makes invalid came from the cache."""
    package, rules = tmp_path / "advisor", tmp_path / "rules"
    shutil.copytree(Path(rule_cache.__file__).parent.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(data("rules"), rules)
    shutil.copytree(data("templates"), tmp_path / "templates")
    command = [sys.executable, "-m", "advisor", "rules", "--folder", str(rules), "check"]
    environment = {**os.environ, "ADVISOR_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    assert subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == 0
    module = package / "model" / "caveat_figures.py"
    module.write_text(module.read_text("utf-8").replace('    "retry-ms": "retry_ms",\n', ""), "utf-8")
    after = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "{retry-ms}" in after.stdout + after.stderr
    assert after.returncode == 1
