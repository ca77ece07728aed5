"""Time and size of covered PNG and WebP copies at each setting: ``python benchmarks/lossless_levels.py [PHOTO...]``.

Without photos it draws three: a smooth one, one with the noise of a sensor, a screenshot. One thread.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from medimg.formats import png
from medimg.formats.png import _pixels as _png_pixels
from medimg.formats.webp import _pixels as _webp_pixels
from medimg.formats.webp import photo as webp
from medimg.native.opencv import cv2

RUNS = 3


def drawn(noise: float, size: tuple[int, int] = (1500, 2000)) -> np.ndarray:
    rng = np.random.default_rng(7)
    base = cv2.GaussianBlur(rng.integers(0, 256, (*size, 3)).astype(np.float32), (0, 0), 25)
    base = (base - base.min()) / (base.max() - base.min()) * 255
    return np.clip(base + rng.normal(0, noise, base.shape), 0, 255).astype(np.uint8)


def best(make: Callable[[], bytes]) -> tuple[float, float]:
    times, size = [], 0
    for _ in range(RUNS):
        start = time.perf_counter()
        size = len(make())
        times.append(time.perf_counter() - start)
    return min(times), size / 1e6


def by_pillow(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, **options)
    return out.getvalue()


def by_cv2(pixels: np.ndarray, level: int, *more: int) -> bytes:
    settings = [cv2.IMWRITE_PNG_COMPRESSION, level, *more]
    return bytes(cv2.imencode(".png", pixels, settings)[1])


def settings(pixels: np.ndarray) -> dict[str, Callable[[], bytes]]:
    rows: dict[str, Callable[[], bytes]] = {
        "medimg PNG copy": lambda: png.encode(pixels),
        "medimg WebP copy": lambda: webp.encode(pixels),
    }
    for level in (1, 3, 6):
        rows[f"Pillow PNG level {level}"] = lambda n=level: by_pillow(pixels, format="PNG", compress_level=n)
        for label, way in (("default", _png_pixels.DRAWING), ("run-length, mean", _png_pixels.PHOTO),
                           ("run-length, all filters", _png_pixels.PHOTO[2:])):  # fmt: skip
            rows[f"cv2 PNG level {level} {label}"] = lambda n=level, w=way: by_cv2(pixels, n, *w)
    for method in (0, 2, 4):
        options = {"format": "WEBP", "lossless": True, "exact": True, "method": method, "quality": 20}
        rows[f"WebP method {method} quality 20"] = lambda o=options: by_pillow(pixels, **o)
    return rows


def screenshot() -> np.ndarray:
    page = np.full((1920, 1080, 3), 245, np.uint8)
    rng = np.random.default_rng(1)
    for line in range(60):
        text = "".join(chr(97 + int(x)) for x in rng.integers(0, 26, 40))
        cv2.putText(page, text, (30, 40 + line * 31), 0, 0.8, (20, 20, 20), 1, cv2.LINE_AA)
    return page


def main(paths: list[str]) -> None:
    cv2.setNumThreads(1)
    photos = {p: np.asarray(Image.open(p).convert("RGB")) for p in paths} or {
        "smooth": drawn(0.6),
        "sensor noise": drawn(5),
        "screenshot": screenshot(),
    }
    print(f"PNG: level {_png_pixels.LEVEL}, the better of two strategies; WebP: method {_webp_pixels.METHOD} are used.")
    for number, (name, pixels) in enumerate(photos.items(), 1):
        print(f"\n{name if not paths else f'photo {number}'}, {pixels.shape[1]} x {pixels.shape[0]}")
        for label, make in settings(pixels).items():
            seconds, size = best(make)
            print(f"  {label:28s} {seconds:6.2f} s {size:7.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
