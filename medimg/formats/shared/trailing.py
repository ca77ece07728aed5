"""What stands after the end of a picture, told by how it starts; no value is quoted."""

from __future__ import annotations

from medimg.types import Finding
from medimg.vocabulary import Category, Kind

WITHIN = 1 << 16
"""How far into the bytes a known beginning is looked for."""

BEGINNINGS: tuple[tuple[bytes, Kind, str], ...] = (
    (b"\xff\xd8\xff", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    (b"\x89PNG\r\n\x1a\n", Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    (b"ftyp", Kind.HIDDEN_IMAGE, Category.MOTION_VIDEO),
    (b"PK\x03\x04", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"Rar!\x1a\x07", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.METADATA, Category.ATTACHED_ARCHIVE),
    (b"%PDF-", Kind.METADATA, Category.ATTACHED_DOCUMENT),
)


def finding(data: bytes, end: int, where: str, detector: str) -> list[Finding]:
    """One finding for the bytes of ``data`` from ``end`` on; none when there are none."""
    rest = memoryview(data)[end:]
    if not rest:
        return []
    head = bytes(rest[:WITHIN])
    kind: Kind = Kind.METADATA
    category = "trailing-bytes"
    for beginning, its_kind, name in BEGINNINGS:
        if beginning in head:
            kind, category = its_kind, name
            break
    else:
        # A shorter picture written over a longer file leaves the end of the older one (CVE-2023-21036).
        if bytes(rest[-12:-4]) == b"\0\0\0\0IEND" or bytes(rest[-2:]) == b"\xff\xd9":
            kind, category = Kind.HIDDEN_IMAGE, Category.EARLIER_VERSION
    return [Finding(kind=kind, category=category, where=where, detector=detector)]
