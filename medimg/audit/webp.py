"""Independent walk of a WebP copy: one picture, a cleaned profile, an orientation (RFC 9649)."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from medimg.audit import icc, scans, turn
from medimg.errors import Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOSSY = ("VP8X", "ICCP", "ALPH", "VP8 ", "EXIF")
LOSSLESS = ("VP8X", "ICCP", "VP8L", "EXIF")
"""The order of the chunks (RFC 9649, 2.7)."""
SPARE = 8
"""What is packed without loss and decodes to the same without so many bytes carries something behind its end."""


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    magic, size, kind = struct.unpack_from("<4sI4s", data)
    if magic != b"RIFF" or kind != b"WEBP" or size + 8 > len(data):
        raise Malformed("the copy is not a whole WebP file.")
    strays = ["after RIFF"] if size + 8 < len(data) else []
    found, padded = _chunks(data, size + 8)
    parts = dict(found)
    strays += ["padding"] * padded + _misplaced([name for name, _ in found])
    if "VP8 " not in parts and "VP8L" not in parts:
        raise Malformed("the copy holds no picture.")
    strays += [name for name in HOLDS if name in parts and not HOLDS[name](parts[name], parts)]
    return strays + _coded(data, parts)


def _chunks(data: bytes, end: int) -> tuple[list[tuple[str, bytes]], int]:
    """Name and content of every chunk, and after how many a byte that makes the length even is not 0 (2.3)."""
    found, padded, at = [], 0, 12
    while at < end:
        name, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
        if len(body) != length or at > end:
            raise Malformed("a chunk of the copy is cut off.")
        padded += bool(length & 1 and data[at - 1])
        found.append((name.decode("latin-1"), body))
    return found, padded


def _misplaced(names: list[str]) -> list[str]:
    """Paths of chunks that may not stand in a copy, or not in this order."""
    order = LOSSY if "VP8 " in names else LOSSLESS
    out: list[str] = []
    if names != [name for name in order if name in names]:
        out = ["chunk"] if set(names) - set(order) else ["order"]
    return [*out, "order"] if "VP8X" not in names and len(names) > 1 else out


# -- what the chunks may hold -----------------------------------------------------------------------------------------

Parts = dict[str, bytes]


def _header(head: bytes, parts: Parts) -> bool:
    """Flags for what is there, no other bit, and the size of the picture."""
    alpha = "ALPH" in parts
    if "VP8L" in parts:
        (bits,) = struct.unpack_from("<I", parts["VP8L"], 1)
        size = (bits & 0x3FFF, bits >> 14 & 0x3FFF)
        alpha = alpha or bool(bits & 1 << 28)
    else:
        across, down = struct.unpack_from("<HH", parts["VP8 "], 6)
        size = ((across & 0x3FFF) - 1, (down & 0x3FFF) - 1)
    flags = 0x20 * ("ICCP" in parts) + 0x10 * alpha + 8 * ("EXIF" in parts)
    return head == bytes((flags, 0, 0, 0)) + b"".join(v.to_bytes(3, "little") for v in size)


def _profile(body: bytes, _: Parts) -> bool:
    """Cleaned."""
    return not icc.strays(body)


def _orientation(body: bytes, _: Parts) -> bool:
    """One entry and nothing else."""
    return turn.alone(body)


def _alpha(body: bytes, _: Parts) -> bool:
    """Packed without loss, not filtered, nothing made coarser."""
    return body[:1] == b"\1"


def _lossy(body: bytes, _: Parts) -> bool:
    """No scale, which no viewer heeds."""
    return not (body[7] | body[9]) & 0xC0


HOLDS: dict[str, Callable[[bytes, Parts], bool]] = {
    "VP8X": _header,  # RFC 9649, 2.7; the sizes: 3.4 and RFC 6386, 9.1
    "ICCP": _profile,  # 2.7.1.4
    "EXIF": _orientation,  # 2.7.1.5
    "ALPH": _alpha,  # 2.7.1.2
    "VP8 ": _lossy,  # RFC 6386, 9.1
}
"""What may stand beside the picture, and what it may hold."""


# -- the picture ------------------------------------------------------------------------------------------------------


def _coded(data: bytes, parts: dict[str, bytes]) -> list[str]:
    """The coded picture ends where its data ends, and hides no colour under alpha 0."""
    alpha, lossy, lossless = (parts.get(name, b"") for name in ("ALPH", "VP8 ", "VP8L"))
    pixels = _decoded(data)
    if pixels is None:
        raise Malformed("the picture of the copy could not be decoded.")
    out = ["VP8/after the picture"] if lossy and scans.vp8_ends_late(lossy) else []
    if len(lossless) > SPARE and _same(_decoded(_bare(pixels, "VP8L", lossless[:-SPARE], b"")), pixels):
        out.append("VP8L/after the picture")
    if len(alpha) > SPARE and _same(_decoded(_bare(pixels, "VP8 ", lossy, alpha[:-SPARE])), pixels):
        out.append("ALPH/after the picture")
    if pixels.shape[2] == 4 and bool(pixels[pixels[..., 3] == 0].any()):
        out.append(f"{'VP8' if lossy else 'VP8L'}/alpha 0")
    return out


def _bare(pixels: NDArray[Any], name: str, image: bytes, alpha: bytes) -> bytes:
    height, width = pixels.shape[:2]
    body = b""
    chunks = [(b"ALPH", alpha)] if alpha else []
    if alpha:
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", b"\x10\0\0\0" + sizes))
    for kind, payload in [*chunks, (name.encode("ascii"), image)]:
        body += struct.pack("<4sI", kind, len(payload)) + payload + bytes(len(payload) % 2)
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body


def _same(one: NDArray[Any] | None, other: NDArray[Any]) -> bool:
    return one is not None and one.shape == other.shape and bool((one == other).all())


def _decoded(file: bytes) -> NDArray[Any] | None:
    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=("WEBP",)) as picture:
                return np.asarray(picture)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
