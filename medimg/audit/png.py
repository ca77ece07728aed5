"""Independent walk of a PNG copy: nothing but structure, appearance and the picture (PNG, third edition)."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from medimg.audit import icc, turn
from medimg.errors import Malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = {name: place for place, name in enumerate(["IHDR", "look", "PLTE", "tRNS", "IDAT", "IEND"])}
"""The order of the chunks (PNG, third edition, 5.6): what says how the picture looks stands before the palette."""
NAMED = frozenset(("tEXt", "zTXt", "iTXt", "tIME", "pHYs", "bKGD", "hIST", "sPLT", "eXIf", "mDCV", "cLLI", "acTL"))
"""Other chunks of the standard (11.3), which are called by their name; that of another one could be a patient's."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by colour type (11.2.1)."""
PASSES = ((8, 8, 0, 0), (8, 8, 4, 0), (4, 8, 0, 4), (4, 4, 2, 0), (2, 4, 0, 2), (2, 2, 1, 0), (1, 2, 0, 1))
"""Adam7: steps across and down, first column and row of each pass (8.1)."""
BOMB = 1 << 33
"""No picture within the limits of a policy inflates to more bytes."""


class Head(NamedTuple):
    """The fields of IHDR (11.2.1)."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise Malformed("the copy is not a PNG file.")
    strays: list[str] = []
    found: dict[str, bytes] = {}
    picture: list[bytes] = []
    at, place = 8, 0
    while "IEND" not in found:  # a file that ends before is not followed: struct.error
        name, body, at = _chunk(data, at)
        strays += _misplaced(name, place, found)
        place = max(place, _place(name))
        if name == "IDAT":
            picture.append(body)
        found[name] = body
    if "IHDR" not in found or not picture:
        raise Malformed("the copy could not be followed to its end.")
    if found["IEND"]:
        strays.append("IEND")
    if at != len(data):
        strays.append("after IEND")
    head = Head(*struct.unpack(">IIBBBBB", found["IHDR"]))
    looks = [name for name, body in found.items() if name in LOOKS and not LOOKS[name](body, head)]
    return strays + looks + _picture(found, picture, head)


def _chunk(data: bytes, at: int) -> tuple[str, bytes, int]:
    """Name and content of a chunk, and where the next one starts (5.3)."""
    size, name = struct.unpack_from(">I4s", data, at)
    body = data[at + 8 : at + 8 + size]
    (crc,) = struct.unpack_from(">I", data, at + 8 + size)
    if len(body) != size or zlib.crc32(name + body) != crc:
        raise Malformed("a chunk of the copy is damaged.")
    return name.decode("latin-1"), body, at + 12 + size


def _place(name: str) -> int:
    return ORDER.get(name, ORDER["look"])


def _misplaced(name: str, place: int, found: dict[str, bytes]) -> list[str]:
    """The path of a chunk that may not stand in a copy, or not here: ``found`` are those before it."""
    if name not in ORDER and name not in LOOKS:
        return [name if name in NAMED else "chunk"]
    again = name in found and name != "IDAT"
    return [f"{name}/order"] if _place(name) < place or again or (not found) != (name == "IHDR") else []


# -- how the picture looks --------------------------------------------------------------------------------------------


def _gamma(body: bytes, _: Head) -> bool:
    """An exponent in 100,000ths (11.3.2.2), none that shows neighbouring levels far apart."""
    return len(body) == 4 and 20_000 <= int.from_bytes(body) <= 106_000


def _chromaticities(body: bytes, _: Head) -> bool:
    """Four points, x and y from 0 to 2, in 100,000ths (11.3.2.1)."""
    return len(body) == 32 and max(struct.unpack(">8I", body)) <= 200_000


def _intent(body: bytes, _: Head) -> bool:
    """One of four rendering intents (11.3.2.5)."""
    return body in (b"\0", b"\1", b"\2", b"\3")


def _code_points(body: bytes, _: Head) -> bool:
    """Primaries and transfer that ITU-T H.273 defines, no matrix, a flag (11.3.2.6)."""
    return len(body) == 4 and body[0] <= 22 and body[1] <= 18 and body[2:] in (b"\0\0", b"\0\1")


def _significant_bits(body: bytes, head: Head) -> bool:
    """For each channel at least one bit, at most as many as there are (11.3.2.7)."""
    palette = head.colour == 3
    count, most = (3, 8) if palette else (CHANNELS[head.colour], head.depth)
    return len(body) == count and min(body) > 0 and max(body) <= most


def _palette(_: bytes, head: Head) -> bool:
    """Only where pixels are numbers of colours; :func:`_entries` looks at what it holds (11.2.2)."""
    return head.colour == 3


def _transparency(body: bytes, head: Head) -> bool:
    """The alpha of palette entries, or one colour that pixels can have (11.3.1.1)."""
    if head.colour == 3:
        return True
    size = {0: 2, 2: 6}.get(head.colour)
    return len(body) == size and all(v < 1 << head.depth for v in struct.unpack(f">{size // 2}H", body))


def _orientation(body: bytes, _: Head) -> bool:
    """One entry and nothing else (11.3.4.6)."""
    return turn.alone(body)


def _profile(body: bytes, _: Head) -> bool:
    """A profile under a neutral name, alone in its stream and cleaned."""
    if not body.startswith(b"icc\0\0"):
        return False
    inflater = zlib.decompressobj()
    profile = inflater.decompress(body[5:], 1 << 26)
    return inflater.eof and not inflater.unused_data and not icc.strays(profile)


LOOKS: dict[str, Callable[[bytes, Head], bool]] = {
    "gAMA": _gamma,
    "cHRM": _chromaticities,
    "sRGB": _intent,
    "cICP": _code_points,
    "sBIT": _significant_bits,
    "iCCP": _profile,
    "eXIf": _orientation,
    "PLTE": _palette,
    "tRNS": _transparency,
}
"""What may say how the picture looks, and what it may hold."""


# -- the picture ------------------------------------------------------------------------------------------------------


def _picture(found: dict[str, bytes], picture: list[bytes], head: Head) -> list[str]:
    """The compressed rows: exactly as many as the header says, and nothing hidden in what they hold."""
    bits = head.depth * CHANNELS[head.colour]
    sizes = _pass_sizes(head)
    out = _stream(b"".join(picture), sum(h * (1 + (w * bits + 7) // 8) for w, h in sizes if w and h))
    if out:
        return out
    if head.colour in (4, 6):
        out += _under_alpha(found["IHDR"], picture)
    if head.colour == 3:
        out += _entries(found, picture)
    if any(w * bits % 8 for w, _ in sizes):
        out += _row_ends(picture, sizes, bits)
    return out


def _pass_sizes(head: Head) -> list[tuple[int, int]]:
    """Width and height of each pass over the picture, one without interlacing."""
    if not head.interlaced:
        return [(head.width, head.height)]
    return [(-(-max(head.width - x, 0) // a), -(-max(head.height - y, 0) // b)) for a, b, x, y in PASSES]


def _stream(stream: bytes, expected: int) -> list[str]:
    """The zlib stream inflates to ``expected`` bytes, and nothing stands behind it (10.1)."""
    if expected > BOMB:
        raise Malformed("the copy is larger than any picture.")
    inflater, produced = zlib.decompressobj(), 0
    try:
        while not inflater.eof and produced <= expected:
            block = inflater.decompress(stream, 1 << 22)
            stream = inflater.unconsumed_tail
            produced += len(block)
            if not block and not stream:
                break
    except zlib.error as error:
        raise Malformed("the picture of the copy could not be inflated.") from error
    short = ["IDAT/length"] if produced != expected or not inflater.eof else []
    return short + (["IDAT/after the picture"] if inflater.unused_data else [])


# -- what the pixels hide ---------------------------------------------------------------------------------------------


def _rewrapped(ihdr: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in [(b"IHDR", ihdr), *chunks, (b"IEND", b"")]:
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return out


def _under_alpha(ihdr: bytes, picture: list[bytes]) -> list[str]:
    """Colour under alpha 0."""
    width, height, depth, colour, _, _, lace = struct.unpack(">IIBBBBB", ihdr)
    chunks = [(b"IDAT", part) for part in picture]
    if colour == 4 and lace:
        if depth == 16:
            return ["IDAT/not followed"]
        pixels = _pillow(_rewrapped(ihdr, chunks), "LA")
        grey, alpha = pixels[..., 0], pixels[..., 1]
    elif colour == 4 and depth == 8:  # a pair of bytes reads as one 16-bit sample
        pixels = _cv2(_rewrapped(struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0), chunks))
        grey, alpha = pixels >> 8, pixels & 255
    elif colour == 4:  # two 16-bit samples read as four of 8 bits, which cv2 gives as B G R A
        pixels = _cv2(_rewrapped(struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0), chunks))
        grey, alpha = pixels[..., 1] | pixels[..., 2], pixels[..., 0] | pixels[..., 3]
    else:
        pixels = _cv2(_rewrapped(ihdr, chunks))
        grey, alpha = pixels[..., :3].max(axis=2), pixels[..., 3]
    return ["IDAT/alpha 0"] if bool(grey[alpha == 0].any()) else []


def _entries(found: dict[str, bytes], picture: list[bytes]) -> list[str]:
    """Palette entries that no pixel uses, that look like another, or that do not stand by alpha, red, green, blue."""
    plte, trns = found.get("PLTE", b""), found.get("tRNS", b"")
    indices = _pillow(_rewrapped(found["IHDR"], [(b"PLTE", plte), *((b"IDAT", p) for p in picture)]), "P")
    used = set(indices.tobytes())
    if max(used) * 3 + 3 != len(plte) or len(trns) > len(plte) // 3 or (trns and trns[-1] == 255):
        return ["PLTE/length"]
    if len(used) * 3 != len(plte):
        return ["PLTE/unused"]
    looks = [(trns[k : k + 1] or b"\xff") + plte[3 * k : 3 * k + 3] for k in range(len(used))]
    if any(look[0] == 0 and look[1:] != b"\0\0\0" for look in looks) or len(set(looks)) < len(looks):
        return ["PLTE/equal colours"]
    return ["PLTE/order"] if looks != sorted(looks) else []


def _row_ends(picture: list[bytes], sizes: list[tuple[int, int]], bits: int) -> list[str]:
    """Bits after the last pixel of a row. A row of small samples is a row of bytes to the filters (PNG 9.2)."""
    raw = b"".join(picture)
    if len(sizes) > 1:
        raw = zlib.decompress(raw)
    at = 0
    for width, height in sizes:
        row = (width * bits + 7) // 8
        if not row or not height:
            continue
        part = raw if len(sizes) == 1 else zlib.compress(raw[at : at + height * (row + 1)], 1)
        at += height * (row + 1)
        spare = row * 8 - width * bits
        grey = _cv2(_rewrapped(struct.pack(">IIBBBBB", row, height, 8, 0, 0, 0, 0), [(b"IDAT", part)]))
        if spare and bool((grey[:, -1] & ((1 << spare) - 1)).any()):
            return ["IDAT/row ends"]
    return []


def _cv2(file: bytes) -> NDArray[Any]:
    import numpy as np

    from medimg.native.opencv import cv2

    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise Malformed("the picture of the copy could not be decoded.")
    return pixels


def _pillow(file: bytes, mode: str) -> NDArray[Any]:
    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=("PNG",)) as picture:
                if picture.mode != mode:
                    raise Malformed("the picture of the copy is of another kind than its header says.")
                return np.asarray(picture)
    except (OSError, Image.DecompressionBombError) as error:
        raise Malformed("the picture of the copy could not be decoded.") from error
