"""EXIF (JEITA CP-3451 / CIPA DC-008, Exif 3.0): what a block says, by kind; and the block that says one thing.

piexif reads what it can. Our own bounded walk of the directories always runs beside it, because piexif gives up on a
block that cameras and image editors still read, and because a block that nobody can parse must still be reported.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from medimg.types import Finding, Secret
from medimg.vocabulary import Category, Kind

MAX_IFDS, MAX_ENTRIES, MAX_SECRET, MAX_TEXTS = 64, 2000, 200, 20
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}

WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""Field types of whole numbers, as struct codes (TIFF 6.0, section 2; BigTIFF for 16 to 18)."""

ORIENTATION, COLOUR_SPACE, INTEROP_INDEX = 0x0112, 0xA001, 0x0001
UNCALIBRATED, ADOBE_RGB = 0xFFFF, 2
EXIF_IFD, GPS_IFD, INTEROP_IFD, SUB_IFDS = 0x8769, 0x8825, 0xA005, 0x014A
THUMBNAIL_AT, STRIPS_AT, TILES_AT, MAKER_NOTE = 0x0201, 0x0111, 0x0144, 0x927C
PICTURE = b"\xff\xd8\xff"

# Tag -> category (Exif 3.0, tables 4 to 9; TIFF 6.0, section 8; DNG 1.7 for 0xC614 and 0xC62F; Windows XP fields).
CATEGORIES = {
    0x010D: Category.CAPTION, 0x010E: Category.CAPTION, 0x010F: Category.DEVICE, 0x0110: Category.DEVICE,
    0x011D: Category.CAPTION, 0x0131: Category.SOFTWARE, 0x0132: Category.CAPTURE_TIME, 0x013B: Category.OWNER,
    0x013C: Category.DEVICE, 0x8298: Category.OWNER, 0x9003: Category.CAPTURE_TIME, 0x9004: Category.CAPTURE_TIME,
    0x9010: Category.CAPTURE_TIME, 0x9011: Category.CAPTURE_TIME, 0x9012: Category.CAPTURE_TIME,
    0x9290: Category.CAPTURE_TIME, 0x9291: Category.CAPTURE_TIME, 0x9292: Category.CAPTURE_TIME,
    0x927C: Category.MAKER_NOTE, 0x9286: Category.COMMENT, 0x9C9B: Category.CAPTION, 0x9C9C: Category.COMMENT,
    0x9C9D: Category.OWNER, 0x9C9E: Category.CAPTION, 0x9C9F: Category.CAPTION, 0xA004: Category.COMMENT,
    0xA420: Category.ID, 0xA430: Category.OWNER, 0xA431: Category.SERIAL, 0xA433: Category.DEVICE,
    0xA434: Category.DEVICE, 0xA435: Category.SERIAL, 0xA436: Category.CAPTION, 0xA437: Category.OWNER,
    0xA438: Category.OWNER, 0xA439: Category.SOFTWARE, 0xA43A: Category.SOFTWARE, 0xA43B: Category.SOFTWARE,
    0xA43C: Category.SOFTWARE, 0xC614: Category.DEVICE, 0xC62F: Category.SERIAL, 0x02BC: Category.XMP,
    0x83BB: Category.CAPTION, 0x8649: Category.UNKNOWN_BLOCK, 0x8773: Category.COLOUR_PROFILE_TEXT,
    0xC4A5: Category.UNKNOWN_BLOCK, 0xEA1C: Category.UNKNOWN_BLOCK,
}  # fmt: skip
MATCHED = frozenset(("owner", "caption", "comment"))
"""Categories whose value may name a person: kept in memory, to look for it in the picture and in file names."""


def orientation_only(orientation: int) -> bytes:
    """A 26-byte TIFF structure that holds the orientation and nothing else (without the ``Exif`` prefix of JPEG)."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)


def is_orientation_only(block: bytes) -> bool:
    """Whether a TIFF structure is exactly what :func:`orientation_only` makes."""
    return len(block) == 26 and any(block == orientation_only(k) for k in range(1, 9))


def orientation(block: bytes) -> int:
    """Orientation 1 to 8; 1 when it is missing, damaged or out of range."""
    return said_orientation(block) or 1


def said_orientation(block: bytes) -> int:
    """Orientation 1 to 8 where the block states one, else 0.

    Cameras write the field as SHORT (Exif 3.0, 4.6.5.1.1), some as LONG or with more than one value: viewers take the
    first whole number. A value outside 1 to 8 states nothing, as browsers and Pillow read it.
    """
    order = _order(block)
    if order is None:
        return 0
    (first,) = struct.unpack_from(f"{order}I", block, 4)
    return next(
        (
            whole_orientation(order, kind, raw)
            for tag, kind, _, raw in _entries(block, order, first)
            if tag == ORIENTATION
        ),
        0,
    )


def whole_orientation(order: str, kind: int, raw: bytes) -> int:
    """Orientation 1 to 8 of a field's raw value, of any whole-number type; 0 for every other type or value."""
    code = WHOLE.get(kind)
    if code is None or len(raw) < struct.calcsize(f"={code}"):
        return 0
    (value,) = struct.unpack_from(f"{order}{code}", raw)
    return int(value) if 1 <= value <= 8 else 0


def says_adobe_rgb(block: bytes) -> bool:
    """Whether the block states Adobe RGB (1998): InteroperabilityIndex R03, and not ColorSpace sRGB.

    DCF 2.0 (CIPA DC-009, 5.4) marks its optional colour space so, with ColorSpace "uncalibrated"; some cameras write
    ColorSpace 2 instead, with the index or without it (ExifTool's tag table).
    """
    order = _order(block)
    if order is None:
        return False
    space, index = 0, b""
    for directory, tag, raw in _walk(block):
        if directory == "Exif" and tag == COLOUR_SPACE and len(raw) >= 2:
            (space,) = struct.unpack_from(f"{order}{'I' if len(raw) == 4 else 'H'}", raw)
        elif directory == "Interop" and tag == INTEROP_INDEX:
            index = raw.rstrip(b"\0 ")
    return space == ADOBE_RGB or (space == UNCALIBRATED and index == b"R03")


def findings(block: bytes, where: str) -> list[Finding]:
    """Everything a block says besides the orientation, by kind and count; one ``unknown-block`` when it is damaged.

    Args:
        block: The TIFF structure, without any prefix.
        where: Path of the block in its container.
    """
    if is_orientation_only(block):
        return []
    counts: dict[tuple[Kind, str, str], int] = {}
    texts: dict[tuple[Kind, str, str], list[str]] = {}
    for directory, tag, raw in _walk(block):
        key = _key(directory, tag, where)
        if key is None:
            continue
        counts[key] = counts.get(key, 0) + 1
        if key[1] in MATCHED and len(texts.setdefault(key, [])) < MAX_TEXTS:
            texts[key].append(_text(raw, tag))
        if tag == MAKER_NOTE and PICTURE in raw:
            counts[Kind.HIDDEN_IMAGE, Category.PREVIEW, f"{where}/{directory}/MakerNote"] = raw.count(PICTURE)
    for key in _by_piexif(block, where):
        counts.setdefault(key, 1)
    if not counts:
        counts[(Kind.METADATA, Category.UNKNOWN_BLOCK, where)] = 1
    return [
        Finding(
            kind=kind, category=category, where=path, count=count, detector="exif reader",
            secret=Secret("\n".join(filter(None, texts.get((kind, category, path), ())))),
        )
        for (kind, category, path), count in counts.items()
    ]  # fmt: skip


def fields(block: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, raw value) of the first directory."""
    order = _order(block)
    if order is not None:
        for tag, _, _, raw in _entries(block, order, struct.unpack_from(f"{order}I", block, 4)[0]):
            yield tag, raw


def secret(raw: bytes) -> Secret:
    """Free text, for matching in memory."""
    return Secret(_text(raw, 0))


def _key(directory: str, tag: int, where: str) -> tuple[Kind, str, str] | None:
    path = f"{where}/{directory}"
    if directory == "GPS":
        return (Kind.METADATA, Category.LOCATION, path)
    if directory not in ("IFD0", "Exif", "Interop"):  # further pictures: the thumbnail, and what is less usual
        if tag in (THUMBNAIL_AT, STRIPS_AT, TILES_AT):
            return (Kind.HIDDEN_IMAGE, Category.THUMBNAIL if directory == "IFD1" else Category.SECOND_IMAGE, path)
        return (Kind.METADATA, CATEGORIES[tag], path) if tag in CATEGORIES else None
    if tag == GPS_IFD:  # counted even when what it points to cannot be read
        return (Kind.METADATA, Category.LOCATION, f"{where}/GPS")
    if tag in (ORIENTATION, EXIF_IFD, INTEROP_IFD, SUB_IFDS):
        return None
    return (Kind.METADATA, CATEGORIES.get(tag, Category.CAMERA_SETTING), path)


def _by_piexif(block: bytes, where: str) -> Iterator[tuple[Kind, str, str]]:
    import piexif

    if not _claims_fit(block):
        return
    try:
        read = piexif.load(b"Exif\0\0" + block)
    except Exception:  # noqa: BLE001 - it raises whatever its parsing stumbles on; the walk above is the proof
        return
    if read.get("GPS"):
        yield (Kind.METADATA, Category.LOCATION, f"{where}/GPS")
    if read.get("thumbnail"):
        yield (Kind.HIDDEN_IMAGE, Category.THUMBNAIL, f"{where}/IFD1")
    for name, directory in (("0th", "IFD0"), ("Exif", "Exif")):
        for tag in read.get(name) or {}:
            key = _key(directory, tag, where)
            if key is not None:
                yield key


def _claims_fit(block: bytes) -> bool:
    """Whether the fields that piexif would read claim no more than the block holds.

    It sets memory and time aside for what each field claims: a block of 60 bytes can take gigabytes.
    """
    order = _order(block)
    if order is None:
        return False
    queue, seen, claimed = [(struct.unpack_from(f"{order}I", block, 4)[0], True)], 0, 0
    while queue:
        at, first = queue.pop()
        seen += 1
        if seen > MAX_IFDS or at + 2 > len(block):
            return False
        (count,) = struct.unpack_from(f"{order}H", block, at)
        if at + 2 + 12 * count > len(block):
            return False
        for k in range(count):
            tag, kind, many, value = struct.unpack_from(f"{order}HHII", block, at + 2 + 12 * k)
            claimed += SIZES.get(kind, 1) * many
            if tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD):
                if kind != 4 or many != 1:
                    return False
                queue.append((value, False))
        if claimed > len(block):
            return False
        after = _next(block, order, at) if first else 0
        if after:
            queue.append((after, False))
    return True


def _order(block: bytes) -> str | None:
    if len(block) < 8:
        return None
    return {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])


def _walk(block: bytes) -> Iterator[tuple[str, int, bytes]]:
    """(directory, tag, raw value) of every field of every directory that can be reached."""
    order = _order(block)
    if order is None:
        return
    queue: list[tuple[str, int]] = [("IFD0", struct.unpack_from(f"{order}I", block, 4)[0])]
    seen: set[int] = set()
    budget = 2 * len(block)  # fields of one block do not share their values: a hostile one ends here
    while queue and len(seen) < MAX_IFDS and budget > 0:
        name, at = queue.pop(0)
        if at in seen or not at:
            continue
        seen.add(at)
        for tag, kind, many, raw in _entries(block, order, at):
            budget -= len(raw)
            if budget < 0:
                break
            yield name, tag, raw
            if tag in (EXIF_IFD, GPS_IFD, INTEROP_IFD, SUB_IFDS) and kind in (4, 13):
                targets = struct.unpack(f"{order}{min(many, 32)}I", raw[: 4 * min(many, 32)])
                child = {EXIF_IFD: "Exif", GPS_IFD: "GPS", INTEROP_IFD: "Interop", SUB_IFDS: "SubIFD"}[tag]
                queue += [(child, target) for target in targets]
        if name.startswith("IFD"):
            after = _next(block, order, at)
            queue.append((f"IFD{int(name[3:]) + 1}", after))


def _entries(block: bytes, order: str, at: int) -> Iterator[tuple[int, int, int, bytes]]:
    """(tag, type, count, raw value) of one directory; fields that point outside the block come with no value."""
    if at + 2 > len(block):
        return
    (count,) = struct.unpack_from(f"{order}H", block, at)
    for k in range(min(count, MAX_ENTRIES)):
        place = at + 2 + 12 * k
        if place + 12 > len(block):
            return
        tag, kind, many = struct.unpack_from(f"{order}HHI", block, place)
        size = SIZES.get(kind, 0) * many
        value = place + 8
        if size > 4:
            (value,) = struct.unpack_from(f"{order}I", block, value)
        raw = block[value : value + size] if value + size <= len(block) else b""
        yield tag, kind, (many if raw else 0), raw


def _next(block: bytes, order: str, at: int) -> int:
    if at + 2 > len(block):
        return 0
    (count,) = struct.unpack_from(f"{order}H", block, at)
    end = at + 2 + 12 * count
    return int(struct.unpack_from(f"{order}I", block, end)[0]) if end + 4 <= len(block) else 0


def _text(raw: bytes, tag: int) -> str:
    """A value as text, for matching in memory."""
    raw = raw[: 4 * MAX_SECRET]
    if tag in range(0x9C9B, 0x9CA0):  # Windows XP fields are UTF-16
        text = raw.decode("utf-16-le", "ignore")
    elif tag == 0x9286 and raw[:8] in (b"ASCII\0\0\0", b"UNICODE\0", bytes(8)):
        text = raw[8:].decode("utf-16" if raw[:1] == b"U" else "latin-1", "ignore")
    else:
        text = raw.decode("utf-8", "replace")
    return text.replace("\0", " ").strip()[:MAX_SECRET]
