"""The page in a Chromium: `make test-browser` installs what this needs and runs it."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from patternc.explore.server import Server
from patternc.explore.worker import Workers

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
# Pictures of the page go here, where this is set.
PICTURES = os.environ.get("PATTERNC_PICTURES")
SIZES = {"wide": (1200, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Workers(60.0) as workers, Server(workers.answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.url
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


def _page(
    browser: Any, url: str, size: str = "wide", scheme: str = "light", **state: object
) -> Any:
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    page.set_default_timeout(30_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.wrong = wrong
    shown = {"text": "local(256)+global([0])", "n": 4096, **state}
    page.goto(f"{url}#" + "&".join(f"{k}={str(v).replace('+', '%2B')}" for k, v in shown.items()))
    _says(page, "#summary", "n = ")
    return page


def _says(page: Any, place: str, text: str | re.Pattern[str]) -> None:
    playwright.expect(page.locator(place)).to_contain_text(text, timeout=30_000)


def _kept(page: Any, name: str) -> None:
    assert page.wrong == []
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
    page.close()


def _point(page: Any, across: float, down: float) -> None:
    box = page.locator("#mask").bounding_box()
    page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_its_window(browser: Any, url: str, size: str, scheme: str) -> None:
    page = _page(browser, url, size, scheme)
    _point(page, 0.5, 0.5)
    _says(page, "#why", "attends to")
    assert page.locator("body").bounding_box()["width"] <= SIZES[size][0]
    assert page.locator("#mask").bounding_box()["width"] <= SIZES[size][0]
    _kept(page, f"{size}-{scheme}")


def test_pointing_at_a_square_lights_the_term_that_allows_it(browser: Any, url: str) -> None:
    page = _page(browser, url)
    _point(page, 0.5, 0.5)
    _says(page, "#why", "allowed by `local(256)`")
    _says(page, "mark.lit", "local(256)")
    _point(page, 0.9, 0.002)
    _says(page, "#why", "allowed by `global([0])`")
    _kept(page, "why")


def test_typing_is_checked_and_drawn(browser: Any, url: str) -> None:
    page = _page(browser, url)
    page.fill("#text", "locl(3)")
    _says(page, "#findings .error", "did you mean `local`?")
    _says(page, "mark.error", "locl")
    assert page.locator("body.stale").count() == 1
    page.fill("#text", "heads 2\nlayers 3\ncausal")
    _says(page, "#summary", "layer 0 of 3")
    assert page.locator("#findings li").count() == 0
    assert "causal" in page.url
    _kept(page, "typed")


def test_a_mask_of_a_billion_tokens_is_zoomed_to_single_pairs_by_keys_alone(
    browser: Any, url: str
) -> None:
    page = _page(browser, url, n=10**9)
    _says(page, "#window", "16,777,216 tokens a square")
    for _ in range(20):
        if not page.locator("#mask:focus").count():
            page.keyboard.press("Tab")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
    for _ in range(30):
        page.keyboard.press("+")
    _says(page, "#window", "1 token a square")
    page.keyboard.press("ArrowRight")
    _says(page, "#why", "attends to key")
    page.keyboard.press("0")
    _says(page, "#window", "queries 0 to 1,000,000,000")
    _kept(page, "keys")


def test_the_slider_grows_the_field_of_the_row(browser: Any, url: str) -> None:
    page = _page(browser, url, text="causal%26local(16)", n=512)
    _point(page, 0.5, 0.5)
    _says(page, "#row", re.compile(r"\d"))
    before = page.locator("#mask").screenshot()
    page.fill("#depth", "4")
    _says(page, "#after", "4")
    page.wait_for_timeout(1000)
    assert page.locator("#mask").screenshot() != before
    _kept(page, "reach")


def test_two_patterns_are_compared_and_the_pair_is_shown(browser: Any, url: str) -> None:
    page = _page(browser, url)
    page.click("#compare summary")
    page.fill("#other", "local(255) + global([0])")
    _says(page, "#difference", "query 1, key 257")
    page.click("#witness")
    _says(page, "#why", "query 1 attends to key 257")
    _says(page, "#window", "1 token a square")
    _kept(page, "diff")


def test_the_cost_is_told_when_it_is_asked_for(browser: Any, url: str) -> None:
    page = _page(browser, url)
    page.click("#cost summary")
    _says(page, "#report", "pairs")
    _kept(page, "cost")


def test_text_stands_out_from_its_ground(browser: Any, url: str) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 for text."""
    for scheme in ("light", "dark"):
        page = _page(browser, url, scheme=scheme)
        for place in ("#summary", "#window", "#keys", "#why", "label[for=text]", "#text"):
            assert _contrast(page, place) >= 4.5, (scheme, place)
        page.close()


def _contrast(page: Any, place: str) -> float:
    colour = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    ink, paper = (_luminance(found) for found in page.locator(place).evaluate(colour))
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
