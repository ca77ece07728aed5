"""Metadata alone, file to file: what is written is read back, and memory stays bounded."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medimg import pipeline
from medimg.policy import Policy
from medimg.system import files
from medimg.system.files import FileSink
from medimg.types import Copy

POLICY = Policy(scope="metadata-only")


def photo(side: int, quality: int = 95) -> bytes:
    pixels = np.random.default_rng(2).integers(0, 256, (side, side, 3), np.uint8)
    exif = Image.Exif()
    exif[0x013B] = "Dr Smith"
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=0, exif=exif)
    return out.getvalue()


def test_memory_is_at_most_twice_the_file(tmp_path: Path) -> None:
    path = tmp_path / "in.jpg"
    path.write_bytes(photo(1500))
    size = path.stat().st_size
    assert size > 4_000_000
    (tmp_path / "out").mkdir()
    pipeline.scrub(photo(32), FileSink(tmp_path / "out", "first"), [], POLICY)  # loads what is needed
    tracemalloc.start()
    try:
        report = pipeline.scrub(path.read_bytes(), FileSink(tmp_path / "out", "copy"), [], POLICY)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.state == "unreviewed", report.reason
    assert peak < 2 * size + (1 << 20)
    assert b"Dr Smith" not in (tmp_path / "out" / "copy.jpg").read_bytes()


@pytest.mark.parametrize("size", [0, 1, files.READ_SIZE - 1, files.READ_SIZE, files.READ_SIZE + 1, 3 * files.READ_SIZE])
def test_what_was_staged_is_what_the_file_holds(size: int, tmp_path: Path) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    sink = FileSink(tmp_path, "copy")
    assert sink.stage(Copy(data=data, format="jpeg", suffix=".jpg", width=1, height=1)) == data
    assert sink.release() == "copy.jpg"
    assert (tmp_path / "copy.jpg").read_bytes() == data


@pytest.mark.parametrize("where", [0, 200_000, -1])
@pytest.mark.parametrize("change", ["other", "shorter", "longer"])
def test_a_disk_that_gives_other_bytes_is_noticed(
    where: int, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = files.os.fsync

    def spoilt(handle: int) -> None:
        fsync(handle)
        for path in tmp_path.glob(".medimg-*.part"):
            held = bytearray(path.read_bytes())
            held[where] ^= 1
            path.write_bytes(held if change == "other" else held[:-1] if change == "shorter" else held + b"x")

    monkeypatch.setattr(files.os, "fsync", spoilt)
    report = pipeline.scrub(photo(400), FileSink(tmp_path, "copy"), [], POLICY)
    assert report.state == "held"
    assert (report.checks[0].name, report.checks[0].state) == ("readback", "failed")
    assert not list(tmp_path.iterdir())
