"""The page in a real browser: hostile names stay text, no network is asked, and it fits a phone and paper."""

from __future__ import annotations

import base64
import json

import pytest
from selenium.webdriver import ActionChains, Keys
from support.hostile_names import NAMES
from support.shipped import shipped

from advisor.answers.file import read
from advisor.base.data import data
from advisor.base.text import visible
from advisor.engine.portfolio import recommend
from advisor.kit import build
from advisor.model.project import Feature, Project
from advisor.report.html import html

pytestmark = pytest.mark.lab
RULES = shipped()
ALARMS = [
    "<script>window.ran=1</script>",
    "<img src=http://127.0.0.1:9/x onerror=window.ran=1>",
    "</style><svg onload=ran=1>",
]
WIDTHS = (390, 1200)


def opened(browser, tmp_path, page, width):
    """Open the page in a window of this width; the addresses that it asked for."""
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(file.as_uri())
    browser.implicitly_wait(0)
    return browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")


def problems(browser):
    """What the browser complains of: refused by the policy, failed, or wrong."""
    return [entry["message"] for entry in browser.get_log("browser")]


def wide(browser):
    """Elements that stick out of the window to the right, except inside what scrolls by itself."""
    return browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
        " && !e.closest('.scroll:has(.numbers), .portfolio thead, pre, .skip, svg'))"
        ".map(e => e.outerHTML.slice(0, 200))"
    )


def hostile():
    names = [*ALARMS, *NAMES]
    features = [Feature(name, {"bidirectional-realtime": i % 4 == 0, "page": name}) for i, name in enumerate(names)]
    return Project(" ".join(ALARMS), {}, {}, tuple(features))


@pytest.mark.long
def test_hostile_names_do_nothing_in_a_browser(browser, tmp_path):
    project = hostile()
    verdict = recommend(project, RULES)
    files = {"nginx/nginx.conf": "\n".join(ALARMS).encode()}
    page = html(verdict, RULES, files, ALARMS)
    for width in WIDTHS:
        assert opened(browser, tmp_path, page, width) == []
        assert problems(browser) == []
        assert browser.execute_script("return window.ran") is None
        assert browser.execute_script("return document.querySelectorAll('script, img, iframe, link').length") == 0
        assert wide(browser) == []
    heads = browser.execute_script("return [...document.querySelectorAll('article > h2')].map(e => e.textContent)")
    assert heads == [visible(feature.name) for feature in project.features]


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("name", ["notifications", "support-desk", "profile-settings"])
def test_a_page_fits_a_phone_and_a_desk_and_prints_whole(browser, tmp_path, name):
    project = read(str(data("rules") / "examples" / f"{name}.yaml"), RULES)
    verdict = recommend(project, RULES)
    made = build.build(project, verdict, RULES)
    page = html(verdict, RULES, made.files, made.notes)
    for width in WIDTHS:
        assert opened(browser, tmp_path, page, width) == []
        assert problems(browser) == []
        assert wide(browser) == []
        browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
        assert wide(browser) == []
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        smallest = browser.execute_script(
            "return Math.min(...[...document.querySelectorAll('svg text')].map(e =>"
            " parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width"
            " / e.ownerSVGElement.viewBox.baseVal.width))"
        )
        assert smallest >= 9.5  # pixels: the drawings are not shrunk until nobody can read them
        cut = browser.execute_script(
            "return [...document.querySelectorAll('svg text')].filter(e => e.getBBox().x + e.getBBox().width >"
            " e.ownerSVGElement.viewBox.baseVal.width + 1).map(e => e.textContent)"
        )
        assert cut == []
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = false")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = browser.execute_script(
        "return [...document.querySelectorAll('details:not(.file)')].filter(d =>"
        " d.lastElementChild.getBoundingClientRect().height < 5).map(d => d.id)"
    )
    assert hidden == []  # what was folded on the screen is there on paper
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    images = [
        node for node in tree["nodes"] if node.get("role", {}).get("value") in {"image", "img", "graphics-document"}
    ]
    assert all(node["name"]["value"] for node in images), json.dumps(images)[:500]


@pytest.mark.long
def test_the_keyboard_reaches_and_opens_every_fold(browser, tmp_path):
    verdict = recommend(read(str(data("rules") / "examples" / "notifications.yaml"), RULES), RULES)
    opened(browser, tmp_path, html(verdict, RULES), 1200)
    folds = browser.execute_script("return document.querySelectorAll('details.part').length")
    assert folds == 5
    reached = []
    for _ in range(40):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        here = browser.execute_script(
            "const a = document.activeElement;"
            " return [a.tagName, a.parentElement?.id ?? '', getComputedStyle(a).outlineStyle]"
        )
        if here[0] == "SUMMARY" and here[1].startswith("f1-"):
            assert here[2] != "none"  # the focus can be seen
            reached.append(here[1])
            ActionChains(browser).send_keys(Keys.ENTER).perform()
            assert browser.execute_script("return document.activeElement.parentElement.open"), here
            ActionChains(browser).send_keys(Keys.SPACE).perform()
            assert not browser.execute_script("return document.activeElement.parentElement.open"), here
    assert reached[:folds] == list(dict.fromkeys(reached))  # each once, before the focus begins again
    assert len({*reached}) == folds
