"""The polygon of a cover: that of the finding and a margin that goes by its kind."""

from __future__ import annotations

import math
from typing import Protocol

from medimg import geometry
from medimg.covers.union import hidden_area
from medimg.types import BLACK, Box, Colour, Cover, Finding, Plan, Polygon, bounding_box
from medimg.vocabulary import Kind

LEAST = 2.0
"""Least margin, in pixels: boxes are found in a smaller picture and are off by about as much."""
ALMOST_ALL = 0.9
"""Share of a copy under covers above which a person is asked once more: a black picture is left of a face that is the
finding."""
TIGHT = 0.12
"""Beside something that stays a line's box is drawn in by this share of its height before it gets that share as its
margin: the text finder's boxes are about so roomy. In all 3 % of the height are lost; no policy adds to it."""


class HasMargin(Protocol):
    """The rules for one kind of finding."""

    @property
    def margin(self) -> float:
        """Growth on every side, as a share of the height of text, a code's shorter side, the head box."""
        ...


class Margins(Protocol):
    """What of a policy says how large covers are; :class:`medimg.policy.Policy` is one."""

    @property
    def text(self) -> HasMargin:
        """Of lines of text."""
        ...

    @property
    def codes(self) -> HasMargin:
        """Of bar and 2-D codes."""
        ...

    @property
    def objects(self) -> HasMargin:
        """Of things that bear writing."""
        ...

    @property
    def faces(self) -> HasMargin:
        """Of faces, and of whatever has no rules of its own."""
        ...


def cover_polygon(finding: Finding, margins: Margins) -> Polygon:
    """The polygon to fill for a finding: its own, grown by the margin of its kind; empty without a place."""
    polygon = finding.region.polygon if finding.region else ()
    if not polygon:
        return ()
    if finding.kind == "drawn":
        return polygon  # what a person marked is filled as it was marked
    return geometry.grown(polygon, _margin(finding, polygon, margins))


def _margin(finding: Finding, polygon: Polygon, margins: Margins) -> float:
    """How far each side moves outward, in pixels; inward when negative."""
    if finding.kind not in ("text", "code"):
        box = bounding_box(polygon)
        rules = margins.objects if finding.kind == Kind.OBJECT else margins.faces
        return max(LEAST, rules.margin * min(box.width, box.height))
    # The short side of a slanted line of text is its area over its longest side.
    longest = max(geometry.distance(a, b) for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True))
    short = geometry.area(polygon) / longest if longest else 0.0
    if finding.tight:
        inner = TIGHT * short
        return max(LEAST, TIGHT * (short - 2 * inner)) - inner
    return max(LEAST, (margins.text if finding.kind == "text" else margins.codes).margin * short)


def fills(finding: Finding, margins: Margins, width: int, height: int) -> bool:
    """Whether a cover over a finding fills a pixel of a picture of that size.

    Further pages may be of another size; for a finding on one of them it is enough that it has an area.
    """
    region = finding.region
    if region is None or len(region.polygon) < 3 or not all(math.isfinite(v) for p in region.polygon for v in p):
        return False
    if not geometry.area(region.polygon):
        return False
    return region.frame > 0 or geometry.area(geometry.inside(cover_polygon(finding, margins), width, height)) >= 1


def covers(plan: Plan, margins: Margins, colour: Colour = BLACK) -> tuple[Cover, ...]:
    """What is to be filled, in the order of the plan and in the coordinates of the whole picture."""
    return tuple(
        Cover(
            polygon=cover_polygon(a.finding, margins),
            category=a.finding.category,
            frame=a.finding.region.frame,
            colour=colour,
        )
        for a in plan.doing("cover")
        if a.finding.region is not None
    )


def hidden_share(plan: Plan, margins: Margins) -> float:
    """How much of what the copy shows its covers will hide, 0 to 1; of the first frame."""
    seen = plan.crop or Box(0, 0, plan.width, plan.height)
    moved = (geometry.moved(c.polygon, -seen.x0, -seen.y0) for c in covers(plan, margins) if c.frame == 0)
    inside = [p for m in moved if len(p := geometry.inside(m, seen.width, seen.height)) >= 3]
    return min(1.0, hidden_area(inside) / max(seen.area, 1))


def almost_all_hidden(plan: Plan, margins: Margins) -> bool:
    """Whether hardly anything of the picture is left to see, so that a person has to say that this is meant."""
    return hidden_share(plan, margins) > ALMOST_ALL
