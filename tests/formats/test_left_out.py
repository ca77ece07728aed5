"""Faults and bytes in parts that the copy leaves out: they are gone, and the checks say what they saw."""

from __future__ import annotations

import io
import re
import struct
import zlib

import dicom_kit
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms

from medimg.api import Scrubber
from medimg.formats import open_photo
from medimg.policy import Policy

HIDDEN = b"Amelia Thornbury 1958-02-03"
LIGHT = Scrubber(msgspec.structs.replace(Policy.load(), scope="metadata-only"))


@pytest.fixture(scope="module")
def full() -> Scrubber:
    return Scrubber(Policy.load())


def soft() -> Image.Image:
    y, x = np.mgrid[0:96, 0:128]
    return Image.fromarray(np.dstack((200 - y // 3, 150 + x // 8, 140 + y // 8)).astype(np.uint8))


def jpeg(*, grey: bool = False, **options: object) -> bytes:
    out = io.BytesIO()
    soft().convert("L" if grey else "RGB").save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def too_many_restarts() -> bytes:
    data = jpeg(restart_marker_blocks=8)
    scan = data.index(b"\xff\xda")
    last = re.findall(rb"\xff([\xd0-\xd7])", data[scan:])[-1][0]
    more = b"".join(bytes((0xFF, 0xD0 + (last + k) % 8)) + HIDDEN for k in range(1, 5))
    return data[:-2] + more + data[-2:]


JPEGS = {
    "zeros": jpeg()[:-2] + bytes(5) + b"\xff\xd9",
    "a name": jpeg()[:-2] + HIDDEN + b"\xff\xd9",
    "progressive": jpeg(progressive=True)[:-2] + HIDDEN + b"\xff\xd9",
    "no end": jpeg()[:-2],
    "no end, a trailer": jpeg()[:-2] + bytes(4) + HIDDEN + b"SEFT",
    "half an end": jpeg()[:-1],
    "several passes, no end": jpeg(progressive=True)[:-2],
    "several passes, no end, a trailer": jpeg(progressive=True)[:-2] + bytes(4) + HIDDEN + b"SEFT",
    "several passes, half an end": jpeg(progressive=True)[:-1],
    "several passes, restarts, no end": jpeg(progressive=True, restart_marker_blocks=8)[:-2],
    "grey in several passes, no end": jpeg(progressive=True, grey=True)[:-2],
    "restart markers": too_many_restarts(),
}


@pytest.mark.parametrize("name", JPEGS)
def test_what_stands_behind_the_last_block_of_a_jpeg_is_cut(name: str, full: Scrubber) -> None:
    done = full.scrub(JPEGS[name])
    assert done.report.state == "unreviewed", done.report.reason
    copy = done.data or b""
    assert HIDDEN not in copy
    shown = [np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (jpeg(grey="grey" in name), copy)]
    assert np.array_equal(*shown)
    reported = {f.category for f in done.report.findings}
    assert ("no-end-mark" in reported) == ("no end" in name or "half an end" in name)
    assert "no-end-mark" not in {f.category for f in open_photo(copy, Policy().limits).metadata()}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.98])
def test_a_jpeg_that_is_cut_short_is_refused(full: Scrubber, progressive: bool, share: float) -> None:
    whole = jpeg(progressive=progressive)
    scan = whole.index(b"\xff\xda")
    done = full.scrub(whole[: scan + int(share * (len(whole) - scan))])
    assert (done.data, done.report.state) == (None, "refused")


def test_a_jpeg_whose_last_pass_is_missing_is_refused(full: Scrubber) -> None:
    whole = jpeg(progressive=True)
    done = full.scrub(whole[: whole.rindex(b"\xff\xda")])
    assert (done.data, done.report.state) == (None, "refused")


def test_a_jpeg_with_bytes_behind_its_last_block_does_not_pass(full: Scrubber) -> None:
    states = {c.name: c.state for c in full.verify(JPEGS["a name"])}
    assert states.get("coded-data") == "failed"
    assert "coded-data" not in {c.name for c in full.verify(jpeg())}


@pytest.mark.parametrize("name", JPEGS)
def test_a_metadata_only_run_cuts_it_too(name: str, full: Scrubber) -> None:
    done = LIGHT.scrub(JPEGS[name])
    assert done.data == full.scrub(JPEGS[name]).data
    assert "coded-data" not in {c.name for c in done.report.checks}
    assert {c.name: c.state for c in LIGHT.verify(JPEGS["a name"])}["structure"] == "failed"


@pytest.mark.parametrize("rows", [40, 64])
def test_a_last_strip_filled_up_to_the_length_of_the_others(rows: int) -> None:
    pixels = np.asarray(soft())
    strips = [pixels[y : y + rows] for y in range(0, 96, rows)]
    hidden = np.frombuffer(HIDDEN.ljust((rows - len(strips[-1])) * 128 * 3, b"\0"), np.uint8).reshape(-1, 128, 3)
    packed = [zlib.compress(s.tobytes()) for s in [*strips[:-1], np.concatenate((strips[-1], hidden))]]
    fields = {256: 128, 257: 96, 259: 8, 262: 2, 277: 3, 278: rows}
    table = 10 + 12 * 9
    at = table + 4 + 6 + 2 + 8 * len(packed)
    starts = [at + sum(map(len, packed[:k])) for k in range(len(packed))]
    entries = [struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in fields.items()]
    entries.append(struct.pack("<HHII", 258, 3, 3, table + 4))
    for k, tag in enumerate((273, 279)):
        entries.append(struct.pack("<HHII", tag, 4, len(packed), table + 12 + 4 * len(packed) * k))
    data = (
        b"II*\0\x08\0\0\0" + struct.pack("<H", 9) + b"".join(sorted(entries, key=lambda e: e[1] << 8 | e[0])) + bytes(4)
    )
    data += struct.pack("<4H", 8, 8, 8, 0)
    data += struct.pack(f"<{2 * len(packed)}I", *starts, *map(len, packed)) + b"".join(packed)
    done = LIGHT.scrub(data)
    assert done.report.state == "unreviewed", done.report.reason
    with Image.open(io.BytesIO(done.data or b"")) as shown:
        assert np.array_equal(np.asarray(shown), pixels)
    assert "unknown-block" in done.report.counts("metadata")


@pytest.mark.parametrize(("behind", "where"), [(HIDDEN + b"\0", "pixel data"), (bytes(512), "after the data set")])
def test_padding_behind_the_pixels_of_a_dicom_file(behind: bytes, where: str) -> None:
    data = dicom_kit.photograph()
    if where == "pixel data":
        pixels = dicom_kit.picture()
        data = dicom_kit.saved(dicom_kit.dataset(pixels))
        at = data.rindex(pixels.tobytes()) - 4
        size = struct.unpack("<I", data[at : at + 4])[0]
        data = data[:at] + struct.pack("<I", size + len(behind)) + data[at + 4 :]
    done = LIGHT.scrub(data + behind)
    assert done.report.state == "unreviewed", done.report.reason
    assert HIDDEN not in (done.data or b"")
    assert where in {f.where for f in done.report.findings if f.category == "trailing-bytes"}


# -- colour profiles that name nobody ----------------------------------------------------------------------------------


def profile(colours: tuple[tuple[float, float, float], ...], gamma: int, space: bytes = b"RGB ") -> bytes:
    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, gamma)
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = [(b"wtpt", xyz(0.9642, 1, 0.8249)), *((n, xyz(*c)) for n, c in zip(names, colours, strict=False))]
    tags += [(n, curve) for n in ((b"rTRC", b"gTRC", b"bTRC") if colours else (b"kTRC",))]
    tags.append((b"desc", b"desc\0\0\0\0\0\0\0\x08Dr Chan\0" + bytes(78)))
    head = bytearray(128)
    head[8:10], head[12:24], head[36:40] = b"\2\x10", b"mntr" + space + b"XYZ ", b"acsp"
    head[68:80] = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    at, index = 132 + 12 * len(tags), b""
    for sig, raw in tags:
        index += struct.pack(">4sII", sig, at, len(raw))
        at += len(raw) + -len(raw) % 4
    raw = bytes(head) + struct.pack(">I", len(tags)) + index + b"".join(b + bytes(-len(b) % 4) for _, b in tags)
    return struct.pack(">I", len(raw)) + raw[4:]


ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))


@pytest.mark.parametrize(
    ("icc", "described"),
    [
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), "sRGB"),
        (profile(ADOBE, 563), "Adobe RGB compatible"),
        (profile(ADOBE, 256), "RGB"),
        (profile(PROPHOTO, 461), "RGB"),
        (profile((), 563, b"GRAY"), "Gray"),
    ],
)
def test_a_profile_is_described_as_what_it_is(icc: bytes, described: str) -> None:
    out = io.BytesIO()
    (soft().convert("L") if icc[16:20] == b"GRAY" else soft()).save(out, "JPEG", icc_profile=icc)
    copy = LIGHT.scrub(out.getvalue()).data or b""
    with Image.open(io.BytesIO(copy)) as shown:
        kept = ImageCms.ImageCmsProfile(io.BytesIO(shown.info["icc_profile"]))
    assert ImageCms.getProfileDescription(kept).strip() == described
    assert b"medimg" not in copy.replace(b"\0", b"")
    assert b"Chan" not in copy
