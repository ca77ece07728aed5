"""The last page: share folder, summary for the notes, printed sheet, re-open."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
import pytest
from desktop_kit import answer_all, make_run, nameless
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from medimg.desktop.pages import paper as _paper
from medimg.desktop.pages.finish import FinishPage
from medimg.desktop.pages.questions import Questions
from medimg.run.opened import open_run
from medimg.run.state import load, save, with_recipients


@pytest.fixture(autouse=True)
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """P01 is released, P02 waits."""
    run = make_run(tmp_path / "run")
    answer_all(run)
    Questions(run).release(["P01"])
    return run


@pytest.fixture
def page(qtbot, run: Path) -> FinishPage:
    page = FinishPage()
    qtbot.addWidget(page)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.open_run(run)
    return page


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []

    def note(url) -> bool:
        urls.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", note)
    return urls


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def said(page: FinishPage) -> str:
    return "\n".join(x.text() for x in page.findChildren(QLabel) if x.isVisible())


def test_it_says_where_each_patient_stands(page: FinishPage) -> None:
    words = said(page)
    assert "✓ Pictures in the share folder: 2" in words
    assert "○ Not in the share folder yet" in words
    assert "not permission" in words
    assert "Your original photos were not changed." in words


def test_open_share_folder_opens_that_folder_alone(qtbot, page: FinishPage, run: Path, opened: list[str]) -> None:
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert opened == [(run / "share").resolve().as_uri()]
    assert page.banner.text().startswith("✓")


def test_a_share_folder_that_is_gone_is_words(qtbot, page: FinishPage, run: Path, opened: list[str]) -> None:
    shutil.rmtree(run / "share")
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert opened == []
    assert page.banner.text().startswith("✗")


def test_the_summary_is_of_one_patient_alone(qtbot, page: FinishPage) -> None:
    page.patient.setCurrentText("P02")
    qtbot.mouseClick(page.copy_button, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert "patient P02" in text
    assert "P01" not in text
    assert len(text.strip().splitlines()) == 7
    assert "patient P02" in page.banner.text()


def test_the_summary_is_what_the_file_for_the_notes_says(page: FinishPage, run: Path) -> None:
    whole = (run / "PRIVATE-patient-record" / "paste-into-notes.txt").read_text()
    assert whole == page.summary("P01") + "\n" + page.summary("P02")


def test_the_clipboard_is_kept_out_of_histories(qtbot, page: FinishPage) -> None:
    qtbot.mouseClick(page.copy_button, Qt.MouseButton.LeftButton)
    formats = QGuiApplication.clipboard().mimeData().formats()
    assert any("ExcludeClipboardContentFromMonitorProcessing" in f for f in formats)
    assert any("CanUploadToCloudClipboard" in f for f in formats)


def test_the_printed_sheet_holds_the_patients_record(
    qtbot, page: FinishPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sheet.pdf"

    def to_file(printer: QPrinter) -> bool:
        assert printer.docName() == "medimg"
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(out))
        return True

    monkeypatch.setattr(page, "ask_printer", to_file)
    qtbot.mouseClick(page.print_button, Qt.MouseButton.LeftButton)
    assert out.read_bytes().startswith(b"%PDF")
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", "-layout", str(out), "-"], capture_output=True, text=True, check=True)
        words = " ".join(unicodedata.normalize("NFKC", done.stdout).split())  # fi is one sign in print
        assert "Private: file it in the patient's record" in words
        assert "Patient P01" in words
        assert "P02" not in words
        assert "What allows this use?" in words
        assert "Copies cannot be called back." in words


def test_nothing_is_printed_when_the_person_says_no(qtbot, page: FinishPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "ask_printer", lambda printer: False)
    monkeypatch.setattr(_paper, "to_printer", lambda *a: pytest.fail("printed"))
    qtbot.mouseClick(page.print_button, Qt.MouseButton.LeftButton)
    assert page.banner.isHidden()


def test_what_was_typed_is_never_read_as_markup(run: Path, page: FinishPage) -> None:
    state = with_recipients(open_run(run).state, "P01", "<img src='http://x/'><b>us</b>")
    save(run, state)
    page.open_run(run)
    html = _paper.as_html(page.sheet("P01"))
    assert "<img" not in html
    assert "&lt;b&gt;us&lt;/b&gt;" in html


def test_reopen_takes_the_pictures_back_and_goes_to_the_questions(qtbot, page: FinishPage, run: Path) -> None:
    assert page.reopen_button.isEnabled()
    with qtbot.waitSignal(page.back):
        qtbot.mouseClick(page.reopen_button, Qt.MouseButton.LeftButton)
    assert list((run / "share").iterdir()) == []
    assert {p.name for p in (run / "unreviewed").iterdir()} == {"P01-001.jpg", "P01-002.jpg", "P02-001.jpg"}
    state = load(run)
    assert state is not None
    assert not any(a.item.startswith("img.") and a.subject.startswith("P01") for a in state.answers)
    assert any(a.item == "con.written" and a.subject == "P01" for a in state.answers)
    assert not page.open_button.isEnabled()


def test_a_patient_who_is_not_released_cannot_be_reopened(page: FinishPage) -> None:
    page.patient.setCurrentText("P02")
    assert not page.reopen_button.isEnabled()


def test_looking_copying_and_opening_change_no_file(qtbot, page: FinishPage, run: Path, opened: list[str]) -> None:
    before = files(run)
    for button in (page.open_button, page.copy_button, page.back_button, page.restart_button):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert files(run) == before


def test_a_withdrawn_patient_is_not_shared(qtbot, page: FinishPage, run: Path) -> None:
    path = run / "PRIVATE-patient-record" / "answers.json"
    raw = msgspec.json.decode(path.read_bytes())
    raw["withdrawn"] = [{"group": "P02", "at": "2026-11-21T12:00:00Z"}]
    path.write_bytes(msgspec.json.encode(raw))
    page.open_run(run)
    assert "✗ These pictures are not shared." in said(page)


def test_keys_alone_reach_everything(qtbot, page: FinishPage) -> None:
    page.patient.setFocus()
    seen = set()
    for _ in range(20):
        widget = QApplication.focusWidget()
        assert widget is not None
        seen.add(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    wanted = {page.open_button, page.copy_button, page.print_button, page.reopen_button, page.back_button}
    assert wanted | {page.restart_button, page.patient} <= seen
    with qtbot.waitSignal(page.restart):
        page.restart_button.setFocus()
        qtbot.keyClick(page.restart_button, Qt.Key.Key_Space)


def test_every_control_has_a_name(page: FinishPage) -> None:
    assert nameless(page) == []


def test_a_run_that_cannot_be_read_is_words(qtbot, page: FinishPage, tmp_path: Path) -> None:
    page.open_run(tmp_path / "nothing")
    assert page.banner.text().startswith("✗ ")
    for button in (page.open_button, page.copy_button, page.print_button, page.reopen_button):
        assert not button.isEnabled()
    page.open_share()
    page.copy_summary()
    page.print_sheet()
    page.reopen()


def test_one_patient_needs_no_choice(qtbot, tmp_path: Path) -> None:
    page = FinishPage()
    qtbot.addWidget(page)
    page.show()
    page.open_run(make_run(tmp_path / "one", {"P01": 1}))
    assert not page.patient.isVisible()
    assert page.copy_button.isEnabled()


def test_this_process_never_imports_opencv() -> None:
    assert "cv2" not in sys.modules


def test_what_goes_is_shown_and_can_be_dragged_out_as_copies(page: FinishPage, run: Path) -> None:
    names = [page.goes.item(n).text() for n in range(page.goes.count())]
    assert names == sorted(p.name for p in (run / "share").glob("P01-*"))
    page.goes.selectAll()
    urls = [u.toLocalFile() for u in page.goes.dragged().urls()]
    assert urls == [str((run / "share" / n).resolve()) for n in names]
    assert len(names) == 2


def test_withdrawing_takes_the_pictures_out_and_writes_the_letter(qtbot, page: FinishPage, run: Path) -> None:
    page.patient.setCurrentText("P01")
    before = files(run)
    page.withdraw_button.click()
    assert "Patient P01 withdraws" in page.asked.text()
    page.findChild(QPushButton, "withdraw-no").click()
    assert files(run) == before
    page.withdraw_button.click()
    page.findChild(QPushButton, "withdraw-yes").click()
    assert list((run / "share").glob("P01-*")) == []
    assert len(list((run / "unreviewed").glob("P01-*"))) == 2
    assert open_run(run).state.is_withdrawn("P01")
    assert (run / "PRIVATE-patient-record" / "withdrawal-letter-P01.txt").is_file()
    words = said(page)
    assert "Withdrawal, patient P01" in words
    assert "The letter" in words
    assert page.goes.count() == 0
    assert not page.withdraw_button.isEnabled()
    assert nameless(page) == []


def test_the_register_of_the_run_stands_there(page: FinishPage) -> None:
    words = said(page)
    assert "Register of this computer" in words
    assert ": released, P01, P01-001.jpg" in words
