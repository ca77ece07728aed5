"""What PNG chunks outside the picture say: kinds and places (PNG 11.3; ExifTool's list of raw profiles)."""

from __future__ import annotations

import zlib

from medimg.formats.png import _chunks
from medimg.formats.png._chunks import Chunk
from medimg.formats.shared import exif, icc, xmp
from medimg.types import NO_SECRET, Finding, Secret
from medimg.vocabulary import Category, Kind

DETECTOR = "png reader"
TEXT_LIMIT = 4 << 20
"""Most bytes a compressed text or profile is inflated to for looking; the chunk is dropped whatever it holds."""
LOOKED_INTO = 200
"""Text chunks of one file that are looked into; further ones are told by their type alone."""
SECRET_LIMIT = 4096

KEYWORDS = {
    "author": Category.OWNER,
    "copyright": Category.OWNER,
    "creation time": Category.CAPTURE_TIME,
    "create-date": Category.CAPTURE_TIME,
    "date:create": Category.CAPTURE_TIME,
    "date:modify": Category.CAPTURE_TIME,
    "date:timestamp": Category.CAPTURE_TIME,
    "title": Category.CAPTION,
    "description": Category.CAPTION,
    "software": Category.SOFTWARE,
    "source": Category.DEVICE,
}
PLAIN = {
    b"tIME": Category.CAPTURE_TIME,
    b"pHYs": Category.RESOLUTION,
    b"bKGD": Category.BACKGROUND_COLOUR,
    b"hIST": Category.HISTOGRAM,
    b"sPLT": Category.UNUSED_PALETTE,
    b"PLTE": Category.UNUSED_PALETTE,
    b"mDCV": Category.DISPLAY_HINT,
    b"cLLI": Category.DISPLAY_HINT,
    b"caBX": Category.CONTENT_CREDENTIAL,
    b"oFFs": Category.SCANNER_PLACEMENT,
    b"pCAL": Category.CALIBRATION,
    b"sCAL": Category.CALIBRATION,
    b"iDOT": Category.SOFTWARE,
    b"vpAg": Category.SOFTWARE,
}


TEXT = frozenset((b"tEXt", b"zTXt", b"iTXt"))
NAMED = (
    frozenset(PLAIN) | TEXT
    | frozenset(
        b"eXIf iCCP tRNS gAMA cHRM sRGB cICP sBIT acTL fcTL fdAT sTER gIFg gIFt gIFx fRAc dSIG CgBI".split()
    )
)  # fmt: skip
"""Chunks that are called by their name (PNG, 11.3; the register of its extensions; Apple's). Four letters that somebody
else chose could be a patient's name."""


def finding(category: str, where: str, *, kind: Kind = Kind.METADATA, count: int = 1, value: str = "") -> Finding:
    """A finding of this reader."""
    secret = Secret(value) if value else NO_SECRET
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR, secret=secret)


def of(chunk: Chunk, data: bytes, *, look: bool = True) -> list[Finding]:
    """What one dropped chunk holds; told by its type alone without ``look``."""
    payload, name = chunk.payload(data), chunk.type.decode("ascii") if chunk.type in NAMED else "chunk"
    if chunk.type in TEXT and not look:
        return [finding(Category.COMMENT, name)]
    match chunk.type:
        case b"eXIf":
            return exif.findings(payload, name)
        case b"iCCP":
            profile = icc_profile(payload)
            found = icc.findings(profile, name) if profile else []
            return found or [finding(Category.COLOUR_PROFILE_TEXT, name)]
        case b"tEXt" | b"zTXt" | b"iTXt":
            return _text(name, payload)
        case _chunks.DAMAGED:
            return [finding(Category.UNKNOWN_BLOCK, "chunk with a wrong checksum")]
        case _:
            return [finding(PLAIN.get(chunk.type, Category.UNKNOWN_BLOCK), name)]


def inflate(data: bytes) -> bytes | None:
    """A small zlib stream, whole; None when it is damaged or too long."""
    out, whole = _inflated(data)
    return out if whole else None


def _inflated(data: bytes) -> tuple[bytes, bool]:
    inflater = zlib.decompressobj()
    try:
        return inflater.decompress(data, TEXT_LIMIT), inflater.eof
    except zlib.error:
        return b"", False


def icc_profile(payload: bytes) -> bytes | None:
    """The profile in an iCCP chunk (PNG 11.3.2.3); None when it cannot be read.

    A stream without its end is read where the profile, which says how long it is, is whole: viewers use it too.
    """
    name, nul, rest = payload.partition(b"\0")
    if not nul or not 0 < len(name) < 80 or rest[:1] != b"\0":
        return None
    out, whole = _inflated(rest[1:])
    size = int.from_bytes(out[:4], "big")
    return out if whole else out[:size] if 128 < size <= len(out) else None


def _text(where: str, payload: bytes) -> list[Finding]:
    keyword, _, rest = payload.partition(b"\0")
    label = keyword.decode("latin-1").strip()
    text: bytes | None = rest
    if where == "zTXt":
        text = inflate(rest[1:])
    elif where == "iTXt":
        packed, rest = rest[:1] == b"\x01", rest[2:]
        text = rest.split(b"\0", 2)[-1]
        text = inflate(text) if packed else text
    if text is None:
        return [finding(Category.UNKNOWN_BLOCK, where)]
    if label == "XML:com.adobe.xmp":
        return xmp.findings(text, f"{where}/XMP") or [finding(Category.XMP, f"{where}/XMP")]
    if label.startswith("Raw profile type "):
        return _raw_profile(label[17:].strip().lower(), text, where)
    value = text[:SECRET_LIMIT].decode("utf-8" if where == "iTXt" else "latin-1", "replace")
    return [finding(KEYWORDS.get(label.lower(), Category.COMMENT), where, value=value)]


def _raw_profile(kind: str, text: bytes, where: str) -> list[Finding]:
    """ImageMagick's hexadecimal profiles: a newline, the name, the length, then hex digits."""
    lines = text.strip().split(b"\n", 2)
    try:
        raw = bytes.fromhex(lines[2].decode("ascii")) if len(lines) == 3 else b""
    except ValueError:
        raw = b""
    if kind in ("exif", "app1") and raw:
        if raw.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            return xmp.findings(raw[29:], f"{where}/XMP") or [finding(Category.XMP, f"{where}/XMP")]
        return exif.findings(raw.removeprefix(b"Exif\0\0"), f"{where}/Exif")
    if kind == "xmp" and raw:
        return xmp.findings(raw, f"{where}/XMP") or [finding(Category.XMP, f"{where}/XMP")]
    if kind in ("icc", "icm"):
        return [finding(Category.COLOUR_PROFILE_TEXT, f"{where}/ICC")]
    if kind in ("iptc", "8bim"):
        return [finding(Category.IPTC, f"{where}/IPTC")]
    return [finding(Category.UNKNOWN_BLOCK, where)]
