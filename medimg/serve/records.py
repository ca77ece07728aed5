"""What goes in and out of the HTTP worker, as its description publishes it."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.types import NOTHING_KNOWN, KnownValues, Report


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A photo as JSON: its bytes in base64, and values known to belong to the person."""

    photo: str
    known: KnownValues = NOTHING_KNOWN


class MadeCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that passed every check and that nobody has looked at yet; ``data`` is base64."""

    media_type: str
    suffix: str
    sha256: str
    data: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a photo. ``copy`` is null when it was held or refused; the report says why."""

    report: Report
    copy: MadeCopy | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that was taken to be answered later, and whether its answer is there."""

    id: str
    state: Literal["waiting", "done"]


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """Every job of the folder, in no order."""

    jobs: list[Job]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs were removed, with all of their files."""

    removed: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That the workers run, and with what."""

    status: str
    version: str
    engines: dict[str, str]
    workers: int
    policy: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not served (RFC 9457, with members of medimg's own); never a word of what was sent.

    ``title`` and ``status`` are HTTP's; ``code`` is that of the error, ``what`` happened, ``todo`` may help.
    """

    type: str = "about:blank"
    title: str
    status: int
    code: str
    what: str
    todo: str = ""
