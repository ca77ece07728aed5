"""One picture on its way: looked at, covered, written, read back and judged.

:mod:`medimg.pipeline` is the door. A photo is mostly one picture; of a file whose frames are kept each frame is one
(:mod:`medimg.frames`). Nothing here imports an imaging library until it is needed, so a metadata-only run stays light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, get_args

import msgspec

from medimg import faults, formats, geometry, verify
from medimg._record import Record
from medimg.covers import covers, fills
from medimg.decide import decide, with_whole_lines
from medimg.errors import CheckFailed, CheckNotRun, Held, MedimgError, OutOfMemory, UsageError
from medimg.native.threads import each
from medimg.policy import Policy
from medimg.system import host
from medimg.types import BLACK, Check, Colour, Copy, CopySummary, Do, Finding, KnownValues, Plan, Report
from medimg.vocabulary import CONTENT_CHECKS, PASSING, CheckName, CheckState, FormatName, Kind, PhotoState, Reason

if TYPE_CHECKING:
    from medimg.detect import Detector, Frame
    from medimg.detect.answers import Answers


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


def look(data: bytes, detectors: Sequence[Detector], policy: Policy, known: KnownValues) -> list[Finding]:
    """What is found in a picture and in its file; nothing is written.

    Raises:
        InputError: The picture cannot be handled.
        CheckNotRun: A detector raised.
    """
    record = Record("photo", policy, detectors)
    with record.stage("open"):
        opened = formats.open_photo(data, policy.limits)
        said = opened.metadata()
    all_loaded(detectors)
    found = [*said, *detect(opened, detectors, with_own(opened, said, policy, known), record)]
    plan = decide(numbered(found), policy, width=opened.width, height=opened.height)
    return [action.finding for action in plan.actions]


def numbered(found: Sequence[Finding], start: int = 1) -> list[Finding]:
    """The findings with names to speak of them by."""
    return [msgspec.structs.replace(f, id=f"f{n}") for n, f in enumerate(found, start)]


def scrub(
    data: bytes, sink: Sink, detectors: Sequence[Detector], policy: Policy, *, plan: Plan, known: KnownValues
) -> Report:
    """Cover, write and check one picture by a plan. Never raises for a fault of the picture."""
    record = Record("photo", policy, detectors)

    def work() -> Report:
        opened = planned(data, plan, detectors, policy, known, record)
        stop_if_held(plan)
        stop_if_nowhere(plan, policy, 1)
        return covered(opened, plan, sink, detectors, policy, record)

    return guarded(record, sink, work)


def planned(
    data: bytes, plan: Plan, detectors: Sequence[Detector], policy: Policy, known: KnownValues, record: Record
) -> formats.Opened:
    """A picture opened for a plan made earlier, perhaps edited by a person.

    Raises:
        InputError: The picture cannot be handled.
        UsageError: The plan was made for a picture of another size, or says to do what cannot be done.
        CheckNotRun: Not every check of the written copy could be made.
    """
    opened = record.opened = formats.open_photo(data, policy.limits)
    if (plan.width, plan.height) != (opened.width, opened.height):
        raise UsageError("this plan was made for a picture of another size.")
    if not all(action.do in get_args(Do) for action in plan.actions):
        raise UsageError("this plan has an action that is none.", todo=f"Choose: {', '.join(get_args(Do))}.")
    record.plan = plan
    if policy.scope == "full":  # an edited plan spares no check of the written copy
        all_loaded(detectors)
    record.known = with_own(opened, opened.metadata(), policy, known)
    return opened


def covered(
    opened: formats.Opened,
    plan: Plan,
    sink: Sink,
    detectors: Sequence[Detector],
    policy: Policy,
    record: Record,
    key: bytes = b"",
) -> Report:
    """Write the copy and judge it; what the judge finds is covered too, as often as the policy says.

    Raises:
        CheckFailed: It did not pass.
        Held: Covers would hide too much, or nothing.
        MedimgError: It could not be written or judged.
    """
    for rounds_left in range(policy.verify.rounds, -1, -1):
        if isinstance(opened, formats.Declaring):
            opened.state(statement(plan, policy.scope, key))
        with record.stage("write"):
            copy = _copy(opened, plan, policy)
            written = sink.stage(copy)
        with record.stage("verify"):
            judged = _verify(written, opened, copy, detectors, plan, policy, record.known, record.answers)
            record.checks, left = judged
        if all(c.state in PASSING for c in record.checks):
            record.copy = summary(sink.release(), copy)
            return record.report(PhotoState.UNREVIEWED)
        if not left or not rounds_left or any(c.state == CheckState.NOT_RUN for c in record.checks):
            break
        sink.discard()
        plan = record.plan = _with(plan, left, policy, block(opened, policy))
        stop_if_held(plan)
        stop_if_nowhere(plan, policy, 1)
    failed = [c.name for c in record.checks if c.state in (CheckState.FAILED, CheckState.NOT_RUN)]
    raise CheckFailed(
        f"the written copy did not pass: {', '.join(failed)}.",
        todo="Look at the photo; crop it or cover more by hand.",
    )


def guarded(record: Record, sink: Sink, work: Callable[[], Report]) -> Report:
    """What ``work`` returns; after a fault the report that says so, and nothing is left of what was staged."""
    try:
        return work()
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


def all_loaded(detectors: Sequence[Detector]) -> None:
    """Stop a photo of which not everything would be looked at.

    Raises:
        CheckNotRun: A check of the picture is not loaded.
    """
    if not set(CONTENT_CHECKS) <= {d.name for d in detectors}:
        raise CheckNotRun("not every check of the picture is loaded.")


def detect(opened: formats.Opened, detectors: Sequence[Detector], known: KnownValues, record: Record) -> list[Finding]:
    """What every detector finds in every rendering of a photo.

    Raises:
        CheckNotRun: A detector raised.
    """
    from medimg.detect import Frame
    from medimg.detect.answers import Answers
    from medimg.detect.objects import carriers

    found: list[Finding] = []
    record.answers = Answers()
    with record.stage("decode"):
        host.give_back()
        views = [Frame(view, opened.orientation, answers=record.answers) for view in opened.views()]
    for view in views:
        there = [f for more in each(partial(_found, view, known, record), detectors) for f in more]
        with record.stage("objects"):
            found += carriers.placed(view, there)
    return found


def _found(view: Frame, known: KnownValues, record: Record, detector: Detector) -> list[Finding]:
    from medimg.detect.found import findings

    with record.stage(detector.name):
        try:
            return findings(detector.find(view, known))
        except MemoryError:
            raise
        except CheckNotRun as error:
            raise CheckNotRun(f"the {detector.name} check did not run: {error.what}") from error
        except Exception as error:
            raise faults.unexpected(f"the {detector.name} check did not run", error) from error


def with_own(opened: formats.Opened, said: Sequence[Finding], policy: Policy, known: KnownValues) -> KnownValues:
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


def block(opened: formats.Opened, policy: Policy) -> tuple[int, int]:
    """Width and height of the blocks to which covers grow in the copy; a pixel where they do not grow."""
    if isinstance(opened, formats.InBlocks):
        return opened.block
    from medimg.formats import heif

    return heif.AS_JPEG if opened.name == FormatName.HEIF and policy.covers.heif == "jpeg" else (1, 1)


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
    answers: Answers | None,
) -> tuple[list[Check], list[Finding]]:
    if written != copy.data:
        wrong = "the disk gave other bytes"
        return [Check(name=CheckName.READBACK, state=CheckState.FAILED, engine="compare", detail=wrong)], []
    checks, reopened = verify.reopened(written, copy.format, policy)
    not_asked = (
        [Check(name=n, state=CheckState.NOT_ASKED) for n in CONTENT_CHECKS] if policy.scope == "metadata-only" else []
    )
    if not_asked and any(c.state == CheckState.NOT_RUN for c in checks):
        original.samples()  # where the photo itself is damaged, it is refused for that, as in a full run
    # A TIFF is packed again row by row, also of kinds that no decoder here shows.
    altered = copy.covered or copy.cropped or plan.crop or (copy.method == "samples" and copy.format != FormatName.TIFF)
    if reopened is None or any(c.state not in PASSING for c in checks) or (not_asked and not altered):
        return [*checks, *not_asked], []
    from medimg.verify import compare, second_look

    host.give_back()
    equal = compare.pixels(original, reopened, copy, plan.crop)
    if not_asked:
        return [*checks, equal, *not_asked], []
    if isinstance(original, formats.Forgetful):
        original.forget()  # one large picture at a time: a further round compares with what is decoded anew
    again, left = second_look.content(reopened, copy, detectors, plan, policy, known, answers)
    return [*checks, equal, *again], left


def stop_if_held(plan: Plan) -> None:
    """Hold a photo whose plan says so.

    Raises:
        Held: It does.
    """
    if held := plan.doing("hold"):
        raise Held(
            " ".join(sorted({f"{a.why}." for a in held})),
            todo="Look at the photo, then decide.",
        )


def stop_if_nowhere(plan: Plan, policy: Policy, pictures: int) -> None:
    """Hold a photo of whose plan a cover would fill nothing: it was edited, or a detector gave no place.

    Args:
        plan: The plan.
        policy: For the margins of covers.
        pictures: How many frames or pages the copy is made of.
    """
    if not all(geometry.somewhere(a.finding.region.polygon) for a in plan.actions if a.finding.region is not None):
        raise Held(
            "the plan has a place that is in no picture.", todo="Clean the photo again, and decide in the review."
        )
    for action in plan.doing("cover"):
        region = action.finding.region
        there = region is not None and 0 <= region.frame < pictures
        if not there or not fills(action.finding, policy, plan.width, plan.height):
            raise Held(f"{Reason.NOWHERE}.", todo="Draw the area by hand in the review, or decide otherwise.")


def _with(plan: Plan, left: Sequence[Finding], policy: Policy, block: tuple[int, int]) -> Plan:
    """The plan with what the second look found covered too, or held where covers would hide most of the picture."""
    start = len(plan.actions) + 1
    new = [f for f in numbered(left, start) if f.region is not None]
    before = plan.doing("cover")
    judged = decide(new, policy, width=plan.width, height=plan.height, beside=before).actions
    more = tuple(msgspec.structs.replace(a, why=Reason.SECOND_LOOK) if a.do == "cover" else a for a in judged)
    return msgspec.structs.replace(plan, actions=tuple(with_whole_lines(plan.actions + more, policy, block)))


def summary(name: str, copy: Copy) -> CopySummary:
    """What the report says of a copy."""
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
