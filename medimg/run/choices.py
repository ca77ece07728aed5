"""What a person can do about an area with one click: one list, which the window, the terminal and the page show.

Beside covering and showing it, a face has two choices that leave more to see of a close-up, where a cover over the
whole head would hide the finding: the face alone, from brow to chin, and the largest part of the picture beside it. By
what a person is still known then no check can tell: that stays a question of the consent.
"""

from __future__ import annotations

import msgspec

from medimg.covers import Margins, cover_polygon
from medimg.run import plans
from medimg.types import Action, Box, Finding, Plan, Region, bounding_box
from medimg.vocabulary import Choice, Kind, Reason
from medimg.words import mark

LEAST_LEFT = 0.1
"""Share of the picture that a crop has to leave to be offered: on a narrower strip there is nothing to see."""
SHOWN: dict[Choice, Reason] = {
    Choice.SHOW: Reason.SHOWN,
    Choice.NO_FACE: Reason.NO_FACE,
    Choice.NO_WRITING: Reason.NO_WRITING,
    Choice.CONSENT: Reason.FACE_SHOWN,
}
"""Why an area is shown that a person shows by one of these."""
_SHOWING: dict[str, tuple[Choice, ...]] = {
    Kind.FACE: (Choice.NO_FACE, Choice.CONSENT),
    Kind.TEXT: (Choice.NO_WRITING, Choice.SHOW),
    Kind.CODE: (Choice.NO_WRITING, Choice.SHOW),
}


def of(plan: Plan, action: Action, margins: Margins) -> tuple[Choice, ...]:
    """The choices that an area has as it stands, in the order in which they are shown."""
    finding = action.finding
    if finding.region is None:
        return ()
    out = [Choice.COVER] if action.do != "cover" else []
    if finding.inner and finding.region.polygon != finding.inner:
        out.append(Choice.FACE_ALONE)
        if action.do in ("ask", "hold") and plan.crop is None and _beside(plan, finding, margins) is not None:
            out.append(Choice.BESIDE)
    # Who took one reason for another can say so at once.
    showing = _SHOWING.get(finding.kind, (Choice.SHOW,))
    return (*out, *(c for c in showing if (action.do, action.why) != ("keep", SHOWN[c])))


def taken(plan: Plan, index: int, choice: Choice, margins: Margins) -> Plan:
    """The plan after a choice that the area has.

    Raises:
        ValueError: It does not have this one.
    """
    action = plan.actions[index]
    if choice not in of(plan, action, margins):
        raise ValueError(mark("this area has no such choice"))
    if choice == Choice.COVER:
        return plans.decided(plan, index, "cover", Reason.COVERED)
    if choice in SHOWN:
        return plans.decided(plan, index, "keep", SHOWN[choice])
    box = _beside(plan, action.finding, margins) if choice == Choice.BESIDE else plan.crop
    alone = Action(finding=_alone(action.finding), do="cover", why=Reason.FACE_ALONE, by="person")
    return plans.cropped(plans.with_action(plan, index, alone), box)


def _alone(finding: Finding) -> Finding:
    frame = finding.region.frame if finding.region else 0
    return msgspec.structs.replace(finding, region=Region(finding.inner, frame))


def _beside(plan: Plan, finding: Finding, margins: Margins) -> Box | None:
    """The largest part of the picture to one side of a cover over the face alone; None when too little is left."""
    cover = bounding_box(cover_polygon(_alone(finding), margins)).clipped(plan.width, plan.height)
    sides = (
        Box(0, 0, cover.x0, plan.height),
        Box(cover.x1, 0, plan.width, plan.height),
        Box(0, 0, plan.width, cover.y0),
        Box(0, cover.y1, plan.width, plan.height),
    )
    best = max(sides, key=lambda side: side.area)
    return best if best.area >= LEAST_LEFT * plan.width * plan.height else None
