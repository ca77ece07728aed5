"""PP-OCRv6 small: where text is (DB detector), and what it says (CTC reader).

Both networks are packed with medimg as rapidocr's wheel holds them (``medimg/models/models.toml``); nothing else of
rapidocr is used: boxes that cannot be read are not dropped, and nothing is shrunk unasked. Constants follow
rapidocr 3.9's ``config.yaml`` (thresholds, normalisation) except where a docstring says otherwise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels, proof, weights
from medimg.native.onnx_order import behind
from medimg.native.opencv import cv2

MAP_LEVEL = 0.3
UNCLIP = 1.6
HEIGHT = 48
"""Height of a line for the reader, in pixels."""
WIDEST = 1600
"""A longer line is squeezed to this width for the reader, in pixels."""
STEP = 8
"""Pixels of a line to a step of the reader."""
BATCH = 8
TOGETHER = 2560
"""Most pixels of lines that go through the reader at once: for every step it says 18,710 likelihoods, 24 MB in all."""
MOST_CONTOURS = 3000

FINDER, READER = "the text finder", "the text reader"

LATER = ("Add.177", "p2o.pd_op.add.75.0")
LAST = "p2o.pd_op.nearest_interp.2.0"
"""Values of the finder whose operators are listed behind that of another, all of the finest size: four such values lie
in memory at once as the file has them (255 MiB of working memory at 1600 x 1216), and three so (211)."""

Quad = NDArray[np.float32]
"""(4, 2): corners clockwise from the top left, x and y in pixels."""


class Spot(NamedTuple):
    """A place that looks like text, in pixels of the picture given to :meth:`Models.detect`.

    ``level`` says at which of several sizes it was found, 0 for the finest.
    """

    quad: Quad
    score: float
    level: int = 0


class Reading(NamedTuple):
    """What a crop says; ``score`` is the mean probability of its characters, 0 when none was read."""

    text: str
    score: float


class Models:
    """The two networks. Calls may come from several threads: a session's ``run`` keeps no state.

    Raises:
        MissingPart: A network is not there, is not the pinned one, or cannot be loaded.
    """

    def __init__(self) -> None:
        self._finder, finder = weights.session("text_finder", most=64, edit=lambda data: behind(data, LATER, LAST))
        self._reader, reader = weights.session("text_reader", most=64)
        self.version = f"PP-OCRv6-small {finder[:8]}+{reader[:8]}"
        """Names and digests of the networks."""
        said = self._reader.get_modelmeta().custom_metadata_map.get("character", "")
        # CTC: class 0 is the blank, then the characters, then a space.
        self._characters = ["", *said.splitlines(), " "]

    def detect(self, rgb: Pixels, least: float = 0.5) -> list[Spot]:
        """Places that look like text.

        Args:
            rgb: (H, W, 3) uint8, already at the size to look at.
            least: Least mean probability inside a box.
        """
        height, width = rgb.shape[:2]
        # The network halves five times.
        to = (max(32, round(width / 32) * 32), max(32, round(height / 32) * 32))
        sized = rgb if to == (width, height) else cv2.resize(rgb, to)
        data = cv2.dnn.blobFromImage(sized, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        found = proof.whole(self._finder.run(None, {"x": data}), [(1, 1, to[1], to[0])], FINDER)[0][0, 0]
        scale = np.array([width / found.shape[1], height / found.shape[0]], np.float32)
        return [Spot(ordered(s.quad * scale), s.score) for s in _spots(found, least)]

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What each crop says; crops of like width go through together."""
        sized = [_line(c) for c in crops]
        order = sorted(range(len(sized)), key=lambda k: sized[k].shape[1])
        out = [Reading("", 0.0)] * len(sized)
        start = 0
        while start < len(order):
            end, narrowest = start + 1, sized[order[start]].shape[1]
            # Padding is wasted work: a batch ends where a crop is a quarter wider than its narrowest.
            while end < len(order) and end - start < BATCH and sized[order[end]].shape[1] <= max(1.25 * narrowest, 96):
                end += 1
            batch = order[start:end]
            widest = max(64, sized[batch[-1]].shape[1])
            for k, chances in self._chances_of([sized[k] for k in batch], widest):
                out[batch[k]] = self._decode(chances)
            start = end
        return out

    def prove(self) -> None:
        """Find and read a drawn word.

        Raises:
            CheckNotRun: It is not found, or not read.
        """
        picture = proof.text()
        spots = self.detect(picture)
        proof.found(bool(spots), FINDER)
        said = {reading.text for reading in self.read([crop(picture, spot.quad) for spot in spots])}
        proof.found(proof.WORD in said, READER)

    def _chances_of(self, lines: Sequence[Pixels], widest: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """What the reader says of each line, all made equally wide; a few at once."""
        several = max(1, TOGETHER // widest)
        for first in range(0, len(lines), several):
            some = lines[first : first + several]
            data = np.zeros((len(some), 3, HEIGHT, widest), np.float32)
            for row, line in enumerate(some):
                scaled = line.astype(np.float32)[:, :, ::-1] / 127.5 - 1.0
                data[row, :, :, : line.shape[1]] = scaled.transpose(2, 0, 1)
            yield from enumerate(self._chances(data), first)

    def _chances(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the reader says of lines: (lines, steps, characters), each step a probability distribution."""
        answers = self._reader.run(None, {"x": data})
        chances = np.asarray(answers[0] if answers else ())
        whole = len(answers) == 1 and chances.ndim == 3 and chances.dtype.kind == "f"
        shape = (len(data), data.shape[3] // STEP)
        if not whole or (len(chances), chances.shape[2]) != (shape[0], len(self._characters)):
            raise proof.nonsense(READER)
        # Every eighth step is enough to see that these are probabilities; `_decode` looks at the largest of each.
        sums = chances[:, ::8].sum(axis=2)
        if abs(chances.shape[1] - shape[1]) > 1 or not (np.abs(sums - 1) < 0.01).all():
            raise proof.nonsense(READER)
        return np.asarray(chances, np.float32)

    def _decode(self, chances: NDArray[np.float32]) -> Reading:
        best = chances.argmax(axis=1)
        top = chances[np.arange(len(best)), best]
        # The largest of n probabilities is at least 1/n, and equal to it only where nothing is told apart.
        if not ((top > 1.01 / chances.shape[1]) & (top <= 1.01)).all():  # false for NaN as well
            raise proof.nonsense(READER)
        new = np.ones(len(best), bool)
        new[1:] = best[1:] != best[:-1]
        new &= best != 0
        if not new.any():
            return Reading("", 0.0)
        text = "".join(self._characters[i] for i in best[new])
        return Reading(text.strip(), float(top[new].mean()))


@functools.lru_cache(maxsize=1)
def models() -> Models:
    """The networks of this process, loaded once.

    Raises:
        MissingPart: As for :class:`Models`.
    """
    return Models()


def crop(rgb: Pixels, quad: Quad) -> Pixels:
    """The quadrilateral cut out and made upright; one taller than 1.5 times its width is turned to the left."""
    across = max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2]))
    down = max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2]))
    # No more pixels than the reader takes: large lettering is cut out small.
    factor = min(1.0, 2.0 * HEIGHT / max(1.0, min(across, down)), 2.0 * WIDEST / max(1.0, across, down))
    width, height = max(2, round(across * factor)), max(2, round(down * factor))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    x0, y0 = np.floor(quad.min(axis=0)).astype(int) - 2
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 3
    x0, y0 = max(x0, 0), max(y0, 0)
    part = rgb[y0 : max(y1, 0), x0 : max(x1, 0)]
    if min(part.shape[:2]) * factor < 1:  # next to nothing of it is in the picture
        return np.full((height, width, 3), 255, np.uint8)
    inside = (quad - np.array([x0, y0])).astype(np.float32)
    if factor < 0.6:
        part = np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        inside = (inside * factor).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(inside, corners)
    cut = cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast(Pixels, np.ascontiguousarray(np.rot90(cut)) if height > 1.5 * width else cut)


def ordered(quad: NDArray[np.floating]) -> Quad:
    """Corners clockwise, from the one nearest the top left."""
    by_x = quad[np.argsort(quad[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _line(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[:2]
    to = min(WIDEST, max(8, math.ceil(width * HEIGHT / height)))
    return cast(Pixels, cv2.resize(rgb, (to, HEIGHT)))


def _spots(found: NDArray[np.float32], least: float) -> list[Spot]:
    """Slanted boxes round the parts of a probability map (Liao et al., Real-time Scene Text Detection with DB)."""
    mask = cv2.dilate((found > MAP_LEVEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > MOST_CONTOURS:
        contours = sorted(contours, key=cv2.contourArea, reverse=True)[:MOST_CONTOURS]
    out = []
    for contour in contours:
        (x, y), (across, down), angle = cv2.minAreaRect(contour)
        if min(across, down) < 3:
            continue
        corners = np.asarray(cv2.boxPoints(((x, y), (across, down), angle)), np.float32)
        score = _mean_inside(found, corners)
        if score < least:
            continue
        # The map is of shrunken text: grown by area x ratio / perimeter on each side.
        grow = across * down * UNCLIP / (across + down)
        grown = cv2.boxPoints(((x, y), (across + grow, down + grow), angle))
        out.append(Spot(np.asarray(grown, np.float32), score))
    return out


def _mean_inside(found: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    height, width = found.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - [x0, y0]).astype(np.int32)], 1)
    return float(cv2.mean(found[y0 : y1 + 1, x0 : x1 + 1], mask)[0])
