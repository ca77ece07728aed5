"""Independent walk of a DICOM copy: an empty preamble, allow-listed elements of a fixed form, the picture."""

from __future__ import annotations

import re
import struct

from medimg.audit import _dicom_words, icc, jpeg
from medimg.errors import Malformed

PLAIN, BASELINE, EXTENDED = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.51"
LENGTHY = (b"OB", b"OW", b"SQ")
UID = rb"2\.25\.[1-9]\d{0,38}\0?"
CLASS = rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\.(77\.1\.[124]|7(\.[234])?)\0?"
DIGITS = rb"(\d{1,4} ?)?"
DECIMAL = rb"-?\d{1,6}(\.\d{1,2})? ?"
NOTHING = rb""
SHORT = rb"[\x01-\xff]\0|[\0-\xff][\x01-\xff]"
"""A number of two bytes that is not 0."""

Table = dict[int, tuple[bytes, bytes]]
"""Tag -> value representation, form of the value."""

META: Table = {
    0x00020001: (b"OB", rb"\0\x01"),
    0x00020002: (b"UI", CLASS),
    0x00020003: (b"UI", UID),
    0x00020010: (b"UI", rb"1\.2\.840\.10008\.1\.2\.(1|4\.5[01])\0?"),
    0x00020012: (b"UI", rb"2\.25\.10776657093671656921168742169227976238\0?"),
    0x00020013: (b"SH", rb"MEDIMG"),
}
DATA: Table = {
    0x00080008: (b"CS", rb"(ORIGINAL|DERIVED)\\(PRIMARY|SECONDARY) ?"),
    0x00080016: (b"UI", CLASS),
    0x00080018: (b"UI", UID),
    0x00080020: (b"DA", NOTHING), 0x00080030: (b"TM", NOTHING), 0x00080050: (b"SH", NOTHING),
    0x00080060: (b"CS", rb"[A-Z]{2,5} ?"),
    0x00080064: (b"CS", rb"[A-Z]{2,3} ?"),
    0x00080070: (b"LO", NOTHING), 0x00080090: (b"PN", NOTHING), 0x00100010: (b"PN", NOTHING),
    0x00100020: (b"LO", NOTHING), 0x00100030: (b"DA", NOTHING), 0x00100040: (b"CS", NOTHING),
    0x00120062: (b"CS", rb"YES "),
    0x00120063: (b"LO", rb"medimg( \d{1,4}(\.\d{1,4}){1,3}([a-z]{1,3}\d{1,4})?)? ?"),
    0x00180015: (b"CS", rb"[A-Z]{2,11} ?"),
    0x0020000D: (b"UI", UID), 0x0020000E: (b"UI", UID), 0x00200010: (b"SH", NOTHING),
    0x00200011: (b"IS", DIGITS), 0x00200013: (b"IS", DIGITS),
    0x00200020: (b"CS", rb"([ALRPHF]{1,3}\\[ALRPHF]{1,3} ?)?"),
    0x00200060: (b"CS", rb"([LR] )?"), 0x00200062: (b"CS", rb"[LRUB] "),
    0x00280002: (b"US", rb"[\x01\x03]\0"),
    0x00280004: (b"CS", rb"(MONOCHROME[12]|RGB|YBR_FULL_422) ?"),
    0x00280006: (b"US", rb"\0\0"), 0x00280008: (b"IS", rb"1 "),
    0x00280010: (b"US", SHORT), 0x00280011: (b"US", SHORT),
    0x00280034: (b"IS", rb"\d{1,4}\\\d{1,4} ?"),
    0x00280100: (b"US", rb"[\x08\x10]\0"), 0x00280101: (b"US", rb"[\x01-\x10]\0"),
    0x00280102: (b"US", rb"[\0-\x0f]\0"), 0x00280103: (b"US", rb"\0\0"),
    0x00280301: (b"CS", rb"NO"), 0x00280302: (b"CS", rb"NO"), 0x00280303: (b"CS", rb"REMOVED "),
    0x00281050: (b"DS", DECIMAL), 0x00281051: (b"DS", DECIMAL), 0x00281052: (b"DS", rb"0 "),
    0x00281053: (b"DS", rb"1 "), 0x00281054: (b"LO", rb"US"),
    0x00282110: (b"CS", rb"0[01]"), 0x00282112: (b"DS", DECIMAL),
    0x00282114: (b"CS", rb"ISO_(10918_1|15444_1|14495_1) ?"),
    0x00400555: (b"SQ", NOTHING),
    0x20500020: (b"CS", rb"IDENTITY"),
    0x00120064: (b"SQ", NOTHING), 0x00282000: (b"OB", NOTHING),  # codes and colour profile: walked apart
}  # fmt: skip
WORDS = {
    0x00080060: _dicom_words.MODALITY,
    0x00080064: _dicom_words.CONVERSION,
    0x00180015: _dicom_words.BODY_PART,
}
CODES, COLOURS = 0x00120064, 0x00282000
PIXEL_TAG = b"\xe0\x7f\x10\0"
"""Pixel Data, (7FE0,0010), as it stands in the file."""
OPTIONS: dict[bytes, tuple[bytes, int, bytes]] = {
    b"113101": (b"Clean Pixel Data Option ", 0x00280301, b"text"),
    b"113102": (b"Clean Recognizable Visual Features Option ", 0x00280302, b"faces"),
}
BASIC = (b"113100", b"Basic Application Confidentiality Profile ")


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    if data[128:132] != b"DICM":
        raise Malformed("the copy does not begin like a DICOM file.")
    strays = ["preamble"] if data[:128].strip(b"\0") else []
    tag, kind, length, at = _element(data, 132)
    if (tag, kind, len(length)) != (0x00020000, b"UL", 4):
        raise Malformed("the copy has no file header.")
    end = at + int.from_bytes(length, "little")
    values, at = _group(data, at, end, META, strays)
    syntax = values.get(0x00020010, b"").rstrip(b"\0")
    if at != end or set(values) != set(META):
        strays.append("file meta")
    header, at = _group(data, at, len(data), DATA, strays)
    if header.get(0x00080016) != values.get(0x00020002) or header.get(0x00080018) != values.get(0x00020003):
        strays.append("file meta/names")
    _statements(header, strays)
    return strays + _pixels(data, at, syntax, header)


def _element(data: bytes, at: int) -> tuple[int, bytes, bytes, int]:
    """Tag, representation, value, and where the next one starts."""
    group, number, kind, length = struct.unpack_from("<HH2sH", data, at)
    at += 8
    reserved = 0
    if kind in LENGTHY:
        reserved, length = length, int(struct.unpack_from("<I", data, at)[0])
        at += 4
    value = data[at : at + length]
    if len(value) != length or length % 2 or reserved:
        raise Malformed("the copy could not be followed to its end.")
    return group << 16 | number, kind, value, at + length


def _group(data: bytes, at: int, end: int, allowed: Table, strays: list[str]) -> tuple[dict[int, bytes], int]:
    """Elements in order, up to the pixel data or ``end``, each held against the list."""
    found: list[tuple[int, bytes]] = []
    while at < end and data[at : at + 4] != PIXEL_TAG:
        tag, kind, value, at = _element(data, at)
        found.append((tag, value))
        if not _allowed(tag, kind, value, allowed):
            strays.append(f"{tag >> 16:04X},{tag & 0xFFFF:04X}" if tag in DATA else "element")
    tags = [tag for tag, _ in found]
    if tags != sorted(set(tags)):
        strays.append("order")
    return dict(found), at


def _allowed(tag: int, kind: bytes, value: bytes, allowed: Table) -> bool:
    wanted, form = allowed.get(tag, (b"", NOTHING))
    if kind != wanted:
        return False
    if tag == CODES:
        return _codes(value) is not None
    if tag == COLOURS:
        return not icc.strays(value)
    fits = re.fullmatch(form, value, re.DOTALL) is not None
    return fits and (tag not in WORDS or value.rstrip() in WORDS[tag])


def _codes(value: bytes) -> list[bytes] | None:
    """The codes of the method; None when anything else stands there."""
    out: list[bytes] = []
    at = 0
    while at < len(value):
        group, number, length = struct.unpack_from("<HHI", value, at)
        code = _element(value, at + 8)
        scheme = _element(value, code[3])
        meaning = _element(value, scheme[3])
        said = dict([BASIC, *((k, v[0]) for k, v in OPTIONS.items())]).get(code[2])
        if (
            (group, number, at + 8 + length) != (0xFFFE, 0xE000, meaning[3])
            or (code[:2], scheme[:3]) != ((0x00080100, b"SH"), (0x00080102, b"SH", b"DCM "))
            or (meaning[0], meaning[1], meaning[2]) != (0x00080104, b"LO", said)
        ):
            return None
        out.append(code[2])
        at = meaning[3]
    return out if out[:1] == [BASIC[0]] and out[1:] == sorted(set(out[1:]) & set(OPTIONS)) else None


def _statements(header: dict[int, bytes], strays: list[str]) -> None:
    """A flag stands there exactly when its option was carried out, and what every copy says is said."""
    codes = _codes(header.get(CODES, b"")) or []
    for code, (_, flag, name) in OPTIONS.items():
        if (code in codes) != (flag in header):
            strays.append(f"method/{name.decode()}")
    if not codes or 0x00120062 not in header or 0x00120063 not in header or 0x00280303 not in header:
        strays.append("method")


def _pixels(data: bytes, at: int, syntax: bytes, header: dict[int, bytes]) -> list[str]:
    """The pixel data are of the size the header says, hide no bits, and are the last thing in the file."""

    def number(tag: int) -> int:
        return int.from_bytes(header[tag], "little") if tag in header else 0

    rows, columns, samples = number(0x00280010), number(0x00280011), number(0x00280002)
    allocated, stored = number(0x00280100), number(0x00280101)
    if not all((rows, columns, samples, allocated, stored)) or number(0x00280102) != stored - 1:
        return ["pixel data"]
    if syntax == PLAIN:
        _, kind, value, end = _element(data, at)
        size = rows * columns * samples * (allocated // 8)
        if kind != (b"OB" if allocated == 8 else b"OW") or len(value) != size + size % 2 or value[size:].strip(b"\0"):
            return ["pixel data"]
        strays = ["pixel data/bits"] if _spare(value[:size], allocated, stored) else []
        return strays if end == len(data) else [*strays, "after the pixel data"]
    if syntax not in (BASELINE, EXTENDED) or (allocated, stored) != (8, 8):
        return ["pixel data"]
    if data[at : at + 20] != struct.pack("<HH2sHIHHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0):
        return ["pixel data"]
    group, element, length = struct.unpack_from("<HHI", data, at + 20)
    frame, end = data[at + 28 : at + 28 + length], at + 28 + length
    if (group, element) != (0xFFFE, 0xE000) or len(frame) != length or length % 2:
        return ["pixel data"]
    padded = frame[-3:] == b"\xff\xd9\0"
    strays = [f"pixel data/{path}" for path in jpeg.walk(frame[:-1] if padded else frame)]
    if any(frame[k : k + 2] == b"\xff\xe1" for k in _segments(frame)) or _size(frame) != (rows, columns, samples):
        strays.append("pixel data/JPEG")
    return strays if data[end:] == struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) else [*strays, "after the pixel data"]


def _spare(value: bytes, allocated: int, stored: int) -> bool:
    import numpy as np

    return stored < allocated and bool((np.frombuffer(value, "u1" if allocated == 8 else "<u2") >> stored).any())


def _segments(frame: bytes) -> list[int]:
    """Where the segments before the first scan stand."""
    out, at = [], 2
    while frame[at + 1] != 0xDA:
        out.append(at)
        at += 2 + int.from_bytes(frame[at + 2 : at + 4])
    return out


def _size(frame: bytes) -> tuple[int, int, int]:
    """Rows, columns and components of the frame header."""
    for at in _segments(frame):
        if frame[at + 1] in (0xC0, 0xC1):
            rows, columns, count = struct.unpack_from(">HHB", frame, at + 5)
            return int(rows), int(columns), int(count)
    return 0, 0, 0
