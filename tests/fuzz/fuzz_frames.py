"""Fuzz files of several frames: ``python tests/fuzz/fuzz_frames.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its frames come apart, are put together, and come apart the same.
"""

from __future__ import annotations

import io
import sys

import atheris
import numpy as np
from PIL import Image

with atheris.instrument_imports(include=["medimg"]):
    from medimg import audit, formats
    from medimg.errors import MedimgError
    from medimg.formats import sequence
    from medimg.types import Limits

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)


def seeds() -> list[bytes]:
    shots = [Image.fromarray(np.full((8, 10, 3), 40 * k, np.uint8)) for k in range(3)]
    out = []
    for kind, options in (("GIF", {"loop": 0}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        file = io.BytesIO()
        shots[0].save(file, kind, save_all=True, append_images=shots[1:], **options)
        out.append(file.getvalue())
    return out


def one(data: bytes) -> None:
    try:
        opened = formats.open_photo(data, LIMITS)
        if opened.frames == 1:
            return
        series = sequence.split(opened, LIMITS)
    except MedimgError:
        return
    for still in series.stills:
        photo = formats.open_photo(still, LIMITS)
        if audit.walk(still, photo.name) or photo.metadata():
            raise RuntimeError("a still holds more than its picture")
    whole = series.joined(series.stills)
    if series.taken_apart(whole) != list(series.stills) or len(list(sequence.seen(whole))) != len(series.stills):
        raise RuntimeError("frames do not come apart as they were put together")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little."""
    if len(data) < 20:
        data = SEEDS[seed % len(SEEDS)]
    return atheris.Mutate(data, max_size)


SEEDS = seeds()

if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
