"""The errors medimg raises, and the exit code each stands for.

::

    MedimgError
    ├── UsageError              2   wrong use or wrong settings; nothing was written (a ValueError too)
    │   ├── NotThere                a file or folder that was named is not there
    │   └── WrongType               a value of a type that is not taken (a TypeError too)
    ├── MissingPart             3   a model, program or package that is needed is not there
    ├── InputError             21   this photo cannot be cleaned; it is not copied
    │   ├── Unreadable              the file could not be read from disk
    │   ├── Changed                 it changed while it was being read
    │   ├── NotAPicture             its content is no picture
    │   ├── Unsupported             a picture (or other file) of a kind that is not handled
    │   ├── Malformed               damaged or hostile content
    │   └── TooLarge                over a limit of the policy
    ├── Held                   20   a check failed or could not run; the copy is held
    │   ├── CheckFailed             the written copy did not pass
    │   └── CheckNotRun             a check could not be run
    │       ├── OutOfMemory         the photo needs more memory than a worker may use
    │       ├── OutOfTime           the photo takes longer than the policy allows
    │       └── Crashed             the worker ended while it worked on this photo
    ├── OutputError            30   the output could not be written
    └── Interrupted           130   stopped by the user; nothing half-written is left

A message says what happened, to which photo (by its safe id, never its name) and what to do. No message
quotes input: no file name, path, text, or value from a photo. ``code`` is stable across versions.
"""

from __future__ import annotations

from typing import ClassVar

from medimg.words import mark, said

SAVE_AS_PNG = mark("Open it in a photo program and save it as PNG.")
"""What helps against most refusals; exporting from the device again gives the same file."""


class MedimgError(Exception):
    """Base of every error medimg raises on purpose.

    Args:
        what: What happened, in plain words, without any content of the input.
        todo: What the person can do next.
        safe_id: The photo's safe id (``P01-003``), empty when no photo is meant.
        fault: For a fault nobody foresaw: the type of the exception and medimg's own ``module:line``s it went
            through (:mod:`medimg.faults`), and nothing of what it said.
    """

    code: ClassVar[str] = "M-000"
    exit_code: ClassVar[int] = 1
    todo_default: ClassVar[str] = ""

    def __init__(self, what: str, *, todo: str = "", safe_id: str = "", fault: str = "") -> None:
        self.what = what
        self.fault = fault
        self.todo = todo or self.todo_default
        self.safe_id = safe_id
        super().__init__(what, self.todo, safe_id)

    def __str__(self) -> str:
        photo = f"{self.safe_id}: " if self.safe_id else ""
        todo = f" {self.todo}" if self.todo else ""
        return f"{photo}{self.what}{todo} [{self.code}]"

    def told(self) -> str:
        """What a person reads of it, in their language; ``str()`` is English, as records and logs keep it."""
        photo = f"{self.safe_id}: " if self.safe_id else ""
        todo = f" {said(self.todo)}" if self.todo else ""
        return f"{photo}{said(self.what)}{todo} [{self.code}]"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.todo, self.safe_id, self.fault))

    def about(self, safe_id: str) -> MedimgError:
        """The same error, saying which photo it is about."""
        return type(self)(self.what, todo=self.todo, safe_id=safe_id, fault=self.fault)


def _rebuild(kind: type[MedimgError], what: str, todo: str, safe_id: str, fault: str = "") -> MedimgError:
    return kind(what, todo=todo, safe_id=safe_id, fault=fault)


class UsageError(MedimgError, ValueError):
    """Wrong use or wrong settings; nothing was written."""

    code = "M-USE"
    exit_code = 2


class NotThere(UsageError):
    """A file or folder that was named is not there. It is told by its place in the list, and not quoted."""

    number: int = 0


class WrongType(UsageError, TypeError):
    """A value of a type that is not taken; nothing was written."""


class MissingPart(MedimgError):
    """A model, program or package that is needed is not there."""

    code = "M-MISSING"
    exit_code = 3
    todo_default = "Run 'medimg doctor' to see what is missing and how to install it."


class InputError(MedimgError):
    """This photo cannot be cleaned; it is not copied."""

    code = "M-IN"
    exit_code = 21


class Unreadable(InputError):
    """The file could not be read from disk."""

    code = "M-IN-READ"
    todo_default = "Check that the file is still there and that you may read it."


class Changed(InputError):
    """The file changed while it was being read."""

    code = "M-IN-CHANGED"
    todo_default = "Wait until the transfer has finished, then run again."


class NotAPicture(InputError):
    """The content is not a picture."""

    code = "M-IN-NOTPIC"


class Unsupported(InputError):
    """A picture or other file of a kind that is not handled."""

    code = "M-IN-KIND"
    todo_default = SAVE_AS_PNG


class Malformed(InputError):
    """Damaged or hostile content."""

    code = "M-IN-BAD"
    todo_default = "Open it in a photo program and save it as PNG. If none opens it, copy it from the device again."


class TooLarge(InputError):
    """Over a limit of the policy."""

    code = "M-IN-LARGE"
    todo_default = "Raise the limit in the policy if you trust the file."


class Held(MedimgError):
    """A check failed or could not run; the copy is held."""

    code = "M-HOLD"
    exit_code = 20


class CheckFailed(Held):
    """The written copy did not pass a check."""

    code = "M-HOLD-FAIL"


class CheckNotRun(Held):
    """A check could not be run, so nothing can be said."""

    code = "M-HOLD-NOTRUN"
    todo_default = "Run 'medimg doctor'; then clean this photo again."


class OutOfMemory(CheckNotRun):
    """The photo needs more memory than a worker may use."""

    code = "M-HOLD-MEMORY"
    todo_default = "Clean it alone on a computer with more memory, or make it smaller first."


class OutOfTime(CheckNotRun):
    """The photo takes longer than the policy allows."""

    code = "M-HOLD-TIME"
    todo_default = "Raise limits.seconds in the policy if you trust the file."


class Crashed(CheckNotRun):
    """The worker process ended while it worked on this photo."""

    code = "M-HOLD-CRASH"
    todo_default = SAVE_AS_PNG


class OutputError(MedimgError):
    """The output could not be written."""

    code = "M-OUT"
    exit_code = 30


class Interrupted(MedimgError):
    """Stopped by the user; nothing half-written is left."""

    code = "M-STOP"
    exit_code = 130


__all__ = [
    "Changed",
    "CheckFailed",
    "CheckNotRun",
    "Crashed",
    "Held",
    "InputError",
    "Interrupted",
    "Malformed",
    "MedimgError",
    "MissingPart",
    "NotAPicture",
    "OutOfMemory",
    "OutOfTime",
    "OutputError",
    "TooLarge",
    "Unreadable",
    "Unsupported",
    "UsageError",
]
