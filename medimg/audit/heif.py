"""Walk a written HEIF or AVIF copy: one picture, its tiles, an allow-list of properties, and not a byte besides."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from medimg.audit import _heif_pictures as _pictures
from medimg.audit import icc
from medimg.errors import Malformed

BRANDS = frozenset((b"heic", b"heix", b"mif1", b"miaf", b"avif", b"MA1B", b"MA1A", b"MiHB", b"MiHE"))
TABLES = (b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc")
"""What ``meta`` may hold (ISO/IEC 23008-12, 6.2; 14496-12, 8.11)."""
HANDLER = bytes(8) + b"pict" + bytes(13)
"""Pictures, without a name (14496-12, 8.4.3)."""
FIRST = bytes(4) + b"\0\1"
"""The first item is the picture (14496-12, 8.11.4)."""
CONFIGURED = {b"hvc1": b"hvcC", b"av01": b"av1C"}
"""Coded pictures, and the property that says how to decode each (14496-15, 8.3.3.1; AV1 in ISOBMFF 1.2, 2.3)."""
ITEMS = frozenset((*CONFIGURED, b"grid", b"iden"))
"""Coded pictures (23008-12, B.2; AVIF 1.1, 2.1), a grid of them, one of them turned (23008-12, 6.6.2)."""
ESSENTIAL = frozenset((*CONFIGURED.values(), b"irot", b"imir"))
"""Properties of which a reader is told that it cannot do without: 23008-12, 6.5.1."""
FIXED: dict[bytes, tuple[tuple[int, ...], bytes]] = {
    b"ispe": ((12,), b"\xff" * 4),  # width and height: 23008-12, 6.5.3
    b"pasp": ((8,), b"\xff\xff\0\0\xff\xff\0\0"),  # the shape of a pixel, in small numbers: 14496-12, 12.1.4
    b"irot": ((1,), b"\xfc"),  # quarter turns: 23008-12, 6.5.10
    b"imir": ((1,), b"\xfe"),  # mirrored: 23008-12, 6.5.12
}
"""Properties of a fixed form: the lengths that they may have, and the bits at their start that have to be 0."""

Part = tuple[bytes, bytes]


def walk(data: bytes) -> list[str]:
    """Paths of everything outside the allow-list; see :mod:`medimg.audit`."""
    parts = list(_boxes(data))
    if [p[0] for p in parts] != [b"ftyp", b"meta", b"mdat"]:
        return ["boxes beside ftyp, meta and mdat"]
    stray: list[str] = []
    ftyp, meta, mdat = (p[1] for p in parts)
    brands = [ftyp[:4]] + [ftyp[k : k + 4] for k in range(8, len(ftyp), 4)]
    if len(ftyp) % 4 or ftyp[4:8] != bytes(4) or not set(brands) <= BRANDS:
        stray.append("ftyp")
    if meta[:4] != bytes(4):
        stray.append("meta/flags")
    tables = dict(_boxes(meta[4:]))
    if len(tables) != len(list(_boxes(meta[4:]))) or not set(tables) <= set(TABLES):
        return [*stray, "meta/unknown box"]
    if tables.get(b"hdlr") != HANDLER:
        stray.append("meta/hdlr")
    if tables.get(b"pitm") != FIRST:
        stray.append("meta/pitm")
    types = _items(tables.get(b"iinf", b""), stray)
    sources = _references(tables.get(b"iref"), len(types), stray)
    properties = _properties(tables.get(b"iprp", b""), types, stray)
    extents = _extents(tables.get(b"iloc", b""), len(types), stray)
    at = len(data) - len(mdat)
    items = []
    for number, (kind, (offset, length)) in enumerate(zip(types, extents, strict=True), 1):
        if offset != at:
            stray.append("mdat/bytes of no item")
        at = offset + length
        items.append(_pictures.Item(kind, properties[number], sources.get(number, []), offset, data[offset:at]))
        _derived(items[-1], stray)
    if at != len(data):
        stray.append("mdat/bytes of no item")
    return stray or _pictures.strays(data, items)


def _boxes(data: bytes) -> Iterator[Part]:
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise Malformed("a box of the copy is cut short.")
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise Malformed("a box of the copy has a wrong size.")
        yield kind, data[at + 8 : at + size]
        at += size


def _items(raw: bytes, stray: list[str]) -> list[bytes]:
    types: list[bytes] = []
    for number, (kind, body) in enumerate(_boxes(raw[6:]), 1):
        good = kind == b"infe" and len(body) == 13 and body[0] == 2 and body[1:4] == bytes(3)
        if not good or body[4:8] != struct.pack(">HH", number, 0) or body[8:12] not in ITEMS or body[12]:
            stray.append("meta/iinf")
        types.append(body[8:12])
    if raw[:6] != struct.pack(">IH", 0, len(types)):
        stray.append("meta/iinf")
    return types


def _references(raw: bytes | None, items: int, stray: list[str]) -> dict[int, list[int]]:
    """Item -> the items that it is derived from."""
    sources: dict[int, list[int]] = {}
    if raw is None:
        return sources
    if raw[:4] != bytes(4):
        stray.append("meta/iref")
    for kind, body in _boxes(raw[4:]):
        numbers = struct.unpack(f">{len(body) // 2}H", body[: len(body) // 2 * 2])
        tiles = (numbers[0], *numbers[2:])
        whole = kind == b"dimg" and not len(body) % 2 and numbers[1] == len(numbers) - 2
        if not whole or not all(1 <= n <= items for n in tiles) or numbers[0] in sources:
            stray.append("meta/iref")
        sources[numbers[0]] = list(numbers[2:])
    return sources


def _properties(raw: bytes, types: list[bytes], stray: list[str]) -> dict[int, dict[bytes, bytes]]:
    """Judge the properties; item -> the properties it has."""
    of: dict[int, dict[bytes, bytes]] = {number: {} for number in range(1, len(types) + 1)}
    parts = list(_boxes(raw))
    if [k for k, _ in parts] != [b"ipco", b"ipma"]:
        stray.append("meta/iprp")
        return of
    properties = list(_boxes(parts[0][1]))
    rows = list(_associations(parts[1][1], len(types), stray))
    used = {entry & 0x7FFF for _, entries in rows for entry in entries}
    for number, entries in rows:
        own = [properties[k - 1] for k in (entry & 0x7FFF for entry in entries) if 1 <= k <= len(properties)]
        of[number] = dict(own)
        if [entry >> 15 for entry in entries] != [kind in ESSENTIAL for kind, _ in own]:
            stray.append("meta/iprp/ipma")
        once = [(kind, body[:4]) if kind == b"colr" else kind for kind, body in own]
        configured = {CONFIGURED.get(types[number - 1])} - {None}
        if len(set(once)) != len(once) or {kind for kind, _ in own} & {*CONFIGURED.values()} != configured:
            stray.append("meta/iprp/ipma")
    if len({tuple(entries) for (_, entries), kind in zip(rows[1:], types[1:], strict=False) if kind in CONFIGURED}) > 1:
        stray.append("meta/iprp/tiles that differ")
    if used != set(range(1, len(properties) + 1)):
        stray.append("meta/iprp/ipma")
    for kind, body in properties:
        stray += _property(kind, body)
    return of


def _associations(raw: bytes, items: int, stray: list[str]) -> Iterator[tuple[int, list[int]]]:
    """(item, entries) of every row of ``ipma``: indexes of properties, 0x8000 more where it cannot do without one."""
    at, (flags, count) = 8, struct.unpack(">II", raw[:8])
    for row in range(1, count + 1):
        number, entries = struct.unpack_from(">HB", raw, at)
        if number == row <= items:
            yield number, list(struct.unpack_from(f">{entries}H", raw, at + 3))
        else:
            stray.append("meta/iprp/ipma")
        at += 3 + 2 * entries
    if flags != 1 or at != len(raw):
        stray.append("meta/iprp/ipma")


def _property(kind: bytes, body: bytes) -> list[str]:
    """The paths of what a property may not be or hold."""
    if kind in CONFIGURED.values():
        return []  # judged beside its picture
    if kind in LONGER:
        return [] if LONGER[kind](body) else [f"meta/iprp/{kind.decode()}"]
    lengths, zero = FIXED.get(kind, ((), b""))
    if len(body) not in lengths:
        return ["meta/iprp/unknown property"]
    return [f"meta/iprp/{kind.decode()}"] if any(a & b for a, b in zip(body, zero, strict=False)) else []


def _colours(body: bytes) -> bool:
    """Code points that ITU-T H.273 defines and a flag, or a cleaned profile."""
    if body[:4] == b"nclx":
        points = len(body) == 11 and not body[10] & 0x7F
        return points and all(value <= 22 for value in struct.unpack(">HHH", body[4:10]))
    return body[:4] == b"prof" and not icc.strays(body[4:])


def _bits(body: bytes) -> bool:
    """How many channels, and how deep each is: 8 to 16 bits (ITU-T H.265, 7.4.3.2.1; AV1, 5.5.2)."""
    depths = body[5:]
    return body[:4] == bytes(4) and body[4] == len(depths) <= 4 and set(depths) <= set(range(8, 17))


LONGER: dict[bytes, Callable[[bytes], bool]] = {
    b"colr": _colours,  # 14496-12, 12.1.5
    b"pixi": _bits,  # 23008-12, 6.5.6
}
"""Properties that hold more, and whether they hold only what they may."""


def _extents(raw: bytes, items: int, stray: list[str]) -> list[tuple[int, int]]:
    if raw[:8] != struct.pack(">IHH", 0, 0x4400, items) or len(raw) != 8 + 14 * items:
        raise Malformed("the copy's location table is not valid.")
    out = []
    for k in range(items):
        number, source, one, offset, length = struct.unpack_from(">HHHII", raw, 8 + 14 * k)
        if (number, source, one) != (k + 1, 0, 1):
            stray.append("meta/iloc")
        out.append((offset, length))
    return out


def _derived(item: _pictures.Item, stray: list[str]) -> None:
    if item.kind == b"grid" and len(item.payload) != (12 if item.payload[1] & 1 else 8):
        stray.append("mdat/grid")
    if item.kind == b"iden" and item.payload:
        stray.append("mdat/derived picture")
