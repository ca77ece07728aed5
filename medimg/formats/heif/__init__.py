"""HEIC and AVIF: allow-listed boxes; PNG or JPEG where covered."""

from medimg.formats.heif.photo import NAME, open, plain_profile, sniff, write_jpeg  # noqa: A004

SUFFIXES = (".heic", ".heif", ".hif", ".avif")
MEDIA_TYPES = {".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif"}
WRITES = ("heif", "png", "jpeg")

__all__ = ["MEDIA_TYPES", "NAME", "SUFFIXES", "WRITES", "open", "plain_profile", "sniff", "write_jpeg"]
