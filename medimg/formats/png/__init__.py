"""PNG and APNG: allow-listed chunks, exact samples."""

from medimg.formats.png.photo import NAME, Png, encode, merged, open, profile_payload, sniff  # noqa: A004

__all__ = ["NAME", "Png", "encode", "merged", "open", "profile_payload", "sniff"]
