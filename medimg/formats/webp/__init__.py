"""WebP: allow-listed chunks."""

from medimg.formats.webp.photo import NAME, open, sniff  # noqa: A004

SUFFIXES = (".webp",)
MEDIA_TYPES = {".webp": "image/webp"}
WRITES = ("webp",)

__all__ = ["MEDIA_TYPES", "NAME", "SUFFIXES", "WRITES", "open", "sniff"]
