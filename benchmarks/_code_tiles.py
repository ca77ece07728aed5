"""Tables of codes and of things that look like codes, drawn from a seed, to tune and judge the code finder.

``table(seed)`` draws one: twelve places with a code of any sort each (blurred, pale, inverted, curved, glossy, partly
hidden, at any angle, beside text or a ruler) or with something striped or checkered that is none. Seeds 0 to 9999 are
for tuning, 10000 and up are the check seeds. To look at some::

    python -m benchmarks._code_tiles 0 6 sheet.jpg
"""

from __future__ import annotations

import io
import string
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from benchmarks.scenes import Item, Scene, _ground, tier
from fixtures import _cards as cards
from fixtures import _draw as d
from medimg.native.opencv import cv2

LINEAR = (
    "Code128", "Code39", "Code93", "EAN13", "EAN8", "UPCA", "UPCE", "ITF", "Codabar", "Telepen", "DataBarOmni",
    "DataBarLtd", "DataBarExp",
)  # fmt: skip
STACKS = ("PDF417", "MicroPDF417", "CompactPDF417", "DataBarExpStk", "DataBarStk")
SQUARE = ("QRCode", "QRCode", "MicroQRCode", "DataMatrix", "DataMatrix", "DotPeen", "Aztec", "MaxiCode")
OBLONG = ("RMQRCode", "DataMatrixRect", "Postal")


def _content(rng: d.RNG, symbology: str) -> str:
    def digits(n: int) -> str:
        return "".join(str(v) for v in rng.integers(0, 10, n))

    if symbology in ("EAN13", "UPCA", "EAN8"):
        body = digits({"EAN13": 12, "UPCA": 11, "EAN8": 7}[symbology])
        weighed = sum(int(c) * (3 if k % 2 == 0 else 1) for k, c in enumerate(reversed(body)))
        return body + str(-weighed % 10)
    if symbology == "UPCE":
        return "0" + digits(6)
    if symbology in ("ITF", "DataBarOmni", "DataBarStk"):
        return "0" + digits(12) if symbology != "ITF" else digits(2 * int(rng.integers(3, 9)))
    if symbology == "DataBarLtd":
        return "0" + digits(12)
    if symbology in ("DataBarExp", "DataBarExpStk"):
        return "[10]" + digits(int(rng.integers(6, 12)))
    if symbology == "Codabar":
        return f"A{digits(int(rng.integers(6, 11)))}B"
    letters = list(string.ascii_uppercase + string.digits)
    length = int(rng.integers(3, 9) if symbology in ("MicroQRCode",) else rng.integers(6, 40))
    if symbology in LINEAR:
        length = int(rng.integers(5, 13))
    return "".join(str(c) for c in rng.choice(letters, length))


def _modules(rng: d.RNG, symbology: str) -> d.Array:
    """The symbol without its quiet zone, one pixel a module, 1 where there is ink."""
    if symbology in ("DataMatrixRect", "Postal"):
        if symbology == "Postal":  # a four-state code: tracker, ascender, descender, full
            bars = np.zeros((8, 2 * int(rng.integers(30, 60)) - 1), np.float32)
            for x in range(0, bars.shape[1], 2):
                bars[3 - 3 * int(rng.integers(2)) : 5 + 3 * int(rng.integers(2)), x] = 1
            return bars
        h, w = ((8, 18), (8, 32), (12, 26), (12, 36), (16, 36), (16, 48))[int(rng.integers(6))]
        dots = rng.integers(0, 2, (h, w)).astype(np.float32)
        dots[0] = np.arange(w) % 2 == 0
        dots[:, -1] = np.arange(h) % 2 == 1
        dots[-1] = dots[:, 0] = 1
        return dots
    name = "DataMatrix" if symbology == "DotPeen" else symbology
    while True:
        try:
            made = zxingcpp.create_barcode(_content(rng, name), zxingcpp.barcode_format_from_str(name))
            image = np.asarray(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False))
        except ValueError:  # what was drawn by lot does not fit the symbology
            continue
        return np.asarray(image < 128, np.float32)


def code(rng: d.RNG, symbology: str) -> tuple[d.Card, float]:
    """A sticker with a code, and how many pixels of the card a module is wide; the mark is without the quiet zone."""
    ink = _modules(rng, symbology)
    scale = 1 if symbology == "MaxiCode" else 8 if ink.shape[1] < 60 else 4
    if symbology in LINEAR:
        ink = np.repeat(ink[ink.shape[0] // 2][None], round(ink.shape[1] * float(rng.uniform(0.12, 0.6))), 0)
    if symbology == "DotPeen":
        stamp = np.zeros((8, 8), np.float32)
        cv2.circle(stamp, (4, 4), 3, 1.0, -1)
        ink = np.kron(ink, stamp)
    else:
        ink = np.repeat(np.repeat(ink, scale, 0), scale, 1)
    high, wide = ink.shape
    module = 4.0 if symbology == "MaxiCode" else float(scale)
    quiet = module * float(rng.uniform(1.0, 4.0) if symbology not in LINEAR else rng.uniform(3, 10))
    lines = int(rng.integers(0, 3)) if rng.random() < 0.6 else 0
    size = max(12, round((0.12 if wide > 2 * high else 0.16) * wide * float(rng.uniform(0.5, 1))))
    pad = round(quiet) + (round(0.1 * wide) if rng.random() < 0.3 else 0)
    room = round(lines * size * 1.3)
    paper = np.asarray((245, 245, 243) if rng.random() < 0.6 else rng.uniform(150, 250, 3), np.float32)
    print_ = np.full(3, float(rng.uniform(10, 60)), np.float32)
    if rng.random() < 0.25:  # faded or pale
        print_ = paper * float(rng.uniform(0.4, 0.75))
    elif rng.random() < 0.1:
        print_ = np.asarray(rng.uniform(10, 110, 3), np.float32)
    if symbology == "DotPeen":
        paper, print_ = np.full(3, float(rng.uniform(120, 180))), np.full(3, float(rng.uniform(30, 90)))
    if rng.random() < 0.08:
        paper, print_ = print_, paper
    sheet = np.ones((high + 2 * pad + room, wide + 2 * pad, 3), np.float32) * paper
    sheet[pad : pad + high, pad : pad + wide] += ink[..., None] * (print_ - paper)
    image = Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)).convert("RGBA")
    draw = ImageDraw.Draw(image)
    face = d.pick_font(rng, str(rng.choice(("print", "mono", "serif"))), size)
    for k in range(lines):
        text = _content(rng, "Code128") if rng.random() < 0.6 else "Ward 4  Room 12"
        at = (pad, pad + high + round(k * size * 1.3) + 2)
        draw.text(at, text, font=face, fill=tuple(int(v) for v in print_))
    around = ((pad, pad), (pad + wide, pad), (pad + wide, pad + high), (pad, pad + high))
    mark = d.Mark("code", symbology, "", tuple((float(x), float(y)) for x, y in around), module)
    return d.finished(image, [mark]), module


def _stripes(rng: d.RNG) -> d.Card:
    """Cloth, corrugated tubing, grilles, sock ribbing, combs: even stripes, light on dark or the other way."""
    w, h, period = 640, int(rng.integers(60, 420)), float(rng.uniform(10, 60))
    x = np.arange(w, dtype=np.float32)
    wave = np.sin(2 * np.pi * x / period + 0.3 * np.sin(x / 90))
    if rng.random() < 0.5:
        wave = np.clip(wave * 4, -1, 1)
    low, high = rng.uniform(20, 120, 3), rng.uniform(120, 250, 3)
    rows = (wave[None, :, None] * 0.5 + 0.5) * (high - low) + low
    sheet = np.repeat(rows, h, 0) * (1 + 0.06 * rng.standard_normal((h, 1, 1)))
    return d.finished(Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)).convert("RGBA"), [])


def _grid(rng: d.RNG) -> d.Card:
    """Gauze, ECG paper, checked cloth, a keyboard: crossing lines at one distance."""
    image, draw = d.blank(640, 480, tuple(int(v) for v in rng.integers(190, 250, 3)))
    kind = int(rng.integers(4))
    colour = tuple(int(v) for v in rng.integers(60, 190, 3))
    if kind == 0:  # a keyboard
        draw.rectangle((0, 0, 640, 480), fill=(50, 52, 56))
        for row in range(5):
            for key in range(12):
                x, y = 14 + key * 52, 14 + row * 92
                draw.rounded_rectangle((x, y, x + 44, y + 80), 6, fill=(222, 222, 220))
                draw.text((x + 8, y + 8), chr(65 + (key * 5 + row) % 26), fill=(30, 30, 30))
        return d.finished(image, [])
    step = int(rng.integers(8, 40))
    for x in range(0, 640, step):
        draw.line((x, 0, x, 480), fill=colour, width=max(1, step // (9 if kind == 1 and x // step % 5 else 4)))
    for y in range(0, 480, step):
        draw.line((0, y, 640, y), fill=colour, width=max(1, step // (9 if kind == 1 and y // step % 5 else 4)))
    if kind == 1:
        points = [(x, 240 + (-90 if x % 130 < 12 else 14 * np.sin(x / 9))) for x in range(0, 640, 4)]
        draw.line(points, fill=(20, 20, 24), width=3)
    return d.finished(image, [])


def _suture(rng: d.RNG) -> d.Card:
    """A sutured or stapled wound, or hair combed one way, on skin."""
    sheet = d.skin(rng, 300, 640, int(rng.integers(1, 11)))
    step, colour = float(rng.uniform(14, 44)), (196.0, 198.0, 204.0) if rng.random() < 0.4 else (32.0, 26.0, 34.0)
    if rng.random() < 0.3:
        for _ in range(400):
            a = (int(rng.uniform(0, 640)), int(rng.uniform(0, 300)))
            cv2.line(sheet, a, (a[0] + int(rng.normal(6, 8)), a[1] + int(rng.uniform(20, 60))), (44, 32, 26), 1)
    else:
        cv2.line(sheet, (20, 150), (620, 150), (120, 40, 44), 5)
        for x in np.arange(40, 600, step):
            turn, long = rng.normal(0, 0.1), rng.uniform(16, 60)
            a = (round(float(x - long * turn)), round(150 - long))
            cv2.line(sheet, a, (round(float(x + long * turn)), round(150 + long)), colour, 3, cv2.LINE_AA)
    return d.finished(Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)).convert("RGBA"), [])


PRINT = "Store below 25 C. Do not use if the seal is broken. Sterile unless opened or damaged. Single use"


def _print(rng: d.RNG) -> d.Card:
    """Lines of print in small letters, as on a packet or a form."""
    image, draw = d.blank(700, 420, (246, 246, 242))
    size = int(rng.integers(14, 34))
    face = d.pick_font(rng, str(rng.choice(("print", "mono", "serif"))), size)
    words = PRINT.split()
    for y in range(10, 400, round(size * float(rng.uniform(1.05, 1.6)))):
        line = " ".join(str(w) for w in rng.choice(words, 12))
        draw.text((12, y), line[: round(1200 / size)], font=face, fill=(30, 30, 34))
    return d.finished(image, [])


OTHERS: tuple[Callable[[d.RNG], d.Card], ...] = (_stripes, _grid, _suture, _print)


def _ruled(rng: d.RNG) -> d.Card:
    return cards.ruler(rng, int(rng.integers(4, 16)), both=rng.random() < 0.3)


def table(seed: int, width: int = 1600, height: int = 1200) -> Scene:
    """Draw the table of a seed."""
    rng = np.random.default_rng((seed, 47))
    picture = _ground(rng, width, height)
    blur = float(rng.choice((0.5, 0.8, 1.2, 1.8), p=(0.35, 0.3, 0.2, 0.15)))
    marks: list[d.Mark] = []
    for cell in range(12):
        centre = ((cell % 4 + 0.5) * width / 4, (cell // 4 + 0.5) * height / 3)
        pick = rng.random()
        if pick < 0.62:
            sorts = LINEAR if (q := rng.random()) < 0.4 else SQUARE if q < 0.8 else STACKS if q < 0.92 else OBLONG
            card, own = code(rng, str(rng.choice(sorts)))
            scale = float(np.exp(rng.uniform(np.log(1.2), np.log(6)))) / own
        elif pick < 0.76:
            card = _ruled(rng)
            scale = float(rng.uniform(0.25, 0.8))
        elif pick < 0.8:
            card, scale = cards.colour_card(), float(rng.uniform(0.2, 0.5))
        else:
            card = OTHERS[int(rng.integers(len(OTHERS)))](rng)
            scale = float(rng.uniform(0.2, 0.6))
        if card.marks and card.marks[0].kind == "code" and rng.random() < 0.25:
            card = d.curved(card, float(rng.uniform(30, 120)), "x" if rng.random() < 0.5 else "y")
        w, h = card.size
        angle = float(rng.uniform(-180, 180)) if rng.random() < 0.6 else float(rng.choice((0, 90, 180))) + rng.normal()
        c, s = abs(np.cos(np.radians(angle))), abs(np.sin(np.radians(angle)))
        scale = min(scale, 0.95 * width / 4 / (w * c + h * s), 0.95 * height / 3 / (w * s + h * c))
        tilt = (float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.2))) if rng.random() < 0.5 else (0.0, 0.0)
        corners = d.quad(centre, w * scale, h * scale, angle, tilt)
        gloss = float(rng.uniform(0.2, 0.7)) if rng.random() < 0.12 else 0.0
        marks += d.place(picture, card, corners, gloss=gloss, lift=5)
    d.light(rng, picture, float(rng.uniform(0.05, 0.45)))
    picture *= float(rng.uniform(0.6, 1.1))
    pixels = d.camera(rng, picture, blur, float(rng.uniform(1, 6)))
    quality = int(rng.choice((95, 80, 60, 40)))
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=2)
    items = [
        Item(m.kind, m.cls, m.text, m.polygon, m.height, tier(m, blur), "", _angle(m), "table", blur)
        for m in marks
        if m.kind != "text"
    ]
    return Scene(seed, np.asarray(Image.open(out)).copy(), items, quality)


def _angle(mark: d.Mark) -> float:
    (x0, y0), (x1, y1) = mark.polygon[:2]
    return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))


def main() -> None:
    """Draw a contact sheet with the codes outlined."""
    first, count, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    sheet = Image.new("RGB", (2 * 1000, -(-count // 2) * 750))
    for k in range(count):
        made = table(first + k)
        image = Image.fromarray(made.rgb)
        draw = ImageDraw.Draw(image)
        for item in made.items:
            draw.polygon(item.polygon, outline="cyan" if item.kind == "code" else "yellow")
        image.thumbnail((1000, 750))
        sheet.paste(image, (k % 2 * 1000, k // 2 * 750))
    sheet.save(out)


if __name__ == "__main__":
    main()
