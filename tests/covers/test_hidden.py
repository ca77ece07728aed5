"""What covers hide, what fills nothing, and their colour, on both sides of each edge."""

from __future__ import annotations

import math

import pytest

from medimg.covers import almost_all_hidden, fills, hidden_area, hidden_share, standing_out
from medimg.policy import Policy
from medimg.types import BLACK, Action, Box, Finding, Plan, Polygon, Region

POLICY = Policy()


def drawn(polygon: Polygon, frame: int = 0) -> Finding:
    return Finding(kind="drawn", category="marked", detector="person", region=Region(polygon, frame))


def plan(*findings: Finding, crop: Box | None = None) -> Plan:
    return Plan(width=100, height=50, actions=tuple(Action(finding=f, do="cover", why="marked") for f in findings),
                crop=crop)  # fmt: skip


@pytest.mark.parametrize(
    ("around", "colour"),
    [([], BLACK), ([40, 200], BLACK), ([39.9], (255,) * 3), ([0, 255], (130,) * 3), ([20, 100, 180], (255,) * 3)],
)
def test_covers_are_black_where_black_is_seen(around: list[float], colour: tuple[int, int, int]) -> None:
    chosen = standing_out(around)
    if around and min(around) < 40:
        best = max(min(abs(grey - luma) for luma in around) for grey in range(0, 256, 5))
        assert min(abs(chosen[0] - luma) for luma in around) == best
        assert len(set(chosen)) == 1
    assert chosen == colour


def test_a_share_is_that_of_what_the_copy_shows() -> None:
    left = drawn(Box(0, 0, 50, 50).polygon)
    assert hidden_share(plan(), POLICY) == 0
    assert hidden_share(plan(left), POLICY) == pytest.approx(0.5)
    assert hidden_share(plan(left, left), POLICY) == pytest.approx(0.5)
    assert hidden_share(plan(left, crop=Box(25, 0, 75, 50)), POLICY) == pytest.approx(0.5)
    assert hidden_share(plan(left, crop=Box(50, 0, 100, 50)), POLICY) == 0
    assert hidden_share(plan(drawn(Box(-50, -50, 200, 200).polygon)), POLICY) == 1
    assert hidden_share(plan(drawn(Box(0, 0, 50, 50).polygon, frame=1)), POLICY) == 0  # of the first frame


def test_a_picture_that_is_hidden_but_for_a_tenth_is_put_to_a_person() -> None:
    assert not almost_all_hidden(plan(drawn(Box(0, 0, 90, 50).polygon)), POLICY)
    assert almost_all_hidden(plan(drawn(Box(0, 0, 91, 50).polygon)), POLICY)


@pytest.mark.parametrize(
    ("polygon", "frame", "good"),
    [
        (Box(0, 0, 1, 1).polygon, 0, True), (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), 0, False),
        (Box(100, 0, 120, 50).polygon, 0, False), (Box(100, 0, 120, 50).polygon, 1, True),
        (((0.0, 0.0), (9.0, 9.0)), 1, False), (((0.0, 0.0), (9.0, 9.0), (18.0, 18.0)), 1, False),
        (((0.0, 0.0), (math.nan, 9.0), (9.0, 0.0)), 0, False), (((0.0, 0.0), (math.inf, 9.0), (9.0, 0.0)), 1, False),
    ],
)  # fmt: skip
def test_a_cover_fills_at_least_a_pixel_of_its_frame(polygon: Polygon, frame: int, good: bool) -> None:
    assert fills(drawn(polygon, frame), POLICY, 100, 50) == good
    assert not fills(Finding(kind="drawn", category="marked", detector="person"), POLICY, 100, 50)


def test_what_covers_hide_together_counts_once() -> None:
    one, other = Box(0, 0, 10, 10).polygon, Box(5, 0, 15, 10).polygon
    assert hidden_area([one]) == 100
    assert hidden_area([one, other]) == pytest.approx(150)
    assert hidden_area([one, other], 200) == 200  # up to there the sum will do
    assert hidden_area([one, other], 199) == pytest.approx(150)
    flat = ((0.0, 3.0), (10.0, 3.0), (20.0, 3.0))
    assert hidden_area([flat, flat]) == 0
