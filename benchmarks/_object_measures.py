"""Rulers of every sort, colour cards and dressings, drawn flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks._object_sheets import GROUNDS, MARKS, Colour, Sheet
from benchmarks._people import date, person
from fixtures import _draw as d
from medimg.native.opencv import cv2

if TYPE_CHECKING:
    from benchmarks._object_things import Kit

STOCKS: tuple[tuple[Colour, Colour], ...] = (
    ((250, 250, 246), (20, 20, 24)), ((250, 250, 246), (20, 20, 24)), ((24, 24, 26), (240, 240, 240)),
    ((176, 180, 186), (24, 24, 28)), ((240, 214, 70), (18, 18, 20)), ((250, 250, 250), (190, 30, 30)),
    ((210, 230, 244), (10, 40, 110)), ((206, 170, 120), (40, 26, 14)), ((90, 190, 120), (10, 20, 12)),
    ((250, 200, 60), (160, 20, 20)), ((246, 246, 250), (10, 90, 150)),
)  # fmt: skip
PRINTED = (
    "Wound measuring guide",
    "Single use only",
    "Name:",
    "Date:",
    "ID:",
    "DO NOT REUSE",
    "Sterile",
    "LOT 2231",
    "Zentimeter",
)


def _band(rng: d.RNG, kit: Kit, size: tuple[int, int], step: float, ground: Colour, ink: Colour) -> Sheet:
    """A scale along the upper rim: ticks of two or three lengths, ascending figures."""
    wide, high = size
    sheet = Sheet("ruler", size, ground, int(rng.choice((0, 0, 8))))
    parts = int(rng.choice((2, 5, 10, 10, 10, 16)))
    long = high * float(rng.uniform(0.18, 0.5))
    margin = step * float(rng.uniform(0.1, 0.7))
    thick = max(1, round(step / parts * float(rng.uniform(0.12, 0.35))))
    face = kit.face(rng, min(step * 0.55, high * 0.34))
    start, unit = int(rng.choice((0, 0, 0, 1, 10))), int(rng.choice((1, 1, 1, 10, 5)))
    count = int((wide - margin) / step)
    low = long
    for k in range(count * parts + 1):
        x = margin + k * step / parts
        length = long if k % parts == 0 else long * (0.8 if parts % 2 == 0 and k % (parts // 2) == 0 else 0.55)
        sheet.draw.line((x, 0, x, length), fill=ink, width=thick)
        if k % parts == 0 and k // parts <= count:
            figure = str(start + k // parts * unit)
            low = max(low, sheet.print((x - face.getlength(figure) / 2, long * 1.05), figure, face, ink))
    if rng.random() < 0.3:
        other = step * float(rng.choice((0.254, 2.54, 1.0)))
        for k in range(int((wide - margin) / other * 4) + 1):
            x = margin + k * other / 4
            sheet.draw.line((x, high, x, high - long * (0.8 if k % 4 == 0 else 0.45)), fill=ink, width=thick)
        sheet.mark(MARKS.index("ticks"), (0, high - long, wide, high))
    if rng.random() < 0.3:  # bars of alternating colour, as on photographic scales
        for k in range(count):
            if k % 2 == 0:
                x = margin + k * step
                sheet.draw.rectangle((x, low, x + step, min(low + high * 0.12, high)), fill=ink)
    sheet.mark(MARKS.index("ticks"), (0, 0, wide, max(low, long)))
    if low < high * 0.75 and rng.random() < 0.6:
        room = high - low
        if rng.random() < 0.5:
            words = str(rng.choice(PRINTED))
            sheet.print(
                (wide * float(rng.uniform(0.03, 0.5)), low + room * 0.15),
                words,
                kit.face(rng, min(room * 0.5, step)),
                ink,
            )
        if rng.random() < 0.4:
            words = person(rng).name if rng.random() < 0.6 else date(rng)
            pen: Colour = (30, 36, 130) if sum(ground) > 330 else (240, 240, 200)
            height = int(min(room * 0.7, wide / 8))
            if height > 10:
                sheet.write(rng, (wide * 0.1, low + room * 0.12), words, height, pen, kit.hand(rng))
    return sheet


def ruler(rng: d.RNG, kit: Kit) -> Sheet:
    """Straight from slim to broad, see-through, tape, or L-shaped."""
    ground, ink = STOCKS[int(rng.integers(len(STOCKS)))]
    step = float(rng.uniform(26, 90))
    units = int(rng.integers(3, 21))
    wide = int(min(step * units + step * 0.8, 1100))
    high = int(min(wide * 0.6, step * float(np.exp(rng.uniform(np.log(0.7), np.log(4))))))
    sheet = _band(rng, kit, (wide, max(high, 26)), step, ground, ink)
    sheet.glossy = rng.random() < 0.3
    if rng.random() < 0.22:
        return _l_shape(rng, kit, step, ground, ink)
    if rng.random() < 0.12:
        grey = np.asarray(sheet.image.convert("L"), np.float32)
        sheet.image.putalpha(Image.fromarray(np.where(grey > 190, 80, 235).astype(np.uint8)))
    return sheet


def _l_shape(rng: d.RNG, kit: Kit, step: float, ground: Colour, ink: Colour) -> Sheet:
    arm = int(step * int(rng.integers(4, 11)))
    wide = int(min(arm * 0.45, step * float(rng.uniform(1.0, 3.2))))
    one, two = (_band(rng, kit, (arm, max(wide, 26)), step, ground, ink) for _ in range(2))
    wide = one.size[1]
    sheet = Sheet("ruler", (arm, arm), ground, 1)
    sheet.image.paste((0, 0, 0, 0), (0, 0, arm, arm))
    turned = two.image.transpose(Image.Transpose.ROTATE_270)
    sheet.image.paste(turned, (0, 0))
    sheet.marks[:arm, :wide] = np.rot90(two.marks, -1)
    sheet.image.paste(one.image, (0, 0))
    sheet.marks[:wide, :arm] = one.marks
    if rng.random() < 0.7:
        r = wide * 0.3
        for cx, cy in ((wide / 2, wide / 2), (arm - wide / 2, wide / 2), (wide / 2, arm - wide / 2)):
            sheet.draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=ink, width=3)
            sheet.draw.line((cx - r, cy, cx + r, cy), fill=ink, width=2)
            sheet.draw.line((cx, cy - r, cx, cy + r), fill=ink, width=2)
    return sheet


def colour_card(rng: d.RNG, kit: Kit) -> Sheet:
    """Patches in a grid or a row, grey wedges, with or without a maker's name."""
    ground: Colour = ((20, 20, 22), (246, 246, 244), (120, 120, 120))[int(rng.integers(3))]
    across, down = (
        (int(rng.integers(4, 9)), int(rng.integers(2, 7))) if rng.random() < 0.6 else (int(rng.integers(5, 20)), 1)
    )
    cell = int(rng.integers(40, 110))
    gap = int(cell * rng.uniform(0, 0.25))
    name = int(cell * rng.uniform(0, 0.7))
    wide, high = across * (cell + gap) + gap, down * (cell + gap) + gap + name
    sheet = Sheet("colour card", (wide, high), ground, int(rng.choice((0, 10))))
    grey = rng.random() < 0.25
    for r in range(down):
        for c in range(across):
            q = (r * across + c) / max(across * down - 1, 1)
            red, green, blue = (int(250 * (1 - 0.95 * q)),) * 3 if grey else (int(v) for v in rng.integers(10, 250, 3))
            if not grey and r == down - 1 and rng.random() < 0.5:
                red = green = blue = int(245 * (1 - c / across))
            x, y = gap + c * (cell + gap), gap + r * (cell + gap)
            sheet.draw.rectangle((x, y, x + cell, y + cell), fill=(red, green, blue))
    if name > 16:
        ink: Colour = (235, 235, 235) if sum(ground) < 330 else (20, 20, 20)
        words = str(
            rng.choice(("ColorChecker", "Grey scale", "Color Control Patches", "Q-13", "REF CARD", "white balance"))
        )
        sheet.print((gap + 6, high - name), words, kit.face(rng, min(name * 0.6, wide / 12)), ink)
    return sheet


def dressing(rng: d.RNG, kit: Kit) -> Sheet:
    """Gauze, a plaster, foam with a rim, tape, a drape's corner: nothing on it, or a date by hand."""
    wide = int(rng.integers(260, 620))
    high = int(wide * rng.uniform(0.18, 1.0))
    colour: Colour = (
        (244, 242, 236), (236, 226, 204), (226, 188, 150), (198, 150, 112), (150, 200, 190), (120, 160, 200),
        (230, 236, 240),
        (90, 140, 130),
    )[int(rng.integers(8))]  # fmt: skip
    sheet = Sheet("dressing", (wide, high), colour, int(min(wide, high) * rng.choice((0.02, 0.12, 0.3))))
    alpha = sheet.image.getchannel("A")
    weave = d.cloth(rng, high, wide, colour, float(rng.uniform(2.5, 9)))
    sheet.image = Image.fromarray(weave.astype(np.uint8)).convert("RGBA")
    if rng.random() < 0.4:
        inner = d.noise(rng, high, wide, 40, 2)
        x0, y0, x1, y1 = int(wide * 0.25), int(high * 0.2), int(wide * 0.75), int(high * 0.8)
        pixels = np.asarray(sheet.image).copy()
        pad = np.clip(np.asarray((236, 232, 220)) + 12 * inner[y0:y1, x0:x1, None], 0, 255)
        pixels[y0:y1, x0:x1, :3] = pad
        if rng.random() < 0.4:
            stain = np.clip(d.noise(rng, high, wide, wide / 3, 2) * 2, 0, 1)[..., None]
            soaked = np.asarray((150, 60, 40) if rng.random() < 0.5 else (190, 170, 90))
            pixels[..., :3] = np.clip(pixels[..., :3] * (1 - stain) + soaked * stain, 0, 255)
        sheet.image = Image.fromarray(cv2.GaussianBlur(pixels, (0, 0), 0.7))
    sheet.image.putalpha(alpha)
    if rng.random() < 0.15:
        size = int(min(high * 0.4, wide / 7))
        if size > 10:
            sheet.write(rng, (wide * 0.1, high * 0.25), date(rng), size, (24, 28, 60), kit.hand(rng))
    assert GROUNDS[sheet.kind] == "dressing"
    return sheet
