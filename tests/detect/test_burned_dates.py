"""A date that a camera burned in is covered on skin too, where writing that cannot be read is asked about."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import medimg
from medimg.detect import Frame
from medimg.detect.objects import carriers, judge
from medimg.detect.text import identifiers
from medimg.types import Box, Finding, Region, Secret

ORANGE, BLOOD = (176, 112, 28), (140, 40, 40)


@pytest.fixture(scope="module")
def scrubber() -> medimg.Scrubber:
    return medimg.Scrubber(medimg.Policy.load())


def smeared(words: str, ink: tuple[int, int, int], passes: int) -> bytes:
    """A level row of signs on skin that nobody can read: several rows over each other, in a coarse JPEG."""
    noise = np.random.default_rng(3).normal(0, 3, (512, 512, 1))
    skin = np.clip(np.full((512, 512, 3), (168, 126, 104), np.float32) + noise, 0, 255).astype(np.uint8)
    image = Image.fromarray(skin).filter(ImageFilter.GaussianBlur(1))
    ImageDraw.Draw(image).ellipse((120, 150, 230, 250), fill=(140, 60, 50))
    image = image.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), 14)
    draw.text((396, 318), words, font=font, fill=ink)
    for k in range(1, passes + 1):
        draw.text((396 + 2 * k, 318 - k), words[::-1], font=font, fill=ink)
    file = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.8)).save(file, "JPEG", quality=30)
    return file.getvalue()


def done(scrubber: medimg.Scrubber, photo: bytes) -> list[str]:
    return [a.do for a in scrubber.inspect(photo).actions if a.finding.kind == "text" and a.finding.region]


@pytest.mark.parametrize(("words", "passes"), [("08/28/2017", 2), ("05/25/2017", 1), ("05/25/2017", 2)])
def test_a_date_in_orange_that_cannot_be_read_is_covered(scrubber: medimg.Scrubber, words: str, passes: int) -> None:
    assert done(scrubber, smeared(words, ORANGE, passes)) == ["cover"]


@pytest.mark.parametrize(("words", "passes"), [("08/28/2017", 2), ("05/25/2017", 1)])
def test_a_row_in_the_colour_of_blood_is_not_painted(scrubber: medimg.Scrubber, words: str, passes: int) -> None:
    assert "cover" not in done(scrubber, smeared(words, BLOOD, passes))


@pytest.mark.parametrize("line", ["W/2917", "W/ 2017", "ml 2017", "kg/2019"])
def test_a_year_behind_a_unit_is_no_measure(line: str) -> None:
    assert identifiers.classify(line, 0.95).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["1000 ml", "2400 mm", "10 cm", "250 mg/5 ml"])
def test_a_figure_of_four_digits_with_its_unit_stays(line: str) -> None:
    assert identifiers.classify(line, 0.95).category in identifiers.KEPT


LIT = (560, 380, 1000, 700)
"""A limb in the light, before a dark room: compact, with clear edges, of one colour, as a slip of paper is."""


def _slips(monkeypatch: pytest.MonkeyPatch, limb: tuple[int, int, int], *lines: tuple[str, str]) -> tuple[bool, str]:
    """Whether what lines lie on is a thing that is covered as a whole, and what the first of them is said to lie on."""
    monkeypatch.setattr(judge, "lies_on", lambda rows: np.tile([1.0, 0, 0, 0, 0, 0], (len(rows), 1)))
    monkeypatch.setattr(judge, "outlines", lambda rows: np.full(len(rows), 0.9))
    image = Image.new("RGB", (1024, 768), (70, 66, 60))
    draw = ImageDraw.Draw(image)
    draw.rectangle(LIT, fill=limb)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), 24)
    found = []
    for k, (category, text) in enumerate(lines):
        x, y = 700, 480 + 44 * k
        draw.text((x, y), text, font=font, fill=ORANGE)
        box = Box(*(round(v) for v in draw.textbbox((x, y), text, font=font)))
        region = Region(box.polygon)
        found.append(
            Finding(kind="text", category=category, detector="test", score=0.9, region=region, secret=Secret(text))
        )
    out = carriers.placed(Frame(np.asarray(image)), found)
    return any(f.kind == "object" for f in out), out[0].on


SKIN, PAPER = (206, 158, 134), (232, 232, 236)


@pytest.mark.parametrize("lines", [(("date", "08/01/2017"),), (("date", "08/01/2017"), ("unknown", "14:32:10"))])
def test_a_date_burned_in_over_a_limb_lies_on_no_slip(
    monkeypatch: pytest.MonkeyPatch, lines: tuple[tuple[str, str], ...]
) -> None:
    assert _slips(monkeypatch, SKIN, *lines) == (False, "")


def test_a_date_on_paper_or_beside_a_name_lies_on_its_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _slips(monkeypatch, PAPER, ("date", "08/01/2017")) == (True, "slip 1")
    named = (("date", "08/01/2017"), ("name", "Okafor, Ngozi"))
    monkeypatch.setattr("medimg.detect.objects.burned.like_a_date", lambda *_: False)
    assert _slips(monkeypatch, SKIN, *named) == (True, "slip 1")
