"""HEIC and AVIF: allow-listed boxes; PNG or JPEG where covered."""

from medimg.formats.heif.photo import NAME, open, plain_profile, sniff, write_jpeg  # noqa: A004

MEDIA_TYPES = {".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif"}
WRITES = ("heif", "png", "jpeg")
AS_JPEG = (8, 8)
"""Blocks to which covers grow where a copy is a JPEG: its chroma is at full resolution."""

__all__ = ["AS_JPEG", "MEDIA_TYPES", "NAME", "WRITES", "open", "plain_profile", "sniff", "write_jpeg"]
