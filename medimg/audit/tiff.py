"""Walk a written TIFF copy: one page, layout fields, its strips or tiles, and not a byte besides."""

from __future__ import annotations

import struct
import zlib

from medimg.audit import _icc
from medimg.errors import Malformed

# tag -> most values it may hold (TIFF 6.0, section 8 and following); strips and tiles are judged apart.
FIELDS = {
    256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 266: 1, 274: 1, 277: 1, 278: 1, 284: 1, 292: 1, 293: 1, 317: 1,
    320: 768, 322: 1, 323: 1, 332: 1, 338: 8, 339: 8, 529: 3, 530: 2, 531: 1, 532: 6,
}  # fmt: skip
PLACES = {273: 279, 324: 325}
WIDTHS = {3: 2, 4: 4, 5: 8, 7: 1}


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
    values: dict[int, bytes] = {}
    kinds: dict[int, int] = {}
    for k in range(count):
        tag, kind, many = struct.unpack_from(f"{order}HHI", data, ifd + 2 + 12 * k)
        size = WIDTHS.get(kind, 0) * many
        at = ifd + 10 + 12 * k
        if size > 4:
            (at,) = struct.unpack_from(f"{order}I", data, at)
            spans.append((at, at + size))
        elif data[at + size : at + 4] != bytes(4 - size):
            stray.append(f"IFD0/{tag}/padding")
        values[tag], kinds[tag] = data[at : at + size], kind
        if not size or len(values[tag]) != size:
            raise Malformed("a field of the copy stands outside it.")
        if tag == 254:
            if kind != 4 or values[tag] != bytes(4):
                stray.append("IFD0/254")
        elif tag in FIELDS:
            if kind not in (3, 4, 5) or many > FIELDS[tag]:
                stray.append(f"IFD0/{tag}")
        elif tag == 34675:
            if _icc.strays(values[tag]):
                stray.append("IFD0/34675")
        elif tag == 347:
            if _jpeg_extras(values[tag]):
                stray.append("IFD0/347")
        elif tag not in PLACES and tag not in PLACES.values():
            stray.append(f"IFD0/{tag}")
    spans += _chunks(data, order, values, kinds, stray)
    return stray + _gaps(data, spans)


def _chunks(
    data: bytes, order: str, values: dict[int, bytes], kinds: dict[int, int], stray: list[str]
) -> list[tuple[int, int]]:
    places = [tag for tag in PLACES if tag in values]
    if len(places) != 1:
        raise Malformed("the copy has no strips, or both strips and tiles.")
    starts, sizes = (
        struct.unpack(f"{order}{len(values[t]) // WIDTHS[kinds[t]]}{'H' if kinds[t] == 3 else 'I'}", values[t])
        for t in (places[0], PLACES[places[0]])
    )
    compression = int.from_bytes(values[259], "little" if order == "<" else "big") if 259 in values else 1
    out = []
    for start, size in zip(starts, sizes, strict=True):
        raw = data[start : start + size]
        if len(raw) != size:
            raise Malformed("a strip of the copy stands outside it.")
        if compression == 7 and _jpeg_extras(raw):
            stray.append("strips/segments")
        elif compression in (8, 32946):
            stream = zlib.decompressobj()
            while not stream.eof and raw:  # in bounded pieces: only the end matters here
                stream.decompress(raw, 1 << 20)
                raw = stream.unconsumed_tail
            if not stream.eof or stream.unused_data:
                stray.append("strips/bytes after the end")
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
