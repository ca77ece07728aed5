"""XMP packets (ISO 16684-1), read for their kinds only: no XML parser touches them, so no entity is ever expanded."""

from __future__ import annotations

import re
from itertools import islice

from medimg.types import NO_SECRET, Finding, Kind, Secret

MAX_BYTES = 1 << 20
MAX_SEARCHED, MAX_VALUES, MAX_SECRET = 1 << 18, 50, 200

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

# Pictures and sound that XMP carries as text (XMP part 2, 8.3; Google's depth and panorama formats).
_CARRIED: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("thumbnail", re.compile(rb"xmpGImg:image", re.I)),
    ("second-image", re.compile(rb"GImage:Data|GPano:|GCamera:RelitInputImageData", re.I)),
    ("depth-map", re.compile(rb"GDepth:Data|GDepth:Confidence", re.I)),
    ("sound", re.compile(rb"GAudio:Data", re.I)),
)

# Properties whose value may name a person, as an attribute or as an element.
_NAMES = (
    rb"dc:(?:creator|rights|description|title)|photoshop:(?:Credit|AuthorsPosition|CaptionWriter)|"
    rb"Iptc4xmpExt:PersonInImage|mwg-rs:Name|MPReg:PersonDisplayName|aux:OwnerName|exifEX:CameraOwnerName"
)
_VALUE = re.compile(
    rb"(?:%s)(?:\s{0,9}=\s{0,9}[\"']([^\"'<]{1,300})|[^<>]{0,99}>(.{0,500}?)</(?:%s))" % (_NAMES, _NAMES), re.S
)
_TAGS = re.compile(rb"<[^>]{0,300}>")


def findings(packet: bytes, where: str) -> list[Finding]:
    """The kinds of thing a packet says; always at least one ``xmp`` finding for a packet that is there."""
    if not packet:
        return []
    text = packet[:MAX_BYTES]
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<\0" in text[:200] or b"\0<" in text[:200]:
        text = text.replace(b"\0", b"")
    found = [category for category, pattern in _KINDS if pattern.search(text)]
    secret = _values(text)
    out = [
        Finding(
            kind="metadata", category=category, where=where, detector="xmp reader",
            secret=secret if category in ("owner", "person", "caption") else NO_SECRET,
        )
        for category in ["xmp", *found]
    ]  # fmt: skip
    for category, pattern in _CARRIED:
        if pattern.search(text):
            kind: Kind = "metadata" if category == "sound" else "hidden-image"
            out.append(Finding(kind=kind, category=category, where=where, detector="xmp reader"))
    return out


def _values(text: bytes) -> Secret:
    """Values that may name a person, one a line, for matching in memory."""
    lines = []
    for found in islice(_VALUE.finditer(text[:MAX_SEARCHED]), MAX_VALUES):
        value = _TAGS.sub(b" ", found[1] or found[2] or b"").decode("utf-8", "replace")
        lines.append(" ".join(value.split())[:MAX_SECRET])
    return Secret("\n".join(filter(None, lines)))
