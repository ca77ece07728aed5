"""From boxes and readings to lines with a category and a place to cover."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from medimg.detect import Frame, identifiers, patches, ruler
from medimg.detect._known import Known, skeleton
from medimg.detect._lines import Quad, area, around, axis, grown, labels, shared, sides
from medimg.detect._ocr import Spot

TALLEST = 0.12
"""A box higher than this share of the frame's longer side is a foot or a fold, unless it reads as a word."""
TICKED = 0.6
"""Least share of a box that is a row of ticks for it to be a ruler."""
FILLED = 0.45
"""A label whose lines fill this share of it is covered as one block."""


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


def merged(levels: Sequence[Sequence[Spot]], width: int, height: int) -> list[Spot]:
    """One list of spots from looks at several sizes, the finest first; the same box twice is left out."""
    out: list[Spot] = []
    for level, spots in enumerate(levels):
        fine = list(out)
        for spot in spots:
            quad = np.clip(spot.quad, 0, [width, height]).astype(np.float32)
            if area(quad) < 16:
                continue
            if not any(_same(quad, other.quad) for other in fine):
                out.append(Spot(quad, spot.score, level))
    return out


def decide(lines: Sequence[Line], frame: Frame, known: Known) -> list[Line]:
    """What every line is, rulers and whole labels included, and what to cover for it."""
    long_side = max(frame.width, frame.height)
    judged = []
    for line in lines:
        verdict = identifiers.classify(line.text, line.certainty, known)
        line = replace(line, category=verdict.category, strong=verdict.strong, cover=line.spot.quad)
        if sides(line.spot.quad)[1] > TALLEST * long_side and not _word(line):
            continue
        if _no_text(line, long_side):
            continue
        judged.append(line)
    judged = [_card(line, frame) for line in _rulers(judged, frame)]
    judged = _explained(_monitor(judged))
    return _whole_labels(judged)


def _monitor(lines: Sequence[Line]) -> list[Line]:
    """A monitor's readings stay, beside the name of what is measured or in a column with a blood pressure."""
    near: list[Quad] = []
    for line in lines:
        if line.certainty >= 0.6 and identifiers.vital_sign(line.text):
            near.append(grown(line.spot.quad, sides(line.spot.quad)[1]))
        elif line.certainty >= 0.6 and _pressure(line):
            near.append(grown(line.spot.quad, 5.0 * sides(line.spot.quad)[1]))
    out = []
    for line in lines:
        plain = not line.kept and line.category != "known" and line.certainty >= 0.6
        if plain and identifiers.vital_value(line.text) and any(shared(line.spot.quad, quad) > 0 for quad in near):
            line = replace(line, category="unit", strong=False)
        out.append(line)
    return out


def _pressure(line: Line) -> bool:
    return "/" in line.text and identifiers.vital_value(line.text)


def _card(line: Line, frame: Frame) -> Line:
    """A colour card found as one box of text stays; what is written on it is found at the finer size."""
    few = sum(c.isalnum() for c in line.text) <= 2 and not line.strong and not line.kept
    if few and area(line.spot.quad) > 0.002 * frame.width * frame.height and patches.card(frame.rgb, line.spot.quad):
        return replace(line, category="colour-card")
    return line


def _no_text(line: Line, long_side: int) -> bool:
    """Whether an unsure box is a socket, a knob or a wound: squat, not small, and at most one sign in it.

    Measured on 110 wound photographs: these were two thirds of the false boxes, and no text was among them.
    """
    long, high = sides(line.spot.quad)
    if line.strong or high < 0.015 * long_side:
        return False
    signs = sum(c.isalnum() for c in line.text)
    squat = long / max(high, 1e-6)
    return (signs <= 1 and squat < 1.8 and line.spot.score < 0.72) or (
        signs == 0 and squat < 3 and line.spot.score < 0.6
    )


def _word(line: Line) -> bool:
    signs = sum(c.isalnum() for c in line.text)
    return (signs >= 3 and line.certainty >= 0.8) or (signs >= 2 and line.certainty >= 0.93)


def _same(a: Quad, b: Quad) -> bool:
    both = shared(a, b)
    return both > 0 and both / (area(a) + area(b) - both) >= 0.5


def _rulers(lines: Sequence[Line], frame: Frame) -> list[Line]:
    at, values = numerals(lines)
    on = {at[n] for n in ruler.scale(values)} if len(at) <= 120 else set()
    for k, line in enumerate(lines):
        if k in on or line.kept or line.category == "known":
            continue
        if _counts_up(line.text) or (not line.strong and not _wordy(line) and _ticked(line, frame)):
            on.add(k)
    zones = [lines[k].spot.quad for k in sorted(on)]
    for k, line in enumerate(lines):
        # A numeral beside a scale belongs to it, even one that could not be read.
        if k in on or line.kept or line.strong or not zones or _wordy(line):
            continue
        long, high = sides(line.spot.quad)
        near = grown(line.spot.quad, 4.0 * high)
        numeral = _numerals_only(line.text)
        if (numeral or (sum(c.isalnum() for c in line.text) <= 1 and long < 2.0 * high)) and sum(
            0.4 < sides(zone)[1] / max(high, 1e-6) < 2.5 and shared(near, zone) > 0 for zone in zones
        ) >= (1 if numeral else 2):
            on.add(k)
    return [replace(line, category="ruler", strong=False) if k in on else line for k, line in enumerate(lines)]


def numerals(lines: Sequence[Line]) -> tuple[list[int], list[ruler.Numeral]]:
    """Indices of the lines that are one number, and these numbers with their places."""
    at = [k for k, line in enumerate(lines) if line.certainty >= 0.4 and identifiers.numeral(line.text) is not None]
    out = []
    for k in at:
        quad = lines[k].spot.quad
        x, y = quad.mean(axis=0)
        out.append(ruler.Numeral(identifiers.numeral(lines[k].text) or 0.0, float(x), float(y), sides(quad)[1]))
    return at, out


def _numerals_only(text: str) -> bool:
    """One to three numerals of a scale, found as one line."""
    words = text.split()
    return 0 < len(words) <= 3 and all(
        identifiers.numeral(word) is not None or word in ("i", "l", "o") for word in words
    )


def _ticked(line: Line, frame: Frame) -> bool:
    if ruler.ticked(frame.rgb, line.spot.quad) >= TICKED:
        return True
    digits = identifiers.scale_text(line.text) and sum(c.isdigit() for c in line.text) <= 4
    return digits and ruler.beside_ticks(frame.rgb, line.spot.quad)


def _wordy(line: Line) -> bool:
    """Whether the reader saw letters (a name on a ruler), or an identifier, and not a scale."""
    if line.certainty < identifiers.LEAST_SCORE:
        return False
    letters = max((len(w) for w in re.findall(r"[^\W\d_]+", line.text)), default=0)
    return (letters >= 3 or line.strong) and not identifiers.scale_text(line.text) and not _comb(line.text)


def _comb(text: str) -> bool:
    """Whether a reading is what a row of ticks is misread as: upright strokes, the same few over and over."""
    letters = re.sub(r"[\W_]", "", text.lower())
    return len(letters) >= 6 and len(set(letters)) < 0.5 * len(letters) and not set(letters) - set("mnuilthbdo1j0")


def _counts_up(text: str) -> bool:
    """``0 1 2 3 cm``: numbers in a row, each one more (or five, or ten more) than the one before."""
    words = re.findall(r"\d+", text)
    if len(words) < 4 or re.search(r"[^\W\d_]{3,}", text):
        return False
    values = [int(w) for w in words if len(w) < 5]
    steps = {b - a for a, b in pairwise(values)}
    return len(values) == len(words) and len(steps) == 1 and steps <= {1, 2, 5, 10, -1, -2, -5, -10}


def _explained(lines: Sequence[Line]) -> list[Line]:
    """Without the coarse boxes that only lump finer lines together, and with fragments joined to their line."""
    out = []
    for line in lines:
        quad = line.spot.quad
        size = area(quad)
        if line.spot.level and not line.kept:
            inside = [
                other
                for other in lines
                if other.spot.level < line.spot.level and shared(quad, other.spot.quad) > 0.6 * area(other.spot.quad)
            ]
            hidden = sum(shared(quad, other.spot.quad) for other in inside) / max(size, 1.0)
            kept = bool(inside) and all(other.kept for other in inside)
            said = skeleton(line.text)
            again = bool(said) and any(o.certainty >= 0.8 and skeleton(o.text) == said for o in inside)
            if again or hidden >= 0.6 or (kept and hidden >= 0.3 and not line.strong):
                continue
        if not line.kept and not line.strong:
            whole = [
                other
                for other in lines
                if other.kept
                and other.spot.level > line.spot.level
                and other.certainty >= 0.9
                and shared(quad, other.spot.quad) > 0.8 * size
            ]
            if whole and line.certainty < 0.8:
                line = replace(line, category=whole[0].category)
        out.append(line)
    return out


def _whole_labels(lines: Sequence[Line]) -> list[Line]:
    """One strong hit takes its label: every line on it is covered, and to the same width."""
    free = [k for k, line in enumerate(lines) if line.category not in ("ruler", "colour-card")]
    out = list(lines)
    for group in labels([lines[k].spot.quad for k in free]):
        members = [free[g] for g in group]
        strong = [k for k in members if lines[k].strong]
        if not strong:
            continue
        first = max(strong, key=lambda k: lines[k].certainty)
        longest = max(members, key=lambda k: sides(lines[k].spot.quad)[0])
        along = axis(lines[longest].spot.quad)
        block = around([lines[k].spot.quad for k in members], along)
        on_ruler = any(line.category == "ruler" and shared(block, line.spot.quad) > 0 for line in lines)
        filled = sum(area(lines[k].spot.quad) for k in members) / max(area(block), 1.0)
        for k in members:
            line = lines[k]
            if line.category == "unit" and identifiers.vital_value(line.text):
                continue
            if line.kept or line.category in ("unknown", "unread"):
                line = replace(line, category=lines[first].category)
            if filled >= FILLED and not on_ruler:
                line = replace(line, cover=_as_wide(line.spot.quad, block, along))
            out[k] = line
    return out


def _as_wide(quad: Quad, block: Quad, along: Quad) -> Quad:
    """The line's box made as long as the label's block."""
    across = np.array([-along[1], along[0]], np.float32)
    u, v = block @ along, quad @ across
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * along + b * across for a, b in corners], np.float32)
