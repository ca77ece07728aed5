"""Fuzz the DICOM reader and writer: ``python tests/fuzz/fuzz_dicom.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris
import numpy as np
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

sys.path.insert(0, str(Path(__file__).parents[1]))
import dicom_kit as kit

PARTS = ("_header", "_pixels", "_read", "_tags", "_text", "_write")

with atheris.instrument_imports(include=["medimg"]):
    from medimg import audit, formats
    from medimg.errors import MedimgError
    from medimg.types import Box, Cover, Limits

    formats.load("dicom")  # loaded here, so that they are watched
    importlib.import_module("medimg.audit.dicom")
    for _name in PARTS:
        importlib.import_module(f"medimg.formats.dicom.{_name}")

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)
COVER = (Cover(polygon=Box(1, 1, 4, 3).polygon, category="name"),)


def seeds() -> list[bytes]:
    small, grey = kit.picture()[:16, :16], kit.picture(1, 12)[:12, :10]
    rle = kit.dataset(grey, stored=12, of=kit.CAPTURE)
    rle.compress(RLELossless, generate_instance_uid=False)
    return [
        kit.photograph(pixels=small, exif=False),
        kit.saved(kit.dataset(small)),
        kit.saved(kit.dataset(small, syntax=ImplicitVRLittleEndian)),
        kit.saved(kit.dataset(grey, stored=12, of=kit.CAPTURE, syntax=ExplicitVRBigEndian)),
        kit.saved(kit.dataset(grey, stored=12, of=kit.WORDS, frames=2)),
        kit.jpeg2000(small),
        kit.saved(rle),
    ]


def one(data: bytes) -> None:
    if data[128:132] != b"DICM":
        return
    try:
        photo = formats.load("dicom").open(data, LIMITS)
        photo.metadata()
        photo.values()
        samples = photo.samples()
        photo.views()
        copies = [photo.write(), photo.write(COVER), photo.write(crop=Box(0, 0, 8, 8))]
    except MedimgError:
        return
    for copy in copies:
        strays = audit.walk(copy.data, copy.format)
        left = formats.open_photo(copy.data, LIMITS).metadata()
        if strays or left:
            raise RuntimeError(f"left: {strays} {left}")
    if not np.array_equal(formats.open_photo(copies[0].data, LIMITS).samples(), samples):
        raise RuntimeError("the picture changed")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little; the mark stays."""
    if len(data) < 140:
        data = SEEDS[seed % len(SEEDS)]
    data = atheris.Mutate(data, max_size)
    return data[:128].ljust(128, b"\0") + b"DICM" + data[132:]


SEEDS = seeds()

if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
