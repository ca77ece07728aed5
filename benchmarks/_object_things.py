"""Wristbands, labels, badges, papers, boards, screens, packets: drawn flat, no two laid out alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import _object_measures as measures
from benchmarks._object_sheets import LINEAR, Bytes, Colour, Fonts, Sheet
from benchmarks._people import date, person
from fixtures import _draw as d

SQUARE = ("QRCode", "DataMatrix", "Aztec", "PDF417")
HEADS = ("Observation chart", "Consent form", "Discharge letter", "Referral", "INVOICE", "Prescription", "Lab report",
         "Operationsbericht", "Receipt", "Wound assessment", "Dear colleague", "Delivery note")  # fmt: skip
_NOTE = (
    "wound healing dressing left right heel the and of with changed daily review pain redness margin granulation "
    "slough tissue antibiotic oral mg twice no allergy known seen clinic follow up weeks patient stable"
)
WORDS = tuple(_NOTE.split())
PRODUCTS = (
    "Foam dressing", "Sterile gauze", "Saline 0.9 %", "Hydrocolloid", "IV cannula 20G", "Syringe 10 ml", "Alginate",
    "Paracetamol", "Nitrile gloves", "Suture 3-0", "Milk", "Biscuits", "Coffee", "Tape 2.5 cm", "Povidone",
)  # fmt: skip
SMALL = ("LOT", "REF", "EXP", "STERILE EO", "CE 0123", "Single use only", "Keep dry", "Made in Italy", "5 x 5 cm", "Rx")


@dataclass(frozen=True)
class Kit:
    """What things are drawn with.

    Attributes:
        fonts: The typefaces.
        faces: Pictures of people, (H, W, 3).
        packs: Photographed packets cut out, (H, W, 4).
    """

    fonts: Fonts
    faces: tuple[Bytes, ...] = ()
    packs: tuple[Bytes, ...] = ()

    def face(self, rng: d.RNG, size: float) -> d.Font:
        """A printed typeface."""
        return d.font(self.fonts.printed[int(rng.integers(len(self.fonts.printed)))], max(7, round(size)))

    def hand(self, rng: d.RNG) -> str:
        """A file of a written typeface."""
        return self.fonts.hand[int(rng.integers(len(self.fonts.hand)))]


def paper(rng: d.RNG) -> Colour:
    """The colour of a stock: mostly white, some tinted, few strong."""
    q = rng.random()
    if q < 0.6:
        v = int(rng.integers(215, 256))
        return (v, v, max(0, v - int(rng.integers(0, 18))))
    low = 150 if q < 0.9 else 40
    r, g, b = (int(v) for v in rng.integers(low, 250, 3))
    return (r, g, b)


def ink_for(rng: d.RNG, ground: Colour) -> Colour:
    """An ink that can be seen on a ground, faint now and then."""
    dark = sum(ground) > 330
    r, g, b = (int(v) for v in (rng.integers(0, 70, 3) if dark else rng.integers(200, 256, 3)))
    fade = float(rng.choice((0.0, 0.0, 0.0, 0.35, 0.6)))
    r, g, b = (int(i + (o - i) * fade) for i, o in zip((r, g, b), ground, strict=True))
    return (r, g, b)


def number(rng: d.RNG) -> str:
    """Digits and letters as on a label."""
    return "".join(str(rng.choice(list("0123456789ABCHKNX"))) for _ in range(int(rng.integers(5, 12))))


def fields(rng: d.RNG) -> list[str]:
    """Lines as on a label of a patient."""
    who = person(rng)
    age = f"{rng.integers(1, 99)}Y {rng.choice(('F', 'M'))}"
    rows = [who.name, f"{who.number_label} {who.number}", f"DOB {who.born}", who.ward, who.doctor]
    rows += [who.address or number(rng), date(rng), age, "ALLERGY: NONE"]
    if rng.random() < 0.3:
        rows = [row.upper() for row in rows]
    keep = int(rng.integers(1, 7))
    return [rows[0], *(rows[int(k)] for k in 1 + rng.permutation(len(rows) - 1)[: keep - 1])]


def a_code(rng: d.RNG, sheet: Sheet, at: tuple[int, int], room: tuple[int, int], ink: Colour) -> tuple[int, int]:
    """A code that fits a room."""
    if room[0] > 1.6 * room[1] and rng.random() < 0.85:
        symbology = str(rng.choice(LINEAR))
        digits = "".join(str(v) for v in rng.integers(0, 10, int(rng.integers(3, 6)) * 2))
        text = {"EAN13": "9400000000016", "EAN8": "96385074", "Codabar": f"A{digits}B"}.get(symbology, digits)
        return sheet.code(rng, at, text, symbology, room, ink)
    symbology = str(rng.choice(SQUARE[:3] if room[0] < 2 * room[1] else SQUARE))
    return sheet.code(rng, at, number(rng) + "x" * int(rng.integers(0, 40)), symbology, room, ink)


def block(
    rng: d.RNG, kit: Kit, sheet: Sheet, box: tuple[float, float, float, float], rows: list[str], ink: Colour,
    by_hand: float = 0.0,
) -> None:  # fmt: skip
    """Lines that fill a box, one typeface or two, some written by hand."""
    x0, y0, x1, y1 = box
    pitch = min((y1 - y0) / max(len(rows), 1), 0.34 * (x1 - x0))
    path, face_at = kit.hand(rng), kit.fonts.printed[int(rng.integers(len(kit.fonts.printed)))]
    for k, row in enumerate(rows):
        size = max(8, round(pitch * float(rng.uniform(0.55, 0.82)) * (1.0 if k or rng.random() < 0.5 else 1.1)))
        face = d.font(face_at, size)
        longest = face.getlength(row) or 1.0
        if longest > x1 - x0:
            size = max(7, int(size * (x1 - x0) / longest))
            face = d.font(face_at, size)
        if rng.random() < by_hand:
            pen: Colour = ((20, 26, 110), (18, 18, 22), (120, 20, 30))[int(rng.integers(3))]
            sheet.write(rng, (x0, y0 + k * pitch), row, max(9, round(size * 0.95)), pen, path)
        else:
            sheet.print((x0, y0 + k * pitch), row, face, ink)


def wristband(rng: d.RNG, kit: Kit) -> Sheet:
    """A strip with a code and a name, in any order; blank or by hand now and then."""
    high = int(rng.integers(70, 150))
    wide = int(high * rng.uniform(4, 13))
    ground = paper(rng)
    sheet = Sheet("wristband", (wide, high), ground, int(high * rng.choice((0, 0.15, 0.5))))
    sheet.glossy = rng.random() < 0.5
    ink = ink_for(rng, ground)
    if rng.random() < 0.3:
        edge = paper(rng)
        sheet.draw.rectangle((0, 0, wide, high * rng.uniform(0.05, 0.14)), fill=edge)
    if rng.random() < 0.4:
        for k in range(int(rng.integers(3, 14))):
            x = wide - (k + 1) * high * 0.22
            sheet.draw.ellipse((x, high * 0.44, x + high * 0.1, high * 0.56), fill=(90, 90, 90))
    if rng.random() < 0.06:
        return sheet
    x = wide * float(rng.uniform(0.02, 0.15))
    for part in rng.permutation(["code", "block", "code", "block"])[: int(rng.integers(1, 4))]:
        left = wide * 0.96 - x
        if left < high:
            break
        if part == "code":
            room = (int(min(left, high * rng.uniform(0.8, 3.2))), int(high * rng.uniform(0.5, 0.85)))
            w, _ = a_code(rng, sheet, (int(x), int((high - room[1]) / 2)), room, (10, 10, 14))
            x += w + high * 0.2
        else:
            span = min(left, high * float(rng.uniform(2, 5)))
            rows = fields(rng)[: int(rng.integers(1, 5))]
            block(rng, kit, sheet, (x, high * 0.12, x + span, high * 0.9), rows, ink, 0.9 if rng.random() < 0.15 else 0)
            x += span + high * 0.2
    return sheet


def label(rng: d.RNG, kit: Kit) -> Sheet:
    """A sticker: lines, with or without a code, a border, a band in colour."""
    wide = int(rng.integers(260, 620))
    high = int(wide / rng.uniform(0.9, 3.4))
    ground = paper(rng)
    sheet = Sheet("label", (wide, high), ground, int(rng.choice((0, 8, 22))))
    sheet.glossy = rng.random() < 0.3
    ink = ink_for(rng, ground)
    top, left, right, low = high * 0.06, wide * 0.05, wide * 0.95, high * 0.95
    if rng.random() < 0.3:
        sheet.draw.rectangle((3, 3, wide - 4, high - 4), outline=ink, width=int(rng.integers(1, 5)))
    if rng.random() < 0.25:
        top = high * float(rng.uniform(0.14, 0.3))
        band = paper(rng)
        sheet.draw.rectangle((0, 0, wide, top), fill=band)
        sheet.print((left, top * 0.15), str(rng.choice(HEADS)), kit.face(rng, top * 0.6), ink_for(rng, band))
    q = rng.random()
    if q < 0.25:
        a_code(rng, sheet, (int(left), int(low - high * 0.34)), (int(wide * 0.88), int(high * 0.3)), (8, 8, 10))
        low -= high * 0.4
    elif q < 0.45:
        side = int(min(wide * 0.35, (low - top) * 0.9))
        w, _ = a_code(rng, sheet, (int(right - side), int(top)), (side, side), (8, 8, 10))
        right -= w + wide * 0.04
    elif q < 0.55:
        a_code(rng, sheet, (int(left), int(top)), (int(wide * 0.9), int((low - top) * 0.92)), (8, 8, 10))
        return sheet
    rows = fields(rng) if rng.random() < 0.85 else [str(rng.choice(WORDS)).title() for _ in range(2)]
    block(rng, kit, sheet, (left, top + high * 0.03, right, low), rows, ink, float(rng.choice((0, 0, 0, 0.4, 1.0))))
    return sheet


def badge(rng: d.RNG, kit: Kit) -> Sheet:
    """A badge or card: header band, portrait, large name; or a door sign in strong colour."""
    upright = rng.random() < 0.6
    wide, high = (400, int(400 * rng.uniform(1.3, 1.6))) if upright else (560, int(560 / rng.uniform(1.3, 2.4)))
    ground = paper(rng) if rng.random() < 0.8 else (int(rng.integers(10, 120)),) * 3
    sheet = Sheet("badge", (wide, high), ground, int(rng.choice((0, 14, 30))))
    sheet.glossy = rng.random() < 0.5
    ink = ink_for(rng, ground)
    top = 0.0
    if rng.random() < 0.7:
        r, g, b = (int(v) for v in rng.integers(0, 220, 3))
        top = high * float(rng.uniform(0.12, 0.32))
        sheet.draw.rectangle((0, 0, wide, top), fill=(r, g, b))
        where = str(
            rng.choice(("St Elsewhere", "HARBOUR HEALTH", "Te Whare Ora", "City Hospital", "Klinikum", "Visitor"))
        )
        sheet.print(
            (wide * 0.08, top * 0.2), where, kit.face(rng, min(top * 0.5, wide * 0.09)), ink_for(rng, (r, g, b))
        )
    x0, y0 = wide * 0.08, top + high * 0.05
    if kit.faces and rng.random() < 0.6:
        side = int(min(wide * 0.5, (high - y0) * 0.5))
        x = int(wide / 2 - side / 2) if upright and rng.random() < 0.5 else int(x0)
        person_shown = kit.faces[int(rng.integers(len(kit.faces)))]
        sheet.picture(person_shown, (x, int(y0), x + side, int(y0 + side * rng.uniform(1, 1.2))))
        if upright:
            y0 += side * 1.25
        else:
            x0 = x + side * 1.1
    rows = fields(rng)[: int(rng.integers(1, 4))]
    low = high * 0.94
    if rng.random() < 0.3 and low - y0 > high * 0.3:
        a_code(rng, sheet, (int(x0), int(low - high * 0.14)), (int(wide * 0.94 - x0), int(high * 0.12)), (6, 6, 8))
        low -= high * 0.17
    block(rng, kit, sheet, (x0, y0, wide * 0.94, max(low, y0 + 20)), rows, ink)
    if rng.random() < 0.3:
        sheet.draw.rounded_rectangle((wide * 0.4, 6, wide * 0.6, 18), 6, fill=(60, 60, 60))
    return sheet


def form(rng: d.RNG, kit: Kit) -> Sheet:
    """A sheet of paper: letter, form with a table, chart, note by hand, envelope, receipt."""
    q = rng.random()
    ratio = 0.42 if q < 0.1 else float(rng.uniform(1.2, 1.6)) if q < 0.7 else float(rng.uniform(0.4, 0.8))
    wide = int(rng.integers(480, 760))
    high = int(wide * ratio)
    ground = paper(rng) if rng.random() < 0.4 else (int(rng.integers(225, 256)),) * 3
    sheet = Sheet("paper", (wide, high), ground)
    ink, pen = ink_for(rng, ground), 0.9 if rng.random() < 0.25 else 0.15 if rng.random() < 0.3 else 0.0
    size = float(rng.uniform(11, 30))
    y = high * float(rng.uniform(0.03, 0.1))
    if rng.random() < 0.7:
        y = sheet.print((wide * 0.07, y), str(rng.choice(HEADS)), kit.face(rng, size * 1.7), ink) + size
    if rng.random() < 0.4:
        a_code(
            rng, sheet, (int(wide * 0.62), int(high * 0.03)), (int(wide * 0.3), int(min(high * 0.12, 70))), (8, 8, 10)
        )
    rows = fields(rng)
    y1 = min(high * 0.95, y + len(rows) * size * 1.5)
    block(rng, kit, sheet, (wide * 0.07, y, wide * 0.6, y1), rows, ink, pen)
    y = y1 + size
    face, path = kit.face(rng, size), kit.hand(rng)
    if rng.random() < 0.35 and y < high * 0.7:
        across, down = int(rng.integers(3, 9)), int(rng.integers(3, 12))
        for k in range(across + 1):
            x = wide * (0.07 + 0.86 * k / across)
            sheet.draw.line((x, y, x, high * 0.95), fill=(120, 124, 130), width=1)
        for k in range(down + 1):
            yy = y + (high * 0.95 - y) * k / down
            sheet.draw.line((wide * 0.07, yy, wide * 0.93, yy), fill=(120, 124, 130), width=1)
            if k < down and rng.random() < 0.7:
                sheet.print((wide * 0.08, yy + 2), str(rng.choice(WORDS)), kit.face(rng, min(size, 18)), ink)
        return sheet
    while y < high * 0.92 and rng.random() < 0.97:
        row = " ".join(str(w) for w in rng.choice(WORDS, 14))
        row = row[: max(3, int(wide * float(rng.uniform(0.5, 0.86)) / (face.getlength("abcdefghij") / 10)))]
        if rng.random() < pen:
            sheet.write(rng, (wide * 0.07, y), row[: len(row) * 3 // 4], round(size), (24, 28, 96), path)
        else:
            sheet.print((wide * 0.07, y), row, face, ink)
        y += size * 1.5
    return sheet


def board(rng: d.RNG, kit: Kit) -> Sheet:
    """A whiteboard: names by marker, a grid with tape, magnets; framed or not."""
    wide = int(rng.integers(600, 900))
    high = int(wide / rng.uniform(1.1, 2.0))
    v = int(rng.integers(215, 252))
    sheet = Sheet("whiteboard", (wide, high), (v, v, min(255, v + 3)))
    sheet.glossy = rng.random() < 0.6
    if rng.random() < 0.7:
        sheet.draw.rectangle((0, 0, wide - 1, high - 1), outline=(150, 152, 156), width=int(rng.integers(4, 18)))
    across, down = int(rng.integers(1, 5)), int(rng.integers(2, 8))
    if rng.random() < 0.5:
        for k in range(1, down):
            sheet.draw.line((12, high * k / down, wide - 12, high * k / down), fill=(40, 60, 90), width=2)
        for k in range(1, across):
            sheet.draw.line((wide * k / across, 12, wide * k / across, high - 12), fill=(40, 60, 90), width=2)
    path = kit.hand(rng)
    for r in range(down):
        for c in range(across):
            if rng.random() < 0.3:
                continue
            words = fields(rng)[-1] if rng.random() < 0.6 else str(rng.choice(WORDS))
            pen: Colour = ((20, 30, 150), (16, 16, 18), (170, 20, 30), (10, 110, 50))[int(rng.integers(4))]
            size = int(min(high / down * 0.6, wide / across / max(len(words), 4) * 1.7))
            if size < 9:
                continue
            at = (wide * (c + 0.08) / across, high * (r + 0.15) / down)
            if rng.random() < 0.12:
                sheet.print(at, words, kit.face(rng, size), pen)
            else:
                sheet.write(rng, at, words, size, pen, path)
    for _ in range(int(rng.integers(0, 6))):
        x, y, r0 = rng.uniform(0.05, 0.95) * wide, rng.uniform(0.05, 0.95) * high, rng.uniform(6, 14)
        red, green, blue = (int(v) for v in rng.integers(0, 255, 3))
        sheet.draw.ellipse((x - r0, y - r0, x + r0, y + r0), fill=(red, green, blue))
    return sheet


def screen(rng: d.RNG, kit: Kit) -> Sheet:
    """A monitor with curves and values, a window with fields, or a telephone; its bezel belongs to it."""
    phone = rng.random() < 0.25
    wide = int(rng.integers(300, 420)) if phone else int(rng.integers(520, 860))
    high = int(wide * rng.uniform(1.6, 2.2)) if phone else int(wide / rng.uniform(1.2, 1.9))
    bezel = int(rng.integers(8, 40))
    shell = int(rng.integers(10, 60)) if rng.random() < 0.7 else int(rng.integers(180, 240))
    sheet = Sheet("screen", (wide, high), (shell, shell, shell + 4), 14)
    sheet.glossy = True
    light = rng.random() < 0.4
    r, g, b = (int(v) for v in (rng.integers(200, 256, 3) if light else rng.integers(0, 50, 3)))
    sheet.draw.rectangle((bezel, bezel, wide - bezel, high - bezel), fill=(r, g, b))
    x0, y0, x1, y1 = bezel * 1.4, bezel * 1.3, wide - bezel * 1.4, high - bezel * 1.4
    ink = ink_for(rng, (r, g, b))
    if light or phone:
        bar = high * 0.08
        sheet.draw.rectangle((bezel, bezel, wide - bezel, bezel + bar), fill=(40, 90, 160))
        sheet.print((x0, y0), fields(rng)[0], kit.face(rng, bar * 0.6), (240, 240, 250))
        block(rng, kit, sheet, (x0, y0 + bar * 1.3, x0 + (x1 - x0) * 0.8, y1), fields(rng) + fields(rng), ink)
        return sheet
    if rng.random() < 0.7:
        sheet.print((x0, y0), "  ".join(fields(rng)[:2]), kit.face(rng, high * 0.045), ink)
    lanes = int(rng.integers(2, 6))
    for k in range(lanes):
        red, green, blue = (int(v) for v in rng.integers(60, 256, 3))
        colour = (red, green, blue)
        y = y0 + (y1 - y0) * (0.12 + 0.88 * k / lanes)
        step = (y1 - y0) * 0.88 / lanes
        xs = np.linspace(x0, x0 + (x1 - x0) * 0.72, 240)
        t = np.linspace(0, float(rng.uniform(3, 9)), 240)
        wave = np.abs(np.sin(np.pi * t)) ** float(rng.uniform(1, 30)) * (1 if rng.random() < 0.7 else -0.6)
        points = [(float(x), float(y + step * (0.75 - 0.6 * w))) for x, w in zip(xs, wave, strict=True)]
        sheet.draw.line(points, fill=colour, width=2)
        value = str(rng.choice((f"{rng.integers(40, 140)}", f"{rng.integers(90, 160)}/{rng.integers(50, 95)}", "98")))
        sheet.print(
            (x0 + (x1 - x0) * 0.76, y + step * 0.12), value, kit.face(rng, min(step * 0.55, wide * 0.07)), colour
        )
        sheet.print((x0 + (x1 - x0) * 0.76, y), str(rng.choice(("HR", "SpO2", "NIBP", "RESP", "TEMP"))),
                    kit.face(rng, max(9, step * 0.14)), colour)  # fmt: skip
    return sheet


def packet(rng: d.RNG, kit: Kit) -> Sheet:
    """A product's packet: strong colours, a large name, small print, a code; some are cut from photographs."""
    wide = int(rng.integers(320, 640))
    high = int(wide * rng.uniform(0.5, 1.6))
    r, g, b = (int(v) for v in rng.integers(20, 256, 3))
    sheet = Sheet("packet", (wide, high), (r, g, b), int(rng.choice((0, 0, 10))))
    sheet.glossy = rng.random() < 0.5
    for _ in range(int(rng.integers(1, 5))):
        red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
        x, y, w, h = rng.uniform(-0.2, 1, 2).tolist() + rng.uniform(0.1, 1, 2).tolist()
        box = (x * wide, y * high, (x + w) * wide, (y + h) * high)
        (sheet.draw.rectangle if rng.random() < 0.6 else sheet.draw.ellipse)(box, fill=(red, green, blue))
    shape = sheet.image.getchannel("A")
    ground = sheet.image.getpixel((wide // 2, int(high * 0.15)))
    assert isinstance(ground, tuple)
    ink = ink_for(rng, (int(ground[0]), int(ground[1]), int(ground[2])))
    name = str(rng.choice(PRODUCTS))
    face = kit.face(rng, wide / max(len(name), 5) * 1.3)
    y = sheet.print((wide * 0.06, high * 0.07), name, face, ink) + 6
    rows = [
        f"{rng.choice(SMALL)} {number(rng) if rng.random() < 0.5 else ''}".strip()
        for _ in range(int(rng.integers(2, 8)))
    ]
    if rng.random() < 0.6:
        white = (int(rng.integers(235, 256)),) * 3
        sheet.draw.rectangle((wide * 0.45, high * 0.6, wide * 0.97, high * 0.96), fill=white)
        sheet.marks[int(high * 0.6) : int(high * 0.96), int(wide * 0.45) : int(wide * 0.97)] = 0
        a_code(rng, sheet, (int(wide * 0.5), int(high * 0.64)), (int(wide * 0.44), int(high * 0.26)), (8, 8, 10))
        block(rng, kit, sheet, (wide * 0.05, max(y, high * 0.5), wide * 0.43, high * 0.95), rows, ink)
    else:
        block(rng, kit, sheet, (wide * 0.05, y, wide * 0.9, high * 0.95), rows, ink)
    sheet.image.putalpha(shape)
    return sheet


THINGS: dict[str, tuple[float, Callable[[d.RNG, Kit], Sheet]]] = {
    "wristband": (3.0, wristband),
    "label": (3.0, label),
    "badge": (1.6, badge),
    "paper": (2.0, form),
    "whiteboard": (0.9, board),
    "screen": (1.2, screen),
    "packet": (2.0, packet),
    "ruler": (2.8, measures.ruler),
    "colour card": (1.2, measures.colour_card),
    "dressing": (1.0, measures.dressing),
}
