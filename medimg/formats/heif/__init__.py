"""HEIC and AVIF: allow-listed boxes; PNG or JPEG where covered."""

from medimg.formats.heif.photo import NAME, open, sniff, write_jpeg  # noqa: A004

__all__ = ["NAME", "open", "sniff", "write_jpeg"]
