"""What a person keeps is kept alone; what is to be covered and has no place holds the photo."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from told_kit import Told

from medimg import Scrubber, frames
from medimg.api import Scrubbed
from medimg.policy import MetadataRules, Policy
from medimg.types import Action, Box, Finding, Plan, Polygon, Region, Secret

WIDTH, HEIGHT = 400, 300
BOARD: Polygon = ((40.0, 40.0), (340.0, 140.0), (330.0, 170.0), (30.0, 70.0))
"""A slanted line of text."""


def picture(kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(3).integers(90, 200, (HEIGHT, WIDTH, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return out.getvalue()


def thing(place: Polygon | None, kind: Any = "text", category: str = "name", frame: int = 0) -> Finding:
    region = None if place is None else Region(place, frame)
    return Finding(kind=kind, category=category, detector="drawn", region=region)


def scrub(
    later: Sequence[Finding] = (), *, first: Sequence[Finding] = (), plan: Plan | None = None, kind: str = "PNG"
) -> Scrubbed:
    detectors = [Told("text", first, later), Told("codes"), Told("faces")]
    return Scrubber(Policy.load(), detectors=detectors).scrub(picture(kind), plan=plan)


def kept(finding: Finding) -> Plan:
    return Plan(
        width=WIDTH, height=HEIGHT, actions=(Action(finding=finding, do="keep", why="it may stay", by="person"),)
    )


NAME = Box(150, 120, 250, 140).polygon
OTHERS = {
    "a name in a face that is shown": thing(Box(60, 30, 340, 270).polygon, "face", "face"),
    "a name on a code that is shown": thing(Box(140, 60, 260, 180).polygon, "code", "2d-code"),
    "a name where another frame keeps one": thing(NAME, frame=3),
    "a name where another frame keeps everything": thing(Box(0, 0, WIDTH, HEIGHT).polygon, frame=1),
    "a name in something large that is no writing": thing(Box(40, 20, 360, 280).polygon, category="unread"),
    "a name beside a kept slanted line": thing(BOARD),
    "a name beside a kept line": thing(Box(150, 145, 250, 165).polygon),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_was_not_looked_at_is_covered(other: str) -> None:
    place = Box(230, 50, 320, 70).polygon if "slanted" in other else NAME
    result = scrub([thing(place)], plan=kept(OTHERS[other]))
    assert result.report.state == "unreviewed"
    assert result.report.plan is not None
    assert [a.finding.region.box for a in result.report.plan.doing("cover") if a.finding.region] == [Region(place).box]
    assert result.data is not None
    x0, y0, x1, y1 = (int(v) for v in (*place[0], *place[2]))
    assert not np.asarray(Image.open(io.BytesIO(result.data)))[y0:y1, x0:x1].any()


def test_a_face_in_a_kept_line_of_text_is_covered_too() -> None:
    later = [thing(Box(160, 125, 175, 139).polygon, "face", "face")]
    result = scrub(later, plan=kept(thing(NAME)))
    assert result.report.plan is not None
    assert len(result.report.plan.doing("cover")) == 1


@pytest.mark.parametrize(
    ("was", "is_found"),
    [
        (thing(NAME), thing(NAME)),
        (thing(NAME), thing(Box(152, 119, 200, 141).polygon)),
        (thing(Box(150, 100, 250, 145).polygon), thing(NAME)),
        (thing(BOARD), thing(((45.0, 43.0), (180.0, 88.0), (170.0, 117.0), (35.0, 71.0)))),
        (thing(Box(60, 30, 240, 270).polygon, "face", "possible-face"),
         thing(Box(66, 34, 236, 272).polygon, "face", "face")),
        (thing(Box(60, 30, 240, 170).polygon, "code", "barcode"),
         thing(Box(62, 34, 236, 168).polygon, "code", "barcode")),
    ],
)  # fmt: skip
def test_what_a_person_kept_is_kept(was: Finding, is_found: Finding) -> None:
    result = scrub([is_found], plan=kept(was))
    assert result.report.state == "unreviewed"
    assert result.report.plan is not None
    assert not result.report.plan.doing("cover")


NOWHERE: dict[str, Finding] = {
    "no region": thing(None),
    "an empty region": thing(()),
    "one point": thing(((20.0, 20.0),)),
    "two points": thing(((20.0, 20.0), (120.0, 60.0))),
    "three points in a row": thing(((20.0, 20.0), (60.0, 20.0), (120.0, 20.0))),
    "right of the picture": thing(Box(WIDTH + 20, 20, WIDTH + 90, 60).polygon),
    "above the picture": thing(Box(20, -90, 60, -20).polygon),
    "round a corner, not over it": thing(((-100.0, 20.0), (20.0, -100.0), (-100.0, -100.0))),
    "not a number": thing(((math.nan, 20.0), (60.0, 20.0), (60.0, 50.0))),
    "on a frame that is not there": thing(NAME, frame=2),
    "a frame below zero": thing(NAME, frame=-1),
    "a face without a place": thing(None, "face", "face"),
    "a code without an area": thing(((20.0, 20.0), (90.0, 20.0)), "code", "barcode"),
    "drawn outside": thing(Box(-50, -50, -10, -10).polygon, "drawn", "area"),
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("nowhere", NOWHERE)
def test_a_cover_without_a_place_holds(nowhere: str, kind: str) -> None:
    """Found by a detector, and in a plan that was edited."""
    plan = Plan(
        width=WIDTH, height=HEIGHT, actions=(Action(finding=NOWHERE[nowhere], do="cover", why="a person", by="person"),)
    )
    for result in (scrub(first=[NOWHERE[nowhere]], kind=kind), scrub(plan=plan, kind=kind)):
        assert (result.data, result.report.state) == (None, "held"), result.report
        assert "(" not in result.report.reason, "it was held by an unforeseen fault"


BESIDE: dict[str, Polygon] = {
    "right": Box(WIDTH + 9, 20, WIDTH + 90, 60).polygon,
    "far right": Box(WIDTH * 20, 20, WIDTH * 20 + 90, 60).polygon,
    "left": Box(-900, 20, -810, 60).polygon,
    "above": Box(20, -90, 60, -20).polygon,
    "below": Box(20, HEIGHT * 3, 60, HEIGHT * 3 + 40).polygon,
    "beyond two sides": Box(WIDTH * 9, HEIGHT * 9, WIDTH * 9 + 80, HEIGHT * 9 + 30).polygon,
}
OVER: dict[str, Polygon] = {
    "right": Box(WIDTH - 20, 50, WIDTH + 100, 90).polygon,
    "left": Box(-60, 50, 30, 90).polygon,
    "above": Box(50, -30, 120, 30).polygon,
    "below": Box(50, HEIGHT - 30, 120, HEIGHT + 300).polygon,
    "right and left": ((-3000.0, 100.0), (3000.0, 100.0), (3000.0, 112.0), (-3000.0, 112.0)),
}
KINDS = {"text": "name", "code": "qr", "face": "face"}


@pytest.mark.parametrize("turned", [pytest.param(1, marks=pytest.mark.long), 6])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beside", BESIDE)
def test_what_lies_beside_the_picture_holds_for_that(beside: str, kind: str, turned: int) -> None:
    """Found first, also beside something in the picture, or in the copy: no check stops for it."""
    stray, usual = thing(BESIDE[beside], kind, KINDS[kind]), thing(NAME)
    for first, later in (([stray], []), ([usual, stray], []), ([usual], [stray])):
        report = scrub_turned(first, later, turned).report
        assert (report.state, report.error_code) == ("held", "M-HOLD")
        assert report.reason.startswith("what is to be covered has no place in the picture.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("over", OVER)
def test_what_lies_over_the_edge_is_covered_inside(over: str, kind: str) -> None:
    place = OVER[over]
    for first, later in (([thing(place, kind, KINDS[kind])], []), ([], [thing(place, kind, KINDS[kind])])):
        result = scrub_turned(first, later, 1)
        assert result.data is not None, result.report.reason
        box = Region(place).box.clipped(WIDTH, HEIGHT)
        pixels = np.asarray(Image.open(io.BytesIO(result.data)))
        assert not pixels[box.y0 : box.y1, box.x0 : box.x1].any()


FAR = 2.0**24 + 2
UNFIT: dict[str, Any] = {
    "not a number": [thing(((math.nan, 1.0), (20.0, 2.0), (30.0, 90.0)))],
    "endless": [thing(((math.inf, 1.0), (20.0, 2.0), (30.0, 90.0)), "face", "face")],
    "farther than any picture": [thing(((FAR, 1.0), (FAR + 90, 1.0), (FAR, 90.0)), "code", "qr")],
    "nothing": None,
    "no findings": ["a name"],
    "no list": 3,
    "an unknown kind": [thing(NAME, "martian")],
    "a place of one number": [thing(((1.0,), (20.0, 2.0), (30.0, 90.0)))],  # type: ignore[arg-type]
    "no text": [msgspec.structs.replace(thing(NAME), category=5)],
    "no score": [msgspec.structs.replace(thing(NAME), score="high")],
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_an_answer_that_is_none_is_a_check_that_did_not_run(unfit: str) -> None:
    given: Any = UNFIT[unfit]

    class Odd(Told):
        def find(self, frame: Any, known: Any = None) -> list[Finding]:
            return given if self._first else []  # type: ignore[no-any-return]

        def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
            return (given if self._later else []), "told"

    usual = [thing(NAME)]
    for first, later, copy in ((usual, [], ""), ([], usual, " of the written copy")):
        detectors = [Odd("text", first, later), Told("codes"), Told("faces")]
        report = Scrubber(Policy.load(), detectors=detectors).scrub(picture()).report
        assert (report.state, report.error_code) == ("held", "M-HOLD-NOTRUN")
        assert report.reason.startswith(f"the text check{copy} did not run: its answer ")


@pytest.mark.parametrize("what", ["not a number", "endless", "farther than any picture"])
def test_a_plan_with_a_place_in_no_picture_holds(what: str) -> None:
    (found,) = UNFIT[what] or []
    for do in ("keep", "ask", "cover"):
        action = Action(finding=found, do=do, why="a person", by="person")  # type: ignore[arg-type]
        report = scrub([thing(NAME)], plan=Plan(width=WIDTH, height=HEIGHT, actions=(action,))).report
        assert (report.state, report.error_code) == ("held", "M-HOLD")
        assert report.reason.startswith("the plan has a place that is in no picture.")


def scrub_turned(first: Sequence[Finding], later: Sequence[Finding], orientation: int) -> Scrubbed:
    exif = Image.Exif()
    exif[274] = orientation
    out = io.BytesIO()
    with Image.open(io.BytesIO(picture())) as upright:
        upright.save(out, "PNG", exif=exif)
    return Scrubber(detectors=[Told("text", first, later), Told("codes"), Told("faces")]).scrub(out.getvalue())


def test_a_cover_that_the_crop_leaves_out_needs_no_place_in_it() -> None:
    action = Action(finding=thing(Box(300, 200, 390, 290).polygon), do="cover", why="a person", by="person")
    plan = Plan(width=WIDTH, height=HEIGHT, actions=(action,), crop=Box(0, 0, 200, 150))
    assert scrub(plan=plan).report.state == "unreviewed"


def test_a_cover_over_the_edge_is_a_cover() -> None:
    result = scrub(first=[thing(Box(-40, -40, 30, 30).polygon)])
    assert result.data is not None
    assert not np.asarray(Image.open(io.BytesIO(result.data)))[:30, :30].any()


def pages(*sizes: tuple[int, int]) -> bytes:
    random = np.random.default_rng(8)
    each = [Image.fromarray(random.integers(90, 200, (h, w, 3), np.uint8)) for w, h in sizes]
    out = io.BytesIO()
    each[0].save(out, "TIFF", save_all=True, append_images=each[1:])
    return out.getvalue()


def test_covers_of_pages_have_a_place_on_their_own_page() -> None:
    policy = Policy(metadata=MetadataRules(keep_frames=True))
    scrubber = Scrubber(policy, detectors=[Told("text"), Told("codes"), Told("faces")])
    for finding, state in (
        (thing(Box(300, 220, 380, 280).polygon, frame=1), "unreviewed"),
        (thing(Box(500, 220, 580, 280).polygon, frame=1), "held"),
        (thing(Box(300, 220, 380, 280).polygon, frame=0), "held"),
        (thing(Box(10, 10, 80, 80).polygon, frame=2), "held"),
        (thing(None), "held"),
    ):
        plan = Plan(
            width=WIDTH, height=HEIGHT, actions=(Action(finding=finding, do="cover", why="a person", by="person"),)
        )
        result = scrubber.scrub(pages((200, 150), (WIDTH, HEIGHT)), plan=plan)
        assert result.report.state == state, (finding, result.report.reason)
        if state == "unreviewed":
            assert result.report.copy is not None
            assert frames.KEPT in result.report.copy.notes


# -- figures of a ruler: the second look may miss some of them, and covers the rest no more for that -----------------


def read(box: Box, text: str, category: str = "unknown") -> Finding:
    return msgspec.structs.replace(thing(box.polygon, category=category), secret=Secret(text))


FIGURES = [
    read(Box(60 + 70 * k, 200, 90 + 70 * k, 230), text, "ruler") for k, text in enumerate(("8", "10", "12", "14"))
]
ROW = Box(128, 198, 302, 232)


@pytest.mark.parametrize(
    ("place", "text", "category"),
    [
        (ROW, "10 12 14", "unknown"),
        (ROW, "1214", "unknown"),
        (ROW, "14 12 10", "unknown"),
        (ROW, "101214", "record-number"),
        (Box(131, 201, 161, 229), "OI", "unknown"),
        (Box(131, 201, 161, 229), "", "unread"),
    ],
)
def test_figures_that_stayed_stay(place: Box, text: str, category: str) -> None:
    done = scrub([read(place, text, category)], first=FIGURES)
    assert done.report.state == "unreviewed"
    assert done.report.plan is not None
    assert not done.report.plan.doing("cover")


@pytest.mark.parametrize(
    ("place", "text", "category"),
    [
        (ROW, "10 12 Ines", "unknown"),
        (ROW, "10 12 15", "unknown"),
        (ROW, "101 214 77", "record-number"),
        (Box(131, 201, 161, 229), "Ines", "name"),
        (Box(60, 240, 160, 270), "1214", "unknown"),
        (Box(60, 240, 90, 270), "8", "unknown"),
    ],
)
def test_what_says_more_or_lies_elsewhere_is_covered(place: Box, text: str, category: str) -> None:
    done = scrub([read(place, text, category)], first=FIGURES)
    assert done.report.state == "unreviewed"
    assert done.report.plan is not None
    assert done.report.plan.doing("cover")


def test_what_nobody_can_read_across_figures_that_stay_is_asked_about() -> None:
    done = scrub([read(ROW, "", "unread")], first=FIGURES)
    assert done.report.plan is not None
    assert [a.finding.category for a in done.report.plan.doing("ask")] == ["unread"]
    assert not done.report.plan.doing("cover")


# -- a line that stays, and is read worse at another size --------------------------------------------------------------


def _second(category: str, text: str, place: Box, first: str = "Gray Scale") -> list[str]:
    """What is done about a line that the first look kept, and what the second one read."""
    line = msgspec.structs.replace(thing(Box(100, 100, 260, 130).polygon, category="harmless"), secret=Secret(first))
    again = msgspec.structs.replace(thing(place.polygon, category=category), secret=Secret(text))
    return [a.do for a in scrub([again], first=[line]).report.plan.actions if a.finding.region]


@pytest.mark.parametrize("text", ["Gray Scal", "ray Scale", "Gmay Scale"])
def test_a_worse_reading_of_a_line_that_stays_covers_nothing(text: str) -> None:
    assert _second("unknown", text, Box(102, 101, 255, 129)) == ["keep"]


@pytest.mark.parametrize(
    ("category", "text", "place"),
    [
        ("unknown", "Gray Scales", Box(102, 101, 255, 129)),  # it says more
        ("unknown", "Rawiri", Box(102, 101, 255, 129)),
        ("name", "Gray", Box(102, 101, 255, 129)),
        ("unknown", "Gray Scal", Box(102, 140, 255, 168)),  # elsewhere
        ("unknown", "", Box(102, 101, 255, 129)),
    ],
)
def test_another_reading_of_a_line_that_stays_is_covered(category: str, text: str, place: Box) -> None:
    assert "cover" in _second(category, text, place)
