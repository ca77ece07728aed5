"""TIFF: allow-listed fields, exact samples."""

from medimg.formats.tiff.photo import NAME, STRIPS, TILES, TiffPhoto, open, sniff  # noqa: A004

MEDIA_TYPES = {".tif": "image/tiff"}
WRITES = ("tiff",)

__all__ = ["MEDIA_TYPES", "NAME", "STRIPS", "TILES", "WRITES", "TiffPhoto", "open", "sniff"]
