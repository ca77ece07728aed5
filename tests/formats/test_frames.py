"""Kept frames: each found in, covered and judged as a picture, then put together with nothing besides."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageSequence, PngImagePlugin, TiffImagePlugin

from medimg import formats, pipeline
from medimg.formats import sequence
from medimg.pipeline import judge
from medimg.policy import Limits, MetadataRules, Policy
from medimg.types import NOTHING_KNOWN, Action, Box, Finding, Polygon, Region, Report

HEIGHT, WIDTH = 40, 60
KEEP = Policy(metadata=MetadataRules(keep_frames=True))
SECRET = b"Margaret Whitcombe"
PLACE = Box(5, 6, 20, 16)


def shots(count: int, channels: int = 3, seed: int = 0) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(50, 250, (HEIGHT, WIDTH, channels), dtype=np.uint8) for _ in range(count)]


def saved(kind: str, frames: Sequence[NDArray[Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    first, *rest = [Image.fromarray(f) for f in frames]
    if kind == "GIF":  # within its 256 colours, so that nothing is lost
        first, *rest = [Image.fromarray(f[..., 0]) for f in frames]
    first.save(out, kind, save_all=True, append_images=rest, **options)
    return out.getvalue()


def animation(kind: str, frames: Sequence[NDArray[Any]]) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    more: dict[str, dict[str, Any]] = {
        "GIF": {"comment": SECRET, "loop": 0, "duration": 80},
        "PNG": {"pnginfo": text, "duration": 80},
        "WEBP": {"lossless": True, "xmp": b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>", "duration": 80},
        "TIFF": {},
    }
    return saved(kind, frames, **more[kind])


class Sees:
    """Finds one thing in one frame, and in later looks what it is told."""

    version = "fake 1"

    def __init__(self, name: str, place: Polygon | None = None, nth: int = 0, later: Sequence[list[Finding]] = ()):
        self.name, self.place, self.nth, self.looked, self.later = name, place, nth, 0, list(later)

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        self.looked += 1
        return [self._finding(self.place)] if self.place and self.looked - 1 == self.nth else []

    def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
        return (self.later.pop(0) if self.later else []), "fake again"

    def _finding(self, place: Polygon) -> Finding:
        return Finding(kind="text", category="name", detector="fake", region=Region(place))


def checks(nth: int = 1, place: Box | None = PLACE, later: Sequence[list[Finding]] = ()) -> list[Any]:
    return [Sees("text", place.polygon if place else None, nth, later), Sees("codes"), Sees("faces")]


def cleaned(data: bytes, detectors: list[Any], **options: Any) -> tuple[Report, bytes]:
    sink = pipeline.MemorySink()
    report = pipeline.scrub(data, sink, detectors, KEEP, **options)
    return report, sink.data


def shown(data: bytes) -> list[NDArray[np.uint8]]:
    return [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(Image.open(io.BytesIO(data)))]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_what_is_covered_in_one_frame_of_an_animation_is_covered_in_all(kind: str) -> None:
    data = animation(kind, shots(3))
    report, copy = cleaned(data, checks(nth=1))
    assert report.state == "unreviewed", report.reason
    assert report.copy is not None
    assert report.copy.notes[0] == "frames-kept"
    assert report.copy.lossless
    assert {"frames", "frames-shown", "text", "pixels"} <= {c.name for c in report.checks}
    assert SECRET not in copy
    before, after = shown(data), shown(copy)
    assert len(after) == 3
    (hull,) = {Region(p).box for p in report.copy.covered}
    assert hull.overlap(PLACE) == PLACE.area
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[hull.y0 : hull.y1, hull.x0 : hull.x1] = True
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a[~inside], b[~inside])
        assert not b[inside].any()


def test_an_animation_keeps_its_pace() -> None:
    copy = cleaned(animation("GIF", shots(3)), checks(place=None))[1]
    with Image.open(io.BytesIO(copy)) as picture:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(picture)] == [80, 80, 80]
        assert picture.info["loop"] == 0


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
def test_a_page_is_covered_where_something_was_found_on_it(compression: str) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[315] = SECRET.decode()
    data = saved("TIFF", shots(3), compression=compression, tiffinfo=tags)
    assert data.count(SECRET) == 3
    report, copy = cleaned(data, checks(nth=1))
    assert report.state == "unreviewed", report.reason
    assert report.counts("metadata")["owner"] == 3
    assert SECRET not in copy
    before, after = shown(data), shown(copy)
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, True]
    assert not after[1][PLACE.y0 : PLACE.y1, PLACE.x0 : PLACE.x1].any()
    assert report.plan is not None
    assert [a.finding.region.frame for a in report.plan.doing("cover") if a.finding.region] == [1]


def test_pages_of_sixteen_bits_stay_so(tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16) for _ in range(2)]
    report, copy = cleaned(saved("TIFF", frames), checks(place=None))
    assert report.state == "unreviewed", report.reason
    pages = [np.asarray(f) for f in ImageSequence.Iterator(Image.open(io.BytesIO(copy)))]
    assert all(np.array_equal(a, b) for a, b in zip(frames, pages, strict=True))


def test_what_the_second_look_finds_in_one_frame_is_covered_in_all() -> None:
    data = animation("PNG", shots(2))
    late = Finding(kind="text", category="name", detector="fake", region=Region(PLACE.polygon))
    report, copy = cleaned(data, checks(place=None, later=[[late]]))
    assert report.state == "unreviewed", report.reason
    assert all(not f[PLACE.y0 : PLACE.y1, PLACE.x0 : PLACE.x1].any() for f in shown(copy))
    assert report.plan is not None
    assert len(report.plan.doing("cover")) == 1


def test_one_frame_that_does_not_pass_keeps_all_back() -> None:
    late = Finding(kind="text", category="name", detector="fake", region=Region(PLACE.polygon))
    report, copy = cleaned(animation("GIF", shots(2)), checks(place=None, later=[[], *([[late]] * 20)]))
    assert (report.state, copy) == ("held", b"")
    assert report.reason.startswith("frame ")


def test_a_written_animation_is_judged_frame_by_frame() -> None:
    copy = cleaned(animation("GIF", shots(3)), checks(place=None))[1]
    assert {c.name: c.state for c in judge(copy, checks(place=None), KEEP, NOTHING_KNOWN)} == dict.fromkeys(
        ("structure", "metadata", "text", "codes", "faces", "frames"), "passed"
    )
    found = judge(copy, checks(nth=2), KEEP, NOTHING_KNOWN)
    assert {c.name for c in found if c.state == "failed"} == {"text"}
    before = judge(animation("PNG", shots(2)), checks(place=None), KEEP, NOTHING_KNOWN)
    assert "frames" in {c.name for c in before if c.state == "failed"}


def test_an_edited_plan_is_applied_to_its_frame() -> None:
    data = saved("TIFF", shots(2))
    plan = pipeline.inspect(data, checks(nth=1), KEEP)[1]
    (found,) = plan.doing("cover")
    kept = Action(finding=found.finding, do="keep", why="a person", by="person")
    edited = type(plan)(width=plan.width, height=plan.height, actions=(kept,))
    report, copy = cleaned(data, checks(place=None), plan=edited)
    assert report.state == "unreviewed", report.reason
    assert all(np.array_equal(a, b) for a, b in zip(shown(data), shown(copy), strict=True))


def test_an_animation_is_cropped_alike_and_pages_are_not() -> None:
    plan = pipeline.inspect(animation("PNG", shots(2)), checks(place=None), KEEP)[1]
    cropped = type(plan)(width=plan.width, height=plan.height, crop=Box(10, 10, 30, 30))
    report, copy = cleaned(animation("PNG", shots(2)), checks(place=None), plan=cropped)
    assert report.state == "unreviewed", report.reason
    assert [f.shape for f in shown(copy)] == [(20, 20, 3)] * 2
    report, copy = cleaned(saved("TIFF", shots(2)), checks(place=None), plan=cropped)
    assert (report.state, report.error_code, copy) == ("refused", "M-USE", b"")


def test_frames_with_too_many_pixels_together_are_refused() -> None:
    wide = pipeline.scrub(
        animation("GIF", shots(6)), pipeline.MemorySink(), checks(),
        Policy(metadata=MetadataRules(keep_frames=True), limits=Limits(pixels=HEIGHT * WIDTH)),
    )  # fmt: skip
    assert (wide.state, wide.error_code) == ("refused", "M-IN-LARGE")


def test_a_file_with_something_between_its_frames_is_not_what_was_put_together() -> None:
    stills = [formats.open_photo(saved("PNG", [s]), Limits()).data for s in shots(2)]
    series = sequence.Series(tuple(stills), (), aligned=True, delays=(80, 80))
    whole = series.joined(stills)
    assert series.taken_apart(whole) == stills
    for at in (whole.index(b"fcTL") - 4, whole.index(b"IEND") - 4):
        more = sequence.chunk(b"tEXt", b"Comment\0" + SECRET)
        spoilt = whole[:at] + more + whole[at:]
        apart = series.taken_apart(spoilt)
        assert apart != stills or series.joined(apart) != spoilt


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.binary(max_size=40))
@settings(max_examples=30)
def test_pages_put_together_come_apart_as_they_were(widths: list[int], junk: bytes) -> None:
    rng = np.random.default_rng(len(junk))
    stills = []
    for width in widths:
        page = saved("TIFF", [rng.integers(0, 255, (7, width, 3), dtype=np.uint8)])
        stills.append(formats.open_photo(page, Limits()).write().data)
    book = sequence.pages(stills)
    assert sequence.pages_of(book) == stills
    assert [f.shape[1] for f in shown(book)] == widths
    if junk:
        assert sequence.pages(sequence.pages_of(book + junk)) != book + junk
