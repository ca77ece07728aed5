"""TIFF: allow-listed fields, exact samples."""

from medimg.formats.tiff.photo import NAME, STRIPS, TILES, TiffPhoto, open, sniff  # noqa: A004

__all__ = ["NAME", "STRIPS", "TILES", "TiffPhoto", "open", "sniff"]
