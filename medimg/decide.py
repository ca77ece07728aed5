"""What is done about each finding, as the policy says: the only place that keeps, covers, asks or holds.

Pure functions over :mod:`medimg.types` records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import msgspec

from medimg import geometry
from medimg.covers import Block, cover_polygon, fills, hidden_area, uncut
from medimg.policy import Policy
from medimg.types import Action, Do, Finding, Plan, Polygon
from medimg.vocabulary import IDENTIFYING, Category, Kind, Reason

UNSURE_ON = ("bare", "scale")
"""What a finding lies on that is asked about where nobody could read it: skin, a wound or cloth; a scale."""
OF_A_PERSON, A_PAGE = 2, 8
"""So many sorts of what identifies, among so many lines on a large thing, are a chart, a form or a list of patients:
seven such by two makers had 12 lines and more, and signatures, days and notes that no reader saw stood between those of
four. Fewer lines may be burned into a picture whose backdrop is taken for a sheet."""


def decide(
    findings: Iterable[Finding],
    policy: Policy,
    *,
    width: int,
    height: int,
    beside: Sequence[Action] = (),
    aligned: bool = False,
    pages: Sequence[tuple[int, int]] = (),
    block: Block | None = None,
) -> Plan:
    """One action per finding: the only place that keeps, covers, asks or holds.

    Args:
        findings: What was found.
        policy: The settings.
        width: Of the stored frame, in pixels.
        height: The same.
        beside: Actions that the photo has already. Where their covers alone hide more than rules may, a person has
            agreed to that, and they do not count.
        aligned: Whether what is covered in one frame is covered in all.
        pages: Width and height of each frame, where they are not all of one size.
        block: What covers grow to as they are written (:func:`with_whole_lines`); None where nothing is written.
    """

    def size(action: Action) -> tuple[int, int]:
        return pages[_frame(action)] if pages else (width, height)

    def area(action: Action) -> int:
        across, down = size(action)
        return across * down

    def most(action: Action) -> float:
        return policy.covers.hold_share * area(action)

    def shown(action: Action) -> Polygon:
        return geometry.inside(cover_polygon(action.finding, policy), *size(action))

    found = [_decide_one(f, policy) for f in findings]
    bearing: dict[tuple[int, str], list[str]] = {}
    for a in found:
        if a.do == "cover" and a.finding.on:
            bearing.setdefault((_frame(a), a.finding.on), []).append(a.finding.category)
    documents = {_frame(a) for a in found if a.finding.kind == Kind.DOCUMENT}
    actions = [_with_place(_with_thing(a, policy, bearing, documents, area(a)), policy, size(a)) for a in found]
    actions = [_close_up(a, policy, geometry.area(shown(a)), most(a)) for a in actions]
    actions = with_whole_lines(actions, policy, block, aligned=aligned) if block else actions
    return Plan(width=width, height=height, actions=tuple(_not_most_of_it(actions, shown, most, beside, aligned)))


def with_whole_lines(actions: Sequence[Action], policy: Policy, block: Block, *, aligned: bool = False) -> list[Action]:
    """The actions, with no line that rules keep cut lengthwise by a cover beside it: hidden as a whole, or not at all.

    Figures of rulers and colour cards stay as they are.

    Args:
        actions: As decided.
        policy: The settings.
        block: Width and height of the blocks to which covers grow.
        aligned: As for :func:`decide`.
    """
    out = list(actions)
    for frame in {_frame(a) for a in actions if a.finding.region}:
        covered = {n: a.finding for n, a in enumerate(out) if a.do == "cover" and (aligned or _frame(a) == frame)}
        kept = {n: a.finding for n, a in enumerate(out) if _may_be_cut(a) and _frame(a) == frame}
        mended = uncut(covered, kept, policy, block)
        for n in mended.tight | mended.covered:
            do, why = ("cover", Reason.CUT) if n in mended.covered else (out[n].do, out[n].why)
            out[n] = msgspec.structs.replace(
                out[n], finding=msgspec.structs.replace(out[n].finding, tight=True), do=do, why=why
            )
    return out


def _may_be_cut(action: Action) -> bool:
    """Whether it is a line that a rule keeps, and that tells nothing once it is cut."""
    finding = action.finding
    kept = action.do == "keep" and action.by == "rule" and finding.kind == Kind.TEXT
    return kept and finding.category not in _SCALES and finding.on not in _ON_SCALES


def _with_place(action: Action, policy: Policy, size: tuple[int, int]) -> Action:
    """The action, or a hold where it says to cover nothing."""
    if action.do == "cover" and not fills(action.finding, policy, *size):
        return Action(finding=action.finding, do="hold", why=Reason.NOWHERE)
    return action


def _close_up(action: Action, policy: Policy, hidden: float, most: float) -> Action:
    """The action, or what the policy says of a face whose cover alone hides more than rules may."""
    if policy.faces.close_up == "hold" or action.do != "cover" or action.finding.kind != Kind.FACE:
        return action
    if hidden <= most:
        return action
    if policy.faces.close_up == "ask":
        return Action(finding=action.finding, do="hold", why=Reason.CLOSE_UP)
    return Action(finding=action.finding, do="cover", why=Reason.CLOSE_UP_COVERED)


def _not_most_of_it(
    actions: Sequence[Action],
    shown: Callable[[Action], Polygon],
    most: Callable[[Action], float],
    beside: Sequence[Action],
    aligned: bool,
) -> list[Action]:
    """The actions, with a hold where covers of rules would hide more of a frame than is painted unasked.

    A cover that hides so much by itself is held. Where the others do so together, the largest of them is: one question
    a frame.

    Args:
        actions: As decided one by one.
        shown: What lies in the picture of the cover of an action.
        most: What may be hidden of the frame of an action, in square pixels.
        beside: As for :func:`decide`.
        aligned: As for :func:`decide`.
    """
    sizes = {n: geometry.area(shown(a)) for n, a in enumerate(actions) if _by_rule(a)}
    held: dict[int, str] = {n: Reason.MOST_OF_IT for n, size in sizes.items() if not size <= most(actions[n])}
    frames: dict[int, list[int]] = {}
    for n in sizes.keys() - held.keys():
        frames.setdefault(0 if aligned else _frame(actions[n]), []).append(n)
    for frame, new in frames.items():
        before = [shown(a) for a in beside if _by_rule(a) and (aligned or _frame(a) == frame)]
        allowed = most(actions[new[0]])
        if hidden_area(before, allowed) > allowed:
            before = []
        if hidden_area([*before, *(shown(actions[n]) for n in new)], allowed) > allowed:
            held[max(new, key=lambda n: sizes[n])] = Reason.TOGETHER
    return [Action(finding=a.finding, do="hold", why=held[n]) if n in held else a for n, a in enumerate(actions)]


def _by_rule(action: Action) -> bool:
    """Whether a rule covers it that nobody agreed to beforehand; what a person marked or decided does not count."""
    agreed = action.finding.kind == Kind.DRAWN or action.why == Reason.CLOSE_UP_COVERED
    return action.do == "cover" and action.by == "rule" and not agreed


def _frame(action: Action) -> int:
    return action.finding.region.frame if action.finding.region else 0


_BY_KIND: dict[str, tuple[Do, Reason]] = {
    Kind.METADATA: ("drop", Reason.NOT_THE_PICTURE),
    Kind.HIDDEN_IMAGE: ("drop", Reason.NOT_THE_PICTURE),
    Kind.FILENAME: ("drop", Reason.NEUTRAL_NAME),
    Kind.DRAWN: ("cover", Reason.MARKED),
    Kind.CODE: ("cover", Reason.CODE),
    Kind.DOCUMENT: ("hold", Reason.DOCUMENT),
    Kind.OBJECT: ("keep", Reason.NOTHING_ON_IT),
}
"""What is done about a finding whatever its category."""
_FACES: dict[str, tuple[Do, Reason]] = {
    Category.POSSIBLE_FACE: ("ask", Reason.POSSIBLE_FACE),
    Category.OLD_DISGUISE: ("ask", Reason.OLD_DISGUISE),
}
"""Faces that are not covered at once."""
_SCALES = (Category.RULER, Category.COLOUR_CARD, Category.UNIT)
_ON_SCALES = ("measure", "scale")
"""Parts of scales, and what writing lies on there: nothing more of them is covered for the looks of it."""
_KEPT: dict[str, Reason] = {Category.POSSIBLE_NAME: Reason.POSSIBLE_NAME}
_COVERED: dict[str, Reason] = {Category.UNREAD: Reason.UNREAD, Category.UNKNOWN: Reason.UNKNOWN}
"""Why writing is kept or covered, where there is more to say than that it is harmless or identifying."""


def _decide_one(finding: Finding, policy: Policy) -> Action:
    do: Do
    if policy.objects.ask and finding.on in UNSURE_ON and _perhaps(finding):
        do, why = "ask", Reason.PERHAPS_WRITING
    elif finding.kind == Kind.TEXT:
        do, why = _of_text(finding.category, policy)
    elif finding.kind == Kind.FACE:
        do, why = _FACES.get(finding.category, ("cover", Reason.FACE))
    else:
        do, why = _BY_KIND[finding.kind]
    return Action(finding=finding, do=do, why=why)


def _of_text(category: str, policy: Policy) -> tuple[Do, Reason]:
    if category in policy.text.keep:
        return "keep", _KEPT.get(category, Reason.HARMLESS)
    return "cover", _COVERED.get(category, Reason.IDENTIFYING)


def _perhaps(finding: Finding) -> bool:
    """Whether it is writing or a code that nobody could read."""
    unread_text = finding.kind == Kind.TEXT and finding.category == Category.UNREAD
    return unread_text or (finding.kind == Kind.CODE and finding.score < 1)


def _with_thing(
    action: Action,
    policy: Policy,
    bearing: Mapping[tuple[int, str], Sequence[str]],
    documents: Set[int],
    frame_size: int,
) -> Action:
    """The action; of a thing, a cover for the whole of it where something on it is covered.

    One that is too large for that, and surely tells of a person, is a document.

    Args:
        action: As decided by itself.
        policy: The settings.
        bearing: What is covered, by frame and ``on``.
        documents: Frames that are held as a document anyway: one question is enough.
        frame_size: Area of the frame.
    """
    finding, rules = action.finding, policy.objects
    if finding.kind != Kind.OBJECT or finding.category not in rules.whole or finding.region is None:
        return action
    on_it = bearing.get((_frame(action), finding.on), ())
    if not on_it:
        return action
    if geometry.area(finding.region.polygon) <= rules.largest * frame_size:
        return Action(finding=finding, do="cover", why=Reason.WITH_ITS_THING)
    page = len(on_it) >= A_PAGE and len(IDENTIFYING.intersection(on_it)) >= OF_A_PERSON
    held = page and _frame(action) not in documents
    return Action(finding=finding, do="hold", why=Reason.DOCUMENT) if held else action
