"""One cleaning behind the page: how far it is, what is done already, and which patients are suggested."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Sequence
from pathlib import Path

import msgspec

from medimg.consent.site import SiteProfile
from medimg.engine.batch import Hooks, scrub_folder
from medimg.engine.groups import Suggestion
from medimg.engine.loop import Progress
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run.folder import PREFIX, UNREVIEWED_FOLDER
from medimg.run.request import RunRequest
from medimg.serve.page.stand import Grouping, Settled, Stand, Wanted
from medimg.types import KnownValues


class Cleaning:
    """Runs in one thread; what it is asked meanwhile may come from others.

    Args:
        photos: The folder of the dropped photos.
        out: Where run folders are made.
        policy: The settings.
        hooks: Who loads the detectors.
        workers: Processes.
    """

    def __init__(self, photos: Path, out: Path, policy: Policy, hooks: Hooks, workers: int | None) -> None:
        self._photos, self._out, self._policy, self._workers = photos, out, policy, workers
        self._stopped = False
        self._hooks = msgspec.structs.replace(hooks, progress=self._tell, stop=lambda: self._stopped)
        self._far: Progress | None = None
        self._made: dict[str, Path | None] = {}
        self._asked: Suggestion | None = None
        self._said: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def stop(self) -> None:
        """End it soon."""
        self._stopped = True

    def run(self, wanted: Wanted, known: KnownValues) -> Path:
        """Make the run; its folder.

        Raises:
            MedimgError: It could not be made, or was stopped.
        """
        request = RunRequest(
            photos=(self._photos,),
            out=self._out,
            policy=self._policy,
            audience=wanted.audience,
            where=wanted.where,
            group_by="file" if wanted.each else "folder",
            workers=self._workers,
            again=True,
            known=known,
            save_as=wanted.save_as,
            max_side=wanted.max_side,
            site=SiteProfile.installed(),
        )
        confirm = None if wanted.each else self._confirm  # then nothing is left to be suggested
        return scrub_folder(request, hooks=msgspec.structs.replace(self._hooks, confirm=confirm)).folder

    def _tell(self, progress: Progress) -> None:
        if (report := progress.report) is not None:
            folder = self._out / f"{PREFIX}{progress.run}" / UNREVIEWED_FOLDER
            self._made[report.safe_id] = folder / report.copy.name if report.copy else None
        self._far = progress

    def made(self, safe_id: str) -> Path | None:
        """Where the copy of a photo lies that is done."""
        return self._made.get(safe_id)

    def _confirm(self, told: Suggestion) -> bool:
        """Ask the person, where the suggestion differs from what would be done without it."""
        if not told.differs:
            return False
        self._asked = told
        try:
            while not self._stopped:
                with contextlib.suppress(queue.Empty):
                    return self._said.get(timeout=0.1)
        finally:
            self._asked = None
        return False

    def answer(self, *, use: bool) -> None:
        """Say whether the suggested patients are right.

        Raises:
            UsageError: Nobody asks.
        """
        if self._asked is None:
            raise UsageError("nothing is suggested now.")
        self._said.put(use)

    def told(self, bare: Stand, names: Sequence[str]) -> Stand:
        """How far it is.

        Args:
            bare: What is known without it.
            names: Of the dropped photos, in their order.
        """
        far, asked = self._far, self._asked
        return msgspec.structs.replace(
            bare,
            settled=far.settled if far else 0,
            total=far.total if far else 0,
            left=far.left if far else None,
            done=tuple(Settled(safe_id=i, copy=p is not None) for i, p in list(self._made.items())),
            grouping=self._grouping(asked, names) if asked is not None else None,
        )

    def _grouping(self, asked: Suggestion, names: Sequence[str]) -> Grouping:
        number = {os.fsencode(self._photos / name): n for n, name in enumerate(names)}
        return Grouping(
            now=len(asked.now),
            photos=tuple(tuple(sorted(number[p] for p in paths if p in number)) for paths in asked.photos.values()),
        )
