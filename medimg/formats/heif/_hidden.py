"""What the coded data of a HEIF file hold and no viewer shows: tiles past the canvas, further pictures, other words.

A grid is trimmed on the right and below to its canvas (ISO/IEC 23008-12, 6.6.2.3.1). What encoders fill up with is one
colour (iPhone) or the last column and row again (libavif, Android): such a strip says nothing, and its tiles may be
copied. Anything else there may be a part of the picture that somebody cut off.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from medimg.errors import Malformed
from medimg.formats.heif import _build
from medimg.formats.heif._bits import Coded, CodedSize
from medimg.formats.heif._items import CODED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats.heif.photo import Heif

TOLERANCE = 16
"""Levels of 255 by which a filled strip may differ from what fills it: an iPhone's differs by up to 8 at its edge."""
EDGE = 2
"""Columns or rows past the edge that may belong to it: colours that two pixels share, canvases of an odd size."""
ALIGNMENT = 16
"""Pixels that the cropping inside a coded picture hides at most; encoders fill up to blocks of 8 or 16."""
SECOND, PAST = "a further picture in the coded data", "tiles past the canvas"
NEEDLESS = "a coding that says more than a picture needs"


def hidden(photo: Heif) -> str | None:
    """What the coded data hold beside the picture that is shown; None where there is nothing.

    Raises:
        Malformed: The picture is damaged.
        CheckNotRun: What lies past a canvas cannot be decoded here.
    """
    items = [i for i in photo.kept if photo.tables.items[i].type in CODED]
    coded = {item: photo.coded(item) for item in items}
    if _spare(photo) or any(one.pictures > 1 for one in coded.values()):
        return SECOND
    if not all(_whole(photo, item, one.size) for item, one in coded.items()):
        return PAST
    if any(not _filled(photo, *strip) for strip in _strips(photo)):
        return PAST
    plain = all(one.plain for one in coded.values()) and _alike(photo, coded) and _once(photo)
    return None if plain else NEEDLESS


def _alike(photo: Heif, coded: dict[int, Coded]) -> bool:
    """Whether all pictures that another is put together from are described in the same words (MIAF, 7.3.11.4.1)."""
    words = set()
    for item, one in coded.items():
        if item != photo.tables.primary:
            kept = [(kind, raw) for kind, raw in _described(photo, item)
                    if kind not in (*_build.CONFIGURATIONS, *_build.LAYERS)]  # fmt: skip
            words.add((one.configuration, *kept))
    return len(words) <= 1


def _once(photo: Heif) -> bool:
    """Whether no picture has two properties of one kind; of colours a profile and code points may stand together."""
    for item in photo.kept:
        kinds = [(kind, raw[:4] if kind == b"colr" else b"") for kind, raw in _described(photo, item)]
        if len(set(kinds)) != len(kinds):
            return False
    return True


def _described(photo: Heif, item: int) -> list[tuple[bytes, bytes]]:
    """Kind and content of the properties of a picture that a copy may have."""
    said = (photo.tables.properties[number - 1] for number, _ in photo.tables.items[item].properties)
    return [(kind, raw) for kind, raw in said if kind in _build.PROPERTIES and kind not in _build.DROPPED]


def _spare(photo: Heif) -> bool:
    """Whether a picture is derived from more than it shows."""
    return any(_derived_from_more(photo, number) for number in photo.kept)


def _derived_from_more(photo: Heif, number: int) -> bool:
    tables = photo.tables
    item, sources = tables.items[number], tables.targets(b"dimg", number)
    turned = any(photo.property(number, kind) is not None for kind in _build.TRANSFORMS)
    if number != tables.primary and (turned or item.type == b"iden"):
        return True
    if item.type == b"grid":
        nested = any(tables.items[tile].type in (b"grid", b"iden") for tile in sources)
        return nested or _grid(photo, number)[2:] != _size(photo, number) or not _covered(photo, number, sources)
    if len(sources) != (item.type == b"iden"):
        return True
    return bool(sources) and _size(photo, sources[0]) != _size(photo, number)


def _covered(photo: Heif, number: int, tiles: list[int]) -> bool:
    """Whether the canvas of a grid reaches each of its tiles.

    Raises:
        Malformed: The tiles do not make a grid.
    """
    rows, columns, width, height = _grid(photo, number)
    if len(tiles) < rows * columns:
        raise Malformed("a tile is missing.")
    across, down = _size(photo, tiles[0])
    if any(_size(photo, tile) != (across, down) for tile in tiles) or not across or not down:
        raise Malformed("the tiles of the picture are not of one size.")
    return (-(-height // down), -(-width // across)) == (rows, columns) and len(tiles) == rows * columns


def without_spare(photo: Heif) -> Heif:
    """A picture without the tiles that the canvas of its grid does not reach; decoders of AVIF refuse them.

    Itself where there are none, or where it is no grid.
    """
    tables, number = photo.tables, photo.tables.primary
    item, tiles = tables.items[number], tables.targets(b"dimg", number)
    if item.type != b"grid" or _covered(photo, number, tiles):
        return photo
    rows, columns, width, height = _grid(photo, number)
    across, down = _size(photo, tiles[0])
    needed = min(rows, -(-height // down)), min(columns, -(-width // across))
    reached = [tiles[row * columns + column] for row in range(needed[0]) for column in range(needed[1])]
    raw = tables.payload(photo.data, item)
    raw = raw[:2] + bytes((needed[0] - 1, needed[1] - 1)) + raw[4:]
    other = photo.part(number)
    other.data = photo.data + raw
    items = tables.items | {number: replace(item, extents=[(len(photo.data), len(raw))])}
    other.tables = replace(tables, items=items, references=[(b"dimg", number, reached)])
    other.kept = [number, *dict.fromkeys(reached)]
    return other


def _grid(photo: Heif, number: int) -> tuple[int, int, int, int]:
    """Rows, columns, width and height of a grid (ISO/IEC 23008-12, 6.6.2.3.2)."""
    raw = photo.tables.payload(photo.data, photo.tables.items[number])
    wide = len(raw) > 1 and raw[1] & 1
    if len(raw) < (12 if wide else 8):
        raise Malformed("a derived picture is cut short.")
    width, height = struct.unpack_from(">II" if wide else ">HH", raw, 4)
    if not width or not height:
        raise Malformed("the picture does not say how large it is.")
    return raw[2] + 1, raw[3] + 1, width, height


def _size(photo: Heif, number: int) -> tuple[int, int]:
    size = photo.property(number, b"ispe")
    if size is None or len(size) != 12:
        raise Malformed("the picture does not say how large it is.")
    width, height = struct.unpack(">II", size[4:])
    return width, height


def _whole(photo: Heif, number: int, size: CodedSize) -> bool:
    """Whether a coded picture is as large as its item says, and hides no more than the filling of its last blocks."""
    return size.shown == _size(photo, number) and max(size.hidden_across, size.hidden_down) < ALIGNMENT


def _strips(photo: Heif) -> Iterator[tuple[int, int, int]]:
    """(tile, columns shown, rows shown) of tiles that reach past the canvas."""
    for number in photo.kept:
        if photo.tables.items[number].type != b"grid":
            continue
        tiles = photo.tables.targets(b"dimg", number)
        rows, columns, width, height = _grid(photo, number)
        across, down = _size(photo, tiles[0])
        for row in range(rows):
            for column in range(columns):
                shown = min(across, width - column * across), min(down, height - row * down)
                if shown != (across, down):
                    yield tiles[row * columns + column], *shown


def _filled(photo: Heif, tile: int, columns: int, rows: int) -> bool:
    import numpy as np

    pixels = photo.part(tile).samples()
    if pixels.dtype == np.uint16:
        pixels = pixels >> 8
    pixels = np.atleast_3d(pixels).astype(np.int16)
    right, below = pixels[:, columns:], pixels[rows:].swapaxes(0, 1)
    return _says_nothing(right[:rows], pixels[:rows, columns - 1 : columns]) and _says_nothing(
        below, pixels[rows - 1 : rows].swapaxes(0, 1)
    )


def _says_nothing(strip: NDArray[Any], edge: NDArray[Any]) -> bool:
    """Whether a strip is of one colour, or repeats the edge that it begins at."""
    import numpy as np

    strip = strip[:, EDGE:]
    if not strip.size:
        return True
    return any(bool(np.abs(strip - fill).max() <= TOLERANCE) for fill in (strip[-1, -1], edge))
