"""JPEG: baseline and progressive, rewritten segment by segment; covers in the coefficients."""

from medimg.formats.jpeg.photo import NAME, JpegPhoto, open, sniff  # noqa: A004

__all__ = ["NAME", "JpegPhoto", "open", "sniff"]
