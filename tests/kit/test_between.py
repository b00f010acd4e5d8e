"""What is to be set at balancers and CDNs: the files say so for the kit's numbers; no line is there for nothing."""

from __future__ import annotations

import functools
import itertools
import json
import re
from pathlib import Path

import hcl2
import pytest
import yaml
from support.hand_made_kits import OPTIONS, Base, context
from support.hostile_names import NAMES

from advisor.answers import file as answers
from advisor.base.errors import OutputError
from advisor.engine import portfolio
from advisor.engine.timing import waits
from advisor.kit import build as kit
from advisor.kit import quoting
from advisor.kit import values as kit_values
from advisor.kit.quoting import UnquotableError
from advisor.kit.values import silence
from advisor.model import platforms
from advisor.model.project import Feature, Project
from advisor.ruleset import cache

BETWEEN = {option.name: option for option in OPTIONS()["between"] if option.fact in {"load-balancer", "cdn"}}
ARGUMENTS = yaml.safe_load((Path(__file__).parent / "provider_arguments.yaml").read_text("utf-8"))
PATTERNS = ("websocket", "sse", "long-polling", "short-polling")
HCL = [name for name, option in BETWEEN.items() if option.files[0].target == "hcl"]


@functools.cache
def told(name, pattern, **more):
    """The values that this stage's files are made from."""
    option = BETWEEN[name]
    values, chosen, _ = context(patterns=(pattern,), **{option.fact: option.serves[0]}, **more)
    assert option in chosen
    return values


@functools.cache
def stage(name, project="Acme orders", pattern="websocket", **more):
    """(the files of this stage by name, the values that they were made from)."""
    option = BETWEEN[name]
    slug = quoting.Trusted(quoting.own_slug(project, "realtime"))
    values = told(name, pattern, **more) | {"project": project, "slug": slug}
    return {to.removeprefix("between/"): text.decode() for to, text in kit.rendered([option], values)}, values


def main(name, pattern="websocket", **more):
    files, values = stage(name, pattern=pattern, **more)
    return files[Path(BETWEEN[name].files[0].to).name], values


def bare(value):
    return value[1:-1] if isinstance(value, str) and value.startswith('"') else value


def settings(text):
    """Path (type.label.block.argument) to value, of every resource and data source."""
    found = {}

    def walk(prefix, body):
        for key, value in body.items():
            inner = value if isinstance(value, list) else [value]
            if key.startswith("__"):
                continue
            if key == "dynamic":
                for one in inner:
                    ((name, dynamic),) = ((bare(k), v) for k, v in one.items())
                    found[f"{prefix}.{name}.for_each"] = [bare(v) for v in dynamic.get("for_each", [])]
                    walk(f"{prefix}.{name}", dynamic["content"][0])
            elif key != "request_parameters" and inner and all(isinstance(one, dict) for one in inner):
                for one in inner:
                    found.setdefault(f"{prefix}.{key}", "block")
                    walk(f"{prefix}.{key}", one)
            else:
                found[f"{prefix}.{key}"] = [bare(v) for v in value] if isinstance(value, list) else bare(value)

    read = hcl2.loads(text)
    for kind in ("resource", "data"):
        for block in read.get(kind, []):
            for type_, labels in block.items():
                for label, body in labels.items():
                    walk(("data." if kind == "data" else "") + f"{bare(type_)}.{bare(label)}", body)
    return found


# --- what must be set -------------------------------------------------------------------------------------------------


def at_least(number):
    return lambda value, kit: value >= kit["quiet_s"] and value == max(number, kit["quiet_s"])


def after_drain(value, kit):
    return value > kit["drain_s"]


IN_FRONT = lambda value, kit: value == kit["front_timeout_s"] > kit["quiet_s"]  # noqa: E731 - a row of the table below
FIRST_BYTE = lambda value, kit: value == max(60, kit["quiet_s"]) * 1000  # noqa: E731 - a row of the table below
ALL = ["/events", "/ws", "/ticket", "/send", "/poll", "/snapshot", "/config", "/session", "/publish"]  # of the server
ORIGIN = "aws_cloudfront_distribution.realtime.origin.custom_origin_config."
PATHS = "aws_cloudfront_distribution.realtime.ordered_cache_behavior."
PORT = lambda value, kit: value == kit["origin"]["port"]  # noqa: E731 - a row of the table below
SET = {
    "aws-alb": {
        "aws_lb.realtime.load_balancer_type": "application",
        "aws_lb.realtime.idle_timeout": at_least(60),
        "aws_lb.realtime.enable_http2": True,
        "aws_lb_target_group.realtime.port": PORT,
        "aws_lb_target_group.realtime.protocol": "HTTPS",
        "aws_lb_target_group.realtime.deregistration_delay": after_drain,
        "aws_lb_target_group.realtime.health_check.path": "/healthz",
        "aws_lb_target_group.realtime.health_check.protocol": "HTTPS",
        "aws_lb_target_group.realtime.health_check.matcher": "200",
        "aws_lb_target_group.realtime.health_check.interval": 10,
    },
    "aws-nlb": {
        "aws_lb.realtime.load_balancer_type": "network",
        "aws_lb_target_group.realtime.port": PORT,
        "aws_lb_target_group.realtime.protocol": "TCP",
        "aws_lb_target_group.realtime.preserve_client_ip": True,
        "aws_lb_target_group.realtime.deregistration_delay": after_drain,
        "aws_lb_target_group.realtime.connection_termination": True,
        "aws_lb_target_group.realtime.health_check.path": "/healthz",
        "aws_lb_target_group.realtime.health_check.protocol": "HTTPS",
        "aws_lb_target_group.realtime.health_check.interval": 10,
        "aws_lb_listener.realtime.protocol": "TCP",
        "aws_lb_listener.realtime.tcp_idle_timeout_seconds": at_least(350),
    },
    "aws-api-gateway": {
        "aws_api_gateway_rest_api.realtime.endpoint_configuration.types": ["REGIONAL"],
        "aws_api_gateway_resource.all.path_part": "{proxy+}",
        "aws_api_gateway_method.all.request_parameters": {'"method.request.path.proxy"': True},
        "aws_api_gateway_integration.all.request_parameters": {
            '"integration.request.path.proxy"': '"method.request.path.proxy"'
        },
        "aws_api_gateway_integration.all.type": "HTTP_PROXY",
        "aws_api_gateway_integration.all.uri": "https://${var.proxy}:8443/{proxy}",
        "aws_api_gateway_integration.all.response_transfer_mode": "STREAM",
        "aws_api_gateway_integration.all.timeout_milliseconds": 900_000,
    },
    "gcp-lb": {
        "google_compute_health_check.realtime.check_interval_sec": 10,
        "google_compute_health_check.realtime.https_health_check.request_path": "/healthz",
        "google_compute_health_check.realtime.https_health_check.port": PORT,
        "google_compute_backend_service.realtime.load_balancing_scheme": "EXTERNAL_MANAGED",
        "google_compute_backend_service.realtime.protocol": "HTTPS",
        "google_compute_backend_service.realtime.timeout_sec": 86_400,
        "google_compute_backend_service.realtime.connection_draining_timeout_sec": after_drain,
        "google_compute_backend_service.realtime.session_affinity": "NONE",
        "google_compute_backend_service.realtime.enable_cdn": False,
    },
    "azure-app-gateway": {
        "azurerm_application_gateway.realtime.http2_enabled": True,
        "azurerm_application_gateway.realtime.global.response_buffering_enabled": False,
        "azurerm_application_gateway.realtime.backend_http_settings.port": PORT,
        "azurerm_application_gateway.realtime.backend_http_settings.protocol": "Https",
        "azurerm_application_gateway.realtime.backend_http_settings.request_timeout": IN_FRONT,
        "azurerm_application_gateway.realtime.backend_http_settings.cookie_based_affinity": "Disabled",
        "azurerm_application_gateway.realtime.backend_http_settings.pick_host_name_from_backend_address": False,
        "azurerm_application_gateway.realtime.backend_http_settings.probe_name": "realtime",
        "azurerm_application_gateway.realtime.backend_http_settings.connection_draining.enabled": True,
        "azurerm_application_gateway.realtime.backend_http_settings.connection_draining.drain_timeout_sec": after_drain,
        "azurerm_application_gateway.realtime.probe.path": "/healthz",
        "azurerm_application_gateway.realtime.probe.protocol": "Https",
    },
    "cloudflare": {
        "cloudflare_zone_setting.websockets.setting_id": "websockets",
        "cloudflare_zone_setting.websockets.value": "on",
        "cloudflare_ruleset.not_cached.phase": "http_request_cache_settings",
        "cloudflare_ruleset.not_cached.rules.expression": lambda value, _: {"/events", "/poll", "/ws"} <= quoted(value),
        "cloudflare_ruleset.not_cached.rules.action": "set_cache_settings",
        "cloudflare_ruleset.not_cached.rules.action_parameters.cache": False,
        "cloudflare_ruleset.not_buffered.phase": "http_config_settings",
        "cloudflare_ruleset.not_buffered.rules.expression": lambda value, _: {"/events", "/poll"} <= quoted(value),
        "cloudflare_ruleset.not_buffered.rules.action": "set_config",
        "cloudflare_ruleset.not_buffered.rules.action_parameters.response_body_buffering": "none",
    },
    "cloudfront": {
        "data.aws_cloudfront_cache_policy.none.name": "Managed-CachingDisabled",
        "data.aws_cloudfront_origin_request_policy.all.name": "Managed-AllViewer",
        "aws_cloudfront_distribution.realtime.http_version": "http2and3",
        ORIGIN + "https_port": PORT,
        ORIGIN + "origin_protocol_policy": "https-only",
        ORIGIN + "origin_read_timeout": at_least(60),
        ORIGIN + "origin_keepalive_timeout": lambda value, kit: (
            value < kit["keep_alive_s"]
        ),
        PATHS + "for_each": ALL,
        PATHS + "path_pattern": "${ordered_cache_behavior.value}",
        PATHS + "compress": False,
        PATHS + "cache_policy_id": (
            "${data.aws_cloudfront_cache_policy.none.id}"
        ),
        PATHS + "origin_request_policy_id": (
            "${data.aws_cloudfront_origin_request_policy.all.id}"
        ),
    },
    "azure-front-door": {
        "azurerm_cdn_frontdoor_profile.realtime.response_timeout_seconds": 240,
        "azurerm_cdn_frontdoor_origin_group.realtime.session_affinity_enabled": False,
        "azurerm_cdn_frontdoor_origin_group.realtime.health_probe.path": "/healthz",
        "azurerm_cdn_frontdoor_origin_group.realtime.health_probe.protocol": "Https",
        "azurerm_cdn_frontdoor_origin_group.realtime.health_probe.request_type": "GET",
        "azurerm_cdn_frontdoor_origin.realtime.https_port": PORT,
        "azurerm_cdn_frontdoor_route.realtime.forwarding_protocol": "HttpsOnly",
        "azurerm_cdn_frontdoor_route.realtime.patterns_to_match": ["/*"],
    },
    "fastly": {
        "fastly_service_vcl.realtime.backend.port": PORT,
        "fastly_service_vcl.realtime.backend.first_byte_timeout": FIRST_BYTE,
        "fastly_service_vcl.realtime.backend.between_bytes_timeout": 60_000,
        "fastly_service_vcl.realtime.backend.keepalive_time": lambda value, kit: value < kit["keep_alive_s"],
        "fastly_service_vcl.realtime.product_enablement.websockets": True,
        "fastly_service_vcl.realtime.snippet.type": "recv",
        "fastly_service_vcl.realtime.snippet.content": '${file("${path.module}/fastly.vcl")}',
    },
}  # fmt: skip
# What only makes the resource whole: asked for by the provider, or one resource pointing at another.
WHOLE = {
    "name", "vpc_id", "subnets", "load_balancer_arn", "target_group_arn", "type", "zone_id", "kind", "ref",
    "description",
    "origin_id", "domain_name", "target_origin_id", "viewer_protocol_policy", "allowed_methods", "cached_methods",
    "http_port", "origin_ssl_protocols", "enabled", "group", "health_checks", "rest_api_id", "parent_id",
    "resource_id",
    "http_method", "authorization", "integration_http_method", "resource_group_name", "sku_name", "host_name",
    "cdn_frontdoor_profile_id", "cdn_frontdoor_origin_group_id", "cdn_frontdoor_endpoint_id",
    "cdn_frontdoor_origin_ids",
    "certificate_name_check_enabled", "supported_protocols", "https_redirect_enabled", "interval_in_seconds",
    "interval",
    "timeout", "unhealthy_threshold", "host", "request_buffering_enabled", "address", "use_ssl", "ssl_cert_hostname",
    "ssl_sni_hostname", "port",
}  # fmt: skip


def quoted(expression):
    return set(re.findall(r'\\"(/[a-z]+)\\"', expression))


def wrong(name, text, kit_values_):
    """The rows of SET that this text does not fulfil."""
    found = settings(text)
    return [
        path
        for path, wanted in SET[name].items()
        if path not in found
        or not (wanted(found[path], kit_values_) if callable(wanted) else found[path] == wanted)
    ]  # fmt: skip


WITHOUT_FILE = {  # stages with a card and without a template: the kit's README says what has to be set there
    "load-balancer": {"aws-clb", "azure-api-management", "hetzner-lb"},
    "cdn": {"bunny", "cloudflare-tunnel"},
}


@pytest.mark.long
def test_every_stage_that_can_be_answered_has_its_file_or_is_named_in_the_readme():
    base = cache.load()
    for fact, without in WITHOUT_FILE.items():
        served = {answer for option in BETWEEN.values() if option.fact == fact for answer in option.serves}
        assert served == set(base.questions[fact].options) - {"none"} - without
        for answer in without:
            features = (Feature("prices", {"clients": ("browser",), "bidirectional-realtime": False}),)
            project = Project("Acme", {fact: answer, "reverse-proxy": "nginx"}, {}, features)
            made = kit.build(project, portfolio.recommend(project, base), base).files
            readme = made["README.md"].decode()
            assert re.search(rf"There is no template yet for {answer}\. Every proxy between .* has to do this:", readme)
    assert set(HCL) == set(SET)


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("name", HCL)
def test_what_matters_to_streams_is_set_and_without_any_line_it_is_seen(name):
    text, values = main(name)
    assert wrong(name, text, values) == []
    whole = settings(text)
    lines = text.splitlines()
    checked = 0
    for i, line in enumerate(lines):
        if not re.match(r"\s*\w+\s*=(?!\s*\[\{)", line):
            continue
        without = "\n".join(lines[:i] + lines[i + 1 :]) + "\n"
        missing = set(whole) - set(settings(without))
        red = wrong(name, without, values)
        assert red or missing, line
        assert red or {path.split(".")[-1] for path in missing} <= WHOLE, line
        checked += 1
    assert checked > 10


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("name", HCL)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_providers_know_every_argument(name, pattern):
    for edge in ("nginx", "none"):
        for path in settings(main(name, pattern, reverse_proxy=edge)[0]):
            if path.startswith("data."):
                continue
            type_, _, rest = path.split(".", 2)
            *blocks, argument = rest.removesuffix(".for_each").split(".")
            assert argument in ARGUMENTS[".".join([type_, *blocks])], path


def statements(vcl):
    return [line for text in vcl.splitlines() if (line := text.split("#")[0].strip())]


def test_fastly_passes_streams_and_polls_and_hands_sockets_over():
    vcl = stage("fastly")[0]["fastly.vcl"]
    assert statements(vcl) == [
        'if (req.url.path == "/ws" && req.http.Upgrade) {',
        "return(upgrade);",
        "}",
        'if (req.url.path == "/events" || req.url.path == "/poll" || req.url.path == "/snapshot") {',
        "unset req.http.Accept-Encoding;",
        "return(pass);",
        "}",
    ]
    assert "upgrade" not in "".join(statements(stage("fastly", pattern="sse")[0]["fastly.vcl"]))


def test_akamai_outwaits_the_kits_silence_and_does_not_cache_or_compress():
    text, values = main("akamai")
    rule = json.loads(text)
    behaviors = {one["name"]: one["options"] for one in rule["behaviors"]}
    wait = f"{max(60, values['quiet_s'])}s"
    assert behaviors == {
        "readTimeout": {"value": wait, "firstByteTimeout": wait},
        "caching": {"behavior": "NO_STORE"},
        "webSockets": {"enabled": True},
        "gzipResponse": {"behavior": "NEVER"},
        "allowPost": {"enabled": True, "allowWithoutContentLength": False},
    }
    assert rule["criteria"][0]["options"]["values"] == ALL
    assert "webSockets" not in main("akamai", "sse")[0]


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_file_that_was_not_run_says_so_first(name, pattern):
    for edge in ("nginx", "varnish", "none"):
        for file, text in stage(name, pattern=pattern, reverse_proxy=edge)[0].items():
            start = json.loads(text)["comments"] if file.endswith(".json") else text.splitlines()[0].removeprefix("# ")
            assert start.startswith("Not run here.")
            assert len(text.splitlines()) < 85
            assert max(map(len, text.splitlines())) < 140 or file.endswith(".json")
            assert not re.search(r"\n\n\n|\{\{|\{%(?!\{)", text)
            told = re.findall(r"/(?:events|ws)\b", text)
            assert pattern == "websocket" or "/ws" not in told or file == "cloudflare.tf"
            assert ("something every" in text) <= (pattern in {"websocket", "sse"})


@pytest.mark.parametrize("name", [n for n in HCL if n not in {"cloudflare", "aws-nlb"}])
def test_a_proxy_without_tls_is_spoken_to_without(name):
    text, values = main(name, reverse_proxy="none")
    assert values["origin"] == {"tls": False, "port": 8080}
    if BETWEEN[name].fact == "load-balancer":
        assert "8443" not in text
        assert re.search(r"\b8080\b", text)
        assert not re.search(r'= "(HTTPS|Https)"|"https://', text)


# --- numbers ----------------------------------------------------------------------------------------------------------

# (the setting, the limit on the card, units in a second)
LIMITS = {
    "aws-alb": [("aws_lb.realtime.idle_timeout", "aws-alb/limits/idle", 1)],
    "aws-nlb": [("aws_lb_listener.realtime.tcp_idle_timeout_seconds", "aws-nlb/limits/idle", 1)],
    "aws-api-gateway": [
        ("aws_api_gateway_integration.all.timeout_milliseconds", "aws-api-gateway/limits/stream-life", 1000)
    ],
    "gcp-lb": [("google_compute_backend_service.realtime.timeout_sec", "gcp-lb/limits/response", 1)],
    "azure-app-gateway": [
        (
            "azurerm_application_gateway.realtime.backend_http_settings.request_timeout",
            "azure-app-gateway/limits/request",
            1,
        ),
        (
            "azurerm_application_gateway.realtime.backend_http_settings.connection_draining.drain_timeout_sec",
            "azure-app-gateway/limits/drain",
            1,
        ),
    ],
    "cloudfront": [
        (
            ORIGIN + "origin_read_timeout",
            "cloudfront/limits/response",
            1,
        )
    ],
    "azure-front-door": [
        ("azurerm_cdn_frontdoor_profile.realtime.response_timeout_seconds", "azure-front-door/limits/origin", 1)
    ],
    "fastly": [
        ("fastly_service_vcl.realtime.backend.first_byte_timeout", "fastly/limits/first-byte", 1000),
        ("fastly_service_vcl.realtime.backend.between_bytes_timeout", "fastly/limits/between-bytes", 1000),
    ],
}
FEATURES = {
    "websocket": {"bidirectional-realtime": True},
    "sse": {},
    "long-polling": {"buffering-intermediary": True, "websockets-blocked": "always"},
}


@functools.cache
def real(pattern, balancer, cdn, idle=None):
    """The files that the real decision gives for this way, and its verdict."""
    base = cache.load()
    told = {"load-balancer": balancer, "cdn": cdn, "clients": ("browser",), "server-msg-rate-per-s": 0.2}
    told |= {"bidirectional-realtime": False} | FEATURES[pattern] | ({"idle-timeout-s": idle} if idle else {})
    project = answers.Project("Acme", {}, {}, (answers.Feature("a", told),))
    verdict = portfolio.recommend(project, base)
    made = kit.build(project, verdict, base).files
    return {name: text.decode() for name, text in made.items() if name.startswith(("between/", "settings"))}, verdict


@pytest.mark.long
@pytest.mark.parametrize("pattern", FEATURES)
@pytest.mark.parametrize("idle", [None, pytest.param(3600, marks=pytest.mark.long)])
def test_settings_lie_in_the_platforms_range_and_outlast_the_silence(pattern, idle):
    base, checked = cache.load(), 0
    for name, option in BETWEEN.items():
        stands = {"load-balancer": "none", "cdn": "none"} | {option.fact: option.serves[0]}
        files, _ = real(pattern, *stands.values(), idle)
        numbers = json.loads(files["settings.json"])
        quiet = silence(times(numbers["heartbeat_s"], numbers["hold_s"]), numbers["transports"])["quiet_s"]
        for path, row_path, each_s in LIMITS.get(name, []):
            row = platforms.row(base, row_path)
            value = settings(files[f"between/{name}.tf"])[path] / each_s
            assert (row.low or 1) <= value <= (row.up_to or row.value), (name, path)
            assert value >= (numbers["drain_s"] + 1 if row.kind == "grace" else quiet), (name, path)
            checked += 1
    assert checked > 7


def test_files_of_two_stages_go_into_one_folder():
    """Terraform takes all .tf files of a folder for one: no name twice."""
    said = {
        name: re.findall(r'^(?:variable|resource|data) (?:"\w+" ?){1,2}', main(name)[0], re.MULTILINE) for name in HCL
    }
    assert all(len(set(names)) == len(names) > 0 for names in said.values())
    for balancer, cdn in itertools.combinations(HCL, 2):
        if BETWEEN[balancer].fact != BETWEEN[cdn].fact:
            assert not set(said[balancer]) & set(said[cdn]), (balancer, cdn)


def test_a_limit_in_conflict_is_never_called_harmless():
    _, verdict = real("sse", "gcp-lb", "none")
    (conflict,) = verdict["features"][0]["timing"]["conflicts"]
    assert "Raise it to 86400 s at most with backendService.timeoutSec" in conflict["text"]
    assert "timeout_sec = 86400" in real("sse", "gcp-lb", "none")[0]["between/gcp-lb.tf"]


def times(heartbeat_s, hold_s):
    return {"heartbeat_s": heartbeat_s, "hold_s": hold_s} | waits(heartbeat_s, hold_s, cache.load())


@pytest.mark.parametrize(
    ("heartbeat_s", "hold_s", "serves", "quiet", "held"),
    [
        (15, 25, ["sse"], 31, 45),
        (15, 25, ["websocket", "sse", "long-polling"], 31, 45),
        (5, 25, ["websocket", "sse", "long-polling"], 30, 30),
        (300, 25, ["websocket"], 601, 900),
        (15, 60, ["long-polling"], 65, 65),
        (10, 25, ["short-polling"], 5, 60),
    ],
)
def test_three_silent_heartbeats_are_a_hang_and_proxies_wait_a_little_longer(heartbeat_s, hold_s, serves, quiet, held):
    found = silence(times(heartbeat_s, hold_s), serves)
    assert (found["quiet_s"], found["held_timeout_s"], found["front_timeout_s"]) == (quiet, held, held + 5)


def test_a_row_that_the_rules_no_longer_have_is_said():
    cards = json.loads(Base().platforms)
    alb = next(card for card in cards if card["id"] == "aws-alb")
    alb["groups"]["limits"] = []
    base = Base(platforms=json.dumps(cards))
    chosen = [BETWEEN["aws-alb"]]
    with pytest.raises(OutputError, match="aws-alb/limits/idle of the platform cards, and the rules have no such line"):
        kit_values._rows(chosen, base)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BETWEEN)
def test_no_name_breaks_out_of_its_place(name):
    plain = stage(name, "plain")[0]
    seen = 0
    for hostile in NAMES:
        try:
            files = stage(name, hostile)[0]
        except UnquotableError:
            continue
        for file, text in files.items():
            if file.endswith(".json"):
                made, other = json.loads(text), json.loads(plain[file])
                made.pop("comments"), other.pop("comments")
                assert made == other
                continue
            lines, others = text.splitlines(), plain[file].splitlines()
            assert len(lines) == len(others)
            for line, other in zip(lines, others, strict=True):
                if line != other:
                    assert line.startswith("# Not run here. ") or re.fullmatch(r' *name +=  *"[a-z0-9-]+"', line), line
            seen += 1
    assert seen > 60 or name == "akamai"


@pytest.mark.parametrize("name", HCL)
@pytest.mark.parametrize("hostile", ["$", "${var.x} %{ if true }", "x" * 5000, '"; } resource', "internal-x", "-"])
def test_names_are_what_the_platforms_take(name, hostile):
    for path, value in settings(stage(name, hostile)[0][Path(BETWEEN[name].files[0].to).name]).items():
        if re.fullmatch(r"aws_lb\w*\.\w+\.name", path):
            assert re.fullmatch(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", value)
        elif path.endswith(".name") and not path.startswith(
            ("data.", "cloudflare", "fastly_service_vcl.realtime.domain")
        ):
            assert re.fullmatch(r"[a-z]([a-z0-9-]{0,58}[a-z0-9])?", value)
