"""A person who sits at a run and goes through the acts: each is kept as it is done, a release moves the copies at once.

Who shows the screens (a terminal, a window, a page) asks for one, hands back what was done, and says what is told.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec

from medimg.acts import filing
from medimg.acts.deciding import planned
from medimg.acts.filing import FiledAct
from medimg.acts.plan import settled
from medimg.acts.records import Decided, Input, Screen, Walk
from medimg.acts.screens import screen
from medimg.acts.steps import begin, step
from medimg.consent.cards import Store
from medimg.errors import MedimgError
from medimg.report import build
from medimg.run import areas, decisions, looking
from medimg.run import release as releasing
from medimg.run import state as runs
from medimg.run.events import now
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.words import said


class Sitting:
    """One run, and where the person stands in it.

    Args:
        opened: The run.
        groups: The groups that are asked about; all when empty.
        register: Where releases are noted.
        role: Of the person, as far as it is known.
        pictures: Whether areas are decided about in the picture, as in the window; else the acts ask about them.

    Attributes:
        walk: Where the person stands; its state is the one that was saved last.
        troubles: Sentences about cards that cannot be read.
        released: Groups whose copies were moved.

    Raises:
        UsageError: The clock stands before the newest answer.
    """

    def __init__(
        self, opened: OpenRun, groups: Sequence[str], register: Register, role: str = "", *, pictures: bool = False
    ) -> None:
        self._opened, self._register, self._store = opened, register, Store()
        cards, self.troubles = self._store.read()
        self.released: list[str] = []
        self.walk: Walk = begin(
            opened.state,
            opened.reports,
            cards,
            today=datetime.datetime.now(datetime.UTC).date(),
            at=now(),
            groups=groups,
            role=role,
            changed=looking.changed(opened),
            waits=decisions.waiting(decisions.load(opened.folder), opened.reports),
            areas={} if pictures else areas.asked(opened),
        )

    def screen(self) -> Screen | None:
        """What to show; None when nothing is left to do."""
        return screen(self.walk)

    def give(self, done: Input) -> None:
        """Take what the person did, and keep it.

        Raises:
            UsageError: Somebody else answered in the meantime.
            OutputError: It could not be written; the walk stands where it stood.
        """
        before = self.walk
        after = step(msgspec.structs.replace(before, at=now()), done)
        for card in after.new_cards[len(before.new_cards) :]:
            self._store.save(card)
        if after.state is not before.state:
            after = msgspec.structs.replace(after, state=runs.save(self._opened.folder, after.state))
        self.walk = after
        self._decide(after.decided[len(before.decided) :])
        if after.release != before.release:
            self._release(after.release[-1])

    def template(self) -> str:
        """The acts that are open, as a file to be filled in."""
        return filing.template(self.walk)

    def take(self, acts: dict[str, FiledAct]) -> None:
        """Take the acts of an answers file, all or none, and keep them. Nothing is released.

        Raises:
            UsageError: One of them cannot be taken, or somebody else answered in the meantime.
            OutputError: They could not be written.
        """
        after = filing.taken(msgspec.structs.replace(self.walk, at=now()), acts)
        self.walk = msgspec.structs.replace(after, state=runs.save(self._opened.folder, after.state))
        for card in after.new_cards:
            self._store.save(card)
        self._decide(after.decided)

    def _decide(self, new: Sequence[Decided]) -> None:
        """Keep what was decided about areas; of those that were left as they are the reports say so at once."""
        if not new:
            return
        opened = self._opened.at(self.walk.state)
        decided = decisions.load(opened.folder)
        plans = {r.safe_id: r.plan for r in opened.reports if r.plan is not None} | (decided.plans if decided else {})
        for one in new:
            if one.number in plans[one.photo].undecided():  # else somebody else decided in the meantime
                plans[one.photo] = planned(plans[one.photo], one)
        decisions.put(opened.folder, opened.state, opened.reports, {one.photo: plans[one.photo] for one in new})
        self._opened = now = open_run(opened.folder)
        waits = decisions.waiting(decisions.load(now.folder), now.reports)
        self.walk = settled(
            msgspec.structs.replace(self.walk, state=now.state, reports=now.reports, waits=frozenset(waits))
        )

    def _release(self, group: str) -> None:
        """Move the copies of a group; what stands in the way is said on the next screen."""
        state = self.walk.state
        try:
            results = build.results(state, self._opened.reports)
            state = releasing.release(self._opened.at(state), results, [group], self._register, role=self.walk.role)
        except MedimgError as error:
            self.walk = msgspec.structs.replace(self.walk, trouble=f"{said(error.what)} {said(error.todo)}".strip())
            return
        self.walk = msgspec.structs.replace(self.walk, state=state)
        self.released.append(group)


__all__ = ["Sitting"]
