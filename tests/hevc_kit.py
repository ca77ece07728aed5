"""Parameter sets of HEVC made field by field (ITU-T H.265, 7.3.2), for tests; shares nothing with medimg."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

VPS, SPS, PPS, SEI = 32, 33, 34, 39


class Field(NamedTuple):
    """A field of a head: its name, how many bits it has (0: an Exp-Golomb number, 9.2), its value."""

    name: str
    bits: int
    value: int


def written(fields: Iterable[Field]) -> str:
    """The fields as bits."""
    text = ""
    for _, bits, value in fields:
        if bits:
            text += f"{value:0{bits}b}"
        else:
            code = f"{value + 1:b}"
            text += "0" * (len(code) - 1) + code
    return text


def ended(text: str) -> bytes:
    """Bits, a one, and zeros up to a whole byte."""
    text += "1"
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8)


def escaped(raw: bytes) -> bytes:
    """With a 3 between two zeros and what would look like a start code (7.4.2)."""
    out = bytearray()
    for byte in raw:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def unit(kind: int, fields: Iterable[Field], tail: bytes = b"") -> bytes:
    """A parameter set; ``tail``: bytes behind its end."""
    return bytes((kind << 1, 1)) + escaped(ended(written(fields)) + tail)


# -- the sets of a copy: a picture of x265 in 8 bits and 4:2:0 --------------------------------------------------------

PROFILE = [
    Field("profile space", 2, 0),
    Field("tier", 1, 0),
    Field("profile", 5, 3),
    Field("compatible with", 12, 0x700),
    Field("compatible, reserved", 20, 0),
    Field("scan", 4, 9),
    Field("constraints", 10, 0),
    Field("constraints, reserved", 34, 0),
    Field("level", 8, 30),
]
BUFFERS = [Field("pictures held", 0, 2), Field("pictures late", 0, 0), Field("latency", 0, 1)]


def video() -> list[Field]:
    """A video parameter set (7.3.2.1)."""
    return [
        Field("number", 4, 0), Field("base layer", 2, 3), Field("layers", 6, 0), Field("sub-layers", 3, 0),
        Field("nested", 1, 1), Field("ones", 16, 0xFFFF), *PROFILE, Field("each sub-layer", 1, 1), *BUFFERS,
        Field("last layer", 6, 0), Field("sets of layers", 0, 0), Field("timing", 1, 0), Field("extension", 1, 0),
    ]  # fmt: skip


SHOWN = [
    Field("shape of pixels", 1, 0), Field("overscan", 1, 0),
    Field("signal", 1, 1), Field("television", 3, 5), Field("full range", 1, 1), Field("colours", 1, 1),
    Field("primaries", 8, 1), Field("transfer", 8, 13), Field("matrix", 8, 6),
    Field("place of colours", 1, 0),
    Field("neutral", 1, 0), Field("fields", 1, 0), Field("field of each", 1, 0), Field("window", 1, 0),
    Field("timing", 1, 0), Field("restrictions", 1, 0),
]  # fmt: skip


def sequence(
    width: int = 64,
    height: int = 64,
    *,
    chroma: int = 1,
    cut: tuple[int, ...] = (),
    factors: list[Field] | None = None,
    samples: bool = False,
    shown: list[Field] | None = None,
    standard: int | None = None,
) -> list[Field]:
    """A sequence parameter set (7.3.2.2.1).

    Args:
        width: Of the coded picture, in pixels.
        height: Likewise.
        chroma: Format of the colours: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
        cut: What the window cuts off, left, right, top, bottom.
        factors: Lists of factors; empty for those that are there by default.
        samples: Whether blocks may be coded as they are.
        shown: How it is to be shown; as x265 says it by default.
        standard: The nine bits of the extension for other formats.
    """
    apart = [Field("planes apart", 1, 0)] if chroma == 3 else []
    return [
        Field("video", 4, 0), Field("sub-layers", 3, 0), Field("nested", 1, 1), *PROFILE, Field("number", 0, 0),
        Field("format", 0, chroma), *apart, Field("width", 0, width), Field("height", 0, height),
        Field("cut", 1, bool(cut)), *(Field("cut off", 0, value) for value in cut),
        Field("depth", 0, 0), Field("depth of colours", 0, 0), Field("order", 0, 4),
        Field("each sub-layer", 1, 1), *BUFFERS,
        *(Field("blocks", 0, value) for value in (0, 3, 0, 3, 0, 1)),
        Field("factors", 1, factors is not None),
        *([] if factors is None else [Field("lists", 1, bool(factors)), *factors]),
        Field("filters", 2, 3),
        Field("samples", 1, samples),
        *([Field("samples, depths", 8, 0x77), Field("samples, side", 0, 0), Field("samples, sides", 0, 1),
           Field("samples, filter", 1, 0)] if samples else []),
        Field("references", 0, 0), Field("long references", 1, 0), Field("prediction", 2, 3),
        Field("shown", 1, shown != []), *(SHOWN if shown is None else shown),
        Field("extension", 1, standard is not None),
        *([] if standard is None else [Field("which", 8, 0x80), Field("standard", 9, standard)]),
    ]  # fmt: skip


def picture(
    number: int = 0,
    *,
    tiles: tuple[int, ...] = (),
    filtered: bool = False,
    factors: list[Field] | None = None,
    standard: list[Field] | None = None,
) -> list[Field]:
    """A picture parameter set (7.3.2.3.1).

    Args:
        number: Its number.
        tiles: Columns and rows of tiles, each less one, and all widths and heights but the last ones', each less one.
        filtered: Whether the filter between blocks is described.
        factors: Lists of factors.
        standard: The extension for other formats.
    """
    more = [Field("columns", 0, tiles[0]), Field("rows", 0, tiles[1]), Field("even", 1, len(tiles) == 2),
            *(Field("side", 0, side) for side in tiles[2:]), Field("across tiles", 1, 1)] if tiles else []  # fmt: skip
    return [
        Field("number", 0, number), Field("of sequence", 0, 0),
        Field("dependent slices", 1, 0), Field("output", 1, 0), Field("bits of slices", 3, 0),
        Field("hidden signs", 1, 1), Field("start of codes", 1, 0), Field("references", 0, 0),
        Field("references back", 0, 0), Field("factor", 0, 0), Field("constrained", 1, 0), Field("skips", 1, 0),
        Field("factors of blocks", 1, 1), Field("blocks", 0, 1), Field("blue", 0, 0), Field("red", 0, 0),
        Field("colours of slices", 1, 0), Field("weights", 1, 0), Field("weights back", 1, 0), Field("lossless", 1, 0),
        Field("tiles", 1, bool(tiles)), Field("rows apart", 1, 0), *more, Field("across slices", 1, 1),
        Field("filter", 1, filtered),
        *([Field("of slices", 1, 0), Field("off", 1, 0), Field("beta", 0, 0), Field("tc", 0, 0)] if filtered else []),
        Field("factors", 1, factors is not None), *(factors or []),
        Field("lists", 1, 0), Field("merging", 0, 0), Field("heads of slices", 1, 0),
        Field("extension", 1, standard is not None),
        *([] if standard is None else [Field("which", 8, 0x80), *standard]),
    ]  # fmt: skip


def record(
    *units: bytes, fields: Iterable[Field] = (), layout: tuple[int, int, int] = (1, 0, 0), prefix: int = 4
) -> bytes:
    """A decoder's configuration (ISO/IEC 14496-15, 8.3.3.1) of parameter sets.

    Args:
        units: The sets, in the order of their kinds.
        fields: Profile and level, in place of those above.
        layout: Format of the colours, and bits above 8.
        prefix: Bytes of a length.
    """
    text = written(fields or PROFILE)
    head = b"\1" + int(text, 2).to_bytes(12) + b"\xf0\0\xfc"
    head += bytes((0xFC | layout[0], 0xF8 | layout[1], 0xF8 | layout[2], 0, 0, 0x0C | prefix - 1))
    kinds = list(dict.fromkeys(u[0] >> 1 for u in units))
    out = head + bytes((len(kinds),))
    for kind in kinds:
        of_kind = [u for u in units if u[0] >> 1 == kind]
        out += struct.pack(">BH", 0x80 | kind, len(of_kind))
        out += b"".join(struct.pack(">H", len(u)) + u for u in of_kind)
    return out
