"""Detectors that find the same things in every photo, and photos to find them in. Importable by workers.

The first pixel of a photo says what happens besides: see :mod:`batch_fakes`; 20 makes the second look find one thing
more, as long as only what the detectors found is covered; 21 makes it find a name in a face that is shown; 22 lays the
record number on a label.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import batch_fakes
import msgspec
import numpy as np
from PIL import Image

from medimg.detect import Frame
from medimg.detect.objects import carriers
from medimg.types import Box, Finding

WIDTH, HEIGHT = 640, 480
MORE, NAME_IN_FACE, LABEL = 20, 21, 22
PLACES = {
    "record-number": Box(20, 20, 220, 60),
    "unread": Box(20, 100, 160, 130),
    "ruler": Box(20, 440, 620, 470),
    "face": Box(440, 60, 560, 240),
    "possible-face": Box(440, 300, 540, 420),
    "more": Box(260, 200, 330, 230),
    "name": Box(460, 100, 540, 130),
    "label": Box(10, 10, 320, 90),
}
INNER = Box(465, 110, 535, 210)
"""Of the face, what lies between brow and chin."""
KINDS = {
    "text": (("record-number", 0.97), ("unread", 0.41), ("ruler", 0.9)),
    "faces": (("face", 0.93), ("possible-face", 0.35)),
    "codes": (),
}
READ = "ZZREAD4711"


class Fake:
    version = "fake 1"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, frame: Frame, known: Any = None) -> list[Finding]:
        if self.name == "text":
            batch_fakes._behave(int(frame.rgb[0, 0, 0]))
        if frame.width != WIDTH:
            return []
        return [_found(self.name, frame, category, score) for category, score in KINDS[self.name]]

    def recheck(self, frame: Frame, covers: Sequence[Any], known: Any = None) -> tuple[list[Finding], str]:
        if self.name == "text" and frame.rgb[0, 0, 0] == MORE and len(covers) == 5:
            return [_found("text", frame, "more", 0.8)], "fake 1"
        if self.name == "text" and frame.rgb[0, 0, 0] == NAME_IN_FACE and (frame.rgb[115, 465:535] != 0).all():
            return [_found("text", frame, "name", 0.9)], "fake 1"
        return [], "fake 1"


def _found(detector: str, frame: Frame, category: str, score: float) -> Finding:
    place = PLACES[category].polygon
    name = "record-number" if category == "more" else category
    kind = "face" if detector == "faces" else "text"
    inner = frame.region(INNER.polygon).polygon if category == "face" else ()
    return Finding(kind=kind, category=name, detector=detector, score=score, region=frame.region(place), inner=inner)


def placed(frame: Frame, findings: Sequence[Finding]) -> list[Finding]:
    """What lies on what: nothing, but for the label of its photo."""
    if frame.width != WIDTH or frame.rgb[0, 0, 0] != LABEL:
        return list(findings)
    label = frame.region(PLACES["label"].polygon)
    on = [
        msgspec.structs.replace(f, on="slip 1") if f.kind == "text" and f.category == "record-number" else f
        for f in findings
    ]
    return [*on, Finding(kind="object", category="slip", detector="carriers", score=0.9, region=label, on="slip 1")]


def make(policy: Any) -> list[Fake]:
    carriers.placed = placed  # in the worker: noise is no ground that anything could lie on
    return [Fake("text"), Fake("codes"), Fake("faces")]


def dies(*_: object) -> None:
    """What takes its worker down with it."""
    os._exit(139)


def photo(
    path: Path, how: int = 0, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT), ground: int | None = None
) -> Path:
    """A picture in which the detectors find their things; on a plain ground, if one is given."""
    pixels = np.random.default_rng(seed).integers(100, 255, (size[1], size[0], 3), dtype=np.uint8)
    if ground is not None:
        pixels[:] = ground
    pixels[0, 0] = how
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def frames(path: Path, number: int) -> Path:
    """A file of several pages or frames, each a little different."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [Image.new("RGB", (WIDTH, HEIGHT), (150 + 20 * n, 160, 170)) for n in range(number)]
    made[0].save(path, save_all=True, append_images=made[1:])
    return path
