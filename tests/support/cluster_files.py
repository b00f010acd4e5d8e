"""A kit's files for Kubernetes and meshes as objects, the schemas that they must fit, and its image as a folder."""

from __future__ import annotations

import copy
import functools
import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml
from referencing import Registry, Resource

from advisor.kit import build as kits
from support.hand_made_kits import context, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast
VERSION = "1.37"  # of Kubernetes
FOLDER = "deploy/kubernetes/"
LAYERS = {"edge", "deploy", "between", "server"}  # "deploy" has the server's Dockerfile
NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DURATION = {"type": "string", "pattern": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"}  # GEP-2257


def fields(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object that has exactly these fields."""
    return {
        "type": "object", "additionalProperties": False, "required": list(required), "properties": required | optional,
    }  # fmt: skip


def many(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": of}


def _object(api: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    meta = fields({"name": {"type": "string", "pattern": NAME}}, labels={"type": "object"})
    return fields({"apiVersion": {"const": api}, "kind": {"const": kind}, "metadata": meta, "spec": spec})


# Written by hand from the vendors' references, for the fields that kits use and no other: there is no package of their
# schemas that pip can install. (Compared once with the definitions of Gateway API 1.6.1 and Istio 1.31.4.)
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_BACKEND = fields({"name": {"type": "string"}, "port": _PORT})
_MATCH = fields(
    {"path": fields({"type": {"enum": ["Exact", "PathPrefix"]}, "value": {"type": "string", "pattern": "^/"}})}
)
_RULE = fields(
    {"matches": many(_MATCH), "backendRefs": many(_BACKEND)},
    timeouts=fields({"request": DURATION, "backendRequest": DURATION}),
)
_POOL = fields({
    "tcp": fields({
        "connectTimeout": DURATION,
        "tcpKeepalive": fields({"time": DURATION, "interval": DURATION, "probes": {"type": "integer"}}),
    }),
    "http": fields({"idleTimeout": DURATION}),
})  # fmt: skip
_BALANCER = fields({"simple": {"enum": ["LEAST_REQUEST", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN"]}})
_SCHEMAS = {
    "HTTPRoute": _object("gateway.networking.k8s.io/v1", "HTTPRoute", fields({
        "parentRefs": many(fields({"name": {"type": "string"}})),
        "hostnames": many({"type": "string"}),
        "rules": many(_RULE) | {"maxItems": 16},
    })),
    "VirtualService": _object("networking.istio.io/v1", "VirtualService", fields({
        "hosts": many({"type": "string"}),
        "http": many(fields({
            "route": many(fields({"destination": fields({"host": {"type": "string"}})})),
            "timeout": DURATION,
            "retries": fields({"attempts": {"type": "integer", "minimum": 0}, "retryOn": {"type": "string"}}),
        }, match=many(fields({"uri": fields({"exact": {"type": "string", "pattern": "^/"}})})))),
    })),
    "DestinationRule": _object("networking.istio.io/v1", "DestinationRule", fields({
        "host": {"type": "string"},
        "trafficPolicy": fields({"loadBalancer": _BALANCER, "connectionPool": _POOL}),
    })),
    "Kustomization": fields(
        {
            "apiVersion": {"const": "kustomize.config.k8s.io/v1beta1"}, "kind": {"const": "Kustomization"},
            "resources": many({"type": "string"}),
            "images": many(fields({name: {"type": "string"} for name in ("name", "newName", "newTag")})),
        },
        configMapGenerator=many(fields({"name": {"type": "string"}, "files": many({"type": "string"})})),
        patches=many(fields({"path": {"type": "string"}})),
    ),
}  # fmt: skip


@functools.cache
def _shipped(name: str) -> Any:
    """A schema of Kubernetes itself, in its strict form: what it does not name is refused."""
    place = (
        importlib.resources.files("kubernetes_validate") / f"kubernetes-json-schema/v{VERSION}.0-local-strict" / name
    )
    return json.loads(place.read_text(encoding="utf-8"))


@functools.cache
def _validator(api: str, kind: str) -> jsonschema.protocols.Validator:
    if kind in _SCHEMAS:
        return jsonschema.Draft202012Validator(_SCHEMAS[kind])
    group, _, version = api.rpartition("/")
    schema = _shipped("-".join([kind.lower(), *filter(None, [group.partition(".")[0]]), version]) + ".json")
    registry = Resource.from_contents(_shipped("_definitions.json")) @ (Resource.from_contents(schema) @ Registry())
    return jsonschema.Draft202012Validator(schema, registry=registry)


def fits(one: Mapping[str, Any]) -> bool:
    """Whether an object fits the schema of its kind and has no field too many."""
    return _validator(one["apiVersion"], one["kind"]).is_valid(one)


def check(one: Mapping[str, Any]) -> None:
    """Raises jsonschema.ValidationError where it does not."""
    _validator(one["apiVersion"], one["kind"]).validate(one)


def files(**answers: Any) -> dict[str, bytes]:
    """A kit for Kubernetes with these answers."""
    return rendered(**{"platform": "kubernetes", "reverse_proxy": "none"} | answers)


def for_clusters(**answers: Any) -> dict[str, bytes]:
    """The files of such a kit for Kubernetes and for stages in between, its proxy's and its server's."""
    values, chosen, _ = context(**{"platform": "kubernetes"} | answers)
    return dict(kits.rendered([option for option in chosen if option.layer in LAYERS], values))


def objects(kit: Mapping[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """Every document of every file for a cluster, by file; patches of ConfigMaps are not among them."""
    found = {
        name: list(yaml.load_all(content, LOADER))
        for name, content in kit.items()
        if name.startswith((FOLDER, "between/")) and name.endswith(".yaml")
    }
    return {name: made for name, made in found.items() if all("kind" in one for one in made)}


def merged(under: Any, over: Any) -> Any:
    """A strategic merge, as far as the kit's patches need one: mappings only."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    return {key: merged(under.get(key), over[key]) if key in over else under[key] for key in under | over}


def deployment(kit: Mapping[str, bytes]) -> dict[str, Any]:
    """What kustomization.yaml makes of the Deployment."""
    every = objects(kit)
    made = every[f"{FOLDER}server.yaml"][0]
    for patch in every[f"{FOLDER}kustomization.yaml"][0].get("patches", ()):
        (over,) = every[FOLDER + patch["path"]]
        assert [over[key] for key in ("apiVersion", "kind")] == [made[key] for key in ("apiVersion", "kind")]
        assert over["metadata"]["name"] == made["metadata"]["name"]
        made = merged(made, over)
    return made


def pod(kit: Mapping[str, bytes]) -> dict[str, Any]:
    return deployment(kit)["spec"]["template"]["spec"]


def container(kit: Mapping[str, bytes], name: str) -> dict[str, Any]:
    return next(one for one in pod(kit)["containers"] if one["name"] == name)


def keys(of: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every key whose name the schema knows: not those of labels, annotations and selectors."""
    if isinstance(of, dict):
        for key, value in of.items():
            yield (*path, key)
            named = {"labels", "annotations", "matchLabels", "requests"}
            if key not in named and (*path[-1:], key) != ("spec", "selector"):
                yield from keys(value, (*path, key))
    elif isinstance(of, list):
        for place, value in enumerate(of):
            yield from keys(value, (*path, place))


def misspelt(one: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    """The object with one key spelt with an x at its end."""
    made: Any = copy.deepcopy(one)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[f"{path[-1]}x"] = at.pop(path[-1])
    return made


def image(kit: Mapping[str, bytes], folder: Path) -> Path:
    """The folder /kit of the image that deploy/Dockerfile makes, with nothing in it that is not copied."""
    lines = kit["deploy/Dockerfile"].decode().splitlines()
    here = folder / "kit"
    for _, source, to in (line.split() for line in lines if line.startswith("COPY ")):
        found = {name: content for name, content in kit.items() if name == source or name.startswith(f"{source}/")}
        assert found, source
        for name, content in found.items():
            path = here / name if to != "." else here / source
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return here


def written(folder: Path) -> set[str]:
    """Everything below a folder but what Python keeps for itself where it may."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if "__pycache__" not in path.parts}
