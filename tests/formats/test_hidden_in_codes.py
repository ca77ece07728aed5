"""Words hidden in how a picture is coded, where no decoder looks: the copy is the same whatever they are."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from itertools import islice

import hiding_kit as kit
import msgspec
import numpy as np
import pytest
from hiding_kit import SENTENCES
from jpeg_kit import picture, saved
from PIL import Image

from medimg import audit
from medimg.api import Scrubber
from medimg.errors import Malformed
from medimg.policy import Policy

LIGHT = Scrubber(msgspec.structs.replace(Policy.load(), scope="metadata-only"))
BLOCKS = saved(picture(320, 96), quality=80, restart_marker_blocks=1)
GREY = np.asarray(picture(24, 24, "L"))
COLOUR = np.asarray(picture(40, 500))
WHITE = np.full((480, 8), 255, np.uint8)


def webp(**options: object) -> bytes:
    out = io.BytesIO()
    picture(90, 70).save(out, "WEBP", **options)
    return out.getvalue()


def chunk_of(data: bytes, name: bytes) -> bytes:
    at = data.index(name) + 8
    return data[at : at + int.from_bytes(data[at - 4 : at], "little")]


def behind_first(words: bytes) -> bytes:
    head, first, tokens = kit.vp8_partitions(chunk_of(webp(), b"VP8 "))
    return kit.riff(b"VP8 ", kit.vp8(head, first + words, [tokens]))


def behind_each(words: bytes, *, much: int = 1) -> bytes:
    """Eight partitions of tokens and the first one."""
    return kit.riff(b"VP8 ", kit.flat_vp8(64, 160, 8, [words * much] * 9))


def a_byte_behind_each(words: bytes) -> bytes:
    return kit.riff(b"VP8 ", kit.flat_vp8(64, 160, 8, [words[k : k + 1] for k in range(9)]))


def as_scale(words: bytes) -> bytes:
    image = bytearray(chunk_of(webp(), b"VP8 "))
    image[7] |= (words[0] & 3) << 6
    image[9] |= (words[1] & 3) << 6
    return kit.riff(b"VP8 ", bytes(image))


def as_alpha_head(words: bytes) -> bytes:
    """The reserved and advisory bits of alpha that is not packed (RFC 9649, 2.7.1.2)."""
    alpha = np.full((70, 90), 128, np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.dstack((np.full((70, 90, 3), 90, np.uint8), alpha))).save(out, "WEBP", exact=True)
    body = bytes(((words[0] & 2) << 3,)) + alpha.tobytes()
    chunks = [
        (b"VP8X", b"\x10\0\0\0" + b"\x59\0\0\x45\0\0"),
        (b"ALPH", body),
        (b"VP8 ", chunk_of(out.getvalue(), b"VP8 ")),
    ]
    whole = b"WEBP" + b"".join(n + len(c).to_bytes(4, "little") + c + bytes(len(c) % 2) for n, c in chunks)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def sized(words: bytes) -> list[int]:
    return [1 + byte for byte in words]


def palette(words: bytes, *, used: int = 200) -> bytes:
    """The order of colours."""
    order = np.random.default_rng(list(words)).permutation(used)
    colours = np.arange(3 * used).reshape(used, 3).astype(np.uint8)
    table = np.vstack((colours[order], np.frombuffer(words[:54], np.uint8).reshape(-1, 3)))
    indices = np.argsort(order).astype(np.uint8)[np.arange(40 * 40).reshape(40, 40) % used]
    return kit.png(zlib.compress(kit.filtered(indices, [0] * 40)), (40, 40), colour=3, palette=table.tobytes())


def rows(pixels: np.ndarray) -> bytes:
    return kit.filtered(pixels, [0] * len(pixels))


def base_three(words: bytes, digits: int) -> list[int]:
    value = int.from_bytes(words)
    return [value // 3**k % 3 for k in range(digits)]


HIDE: dict[str, Callable[[bytes], bytes]] = {
    "JPEG, bits that fill up restart intervals": lambda w: kit.in_filling(BLOCKS, w),
    "JPEG, bytes behind restart intervals": lambda w: kit.behind_intervals(BLOCKS, w),
    "JPEG, behind the last block": lambda w: BLOCKS[:-2] + w * 1000 + BLOCKS[-2:],
    "JPEG, behind the last block of a pass": lambda w: saved(picture(60, 60), progressive=True)[:-2] + w + b"\xff\xd9",
    "JPEG, zeros that nothing follows": kit.in_idle_zeros,
    "JPEG, symbols of no block": lambda w: kit.in_codes(kit.flat(), w),
    "JPEG, steps of no coefficient": lambda w: kit.in_steps(kit.flat(), w),
    "JPEG, past the edge": kit.past_the_edge,
    "PNG, empty blocks": lambda w: kit.png(kit.with_empty_blocks(rows(COLOUR), w), (40, 500)),
    "PNG, sizes of chunks": lambda w: kit.png(zlib.compress(rows(COLOUR)), (40, 500), cut=sized(w)),
    "PNG, filters": lambda w: kit.png(zlib.compress(kit.filtered(COLOUR, base_three(w, 500))), (40, 500)),
    "PNG, palette": palette,
    "TIFF, empty blocks of deflate": lambda w: kit.tiff(kit.with_empty_blocks(GREY.tobytes(), w), (24, 24), 8),
    "TIFF, steps of PackBits": lambda w: kit.tiff(kit.in_packbits(COLOUR[..., 0], w), (40, 500), 32773),
    "TIFF, codes of LZW": lambda w: kit.tiff(kit.in_lzw(GREY, w), (24, 24), 5),
    "TIFF, filling of a fax": lambda w: kit.tiff(kit.in_fax(w, 480), (8, 480), 3, 1),
    "TIFF, behind a fax": lambda w: kit.tiff(kit.in_fax(b"", 480) + w, (8, 480), 3, 1),
    "TIFF, row ends": lambda w: kit.tiff(bytes(islice(kit.bits_of(w), 480)), (7, 480), 1, 1),
    "TIFF, a JPEG strip": lambda w: kit.tiff(kit.in_filling(saved(picture(320, 96, "L"), restart_marker_blocks=1), w),
                                             (320, 96), 7),
    "TIFF, steps of a JPEG strip": lambda w: kit.tiff(kit.in_steps(kit.flat(), w), (64, 64), 7),
    "WebP, behind the first partition": behind_first,
    "WebP, behind each partition": behind_each,
    "WebP, files behind each partition": lambda w: behind_each(w, much=1000),
    "WebP, a byte behind each partition": a_byte_behind_each,
    "WebP, the scale": as_scale,
    "WebP, what is said of alpha": as_alpha_head,
    "WebP, lossless": lambda w: webp(lossless=True, quality=w[0], method=w[1] % 7),
}  # fmt: skip


def shown(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize("name", HIDE)
def test_the_copy_is_the_same_whatever_is_hidden(name: str) -> None:
    files = [HIDE[name](words) for words in SENTENCES]
    assert files[0] != files[1]
    copies = []
    for data, words in zip(files, SENTENCES, strict=True):
        done = LIGHT.scrub(data)
        assert done.data is not None, done.report.reason
        copies.append(done.data)
        assert words[:8] not in done.data
        assert np.array_equal(shown(done.data), shown(data))
    assert copies[0] == copies[1]


JUDGED = [n for n in HIDE if n.startswith(("JPEG", "WebP, beh", "WebP, f", "WebP, a", "WebP, the")) or "strip" in n]


@pytest.mark.parametrize("name", JUDGED)
def test_the_judge_sees_it_too(name: str) -> None:
    """In the file itself, as if the writer had left it."""
    data = HIDE[name](SENTENCES[0])
    kind = name.split(",")[0].lower()
    found = audit.walk(data, kind)
    if kind == "jpeg":
        found = [stray for stray in found if stray not in ("APP0", "unused table")]
    assert found


def test_files_of_a_full_run(scrubber: Scrubber) -> None:
    for name in ("JPEG, bits that fill up restart intervals", "WebP, behind the first partition", "PNG, empty blocks"):
        copies = [scrubber.scrub(HIDE[name](words)).data for words in SENTENCES]
        assert copies[0] == copies[1] is not None


def test_the_sentences_fit() -> None:
    assert {len(words) for words in SENTENCES} == {60}
    assert kit.room_in_filling(BLOCKS) > 380
    assert re.search(re.escape(bytes(dict.fromkeys(SENTENCES[0]))[:4]), kit.in_codes(kit.flat(), SENTENCES[0]))


@pytest.mark.parametrize("quality", [10, 60, 95])
@pytest.mark.parametrize("kind", ["JPEG", "progressive", "optimised", "restarts", "WebP", "WebP of one colour"])
def test_what_encoders_write_is_copied_byte_for_byte(kind: str, quality: int) -> None:
    pixels = picture(203, 147, seed=quality) if kind != "WebP of one colour" else Image.new("RGB", (203, 147), "white")
    options = {
        "progressive": {"progressive": True},
        "optimised": {"optimize": True},
        "restarts": {"restart_marker_rows": 1},
    }
    out = io.BytesIO()
    pixels.save(out, "WEBP" if "WebP" in kind else "JPEG", quality=quality, **options.get(kind, {}))
    data = out.getvalue()
    done = LIGHT.scrub(data)
    assert done.report.copy is not None
    assert done.report.copy.method == "segment-copy"
    coded = data[12:] if "WebP" in kind else data[20:]
    assert (done.data or b"").endswith(coded)


def test_a_lossy_webp_that_is_cut_short_is_refused() -> None:
    head, first, tokens = kit.vp8_partitions(chunk_of(webp(), b"VP8 "))
    for image in (kit.vp8(head, first[:-9], [tokens]), kit.vp8(head, first, [tokens[: len(tokens) // 2]])):
        assert LIGHT.scrub(kit.riff(b"VP8 ", image)).data is None
        with pytest.raises(Malformed):
            audit.walk(kit.riff(b"VP8 ", image), "webp")
