"""What is in view: on a screen of 1280 x 720, in the lists, before an answer and after it; and what is counted."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import pytest
from desktop_kit import answer_all, make_run, nameless
from PIL import ExifTags, Image
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionViewItem,
)

from medimg.desktop import theme
from medimg.desktop.box_list import BoxList
from medimg.desktop.pages.finish import FinishPage
from medimg.desktop.pages.grid import icon_of
from medimg.desktop.pages.progress import ProgressPage
from medimg.desktop.pages.questions import Questions
from medimg.desktop.window import Window
from medimg.engine.batch import scrub_folder
from medimg.engine.groups import Suggestion
from medimg.run.opened import open_run
from medimg.vocabulary import Kind

LONG = 240_000


@pytest.fixture
def window(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("MEDIMG_REGISTER", "MEDIMG_CARDS", "MEDIMG_WINDOW"):
        monkeypatch.setenv(name, str(tmp_path / name))
    made = Window(make=fakes.make)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    yield made
    made.stop()


def looking(qtbot, window: Window, tmp_path: Path) -> str:
    """A run of one photo, opened at that photo."""
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1).folder
    window.open_run(run, [tmp_path / "in"])
    session = window.review.session
    qtbot.waitUntil(lambda: len(session.found) == len(session.order), timeout=LONG)
    window.review.show_photo(session.order[0])
    qtbot.waitUntil(lambda: window.review.look.canvas.photo is not None, timeout=LONG)
    return session.order[0]


def elided(boxes: QListWidget) -> list[str]:
    """The lines of a list whose words do not have the room they need: Qt would end them with three dots."""
    style, out = boxes.style(), []
    beside = 2 * (style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1)
    for row in range(boxes.count()):
        option = QStyleOptionViewItem()
        boxes.initViewItemOption(option)
        option.rect = boxes.visualItemRect(boxes.item(row))
        boxes.itemDelegate().initStyleOption(option, boxes.model().index(row, 0))
        room = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, boxes)
        wrapped = Qt.TextFlag.TextWordWrap
        words = boxes.fontMetrics().boundingRect(0, 0, room.width() - beside, 10_000, wrapped, option.text)
        if words.height() > room.height() or words.width() > room.width():
            out.append(f"{option.text}: {words.size().toTuple()} in {room.size().toTuple()}")
    return out


def test_the_words_about_an_area_are_in_view_and_every_line_of_the_list_is_whole(
    qtbot, window: Window, tmp_path: Path
) -> None:
    fakes.photo(tmp_path / "in" / "a.png")
    looking(qtbot, window, tmp_path)
    look = window.review.look
    panel = look.findChild(QScrollArea, "look-panel")
    for index in range(len(look.plan.actions)):
        look.pick(index)
        qtbot.wait(1)
        top = look.detail.mapTo(panel.viewport(), QPoint(0, 0)).y()
        lines = min(look.detail.height(), 4 * look.fontMetrics().lineSpacing())
        assert 0 <= top <= panel.viewport().height() - lines, look.detail.text()
    assert elided(look.boxes) == []
    least = look.boxes.height()
    window.resize(1920, 1080)
    qtbot.waitUntil(lambda: look.boxes.height() > 2 * least, timeout=5000)
    assert elided(look.boxes) == []
    for panel in range(800, 330, -40):  # narrower: the words wrap anew
        look.split.setSizes([look.split.width() - panel, panel])
        qtbot.wait(20)
        assert elided(look.boxes) == []


def test_no_line_of_the_list_ends_with_dots(qtbot) -> None:
    """Of every length of words one is just too long for a line, with the tick and the padding beside it."""
    shown = BoxList()
    shown.blockSignals(True)  # nobody listens here
    qtbot.addWidget(shown)
    theme.apply(QApplication.instance(), "light", 1.0)
    for length in range(8, 120):
        item = QListWidgetItem(("word " * 30)[:length].strip() + ".")
        item.setCheckState(Qt.CheckState.Checked)
        shown.addItem(item)
    shown.show()
    for width in (240, 350, 351, 600):
        shown.resize(width, 300)
        qtbot.wait(20)
        assert elided(shown) == []


def test_the_hidden_data_that_is_removed_is_counted_and_names_of_files_are_not(
    qtbot, window: Window, tmp_path: Path
) -> None:
    """What stands on the page is what the report says of the file's own data; a name goes with the copy's name."""
    fakes.photo(tmp_path / "made.png")
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist] = "Acme", "Zebedee Quill"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "S", 2: (36.0, 50.0, 5.0), 3: "E", 4: (174.0, 45.0, 1.0)})
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "Zebedee Quill 1956-04-03.jpg"
    Image.open(tmp_path / "made.png").save(path, quality=95, exif=exif, comment=b"ward 7")
    safe_id = looking(qtbot, window, tmp_path)
    dropped = window.review.session.report(safe_id).plan.doing("drop")
    assert any(a.finding.kind == Kind.FILENAME for a in dropped)
    number = sum(a.finding.count for a in dropped if a.finding.kind != Kind.FILENAME)
    assert number >= 7  # the two texts, the four of the place, the comment
    assert window.review.look.hidden.isVisible()
    assert window.review.look.hidden.text() == f"{number} hidden data items are removed."


def test_nothing_hidden_is_no_line(qtbot, window: Window, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "Zebedee Quill 1956-04-03.png")  # a name, and nothing in the file
    safe_id = looking(qtbot, window, tmp_path)
    dropped = window.review.session.report(safe_id).plan.doing("drop")
    assert {a.finding.kind for a in dropped} == {Kind.FILENAME}
    assert not window.review.look.hidden.isVisible()


def test_all_choices_are_in_view_beside_the_dropped_photos(qtbot, window: Window, tmp_path: Path) -> None:
    for n in range(8):
        fakes.photo(tmp_path / "in" / f"{n}.png", seed=n)
    window.start.take([tmp_path / "in"])
    qtbot.waitUntil(lambda: window.start.seen is not None, timeout=LONG)
    scroll = window.start.findChild(QScrollArea, "start-scroll")
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().maximum() == 0, timeout=5000)
    choices = window.start.choices
    assert choices.audience.y() == choices.country.y()  # side by side
    window.resize(640, 720)
    qtbot.waitUntil(lambda: choices.audience.y() < choices.country.y(), timeout=5000)  # no room for that


def test_suggested_patients_are_shown_in_pictures(qtbot, tmp_path: Path) -> None:
    paths = {
        key: tuple(bytes(fakes.photo(tmp_path / f"{key}-{n}.png", seed=n)) for n in range(number))
        for key, number in (("P01", 2), ("P02", 1))
    }
    page = ProgressPage()
    qtbot.addWidget(page)
    page.resize(900, 600)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.begin()
    sizes = {k: len(v) for k, v in paths.items()}
    page.ask(Suggestion(now=(3,), suggested=sizes, gaps=1, codes=0, unread=0, photos=paths))
    small = page.patients
    assert [small.item(n).text() for n in range(small.count())] == ["Patient 1", "Patient 1", "Patient 2"]
    qtbot.waitUntil(lambda: all(not small.item(n).icon().isNull() for n in range(3)), timeout=LONG)
    assert not page.bar.isVisible()  # nothing goes on while it waits
    assert not page.done.isVisible()
    yes = page.findChild(QPushButton, "group-yes")
    assert yes.hasFocus()
    assert nameless(page) == []
    yes.click()
    assert page.bar.isVisible()
    assert page.done.isVisible()
    assert not small.isVisible()
    page.end()


def test_a_small_picture_keeps_its_colours_when_chosen_and_its_words_stand_in_line(qapp) -> None:
    image = QImage(40, 20, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.red)
    icon = icon_of(image)
    normal, chosen = (icon.pixmap(QSize(40, 40), mode).toImage() for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected))
    assert normal == chosen
    assert (normal.width(), normal.height()) == (40, 40)
    assert normal.pixelColor(20, 20) == Qt.GlobalColor.red
    assert normal.pixelColor(20, 2).alpha() == 0


def test_a_folder_with_nothing_in_it_is_not_offered_after_a_withdrawal(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    run = make_run(tmp_path / "run", {"P01": 1})
    answer_all(run)
    Questions(run).release(["P01"])
    page = FinishPage()
    qtbot.addWidget(page)
    page.show()
    page.open_run(run)
    assert page.open_button.isEnabled()
    page.withdraw("P01")
    assert list((open_run(run).folder / "share").iterdir()) == []
    assert not page.open_button.isEnabled()
