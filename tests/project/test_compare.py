"""The judge of the comparison with other tools, on made pictures; the tools themselves are not run here."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks import _judging as judging

PLACE = ((60.0, 50.0), (340.0, 50.0), (340.0, 96.0), (60.0, 96.0))
BOX = (60, 50, 340, 96)
HEIGHT = 28.0
MARK = b"PlantedZq7Value"


@pytest.fixture
def label() -> Image.Image:
    rng = np.random.default_rng(3)
    out = Image.fromarray(np.clip(rng.normal(200, 4, (150, 400, 3)), 0, 255).astype(np.uint8))
    ImageDraw.Draw(out).text((64, 52), "WHITCOMBE 0482", (20, 24, 60), font=ImageFont.load_default(size=36))
    return out


def pixels(picture: Image.Image) -> judging.Pixels:
    return np.asarray(picture.convert("RGB"), np.uint8)


def coded(picture: Image.Image, quality: int) -> judging.Pixels:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return judging.opened(out.getvalue())


def share(before: judging.Pixels, after: judging.Pixels) -> float:
    found = judging.share_gone(before, after, PLACE, HEIGHT)
    assert found is not None
    return found


def painted(picture: Image.Image, box: tuple[int, int, int, int], colour: object = (0, 0, 0)) -> Image.Image:
    out = picture.copy()
    ImageDraw.Draw(out).rectangle(box, fill=colour)  # type: ignore[arg-type]
    return out


def blurred(picture: Image.Image, radius: float) -> Image.Image:
    out = picture.copy()
    out.paste(out.filter(ImageFilter.GaussianBlur(radius)), (0, 0))
    return out


@pytest.mark.parametrize("quality", [95, 75, 40])
def test_a_text_that_was_only_encoded_again_is_not_covered(label: Image.Image, quality: int) -> None:
    assert share(pixels(label), coded(label, quality)) < 0.05


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 200, 200), (20, 24, 60)])
def test_a_cover_counts_in_any_colour_and_encoded_again(label: Image.Image, colour: tuple[int, int, int]) -> None:
    assert share(pixels(label), coded(painted(label, (50, 40, 350, 106), colour), 85)) >= judging.GONE


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 120, 120)])
def test_a_cover_as_tight_as_a_box_of_ocr_counts(label: Image.Image, colour: tuple[int, int, int]) -> None:
    ink = np.argwhere(pixels(label).max(axis=2) < 120)
    (y0, x0), (y1, x1) = ink.min(axis=0) - 1, ink.max(axis=0) + 1
    tight = painted(label, (int(x0), int(y0), int(x1), int(y1)), colour)
    assert share(pixels(label), pixels(tight)) >= judging.GONE
    assert share(pixels(label), coded(tight, 75)) >= judging.GONE


def test_half_a_cover_is_half_a_cover(label: Image.Image) -> None:
    assert 0.3 < share(pixels(label), pixels(painted(label, (50, 40, 200, 106)))) < 0.7


def test_a_strong_blur_counts_and_a_weak_one_does_not(label: Image.Image) -> None:
    assert share(pixels(label), pixels(blurred(label, 20))) >= judging.GONE
    assert share(pixels(label), pixels(blurred(label, 1.5))) < 0.2


def test_a_brighter_picture_still_shows_its_text(label: Image.Image) -> None:
    brighter = np.clip(pixels(label).astype(np.int16) * 0.8 + 40, 0, 255).astype(np.uint8)
    assert share(pixels(label), brighter) < 0.05


def test_something_else_in_its_place_counts(label: Image.Image) -> None:
    noise = pixels(label).copy()
    noise[40:106, 50:350] = np.random.default_rng(1).integers(0, 256, (66, 300, 3))
    assert share(pixels(label), noise) >= judging.GONE


def test_a_place_without_ink_is_not_judged_and_another_size_shows_everything(label: Image.Image) -> None:
    plain = np.full((150, 400, 3), 200, np.uint8)
    assert judging.share_gone(plain, plain, PLACE, HEIGHT) is None
    assert judging.share_gone(pixels(label), pixels(label.resize((200, 75))), PLACE, HEIGHT) == 0


def test_what_is_hidden_already_is_not_counted(label: Image.Image) -> None:
    hidden = np.zeros((150, 400), bool)
    hidden[:, :200] = True
    covered = pixels(painted(label, (200, 40, 350, 106)))
    assert judging.share_gone(pixels(label), covered, PLACE, HEIGHT, hidden) == pytest.approx(1, abs=0.1)


def test_pixels_elsewhere(label: Image.Image) -> None:
    assert judging.changed_outside(pixels(label), pixels(painted(label, BOX))) == 0
    changed = judging.changed_outside(pixels(label), coded(painted(label, BOX), 85))
    assert changed is not None
    assert changed > 0.5
    assert judging.changed_outside(pixels(label), pixels(label.resize((200, 75)))) is None


def test_what_is_covered_beside_the_names_counts_as_too_much_and_another_encoding_does_not(label: Image.Image) -> None:
    wanted = np.zeros((150, 400), bool)
    wanted[40:106, 50:350] = True
    assert judging.over_cover(pixels(label), pixels(painted(label, BOX)), wanted) == 0
    assert judging.over_cover(pixels(label), coded(painted(label, BOX), 75), wanted) == 0
    whole = judging.over_cover(pixels(label), pixels(painted(label, (0, 0, 400, 150))), wanted)
    assert whole is not None
    assert whole > 0.95
    assert judging.over_cover(pixels(label), pixels(label), np.ones((150, 400), bool)) is None


def test_a_ruler_is_touched_by_a_cover_and_not_by_encoding() -> None:
    picture = Image.new("RGB", (400, 150), (250, 250, 246))
    for x in range(20, 380, 6):
        ImageDraw.Draw(picture).line((x, 40, x, 80), fill=(20, 20, 20), width=2)
    inside = np.zeros((150, 400), bool)
    inside[40:110, 20:380] = True
    assert not judging.touched(pixels(picture), coded(picture, 75), inside)
    assert judging.touched(pixels(picture), pixels(painted(picture, (100, 40, 140, 110))), inside)


def test_a_face_is_judged_without_the_corners_beside_it() -> None:
    oval = np.asarray(judging.round_face(((0, 0), (100, 0), (100, 200), (0, 200))))
    assert oval.min(axis=0) == pytest.approx((0, 0), abs=0.5)
    assert oval.max(axis=0) == pytest.approx((100, 200), abs=0.5)
    assert np.hypot((oval[:, 0] - 50) / 50, (oval[:, 1] - 100) / 100) == pytest.approx(1)


@pytest.mark.parametrize(
    "data",
    [MARK, *(MARK.decode().encode(f"utf-16-{e}") for e in ("le", "be")), MARK.hex().encode(), zlib.compress(MARK * 3)],
)
def test_a_mark_is_found_however_it_is_written(data: bytes) -> None:
    assert judging.holds(b"x\x78\x9cnot zlib" + data + b"end", MARK)
    assert not judging.holds(b"x\x78\x9cnot zlib" + data[:4] + b"end", MARK)
