from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.detect.text import ocr, ruler
from medimg.detect.text import patches as _patches
from medimg.native.opencv import cv2

Pixels = NDArray[np.uint8]
BOX = ((40.0, 60.0), (860.0, 60.0), (860.0, 130.0), (40.0, 130.0))


def drawn(kind: str, *, light: bool = True, seed: int = 3) -> Pixels:
    """A strip of 820 x 70 pixels in a picture of 900 x 200."""
    paper, ink = (235, 20) if light else (15, 230)
    picture = Image.new("L", (900, 200), 150)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 60, 860, 130), fill=paper)
    rng = np.random.default_rng(seed)
    if kind == "ruler":
        for k in range(81):
            long = 45 if k % 10 == 0 else 34 if k % 5 == 0 else 24
            draw.line((50 + k * 10, 60, 50 + k * 10, 60 + long), fill=ink, width=2)
    elif kind == "bar code":
        x = 60.0
        while x < 840:
            wide, gap = (float(v) for v in rng.integers(1, 5, 2) * 3)
            draw.rectangle((x, 64, x + wide - 1, 126), fill=ink)
            x += wide + gap
    elif kind == "text":
        draw.text((50, 70), "Rangihuna Whatarau 12/03/1956", font=ImageFont.load_default(48), fill=ink)
    elif kind == "digits":
        draw.text((50, 70), "10/26/2017 11:11:11", font=ImageFont.load_default(60), fill=ink)
    elif kind == "noise":
        noise = rng.integers(0, 256, (200, 900)).astype(np.uint8)
        return np.repeat(noise[..., None], 3, axis=2)
    grey = np.asarray(picture, np.uint8)
    return np.repeat(cv2.GaussianBlur(grey, (3, 3), 0)[..., None], 3, axis=2)


@pytest.mark.parametrize("light", [True, False])
def test_a_row_of_ticks_is_seen(light: bool) -> None:
    assert ruler.ticked(drawn("ruler", light=light), BOX) >= 0.8


@pytest.mark.parametrize("kind", ["text", "digits", "noise", "blank"])
@pytest.mark.parametrize("light", [True, False])
def test_other_things_are_no_ticks(kind: str, light: bool) -> None:
    assert ruler.ticked(drawn(kind, light=light), BOX) < 0.4


@pytest.mark.parametrize("seed", range(12))
def test_bar_codes_are_no_ticks(seed: int) -> None:
    assert ruler.ticked(drawn("bar code", seed=seed), BOX) < 0.6


@pytest.mark.parametrize("angle", [-50, -20, 8, 35, 90])
def test_a_slanted_row_is_seen(angle: float) -> None:
    flat = drawn("ruler")
    big = np.full((1100, 1100, 3), 150, np.uint8)
    big[450:650, 100:1000] = flat
    turn = cv2.getRotationMatrix2D((550, 550), angle, 1.0)
    turned = np.asarray(cv2.warpAffine(big, turn, (1100, 1100), borderValue=(150, 150, 150)), np.uint8)
    corners = np.array([[(x + 100, y + 450)] for x, y in BOX], np.float32)
    there = cv2.transform(corners, turn)[:, 0]
    assert ruler.ticked(turned, there) >= 0.7


def test_numerals_beside_ticks() -> None:
    picture = drawn("ruler")
    near = np.array([[443, 106], [458, 106], [458, 128], [443, 128]], np.float32)
    assert ruler.beside_ticks(picture, near)
    assert not ruler.beside_ticks(drawn("blank"), near)
    letters = np.array([[440, 72], [475, 72], [475, 118], [440, 118]], np.float32)
    assert not ruler.beside_ticks(drawn("text"), letters)


def numerals(values: list[float], step: float = 40.0, angle: float = 0.3) -> list[ruler.Numeral]:
    return [ruler.Numeral(v, 100 + v * step * np.cos(angle), 90 + v * step * np.sin(angle), 12) for v in values]


def test_numerals_in_equal_steps_are_a_scale() -> None:
    assert ruler.scale(numerals([0, 1, 2, 3, 4])) == [0, 1, 2, 3, 4]
    assert ruler.scale(numerals([3, 7, 5])) == [0, 1, 2]
    assert ruler.scale(numerals([10, 20, 30], step=6)) == [0, 1, 2]


def test_numbers_that_do_not_rise_with_the_distance_are_none() -> None:
    places = numerals([0, 1, 2, 3])
    values = [12, 3, 56, 7]
    shuffled = [p._replace(value=v) for p, v in zip(places, values, strict=True)]
    assert ruler.scale(shuffled) == []
    assert ruler.scale(numerals([1, 2])) == []


def test_a_number_beside_a_scale_does_not_belong_to_it() -> None:
    assert ruler.scale([*numerals([0, 1, 2, 3]), ruler.Numeral(45.0, 130, 300, 12)]) == [0, 1, 2, 3]


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.floats(-50, 1000)] * 2), min_size=4, max_size=4))
def test_any_quadrilateral_is_handled(corners: list[tuple[float, float]]) -> None:
    assert 0 <= ruler.ticked(drawn("ruler"), tuple(corners)) <= 1


def card_picture(kind: str, angle: float) -> tuple[Pixels, NDArray[np.float32]]:
    rng = np.random.default_rng(4)
    image = Image.new("RGB", (400, 280), (30, 30, 30))
    draw = ImageDraw.Draw(image)
    for k in range(24):
        x, y = 15 + 64 * (k % 6), 12 + 66 * (k // 6)
        if kind == "card":
            colour = (250 - k % 6 * 44,) * 3 if k >= 18 else tuple(int(v) for v in rng.integers(20, 240, 3))
            draw.rectangle((x, y, x + 54, y + 54), fill=colour)
        else:
            draw.text((x, y), "Rq8KwNgZtEhP"[k % 12] * 2, font=ImageFont.load_default(34), fill=(230, 230, 230))
    big = Image.new("RGB", (700, 700), (200, 160, 140))
    big.paste(image, (150, 210))
    turned = np.asarray(big.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(200, 160, 140)), np.uint8)
    matrix = cv2.getRotationMatrix2D((350, 350), angle, 1.0)
    corners = np.array([[[130, 190]], [[570, 190]], [[570, 510]], [[130, 510]]], np.float32)
    return turned, cv2.transform(corners, matrix)[:, 0]


@pytest.mark.parametrize("angle", [0, 20, -40, 90])
def test_a_colour_card_is_seen_and_a_page_of_letters_is_none(angle: float) -> None:
    assert _patches.card(*card_picture("card", angle))
    assert not _patches.card(*card_picture("letters", angle))


@pytest.mark.parametrize("kind", ["ruler", "text", "blank", "noise", "bar code"])
def test_strips_are_no_colour_cards(kind: str) -> None:
    assert not _patches.card(drawn(kind), np.asarray(BOX, np.float32))


def test_ticks_at_a_known_pitch() -> None:
    few = np.array([[400, 62], [500, 62], [500, 84], [400, 84]], np.float32)
    assert ruler.divided(drawn("ruler"), few, 100.0) >= ruler.EVEN
    for kind in ("text", "digits", "blank", "noise"):
        assert ruler.divided(drawn(kind), few, 100.0) < ruler.EVEN


def test_two_numerals_are_a_scale_only_beside_ticks() -> None:
    two = [ruler.Numeral(3, 350, 116, 18), ruler.Numeral(4, 450, 116, 18)]
    assert [found.on for found in ruler.pairs(drawn("ruler"), two)] == [(0, 1)]
    assert ruler.pairs(drawn("blank"), two) == []
    assert ruler.pairs(drawn("text"), two) == []


def test_a_place_along_a_scale() -> None:
    found = ruler.scales(numerals([0, 1, 2, 3], angle=0.0))[0]
    step, beside = found.along(100 + 40 * 2.5, 95)
    assert step == pytest.approx(2.5)
    assert beside == pytest.approx(5)


def test_a_page_of_numbers_is_bounded() -> None:
    page = [ruler.Numeral(float(k % 12), 40.0 * (k % 10), 30.0 * (k // 10), 12) for k in range(100)]
    assert len(ruler.scales(page)) <= ruler.MOST_SCALES
    assert set(ruler.scale(page)) >= {k for found in ruler.scales(page) for k in found.on}


@settings(max_examples=60)
@given(
    st.tuples(st.floats(-3000, 9000), st.floats(-3000, 3000)),
    st.floats(5, 120000),
    st.floats(4, 400),
    st.floats(-np.pi, np.pi),
)
def test_a_place_over_the_edge_or_beside_the_picture_is_no_fault(
    middle: tuple[float, float], along: float, down: float, turn: float
) -> None:
    """Large photos, and lines of which a narrow piece lies in them."""
    corners = np.array([[-along, -down], [along, -down], [along, down], [-along, down]]) / 2
    spun = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + middle
    quad = spun.astype(np.float32)
    for answer in (ruler.ticked(LARGE, quad), ruler.divided(LARGE, quad, along / 9)):
        assert 0 <= answer <= 1.2
    ruler.beside_ticks(LARGE, quad)
    assert ocr.crop(LARGE, ocr.ordered(quad)).ndim == 3


LARGE = np.random.default_rng(4).integers(0, 256, (900, 6000, 3), np.uint8)
