"""Walk a written TIFF copy: one page, layout fields, its strips or tiles, and not a byte besides."""

from __future__ import annotations

import struct
from typing import NamedTuple

from medimg.audit import _tiff_pictures as _pictures
from medimg.audit import icc
from medimg.errors import Malformed

# tag -> most values it may hold (TIFF 6.0, section 8 and following); strips and tiles are judged apart.
FIELDS = {
    256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 266: 1, 274: 1, 277: 1, 278: 1, 284: 1, 292: 1, 293: 1, 317: 1,
    320: 768, 322: 1, 323: 1, 332: 1, 338: 8, 339: 8, 529: 3, 530: 2, 531: 1, 532: 6,
}  # fmt: skip
# tag -> (the field that says whether it belongs there, that field's values).
BELONGS = {
    292: (259, (3,)), 293: (259, (4,)), 317: (259, (5, 8, 32946)), 320: (262, (3,)), 332: (262, (5,)),
    529: (262, (6,)), 530: (262, (6,)), 531: (262, (6,)), 532: (262, (6,)),
}  # fmt: skip
DENOMINATOR = 10_000
PLACES = {273: 279, 324: 325}
WIDTHS = {3: 2, 4: 4, 5: 8, 7: 1}


class Field(NamedTuple):
    """A field of the copy; ``numbers`` where it is of a whole-number type."""

    kind: int
    many: int
    raw: bytes
    numbers: tuple[int, ...]


def walk(data: bytes) -> list[str]:
    """Paths of everything outside the allow-list; see :mod:`medimg.audit`."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise Malformed("the copy is no classic TIFF.")
    (ifd,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, ifd)
    end = ifd + 2 + 12 * count
    stray: list[str] = []
    if struct.unpack_from(f"{order}I", data, end) != (0,):
        stray.append("IFD1")
    spans = [(0, 8), (ifd, end + 4)]
    fields: dict[int, Field] = {}
    for at in range(ifd + 2, end, 12):
        tag, field = _field(data, order, at, spans, stray)
        stray += _judged(tag, field)
        fields[tag] = field
    stray += _out_of_place(fields, order)
    spans += _chunks(data, order, fields, stray)
    return stray + _gaps(data, spans)


def _field(data: bytes, order: str, entry: int, spans: list[tuple[int, int]], stray: list[str]) -> tuple[int, Field]:
    tag, kind, many = struct.unpack_from(f"{order}HHI", data, entry)
    size, at = WIDTHS.get(kind, 0) * many, entry + 8
    if size > 4:
        (at,) = struct.unpack_from(f"{order}I", data, at)
        spans.append((at, at + size))
    elif data[at + size : at + 4] != bytes(4 - size):
        stray.append(f"IFD0/{tag}/padding")
    raw = data[at : at + size]
    if not size or len(raw) != size:
        raise Malformed("a field of the copy stands outside it.")
    code = {3: "H", 4: "I"}.get(kind)
    numbers = struct.unpack(f"{order}{many}{code}", raw) if code else ()
    return tag, Field(kind, many, raw, numbers)


def _judged(tag: int, field: Field) -> list[str]:
    """The path of a field that may not stand there."""
    if tag == 254:
        good = field.kind == 4 and field.raw == bytes(4)
    elif tag in FIELDS:
        good = field.kind in (3, 4, 5) and field.many <= FIELDS[tag]
    elif tag == 34675:
        good = not icc.strays(field.raw)
    elif tag == 347:
        good = not _jpeg_extras(field.raw)
    else:
        good = tag in PLACES or tag in PLACES.values()
    return [] if good else [f"IFD0/{tag}"]


def _out_of_place(fields: dict[int, Field], order: str) -> list[str]:
    """Fields about something that the picture does not have, and numbers that could say anything."""
    there = {tag: (fields[BELONGS[tag][0]].numbers, BELONGS[tag][1]) for tag in BELONGS if tag in fields}
    out = [tag for tag, (said, wanted) in there.items() if said[0] not in wanted]
    if 278 in fields and fields[278].numbers > fields[257].numbers:
        out.append(278)
    for tag, field in fields.items():
        words = struct.unpack(f"{order}{len(field.raw) // 4}I", field.raw) if field.kind == 5 else ()
        if any(word != DENOMINATOR for word in words[1::2]):
            out.append(tag)
    return [f"IFD0/{tag}" for tag in out]


def _chunks(data: bytes, order: str, fields: dict[int, Field], stray: list[str]) -> list[tuple[int, int]]:
    places = [tag for tag in PLACES if tag in fields]
    if len(places) != 1:
        raise Malformed("the copy has no strips, or both strips and tiles.")
    starts, sizes = (fields[tag].numbers for tag in (places[0], PLACES[places[0]]))
    tables = fields[347].raw if 347 in fields else b""
    layout = _pictures.Layout(order, {tag: field.numbers for tag, field in fields.items() if field.numbers}, tables)
    if layout.chunks() != len(starts) or (322 in fields) != (places[0] == 324):
        stray.append("strips/number")
        return [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    out = []
    for index, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        raw = data[start : start + size]
        if len(raw) != size:
            raise Malformed("a strip of the copy stands outside it.")
        if layout.one(259, 1) == 7 and _jpeg_extras(raw):
            stray.append("strips/segments")
        else:
            stray += _pictures.strays(layout, index, raw)
        out.append((start, start + size))
    return out


def _jpeg_extras(raw: bytes) -> bool:
    """Whether a JPEG stream inside a strip holds anything but picture segments."""
    at = 2
    while at + 4 <= len(raw):
        marker, size = raw[at + 1], int.from_bytes(raw[at + 2 : at + 4], "big")
        if raw[at] != 0xFF or marker == 0xFE or 0xE0 <= marker <= 0xED or marker == 0xEF:
            return True
        if marker == 0xDA:
            return raw.find(b"\xff\xd9", at) != len(raw) - 2
        at += 2 + size
    return raw[at:] != b"\xff\xd9"


def _gaps(data: bytes, spans: list[tuple[int, int]]) -> list[str]:
    """Bytes that nothing points to, beyond one zero byte that makes a length even."""
    at = 0
    for start, end in sorted(spans):
        if start < at or start - at > 1 or data[at:start].strip(b"\0"):
            return ["bytes of no field"]
        at = end
    return ["bytes of no field"] if len(data) - at > 1 or data[at:].strip(b"\0") else []
