"""The part of the judge that decodes the written copy, compares it with the original and looks at it again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg import faults, formats, geometry
from medimg.covers import cover_polygon
from medimg.detect import Detector, Frame
from medimg.detect.answers import Answers
from medimg.detect.found import findings
from medimg.detect.objects import carriers
from medimg.errors import CheckNotRun, MedimgError
from medimg.native.opencv import cv2
from medimg.native.threads import each
from medimg.policy import Policy, decide
from medimg.redact.cover import mask
from medimg.types import Action, Box, Check, Copy, Finding, KnownValues, Plan, Polygon
from medimg.verify import outcome, plain
from medimg.vocabulary import Category, CheckName, CheckState, Kind

BAND = 64
"""Rows compared at a time: what they take stays in the processor's cache."""
SAME_PLACE = 0.8
"""Least share of what the second look finds that lies in the place a person kept, for it to be the same thing."""
SAME_HEIGHT = {"text": 0.33}
"""Least height of it as a share of that of the kept thing (0.6 for other kinds): the lines of a label that was kept as
one are found singly, but a name inside something large that a person said is no writing was not looked at."""
ALIKE = 36
"""Decibels (peak signal-to-noise ratio): a copy that was saved again and is further from its original in any band of
rows is held. JPEG at quality 98 lay above 48 on the photographs tried (``benchmarks/cover_formats.py``)."""


def pixels(original: formats.Opened, written: formats.Opened, copy: Copy, crop: Box | None = None) -> Check:
    """Are the covers flat, is every sample outside them the original's, and is nothing outside the crop left?

    A copy in a format with chroma subsampling has a fringe of ``copy.fringe`` pixels on both sides of a cover's
    edge, and inside a crop's edge, where the decoder mixes chroma; it is left out of both comparisons.

    Rows are compared a band at a time, so the cost is that of reading both pictures once and no picture-sized
    arrays are made but one byte a pixel.

    Args:
        original: The photo.
        written: The copy, opened from what is on disk.
        copy: How it was made.
        crop: The box that was to be kept; None for all.
    """

    def check(state: CheckState, detail: str, found: int = 0) -> Check:
        return Check(name=CheckName.PIXELS, state=state, engine="compare", found=found, detail=detail)

    before, after = original.samples(), written.samples()
    sure = Box(0, 0, after.shape[1], after.shape[0])
    if crop is not None or copy.cropped is not None:
        whole = Box(0, 0, before.shape[1], before.shape[0])
        asked, kept = (crop or whole).clipped(whole.x1, whole.y1), copy.cropped or whole
        if asked.overlap(kept) != kept.area or whole.overlap(kept) != kept.area:
            return check(CheckState.FAILED, "more than the crop was kept")
        before = before[kept.y0 : kept.y1, kept.x0 : kept.x1]
        sure = _within(kept, whole, copy.fringe)
    if before.shape[:2] != after.shape[:2]:
        return check(CheckState.FAILED, "the size changed")
    after = _with_alpha(after, before)
    same_kind = before.shape == after.shape and before.dtype == after.dtype
    if copy.lossless and not same_kind:
        return check(CheckState.FAILED, "the kind of samples changed")
    uneven, moved = _differences(before, after, copy, sure)
    if uneven:
        return check(CheckState.FAILED, "a cover is not flat", uneven)
    if not copy.lossless:
        if before.shape != after.shape:
            return check(CheckState.FAILED, "the kind of samples changed")
        if unlike := _unlike_bands(before, after, copy):
            return check(CheckState.FAILED, "the picture outside the covers looks different", unlike)
        return check(
            CheckState.PASSED, f"saved again: flat inside the covers, at least {ALIKE} dB like the original outside"
        )
    if moved:
        return check(CheckState.FAILED, "pixels outside changed", moved)
    return check(CheckState.PASSED, "equal outside the covers, flat inside")


def _unlike_bands(before: NDArray[Any], after: NDArray[Any], copy: Copy) -> int:
    """Bands of rows whose peak signal-to-noise ratio outside the covers is below :data:`ALIKE`."""
    height, width = after.shape[:2]
    outside = _eroded(~mask(copy.covered, width, height), copy.fringe)
    low = 0
    for start in range(0, height, BAND):
        rows = slice(start, start + BAND)
        if not outside[rows].any():
            continue
        error = (_to_eight(before[rows]) - _to_eight(after[rows]))[outside[rows]]
        low += float(np.mean(np.square(error))) > 255**2 / 10 ** (ALIKE / 10)
    return low


def _to_eight(samples: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(samples * np.float32(255 / np.iinfo(samples.dtype).max), np.float32)


def _with_alpha(after: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
    """The copy with opaque alpha where only the original has alpha: covers or a crop may take the last hole away."""
    channels = 1 if after.ndim == 2 else after.shape[2]
    if channels not in (1, 3) or before.ndim != 3 or before.shape[2] != channels + 1 or before.dtype != after.dtype:
        return after
    full = np.full(after.shape[:2], np.iinfo(after.dtype).max, after.dtype)
    return np.dstack((after, full))


def _within(kept: Box, whole: Box, fringe: int) -> Box:
    """The part of a crop that no fringe along its cut sides reaches, in the crop's coordinates."""
    return Box(
        fringe * (kept.x0 > 0),
        fringe * (kept.y0 > 0),
        kept.width - fringe * (kept.x1 < whole.x1),
        kept.height - fringe * (kept.y1 < whole.y1),
    )


def _differences(before: NDArray[Any], after: NDArray[Any], copy: Copy, sure: Box) -> tuple[int, int]:
    """Pairs of neighbours that differ inside the covers, and pixels of ``sure`` that changed outside them."""
    height, width = after.shape[:2]
    covered = mask(copy.covered, width, height)
    uneven = moved = 0
    for start in range(0, height, BAND):
        end = min(start + BAND, height)
        last = min(end + 1, height)  # one row more, for the pairs across bands
        low, high = max(start - copy.fringe, 0), min(last + copy.fringe, height)
        band = covered[low:high]
        rows, columns = slice(max(start, sure.y0), min(end, sure.y1)), slice(sure.x0, sure.x1)
        a, b = (before[rows, columns], after[rows, columns]) if copy.lossless else (after[:0], after[:0])
        if not band.any():
            if not np.array_equal(a, b):
                moved += int(np.count_nonzero(_unlike(a, b)))
            continue
        inside = _eroded(band, copy.fringe)[start - low : last - low]
        uneven += _steps(after[start:last], inside, end - start)
        if copy.lossless:
            outside = _eroded(~band, copy.fringe)[rows.start - low : rows.stop - low, columns]
            moved += int(np.count_nonzero(_unlike(a, b) & outside))
    return uneven, moved


def _unlike(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels with any sample that differs, (H, W)."""
    differ: NDArray[np.bool_] = a != b
    if differ.ndim == 2:
        return differ
    out = differ[..., 0].copy()
    for k in range(1, differ.shape[2]):  # numpy's any() along a short last axis is several times slower
        out |= differ[..., k]
    return out


def _steps(samples: NDArray[Any], inside: NDArray[np.bool_], rows: int) -> int:
    """How many neighbouring pairs of pixels inside the covers differ, beside each other in the first ``rows``."""
    columns = np.flatnonzero(inside.any(axis=0))
    if not columns.size:
        return 0
    some = slice(int(columns[0]), int(columns[-1]) + 1)
    samples, inside = samples[:, some], inside[:, some]
    total = 0
    for a, b, both in (
        (samples[:rows, :-1], samples[:rows, 1:], inside[:rows, :-1] & inside[:rows, 1:]),
        (samples[:-1], samples[1:], inside[:-1] & inside[1:]),
    ):
        total += int(np.count_nonzero(_unlike(a, b) & both))
    return total


def _eroded(area: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The area without its outermost ``by`` pixels; the picture's own edge is no edge of an area."""
    if not by or area.all():
        return area
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return cast("NDArray[np.bool_]", cv2.erode(area.view(np.uint8), kernel).view(np.bool_))


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
    for view in written.views():
        frame = Frame(view, written.orientation, answers=answers)
        upright: list[Polygon] = [frame.upright(p) for p in copy.covered]
        looks = each(partial(_rechecked, frame, upright, known), detectors)
        for detector, (found, engine) in zip(detectors, looks, strict=True):
            bad = [
                f
                for f in _left(frame, found, written, copy, policy)
                if not _decided(f, kept, policy)
                and not _decided(f, [s for s in settled if _says_no_more(f, s)], policy)
            ]
            left.extend(bad)
            checks.append(outcome(detector.name, engine, bad))
    return checks, left


def _left(frame: Frame, found: Sequence[Finding], written: formats.Opened, copy: Copy, policy: Policy) -> list[Finding]:
    """What of the second look is to be covered, held, or asked about by what it lies on; as the original lies."""
    width, height = written.width, written.height
    if not decide(found, policy, width=width, height=height).doing("cover", "hold"):
        return []
    again = decide(carriers.placed(frame, found), policy, width=width, height=height)
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
        detail=f"{bars} taken for a cover: of one grey, with nothing in it" if bars else "",
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
