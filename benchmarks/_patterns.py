"""Drawn things that are no codes and look like some: wheels, flags, checks, fences, meshes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medimg.native.opencv import cv2

Canvas = NDArray[np.float32]
HEIGHT, WIDTH = 600, 800


def pattern(seed: int) -> NDArray[np.uint8]:
    """A photograph-like picture of one of them, (600, 800, 3); nothing in it is a code."""
    rng = np.random.default_rng((seed, 17))
    canvas = np.full((HEIGHT, WIDTH, 3), rng.uniform(60, 220, 3), np.float32)
    dark, light = rng.uniform(10, 90, 3), rng.uniform(170, 255, 3)
    if rng.random() < 0.5:
        dark[:], light[:] = dark.mean(), light.mean()
    DRAWN[seed % len(DRAWN)](rng, canvas, dark, light)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(rng.uniform(-30, 30)), float(rng.uniform(0.7, 1.2)))
    turned = cv2.warpAffine(canvas, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    shaded = turned * np.linspace(rng.uniform(0.6, 1), 1, WIDTH, dtype=np.float32)[None, :, None]
    blurred = np.asarray(cv2.GaussianBlur(shaded, (0, 0), float(rng.uniform(0.5, 1.5))))
    return np.asarray(np.clip(blurred + rng.normal(0, rng.uniform(1, 6), blurred.shape), 0, 255), np.uint8)


def _wheel(rng: np.random.Generator, canvas: Canvas, dark: Canvas, light: Canvas) -> None:
    middle, radius, spokes = (WIDTH // 2, HEIGHT // 2), int(rng.integers(40, 220)), int(rng.integers(5, 16))
    cv2.circle(canvas, middle, radius, dark.tolist(), -1)
    cv2.circle(canvas, middle, int(radius * 0.7), light.tolist(), -1)
    for turn in np.linspace(0, 2 * np.pi, spokes, endpoint=False):
        end = (int(middle[0] + radius * 0.7 * np.cos(turn)), int(middle[1] + radius * 0.7 * np.sin(turn)))
        cv2.line(canvas, middle, end, dark.tolist(), max(radius // 12, 2))


def _flag(rng: np.random.Generator, canvas: Canvas, dark: Canvas, light: Canvas) -> None:
    high = int(rng.integers(6, 20))
    for k in range(13):
        canvas[150 + k * high : 150 + (k + 1) * high, 200 : 200 + 24 * high] = (
            light if k % 2 else rng.uniform(60, 230, 3)
        )
    canvas[150 : 150 + 7 * high, 200 : 200 + 10 * high] = dark
    for n in range(30):
        at = (200 + int((n % 6 + 0.7) * 1.6 * high), 150 + int((n // 6 + 0.7) * 1.4 * high))
        cv2.circle(canvas, at, max(high // 4, 1), light.tolist(), -1)


def _check(rng: np.random.Generator, canvas: Canvas, dark: Canvas, light: Canvas) -> None:
    side = int(rng.integers(5, 26))
    y, x = np.mgrid[0 : min(24 * side, 480), 0 : min(30 * side, 640)]
    share = ((x // side) % 2 + (y // side) % 2) / 2
    canvas[60 : 60 + len(y), 80 : 80 + y.shape[1]] = light + (dark - light) * share[..., None]


def _fence(rng: np.random.Generator, canvas: Canvas, dark: Canvas, light: Canvas) -> None:
    pitch, high = int(rng.integers(6, 34)), int(rng.integers(60, 260))
    canvas[150 : 150 + high, 90 : 90 + 18 * pitch] = dark
    for k in range(18):
        canvas[150 : 150 + high, 90 + k * pitch : 90 + k * pitch + max(pitch * 6 // 10, 2)] = light


def _mesh(rng: np.random.Generator, canvas: Canvas, dark: Canvas, light: Canvas) -> None:
    pitch = int(rng.integers(8, 32))
    for n in range(16 * 20):
        row, column = divmod(n, 20)
        at = (120 + column * pitch + row % 2 * pitch // 2, 90 + int(row * pitch * 0.87))
        cv2.circle(canvas, at, max(int(pitch * 0.38), 1), (dark if n % 20 else light).tolist(), -1)


DRAWN: tuple[Callable[[np.random.Generator, Canvas, Canvas, Canvas], None], ...] = (
    _wheel,
    _flag,
    _check,
    _fence,
    _mesh,
)
