"""Drawn ward scenes with known text, for ``benchmarks/text.py``. No real person, number or place.

A scene is skin (shaded noise) with labels, wristbands, notes in a handwriting face, dressing packs, rulers, colour
cards, a burned-in date; each laid down in perspective, then blurred, lit unevenly and compressed. The tier says how
hard a text is to read: *easy* (capitals of 24 pixels and more in 12 MP terms), *medium*, *hard* (10 to 13 pixels, low
contrast or blurred).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg._opencv import cv2
from medimg.types import Polygon

WIDTH, HEIGHT = 4000, 3000
FACES = [
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansCondensed",
    "LiberationSans-Regular",
    "LiberationSans-Bold",
    "LiberationMono-Regular",
    "LiberationSerif-Regular",
    "LiberationSansNarrow-Regular",
]
HANDS = ["SteveHand", "Breip", "DancingScript-Regular", "femkeklaver", "ComicNeue-Regular"]
NAMES = {
    "english": ["Margaret Ashdown", "WHITTLE, Peter", "Oliver Penhaligon", "HARGREAVES Susan"],
    "maori": ["Te Rangi Hiroa", "WHAREPAPA, Aroha", "Hinemoa Tamihana", "Rawiri Ngata"],
    "pacific": ["Sione Taufa", "FALEOLO, Mele", "Siaosi Leavai", "Lupe Fifita"],
    "chinese": ["Zhang Wei", "LIU, Meiling", "Xiao Yuxuan", "Chen Jie"],
    "south-asian": ["Priya Raghunathan", "WICKRAMASINGHE Asanka", "Harpreet Kaur", "Imran Siddiqui"],
    "african": ["Oluwaseun Adeyemi", "MTHEMBU, Thabo", "Abena Owusu", "Tesfaye Bekele"],
    "european": ["Katarzyna Wrobel", "María Peñaloza", "JÄRVINEN, Eero", "Giuseppe Scarpelli"],
}
HARMLESS = [
    "STERILE",
    "Mepilex Border 10 x 10 cm",
    "Do not reuse",
    "LEFT",
    "RIGHT foot",
    "Single use only",
    "Latex free",
    "Tegaderm Film",
    "Sodium Chloride 0.9%",
    "Keep dry",
    "Nitrile gloves Large",
    "Gauze swabs",
    "Wound cleanser",
    "Store below 25 C",
    "This side up",
    "Adhesive dressing",
    "500 ml",
    "15 x 20 cm",
    "Sharps container",
]


@dataclass(frozen=True)
class Item:
    """One thing in a scene; ``excepted`` are places on it that may be covered."""

    kind: str
    text: str
    polygon: Polygon
    tier: str = ""
    carrier: str = ""
    angle: str = ""
    culture: str = ""
    excepted: tuple[Polygon, ...] = ()

    @property
    def identifying(self) -> bool:
        return self.kind not in ("ruler", "colour-card", "harmless")


@dataclass
class Scene:
    rgb: NDArray[np.uint8]
    items: list[Item] = field(default_factory=list)


Local = tuple[str, str, str, tuple[float, float, float, float]]


def grown(quad: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    middle = quad.mean(axis=0)
    high = min(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[3] - quad[0])))
    out = quad - middle
    lengths = np.hypot(out[:, 0], out[:, 1])[:, None]
    return (middle + out * (1 + share * high / np.maximum(lengths, 1e-6))).astype(np.float32)


def with_room(polygon: Polygon) -> Polygon:
    """The place of a name with what a cover grown by 12 % and found a little large needs."""
    return tuple((float(x), float(y)) for x, y in grown(np.asarray(polygon, np.float32), 1.2))


def _face(r: random.Random, size: int, names: list[str]) -> Any:
    name = r.choice(names)
    for root in ("/usr/share/fonts/truetype", "/usr/share/fonts/opentype"):
        for path in Path(root).rglob(f"{name}.*"):
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[float, float], words: str, face: Any, ink: Any, kind: str, culture: str,
           out: list[Local]) -> None:  # fmt: skip
    draw.text(at, words, font=face, fill=ink)
    out.append((kind, words, culture, draw.textbbox(at, words, font=face)))


def _identity(r: random.Random) -> list[tuple[str, str, str]]:
    culture = r.choice(sorted(NAMES))
    name = r.choice(NAMES[culture])
    day, month, year = r.randint(1, 28), r.randint(1, 12), r.randint(1928, 2016)
    date = r.choice([f"{day:02}/{month:02}/{year}", f"{day}-{month:02}-{year}", f"{year}-{month:02}-{day:02}"])
    number = "".join(r.choice("0123456789") for _ in range(r.choice([6, 7, 8, 10])))
    out = [
        ("name", name, culture),
        ("date", r.choice(["DOB ", "Born ", ""]) + date, ""),
        ("record-number", r.choice(["MRN ", "NHI ", "Hosp No ", "URN: ", ""]) + number, ""),
        (
            "address",
            f"{r.randint(1, 300)} {r.choice(['Rimu', 'Larch', 'Wakefield'])} {r.choice(['Street', 'Road'])}",
            "",
        ),
        ("phone", f"0{r.randint(20, 29)} {r.randint(200, 999)} {r.randint(1000, 9999)}", ""),
        ("hospital", r.choice(["Northfield Hospital", "Ward 7B", "St Anselm Infirmary"]), ""),
    ]
    return [out[0], *r.sample(out[1:], r.randint(1, 4))]


def _label(r: random.Random, s: int, ink: Any) -> tuple[Image.Image, list[Local]]:
    lines = _identity(r)
    image = Image.new("RGB", (s * 18, round(s * (1.2 + 1.45 * len(lines)))), r.choice(["white", "#f6f3ea", "#fffbe0"]))
    draw, out, face = ImageDraw.Draw(image), [], _face(r, s, FACES)
    for k, (kind, words, culture) in enumerate(lines):
        _write(draw, (s * 0.8, s * (0.5 + 1.45 * k)), words, face, ink, kind, culture, out)
    return image, out


def _band(r: random.Random, s: int, ink: Any) -> tuple[Image.Image, list[Local]]:
    lines = _identity(r)
    image = Image.new("RGB", (s * 34, round(s * 4.4)), r.choice(["white", "#e9f2fb"]))
    draw, out, face = ImageDraw.Draw(image), [], _face(r, s, FACES)
    for k, (kind, words, culture) in enumerate(lines[:4]):
        _write(draw, (s * (1 + 17 * (k // 2)), s * (0.5 + 1.7 * (k % 2))), words, face, ink, kind, culture, out)
    return image, out


def _note(r: random.Random, s: int, ink: Any) -> tuple[Image.Image, list[Local]]:
    culture = r.choice(sorted(NAMES))
    image = Image.new("RGB", (s * 18, s * 3), r.choice(["white", "#fff7a8", "#f4f4f4"]))
    draw, out = ImageDraw.Draw(image), []
    pen = r.choice([(20, 30, 120), (20, 20, 20), (150, 20, 30)]) if ink == 0 else ink
    _write(draw, (s, s * 0.5), r.choice(NAMES[culture]), _face(r, round(s * 1.5), HANDS), pen, "name", culture, out)
    return image, out


def _pack(r: random.Random, s: int, ink: Any) -> tuple[Image.Image, list[Local]]:
    image = Image.new("RGB", (s * 18, s * 5), r.choice(["white", "#bfe3f5", "#e8e8d8", "#d9efdc"]))
    draw, out, face = ImageDraw.Draw(image), [], _face(r, s, FACES)
    for k, words in enumerate(r.sample(HARMLESS, 2)):
        _write(draw, (s, s * (0.5 + 2.1 * k)), words, face, (0, 60, 120) if ink == 0 else ink, "harmless", "", out)
    return image, out


def _ruler(r: random.Random, s: int, _ink: Any) -> tuple[Image.Image, list[Local]]:
    mm = max(7, round(s * 0.45))
    length = r.choice([8, 10, 15])
    width, height = mm * 10 * (length + 1), mm * r.choice([14, 18, 22])
    paper, ink = r.choice(
        [("white", (0, 0, 0)), ("#f4f0d0", (0, 0, 0)), ("#101010", (240, 240, 240)), ("white", (20, 60, 160))]
    )
    image = Image.new("RGB", (width, height), paper)
    draw, face = ImageDraw.Draw(image), _face(r, mm * 3, FACES)
    out: list[Local] = [("ruler", "", "", (0, 0, width, height))]
    for k in range(length * 10 + 1):
        x = mm * 5 + k * mm
        draw.line((x, 0, x, mm * (5 if k % 10 == 0 else 4 if k % 5 == 0 else 2.6)), fill=ink, width=max(1, mm // 5))
        if k % 10 == 0:
            draw.text((x, mm * 5.3), str(k // 10), font=face, fill=ink, anchor="mt")
    if r.random() < 0.5:
        draw.text((width - mm * 12, height - mm * 4), r.choice(["cm", "mm"]), font=face, fill=ink)
    if r.random() < 0.4 and paper != "#101010":
        culture = r.choice(sorted(NAMES))
        hand = _face(r, mm * 4, HANDS)
        _write(draw, (mm * 12, height - mm * 5.2), r.choice(NAMES[culture]), hand, (20, 30, 120), "name", culture, out)
    return image, out


def _card(r: random.Random, s: int, _ink: Any) -> tuple[Image.Image, list[Local]]:
    image = Image.new("RGB", (s * 14, s * 10), (30, 30, 30))
    draw = ImageDraw.Draw(image)
    for k in range(24):
        x, y = s * (0.6 + 2.2 * (k % 6)), s * (0.6 + 2.3 * (k // 6))
        colour = (255 - k % 6 * 45,) * 3 if k >= 18 else tuple(r.randint(20, 240) for _ in range(3))
        draw.rectangle((x, y, x + s * 1.9, y + s * 1.9), fill=colour)
    return image, [("colour-card", "", "", (0, 0, s * 14, s * 10))]


def _skin(r: random.Random) -> NDArray[np.uint8]:
    rng = np.random.default_rng(r.randrange(1 << 30))
    tone = np.array(
        r.choice([(214, 170, 145), (150, 105, 80), (90, 60, 45), (232, 196, 176), (70, 110, 120)]), np.float32
    )
    out = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    for cells, strength in ((6, 16), (40, 7), (200, 4), (900, 3)):
        noise = rng.normal(0, strength, (cells * 3 // 4 + 1, cells)).astype(np.float32)
        out[..., 0] += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(out + tone, 0, 255), np.uint8)


def draw(seed: int) -> Scene:
    """One scene of 12 MP; the same seed gives the same scene."""
    r = random.Random(seed)
    rgb = _skin(r)
    scene = Scene(rgb)
    makers = [
        ("label", _label),
        ("wristband", _band),
        ("note", _note),
        ("pack", _pack),
        ("ruler", _ruler),
        ("card", _card),
    ]
    places = [(x, y) for x in range(2) for y in range(3)]
    r.shuffle(places)
    for (carrier, make), (column, row) in zip(makers, places, strict=True):
        if carrier == "card" and r.random() < 0.5:
            continue
        tier = r.choice(["easy", "medium", "hard"])
        size = {"easy": r.randint(42, 70), "medium": r.randint(26, 36), "hard": r.randint(15, 20)}[tier]
        contrast = tier == "hard" and r.random() < 0.4
        patch, local = make(r, size * 2, (165, 165, 170) if contrast else 0)
        _lay(scene, r, patch, local, carrier, tier, ((column + 0.5) * WIDTH / 2, (row + 0.5) * HEIGHT / 3))
    blur = r.choice([0.0, 0.0, 1.0, 1.6])
    if blur:
        scene.rgb = np.asarray(cv2.GaussianBlur(scene.rgb, (0, 0), blur), np.uint8)
    light = np.linspace(r.uniform(0.6, 1.0), 1.0, WIDTH, dtype=np.float32)[None, :, None]
    scene.rgb = (scene.rgb * light).astype(np.uint8)
    if r.random() < 0.3:
        image = Image.fromarray(scene.rgb)
        out: list[Local] = []
        words = f"{r.randint(1, 12):02}/{r.randint(1, 28):02}/20{r.randint(10, 25)}"
        _write(
            ImageDraw.Draw(image),
            (WIDTH - 760, HEIGHT - 160),
            words,
            _face(r, 96, FACES),
            (255, 150, 30),
            "date",
            "",
            out,
        )
        box = out[0][3]
        place = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
        scene.items.append(Item("date", words, place, "easy", "burned-in", "0"))
        scene.rgb = np.asarray(image, np.uint8)
    quality = [int(cv2.IMWRITE_JPEG_QUALITY), r.choice([60, 80, 92])]
    coded = cv2.imencode(".jpg", np.ascontiguousarray(scene.rgb[..., ::-1]), quality)[1]
    scene.rgb = np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
    return scene


def _lay(scene: Scene, r: random.Random, patch: Image.Image, local: list[Local], carrier: str, tier: str,
         middle: tuple[float, float]) -> None:  # fmt: skip
    # Drawn at twice the size and laid down at half of it: lettering as soft as a lens makes it.
    pixels = np.asarray(patch.resize((patch.width // 2, patch.height // 2), Image.Resampling.LANCZOS), np.uint8)
    high, wide = pixels.shape[:2]
    degrees = r.choice([0, 0, 4, -9, 20, -35, 60, 90, 180, -80])
    a = np.deg2rad(degrees)
    room = min(
        1.0,
        1900 / (abs(wide * np.cos(a)) + abs(high * np.sin(a))),
        960 / (abs(wide * np.sin(a)) + abs(high * np.cos(a))),
    )
    half = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]], np.float64) / 2 * room
    half += np.array([[r.uniform(-0.03, 0.03) * wide, r.uniform(-0.05, 0.05) * high] for _ in range(4)]) * room
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    corners = (half @ turn.T + middle).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32), corners)
    size = (WIDTH, HEIGHT)
    there = cv2.warpPerspective(np.full((high, wide), 255, np.uint8), matrix, size) > 127
    scene.rgb[there] = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_AREA)[there]
    items = []
    for kind, words, culture, box in local:
        flat = np.array([[[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]], np.float32) / 2
        place = tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(flat, matrix)[0])
        sort = "0-10" if abs(degrees) < 10 else "10-45" if abs(degrees) <= 45 else "over 45"
        # What was shrunk to fit its place is harder than it was meant to be.
        rank = ["easy", "medium", "hard"].index(tier) + (room < 0.75)
        items.append(Item(kind, words, place, ["easy", "medium", "hard", "hard"][rank], carrier, sort, culture))
    names = tuple(i.polygon for i in items if i.identifying)
    for item in items:
        whole = item.kind in ("ruler", "colour-card")
        scene.items.append(Item(**{**vars(item), "excepted": names}) if whole else item)
