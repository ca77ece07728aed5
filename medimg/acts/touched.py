"""Which patients have new answers or decisions since the walk was last settled: only they have to be settled again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from medimg.acts.records import BATCH, Settled, Walk, group_of
from medimg.run.state import RunState
from medimg.words import current


def groups(walk: Walk) -> list[str]:
    """The groups to settle again: all of them if the change concerns the batch, or a field that is not listed here."""
    every, before = list(walk.state.run.groups), walk.settled_from
    if before is None or before.language != current():
        return every
    found = set(_named(before, walk))
    return every if BATCH in found else [g for g in every if g in found]


def _named(before: Settled, now: Walk) -> Iterator[str]:
    for field in msgspec.structs.fields(RunState):
        old, new = getattr(before.state, field.name), getattr(now.state, field.name)
        if old is not new:
            yield from _ABOUT.get(field.name, _all)(old, new)
    if before.reports is not now.reports:
        yield from _entries(lambda report: report.safe_id)(before.reports, now.reports)
    if before.areas is not now.areas:
        yield from _keys(_owner)(before.areas, now.areas)
    yield from set(before.release) ^ set(now.release)


def _all(old: object, new: object) -> Iterable[str]:
    return () if old == new else (BATCH,)


def _owner(subject: str) -> str:
    return subject.partition("-")[0]


def _keys(owner: Callable[[str], str]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str]]:
    def about(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        return {owner(k) for k in old.keys() | new.keys() if k not in old or k not in new or old[k] != new[k]}

    return about


def _entries(subject: Callable[[Any], str]) -> Callable[[Sequence[Any], Sequence[Any]], Iterable[str]]:
    def about(old: Sequence[Any], new: Sequence[Any]) -> Iterable[str]:
        start = len(old) if new[: len(old)] == old else 0  # nearly always something was added at the end
        pairs = zip_longest(old[start:], new[start:])
        return {_owner(subject(e)) for pair in pairs if pair[0] != pair[1] for e in pair if e is not None}

    return about


_of_group = _entries(lambda event: event.group)
_ABOUT: dict[str, Callable[[Any, Any], Iterable[str]]] = {
    "revision": lambda *_: (),
    "conditions": _keys(str),
    "captions": _keys(str),
    "recipients": _keys(str),
    "cards": _keys(group_of),
    "digests": _keys(_owner),
    "answers": _entries(lambda answer: answer.subject),
    "acts": _entries(lambda act: group_of(act.act)),
    "released": _of_group,
    "reopened": _of_group,
    "withdrawn": _of_group,
    "signed": _of_group,
}
"""Field of the state -> the groups whose entries in it changed. A change in any other field concerns all groups."""
