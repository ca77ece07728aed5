"""Photographs that the network of objects is trained and judged on: which, from where, on what terms.

``benchmarks/objects_sources.toml`` is the table; the model card prints it. A folder of photographs has one folder for
each source, filled by hand from where the table says.
"""

from __future__ import annotations

import io
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks._object_sheets import GROUNDS, OPEN, SHOP
from medimg.native.opencv import cv2

Bytes = NDArray[np.uint8]
LONG = 1280
"""Longer side that photographs are shrunk to, in pixels."""


@dataclass(frozen=True)
class Origin:
    """A source of photographs.

    Attributes:
        name: Its folder.
        use: ``train``, ``judge``, or ``packs`` (cut out and laid on others).
        sort: ``plain``, ``clinical``, ``hands``, ``packets``: what is in them.
        licence: Its terms.
        where: Where it is from.
        what: What it shows.
        codes: Whether codes may be in them.
        words: Whether print may be in them.
    """

    name: str
    use: str
    sort: str
    licence: str
    where: str
    what: str
    codes: bool = False
    words: bool = True


def origins() -> tuple[Origin, ...]:
    """The table."""
    text = Path(__file__).with_name("objects_sources.toml").read_text("utf-8")
    return tuple(Origin(name=name, **row) for name, row in tomllib.loads(text).items())


ORIGINS = origins()


def paths(folder: Path, origin: Origin) -> list[Path]:
    """Its photographs, by name; of a clinical set with masks the photographs alone."""
    found = sorted((folder / origin.name).glob("*")) if (folder / origin.name).is_dir() else []
    found = [p for p in found if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
    return [p for p in found if "labels" not in p.name]


def photograph(path: Path, origin: Origin) -> tuple[Bytes, Bytes]:
    """Its pixels (H, W, 3), and what is known of its ground (H, W)."""
    with Image.open(path) as image:
        image.draft("RGB", (LONG, LONG))
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    longest = max(rgb.shape[:2])
    if longest > LONG:
        rgb = cv2.resize(rgb, None, fx=LONG / longest, fy=LONG / longest, interpolation=cv2.INTER_AREA)
    rgb = np.asarray(rgb, np.uint8)
    ground = np.full(rgb.shape[:2], SHOP if origin.sort == "packets" else OPEN, np.uint8)
    if origin.sort in ("hands", "clinical"):
        ground[skin(rgb)] = GROUNDS.index("skin")
    if origin.sort == "clinical":
        mask = path.with_name(path.name.replace("images", "labels"))
        mask = mask if mask.exists() else mask.with_suffix(".png")
        if mask.exists() and mask != path:
            with Image.open(mask) as image:
                wound = np.asarray(image.convert("L").resize(rgb.shape[1::-1])) > 127
            ground[wound] = GROUNDS.index("wound")
            near = cv2.dilate(wound.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
            ground[near & ~wound] = OPEN
    return rgb, ground


def skin(rgb: Bytes) -> NDArray[np.bool_]:
    """Pixels that are surely skin, in a photograph of skin: YCrCb within the bounds of Chai and Ngan (1999)."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 2)
    ycc = cv2.cvtColor(soft, cv2.COLOR_RGB2YCrCb)
    inside = (ycc[..., 1] >= 135) & (ycc[..., 1] <= 173) & (ycc[..., 2] >= 77) & (ycc[..., 2] <= 127)
    kept = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    return np.asarray(kept > 0, np.bool_)


def cut_out(path: Path) -> Bytes:
    """A thing photographed before white, (H, W, 4)."""
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB"))
    white = (rgb.min(2) >= 244).astype(np.uint8)
    outer = np.zeros((rgb.shape[0] + 2, rgb.shape[1] + 2), np.uint8)
    outer[1:-1, 1:-1] = 1 - white
    outer[0, :] = outer[-1, :] = outer[:, 0] = outer[:, -1] = 0
    flood = np.zeros((outer.shape[0] + 2, outer.shape[1] + 2), np.uint8)
    cv2.floodFill(outer, flood, (0, 0), 2)
    thing = (outer[1:-1, 1:-1] != 2).astype(np.uint8) * 255
    x, y, w, h = cv2.boundingRect(thing)
    thing = cv2.erode(thing, np.ones((3, 3), np.uint8))
    return np.ascontiguousarray(np.dstack((rgb, thing))[y : y + h, x : x + w])


def faces() -> tuple[Bytes, ...]:
    """The portraits that Python packages carry: scikit-image's (NASA, public domain), matplotlib's (US Navy)."""
    import importlib.util

    out = []
    for package, inner, box in (
        ("skimage", "data/astronaut.png", (140, 0, 300, 190)),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (100, 10, 410, 400)),
    ):
        spec = importlib.util.find_spec(package)
        path = Path(spec.origin or "").parent / inner if spec else Path()
        if path.is_file():
            with Image.open(path) as image:
                out.append(np.asarray(image.convert("RGB").crop(box)))
    return tuple(out)


def write(path: Path, jpg: bytes, over: Bytes) -> None:
    """Write a training file, whole or not at all."""
    png = io.BytesIO()
    Image.fromarray(over).save(png, "PNG", compress_level=2)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, jpg=np.frombuffer(jpg, np.uint8), map=np.frombuffer(png.getvalue(), np.uint8))
    part.replace(path)


def read(path: Path) -> tuple[Bytes, Bytes]:
    """A training file: the picture and its map."""
    with np.load(path) as held:
        rgb, over = (np.asarray(Image.open(io.BytesIO(held[k].tobytes())).convert("RGB")) for k in ("jpg", "map"))
    return rgb, over
