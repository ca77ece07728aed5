"""The record sheet as plain rich text for a printer: headings, lines and tables, which is what Qt can set in pages."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QFont, QPageLayout, QTextDocument
from PySide6.QtPrintSupport import QPrinter

from medimg.consent.checklist import SECTIONS
from medimg.report.html import when
from medimg.report.model import RecordAnswer, RecordGroup, RecordPhoto, RecordSheet
from medimg.report.record import condition_words
from medimg.report.words import REMAINING_RISK

_STYLE = """
h1 { font-size: 15pt; } h2 { font-size: 12pt; } h3 { font-size: 10pt; }
td, th { padding: 2px 4px; text-align: left; vertical-align: top; }
"""
_BLANK = "_" * 34
_WIDE = "width='100%'"


def to_printer(sheet: RecordSheet, printer: QPrinter) -> None:
    """Print a record sheet, black on white, on the printer's paper.

    Args:
        sheet: The whole run, or one patient of it.
        printer: Set up by the person.
    """
    # QTextDocument leaves 2 cm round the text by itself.
    printer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Millimeter)
    document = QTextDocument()
    document.setDefaultFont(QFont("sans-serif", 9))
    document.setDefaultStyleSheet(_STYLE)
    document.setHtml(as_html(sheet))
    document.print_(printer)


def as_html(sheet: RecordSheet) -> str:
    """The sheet in the few HTML elements that Qt prints. Every word of the run is escaped.

    Args:
        sheet: The whole run, or one patient of it.
    """
    facts = [
        ("Run", f"{sheet.run}, {when(sheet.finished)}"),
        ("For", f"{sheet.audience_words} ({', '.join(sheet.countries) or 'no country named'})"),
        ("Made with", f"medimg {sheet.medimg}, checklist {sheet.checklist} ({sheet.checklist_digest})"),
        ("Checked", sheet.scope_words),
        *(("Note", x) for x in sheet.warnings),
        *((who.capitalize(), how) for who, how in sheet.contacts),
    ]
    parts = [
        "<h1>Record sheet. Private: file it in the patient's record. Not for sharing.</h1>",
        f"<p>Patient: {_BLANK} &nbsp; (label here; medimg leaves it blank)</p>",
        _table(facts),
        *(_group(g) for g in sheet.groups),
        f"<p>{escape(REMAINING_RISK)}</p>",
        "<p>Every finding with its place and reason stands in record-sheet.html, in the private folder of the run.</p>",
    ]
    return "".join(parts)


def _group(group: RecordGroup) -> str:
    count = group.questions
    needed = f"{count['blocking'] - count['blocking_open']} of {count['blocking']}"
    facts = [
        ("Where it stands", group.status),
        ("Basis", group.basis or "not said"),
        ("Shared with", group.recipients or _BLANK),
        ("Released", ", ".join(when(x) for x in group.released_at) or "no"),
        *(("Withdrawn", x) for x in group.withdrawn),
        ("Needed answers closed", needed),
        ("Shared by (role)", group.role or _BLANK),
        ("Form filed where", _BLANK),
    ]
    copies = [_picture(p) for p in group.photos]
    conditions = [(meaning, said) for _, meaning, said in condition_words(group.conditions)]
    out = [f"<h2>Patient {escape(group.group)}</h2>", _table(facts), "<h3>Pictures</h3>", _table(copies)]
    out += ["<h3>About this patient and this picture</h3>", _table(conditions)]
    for key, title in SECTIONS.items():
        rows = [
            (f"{a.ask} [{', '.join(a.subjects[:6])}{' …' if len(a.subjects) > 6 else ''}]", _answer(a))
            for a in group.answers
            if a.section == key
        ]
        if rows:
            out += [f"<h3>{escape(title)}</h3>", _table(rows)]
    return "".join(out)


def _picture(photo: RecordPhoto) -> tuple[str, str]:
    copy = photo.copy
    if copy is None:
        return photo.safe_id, photo.reason
    looked = "yes" if copy.looked_at else "not yet"
    return copy.name, f"{copy.altered}. Opened at full size: {looked}. sha256 {copy.sha256[:16]}"


def _answer(answer: RecordAnswer) -> str:
    said = answer.choice or (answer.checks_say if answer.state in ("closed", "failed") else "") or "open"
    who = "your organisation" if answer.by == "site" else answer.role
    until = f"until {answer.valid_until}" if answer.valid_until else ""
    return "; ".join(x for x in (said, who, answer.note, until) if x)


def _table(rows: list[tuple[str, str]]) -> str:
    body = "".join(
        f"<tr><td width='58%'>{escape(one)}</td><td width='42%'>{escape(two)}</td></tr>" for one, two in rows
    )
    return f"<table {_WIDE} border='1' cellspacing='0' style='border-collapse: collapse'>{body}</table>"
