"""Which lines are parts of a measuring scale: its figures, its ticks, and what stands in a figure's place.

Ascending figures at equal pitch are a ruler before they are anything else. What a ruler looks like in the picture is
:mod:`medimg.detect.text.ruler`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from medimg.detect import Frame
from medimg.detect.objects import drawn_scale, marks, scales
from medimg.detect.text import identifiers, ruler
from medimg.detect.text.labels import Line
from medimg.detect.text.lines import area, axis, grown, shared, sides
from medimg.vocabulary import Category

TICKED = 0.6
"""Least share of a box that is a row of ticks for it to be a ruler."""
TICKED_UNREAD = 0.42
"""The same for a coarse box that cannot be read; letters lie below 0.4, and bar codes are the other check's part."""
MOST_NUMERALS = 120
MOST_PAIRED = 8
"""Numerals on no scale that are tried two by two."""
LETTER = 0.8
"""Certainty from which a letter is no tick of a ruler."""
ON_RULER, BROAD = 0.7, 0.7
"""Least share of a box that lies on a ruler, and its least height as a share of the ruler's breadth."""
STEPS = (1, 2, 4, 5, 10, 20, 25, 50, 100)
"""What the figures of a row rise or fall by."""
BAR = re.compile(r"[\u5de5\u30a8\u58ebIHl|\u4e00-]")
BARRED = re.compile(r"\W*\d{1,4}(?:[.,]\d{1,2})? ?(?:mm|cm|[\u00b5u]m)\W*")
NEAR_BAR = 2.0
"""A bar with stops at its ends, which is read as one of these signs, is a scale beside a length, no farther from it
than so many of its heights: cameras and microscopes draw one into the picture."""
ROW, LEVEL, PART = 0.8, 0.98, 0.3
"""Certainty of a row of figures whose ticks are looked for beside it, how nearly they run as it does (cosine), and the
share of them that is no farther from it than it is high."""
BENT = 1.5
"""How far beside a scale figures lie that go on from its own, in their height: tapes bend."""
DAYS, RUN_TOGETHER = 31, 6
PIECE = 0.7
"""Least share of a box in that of a longer line that makes it a piece of it."""


def rulers(lines: Sequence[Line], frame: Frame) -> list[Line]:
    """The lines, those that are parts of a scale marked as such.

    Args:
        lines: What was read, with the verdicts of their words.
        frame: The picture.
    """
    at, values = numerals(lines)
    found: list[ruler.Scale] = []
    sure: set[int] = set()
    if len(at) <= MOST_NUMERALS:
        found = ruler.scales(values)
        sure = set(ruler.scale(values))
        spare = [n for n in range(len(at)) if n not in sure][:MOST_PAIRED]
        for pair in ruler.pairs(frame.rgb, [values[n] for n in spare]):
            found.append(pair._replace(on=tuple(spare[n] for n in pair.on)))
    on = {at[n] for scale in found for n in scale.on} | {at[n] for n in sure}
    pieces = _pieces(lines)
    on -= pieces
    for k, line in enumerate(lines):
        if k in on | pieces or line.harmless or line.category == Category.KNOWN:
            continue
        loose = not line.strong and not _wordy(line)
        if (
            _counts_up(line.text)
            or (loose and (_ticked(line, frame) or _on_scale(line, found, values, frame) or _across(line, frame)))
            or (loose and sum(map(str.isalnum, line.text)) <= 1 and drawn_scale.strokes(frame.rgb, line.spot.quad))
            or (line.strong and _values_of(line, found, values))
        ):
            on.add(k)
    on |= _ticks_of_rows([k for k in on if lines[k].certainty >= ROW], lines, frame)
    zones = [lines[k].spot.quad for k in sorted(on)]
    for k, line in enumerate(lines):
        # A numeral beside a scale belongs to it, even one that could not be read.
        if k in on | pieces or line.harmless or line.strong or not zones or _wordy(line):
            continue
        long, high = sides(line.spot.quad)
        near = grown(line.spot.quad, 4.0 * high)
        numeral = numerals_only(line.text)
        if (numeral or (sum(c.isalnum() for c in line.text) <= 1 and long < 2.0 * high)) and sum(
            0.4 < sides(zone)[1] / max(high, 1e-6) < 2.5 and shared(near, zone) > 0 for zone in zones
        ) >= (1 if numeral else 2):
            on.add(k)
    bars = _scale_bars(lines) - on
    return [
        replace(line, category=Category.RULER if k in on else Category.UNIT, strong=False) if k in on | bars else line
        for k, line in enumerate(lines)
    ]


def _ticks_of_rows(rows: Sequence[int], lines: Sequence[Line], frame: Frame) -> set[int]:
    """Boxes that nobody could read along a row of figures, whose strokes divide the distance of these."""
    out: set[int] = set()
    for row in (lines[k] for k in rows):
        count = len(_apart(re.findall(r"\d+", row.text)))
        if count < scales.IN_A_ROW:
            continue
        long, high = sides(row.spot.quad)
        near = grown(row.spot.quad, high)
        for k, line in enumerate(lines):
            blank = line.category == Category.UNREAD and not any(map(str.isalnum, line.text))
            level = abs(float(axis(line.spot.quad) @ axis(row.spot.quad))) >= LEVEL
            beside = shared(near, line.spot.quad) >= PART * area(line.spot.quad)
            pitch = (long - high) / (count - 1)
            if blank and level and beside and ruler.divided(frame.rgb, line.spot.quad, pitch) >= ruler.EVEN:
                out.add(k)
    return out


def _scale_bars(lines: Sequence[Line]) -> set[int]:
    """Which lines are the bar beside a length that was drawn into the picture."""
    lengths = [line for line in lines if BARRED.fullmatch(line.text)]
    return {
        k
        for k, line in enumerate(lines)
        if BAR.fullmatch(line.text.strip())
        and any(shared(grown(one.spot.quad, NEAR_BAR * sides(one.spot.quad)[1]), line.spot.quad) > 0 for one in lengths)
    }


def _pieces(lines: Sequence[Line]) -> set[int]:
    """Which lines are a piece of a number or a name that was read as a whole: one or two figures inside its box.

    The figures of a scale that are read together have three and more in theirs.
    """
    out: set[int] = set()
    for other in (other for other in lines if other.strong):
        inside = [
            k
            for k, line in enumerate(lines)
            if line is not other and shared(line.spot.quad, other.spot.quad) > PIECE * area(line.spot.quad)
        ]
        letters = sum(c.isalpha() for c in other.text)
        if letters > 1 or sum(identifiers.numeral(lines[k].text) is not None for k in inside) < ruler.LEAST:
            out.update(inside)
    return out


def _on_scale(line: Line, found: Sequence[ruler.Scale], values: Sequence[ruler.Numeral], frame: Frame) -> bool:
    """Whether an unread box lies on the ticks of a scale that was found, or on the place of one of its numerals."""
    x, y = (float(v) for v in line.spot.quad.mean(axis=0))
    long, high = sides(line.spot.quad)
    for scale in found:
        marks = sorted({values[n].value for n in scale.on})
        step, beside = scale.along(x, y)
        room = 2.5 * min(b - a for a, b in pairwise(marks))
        if not marks[0] - room < step < marks[-1] + room or abs(beside) > 5 * scale.first.height:
            continue
        if ruler.divided(frame.rgb, line.spot.quad, scale.pitch) >= ruler.EVEN:
            return True
        few = numerals_only(line.text) or (sum(c.isalnum() for c in line.text) <= 2 and long < 2.5 * high)
        if few and 0.5 < high / max(scale.first.height, 1e-6) < 1.6 and abs(beside) < 0.5 * scale.first.height:
            return True
    return False


def _values_of(line: Line, found: Sequence[ruler.Scale], values: Sequence[ruler.Numeral]) -> bool:
    """Whether numbers found as one line are what stands at this place of a scale; ``11 12 13`` alone is a date."""
    said = [int(w) for w in re.findall(r"\d+", line.text)]
    if not numerals_only(line.text) or len(said) < 2 or sorted(said) != said:
        return False
    x, y = (float(v) for v in line.spot.quad.mean(axis=0))
    for scale in found:
        marks = sorted({values[n].value for n in scale.on})
        gap = min(b - a for a, b in pairwise(marks))
        step, beside = scale.along(x, y)
        follows = said[0] - gap in marks or said[-1] + gap in marks  # on a bent tape too
        far = (1.0, BENT) if follows else (0.5, 0.5)
        there = abs(step - sum(said) / len(said)) < far[0] * gap and abs(beside) < far[1] * scale.first.height
        if there and len(marks) >= 3 and {b - a for a, b in pairwise(said)} == {gap}:
            return True
    return False


def numerals(lines: Sequence[Line]) -> tuple[list[int], list[ruler.Numeral]]:
    """Indices of the lines that are one number, and these numbers with their places."""
    at = [k for k, line in enumerate(lines) if line.certainty >= 0.4 and identifiers.numeral(line.text) is not None]
    out = []
    for k in at:
        quad = lines[k].spot.quad
        x, y = quad.mean(axis=0)
        out.append(ruler.Numeral(identifiers.numeral(lines[k].text) or 0.0, float(x), float(y), sides(quad)[1]))
    return at, out


def numerals_only(text: str) -> bool:
    """Whether a line is one to four numerals of a scale, found as one line, perhaps with their unit."""
    words = re.findall(r"[^\W\d_]+|\d+", text.lower())
    units = ("cm", "mm", "in", "inch", "m", "c", "i", "l", "o")
    if scales.DAY.search(text):
        return False
    return 0 < len(words) <= 5 and all(w in units or (w.isdigit() and len(w) <= 3) for w in words)


def _across(line: Line, frame: Frame) -> bool:
    """Whether a box is as broad as the ruler it lies on: the scale, and not a line written beside it."""
    quad = line.spot.quad
    if line.certainty >= LETTER and any(c.isalpha() for c in line.text) and not numerals_only(line.text):
        return False  # a letter of a name that stands in boxes or far apart, which the network takes for a ruler too
    return any(
        shared(quad, outline) >= ON_RULER * area(quad) and sides(quad)[1] >= BROAD * sides(outline)[1]
        for outline in marks.rulers(frame)
    )


def _ticked(line: Line, frame: Frame) -> bool:
    blank = line.spot.level > 0 and line.certainty < identifiers.LEAST_SCORE
    if ruler.ticked(frame.rgb, line.spot.quad) >= (TICKED_UNREAD if blank else TICKED):
        return True
    digits = identifiers.scale_text(line.text) and sum(c.isdigit() for c in line.text) <= 4
    return digits and ruler.beside_ticks(frame.rgb, line.spot.quad)


def _wordy(line: Line) -> bool:
    """Whether the reader saw letters (a name on a ruler), an identifier or a day, and not a scale."""
    if line.certainty < identifiers.LEAST_SCORE:
        return False
    letters = max((len(w) for w in re.findall(r"[^\W\d_]+", line.text)), default=0)
    day = scales.DAY.search(line.text) is not None  # the cells of a chart are as even as a ruler's
    scale = identifiers.scale_text(line.text) or numerals_only(line.text)
    return (letters >= 3 or line.strong or day) and not scale and not identifiers.comb(line.text)


def _counts_up(text: str) -> bool:
    """``0 1 2 3 cm``: numbers in a row, each one more (or five, or ten more) than the one before.

    When four and more follow each other the others may be misread; three are enough that are no days of a month, after
    one that the box cut: ``5 37 38 39``. Run together they count from six on, past ten: ``5678910``.
    """
    if (scales.counts_up(text.rstrip("cml "), RUN_TOGETHER) and "10" in text) or _tens(text):
        return True
    words = _apart(re.findall(r"\d+", text))
    tail = [int(w) for w in words[-3:]]
    if numerals_only(text) and len(words) == 4 and tail[0] > DAYS and {b - a for a, b in pairwise(tail)} == {1}:
        return True
    if len(words) < 4 or re.search(r"[^\W\d_]{3,}", text):
        return False
    steps = [b - a for a, b in pairwise(int(w) for w in words)]
    usual = max(set(steps), key=steps.count)
    wrong = len(steps) - steps.count(usual)
    return abs(usual) in STEPS and (not wrong or (steps.count(usual) >= 3 and wrong <= 0.5 * len(steps)))


def _tens(text: str) -> bool:
    """Whether figures of two digits run together that count up, at least four; the box may have cut the first."""
    said = text.replace(" ", "")
    if not (said.isascii() and said.isdigit()):
        return False
    pairs = [int(said[k : k + 2]) for k in range(len(said) % 2, len(said), 2)]
    return len(pairs) >= 4 and pairs[0] >= 10 and {b - a for a, b in pairwise(pairs)} == {1}


def _apart(words: Sequence[str]) -> list[str]:
    """Numbers; one that is five of two digits and more run together, each as much more as the one before, as those."""
    joined = words[0] if len(words) == 1 else ""
    pairs = re.findall("..", joined)
    even = len({int(b) - int(a) for a, b in pairwise(pairs)}) == 1
    return pairs if len(joined) == 2 * len(pairs) >= 10 and even else list(words)
