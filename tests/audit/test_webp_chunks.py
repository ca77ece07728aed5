"""Chunks of a WebP copy: which may stand there, in which order, what they may say, and where pictures end."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from medimg import audit
from medimg.errors import Malformed
from medimg.formats.shared import icc as writer

Chunk = tuple[bytes, bytes]
WIDTH, HEIGHT = 21, 14


def chunk(kind: bytes, body: bytes, spare: bytes = b"\0") -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + spare * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def strays(*chunks: Chunk) -> list[str]:
    return audit.walk(riff(*(chunk(*c) for c in chunks)), "webp")


def noticed(name: str, *chunks: Chunk) -> bool:
    """Whether a chunk is named, or the decoder follows the file no further."""
    try:
        return name in strays(*chunks)
    except Malformed:
        return True


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 12
    while at < len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        found[kind] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return found


def coded(pixels: NDArray[np.uint8], *, lossless: bool = False) -> dict[bytes, bytes]:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=lossless, exact=True)
    return chunks_of(out.getvalue())


OPAQUE = np.random.default_rng(3).integers(1, 256, (HEIGHT, WIDTH, 3), np.uint8)
CLEARER = np.dstack([OPAQUE, np.random.default_rng(4).integers(1, 255, (HEIGHT, WIDTH), np.uint8)])
LOSSY: Chunk = (b"VP8 ", coded(OPAQUE)[b"VP8 "])
LOSSLESS: Chunk = (b"VP8L", coded(OPAQUE, lossless=True)[b"VP8L"])
CLEAR: Chunk = (b"VP8L", coded(CLEARER, lossless=True)[b"VP8L"])
GREEN = np.dstack([np.zeros_like(CLEARER[..., 3]), CLEARER[..., 3], np.zeros_like(CLEARER[..., 3])])
ALPHA: Chunk = (b"ALPH", b"\1" + coded(GREEN, lossless=True)[b"VP8L"][5:])  # RFC 9649, 2.7.1.2
UNDER: Chunk = (b"VP8 ", coded(CLEARER)[b"VP8 "])
PROFILE: Chunk = (b"ICCP", writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) or b"")
TURN: Chunk = (b"EXIF", b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0))


def head(flags: int, width: int = WIDTH, height: int = HEIGHT, reserved: bytes = b"\0\0\0") -> Chunk:
    return b"VP8X", bytes((flags,)) + reserved + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


@pytest.mark.parametrize(
    "chunks",
    [
        (LOSSY,), (LOSSLESS,), (head(0), LOSSY), (head(0), LOSSLESS), (head(0x20), PROFILE, LOSSY),
        (head(0x08), LOSSY, TURN), (head(0x28), PROFILE, LOSSLESS, TURN), (head(0x10), ALPHA, UNDER),
        (head(0x38), PROFILE, ALPHA, UNDER, TURN), (head(0x10), CLEAR), (CLEAR,),
    ],
)  # fmt: skip
def test_the_header_names_what_is_there(chunks: tuple[Chunk, ...]) -> None:
    """RFC 9649, 2.7: flags for a profile, alpha and an orientation, and the size of the canvas."""
    assert strays(*chunks) == []
    if chunks[0][0] != b"VP8X":
        return
    said = chunks[0][1]
    for bit in range(32):
        wrong = (int.from_bytes(said[:4], "little") ^ 1 << bit).to_bytes(4, "little") + said[4:]
        assert noticed("VP8X", (b"VP8X", wrong), *chunks[1:]), bit
    for width, height in ((WIDTH + 1, HEIGHT), (WIDTH - 1, HEIGHT), (WIDTH, HEIGHT + 1), (WIDTH, HEIGHT - 1)):
        assert noticed("VP8X", head(said[0], width, height), *chunks[1:])
    assert noticed("VP8X", (b"VP8X", said + b"\0"), *chunks[1:])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (300, 1), (257, 129)])
@pytest.mark.parametrize("lossless", [False, True])
def test_the_size_of_a_picture_is_its_own(width: int, height: int, lossless: bool) -> None:
    """RFC 9649, 3.4; RFC 6386, 9.1: beside the size a picture may say how it is scaled, which no copy does."""
    kind, body = next(iter(coded(np.full((height, width, 3), 90, np.uint8), lossless=lossless).items()))
    assert strays(head(0, width, height), (kind, body)) == []
    for wrong in (head(0, width + 1, height), head(0, width, height + 1), head(0, height, width + 1)):
        assert noticed("VP8X", wrong, (kind, body))


@pytest.mark.parametrize(
    ("chunks", "found"),
    [
        ((head(0x08), TURN, LOSSY), ["order"]), ((head(0x20), LOSSY, PROFILE), ["order"]),
        ((head(0x28), TURN, PROFILE, LOSSY), ["order"]), ((LOSSY, head(0)), ["order"]),
        ((head(0x08), LOSSY, TURN, TURN), ["order"]), ((head(0), LOSSY, LOSSY), ["order"]),
        ((head(0), head(0), LOSSY), ["order"]), ((LOSSY, TURN), ["order"]), ((PROFILE, LOSSY), ["order"]),
        ((PROFILE, LOSSLESS, TURN), ["order"]), ((head(0), LOSSY, (b"XMP ", b"Banks")), ["chunk"]),
        ((head(0), LOSSY, (b"abcd", b"")), ["chunk"]), ((LOSSY, (b"abcd", b"")), ["chunk", "order"]),
        ((head(0), LOSSLESS, LOSSY), ["chunk"]), ((head(0x10), ALPHA, CLEAR), ["chunk"]),
        ((head(0), (b"ANIM", bytes(6)), LOSSY), ["chunk"]),
    ],
)  # fmt: skip
def test_chunks_are_those_of_one_picture_in_their_order(chunks: tuple[Chunk, ...], found: list[str]) -> None:
    try:
        assert strays(*chunks)[: len(found)] == found
    except Malformed:  # as libwebp sees some of them
        return


def test_a_chunk_is_all_there_and_the_file_as_long_as_it_says() -> None:
    whole = riff(chunk(*head(0x08)), chunk(*LOSSY), chunk(*TURN))
    assert audit.walk(whole, "webp") == []
    assert audit.walk(whole + b"\0", "webp") == audit.walk(whole + b"Banks", "webp") == ["after RIFF"]
    for end in range(0, len(whole), 7):
        with pytest.raises(Malformed):
            audit.walk(whole[:end], "webp")
    for less in (1, 2, 8, 9):
        wrong = whole[:4] + struct.pack("<I", len(whole) - 8 - less) + whole[8:]
        with pytest.raises(Malformed):
            audit.walk(wrong, "webp")
    for nothing in ((head(0),), (head(0x10), ALPHA), (TURN,)):
        with pytest.raises(Malformed):
            strays(*nothing)


def of_height(height: int) -> bytes:
    return coded(OPAQUE[:height].repeat(2, axis=0), lossless=True)[b"VP8L"]


def test_the_byte_that_makes_a_length_even_is_zero() -> None:
    odd = next(body for body in map(of_height, range(8, 40)) if len(body) % 2)
    for spare, found in ((b"\0", []), (b"\1", ["padding"])):
        assert audit.walk(riff(chunk(b"VP8L", odd, spare)), "webp") == found
    assert audit.walk(riff(chunk(*head(0x08)), chunk(*LOSSY), chunk(*TURN)), "webp") == []


def test_a_profile_is_cleaned_and_an_orientation_is_one_entry() -> None:
    assert strays(head(0x20), (b"ICCP", PROFILE[1] + b"Bank"), LOSSY) == ["ICCP"]
    for value in (0, 1, 9):
        wrong = (b"EXIF", TURN[1][:18] + struct.pack(">H", value) + TURN[1][20:])
        assert strays(head(0x08), LOSSY, wrong) == ["EXIF"]
    assert strays(head(0x08), LOSSY, (b"EXIF", b"Exif\0\0" + TURN[1])) == ["EXIF"]


@pytest.mark.parametrize("bit", range(8))
def test_alpha_is_packed_and_nothing_else_is_said_of_it(bit: int) -> None:
    """RFC 9649, 2.7.1.2."""
    assert strays(head(0x10), ALPHA, UNDER) == []
    assert noticed("ALPH", head(0x10), (b"ALPH", bytes((1 ^ 1 << bit,)) + ALPHA[1][1:]), UNDER)


@pytest.mark.parametrize("place", [7, 9])
@pytest.mark.parametrize("scale", [0x40, 0x80, 0xC0])
def test_a_lossy_picture_says_no_scale(place: int, scale: int) -> None:
    """RFC 6386, 9.1."""
    body = bytearray(LOSSY[1])
    body[place] |= scale
    assert strays((b"VP8 ", bytes(body))) == ["VP8 "]


@pytest.mark.parametrize("behind", [1, 8, 9, 12, 40])
@pytest.mark.parametrize(
    ("chunks", "which", "found"),
    [
        ((LOSSY,), 0, "VP8/after the picture"), ((LOSSLESS,), 0, "VP8L/after the picture"),
        ((CLEAR,), 0, "VP8L/after the picture"), ((head(0x10), ALPHA, UNDER), 2, "VP8/after the picture"),
        ((head(0x10), ALPHA, UNDER), 1, "ALPH/after the picture"),
    ],
)  # fmt: skip
def test_bytes_behind_a_picture_are_noticed(chunks: tuple[Chunk, ...], which: int, found: str, behind: int) -> None:
    """Of a lossy one each, of one packed without loss from eight on."""
    longer = [(k, body + b"z" * behind * (n == which)) for n, (k, body) in enumerate(chunks)]
    assert strays(*longer) == ([] if behind == 1 and not found.startswith("VP8/") else [found])


@pytest.mark.parametrize("lossless", [False, True])
def test_no_colour_lies_under_alpha_zero(lossless: bool) -> None:
    black = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    name = "VP8L" if lossless else "VP8"

    def judged(pixels: NDArray[np.uint8]) -> list[str]:
        parts = coded(pixels, lossless=lossless)
        parts.pop(b"VP8X", None)
        return strays(head(0x10), *parts.items())

    assert judged(black) == []
    for channel in range(3):
        pixels = black.copy()
        pixels[3:9, 4:12, channel] = 250
        assert judged(pixels) == [f"{name}/alpha 0"]
        pixels[..., 3] = 1
        assert judged(pixels) == []
