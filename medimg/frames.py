"""The way through for a file whose frames are kept: every frame is a photo of its own.

Each goes through :func:`medimg.pipeline.scrub` as a still, with every check of a still. What passed is put together
without being decoded again, and the file on disk is taken apart and compared with what passed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from medimg import formats, pipeline
from medimg.errors import CheckFailed, UsageError
from medimg.formats import sequence
from medimg.policy import Policy
from medimg.types import Action, Check, Copy, CopySummary, Finding, KnownValues, Limits, Plan, Region, Report
from medimg.verify import outcome
from medimg.vocabulary import PASSING, PhotoState, Reason

if TYPE_CHECKING:
    from medimg.detect import Detector

KEPT = "frames-kept"
"""The note of a copy that holds every frame."""


def look(series: sequence.Series, detectors: Sequence[Detector], policy: Policy, known: KnownValues) -> list[Finding]:
    """What is found in the pictures of the frames.

    Raises:
        CheckNotRun: A detector raised.
    """
    found: list[Finding] = []
    for index, still in enumerate(series.stills):
        _, plan = pipeline.inspect(still, detectors, _one(policy), known=known)
        found += [_moved(a.finding, index) for a in plan.actions]
    return found


def scrub(
    series: sequence.Series,
    sink: pipeline.Sink,
    detectors: Sequence[Detector],
    policy: Policy,
    *,
    plan: Plan,
    known: KnownValues,
    report: Report,
) -> Report:
    """Every frame covered, written and judged; then all of them in one file.

    Args:
        series: The frames of the photo.
        sink: Where the copy goes.
        detectors: Loaded detectors.
        policy: The settings.
        plan: Actions for all frames; what is covered in one frame of an animation is covered in all.
        known: Values the caller knows.
        report: What is known of the photo so far.

    Returns:
        The report with the plan as it was carried out; that of the first frame that did not pass, if one did not.

    Raises:
        CheckFailed: The file does not hold exactly the frames that passed.
        UsageError: A crop is asked for on pages, which may differ in size.
    """
    if plan.crop is not None and not series.aligned:
        raise UsageError("pages are cropped one by one: take them apart first.")
    for _ in range(policy.verify.rounds + 1):
        passed, sinks, asked = [], [], []
        for index, still in enumerate(series.stills):
            size = formats.open_photo(still, policy.limits)
            own = msgspec.structs.replace(
                plan, width=size.width, height=size.height, actions=_own(plan, index, series.aligned)
            )
            memory = pipeline.MemorySink()
            one = pipeline.scrub(still, memory, detectors, _one(policy), known=known, plan=own)
            if one.state != PhotoState.UNREVIEWED:
                return msgspec.structs.replace(
                    report, state=one.state, plan=plan, checks=one.checks, error_code=one.error_code,
                    exit_code=one.exit_code, reason=f"frame {index + 1} of {len(series.stills)}: {one.reason}",
                )  # fmt: skip
            asked.append(len(own.actions))
            passed.append(one)
            sinks.append(memory)
        wider = _with_new(plan, passed, asked)
        settled = wider is plan or not series.aligned
        plan = wider
        if settled:
            break
    return _together(series, sink, passed, [s.data for s in sinks], msgspec.structs.replace(report, plan=plan))


def sizes(series: sequence.Series, limits: Limits) -> tuple[tuple[int, int], ...]:
    """Width and height of each frame; the pages of a TIFF file may differ."""
    return tuple((still.width, still.height) for still in (formats.open_photo(s, limits) for s in series.stills))


def _one(policy: Policy) -> Policy:
    """The policy for a still."""
    return msgspec.structs.replace(policy, metadata=msgspec.structs.replace(policy.metadata, keep_frames=False))


def _moved(finding: Finding, frame: int) -> Finding:
    if finding.region is None:
        return finding
    return msgspec.structs.replace(finding, region=Region(polygon=finding.region.polygon, frame=frame))


def _own(plan: Plan, index: int, aligned: bool) -> tuple[Action, ...]:
    """The actions for one frame, in the coordinates of a still."""
    out = []
    for action in plan.actions:
        region = action.finding.region
        if region is None:
            continue
        if region.frame == index or (aligned and action.do == "cover"):
            out.append(msgspec.structs.replace(action, finding=_moved(action.finding, 0)))
    return tuple(out)


def _with_new(plan: Plan, passed: Sequence[Report], asked: Sequence[int]) -> Plan:
    """The plan with what the second looks at the frames added; the same plan when they added nothing.

    Args:
        plan: The plan of all frames.
        passed: The report of each frame.
        asked: How many actions each frame was given; those after them are new.
    """
    new = [
        _moved(action.finding, index)
        for index, (one, count) in enumerate(zip(passed, asked, strict=True))
        if one.plan is not None
        for action in one.plan.actions[count:]
    ]
    if not new:
        return plan
    named = (msgspec.structs.replace(f, id=f"f{n}") for n, f in enumerate(new, len(plan.actions) + 1))
    more = (Action(finding=f, do="cover", why=Reason.SECOND_LOOK) for f in named)
    return msgspec.structs.replace(plan, actions=(*plan.actions, *more))


def _together(
    series: sequence.Series,
    sink: pipeline.Sink,
    passed: Sequence[Report],
    stills: Sequence[bytes],
    report: Report,
) -> Report:
    """The frames that passed, in one file that is read back, taken apart and compared with them."""
    parts = [one.copy for one in passed if one.copy is not None]
    covered = tuple(dict.fromkeys(p for part in parts for p in part.covered))
    first = parts[0]
    notes = (KEPT, *(("format-changed",) if series.format != report.format else ()))
    copy = Copy(
        data=series.joined(stills), format=series.format, suffix=".png" if series.aligned else ".tif",
        width=first.width, height=first.height, lossless=all(p.lossless for p in parts), method="samples",
        covered=covered, notes=notes + ("cropped",) * bool(first.cropped), cropped=first.cropped,
    )  # fmt: skip
    written = sink.stage(copy)
    checks = (*_of_all(c for one in passed for c in one.checks), *_joined_right(series, written, stills))
    if any(c.state not in PASSING for c in checks):
        sink.discard()
        raise CheckFailed("the written copy does not hold exactly the frames that passed.")
    return msgspec.structs.replace(
        report,
        state=PhotoState.UNREVIEWED,
        checks=checks,
        copy=CopySummary(
            name=sink.release(), format=copy.format, bytes=len(copy.data),
            sha256=hashlib.sha256(copy.data).hexdigest(), width=copy.width, height=copy.height,
            lossless=copy.lossless, method=copy.method, covered=covered, notes=copy.notes, cropped=copy.cropped,
        ),
    )  # fmt: skip


def _of_all(checks: Iterable[Check]) -> list[Check]:
    """One check of each name: the worst of all frames."""
    order = ("passed", "not-asked", "not-run", "failed")
    out: dict[str, Check] = {}
    for check in checks:
        before = out.get(check.name)
        if before is None or order.index(check.state) > order.index(before.state):
            out[check.name] = check
    return list(out.values())


def judge(
    opened: formats.Opened, policy: Policy, one_picture: Callable[[bytes, Policy], Sequence[Check]]
) -> tuple[Check, ...]:
    """The checks of a file of several frames: whether they are all there is, and those of each.

    Args:
        opened: The file, any animation or pages.
        policy: The settings.
        one_picture: Judges a still under a policy.

    Raises:
        CheckNotRun: The frames cannot be told apart.
    """
    series = sequence.split(opened, policy.limits, keep_profile=policy.metadata.keep_profile)
    apart = series.taken_apart(opened.data) if opened.name == series.format else []
    checks = [check for still in apart or series.stills for check in one_picture(still, _one(policy))]
    joined = bool(apart) and series.joined(apart) == opened.data
    return (*_of_all(checks), outcome("frames", "taken apart", [] if joined else ["frames"]))


def _joined_right(series: sequence.Series, written: bytes, stills: Sequence[bytes]) -> list[Check]:
    """Nothing but the frames in the file, byte for byte; and another reader sees the same pictures in it."""
    apart = series.taken_apart(written)
    strays = [] if apart == list(stills) and series.joined(apart) == written else ["frames"]
    shown = list(sequence.seen(written))
    alike = len(shown) == len(stills) and all(
        np.array_equal(frame, next(sequence.seen(still))) for frame, still in zip(shown, stills, strict=True)
    )
    return [
        outcome("frames", "taken apart", strays),
        outcome("frames-shown", "Pillow", [] if alike else ["frames"]),
    ]
