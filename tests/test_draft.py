"""The answers file of an interview and its recovery file: whatever happens to them, nobody's words are lost."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.handwritten_answers import Hand, edited, random_project
from support.small_base import small_base

from advisor.answers.check import RefusedError
from advisor.answers.draft import AskFirstError, open_draft
from advisor.answers.file import UNNAMED, dump, parse, read, salvage
from advisor.base.errors import InputError, OutputError
from advisor.engine.portfolio import recommend
from advisor.interview.session import Session
from advisor.model.project import Feature, Project
from advisor.ruleset.cache import load

BASE = small_base()
ONE = "features:\n  - name: a\n    page: x\n"
seeds = st.integers(0, 2**32)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "orders.yaml"


def opened(file, **how):
    return open_draft(str(file), BASE, **how)


def other(project, page="z"):
    return project._replace(features=(Feature("a", {"page": page}),))


def names(file):
    return sorted(path.name for path in file.parent.iterdir() if path.is_file())


# --- two programs on one file -----------------------------------------------------------------------------------------


def test_answers_that_somebody_else_wrote_meanwhile_are_not_overwritten_unasked(file):
    file.write_text(ONE)
    draft, project = opened(file)
    assert draft.notice() == ""
    file.write_text(ONE.replace("x", "theirs"))
    assert "Another program has changed" in draft.notice()
    with pytest.raises(AskFirstError, match="changed by another program") as caught:
        draft.save(other(project))
    assert caught.value.changed
    assert "theirs" in file.read_text()


def test_comments_that_somebody_else_wrote_meanwhile_are_no_conflict_and_stay(file):
    file.write_text(ONE)
    draft, project = opened(file)
    file.write_text("# theirs\n" + ONE)
    draft.save(other(project))
    assert file.read_text() == "# theirs\n" + ONE.replace("x", "z")


def test_our_answers_go_into_the_file_as_it_is_now_if_the_person_says_so(file):
    file.write_text(ONE)
    draft, project = opened(file)
    file.write_text("project: theirs # new\n" + ONE)
    saved = draft.save(other(project)._replace(name="ours"), force=True)
    assert file.read_text() == "project: ours # new\n" + ONE.replace("x", "z")
    assert saved.notice() == ""


def test_or_into_a_file_beside_it_with_the_comments_that_we_read(file):
    file.write_text("# first\n" + ONE)
    file.with_name("orders-2.yaml").write_text("taken")
    draft, project = opened(file)
    file.write_text(ONE.replace("x", "theirs"))
    beside = draft.beside(other(project))
    assert beside.file == file.with_name("orders-3.yaml")
    assert beside.file.read_text() == "# first\n" + ONE.replace("x", "z")
    assert "theirs" in file.read_text()
    assert beside.save(other(project, "w")).seen == "# first\n" + ONE.replace("x", "w")


def test_or_the_file_is_read_again_and_undo_brings_ours_back(file):
    base = load()
    file.write_text("features: [{name: a, media: no}]\n")
    draft, project = open_draft(str(file), base)
    session = Session.from_project(project, base).answer("background-delivery", False)
    file.write_text("features: [{name: theirs}]\n")
    draft, theirs = draft.reload()
    session = session.replaced_by(theirs, "read again")
    assert session.feature.name == "theirs"
    back = session.undo()
    assert len(back.answers) == 2
    draft.save(back.project)
    assert read(file, base) == back.project


def test_a_file_that_has_gone_or_become_wrong_is_said(file):
    file.write_text(ONE)
    draft, project = opened(file)
    file.write_text("features: [")
    with pytest.raises(InputError):
        draft.reload()
    with pytest.raises(AskFirstError):
        draft.save(project)
    assert draft.save(project, force=True).seen == dump(project, BASE)
    assert file.with_name("orders.yaml.bak").read_text() == "features: ["
    file.unlink()
    with pytest.raises(OutputError, match="no longer exists"):
        draft.reload()
    assert draft.save(project).seen == dump(project, BASE)


def test_a_file_that_holds_no_text_any_more_is_said_and_stays(file):
    file.write_text(ONE)
    draft, project = opened(file)
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert "Another program has changed" in draft.notice()
    with pytest.raises(OutputError, match="not UTF-8"):
        draft.save(other(project), force=True)
    assert file.read_bytes() == b"\x89PNG\r\n\x1a\n\0\0"


def test_a_file_that_appeared_meanwhile_is_not_overwritten_unasked(file):
    draft, project = opened(file)
    assert project is None
    file.write_text("theirs, whatever it is")
    with pytest.raises(AskFirstError):
        draft.save(parse(ONE, "a", BASE))
    assert file.read_text() == "theirs, whatever it is"


# --- the recovery file ------------------------------------------------------------------------------------------------


def test_what_a_dead_interview_left_is_found_once_and_forgotten_when_saved(file):
    file.write_text(ONE)
    draft, project = opened(file)
    assert draft.kept() is None
    assert draft.keep(other(project)) == ""
    draft.recovery.release()  # it dies
    again, project = opened(file)
    assert again.kept() == other(project)
    again.save(other(project))
    assert names(file) == ["orders.yaml"]


def test_what_is_in_the_file_anyway_is_not_offered(file):
    file.write_text(ONE)
    draft, project = opened(file)
    draft.keep(project)
    draft.recovery.release()
    assert opened(file)[0].kept() is None


def test_two_interviews_on_one_file_keep_their_answers_apart_and_notice(file):
    file.write_text(ONE)
    one, project = opened(file)
    one.keep(other(project, "one"))
    two, _ = opened(file)
    assert two.kept() is None
    two.keep(other(project, "two"))
    assert "Another advisor is also working" in two.notice()
    one.keep(other(project, "one more"))
    for dead in (one, two):
        dead.recovery.release()
    first, _ = opened(file)
    second, _ = opened(file)
    found = [first.kept(), second.kept()]
    assert found == [other(project, "one more"), other(project, "two")]
    first.forget()
    second.forget()
    assert names(file) == ["orders.yaml"]


def test_where_the_folder_takes_nothing_the_state_folder_does(file, monkeypatch):
    """The root user may write everywhere, so the folder is made to refuse."""
    from advisor.base import writing

    file.write_text(ONE)
    draft, project = opened(file)
    real = writing.tempfile.mkstemp

    def mkstemp(prefix, dir):  # noqa: A002  # as the real one has it
        if dir == file.parent:
            raise PermissionError(13, "Permission denied")
        return real(prefix=prefix, dir=dir)

    monkeypatch.setattr(writing.tempfile, "mkstemp", mkstemp)
    assert draft.keep(other(project)) == ""
    assert names(file) == ["orders.yaml"]
    with pytest.raises(OutputError, match="Permission denied"):
        draft.save(other(project))
    assert file.read_text() == ONE
    draft.recovery.release()
    assert opened(file)[0].kept() == other(project)


def test_a_full_disk_is_said_and_what_was_kept_before_stays(file, monkeypatch):
    file.write_text(ONE)
    draft, project = opened(file)
    draft.keep(other(project, "before"))

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("advisor.base.writing.os.fdopen", full)
    assert "No space left on device" in draft.keep(other(project, "after"))
    with pytest.raises(OutputError, match="No space left"):
        draft.save(other(project, "after"))
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(file.parent / "state"))
    assert file.read_text() == ONE
    draft.recovery.release()
    assert opened(file)[0].kept() == other(project, "before")


def test_nobody_else_can_read_a_recovery_file_and_a_link_is_not_followed(file, tmp_path):
    draft, _ = opened(file)
    precious = tmp_path / "precious"
    precious.write_text(ONE)
    file.with_name(".orders.yaml.recovery").symlink_to(precious)
    assert draft.kept() is None
    draft.keep(parse(ONE, "a", BASE))
    assert precious.read_text() == ONE
    assert draft.recovery.path.stat().st_mode & 0o777 == 0o600


def test_a_recovery_file_with_an_answer_that_the_rules_no_longer_know_gives_the_rest(file):
    file.with_name(".orders.yaml.recovery").write_text(ONE + "    gone: yes\n")
    assert opened(file)[0].kept() == parse(ONE, "a", BASE)


# --- files with mistakes ----------------------------------------------------------------------------------------------

BROKEN = [
    (
        "features:\n  - name: a\n    pgae: x\n    kind: kind-1\n",
        3,
        'unknown key "pgae"; did you mean page',
        {"kind": "kind-1"},
    ),
    ("features:\n  - name: a\n    kind: kind1\n    page: x\n", 3, "did you mean kind-1", {"page": "x"}),
    (
        "features:\n  - name: a\n    page: x\n    page: z\n",
        4,
        "is already in line 3; remove one of them",
        {"page": "x"},
    ),
    ("features:\n  - name: a\n   kind: kind-1\n    page: x\n", 3, "not valid YAML", {"page": "x"}),
    ('features:\n  - name: a\n    page: "x\n    kind: kind-1\n', 4, "not valid YAML", {"kind": "kind-1"}),
    ("features:\n  - name: a\n    page: x\n\tkind: kind-1\n", 4, "indented with a tab", {"page": "x"}),
    ("features:\n  - name: a\n    kind: *b\n    page: x\n", 3, "aliases (*b) are not supported", {"page": "x"}),
    ("features:\n  - name: a\n    page: x\n    kind: [kind-1\n", 4, "not valid YAML", {"page": "x"}),
    ("features:\n  - name: a\n    page: x\nfeature:\n", 4, "did you mean features", {"page": "x"}),
    ("features:\n  - name: a\n    page: x\n  - page: z\n", 4, "has no name", {"page": "x"}),
    ("features:\n  - name: a\n    page: x\n  - name: A\n", 4, "is already in line 2; rename one", {"page": "x"}),
    ("features:\n  - name: a\n    page: x # caf\u00e9\n".encode("latin-1"), 3, "is not UTF-8", {"page": "x"}),
    ("features:\n  - name: a\n    page: x\n    kind: \x01\n", 4, "is not allowed in a YAML file", {"page": "x"}),
]


@pytest.mark.parametrize(("text", "line", "said", "facts"), BROKEN)
def test_a_file_with_a_mistake_gives_the_rest_and_is_not_written_over_unasked(file, text, line, said, facts):
    content = text if isinstance(text, bytes) else text.encode()
    file.write_bytes(content)
    with pytest.raises(InputError):
        opened(file)
    draft, project = opened(file, mend=True)
    assert any(said in str(problem) for problem in draft.problems), draft.problems
    assert line in [problem.line for problem in draft.problems]
    assert project.features[0].facts == facts
    with pytest.raises(AskFirstError, match=r"mistakes? and would have to be rewritten") as caught:
        draft.save(project)
    assert not caught.value.changed
    assert file.read_bytes() == content
    beside = draft.beside(project)
    assert parse(beside.file.read_text(), "b", BASE) == project
    assert file.read_bytes() == content
    saved = draft.save(project, force=True)
    assert parse(file.read_text(), "a", BASE) == project
    assert file.with_name("orders.yaml.bak").read_bytes() == content
    assert saved.problems == ()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("version: 3\nservices:\n  web: {image: x}\n", Project(UNNAMED, {}, {}, ())),
        ("- a\n- b\n", Project(UNNAMED, {}, {}, ())),
        ("hello", Project(UNNAMED, {}, {}, ())),
        ("project: P\npath: {reverse-proxy: nginx}\nfeatures:\n", Project("P", {"reverse-proxy": "nginx"}, {}, ())),
    ],
)
def test_a_file_without_features_opens_with_what_there_is(file, text, kept):
    file.write_text(text)
    draft, project = opened(file, mend=True)
    assert project == kept
    assert draft.problems
    with pytest.raises(AskFirstError):
        draft.save(other(project))
    assert file.read_text() == text


def test_a_replacement_character_is_named_before_a_file_is_rewritten(file):
    file.write_text(f"# caf\ufffd\n{ONE}")
    draft, project = opened(file)
    with pytest.raises(AskFirstError, match=r"rewritten: it contains bytes that are not UTF-8 \(or U\+FFFD"):
        draft.save(other(project))


@pytest.mark.parametrize("text", ["", "\n \n", "# only\n# comments\n", "\ufeff"])
def test_an_empty_file_is_a_new_interview_and_its_comments_stay(file, text):
    file.write_text(text)
    draft, project = opened(file, mend=True)
    assert (project, draft.problems) == (None, ())
    draft.save(parse(ONE, "a", BASE))
    assert file.read_text().lstrip("\ufeff").startswith(text.strip("\ufeff \n"))
    assert read(file, BASE) == parse(ONE, "a", BASE)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), b"# x\n" * 1_500_000, b"\xff\xfea\0"]
)
def test_what_is_no_text_at_all_is_refused_and_stays(file, content):
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"UTF|larger|bytes"):
        opened(file, mend=True)
    assert file.read_bytes() == content


def test_a_slip_of_the_hand_costs_few_answers():
    """One line of each file is deleted, doubled, cut or filled with rubbish; 4 of 5 answers of all files are read."""
    told = read_again = 0
    for seed in range(150):
        rng = Random(seed)
        project = random_project(rng, BASE)
        text, lines = Hand(rng, BASE).file(project)
        broken = text.splitlines(keepends=True)
        at = rng.randrange(len(broken))
        cut = broken[at][: rng.randrange(len(broken[at]))] + "\n"
        broken[at] = rng.choice(["", broken[at] * 2, cut, '"\n', "{\n", "\t: x\n", "&\n"])
        found, problems = salvage("".join(broken), "a.yaml", BASE)
        if not problems:
            assert parse("".join(broken), "a.yaml", BASE) == found
        if lines:
            told += len(stated(project))
            read_again += len(stated(project) & stated(found))
    assert read_again > 0.8 * told


def stated(project):
    """Every answer of a project with its home."""
    homes = [("path", project.path), ("app", project.app), *((f.name, f.facts) for f in project.features)]
    return {(home, fact, repr(value)) for home, facts in homes for fact, value in facts.items()}


# --- the file and the verdict -----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seeds)
def test_after_any_edits_file_and_interview_recommend_the_same(tmp_path_factory, seed):
    base, rng = load(), Random(seed)
    file = tmp_path_factory.mktemp("any") / "a.yaml"
    text, _ = Hand(rng, base).file(random_project(rng, base))
    file.write_bytes(text.encode())
    draft, project = open_draft(str(file), base)
    for _ in range(3):
        wanted = edited(rng, project, base)
        session = Session.from_project(wanted, base)
        draft = draft.save(session.project)
        project = read(file, base)
        assert project == wanted
        assert recommend(project, base) == session.verdict
        if session.question is not None:
            try:
                session = session.unknown(session.question.id)
            except RefusedError:
                continue
            draft = draft.save(session.project)
            assert read(file, base) == session.project
            project = session.project
