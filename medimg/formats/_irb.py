"""Photoshop image resource blocks and the IPTC record inside them, by kind (Adobe Photoshop File Formats; IPTC IIM 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

from medimg.formats import _exif, _icc, _xmp
from medimg.types import NO_SECRET, Finding, Kind, Secret

MAX_RESOURCES = 2000

# Dataset of record 2 -> category (IIM 4.2, chapter 6).
DATASETS = {
    25: "caption", 5: "caption", 105: "caption", 120: "caption", 122: "owner", 80: "owner", 85: "owner", 110: "owner",
    115: "owner", 116: "owner", 118: "owner", 26: "location", 27: "location", 90: "location", 92: "location",
    95: "location", 100: "location", 101: "location", 55: "capture-time", 60: "capture-time", 62: "capture-time",
    63: "capture-time", 65: "software", 70: "software", 221: "person",
}  # fmt: skip


def findings(payload: bytes, where: str) -> list[Finding]:
    """What a run of image resources says."""
    out: list[Finding] = []
    for number, body in _resources(payload):
        path = f"{where}/8BIM/{number:04X}"
        if number == 0x0404:
            out += iptc(body, f"{where}/IPTC")
        elif number in (0x0409, 0x040C):
            out.append(_one("hidden-image", "thumbnail", path))
        elif number in (0x0422, 0x0423):
            out += _exif.findings(body, path)
        elif number == 0x0424:
            out += _xmp.findings(body, path)
        elif number == 0x040F:
            out += _icc.findings(body, path)
        else:
            out.append(_one("metadata", "editor-setting", path))
    return out or [_one("metadata", "unknown-block", where)]


def iptc(record: bytes, where: str) -> list[Finding]:
    """What an IPTC record says; one ``unknown-block`` when it cannot be read."""
    out: list[Finding] = []
    at = 0
    while at + 5 <= len(record) and record[at] == 0x1C and len(out) < MAX_RESOURCES:
        size = int.from_bytes(record[at + 3 : at + 5], "big")
        if size & 0x8000 or at + 5 + size > len(record):
            break
        if record[at + 1] == 2 and record[at + 2] != 0:
            category = DATASETS.get(record[at + 2], "caption")
            text = record[at + 5 : at + 5 + min(size, _exif.MAX_SECRET)].decode("utf-8", "replace")
            secret = Secret(text) if category in _exif.MATCHED else NO_SECRET
            out.append(
                Finding(kind="metadata", category=category, where=where, detector="iptc reader", secret=secret)
            )
        at += 5 + size
    return out or [_one("metadata", "unknown-block", where)]


def _resources(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(MAX_RESOURCES):
        if payload[at : at + 4] != b"8BIM" or at + 8 > len(payload):
            return
        number = int.from_bytes(payload[at + 4 : at + 6], "big")
        name = 1 + payload[at + 6]
        start = at + 6 + name + (name & 1)
        size = int.from_bytes(payload[start : start + 4], "big")
        yield number, payload[start + 4 : start + 4 + size]
        at = start + 4 + size + (size & 1)


def _one(kind: Kind, category: str, where: str) -> Finding:
    return Finding(kind=kind, category=category, where=where, detector="irb reader")
