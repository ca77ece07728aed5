"""Fits the weights of the 2-D code score (``medimg/detect/_code_weights.py``) on drawn scenes and on real pictures.

    python -m benchmarks.codes_fit OUT.py --tables 50 --scenes 40 --free 10 [--clean FOLDER]

Drawn pictures are those of the tuning seeds; ``--clean`` names a folder of pictures without codes. A candidate box is
taken for a code when it holds over 75 % of one and over 55 % of it is code, for none when under 12 % of it is code, or
when it holds a code but is over three times as large; anything between is left out. Prints how many codes have a
candidate over each threshold, each quarter of the pictures scored with weights fitted on the others.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import minimize  # type: ignore[import-untyped]

from benchmarks._code_tiles import LINEAR, table
from benchmarks.codes import inner
from benchmarks.scenes import Item, scene, textfree
from medimg._opencv import cv2
from medimg.detect import Frame, Pixels
from medimg.detect import _code_finder as finder
from medimg.detect import _code_matrix as matrix
from medimg.detect import _code_weights as weights
from medimg.detect._code_shape import Floats, Gray
from medimg.detect.codes import LEVELS

Array = NDArray[np.float64]
HIDDEN, RIDGE, POSITIVE = 8, 0.0005, 0.2
"""Units, their penalty, and the weight of all codes together against all others."""


class Row(NamedTuple):
    picture: str
    code: int
    given: list[float]


def pictures(wish: argparse.Namespace) -> Iterator[tuple[str, NDArray[np.uint8], list[Item]]]:
    """Every picture with what is in it."""
    for seed in range(wish.tables):
        made = table(seed)
        yield f"table {seed}", made.rgb, made.items
    for seed in range(wish.scenes):
        made = scene(seed)
        yield f"scene {seed}", made.rgb, made.items
    for seed in range(wish.free):
        yield f"free {seed}", textfree(seed).rgb, []
    for path in sorted(wish.clean.iterdir()) if wish.clean else ():
        with Image.open(path) as image:
            yield path.name, np.asarray(image.convert("RGB")), []


def overlap(a: Floats, b: Floats) -> float:
    return float(cv2.intersectConvexConvex(cv2.convexHull(a), cv2.convexHull(b))[0])


def rows(name: str, rgb: NDArray[np.uint8], items: list[Item]) -> Iterator[Row]:
    """The candidates of a picture that can be told: ``code`` is which one it is, -1 none."""
    frame = Frame(rgb)
    codes = [np.asarray(i.polygon if i.carrier == "table" else inner(i), np.float32) for i in items if i.kind == "code"]
    of_bars = [i.cls in LINEAR or i.cls == "Postal" or i.tier == "lost" for i in items if i.kind == "code"]
    seen: list[tuple[Floats, dict[str, float]]] = []
    whole = matrix.measured

    def noted(gray: Gray, colours: Pixels, corners: Floats, fill: float, ring: Callable[[], float]) -> Any:
        made = whole(gray, colours, corners, fill, ring)
        if made is not None and "pieces" in made.measures:
            seen.append((corners, made.measures))
        return made

    for level in LEVELS:
        if level >= max(rgb.shape) and level != LEVELS[0]:
            continue
        pixels, factor = frame.scaled(level)
        seen.clear()
        with patch.object(matrix, "measured", noted):
            finder.level(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8), pixels, level == LEVELS[-1])
        for corners, measures in seen:
            box = np.asarray(corners / factor, np.float32)
            size = max(float(cv2.contourArea(box)), 1.0)
            shared = [overlap(box, c) for c in codes]
            held = [s / max(float(cv2.contourArea(c)), 1.0) for s, c in zip(shared, codes, strict=True)]
            best = int(np.argmax(held)) if held else -1
            share = max(shared, default=0.0) / size
            if best >= 0 and share > 0.55 and held[best] > 0.75:
                if not of_bars[best]:
                    yield Row(name, best, matrix.inputs(measures))
            elif share < 0.12 or (share < 0.33 and held[best] > 0.5):
                yield Row(name, -1, matrix.inputs(measures))


def parts(p: Array, width: int) -> tuple[Array, Array, float]:
    """Hidden weights, last weights and the constant, out of one vector."""
    return p[: width * HIDDEN].reshape(width, HIDDEN), p[width * HIDDEN : -1], float(p[-1])


def fitted(given: Array, is_code: Array, counts: Array) -> Array:
    """The weights, by logistic loss with a ridge."""
    rng = np.random.default_rng(0)
    width = given.shape[1]
    start = np.r_[rng.normal(0, 0.4, width * HIDDEN + HIDDEN), 0.0]

    def loss(p: Array) -> tuple[float, Array]:
        first, last, constant = parts(p, width)
        hidden = np.tanh(given @ first)
        out = hidden @ last + constant
        wrong = counts * (1 / (1 + np.exp(-out)) - is_code) / counts.sum()
        back = given.T @ (wrong[:, None] * last * (1 - hidden * hidden))
        slope = np.r_[back.ravel(), hidden.T @ wrong, wrong.sum()]
        slope[:-1] += 2 * RIDGE * p[:-1]
        value = float((counts * (np.logaddexp(0, out) - is_code * out)).sum() / counts.sum())
        return value + RIDGE * float(p[:-1] @ p[:-1]), slope

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 250}).x, np.float64)


def scored(p: Array, given: Array) -> Array:
    first, last, constant = parts(p, given.shape[1])
    return np.asarray(np.tanh(given @ first) @ last + constant, np.float64)


def text(means: Array, spreads: Array, p: Array) -> str:
    """The module of the weights."""
    first, last, constant = parts(p, len(means) + 1)

    def row(values: Array) -> str:
        return "(" + ", ".join(f"{v:.3g}" for v in values) + ")"

    lines = ["MEASURES = (", *(f'    "{m}",' for m in weights.MEASURES), ")"]
    for name, values in (("MEANS", means), ("SPREADS", spreads)):
        lines += [f"{name} = (", *(f"    {v:.5g}," for v in values), ")"]
    lines += [
        "HIDDEN = (",
        "    # A row a measure, in their order, and the constant.",
        *(f"    {row(v)}," for v in first),
    ]
    lines += [")", f"LAST = {row(last)}", f"CONSTANT = {constant:.4g}", ""]
    what = "Weights of the 2-D code score: a network of one layer of eight, fitted by ``benchmarks/codes_fit.py``."
    return "\n".join((f'"""{what}"""', "", "from __future__ import annotations", "", *lines))


def main() -> None:
    """The command."""
    parse = argparse.ArgumentParser()
    parse.add_argument("out", type=Path)
    for option, usual in (("--tables", 50), ("--scenes", 40), ("--free", 10)):
        parse.add_argument(option, type=int, default=usual)
    parse.add_argument("--clean", type=Path)
    wish = parse.parse_args()
    found = [row for name, rgb, items in pictures(wish) for row in rows(name, rgb, items)]
    given = np.asarray([row.given for row in found], np.float64)
    means, spreads = given.mean(0), given.std(0) + 1e-9
    given = np.c_[np.clip((given - means) / spreads, -4, 4), np.ones(len(given))]
    is_code = np.asarray([row.code >= 0 for row in found], np.float64)
    # A code, and a picture without any, counts less the more candidates it gives.
    often = Counter((row.picture, row.code) for row in found)
    counts = np.asarray([often[row.picture, row.code] ** -0.5 for row in found])
    counts[is_code == 1] *= POSITIVE * counts[is_code == 0].sum() / counts[is_code == 1].sum()
    names = sorted({row.picture for row in found})
    group = np.asarray([names.index(row.picture) % 4 for row in found])
    score = np.zeros(len(found))
    for k in range(4):
        score[group == k] = scored(
            fitted(given[group != k], is_code[group != k], counts[group != k]), given[group == k]
        )
    best: dict[tuple[str, int], float] = defaultdict(lambda: -99.0)
    for row, value in zip(found, score, strict=True):
        if row.code >= 0:
            best[row.picture, row.code] = max(best[row.picture, row.code], float(value))
    for least in (-1.0, 0.0, 0.5, 1.0, 2.0):
        wrong = int(((score > least) & (is_code == 0)).sum())
        print(
            f"over {least:4.1f}: {np.mean([v > least for v in best.values()]):.3f} of {len(best)} codes, {wrong} others"
        )
    wish.out.write_text(text(means, spreads, fitted(given, is_code, counts)))


if __name__ == "__main__":
    main()
