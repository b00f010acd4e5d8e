"""From answers to a kit's files: the right options and numbers, notes for what is missing, the same bytes again."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from server import settings
from support import nginx_lab, peer_clients
from support.common_answers import BEDS, CHAT, LAMPS
from support.hand_made_kits import TEMPLATES, Base, context, often, rendered
from support.hostile_names import NAMES
from support.kit_lab import Lab, Started, followed, following, nginx_version, processes_of, publish_through, until
from support.proxy_lab import PROXIES

from advisor.answers import file as answers
from advisor.base import data, folder
from advisor.base.errors import InputError
from advisor.engine import portfolio
from advisor.kit import build as kit
from advisor.kit import manifest, quoting, sizing, version_gates
from advisor.kit import values as kit_values
from advisor.model.values import UNKNOWN, Other

EXAMPLES = sorted((data.data("rules") / "examples").glob("*.yaml"))
ours = pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])


# --- which files ------------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_has_a_kit_or_a_note_that_says_why_not(path, base):
    project = answers.read(path, base)
    verdict = portfolio.recommend(project, base)
    made = kit.build(project, verdict, base)
    kits = manifest.kits(TEMPLATES)
    with_kit = [f for f in verdict["features"] if kits.get(f["primary"], {}).get("layers")]
    assert bool(made.files) == bool(with_kit)
    assert made.needed == any(f["primary"] != "http-request" for f in verdict["features"])
    if made.files:
        conf = "apache/httpd.conf" if path.stem == "blocked-network" else "nginx/nginx.conf"
        assert {"start.py", conf, "settings.json", "advisor.lock", "README.md"} <= made.files.keys()
    else:
        assert made.files == {}
        assert len(made.notes) == len(project.features)
        nothing = "nothing is written for it" if made.needed else "needs no files; there is nothing to write for it"
        assert all(nothing in note for note in made.notes)


def test_paths_are_sorted_relative_and_accepted_by_the_writer(build, tmp_path):
    files = build().files
    assert list(files) == sorted(files)
    assert folder.write(files, tmp_path / "kit") == "written"
    assert os.access(tmp_path / "kit/start.py", os.X_OK)


def test_the_lock_holds_the_hash_of_every_other_file(build, base):
    files = dict(build().files)
    lock = json.loads(files.pop("advisor.lock"))
    assert lock["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert lock["answers"] == hashlib.sha256(files["answers.yaml"]).hexdigest()
    assert lock["rules"] == {"version": base.version, "sha256": base.sha256}
    assert lock["advisor"]


PRINT_HASH = """
import hashlib, sys
import advisor
base = advisor.load_rules()
project = advisor.read_answers(sys.argv[1], base)
made = advisor.build_kit(project, advisor.recommend(project, base), base)
print(hashlib.sha256(repr((list(made.files.items()), made.notes)).encode()).hexdigest())
"""


@pytest.mark.long
def test_the_same_answers_give_the_same_bytes_in_any_process():
    path = str(data.data("rules") / "examples/notifications.yaml")
    hashes = set()
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("random", "America/Lima")):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        done = subprocess.run(
            [sys.executable, "-c", PRINT_HASH, path], capture_output=True, text=True, env=env, check=True
        )
        hashes.add(done.stdout)
    assert len(hashes) == 1


def test_the_answers_in_the_kit_give_the_same_kit(build, base):
    files = build("Acme", "a", ("b", {"payload-bytes": 2048}), nginx_version="1.22.1").files
    project = answers.parse(files["answers.yaml"].decode(), "answers.yaml", base)
    assert kit.build(project, portfolio.recommend(project, base), base).files == files


# --- what has no template ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"reverse_proxy": Other("H2O")}, "no template for reverse-proxy: H2O yet: the kit is written without it"),
        ({"reverse_proxy": Other("my\x1b proxy")}, r"no template for reverse-proxy: my\x1b proxy yet: the kit"),
        ({"server_stack": "node"}, "server-stack: JavaScript or TypeScript (Node): the event server is a process"),
        ({"server_stack": Other("COBOL")}, "no template for server-stack: COBOL yet: the event server is a process"),
        ({"platform": Other("ECS")}, "no template for platform: ECS yet: deploy/Dockerfile is the event server"),
        ({"clients": ("ios",)}, "clients: ios: no template yet; the README describes the protocol"),
    ],
)
def test_without_a_template_the_kit_is_written_and_says_what_is_not_in_it(build, facts, said):
    made = build(**facts)
    assert {"start.py", "server/app.py", "client/stream.js"} <= made.files.keys()
    assert said in " ".join(made.notes)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"instances": 300}, "instances: 300: the kit is written for 16 event servers on one machine"),
        ({"broker": "kafka"}, "broker: kafka: one event server needs no broker"),
        (
            {"instances": 2, "broker": "kafka"},
            "broker: kafka: there is no template for it yet; the event servers share",
        ),
        (
            {"instances": 3, "concurrent_clients": 200_000},
            "3 servers carry while one of them is away (120,000 streams)",
        ),
        ({"clients": ("browser", "ios")}, "clients: ios: no template yet"),
        ({"concurrent_clients": 200_000}, "200,000 clients are more than one proxy and one server carry"),
        ({"payload_bytes": 5 << 20}, "at most 1 MB"),
        ({"bidirectional_realtime": True, "auth": "bearer-header"}, "POST /ticket"),
        ({"bidirectional_realtime": True, "binary": True}, "events of this kit are JSON text"),
        ({"load_balancer": Other("F5")}, "order status: no template for load-balancer: F5 yet: the kit is written"),
        ({"cdn": Other("Our own")}, "order status: no template for cdn: Our own yet: the kit is written without"),
        (
            {"service_mesh": Other("Kuma")},
            "order status: no template for service-mesh: Kuma yet: the kit is written without",
        ),
        ({"nginx_version": "newest"}, 'nginx-version "newest" is not a version'),
        ({"nginx_version": "1.18.0"}, "outside 1.22.0 to 1.31.3"),
    ],
)
def test_what_the_kit_does_not_do_is_said_and_stands_in_its_readme(build, facts, said):
    made = build(**facts)
    assert said in " ".join(made.notes)
    readme = MarkdownIt().render(made.files["README.md"].decode()).replace("&quot;", '"')
    assert said in readme


def test_settings_are_written_for_each_stage_that_the_answers_name(build):
    made = build(load_balancer="aws-alb", cdn=Other("Our own"))
    assert {name for name in made.files if name.startswith("between/")} == {"between/aws-alb.tf"}
    (note,) = [note for note in made.notes if "no template" in note]
    assert note.startswith("order status: no template for cdn: Our own yet: the kit is written without")
    assert "`between/aws-alb.tf` | what to set at AWS Application Load Balancer (not run here)" in (
        made.files["README.md"].decode()
    )
    assert not [name for name in build(load_balancer="none").files if name.startswith("between/")]


def test_one_instance_keeps_its_log_in_sqlite_and_several_share_one_in_redis(build):
    one, several = build(instances=1), build(instances=3, broker="redis")
    only = {"server/stream_log.py", "deploy/systemd/realtime-server@.service"}
    assert several.files.keys() - one.files.keys() == only
    assert one.files.keys() - several.files.keys() == {"deploy/systemd/realtime-server.service"}
    assert one.files == build().files | {
        name: one.files[name] for name in ("answers.yaml", "advisor.lock", "DECISION.md")
    }
    assert not [note for made in (one, several) for note in made.notes if "instances" in note or "broker" in note]
    with_redis = {name for name, content in one.files.items() if re.search(rb"(?i)redis|valkey", content)}
    assert with_redis <= {
        "DECISION.md", "deploy/Dockerfile", "server/__main__.py", "server/events.py", "server/settings.py", "start.py",
        "programs.py", "server.json",
    }  # fmt: skip
    read = settings._settings(json.loads(several.files["settings.json"]))
    assert (read.instances, read.redis_url, read.redis_prefix) == (3, "", "realtime:{acme-orders}")
    assert settings._settings(json.loads(one.files["settings.json"])).instances == 1
    requirements = [made.files["requirements.txt"].decode().splitlines() for made in (one, several)]
    assert requirements[0] == requirements[1][: len(requirements[0])]
    assert any(line.startswith("redis==") for line in requirements[1])


def test_more_instances_than_one_machine_takes_and_feature_answers_are_put_together(build):
    assert json.loads(build(instances=300).files["settings.json"])["instances"] == 16
    assert json.loads(build("x", "a", ("b", {"instances": 2})).files["settings.json"])["instances"] == 2
    assert "instances" not in json.loads(build(instances=UNKNOWN).files["settings.json"])


def test_unknown_answers_take_the_default_templates(build):
    made = build(reverse_proxy=UNKNOWN, server_stack=UNKNOWN, platform=UNKNOWN, clients=UNKNOWN, nginx_version=UNKNOWN)
    assert "compose.yaml" in made.files


VIDEO = {"bidirectional-realtime": True, "media": True, "page": "video"}


def test_features_share_a_kit_whatever_their_transports_and_the_others_are_said(build):
    made = build("Acme", "one", ("two", {"server-stack": "node"}), ("three", VIDEO), ("four", CHAT), "five")
    read = json.loads(made.files["settings.json"])
    assert [f["name"] for f in read["features"]] == ["one", "two", "four", "five"]
    assert read["transports"] == ["websocket", "sse", "long-polling"]
    assert {"publish/publish.py", "publish/publish.mjs"} <= made.files.keys()
    assert "three: no template for WebRTC yet" in " ".join(made.notes)
    assert "map $http_upgrade" in made.files["nginx/nginx.conf"].decode()


@pytest.mark.parametrize(
    ("features", "transports"),
    [
        ([{}], ["sse", "long-polling"]),
        ([CHAT], ["websocket", "sse", "long-polling"]),
        ([BEDS], ["long-polling"]),
        ([LAMPS], ["short-polling"]),
        ([LAMPS, {}], ["sse", "long-polling", "short-polling"]),
        ([LAMPS, BEDS, {}, CHAT], ["websocket", "sse", "long-polling", "short-polling"]),
    ],
)
def test_a_kit_serves_the_transports_of_its_features_and_has_no_line_for_others(build, features, transports):
    made = build("Acme", *((f"f{i}", facts) for i, facts in enumerate(features)))
    read = json.loads(made.files["settings.json"])
    assert read["transports"] == transports
    assert read["two_way"] == ("websocket" in transports)
    assert read["connect_patience_ms"] == (2500 if "websocket" in transports else 5000)
    assert len(read["features"]) == len(features)
    settings._settings(read)
    conf = made.files["nginx/nginx.conf"].decode()
    assert ("location = /ws" in conf) == ("map $http_upgrade" in conf) == ("websocket" in transports)
    assert ("location = /events" in conf) == ("split_clients" in conf) == ("sse" in transports)
    assert ("location = /poll" in conf) == bool({"long-polling", "short-polling"} & set(transports))
    assert ("|send|" in conf) == read["two_way"]
    readme = made.files["README.md"].decode()
    assert ("tries these in turn" in readme) == (len(transports) > 1)
    assert ("Viewers may send" in readme) == read["two_way"]


def test_viewers_may_not_send_a_one_way_feature_because_another_one_is_two_way(build):
    read = json.loads(build("Acme", ("chat", CHAT), "status").files["settings.json"])
    assert settings._settings(read).sendable == ("chat",)
    read = json.loads(build("Acme", "status").files["settings.json"])
    assert settings._settings(read).sendable == ()


def test_a_page_asks_as_often_as_its_most_hurried_short_polling_feature_wants(build):
    read = json.loads(build("Acme", ("lamps", LAMPS), ("more", LAMPS | {"poll-interval-s": 90})).files["settings.json"])
    assert read["poll_s"] == 90


@pytest.mark.parametrize("interval", [0, 1e-9, 0.5, 7.25, 86_400, 1e15])
def test_any_interval_becomes_one_that_the_server_takes(interval):
    values, chosen, _ = context(patterns=("short-polling",), poll_interval_s=interval, server_msg_rate_per_s=1)
    read = settings._settings(json.loads(dict(kit.rendered(chosen, values))["settings.json"]))
    assert read.poll_s == min(max(interval, 1), 86_400)
    assert read.history_events >= min(200_000, 2 * read.poll_s)  # a client that sleeps once still misses nothing


def test_a_poll_is_held_for_less_than_nginx_waits():
    for timing in ({}, {"hold_s": 25, "read_timeout_s": 20, "heartbeat_s": 5}, {"hold_s": 10**9}):
        times = kit_values.times([timing], Base())
        assert times["hold_s"] + 5 <= times["poll_timeout_s"]
    assert kit_values.times([{"hold_s": 25}, {"hold_s": 12}], Base())["hold_s"] == 12


def test_the_page_is_told_at_which_age_something_on_the_way_ends_each_connection(build):
    for facts, age in (({}, 0), ({"max-connection-s": 45}, 45), ({"max-connection-s": 7200}, 7200)):
        read = json.loads(build("Acme", ("one", facts), ("two", facts)).files["settings.json"])
        assert settings._settings(read).public()["max_connection_s"] == age
    limits = [{"kind": "idle", "seconds": 9}, {"kind": "lifetime", "seconds": 90}]
    assert kit_values.times([{"limits": limits}, {}], Base())["max_connection_s"] == 90


def test_short_polling_keeps_one_connection_a_page_and_streams_two():
    needs = [sizing.Feature("", 1000, 1, 100)]
    short = sizing.sizes(needs, shared_addresses=True, transports=["short-polling"])
    both = sizing.sizes(needs, shared_addresses=True, transports=["sse", "short-polling"])
    assert (short["worker_connections"].value, both["worker_connections"].value) == (1250 + 512, 2500 + 512)


def test_a_feature_that_needs_other_templates_than_the_first_gets_a_kit_of_its_own(build):
    made = build("Acme", "one", ("two", {"platform": "kubernetes"}))
    assert [f["name"] for f in json.loads(made.files["settings.json"])["features"]] == ["one"]
    assert "two: its answers need other templates than one" in " ".join(made.notes)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "kind"),
    [((), "cookie"), (("none",), "none"), (("none", "cookie"), "cookie"),
     (("cookie", "bearer-header"), "bearer-header"),
     ((UNKNOWN,), "cookie"), ((Other("mTLS"),), "cookie")],
)  # fmt: skip
def test_viewers_sign_in_by_the_strictest_answer(build, stated, kind):
    features = [(f"f{i}", {"auth": value}) for i, value in enumerate(stated)] or ["f"]
    assert json.loads(build("Acme", *features).files["settings.json"])["auth"] == kind


@pytest.mark.long
@given(
    st.lists(
        st.sampled_from([*NAMES, *settings.TAKEN, "a", "A", "a-2", "hello-events"]) | st.text(max_size=80), max_size=20
    )
)
def test_slugs_are_unique_and_what_the_server_takes(names):
    made = kit_values.slugs(names)
    assert len(set(made)) == len(names)
    assert all(settings.SLUG.match(slug) and slug not in settings.TAKEN for slug in made)


LIKE = st.text(st.sampled_from("aA1 -_.:\u00e9\u4e2d!"), max_size=6)  # names that lose the same
OF_SLUGS = st.sampled_from(["acme", "Acme orders", "Acme orders 12970445", "Realtime", "realtime"])


@pytest.mark.long
@given(st.sets(LIKE | OF_SLUGS | st.sampled_from(NAMES) | st.text(max_size=80), max_size=30))
def test_two_different_names_never_have_the_same_slug(names):
    projects = [quoting.own_slug(name, "realtime") for name in sorted(names)]
    assert len(set(projects)) == len(names)
    assert all(re.fullmatch("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", slug) for slug in projects)
    features = kit_values.slugs(sorted(names))
    assert len(set(features)) == len(names)
    both = names | {*projects}  # a name that is another one's slug
    assert len({quoting.own_slug(name, "realtime") for name in both}) == len(both)


@pytest.mark.long
def test_every_name_of_a_few_characters_has_a_slug_of_its_own():
    names = ["".join(letters) for n in range(6) for letters in itertools.product("aA -\u00e9", repeat=n)]
    assert len({quoting.own_slug(name, "realtime") for name in names}) == len(names) == 3906
    assert len(set(kit_values.slugs(names[:800]))) == 800


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme orders", "acme-orders"),
        ("acme-orders", "acme-orders-12970445"),
        ("Acme orders 12970445", "acme-orders-12970445-"),
        ("\u6ce8\u6587", "realtime-"),
        ("!!!", "realtime-"),
        ("x" * 41, "x" * 31 + "-"),
        ("2nd shop", "2nd-shop"),
    ],
)
def test_a_slug_ends_with_a_hash_where_it_does_not_say_the_whole_name(name, slug):
    made = quoting.own_slug(name, "realtime")
    assert made == slug or (slug.endswith("-") and re.fullmatch(f"{slug}[0-9a-f]{{8}}", made))


def test_two_projects_without_latin_letters_share_neither_log_nor_names(build):
    one, other = (
        build(name, platform="kubernetes", instances=2).files
        for name in ("\u6ce8\u6587", "\u05d4\u05d6\u05de\u05e0\u05d5\u05ea")
    )
    prefixes = [settings._settings(json.loads(made["settings.json"])).redis_prefix for made in (one, other)]
    assert len(set(prefixes)) == 2
    assert all(re.fullmatch(r"realtime:\{realtime-[0-9a-f]{8}\}", prefix) for prefix in prefixes)
    names = [set(re.findall(rb"rt-[a-z0-9-]+", made["deploy/kubernetes/server.yaml"])) for made in (one, other)]
    assert names[0]
    assert not names[0] & names[1]


def test_the_type_of_a_feature_does_not_hang_on_what_stands_before_it():
    names = ["order status", "Gr\u00fc\u00dfe", "\u6ce8\u6587", "hello", "x" * 60]
    alone = [kit_values.slugs([name])[0] for name in names]
    assert kit_values.slugs(names) == alone
    assert alone[0::3] == ["order-status", "hello-events"]
    assert re.fullmatch("gr-e-[0-9a-f]{8} feature-[0-9a-f]{8}", " ".join(alone[1:3]))


def test_the_kit_and_its_server_agree_on_the_names_that_are_taken():
    assert kit_values.TAKEN == settings.TAKEN


numbers = st.sampled_from([0, 1, 59, 1000, 10**5, 10**9, 1e15, 0.001]) | st.floats(0, 1e308, allow_nan=False)


@given(numbers, numbers, numbers, st.booleans(), st.integers(1, 20))
def test_the_server_takes_every_settings_file_that_can_be_computed(clients, rate, payload, corporate, instances):
    values, chosen, _ = context(
        patterns=("websocket",),
        instances=instances,
        concurrent_clients=clients,
        server_msg_rate_per_s=rate,
        payload_bytes=payload,
        corporate_networks=corporate,
    )
    text = dict(kit.rendered(chosen, values))["settings.json"]
    settings._settings(json.loads(text))
    others = max(1, min(instances, 16) - 1)
    assert values["all_clients"] == others * values["max_clients"] >= min(1.25 * clients, 60_000 * others, 200_000)
    assert values["worker_connections"] >= 2 * values["all_clients"]
    assert values["worker_rlimit_nofile"] >= 2 * values["worker_connections"]
    assert values["worker_rlimit_nofile"] < 1 << 20  # what Linux lets a process have (fs.nr_open)
    assert values["server_nofile"] > values["max_clients"]
    assert values["streams_per_address"] <= values["all_clients"]
    bytes_ = sizing.REDIS_BYTES if instances > 1 else sizing.HISTORY_BYTES
    assert values["history_events"] * min(payload, values["max_payload_bytes"]) <= max(bytes_, 1000 << 20)


@pytest.mark.parametrize(
    ("timings", "heartbeat", "read", "retries"),
    [
        ([], 15, 45, [1000, 2000, 3000, 4000]),
        ([{}], 15, 45, [1000, 2000, 3000, 4000]),
        ([{"heartbeat_s": 25, "read_timeout_s": 30}], 25, 75, [1000, 2000, 3000, 4000]),
        ([{"heartbeat_s": 25}, {"heartbeat_s": 5, "retry_ms": 5000}], 5, 15, [5000, 10_000, 15_000, 20_000]),
        ([{"retry_ms": 60_000, "retry_max_ms": 60_000}], 15, 45, [60_000] * 4),
        ([{"heartbeat_s": 5000, "retry_ms": 10**9}], 300, 900, [60_000] * 4),
    ],
)
def test_the_strictest_times_of_all_features_hold(timings, heartbeat, read, retries):
    times = kit_values.times(timings, Base())
    assert (times["heartbeat_s"], times["read_timeout_s"], times["retry_steps"]) == (heartbeat, read, retries)
    assert times["retry_max_ms"] >= times["retry_ms"]


@pytest.mark.parametrize(
    ("features", "streams"),
    [
        ([("", 100), ("", 300)], 400),  # it is not stated that they are on one page
        ([("home", 100), ("home", 300), ("shop", 50)], 350),
        ([("", 0)], 0),
        ([("a", 1e15), ("b", 1e15)], 2e15),
    ],
)
def test_features_of_one_page_share_a_stream(features, streams):
    assert sizing.wanted_streams(sizing.Feature(page, clients, 1, 1) for page, clients in features) == streams


def test_what_is_not_stated_comes_from_the_costs_of_the_verdict():
    made = sizing.feature({"payload-bytes": 7, "page": UNKNOWN}, {"concurrent-clients": {"value": 5, "assumed": True}})
    assert made == sizing.Feature("", 5, 0.2, 7)
    assert sizing.feature({"concurrent-clients": True, "payload-bytes": UNKNOWN}, {}).clients == 1000


# --- templates and manifests ------------------------------------------------------------------------------------------


def options():
    return [option for layer in manifest.load(TEMPLATES).values() for option in layer]


def test_every_file_of_the_templates_is_named_by_a_manifest():
    named = {file.source for option in options() for file in option.files if not file.of_server}
    named |= {file.source for option in options() for file in manifest.templates_of(option)}
    there = {
        path
        for path in TEMPLATES.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(TEMPLATES).parts)
        and path.name not in {"manifest.yaml", "kits.yaml", "gates.yaml"}
    }
    report = {TEMPLATES / "report" / name for name in ("page.html.j2", "page.css")}  # of --format html, not of a kit
    assert there == named | report


def test_every_layer_of_a_kit_exists_and_no_two_files_collide():
    layers = manifest.load(TEMPLATES)
    for made in (made for made in manifest.kits(TEMPLATES).values() if made["layers"]):
        used = (*made["layers"], *made["examples"])
        assert set(used) <= layers.keys()
        for count in (1, 2):
            places = []
            for layer in used:
                files = [[file.to for file in o.files if file.suits({"nginx"}, count)] for o in layers[layer]]
                assert all(len(paths) == len(set(paths)) for paths in files)
                places.append(set().union(*files))
            assert sum(map(len, places)) == len(set().union(*places))


def test_answers_in_manifests_are_options_of_their_questions(base):
    for option in options():
        if option.fact:
            assert set(option.serves) <= base.questions[option.fact].options.keys()


# --- hostile names ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def plain(build):
    return build("Plain", "plain", "second").files


@pytest.mark.grid
@ours
def test_a_hostile_name_changes_nothing_but_itself(name, build, plain, base):
    if name.strip() in {"", "second"}:
        name += "x"
    files = build(name, name, "second").files
    assert files.keys() == plain.keys()
    for path, content in files.items():
        text = content.decode()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text) or path == "x"
        if path.split("/")[0] in {"server", "client", "start.py", "requirements.txt"}:
            assert content == plain[path]
    made = json.loads(files["settings.json"])
    assert (made["project"], made["features"][0]["name"]) == (name, name)
    assert structure(files["README.md"]) == structure(plain["README.md"])
    assert compose(files) == compose(plain)
    assert units(files) == units(plain)
    with contextlib.suppress(InputError):  # most of these names are refused long before a kit is made
        assert answers.parse(files["answers.yaml"].decode(), "x", base).name == name.strip()


def structure(readme):
    """Block structure of a Markdown file, without texts."""
    return [(token.type, token.tag, token.nesting) for token in MarkdownIt().enable("table").parse(readme.decode())]


def compose(files):
    read = yaml.safe_load(files["compose.yaml"])
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", read.pop("name"))
    return read


def units(files):
    """The settings of both units, without the description and with one folder for all."""
    found = []
    for path in sorted(path for path in files if path.endswith(".service")):
        lines = files[path].decode().splitlines()
        folder_ = next(line for line in lines if line.startswith("ReadWritePaths="))[
            len("ReadWritePaths=") : -len("/var")
        ]
        assert re.fullmatch(r"/opt/[a-z0-9-]+", folder_)
        found.append([line.replace(folder_, "/opt/x") for line in lines if not line.startswith("Description=")])
    return found


# --- the other files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "image"),
    [("1.22.1", "1.30.4"), ("1.22", "1.30.4"), ("1.30", "1.30.4"), ("1.30.4", "1.30.4"), ("1.31.3", "1.31.3"),
     ("1.31", "1.31"), ("newest", "1.30.4"), (UNKNOWN, "1.30.4")],
)  # fmt: skip
def test_images_are_of_a_supported_nginx_and_say_why(build, stated, image):
    files = build(nginx_version=stated, platform="kubernetes").files
    for text in (build(nginx_version=stated).files["compose.yaml"], files["deploy/kubernetes/server.yaml"]):
        assert set(re.findall(r"image: \"?nginx:([\d.]+)", text.decode())) == {image}
        told = "the image of an old version gets no fixes" in text.decode()
        assert told == (stated in {"1.22.1", "1.22", "1.30"})
    assert f"# For nginx {image}." in files["deploy/kubernetes/nginx.conf"].decode()


def test_compose_runs_the_proxy_and_the_server_with_the_kits_limits(build):
    read = yaml.safe_load(build(nginx_version="1.22.1").files["compose.yaml"])
    assert list(read["services"]) == ["net", "server", "edge"]
    server, proxy = read["services"]["server"], read["services"]["edge"]
    for service in (server, proxy):
        limits = service["ulimits"]["nofile"]
        assert limits["soft"] == limits["hard"] >= 1000
        assert int(service["stop_grace_period"].removesuffix("s")) > 0
    sources = {volume.split(":")[0].removeprefix("./") for volume in proxy["volumes"] if volume.startswith("./")}
    assert sources == {"client", "nginx"}


def test_compose_gives_each_instance_its_port_and_all_of_them_one_redis(build):
    read = yaml.safe_load(build(instances=3).files["compose.yaml"])
    services = read["services"]
    assert list(services) == ["net", "redis", "server-8081", "server-8082", "server-8083", "edge"]
    for port in (8081, 8082, 8083):
        server = services[f"server-{port}"]
        assert server["command"] == ["python", "-m", "server", "--port", str(port)]
        assert server["environment"] == {"REDIS_URL": "redis://127.0.0.1:6379/0"}
        assert f"127.0.0.1:{port}/healthz" in server["healthcheck"]["test"][-1]
        assert server["volumes"] == ["server-var:/kit/var"]
    words = " ".join(services["redis"]["command"])
    assert "--appendonly yes --appendfsync always" in words
    assert {name.split(":")[0] for s in services.values() for name in s.get("volumes", []) if name[0] != "."} == set(
        read["volumes"]
    )


def test_the_units_of_several_instances_are_one_template_and_nginx_wants_each(build):
    files = build(instances=3).files
    unit, proxy = (files[f"deploy/systemd/realtime-{name}.service"].decode() for name in ("server@", "edge"))
    assert "-m server --port %i\n" in unit
    assert "Wants=realtime-server@8081.service realtime-server@8082.service realtime-server@8083.service\n" in proxy
    readme = files["README.md"].decode()
    assert "enable --now realtime-server@8081 realtime-server@8082 realtime-server@8083 realtime-edge\n" in readme
    assert "`redis-cli HDEL 'realtime:{acme-orders}:log' run kept`" in readme
    assert "two_way" not in readme
    assert "One event server" not in readme


def test_containers_and_units_wait_longer_than_the_drain(build):
    files = build().files
    drain = json.loads(files["settings.json"])["drain_s"]
    read = yaml.safe_load(files["compose.yaml"])
    graces = {name: s["stop_grace_period"] for name, s in read["services"].items() if "stop_grace_period" in s}
    assert graces == dict.fromkeys(("server", "edge"), f"{drain + 5}s")
    for path in ("realtime-server", "realtime-edge"):
        assert f"\nTimeoutStopSec={drain + 5}\n" in files[f"deploy/systemd/{path}.service"].decode()


@pytest.mark.parametrize(("clients", "keys"), [
    (100, {"net.core.somaxconn"}),
    (9000, {"net.core.somaxconn", "-net.netfilter.nf_conntrack_max"}),
    (40_000, {"net.core.somaxconn", "-net.netfilter.nf_conntrack_max", "net.ipv4.ip_local_port_range",
              "net.ipv4.ip_local_reserved_ports"}),
])  # fmt: skip
def test_kernel_settings_are_those_that_this_many_streams_need(build, clients, keys):
    text = build(concurrent_clients=clients).files["deploy/sysctl.d/60-realtime.conf"].decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert {re.fullmatch(r"(-?[a-z0-9_.]+) = ([0-9, ]+)", line)[1] for line in lines} == keys


def test_what_no_test_runs_says_so(build):
    for path, content in build().files.items():
        if path.startswith("deploy/") or path == "compose.yaml":
            assert "Not run by the kit's tests" in content.decode(), path


@pytest.mark.grid
@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("platform", ["vm", "kubernetes"])
@pytest.mark.parametrize("proxy", ["nginx", "none", *PROXIES])
def test_the_readme_names_only_files_that_are_there(build, proxy, platform, instances):
    files = build(reverse_proxy=proxy, platform=platform, instances=instances).files
    named = set(re.findall(r"`([\w./-]+(?:/|\.\w+))`", files["README.md"].decode()))
    assert {"start.py", "settings.json", "server/", "client/stream.js"} <= named
    later = {"var/", "var/token", "var/viewer-key", ".venv"}
    later |= {f"{proxy}/tls/{name}.pem" for name in ("fullchain", "privkey", "site")}
    for path in named - later:
        assert path in files or any(name.startswith(path) for name in files if path.endswith("/")), path


LIMIT = re.compile(r"limit_conn address|sc_conn_cur\(0\) gt|inFlightReq")


@pytest.mark.parametrize("pattern", ["websocket", "sse", "long-polling", "short-polling"])
@pytest.mark.parametrize("behind", ["none", "aws-alb"])
@pytest.mark.parametrize("proxy", ["nginx", "none", *PROXIES])
def test_the_readme_has_a_limit_for_each_address_where_the_proxy_has_one(proxy, behind, pattern):
    files = rendered(patterns=(pattern,), reverse_proxy=proxy, load_balancer=behind, cdn="none")
    limits = {bool(LIMIT.search(text.decode())) for name, text in files.items() if name.startswith(f"{proxy}/")}
    readme = files.pop("README.md").decode()
    assert ("`streams_per_address`" in readme) == (True in limits)
    assert bool(re.search(r"is\s+not limited", readme)) == (True not in limits)


def test_no_secret_and_no_date_is_in_a_kit(build):
    text = b"".join(build().files.values()).decode()
    assert not re.search(r"(?i)\b(token|secret|password|key)\b\s*[:=]\s*[\"'][A-Za-z0-9_-]{16,}", text)
    assert "2026" not in re.sub(r"as of 20\d\d-\d\d-\d\d|20\d\d-\d\d(-\d\d)?", "", build().files["README.md"].decode())


@pytest.mark.lab
@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("name", ["Acme orders", "100 % \U0001f600 \\ ; [Service] $HOME"])
def test_systemd_accepts_the_units(build, name, instances, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    files = build(name, instances=instances).files
    (tmp_path / "python").symlink_to(sys.executable)
    (tmp_path / "nginx").symlink_to(shutil.which("true"))
    for path in (path for path in files if path.endswith(".service")):
        text = re.sub(r"/opt/[a-z0-9-]+/\.venv/bin/python", str(tmp_path / "python"), files[path].decode())
        unit = tmp_path / Path(path).name
        unit.write_text(text.replace("/usr/sbin/nginx", str(tmp_path / "nginx")), encoding="utf-8")
        assert complaints(unit) == []
        unit.write_text(text.replace("TimeoutStopSec=", "TimeoutStopSecs=x"), encoding="utf-8")
        assert complaints(unit)


def complaints(unit):
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if unit.name in line]


@pytest.mark.lab
@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("stated", [True, False])
def test_a_kit_on_the_disk_loads_in_nginx(build, nginx, stated, instances, tmp_path):
    version = nginx_version(nginx)
    assert version_gates.parse_version(version)
    made = build(instances=instances, **({"nginx_version": version} if stated else {}))
    folder.write(made.files, tmp_path / "a kit")
    code, said = nginx_lab.check(nginx, tmp_path / "a kit")
    assert code == 0, said
    # As it came: nothing of this is a change by hand, so the next kit may replace it.
    assert folder.write(build(concurrent_clients=5000).files, tmp_path / "a kit") == "replaced"
    assert (tmp_path / "a kit/var/tmp").is_dir()


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.parametrize("pattern", often(["all", "websocket", "long-polling", "short-polling"]))
def test_a_kit_from_answers_starts_and_carries_events_over_each_transport(build, pattern, tmp_path):
    facts = {"websocket": [CHAT], "long-polling": [BEDS], "short-polling": [LAMPS], "all": [CHAT, {}, BEDS, LAMPS]}
    made = build("Acme", *((f"f{i}", own | {"auth": "none"}) for i, own in enumerate(facts[pattern])))
    folder.write(made.files, tmp_path / "a kit")
    (tmp_path / "a kit/var").mkdir()
    serves = json.loads(made.files["settings.json"])["transports"]
    assert pattern in {"all", serves[0]}
    lab = Lab(tmp_path / "a kit", json.loads(made.files["settings.json"]))
    started = Started(lab)
    try:
        started.ready()
        with contextlib.ExitStack() as stack:
            url = f"http://127.0.0.1:{lab.edge}"
            waits = {"long-polling": (5, 0), "short-polling": (0, 0.05)}
            clients = [
                stack.enter_context(followed(peer_clients.follow_polls, url, *waits[t])) for t in waits if t in serves
            ]
            if "sse" in serves:
                clients.append(stack.enter_context(following(url)))
            if "websocket" in serves:
                clients.append(stack.enter_context(followed(peer_clients.follow_socket, url)))
            lab.through = url
            published = publish_through(lab, 10, 50, "f0")
            for got in clients:
                until(lambda got=got: got.ids == published, "every event arrives")
            assert len(clients) == len(serves)
    finally:
        started.end()
        lab.http.close()
    assert processes_of(lab) == []


@pytest.mark.parametrize("pattern", ["sse", "websocket", "long-polling", "short-polling"])
def test_the_readme_says_at_its_top_that_everybody_gets_every_event(pattern):
    """Always, since the answers may not say what will be published: private data would be shown to everybody."""
    readme = rendered(patterns=(pattern,))["README.md"].decode()
    first = next(line for line in readme.splitlines()[1:] if line)
    assert first.startswith("**Everybody who is connected gets every event.**")
