"""What a HEIF file says besides the picture: items, boxes and properties, by kind and count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medimg.formats.heif import _build, _hidden
from medimg.formats.heif._items import CODED, DERIVED, Item
from medimg.formats.shared import exif, icc, trailing, xmp
from medimg.formats.shared.bmff import Span
from medimg.types import Finding
from medimg.vocabulary import Category, Kind

if TYPE_CHECKING:
    from medimg.formats.heif.photo import Heif

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification, part 3, 1.2.7.1
HIDDEN = {
    _hidden.SECOND: (Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE),
    _hidden.PAST: (Kind.HIDDEN_IMAGE, Category.HIDDEN_PIXELS),
    _hidden.NEEDLESS: (Kind.METADATA, Category.UNKNOWN_BLOCK),
}
"""What stands in coded data beside the picture -> how it is reported."""
NAMED = frozenset((*CODED, *DERIVED, b"xml ", b"uri ")) | frozenset(
    b"free skip uuid styp sidx moof mfra pdin udta emsg idat dinf grpl ipro iinf iloc iprp iref pitm hdlr bxml fiin"
    b" Exif mime jpeg tmap udes crtt mdft altt clli mdcv cclv amve reve".split()
)
"""Boxes, items and properties that are called by their type (ISO/IEC 14496-12 and 23008-12)."""
DEPTH = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", b"urn:mpeg:hevc:2015:auxid:2")


def of(photo: Heif) -> list[Finding]:
    """Items, boxes and properties that are not the picture; see :class:`medimg.formats.Opened`."""
    found: list[Finding] = []
    for box in photo.top:
        found += _top_box(photo, box)
    own = set(photo.kept)
    for alpha in photo.alpha:
        own |= set(photo.closure(alpha))
    for item in photo.tables.items.values():
        if item.id not in own:
            found += _item(photo, item)
    found += _meta(photo)
    if photo.hidden:
        found.append(_finding(*HIDDEN[photo.hidden], f"mdat/{photo.hidden}"))
    hidden_units = _build.build(photo).dropped_units
    if hidden_units:
        found.append(_finding(Kind.METADATA, Category.SOFTWARE, "mdat/supplemental units", count=hidden_units))
    if _loose_bytes(photo):
        found.append(_finding(Kind.METADATA, Category.UNKNOWN_BLOCK, "mdat/bytes of no item"))
    return found + trailing.finding(photo.data, photo.end, "after the last box", "heif reader")


def _meta(photo: Heif) -> list[Finding]:
    """What the boxes of ``meta`` say besides."""
    found: list[Finding] = []
    names = sum(bool(item.name) for item in photo.tables.items.values())
    if names:
        found.append(_finding(Kind.METADATA, Category.COMMENT, "meta/iinf/name", count=names))
    if photo.tables.handler:
        found.append(_finding(Kind.METADATA, Category.SOFTWARE, "meta/hdlr/name"))
    for kind in sorted(set(photo.tables.others) - {b"grpl"}):
        found.append(_finding(Kind.METADATA, Category.UNKNOWN_BLOCK, f"meta/{_name(kind)}"))
    for kind, payload in photo.tables.properties:
        found += _property(kind, payload)
    return found


def _top_box(photo: Heif, box: Span) -> list[Finding]:
    data, kind = photo.data, box.type
    if kind in (b"ftyp", b"meta", b"mdat"):
        return []
    if kind == b"moov":
        return [_finding(Kind.HIDDEN_IMAGE, Category.EXTRA_FRAMES, "moov")]
    if kind == b"mpvd":
        return [_finding(Kind.HIDDEN_IMAGE, Category.MOTION_VIDEO, "mpvd")]
    if kind == b"uuid" and data[box.body : box.body + 16] == C2PA_UUID:
        return [_finding(Kind.METADATA, Category.CONTENT_CREDENTIAL, "uuid/C2PA")]
    if kind == b"uuid" and data[box.body : box.body + 16] == XMP_UUID:
        return xmp.findings(data[box.body + 16 : box.end], "uuid/XMP") or _unknown("uuid/XMP")
    if kind in (b"free", b"skip") and not data[box.body : box.end].strip(b"\0"):
        return []
    return _unknown(_name(kind))


def _item(photo: Heif, item: Item) -> list[Finding]:
    where = f"meta/item/{_name(item.type)}"
    if item.type == b"Exif":
        return exif.findings(photo.exif_block(item), where) or _unknown(where)
    if item.type == b"mime":
        payload = photo.tables.payload(photo.data, item)
        if b"rdf+xml" in item.content_type:
            return xmp.findings(payload, where) or _unknown(where)
        if b"c2pa" in item.content_type.lower() or b"jumbf" in item.content_type.lower():
            return [_finding(Kind.METADATA, Category.CONTENT_CREDENTIAL, where)]
        return _unknown(where)
    if item.type not in CODED and item.type not in DERIVED and item.type not in (b"tmap", b"jpeg"):
        return _unknown(where)
    return [_finding(Kind.HIDDEN_IMAGE, _picture_role(photo, item), where)]


def _picture_role(photo: Heif, item: Item) -> str:
    kinds = {kind for kind, frm, _ in photo.tables.references if frm == item.id}
    aux = photo.aux_type(item.id)
    if b"thmb" in kinds:
        return Category.THUMBNAIL
    if aux in DEPTH or b"depth" in aux.lower():
        return Category.DEPTH_MAP
    if b"gainmap" in aux.lower() or item.type == b"tmap":
        return Category.GAIN_MAP
    return Category.SECOND_IMAGE


def _property(kind: bytes, payload: bytes) -> list[Finding]:
    if kind == b"colr" and payload[:4] in (b"prof", b"rICC"):
        return icc.findings(payload[4:], "meta/iprp/colr")
    categories = {
        b"udes": Category.CAPTION,
        b"crtt": Category.CAPTURE_TIME,
        b"mdft": Category.CAPTURE_TIME,
        b"altt": Category.CAPTION,
        **dict.fromkeys((b"clli", b"mdcv", b"cclv", b"amve", b"reve"), Category.DISPLAY_HINT),
    }
    if kind in categories:
        return [_finding(Kind.METADATA, categories[kind], f"meta/iprp/{_name(kind)}")]
    if kind in _build.PROPERTIES or kind in (b"rloc", b"a1lx", b"free"):
        return []
    return _unknown(f"meta/iprp/{_name(kind)}")


def _loose_bytes(photo: Heif) -> bool:
    """Whether media data holds bytes that belong to no item (the rest of an edited file, a hidden message).

    Those of a sequence belong to its tracks, which are not read.
    """
    if any(box.type == b"moov" for box in photo.top):
        return False
    spans = sorted(e for item in photo.tables.items.values() for e in item.extents)
    for box in photo.top:
        if box.type != b"mdat":
            continue
        at = box.body
        for start, length in spans:
            if box.body <= start < box.end:
                if start > at and photo.data[at:start].strip(b"\0"):
                    return True
                at = max(at, start + length)
        if photo.data[at : box.end].strip(b"\0"):
            return True
    return False


def _finding(kind: Kind, category: str, where: str, count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector="heif reader")


def _unknown(where: str) -> list[Finding]:
    return [_finding(Kind.METADATA, Category.UNKNOWN_BLOCK, where)]


def _name(kind: bytes) -> str:
    """The type of a box or an item where it is one of the known: four letters of somebody's own could be a name."""
    return kind.decode("ascii").strip() if kind in NAMED else "box"
