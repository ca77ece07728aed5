from __future__ import annotations

import math
import socket
from importlib import metadata, resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from medimg.decide import decide
from medimg.detect import Frame, make
from medimg.detect.faces import detector as faces
from medimg.detect.faces import groups as _groups
from medimg.detect.faces.score import judged
from medimg.detect.faces.yunet import YuNet
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.types import Box, Finding, bounding_box

Pixels = NDArray[np.uint8]
FACE = (222, 118)
"""Middle of the nose in the photograph of the astronaut, x and y."""


@pytest.fixture(scope="module")
def detector() -> faces.Faces:
    return faces.make(Policy())


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    """Eileen Collins, a NASA photograph in the public domain; it lies in the wheel of scikit-image. 512 x 512."""
    try:
        path = Path(str(resources.files("skimage"))) / "data" / "astronaut.png"
    except ModuleNotFoundError:
        pytest.skip("scikit-image, which holds the photograph, is not installed")
    return np.asarray(Image.open(path).convert("RGB"))


def of(found: list[Finding], category: str) -> list[Box]:
    return [f.region.box for f in found if f.category == category and f.region]


def holds(box: Box, x: float, y: float) -> bool:
    return box.x0 <= x < box.x1 and box.y0 <= y < box.y1


@pytest.mark.parametrize("turn", [1, 2, *(pytest.param(turn, marks=pytest.mark.long) for turn in (0, 3))])
def test_a_face_is_found_at_every_quarter_turn(turn: int, detector: faces.Faces, astronaut: Pixels) -> None:
    x, y = FACE
    for _ in range(turn):
        x, y = y, 511 - x
    found = detector.find(Frame(np.ascontiguousarray(np.rot90(astronaut, turn))))
    (box,) = of(found, "face")
    assert holds(box, x, y)
    assert box.area < 0.35 * 512 * 512


@pytest.mark.parametrize("orientation", [5, 8, *(pytest.param(o, marks=pytest.mark.long) for o in (1, 4, 6))])
def test_the_region_is_in_stored_coordinates(orientation: int, detector: faces.Faces, astronaut: Pixels) -> None:
    frame = Frame(astronaut, orientation)
    (box,) = of(detector.find(frame), "face")
    assert holds(box, *FACE)


def test_the_cover_holds_hair_ears_chin_and_neck(detector: faces.Faces, astronaut: Pixels) -> None:
    (box,) = of(detector.find(Frame(astronaut)), "face")
    for x, y in ((222, 30), (165, 110), (275, 110), (222, 185)):
        assert holds(box, x, y)


def test_a_masked_face_is_found(detector: faces.Faces, astronaut: Pixels) -> None:
    masked = astronaut.copy()
    cv2.fillPoly(
        masked, [np.array([[185, 118], [222, 108], [260, 118], [255, 160], [222, 175], [190, 160]])], (150, 190, 215)
    )
    (box,) = of(detector.find(Frame(masked)), "face")
    assert holds(box, *FACE)


@pytest.mark.parametrize("change", ["dark", "grey", "large", "small"])
def test_light_colour_and_size(change: str, detector: faces.Faces, astronaut: Pixels) -> None:
    factor = {"large": 6.0, "small": 0.5}.get(change, 1.0)
    changed = {
        "dark": lambda a: (a * 0.3).astype(np.uint8),
        "grey": lambda a: np.repeat(a.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    }.get(change, lambda a: cv2.resize(a, None, fx=factor, fy=factor))(astronaut)
    boxes = of(detector.find(Frame(changed)), "face")
    assert any(holds(b, FACE[0] * factor, FACE[1] * factor) for b in boxes)


def test_a_close_up_is_brought_to_a_person(detector: faces.Faces, astronaut: Pixels) -> None:
    eyes_and_cheek = cv2.resize(astronaut[70:170, 170:270], (1000, 1000), interpolation=cv2.INTER_CUBIC)
    found = detector.find(Frame(eyes_and_cheek))
    assert found
    plan = decide(found, Policy(), width=1000, height=1000)
    assert plan.doing("hold", "ask")


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_face_says_where_it_is_in_its_head(orientation: int, detector: faces.Faces, astronaut: Pixels) -> None:
    (found,) = (f for f in detector.find(Frame(astronaut, orientation)) if f.category == "face")
    assert found.region is not None
    head, inner = found.region.box, bounding_box(found.inner)
    assert head.overlap(inner) == inner.area < 0.6 * head.area


def test_two_faces_are_two_findings(detector: faces.Faces, astronaut: Pixels) -> None:
    half = astronaut[:, 60:400]
    found = of(detector.find(Frame(np.hstack([half, half]))), "face")
    assert sum(holds(b, FACE[0] - 60, FACE[1]) for b in found) == 1
    assert sum(holds(b, FACE[0] - 60 + 340, FACE[1]) for b in found) == 1


def test_a_face_that_runs_over_the_edge_is_found_and_clipped(detector: faces.Faces, astronaut: Pixels) -> None:
    part = np.ascontiguousarray(astronaut[90:, :])
    (box,) = of(detector.find(Frame(part)), "face")
    assert box.y0 == 0
    assert holds(box, FACE[0], FACE[1] - 90)


def skin(seed: int) -> Pixels:
    """Smooth skin-coloured noise with a dark wound-like patch, 480 x 640."""
    rng = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(rng.normal(0, 1, (480, 640, 1)).astype(np.float32), (0, 0), 12)[..., None]
    out = np.array([205, 160, 135], np.float32) + 160 * fine
    cv2.ellipse(out, (320, 240), (90, 60), 30, 0, 360, (120, 40, 40), -1)
    return np.clip(out + rng.normal(0, 4, out.shape), 0, 255).astype(np.uint8)


def ruler(_seed: int) -> Pixels:
    """A paper ruler with ticks and numbers on a plain ground, 480 x 640."""
    out = np.full((480, 640, 3), (40, 90, 60), np.uint8)
    cv2.rectangle(out, (40, 200), (600, 270), (250, 250, 245), -1)
    for n in range(0, 540, 6):
        cv2.line(out, (50 + n, 200), (50 + n, 225 if n % 60 == 0 else 212), (0, 0, 0), 1)
    for n in range(9):
        cv2.putText(out, str(n), (46 + 60 * n, 258), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    return out


@pytest.mark.parametrize("scene", [skin, ruler])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_no_cover_on_skin_or_ruler(scene: object, seed: int, detector: faces.Faces) -> None:
    assert of(detector.find(Frame(scene(seed))), "face") == []  # type: ignore[operator]


def test_the_copy_is_looked_at_again(detector: faces.Faces, astronaut: Pixels) -> None:
    frame = Frame(astronaut)
    (finding,) = [f for f in detector.find(frame) if f.category == "face"]
    assert finding.region
    left, engine = detector.recheck(frame, [])
    assert [f.category for f in left] == ["face"]
    assert engine == detector.version
    elsewhere = Box(0, 400, 200, 512).polygon
    assert len(detector.recheck(frame, [elsewhere])[0]) == 1
    covered = astronaut.copy()
    box = finding.region.box
    covered[box.y0 : box.y1, box.x0 : box.x1] = 0
    assert detector.recheck(Frame(covered), [box.polygon])[0] == []


def test_a_cover_that_misses_the_face_does_not_pass(detector: faces.Faces, astronaut: Pixels) -> None:
    bar = Box(180, 90, 270, 108)  # an eye bar is no cover
    barred = astronaut.copy()
    barred[bar.y0 : bar.y1, bar.x0 : bar.x1] = 0
    left, _engine = detector.recheck(Frame(barred), [bar.polygon])
    assert any(f.region and holds(f.region.box, *FACE) for f in left)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (8, 8), (2, 50_000), (16, 31)])
def test_odd_sizes(size: tuple[int, int], detector: faces.Faces) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    for finding in detector.find(Frame(noise)):
        assert finding.region
        assert finding.region.box.clipped(size[1], size[0]) == finding.region.box


def test_a_face_in_a_panorama_is_found(detector: faces.Faces, astronaut: Pixels) -> None:
    panorama = np.full((512, 4_000, 3), 120, np.uint8)
    panorama[:, 3000:3512] = astronaut
    assert any(holds(b, 3000 + FACE[0], FACE[1]) for b in of(detector.find(Frame(panorama)), "face"))


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_tiles_hold_every_pixel_and_are_few(width: int, height: int) -> None:
    tiles = _groups.tiles(width, height)
    assert 1 <= len(tiles) <= _groups.MOST_TILES
    along = sorted((t.x, t.x + t.width) if width >= height else (t.y, t.y + t.height) for t in tiles)
    assert along[0][0] == 0
    assert along[-1][1] == max(width, height)
    assert all(a[1] >= b[0] for a, b in pairwise(along))
    assert all(t.x >= 0 and t.y >= 0 and t.x + t.width <= width and t.y + t.height <= height for t in tiles)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(0, (-30, -90, 130, 270)), (1, (-35, -60, 145, 260)), (2, (-30, -70, 130, 290)), (3, (-45, -60, 135, 260))],
)
def test_the_head_grows_to_where_its_top_is(turn: int, expected: tuple[int, int, int, int]) -> None:
    face = (0.0, 0.0, 100.0, 200.0)
    assert faces.HEAD == (0.30, 0.45, 0.35)
    box = faces.head_box(face, turn)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(expected, abs=1)


def test_no_network_is_touched(monkeypatch: pytest.MonkeyPatch, astronaut: Pixels) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    assert of(make("faces", Policy()).find(Frame(astronaut)), "face")


def test_the_version_names_both_networks_and_their_digests(detector: faces.Faces) -> None:
    assert [part.split()[0] for part in detector.version.split(", ")] == ["centerface", "yunet"]
    assert all(len(part.split()[1]) == 8 for part in detector.version.split(", "))


def test_nothing_that_could_recognise_is_computed_or_installed() -> None:
    needs = " ".join(metadata.requires("medimg") or []).lower()
    for library in ("face-recognition", "insightface", "deepface", "facenet", "dlib", "arcface", "sface"):
        assert library not in needs
    outputs = faces.CenterFace()._session.get_outputs()
    assert max(o.shape[1] for o in outputs) <= 10, "no vector as long as an embedding"


def test_yunet_gives_whole_pixels_and_hundredths(astronaut: Pixels) -> None:
    rows = YuNet().detect(cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA), 0.35)
    assert len(rows) == 1
    x0, y0, x1, y1, score = rows[0].tolist()
    assert (x0, y0, x1, y1) == tuple(map(round, (x0, y0, x1, y1)))
    assert score * 100 == pytest.approx(round(score * 100), abs=1e-3)
    assert 55 < (x0 + x1) / 2 < 85
    assert 20 < (y0 + y1) / 2 < 55, "the face of the astronaut"


@pytest.mark.parametrize("shape", [(15, 200), (200, 15), (16, 16), (17, 33)])
def test_yunet_answers_for_small_and_odd_sizes(shape: tuple[int, int]) -> None:
    assert YuNet().detect(np.zeros((*shape, 3), np.uint8), 0.35).shape == (0, 5)


@pytest.mark.parametrize(("largest", "said"), [(0.35, ""), (0.45, "possible-face"), (0.62, "face")])
@pytest.mark.parametrize("size", [0.1, 0.4, 0.9])
def test_what_the_largest_view_alone_sees_is_asked_about_at_every_size(size: float, largest: float, said: str) -> None:
    features = [largest, *[0.0] * (_groups.VIEWS - 1), largest, 0.0, math.log(size), 0.2]
    assert judged(features, face=0.83, possible=0.46)[1] == said
