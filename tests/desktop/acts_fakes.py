"""Detectors that find a dozen things in every photo, and photos for them. Importable by workers.

The first pixel of a photo says what is found besides the lines of writing: see :data:`HELD` and :data:`SCREENSHOT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medimg.detect import Frame
from medimg.types import Box, Finding

WOUND, SCREENSHOT, HELD = 30, 60, 90
"""First pixel: a photo with faces, a screenshot of a chat, a document (which the policy holds)."""
SIZES = {WOUND: (1600, 1200), SCREENSHOT: (1170, 2532), HELD: (1500, 1100)}
LINES = 10
_CATEGORIES = ("name", "record-number", "unread", "date", "ruler")


class Fake:
    version = "fake 1"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, frame: Frame, known: Any = None) -> list[Finding]:
        how = int(frame.rgb[0, 0, 0])
        if SIZES.get(how) != (frame.width, frame.height):
            return []
        return [self._found(frame, *thing) for thing in _things(how) if thing[0] == self.name]

    def recheck(self, frame: Frame, covers: Sequence[Any], known: Any = None) -> tuple[list[Finding], str]:
        return [], self.version

    def _found(self, frame: Frame, detector: str, kind: Any, category: str, score: float, place: Box) -> Finding:
        return Finding(kind=kind, category=category, detector=detector, score=score, region=frame.region(place.polygon))


def _things(how: int) -> list[tuple[str, str, str, float, Box]]:
    """Detector, kind, category, score and place of everything in a photo: lines of all lengths, as in a chat."""
    width, height = SIZES[how]
    draw = np.random.default_rng(how)
    step = height // (LINES + 2)
    out: list[tuple[str, str, str, float, Box]] = []
    for n in range(LINES):
        x = int(draw.integers(10, width // 2))
        long = int(draw.integers(40, width // 2 - 20))
        y = (n + 1) * step
        place = Box(x, y, x + long, y + int(draw.integers(20, 70)))
        out.append(("text", "text", _CATEGORIES[n % len(_CATEGORIES)], 0.4 + 0.05 * n, place))
    side = width // 6
    faces = [("face", 0.93), ("possible-face", 0.35), ("possible-face", 0.31)]
    for n, (category, score) in enumerate(faces):
        x, y = width - (n + 1) * (side + 20), height - side - 40
        out.append(("faces", "face", category, score, Box(x, y, x + side, y + side)))
    out.append(("codes", "code", "2d-code", 0.99, Box(30, height - 200, 170, height - 60)))
    if how == HELD:
        out.append(("text", "document", "identity-document", 0.8, Box(200, 150, width - 300, height - 200)))
    return out


def make(policy: Any) -> list[Fake]:
    return [Fake("text"), Fake("codes"), Fake("faces")]


def photo(path: Path, how: int, seed: int) -> Path:
    """A picture in which the detectors find their things."""
    width, height = SIZES[how]
    small = np.random.default_rng(seed).integers(90, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize((width, height))
    picture.putpixel((0, 0), (how, how, how))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, compress_level=1)
    return path
