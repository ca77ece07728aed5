"""Changes a person makes to a plan, as functions of plans, for the window and the command line alike."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.errors import UsageError
from medimg.types import Action, Box, Do, Finding, Plan, Polygon, Region
from medimg.vocabulary import Category, Kind, Reason

BY = "a person"
Why = Literal["shown", "not-a-face", "not-writing", "consent-allows"]
WHY: dict[Why, Reason] = {
    "shown": Reason.SHOWN,
    "not-a-face": Reason.NO_FACE,
    "not-writing": Reason.NO_WRITING,
    "consent-allows": Reason.FACE_SHOWN,
}
"""What may be said for showing an area: fixed words, because typed ones could name somebody."""
_FACES = ("not-a-face", "consent-allows")


def numbered(plan: Plan) -> list[tuple[int, int, Action]]:
    """What can be seen in the picture: its number on the record sheet, its place in the plan, and the action."""
    places = [n for n, action in enumerate(plan.actions) if action.finding.region is not None]
    return [(number, place, plan.actions[place]) for number, place in enumerate(places, 1)]


def decided(plan: Plan, index: int, do: Do, why: str) -> Plan:
    """The plan with a person's decision about one finding."""
    return with_action(plan, index, msgspec.structs.replace(plan.actions[index], do=do, why=why, by="person"))


def shown(plan: Plan, number: int, why: Why) -> Plan:
    """The plan with an area shown, and why.

    Raises:
        UsageError: There is no such area, or the reason does not fit it.
    """
    place, action = area_of(plan, number)
    if why in _FACES and action.finding.kind != Kind.FACE:
        raise UsageError(f"area {number} is not a face.", todo="Say --why shown or --why not-writing.")
    if why == "not-writing" and action.finding.kind == Kind.FACE:
        raise UsageError(f"area {number} may be a face.", todo="Say --why not-a-face or --why consent-allows.")
    return decided(plan, place, "keep", WHY[why])


def covered(plan: Plan, number: int, *, carrier: bool = False) -> Plan:
    """The plan with an area covered; ``carrier``: it has to be a thing that bears writing.

    Raises:
        UsageError: There is no such area, or it is no such thing.
    """
    place, action = area_of(plan, number)
    if carrier and action.finding.kind != Kind.OBJECT:
        raise UsageError(f"area {number} is not a thing with writing on it.", todo="Use --area for other areas.")
    return decided(plan, place, "cover", Reason.COVERED)


def area_of(plan: Plan, number: int) -> tuple[int, Action]:
    """The place of an area in the plan, and what is done about it.

    Raises:
        UsageError: There is no such area.
    """
    rows = numbered(plan)
    found = next(((place, action) for n, place, action in rows if n == number), None)
    if found is None:
        raise UsageError(
            f"this photo has {len(rows) or 'no'} {'area' if len(rows) == 1 else 'areas'}.",
            todo="'medimg review RUN' lists them.",
        )
    return found


def left_alone(made: Plan, now: Plan) -> bool:
    """Whether a copy made by one plan shows the other as well: a person left as they are areas that were asked about.

    What is asked about is not covered, so such a copy need not be made again.
    """
    if made == now or len(made.actions) != len(now.actions):
        return False
    same = msgspec.structs.replace(now, actions=made.actions) == made
    return same and all(a == b or _left(a, b) for a, b in zip(made.actions, now.actions, strict=True))


def _left(made: Action, now: Action) -> bool:
    return (made.do, now.do, now.by) == ("ask", "keep", "person") and made.finding == now.finding


def drawn(plan: Plan, polygon: Polygon, why: str) -> Plan:
    """The plan with one more area, marked by a person, to be covered."""
    taken = {a.finding.id for a in plan.actions}
    name = next(f"d{n}" for n in range(1, len(taken) + 2) if f"d{n}" not in taken)
    finding = Finding(kind=Kind.DRAWN, category=Category.AREA, detector=BY, region=Region(polygon), id=name)
    return msgspec.structs.replace(
        plan, actions=(*plan.actions, Action(finding=finding, do="cover", why=why, by="person"))
    )


def cropped(plan: Plan, box: Box | None) -> Plan:
    """The plan with a crop, or without one."""
    return msgspec.structs.replace(plan, crop=box)


def with_action(plan: Plan, index: int, action: Action) -> Plan:
    """The plan with one action in the place of another."""
    return msgspec.structs.replace(plan, actions=(*plan.actions[:index], action, *plan.actions[index + 1 :]))


__all__ = [
    "BY",
    "WHY",
    "Why",
    "area_of",
    "covered",
    "cropped",
    "decided",
    "drawn",
    "left_alone",
    "numbered",
    "shown",
    "with_action",
]
