"""The copy shows what the photo shows: the right picture of its file, the right way up, in its colours."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms

from medimg.api import Scrubber
from medimg.policy import Policy
from medimg.types import Report

SCRUBBER = Scrubber(msgspec.structs.replace(Policy.load(), scope="metadata-only"))
RNG = np.random.default_rng(11)


def cleaned(data: bytes) -> tuple[bytes, Report]:
    done = SCRUBBER.scrub(data)
    return done.data or b"", done.report


def shades(width: int, height: int) -> np.ndarray:
    return RNG.integers(0, 255, (height, width, 3)).astype(np.uint8)


# -- TIFF: which directory is the picture ------------------------------------------------------------------------------

Directory = tuple[np.ndarray, dict[int, tuple[int, int]], int]
"""Pixels, further fields (type, value), how many of the directories that follow are its SubIFDs."""


def book(order: str, *directories: Directory) -> bytes:
    """An uncompressed TIFF; directories that are no SubIFD of one before follow each other as pages."""
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link, pending = 4, 0
    slots: list[int] = []
    for pixels, more, subs in directories:
        height, width = pixels.shape[:2]
        strip = len(out)
        out += pixels.tobytes() + bytes(pixels.size % 2)
        bits = len(out)
        out += struct.pack(f"{order}3H", 8, 8, 8) + bytes(2)
        numbers = {256: (3, width), 257: (3, height), 259: (3, 1), 262: (3, 2), 273: (4, strip), 277: (3, 3),
                   278: (3, height), 279: (4, pixels.size), **more}  # fmt: skip
        entries = {}
        for tag, (kind, value) in numbers.items():
            wide = struct.pack(f"{order}I" if kind == 4 else f"{order}Hxx", value)
            entries[tag] = struct.pack(f"{order}HHI", tag, kind, 1) + wide
        entries[258] = struct.pack(f"{order}HHII", 258, 3, 3, bits)
        table = len(out) + len(out) % 2
        if subs:
            entries[330] = struct.pack(f"{order}HHII", 330, 4, subs, 0)
        out += bytes(len(out) % 2) + struct.pack(f"{order}H", len(entries))
        at = {tag: len(out) + 12 * k for k, tag in enumerate(sorted(entries))}
        out += b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
        if pending:
            struct.pack_into(f"{order}I", out, slots.pop(0), table)
            pending -= 1
        else:
            struct.pack_into(f"{order}I", out, link, table)
            link = len(out) - 4
        if subs:
            places = at[330] + 8
            if subs > 1:
                struct.pack_into(f"{order}I", out, places, len(out))
                places = len(out)
                out += bytes(4 * subs)
            slots, pending = [places + 4 * k for k in range(subs)], subs
    return bytes(out)


PHOTO, THUMB, OTHER = shades(96, 64), shades(24, 16), shades(40, 40)
SMALLER, WHOLE = {254: (4, 1)}, {254: (4, 0)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "directories",
    [
        [(THUMB, SMALLER, 0), (PHOTO, WHOLE, 0)],
        [(THUMB, SMALLER, 0), (PHOTO, {}, 0)],
        [(THUMB, {255: (3, 2)}, 0), (PHOTO, {255: (3, 1)}, 0)],
        [(THUMB, {}, 0), (PHOTO, {}, 0)],
        [(THUMB, SMALLER, 1), (PHOTO, WHOLE, 0)],
        [(THUMB, SMALLER, 2), (OTHER, SMALLER, 0), (PHOTO, WHOLE, 0)],
        [(THUMB, SMALLER, 1), (PHOTO, WHOLE, 0), (OTHER, SMALLER, 0)],
        [(PHOTO, WHOLE, 1), (OTHER, SMALLER, 0)],
        [(OTHER, {254: (4, 4)}, 0), (PHOTO, WHOLE, 0)],
    ],
    ids=["page", "page without a kind", "old kind", "no kind", "SubIFD", "second SubIFD", "SubIFD and page",
         "photo first", "mask first"],
)  # fmt: skip
def test_the_copy_is_the_photo_and_not_its_thumbnail(order: str, directories: list[Directory]) -> None:
    copy, report = cleaned(book(order, *directories))
    assert report.copy is not None, report.reason
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(copy))), PHOTO)
    assert "frames-dropped" in report.copy.notes
    assert sum(f.count for f in report.findings if f.kind == "hidden-image") == len(directories) - 1


def test_the_first_page_of_a_document_is_the_picture() -> None:
    page = {254: (4, 2)}
    copy, _ = cleaned(book("<", (THUMB, page, 0), (PHOTO, page, 0)))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(copy))), THUMB)


def test_a_thumbnail_alone_is_no_copy_of_the_photo() -> None:
    data = bytearray(book("<", (THUMB, SMALLER, 1), (PHOTO, WHOLE, 0)))
    at = data.index(struct.pack("<HHI", 330, 4, 1)) + 8
    struct.pack_into("<I", data, at, len(data) + 100)
    copy, report = cleaned(bytes(data))
    assert (copy, report.state) == (b"", "refused")
    assert "thumbnail" in report.reason


def test_a_copy_says_that_it_is_the_whole_picture() -> None:
    for data in (book("<", (PHOTO, {}, 0)), book(">", (PHOTO, {}, 0))):
        copy, _ = cleaned(data)
        with Image.open(io.BytesIO(copy)) as shown:
            assert shown.tag_v2.get(254) == 0  # type: ignore[attr-defined]


def test_a_description_that_stands_twice_goes() -> None:
    first = book("<", (PHOTO, {270: (4, 0x31313131), 271: (4, 0x32323232)}, 0))
    twice = first.replace(struct.pack("<HHI", 271, 4, 1), struct.pack("<HHI", 270, 4, 1))
    copy, report = cleaned(twice)
    assert report.state == "unreviewed", report.reason
    assert b"1111" not in copy
    assert b"2222" not in copy


# -- which way up ------------------------------------------------------------------------------------------------------


def block(order: str, *fields: tuple[int, int, int, bytes]) -> bytes:
    """An EXIF block of fields (tag, type, count, value)."""
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(fields))
    rest, at = b"", 14 + 12 * len(fields)
    for tag, kind, count, raw in sorted(fields):
        value = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", at + len(rest))
        rest += raw if len(raw) > 4 else b""
        out += struct.pack(f"{order}HHI", tag, kind, count) + value
    return out + bytes(4) + rest


def saved(name: str, pixels: np.ndarray, exif: bytes) -> bytes:
    out = io.BytesIO()
    picture = Image.fromarray(pixels)
    options = {"lossless": True} if name == "WEBP" else {}
    picture.save(out, name, exif=b"Exif\0\0" + exif, **options)
    return out.getvalue()


TYPES = {
    "BYTE": (1, "B"),
    "SHORT": (3, "H"),
    "LONG": (4, "I"),
    "SBYTE": (6, "b"),
    "SSHORT": (8, "h"),
    "SLONG": (9, "i"),
}


def orientation_of(copy: bytes) -> int:
    with Image.open(io.BytesIO(copy)) as shown:
        return int(shown.getexif().get(0x112, 1))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_orientation_of_any_whole_number_type_stays(name: str, kind: str, count: int, order: str) -> None:
    number, code = TYPES[kind]
    value = struct.pack(f"{order}{count}{code}", *[6] * count)
    data = saved(name, PHOTO, block(order, (0x112, number, count, value), (0x110, 2, 7, b"Model7\0")))
    copy, report = cleaned(data)
    assert report.state == "unreviewed", report.reason
    assert orientation_of(copy) == 6


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", TYPES)
def test_orientation_of_any_whole_number_type_stays_in_tiff(kind: str, order: str) -> None:
    number, code = TYPES[kind]
    data = bytearray(book(order, (PHOTO, {274: (4, 0)}, 0)))
    at = data.index(struct.pack(f"{order}HHI", 274, 4, 1))
    struct.pack_into(f"{order}HHI4s", data, at, 274, number, 1, struct.pack(f"{order}{code}", 6).ljust(4, b"\0"))
    copy, report = cleaned(bytes(data))
    assert report.state == "unreviewed", report.reason
    assert orientation_of(copy) == 6


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_a_value_that_is_no_orientation_turns_nothing(value: int) -> None:
    copy, _ = cleaned(saved("JPEG", PHOTO, block("<", (0x112, 4, 1, struct.pack("<I", value)))))
    assert orientation_of(copy) == 1


def segment(exif: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif


def plain_jpeg() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PHOTO).save(out, "JPEG", quality=90)
    return out.getvalue()


SIX, EIGHT = (block("<", (0x112, 3, 1, struct.pack("<H", v))) for v in (6, 8))
SILENT = block("<", (0x13B, 2, 7, b"Nobody\0"))


@pytest.mark.parametrize("blocks", [[SIX, SILENT], [SILENT, SIX], [SIX, SIX]])
def test_a_second_block_without_orientation_contradicts_nothing(blocks: list[bytes]) -> None:
    data = plain_jpeg()
    copy, report = cleaned(data[:2] + b"".join(map(segment, blocks)) + data[2:])
    assert report.state == "unreviewed", report.reason
    assert orientation_of(copy) == 6


def test_two_orientations_are_refused() -> None:
    data = plain_jpeg()
    _, report = cleaned(data[:2] + segment(SIX) + segment(EIGHT) + data[2:])
    assert report.state == "refused"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def plain_png(before: bytes = b"", after: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.fromarray(PHOTO).save(out, "PNG")
    data = out.getvalue()
    first, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    return data[:first] + before + data[first:end] + after + data[end:]


def test_orientation_behind_the_picture_of_a_png_counts() -> None:
    copy, _ = cleaned(plain_png(after=chunk(b"eXIf", SIX)))
    assert orientation_of(copy) == 6
    assert copy.index(b"eXIf") < copy.index(b"IDAT")


def test_orientation_that_xmp_alone_states_turns_nothing() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    data = plain_png(before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    copy, report = cleaned(data)
    assert "xmp" in report.counts("metadata")
    assert orientation_of(copy) == 1


# -- colours -----------------------------------------------------------------------------------------------------------


def dcf(space: int = 0xFFFF, index: bytes = b"R03\0") -> bytes:
    """Colour space as DCF cameras state it: IFD0 -> Exif -> interoperability."""
    head = struct.pack(">IHHHIIHHIII", 8, 2, 0x110, 2, 4, 0x41424300, 0x8769, 4, 1, 38, 0)
    exif = struct.pack(">HHHIHHHHIII", 2, 0xA001, 3, 1, space, 0, 0xA005, 4, 1, 68, 0)
    return b"MM\0*" + head + exif + struct.pack(">HHHI4sI", 1, 1, 2, 4, index, 0)


def of_kind(name: str, exif: bytes) -> bytes:
    red = np.full((48, 64, 3), (170, 40, 45), np.uint8)
    if name != "TIFF":
        return saved(name, red, exif) if name != "AVIF" else unspecified(saved("AVIF", red, exif))
    # The block is a TIFF itself: its directory gets the fields of the picture, its Exif directory stays where it is.
    data = bytearray(book(">", (red, {0x8769: (4, 0)}, 0)))
    at = len(data)
    struct.pack_into(">I", data, data.index(struct.pack(">HHI", 0x8769, 4, 1)) + 8, at)
    space, index = struct.unpack(">H", exif[48:50])[0], exif[78:82]
    data += struct.pack(">HHHIHHHHIII", 2, 0xA001, 3, 1, space, 0, 0xA005, 4, 1, at + 30, 0)
    return bytes(data + struct.pack(">HHHI4sI", 1, 1, 2, 4, index, 0))


def unspecified(avif: bytes) -> bytes:
    """Without a statement about colours, as cameras with Adobe RGB leave it."""
    at = avif.index(b"nclx") + 4
    return avif[:at] + struct.pack(">HH", 2, 2) + avif[at + 4 :]


def profile_of(copy: bytes) -> bytes:
    with Image.open(io.BytesIO(copy)) as shown:
        return bytes(shown.info.get("icc_profile") or b"")


CARRIERS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]


@pytest.mark.parametrize("name", CARRIERS)
@pytest.mark.parametrize("said", [(0xFFFF, b"R03\0"), (2, b"R98\0")], ids=["R03", "space 2"])
def test_adobe_rgb_that_exif_alone_states_becomes_a_profile(name: str, said: tuple[int, bytes]) -> None:
    copy, report = cleaned(of_kind(name, dcf(*said)))
    assert report.state == "unreviewed", report.reason
    profile = profile_of(copy)
    assert profile, "the copy says nothing of its colours"
    described = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    assert ImageCms.getProfileDescription(described).strip() == "Adobe RGB compatible"
    pixel = Image.new("RGB", (1, 1), (170, 40, 45))
    shown = ImageCms.profileToProfile(pixel, described, ImageCms.createProfile("sRGB"))
    assert shown is not None
    # By the published matrices of both spaces: (198, 35, 41).
    assert np.abs(np.array(shown.getpixel((0, 0))) - (198, 35, 41)).max() <= 1
    again, second = cleaned(copy)
    assert again == copy
    assert not second.findings


@pytest.mark.parametrize("name", CARRIERS)
def test_srgb_that_exif_states_adds_no_profile(name: str) -> None:
    copy, _ = cleaned(of_kind(name, dcf(1, b"R98\0")))
    assert profile_of(copy) == b""


def test_a_profile_is_stronger_than_exif() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    Image.fromarray(PHOTO).save(out, "JPEG", exif=b"Exif\0\0" + dcf(), icc_profile=own)
    copy, _ = cleaned(out.getvalue())
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile_of(copy)))).strip() == "sRGB"


# -- parts that are left out anyway ------------------------------------------------------------------------------------


def avif() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PHOTO).save(out, "AVIF", quality=80)
    return out.getvalue()


def jp2() -> bytes:
    out = io.BytesIO()
    Image.fromarray(PHOTO).save(out, "JPEG2000")
    return out.getvalue()


@pytest.mark.parametrize("made", [avif, jp2])
@pytest.mark.parametrize(
    "rest", [b"\n</x:xmpmeta>\n\n", b"Q", b"\xff\xd8\xff\xe0 an older photo \xff\xd9", b"PK\3\4zipped"]
)
def test_bytes_behind_the_last_box_are_cut_and_reported(made: Callable[[], bytes], rest: bytes) -> None:
    data = made()
    copy, report = cleaned(data + rest)
    assert report.state == "unreviewed", report.reason
    assert copy == cleaned(data)[0]
    assert [f for f in report.findings if f.where == "after the last box"]


def test_a_box_that_is_cut_off_is_still_refused() -> None:
    data = avif()
    assert cleaned(data[:-40])[1].state == "refused"


@pytest.mark.parametrize("kind", [b"tEXt", b"pHYs", b"gAMA", b"prVt"])
def test_a_wrong_checksum_in_a_chunk_that_is_left_out_matters_to_nobody(kind: bytes) -> None:
    bad = bytearray(chunk(kind, b"Author\0nobody"))
    bad[-1] ^= 0x55
    copy, report = cleaned(plain_png(before=bytes(bad)))
    assert report.state == "unreviewed", report.reason
    assert kind not in copy
    assert "unknown-block" in report.counts("metadata")


def test_a_wrong_checksum_in_the_picture_is_refused() -> None:
    data = bytearray(plain_png())
    data[data.index(b"IDAT") + 40] ^= 1
    assert cleaned(bytes(data))[1].state == "refused"
