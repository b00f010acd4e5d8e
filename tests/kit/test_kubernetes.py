"""Kubernetes, ingress-nginx, Gateway API, meshes: objects that fit their schemas and each other, commands that run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml
from server import settings
from support import cluster_files, hand_made_kits, nginx_lab, proxy_lab
from support.cluster_files import FOLDER, container, deployment, files, objects, pod
from support.hand_made_kits import KITS, rendered
from support.hostile_names import NAMES
from support.kit_lab import Lab, following, free_port, nginx_version, publish_through, until

from advisor.model import platforms
from advisor.ruleset import cache

WAYS = ["none", "nginx", "ingress-nginx", "haproxy", "caddy", "traefik", "envoy", "apache", "varnish"]
MESHES = ["none", "istio", "linkerd", "envoy"]
ALL = ("websocket", "sse", "long-polling", "short-polling")
CELLS = [{"reverse_proxy": way, "instances": count} for way in ("none", "nginx", "ingress-nginx") for count in (1, 3)]
CELLS += [
    {"reverse_proxy": "nginx", "service_mesh": mesh, "instances": 1 + 2 * (mesh == "istio")} for mesh in MESHES[1:]
]
cells = pytest.mark.parametrize("answers", CELLS, ids=["-".join(map(str, cell.values())) for cell in CELLS])


def row(path):
    return platforms.row(cache.load(), path)


# --- one object -------------------------------------------------------------------------------------------------------


@cells
@pytest.mark.parametrize("pattern", ["short-polling", "all"])
def test_every_object_fits_the_schema_of_its_kind(answers, pattern):
    kit = cluster_files.for_clusters(
        patterns=ALL if pattern == "all" else (pattern,), features=tuple("abcd"), **answers
    )
    made = [one for found in objects(kit).values() for one in found if "static_resources" not in one]
    assert {"Deployment", "Service", "Kustomization"} <= {one["kind"] for one in made}
    for one in [*made, deployment(kit)]:
        if one.get("spec", {}).keys() != {"template"}:  # a patch has a part of what its kind needs
            cluster_files.check(one)


def test_the_schemas_refuse_a_key_that_is_spelt_wrong():
    refused = 0
    for kit in (cluster_files.for_clusters(patterns=ALL, **cell) for cell in CELLS[3:7]):
        for one in [one for found in objects(kit).values() for one in found]:
            if one.get("spec", {}).keys() == {"template"}:
                continue
            for path in cluster_files.keys(one):
                if path[0] not in {"apiVersion", "kind"}:
                    assert not cluster_files.fits(cluster_files.misspelt(one, path)), path
                    refused += 1
    assert refused > 500


@cells
def test_every_file_says_that_no_test_runs_it(answers):
    for name, content in files(patterns=ALL, **answers).items():
        if name.startswith(("deploy/", "between/")):
            assert re.search(r"^# (Not run|.* Not run here)", content.decode(), re.MULTILINE), name


# --- objects and each other -------------------------------------------------------------------------------------------


@cells
def test_kustomization_names_what_is_there_and_all_of_it(answers):
    kit = files(**answers)
    (made,) = objects(kit)[f"{FOLDER}kustomization.yaml"]
    named = {*made["resources"], *(patch["path"] for patch in made.get("patches", ()))}
    named |= {file for maps in made.get("configMapGenerator", ()) for file in maps["files"]}
    there = {name.removeprefix(FOLDER) for name in kit if name.startswith(FOLDER)}
    assert there - named == {"kustomization.yaml"} | ({"httproute.yaml"} & there)
    assert [image["name"] for image in made["images"]] == [container(kit, "server")["image"]]


@cells
def test_names_ports_labels_and_volumes_lead_somewhere(answers):
    kit = files(patterns=ALL, **answers)
    every = [one for found in objects(kit).values() for one in found]
    template = deployment(kit)["spec"]["template"]
    labels = template["metadata"]["labels"]
    services = {one["metadata"]["name"]: one["spec"] for one in every if one["kind"] == "Service"}
    ports = {port["name"]: port["containerPort"] for one in pod(kit)["containers"] for port in one["ports"]}
    for spec in services.values():
        assert spec["selector"].items() <= labels.items()
        assert {port["targetPort"] for port in spec["ports"]} <= ports.keys()
    for one in every:
        if one["kind"] in {"Deployment", "PodDisruptionBudget"} and "selector" in one["spec"]:
            assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for one in pod(kit)["containers"]:
        own = {port["name"] for port in one["ports"]}
        assert {probe["httpGet"]["port"] for name, probe in one.items() if name.endswith("Probe")} <= own
    mounted = {mount["name"] for one in pod(kit)["containers"] for mount in one["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod(kit)["volumes"]}
    for volume in pod(kit)["volumes"]:
        if "persistentVolumeClaim" in volume:
            (claim,) = [one for one in every if one["kind"] == "PersistentVolumeClaim"]
            assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        if "configMap" in volume:
            (maps,) = objects(kit)[f"{FOLDER}kustomization.yaml"][0]["configMapGenerator"]
            assert volume["configMap"]["name"] == maps["name"]
    open_to = {(name, port["port"]) for name, spec in services.items() for port in spec["ports"]}
    for one in every:
        if one["kind"] == "HTTPRoute":
            assert {(b["name"], b["port"]) for rule in one["spec"]["rules"] for b in rule["backendRefs"]} <= open_to
        if one["kind"] == "Ingress":
            (rule,) = one["spec"]["rules"]
            backends = [path["backend"]["service"] for path in rule["http"]["paths"]]
            assert {(b["name"], b["port"]["number"]) for b in backends} <= open_to
            assert one["spec"]["tls"][0]["hosts"] == [rule["host"]]
        if one["kind"] in {"VirtualService", "DestinationRule"}:
            hosts = one["spec"].get("hosts") or [one["spec"]["host"]]
            assert set(hosts) <= services.keys()
            to = [r["destination"]["host"] for h in one["spec"].get("http", ()) for r in h["route"]]
            assert to == hosts * len(to)


@cells
def test_the_readme_makes_the_secrets_that_the_pod_asks_for(answers):
    kit = files(auth="cookie", **answers)
    text = kit["README.md"].decode()
    made = re.findall(r"kubectl create secret generic (\S+) ((?:.*\\\n)*.*)", text)
    ((name, words),) = made
    literals = set(re.findall(r"--from-literal=([a-z-]+)=", words))
    mounts = {m["subPath"] for m in container(kit, "server")["volumeMounts"] if m["name"] == "secrets"}
    env = {e["valueFrom"]["secretKeyRef"]["key"] for e in container(kit, "server").get("env", ())}
    assert literals == mounts | env
    secrets = {v["secret"]["secretName"] for v in pod(kit)["volumes"] if "secret" in v}
    assert secrets == {name, *re.findall(r"kubectl create secret tls (\S+) ", text)}
    assert f"rollout status deployment/{deployment(kit)['metadata']['name']}" in text
    service = re.search(r"port-forward service/(\S+) \d+:(\d+)", text)
    spec = objects(kit)[f"{FOLDER}server.yaml"][1]
    assert (spec["metadata"]["name"], spec["spec"]["ports"][0]["port"]) == (service[1], int(service[2]))


def test_without_sign_in_there_is_no_key_for_viewers():
    kit = files(auth="none")
    assert "viewer-key" not in json.dumps(objects(kit))
    assert "viewer-key" not in kit["README.md"].decode().replace("`var/viewer-key`", "")


# --- what holds the streams -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("way", ["none", "nginx"])
def test_a_pod_has_time_for_its_streams_and_its_proxies_outlive_the_server(way, mesh):
    kit = files(reverse_proxy=way, service_mesh=mesh)
    drain = json.loads(kit["settings.json"])["drain_s"]
    grace = pod(kit)["terminationGracePeriodSeconds"]
    for one in pod(kit)["containers"]:
        sleep, seconds = one["lifecycle"]["preStop"]["exec"]["command"]
        assert shutil.which(sleep)
        assert grace >= int(seconds) + drain + 5
    notes = deployment(kit)["spec"]["template"]["metadata"].get("annotations", {})
    if mesh == "istio":
        given = int(json.loads(notes["proxy.istio.io/config"])["terminationDrainDuration"].removesuffix("s"))
        assert int(seconds) + drain < given < grace
    if mesh == "linkerd":
        assert notes["config.alpha.linkerd.io/proxy-wait-before-exit-seconds"] == seconds
        assert ("config.linkerd.io/shutdown-grace-period" in notes) == (drain + 10 > row("linkerd/limits/grace").value)


LONG = {"heartbeat_s": 25, "drain_s": 300}


def test_a_long_drain_is_told_to_linkerd(monkeypatch):
    monkeypatch.setitem(hand_made_kits.VERDICT, "timing", LONG)
    notes = deployment(files(service_mesh="linkerd"))["spec"]["template"]["metadata"]["annotations"]
    assert notes["config.linkerd.io/shutdown-grace-period"] == "310s"


@pytest.mark.parametrize("way", WAYS)
def test_one_instance_has_a_disk_for_itself_and_several_follow_one_another(way):
    one, several = files(reverse_proxy=way), files(reverse_proxy=way, instances=4)
    assert (f"{FOLDER}volume.yaml" in one, f"{FOLDER}budget.yaml" in one) == (True, False)
    assert (f"{FOLDER}volume.yaml" in several, f"{FOLDER}budget.yaml" in several) == (False, True)
    spec = deployment(one)["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    (claim,) = objects(one)[f"{FOLDER}volume.yaml"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    spec = deployment(several)["spec"]
    assert spec["replicas"] == 4
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["minReadySeconds"] >= json.loads(several["settings.json"])["retry_max_ms"] / 1000
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["maxSkew"]) == ("kubernetes.io/hostname", 1)
    (budget,) = objects(several)[f"{FOLDER}budget.yaml"]
    own = deployment(several)
    assert budget["spec"] == {"maxUnavailable": 1, "selector": own["spec"]["selector"]}
    assert budget["metadata"] == own["metadata"]
    volumes = [{v["name"]: v for v in pod(kit)["volumes"]}["var"] for kit in (one, several)]
    assert ["persistentVolumeClaim" in volumes[0], "emptyDir" in volumes[1]] == [True, True]


def test_containers_may_do_nothing_that_they_need_not():
    kit = files(reverse_proxy="nginx")
    assert pod(kit)["automountServiceAccountToken"] is False
    context = pod(kit)["securityContext"]
    owner = re.search(r"^USER (\d+):(\d+)$", kit["deploy/Dockerfile"].decode(), re.MULTILINE)
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (
        *map(int, owner.groups()),
        int(owner[2]),
    )
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for one in pod(kit)["containers"]:
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert one["resources"].keys() == {"requests"}
        writable = {m["mountPath"] for m in one["volumeMounts"] if not m.get("readOnly")}
        assert writable == {"/kit/var"} | ({"/kit/var/tmp"} if one["name"] == "edge" else set())
    for volume in pod(kit)["volumes"]:
        assert volume.get("secret", {"defaultMode": 0o440})["defaultMode"] == 0o440


@pytest.mark.parametrize("pattern", ["sse", "websocket"])
def test_the_memory_that_a_pod_asks_for_is_that_of_the_costs(pattern):
    kit = files(patterns=(pattern,), reverse_proxy="nginx", concurrent_clients=10_000)
    figures = yaml.safe_load((Path(__file__).parents[2] / "rules/costs.yaml").read_text(encoding="utf-8"))["figures"]
    tls = figures["tls-memory-bytes"]["value"]
    kind = {"sse": "stream", "websocket": "socket"}[pattern]
    each = {
        "server": figures[f"{kind}-memory-bytes"]["value"],
        "edge": figures[f"proxy-{kind}-memory-bytes"]["value"] + tls,
    }
    most = json.loads(kit["settings.json"])["max_clients"]
    for name, size in each.items():
        asked = int(container(kit, name)["resources"]["requests"]["memory"].removesuffix("Mi"))
        assert asked == pytest.approx(64 + most * size / 1e6, rel=0.02)


@pytest.mark.parametrize("way", WAYS)
def test_nginx_stands_in_the_pod_only_where_it_is_the_answer(way):
    kit = files(reverse_proxy=way, patterns=ALL)
    names = [one["name"] for one in pod(kit)["containers"]]
    assert names == (["server", "edge"] if way == "nginx" else ["server"])
    assert (f"{FOLDER}httproute.yaml" in kit) == (way != "nginx")
    assert (f"{FOLDER}edge.yaml" in kit) == (f"{FOLDER}nginx.conf" in kit) == (way == "nginx")
    assert ("between/ingress-nginx.yaml" in kit) == (way == "ingress-nginx")
    readme = kit["README.md"].decode()
    assert ("`deploy/kubernetes/httproute.yaml`" in readme) == (way != "nginx")


def test_the_way_in_keeps_the_addresses_of_clients():
    (service,) = objects(files(reverse_proxy="nginx"))[f"{FOLDER}edge.yaml"]
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["externalTrafficPolicy"] == "Local"


# --- stages in between ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [{"load_balancer": "aws-alb"}, {"cdn": "cloudflare"}, {}])
def test_what_stands_in_front_is_told_to_go_to_the_cluster(behind):
    readme = files(reverse_proxy="nginx", **behind)["README.md"].decode()
    said = "name the address and port of this kit's proxy on a machine"
    assert (said in readme) == bool(behind)


def ingress(**answers):
    return files(reverse_proxy="ingress-nginx", **answers)


def test_answers_that_name_ingress_nginx_have_a_kit_that_runs_behind_nginx_here():
    kit = rendered(reverse_proxy="ingress-nginx")
    assert {"nginx/nginx.conf", "between/ingress-nginx.yaml", "between/ingress-nginx-controller.yaml"} <= kit.keys()
    assert 'rt-acme-orders" is a Service of yours' in kit["between/ingress-nginx.yaml"].decode()


@pytest.mark.parametrize("pattern", KITS())
def test_ingress_nginx_waits_longer_than_the_kit_is_silent(pattern):
    kit = ingress(patterns=(pattern,))
    (made,) = objects(kit)["between/ingress-nginx.yaml"]
    prefix = "nginx.ingress.kubernetes.io/"
    notes = {key.removeprefix(prefix): value for key, value in made["metadata"]["annotations"].items()}
    read = json.loads(kit["settings.json"])
    expected = {
        "proxy-buffering": "off",
        "proxy-http-version": "1.1",
        "client-body-buffer-size": str(read["max_payload_bytes"]),
    }
    if pattern != "short-polling":
        quiet = 2 * read["heartbeat_s"] if pattern != "long-polling" else read["hold_s"]
        assert int(notes.pop("proxy-read-timeout")) > quiet
        assert f"Stock is {row('ingress-nginx/limits/read').value} s" in kit["between/ingress-nginx.yaml"].decode()
    assert notes == expected
    assert made["spec"]["ingressClassName"] == "nginx"


def test_ingress_nginx_asks_the_next_pod_where_there_is_one():
    (made,) = objects(ingress(instances=3))["between/ingress-nginx.yaml"]
    said = made["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-next-upstream"]
    assert said == "error timeout http_503"


def test_ingress_nginx_is_called_retired_with_the_date_of_its_card():
    said, text = row("ingress-nginx/status/support"), ingress()["between/ingress-nginx.yaml"].decode()
    assert said.value == "retired"
    assert said.says in text
    assert f"as of {said.as_of}" in text


@pytest.mark.parametrize(("clients", "more"), [(1000, False), (7000, True)])
def test_the_controller_is_told_what_its_stock_would_cut(clients, more):
    kit = ingress(concurrent_clients=clients)
    text = kit["between/ingress-nginx-controller.yaml"].decode()
    made = yaml.safe_load(text)
    assert made.keys() == {"data"}
    assert (
        int(made["data"]["worker-shutdown-timeout"].removesuffix("s")) > row("ingress-nginx/limits/old-workers").value
    )
    most = json.loads(kit["settings.json"])["max_clients"]
    assert ("max-worker-connections" in made["data"]) == more
    if more:
        assert int(made["data"]["max-worker-connections"]) >= 2 * most > row("ingress-nginx/capacity/connections").value
    assert "--patch-file between/ingress-nginx-controller.yaml" in text


@pytest.mark.parametrize("pattern", [*KITS(), "all"])
def test_a_route_has_no_time_limit_on_streams_and_one_above_the_hold_on_polls(pattern):
    kit = files(patterns=ALL if pattern == "all" else (pattern,), features=("a", "b", "c", "d"))
    (route,) = objects(kit)[f"{FOLDER}httproute.yaml"]
    rules = {rule["matches"][0]["path"]["value"]: rule for rule in route["spec"]["rules"]}
    read = json.loads(kit["settings.json"])
    serves = set(read["transports"])
    wanted = {"/"} | {
        p for t, p in {"sse": "/events", "websocket": "/ws", "long-polling": "/poll"}.items() if t in serves
    }
    assert rules.keys() == wanted
    for path, rule in rules.items():
        times = rule.get("timeouts", {})
        hold = f"{read['hold_s'] + 5}s"
        each = {"/events": "0s", "/ws": "0s", "/poll": hold, "/": None}[path]
        assert times == ({"request": each, "backendRequest": each} if each else {})
        assert rule["matches"][0]["path"]["type"] == ("PathPrefix" if path == "/" else "Exact")
    ports = {port["port"]: port for port in objects(kit)[f"{FOLDER}server.yaml"][1]["spec"]["ports"]}
    assert ports[80]["appProtocol"] == "http"
    if "/ws" in rules:
        (backend,) = rules["/ws"]["backendRefs"]
        assert ports[backend["port"]]["appProtocol"] == row("gateway-api/websocket/declared-backend").value


@pytest.mark.parametrize("pattern", KITS())
def test_istio_ends_no_stream_and_every_other_request(pattern):
    kit = files(service_mesh="istio", patterns=(pattern,))
    service, _ = objects(kit)["between/istio.yaml"]
    read, times = json.loads(kit["settings.json"]), {}
    for http in service["spec"]["http"]:
        for match in http.get("match", [{"uri": {"exact": "/"}}]):  # the last one takes what no other takes
            times[match["uri"]["exact"]] = int(http["timeout"].removesuffix("s"))
    assert "match" not in service["spec"]["http"][-1]
    streams = {"websocket": "/ws", "sse": "/events"}
    assert {path for path, seconds in times.items() if not seconds} == {
        streams[transport] for transport in read["transports"] if transport in streams
    }
    assert ("/poll" in times) == ("long-polling" in read["transports"])
    assert times.get("/poll", read["hold_s"] + 1) > read["hold_s"]
    assert 30 < times["/"] <= 60  # a body may take 30 s


def test_istio_sends_no_post_twice_and_keeps_connections_shorter_than_the_server():
    kit = files(service_mesh="istio")
    service, rule = objects(kit)["between/istio.yaml"]
    for http in service["spec"]["http"]:
        assert http["retries"]["retryOn"].split(",") == ["connect-failure", "refused-stream"]
    policy = rule["spec"]["trafficPolicy"]
    assert policy["loadBalancer"] == {"simple": "ROUND_ROBIN"}
    kept = int(re.search(r"timeout_keep_alive=(\d+)", kit["server/__main__.py"].decode())[1])
    assert int(policy["connectionPool"]["http"]["idleTimeout"].removesuffix("s")) < kept
    tcp = policy["connectionPool"]["tcp"]
    beat = json.loads(kit["settings.json"])["heartbeat_s"]
    assert tcp == {"connectTimeout": "2s", "tcpKeepalive": {"time": f"{beat}s", "interval": f"{beat}s", "probes": 3}}
    assert f"Stock is {row('istio/limits/drain').value} s" in kit[f"{FOLDER}istio.yaml"].decode()
    assert row("istio/limits/route").says in kit["between/istio.yaml"].decode()


@pytest.mark.parametrize(("mesh", "port"), [
    ("istio", "traffic.sidecar.istio.io/excludeInboundPorts"), ("linkerd", "config.linkerd.io/skip-inbound-ports"),
])  # fmt: skip
def test_a_mesh_takes_the_pod_in_and_leaves_nginx_its_clients(mesh, port):
    kit = files(service_mesh=mesh, reverse_proxy="nginx")
    meta = deployment(kit)["spec"]["template"]["metadata"]
    assert meta["annotations"][port] == str(container(kit, "edge")["ports"][0]["containerPort"])
    assert port not in deployment(files(service_mesh=mesh))["spec"]["template"]["metadata"]["annotations"]
    taken = {
        "istio": meta["labels"].get("sidecar.istio.io/inject"),
        "linkerd": meta["annotations"].get("linkerd.io/inject"),
    }
    assert taken[mesh] == {"istio": "true", "linkerd": "enabled"}[mesh]
    assert f"`deploy/kubernetes/{mesh}.yaml`" in kit["README.md"].decode()
    alone = rendered(service_mesh=mesh)
    assert f"`between/{mesh}-pod.yaml`" in alone["README.md"].decode()
    assert f"between/{mesh}-pod.yaml" in alone
    assert not [name for name in alone if name.startswith(FOLDER)]
    assert "merge it into their Deployment" in alone[f"between/{mesh}-pod.yaml"].decode()


def test_linkerd_need_not_guess_the_protocol():
    guessed = f"for up to {row('linkerd/connections/protocol-detection').value} s"
    assert guessed in rendered(service_mesh="linkerd")["between/linkerd-pod.yaml"].decode()
    kit = files(service_mesh="linkerd")
    assert guessed not in kit[f"{FOLDER}linkerd.yaml"].decode()
    assert objects(kit)[f"{FOLDER}server.yaml"][1]["spec"]["ports"][0]["appProtocol"] == "http"


@pytest.mark.parametrize("pattern", KITS())
def test_an_envoy_beside_the_server_ends_nothing_that_is_not_silent_for_long(pattern):
    kit = files(service_mesh="envoy", patterns=(pattern,), concurrent_clients=5000)
    read, text = json.loads(kit["settings.json"]), kit["between/envoy.yaml"].decode()
    (listener,), (cluster,) = yaml.safe_load(text)["static_resources"].values()
    http = listener["filter_chains"][0]["filters"][0]["typed_config"]
    held = pattern != "short-polling"
    assert ("stream_idle_timeout" in http) == held
    if held:
        quiet = read["hold_s"] if pattern == "long-polling" else 2 * read["heartbeat_s"]
        assert int(http["stream_idle_timeout"].removesuffix("s")) > quiet
        assert f"stock is {row('envoy/limits/stream-idle').value} s" in text
    assert ("upgrade_configs" in http) == (pattern == "websocket")
    (route,) = http["route_config"]["virtual_hosts"][0]["routes"]
    assert route["route"]["timeout"] == "0s"
    assert f"ends each answer after {row('envoy/limits/route').value} s" in text
    assert http["skip_xff_append"] is True
    (limits,) = cluster["circuit_breakers"]["thresholds"]
    assert {
        limits[key] >= read["max_clients"] for key in ("max_connections", "max_requests", "max_pending_requests")
    } == {True}
    options = cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    assert options["common_http_protocol_options"]["idle_timeout"] == "60s"
    assert cluster["connect_timeout"] == "2s"
    assert f"--drain-time-s {read['drain_s']}" in text


# --- hostile names ----------------------------------------------------------------------------------------------------


@functools.cache
def plain(way):
    return objects(cluster_files.for_clusters(project="X", reverse_proxy=way, service_mesh="istio", patterns=ALL))


@pytest.mark.parametrize("way", ["nginx", pytest.param("ingress-nginx", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])
def test_a_hostile_name_changes_no_object_but_for_the_name(name, way):
    kit = cluster_files.for_clusters(project=name, reverse_proxy=way, service_mesh="istio", patterns=ALL)
    own = deployment(kit)["metadata"]["name"]
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", own)
    assert json.loads(json.dumps(objects(kit)).replace(own, "rt-x")) == plain(way)


# --- run --------------------------------------------------------------------------------------------------------------


def command(kit, name, port):
    """A container's command, with the Python of the tests and a free port."""
    words = [word.replace("python ", f"{shlex.quote(sys.executable)} ") for word in container(kit, name)["command"]]
    own = container(kit, name)["ports"][0]["containerPort"]
    return [word.replace(str(own), str(port)) for word in words]


@contextlib.contextmanager
def served(kit, folder, **environment):
    """The server's container as a process in a folder like the image's; a Lab that knows where it is."""
    here = cluster_files.image(kit, folder)
    for mount in container(kit, "server")["volumeMounts"]:
        path = here / Path(mount["mountPath"]).relative_to("/kit")
        path.parent.mkdir(parents=True, exist_ok=True)
        if "subPath" in mount:
            path.write_text(f"the-secret-called-{mount['subPath']}\n", encoding="ascii")
    before = cluster_files.written(here)
    lab = Lab(here, json.loads(kit["settings.json"]))
    out = (folder / "out").open("ab")
    lab.server = subprocess.Popen(
        command(kit, "server", lab.port), cwd=here, stdout=out, stderr=out, env=os.environ | environment
    )
    try:
        until(lambda: lab.answers(lab.direct) or lab.server.poll() is not None, "the server answers", 30)
        assert lab.server.poll() is None, (folder / "out").read_text(encoding="utf-8")
        yield lab
        assert {path for path in cluster_files.written(here) - before if not path.startswith("var/")} == set()
    finally:
        lab.close()
        lab.http.close()
        out.close()


def probe(kit, lab, name):
    (at,) = [one[name]["httpGet"]["path"] for one in pod(kit)["containers"][:1]]
    return lab.http.get(f"{lab.direct}{at}").status_code


@pytest.mark.lab
def test_the_pod_of_one_instance_carries_events_through_its_nginx(tmp_path, any_nginx):
    nginx = any_nginx  # a pod has the current one, whatever a machine has
    kit = files(reverse_proxy="nginx", patterns=ALL, auth="none", nginx_version=nginx_version(nginx))
    with served(kit, tmp_path) as lab:
        assert lab.token == "the-secret-called-token"
        assert (probe(kit, lab, "readinessProbe"), probe(kit, lab, "livenessProbe")) == (200, 200)
        limits = Path(f"/proc/{lab.server.pid}/limits").read_text(encoding="ascii")
        assert (
            int(re.search(r"Max open files +(\d+)", limits)[1])
            >= settings.load(lab.folder / "settings.json").max_clients
        )
        # The edge's own /kit: nothing in it but what is mounted.
        front, port = tmp_path / "edge", free_port()
        trusted = nginx_lab.certificate(front)
        (front / "var/tmp").mkdir(parents=True)
        text = kit[f"{FOLDER}nginx.conf"].decode().replace("8443", str(port)).replace("8081", str(lab.port))
        (front / "nginx/nginx.conf").write_text(text, encoding="utf-8")
        mine = [word.replace("/kit", f"{front}/") for word in container(kit, "edge")["command"]]
        assert mine[1:] == [*nginx_lab.command("", front)[1:-1], "daemon off;"]
        with (tmp_path / "edge.out").open("wb") as out:
            process = subprocess.Popen(nginx_lab.command(nginx, front), cwd=front, stdout=out, stderr=out)
        try:
            until(lambda: Lab.listens(port) or process.poll() is not None, "nginx listens", 30)
            url = f"https://localhost:{port}"
            page = httpx.get(f"{url}/", verify=trusted)
            assert (page.status_code, page.headers["content-security-policy"]) == (200, "frame-ancestors 'none'")
            assert page.content == kit["client/index.html"]
            with following(url, verify=trusted) as got:
                published = publish_through(lab, 10, 50)
                until(lambda: got.ids == published, "every event arrives")
            edge_ready = container(kit, "edge")["readinessProbe"]["httpGet"]
            assert edge_ready["scheme"] == "HTTPS"
            assert httpx.get(url + edge_ready["path"], verify=trusted).status_code == 200
        finally:
            process.terminate()
            process.wait(10)
        logged = (tmp_path / "edge.out").read_text(encoding="utf-8")
        assert "GET /events" in logged  # the log is the container's output
        assert {path for path in cluster_files.written(front) if path.startswith("var/")} <= {
            "var/tmp",
            "var/nginx.pid",
            *(f"var/tmp/{kind}" for kind in ("body", "proxy", "fastcgi", "uwsgi", "scgi")),
        }
        lab.close_server()


@pytest.mark.lab
def test_without_redis_a_pod_gets_no_new_clients_and_is_not_killed(tmp_path, make_store):
    kit = files(instances=3, auth="none")
    store = make_store()
    (wanted,) = container(kit, "server")["env"]
    with served(kit, tmp_path, **{wanted["name"]: f"redis://127.0.0.1:{store.port}/0"}) as lab:
        with following(lab.direct) as got:
            published = publish_through(lab, 3, 50)
            until(lambda: got.ids == published, "every event arrives")
            store.kill()
            until(lambda: probe(kit, lab, "readinessProbe") == 503, "the pod is not ready", 30)
            assert probe(kit, lab, "livenessProbe") == 200
            store.start()
            until(lambda: probe(kit, lab, "readinessProbe") == 200, "the pod is ready again", 30)
        lab.close_server()


@pytest.mark.lab
def test_the_pod_fails_and_says_so_where_it_may_not_open_enough_files(tmp_path):
    kit = files()
    here = cluster_files.image(kit, tmp_path)
    words = command(kit, "server", free_port())
    words[-1] = (
        f"ulimit -n 64 && {words[-1]}" if os.geteuid() else words[-1].replace("ulimit -n ", "ulimit -n 99999999")
    )
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    assert "ulimit" in done.stderr or "limit" in done.stderr


@pytest.mark.long
@pytest.mark.lab
def test_an_envoy_beside_the_server_carries_streams_and_sockets(tmp_path):
    kit = files(service_mesh="envoy", patterns=ALL)
    proxy, port = proxy_lab.PROXIES["envoy"], free_port()
    with proxy_lab.upstream() as up:
        text = kit["between/envoy.yaml"].decode().replace("15080", str(port)).replace("8081", str(up.port))
        (tmp_path / "envoy.yaml").write_text(text, encoding="utf-8")
        words = [proxy.binary(), "-c", "envoy.yaml", "--use-dynamic-base-id"]
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(words, cwd=tmp_path, env=proxy_lab.environment(tmp_path), stdout=out, stderr=out)
        try:
            until(lambda: Lab.listens(port) or process.poll() is not None, "envoy listens", 30)
            assert process.poll() is None, (tmp_path / "out").read_text(encoding="utf-8")
            up.mode = "ticks"
            with httpx.stream("GET", f"http://127.0.0.1:{port}/events", timeout=20) as answer:
                lags = [time.time() - float(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
            assert (len(lags), sorted(lags)[3] < 0.3) == (7, True)  # one by one: they are sent 0.3 s apart
            up.mode = "stream"
            with socket.create_connection(("127.0.0.1", port), timeout=10) as page:
                page.sendall(
                    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"X-Forwarded-For: 192.0.2.7\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                assert page.recv(4096).startswith(b"HTTP/1.1 101 ")
            assert up.requests[-1]["headers"]["x-forwarded-for"] == "192.0.2.7"
        finally:
            proxy_lab.end(process)
