"""A line that stays is not cut lengthwise by a cover beside it: it is hidden as a whole, or not at all."""

from __future__ import annotations

import pytest

from medimg.decide import decide
from medimg.policy import Policy
from medimg.types import Action, Finding, Polygon, Region
from medimg.vocabulary import Reason

POLICY = Policy()
JPEG, PNG = (16, 16), (1, 1)


def line(top: float, foot: float, category: str, left: float = 100, right: float = 400, on: str = "") -> Finding:
    polygon: Polygon = ((left, top), (right, top), (right, foot), (left, foot))
    return Finding(kind="text", category=category, detector="t", region=Region(polygon), on=on)  # type: ignore[arg-type]


def decided(*findings: Finding, block: tuple[int, int] | None) -> tuple[Action, ...]:
    return decide(findings, POLICY, width=640, height=480, block=block).actions


def test_a_kept_line_that_a_grown_cover_would_halve_is_covered_whole() -> None:
    name, beside = decided(line(100, 130, "name"), line(132, 156, "harmless"), block=JPEG)
    assert name.do == "cover"
    assert (beside.do, beside.why) == ("cover", Reason.CUT)


def test_nothing_changes_where_it_is_not_said_what_covers_grow_to() -> None:
    assert [a.do for a in decided(line(100, 130, "name"), line(132, 156, "harmless"), block=None)] == ["cover", "keep"]


@pytest.mark.parametrize(("foot", "block"), [(126, JPEG), (131, PNG)])
def test_a_kept_line_stays_whole_where_the_cover_beside_it_can_do_without_a_margin(
    foot: float, block: tuple[int, int]
) -> None:
    name, beside = decided(line(100, foot, "name"), line(130, 150, "harmless"), block=block)
    assert (name.do, name.finding.tight) == ("cover", True)
    assert (beside.do, beside.why) == ("keep", Reason.HARMLESS)


def test_a_line_far_enough_off_is_left_alone_and_so_is_the_margin() -> None:
    name, beside = decided(line(100, 120, "name"), line(160, 180, "harmless"), block=JPEG)
    assert (name.finding.tight, beside.do) == (False, "keep")


def test_a_line_that_is_cut_takes_no_third_one_with_it() -> None:
    lines = [line(100, 130, "name"), line(132, 156, "harmless"), line(152, 176, "harmless")]
    assert [a.do for a in decided(*lines, block=JPEG)] == ["cover", "keep", "keep"]
    apart = [*lines[:2], line(180, 204, "harmless")]
    assert [a.do for a in decided(*apart, block=JPEG)] == ["cover", "cover", "keep"]


def test_a_cover_that_ends_across_a_line_cuts_none_of_its_letters_lengthwise() -> None:
    label = line(100, 130, "harmless", 100, 200)
    assert [a.do for a in decided(line(100, 130, "name", 190, 400), label, block=JPEG)] == ["cover", "keep"]


def test_of_a_line_that_is_hidden_for_the_most_part_nothing_stays() -> None:
    label = line(100, 130, "harmless", 100, 200)
    assert [a.do for a in decided(line(96, 134, "name", 130, 400), label, block=JPEG)] == ["cover", "cover"]


@pytest.mark.parametrize("category", ["ruler", "colour-card", "unit"])
def test_parts_of_scales_are_never_covered_for_the_looks_of_it(category: str) -> None:
    assert decided(line(100, 130, "name"), line(132, 156, category), block=JPEG)[1].do == "keep"


def test_print_on_a_ruler_stays_too() -> None:
    assert decided(line(100, 130, "name"), line(132, 156, "harmless", on="measure"), block=JPEG)[1].do == "keep"


@pytest.mark.parametrize("top", range(90, 122))
@pytest.mark.parametrize("block", [JPEG, (8, 8), PNG])
def test_what_identifies_is_covered_all_the_same(top: int, block: tuple[int, int]) -> None:
    name = decided(line(top, top + 30, "name"), line(132, 156, "harmless"), block=block)[0]
    assert name.do == "cover"
    assert name.finding.region == Region(((100, top), (400, top), (400, top + 30), (100, top + 30)))
