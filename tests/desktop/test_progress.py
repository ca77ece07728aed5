"""While the photos are checked: each appears as it is done, and the time left is said once it is known."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import pytest
from desktop_kit import nameless

from medimg.desktop.pages.progress import ProgressPage, time_left
from medimg.engine.batch import scrub_folder
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
