"""The library's door: look at a photo, or make its covered copy, in this process.

A batch isolates every photo in a worker process (:func:`medimg.scrub_folder`); what stands here is for a program that
does its own isolation, or trusts its files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from medimg import faults, formats, pipeline
from medimg.errors import InputError, MedimgError, MissingPart, OutOfMemory, UsageError
from medimg.policy import Policy
from medimg.source import Source, path_of, read, with_names
from medimg.system import files
from medimg.types import NOTHING_KNOWN, Check, CopySummary, Finding, KnownValues, Limits, Plan, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from medimg.detect import Detector


def media_type(copy: CopySummary) -> str:
    """IANA media type of a copy."""
    return formats.media_types().get(Path(copy.name).suffix, "application/octet-stream")


class Scrubbed(msgspec.Struct, frozen=True, kw_only=True):
    """A covered copy in memory, and its report.

    Attributes:
        report: What was found, done and checked.
        data: The copy; None when the photo was held or refused, and the report says why.
        suffix: File suffix of the copy with its dot.
    """

    report: Report
    data: bytes | None = None
    suffix: str = ""

    def __repr__(self) -> str:
        size = f", {self.media_type}, {len(self.data)} bytes" if self.data is not None else ""
        return f"<Scrubbed {self.report.safe_id}: {self.report.state}{size}>"

    def array(self) -> NDArray[Any]:
        """Samples of the copy at their own depth, upright: grey, RGB, RGBA or four inks, (H, W) or (H, W, C).

        Raises:
            UsageError: There is no copy, and the report says why.
        """
        opened, upright = self._opened()
        return upright(opened.samples())

    def image(self) -> Image:
        """The copy as a person sees it: an upright Pillow image, RGB, 8 bits.

        Raises:
            UsageError: There is no copy, and the report says why.
        """
        from PIL import Image

        opened, upright = self._opened()
        return Image.fromarray(upright(opened.views(0)[0]))

    def _opened(self) -> tuple[formats.Opened, Callable[[NDArray[Any]], NDArray[Any]]]:
        from medimg.detect import Frame

        if self.data is None:
            raise UsageError("there is no copy: the photo was held or refused.", todo="Look at the report's reason.")
        opened = formats.open_photo(self.data, Limits())
        return opened, lambda stored: Frame(stored, opened.orientation).rgb

    @property
    def held(self) -> bool:
        """True when there is no copy."""
        return self.data is None

    @property
    def media_type(self) -> str:
        """IANA media type of the copy; empty when there is none."""
        return media_type(self.report.copy) if self.report.copy else ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found."""
        return self.report.findings


def load_detectors(policy: Policy) -> tuple[Detector, ...]:
    """The detectors a policy needs, with their models loaded; none for metadata alone.

    Raises:
        MissingPart: A model, program or package is not there, or its digest is wrong.
        UsageError: The program loaded onnxruntime before medimg, and the policy refuses that.
    """
    if policy.scope == "metadata-only":
        return ()
    try:
        from medimg import detect
        from medimg.detect import plugins
        from medimg.native import onnxruntime

        if policy.engines.loaded_before == "refuse" and onnxruntime.concern:
            raise UsageError(
                f"onnxruntime: {onnxruntime.concern}, and the policy refuses that.",
                todo=f"Set {onnxruntime.VARIABLE}=1 before this program starts, or import medimg's checks first.",
            )
        return plugins.joined([detect.make(name, policy) for name in detect.DETECTORS], policy)
    except ImportError as error:
        raise MissingPart("a package that looks at the picture could not be loaded.") from error


class Scrubber:
    """Keeps a policy and the loaded models, for more than one photo. Several threads may share one.

    As a context manager it lets the models go at the end of the block.

    Args:
        policy: The settings; the shipped ones when none are given.
        detectors: Detectors of the caller's own, instead of the shipped ones. They must answer for each of the
            names in :data:`medimg.vocabulary.CONTENT_CHECKS`. Photos then go one at a time.
        key: For new identifiers of DICOM copies: the same key gives the same ones, so that photos of a series stay
            together. A random one when none is given. Whoever has it can tell which identifier became which.
        threads: Photos that are worked on at the same time. Each needs models of its own, about as much memory as a
            worker of a batch; they are loaded when that many photos are there.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        detectors: Sequence[Detector] | None = None,
        key: bytes | None = None,
        threads: int = 1,
    ) -> None:
        if threads < 1:
            raise UsageError("at least one thread is needed.")
        self._key = key or secrets.token_bytes(32)
        self.policy = policy if policy is not None else Policy.load()
        self.threads = 1 if detectors is not None else threads
        self._free = threading.Semaphore(self.threads)
        self._lock = threading.Lock()
        self._given = tuple(detectors) if detectors is not None else None
        self._idle: list[tuple[Detector, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Scrubber {self.policy.scope}, policy {self.policy.digest}, threads {self.threads}>"

    def close(self) -> None:
        """Let the models go; a photo that comes later loads them again."""
        with self._lock:
            self._idle.clear()

    @contextlib.contextmanager
    def _detectors(self) -> Iterator[tuple[Detector, ...]]:
        """Detectors that nobody else uses meanwhile."""
        with self._free:
            with self._lock:
                mine = self._idle.pop() if self._idle else None
            if mine is None:
                mine = self._given if self._given is not None else load_detectors(self.policy)
            try:
                yield mine
            finally:
                with self._lock:
                    self._idle.append(mine)

    def load(self) -> tuple[Detector, ...]:
        """Load the models now instead of at the first photo.

        Raises:
            MissingPart: Something needed is not there.
        """
        with self._detectors() as mine:
            return mine

    @property
    def engines(self) -> dict[str, str]:
        """Detector name -> engine, version and model digests."""
        return {d.name: d.version for d in self.load()}

    def inspect(self, source: Source, *, known: KnownValues = NOTHING_KNOWN) -> Plan:
        """Everything found in a photo and what the policy would do about it. Writes nothing.

        Raises:
            InputError: The photo cannot be handled.
            CheckNotRun: A check could not be run.
            MissingPart: Something needed is not there.
        """
        data, named = read(source, self.policy.limits, known)
        known = with_names(source, known)
        with self._detectors() as detectors:
            return pipeline.inspect(data, detectors, self.policy, known=known, extra=named)[1]

    def scrub(
        self,
        source: Source,
        *,
        to: str | os.PathLike[str] | None = None,
        known: KnownValues = NOTHING_KNOWN,
        plan: Plan | None = None,
        safe_id: str = "photo",
    ) -> Scrubbed:
        """Make the covered copy of a photo and check it again.

        Args:
            source: The photo.
            to: Where to write the copy; its suffix becomes the one of the copy's format. A file that is already there
                is never replaced. Without it the copy is only in the answer's ``data``.
            known: Values the caller knows.
            plan: A plan of :meth:`inspect`, perhaps edited by a person; it is applied as it is.
            safe_id: How the report and messages name the photo.

        Returns:
            The copy and its report. A photo that is held or refused has no copy, and the report says why.

        Raises:
            MissingPart: Something needed is not there.
            UsageError: The source, or the place for the copy, is not what it should be.
        """
        sink = _sink(path_of(to)) if to is not None else pipeline.MemorySink()
        try:
            data, named = read(source, self.policy.limits, known)
        except InputError as error:
            return Scrubbed(report=pipeline.refusal(safe_id, self.policy, error))
        known = with_names(source, known)
        with self._detectors() as detectors:
            report = pipeline.scrub(
                data, sink, detectors, self.policy, safe_id=safe_id, known=known, extra=named, plan=plan,
                key=self._key,
            )  # fmt: skip
        return Scrubbed(report=report, data=sink.data or None, suffix=sink.suffix if sink.data else "")

    def scrub_to(
        self,
        data: bytes,
        sink: pipeline.Sink,
        *,
        safe_id: str,
        known: KnownValues = NOTHING_KNOWN,
        extra: Sequence[Finding] = (),
        plan: Plan | None = None,
    ) -> Report:
        """The same for a caller with a place of its own for the copy (:class:`medimg.pipeline.Sink`).

        Raises:
            MissingPart: Something needed is not there.
        """
        with self._detectors() as detectors:
            return pipeline.scrub(
                data, sink, detectors, self.policy, safe_id=safe_id, known=known, extra=extra, plan=plan,
                key=self._key,
            )  # fmt: skip

    def scrub_many(
        self,
        sources: Iterable[Source],
        *,
        known: KnownValues | Callable[[Source], KnownValues] = NOTHING_KNOWN,
        to: Callable[[int, Source], str | os.PathLike[str]] | None = None,
    ) -> Iterator[Scrubbed]:
        """The copies of many photos, in the order of ``sources``; a few are worked on or wait at any time.

        Args:
            sources: Photos; read as they are needed.
            known: Values the caller knows, of all photos or of each.
            to: Where the copy of a photo goes, from its number (0 for the first) and source; see :meth:`scrub`.

        Yields:
            A copy and its report for each source; the safe ids count from ``photo-000001``. What is no photo at all
            is refused like a photo that cannot be handled, and so is one of which ``known`` or ``to`` raised, so that
            one bad source does not end the rest.

        Raises:
            MissingPart: Something needed is not there.
        """

        def one(number: int, source: Source) -> Scrubbed:
            safe_id = f"photo-{number + 1:06}"

            def work() -> Scrubbed:
                place = to(number, source) if to is not None else None
                said = known(source) if callable(known) else known
                return self.scrub(source, to=place, known=said, safe_id=safe_id)

            return self._answered(safe_id, work)

        numbered = enumerate(sources)
        if self.threads == 1:
            yield from (one(number, source) for number, source in numbered)
            return
        with ThreadPoolExecutor(self.threads, "medimg") as pool:
            waiting: deque[Future[Scrubbed]] = deque()
            try:
                for number, source in numbered:
                    waiting.append(pool.submit(one, number, source))
                    if len(waiting) > self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _answered(self, safe_id: str, work: Callable[[], Scrubbed]) -> Scrubbed:
        """What ``work`` returns, or a refusal that says what went wrong with this one photo.

        Raises:
            MissingPart: Something needed is not there, which is so for every photo.
        """
        try:
            return work()
        except MissingPart:
            raise
        except UsageError as error:
            wrong: MedimgError = error
        except MemoryError:
            wrong = OutOfMemory("there was not enough memory for this photo.")
        except Exception as error:  # noqa: BLE001 - the caller's own functions; the text may quote the photo
            wrong = faults.unexpected("this photo could not be taken", error)
        return Scrubbed(report=pipeline.refusal(safe_id, self.policy, wrong))

    async def scrub_async(self, source: Source, *, known: KnownValues = NOTHING_KNOWN) -> Scrubbed:
        """:meth:`scrub` for a program with an event loop, which goes on meanwhile."""
        return await asyncio.to_thread(partial(self.scrub, source, known=known))

    def verify(self, source: Source, *, known: KnownValues = NOTHING_KNOWN) -> tuple[Check, ...]:
        """Judge any picture as if it were a written copy: container, and the picture with every detector twice.

        Returns:
            The checks. The picture may be shared as far as these checks go when every one of them ``passed``.

        Raises:
            InputError: The photo cannot be handled.
            MissingPart: Something needed is not there.
        """
        data, _ = read(source, self.policy.limits, known)
        with self._detectors() as detectors:
            return pipeline.judge(data, detectors, self.policy, known)


def _sink(to: Path) -> files.FileSink:
    if to.name in ("", ".."):
        raise UsageError("the place for the copy has no file name.")
    return files.FileSink(to.parent, to.with_suffix("").name, new=True)


def inspect(source: Source, *, policy: Policy | None = None, known: KnownValues = NOTHING_KNOWN) -> Plan:
    """:meth:`Scrubber.inspect` for a single photo; the models are loaded for this call alone.

    Raises:
        InputError: The photo cannot be handled.
        CheckNotRun: A check could not be run.
        MissingPart: Something needed is not there.
    """
    return Scrubber(policy).inspect(source, known=known)


def scrub(
    source: Source,
    *,
    to: str | os.PathLike[str] | None = None,
    policy: Policy | None = None,
    known: KnownValues = NOTHING_KNOWN,
    plan: Plan | None = None,
) -> Scrubbed:
    """:meth:`Scrubber.scrub` for a single photo; the models are loaded for this call alone.

    Raises:
        MissingPart: Something needed is not there.
    """
    return Scrubber(policy).scrub(source, to=to, known=known, plan=plan)


__all__ = ["Scrubbed", "Scrubber", "Source", "inspect", "load_detectors", "scrub"]
