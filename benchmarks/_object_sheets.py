"""A flat thing with a map of what lies where on it: what ``benchmarks._object_things`` draws on and bends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from fixtures import _cards as cards
from fixtures import _draw as d
from medimg.native.opencv import cv2

Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

GROUNDS = (
    "background", "wristband", "label", "badge", "paper", "whiteboard", "screen", "packet", "ruler", "colour card",
    "skin", "wound", "dressing", "picture",
)  # fmt: skip
"""What a place lies on; one of these everywhere."""
MARKS = ("bar code", "2-D code", "print", "handwriting", "ticks")
"""What is marked there; any number of these."""
OPEN, NO_MEASURE, UNKNOWN, SHOP = 255, 253, 254, 252
"""Ground of a place in a photograph: no carrier; neither ruler nor colour card; anything; as in a shop, where packets,
labels and signs are."""
NO_CODES, NO_WORDS = 6, 7
"""Bits of places where it is not known whether a code, or print or handwriting, is there."""

HANDS = (
    "breip", "dkg", "dkgbd", "comicneue", "femke", "rufscript", "dancing", "stevehand", "delphine", "because",
    "kaushan", "humor", "ecolier", "klee", "havana",
)  # fmt: skip
SKIPPED = ("emoji", "symbol", "math", "dseg", "cjk", "icon", "braille", "typoscript", "joscelyn", "lignes", "gothic")


@dataclass(frozen=True)
class Fonts:
    """Font files by use.

    Attributes:
        printed: Of printers, screens and signs.
        hand: That look written by hand.
    """

    printed: tuple[str, ...]
    hand: tuple[str, ...]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Fonts:
        """Every Latin font in some folders; Pillow's own where there is none."""
        printed, hand = [], []
        for folder in folders:
            for path in sorted((*folder.rglob("*.ttf"), *folder.rglob("*.otf"))):
                name = path.stem.lower()
                if any(word in name for word in SKIPPED) or not _latin(path):
                    continue
                (hand if any(name.startswith(word) for word in HANDS) else printed).append(str(path))
        return cls(tuple(printed) or ("",), tuple(hand) or d.font_files()["hand"])


def _latin(path: Path) -> bool:
    try:
        face = ImageFont.truetype(str(path), 20)
        return face.getmask("Ag7").getbbox() is not None and bytes(face.getmask("A")) != bytes(face.getmask("g"))
    except (OSError, ValueError):
        return False


class Sheet:
    """A flat thing while it is being drawn.

    Attributes:
        kind: Its place in :data:`GROUNDS`.
        image: Its pixels, RGBA.
        marks: A set of bits of :data:`MARKS` for every pixel.
        grounds: What every pixel lies on; pixels that are see-through belong to nothing.
    """

    def __init__(self, kind: str, size: tuple[int, int], colour: Colour, radius: int = 0) -> None:
        self.kind = GROUNDS.index(kind)
        self.image, self.draw = d.blank(*size, colour, radius)
        self.marks = np.zeros((size[1], size[0]), np.uint8)
        self.grounds = np.full((size[1], size[0]), self.kind, np.uint8)
        self.glossy = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size

    def mark(self, bit: int, box: tuple[float, float, float, float]) -> None:
        """Say that something lies in a box (left, top, right, bottom)."""
        x0, y0, x1, y1 = (max(0, round(v)) for v in box)
        self.marks[y0:y1, x0:x1] |= np.uint8(1 << bit)

    def print(self, at: tuple[float, float], text: str, face: ImageFont.FreeTypeFont, ink: Colour) -> float:
        """Print a line with its left top at ``at``; how far down it goes."""
        self.draw.text(at, text, font=face, fill=ink)
        box = self.draw.textbbox(at, text, font=face)
        self.mark(MARKS.index("print"), box)
        return float(box[3])

    def write(self, rng: d.RNG, at: tuple[float, float], text: str, size: int, ink: Colour, path: str) -> float:
        """Write a line by hand; how far down it goes."""
        made = cards.hand_line(rng, self.image, at, text, size, ink, "hand", face_path=path)
        xs, ys = [p[0] for p in made.polygon], [p[1] for p in made.polygon]
        self.mark(MARKS.index("handwriting"), (min(xs), min(ys), max(xs), max(ys)))
        return float(max(ys))

    def code(
        self, rng: d.RNG, at: tuple[int, int], text: str, symbology: str, room: tuple[int, int], ink: Colour
    ) -> tuple[int, int]:
        """Print a code into a room; its size."""
        linear = symbology in LINEAR
        tight, wide = cards.code_image(text, symbology, 1, 8 if linear else 0)
        module = max(1, room[0] // wide if linear else min(room[0] // tight.width, room[1] // tight.height))
        code, _ = cards.code_image(text, symbology, module, max(12, room[1]) if linear else 0)
        paper = (255, 255, 255) if rng.random() < 0.5 else None
        if paper:
            self.image.paste((*paper, 255), (*at, at[0] + code.width, at[1] + code.height))
        self.image.paste((*ink, 255), at, code.point(lambda v: 255 - v))
        quiet = min(code.width // 8, 10 * module) if linear else module
        x0, y0 = at[0] + quiet, at[1] + (0 if linear else quiet)
        x1, y1 = at[0] + code.width - quiet, at[1] + code.height - (0 if linear else quiet)
        self.mark(MARKS.index("bar code" if linear else "2-D code"), (x0, y0, x1, y1))
        return code.size

    def picture(self, face: Bytes, box: tuple[int, int, int, int]) -> None:
        """Set in the picture of a person."""
        x0, y0, x1, y1 = box
        shown = cv2.resize(face, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        self.image.paste(Image.fromarray(shown), (x0, y0))
        self.grounds[y0:y1, x0:x1] = GROUNDS.index("picture")
        self.marks[y0:y1, x0:x1] = 0


LINEAR = ("Code128", "Code39", "ITF", "Codabar", "EAN13", "EAN8")


@dataclass
class Flat:
    """A finished thing: RGBA, marks and grounds, all of one size."""

    rgba: Bytes
    marks: Bytes
    grounds: Bytes
    kind: int
    glossy: bool


def finished(sheet: Sheet) -> Flat:
    """The thing, ready to be bent and laid."""
    return Flat(
        np.asarray(sheet.image.convert("RGBA")).copy(), sheet.marks, sheet.grounds, sheet.kind, sheet.glossy
    )  # fmt: skip


def bent(rng: d.RNG, flat: Flat, degrees: float, sag: float, wrinkle: float) -> Flat:
    """Round a cylinder whose axis is upright, sagging, and wrinkled.

    Args:
        rng: Where the wrinkles come from.
        flat: The thing.
        degrees: Of arc from its left end to its right; 0 is flat.
        sag: How far its middle hangs down, in shares of its width.
        wrinkle: Height of the wrinkles, in pixels.
    """
    high, wide = flat.rgba.shape[:2]
    half = np.radians(max(degrees, 0.1)) / 2
    across = max(8, round(wide * np.sin(half) / half))
    pad = round(abs(sag) * across + 2 * wrinkle) + 2
    u = (np.arange(across, dtype=np.float32) + 0.5) / across * 2 - 1
    phi = np.arcsin(u * np.sin(half))
    y, x = np.mgrid[0 : high + 2 * pad, 0 : across + 2 * pad].astype(np.float32)
    column = np.interp(x[0] - pad, np.arange(across), (phi / half + 1) / 2 * wide - 0.5, left=-9, right=wide + 9)
    map_x = np.repeat(column[None].astype(np.float32), len(y), 0)
    middle = np.clip((x - pad) / across * 2 - 1, -1, 1)
    map_y = y - pad - np.float32(sag * across) * (1 - middle**2) * 0.9 + np.float32(max(0, -0.0))
    shade = np.ones_like(map_x)
    if degrees > 1:
        shade *= (0.5 + 0.5 * np.cos(np.interp(x[0] - pad, np.arange(across), phi)))[None].astype(np.float32)
    if wrinkle > 0.3:
        lumps = d.noise(rng, *map_x.shape, max(high, 40) * float(rng.uniform(0.4, 1.5)), 2)
        map_x += wrinkle * lumps
        map_y += wrinkle * np.roll(lumps, 7, 1)
        shade *= np.clip(1 + 1.5 * np.gradient(cv2.GaussianBlur(lumps, (0, 0), 3), axis=1) * wrinkle, 0.6, 1.3)
    rgba = cv2.remap(flat.rgba, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    rgba = np.asarray(rgba, np.float32)
    rgba[..., :3] *= shade[..., None]
    marks, grounds = (
        cv2.remap(a, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        for a in (flat.marks, flat.grounds)
    )
    return Flat(
        np.clip(rgba, 0, 255).astype(np.uint8), np.asarray(marks, np.uint8), np.asarray(grounds, np.uint8), flat.kind,
        flat.glossy,
    )  # fmt: skip


def creased(rng: d.RNG, flat: Flat) -> None:
    """Fold lines and dirt, in place."""
    high, wide = flat.rgba.shape[:2]
    shade = np.ones((high, wide), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        a, b = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        nx, ny = float(b[1] - a[1]) + 1e-3, float(a[0] - b[0])
        far = ((x / wide - a[0]) * nx + (y / high - a[1]) * ny) / np.hypot(nx, ny) * max(high, wide)
        shade *= 1 - float(rng.uniform(0.03, 0.25)) * np.exp(-((far / float(rng.uniform(1, 5))) ** 2))
        shade *= np.where(far > 0, float(rng.uniform(0.88, 1.0)), 1.0)
    flat.rgba[..., :3] = np.clip(flat.rgba[..., :3] * shade[..., None], 0, 255).astype(np.uint8)
