"""The acts in an answers file: the same screens, written down to be filled in, and taken one after the other.

An act in a file closes what stood on its screen and nothing else: the file holds a digest of those sentences and of the
copy that was looked at, and an act that would show others now is refused.
"""

from __future__ import annotations

import hashlib

import msgspec

from medimg.acts import plan, screens, steps
from medimg.acts.records import Screen, Walk
from medimg.consent.answers import choices
from medimg.consent.cards import KINDS
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.questions import bases
from medimg.errors import UsageError
from medimg.words import mark, tr

_HEAD = mark("""\
# The acts of run {run}, for: {audience}. Private: it belongs in the patient's record.
# Read the sentences of each act. If all of them are true, change not-sure to yes. If one is not true, add a line
# but: {{ID: no}}. Fill in what is marked (needed). What stays not-sure stays open.
# Then: medimg answer RUN --from THIS-FILE, and medimg release RUN. Some answers (a condition, another ground) ask for
# more acts: print a new template for those.
""")


_BLANK = "___"
"""Stands where something has to be typed, while a template is written."""


class FiledAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act as a file says it.

    Attributes:
        shown: Digest of what its screen showed.
        answer: ``yes``: the sentences are true, but for those under ``but``. For a question by itself, its answer.
        but: Item -> another answer than yes.
        applies: The conditions that apply, of the act with the list.
        basis: What the use rests on, of that act.
        card: Name of a card that is kept and still right; empty when ``typed`` fills one in.
        typed: What is typed on the screen, by field.
    """

    shown: str
    answer: str = "not-sure"
    but: dict[str, str] = {}
    applies: tuple[str, ...] = ()
    basis: str = ""
    card: str = ""
    typed: dict[str, str] = {}


def template(walk: Walk) -> str:
    """Every act that is open, as YAML to be filled in; it can be taken as it is, and closes nothing then.

    What comes after an act that is open is written as it would be if all were well: nothing applies, the first ground.
    """
    run = walk.state.run.tag
    lines = [tr(_HEAD, run=run, audience=walk.state.context.audience)]
    lines += [f"run: {_text(run)}", f"role: {_text(walk.role)}", "", "acts:"]
    while (shown := screens.screen(walk)) is not None:
        if not shown.options:  # a copy that was changed: nobody looks at it
            walk = steps.left_open(walk)
            continue
        card = screens.card_shown(walk, shown.act) if plan.kind(shown.act) in KINDS else None
        lines += _written(walk, shown, card.name if card else "")
        walk = _taken(walk, shown.act, _assumed(walk, shown, card.name if card else ""))
    return "\n".join(lines if lines[-1] != "acts:" else [*lines[:-1], "acts: {}"]) + "\n"


def taken(walk: Walk, acts: dict[str, FiledAct]) -> Walk:
    """The walk after the acts of a file, in the order of the screens. All of them are taken, or none.

    Raises:
        UsageError: An act is unknown here, shows something else than it did, or lacks something.
    """
    wanted = {name: act for name, act in acts.items() if act.answer != "not-sure"}
    while wanted:
        name = next((a for a in plan.acts(walk) if a in wanted), "")
        if not name:
            raise _refused(min(wanted), mark("is none of this run, or needs another act before it"))
        walk = _taken(walk, name, wanted.pop(name))
    return walk


def digest(walk: Walk, shown: Screen) -> str:
    """What stands for the sentences of a screen, and for the copy it is about."""
    about = walk.state.digests.get(plan.subject(shown.act), "")
    sentences = [(line.item, line.text) for line in shown.lines if line.item]
    content = msgspec.json.encode([shown.act, about, sentences, [t.words for t in shown.ticks]])
    return hashlib.sha256(content).hexdigest()[:8]


def _refused(act: str, why: str, todo: str = mark("Print a new --template.")) -> UsageError:
    named = act if all(c.isalnum() or c in ":.-" for c in act) else "an act"
    return UsageError(f"the answers file: {named} {why}. Nothing was written.", todo=todo)


def _taken(walk: Walk, name: str, filed: FiledAct) -> Walk:
    """One act."""
    card = plan.kind(name) in KINDS and not filed.card
    walk = msgspec.structs.replace(walk, act=name, part="new" if card else "", typed={}, trouble="", card=0)
    if filed.card:
        cards = screens.cards_for(walk, plan.kind(name))
        at = next((n for n, c in enumerate(cards) if c.name == filed.card), None)
        if at is None:
            raise _refused(name, mark("names a card that cannot be used"))
        walk = msgspec.structs.replace(walk, card=at)
    shown = screens.screen(walk)
    if shown is None or digest(walk, shown) != filed.shown:
        raise _refused(name, mark("shows other sentences or another copy now"))
    if not shown.options:
        raise _refused(name, mark("cannot be done: {lead}").format(lead=shown.lead))
    if not set(filed.typed) <= {f.name for f in shown.fields} | {"law", "note"}:
        raise _refused(name, mark("has a field that is not on its screen"))
    after = steps.filed(walk, shown, filed.answer, dict(filed.but), _said(walk, name, filed), filed.typed)
    if len(after.state.acts) == len(walk.state.acts):
        what = mark("is not done: {trouble}").format(trouble=after.trouble or mark("something is missing"))
        raise _refused(name, what.rstrip("."), todo="Fill it in and give the file again: its other answers are kept.")
    return after


def _said(walk: Walk, name: str, filed: FiledAct) -> tuple[str, ...]:
    """The conditions or the basis of the two acts that have one."""
    match plan.kind(name):
        case "applies":
            if not set(filed.applies) <= set(plan.tickable(walk, plan.subject(name))):
                raise _refused(name, mark("names a condition that is not on its list"))
            return filed.applies
        case "basis":
            if filed.basis and filed.basis not in bases(walk.state.group_context(plan.subject(name))):
                raise _refused(name, mark("names a ground that cannot hold here"))
            return (filed.basis,) if filed.basis else ()
    return ()


def _assumed(walk: Walk, shown: Screen, card: str) -> FiledAct:
    """What somebody would say to whom all is well, to see which act comes next."""
    name = plan.kind(shown.act)
    typed = {f.name: f.value or f"{_BLANK}{name}" for f in shown.fields if f.required}
    basis = bases(walk.state.group_context(shown.group))[0] if name == "basis" and not shown.lines else ""
    answer = "yes"
    if name == "extra":
        item = plan.standings(walk, shown.act)[0].question.item
        answer = next((c for c in choices(item.pass_) if c != "not-sure"), "yes")
    return FiledAct(shown=digest(walk, shown), answer=answer, basis=basis, card=card, typed=typed)


def _written(walk: Walk, shown: Screen, card: str) -> list[str]:
    """One act, to be filled in."""
    name = plan.kind(shown.act)
    lines = [
        "",
        f"  {shown.act}:  # {shown.title}",
        *([f"    # {shown.lead}"] if shown.lead and _BLANK not in shown.lead else []),
    ]
    for line in shown.lines:
        lines.append(f"    # - {line.text}" + (f"  [{line.item}]" if line.item else ""))
        lines += [f"    #     {line.checks_say}"] if line.checks_say else []
    lines.append(f'    shown: "{digest(walk, shown)}"')
    lines.append(f"    answer: not-sure  # {_can(walk, shown)}")
    if name == "applies":
        words = ChecklistDefinition.load().ticks
        lines += [f"    #   {c}: {words[c]}" for c in plan.tickable(walk, shown.group)]
        lines.append("    applies: []  # " + tr("with yes: those of the list that apply, none when it stays empty"))
    if name == "basis" and not shown.lines:
        first, *more = bases(walk.state.group_context(shown.group))
        lines.append(
            f"    basis: {first}  # " + tr("or {others}", others=", ".join(more)) if more else f"    basis: {first}"
        )
    if card:
        lines.append(f"    card: {_text(card)}")
    if shown.fields:
        lines.append("    typed:")
        needed = {True: tr(" (needed)"), False: ""}
        lines += [f"      {f.name}: {_text(_known(f.value))}  # {f.label}{needed[f.required]}" for f in shown.fields]
    return lines


def _can(walk: Walk, shown: Screen) -> str:
    """What may be answered."""
    if plan.kind(shown.act) == "areas":
        return tr("yes; under but, by the ID of an area: cover, shown, and for a face consent-allows")
    if plan.kind(shown.act) != "extra":
        return "yes"
    item = plan.standings(walk, shown.act)[0].question.item
    return ", ".join(c for c in choices(item.pass_, item.na_in(walk.state.context.jurisdictions)) if c != "not-sure")


def _known(value: str) -> str:
    return "" if value.startswith(_BLANK) else value


def _text(value: str) -> str:
    """A value in quotes, as YAML and JSON both read it."""
    return msgspec.json.encode(value).decode()


__all__ = ["FiledAct", "digest", "taken", "template"]
