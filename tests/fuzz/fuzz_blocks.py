"""Fuzz readers that several formats use: ``python tests/fuzz/fuzz_blocks.py -max_total_time=600`` (needs atheris).

EXIF, XMP, image resources and IPTC, colour profiles, the boxes of HEIF, GIF's code streams, what recognises refused
files, and the searches of coded JPEG data. A reader ends, raises nothing but an error of ours, and gives a bounded
list; a rebuilt profile passes the audit and is its own copy; what was packed unpacks to the same; the compiled searches
find what a regular expression finds.
"""

from __future__ import annotations

import importlib
import re
import struct
import sys
from collections.abc import Callable

import atheris
from PIL import ImageCms

PARTS = (*(f"shared.{n}" for n in ("bmff", "exif", "icc", "iptc", "xmp")), "capture", "refused")

with atheris.instrument_imports(include=["medimg.formats", "medimg.audit", "medimg.formats.jpeg.markers"]):
    from medimg.audit import icc as icc_audit
    from medimg.errors import MedimgError
    from medimg.formats.jpeg import markers

    bmff, exif, icc, iptc, xmp, capture, refused = (importlib.import_module(f"medimg.formats.{n}") for n in PARTS)

MOST_FINDINGS = 500


def in_exif(data: bytes) -> None:
    exif.orientation(data)
    list(exif.fields(data))
    capture.taken(data)
    bounded(exif.findings(data, "block"))


def in_resources(data: bytes) -> None:
    bounded(iptc.irb(data, "block"))
    bounded(iptc.iim(data, "block"))


def in_profile(data: bytes) -> None:
    bounded(icc.findings(data, "block"))
    made = icc.clean(data)
    if made is not None and (icc_audit.strays(made) or icc.clean(made) != made):
        raise RuntimeError("a rebuilt profile is not accepted")


def in_boxes(data: bytes) -> None:
    for box in bmff.boxes(data, 0, len(data)):
        if not 0 <= box.start <= box.end <= len(data):
            raise RuntimeError("a box stands outside its file")


def in_coded(data: bytes) -> None:
    for restarts, codes in ((False, rb""), (True, rb"\xd0-\xd7")):
        coded = rb"[\0" + codes + rb"]"
        found = re.compile(rb"\xff" + coded.replace(b"[", b"[^"), re.DOTALL).search(data, 1)
        if markers.next_marker(data, 1, restarts=restarts) != (found.start() if found else -1):
            raise RuntimeError("the search differs")


READERS: tuple[Callable[[bytes], object], ...] = (
    in_exif, in_resources, in_profile, in_boxes, in_coded, refused.recognise,
    lambda data: bounded(xmp.findings(data, "block")),
)  # fmt: skip


def bounded(found: list[object]) -> None:
    if len(found) > MOST_FINDINGS:
        raise RuntimeError("too many findings")


def seeds() -> list[bytes]:
    entries = ((0x0112, 3, 1, 6), (0x8769, 4, 1, 8), (0x8825, 4, 1, 50), (0x013B, 2, 4, 0x61626364), (0x927C, 7, 9, 60))
    blocks = [
        mark + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(struct.pack(f"{order}HHII", *e) for e in entries)
        + bytes(4) + b"2024:01:02 03:04:05\0"
        for mark, order in ((b"II*\0", "<"), (b"MM\0*", ">"))
    ]  # fmt: skip
    irb = b"8BIM\x04\x04\0\0" + struct.pack(">I", 8) + b"\x1c\x02\x50\0\3abc" + b"8BIM\x04\x0c\0\0\0\0\0\0"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    boxes = struct.pack(">I4s4sI4s", 20, b"ftyp", b"heic", 0, b"mif1") + struct.pack(">I4sQ", 1, b"mdat", 16)
    packet = b"<x:xmpmeta><dc:creator><rdf:li>name</rdf:li></dc:creator><exif:GPSLatitude>1</exif:GPSLatitude>"
    coded = b"\0\1\2\xff\0abcdefgh\xff\xd0\xff\xff\xd9"
    first = (*((0, b) for b in blocks), (1, irb), (2, srgb), (2, lab), (3, boxes))
    return [bytes((k,)) + b for k, b in (*first, (4, coded), (5, boxes), (5, blocks[0]), (5, b"PK\3\4"), (6, packet))]


def one(data: bytes) -> None:
    if len(data) < 4:
        return
    try:
        READERS[data[0] % len(READERS)](data[1:])
    except MedimgError:
        return


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Now and then start from a seed; mostly leave the byte that chooses the reader alone."""
    if len(data) < 8 or not seed % 100:
        data = SEEDS[seed % len(SEEDS)]
    if seed % 10:
        return data[:1] + bytes(atheris.Mutate(data[1:], max_size - 1))
    return bytes(atheris.Mutate(data, max_size))


SEEDS = seeds()

if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
