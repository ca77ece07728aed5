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
from medimg.words import mark, said, tr

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


_TITLE = mark("Record sheet. Private: file it in the patient's record. Not for sharing.")
_MORE = mark("Every finding with its place and reason stands in record-sheet.html, in the private folder of the run.")


def as_html(sheet: RecordSheet) -> str:
    """The sheet in the few HTML elements that Qt prints. Every word of the run is escaped.

    Args:
        sheet: The whole run, or one patient of it.
    """
    facts = [
        (tr("Run"), f"{sheet.run}, {when(sheet.finished)}"),
        (tr("For"), f"{sheet.audience_words} ({', '.join(sheet.countries) or tr('no country named')})"),
        (
            tr("Made with"),
            f"medimg {sheet.medimg}, " + tr("checklist {name}", name=f"{sheet.checklist} ({sheet.checklist_digest})"),
        ),
        (tr("Checked"), sheet.scope_words),
        *((tr("Note"), x) for x in sheet.warnings),
        *((who.capitalize(), how) for who, how in sheet.contacts),
    ]
    parts = [
        f"<h1>{escape(tr(_TITLE))}</h1>",
        f"<p>{escape(tr('Patient:'))} {_BLANK} &nbsp; {escape(tr('(label here; medimg leaves it blank)'))}</p>",
        _table(facts),
        *(_group(g) for g in sheet.groups),
        f"<p>{escape(tr(REMAINING_RISK))}</p>",
        f"<p>{escape(tr(_MORE))}</p>",
    ]
    return "".join(parts)


def _group(group: RecordGroup) -> str:
    count = group.questions
    needed = tr("{n} of {of}", n=count["blocking"] - count["blocking_open"], of=count["blocking"])
    facts = [
        (tr("Where it stands"), group.status),
        (tr("Basis"), group.basis or tr("not said")),
        (tr("Shared with"), group.recipients or _BLANK),
        (tr("Released"), ", ".join(when(x) for x in group.released_at) or tr("no")),
        *((tr("Withdrawn"), x) for x in group.withdrawn),
        (tr("Needed answers closed"), needed),
        (tr("Shared by (role)"), group.role or _BLANK),
        (tr("Form filed where"), _BLANK),
    ]
    copies = [_picture(p) for p in group.photos]
    conditions = [(meaning, said) for _, meaning, said in condition_words(group.conditions)]
    out = [
        f"<h2>{escape(tr('Patient {group}', group=group.group))}</h2>",
        _table(facts),
        f"<h3>{escape(tr('Pictures'))}</h3>",
        _table(copies),
    ]
    out += [f"<h3>{escape(tr('About this patient and this picture'))}</h3>", _table(conditions)]
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
        return photo.safe_id, said(photo.reason)
    looked = tr("yes") if copy.looked_at else tr("not yet")
    return copy.name, tr(
        "{altered}. Opened at full size: {looked}. sha256 {digest}",
        altered=copy.altered,
        looked=looked,
        digest=copy.sha256[:16],
    )


def _answer(answer: RecordAnswer) -> str:
    said = answer.choice or (answer.checks_say if answer.state in ("closed", "failed") else "") or tr("open")
    who = tr("your organisation") if answer.by == "site" else answer.role
    until = tr("until {day}", day=answer.valid_until) if answer.valid_until else ""
    return "; ".join(x for x in (said, who, answer.note, until) if x)


def _table(rows: list[tuple[str, str]]) -> str:
    body = "".join(
        f"<tr><td width='58%'>{escape(one)}</td><td width='42%'>{escape(two)}</td></tr>" for one, two in rows
    )
    return f"<table {_WIDE} border='1' cellspacing='0' style='border-collapse: collapse'>{body}</table>"
