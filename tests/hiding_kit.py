"""Hides words in coded pictures, in places that no decoder heeds; shares nothing with medimg but the numbers of VP8."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jpeg_kit import coefficients, segment
from numpy.typing import NDArray
from PIL import Image
from tiff_kit import build

SENTENCES = (
    b"Cyn Quillfeather, born 14 March 1961, MRN 555-0173, ward 7B.",
    b"Mortimer Zlatanovic of 12 Elm Row; HIV clinic, Dr K. Oduya!!",
)
"""Of 60 characters each."""


def bits_of(words: bytes) -> Iterator[int]:
    """Its bits, the highest of each byte first, and zeros for ever."""
    for byte in words:
        yield from (byte >> k & 1 for k in range(7, -1, -1))
    while True:
        yield 0


# -- JPEG -------------------------------------------------------------------------------------------------------------


def split_scan(data: bytes) -> tuple[bytes, list[bytes]]:
    """A baseline JPEG up to its coded data, and those of each restart interval as they stand."""
    at = data.index(b"\xff\xda")
    at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return data[:at], re.split(rb"\xff[\xd0-\xd7]", data[at:-2])


def joined_scan(head: bytes, pieces: Sequence[bytes]) -> bytes:
    out = [head]
    for k, piece in enumerate(pieces):
        out += [b"\xff" + bytes((0xD0 + (k - 1) % 8,))] * (k > 0) + [piece]
    return b"".join([*out, b"\xff\xd9"])


def in_filling(data: bytes, words: bytes) -> bytes:
    """Words in the bits that fill up the last byte of each restart interval."""
    ends: list[int] = []
    coefficients(data, ends)
    head, pieces = split_scan(data)
    bits, out = bits_of(words), []
    for piece, end in zip(pieces, ends, strict=True):
        raw = bytearray(piece.replace(b"\xff\0", b"\xff"))
        assert len(raw) == -(-end // 8)
        for k in range(8 * len(raw) - end):
            raw[-1] = raw[-1] & ~(1 << k) | next(bits) << k
        out.append(bytes(raw).replace(b"\xff", b"\xff\0"))
    return joined_scan(head, out)


def room_in_filling(data: bytes) -> int:
    ends: list[int] = []
    coefficients(data, ends)
    return sum(-end % 8 for end in ends)


def behind_intervals(data: bytes, words: bytes) -> bytes:
    """Words, a few bytes behind each restart interval."""
    head, pieces = split_scan(data)
    each = -(-len(words) // len(pieces))
    return joined_scan(head, [p + words[each * k : each * (k + 1)] for k, p in enumerate(pieces)])


def in_codes(data: bytes, words: bytes) -> bytes:
    """The letters of the words, each once, as symbols of a Huffman table that no block uses."""
    at = data.index(b"\xff\xc4\0\xb5\x10")
    table = bytearray(data[at + 21 : at + 183])
    letters = [s for s in dict.fromkeys(words) if s not in table[:37]]
    table[37:] = bytes([*letters, *(s for s in table[37:] if s not in letters)])[:125]
    return data[: at + 21] + bytes(table) + data[at + 183 :]


def in_steps(data: bytes, words: bytes) -> bytes:
    """Words as the quantisation steps of a picture that has none of their coefficients."""
    at = data.index(b"\xff\xdb\0\x43\0") + 6
    return data[:at] + words[:63] + data[at + len(words[:63]) :]


def flat(grey: int = 90, side: int = 64) -> bytes:
    out = io.BytesIO()
    Image.new("L", (side, side), grey).save(out, "JPEG", quality=90)
    return out.getvalue()


def in_idle_zeros(words: bytes, side: int = 256) -> bytes:
    """Words, a bit a block: 16 zeros that nothing follows, or none, before the end of a flat block."""
    out = io.BytesIO()
    Image.new("L", (side, side), 128).save(out, "JPEG", quality=90)
    head, (raw,) = split_scan(out.getvalue())
    codes, bits = "", bits_of(words)
    for _ in range((side // 8) ** 2):
        codes += "00" + "11111111001" * next(bits) + "1010"  # K.3: difference 0; K.5: 16 zeros; the end
    assert raw == packed_bits("001010" * (side // 8) ** 2)
    return joined_scan(head, [packed_bits(codes)])


def packed_bits(codes: str) -> bytes:
    codes += "1" * (-len(codes) % 8)
    return int(codes, 2).to_bytes(len(codes) // 8).replace(b"\xff", b"\xff\0")


def past_the_edge(words: bytes) -> bytes:
    """Words as coefficients of blocks that lie past the right edge: a size made smaller in the header."""
    pixels = np.full((512, 32, 3), 128, np.uint8)
    pixels[:, 24:] = np.random.default_rng(list(words)).integers(0, 256, (512, 8, 1), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95, subsampling=2)
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 7 : at + 9] = (20).to_bytes(2)
    return bytes(data)


def with_comment(data: bytes) -> bytes:
    return data[:2] + segment(0xFE, b"a comment") + data[2:]


# -- deflate ----------------------------------------------------------------------------------------------------------


def empty_blocks(words: bytes) -> bytes:
    """The head of a zlib stream and empty stored blocks, five bits of the words in each (RFC 1951, 3.2.4)."""
    bits, out = bits_of(words), bytearray(b"\x78\x01")
    for _ in range(-(-8 * len(words) // 5)):
        out += bytes((sum(next(bits) << k for k in range(3, 8)), 0, 0, 0xFF, 0xFF))
    return bytes(out)


def with_empty_blocks(raw: bytes, words: bytes) -> bytes:
    """A zlib stream of ``raw`` behind empty blocks that hold words."""
    return empty_blocks(words) + zlib.compress(raw)[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    stream: bytes, size: tuple[int, int], *, colour: int = 2, palette: bytes = b"", cut: Sequence[int] = ()
) -> bytes:
    """A PNG of 8 bits; the stream is cut into chunks of these sizes."""
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, colour, 0, 0, 0))
    out += chunk(b"PLTE", palette) if palette else b""
    at = 0
    for n in cut:
        out += chunk(b"IDAT", stream[at : at + n])
        at += n
    return out + chunk(b"IDAT", stream[at:]) + chunk(b"IEND", b"")


def filtered(pixels: NDArray[np.uint8], kinds: Sequence[int]) -> bytes:
    """The rows of a picture of 8 bits, each behind its filter: 0 none, 1 from the left, 2 from above (PNG, 9.2)."""
    height = len(pixels)
    rows = pixels.reshape(height, -1).astype(np.int16)
    step = rows.shape[1] // pixels.shape[1]
    left = np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    above = np.vstack((np.zeros_like(rows[:1]), rows[:-1]))
    from_ = (np.zeros_like(rows), left, above)
    return b"".join(bytes((k,)) + (rows[y] - from_[k][y]).astype(np.uint8).tobytes() for y, k in enumerate(kinds))


# -- TIFF -------------------------------------------------------------------------------------------------------------


def tiff(strip: bytes, size: tuple[int, int], packing: int, bits: int = 8) -> bytes:
    """A grey TIFF of one strip."""
    numbers = {256: size[0], 257: size[1], 258: bits, 259: packing, 262: 1, 277: 1, 278: size[1]}
    return build("<", {t: (4, struct.pack("<I", v)) for t, v in numbers.items()}, [strip])


def in_packbits(pixels: NDArray[np.uint8], words: bytes) -> bytes:
    """A strip of literals, a step that gives nothing before each whose bit is 1 (TIFF 6.0, section 9)."""
    bits = bits_of(words)
    return b"".join(b"\x80" * next(bits) + bytes((1,)) + pair for pair in _pairs(pixels.tobytes()))


def in_lzw(pixels: NDArray[np.uint8], words: bytes) -> bytes:
    """A strip of single bytes, the table cleared once or twice between them (section 13)."""
    bits, codes = bits_of(words), ""
    for byte in pixels.tobytes():
        codes += "100000000" * (1 + next(bits)) + format(byte, "09b")
    codes += "100000001"
    return int(codes.ljust(-(-len(codes) // 8) * 8, "0"), 2).to_bytes(-(-len(codes) // 8))


def in_fax(words: bytes, rows: int) -> bytes:
    """A white page of 8 columns in T.4; before each line one zero to fill, or two (4.1.3)."""
    bits = bits_of(words)
    codes = "".join("000000000001" + "10011" + "0" * (1 + next(bits)) for _ in range(rows))
    codes += "000000000001" * 6
    return int(codes.ljust(-(-len(codes) // 8) * 8, "0"), 2).to_bytes(-(-len(codes) // 8))


def _pairs(raw: bytes) -> Iterator[bytes]:
    return (raw[k : k + 2] for k in range(0, len(raw), 2))


# -- lossy WebP -------------------------------------------------------------------------------------------------------


def riff(name: bytes, body: bytes) -> bytes:
    """A WebP file of one chunk."""
    body = name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


class _Bools:
    """The arithmetic encoder (RFC 6386, 7.3)."""

    def __init__(self) -> None:
        self.low, self.range, self.shift = 0, 255, 0

    def put(self, bit: int, probability: int = 128) -> None:
        split = 1 + (self.range - 1) * probability // 256
        if bit:
            self.low += split
        self.range = self.range - split if bit else split
        while self.range < 128:
            self.range, self.low, self.shift = self.range * 2, self.low * 2, self.shift + 1

    def literal(self, value: int, size: int) -> None:
        for k in range(size - 1, -1, -1):
            self.put(value >> k & 1)

    def done(self) -> bytes:
        """Filled up with zeros."""
        size = -(-(self.shift + 8) // 8)
        return (self.low << 8 * size - self.shift - 8).to_bytes(size)


def vp8_partitions(image: bytes) -> tuple[bytes, bytes, bytes]:
    """The head of a picture of one partition of tokens, its first partition, and that of tokens."""
    first = int.from_bytes(image[:3], "little") >> 5
    return image[:10], image[10 : 10 + first], image[10 + first :]


def vp8(head: bytes, first: bytes, tokens: Sequence[bytes]) -> bytes:
    """A picture of partitions (RFC 6386, 9.1 and 9.5)."""
    tag = (head[0] & 0x1F | len(first) << 5).to_bytes(3, "little")
    sizes = b"".join(len(part).to_bytes(3, "little") for part in tokens[:-1])
    return tag + head[3:] + first + sizes + b"".join(tokens)


def flat_vp8(width: int, height: int, parts: int, behind: Sequence[bytes]) -> bytes:
    """A grey picture without a token, what lies behind the first partition and in each of those of tokens."""
    table = (Path(__file__).parent.parent / "medimg" / "native" / "vp8_tables.h").read_text()
    change = [int(n) for n in table.split("VP8_CHANGE[1056] = {")[1].split("}")[0].split(",")]
    out = _Bools()
    out.literal(0, 2 + 1 + 1 + 6 + 3 + 1)
    out.literal(parts.bit_length() - 1, 2)
    out.literal(20, 7)
    out.literal(0, 5 + 1)
    for probability in change:
        out.put(0, probability)
    out.literal(1, 1)
    out.literal(128, 8)
    for _ in range(-(-width // 16) * -(-height // 16)):
        out.put(1)  # no token
        out.put(1, 145)
        out.put(0, 156)
        out.put(0, 163)
        out.put(0, 142)
    head = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return vp8(head, out.done() + behind[0], behind[1:])
