"""``paste-into-notes.txt``: seven lines for each patient group, to be pasted into that patient's notes."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.plain import printable
from medimg.report.html import when, withdrawal
from medimg.report.model import CopyLine, RecordGroup, RecordSheet
from medimg.report.words import REMAINING_RISK

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
        f"Consent: {group.basis or _BLANK}{f' ({group.form})' if group.form else ''}. Given: {group.given or _BLANK}."
        f" Filed: {'; '.join(filter(None, (group.filed, *group.signed))) or _BLANK}.",
        f"Reason for sharing: {_BLANK}. Opinion received: {_BLANK}.",
        f"{group.summary} {sheet.scope_words} A person opened {looked} of {len(copies)} copies at full size.",
        _stands(group),
        f"{REMAINING_RISK} The originals were not changed.",
        f"Detail: record sheet of run {sheet.run}, patient {group.group} (medimg {sheet.medimg}).",
    ]


def _stands(group: RecordGroup) -> str:
    """Where the patient stands: a withdrawal comes before what was answered."""
    if group.withdrawn:
        return f"{withdrawal(group.withdrawn[-1]).rstrip('.')}. Nothing of this patient may be shared any more."
    left, needed = group.questions["blocking_open"], group.questions["blocking"]
    answered = f" {left} of {needed} questions that need an answer are open." if left else ""
    return f"{group.status.rstrip('.')}.{answered}"


def _shared(sheet: RecordSheet, group: RecordGroup, copies: Sequence[CopyLine]) -> str:
    """What went to whom, when and by whom; or that it did not go yet."""
    photos = (
        f"{len(copies)} covered {'copy' if len(copies) == 1 else 'copies'} of clinical photographs ({_named(copies)})"
    )
    where = f", {', '.join(sheet.countries)}" if sheet.countries else ""
    whom = f"{group.recipients or _BLANK} ({sheet.audience_words}{where})"
    if not group.released_at:
        return f"{when(sheet.finished)}: {photos} prepared, not shared yet. For: {whom}."
    return f"{when(group.released_at[-1])}: {photos} shared with {whom} by {group.role or _BLANK}."


def _named(copies: Sequence[CopyLine]) -> str:
    if not copies:
        return "none"
    more = len(copies) - _NAMED
    return ", ".join(c.name for c in copies[:_NAMED]) + (f" and {more} more" if more > 0 else "")
