from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from benchmarks._patterns import pattern
from fixtures import _cards as cards
from fixtures import _draw as d
from fixtures.make import Manifest
from medimg import types
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.codes import detector as codes
from medimg.detect.codes import likeness
from medimg.detect.codes.detector import Codes, make
from medimg.detect.objects import level, marks
from medimg.policy import Policy
from medimg.redact.cover import mask

POLICY = Policy()


@pytest.fixture(scope="module")
def detector() -> Codes:
    made = make(POLICY)
    assert isinstance(made, Codes)
    return made


def scene_with(card: d.Card, corners: list[d.Point], blur: float = 0.6, seed: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    picture = d.cloth(rng, 700, 900, d.DRAPES[2])
    d.place(picture, card, corners)
    return d.camera(rng, picture, blur)


def hidden(findings: list[types.Finding], width: int, height: int) -> NDArray[np.bool_]:
    plan = decide(findings, POLICY, width=width, height=height)
    return mask([c.polygon for c in covers(plan, POLICY)], width, height)


@pytest.mark.long
def test_every_code_of_the_fixtures_is_covered_and_nothing_else_is_hit(
    fixture_photos: tuple[Path, Manifest], detector: Codes
) -> None:
    found_in, pictures = set(), fixture_photos[1].pictures
    for picture in sorted(pictures, key=lambda p: -len(p.codes)):
        kinds = {c.cls for c in picture.codes} or {s.cls for s in picture.survive}
        if kinds <= found_in:  # as in a picture before; all of them go through in the test of the real run
            continue
        found_in |= kinds
        with Image.open(fixture_photos[0] / picture.file) as image:
            stored = np.asarray(image.convert("RGB"))
        frame = Frame(stored, picture.orientation)
        found = detector.find(frame)
        cover = hidden(found, picture.width, picture.height)
        for code in picture.codes:
            area = mask([code.polygon], picture.width, picture.height)
            assert (area & cover).sum() > 0.75 * area.sum(), (picture.file, code.cls)  # the polygon has a quiet zone
        for keep in picture.survive:
            area = mask([keep.polygon], picture.width, picture.height)
            assert (area & cover).sum() <= 0.01 * area.sum(), (picture.file, keep.cls)
        if not picture.codes:
            assert not [f for f in found if f.score > 0.9], picture.file


def test_content_is_never_kept(detector: Codes) -> None:
    text = "\x1b[31m<script>MARKER-7741</script>\x00\x07"
    frame = Frame(scene_with(cards.code_card(text, "QRCode", 8), d.quad((450, 350), 300, 300, 10)))
    found = detector.find(frame)
    assert [f.category for f in found] == ["2d-code"]
    assert not found[0].secret
    assert b"MARKER" not in types.to_json(found)
    assert "MARKER" not in repr(found)


def test_binary_content(detector: Codes) -> None:
    content = bytes(range(256))
    frame = Frame(scene_with(cards.code_card(content, "QRCode", 6), d.quad((450, 350), 420, 420)))
    found = detector.find(frame)
    assert found
    assert content[128:140] not in pickle.dumps([f.category + f.detector for f in found])


@pytest.mark.parametrize("degrees", [0, 33, 90, 180])
@pytest.mark.parametrize("symbology", ["Code128", "Code39", "DataMatrix", "QRCode", "Aztec", "PDF417"])
def test_sharp_codes_at_any_angle(symbology: str, degrees: int, detector: Codes) -> None:
    linear = symbology.startswith("Code")
    card = cards.code_card("ZZZ0016881", symbology, 4 if linear else 8, 140 if linear else 0, 20)
    width = 420.0 if linear or symbology == "PDF417" else 200.0
    corners = d.quad((450, 350), width, width * card.size[1] / card.size[0], degrees)
    pixels = scene_with(card, corners)
    cover = hidden(detector.find(Frame(pixels)), 900, 700)
    middle = mask(
        [tuple(d.quad((450, 350), width * 0.7, width * 0.7 * card.size[1] / card.size[0], degrees))], 900, 700
    )
    assert (middle & cover).sum() > 0.95 * middle.sum()


def test_a_code_too_blurred_to_be_read_is_found_by_its_looks(detector: Codes) -> None:
    import zxingcpp

    card = cards.code_card("ZZZ0016-881", "Code128", 4, 150, 20)
    pixels = scene_with(card, d.quad((450, 350), 330, 110, 7), blur=1.9)
    assert not zxingcpp.read_barcodes(pixels)
    cover = hidden(detector.find(Frame(pixels)), 900, 700)
    middle = mask([tuple(d.quad((450, 350), 220, 66, 7))], 900, 700)
    assert (middle & cover).sum() > 0.9 * middle.sum()


@pytest.mark.parametrize("degrees", [0, 17, 90])
def test_rulers_and_colour_cards_stay(degrees: int, detector: Codes) -> None:
    rng = np.random.default_rng(3)
    for card, size in ((cards.ruler(rng, 8), (700, 142)), (cards.colour_card(), (420, 286))):
        frame = Frame(scene_with(card, d.quad((450, 350), *size, degrees)))
        assert detector.find(frame) == []


@pytest.mark.parametrize("seed", [101, 115, 117])
def test_wheels_flags_and_checks_are_no_codes(seed: int, detector: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame(pattern(seed))
    assert detector.find(frame) == []
    monkeypatch.setattr(codes, "like_a_code", lambda *_: True)
    assert detector.find(frame), "the network takes it for one"


@pytest.mark.parametrize("pitch", [5, 9, 20])
def test_ticks_at_one_distance_are_no_code_and_bars_are(pitch: int) -> None:
    rng = np.random.default_rng(7)
    part = np.full((80, 380), 215.0)
    part[:, np.arange(4, 376, pitch)] = part[:, np.arange(5, 376, pitch)] = 60
    ticks = np.clip(part + rng.normal(0, 6, part.shape), 0, 255).astype(np.uint8)
    assert level.comb(np.dstack([ticks] * 3))
    code = zxingcpp.create_barcode("RX-5839201", zxingcpp.BarcodeFormat.Code128).to_image(scale=2)
    bars = np.asarray(Image.fromarray(np.asarray(code)).resize((380, 80)))
    assert not level.comb(np.dstack([bars] * 3))
    assert not level.comb(np.dstack([bars.T] * 3))
    # A postal code's bars stand at one distance as well; which of them go up, and which down, is the number.
    post = np.full((80, 380), 215.0)
    for x in range(4, 376, pitch):
        up, down = rng.integers(0, 2, 2)
        post[8 if up else 32 : 72 if down else 48, x : x + 2] = 60
    assert not level.comb(np.dstack([post.astype(np.uint8)] * 3))


def test_what_was_read_counts_whatever_it_looks_like(detector: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    card = cards.code_card("ZZZ0016-881", "Code128", 4, 150, 20)
    frame = Frame(scene_with(card, d.quad((450, 350), 420, 140, 7)))
    before = detector.find(frame)
    assert before
    monkeypatch.setattr(codes, "like_a_code", lambda *_: False)
    assert detector.find(frame) == before


def test_the_weights_are_of_the_features(detector: Codes) -> None:
    known = likeness.weights()
    assert known.features == likeness.NAMES
    assert np.asarray(known.inner).shape == (len(likeness.NAMES), len(known.outer))
    frame = Frame(scene_with(cards.code_card("ZZZ0016-881", "QRCode", 8), d.quad((450, 350), 300, 300, 10)))
    looks = marks.views(frame)
    likely = np.maximum(looks[0].marks[marks.BAR], looks[0].marks[marks.MATRIX])
    place = max(marks.places(looks[0], likely, 12), key=lambda p: np.count_nonzero(p.own))
    given = dict(zip(likeness.NAMES, likeness.features(frame, place, looks, 0), strict=True))
    assert given["matrix"] > 0.9
    assert given["right angles"] > 0.5
    assert given["two tones"] > 0.7
    assert max(given["repeats most"], given["repeats least"]) < 0.7
    assert known.score(list(given.values()), 0) >= known.least


def test_a_code_beyond_the_frame_and_a_sliver_have_features() -> None:
    grey = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    for corners in (((-40, -40), (60, -40), (60, 30), (-40, 30)), ((10, 10), (12, 10), (12, 11), (10, 11))):
        part = level.level(grey, np.asarray(corners, np.float32))
        assert min(part.shape[:2]) >= 2
        assert np.isfinite(likeness._looks_of(part)).all()
    assert np.isfinite(likeness._looks_of(np.full((40, 90, 3), 128, np.uint8))).all()


def test_cloth_skin_and_noise_have_no_codes(detector: Codes) -> None:
    rng = np.random.default_rng(5)
    for weave in (3.0, 5.0, 9.0):
        assert detector.find(Frame(d.camera(rng, d.cloth(rng, 600, 800, d.DRAPES[0], weave)))) == []
    for tone in (2, 6, 10):
        assert detector.find(Frame(d.camera(rng, d.skin(rng, 600, 800, tone)))) == []
    assert detector.find(Frame(np.full((500, 700, 3), 127, np.uint8))) == []


def test_recheck_sees_only_what_is_outside_the_covers(detector: Codes) -> None:
    pixels = scene_with(cards.code_card("ZZZ0016", "QRCode", 8), d.quad((450, 350), 260, 260, 5))
    frame = Frame(pixels)
    left, engine = detector.recheck(frame, [])
    assert len(left) == 1
    assert "zxing" in engine
    plan = decide(left, POLICY, width=900, height=700)
    polygons = [c.polygon for c in covers(plan, POLICY)]
    assert detector.recheck(frame, polygons)[0] == []
    painted = pixels.copy()
    painted[mask(polygons, 900, 700)] = 0
    assert detector.recheck(Frame(painted), polygons)[0] == []


def test_a_stacked_code_is_covered_to_its_edges(fixture_photos: tuple[Path, Manifest], detector: Codes) -> None:
    picture = next(p for p in fixture_photos[1].pictures if p.file == "codes.jpg")
    with Image.open(fixture_photos[0] / picture.file) as image:
        stored = np.asarray(image.convert("RGB"))
    cover = hidden(detector.find(Frame(stored, picture.orientation)), picture.width, picture.height)
    code = next(c for c in picture.codes if c.cls == "PDF417")
    middle = np.mean(code.polygon, axis=0)
    # The quiet zone is two modules of the 107 that the symbol is wide.
    bars = tuple((float(x), float(y)) for x, y in middle + 0.96 * (np.asarray(code.polygon) - middle))
    area = mask([bars], picture.width, picture.height)
    assert (area & cover).sum() > 0.999 * area.sum()


@pytest.mark.parametrize("symbology", ["QRCode", "PDF417", "Code128"])
def test_half_a_code_beside_a_cover_is_seen_again(symbology: str, detector: Codes) -> None:
    high = 140 if symbology == "Code128" else 0
    card = cards.code_card("ZZZ0016881-77" * (1 if high else 4), symbology, 4, high, 20)
    width = 460.0
    box = d.quad((450, 350), width, width * card.size[1] / card.size[0], 6)
    pixels = scene_with(card, box)
    half = tuple(d.quad((340, 340), 220, 520, 6))
    painted = pixels.copy()
    painted[mask([half], 900, 700)] = 0
    left, _ = detector.recheck(Frame(painted), [half])
    assert left
    whole = tuple(d.quad((450, 350), width + 20, width * card.size[1] / card.size[0] + 20, 6))
    painted[mask([whole], 900, 700)] = 0
    assert detector.recheck(Frame(painted), [half, whole])[0] == []


def test_codes_side_by_side_are_a_sheet_and_gauze_is_none(detector: Codes) -> None:
    tile = cards.code_card("A1", "DataMatrix", 2, 0, 4).rgba[..., :3]
    sheet = np.full((700, 900, 3), 236, np.uint8)
    sheet[100:420, 100:548] = np.tile(tile, (10, 14, 1))
    cover = hidden(detector.find(Frame(sheet)), 900, 700)
    assert cover[120:400, 120:530].mean() > 0.9
    gauze = np.full((700, 900, 3), 236, np.uint8)
    gauze[100:500:8, 100:700] = 120
    gauze[100:500, 100:700:8] = 120
    assert detector.find(Frame(gauze)) == []


@pytest.mark.parametrize("turn", [3, 21, 45, 68, 113])
def test_a_slanted_ruler_stays_and_the_code_beside_it_goes(turn: int, detector: Codes) -> None:
    rng = np.random.default_rng(turn)
    picture = d.cloth(rng, 700, 900, d.DRAPES[1])
    turned = np.asarray(d.quad((0, 0), 2, 2, turn))
    across = (turned[3] - turned[0]) / 2
    ruler = tuple(d.quad((450 - 70 * across[0], 350 - 70 * across[1]), 560, 112, turn))
    d.place(picture, cards.ruler(rng, 8), list(ruler))
    code = tuple(d.quad((450 + 60 * across[0], 350 + 60 * across[1]), 90, 90, turn))
    d.place(picture, cards.code_card("ZZZ0016", "DataMatrix", 8, 0, 8), list(code))
    cover = hidden(detector.find(Frame(d.camera(rng, picture))), 900, 700)
    area, keep = mask([code], 900, 700), mask([ruler], 900, 700)
    assert (area & cover).sum() > 0.7 * area.sum()
    assert (keep & cover).sum() < 0.02 * keep.sum()


def test_orientation_is_undone(detector: Codes) -> None:
    pixels = scene_with(cards.code_card("ZZZ0016", "QRCode", 8), d.quad((200, 150), 200, 200))
    for orientation, turns in ((1, 0), (3, 2), (6, 1), (8, 3)):
        stored = np.ascontiguousarray(np.rot90(pixels, turns))
        found = detector.find(Frame(stored, orientation))
        height, width = stored.shape[:2]
        cover = hidden(found, width, height)
        upright = np.rot90(cover, -turns)
        assert upright[150, 200]
        assert not upright[500, 700]


def test_thousands_of_codes_on_a_page(detector: Codes) -> None:
    card = cards.code_card("A1", "DataMatrix", 2, 0, 4)
    tile = card.rgba[..., :3]
    page = np.tile(tile, (70, 72, 1))  # 5,040 codes
    frame = Frame(page)
    found = detector.find(frame)
    # One cover over most of the picture is for a person to decide: the photo is held.
    assert decide(found, POLICY, width=frame.width, height=frame.height).doing("hold")


@pytest.mark.parametrize("shape", [(30, 3000), (3000, 30), (1, 1), (7, 900), (16, 16)])
def test_odd_shapes(shape: tuple[int, int], detector: Codes) -> None:
    rng = np.random.default_rng(9)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    assert len(detector.find(Frame(pixels))) <= 200


def test_a_code_in_a_picture_thirty_pixels_high(detector: Codes) -> None:
    strip = np.full((30, 20_000, 3), 240, np.uint8)
    code = cards.code_card("ZZZ0016881", "Code128", 2, 30).rgba[..., :3]
    strip[:, 9000 : 9000 + code.shape[1]] = code
    cover = hidden(detector.find(Frame(strip)), 20_000, 30)
    assert cover[:, 9040 : 9000 + code.shape[1] - 40].mean() > 0.9
    assert cover[:, :8000].mean() == 0


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90), st.integers(1, 7))
def test_anything_gives_finite_places(seed: int, width: int, height: int, lump: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.kron(rng.integers(0, 2, (height, width, 1), np.uint8) * 255, np.ones((lump, lump, 3), np.uint8))
    for finding in make(POLICY).find(Frame(pixels)):
        assert finding.region is not None
        assert np.isfinite(finding.region.polygon).all()
        assert 0 <= finding.score <= 1
