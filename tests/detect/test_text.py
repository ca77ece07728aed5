from __future__ import annotations

import math
import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.text import detector as text
from medimg.detect.text import ocr, tesseract
from medimg.detect.text.identifiers import KEPT
from medimg.errors import CheckNotRun, MissingPart
from medimg.policy import Policy, VerifyRules
from medimg.redact.cover import mask
from medimg.system import host
from medimg.types import Finding, KnownValues, Polygon

Pixels = NDArray[np.uint8]
Entry = tuple[str, int, int, int]
"""Words, left, top, size."""


@pytest.fixture(scope="module")
def detector() -> text.TextDetector:
    return text.make(Policy())


def picture(
    entries: Sequence[Entry], size: tuple[int, int] = (1200, 900), *, paper: str | None = "white", turn: float = 0
) -> tuple[Pixels, list[Polygon]]:
    """Lines on paper on skin, and where each stands."""
    image = Image.new("RGB", size, (205, 165, 145))
    draw = ImageDraw.Draw(image)
    boxes = []
    for words, x, y, high in entries:
        font = ImageFont.load_default(high)
        box = draw.textbbox((x, y), words, font=font)
        if paper:
            draw.rectangle((box[0] - high, box[1] - high // 2, box[2] + high, box[3] + high // 2), fill=paper)
        draw.text((x, y), words, font=font, fill=(20, 20, 30))
        boxes.append(box)
    turned = image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(205, 165, 145))
    noise = np.random.default_rng(5).normal(0, 3, (size[1], size[0], 1))
    pixels = np.clip(np.asarray(turned, np.float32) + noise, 0, 255).astype(np.uint8)
    a = math.radians(-turn)
    cx, cy = size[0] / 2, size[1] / 2

    def moved(x: float, y: float) -> tuple[float, float]:
        return (
            cx + (x - cx) * math.cos(a) - (y - cy) * math.sin(a),
            cy + (x - cx) * math.sin(a) + (y - cy) * math.cos(a),
        )

    return pixels, [tuple(moved(*p) for p in ((b[0], b[1]), (b[2], b[1]), (b[2], b[3]), (b[0], b[3]))) for b in boxes]


def covered(found: Sequence[Finding], places: Sequence[Polygon], size: tuple[int, int]) -> list[float]:
    """Which share of each place the policy covers."""
    policy = Policy()
    plan = decide([f for f in found if f.region], policy, width=size[0], height=size[1])
    hidden = mask([c.polygon for c in covers(plan, policy)], *size)
    return [float(hidden[mask([place], *size)].mean()) for place in places]


LABEL: list[Entry] = [
    ("NGATA, Rawiri", 120, 100, 34),
    ("DOB 12/03/1956", 120, 150, 34),
    ("NHI ZZZ0016", 120, 200, 34),
]


@pytest.mark.parametrize("turn", [14, 90, *(pytest.param(turn, marks=pytest.mark.long) for turn in (0, -35, 180))])
def test_a_label_is_covered_at_any_angle(detector: text.TextDetector, turn: float) -> None:
    pixels, places = picture(LABEL, (1200, 1200), turn=turn)
    found = detector.find(Frame(pixels))
    assert min(covered(found, places, (1200, 1200))) > 0.97
    assert all(f.kind == "text" and f.detector == "text" for f in found)
    assert not {f.category for f in found} & KEPT


def test_categories_say_what_it_was(detector: text.TextDetector) -> None:
    pixels, _ = picture([(words, x, 80 + 170 * k, size) for k, (words, x, _, size) in enumerate(LABEL)])
    assert {f.category for f in detector.find(Frame(pixels))} == {"name", "date", "record-number"}


def test_harmless_words_stay_and_unknown_ones_go(detector: text.TextDetector) -> None:
    pixels, places = picture(
        [("STERILE", 100, 80, 40), ("10 x 12 cm", 100, 300, 40), ("Xqrumbi", 100, 520, 40), ("LEFT", 700, 700, 40)]
    )
    found = detector.find(Frame(pixels))
    shares = covered(found, places, (1200, 900))
    assert shares[0] == shares[1] == shares[3] == 0
    assert shares[2] > 0.97
    assert {f.category for f in found} == {"harmless", "unit", "unknown", "laterality"}


@pytest.mark.parametrize(
    "name",
    [
        "\u0418\u0432\u0430\u043d\u043e\u0432",
        pytest.param("\u10d2\u10d8\u10dd\u10e0\u10d2\u10d8", marks=pytest.mark.long),
        pytest.param("\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("high", [120, 150])
def test_large_lettering_that_cannot_be_read_is_covered(detector: text.TextDetector, name: str, high: int) -> None:
    image = Image.new("RGB", (1000, 750), (228, 226, 220))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), high)
    draw.text((40, 60), name, font=font, fill=(25, 25, 60))
    x0, y0, x1, y1 = draw.textbbox((40, 60), name, font=font)
    found = detector.find(Frame(np.asarray(image)))
    assert covered(found, [((x0, y0), (x1, y0), (x1, y1), (x0, y1))], image.size)[0] > 0.98


def test_the_day_of_a_date_in_wide_letters_is_covered_with_it(detector: text.TextDetector) -> None:
    image = Image.new("RGB", (1200, 900), (60, 58, 55))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono:bold"), 52)
    places = []
    for words, x in (("'24", 700), ("2", 878), ("9", 992)):
        draw.text((x, 780), words, font=font, fill=(250, 225, 60))
        x0, y0, x1, y1 = draw.textbbox((x, 780), words, font=font)
        places.append(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    assert min(covered(detector.find(Frame(np.asarray(image))), places, image.size)) > 0.98


@pytest.mark.parametrize("upright", [True, pytest.param(False, marks=pytest.mark.long)])
def test_mirror_writing_cannot_be_read_and_is_covered(detector: text.TextDetector, upright: bool) -> None:
    pixels, places = picture([("Marama Ngata", 120, 100, 40), ("ZZZ0016 64", 120, 240, 40), ("Foot", 700, 600, 40)])
    mirrored = np.ascontiguousarray(pixels[:, ::-1] if upright else pixels[::-1])
    there = [tuple((1200 - x, y) if upright else (x, 900 - y) for x, y in place) for place in places]
    assert min(covered(detector.find(Frame(mirrored)), there, (1200, 900))) > 0.9


def test_one_strong_hit_takes_what_is_unknown_on_its_label_and_leaves_the_next(detector: text.TextDetector) -> None:
    pixels, places = picture(
        [
            ("Left foot", 120, 100, 34),
            ("Quorvex", 120, 150, 34),
            ("DOB 12/03/1956", 120, 200, 34),
            ("Dressing", 420, 200, 34),
            ("Left foot", 700, 600, 34),
        ]
    )
    shares = covered(detector.find(Frame(pixels)), places, (1200, 900))
    assert min(shares[1:3]) > 0.97
    # A plain word in the row of a date goes with it; one in a row of its own stays.
    assert shares[3] > 0.97
    assert shares[0] < 0.1
    assert shares[4] == 0


def test_words_on_a_label_that_stands_on_its_head_are_read(detector: text.TextDetector) -> None:
    entries: list[Entry] = [("DOB 12/03/1956", 120, 100, 30), ("for irrigation", 120, 200, 15)]
    pixels, places = picture(entries, (900, 600), turn=180)
    assert covered(detector.find(Frame(pixels)), places, (900, 600))[1] == 0


def test_a_value_at_the_end_of_a_monitors_curve_stays(detector: text.TextDetector) -> None:
    image = Image.new("RGB", (1200, 800), (8, 10, 14))
    draw = ImageDraw.Draw(image)
    for words, x, y, high in (("SpO2", 800, 250, 30), ("97", 800, 290, 60), ("128/74", 800, 500, 60)):
        draw.text((x, y), words, font=ImageFont.load_default(high), fill=(90, 220, 240))
    beat = np.linspace(80, 790, 400)
    draw.line([(float(x), 325 + 22 * math.sin(x / 18)) for x in beat], fill=(90, 220, 240), width=4)
    value = ((805.0, 305.0), (865.0, 305.0), (865.0, 345.0), (805.0, 345.0))
    assert covered(detector.find(Frame(np.asarray(image, np.uint8))), [value], (1200, 800)) == [0]


def test_a_named_value_at_the_end_of_a_monitors_curve_stays(detector: text.TextDetector) -> None:
    image = Image.new("RGB", (1200, 800), (8, 10, 14))
    draw = ImageDraw.Draw(image)
    places: list[Polygon] = []
    for words, y in (("HR 78", 150), ("SpO2 97 %", 330), ("RR 16", 510)):
        draw.text((800, y), words, font=ImageFont.load_default(64), fill=(90, 220, 240))
        beat = np.linspace(60, 790, 180)
        draw.line([(float(x), y + 40 + 30 * math.sin(x / 16) ** 7) for x in beat], fill=(90, 220, 240), width=4)
        box = draw.textbbox((800, y), words, font=ImageFont.load_default(64))
        places.append(((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])))
    assert covered(detector.find(Frame(np.asarray(image, np.uint8))), places, (1200, 800)) == [0, 0, 0]


def ruler_picture(name: str = "") -> tuple[Pixels, Polygon]:
    image = Image.new("RGB", (1600, 1000), (205, 165, 145))
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 400, 1500, 600), fill="white")
    for k in range(121):
        draw.line(
            (150 + 11 * k, 400, 150 + 11 * k, 455 if k % 10 == 0 else 442 if k % 5 == 0 else 428), fill=0, width=2
        )
        if k % 10 == 0:
            draw.text((150 + 11 * k, 462), str(k // 10), font=ImageFont.load_default(34), fill=0, anchor="mt")
    place: Polygon = ()
    if name:
        draw.text((500, 530), name, font=ImageFont.load_default(42), fill=(20, 30, 120))
        b = draw.textbbox((500, 530), name, font=ImageFont.load_default(42))
        place = ((b[0], b[1]), (b[2], b[1]), (b[2], b[3]), (b[0], b[3]))
    return np.asarray(image, np.uint8), place


def test_a_ruler_stays(detector: text.TextDetector) -> None:
    pixels, _ = ruler_picture()
    found = detector.find(Frame(pixels))
    assert {f.category for f in found} == {"ruler"}
    left, _ = detector.recheck(Frame(pixels), [])
    assert {f.category for f in left} <= {"ruler"}


def test_a_name_on_a_ruler_goes_alone(detector: text.TextDetector) -> None:
    pixels, place = ruler_picture("Aroha Ngata")
    found = detector.find(Frame(pixels))
    body: Polygon = ((100.0, 400.0), (1500.0, 400.0), (1500.0, 500.0), (100.0, 500.0))
    on_name, on_body = covered(found, [place, body], (1600, 1000))
    assert on_name > 0.95
    assert on_body < 0.01


def test_skin_alone_has_no_text(detector: text.TextDetector) -> None:
    pixels, _ = picture([])
    assert detector.find(Frame(pixels)) == []


def test_known_values_are_found_with_confusions(detector: text.TextDetector) -> None:
    pixels, _ = picture([("STERILE", 100, 80, 40), ("Z0E", 100, 300, 40), ("ZQX44I7", 100, 520, 40)])
    known = KnownValues(names=("Zoe Mbeki",), numbers=("ZQX-4417",))
    found = detector.find(Frame(pixels), known)
    assert sorted(f.category for f in found) == ["harmless", "known", "known"]


def test_upright_coordinates_are_mapped_to_stored_ones(detector: text.TextDetector) -> None:
    pixels, places = picture(LABEL[:1])
    stored = np.rot90(pixels)  # a viewer turns it 90 degrees clockwise: orientation 6
    frame = Frame(stored, 6)
    assert np.array_equal(frame.rgb, pixels)
    (found,) = detector.find(frame)
    assert found.region is not None
    (x, y) = np.mean(places[0], axis=0)
    box = found.region.box
    assert box.x0 < y < box.x1
    assert box.y0 < 1200 - x < box.y1


def filled(pixels: Pixels, polygons: Sequence[Polygon]) -> Pixels:
    out = pixels.copy()
    out[mask(list(polygons), pixels.shape[1], pixels.shape[0])] = 0
    return out


def test_second_look_passes_a_covered_copy_and_sees_a_missed_line(detector: text.TextDetector) -> None:
    pixels, _ = picture([*LABEL, ("Left foot", 700, 700, 34)])
    policy = Policy()
    found = [f for f in detector.find(Frame(pixels)) if f.region]
    polygons = [c.polygon for c in covers(decide(found, policy, width=1200, height=900), policy)]
    left, engine = detector.recheck(Frame(filled(pixels, polygons)), polygons)
    assert {f.category for f in left} <= KEPT
    assert "PP-OCRv6" in engine
    for k in range(len(polygons)):
        some = [p for n, p in enumerate(polygons) if n != k]
        left, _ = detector.recheck(Frame(filled(pixels, some)), some)
        assert {f.category for f in left} - KEPT


needs_tesseract = pytest.mark.skipif(
    not any(Path(f, "tesseract").exists() for f in host.program_folders()), reason="program not installed"
)


@needs_tesseract
def test_second_reader_is_independent(detector: text.TextDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that the first reader takes for harmless is caught by Tesseract."""
    pixels, _ = picture([("SMITH John DOB 12/03/1956", 100, 300, 44)])

    def misread(_self: object, crops: Sequence[Pixels]) -> list[ocr.Reading]:
        return [ocr.Reading("STERILE", 0.99) for _ in crops]

    monkeypatch.setattr(ocr.Models, "read", misread)
    assert {f.category for f in detector.find(Frame(pixels))} == {"harmless"}
    left, engine = detector.recheck(Frame(pixels), [])
    assert "tesseract" in engine
    assert any(f.category not in KEPT and f.region and f.region.box.overlap(f.region.box) for f in left)


@needs_tesseract
def test_tesseract_reads_words_and_their_places() -> None:
    image = Image.new("L", (700, 120), 255)
    ImageDraw.Draw(image).text((40, 30), "Rawiri 12/03/1956", font=ImageFont.load_default(48), fill=0)
    words = tesseract.Reader().read(np.asarray(image, np.uint8))
    assert "12/03/1956" in [w.text for w in words]
    assert all(0 <= w.x0 < w.x1 <= 700 and 0 <= w.y0 < w.y1 <= 120 and 0 <= w.score <= 1 for w in words)


@needs_tesseract
def test_a_second_reader_that_fails_is_a_check_that_did_not_run(
    detector: text.TextDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, _ = picture(LABEL[:1])
    monkeypatch.setattr(tesseract, "SECONDS", 0.001)
    with pytest.raises(CheckNotRun) as caught:
        detector.recheck(Frame(pixels), [])
    assert "NGATA" not in str(caught.value)


def test_without_tesseract_the_report_says_so_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "program_folders", tuple)
    alone = text.make(Policy())
    pixels, _ = picture([("STERILE", 100, 80, 40)])
    left, engine = alone.recheck(Frame(pixels), [])
    assert "no second reader" in engine
    assert [f.category for f in left] == ["harmless"]
    with pytest.raises(MissingPart):
        text.make(Policy(verify=VerifyRules(second_reader="required")))


def test_nothing_reaches_for_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_a: object, **_k: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    ocr.models.cache_clear()
    pixels, _ = picture(LABEL[:1])
    assert text.make(Policy()).find(Frame(pixels))


def form(title: str, lines: Sequence[str]) -> Pixels:
    return picture([(words, 60, 40 + 64 * k, 32) for k, words in enumerate((title, *lines))])[0]


def test_a_consent_form_is_a_document(detector: text.TextDetector) -> None:
    pixels = form(
        "CONSENT TO CLINICAL PHOTOGRAPHY",
        [
            "I agree that photographs of me may be taken", "for my medical record and for teaching.",
            "I understand that I can withdraw my consent", "at any time without giving a reason.",
            "The pictures are kept for seven years.", "Name of patient: Rawiri Ngata", "Date of birth: 12/03/1956",
            "Signature of patient", "Signature of witness", "Name of witness: Mele Taufa", "Date: 3 March 2024",
        ],
    )  # fmt: skip
    found = detector.find(Frame(pixels))
    (paper,) = [f for f in found if f.kind == "document"]
    assert paper.category == "consent-form"
    assert paper.region is not None
    box = paper.region.box
    assert (box.x0, box.y0) <= (70, 50)  # from its first line to its last: it can be covered, shown or cut off
    assert box.y1 >= 40 + 64 * 11 + 20


def test_an_identity_card_is_a_document(detector: text.TextDetector) -> None:
    pixels = form(
        "DRIVER LICENCE",
        ["Surname  NGATA", "Given names  RAWIRI TE RANGI", "Date of birth  12.03.1956", "Nationality  NEW ZEALAND",
         "Card number  DL 778 1234", "Date of expiry  12.03.2030"],
    )  # fmt: skip
    assert [f.category for f in detector.find(Frame(pixels)) if f.kind == "document"] == ["identity-document"]


def test_a_pharmacys_label_is_no_document(detector: text.TextDetector) -> None:
    pixels = form(
        "CEFALEXIN 500 mg",
        ["20 capsules", "Expires 05/2028", "Date of expiry  05/2028", "Medicare", "Take one capsule"],
    )
    assert not [f for f in detector.find(Frame(pixels)) if f.kind == "document"]


def test_a_chart_in_capitals_is_no_passport(detector: text.TextDetector) -> None:
    pixels = form("PATIENT MEDICATION SCHEDULE", ["Glucose", "Temp", "Pain", "Checks"])
    assert not [f for f in detector.find(Frame(pixels)) if f.kind == "document"]


def test_a_labelled_wound_is_no_document(detector: text.TextDetector) -> None:
    pixels, _ = picture(LABEL)
    assert not [f for f in detector.find(Frame(pixels)) if f.kind == "document"]


def test_a_page_full_of_text_is_covered_in_bounded_work(
    detector: text.TextDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "MOST_READ", 6)
    pixels, places = picture([(f"STERILE {k}", 40, 10 + 44 * k, 26) for k in range(19)])
    found = detector.find(Frame(pixels))
    unread = [f for f in found if not f.secret]
    assert len(found) - len(unread) <= 6 < len(found)
    assert not {f.category for f in unread} & KEPT
    assert sum(share > 0.9 for share in covered(found, places, (1200, 900))) >= 10
    monkeypatch.setattr(text, "MOST_LINES", 8)
    assert min(covered(detector.find(Frame(pixels)), places, (1200, 900))) > 0.97


@pytest.mark.parametrize("shape", [(1, 1), (30, 30), (3000, 12), (12, 3000), (7, 9), (2, 4000)])
def test_odd_sizes_are_handled(detector: text.TextDetector, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for finding in detector.find(Frame(pixels)):
        assert finding.region is not None
    detector.recheck(Frame(pixels), [])


def test_a_slim_strip_of_text_is_found(detector: text.TextDetector) -> None:
    pixels, places = picture([("NGATA Rawiri 12/03/1956", 2400, 4, 22)], (4000, 34), paper=None)
    assert min(covered(detector.find(Frame(pixels)), places, (4000, 34))) > 0.9


def test_noise_is_bounded(detector: text.TextDetector) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (700, 900, 3)).astype(np.uint8)
    assert len(detector.find(Frame(pixels))) <= text.MOST_LINES


def test_what_was_read_is_never_shown(detector: text.TextDetector, capfd: pytest.CaptureFixture[str]) -> None:
    pixels, _ = picture([("\\x1b[31m <b>MARKER</b> 4711", 60, 300, 40)])
    found = detector.find(Frame(pixels))
    assert found
    assert "MARKER" not in repr(found) + str(found)
    assert capfd.readouterr() == ("", "")
