"""The way through for a file whose frames are kept: every frame is a photo of its own.

Each goes through :func:`medimg.still.scrub` as a still, with every check of a still. What passed is put together
without being decoded again, and the file on disk is taken apart and compared with what passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from medimg import formats, still
from medimg.errors import CheckFailed, UsageError
from medimg.formats import sequence
from medimg.policy import Policy
from medimg.types import Action, Check, Copy, Finding, KnownValues, Limits, Plan, Region, Report
from medimg.verify import outcome
from medimg.vocabulary import PASSING, PhotoState, Reason
from medimg.words import mark

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
    for index, frame in enumerate(series.stills):
        found += [_moved(f, index) for f in still.look(frame, detectors, one(policy), known)]
    return found


def scrub(
    series: sequence.Series,
    sink: still.Sink,
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
        for index, frame in enumerate(series.stills):
            size = formats.open_photo(frame, policy.limits)
            own = msgspec.structs.replace(
                plan, width=size.width, height=size.height, actions=_own(plan, index, series.aligned)
            )
            memory = still.MemorySink()
            done = still.scrub(frame, memory, detectors, one(policy), known=known, plan=own)
            if done.state != PhotoState.UNREVIEWED:
                return msgspec.structs.replace(
                    report, state=done.state, plan=plan, checks=done.checks, error_code=done.error_code,
                    exit_code=done.exit_code, reason=mark(f"frame {index + 1} of {len(series.stills)}: {done.reason}"),
                )  # fmt: skip
            asked.append(len(own.actions))
            passed.append(done)
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


def one(policy: Policy) -> Policy:
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
        for index, (done, count) in enumerate(zip(passed, asked, strict=True))
        if done.plan is not None
        for action in done.plan.actions[count:]
    ]
    if not new:
        return plan
    named = still.numbered(new, len(plan.actions) + 1)
    more = (Action(finding=f, do="cover", why=Reason.SECOND_LOOK) for f in named)
    return msgspec.structs.replace(plan, actions=(*plan.actions, *more))


def _together(
    series: sequence.Series,
    sink: still.Sink,
    passed: Sequence[Report],
    stills: Sequence[bytes],
    report: Report,
) -> Report:
    """The frames that passed, in one file that is read back, taken apart and compared with them."""
    parts = [done.copy for done in passed if done.copy is not None]
    covered = tuple(dict.fromkeys(p for part in parts for p in part.covered))
    first = parts[0]
    notes = (KEPT, *(("format-changed",) if series.format != report.format else ()))
    copy = Copy(
        data=series.joined(stills), format=series.format, suffix=".png" if series.aligned else ".tif",
        width=first.width, height=first.height, lossless=all(p.lossless for p in parts), method="samples",
        covered=covered, notes=notes + ("cropped",) * bool(first.cropped), cropped=first.cropped,
    )  # fmt: skip
    written = sink.stage(copy)
    checks = (*worst(c for done in passed for c in done.checks), *_joined_right(series, written, stills))
    if any(c.state not in PASSING for c in checks):
        sink.discard()
        raise CheckFailed("the written copy does not hold exactly the frames that passed.")
    return msgspec.structs.replace(
        report,
        state=PhotoState.UNREVIEWED,
        checks=checks,
        copy=still.summary(sink.release(), copy),
    )


def worst(checks: Iterable[Check]) -> list[Check]:
    """One check of each name: the worst of all frames."""
    order = ("passed", "not-asked", "not-run", "failed")
    out: dict[str, Check] = {}
    for check in checks:
        before = out.get(check.name)
        if before is None or order.index(check.state) > order.index(before.state):
            out[check.name] = check
    return list(out.values())


def apart(opened: formats.Opened, policy: Policy) -> tuple[Sequence[bytes], Check]:
    """The stills of a file of several frames, any animation or pages, and whether they are all there is in it.

    Raises:
        CheckNotRun: The frames cannot be told apart.
    """
    series = sequence.split(opened, policy.limits, keep_profile=policy.metadata.keep_profile)
    stills = series.taken_apart(opened.data) if opened.name == series.format else []
    joined = bool(stills) and series.joined(stills) == opened.data
    return stills or series.stills, outcome("frames", "taken apart", [] if joined else ["frames"])


def _joined_right(series: sequence.Series, written: bytes, stills: Sequence[bytes]) -> list[Check]:
    """Nothing but the frames in the file, byte for byte; and another reader sees the same pictures in it."""
    apart = series.taken_apart(written)
    strays = [] if apart == list(stills) and series.joined(apart) == written else ["frames"]
    shown = list(sequence.seen(written))
    alike = len(shown) == len(stills) and all(
        np.array_equal(frame, next(sequence.seen(data))) for frame, data in zip(shown, stills, strict=True)
    )
    return [
        outcome("frames", "taken apart", strays),
        outcome("frames-shown", "Pillow", [] if alike else ["frames"]),
    ]
