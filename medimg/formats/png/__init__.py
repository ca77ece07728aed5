"""PNG and APNG: allow-listed chunks, exact samples."""

from medimg.formats.png.photo import NAME, Png, encode, merged, open, profile_payload, sniff  # noqa: A004

MEDIA_TYPES = {".png": "image/png"}
WRITES = ("png",)

__all__ = ["MEDIA_TYPES", "NAME", "WRITES", "Png", "encode", "merged", "open", "profile_payload", "sniff"]
