"""The sheets in a real browser: on a phone, on a desk, on paper; no request, no console message, usable by keyboard."""

from __future__ import annotations

import html
import io
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sheets_kit import run_folder

from medimg.consent.context import SharingContext

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
SHEETS = ["share-sheet.html", "PRIVATE-patient-record/record-sheet.html"]

# Each page is shown in a frame of the width asked for, and says how it came out.
HARNESS = """<!doctype html><title>harness</title><pre id="out"></pre><iframe id="page" style="width:%dpx;height:900px"
 srcdoc="%s"></iframe><script>
document.getElementById("page").onload = event => {
  const d = event.target.contentDocument, w = event.target.contentWindow;
  const shown = e => e.getClientRects().length > 0;
  const all = q => [...d.querySelectorAll(q)];
  const folded = all("details").filter(e => !e.open).length;
  all("details").forEach(e => { e.open = true; });
  const reach = all("a[href], button, input, summary, [tabindex='0']").filter(shown);
  const focus = reach.map(e => { e.focus(); return d.activeElement === e; });
  const outline = reach.map(e => { e.focus(); const s = w.getComputedStyle(e);
    return s.outlineStyle !== "none" || s.boxShadow !== "none"; });
  const wide = all("*").filter(e => w.getComputedStyle(e).overflowX === "auto" && e.scrollWidth > e.clientWidth + 1);
  document.getElementById("out").textContent = JSON.stringify({
    folded, overflow: d.documentElement.scrollWidth - w.innerWidth,
    first: reach.length ? reach[0].className : "",
    focus: focus.every(Boolean), outline: outline.every(Boolean), reach: reach.length,
    unreachable: wide.filter(e => e.tabIndex < 0).length,
    unnamed: all("[role=region], svg[role=img], section").filter(
      e => !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby")).length,
    dangling: all("[aria-labelledby]").filter(e => !d.getElementById(e.getAttribute("aria-labelledby"))).length,
    twice: all("[id]").length - new Set(all("[id]").map(e => e.id)).size,
    levels: all("h1,h2,h3,h4").map(e => +e.tagName[1]), lang: d.documentElement.lang,
    requests: w.performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length,
    scripts: all("script").length, small: all("p,li,td,th,dd").filter(
      e => shown(e) && parseFloat(w.getComputedStyle(e).fontSize) < 11).length });
};</script>"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "medimg-R7Q4"
    run_folder(folder, {"P01": 3, "P02": 1}, held=1)
    return folder


def chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
    more = [
        "--no-first-run",
        "--disable-background-networking",
        "--enable-logging=stderr",
        "--virtual-time-budget=4000",
    ]
    return subprocess.run(
        [*line, *more, "--virtual-time-budget=4000", *arguments], capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("name", SHEETS)
def test_a_page_fits_its_width_and_can_be_used_by_keyboard(run: Path, tmp_path: Path, name: str, width: int) -> None:
    page = tmp_path / "harness.html"
    page.write_text(HARNESS % (width, html.escape((run / name).read_text(), quote=True)))
    done = chromium(tmp_path, "--dump-dom", page.as_uri())
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert said["overflow"] <= 0
    assert said["first"] == "skip"
    assert said["reach"] >= 2
    assert said["folded"] >= 2
    assert said["focus"]
    assert said["outline"]
    assert said["lang"] == "en"
    for nothing in ("unreachable", "unnamed", "dangling", "twice", "requests", "scripts", "small"):
        assert said[nothing] == 0, nothing
    levels = said["levels"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


@pytest.mark.parametrize("name", SHEETS)
def test_a_page_prints_on_a4_asks_the_network_for_nothing_and_says_nothing_on_the_console(
    run: Path, tmp_path: Path, name: str
) -> None:
    done = chromium(tmp_path, f"--print-to-pdf={tmp_path / 'a.pdf'}", (run / name).as_uri())
    assert "CONSOLE" not in done.stderr
    made = pypdf.PdfReader(io.BytesIO((tmp_path / "a.pdf").read_bytes()))
    sizes = {(int(p.mediabox.width), int(p.mediabox.height)) for p in made.pages}
    assert sizes <= {(594, 841), (595, 841), (595, 842)}
    words = " ".join(p.extract_text() for p in made.pages)
    assert "R7Q4" in words
    assert "P01" in words
    page = (run / name).read_text()
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//|url\((?!['\"]?data:)|@import", page)


def printed(folder: Path, page: Path) -> list[str]:
    """What each page says when a sheet is printed, with its detail folded as it is when it is opened."""
    chromium(folder, f"--print-to-pdf={folder / 'a.pdf'}", page.as_uri())
    return [p.extract_text() for p in pypdf.PdfReader(folder / "a.pdf").pages]


def test_the_record_sheet_of_eight_photos_prints_on_at_most_six_pages(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 7}, held=1, context=SharingContext())  # every question of every country
    pages = printed(tmp_path, out / "PRIVATE-patient-record" / "record-sheet.html")
    assert len(pages) <= 6
    first = " ".join(pages[0].split())
    order = [first.index(x) for x in ("P01-001.jpg", "P01-007.jpg", "Found: 16 pieces of writing", "What is open")]
    assert order == sorted(order)


def test_the_first_page_of_the_share_sheet_has_pictures_then_words_then_what_is_open(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 8})
    pages = printed(tmp_path, out / "share-sheet.html")
    first = " ".join(pages[0].split())
    wanted = ("P01-001.jpg", "P01-008.jpg", "Found: 16 pieces of writing", "It is not permission", "Remaining risk")
    order = [first.index(x) for x in wanted]
    assert order == sorted(order)
    assert len(pages) <= 4
