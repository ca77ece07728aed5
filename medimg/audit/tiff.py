"""Walk a written TIFF copy: one page, layout fields, its strips or tiles, and not a byte besides."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container
from typing import NamedTuple

from medimg.audit import _tiff_pictures as _pictures
from medimg.audit import icc
from medimg.errors import Malformed

WIDTHS = {3: 2, 4: 4, 5: 8, 7: 1}
"""Bytes of a value by its type: SHORT, LONG, RATIONAL, UNDEFINED (TIFF 6.0, section 2)."""
DENOMINATOR = 10_000
JPEG = 7
Beside = tuple[int, Container[int]]
"""A field, and the values with which another belongs beside it."""
NONE: Beside = (0, ())
PLACES = {273: 279, 324: 325}
"""Where strips and tiles begin -> how many bytes they have (sections 3 and 15)."""


class Field(NamedTuple):
    """A field of the copy; ``numbers`` where it is of a whole-number type."""

    order: str
    kind: int
    many: int
    raw: bytes
    numbers: tuple[int, ...]


Fields = dict[int, "Field"]
Predicate = Callable[[Field, Fields], bool]


def _numbers(
    most: int = 1, values: Container[int] | None = None, beside: tuple[int, Container[int]] = NONE
) -> Predicate:
    """Whole numbers, so many and no more, of these values; only beside a field that is ``beside`` of these values."""
    other, wanted = beside

    def judge(field: Field, fields: Fields) -> bool:
        defined = field.kind in (3, 4) and field.many <= most
        defined = defined and (values is None or all(n in values for n in field.numbers))
        return defined and (not other or fields[other].numbers[0] in wanted)

    return judge


def _fractions(many: int, beside: Beside) -> Predicate:
    """So many fractions; those could say anything, so they have the denominator that the writer gives them.

    What they say a JPEG says by itself (Supplement 2), and a viewer that heeds them all the same shows something else.
    """
    whole = _numbers(many, beside=beside)

    def judge(field: Field, fields: Fields) -> bool:
        if field.kind != 5:
            return whole(field, fields)
        other, wanted = beside
        words = struct.unpack(f"{field.order}{2 * field.many}I", field.raw)
        ten_thousandths = field.many <= many and all(word == DENOMINATOR for word in words[1::2])
        return ten_thousandths and fields[other].numbers[0] in wanted

    def without_jpeg(field: Field, fields: Fields) -> bool:
        return fields[259].numbers[0] != JPEG and judge(field, fields)

    return without_jpeg


def _map(field: Field, fields: Fields) -> bool:
    """Colours of 16 bits that cannot be taken for colours of 8: not all of them need fewer, or all are black."""
    some = set(field.numbers)
    return _numbers(768, None, PALETTE)(field, fields) and (some <= {0} or max(some) >= 256)


def _alike(field: Field, fields: Fields) -> bool:
    """Bits of each channel, the same for all."""
    return _numbers(8, (1, 2, 4, 8, 16))(field, fields) and len(set(field.numbers)) == 1


def _whole(field: Field, _: Fields) -> bool:
    """A picture by itself: no thumbnail, page or mask."""
    return field.kind == 4 and field.raw == bytes(4)


def _rows(field: Field, fields: Fields) -> bool:
    """No more rows in a strip than the picture has."""
    return _numbers()(field, fields) and field.numbers <= fields[257].numbers


def _profile(field: Field, _: Fields) -> bool:
    """A cleaned colour profile."""
    return not icc.strays(field.raw)


def _place(_: Field, __: Fields) -> bool:
    """Where strips or tiles are: judged by :func:`_chunks`."""
    return True


DEFLATED, AS_STORED = (259, (8,)), (259, (1, 7))
PALETTE, INKS, YCBCR = (262, (3,)), (262, (5,)), (262, (6,))
FIELDS: dict[int, Predicate] = {  # TIFF 6.0 by section, or where it stands
    254: _whole,  # NewSubfileType: 8
    256: _numbers(), 257: _numbers(),  # ImageWidth, ImageLength: 8
    258: _alike,  # BitsPerSample: 8
    259: _numbers(1, (1, 7, 8)),  # Compression: 8, Supplement 2
    262: _numbers(1, (0, 1, 2, 3, 5, 6, 8)),  # PhotometricInterpretation: 8, 16, 21, 23
    266: _numbers(1, (1, 2), AS_STORED),  # FillOrder: 8
    273: _place, 279: _place,  # StripOffsets, StripByteCounts: 8
    274: _numbers(1, range(2, 9)),  # Orientation, where it is not upright: 8
    277: _numbers(1, range(1, 6)),  # SamplesPerPixel: 8
    278: _rows,  # RowsPerStrip: 8
    284: _numbers(1, (1, 2)),  # PlanarConfiguration: 8
    317: _numbers(1, (1, 2, 3), DEFLATED),  # Predictor: 14, technical note 3
    320: _map,  # ColorMap: 5
    322: _numbers(), 323: _numbers(), 324: _place, 325: _place,  # tiles: 15
    332: _numbers(1, (1, 2), INKS),  # InkSet: 16
    338: _numbers(8, (0, 1, 2)),  # ExtraSamples: 18
    339: _numbers(8, (1, 4)),  # SampleFormat: 19
    529: _fractions(3, YCBCR),  # YCbCrCoefficients: 21
    530: _numbers(2, (1, 2, 4), YCBCR), 531: _numbers(1, (1, 2), YCBCR),  # YCbCrSubSampling, YCbCrPositioning: 21
    532: _fractions(6, YCBCR),  # ReferenceBlackWhite: 20
    34675: _profile,  # ICC.1, B.3
}  # fmt: skip
"""What a copy may say of its picture, and how."""


def walk(data: bytes) -> list[str]:
    """Paths of everything outside the allow-list; see :mod:`medimg.audit`."""
    order = {b"II*\0": "<", b"MM\0*": ">"}[data[:4]]  # nothing but classic TIFF is followed
    (ifd,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, ifd)
    end = ifd + 2 + 12 * count
    stray: list[str] = []
    if struct.unpack_from(f"{order}I", data, end) != (0,):
        stray.append("IFD1")
    spans = [(0, 8), (ifd, end + 4)]
    fields = dict(_field(data, order, at, spans, stray) for at in range(ifd + 2, end, 12))
    if len(fields) != count or list(fields) != sorted(fields):
        stray.append("IFD0/order")
    for tag, field in fields.items():
        if tag not in FIELDS or not FIELDS[tag](field, fields):
            stray.append(f"IFD0/{tag}")
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
    return tag, Field(order, kind, many, raw, numbers)


def _chunks(data: bytes, order: str, fields: dict[int, Field], stray: list[str]) -> list[tuple[int, int]]:
    places = [tag for tag in PLACES if tag in fields]
    if len(places) != 1:
        raise Malformed("the copy has no strips, or both strips and tiles.")
    starts, sizes = (fields[tag].numbers for tag in (places[0], PLACES[places[0]]))
    layout = _pictures.Layout(order, {tag: field.numbers for tag, field in fields.items() if field.numbers})
    spans = [(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    if layout.chunks() != len(starts) or (322 in fields) != (places[0] == 324):
        stray.append("strips/number")
        return spans
    for index, (start, end) in enumerate(spans):
        raw = data[start:end]
        if end > len(data):
            raise Malformed("a strip of the copy stands outside it.")
        stray += _pictures.strays(layout, index, raw)
    return spans


def _gaps(data: bytes, spans: list[tuple[int, int]]) -> list[str]:
    """Bytes that nothing points to, beyond one zero byte that makes a length even (TIFF 6.0, section 2)."""
    at = 0
    for start, end in (*sorted(spans), (len(data), len(data))):
        if not 0 <= start - at <= at % 2 or data[at:start].strip(b"\0"):
            return ["bytes of no field"]
        at = end
    return []
