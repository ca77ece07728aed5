"""``paste-into-notes.txt``: eight lines for each patient group, to be pasted into that patient's notes."""

from __future__ import annotations

from medimg.plain import printable
from medimg.report.html import when
from medimg.report.model import RecordGroup, RecordSheet, Tally
from medimg.report.words import REMAINING_RISK

_BLANK = "______________________"


def notes(sheet: RecordSheet, tallies: dict[str, tuple[Tally, ...]]) -> str:
    """Eight lines a group, an empty line between two groups.

    Args:
        sheet: The record sheet.
        tallies: Group -> what was found in its photos.
    """
    groups = ("\n".join(map(printable, _lines(sheet, g, tallies.get(g.group, ())))) for g in sheet.groups)
    return "\n\n".join(groups) + "\n"


def _lines(sheet: RecordSheet, group: RecordGroup, found: tuple[Tally, ...]) -> list[str]:
    copies = [p.copy for p in group.photos if p.copy is not None]
    where = ", ".join(sheet.countries) or "no country named"
    kinds = ", ".join(f"{t.words} {t.found}" for t in found) or "the checks found nothing"
    count = group.questions
    looked = sum(c.looked_at for c in copies)
    return [
        f"Clinical photographs prepared for sharing: medimg {sheet.medimg}, run {sheet.run}, {when(sheet.finished)}.",
        f"For: {sheet.audience_words} ({where}). Group {group.group}. Basis: {group.basis or _BLANK}.",
        f"Copies: {', '.join(f'{c.name} (sha256 {c.sha256[:12]})' for c in copies) or 'none'}."
        " The originals were not changed.",
        f"Found in the originals: {kinds}.",
        f"{sheet.scope_words} Opened at full size by a person: {looked} of {len(copies)}.",
        f"Checklist {sheet.checklist} ({sheet.checklist_digest}): {group.status}."
        f" {count['blocking'] - count['blocking_open']} of {count['blocking']} blocking closed,"
        f" {count['advisory'] - count['advisory_open']} of {count['advisory']} advisory.",
        f"Shared with: {group.recipients or _BLANK}  By (role): {group.role or _BLANK}  When:"
        f" {when(group.released_at[-1]) if group.released_at else _BLANK}  Form filed: {_BLANK}",
        REMAINING_RISK,
    ]
