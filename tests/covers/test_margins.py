"""How large a cover is: the policy's margin, and none over what stays."""

from __future__ import annotations

import numpy as np
import pytest

from medimg import geometry
from medimg.covers import cover_polygon
from medimg.policy import CodeRules, FaceRules, Policy, TextRules
from medimg.types import Finding, Region, bounding_box

BOX = ((100.0, 100.0), (300.0, 100.0), (300.0, 140.0), (100.0, 140.0))


def found(kind: str, *, tight: bool = False) -> Finding:
    return Finding(kind=kind, category="x", detector="t", region=Region(BOX), tight=tight)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "policy", "by"),
    [
        ("text", Policy(), 0.12 * 40),
        ("text", Policy(text=TextRules(margin=0.5)), 20.0),
        ("text", Policy(text=TextRules(margin=0.0)), 2.0),
        ("code", Policy(codes=CodeRules(margin=0.25)), 10.0),
        ("face", Policy(faces=FaceRules(margin=0.2)), 8.0),
        ("drawn", Policy(text=TextRules(margin=0.5)), 0.0),
    ],
)
def test_a_margin_is_the_share_that_the_policy_says(kind: str, policy: Policy, by: float) -> None:
    cover = np.array(cover_polygon(found(kind), policy))
    assert cover.min(axis=0) == pytest.approx([100 - by, 100 - by])
    assert cover.max(axis=0) == pytest.approx([300 + by, 140 + by])


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.12, 0.5, 2.0])
def test_beside_something_that_stays_a_cover_is_the_box_at_every_margin(margin: float) -> None:
    cover = np.array(cover_polygon(found("text", tight=True), Policy(text=TextRules(margin=margin))))
    assert cover.min(axis=0) == pytest.approx([100, 100], abs=0.03 * 40)
    assert cover.max(axis=0) == pytest.approx([300, 140], abs=0.03 * 40)


def test_a_small_line_is_covered_whole_beside_something_that_stays() -> None:
    low = tuple((x, 100 + (y - 100) / 4) for x, y in BOX)
    line = Finding(kind="text", category="name", detector="t", region=Region(low), tight=True)
    cover = bounding_box(cover_polygon(line, Policy()))
    assert cover.y0 <= 100
    assert cover.y1 >= 110
    assert geometry.area(cover_polygon(line, Policy())) >= geometry.area(low)
