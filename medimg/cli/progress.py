"""How a run is told of while it goes: a bar on a terminal, plain lines elsewhere, or events for programs."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any, Protocol

import click

from medimg.cli import common
from medimg.engine.loop import Progress
from medimg.words import tr

_EVERY = 10.0  # seconds between two plain lines


def telling(*, json_lines: bool = False, quiet: bool = False, verbose: bool = False) -> Telling:
    """How a run is told of while it goes."""
    if json_lines:
        return _Events()
    if quiet:
        return _Nothing()
    return _Bar() if sys.stderr.isatty() and not verbose else _Lines(every=0.0 if verbose else _EVERY)


class Telling(Protocol):
    """Tells how far a run is."""

    def tell(self, progress: Progress) -> None:
        """One more event."""
        ...

    def stop(self) -> None:
        """The run ended."""
        ...


class _Nothing:
    """Says nothing."""

    def tell(self, progress: Progress) -> None:
        """Nothing is said."""

    def stop(self) -> None:
        """Nothing to put away."""


def _outcomes(progress: Progress) -> str:
    """Rate, time left and what was held, as far as there is something to say."""
    held, failed = progress.counts["held"], progress.counts["failed"]
    parts = [_rate(progress.rate)] if progress.rate else []
    if progress.left:
        parts.append(tr("{time} left", time=common.duration(progress.left)))
    parts += [f"{n} {word}" for n, word in ((held, tr("held")), (failed, tr("not cleaned"))) if n]
    return ", ".join(parts)


def _rate(rate: float) -> str:
    """Photos a second, or seconds a photo where one takes longer than a second."""
    return f"{rate:.1f}/s" if rate >= 1 else tr("{seconds} s a photo", seconds=f"{1 / rate:.1f}")


class _Bar:
    """A bar on a terminal, with count, rate, time left and outcomes."""

    def __init__(self) -> None:
        self._bar: Any = None

    def tell(self, progress: Progress) -> None:
        if progress.event == "start":
            self._bar = click.progressbar(
                length=progress.total,
                label=tr("Cleaning, run {run}", run=progress.run),
                width=_bar_width(progress.total),
                show_pos=True,
                show_eta=False,
                show_percent=False,
                file=sys.stderr,
                item_show_func=lambda p: "" if p is None else _now(p),
            )
            self._bar.__enter__()
            self._bar.update(progress.settled)
        elif progress.event == "photo":
            self._bar.update(1, progress)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _now(progress: Progress) -> str:
    """The photo just done, by its safe id, and how it goes."""
    done = progress.report.safe_id if progress.report else ""
    return ", ".join(filter(None, (done, _outcomes(progress))))


def _bar_width(total: int) -> int:
    """What a narrow window leaves beside the words; a line that wraps cannot be drawn over."""
    return max(5, min(30, shutil.get_terminal_size().columns - 72 - 2 * len(str(total))))


class _Lines:
    """Plain lines where there is no terminal: at the start, after the first photo, now and then, at the end.

    Args:
        every: Seconds between two lines; 0 for a line a photo.
    """

    def __init__(self, every: float = _EVERY) -> None:
        self._next, self._every = 0.0, every

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.event == "start":
            common.say(
                tr("Run {run}: {files}.", run=progress.run, files=common.plural(progress.total, "file")), err=True
            )
        elif progress.event == "end" or now >= self._next:
            self._next = now + self._every
            common.say(
                tr("{settled} of {total}, {now}", settled=progress.settled, total=progress.total, now=_now(progress)),
                err=True,
            )

    def stop(self) -> None:
        """Nothing to put away."""


class _Events:
    """One JSON object a line, on standard output."""

    def tell(self, progress: Progress) -> None:
        event: dict[str, Any] = {
            "event": progress.event,
            "run": progress.run,
            "total": progress.total,
            "counts": progress.counts,
            "seconds": round(progress.seconds, 3),
            "rate": round(progress.rate, 3),
            "left": None if progress.left is None else round(progress.left, 1),
            "unchanged": progress.unchanged,
        }
        if progress.report is not None:
            report = progress.report
            event["photo"] = {"id": report.safe_id, "state": report.state, "code": report.error_code}
        common.say_json(event)

    def stop(self) -> None:
        """Nothing to put away."""
