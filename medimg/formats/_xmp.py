"""XMP packets (ISO 16684-1), read for their kinds only: no XML parser touches them, so no entity is ever expanded."""

from __future__ import annotations

import re

from medimg.types import Finding

MAX_BYTES = 1 << 20

# Property prefixes or names -> category. Searched as text: a packet that is broken XML is still reported.
_KINDS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("location", re.compile(rb"GPS|photoshop:(City|State|Country)|Iptc4xmpCore:(Location|CountryCode)|LocationShown|"
                            rb"LocationCreated", re.I)),
    ("capture-time", re.compile(rb"CreateDate|ModifyDate|MetadataDate|DateCreated|DateTimeOriginal|dc:date", re.I)),
    ("owner", re.compile(rb"dc:creator|dc:rights|photoshop:(Credit|Source|AuthorsPosition)|CreatorContactInfo|"
                         rb"OwnerName|xmpRights", re.I)),
    ("person", re.compile(rb"PersonInImage|RegionList|mwg-rs|MPReg|PersonDisplayName", re.I)),
    ("caption", re.compile(rb"dc:(description|title|subject)|photoshop:(Headline|Instructions|Caption)|lr:hierarchical",
                           re.I)),
    ("serial", re.compile(rb"SerialNumber", re.I)),
    ("device", re.compile(rb"tiff:(Make|Model)|exifEX|aux:Lens|crs:CameraProfile", re.I)),
    ("software", re.compile(rb"CreatorTool|xmp:Toolkit|xmptk|softwareAgent", re.I)),
    ("id", re.compile(rb"DocumentID|InstanceID|OriginalDocumentID|xmpMM:", re.I)),
    ("content-credential", re.compile(rb"dcterms:provenance|c2pa", re.I)),
    ("gain-map", re.compile(rb"hdrgm:|HDRGainMap", re.I)),
    ("motion-video", re.compile(rb"MotionPhoto|MicroVideo", re.I)),
)  # fmt: skip


def findings(packet: bytes, where: str) -> list[Finding]:
    """The kinds of thing a packet says; always at least one ``xmp`` finding for a packet that is there."""
    if not packet:
        return []
    text = packet[:MAX_BYTES]
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<\0" in text[:200] or b"\0<" in text[:200]:
        text = text.replace(b"\0", b"")
    found = [category for category, pattern in _KINDS if pattern.search(text)]
    return [
        Finding(kind="metadata", category=category, where=where, detector="xmp reader") for category in ["xmp", *found]
    ]
