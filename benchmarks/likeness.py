"""How well a released copy is found again by its look (``medimg find``): the figures in docs/consent.md.

``python benchmarks/likeness.py FOLDER`` takes every picture below a folder, changes it as people and programs do, and
counts how many are found again; then it compares every pair of pictures. Photographs are not part of medimg; any set
of different photographs will do (the figures are of public sets, 350 foot ulcers and 300 clothes and landscapes).
"""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from PIL.Image import Transpose

from medimg.run import likeness

Change = Callable[[Image.Image], Image.Image]


def saved(picture: Image.Image, quality: int, form: str = "JPEG") -> Image.Image:
    """The picture after it was saved and opened again."""
    data = io.BytesIO()
    picture.save(data, form, quality=quality)
    return Image.open(io.BytesIO(data.getvalue()))


def smaller(picture: Image.Image, share: float) -> Image.Image:
    """The picture with this share of its sides."""
    return picture.resize((max(int(picture.width * share), 8), max(int(picture.height * share), 8)))


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """The picture without this share on each side."""
    x, y = int(picture.width * share), int(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def framed(picture: Image.Image) -> Image.Image:
    """The picture in a screenshot: a tenth of its height in black above and below."""
    page = Image.new("RGB", (picture.width, picture.height * 12 // 10))
    page.paste(picture, (0, picture.height // 10))
    return page


CHANGES: dict[str, Change] = {
    "half the size, quality 75": lambda p: saved(smaller(p, 0.5), 75),
    "320 pixels, quality 50": lambda p: saved(smaller(p, 320 / max(p.size)), 50),
    "WebP, quality 60": lambda p: saved(p, 60, "WEBP"),
    "a quarter turn, quality 80": lambda p: saved(p.transpose(Transpose.ROTATE_90), 80),
    "mirrored, quality 80": lambda p: saved(p.transpose(Transpose.FLIP_LEFT_RIGHT), 80),
    "half the size, a tenth brighter, quality 60": lambda p: saved(
        ImageEnhance.Brightness(smaller(p, 0.5)).enhance(1.1), 60
    ),
    "cropped by 2 % on each side": lambda p: saved(cropped(p, 0.02), 80),
    "cropped by 5 % on each side": lambda p: saved(cropped(p, 0.05), 80),
    "in a screenshot": framed,
}


def opened(folder: Path) -> Iterator[Image.Image]:
    """Every picture below a folder, at most 1600 pixels."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            picture = Image.open(path).convert("RGB")
        except (OSError, ValueError, SyntaxError):
            continue
        picture.thumbnail((1600, 1600))
        yield picture


def apart(picture: Image.Image, known: str) -> int:
    """Bits between a picture, in its best position, and a hash."""
    return min(likeness.distance(likeness.of(s), known) for s in likeness.positions(likeness.small(picture)))


def main(folder: Path) -> None:
    """Print the figures."""
    bits: dict[str, list[int]] = {name: [] for name in CHANGES}
    hashes: list[tuple[str, list[str]]] = []
    for picture in opened(folder):
        square = likeness.small(picture)
        known = likeness.of(square)
        if not known:
            continue
        hashes.append((known, [likeness.of(s) for s in likeness.positions(square)]))
        for name, change in CHANGES.items():
            bits[name].append(apart(change(picture), known))
    sys.stdout.write(f"{len(hashes)} pictures\n")
    for name, found in bits.items():
        share = np.mean(np.array(found) <= likeness.ALIKE)
        sys.stdout.write(f"{name}: {share:.1%} found, median {np.median(found):.0f}, most {max(found)} bits\n")
    pairs = sorted(
        min(likeness.distance(m, k) for m in mine) for (_, mine), (k, _) in itertools.combinations(hashes, 2)
    )
    wrong = sum(p <= likeness.ALIKE for p in pairs)
    sys.stdout.write(f"{len(pairs)} pairs: {wrong} taken for each other; nearest {pairs[:10]}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
