"""The areas of a photo about which a person has to decide: number, kind, and where each lies in words."""

from __future__ import annotations

from pathlib import Path

import msgspec

from medimg import geometry
from medimg.run import decisions, pictures, plans
from medimg.run.opened import OpenRun
from medimg.types import Action, Box, Plan, bounding_box
from medimg.vocabulary import Kind

_SMALL = 64
"""Longest side, in pixels, at which a copy is drawn to learn how it is turned."""
_DOWN = ("top", "middle", "bottom")
_ACROSS = ("left", "middle", "right")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An area of a copy about which a person has to decide: its number, and where it is in words."""

    number: int
    kind: Kind
    category: str
    where: str = ""


def asked(opened: OpenRun) -> dict[str, tuple[Asked, ...]]:
    """Safe id -> the areas of its copy about which nobody decided so far.

    Raises:
        UsageError: The decisions cannot be read.
    """
    decided = decisions.load(opened.folder)
    known = decided.plans if decided else {}
    out = {}
    for report in opened.reports:
        plan = known.get(report.safe_id, report.plan)
        if report.copy is not None and plan is not None and plan.undecided():
            out[report.safe_id] = _asked(plan, turned(opened.copy_of(report)))
    return out


def _asked(plan: Plan, turned: int) -> tuple[Asked, ...]:
    wanted = set(plan.undecided())
    return tuple(
        Asked(
            number=number,
            kind=action.finding.kind,
            category=action.finding.category,
            where=_where(plan, action, turned),
        )
        for number, _, action in plans.numbered(plan)
        if number in wanted
    )


def _where(plan: Plan, action: Action, turned: int) -> str:
    """In which ninth of the picture the middle of an area is."""
    box = _upright(plan, action, turned)
    if box is None:
        return ""
    whole = plan.crop or Box(0, 0, plan.width, plan.height)
    seen = bounding_box(geometry.to_upright(whole.polygon, plan.width, plan.height, turned))
    down = _third((box.y0 + box.y1) / 2 - seen.y0, seen.height)
    across = _third((box.x0 + box.x1) / 2 - seen.x0, seen.width)
    return " ".join(dict.fromkeys((_DOWN[down], _ACROSS[across])))


def _third(at: float, length: int) -> int:
    return min(max(int(3 * at / max(length, 1)), 0), 2)


def _upright(plan: Plan, action: Action, turned: int) -> Box | None:
    region = action.finding.region
    if region is None or not turned:
        return None
    return bounding_box(geometry.to_upright(region.box.polygon, plan.width, plan.height, turned))


def turned(copy: Path | None) -> int:
    """The orientation of a copy, which is that of its original; 0 when there is none."""
    try:
        drawn = pictures.draw(copy.read_bytes(), _SMALL) if copy is not None else None
    except OSError:
        return 0
    return drawn[3] if drawn else 0


__all__ = ["Asked", "asked", "turned"]
