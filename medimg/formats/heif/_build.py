"""Building a HEIF file of one picture: an allow-list of properties, the picture's bytes, nothing else."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, NamedTuple

from medimg.errors import Malformed, Unsupported
from medimg.formats.heif._items import CODED
from medimg.formats.shared import icc
from medimg.formats.shared.bmff import box, full_box

if TYPE_CHECKING:
    from medimg.formats.heif.photo import Heif

# Property -> exact payload sizes (ISO/IEC 23008-12, 6.5; ISO/IEC 14496-12, 12.1.4 and 12.1.5; MIAF 7.3.6). ``None``:
# rebuilt below, because its size varies.
PROPERTIES: dict[bytes, frozenset[int] | None] = {
    b"ispe": frozenset((12,)),
    b"pasp": frozenset((8,)),
    b"irot": frozenset((1,)),
    b"imir": frozenset((1,)),
    b"clap": frozenset((32,)),
    b"lsel": frozenset((2,)),
    b"a1op": frozenset((1,)),
    b"pixi": None,
    b"colr": None,
    b"hvcC": None,
    b"av1C": None,
    b"auxC": None,
}
# Bits that say something (ISO/IEC 23008-12, 6.5.3, 6.5.10 and 6.5.12); the rest is reserved and becomes 0.
MASKS = {b"ispe": bytes(4) + b"\xff" * 8, b"irot": b"\x03", b"imir": b"\x01"}
SHAPE = 0xFFFF
"""Largest number in the shape of a pixel."""
DEPTHS = range(8, 17)
"""Bits that a channel of HEVC or AV1 has; others could say anything."""
TRANSFORMS = (b"clap", b"irot", b"imir")
DROPPED = frozenset((b"auxC",))
CONFIGURATIONS = (b"hvcC", b"av1C")
ESSENTIAL = (*CONFIGURATIONS, *TRANSFORMS, b"lsel", b"a1op")
"""Properties without which a picture is shown wrongly (ISO/IEC 23008-12, 6.5); makers do not agree about the others."""
LAYERS = (b"lsel", b"a1op")
"""Which layer is shown: a picture whose heads are written again has one."""


class Built(NamedTuple):
    """The new file, and how many units inside the coded pictures were left out of it."""

    data: bytes
    dropped_units: int


def build(photo: Heif, *, keep_profile: bool = True, turned: bool = True) -> Built:
    """A new file with the primary picture and its tiles, in their order, numbered from 1.

    Args:
        photo: What is built from.
        keep_profile: Whether the colour profile stays.
        turned: Whether the picture is cropped, turned and mirrored by whoever opens the file.

    Raises:
        Malformed: A property has a size its definition does not allow.
        Unsupported: The picture needs a property that is not known.
    """
    tables = photo.tables
    number = {old: new for new, old in enumerate(photo.kept, 1)}
    properties: list[tuple[bytes, bytes]] = []
    association: list[bytes] = []
    payloads: list[bytes] = []
    infos: list[bytes] = []
    dropped = 0
    for old in photo.kept:
        item = tables.items[old]
        coded = photo.coded(old) if item.type in CODED else None
        entries: dict[int, bytes] = {}
        for index, essential in item.properties:
            kind, raw = tables.properties[index - 1]
            if (kind in TRANSFORMS and not turned) or (kind in LAYERS and (coded is None or coded.plain)):
                continue
            if coded and kind in CONFIGURATIONS:
                raw = coded.configuration
            kept = _property(kind, raw, essential, keep_profile)
            if kept is None:
                continue
            if (kind, kept) not in properties:
                properties.append((kind, kept))
            place = properties.index((kind, kept)) + 1
            _new(entries, place, kind)
            entries[place] = struct.pack(">H", (kind in ESSENTIAL) << 15 | place)
        _once(properties, entries)
        if old == tables.primary and keep_profile and photo.adobe_rgb:
            properties.append((b"colr", b"prof" + icc.adobe_rgb()))
            entries[len(properties)] = struct.pack(">H", len(properties))
        association.append(struct.pack(">HB", number[old], len(entries)) + b"".join(entries.values()))
        if coded:
            payload, lost = coded.payload, coded.dropped
        else:
            payload, lost = _derived(item.type, tables.payload(photo.data, item))
        dropped += lost
        payloads.append(payload)
        infos.append(full_box(b"infe", 2, struct.pack(">HH4s", number[old], 0, item.type), b"\0"))
    if len(number) > 0xFFFF or len(properties) > 0x7FFF:
        raise Malformed("there are too many pictures in this file.")
    references = b"".join(
        box(kind, struct.pack(f">HH{len(to)}H", number[frm], len(to), *(number[t] for t in to)))
        for kind, frm, to in tables.references
        if kind == b"dimg" and frm in number
    )
    static = [
        full_box(b"hdlr", 0, bytes(4), b"pict", bytes(12), b"\0"),
        full_box(b"pitm", 0, struct.pack(">H", 1)),
        full_box(b"iinf", 0, struct.pack(">H", len(infos)), *infos),
        *([full_box(b"iref", 0, references)] if references else []),
        box(
            b"iprp",
            box(b"ipco", *(box(k, p) for k, p in properties)),
            full_box(b"ipma", 0, struct.pack(">I", len(association)), *association, flags=1),
        ),
    ]
    ftyp = _brands(photo)
    head = len(ftyp) + len(full_box(b"meta", 0, *static, _locations(payloads, 0))) + 8
    meta = full_box(b"meta", 0, *static, _locations(payloads, head))
    return Built(ftyp + meta + box(b"mdat", *payloads), dropped)


def _locations(payloads: list[bytes], start: int) -> bytes:
    entries = []
    for number, payload in enumerate(payloads, 1):
        entries.append(struct.pack(">HHHII", number, 0, 1, start, len(payload)))
        start += len(payload)
    return full_box(b"iloc", 0, struct.pack(">BBH", 0x44, 0, len(entries)), *entries)


def _new(places: Container[int], place: int, kind: bytes) -> None:
    """Refuse a property that a picture has already; what says nothing but the depth of its channels is told once."""
    if place in places and kind not in (b"colr", b"pixi"):
        raise Malformed("a picture has one property twice.")


def _once(properties: list[tuple[bytes, bytes]], places: Iterable[int]) -> None:
    """Refuse a picture that has two of a property, of which readers differ; colours may be told in two ways."""
    kinds = [kind for kind, _ in (properties[place - 1] for place in places) if kind != b"colr"]
    if len(set(kinds)) < len(kinds):
        raise Malformed("a picture has one property twice.")


def _property(kind: bytes, raw: bytes, essential: bool, keep_profile: bool) -> bytes | None:
    if kind not in PROPERTIES or kind in DROPPED:
        if essential:
            raise Unsupported("the picture needs a property that is not known.")
        return None
    sizes = PROPERTIES[kind]
    if sizes is not None and len(raw) not in sizes:
        raise Malformed("a property of the picture has a wrong size.")
    if kind == b"pixi":  # bits of each channel; what a later version adds behind them is left out
        if len(raw) < 5 or not 1 <= raw[4] <= 4 or len(raw) < 5 + raw[4]:
            raise Malformed("a property of the picture has a wrong size.")
        depths = raw[5 : 5 + raw[4]]
        return bytes(4) + raw[4:5] + depths if set(depths) <= set(DEPTHS) else None
    if kind == b"colr":
        if raw[:4] == b"nclx":
            return _coding_points(raw)
        profile = icc.clean(raw[4:]) if keep_profile and raw[:4] in (b"prof", b"rICC") else None
        return b"prof" + profile if profile else None
    if kind == b"pasp":  # the shape of a pixel, where it is a shape: two numbers could say anything
        across, down = struct.unpack(">II", raw)
        return raw if across != down and max(across, down) <= SHAPE else None
    if kind in MASKS:
        return bytes(byte & mask for byte, mask in zip(raw, MASKS[kind], strict=True))
    return raw


def _coding_points(raw: bytes) -> bytes | None:
    """Primaries, transfer and matrix of ITU-T H.273 and the range; None for numbers it does not define."""
    if len(raw) != 11:
        raise Malformed("a property of the picture has a wrong size.")
    primaries, transfer, matrix = struct.unpack(">HHH", raw[4:10])
    if primaries > 22 or transfer > 18 or matrix > 17:
        return None
    return raw[:10] + bytes([raw[10] & 0x80])


def _derived(kind: bytes, raw: bytes) -> tuple[bytes, int]:
    """What a picture that is put together from others says, and whether anything stood behind it."""
    size = _derived_size(kind, raw)
    if len(raw) < size:
        raise Malformed("a derived picture is cut short.")
    return raw[:size], int(len(raw) > size)


def _derived_size(kind: bytes, raw: bytes) -> int:
    """Bytes of a derivation (ISO/IEC 23008-12, 6.6.2): identity 0, grid 8 or 12."""
    if kind == b"iden":
        return 0
    if kind == b"grid" and len(raw) >= 8:
        return 12 if raw[1] & 1 else 8
    raise Unsupported("the picture is put together in a way that is not handled.")


def _brands(photo: Heif) -> bytes:
    """``ftyp``: the original's still-picture brands, in a fixed order."""
    raw = photo.data[photo.top[0].body : photo.top[0].end]
    had = {raw[:4], *(raw[k : k + 4] for k in range(8, len(raw) - 3, 4))}
    if photo.coding == "avif":
        known = [b"avif", b"mif1", b"miaf", b"MA1B", b"MA1A"]
        major = b"avif"
    else:
        known = [b"mif1", b"heic", b"heix", b"miaf", b"MiHB", b"MiHE"]
        major = raw[:4] if raw[:4] in (b"heic", b"heix", b"mif1") else b"heix" if b"heix" in had else b"heic"
    compatible = [b for b in known if b in had or b in (b"mif1", major)]
    return box(b"ftyp", major, bytes(4), *compatible)
