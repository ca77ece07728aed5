"""The page from the first photo to the downloaded copy by keys alone, on narrow, enlarged and still screens."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from chrome import PROGRAM, Chrome
from page_kit import drawn, serving

from medimg.run.opened import open_run

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")

TYPED = {"name": "Hand group", "role": "registrar", "to": "the hand group", "date": "2026-11-20", "filed": "record"}
NOW = "document.activeElement"
IDLE = "document.body.getAttribute('aria-busy') === null"
TITLE = "document.querySelector('#act h2') && document.querySelector('#act h2').textContent"
SMALL = """[...document.querySelectorAll('button, input, select, summary, a')].filter(e => e.checkVisibility())
    .map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => Math.min(r.width, r.height) < 28)
    .map(([e]) => e.outerHTML)"""
CUT = """[...document.querySelectorAll('button, label, summary, h2, h3, p, li, a')].filter(e => e.checkVisibility()
    && !e.closest('#strip') && !e.closest('.unseen') && (e.scrollWidth > e.clientWidth + 1 && e.clientWidth
    || e.getBoundingClientRect().right > innerWidth + 1)).map(e => e.outerHTML.slice(0, 100))"""


def fits(page: Chrome, width: int) -> None:
    """Nothing is cut off or too small, the page does not scroll sideways, nothing moves by itself."""
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run(CUT) == []
    assert page.run(SMALL) == []
    assert page.run("document.getAnimations().length") == 0


def to(page: Chrome, selector: str) -> None:
    """Go to something by the Tab key; on the way all that has the focus shows it, and is in view."""
    for _ in range(120):
        page.key("Tab", 9)
        there, outline, left, right, top, bottom, high = page.run(
            f"(e => {{ const r = e.getBoundingClientRect(); return [e.matches({selector!r}), "
            "getComputedStyle(e).outlineStyle, r.left, r.right, r.top, r.bottom, innerHeight]; })"
            f"({NOW})"
        )
        if page.run(f"{NOW} === document.body"):
            continue  # round the end
        assert outline != "none", page.run(f"{NOW}.outerHTML")
        assert right > 0, page.run(f"{NOW}.outerHTML")
        assert left < page.run("innerWidth"), page.run(f"{NOW}.outerHTML")
        assert bottom > 0, page.run(f"{NOW}.outerHTML")
        assert top < high, page.run(f"{NOW}.outerHTML")
        if there:
            return
    raise AssertionError(f"no Tab leads to {selector}")


def press(page: Chrome, selector: str) -> None:
    """Go to a button, and press it."""
    to(page, selector)
    page.key("Enter", 13, "\r")


def look(page: Chrome) -> None:
    """Bring every part of the copy on the screen."""
    disabled = "document.querySelector('#act button[data-key=\"y\"]').disabled"
    page.until("at('picture').complete && at('picture').naturalWidth")
    end = time.monotonic() + 120
    while page.run(disabled):
        assert time.monotonic() < end, page.run("at('seen').textContent")
        page.key("n", ord("N"))
        time.sleep(0.5)


def answer(page: Chrome, width: int) -> int:
    """Answer as somebody to whom all is well; how many acts it took."""
    acts = 0
    while (title := page.until(TITLE)) != "Nothing is left to answer":
        assert acts < 60
        acts += 1
        fits(page, width)
        for name in page.run(
            "[...document.querySelectorAll('#act input[type=text]')].filter(i => !i.value).map(i => i.name)"
        ):
            if name in TYPED:
                to(page, f"#act input[name={name}]")
                page.call("Input.insertText", text=TYPED[name])
        if title.startswith("Look at"):
            look(page)
        key = {"What applies?": "0", "Allowed by": "1"}.get(title, "y")
        assert page.run("getComputedStyle(document.querySelector('#act .foot')).position") == "static"  # below them all
        place = page.run("document.querySelector('#act p').textContent")
        press(page, f'#act button[data-key="{key}"]')
        page.until(
            f"{IDLE} && (document.querySelector('#act h2').textContent !== {title!r} "
            f"|| document.querySelector('#act p').textContent !== {place!r})"
        )
        assert page.run(f"at('act').contains({NOW})"), title  # a screen reader goes on from the next question
        top, high = page.run("[document.querySelector('#act h2').getBoundingClientRect().top, innerHeight]")
        assert -1 < top < high, title
    return acts


@pytest.mark.parametrize(
    ("width", "height", "zoom"), [(360, 740, 1), pytest.param(640, 400, 2, marks=pytest.mark.long)]
)
def test_by_keys_alone_from_photos_to_the_downloaded_copy(tmp_path: Path, width: int, height: int, zoom: int) -> None:
    drawn(tmp_path / "a.png", 1, 700, 500)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with serving(tmp_path) as served:
        page = Chrome(tmp_path / "profile")
        try:
            page.size(width, height, zoom)
            page.media(motion="reduce")
            page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
            page.go(served.address)
            page.until("!document.querySelector('#drop').hidden")
            to(page, "#files")
            page.put("#files", tmp_path / "a.png")  # the list of files is the system's own
            page.until("document.querySelectorAll('#dropped li').length === 1 && !at('clean').disabled")
            to(page, "#where")
            page.key("ArrowDown", 40)
            assert page.run("at('where').value")
            fits(page, width)
            press(page, "#clean")
            page.until("!document.querySelector('#look').hidden", 400)
            assert page.run(f"{NOW}.id") == "act"
            assert answer(page, width) > 5
            fits(page, width)
            press(page, "#downloads a")
            end = time.monotonic() + 60
            while not (kept := [p for p in downloads.iterdir() if p.suffix == ".png"]):
                assert time.monotonic() < end
                time.sleep(0.1)
            (run,) = (served.work / "out").iterdir()
            (one,) = open_run(run).reports
            assert one.copy is not None
            assert [(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in kept] == [
                (one.copy.name, one.copy.sha256)
            ]
            assert not page.run("at('trouble').textContent")
        finally:
            page.close()
