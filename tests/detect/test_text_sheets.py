"""Print out of focus, on sheets found as one box as high as a foot and on cards where nothing is found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks import scenes
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.text import cards as _cards
from medimg.detect.text import detector as text
from medimg.detect.text import ocr
from medimg.detect.text.identifiers import KEPT
from medimg.policy import Policy
from medimg.redact.cover import mask

SIZE = (1500, 1500)
SKIN = (205, 165, 145)
ROWS = (
    "Observation chart",
    "Name: Rawiri Ngata",
    "DOB 12/03/1956",
    "NHI ZZZ0016",
    "Temperature",
    "Pulse",
    "11 02 2019",
)


@pytest.fixture(scope="module")
def detector() -> text.TextDetector:
    return text.make(Policy())


def pictures(turn: float, blur: float) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A sheet on skin; where its identifying lines are; where its paper is."""
    image = Image.new("RGB", SIZE, SKIN)
    lines, paper = Image.new("L", SIZE), Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((520, 460, 980, 1040), fill=(236, 232, 238))
    ImageDraw.Draw(paper).rectangle((520, 460, 980, 1040), fill=255)
    for k, words in enumerate(ROWS):
        place = (550, 480 + 64 * k)
        draw.text(place, words, font=ImageFont.load_default(28), fill=(90, 92, 110))
        if any(c.isdigit() for c in words) or "Name" in words:
            box = draw.textbbox(place, words, font=ImageFont.load_default(28))
            ImageDraw.Draw(lines).rectangle(box, fill=255)
    turned = image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=SKIN).filter(ImageFilter.GaussianBlur(blur))
    noise = np.random.default_rng(5).normal(0, 3, (SIZE[1], SIZE[0], 1))
    pixels = np.clip(np.asarray(turned, np.float32) + noise, 0, 255).astype(np.uint8)
    return pixels, np.asarray(lines.rotate(turn), np.uint8) > 128, np.asarray(paper.rotate(turn), np.uint8) > 128


def hidden(detector: text.TextDetector, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    policy = Policy()
    found = [f for f in detector.find(Frame(pixels)) if f.region]
    plan = decide(found, policy, width=SIZE[0], height=SIZE[1])
    return np.asarray(mask([c.polygon for c in covers(plan, policy)], *SIZE), np.bool_)


@pytest.mark.parametrize("turn", [57, pytest.param(-57, marks=pytest.mark.long)])
def test_a_sheet_out_of_focus_and_askew_is_covered(detector: text.TextDetector, turn: float) -> None:
    pixels, lines, paper = pictures(turn, 3.5)
    covered = hidden(detector, pixels)
    assert covered[lines].mean() > 0.9
    assert not covered[~paper].any()  # its lines, not what lies round it


@pytest.mark.parametrize("kind", [pytest.param("sole", marks=pytest.mark.long), "toes"])
def test_a_foot_is_no_sheet(detector: text.TextDetector, kind: str) -> None:
    image = Image.new("RGB", SIZE, (90, 120, 90))
    draw = ImageDraw.Draw(image)
    draw.ellipse((550, 250, 950, 1250), fill=SKIN)
    draw.ellipse((680, 950, 780, 1080), fill=(150, 40, 40))
    for k in range(5 if kind == "toes" else 0):
        draw.ellipse((520 + 85 * k, 180 + 12 * k, 600 + 85 * k, 340 + 12 * k), fill=(210, 170, 150))
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(4)), np.uint8)
    assert [f for f in detector.find(Frame(pixels)) if f.category not in KEPT] == []


TURNS = [20, *(pytest.param(turn, marks=pytest.mark.long) for turn in (0, 90))]


def card(words: bool, turn: float, ink: int = 70) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A white card on blue cloth, far out of focus, with small print on it or none; where its lines are."""
    image, lines = Image.new("RGB", SIZE, (70, 105, 160)), Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((560, 660, 960, 840), fill=(240, 240, 236))
    for k, row in enumerate(("Rawiri Ngata", "NHI ZZZ0016", "DOB 12/03/1956", "021 555 1234", "Seen by Dr Parata")):
        place = (580, 674 + 30 * k)
        if words:
            draw.text(place, row, font=ImageFont.load_default(18), fill=(ink, ink, ink))
            ImageDraw.Draw(lines).rectangle(draw.textbbox(place, row, font=ImageFont.load_default(18)), fill=255)
    turned = image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(70, 105, 160)).filter(
        ImageFilter.GaussianBlur(2.6)
    )
    noise = np.random.default_rng(5).normal(0, 3, (SIZE[1], SIZE[0], 1))
    pixels = np.clip(np.asarray(turned, np.float32) + noise, 0, 255).astype(np.uint8)
    return pixels, np.asarray(lines.rotate(turn), np.uint8) > 128


@pytest.mark.parametrize("turn", TURNS)
def test_a_card_with_print_out_of_focus_is_covered(detector: text.TextDetector, turn: float) -> None:
    pixels, lines = card(True, turn)
    assert hidden(detector, pixels)[lines].mean() > 0.75


@pytest.mark.parametrize("turn", TURNS)
def test_an_empty_card_is_left(detector: text.TextDetector, turn: float) -> None:
    pixels, _ = card(False, turn)
    assert len(_cards.cards(Frame(pixels))) == 1
    assert not hidden(detector, pixels).any()


def test_hair_on_a_pale_limb_is_no_print() -> None:
    pixels = scenes.textfree(scenes.CHECK + 21).rgb
    assert _cards.cards(Frame(pixels))
    assert _cards.unread(ocr.models(), Frame(pixels), []) == []


def test_no_rows_are_looked_for_on_a_card_that_was_read() -> None:
    pixels, _ = card(True, 0)
    there = [
        text.Line(ocr.Spot(np.array([[570, y], [800, y], [800, y + 24], [570, y + 24]], np.float32), 0.8), "x", 0.9)
        for y in (670, 700, 730)
    ]
    assert _cards.unread(ocr.models(), Frame(pixels), there) == []


@pytest.mark.parametrize("size", [(3, 3), (40, 2000), (700, 500)])
def test_pictures_of_one_colour_hold_no_cards(size: tuple[int, int]) -> None:
    assert _cards.cards(Frame(np.full((*size, 3), 180, np.uint8))) == []
