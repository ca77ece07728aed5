"""What stands on one label: faint lines beside sure ones, gaps between lines and between words.

Only geometry and categories count here; what a line is was decided before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels
from medimg.detect.text import identifiers
from medimg.detect.text.lines import Quad, area, around, axis, grown, labels, shared, sides
from medimg.detect.text.ocr import Spot
from medimg.detect.text.sizes import LEAST_SCORE
from medimg.vocabulary import Category

NEAR = 0.12
"""Least distance at which a cover is told from a line that stays, as a share of its height; more under a policy with a
larger margin."""
ON_KEPT = 0.15
"""Share of a line that stays that a cover would hide before it is tight."""
NEAR_SCALE = 0.6
"""The same as :data:`NEAR` for a scale, of which nothing may be hidden."""
LEAST_HIGH = 8
"""Height of the smallest faint line that counts, in pixels: letters below are not legible, specks of skin are."""
OTHER_GROUND = 0.2
"""Least difference of a colour channel that makes another ground, as a share of the ground's brightest channel, and
three times the ground's own unevenness."""
SAME = 0.6
"""Least share of a column of a cover that lies on the same ground as its line."""
ROOM, DEEPEST, EDGE_ROWS, EDGE = 0.08, 0.35, 44, 0.6
"""An edge is looked for from a little outside a coarse box to so deep inside it, in its heights, in so many rows; it is
where so much of the rows is of another colour. Of a row of letters less is ink."""
LEEWAY, LEEWAY_OF_MARGIN = 0.05, 5 / 12
"""What a cover is drawn in by beyond that edge, in the same measure: no more than this, and no more than this share of
the margin that it gets, so that margin and all it ends at the edge or outside."""
SCALES = frozenset(("ruler", "colour-card"))
"""What is no label, and has no rows of print that go together."""
TRIO = 3
"""So many faint lines under each other are a label."""


@dataclass(frozen=True)
class Line:
    """A line of text: where it is, what it says, how sure the reader was, what it is.

    ``keep`` are the categories that the policy keeps; ``tight``: something that stays is too near for a margin.
    """

    spot: Spot
    text: str
    certainty: float
    category: str = "unread"
    strong: bool = False
    cover: Quad = field(default_factory=lambda: np.zeros((4, 2), np.float32))
    keep: frozenset[str] = identifiers.KEPT
    tight: bool = False

    @property
    def harmless(self) -> bool:
        """Whether it is known to be harmless, whatever the policy makes of that."""
        return self.category in identifiers.KEPT

    @property
    def kept(self) -> bool:
        """Whether the policy keeps it."""
        return self.category in self.keep


def in_company(sure: Sequence[Spot], faint: Sequence[Spot]) -> list[int]:
    """Which faint places stand beside or under a sure one, or three and more together.

    Small, blurred or slanted lines of a label are found faintly while its larger ones are sure; folds of skin have no
    such neighbours.
    """
    spots = [*sure, *faint]
    first = len(sure)
    out: list[int] = []
    for group in labels([s.quad for s in spots], overlap=0.3):
        some = [k - first for k in group if k >= first and _oblong(spots[k].quad)]
        if any(k < first for k in group) or len(some) >= TRIO:
            out += some
    return sorted(out)


def _oblong(quad: Quad) -> bool:
    long, high = sides(quad)
    return long > 1.2 * high and high >= LEAST_HIGH


def alone(lines: Sequence[Line]) -> list[Line]:
    """Without the faint lines that cannot be read and have no line to be covered beside them."""
    out = []
    groups = labels([line.spot.quad for line in lines])
    for group in groups:
        members = [lines[k] for k in group]
        going = any(not m.kept and m.spot.score >= LEAST_SCORE for m in members)
        staying = any(m.kept for m in members)
        crowd = sum(m.spot.score < LEAST_SCORE for m in members) >= TRIO and not staying
        for line in members:
            faint = line.spot.score < LEAST_SCORE and not line.kept and not line.strong
            ticks = "ruler" in line.keep and identifiers.comb(line.text)
            if not faint or line.certainty >= 0.8 or ((going or crowd) and not ticks):
                out.append(line)
    return out


def closed_rows(lines: Sequence[Line]) -> list[Line]:
    """Lines that are covered, with the gaps between the words of their row, which would tell how long each is.

    What lies under them is seen, and covered whole, by :mod:`medimg.detect.objects.carriers`.
    """
    out = list(lines)
    free = [k for k, line in enumerate(lines) if line.category not in SCALES]
    staying = [line.spot.quad for line in lines if line.kept]
    for group in labels([lines[k].spot.quad for k in free]):
        quads = {free[g]: lines[free[g]].spot.quad for g in group if not lines[free[g]].kept}
        for k, quad in quads.items():
            row = [other for other in quads.values() if beside(quad, other)]
            there = around([quad, *row], axis(max(quads.values(), key=lambda q: sides(q)[0])))
            if area(there) > 1.05 * area(quad) and all(shared(there, q) < 0.1 * area(q) for q in staying):
                out[k] = replace(lines[k], cover=there)
    return out


def beside(a: Quad, b: Quad) -> bool:
    """Whether two lines stand in one row, at most three heights apart."""
    along = axis(a) if sides(a)[0] >= sides(b)[0] else axis(b)
    across = np.array([-along[1], along[0]], np.float32)
    high = min(sides(a)[1], sides(b)[1])
    ua, va, ub, vb = a @ along, a @ across, b @ along, b @ across
    gap = max(ua.min(), ub.min()) - min(ua.max(), ub.max())
    same = min(va.max(), vb.max()) - max(va.min(), vb.min())
    return bool(same > 0.5 * high and gap < 3.0 * high)


def _one_ground(rgb: Pixels | None, quad: Quad, other: Quad) -> bool:
    """Whether most of another place is on the ground that a line stands on, print on it apart."""
    if rgb is None:
        return True
    own = _sampled(rgb, quad, 40)
    unlike = np.abs(_sampled(rgb, other, 40) - np.median(own, axis=(0, 1))).max(axis=2)
    return float((unlike <= _spread(own)).mean()) >= SAME


def _sampled(rgb: Pixels, quad: Quad, columns: int) -> NDArray[np.float32]:
    """Colours on a grid of 8 rows in a quadrilateral."""
    v = np.linspace(0.1, 0.9, 8, dtype=np.float32)[:, None]
    return _colours(rgb, quad[0] + (quad[3] - quad[0]) * v, quad[1] + (quad[2] - quad[1]) * v, columns)


def _colours(rgb: Pixels, starts: Quad, ends: Quad, columns: int) -> NDArray[np.float32]:
    """Colours along lines from ``starts`` to ``ends``, both (rows, 2)."""
    u = np.linspace(0.02, 0.98, columns, dtype=np.float32)[None, :, None]
    points = (starts[:, None] + (ends - starts)[:, None] * u).round().astype(int)
    x, y = np.clip(points[..., 0], 0, rgb.shape[1] - 1), np.clip(points[..., 1], 0, rgb.shape[0] - 1)
    return np.asarray(rgb[y, x], np.float32)


def _spread(ground: NDArray[np.float32]) -> float:
    """How far a colour may be from the usual one of a ground and still be of that ground."""
    usual = np.median(ground, axis=(0, 1))
    return max(8.0 + OTHER_GROUND * float(usual.max()), 3.0 * float(np.median(np.abs(ground - usual).max(axis=2))))


def to_edges(lines: Sequence[Line], rgb: Pixels, margin: float) -> list[Line]:
    """Covers of coarse boxes that cannot be read, drawn in to the edges of the band or card that they show.

    The finder's boxes are as roomy as they are high: round a whole wristband they take in the skin beside it.

    Args:
        lines: What was found.
        rgb: The picture.
        margin: What the policy lets covers of text grow by, as a share of their height.
    """
    leeway = min(LEEWAY, LEEWAY_OF_MARGIN * margin)
    coarse = [line.spot.level > 0 and line.category == Category.UNREAD for line in lines]
    return [
        replace(line, cover=_to_edges(rgb, line.cover, leeway)) if inexact else line
        for line, inexact in zip(lines, coarse, strict=True)
    ]


def _to_edges(rgb: Pixels, quad: Quad, leeway: float) -> Quad:
    cuts = []
    for side in range(4):
        start, end, _, beside = np.roll(quad, -side, axis=0)
        deep = beside - start
        deep = deep * min(1.0, sides(quad)[1] / max(float(np.hypot(*deep)), 1.0))
        steps = np.linspace(-ROOM, DEEPEST, EDGE_ROWS)
        rows = _colours(rgb, start + steps[:, None] * deep, end + steps[:, None] * deep, 40)
        # Each column by its own surroundings: a card may lie half on skin and half on cloth.
        beside = rows[steps <= 0]
        usual = np.median(beside, axis=0)
        even = np.asarray(beside - usual + np.median(usual, axis=0), np.float32)
        other = (np.abs(rows - usual).max(axis=2) > _spread(even)).mean(axis=1)
        edge = np.flatnonzero(np.convolve(other, np.full(4, 0.25), "valid") >= EDGE)
        calm = len(edge) and other[: edge[0]].max(initial=0.0) < EDGE
        cuts.append(max(0.0, float(steps[edge[0]]) + leeway) * float(np.hypot(*deep)) if calm else 0.0)
    top, right, bottom, left = cuts
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    along, down = along / max(float(np.hypot(*along)), 1.0), down / max(float(np.hypot(*down)), 1.0)
    moves = ((left, top), (-right, top), (-right, -bottom), (left, -bottom))
    return np.array([corner + u * along + v * down for corner, (u, v) in zip(quad, moves, strict=True)], np.float32)


def gaps(lines: Sequence[Line], rgb: Pixels | None = None) -> list[Line]:
    """A row that was not found between two rows of a column that are covered, as a line nobody could read.

    The two begin under each other, at least one more covered line begins there too, nothing was found between, and it
    is the ground of the upper one: slips of paper on skin are no column.
    """
    going = [line for line in lines if not line.kept and line.category not in SCALES]
    out: list[Line] = []
    for upper in going:
        along = axis(upper.spot.quad)
        across = np.array([-along[1], along[0]], np.float32)
        high = sides(upper.spot.quad)[1]
        left, low = float((upper.spot.quad @ along).min()), float((upper.spot.quad @ across).max())
        column = [
            other
            for other in going
            if abs(float((other.spot.quad @ along).min()) - left) < 0.8 * high
            and 0.6 < sides(other.spot.quad)[1] / max(high, 1e-6) < 1.6
            and abs(float((other.spot.quad @ across).max()) - low) < 10 * high
        ]
        for lower in column if len(column) >= TRIO else ():
            top = float((lower.spot.quad @ across).min())
            if not 0.8 * high < top - low < 2.6 * high:
                continue
            right = max(float((q @ along).max()) for q in (upper.spot.quad, lower.spot.quad))
            corners = [(left, low), (right, low), (right, top), (left, top)]
            quad = np.array([a * along + b * across for a, b in corners], np.float32)
            free = not any(shared(quad, other.spot.quad) > 0.25 * area(other.spot.quad) for other in lines)
            if free and _one_ground(rgb, upper.spot.quad, quad):
                out.append(Line(Spot(quad, min(upper.spot.score, lower.spot.score)), "", 0.0, cover=quad))
    return out


def off_kept(lines: Sequence[Line], margin: float) -> list[Line]:
    """Lines beside one that stays marked as tight, so that no margin goes over that line or scale.

    Args:
        lines: What was found.
        margin: What the policy lets covers of text grow by, as a share of their height.
    """
    near = [not a.kept and any(_touches(a.cover, margin, b) for b in lines if b.kept) for a in lines]
    return [
        replace(line, cover=grown(line.cover, 0.0), tight=True) if tight else line
        for line, tight in zip(lines, near, strict=True)
    ]


def _touches(cover: Quad, margin: float, other: Line) -> bool:
    quad, high = other.spot.quad, sides(cover)[1]
    if other.category == Category.RULER:
        return shared(grown(cover, max(NEAR_SCALE, margin) * high), quad) > 0 and sides(quad)[1] < 3 * high
    return shared(grown(cover, max(NEAR, margin) * high), quad) > ON_KEPT * area(quad)


def as_wide(quad: Quad, block: Quad, along: Quad) -> Quad:
    """The line's box made as long as the label's block."""
    across = np.array([-along[1], along[0]], np.float32)
    u, v = block @ along, quad @ across
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * along + b * across for a, b in corners], np.float32)
