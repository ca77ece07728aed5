"""Looking at photos: every tool by mouse and by keyboard, decisions saved and applied, faults said in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import desktop_fakes as fakes
import msgspec
import pytest
from desktop_kit import nameless, walk
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from medimg.covers import cover_polygon
from medimg.desktop import edits
from medimg.desktop.icons import IconButton
from medimg.desktop.pages.review import ReviewPage
from medimg.desktop.photo_view import MOMENT
from medimg.engine import worker
from medimg.engine.batch import scrub_folder
from medimg.errors import MedimgError, OutputError
from medimg.policy import Policy
from medimg.report import build
from medimg.run import decisions
from medimg.run import state as runs
from medimg.run.events import Released
from medimg.run.opened import open_run
from medimg.types import Box, Plan, bounding_box

LONG = 240_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cleaned run of one patient's two photos and another's one, with the originals beside it."""
    base = tmp_path_factory.mktemp("made")
    fakes.photo(base / "in" / "a" / "ZZNAMEONE.png", seed=1)
    fakes.photo(base / "in" / "a" / "ZZNAMETWO.png", seed=2)
    fakes.photo(base / "in" / "b" / "ZZNAMETHREE.png", seed=3)
    (base / "in" / "b" / "notes.txt").write_text("no photo")
    done = scrub_folder([base / "in"], base / "out", make=fakes.make, workers=1)
    done.folder.rename(base / "out" / "medimg-TEST")
    return base


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A run of the test's own, to be applied, released or damaged."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def fresh(qtbot, own: Path) -> Iterator[ReviewPage]:
    """A page with that run."""
    page = opened(qtbot, own)
    qtbot.addWidget(page)
    yield page
    page.close_run()


@pytest.fixture(scope="module")
def base(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run for tests that only decide: what they decide is taken back after each."""
    return shutil.copytree(made, tmp_path_factory.mktemp("shared") / "base")


@pytest.fixture(scope="module")
def shared(qapp, base: Path, request: pytest.FixtureRequest) -> Iterator[tuple[ReviewPage, dict[str, Plan]]]:
    page = opened(QtBot(request), base)
    yield page, dict(page.session.plans)
    page.close_run()
    page.close()


@pytest.fixture
def page(qtbot, shared: tuple[ReviewPage, dict[str, Plan]]) -> Iterator[ReviewPage]:
    page, plans = shared
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    yield page
    page.session.undo.clear()
    page.session.plans = dict(plans)
    assert page.session.save()
    page.look.harmless.setChecked(False)
    page.look.banner.put_away()
    page.banner.put_away()
    page.grid.show_all()
    page.show_grid()


def opened(qtbot, base: Path, *, find: bool = True, number: int = 3) -> ReviewPage:
    page = ReviewPage(make=fakes.make)
    page.resize(1100, 760)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    if find:
        page.set_places([base / "in"])
    page.open_run(run_of(base))
    if find:
        qtbot.waitUntil(lambda: len(page.session.found) == number, timeout=LONG)
    return page


def run_of(base: Path) -> Path:
    (run,) = (base / "out").glob("medimg-*")
    return run


def looking(qtbot, page: ReviewPage, safe_id: str = "") -> str:
    """Open a photo (one of the patient with two) and wait until it is shown."""
    safe_id = safe_id or next(i for i in page.session.order if len(page.session.group(i)) == 2)
    page.show_photo(safe_id)
    assert page.look.canvas.photo is None
    qtbot.waitUntil(lambda: page.look.canvas.photo is not None, timeout=LONG)
    return safe_id


def on_disk(base: Path, safe_id: str) -> Plan:
    decided = decisions.load(run_of(base))
    assert decided is not None
    return decided.plans[safe_id]


def index_of(plan: Plan, category: str) -> int:
    return next(n for n, a in enumerate(plan.actions) if a.finding.category == category)


def pick(page: ReviewPage, category: str) -> int:
    index = index_of(page.look.plan, category)
    page.look.pick(index)
    return index


def press(page: ReviewPage, name: str) -> None:
    made = page.findChild(QPushButton, name)
    assert made.isEnabled(), name
    made.click()


def drag(qtbot, page: ReviewPage, start: tuple[float, float], end: tuple[float, float]) -> None:
    canvas = page.look.canvas
    a, b = (at(page, *p) for p in (start, end))
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=a)
    qtbot.mouseMove(canvas.viewport(), (a + b) / 2)
    qtbot.mouseMove(canvas.viewport(), b)
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=b)


def see_all(qtbot, page: ReviewPage) -> int:
    """Walk through the photo with the one key; how many parts there were."""
    canvas, parts = page.look.canvas, 0
    qtbot.waitUntil(lambda: canvas.photo is not None, timeout=LONG)
    qtbot.wait(3 * MOMENT)  # a small photo is seen as it opens
    while canvas.seen.left():
        before = canvas.seen.left()
        qtbot.keyClick(page.look, Qt.Key.Key_N)
        parts += 1
        qtbot.waitUntil(lambda before=before: canvas.seen.left() < before, timeout=LONG)
    return parts


def at(page: ReviewPage, x: float, y: float) -> QPoint:
    return page.look.canvas.mapFromScene(x, y)


def lines(page: ReviewPage) -> list[str]:
    return [page.look.boxes.item(n).text() for n in range(page.look.boxes.count())]


def pixel(page: ReviewPage, x: float, y: float) -> tuple[int, int, int]:
    colour = page.look.canvas.viewport().grab().toImage().pixelColor(at(page, x, y))
    return colour.red(), colour.green(), colour.blue()


BLACK = (0, 0, 0)


# -- what is shown


def test_grid_and_list_say_what_there_is(qtbot, page: ReviewPage) -> None:
    assert page.grid.photos.count() == 3
    assert "3 photos are left to look at" in page.grid.words.text()
    assert "1 file was no photo and was skipped" in page.grid.words.text()
    assert "1 thing for you to decide" in page.grid.photos.item(0).text()
    looking(qtbot, page)
    assert lines(page) == [
        "1. writing: record number, covered",
        "2. writing that could not be read, covered",
        "3. face, covered",
        "4. possible face, you decide",
    ]
    page.look.harmless.setChecked(True)
    assert lines(page)[4] == "5. ruler, shown"
    assert len(page.look.canvas.boxes) == 5
    pick(page, "record-number")
    said = page.look.detail.text()
    assert "covered" in said
    assert "identifying" in said
    assert "very sure (97 %)" in said


def test_a_screen_reader_reads_the_list(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    nodes = {n.text(QAccessible.Text.Name): n for n in walk(page) if n.role() == QAccessible.Role.ListItem}
    assert "3. face, covered" in nodes
    assert nodes["3. face, covered"].state().checked
    assert nameless(page) == []
    page.show_grid()
    assert nameless(page) == []


def test_covers_are_solid_until_a_key_is_held(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    inside = (120, 48)  # of the record number
    assert pixel(page, *inside) == BLACK
    qtbot.keyPress(page.look.boxes, Qt.Key.Key_V)
    assert pixel(page, *inside) != BLACK
    qtbot.keyRelease(page.look.boxes, Qt.Key.Key_V)
    assert pixel(page, *inside) == BLACK


def test_zoom_turn_and_full_size(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    canvas = page.look.canvas
    before = canvas.zoom
    press(page, "nearer")
    assert canvas.zoom > before
    press(page, "full-size")
    assert canvas.zoom == pytest.approx(1.0)
    press(page, "fit")
    press(page, "turn")
    assert canvas.transform().m12() != 0
    assert page.session.waiting() == []  # the view was turned, not the photo


# -- what is done


def test_toggle_from_the_list_by_keyboard_and_undo(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    before = page.look.plan
    row = lines(page).index("1. writing: record number, covered")
    page.look.boxes.setCurrentRow(row)
    qtbot.keyClick(page.look.boxes, Qt.Key.Key_Space)
    assert lines(page)[row] == "1. writing: record number, shown"
    kept = on_disk(base, safe_id).actions[index_of(before, "record-number")]
    assert (kept.do, kept.by) == ("keep", "person")
    assert pixel(page, 120, 48) != BLACK
    qtbot.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.look.plan == before
    assert on_disk(base, safe_id) == before
    qtbot.keyClick(page, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert on_disk(base, safe_id) != before


def test_not_a_face_and_cover_the_possible_one(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    index = pick(page, "possible-face")
    assert page.look.show_it.text() == "Not a face: show it"
    qtbot.keyClick(page.look, Qt.Key.Key_S)
    assert on_disk(base, safe_id).actions[index].do == "keep"
    assert on_disk(base, safe_id).actions[index].why == "not a face"
    qtbot.keyClick(page.look, Qt.Key.Key_C)
    assert on_disk(base, safe_id).actions[index].do == "cover"


def test_a_face_that_the_consent_allows_has_a_reason_of_its_own(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    index = pick(page, "face")
    choices = {b.text() for b in page.look.findChildren(QPushButton) if b.isVisible()}
    assert {"Not a face: show it", "A face; the consent allows it"} <= choices
    press(page, "consented")
    shown = on_disk(base, safe_id).actions[index]
    assert (shown.do, shown.by, shown.why) == ("keep", "person", "a face, and the consent allows showing it")
    assert "Why: a face, and the consent allows showing it." in page.look.detail.text()
    assert page.look.banner.text() == ""  # it says nothing of other photos
    press(page, "show-it")  # taken for the other choice: said at once
    assert on_disk(base, safe_id).actions[index].why == "not a face"
    pick(page, "record-number")
    assert not page.look.consented.isVisible()


def test_a_face_can_be_covered_alone_and_nothing_else_has_that_button(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    index = pick(page, "face")
    assert not page.look.beside.isVisible()  # it holds nothing
    qtbot.keyClick(page.look, Qt.Key.Key_E)
    alone = on_disk(base, safe_id).actions[index]
    assert (alone.do, alone.by, bounding_box(alone.finding.region.polygon)) == ("cover", "person", fakes.INNER)
    assert not page.look.alone.isVisible()
    pick(page, "record-number")
    assert not page.look.alone.isVisible()
    press(page, "undo")
    assert bounding_box(on_disk(base, safe_id).actions[index].finding.region.polygon) == fakes.PLACES["face"]


@pytest.mark.parametrize(
    "choice", ["A face; the consent allows it", pytest.param("Not a face: show it", marks=pytest.mark.long)]
)
def test_writing_in_a_face_that_is_shown_is_covered(qtbot, tmp_path: Path, choice: str) -> None:
    """To show a face keeps the face alone; and the consent has to cover it before anything is shared."""
    fakes.photo(tmp_path / "in" / "one.png", how=fakes.NAME_IN_FACE)
    scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1)
    page = opened(qtbot, tmp_path, number=1)
    qtbot.addWidget(page)
    safe_id = looking(qtbot, page, page.session.order[0])
    pick(page, "possible-face")
    press(page, "cover")
    pick(page, "face")
    made = [b for b in page.look.findChildren(QPushButton) if b.text() == choice]
    assert len(made) == 1
    made[0].click()
    see_all(qtbot, page)
    with qtbot.waitSignal(page.session.settled, timeout=LONG):
        press(page, "looked")
    plan = on_disk(tmp_path, safe_id)
    inside = [a for a in plan.actions if a.finding.category == "name"]
    assert [a.do for a in inside] == ["cover"]
    run = open_run(run_of(tmp_path))
    report = next(r for r in run.reports if r.safe_id == safe_id)
    assert report.state == "unreviewed"
    seen = next(s for s in build.results(run.state, run.reports)["P01"].standings if s.question.id == "con.seen")
    faces = next(s for s in build.results(run.state, run.reports)["P01"].standings if s.question.id == "img.faces")
    consented = choice.startswith("A face")
    assert seen.question.level == ("blocking" if consented else "advisory")
    assert ("1 is shown: a person says that the consent allows it" in faces.auto.words) == consented
    sheet = (run.folder / "PRIVATE-patient-record" / "record-sheet.html").read_text()
    assert ("a face, and the consent allows showing it" in sheet) == consented
    page.close_run()


def test_a_line_stays_while_its_tick_is_changed(qtbot, page: ReviewPage) -> None:
    """Qt is in the middle of the line's own event then: it must not go away under it."""
    looking(qtbot, page)
    page.look.boxes.setCurrentRow(0)
    line = page.look.boxes.item(0)
    qtbot.keyClick(page.look.boxes, Qt.Key.Key_Space)
    assert isValid(line)
    assert page.look.boxes.item(0) is line
    assert line.text() == "1. writing: record number, shown"


def test_an_area_that_goes_while_it_is_dragged_is_let_go(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    before = on_disk(base, safe_id)
    press(page, "draw-box")
    drag(qtbot, page, (260, 260), (360, 330))
    port, left = page.look.canvas.viewport(), Qt.MouseButton.LeftButton
    qtbot.mousePress(port, left, pos=at(page, 300, 300))
    qtbot.mouseMove(port, at(page, 320, 310))
    press(page, "undo")
    qtbot.mouseMove(port, at(page, 340, 320))
    qtbot.mouseRelease(port, left, pos=at(page, 340, 320))
    assert on_disk(base, safe_id) == before


def test_unread_writing_comes_up_one_by_one(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    plan = page.look.plan
    assert page.look.index == index_of(plan, "possible-face")  # what has to be decided stands first
    assert page.look.unread.text() == "Next unread (1)"
    press(page, "next-unread")
    assert page.look.index == index_of(plan, "unread")
    assert page.look.cover.text() == "Keep it covered"
    press(page, "cover")
    done = on_disk(base, safe_id).actions[index_of(plan, "unread")]
    assert (done.do, done.by) == ("cover", "person")
    assert not page.look.unread.isEnabled()


def test_cover_all_like_this_reaches_every_photo_of_the_patient(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    other = next(i for i in page.session.group(safe_id) if i != safe_id)
    alone = next(i for i in page.session.order if len(page.session.group(i)) == 1)
    index = pick(page, "possible-face")
    press(page, "cover-alike")
    assert on_disk(base, safe_id).actions[index].do == "cover"
    assert on_disk(base, other).actions[index].do == "cover"
    assert on_disk(base, alone).actions[index].do == "ask"
    press(page, "undo")
    assert on_disk(base, other).actions[index].do == "ask"


def test_draw_a_box_with_the_mouse_move_and_size_it(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    press(page, "draw-box")
    drag(qtbot, page, (260, 260), (360, 330))
    plan = on_disk(base, safe_id)
    drawn = plan.actions[-1]
    assert (drawn.finding.kind, drawn.do, drawn.by) == ("drawn", "cover", "person")
    assert near(drawn.finding.region.box, Box(260, 260, 360, 330))
    assert "area marked by you, covered" in lines(page)[-1]
    drag(qtbot, page, (300, 300), (340, 310))
    assert near(on_disk(base, safe_id).actions[-1].finding.region.box, Box(300, 270, 400, 340))
    drag(qtbot, page, (400, 340), (420, 370))  # the corner
    assert near(on_disk(base, safe_id).actions[-1].finding.region.box, Box(300, 270, 420, 370))
    press(page, "undo")
    press(page, "undo")
    press(page, "undo")
    assert on_disk(base, safe_id).actions == plan.actions[:-1]


def near(one: Box, other: Box, by: int = 3) -> bool:
    return all(
        abs(a - b) <= by for a, b in zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    )


def test_draw_a_shape_with_the_mouse(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    press(page, "draw-shape")
    for x, y in ((200, 200), (300, 210), (280, 300), (190, 280)):
        qtbot.mouseClick(page.look.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at(page, x, y))
    qtbot.keyClick(page.look.canvas, Qt.Key.Key_Return)
    polygon = on_disk(base, safe_id).actions[-1].finding.region.polygon
    assert len(polygon) == 4
    assert near(bounding_box(polygon), Box(190, 200, 300, 300))
    assert page.look.canvas.tool == "select"


def test_a_box_by_keyboard_alone(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    qtbot.keyClick(page.look, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert page.look.canvas.hasFocus()
    first = on_disk(base, safe_id).actions[-1].finding.region.box
    for _ in range(3):
        qtbot.keyClick(page.look.canvas, Qt.Key.Key_Right)
    qtbot.keyClick(page.look.canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    then = on_disk(base, safe_id).actions[-1].finding.region.box
    assert then.x0 > first.x0
    assert then.height > first.height
    press(page, "undo")  # moves of one thing are one step
    assert near(on_disk(base, safe_id).actions[-1].finding.region.box, first, by=1)
    qtbot.keyClick(page.look.canvas, Qt.Key.Key_Delete)
    assert all(a.finding.kind != "drawn" for a in on_disk(base, safe_id).actions)


def test_a_found_cover_is_where_it_was_put(qtbot, page: ReviewPage, base: Path) -> None:
    """The margin that is added round a finding is taken off first, so that what is seen is what is filled."""
    safe_id = looking(qtbot, page)
    index = pick(page, "face")
    before = bounding_box(cover_polygon(page.look.plan.actions[index].finding, Policy.load()))
    drag(qtbot, page, (490, 150), (470, 170))
    moved = on_disk(base, safe_id).actions[index]
    after = bounding_box(cover_polygon(moved.finding, Policy.load()))
    assert (moved.finding.kind, moved.by) == ("face", "person")
    assert near(after, Box(before.x0 - 20, before.y0 + 20, before.x1 - 20, before.y1 + 20), by=4)


def test_crop_and_take_it_back(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    press(page, "crop")
    drag(qtbot, page, (10, 250), (400, 470))
    crop = on_disk(base, safe_id).crop
    assert crop is not None
    assert near(crop, Box(10, 250, 400, 470))
    assert pixel(page, 600, 20) == BLACK
    press(page, "uncrop")
    assert on_disk(base, safe_id).crop is None


# -- looked at, applied


def test_looked_at_needs_full_size_and_a_decision_and_makes_the_copy_again(qtbot, fresh: ReviewPage, own: Path) -> None:
    safe_id = looking(qtbot, fresh)
    old = open_run(run_of(own)).state.digests[safe_id]
    fresh.look.canvas.zoom_by(0.4)
    fresh.look.refresh()
    assert not fresh.look.done.isEnabled()
    assert "see all of it at full size (0 % seen" in fresh.look.state.text()
    see_all(qtbot, fresh)
    assert not fresh.look.done.isEnabled()
    assert "decide about 1 thing" in fresh.look.state.text()
    pick(fresh, "possible-face")
    press(fresh, "cover")
    press(fresh, "draw-box")
    drag(qtbot, fresh, (300, 200), (340, 240))
    with qtbot.waitSignal(fresh.session.settled, timeout=LONG):
        press(fresh, "looked")
    run = open_run(run_of(own))
    assert run.state.digests[safe_id] != old
    assert decisions.waiting(decisions.load(run.folder), run.reports) == []
    report = next(r for r in run.reports if r.safe_id == safe_id)
    assert report.state == "unreviewed"
    assert {c.state for c in report.checks} == {"passed"}
    assert len(report.copy.covered) == 5
    qtbot.waitUntil(
        lambda: any(
            a.subject == safe_id and a.item == "img.person-looked" and a.choice == "yes"
            for a in open_run(run_of(own)).state.answers
        ),
        timeout=LONG,
    )
    assert "✓ looked at" in fresh.grid._item(safe_id).text()
    assert sorted(p.name for p in (run.folder / "unreviewed").iterdir()) == sorted(
        r.copy.name for r in run.reports if r.copy
    )


def test_what_the_second_look_adds_is_shown_and_asks_for_another_look(qtbot, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "one.png", how=fakes.MORE)
    scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1)
    page = ReviewPage(make=fakes.make)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    page.show()
    page.set_places([tmp_path / "in"])
    page.open_run(run_of(tmp_path))
    qtbot.waitUntil(lambda: bool(page.session.found), timeout=LONG)
    safe_id = looking(qtbot, page, page.session.order[0])
    before = len(page.look.plan.actions)
    pick(page, "possible-face")
    press(page, "cover")
    press(page, "draw-box")
    drag(qtbot, page, (300, 300), (340, 340))  # five covers: now the second look finds something
    see_all(qtbot, page)
    with qtbot.waitSignal(page.session.settled, timeout=LONG):
        press(page, "looked")
    assert len(page.session.plans[safe_id].actions) == before + 2
    assert safe_id in page.session.again
    assert safe_id not in page.session.looked
    assert "look again" in page.grid._item(safe_id).text()
    looking(qtbot, page, safe_id)
    assert "more was found and covered" in page.look.state.text()
    page.close_run()


def test_a_run_is_opened_again_with_what_was_decided(qtbot, fresh: ReviewPage, own: Path) -> None:
    safe_id = looking(qtbot, fresh)
    pick(fresh, "possible-face")
    press(fresh, "cover")
    fresh.close_run()
    again = opened(qtbot, own)
    qtbot.addWidget(again)
    assert again.session.waiting() == [safe_id]
    with qtbot.waitSignal(again.finished, timeout=LONG):
        again.end()
    assert again.session.waiting() == []
    again.close_run()


def test_without_the_originals_the_copy_is_shown_and_nothing_can_be_uncovered(qtbot, own: Path) -> None:
    page = opened(qtbot, own, find=False)
    qtbot.addWidget(page)
    looking(qtbot, page)
    assert "original of this photo is not at hand" in page.look.banner.text()
    assert page.look.canvas.boxes == []
    for name in ("draw-box", "draw-shape", "put-box", "crop", "cover", "show-it"):
        assert not page.findChild(QPushButton, name).isEnabled()
    page.session.locate([own / "in"])
    qtbot.waitUntil(lambda: bool(page.look.canvas.boxes), timeout=LONG)
    assert page.findChild(QPushButton, "draw-box").isEnabled()
    page.close_run()


def test_originals_that_moved_away_leave_the_decision_waiting(qtbot, fresh: ReviewPage, own: Path) -> None:
    safe_id = looking(qtbot, fresh)
    pick(fresh, "possible-face")
    press(fresh, "cover")
    shutil.rmtree(own / "in")
    with qtbot.waitSignal(fresh.session.drained, timeout=LONG):
        fresh.end()
    assert "could not be read" in fresh.banner.text()
    assert "cannot be released" in fresh.banner.text()
    assert fresh.session.waiting() == [safe_id]
    assert fresh.session.copy(safe_id).is_file()
    with qtbot.waitSignal(fresh.finished):
        fresh.banner.findChild(QPushButton, "go-on").click()


# -- faults


def test_a_full_disk_is_said_and_nothing_is_lost(
    qtbot, page: ReviewPage, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe_id = looking(qtbot, page)
    before = page.look.plan
    save = decisions.save

    def full(*_: object) -> None:
        raise OutputError("the output could not be written.")

    monkeypatch.setattr(decisions, "save", full)
    index = pick(page, "possible-face")
    press(page, "cover")
    assert "Make room on the disk" in page.banner.text()
    assert "M-OUT" not in page.banner.text()
    assert page.look.plan.actions[index].do == "cover"
    assert on_disk(base, safe_id) == before
    pick(page, "record-number")
    press(page, "show-it")
    monkeypatch.setattr(decisions, "save", save)
    page.banner.findChild(QPushButton, "try-again").click()
    assert page.banner.text() == ""
    assert on_disk(base, safe_id) == page.look.plan != before


def test_a_damaged_or_newer_run_is_said_and_left_as_it_is(qtbot, own: Path) -> None:
    file = run_of(own) / "PRIVATE-patient-record" / "decisions.json"
    file.write_bytes(file.read_bytes().replace(b"medimg.decisions/1", b"medimg.decisions/7"))
    before = file.read_bytes()
    page = ReviewPage(make=fakes.make)
    qtbot.addWidget(page)
    with pytest.raises(MedimgError, match="newer version"):
        page.open_run(run_of(own))
    assert file.read_bytes() == before
    with pytest.raises(MedimgError, match="not a medimg run folder"):
        page.open_run(own / "in")


@pytest.mark.parametrize("side", [4_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_very_large_photo_is_shown_from_near_and_far(qtbot, tmp_path: Path, side: int) -> None:
    """16 or 100 megapixels: the window maps what the worker decoded and draws only what is in view."""
    import resource

    (tmp_path / "in").mkdir()
    Image.new("L", (side, side), 150).save(tmp_path / "in" / "large.png", compress_level=1)
    only = msgspec.structs.replace(Policy.load(), scope="metadata-only")
    scrub_folder([tmp_path / "in"], tmp_path / "out", policy=only, workers=1)
    page = ReviewPage(make=fakes.make)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.set_places([tmp_path / "in"])
    page.open_run(run_of(tmp_path))
    qtbot.waitUntil(lambda: bool(page.session.found), timeout=LONG)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    looking(qtbot, page, page.session.order[0])
    assert pixel(page, side // 2, side // 2) == (150, 150, 150)
    press(page, "full-size")
    assert pixel(page, *_middle(page)) == (150, 150, 150)
    page.close_run()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 9 * side * side // 1024  # KiB


def _middle(page: ReviewPage) -> tuple[float, float]:
    view = page.look.canvas.mapToScene(page.look.canvas.viewport().rect().center())
    return view.x(), view.y()


def test_a_worker_that_dies_while_a_decision_is_applied_loses_nothing(
    qtbot, fresh: ReviewPage, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision still waits, the old copy is still there, and the next one is applied."""
    safe_id = looking(qtbot, fresh)
    old = fresh.session.copy(safe_id).read_bytes()
    pick(fresh, "possible-face")
    press(fresh, "cover")
    see_all(qtbot, fresh)
    monkeypatch.setattr(worker, "apply", fakes.dies)
    with qtbot.waitSignal(fresh.session.settled, timeout=LONG):
        press(fresh, "looked")
    assert "worker ended" in fresh.banner.text()
    assert "[M-" not in fresh.banner.text()
    assert fresh.session.waiting() == [safe_id]
    assert fresh.session.copy(safe_id).read_bytes() == old
    assert safe_id not in fresh.session.looked
    monkeypatch.undo()
    with qtbot.waitSignal(fresh.finished, timeout=LONG):
        fresh.end()
    assert fresh.session.waiting() == []
    assert fresh.session.copy(safe_id).read_bytes() != old


def test_a_released_photo_is_not_changed(qtbot, fresh: ReviewPage, own: Path) -> None:
    safe_id = looking(qtbot, fresh)
    run = open_run(run_of(own))
    report = next(r for r in run.reports if r.safe_id == safe_id)
    done = Released(group=safe_id.partition("-")[0], at="2026-01-01", copies={report.copy.name: report.copy.sha256})
    runs.save(run.folder, msgspec.structs.replace(run.state, released=(done,)))
    pick(fresh, "possible-face")
    press(fresh, "cover")
    with qtbot.waitSignal(fresh.session.drained, timeout=LONG):
        fresh.end()
    assert "was released" in fresh.banner.text()
    assert fresh.session.waiting() == [safe_id]


# -- what the copy really looks like


def test_a_thing_that_is_covered_whole_goes_to_line_by_line_and_back(qtbot, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "one.png", how=fakes.LABEL)
    page = one_photo(qtbot, tmp_path)
    safe_id = looking(qtbot, page, page.session.order[0])
    assert "5. wristband, label, badge or card, covered" in lines(page)
    index = pick(page, "slip")
    beside, on_it = (300, 80), (120, 48)
    assert pixel(page, *beside) == pixel(page, *on_it) == BLACK
    assert page.look.by_line.text() == "Cover line by line"
    press(page, "by-line")
    assert on_disk(tmp_path, safe_id).actions[index].why == "a person has it covered line by line"
    assert pixel(page, *beside) != BLACK
    assert pixel(page, *on_it) == BLACK
    press(page, "by-line")
    assert on_disk(tmp_path, safe_id).actions[index].do == "cover"
    assert pixel(page, *beside) == BLACK
    page.close_run()


def test_no_writing_has_a_reason_of_its_own(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    index = pick(page, "unread")
    qtbot.keyClick(page.look, Qt.Key.Key_W)
    decided = on_disk(base, safe_id).actions[index]
    assert (decided.do, decided.by, decided.why) == ("keep", "person", "not writing")


def test_buttons_keep_their_places_whatever_is_chosen(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)

    def places() -> dict[str, QPoint]:
        look = page.look
        shown = [b for b in look.findChildren(QPushButton) if b.isVisible() and b.parent() is not look.banner]
        return {b.objectName(): b.mapTo(look, QPoint()) for b in shown}

    seen: dict[str, QPoint] = {}
    for category in ("record-number", "unread", "face", "possible-face", "record-number"):
        pick(page, category)
        qtbot.wait(20)
        for name, place in places().items():
            assert seen.setdefault(name, place) == place, (name, category)
    press(page, "compare")
    qtbot.wait(20)
    assert places()["cover"] == seen["cover"]
    press(page, "compare")


def test_before_and_after_by_a_line_that_is_moved(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    press(page, "compare")
    page.look.line.setValue(20)  # 128 pixels: through the record number
    assert pixel(page, 60, 48) != BLACK
    assert pixel(page, 200, 48) == BLACK
    qtbot.keyClick(page.look, Qt.Key.Key_D)
    assert pixel(page, 60, 48) == BLACK


def test_undo_is_dark_in_a_photo_that_nobody_touched_and_leaves_later_work_elsewhere(qtbot, page: ReviewPage) -> None:
    safe_id = looking(qtbot, page)
    other = next(i for i in page.session.group(safe_id) if i != safe_id)
    before = dict(page.session.plans)
    assert not page.look.undo.isEnabled()
    pick(page, "possible-face")
    press(page, "cover")
    press(page, "cover-alike")  # nothing more here; in the other photo one
    assert page.session.plans[other] != before[other]
    looking(qtbot, page, other)
    assert not page.look.undo.isEnabled()
    pick(page, "unread")
    press(page, "show-it")
    assert page.look.undo.isEnabled()
    later = page.session.plans[other]
    looking(qtbot, page, safe_id)
    press(page, "undo")
    press(page, "undo")
    assert not page.look.undo.isEnabled()
    assert page.session.plans == {**before, other: later}


def test_a_copy_that_is_nearly_all_cover_stops_with_a_choice(qtbot, page: ReviewPage) -> None:
    safe_id = looking(qtbot, page)
    pick(page, "possible-face")
    press(page, "cover")
    page.look.add(Box(0, 0, 640, 470).polygon)
    see_all(qtbot, page)
    press(page, "looked")
    assert "nearly all of this picture (98 %)" in page.look.banner.text()
    assert safe_id not in page.session.looked
    assert safe_id not in page.session.making
    press(page, "change-covers")
    assert not page.look.banner.text()
    assert page.look.safe_id == safe_id


def test_every_tool_stands_in_the_menu_in_words(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    press(page, "more")
    menu = page.look.findChild(QMenu, "tools-menu")
    words = [a.text().partition("\t") for a in menu.actions()]
    assert ("Draw a box", "\t", "B") in words
    assert ("Undo", "\t", "Ctrl+Z") in words
    tools = [b for b in page.look.findChildren(IconButton) if b.objectName() != "more"]
    assert {b.accessibleName() for b in tools} == {w for w, _, _ in words}
    next(a for a in menu.actions() if a.text().startswith("Draw a box")).trigger()
    assert page.look.canvas.tool == "box"
    menu.close()
    page.look.canvas.use("select")


def test_the_strip_marks_where_each_photo_stands_and_goes_there(qtbot, page: ReviewPage) -> None:
    safe_id = looking(qtbot, page)
    strip = page.look.strip
    assert strip.currentItem().text() == f"○ {safe_id}"
    other = next(i for i in page.session.order if i != safe_id)
    spot = strip.visualItemRect(strip._items[other]).center()
    qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert page.look.safe_id == other
    qtbot.waitUntil(lambda: page.look.canvas.photo is not None, timeout=LONG)
    assert not strip._items[other].icon().isNull()


def one_photo(qtbot, own: Path, policy: Policy | None = None) -> ReviewPage:
    """A fresh with the run of the photos that lie in ``own/in``, and the first of them."""
    scrub_folder([own / "in"], own / "out", make=fakes.make, workers=1, policy=policy)
    fresh = ReviewPage(make=fakes.make, policy=policy)
    qtbot.addWidget(fresh)
    fresh.resize(1100, 760)
    fresh.show()
    fresh.set_places([own / "in"])
    fresh.open_run(run_of(own))
    qtbot.waitUntil(lambda: len(fresh.session.found) == len(fresh.session.order), timeout=LONG)
    looking(qtbot, fresh, fresh.session.order[0])
    return fresh


def in_copy(fresh: ReviewPage, x: int, y: int) -> tuple[int, int, int]:
    with Image.open(fresh.session.copy(fresh.look.safe_id)) as copy:
        return copy.convert("RGB").getpixel((x, y))


def close(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 2


def test_covers_have_the_colour_of_the_copy_before_and_after_a_change(qtbot, tmp_path: Path) -> None:
    """On a dark ground black could not be seen: the copy has another colour, and so has what is shown of it."""
    path = fakes.photo(tmp_path / "in" / "dark.png", ground=8)
    with Image.open(path) as dark:
        dark.paste((255, 255, 255), (300, 250, 430, 430))  # a swab, not covered yet
        dark.save(path)
    page = one_photo(qtbot, tmp_path)
    inside = (120, 48)  # of the record number
    first = in_copy(page, *inside)
    assert first != BLACK
    assert pixel(page, *inside) == first
    qtbot.waitUntil(lambda: page.session.colour_seen(page.look.safe_id) == first, timeout=LONG)
    pick(page, "possible-face")
    press(page, "cover")
    press(page, "draw-box")
    drag(qtbot, page, (330, 280), (390, 340))  # on the swab: the colour has to differ from white as well
    qtbot.waitUntil(lambda: pixel(page, *inside) not in (first, BLACK), timeout=LONG)
    shown = pixel(page, *inside)
    with qtbot.waitSignal(page.finished, timeout=LONG):
        page.end()
    assert in_copy(page, *inside) == shown
    page.close_run()


def test_the_blocks_that_a_jpeg_covers_are_shown(qtbot, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "one.jpg", ground=180)
    page = one_photo(qtbot, tmp_path)
    report = page.session.report(page.look.safe_id)
    assert report.copy.format == "jpeg"
    record = report.plan.actions[index_of(report.plan, "record-number")].finding
    wanted = bounding_box(cover_polygon(record, page.session.policy))
    real = next(b for b in map(bounding_box, report.copy.covered) if b.overlap(wanted))
    corner = (real.x1 - 2, real.y1 - 2)
    assert corner[0] >= wanted.x1 + 3  # grown to blocks
    assert close(in_copy(page, *corner), BLACK)
    assert pixel(page, *corner) == BLACK
    qtbot.keyPress(page.look.boxes, Qt.Key.Key_V)
    assert pixel(page, *corner) != BLACK
    qtbot.keyRelease(page.look.boxes, Qt.Key.Key_V)
    assert pixel(page, *corner) == BLACK
    page.close_run()


def test_a_cover_in_the_middle_has_a_sign_and_words(qtbot, page: ReviewPage) -> None:
    looking(qtbot, page)
    assert not any("middle" in line for line in lines(page))
    assert not any(item.warns for item in page.look.canvas.boxes)
    press(page, "draw-box")
    drag(qtbot, page, (300, 200), (340, 240))
    row = page.look.boxes.count() - 1
    assert lines(page)[row] == "5. area marked by you, covered: touches the middle of the picture"
    assert not page.look.boxes.item(row).icon().isNull()
    assert "touches the middle of the picture" in page.look.detail.text()
    assert [item.warns for item in page.look.canvas.boxes].count(True) == 1
    press(page, "crop")
    drag(qtbot, page, (280, 20), (630, 470))  # now the middle is elsewhere
    assert "middle" not in lines(page)[row]


def test_not_a_face_is_offered_for_the_same_place_in_the_other_photos(qtbot, page: ReviewPage, base: Path) -> None:
    safe_id = looking(qtbot, page)
    other = next(i for i in page.session.group(safe_id) if i != safe_id)
    alone = next(i for i in page.session.order if len(page.session.group(i)) == 1)
    before = {i: page.session.plans[i] for i in page.session.plans}
    index = pick(page, "face")
    press(page, "show-it")
    assert "1 other photo of this patient has a face marked at the same place" in page.look.banner.text()
    assert page.session.plans[other] == before[other]  # asked, not done
    press(page, "leave-there")
    assert page.look.banner.text() == ""
    assert page.session.plans[other] == before[other]
    press(page, "undo")
    press(page, "show-it")
    page.look.banner.findChild(QPushButton, "show-there").click()
    there = on_disk(base, other).actions[index]
    assert (there.do, there.by, there.why) == ("keep", "person", "not a face")
    assert on_disk(base, alone) == before[alone]
    assert other not in page.session.looked
    press(page, "undo")
    assert on_disk(base, other) == before[other]
    assert on_disk(base, safe_id).actions[index].do == "keep"


def test_a_face_elsewhere_in_the_other_photos_is_not_asked_about(qtbot, page: ReviewPage) -> None:
    safe_id = looking(qtbot, page)
    other = next(i for i in page.session.group(safe_id) if i != safe_id)
    plan = page.session.plans[other]
    index = index_of(plan, "face")
    page.session.plans[other] = edits.reshaped(
        plan, index, Box(20, 250, 140, 420).polygon, page.session.policy, "moved"
    )
    pick(page, "face")
    press(page, "show-it")
    assert page.look.banner.text() == ""


def test_pages_and_frames_that_are_not_shown_are_said(qtbot, tmp_path: Path) -> None:
    usual = Policy.load()
    keep = msgspec.structs.replace(usual, metadata=msgspec.structs.replace(usual.metadata, keep_frames=True))
    fakes.frames(tmp_path / "kept" / "in" / "two.tif", 2)
    fakes.frames(tmp_path / "kept" / "in" / "two.png", 2)
    fakes.frames(tmp_path / "left" / "in" / "two.gif", 2)
    page = one_photo(qtbot, tmp_path / "kept", keep)
    pages, film = sorted(page.session.order, key=lambda i: page.session.report(i).format, reverse=True)
    looking(qtbot, page, pages)
    assert "This file has further pages. They are in the copy" in page.look.frames.text()
    assert "3. face, covered" in lines(page)
    assert "7. face, covered (page 2)" in lines(page)
    assert len(page.look.canvas.boxes) == 4  # those of the page that is shown
    looking(qtbot, page, film)
    assert "with the same places covered" in page.look.frames.text()
    assert "7. face, covered (frame 2)" in lines(page)
    page.close_run()
    page = one_photo(qtbot, tmp_path / "left", msgspec.structs.replace(usual, scope="metadata-only"))
    assert page.look.frames.text() == "This file has further pages or frames. They are left out of the copy."
    assert page.look.frames.isVisible()
    page.close_run()


def test_a_run_with_other_settings_says_that_changes_cannot_be_applied(qtbot, base: Path) -> None:
    other = msgspec.structs.replace(Policy.load(), covers=msgspec.structs.replace(Policy.load().covers, colour="white"))
    page = ReviewPage(make=fakes.make, policy=other)
    qtbot.addWidget(page)
    page.open_run(run_of(base))
    assert "made with other settings" in page.banner.text()
    page.close_run()
