"""WebP: allow-listed chunks."""

from medimg.formats.webp.photo import NAME, open, sniff  # noqa: A004

__all__ = ["NAME", "open", "sniff"]
