"""One run, opened in the window: plans as the person edits them, what was looked at, and the work that follows.

Every step is written to the run folder before anything else happens. What cannot be written stays here, is said, and is
tried again with the next step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from medimg.acts import answering
from medimg.api import load_detectors
from medimg.desktop import edits, pictures
from medimg.desktop.seen import Seen
from medimg.desktop.work import Lane, in_worker
from medimg.engine import apply as applying
from medimg.engine import worker
from medimg.engine.pool import MEMORY_FULL, Workers
from medimg.engine.worker import Maker, Setup
from medimg.errors import MedimgError, UsageError
from medimg.policy import Policy
from medimg.run import decisions, originals
from medimg.run import state as runs
from medimg.run.events import now
from medimg.run.opened import open_run
from medimg.types import NOTHING_KNOWN, Colour, KnownValues, Plan, Report
from medimg.vocabulary import Kind, PhotoState, Reason

THUMB = 360
"""Longest side of a picture in the overview, in pixels."""
_TRIES = 3


class Session(QObject):
    """A run and everything the person does with its photos.

    Args:
        run: The run folder.
        places: Where the originals may be.
        parent: Its owner.
        make: Loads the detectors that look at a copy again.
        policy: The settings the run was made with; the shipped ones when not given.
        known: What the person knows of the patients, for the checks of new copies.

    Signals:
        changed: Safe id of a photo whose plan, copy or state changed.
        coloured: Safe id of a photo whose copy's colour of covers is known now.
        trouble: The :class:`MedimgError` of something that could not be saved or done; None when it is well again.
        located: The originals were looked for.
        settled: Safe id of a photo whose decisions were applied, or could not be.
        drained: Everything was applied and the sheets are written, as far as that was possible.

    Raises:
        MedimgError: It is not a run folder, or one of a newer version.
    """

    changed = Signal(str)
    coloured = Signal(str)
    trouble = Signal(object)
    located = Signal()
    settled = Signal(str)
    drained = Signal()

    def __init__(
        self,
        run: Path,
        places: Sequence[Path] = (),
        parent: QObject | None = None,
        make: Maker = load_detectors,
        policy: Policy | None = None,
        known: KnownValues = NOTHING_KNOWN,
    ) -> None:
        super().__init__(parent)
        self.opened = open_run(run)
        self._reports = {r.safe_id: r for r in self.opened.reports}
        self.folder = self.opened.folder
        self.policy = policy if policy is not None else Policy.load()
        with contextlib.suppress(UsageError):  # made with other settings: then nothing is made again here
            self.policy = applying.policy_of(self.opened, self.policy)
        decided = decisions.load(self.folder)
        shown = decisions.of(self.opened.state.run.tag, self.opened.reports)
        self.plans: dict[str, Plan] = {**shown.plans, **(decided.plans if decided else {})}
        self._lost = set(decisions.lost(decided, self.opened.reports))
        self.found: dict[str, Path] = {}
        self._seen: dict[str, tuple[str, Colour]] = {}
        self.looked = self._answered()
        self.again: set[str] = set()
        self.seen: dict[str, Seen] = {}
        """What was seen of each photo since the run was opened; what was noted as looked at stands in the answers."""
        self.order = [
            r.safe_id for r in sorted(self.opened.reports, key=self._badness) if r.state != PhotoState.REFUSED
        ]
        self.undo = edits.Undo(self)
        self.unsaved = False
        self._unsaid: set[str] = set()
        self.making: set[str] = set()
        light = msgspec.structs.replace(self.policy, scope="metadata-only")
        decode = Setup(policy=light, memory=MEMORY_FULL)
        self._near = Lane(decode, self, latest=True)
        self._far = Lane(decode, self)
        scope = self.opened.state.run.scope
        self._known = known
        whole = msgspec.structs.replace(self.policy, scope=scope)
        self._main = Lane(Setup(policy=whole, known=known, make=make), self)
        self.locate(places)

    # -- what there is

    def report(self, safe_id: str) -> Report:
        """The report of a photo, as of its copy."""
        return self._reports[safe_id]

    def group(self, safe_id: str) -> list[str]:
        """The photos of the same patient."""
        key = safe_id.partition("-")[0]
        return [i for i in self.order if i.partition("-")[0] == key]

    def faces(self) -> int:
        """Faces that the checks found in all photos; what a person called no face is none."""
        actions = [a for p in self.plans.values() for a in p.actions if a.finding.kind == Kind.FACE]
        return sum(a.finding.count for a in actions if a.why != Reason.NO_FACE)

    def refused(self) -> int:
        """Files that were no pictures, or of a kind that is not handled."""
        return sum(r.state == PhotoState.REFUSED for r in self.opened.reports)

    def waiting(self) -> list[str]:
        """Photos with decisions that no copy shows yet."""
        return [r.safe_id for r in self.opened.reports if self.plans.get(r.safe_id, r.plan) != r.plan]

    def foreign(self) -> bool:
        """Whether the run was made with other settings, so that no changed decision can be applied here."""
        try:
            applying.policy_of(self.opened, self.policy)
        except UsageError:
            return True
        return False

    def copy(self, safe_id: str) -> Path | None:
        """Where the copy of a photo is."""
        return self.opened.copy_of(self.report(safe_id))

    def _answered(self) -> set[str]:
        return {a.subject for a in self.opened.state.answers if a.item == answering.EACH_FILE and a.choice == "yes"}

    def _badness(self, report: Report) -> tuple[int, float, str]:
        plan = self.plans.get(report.safe_id)
        if plan is None:
            return (4, 0.0, report.safe_id)
        covered = [a.finding.score for a in plan.doing("cover") if a.finding.region is not None]
        if report.state == PhotoState.HELD or plan.doing("hold"):
            rank = 0
        elif plan.doing("ask"):
            rank = 1
        elif edits.unread(plan) or any(a.why == Reason.SECOND_LOOK for a in plan.actions):
            rank = 2
        else:
            rank = 3
        return (rank, min(covered, default=1.0), report.safe_id)

    # -- what the person does

    def edit(self, here: str, words: str, after: edits.Plans, joins: str = "") -> None:
        """Change plans, in a way that can be undone.

        Args:
            here: The photo in which the person does it, and can undo it.
            words: What was done.
            after: The plans as they are then, by safe id.
            joins: As for :class:`~medimg.desktop.edits.Edit`.
        """
        before = {i: self.plans[i] for i in after}
        if before != dict(after):
            self.undo.push(here, edits.Edit(words, before, after, partial(self._put, here), joins))

    def _put(self, here: str, plans: edits.Plans, before: edits.Plans) -> None:
        # What was done in another photo since then stays.
        plans = {i: p for i, p in plans.items() if i == here or self.plans[i] == before[i]}
        self.plans.update(plans)
        self._lost -= plans.keys()
        self.save()
        for safe_id in plans:
            self.looked.discard(safe_id)
            self.changed.emit(safe_id)

    def save(self) -> bool:
        """Write the decisions; False when they could not be written. They are kept here then."""
        # What was decided about a photo and is gone from the file stays gone: the copy may not show it.
        plans = {i: p for i, p in self.plans.items() if i not in self._lost}
        try:
            decisions.save(self.folder, decisions.Decisions(run=self.opened.state.run.tag, plans=plans))
        except MedimgError as error:
            self.unsaved = True
            self.trouble.emit(error)
            return False
        if self.unsaved:
            self.unsaved = False
            self.trouble.emit(None)
        if self._unsaid:
            self._say_looked(set())
        return True

    def look_done(self, safe_id: str) -> None:
        """The person has seen all of a photo: apply what was decided, then note it."""
        if safe_id in self.waiting():
            self._apply([safe_id], looked={safe_id})
        else:
            self._looked_at(safe_id)

    def _looked_at(self, safe_id: str) -> None:
        if safe_id not in self.looked:
            self.undo.push(safe_id, edits.Looked(self.tr("Looked at"), partial(self._note, safe_id)))

    def _note(self, safe_id: str, looked: bool) -> None:
        """Write down that a photo was looked at, or that it was not."""
        if looked:
            self._say_looked({safe_id})
            return
        self._unsaid.discard(safe_id)
        self.looked.discard(safe_id)
        taken = partial(_note_looked, self.folder, frozenset((safe_id,)), choice="not-sure")
        self._main.give(taken, partial(self._said_not_looked, safe_id))
        self.changed.emit(safe_id)

    def _said_not_looked(self, safe_id: str, result: Any) -> None:
        self._said_looked(frozenset(), result)
        self.changed.emit(safe_id)

    def end(self) -> None:
        """Apply everything that waits and write the sheets; then :attr:`drained`."""
        if left := [i for i in self.waiting() if i not in self.making]:
            self._apply(left, looked=set())
        self._main.give(in_worker(worker.sheets_again, str(self.folder), seconds=3600.0), self._sheets_done)

    def _sheets_done(self, result: Any) -> None:
        if isinstance(result, MedimgError):
            self.trouble.emit(result)
        self.drained.emit()

    # -- pictures

    def locate(self, places: Iterable[Path]) -> None:
        """Look for the originals in files and folders."""
        missing = [r for r in self.opened.reports if r.safe_id not in self.found and r.state != PhotoState.REFUSED]
        there = list(places)
        if not there or not missing:
            return
        self._far.give(lambda _pool: originals.find(missing, there), self._located)

    def _located(self, result: Any) -> None:
        if isinstance(result, dict):
            self.found.update(result)
        self.located.emit()

    def near(self, safe_id: str, then: Callable[[pictures.Drawn | MedimgError], None]) -> bool:
        """Have the original decoded, or the copy where the original is not there; True for the original."""
        original = self.found.get(safe_id)
        path = original or self.copy(safe_id)
        if path is None:
            return False
        plan = self.plans.get(safe_id) if original else None
        self._near.give(in_worker(pictures.draw, bytes(path), self.policy, 0, plan), then)
        return original is not None

    def far(self, safe_id: str, then: Callable[[pictures.Drawn | MedimgError], None]) -> None:
        """Have a small picture of the copy made, if there is one."""
        path, made = self.copy(safe_id), self.report(safe_id).copy
        if path is not None and made is not None:
            job = in_worker(pictures.draw, bytes(path), self.policy, THUMB, None, made.covered)
            self._far.give(job, partial(self._far_drawn, safe_id, made.sha256, then))

    def _far_drawn(
        self, safe_id: str, digest: str, then: Callable[[pictures.Drawn | MedimgError], None], drawn: Any
    ) -> None:
        then(drawn)
        if isinstance(drawn, pictures.Drawn) and drawn.colour is not None:
            self._seen[safe_id] = (digest, drawn.colour)
            self.coloured.emit(safe_id)

    def unchanged(self, safe_id: str) -> bool:
        """Whether the copy shows what is decided now."""
        report = self.report(safe_id)
        return report.copy is not None and self.plans.get(safe_id) == report.plan

    def colour_seen(self, safe_id: str) -> Colour | None:
        """The colour of the covers of a copy that shows what is decided now; None when that is not known (yet)."""
        made = self.report(safe_id).copy
        digest, colour = self._seen.get(safe_id, ("", None))
        return colour if made is not None and made.sha256 == digest and self.unchanged(safe_id) else None

    def colour_to_be(self, safe_id: str, then: Callable[[Colour | MedimgError], None]) -> None:
        """Have the colour chosen that the covers of the next copy get."""
        path, plan = self.found.get(safe_id), self.plans.get(safe_id)
        if path is not None and plan is not None:
            self._near.give(in_worker(pictures.colour, bytes(path), self.policy, plan), then)

    # -- what follows

    def _apply(self, ids: Collection[str], looked: set[str]) -> None:
        if not self.save():
            return
        sent = {i: self.plans[i] for i in ids}
        where = {i: self.found[i] for i in ids if i in self.found}
        self.making |= set(ids)
        for safe_id in ids:
            self.changed.emit(safe_id)

        def job(pool: Workers) -> applying.Applied:
            return applying.apply(
                self.folder, only=set(ids), found=where, policy=self.policy, known=self._known, pool=pool
            )

        self._main.give(job, partial(self._applied, sent, looked))

    def _applied(self, sent: dict[str, Plan], looked: set[str], result: Any) -> None:
        self.making -= sent.keys()
        done: set[str] = set()
        self._read_again()
        if isinstance(result, MedimgError):
            self.trouble.emit(result)
        else:
            for safe_id, report in result.reports.items():
                if self.plans.get(safe_id) != sent[safe_id] or report.plan is None:
                    continue  # the person went on with it in the meantime
                self.plans[safe_id] = report.plan
                more = len(report.plan.actions) > len(sent[safe_id].actions)
                (self.again.add if more else self.again.discard)(safe_id)
                if more:
                    self.seen.pop(safe_id, None)  # there is something new to see
                if report.state == PhotoState.UNREVIEWED and not more and safe_id in looked:
                    done.add(safe_id)
            for error in result.left.values():
                self.trouble.emit(error)
            self.save()
        for safe_id in sorted(done):
            self._looked_at(safe_id)
        for safe_id in sent:
            self.changed.emit(safe_id)
            self.settled.emit(safe_id)

    def _read_again(self) -> None:
        try:
            self.opened = open_run(self.folder)
        except MedimgError as error:
            self.trouble.emit(error)
        else:
            self._reports = {r.safe_id: r for r in self.opened.reports}
            self.looked = self._answered() | self._unsaid

    def _say_looked(self, ids: set[str]) -> None:
        self._unsaid |= ids
        self.looked |= ids
        saying = frozenset(self._unsaid)
        self._main.give(partial(_note_looked, self.folder, saying), partial(self._said_looked, saying))
        for safe_id in ids:
            self.changed.emit(safe_id)

    def _said_looked(self, said: frozenset[str], result: Any) -> None:
        if isinstance(result, MedimgError):
            self.unsaved = True
            self.trouble.emit(result)
            return
        self._unsaid -= said
        self._read_again()

    def close(self) -> None:
        """Stop every worker."""
        for lane in (self._near, self._far, self._main):
            lane.close()


def _note_looked(folder: Path, ids: frozenset[str], _pool: Workers, choice: str = "yes") -> None:
    """Answer *opened at full size* for some copies; in a lane, so that it never meets decisions being applied.

    Raises:
        MedimgError: It could not be written.
    """
    for tries_left in range(_TRIES - 1, -1, -1):
        state = runs.load(folder)
        if state is None:
            return
        here = [i for i in sorted(ids) if i in state.digests]
        try:
            runs.save(folder, answering.answered_by(state, answering.EACH_FILE, here, choice, at=now()))
        except UsageError:
            if not tries_left:
                raise
        else:
            return
