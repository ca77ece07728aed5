"""Fits ``medimg/detect/codes/likeness.json``: what tells a code from a wheel, a fence, a striped shirt.

    python -m benchmarks.codes_fit collect OUT.npz [--codes FOLDER] [--free FOLDER] [--tables N] [--patterns N]
    python -m benchmarks.codes_fit fit FILE.npz [FILE.npz...]

``collect`` looks at photographs and writes the features of every place the network takes for a code: of ``--codes``,
photographs with codes, those that were read, as they are and again three times smaller, tinted, blurred and noisy; of
``--free``, photographs without a code, all; of drawn tables of codes, those on a code and those on nothing; of drawn
patterns (:mod:`benchmarks._patterns`), all. ``fit`` prints what each half keeps of each source and writes the weights.
The held half of the codes is by the folder a photograph is from (the middle of a name such as
``blackbox_qrcode-2_01.png``), so that no series is in both; a file named ``judge-...`` is never fitted on. Only
photographs whose terms allow it may be fitted on: ``benchmarks/objects_sources.toml``.
"""

from __future__ import annotations

import argparse
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks._code_tiles import table
from benchmarks._patterns import pattern
from medimg.detect import Frame, Pixels
from medimg.detect.codes import detector as codes
from medimg.detect.codes import likeness
from medimg.detect.objects import marks
from medimg.native.opencv import cv2
from medimg.redact.cover import mask

Table = NDArray[np.float64]
UNITS, STEPS, RIDGE, RATE = 6, 700, 3e-3, 0.02
LOST = 0.01
"""Share of the codes it was fitted on, among what the network is sure of, that may fall under the least score."""
WEAK = 0.7
"""Weight of a place that the network is not sure of, beside 1.5 of one that it is."""
HARDER = 3


class Row(NamedTuple):
    """A place: its features, whether it is a code, whether the network is sure of it, whether its half is held back."""

    features: list[float]
    code: bool
    sure: bool
    held: bool


def places(frame: Frame) -> Iterator[tuple[marks.Place, list[float], bool]]:
    """Every place that may be a code, its features, and whether the network is sure of it."""
    looks = marks.views(frame)
    for look, view in enumerate(looks):
        likely = np.maximum(view.marks[marks.BAR], view.marks[marks.MATRIX])
        for place in marks.places(view, likely, codes.SQUARES_COARSE if look else codes.SQUARES):
            text = float(view.marks[marks.TEXT][place.box][place.own].mean())
            yield place, likeness.features(frame, place, looks, look), place.score >= max(codes.SURE, text)


def harder(rgb: Pixels, side: float, rng: np.random.Generator) -> tuple[Pixels, float]:
    """The photograph with its code 50 to 400 pixels long, tinted, blurred, noisy; and the factor."""
    factor = min(float(np.exp(rng.uniform(np.log(50), np.log(400)))) / side, 1.0)
    made = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.6:
        made *= rng.uniform(0.75, 1.1, 3)
    if rng.random() < 0.3:
        tint = rng.uniform(0.3, 1, 3)
        made *= tint / tint.max()
    if rng.random() < 0.3:
        ink = rng.uniform(0, 110, 3)
        made = ink + (255 - ink) / 255 * made
    if rng.random() < 0.5:
        made = np.asarray(cv2.GaussianBlur(made, (0, 0), rng.uniform(0.3, 1.6)))
    made = made * np.linspace(rng.uniform(0.5, 1), 1, made.shape[1])[None, :, None] if rng.random() < 0.5 else made
    made = np.clip(made + rng.normal(0, rng.uniform(0, 8), made.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8), factor


def of_codes(path: Path) -> Iterator[Row]:
    """The places of a photograph that were read, and the same in harder copies of it."""
    rgb = _rgb(path)
    series = re.search(r"(?:blackbox_|samples_)(.+)_[^_]+$", path.name)
    held = bool(zlib.crc32((series.group(1) if series else path.name).encode()) % 2)
    frame = Frame(rgb)
    read = [one.corners for one in codes._read(frame)]
    found = [(p, f, s) for p, f, s in places(frame) if any(codes._touch(p.corners, r) for r in read)]
    yield from (Row(f, True, sure, held) for _, f, sure in found)
    whole = next((p.corners for p, _, sure in found if sure), None)
    for copy in range(HARDER if whole is not None else 0):
        side = max(cv2.minAreaRect(max(read, key=lambda r: cv2.arcLength(r, True)))[1])
        made, factor = harder(rgb, side, np.random.default_rng((zlib.crc32(path.name.encode()), copy)))
        there = np.asarray(whole * factor, np.float32)
        if min(made.shape[:2]) >= 24:
            yield from (Row(f, True, s, held) for p, f, s in places(Frame(made)) if _most(p.corners, there))


def of_tables(first: int, count: int) -> Iterator[Row]:
    """The places of drawn tables of codes of every sort."""
    for seed in range(first, first + count):
        made = table(seed)
        height, width = made.rgb.shape[:2]
        true = mask([i.polygon for i in made.items if i.kind == "code"], width, height)
        for place, found, sure in places(Frame(made.rgb)):
            share = float(true[mask([tuple((float(x), float(y)) for x, y in place.corners)], width, height)].mean())
            if share > 0.5 or share < 0.05:
                yield Row(found, share > 0.5, sure, bool(seed % 2))


def of_patterns(first: int, count: int) -> Iterator[Row]:
    """The places of drawn patterns."""
    for seed in range(first, first + count):
        yield from (Row(f, False, sure, bool(seed % 2)) for _, f, sure in places(Frame(pattern(seed))))


def fitted(rows: Table, code: NDArray[np.bool_], sure: NDArray[np.bool_]) -> likeness.Weights:
    """The weights, by Adam on the weighted logistic loss; codes and other places weigh the same together."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    given = np.clip((rows - mean) / spread, -4, 4)
    weight = np.where(code, 0.5 / code.sum(), 0.5 / (~code).sum()) * np.where(sure, 1.5, WEAK)
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, rows.shape[1] ** -0.5, (rows.shape[1], UNITS)), np.zeros(UNITS),
             rng.normal(0, UNITS**-0.5, UNITS), np.zeros(1)]  # fmt: skip
    first, second = ([np.zeros_like(p) for p in parts] for _ in range(2))
    for step in range(1, STEPS + 1):
        units = np.tanh(given @ parts[0] + parts[1])
        off = weight * (1 / (1 + np.exp(-(units @ parts[2] + parts[3]))) - code)
        back = np.outer(off, parts[2]) * (1 - units * units)
        slopes = [
            given.T @ back + RIDGE * parts[0],
            back.sum(0),
            units.T @ off + RIDGE * parts[2],
            off.sum(keepdims=True),
        ]
        for k, slope in enumerate(slopes):
            first[k] = 0.9 * first[k] + 0.1 * slope
            second[k] = 0.99 * second[k] + 0.01 * slope**2
            parts[k] -= RATE * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.99**step)) + 1e-8)
    short = [np.round(p, 4).tolist() for p in (mean, spread, *parts)]
    # The layer alone; benchmarks/codes_last.py fits the last sum.
    alone = (1.0, (0.0,) * len(likeness.NAMES), 0.0, 0.0, 0.0, "")
    made = likeness.Weights(likeness.NAMES, *short[:5], short[5][0], *alone)  # type: ignore[arg-type]
    least = np.quantile([made.layer(row) for row in rows[code & sure]], LOST)
    return msgspec.structs.replace(made, least=round(float(least), 3))


def _most(corners: codes.Corners, there: codes.Corners) -> bool:
    both = float(cv2.intersectConvexConvex(corners, there)[0])
    return both > 0.6 * max(min(cv2.contourArea(corners), cv2.contourArea(there)), 1.0)


def _rgb(path: Path) -> Pixels:
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"), np.uint8)


def _collect(wish: argparse.Namespace) -> None:
    rows: list[Row] = []
    for path in sorted(wish.codes.iterdir()) if wish.codes else ():
        rows += of_codes(path)
    for path in sorted(wish.free.iterdir()) if wish.free else ():
        rows += (Row(f, False, sure, False) for _, f, sure in places(Frame(_rgb(path))))
    rows += of_tables(wish.first, wish.tables)
    rows += of_patterns(wish.first, wish.patterns)
    columns = [np.asarray(column) for column in zip(*rows, strict=True)]
    np.savez_compressed(wish.files[0], **dict(zip(Row._fields, columns, strict=True)))


def _fit(files: list[Path]) -> None:
    parts = {file.stem: np.load(file) for file in files}
    rows, code, sure, held = (np.concatenate([p[name] for p in parts.values()]) for name in Row._fields)
    held |= np.concatenate([np.full(len(p["held"]), name.startswith("judge-")) for name, p in parts.items()])
    made = fitted(rows[~held], code[~held], sure[~held])
    for name, p in parts.items():
        score = np.asarray([made.layer(row) for row in p["features"]])
        for half in (False, True):
            here = p["sure"] & (p["held"] == half)
            yes, no = here & p["code"], here & ~p["code"]
            kept = score >= made.least
            print(f"{name} {'held' if half else 'fitted'}: codes {(yes & kept).sum()} of {yes.sum()},"
                  f" others {(no & kept).sum()} of {no.sum()}")  # fmt: skip
    what = f"{(code & ~held).sum()} places on codes and {(~code & ~held).sum()} on other things"
    made = msgspec.structs.replace(made, fitted_on=f"{what}; benchmarks/codes_fit.py")
    out = Path(likeness.__file__).with_name("likeness.json")
    out.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")


def main() -> None:
    """The command."""
    parse = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parse.add_argument("what", choices=("collect", "fit"))
    parse.add_argument("files", nargs="+", type=Path)
    parse.add_argument("--codes", type=Path)
    parse.add_argument("--free", type=Path)
    parse.add_argument("--tables", type=int, default=0)
    parse.add_argument("--patterns", type=int, default=0)
    parse.add_argument("--first", type=int, default=61000)
    wish = parse.parse_args()
    if wish.what == "collect":
        _collect(wish)
    else:
        _fit(wish.files)


if __name__ == "__main__":
    main()
