"""The acts in the window: the same plain records as on the terminal, each kept as it is done, up to the release."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from acts_kit import given
from desktop_kit import make_run, nameless
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from medimg.acts.plan import kind
from medimg.desktop.pages.acts import ActsPage
from medimg.errors import OutputError
from medimg.run.folder import RECORD_FOLDER
from medimg.run.opened import open_run
from medimg.system import files


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", {"P01": 1}, said=False)


@pytest.fixture
def page(qtbot, run: Path) -> ActsPage:
    page = ActsPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.open_run(run, frozenset({"P01-001"}))
    return page


def answer(page: ActsPage) -> None:
    """What somebody does who answers honestly and all is well, by the widgets."""
    done, _ = given(page.shown, ())
    for name, text in done.fields.items():
        page.fields[name].setText(text)
    made = page.options[done.key]
    assert made.isEnabled(), (page.shown.act, done.key)
    made.click()


def test_a_run_is_answered_and_released_by_acts_alone(qtbot, page: ActsPage, run: Path) -> None:
    seen: list[str] = []
    with qtbot.waitSignal(page.finished, timeout=20_000):
        for _ in range(40):
            if page.shown is None:
                break
            seen.append(page.shown.act)
            assert nameless(page) == []
            assert page.title.text() == page.shown.title
            answer(page)
            state = open_run(run).state
            assert state.acts == page.sitting.walk.state.acts  # on disk before the next is shown
    assert page.shown is None, page.shown
    assert seen[-1] == "release:P01"
    assert len(seen) <= 13
    assert page.sitting.released == ["P01"]
    assert [p.name for p in (run / "share").glob("P01-*")] == ["P01-001.jpg"]


def to(page: ActsPage, wanted: str) -> None:
    for _ in range(30):
        if page.shown is None or kind(page.shown.act) == wanted:
            return
        page.give("skip")


def test_a_photo_that_was_not_seen_is_looked_at_first(qtbot, page: ActsPage, run: Path) -> None:
    page.open_run(run, frozenset())
    to(page, "look")
    assert not page.options["y"].isEnabled()
    with qtbot.waitSignal(page.look) as said:
        page.options["look"].click()
    assert said.args == ["P01-001"]


def test_none_of_these_is_dark_while_something_is_ticked(qtbot, page: ActsPage) -> None:
    to(page, "applies")
    on, none = page.options[""], page.options["0"]
    assert (on.isEnabled(), none.isEnabled()) == (False, True)
    next(iter(page.ticks.values())).click()
    assert (on.isEnabled(), none.isEnabled()) == (True, False)


def test_keys_answer_and_what_is_typed_is_no_key(qtbot, page: ActsPage) -> None:
    field = page.fields["name"]
    before = page.shown.act
    qtbot.keyClicks(field, "yny")
    assert page.shown.act == before
    assert field.text() == "yny"
    to(page, "applies")
    group = page.shown.group
    qtbot.wait(50)
    qtbot.keyClick(page, Qt.Key.Key_0)
    assert page.sitting.walk.state.conditions[group]
    qtbot.keyClick(page, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert kind(page.shown.act) == "applies"


def test_what_cannot_be_kept_is_said_and_the_act_stays(
    qtbot, page: ActsPage, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to(page, "applies")
    act, before = page.shown.act, (run / RECORD_FOLDER).stat().st_mtime_ns

    def full(*_: object, **__: object) -> None:
        raise OutputError("the disk is full.")

    monkeypatch.setattr(files, "write_private", full)
    page.options["0"].click()
    assert "The disk is full." in page.banner.text()
    assert page.shown.act == act
    assert (run / RECORD_FOLDER).stat().st_mtime_ns == before
    monkeypatch.undo()


@pytest.fixture
def three(qtbot, tmp_path: Path) -> ActsPage:
    """A page with three copies of one patient and one of another; the last of the first was not looked at."""
    page = ActsPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    run = make_run(tmp_path / "three", {"P01": 3, "P02": 1}, said=False)
    page.open_run(run, frozenset({"P01-001", "P01-002", "P02-001"}))
    to(page, "look")
    return page


def answers_about(page: ActsPage, safe_id: str) -> set[str]:
    return {a.item for a in page.sitting.walk.state.answers if a.subject == safe_id and a.choice == "yes"}


def test_copies_that_were_looked_at_are_asked_about_once_and_each_is_kept(qtbot, three: ActsPage) -> None:
    page = three
    assert page.title.text() == "Look at P01-001, P01-002"  # not the one that was not looked at, nor another patient's
    assert [page.small.item(n).text() for n in range(page.small.count())] == ["P01-001", "P01-002"]
    assert "true of all of them" in page.area.widget().findChildren(QLabel)[0].text()
    assert nameless(page) == []
    asked = {line.item for line in page.shown.lines}
    assert len(asked) > 5
    page.options["y"].click()
    for safe_id in ("P01-001", "P01-002"):
        assert answers_about(page, safe_id) >= asked
    assert answers_about(page, "P01-003") == set()
    assert answers_about(page, "P02-001") == set()
    acts = [a.act for a in open_run(page._opened.folder).state.acts if a.act.startswith("look:")]
    assert acts == ["look:P01-001", "look:P01-002"]  # an act each, as if one after the other
    assert page.shown.act == "look:P01-003"
    assert not page.options["y"].isEnabled()
    assert not page.small.isVisible()


def test_something_shows_is_said_of_one_copy(qtbot, three: ActsPage) -> None:
    page = three
    page.options["n"].click()
    assert page.title.text() == "Look at P01-001"
    assert page.sitting.walk.state.acts == ()  # nothing was said yet
    page.options["y"].click()
    assert page.title.text() == "Look at P01-002"  # one by one from here on
    assert answers_about(page, "P01-002") == set()


def test_left_open_is_left_open_for_each(qtbot, three: ActsPage) -> None:
    page = three
    page.skip.click()
    assert page.shown.act == "look:P01-003"
    assert answers_about(page, "P01-001") == answers_about(page, "P01-002") == set()


def test_what_cannot_be_kept_of_several_is_said_and_the_rest_is_asked_again(
    qtbot, three: ActsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, real, done = three, files.write_private, []

    def full(path: Path, data: bytes) -> None:
        done.append(path)
        if len(done) > 1:
            raise OutputError("the disk is full.")
        real(path, data)

    monkeypatch.setattr(files, "write_private", full)
    page.options["y"].click()
    assert "The disk is full." in page.banner.text()
    monkeypatch.undo()
    kept = {a.act for a in open_run(page._opened.folder).state.acts}
    assert kept == {"look:P01-001"}
    page.options["y"].click()
    assert {a.act for a in open_run(page._opened.folder).state.acts} == {"look:P01-001", "look:P01-002"}


def test_what_goes_is_shown_before_a_release(qtbot, page: ActsPage) -> None:
    to(page, "release")
    assert [page.small.item(n).text() for n in range(page.small.count())] == ["P01-001"]
    qtbot.waitUntil(lambda: not page.small.item(0).icon().isNull(), timeout=240_000)


def test_of_a_copy_that_waits_the_window_says_what_to_do_in_its_own_words(qtbot, page: ActsPage) -> None:
    waits = msgspec.structs.replace(page.sitting.walk, waits=frozenset({"P01-001"}))
    page.sitting.walk = waits
    to(page, "look")
    page.show_screen()
    said = page.area.widget().findChildren(QLabel)[0].text()
    assert said == "The copy does not show yet what you decided. Look at the photo, and go on from there."
