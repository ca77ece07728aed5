"""Changes a person makes to a plan, as functions of plans, for the window and the command line alike."""

from __future__ import annotations

import msgspec

from medimg.types import Action, Box, Do, Finding, Plan, Polygon, Region
from medimg.vocabulary import Category, Kind

BY = "a person"


def numbered(plan: Plan) -> list[tuple[int, int, Action]]:
    """What can be seen in the picture: its number on the record sheet, its place in the plan, and the action."""
    places = [n for n, action in enumerate(plan.actions) if action.finding.region is not None]
    return [(number, place, plan.actions[place]) for number, place in enumerate(places, 1)]


def decided(plan: Plan, index: int, do: Do, why: str) -> Plan:
    """The plan with a person's decision about one finding."""
    return with_action(plan, index, msgspec.structs.replace(plan.actions[index], do=do, why=why, by="person"))


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


__all__ = ["BY", "cropped", "decided", "drawn", "numbered", "with_action"]
