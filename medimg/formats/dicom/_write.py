"""Writing DICOM: explicit, little-endian, every length defined but that of coded pixel data (PS3.5, PS3.10)."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Sequence
from typing import NamedTuple

from medimg.formats.dicom import _tags as t

LONG = ("OB", "OW", "SQ", "UN", "UT")
NUL_PADDED = ("UI", "OB", "OW")
IMPLEMENTATION_UID = "2.25.10776657093671656921168742169227976238"
"""Implementation Class UID (PS3.7, D.3.3.2): the same in every copy of every version."""
IMPLEMENTATION_NAME = "MEDIMG"


class Field(NamedTuple):
    """One element of a copy; the value not yet padded."""

    tag: int
    vr: str
    value: bytes


def text(tag: int, value: str) -> Field:
    """A field of text."""
    return Field(tag, t.KEPT[tag], value.encode("utf-8"))


def number(tag: int, value: int) -> Field:
    """A US field."""
    return Field(tag, "US", struct.pack("<H", value))


def encoded(field: Field) -> bytes:
    """A field as it stands in a file."""
    pad = b"" if len(field.value) % 2 == 0 else b"\0" if field.vr in NUL_PADDED else b" "
    head = struct.pack("<HH2s", field.tag >> 16, field.tag & 0xFFFF, field.vr.encode("ascii"))
    size = len(field.value) + len(pad)
    return (
        head
        + struct.pack("<HI" if field.vr in LONG else "<H", *((0, size) if field.vr in LONG else (size,)))
        + (field.value + pad)
    )


def items(sets: Sequence[Sequence[Field]]) -> bytes:
    """The value of a sequence."""
    out = b""
    for fields in sets:
        body = b"".join(map(encoded, fields))
        out += struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
    return out


def encapsulated(frames: Sequence[bytes]) -> bytes:
    """Pixel data of coded frames, one fragment each, behind an empty offset table (PS3.5, A.4)."""
    out = [struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF), struct.pack("<HHI", 0xFFFE, 0xE000, 0)]
    for frame in frames:
        padded = frame + b"\0" * (len(frame) % 2)
        out += [struct.pack("<HHI", 0xFFFE, 0xE000, len(padded)), padded]
    out.append(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    return b"".join(out)


def file(syntax: str, object_class: str, instance: str, fields: Sequence[Field], pixels: bytes) -> bytes:
    """A whole file: an empty preamble, the file meta group, the fields by tag, and the pixel data element."""
    meta = b"".join(
        encoded(Field(tag, vr, value))
        for tag, vr, value in (
            (0x00020001, "OB", b"\0\1"),
            (t.META_CLASS, "UI", object_class.encode()),
            (t.META_INSTANCE, "UI", instance.encode()),
            (t.SYNTAX, "UI", syntax.encode()),
            (0x00020012, "UI", IMPLEMENTATION_UID.encode()),
            (0x00020013, "SH", IMPLEMENTATION_NAME.encode()),
        )
    )
    length = encoded(Field(0x00020000, "UL", struct.pack("<I", len(meta))))
    body = b"".join(encoded(f) for f in sorted(fields))
    return bytes(128) + b"DICM" + length + meta + body + pixels


def new_uid(key: bytes, old: str) -> str:
    """A UID in place of another: the same for the same key, and telling nothing of the old one without the key.

    PS3.5, B.2: ``2.25.`` and a UUID as one whole number. The UUID is of version 8 (RFC 9562, 5.8), its bits those of
    HMAC-SHA-256.
    """
    bits = int.from_bytes(hmac.new(key, old.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()[:16])
    bits = bits & ~(0xF << 76) | 8 << 76
    bits = bits & ~(3 << 62) | 2 << 62
    return f"2.25.{bits}"
