"""Values in templates: in every language a hostile name stays exactly one value, or is refused; none gets round."""

from __future__ import annotations

import ast
import html.parser
import json
import re
import shutil
import subprocess

import crossplane
import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import nginx_lab
from support.hostile_names import NAMES

from advisor.base.text import visible
from advisor.kit import quoting
from advisor.kit.quoting import QUOTES, Trusted, UnquotableError
from advisor.kit.render import environment, render, variables

hostile = pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def written(target, name):
    """The quoted name, or None where the language refuses it."""
    try:
        return QUOTES[target](name)
    except UnquotableError:
        return None


# --- nothing gets round the quoting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    ["{{ x }}", "{{ x | safe }}", "{{ x | upper | lower }}", "{{ x ~ '' }}", "{{ [x] | join }}", "{{ x if x else x }}",
     "{% set y = x %}{{ y }}", "{% for y in [x] %}{{ y }}{% endfor %}", "{{ x | e }}", "{{ x | string }}",
     "{{ '%s' | format(x) }}"],
)  # fmt: skip
def test_every_expression_goes_through_the_quoting_whatever_filters_made_it(template):
    out = render(template, "json", {"x": 'a"b'})
    assert json.loads(out).replace("&#34;", '"') == 'a"b'


def test_a_value_that_looks_like_a_template_is_not_one():
    assert render("{{ x }}", "yaml", {"x": "{{ 7 * 7 }}"}) == '"{{ 7 * 7 }}"'


def test_an_unknown_variable_raises():
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        render("{{ missing }}", "nginx", {})


@pytest.mark.parametrize("template", ["{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}"])
def test_a_template_cannot_load_another(template):
    with pytest.raises(TypeError, match="no loader"):
        render(template, "nginx", {})


@pytest.mark.parametrize(
    "text", ["", "a b", "a;b", "a\n", "$a", '"', "-a", ".a", "a{", "a%", "a\\", "\u00e9", "a:b", "a#b", "/a"]
)
def test_only_inert_text_can_be_trusted(text):
    with pytest.raises(ValueError, match="inert"):
        Trusted(text)


@pytest.mark.parametrize("target", QUOTES)
def test_trusted_text_and_numbers_pass_unchanged(target):
    out = render("{{ a }} {{ b }}", target, {"a": Trusted("order-status"), "b": 25})
    assert out.replace('"', "") == "order-status 25"


@pytest.mark.parametrize("target", QUOTES)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"a": object()}, b"bytes"])
def test_a_value_without_a_form_is_refused(target, value):
    with pytest.raises(UnquotableError):
        QUOTES[target](value)


def test_the_variables_of_a_template_are_known():
    tree = environment("yaml").parse("{{ a }}{% if b.c %}{% for d in e %}{{ d }}{% endfor %}{% endif %}")
    assert variables(tree) == {"a", "b", "e"}


def test_environments_are_made_once_for_each_language():
    assert environment("yaml") is environment("yaml")
    assert environment("yaml") is not environment("json")


# --- one value in, the same value out, by each language's own reader --------------------------------------------------


def nginx_reads(quoted, tmp_path):
    """What nginx makes of a token: crossplane finds the token, then nginx's own rule for backslashes."""
    path = tmp_path / "nginx.conf"
    path.write_bytes(f"events {{}} http {{ server_name {quoted}; }} # end\n".encode())
    tree = crossplane.parse(str(path), check_ctx=False, check_args=False)
    assert tree["status"] == "ok", tree["errors"]
    _, http = tree["config"][0]["parsed"]
    (directive,) = http["block"]
    (argument,) = directive["args"]
    return re.sub(r'\\(["\'\\])', r"\1", argument)


@hostile
def test_nginx(name, tmp_path):
    quoted = written("nginx", name)
    if quoted is None:
        assert "$" in name or re.search("[\x00-\x1f\x7f\ud800-\udfff]", name) or len(name.encode()) > 2000
    else:
        assert nginx_reads(quoted, tmp_path) == name


@hostile
def test_yaml(name):
    assert yaml.safe_load(f"a: {QUOTES['yaml'](name)} # c\nb: 1\n") == {"a": name, "b": 1}
    assert yaml.safe_load(f"[{QUOTES['yaml']([name, 1, True])}, x]") == [[name, 1, True], "x"]


@given(st.text(max_size=60))
def test_yaml_and_json_and_python_take_any_text(name):
    assert yaml.safe_load(QUOTES["yaml"](name)) == name
    assert json.loads(QUOTES["json"](name)) == name
    assert ast.literal_eval(QUOTES["python"](name)) == name


@hostile
def test_json_and_python(name):
    for target, read in (("json", json.loads), ("python", ast.literal_eval)):
        quoted = QUOTES[target](name)
        assert quoted.isascii()
        assert read(quoted) == name


@hostile
def test_shell_and_environment_files(name, tmp_path):
    quoted = written("shell", name)
    if quoted is not None:
        done = subprocess.run(["sh", "-c", f"printf %s {quoted}; echo :end"], capture_output=True, check=True)
        assert done.stdout.decode() == f"{name}:end\n"
    quoted = written("env", name)
    if quoted is not None:
        (tmp_path / "env").write_bytes(f"A={quoted}\nB=1\n".encode())
        script = f'. {tmp_path}/env; printf %s:%s "$A" "$B"'
        assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode() == f"{name}:1"
    assert (quoted is None) == bool(re.search("[\x00-\x1f\x7f'\\\\\ud800-\udfff]", name))


@given(ANY)
def test_systemd_words_are_one_line_of_ascii_and_come_back(name):
    quoted = written("systemd", name)
    if quoted is None:
        assert "$" in name or "\0" in name
        return
    assert re.fullmatch(r'"[ -~]*"', quoted)
    inside = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), quoted[1:-1].replace("%%", "%"))
    assert inside.encode("latin-1").decode() == name
    assert not re.search(r'(?<!\\)"', quoted[1:-1])


def plain_text(tokens):
    """The text of Markdown tokens, if they hold nothing but text."""
    texts = []
    for token in tokens:
        assert token.type in {"inline", "text", "text_special"}, token.type
        texts += [plain_text(token.children)] if token.children else [token.content] if token.type != "inline" else []
    return "".join(texts)


@hostile
def test_markdown(name):
    quoted, shown = QUOTES["markdown"](name), visible(name).strip()
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    heading = markdown.parse(f"# {quoted}\n")
    assert [t.type for t in heading] == ["heading_open", "inline", "heading_close"]
    assert plain_text(heading[1:2]) == shown
    paragraph = markdown.parse(f"{quoted}\nx\n")
    if shown:
        assert [t.type for t in paragraph] == ["paragraph_open", "inline", "paragraph_close"], quoted
    item = markdown.parse(f"- {quoted}: x\n")
    assert [t.type for t in item if t.type.endswith("_open")] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
    ]
    table = markdown.parse(f"| a | b |\n|---|---|\n| {quoted} | x |\n")
    assert [plain_text([t]) for t in table if t.type == "inline"] == ["a", "b", shown, "x"]
    assert not re.search(
        r"(?i)(https?|ftp|javascript):\S|www\.\S|(?<!\\)@\S", quoted
    )  # what GitHub would turn into links


@hostile
def test_html(name):
    quoted, shown = QUOTES["html"](name), visible(name)
    seen = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, attrs))

        def handle_data(self, data):
            seen.append(data)

    reader = Reader()
    reader.feed(f'<p title="{quoted}">{quoted}</p>')
    reader.close()
    assert seen == [("p", [("title", shown)]), *([shown] if shown else [])]


# --- free text to the end of the line ---------------------------------------------------------------------------------


@pytest.mark.grid
@hostile
@pytest.mark.parametrize("target", quoting.LINES)
def test_a_comment_is_one_short_line_that_joins_no_other(name, target):
    text = str(quoting.line(target, name))
    assert len(text.splitlines()) <= 1
    assert not text.endswith("\\")
    assert len(text.encode()) < 2000
    assert visible(text) == text


@hostile
def test_a_comment_ends_where_nginx_and_yaml_end_it(name, tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text(render("# {{ x | line }}\nevents {}\n", "nginx", {"x": name}), encoding="utf-8")
    tree = crossplane.parse(str(path), comments=True)
    assert [d["directive"] for d in tree["config"][0]["parsed"]] == ["#", "events"]
    assert yaml.safe_load(render("a: 1 # {{ x | line }}\nb: 2\n", "yaml", {"x": name})) == {"a": 1, "b": 2}


def test_a_language_without_comments_has_none():
    with pytest.raises(UnquotableError, match="json"):
        render("{{ x | line }}", "json", {"x": "a"})


def test_percent_signs_are_doubled_for_systemd_only():
    assert str(quoting.line("systemd", "100 %n")) == "100 %%n"
    assert str(quoting.line("nginx", "100 %n")) == "100 %n"


# --- names for paths --------------------------------------------------------------------------------------------------


@hostile
def test_a_slug_is_inert_or_empty(name):
    slug = quoting.slug(name)
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?", slug)
    assert not slug or Trusted(slug) == slug


# --- the real readers -------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.lab
def test_nginx_itself_answers_with_every_name_that_is_not_refused(nginx, tmp_path):
    names = [name for name in NAMES if written("nginx", name) is not None]
    assert len(names) > 60
    locations = "".join(f"location = /{i} {{ return 200 {written('nginx', name)}; }}\n" for i, name in enumerate(names))
    paths = "pid var/pid; error_log var/error.log;"
    http = "".join(f"{kind}_temp_path var/tmp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    server = f"server {{ listen 127.0.0.1:8080; {locations} }}"
    conf = f"{paths} events {{}} http {{ {http} access_log off; {server} }}"
    with nginx_lab.running(nginx, conf, tmp_path) as nginx_here:
        for i, name in enumerate(names):
            assert nginx_here.get(f"/{i}").content.decode() == name


@pytest.mark.lab
def test_systemd_reads_hostile_words_without_complaint(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")

    def complaints(words):
        unit = tmp_path / "hostile.service"
        lines = "\n".join(f"ExecStart=/bin/true {quoted}" for quoted in words)
        unit.write_text(f"[Service]\nType=oneshot\n{lines}\n", encoding="ascii")
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
        return [line for line in done.stderr.splitlines() if "hostile" in line]

    assert complaints([q for name in NAMES if len(name) < 1000 and (q := written("systemd", name)) is not None]) == []
    assert complaints(['"no end'])
