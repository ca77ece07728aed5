from __future__ import annotations

import numpy as np
import pytest

from fixtures import _draw as d
from medimg._opencv import cv2
from medimg.detect import Frame, _marks, objects
from medimg.detect.objects import GROUNDS, MARKS, Maps, _network, _regions
from medimg.errors import CheckNotRun
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


class Session:
    """Stands for onnxruntime's, and answers as it was told."""

    def __init__(self, own: np.ndarray, older: np.ndarray) -> None:
        self.said = [own, older]

    def run(self, names: list[str], _given: object) -> list[np.ndarray]:
        assert names == ["objects", "marks"]
        return self.said


@pytest.mark.parametrize("fault", ["nan", "infinite", "short", "few"])
def test_nonsense_of_the_network_is_no_answer(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own, older = np.zeros((1, 18, 16, 16), np.float32), np.zeros((1, 5, 16, 16), np.float32)
    if fault == "nan":
        own[0, 3, 2, 2] = np.nan
    elif fault == "infinite":
        older[0, 1, 0, 0] = np.inf
    elif fault == "short":
        own = own[..., :8]
    else:
        own = own[:, :14]
    net = object.__new__(_network.Network)
    net._session = Session(own, older)
    monkeypatch.setattr(_network, "network", lambda: net)
    with pytest.raises(CheckNotRun):
        objects.find(Frame(np.full((64, 64, 3), 99, np.uint8)))


@pytest.mark.parametrize("shape", [(1, 1), (8, 3000), (33, 31), (1300, 9), (740, 64)])
def test_any_shape_has_maps_of_its_size(shape: tuple[int, int]) -> None:
    frame = Frame(np.full((*shape, 3), 120, np.uint8))
    look = objects.maps(frame)
    factor = min(1.0, _network.LONG / max(shape))
    rows, columns = (-(-max(1, round(side * factor)) // 4) for side in shape)
    assert look.grounds.shape == (len(GROUNDS), rows, columns)
    assert look.grounds.sum(0) == pytest.approx(1.0, abs=1e-4)
    assert isinstance(objects.find(frame), list)


def scene() -> tuple[Frame, list[tuple[float, float]], list[tuple[float, float]]]:
    """A white label with a bar code and print, and a ruler, on green cloth."""
    from fixtures import _cards as cards

    rng = np.random.default_rng(4)
    picture = d.cloth(rng, 800, 1000, d.DRAPES[1], 4)
    person = cards.Person("Harriet Cox", "A1234567", "NHI", "02/03/1961", "Cedar Ward", "Dr P Ashworth")
    label, ruler = cards.label(rng, person, "Code128", "print", (250, 250, 250)), cards.ruler(rng, 12)
    first = d.quad((500, 300), 460, 460 * label.size[1] / label.size[0], 12)
    second = d.quad((500, 680), 700, 700 * ruler.size[1] / ruler.size[0], -4)
    d.place(picture, label, first)
    d.place(picture, ruler, second)
    return Frame(d.camera(rng, picture, 0.8, 2)), first, second


def test_a_frame_is_looked_at_once_and_its_code_is_outlined() -> None:
    frame, label, _ = scene()
    found = objects.find(frame)
    assert objects.find(frame) is found
    codes = [r for r in found if r.label == "bar code"]
    assert len(codes) == 1
    hull = cv2.convexHull(np.asarray(codes[0].polygon, np.float32))
    both, _ = cv2.intersectConvexConvex(hull, np.asarray(label, np.float32))
    assert both > 0.95 * cv2.contourArea(hull) > 0


def test_it_sees_codes_as_the_older_network_does() -> None:
    frame, _, _ = scene()
    pixels = frame.rgb[:768, :960]
    _, said = _network.network().see(np.ascontiguousarray(pixels))
    older = _marks.network().see(np.ascontiguousarray(pixels))
    assert np.abs(1 / (1 + np.exp(-said)) - older).max() < 1e-3
