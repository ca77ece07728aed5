"""Judge a colour profile in a written copy: colour tags, one of a few descriptions, one fixed date, nothing else."""

from __future__ import annotations

import math
import struct

CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
POINTS = (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ")
TABLES = (b"A2B0", b"A2B1", b"A2B2")
EVERY = (b"desc", b"cprt", b"wtpt", b"chad", *TABLES)
READ = {b"RGB ": (*EVERY, *CURVES[:3], *POINTS, b"cicp"), b"GRAY": (*EVERY, b"kTRC"), b"CMYK": EVERY}
"""Tags that are read for a colour space (ICC.1, 8.3 to 8.5)."""
PLAIN = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 16)
"""What the matrix of a table is for colours that are not XYZ (10.10, 10.11)."""
FIXED_DATE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
TEXTS = {b"cprt": ("CC0",)}
KINDS = {b"RGB ": ("sRGB", "Display P3", "Adobe RGB compatible", "RGB"), b"GRAY": ("Gray",), b"CMYK": ("CMYK",),
         b"Lab ": ("Lab",), b"YCbr": ("YCbCr",)}  # fmt: skip
"""Descriptions that a profile of each colour space may have."""


def strays(profile: bytes) -> list[str]:
    """Names of what stands outside the allow-list; empty when there is nothing."""
    out: list[str] = []
    size, count = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, 128)[0]
    head = profile[:128]
    if size != len(profile) or head[24:36] != FIXED_DATE or head[36:40] != b"acsp":
        out.append("header")
    if head[4:8].strip(b"\0") or head[10:12].strip(b"\0") or head[40:67].strip(b"\0") or head[80:].strip(b"\0"):
        out.append("header")
    if head[9] & 0x0F or head[9] > 0x40:
        out.append("header")
    spans = {(0, 132 + 12 * count)}
    for k in range(count):
        sig, at, length = struct.unpack_from(">4sII", profile, 132 + 12 * k)
        body = profile[at : at + length]
        texts = KINDS.get(profile[16:20], ()) if sig == b"desc" else TEXTS.get(sig, ())
        read = sig in READ.get(profile[16:20], EVERY)
        if len(body) != length or not read or not _allowed(sig, body, profile[8], texts):
            out.append("tag")
        spans.add((at, at + length))
    end = 0
    for start, stop in sorted(spans):
        if start < end or start - end > 3 or profile[end:start].strip(b"\0"):
            out.append("gap")
        end = stop
    if len(profile) - end > 3 or profile[end:].strip(b"\0"):
        out.append("gap")
    return out


def _allowed(sig: bytes, body: bytes, major: int, texts: tuple[str, ...]) -> bool:
    kind, rest = body[:4], body[8:]
    if body[4:8] != bytes(4):
        return False
    if sig in (b"desc", b"cprt"):
        return any(body == _text(sig, text, major) for text in texts)
    if sig in POINTS:
        return kind == b"XYZ " and len(body) == 20
    if sig in CURVES:
        if kind == b"curv":
            return len(rest) == 4 + 2 * int.from_bytes(rest[:4], "big")
        return kind == b"para" and len(rest) == _parametric(rest)
    if sig == b"chad":
        return kind == b"sf32" and len(body) == 44
    if sig == b"cicp":
        return kind == b"cicp" and len(body) == 12
    if sig in TABLES and kind in (b"mft1", b"mft2"):
        inputs, outputs, grid = body[8:11]
        width, rows = (1, (256, 256)) if kind == b"mft1" else (2, struct.unpack_from(">HH", body, 48))
        numbers = rows[0] * inputs + grid**inputs * outputs + rows[1] * outputs
        whole = len(body) == (48 if width == 1 else 52) + width * numbers
        return bool(whole and not body[11] and body[12:48] == PLAIN)
    return sig in TABLES and kind in (b"mAB ", b"mBA ") and _filled(body)


def _parametric(rest: bytes) -> int:
    """Bytes of a parametric curve behind its type; -1 when it is of an unknown kind."""
    return 4 + 4 * {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[rest[1]] if rest[:1] + rest[2:4] == bytes(3) and rest[1] < 5 else -1


def _filled(body: bytes) -> bool:
    """Whether the parts of a table stand one behind the other and nothing stands anywhere else (ICC.1, 10.12, 10.13).

    Five places: the curves of one side, a matrix, the curves between, a table of colours, the curves of the other side.
    """
    coming, going = body[8:10]
    if body[10:12] != bytes(2) or not body[12:16].strip(b"\0"):
        return False
    first, last = (going, coming) if body[1:2] == b"A" else (coming, going)
    end = 32
    for number, place in enumerate(struct.unpack_from(">5I", body, 12)):
        if place and place != end:
            return False
        if place and number == 1:
            end += 48  # twelve numbers of four bytes
        elif place and number == 3:
            end = _colours(body, end, coming, going)
        elif place:
            end = _curves(body, end, last if number == 4 else first)
        if not 32 <= end <= len(body):
            return False
    return end == len(body)


def _colours(body: bytes, at: int, coming: int, going: int) -> int:
    """Where a table of colours ends; -1 when it is not one (ICC.1, 10.12.3)."""
    width = body[at + 16]
    if width not in (1, 2) or any(body[at + coming : at + 16]) or any(body[at + 17 : at + 20]):
        return -1
    return _rounded(body, at + 20 + width * math.prod(body[at : at + coming]) * going)


def _curves(body: bytes, at: int, count: int) -> int:
    """Where a row of curves ends; -1 when anything else stands there."""
    for _ in range(count):
        kind, rest = body[at : at + 4], body[at + 8 :]
        if body[at + 4 : at + 8] != bytes(4) or kind not in (b"curv", b"para"):
            return -1
        size = 4 + 2 * int.from_bytes(rest[:4], "big") if kind == b"curv" else _parametric(rest)
        at = -1 if size < 0 else _rounded(body, at + 8 + size)
        if at == -1:
            break
    return at


def _rounded(body: bytes, end: int) -> int:
    """The next multiple of four; -1 when anything but zeros lies before it, or the body ends."""
    after = end + -end % 4
    return after if after <= len(body) and not any(body[end:after]) else -1


def _text(sig: bytes, text: str, major: int) -> bytes:
    if major >= 4:
        raw = text.encode("utf-16-be")
        return b"mluc\0\0\0\0\0\0\0\1\0\0\0\x0cenUS" + struct.pack(">II", len(raw), 28) + raw
    ascii_text = text.encode() + b"\0"
    if sig == b"cprt":
        return b"text\0\0\0\0" + ascii_text
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + b"\0" * 78
