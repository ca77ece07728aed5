"""Ward scenes by a second maker: composites on photographs, with the outline of every carrier and all that is on it.

Nothing is shared with :mod:`benchmarks.scenes`: other layouts, typefaces, names, shapes, light. The photographs and the
typefaces are folders that the caller names; half of either judge alone (``check``), told apart by source or by name::

    python -m benchmarks.carrier_scenes PHOTOS FONTS 0 12 sheet.png
"""

from __future__ import annotations

import functools
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.native.opencv import cv2

Pixels = NDArray[np.uint8]
RNG = np.random.Generator
Points = NDArray[np.float32]
FIRST = ("Ines", "Tobias", "Hana", "Mateo", "Aroha", "Oskar", "Leila", "Ragnar", "Chidi", "Yuki", "Bronte", "Anselm")
LAST = ("Okonjo", "Vandermeer", "Halvorsen", "Quispe", "Tamihana", "Lindqvist", "Castellano", "Brzezinski", "Farrow",
        "Nakagawa", "Delacroix", "Mukherjee", "Whitcombe", "Eriksen")  # fmt: skip
WARDS = ("Ward 7B", "ICU 2", "St Brannoc Hospital", "Kauri Wing", "Burns Unit", "Seaview Clinic")
PRODUCTS = ("Silicone foam dressing", "Sterile gauze swabs", "Sodium chloride 0.9 %", "Hydrogel 15 g", "Cannula 20 G")
SLIPS = ("wristband", "label", "badge", "card", "vial", "envelope")


@dataclass
class Mark:
    """Something on a thing: ``text``, ``code`` or ``body``; whether it identifies; what it says; its four corners.

    ``under`` is what was laid on it later, where that is known.
    """

    kind: str
    identifying: bool
    text: str
    polygon: Points
    under: tuple[Points, ...] = ()


@dataclass
class Thing:
    """A thing: its sort, its outline and the marks on it, in pixels of the picture in the end."""

    sort: str
    polygon: Points
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Made:
    """A picture, what lies in it, and the name of the source of its photograph."""

    rgb: Pixels
    things: list[Thing]
    source: str


class Sheet:
    """A flat thing while it is drawn."""

    def __init__(self, rng: RNG, fonts: tuple[str, ...], size: tuple[int, int], ground: tuple[int, int, int]) -> None:
        self.rng, self.size = rng, size
        self.image = Image.new("RGBA", size, (*ground, 255))
        self.draw = ImageDraw.Draw(self.image)
        self.marks: list[Mark] = []
        self.face = fonts[int(rng.integers(len(fonts)))]

    def text(self, at: tuple[float, float], words: str, high: int, ink: tuple[int, int, int], bad: bool) -> float:
        """Write a line; its height below ``at`` is returned."""
        font = ImageFont.truetype(self.face, high)
        while font.getlength(words) > self.size[0] - at[0] - 4 and high > 10:
            high -= 1
            font = ImageFont.truetype(self.face, high)
        self.draw.text(at, words, font=font, fill=ink)
        x0, y0, x1, y1 = self.draw.textbbox(at, words, font=font)
        self.marks.append(Mark("text", bad, words, box(x0, y0, x1, y1)))
        return y1 - at[1]

    def code(self, at: tuple[float, float], sort: str, room: tuple[int, int], says: str) -> None:
        """A code that fills a room."""
        made = zxingcpp.create_barcode(says, zxingcpp.barcode_format_from_str(sort))
        tight = np.asarray(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=True))
        if sort == "Code128":
            tight = np.repeat(tight[tight.shape[0] // 2][None], 8, 0)
            step = max(1, room[0] // tight.shape[1])
            size = (tight.shape[1] * step, room[1])
        else:
            step = max(1, min(room[0] // tight.shape[1], room[1] // tight.shape[0]))
            size = (tight.shape[1] * step, tight.shape[0] * step)
        grown = Image.fromarray(np.ascontiguousarray(tight)).convert("L").resize(size, Image.Resampling.NEAREST)
        x, y = int(at[0]), int(at[1])
        self.image.paste(Image.merge("RGB", (grown,) * 3), (x, y))
        rim = 2 * step
        self.marks.append(Mark("code", True, sort, box(x + rim, y, x + size[0] - rim, y + size[1])))


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """Four corners, clockwise."""
    return np.asarray(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), np.float32)


def _who(rng: RNG) -> tuple[str, str, str]:
    first, last = str(rng.choice(FIRST)), str(rng.choice(LAST))
    name = f"{last.upper()}, {first}" if rng.random() < 0.5 else f"{first} {last}"
    born = f"{rng.integers(1, 29):02}/{rng.integers(1, 13):02}/{rng.integers(1931, 2015)}"
    return name, born, f"{rng.choice(('MRN', 'NHI', 'UR', 'Pat.-Nr.'))} {rng.integers(10**6, 10**8)}"


def _pale(rng: RNG) -> tuple[int, int, int]:
    v = int(rng.integers(222, 252))
    if rng.random() < 0.7:
        return v, v, max(v - int(rng.integers(0, 14)), 0)
    r, g, b = (int(c) for c in rng.integers(165, 250, 3))
    return r, g, b


def _wristband(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (int(rng.integers(900, 1250)), int(rng.integers(130, 190))), _pale(rng))
    wide, high = sheet.size
    name, born, number = _who(rng)
    sheet.draw.ellipse((14, high / 2 - 14, 42, high / 2 + 14), fill=(120, 120, 126, 255))
    x = 70 + int(rng.integers(0, 120))
    left = rng.random() < 0.5
    linear = rng.random() < 0.5
    if left:
        sheet.code((x, 14), "Code128" if linear else "DataMatrix", (280, high - 34), number[-8:])
        x += 330 if linear else 170
    y = 12.0
    for line in (name, f"DOB {born}  {number}", f"{rng.choice(WARDS)}  Dr {rng.choice(LAST)}")[
        : int(rng.integers(2, 4))
    ]:
        y += 1.25 * sheet.text((x, y), line, int(high * 0.24), (24, 24, 34), True)
    if not left and rng.random() < 0.6:
        sheet.code((wide - 330, 14), "Code128" if linear else "QRCode", (280, high - 34), number[-8:])
    return sheet


def _label(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (int(rng.integers(460, 640)), int(rng.integers(260, 400))), _pale(rng))
    wide, high = sheet.size
    name, born, number = _who(rng)
    y = 16.0
    if rng.random() < 0.4:
        sheet.draw.rectangle((0, 0, wide, high * 0.2), fill=tuple(int(v) for v in rng.integers(20, 160, 3)))
        sheet.text((18, 8), str(rng.choice(WARDS)), int(high * 0.12), (250, 250, 250), True)
        y = high * 0.24
    for line in (name, f"DOB {born}", number, f"Dr {rng.choice(LAST)}")[: int(rng.integers(2, 5))]:
        y += 1.3 * sheet.text((18, y), line, int(high * 0.11), (20, 20, 26), True)
    if high - y > 60 and rng.random() < 0.8:
        sheet.code((18, y + 6), "Code128", (wide - 60, int(high - y - 20)), number[-8:])
    return sheet


def _badge(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (400, 600) if rng.random() < 0.6 else (600, 380), _pale(rng))
    wide, high = sheet.size
    band = tuple(int(v) for v in rng.integers(10, 150, 3))
    sheet.draw.rectangle((0, 0, wide, high * 0.2), fill=band)
    sheet.text((20, high * 0.05), str(rng.choice(WARDS)), int(high * 0.075), (250, 250, 250), True)
    sheet.draw.rectangle((24, high * 0.26, 24 + wide * 0.3, high * 0.62), fill=(150, 160, 172))
    name, _, number = _who(rng)
    side = wide > high
    x, y = (wide * 0.42, high * 0.3) if side else (24, high * 0.66)
    y += 1.4 * sheet.text((x, y), name, int(high * 0.075), (20, 20, 26), True)
    y += 1.4 * sheet.text(
        (x, y), str(rng.choice(("Nurse", "Consultant", "Student"))), int(high * 0.055), (40, 40, 60), False
    )
    if rng.random() < 0.5:
        sheet.code((wide * 0.62, high * 0.62) if side else (wide * 0.6, high * 0.3), "QRCode", (140, 140), number)
    return sheet


def _card(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    r, g, b = (int(v) for v in rng.integers(120, 235, 3))
    sheet = Sheet(rng, fonts, (620, 390), (r, g, b))
    name, born, number = _who(rng)
    y = 30.0
    for line in ("Health Insurance Card", name, number, f"Valid to 0{rng.integers(1, 10)}/2031", f"Born {born}"):
        y += 1.7 * sheet.text((34, y), line, 38, (18, 18, 30), not line.startswith(("Health", "Valid")))
    return sheet


def _vial(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (520, 210), _pale(rng))
    name, born, number = _who(rng)
    y = 10.0
    for line in (name, number, born):
        y += 1.3 * sheet.text((14, y), line, 32, (20, 20, 26), True)
    sheet.code((300, 16), "DataMatrix", (150, 170), number)
    return sheet


def _envelope(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (900, 460), _pale(rng))
    name, _, number = _who(rng)
    y = 150.0
    for line in (name, f"{rng.integers(1, 90)} {rng.choice(LAST)} Street", "9016 Dunedin", number):
        y += 1.5 * sheet.text((260, y), line, 40, (30, 30, 44), True)
    return sheet


def _sheet(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (700, 900), _pale(rng))
    name, born, number = _who(rng)
    y = 40.0
    for line in (
        "Wound assessment",
        f"Name {name}",
        f"DOB {born}",
        number,
        "Temperature",
        "Pulse",
        f"Seen by Dr {rng.choice(LAST)}",
    ):
        y += 2.2 * sheet.text((50, y), line, 36, (30, 30, 40), line not in ("Wound assessment", "Temperature", "Pulse"))
    return sheet


def _screen(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (900, 620), (8, 10, 14))
    name, _, number = _who(rng)
    sheet.text((20, 10), f"{name}   {number}", 34, (220, 220, 220), True)
    for k, (line, colour) in enumerate(
        (
            ("HR 78", (60, 230, 90)),
            ("SpO2 97 %", (80, 200, 240)),
            ("RR 16", (240, 230, 80)),
            ("BP 124/76", (240, 90, 90)),
        )
    ):
        sheet.text((560, 90 + k * 126), line, 60, colour, False)
        xs = np.arange(20, 540, 4)
        ys = 120 + k * 126 + 34 * np.sin(xs / float(rng.uniform(8, 22))) ** 7
        sheet.draw.line([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)], fill=colour, width=3)
    return sheet


def _packet(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    r, g, b = (int(v) for v in rng.integers(120, 250, 3)) if rng.random() < 0.6 else (236, 238, 240)
    sheet = Sheet(rng, fonts, (620, 460), (r, g, b))
    sheet.draw.rectangle((0, 0, 620, 100), fill=tuple(int(v) for v in rng.integers(10, 120, 3)))
    sheet.text((24, 20), str(rng.choice(PRODUCTS)), 50, (250, 250, 250), False)
    y = 120.0
    for line in ("10 cm x 10 cm", "STERILE EO", "Single use only", "Keep dry"):
        y += 1.3 * sheet.text((24, y), line, 34, (20, 20, 30), False)
    sheet.text((24, y + 10), f"LOT {rng.integers(10**4, 10**6)}", 30, (20, 20, 30), False)
    sheet.text((24, y + 54), f"REF {rng.integers(10**4, 10**6)}", 30, (20, 20, 30), False)
    sheet.text((300, y + 10), f"EXP 20{rng.integers(27, 33)}-0{rng.integers(1, 10)}", 30, (20, 20, 30), False)
    sheet.code((360, 130), "DataMatrix", (130, 130), "010940110024")
    return sheet


def _ruler(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    ground, ink = [((250, 250, 246), (20, 20, 26)), ((240, 214, 80), (10, 10, 14)), ((30, 30, 34), (240, 240, 240)),
                   ((170, 174, 178), (20, 20, 26))][int(rng.integers(4))]  # fmt: skip
    count, step = int(rng.integers(6, 16)), int(rng.integers(56, 90))
    high = int(rng.integers(70, 150))
    sheet = Sheet(rng, fonts, (count * step + 60, high), ground)
    font = ImageFont.truetype(sheet.face, int(rng.integers(24, 34)))
    for k in range(10 * count + 1):
        x = 30 + k * step / 10
        sheet.draw.line((x, 0, x, 30 if k % 10 == 0 else 22 if k % 5 == 0 else 14), fill=ink, width=2)
    for k in range(count + 1):
        words = str(k * (10 if high > 120 else 1))
        sheet.draw.text((30 + k * step - font.getlength(words) / 2, 32), words, font=font, fill=ink)
    sheet.marks.append(Mark("body", False, "ruler", box(0, 0, *sheet.size)))
    return sheet


def _colour_card(rng: RNG, fonts: tuple[str, ...]) -> Sheet:
    sheet = Sheet(rng, fonts, (600, 240), (240, 240, 240) if rng.random() < 0.5 else (30, 30, 30))
    for k in range(12):
        x, y = 20 + (k % 6) * 95, 20 + (k // 6) * 105
        sheet.draw.rectangle((x, y, x + 84, y + 94), fill=tuple(int(v) for v in rng.integers(10, 245, 3)))
    sheet.marks.append(Mark("body", False, "colour-card", box(0, 0, *sheet.size)))
    return sheet


MAKERS = {
    "wristband": (3.0, _wristband), "label": (3.0, _label), "badge": (2.0, _badge), "card": (1.0, _card),
    "vial": (1.0, _vial), "envelope": (0.7, _envelope), "sheet": (0.8, _sheet), "screen": (0.7, _screen),
    "packet": (2.0, _packet), "ruler": (3.0, _ruler), "colour-card": (0.8, _colour_card),
}  # fmt: skip


@functools.lru_cache(maxsize=4)
def _files(folder: Path, check: bool) -> dict[str, list[Path]]:
    """Photographs by source; a source whose name ends in _train is not for judging, one of the others by halves."""
    out: dict[str, list[Path]] = {}
    for source in sorted(p for p in folder.iterdir() if p.is_dir()):
        paths = sorted(p for p in source.rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
        if source.name.endswith(("_train", "_test")) or source.name == "medetec":
            paths = paths if check != source.name.endswith("_train") else []
        else:
            paths = paths[int(check) :: 2]
        if paths:
            out[source.name] = paths
    return out


@functools.lru_cache(maxsize=4)
def _fonts(folder: Path, check: bool) -> tuple[str, ...]:
    found = sorted(str(p) for p in folder.rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    return tuple(found[int(check) :: 2])


def photograph(rng: RNG, folder: Path, check: bool) -> tuple[Pixels, str]:
    """A photograph and its source, grown to the size of a scene."""
    sources = _files(folder, check)
    name = list(sources)[int(rng.integers(len(sources)))]
    path = sources[name][int(rng.integers(len(sources[name])))]
    rgb = np.asarray(Image.open(path).convert("RGB"), np.uint8)
    grey = rgb.max(2) > 12  # the black bars of the foot ulcers are no photograph
    rows, columns = np.flatnonzero(grey.any(1)), np.flatnonzero(grey.any(0))
    if len(rows) > 40 and len(columns) > 40:
        rgb = rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(rgb), name


def scene(seed: int, photos: Path, fonts: Path, check: bool, long: int = 1600) -> Made:
    """Draw the scene of a seed."""
    rng = np.random.default_rng((seed, 977, int(check)))
    rgb, source = photograph(rng, photos, check)
    ratio = float(rng.choice((4 / 3, 3 / 2, 1.0)))
    width, height = (long, round(long / ratio)) if rng.random() < 0.7 else (round(long / ratio), long)
    factor = max(width / rgb.shape[1], height / rgb.shape[0])
    grown = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)[:height, :width]
    picture = np.asarray(grown, np.float32)
    height, width = picture.shape[:2]
    things: list[Thing] = []
    taken = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        weights = np.asarray([w for w, _ in MAKERS.values()])
        sort = list(MAKERS)[int(rng.choice(len(MAKERS), p=weights / weights.sum()))]
        sheet = MAKERS[sort][1](rng, _fonts(fonts, check))
        thing = _lay(rng, picture, taken, sort, sheet)
        things += [thing] if thing else []
    first, last = (float(v) for v in rng.uniform(0.75, 1.1, 2))
    picture *= np.linspace(first, last, width, dtype=np.float32)[None, :, None]
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.choice((0.4, 0.7, 1.1, 1.6)))), np.float32)
    noise = rng.normal(0, float(rng.uniform(1, 5)), picture.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(picture + noise, 0, 255).astype(np.uint8)).save(
        out, "JPEG", quality=int(rng.integers(60, 95))
    )
    return Made(np.asarray(Image.open(out)).copy(), things, source)


def _lay(rng: RNG, picture: NDArray[np.float32], taken: Pixels, sort: str, sheet: Sheet) -> Thing | None:
    height, width = taken.shape
    w, h = sheet.size
    for _ in range(12):
        long = max(width, height) * float(rng.uniform(0.22, 0.5)) * (1.35 if sort in ("wristband", "ruler") else 1.0)
        scale = min(long / max(w, h), 1.25)
        turn = float(np.radians(rng.choice((0, 0, 0, 90, 180, 270)) + rng.normal(0, 12)))
        centre = np.asarray((rng.uniform(0.12, 0.88) * width, rng.uniform(0.12, 0.88) * height))
        half = np.asarray(((-w, -h), (w, -h), (w, h), (-w, h))) * scale / 2
        half *= 1 + rng.uniform(-0.1, 0.1, (4, 2))
        corners = half @ np.asarray(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))) + centre
        there = np.zeros_like(taken)
        cv2.fillPoly(there, [np.round(corners).astype(np.int32)], 1)
        inside = there.sum() / max(abs(cv2.contourArea(corners.astype(np.float32))), 1)
        if inside > (0.75 if rng.random() < 0.3 else 0.99) and not (there & taken).any():
            break
    else:
        return None
    taken |= np.asarray(cv2.dilate(there, np.ones((9, 9), np.uint8)), np.uint8)
    warp = cv2.getPerspectiveTransform(box(0, 0, w, h), corners.astype(np.float32))
    flat = np.asarray(sheet.image)
    if scale < 0.8:  # a warp alone would skip pixels
        flat = cv2.GaussianBlur(flat, (0, 0), 0.4 / scale)
    shade = 1 - 0.18 * np.abs(np.linspace(-1, 1, w)) ** 2 if sort in ("wristband", "vial") else np.ones(w)
    flat = np.dstack((flat[..., :3] * shade[None, :, None], flat[..., 3:]))
    laid = cv2.warpPerspective(flat.astype(np.float32), warp, (width, height), flags=cv2.INTER_AREA)
    cover = laid[..., 3:] / 255
    dark = np.roll(cv2.GaussianBlur(cover[..., 0], (0, 0), 6), (5, 3), (0, 1))[..., None]
    picture *= 1 - float(rng.uniform(0, 0.45)) * dark * (1 - cover)
    picture[:] = picture * (1 - cover) + laid[..., :3] * cover

    def moved(polygon: Points) -> Points:
        return np.asarray(cv2.perspectiveTransform(polygon[None], warp)[0], np.float32)

    marks = [Mark(m.kind, m.identifying, m.text, moved(m.polygon)) for m in sheet.marks]
    return Thing(sort, corners.astype(np.float32), marks)


def main() -> None:
    """A contact sheet."""
    photos, fonts, first, count, out = (
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
        sys.argv[5],
    )
    board = Image.new("RGB", (4 * 480, -(-count // 4) * 480))
    for k in range(count):
        image = Image.fromarray(scene(first + k, photos, fonts, True).rgb)
        image.thumbnail((476, 476))
        board.paste(image, ((k % 4) * 480, (k // 4) * 480))
    board.save(out)


if __name__ == "__main__":
    main()
