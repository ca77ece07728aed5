"""Print on a curve."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.text import detector as text
from medimg.detect.text import rings
from medimg.detect.text.labels import Line
from medimg.detect.text.ocr import Spot
from medimg.policy import Policy
from medimg.redact.cover import mask

MIDDLE, RADIUS = (600, 450), 330
WORDS = "QUILLFEATHER ZEDEKIAH 5550173"


def test_print_round_a_ring_is_covered_whole() -> None:
    picture = Image.new("RGB", (1200, 900), (205, 160, 135))
    at = []
    for k, sign in enumerate(WORDS):
        angle = -150 + 300 * k / len(WORDS)
        tile = Image.new("RGBA", (60, 60))
        ImageDraw.Draw(tile).text((15, 5), sign, font=ImageFont.load_default(40), fill=(20, 20, 20, 255))
        tile = tile.rotate(-angle, Image.Resampling.BICUBIC)
        x, y = (f(math.radians(angle)) * RADIUS for f in (math.sin, math.cos))
        picture.paste(tile, (round(MIDDLE[0] + x - 30), round(MIDDLE[1] - y - 30)), tile)
        at.append((MIDDLE[0] + x, MIDDLE[1] - y))
    policy = Policy()
    found = text.make(policy).find(Frame(np.asarray(picture)))
    plan = decide(found, policy, width=1200, height=900)
    hidden = mask([c.polygon for c in covers(plan, policy)], 1200, 900)
    left = [s for s, (x, y) in zip(WORDS, at, strict=True) if s != " " and not hidden[round(y), round(x)]]
    assert left == []
    # The middle of the ring, and what is round it, stay.
    assert not hidden[350:550, 500:700].any()
    assert hidden.mean() < 0.25


def _line(text: str, x: float, y: float, wide: float, certainty: float = 0.95) -> Line:
    quad = np.array([[x, y], [x + wide, y], [x + wide, y + 40], [x, y + 40]], np.float32)
    return Line(Spot(quad, 0.9), text, certainty)


def test_a_line_that_was_read_is_no_letter_of_a_ring() -> None:
    name, letter = _line("RN de ALMEIDA Beatriz", 100, 100, 400), _line("Q", 520, 100, 40)
    ring = [_line("RNde ALMEIDABetriz", 90, 80, 600)]
    assert rings.beside([name, letter], ring) == [name]


def test_a_straight_line_that_was_read_before_is_no_ring_though_it_was_bent_and_misread() -> None:
    before = [_line("RN de ALMEIDA Beatriz", 100, 100, 400)]
    bent = _line("RNde ALMEIDABetriz", 90, 80, 600)
    assert rings.straight(bent, before, [bent.spot.quad])
    assert not rings.straight(_line("QUILLFEATHER ZEDEKIAH", 90, 80, 600), before, [bent.spot.quad])
    # The same name on a stamp, and on a line elsewhere.
    assert not rings.straight(bent, before, [_line("", 700, 600, 300).spot.quad])


def test_a_part_of_a_line_that_was_read_is_no_ring_where_that_line_stands() -> None:
    before = [_line("Gown and gloves before entry", 100, 100, 400)]
    bent = _line("joves before", 250, 95, 200)
    assert rings.straight(bent, before, [bent.spot.quad])
    assert not rings.straight(bent, before, [_line("", 700, 600, 300).spot.quad])


def test_straight_lines_that_say_something_else_where_a_ring_was_read_are_none() -> None:
    ring = [_line("85098505001", 0, 0, 900)]
    there = [_line("", 0, 0, 900).spot.quad, _line("", 0, 100, 900).spot.quad]
    two = [_line("CALL BACK", 10, 0, 300), _line("Made in Costa Rica", 10, 100, 300)]
    assert rings.strewn(ring, two, there)
    assert not rings.strewn(ring, two[:1], there)  # what is printed across a stamp
    assert not rings.strewn([_line("CALLBACK Made in Costa Rica", 0, 0, 900)], two, there)  # its own words
    assert not rings.strewn(ring, two, [_line("", 0, 500, 900).spot.quad])


def test_a_circle_is_found_and_cut_where_it_is_empty() -> None:
    angle = np.linspace(-1.0, 3.5, 80)
    points = np.stack([500 + 200 * np.cos(angle), 400 + 200 * np.sin(angle)], axis=1)
    ring = rings.found(points, 1200, 121.0)
    assert ring is not None
    assert abs(ring.radius - 200) < 15
    assert abs(ring.x - 500) < 15
    assert abs(ring.y - 400) < 15
    empty = (3.5 - 1.0 + 2 * math.pi) / 2
    assert math.cos(ring.start - empty) > 0.9


def test_pages_lines_and_specks_are_no_ring() -> None:
    page = np.stack(np.meshgrid(np.arange(100, 900, 25.0), np.arange(100, 700, 40.0)), axis=-1).reshape(-1, 2)
    line = np.stack([np.linspace(100, 900, 90), np.full(90, 300.0)], axis=1)
    for points in (page, line, page[:10]):
        assert rings.found(points, 1200, 121.0) is None


def test_strewn_squares_are_no_ring() -> None:
    """They lie near some large circle by chance, and fill next to nothing of it."""
    angle = np.linspace(-1.0, 3.5, 80)
    points = np.stack([900 + 700 * np.cos(angle), 800 + 700 * np.sin(angle)], axis=1)
    assert rings.found(points, 1200, 45.0) is None
    assert rings.found(points, 1200, 900.0) is not None


def test_a_piece_of_the_strip_lies_on_its_arc() -> None:
    ring = rings.Ring(500, 400, 200, 0.0)
    high = round(2 * rings.BAND * 200)
    quad = np.array([[0, 0], [100, 0], [100, high], [0, high]], np.float32)
    found = rings.pieces(quad, ring, 1.0, high)
    assert len(found) == math.ceil(0.5 / rings.PIECE)
    for piece in found:
        far = np.hypot(piece[:, 0] - 500, piece[:, 1] - 400)
        assert far.min() >= 0.7 * 200
        assert far.max() <= 1.3 * 200
        assert (piece[:, 1] >= 399).all()


def test_a_screen_with_values_here_and_there_is_no_ring() -> None:
    """Short values lie on some circle; what is read along it was read on straight lines before."""
    picture = Image.new("RGB", (1500, 1125), (60, 62, 64))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 80, 900, 560), fill=(4, 6, 10))
    for x, y, size, words in (
        (80, 95, 34, "QUILLFEATHER ZEDEKIAH 5550173"),
        (720, 170, 60, "78"),
        (720, 290, 60, "97"),
        (700, 420, 60, "128/74"),
        (90, 480, 34, "CEDARBROOK"),
    ):
        draw.text((x, y), words, font=ImageFont.load_default(size), fill=(230, 235, 240))
    policy = Policy()
    plan = decide(text.make(policy).find(Frame(np.asarray(picture))), policy, width=1500, height=1125)
    hidden = mask([c.polygon for c in covers(plan, policy)], 1500, 1125)
    assert hidden[100:120, 90:600].mean() > 0.9
    for x, y in ((745, 205), (745, 325), (770, 455)):
        assert not hidden[y - 15 : y + 15, x - 20 : x + 20].any()


def test_a_straight_word_beside_strewn_print_is_no_ring() -> None:
    ring = rings.Ring(500, 400, 400, 0.0)
    word = np.array([[0, 40], [210, 40], [210, 100], [0, 100]], np.float32)  # 30 degrees of the arc, 60 pixels high
    assert not rings.bent([word], ring, 1.0)
    assert rings.bent([word, word + np.float32([600, 0])], ring, 1.0)


def test_words_strewn_on_a_circle_are_no_ring() -> None:
    word = np.array([[0, 40], [900, 40], [900, 100], [0, 100]], np.float32)
    assert rings.closed([word], np.arange(0, 900, 30.0))
    assert not rings.closed([word], np.concatenate([np.arange(0, 200, 10.0), np.arange(650, 900, 10.0)]))
