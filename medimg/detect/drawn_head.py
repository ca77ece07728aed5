"""A drawn head: no photograph of anybody, and yet a face to the detectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TONES: dict[str, tuple[int, int, int]] = {
    "I": (236, 205, 185),
    "III": (205, 160, 130),
    "V": (140, 96, 70),
    "VI": (84, 58, 46),
}
"""Fitzpatrick type -> a colour near the middle of photographs that were given it; drawn skin is a rough stand-in."""

WIDTH, HEIGHT = 320, 400
HEAD = (48, 30, 272, 340)
"""Hair to chin in a drawing of that size: x0, y0, x1, y1."""
_CENTRE = (160.0, 205.0)


class _Sheet:
    """A picture that soft ellipses are put on; 0 to 255, (HEIGHT, WIDTH, 3)."""

    def __init__(self, background: tuple[int, int, int], step: int) -> None:
        self.y, self.x = np.mgrid[0:HEIGHT:step, 0:WIDTH:step].astype(np.float32)
        self.pixels: NDArray[np.float32] = np.zeros((*self.x.shape, 3), np.float32) + np.array(background, np.float32)

    def ellipse(self, x: float, y: float, across: float, down: float, soft: float = 2.0) -> NDArray[np.float32]:
        """How much of each pixel lies inside, 0 to 1; ``soft`` pixels of edge."""
        distance = np.sqrt(((self.x - x) / across) ** 2 + ((self.y - y) / down) ** 2)
        return np.asarray(np.clip((1 - distance) * min(across, down) / soft + 0.5, 0, 1), np.float32)

    def put(self, where: NDArray[np.float32], colour: NDArray[np.float32] | tuple[float, ...]) -> None:
        """Colour where it is."""
        share = where[..., None]
        self.pixels = np.asarray(self.pixels * (1 - share) + np.asarray(colour, np.float32) * share, np.float32)

    def shade(self, where: NDArray[np.float32], much: float) -> None:
        """Darker by a share of what is there."""
        self.pixels *= (1 - where * much)[..., None]


def draw(height: int, tone: str, *, masked: bool = False, seed: int = 0, step: int = 1) -> Image.Image:
    """Head and shoulders, ``height`` pixels high, looking ahead; with a surgical mask when ``masked``.

    Only every ``step``-th pixel of the drawing is made, for a small picture in less time.
    """
    skin = np.array(TONES[tone], np.float32)
    hair = np.array((40, 30, 25), np.float32) * (0.6 + float(skin.mean()) / 400)
    x, y = _CENTRE
    sheet = _Sheet((120, 150, 160), step)
    e, put, shade = sheet.ellipse, sheet.put, sheet.shade
    put(e(x, y - 25, 112, 150, 4), hair)
    put(e(x, 390, 150, 70, 4), (70, 110, 120))
    put(e(x, y + 130, 45, 70, 3), skin * 0.8)
    for side in (-1, 1):
        put(e(x + side * 98, y + 5, 14, 30), skin * 0.85)
    across, down = (sheet.x - x) / 100, (sheet.y - y) / 136
    towards = np.sqrt(np.clip(1 - across**2 - down**2, 0.02, 1))
    light = 0.55 + 0.5 * np.clip(-0.35 * across - 0.35 * down + 0.87 * towards, 0, 1)
    head = e(x, y, 96, 132, 3)
    put(head, np.asarray(light[..., None] * skin, np.float32))
    put(e(x, y - 120, 92, 45, 4), hair)
    for side in (-1, 1):
        _eye(sheet, x + side * 38, y - 18, side, hair)
    _nose(sheet, x, y, skin)
    lip = skin * np.array((0.8, 0.5, 0.5), np.float32)
    put(e(x, y + 78, 33, 8), lip)
    put(e(x, y + 86, 28, 9), lip * 1.1)
    put(e(x, y + 80, 32, 2, 1) * 0.9, lip * 0.35)
    shade(e(x, y + 102, 26, 6, 5), 0.2)
    shade(e(x, y + 150, 80, 22, 12) * head, 0.3)
    if masked:
        put(e(x, y + 75, 80, 58), (150, 190, 205))
    grain = np.random.default_rng(seed).normal(0, 4, sheet.pixels.shape)
    whole = Image.fromarray(np.clip(sheet.pixels + grain, 0, 255).astype(np.uint8))
    return whole.resize((height * WIDTH // HEIGHT, height), Image.Resampling.LANCZOS)


def _eye(sheet: _Sheet, x: float, y: float, side: int, hair: NDArray[np.float32]) -> None:
    ball = sheet.ellipse(x, y, 19, 8.5, 1.5)
    sheet.shade(sheet.ellipse(x, y - 2, 28, 17, 10), 0.35)
    sheet.put(ball, (235, 232, 228))
    sheet.put(sheet.ellipse(x, y, 8, 8.5, 1.2) * ball, (60, 42, 30))
    sheet.put(sheet.ellipse(x, y, 3.6, 3.8, 1) * ball, (8, 8, 8))
    sheet.put(sheet.ellipse(x + 2.5, y - 2.5, 1.6, 1.6, 1), (250, 250, 250))
    sheet.shade(sheet.ellipse(x, y - 6.5, 21, 4, 1.5), 0.75)
    sheet.put(sheet.ellipse(x + side * 2, y - 24, 26, 5) * 0.9, hair * 0.9)


def _nose(sheet: _Sheet, x: float, y: float, skin: NDArray[np.float32]) -> None:
    sheet.shade(sheet.ellipse(x + 9, y + 14, 7, 34, 6), 0.22)
    sheet.put(sheet.ellipse(x - 3, y + 12, 6, 34, 6) * 0.12, (255, 255, 255))
    sheet.shade(sheet.ellipse(x, y + 44, 24, 9, 6), 0.3)
    for side in (-1, 1):
        sheet.put(sheet.ellipse(x + side * 10, y + 46, 5, 3.2, 1.5) * 0.8, skin * 0.25)
