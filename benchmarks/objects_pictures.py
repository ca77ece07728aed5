"""Pictures of things that bear writing, with a map of them, to train and judge the network of objects.

    python -m benchmarks.objects_pictures OUT 0 500 --photos PHOTOS --fonts /usr/share/fonts [--judge]

Each is drawn from a seed: carriers, rulers and cards (``_object_things``) bent, creased and laid with perspective on a
photograph, on drawn cloth or on a drawn limb with a wound; fingers and tubing over them; shadow, glare, night, motion,
defocus, JPEG. ``PHOTOS`` is the folder that ``benchmarks.objects_data`` fills, one folder a source; what is trained on
comes from other sources than what judges, and so do the typefaces. ``OUT/<seed>.npz`` holds ``jpg`` (the picture's
bytes) and ``map`` (PNG bytes; red the ground, green the marks, blue the thing's number, 0 for none), as
:mod:`benchmarks._object_sheets` explains them.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import _object_sheets as sheets
from benchmarks import objects_data as data
from benchmarks._object_sheets import GROUNDS, NO_CODES, NO_WORDS, Flat, Fonts
from benchmarks._object_things import THINGS, Kit
from benchmarks.scenes import _ground, _hairy, _shaken, _stitches
from fixtures import _draw as d
from medimg.native.opencv import cv2

Bytes = NDArray[np.uint8]
FIRST = 10
"""Number of the first thing that is laid; worn ones have lower numbers."""


@dataclass
class Canvas:
    """A picture while things are laid on it.

    Attributes:
        rgb: Its pixels, 0 to 255.
        ground: What each lies on.
        marks: Bits of what is marked there.
        thing: The number of the thing there; 0 for none.
    """

    rgb: d.Array
    ground: Bytes
    marks: Bytes
    thing: Bytes


@dataclass(frozen=True)
class Source:
    """What pictures are made of: a kit, and photographs by what is known of them."""

    kit: Kit
    photos: tuple[tuple[Path, data.Origin], ...]


def source(folder: Path | None, fonts: list[Path], judging: bool) -> Source:
    """What is used for training, or for judging."""
    found = Fonts.of(fonts)
    keep = 1 if judging else 0
    parted = Fonts(
        tuple(p for k, p in enumerate(found.printed) if (k % 4 == 3) == bool(keep)) or found.printed,
        tuple(p for k, p in enumerate(found.hand) if (k % 3 == 2) == bool(keep)) or found.hand,
    )
    photos, packs = [], []
    for origin in data.ORIGINS if folder else ():
        assert folder is not None
        paths = data.paths(folder, origin)
        if origin.use == "packs":
            packs += [data.cut_out(p) for p in paths] if not judging else []
        elif origin.use == ("judge" if judging else "train"):
            photos += [(p, origin) for p in paths]
    return Source(Kit(parted, data.faces(), tuple(packs)), tuple(photos))


def picture(seed: int, made_of: Source, long: int = 1024) -> tuple[bytes, Bytes]:
    """One: its JPEG bytes, and its map (H, W, 3)."""
    rng = np.random.default_rng((seed, 117))
    short = round(long / float(rng.choice((4 / 3, 3 / 2, 1.0, 16 / 9), p=(0.6, 0.2, 0.1, 0.1))))
    width, height = (long, short) if rng.random() < 0.6 else (short, long)
    canvas = _start(rng, made_of, width, height)
    for k in range(int(rng.choice((0, 1, 2, 3, 5, 8), p=(0.08, 0.28, 0.24, 0.2, 0.14, 0.06)))):
        _lay(rng, made_of.kit, canvas, FIRST + k)
    if rng.random() < 0.3:
        _tubing(rng, canvas)
    d.light(rng, canvas.rgb, float(rng.uniform(0.0, 0.5)))
    _shadow(rng, canvas.rgb)
    night = rng.random() < 0.12
    canvas.rgb *= float(rng.uniform(0.28, 0.5)) if night else float(rng.uniform(0.6, 1.15))
    canvas.rgb *= (1 + rng.uniform(-0.14, 0.14, 3)).astype(np.float32)
    blur = float(rng.choice((0.3, 0.6, 1.0, 1.6, 2.6), p=(0.35, 0.3, 0.2, 0.1, 0.05)))
    pixels = d.camera(rng, canvas.rgb, blur, float(rng.uniform(6, 16) if night else rng.uniform(0.5, 6)))
    if rng.random() < 0.12:
        pixels = _shaken(rng, pixels, float(rng.uniform(0.6, 2)))
    if rng.random() < 0.05:
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(rng.integers(40, 96)))
    return out.getvalue(), np.dstack((canvas.ground, canvas.marks, canvas.thing))


def _start(rng: d.RNG, made_of: Source, width: int, height: int) -> Canvas:
    thing, marks = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    if made_of.photos and rng.random() < 0.78:
        path, origin = made_of.photos[int(rng.integers(len(made_of.photos)))]
        rgb, ground = data.photograph(path, origin)
        turns = int(rng.integers(4)) if rng.random() < 0.2 else 0
        rgb, ground = np.rot90(rgb, turns), np.rot90(ground, turns)
        factor = max(width / rgb.shape[1], height / rgb.shape[0]) * float(rng.uniform(1, 1.6))
        size = (max(width, round(rgb.shape[1] * factor)), max(height, round(rgb.shape[0] * factor)))
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        grown = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=way)
        over = cv2.resize(np.ascontiguousarray(ground), size, interpolation=cv2.INTER_NEAREST)
        y, x = int(rng.integers(size[1] - height + 1)), int(rng.integers(size[0] - width + 1))
        if origin.codes:
            marks |= np.uint8(1 << NO_CODES)
        if origin.words:
            marks |= np.uint8(1 << NO_WORDS)
        cut = (slice(y, y + height), slice(x, x + width))
        canvas = Canvas(
            np.asarray(grown[cut], np.float32), np.asarray(over[cut], np.uint8).copy(), marks, thing
        )  # fmt: skip
        if rng.random() < 0.75:
            return canvas
    else:
        canvas = Canvas(_ground(rng, width, height), np.zeros((height, width), np.uint8), marks, thing)
    for k in range(int(rng.integers(0, 3))):
        _limb(rng, made_of.kit, canvas, k + 1)
    return canvas


def _limb(rng: d.RNG, kit: Kit, canvas: Canvas, number: int) -> None:
    """A limb, a wound on it in most, and now and then a wristband or a dressing worn round it."""
    height, width = canvas.ground.shape
    turn, middle = rng.uniform(0, np.pi), np.asarray((rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height))
    way = np.asarray((np.cos(turn), np.sin(turn))) * max(width, height)
    radius = float(np.exp(rng.uniform(np.log(50), np.log(420))))
    tone = int(rng.integers(1, 11))
    start, end = middle - way * rng.uniform(0.1, 1), middle + way * rng.uniform(0.1, 1)
    a, b = (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
    mask = d.limb(rng, canvas.rgb, tone, a, b, radius, radius * float(rng.uniform(0.6, 1)))
    own = mask > 0.5
    canvas.ground[own], canvas.marks[own], canvas.thing[own] = GROUNDS.index("skin"), 0, 0
    if rng.random() < 0.55:
        t = float(rng.uniform(0.2, 0.8))
        centre = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
        outline = d.wound(rng, canvas.rgb, centre, radius * float(rng.uniform(0.1, 0.5))).polygon
        inside = d.mask_of(own.shape, outline) > 0.5
        canvas.ground[inside] = GROUNDS.index("wound")
    if rng.random() < 0.15:
        _stitches(rng, canvas.rgb, width / 2000)
    if rng.random() < 0.08:
        _hairy(rng, canvas.rgb)
    if rng.random() < 0.45:
        name = "wristband" if rng.random() < 0.75 else "dressing"
        flat = sheets.finished(THINGS[name][1](rng, kit))
        worn = sheets.bent(rng, flat, float(rng.uniform(110, 172)), float(rng.uniform(-0.16, 0.16)), 0.0)
        t, wide = float(rng.uniform(0.15, 0.85)), 2 * radius * float(rng.uniform(0.85, 1.08))
        centre = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
        h, w = worn.rgba.shape[:2]
        across = float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0]))) + float(
            rng.choice((90, -90)) + rng.normal(0, 6)
        )
        _put(rng, canvas, worn, d.quad(centre, wide, wide * h / w, across), wide / w, number)


def _flat(rng: d.RNG, kit: Kit) -> Flat:
    """A thing, bent as it would be."""
    names = list(THINGS)
    weights = np.asarray([THINGS[k][0] for k in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    if name == "packet" and kit.packs and rng.random() < 0.25:
        rgba = kit.packs[int(rng.integers(len(kit.packs)))]
        unknown = np.full(rgba.shape[:2], (1 << NO_CODES) | (1 << NO_WORDS), np.uint8)
        return Flat(rgba, unknown, np.full_like(unknown, GROUNDS.index("packet")), GROUNDS.index("packet"), False)
    if kit.faces and rng.random() < 0.03:
        face = kit.faces[int(rng.integers(len(kit.faces)))]
        rim = cv2.copyMakeBorder(face, *(int(rng.integers(0, 30)),) * 4, cv2.BORDER_CONSTANT, value=(240, 240, 236))
        rgba = np.dstack((rim, np.full(rim.shape[:2], 255, np.uint8)))
        kind = GROUNDS.index("picture")
        return Flat(rgba, np.zeros(rim.shape[:2], np.uint8), np.full(rim.shape[:2], kind, np.uint8), kind, True)
    flat = sheets.finished(THINGS[name][1](rng, kit))
    stiff = name in ("whiteboard", "screen", "badge", "colour card")
    if rng.random() < 0.3 and not stiff and name != "ruler":
        sheets.creased(rng, flat)
    if name == "wristband" and rng.random() < 0.75:
        return sheets.bent(
            rng, flat, float(rng.uniform(20, 165)), float(rng.uniform(-0.12, 0.12)), float(rng.choice((0, 0, 2)))
        )
    if not stiff and rng.random() < 0.35:
        arc = float(rng.uniform(0, 110 if name in ("label", "packet", "dressing") else 30))
        return sheets.bent(rng, flat, arc, float(rng.uniform(-0.03, 0.03)), float(rng.choice((0, 1.5, 4, 8))))
    return flat


def _lay(rng: d.RNG, kit: Kit, canvas: Canvas, number: int) -> None:
    flat = _flat(rng, kit)
    height, width = canvas.ground.shape
    h, w = flat.rgba.shape[:2]
    high = float(np.exp(rng.uniform(np.log(0.09), np.log(1.15)))) if rng.random() < 0.93 else float(rng.uniform(1, 2))
    scale = high * max(width, height) / max(w, h)
    scale = min(scale, 1.7) if high < 1 else scale
    angle = float(rng.normal(0, 9) + rng.choice((0, 0, 90, 180, 270)) if rng.random() < 0.6 else rng.uniform(-180, 180))
    if GROUNDS[flat.kind] in ("whiteboard", "screen") and rng.random() < 0.9:
        angle = float(rng.normal(0, 5))
    tilt = (float(rng.uniform(0, 0.35)), float(rng.uniform(0, 0.3))) if rng.random() < 0.55 else (0.0, 0.0)
    cut = 0.5 if rng.random() < 0.2 else 0.42
    centre = (float(width * (0.5 + rng.uniform(-cut, cut))), float(height * (0.5 + rng.uniform(-cut, cut))))
    corners = d.quad(centre, w * scale, h * scale, angle, tilt)
    _put(rng, canvas, flat, corners, scale, number)
    if rng.random() < 0.12:
        _finger(rng, canvas, np.asarray(corners, np.float32))


def _put(
    rng: d.RNG, canvas: Canvas, flat: Flat, at: list[tuple[float, float]], scale: float, number: int
) -> None:  # fmt: skip
    """Lay a thing with its corners at a place."""
    height, width = canvas.ground.shape
    h, w = flat.rgba.shape[:2]
    corners = np.asarray(at, np.float32)
    centre = (float(corners[:, 0].mean()), float(corners[:, 1].mean()))
    step = min(1.0, scale * 1.1)
    size = (max(4, round(w * step)), max(4, round(h * step)))
    rgba = cv2.resize(flat.rgba, size, interpolation=cv2.INTER_AREA) if step < 1 else flat.rgba
    here = np.asarray(((0, 0), (size[0], 0), size, (0, size[1])), np.float32) if step < 1 else np.asarray(
        ((0, 0), (w, 0), (w, h), (0, h)), np.float32)  # fmt: skip
    warp = cv2.getPerspectiveTransform(here, corners)
    laid = cv2.warpPerspective(rgba, warp, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    whole = cv2.getPerspectiveTransform(np.asarray(((0, 0), (w, 0), (w, h), (0, h)), np.float32), corners)
    marks, grounds = (
        np.asarray(cv2.warpPerspective(a, whole, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
        for a in (flat.marks, flat.grounds)
    )
    cover = laid[..., 3] / 255
    lift = float(rng.uniform(1, 12)) * max(min(scale, 1.0), 0.3)
    dark = np.roll(cv2.GaussianBlur(cover, (0, 0), lift), (round(lift * 0.6), round(lift * 0.4)), (0, 1))
    canvas.rgb *= (1 - float(rng.uniform(0, 0.5)) * dark * (1 - cover))[..., None]
    colour = laid[..., :3]
    if flat.glossy and rng.random() < 0.5:
        colour = colour + _glare(rng, width, height, centre, max(w, h) * scale)
    canvas.rgb[:] = canvas.rgb * (1 - cover[..., None]) + np.clip(colour, 0, 255) * cover[..., None]
    own = cover > 0.3
    canvas.ground[own], canvas.marks[own], canvas.thing[own] = grounds[own], marks[own], number


def _glare(rng: d.RNG, width: int, height: int, centre: tuple[float, float], long: float) -> d.Array:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = float(rng.uniform(0, np.pi))
    dx, dy = x - centre[0] - long * float(rng.uniform(-0.3, 0.3)), y - centre[1] - long * float(rng.uniform(-0.1, 0.1))
    a, b = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    spread = long * float(rng.uniform(0.04, 0.16))
    spot = np.exp(-((a / spread) ** 2) - ((b / (spread * float(rng.uniform(1, 5)))) ** 2))
    return np.asarray(float(rng.uniform(60, 260)) * spot[..., None], np.float32)


def _finger(rng: d.RNG, canvas: Canvas, corners: d.Array) -> None:
    """A finger or a gloved one over a corner or a side."""
    k, t = int(rng.integers(4)), float(rng.uniform(0, 1))
    edge, middle = corners[k] * (1 - t) + corners[(k + 1) % 4] * t, corners.mean(0)
    thick = float(np.clip(np.hypot(*(edge - middle)) * rng.uniform(0.15, 0.5), 8, 90))
    tip, root = (
        edge + (middle - edge) * float(rng.uniform(0.1, 0.5)),
        edge - (middle - edge) * float(rng.uniform(0.6, 2)),
    )
    a, b = (float(tip[0]), float(tip[1])), (float(root[0]), float(root[1]))
    mask = d.limb(rng, canvas.rgb, int(rng.integers(1, 11)), a, b, thick, thick * 1.1)
    own = mask > 0.5
    gloved = rng.random() < 0.5
    if gloved:
        glove = np.asarray(
            ((70, 110, 190), (225, 225, 230), (30, 30, 34), (120, 90, 170))[int(rng.integers(4))], np.float32
        )
        grey = canvas.rgb.mean(2, keepdims=True) / 150
        canvas.rgb[own] = np.clip(glove * np.clip(grey, 0.3, 1.4), 0, 255)[own]
    canvas.ground[own] = GROUNDS.index("background" if gloved else "skin")
    canvas.marks[own], canvas.thing[own] = 0, 0


def _tubing(rng: d.RNG, canvas: Canvas) -> None:
    """A tube or a cable across the picture, thin: what it hides still belongs to the thing below."""
    height, width = canvas.ground.shape
    points = rng.uniform(-0.1, 1.1, (4, 2)) * (width, height)
    t = np.linspace(0, 1, 60)[:, None]
    curve = (
        (1 - t) ** 3 * points[0] + 3 * t * (1 - t) ** 2 * points[1] + 3 * t**2 * (1 - t) * points[2] + t**3 * points[3]
    )
    line = [np.round(curve).astype(np.int32)]
    thick = int(rng.integers(3, 14))
    mask = np.zeros((height, width), np.float32)
    cv2.polylines(mask, line, False, 1.0, thick, cv2.LINE_AA)
    core = np.zeros_like(mask)
    cv2.polylines(core, line, False, 1.0, max(1, thick // 3), cv2.LINE_AA)
    colour = rng.uniform(20, 250, 3).astype(np.float32)
    solid = mask[..., None] * float(rng.uniform(0.35, 1.0))
    canvas.rgb[:] = canvas.rgb * (1 - solid) + (colour + 60 * core[..., None]).clip(0, 255) * solid
    canvas.marks[mask > 0.5] = 0


def _shadow(rng: d.RNG, rgb: d.Array) -> None:
    if rng.random() < 0.3:
        height, width = rgb.shape[:2]
        lumps = d.noise(rng, height, width, max(height, width) * float(rng.uniform(0.3, 1)), 1)
        soft = np.clip(lumps / float(rng.uniform(0.03, 0.4)), 0, 1)
        rgb *= (1 - float(rng.uniform(0.1, 0.5)) * soft)[..., None]


def main() -> None:
    """Write some."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    made_of = source(given.photos, given.fonts, given.judge)
    given.out.mkdir(parents=True, exist_ok=True)
    for seed in range(given.first, given.first + given.count):
        jpg, over = picture(seed, made_of)
        data.write(given.out / f"{seed}.npz", jpg, over)


if __name__ == "__main__":
    main()
