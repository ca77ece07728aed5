"""Text where no reader expects it: screens, mirrors, linen, lanyards, camera dates, other scripts, creased labels.

Each function draws one flat thing; :mod:`benchmarks.close_ups` lays it into a picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks._people import NAMES, date, name, person
from fixtures import _cards as cards
from fixtures import _draw as d
from medimg.native.opencv import cv2

SCRIPTS: dict[str, tuple[tuple[str, ...], str]] = {
    "cyrillic": (("Наталья Кузнецова", "Дмитрий Орлов", "Олександр Шевченко"), "DejaVuSans.ttf"),
    "greek": (("Ελένη Παπαδοπούλου", "Γιώργος Νικολάου"), "DejaVuSans.ttf"),
    "arabic": (("فاطمة الهاشمي", "خالد منصور"), "DejaVuSans.ttf"),
    "hebrew": (("רחל כהן", "יוסף לוי"), "DejaVuSans.ttf"),
    "chinese": (("张秀英", "欧阳国强", "黄美玲"), "wqy-microhei.ttc"),
    "korean": (("김민서", "박지우", "최동욱"), "wqy-microhei.ttc"),
    "japanese": (("たなか ゆうき", "サトウ ハナコ"), "wqy-microhei.ttc"),
    "devanagari": (("लक्ष्मी अय्यर", "राजेश पटेल"), "Lohit-Devanagari.ttf"),
    "thai": (("สมชาย ใจดี", "มาลี ศรีสุข"), "Garuda.ttf"),
}
"""Made-up names in scripts other than Latin, and a font that has them (left out where the font is not installed)."""


def screen(rng: d.RNG) -> d.Card:
    """A photographed monitor: interference of its pixel rows with the sensor's."""
    card = cards.monitor(person(rng))
    h, w = card.rgba.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    bend = float(rng.uniform(0.0004, 0.002))
    rgb = card.rgba[..., :3].astype(np.float32) + 14
    for channel in range(3):
        turn = float(rng.uniform(0, np.pi))
        wave = (x * np.cos(turn) + y * np.sin(turn) + bend * (x - w / 2) ** 2) / float(rng.uniform(9, 40))
        rgb[..., channel] *= 1 + float(rng.uniform(0.15, 0.4)) * np.sin(2 * np.pi * wave)
    return d.Card(np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), card.rgba[..., 3]]), card.marks)


def mirrored(rng: d.RNG) -> d.Card:
    """A label or wristband seen in a mirror."""
    card = cards.label(rng, person(rng)) if rng.random() < 0.5 else cards.wristband(rng, person(rng))
    w = card.size[0]
    marks = [d.replace(m, polygon=tuple((w - x, y) for x, y in m.polygon)) for m in card.marks if m.kind == "text"]
    return d.Card(np.ascontiguousarray(card.rgba[:, ::-1]), marks)


def reversed_digits(rng: d.RNG) -> d.Card:
    """A number with every figure turned over, as by somebody who writes the wrong way round or through a window."""
    number = person(rng).number
    face = d.pick_font(rng, "print", 60)
    glyphs = []
    for sign in number:
        tile = Image.new("L", (max(8, round(face.getlength(sign))), 84), 0)
        ImageDraw.Draw(tile).text((0, 4), sign, font=face, fill=255)
        glyphs.append(tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    image, _ = d.blank(sum(g.width for g in glyphs) + 80, 130, (244, 244, 240))
    x = 40
    for tile in glyphs:
        image.paste(Image.new("RGBA", tile.size, (30, 30, 60, 255)), (x, 24), tile)
        x += tile.width
    polygon = ((40.0, 36.0), (float(x), 36.0), (float(x), 94.0), (40.0, 94.0))
    return d.finished(image, [d.Mark("text", "record-number", number, polygon, 44.0, 0.8)])


def form(rng: d.RNG) -> d.Card:
    """A form that asks for a name and numbers sign by sign, in boxes; every sign is a text to be covered."""
    image, draw = d.blank(1200, 640, (248, 248, 244))
    cell = int(rng.integers(34, 58))
    face, small = (d.pick_font(rng, "print", size) for size in (round(cell * 0.62), 26))
    who = person(rng)
    rows = (
        ("Name", who.name.upper(), "name"),
        ("Date of birth", f"{rng.integers(1, 29):02}{rng.integers(1, 13):02}{rng.integers(1930, 2015)}", "date"),
        ("Patient no.", str(rng.integers(10**6, 10**8)), "record-number"),
        ("First name", str(rng.choice(("ILO", "TOM", "IDA", "LILI", "JON", "MILA", "INES"))), "name"),
    )
    marks = []
    for k, (label, said, cls) in enumerate(rows):
        y = 50 + round(1.9 * cell * k)
        draw.text((40, y + 8), label, font=small, fill=(60, 60, 70))
        for n, sign in enumerate(said[:16].ljust(14)):
            x = 240 + cell * n
            draw.rectangle((x, y, x + cell, y + cell), outline=(110, 110, 120), width=2)
            if sign.strip():
                x0, y0, x1, y1 = face.getbbox(sign)
                at = (x + (cell - x0 - x1) / 2, y + (cell - y0 - y1) / 2)
                marks.append(d.draw_text(draw, at, sign, face, (20, 20, 60), cls=cls))
    return d.finished(image, marks)


def linen(rng: d.RNG) -> d.Card:
    """A name tape or a laundry mark: stitched or printed on woven cloth."""
    who = person(rng)
    ground = rng.uniform(150, 235, 3)
    weave = d.cloth(rng, 300, 1000, ground, float(rng.uniform(3, 7)))
    ink = ground * float(rng.uniform(0.25, 0.6)) if rng.random() < 0.7 else np.asarray((150, 30, 40.0))
    mask = Image.new("L", (1000, 300), 0)
    draw = ImageDraw.Draw(mask)
    marks = []
    for text, cls, y, size in ((who.name, "name", 40, 74), ("St Elsewhere Hospital", "place", 160, 56)):
        mark = d.draw_text(draw, (50, y), text, d.pick_font(rng, "print", size), 255, cls=cls, culture=who.culture)
        marks.append(d.replace(mark, ink=0.5))
    thread = np.asarray(mask, np.float32) / 255
    if rng.random() < 0.6:  # stitches: short slanted strokes with gaps
        y, x = np.mgrid[0:300, 0:1000].astype(np.float32)
        thread *= 0.45 + 0.55 * (np.sin((x + 0.6 * y) * 2 * np.pi / 6) > -0.2)
    rgb = (
        weave * (1 - thread[..., None])
        + ink * thread[..., None] * (0.9 + 0.1 * d.noise(rng, 300, 1000, 4, 1))[..., None]
    )
    return d.finished(Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)), marks)


def lanyard(rng: d.RNG) -> d.Card:
    """A ribbon with the employer's name over and over."""
    text = str(rng.choice(("Harbour Health", "ST ELSEWHERE", "Te Whare Ora", "Northside Trust")))
    colour = tuple(int(v) for v in rng.integers(10, 120, 3))
    image, draw = d.blank(1700, 96, colour)
    face = d.pick_font(rng, "print", 50)
    marks, x = [], 30.0
    while x + face.getlength(text) < 1680:
        marks.append(d.draw_text(draw, (x, 16), text, face, (240, 240, 240), cls="place"))
        x += face.getlength(text) + 120
    return d.curved(d.finished(image, marks), float(rng.uniform(20, 80)))


def script(rng: d.RNG, which: str) -> d.Card | None:
    """A label with a name in another script, or nothing where no font has it."""
    names, file = SCRIPTS[which]
    found = sorted(Path("/usr/share/fonts").rglob(file))
    if not found:
        return None
    face = ImageFont.truetype(str(found[0]), 64)
    image, draw = d.blank(900, 230, (246, 246, 240))
    marks = []
    for k in range(2):
        text = names[int(rng.integers(len(names)))]
        mark = d.draw_text(draw, (50, 20 + 100 * k), text, face, (26, 26, 34), cls="name", culture=which)
        marks.append(d.replace(mark, height=46.0))
    return d.finished(image, marks)


def crumpled(rng: d.RNG) -> d.Card:
    """A label with creases: shifted by up to a third of a letter and shaded."""
    card = cards.label(rng, person(rng))
    h, w = card.rgba.shape[:2]
    height = d.noise(rng, h, w, 150, 3)
    dy, dx = np.gradient(cv2.GaussianBlur(height, (0, 0), 6))
    amount = float(rng.uniform(250, 600))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    limit = 9.0
    moved = cv2.remap(
        np.ascontiguousarray(card.rgba),
        (x + np.clip(dx * amount, -limit, limit)).astype(np.float32),
        (y + np.clip(dy * amount, -limit, limit)).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    moved[..., :3] *= np.clip(1 - 14 * (dx + dy), 0.5, 1.15)[..., None]
    return d.Card(np.clip(moved, 0, 255).astype(np.uint8), card.marks)


def tags(rng: d.RNG, culture: str) -> list[d.Card]:
    """Twelve slips of paper with one name of a culture each."""
    out = []
    for _ in range(12):
        shown = name(rng, culture)
        hand = rng.random() < 0.25
        ground = tuple(int(v) for v in rng.integers(190, 252, 3))
        fade = float(rng.choice((1.0, 0.6, 0.35)))
        ink = tuple(int(g + (30 - g) * fade) for g in ground)
        style = "hand" if hand else str(rng.choice(("print", "serif", "mono")))
        face = d.pick_font(rng, style, 52)
        room = 1.5 if hand else 1.0  # letters by hand stand further apart, and on no slip a name runs over its end
        image, draw = d.blank(round(room * face.getlength(shown)) + 120, 110, ground)
        if hand:
            mark = cards.hand_line(rng, image, (40, 20), shown, 48, ink, "name", culture)
        else:
            mark = d.draw_text(draw, (40, 18), shown, face, ink, cls="name", culture=culture)
        out.append(d.finished(image, [d.replace(mark, ink=0.85 * fade)]))
    return out


def burned(rng: d.RNG, rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> d.Mark:
    """The date and time a camera writes into a corner."""
    height, width = rgb.shape[:2]
    text = date(rng) if rng.random() < 0.5 else f"{date(rng)} {int(rng.integers(0, 24))}:{int(rng.integers(10, 60))}"
    size = int(rng.integers(16, 44))
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    face = d.pick_font(rng, "mono" if rng.random() < 0.6 else "print", size)
    colour = ((250, 150, 30), (252, 252, 252), (250, 220, 60), (230, 40, 30))[int(rng.integers(4))]
    at = (width - face.getlength(text) - float(rng.uniform(6, 40)), height - size * float(rng.uniform(1.3, 2.2)))
    mark = d.draw_text(draw, at, text, face, colour, cls="date")
    rgb[:] = np.asarray(image, np.uint8)
    return mark


CULTURES = tuple(NAMES)
