"""A page for the patient: the covered pictures, for whom, what cannot be taken back, how to withdraw, lines to sign.

Large print and short sentences. It holds no more of the patient than the covered copies; the name is written on the
paper. It belongs in the private part.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from medimg.errors import UsageError
from medimg.report import thumbs
from medimg.report.html import page
from medimg.report.letters import UNSHOWN, shown
from medimg.report.letters.embed import Ink
from medimg.report.letters.flow import paragraph
from medimg.run.folder import SHARE_FOLDER, UNREVIEWED_FOLDER
from medimg.run.opened import OpenRun
from medimg.words import many, mark, tr

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

LONG_SIDE = 1100
"""Pixels of a picture's longest side on the page: sharp over a hand's breadth of paper."""

#: What an audience is, to somebody who never heard of it.
FOR_WHOM = {
    "colleague-opinion": mark("One or a few health workers. They are asked for advice about your care."),
    "closed-group": mark(
        "The members of a closed group of health workers. Some may do other work. Any of them can copy it."
    ),
    "teaching": mark("People who learn or teach in health care: in a talk, a course or an exam."),
    "publication": mark("Anybody who reads the journal, book or poster. It may be on the internet, in every country."),
    "public": mark("Everybody. It will be on the open internet or in the news, in every country."),
}
COVERED = (
    mark("Some parts may be covered. A person who does not know you is then less likely to know that it is you."),
    mark("A person who knows you may still see that it is you."),
)
NOT_BACK = (
    mark("Others may copy what we share and pass it on."),
    mark("We cannot call copies back. We cannot be sure that all of them are deleted."),
    mark("What is printed stays printed."),
)
CHOICE = (
    mark("It is your choice. You can say no. You need not say why."),
    mark("Your care stays the same, whatever you say."),
)
WITHDRAW = (
    mark("You can change your mind at any time, without a reason."),
    mark(
        "Tell us, and give the number below. We then stop sharing it, take down what we can, and ask "
        "those who have it to delete it."
    ),
)
TICKS = (
    mark("I have seen the pictures on this page."),
    mark("I know who will see them."),
    mark("I know that they cannot be called back."),
    mark("I know how to change my mind."),
)
DECIDE = (mark("Yes, these pictures may be shared in this way."), mark("No."))
LINES = (
    mark("Name"),
    mark("Signature"),
    mark("Date"),
    mark("If you sign for somebody else: your name, and who you are to them"),
    mark("Interpreter, if there was one"),
    mark("Health worker: role and signature"),
)


class ConsentPage(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the page of one patient.

    Attributes:
        number: Run and group, by which a withdrawal is known.
        pictures: Name of a copy, and it as a JPEG in a data URI; in order.
        for_whom: Sentences.
        caption: The text that will stand beside the pictures; empty for none.
        contacts: Whom to tell of a withdrawal, as the organisation has set.
        organisation: Its name; empty for none.
    """

    number: str
    pictures: tuple[tuple[str, str], ...]
    for_whom: tuple[str, ...]
    caption: str
    contacts: tuple[tuple[str, str], ...]
    organisation: str


def of(opened: OpenRun, group: str) -> ConsentPage:
    """The page of one group.

    Raises:
        UsageError: The patient withdrew, or a copy is gone, was changed, or cannot be drawn: a page without one of
            the pictures would be signed for something else.
    """
    state = opened.state
    if state.is_withdrawn(group):
        raise UsageError(f"patient {group} withdrew.")
    copies = [r.copy for r in opened.of(group) if r.copy is not None]
    if not copies:
        raise UsageError(f"patient {group} has no copy that passed the checks.")
    pictures = []
    with thumbs.quiet():
        for copy in copies:
            drawn = _drawn(opened.folder, copy.name, copy.sha256)
            if drawn is None:
                raise UsageError(
                    "a copy is gone, was changed, or cannot be drawn: there is no page without it.",
                    todo="'medimg status' says which copies are not as they were checked.",
                )
            pictures.append((copy.name, drawn))
    whom = state.recipients.get(group, "").strip()
    site = state.run.site
    return ConsentPage(
        number=f"{state.run.tag} {group}",
        pictures=tuple(pictures),
        for_whom=(tr(FOR_WHOM[state.context.audience]), *([tr("That is: {whom}", whom=whom)] if whom else [])),
        caption=state.caption_text_of(group).strip(),
        contacts=tuple(site.contacts.lines()) if site else (),
        organisation=site.organisation if site else "",
    )


def _drawn(folder: Path, name: str, sha256: str) -> str | None:
    places = (UNREVIEWED_FOLDER, SHARE_FOLDER)
    made = (thumbs.thumbnail(folder / p / name, sha256, long_side=LONG_SIDE, quality=88) for p in places)
    return next((t.uri for t in made if t is not None), None) if Path(name).name == name else None


def _title() -> str:
    return many("May we share this picture?", "May we share these pictures?", 1)


def _all(sentences: Sequence[str]) -> list[str]:
    return [tr(words) for words in sentences]


def sections(sheet: ConsentPage) -> list[tuple[str, Sequence[str]]]:
    """The headings between the pictures and the lines to sign, each with its sentences."""
    contact = [f"{who}: {how}" for who, how in sheet.contacts] or [tr("Tell: ") + "_" * 30]
    return [
        (tr("Who will see it"), sheet.for_whom),
        *([(tr("The words beside it"), (sheet.caption,))] if sheet.caption else []),
        (tr("What cannot be taken back"), _all(NOT_BACK)),
        (tr("Your choice"), _all(CHOICE)),
        (tr("If you change your mind"), (*_all(WITHDRAW), tr("Number: {number}", number=sheet.number), *contact)),
    ]


def html(sheet: ConsentPage) -> str:
    """The page as HTML: one file, no script, nothing loaded from elsewhere."""
    return page(
        "consent.html.j2",
        c=sheet,
        covered=_all(COVERED),
        sections=sections(sheet),
        ticks=_all(TICKS),
        decide=_all(DECIDE),
        lines=_all(LINES),
    )


def pdf(sheet: ConsentPage) -> bytes:
    """The page as a PDF to print, with the extra ``medimg[pdf]``.

    Letters that no font here has are written without their marks, or as a sign that the page then explains; the HTML
    page has them.
    """
    from reportlab.platypus import SimpleDocTemplate

    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, title=f'{_title()} {sheet.number}', author="medimg", invariant=1,
        leftMargin=50, rightMargin=50, topMargin=45, bottomMargin=45,
    )  # fmt: skip
    paper.build(list(_flow(sheet)))
    return out.getvalue()


def _flow(sheet: ConsentPage) -> list[Flowable]:
    from reportlab.platypus import KeepTogether, Spacer

    ink = Ink()
    unshown: list[str] = []

    def said(words: str, size: float = 15, *, bold: bool = False, before: float = 0) -> Flowable:
        can = shown(words, bold=bold)
        unshown.extend([can] if UNSHOWN in can else [])
        return paragraph(ink, can, size, bold=bold, before=before)

    def head(words: str) -> Flowable:
        return said(words, 18, bold=True, before=10)

    flow: list[Flowable] = [said(_title(), 24, bold=True, before=10)]
    if sheet.organisation:
        flow.append(said(sheet.organisation))
    for name, uri in sheet.pictures:
        flow.append(KeepTogether([_image(uri), said(name)]))
    flow += [said(words) for words in _all(COVERED)]
    for title, sentences in sections(sheet):
        flow.append(KeepTogether([head(title), *map(said, sentences)]))
    flow.append(
        KeepTogether([head(tr("Please tick")), *(said(f"[   ]  {words}") for words in _all((*TICKS, *DECIDE)))])
    )
    blank = "_" * 34
    flow.append(KeepTogether([*(said(f"{words}: {blank}", before=14) for words in _all(LINES)), Spacer(1, 6)]))
    if unshown:
        flow.insert(1, head(tr("[?]: letters that this PDF cannot show. Print the HTML page instead.")))
    return flow


def _image(uri: str) -> Flowable:
    from reportlab.platypus import Image

    data = io.BytesIO(base64.b64decode(uri.partition(",")[2]))
    picture = Image(data)
    scale = min(480 / picture.imageWidth, 400 / picture.imageHeight)
    picture.drawWidth, picture.drawHeight = picture.imageWidth * scale, picture.imageHeight * scale
    return picture
