"""Walk a written JPEG copy: tables, one frame, scans, and four kinds of segment whose every byte is known."""

from __future__ import annotations

import struct

from medimg.audit import _icc
from medimg.errors import Malformed

JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
ADOBE = b"Adobe\0\x64\0\0\0\0"
FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)


def walk(data: bytes) -> list[str]:
    """Paths of everything outside the allow-list; see :mod:`medimg.audit`."""
    if data[:2] != b"\xff\xd8":
        raise Malformed("the copy does not begin as a JPEG.")
    stray: list[str] = []
    seen: list[int] = []
    profile: list[bytes] = []
    at, frame, scans = 2, b"", 0
    while True:
        if at + 2 > len(data):
            raise Malformed("the copy has no end.")
        if data[at] != 0xFF:
            raise Malformed("the copy has bytes between its segments.")
        marker = data[at + 1]
        if marker == 0xD9:
            break
        (size,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + size]
        if size < 2 or len(body) != size - 2:
            raise Malformed("a segment of the copy is cut short.")
        if marker in FRAMES:
            if frame:
                stray.append("second frame")
            frame = body
        elif marker == 0xE2 and body[:12] == b"ICC_PROFILE\0" and not scans:
            profile.append(body)
        elif marker in (0xE0, 0xE1, 0xEE) and not frame and marker not in seen:
            if not _known(marker, body):
                stray.append(f"APP{marker - 0xE0}")
        elif not _structure(marker, body):
            stray.append(f"segment {marker:02X}")
        seen.append(marker)
        at += 2 + size
        if marker == 0xDA:
            scans += 1
            at = _scan_end(data, at)
    if at + 2 != len(data):
        stray.append("after EOI")
    if len(frame) < 6 or len(frame) != 6 + 3 * frame[5] or not scans:
        raise Malformed("the copy holds no picture.")
    if profile and _profile_strays(profile):
        stray.append("APP2/ICC")
    return stray


def _known(marker: int, body: bytes) -> bool:
    if marker == 0xE0:
        return body == JFIF
    if marker == 0xEE:
        return body[:-1] == ADOBE and body[-1] <= 2
    head, value, tail = body[:24], body[24:26], body[26:]
    return (
        head == b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1"
        and tail == bytes(6)
        and 2 <= int.from_bytes(value, "big") <= 8
    )


def _structure(marker: int, body: bytes) -> bool:
    """Whether a table or scan header has exactly the bytes its counts ask for."""
    if marker == 0xDB:
        at = 0
        while at < len(body) and body[at] >> 4 <= 1 and body[at] & 15 <= 3:
            at += 129 if body[at] >> 4 else 65
        return at == len(body)
    if marker == 0xC4:
        at = 0
        while at + 17 <= len(body) and not body[at] & 0xEC:
            at += 17 + sum(body[at + 1 : at + 17])
        return at == len(body)
    if marker == 0xDD:
        return len(body) == 2
    if marker == 0xCC:
        return len(body) % 2 == 0
    return marker == 0xDA and 1 <= body[0] <= 4 and len(body) == 4 + 2 * body[0]


def _scan_end(data: bytes, at: int) -> int:
    """Where the next marker stands after coded data; restart markers belong to it."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise Malformed("the copy ends inside its picture.")
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _profile_strays(chunks: list[bytes]) -> bool:
    whole = b""
    for number, chunk in enumerate(chunks, 1):
        if chunk[12:14] != bytes((number, len(chunks))):
            return True
        whole += chunk[14:]
    return bool(_icc.strays(whole))
