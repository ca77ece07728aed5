"""What stands on one label: faint lines beside sure ones, lines that go together, gaps between them.

Only geometry and categories count here; what a line is was decided before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels, identifiers
from medimg.detect._lines import Quad, area, around, axis, grown, labels, shared, sides
from medimg.detect._ocr import Spot
from medimg.detect._sizes import LEAST_SCORE

FILLED = 0.45
"""A label whose lines fill this share of it is covered as one block."""
CALM = 0.9
"""Least certainty of a harmless line that stays on a label with a name on it."""
DRAWN_IN = 0.12
"""What the box of a name on a ruler is drawn in by, as a share of its height: the finder's boxes are that roomy."""
LEAST_HIGH = 8
"""Height of the smallest faint line that counts, in pixels: letters below are not legible, specks of skin are."""
OTHER_GROUND = 40.0
"""Least difference of a colour channel, 0 to 255, that makes another ground."""
TRIO = 3
"""So many faint lines under each other are a label."""


@dataclass(frozen=True)
class Line:
    """A line of text: where it is, what it says, how sure the reader was, what it is."""

    spot: Spot
    text: str
    certainty: float
    category: str = "unread"
    strong: bool = False
    cover: Quad = field(default_factory=lambda: np.zeros((4, 2), np.float32))

    @property
    def kept(self) -> bool:
        """Whether it is known to be harmless."""
        return self.category in identifiers.KEPT


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
            if not faint or line.certainty >= 0.8 or ((going or crowd) and not identifiers.comb(line.text)):
                out.append(line)
    return out


def whole_labels(lines: Sequence[Line], rgb: Pixels | None = None) -> list[Line]:
    """One strong hit takes its label: the lines on it are covered, and to the same width.

    A line that is harmless beyond doubt and has nothing to be covered beside it stays.
    """
    free = [k for k, line in enumerate(lines) if line.category not in ("ruler", "colour-card")]
    out = list(lines)
    for group in labels([lines[k].spot.quad for k in free]):
        members = [free[g] for g in group]
        going = members
        strong = [k for k in members if lines[k].strong]
        if strong:
            going = _taken(lines, members)
            first = max(strong, key=lambda k: lines[k].certainty)
            for k in going:
                if lines[k].kept or lines[k].category in ("unknown", "unread"):
                    out[k] = replace(lines[k], category=lines[first].category)
        _widen(
            out,
            [k for k in going if not out[k].kept],
            [line for line in out if line.kept],
            bool(strong) or len(going) >= TRIO,
            rgb,
        )
    return out


def _taken(lines: Sequence[Line], members: Sequence[int]) -> list[int]:
    """The members that go with a strong one."""
    calm = {k for k in members if _calm(lines[k])}
    while True:
        torn = {
            k
            for k in calm
            if not _value(lines[k])
            and any(_beside(lines[k].spot.quad, lines[m].spot.quad) for m in members if m not in calm)
        }
        if not torn:
            return [k for k in members if k not in calm]
        calm -= torn


def _value(line: Line) -> bool:
    return line.category == "unit" and identifiers.vital_value(line.text)


def _calm(line: Line) -> bool:
    return _value(line) or (line.kept and line.certainty >= CALM)


def _beside(a: Quad, b: Quad) -> bool:
    """Whether two lines stand in one row, at most three heights apart."""
    along = axis(a) if sides(a)[0] >= sides(b)[0] else axis(b)
    across = np.array([-along[1], along[0]], np.float32)
    high = min(sides(a)[1], sides(b)[1])
    ua, va, ub, vb = a @ along, a @ across, b @ along, b @ across
    gap = max(ua.min(), ub.min()) - min(ua.max(), ub.max())
    same = min(va.max(), vb.max()) - max(va.min(), vb.min())
    return bool(same > 0.5 * high and gap < 3.0 * high)


def _widen(lines: list[Line], going: Sequence[int], staying: Iterable[Line], block: bool, rgb: Pixels | None) -> None:
    """Cover lines to the width of their label, or at least the gaps between the words of a row."""
    if len(going) < 2:
        return
    quads = [lines[k].spot.quad for k in going]
    along = axis(max(quads, key=lambda quad: sides(quad)[0]))
    whole = around(quads, along)
    near = [line.spot.quad for line in staying if shared(whole, line.spot.quad) > 0]
    on_ruler = any(line.category == "ruler" for line in staying if shared(whole, line.spot.quad) > 0)
    filled = sum(area(quad) for quad in quads) / max(area(whole), 1.0)
    for k, quad in zip(going, quads, strict=True):
        row = [other for other in quads if _beside(quad, other)]
        wider = [around([quad, *row], along)]
        if block and filled >= FILLED and not on_ruler:
            wider.insert(0, _as_wide(quad, whole, along))
        for cover in wider:
            if (
                area(cover) > 1.05 * area(quad)
                and all(shared(cover, q) < 0.1 * area(q) for q in near)
                and _same_ground(rgb, quad, cover)
            ):
                lines[k] = replace(lines[k], cover=cover)
                break


def _same_ground(rgb: Pixels | None, quad: Quad, cover: Quad) -> bool:
    """Whether a wider cover lies on the ground that the line stands on: a label's paper, and not a wound beside it."""
    if rgb is None:
        return True
    own, wide = _sampled(rgb, quad), _sampled(rgb, cover)
    usual = np.median(own, axis=0)
    spread = max(OTHER_GROUND, 1.5 * float(np.percentile(np.abs(own - usual).max(axis=1), 90)))
    return float((np.abs(wide - usual).max(axis=1) <= spread).mean()) >= 0.85


def _sampled(rgb: Pixels, quad: Quad) -> NDArray[np.float32]:
    u, v = np.meshgrid(np.linspace(0.02, 0.98, 40), np.linspace(0.1, 0.9, 8))
    top = quad[0] + (quad[1] - quad[0]) * u[..., None]
    low = quad[3] + (quad[2] - quad[3]) * u[..., None]
    points = (top + (low - top) * v[..., None]).reshape(-1, 2).round().astype(int)
    x, y = np.clip(points[:, 0], 0, rgb.shape[1] - 1), np.clip(points[:, 1], 0, rgb.shape[0] - 1)
    return np.asarray(rgb[y, x], np.float32)


def gaps(lines: Sequence[Line]) -> list[Line]:
    """A row that was not found between two rows of a column that are covered, as a line nobody could read.

    The two begin under each other, at least one more covered line begins there too, and nothing was found between.
    """
    going = [line for line in lines if not line.kept]
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
            if not any(shared(quad, other.spot.quad) > 0.25 * area(other.spot.quad) for other in lines):
                out.append(Line(Spot(quad, min(upper.spot.score, lower.spot.score)), "", 0.0, cover=quad))
    return out


def off_rulers(lines: Sequence[Line]) -> list[Line]:
    """Covers beside a ruler's numerals drawn in, so that what a cover grows by later stays off the scale."""
    marks = [line.spot.quad for line in lines if line.category == "ruler"]
    out = []
    for line in lines:
        high = sides(line.cover)[1]
        near = not line.kept and any(
            shared(grown(line.cover, 0.6 * high), quad) > 0 and sides(quad)[1] < 3 * high for quad in marks
        )
        out.append(replace(line, cover=grown(line.cover, -DRAWN_IN * high)) if near else line)
    return out


def _as_wide(quad: Quad, block: Quad, along: Quad) -> Quad:
    """The line's box made as long as the label's block."""
    across = np.array([-along[1], along[0]], np.float32)
    u, v = block @ along, quad @ across
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * along + b * across for a, b in corners], np.float32)
