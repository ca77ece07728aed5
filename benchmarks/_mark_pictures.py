"""Pictures full of codes, rulers, colour cards and print, to train and judge the network of
``medimg.detect.objects.marks``.

Each is drawn from a seed, on drawn ground or on a photograph, with a map of what lies where. Seeds 0 to 9999 are for
training, 10000 and up are the check seeds. ``python -m benchmarks._mark_pictures OUT 0 200 [--photos FOLDER]`` writes
``OUT/<seed>.npz`` with ``rgb`` (H, W, 3), ``marks`` (H, W) and ``module`` (H, W), all uint8: a mark is a set of bits,
:data:`medimg.detect.objects.marks.CLASSES`; a module is the width of a code's narrowest bar in eighths of a pixel.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import _carriers, _code_tiles, _measures, _oddities, scenes
from benchmarks.codes import inner
from fixtures import _draw as d
from medimg.detect.objects.marks import BAR, CARD, MATRIX, RULER, TEXT
from medimg.native.opencv import cv2

IGNORED = 7
"""The bit of places that do not count: codes nobody can make out."""
LEAST_MODULE = 0.8
"""Width of the narrowest bar that counts, in pixels."""

Pixels = NDArray[np.uint8]


def picture(seed: int, photos: list[Path], size: tuple[int, int] = (1280, 960)) -> tuple[Pixels, Pixels, Pixels]:
    """Draw one: its pixels, its marks and the modules of its codes."""
    rng = np.random.default_rng((seed, 83))
    width, height = size if rng.random() < 0.7 else size[::-1]
    ground = _photo(rng, photos, width, height) if photos and rng.random() < 0.55 else None
    if ground is None:
        ground = scenes._ground(rng, width, height)
        if rng.random() < 0.6:
            scenes._body(rng, ground, width / 2000)
    blur = float(rng.choice((0.4, 0.7, 1.0, 1.5, 2.2), p=(0.3, 0.25, 0.2, 0.15, 0.1)))
    across, down = (4, 3) if rng.random() < 0.6 else (3, 2) if rng.random() < 0.7 else (5, 4)
    laid: list[d.Mark] = []
    for cell in range(across * down):
        if rng.random() < 0.12:
            continue
        centre = (
            (cell % across + 0.5 + float(rng.uniform(-0.15, 0.15))) * width / across,
            (cell // across + 0.5 + float(rng.uniform(-0.15, 0.15))) * height / down,
        )
        laid = _lay(rng, ground, centre, (width / across, height / down), laid)
    d.light(rng, ground, float(rng.uniform(0.05, 0.5)))
    ground *= float(rng.uniform(0.5, 1.15))
    pixels = d.camera(rng, ground, blur, float(rng.uniform(0.5, 7)))
    if rng.random() < 0.15:
        pixels = scenes._shaken(rng, pixels, 1.0)
    if rng.random() < 0.08:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(rng.choice((95, 85, 70, 50, 35))), subsampling=2)
    return np.asarray(Image.open(out)).copy(), *_map(laid, blur, (height, width))


def _photo(rng: d.RNG, photos: list[Path], width: int, height: int) -> d.Array:
    with Image.open(photos[int(rng.integers(len(photos)))]) as image:
        rgb = np.asarray(image.convert("RGB"))
    if rng.random() < 0.5:
        rgb = rgb[:, ::-1]
    factor = max(width / rgb.shape[1], height / rgb.shape[0]) * float(rng.uniform(1, 1.5))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    rgb = cv2.resize(np.ascontiguousarray(rgb), None, fx=factor, fy=factor, interpolation=way)
    y, x = int(rng.integers(rgb.shape[0] - height + 1)), int(rng.integers(rgb.shape[1] - width + 1))
    return np.asarray(rgb[y : y + height, x : x + width], np.float32)


def _card(rng: d.RNG) -> tuple[d.Card, float]:
    """A thing and how much it is made smaller by at most, in pixels of the picture a pixel of its own."""
    pick = rng.random()
    if pick < 0.42:
        q = rng.random()
        sorts = (
            _code_tiles.LINEAR
            if q < 0.42
            else _code_tiles.SQUARE
            if q < 0.78
            else _code_tiles.STACKS
            if q < 0.9
            else _code_tiles.OBLONG
        )
        card, own = _code_tiles.code(rng, str(rng.choice(sorts)))
        return card, float(np.exp(rng.uniform(np.log(0.9), np.log(6)))) / own
    if pick < 0.6:
        kind = str(rng.choice(_measures.RULERS))
        card = _measures.ruler(rng, kind) if rng.random() < 0.8 else _carriers._ruler(rng)
        return card, float(np.exp(rng.uniform(np.log(0.12), np.log(0.9))))
    if pick < 0.67:
        return _measures.colour_card(rng, str(rng.choice(_measures.CARDS))), float(rng.uniform(0.12, 0.6))
    if pick < 0.78:
        return _code_tiles.OTHERS[int(rng.integers(len(_code_tiles.OTHERS)))](rng), float(rng.uniform(0.15, 0.7))
    if pick < 0.83:
        odd = (_oddities.screen, _oddities.linen, _oddities.lanyard, _oddities.crumpled)[int(rng.integers(4))]
        return odd(rng), float(rng.uniform(0.15, 0.7))
    return _carriers.carrier(rng)[1], float(rng.uniform(0.2, 0.8))


def _lay(
    rng: d.RNG, ground: d.Array, centre: tuple[float, float], room: tuple[float, float], laid: list[d.Mark]
) -> list[d.Mark]:
    card, scale = _card(rng)
    if rng.random() < 0.3:
        card = d.curved(card, float(rng.uniform(20, 130)), "x" if rng.random() < 0.6 else "y")
    w, h = card.size
    angle = (
        float(rng.uniform(-180, 180)) if rng.random() < 0.55 else float(rng.choice((0, 90, 180, 270))) + rng.normal()
    )
    c, s = abs(np.cos(np.radians(angle))), abs(np.sin(np.radians(angle)))
    scale = min(scale, 1.25 * room[0] / (w * c + h * s), 1.25 * room[1] / (w * s + h * c))
    tilt = (float(rng.uniform(0, 0.35)), float(rng.uniform(0, 0.25))) if rng.random() < 0.5 else (0.0, 0.0)
    corners = d.quad(centre, w * scale, h * scale, angle, tilt)
    gloss = float(rng.uniform(0.15, 0.8)) if rng.random() < 0.15 else 0.0
    marks = d.place(ground, card, corners, shadow=float(rng.uniform(0, 0.5)), gloss=gloss, lift=5)
    covered = np.asarray(corners, np.float32)
    kept = []
    for mark in laid:
        area = np.asarray(mark.polygon, np.float32)
        if len(area) != 4 or cv2.contourArea(area) <= 0:
            continue
        hidden = float(cv2.intersectConvexConvex(cv2.convexHull(area), covered)[0]) / float(cv2.contourArea(area))
        # Hidden for the most part: what is left does not count either way.
        kept.append(mark if hidden < 0.35 else d.replace(mark, extra=dict(mark.extra) | {"tier": "lost"}))
    marks = [m for m in marks if len(m.polygon) == 4]
    if rng.random() < 0.08:
        scenes._finger(rng, ground, corners, marks)
    return kept + marks


def _map(laid: list[d.Mark], blur: float, shape: tuple[int, int]) -> tuple[Pixels, Pixels]:
    out, module = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for mark in laid:
        item = scenes.item(mark, "table", blur, shape[1], shape[0])
        if mark.kind not in ("code", "ruler", "colour-card", "text"):
            continue
        polygon = inner(item) if mark.kind == "code" and mark.text else item.polygon
        lost = mark.extra.get("tier") == "lost" or (
            mark.kind == "code" and (mark.height < LEAST_MODULE or blur > 1.3 * mark.height)
        )
        bit = {"ruler": RULER, "colour-card": CARD, "text": TEXT}.get(mark.kind)
        if bit is None:
            bit = BAR if mark.cls in (*_code_tiles.LINEAR, "Postal") else MATRIX
        if mark.kind == "text" and (lost or mark.height < 5):
            bit = IGNORED
        one = np.zeros(shape, np.uint8)
        cv2.fillPoly(one, [np.round(np.asarray(polygon) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        out |= (one << bit).astype(np.uint8)
        if lost:
            out |= (one << IGNORED).astype(np.uint8)
        if mark.kind == "code":
            module[one > 0] = min(255, round(8 * mark.height))
    return out, module


def main() -> None:
    """Write some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--photos", type=Path)
    given = parser.parse_args()
    photos = sorted(given.photos.iterdir()) if given.photos else []
    given.out.mkdir(parents=True, exist_ok=True)
    for seed in range(given.first, given.first + given.count):
        rgb, marks, module = picture(seed, photos)
        with (given.out / f"{seed}.npz").open("wb") as file:
            np.savez(file, rgb=rgb, marks=marks, module=module)


if __name__ == "__main__":
    main()
