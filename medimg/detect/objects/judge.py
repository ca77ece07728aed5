"""What a find lies on, by named features and fitted trees; the numbers of the trees are ``carriers.json``.

``benchmarks/carriers_fit.py`` fits them. Two questions are answered: whether an outline is that of a real thing, and
what a find lies on: one of :data:`GROUNDS`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg.detect.objects import marks
from medimg.detect.objects.grounds import Ground, Picture, Points, share_in
from medimg.errors import MissingPart
from medimg.native.opencv import cv2
from medimg.vocabulary import IDENTIFYING, Category, Kind

MEASURED = (Category.HARMLESS, Category.UNIT)
"""What says nothing of anybody."""
GROUNDS = ("slip", "sheet", "screen", "packet", "measure", "bare")
"""What a find may lie on: a slip that bears a person's data (wristband, label, badge, card, envelope), a sheet (paper,
a board), a screen, a product's packet, a ruler or colour card, and nothing of these (skin, a wound, cloth, a sign)."""
SAID_OF_PRODUCTS = re.compile(
    r"\b(?:LOT|REF|EXP|SN|STERILE|single use|keep dry|do not|CE ?\d{4}|\d+ ?[x\u00d7] ?\d+|\d+ ?(?:mm|cm|ml|mg|g|G)\b"
    r"|dressing|gauze|tablets?|solution|cannula|sterile)",
    re.IGNORECASE,
)
DEEP = 3
"""How many questions lead to a leaf."""


class Find(NamedTuple):
    """A find as it is judged: where (upright, in pixels of the small picture), and what the checks said of it."""

    quad: Points
    kind: str
    category: str
    score: float
    text: str

    @property
    def code(self) -> bool:
        """Whether it is a code."""
        return self.kind == Kind.CODE

    @property
    def high(self) -> float:
        """Its shorter side, in pixels of the small picture."""
        return float(min(cv2.minAreaRect(self.quad)[1]))


class Trees(msgspec.Struct, frozen=True):
    """Boosted trees of one class, whole ones of depth :data:`DEEP`: node n leads to 2n + 1 and 2n + 2.

    Attributes:
        start: What the values of the leaves add to.
        feature: Which feature each inner node asks for, (trees, 2^DEEP - 1).
        threshold: Up to which value it goes to the first of the two, (trees, 2^DEEP - 1).
        value: Of the leaves, (trees, 2^DEEP).
    """

    start: float
    feature: list[list[int]]
    threshold: list[list[float]]
    value: list[list[float]]

    def raw(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of every row, before it is made a likelihood."""
        feature, threshold, value = (np.asarray(v) for v in (self.feature, self.threshold, self.value))
        tree = np.arange(len(feature))[None]
        at = np.zeros((len(rows), len(feature)), int)
        for _ in range(DEEP):
            asked = np.take_along_axis(rows, feature[tree, at], axis=1)
            at = 2 * at + 1 + (asked > threshold[tree, at])
        return np.asarray(self.start + value[tree, at - (2**DEEP - 1)].sum(axis=1))


class Fitted(msgspec.Struct, frozen=True):
    """What ``carriers.json`` holds."""

    outline_features: list[str]
    outline: Trees
    ground_features: list[str]
    grounds: dict[str, Trees]


@functools.lru_cache(maxsize=1)
def fitted() -> Fitted:
    """The fitted trees.

    Raises:
        MissingPart: They are not there or are of another version than the features.
    """
    try:
        raw = resources.files("medimg.detect.objects").joinpath("carriers.json").read_bytes()
        trees = msgspec.json.decode(raw, type=Fitted)
    except (OSError, msgspec.DecodeError) as error:
        raise MissingPart("the numbers by which carriers are judged are missing or damaged.") from error
    if tuple(trees.grounds) != GROUNDS:
        raise MissingPart("the numbers by which carriers are judged are of another version.")
    return trees


def outlines(rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Likelihood of each outline to be that of a real thing."""
    trees = fitted()
    if not rows:
        return np.zeros(0)
    return np.asarray(1 / (1 + np.exp(-trees.outline.raw(table(rows, trees.outline_features)))))


def lies_on(rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Likelihoods of :data:`GROUNDS` for each find, (n, 6)."""
    trees = fitted()
    if not rows:
        return np.zeros((0, len(GROUNDS)))
    values = table(rows, trees.ground_features)
    raw = np.stack([trees.grounds[name].raw(values) for name in GROUNDS], axis=1)
    likely = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> NDArray[np.float64]:
    """Rows of features in the order of their names."""
    return np.asarray([[row[name] for name in names] for row in rows], np.float64)


def outline_features(picture: Picture, ground: Ground, find: Find, others: Sequence[Find]) -> dict[str, float]:
    """What tells the outline of a real thing from a ground that leaked, or that stopped at a letter."""
    total = picture.shape[0] * picture.shape[1]
    size = max(float(cv2.contourArea(ground.quad)), 1.0)
    hull = max(float(cv2.contourArea(ground.hull)), 1.0)
    (_, (w, h), _) = cv2.minAreaRect(ground.quad)
    strength, cut = _along(picture, ground.quad)
    inner, outer = _beside(picture, ground.quad)
    on = [o for o in others if share_in(o.quad, ground.quad) > 0.6]
    cutting = sum(0.1 < share_in(o.quad, ground.quad) < 0.9 for o in others)
    return {
        "area": size / total,
        "filled": ground.size / size,
        "solid": ground.size / hull,
        "slim": max(w, h) / max(min(w, h), 1.0),
        "edge": strength,
        "cut": cut,
        "step": float(np.linalg.norm(inner - outer)),
        "unlike": float(np.linalg.norm(inner - ground.colour)),
        "tolerance": ground.tolerance,
        "barrier": ground.barrier,
        "times": float(np.sqrt(size / max(float(cv2.contourArea(find.quad)), 1.0))),
        "short": min(w, h) / max(min(cv2.minAreaRect(find.quad)[1]), 1.0),
        "code": float(find.code),
        "on": float(len(on)),
        "cutting": float(cutting),
        "aligned": _aligned(find.quad, ground.quad),
        "light": float(ground.colour[0]),
        "chroma": float(np.hypot(*(ground.colour[1:] - 128))),
    }


def ground_features(
    picture: Picture, view: marks.View, find: Find, colour: Points, outline: tuple[Points, float], near: Sequence[Find]
) -> dict[str, float]:
    """What tells on what a find lies.

    Args:
        picture: The small picture.
        view: The network's look at the whole of it.
        find: The find.
        colour: Of the ground beneath it.
        outline: The best outline round it, and how likely it is real.
        near: The finds that share its ground, itself among them.
    """
    quad, likely = outline
    (_, (w, h), _) = cv2.minAreaRect(quad)
    (_, (fw, fh), _) = cv2.minAreaRect(find.quad)
    letters = sum(c.isalpha() for c in find.text)
    digits = sum(c.isdigit() for c in find.text)
    lines = [n for n in near if not n.code]
    here = dict(zip(("bar", "matrix", "ruler", "card", "print"), seen(picture, view, find.quad), strict=True))
    around = dict(
        zip(("bar_all", "matrix_all", "ruler_all", "card_all", "print_all"), seen(picture, view, quad), strict=True)
    )
    return {
        **here,
        **around,
        "likely": likely,
        "area": float(cv2.contourArea(quad)) / (picture.shape[0] * picture.shape[1]),
        "slim": max(w, h) / max(min(w, h), 1.0),
        "short": min(w, h) / max(min(fw, fh), 1.0),
        "high": min(fw, fh) / max(picture.shape),
        "long": max(fw, fh) / max(min(fw, fh), 1.0),
        "code": float(find.code),
        "score": find.score,
        "letters": float(letters),
        "digits": float(digits),
        "unread": float(find.category == Category.UNREAD),
        "harmless": float(find.category in MEASURED),
        "ruler_line": float(find.category == Category.RULER),
        "lines": float(len(lines)),
        "codes": float(len(near) - len(lines)),
        "identifying": float(sum(n.category in IDENTIFYING for n in near)),
        "harmless_all": float(sum(n.category in MEASURED for n in near)),
        "unread_all": float(sum(n.category == Category.UNREAD for n in near)),
        "ruler_lines": float(sum(n.category == Category.RULER for n in near)),
        "product": float(sum(bool(SAID_OF_PRODUCTS.search(n.text)) for n in near)),
        "product_here": float(bool(SAID_OF_PRODUCTS.search(find.text))),
        "numerals": float(sum(n.text.strip().isdigit() and len(n.text.strip()) <= 3 for n in near)),
        "light": float(colour[0]),
        "red": float(colour[1] - 128),
        "yellow": float(colour[2] - 128),
        "uneven": _uneven(picture, find.quad),
    }


def _along(picture: Picture, quad: Points) -> tuple[float, float]:
    """Strength of the edge along an outline, its 30th percentile, and the share of it along the frame."""
    height, width = picture.shape
    points = _walk(quad, 24)
    x, y = points[:, 0], points[:, 1]
    rim = (x < 2) | (y < 2) | (x > width - 3) | (y > height - 3)
    if rim.all():
        return 0.0, 1.0
    x, y = np.clip(x[~rim].astype(int), 2, width - 3), np.clip(y[~rim].astype(int), 2, height - 3)
    best = np.max([picture.edges[y + dy, x + dx] for dx in (-2, 0, 2) for dy in (-2, 0, 2)], axis=0)
    return float(np.percentile(best, 30)), float(rim.mean())


def _beside(picture: Picture, quad: Points) -> tuple[Points, Points]:
    """The usual colour just inside and just outside an outline."""
    height, width = picture.shape
    middle = quad.mean(axis=0)
    out = []
    for by in (-4.0, 4.0):
        points = _walk(quad, 24)
        way = points - middle
        points = points + by * way / np.maximum(np.hypot(way[:, 0], way[:, 1])[:, None], 1e-6)
        x, y = np.clip(points[:, 0].astype(int), 0, width - 1), np.clip(points[:, 1].astype(int), 0, height - 1)
        out.append(np.median(picture.lab[y, x], axis=0))
    return np.asarray(out[0], np.float32), np.asarray(out[1], np.float32)


def _walk(quad: Points, each: int) -> Points:
    t = np.linspace(0.04, 0.96, each, dtype=np.float32)[:, None]
    return np.concatenate([a + (b - a) * t for a, b in zip(quad, np.roll(quad, -1, axis=0), strict=True)])


def _aligned(a: Points, b: Points) -> float:
    """How far two quadrilaterals run the same way: 1 along or across, 0 at 45 degrees."""
    turn = np.radians(cv2.minAreaRect(a)[2] - cv2.minAreaRect(b)[2])
    return float(abs(np.cos(2 * turn)))


def seen(picture: Picture, view: marks.View, quad: Points) -> list[float]:
    """Mean likelihoods of the network's classes in a place."""
    there = quad / picture.factor / (view.across, view.down)
    height, width = view.marks.shape[1:]
    x0, y0 = np.clip(np.floor(there.min(0)).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(there.max(0)).astype(int) + 1, (x0 + 1, y0 + 1), (width, height))
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round(there - (x0, y0)).astype(np.int32)], 1)
    inside = view.marks[:, y0:y1, x0:x1][:, mask > 0]
    return [float(v) for v in (inside.mean(axis=1) if inside.size else view.marks[:, y0, x0])]


def _uneven(picture: Picture, quad: Points) -> float:
    """How uneven the colour is in a place: the middle distance from its usual colour."""
    place, mask = picture.within(quad)
    colours = picture.lab[place][mask > 0]
    return float(np.median(np.abs(colours - np.median(colours, axis=0)).max(axis=1)))
