"""Fuzz JPEG covers: ``python tests/fuzz/fuzz_jpeg_cover.py -max_total_time=600`` (needs atheris).

Both engines must agree: the same error of ours, or the same bytes; and what was written must be taken again.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import atheris
import numpy as np
from PIL import Image

with atheris.instrument_imports(include=["medimg.formats.jpeg"]):
    from medimg.errors import MedimgError
    from medimg.formats import jpeg
    from medimg.formats.jpeg.lossless import cover_jpeg
    from medimg.types import Box, Cover, Limits

sys.path.insert(0, str(Path(__file__).parents[1]))
# Atheris keeps the arrays whose comparisons it watches: the twin in Python would fill the memory in two minutes.
from jpeg_kit import ENGINES

COVER = (Cover(polygon=Box(5, 5, 20, 12).polygon, category="name"),)
LARGEST = 1 << 16
"""Pixels that the Python engine walks in a blink."""


def seeds() -> list[bytes]:
    rng = np.random.default_rng(1)
    out = []
    for mode, options in (
        ("RGB", {"subsampling": 2}),
        ("RGB", {"subsampling": 0, "progressive": True}),
        ("L", {"restart_marker_blocks": 2}),
        ("CMYK", {"optimize": True}),
    ):
        made = io.BytesIO()
        picture = Image.fromarray(rng.integers(0, 256, (24, 40, 3), np.uint8)).convert(mode)
        picture.save(made, "JPEG", quality=60, **options)
        out.append(made.getvalue())
    return out


def outcome(engine: object, data: bytes) -> bytes:
    try:
        photo = jpeg.open(data, Limits(pixels=LARGEST))
        return cover_jpeg(photo.jpeg, photo.head(), COVER, using=engine).data
    except MedimgError:
        return b""


def test_one(data: bytes) -> None:
    results = [outcome(engine, data) for engine in ENGINES]
    if any(r != results[0] for r in results):
        raise AssertionError("the engines differ")
    if results[0] and not outcome(ENGINES[0], results[0]):
        raise AssertionError("what was written is not taken again")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where nothing better is at hand; leave the headers alone in two of three."""
    if len(data) < 40:
        data = SEEDS[seed % len(SEEDS)]
    scan = data.find(b"\xff\xda")
    if seed % 3 and 0 < scan < max_size - 14:
        return data[: scan + 14] + atheris.Mutate(data[scan + 14 :], max_size - scan - 14)
    return atheris.Mutate(data[:max_size], max_size)


SEEDS = seeds()

if __name__ == "__main__":
    for whole in SEEDS:
        test_one(whole)
    atheris.Setup(sys.argv, test_one, custom_mutator=mutate)
    atheris.Fuzz()
