"""Names and numbers written one sign to a box, as forms ask for them, and the figures of a scale beside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame, text
from medimg.detect.text import combs, layout
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line
from medimg.detect.text.lines import Quad
from medimg.detect.text.ocr import Spot
from medimg.policy import Policy
from medimg.redact.cover import mask
from medimg.types import NOTHING_KNOWN

BLANK = Frame(np.full((600, 900, 3), 200, np.uint8))
CELL = 40


def signs(said: Sequence[str], y: float = 100, *, turned: bool = False) -> list[Line]:
    """One line for each sign of a row of boxes; a space is an empty box."""
    out = []
    for k, sign in enumerate(said):
        x = 100.0 + CELL * k
        quad: Quad = np.array([[x, y], [x + 20, y], [x + 20, y + 26], [x, y + 26]], np.float32)
        out.append(Line(Spot(quad[:, ::-1] if turned else quad, 0.7), sign, 0.98))
    return [line for line in out if line.text.strip()]


def made(*rows: list[Line]) -> list[Line]:
    return layout.decide([line for row in rows for line in row], BLANK, Known(NOTHING_KNOWN))


def covered(*rows: list[Line]) -> bool:
    """Whether nothing of the rows is kept, and the middle of every sign is covered."""
    out = made(*rows)
    inside = mask([tuple((float(x), float(y)) for x, y in line.cover) for line in out], 900, 900)
    middles = [line.spot.quad.mean(axis=0) for row in rows for line in row]
    return not any(line.kept for line in out) and all(inside[int(y), int(x)] for x, y in middles)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("said", ["QUISPE INES", "02031951", "71934260", "ZAC5361", "17 04 1962"])
def test_what_stands_in_boxes_is_one_line_and_no_scale(said: str, turned: bool) -> None:
    assert covered(signs(said, turned=turned))


def test_a_short_row_goes_with_the_other_rows_of_its_form() -> None:
    assert covered(signs("HALVORSEN"), signs("ILO", 180), signs("123", 260))


@pytest.mark.parametrize("said", ["0123456", "987654", "1234 678", "01234967"])
def test_the_figures_of_a_scale_stay(said: str) -> None:
    assert all(line.category == "ruler" for line in made(signs(said)))


@pytest.mark.parametrize(
    "said", [("4", "52", "6", "7", "38", "9"), ("\u4e00", "1", "\u4e00", "\u20143", "\u20142", "\u4e00", "1", "\u4e00")]
)
def test_figures_of_two_scales_read_together_and_lying_ticks_spell_nothing(said: Sequence[str]) -> None:
    alone = signs(said)
    assert [line.text for line in combs.joined(alone)] == [line.text for line in alone]
    assert len(combs.joined(signs(["14", "0", "3", "19", "6", "2"]))) == 1


def test_figures_of_two_digits_at_even_distances_are_no_form() -> None:
    """The figures of a tape's loops that happen to lie in a row."""
    alone = signs(["26", "52", "28", "57"])
    assert [line.text for line in combs.joined(alone)] == ["26", "52", "28", "57"]


def test_a_harmless_word_in_boxes_stays() -> None:
    assert all(line.kept for line in made(signs("PULSE")))


def test_a_form_with_boxes_is_covered() -> None:
    image = Image.new("RGB", (1200, 600), (180, 190, 180))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 1140, 540), fill=(248, 248, 244))
    font, small = ImageFont.load_default(30), ImageFont.load_default(24)
    written = []
    for k, (name, said) in enumerate((("Name", "MUKHERJEE"), ("Born", "27122012"), ("No.", "90027664"))):
        y = 110 + 110 * k
        draw.text((90, y + 8), name, font=small, fill=(60, 60, 70))
        for n, sign in enumerate(said):
            x = 260 + 46 * n
            draw.rectangle((x, y, x + 46, y + 46), outline=(110, 110, 120), width=2)
            draw.text((x + 23, y + 23), sign, font=font, fill=(20, 20, 60), anchor="mm")
            written.append((x + 23, y + 23))
    rgb = np.asarray(image, np.uint8)
    plan = decide(text.make(Policy()).find(Frame(rgb)), Policy(), width=1200, height=600)
    hidden = mask([c.polygon for c in covers(plan, Policy())], 1200, 600)
    assert [at for at in written if not hidden[at[1], at[0]]] == []


@pytest.mark.parametrize("said", ["59386", "6095432 0", "98765439"])
def test_figures_of_a_scale_misread_or_read_upside_down_are_no_word(said: str) -> None:
    row = signs(said)
    assert len(combs.joined(row)) == len(row)
    assert len(combs.joined(signs("5938641"))) == 1
