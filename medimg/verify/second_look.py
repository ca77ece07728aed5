"""The second look: every detector, run again on the copy as it was written, or twice on any picture."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np

from medimg import faults, formats, geometry
from medimg.covers import cover_polygon
from medimg.decide import decide
from medimg.detect import Detector, Frame
from medimg.detect.answers import Answers
from medimg.detect.found import findings
from medimg.detect.objects import carriers, screens
from medimg.errors import CheckNotRun, MedimgError
from medimg.native.opencv import cv2
from medimg.native.threads import each
from medimg.policy import Policy
from medimg.types import Action, Check, Copy, Finding, KnownValues, Plan, Polygon
from medimg.verify import outcome, plain
from medimg.vocabulary import Category, CheckState, Kind
from medimg.words import mark

SAME_PLACE = 0.8
"""Least share of what the second look finds that lies in the place a person kept, for it to be the same thing."""
LIKE = 0.75
"""Least share of the signs of a second reading that the first has in the same order, for it to be a worse one."""
SMALL = 128
"""Pixels of the longer side of a place in the map that is filled to see how much of it stays."""
MANY = 6
"""Figures of a scale in one place that were kept, from which a number read there is those figures, run together."""
FEW = 2
"""Signs that a figure of a scale may be misread as."""
SAME_HEIGHT = {"text": 0.33}
"""Least height of it as a share of that of the kept thing (0.6 for other kinds): the lines of a label that was kept as
one are found singly, but a name inside something large that a person said is no writing was not looked at."""


def content(
    written: formats.Opened,
    copy: Copy,
    detectors: Sequence[Detector],
    plan: Plan,
    policy: Policy,
    known: KnownValues,
    answers: Answers | None = None,
) -> tuple[list[Check], list[Finding]]:
    """Look at the written picture again with every detector.

    Args:
        written: The copy, opened from what is on disk.
        copy: How it was made.
        detectors: Loaded detectors.
        plan: What was decided.
        policy: The settings.
        known: Values the caller knows.
        answers: What networks said of pictures of the original: a network is not asked twice about equal ones.

    Returns:
        The checks, and what was found that neither the policy nor a person's decision in ``plan`` keeps, in the
        coordinates of the whole original.

    Raises:
        CheckNotRun: A detector raised.
    """
    checks: list[Check] = []
    left: list[Finding] = []
    kept = [a.finding for a in plan.doing("keep") if a.by == "person"]
    settled = [a.finding for a in plan.doing("keep", "ask") if _by_its_place(a)]
    stays = [a.finding for a in plan.doing("keep") if a.by == "rule" and a.finding.kind == Kind.TEXT]
    figures = [finding for finding in stays if finding.category == Category.RULER]
    for view in written.views():
        frame = Frame(view, written.orientation, answers=answers)
        upright: list[Polygon] = [frame.upright(p) for p in copy.covered]
        looks = each(partial(_rechecked, frame, upright, known), detectors)
        for detector, (found, engine) in zip(detectors, looks, strict=True):
            bad = [
                f
                for f in _left(frame, found, stays, written, copy, policy)
                if not _decided(f, kept, policy)
                and not _decided(f, [s for s in settled if _says_no_more(f, s)], policy)
                and not _of_a_scale(f, figures, policy)
                and not _read_worse(f, stays, policy)
            ]
            left.extend(bad)
            checks.append(outcome(detector.name, engine, bad))
    return checks, left


def _left(
    frame: Frame,
    found: Sequence[Finding],
    stays: Sequence[Finding],
    written: formats.Opened,
    copy: Copy,
    policy: Policy,
) -> list[Finding]:
    """What of the second look is to be covered, held, or asked about by what it lies on; as the original lies.

    That is told from what the first look read there and keeps too: a cover over part of a screen or a ruler would
    leave too little of it.
    """
    width, height = written.width, written.height
    if not decide(found, policy, width=width, height=height).doing("cover", "hold"):
        return []
    beside = [f for f in stays if copy.cropped is None and f.region and f.region.frame == frame.index]
    placed = carriers.placed(frame, [*found, *beside])
    placed[len(found) : len(found) + len(beside)] = []
    again = decide(placed, policy, width=width, height=height)
    return [
        _in_original(a.finding, copy)
        for a in again.actions
        if a.do in ("cover", "hold") or (a.do == "ask" and _by_its_place(a))
    ]


def _by_its_place(action: Action) -> bool:
    """Whether it stays, or is asked about, because of what it lies on."""
    finding = action.finding
    return finding.kind in (Kind.TEXT, Kind.CODE) and (action.do == "ask" or finding.category == Category.PRODUCT)


def _says_no_more(again: Finding, first: Finding) -> bool:
    """Whether a second look at something makes no more of it than the first.

    A date or number of a batch counts for one; what nobody could read has to stay so.
    """
    if first.category == Category.PRODUCT:
        return again.category in carriers.OF_A_BATCH or again.category == Category.UNREAD
    return again.category == Category.UNREAD if again.kind == Kind.TEXT else again.score < 1


def _read_worse(again: Finding, stays: Sequence[Finding], policy: Policy) -> bool:
    """Whether a second look makes nothing of what stays but a part of what the first read there.

    Args:
        again: What it found: in the place of one thing that stays, or of several that it takes for one line.
        stays: What the first look read and rules keep, in the coordinates of the original.
        policy: The settings.
    """
    said = _signs(again)
    if again.kind != Kind.TEXT or again.category not in (Category.UNKNOWN, Category.UNREAD):
        return False
    if not said:
        same = [f for f in stays if f.category == Category.UNIT and f.region and again.region and _lies_in(f, again)]
        return again.category == Category.UNREAD and _decided(again, same, policy)

    def much_of(first: str) -> bool:
        return len(said) <= len(first) and _alike(said, first) >= LIKE

    curves = [first for first in stays if first.category == Category.UNIT and screens.curve(first.secret.reveal())]
    if screens.curve(again.secret.reveal()) and _decided(again, curves, policy):
        return True
    if _decided(again, [first for first in stays if much_of(_signs(first))], policy):
        return True
    there = [first for first in stays if first.region and _lies_in(first, again)]
    there.sort(key=lambda first: geometry.centre(first.region.polygon if first.region else ()))
    every = "".join(map(_signs, there))
    return (len(said) <= FEW or much_of(every)) and _filled(again, there, policy)


def _filled(again: Finding, there: Sequence[Finding], policy: Policy) -> bool:
    """Whether covers over what stays would hide most of a place together."""
    polygon = np.asarray(again.region.polygon if again.region else (), np.float32)
    least, factor = polygon.min(axis=0), SMALL / max(float(np.ptp(polygon, axis=0).max()), 1.0)
    masks = np.zeros((2, SMALL + 1, SMALL + 1), np.uint8)
    whole = [(masks[0], polygon)]
    for mask, place in [*whole, *((masks[1], np.asarray(cover_polygon(f, policy), np.float32)) for f in there)]:
        cv2.fillPoly(mask, [np.round((place - least) * factor).astype(np.int32)], 1)
    return int((masks[0] & masks[1]).sum()) >= SAME_PLACE * max(int(masks[0].sum()), 1)


def _signs(finding: Finding) -> str:
    return "".join(c for c in finding.secret.reveal().casefold() if c.isalnum())


def _of_a_scale(again: Finding, figures: Sequence[Finding], policy: Policy) -> bool:
    """Whether a second look reads nothing but figures of a scale that stay, or a sign or two in the place of one.

    A cover over some of the figures leaves too few for a scale.

    Args:
        again: What it found.
        figures: What the first look took for the figures, in the coordinates of the original.
        policy: The settings.
    """
    said = "".join(c for c in again.secret.reveal() if c.isalnum())
    if again.kind != Kind.TEXT or again.region is None:
        return False
    if len(said) <= FEW and _decided(again, figures, policy):
        return True
    on = [f for f in figures if f.region and f.region.frame == again.region.frame and _lies_in(f, again)]
    box = again.region.box
    on.sort(key=lambda f: geometry.centre(f.region.polygon if f.region else ())[box.height > box.width])
    read = ["".join(c for c in f.secret.reveal() if c.isdigit()) for f in on]
    rows = ["".join(row) for row in (read, read[::-1])]
    return said.isdigit() and (any(said in row for row in rows) or _continued(said, read))


def _continued(said: str, read: Sequence[str]) -> bool:
    """Whether a number is nearly the figures of a scale run together: those that stay, and some before and after."""
    values = sorted({int(figure) for figure in read if figure})
    if len(values) < MANY:
        return False
    step = min(b - a for a, b in pairwise(values))
    row = "".join(str(values[0] + step * k) for k in range(-1, len(said)) if values[0] + step * k >= 0)
    return _alike(said, row[: len(said) + 1]) >= LIKE


def _alike(said: str, first: str) -> float:
    """Share of the signs of a second reading that stand in the first in the same order."""
    blocks = SequenceMatcher(None, said, first, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(said), 1)


def _lies_in(one: Finding, other: Finding) -> bool:
    """Whether most of a place lies in another."""
    own, place = (cv2.convexHull(np.asarray(f.region.polygon if f.region else (), np.float32)) for f in (one, other))
    return bool(cv2.intersectConvexConvex(own, place)[0] >= SAME_PLACE * cv2.contourArea(own))


def _rechecked(
    frame: Frame, covers: Sequence[Polygon], known: KnownValues, detector: Detector
) -> tuple[list[Finding], str]:
    try:
        found, engine = detector.recheck(frame, covers, known)
        return findings(found), engine
    except MemoryError:
        raise
    except CheckNotRun as error:
        raise CheckNotRun(f"the {detector.name} check of the written copy did not run: {error.what}") from error
    except Exception as error:
        raise faults.unexpected(f"the {detector.name} check of the written copy did not run", error) from error


def _in_original(finding: Finding, copy: Copy) -> Finding:
    """A finding of a cropped copy in the coordinates of the original."""
    if copy.cropped is None or finding.region is None:
        return finding
    polygon = geometry.moved(finding.region.polygon, copy.cropped.x0, copy.cropped.y0)
    return msgspec.structs.replace(finding, region=msgspec.structs.replace(finding.region, polygon=polygon))


def alone(opened: formats.Opened, detectors: Sequence[Detector], policy: Policy, known: KnownValues) -> list[Check]:
    """Every detector looks at every frame twice, the way it looks at an original and the way it looks at a copy.

    Returns:
        One check a detector: failed when either look found something the policy does not keep, or would ask about.
    """
    try:
        frames = [
            Frame(view, opened.orientation, index) for index in range(opened.frames) for view in opened.views(index)
        ]
    except MedimgError as error:
        return [Check(name=d.name, engine=d.version, state=CheckState.NOT_RUN, detail=error.what) for d in detectors]
    return [_looked(d, frames, opened, policy, known) for d in detectors]


def _looked(
    detector: Detector, frames: Sequence[Frame], opened: formats.Opened, policy: Policy, known: KnownValues
) -> Check:
    found = bars = 0
    engines = {detector.version: None}
    for frame in frames:
        try:
            first = findings(detector.find(frame, known))
            again, engine = detector.recheck(frame, (), known)
            second = findings(again)
        except Exception as error:  # noqa: BLE001 - whatever it was, the check did not run
            why = error.what if isinstance(error, CheckNotRun) else faults.kind(error)
            return Check(name=detector.name, engine=detector.version, state=CheckState.NOT_RUN, detail=why)
        engines[engine] = None
        looks = [decide(look, policy, width=opened.width, height=opened.height) for look in (first, second)]
        left = [[plain.is_cover(a.finding, frame) for a in plan.doing("cover", "hold", "ask")] for plan in looks]
        found += max(look.count(False) for look in left)
        bars += max(look.count(True) for look in left)
    return Check(
        name=detector.name,
        engine=", ".join(engines),
        state=CheckState.FAILED if found else CheckState.PASSED,
        found=found,
        detail=mark(f"{bars} taken for a cover: of one grey, with nothing in it") if bars else "",
    )


def _decided(finding: Finding, kept: Sequence[Finding], policy: Policy) -> bool:
    """Whether a person has looked at this very thing and kept it: same kind, same frame, same place."""
    return any(_same_thing(finding, one, policy) for one in kept)


def _same_thing(finding: Finding, kept: Finding, policy: Policy) -> bool:
    """Whether most of a finding lies where a cover over the kept one would lie, and it is not a mere detail of it."""
    if finding.region is None or kept.region is None or finding.kind != kept.kind:
        return False
    if finding.region.frame != kept.region.frame or min(len(finding.region.polygon), len(kept.region.polygon)) < 3:
        return False
    own, place, before = (
        cv2.convexHull(np.asarray(polygon, np.float32))
        for polygon in (finding.region.polygon, cover_polygon(kept, policy), kept.region.polygon)
    )
    high, high_before = (min(cv2.minAreaRect(hull)[1]) for hull in (own, before))
    if high < SAME_HEIGHT.get(finding.kind, 0.6) * high_before:
        return False
    return bool(cv2.intersectConvexConvex(own, place)[0] >= SAME_PLACE * cv2.contourArea(own))
