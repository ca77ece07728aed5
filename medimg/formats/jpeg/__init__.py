"""JPEG: baseline and progressive, rewritten segment by segment; covers in the coefficients."""

from medimg.formats.jpeg._parse import first_scan
from medimg.formats.jpeg.photo import NAME, JpegPhoto, open, sniff  # noqa: A004

MEDIA_TYPES = {".jpg": "image/jpeg"}
WRITES = ("jpeg",)

__all__ = ["MEDIA_TYPES", "NAME", "WRITES", "JpegPhoto", "first_scan", "open", "sniff"]
