"""The sheets in a real browser: no fault, no request, every width, light and dark, by keyboard, on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chrome import AXE, PROGRAM, Chrome
from sheets_kit import run_folder

from medimg.consent.context import SharingContext

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")

SHEETS = ("share-sheet.html", "PRIVATE-patient-record/record-sheet.html")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "medimg-R7Q4"
    run_folder(folder, {"P01": 3, "P02": 1}, held=1, warnings=("synced-output",), context=SharingContext())
    return folder


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    browser = Chrome(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.parametrize("name", SHEETS)
def test_no_fault_and_no_request(chrome: Chrome, out: Path, name: str) -> None:
    chrome.size(1200)
    chrome.media()
    chrome.open(out / name)
    assert chrome.run("document.title")
    kinds = [e["method"] for e in chrome.events]
    assert "Runtime.exceptionThrown" not in kinds
    assert "Runtime.consoleAPICalled" not in kinds
    assert "Log.entryAdded" not in kinds
    urls = [e["params"]["request"]["url"] for e in chrome.events if e["method"] == "Network.requestWillBeSent"]
    assert [u for u in urls if not u.startswith("data:")] == [(out / name).as_uri()]


@pytest.mark.skipif(not AXE, reason="axe-playwright-python is not installed: make .venv/.dev")
@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])  # its contrast: below
def test_axe_finds_no_barrier(chrome: Chrome, out: Path, name: str, scheme: str) -> None:
    chrome.size(1000)
    chrome.media("", scheme)
    chrome.open(out / name)
    chrome.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert chrome.barriers() == []


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_cut_off_at_any_width(chrome: Chrome, out: Path, name: str, width: int) -> None:
    """The page itself never scrolls sideways; wide tables scroll inside their own region (WCAG 2.2, 1.4.10)."""
    chrome.size(width)
    chrome.media()
    chrome.open(out / name)
    assert chrome.run("document.documentElement.scrollWidth") <= width
    wide = chrome.run(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && !e.closest('svg')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)"
    )
    assert wide == []


_CONTRAST = """
(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const lin = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const lum = c => .2126 * lin(c[0]) + .7152 * lin(c[1]) + .0722 * lin(c[2]);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > .99) return c; } return [255, 255, 255]; };
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || e.closest('svg') || e.closest('.skip')) continue;
    const a = lum(parse(getComputedStyle(e).color)), b = lum(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) out.push([e.className || e.tagName, ratio.toFixed(2), e.textContent.slice(0, 40)]);
  }
  return out;
})()
"""


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize(("kind", "scheme"), [("", "light"), ("", "dark"), ("print", "light"), ("print", "dark")])
def test_every_text_has_contrast(chrome: Chrome, out: Path, name: str, kind: str, scheme: str) -> None:
    """At least 4.5 to 1 between text and ground (WCAG 2.2, 1.4.3), in every rendering."""
    chrome.size(1000)
    chrome.media(kind, scheme)
    chrome.open(out / name)
    assert chrome.run(_CONTRAST) == []
    chrome.media()


@pytest.mark.parametrize("name", SHEETS)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(chrome: Chrome, out: Path, name: str) -> None:
    chrome.size(390)
    chrome.media()
    chrome.open(out / name)
    chrome.key("Tab", 9)
    assert chrome.run("document.activeElement.className") == "skip"
    assert chrome.run("document.activeElement.getBoundingClientRect().left") >= 0
    expected = chrome.run(
        "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')].filter(e => e.checkVisibility()).length"
    )
    reached: list[Any] = []
    for _ in range(expected - 1):
        chrome.key("Tab", 9)
        reached.append(
            chrome.run(
                "[document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim(),"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert all(label and outline != "none" for label, outline in reached), reached
    assert len(reached) == expected - 1


@pytest.mark.parametrize("name", SHEETS)
def test_what_a_screen_reader_hears(chrome: Chrome, out: Path, name: str) -> None:
    """Every picture, region and table has a name in the browser's own accessibility tree; one main landmark."""
    chrome.open(out / name)
    chrome.call("Accessibility.enable")
    nodes = [n for n in chrome.call("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]
    chrome.call("Accessibility.disable")

    def named(role: str) -> list[str]:
        return [n.get("name", {}).get("value", "") for n in nodes if n.get("role", {}).get("value") == role]

    assert len(named("main")) == 1
    for role in ("image", "region", "table", "link", "columnheader", "heading"):
        names = named(role)
        assert names or role in ("image", "table", "columnheader"), role  # what is folded is not heard yet
        assert all(names), role


@pytest.mark.parametrize("name", SHEETS)
def test_it_prints_on_a4(chrome: Chrome, out: Path, name: str, tmp_path: Path) -> None:
    chrome.open(out / name)
    pdf = base64.b64decode(chrome.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert pdf.startswith(b"%PDF-")
    import re

    boxes = {tuple(round(float(v)) for v in m.split()) for m in re.findall(rb"/MediaBox ?\[([^\]]+)\]", pdf)}
    assert boxes <= {(0, 0, 595, 842), (0, 0, 594, 842), (0, 0, 596, 842)}
    assert boxes
