"""What a JPEG holds besides its picture, by kind, count and place; no value is quoted."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from medimg.formats.jpeg._segments import APP0, APP15, COM, Jpeg
from medimg.formats.shared import exif, icc, iptc, xmp
from medimg.types import Finding, Kind

DETECTOR = "jpeg reader"

EXIF, XMP, XMP_MORE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
ICC, IRB, JFIF, ADOBE, MPF = b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"JFIF\0", b"Adobe", b"MPF\0"
PICTURE = b"\xff\xd8\xff"

# (APPn, beginning) -> kind, category, name in the path (ExifTool's list of JPEG segments; CIPA DC-007 for MPF; ISO/IEC
# 19566-5 for JUMBF; ISO 21496-1 for gain maps). What is not listed is an unknown block.
VENDORS: tuple[tuple[int, bytes, Kind, str, str], ...] = (
    (0, b"JFXX\0", "hidden-image", "thumbnail", "JFXX"),
    (0, b"AVI1", "metadata", "device", "AVI1"),
    (1, b"FLIR\0", "hidden-image", "thermal-image", "FLIR"),
    (1, b"QVCI\0", "metadata", "maker-note", "QVCI"),
    (1, b"PARROT\0", "hidden-image", "second-image", "Parrot"),
    (2, b"FPXR\0", "metadata", "unknown-block", "FlashPix"),
    (2, b"urn:iso:std:iso:ts:21496", "metadata", "gain-map", "ISO 21496-1"),
    (3, b"Meta\0", "metadata", "device", "Meta"),
    (3, b"META\0", "metadata", "device", "Meta"),
    (3, b"Stim\0", "metadata", "stereo", "Stim"),
    (3, b"_JPSJPS_", "hidden-image", "second-image", "JPS"),
    (4, b"Scalado", "metadata", "software", "Scalado"),
    (5, b"ssuniqueid\0", "metadata", "id", "Samsung"),
    (5, b"RMETA\0", "metadata", "device", "Ricoh"),
    (6, b"GoPro\0", "metadata", "maker-note", "GoPro"),
    (6, b"EPPIM\0", "metadata", "device", "Toshiba"),
    (6, b"NITF\0", "metadata", "unknown-block", "NITF"),
    (7, b"PENTAX ", "metadata", "maker-note", "Pentax"),
    (7, b"HUAWEI", "metadata", "maker-note", "Huawei"),
    (7, b"DJI-DBG\0", "metadata", "maker-note", "DJI"),
    (7, b"\x1aQualcomm", "metadata", "device", "Qualcomm"),
    (8, b"SPIFF\0", "metadata", "device", "SPIFF"),
    (9, b"Media Jukebox\0", "metadata", "software", "Media Jukebox"),
    (10, b"UNICODE\0", "metadata", "comment", "PhotoStudio"),
    (11, b"JP", "metadata", "content-credential", "JUMBF"),
    (11, b"HDR_RI", "hidden-image", "gain-map", "JPEG-HDR"),
    (12, b"Ducky", "metadata", "software", "Ducky"),
    (12, b"OLYMPUS", "metadata", "device", "PictureInfo"),
    (12, b"[picture info]", "metadata", "device", "PictureInfo"),
    (12, b"Agfa Gevaert", "metadata", "device", "PictureInfo"),
    (13, b"Adobe_CM\0", "metadata", "software", "Adobe_CM"),
    (15, b"Q ", "metadata", "software", "GraphicConverter"),
)

# What stands behind the end -> kind, category. Samsung's trailer ends in SEFT.
BEHIND: tuple[tuple[bytes, Kind, str], ...] = (
    (PICTURE, "hidden-image", "second-image"),
    (b"\x89PNG\r\n\x1a\n", "hidden-image", "second-image"),
    (b"ftypheic", "hidden-image", "second-image"),
    (b"ftyp", "hidden-image", "motion-video"),
    (b"moov", "hidden-image", "motion-video"),
    (b"SEFT", "metadata", "maker-note"),
    (b"vivo{", "metadata", "maker-note"),
    (b"PK\x03\x04", "metadata", "attached-archive"),
    (b"Rar!\x1a\x07", "metadata", "attached-archive"),
    (b"7z\xbc\xaf\x27\x1c", "metadata", "attached-archive"),
    (b"%PDF-", "metadata", "attached-document"),
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
    return _finding("trailing-bytes", "behind the last block")


def _every(jpeg: Jpeg, plain: frozenset[bytes]) -> Iterator[Finding]:
    if jpeg.begin:
        yield _finding("bytes-before-start", "before SOI")
    joined: dict[str, list[bytes]] = {}
    for part in jpeg.parts:
        if not (APP0 <= part.marker <= APP15 or part.marker == COM):
            continue
        if jpeg.data[part.begin : part.end] in plain:
            plain = plain - {jpeg.data[part.begin : part.end]}  # a second one is none of the copy's
            continue
        yield from _segment(part.marker, jpeg.payload(part), joined)
    if ICC.decode() in joined:
        yield from icc.findings(b"".join(joined[ICC.decode()]), "APP2/ICC") or [
            _finding("colour-profile-text", "APP2/ICC")
        ]
    if "irb" in joined:
        yield from iptc.irb(b"".join(joined["irb"]), "APP13/Photoshop")
    if "xmp" in joined:
        yield from xmp.findings(b"".join(joined["xmp"]), "APP1/XMP extension")
    if jpeg.between:
        yield _finding("bytes-between-segments", "between segments")
    if jpeg.unused:
        yield _finding("unused-table", "tables", count=jpeg.unused)
    if jpeg.endless:
        yield _finding("no-end-mark", "end")
    yield from _behind(memoryview(jpeg.data)[jpeg.end :])


def _segment(marker: int, payload: bytes, joined: dict[str, list[bytes]]) -> Iterator[Finding]:
    number, name = marker - APP0, f"APP{marker - APP0}"
    pictures = payload.count(PICTURE)
    if marker == COM:
        name = "COM"
        yield msgspec.structs.replace(_finding("comment", name), secret=exif.secret(payload))
    elif number == 1 and payload.startswith(EXIF):
        found = exif.findings(payload[len(EXIF) :], f"{name}/Exif") or [_finding("camera-setting", f"{name}/Exif")]
        pictures -= sum(f.count for f in found if f.kind == "hidden-image")
        yield from found
    elif number == 1 and payload.startswith(XMP):
        yield from xmp.findings(payload[len(XMP) :], f"{name}/XMP") or [_finding("xmp", f"{name}/XMP")]
    elif number == 1 and payload.startswith(XMP_MORE):
        joined.setdefault("xmp", []).append(payload[len(XMP_MORE) + 40 :])
    elif number == 2 and payload.startswith(ICC):
        joined.setdefault(ICC.decode(), []).append(payload[len(ICC) + 2 :])
    elif number == 2 and payload.startswith(MPF):
        yield from _multi_picture(payload[len(MPF) :], f"{name}/MPF")
    elif number == 13 and payload.startswith(IRB):
        joined.setdefault("irb", []).append(payload[len(IRB) :])
        pictures = 0
    elif number == 0 and payload.startswith(JFIF):
        yield from _jfif(payload)
    elif number == 14 and payload.startswith(ADOBE):
        yield _finding("software" if len(payload) <= 12 else "unknown-block", f"{name}/Adobe")
    else:
        for app, beginning, kind, category, vendor in VENDORS:
            if app == number and payload.startswith(beginning):
                yield _finding(category, f"{name}/{vendor}", kind=kind)
                pictures -= kind == "hidden-image"
                break
        else:
            yield _finding("unknown-block", name)
    if pictures > 0:
        yield _finding("preview", name, kind="hidden-image", count=pictures)


def _jfif(payload: bytes) -> Iterator[Finding]:
    """JFIF 1.02: version, density, an uncompressed thumbnail."""
    if len(payload) < 14 or len(payload) != 14 + 3 * payload[12] * payload[13]:
        yield _finding("unknown-block", "APP0/JFIF")
    if len(payload) > 14 and payload[12] * payload[13]:
        yield _finding("thumbnail", "APP0/JFIF", kind="hidden-image")
    if payload[7:12] not in (b"\0\0\1\0\1", b"\0\0\0\0\0"):
        yield _finding("resolution", "APP0/JFIF")


def _multi_picture(block: bytes, where: str) -> Iterator[Finding]:
    """CIPA DC-007, 5.2: the list of further pictures; they stand behind the end of the first."""
    entries = next((raw for tag, raw in exif.fields(block) if tag == 0xB002), b"")
    listed = 0
    for at in range(16, min(len(entries), 16 * 100) - 15, 16):
        little = block[:2] == b"II"
        (attribute,) = struct.unpack_from("<I" if little else ">I", entries, at)
        category = "gain-map" if attribute & 0xFFFFFF == 0x050000 else "second-image"
        yield _finding(category, where, kind="hidden-image")
        listed += 1
    if not listed:
        yield _finding("second-image", where, kind="hidden-image")


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
        yield _finding("earlier-version", "after EOI", kind="hidden-image")
    elif not found:
        yield _finding("trailing-bytes", "after EOI")


def _finding(category: str, where: str, *, kind: Kind = "metadata", count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR)
