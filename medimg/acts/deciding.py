"""What a key does in the act about places that a check was not sure of; what is decided is kept by who shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

import msgspec

from medimg.acts import areas, closing, plan
from medimg.acts.records import Decided, Input, Screen, Walk
from medimg.run import plans
from medimg.run.events import Act
from medimg.run.plans import Why
from medimg.types import Plan, Report
from medimg.vocabulary import Kind
from medimg.words import tr

_MEANS: dict[str, str] = {"c": areas.COVER, "k": "shown", "p": "consent-allows"}


def given(walk: Walk, shown: Screen, done: Input) -> Walk:
    """All of the sentences are true, or not all."""
    if done.key == "n":
        return _replace_walk(walk, part="which", act=shown.act)
    return _kept(walk, shown, {}) if done.key == "y" else walk


def which(walk: Walk, shown: Screen, done: Input) -> Walk:
    """Those of which the sentence is not true are asked about one by one."""
    pairs = zip(areas.KEYS, areas.shown(walk, shown.act), strict=False)
    left = tuple(f"{areas.ITEM}{a.number}" for k, a in pairs if k in done.ticks)
    return _replace_walk(walk, part="area", left=left, held={}) if left else _kept(walk, shown, {})


def one(walk: Walk, shown: Screen, done: Input) -> Walk:
    """What is done about one area."""
    held = {**walk.held, walk.left[0]: _MEANS[done.key]}
    if len(walk.left) > 1:
        return _replace_walk(walk, held=held, left=walk.left[1:])
    return _kept(walk, shown, held)


def filed(walk: Walk, shown: Screen, but: Mapping[str, str]) -> Walk:
    """The same act as a file says it: ``but`` has the areas of which the sentence is not true."""
    kinds = {f"{areas.ITEM}{a.number}": a.kind for a in areas.shown(walk, shown.act)}
    for item, what in but.items():
        if what not in (areas.COVER, *get_args(Why)) or (what == "consent-allows" and kinds[item] != Kind.FACE):
            return _replace_walk(walk, trouble=tr("an area is cover, shown, or for a face consent-allows"))
    return _kept(walk, shown, but)


def _replace_walk(walk: Walk, **more: object) -> Walk:
    return msgspec.structs.replace(walk, **more)


def _kept(walk: Walk, shown: Screen, but: Mapping[str, str]) -> Walk:
    """The act is done: what was decided is to be kept, and the walk goes on from it."""
    about, found = plan.subject(shown.act), areas.shown(walk, shown.act)
    what = {a: but.get(f"{areas.ITEM}{a.number}", areas.usual(a)) for a in found}
    whole = areas.screen(_replace_walk(walk, part=""), shown)
    act = Act(
        act=shown.act,
        at=walk.at,
        role=walk.role,
        said="; ".join(tr("area {number}: {what}", number=a.number, what=w) for a, w in what.items()),
        lines=tuple(line.text for line in whole.lines),
    )
    decided = tuple(msgspec.convert({"photo": about, "number": a.number, "what": w}, Decided) for a, w in what.items())
    covers = areas.COVER in what.values()
    after = _replace_walk(
        walk,
        state=msgspec.structs.replace(walk.state, acts=(*walk.state.acts, act)),
        reports=walk.reports if covers else tuple(_left(r, decided) if r.safe_id == about else r for r in walk.reports),
        areas={**walk.areas, about: walk.areas.get(about, ())[len(found) :]},
        decided=(*walk.decided, *decided),
        waits=walk.waits | {about} if covers else walk.waits,
    )
    return closing.on(plan.settled(closing.parted(after)), "")


def _left(report: Report, decided: Iterable[Decided]) -> Report:
    """The report as it is once the decisions are kept: its copy shows them already."""
    now = report.plan
    for one in decided:
        now = planned(now, one) if now is not None else None
    return msgspec.structs.replace(report, plan=now)


def planned(now: Plan, one: Decided) -> Plan:
    """A plan with one decision in it."""
    if one.what == "cover":
        return plans.covered(now, one.number)
    return plans.shown(now, one.number, one.what)
