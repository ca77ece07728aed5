"""Looks at several copies of one patient as one act, where each of them was seen as a whole before.

Each look stays an act of its own in what is kept; asked is once, about all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from medimg.acts import plan
from medimg.acts.records import Input, Line, Screen, Walk
from medimg.acts.screens import screen
from medimg.acts.sitting import Sitting


def looks(walk: Walk, seen: Collection[str]) -> tuple[Screen, ...]:
    """The screens of the looks that come now, of one patient; empty where one of another kind comes.

    Args:
        walk: Where the person stands.
        seen: Safe ids of the copies that were on the screen at full size.
    """
    now = plan.current(walk)
    if walk.act or walk.part or plan.kind(now) != "look":
        return ()
    found: list[Screen] = []
    every = plan.acts(walk)
    for act in every[every.index(now) :]:
        if plan.kind(act) != "look" or plan.group_of(act) != plan.group_of(now):
            break
        if act in walk.skipped or plan.done(walk, act):
            continue
        shown = screen(msgspec.structs.replace(walk, act=act))
        if plan.subject(act) not in seen or shown is None or not shown.options:
            break
        found.append(shown)
    return tuple(found)


def merged(found: Sequence[Screen]) -> Screen:
    """One screen of several looks: each sentence once, with what the checks say of each copy."""
    first = found[0]
    ids = [plan.subject(one.act) for one in found]
    texts = {line.item: line.text for one in found for line in one.lines}
    said: dict[str, dict[str, list[str]]] = {item: defaultdict(list) for item in texts}
    for safe_id, one in zip(ids, found, strict=True):
        for line in one.lines:
            if line.checks_say:
                said[line.item][line.checks_say].append(safe_id)
    return msgspec.structs.replace(
        first,
        title=first.title.replace(ids[0], ", ".join(ids)),
        lead="",
        lines=tuple(Line(item=i, text=t, checks_say=_notes(said[i], len(ids))) for i, t in texts.items()),
    )


def _notes(said: Mapping[str, Sequence[str]], number: int) -> str:
    """What the checks say, with the copies of which they say it where it is not all of them."""
    return " ".join(f"{words}." if len(of) == number else f"{', '.join(of)}: {words}." for words, of in said.items())


def give(sitting: Sitting, found: Sequence[Screen], key: str) -> None:
    """Do the same in each of them.

    Raises:
        UsageError: Somebody else answered in the meantime.
        OutputError: It could not be written; those before are kept.
    """
    for one in found:
        if plan.current(sitting.walk) == one.act:
            sitting.give(Input(key=key))


__all__ = ["give", "looks", "merged"]
