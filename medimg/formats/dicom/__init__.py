"""DICOM photographs and secondary captures: an allow-listed header and the pixels."""

from medimg.formats.dicom.photo import NAME, open, sniff  # noqa: A004

SUFFIXES = (".dcm", ".dicom")
MEDIA_TYPES = {".dcm": "application/dicom"}
WRITES = ("dicom",)

__all__ = ["MEDIA_TYPES", "NAME", "SUFFIXES", "WRITES", "open", "sniff"]
