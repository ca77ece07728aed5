"""The first page: what is dropped, chosen and said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from batch_fakes import photo
from desktop_kit import SITE, nameless
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from medimg.desktop import app, dialogs, dropped, theme
from medimg.desktop.pages.start import StartPage
from medimg.desktop.window import Window


@pytest.fixture
def page(qtbot) -> Iterator[StartPage]:
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    yield page
    page.stop()  # as the window does when it closes: a worker must not report to a page that is gone


def mime(*paths: Path) -> QMimeData:
    made = QMimeData()
    lines = [QUrl.fromLocalFile(str(p)).toEncoded().data() for p in paths]
    made.setData("text/uri-list", b"\r\n".join(lines) + b"\r\n")
    return made


def drop(page: StartPage, data: QMimeData) -> QDropEvent:
    args = (Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, data)
    keys = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPointF(200, 200), *args, *keys)
    QApplication.sendEvent(page, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(200, 200), *args, *keys)
    QApplication.sendEvent(page, event)
    return event


def counted(qtbot, page: StartPage) -> dropped.Looked:
    qtbot.waitUntil(lambda: page.seen is not None, timeout=240_000)
    assert page.seen is not None
    return page.seen


def test_files_and_folders_of_any_name_are_taken_where_they_lie(qtbot, page: StartPage, tmp_path: Path) -> None:
    odd = photo(tmp_path / "Ngā whakaahua" / "a b ü #%?.png", seed=1)
    deep = tmp_path
    while len(str(deep)) < 300:
        deep /= "a folder with a rather long name"
    long = photo(deep / "photo.png", seed=2)
    raw = photo(tmp_path / "three.png", seed=3).rename(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")))
    photo(tmp_path / "whole" / "in" / "it.jpg.png", seed=4)
    (tmp_path / "whole" / "notes.txt").write_text("no photo")
    data = QMimeData()
    urls = [odd.as_uri(), long.as_uri(), raw.as_uri(), (tmp_path / "whole").as_uri(), "https://example.org/x.jpg"]
    data.setData("text/uri-list", "\r\n".join(urls).encode())
    event = drop(page, data)
    assert event.dropAction() == Qt.DropAction.CopyAction  # a move would take the originals away
    assert page.things == [odd, long, raw, tmp_path / "whole"]
    assert len(str(long)) > 260
    seen = counted(qtbot, page)
    assert (seen.pictures, seen.others, seen.unread, seen.gone) == (4, ("notes.txt",), (), 0)
    assert "4 photos" in page.found.text()
    assert "1 file is not a photo and is skipped: notes.txt" in page.skipped.text()


def test_what_is_no_photo_is_counted_and_named(qtbot, page: StartPage, tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / "in" / f"letter {n}.pdf").parent.mkdir(exist_ok=True)
        (tmp_path / "in" / f"letter {n}.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "in" / "photo.jpg").write_bytes(b"this is text, whatever it is called")
    drop(page, mime(tmp_path / "in"))
    assert counted(qtbot, page).pictures == 0
    assert "6 files are not photos" in page.skipped.text()
    names = [page.names.item(n).text() for n in range(page.names.count())]
    assert names == [*(f"letter {n}.pdf" for n in range(5)), "photo.jpg"]
    assert page.names.isVisible()
    assert not page.go.isEnabled()


def test_messages_and_packed_files_are_told_how(qtbot, page: StartPage, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    photo(folder / "one.png")
    (folder / "letter.eml").write_bytes(b"MIME-Version: 1.0\nSubject: x\n\ntext")
    (folder / "message").write_bytes(b"Received: from nowhere\n\ntext")
    (folder / "photos.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    drop(page, mime(folder))
    seen = counted(qtbot, page)
    assert (seen.pictures, seen.messages, seen.packed) == (1, 2, 1)
    assert "save them from the message first" in page.skipped.text()
    assert "unpack it first" in page.skipped.text()


@pytest.mark.parametrize(
    "form", ['application/x-qt-windows-mime;value="FileGroupDescriptorW"', "message/rfc822", "text/x-moz-message"]
)
def test_a_message_dragged_out_of_a_mail_program_is_answered(page: StartPage, form: str) -> None:
    data = QMimeData()
    data.setData(form, b"\x01\0\0\0")
    drop(page, data)
    assert "save them from the message first" in page.banner.text()
    assert page.things == []


def test_a_drag_of_something_else_is_not_taken(page: StartPage) -> None:
    data = QMimeData()
    data.setText("a line of text")
    args = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPointF(200, 200), *args)
    enter.ignore()
    page.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_small_pictures_have_a_place_each_before_and_after_they_are_made(
    qtbot, page: StartPage, tmp_path: Path
) -> None:
    for seed in range(3):
        photo(tmp_path / f"{seed}.png", seed=seed)
    page.take([tmp_path])
    counted(qtbot, page)
    items = [page.small.item(row) for row in range(page.small.count())]
    assert len(items) == 3

    before = [page.small.visualItemRect(item) for item in items]
    assert all(page.small.viewport().rect().contains(place) for place in before)
    assert all(left.right() < right.left() for left, right in pairwise(before))
    qtbot.waitUntil(lambda: all(not item.icon().isNull() for item in items), timeout=240_000)
    page.small.doItemsLayout()
    assert [page.small.visualItemRect(item) for item in items] == before
    assert min(place.width() for place in before) >= page.small.iconSize().width()


def test_a_dropped_file_that_vanishes_is_said(qtbot, page: StartPage, tmp_path: Path) -> None:
    first, second = photo(tmp_path / "in" / "1.png"), photo(tmp_path / "in" / "2.png")
    drop(page, mime(first, second))
    counted(qtbot, page)
    page.take_out(tmp_path / "out")
    second.unlink()
    with qtbot.assertNotEmitted(page.chosen):
        page.go.click()
    assert "1 thing you dropped is not there any more" in page.banner.text()
    assert counted(qtbot, page).pictures == 1
    with qtbot.waitSignal(page.chosen) as got:
        page.go.click()
    assert got.args == [[first], "closed-group", "", tmp_path / "out"]


def test_gone_before_it_was_counted(qtbot, page: StartPage, tmp_path: Path) -> None:
    drop(page, mime(tmp_path / "nothing.jpg", photo(tmp_path / "there.png")))
    assert counted(qtbot, page).gone == 1
    assert "1 thing is not there any more" in page.skipped.text()


def test_the_closed_group_stands_first_and_the_promises_are_there(page: StartPage) -> None:
    keys = [page.choices.audience.itemData(n) for n in range(page.choices.audience.count())]
    assert keys[0] == page.choices.audience.currentData() == "closed-group"
    assert set(keys) == {"closed-group", "colleague-opinion", "teaching", "publication", "public"}
    countries = [page.choices.country.itemData(n) for n in range(page.choices.country.count())]
    assert countries[0] == page.choices.country.currentData() == ""
    assert {"AU", "NZ", "UK"} <= set(countries)
    texts = " ".join(w.text() for w in page.findChildren(type(page.found)))
    assert "Nothing leaves this computer" in texts
    assert "Your originals are never changed" in texts


def test_copies_never_go_beside_the_originals(qtbot, page: StartPage, tmp_path: Path) -> None:
    one = photo(tmp_path / "in" / "1.png")
    page.take([one])
    page.take_out(tmp_path / "in")
    assert page.out is None
    assert "beside the originals" in page.banner.text()
    page.clear()
    page.take([tmp_path / "in"])
    page.take_out(tmp_path / "in" / "below")
    assert page.out is None
    assert page.banner.text()
    page.take_out(tmp_path / "elsewhere")
    assert page.out == tmp_path / "elsewhere"
    page.take([tmp_path])  # the place was right until this was dropped
    counted(qtbot, page)
    with qtbot.assertNotEmitted(page.chosen):
        page.go.click()
    assert page.banner.text()


def test_a_synchronised_place_is_said(page: StartPage, tmp_path: Path) -> None:
    page.take_out(tmp_path / "OneDrive - Hospital")
    assert "synchronised" in page.banner.text()
    assert page.out == tmp_path / "OneDrive - Hospital"


def test_the_organisation_sets_places_and_audiences(qtbot, tmp_path: Path) -> None:
    place = tmp_path / "images"
    site = msgspec.structs.replace(SITE, audiences=("teaching",), output_places=(str(place),))
    page = StartPage(site=site)
    qtbot.addWidget(page)
    assert page.out == place
    assert "set by your organisation" in page.place.text()
    assert [page.choices.audience.itemData(n) for n in range(page.choices.audience.count())][:1] == ["teaching"]
    page.take_out(tmp_path / "other")
    assert page.out == place
    assert "does not allow" in page.banner.text()


def test_two_hundred_photos_are_counted_beside_the_window(qtbot, page: StartPage, tmp_path: Path) -> None:
    one = photo(tmp_path / "in" / "0.png").read_bytes()
    for n in range(1, 200):
        (tmp_path / "in" / f"{n}.png").write_bytes(one)
    drop(page, mime(*sorted((tmp_path / "in").iterdir())))
    assert page.found.text() == "Counting…"  # the window did not wait
    assert counted(qtbot, page).pictures == 200


def test_keyboard_alone_chooses_and_begins(qtbot, page: StartPage, tmp_path: Path, monkeypatch) -> None:
    one = photo(tmp_path / "in" / "1.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(one)], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "out"))
    with qtbot.waitActive(page):
        page.activateWindow()
    qtbot.keyClick(page, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    counted(qtbot, page)
    place = page.findChild(QPushButton, "choose-out")
    place.setFocus()
    qtbot.keyClick(place, Qt.Key.Key_Space)
    with qtbot.waitSignal(page.chosen):
        qtbot.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_every_control_has_a_name(qtbot, page: StartPage, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    page.take([tmp_path / "a.txt", photo(tmp_path / "b.png")])
    counted(qtbot, page)
    assert nameless(page) == []


def test_nothing_is_remembered(qtbot, tmp_path: Path, monkeypatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local"))
    with app.forgetful():
        page = StartPage()
        qtbot.addWidget(page)
        dialog = QFileDialog(page, "Choose", str(tmp_path))
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        photo(tmp_path / "ZZNAME.png")
        dialog.selectFile(str(tmp_path / "ZZNAME.png"))
        dialog.open()
        dialog.accept()
        dialog.deleteLater()
        qtbot.wait(50)
    assert [p for p in home.rglob("*") if p.is_file()] == []


def test_a_dialog_leaves_the_systems_settings_as_they_were(qtbot, page: StartPage, tmp_path: Path) -> None:
    """They stand in the registry on Windows, where no folder can be named for them; a file here."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    (tmp_path / "ZZNAME").mkdir()

    def kept() -> dict[str, object]:
        made = QSettings(QSettings.Scope.UserScope, "QtProject")
        return {name: made.value(name) for name in made.allKeys()}

    other = QSettings(QSettings.Scope.UserScope, "QtProject")
    other.setValue("FileDialog/history", ["file:///of/another/program"])
    other.setValue("Another/choice", "7")
    other.sync()
    before = kept()
    seen: list[str] = []

    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        dialog.setDirectory(str(tmp_path / "ZZNAME"))
        seen.append(dialog.directory().absolutePath())
        dialog.accept()

    QTimer.singleShot(300, choose)
    assert dialogs.choose_folder(page, "Choose", tmp_path) == tmp_path / "ZZNAME"
    assert seen == [str(tmp_path / "ZZNAME")]
    assert kept() == before
    assert not any(b"ZZNAME" in p.read_bytes() for p in (tmp_path / "settings").rglob("*") if p.is_file())


def test_the_title_names_no_file(qtbot, tmp_path: Path) -> None:
    window = Window()
    qtbot.addWidget(window)
    window.start.take([photo(tmp_path / "ZZNAME.png")])
    assert window.windowTitle() == "medimg"
    assert window.windowFilePath() == ""
    window.stop()


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK])
def test_words_stand_out_from_their_ground(colours: theme.Colours) -> None:
    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        line = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]

    def contrast(one: str, other: str) -> float:
        a, b = sorted((light(one), light(other)), reverse=True)
        return (a + 0.05) / (b + 0.05)

    c = colours
    for word, ground in (
        *((w, g) for w in (c.text, c.quiet) for g in (c.window, c.base, c.raised)),
        (c.on_accent, c.accent),
        (c.alert, c.alert_ground),
        (c.good, c.window),
    ):
        assert contrast(word, ground) >= 4.5, (word, ground)
    for ground in (c.window, c.base):
        assert contrast(c.border, ground) >= 3, ground
        assert contrast(c.accent, ground) >= 3, ground
