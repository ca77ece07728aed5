"""The one way through: bytes in, verified copy and report out.

The order of the stages stands in :func:`scrub` and is not configurable: *verify last* is a safety rule.
Nothing here imports an imaging library until a stage needs one, so a metadata-only run stays light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec

from medimg import faults, formats, verify
from medimg._record import Record
from medimg.covers import covers, fills
from medimg.errors import CheckFailed, CheckNotRun, Held, MedimgError, OutOfMemory, UsageError
from medimg.native.threads import both, each
from medimg.policy import Policy, decide
from medimg.types import (
    BLACK,
    NOTHING_KNOWN,
    Check,
    Colour,
    Copy,
    CopySummary,
    Finding,
    KnownValues,
    Plan,
    Report,
)
from medimg.vocabulary import CONTENT_CHECKS, PASSING, CheckName, CheckState, FormatName, Kind, PhotoState, Reason

if TYPE_CHECKING:
    from medimg.detect import Detector, Frame
    from medimg.formats.sequence import Series


class Sink(Protocol):
    """Where a copy goes. It is staged, read back, judged, and only then released."""

    def stage(self, copy: Copy) -> bytes:
        """Write the copy under a temporary name, fsync it, open it again and return what is there."""
        ...

    def release(self) -> str:
        """Give the staged copy its final name, and return that name."""
        ...

    def discard(self) -> None:
        """Remove what was staged, if anything."""
        ...


class MemorySink:
    """Keeps the copy in memory, for callers that want bytes; ``data`` is empty until it is released."""

    def __init__(self) -> None:
        self._staged = b""
        self.data = b""
        self.suffix = ""

    def stage(self, copy: Copy) -> bytes:
        """Hold the copy."""
        self._staged, self.suffix = copy.data, copy.suffix
        return self._staged

    def release(self) -> str:
        """Make the bytes available."""
        self.data = self._staged
        return f"copy{self.suffix}"

    def discard(self) -> None:
        """Forget the copy."""
        self._staged = b""


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
        known = record.known = _with_own(opened, said, policy, known)
        found = [*extra, *said]
    if policy.scope == "full":
        _all_loaded(detectors)
        if series:
            from medimg import frames

            with record.stage("frames"):
                found += frames.look(series, detectors, policy, known)
        else:
            found += _detect(opened, detectors, known, record)
    numbered = [msgspec.structs.replace(f, id=f"f{n}") for n, f in enumerate(found, 1)]
    aligned = series is not None and series.aligned
    record.plan = decide(numbered, policy, width=opened.width, height=opened.height, aligned=aligned)
    return opened, record.plan


def _series(opened: formats.Opened, policy: Policy, record: Record) -> Series | None:
    """The frames of a photo of which the policy keeps all; None for a single picture."""
    if not policy.metadata.keep_frames or opened.frames == 1:
        return None
    if record.series is None:
        from medimg.formats import sequence

        record.series = sequence.split(opened, policy.limits, keep_profile=policy.metadata.keep_profile)
    return record.series


def _all_loaded(detectors: Sequence[Detector]) -> None:
    if not set(CONTENT_CHECKS) <= {d.name for d in detectors}:
        raise CheckNotRun("not every check of the picture is loaded.")


def _detect(opened: formats.Opened, detectors: Sequence[Detector], known: KnownValues, record: Record) -> list[Finding]:
    from medimg.detect import Frame

    found: list[Finding] = []
    with record.stage("decode"):
        views = [Frame(view, opened.orientation) for view in opened.views()]
    from medimg.detect.objects import carriers

    for view in views:
        there = [f for more in each(partial(_found, view, known, record), detectors) for f in more]
        with record.stage("objects"):
            found += carriers.placed(view, there)
    return found


def _found(view: Frame, known: KnownValues, record: Record, detector: Detector) -> list[Finding]:
    with record.stage(detector.name):
        try:
            return detector.find(view, known)
        except MemoryError:
            raise
        except CheckNotRun as error:
            raise CheckNotRun(f"the {detector.name} check did not run: {error.what}") from error
        except Exception as error:
            raise faults.unexpected(f"the {detector.name} check did not run", error) from error


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
    try:
        if plan is None:
            opened, plan = _inspect(data, detectors, policy, known, extra, record)
        else:
            opened = record.opened = formats.open_photo(data, policy.limits)
            if (plan.width, plan.height) != (opened.width, opened.height):
                raise UsageError("this plan was made for a picture of another size.")
            record.plan = plan
            if policy.scope == "full":  # an edited plan spares no check of the written copy
                _all_loaded(detectors)
            record.known = _with_own(opened, opened.metadata(), policy, known)
        known = record.known
        _stop_if_held(plan)
        series = _series(opened, policy, record)
        _stop_if_nowhere(plan, policy, len(series.stills) if series else 1)
        if series:
            from medimg import frames

            return frames.scrub(
                series, sink, detectors, policy, plan=plan, known=known, report=record.report(PhotoState.HELD)
            )  # fmt: skip
        for rounds_left in range(policy.verify.rounds, -1, -1):
            if isinstance(opened, formats.Declaring):
                opened.state(statement(plan, policy.scope, key))
            with record.stage("write"):
                copy = _copy(opened, plan, policy)
                written = sink.stage(copy)
            with record.stage("verify"):
                record.checks, left = _verify(written, opened, copy, detectors, plan, policy, known)
            if all(c.state in PASSING for c in record.checks):
                record.copy = _summary(sink.release(), copy)
                return record.report(PhotoState.UNREVIEWED)
            if not left or not rounds_left or any(c.state == CheckState.NOT_RUN for c in record.checks):
                break
            sink.discard()
            plan = record.plan = _with(plan, left, policy)
            _stop_if_held(plan)
            _stop_if_nowhere(plan, policy, 1)
        raise CheckFailed(
            "the written copy did not pass: "
            + ", ".join(c.name for c in record.checks if c.state in (CheckState.FAILED, CheckState.NOT_RUN))
            + ".",
            todo="Look at the photo; crop it or cover more by hand.",
        )
    except MedimgError as error:
        sink.discard()
        return record.report(_state(error), error)
    except MemoryError:
        sink.discard()
        return record.report(PhotoState.HELD, OutOfMemory("there was not enough memory for this photo."))
    except Exception as error:  # noqa: BLE001 - an unforeseen fault holds the photo; its text may quote input
        sink.discard()
        return record.report(PhotoState.HELD, faults.unexpected("a check stopped unexpectedly", error))
    except BaseException:  # stopped by the user
        sink.discard()
        raise


def _with_own(opened: formats.Opened, said: Sequence[Finding], policy: Policy, known: KnownValues) -> KnownValues:
    """What the caller knows, and what the file says: in fields for a patient (DICOM), or in its metadata."""
    if isinstance(opened, formats.Declaring):
        own = opened.values()
    elif policy.scope == "full":
        from medimg.detect import metadata as metadata

        own = metadata.values(said)
    else:
        return known
    return KnownValues(
        names=tuple(dict.fromkeys(known.names + own.names)),
        numbers=tuple(dict.fromkeys(known.numbers + own.numbers)),
        dates=tuple(dict.fromkeys(known.dates + own.dates)),
    )


def statement(plan: Plan, scope: str, key: bytes) -> formats.Statement:
    """What a copy may say of itself once it has passed: nothing that a person kept or still has to look at."""
    full = scope == "full"
    open_ = {a.finding.kind for a in plan.doing("ask", "keep") if a.do == "ask" or a.by == "person"}
    return formats.Statement(
        key=key, text=full and not open_ & {Kind.TEXT, Kind.CODE}, faces=full and Kind.FACE not in open_
    )


def refusal(safe_id: str, policy: Policy, error: MedimgError) -> Report:
    """The report of a photo that never reached the pipeline: it could not be read, or its worker ended."""
    return Record(safe_id, policy, ()).report(_state(error), error)


def _state(error: MedimgError) -> PhotoState:
    return (
        PhotoState.HELD if error.exit_code == 20 else PhotoState.FAILED if error.exit_code == 30 else PhotoState.REFUSED
    )


def _copy(opened: formats.Opened, plan: Plan, policy: Policy) -> Copy:
    if policy.scope == "full":
        opened.samples()  # what was decoded is what is written, also with a plan made earlier
    filled, keep = covers(plan, policy, _colour(opened, plan, policy)), policy.metadata.keep_profile
    if opened.name == FormatName.HEIF and policy.covers.heif == "jpeg" and (filled or plan.crop):
        from medimg.formats import heif

        copy = heif.write_jpeg(opened, filled, keep_profile=keep, crop=plan.crop)
        if copy is not None:
            return copy
    return opened.write(filled, keep_profile=keep, crop=plan.crop)


def _colour(opened: formats.Opened, plan: Plan, policy: Policy) -> Colour:
    """The one colour for all covers of the copy."""
    fixed, wanted = policy.covers.rgb, covers(plan, policy)
    if fixed is not None or not wanted:
        return fixed or BLACK
    from medimg.redact import colour

    return colour.visible({frame: opened.views(frame)[0] for frame in {c.frame for c in wanted}}, wanted)


def _verify(
    written: bytes,
    original: formats.Opened,
    copy: Copy,
    detectors: Sequence[Detector],
    plan: Plan,
    policy: Policy,
    known: KnownValues,
) -> tuple[list[Check], list[Finding]]:
    if written != copy.data:
        wrong = "the disk gave other bytes"
        return [Check(name=CheckName.READBACK, state=CheckState.FAILED, engine="compare", detail=wrong)], []
    checks = verify.container(written, copy.format, policy)
    not_asked = (
        [Check(name=n, state=CheckState.NOT_ASKED) for n in CONTENT_CHECKS] if policy.scope == "metadata-only" else []
    )
    altered = bool(copy.covered or copy.cropped or plan.crop)
    if any(c.state not in PASSING for c in checks) or (not_asked and not altered):
        return [*checks, *not_asked], []
    from medimg.verify import picture

    reopened = formats.open_photo(written, policy.limits)
    reopened.samples()  # decoded once, for both
    if not_asked:
        return [*checks, picture.pixels(original, reopened, copy, plan.crop), *not_asked], []
    (again, left), equal = both(
        partial(picture.content, reopened, copy, detectors, plan, policy, known),
        partial(picture.pixels, original, reopened, copy, plan.crop),
    )
    return [*checks, equal, *again], left


def _stop_if_held(plan: Plan) -> None:
    if held := plan.doing("hold"):
        raise Held(
            " ".join(sorted({f"{a.why}." for a in held})),
            todo="Look at the photo, then decide in the review or crop it before cleaning.",
        )


def _stop_if_nowhere(plan: Plan, policy: Policy, pictures: int) -> None:
    """Hold a photo of whose plan a cover would fill nothing: it was edited, or a detector gave no place.

    Args:
        plan: The plan.
        policy: For the margins of covers.
        pictures: How many frames or pages the copy is made of.
    """
    for action in plan.doing("cover"):
        region = action.finding.region
        there = region is not None and 0 <= region.frame < pictures
        if not there or not fills(action.finding, policy, plan.width, plan.height):
            raise Held(f"{Reason.NOWHERE}.", todo="Draw the area by hand in the review, or decide otherwise.")


def _with(plan: Plan, left: Sequence[Finding], policy: Policy) -> Plan:
    """The plan with what the second look found covered too, or held where covers would hide most of the picture."""
    start = len(plan.actions) + 1
    new = [msgspec.structs.replace(f, id=f"f{n}") for n, f in enumerate(left, start) if f.region is not None]
    before = plan.doing("cover")
    judged = decide(new, policy, width=plan.width, height=plan.height, beside=before).actions
    more = tuple(msgspec.structs.replace(a, why=Reason.SECOND_LOOK) if a.do == "cover" else a for a in judged)
    return msgspec.structs.replace(plan, actions=plan.actions + more)


def _summary(name: str, copy: Copy) -> CopySummary:
    return CopySummary(
        name=name,
        format=copy.format,
        bytes=len(copy.data),
        sha256=hashlib.sha256(copy.data).hexdigest(),
        width=copy.width,
        height=copy.height,
        lossless=copy.lossless,
        method=copy.method,
        covered=copy.covered,
        notes=copy.notes,
        cropped=copy.cropped,
    )
