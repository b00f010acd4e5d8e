"""The options of a kit as data: what one lacks is a finding and no kit; a new server or proxy brings its own words."""

from __future__ import annotations

import json
import re
import shutil
import threading
from typing import get_type_hints

import httpx
import pytest
import yaml
from support.hand_made_kits import context
from support.kit_lab import TEMPLATES, Lab, Started, until
from support.shipped import shipped

from advisor import cli
from advisor.base.errors import RuleBaseError
from advisor.engine import portfolio
from advisor.kit import build, manifest, option_schema, render
from advisor.kit.context import Context
from advisor.kit.template_check import problems, unserved
from advisor.model.project import Feature, Project
from advisor.model.values import Other
from advisor.report.rules_text import proof_lines
from advisor.ruleset.prove import Proof

FEATURE = {"bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "clients": ("browser",), "auth": "none"}
FIELDS = {
    f"{layer}/{name}": option_schema.required(option_schema.model_of(layer))
    for layer, name in (("server", "python"), ("edge", "caddy"))
}


@pytest.fixture
def templates(tmp_path):
    """A copy of the shipped templates that a test may change."""
    return shutil.copytree(TEMPLATES, tmp_path / "templates", ignore=shutil.ignore_patterns("__pycache__"))


def checked(templates):
    """The findings of `advisor rules check` over these templates, without proving the rules again each time."""
    wrong = problems(templates) or unserved(templates, shipped())
    return [*proof_lines(shipped(), Proof((), ()), wrong)][:-1]


def names(source, target):
    return render.variables(render.environment(target).parse(source))


def change(path, edit):
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def made(base, templates, **facts):
    project = Project("Acme", {}, {}, (Feature("order status", FEATURE | facts),))
    return build.build(project, portfolio.recommend(project, base), base, templates)


# --- what a template may name -----------------------------------------------------------------------------------------


def options():
    return [option for found in manifest.load(TEMPLATES).values() for option in found]


def test_the_shipped_templates_have_no_finding():
    assert checked(TEMPLATES) == []


@pytest.mark.long
def test_the_command_prints_the_findings_and_ends_with_1(templates, capsys):
    assert cli.main(["rules", "check", "--templates", str(templates)]) == 0
    assert ", 0 waived" in capsys.readouterr().out
    change(templates / "edge/caddy/manifest.yaml", lambda data: data.pop("title"))
    assert cli.main(["rules", "check", "--templates", str(templates)]) == 1
    *findings, total = capsys.readouterr().out.splitlines()
    assert findings == checked(templates)
    assert f"{len(findings)} findings" in total


def test_every_name_of_the_list_is_given_and_used_by_a_template_and_explained():
    used = set()
    for option in options():
        for file in manifest.templates_of(option):
            used |= names(file.source.read_text(encoding="utf-8"), file.target) - file.extra.keys()
        for text in option.says.fragments():
            used |= names(text, "markdown")
    listed = get_type_hints(Context, include_extras=True)
    assert used == listed.keys()
    assert context()[0].keys() == listed.keys()  # with nginx: the names of Versions too
    for name, kind in listed.items():
        (text,) = kind.__metadata__
        assert len(text) > 10, name
        unit = {"_s": "second", "_ms": "ms", "_bytes": "byte", "_port": "TCP|of the"}
        for end, word in unit.items():
            assert not name.endswith(end) or re.search(word, text), name


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("docs/publish.md.j2", "{{ heartbeats_s }}", "no template may name heartbeats_s; did you mean heartbeat_s?"),
        ("server/python/Dockerfile.j2", "# {{ server.lang }}", "server has no lang"),
        ("edge/caddy/Caddyfile.j2", "{% if %}", "Expected an expression"),
    ],
)
def test_a_template_that_names_what_nobody_gives_it_is_a_finding_with_its_line(templates, file, line, said):
    path = templates / file
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    (finding,) = checked(templates)
    assert finding.startswith(
        f"templates/{file}:{len(path.read_text(encoding='utf-8').splitlines())}:1: TEMPLATE: {said}"
    )


@pytest.mark.long
def test_a_text_of_a_manifest_that_names_what_nobody_gives_it_is_a_finding(templates):
    change(templates / "edge/caddy/manifest.yaml", lambda data: data["readme"].update(check="`caddy {{ prot }}`"))
    (finding,) = checked(templates)
    assert "templates/edge/caddy/manifest.yaml" in finding
    assert "may name prot" in finding


# --- what an option must say ------------------------------------------------------------------------------------------


@pytest.mark.long
def test_an_empty_server_folder_is_a_finding_that_names_what_is_missing(templates, base):
    (templates / "server/node").mkdir()
    (finding,) = checked(templates)
    assert finding.startswith("templates/server/node/manifest.yaml:1:1: TEMPLATE: is missing")
    assert {"start", "image", "unit", "readme"} <= set(re.findall(r"[\w-]+", finding))
    with pytest.raises(RuleBaseError, match=r"server/node/manifest\.yaml: is missing") as caught:
        made(base, templates)
    assert caught.value.exit == 1


@pytest.mark.long
def test_a_server_that_only_has_files_is_a_finding_for_everything_else(templates, base):
    folder = templates / "server/node"
    folder.mkdir()
    (folder / "server.js").touch()
    (folder / "manifest.yaml").write_text(
        "title: Node\nanswers: {server-stack: [node]}\nfiles: [{copy: server.js}]\n", encoding="utf-8"
    )
    findings = checked(templates)
    missing = {re.search(r"TEMPLATE: (\S+): is missing", finding)[1] for finding in findings}
    assert missing == set(option_schema.required(option_schema.ServerManifest)) - {"title", "files"}
    assert all(finding.startswith("templates/server/node/manifest.yaml:1:1: ") for finding in findings)
    with pytest.raises(RuleBaseError, match="start: is missing"):
        made(base, templates, **{"server-stack": "node"})


@pytest.mark.long
@pytest.mark.parametrize(("option", "key"), [(option, key) for option, keys in FIELDS.items() for key in keys])
def test_each_key_that_an_option_must_have_is_missed(templates, option, key):
    change(templates / option / "manifest.yaml", lambda data: data.pop(key))
    findings = checked(templates)
    assert [f"templates/{option}/manifest.yaml:1:1: TEMPLATE: {key}: is missing"] == [
        finding.partition(" [")[0] for finding in findings
    ]


@pytest.mark.long
@pytest.mark.parametrize("option", FIELDS)
def test_each_word_of_the_readme_that_an_option_must_have_is_missed(templates, option):
    model = {"server": option_schema.ServerReadme, "edge": option_schema.EdgeReadme}[option.partition("/")[0]]
    change(templates / option / "manifest.yaml", lambda data: data.update(readme={}))
    findings = checked(templates)
    assert {re.search(r"TEMPLATE: readme\.(\S+): is missing", finding)[1] for finding in findings} == set(
        option_schema.required(model)
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda data: data["image"].update(template="Nofile"), "there is no file Nofile in python/"),
        (lambda data: data["image"].update(command=["python", "a b"]), "image.command.1: 'a b' is not a plain word"),
        (lambda data: data["unit"].update(exec=["$HOME/x"]), "unit.exec.0: '$HOME/x' is not a plain word"),
        (lambda data: data["start"].update(command=["{program}"]), "go together"),
        (lambda data: data["start"].update(prepare=[["npm", "ci"]]), "`prepare` and `prepared-from` go together"),
        (lambda data: data["files"].append({"copy": "*.rb"}), "nothing matches *.rb"),
        (lambda data: data["files"].append({"template": "x.j2", "to": "x", "target": "json"}), "there is no file x.j2"),
        (lambda data: data["files"].append({"template": "x.j2", "to": "x"}), "a template needs `to`, and a `target`"),
        (lambda data: data.update(titel="x"), "titel: is not a known key here; did you mean title?"),
    ],
)
def test_what_cannot_work_is_a_finding(templates, edit, said):
    change(templates / "server/python/manifest.yaml", edit)
    findings = checked(templates)
    assert any(said in finding for finding in findings), findings
    assert all(re.match(r"templates/server/python/manifest\.yaml:\d+:\d+: ", finding) for finding in findings)


# --- a second server --------------------------------------------------------------------------------------------------

TINY = """
const fs = require("fs"), http = require("http");
const words = process.argv, option = (name, or) => words.includes(name) ? words[words.indexOf(name) + 1] : or;
const settings = JSON.parse(fs.readFileSync("settings.json"));
if (!fs.existsSync("var/token")) fs.writeFileSync("var/token", "secret", {mode: 0o600});
const streams = new Set();
let n = 0;
const server = http.createServer((request, response) => {
  const path = request.url.split("?")[0];
  const json = (status, body) => response.writeHead(status).end(JSON.stringify(body));
  if (path === "/healthz") return json(200, {status: "ok", streams: streams.size});
  if (path === "/config") return json(200, {project: settings.project, prepared: fs.readFileSync("var/once", "utf8")});
  if (path === "/events") {
    response.writeHead(200, {"Content-Type": "text/event-stream"}).write("event: hello\\ndata: {}\\n\\n");
    return streams.add(response);
  }
  if (path === "/publish" && request.headers.authorization === "Bearer secret") {
    let body = "";
    request.on("data", (part) => body += part).on("end", () => {
      const {type, data} = JSON.parse(body), id = `tiny-${++n}`;
      for (const to of streams) to.write(`id: ${id}\\nevent: ${type}\\ndata: ${JSON.stringify({at: 0, data})}\\n\\n`);
      json(201, {id});
    });
    return;
  }
  json(404, {error: "no such path"});
});
server.listen(Number(option("--port", "8081")), option("--host", "127.0.0.1"));
process.on("SIGTERM", () => process.exit(0));
"""
SECOND = """
title: tiny event server
answers: {server-stack: [node]}
language: JavaScript
log: memory
memory-kb: {websocket: 5, other: 4}
start:
  command: ["{program}", server/main.js]
  programs: [node]
  install: Install Node (nodejs.org)
  prepare: [[node, server/once.js]]
  prepared-from: [server/once.js]
image: {template: Dockerfile.j2, command: [node, server/main.js], health: [node, -e, "fetch('http://127.0.0.1:{port}/healthz')"]}
unit: {exec: [/usr/bin/node, server/main.js], copy: [], install: ["node /opt/{{ slug }}/server/once.js"]}
readme:
  no-nginx: install it
  needs: Python 3.11 for `start.py`, and Node 20
  log: memory
  log-file: nowhere
  rate: "`server/main.js`"
  sign-in: "`allowed` in `server/main.js`"
  sender: "`who` in `server/main.js`"
  accepts: "`server/main.js`"
  narrow: "`server/main.js`"
  polling: ""
files:
  - {copy: "server/*", to: server/}
  - {template: ../python/settings.json.j2, to: settings.json, target: json}
"""
PYTHON = re.compile(r"\bpip\b|venv|-m server|uvicorn|viewer_allowed|\.py\b|[Pp]ython")


@pytest.fixture
def second(templates):
    """The templates with a server in another language, for teams whose stack is Node."""
    folder = templates / "server/node"
    (folder / "server").mkdir(parents=True)
    (folder / "server/main.js").write_text(TINY, encoding="utf-8")
    once = 'require("fs").appendFileSync("var/once", "x");\n'
    (folder / "server/once.js").write_text(once, encoding="utf-8")
    (folder / "Dockerfile.j2").write_text(
        "# Not run by the kit's tests.\nFROM node:24-slim\nWORKDIR /kit\nCOPY settings.json .\nCOPY server server\n"
        "USER 10001:10001\nCMD {{ server.image }}\n",
        encoding="utf-8",
    )
    (folder / "manifest.yaml").write_text(SECOND, encoding="utf-8")
    return templates


@pytest.mark.long
def test_a_second_server_has_no_finding_and_only_its_own_teams_get_it(second, base):
    assert checked(second) == []
    assert "server/main.js" in made(base, second, **{"server-stack": "node"}).files
    for stack in ("python", "go"):
        files = made(base, second, **{"server-stack": stack}).files
        assert ("server/app.py" in files, "server/main.js" in files) == (True, False)


@pytest.mark.grid
@pytest.mark.parametrize("instances", [1, 3])
def test_the_files_of_a_second_server_name_its_own_commands(second, base, instances):
    facts = {"server-stack": "node", "instances": instances}
    files = {name: content.decode() for name, content in made(base, second, **facts).files.items()}
    assert json.loads(files["server.json"])["command"] == ["{program}", "server/main.js"]
    assert 'CMD ["node", "server/main.js"]' in files["deploy/Dockerfile"]
    (unit,) = [text for name, text in files.items() if "realtime-server" in name]
    assert f"ExecStart=/usr/bin/node server/main.js{' --port %i' if instances > 1 else ''}\n" in unit
    servers = [s for name, s in yaml.safe_load(files["compose.yaml"])["services"].items() if name.startswith("server")]
    assert len(servers) == instances
    for port, server in zip(range(8081, 8084), servers, strict=False):
        assert server["healthcheck"]["test"] == ["CMD", "node", "-e", f"fetch('http://127.0.0.1:{port}/healthz')"]
        assert server.get("command", ["--port", str(port)])[-2:] == ["--port", str(port)]
        assert server.get("command", ["node", "server/main.js"])[:2] == ["node", "server/main.js"]
    readme = files["README.md"]
    assert "in JavaScript, beside your back end" in readme
    assert "It needs Linux or macOS (on Windows: WSL) and Python 3.11 for `start.py`, and Node 20." in readme
    assert "    node /opt/acme/server/once.js\n" in readme
    assert "cp -r server client nginx settings.json /opt/acme/" in readme
    elsewhere = [line for line in readme.splitlines() if PYTHON.search(line)]
    assert [line for line in elsewhere if "start.py" not in line and "programs.py" not in line] == []
    in_cluster = made(base, second, platform="kubernetes", **facts).files["deploy/kubernetes/server.yaml"].decode()
    assert "exec node server/main.js --host 0.0.0.0 --port 8081" in in_cluster
    assert "Measured: 4 kB a stream" in in_cluster
    on_heroku = made(base, second, platform="heroku", **facts).files["README.md"].decode()
    assert "exec node server/main.js --host 0.0.0.0 --port" in on_heroku
    assert "the event server is a process of its own in" not in readme  # their language: no note that they need none


@pytest.mark.long
@pytest.mark.lab
def test_the_kit_of_a_second_server_starts_and_answers_through_its_proxy(second, base, tmp_path, nginx):
    if not shutil.which("node"):
        pytest.skip("no node here")
    folder = tmp_path / "kit"
    for name, content in made(base, second, **{"server-stack": "node"}).files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/nginx").symlink_to(nginx)
    (tmp_path / "tools/node").symlink_to(shutil.which("node"))
    kit = Lab(folder, json.loads((folder / "settings.json").read_text(encoding="utf-8")))
    seen, path = [], f"{tmp_path}/tools:/usr/bin:/bin"
    for prepared in ("x", "x"):  # the second start does not prepare again
        run = Started(kit, path=path)
        try:
            run.ready()
            url = f"http://127.0.0.1:{kit.edge}"
            config = kit.http.get(f"{url}/config")
            assert (config.status_code, config.json()) == (200, {"project": "Acme", "prepared": prepared})
            assert kit.http.get(f"{url}/").status_code == 200

            def listen(url=url):
                with httpx.stream("GET", f"{url}/events", timeout=20) as answer:
                    for line in answer.iter_lines():
                        seen.append(line)
                        if line.startswith('data: {"at"'):
                            return

            seen.clear()
            listener = threading.Thread(target=listen)
            listener.start()
            until(lambda: "event: hello" in seen, "the stream greets")
            event = {"type": "order-status", "data": {"n": 1}}
            bearer = {"authorization": f"Bearer {kit.token}"}
            assert kit.http.post(f"{url}/publish", json=event, headers=bearer).status_code == 201
            listener.join(20)
            assert 'data: {"at":0,"data":{"n":1}}' in seen
            run.process.terminate()
            assert run.process.wait(30) == 0
        finally:
            run.end()
    kit.http.close()


# --- a new proxy ------------------------------------------------------------------------------------------------------

OTHERS = re.compile(r"nginx(?!-version)|HAProxy|haproxy|Caddy|caddy|Traefik|Envoy|Apache|Varnish|varnish")


@pytest.fixture
def copied(templates):
    """The templates with a proxy `mine`: Caddy's folder under another name and title, without its words."""
    shutil.copytree(templates / "edge/caddy", templates / "edge/mine")
    path = templates / "edge/mine/manifest.yaml"

    def edit(data):
        data.update(title="Mine", answers={"reverse-proxy": []}, otherwise="Mine stands in")
        for key in ("tls", "limits-addresses", "readme"):
            data.pop(key, None)
        for file in data["files"]:
            file["to"] = file.get("to", "").replace("caddy/", "mine/")

    change(path, edit)
    change(templates / "edge/none/manifest.yaml", lambda data: data.pop("otherwise"))
    return path


@pytest.mark.long
def test_a_proxy_without_words_of_its_own_is_a_finding(copied):
    findings = checked(copied.parents[2])
    missing = {re.search(r"edge/mine/manifest.yaml:1:1: TEMPLATE: (\S+): is missing", found)[1] for found in findings}
    assert missing == {"tls", "limits-addresses", "readme"}


def test_an_answer_that_no_question_has_is_a_finding(second):
    change(second / "server/node/manifest.yaml", lambda data: data.update(answers={"server-stack": ["nodejs", "lua"]}))
    found = checked(second)
    assert [said.partition(": TEMPLATE: ")[2].partition(" [")[0] for said in found] == [
        "answers: lua is no answer of server-stack; add it to rules/questions.yaml",
        "answers: nodejs is no answer of server-stack; add it to rules/questions.yaml; did you mean node?",
    ]
    change(second / "server/node/manifest.yaml", lambda data: data.update(answers={"server-stak": ["node"]}))
    (said,) = checked(second)
    assert "answers: there is no question server-stak; did you mean server-stack?" in said


def test_a_server_in_a_language_without_an_example_of_publishing_is_a_finding(second):
    shutil.rmtree(second / "publish/node")
    (said,) = checked(second)
    assert "server/node/manifest.yaml:1:1: TEMPLATE: templates/publish/ has no example of publishing" in said


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("platform", ["vm", "kubernetes"])
def test_the_readme_of_a_new_proxy_has_its_own_words_and_no_other_proxys(copied, base, tls, platform):
    words = {
        "first-step": "Give Mine a certificate.", "waits-for": "", "check": "`mine check` checks the syntax.",
        "tested": "Nobody has tested Mine 9.9.",
    }  # fmt: skip
    more = {"tls": tls, "limits-addresses": False, "readme": words}
    change(copied, lambda data: data.update(more))
    templates = copied.parents[2]
    assert checked(templates) == []
    files = made(base, templates, **{"reverse-proxy": Other("Squid"), "platform": platform}).files
    readme = files["README.md"].decode()
    assert "1. Give Mine a certificate. It matters" in readme
    unlimited = "The number of streams per client address is not limited."
    for text in (words["check"], words["tested"], unlimited, "and Mine (or"):
        assert text in readme
    assert ("mkdir -p mine/tls" in readme) == tls
    every = [line for line in readme.splitlines() if not line.startswith("- A client that stops")]
    assert [line for line in every if OTHERS.search(line)] == []
    if platform == "kubernetes":
        assert "deploy/kubernetes/httproute.yaml" in files  # as for every proxy but nginx
