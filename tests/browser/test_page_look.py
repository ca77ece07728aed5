"""The look in a browser: one screen, what is marked, before and after, what counts as seen; and from a phone."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import batch_fakes as fakes
import numpy as np
import pytest
import trustme
from chrome import PROGRAM, Chrome
from page_kit import Served, certificate, drawn, serving
from PIL import ExifTags, Image

from medimg.engine.batch import NO_HOOKS
from medimg.engine.groups import Suggestion
from medimg.engine.loop import Progress
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run import squares
from medimg.run.opened import open_run
from medimg.serve.page import shown
from medimg.serve.page.cleaning import Cleaning
from medimg.serve.page.stand import Stand

browser = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
SEEN = "document.querySelector('#seen').textContent"
ALL = f"{SEEN}.startsWith('All of it')"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as here:
        yield here


def looking(page: Chrome, served: Served, *photos: Path) -> None:
    """Drop photos, have them checked, and begin to look."""
    page.go(served.address)
    page.until("!document.querySelector('#drop').hidden")
    dropping(page, *photos)


def dropping(page: Chrome, *photos: Path) -> None:
    """The same, on a page that is open."""
    page.put("#files", *photos)
    page.until(f"document.querySelectorAll('#dropped li').length === {len(photos)}", 60)
    page.run("document.querySelector('#clean').click()")
    page.until("!document.querySelector('#look').hidden", 400)
    shows(page)


def shows(page: Chrome) -> None:
    page.until("document.querySelector('#picture').complete && document.querySelector('#picture').naturalWidth > 0")


def cover(page: Chrome, *box: int) -> None:
    """Cover a box by numbers, and wait for the copy made again."""
    for field, value in zip(("bx", "by", "bw", "bh"), box, strict=True):
        page.run(f"document.querySelector('#{field}').value = {value}")
    before = page.run("photo().made")
    page.run("document.querySelector('#cover-numbers').click()")
    page.until(f"photo().made !== {before!r} && document.body.getAttribute('aria-busy') === null", 400)
    shows(page)


@browser
def test_the_look_takes_the_window_and_nothing_of_it_scrolls_away(served: Served, tmp_path: Path) -> None:
    for n in range(3):
        drawn(tmp_path / f"{n}.png", n, 1500, 1200)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        looking(page, served, *(tmp_path / f"{n}.png" for n in range(3)))
        for width, height in ((1280, 720), (1920, 1080), (1024, 600)):
            page.size(width, height)
            time.sleep(0.3)
            assert page.run("document.documentElement.scrollHeight") <= height
            assert page.run("document.documentElement.scrollWidth") <= width
            for name in ("tools", "frame", "seen", "strip", "map", "act"):
                place = page.run(f"(r => [r.top, r.left, r.right])(at('{name}').getBoundingClientRect())")
                assert 0 <= place[0] < height, (name, width)
                assert 0 <= place[1] < place[2] <= width, (name, width)
            assert page.run("at('frame').clientHeight") >= 0.5 * height
            assert page.run("at('strip').getBoundingClientRect().bottom") <= height
            foot = page.run("(r => [r.top, r.bottom])(document.querySelector('#act .foot').getBoundingClientRect())")
            assert 0 <= foot[0] < foot[1] <= height  # the answers, however long the sentences are
        page.run("document.querySelector('#numbers').closest('details').open = true")
        page.size(390, 844)  # narrow: one below the other, never sideways
        page.until("document.documentElement.scrollWidth <= 390", 20)
        page.until("[...document.querySelectorAll('#strip img')].every(i => i.complete && i.naturalWidth)")
    finally:
        page.close()


@browser
@pytest.mark.parametrize("width", [320, 360])
def test_no_control_is_cut_on_a_narrow_screen(served: Served, tmp_path: Path, width: int) -> None:
    beyond = """[...document.querySelectorAll('button, select, input, summary')].filter(e => e.checkVisibility()
        && !e.closest('#strip')).filter(e => (r => r.left < 0 || r.right > innerWidth)(e.getBoundingClientRect())
        || e.scrollWidth > e.clientWidth + 1).map(e => e.id || e.textContent)"""
    page = Chrome(tmp_path / "profile")
    try:
        page.size(width, 740)
        drawn(tmp_path / "a.png", 3, 900, 700)
        page.go(served.address)
        page.until("!document.querySelector('#drop').hidden")
        page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.run(beyond) == []
        for name in ("audience", "where", "size"):
            for choice in page.run(f"[...at('{name}').options].map(o => o.value)"):
                page.run(f"at('{name}').value = {choice!r}; at('{name}').dispatchEvent(new Event('change'))")
                need, has, chosen, below = page.run(f"""(s => {{
                    const one = s.cloneNode(false), below = s.parentNode.querySelector(`#${{s.id}} + .whole`);
                    one.style.cssText = 'position: absolute; width: auto; max-width: none';
                    one.append(s.selectedOptions[0].cloneNode(true));
                    document.body.append(one);
                    const need = one.offsetWidth;
                    one.remove();
                    const words = below?.checkVisibility() && below.scrollWidth <= innerWidth ? below.textContent : '';
                    return [need, s.offsetWidth, s.selectedOptions[0].textContent, words];
                }})(at('{name}'))""")
                assert need <= has or below == chosen, (name, choice)
                assert below in ("", chosen)
        assert page.run("document.documentElement.scrollWidth") <= width
        dropping(page, tmp_path / "a.png")
        page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.run(beyond) == []
        assert page.run("document.documentElement.scrollWidth") <= width
    finally:
        page.close()


@browser
def test_an_area_is_chosen_in_the_picture_or_in_the_list_and_decided(served: Served, tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 3, 1600, 1200)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        looking(page, served, tmp_path / "a.png")
        cover(page, 1200, 900, 200, 150)
        cover(page, 40, 30, 100, 80)
        (first, second) = page.run("[...document.querySelectorAll('#outlines div')].map(d => d.dataset.number)")
        page.run("at('frame').scrollTo(0, 0)")
        x, y = page.run("(r => [r.left, r.top])(at('sheet').getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=kind, x=x + 90, y=y + 70, button="left", clickCount=1)
        chosen = "[...document.querySelectorAll('#areas .chosen .name')].map(b => b.textContent.split('.')[0])"
        assert page.run(chosen) == [second]
        assert page.run("document.querySelector('#outlines .chosen').dataset.number") == second
        page.run(
            f"[...document.querySelectorAll('#areas .name')].find(b => b.textContent.startsWith('{first}.')).click()"
        )
        assert page.run(chosen) == [first]
        assert page.run("at('frame').scrollTop > 0 && at('frame').scrollLeft > 0")  # to where it is
        left = page.run("photo().made")
        page.run(
            "[...document.querySelectorAll('#areas .chosen button')].find(b => b.textContent === 'Show it').click()"
        )
        page.until(f"photo().made !== {left!r} && document.body.getAttribute('aria-busy') === null", 400)
        data, kind = page.run("photo().photo.areas.map(a => [a.do, a.by])")
        assert (data, kind) == (["keep", "person"], ["cover", "person"])
    finally:
        page.close()


@browser
@pytest.mark.long
def test_what_was_typed_stays_when_another_photo_is_chosen_and_goes_with_the_next_question(
    served: Served, tmp_path: Path
) -> None:
    for n in range(2):
        drawn(tmp_path / f"{n}.png", n, 500, 400)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        looking(page, served, *(tmp_path / f"{n}.png" for n in range(2)))
        page.run("document.querySelector('#act input[name=name]').value = 'Hand group'")
        page.run("document.querySelectorAll('#strip button')[1].click()")
        assert page.run("document.querySelector('#act input[name=name]').value") == "Hand group"
        page.run("at('picture').removeAttribute('src'); at('picture').src = 'copy/P01-001?later'; tick()")
        assert page.run(SEEN) == ""  # a copy that is on its way is not the photo itself
        page.run("document.querySelector('#act button[data-key=y]').click()")
        page.until("document.querySelector('#act h2').textContent === 'Where it goes'", 200)
        assert page.run("document.querySelector('#act input[name=name]').value") == ""
    finally:
        page.close()


@browser
@pytest.mark.long
def test_before_shows_while_it_is_held_or_left_of_the_line_and_counts_as_nothing_seen(
    served: Served, tmp_path: Path
) -> None:
    drawn(tmp_path / "a.png", 3, 1600, 1200)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        looking(page, served, tmp_path / "a.png")
        cover(page, 0, 0, 400, 300)
        key = {"key": "v", "code": "KeyV", "windowsVirtualKeyCode": 86}
        page.run("document.activeElement.blur()")
        page.call("Input.dispatchKeyEvent", type="keyDown", **key)
        page.until("!at('under').hidden && at('under').complete && at('under').naturalWidth === 1600")
        page.call("Input.dispatchKeyEvent", type="keyDown", autoRepeat=True, **key)  # a key that is held repeats itself
        assert not page.run("at('under').hidden")
        page.until("needs.has(at('picture').dataset.key)", 60)
        before = page.run("parts().left.length")
        page.run("at('frame').scrollTo(500, 500)")
        time.sleep(1)
        assert page.run("parts().left.length") == before
        page.call("Input.dispatchKeyEvent", type="keyUp", **key)
        assert page.run("at('under').hidden")
        page.run("at('line').value = 25; at('line').dispatchEvent(new Event('input'))")
        assert page.run("getComputedStyle(at('under')).clipPath") == "inset(0px 75% 0px 0px)"
        page.run("at('line').value = 0; at('line').dispatchEvent(new Event('input'))")
        page.until(f"parts().left.length < {before}")
    finally:
        page.close()


@browser
@pytest.mark.long
def test_plain_ground_may_be_seen_at_half_and_covers_not_at_all(served: Served, tmp_path: Path) -> None:
    """Fewer parts to look at; what is no plain ground has to be seen at full size as ever."""
    pixels = np.full((3000, 4000, 3), 180, np.uint8)
    pixels[100:600, 100:700] = np.random.default_rng(1).integers(0, 255, (500, 600, 3), np.uint8)
    pixels[:, ::2] += 1  # no square of one colour
    pixels[0, 0] = fakes.WELL
    Image.fromarray(pixels).save(tmp_path / "a.png")
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        looking(page, served, tmp_path / "a.png")
        page.until("needs.size > 0")
        assert not page.run(ALL)
        parts = 0
        while left := page.run("parts().left.length"):
            page.key("n", ord("N"))
            page.until(f"parts().left.length < {left}", 30)
            parts += 1
        page.until(ALL, 30)
        assert "large plain parts at half" in page.run(SEEN)
        assert parts <= 16  # at full size these are more than thirty
    finally:
        page.close()


def test_the_squares_of_a_copy_say_how_they_have_to_be_seen() -> None:
    pixels = np.random.default_rng(1).integers(100, 140, (640, 640, 3), np.uint8)
    pixels[:320] = 90  # a cover
    pixels[:320, ::2] = 91  # and beside it plain ground that is no cover
    pixels[:320, :320] = 0
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    found = np.array(list(shown.squares(out.getvalue()))).reshape(10, 10)
    assert (found[:5, :5] == "2").all()
    assert (found[:3, 7:] == "1").all()
    assert (found[6:] == "0").all()
    assert list(squares.blank(pixels)[:5]) == [1] * 5
    with pytest.raises(UsageError):
        shown.squares(b"no picture")
    with pytest.raises(UsageError):
        shown.small(None)


@browser
@pytest.mark.long
def test_what_is_enlarged_by_two_fingers_counts_as_far_as_it_is_on_the_screen(served: Served, tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 3, 1000, 1200)
    page = Chrome(tmp_path / "profile")
    try:
        page.phone()
        looking(page, served, tmp_path / "a.png")
        page.run("seen.clear()")
        page.call("Emulation.setPageScaleFactor", pageScaleFactor=3)
        page.run("seen.clear(); rested = { key: '', since: 0 }")
        time.sleep(1.5)
        in_view = page.run("visualViewport.width * visualViewport.height / (innerWidth * innerHeight)")
        assert in_view < 0.2
        assert page.run("parts().share") < 40
        assert page.run("[...parts().cells].length") > 0
    finally:
        page.close()


@browser
def test_a_phone_drops_looks_and_covers_by_finger(tmp_path: Path) -> None:
    """Chromium with a phone's screen, fingers and name stands in for one; the connection is the one for a phone."""
    drawn(tmp_path / "a.png", 3, 900, 1200)
    with serving(tmp_path, *certificate(trustme.CA(), tmp_path)) as here:
        page = Chrome(tmp_path / "profile", "--ignore-certificate-errors")
        try:
            page.phone()
            looking(page, here, tmp_path / "a.png")
            assert page.run("navigator.userAgent").startswith("Mozilla/5.0 (iPhone")
            assert "nowhere else" in page.run("at('promise').textContent")
            assert page.run("document.documentElement.scrollWidth") <= 390
            page.until(ALL, 30)  # dense as its screen is, all of it is there at full size
            small = """[...document.querySelectorAll('button, input, select, summary, a')].filter(e => {
                const r = e.getBoundingClientRect();
                return e.checkVisibility() && Math.min(r.width, r.height) < 28; }).map(e => e.outerHTML)"""
            assert page.run(small) == []
            page.run("at('draw').click(); at('frame').scrollIntoView()")
            x, y = page.run("(r => [r.left, r.top])(at('picture').getBoundingClientRect())")
            page.touch((x + 60, y + 60), (x + 100, y + 90), (x + 160, y + 120))
            page.until("photo().photo.areas.length === 1 && document.body.getAttribute('aria-busy') === null", 400)
            left, top, width, height = page.run("photo().photo.areas[0].box")
            assert abs(left - 180) <= 6
            assert abs(top - 180) <= 6
            assert abs(width - 300) <= 9
            assert abs(height - 180) <= 9
            before = page.run("scrollY + at('frame').scrollTop")
            page.touch((x + 200, y + 300), (x + 200, y + 200), (x + 200, y + 60))  # without a tool it scrolls
            page.until(f"scrollY + at('frame').scrollTop !== {before}", 20)
            assert page.run("photo().photo.areas.length") == 1
        finally:
            page.close()


# -- one patient, or several; the choices


def taken(path: Path, seed: int, when: str) -> None:
    """A photo with a time."""
    pixels = np.random.default_rng(seed).integers(100, 255, (240, 320, 3), np.uint8)
    pixels[0, 0] = fakes.WELL
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = when
    Image.fromarray(pixels).save(path, quality=95, exif=exif)


@browser
@pytest.mark.parametrize(
    ("answer", "patients"), [("group-yes", 2), pytest.param("group-no", 1, marks=pytest.mark.long)]
)
def test_patients_are_suggested_in_pictures_and_one_act_answers(
    served: Served, tmp_path: Path, answer: str, patients: int
) -> None:
    for n, when in enumerate(("2026:11:20 10:00:00", "2026:11:20 10:02:00", "2026:11:20 14:00:00")):
        taken(tmp_path / f"{n}.jpg", n, when)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1280, 720)
        page.go(served.address)
        page.until("!document.querySelector('#drop').hidden")
        page.put("#files", *(tmp_path / f"{n}.jpg" for n in range(3)))
        page.until("document.querySelectorAll('#dropped img').length === 3")
        page.run("at('where').value = 'NZ'; at('size').value = 'jpeg,2048'; at('clean').click()")
        page.until("!document.querySelector('#grouping').hidden", 400)
        groups = page.run("[...document.querySelectorAll('#grouped ul')].map(u => u.querySelectorAll('img').length)")
        assert sorted(groups) == [1, 2]
        assert page.run("at('bar').hidden")
        assert page.run("at('group-yes').getBoundingClientRect().bottom") <= 720
        page.run(f"at('{answer}').click()")
        page.until("!document.querySelector('#look').hidden", 400)
        (run,) = (served.work / "out").iterdir()
        state = open_run(run).state
        assert len(state.run.groups) == patients
        assert state.run.max_side == 2048
        page.run("at('again').click()")
        page.until("typeof at === 'function' && !at('drop').hidden && at('where').value === 'NZ'", 60)  # as last time
    finally:
        page.close()


def test_the_time_left_and_what_is_done_are_told_while_others_are_checked(tmp_path: Path) -> None:
    cleaning = Cleaning(tmp_path, tmp_path, Policy.load(), NO_HOOKS, 1)
    counts = {"pending": 6, "running": 0, "done": 2, "failed": 0, "held": 0}
    told = Progress(event="photo", run="R7Q4", total=8, counts=counts, seconds=20.0, rate=0.1)
    cleaning._tell(told)
    stand = cleaning.told(Stand(step="clean"), ())
    assert (stand.settled, stand.total, stand.left) == (2, 8, None)  # too early to be honest
    counts = {"pending": 5, "running": 0, "done": 3, "failed": 0, "held": 0}
    cleaning._tell(Progress(event="photo", run="R7Q4", total=8, counts=counts, seconds=30.0, rate=0.1))
    assert cleaning.told(Stand(step="clean"), ()).left == pytest.approx(50)


def test_nobody_answers_what_is_not_asked(tmp_path: Path) -> None:
    cleaning = Cleaning(tmp_path, tmp_path, Policy.load(), NO_HOOKS, 1)
    with pytest.raises(UsageError):
        cleaning.answer(use=True)
    same = Suggestion(now=(1, 2), suggested={"P01": 2, "P02": 1}, gaps=0, codes=0, unread=0)
    assert not cleaning._confirm(same)
    cleaning.stop()
    other = Suggestion(now=(3,), suggested={"P01": 2, "P02": 1}, gaps=0, codes=0, unread=0)
    assert not cleaning._confirm(other)  # who stops does not have to answer
