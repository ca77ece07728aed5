"""What the window says about findings, photos and faults, in plain words."""

from __future__ import annotations

import platform

from PySide6.QtCore import QCoreApplication, qVersion

import medimg
from medimg.desktop.dropped import Looked, readable
from medimg.errors import MedimgError
from medimg.types import Action, Plan, Report


def tr(text: str) -> str:
    """A sentence in the person's language."""
    return QCoreApplication.translate("wording", text)


_WHAT = {
    ("face", "possible-face"): "possible face",
    ("text", "unread"): "writing that could not be read",
    ("text", "unknown"): "writing",
    ("drawn", "area"): "area marked by you",
}


def what(action: Action) -> str:
    """What was found, in a word or two."""
    found = action.finding
    words = _WHAT.get((found.kind, found.category))
    if words is None:
        words = found.category.replace("-", " ").replace("_", " ")
        if found.kind == "text" and found.category not in ("ruler", "colour-card"):
            words = f"writing: {words}"
        elif found.kind == "code":
            words = f"code: {words}" if words != "code" else words
    return tr(words)


def state(action: Action) -> str:
    """What becomes of it."""
    return {
        "cover": tr("covered"),
        "drop": tr("taken out"),
        "keep": tr("shown"),
        "ask": tr("you decide"),
        "hold": tr("you decide"),
    }[action.do]


def line(number: int, action: Action) -> str:
    """How a list names it: "1. face, covered"."""
    return f"{number}. {what(action)}, {state(action)}"


def sure(score: float) -> str:
    """How sure a check was."""
    words = tr("very sure") if score >= 0.9 else tr("fairly sure") if score >= 0.6 else tr("not very sure")
    return f"{words} ({round(score * 100)} %)"


def explained(action: Action) -> str:
    """What, why, how sure, and who decided."""
    found = action.finding
    said = what(action)
    lines = [
        f"{said[:1].upper()}{said[1:]}: {state(action)}.",
        tr("Why: {}.").format(tr(action.why)),
        tr("How sure: {}.").format(sure(found.score)) if found.kind != "drawn" else "",
        tr("Decided by you.") if action.by == "person" else tr("Decided by a rule."),
    ]
    return " ".join(x for x in lines if x)


def counts(number: int, one: str, many: str) -> str:
    """``1 photo``, ``2 photos``."""
    return (one if number == 1 else many).format(number)


NAMED = 3
"""Skipped files that are named in the line itself; a list below names all."""


def skipped(seen: Looked) -> list[str]:
    """What of the things dropped is no photo, or not there."""
    lines = []
    if seen.others:
        named = ", ".join(readable(n) for n in seen.others[:NAMED])
        words = counts(
            len(seen.others),
            tr("{} file is not a photo and is skipped: "),
            tr("{} files are not photos and are skipped: "),
        )
        lines.append(words + named + (" …" if len(seen.others) > NAMED else ""))
    if seen.unread:
        lines.append(counts(len(seen.unread), tr("{} file cannot be opened."), tr("{} files cannot be opened.")))
    if seen.gone:
        lines.append(counts(seen.gone, tr("{} thing is not there any more."), tr("{} things are not there any more.")))
    return lines


_TODO = {
    "M-OUT": "Make room on the disk, or choose another place. What you did is kept in this window.",
    "M-MISSING": "Pictures cannot be checked on this computer yet. Ask your IT help desk to install medimg again.",
    "M-IN-READ": "Check that it is still there and that you may open it.",
    "M-IN-CHANGED": "Wait until copying has finished. Then drop it again.",
    "M-IN-LARGE": "Make it smaller first, or ask your IT help desk to raise the limit.",
    "M-HOLD-NOTRUN": "It stays out. Try it again; if it happens again, ask your IT help desk.",
    "M-HOLD-MEMORY": "It stays out. Try it again by itself, or on a computer with more memory.",
    "M-HOLD-TIME": "It stays out. Try it again by itself.",
    "M-HOLD-CRASH": "It stays out. Save the photo again on the device it came from, and drop the new file.",
    "M-HOLD-FAIL": "Cover more, or crop the photo to what is needed.",
}


def fault(error: MedimgError) -> str:
    """A fault in words, with what to do; no code."""
    said = error.what[:1].upper() + error.what[1:]
    todo = _TODO.get(error.code, "" if "medimg " in error.todo or "--" in error.todo else error.todo)
    return " ".join(tr(x) for x in (said, todo) if x)


def details(error: MedimgError) -> str:
    """What a help desk needs of a fault: version, code, system. No names, no paths, no pictures."""
    return f"medimg {medimg.__version__}, {error.code}, {platform.system()} {platform.release()}, Qt {qVersion()}"


def about(report: Report, plan: Plan | None) -> str:
    """Where a photo stands, in a line."""
    if plan is None:
        return tr("could not be checked")
    open_ = len(plan.doing("ask", "hold"))
    if open_:
        return counts(open_, tr("{} thing for you to decide"), tr("{} things for you to decide"))
    if report.state == "held" and plan == report.plan:
        return tr("kept back")
    covered = sum(a.finding.region is not None for a in plan.doing("cover"))
    return counts(covered, tr("{} area covered"), tr("{} areas covered")) if covered else tr("nothing covered")


__all__ = [
    "NAMED",
    "about",
    "counts",
    "details",
    "explained",
    "fault",
    "line",
    "skipped",
    "state",
    "sure",
    "tr",
    "what",
]
