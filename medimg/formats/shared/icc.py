"""ICC profiles (ICC.1:2022) rebuilt from their colour tags alone.

Dates, device and vendor names, profile ids, copyright texts and private tags are not copied; the colour arithmetic is,
byte for byte, so every transform stays identical.
"""

from __future__ import annotations

import functools
import itertools
import math
import struct

from medimg.types import Finding
from medimg.vocabulary import Category, Kind

HEADER, ENTRY = 128, 12
MAX_TAGS = 100
COPYRIGHT = "CC0"

SPACES = {b"RGB ": "RGB", b"GRAY": "Gray", b"CMYK": "CMYK", b"Lab ": "Lab", b"YCbr": "YCbCr"}
"""Colour space of the device -> description of a profile that is none of :data:`KNOWN`."""
_SRGB_HALF, _ADOBE_HALF = 0.2140, 0.5 ** (563 / 256)
_P3, _709, _ADOBE = (
    ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)),
    ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)),
    ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
)
KNOWN = (("sRGB", _709, _SRGB_HALF), ("Display P3", _P3, _SRGB_HALF), ("Adobe RGB compatible", _ADOBE, _ADOBE_HALF))
"""Description, red, green and blue in XYZ under D50, and light at half the signal (IEC 61966-2-1; SMPTE EG 432-1; Adobe
RGB (1998) Color Image Encoding, 4.3.1, with gamma 563/256; adapted by the Bradford matrix, ICC.1:2022, annex E)."""
ADOBE_COLOURS = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Red, green and blue of Adobe RGB (1998) under D50; their sum is the white point."""
NEAR = 0.006
"""How far a colour may lie from a known one: roundings and several published adaptations lie within 0.003."""

TO_SRGB = ((3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))
"""From XYZ under D50 to the light of sRGB: the inverse of its colours above."""
MOST_STEP, MOST_WEIGHT = 8, 3.0
"""Most difference, in 255ths, of neighbouring numbers of one channel as sRGB would write them, and most weight of one
channel in another: together at most what :data:`medimg.formats.shared.steep.STEP` permits. The widest profile in use,
ProPhoto, has 2.0."""

# Tags a transform reads (ICC.1:2022, 8 and 9.2) -> the types they may have (section 10).
_CURVE = (b"curv", b"para")
_XYZ = (b"XYZ ",)
_LUT = (b"mft1", b"mft2", b"mAB ", b"mBA ")
COLOUR_TAGS: dict[bytes, tuple[bytes, ...]] = {
    b"wtpt": _XYZ, b"rXYZ": _XYZ, b"gXYZ": _XYZ, b"bXYZ": _XYZ,
    b"chad": (b"sf32",), b"cicp": (b"cicp",),
    b"rTRC": _CURVE, b"gTRC": _CURVE, b"bTRC": _CURVE, b"kTRC": _CURVE,
    b"A2B0": _LUT, b"A2B1": _LUT, b"A2B2": _LUT,
}  # fmt: skip
SIZES = {b"XYZ ": 20, b"sf32": 44, b"cicp": 12}
OF_SPACE = {
    b"rXYZ": b"RGB ", b"gXYZ": b"RGB ", b"bXYZ": b"RGB ", b"rTRC": b"RGB ", b"gTRC": b"RGB ", b"bTRC": b"RGB ",
    b"cicp": b"RGB ", b"kTRC": b"GRAY",
}  # fmt: skip
"""Tags that are read for device colours of one kind alone; beside others they could hold anything."""
MINOR = 0x40
"""The last minor version of any (ICC.1:2022, 7.2.4), in the upper half of its byte; nothing reads it."""
UNIT = struct.pack(">9i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
"""The matrix of a table; of device colours it has to be this (10.10 and 10.11), and not every viewer passes it over."""


@functools.lru_cache(maxsize=8)
def clean(profile: bytes) -> bytes | None:
    """The profile rebuilt, or None when it cannot be parsed or shows what nobody looked at (:mod:`.steep`).

    Then it is dropped, and reported.
    """
    tags = tags_of(profile)
    if tags is None:
        return None
    major = profile[8]
    if not tags:
        return None
    every = [(b"desc", _description(name(profile[16:20], dict(tags)), major)), (b"cprt", _copyright(major)), *tags]
    at = HEADER + 4 + ENTRY * len(every)
    index, body = b"", b""
    places: dict[bytes, int] = {}
    for sig, data in every:
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        index += struct.pack(">4sII", sig, places[data], len(data))
    head = bytearray(HEADER)
    head[8:10] = bytes((major, min(profile[9] & 0xF0, MINOR)))  # version
    head[12:24] = profile[12:24]  # class, colour space, connection space
    head[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    head[36:40] = b"acsp"
    head[67] = profile[67] & 3  # rendering intent
    head[68:80] = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)  # D50, as every profile must say (7.2.16)
    out = bytes(head) + struct.pack(">I", len(every)) + index + body
    out = struct.pack(">I", len(out)) + out[4:]
    if not _even(profile[16:20], dict(tags)):
        from medimg.formats.shared.steep import steep

        return None if steep(out) else out
    return out


def findings(profile: bytes, where: str) -> list[Finding]:
    """One finding when the profile says more than its colours; none when it is what :func:`clean` makes."""
    if clean(profile) == profile:
        return []
    return [Finding(kind=Kind.METADATA, category=Category.COLOUR_PROFILE_TEXT, where=where, detector="icc reader")]


def name(space: bytes, tags: dict[bytes, bytes]) -> str:
    """A neutral description: of a known colour space its name, else the kind of device colours.

    Args:
        space: Colour space of the header.
        tags: Signature -> tag, each as :func:`exact` gives it.
    """
    colours = [numbers(tags.get(sig, b"")) for sig in (b"rXYZ", b"gXYZ", b"bXYZ")]
    halves = [_half(tags.get(sig, b"")) for sig in (b"rTRC", b"gTRC", b"bTRC")]
    for known, wanted, half in KNOWN:
        near = all(
            len(is_) == 3 and all(abs(a - b) <= NEAR for a, b in zip(is_, should, strict=True))
            for is_, should in zip(colours, wanted, strict=True)
        )
        if space == b"RGB " and near and all(abs(h - half) <= 0.003 for h in halves):
            return known
    return SPACES[space]


def numbers(xyz: bytes) -> tuple[float, ...]:
    """The three numbers of a colour; none without one."""
    return tuple(v / 65536 for v in struct.unpack(">3i", xyz[8:20])) if xyz[:4] == b"XYZ " else ()


def _half(curve: bytes) -> float:
    """Light that a curve gives for half the signal; -1 without a curve."""
    (function,) = struct.unpack_from(">H", curve.ljust(10, b"\0"), 8)
    if curve[:4] == b"para" and function in (1, 2):
        return -1.0  # no known space is written so
    return light(curve, 0.5)


def light(curve: bytes, at: float) -> float:
    """Light that a curve gives for a signal from 0 to 1; -1 without a curve, or where it has no value."""
    if curve[:4] == b"curv":
        values = _entries(curve)
        if len(values) < 2:
            return math.pow(at, values[0] / 256) if values else at
        low = min(int(at * (len(values) - 1)), len(values) - 2)
        rest = at * (len(values) - 1) - low
        return (values[low] * (1 - rest) + values[low + 1] * rest) / 65535
    if curve[:4] != b"para":
        return -1.0
    (function,) = struct.unpack_from(">H", curve, 8)
    given: tuple[int, ...] = struct.unpack(f">{(len(curve) - 12) // 4}i", curve[12:])
    g, *others = (v / 65536 for v in given)
    a, b, c, d, e, f = (*others, *(0.0,) * (6 - len(others))) if others else (1.0, *(0.0,) * 5)
    if function in (1, 2):  # level up to -b / a; the fourth number is what both parts have more (ICC.1:2022, 10.18)
        c, d, e, f = 0.0, -b / a if a else 0.0, c, c
    try:
        return math.pow(max(a * at + b, 0.0), g) + e if function == 0 or at >= d else c * at + f
    except (ArithmeticError, ValueError):
        return -1.0


@functools.lru_cache(maxsize=4)
def _entries(curve: bytes) -> tuple[int, ...]:
    """The numbers of a curve's table (ICC.1:2022, 10.6)."""
    return struct.unpack_from(f">{struct.unpack_from('>I', curve, 8)[0]}H", curve, 12)


def _even(space: bytes, tags: dict[bytes, bytes]) -> bool:
    """Whether numbers that differ by one are surely shown as colours that differ little.

    Curves and a matrix, as nearly every profile has, are told by themselves; what they cannot tell is tried by
    :mod:`medimg.formats.shared.steep`.
    """
    if space not in (b"RGB ", b"GRAY") or any(sig[:3] == b"A2B" for sig in tags):
        return False
    if space == b"RGB ":
        colours = [numbers(tags.get(sig, b"")) or (math.inf,) * 3 for sig in (b"rXYZ", b"gXYZ", b"bXYZ")]
        weights = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in TO_SRGB for colour in colours]
        if not all(abs(weight) <= MOST_WEIGHT for weight in weights):
            return False
    for sig in (b"rTRC", b"gTRC", b"bTRC") if space == b"RGB " else (b"kTRC",):
        shown = [signal(light(tags.get(sig, b""), level / 255)) for level in range(256)]
        if any(not 0 <= after - before <= MOST_STEP / 255 for before, after in itertools.pairwise(shown)):
            return False
    return True


def signal(light: float) -> float:
    """The number that sRGB has for light, both from 0 to 1 (IEC 61966-2-1)."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * math.pow(light, 1 / 2.4) - 0.055


def adobe_rgb() -> bytes:
    """A small profile of the Adobe RGB (1998) colours, of our own making, as :func:`clean` would write it."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 563)  # gamma as u8Fixed8, ICC.1:2022, 10.6
    tags = [(b"wtpt", _point(0.9642, 1.0, 0.8249))]
    tags += [(sig, _point(*xyz)) for sig, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), ADOBE_COLOURS, strict=True)]
    tags += [(sig, curve) for sig in (b"rTRC", b"gTRC", b"bTRC")]
    head = bytearray(HEADER)
    head[8:10] = b"\2\x10"  # version 2.1, which every viewer reads
    head[12:24], head[36:40] = b"mntrRGB XYZ ", b"acsp"
    at, index = HEADER + 4 + ENTRY * len(tags), b""
    for sig, body in tags:
        index += struct.pack(">4sII", sig, at, len(body))
        at += len(body) + -len(body) % 4
    made = clean(bytes(head) + struct.pack(">I", len(tags)) + index + b"".join(b + bytes(-len(b) % 4) for _, b in tags))
    if made is None:
        raise AssertionError("a profile of our own making does not hold")
    return made


def _point(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))


def tags_of(profile: bytes) -> list[tuple[bytes, bytes]] | None:
    """Signature and value of each colour tag, as :func:`exact` gives it; None when the profile cannot be parsed."""
    if len(profile) < HEADER + 4 or profile[36:40] != b"acsp" or profile[8] not in (2, 4, 5):
        return None
    if profile[12:16] not in (b"mntr", b"scnr", b"prtr", b"spac") or profile[20:24] not in (b"XYZ ", b"Lab "):
        return None
    if profile[16:20] not in (b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"YCbr"):
        return None
    (count,) = struct.unpack_from(">I", profile, HEADER)
    if count > MAX_TAGS or HEADER + 4 + ENTRY * count > len(profile):
        return None
    out: list[tuple[bytes, bytes]] = []
    for k in range(count):
        sig, at, size = struct.unpack_from(">4sII", profile, HEADER + 4 + ENTRY * k)
        if sig not in COLOUR_TAGS or OF_SPACE.get(sig, profile[16:20]) != profile[16:20]:
            continue
        body = exact(sig, profile[at : at + size]) if at + size <= len(profile) else None
        if body is None or any(sig == other for other, _ in out):
            return None
        out.append((sig, body))
    return out


def exact(signature: bytes, body: bytes) -> bytes | None:
    """A tag without what follows its data; None when its type or size does not fit (ICC.1:2022, 10)."""
    kind = body[:4]
    if len(body) < 12 or kind not in COLOUR_TAGS[signature] or body[4:8] != bytes(4):
        return None
    if kind in SIZES:
        size = SIZES[kind]
    elif kind == b"curv":
        size = 12 + 2 * struct.unpack_from(">I", body, 8)[0]
    elif kind == b"para":
        function = struct.unpack_from(">H", body, 8)[0]
        if function > 4:
            return None
        size = 12 + 4 * (1, 3, 4, 5, 7)[function]
    elif kind in (b"mft1", b"mft2"):
        size = _table_size(kind, body)
    else:
        return _parts(kind, body)
    if len(body) < size:
        return None
    reserved = {b"para": slice(10, 12), b"mft1": slice(11, 12), b"mft2": slice(11, 12)}.get(kind, slice(0, 0))
    out = bytearray(body[:size])
    out[reserved] = bytes(len(out[reserved]))
    return bytes(out) if kind not in (b"mft1", b"mft2") else _without_matrix(bytes(out))


def _without_matrix(table: bytes) -> bytes | None:
    """A table whose matrix changes nothing; None where some viewers would heed another."""
    if table[8] == 3 and table[12:48] != UNIT:
        return None
    return table[:12] + UNIT + table[48:]


def _parts(kind: bytes, body: bytes) -> bytes | None:
    """A table of curves, matrix and grid (ICC.1:2022, 10.12 and 10.13) with its parts one after the other.

    In a profile they may stand anywhere in the tag, with anything between them.
    """
    if len(body) < 32 or not 1 <= body[8] <= 15 or not 1 <= body[9] <= 15:
        return None
    inputs, outputs = body[8:10]
    near, far = (outputs, inputs) if kind == b"mAB " else (inputs, outputs)  # curves at the connection space, and not
    b, matrix, m, grid, a = struct.unpack_from(">5I", body, 12)
    made = [
        _curves(body, b, near), body[matrix : matrix + 48], _curves(body, m, near), _grid(body, grid, inputs, outputs),
        _curves(body, a, far),
    ]  # fmt: skip
    head, out = kind + bytes(4) + body[8:10] + bytes(2), b""
    for place, part in zip((b, matrix, m, grid, a), made, strict=True):
        if place and (not part or (place == matrix and len(part) != 48)):
            return None
        head += struct.pack(">I", 32 + len(out) if place else 0)
        out += part + bytes(-len(part) % 4) if place else b""
    return head + out if b else None


def _curves(body: bytes, at: int, many: int) -> bytes:
    """So many curves from a place on, each filled up to four bytes; nothing when one is damaged."""
    out = b""
    for _ in range(many):
        curve = exact(b"kTRC", body[at:])
        if curve is None:
            return b""
        out += curve + bytes(-len(curve) % 4)
        at += len(curve) + -len(curve) % 4
    return out


def _grid(body: bytes, at: int, inputs: int, outputs: int) -> bytes:
    """The grid of a table: points in each direction, bytes of a value, values; nothing when it is damaged."""
    points, wide = body[at : at + inputs], body[at + 16 : at + 17]
    size = outputs * (wide[0] if wide in (b"\1", b"\2") else 0) * math.prod(points)
    values = body[at + 20 : at + 20 + size]
    return points.ljust(16, b"\0") + wide + bytes(3) + values if size and len(values) == size else b""


def _table_size(kind: bytes, body: bytes) -> int:
    """ICC.1:2022, 10.10 and 10.11."""
    inputs, outputs, points = body[8:11]
    if kind == b"mft1":
        return int(48 + 256 * inputs + points**inputs * outputs + 256 * outputs)
    before, after = struct.unpack_from(">HH", body.ljust(52, b"\0"), 48)
    return int(52 + 2 * (before * inputs + points**inputs * outputs + after * outputs))


def _description(words: str, major: int) -> bytes:
    if major >= 4:
        return _multi_localised(words)
    text = words.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)


def _copyright(major: int) -> bytes:
    return _multi_localised(COPYRIGHT) if major >= 4 else b"text" + bytes(4) + COPYRIGHT.encode("ascii") + b"\0"


def _multi_localised(text: str) -> bytes:
    raw = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(raw), 28) + raw
