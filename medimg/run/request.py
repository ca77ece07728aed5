"""What is asked of a run: one record for the command line, the window, watching, a cluster, and the journal."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.consent.context import SharingContext, country
from medimg.consent.site import SiteProfile
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run import scan, storage
from medimg.run.folder import beside, refuse_among
from medimg.run.journal import Settings
from medimg.types import NOTHING_KNOWN, KnownValues

EXIT_CODES = {"output": 30, "hold": 20, "stop": 12, "unreadable": 21, "questions": 11, "review": 10}
"""Everything that can be unfinished or not well with a run, worst first, and its exit code."""
CONDITIONS = tuple(EXIT_CODES)
CHAT = 2048
"""Longest side, in pixels, of copies for a chat, where it is not said: a wound still fills a screen."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Files and folders to be cleaned into a new run folder, and how.

    Attributes:
        photos: Files and folders; folders with everything below them. Links are not followed.
        out: Where the run folder is made; beside the folder of the photos when not given.
        policy: The settings; the shipped ones when none are given.
        audience: For whom the copies are (see the consent checklist).
        where: Countries whose questions are asked; none means all.
        known: Values known to belong to the persons; kept in memory only.
        keep_key: Write the list of original names to the private part of the run folder.
        group_by: What is one patient's group: ``folder``, ``file`` (each by itself), or a CSV file that says it
            (:func:`medimg.engine.groups.from_csv`).
        workers: Worker processes; as many as suit the machine when not given.
        resume: Go on with the newest unfinished run of the same photos under ``out``; start one when there is none.
        again: Also do photos that an earlier run under ``out`` has done with the same settings, version and models.
        fail_on: Conditions that give an exit code; ``output`` always does.
        save_as: ``jpeg`` for copies of HEIC and AVIF photos that are a half to a third of the size of the exact PNG;
            empty for what the policy says.
        max_side: Pixels of the longest side of the copies, at most; 0 leaves them as large as the photos.
        site: The organisation's profile; what it does not allow is refused.
    """

    photos: Sequence[str | os.PathLike[str] | scan.Root]
    out: str | os.PathLike[str] | None = None
    policy: Policy | None = None
    audience: str = "closed-group"
    where: Sequence[str] = ()
    known: KnownValues = NOTHING_KNOWN
    keep_key: bool = False
    group_by: str | os.PathLike[str] = "folder"
    workers: int | None = None
    resume: bool = False
    again: bool = False
    fail_on: Collection[str] = CONDITIONS
    save_as: Literal["", "jpeg"] = ""
    max_side: int = 0
    site: SiteProfile | None = None

    def checked(self, *, suggest: bool = False) -> CheckedRequest:
        """The request with its defaults filled in.

        Args:
            suggest: Groups will be suggested, and not only taken as given.

        Raises:
            UsageError: Something in it cannot be done; nothing was written.
            MedimgError: The shipped policy, or what was named, cannot be read.
        """
        policy = self.policy if self.policy is not None else Policy.load()
        if self.save_as:
            policy = policy.with_heif(self.save_as)
        if self.max_side:
            policy = policy.with_side(self.max_side)
        where = tuple(map(country, self.where))
        context = SharingContext(audience=self.audience, jurisdictions=where).checked()
        if self.workers is not None and self.workers < 1:
            raise UsageError("at least one worker is needed.")
        roots = scan.roots(self.photos)
        if self.out is not None and storage.is_url(os.fspath(self.out)):
            raise UsageError(
                "a run folder is private and lies on this computer.",
                todo="Name a folder with -o; after the release: medimg upload RUN URL.",
            )
        out = Path(storage.plain(os.fspath(self.out))) if self.out is not None else beside(roots)
        refuse_among(out, [r for r in roots if not storage.is_url(r.folder)])
        if self.site is not None:
            self.site.allows(context, out, key=self.keep_key)
        settings = Settings(
            roots=tuple(roots),
            policy=policy.digest,
            group_by=_grouping(self.group_by, suggest=suggest),
            audience=self.audience,
            where=where,
            keep_key=self.keep_key,
            known=(len(self.known.names), len(self.known.numbers), len(self.known.dates)),
        )
        return CheckedRequest(request=self, policy=policy, context=context, out=out, settings=settings)


class CheckedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that can be carried out.

    Attributes:
        request: What was asked.
        policy: Its settings.
        context: For whom and where.
        out: Where the run folder is made.
        settings: What the journal keeps of it, so that a run is resumed with the same.
    """

    request: RunRequest
    policy: Policy
    context: SharingContext
    out: Path
    settings: Settings

    @property
    def roots(self) -> tuple[scan.Root, ...]:
        """The folders the photos come from."""
        return self.settings.roots


def _grouping(group_by: str | os.PathLike[str], *, suggest: bool) -> str:
    """How the journal names it: of a file its digest, so that a resumed run is given the same one."""
    name = str(group_by)
    if name not in ("folder", "file"):
        try:
            name = hashlib.sha256(Path(group_by).read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(
                "the groups file could not be read.", todo="--group-by takes folder, file, or a CSV file."
            ) from error
    return f"{name}, suggested" if suggest else name
