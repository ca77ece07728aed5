"""Photoshop image resources and the IPTC records in them (Adobe Photoshop File Formats; IPTC-IIM 4.2), by kind."""

from __future__ import annotations

from collections.abc import Iterator

from medimg.formats.shared import exif, xmp
from medimg.types import Finding, Secret
from medimg.vocabulary import Category, Kind

DETECTOR = "iptc reader"
MAX_RESOURCES, MAX_RECORDS, MAX_SECRET = 2000, 5000, 200

# Resource id -> kind, category.
RESOURCES: dict[int, tuple[Kind, str]] = {
    0x03ED: (Kind.METADATA, Category.RESOLUTION), 0x0409: (Kind.HIDDEN_IMAGE, Category.THUMBNAIL),
    0x040A: (Kind.METADATA, Category.OWNER), 0x040B: (Kind.METADATA, Category.OWNER),
    0x040C: (Kind.HIDDEN_IMAGE, Category.THUMBNAIL), 0x040F: (Kind.METADATA, Category.COLOUR_PROFILE_TEXT),
    0x041A: (Kind.METADATA, Category.CAPTION), 0x041E: (Kind.METADATA, Category.OWNER),
    0x0421: (Kind.METADATA, Category.SOFTWARE), 0x0425: (Kind.METADATA, Category.ID),
}  # fmt: skip
IPTC, EXIF_1, EXIF_3, XMP = 0x0404, 0x0422, 0x0423, 0x0424

# Dataset of record 2 -> category (IIM 4.2, chapter 6).
DATASETS = {
    5: Category.CAPTION, 15: Category.CAPTION, 20: Category.CAPTION, 25: Category.CAPTION, 26: Category.LOCATION,
    27: Category.LOCATION, 40: Category.CAPTION, 55: Category.CAPTURE_TIME, 60: Category.CAPTURE_TIME,
    62: Category.CAPTURE_TIME, 63: Category.CAPTURE_TIME, 65: Category.SOFTWARE, 70: Category.SOFTWARE,
    80: Category.OWNER, 85: Category.OWNER, 90: Category.LOCATION, 92: Category.LOCATION, 95: Category.LOCATION,
    100: Category.LOCATION, 101: Category.LOCATION, 103: Category.ID, 105: Category.CAPTION, 110: Category.OWNER,
    115: Category.OWNER, 116: Category.OWNER, 118: Category.OWNER, 120: Category.CAPTION, 122: Category.OWNER,
}  # fmt: skip
MATCHED = frozenset(("owner", "caption"))


def irb(block: bytes, where: str) -> list[Finding]:
    """Findings of a row of image resources, one for each kind of thing; at least one.

    Args:
        block: ``8BIM`` resources one after the other, without any prefix.
        where: Path of the block in its container.
    """
    counts: dict[tuple[Kind, str, str], int] = {}
    found: list[Finding] = []
    for number, body in _resources(block):
        if number == IPTC:
            found += iim(body, f"{where}/IPTC")
        elif number in (EXIF_1, EXIF_3):
            found += exif.findings(body, f"{where}/Exif")
        elif number == XMP:
            found += xmp.findings(body, f"{where}/XMP")
        else:
            kind, category = RESOURCES.get(number, (Kind.METADATA, Category.EDITOR_SETTING))
            key: tuple[Kind, str, str] = (kind, category, where)
            counts[key] = counts.get(key, 0) + 1
    found += [
        Finding(kind=kind, category=category, where=path, count=count, detector=DETECTOR)
        for (kind, category, path), count in counts.items()
    ]
    return found or [Finding(kind=Kind.METADATA, category=Category.UNKNOWN_BLOCK, where=where, detector=DETECTOR)]


def iim(block: bytes, where: str) -> list[Finding]:
    """Findings of a row of IPTC datasets, one for each kind of thing; at least one."""
    counts: dict[str, int] = {}
    texts: dict[str, list[str]] = {}
    for record, dataset, body in _datasets(block):
        category = DATASETS.get(dataset, "iptc") if record == 2 else "iptc"
        counts[category] = counts.get(category, 0) + 1
        if category in MATCHED:
            texts.setdefault(category, []).append(body[: 4 * MAX_SECRET].decode("utf-8", "replace")[:MAX_SECRET])
    if not counts:
        counts["unknown-block"] = 1
    return [
        Finding(
            kind=Kind.METADATA, category=category, where=where, count=count, detector=DETECTOR,
            secret=Secret("\n".join(texts.get(category, ()))),
        )
        for category, count in counts.items()
    ]  # fmt: skip


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(MAX_RESOURCES):
        if block[at : at + 4] not in (b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa") or at + 12 > len(block):
            return
        number = int.from_bytes(block[at + 4 : at + 6])
        name = block[at + 6]
        start = at + 6 + (name + 2 & ~1) + 4
        size = int.from_bytes(block[start - 4 : start])
        yield number, block[start : start + size]
        at = start + (size + 1 & ~1)


def _datasets(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    for _ in range(MAX_RECORDS):
        if at + 5 > len(block) or block[at] != 0x1C:
            return
        record, dataset, size = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5])
        at += 5
        if size & 0x8000:  # extended: the size of the size
            wide = size & 0x7FFF
            if wide > 4:
                return
            size = int.from_bytes(block[at : at + wide])
            at += wide
        yield record, dataset, block[at : at + size]
        at += size
