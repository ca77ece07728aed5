"""What runs at the same time gives the same as one after the other, and what is skipped had nothing to say."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from medimg import Scrubber, pipeline
from medimg.detect import Frame, text
from medimg.detect.faces.centerface import CenterFace
from medimg.detect.text import ocr, ruler
from medimg.detect.text import second_look as _second_look
from medimg.detect.text.ocr import Spot
from medimg.native.threads import both, each, session_options, threads
from medimg.policy import Policy
from medimg.types import Finding, Polygon

LEVELS = (2400, 1600, 1200, 640, 600, 320, 160, 96, 64)


def grain(width: int, height: int) -> Any:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def box(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


@settings(max_examples=25)
@given(st.permutations(LEVELS))
def test_a_level_of_the_pyramid_does_not_depend_on_who_asks_first(order: Sequence[int]) -> None:
    pixels = grain(900, 500)
    usual, other = Frame(pixels), Frame(pixels)
    for size in LEVELS:
        usual.scaled(size)
    for size in order:
        got, factor = other.scaled(size)
        assert max(got.shape[:2]) == min(size, 900)
        assert factor == pytest.approx(min(1.0, size / 900))
        assert np.array_equal(got, usual.scaled(size)[0])


def test_threads_that_ask_for_levels_at_once_get_the_same() -> None:
    pixels = grain(3000, 2000)
    alone, shared = Frame(pixels), Frame(pixels)
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda size: shared.scaled(size)[0], [*LEVELS, *reversed(LEVELS)]))
    for size, level in zip([*LEVELS, *reversed(LEVELS)], got, strict=True):
        assert np.array_equal(level, alone.scaled(size)[0])


@pytest.mark.parametrize(("said", "number"), [("1", 1), ("6", 6), ("0", 1), ("900", 64), ("", 2), ("many", 2)])
def test_the_number_of_threads_is_bounded(monkeypatch: pytest.MonkeyPatch, said: str, number: int) -> None:
    monkeypatch.setenv("MEDIMG_THREADS", said)
    assert threads() == number


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_networks_that_keep_their_memory_share_it() -> None:
    """The network that runs second takes its memory from what the first left: no more is asked from the system."""
    models, faces = ocr.Models(), CenterFace()
    grey = np.full((608, 800, 3), 128, np.uint8)
    models.detect(grey)
    faces.detect(grey[:64, :64], 0.5)
    models.read([grey[:48, :200]])
    before = _resident()
    faces.detect(grey, 0.5)
    assert _resident() - before < 45 << 20  # 75 MiB with memory of its own, 22 with that of the first
    models.read([grey[:48]] * 8)
    assert _resident() - before < 45 << 20  # 222 MiB with memory of its own and eight lines at once
    assert session_options().get_session_config_entry("session.use_env_allocators") == "1"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_two_calls_run_at_the_same_time_only_where_threads_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=600)
    monkeypatch.setenv("MEDIMG_THREADS", "2")
    assert sorted(both(meeting.wait, meeting.wait)) == [0, 1]
    monkeypatch.setenv("MEDIMG_THREADS", "1")
    assert both(threading.get_ident, threading.get_ident) == (threading.get_ident(),) * 2


@pytest.mark.parametrize("count", ["1", "2"])
def test_results_keep_their_order_and_a_fault_of_any_is_raised(monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setenv("MEDIMG_THREADS", count)
    assert each(lambda n: n * n, (5, 3, 2)) == [25, 9, 4]
    assert each(lambda n: n, ()) == []
    for bad in (5, 3, 2):

        def fail(n: int, bad: int = bad) -> int:
            if n == bad:
                raise KeyError(n)
            return n

        with pytest.raises(KeyError):
            each(fail, (5, 3, 2))


class Failing:
    """A detector that raises in its first look or in its look at the copy."""

    version = "fake 1"

    def __init__(self, name: str, fault: BaseException | None = None, *, later: bool = False) -> None:
        self.name, self._fault, self._later = name, fault, later

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        if self._fault and not self._later:
            raise self._fault
        return []

    def recheck(self, frame: Any, covers: Any, known: Any = None) -> tuple[list[Finding], str]:
        if self._fault and self._later:
            raise self._fault
        return [], "again"


@pytest.mark.parametrize("count", ["1", "2"])
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("which", ["text", "codes", "faces"])
@pytest.mark.parametrize(("fault", "code"), [(RuntimeError("x"), "M-HOLD-NOTRUN"), (MemoryError(), "M-HOLD-MEMORY")])
def test_a_fault_beside_another_check_holds_the_photo(
    monkeypatch: pytest.MonkeyPatch, fault: BaseException, code: str, which: str, later: bool, count: str
) -> None:
    monkeypatch.setenv("MEDIMG_THREADS", count)
    out = io.BytesIO()
    Image.fromarray(grain(64, 48)).save(out, "PNG")
    tools = [Failing(n, fault if n == which else None, later=later) for n in ("text", "codes", "faces")]
    sink = pipeline.MemorySink()
    report = pipeline.scrub(out.getvalue(), sink, tools, Policy())
    assert (report.state, report.error_code, sink.data) == ("held", code, b"")


def test_spots_under_covers_are_left_out_and_only_they() -> None:
    spots = [Spot(np.asarray(box(x, 0, x + 100, 40), np.float32), 0.9) for x in (0, 60, 300)]
    covers = [box(0, 0, 60, 40), box(60, 0, 110, 40)]
    left = _second_look.uncovered(spots, covers)
    # Two covers hide the first wholly; half of the second can be seen, and all of the third.
    assert [float(s.quad[0][0]) for s in left] == [60, 300]
    assert _second_look.uncovered(spots, ()) == spots


def lines(*entries: tuple[str, int, int, int]) -> Any:
    image = Image.new("RGB", (1400, 900), (205, 165, 145))
    draw = ImageDraw.Draw(image)
    draw.rectangle((80, 80, 1000, 600), fill="white")
    for words, x, y, high in entries:
        draw.text((x, y), words, font=ImageFont.load_default(high), fill=(20, 20, 30))
    return image


def test_the_second_look_reads_what_stands_beside_and_half_under_a_cover() -> None:
    image = lines(("Marama Ngata", 120, 120, 44), ("DOB 04/11/1987", 120, 300, 44), ("NHI ZAC5361", 120, 480, 44))
    draw = ImageDraw.Draw(image)
    covers = [box(100, 110, 480, 190), box(100, 290, 260, 370)]  # the first line; the beginning of the second
    for cover in covers:
        draw.rectangle((*cover[0], *cover[2]), fill=(0, 0, 0))
    found, _ = text.make(Policy()).recheck(Frame(np.asarray(image)), covers)
    said = [(f.region.box.y0, f.region.box.y1) for f in found if f.region and f.category not in ("harmless", "unit")]
    for middle in (325, 505):
        assert any(low < middle < high for low, high in said), (middle, said)


@pytest.mark.long
def test_the_plan_and_the_copy_are_the_same_on_one_thread_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    lines(("Marama Ngata", 120, 120, 44), ("Ward 4", 120, 300, 20), ("ZAC5361", 300, 480, 12)).save(
        out, "JPEG", quality=92
    )
    answers = []
    for count in ("1", "2"):
        monkeypatch.setenv("MEDIMG_THREADS", count)
        done = Scrubber().scrub(out.getvalue())
        answers.append((done.report.plan, done.report.checks, done.data))
    assert answers[0] == answers[1]
    assert answers[0][2]


@pytest.mark.parametrize("times", [1, 2, 4, 6])
def test_a_row_of_ticks_is_one_however_large_it_is_photographed(times: int) -> None:
    small = np.full((100, 700, 3), 230, np.uint8)
    for k, x in enumerate(range(10, 690, 8)):
        small[30 : 70 if k % 5 else 85, x : x + 3] = 25
    pixels = np.asarray(Image.fromarray(small).resize((700 * times, 100 * times), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(3).integers(-6, 7, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    strip = tuple((x * times, y * times) for x, y in box(10, 26, 690, 74))
    assert ruler.ticked(pixels, strip) >= 0.8
    bare = np.clip(200 + np.random.default_rng(4).normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
    assert ruler.ticked(bare, strip) < 0.3
