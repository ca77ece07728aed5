"""``paste-into-notes.txt``: seven lines for each patient group, to be pasted into that patient's notes."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.plain import printable
from medimg.report.html import when
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
    where = f" ({', '.join(sheet.countries)})" if sheet.countries else ""
    count = group.questions
    looked = sum(c.looked_at for c in copies)
    return [
        f"Clinical photographs, prepared for sharing {when(sheet.finished)}. For: {sheet.audience_words}{where}.",
        f"Covered copies: {_named(copies)}. The originals were not changed.",
        f"{group.summary} {sheet.scope_words} Opened at full size by a person: {looked} of {len(copies)}.",
        f"Basis: {group.basis or _BLANK}. Consent form filed: {'; '.join(group.signed) or _BLANK}",
        f"{group.status} {count['blocking'] - count['blocking_open']} of {count['blocking']} questions that need an"
        " answer are answered.",
        f"Shared with: {group.recipients or _BLANK}  By (role): {group.role or _BLANK}  When:"
        f" {when(group.released_at[-1]) if group.released_at else _BLANK}",
        f"{REMAINING_RISK} Record sheet: patient {group.group}, run {sheet.run}, medimg {sheet.medimg}.",
    ]


def _named(copies: Sequence[CopyLine]) -> str:
    if not copies:
        return "none"
    more = len(copies) - _NAMED
    return ", ".join(c.name for c in copies[:_NAMED]) + (f" and {more} more" if more > 0 else "")
