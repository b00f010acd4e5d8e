"""Every honest answer gets its kit: other languages, proxies, platforms and clients cost what they change, no more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.hand_made_kits import TEMPLATES
from support.kit_lab import free_port, until
from support.proxy_lab import PROXIES

from advisor import cli
from advisor.base import data
from advisor.kit import manifest
from advisor.model.values import Other

FIELD = sorted(Path(__file__).parent.glob("field-cases/*.yaml"))
EXAMPLES = data.data("rules") / "examples"
STACKS = ["python", "node", "go", "java", "dotnet", "ruby", "php", "elixir", "rust", Other("COBOL")]
ABOUT = {"answers.yaml", "DECISION.md", "README.md", "advisor.lock", "docs/publish.md"}
NOT_THERE = ["aws-lambda", "azure-functions", "vercel", "netlify", "cloudflare-workers", "deno-deploy"]
LOSES = [
    "heroku", "fly", "cloud-run", "azure-app-service", "app-engine", "app-runner", "azure-container-apps",
    "digitalocean-app-platform", "ecs", "railway", "render", Other("Nomad"),
]  # fmt: skip
WITHOUT_TEMPLATE = {"f5-nginx-ingress", "iis", "kong", "nginx-gateway-fabric", "yarp"}  # proxies with a card only


def written(tmp_path, capsys, answers):
    """(exit code, files, messages) of `recommend --kit`."""
    code = cli.main(["recommend", "--answers", str(answers), "--kit", str(tmp_path / "kit")])
    files = [p.relative_to(tmp_path / "kit").as_posix() for p in (tmp_path / "kit").rglob("*") if p.is_file()]
    return code, files, capsys.readouterr().err


@pytest.mark.grid
@pytest.mark.parametrize("path", FIELD, ids=[path.stem for path in FIELD])
def test_the_answers_of_real_teams_give_files(path, tmp_path, capsys):
    """Answers that follow from public threads about incidents. gRPC-Web has no kit, and the exit code says so."""
    code, files, said = written(tmp_path, capsys, path)
    if path.stem == "K28":
        assert (code, files) == (1, [])
        assert "no template for gRPC-Web server streaming yet; nothing is written for it" in said
        return
    assert code == 0
    assert {"start.py", "settings.json", "server/app.py", "client/stream.js", "docs/publish.md", "README.md"} <= {
        *files
    }
    assert any(name.startswith("publish/") for name in files)
    assert any(name.startswith("deploy/") for name in files)


def test_there_are_field_cases():
    assert len(FIELD) == 17


@pytest.mark.grid
@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize("platform", ["vm", "kubernetes"])
def test_the_language_of_the_back_end_changes_nothing_but_how_it_publishes(build, stack, platform):
    facts = {"platform": platform, "cdn": "cloudflare", "load_balancer": "aws-alb"}
    plain, made = build(**facts), build(server_stack=stack, **facts)

    def but_how_it_publishes(files):
        return {name: text for name, text in files.items() if name not in ABOUT and not name.startswith("publish/")}

    assert but_how_it_publishes(made.files) == but_how_it_publishes(plain.files)
    own = {name for name in made.files if name.startswith("publish/")}
    assert own
    assert (own == {"publish/publish.py"}) == (stack == "python")
    readme = made.files["README.md"].decode()
    assert "a separate process, in Python, beside your back end" in readme
    assert all(f"`{name}`" in readme for name in own)
    said = " ".join(made.notes)
    assert ("a process of its own in Python; your back end needs no Python" in said) == (stack != "python")


def test_features_in_different_languages_share_a_kit_with_an_example_for_each(build):
    made = build("Acme", "one", ("two", {"server-stack": "node"}), ("three", {"server-stack": "go"}))
    assert len(json.loads(made.files["settings.json"])["features"]) == 3
    examples = {name for name in made.files if name.startswith("publish/")}
    assert examples == {"publish/publish.py", "publish/publish.mjs", "publish/publish.go"}


@pytest.mark.grid
@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_exit_code_says_whether_files_were_needed_and_none_was_written(example, tmp_path, capsys):
    code, files, said = written(tmp_path, capsys, example)
    if example.stem == "profile-settings":
        assert (code, files) == (0, [])
        assert "needs no files; there is nothing to write for it" in said
    else:
        assert code == (0 if files else 1)
        assert bool(files) == ("nothing is written for it" not in said) or "kit written" in said


def test_without_kit_the_exit_code_is_that_of_the_verdict(capsys):
    assert cli.main(["recommend", "--answers", str(EXAMPLES / "payment-webhook.yaml")]) == 0
    assert cli.main(["recommend", "--answers", str(EXAMPLES / "payment-webhook.yaml"), "--format", "html"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("platform", NOT_THERE)
def test_where_the_event_server_cannot_run_the_kit_says_so(build, platform, base):
    made = build(platform=platform)
    title = base.questions["platform"].options[platform]
    assert f"the event server cannot run on {title}" in " ".join(made.notes)
    assert f"a machine or a container (a VM, a container service) beside {title}" in made.files["README.md"].decode()
    assert {"compose.yaml", "deploy/systemd/realtime-server.service"} <= made.files.keys()


def test_a_managed_push_service_is_told_that_the_kit_is_in_its_place(build):
    said = " ".join(build(platform="managed-push").notes)
    assert "holds the connections itself" in said
    assert "cannot run in the service" in said


@pytest.mark.grid
@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("platform", LOSES, ids=str)
def test_where_the_disk_is_lost_the_kit_has_a_container_and_says_how_to_keep_the_log(build, platform, instances, base):
    made = build(platform=platform, instances=instances)
    readme = made.files["README.md"].decode()
    title = platform.text if isinstance(platform, Other) else base.questions["platform"].options[platform]
    assert [name for name in made.files if name.startswith("deploy/") or name == "compose.yaml"] == [
        "deploy/Dockerfile"
    ]
    assert "disk" in " ".join(made.notes)
    assert f"## On {title}" in readme.replace("\\", "")
    assert ("A network share does not work for SQLite" in readme) == (instances == 1)
    assert ("Name the Redis in `REDIS_URL`" in readme) == (instances == 2)
    assert "systemd" not in readme


def test_a_layer_without_a_template_costs_that_layer_and_says_what_it_has_to_do(build):
    made = build(reverse_proxy=Other("H2O"), cdn=Other("Our own"), service_mesh=Other("Kuma"), load_balancer="aws-alb")
    readme = made.files["README.md"].decode()
    assert "## What you have to set yourself" in readme
    assert "no template yet for H2O, Our own, Kuma." in readme
    assert "`/events`, `/poll`" in readme
    assert "between/aws-alb.tf" in made.files
    assert not [name for name in made.files if name.split("/")[0] in {"nginx", *PROXIES}]
    assert "What you have to set yourself" not in build().files["README.md"].decode()


@pytest.mark.grid
@pytest.mark.parametrize("clients", [("cli", "server"), ("ios",), (Other("till"),)])
@pytest.mark.parametrize("two_way", [True, False])
@pytest.mark.parametrize("auth", ["none", "cookie", "bearer-header"])
def test_clients_that_are_no_browsers_get_the_protocol(build, clients, two_way, auth):
    made = build(clients=clients, bidirectional_realtime=two_way, auth=auth)
    readme = made.files["README.md"].decode()
    assert "## A client of your own" in readme
    assert ("/ws?cursor=CURSOR" in readme) == two_way
    assert "client/stream.js" in made.files
    assert "A client of your own" not in build().files["README.md"].decode()


@pytest.mark.parametrize("broker", ["kafka", "nats", "rabbitmq", "mqtt", Other("Pulsar")])
def test_another_broker_costs_no_file(build, broker):
    assert build(broker=broker).files.keys() == build().files.keys()
    assert build(broker=broker, instances=2).files.keys() == build(instances=2).files.keys()


def test_every_layer_has_an_option_for_every_answer(base):
    layers = manifest.load(TEMPLATES)
    for kit in (kit for kit in manifest.kits(TEMPLATES).values() if kit["layers"]):
        for layer in (*kit["layers"], *kit["examples"]):
            fact = next((option.fact for option in layers[layer] if option.fact), "")
            listed = base.questions[fact].options if fact else []
            for answer in (None, Other("something"), *listed):
                option, stands_in = manifest.pick(layers[layer], {fact: answer} if answer else {})
                assert option.layer == layer
                alone = isinstance(answer, Other) or answer in WITHOUT_TEMPLATE
                assert stands_in == (alone and bool(option.fact)), (layer, answer)


@pytest.mark.lab
def test_a_platforms_start_command_takes_port_and_secrets_from_environment(build, tmp_path):
    files = build(platform="heroku").files
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    command = re.search(r"^      (sh -c '.*')$", files["README.md"].decode(), re.MULTILINE)[1]
    port = free_port()
    secrets = {"PORT": str(port), "PUBLISH_TOKEN": "p" * 43, "VIEWER_KEY": "v" * 43}
    with (tmp_path / "out").open("wb") as out:
        run = subprocess.Popen(
            ["sh", "-c", command.replace(" python ", f" {sys.executable} ").replace("sh -c", "exec sh -c", 1)],
            cwd=tmp_path, env=os.environ | secrets, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        import httpx

        def healthy():
            try:
                return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
            except httpx.HTTPError:
                return False

        until(healthy, "the server answers")
        event = {"type": "order-status", "data": 1}
        bearer = {"authorization": f"Bearer {'p' * 43}"}
        assert httpx.post(f"http://127.0.0.1:{port}/publish", json=event, headers=bearer).status_code == 201
        assert httpx.post(f"http://127.0.0.1:{port}/session", content="v" * 43).status_code in {200, 204}
        assert (tmp_path / "var/token").stat().st_mode & 0o077 == 0
    finally:
        run.terminate()
        assert run.wait(15) == 0
