"""What every format promises. Every file is made here."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from tiff_kit import build

from benchmarks.formats import coded
from medimg import audit, formats
from medimg.errors import MedimgError, NotAPicture, Unsupported
from medimg.pipeline import MemorySink, scrub
from medimg.policy import MetadataRules, Policy
from medimg.selftest import hiding, hiding_tables
from medimg.types import Box, Cover, Limits

LIMITS = Limits()
POLICY = Policy(scope="metadata-only")
CASES = list(hiding_tables.all_cases())
ENCODERS = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 0}), "png": ("PNG", {}), "heif": ("AVIF", {"quality": 95}),
    "tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}), "webp": ("WEBP", {"lossless": True}), "gif": ("GIF", {}),
    "bmp": ("BMP", {}), "jp2": ("JPEG2000", {"irreversible": False}),
}  # fmt: skip
DECODED = ("gif", "bmp", "jp2")
"""Formats that become a PNG of their samples."""
EVERY = pytest.mark.parametrize("name", list(ENCODERS))


def sample(name: str, **options: object) -> bytes:
    kind, usual = ENCODERS[name]
    return hiding.saved(hiding.picture(), kind, **usual, **options)


def opened(data: bytes) -> formats.Opened:
    return formats.open_photo(data, LIMITS)


# -- every hiding place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[f"{c.format}: {c.place}" for c in CASES])
def test_what_is_hidden_is_named_and_gone_and_the_picture_stays(case: hiding.Case) -> None:
    photo, sink = opened(case.data), MemorySink()
    assert photo.metadata()
    report = scrub(case.data, sink, [], POLICY)
    assert report.state == "unreviewed", report.reason
    copy = sink.data
    for coding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert hiding.MARK.decode().encode(coding) not in copy
    again = opened(copy)
    assert again.metadata() == []
    assert audit.walk(copy, again.name) == []
    assert np.array_equal(again.samples(), photo.samples())
    assert (again.width, again.height, again.orientation) == (photo.width, photo.height, photo.orientation)
    if "palette" not in case.place and "alpha" not in case.place and "frames" not in case.place:
        assert copy == opened(case.plain).write().data
        assert report.copy is not None
        as_it_was = report.copy.method == "segment-copy"
        assert as_it_was or photo.name not in ("jpeg", "heif")
        assert not as_it_was or coded(case.plain, photo.name) in copy


def test_every_format_has_hiding_places() -> None:
    assert {opened(c.data).name for c in CASES} == set(ENCODERS)


# -- what a format declares -------------------------------------------------------------------------------------------


def test_a_format_declares_its_name_and_media_types() -> None:
    doors = [formats.load(name) for name in formats.FORMATS]
    assert [d.NAME for d in doors] == list(formats.FORMATS)
    every = [suffix for door in doors for suffix in door.MEDIA_TYPES]
    assert len(set(every)) == len(every)
    assert all(s == s.lower() and s.startswith(".") for s in every)
    assert formats.media_types()[".jpg"] == "image/jpeg"
    assert formats.media_types()[".dcm"] == "application/dicom"


def test_every_format_that_can_be_written_has_an_audit() -> None:
    assert set(formats.written()) == set(audit.AUDITS)


@EVERY
@pytest.mark.parametrize("covers", [(), (Cover(polygon=Box(17, 9, 39, 26).polygon, category="name"),)])
def test_a_copy_is_of_a_format_that_was_declared(name: str, covers: tuple[Cover, ...]) -> None:
    copy = opened(sample(name)).write(covers)
    assert copy.format in formats.load("raster" if name in DECODED else name).WRITES
    assert copy.suffix in formats.load(copy.format).MEDIA_TYPES


# -- the contract -----------------------------------------------------------------------------------------------------


@EVERY
def test_content_decides_and_only_one_format_claims_it(name: str) -> None:
    head = sample(name)[: formats.HEAD]
    family = "raster" if name in DECODED else name
    assert [n for n in formats.FORMATS if formats.load(n).sniff(head)] == [family]
    assert (opened(sample(name)).name, formats.load(family).NAME) == (name, family)
    assert not any(formats.load(n).sniff(b"") for n in formats.FORMATS)


@EVERY
def test_the_copy_of_a_copy_is_the_copy(name: str) -> None:
    photo = opened(sample(name))
    copy = photo.write()
    again = opened(copy.data)
    assert (again.metadata(), audit.walk(copy.data, copy.format)) == ([], [])
    assert again.write().data == copy.data
    assert copy.lossless
    assert np.array_equal(again.samples(), photo.samples())
    with Image.open(io.BytesIO(photo.data)) as before, Image.open(io.BytesIO(copy.data)) as after:
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))


@EVERY
def test_covers_are_exact(name: str) -> None:
    photo = opened(sample(name))
    copy = photo.write((Cover(polygon=Box(17, 9, 39, 26).polygon, category="name"),))
    assert audit.walk(copy.data, copy.format) == []
    again = opened(copy.data)
    assert again.metadata() == []
    before, after = photo.samples(), again.samples()
    touched = np.zeros(before.shape[:2], bool)
    near = touched.copy()
    for polygon in copy.covered:
        xs, ys = [int(p[0]) for p in polygon], [int(p[1]) for p in polygon]
        touched[min(ys) : max(ys), min(xs) : max(xs)] = True
        f = copy.fringe
        near[max(0, min(ys) - f) : max(ys) + f, max(0, min(xs) - f) : max(xs) + f] = True
    assert touched[9:26, 17:39].all()
    assert not near.all()
    assert np.array_equal(before[~near], after[~near])
    assert len(np.unique(after[touched].reshape(int(touched.sum()), -1), axis=0)) == 1


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff", "webp", "heif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_stays_what_viewers_apply(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = hiding.MARK.decode()
    photo = opened(sample(name, exif=exif))
    copy = photo.write()
    with Image.open(io.BytesIO(photo.data)) as before, Image.open(io.BytesIO(copy.data)) as after:
        first, second = ImageOps.exif_transpose(before), ImageOps.exif_transpose(after)
        assert first.size == second.size
        assert np.array_equal(np.asarray(first), np.asarray(second))
    assert opened(copy.data).orientation == photo.orientation == copy.orientation
    assert hiding.MARK not in copy.data


@EVERY
def test_what_is_cut_off_is_refused_or_harmless(name: str) -> None:
    data = sample(name)
    for cut in sorted({*range(0, min(len(data), 260), 7), *range(0, len(data), max(1, len(data) // 40))}):
        try:
            copy = opened(data[:cut]).write()
        except MedimgError:
            continue
        assert audit.walk(copy.data, copy.format) == [], cut
        assert opened(copy.data).metadata() == [], cut


@EVERY
def test_zero_bytes_are_refused(name: str) -> None:
    data = sample(name)
    for hurt in (b"", bytes(4096), data[:16] + bytes(len(data) - 16), bytes(16) + data[16:]):
        with pytest.raises(MedimgError):
            opened(hurt).write()
    with pytest.raises((NotAPicture, Unsupported)):
        opened(bytes(4096))


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def claims() -> dict[str, bytes]:
    """Small files that claim gigabytes."""
    out = {"jpeg: 65500 x 65500": sample("jpeg")}
    at = out["jpeg: 65500 x 65500"].index(b"\xff\xc0")
    out["jpeg: 65500 x 65500"] = _patched(sample("jpeg"), at + 5, struct.pack(">HH", 65500, 65500))
    header = struct.pack(">IIBBBBB", 50000, 50000, 8, 2, 0, 0, 0)
    out["png: 50000 x 50000"] = sample("png")[:8] + hiding.chunk(b"IHDR", header) + sample("png")[33:]
    out["png: a chunk of 2 GB"] = _patched(sample("png"), sample("png").index(b"IDAT") - 4, b"\x7f\xff\xff\xff")
    out["gif: 65500 x 65500"] = _patched(sample("gif"), 6, struct.pack("<HH", 65500, 65500))
    out["jp2: 4 billion across"] = _patched(sample("jp2"), sample("jp2").index(b"\xff\x51") + 6, b"\xff\xff\xff\xff")
    out["bmp: 50000 x 50000"] = _patched(sample("bmp"), 18, struct.pack("<ii", 50000, 50000))
    out["webp: a chunk of 4 GB"] = _patched(sample("webp"), 16, b"\xf0\xff\xff\xff")
    extended = b"VP8X" + struct.pack("<II", 10, 0) + b"\xff\xff\xff" * 2
    plain = sample("webp")[12:]
    out["webp: 16 million across"] = b"RIFF" + struct.pack("<I", 22 + len(plain)) + b"WEBP" + extended + plain
    fields = {256: 70000, 257: 70000, 258: 8, 262: 1, 277: 1, 278: 70000}
    packed = {tag: (4, struct.pack("<I", value)) for tag, value in fields.items()}
    out["tiff: 70000 x 70000"] = build("<", packed, [b"x"])
    one = build("<", packed | {256: (4, b"\x08\0\0\0"), 257: (4, b"\1\0\0\0")}, [b"x" * 8])
    at = one.index(struct.pack("<HHI", 279, 4, 1)) + 8
    out["tiff: a strip of 4 GB"] = _patched(one, at, b"\xf0\xff\xff\xff")
    avif = sample("heif")
    at = avif.index(b"ispe") + 8
    out["heif: 65500 x 65500"] = _patched(avif, at, struct.pack(">II", 65500, 65500))
    out["heif: a box of 5 GB"] = avif[:32] + struct.pack(">I4sQ", 1, b"meta", 5 << 30) + avif[40:]
    return out


@pytest.mark.parametrize("which", list(claims()))
def test_a_small_file_that_claims_gigabytes_is_refused_in_little_memory(which: str) -> None:
    data = claims()[which]
    for name in formats.FORMATS:
        formats.load(name)
    tracemalloc.start()
    try:
        with pytest.raises(MedimgError):
            opened(data).write((Cover(polygon=Box(0, 0, 4, 4).polygon, category="name"),))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_no_imaging_library_is_loaded_by_reading_metadata() -> None:
    program = (
        "import sys, medimg.pipeline, medimg.audit\n"
        "from medimg import formats\n"
        "from medimg.formats import refused\n"
        "for name in formats.FORMATS:\n"
        "    formats.load(name)\n"
        "from medimg.formats.raster import _bmp, _gif, _jp2\n"
        "for name in medimg.audit.AUDITS:\n"
        "    __import__('medimg.audit.' + name)\n"
        "print(sorted({'numpy', 'PIL', 'cv2', 'pi_heif'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("place", ["further frames", "further pages", "further frames (APNG)", "further frames, XMP"])
def test_kept_frames_speak_no_more_than_one(place: str) -> None:
    for case in (c for c in CASES if c.place == place):
        policy = Policy(scope="metadata-only", metadata=MetadataRules(keep_frames=True))
        sink = MemorySink()
        report = scrub(case.data, sink, [], policy)
        assert report.state == "unreviewed", (case.format, report.reason)
        assert opened(sink.data).frames == opened(case.data).frames > 1
        assert hiding.MARK not in sink.data


# -- real files -------------------------------------------------------------------------------------------------------


def test_real_files_are_released_or_refused_with_a_reason(corpus: Callable[[str], list[Path]]) -> None:
    for path in (p for p in corpus("*") if p.suffix not in (".md", ".json")):
        sink = MemorySink()
        report = scrub(path.read_bytes(), sink, [], POLICY)
        assert report.state in ("unreviewed", "refused"), path.name
        assert bool(sink.data) == (report.state == "unreviewed")
        assert "unexpectedly" not in report.reason
        assert report.reason or sink.data
