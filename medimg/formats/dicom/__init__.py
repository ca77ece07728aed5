"""DICOM photographs and secondary captures: an allow-listed header and the pixels.

pydicom is loaded when a file is one, and not before: it brings numpy and Pillow with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medimg.formats.dicom.photo import DicomPhoto
    from medimg.types import Limits

NAME = "dicom"
MEDIA_TYPES = {".dcm": "application/dicom"}
WRITES = ("dicom",)


def sniff(head: bytes) -> bool:
    """Whether content starts as a DICOM file does: 128 bytes of anything, then ``DICM`` (PS3.10, 7.1)."""
    return head[128:132] == b"DICM"


def open(data: bytes, limits: Limits) -> DicomPhoto:  # noqa: A001 - the name every format module has
    """Walk the file; see :func:`medimg.formats.dicom.photo.open`."""
    from medimg.formats.dicom import photo

    return photo.open(data, limits)
