"""A finished copy judged alone: its covers are covers, and what is none is not taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.api import Scrubber
from medimg.detect import Frame
from medimg.types import Box, Check, Finding
from medimg.verify import plain

Pixels = NDArray[np.uint8]
BAR = Box(112, 688, 448, 768)


def skin(grey: int | None = 0) -> Pixels:
    noise = np.random.default_rng(1).integers(-4, 5, (900, 1200, 1))
    out = (np.array((205, 160, 135)) + np.linspace(-18, 18, 1200)[None, :, None] + noise).astype(np.uint8)
    if grey is not None:
        out[BAR.y0 : BAR.y1, BAR.x0 : BAR.x1] = grey
    return out


def png(rgb: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    return out.getvalue()


def text(scrubber: Scrubber, data: bytes) -> Check:
    return next(c for c in scrubber.verify(data) if c.name == "text")


def test_the_outline_of_a_cover_is_no_word(scrubber: Scrubber) -> None:
    check = text(scrubber, png(skin()))
    assert (check.state, check.found) == ("passed", 0)


def test_a_copy_of_our_own_passes(scrubber: Scrubber) -> None:
    picture = Image.fromarray(skin(None)).crop((60, 600, 560, 860))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 90, 380, 160), (245, 245, 240))
    draw.text((75, 100), "Smith left heel", (20, 20, 20), font=ImageFont.load_default(38))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    copy = scrubber.scrub(out.getvalue()).data
    assert copy is not None
    assert {str(c.state) for c in scrubber.verify(copy)} == {"passed"}


def test_writing_on_a_bar_is_left(scrubber: Scrubber) -> None:
    picture = Image.fromarray(skin())
    ImageDraw.Draw(picture).text((130, 700), "Okonkwo 4821", (90, 90, 90), font=ImageFont.load_default(42))
    assert text(scrubber, png(np.asarray(picture))).state == "failed"


def found(frame: Frame, box: Box, category: str = "unread", **more: float) -> Finding:
    return Finding(kind="text", category=category, detector="t", region=frame.region(box.polygon), **more)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("grey", [0, 90, 255])
def test_what_a_cover_is(grey: int, orientation: int) -> None:
    turned = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    frame = Frame(np.ascontiguousarray(np.rot90(skin(grey), turned)), orientation)
    assert frame.rgb.shape[:2] == (900, 1200)
    outline = Box(BAR.x0 - 12, BAR.y0 - 12, BAR.x1 + 12, BAR.y1 + 12)
    assert plain.is_cover(found(frame, BAR), frame)
    assert plain.is_cover(found(frame, outline), frame)
    assert plain.is_cover(found(frame, Box(BAR.x0 + 9, BAR.y0 + 9, BAR.x0 + 90, BAR.y1 - 9)), frame)
    assert not plain.is_cover(found(frame, BAR, "name"), frame)
    assert not plain.is_cover(found(frame, Box(600, 100, 900, 160)), frame)
    assert not plain.is_cover(found(frame, Box(BAR.x0 - 300, BAR.y0, BAR.x0 + 100, BAR.y1)), frame)


@pytest.mark.parametrize("step", [1, 40])
def test_what_stands_in_the_grey_makes_a_hole(step: int) -> None:
    rgb = skin(90)
    rgb[720:735, 150:300:9] = 90 + step
    assert not plain.is_cover(found(Frame(rgb), BAR), Frame(rgb))
