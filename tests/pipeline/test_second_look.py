"""What the first look is blind to in one place, the second look covers, or it holds the photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from told_kit import Told

from medimg import Scrubber
from medimg.api import load_detectors
from medimg.detect import DETECTORS, Detector, Frame, drawn_head, proof
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Box, Finding, KnownValues, Polygon, Region, Secret
from medimg.vocabulary import Reason

SIZE = (1100, 760)
PLACES = {"text": Box(60, 60, 700, 140), "codes": Box(760, 40, 1060, 340), "faces": Box(120, 240, 560, 740)}


class Blind:
    """A detector that finds nothing in one place of the original; of a copy it says what it sees."""

    def __init__(self, detector: Detector, place: Box) -> None:
        self._detector, self._place = detector, place
        self.name, self.version = detector.name, detector.version
        self.missed: list[Finding] = []

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
        found = self._detector.find(frame, known)
        self.missed += [f for f in found if f.region and f.region.box.overlap(self._place)]
        return [f for f in found if f not in self.missed]

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        return self._detector.recheck(frame, covers, known)


@pytest.fixture(scope="module")
def detectors() -> dict[str, Any]:
    return {d.name: d for d in load_detectors(Policy.load())}


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A name, a code and a head, each in its own part of a sheet."""
    sheet = Image.new("RGB", SIZE, (206, 214, 210))
    ImageDraw.Draw(sheet).rectangle((50, 50, 710, 150), fill=(250, 250, 246))
    ImageDraw.Draw(sheet).text((70, 66), "Anna Lindqvist 12.03.1961", (20, 20, 30), font=ImageFont.load_default(48))
    sheet.paste(Image.fromarray(proof.code()).resize((256, 256), Image.Resampling.NEAREST), (782, 62))
    head = drawn_head.draw(460, "III", step=4).convert("RGB")
    sheet.paste(head, (140, 260))
    out = io.BytesIO()
    Image.fromarray(np.asarray(sheet, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", PLACES)
def test_where_one_check_of_the_original_is_blind_the_copy_is_covered_or_held(
    name: str, photo: bytes, detectors: dict[str, Any]
) -> None:
    place = PLACES[name]
    blind = Blind(detectors[name], place)
    done = Scrubber(Policy.load(), detectors=[blind if n == name else detectors[n] for n in DETECTORS]).scrub(photo)
    assert blind.missed, "there is something to miss"
    assert done.report.plan is not None
    second = [a.finding for a in done.report.plan.actions if a.why == Reason.SECOND_LOOK]
    there = [f for f in second if f.region and f.region.box.overlap(place)]
    assert done.held or there, done.report.checks
    if done.data:
        pixels = np.asarray(Image.open(io.BytesIO(done.data)).convert("RGB"))
        for box in [f.region.box for f in there if f.region]:
            inside = pixels[box.y0 + 2 : box.y1 - 2, box.x0 + 2 : box.x1 - 2]
            assert (inside == inside[0, 0]).all(), "a cover is flat"


def _line(box: Box, category: str, text: str) -> Finding:
    region = Region(box.polygon)
    return Finding(kind="text", category=category, detector="told", score=0.9, region=region, secret=Secret(text))


def _second(first: Sequence[Finding], again: Sequence[Finding]) -> list[Finding]:
    """What the second look adds to a plain picture."""
    out = io.BytesIO()
    Image.new("RGB", SIZE, (236, 236, 232)).save(out, "PNG")
    detectors = [Told("text", first, again), Told("codes"), Told("faces")]
    done = Scrubber(Policy.load(), detectors=detectors).scrub(out.getvalue())
    assert done.report.plan is not None
    return [a.finding for a in done.report.plan.actions if a.why == Reason.SECOND_LOOK]


FIGURES = [_line(Box(100 + 60 * k, 400, 130 + 60 * k, 430), "ruler", str(k)) for k in range(9)]
TRACE = [_line(Box(100, 200, 600, 280), "unit", "rrrrrrr")]
VALUES = [_line(Box(100, 200, 500, 280), "unit", "mmHg 12"), _line(Box(500, 200, 600, 280), "unit", "36")]


@pytest.mark.parametrize(
    ("stays", "place", "category", "text", "more"),
    [
        pytest.param(FIGURES, Box(95, 398, 620, 432), "record-number", "012385678", False, id="one figure misread"),
        pytest.param(FIGURES, Box(95, 398, 620, 432), "record-number", "583920417", True, id="another number"),
        pytest.param(VALUES, Box(100, 200, 600, 280), "unknown", "mHg 1236", False, id="two that stay as one"),
        pytest.param(VALUES, Box(100, 200, 600, 280), "unknown", "W", False, id="a sign in their place"),
        pytest.param(VALUES, Box(100, 200, 600, 280), "unknown", "Quispe 36", True, id="a name in their place"),
        pytest.param(TRACE, Box(100, 200, 400, 280), "unknown", "hhhh", False, id="a curve by other letters"),
        pytest.param(TRACE, Box(100, 200, 600, 280), "unread", "", False, id="a curve of which nothing was read"),
        pytest.param(TRACE, Box(100, 200, 400, 280), "unread", "", True, id="unread, on a part of a curve"),
        pytest.param(TRACE, Box(100, 200, 400, 280), "unknown", "Hanna", True, id="a name on a curve"),
        pytest.param(VALUES, Box(100, 200, 900, 280), "unknown", "mmHg", True, id="reaching beyond them"),
    ],
)
def test_what_the_second_look_makes_of_things_that_stay(
    stays: list[Finding], place: Box, category: str, text: str, more: bool
) -> None:
    assert bool(_second(stays, [_line(place, category, text)])) == more
