"""``paste-into-notes.txt``: seven lines for each patient group, to be pasted into that patient's notes."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.plain import printable
from medimg.report.html import when, withdrawal
from medimg.report.model import CopyLine, RecordGroup, RecordSheet
from medimg.report.words import REMAINING_RISK
from medimg.words import many, tr

_BLANK = "______________________"
_NAMED = 12
"""Copies that are named; more are counted."""


def notes(sheet: RecordSheet) -> str:
    """Seven lines a group, an empty line between two groups.

    Args:
        sheet: The record sheet.
    """
    return "\n\n".join("\n".join(map(printable, _lines(sheet, group))) for group in sheet.groups) + "\n"


def _lines(sheet: RecordSheet, group: RecordGroup) -> list[str]:
    copies = [p.copy for p in group.photos if p.copy is not None]
    looked = sum(c.looked_at for c in copies)
    return [
        _shared(sheet, group, copies),
        _consent(group),
        tr("Reason for sharing: {blank}. Opinion received: {blank}.", blank=_BLANK),
        f"{group.summary} {sheet.scope_words} "
        + tr("A person opened {looked} of {n} copies at full size.", looked=looked, n=len(copies)),
        _stands(group),
        f"{tr(REMAINING_RISK)} {tr('The originals were not changed.')}",
        tr(
            "Detail: record sheet of run {run}, patient {group} (medimg {medimg}).",
            run=sheet.run,
            group=group.group,
            medimg=sheet.medimg,
        ),
    ]


def _consent(group: RecordGroup) -> str:
    return tr(
        "Consent: {basis}. Given: {given}. Filed: {filed}.",
        basis=(group.basis or _BLANK) + (f" ({group.form})" if group.form else ""),
        given=group.given or _BLANK,
        filed="; ".join(filter(None, (group.filed, *group.signed))) or _BLANK,
    )


def _stands(group: RecordGroup) -> str:
    """Where the patient stands: a withdrawal comes before what was answered."""
    if group.withdrawn:
        return f"{withdrawal(group.withdrawn[-1]).rstrip('.')}. {tr('Nothing of this patient may be shared any more.')}"
    left, needed = group.questions["blocking_open"], group.questions["blocking"]
    answered = tr(" {left} of {n} questions that need an answer are open.", left=left, n=needed) if left else ""
    return f"{group.status.rstrip('.')}.{answered}"


def _shared(sheet: RecordSheet, group: RecordGroup, copies: Sequence[CopyLine]) -> str:
    """What went to whom, when and by whom; or that it did not go yet."""
    photos = (
        many("{n} covered copy of clinical photographs", "{n} covered copies of clinical photographs", len(copies))
        + f" ({_named(copies)})"
    )
    where = f", {', '.join(sheet.countries)}" if sheet.countries else ""
    whom = f"{group.recipients or _BLANK} ({sheet.audience_words}{where})"
    if not group.released_at:
        return tr(
            "{when}: {photos} prepared, not shared yet. For: {whom}.",
            when=when(sheet.finished),
            photos=photos,
            whom=whom,
        )
    return tr(
        "{when}: {photos} shared with {whom} by {role}.",
        when=when(group.released_at[-1]),
        photos=photos,
        whom=whom,
        role=group.role or _BLANK,
    )


def _named(copies: Sequence[CopyLine]) -> str:
    if not copies:
        return tr("none")
    more = len(copies) - _NAMED
    return ", ".join(c.name for c in copies[:_NAMED]) + (tr(" and {more} more", more=more) if more > 0 else "")
