"""Reading YAML: what is taken, what is refused and where, with libyaml and without it."""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.base.data import data
from advisor.base.errors import InputError
from advisor.yamlio.nodes import Map, Scalar, Seq, Source, find, parse, plain, read_text
from advisor.yamlio.scalars import odd, resolve

BOTH = pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
FILES = sorted(data("rules").rglob("*.yaml"))


def problems(text, **how):
    with pytest.raises(InputError) as caught:
        parse(text, "a.yaml", **how)
    return [str(problem) for problem in caught.value.problems]


def outcome(text, **how):
    """The problems of a text, of which there may be none."""
    try:
        plain(parse(text, "a.yaml", **how))
    except InputError as error:
        return error.problems
    return []


def unreadable(path, **how):
    with pytest.raises(InputError) as caught:
        read_text(path, **how)
    (problem,) = caught.value.problems
    return str(problem)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path):
    assert unreadable(tmp_path / "no.yaml") == f"{tmp_path}/no.yaml: cannot be read: No such file or directory"


def test_a_folder(tmp_path):
    assert unreadable(tmp_path) == f"{tmp_path}: is a folder, not a file; name a file"


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert (
        unreadable(tmp_path / "pipe")
        == f'{tmp_path}/pipe: is not a regular file; name one, or write "-" for standard input'
    )


def test_an_endless_device():
    assert unreadable("/dev/zero") == '/dev/zero: is not a regular file; name one, or write "-" for standard input'


def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "secret").write_text("a: 1")
    (tmp_path / "secret").chmod(0)
    root = os.geteuid() == 0  # who may read everything, so the test steps down
    if root:
        os.seteuid(65534)
    try:
        said = unreadable(tmp_path / "secret")
    finally:
        if root:
            os.seteuid(0)
    assert said == f"{tmp_path}/secret: cannot be read: Permission denied"


def test_a_circle_of_links(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert unreadable(tmp_path / "loop").endswith("/loop: cannot be read: Too many levels of symbolic links")


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "real").write_text("a: 1")
    (tmp_path / "link").symlink_to("real")
    assert read_text(tmp_path / "link") == "a: 1"


def test_a_path_with_a_nul_or_an_escape_is_shown_and_not_opened():
    assert unreadable("a\0b") == r"a\x00b: cannot be read: embedded null byte"
    assert unreadable("no\x1b[2J").startswith(r"no\x1b[2J: cannot be read")


def test_a_large_file_is_refused_by_its_size(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(10**12)  # sparse: reading it would take minutes
    assert unreadable(tmp_path / "big").endswith("/big: has 1,000,000,000,000 bytes; the limit is 256,000")


def test_the_limit_itself_is_taken(tmp_path):
    (tmp_path / "full").write_text("x" * 100)
    assert len(read_text(tmp_path / "full", 100)) == 100
    assert "has 100 bytes; the limit is 99" in unreadable(tmp_path / "full", limit=99)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs a file of /proc, whose size is always 0")
def test_a_file_that_is_longer_than_it_says_is_read_up_to_the_limit_only():
    assert Path("/proc/self/maps").stat().st_size == 0
    assert unreadable("/proc/self/maps", limit=100) == "/proc/self/maps: has more than 100 bytes, which is the limit"


READ = "from advisor.yamlio.nodes import read_text\nfrom advisor.base.errors import InputError\n"
READ += "try: print(repr(read_text('-', 100)))\nexcept InputError as e: print(e)"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"a: 1", "'a: 1'"),
        (b"x" * 101, "<stdin>: has more than 100 bytes, which is the limit"),
        (b"", "''"),
        (b"\xff\xfea", "<stdin>:1:1: "),
    ],
)
def test_a_dash_reads_standard_input_within_the_limit(sent, said):
    done = subprocess.run([sys.executable, "-c", READ], input=sent, capture_output=True, check=True)
    assert done.stdout.decode().startswith(said)


def test_a_closed_standard_input():
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" <&-', sys.executable, READ], capture_output=True, check=True)
    assert done.stdout.decode().startswith("<stdin>: cannot be read: ")


def test_standard_input_that_is_a_folder(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        done = subprocess.run([sys.executable, "-c", READ], stdin=folder, capture_output=True, check=False)
    finally:
        os.close(folder)
    # Python itself refuses to start with it.
    assert b"Traceback" not in done.stdout
    assert done.returncode != 0 or done.stdout.startswith(b"<stdin>: cannot be read: ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"])
def test_other_encodings_of_unicode_are_refused(tmp_path, encoding):
    (tmp_path / "wide").write_bytes("a: 1\n".encode(encoding))
    with pytest.raises(InputError) as caught:
        parse(read_text(tmp_path / "wide"), "wide")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) in ((1, 1), (1, 2))
    assert "UTF-16" in problem.message


def test_a_byte_order_mark_is_taken_and_moves_no_column(tmp_path):
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfa: *x")
    assert problems(read_text(tmp_path / "bom")) == [
        "a.yaml:1:4: aliases (*x) are not supported; write the value itself"
    ]
    assert problems("\ufeffa: *x") == ["a.yaml:1:4: aliases (*x) are not supported; write the value itself"]


def test_the_first_byte_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "latin").write_bytes("a: 1\r\nä: ".encode() + b"caf\xe9")
    assert unreadable(tmp_path / "latin").endswith(
        "/latin:2:7: the byte 0xe9 is not UTF-8; save the file as UTF-8 text"
    )


def test_binary_is_refused(tmp_path):
    (tmp_path / "elf").write_bytes(b"\x7fELF\x02\x01\x01\x00\xff\xff")
    assert ":1:9: the byte 0xff is not UTF-8" in unreadable(tmp_path / "elf")


# --- what is refused --------------------------------------------------------------------------------------------------

BEGINS = "put a text that begins with it in quotes"
MAPPING = "(while parsing a block mapping that starts in line 1)"
QUOTE_IT = 'if a text contains ": ", put it in quotes'
IN_QUOTES = "(while scanning a quoted scalar that starts in line 1)"
TAB = "this line is indented with a tab; YAML allows only spaces there"


@BOTH
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the file is empty"),
        ("\n# a comment\n", "1:1: the file is empty"),
        ("---\n", "1:1: the file is empty"),
        ("a: 1\0", r"1:5: the character \x00 is not allowed in a YAML file (is this UTF-16 or a binary file?)"),
        ("é: 1\nb: \x1b[2J", r"2:4: the character \x1b is not allowed in a YAML file"),
        ("a: 1\r\nb\x85", r"2:2: the character \x85 is not allowed in a YAML file"),
        ("a: \u2028", r"1:4: the character \u2028 is not allowed in a YAML file"),
        ("a: \ud800", r"1:4: the character \ud800 is not allowed in a YAML file"),
        ("a:\n\tb: 1", f"2:1: {TAB}"),
        ("a:\n  b: 1\n\tc: 2", f"3:1: {TAB}"),
        ("a:\n  - b\n \t- c", f"3:2: {TAB}"),
        ("a: b\n\t- c", f"2:1: {TAB}"),
        ("a: {b: 1,\n\tc: 2}", f"2:1: {TAB}"),
        ("a: &x 1", "1:4: anchors (&x) are not supported; remove it"),
        ("&x\na: 1", "1:1: anchors (&x) are not supported; remove it"),
        ("a: *x", "1:4: aliases (*x) are not supported; write the value itself"),
        ("<<: {a: 1}", "1:1: merge keys (<<) are not supported; write the values themselves"),
        (
            "a: !!python/object/apply:os.system [id]",
            "1:4: the tag !!python/object/apply:os.system is not supported; remove it",
        ),
        ("a: !local x", "1:4: the tag !local is not supported; remove it"),
        ("a: !!binary aGk=", "1:4: the tag !!binary is not supported; remove it"),
        ("!!set {a}", "1:1: the tag !!set is not supported; remove it"),
        ("a: !!int x", '1:4: "x" does not match its tag; remove the tag'),
        ("a: !!int true", '1:4: "true" does not match its tag; remove the tag'),
        ("a: 1\n--- \nb: 1", "2:1: a second YAML document starts here; a file may contain only one"),
        ("a: 1\nb: 2\na: 3", '3:1: the key "a" is already in line 1; remove one of them'),
        ("1: a", "1:1: a key must be text; put 1 in quotes"),
        ("true: a", "1:1: a key must be text; put true in quotes"),
        ("~: a", "1:1: a key must be text; put ~ in quotes"),
        ("[a, b]: c", "1:1: a list or a mapping cannot be a key; write a word before the colon"),
        ("? {a: 1}\n: c", "1:3: a list or a mapping cannot be a key; write a word before the colon"),
    ],
)
def test_refused_with_its_place(text, said, pure):
    assert problems(text, pure=pure) == [f"a.yaml:{said}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: b: c",
            f"1:5: this is not valid YAML: mapping values are not allowed in this context; {QUOTE_IT}",
        ),
        (
            "a: @b",
            "1:4: this is not valid YAML: found character that cannot start any token; " + BEGINS,
        ),
        ("x: 1\na: [1", "2:6: this is not valid YAML: did not find expected ',' or ']'"),
        ("x: 1\na: [1\n", "2:6: this is not valid YAML: did not find expected ',' or ']'"),
        (
            'a: "b\nc: d\n',
            f"2:5: this is not valid YAML: found unexpected end of stream {IN_QUOTES}",
        ),
        (
            "a:\n  b: 1\n c: 1",
            "3:2: this is not valid YAML: did not find expected key " + MAPPING,
        ),
        ('a: "\\ud800"', "1:7: this is not valid YAML: found invalid Unicode character escape code"),
        ('a: "\\UFFFFFFFF"', "1:7: this is not valid YAML: found invalid Unicode character escape code"),
        ("%YAML 3.0\n---\na: 1", "1:1: this is not valid YAML: found incompatible YAML document"),
    ],
)
def test_broken_syntax_with_its_place(text, said):
    assert problems(text) == [f"a.yaml:{said}"]
    (pure,) = problems(text, pure=True)
    assert pure.startswith("a.yaml")


def test_all_problems_of_a_file_are_told_in_order():
    assert problems("a: !x 1\nb: 1\nb: 2\n3: 4") == [
        "a.yaml:1:4: the tag !x is not supported; remove it",
        'a.yaml:3:1: the key "b" is already in line 2; remove one of them',
        "a.yaml:4:1: a key must be text; put 3 in quotes",
    ]


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, " (and 1 more problem)"), (27, " (and 7 more problems)")])
def test_twenty_problems_are_told_and_the_rest_counted(count, more):
    told = problems("\n".join(f"{i}: x" for i in range(count)))
    assert len(told) == 20
    assert told[-1] == f"a.yaml:20:1: a key must be text; put 19 in quotes{more}"


def test_reading_ends_where_problems_do_not():
    assert problems("\n".join(f"{i}: x" for i in range(5000)))[-1].endswith(" (and at least 180 more problems)")


def test_a_problem_shows_its_line():
    source = Source("a", ["ok", "x\x1by" + "z" * 500])
    source.add(2, 1, "wrong")
    source.add(7, 1, "beyond")
    assert source.problems[0].source == r"x\x1by" + "z" * 114 + "..."
    assert source.problems[1].source == ""


@BOTH
def test_sixty_four_levels_are_read_and_no_more(pure):
    node = parse("[" * 64 + "]" * 64, "a", pure=pure)
    for _ in range(63):
        (node,) = node.items
    assert node.items == ()
    assert problems("[" * 65 + "]" * 65, pure=pure) == [
        "a.yaml:1:65: lists and mappings are nested more than 64 levels deep; is a closing bracket missing?"
    ]
    assert problems("a: " + "{b: " * 70, pure=pure) == [
        "a.yaml:1:256: lists and mappings are nested more than 64 levels deep; is a closing bracket missing?"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 60_000,
        "- " * 100_000,
        "? " * 100_000,
        "? [" * 80_000,
        "\n".join(" " * i + "a:" for i in range(700)),
    ],
    ids=["flow", "mappings", "dashes", "keys", "mixed", "indentation"],
)
def test_a_hundred_thousand_levels_end_neither_the_process_nor_the_patience(text):
    started = time.monotonic()
    (problem,) = problems(text)
    assert problem.endswith("lists and mappings are nested more than 64 levels deep; is a closing bracket missing?")
    assert time.monotonic() - started < 5


def test_a_bomb_of_aliases_does_not_go_off():
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))
    assert problems(text) == ["a.yaml:1:5: anchors (&a0) are not supported; remove it"]


# --- what is taken ----------------------------------------------------------------------------------------------------


@BOTH
def test_a_document_as_nodes_with_places(pure):
    node = parse('😀: [a, "yes", no]\nb:\n- {c: 1.5}\n-\n', "a", pure=pure)
    assert isinstance(node, Map)
    assert node.keys == {"😀": (1, 1), "b": (2, 1)}
    first, second = node.items.values()
    assert first == Seq(
        (
            Scalar("a", 1, 5, "a", plain=True),
            Scalar("yes", 1, 8, "yes", plain=False),
            Scalar("no", 1, 15, "no", plain=True, odd="true or false"),
        ),
        1,
        4,
    )
    assert plain(second) == [{"c": 1.5}, None]
    assert plain(node) == {"😀": ["a", "yes", "no"], "b": [{"c": 1.5}, None]}


@BOTH
def test_prose_blocks_and_quotes(pure):
    text = "a: >-\n  one\n  two\n\n  three\nb: |\n  x\ty\nc: 'it''s'\nd: \"\\x41\\n\"\ne: plain\n  goes on\n"
    assert plain(parse(text, "a", pure=pure)) == {
        "a": "one two\nthree",
        "b": "x\ty\n",
        "c": "it's",
        "d": "A\n",
        "e": "plain goes on",
    }


@BOTH
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!!str 012", "012"),
        ("!!int 5", 5),
        ("!!float 5", 5),
        ("!!bool true", True),
        ("!!null ~", None),
        ("! yes", "yes"),
        ("!!map {b: 1}", {"b": 1}),
        ("!!seq [1]", [1]),
    ],
)
def test_tags_that_say_what_is_there_anyway(written, value, pure):
    assert plain(parse(f"a: {written}", "a", pure=pure)) == {"a": value}


def test_json_is_yaml():
    assert plain(parse('{"a": [1, true, null, "x\\u00e9"]}', "a")) == {"a": [1, True, None, "xé"]}


def test_line_ends_of_every_system_count_alike():
    for end in ("\n", "\r\n", "\r"):
        assert problems(f"a: 1{end}b: 2{end}c: *x") == [
            "a.yaml:3:4: aliases (*x) are not supported; write the value itself"
        ]


def test_places_by_path():
    node = parse("a:\n  - b: 1\n    c: [x, y]\n", "a")
    assert find(node, ()) == (1, 1)
    assert find(node, ("a", 0, "c", 1)) == (3, 12)
    assert find(node, ("a", 0, "c"), key=True) == (3, 5)
    assert find(node, ("a", 0, "c")) == (3, 8)
    assert find(node, ("a", 0, "missing")) == (2, 5)
    assert find(node, ("a", "list[str]", 0, "b")) == (2, 8)
    assert find(node, ("a", 7, "b")) == (2, 3)


@pytest.mark.grid
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_shipped_file_is_the_same_with_and_without_libyaml(file):
    text = read_text(file, 2_000_000)
    assert parse(text, file.name) == parse(text, file.name, pure=True)


# --- scalars ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("1e308", 1e308),
        ("1e999", math.inf),
        ("9" * 5000, math.inf),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("-0", 0),
        *(
            (word, word)
            for word in (
                "yes",
                "No",
                "on",
                "OFF",
                "y",
                "nULL",
                "tRUE",
                "012",
                "0x1f",
                "0o7",
                "1_000",
                "1:30",
                "2026-11-24",
                ".",
                "-",
                "+",
                "e3",
                "1e",
                "1.2.3",
                "--1",
                "1 2",
                "5s",
                "inf",
                "nan",
                "..",
                "٣",
            )
        ),
    ],
)
def test_plain_scalars_have_their_value_of_yaml_1_2(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_nan_is_a_number():
    assert math.isnan(resolve(".NaN"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("yes", "true or false"),
        ("Off", "true or false"),
        ("n", "true or false"),
        ("1:30", "a number in base 60"),
        ("-190:20:30", "a number in base 60"),
        ("012", "an octal number or one without its leading zeros"),
        ("08.5", "an octal number or one without its leading zeros"),
        ("0x1F", "a number that is not decimal"),
        ("0b11", "a number that is not decimal"),
        ("1_000", "a number without the _"),
        ("1_0.5", "a number without the _"),
        ("2026-11-24", "a date"),
        ("2026-11-24 10:00:00", "a date"),
        ("2026-11-24T10:00:00.5Z", "a date"),
        ("=", "a special key"),
        *(
            (text, "")
            for text in (
                "",
                "a",
                "true",
                "12",
                "1.5",
                "1e3",
                "yes!",
                "1.2.3",
                "_",
                "._",
                "2026-11-24 release",
                "none",
                "+",
            )
        ),
    ],
)
def test_what_yaml_1_1_would_make_of_a_word_is_known(text, what):
    assert odd(text) == what


@pytest.mark.long
@given(st.text("0123456789+-.:_xobeEnfyaTZ ", min_size=1, max_size=12) | st.text(max_size=6))
@example("1_0:30.5")
@settings(max_examples=2000)
def test_a_reader_of_yaml_1_1_agrees_with_every_scalar_that_is_not_odd(text):
    """PyYAML is that reader. What it leaves a text may be our number (1e3), never the other way round."""
    try:
        node = parse(f"k: {text}", "a")
        theirs = yaml.safe_load(f"k: {text}")["k"]
    except (InputError, yaml.YAMLError, ValueError, AttributeError):
        return
    ours = node.items["k"]
    if not isinstance(ours, Scalar) or not ours.plain or ours.odd:
        return
    if isinstance(ours.value, float) and isinstance(theirs, str):
        return
    assert not isinstance(theirs, date)
    assert str(theirs) == str(ours.value)


# --- anything at all --------------------------------------------------------------------------------------------------

YAMLISH = st.text(st.sampled_from("ab1: -\n[]{}#&*!|>'\"%@`?,\t\\~<=.\r\ufeff\u202e\x00é😀"), max_size=80)


@pytest.mark.long
@given(YAMLISH | st.text(st.characters(codec=None)), st.booleans())
@settings(max_examples=1500)
def test_any_text_is_read_or_refused(text, pure):
    found = outcome(text, pure=pure)
    assert all(p.message.isprintable() and p.source.isprintable() for p in found)
    assert len(found) <= 20
    lines = len(re.split("\r\n|\r|\n", text))
    assert all(0 <= p.line <= lines for p in found)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        outcome(read_text(path))


@pytest.mark.grid
@pytest.mark.parametrize(
    "piece",
    [
        "a: 1\n",
        "- x\n",
        "{a: [b, c]}, ",
        "1: x\n",
        "a\n\tb\n",
        "'",
        '"\\x41',
        "? a\n",
        "- - - -\n",
        "[a, ",
        "x ",
        "#\n",
        "a: !x y\n",
        "\t",
        "!",
        "&a ",
        "|\n",
        "- |\n  x\n",
    ],
)
def test_a_full_file_of_anything_is_done_in_time(piece):
    text = (piece * 256_000)[:256_000]
    for candidate in (text, "a: [" + text, 'a: "' + text):
        started = time.monotonic()
        outcome(candidate)
        assert time.monotonic() - started < 10


def test_the_yaml_library_is_loaded_only_when_something_is_parsed():
    code = "import sys, advisor.yamlio.nodes\nassert 'yaml' not in sys.modules and 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
