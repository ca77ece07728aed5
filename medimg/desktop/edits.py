"""Changes a person makes to plans, as functions of plans, and the commands that undo and redo them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtGui import QPolygonF, QUndoCommand, QUndoGroup, QUndoStack

from medimg import geometry
from medimg.covers import cover_polygon
from medimg.policy import Policy
from medimg.run.plans import BY, cropped, decided, drawn, with_action
from medimg.types import Action, Box, Finding, Plan, Polygon, Region
from medimg.vocabulary import Category, Kind, Reason

SMALLEST = 3.0
"""Shortest side of an area, in pixels."""
SAME = 0.3
"""Least share that two areas have in common (intersection over union) to be the same place."""

Plans = Mapping[str, Plan]


def areas(plan: Plan, policy: Policy, *, harmless: bool) -> list[tuple[int, int, Action]]:
    """What can be seen in the picture: its number for people, its place in the plan, and the action.

    The numbers stay the same whatever is decided: what the policy holds for harmless comes last.

    Args:
        plan: The plan.
        policy: Says which writing is harmless.
        harmless: Also what was judged harmless and is shown.
    """
    places = [n for n, a in enumerate(plan.actions) if a.finding.region is not None]
    places.sort(key=lambda n: (_kept_by(policy, plan.actions[n].finding), n))
    numbered = [(number, n, plan.actions[n]) for number, n in enumerate(places, 1)]
    return [row for row in numbered if harmless or not _is_harmless(row[2])]


def _kept_by(policy: Policy, finding: Finding) -> bool:
    return (
        finding.kind == Kind.TEXT
        and finding.category in policy.text.keep
        and finding.category != Category.POSSIBLE_NAME
    )


def open_questions(plan: Plan) -> list[int]:
    """What a person has to decide before the photo counts as opened."""
    return [n for n, a in enumerate(plan.actions) if a in plan.doing("ask", "hold")]


def unread(plan: Plan) -> list[int]:
    """Regions that look like writing and that nobody could read: covered, until a person says something else."""
    return [
        n
        for n, a in enumerate(plan.actions)
        if a.finding.kind == Kind.TEXT and a.finding.category == Category.UNREAD and a.by == "rule"
    ]


def harmless(action: Action) -> bool:
    """Whether it was found and judged harmless by a rule, beyond the doubt whether it is a name."""
    return action.do == "keep" and action.by == "rule" and action.finding.category != Category.POSSIBLE_NAME


_is_harmless = harmless


def alike(plan: Plan, like: Finding, why: str) -> Plan:
    """The plan with everything of the same kind and category covered."""
    actions = tuple(
        msgspec.structs.replace(a, do="cover", why=why, by="person")
        if _alike(a.finding, like) and a.finding.region is not None and a.do != "cover"
        else a
        for a in plan.actions
    )
    return msgspec.structs.replace(plan, actions=actions)


def _alike(one: Finding, other: Finding) -> bool:
    return one.kind == other.kind and one.category == other.category


def _same_place(plan: Plan, other: Plan, like: Finding) -> list[int]:
    """Faces that another photo has where this one has it, and that are not shown there yet.

    Args:
        plan: Of the photo with the finding.
        other: Of another photo, of the same size: else its places cannot be compared.
        like: The finding.
    """
    if like.region is None or (plan.width, plan.height) != (other.width, other.height):
        return []
    return [
        n
        for n, a in enumerate(other.actions)
        if a.finding.kind == like.kind == Kind.FACE
        and a.do != "keep"
        and a.finding.region is not None
        and a.finding.region.frame == like.region.frame
        and _share(a.finding.region.box, like.region.box) >= SAME
    ]


def no_face_there(plan: Plan, others: Mapping[str, Plan], face: Finding) -> dict[str, Plan]:
    """Those of the other plans that have a face where this one has it, with that shown as none: by photo."""
    after: dict[str, Plan] = {}
    for safe_id, other in others.items():
        for index in _same_place(plan, other, face):
            after[safe_id] = decided(after.get(safe_id, other), index, "keep", Reason.NO_FACE)
    return after


def _share(one: Box, other: Box) -> float:
    both = one.overlap(other)
    return both / max(one.area + other.area - both, 1)


def in_the_middle(plan: Plan, action: Action, policy: Policy) -> bool:
    """Whether a cover reaches into the middle ninth of what the copy shows: there may be what the picture is for."""
    if action.do != "cover" or action.finding.region is None:
        return False
    seen = plan.crop or Box(0, 0, plan.width, plan.height)
    middle = QRectF(seen.x0 + seen.width / 3, seen.y0 + seen.height / 3, seen.width / 3, seen.height / 3)
    cover = QPolygonF([QPointF(x, y) for x, y in cover_polygon(action.finding, policy)])
    return bool(cover.intersects(QPolygonF(middle)))


def removed(plan: Plan, index: int) -> Plan:
    """The plan without an area that a person had marked."""
    if plan.actions[index].finding.kind != Kind.DRAWN:
        raise ValueError("what a check found is decided, not taken away")
    return msgspec.structs.replace(plan, actions=plan.actions[:index] + plan.actions[index + 1 :])


def reshaped(plan: Plan, index: int, polygon: Polygon, policy: Policy, why: str) -> Plan:
    """The plan with an area whose cover is this polygon, wherever it was before. It is covered.

    Args:
        plan: The plan before.
        index: Which action.
        polygon: What is to be filled, in stored coordinates.
        policy: For the margin that is added round what a check found.
        why: A person's reason.
    """
    action = plan.actions[index]
    region = action.finding.region or Region(polygon)
    inner = _without_margin(polygon, action.finding, policy)
    finding = msgspec.structs.replace(action.finding, region=msgspec.structs.replace(region, polygon=inner))
    return with_action(plan, index, msgspec.structs.replace(action, finding=finding, do="cover", why=why, by="person"))


def _without_margin(polygon: Polygon, finding: Finding, policy: Policy) -> Polygon:
    """The polygon whose cover is the given one: the margin is taken off, since filling puts it on again."""
    inner = polygon
    for _ in range(8):
        region = Region(inner)
        cover = cover_polygon(msgspec.structs.replace(finding, region=region), policy)
        moves = [(p[0] - c[0], p[1] - c[1]) for p, c in zip(polygon, cover, strict=True)]
        if max(abs(d) for m in moves for d in m) < 0.01:
            break
        inner = tuple((p[0] + m[0], p[1] + m[1]) for p, m in zip(inner, moves, strict=True))
    return inner if geometry.area(inner) > 1.0 else polygon


class Edit(QUndoCommand):
    """Plans before and after one step. Steps that move the same thing one after the other become one.

    Args:
        words: What was done, for the hint of the undo button.
        before: Plans as they were, by safe id.
        after: Plans as they are then.
        put: Takes plans, and as what they should stand before; shows and saves them.
        joins: Names what is moved; steps with the same name that follow each other are undone together.
    """

    def __init__(
        self, words: str, before: Plans, after: Plans, put: Callable[[Plans, Plans], None], joins: str = ""
    ) -> None:
        super().__init__(words)
        self._before, self._after, self._put, self._joins = dict(before), dict(after), put, joins

    def id(self) -> int:
        """Steps that may be joined have one."""
        return 1 if self._joins else -1

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802 - Qt's name
        """Take a step of the same thing in."""
        if not isinstance(other, Edit) or other._joins != self._joins:
            return False
        self._after = other._after
        return True

    def redo(self) -> None:
        """Do it."""
        self._put(self._after, self._before)

    def undo(self) -> None:
        """Take it back."""
        self._put(self._before, self._after)


class Looked(QUndoCommand):
    """That a photo was looked at; undone when it was said too soon.

    Args:
        words: What was done, for the hint of the undo button.
        note: Writes down whether it was looked at.
    """

    def __init__(self, words: str, note: Callable[[bool], None]) -> None:
        super().__init__(words)
        self._note = note

    def redo(self) -> None:
        """Say it."""
        self._note(True)

    def undo(self) -> None:
        """Take it back."""
        self._note(False)


class Undo(QUndoGroup):
    """What can be undone, for each photo by itself: in a photo nobody touched there is nothing to undo."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._of: dict[str, QUndoStack] = {}

    def show(self, safe_id: str) -> None:
        """Be about this photo from now on."""
        if safe_id not in self._of:
            self._of[safe_id] = QUndoStack(self)
        self.setActiveStack(self._of[safe_id])

    def push(self, safe_id: str, edit: QUndoCommand) -> None:
        """Do something in a photo."""
        self.show(safe_id)
        self._of[safe_id].push(edit)

    def clear(self) -> None:
        """Forget all of it."""
        for stack in self._of.values():
            stack.clear()


__all__ = [
    "BY",
    "Edit",
    "Looked",
    "Undo",
    "alike",
    "areas",
    "cropped",
    "decided",
    "drawn",
    "harmless",
    "in_the_middle",
    "no_face_there",
    "open_questions",
    "removed",
    "reshaped",
    "unread",
]
