"""What stands together: faint lines beside sure ones, gaps in a row, covers off a ruler, boxes seen again closer."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from medimg.covers import cover_polygon
from medimg.detect import Frame
from medimg.detect.text import layout as _layout
from medimg.detect.text import monitors, scale_lines
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line, alone, closed_rows, gaps, in_company, off_kept
from medimg.detect.text.lines import Quad, area, labels, shared, sides
from medimg.detect.text.lines import polygon as corners
from medimg.detect.text.ocr import Spot
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Region

NO_ONE = Known(NOTHING_KNOWN)
BLANK = Frame(np.full((600, 900, 3), 200, np.uint8))


def box(x: float, y: float, wide: float = 200, high: float = 20) -> Quad:
    return np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]], np.float32)


def line(text: str, quad: Quad, category: str, certainty: float = 0.95, score: float = 0.8) -> Line:
    strong = category in ("name", "date")
    return Line(Spot(quad, score), text, certainty, category, strong, quad)


def hidden(quad: Quad, lines: list[Line]) -> float:
    return max((shared(quad, made.cover) / area(quad) for made in lines if not made.kept), default=0.0)


def cover_of(made: Line) -> Quad:
    """What the policy fills for a line."""
    found = Finding(
        kind="text", category=made.category, detector="text", region=Region(corners(made.cover)), tight=made.tight
    )
    return np.array(cover_polygon(found, Policy()), np.float32)


def test_a_faint_line_under_a_sure_one_counts() -> None:
    assert in_company([Spot(box(100, 100), 0.8)], [Spot(box(100, 128), 0.35), Spot(box(600, 500), 0.4)]) == [0]


def test_three_faint_lines_under_each_other_count_and_two_do_not() -> None:
    rows = [Spot(box(100, 100 + 28 * k), 0.35) for k in range(3)]
    assert in_company([], rows) == [0, 1, 2]
    assert in_company([], rows[:2]) == []


def test_the_same_text_found_twice_is_no_company() -> None:
    assert in_company([Spot(box(100, 100), 0.8)], [Spot(box(110, 104, 150), 0.35)]) == []


def test_a_faint_line_that_says_nothing_needs_a_line_to_be_covered_beside_it() -> None:
    faint = line("~~", box(100, 128), "unread", 0.2, 0.35)
    assert len(alone([line("Rawiri Ngata", box(100, 100), "name"), faint])) == 2
    assert [m.text for m in alone([line("Foam dressing", box(100, 100), "harmless"), faint])] == ["Foam dressing"]


def test_faint_strokes_beside_a_name_are_ticks() -> None:
    ticks = line("THTTT", box(100, 128), "unknown", 0.74, 0.46)
    assert len(alone([line("Rawiri Ngata", box(100, 100), "name"), ticks])) == 1


def test_a_piece_of_a_harmless_word_is_left_out() -> None:
    whole, piece = line("Physiotherapist", box(100, 100), ""), line("apist", box(240, 101, 58, 18), "")
    made = _layout.decide([whole, piece, line("Kerr, Ngaire", box(100, 72), "")], BLANK, NO_ONE)
    assert [m.text for m in made if m.kept] == ["Physiotherapist"]
    assert "apist" not in {m.text for m in made}


@pytest.mark.parametrize("said", ["Patient:", "Name:", "Date:", "Site:"])
def test_the_name_of_a_field_stays_and_what_was_filled_in_beside_it_does_not(said: str) -> None:
    empty, filled = line(said, box(100, 100, 11 * len(said)), ""), line(said, box(100, 200, 11 * len(said) + 130), "")
    made = _layout.decide([empty, filled], BLANK, NO_ONE)
    assert [m.kept for m in sorted(made, key=lambda m: m.spot.quad[0][1])] == [True, False]


@pytest.mark.parametrize("said", ["", "H0", "5030"])
def test_a_box_round_two_lines_that_stay_is_left_out(said: str) -> None:
    words = [line("Foam dressing", box(100, 100, 150), ""), line("Sterile", box(256, 101, 90, 18), "")]
    lump = line(said, box(98, 98, 252, 24), "", 0.7 if said else 0.2)
    made = _layout.decide([*words, lump], BLANK, NO_ONE)
    assert [m.text for m in made] == ["Foam dressing", "Sterile"]
    # What is more than they are is covered, and a box with a name in it.
    wide = line(said, box(98, 98, 500, 24), "", 0.7 if said else 0.2)
    assert not all(m.kept for m in _layout.decide([*words, wide], BLANK, NO_ONE))
    named = line("Ngata", box(256, 101, 90, 18), "")
    assert len(_layout.decide([words[0], named, lump], BLANK, NO_ONE)) == 3


def test_a_curve_and_its_value_are_two_lines_beside_a_vital_sign_only() -> None:
    sign, curve = line("SpO2", box(420, 70, 70), ""), line("www97", box(100, 100, 400, 40), "")
    made = {m.text: m for m in _layout.decide([sign, curve], BLANK, NO_ONE)}
    assert made["97"].kept
    assert made["www"].kept
    by_itself = [sign, line("wwwi", box(100, 100, 400, 40), ""), line("97", box(440, 104, 50, 32), "")]
    there = _layout.decide(by_itself, BLANK, NO_ONE)
    assert all(m.kept for m in there)
    for text, high in (("www97", 300), ("Aro97", 100), ("JULIA97", 100), ("ANNA", 100), ("MILAN 97", 100)):
        other = line(text, box(100, high, 400, 40), "")
        there = _layout.decide([sign, other], BLANK, NO_ONE)
        assert hidden(other.spot.quad, there) > 0.99


@pytest.mark.parametrize("turned", [False, True])
def test_a_curve_stays_beside_its_reading_whichever_way_the_picture_is_turned(turned: bool) -> None:
    def there(text: str, quad: Quad) -> Line:
        return line(text, quad[:, ::-1].copy() if turned else quad, "")

    reading, curve = there("HR 78", box(500, 100, 120, 36)), there("WWWWWW", box(100, 100, 380, 36))
    frame = Frame(np.full((900, 900, 3), 20, np.uint8))
    assert all(made.kept for made in _layout.decide([reading, curve], frame, NO_ONE))
    name = there("WILMA", box(100, 100, 380, 36))
    made = _layout.decide([reading, name], frame, NO_ONE)
    assert hidden(name.spot.quad, made) > 0.99


def on_a_monitor(*lines: Line, ink: tuple[int, int, int] = (60, 240, 90)) -> list[Line]:
    """Lines on a dark screen with a trace from 40 to 540, and ``HR`` with its value beside it."""
    pixels = np.full((600, 900, 3), 12, np.uint8)
    x = np.arange(40, 540)
    trace = np.stack([x, 160 - 45 * np.maximum(0, np.sin(x / 9)) ** 8], axis=1)
    cv2.polylines(pixels, [np.round(trace).astype(np.int32)], False, ink, 3, cv2.LINE_AA)
    cv2.putText(pixels, "WILMA", (60, 320), cv2.FONT_HERSHEY_SIMPLEX, 2.0, ink, 4, cv2.LINE_AA)
    beside = (line("HR", box(600, 110, 50, 30), ""), line("78", box(660, 120, 80, 60), "ruler"))
    return _layout.decide([*beside, *lines], Frame(pixels), NO_ONE)


@pytest.mark.parametrize(("text", "certainty"), [("N", 0.4), ("", 0.1), ("Arouw", 0.9)])
def test_the_trace_of_a_monitor_stays_whatever_was_read_there(text: str, certainty: float) -> None:
    trace, name = line(text, box(40, 105, 500, 65), "", certainty), line(text, box(55, 265, 300, 65), "", certainty)
    made = on_a_monitor(trace, name)
    assert hidden(trace.spot.quad, made) == 0
    assert hidden(name.spot.quad, made) > 0.99
    # Without a reading beside it nothing is a monitor's.
    alone = _layout.decide([trace], Frame(np.full((600, 900, 3), 12, np.uint8)), NO_ONE)
    assert hidden(trace.spot.quad, alone) > 0.99


@pytest.mark.parametrize(("text", "high"), [(".", 65), ("-.", 65), ("M", 36), ("JL", 36)])
def test_a_name_in_letters_that_the_reader_does_not_know_is_no_curve(text: str, high: int) -> None:
    name = line(text, box(55, 265, 300, high), "")
    assert hidden(name.spot.quad, on_a_monitor(name)) > 0.99


@pytest.mark.parametrize(("text", "kept"), [("8/11", False), ("8", True), ("3/8", True)])
def test_days_in_the_even_cells_of_a_chart_are_no_figures_of_a_ruler(
    monkeypatch: pytest.MonkeyPatch, text: str, kept: bool
) -> None:
    cells = box(80, 90, 500, 50)
    monkeypatch.setattr(scale_lines.marks, "rulers", lambda _: [cells])
    (made,) = scale_lines.rulers([line(text, box(100, 95, 70, 40), "unknown")], BLANK)
    assert (made.category == "ruler") == kept


@pytest.mark.parametrize(
    "name", ["Wilma Minns", "Winn", "uuu", "minnium", "William Murray", "Ming Wu", "Iris", "vinnum"]
)
@pytest.mark.parametrize(
    "face", ["DejaVu Sans", "DejaVu Serif:italic", "DejaVu Sans Mono", "cmmi10", "STIXGeneral:italic"]
)
def test_no_name_looks_like_a_trace(name: str, face: str) -> None:
    font = ImageFont.truetype(font_manager.findfont(face), 60)
    x0, y0, x1, y1 = (int(v) for v in font.getbbox(name))
    image = Image.new("RGB", (x1 - x0 + 24, y1 - y0 + 24), (10, 12, 14))
    ImageDraw.Draw(image).text((12 - x0, 12 - y0), name, font=font, fill=(60, 250, 90))
    place = box(4, 4, image.width - 8, image.height - 8)
    assert not monitors.traced(np.asarray(image, np.uint8), place)


def test_other_names_and_units_stay_beside_the_values_of_a_monitor_only() -> None:
    beside = [line("ART", box(600, 190, 60, 30), ""), line("/min", box(665, 185, 50, 24), "")]
    pressure = line("118/64", box(670, 215, 150, 60), "")
    far = line("Art", box(100, 500, 60, 30), "")
    row = line("38.4", box(700, 115, 90, 60), "")
    made = {m.text: m.kept for m in on_a_monitor(*beside, pressure, far, row)}
    assert made == {"HR": True, "78": True, "38.4": True, "ART": True, "/min": True, "118/64": True, "Art": False}


@pytest.mark.parametrize("said", [("200", "400", "600", "800", "1000"), ("121620242832",), ("12 16 20 24 28",)])
def test_the_figures_of_a_jug_are_a_scale(said: tuple[str, ...]) -> None:
    figures = [line(text, box(100 + 120 * k, 400, 18 * len(text), 24), "") for k, text in enumerate(said)]
    made = _layout.decide(figures, BLANK, NO_ONE)
    assert {m.text for m in made if m.category == "ruler"} == set(said)
    number = line("121620242833", box(100, 400, 216, 24), "")
    assert [m.category for m in _layout.decide([number], BLANK, NO_ONE)] == ["record-number"]


def test_a_figure_that_ends_a_number_is_no_figure_of_the_scale_beside_it() -> None:
    figures = [line(str(k), box(100 + 60 * k, 400, 16, 24), "") for k in range(1, 8)]
    number = line("IHI 8003 6012 3456 7890", box(60, 370, 420, 26), "")
    end = line("9", box(462, 371, 16, 24), "")
    made = _layout.decide([*figures, number, end], BLANK, NO_ONE)
    assert {m.text for m in made if m.category == "ruler"} == {str(k) for k in range(1, 8)}


def test_a_cover_beside_a_harmless_line_gets_no_margin() -> None:
    name, role = line("Rawiri Ngata", box(100, 100), "name"), line("Registered nurse", box(100, 117, 200), "harmless")
    made = off_kept([name, role], 0.12)[0]
    assert made.tight
    assert shared(cover_of(made), role.spot.quad) < shared(cover_of(name), role.spot.quad)
    apart = line("Registered nurse", box(100, 130, 200), "harmless")
    assert not off_kept([name, apart], 0.12)[0].tight
    assert off_kept([name, apart], 1.0)[0].tight
    assert not off_kept([name, replace(role, keep=frozenset())], 0.12)[0].tight


@pytest.mark.parametrize("ground", [(205, 165, 145), (70, 45, 35)])
def test_the_cover_of_a_band_that_cannot_be_read_ends_at_its_edge(ground: tuple[int, int, int]) -> None:
    pixels = np.full((600, 900, 3), ground, np.uint8)
    pixels[:, 500:] = (110, 130, 90)  # it lies half on cloth
    pixels[200:260, 100:800] = 245
    band = box(80, 180, 740, 100)
    coarse = Line(Spot(band, 0.7, 1), "", 0.0, cover=band)
    made = _layout.decide([coarse], Frame(pixels), NO_ONE)
    covered = cover_of(made[0])
    assert shared(covered, box(100, 200, 700, 60)) > 0.99 * 700 * 60
    assert sides(covered)[1] < 72
    # What is written right up to the box, and a box on one ground, is covered as found.
    pixels[:] = ground
    pixels[185:275:6, 90:810] = 20
    assert np.array_equal(_layout.decide([coarse], Frame(pixels), NO_ONE)[0].cover, band)


def test_the_gap_between_two_words_of_a_row_is_covered() -> None:
    words = [line("Rawiri", box(100, 100, 80), "name"), line("Ngata", box(205, 100, 80), "name")]
    assert hidden(box(185, 102, 15, 16), closed_rows(words)) > 0.99
    staying = line("RN", box(184, 102, 18, 16), "harmless")
    assert hidden(staying.spot.quad, closed_rows([*words, staying])) < 0.1


def test_what_is_harmless_beside_a_name_is_left_to_what_both_lie_on() -> None:
    there = [line("LOT 516927", box(100, 100), "record-number"), line("Foam dressing", box(100, 128), "harmless", 0.8)]
    assert [m.category for m in closed_rows(there)] == ["record-number", "harmless"]


def test_a_row_that_was_not_found_in_a_column_is_covered() -> None:
    rows = [line("Ngata", box(100, 100 + 28 * k), "name") for k in (0, 1, 3)]
    assert [hidden(box(100, 160, 200, 10), gaps(rows)), len(gaps(rows))] == [1.0, 1]
    assert gaps(rows[:2]) == []
    assert gaps([*rows, line("Foam dressing", box(100, 158, 200, 18), "harmless")]) == []
    apart = [line("Ngata", box(100 + 60 * k, 100 + 28 * k), "name") for k in (0, 1, 3)]
    assert gaps(apart) == []
    pixels = np.full((600, 900, 3), 230, np.uint8)
    assert len(gaps(rows, pixels)) == 1
    pixels[148:184] = (150, 90, 70)
    assert gaps(rows, pixels) == []


def test_a_cover_beside_a_scale_gets_no_margin() -> None:
    name, mark = line("Rawiri Ngata", box(100, 130), "name"), line("4", box(150, 105, 14, 20), "ruler")
    made, kept = off_kept([name, mark], 0.12)
    assert sides(cover_of(made))[1] < 20
    assert (kept is mark, made.tight, kept.tight) == (True, True, False)
    assert not off_kept([name], 0.12)[0].tight


def test_a_wide_box_is_explained_only_by_what_fills_it_or_is_harmless() -> None:
    wide = line("", box(100, 100, 300, 40), "unread", 0.2)
    part = line("Ngata", box(105, 105, 90, 30), "name")
    assert not _layout.explained(wide, [part])
    assert _layout.explained(wide, [part, line("Rawiri", box(200, 102, 190, 36), "name")])
    assert _layout.explained(wide, [line("3 4 cm", box(110, 105, 80, 20), "ruler")])


def test_the_patches_of_a_card_are_named() -> None:
    named = [line(t, box(100 + 90 * k, 100, 50), "") for k, t in enumerate(("Blue", "Cyan", "Green", "Yellow"))]
    assert {m.category for m in _layout.decide(named, BLANK, NO_ONE)} <= {"colour-card", "harmless"}
    alone_ = _layout.decide([line("Green", box(100, 100, 50), "")], BLANK, NO_ONE)
    assert not any(m.kept for m in alone_)


def test_figures_on_a_scale_are_its_values_and_elsewhere_a_date() -> None:
    single = [line(str(k), box(100 + 50 * k, 100, 14, 20), "") for k in (0, 1, 2, 3, 4, 8)]
    there, elsewhere = line("5 6 7", box(350, 100, 114, 20), ""), line("11 12 13", box(350, 300, 114, 20), "")
    made = _layout.decide([*single, there, elsewhere], BLANK, NO_ONE)
    assert {m.text: m.kept for m in made}["5 6 7"]
    assert not {m.text: m.kept for m in made}["11 12 13"]
    wrong = line("11 12 13", box(350, 100, 114, 20), "")
    made = _layout.decide([*single, wrong], BLANK, NO_ONE)
    assert not {m.text: m.kept for m in made}["11 12 13"]


def test_figures_that_go_on_where_a_tape_bends_are_its_values() -> None:
    single = [line(str(k), box(100 + 50 * k, 100, 14, 20), "") for k in (4, 5, 6, 7, 8, 9)]
    bent, beside = line("10 11 12", box(600, 120, 114, 20), ""), line("10 11 12", box(600, 180, 114, 20), "")
    assert {m.text: m.kept for m in _layout.decide([*single, bent], BLANK, NO_ONE)}["10 11 12"]
    assert not {m.text: m.kept for m in _layout.decide([*single, beside], BLANK, NO_ONE)}["10 11 12"]
    date = line("12 11 10", box(600, 120, 114, 20), "")
    assert not {m.text: m.kept for m in _layout.decide([*single, date], BLANK, NO_ONE)}["12 11 10"]


@pytest.mark.parametrize(("ticked", "kept"), [(True, True), (False, False)])
def test_what_nobody_could_read_along_a_row_of_figures_is_its_ticks_where_they_divide_its_distance(
    ticked: bool, kept: bool
) -> None:
    pixels = np.full((600, 900, 3), 230, np.uint8)
    for x in np.arange(110, 760, 50) if ticked else (130, 150, 300, 333, 480, 700):
        pixels[150:220, int(x) : int(x) + 4] = 30
    row, marks = line("1 2 3 4 5 6 7", box(100, 100, 640, 40), ""), line("", box(100, 145, 660, 90), "", 0.2)
    made = _layout.decide([row, marks], Frame(pixels), NO_ONE)
    assert {m.text: m.kept for m in made} == {"1 2 3 4 5 6 7": True, "": kept}


def test_a_piece_of_a_line_that_was_read_is_no_line_of_its_own() -> None:
    whole, piece = line("DANGER Toxique", box(100, 100, 300, 40), ""), line("DANG", box(104, 104, 70, 30), "")
    assert [m.text for m in _layout.decide([whole, piece], BLANK, NO_ONE)] == ["DANGER Toxique"]
    known = Known(KnownValues(names=("Dang",)))
    assert {m.text for m in _layout.decide([whole, piece], BLANK, known)} == {"DANGER Toxique", "DANG"}


def test_of_two_readings_of_a_line_one_is_left() -> None:
    """The longer one is dropped where two that are surer fill it: the piece is then all that says it."""
    whole = line("A Whitlock R eye", box(100, 100, 400, 40), "")
    whole = replace(whole, spot=whole.spot._replace(level=1))
    parts = [line("A Whitlock", box(100, 100, 220, 40), ""), line("R eye", box(350, 100, 150, 40), "")]
    made = _layout.decide([whole, *parts], BLANK, NO_ONE)
    assert hidden(parts[0].spot.quad, made) > 0.95


def test_a_row_of_numerals_that_count_up_stays_with_one_misread() -> None:
    made = _layout.decide([line("10 11 12 13 34", box(100, 100), "")], BLANK, NO_ONE)
    assert [m.category for m in made] == ["ruler"]
    made = _layout.decide([line("5 37 38 39", box(100, 100), "")], BLANK, NO_ONE)
    assert [m.category for m in made] == ["ruler"]
    made = _layout.decide([line("2345678910m", box(100, 100), "")], BLANK, NO_ONE)
    assert [m.category for m in made] == ["ruler"]
    made = _layout.decide([line("819202122", box(100, 100), "")], BLANK, NO_ONE)
    assert [m.category for m in made] == ["ruler"]
    made = _layout.decide([line("819202132", box(100, 100), "")], BLANK, NO_ONE)
    assert not any(m.kept for m in made)
    made = _layout.decide([line("A123", box(100, 100), "")], BLANK, NO_ONE)
    assert [m.category for m in made] == ["colour-card"]
    made = _layout.decide([line("123456789", box(100, 100), "")], BLANK, NO_ONE)
    assert not any(m.kept for m in made)
    made = _layout.decide([line("5 27 28 29", box(100, 100), "")], BLANK, NO_ONE)
    assert not any(m.kept for m in made)
    made = _layout.decide([line("10 11 56 13 34", box(100, 100), "")], BLANK, NO_ONE)
    assert not any(m.kept for m in made)


def test_the_bar_beside_a_length_is_a_scale_and_a_sign_elsewhere_is_not() -> None:
    length, bar, far = line("1 mm", box(100, 100, 60), ""), line("\u5de5", box(100, 124, 40, 30), ""), box(500, 400, 40)
    made = {tuple(m.spot.quad[0]): m for m in _layout.decide([length, bar, line("\u5de5", far, "")], BLANK, NO_ONE)}
    assert made[(100, 124)].kept
    assert not made[(500, 400)].kept


def test_a_wound_that_reads_as_a_sign_is_left_and_a_red_sticker_is_not() -> None:
    signs = line("08", box(380, 245, 150, 100), "", 0.7, 0.75)
    pixels = np.full((600, 900, 3), (205, 165, 145), np.uint8)
    y, x = np.mgrid[:600, :900]
    wound = pixels.copy()
    wound[((x - 455) / 60) ** 2 + ((y - 295) / 45) ** 2 < 1] = (150, 35, 40)
    assert _layout.decide([signs], Frame(wound), NO_ONE) == []
    surely = replace(signs, certainty=0.95)
    assert not _layout.decide([surely], Frame(wound), NO_ONE)[0].kept
    sticker, letters = pixels.copy(), pixels.copy()
    sticker[250:340, 395:515] = (190, 30, 40)
    letters[255:335, 400:412] = letters[255:335, 440:452] = letters[255:335, 480:492] = (150, 35, 40)
    for other in (sticker, letters, pixels):
        assert hidden(signs.spot.quad, _layout.decide([signs], Frame(other), NO_ONE)) > 0.99


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 800), st.floats(0, 500), st.floats(2, 300), st.floats(2, 60)), max_size=30))
def test_every_line_stands_on_one_label(places: list[tuple[float, float, float, float]]) -> None:
    groups = labels([box(*place) for place in places])
    assert sorted(k for group in groups for k in group) == list(range(len(places)))


@pytest.mark.parametrize(("high", "score", "stays"), [(150, 0.8, 2), (150, 0.5, 1), (80, 0.8, 1)])
def test_a_surer_box_of_large_lettering_stays_beside_a_finer_one(high: float, score: float, stays: int) -> None:
    """The finer one holds two rows of a note that fills the picture, and is taken for a foot when it is not read."""
    finer, coarser = Spot(box(200, 200, 500, high), 0.55), Spot(box(200, 200, 480, 0.7 * high), score)
    assert len(_layout.merged([[finer], [coarser]], 900, 600)) == stays


def test_a_name_in_large_letters_is_covered_where_a_finer_box_of_it_is_not_read() -> None:
    two_rows, name = Spot(box(200, 150, 500, 290), 0.55), Spot(box(200, 170, 480, 170), 0.8)
    said = {0.55: ("Mr.Sun", 0.55), 0.8: ("Mr. Sin", 0.97)}
    spots = _layout.merged([[two_rows], [name]], 900, 600)
    decided = _layout.decide([Line(spot, *said[spot.score]) for spot in spots], BLANK, NO_ONE)
    assert hidden(name.quad, decided) > 0.95
