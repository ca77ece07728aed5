"""The pictures of a HEIF or AVIF copy: one of each coded item, all of them shown, each of the size it states."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, NamedTuple

from medimg.audit import _coded_units as _coded
from medimg.errors import CheckNotRun, Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP = 64
"""Pixels past the canvas that encoders fill up to, on each side; wider strips are decoded and looked at."""
WINDOW = 16
"""Fewer pixels than this may be cut off inside a coded picture."""
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
    parameters = [unit for _, some in _coded.parameter_sets(record)[0] for unit in some]
    sets = [unit for unit in (*units, *parameters) if unit[0] >> 1 == _coded.SPS]
    found = []
    if any(unit[0] not in (64, 66, 68) or unit[1] >> 3 for unit in parameters):
        found.append("meta/iprp/hvcC")
    if any(unit[0] >> 1 not in _coded.UNITS or unit[0] & 1 or unit[1] >> 3 for unit in units):
        found.append("mdat/supplemental unit")
    if sum(unit[2] >> 7 for unit in units if unit[0] >> 1 in _coded.SLICES) != 1:
        found.append("mdat/further picture")
    if len(set(sets)) != 1 or not _fits(sets[0], _size(item)):
        found.append("mdat/size of a picture")
    return found


def _fits(parameters: bytes, said: tuple[int, ...]) -> bool:
    """Whether sequence parameters give the size that the item states, and cut off little (ITU-T H.265, 7.3.2.2)."""
    text = "".join(f"{byte:08b}" for byte in parameters[2:].replace(b"\0\0\3", b"\0\0"))
    layers, at = int(text[4:7], 2), 8 + 96
    if layers:
        flags = text[at : at + 16]
        at += 16
        for k in range(layers):
            at += 88 * (flags[2 * k] == "1") + 8 * (flags[2 * k + 1] == "1")
    _, at = _ue(text, at)
    chroma, at = _ue(text, at)
    at += chroma == 3
    width, at = _ue(text, at)
    height, at = _ue(text, at)
    cuts = [0, 0, 0, 0]
    if text[at] == "1":
        at += 1
        for k in range(4):
            cuts[k], at = _ue(text, at)
    right = sum(cuts[:2]) * (2 if chroma in (1, 2) else 1)
    low = sum(cuts[2:]) * (2 if chroma == 1 else 1)
    return (width - right, height - low) == said and max(right, low) < WINDOW


def _ue(text: str, at: int) -> tuple[int, int]:
    one = text.index("1", at)
    end = 2 * one - at + 1
    return int(text[one:end], 2) - 1, end


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
    if _coded.SEQUENCE not in kinds or _sequence_size(dict(reversed(units))[_coded.SEQUENCE]) != _size(item):
        found.append("mdat/size of a picture")
    return found


def _sequence_size(header: bytes) -> tuple[int, int]:
    """The size in an AV1 sequence header (5.5.1)."""
    text = "".join(f"{byte:08b}" for byte in header)
    at = 10 if text[4] == "1" else _past_operating_points(text)
    across, down = (int(text[at + k : at + k + 4], 2) + 1 for k in (0, 4))
    at += 8
    return int(text[at : at + across], 2) + 1, int(text[at + across : at + across + down], 2) + 1


def _past_operating_points(text: str) -> int:
    at, delay = 6, 0
    if text[5] == "1":
        at += 65
        if text[at - 1] == "1":
            _, at = _ue(text, at)
        if text[at] == "1":
            delay = int(text[at + 1 : at + 6], 2) + 1
            at += 47
        at += 1
    shown, count = text[at] == "1", int(text[at + 1 : at + 6], 2) + 1
    at += 6
    for _ in range(count):
        at += 17 + (int(text[at + 12 : at + 17], 2) > 7)
        if delay:
            at += 2 + 2 * delay if text[at] == "1" else 1
        if shown:
            at += 5 if text[at] == "1" else 1
    return at
