"""What a person decides about one photo of a run, without the window: cover, show, crop.

A decision is written to ``decisions.json`` and waits until it is applied (:mod:`medimg.engine.apply`). Areas have the
numbers of the record sheet. Boxes count the pixels of the picture as a viewer shows it, upright.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from medimg import geometry
from medimg.errors import MedimgError, UsageError
from medimg.policy import Policy
from medimg.report import refresh
from medimg.run import areas, choices, decisions, originals, plans, scan
from medimg.run.opened import OpenRun, open_run
from medimg.run.plans import Why
from medimg.types import Action, Box, Plan, Report, bounding_box
from medimg.vocabulary import Choice, Kind, PhotoState, Reason
from medimg.words import Table, said

_KINDS = Table({k: k.english for k in Kind})


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person can do about an area, and what a button for it says."""

    choice: Choice
    words: str


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """One area of a photo, as a person reads of it; ``box`` is x, y, width and height in the upright picture.

    ``choices`` is what can be done about it with one click.
    """

    number: int
    kind: str
    category: str
    do: str
    why: str
    by: str
    box: tuple[int, int, int, int] | None
    choices: tuple[Offered, ...] = ()


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """One photo of a run, as a person looks at it.

    Attributes:
        safe_id: Its safe id.
        state: Of its report.
        reason: Why it is held.
        copy: Path of its copy, readable; empty when there is none.
        areas: What can be seen, and what was decided; harmless finds as well.
        asked: Numbers of the areas about which a person has to decide.
        waits: A decision is not applied yet.
        looked: A person opened the copy at full size.
    """

    safe_id: str
    state: str
    reason: str
    copy: str
    areas: tuple[Area, ...]
    asked: tuple[int, ...]
    waits: bool
    looked: bool


def photos(opened: OpenRun) -> list[Photo]:
    """Every photo of a run but the refused, those that need a decision first.

    Raises:
        UsageError: The decisions cannot be read.
    """
    decided = decisions.load(opened.folder)
    waiting = set(decisions.waiting(decided, opened.reports))
    looked = {a.subject for a in opened.state.answers if a.item == "img.person-looked" and a.choice == "yes"}
    seen = [_photo(opened, r, decided, waiting, looked) for r in opened.reports if r.state != PhotoState.REFUSED]
    return sorted(seen, key=lambda p: (p.state != PhotoState.HELD, not p.asked, p.safe_id))


def _photo(
    opened: OpenRun, report: Report, decided: decisions.Decisions | None, waiting: set[str], looked: set[str]
) -> Photo:
    plan = decided.plans.get(report.safe_id, report.plan) if decided else report.plan
    copy = opened.copy_of(report)
    turned = areas.turned(copy)
    asked = {id(a) for a in plan.doing("ask", "hold")} if plan else set()
    rows = plans.numbered(plan) if plan else []
    return Photo(
        safe_id=report.safe_id,
        state=report.state,
        reason=said(report.reason),
        copy=scan.readable(os.fsencode(copy)) if copy else "",
        areas=tuple(_area(plan, number, action, turned) for number, _, action in rows) if plan else (),
        asked=tuple(number for number, _, action in rows if id(action) in asked),
        waits=report.safe_id in waiting,
        looked=report.safe_id in looked,
    )


def _area(plan: Plan, number: int, action: Action, turned: int) -> Area:
    found, box = action.finding, None
    if found.region is not None and turned:
        upright = bounding_box(geometry.to_upright(found.region.box.polygon, plan.width, plan.height, turned))
        box = (upright.x0, upright.y0, upright.width, upright.height)
    return Area(
        number=number,
        kind=_KINDS[found.kind],
        category=found.category,
        do=action.do,
        why=said(action.why),
        by=action.by,
        box=box,
        choices=tuple(Offered(choice=c, words=c.words) for c in choices.of(plan, action, Policy.load())),
    )


def cover_box(run: Path, safe_id: str, box: tuple[int, int, int, int], places: Sequence[Path] = ()) -> None:
    """Cover one more area.

    Args:
        run: The run folder.
        safe_id: Of the photo.
        box: x, y, width and height in the upright picture.
        places: Where the original may be; needed for a photo that has no copy.

    Raises:
        UsageError: It is no photo of the run, or the box does not lie in it.
    """
    opened, report, plan = _photo_of(run, safe_id)
    stored = _stored(opened, report, plan, box, places)
    _put(opened, safe_id, plans.drawn(plan, stored.polygon, Reason.COVERED))


def cover_area(run: Path, safe_id: str, number: int, *, carrier: bool = False) -> None:
    """Cover an area that was found.

    Args:
        run: The run folder.
        safe_id: Of the photo.
        number: Of the area.
        carrier: It has to be a thing that bears writing: all of it is covered.

    Raises:
        UsageError: There is no such photo or area, or it is no such thing.
    """
    opened, _, plan = _photo_of(run, safe_id)
    _put(opened, safe_id, plans.covered(plan, number, carrier=carrier))


def choose(run: Path, safe_id: str, number: int, choice: Choice) -> None:
    """Do one of the things that can be done about an area with one click.

    Raises:
        UsageError: There is no such photo or area, or the area does not have this choice.
    """
    opened, _, plan = _photo_of(run, safe_id)
    place, action = plans.area_of(plan, number)
    margins = Policy.load()
    if choice not in choices.of(plan, action, margins):
        raise UsageError(f"area {number} does not have this choice.", todo="'medimg review RUN' lists those it has.")
    _put(opened, safe_id, choices.taken(plan, place, choice, margins))


def show_area(run: Path, safe_id: str, number: int, why: Why) -> bool:
    """Show an area that was found; of a thing that bears writing, its lines are then decided one by one.

    Returns:
        Whether the copy shows it so already, as it does where an area was asked about: nothing is to be applied then.

    Raises:
        UsageError: There is no such photo or area, or the reason does not fit it.
    """
    opened, _, plan = _photo_of(run, safe_id)
    return _put(opened, safe_id, plans.shown(plan, number, why))


def crop(run: Path, safe_id: str, box: tuple[int, int, int, int] | None, places: Sequence[Path] = ()) -> None:
    """Keep only a part of the picture, or all of it again.

    Args:
        run: The run folder.
        safe_id: Of the photo.
        box: x, y, width and height in the upright picture; None for all of it.
        places: Where the original may be; needed for a photo that has no copy.

    Raises:
        UsageError: It is no photo of the run, or the box does not lie in it.
    """
    opened, report, plan = _photo_of(run, safe_id)
    stored = _stored(opened, report, plan, box, places) if box is not None else None
    _put(opened, safe_id, plans.cropped(plan, stored))


def _photo_of(run: Path, safe_id: str) -> tuple[OpenRun, Report, Plan]:
    opened = open_run(run)
    report = next((r for r in opened.reports if r.safe_id == safe_id), None)
    if report is None:
        raise UsageError("there is no such photo in this run.", todo="'medimg review RUN' lists them.")
    decided = decisions.load(opened.folder)
    plan = decided.plans.get(safe_id) if decided else None
    if plan is None:
        raise UsageError("nothing can be decided about this photo.", todo="'medimg review RUN' says why.")
    return opened, report, plan


def _put(opened: OpenRun, safe_id: str, plan: Plan) -> bool:
    """Keep a plan. Where the copy shows it already it is settled, and the sheets say so."""
    settled = decisions.put(opened.folder, opened.state, opened.reports, {safe_id: plan})
    if settled:
        now = open_run(opened.folder)
        refresh(now.state, now.reports, now.folder)
    return settled


def _stored(opened: OpenRun, report: Report, plan: Plan, box: tuple[int, int, int, int], places: Sequence[Path]) -> Box:
    """A box of the upright picture in stored coordinates, cut off at the picture's edges."""
    turned = areas.turned(opened.copy_of(report)) if plan.crop is None else 0
    turned = turned or _turned_original(report, places)
    x, y, width, height = box
    polygon = Box(x, y, x + width, y + height).polygon
    stored = bounding_box(geometry.to_stored(polygon, plan.width, plan.height, turned))
    inside = stored.clipped(plan.width, plan.height)
    if min(width, height) < 1 or min(inside.width, inside.height) < 1:
        across, down = geometry.upright_size(plan.width, plan.height, turned)
        raise UsageError(f"the box does not lie in the picture, which is {across} x {down} pixels.")
    return inside


def _turned_original(report: Report, places: Sequence[Path]) -> int:
    from medimg.engine import worker  # who only lists photos opens none
    from medimg.engine.pool import Workers
    from medimg.engine.worker import Job, Setup

    where = originals.find([report], places).get(report.safe_id)
    if where is None:
        raise UsageError(
            "the original was not found, and without it the box cannot be placed.", todo="Name PHOTOS as well."
        )
    light = msgspec.structs.replace(Policy.load(), scope="metadata-only")
    with Workers(Setup(policy=light), 1) as pool:
        job = Job(os.fsencode(where), report.safe_id)
        ((_, turned),) = pool.each(worker.orientation, [(job,)], seconds=light.limits.seconds)
    if isinstance(turned, MedimgError):
        raise turned
    return turned


__all__ = [
    "Area",
    "Offered",
    "Photo",
    "Why",
    "choose",
    "cover_area",
    "cover_box",
    "crop",
    "photos",
    "show_area",
]
