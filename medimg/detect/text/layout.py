"""From boxes and readings to lines with a category and a place to cover."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from medimg.detect import Frame
from medimg.detect.text import _blobs, combs, identifiers, monitors, scale_lines
from medimg.detect.text import patches as _patches
from medimg.detect.text.known import Known, skeleton
from medimg.detect.text.labels import Line, alone, beside, closed_rows, gaps, off_kept, to_edges
from medimg.detect.text.lines import Quad, area, grown, shared, sides
from medimg.detect.text.ocr import Spot
from medimg.native.opencv import cv2
from medimg.policy import TextRules
from medimg.vocabulary import Category

DEFAULT = TextRules()
TALLEST = 0.12
"""A box higher than this share of the frame's longer side is a foot or a fold, unless it reads as a word."""
LARGEST, FIRM = 0.5, 0.8
ROW, FAIR = 2.3, 0.65
"""A higher box with ink across its middle is print all the same, read or not, when the finder is firmly sure of it and
it is not larger than this share of the longer side, or when it is fairly sure and the box is this many times as long as
high: a name in large letters of a script that the reader does not know. In about 250 public photographs 107 boxes were
higher than ``TALLEST`` and not read as a word. Three were writing (.85, .90, .90); the surest of the others up to half
of the side was at .76, and of those so long at .40."""
COLOURS = frozenset(("blue", "cyan", "green", "yellow", "red", "magenta", "white", "black", "grey", "gray", "orange"))
FIELD, WIDEST = re.compile(r"[^\W\d][^\d:]{1,20}:"), 0.75
"""The name of a field, with its colon; and how wide a sign of it is at most, in heights of its box: of 14 on composites
and forms by other makers it was .37 to .58."""
WEDGE, WEDGE_LEAST = "A123456M89101112131415B171819", 4
"""What stands under the twenty steps of a Kodak grey scale, and fewest signs of it, a letter among them."""
LUMP, FILLED, LYING_IN = 0.6, 0.6, 0.6
"""Largest share of a box that a line in it has to be a smaller one, least share of the box that such lines fill to say
all there is to it, and least share of each that lies in it."""
SURE_SIGN = 0.9
"""Certainty from which a lone sign beside covered print belongs to it, though its box is as squat as a knob."""


def merged(levels: Sequence[Sequence[Spot]], width: int, height: int) -> list[Spot]:
    """One list of spots from looks at several sizes, the finest first; the same box twice is left out.

    Of boxes too high for a line the surer one stays as well: at the finest size two rows of large lettering come out as
    one box that nobody can read, which is then taken for a foot.
    """
    high = TALLEST * max(width, height)
    out: list[Spot] = []
    for level, spots in enumerate(levels):
        fine = list(out)
        for spot in spots:
            quad = np.clip(spot.quad, 0, [width, height]).astype(np.float32)
            if area(quad) < 16:
                continue
            same = [other for other in fine if _same(quad, other.quad)]
            if all(sides(other.quad)[1] > high and spot.score > other.score for other in same):
                out.append(Spot(quad, spot.score, level))
    return out


def decide(lines: Sequence[Line], frame: Frame, known: Known, rules: TextRules = DEFAULT) -> list[Line]:
    """What every line is, rulers included, and what to cover for it.

    Args:
        lines: What was found and read.
        frame: The picture.
        known: Values of the person.
        rules: What the policy keeps, so that nothing it would cover is left out or stands in a cover's way.
    """
    long_side = max(frame.width, frame.height)
    judged = []
    keep = frozenset(rules.keep)
    for line in combs.joined(lines):
        verdict = identifiers.classify(line.text, line.certainty, known)
        if _filled_in(line):
            verdict = identifiers.Verdict(Category.UNKNOWN)
        judged.append(replace(line, category=verdict.category, strong=verdict.strong, cover=line.spot.quad, keep=keep))
    # Rulers first: a single numeral looks like a knob or a wound, and tells where the scale is all the same.
    judged = scale_lines.rulers(judged, frame)
    staying = [
        line.category == Category.RULER
        or _large_print(line, frame)
        or not (like_a_foot(line, long_side) or _no_text(line, frame))
        for line in judged
    ]
    rows = [line for line, stays in zip(judged, staying, strict=True) if stays and _covered_print(line)]
    judged = [line for line, stays in zip(judged, staying, strict=True) if stays or _last_of_a_row(line, rows)]
    judged = [_card(line, frame) for line in judged]
    judged = _explained(monitors.kept(_legend(judged), frame.rgb))
    judged = closed_rows(alone(judged))
    found = to_edges([*judged, *gaps(judged, frame.rgb)], frame.rgb, rules.margin)
    return off_kept(found, rules.margin)


def _filled_in(line: Line) -> bool:
    """Whether a box holds more than the name of a field, which is all that was read: what was filled in by hand."""
    long, high = sides(line.spot.quad)
    return bool(FIELD.fullmatch(line.text.strip())) and long > (WIDEST * len(line.text.strip()) + 1) * high


def _legend(lines: Sequence[Line]) -> list[Line]:
    """The names of a colour card's patches: four different colours, each a line by itself, in line."""
    lines = [replace(line, category=Category.COLOUR_CARD, strong=False) if _wedge(line) else line for line in lines]
    at = [k for k, line in enumerate(lines) if line.certainty >= 0.8 and _colours(line)]
    high = float(np.median([sides(lines[k].spot.quad)[1] for k in at])) if at else 0.0
    near = [
        k
        for k in at
        if 0.5 * high < sides(lines[k].spot.quad)[1] < 2 * high
        and sum(shared(grown(lines[k].spot.quad, 6 * high), lines[m].spot.quad) > 0 for m in at) >= 2
    ]
    if len({word for k in near for word in _colours(lines[k])}) < 4:
        return list(lines)
    return [
        replace(line, category=Category.COLOUR_CARD, strong=False) if k in near else line
        for k, line in enumerate(lines)
    ]


def _wedge(line: Line) -> bool:
    """Whether a line is the names of a grey scale's steps, four and more of them."""
    said = "".join(line.text.split()).upper()
    return len(said) >= WEDGE_LEAST and not said.isdigit() and said in WEDGE


def _colours(line: Line) -> list[str]:
    """The words of a line when all of them are colours, else none."""
    words = line.text.lower().split()
    return words if all(word in COLOURS for word in words) else []


def _card(line: Line, frame: Frame) -> Line:
    """A colour card found as one box of text stays; what is written on it is found at the finer size."""
    few = sum(c.isalnum() for c in line.text) <= 2 and not line.strong and not line.harmless
    if few and area(line.spot.quad) > 0.002 * frame.width * frame.height and _patches.card(frame.rgb, line.spot.quad):
        return replace(line, category=Category.COLOUR_CARD)
    return line


def _no_text(line: Line, frame: Frame) -> bool:
    """Whether an unsure box is a socket, a knob or a wound: squat, not small, and at most one or two signs in it.

    Measured on 110 wound photographs: these were two thirds of the false boxes, and no text was among them.
    """
    long, high = sides(line.spot.quad)
    if line.strong or high < 0.015 * max(frame.width, frame.height):
        return False
    signs = sum(c.isalnum() for c in line.text)
    squat = long / max(high, 1e-6)
    return (
        (signs <= 1 and squat < 1.8 and line.spot.score < 0.72)
        or (signs == 0 and squat < 3 and line.spot.score < 0.6)
        or (0 < signs <= 2 and squat < 2.2 and line.certainty < 0.9 and _blobs.wound(frame.rgb, line.spot.quad))
    )


def _covered_print(line: Line) -> bool:
    """Whether a line was read, perhaps in part, and is not known to be harmless."""
    return not line.kept and line.category != Category.RULER and any(c.isalnum() for c in line.text)


def _last_of_a_row(line: Line, rows: Sequence[Line]) -> bool:
    """Whether a box of one sign, surely read, goes on a row of covered print: the day of a date in wide letters."""
    if line.certainty < SURE_SIGN or sum(c.isalnum() for c in line.text) != 1:
        return False
    high = max(sides(line.spot.quad))  # a figure is higher than it is wide
    return any(0.6 < sides(row.spot.quad)[1] / high < 1.6 and beside(line.spot.quad, row.spot.quad) for row in rows)


def like_a_foot(line: Line, long_side: int) -> bool:
    """Whether a box is too high for a line of text and was not read as a word.

    Such a box is left out; whether it is a whole sheet of print is seen before, by :mod:`medimg.detect.text._zoom`.

    Args:
        line: The box and what was read in it.
        long_side: The frame's longer side, in pixels.
    """
    return not _word(line) and _too_tall(line, long_side)


def _too_tall(line: Line, long_side: int) -> bool:
    """Whether a box is as high as a foot, and neither as long nor as sure as large lettering."""
    long, high = sides(line.spot.quad)
    return high > TALLEST * long_side and not (long > 2.5 * high and line.spot.score >= 0.7 and len(line.text) >= 3)


def _large_print(line: Line, frame: Frame) -> bool:
    """Whether a box that is too high for a line is print all the same, read or not."""
    long_side = max(frame.width, frame.height)
    long, high = sides(line.spot.quad)
    row = long >= ROW * high and line.spot.score >= FAIR
    firm = high <= LARGEST * long_side and line.spot.score >= FIRM
    return _too_tall(line, long_side) and (row or firm) and _blobs.inked(frame.rgb, line.spot.quad)


def _word(line: Line) -> bool:
    signs = sum(c.isalnum() for c in line.text)
    return (signs >= 3 and line.certainty >= 0.8) or (signs >= 2 and line.certainty >= 0.93)


def _same(a: Quad, b: Quad) -> bool:
    both = shared(a, b)
    return both > 0 and both / (area(a) + area(b) - both) >= 0.5


def explained(line: Line, finer: Sequence[Line], keep: Collection[str] = identifiers.KEPT) -> bool:
    """Whether what was found inside a box at a closer look says all there is to it.

    It does when it fills most of the box, or shows the box to be a ruler, a card or a harmless label, of which the
    policy keeps such lines.
    """
    quad = line.spot.quad
    size = area(quad)
    inside = [other for other in finer if shared(quad, other.spot.quad) > 0.7 * area(other.spot.quad)]
    if any(_explaining(o, keep) for o in inside if o.certainty >= 0.4):
        return True
    return sum(shared(quad, other.spot.quad) for other in inside) >= 0.5 * size


def _explaining(line: Line, keep: Collection[str]) -> bool:
    scale = (identifiers.comb(line.text) and line.certainty < 0.8) or scale_lines.numerals_only(line.text)
    return (scale and "ruler" in keep) or identifiers.harmless(line.text) in keep


def _part_of_kept(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a box is a piece of a harmless word that was found and read whole."""
    return any(other.kept and _part_of(line, other) for other in lines)


def _part_of(line: Line, other: Line) -> bool:
    """Whether a line is a piece of one that was read surely: its letters stand there, and it lies in its box."""
    said = skeleton(line.text)
    lies_in = other.certainty >= 0.9 and shared(line.spot.quad, other.spot.quad) > 0.7 * area(line.spot.quad)
    return bool(said) and said in skeleton(other.text) and lies_in


def _without_pieces(lines: Sequence[Line]) -> list[Line]:
    """The lines; a piece of one that stays in the list says nothing more: DANG of DANGER is no name."""
    whole: list[Line] = []
    for line in sorted(lines, key=lambda one: -len(skeleton(one.text))):
        piece = not line.kept and line.category != Category.KNOWN and any(_part_of(line, other) for other in whole)
        if not piece:
            whole.append(line)
    there = set(map(id, whole))
    return [line for line in lines if id(line) in there]


def _lump_of_kept(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a box is two smaller lines and more in one, all of which stay, and hardly more than these.

    Figures of a scale are found twice at times, each by itself and two or three as one box that says another number.
    """
    quad = line.spot.quad
    size = area(quad)
    inside = [
        other
        for other in lines
        if other is not line
        and area(other.spot.quad) < LUMP * size
        and shared(quad, other.spot.quad) > LYING_IN * area(other.spot.quad)
    ]
    if len(inside) < 2 or not all(other.kept for other in inside):
        return False
    corner, (wide, high) = quad.min(axis=0), np.ptp(quad, axis=0)
    filled, own = (np.zeros((int(high) + 2, int(wide) + 2), np.uint8) for _ in range(2))
    cv2.fillConvexPoly(own, np.round(quad - corner).astype(np.int32), 1)
    for other in inside:
        cv2.fillConvexPoly(filled, np.round(other.spot.quad - corner).astype(np.int32), 1)
    return float((filled & own).sum()) >= FILLED * float(own.sum())


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
            if _part_of_kept(line, lines) or _lump_of_kept(line, lines):
                continue
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
    return _without_pieces(out)
