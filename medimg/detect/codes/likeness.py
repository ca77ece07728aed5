"""Whether a place that the network of marks takes for a code looks like one: named features and fitted weights.

The network sees squares of four pixels; wheels, fences, flags, stripes and lettering have bars and dots as well. A code
is of two tones, has its edges along two directions at right angles, rows that say the same (a bar code) or nothing of
each other (a 2-D code), never repeats itself, and is seen in the coarser look too. The weights stand in
``likeness.json``, with what they were fitted on; ``benchmarks/codes_fit.py`` fits them.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.detect.objects import marks
from medimg.detect.objects.level import Grey, comb, even, there
from medimg.native.opencv import cv2

BANDS = 4
"""Parts a place is cut into across its rows, to ask whether they say the same."""
NEAR = 31
"""Pixels over which a row's ground is taken for even where bands are compared."""
NAMES = (
    "mean", "best", "text", "ruler", "card", "filled", "squares", "length", "finer", "coarser", "matrix", "colours",
    "two tones", "contrast", "one direction", "right angles", "rows alike", "columns alike", "runs along",
    "runs across", "uneven runs", "light", "repeats most", "repeats least",
)  # fmt: skip
"""Of :func:`features`, in their order."""


class Weights(msgspec.Struct, frozen=True):
    """A layer of a few units between the features and the score.

    Attributes:
        features: :data:`NAMES`.
        mean: Of each feature, where it was fitted.
        spread: The standard deviation of each.
        inner: A row for each feature, a column for each unit.
        inner_bias: One for each unit.
        outer: One for each unit.
        outer_bias: The score of a place of which nothing is known.
        own: What the layer's score counts in the last sum.
        beside: What each feature counts in it; most count in the layer alone.
        look: What each look behind the finest counts in it.
        offset: What is added.
        least: Least score of a code.
        fitted_on: What it was fitted on.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    inner: tuple[tuple[float, ...], ...]
    inner_bias: tuple[float, ...]
    outer: tuple[float, ...]
    outer_bias: float
    own: float
    beside: tuple[float, ...]
    look: float
    offset: float
    least: float
    fitted_on: str

    def score(self, given: Sequence[float], look: int) -> float:
        """How much a place with these features, seen in that look, is like a code; :attr:`least` and more is one."""
        return self.offset + self.own * self.layer(given) + float(np.dot(self.beside, given)) + self.look * look

    def layer(self, given: Sequence[float]) -> float:
        """The score of the layer of units alone."""
        spread = (np.clip(given, -8, 12) - np.asarray(self.mean)) / np.asarray(self.spread)
        units = np.tanh(np.clip(spread, -4, 4) @ np.asarray(self.inner) + np.asarray(self.inner_bias))
        return float(units @ np.asarray(self.outer) + self.outer_bias)


@functools.lru_cache(maxsize=1)
def weights() -> Weights:
    """What was fitted."""
    data = resources.files("medimg.detect.codes").joinpath("likeness.json").read_bytes()
    return msgspec.json.decode(data, type=Weights)


def like_a_code(frame: Frame, place: marks.Place, looks: Sequence[marks.View], look: int) -> bool:
    """Whether a place looks like a code.

    Args:
        frame: The frame.
        place: The place.
        looks: All looks at the frame, the finest first.
        look: Which of them the place was seen in.
    """
    known = weights()
    if known.score(features(frame, place, looks, look), look) < known.least:
        return False
    return not comb(there(frame, place.corners))


def features(frame: Frame, place: marks.Place, looks: Sequence[marks.View], look: int) -> list[float]:
    """:data:`NAMES` of a place; arguments as of :func:`like_a_code`."""
    view = looks[look]
    bar, matrix, ruler, card, text = (float(part[place.own].mean()) for part in view.marks[:, *place.box])
    likely = np.maximum(view.marks[marks.BAR], view.marks[marks.MATRIX])[place.box][place.own]
    around = [_around(place.corners, one) for one in looks]
    squares = int(np.count_nonzero(place.own))
    room = float(cv2.contourArea(place.corners)) / (view.across * view.down)
    wide, high = cv2.minAreaRect(place.corners)[1]
    return [
        _logit(float(likely.mean())),
        _logit(float(likely.max())),
        text,
        ruler,
        card,
        squares / max(room, 1.0),
        math.log(squares),
        math.log(max(wide, high) / max(min(wide, high), 1.0)),
        around[max(look - 1, 0)],
        around[min(look + 1, len(looks) - 1)],
        matrix / max(bar + matrix, 1e-3),
        *_looks_of(there(frame, place.corners)),
    ]


def _looks_of(part: Pixels) -> list[float]:
    """The features from "colours" on, of a place that lies level."""
    lab = cv2.cvtColor(part, cv2.COLOR_RGB2LAB).astype(np.float32)[..., 1:]
    colours = float(np.hypot(*np.moveaxis(lab - lab.mean(axis=(0, 1)), 2, 0)).mean())
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dark, light = np.percentile(grey, (5, 95))
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, yy, xy = float((across**2).mean()), float((down**2).mean()), float((across * down).mean())
    strength, direction = np.hypot(across, down) + 1e-6, np.arctan2(down, across)
    turned = np.ascontiguousarray(grey.T)
    alike = sorted((_alike(grey), _alike(turned)))
    (along, uneven), (over, uneven_too) = _runs(grey), _runs(turned)
    return [
        colours / 10,
        _two_tones(grey),
        float(light - dark) / 255,
        math.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + 1e-3),
        float((strength * np.cos(4 * direction)).sum() / strength.sum()),
        alike[1],
        alike[0],
        along,
        over,
        max(uneven, uneven_too),
        float(grey.mean()) / 255,
        *sorted((_repeats(grey), _repeats(turned)), reverse=True),
    ]


def _around(corners: NDArray[np.float32], view: marks.View) -> float:
    """Mean likelihood of a code in the upright box round a place, in one look."""
    x0, y0 = (int(v) for v in np.maximum(corners.min(0) / (view.across, view.down), 0))
    x1, y1 = (int(v) + 1 for v in corners.max(0) / (view.across, view.down))
    there = view.marks[[marks.BAR, marks.MATRIX], y0:y1, x0:x1]
    return float(there.mean(axis=(1, 2)).sum()) if there.size else 0.0


def _two_tones(grey: Grey) -> float:
    """Share of the spread of the greys that is between two tones (Otsu 1979)."""
    least, _ = cv2.threshold(grey.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    light, spread = grey > least, float(grey.var())
    share = float(light.mean())
    if not 0 < share < 1 or spread <= 1e-3:
        return 0.0
    return share * (1 - share) * float(grey[light].mean() - grey[~light].mean()) ** 2 / spread


def _alike(grey: Grey) -> float:
    """Median correlation of neighbouring bands of rows: 1 for bars that stand across them."""
    count = BANDS if len(grey) >= 2 * BANDS else max(len(grey) // 2, 1)
    bands = [even(band.mean(axis=0), NEAR) for band in np.array_split(grey, count, axis=0)]
    pairs = [_correlation(a, b) for a, b in itertools.pairwise(bands)]
    return float(np.median(pairs)) if pairs else 1.0


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    both = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / both if both > 1e-6 else 0.0


def _runs(grey: Grey) -> tuple[float, float]:
    """Runs of one tone along the middle row, in each pixel, and how uneven they are: spread over mean."""
    middle = grey[len(grey) // 2 - 1 : len(grey) // 2 + 1].mean(axis=0)
    line = even(middle)
    changes = np.flatnonzero(np.diff((line > 0).astype(np.int8)))
    if len(changes) < 3:
        return 0.0, 0.0
    runs = np.diff(changes)
    return len(changes) / len(line), float(runs.std() / max(float(runs.mean()), 1.0))


def _repeats(grey: Grey) -> float:
    """How well rows agree with themselves moved along, at best, once they have ceased to: 1 for a fence or a weave."""
    best = []
    for band in np.array_split(grey, min(BANDS, len(grey)), axis=0):
        line = even(band.mean(axis=0))
        power = np.concatenate(((0.0,), np.cumsum(line**2)))
        moves = np.arange(len(line) // 2)
        both = np.correlate(line, line, "full")[len(line) - 1 :][: len(moves)]
        rest = np.sqrt(power[len(line) - moves] * (power[-1] - power[moves]))
        agree = both / np.maximum(rest, 1e-6)
        ceased = np.flatnonzero(agree < 0)
        best.append(float(agree[ceased[0] :].max()) if len(ceased) else 0.0)
    return float(np.median(best))


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
