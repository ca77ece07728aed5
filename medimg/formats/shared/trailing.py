"""What stands after the end of a picture, told by how it starts; no value is quoted."""

from __future__ import annotations

from medimg.types import Finding, Kind

WITHIN = 1 << 16
"""How far into the bytes a known beginning is looked for."""

BEGINNINGS: tuple[tuple[bytes, Kind, str], ...] = (
    (b"\xff\xd8\xff", "hidden-image", "second-image"),
    (b"\x89PNG\r\n\x1a\n", "hidden-image", "second-image"),
    (b"ftyp", "hidden-image", "motion-video"),
    (b"PK\x03\x04", "metadata", "attached-archive"),
    (b"Rar!\x1a\x07", "metadata", "attached-archive"),
    (b"7z\xbc\xaf\x27\x1c", "metadata", "attached-archive"),
    (b"%PDF-", "metadata", "attached-document"),
)


def finding(data: bytes, end: int, where: str, detector: str) -> list[Finding]:
    """One finding for the bytes of ``data`` from ``end`` on; none when there are none."""
    rest = memoryview(data)[end:]
    if not rest:
        return []
    head = bytes(rest[:WITHIN])
    kind: Kind = "metadata"
    category = "trailing-bytes"
    for beginning, its_kind, name in BEGINNINGS:
        if beginning in head:
            kind, category = its_kind, name
            break
    else:
        # A shorter picture written over a longer file leaves the end of the older one (CVE-2023-21036).
        if bytes(rest[-12:-4]) == b"\0\0\0\0IEND" or bytes(rest[-2:]) == b"\xff\xd9":
            kind, category = "hidden-image", "earlier-version"
    return [Finding(kind=kind, category=category, where=where, detector=detector)]
