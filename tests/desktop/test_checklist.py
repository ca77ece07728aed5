"""The checklist page and the page of a stop: real widgets, real keys, a real run folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from desktop_kit import SITE, answer_all, make_run, nameless, walk
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QFont
from PySide6.QtWidgets import QApplication, QPushButton

from medimg.acts import answering
from medimg.acts.answering import BATCH
from medimg.consent.checklist import ChecklistDefinition
from medimg.desktop.pages.cards import AnswerButton, LookedCard, QuestionCard
from medimg.desktop.pages.checklist import ChecklistPage
from medimg.desktop.pages.stopped import StoppedPage
from medimg.errors import OutputError
from medimg.report.words import REMAINING_RISK
from medimg.run.opened import open_run
from medimg.run.state import load, save
from medimg.system import files


@pytest.fixture(autouse=True)
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


@pytest.fixture
def page(qtbot, run: Path) -> ChecklistPage:
    return opened(qtbot, run)


def opened(qtbot, run: Path) -> ChecklistPage:
    page = ChecklistPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.open_run(run)
    return page


def card(page: ChecklistPage, item: str) -> QuestionCard:
    return next(c for c in page.view.cards if isinstance(c, QuestionCard) and c.row.ask.item == item)


def part(page: ChecklistPage, subject: str) -> None:
    names = [page.parts.item(n).data(Qt.ItemDataRole.UserRole) for n in range(page.parts.count())]
    page.parts.setCurrentRow(names.index(subject))


def choose(qtbot, page: ChecklistPage, item: str, choice: str) -> None:
    button = next(b for b in card(page, item).answers.buttons if b.choice == choice)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def on_disk(run: Path) -> dict[tuple[str, str], str]:
    state = load(run)
    assert state is not None
    return {(a.item, a.subject): a.choice for a in state.answers}


def texts(page) -> str:
    return "\n".join(n.text(QAccessible.Text.Name) for n in walk(page) if not n.state().invisible)


# ---------------------------------------------------------------- answering


def test_an_answer_is_on_disk_as_soon_as_it_is_given(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "con.written", "yes")
    assert on_disk(run)["con.written", "P01"] == "yes"
    assert ("con.written", "P02") not in on_disk(run)
    assert card(page, "con.written").state.text() == "✓ Answered"


def test_progress_counts_needed_answers_of_people(qtbot, page: ChecklistPage) -> None:
    before = page.bar.value()
    choose(qtbot, page, "con.written", "yes")
    assert page.bar.value() == before + 1
    assert page.progress_words.text() == f"{before + 1} of {page.bar.maximum()} needed answers given"
    choose(qtbot, page, "con.written", "not-sure")
    assert page.bar.value() == before


def test_the_command_line_and_the_window_share_one_file(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "con.written", "yes")
    opened_run = open_run(run)
    save(run, answering.answered_by(opened_run.state, "con.specific", ["P01"], "yes"))
    again = opened(qtbot, run)
    assert card(again, "con.written").row.chosen == "yes"
    assert card(again, "con.specific").row.chosen == "yes"


def test_somebody_else_writing_is_told_and_nothing_is_lost(qtbot, page: ChecklistPage, run: Path) -> None:
    save(run, answering.answered_by(open_run(run).state, "con.specific", ["P01"], "yes"))
    choose(qtbot, page, "con.written", "yes")
    assert "somebody else" in page.banner.text().lower()
    assert ("con.written", "P01") not in on_disk(run)
    assert card(page, "con.specific").row.chosen == "yes"
    assert not any(b.isChecked() for b in card(page, "con.written").answers.buttons)
    choose(qtbot, page, "con.written", "yes")
    assert on_disk(run)["con.written", "P01"] == "yes"
    assert page.banner.isHidden()


def test_a_full_disk_is_words_and_the_answers_before_stay(
    qtbot, page: ChecklistPage, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(qtbot, page, "con.written", "yes")

    def full(path: Path, data: bytes) -> None:
        raise OutputError("the disk is full.", todo="Make room and try again.")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_private", full)
        choose(qtbot, page, "con.specific", "yes")
        assert page.banner.text() == "✗ The disk is full. Make room and try again."
        assert not any(b.isChecked() for b in card(page, "con.specific").answers.buttons)
    assert on_disk(run)["con.written", "P01"] == "yes"
    choose(qtbot, page, "con.specific", "yes")
    assert on_disk(run)["con.specific", "P01"] == "yes"


def test_what_applies_settles_which_questions_are_asked(qtbot, tmp_path: Path) -> None:
    page = opened(qtbot, make_run(tmp_path / "unsaid", said=False))
    assert card(page, "who.deceased")
    choose(qtbot, page, "deceased", "no")
    assert not [c for c in page.view.cards if c.row.ask.item == "who.deceased"]
    choose(qtbot, page, "deceased", "yes")
    assert card(page, "who.deceased").row.needed


def test_the_keyboard_stays_where_it_was_when_questions_go(qtbot, tmp_path: Path) -> None:
    page = opened(qtbot, make_run(tmp_path / "unsaid", said=False))
    card(page, "deceased").focus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_N)
    focused = QApplication.focusWidget()
    assert isinstance(focused, AnswerButton)
    assert card(page, "deceased").isAncestorOf(focused)
    assert card(page, "deceased").row.chosen == "no"


def test_answers_of_one_patient_never_reach_another(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "con.basis", "written-consent")
    part(page, "P02")
    assert card(page, "con.basis").row.chosen == ""
    part(page, BATCH)
    choose(qtbot, page, "pol.owner", "yes")
    assert on_disk(run)["pol.owner", BATCH] == "yes"


def test_a_ground_that_is_not_allowed_here_is_explained_and_not_kept(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "con.basis", "uk-anonymised-teaching")
    assert "cannot be chosen here" in card(page, "con.basis").state.text()
    assert ("con.basis", "P01") not in on_disk(run)
    assert not any(b.isChecked() for b in card(page, "con.basis").answers.buttons)


def test_pictures_can_be_answered_one_by_one(qtbot, page: ChecklistPage, run: Path) -> None:
    first = card(page, "img.text")
    assert first.row.ask.subjects == ("P01-001", "P01-002")
    qtbot.mouseClick(first.apart, Qt.MouseButton.LeftButton)
    cards = [c for c in page.view.cards if c.row.ask.item == "img.text"]
    assert [c.row.ask.subjects for c in cards] == [("P01-001",), ("P01-002",)]
    qtbot.mouseClick(cards[1].answers.buttons[0], Qt.MouseButton.LeftButton)
    assert on_disk(run) == {("img.text", "P01-002"): "yes"}


def test_looked_at_is_said_picture_by_picture(qtbot, page: ChecklistPage, run: Path) -> None:
    looked = next(c for c in page.view.cards if isinstance(c, LookedCard))
    looked.focus()
    qtbot.keyClick(looked.list, Qt.Key.Key_Down)
    qtbot.keyClick(looked.list, Qt.Key.Key_Space)
    assert on_disk(run) == {("img.person-looked", "P01-002"): "yes"}
    assert looked.state.text() == "○ Opened at full size: 1 of 2"
    qtbot.keyClick(looked.list, Qt.Key.Key_Space)
    assert on_disk(run) == {("img.person-looked", "P01-002"): "not-sure"}


# ---------------------------------------------------------------- notes, role, recipients


def test_notes_are_offered_only_where_the_checklist_takes_them(qtbot, page: ChecklistPage, run: Path) -> None:
    takes = {i.id for i in ChecklistDefinition.load().items if i.free_text == "record-only"}
    for c in list(page.view.cards):
        if isinstance(c, QuestionCard) and not c.row.ask.condition and not c.row.by_site:
            assert c.row.ask.takes_note == (c.row.ask.item in takes)
            assert c.note.isHidden()
    choose(qtbot, page, "id.together", "no")
    note = card(page, "id.together").note
    assert note.isVisible()
    qtbot.keyClicks(note, "discussed with the consultant")
    qtbot.keyClick(note, Qt.Key.Key_Return)
    state = load(run)
    assert state is not None
    assert [a.note for a in state.answers if a.item == "id.together"] == ["discussed with the consultant"]


def test_changing_an_answer_keeps_its_note(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "id.together", "no")
    qtbot.keyClicks(card(page, "id.together").note, "a note")
    choose(qtbot, page, "id.together", "yes")
    state = load(run)
    assert state is not None
    assert [(a.choice, a.note) for a in state.answers if a.item == "id.together"] == [("yes", "a note")]


def test_role_and_recipients_are_kept_with_the_answers(qtbot, page: ChecklistPage, run: Path) -> None:
    assert page.view.field is not None
    qtbot.keyClicks(page.view.field, "hand surgery group")
    qtbot.keyClick(page.view.field, Qt.Key.Key_Return)
    part(page, BATCH)
    assert page.view.field is not None
    qtbot.keyClicks(page.view.field, "nurse")
    qtbot.keyClick(page.view.field, Qt.Key.Key_Return)
    choose(qtbot, page, "pol.owner", "yes")
    state = load(run)
    assert state is not None
    assert state.recipients == {"P01": "hand surgery group"}
    assert [a.role for a in state.answers] == ["nurse"]


# ---------------------------------------------------------------- the organisation


def test_what_the_organisation_answered_is_shown_and_not_asked(qtbot, page: ChecklistPage, run: Path) -> None:
    part(page, BATCH)
    site = card(page, "pol.employer")
    assert site.state.text() == "✓ Your organisation has answered this: yes."
    assert not any(b.isVisible() for b in site.answers.buttons)
    for _ in range(40):
        page.next_open()
        assert not site.isAncestorOf(QApplication.focusWidget())
    qtbot.mouseClick(site.own, Qt.MouseButton.LeftButton)
    choose(qtbot, page, "pol.employer", "no")
    assert on_disk(run)["pol.employer", BATCH] == "no"
    assert "keeps the pictures back" in card(page, "pol.employer").state.text()


# ---------------------------------------------------------------- keyboard and screen reader


def test_a_question_is_answered_by_letters_and_numbers(qtbot, page: ChecklistPage) -> None:
    card(page, "con.may-see").focus()
    for key, choice in (("y", "yes"), ("n", "no"), ("?", "not-sure"), ("a", "not-applicable")):
        qtbot.keyClicks(QApplication.focusWidget(), key)
        assert card(page, "con.may-see").row.chosen == choice
    card(page, "con.written").focus()
    for key in "ya":
        qtbot.keyClicks(QApplication.focusWidget(), key)
    assert card(page, "con.written").row.chosen == "yes"
    assert "no answer to this question" in card(page, "con.written").state.text()
    card(page, "con.basis").focus()
    qtbot.keyClicks(QApplication.focusWidget(), "2")
    assert card(page, "con.basis").row.chosen == "spoken-consent-in-notes"


def test_arrows_walk_and_choose_nothing(qtbot, page: ChecklistPage, run: Path) -> None:
    card(page, "con.written").focus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    focused = QApplication.focusWidget()
    assert isinstance(focused, AnswerButton)
    assert focused.choice == "no"
    assert on_disk(run) == {}
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    assert on_disk(run) == {("con.written", "P01"): "no"}


def test_up_and_down_go_from_question_to_question(qtbot, page: ChecklistPage) -> None:
    first, second = page.view.cards[0], page.view.cards[1]
    first.focus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    assert second.isAncestorOf(QApplication.focusWidget())
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Up)
    assert first.isAncestorOf(QApplication.focusWidget())


def test_tab_goes_from_the_parts_through_the_questions_to_the_buttons(qtbot, page: ChecklistPage) -> None:
    choose(qtbot, page, "child", "yes")  # other questions come: the order has to be made again
    page.parts.setFocus()
    seen: list[object] = []
    for _ in range(300):
        widget = QApplication.focusWidget()
        assert widget is not None
        if widget in seen:
            break
        seen.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    assert seen[:2] == [page.parts, page.view.field]
    at = [next((n for n, c in enumerate(page.view.cards) if c.isAncestorOf(w)), None) for w in seen]
    cards = [n for n in at if n is not None]
    assert cards == sorted(cards)
    assert set(cards) == set(range(len(page.view.cards)))
    assert seen[-3:] == [page.back_button, page.later_button, page.next_button]
    # A question is one stop, however many answers it has; a note or the way to part its pictures is another.
    assert len(cards) <= 2 * len(page.view.cards)


def test_a_whole_run_is_answered_by_keys_alone(qtbot, tmp_path: Path) -> None:
    run = make_run(tmp_path / "small", {"P01": 2})
    page = opened(qtbot, run)
    page.questions.role = "registrar"
    for _ in range(80):
        qtbot.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        here = next((c for c in page.view.cards if c.isAncestorOf(QApplication.focusWidget())), None)
        if page.bar.value() == page.bar.maximum() or here is None:
            break
        if isinstance(here, LookedCard):
            for _ in here.rows:
                qtbot.keyClick(here.list, Qt.Key.Key_Space)
                qtbot.keyClick(here.list, Qt.Key.Key_Down)
            continue
        item = here.row.ask.item
        key = "1" if item == "con.basis" else "y"
        qtbot.keyClicks(QApplication.focusWidget(), key)
    assert page.bar.value() == page.bar.maximum()

    def release() -> None:
        qtbot.keyClick(page, Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda: page.stack.currentWidget() is page.release_view)
        page.release_view.confirm_button.setFocus()
        qtbot.keyClick(page.release_view.confirm_button, Qt.Key.Key_Space)

    with qtbot.assertNotEmitted(page.finished, wait=50):
        release()
    assert "with whom it is shared is not written down" in page.banner.text()
    assert list((run / "share").iterdir()) == []
    part(page, "P01")
    assert page.view.field is not None
    qtbot.keyClicks(page.view.field, "the hand group")
    qtbot.keyClick(page.view.field, Qt.Key.Key_Return)
    with qtbot.waitSignal(page.finished):
        release()
    assert sorted(p.name for p in (run / "share").iterdir()) == ["P01-001.jpg", "P01-002.jpg"]


def test_every_control_has_a_name(qtbot, page: ChecklistPage, run: Path) -> None:
    for n in range(page.parts.count()):
        page.parts.setCurrentRow(n)
        assert nameless(page) == []
    page._last_look()
    assert nameless(page.release_view) == []
    stopped = StoppedPage()
    qtbot.addWidget(stopped)
    stopped.show_stop(run, "P01")
    stopped.show()
    assert nameless(stopped) == []


def test_what_is_shown_is_what_a_screen_reader_reads(page: ChecklistPage) -> None:
    read = texts(page)
    for c in page.view.cards:
        if isinstance(c, QuestionCard):
            assert c.row.ask.text in read


@pytest.mark.parametrize("points", [10, 26])
def test_no_answer_is_cut_off_however_large_the_text(qtbot, qapp, page: ChecklistPage, points: int) -> None:
    before = qapp.font()
    try:
        larger = QFont(before)
        larger.setPointSize(points)
        qapp.setFont(larger)
        page.resize(960, 540)
        page.open_run(page.questions.opened.folder if page.questions else Path())
        qtbot.wait(50)
        assert page.width() == 960
        lines = set()
        for button in page.view.findChildren(AnswerButton):
            if button.isVisible():
                assert button.width() >= button.sizeHint().width()
                assert button.height() >= button.sizeHint().height()
                assert button.text().replace("\n", " ").removeprefix("✓ ") == button.words
                lines.add(button.text().count("\n"))
        assert (max(lines) > 0) == (points > 20)
    finally:
        qapp.setFont(before)


def test_an_answer_is_told_by_more_than_colour(qtbot, page: ChecklistPage) -> None:
    choose(qtbot, page, "con.written", "no")
    buttons = {b.choice: b for b in card(page, "con.written").answers.buttons}
    assert buttons["no"].text() == "✓ No"
    assert buttons["yes"].text() == "Yes"
    state = QAccessible.queryAccessibleInterface(buttons["no"]).state()
    assert state.checkable
    assert state.checked


# ---------------------------------------------------------------- stops


def test_an_intimate_picture_of_a_child_stops(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "child", "yes")
    with qtbot.waitSignal(page.stopped) as stopped:
        choose(qtbot, page, "intimate", "yes")
    assert stopped.args == ["P01"]
    full = StoppedPage()
    qtbot.addWidget(full)
    full.show_stop(run, "P01")
    full.show()
    said = "\n".join(full.lines)
    assert "intimate picture of a child" in said
    assert "extension 100" in said
    assert "Other patients of this run can go on: P02." in said
    buttons = [b for b in full.findChildren(QPushButton) if b.isVisible()]
    assert [b.text() for b in buttons] == ["&Back to the questions"]
    with qtbot.waitSignal(full.closed):
        qtbot.keyClick(full.close_button, Qt.Key.Key_Space)
    assert list((run / "share").iterdir()) == []


def test_a_plain_no_to_consent_stops_that_patient_alone(qtbot, page: ChecklistPage, run: Path) -> None:
    answer_all(run, ["P01", "P02"])
    page = opened(qtbot, run)
    assert page.questions is not None
    assert page.questions.ready() == ["P01", "P02"]
    with qtbot.waitSignal(page.stopped):
        choose(qtbot, page, "con.specific", "no")
    assert page.questions.ready() == ["P02"]
    stop = StoppedPage()
    qtbot.addWidget(stop)
    stop.show_stop(run, "P01")
    assert any("there is no agreement" in line for line in stop.lines)
    choose(qtbot, page, "con.specific", "yes")
    assert page.questions.ready() == ["P01", "P02"]


def test_a_stop_is_told_once_and_again_when_the_run_is_opened(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "child", "yes")
    choose(qtbot, page, "intimate", "yes")
    with qtbot.assertNotEmitted(page.stopped, wait=50):
        choose(qtbot, page, "con.written", "yes")
    again = ChecklistPage()
    qtbot.addWidget(again)
    with qtbot.waitSignal(again.stopped) as stopped:
        again.open_run(run)
    assert stopped.args == ["P01"]


def test_coming_back_from_a_stop_shows_the_questions(qtbot, page: ChecklistPage, run: Path) -> None:
    part(page, "P02")
    choose(qtbot, page, "child", "yes")
    choose(qtbot, page, "intimate", "yes")
    with qtbot.assertNotEmitted(page.stopped, wait=100):
        page.open_run(run)
    assert page.part == "P02"
    choose(qtbot, page, "child", "no")
    assert page.questions is not None
    assert page.questions.stop("P02") is None
    with qtbot.waitSignal(page.stopped):
        choose(qtbot, page, "child", "yes")


def test_without_a_profile_the_stop_still_says_whom_to_ask(qtbot, tmp_path: Path) -> None:
    run = make_run(tmp_path / "plain", site=None)
    state = open_run(run).state
    for condition in ("child", "intimate"):
        state = answering.with_condition(state, "P01", condition, "yes")
    save(run, state)
    stop = StoppedPage()
    qtbot.addWidget(stop)
    stop.open_run(run)
    assert any("privacy officer" in line for line in stop.lines)


# ---------------------------------------------------------------- release


def test_release_needs_every_answer(qtbot, page: ChecklistPage, run: Path) -> None:
    assert not page.release_button.isEnabled()
    answer_all(run, ["P02"])
    page.open_run(run)
    assert page.release_button.isEnabled()
    assert page.questions is not None
    assert page.questions.ready() == ["P02"]


def test_the_last_look_says_who_will_see_it_and_whom_to_call(qtbot, page: ChecklistPage, run: Path) -> None:
    answer_all(run)
    page.open_run(run)
    qtbot.mouseClick(page.release_button, Qt.MouseButton.LeftButton)
    view = page.release_view
    read = texts(view)
    assert "Members-only professional group" in read
    assert REMAINING_RISK in read
    assert "Privacy officer: extension 100" in read
    assert QApplication.focusWidget() is view.cancel_button
    qtbot.mouseClick(view.cancel_button, Qt.MouseButton.LeftButton)
    assert list((run / "share").iterdir()) == []


def test_release_moves_the_ticked_patients_alone(qtbot, page: ChecklistPage, run: Path) -> None:
    answer_all(run)
    page.open_run(run)
    page._last_look()
    view = page.release_view
    view.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert view.confirm_button.text() == "&Release P02"
    with qtbot.waitSignal(page.finished):
        qtbot.mouseClick(view.confirm_button, Qt.MouseButton.LeftButton)
    assert [p.name for p in (run / "share").iterdir()] == ["P02-001.jpg"]
    state = load(run)
    assert state is not None
    assert state.released_names("P02") == {"P02-001.jpg"}
    view.list.clear()
    view._count()
    assert not view.confirm_button.isEnabled()


def test_a_copy_that_was_changed_is_not_released(qtbot, page: ChecklistPage, run: Path) -> None:
    answer_all(run)
    page.open_run(run)
    with (run / "unreviewed" / "P01-001.jpg").open("ab") as file:
        file.write(b"x")
    page._last_look()
    with qtbot.assertNotEmitted(page.finished, wait=50):
        qtbot.mouseClick(page.release_view.confirm_button, Qt.MouseButton.LeftButton)
    assert "changed afterwards" in page.banner.text()
    assert list((run / "share").iterdir()) == []


# ---------------------------------------------------------------- leaving, bad input


def test_the_sheets_are_written_when_the_page_is_left(qtbot, page: ChecklistPage, run: Path) -> None:
    sheet = run / "PRIVATE-patient-record" / "record-sheet.json"
    before = sheet.read_bytes()
    choose(qtbot, page, "con.basis", "written-consent")
    assert sheet.read_bytes() == before
    page.hide()
    assert b"written consent" in sheet.read_bytes()


def test_finish_later_and_back_keep_what_was_said(qtbot, page: ChecklistPage, run: Path) -> None:
    choose(qtbot, page, "con.written", "yes")
    with qtbot.waitSignal(page.finished):
        qtbot.mouseClick(page.later_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.back):
        qtbot.mouseClick(page.back_button, Qt.MouseButton.LeftButton)
    assert on_disk(run) == {("con.written", "P01"): "yes"}


@pytest.mark.parametrize("damage", ["gone", "cut", "newer"])
def test_a_run_that_cannot_be_read_is_words(qtbot, tmp_path: Path, damage: str) -> None:
    run = make_run(tmp_path / "bad")
    path = run / "PRIVATE-patient-record" / "answers.json"
    before = {
        "gone": lambda: path.unlink(),
        "cut": lambda: path.write_bytes(path.read_bytes()[:100]),
        "newer": lambda: path.write_bytes(path.read_bytes().replace(b"medimg.answers/1", b"medimg.answers/2")),
    }
    before[damage]()
    page = ChecklistPage()
    qtbot.addWidget(page)
    page.open_run(run)
    assert page.banner.text().startswith("✗ ")
    assert "[" not in page.banner.text()
    assert str(tmp_path) not in page.banner.text()
    assert not page.release_button.isEnabled()
    page.next_open()
    page.hide()


def test_two_hundred_pictures_are_one_list(qtbot, tmp_path: Path) -> None:
    page = opened(qtbot, make_run(tmp_path / "many", {"P01": 60}))
    looked = [c for c in page.view.cards if isinstance(c, LookedCard)]
    assert len(looked) == 1
    assert looked[0].list.count() == 60
    assert len(page.view.cards) < 60


def test_this_process_never_imports_opencv() -> None:
    assert "cv2" not in sys.modules


def test_the_profile_of_these_tests_is_a_valid_one(tmp_path: Path) -> None:
    SITE._check(ChecklistDefinition.load())
