"""The keep-list of the policy reaches everything: what it does not keep is covered, and drops nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg import detect
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect.text.ocr import Reading, Spot
from medimg.errors import UsageError
from medimg.policy import Policy, TextRules, explain
from medimg.types import Box, Finding

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 900, 600
FONT = font_manager.findfont("DejaVu Sans")


class Print(NamedTuple):
    """A line that the finder finds, and what the reader makes of it."""

    box: Box
    text: str
    certainty: float = 0.95
    score: float = 0.8
    coarse: bool = False


class Scripted:
    """Networks that find and read what was written down; a line is known by the grey it is painted in."""

    version = "scripted 1"

    def __init__(self, lines: Sequence[Print]) -> None:
        self.lines, self.looks = lines, 0

    def detect(self, rgb: Pixels, least: float = 0.5) -> list[Spot]:
        self.looks += 1
        return [
            Spot(np.array(line.box.polygon, np.float32), line.score)
            for line in self.lines
            if self.looks == 1 + line.coarse
        ]

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        greys = [round(float(np.median(crop)) / 10) for crop in crops]
        return [Reading(*self.lines[g][1:3]) if g < len(self.lines) else Reading("", 0.0) for g in greys]


def found(lines: Sequence[Print], *keep: str, margin: float = 0.12) -> tuple[list[Finding], Policy]:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    for k, line in enumerate(lines):
        if not line.coarse:
            picture[line.box.y0 : line.box.y1, line.box.x0 : line.box.x1] = 10 * k
    policy = Policy(text=TextRules(keep=keep, margin=margin))
    detector: Any = detect.make("text", policy)
    detector._models, detector._proof = Scripted(lines), lambda: None
    return detector.find(detect.Frame(picture)), policy


def covered(lines: Sequence[Print], *keep: str, margin: float = 0.12) -> list[float]:
    """The share of each line that is hidden."""
    findings, policy = found(lines, *keep, margin=margin)
    plan = decide(findings, policy, width=WIDTH, height=HEIGHT)
    hidden = Image.new("1", (WIDTH, HEIGHT))
    for cover in covers(plan, policy):
        ImageDraw.Draw(hidden).polygon([(round(x), round(y)) for x, y in cover.polygon], fill=1)
    at = np.asarray(hidden)
    return [float(at[p.box.y0 : p.box.y1, p.box.x0 : p.box.x1].mean()) for p in lines]


def line(row: int, text: str, category_certainty: float = 0.95, score: float = 0.8, wide: int = 200) -> Print:
    return Print(Box(100, 100 + 28 * row, 100 + wide, 120 + 28 * row), text, category_certainty, score)


FAINT = [line(0, "Foam dressing"), *(line(row, "~~", 0.2, 0.35) for row in (1, 2, 3))]
TICKS = [line(0, "Foam dressing"), line(1, "THTTT", 0.74, 0.46)]
LUMP = [
    Print(Box(105, 105, 305, 145), "Foam dressing"),
    Print(Box(100, 100, 400, 160), "", 0.2, 0.8, coarse=True),
]
PIECE = [Print(Box(100, 100, 300, 130), "Physiotherapist"), Print(Box(240, 101, 298, 129), "apist", 0.7)]


@pytest.mark.parametrize("lines", [FAINT, TICKS, LUMP, PIECE], ids=["faint", "ticks", "lump", "piece"])
def test_a_line_that_is_not_kept_drops_nothing_beside_it(lines: list[Print]) -> None:
    for keep in ((), ("unit", "ruler", "laterality")):
        shares = covered(lines, *keep)
        if lines is TICKS and keep:
            shares = shares[:1]  # what reads as a row of ticks is one, to a policy that keeps rulers
        assert min(shares) > 0.8, keep


def test_a_line_that_is_kept_is_reason_enough_to_leave_a_faint_one_out() -> None:
    assert max(covered(FAINT, "harmless")) == 0.0
    assert max(covered(FAINT, *TextRules().keep)) == 0.0


def test_each_category_stays_only_where_the_policy_names_it() -> None:
    lines = [
        Print(Box(100, 100, 130, 130), "L", 0.99),
        Print(Box(600, 100, 720, 130), "5 cm", 0.99),
        Print(Box(100, 300, 300, 330), "Foam dressing", 0.99),
        Print(Box(600, 500, 800, 530), "10 11 12 13 14", 0.99),
    ]
    for keep, shown in (("laterality", 0), ("unit", 1), ("harmless", 2), ("ruler", 3)):
        shares = covered(lines, keep)
        assert shares.pop(shown) < 0.1, keep
        assert min(shares) > 0.9, keep
    assert min(covered(lines)) > 0.9
    assert max(covered(lines, *TextRules().keep)) == 0.0


@pytest.mark.parametrize("top", [138, 142])
@pytest.mark.parametrize("margin", [0.0, 0.12, 0.5])
def test_a_cover_beside_a_line_that_stays_ends_between_them_at_every_margin(margin: float, top: int) -> None:
    name, role = Print(Box(100, 100, 500, 140), "Rawiri Ngata"), Print(Box(100, top, 500, top + 40), "Registered nurse")
    shares = covered([name, role], *TextRules().keep, margin=margin)
    assert shares[0] > 0.93
    assert shares[1] < 0.15


def scene() -> Image.Image:
    """A ruler with numerals, a lone laterality letter and harmless lines."""
    picture = Image.new("RGB", (1200, 800), (214, 196, 180))
    draw = ImageDraw.Draw(picture)
    large, middle = ImageFont.truetype(FONT, 60), ImageFont.truetype(FONT, 34)
    draw.rectangle((90, 590, 1110, 730), fill=(245, 245, 240))
    for n in range(101):
        draw.line((100 + 10 * n, 592, 100 + 10 * n, 592 + (40 if n % 10 == 0 else 20)), fill=(20, 20, 20), width=2)
    for n in range(11):
        draw.text((100 + 100 * n - 12, 650), str(n), fill=(20, 20, 20), font=middle)
    draw.rectangle((90, 80, 700, 300), fill=(250, 250, 250))
    draw.text((110, 100), "Foam dressing", fill=(10, 10, 10), font=large)
    draw.text((110, 200), "Please wash your hands", fill=(10, 10, 10), font=middle)
    return picture


def test_a_policy_that_keeps_nothing_covers_the_numerals_of_a_ruler_and_plain_words() -> None:
    policy = Policy(text=TextRules(keep=()))
    lines = detect.make("text", policy).find(detect.Frame(np.asarray(scene())))
    assert {"ruler", "harmless"} <= {f.category for f in lines}
    plan = decide(lines, policy, width=1200, height=800)
    assert {a.do for a in plan.actions} == {"cover"}
    usual = decide(lines, Policy(), width=1200, height=800)
    assert {a.do for a in usual.actions if a.finding.category in ("ruler", "harmless")} == {"keep"}


def test_the_policy_in_words_names_what_it_keeps_and_nothing_else() -> None:
    assert "Text: covered. Text that cannot be read is covered." in explain(Policy(text=TextRules(keep=())))
    assert "Text: covered, unless it is known to be harmless (ruler). Text that cannot be read is covered." in explain(
        Policy(text=TextRules(keep=("ruler",)))
    )


@pytest.mark.parametrize("name", ["rulers", "Ruler", "unread", "name", "face", ""])
def test_what_no_policy_can_keep_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f'schema = "medimg.policy/1"\n[text]\nkeep = ["unit", "{name}"]\n', encoding="utf-8")
    with pytest.raises(UsageError, match=f"cannot keep `{name}`: it can name ruler, colour-card"):
        Policy.load(path)
