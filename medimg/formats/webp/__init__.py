"""WebP: allow-listed chunks."""

from medimg.formats.webp.photo import NAME, open, sniff  # noqa: A004

MEDIA_TYPES = {".webp": "image/webp"}
WRITES = ("webp",)

__all__ = ["MEDIA_TYPES", "NAME", "WRITES", "open", "sniff"]
