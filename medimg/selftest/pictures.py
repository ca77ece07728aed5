"""Photos with planted marks: text by kind, size and angle, codes, drawn faces, a ruler and a wound."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterator
from typing import Any, Literal

import msgspec
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.detect import drawn_head as face
from medimg.types import Polygon

SIZE = (1400, 1050)
KINDS = ("text", "code", "face", "keep")

TEXTS: dict[str, tuple[str, ...]] = {
    "name": ("Margaret WHITCOMBE", "Siosaia Tupou-Vainikolo", "NGUYEN Thi Hong Nhung", "Aroha Te Whare"),
    "date": ("03/04/1961", "DOB 12-NOV-1958", "1987-02-28", "born 7.9.49"),
    "number": ("NHI ZAC5361", "MRN 0048213", "NHS 943 476 5919", "Tel 021 555 0143"),
    "address": ("14 Kowhai Street", "Flat 2, 81 Marine Pde", "Karori 6012", "ward 5B bed 12"),
}
"""Kind -> made-up texts; no person is meant."""
HEIGHTS = (12, 18, 28, 44)
"""Letter heights in pixels (of a capital, nearly)."""
ANGLES = (0, 12, 30, 90, 180)
SYMBOLS = ("QRCode", "DataMatrix", "Aztec", "PDF417", "Code128", "EAN13")
MODULES = (2, 4)
"""Pixels of the smallest bar or square."""
HEADS = (90, 200, 420)
TURNS = (0, 90, 180, 270)

Grey = NDArray[np.float32]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One planted thing: where it is (upright pixels), whether it must go or stay, and what sort it is."""

    kind: Literal["text", "code", "face", "keep"]
    must: Literal["go", "stay"]
    polygon: Polygon
    sorts: dict[str, str]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A photo and what is planted in it; ``gone`` are bytes that may stand nowhere in what is shared."""

    name: str
    data: bytes
    marks: tuple[Mark, ...] = ()
    gone: tuple[bytes, ...] = ()
    sort: str = ""


def all_cases(only: Collection[str] = (), *, quick: bool = False) -> Iterator[Case]:
    """Every drawn photo of the named kinds, of all when none is named; about a third of them when ``quick``."""
    drawn = {
        "text": lambda: texts(HEIGHTS[1::2] if quick else HEIGHTS, ANGLES[::2] if quick else ANGLES),
        "code": lambda: codes(MODULES[1:] if quick else MODULES),
        "face": lambda: faces(TURNS[:2] if quick else TURNS),
        "keep": lambda: wounds(2 if quick else 6),
    }
    for kind in KINDS:
        if not only or kind in only:
            yield from drawn[kind]()


def ground(seed: int) -> NDArray[np.uint8]:
    """A bedspread with folds, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    folds = 10 * np.sin(x / rng.uniform(60, 200) + rng.uniform(0, 6)) + 8 * np.sin(y / rng.uniform(80, 240))
    colour = np.array(rng.choice([(168, 176, 182), (120, 150, 150), (188, 182, 170)]), np.float32)
    noise = rng.normal(0, 5, (height, width, 1))
    return np.asarray(np.clip(colour + folds[..., None] + noise, 0, 255), np.uint8)


def encoded(picture: Image.Image, seed: int) -> tuple[bytes, str]:
    """JPEG and PNG in turn, and the suffix."""
    out = io.BytesIO()
    kind = "PNG" if seed % 2 else "JPEG"
    picture.save(out, kind, **({} if kind == "PNG" else {"quality": 92}))
    return out.getvalue(), ".png" if kind == "PNG" else ".jpg"


def _put(picture: Image.Image, patch: Image.Image, centre: tuple[float, float], angle: float) -> Polygon:
    """Paste a patch turned by ``angle`` degrees about ``centre``; the corners of the patch in the picture."""
    turned = patch.convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    x, y = centre[0] - turned.width / 2, centre[1] - turned.height / 2
    picture.paste(turned, (round(x), round(y)), turned)
    a = -math.radians(angle)
    w, h = patch.width / 2, patch.height / 2
    return tuple(
        (centre[0] + u * math.cos(a) - v * math.sin(a), centre[1] + u * math.sin(a) + v * math.cos(a))
        for u, v in ((-w, -h), (w, -h), (w, h), (-w, h))
    )


def _label(text: str, height: int, dark: bool) -> Image.Image:
    """A strip of paper with one line."""
    font = ImageFont.load_default(size=height * 1.4)
    x0, y0, x1, y1 = font.getbbox(text)
    pad = max(4, height // 3)
    paper, ink = ((70, 84, 96), (240, 240, 236)) if dark else ((244, 243, 236), (28, 30, 52))
    out = Image.new("RGB", (int(x1 - x0) + 2 * pad, int(y1 - y0) + 2 * pad), paper)
    ImageDraw.Draw(out).text((pad - x0, pad - y0), text, ink, font=font)
    return out


def texts(heights: tuple[int, ...] = HEIGHTS, angles: tuple[int, ...] = ANGLES) -> Iterator[Case]:
    """One photo for each letter height and angle, with a text of every kind."""
    for n, (height, angle) in enumerate((h, a) for h in heights for a in angles):
        picture = Image.fromarray(ground(n))
        marks = []
        for k, (kind, choices) in enumerate(TEXTS.items()):
            centre = (SIZE[0] * (0.27 + 0.46 * (k % 2)), SIZE[1] * (0.27 + 0.46 * (k // 2)))
            patch = _label(choices[n % len(choices)], height, dark=n % 4 == 3)
            sorts = {"kind": kind, "letters": f"{height} px", "angle": f"{angle}°"}
            where = _put(picture, patch, centre, angle)
            marks.append(Mark(kind="text", must="go", polygon=where, sorts=sorts))
        data, suffix = encoded(picture, n)
        yield Case(name=f"text-{n:02}{suffix}", data=data, marks=tuple(marks))


def _symbol(name: str, module: int) -> Image.Image:
    content = "9421023610112" if name == "EAN13" else f"ZAC5361-{name[:4]}"
    code = zxingcpp.create_barcode(content, getattr(zxingcpp.BarcodeFormat, name))
    bars: NDArray[Any] = np.asarray(code.to_image(scale=module, add_quiet_zones=True))
    return Image.fromarray(np.ascontiguousarray(bars)).convert("RGB")


def codes(modules: tuple[int, ...] = MODULES) -> Iterator[Case]:
    """Every symbology at each module size, level and slanted, three in a photo: covers of more would hold it."""
    halves = (SYMBOLS[:3], SYMBOLS[3:])
    for n, (module, angle, symbols) in enumerate((m, a, s) for m in modules for a in (0, 17) for s in halves):
        picture = Image.fromarray(ground(50 + n))
        marks = []
        for k, name in enumerate(symbols):
            centre = (SIZE[0] * (0.18 + 0.32 * k), SIZE[1] * (0.27 + 0.46 * (k % 2)))
            where = _put(picture, _symbol(name, module), centre, angle)
            sorts = {"code": name, "module": f"{module} px", "angle": f"{angle}°"}
            marks.append(Mark(kind="code", must="go", polygon=where, sorts=sorts))
        data, suffix = encoded(picture, n)
        yield Case(name=f"code-{n:02}{suffix}", data=data, marks=tuple(marks))


def faces(turns: tuple[int, ...] = TURNS) -> Iterator[Case]:
    """Drawn heads of three sizes in each photo, by skin tone and turn, bare and masked."""
    for n, (tone, turn) in enumerate((t, q) for t in face.TONES for q in turns):
        masked = turn in turns[1::2]
        picture = Image.fromarray(ground(80 + n))
        marks = []
        for height, x in zip(HEADS, (0.12, 0.33, 0.68), strict=True):
            patch = face.draw(height * face.HEIGHT // (face.HEAD[3] - face.HEAD[1]), tone, masked=masked, seed=n)
            centre = (SIZE[0] * x, SIZE[1] * 0.5)
            _put(picture, patch, centre, turn)
            where = _head(centre, patch.height / face.HEIGHT, turn)
            sorts = {
                "skin": tone, "turned": f"{turn}°", "head": f"{height} px", "mask": "masked" if masked else "bare",
            }  # fmt: skip
            marks.append(Mark(kind="face", must="go", polygon=where, sorts=sorts))
        data, suffix = encoded(picture, n)
        yield Case(name=f"face-{n:02}{suffix}", data=data, marks=tuple(marks))


def _head(centre: tuple[float, float], scale: float, turn: int) -> Polygon:
    """The part of a drawn head that must go: brows to chin, ear to ear."""
    a = -math.radians(turn)
    middle = (face.WIDTH / 2, face.HEIGHT / 2)
    corners = ((70, 150), (250, 150), (250, 330), (70, 330))
    return tuple(
        (
            centre[0] + scale * ((x - middle[0]) * math.cos(a) - (y - middle[1]) * math.sin(a)),
            centre[1] + scale * ((x - middle[0]) * math.sin(a) + (y - middle[1]) * math.cos(a)),
        )
        for x, y in corners
    )


def wounds(count: int) -> Iterator[Case]:
    """A wound with a paper ruler beside it, and nothing of a person: both must stay."""
    for n in range(count):
        rng = np.random.default_rng(120 + n)
        picture = Image.fromarray(ground(120 + n))
        draw = ImageDraw.Draw(picture)
        tone = face.TONES[list(face.TONES)[n % len(face.TONES)]]
        draw.ellipse((200, 150, 1200, 900), fill=tone)
        spot = (520, 430, 520 + int(rng.integers(160, 260)), 430 + int(rng.integers(120, 200)))
        for k in range(14):
            draw.ellipse(
                (spot[0] + 5 * k, spot[1] + 4 * k, spot[2] - 5 * k, spot[3] - 4 * k), fill=(150 - 5 * k, 40, 42)
            )
        angle = int(rng.choice((0, 8, 90, 150)))
        ruler = _put(picture, _ruler(), (SIZE[0] * 0.42, SIZE[1] * 0.76), angle)
        wound: Polygon = ((spot[0], spot[1]), (spot[2], spot[1]), (spot[2], spot[3]), (spot[0], spot[3]))
        marks = (
            Mark(kind="keep", must="stay", polygon=wound, sorts={"thing": "wound"}),
            Mark(kind="keep", must="stay", polygon=ruler, sorts={"thing": "ruler", "angle": f"{angle}°"}),
        )
        data, suffix = encoded(picture, n)
        yield Case(name=f"wound-{n:02}{suffix}", data=data, marks=marks)


def _ruler() -> Image.Image:
    """Ten centimetres of paper ruler."""
    out = Image.new("RGB", (640, 74), (250, 250, 246))
    draw = ImageDraw.Draw(out)
    font = ImageFont.load_default(size=22)
    for k in range(101):
        x = 20 + 6 * k
        draw.line((x, 0, x, 30 if k % 10 == 0 else 21 if k % 5 == 0 else 13), fill=(20, 20, 20), width=2)
        if k % 10 == 0 and k:
            draw.text((x, 34), str(k // 10), (20, 20, 20), font=font, anchor="ma")
    draw.text((16, 36), "cm", (20, 20, 20), font=font)
    return out
