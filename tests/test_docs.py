"""The pages in docs/ are true where that can be checked: links, answers files, keys, paths of the server, findings."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from advisor.answers.file import parse
from advisor.base.errors import InputError
from advisor.ruleset.cache import load

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target, anchor in re.findall(r"\]\(([^)#<>]*)(?:#([^)]+))?\)", path.read_text("utf-8")):
        if "://" in target:
            continue
        there = (path.parent / target) if target else path
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_names_every_page():
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"]({path.name})" in page("README.md")


def test_the_answers_file_of_the_page_is_valid():
    (example,) = re.findall(r"```yaml\n(.*?)```", page("answers-file.md"), re.DOTALL)
    project = parse(example, "example.yaml", load())
    assert [feature.name for feature in project.features] == ["order status", "support chat"]


REFUSED = re.findall(r"^\| `(.+?)` \| (.+) \|$", page("answers-file.md").partition("<!-- refused -->")[2], re.MULTILINE)


@pytest.mark.parametrize(("line", "message"), REFUSED)
def test_what_the_page_calls_refused_is_refused_in_these_words(line, message):
    with pytest.raises(InputError) as error:
        parse(f"features:\n  - name: x\n    {line}\n", "example.yaml", load())
    assert message in str(error.value)


def test_there_are_examples_of_what_is_refused():
    assert len(REFUSED) > 15


def test_the_page_about_the_verdict_names_every_key():
    schema = json.loads((ROOT / "rules" / "schema" / "verdict.schema.json").read_text("utf-8"))
    keys: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                keys.update(node["properties"])
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(schema)
    named = set(re.findall(r"[a-z_0-9]+", page("verdict.md")))
    details = {"at", "where", "platform", "seconds", "up_to", "change", "setting", "says", "contested"}  # of a limit
    assert len(keys) > 60
    assert keys - named <= details


def test_the_page_about_the_protocol_names_every_path_of_the_server():
    served = (ROOT / "templates" / "server" / "python" / "server" / "app.py").read_text("utf-8")
    paths = set(re.findall(r'"(?:GET|POST)", "(/[a-z]+)"', served))
    assert {"/events", "/ws", "/poll", "/publish", "/healthz"} <= paths
    for path in paths:
        assert f"`{path}" in page("kit-protocol.md") or f" {path}`" in page("kit-protocol.md"), path


def test_the_page_about_deciding_names_every_finding():
    from advisor.ruleset import examples, prove

    sources = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (prove, examples))
    codes = set(re.findall(r'(?:Finding\(\s*|return \()"([A-Z_]+)"', sources))
    assert {"GAP", "EXAMPLE", "AMBIGUOUS"} <= codes
    assert {code for code in codes if f"`{code}`" not in page("how-it-decides.md")} == set()


def test_the_files_of_the_host_are_yaml_and_the_workflow_runs_the_whole_proof():
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
    read = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in files}
    assert {"bug.yml", "ci.yml", "config.yml"} <= read.keys()
    assert ".ci/run" in [step.get("run") for step in read["ci.yml"]["jobs"]["proof"]["steps"]]
