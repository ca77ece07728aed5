"""Regions of the maps of a network that is not part of the program yet (benchmarks/objects-model.md)."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import _object_regions as _regions
from benchmarks._object_network import GROUNDS, MARKS, Maps
from fixtures import _draw as d
from medimg.native.opencv import cv2
from medimg.types import Polygon

H, W = 96, 128


def maps(**areas: list[tuple[float, float]]) -> Maps:
    """Maps in which each named ground or mark fills a polygon, given in squares; squares are 4 x 4 pixels."""
    grounds = np.zeros((len(GROUNDS), H, W), np.float32)
    marks = np.full((len(MARKS), H, W), 0.01, np.float32)
    for name, corners in areas.items():
        large = np.zeros((8 * H, 8 * W), np.float32)
        cv2.fillPoly(large, [np.round(np.asarray(corners) * 8 - 0.5).astype(np.int32)], 1.0)
        one = cv2.resize(large, (W, H), interpolation=cv2.INTER_AREA)
        label = name.rstrip("0123456789").replace("_", " ").replace("two d", "2-D")
        if label in MARKS:
            marks[MARKS.index(label)] = np.maximum(marks[MARKS.index(label)], 0.98 * one)
        else:
            grounds *= 1 - one
            grounds[GROUNDS.index(label)] += one
    grounds[0] += 1 - grounds.sum(0)
    return Maps(grounds, np.zeros((H, W), np.float32), marks, 4.0, 4.0)


def box(x0: float, y0: float, x1: float, y1: float, degrees: float = 0.0) -> list[tuple[float, float]]:
    return d.quad(((x0 + x1) / 2, (y0 + y1) / 2), x1 - x0, y1 - y0, degrees)


def iou(a: Polygon, corners: list[tuple[float, float]]) -> float:
    """Of a region and what was drawn, in squares."""
    first, second = np.asarray(a, np.float32) / 4, np.asarray(corners, np.float32)
    both, _ = cv2.intersectConvexConvex(cv2.convexHull(first), second)
    return float(both / (cv2.contourArea(first) + cv2.contourArea(second) - both))


@pytest.mark.parametrize("degrees", [0, 17, 45, 90])
def test_a_slim_band_has_four_straight_edges(degrees: float) -> None:
    drawn = box(24, 44, 104, 52, degrees)
    (band,) = _regions.regions(maps(wristband=drawn))
    assert (band.label, band.cut, len(band.polygon)) == ("wristband", False, 4)
    assert iou(band.polygon, drawn) > 0.85


def test_a_thing_cut_by_the_frame_says_so_and_reaches_the_edge() -> None:
    (board,) = _regions.regions(maps(whiteboard=box(80, 20, 150, 70)))
    assert board.cut
    assert max(x for x, _ in board.polygon) == pytest.approx(4 * W, abs=4)


def test_marks_know_the_thing_they_lie_on() -> None:
    found = _regions.regions(
        maps(
            label=box(20, 20, 60, 50),
            print=box(24, 24, 56, 28),
            two_d_code=box(40, 34, 52, 46),
            print1=box(90, 80, 120, 84),
        )
    )
    assert [(r.label, r.on) for r in found] == [("label", None), ("2-D code", 0), ("print", 0), ("print", None)]


def test_a_portrait_on_a_badge_belongs_to_it_and_a_hole_is_filled() -> None:
    drawn = box(30, 20, 80, 80)
    found = _regions.regions(maps(badge=drawn, picture=box(40, 30, 60, 55)))
    assert [r.label for r in found] == ["badge", "picture"]
    assert iou(found[0].polygon, drawn) > 0.9


def test_things_that_touch_are_parted_where_the_network_sees_them_meet() -> None:
    look = maps(paper=box(10, 20, 50, 60), label=box(50, 20, 90, 60))
    assert len(_regions.regions(look)) == 1
    look.meets[18:63, 49:51] = 0.9
    assert sorted(r.label for r in _regions.regions(look)) == ["label", "paper"]


def test_a_ruler_is_no_carrier_even_beside_one() -> None:
    found = _regions.regions(maps(ruler=box(10, 40, 110, 48), label=box(40, 48, 80, 70)))
    assert [r.label for r in found] == ["label", "ruler"]


def test_a_bent_ruler_keeps_its_corner() -> None:
    look = maps(ruler=box(10, 10, 90, 22), ruler1=box(10, 10, 22, 80))
    (ruler,) = _regions.regions(look)
    area = float(cv2.contourArea(np.asarray(ruler.polygon, np.float32))) / 16
    assert area == pytest.approx(80 * 12 + 58 * 12, rel=0.12)
