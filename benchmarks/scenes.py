"""Ward scenes drawn from a seed, with ground truth, for tuning and judging the text and code detectors.

``scene(seed)`` draws one. Seeds 0 to 9999 are for tuning; 10000 and up are the check seeds, never to be tuned on.
``textfree(seed)`` draws skin, wounds and cloth with nothing to read. To look at some::

    python -m benchmarks.scenes 0 12 sheet.jpg
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks._carriers import carrier as draw_carrier
from fixtures import _draw as d
from medimg.native.opencv import cv2

Pixels = NDArray[np.uint8]
CHECK = 10_000
HARMLESS = frozenset(("harmless", "harmless-role", "ruler", "unit"))


@dataclass(frozen=True)
class Item:
    """Something in the scene.

    Attributes:
        kind: ``text``, ``code``, ``ruler``, ``colour-card``, ``lesion``.
        cls: Class of the text (``name``, ``record-number``, ``date``, ``harmless`` ...) or the symbology.
        text: What is written.
        polygon: Corners, clockwise from its own top left.
        height: Height of a capital, or of a code's module, in pixels.
        tier: ``easy``, ``medium``, ``hard``, or ``lost`` (nobody could read it; not to be counted).
        culture: Of a name.
        angle: Direction of the writing in degrees, -180 to 180.
        carrier: What it stands on.
        blur: Standard deviation of the lens blur, in pixels.
    """

    kind: str
    cls: str
    text: str
    polygon: tuple[tuple[float, float], ...]
    height: float
    tier: str
    culture: str
    angle: float
    carrier: str
    blur: float

    @property
    def identifying(self) -> bool:
        """Whether it has to be covered."""
        return self.kind == "code" or (self.kind == "text" and self.cls not in HARMLESS)


@dataclass
class Scene:
    """A picture (upright, uint8 RGB) and everything in it."""

    seed: int
    rgb: Pixels
    items: list[Item] = field(default_factory=list)
    quality: int = 100
    over: list[tuple[int, tuple[tuple[float, float], ...]]] = field(default_factory=list)
    """What was laid on top later: it hides parts of the items before the index."""

    def on_top(self, index: int) -> list[tuple[tuple[float, float], ...]]:
        """The polygons that hide parts of an item."""
        return [polygon for before, polygon in self.over if index < before]


def scene(seed: int, megapixels: float = 3) -> Scene:
    """Draw the scene of a seed; the number of pixels is about ``megapixels`` million."""
    rng = np.random.default_rng((seed, 41))
    ratio = float(rng.choice((4 / 3, 3 / 2, 3 / 4, 16 / 9)))
    height = round((megapixels * 1e6 / ratio) ** 0.5)
    width = round(height * ratio)
    unit = max(width, height) / 2000  # everything is laid out for a long side of 2000
    picture = _ground(rng, width, height)
    marks: list[tuple[str, d.Mark]] = []
    if rng.random() < 0.75:
        marks += [("skin", m) for m in _body(rng, picture, unit)]
    cells = _cells(rng, width, height, int(rng.integers(2, 6)))
    over: list[tuple[int, tuple[tuple[float, float], ...]]] = []
    for centre, room in cells:
        carrier, card = draw_carrier(rng)
        laid, corners, finger = _lay(rng, picture, carrier, card, centre, room)
        if carrier != "pen on skin":
            over.append((len(marks), tuple(corners)))
        marks += [(carrier, m) for m in laid]
        over += [(len(marks), finger)] if finger else []
    d.light(rng, picture, float(rng.uniform(0.05, 0.45)))
    picture *= float(rng.uniform(0.7, 1.12))
    blur = float(rng.choice((0.5, 0.7, 1.0, 1.6, 2.4), p=(0.3, 0.3, 0.2, 0.13, 0.07))) * unit
    pixels = d.camera(rng, picture, blur, float(rng.uniform(1, 6)))
    if rng.random() < 0.1:
        pixels = _shaken(rng, pixels, unit)
    quality = int(rng.choice((95, 88, 75, 55), p=(0.35, 0.3, 0.25, 0.1)))
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=2)
    items = [item(m, c, blur, width, height) for c, m in marks]
    return Scene(seed, np.asarray(Image.open(out)).copy(), items, quality, over)


def textfree(seed: int, megapixels: float = 3) -> Scene:
    """Skin, wounds and cloth, with rulers and colour cards in none: whatever is found here is a false box."""
    rng = np.random.default_rng((seed, 43))
    ratio = float(rng.choice((4 / 3, 3 / 2, 3 / 4)))
    height = round((megapixels * 1e6 / ratio) ** 0.5)
    width = round(height * ratio)
    unit = max(width, height) / 2000
    picture = _ground(rng, width, height)
    for _ in range(int(rng.integers(1, 3))):
        _body(rng, picture, unit)
    if rng.random() < 0.4:
        _stitches(rng, picture, unit)
    if rng.random() < 0.3:
        _hairy(rng, picture)
    d.light(rng, picture, float(rng.uniform(0.05, 0.45)))
    return Scene(seed, d.camera(rng, picture, float(rng.uniform(0.5, 1.5)) * unit, float(rng.uniform(1, 6))))


def tier(mark: d.Mark, blur: float) -> str:
    """How legible: by the height of a capital (or a module), the contrast and the blur in pixels."""
    h = mark.height
    if mark.kind == "code":
        if h < 0.7 or blur > 1.3 * h:
            return "lost"
        return "hard" if h < 1.6 or blur > 0.6 * h else "medium" if h < 2.6 else "easy"
    if h < 8 or blur > 0.3 * h:
        return "lost"
    if h < 13 or mark.ink < 0.2 or blur > 0.14 * h:
        return "hard"
    return "medium" if h < 20 or mark.ink < 0.4 or blur > 0.08 * h or mark.extra.get("script") == "hand" else "easy"


def item(mark: d.Mark, carrier: str, blur: float, width: int, height: int) -> Item:
    (x0, y0), (x1, y1) = mark.polygon[0], mark.polygon[1]
    xs, ys = [p[0] for p in mark.polygon], [p[1] for p in mark.polygon]
    out = min(xs) < 0 or min(ys) < 0 or max(xs) > width or max(ys) > height
    grade = mark.extra.get("tier") or tier(mark, blur)
    grade = "hard" if out and grade in ("easy", "medium") else grade
    if max(xs) < 4 or max(ys) < 4 or min(xs) > width - 4 or min(ys) > height - 4:
        grade = "lost"
    angle = float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))
    culture = str(mark.extra.get("culture") or "")
    return Item(mark.kind, mark.cls, mark.text, mark.polygon, mark.height, grade, culture, angle, carrier, blur)


def _ground(rng: d.RNG, width: int, height: int) -> d.Array:
    pick = rng.random()
    if pick < 0.7:
        colour = d.DRAPES[int(rng.integers(len(d.DRAPES)))]
        return d.cloth(rng, height, width, colour, float(rng.uniform(2.5, 14)))
    if pick < 0.85:  # a wall and a bed
        out = d.cloth(rng, height, width, rng.uniform(140, 225, 3), 60)
        edge = int(height * rng.uniform(0.5, 0.8))
        out[edge:] = d.cloth(rng, height - edge, width, d.DRAPES[int(rng.integers(len(d.DRAPES)))])
        return out
    grain = d.noise(rng, height, width // 14 + 2, 30, 4)  # a wooden table
    stretched = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(
        np.clip(np.asarray((150, 112, 76), np.float32) * (1 + 0.22 * stretched[..., None]), 0, 255), np.float32
    )


def _body(rng: d.RNG, picture: d.Array, unit: float) -> list[d.Mark]:
    height, width = picture.shape[:2]
    tone = int(rng.integers(1, 11))
    side = rng.random() < 0.5
    start = (
        (-0.1 * width, rng.uniform(0.25, 0.75) * height) if side else (rng.uniform(0.25, 0.75) * width, -0.1 * height)
    )
    end = (rng.uniform(0.6, 1.2) * width, rng.uniform(0.2, 0.8) * height)
    r = rng.uniform(160, 420) * unit
    d.limb(rng, picture, tone, start, end, float(r), float(r * rng.uniform(0.6, 1)))
    marks = []
    if rng.random() < 0.7:
        t = rng.uniform(0.3, 0.8)
        centre = (float(start[0] + (end[0] - start[0]) * t), float(start[1] + (end[1] - start[1]) * t))
        marks.append(d.wound(rng, picture, centre, float(rng.uniform(0.15, 0.5) * r)))
    return marks


def _cells(rng: d.RNG, width: int, height: int, n: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    across, down = (3, 2) if width >= height else (2, 3)
    chosen = rng.permutation(across * down)[:n]
    room = (width / across, height / down)
    return [
        (
            (
                float((c % across + 0.5 + rng.uniform(-0.06, 0.06)) * room[0]),
                float((c // across + 0.5 + rng.uniform(-0.06, 0.06)) * room[1]),
            ),
            room,
        )
        for c in chosen
    ]


def _lay(
    rng: d.RNG, picture: d.Array, carrier: str, card: d.Card, centre: tuple[float, float], room: tuple[float, float]
) -> tuple[list[d.Mark], list[tuple[float, float]], tuple[tuple[float, float], ...]]:
    """Lay a card into the scene; its marks, its corners, and the outline of a finger on it if there is one."""
    w, h = card.size
    if carrier == "wristband" and rng.random() < 0.7:
        card = d.curved(card, float(rng.uniform(40, 130)))
        w, h = card.size
    elif carrier in ("label", "packet") and rng.random() < 0.25:
        card = d.curved(card, float(rng.uniform(30, 80)), "x" if rng.random() < 0.5 else "y")
        w, h = card.size
    pick = rng.random()
    angle = float(
        rng.uniform(-12, 12)
        if pick < 0.55
        else rng.uniform(-45, 45)
        if pick < 0.75
        else rng.choice((90, -90, 180)) + rng.uniform(-8, 8)
        if pick < 0.9
        else rng.uniform(-180, 180)
    )
    if carrier in ("whiteboard", "monitor", "door sign"):
        angle = float(rng.uniform(-6, 6))
    c, s = abs(np.cos(np.radians(angle))), abs(np.sin(np.radians(angle)))
    grow = 1.35 if carrier == "wristband" else 1.0
    fit = min(room[0] * 0.95 / (w * c + h * s), room[1] * 0.95 / (w * s + h * c)) * grow
    scale = fit * float(rng.uniform(0.45, 1.0))
    tilt = (float(rng.uniform(0, 0.25)), float(rng.uniform(0, 0.18))) if rng.random() < 0.6 else (0.0, 0.0)
    corners = d.quad(centre, w * scale, h * scale, angle, tilt)
    written = carrier == "pen on skin"
    gloss = float(rng.uniform(0.15, 0.5)) if rng.random() < 0.12 and not written else 0.0
    marks = d.place(picture, card, corners, shadow=0 if written else 0.35, gloss=gloss, lift=8 * max(scale, 0.3))
    finger = _finger(rng, picture, corners, marks) if rng.random() < 0.1 and not written else ()
    return marks, corners, finger


def _finger(
    rng: d.RNG, picture: d.Array, corners: list[tuple[float, float]], marks: list[d.Mark]
) -> tuple[tuple[float, float], ...]:
    """A gloved finger over one corner, and its outline; what it hides more than a third of is not counted."""
    k = int(rng.integers(4))
    x, y = corners[k]
    cx, cy = sum(p[0] for p in corners) / 4, sum(p[1] for p in corners) / 4
    r = 0.12 * float(np.hypot(cx - x, cy - y)) + 12
    inner = (x + (cx - x) * 0.25, y + (cy - y) * 0.25)
    outer = (x - (cx - x) * 0.8, y - (cy - y) * 0.8)
    axis = np.asarray(((inner[0], inner[1]), (outer[0], outer[1])), np.float32)
    mask = np.zeros(picture.shape[:2], np.float32)
    cv2.line(mask, tuple(int(v) for v in axis[0]), tuple(int(v) for v in axis[1]), 1.0, max(2, int(2 * r)), cv2.LINE_AA)
    soft = cv2.GaussianBlur(mask, (0, 0), 2)
    glove = np.asarray((92, 140, 190), np.float32) * (0.7 + 0.4 * cv2.GaussianBlur(mask, (0, 0), r / 2))[..., None]
    picture[:] = picture * (1 - soft[..., None]) + glove * soft[..., None]
    for j, mark in enumerate(marks):
        area = d.mask_of(mask.shape, mark.polygon)
        hidden = float((area * mask).sum() / max(area.sum(), 1))
        if hidden > 0.05:
            extra = dict(mark.extra) | {"tier": "lost" if hidden > 0.33 else "hard"}
            marks[j] = d.replace(mark, extra=extra)
    outline, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return tuple((float(px), float(py)) for px, py in outline[0][:, 0]) if outline else ()


def _shaken(rng: d.RNG, pixels: Pixels, unit: float) -> Pixels:
    """Motion blur of a few pixels."""
    n = max(3, round(rng.uniform(2, 6) * unit)) | 1
    kernel = np.zeros((n, n), np.float32)
    turn = rng.uniform(0, np.pi)
    half = n // 2
    dx, dy = half * np.cos(turn), half * np.sin(turn)
    cv2.line(kernel, (round(half - dx), round(half - dy)), (round(half + dx), round(half + dy)), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def _stitches(rng: d.RNG, picture: d.Array, unit: float) -> None:
    """A sutured or stapled line: regular short dark bars, which look a little like a code or a ruler."""
    height, width = picture.shape[:2]
    x, y, turn = rng.uniform(0.3, 0.6) * width, rng.uniform(0.3, 0.6) * height, rng.uniform(0, np.pi)
    step, long = rng.uniform(14, 40) * unit, rng.uniform(20, 60) * unit
    colour = (30.0, 28.0, 40.0) if rng.random() < 0.6 else (190.0, 192.0, 196.0)
    for _ in range(int(rng.integers(6, 22))):
        tilt = turn + np.pi / 2 + rng.normal(0, 0.12)
        a = (round(x - long / 2 * np.cos(tilt)), round(y - long / 2 * np.sin(tilt)))
        b = (round(x + long / 2 * np.cos(tilt)), round(y + long / 2 * np.sin(tilt)))
        cv2.line(picture, a, b, colour, max(1, round(3 * unit)), cv2.LINE_AA)
        x, y = x + step * np.cos(turn), y + step * np.sin(turn)
        turn += rng.normal(0, 0.06)


def _hairy(rng: d.RNG, picture: d.Array) -> None:
    """Dense body hair, much of it one way."""
    for _ in range(int(rng.integers(300, 1500))):
        d.hair(rng, picture, float(rng.uniform(20, 90)), (38, 28, 22))


def main() -> None:
    """Draw a contact sheet with the ground truth on it."""
    first, count, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    sheet = Image.new("RGB", (4 * 500, -(-count // 4) * 500), (40, 40, 40))
    colours = {"easy": "lime", "medium": "yellow", "hard": "red", "lost": "gray"}
    for k in range(count):
        made = scene(first + k) if "free" not in sys.argv else textfree(first + k)
        image = Image.fromarray(made.rgb)
        draw = ImageDraw.Draw(image)
        for item in made.items:
            if item.kind in ("text", "code"):
                draw.polygon(item.polygon, outline=colours[item.tier] if item.kind == "text" else "cyan", width=3)
        image.thumbnail((496, 496))
        sheet.paste(image, ((k % 4) * 500, (k // 4) * 500))
    sheet.save(out)


if __name__ == "__main__":
    main()
