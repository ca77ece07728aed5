"""Covering five places of a JPEG: time, memory, size and exactness beside other ways of doing it.

``python benchmarks/jpeg_cover.py [MEGAPIXELS ...]`` (3, 12 and 48 when none is given; 48 takes some minutes). Every
way runs in a process of its own, one thread, best of three; processor time, so that other work on the machine counts
little; peak resident memory of the whole process (0 where a program did it). ``jpegtran`` covers one box a run, in
grey, and is called five times. ``pyjpegio`` is shown where it is installed.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from medimg.formats import jpeg
from medimg.formats.jpeg.lossless import cover_jpeg
from medimg.types import Box, Cover, Limits

SIZES = {3: (2048, 1536), 12: (4032, 3024), 48: (8064, 6048)}
KINDS = {
    "4:2:0": {"quality": 90, "subsampling": 2},
    "4:4:4": {"quality": 95, "subsampling": 0},
    "progressive": {"quality": 90, "subsampling": 2, "progressive": True},
}


def photo(width: int, height: int) -> Image.Image:
    """Colour fields at four scales and grain, about as hard to compress as a phone's photo."""
    rng = np.random.default_rng(1)
    out = np.full((height, width, 3), (150, 115, 100), np.float32)
    for step, strength in ((256, 60), (64, 40), (16, 25), (4, 12)):
        field = rng.normal(0, 1, (height // step + 3, width // step + 3, 3)).astype(np.float32)
        for c in range(3):
            big = Image.fromarray(field[..., c]).resize((width, height), Image.Resampling.BICUBIC)
            out[..., c] += strength * np.asarray(big)
    out += rng.normal(0, 4, (height, width, 1)).astype(np.float32)
    return Image.fromarray(out.clip(0, 255).astype(np.uint8))


def places(width: int, height: int) -> list[Box]:
    """Five boxes of whole 16 x 16 MCUs, so that every way covers the same pixels."""
    xs = [width * (k + 1) // 8 // 16 * 16 for k in range(5)]
    ys = [height * (k + 1) // 7 // 16 * 16 for k in range(5)]
    return [Box(x, y, x + width // 8 // 16 * 16, y + height // 20 // 16 * 16) for x, y in zip(xs, ys, strict=True)]


def covered(data: bytes, boxes: list[Box]) -> bytes:
    whole = jpeg.open(data, Limits())
    covers = [Cover(polygon=b.polygon, category="name") for b in boxes]
    return cover_jpeg(whole.jpeg, whole.head(), covers).data


def decoded(data: bytes, _boxes: list[Box]) -> bytes:
    Image.open(io.BytesIO(data)).load()
    return data


def encoded_again(options: dict[str, object], data: bytes, boxes: list[Box]) -> bytes:
    image = Image.open(io.BytesIO(data))
    pen = ImageDraw.Draw(image)
    for b in boxes:
        pen.rectangle((b.x0, b.y0, b.x1 - 1, b.y1 - 1), fill=(0, 0, 0))
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def wiped(data: bytes, boxes: list[Box]) -> bytes:
    for b in boxes:
        where = f"{b.width}x{b.height}+{b.x0}+{b.y0}"
        data = subprocess.run(
            ["jpegtran", "-copy", "all", "-wipe", where], input=data, stdout=subprocess.PIPE, check=True
        ).stdout
    return data


def by_pyjpegio(data: bytes, boxes: list[Box]) -> bytes:
    import jpegio

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.jpg"), Path(folder, "b.jpg")
        source.write_bytes(data)
        read = jpegio.read(str(source))
        for n, grid in enumerate(read.coef_arrays):
            part = read.comp_info[n]
            sx, sy = 8 * read.max_h_samp_factor // part.h_samp_factor, 8 * read.max_v_samp_factor // part.v_samp_factor
            step = read.quant_tables[min(part.quant_tbl_no, len(read.quant_tables) - 1)][0, 0]
            for b in boxes:
                area = grid[b.y0 // sy * 8 : b.y1 // sy * 8, b.x0 // sx * 8 : b.x1 // sx * 8]
                area[...] = 0
                area[::8, ::8] = 0 if n else -(1024 // step)
        read.optimize_coding = 1
        jpegio.write(read, str(target))
        return target.read_bytes()


WAYS: dict[str, Callable[[bytes, list[Box]], bytes]] = {
    "decode only (Pillow)": decoded,
    "medimg": covered,
    "jpegtran -wipe, 5 runs": wiped,
    "pyjpegio": by_pyjpegio,
    "Pillow, quality 95": lambda d, b: encoded_again({"quality": 95}, d, b),
    "Pillow, same tables": lambda d, b: encoded_again({"quality": "keep"}, d, b),
}


def present(way: str) -> bool:
    if way == "pyjpegio":
        return importlib.util.find_spec("jpegio") is not None
    if way.startswith("jpegtran"):
        return shutil.which("jpegtran") is not None
    return True


def seconds() -> float:
    """Processor time of this process and its children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def one(way: str, source: Path, target: Path) -> None:
    """In the child: run one way three times and print what it took."""
    data = source.read_bytes()
    boxes = places(*Image.open(io.BytesIO(data)).size)
    took = []
    for _ in range(3):
        start = seconds()
        out = WAYS[way](data, boxes)
        took.append(seconds() - start)
    # Not ru_maxrss: that begins at what the parent had.
    status = Path("/proc/self/status").read_text("utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    target.write_bytes(out)
    print(json.dumps({"seconds": min(took), "rss": 0 if way.startswith("jpegtran") else peak / 1024}))


def exactness(before: bytes, after: bytes) -> str:
    a, b = (np.asarray(Image.open(io.BytesIO(d))) for d in (before, after))
    outside = np.ones(a.shape[:2], bool)
    for box in places(a.shape[1], a.shape[0]):
        outside[box.y0 - 1 : box.y1 + 1, box.x0 - 1 : box.x1 + 1] = False
    moved = float(((a != b).any(axis=2) & outside).sum() / outside.sum())
    return "exact" if not moved else f"{100 * moved:.1f} % of pixels differ"


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
        return
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for megapixels in map(int, sys.argv[1:] or ("3", "12", "48")):
        image = photo(*SIZES[megapixels])
        for kind, options in KINDS.items():
            with tempfile.TemporaryDirectory() as folder:
                source, target = Path(folder, "in.jpg"), Path(folder, "out.jpg")
                image.save(source, "JPEG", **options)
                data = source.read_bytes()
                print(f"\n{megapixels} MP, {kind}, {len(data) / 1e6:.1f} MB")
                print(f"{'way':26}{'s':>8}{'x decode':>10}{'peak MB':>9}{'size':>7}  outside the covers")
                decode = 0.0
                for way in WAYS:
                    if not present(way):
                        continue
                    command = [sys.executable, __file__, "--one", way, str(source), str(target)]
                    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                    took = json.loads(done.stdout)
                    decode = decode or took["seconds"]
                    out = target.read_bytes()
                    verdict = "" if way.startswith("decode") else exactness(data, out)
                    ratio, size = took["seconds"] / decode, len(out) / len(data)
                    print(f"{way:26}{took['seconds']:8.3f}{ratio:10.2f}{took['rss']:9.0f}{size:7.3f}  {verdict}")


if __name__ == "__main__":
    main()
