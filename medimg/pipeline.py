"""The one way through: bytes in, verified copy and report out.

The order of the stages stands in :func:`scrub` and :func:`medimg.still.covered` and is not configurable: *verify last*
is a safety rule. A photo is one picture or, where the policy keeps frames, several. Nothing here imports an imaging
library until a stage needs one, so a metadata-only run stays light.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medimg import formats, still, verify
from medimg._record import Record
from medimg.decide import decide
from medimg.policy import Policy
from medimg.still import MemorySink, Sink, refusal, statement
from medimg.types import NOTHING_KNOWN, Check, Finding, KnownValues, Plan, Report
from medimg.vocabulary import CONTENT_CHECKS, CheckState, PhotoState

if TYPE_CHECKING:
    from medimg.detect import Detector
    from medimg.formats.sequence import Series


def inspect(
    data: bytes,
    detectors: Sequence[Detector],
    policy: Policy,
    *,
    safe_id: str = "photo",
    known: KnownValues = NOTHING_KNOWN,
    extra: Sequence[Finding] = (),
) -> tuple[formats.Opened, Plan]:
    """Everything that is found in a photo and what the policy would do about it; nothing is written.

    Args:
        data: The whole file.
        detectors: Loaded detectors; none for a metadata-only look.
        policy: The settings.
        safe_id: How messages name the photo.
        known: Values the caller knows.
        extra: Findings made outside the file (its name).

    Raises:
        InputError: The photo cannot be handled.
        CheckNotRun: A detector raised.
    """
    return _inspect(data, detectors, policy, known, extra, Record(safe_id, policy, detectors))


def _inspect(
    data: bytes,
    detectors: Sequence[Detector],
    policy: Policy,
    known: KnownValues,
    extra: Sequence[Finding],
    record: Record,
) -> tuple[formats.Opened, Plan]:
    with record.stage("open"):
        opened = record.opened = formats.open_photo(data, policy.limits)
        series = _series(opened, policy, record)
        said = list(series.findings if series else opened.metadata())
        known = record.known = still.with_own(opened, said, policy, known)
        found = [*extra, *said]
    pages: tuple[tuple[int, int], ...] = ()
    if policy.scope == "full":
        still.all_loaded(detectors)
        if series:
            from medimg import frames

            pages = frames.sizes(series, policy.limits)

            with record.stage("frames"):
                found += frames.look(series, detectors, policy, known)
        else:
            found += still.detect(opened, detectors, known, record)
    aligned = series is not None and series.aligned
    record.plan = decide(
        still.numbered(found),
        policy,
        width=opened.width,
        height=opened.height,
        aligned=aligned,
        pages=pages,
        block=still.block(opened, policy) if series is None else (1, 1),
    )
    return opened, record.plan


def _series(opened: formats.Opened, policy: Policy, record: Record) -> Series | None:
    """The frames of a photo of which the policy keeps all; None for a single picture."""
    if not policy.metadata.keep_frames or opened.frames == 1:
        return None
    if record.series is None:
        from medimg.formats import sequence

        record.series = sequence.split(opened, policy.limits, keep_profile=policy.metadata.keep_profile)
    return record.series


def scrub(
    data: bytes,
    sink: Sink,
    detectors: Sequence[Detector],
    policy: Policy,
    *,
    safe_id: str = "photo",
    known: KnownValues = NOTHING_KNOWN,
    extra: Sequence[Finding] = (),
    plan: Plan | None = None,
    key: bytes = b"",
) -> Report:
    """Find, decide, cover, write, and check what was written. Never raises for a fault of the photo.

    Args:
        data: The whole file.
        sink: Where the copy goes; it is released only when every check ran and passed.
        detectors: Loaded detectors, one for each of :data:`CONTENT_CHECKS` unless the scope is metadata-only.
        policy: The settings.
        safe_id: How the report names the photo.
        known: Values the caller knows.
        extra: Findings made outside the file (its name).
        plan: A plan made earlier, perhaps edited by a person; the detectors then run on the copy only.
        key: For new identifiers of DICOM copies, so that the photos of one run stay together; random when empty.

    Returns:
        The report; ``state`` is ``unreviewed`` when a copy was released, otherwise nothing was.
    """
    record = Record(safe_id, policy, detectors)

    def work() -> Report:
        if plan is None:
            opened, mine = _inspect(data, detectors, policy, known, extra, record)
        else:
            opened, mine = still.planned(data, plan, detectors, policy, known, record), plan
        still.stop_if_held(mine)
        series = _series(opened, policy, record)
        still.stop_if_nowhere(mine, policy, len(series.stills) if series else 1)
        if series is None:
            return still.covered(opened, mine, sink, detectors, policy, record, key)
        from medimg import frames

        so_far = record.report(PhotoState.HELD)
        return frames.scrub(series, sink, detectors, policy, plan=mine, known=record.known, report=so_far)

    return still.guarded(record, sink, work)


def judge(data: bytes, detectors: Sequence[Detector], policy: Policy, known: KnownValues) -> tuple[Check, ...]:
    """The checks of any picture, judged as if it were a written copy.

    Raises:
        InputError: The photo cannot be handled.
    """
    opened = formats.open_photo(data, policy.limits)
    if policy.metadata.keep_frames and opened.frames > 1:
        from medimg import frames

        stills, joined = frames.apart(opened, policy)
        each = [check for one in stills for check in judge(one, detectors, frames.one(policy), known)]
        return (*frames.worst(each), joined)
    checks = verify.container(data, opened.name, policy, opened)
    if policy.scope == "metadata-only":
        return (*checks, *(Check(name=n, state=CheckState.NOT_ASKED) for n in CONTENT_CHECKS))
    from medimg.verify import second_look

    return (*checks, *second_look.alone(opened, detectors, policy, known))


__all__ = ["MemorySink", "Sink", "inspect", "judge", "refusal", "scrub", "statement"]
