"""Independent walk of a WebP copy: one picture, a cleaned profile, an orientation (RFC 9649)."""

from __future__ import annotations

import io
import struct
import warnings
from typing import TYPE_CHECKING, Any

from medimg.audit import icc
from medimg.errors import Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPARE = 8
"""A picture that decodes to the same without so many bytes carries something behind its end."""


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    magic, size, kind = struct.unpack_from("<4sI4s", data)
    if magic != b"RIFF" or kind != b"WEBP" or size + 8 > len(data):
        raise Malformed("the copy is not a whole WebP file.")
    strays = ["after RIFF"] if size + 8 < len(data) else []
    found: list[tuple[str, bytes]] = []
    position = 12
    while position < size + 8:
        name, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)
        if len(body) != length or position > size + 8:
            raise Malformed("a chunk of the copy is cut off.")
        if length & 1 and data[position - 1]:
            strays.append("padding")
        found.append((name.decode("latin-1"), body))
    names = [n for n, _ in found]
    parts = dict(found)
    allowed = ["VP8X", "ICCP", "ALPH", "VP8 ", "EXIF"] if "VP8 " in parts else ["VP8X", "ICCP", "VP8L", "EXIF"]
    if names != [n for n in allowed if n in parts]:
        strays += sorted({n.strip() if n in allowed else "chunk" for n in names if n not in allowed} or {"order"})
    if "VP8 " not in parts and "VP8L" not in parts:
        raise Malformed("the copy holds no picture.")
    if "VP8X" not in parts and len(names) > 1:
        strays.append("order")
    return strays + _header(parts) + _details(parts) + _coded(data, parts)


def _header(parts: dict[str, bytes]) -> list[str]:
    """VP8X: flags for what is there, no other bit, and the size of the picture."""
    head = parts.get("VP8X")
    if head is None:
        return []
    lossless = parts.get("VP8L", b"")
    flags = 0x20 * ("ICCP" in parts) + 8 * ("EXIF" in parts)
    if "ALPH" in parts or (len(lossless) > 4 and lossless[4] & 0x10):
        flags += 0x10
    if lossless:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        size = (bits & 0x3FFF, bits >> 14 & 0x3FFF)
    else:
        across, down = struct.unpack_from("<HH", parts["VP8 "], 6)
        size = ((across & 0x3FFF) - 1, (down & 0x3FFF) - 1)
    expected = bytes((flags, 0, 0, 0)) + b"".join(v.to_bytes(3, "little") for v in size)
    return [] if head == expected else ["VP8X"]


def _details(parts: dict[str, bytes]) -> list[str]:
    out = []
    if "ICCP" in parts and icc.strays(parts["ICCP"]):
        out.append("ICCP")
    tiff = parts.get("EXIF")
    if tiff is not None:
        order = {b"MM\0*": ">", b"II*\0": "<"}.get(tiff[:4])
        fields = struct.unpack_from(f"{order}IHHHIHHI", tiff, 4) if order and len(tiff) == 26 else ()
        value = fields[5] if fields else 0
        if fields != (8, 1, 0x112, 3, 1, value, 0, 0) or not 2 <= value <= 8:
            out.append("EXIF")
    alpha = parts.get("ALPH")
    if alpha is not None and (not alpha or alpha[0] & 0xC0):
        out.append("ALPH")
    return out


def _coded(data: bytes, parts: dict[str, bytes]) -> list[str]:
    """The coded picture ends where its data ends, and hides no colour under alpha 0."""
    name = "VP8 " if "VP8 " in parts else "VP8L"
    alpha, image = parts.get("ALPH", b""), parts[name]
    pixels = _decoded(data)
    if pixels is None:
        raise Malformed("the picture of the copy could not be decoded.")
    out = []
    if len(image) > SPARE and _same(_decoded(_bare(pixels, name, image[:-SPARE], alpha)), pixels):
        out.append(f"{name.strip()}/after the picture")
    height, width = pixels.shape[:2]
    if alpha and not alpha[0] & 3:
        if len(alpha) != 1 + width * height:
            out.append("ALPH/after the picture")
    elif len(alpha) > SPARE and _same(_decoded(_bare(pixels, name, image, alpha[:-SPARE])), pixels):
        out.append("ALPH/after the picture")
    if pixels.shape[2] == 4 and bool(pixels[..., :3][pixels[..., 3] == 0].any()):
        out.append(f"{name.strip()}/alpha 0")
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
