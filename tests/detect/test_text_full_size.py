"""Print that is legible at full size and too low at the size looked at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.detect import Frame
from medimg.detect.text import detector as text
from medimg.detect.text import full_size, ocr
from medimg.policy import Policy

Pixels = NDArray[np.uint8]
LINE, AT = "QUILLFEATHER ZEDEKIAH  MRN 5550173", (3600, 3600)


def photo(*at: tuple[int, int], high: int = 24) -> Pixels:
    """24 megapixels of skin with a line on a strip of paper at each place."""
    noise = np.random.default_rng(1).normal(0, 4, (4000, 6000, 1)).astype(np.float32)
    image = Image.fromarray((np.array([205, 160, 135], np.float32) + noise).clip(0, 255).astype(np.uint8))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(high)
    for place in at:
        box = draw.textbbox(place, LINE, font=font)
        draw.rectangle((box[0] - 8, box[1] - 8, box[2] + 8, box[3] + 8), fill=(245, 245, 240))
        draw.text(place, LINE, font=font, fill=(20, 20, 20))
    return np.asarray(image)


def test_one_low_line_in_a_large_photo_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo(AT, high=22)
    detector = text.make(Policy())
    frame = Frame(pixels)
    (found,) = [f for f in detector.find(frame) if f.category == "record-number"]
    assert found.region is not None
    box = found.region.box
    assert box.x0 <= AT[0]
    assert box.x1 >= AT[0] + 300
    assert not frame.answers.cut_short


def test_what_the_budget_leaves_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame(photo(AT))
    monkeypatch.setattr(full_size, "BUDGET", 1000)
    full_size.spots(ocr.models(), frame, [])
    assert frame.answers.cut_short


def test_skin_alone_is_not_looked_at_again() -> None:
    pixels = photo()
    frame = Frame(pixels)
    scaled, factor = frame.scaled(full_size.SIDE)
    assert full_size.places(frame, scaled, factor, []) == ([], True)


def test_lines_are_what_is_drawn_finest() -> None:
    scaled, _ = Frame(photo((1200, 900))).scaled(full_size.SIDE)
    fine = full_size.fineness(scaled)
    y, x = divmod(int(fine.argmax()), fine.shape[1])
    assert fine.max() > full_size.LEAST_FINE > float(np.median(fine))
    assert 780 <= x * full_size.BLOCK <= 1150
    assert 580 <= y * full_size.BLOCK <= 640


def test_a_find_without_a_reading_does_not_count() -> None:
    spot = ocr.Spot(np.zeros((4, 2), np.float32), 0.9)
    assert full_size.read(text.Line(spot, "MRN 55", 0.9))
    assert not full_size.read(text.Line(spot, "M", 0.9))
    assert not full_size.read(text.Line(spot, "MRN 55", 0.5))
