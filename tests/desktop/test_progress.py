"""While the photos are checked: each appears as it is done, and the time left is said once it is known."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import pytest
from desktop_kit import nameless
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionViewItem

from medimg.desktop import theme
from medimg.desktop.pages.progress import ProgressPage, time_left
from medimg.engine.batch import scrub_folder
from medimg.engine.groups import Suggestion
from medimg.engine.loop import Progress
from medimg.run.opened import open_run

LONG = 240_000


def progress(settled: int, rate: float, total: int = 20, **more: object) -> Progress:
    counts = {"pending": total - settled, "running": 0, "done": settled, "failed": 0, "held": 0}
    return Progress(event="photo", run="R7Q4", total=total, counts=counts, seconds=9.0, rate=rate, **more)


@pytest.mark.parametrize(
    ("settled", "rate", "said"),
    [
        (0, 0.0, "known after a few photos"),
        (2, 5.0, "known after a few photos"),
        (5, 0.0, "known after a few photos"),
        (10, 1.0, "Less than a minute left."),
        (5, 0.25, "About 1 minute left."),
        (5, 0.1, "About 3 minutes left."),
    ],
)
def test_the_time_left_is_said_once_it_is_known(settled: int, rate: float, said: str) -> None:
    assert said in time_left(progress(settled, rate))


def test_each_photo_appears_as_it_is_done_and_can_be_looked_at(qtbot, tmp_path: Path) -> None:
    for n in range(2):
        fakes.photo(tmp_path / "in" / f"{n}.png", seed=n)
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1).folder
    page = ProgressPage()
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    page.begin(tmp_path / "out")
    tag = run.name.removeprefix("medimg-")
    for n, report in enumerate(open_run(run).reports, 1):
        page.tell(Progress(**{f: getattr(progress(n, 0.0), f) for f in ("event", "total", "counts", "seconds")},
                           run=tag, report=report))  # fmt: skip
    qtbot.waitUntil(lambda: all(not page.done.item(n).icon().isNull() for n in range(2)), timeout=LONG)
    page.done.setCurrentRow(1)
    assert page.picture.isVisible()
    shown = page.picture.pixmap().toImage()
    scale = shown.width() / fakes.WIDTH
    at = fakes.PLACES["record-number"]
    colour = shown.pixelColor(round((at.x0 + at.x1) / 2 * scale), round((at.y0 + at.y1) / 2 * scale))
    assert (colour.red(), colour.green(), colour.blue()) == (0, 0, 0)  # the copy, with its covers
    assert nameless(page) == []
    page.end()


@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_the_number_of_each_suggested_patient_is_whole(qtbot, tmp_path: Path, scale: float) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, "light", scale)
    for n in range(12):
        fakes.photo(tmp_path / f"{n}.png", seed=n)
    page = ProgressPage()
    qtbot.addWidget(page)
    page.resize(1100, 700)
    page.show()
    page.ask(
        Suggestion(
            now=(12,),
            suggested={f"P{n:02d}": 1 for n in range(1, 13)},
            gaps=0,
            codes=0,
            unread=0,
            photos={f"P{n:02d}": (bytes(tmp_path / f"{n - 1}.png"),) for n in range(1, 13)},
        )
    )
    there = page.patients
    qtbot.waitUntil(lambda: all(not there.item(n).icon().isNull() for n in range(12)), timeout=LONG)
    for n in range(12):
        item = there.item(n)
        option = QStyleOptionViewItem()
        there.initViewItemOption(option)
        option.rect = there.visualItemRect(item)
        feature = QStyleOptionViewItem.ViewItemFeature
        option.features = feature.HasDecoration | feature.HasDisplay
        option.text, option.icon = item.text(), item.icon()
        room = there.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, there).width()
        margin = there.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, option, there) + 1
        assert room - 2 * margin >= there.fontMetrics().horizontalAdvance(item.text()), item.text()
    page.end()
    theme.apply(app, "light", 1.0)
