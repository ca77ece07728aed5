"""What finds lie on: the outline of a label, a ruler that is never a label, print of a batch on its packet."""

from __future__ import annotations

import io

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

import medimg
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.objects import blocks, carriers, grounds, judge, marks, product
from medimg.detect.objects.carriers import placed_on
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.types import Box, Finding, Region, Secret
from medimg.vocabulary import Kind

LABEL = Box(300, 200, 700, 440)


def _picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Skin with a white label on it, three lines and a bar code."""
    rng = np.random.default_rng(3)
    picture = np.full((768, 1024, 3), (196, 148, 124), np.uint8)
    picture = np.asarray(np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255), np.uint8)
    picture[LABEL.y0 : LABEL.y1, LABEL.x0 : LABEL.x1] = 246
    for k, line in enumerate(("QUISPE, INES", "DOB 01/02/1950", "MRN 5839201")):
        cv2.putText(picture, line, (320, 240 + 40 * k), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 24), 2, cv2.LINE_AA)
    for x in range(330, 640, 7):
        picture[350:420, x : x + 3] = 16
    return picture


def _line(box: Box, category: str, text: str, kind: str = "text") -> Finding:
    return Finding(
        kind=kind,  # type: ignore[arg-type]
        category=category,
        detector="test",
        score=0.9,
        region=Region(box.polygon),
        secret=Secret(text),
    )


FOUND = (
    _line(Box(316, 212, 560, 250), "name", "QUISPE, INES"),
    _line(Box(316, 252, 580, 290), "date", "DOB 01/02/1950"),
    _line(Box(316, 292, 540, 330), "record-number", "MRN 5839201"),
    _line(Box(328, 348, 642, 422), "barcode", "", "code"),
)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_label_is_outlined_with_all_that_is_on_it(orientation: int) -> None:
    upright = _picture()
    stored = upright if orientation == 1 else np.ascontiguousarray(np.rot90(upright))
    frame = Frame(stored, orientation)
    there = [
        Finding(
            kind=f.kind, category=f.category, detector="test", region=frame.region(f.region.polygon), secret=f.secret
        )
        for f in FOUND
        if f.region
    ]
    out = carriers.placed(frame, there)
    things = [f for f in out if f.kind == "object"]
    assert [t.category for t in things] == ["slip"]
    assert {f.on for f in out} == {things[0].on}
    assert things[0].region is not None
    outline = np.asarray(frame.upright(things[0].region.polygon), np.float32)
    assert grounds.iou(cv2.convexHull(outline).reshape(-1, 2), np.asarray(LABEL.polygon, np.float32)) > 0.85


def test_nothing_is_said_of_a_picture_without_writing() -> None:
    assert carriers.placed(Frame(_picture()), []) == []
    face = Finding(kind="face", category="face", detector="test", region=Region(LABEL.polygon))
    assert carriers.placed(Frame(_picture()), [face]) == [face]


def test_no_thing_goes_over_a_scale() -> None:
    scale = _line(Box(330, 300, 640, 330), "ruler", "0 1 2 3")
    out = carriers.placed(Frame(_picture()), [*FOUND[:2], scale])
    assert [f for f in out if f.kind == "object"] == []


@pytest.mark.parametrize("text", ["10", "0 1 2 3", "11 12 cm", ""])
def test_a_numeral_on_a_ruler_is_its_scale(text: str) -> None:
    assert placed_on(_line(LABEL, "unknown", text), "measure", 1, 0.0).category == "ruler"
    assert placed_on(_line(LABEL, "unread", text), "slip", 1, 0.6).category == "ruler"
    assert placed_on(_line(LABEL, "unknown", text), "slip", 1, 0.1).category == "unknown"


@pytest.mark.parametrize(("text", "category"), [("8/11", "unknown"), ("14 / 3", "unknown"), ("1/2", "ruler")])
def test_a_day_and_month_on_a_ruler_are_no_numerals(text: str, category: str) -> None:
    assert placed_on(_line(LABEL, "unknown", text), "measure", 1, 0.9).category == category


@pytest.mark.parametrize("text", ["012345", "7891011", "0102030", "05101520", "0 12345"])
@pytest.mark.parametrize("category", ["unknown", "record-number", "date"])
def test_figures_read_as_one_number_are_a_scale_on_a_ruler_alone(text: str, category: str) -> None:
    assert placed_on(_line(LABEL, category, text), "measure", 1, 0.9).category == "ruler"
    assert placed_on(_line(LABEL, category, text), "slip", 1, 0.0).category == category


def test_a_row_of_figures_of_which_one_was_not_read_is_a_scale_on_a_ruler_alone() -> None:
    row = "30 31 32 H334 35 36 37 38 39"
    assert placed_on(_line(LABEL, "unknown", row), "measure", 1, 0.9).category == "ruler"
    assert placed_on(_line(LABEL, "unknown", row), "slip", 1, 0.0).category == "unknown"
    for other in ("3 4 Ines Quispe 5 6 7 8", "12 03 51 14 22 7", "3 4 Wei 5"):
        assert placed_on(_line(LABEL, "unknown", other), "measure", 1, 0.9).category == "unknown"


@pytest.mark.parametrize("text", ["Ines 3", "58392013", "012346", "0112233", "J. Quispe", "12 03 51", "11 12 15"])
def test_a_name_or_a_number_on_a_ruler_is_none(text: str) -> None:
    assert placed_on(_line(LABEL, "unknown", text), "measure", 1, 0.9).category == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "LOT 516927",
        "LOT516927",
        "REF 922332",
        "EXP 2027-03",
        "2029-08",
        "STERILE EO",
        "10 cm x 10 cm",
        "Keep dry",
        "Sodium chloride 0.9 %",
        "Glucose 5%",
        "Utg. 2028-07",
        "Verwendbar bis 2027-03",
        "Péremption 06/2028",
        "Ch.-B. 4821A",
        "4-0",
        '25 G \u00d7 5/8"',
    ],
)
def test_print_of_a_batch_stays_on_its_packet_alone(text: str) -> None:
    assert product.of_product(text)
    assert placed_on(_line(LABEL, "record-number", text), "packet", 2, 0.0).category == "product"
    assert placed_on(_line(LABEL, "record-number", text), "slip", 2, 0.0).category == "record-number"
    assert placed_on(_line(LABEL, "name", text), "packet", 2, 0.0).category == "name"


@pytest.mark.parametrize(
    "text",
    [
        "MRN 5839201",
        "Ines Quispe",
        "LOT Quispe",
        "REF Dr Halvorsen 12",
        "LOTTE 516927",
        "12/03/1951",
        "2026-11-03",
        "75 mg Quispe",
        "Sodium Quispe",
        "Val Quispe 06/2028",
        "Cad 12/03/1951",
        "Utg. Quispe",
    ],
)
def test_what_names_a_person_is_no_print_of_a_batch(text: str) -> None:
    assert not product.of_product(text)


def _packet(*lines: tuple[str, str]) -> dict[str, str]:
    """What becomes of lines on the drawn label, by what they say; and of the label, by its sort."""
    found = [_line(Box(316, 212 + 40 * k, 580, 250 + 40 * k), c, text) for k, (text, c) in enumerate(lines)]
    out = carriers.placed(Frame(_picture()), found)
    plan = decide(out, Policy(), width=1024, height=768)
    return {a.finding.secret.reveal() or a.finding.category: a.do for a in plan.actions}


@pytest.mark.parametrize(
    "text", ["Pinza de biopsia de un solo uso", "Usage externe - ne pas avaler", "VICRYL\u2122 Plus"]
)
def test_print_stays_on_what_names_its_batch_and_nobody(text: str) -> None:
    did = _packet((text, "unknown"), ("LOT 4471", "unknown"), ("EXP 2027-06", "harmless"), ("60 mL", "unit"))
    assert did == {text: "keep", "LOT 4471": "keep", "EXP 2027-06": "keep", "60 mL": "keep", "packet": "keep"}


@pytest.mark.parametrize(
    "text", ["Take one, Ines Quispe", "Ines Quispe", "QUISPE", "ines quispe", "para ines 12 03 51"]
)
def test_what_may_be_a_name_is_covered_on_a_packet_too(text: str) -> None:
    assert _packet((text, "unknown"), ("LOT 4471", "unknown"), ("EXP 2027-06", "harmless"))[text] == "cover"


@pytest.mark.parametrize(
    "text",
    [
        "LOT 4L021 VAL 06-2027", "REF 86.441 LOT 3F1192 2026-11", "REF GZ-5050 LOTE K77", "Heparin 25 000 IE/50 mL",
        "20 comprimidos \u2013 Via oral", "Sj\u00e4lvh\u00e4ftande skumf\u00f6rband 10 x 10 cm",
        "PERICOLOSI A RISCHIO INFETTIVO", "R\u00e8gle papier \u00e0 usage unique \u2013 cm", "Two staff to transfer",
        "Ornidazol", "Laboratorios Farmaval S.A.", "7", "30", "C vitamini", "Amisulpride 100 mg",
    ],
)  # fmt: skip
def test_plain_words_of_many_languages_stay_on_a_product(text: str) -> None:
    assert _packet((text, "unknown"), ("LOT 4471 EXP 2027-06", "unknown"))[text] == "keep"


@pytest.mark.parametrize(
    "text",
    [
        "Quispe Halvorsen", "Rose Hill", "dressing change Rose Hill", "Reviewed by Okonjo", "Nurse Halvorsen",
        "Okonjo 10 mg", "12/03", "Bruno 4471", "Li Wound", "1 2 3 4 Wei", "Data: 14.I.26", "I. Quispe",
        "80-214 Gda\u0144sk", "114 55 Stockholm", "14 Gomez", "5 Mlbeke", "CE 1234 Quispe", "Gra ce 1234",
    ],
)  # fmt: skip
def test_a_name_beside_plain_words_or_figures_is_covered_on_a_product(text: str) -> None:
    assert _packet((text, "unknown"), ("LOT 4471 EXP 2027-06", "unknown"))[text] == "cover"


def test_plain_words_stay_nowhere_beside_what_identifies() -> None:
    did = _packet(
        ("Ornidazol tablet", "unknown"), ("LOT 4471 EXP 2027-06", "unknown"), ("MRN 5839201", "record-number")
    )
    assert did["Ornidazol tablet"] == "cover"


@pytest.mark.parametrize("beside", [("QUISPE, INES", "name"), ("12/03/1951", "date"), ("MRN 5839201", "record-number")])
def test_a_label_of_a_person_is_covered_whole_whatever_batch_it_names(beside: tuple[str, str]) -> None:
    did = _packet(
        beside, ("Pinza de biopsia de un solo uso", "unknown"), ("LOT 4471", "unknown"), ("EXP 2027-06", "harmless")
    )
    assert did[beside[0]] == did["Pinza de biopsia de un solo uso"] == did["slip"] == "cover"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Reference card - do not wipe with alcohol", True),
        ("jamais utiliser avec emballage endommag\u00e9", True),
        ("do not wipe", False),
        ("Reference card do not wipe Quispe", False),
        ("take one to quispe before every meal", False),
    ],
)
def test_a_sentence_of_plain_words_stays_wherever_nothing_identifies(
    monkeypatch: pytest.MonkeyPatch, text: str, kept: bool
) -> None:
    frame = _thing(monkeypatch, "slip", Box(100, 60, 500, 400), 232)
    line = _line(Box(150, 80, 450, 104), "unknown", text)
    for more, stays in (([], kept), ([_line(Box(150, 150, 300, 174), "name", "QUISPE")], False)):
        made = {f.secret.reveal(): f.category for f in carriers.placed(frame, [line, *more]) if f.kind == "text"}
        assert (made[text] == "product") == stays


@pytest.mark.parametrize(("text", "category"), [("Nazwisko", "product"), ("Fecha", "product"), ("Quispe", "unknown")])
def test_a_heading_on_a_ruler_stays(monkeypatch: pytest.MonkeyPatch, text: str, category: str) -> None:
    frame = _thing(monkeypatch, "measure", Box(100, 60, 500, 400), 232)
    made = carriers.placed(frame, [_line(Box(150, 80, 300, 104), "unknown", text)])
    assert [f.category for f in made if f.kind == "text"] == [category]


def test_settings_of_a_scanner_on_dark_ground_are_a_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _thing(monkeypatch, "slip", Box(100, 60, 500, 400), 20)
    lines = [_line(Box(150, 80 + 40 * k, 250, 104 + 40 * k), "unknown", t) for k, t in enumerate(("MI 0.9", "Gn 62"))]
    lines.append(_line(Box(150, 200, 300, 224), "date", "09-10-2025"))
    made = {f.secret.reveal(): (f.category, f.on[:6]) for f in carriers.placed(frame, lines) if f.kind == "text"}
    assert made["MI 0.9"] == made["Gn 62"] == ("unit", "screen")
    assert made["09-10-2025"][0] == "date"


def test_a_number_of_an_article_stays_where_its_check_digit_is_right() -> None:
    batch = ("LOT 4471 EXP 2027-06", "unknown")
    did = _packet(("4006381333931", "record-number"), ("Ornidazol tablet", "unknown"), batch)
    assert did["4006381333931"] == did["Ornidazol tablet"] == did["packet"] == "keep"
    did = _packet(("4006381333932", "record-number"), ("Ornidazol tablet", "unknown"), batch)
    assert did["4006381333932"] == "cover"
    assert did["Ornidazol tablet"] == did["packet"] == "keep"
    did = _packet(("4006381333932", "record-number"), ("taille S", "unknown"), ("LOT GX-4418", "unknown"))
    assert did["LOT GX-4418"] == did["packet"] == "keep"
    for number, category in (("96385074", "record-number"), ("4006381333931", "id-number")):  # a patient's may be so
        did = _packet((number, category), ("Ornidazol tablet", "unknown"), batch)
        assert did[number] == did["Ornidazol tablet"] == did["slip"] == "cover"
    did = _packet(("4006381333931", "record-number"), ("QUISPE", "name"), batch)
    assert did["4006381333931"] == did["slip"] == "cover"


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        (("name", "date"), True),
        (("hospital", "record-number"), True),
        (("phone", "address"), False),
        (("date",), False),
    ],
)
def test_a_chart_of_medicines_that_names_somebody_is_no_packet(
    monkeypatch: pytest.MonkeyPatch, told: tuple[str, ...], whole: bool
) -> None:
    frame = _thing(monkeypatch, "packet", Box(100, 60, 500, 400), 232)
    lines = [_line(Box(150, 80 + 60 * k, 400, 110 + 60 * k), c, f"Quispe {k}") for k, c in enumerate(told)]
    lines += [
        _line(Box(150, 260 + 60 * k, 400, 290 + 60 * k), "harmless", text) for k, text in enumerate(("20 mg", "1 g"))
    ]
    plan = decide(carriers.placed(frame, lines), Policy(), width=1000, height=800)
    assert ("sheet" in [a.finding.category for a in plan.doing("cover")]) == whole


@pytest.mark.parametrize(("unread", "whole"), [(3, True), (2, False)])
def test_a_thing_of_which_next_to_nothing_was_read_is_no_packet(
    monkeypatch: pytest.MonkeyPatch, unread: int, whole: bool
) -> None:
    frame = _thing(monkeypatch, "packet", Box(100, 60, 500, 400), 232)
    lines = [_line(Box(150, 80 + 60 * k, 400, 110 + 60 * k), "unread", "") for k in range(unread)]
    lines.append(_line(Box(150, 320, 400, 350), "harmless", "dressing"))
    plan = decide(carriers.placed(frame, lines), Policy(), width=1000, height=800)
    assert ("slip" in [a.finding.category for a in plan.doing("cover")]) == whole


@pytest.mark.parametrize(("solid", "edge", "cut", "believed"), [
    (0.47, 34.0, 0.0, False), (0.75, 5.0, 0.0, False), (0.94, 3.2, 0.5, False),
    (0.94, 6.0, 0.0, True), (0.75, 34.0, 0.4, True),
])  # fmt: skip
def test_a_ground_that_ran_over_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, solid: float, edge: float, cut: float, believed: bool
) -> None:
    frame = _thing(monkeypatch, "slip", Box(100, 60, 500, 400), 232)
    features = judge.outline_features
    monkeypatch.setattr(
        judge, "outline_features", lambda *told: {**features(*told), "solid": solid, "edge": edge, "cut": cut}
    )
    plan = decide(
        carriers.placed(frame, [_line(Box(150, 80, 400, 110), "name", "QUISPE")]), Policy(), width=1000, height=800
    )
    assert ("slip" in [a.finding.category for a in plan.doing("cover")]) == believed


def test_a_reference_and_a_size_alone_make_no_packet() -> None:
    assert not product.names_one(["REF 5839201", "10 x 5 mm"])
    assert not product.names_one(["LOT 4471", "QUISPE"])
    assert product.names_one(["LOT 4471", "10 x 5 mm"])


@pytest.mark.parametrize("text", ["0000", "II", "C", "920"])
def test_few_figures_or_one_sign_time_and_again_on_skin_are_no_word(text: str) -> None:
    assert placed_on(_line(LABEL, "unknown", text), "bare", 1, 0.0).category == "unread"
    assert placed_on(_line(LABEL, "unknown", "Anna"), "bare", 1, 0.0).category == "unknown"


def test_the_fitted_numbers_are_of_these_features() -> None:
    trees = judge.fitted()
    assert tuple(trees.grounds) == judge.GROUNDS
    rows = np.zeros((2, len(trees.outline_features)))
    assert trees.outline.raw(rows).shape == (2,)
    assert trees.outline.raw(rows)[0] == trees.outline.raw(rows)[1]


def _scaled(*lines: Finding) -> list[Finding]:
    """What comes of lines beside the row of ticks and numerals of a ruler."""
    scale = _line(Box(200, 300, 800, 340), "ruler", "0 10 20 30 40 50")
    return carriers.placed(Frame(np.full((768, 1024, 3), 236, np.uint8)), [scale, *lines])[1 : 1 + len(lines)]


@pytest.mark.parametrize(("category", "text"), [("unread", ""), ("unknown", "uluuloul")])
def test_ticks_found_a_second_time_are_part_of_their_scale(category: str, text: str) -> None:
    assert [f.category for f in _scaled(_line(Box(220, 296, 330, 332), category, text))] == ["ruler"]


@pytest.mark.parametrize(("category", "text"), [("name", "Lou Lindow"), ("unknown", "Ines"), ("unknown", "luid")])
def test_what_was_read_on_a_scale_is_no_part_of_it(category: str, text: str) -> None:
    assert [f.category for f in _scaled(_line(Box(220, 296, 330, 332), category, text))] == [category]


def test_a_name_beside_a_scale_is_covered_up_to_it() -> None:
    (found,) = _scaled(_line(Box(240, 332, 420, 372), "name", "Ines Quispe"))
    assert found.tight
    assert found.region is not None
    assert found.region.box.y0 >= 339
    assert found.region.box.y1 >= 371


def test_what_nobody_can_read_across_a_scale_is_asked_about() -> None:
    (found,) = _scaled(_line(Box(240, 280, 420, 360), "unread", ""))
    plan = decide([found], Policy(), width=1024, height=768)
    assert [a.do for a in plan.actions] == ["ask"]
    (found,) = _scaled(_line(Box(240, 280, 420, 360), "name", "Ines Quispe"))
    assert [a.do for a in decide([found], Policy(), width=1024, height=768).actions] == ["cover"]


def test_a_written_line_in_the_outline_of_a_whole_ruler_is_no_scale() -> None:
    ruler = _line(Box(200, 300, 800, 420), "ruler", "0 1 2 3")
    written = _line(Box(300, 340, 500, 380), "unread", "")
    out = carriers.placed(Frame(np.full((768, 1024, 3), 236, np.uint8)), [ruler, written])
    assert out[1].category == "unread"
    assert [a.do for a in decide(out[1:2], Policy(), width=1024, height=768).actions] == ["ask"]


def test_a_letter_that_passed_for_a_numeral_cuts_nobodys_date() -> None:
    day = _line(Box(240, 332, 420, 372), "date", "8-2-2025")
    scale = [_line(Box(160 + 60 * k, 300, 184 + 60 * k, 331), "ruler", str(k)) for k in range(5)]
    for text, cut in (("o", False), ("2", True)):
        beside = _line(Box(280, 310, 304, 340), "ruler", text)
        out = carriers.placed(Frame(np.full((768, 1024, 3), 236, np.uint8)), [beside, day, *scale])
        assert out[1].tight == cut


def test_a_blank_strip_along_the_figures_of_a_scale_is_asked_about() -> None:
    """The ticks of a syringe, or what somebody wrote there and nobody could read."""
    strip = _line(Box(200, 300, 800, 330), "unread", "")
    figures = [_line(Box(220 + 110 * k, 340, 244 + 110 * k, 364), "ruler", str(10 * k)) for k in range(6)]
    for some, do in ((figures, "ask"), (figures[:3], "cover")):
        out = carriers.placed(Frame(np.full((768, 1024, 3), 236, np.uint8)), [strip, *some])
        assert [a.do for a in decide(out[:1], Policy(), width=1024, height=768).actions] == [do]


@pytest.mark.parametrize(
    ("category", "box", "stays"),
    [
        ("harmless", Box(420, 302, 470, 338), False),  # two bold figures of a line that says nothing of anybody
        ("unknown", Box(420, 302, 470, 338), True),
        ("harmless", Box(420, 260, 540, 380), True),  # a code with a line beside it
    ],
)
def test_bold_letters_of_a_harmless_line_are_no_code(category: str, box: Box, stays: bool) -> None:
    code = msgspec.structs.replace(_line(box, "2d-code", "", "code"), score=0.86)
    line = _line(Box(300, 300, 700, 340), category, "14:00 - 16:00")
    out = carriers.placed(Frame(np.full((768, 1024, 3), 236, np.uint8)), [line, code])
    assert ("code" in {f.kind for f in out}) == stays


def test_a_header_in_another_colour_is_part_of_its_badge() -> None:
    picture = _picture()
    picture[LABEL.y0 - 50 : LABEL.y0, LABEL.x0 : LABEL.x1] = (30, 90, 60)
    cv2.putText(picture, "Kauri Wing", (320, LABEL.y0 - 14), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (250, 250, 250), 2)
    header = _line(Box(316, LABEL.y0 - 44, 500, LABEL.y0 - 4), "hospital", "Kauri Wing")
    out = carriers.placed(Frame(picture), [*FOUND, header])
    (thing,) = [f for f in out if f.kind == "object"]
    assert {f.on for f in out} == {thing.on}
    whole = np.asarray(Box(LABEL.x0, LABEL.y0 - 50, LABEL.x1, LABEL.y1).polygon, np.float32)
    assert thing.region is not None
    outline = cv2.convexHull(np.asarray(thing.region.polygon, np.float32)).reshape(-1, 2)
    assert grounds.iou(outline, whole) > 0.9


def test_a_corner_cut_by_the_frame_does_not_widen_an_outline() -> None:
    cut = np.asarray(((0, 0), (200, 0), (0, 150)), np.float32)
    assert cv2.contourArea(grounds.straight(cut)) < 1.1 * cv2.contourArea(cut)
    label = np.asarray(((10, 10), (210, 14), (208, 116), (12, 110)), np.float32)
    assert grounds.iou(grounds.straight(label), label) > 0.95


def _decided(monkeypatch: pytest.MonkeyPatch, ground: tuple[int, int, int], ruler: float, sort: str) -> str:
    """What is done about an unread line on a ground of that colour, which the judge takes for ``sort``."""
    likely = np.eye(len(judge.GROUNDS))[judge.GROUNDS.index(sort)]
    features = carriers.features

    def rows(*given: object) -> list[dict[str, float]]:
        return [{**row, "ruler": ruler} for row in features(*given)]  # type: ignore[arg-type]

    monkeypatch.setattr(carriers, "features", rows)
    monkeypatch.setattr(judge, "lies_on", lambda some: np.tile(likely, (len(some), 1)))
    picture = np.full((600, 800, 3), ground, np.uint8)
    line = _line(Box(300, 250, 500, 290), "unread", "")
    plan = decide(carriers.placed(Frame(picture), [line]), Policy(), width=800, height=600)
    return next(a.do for a in plan.actions if a.finding.kind == "text")


@pytest.mark.parametrize(
    ("ground", "do"),
    [
        ((196, 148, 124), "ask"),
        ((88, 58, 46), "ask"),
        ((128, 40, 36), "ask"),
        ((150, 152, 154), "cover"),
        ((70, 110, 150), "cover"),
    ],
    ids=["light skin", "dark skin", "wound", "steel", "drape"],
)
def test_what_nobody_could_read_is_asked_about_on_ground_like_flesh_alone(
    monkeypatch: pytest.MonkeyPatch, ground: tuple[int, int, int], do: str
) -> None:
    assert _decided(monkeypatch, ground, 0.0, "bare") == do


@pytest.mark.parametrize(("ruler", "do"), [(0.0, "cover"), (0.1, "cover"), (0.2, "ask")])
def test_what_may_be_a_small_ruler_is_asked_about(monkeypatch: pytest.MonkeyPatch, ruler: float, do: str) -> None:
    assert _decided(monkeypatch, (150, 152, 154), ruler, "slip") == do


@pytest.mark.parametrize(("squares", "reaches"), [(0, False), (9, False), (18, True)])
def test_no_thing_goes_over_a_colour_card(monkeypatch: pytest.MonkeyPatch, squares: int, reaches: bool) -> None:
    """A card bears no writing: the network's map tells of it. So few squares are a badge's portrait."""
    frame = Frame(_picture())
    view = carriers._view(frame)
    seen = view.marks.copy()
    y, x = round(430 / view.down), round(690 / view.across)  # inside the label's lower right corner
    seen[carriers.marks.CARD, y + 1 - squares : y + 1, x + 1 - squares : x + 1] = 0.9
    monkeypatch.setattr(carriers, "_view", lambda _: view._replace(marks=seen))
    things = [f for f in carriers.placed(frame, FOUND) if f.kind == "object"]
    assert bool(things) != reaches


def _taken_for(monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    likely = np.eye(len(judge.GROUNDS))[judge.GROUNDS.index(sort)]
    monkeypatch.setattr(judge, "lies_on", lambda some: np.tile(likely, (len(some), 1)))


@pytest.mark.parametrize("skin", [(196, 148, 124), (88, 58, 46)], ids=["light", "dark"])
def test_words_burned_in_over_skin_make_no_slip(monkeypatch: pytest.MonkeyPatch, skin: tuple[int, int, int]) -> None:
    _taken_for(monkeypatch, "slip")
    frame = Frame(np.full((600, 800, 3), skin, np.uint8))
    words = [_line(Box(200, 300, 500, 340), "unknown", "Dermatlas"), _line(Box(210, 345, 480, 380), "unknown", "to")]
    plan = decide(carriers.placed(frame, words), Policy(), width=800, height=600)
    assert [(a.finding.kind, a.do) for a in plan.actions] == [("text", "cover"), ("text", "ask")]


@pytest.mark.parametrize(("ground", "on"), [(18, "screen 1"), (236, "sheet 1")])
def test_readings_on_dark_ground_are_a_monitors(monkeypatch: pytest.MonkeyPatch, ground: int, on: str) -> None:
    _taken_for(monkeypatch, "sheet")
    monkeypatch.setattr(judge, "outlines", lambda rows: np.full(len(rows), 0.9))
    picture = np.full((600, 800, 3), 130, np.uint8)
    picture[100:400, 100:600] = ground
    said = [("record-number", "NHI 5839201"), ("harmless", "HR 78"), ("unit", "BP124/76")]
    lines = [_line(Box(150, 130 + 80 * k, 400, 170 + 80 * k), *one) for k, one in enumerate(said)]
    out = carriers.placed(Frame(picture), lines)
    assert {f.on for f in out} == {on}
    things = [a for a in decide(out, Policy(), width=800, height=600).doing("cover") if a.finding.kind == "object"]
    assert bool(things) == (on == "sheet 1")


@pytest.mark.parametrize(("larger", "on"), [(2, "screen 1"), (1, "sheet 1")], ids=["monitor", "chart"])
def test_large_values_beside_names_are_a_monitors_on_light_ground_too(
    monkeypatch: pytest.MonkeyPatch, larger: int, on: str
) -> None:
    frame = _thing(monkeypatch, "sheet", Box(100, 60, 600, 500), 232)
    lines = [_line(Box(150, 80, 400, 110), "name", "QUISPE, INES")]
    for k, (name, value) in enumerate((("HR bpm", "78"), ("SpO2", "97"), ("NIBP mmHg", "124/76"))):
        lines.append(_line(Box(150, 150 + 110 * k, 290, 180 + 110 * k), "harmless", name))
        lines.append(_line(Box(320, 150 + 110 * k, 460, 180 + 110 * k + 40 * (larger - 1)), "unit", value))
    out = carriers.placed(frame, lines)
    assert {f.on for f in out} == {on}
    covered = decide(out, Policy(), width=1000, height=800).doing("cover")
    assert {a.finding.kind for a in covered} == ({"text"} if larger == 2 else {"text", "object"})


def _thing(monkeypatch: pytest.MonkeyPatch, sort: str, box: Box, light: int) -> Frame:
    """A picture of 1000 x 800 with one thing in it, whose outline is believed and which is taken for that sort."""
    _taken_for(monkeypatch, sort)
    monkeypatch.setattr(judge, "outlines", lambda rows: np.full(len(rows), 0.9))
    picture = np.full((800, 1000, 3), 130, np.uint8)
    picture[box.y0 : box.y1, box.x0 : box.x1] = light
    return Frame(picture)


def _on_a_screen(monkeypatch: pytest.MonkeyPatch, *lines: Finding) -> dict[str, str]:
    """What becomes of lines on a light screen: what was read -> category."""
    frame = _thing(monkeypatch, "screen", Box(100, 60, 900, 700), 232)
    return {f.secret.reveal(): f.category for f in carriers.placed(frame, lines) if f.kind == "text"}


def test_on_a_screen_that_measures_names_values_and_traces_stay_and_who_it_is_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = ["PNI", "FC", "(101)", "18 37.1", "PRbpm", "II x1", "1:2 40", "14:07", "ADULT 14:22", "VTBI 42 m| 7:15 h"]
    said += ["Philips MX450", "INFUSOMAT space"]
    names = [
        "LIT 3",
        "QUISPE",
        "JK",
        "12 03 51",
        "Dr Ngo",
        "T",
        "Philips F45",
        "10068",
        "14:07 Ngo",
        "Philips",
        "Evita",
    ]
    lines = [_line(Box(150, 80, 230, 104), "harmless", "SpO2"), _line(Box(150, 110, 260, 160), "unit", "97")]
    lines += [_line(Box(400, 80 + 40 * k, 480, 104 + 40 * k), "unknown", text) for k, text in enumerate(said)]
    lines += [_line(Box(600, 80 + 32 * k, 700, 104 + 32 * k), "unknown", text) for k, text in enumerate(names)]
    lines += [_line(Box(150, 400, 600, 480), "unknown", "hhhhhhh"), _line(Box(150, 500, 600, 580), "unread", "nn")]
    lines += [_line(Box(150, 600, 600, 680), "unread", ""), _line(Box(640, 600, 760, 680), "unknown", "Anna")]
    lines += [_line(Box(160, 402, 240, 478), "unknown", "ror")]  # a part of the curve, found again
    made = _on_a_screen(monkeypatch, *lines)
    assert {text for text, category in made.items() if category == "unit"} == {*said, "97", "hhhhhhh", "nn", "ror"}


def test_a_curve_that_was_read_with_the_value_it_runs_into_or_that_tints_its_ground_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = _thing(monkeypatch, "screen", Box(100, 60, 900, 700), 20)
    frame.rgb[500:580, 150:600] = (0, 40, 110)
    lines = [_line(Box(150, 80, 230, 104), "harmless", "SpO2"), _line(Box(150, 110, 260, 160), "unit", "97")]
    lines += [_line(Box(150, 300, 600, 380), "unknown", "wwwww97"), _line(Box(150, 500, 600, 580), "unread", "M")]
    lines += [_line(Box(640, 300, 760, 380), "unknown", "Anna 97")]
    made = {f.secret.reveal(): f.category for f in carriers.placed(frame, lines) if f.kind == "text"}
    assert {text for text, category in made.items() if category == "unit"} == {"97", "wwwww97", "M"}


@pytest.mark.parametrize(("who", "kept"), [("unknown", True), ("name", False)], ids=["meter", "label"])
def test_a_value_and_its_unit_are_a_meters_where_nobody_is_named(
    monkeypatch: pytest.MonkeyPatch, who: str, kept: bool
) -> None:
    frame = _thing(monkeypatch, "slip", Box(100, 60, 500, 400), 190)
    lines = [_line(Box(150, 80, 300, 104), who, "QUISPE"), _line(Box(150, 150, 320, 220), "unknown", "11.4")]
    lines += [_line(Box(340, 180, 440, 206), "harmless", "mmol/L")]
    made = {f.secret.reveal(): f.category for f in carriers.placed(frame, lines) if f.kind == "text"}
    assert (made["11.4"] == "unit") == kept
    assert made["QUISPE"] == who


def test_a_meter_of_blood_pressure_is_no_slip_though_its_figures_were_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _thing(monkeypatch, "slip", Box(100, 60, 500, 400), 190)
    lines = [_line(Box(150, 80, 240, 104), "unknown", "SYS mmHg"), _line(Box(150, 180, 240, 204), "unknown", "DIA")]
    misread = _line(Box(260, 80, 400, 150), "age", "10m")
    diary = [*lines, _line(Box(150, 280, 300, 304), "name", "QUISPE")]
    for said, whole in ((lines, False), (lines[:1], True), (diary, True)):
        plan = decide(carriers.placed(frame, [*said, misread]), Policy(), width=1000, height=800)
        assert [a.finding.kind for a in plan.doing("cover") if a.finding.kind == "object"] == ["object"] * whole


def test_what_is_written_on_a_note_stuck_on_a_screen_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _thing(monkeypatch, "screen", Box(100, 60, 900, 700), 232)
    frame.rgb[420:520, 500:760] = (250, 230, 90)
    lines = [_line(Box(150, 80, 230, 104), "harmless", "SpO2"), _line(Box(150, 110, 260, 160), "unit", "97")]
    note = [_line(Box(520, 430, 740, 510), "unread", "nn")]
    made = {f.secret.reveal(): f.category for f in carriers.placed(frame, [*lines, *note]) if f.kind == "text"}
    assert made["nn"] == "unread"


def test_on_a_screen_without_a_reading_nothing_is_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [_line(Box(150, 80, 230, 104), "unknown", "FC"), _line(Box(150, 200, 600, 280), "unknown", "hhhhhhh")]
    assert set(_on_a_screen(monkeypatch, *lines).values()) == {"unknown"}


@pytest.mark.parametrize(
    ("field", "covered"),
    [((118, 118, 118), False), ("three", False), ((40, 90, 170), True), (None, True)],
    ids=["grey", "three fields", "blue", "plain"],
)
def test_a_grey_card_is_no_slip_though_a_name_is_on_its_margin(
    monkeypatch: pytest.MonkeyPatch, field: tuple[int, int, int] | str | None, covered: bool
) -> None:
    _taken_for(monkeypatch, "slip")
    monkeypatch.setattr(judge, "outlines", lambda rows: np.full(len(rows), 0.9))
    picture = np.full((600, 800, 3), (120, 60, 60), np.uint8)
    picture[100:420, 150:550] = 240
    if field == "three":
        for k, light in enumerate((224, 128, 40)):
            picture[120:350, 170 + 120 * k : 290 + 120 * k] = light
    elif field:
        picture[120:350, 170:530] = field
    cv2.putText(picture, "QUISPE, INES", (180, 400), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 24), 2, cv2.LINE_AA)
    noise = np.random.default_rng(5).normal(0, 3, picture.shape)
    frame = Frame(np.asarray(np.clip(picture + noise, 0, 255), np.uint8))
    out = carriers.placed(frame, [_line(Box(172, 366, 420, 412), "name", "QUISPE, INES")])
    done = decide(out, Policy(), width=800, height=600).doing("cover")
    assert [a.finding.kind for a in done] == ["text"] + ["object"] * covered


@pytest.mark.parametrize(
    ("ink", "whole"), [((176, 112, 28), False), ((20, 20, 24), True)], ids=["burned in", "printed"]
)
def test_a_date_that_a_camera_burned_in_takes_nothing_with_it(
    monkeypatch: pytest.MonkeyPatch, ink: tuple[int, int, int], whole: bool
) -> None:
    _taken_for(monkeypatch, "slip")
    monkeypatch.setattr(judge, "outlines", lambda rows: np.full(len(rows), 0.9))
    picture = np.full((600, 800, 3), 130, np.uint8)
    picture[400:600, 300:800] = (214, 208, 200)
    cv2.putText(picture, "08/01/2017", (520, 560), cv2.FONT_HERSHEY_SIMPLEX, 1.0, ink, 3, cv2.LINE_AA)
    found = carriers.placed(Frame(picture), [_line(Box(515, 530, 705, 566), "date", "08/01/2017")])
    done = decide(found, Policy(), width=800, height=600).actions
    assert [(a.finding.kind, a.do) for a in done] == [("text", "cover")] + [("object", "cover")] * whole


def test_a_label_bears_no_scale() -> None:
    frame = Frame(_picture())
    picture = grounds.Picture(frame)
    ticks = _line(Box(600, 220, 690, 250), "ruler", "3")
    finds = [carriers.find_of(frame, picture, f) for f in (*FOUND, ticks)]
    members = [block.members for block in blocks.found_blocks(picture, finds)]
    assert sorted(next(some for some in members if 0 in some)) == [0, 1, 2, 3]
    assert (4,) in members


def test_a_pale_label_on_a_pale_sheet_is_outlined() -> None:
    rng = np.random.default_rng(5)
    picture = np.full((768, 1024, 3), 206, np.uint8)
    picture[LABEL.y0 : LABEL.y1, LABEL.x0 : LABEL.x1] = 222
    picture = cv2.GaussianBlur(picture, (0, 0), 2)
    for k, line in enumerate(("QUISPE, INES", "DOB 01/02/1950", "MRN 5839201")):
        cv2.putText(picture, line, (320, 240 + 40 * k), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (60, 60, 64), 2, cv2.LINE_AA)
    picture = np.asarray(np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255), np.uint8)
    out = carriers.placed(Frame(picture), FOUND[:3])
    (thing,) = [f for f in out if f.kind == "object"]
    assert thing.region is not None
    outline = cv2.convexHull(np.asarray(thing.region.polygon, np.float32)).reshape(-1, 2)
    assert grounds.iou(outline, np.asarray(LABEL.polygon, np.float32)) > 0.8


def _seen(monkeypatch: pytest.MonkeyPatch, kind: int, place: Box, likely: float) -> Frame:
    """The label, of which the network of marks sees one kind of thing in one place."""
    frame = Frame(_picture())
    there = np.zeros((5, 192, 256), np.float32)
    there[kind, place.y0 // 4 : place.y1 // 4, place.x0 // 4 : place.x1 // 4] = likely
    monkeypatch.setattr(marks, "views", lambda _: [marks.View(there, 4.0, 4.0)])
    return frame


@pytest.mark.parametrize(("likely", "category", "found"), [(0.9, "name", 1), (0.7, "name", 0), (0.9, "harmless", 0)])
def test_a_code_beside_a_name_is_one_on_the_networks_word(
    monkeypatch: pytest.MonkeyPatch, likely: float, category: str, found: int
) -> None:
    code = Box(600, 220, 680, 300)
    frame = _seen(monkeypatch, marks.MATRIX, code, likely)
    out = carriers.placed(frame, [_line(Box(316, 212, 560, 250), category, "QUISPE, INES")])
    codes = [f for f in out if f.kind == "code"]
    assert len(codes) == found
    assert all(a.do == "cover" for a in decide(codes, Policy(), width=1024, height=768).actions)


def test_a_code_whose_outline_reaches_into_the_line_beside_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _seen(monkeypatch, marks.BAR, Box(316, 228, 660, 340), 0.9)
    out = carriers.placed(frame, [_line(Box(320, 212, 560, 250), "name", "QUISPE, INES")])
    assert [f.category for f in out if f.kind == "code"] == ["barcode"]


def test_a_block_of_lines_that_were_read_is_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _seen(monkeypatch, marks.MATRIX, Box(312, 208, 584, 332), 0.9)
    assert not [f for f in carriers.placed(frame, FOUND[:3]) if f.kind == "code"]


def test_a_code_far_from_any_name_is_none_on_the_networks_word_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _seen(monkeypatch, marks.MATRIX, Box(800, 600, 880, 680), 0.95)
    assert not [f for f in carriers.placed(frame, FOUND[:3]) if f.kind == "code"]


def _figures(*texts: str) -> list[Finding]:
    return [_line(Box(330 + 60 * k, 350, 360 + 60 * k, 376), "ruler", text) for k, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("said", "figures", "whole"),
    [(3, (), True), (3, ("188", "466"), True), (3, ("0", "1", "2", "3"), False), (1, ("188", "466"), False)],
)
def test_a_slip_that_looks_like_a_ruler_is_none_where_it_names_somebody_and_has_no_figures(
    monkeypatch: pytest.MonkeyPatch, said: int, figures: tuple[str, ...], whole: bool
) -> None:
    frame = _seen(monkeypatch, marks.RULER, LABEL, 0.7)
    plan = decide(carriers.placed(frame, [*FOUND[:said], *_figures(*figures)]), Policy(), width=1024, height=768)
    assert [a.finding.category for a in plan.doing("cover") if a.finding.kind == "object"] == ["slip"] * whole


@pytest.mark.parametrize(("unit", "whole"), [("inch", False), ("cm", False), ("Ward", True)])
def test_what_bears_a_unit_of_length_and_a_name_alone_is_not_covered_whole(unit: str, whole: bool) -> None:
    found = [FOUND[0], _line(Box(330, 350, 400, 376), "unit", unit)]
    plan = decide(carriers.placed(Frame(_picture()), found), Policy(), width=1024, height=768)
    assert [a.finding.category for a in plan.doing("cover") if a.finding.kind == "object"] == ["slip"] * whole
    assert any(a.finding.category == "name" for a in plan.doing("cover"))


def test_digits_of_a_number_where_no_ruler_is_seen_are_no_part_of_one() -> None:
    digits = _line(Box(316, 292, 400, 330), "ruler", "343")
    (first, *_) = carriers.placed(Frame(_picture()), [digits, *FOUND[:2]])
    assert first.category == "unknown"
    scale = [_line(Box(316 + 40 * k, 292, 336 + 40 * k, 312), "ruler", str(k)) for k in range(4)]
    assert {f.category for f in carriers.placed(Frame(_picture()), scale)} == {"ruler"}


def test_blurred_ticks_read_as_a_letter_many_times_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Box(316, 292, 700, 330)
    frame = _seen(monkeypatch, marks.RULER, place, 0.9)
    (found, *_) = carriers.placed(frame, [_line(place, "unknown", "XXXAKKK")])
    assert [a.do for a in decide([found], Policy(), width=1024, height=768).actions] == ["ask"]
    (found, *_) = carriers.placed(frame, [_line(place, "unknown", "Xenia Vandermeer")])
    assert [a.do for a in decide([found], Policy(), width=1024, height=768).actions] == ["cover"]


def test_few_letters_made_of_a_long_row_of_ticks_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Box(316, 292, 500, 330)
    frame = _seen(monkeypatch, marks.RULER, place, 0.9)
    (found, *_) = carriers.placed(frame, [_line(place, "unknown", "jes")])
    assert [a.do for a in decide([found], Policy(), width=1024, height=768).actions] == ["ask"]


@pytest.mark.parametrize(("inside", "do"), [((190, 150, 70), "ask"), ((245, 245, 245), "cover")])
def test_what_looks_like_a_code_in_flesh_is_asked_about_unless_it_stands_on_paper(
    inside: tuple[int, int, int], do: str
) -> None:
    rng = np.random.default_rng(4)
    picture = np.full((768, 1024, 3), (206, 150, 128), np.uint8)
    picture[300:420, 400:520] = inside
    for x, y in rng.integers(0, 12, (60, 2)):
        picture[300 + 10 * y : 310 + 10 * y, 400 + 10 * x : 410 + 10 * x] = (60, 40, 30)
    found = Finding(
        kind="code", category="2d-code", detector="test", score=0.9, region=Region(Box(400, 300, 520, 420).polygon)
    )
    out = carriers.placed(Frame(picture), [found])
    assert decide(out[:1], Policy(), width=1024, height=768).actions[0].do == do


@pytest.mark.parametrize(("size", "rim"), [(40, 6), (80, 10)])
def test_a_round_wound_that_is_read_as_an_o_is_asked_about_and_not_painted(size: int, rim: int) -> None:
    noise = np.random.default_rng(1).normal(0, 3, (512, 512, 1))
    skin = np.clip(np.full((512, 512, 3), (150, 105, 80), np.float32) + noise, 0, 255).astype(np.uint8)
    image = Image.fromarray(skin)
    draw, low = ImageDraw.Draw(image), 180 + int(size * 1.15)
    draw.ellipse((200, 180, 200 + size, low), fill=(90, 30, 25))
    draw.ellipse((200 + rim, 180 + rim, 200 + size - rim, low - rim), fill=(220, 190, 120))
    file = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.5)).save(file, "JPEG", quality=85)
    plan = medimg.Scrubber(Policy()).inspect(file.getvalue())
    assert [a.do for a in plan.actions if a.finding.kind == Kind.TEXT] == ["ask"]
