"""Walk a written HEIF or AVIF copy: one picture, its tiles, an allow-list of properties, and not a byte besides."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from medimg.audit import _heif_pictures as _pictures
from medimg.audit import icc
from medimg.errors import Malformed

BRANDS = frozenset((b"heic", b"heix", b"mif1", b"miaf", b"avif", b"MA1B", b"MA1A", b"MiHB", b"MiHE"))
META = (b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc")
SIZES = {
    b"ispe": (12,),
    b"pasp": (8,),
    b"pixi": (6, 7, 8, 9),
    b"irot": (1,),
    b"imir": (1,),
    b"lsel": (2,),
    b"a1op": (1,),
}
RESERVED = {
    b"ispe": b"\xff" * 4, b"pixi": b"\xff" * 4, b"irot": b"\xfc", b"imir": b"\xfe",
    b"pasp": b"\xff\xff\0\0\xff\xff\0\0",
}  # fmt: skip
"""Bits at the start of a property that have to be 0."""
ITEMS = frozenset((b"hvc1", b"av01", b"grid", b"iden"))

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
    if len(tables) != len(list(_boxes(meta[4:]))) or not set(tables) <= set(META):
        return [*stray, "meta/unknown box"]
    if tables.get(b"hdlr") != bytes(8) + b"pict" + bytes(13):
        stray.append("meta/hdlr")
    types = _items(tables.get(b"iinf", b""), stray)
    sources = _references(tables.get(b"iref"), len(types), stray)
    properties = _properties(tables.get(b"iprp", b""), len(types), stray)
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


def _properties(raw: bytes, items: int, stray: list[str]) -> dict[int, dict[bytes, bytes]]:
    """Judge the properties; item -> the properties it has."""
    of: dict[int, dict[bytes, bytes]] = {number: {} for number in range(1, items + 1)}
    parts = list(_boxes(raw))
    if [k for k, _ in parts] != [b"ipco", b"ipma"]:
        stray.append("meta/iprp")
        return of
    properties = list(_boxes(parts[0][1]))
    used: set[int] = set()
    for number, indexes in _associations(parts[1][1], items, stray):
        used |= set(indexes)
        for kind, body in (properties[k - 1] for k in indexes if 1 <= k <= len(properties)):
            if kind in of[number] and kind != b"colr":
                stray.append("meta/iprp/ipma")
            of[number][kind] = body
    if used != set(range(1, len(properties) + 1)):
        stray.append("meta/iprp/ipma")
    for kind, body in properties:
        _property(kind, body, stray)
    return of


def _associations(raw: bytes, items: int, stray: list[str]) -> Iterator[tuple[int, list[int]]]:
    """(item, indexes of its properties) of every row of ``ipma``."""
    at, (flags, count) = 8, struct.unpack(">II", raw[:8])
    for row in range(1, count + 1):
        number, entries = struct.unpack_from(">HB", raw, at)
        if number == row <= items:
            yield number, [v & 0x7FFF for v in struct.unpack_from(f">{entries}H", raw, at + 3)]
        else:
            stray.append("meta/iprp/ipma")
        at += 3 + 2 * entries
    if flags != 1 or at != len(raw):
        stray.append("meta/iprp/ipma")


def _property(kind: bytes, body: bytes, stray: list[str]) -> None:
    if kind == b"hvcC":
        _hevc_configuration(body, stray)
    elif kind == b"av1C":
        if body[:1] != b"\x81" or any(t != 1 for t in _av1_types(body[4:])):
            stray.append("meta/iprp/av1C")
    elif kind == b"colr":
        if not _coding_points(body) and (body[:4] != b"prof" or icc.strays(body[4:])):
            stray.append("meta/iprp/colr")
    elif len(body) not in SIZES.get(kind, ()):
        stray.append("meta/iprp/unknown property")
    elif any(byte & reserved for byte, reserved in zip(body, RESERVED.get(kind, b""), strict=False)):
        stray.append(f"meta/iprp/{kind.decode()}")


def _coding_points(body: bytes) -> bool:
    """Whether colour information is code points that ITU-T H.273 defines."""
    nclx = body[:4] == b"nclx" and len(body) == 11 and not body[10] & 0x7F
    return nclx and all(value <= 22 for value in struct.unpack(">HHH", body[4:10]))


def _hevc_configuration(body: bytes, stray: list[str]) -> None:
    at = 23
    for _ in range(body[22]):
        kind, count = struct.unpack_from(">BH", body, at)
        at += 3
        for _ in range(count):
            at += 2 + struct.unpack_from(">H", body, at)[0]
        if kind & 63 not in (32, 33, 34):
            stray.append("meta/iprp/hvcC")
    if at != len(body):
        stray.append("meta/iprp/hvcC")


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


def _av1_types(data: bytes) -> list[int]:
    out, at = [], 0
    while at < len(data):
        head = data[at]
        out.append(head >> 3 & 15)
        at += 1 + (head >> 2 & 1)
        if not head & 2:
            return out
        size, shift = 0, 0
        while True:
            if at >= len(data) or shift > 49:
                raise Malformed("a coded picture of the copy is damaged.")
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        at += size
    if at != len(data):
        raise Malformed("a coded picture of the copy ends early.")
    return out
