"""The part of the judge that decodes the written copy, compares it with the original and looks at it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medimg import formats
from medimg._opencv import cv2
from medimg.detect import Detector, Frame
from medimg.errors import CheckNotRun, MedimgError
from medimg.policy import Policy, decide
from medimg.redact.cover import mask
from medimg.types import Check, Copy, Finding, KnownValues, Plan, Polygon, Region
from medimg.verify import outcome


def pixels(original: formats.Opened, written: formats.Opened, copy: Copy) -> Check:
    """Are the covers flat, and is every sample outside them the original's?

    A copy in a format with chroma subsampling has a fringe of ``copy.fringe`` pixels on both sides of a cover's
    edge, where the decoder mixes chroma; it is left out of both comparisons.
    """
    before, after = original.samples(), written.samples()
    height, width = before.shape[:2]
    if before.shape[:2] != after.shape[:2]:
        return Check(name="pixels", state="failed", engine="compare", detail="the size changed")
    covered = mask(copy.covered, width, height)
    inside, outside = _eroded(covered, copy.fringe), _eroded(~covered, copy.fringe)
    uneven = _steps(after, inside)
    if uneven:
        return Check(name="pixels", state="failed", engine="compare", found=uneven, detail="a cover is not flat")
    if not copy.lossless:
        return Check(
            name="pixels",
            state="passed",
            engine="compare",
            detail="re-encoded: only the covers were compared",
        )
    if before.shape != after.shape or before.dtype != after.dtype:
        return Check(name="pixels", state="failed", engine="compare", detail="the kind of samples changed")
    changed = before != after
    if changed.ndim == 3:
        changed = changed.any(axis=2)
    moved = int(np.count_nonzero(changed & outside))
    if moved:
        return Check(name="pixels", state="failed", engine="compare", found=moved, detail="pixels outside changed")
    return Check(name="pixels", state="passed", engine="compare", detail="equal outside the covers, flat inside")


def _steps(samples: NDArray[Any], inside: NDArray[np.bool_]) -> int:
    """How many neighbouring pairs of pixels inside the covers differ."""
    if not inside.any():
        return 0
    total = 0
    for a, b, both in (
        (samples[:, :-1], samples[:, 1:], inside[:, :-1] & inside[:, 1:]),
        (samples[:-1], samples[1:], inside[:-1] & inside[1:]),
    ):
        total += int(np.count_nonzero(a[both] != b[both]))
    return total


def _eroded(area: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The area without its outermost ``by`` pixels; the picture's own edge is no edge of an area."""
    if not by or area.all():
        return area
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return cast("NDArray[np.bool_]", cv2.erode(area.astype(np.uint8), kernel).astype(bool))


def content(
    written: formats.Opened,
    copy: Copy,
    detectors: Sequence[Detector],
    plan: Plan,
    policy: Policy,
    known: KnownValues,
) -> tuple[list[Check], list[Finding]]:
    """Look at the written picture again with every detector.

    Returns:
        The checks, and what was found that neither the policy nor a person's decision in ``plan`` keeps.

    Raises:
        CheckNotRun: A detector raised.
    """
    checks: list[Check] = []
    left: list[Finding] = []
    kept = [a.finding.region for a in plan.doing("keep") if a.by == "person" and a.finding.region]
    for view in written.views():
        frame = Frame(view, written.orientation)
        upright: list[Polygon] = [frame.upright(p) for p in copy.covered]
        for detector in detectors:
            try:
                found, engine = detector.recheck(frame, upright, known)
            except MemoryError:
                raise
            except Exception as error:
                raise CheckNotRun(f"the {detector.name} check of the written copy did not run.") from error
            again = decide(found, policy, width=written.width, height=written.height)
            bad = [a.finding for a in again.doing("cover", "hold") if not _decided(a.finding, kept)]
            left.extend(bad)
            checks.append(outcome(detector.name, engine, bad))
    return checks, left


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
        return [Check(name=d.name, engine=d.version, state="not-run", detail=error.what) for d in detectors]
    return [_looked(d, frames, opened, policy, known) for d in detectors]


def _looked(
    detector: Detector, frames: Sequence[Frame], opened: formats.Opened, policy: Policy, known: KnownValues
) -> Check:
    found = 0
    engines = {detector.version: None}
    for frame in frames:
        try:
            first = detector.find(frame, known)
            second, engine = detector.recheck(frame, (), known)
        except Exception as error:  # noqa: BLE001 - whatever it was, the check did not run
            return Check(name=detector.name, engine=detector.version, state="not-run", detail=type(error).__name__)
        engines[engine] = None
        looks = [decide(look, policy, width=opened.width, height=opened.height) for look in (first, second)]
        found += max(len(plan.doing("cover", "hold", "ask")) for plan in looks)
    return Check(name=detector.name, engine=", ".join(engines), state="failed" if found else "passed", found=found)


def _decided(finding: Finding, kept: Sequence[Region]) -> bool:
    """Whether a person has looked at this place and kept it."""
    if finding.region is None:
        return False
    box = finding.region.box
    return any(box.overlap(region.box) >= 0.8 * box.area for region in kept)
