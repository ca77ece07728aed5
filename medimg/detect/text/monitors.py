"""What a bedside monitor shows of the body: readings and curves stay, whichever way the picture is turned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels
from medimg.detect.text import identifiers, lexicon, ruler
from medimg.detect.text.labels import Line, as_wide
from medimg.detect.text.lines import Quad, area, around, axis, grown, shared, sides
from medimg.native.opencv import cv2
from medimg.vocabulary import Category

SPARSE, ALONG = 1.3, 0.7
"""Most signs of a monitor's curve that was read as letters, for each time it is as long as high; and how nearly it runs
level, or as the readings beside it do, as the cosine."""
LEVEL = np.array((1, 0), np.float32)
FAR = 12.0
"""How far past a reading its curve may be, in its height."""
THRICE = re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)
"""A letter three times over, as in no word and no name."""
CURVE = re.compile(r"[\W_]*[LVWUMNIJCAYlvwumnijcay~\u039b\u221a\u2227][LVWUMNIJCAYlvwumnijcay~\u039b\u221a\u2227\W_]*")
"""What the reader makes of a curve; of a name in letters that it does not know it makes a stop as well."""
TALL = 1.8
"""Least height of a curve in that of the names of what is measured, unless a letter stands there three times over: of
a name in other letters than the reader's it makes an L or an M. As in :mod:`medimg.detect.objects.screens`."""
WAVE = 3
"""Most different letters of it: a curve repeats itself, and a name in wide letters (JULIA) does not."""
DECIMAL = re.compile(r"\d{1,2}\.\d")
"""A temperature, a concentration."""
BESIDE = re.compile(
    r"ART|PAP|ICP|CO2|FiO2|PEEP|PLETH|PPV|SYS|DIA|MEAN|ST"
    r"|(?:l|br|bpm|resp)?/ ?min|%|mm ?Hg|cm ?H2O|k?Pa|bpm|l/m|[\u00b0\u00ba]?[CF]",
    re.IGNORECASE,
)
"""Names and units that tell nothing of anybody beside a monitor's values; by themselves they may: Art is a name."""
INK = 0.35
"""Least difference of a trace from its ground, as a share of the greatest there."""
THROUGH, LINED, JOINED, SLENDER, FLAT = 0.95, 0.9, 0.97, 0.2, 0.6
"""A trace has ink in so much of its columns, in one piece in so much of these, which goes on in so much of the next
ones; its middle thickness is at most so much of its height, and off it nothing differs by more than such a share of
what is ink. Letters have gaps, bowls and stems: of 1,675 names drawn in 85 types, hands among them, none was."""


def kept(lines: Sequence[Line], rgb: Pixels) -> list[Line]:
    """A monitor's readings and curves stay, beside the name of what is measured or in a column with a pressure.

    Args:
        lines: What was found, read and judged.
        rgb: The picture.
    """
    near: list[Quad] = []
    ways = [LEVEL]
    rows: list[Quad] = []
    names: list[float] = []
    for line in (line for line in lines if line.certainty >= 0.6):
        high, way = sides(line.spot.quad)[1], axis(line.spot.quad)
        if identifiers.vital_sign(line.text) or _named_value(line.text):
            near.append(grown(line.spot.quad, high))
            far = FAR * high * way
            rows.append(around([line.spot.quad - far, line.spot.quad + far], way))
            names.append(high / 2 if any(map(str.isdigit, line.text)) else high)  # a value is twice as high
        elif _pressure(line):
            near.append(grown(line.spot.quad, 5.0 * high))
        else:
            continue
        ways.append(way)
    named_high = float(np.median(names)) if names else 0.0
    out = []
    for line in lines:
        free = _undecided(line)
        if near and free and not line.strong and traced(rgb, line.spot.quad):
            out.append(_measured(line))
            continue
        plain = free and line.certainty >= 0.6
        parts = _trace(line, lines, ways) if plain and (near or CURVE.match(line.text)) else [line]
        named = any(_named_value(part.text) for part in parts)
        for part in parts:
            curve = _curve(part, ways) and _tall(part, named_high)
            decimal = DECIMAL.fullmatch(part.text.strip()) is not None  # it stands apart from its name, in its row
            there = named or any(shared(part.spot.quad, q) > 0 for q in (near + rows if curve or decimal else near))
            measured = curve or identifiers.vital_value(part.text) or _named_value(part.text)
            out.append(_measured(part) if plain and there and measured else part)
    return _beside_values(out, near)


def _beside_values(lines: Sequence[Line], near: Sequence[Quad]) -> list[Line]:
    """The lines; of those beside a name or value of a monitor, other names and units are kept, too."""
    values = [line.spot.quad for line in lines if near and line.kept and identifiers.vital_value(line.text)]
    there = [*near, *(grown(quad, sides(quad)[1]) for quad in values)]
    return [
        _measured(line)
        if _undecided(line)
        and line.certainty >= 0.6
        and BESIDE.fullmatch(line.text.strip())
        and any(shared(line.spot.quad, quad) > 0 for quad in there)
        else line
        for line in lines
    ]


def _undecided(line: Line) -> bool:
    """Whether a line is neither known to be harmless nor known of the person; evenly spaced strokes may be a curve."""
    return (not line.harmless or line.category == Category.RULER) and line.category != Category.KNOWN


def _measured(line: Line) -> Line:
    return replace(line, category=Category.UNIT, strong=False)


def traced(rgb: Pixels, quad: Quad) -> bool:
    """Whether a place shows nothing but the trace of a curve: one thin line from end to end.

    Args:
        rgb: The picture.
        quad: Corners of the place.
    """
    strip = ruler.strip(rgb, quad)
    if strip is None:
        return False
    apart = strip - np.median(strip)
    if -np.percentile(apart, 2) > np.percentile(apart, 98):  # dark on light
        apart = -apart
    least = max(INK * float(np.percentile(apart, 99.5)), 12.0)
    ink = apart >= least
    pieces = (np.diff(ink.astype(np.int8), axis=0, prepend=0) == 1).sum(axis=0)
    inked, one = pieces > 0, pieces == 1
    if inked.mean() < THROUGH or one.sum() < LINED * inked.sum():
        return False
    first, last = ink.argmax(axis=0), len(ink) - 1 - ink[::-1].argmax(axis=0)
    on = (first[1:] <= last[:-1] + 3) & (last[1:] >= first[:-1] - 3)
    thick = float(np.median((last - first + 1)[inked])) / len(ink)
    ground = apart[cv2.dilate(ink.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0]
    rest = float(np.percentile(np.abs(ground), 99)) if ground.size else 0.0
    joined = float(on[one[1:] & one[:-1]].mean()) if (one[1:] & one[:-1]).any() else 0.0
    return joined >= JOINED and thick <= SLENDER and rest <= FLAT * least


def _named_value(text: str) -> bool:
    """Whether a line is one reading with its name: ``HR 78``, ``BP124/76``."""
    said = text.lstrip("~^.-\u221a\u2227 ").casefold()
    named = (said.removeprefix(sign) for sign in identifiers.VITAL_SIGNS if said.startswith(sign))
    return any(identifiers.vital_value(rest.strip(" :.%")) for rest in named)


def _curve(line: Line, ways: Sequence[NDArray[np.float32]]) -> bool:
    """Whether a line is a curve that was read as letters: far fewer signs than print of its length has.

    Args:
        line: It.
        ways: Unit vectors; a curve runs like one of them.
    """
    long, high = sides(line.spot.quad)
    sparse = len(line.text) <= SPARSE * long / max(high, 1e-6) or bool(THRICE.search(line.text))
    letters = "".join(c for c in line.text.casefold() if c.isalpha())
    named = len(set(letters)) > WAVE or (len(letters) >= WAVE and letters in lexicon.names() | lexicon.may_be_names())
    like = bool(CURVE.fullmatch(line.text)) and not named
    level = any(abs(float(axis(line.spot.quad) @ way)) >= ALONG for way in ways)
    return like and not line.strong and level and sparse


def _tall(line: Line, high: float) -> bool:
    """Whether what was read as a curve is as high as one, beside names of what is measured as high as ``high``."""
    return THRICE.search(line.text) is not None or sides(line.spot.quad)[1] >= TALL * high


def _trace(line: Line, lines: Sequence[Line], ways: Sequence[NDArray[np.float32]]) -> list[Line]:
    """A curve that was read as a few letters, cut off before the value at its end; any other line as it is.

    The value was read with the curve, perhaps with its name, or was found by itself and lies in the box of the curve.
    """
    starts = (k for k in range(len(line.text) + 1) if k and _value(line.text[k:]))
    start = next((k for k in starts if _curve(replace(line, text=line.text[:k]), ways)), None)
    if start is None:
        return [line]
    long, high = sides(line.spot.quad)
    along = axis(line.spot.quad)
    u = line.spot.quad @ along
    said = line.text[start:]
    cuts = [float(u.max()) - (0.8 * max(2, len(said)) + 0.3) * high] if said else []
    for other in lines:
        value = other.certainty >= 0.9 and identifiers.vital_value(other.text)
        begin = float((other.spot.quad @ along).min())
        inside = shared(line.spot.quad, other.spot.quad) > 0.6 * area(other.spot.quad)
        if value and inside and begin > float(u.min()) + 0.5 * long:
            cuts.append(begin)
    if not cuts:
        return [line]
    out = []
    for text, ends in ((line.text[:start], (float(u.min()), min(cuts))), (said, (min(cuts), float(u.max())))):
        quad = as_wide(line.spot.quad, np.array([along * end for end in ends], np.float32), along)
        out.append(replace(line, text=text, spot=line.spot._replace(quad=quad), cover=quad))
    return out if said else out[:1]


def _value(text: str) -> bool:
    return not text or _named_value(text) or re.fullmatch(r"\d{1,3}", text) is not None


def _pressure(line: Line) -> bool:
    return "/" in line.text and identifiers.vital_value(line.text)
