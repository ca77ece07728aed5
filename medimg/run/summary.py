"""``run.json``: how a run ended, for programs; without patient information."""

from __future__ import annotations

from typing import Literal

import msgspec


class CopyFile(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of the run, by its neutral name."""

    name: str
    format: str
    bytes: int
    sha256: str


class KeptBack(msgspec.Struct, frozen=True, kw_only=True):
    """A photo without a copy: its safe id, the state of its report, and the error code."""

    id: str
    state: str
    code: str


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not finished or not well."""

    name: str
    exit_code: int
    words: str


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file.

    Attributes:
        run: Random tag of the run folder.
        medimg: Version.
        finished: False when ``--resume`` has something to do.
        at: UTC time of the end, ISO 8601.
        scope: ``metadata-only`` when text, codes and faces were not checked.
        policy: Digest of the settings.
        engines: Engine or model -> version.
        audience: For whom.
        where: Countries whose questions were asked; none means all.
        photos: Report state -> how many.
        set_aside: Reason -> how many things that were found and not cleaned.
        found: Kind of finding -> category -> how many.
        groups: Patient group -> ``open``, ``stop`` or ``answered``, at the end of the run.
        copies: What lies in ``unreviewed/``.
        kept_back: What has no copy.
        versions: Safe ids of photos that are versions of one, to go by the names of their files.
        conditions: Worst first.
        exit_code: That of the worst condition.
    """

    schema: Literal["medimg.run/1"] = "medimg.run/1"
    run: str
    medimg: str
    finished: bool
    at: str
    scope: Literal["full", "metadata-only"]
    policy: str
    engines: dict[str, str]
    audience: str
    where: tuple[str, ...]
    photos: dict[str, int]
    set_aside: dict[str, int]
    found: dict[str, dict[str, int]]
    groups: dict[str, str]
    copies: tuple[CopyFile, ...]
    kept_back: tuple[KeptBack, ...]
    versions: tuple[tuple[str, ...], ...] = ()
    conditions: tuple[Condition, ...]
    exit_code: int
