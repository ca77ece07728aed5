"""Rulers and colour cards as they lie beside wounds: the things that a cover must never go over."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from benchmarks._people import date, person
from fixtures import _cards as cards
from fixtures import _draw as d

RULERS = ("paper", "transparent", "black", "metal", "inch", "both", "mm", "L-shaped", "printed", "tape")
CARDS = ("24 patches", "grey wedge", "control patches", "named card")
PRINTED = (
    "Wound measuring guide", "Single use only", "Disposable wound ruler", "Paper ruler", "Do not reuse", "Sterile",
    "Smith & Nephew", "Mölnlycke", "ConvaTec", "Coloplast", "Made in Germany", "Latex free",
)  # fmt: skip
STEP = 96


def ruler(rng: d.RNG, kind: str) -> d.Card:
    """A straight or L-shaped ruler; a third of the straight ones have a name or a date written on them."""
    if kind == "L-shaped":
        return _l_shaped(rng)
    ground, ink = {
        "transparent": ((232, 238, 240), (20, 20, 26)),
        "black": ((22, 22, 24), (240, 240, 240)),
        "metal": ((168, 172, 178), (30, 30, 34)),
        "tape": ((236, 214, 90), (20, 20, 24)),
    }.get(kind, ((248, 248, 244), (24, 24, 30)))
    units = int(rng.integers(5, 16)) if kind != "inch" else int(rng.integers(3, 7))
    step = STEP if kind != "inch" else 2 * STEP
    printed = PRINTED[int(rng.integers(len(PRINTED)))] if kind == "printed" or rng.random() < 0.25 else ""
    who = person(rng)
    written = (who.name if rng.random() < 0.6 else date(rng)) if rng.random() < 0.33 else ""
    high = 120 + (56 if printed else 0) + (72 if written else 0) + (60 if kind == "both" else 0)
    image, draw = d.blank(step * units + 80, high, ground)
    face = d.pick_font(rng, "print", 34)
    marks = _scale(draw, (40, 0), units, step, 16 if kind == "inch" else 10, ink, face, mm=kind == "mm")
    unit = "inch" if kind == "inch" else "mm" if kind == "mm" else "cm"
    at = (step * units + 14 - face.getlength(unit) / 2, 78 if kind != "both" else 84)
    marks.append(d.draw_text(draw, at, unit, d.pick_font(rng, "print", 24), ink, cls="unit"))
    low = 112.0
    if kind == "both":
        for k in range(units * 10 * 4 // 10):
            x = 40 + k * step * 0.254
            draw.line((x, high, x, high - (44 if k % 10 == 0 else 24)), fill=ink, width=3)
        low = float(high)
    if printed:
        marks.append(d.draw_text(draw, (60, 116), printed, d.pick_font(rng, "print", 30), ink, cls="harmless"))
        low = max(low, 158.0) if not written else low
    if not written:
        low = float(high)
    outline = ((0.0, 0.0), (float(image.width), 0.0), (float(image.width), low), (0.0, low))
    marks.insert(0, d.Mark("ruler", "ruler", "", outline))
    if written:
        pen = (36, 44, 130) if kind != "black" else (236, 236, 180)
        at = (64, high - 74 - (60 if kind == "both" else 0))
        marks.append(cards.hand_line(rng, image, at, written, 46, pen, "name", who.culture))
    if kind == "transparent":
        image.putalpha(_see_through(image))
    return d.finished(image, marks)


def _see_through(image: Image.Image) -> Image.Image:
    grey = np.asarray(image.convert("L"), np.float32)
    return Image.fromarray(np.where(grey > 200, 70, 235).astype(np.uint8))


def _scale(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], units: int, step: int, parts: int, ink: tuple[int, int, int],
    face: d.Font, mm: bool = False, numerals: bool = True,
) -> list[d.Mark]:  # fmt: skip
    marks = []
    x0, y0 = at
    for k in range(units * parts + 1):
        x = x0 + k * step / parts
        long = 52 if k % parts == 0 else 40 if k % (parts // 2) == 0 else 26
        draw.line((x, y0, x, y0 + long), fill=ink, width=3)
        if k % parts == 0 and numerals:
            text = str(k // parts * (10 if mm else 1))
            marks.append(d.draw_text(draw, (x - face.getlength(text) / 2, y0 + 56), text, face, ink, cls="ruler"))
    return marks


def _l_shaped(rng: d.RNG) -> d.Card:
    """As the ABFO No. 2 photomacrographic scale: two arms, bars, circles with a cross."""
    arm, wide, units = 8 * STEP + 170, 170, 8
    image = Image.new("RGBA", (arm, arm), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    ground, ink = (246, 246, 242), (14, 14, 16)
    draw.rectangle((0, 0, arm, wide), fill=(*ground, 255))
    draw.rectangle((0, 0, wide, arm), fill=(*ground, 255))
    face = d.pick_font(rng, "print", 30)
    across = Image.new("RGBA", (arm, wide), (0, 0, 0, 0))
    marks = _scale(ImageDraw.Draw(across), (wide - 20, 0), units, STEP, 10, ink, face)
    image.alpha_composite(across, (0, 0))
    down = Image.new("RGBA", (arm, wide), (0, 0, 0, 0))
    _scale(ImageDraw.Draw(down), (wide - 20, 0), units, STEP, 10, ink, face)
    image.alpha_composite(down.transpose(Image.Transpose.ROTATE_270).crop((0, 0, wide, arm)), (0, 0))
    for k in range(units):
        if k % 2 == 0:
            draw.rectangle((wide + k * STEP, 128, wide + (k + 1) * STEP, 150), fill=ink)
    for cx, cy in ((60, 60), (arm - 60, 118), (60, arm - 60)):
        draw.ellipse((cx - 46, cy - 46, cx + 46, cy + 46), outline=ink, width=6)
        draw.line((cx - 56, cy, cx + 56, cy), fill=ink, width=3)
        draw.line((cx, cy - 56, cx, cy + 56), fill=ink, width=3)
    for text, x in (("ABFO No. 2", wide + 30), ("cm", wide + 330), ("Bullseye scale", wide + 420)):
        marks.append(d.draw_text(draw, (x, 100), text, d.pick_font(rng, "print", 22), ink, cls="harmless"))
    for outline in (((0, 0), (arm, 0), (arm, wide), (0, wide)), ((0, 0), (wide, 0), (wide, arm), (0, arm))):
        marks.insert(0, d.Mark("ruler", "ruler", "", tuple((float(x), float(y)) for x, y in outline)))
    return d.finished(image, marks)


def colour_card(rng: d.RNG, kind: str) -> d.Card:
    """A colour or grey card, most with its maker's name or the names of its patches."""
    if kind in ("24 patches", "named card"):
        card = cards.colour_card()
        if kind == "24 patches":
            return card
        image = Image.new("RGBA", (660, 510), (22, 22, 22, 255))
        image.paste(Image.fromarray(card.rgba), (0, 0))
        maker = ("colorchecker CLASSIC", "x-rite", "calibrite", "Color reference card")[int(rng.integers(4))]
        marks = [_whole("colour-card", image.size)]
        marks.append(
            d.draw_text(ImageDraw.Draw(image), (40, 452), maker, d.pick_font(rng, "print", 34), (230, 230, 230))
        )
        return d.finished(image, marks)
    if kind == "grey wedge":
        image, draw = d.blank(1000, 170, (250, 250, 250))
        marks = [_whole("colour-card", image.size)]
        for k in range(20):
            v = int(250 * 0.86**k)
            draw.rectangle((k * 50, 0, k * 50 + 49, 110), fill=(v, v, v))
            text = {0: "A", 7: "M", 16: "B"}.get(k, str(k))
            marks.append(d.draw_text(draw, (k * 50 + 8, 122), text, d.pick_font(rng, "print", 28), (20, 20, 20),
                                     cls="ruler"))  # fmt: skip
        return d.finished(image, marks)
    image, draw = d.blank(1000, 260, (248, 248, 248))
    marks = [_whole("colour-card", image.size)]
    patches = (
        ("Blue", (0, 90, 170)), ("Cyan", (0, 170, 220)), ("Green", (0, 150, 80)), ("Yellow", (250, 220, 30)),
        ("Red", (220, 40, 40)), ("Magenta", (220, 30, 130)), ("White", (252, 252, 252)), ("Black", (20, 20, 20)),
    )  # fmt: skip
    face = d.pick_font(rng, "print", 24)
    for k, (text, colour) in enumerate(patches):
        draw.rectangle((k * 125 + 4, 90, k * 125 + 120, 250), fill=colour, outline=(120, 120, 120))
        marks.append(d.draw_text(draw, (k * 125 + 12, 56), text, face, (20, 20, 20)))
    marks.append(d.draw_text(draw, (20, 10), "Color Control Patches", d.pick_font(rng, "print", 32), (20, 20, 20)))
    return d.finished(image, marks)


def _whole(kind: str, size: tuple[int, int]) -> d.Mark:
    w, h = float(size[0]), float(size[1])
    return d.Mark(kind, kind, "", ((0.0, 0.0), (w, 0.0), (w, h), (0.0, h)))
