from __future__ import annotations

import numpy as np
import pytest

from fixtures import _cards as cards
from fixtures import _draw as d
from medimg.detect import Frame
from medimg.detect.codes.detector import make
from medimg.detect.objects import marks as _marks
from medimg.native.opencv import cv2
from medimg.policy import Policy

RNG = np.random.default_rng(5)


def on_cloth(card: d.Card, degrees: float, width: float = 620.0) -> tuple[Frame, np.ndarray]:
    """A card on green cloth, 1000 x 800, and its corners."""
    picture = d.cloth(np.random.default_rng(3), 800, 1000, d.DRAPES[1], 4)
    w, h = card.size
    corners = d.quad((500, 400), width, h * width / w, degrees)
    d.place(picture, card, corners)
    return Frame(d.camera(np.random.default_rng(3), picture, 0.8, 2)), np.asarray(corners, np.float32)


@pytest.mark.parametrize("degrees", [0, 34, 90, 200])
def test_a_ruler_is_outlined(degrees: int) -> None:
    frame, corners = on_cloth(cards.ruler(np.random.default_rng(2), 12), degrees)
    outlines = _marks.rulers(frame)
    assert len(outlines) == 1
    both, _ = cv2.intersectConvexConvex(cv2.convexHull(outlines[0]), corners)
    union = cv2.contourArea(outlines[0]) + cv2.contourArea(corners) - both
    assert both > 0.75 * union


def test_a_label_and_a_code_are_no_rulers() -> None:
    for card in (
        cards.code_card("A1234567", "Code128", 4, 120, 10),
        cards.packet(RNG, ["Gauze", "sterile", "5 pieces"]),
    ):
        assert _marks.rulers(on_cloth(card, 12)[0]) == []


@pytest.mark.parametrize("colour", [(30.0, 28.0, 40.0), (190.0, 192.0, 196.0)], ids=["sutures", "staples"])
def test_a_row_of_stitches_is_no_code(colour: tuple[float, float, float]) -> None:
    picture = d.skin(np.random.default_rng(8), 800, 1000, 4)
    for x in range(300, 700, 26):
        cv2.line(picture, (x, 370 + x // 20), (x + 4, 420 + x // 20), colour, 4, cv2.LINE_AA)
    frame = Frame(d.camera(np.random.default_rng(8), picture, 0.8, 2))
    assert make(Policy()).find(frame) == []


def test_the_network_looks_once_for_all_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[int, ...]] = []
    see = _marks.Network.see

    def counted(network: _marks.Network, picture: np.ndarray) -> np.ndarray:
        looks.append(picture.shape)
        return see(network, picture)

    monkeypatch.setattr(_marks.Network, "see", counted)
    frame = Frame(np.full((300, 400, 3), 120, np.uint8))
    first = _marks.views(frame)
    seen = len(looks)
    assert seen == len(first) > 0
    assert _marks.views(frame) is first
    assert len(looks) == seen


@pytest.mark.parametrize("shape", [(1, 1), (8, 3000), (33, 31), (1300, 9), (40, 1300)])
def test_any_shape_has_maps_of_its_size(shape: tuple[int, int]) -> None:
    frame = Frame(np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8))
    for view in _marks.views(frame):
        assert view.marks.shape[0] == len(_marks.CLASSES)
        assert np.isfinite(view.marks).all()
        assert abs(view.marks.shape[2] * view.across - shape[1]) <= 4 * view.across
        assert abs(view.marks.shape[1] * view.down - shape[0]) <= 4 * view.down
