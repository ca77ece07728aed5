"""The pictures of a HEIF or AVIF copy: one of each coded item, all of them shown, each of the size it states."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, NamedTuple

from medimg.audit import _av1_header, _hevc_sets
from medimg.audit import _coded_units as _coded
from medimg.errors import CheckNotRun, Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP = 64
"""Pixels past the canvas that encoders fill up to, on each side; wider strips are decoded and looked at."""
HEADER = 32
"""Most bytes of a frame header that is a unit of its own; those of the encoders seen have up to 16."""
NOISE, BORDER = 20, 2
"""Levels and pixels by which a filled strip may differ from its filling, and begin late."""


class Item(NamedTuple):
    """An item of the copy: its type, its properties, the items it is derived from, where its bytes lie."""

    kind: bytes
    properties: dict[bytes, bytes]
    sources: list[int]
    at: int
    payload: bytes


def strays(data: bytes, items: list[Item]) -> list[str]:
    """Paths of everything that is in the pictures and not shown; ``items[0]`` is the primary one."""
    found = [] if _reached(items) == set(range(1, len(items) + 1)) else ["meta/iinf/picture that is not shown"]
    for number, item in enumerate(items):
        if number and (b"irot" in item.properties or b"imir" in item.properties):
            found.append("meta/iprp/turned tile")
        if item.kind == b"iden" and number:
            found.append("meta/iref/sources")
        if item.kind == b"grid":
            found += _grid(data, items, item)
        elif len(item.sources) != (item.kind == b"iden"):
            found.append("meta/iref/sources")
        elif item.kind == b"iden":
            found += ["mdat/iden"] * (_size(items[item.sources[0] - 1]) != _size(item))
        elif item.kind == b"hvc1":
            found += _hevc(item)
        else:
            found += _av1(item)
    return found


def _reached(items: list[Item]) -> set[int]:
    seen: set[int] = set()
    waiting = [1]
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            waiting += items[number - 1].sources
    return seen


def _size(item: Item) -> tuple[int, ...]:
    return struct.unpack(">II", item.properties[b"ispe"][4:]) if b"ispe" in item.properties else (0, 0)


# -- grids ------------------------------------------------------------------------------------------------------------


def _grid(data: bytes, items: list[Item], grid: Item) -> list[str]:
    """The canvas reaches each tile, and what it leaves of the last ones is narrow or says nothing."""
    _, flags, rows, columns = grid.payload[:4]
    canvas = struct.unpack(">II" if flags & 1 else ">HH", grid.payload[4:])
    tiles = [items[n - 1] for n in grid.sources]
    if len(tiles) != (rows + 1) * (columns + 1) or any(t.kind not in (b"hvc1", b"av01") for t in tiles):
        return ["mdat/grid/tiles"]
    across, down = _size(tiles[0])
    if {_size(t) for t in tiles} != {(across, down)} or _size(grid) != canvas:
        return ["mdat/grid/sizes"]
    whole = across * (columns + 1), down * (rows + 1)
    past = whole[0] - canvas[0], whole[1] - canvas[1]
    if min(past) < 0 or past[0] >= across or past[1] >= down:
        return ["mdat/grid/tiles past the canvas"]
    if max(past) > STRIP and not _filled(_uncropped(data, grid, whole), canvas, tiles[0].kind):
        return ["mdat/grid/picture past the canvas"]
    return []


def _uncropped(data: bytes, grid: Item, whole: tuple[int, int]) -> bytes:
    """The copy with a canvas as large as all its tiles, and not turned."""
    wide = ">II" if grid.payload[1] & 1 else ">HH"
    media = data.index(b"mdat", data.index(b"iloc"))
    said = struct.pack(">I4s", 20, b"ispe") + grid.properties[b"ispe"]
    head = data[:media].replace(said, said[:12] + struct.pack(">II", *whole))
    for kind in (b"irot", b"imir"):
        if kind in grid.properties:
            turn = struct.pack(">I4s", 9, kind) + grid.properties[kind]
            head = head.replace(turn, struct.pack(">I4s", 9, b"irot") + b"\0")
    try:
        larger = grid.payload[:4] + struct.pack(wide, *whole)
    except struct.error as error:
        raise Malformed("the grid of the copy has a wrong size.") from error
    return head + data[media : grid.at] + larger + data[grid.at + len(larger) :]


def _filled(data: bytes, canvas: tuple[int, ...], kind: bytes) -> bool:
    pixels = _decoded(data, kind)
    width, height = canvas
    if pixels.shape[0] < height or pixels.shape[1] < width:
        return False
    right, below = pixels[:height, width:], pixels[height:].swapaxes(0, 1)
    return _plain(right, pixels[:height, width - 1 : width]) and _plain(
        below, pixels[height - 1 : height].swapaxes(0, 1)
    )


def _plain(strip: NDArray, edge: NDArray) -> bool:  # type: ignore[type-arg]
    strip = strip[:, BORDER:].astype(int)
    if not strip.size:
        return True
    spread = strip.max(axis=(0, 1)) - strip.min(axis=(0, 1))
    return bool(spread.max() <= 2 * NOISE) or bool(abs(strip - edge.astype(int)).max() <= NOISE)


def _decoded(data: bytes, kind: bytes) -> NDArray:  # type: ignore[type-arg]
    import numpy as np
    from PIL import Image

    try:
        if kind == b"av01":
            with Image.open(io.BytesIO(data), formats=("AVIF",)) as picture:
                return np.asarray(picture.convert("RGB"))
        import pi_heif

        opened = pi_heif.open_heif(data)  # held: it owns what its pictures point to
        return np.asarray(opened[0]).copy()
    except ImportError as error:
        raise CheckNotRun("this kind of picture cannot be decoded here.") from error
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError) as error:
        raise Malformed("the picture of the copy could not be decoded.") from error


# -- coded pictures ---------------------------------------------------------------------------------------------------


def _hevc(item: Item) -> list[str]:
    record = item.properties[b"hvcC"]
    units = list(_coded.nal_units(item.payload, (record[21] & 3) + 1))
    found = []
    if any(unit[0] >> 1 not in _coded.SLICES or unit[0] & 1 or unit[1] != 1 for unit in units):
        found.append("mdat/supplemental unit")
    slices = [unit for unit in units if unit[0] >> 1 in _coded.SLICES]
    if sum(unit[2] >> 7 for unit in slices) != 1:
        found.append("mdat/further picture")
    return found + _hevc_sets.strays(record, slices, _size(item))


def _av1(item: Item) -> list[str]:
    units = list(_coded.open_units(item.payload))
    kinds = [kind for kind, _ in units]
    found = []
    if not set(kinds) <= {_coded.SEQUENCE, _coded.HEADER, _coded.TILES, _coded.FRAME}:
        found.append("mdat/metadata unit")
    picture = [kind for kind in kinds if kind != _coded.SEQUENCE]
    if kinds.count(_coded.SEQUENCE) != 1 or not (
        picture == [_coded.FRAME] or (picture[:1] == [_coded.HEADER] and set(picture[1:]) == {_coded.TILES})
    ):
        found.append("mdat/further picture")
    if any(kind == _coded.HEADER and len(content) > HEADER for kind, content in units):
        found.append("mdat/head of a picture")
    if _coded.SEQUENCE not in kinds:
        return [*found, "mdat/size of a picture"]
    sequence = _av1_header.sequence(dict(reversed(units))[_coded.SEQUENCE])
    found += ["mdat/sequence header"] * (not sequence.good)
    found += ["meta/iprp/av1C"] * (sequence.configuration != item.properties[b"av1C"])
    return found + ["mdat/size of a picture"] * (sequence.size != _size(item))
