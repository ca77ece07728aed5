"""What the window says about findings, photos and faults, in plain words."""

from __future__ import annotations

import platform

from PySide6.QtCore import QCoreApplication, qVersion

import medimg
from medimg.desktop.dropped import Looked, readable
from medimg.errors import MedimgError
from medimg.types import Action, Plan, Report
from medimg.vocabulary import Category, PhotoState, as_words
from medimg.words import mark, said

translate = QCoreApplication.translate
"""Takes the context and the words as they stand here: only so do translators get them (``make strings``)."""


def tr(text: str) -> str:
    """Words of a table, or of another part of medimg, in the person's language; those without translation stay."""
    return said(translate("wording", text))


_WHAT: dict[tuple[str, str], str] = {(c.kinds[0], c): c.window for c in Category if c.window}
"""By kind and category; translators get the words from :mod:`medimg.vocabulary`."""


def what(action: Action) -> str:
    """What was found, in a word or two."""
    found = action.finding
    words = _WHAT.get((found.kind, found.category))
    return tr(words) if words is not None else f"{found.kind}: {as_words(found.category)}"


def state(action: Action) -> str:
    """What becomes of it."""
    return {
        "cover": translate("wording", "covered"),
        "drop": translate("wording", "taken out"),
        "keep": translate("wording", "shown"),
        "ask": translate("wording", "you decide"),
        "hold": translate("wording", "you decide"),
    }[action.do]


def middle() -> str:
    """What a list says of a cover that reaches into the middle of the picture."""
    return translate("wording", "touches the middle of the picture")


def line(number: int, action: Action) -> str:
    """How a list names it: "1. face, covered"."""
    return f"{number}. {what(action)}, {state(action)}"


def sure(score: float) -> str:
    """How sure a check was."""
    words = (
        translate("wording", "very sure")
        if score >= 0.9
        else translate("wording", "fairly sure")
        if score >= 0.6
        else translate("wording", "not very sure")
    )
    return f"{words} ({round(score * 100)} %)"


def explained(action: Action) -> str:
    """What, why, how sure, and who decided."""
    found = action.finding
    said = what(action)
    lines = [
        f"{said[:1].upper()}{said[1:]}: {state(action)}.",
        translate("wording", "Why: {}.").format(tr(action.why)),
        translate("wording", "How sure: {}.").format(sure(found.score)) if found.kind != "drawn" else "",
        translate("wording", "Decided by you.")
        if action.by == "person"
        else translate("wording", "Decided by a rule."),
    ]
    return " ".join(x for x in lines if x)


def counts(number: int, one: str, many: str) -> str:
    """``1 photo``, ``2 photos``."""
    return (one if number == 1 else many).format(number)


NAMED = 3
"""Skipped files that are named in the line itself; a list below names all."""


def messages() -> str:
    """What to do with an e-mail message."""
    return translate("wording", "Photos in a message: save them from the message first, then drop them here.")


def skipped(seen: Looked) -> list[str]:
    """What of the things dropped is not a photo, or not there."""
    lines = []
    if seen.others:
        named = ", ".join(readable(n) for n in seen.others[:NAMED])
        words = counts(
            len(seen.others),
            translate("wording", "{} file is not a photo and is skipped: "),
            translate("wording", "{} files are not photos and are skipped: "),
        )
        lines.append(words + named + (" …" if len(seen.others) > NAMED else ""))
    if seen.messages:
        lines.append(messages())
    if seen.packed:
        lines.append(translate("wording", "Photos in a packed file (zip): unpack it first, then drop the folder here."))
    if seen.unread:
        lines.append(
            counts(
                len(seen.unread),
                translate("wording", "{} file cannot be opened."),
                translate("wording", "{} files cannot be opened."),
            )
        )
    if seen.gone:
        lines.append(
            counts(
                seen.gone,
                translate("wording", "{} thing is not there any more."),
                translate("wording", "{} things are not there any more."),
            )
        )
    return lines


_TODO = {
    "M-OUT": mark("Make room on the disk, or choose another place. What you did is kept in this window."),
    "M-MISSING": mark(
        "Pictures cannot be checked on this computer yet. Ask your IT help desk to install medimg again."
    ),
    "M-IN-READ": mark("Check that it is still there and that you may open it."),
    "M-IN-CHANGED": mark("Wait until copying has finished. Then drop it again."),
    "M-IN-LARGE": mark("Make it smaller first, or ask your IT help desk to raise the limit."),
    "M-HOLD-NOTRUN": mark("It stays out. Try it again; if it happens again, ask your IT help desk."),
    "M-HOLD-MEMORY": mark("It stays out. Try it again by itself, or on a computer with more memory."),
    "M-HOLD-TIME": mark("It stays out. Try it again by itself."),
    "M-HOLD-CRASH": mark("It stays out. Save the photo again on the device it came from, and drop the new file."),
    "M-HOLD-FAIL": mark("Cover more, or crop the photo to what is needed."),
}


def fault(error: MedimgError) -> str:
    """A fault in words, with what to do; no code."""
    what = said(error.what)
    todo = _TODO.get(error.code, "" if "medimg " in error.todo or "--" in error.todo else error.todo)
    return " ".join(x for x in (what[:1].upper() + what[1:], said(todo)) if x)


def details(error: MedimgError) -> str:
    """What a help desk needs of a fault: version, code, system. No names, no paths, no pictures."""
    return f"medimg {medimg.__version__}, {error.code}, {platform.system()} {platform.release()}, Qt {qVersion()}"


def about(report: Report, plan: Plan | None) -> str:
    """Where a photo stands, in a line."""
    if plan is None:
        return translate("wording", "could not be checked")
    open_ = len(plan.doing("ask", "hold"))
    if open_:
        return counts(
            open_,
            translate("wording", "{} thing for you to decide"),
            translate("wording", "{} things for you to decide"),
        )
    if report.state == PhotoState.HELD and plan == report.plan:
        return translate("wording", "held")
    covered = sum(a.finding.region is not None for a in plan.doing("cover"))
    if covered:
        return counts(covered, translate("wording", "{} area covered"), translate("wording", "{} areas covered"))
    if report.scope == "metadata-only":
        return translate("wording", "picture not looked at")
    return translate("wording", "nothing covered")


def scope() -> str:
    """What every page says of a run that took out hidden information alone."""
    return translate(
        "wording",
        "! The pictures were not looked at. Only hidden information was checked and taken out: faces, writing and codes"
        " were not looked for and are not covered.",
    )
