"""What the checks say about an item: they can fail it or support it, and they never sign it.

Evidence is drawn from the reports of the pipeline alone. It holds counts and fixed words, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from medimg.types import Action, Check, Report
from medimg.vocabulary import PASSING, Category, CheckName, CheckState, Kind, PhotoState, Reason

Verdict = Literal["supports", "asks", "fails", "unknown"]

#: Copies are named by group and number, nothing else (output layout).
NEUTRAL_NAME = re.compile(r"P\d{2,}-\d{3,}(?:-[0-9a-z]{1,4})?\.[a-z0-9]{2,5}\Z")


class AutoEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks say about one item and one copy.

    Attributes:
        item: Id of the item.
        subject: Safe id of the copy.
        verdict: ``unknown`` when a check did not run: an item stays open then. ``fails``: it is not met, whatever a
            person says. ``asks``: something was found that a person has to judge.
        found: How many findings of the kind.
        words: A sentence for people: what the check found.
    """

    item: str
    subject: str
    verdict: Verdict
    found: int = 0
    words: str = ""


#: Newest first. The bucket goes to the record part alone.
_TAKEN = {
    "days": "the newest photo was taken within the last days",
    "weeks": "the newest photo was taken within the last weeks",
    "months": "the newest photo was taken within the last months",
    "longer": "the newest photo was taken longer ago than a year",
}

_Builder = Callable[[Report], AutoEvidence]


def evidence(report: Report) -> list[AutoEvidence]:
    """The evidence of one photo for every item that the checks feed."""
    return [build(report) for build in _BUILDERS]


def group_evidence(group: str, reports: Sequence[Report]) -> list[AutoEvidence]:
    """Evidence about a patient group as a whole: how recent its newest photo is, never when it was taken."""
    known = {r.captured for r in reports} - {""}
    newest = next((b for b in _TAKEN if b in known), "")
    if not newest:
        return []
    return [
        AutoEvidence(
            item="id.moment",
            subject=group,
            verdict="asks" if newest in ("days", "weeks") else "supports",
            found=sum(r.captured == newest for r in reports),
            words=_TAKEN[newest],
        )
    ]


def conditions(reports: Sequence[Report]) -> dict[str, str]:
    """Conditions that findings raise: a face sets ``face``. No finding ever sets a condition to *no*."""
    return {"face": "yes"} if any(_actions(r, Kind.FACE) for r in reports) else {}


def _fed(report: Report, item: str) -> int:
    """How many findings feed an item, by their kind or by their category."""
    kinds = {k for k in Kind if item in k.items}
    categories = {(c.kinds[0], c) for c in Category if item in c.items}
    return sum(f.count for f in report.findings if f.kind in kinds or (f.kind, f.category) in categories)


def _check(report: Report, name: CheckName) -> Check | None:
    return next((c for c in report.checks if c.name == name), None)


def _container(item: str, noun: str) -> _Builder:
    def build(report: Report) -> AutoEvidence:
        return AutoEvidence(
            item=item,
            subject=report.safe_id,
            verdict=_written(report, CheckName.STRUCTURE, CheckName.METADATA),
            found=(found := _fed(report, item)),
            words=f"the check found {_n(found, noun)} in the original"
            + _after(report, CheckName.STRUCTURE, CheckName.METADATA),
        )

    return build


def _picture(item: str, check: CheckName, noun: str, none: str) -> _Builder:
    def build(report: Report) -> AutoEvidence:
        found = _faces(report) if check == CheckName.FACES else _fed(report, item)
        verdict = _written(report, check)
        done = _check(report, check)
        if verdict == "unknown":
            words = _NOT_CHECKED[check] if done and done.state == CheckState.NOT_ASKED else "the check did not run"
        elif found:
            words = f"the check found {_n(found, noun)}" + _to_look_at(report, check)
        else:
            words = f"the check found {none}"
        return AutoEvidence(item=item, subject=report.safe_id, verdict=verdict, found=found, words=words)

    return build


def _to_look_at(report: Report, check: CheckName) -> str:
    """What the rules leave to a person: a possible face, never covered by itself; an old bar or mosaic, no cover."""
    asked = [a.finding for a in _actions(report, Kind.FACE) if a.do == "ask"] if check == CheckName.FACES else []
    old = sum(f.count for f in asked if f.category == Category.OLD_DISGUISE)
    possible = sum(f.count for f in asked) - old
    shown = faces_shown([report]) if check == CheckName.FACES else 0
    return (
        (f"; {_n(shown, 'is/are')} shown: a person says that the consent allows it" if shown else "")
        + (f"; {_n(possible, 'is/are')} only possible: look" if possible else "")
        + (f"; {_n(old, 'has/have')} a bar or mosaic, which is no disguise: look" if old else "")
    )


def _written(report: Report, *names: CheckName) -> Verdict:
    """What the checks of the written copy allow to be said. No copy, or a check missing: unknown."""
    states = [c.state if (c := _check(report, n)) else CheckState.NOT_RUN for n in names]
    if CheckState.FAILED in states:
        return "fails"
    if report.copy is None or report.state != PhotoState.UNREVIEWED or any(s != CheckState.PASSED for s in states):
        return "unknown"
    return "supports"


def _after(report: Report, *names: CheckName) -> str:
    match _written(report, *names):
        case "supports":
            return " and nothing outside the allow-list in the copy"
        case "fails":
            return "; the copy did not pass"
        case _:
            return "; there is no copy that passed"


def faces_shown(reports: Sequence[Report]) -> int:
    """Faces that a person shows because, as they say, the consent allows it."""
    faces = [a for r in reports for a in _actions(r, Kind.FACE)]
    return sum(a.do == "keep" and a.by == "person" and a.why == Reason.FACE_SHOWN for a in faces)


def _filename(report: Report) -> AutoEvidence:
    neutral = report.copy is not None and NEUTRAL_NAME.match(report.copy.name) is not None
    return AutoEvidence(
        item="img.filename",
        subject=report.safe_id,
        verdict="unknown" if report.copy is None else "supports" if neutral else "fails",
        found=_fed(report, "img.filename"),
        words="the copy has a neutral name" if neutral else "there is no copy with a neutral name",
    )


def _cover_method(report: Report) -> AutoEvidence:
    shown = sum(a.do == "keep" for a in _actions(report, Kind.FACE))
    words = "every cover is one solid colour and larger than what it hides"
    if shown:
        words += f"; {_n(shown, 'face/faces')} shown by a person's decision"
    return AutoEvidence(
        item="img.cover-method",
        subject=report.safe_id,
        verdict=_written(report, CheckName.PIXELS),
        found=sum(a.do == "cover" for a in _actions(report, Kind.FACE)),
        words=words if _written(report, CheckName.PIXELS) == "supports" else "the covers were not checked",
    )


def _reopened(report: Report) -> AutoEvidence:
    ran = [c for c in report.checks if c.state in (CheckState.PASSED, CheckState.FAILED)]
    failed = [c for c in report.checks if c.state == CheckState.FAILED]
    complete = report.copy is not None and report.state == PhotoState.UNREVIEWED and report.checks and not failed
    complete = complete and all(c.state in PASSING for c in report.checks)
    partly = report.scope == "metadata-only"
    words = f"{_n(len(ran), 'check/checks')} ran on the written copy" + (f", {len(failed)} failed" if failed else "")
    if partly:
        words += "; text, codes and faces were not checked"
    return AutoEvidence(
        item="img.reopened",
        subject=report.safe_id,
        verdict="fails" if failed else "supports" if complete and not partly else "unknown",
        found=len(failed),
        words=words,
    )


def _actions(report: Report, kind: str) -> list[Action]:
    return [a for a in report.plan.actions if a.finding.kind == kind] if report.plan else []


def _n(count: int, noun: str) -> str:
    """A count with its noun; ``noun`` is singular and plural with a stroke between them."""
    one, _, many = noun.partition("/")
    return f"1 {one}" if count == 1 else f"{count or 'no'} {many}"


def _faces(report: Report) -> int:
    """Faces, each once: an old bar or mosaic stands for one where the check found no face itself."""
    found = [a.finding for a in _actions(report, Kind.FACE)]
    old = sum(f.count for f in found if f.category == Category.OLD_DISGUISE)
    return max(sum(f.count for f in found) - old, old)


_NOT_CHECKED = {
    CheckName.TEXT: "text was not checked",
    CheckName.CODES: "codes were not checked",
    CheckName.FACES: "faces were not checked",
}

_BUILDERS: tuple[_Builder, ...] = (
    _container("img.location", "trace of a place/traces of a place"),
    _container("img.metadata", "piece of hidden information/pieces of hidden information"),
    _container("img.hidden-images", "hidden picture/hidden pictures"),
    _filename,
    _picture("img.text", CheckName.TEXT, "area with writing/areas with writing", "none; it can miss writing"),
    _picture(
        "img.text-unread",
        CheckName.TEXT,
        "area that could not be read/areas that could not be read",
        "none; it can miss writing",
    ),
    _picture("img.codes", CheckName.CODES, "code/codes", "none; it can miss codes"),
    _picture("img.faces", CheckName.FACES, "face/faces", "none; it can miss faces"),
    _cover_method,
    _picture(
        "img.workplace",
        CheckName.TEXT,
        "area that may name a person or a workplace/areas that may name a person or a workplace",
        "no writing that may name a person or a workplace; badges, uniforms and logos are not looked for",
    ),
    _picture("img.other-people", CheckName.FACES, "face/faces", "no face; people are not looked for otherwise"),
    _reopened,
)
