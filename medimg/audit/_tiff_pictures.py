"""What the strips and tiles of a TIFF copy hold: the rows and columns that are shown, and filling."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from medimg.audit import jpeg
from medimg.errors import CheckNotRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE, JPEG, DEFLATE = 1, 7, 8
BESIDE = (*range(0xE0, 0xEE), 0xEF, 0xFE)
"""Segments of a JPEG that say something beside the picture, but for Adobe's, which says what its components are."""
NOISE = 16
"""Levels of 255 by which the filling of a JPEG tile may have changed."""


class Layout(NamedTuple):
    """What the fields of the copy say, as numbers, and the byte order."""

    order: str
    numbers: dict[int, tuple[int, ...]]

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

    def row(self, index: int) -> tuple[int, int]:
        """Bytes in a row of a strip or tile, and bits behind its last pixel."""
        bits = self.chunk(index)[2] * (1 if self.apart else self.one(277, 1)) * self.one(258, 1)
        return -(-bits // 8), -bits % 8


def strays(layout: Layout, index: int, raw: bytes) -> list[str]:
    """Paths of what a strip or tile holds besides its part of the picture."""
    packing = layout.one(259, NONE)
    if packing == JPEG:
        return _jpeg(layout, index, raw) or _past_the_edge(layout, index, raw)
    if packing not in (NONE, DEFLATE):
        return ["strips/packing"]
    (row, spare), rows = layout.row(index), layout.chunk(index)[3]
    whole = raw if packing == NONE else _inflated(raw, row * rows)
    if len(whole) != row * rows:
        return ["strips/length"]
    mask = (1 << spare) - 1 << (8 - spare if layout.one(266, 1) == 2 else 0)
    if spare and any(last & mask for last in whole[row - 1 :: row]):
        return ["strips/row ends"]
    return _past_the_edge(layout, index, raw)


def _inflated(raw: bytes, expected: int) -> bytes:
    """What a zlib stream gives, of too much a part; nothing when it does not end where the strip does."""
    stream = zlib.decompressobj()
    whole = stream.decompress(raw, expected + 1)
    return whole + stream.flush() if not stream.unconsumed_tail and stream.eof and not stream.unused_data else b""


def _jpeg(layout: Layout, index: int, raw: bytes) -> list[str]:
    """A frame of the right size, with its tables, and nothing else."""
    found = jpeg.walk(raw)
    *_, across, rows = layout.chunk(index)
    at = 2
    while raw[at + 1] != 0xDA:
        if raw[at + 1] in (0xC0, 0xC1, 0xC2) and struct.unpack_from(">HH", raw, at + 5) != (rows, across):
            found.append("size of a JPEG")
        found += ["segments"] * (raw[at + 1] in BESIDE)
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return [f"strips/{path}" for path in found]


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
    """A tile as a file of one strip; a palette's numbers and a channel that stands apart as grey."""
    *_, across, down = layout.chunk(index)
    apart = layout.apart
    grey = apart or layout.one(262, 1) == 3
    kept = (258, 259, 262, 266, 277, 317, 338, 530) if not grey else (259, 266, 317)
    fields = {tag: layout.numbers[tag] for tag in kept if tag in layout.numbers}
    if grey:
        fields |= {258: (layout.one(258, 1),), 262: (1,), 277: (1,)}
    fields |= {256: (across,), 257: (down,), 273: (8,), 278: (down,), 279: (len(raw),)}
    values = {tag: (4, len(v), struct.pack(f"{layout.order}{len(v)}I", *v)) for tag, v in fields.items()}
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
