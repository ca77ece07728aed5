"""Writing DICOM through pydicom: explicit, little-endian, every length defined but that of coded pixel data (PS3.10).

Values come here as the bytes that stand in the file, made from an allow-list; pydicom puts the file around them.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from medimg.formats.dicom._quiet import quiet  # isort: skip # before pydicom is loaded

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from medimg.formats.dicom import _tags as t

NUL_PADDED = ("UI", "OB", "OW")
UNDEFINED = 0xFFFFFFFF
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


def plain(samples: bytes, allocated: int) -> Field:
    """Pixel data of samples of 8 or 16 bits, little-endian (PS3.5, A.2)."""
    return Field(t.PIXELS, "OB" if allocated == 8 else "OW", samples)


def items(sets: Iterable[Iterable[Field]]) -> bytes:
    """The value of a sequence."""
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    with quiet():
        write_sequence(out, DataElement(t.METHOD_CODES, "SQ", [_data_set(fields) for fields in sets]), ["ascii"])
    return out.getvalue()


def file(
    syntax: str, object_class: str, instance: str, fields: Sequence[Field], pixels: Field | Sequence[bytes]
) -> bytes:
    """A whole file: an empty preamble, the file meta group, the fields by tag, and the pixel data element.

    ``pixels`` are a field, or coded frames, one fragment each, behind an empty offset table (PS3.5, A.4).
    """
    with quiet():
        if isinstance(pixels, Field):
            data = _data_set([*fields, pixels])
        else:
            data = _data_set(fields)
            coded = encapsulate(list(pixels), has_bot=False)
            data[t.PIXELS] = RawDataElement(BaseTag(t.PIXELS), "OB", UNDEFINED, coded, 0, False, True)
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(object_class), UID(instance)
        meta.TransferSyntaxUID = UID(syntax)
        meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
        meta.ImplementationVersionName = IMPLEMENTATION_NAME
        data.file_meta = meta
        out = io.BytesIO()
        dcmwrite(out, data, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def _data_set(fields: Iterable[Field]) -> Dataset:
    return Dataset({BaseTag(field.tag): _element(field) for field in fields})


def _element(field: Field) -> RawDataElement:
    pad = b"" if len(field.value) % 2 == 0 else b"\0" if field.vr in NUL_PADDED else b" "
    value = field.value + pad
    return RawDataElement(BaseTag(field.tag), field.vr, len(value), value, 0, False, True)


def new_uid(key: bytes, old: str) -> str:
    """A UID in place of another: the same for the same key, and telling nothing of the old one without the key.

    PS3.5, B.2: ``2.25.`` and a UUID as one whole number. The UUID is of version 8 (RFC 9562, 5.8), its bits those of
    HMAC-SHA-256.
    """
    bits = int.from_bytes(hmac.new(key, old.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()[:16])
    bits = bits & ~(0xF << 76) | 8 << 76
    bits = bits & ~(3 << 62) | 2 << 62
    return f"2.25.{bits}"
