"""Dates that a camera burned into the picture: how many are covered, by colour, lettering and ground.

    python -m benchmarks.dates FOLDER [--pictures 60] [--skip 0] [--sheet FOLDER] [--size 512 1600 4000]

The ground is photographs of a folder, brought to the size by the longer side; a date stands near a corner, in a colour
and a lettering (print, typewriter, seven segments, dots) that cameras use; the whole is saved as JPEG. *also covered*
counts pictures in which something is covered that does not touch the date.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from benchmarks.full_size import KEPT, share
from fixtures import _draw as d
from medimg.detect import Frame, Pixels
from medimg.detect.text import detector as text
from medimg.policy import Policy

COLOURS = {
    "orange": (255, 140, 20),
    "yellow": (250, 225, 60),
    "white": (250, 250, 250),
    "green": (90, 240, 90),
    "red": (235, 40, 30),
}
LETTERING = ("print", "mono", "segments", "dots")
FORMS = (
    "{d:02}.{m:02}.{y}",
    "{y}/{m:02}/{d:02}",
    "'{s:02} {m:2} {d:2}",
    "{m:02}/{d:02}/{y} {h:02}:{i:02}",
    "{y}-{m:02}-{d:02}",
)
SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g",
}  # fmt: skip
LINES = {
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2), "e": (0, 1, 0, 2), "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}  # fmt: skip


def said(rng: np.random.Generator) -> str:
    """A date, some with the time."""
    year = int(rng.integers(1994, 2026))
    form = FORMS[int(rng.integers(len(FORMS)))]
    month, day = int(rng.integers(1, 13)), int(rng.integers(1, 29))
    return form.format(d=day, m=month, y=year, s=year % 100, h=int(rng.integers(24)), i=int(rng.integers(60)))


def drawn(words: str, lettering: str, high: int, rng: np.random.Generator) -> Image.Image:
    """The date as a mask, as high as its figures."""
    if lettering == "segments":
        return segments(words, high)
    if lettering == "dots":
        return dots(words, high)
    font = d.pick_font(rng, lettering, round(high * 1.35))
    x0, y0, x1, y1 = (int(v) for v in font.getbbox(words))
    out = Image.new("L", (x1 - x0 + 4, y1 - y0 + 4))
    ImageDraw.Draw(out).text((2 - x0, 2 - y0), words, font=font, fill=255)
    return out


def segments(words: str, high: int) -> Image.Image:
    """Seven segments a figure, four times finer and then shrunk."""
    size, thick = 4 * high, max(4, round(4 * high / 9))
    step = round(size * 0.78)
    out = Image.new("L", (step * len(words) + size, size + 2 * thick))
    pen = ImageDraw.Draw(out)
    half, wide = (size - thick) / 2, size * 0.45
    for n, sign in enumerate(words):
        x = n * step + thick
        for name in SEGMENTS.get(sign, ""):
            ax, ay, bx, by = LINES[name]
            gap = thick * 0.35
            along = (gap if ax != bx else 0, gap if ay != by else 0)
            ends = (
                x + ax * wide + along[0],
                thick + ay * half + along[1],
                x + bx * wide - along[0],
                thick + by * half - along[1],
            )
            pen.line(ends, 255, round(thick * 0.8))
        if sign in ".:/":
            for y in (0.3, 0.75) if sign == ":" else (1.0,) if sign == "." else ():
                pen.rectangle((x + wide / 3, thick + y * size - thick, x + wide / 3 + thick, thick + y * size), 255)
            if sign == "/":
                pen.line((x, thick + size, x + wide, thick), 255, round(thick * 0.8))
        if sign == "'":
            pen.line((x + wide / 2, thick, x + wide / 2, thick + size / 4), 255, round(thick * 0.8))
    return out.resize((out.width // 4, out.height // 4), Image.Resampling.LANCZOS)


def dots(words: str, high: int) -> Image.Image:
    """Figures of separate dots, from Pillow's own bitmap font."""
    font = ImageFont.load_default_imagefont()
    _x0, _y0, x1, y1 = (int(v) for v in font.getbbox(words))
    mask = Image.new("1", (x1, y1))
    ImageDraw.Draw(mask).text((0, 0), words, font=font, fill=1)
    grid = np.asarray(mask)
    grid = grid[grid.any(axis=1)]
    cell = max(1.5, high / max(len(grid), 1))
    out = Image.new("L", (round(x1 * cell * 4) + 8, round(len(grid) * cell * 4) + 8))
    pen = ImageDraw.Draw(out)
    for y, x in np.argwhere(grid):
        pen.ellipse((x * cell * 4 + 1, y * cell * 4 + 1, (x + 0.92) * cell * 4, (y + 0.92) * cell * 4), 255)
    return out.resize((max(1, out.width // 4), max(1, out.height // 4)), Image.Resampling.LANCZOS)


def burned(
    rng: np.random.Generator, picture: Image.Image, colour: str, lettering: str
) -> tuple[float, float, float, float]:
    """Draw a date near a corner; returns its box."""
    high = max(9, round(max(picture.size) * float(rng.uniform(0.02, 0.035))))
    mask = drawn(said(rng), lettering, high, rng).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.8))))
    room = round(max(picture.size) * float(rng.uniform(0.02, 0.08)))
    right, low = rng.random() < 0.75, rng.random() < 0.85
    x = picture.width - mask.width - room if right else room
    y = picture.height - mask.height - room if low else room
    x = max(x, 0)
    ink = Image.new("RGB", mask.size, COLOURS[colour])
    if rng.random() < 0.3:
        picture.paste((10, 10, 10), (x + 1, y + 1), mask)
    picture.paste(ink, (x, y), mask)
    box = mask.point([0] * 128 + [255] * 128).getbbox() or (0, 0, *mask.size)
    return x + box[0], y + box[1], x + box[2], y + box[3]


def photo(picture: Image.Image, quality: int) -> Pixels:
    """As a JPEG with its colours at half size."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(out))


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--size", type=int, nargs="+", default=[512, 1024, 2048, 4000])
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    if options.sheet:
        options.sheet.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    detector = text.make(Policy())
    good: dict[str, list[bool]] = defaultdict(list)
    for n in range(options.skip, options.skip + options.pictures):
        rng = np.random.default_rng((n, 83))
        colour, lettering = list(COLOURS)[n % 5], LETTERING[n // 5 % 4]
        side = options.size[n // 20 % len(options.size)]
        with Image.open(files[int(rng.integers(len(files)))]) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
        factor = side / max(picture.size)
        picture = picture.resize(
            (round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC
        )
        box = burned(rng, picture, colour, lettering)
        pixels = photo(picture, int(rng.choice((92, 85, 70))))
        found = [f for f in detector.find(Frame(pixels)) if f.region and f.category not in KEPT]
        boxes = [(b.x0, b.y0, b.x1, b.y1) for b in (f.region.box for f in found if f.region)]
        hit = share(box, [(float(a), float(b), float(c), float(e)) for a, b, c, e in boxes]) >= 0.8
        beside = any(b[2] < box[0] or b[0] > box[2] or b[3] < box[1] or b[1] > box[3] for b in boxes)
        for name in ("all", colour, lettering, f"{side} pixels"):
            good[name].append(hit)
        good["also covered"].append(beside)
        if options.sheet and not hit:
            around = (box[0] - 60, box[1] - 60, box[2] + 60, box[3] + 60)
            Image.fromarray(pixels).crop(tuple(round(v) for v in around)).save(options.sheet / f"date-{n}.png")  # type: ignore[arg-type]
    for name, hits in good.items():
        print(f"{name:14s} {sum(hits):4} of {len(hits)}")


if __name__ == "__main__":
    main()
