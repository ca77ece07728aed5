"""What the checks say about an item: they can fail it or support it, and they never sign it.

Evidence is drawn from the reports of the pipeline alone. It holds counts and fixed words, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal

import msgspec

from medimg import covers
from medimg.consent import _evidence_words as w
from medimg.types import Action, Box, Check, CopySummary, Finding, Polygon, Report, bounding_box
from medimg.vocabulary import PASSING, Category, CheckName, CheckState, Kind, PhotoState, Reason
from medimg.words import many, tr

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


_Builder = Callable[[Report], AutoEvidence]


def evidence(report: Report) -> list[AutoEvidence]:
    """The evidence of one photo for every item that the checks feed."""
    return [build(report) for build in _BUILDERS]


def group_evidence(
    group: str, reports: Sequence[Report], caption: Mapping[str, int] | None = None
) -> list[AutoEvidence]:
    """Evidence about a patient group as a whole: how recent it is, never when, and what comes together.

    Args:
        group: Key of the group.
        reports: The reports of its photos.
        caption: Kinds found in the caption that goes with it; None when no caption was checked.
    """
    return [_timing(group, reports, caption or {}), _sum(group, reports, caption)]


def _timing(group: str, reports: Sequence[Report], caption: Mapping[str, int]) -> AutoEvidence:
    known = {r.captured for r in reports} - {""}
    newest = next((b for b in w.TAKEN if b in known), "")
    said = caption.get(Category.RELATIVE_TIME, 0) + caption.get(Category.IN_THE_NEWS, 0)
    words = tr(w.TAKEN[newest]) if newest else tr("no photo says when it was taken; you know")
    return AutoEvidence(
        item="id.moment",
        subject=group,
        verdict="supports" if newest in ("months", "longer") and not said else "asks",
        found=sum(r.captured == newest for r in reports if newest),
        words=words + (tr("; the caption says when it was") if said else ""),
    )


def _sum(group: str, reports: Sequence[Report], caption: Mapping[str, int] | None) -> AutoEvidence:
    """What goes out together. It only ever asks: what else is known and online, no check sees."""
    copies = [r for r in reports if r.copy is not None]
    left = sum(a.finding.count for r in copies for a in _shown(r))
    parts = [
        w.n(len(copies), "1 copy", "{n} copies", "no copies"),
        *([many("1 face shown", "{n} faces shown", shown)] if (shown := faces_shown(copies)) else []),
        w.n(
            left, "1 find left to you to look at", "{n} finds left to you to look at", "no finds left to you to look at"
        ),
        tr("no caption was checked")
        if caption is None
        else w.n(sum(caption.values()), "1 find in the caption", "{n} finds in the caption", "no finds in the caption"),
    ]
    words = tr(
        "together: {parts}; no check sees your profile, earlier posts, or what others know", parts=", ".join(parts)
    )
    return AutoEvidence(item="id.together", subject=group, verdict="asks", found=left, words=words)


def _shown(report: Report) -> tuple[Action, ...]:
    """What the rules left to a person in a picture."""
    return tuple(a for a in report.plan.doing("ask") if a.finding.region is not None) if report.plan else ()


def conditions(reports: Sequence[Report]) -> dict[str, str]:
    """Conditions that findings raise: a face sets ``face``. No finding ever sets a condition to *no*."""
    return {"face": "yes"} if any(_actions(r, Kind.FACE) for r in reports) else {}


def _fed(report: Report, item: str) -> int:
    """How many findings feed an item."""
    return sum(a.finding.count for a in _feeding(report, item))


def _feeding(report: Report, item: str) -> list[Action]:
    """What feeds an item, by its kind or by its category."""
    kinds, categories = _feeders(item)
    every = report.plan.actions if report.plan else ()
    return [a for a in every if a.finding.kind in kinds or (a.finding.kind, a.finding.category) in categories]


@cache
def _feeders(item: str) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The kinds that feed an item, and the categories that do, each with its kind."""
    return (
        frozenset(k for k in Kind if item in k.items),
        frozenset((c.kinds[0], c) for c in Category if item in c.items),
    )


def _check(report: Report, name: CheckName) -> Check | None:
    return next((c for c in report.checks if c.name == name), None)


def _container(item: str, noun: w.Noun, none: str) -> _Builder:
    def build(report: Report) -> AutoEvidence:
        return AutoEvidence(
            item=item,
            subject=report.safe_id,
            verdict=_written(report, CheckName.STRUCTURE, CheckName.METADATA),
            found=(found := _fed(report, item)),
            words=(tr("the check found {found} in the original", found=many(*noun, found)) if found else tr(none))
            + _after(report, CheckName.STRUCTURE, CheckName.METADATA),
        )

    return build


def _picture(item: str, check: CheckName, noun: w.Noun, none: str, unseen: str = "") -> _Builder:
    """What a check of the picture found for an item; ``unseen`` says what no check looks for, always."""

    def build(report: Report) -> AutoEvidence:
        found = _faces(report) if check == CheckName.FACES else _fed(report, item)
        verdict = _written(report, check)
        done = _check(report, check)
        if verdict == "unknown":
            words = (
                tr(w.NOT_CHECKED[check]) if done and done.state == CheckState.NOT_ASKED else tr("the check did not run")
            )
        elif found:
            words = tr("the check found {found}", found=many(*noun, found))
            words += _covered(report, item, found) + _to_look_at(report, check)
        else:
            words = tr(none)
        words += f"; {tr(unseen)}" if unseen else ""
        if verdict == "supports" and check != CheckName.FACES and _asked(report, check):
            verdict = "asks"
        return AutoEvidence(item=item, subject=report.safe_id, verdict=verdict, found=found, words=words)

    return build


def _covered(report: Report, item: str, found: int) -> str:
    """How many of the findings that feed an item are covered in the copy, and which that stay may be a name."""
    done = sum(a.finding.count for a in _feeding(report, item) if a.do == "cover")
    names = _perhaps_names(report) if item == "img.text" else 0
    covered = "" if not done else w.covered(done, found)
    stays = many("1 stays and may be a name: look", "{n} stay and may be a name: look", names) if names else ""
    return "".join(f"; {part}" for part in (covered, stays) if part)


_KINDS = {CheckName.FACES: Kind.FACE, CheckName.TEXT: Kind.TEXT, CheckName.CODES: Kind.CODE}


def _asked(report: Report, check: CheckName) -> list[Finding]:
    """What a check found and the rules leave to a person."""
    return [a.finding for a in _actions(report, _KINDS[check]) if a.do == "ask"]


def _to_look_at(report: Report, check: CheckName) -> str:
    """What the rules leave to a person: what is only possible, never covered by itself; an old bar or mosaic."""
    asked = _asked(report, check)
    old = sum(f.count for f in asked if f.category == Category.OLD_DISGUISE)
    possible = sum(f.count for f in asked) - old
    shown = faces_shown([report]) if check == CheckName.FACES else 0
    return (
        (w.shown(shown) if shown else "")
        + (many("; 1 is only possible: look", "; {n} are only possible: look", possible) if possible else "")
        + (w.disguised(old) if old else "")
    )


def _perhaps_names(report: Report) -> int:
    """Words that stay because they are plain ones as well as names."""
    kept = [a.finding for a in _actions(report, Kind.TEXT) if a.do == "keep" and a.by == "rule"]
    return sum(f.count for f in kept if f.category == Category.POSSIBLE_NAME)


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
            return tr(" and nothing outside the allow-list in the copy")
        case "fails":
            return tr("; the copy did not pass")
        case _:
            return tr("; there is no copy that passed")


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
        words=tr("the copy has a neutral name") if neutral else tr("there is no copy with a neutral name"),
    )


def _cover_method(report: Report) -> AutoEvidence:
    shown = sum(a.do == "keep" for a in _actions(report, Kind.FACE))
    words = tr("every cover is one solid colour and larger than what it hides")
    if shown:
        words += many("; 1 face shown by a person's decision", "; {n} faces shown by a person's decision", shown)
    return AutoEvidence(
        item="img.cover-method",
        subject=report.safe_id,
        verdict=_written(report, CheckName.PIXELS),
        found=sum(a.do == "cover" for a in _actions(report, Kind.FACE)),
        words=words if _written(report, CheckName.PIXELS) == "supports" else tr("the covers were not checked"),
    )


def _reopened(report: Report) -> AutoEvidence:
    ran = [c for c in report.checks if c.state in (CheckState.PASSED, CheckState.FAILED)]
    failed = [c for c in report.checks if c.state == CheckState.FAILED]
    complete = report.copy is not None and report.state == PhotoState.UNREVIEWED and report.checks and not failed
    complete = complete and all(c.state in PASSING for c in report.checks)
    partly = report.scope == "metadata-only"
    words = w.n(
        len(ran),
        "1 check ran on the written copy",
        "{n} checks ran on the written copy",
        "no checks ran on the written copy",
    )
    if failed:
        words += many(", 1 failed", ", {n} failed", len(failed))
    if partly:
        words += tr("; text, codes and faces were not checked")
    return AutoEvidence(
        item="img.reopened",
        subject=report.safe_id,
        verdict="fails" if failed else "supports" if complete and not partly else "unknown",
        found=len(failed),
        words=words,
    )


def _marks(report: Report) -> AutoEvidence:
    words = tr("no check looks for tattoos, jewellery, scars or birthmarks: you look")
    return AutoEvidence(item="img.marks", subject=report.safe_id, verdict="asks", words=words)


#: Share of the picture from which on its covers are put to a person as much; our own choice, no source names one.
MUCH = 0.1
_SCALES = (Category.RULER, Category.COLOUR_CARD)


def _clinical_meaning(report: Report) -> AutoEvidence:
    """What was done to the picture that the finding may have suffered from. A person judges the medicine."""
    copy = report.copy
    if copy is None:
        words = tr("there is no copy")
        return AutoEvidence(item="img.clinical-meaning", subject=report.safe_id, verdict="asks", words=words)
    checked = _written(report, CheckName.PIXELS) == "supports"
    share, middle, cut = hidden_share(copy), _in_the_middle(copy), _scales_cut(report, copy)
    parts = [
        hidden_words(copy),
        *([many("1 cover reaches into its middle", "{n} covers reach into its middle", middle)] if middle else []),
        *([w.cut(cut)] if cut else []),
        *([tr("it was cropped")] if copy.cropped is not None else []),
        *([] if checked else [tr("the covers were not checked")]),
        *([] if copy.lossless else [tr("it was saved again, so colours may differ slightly")]),
    ]
    return AutoEvidence(
        item="img.clinical-meaning",
        subject=report.safe_id,
        verdict="supports" if checked and share < MUCH and not middle and not cut else "asks",
        found=len(copy.covered),
        words="; ".join(parts) + tr("; look whether the finding still shows"),
    )


def hidden_share(copy: CopySummary) -> float:
    """How much of a copy its covers hide, 0 to 1."""
    return _hidden_share(copy.covered, copy.width, copy.height)


@lru_cache(maxsize=4096)
def _hidden_share(covered: tuple[Polygon, ...], width: int, height: int) -> float:
    """Reckoned once for the covers of a copy: every answer asks for all copies of a run, some times over."""
    clipped = [bounding_box(p).clipped(width, height).polygon for p in covered if _is_box(p)]
    rest = [p for p in covered if not _is_box(p)]
    return min(covers.hidden_area([*clipped, *rest]) / max(width * height, 1), 1.0)


def _is_box(polygon: Polygon) -> bool:
    return len(polygon) == 4 and len({x for x, _ in polygon}) == len({y for _, y in polygon}) == 2


def hidden_words(copy: CopySummary) -> str:
    """How much of a copy its covers hide, in words."""
    if not copy.covered:
        return tr("nothing of the picture is covered")
    share = hidden_share(copy)
    return tr(
        "covers hide {share} of the picture", share=tr("less than 1 %") if share < 0.01 else f"{round(100 * share)} %"
    )


def _in_the_middle(copy: CopySummary) -> int:
    """Covers that reach into the middle ninth of a copy: there may be what the picture is for."""
    middle = Box(copy.width // 3, copy.height // 3, -(-2 * copy.width // 3), -(-2 * copy.height // 3))
    return sum(bounding_box(p).overlap(middle) > 0 for p in copy.covered)


def _scales_cut(report: Report, copy: CopySummary) -> int:
    """Rulers and colour cards that a cover touches, by their boxes; in the copy's own coordinates."""
    dx, dy = (copy.cropped.x0, copy.cropped.y0) if copy.cropped is not None else (0, 0)
    hidden = [bounding_box(p) for p in copy.covered]
    boxes = [f.region.box for f in report.findings if f.category in _SCALES and f.region is not None]
    moved = [Box(b.x0 - dx, b.y0 - dy, b.x1 - dx, b.y1 - dy) for b in boxes]
    return sum(any(b.overlap(h) > 0 for h in hidden) for b in moved)


def _actions(report: Report, kind: str) -> list[Action]:
    return [a for a in report.plan.actions if a.finding.kind == kind] if report.plan else []


def _faces(report: Report) -> int:
    """Faces, each once: an old bar or mosaic stands for one where the check found no face itself."""
    found = [a.finding for a in _actions(report, Kind.FACE)]
    old = sum(f.count for f in found if f.category == Category.OLD_DISGUISE)
    return max(sum(f.count for f in found) - old, old)


_BUILDERS: tuple[_Builder, ...] = (
    _container("img.location", w.PLACES, w.NO_PLACES),
    _container("img.metadata", w.HIDDEN, w.NO_HIDDEN),
    _container("img.hidden-images", w.HIDDEN_PICTURES, w.NO_HIDDEN_PICTURES),
    _filename,
    _picture("img.text", CheckName.TEXT, w.WRITING, w.NO_WRITING),
    _picture("img.text-unread", CheckName.TEXT, w.UNREAD, w.NO_WRITING),
    _picture("img.codes", CheckName.CODES, w.CODES, w.NO_CODES),
    _picture("img.faces", CheckName.FACES, w.FACES, w.NO_FACES),
    _cover_method,
    _picture("img.workplace", CheckName.TEXT, w.NAMING, w.NO_NAMING, w.WORKPLACE_UNSEEN),
    _picture("img.other-people", CheckName.FACES, w.FACES, w.NO_FACE, w.PEOPLE_UNSEEN),
    _marks,
    _clinical_meaning,
    _reopened,
)
