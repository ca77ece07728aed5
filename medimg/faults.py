"""Where an unforeseen fault happened, without what it said: its message may quote a photo."""

from __future__ import annotations

import sys

from medimg.errors import CheckNotRun

PACKAGE = __name__.partition(".")[0]


def places(error: BaseException) -> tuple[str, ...]:
    """``module:line`` of medimg's own frames in the traceback, outermost first.

    A frame counts only when its globals are those of an imported module of medimg, so that what comes back is the
    name of a file of this package and a number in it, whatever was worked on.
    """
    out = []
    at = error.__traceback__
    while at is not None:
        names = at.tb_frame.f_globals
        name = names.get("__name__")
        if isinstance(name, str) and name.partition(".")[0] == PACKAGE:
            module = sys.modules.get(name)
            if module is not None and vars(module) is names:
                out.append(f"{name}:{at.tb_lineno}")
        at = at.tb_next
    return tuple(out)


def kind(error: BaseException) -> str:
    """The type of an exception and the innermost of its :func:`places`: ``KeyError in medimg.formats.filename:40``."""
    where = places(error)
    return type(error).__name__ + (f" in {where[-1]}" if where else "")


def unexpected(what: str, error: BaseException) -> CheckNotRun:
    """The error for a fault nobody foresaw; ``what`` comes before its kind."""
    return CheckNotRun(f"{what} ({kind(error)}).", fault=" ".join((type(error).__name__, *places(error))))
