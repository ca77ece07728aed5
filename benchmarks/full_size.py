"""One line of small print in a large photo whose ground is photographs: how often it is covered, and what it costs.

    python -m benchmarks.full_size FOLDER [--megapixels 12 48] [--pictures 8] [--sheet FOLDER]

The ground is pictures of the folder side by side at their own size (their textures stay as a camera saw them), a strip
of paper with a line lies on it at any angle, and the whole is saved as JPEG. The last row is
the processor time of the closer look as a share of all of the first look at text; ``--before`` leaves it out.
"""

from __future__ import annotations

import argparse
import io
import math
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from fixtures import _draw as d
from medimg.detect import Frame, Pixels
from medimg.detect.text import detector as text
from medimg.detect.text import full_size
from medimg.policy import Policy

LINES = ("QUILLFEATHER ZEDEKIAH  MRN 5550173", "Zedekiah Quillfeather 04.07.1961", "Hosp. No. 555 0173 / Ward 7B")
SIZES = {12: (12, 14, 16, 18), 24: (16, 20, 24, 28), 48: (20, 26, 34, 40), 108: (34, 44, 54)}
KEPT = ("ruler", "harmless", "print")


def ground(rng: np.random.Generator, files: list[Path], width: int, height: int) -> Image.Image:
    """Photographs side by side at their own size."""
    out = Image.new("RGB", (width, height))
    y = 0
    while y < height:
        x, row = 0, 0
        while x < width:
            with Image.open(files[int(rng.integers(len(files)))]) as file:
                part = ImageOps.exif_transpose(file).convert("RGB")
            out.paste(part, (x, y))
            x, row = x + part.width, max(row, part.height) if row == 0 else min(row, part.height)
        y += max(row, 64)
    return out


def strip(rng: np.random.Generator, picture: Image.Image, size: int) -> tuple[float, float, float, float]:
    """A strip of paper with a line on it; returns the upright box of its letters."""
    line = LINES[int(rng.integers(len(LINES)))]
    font = d.pick_font(rng, "print", size)
    x0, y0, x1, y1 = (int(v) for v in ImageDraw.Draw(picture).textbbox((0, 0), line, font=font))
    pad = max(4, size // 2)
    paper = Image.new(
        "RGBA", (x1 - x0 + 2 * pad, y1 - y0 + 2 * pad), (*(int(v) for v in rng.integers(215, 250, 3)), 255)
    )
    ImageDraw.Draw(paper).text((pad - x0, pad - y0), line, font=font, fill=(25, 25, 30, 255))
    paper = paper.rotate(float(rng.choice((0, 0, 90, 180, 270)) + rng.uniform(-15, 15)), Image.Resampling.BICUBIC, True)
    at = (int(rng.integers(picture.width - paper.width)), int(rng.integers(picture.height - paper.height)))
    picture.paste(paper, at, paper)
    return at[0] + pad, at[1] + pad, at[0] + paper.width - pad, at[1] + paper.height - pad


def photo(picture: Image.Image) -> Pixels:
    """As a camera's JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return np.asarray(Image.open(out))


def covered(detector: text.TextDetector, pixels: Pixels) -> list[tuple[float, float, float, float]]:
    """Boxes of what is not kept."""
    found = detector.find(Frame(pixels))
    boxes = [f.region.box for f in found if f.region and f.category not in KEPT]
    return [(b.x0, b.y0, b.x1, b.y1) for b in boxes]


def share(box: tuple[float, float, float, float], others: list[tuple[float, float, float, float]]) -> float:
    """Which part of a box the others cover."""
    x0, y0, x1, y1 = (round(v) for v in box)
    mask = np.zeros((max(y1 - y0, 1), max(x1 - x0, 1)), np.bool_)
    for a0, b0, a1, b1 in others:
        mask[max(round(b0) - y0, 0) : max(round(b1) - y0, 0), max(round(a0) - x0, 0) : max(round(a1) - x0, 0)] = True
    return float(mask.mean())


def main() -> None:
    """Print a row for every size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megapixels", type=int, nargs="+", default=[12, 48])
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    if options.sheet:
        options.sheet.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    detector = text.make(Policy())
    own = full_size.spots
    spent = [0.0]

    def timed(*given: object) -> list[object]:
        start = time.thread_time()
        out = [] if options.before else own(*given)  # type: ignore[arg-type]
        spent[0] += time.thread_time() - start
        return list(out)

    full_size.spots = timed  # type: ignore[assignment]
    for megapixels in options.megapixels:
        height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
        rows: dict[int, list[float]] = defaultdict(list)
        whole = spent[0] = 0.0
        for n in range(options.skip, options.skip + options.pictures):
            for size in SIZES[megapixels]:
                rng = np.random.default_rng((n, megapixels, size))
                picture = ground(rng, files, round(height * 4 / 3), height)
                box = strip(rng, picture, size)
                start = time.thread_time()
                rows[size].append(share(box, covered(detector, photo(picture))))
                whole += time.thread_time() - start
                if options.sheet and rows[size][-1] < 0.8:
                    around = (box[0] - 200, box[1] - 200, box[2] + 200, box[3] + 200)
                    picture.crop(tuple(round(v) for v in around)).save(options.sheet / f"{megapixels}-{size}-{n}.png")  # type: ignore[arg-type]
        for size, shares in rows.items():
            good = sum(s >= 0.8 for s in shares)
            print(f"{megapixels:4} MP, font of {size:3} pixels: covered {good} of {len(shares)}", flush=True)
        print(f"{megapixels:4} MP: closer look {spent[0] / max(whole, 1e-9):.2f} of the first look at text")


if __name__ == "__main__":
    main()
