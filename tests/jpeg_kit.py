"""JPEGs made for tests, readers of them that share nothing with medimg, and covers by each engine."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np
from jpeg_twin import Twin
from PIL import Image

from medimg.formats import jpeg
from medimg.formats.jpeg import kernel
from medimg.formats.jpeg.lossless import CoveredJpeg, CroppedJpeg, cover_jpeg, crop_jpeg
from medimg.types import BLACK, Box, Colour, Cover, Limits

ENGINES = (kernel.load(), Twin())


def picture(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Soft colour fields with grain: every coefficient gets used."""
    rng = np.random.default_rng((seed, width, height))
    fields = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
    soft = np.asarray(Image.fromarray(fields).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    grain = rng.integers(-20, 21, (height, width, 3))
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).convert(mode)


def saved(image: Image.Image, **options: object) -> bytes:
    """A JPEG as Pillow writes it."""
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def compressed(image: Image.Image, *options: str) -> bytes:
    """A JPEG as cjpeg writes it."""
    ppm = io.BytesIO()
    image.save(ppm, "PPM")
    return subprocess.run(["cjpeg", *options], input=ppm.getvalue(), capture_output=True, check=True).stdout


def segment(marker: int, payload: bytes) -> bytes:
    """A segment as it stands in a file."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def covered(data: bytes, covers: Sequence[Cover], colour: Colour = BLACK, *, using: Any = None) -> CoveredJpeg:
    """Covers by one engine."""
    photo = jpeg.open(data, Limits())
    return cover_jpeg(photo.jpeg, photo.head(), covers, colour, using=using)


def cropped(data: bytes, box: Box, *, using: Any = None) -> CroppedJpeg:
    """A crop by one engine."""
    photo = jpeg.open(data, Limits())
    return crop_jpeg(photo.jpeg, photo.head(), box, using=using)


def have(*programs: str) -> bool:
    """Whether the programs are installed."""
    return all(shutil.which(p) for p in programs)


def plain(data: bytes) -> bytes:
    """The file without application segments and comments, APP0 and APP14 left."""
    out, at = [data[:2]], 2
    while True:
        while data[at + 1] == 0xFF:
            at += 1
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xDA:
            return b"".join(out) + data[at:]
        if not (marker == 0xFE or 0xE1 <= marker <= 0xED or marker == 0xEF):
            out.append(data[at : at + 2 + length])
        at += 2 + length


def pixels(data: bytes) -> np.ndarray:
    """Decoded by Pillow, as int."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image).astype(int)


def djpeg(data: bytes) -> tuple[np.ndarray, str]:
    """Decoded by djpeg, which reads arithmetic coding too, and its warnings."""
    done = subprocess.run(["djpeg", "-ppm"], input=data, capture_output=True, check=False)
    warnings = "\n".join(line for line in done.stderr.decode().splitlines() if "baseline" not in line)
    return pixels(done.stdout) if done.stdout else np.zeros((0, 0), int), warnings


def coefficients(
    data: bytes, ends: list[int] | None = None
) -> tuple[tuple[int, int], list[tuple[int, int, np.ndarray]]]:
    """(width, height) and, per component, h, v and quantised coefficients (rows, columns, 64) in zigzag order.

    A small reader of baseline Huffman files, written for the tests alone; give it what ``jpegtran`` makes of others.
    ``ends`` is given how many bits each restart interval has.
    """
    at, tables, frame, restart = 2, {}, None, 0
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xC4:
            k = 0
            while k < len(body):
                counts, code, n = body[k + 1 : k + 17], 0, k + 17
                words = {}
                for size in range(1, 17):
                    for _ in range(counts[size - 1]):
                        words[format(code, f"0{size}b")] = body[n]
                        code, n = code + 1, n + 1
                    code *= 2
                tables[body[k]] = words
                k = n
        elif marker in (0xC0, 0xC1):
            frame = body
        elif marker == 0xDD:
            restart = int.from_bytes(body)
        elif marker == 0xDA:
            break
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    parts = [(frame[7 + 3 * k] >> 4, frame[7 + 3 * k] & 15) for k in range(frame[5])]
    if len(parts) == 1:
        parts = [(1, 1)]
    hmax, vmax = max(p[0] for p in parts), max(p[1] for p in parts)
    across, down = -(-width // (8 * hmax)), -(-height // (8 * vmax))
    grids = [np.zeros((down * v, across * h, 64), int) for h, v in parts]
    slots = [(body[2 + 2 * k] >> 4, 16 + (body[2 + 2 * k] & 15)) for k in range(body[0])]
    pieces, begin = [], at
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] == 0:
            at += 2
            continue
        pieces.append(data[begin:at].replace(b"\xff\0", b"\xff"))
        if not 0xD0 <= data[at + 1] <= 0xD7:
            break
        begin = at = at + 2
    for number, piece in enumerate(pieces):
        reader, last = _Bits(piece), [0] * len(parts)
        first = number * restart
        for m in range(first, min(first + restart, across * down) if restart else across * down):
            for c, (h, v) in enumerate(parts):
                for b in range(h * v):
                    block = grids[c][m // across * v + b // h, m % across * h + b % h]
                    last[c] += reader.value(reader.word(tables[slots[c][0]]))
                    block[0], k = last[c], 1
                    while k < 64:
                        zeros, size = divmod(reader.word(tables[slots[c][1]]), 16)
                        if not size and zeros < 15:
                            break
                        k += zeros
                        block[k] = reader.value(size) if size else 0
                        k += 1
        if ends is not None:
            ends.append(reader.at)
    return (width, height), [(h, v, g) for (h, v), g in zip(parts, grids, strict=True)]


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.bits, self.at = "".join(format(b, "08b") for b in data), 0

    def word(self, table: dict[str, int]) -> int:
        size = 1
        while self.bits[self.at : self.at + size] not in table:
            size += 1
        self.at += size
        return table[self.bits[self.at - size : self.at]]

    def value(self, size: int) -> int:
        self.at += size
        v = int(self.bits[self.at - size : self.at] or "0", 2)
        return v - (1 << size) + 1 if size and not v >> (size - 1) else v


def baseline(data: bytes) -> bytes:
    """The same coefficients as a baseline file, made by jpegtran."""
    return subprocess.run(["jpegtran", "-copy", "all"], input=data, capture_output=True, check=True).stdout


def shown(data: bytes) -> np.ndarray:
    """As RGB by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def by_cv2(data: bytes) -> np.ndarray:
    """As RGB by OpenCV."""
    from medimg.native.opencv import cv2

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
