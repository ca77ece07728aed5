"""The record sheet as a PDF with check boxes and fields to fill in (``pip install 'medimg[pdf]'``).

It holds what the HTML record sheet holds of each patient group, and is as private.
"""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from medimg.consent.checklist import SECTIONS
from medimg.report import letters, words
from medimg.report.html import GROUPS, SHOWN, rows, when, withdrawal
from medimg.report.letters import UNSHOWN, bidi, shown
from medimg.report.letters.embed import Ink
from medimg.report.model import RecordAnswer, RecordGroup, RecordPhoto, RecordSheet
from medimg.vocabulary import as_words
from medimg.words import mark, tr

if TYPE_CHECKING:
    from medimg.report.thumbs import Thumb

WIDTH, HEIGHT = 595.28, 841.89
"""A4 in points (ISO 216)."""
_MARGIN, _BOTTOM, _GUTTER = 42.0, 54.0, 18.0
_TOGETHER = 60.0
"""What stays with a heading, in points."""
_LONG = 260.0
"""A question with its answers is not parted, up to this height in points."""
_WHOLE = 5
"""Lines of a paragraph that are not parted."""
_ACROSS, _PICTURE = 4, 92.0
"""Small pictures in a row, and the height of each in points."""
_OPEN = 8
"""Open questions named on the first page; below, every one has its boxes."""
_BLANKS = (
    mark("Patient (label here)"),
    mark("Why"),
    mark("Valid until; how to withdraw"),
    mark("Capacity, guardian, interpreter"),
    mark("Opinion received"),
)


def available() -> bool:
    """Whether the package that writes PDF is installed."""
    return importlib.util.find_spec("reportlab") is not None


def record_pdf(sheet: RecordSheet, thumbs: Mapping[str, Thumb] | None = None) -> bytes:
    """The record sheet, to be filled in on screen or on paper.

    Letters that no font here has are written without their marks, or as :data:`UNSHOWN`; a page with such a sign says
    so. The HTML sheet has them.

    Args:
        sheet: The record sheet.
        thumbs: Small pictures of the copies, by the name of the copy.
    """
    page = _Page(tr("Record sheet {run} (private)", run=sheet.run))
    for number, group in enumerate(sheet.groups[:GROUPS]):
        if number:
            page.fresh()
        _group(page, sheet, group, thumbs or {})
    if len(sheet.groups) > GROUPS:
        page.text(tr("{n} more patients are in record-sheet.json.", n=len(sheet.groups) - GROUPS))
    _closing(page, sheet)
    return page.done()


def _closing(page: _Page, sheet: RecordSheet) -> None:
    """What holds for every group: the incident card, the advice, the organisation's own lines."""
    page.heading(tr("If it reaches the wrong person, or the patient is recognised"))
    page.lines(*(f"{step}. {line}" for step, line in enumerate(sheet.incident, 1)), *sheet.clocks)
    if sheet.advice:
        page.heading(tr("Share it well"))
        page.lines(*sheet.advice)
    if sheet.organisation or sheet.contacts or sheet.policy_text:
        page.heading(f"{tr('Set by your organisation')}: {sheet.organisation}".rstrip(": "))
        page.lines(*(f"{who}: {how}" for who, how in sheet.contacts), sheet.policy_text, sheet.policy_link)


def _group(page: _Page, sheet: RecordSheet, group: RecordGroup, thumbs: Mapping[str, Thumb]) -> None:
    page.heading(tr("Record sheet, patient {group}", group=group.group), 15)
    where = f" ({', '.join(sheet.countries)})" if sheet.countries else ""
    page.text(
        tr(
            "Run {run}, {when}. For: {whom}.",
            run=sheet.run,
            when=when(sheet.finished),
            whom=sheet.audience_words + where,
        )
    )
    page.pictures([(p.copy.name, thumbs[p.copy.name]) for p in group.photos if p.copy and p.copy.name in thumbs])
    page.text(group.status, bold=True)
    for line in (*group.stops, *map(withdrawal, group.withdrawn)):
        page.text(line, bold=True)
    page.lines(group.summary, sheet.scope_words, *sheet.warnings)
    page.lines(
        *(
            tr("{safe_id}, held: {reason}", safe_id=p.safe_id, reason=p.reason)
            for p in group.photos[:SHOWN]
            if p.copy is None
        )
    )
    _open(page, group)
    _blanks(page, group)
    page.columns()
    _copies(page, group)
    asked = rows(group.answers)
    for key, title in SECTIONS.items():
        mine = [row for row in asked if row[0].section == key]
        if mine:
            page.heading(title, below=_height(page, *mine[0][:3]))
        for answer, state, lines, alike in mine:
            _question(page, group.group, answer, state, lines, alike=alike)


def _open(page: _Page, group: RecordGroup) -> None:
    """What is open, for a reader who turns no page."""
    if not group.open_questions:
        return
    count, named = group.questions, group.open_questions[:_OPEN]
    page.heading(
        tr(
            "Open: {blocking_open} of {blocking} questions that need an answer before sharing",
            blocking_open=count["blocking_open"],
            blocking=count["blocking"],
        )
    )
    more = len(group.open_questions) - len(named)
    page.text(" ".join([*named, tr("And {more} more, below.", more=more) if more else ""]).rstrip())


def _blanks(page: _Page, group: RecordGroup) -> None:
    """What a person fills in, with what is known already."""
    page.heading(tr("To fill in"))
    page.field(f"{group.group}.role", tr("Shared by (role)"), group.role)
    page.field(f"{group.group}.recipients", tr("With whom, which group"), group.recipients)
    if group.caption:
        page.field(
            f"{group.group}.caption", tr("Text that was checked, to go with it"), " ".join(group.caption.split())
        )
    page.field(f"{group.group}.when", tr("When"), ", ".join(map(when, group.released_at)))
    page.field(f"{group.group}.basis", tr("Basis of the use"), group.basis)
    page.field(
        f"{group.group}.form",
        tr("Consent form, given, filed where"),
        "; ".join(filter(None, (group.form, group.given, group.filed))),
    )
    page.field(f"{group.group}.agreement", tr("Policy and owner's agreement"), group.agreement)
    page.lines(*(tr("Consent page: {line}.", line=line) for line in group.signed))
    for k, label in enumerate(_BLANKS):
        page.field(f"{group.group}.fill{k}", tr(label))


def _copies(page: _Page, group: RecordGroup) -> None:
    page.heading(tr("Copies of this patient"))
    photos = group.photos[:SHOWN]
    least = words.of_all(p.least_letters for p in photos)
    page.lines(
        *(_photo(p, apart=not least) for p in photos),
        words.opened([p.copy for p in group.photos if p.copy]),
        words.not_looked_for(least) if least else "",
    )
    if len(group.photos) > SHOWN:
        page.text(tr("{n} more photos of this patient are in record-sheet.json.", n=len(group.photos) - SHOWN))


def _photo(photo: RecordPhoto, *, apart: bool) -> str:
    """One line of a photo; with ``apart`` also of what holds for it and not for all."""
    copy = photo.copy
    if copy is None:
        return f"{photo.safe_id}: {photo.reason}"
    released = tr(", released") if copy.released else ""
    least = f" {words.not_looked_for(photo.least_letters)}" if apart and photo.least_letters else ""
    return f"{copy.name}: sha256 {copy.sha256[:16]}, {copy.altered}{released}.{least}"


def _question(page: _Page, group: str, answer: RecordAnswer, state: str, lines: Sequence[str], *, alike: bool) -> None:
    page.keep(_height(page, answer, state, lines))
    page.text(answer.ask, bold=True)
    for line in (_now(answer, state), *lines):
        page.text(line, small=True)
    page.boxes(f"{group}.{answer.item}", answer.ask, answer.choices, answer.choice if alike else "")
    page.gap(6)


def _height(page: _Page, answer: RecordAnswer, state: str, lines: Sequence[str]) -> float:
    return page.height(answer.ask, (_now(answer, state), *lines), answer.choices)


def _now(answer: RecordAnswer, state: str) -> str:
    level = tr("needs an answer before sharing") if answer.level == "blocking" else tr("to think about")
    site = tr(", set by your organisation") if answer.set_by_site else ""
    return tr("{item}, {level}{site}. Now: {state}.", item=answer.item, level=level, site=site, state=as_words(state))


class _Page:
    """Writes downwards, and turns the page when it is full."""

    def __init__(self, title: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._out = io.BytesIO()
        # invariant: no time and no random id in the file
        self._canvas: Any = Canvas(self._out, pagesize=(WIDTH, HEIGHT), invariant=1)
        self._ink = Ink()
        self._canvas.setTitle(shown(title))
        self._canvas.setAuthor("medimg")
        # All boxes look alike: drawn once, not four times for each (19 s for 40 groups, 4 s with this).
        self._canvas.acroForm.checkboxAP = cache(self._canvas.acroForm.checkboxAP)
        self._title, self._number, self._unshown = title, 1, False
        self._left, self._room, self._second = _MARGIN, WIDTH - 2 * _MARGIN, False
        self._y = self._top = HEIGHT - _MARGIN
        self._frame()

    def _frame(self) -> None:
        self._draw(
            _MARGIN, HEIGHT - 30, tr("PRIVATE: file this in the patient's record. Do not share it."), 9, bold=True
        )
        self._draw(_MARGIN, 30, tr("{title}, page {number}", title=self._title, number=self._number), 8)
        self._y = self._top = HEIGHT - _MARGIN - 12

    def _draw(self, x: float, y: float, words: str, size: float, *, bold: bool = False, rtl: bool = False) -> None:
        self._ink.draw(self._canvas, x, y, self._shown(words, bold=bold), size, bold=bold, rtl=rtl)

    def _shown(self, words: str, *, bold: bool = False) -> str:
        """Words as they can be shown; the page remembers that some cannot."""
        can = shown(words, bold=bold)
        self._unshown |= UNSHOWN in can
        return can

    def _end(self) -> None:
        """What has to be said below, now that the page is full."""
        if self._unshown:
            told = tr("[?]: letters that this PDF cannot show. They stand in record-sheet.html.")
            self._draw(_MARGIN, 41, told, 8, bold=True)
        self._unshown = False

    def columns(self) -> None:
        """From here on, two columns."""
        self._room, self._top = (WIDTH - 2 * _MARGIN - _GUTTER) / 2, self._y

    def fresh(self) -> None:
        """Start the next page, in one column."""
        self._room = WIDTH - 2 * _MARGIN
        self._turn()

    def turn(self) -> None:
        """Go on in the second column, or on the next page."""
        if self._room < WIDTH - 2 * _MARGIN and not self._second:
            self._second, self._left, self._y = True, _MARGIN + self._room + _GUTTER, self._top
        else:
            self._turn()

    def _turn(self) -> None:
        self._end()
        self._canvas.showPage()
        self._number += 1
        self._second, self._left = False, _MARGIN
        self._frame()

    def keep(self, height: float) -> None:
        """Turn the page unless so much room is left."""
        if self._y - height < _BOTTOM:
            self.turn()

    def height(self, title: str, lines: Sequence[str], labels: Sequence[str]) -> float:
        """What a question takes from its title to its boxes; the most that is kept together where it is very long."""
        high = 12.0 * len(letters.split(shown(title, bold=True), 9, self._room, bold=True))
        high += sum(11.0 * len(letters.split(shown(line), 8, self._room)) for line in lines)
        high += sum(14.0 * (at == 8) + 11 * len(more) for at, _, more in self._laid(labels))
        return min(high, _LONG)

    def gap(self, height: float) -> None:
        """Leave some room."""
        self._y -= height

    def heading(self, words: str, size: float = 11.5, below: float = _TOGETHER) -> None:
        """A heading that stays with what follows, as high as ``below`` says."""
        self.keep(size + 11 + max(below, _TOGETHER))
        self._y -= 8
        self._write(words, size, bold=True)

    def text(self, words: str, *, bold: bool = False, small: bool = False) -> None:
        """A paragraph."""
        self._write(words, 8 if small else 9, bold=bold)

    def lines(self, *paragraphs: str) -> None:
        """Paragraphs one below the other; empty ones are left out."""
        for paragraph in filter(None, paragraphs):
            self.text(paragraph)

    def pictures(self, named: Sequence[tuple[str, Thumb]]) -> None:
        """Small pictures in rows, each with its name below it."""
        from reportlab.lib.utils import ImageReader

        room = (WIDTH - 2 * _MARGIN) / _ACROSS
        for number, (name, thumb) in enumerate(named):
            if number % _ACROSS == 0:
                self.keep(_PICTURE + 16)
                self._y -= _PICTURE + 16
            x = _MARGIN + room * (number % _ACROSS)
            scale = min((room - 8) / thumb.width, _PICTURE / thumb.height)
            data = base64.b64decode(thumb.uri.partition(",")[2])
            self._canvas.drawImage(
                ImageReader(io.BytesIO(data)), x, self._y + 10, thumb.width * scale, thumb.height * scale
            )
            self._draw(x, self._y, name, 7.5)
        self.gap(4)

    def _write(self, words: str, size: float, *, bold: bool) -> None:
        can = shown(words, bold=bold)
        rtl = bidi.right_to_left(can)
        lines = letters.split(can, size, self._room, bold=bold)
        self.keep(min(len(lines), _WHOLE) * (size + 3))
        for line in lines:
            self.keep(size + 3)
            self._y -= size + 3
            right = self._room - letters.width(line, size, bold=bold, rtl=rtl) if rtl else 0
            self._draw(self._left + right, self._y, line, size, bold=bold, rtl=rtl)

    def field(self, name: str, label: str, value: str = "") -> None:
        """A line to be filled in."""
        self.keep(20)
        self._y -= 18
        self._draw(_MARGIN, self._y + 4, label, 9)
        can = self._shown(value)
        self._ink.field(
            self._canvas, can, name=name, tooltip=shown(label), x=_MARGIN + 165, y=self._y,
            width=WIDTH - 2 * _MARGIN - 165, height=15, fontSize=9, borderWidth=0.5, maxlen=2000,
        )  # fmt: skip

    def boxes(self, name: str, tip: str, labels: Sequence[str], ticked: str) -> None:
        """Check boxes in a row, each with its words."""
        for number, (at, first, more) in enumerate(self._laid(labels)):
            if at == 8:
                self.keep(15 + 11 * len(more))
                self._y -= 14
            x, label = self._left + at, labels[number]
            self._canvas.acroForm.checkbox(
                name=f"{name}.{number}", tooltip=shown(f"{tip} {label}"), x=x, y=self._y - 1, size=10,
                checked=label == ticked, buttonStyle="check", borderWidth=0.7,
            )  # fmt: skip
            self._draw(x + 14, self._y + 1, first, 9)
            for line in more:
                self._y -= 11
                self._draw(x + 14, self._y + 1, line, 9)

    def _laid(self, labels: Sequence[str]) -> list[tuple[float, str, list[str]]]:
        """Boxes in rows: how far to the right each stands (8 begins a row), its words, their further lines."""
        out, x = [], WIDTH
        for label in labels:
            words, *more = letters.split(shown(label), 9, self._room - 26)
            room = 30 + letters.width(words, 9)
            if x + room > self._room + 12:  # the last 16 points are blank
                x = 8
            out.append((x, words, more))
            x += room
        return out

    def done(self) -> bytes:
        """The file."""
        self._end()
        self._canvas.save()
        return self._out.getvalue()
