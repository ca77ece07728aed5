"""Every page at three sizes of the window and four of the text: nothing cut off, nothing too small, names for all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import desktop_fakes as fakes
import pytest
from desktop_kit import make_run, nameless
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QSlider, QWidget

from medimg.desktop import theme
from medimg.desktop.icons import SMALLEST
from medimg.desktop.widgets import label
from medimg.desktop.window import Window
from medimg.engine.batch import scrub_folder
from medimg.engine.groups import Suggestion

LONG = 240_000
SIZES = ((960, 540), (1280, 800), (1920, 1080))
PAGES = ("start", "progress", "ask", "overview", "look", "compare", "acts", "looks", "questions", "finish")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("sizes")
    for n in range(2):
        fakes.photo(base / "in" / f"{n}.png", seed=n)
    scrub_folder([base / "in"], base / "out", make=fakes.make, workers=1)
    make_run(base / "answered")
    return base


@pytest.fixture(scope="module")
def window(qapp, place: Path) -> Iterator[Window]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MEDIMG_REGISTER", "MEDIMG_CARDS", "MEDIMG_WINDOW"):
            patch.setenv(name, str(place / name))
        window = Window(make=fakes.make)
        window.show()
        (run,) = (place / "out").glob("medimg-*")
        window.open_run(run, [place / "in"])
        end = time.monotonic() + LONG / 1000
        while len(window.review.session.found) < 2 and time.monotonic() < end:
            QTest.qWait(20)
        yield window
        window.stop()
        window.close()


def go(qtbot, window: Window, page: str, place: Path) -> None:
    match page:
        case "start":
            window.show_page(window.start)
        case "progress":
            window.progress.begin()
            window.show_page(window.progress)
        case "ask":
            paths = tuple(bytes(p) for p in sorted((place / "in").iterdir()))
            sizes = {"P01": 1, "P02": 1}
            photos = dict(zip(sizes, ((paths[0],), (paths[1],)), strict=True))
            told = Suggestion(now=(2,), suggested=sizes, gaps=1, codes=0, unread=0, photos=photos)
            window.progress.begin()
            window.show_page(window.progress)
            window.progress.ask(told)
        case "overview":
            window.show_page(window.review)
            window.review.show_grid()
        case "look":
            window.show_page(window.review)
            window.review.show_photo(window.review.session.order[0])
            qtbot.waitUntil(lambda: window.review.look.canvas.photo is not None, timeout=LONG)
        case "compare":
            window.review.look.compare.click()
        case "acts":
            window.questions()
        case "looks":
            window.acts.open_run(window.run, frozenset(window.review.session.order))
            while not window.acts.shown.act.startswith("look:"):
                window.acts.skip.click()
            assert "," in window.acts.title.text()
        case "questions":
            window.every_question()
        case "finish":
            window._finish()


def settle(window: Window) -> None:
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        QApplication.processEvents()


def shown(window: Window, kind: type[QWidget]) -> list[QWidget]:
    return [w for w in window.findChildren(kind) if w.isVisible() and not w.visibleRegion().isEmpty()]


def clipped(window: Window) -> list[str]:
    out = []
    for made in shown(window, QPushButton):
        text = made.text().replace("&", "")
        if text and made.fontMetrics().horizontalAdvance(text) > made.width():
            out.append(f"button: {text}")
    for words in shown(window, QLabel):
        if not words.text():
            continue
        least = words.heightForWidth(words.width()) if words.wordWrap() else words.sizeHint().height()
        wide = words.width() if words.wordWrap() else words.sizeHint().width()
        if least > words.height() + 1 or wide > words.width() + 1:
            out.append(f"label: {words.text()[:60]} {words.size().toTuple()} wants {wide} x {least}")
    return out


def small(window: Window) -> list[str]:
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSlider)
    every = {w for kind in kinds for w in shown(window, kind)}
    return [
        f"{type(w).__name__} {w.objectName() or w.accessibleName()} {w.width()} x {w.height()}"
        for w in every
        if w.height() < SMALLEST or (isinstance(w, QPushButton) and w.width() < SMALLEST)
    ]


@pytest.mark.parametrize(
    "scale", [s if s in (1.0, 2.0) else pytest.param(s, marks=pytest.mark.long) for s in theme.SCALES]
)
def test_nothing_is_cut_off_or_too_small(qtbot, window: Window, place: Path, scale: float) -> None:
    """One scale after the other: to give the whole window its looks takes longer than all else here."""
    app = QApplication.instance()
    theme.apply(app, "light", scale)
    window.review.grid.fit()
    window.review.look.strip.fit()
    faults = {}
    for page in PAGES:
        window.resize(*SIZES[0])
        go(qtbot, window, page, place)
        for size in SIZES:
            window.resize(*size)
            settle(window)
            found = [*clipped(window), *small(window), *nameless(window)]
            if window.width() > size[0] or window.height() > size[1]:
                found.append(f"the window is {window.width()} x {window.height()}")
            if found:
                faults[page, size] = found
    assert faults == {}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(name: str) -> float:
        parts = [v / 255 for v in QColor(name).getRgb()[:3]]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("c", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_words_have_contrast(c: theme.Colours) -> None:
    grounds = {
        "text": (c.window, c.base, c.raised),
        "quiet": (c.window, c.base),
        "good": (c.window, c.base),
        "alert": (c.window, c.base, c.alert_ground),
        "accent": (c.on_accent,),
    }
    for name, below in grounds.items():
        for ground in below:
            assert contrast(getattr(c, name), ground) >= 4.5, (name, ground)
    assert contrast(c.border, c.base) >= 3
    assert contrast(c.border, c.window) >= 3


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_the_marks_of_the_strip_can_be_read(qtbot, window: Window, scheme: str) -> None:
    app = QApplication.instance()
    theme.apply(app, scheme, 1.0)
    window.review.recolour()
    strip, c = window.review.look.strip, theme.colours(app, scheme)
    for row in range(strip.count()):
        assert contrast(strip.item(row).foreground().color().name(), c.base) >= 4.5
        assert strip.item(row).data(Qt.ItemDataRole.AccessibleTextRole)


@pytest.mark.parametrize("word", ["x" * 300, "/srv/" + "klinik-" * 40, "\u00e4" * 200, "\u4e2d" * 200])
def test_a_long_word_is_wrapped_and_widens_nothing(qtbot, word: str) -> None:
    """What somebody typed as a workplace, or a path of the folder for the copies, may be one word."""
    made = label(f"Copies go to: {word}")
    qtbot.addWidget(made)
    assert made.text() == f"Copies go to: {word}"  # read as it was given
    assert made.minimumSizeHint().width() < 300
    made.resize(400, 10)
    assert made.heightForWidth(400) > 3 * made.fontMetrics().height()


def test_short_words_are_left_alone(qtbot) -> None:
    made = label("Nothing identifying shows.")
    qtbot.addWidget(made)
    assert "\u200b" not in QLabel.text(made)
