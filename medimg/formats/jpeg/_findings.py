"""What a JPEG holds besides its picture, by kind, count and place; no value is quoted."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

import msgspec

from medimg.formats.jpeg._segments import APP0, APP15, COM, Jpeg
from medimg.formats.shared import exif, icc, iptc, xmp
from medimg.types import Finding
from medimg.vocabulary import Category, Kind

DETECTOR = "jpeg reader"

EXIF, XMP, XMP_MORE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
ICC, IRB, JFIF, ADOBE, MPF = b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"JFIF\0", b"Adobe", b"MPF\0"
PICTURE = b"\xff\xd8\xff"

# (APPn, beginning) -> kind, category, name in the path (ExifTool's list of JPEG segments; CIPA DC-007 for MPF; ISO/IEC
# 19566-5 for JUMBF; ISO 21496-1 for gain maps). What is not listed is an unknown block.
VENDORS: tuple[tuple[int, bytes, Kind, str, str], ...] = (
    (0, b"JFXX\0", Kind.HIDDEN_IMAGE, Category.THUMBNAIL, "JFXX"),
    (0, b"AVI1", Kind.METADATA, Category.DEVICE, "AVI1"),
    (1, b"FLIR\0", Kind.HIDDEN_IMAGE, Category.THERMAL_IMAGE, "FLIR"),
    (1, b"QVCI\0", Kind.METADATA, Category.MAKER_NOTE, "QVCI"),
    (1, b"PARROT\0", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE, "Parrot"),
    (2, b"FPXR\0", Kind.METADATA, Category.UNKNOWN_BLOCK, "FlashPix"),
    (2, b"urn:iso:std:iso:ts:21496", Kind.METADATA, Category.GAIN_MAP, "ISO 21496-1"),
    (3, b"Meta\0", Kind.METADATA, Category.DEVICE, "Meta"),
    (3, b"META\0", Kind.METADATA, Category.DEVICE, "Meta"),
    (3, b"Stim\0", Kind.METADATA, Category.STEREO, "Stim"),
    (3, b"_JPSJPS_", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE, "JPS"),
    (4, b"Scalado", Kind.METADATA, Category.SOFTWARE, "Scalado"),
    (5, b"ssuniqueid\0", Kind.METADATA, Category.ID, "Samsung"),
    (5, b"RMETA\0", Kind.METADATA, Category.DEVICE, "Ricoh"),
    (6, b"GoPro\0", Kind.METADATA, Category.MAKER_NOTE, "GoPro"),
    (6, b"EPPIM\0", Kind.METADATA, Category.DEVICE, "Toshiba"),
    (6, b"NITF\0", Kind.METADATA, Category.UNKNOWN_BLOCK, "NITF"),
    (7, b"PENTAX ", Kind.METADATA, Category.MAKER_NOTE, "Pentax"),
    (7, b"HUAWEI", Kind.METADATA, Category.MAKER_NOTE, "Huawei"),
    (7, b"DJI-DBG\0", Kind.METADATA, Category.MAKER_NOTE, "DJI"),
    (7, b"\x1aQualcomm", Kind.METADATA, Category.DEVICE, "Qualcomm"),
    (8, b"SPIFF\0", Kind.METADATA, Category.DEVICE, "SPIFF"),
    (9, b"Media Jukebox\0", Kind.METADATA, Category.SOFTWARE, "Media Jukebox"),
    (10, b"UNICODE\0", Kind.METADATA, Category.COMMENT, "PhotoStudio"),
    (11, b"JP", Kind.METADATA, Category.CONTENT_CREDENTIAL, "JUMBF"),
    (11, b"HDR_RI", Kind.HIDDEN_IMAGE, Category.GAIN_MAP, "JPEG-HDR"),
    (12, b"Ducky", Kind.METADATA, Category.SOFTWARE, "Ducky"),
    (12, b"OLYMPUS", Kind.METADATA, Category.DEVICE, "PictureInfo"),
    (12, b"[picture info]", Kind.METADATA, Category.DEVICE, "PictureInfo"),
    (12, b"Agfa Gevaert", Kind.METADATA, Category.DEVICE, "PictureInfo"),
    (13, b"Adobe_CM\0", Kind.METADATA, Category.SOFTWARE, "Adobe_CM"),
    (15, b"Q ", Kind.METADATA, Category.SOFTWARE, "GraphicConverter"),
)

# What stands behind the end -> kind, category. Samsung's trailer ends in SEFT.
BEHIND: tuple[tuple[bytes, Kind, str], ...] = (
    (PICTURE, Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    (b"\x89PNG\r\n\x1a\n", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    (b"ftypheic", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    (b"ftyp", Kind.HIDDEN_IMAGE, Category.MOTION_VIDEO),
    (b"moov", Kind.HIDDEN_IMAGE, Category.MOTION_VIDEO),
    (b"SEFT", Kind.METADATA, Category.MAKER_NOTE),
    (b"vivo{", Kind.METADATA, Category.MAKER_NOTE),
    (b"PK\x03\x04", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"Rar!\x1a\x07", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"%PDF-", Kind.METADATA, Category.ATTACHED_DOCUMENT),
)


def findings(jpeg: Jpeg, plain: frozenset[bytes]) -> list[Finding]:
    """Everything that is not structure.

    Args:
        jpeg: The file taken apart.
        plain: Whole segments that a copy would hold as they are.
    """
    seen: dict[tuple[Kind, str, str], Finding] = {}
    for found in _every(jpeg, plain):
        key = (found.kind, found.category, found.where)
        before = seen.get(key)
        if before is not None:
            secret = before.secret or found.secret
            found = msgspec.structs.replace(found, count=before.count + found.count, secret=secret)
        seen[key] = found
    return list(seen.values())


def behind_the_last_block() -> Finding:
    """Bytes inside the coded data that no decoder reads."""
    return _finding(Category.TRAILING_BYTES, "behind the last block")


def past_the_edge() -> Finding:
    """Blocks of the last row or column that no viewer shows, and that are not empty."""
    return _finding(Category.HIDDEN_PIXELS, "past the edge", kind=Kind.HIDDEN_IMAGE)


def _every(jpeg: Jpeg, plain: frozenset[bytes]) -> Iterator[Finding]:
    if jpeg.begin:
        yield _finding(Category.BYTES_BEFORE_START, "before SOI")
    joined: dict[bytes, list[bytes]] = {}
    for part in jpeg.parts:
        if not (APP0 <= part.marker <= APP15 or part.marker == COM):
            continue
        if jpeg.data[part.begin : part.end] in plain:
            plain = plain - {jpeg.data[part.begin : part.end]}  # a second one is none of the copy's
            continue
        yield from _segment(part.marker, jpeg.payload(part), joined)
    yield from _of_joined({beginning: b"".join(parts) for beginning, parts in joined.items()})
    if jpeg.between:
        yield _finding(Category.BYTES_BETWEEN_SEGMENTS, "between segments")
    if jpeg.unused:
        yield _finding(Category.UNUSED_TABLE, "tables", count=jpeg.unused)
    if jpeg.endless:
        yield _finding(Category.NO_END_MARK, "end")
    yield from _behind(memoryview(jpeg.data)[jpeg.end :])


def _of_joined(joined: dict[bytes, bytes]) -> Iterator[Finding]:
    if ICC in joined:
        yield from icc.findings(joined[ICC], "APP2/ICC") or [_finding(Category.COLOUR_PROFILE_TEXT, "APP2/ICC")]
    if IRB in joined:
        yield from iptc.irb(joined[IRB], "APP13/Photoshop")
    if XMP_MORE in joined:
        yield from xmp.findings(joined[XMP_MORE], "APP1/XMP extension")


def _segment(marker: int, payload: bytes, joined: dict[bytes, list[bytes]]) -> Iterator[Finding]:
    number, name = marker - APP0, "COM" if marker == COM else f"APP{marker - APP0}"
    pictures = payload.count(PICTURE)
    for app, beginning, numbering in JOINED:
        if app == number and payload.startswith(beginning):
            joined.setdefault(beginning, []).append(payload[len(beginning) + numbering :])
            pictures = 0 if beginning == IRB else pictures
            break
    else:
        found, own = _read(number, name, payload)
        yield from found
        pictures -= own
    if pictures > 0:
        yield _finding(Category.PREVIEW, name, kind=Kind.HIDDEN_IMAGE, count=pictures)


def _read(number: int, name: str, payload: bytes) -> tuple[list[Finding], int]:
    """What one segment says, and how many of the pictures in it that accounts for."""
    if name == "COM":
        return [msgspec.structs.replace(_finding(Category.COMMENT, name), secret=exif.secret(payload))], 0
    for app, beginning, reader in READERS:
        if app == number and payload.startswith(beginning):
            found = list(reader(payload, name))
            return found, sum(f.count for f in found if f.kind == Kind.HIDDEN_IMAGE) if beginning == EXIF else 0
    for app, beginning, kind, category, vendor in VENDORS:
        if app == number and payload.startswith(beginning):
            return [_finding(category, f"{name}/{vendor}", kind=kind)], int(kind == Kind.HIDDEN_IMAGE)
    return [_finding(Category.UNKNOWN_BLOCK, name)], 0


def _exif(payload: bytes, name: str) -> list[Finding]:
    return exif.findings(payload[len(EXIF) :], f"{name}/Exif") or [_finding(Category.CAMERA_SETTING, f"{name}/Exif")]


def _xmp(payload: bytes, name: str) -> list[Finding]:
    return xmp.findings(payload[len(XMP) :], f"{name}/XMP") or [_finding(Category.XMP, f"{name}/XMP")]


def _adobe(payload: bytes, name: str) -> list[Finding]:
    return [_finding(Category.SOFTWARE if len(payload) <= 12 else Category.UNKNOWN_BLOCK, f"{name}/Adobe")]


def _jfif(payload: bytes, _: str) -> Iterator[Finding]:
    """JFIF 1.02: version, density, an uncompressed thumbnail."""
    if len(payload) < 14 or len(payload) != 14 + 3 * payload[12] * payload[13]:
        yield _finding(Category.UNKNOWN_BLOCK, "APP0/JFIF")
    if len(payload) > 14 and payload[12] * payload[13]:
        yield _finding(Category.THUMBNAIL, "APP0/JFIF", kind=Kind.HIDDEN_IMAGE)
    if payload[7:12] not in (b"\0\0\1\0\1", b"\0\0\0\0\0"):
        yield _finding(Category.RESOLUTION, "APP0/JFIF")


def _multi_picture(payload: bytes, name: str) -> Iterator[Finding]:
    """CIPA DC-007, 5.2: the list of further pictures; they stand behind the end of the first."""
    block, where = payload[len(MPF) :], f"{name}/MPF"
    entries = next((raw for tag, raw in exif.fields(block) if tag == 0xB002), b"")
    listed = 0
    for at in range(16, min(len(entries), 16 * 100) - 15, 16):
        little = block[:2] == b"II"
        (attribute,) = struct.unpack_from("<I" if little else ">I", entries, at)
        category = "gain-map" if attribute & 0xFFFFFF == 0x050000 else "second-image"
        yield _finding(category, where, kind=Kind.HIDDEN_IMAGE)
        listed += 1
    if not listed:
        yield _finding(Category.SECOND_IMAGE, where, kind=Kind.HIDDEN_IMAGE)


JOINED = ((1, XMP_MORE, 40), (2, ICC, 2), (13, IRB, 0))
"""APPn, beginning, and how many bytes number the parts: what is cut into several segments and read as one."""
READERS: tuple[tuple[int, bytes, Callable[[bytes, str], Iterable[Finding]]], ...] = (
    (1, EXIF, _exif),
    (1, XMP, _xmp),
    (2, MPF, _multi_picture),
    (0, JFIF, _jfif),
    (14, ADOBE, _adobe),
)
"""APPn, beginning, and what reads the segment."""


def _behind(rest: memoryview) -> Iterator[Finding]:
    if not rest:
        return
    data = bytes(rest)
    found = False
    seen: set[str] = set()
    for beginning, kind, category in BEHIND:
        if category in seen or beginning not in data:
            continue
        seen.add(category)
        count = data.count(beginning) if beginning == PICTURE else 1
        yield _finding(category, "after EOI", kind=kind, count=count)
        found = True
    if not found and data.rstrip(b"\0").endswith(b"\xff\xd9"):
        # A shorter picture written over a longer file leaves the end of the older one (CVE-2023-21036).
        yield _finding(Category.EARLIER_VERSION, "after EOI", kind=Kind.HIDDEN_IMAGE)
    elif not found:
        yield _finding(Category.TRAILING_BYTES, "after EOI")


def _finding(category: str, where: str, *, kind: Kind = Kind.METADATA, count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR)
