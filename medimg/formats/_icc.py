"""ICC profiles (ICC.1:2022) rebuilt from their colour tags alone.

Dates, device and vendor names, profile ids, copyright texts and private tags are not copied; the colour arithmetic is,
byte for byte, so every transform stays identical.
"""

from __future__ import annotations

import math
import struct

from medimg.types import Finding

HEADER, ENTRY = 128, 12
MAX_TAGS = 100
DESCRIPTION = "medimg"
COPYRIGHT = "CC0"

# Tags a transform reads (ICC.1:2022, 8 and 9.2) -> the types they may have (section 10).
_CURVE = (b"curv", b"para")
_XYZ = (b"XYZ ",)
_LUT = (b"mft1", b"mft2", b"mAB ", b"mBA ")
COLOUR_TAGS: dict[bytes, tuple[bytes, ...]] = {
    b"wtpt": _XYZ, b"bkpt": _XYZ, b"rXYZ": _XYZ, b"gXYZ": _XYZ, b"bXYZ": _XYZ, b"lumi": _XYZ,
    b"chad": (b"sf32",), b"cicp": (b"cicp",),
    b"rTRC": _CURVE, b"gTRC": _CURVE, b"bTRC": _CURVE, b"kTRC": _CURVE,
    b"A2B0": _LUT, b"A2B1": _LUT, b"A2B2": _LUT, b"B2A0": _LUT, b"B2A1": _LUT, b"B2A2": _LUT, b"gamt": _LUT,
}  # fmt: skip


def clean(profile: bytes) -> bytes | None:
    """The profile rebuilt, or None when it cannot be parsed (then it is dropped, and reported)."""
    tags = _tags(profile)
    if tags is None:
        return None
    major = profile[8]
    texts = [(b"desc", _description(major)), (b"cprt", _copyright(major))]
    every = texts + [(sig, body) for sig, body in tags if sig in COLOUR_TAGS]
    if len(every) == len(texts):
        return None
    at = HEADER + 4 + ENTRY * len(every)
    index, body = b"", b""
    places: dict[bytes, int] = {}
    for sig, data in every:
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        index += struct.pack(">4sII", sig, places[data], len(data))
    head = bytearray(HEADER)
    head[8:10] = profile[8:10]  # version
    head[12:24] = profile[12:24]  # class, colour space, connection space
    head[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    head[36:40] = b"acsp"
    head[67] = profile[67] & 3  # rendering intent
    head[68:80] = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)  # D50, as every profile must say (7.2.16)
    out = bytes(head) + struct.pack(">I", len(every)) + index + body
    return struct.pack(">I", len(out)) + out[4:]


def findings(profile: bytes, where: str) -> list[Finding]:
    """One finding when the profile says more than its colours; none when it is what :func:`clean` makes."""
    if clean(profile) == profile:
        return []
    return [Finding(kind="metadata", category="colour-profile-text", where=where, detector="icc reader")]


def _tags(profile: bytes) -> list[tuple[bytes, bytes]] | None:
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
        if sig not in COLOUR_TAGS:
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
    if kind == b"XYZ ":
        size = 20
    elif kind == b"sf32":
        size = 44
    elif kind == b"cicp":
        size = 12
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
    return bytes(out)


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


def _description(major: int) -> bytes:
    if major >= 4:
        return _multi_localised(DESCRIPTION)
    text = DESCRIPTION.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)


def _copyright(major: int) -> bytes:
    return _multi_localised(COPYRIGHT) if major >= 4 else b"text" + bytes(4) + COPYRIGHT.encode("ascii") + b"\0"


def _multi_localised(text: str) -> bytes:
    raw = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(raw), 28) + raw
