"""The scale at the rim of a scan stays, and what is written there does not pass for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from medimg.detect import Frame, Pixels
from medimg.detect.objects import carriers, drawn_scale
from medimg.detect.text import scale_lines
from medimg.detect.text.labels import Line
from medimg.detect.text.lines import Quad
from medimg.detect.text.ocr import Spot
from medimg.types import Finding, Region, Secret


def rim(*, pitch: int = 90, count: int = 9, ink: int = 235, ground: int = 6, turned: bool = False) -> Pixels:
    """A column of strokes, each fifth one longer, as it comes out of a JPEG."""
    pixels = np.full((1200, 900, 3), ground, np.uint8)
    for k in range(count):
        pixels[100 + pitch * k : 103 + pitch * k, 700 : 740 if k % 5 == 4 else 727] = ink
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    there = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(there.transpose(1, 0, 2)) if turned else there


def quad(x0: float, y0: float, x1: float, y1: float, *, turned: bool = False) -> Quad:
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    return corners[:, ::-1].copy() if turned else corners


ONE, SOME = (697, 275, 730, 288), (690, 90, 745, 300)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("ink", [235, 6])
@pytest.mark.parametrize("place", [ONE, SOME])
def test_strokes_evenly_apart_are_a_scale(place: tuple[int, ...], ink: int, turned: bool) -> None:
    pixels = rim(ink=ink, ground=241 - ink, turned=turned)
    assert drawn_scale.strokes(pixels, quad(*place, turned=turned))
    line = Line(Spot(quad(*place, turned=turned), 0.6), "\u4e00", 0.55, "unknown")
    assert scale_lines.rulers([line], Frame(pixels))[0].category == "ruler"


def test_too_few_uneven_ones_and_what_is_written_are_none() -> None:
    assert not drawn_scale.strokes(rim(count=4), quad(*ONE))
    uneven = rim()
    uneven[600:, 690:] = rim(pitch=70)[600:, 690:]
    uneven[370:375, 690:], uneven[330:333, 700:727] = 6, 235
    assert not drawn_scale.strokes(uneven, quad(*SOME))
    faint = rim()
    cv2.putText(faint, "Ngata", (690, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (70, 70, 70), 2, cv2.LINE_AA)
    assert not drawn_scale.strokes(faint, quad(*SOME))
    named = rim()
    cv2.putText(named, "Ngata", (690, 240), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (235, 235, 235), 2, cv2.LINE_AA)
    assert not drawn_scale.strokes(named, quad(*SOME))
    assert not drawn_scale.strokes(named, quad(685, 220, 760, 250))
    assert not drawn_scale.strokes(np.full((400, 400, 3), 90, np.uint8), quad(10, 10, 60, 30))


def test_they_stay_though_no_ruler_is_seen() -> None:
    """A network that has learned rulers knows none on a black rim."""
    region = Region(tuple((float(x), float(y)) for x, y in quad(*SOME)))
    strokes = Finding(kind="text", category="ruler", detector="text", score=0.5, region=region, secret=Secret("n"))
    assert carriers.placed(Frame(rim()), [strokes])[0].category == "ruler"
    plain = Frame(np.full((1200, 900, 3), 6, np.uint8))
    assert carriers.placed(plain, [strokes])[0].category == "unknown"
