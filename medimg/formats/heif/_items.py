"""The item tables of a HEIF file (ISO/IEC 23008-12, 6; ISO/IEC 14496-12, 8.11), parsed and bounded."""

from __future__ import annotations

from dataclasses import dataclass, field

from medimg.errors import Malformed, Unsupported
from medimg.formats.shared.bmff import Reader, Span, boxes

MAX_ITEMS = 20_000
MAX_EXTENTS = 100_000

CODED = {b"hvc1": "heic", b"av01": "avif"}
"""Item types of coded pictures."""
DERIVED = frozenset((b"grid", b"iden", b"iovl"))
"""Item types of pictures that are put together from others."""


@dataclass
class Item:
    """One item: its four-character type and everything the tables say of it."""

    id: int
    type: bytes = b""
    name: bytes = b""
    content_type: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    """(offset in the file, length)"""
    properties: list[tuple[int, bool]] = field(default_factory=list)
    """(index into the property list, essential)"""


@dataclass
class Tables:
    """Everything in the ``meta`` box that says which bytes are which picture."""

    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(type, payload without the box header); index 1 is the first"""
    handler: bytes = b""
    others: list[bytes] = field(default_factory=list)
    """Types of boxes that carry no structure we keep."""

    def payload(self, data: bytes, item: Item) -> bytes:
        """An item's bytes, its extents joined."""
        return b"".join(data[a : a + n] for a, n in item.extents)

    def targets(self, kind: bytes, source: int) -> list[int]:
        """Items that ``source`` refers to by references of one kind, in order."""
        return [to for k, frm, many in self.references if k == kind and frm == source for to in many]


def read(data: bytes, meta: Span) -> Tables:
    """Parse a ``meta`` box.

    Raises:
        Malformed: The tables contradict each other or run past their boxes.
        Unsupported: They use a construction that still photographs do not (external data, item offsets).
    """
    tables = Tables()
    inside: dict[bytes, Span] = {}
    for one in boxes(data, meta.body + 4, meta.end):
        if one.type in inside:
            raise Malformed("a table appears twice.")
        inside[one.type] = one
        if one.type not in (b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"dinf"):
            tables.others.append(one.type)
    if b"pitm" not in inside:
        raise Unsupported("this file holds no single primary picture.")
    for needed in (b"hdlr", b"iinf", b"iloc", b"iprp"):
        if needed not in inside:
            raise Malformed("a table that every picture needs is missing.")
    _handler(data, inside[b"hdlr"], tables)
    reader, version = _full(data, inside[b"pitm"])
    tables.primary = reader.uint(4 if version else 2)
    _item_info(data, inside[b"iinf"], tables)
    _locations(data, inside[b"iloc"], inside.get(b"idat"), tables)
    _properties(data, inside[b"iprp"], tables)
    if b"iref" in inside:
        _references(data, inside[b"iref"], tables)
    if tables.primary not in tables.items:
        raise Malformed("the primary picture is missing.")
    return tables


def _full(data: bytes, span: Span) -> tuple[Reader, int]:
    reader = Reader(data, span.body, span.end)
    version = reader.uint(1)
    reader.take(3)
    return reader, version


def _handler(data: bytes, span: Span, tables: Tables) -> None:
    reader, _ = _full(data, span)
    reader.take(4)
    if reader.take(4) != b"pict":
        raise Unsupported("this file holds no still picture.", todo="Save the picture you need as JPEG first.")
    reader.take(12)
    tables.handler = reader.take(reader.left).rstrip(b"\0")


def _item_info(data: bytes, span: Span, tables: Tables) -> None:
    reader, version = _full(data, span)
    count = reader.uint(4 if version else 2)
    for one in boxes(data, reader.at, span.end):
        if one.type != b"infe" or len(tables.items) >= MAX_ITEMS:
            raise Malformed("the item table is not valid.")
        entry, entry_version = _full(data, one)
        if entry_version not in (2, 3):
            raise Unsupported("the item table is of a kind that still photographs do not use.")
        item = Item(entry.uint(4 if entry_version == 3 else 2))
        entry.take(2)
        item.type = entry.take(4)
        item.name = entry.text()
        if item.type == b"mime":
            item.content_type = entry.text()
        if item.id in tables.items:
            raise Malformed("an item appears twice.")
        tables.items[item.id] = item
    if len(tables.items) != count:
        raise Malformed("the item table is not valid.")


def _locations(data: bytes, span: Span, idat: Span | None, tables: Tables) -> None:
    reader, version = _full(data, span)
    if version > 2:
        raise Unsupported("the location table is of an unknown version.")
    sizes = reader.uint(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    if not {offset_size, length_size, base_size, index_size} <= {0, 4, 8}:
        raise Malformed("the location table is not valid.")
    seen: set[int] = set()
    total = 0
    for _ in range(reader.uint(4 if version == 2 else 2)):
        number = reader.uint(4 if version == 2 else 2)
        method = reader.uint(2) & 15 if version else 0
        if reader.uint(2) or method > 1 or (method == 1 and idat is None):
            raise Unsupported("a picture's bytes stand outside the file or in another item.")
        base = reader.uint(base_size)
        if number in seen:
            raise Malformed("an item's place appears twice.")
        seen.add(number)
        low, high = (idat.body, idat.end) if method == 1 and idat else (0, len(data))
        for _ in range(reader.uint(2)):
            reader.take(index_size)
            offset = low + base + reader.uint(offset_size)
            length = reader.uint(length_size)
            if not length_size:
                length = high - offset
            total += 1
            if total > MAX_EXTENTS or offset < low or length < 0 or offset + length > high:
                raise Malformed("a picture's bytes stand outside the file.")
            if number in tables.items:
                tables.items[number].extents.append((offset, length))


def _properties(data: bytes, span: Span, tables: Tables) -> None:
    for one in boxes(data, span.body, span.end):
        if one.type == b"ipco":
            if tables.properties:
                raise Malformed("the property table appears twice.")
            for prop in boxes(data, one.body, one.end):
                if len(tables.properties) >= MAX_ITEMS:
                    raise Malformed("there are too many properties.")
                tables.properties.append((prop.type, data[prop.body : prop.end]))
        elif one.type == b"ipma":
            _associations(data, one, tables)
    for item in tables.items.values():
        if any(index > len(tables.properties) for index, _ in item.properties):
            raise Malformed("a picture names a property that is not there.")


def _associations(data: bytes, span: Span, tables: Tables) -> None:
    reader, version = _full(data, span)
    wide = data[span.body + 3] & 1
    top = 15 if wide else 7
    for _ in range(reader.uint(4)):
        number = reader.uint(4 if version else 2)
        for _ in range(reader.uint(1)):
            value = reader.uint(2 if wide else 1)
            if number in tables.items and value & ((1 << top) - 1):
                tables.items[number].properties.append((value & ((1 << top) - 1), bool(value >> top)))


def _references(data: bytes, span: Span, tables: Tables) -> None:
    reader, version = _full(data, span)
    size = 4 if version else 2
    for one in boxes(data, reader.at, span.end):
        entry = Reader(data, one.body, one.end)
        source = entry.uint(size)
        tables.references.append((one.type, source, [entry.uint(size) for _ in range(entry.uint(2))]))
