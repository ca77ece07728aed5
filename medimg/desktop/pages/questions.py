"""What the checklist page shows and does, without a window: rows, answers that are saved one by one, stops, release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.acts import answering, pages
from medimg.acts.answering import BATCH, EACH_FILE
from medimg.acts.pages import Ask
from medimg.consent.answers import NOT_APPLICABLE
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import Flag
from medimg.consent.rules import basis_refused
from medimg.consent.standing import GroupResult, Standing
from medimg.errors import MedimgError
from medimg.report import build, refresh
from medimg.run import release as releasing
from medimg.run import state as runs
from medimg.run.events import now
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.run.share import Share
from medimg.run.state import RunState
from medimg.words import tr

CONDITIONS = "conditions"
StopKind = Literal["advice", "consent", "withdrawn"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One question as it is shown.

    Attributes:
        ask: The library's ask: text, help, possible answers, what it is about.
        chosen: The answer that counts now; empty for none.
        state: Of the library's standing; a condition is ``closed`` once it was said.
        why: The reason for the state, in the library's words.
        needed: Whether it has to be answered before sharing.
        by_site: The organisation's profile answered it.
        set_by_site: The organisation added the question or made it needed.
        note: The note that goes with the answer; record part only.
        valid_until: ISO date after which the answer no longer counts.
        apart: Whether one answer now holds for several pictures, which could be answered one by one.
    """

    ask: Ask
    chosen: str = ""
    state: str = "open"
    why: str = ""
    needed: bool = False
    by_site: bool = False
    set_by_site: bool = False
    note: str = ""
    valid_until: str = ""
    apart: bool = False

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What stays the same while answers come and go."""
        return self.ask.item, self.ask.subjects


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under one heading."""

    key: str
    title: str
    rows: tuple[Row, ...]


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Why a group must not go on.

    Attributes:
        kind: A stop of the checklist, a plain *no* to a question about consent, or a withdrawal.
        reasons: The questions, in the checklist's words.
    """

    group: str
    kind: StopKind
    reasons: tuple[str, ...]


class Questions:
    """A run's questions. Every change is written to ``answers.json`` before it is shown.

    Args:
        run: The run folder.

    Raises:
        UsageError: It is not a run folder, was edited by hand, or was written by a newer version.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self.role = ""
        self.by_picture: set[str] = set()
        self._stale = False
        self.results: dict[str, GroupResult] = {}
        self.reload()

    def reload(self) -> None:
        """Read the run again, as another window or the command line may have changed it."""
        self.opened = open_run(self._run)
        self._settle(self.opened.state)

    def _settle(self, state: RunState, group: str = "") -> None:
        """Where every group stands now; only ``group`` is judged again when nothing else can have changed."""
        self.opened = msgspec.structs.replace(self.opened, state=state)
        if group:
            alone = msgspec.structs.replace(state.run, groups={group: state.run.groups[group]})
            one = build.results(msgspec.structs.replace(state, run=alone), self.opened.reports)
            self.results = {**self.results, **one}
        else:
            self.results = build.results(state, self.opened.reports)
        self._given = self._count()

    @property
    def state(self) -> RunState:
        """What was said so far, as it lies on disk."""
        return self.opened.state

    @property
    def subjects(self) -> tuple[str, ...]:
        """The parts of the checklist: each patient, then what is answered once for all."""
        return (*self.state.run.groups, BATCH)

    # ------------------------------------------------------------------ what is shown

    def sections(self, subject: str) -> list[Section]:
        """The questions of one part, with what settles the others first."""
        if subject == BATCH:
            asked = pages.batch_pages(self.results, again=True)
            first: list[Section] = []
        else:
            asked = pages.question_pages(self.results, subject, again=True)
            first = [self._conditions(subject)]
        standing = self._standings(subject)
        out = []
        for page in asked:
            rows = [self._row(a, standing) for ask in page.asks for a in self._split(ask)]
            out.append(Section(key=f"{subject}/{page.title}", title=page.title, rows=tuple(rows)))
        return [*first, *out]

    def _split(self, ask: Ask) -> list[Ask]:
        if ask.item not in self.by_picture or len(ask.subjects) < 2:
            return [ask]
        return [msgspec.structs.replace(ask, subjects=(s,)) for s in ask.subjects]

    def _conditions(self, group: str) -> Section:
        page = pages.conditions_page(self.state, self.results[group], again=True)
        said = {**self.state.context.conditions, **self.state.conditions.get(group, {})}
        rows = [
            Row(ask=a, chosen=said.get(a.item, ""), state="closed" if said.get(a.item, "") else "open")
            for a in page.asks
        ]
        return Section(key=f"{group}/{CONDITIONS}", title=page.title, rows=tuple(rows))

    def _standings(self, subject: str) -> dict[tuple[str, str], Standing]:
        results = self.results.values() if subject == BATCH else [self.results[subject]]
        return {(s.question.id, one): s for r in results for s in r.standings for one in s.subjects}

    @staticmethod
    def _row(ask: Ask, standing: dict[tuple[str, str], Standing]) -> Row:
        s = standing[ask.item, ask.subjects[0]]
        answer = s.answer
        return Row(
            ask=ask,
            chosen=answer.choice if answer else "",
            state=s.state,
            why=s.why,
            needed=s.question.blocking,
            by_site=answer is not None and answer.by == "site",
            set_by_site=s.question.set_by_site,
            note=answer.note if answer else "",
            valid_until=answer.valid_until if answer else "",
            apart=s.question.item.subject == "file" and ask.item != EACH_FILE and len(ask.subjects) > 1,
        )

    def checks(self, group: str) -> list[Standing]:
        """What the checks answer by themselves, of one patient."""
        return [s for s in self.results[group].standings if s.question.asked and s.question.item.evidence == "auto"]

    def progress(self, subject: str = "") -> tuple[int, int]:
        """How many needed answers of a person are given, and how many there are. Of the whole run by default."""
        mine = [n for s, n in self._given.items() if subject in ("", s)]
        return sum(given for given, _ in mine), sum(needed for _, needed in mine)

    def _count(self) -> dict[str, tuple[int, int]]:
        needed: dict[str, dict[str, bool]] = {s: {} for s in self.subjects}
        for group, result in self.results.items():
            for s in result.standings:
                if s.question.blocking and s.question.item.evidence != "auto":
                    mine = needed[BATCH if s.question.item.subject == "batch" else group]
                    mine[s.question.id] = mine.get(s.question.id, True) and not s.waits
        return {s: (sum(mine.values()), len(mine)) for s, mine in needed.items()}

    def unsaid(self, group: str) -> int:
        """How many conditions of a patient were not said yet."""
        said = self.results[group].context
        return sum(said.flag(c) == "not-sure" for c in ChecklistDefinition.load().conditions)

    def stop(self, group: str) -> Stop | None:
        """Why this group must not go on, if so."""
        result = self.results[group]
        if self.state.is_withdrawn(group):
            return Stop(group=group, kind="withdrawn", reasons=())
        if result.overall == "stop":
            items = ChecklistDefinition.load()
            return Stop(group=group, kind="advice", reasons=tuple(items.item(i).ask for i in result.stops))
        refused = tuple(s.question.item.ask for s in result.standings if _refused(s))
        return Stop(group=group, kind="consent", reasons=refused) if refused else None

    # ------------------------------------------------------------------ what a person says

    def answer(self, ask: Ask, choice: str, note: str = "") -> None:
        """Keep one answer, on disk, before anything else happens.

        Raises:
            UsageError: Somebody else wrote in the meantime, or the answer is not possible.
            OutputError: It could not be written.
        """
        state = self.state
        if ask.condition:
            flag: Flag = choice  # type: ignore[assignment]
            state = answering.with_condition(state, ask.subjects[0], ask.item, flag)
        else:
            more = {"role": self.role, "at": now(), "note": note}
            state = answering.answered_by(state, ask.item, ask.subjects, choice, **more)
        self._keep(state, "" if BATCH in ask.subjects else ask.subjects[0].partition("-")[0])

    def note(self, row: Row, text: str) -> None:
        """Keep the note of an answer that was given."""
        mine = [a for a in self.state.answers if a.item == row.ask.item and a.subject in row.ask.subjects]
        if not mine or all(a.note == text for a in mine):
            return
        self._keep(runs.with_answers(self.state, [msgspec.structs.replace(a, note=text, at=now()) for a in mine]))

    def recipients(self, group: str, text: str) -> None:
        """Keep with whom a group is shared; it goes to the record part and the register alone."""
        if text.strip() != self.state.recipients.get(group, ""):
            self._keep(runs.with_recipients(self.state, group, text), group)

    def refused(self, ask: Ask, choice: str) -> str:
        """Why this answer cannot be chosen here; empty when it can."""
        if choice == NOT_APPLICABLE and choice not in ask.choices:
            return tr("'does not apply' is no answer to this question.")
        if ask.item != "con.basis":
            return ""
        return basis_refused(choice, self.state.group_context(ask.subjects[0]))

    def _keep(self, state: RunState, group: str = "") -> None:
        self._settle(runs.save(self.opened.folder, state), group)
        self._stale = True

    def write_sheets(self) -> None:
        """Write the sheets again, if anything was said since.

        Raises:
            OutputError: A sheet could not be written.
        """
        if self._stale:
            self.results = refresh(self.state, self.opened.reports, self.opened.folder)
            self._stale = False

    # ------------------------------------------------------------------ release

    def ready(self) -> list[str]:
        """The groups that can be released now and are not released as a whole."""
        return [
            group
            for group, result in self.results.items()
            if result.overall == "answered" and self.stop(group) is None and self._unreleased(group)
        ]

    def _unreleased(self, group: str) -> bool:
        released = self.state.released_names(group)
        return any(r.copy is not None and r.copy.name not in released for r in self.opened.of(group))

    def copies(self, group: str) -> int:
        """How many covered copies a group has."""
        return sum(r.copy is not None for r in self.opened.of(group))

    def share(self) -> tuple[Share, list[str]]:
        """What lies in the share folder, and what is wrong with it, in plain words.

        Raises:
            CheckFailed: It could not be read.
        """
        return releasing.share_of(self.opened, Register())

    def release(self, groups: Sequence[str]) -> None:
        """Move the copies of answered groups to the share folder, and write the sheets.

        Raises:
            UsageError: A group is not answered; nothing was moved.
            CheckFailed: A copy is not the one that was checked; nothing was moved.
            OutputError: A file could not be moved.
        """
        try:
            state = releasing.release(self.opened, self.results, groups, Register(), role=self.role)
        except MedimgError:
            self.reload()
            raise
        self._settle(state)
        self._stale = True
        self.write_sheets()

    def reopen(self, group: str) -> None:
        """Take a group's copies back from the share folder, and write the sheets.

        Raises:
            OutputError: A file could not be moved back.
        """
        try:
            state = releasing.reopen(self.opened, [group], Register(), role=self.role)
        except MedimgError:
            self.reload()
            raise
        self._settle(state)
        self._stale = True
        self.write_sheets()


def _refused(standing: Standing) -> bool:
    """Whether a person said a plain no to what consent or care needs."""
    return (
        standing.waits
        and standing.state == "failed"
        and standing.question.item.section in ("con", "who")
        and standing.answer is not None
        and standing.answer.choice == "no"
    )


def overall_words(result: GroupResult) -> str:
    """The fixed words for where a group stands."""
    return build.status(ChecklistDefinition.load(), result.overall)
