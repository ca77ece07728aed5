"""A date that a camera burned in is covered on skin too, where writing that cannot be read is asked about."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import medimg
from medimg.detect.text import identifiers

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


@pytest.mark.parametrize(
    ("words", "passes"), [("08/28/2017", 2), ("05/25/2017", 1), pytest.param("05/25/2017", 2, marks=pytest.mark.long)]
)
def test_a_date_in_orange_that_cannot_be_read_is_covered(scrubber: medimg.Scrubber, words: str, passes: int) -> None:
    assert done(scrubber, smeared(words, ORANGE, passes)) == ["cover"]


@pytest.mark.parametrize(
    ("words", "passes"), [("08/28/2017", 2), pytest.param("05/25/2017", 1, marks=pytest.mark.long)]
)
def test_a_row_in_the_colour_of_blood_is_not_painted(scrubber: medimg.Scrubber, words: str, passes: int) -> None:
    assert "cover" not in done(scrubber, smeared(words, BLOOD, passes))


@pytest.mark.parametrize("line", ["W/2917", "W/ 2017", "ml 2017", "kg/2019"])
def test_a_year_behind_a_unit_is_no_measure(line: str) -> None:
    assert identifiers.classify(line, 0.95).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["1000 ml", "2400 mm", "10 cm", "250 mg/5 ml"])
def test_a_figure_of_four_digits_with_its_unit_stays(line: str) -> None:
    assert identifiers.classify(line, 0.95).category in identifiers.KEPT
