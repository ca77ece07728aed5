"""The things that stand in a drawn ward scene: each drawn flat, with what is written on it marked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from benchmarks._people import NAMES, date, name, person
from fixtures import _cards as cards
from fixtures import _draw as d

LINEAR = ("Code128", "Code128", "Code39", "ITF", "Codabar", "EAN13")
MATRIX = ("QRCode", "QRCode", "DataMatrix", "DataMatrix", "Aztec", "PDF417")


def carrier(rng: d.RNG) -> tuple[str, d.Card]:
    made = list(CARRIERS)
    weights = np.asarray([CARRIERS[k][0] for k in made], float)
    pick = made[int(rng.choice(len(made), p=weights / weights.sum()))]
    return pick, CARRIERS[pick][1](rng)


def _style(rng: d.RNG) -> str:
    return str(rng.choice(("print", "print", "serif", "mono")))


def _paper(rng: d.RNG) -> tuple[int, int, int]:
    tint = rng.random()
    if tint < 0.65:
        v = int(rng.integers(225, 253))
        return (v, v, max(0, v - int(rng.integers(0, 12))))
    return tuple(int(v) for v in rng.integers(170, 250, 3))  # type: ignore[return-value]


def _wristband(rng: d.RNG) -> d.Card:
    symbology = str(rng.choice(("Code128", "Code128", "DataMatrix", "QRCode", "Aztec", "ITF", "Code39")))
    return cards.wristband(rng, person(rng), symbology, _paper(rng), _style(rng))


def _label(rng: d.RNG) -> d.Card:
    return cards.label(rng, person(rng), "Code128" if rng.random() < 0.7 else "DataMatrix", _style(rng), _paper(rng))


def _whiteboard(rng: d.RNG) -> d.Card:
    return cards.whiteboard(rng, person(rng))


def _badge(rng: d.RNG) -> d.Card:
    shown = name(rng, list(NAMES)[int(rng.integers(len(NAMES)))])
    role = str(rng.choice(("Registered Nurse", "Doctor", "Student nurse", "Physiotherapist")))
    number = str(int(rng.integers(10**6, 10**7))) if rng.random() < 0.5 else ""
    return cards.badge(
        rng, shown, role, str(rng.choice(("St Elsewhere", "Harbour Health", "Te Whare Ora"))), None, number
    )


def _lines(
    rng: d.RNG,
    size: tuple[int, int],
    rows: list[tuple[str, str]],
    pixels: int,
    style: str,
    pitch: float = 1.6,
    paper: tuple[int, int, int] | None = None,
) -> d.Card:
    """A sheet with printed or handwritten lines, faint ink now and then."""
    ground = paper or _paper(rng)
    image, draw = d.blank(*size, ground)
    fade = float(rng.choice((1.0, 1.0, 0.6, 0.3, 0.18), p=(0.5, 0.2, 0.15, 0.1, 0.05)))
    ink = tuple(int(g + (i - g) * fade) for g, i in zip(ground, (25, 28, 50), strict=True))
    marks = []
    for k, (text, cls) in enumerate(rows):
        at = (size[0] * 0.06, size[1] * 0.08 + k * pixels * pitch)
        if style == "hand":
            mark = cards.hand_line(rng, image, at, text, pixels, ink, cls)
        else:
            mark = d.draw_text(draw, at, text, d.pick_font(rng, style, pixels), ink, cls=cls)
        marks.append(d.replace(mark, ink=0.85 * fade))
    return d.finished(image, marks)


def _envelope(rng: d.RNG) -> d.Card:
    who = person(rng)
    rows = [
        ("PRIVATE", "harmless"),
        (who.name, "name"),
        (who.address or "12 Elm Crescent, Dubbo", "address"),
        (f"{who.number_label} {who.number}", "record-number"),
    ]
    return _lines(rng, (1000, 520), rows, 54, "hand" if rng.random() < 0.4 else _style(rng))


def _door(rng: d.RNG) -> d.Card:
    who = person(rng)
    colour = tuple(int(v) for v in rng.integers(20, 110, 3))
    image, draw = d.blank(900, 420, colour, 12)
    marks = [
        d.draw_text(draw, (50, 40), who.ward, d.pick_font(rng, "print", 86), (248, 248, 248), cls="place"),
        d.draw_text(
            draw, (50, 190), who.doctor, d.pick_font(rng, "print", 60), (240, 240, 240), cls="name", culture=who.culture
        ),
        d.draw_text(draw, (50, 310), "Please wash your hands", d.pick_font(rng, "print", 44), (230, 230, 230)),
    ]
    return d.finished(image, marks)


def _pen(rng: d.RNG) -> d.Card:
    who = person(rng)
    ink = ((30, 34, 90), (20, 20, 24), (80, 24, 60))[int(rng.integers(3))]
    image = Image.new("RGBA", (900, 300), (*ink, 0))
    marks = [cards.hand_line(rng, image, (40, 20), who.name, 90, ink, "name", who.culture)]
    marks.append(
        cards.hand_line(
            rng, image, (40, 160), date(rng) if rng.random() < 0.5 else who.number, 76, ink, "record-number"
        )
    )
    return d.finished(image, marks)


def _chart(rng: d.RNG) -> d.Card:
    who = person(rng)
    rows = [
        ("Observation chart", "harmless"),
        (f"Name: {who.name}", "name"),
        (f"DOB {who.born}", "date"),
        (f"{who.number_label} {who.number}", "record-number"),
        ("Temperature", "harmless"),
        ("Pulse", "harmless"),
        (f"Seen by {who.doctor}", "name"),
        (f"{date(rng)}", "date"),
    ]
    card = _lines(rng, (820, 1100), rows, 46, "hand" if rng.random() < 0.25 else _style(rng), 2.2)
    image = Image.fromarray(card.rgba)
    draw = ImageDraw.Draw(image)
    for x in range(50, 780, 36):
        draw.line((x, 950, x, 1080), fill=(170, 176, 190), width=2)
    for y in range(950, 1081, 26):
        draw.line((50, y, 770, y), fill=(170, 176, 190), width=2)
    return d.finished(image, card.marks)


def _medicine(rng: d.RNG) -> d.Card:
    rows = [
        ["Paracetamol", "500 mg tablets", "20 tablets", "oral use"],
        ["Foam dressing", "10 x 10 cm", "sterile", "single use"],
        ["Sodium chloride", "0.9 % solution", "for irrigation", "100 ml"],
        ["Gauze swabs", "7.5 x 7.5 cm", "non woven", "5 pieces"],
    ]
    symbology = str(rng.choice(("EAN13", "DataMatrix", "")))
    number = {"EAN13": "9400000000016", "DataMatrix": "010940000000001617310229", "": ""}[symbology]
    return cards.packet(rng, rows[int(rng.integers(4))], _paper(rng), symbology, number)


def _ruler(rng: d.RNG) -> d.Card:
    who = person(rng)
    return cards.ruler(rng, int(rng.integers(5, 16)), who.name if rng.random() < 0.3 else "", rng.random() < 0.2)


def _sticker(rng: d.RNG) -> d.Card:
    who = person(rng)
    ground = _paper(rng)
    if rng.random() < 0.5:
        symbology = LINEAR[int(rng.integers(len(LINEAR)))]
        text = {"EAN13": "9400000000016", "ITF": "00114422", "Codabar": "A40156B"}.get(
            symbology, who.number.replace(" ", "").upper()
        )
        return cards.code_card(text, symbology, 4, int(rng.integers(60, 220)), 10, ground)
    symbology = MATRIX[int(rng.integers(len(MATRIX)))]
    text = who.number + "|" + "x" * int(rng.integers(0, 60))
    return cards.code_card(text, symbology, 8 if symbology != "PDF417" else 4, 0, 24, ground)


CARRIERS: dict[str, tuple[float, Callable[[d.RNG], d.Card]]] = {
    "wristband": (3, _wristband),
    "label": (3, _label),
    "whiteboard": (1.2, _whiteboard),
    "monitor": (1, lambda rng: cards.monitor(person(rng))),
    "badge": (1.2, _badge),
    "envelope": (1, _envelope),
    "door sign": (0.8, _door),
    "pen on skin": (0.8, _pen),
    "chart": (1.2, _chart),
    "packet": (1.5, _medicine),
    "ruler": (2, _ruler),
    "colour card": (1, lambda _rng: cards.colour_card()),
    "sticker": (1.5, _sticker),
}
