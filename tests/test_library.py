"""The names that other programs may import, since the wheel says that it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import advisor

EXAMPLE = Path(__file__).resolve().parent.parent / "rules" / "examples" / "notifications.yaml"


def test_the_library_has_exactly_these_names():
    assert sorted(advisor.__all__) == [
        "Verdict",
        "__version__",
        "build_kit",
        "load_rules",
        "read_answers",
        "recommend",
    ]
    assert all(getattr(advisor, name) for name in advisor.__all__)
    with pytest.raises(AttributeError, match="the library is"):
        advisor.load_everything  # noqa: B018


def test_from_an_answers_file_to_the_files_of_a_kit():
    base = advisor.load_rules()
    project = advisor.read_answers(EXAMPLE, base)
    verdict: advisor.Verdict = advisor.recommend(project, base)
    assert verdict["features"][0]["primary"] == "sse"
    assert "nginx/nginx.conf" in advisor.build_kit(project, verdict, base).files


@pytest.mark.long
def test_a_program_that_uses_the_library_passes_the_type_checker(tmp_path):
    code = (
        "import advisor\n\n"
        "base = advisor.load_rules()\n"
        'verdict = advisor.recommend(advisor.read_answers("a.yaml", base), base)\n'
        'print(verdict["features"][0]["primary"])\n'
    )
    for text, fine in ((code, True), (code.replace("primary", "primaryy"), False)):
        path = tmp_path / "program.py"
        path.write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLE.parents[2], check=False)
        assert (run.returncode == 0) == fine, run.stdout
