"""Seen means seen: what was in view, at which size, and for how long; and the walk through the photo by one key."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt

from medimg.desktop import pictures
from medimg.desktop.pages.review import ReviewPage
from medimg.desktop.photo_view import MOMENT
from medimg.desktop.seen import Seen
from medimg.engine.batch import scrub_folder
from medimg.policy import Policy
from medimg.run.squares import CELL

LONG = 240_000


def everything(seen: Seen) -> tuple[float, float, float, float]:
    return 0, 0, seen.width, seen.height


def test_only_what_was_whole_in_view_at_full_size_counts() -> None:
    seen = Seen(10 * CELL, 4 * CELL)
    assert not seen.look(everything(seen), 0.9)
    assert seen.share() == 0
    assert seen.look((0, 0, 2.5 * CELL, 2 * CELL), 1.0)
    assert seen.left() == 40 - 4  # the half square does not count
    assert not seen.look((0, 0, 2 * CELL, 2 * CELL), 1.0)  # nothing new
    assert seen.look(everything(seen), 1.0)
    assert (seen.left(), seen.share()) == (0, 1.0)


def test_the_cut_short_squares_at_the_edge_are_seen_too() -> None:
    seen = Seen(CELL + 10, CELL + 1)
    seen.look(everything(seen), 2.0)
    assert seen.left() == 0


def test_half_size_is_enough_for_plain_ground_alone() -> None:
    seen = Seen(4 * CELL, CELL, bytes([1, 1, 0, 0]))
    seen.look(everything(seen), 0.4)
    assert seen.left() == 4
    seen.look(everything(seen), 0.5)
    assert seen.left() == 2
    step = seen.next_step((100, 100))
    assert step is not None
    assert step.zoom == 1.0


def test_what_a_cover_hides_has_to_be_seen_once_it_shows() -> None:
    seen = Seen(2 * CELL, CELL)
    seen.hide([1])
    seen.look(everything(seen), 1.0)
    assert seen.left() == 0
    seen.hide([])
    assert [n for n in range(2) if seen.open(n)] == [1]


@pytest.mark.parametrize(
    ("size", "view"),
    [((4032, 3024), (900, 600)), ((3024, 4032), (640, 333)), ((500, 5000), (900, 600)), ((1281, 723), (160, 140))],
)
def test_the_walk_ends_and_leaves_nothing_out(size: tuple[int, int], view: tuple[int, int]) -> None:
    seen, steps, at = Seen(*size), 0, None
    while step := seen.next_step(view, at):
        assert seen.look(step.rect, step.zoom), step
        steps, at = steps + 1, step.rect
    assert seen.left() == 0
    least = -(-size[0] // view[0]) * -(-size[1] // view[1])
    assert least <= steps <= max(4, 2.5 * least) or view[0] < 200


def test_a_part_that_was_passed_too_fast_comes_round_again() -> None:
    seen = Seen(1000, 600)
    first = seen.next_step((600, 400))
    assert first is not None
    second = seen.next_step((600, 400), first.rect)
    assert second is not None
    assert second.rect != first.rect
    seen.look(second.rect, 1.0)
    at, met = second.rect, []
    while step := seen.next_step((600, 400), at):
        met.append(step.rect)
        seen.look(step.rect, 1.0)
        at = step.rect
    assert first.rect in met


def test_plain_is_large_and_has_no_thin_pale_stroke_in_it(tmp_path: Path) -> None:
    pixels = np.full((8 * CELL, 16 * CELL, 3), 150, np.uint8)
    pixels += np.random.default_rng(1).integers(0, 8, pixels.shape, dtype=np.uint8)
    pixels[250:252, 600:640] = 90  # a stroke two pixels high
    Image.fromarray(pixels).save(tmp_path / "one.png")
    drawn = pictures.draw(bytes(tmp_path / "one.png"), Policy.load())
    Path(drawn.file).unlink()
    plain = np.frombuffer(drawn.plain, np.uint8).reshape(8, 16)
    assert plain[0, 0] == 1
    assert plain[3, 9] == 0
    assert plain[2:5, 8:11].sum() == 0  # nor what is beside it
    assert 0.7 < plain.mean() < 1


@pytest.fixture
def page(qtbot, tmp_path: Path) -> ReviewPage:
    """A photo that is much larger than the window."""
    fakes.photo(tmp_path / "in" / "one.png", size=(2000, 1500))
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1).folder
    page = ReviewPage(make=fakes.make)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.set_places([tmp_path / "in"])
    page.open_run(run)
    qtbot.waitUntil(lambda: bool(page.session.found), timeout=LONG)
    page.show_photo(page.session.order[0])
    qtbot.waitUntil(lambda: page.look.canvas.photo is not None, timeout=LONG)
    yield page
    page.close_run()


def test_one_press_of_full_size_is_not_all_of_it(qtbot, page: ReviewPage) -> None:
    canvas = page.look.canvas
    qtbot.wait(3 * MOMENT)
    assert canvas.seen.share() == 0  # the whole photo is in view, too small
    qtbot.keyClick(page.look, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: canvas.seen.share() > 0, timeout=LONG)
    qtbot.wait(3 * MOMENT)
    assert canvas.seen.share() < 0.5
    assert not page.look.done.isEnabled()
    assert "see all of it at full size" in page.look.state.text()


@pytest.mark.parametrize("turns", [pytest.param(0, marks=pytest.mark.long), 1])
def test_one_key_walks_through_the_photo_and_then_it_was_looked_at(qtbot, page: ReviewPage, turns: int) -> None:
    canvas = page.look.canvas
    for _ in range(turns):
        qtbot.keyClick(page.look, Qt.Key.Key_T)
    parts = 0
    while canvas.seen.left():
        before = canvas.seen.left()
        qtbot.keyClick(page.look, Qt.Key.Key_N)
        qtbot.waitUntil(lambda before=before: canvas.seen.left() < before, timeout=LONG)
        parts += 1
    assert 6 <= parts <= 24
    assert page.look.done.isEnabled()
    assert not page.look.part.isEnabled()
    assert page.look.map.accessibleName() == "Seen at full size: 100 %"
    page.show_grid()
    page.show_photo(page.session.order[0])  # what was seen is not forgotten
    qtbot.waitUntil(lambda: canvas.photo is not None, timeout=LONG)
    assert page.look.done.isEnabled()
    qtbot.keyClick(page.look, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.session.order[0] in page.session.looked, timeout=LONG)


def test_the_map_shows_what_is_left_and_goes_there(qtbot, page: ReviewPage) -> None:
    seen_map, canvas = page.look.map, page.look.canvas
    place = seen_map._place()
    before = seen_map.grab().toImage()
    qtbot.mouseClick(seen_map, Qt.MouseButton.LeftButton, pos=QPoint(*(round(v) for v in place.center().toTuple())))
    assert canvas.zoom == pytest.approx(1.0)
    x0, y0, x1, y1 = canvas.view_rect()
    assert abs((x0 + x1) / 2 - 1000) < 20
    assert abs((y0 + y1) / 2 - 750) < 20
    qtbot.waitUntil(lambda: canvas.seen.share() > 0, timeout=LONG)
    assert seen_map.grab().toImage() != before
