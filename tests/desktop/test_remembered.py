"""What the window remembers: two choices, no folder; and the one question about groups."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import pytest
from PySide6.QtWidgets import QPushButton

from medimg.desktop.pages.start import StartPage
from medimg.desktop.work import Batch
from medimg.engine.groups import Suggestion
from medimg.run import remembered

LONG = 240_000


def test_audience_and_country_are_remembered_and_no_folder_is(qtbot, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "ZZNAME" / "one.png")
    page = StartPage()
    qtbot.addWidget(page)
    page.show()
    page.take([tmp_path / "ZZNAME"])
    page.take_out(tmp_path)
    qtbot.waitUntil(lambda: page.seen is not None, timeout=LONG)
    page.choices.audience.setCurrentIndex(page.choices.audience.findData("teaching"))
    page.choices.country.setCurrentIndex(page.choices.country.findData("NZ"))
    qtbot.waitUntil(lambda: page.small.count() == 1 and not page.small.item(0).icon().isNull(), timeout=LONG)
    page.go.click()
    page.stop()
    kept = remembered.place().read_text()
    assert "ZZNAME" not in kept
    assert str(tmp_path) not in kept
    again = StartPage()
    qtbot.addWidget(again)
    assert (again.choices.audience.currentData(), again.choices.country.currentData()) == ("teaching", "NZ")
    assert again.out is None


@pytest.mark.parametrize("data", [b"", b"{", b'{"audience": 7}', b'{"audience": "no-such", "country": "XX"}'])
def test_a_file_that_cannot_be_read_is_as_none(qtbot, data: bytes) -> None:
    remembered.place().write_bytes(data)
    page = StartPage()
    qtbot.addWidget(page)
    assert page.choices.audience.currentData() == "closed-group"
    assert page.choices.country.currentData() == ""


def told(now: tuple[int, ...], suggested: dict[str, int]) -> Suggestion:
    return Suggestion(now=now, suggested=suggested, gaps=0, codes=0, unread=0)


def test_groups_are_asked_about_only_where_they_differ(qtbot) -> None:
    batch = Batch()
    assert not batch._confirm(told((3, 1), {"a": 1, "b": 3}))  # and nobody was asked
    for said in (True, False):
        batch.answer(said)
        assert batch._confirm(told((4,), {"a": 1, "b": 3})) is said
    batch.cancel()
    assert not batch._confirm(told((4,), {"a": 1, "b": 3}))


def test_one_act_answers_the_question_about_groups(qtbot) -> None:
    from medimg.desktop.pages.progress import ProgressPage

    page = ProgressPage()
    qtbot.addWidget(page)
    page.show()
    page.ask(told((4,), {"a": 1, "b": 3}))
    assert "look like 2 patients (3, 1 photos). Without that they count as 1." in page.banner.text()
    with qtbot.waitSignal(page.grouped) as answer:
        page.findChild(QPushButton, "group-yes").click()
    assert answer.args == [True]
    assert not page.banner.text()
