"""XMP packets (ISO 16684-1), read for their kinds only: no XML parser touches them, so no entity is ever expanded."""

from __future__ import annotations

import re
from itertools import islice

from medimg.types import NO_SECRET, Finding, Secret
from medimg.vocabulary import Kind

MAX_BYTES = 1 << 20
MAX_SEARCHED, MAX_VALUES, MAX_SECRET = 1 << 18, 50, 200


def _named(*kinds: tuple[str, str]) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Category -> names, which stand for themselves whatever their case."""
    return tuple((category, tuple(names.lower().encode().split())) for category, names in kinds)


# Property prefixes or names -> category. Searched as text: a packet that is broken XML is still reported.
_KINDS = _named(
    ("location", "GPS photoshop:City photoshop:State photoshop:Country Iptc4xmpCore:Location Iptc4xmpCore:CountryCode"
                 " LocationShown LocationCreated"),
    ("capture-time", "CreateDate ModifyDate MetadataDate DateCreated DateTimeOriginal dc:date"),
    ("owner", "dc:creator dc:rights photoshop:Credit photoshop:Source photoshop:AuthorsPosition CreatorContactInfo"
              " OwnerName xmpRights"),
    ("person", "PersonInImage RegionList mwg-rs MPReg PersonDisplayName"),
    ("caption", "dc:description dc:title dc:subject photoshop:Headline photoshop:Instructions photoshop:Caption"
                " lr:hierarchical"),
    ("serial", "SerialNumber"),
    ("device", "tiff:Make tiff:Model exifEX aux:Lens crs:CameraProfile"),
    ("software", "CreatorTool xmp:Toolkit xmptk softwareAgent"),
    ("id", "DocumentID InstanceID OriginalDocumentID xmpMM:"),
    ("content-credential", "dcterms:provenance c2pa"),
    ("gain-map", "hdrgm: HDRGainMap"),
    ("motion-video", "MotionPhoto MicroVideo"),
)  # fmt: skip

# Pictures and sound that XMP carries as text (XMP part 2, 8.3; Google's depth and panorama formats).
_CARRIED = _named(
    ("thumbnail", "xmpGImg:image"),
    ("second-image", "GImage:Data GPano: GCamera:RelitInputImageData"),
    ("depth-map", "GDepth:Data GDepth:Confidence"),
    ("sound", "GAudio:Data"),
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
    lowered = text.lower()
    found = [category for category, names in _KINDS if any(name in lowered for name in names)]
    secret = _values(text)
    out = [
        Finding(
            kind=Kind.METADATA, category=category, where=where, detector="xmp reader",
            secret=secret if category in ("owner", "person", "caption") else NO_SECRET,
        )
        for category in ["xmp", *found]
    ]  # fmt: skip
    for category, names in _CARRIED:
        if any(name in lowered for name in names):
            kind: Kind = Kind.METADATA if category == "sound" else Kind.HIDDEN_IMAGE
            out.append(Finding(kind=kind, category=category, where=where, detector="xmp reader"))
    return out


def _values(text: bytes) -> Secret:
    """Values that may name a person, one a line, for matching in memory."""
    lines = []
    for found in islice(_VALUE.finditer(text[:MAX_SEARCHED]), MAX_VALUES):
        value = _TAGS.sub(b" ", found[1] or found[2] or b"").decode("utf-8", "replace")
        lines.append(" ".join(value.split())[:MAX_SECRET])
    return Secret("\n".join(filter(None, lines)))
