"""A figure that stands on two pages is the same on both, and the same as in the code it speaks of."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from medimg.policy import Policy
from medimg.report import words

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
POLICY = Policy.load()


def said(page: str, pattern: str) -> set[str]:
    """What the one group of ``pattern`` takes on a page of docs/; at least one hit."""
    text = " ".join((DOCS / page).read_text("utf-8").split())
    found = set(re.findall(pattern, text))
    assert found, (page, pattern)
    return found


def percent(share: float) -> str:
    """A share as the pages write it."""
    return f"{share:.0%}".removesuffix("%")


FIGURES = {
    "close-ups missed": [
        ("checks.md", r"About (1 in \d+) clinical close-ups is missed"),
        ("dicom.md", r"about (1 in \d+) clinical close-ups"),
    ],
    "letters at 3 megapixels": [
        ("checks.md", r"\| 3 megapixels \([^)]+\) \| (\d+) pixels"),
        ("benchmarks.md", r"report says (\d+) and \d+"),
    ],
    "letters at 12 megapixels": [
        ("checks.md", r"\| 12 megapixels \([^)]+\) \| (\d+) pixels"),
        ("benchmarks.md", r"report says \d+ and (\d+)"),
    ],
    "harmless text lost": [
        ("comparison.md", r"\| medimg \| (\d+ of \d+) \| \d+ of \d+ \| 0\.0 %"),
        ("comparison.md", r"medimg lost (\d+ of \d+)"),
    ],
}


@pytest.mark.parametrize("name", FIGURES)
def test_pages_agree(name: str) -> None:
    (first, pattern), *others = FIGURES[name]
    figure = said(first, pattern)
    assert len(figure) == 1
    assert all(said(page, p) == figure for page, p in others)


def cells(page: str, row: str) -> list[str]:
    """The cells of the one row of a table that begins with this."""
    (found,) = re.findall(rf"^\| \**{re.escape(row)}[^|]*\|(.+)\|$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    return [c.strip(" *") for c in found.split("|")]


def test_the_readme_has_the_figures_of_the_page_that_counts_them() -> None:
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())

    def stated(pattern: str) -> tuple[str, ...]:
        found = re.search(pattern, readme)
        assert found, pattern
        return found.groups()

    number, covered, *_ = cells("checks.md", "general")
    assert stated(r"([\d.]+ %) of (\d+) faces were covered") == (covered, number)
    number, covered, asked, _ = cells("checks.md", "clinical close-ups")
    share, close_ups, or_asked = stated(r"(\d+) % of (\d+) clinical close-ups; with those asked about, (\d+) %")
    assert close_ups == number
    assert [share, or_asked] == [f"{float(c.removesuffix(' %')):.0f}" for c in (covered, asked)]
    for things, row in (
        ("names and numbers", "texts covered"),
        ("codes were", "codes covered"),
        ("rulers", "rulers touched"),
    ):
        hit, of = stated(rf"(\d+) of (\d+) {things}")
        assert cells("checks.md", f"{row} ({of})")[-1] == hit


def test_pages_agree_with_the_settings_as_shipped() -> None:
    sure, possible = POLICY.faces.sure, POLICY.faces.possible
    assert said("checks.md", r"thresholds, ([\d.]+ and [\d.]+),") == {f"{sure} and {possible}"}
    assert said("reference.md", r"`faces.possible` \| `([\d.]+`, `[\d.]+)`") == {f"{sure}`, `{possible}"}
    assert said("formats.md", r"`covers.hold_share` \((\d+) %\)") == {percent(POLICY.covers.hold_share)}
    assert said("formats.md", r"a margin: (\d+) % of the height") == {percent(POLICY.text.margin)}
    assert said("formats.md", r"(\d+) % of the shorter side of a code") == {percent(POLICY.codes.margin)}
    assert said("formats.md", r"(\d+) % of a head box") == {percent(POLICY.faces.margin)}


def test_the_price_of_answering_is_the_counted_one() -> None:
    first, more = r"the first patient takes (\d+ acts and \d+) keystrokes", r"every further one (\d+ and \d+)\."
    row = r"\| closed-group \| AU \| none of these \| [^|]+ \| (\d+) / (\d+) / [^|]+ \| (\d+) / (\d+) /"
    (counts,) = re.findall(row, (ROOT / "benchmarks/acts.md").read_text("utf-8"))
    assert said("consent.md", first) == {f"{counts[0]} acts and {counts[1]}"}
    assert said("consent.md", more) == {f"{counts[2]} and {counts[3]}"}


def test_pages_agree_with_the_sheets() -> None:
    (share,) = said("checks.md", r"About (1 in \d+) clinical close-ups is missed")
    assert share in words.ZERO["face"]


def test_the_pictures_of_the_architecture_are_those_of_today() -> None:
    drawn = runpy.run_path(str(ROOT / "release/pictures.py"))
    for name, draw in drawn["PICTURES"].items():
        assert (DOCS / "img" / name).read_text("utf-8") == draw(), "python release/pictures.py docs/img"
    assert {room for row in drawn["layers"]() for room in row} == set(drawn["ROOMS"])


def test_every_path_that_the_architecture_names_is_there() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8").replace("<name>", "jpeg")
    package, count = ROOT / "medimg", 0
    rows = re.findall(r"^\| (`\w[^|]+/`|`[^|]+\.py`[^|]*) \| ([^|]+) \|$", page, re.MULTILINE)
    for rooms, what in rows:
        first, *others = re.findall(r"`([\w/.]+)`", rooms)  # `detect/text/`, `codes/`, ...
        at = package / first
        places = [package, at, at.parent, *(at.parent / other for other in others)]
        for named in (first, *others, *re.findall(r"`(\w[\w/]*(?:\.py|/))`", what)):
            assert any((place / named).exists() for place in places) or [*at.rglob(named)], (first, named)
            count += 1
    changes = page.partition("## What a change touches")[2].partition("## Glossary")[0]
    for named in re.findall(r"`(\w[\w/]*(?:\.py|\.toml|\.yaml|/))`", changes):
        assert "NAME" in named or any((place / named).exists() for place in (package, ROOT)), named
        count += 1
    assert len(rows) > 15
    assert count > 60
