"""Many photos through the library's door, in order and a few at a time; and pictures in and out."""

from __future__ import annotations

import asyncio
import io
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import batch_fakes as fakes
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

import medimg
from medimg import errors
from medimg.detect import Frame
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Box, Finding, KnownValues, Region

LIGHT = Policy(scope="metadata-only")


def test_copies_come_in_the_order_of_the_photos_and_a_bad_one_is_a_result(tmp_path: Path) -> None:
    sources = [fakes.photo(tmp_path / f"{n}.png") for n in range(5)]
    mixed = [sources[0], b"", sources[1], 5, sources[2], io.StringIO("x"), sources[3], sources[4]]
    for threads in (1, 3):
        made = list(medimg.Scrubber(LIGHT, threads=threads).scrub_many(mixed))  # type: ignore[arg-type]
        assert [m.report.error_code for m in made] == ["", "M-IN-KIND", "", "M-USE", "", "M-USE", "", ""]
        assert [m.report.safe_id for m in made] == [f"photo-{n:06}" for n in range(1, 9)]
        assert all(m.data for m in made if not m.report.error_code)


class Odd:
    """A file, a path or a picture of the caller's own that does not do what it should."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def read(self, _size: int) -> None:
        if self._error is not None:
            raise self._error

    def __fspath__(self) -> bytes:
        return b"bytes"


class BytesPath(Odd):
    """A path of bytes."""

    read = None  # type: ignore[assignment]


def test_no_source_whatever_ends_the_rest(tmp_path: Path) -> None:
    photo = fakes.photo(tmp_path / "MARY.png")
    closed = io.BytesIO(photo.read_bytes())
    closed.close()
    gone = memoryview(b"x")
    gone.release()
    broken = Image.open(io.BytesIO(photo.read_bytes()[:60]))
    sources = [
        photo, "MARY\0.png", "\ud800.png", BytesPath(), Odd(), Odd(KeyError("MARY")), Odd(zlib.error("MARY")), closed,
        gone, Odd(MemoryError()), broken, None, [photo], np.array(["MARY"]), photo,
    ]  # fmt: skip
    for threads in (1, 3):
        made = list(medimg.Scrubber(LIGHT, threads=threads).scrub_many(sources))  # type: ignore[arg-type]
        assert [bool(m.data) for m in made] == [True, *[False] * 13, True]
        assert all(m.report.error_code.startswith(("M-IN", "M-USE", "M-HOLD")) for m in made if m.held)
        assert not any("MARY" in repr(m.report) for m in made)


def test_a_function_of_the_caller_that_raises_for_one_photo_does_not_end_the_rest(tmp_path: Path) -> None:
    photos = [fakes.photo(tmp_path / f"{n}.png") for n in range(3)]

    def known(source: object) -> KnownValues:
        if source == photos[1]:
            raise LookupError("MARY")
        return NOTHING_KNOWN

    places = [None, "", tmp_path / "copy"]
    tool = medimg.Scrubber(LIGHT)
    assert [m.report.state for m in tool.scrub_many(photos, known=known)] == ["unreviewed", "held", "unreviewed"]
    made = list(tool.scrub_many(photos, to=lambda number, _: places[number]))  # type: ignore[arg-type, return-value]
    assert [m.report.error_code for m in made] == ["", "M-USE", ""]
    assert [p.name for p in tmp_path.glob("copy*")] == ["copy.png"]


def test_only_a_few_sources_are_read_ahead(tmp_path: Path) -> None:
    photo, read = fakes.photo(tmp_path / "a.png").read_bytes(), []

    def sources() -> Iterator[bytes]:
        for number in range(50):
            read.append(number)
            yield photo

    made = medimg.Scrubber(LIGHT, threads=2).scrub_many(sources())
    next(made)
    assert len(read) <= 4
    made.close()
    assert len(read) <= 4


def test_two_photos_are_worked_on_at_a_time_each_with_detectors_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=600)
    made: list[int] = []

    class Meeting(fakes.Fake):
        def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
            if self.name == "text":
                together.wait()
            return []

    def load(policy: Policy) -> tuple[Meeting, ...]:
        made.append(1)
        return tuple(Meeting(n) for n in ("text", "codes", "faces"))

    monkeypatch.setattr("medimg.api.load_detectors", load)
    with medimg.Scrubber(threads=2) as tool:
        done = list(tool.scrub_many([fakes.photo(tmp_path / f"{n}.png") for n in range(6)]))
    assert [d.held for d in done] == [False] * 6
    assert len(made) == 2


def test_what_is_known_and_where_it_goes_is_said_for_each_photo(tmp_path: Path) -> None:
    seen: list[tuple[str, ...]] = []

    class Asking(fakes.Fake):
        def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
            if self.name == "text":
                seen.append(known.names)
            return []

    photos = [fakes.photo(tmp_path / f"{n}.png") for n in range(2)]
    tool = medimg.Scrubber(detectors=[Asking(n) for n in ("text", "codes", "faces")])
    done = tool.scrub_many(
        [p.read_bytes() for p in photos],
        known=lambda source: KnownValues(names=("Abe" if source == photos[0].read_bytes() else "Bea",)),
        to=lambda number, _: tmp_path / "out" / f"copy-{number}",
    )
    (tmp_path / "out").mkdir()
    assert len(list(done)) == 2
    assert {"Abe", "Bea"} >= {name for names in seen for name in names}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["copy-0.png", "copy-1.png"]


def test_the_models_go_at_the_end_of_the_block_and_a_later_photo_loads_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Policy] = []
    monkeypatch.setattr("medimg.api.load_detectors", lambda policy: (loads.append(policy), fakes.make(policy))[1])
    photo = fakes.photo(tmp_path / "a.png")
    with medimg.Scrubber() as tool:
        assert not tool.scrub(photo).held
        assert not tool.scrub(photo).held
    assert len(loads) == 1
    assert not tool.scrub(photo).held
    assert len(loads) == 2


def test_an_event_loop_goes_on_while_a_photo_is_worked_on(tmp_path: Path) -> None:
    class Slow(fakes.Fake):
        def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
            time.sleep(0.2)
            return []

    async def main() -> tuple[bool, int]:
        tool = medimg.Scrubber(detectors=[Slow(n) for n in ("text", "codes", "faces")])
        photo, ticks = asyncio.create_task(tool.scrub_async(fakes.photo(tmp_path / "a.png"))), 0
        while not photo.done():
            ticks += 1
            await asyncio.sleep(0.01)
        return (await photo).held, ticks

    held, ticks = asyncio.run(main())
    assert not held
    assert ticks > 1


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_pillow_image_goes_in_and_comes_out(mode: str) -> None:
    samples = np.random.default_rng(3).integers(1, 255, (30, 40, 4), dtype=np.uint8)
    samples[..., 3] = 255
    given = Image.fromarray(samples, "RGBA").convert(mode)
    done = medimg.Scrubber(LIGHT).scrub(given)
    assert done.media_type == "image/png", done.report.reason
    assert np.array_equal(done.array(), np.asarray(given))
    assert np.array_equal(np.asarray(done.image()), np.asarray(given.convert("RGB")))


def test_a_turned_image_stands_upright_in_and_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    Image.fromarray(shown).save(tmp_path / "a.png", exif=exif)
    upright = np.rot90(shown, -1)
    with Image.open(tmp_path / "a.png") as opened:
        assert np.array_equal(medimg.Scrubber(LIGHT).scrub(opened).array(), upright)
    stored = medimg.Scrubber(LIGHT).scrub(tmp_path / "a.png")
    assert np.array_equal(stored.array(), upright)
    assert np.array_equal(np.asarray(stored.image()), upright)


def test_what_cannot_be_taken_as_a_picture_is_wrong_use() -> None:
    for wrong in (Image.new("CMYK", (4, 4)), Image.new("RGB", (0, 0))):
        with pytest.raises(errors.UsageError):
            medimg.Scrubber(LIGHT).scrub(wrong)
    small = Policy(scope="metadata-only", limits=medimg.types.Limits(pixels=100))
    assert medimg.Scrubber(small).scrub(Image.new("L", (20, 20))).report.error_code == "M-IN-LARGE"
    with pytest.raises(errors.UsageError):
        medimg.Scrubber(LIGHT).scrub(b"").image()


def test_a_result_prints_in_a_line_and_a_wrong_call_is_a_value_or_type_error(tmp_path: Path) -> None:
    done = medimg.Scrubber(LIGHT).scrub(fakes.photo(tmp_path / "Mary Jones.png"))
    plan = medimg.Scrubber(LIGHT).inspect(tmp_path / "Mary Jones.png")
    place = replace(plan.actions[0].finding, region=Region(Box(1, 2, 3, 4).polygon))
    kept = replace(plan.actions[0], finding=place, why="Mary agreed", by="person")
    for text in map(repr, (done, done.report, plan, *plan.actions, kept)):
        assert len(text) < 120, text
        assert "Mary" not in text
    with pytest.raises(ValueError, match="thread"):
        medimg.Scrubber(LIGHT, threads=0)
    with pytest.raises(TypeError):
        medimg.Scrubber(LIGHT).scrub(5)  # type: ignore[arg-type]


def test_a_row_of_a_report_is_flat_and_fit_for_a_table(tmp_path: Path) -> None:
    rows = [medimg.Scrubber(LIGHT).scrub(s).report.row() for s in (fakes.photo(tmp_path / "a.png"), b"")]
    assert rows[0].keys() == rows[1].keys()
    assert all(isinstance(value, str | int | float | bool) for row in rows for value in row.values())
    assert [row["state"] for row in rows] == ["unreviewed", "refused"]
