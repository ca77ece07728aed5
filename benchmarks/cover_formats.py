"""Covering and cropping in every format: time, size and exactness; and what the check of the written pixels costs.

    python benchmarks/cover_formats.py [--megapixels 3 12]
    python benchmarks/cover_formats.py --share [--scenes 2] [--megapixels 3 12]
    python benchmarks/cover_formats.py --heif PHOTO...

The first table covers the five places of ``benchmarks/jpeg_cover.py`` in a drawn photo, one thread, processor seconds,
the better of two: ``write`` decodes and makes the copy, ``check`` is the judge's comparison alone with both pictures
decoded. ``size`` is that of the copy over that of the original. ``--share`` cleans drawn ward scenes with every
detector and says what part of the whole time the comparison takes; decoding the copy is not counted in it, because the
detectors need it as well. ``--heif`` saves photos as AVIF, if they are not HEIC or AVIF already, and covers them as PNG
and as JPEG.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PIL import Image

import medimg
from benchmarks.jpeg_cover import SIZES, photo, places
from medimg import formats
from medimg.formats import heif
from medimg.redact.cover import mask
from medimg.types import Box, Cover, Limits
from medimg.verify import compare as judge

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG 4:2:0": ("JPEG", {"quality": 90, "subsampling": 2}),
    "PNG": ("PNG", {}),
    "PNG, 16 bit": ("PNG16", {}),
    "PNG, palette": ("PALETTE", {}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "WebP, lossy": ("WEBP", {"quality": 85, "method": 2}),
    "WebP, lossless": ("WEBP", {"lossless": True, "method": 0, "quality": 20}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
}


def made(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    if kind == "PNG16":
        from medimg.formats import png

        grain = np.random.default_rng(4).integers(0, 256, (image.height, image.width, 3), dtype=np.uint16)
        return png.encode(np.asarray(image).astype(np.uint16) * 256 + grain)
    if kind == "PALETTE":
        image, kind = image.quantize(200, dither=Image.Dither.NONE), "PNG"
    if kind == "GIF":
        image = image.quantize(200, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exact(original: formats.Opened, written: formats.Opened, copy: Any) -> str:
    """Compared here, not by the judge that is being measured."""
    kept = copy.cropped or Box(0, 0, original.width, original.height)
    before, after = original.samples()[kept.y0 : kept.y1, kept.x0 : kept.x1], written.samples()
    outside = np.ones(after.shape[:2], bool)
    by = copy.fringe
    for polygon in copy.covered:
        xs, ys = [int(p[0]) for p in polygon], [int(p[1]) for p in polygon]
        outside[max(min(ys) - by, 0) : max(ys) + by, max(min(xs) - by, 0) : max(xs) + by] = False
    if copy.cropped and by:
        outside[[0, -1]] = outside[:, [0, -1]] = False
    return "exact" if np.array_equal(before[outside], after[outside]) else "DIFFERS"


def table(megapixels: float, image: Image.Image) -> None:
    boxes = places(image.width, image.height)
    covers = [Cover(polygon=b.polygon, category="name", colour=(255, 255, 255)) for b in boxes]
    crop = Box(image.width // 10 + 3, image.height // 10 + 3, image.width * 9 // 10 - 3, image.height * 9 // 10 - 3)
    print(f"\n{megapixels:g} MP: {image.width} x {image.height}\n")
    print("| format | MB | write, covers | size | crop and covers | size | check | outside |")
    print("| --- " + "| ---: " * 6 + "| --- |")
    for name, (kind, options) in KINDS.items():
        data = made(image, kind, options)
        row = [name, f"{len(data) / 1e6:.1f}"]
        said = []
        check = 0.0
        for box in (None, crop):
            took = []
            for _ in range(2):
                start = time.process_time()
                original = formats.open_photo(data, Limits())
                copy = original.write(covers, crop=box)
                took.append(time.process_time() - start)
            row += [f"{min(took):.2f} s", f"{len(copy.data) / len(data):.2f}"]
            written = formats.open_photo(copy.data, Limits())
            said.append(exact(original, written, copy))
            start = time.process_time()
            state = judge.pixels(original, written, copy, box).state
            check = max(check, time.process_time() - start)
            said += [] if state == "passed" else [state]
        print("| " + " | ".join([*row, f"{check * 1000:.0f} ms", ", ".join(dict.fromkeys(said))]) + " |", flush=True)


def share(megapixels: float, count: int) -> None:
    from benchmarks import run, scenes

    tool = medimg.Scrubber()
    tool.load()
    compare, spent = judge.pixels, [0.0]

    def timed(original: Any, written: Any, *rest: Any) -> Any:
        original.samples(), written.samples()
        start = time.perf_counter()
        out = compare(original, written, *rest)
        spent[0] += time.perf_counter() - start
        return out

    judge.pixels = timed
    copies = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.jpg"
        datas = []
        for seed in range(scenes.CHECK, scenes.CHECK + count):
            run.draw(seed, megapixels, path)
            datas.append(path.read_bytes())
    start = time.perf_counter()
    for data in datas:
        copies += not tool.scrub(data).held
    whole = time.perf_counter() - start
    judge.pixels = compare
    print(
        f"{megapixels:g} MP: {whole / count:.2f} s a photo, of which the comparison {spent[0] / count * 1000:.0f} ms"
        f" ({100 * spent[0] / whole:.1f} %); {copies} of {count} copies",
        flush=True,
    )


def heif_table(paths: list[Path]) -> None:
    print("| photo | megapixels | MB | as PNG | as JPEG | least PSNR of a band, dB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, path in enumerate(paths, 1):
        data = path.read_bytes()
        if path.suffix.lower() not in (".heic", ".heif", ".avif"):
            out = io.BytesIO()
            Image.open(path).convert("RGB").save(out, "AVIF", quality=85, speed=8)
            data = out.getvalue()
        original = formats.open_photo(data, Limits())
        covers = [Cover(polygon=b.polygon, category="name") for b in places(original.width, original.height)]
        exact_copy = original.write(covers)
        copy = heif.write_jpeg(original, covers, keep_profile=True, crop=None)
        if copy is None:
            print(f"| {number} | stays PNG |")
            continue
        before, after = original.samples(), formats.open_photo(copy.data, Limits()).samples()
        outside = judge._eroded(~mask(copy.covered, copy.width, copy.height), 1)
        square = np.square(judge._to_eight(before) - judge._to_eight(after)).reshape(*outside.shape, -1)
        error = np.where(outside, square.mean(axis=2), 0)
        bands = [slice(y, y + judge.BAND) for y in range(0, copy.height, judge.BAND)]
        worst = max(float(error[b].sum() / max(outside[b].sum(), 1)) for b in bands)
        sizes = [f"{len(d) / 1e6:.1f}" for d in (data, exact_copy.data, copy.data)]
        size = original.width * original.height / 1e6
        like = f"{10 * np.log10(255**2 / worst):.1f}" if worst else "equal"
        print(f"| {number} | {size:.1f} | {' | '.join(sizes)} | {like} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=int, nargs="*", default=[3, 12], choices=sorted(SIZES))
    parser.add_argument("--heif", type=Path, nargs="+")
    parser.add_argument("--share", action="store_true")
    parser.add_argument("--scenes", type=int, default=2)
    given = parser.parse_args()
    if given.heif:
        heif_table(given.heif)
        return
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, load {load:.1f}")
    for megapixels in given.megapixels:
        if given.share:
            share(megapixels, given.scenes)
        else:
            table(megapixels, photo(*SIZES[megapixels]))


if __name__ == "__main__":
    main()
