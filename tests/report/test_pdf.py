"""The record sheet as a PDF to fill in."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import msgspec
import pypdf
import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from sheets_kit import MARKER, fonts_in, run_folder

from medimg import report as sheets
from medimg.acts.answering import from_setting
from medimg.consent.answers import Answer
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.report import pdf
from medimg.report.model import RecordSheet
from medimg.report.pdf import record_pdf
from medimg.run import state as runs
from medimg.run.opened import open_run
from medimg.run.state import with_recipients
from medimg.types import Report, from_json

PRIVATE = "PRIVATE-patient-record"


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fonts_in(monkeypatch)  # tests/report/test_pdf_letters.py has what fonts of the machine add
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    return folder


def read(folder: Path) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO((folder / PRIVATE / "record-sheet.pdf").read_bytes()))


def again(folder: Path, *settings: str) -> None:
    """Answer, and write the sheets anew."""
    state = runs.load(folder)
    assert state is not None
    for one in settings:
        state = from_setting(state, one, "2026-11-21T12:00:00Z")
    state = with_recipients(state, "P01", "hand group, Wh\u0101ng\u0101rei \u6f22")
    reports = from_json((folder / PRIVATE / "reports.json").read_bytes(), tuple[Report, ...])
    sheets.refresh(runs.save(folder, state), reports, folder)


def test_every_question_has_boxes_and_what_is_answered_is_ticked(out: Path) -> None:
    again(out, "P01:con.written=yes", "P01:id.together=yes")
    reader = read(out)
    fields = reader.get_fields()
    assert fields is not None
    ticked = {name for name, field in fields.items() if field.get("/V") == "/Yes"}
    assert ticked == {"P01.con.written.0", "P01.id.together.0"}
    record = from_json((out / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)
    asked = {f"{g.group}.{a.item}.{k}" for g in record.groups for a in g.answers for k in range(len(a.choices))}
    assert asked <= set(fields)
    assert fields["P01.recipients"].value == "hand group, Whangarei [?]"
    words = "\n".join(page.extract_text() for page in reader.pages)
    for text in (
        "PRIVATE: file this",
        "Patient P02".lower(),
        "Is the consent in writing",
        "needs an answer before sharing",
    ):
        assert text.lower() in words.lower()


def test_it_says_which_letter_height_was_not_looked_for(out: Path) -> None:
    record = from_json((out / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)
    first, *rest = record.groups[0].photos
    photos = (
        msgspec.structs.replace(first, least_letters=41),
        *(msgspec.structs.replace(p, least_letters=0) for p in rest),
    )
    group = msgspec.structs.replace(record.groups[0], photos=photos)
    warned = msgspec.structs.replace(
        record, groups=(group,), warnings=("P01-001 and P01-002 are versions of one photo.",)
    )
    reader = pypdf.PdfReader(io.BytesIO(record_pdf(warned)))
    said = " ".join("\n".join(page.extract_text() for page in reader.pages).split())
    assert said.count("Print not looked for: single lines lower than 41 pixels.") == 1
    assert "versions of one photo" in said


def test_what_holds_for_every_copy_is_said_once(out: Path) -> None:
    record = from_json((out / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)
    photos = tuple(msgspec.structs.replace(p, least_letters=41) for p in record.groups[0].photos)
    group = msgspec.structs.replace(record.groups[0], photos=photos)
    reader = pypdf.PdfReader(io.BytesIO(record_pdf(msgspec.structs.replace(record, groups=(group,)))))
    said = " ".join("\n".join(page.extract_text() for page in reader.pages).split())
    assert len(photos) == 2
    assert said.count("Print not looked for: single lines lower than 41 pixels.") == 1


def test_it_can_be_filled_in(out: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=read(out))
    for page in writer.pages:
        writer.update_page_form_field_values(page, {"P01.con.written.0": "/Yes"}, auto_regenerate=False)
    filled = io.BytesIO()
    writer.write(filled)
    fields = pypdf.PdfReader(filled).get_fields()
    assert fields is not None
    assert fields["P01.con.written.0"].value == "/Yes"


def test_it_is_private_has_no_marker_and_is_the_same_each_time(out: Path) -> None:
    path = out / PRIVATE / "record-sheet.pdf"
    assert path.stat().st_mode & 0o077 == 0
    reader = read(out)
    everything = b"".join(p.get_contents().get_data() for p in reader.pages if p.get_contents()) + path.read_bytes()
    assert MARKER.encode() not in everything
    assert not any(p.extract_text().count(MARKER) for p in reader.pages)
    first = path.read_bytes()
    reports = from_json((out / PRIVATE / "reports.json").read_bytes(), tuple[Report, ...])
    state = runs.load(out)
    assert state is not None
    sheets.refresh(state, reports, out)
    assert path.read_bytes() == first
    assert not list(out.glob("*.pdf"))


def test_without_the_package_there_is_none_and_an_old_one_goes(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab", None)
    monkeypatch.setattr(pdf, "available", lambda: False)
    again(out)
    assert not (out / PRIVATE / "record-sheet.pdf").exists()
    assert (out / PRIVATE / "record-sheet.html").exists()


@pytest.mark.parametrize("seen", [(True, True, True), (False, False, False), (True, True, False), (True, False, False)])
def test_which_copies_were_opened_is_said_once_in_all_three_sheets(tmp_path: Path, seen: tuple[bool, ...]) -> None:
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 3})
    opened = open_run(tmp_path / "medimg-R7Q4")
    state = runs.with_answers(
        opened.state,
        [
            Answer(
                item="img.person-looked", subject=f"P01-00{n}", choice="yes", role="nurse", at="2026-11-21T12:00:00Z"
            )
            for n, yes in enumerate(seen, 1)
            if yes
        ],
    )
    sheets.refresh(state, opened.reports, opened.folder)
    said = {
        (True, True, True): "Every copy was opened at full size.",
        (False, False, False): "No copy was opened at full size yet.",
        (True, True, False): "Every copy was opened at full size, but P01-003.jpg.",
        (True, False, False): "Opened at full size so far: P01-001.jpg alone.",
    }[seen]
    pages = [" ".join(" ".join(page.extract_text() for page in read(opened.folder).pages).split())]
    pages += [
        (opened.folder / name).read_text("utf-8") for name in (f"{PRIVATE}/record-sheet.html", "share-sheet.html")
    ]
    for page in pages:
        assert page.count(said) == 1
        assert "not opened yet" not in page
        assert "opened at full size: " not in page


@pytest.mark.parametrize("words", ["", "\x00\x1b[31m", "\u0101" * 5000, "\U0001f600", "(\\) %s {0}", "x" * 3000])
def test_any_typed_text_can_be_written(out: Path, words: str) -> None:
    record = from_json((out / PRIVATE / "record-sheet.json").read_bytes(), RecordSheet)
    group = msgspec.structs.replace(record.groups[0], recipients=words, withdrawn=(words,))
    made = record_pdf(msgspec.structs.replace(record, groups=(group,)))
    assert pypdf.PdfReader(io.BytesIO(made)).pages


def test_it_begins_with_the_pictures_and_a_sentence(out: Path) -> None:
    reader = read(out)
    first = reader.pages[0]
    assert len(first.images) == 2
    words = " ".join(first.extract_text().split())
    order = [words.index(x) for x in ("P01-001.jpg", "P01-002.jpg", "Found: 4 pieces of writing", "To fill in")]
    assert order == sorted(order)


def test_no_heading_stands_alone_at_the_foot_of_a_page(out: Path) -> None:
    titles = set(pdf.SECTIONS.values()) | {"To fill in", "Copies of this patient", "Share it well"}
    for page in read(out).pages:
        lines = [line.strip() for line in page.extract_text().splitlines() if line.strip()]
        body = [line for line in lines if not line.startswith(("Record sheet R7Q4 (private), page", "PRIVATE"))]
        assert body[-1] not in titles


def test_no_question_is_parted_from_its_boxes_by_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 4, "P02": 3, "P03": 7}, context=SharingContext())
    asked = {item.id: "".join(item.ask.split()) for item in ChecklistDefinition.load().items}
    boxes = 0
    for page in read(folder).pages:
        words = "".join(page.extract_text().split())
        for box in page.get("/Annots", []):
            group, _, item = str(box.get_object()["/T"]).partition(".")
            if (item := item.rpartition(".")[0]) in asked:
                assert asked[item] in words, (group, item)
                boxes += 1
    assert boxes > 300


def test_eight_photos_take_at_most_six_pages_and_the_first_is_enough_for_a_busy_reader(tmp_path: Path) -> None:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 7}, held=1, context=SharingContext())  # every question of every country
    pages = read(folder).pages
    assert len(pages) <= 6
    first = " ".join(pages[0].extract_text().split())
    wanted = ("P01-001.jpg", "P01-007.jpg", "Not ready: blocking questions are open", "Found: 16 pieces of writing",
              "P01-008, held: the written copy did not pass", "Open: 47 of 53 questions", "With whom")  # fmt: skip
    order = [first.index(x) for x in wanted]
    assert order == sorted(order)


def test_no_line_reaches_beyond_its_column(out: Path) -> None:
    """Long words of a choice are wrapped: the questions stand in two columns."""
    folder = out.parent / "medimg-W1DE"
    run_folder(folder, {"P01": 7}, held=1, context=SharingContext())
    ends: list[float] = []

    def seen(text: str, _: object, matrix: list[float], __: object, size: float) -> None:
        if text.strip():
            ends.append(matrix[4] + stringWidth(text.strip(), "Helvetica", size))

    for page in read(folder).pages[1:]:
        page.extract_text(visitor_text=seen)
    assert len(ends) > 200
    assert max(ends) <= pdf.WIDTH - 36
