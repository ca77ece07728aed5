"""What the strips and tiles of a TIFF copy hold: the rows and columns that are shown, and filling."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from medimg.errors import CheckNotRun, Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE, JPEG, DEFLATE, PACKBITS = 1, 7, (8, 32946), 32773
SPARE = 8
"""A JPEG that decodes to the same with its last bytes changed carries something behind its last block."""
NOISE = 16
"""Levels of 255 by which the filling of a JPEG tile may have changed."""


class Layout(NamedTuple):
    """What the fields of the copy say, as numbers, and the byte order."""

    order: str
    numbers: dict[int, tuple[int, ...]]
    tables: bytes

    def one(self, tag: int, default: int) -> int:
        """The first value of a field."""
        return self.numbers.get(tag, (default,))[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.numbers[256][0], self.numbers[257][0]

    def chunk(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a strip or tile, as it is coded."""
        width, height = self.size
        tiled = 322 in self.numbers
        across = self.numbers[322][0] if tiled else width
        down = self.numbers[323][0] if tiled else min(self.one(278, height), height)
        columns, rows = -(-width // across), -(-height // down)
        row, column = divmod(index % (columns * rows), columns)
        return column * across, row * down, across, down if tiled else min(down, height - row * down)

    def chunks(self) -> int:
        """How many strips or tiles there have to be."""
        *_, across, down = self.chunk(0)
        width, height = self.size
        once = -(-width // across) * -(-height // down)
        return once * (self.one(277, 1) if self.apart else 1)

    @property
    def apart(self) -> bool:
        """Whether each channel has strips or tiles of its own."""
        return self.one(284, 1) == 2

    def length(self, index: int) -> int:
        """Bytes of a strip or tile before it was packed."""
        *_, across, rows = self.chunk(index)
        samples = 1 if self.apart else self.one(277, 1)
        return -(-across * samples * self.one(258, 1) // 8) * rows


def strays(layout: Layout, index: int, raw: bytes) -> list[str]:
    """Paths of what a strip or tile holds besides its part of the picture."""
    packing = layout.one(259, NONE)
    if packing == JPEG:
        return _jpeg(layout, index, raw) + _past_the_edge(layout, index, raw)
    unpacked = {NONE: len, PACKBITS: _unpacked_bits}.get(packing, _inflated if packing in DEFLATE else None)
    if unpacked is not None and unpacked(raw) != layout.length(index):
        return ["strips/length"]
    return _past_the_edge(layout, index, raw)


def _unpacked_bits(raw: bytes) -> int:
    """How many bytes a PackBits strip gives (TIFF 6.0, section 9); -1 when it does not end where a run ends."""
    at = size = 0
    while at < len(raw):
        head = raw[at]
        size += head + 1 if head < 128 else (257 - head) * (head > 128)
        at += head + 2 if head < 128 else 1 + (head > 128)
    return size if at == len(raw) else -1


def _inflated(raw: bytes) -> int:
    """How many bytes a zlib stream gives; -1 when it does not end where the strip does."""
    stream, size = zlib.decompressobj(), 0
    while not stream.eof and raw:  # in bounded pieces
        piece = stream.decompress(raw, 1 << 20)
        if not piece and stream.unconsumed_tail == raw:
            break
        size, raw = size + len(piece), stream.unconsumed_tail
    return size if stream.eof and not stream.unused_data else -1


# -- JPEG -------------------------------------------------------------------------------------------------------------


def _jpeg(layout: Layout, index: int, raw: bytes) -> list[str]:
    """A frame of the right size, and nothing behind its last block."""
    *_, across, rows = layout.chunk(index)
    at = 2
    frame = None
    while raw[at + 1] != 0xDA:
        if raw[at + 1] in (0xC0, 0xC1, 0xC2):
            down, wide = struct.unpack_from(">HH", raw, at + 5)
            frame = wide, down
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    if frame != (across, rows):
        return ["strips/size of a JPEG"]
    start = at + 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    whole = layout.tables[:-2] + raw[2:] if layout.tables else raw
    pixels = _shown(whole, "JPEG")
    other = _shown(whole[: len(whole) - len(raw) + start] + _changed(raw[start:]), "JPEG")
    if pixels is None:
        raise Malformed("a strip of the copy could not be decoded.")
    return ["strips/after the picture"] if other is not None and bool((pixels == other).all()) else []


def _changed(scan: bytes) -> bytes:
    """Coded data with their last bytes changed, but no marker made or broken."""
    end = scan.rindex(b"\xff\xd9")
    near = range(max(1, end - 4 * SPARE), end)
    out = bytearray(scan)
    for k in [k for k in near if 0xFF not in scan[k - 1 : k + 1]][-SPARE:]:
        out[k] = scan[k] ^ 0x55 if scan[k] != 0xAA else 0
    return bytes(out)


# -- the edge ---------------------------------------------------------------------------------------------------------


def _past_the_edge(layout: Layout, index: int, raw: bytes) -> list[str]:
    """A tile holds nothing but filling past the edge of the picture."""
    left, top, across, down = layout.chunk(index)
    columns, rows = min(across, layout.size[0] - left), min(down, layout.size[1] - top)
    if (columns, rows) == (across, down):
        return []
    pixels = _shown(_alone(layout, index, raw), "TIFF")
    if pixels is None or pixels.shape[:2] != (down, across):
        raise CheckNotRun("a tile of the copy that reaches over the edge could not be decoded.")
    noise = NOISE if layout.one(259, NONE) == JPEG else 0
    filled = _filling(pixels[:rows, columns:], pixels[:rows, columns - 1 : columns], noise) and _filling(
        pixels[rows:].swapaxes(0, 1), pixels[rows - 1 : rows].swapaxes(0, 1), noise
    )
    return [] if filled else ["strips/past the edge"]


def _filling(part: NDArray, edge: NDArray, noise: int) -> bool:  # type: ignore[type-arg]
    if not part.size:
        return True
    wide = part.astype(int)
    spread = (wide.max(axis=(0, 1)) - wide.min(axis=(0, 1))).max()
    return bool(spread <= 2 * noise) or bool(abs(wide - edge.astype(int)).max() <= noise)


def _alone(layout: Layout, index: int, raw: bytes) -> bytes:
    """A tile as a file of one strip; a palette's numbers and a channel that stands apart as grey.

    T6Options (293) is left out: it could allow uncompressed runs alone, which libtiff does not decode.
    """
    *_, across, down = layout.chunk(index)
    apart = layout.apart
    grey = apart or layout.one(262, 1) == 3
    kept = (258, 259, 262, 266, 277, 292, 317, 338, 530) if not grey else (259, 266, 292, 317)
    fields = {tag: layout.numbers[tag] for tag in kept if tag in layout.numbers}
    if grey:
        fields |= {258: (layout.one(258, 1),), 262: (1,), 277: (1,)}
    fields |= {256: (across,), 257: (down,), 273: (8,), 278: (down,), 279: (len(raw),)}
    values = {tag: (4, len(v), struct.pack(f"{layout.order}{len(v)}I", *v)) for tag, v in fields.items()}
    if layout.tables:
        values[347] = (7, len(layout.tables), layout.tables)
    return _file(layout.order, values, raw)


def _file(order: str, values: dict[int, tuple[int, int, bytes]], raw: bytes) -> bytes:
    """A TIFF of one strip, which comes first; of each field the type, how many values, and those."""
    at = 8 + len(raw) + 2 + 12 * len(values) + 4
    table, body = struct.pack(f"{order}H", len(values)), b""
    for tag, (kind, many, value) in sorted(values.items()):
        inline = len(value) == 4
        table += struct.pack(f"{order}HHI", tag, kind, many)
        table += value if inline else struct.pack(f"{order}I", at + len(body))
        body += b"" if inline else value
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(raw))
    return head + raw + table + bytes(4) + body


def _shown(file: bytes, kind: str) -> NDArray | None:  # type: ignore[type-arg]
    """The samples of a file, height, width and channels; None when it does not decode.

    Pillow gives the higher 8 bits of 16-bit colours; what is seen is in them.
    """
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file), formats=(kind,)) as picture:
            return np.atleast_3d(np.asarray(picture.convert("L") if picture.mode == "1" else picture))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError):
        return None
