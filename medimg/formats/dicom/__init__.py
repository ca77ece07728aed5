"""DICOM photographs and secondary captures: an allow-listed header and the pixels."""

from medimg.formats.dicom.photo import NAME, open, sniff  # noqa: A004

__all__ = ["NAME", "open", "sniff"]
