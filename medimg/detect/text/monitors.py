"""What a bedside monitor shows of the body: readings and curves stay, whichever way the picture is turned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medimg.detect.text import identifiers, lexicon
from medimg.detect.text.labels import Line, as_wide
from medimg.detect.text.lines import Quad, area, around, axis, grown, shared, sides
from medimg.vocabulary import Category

SPARSE, ALONG = 1.3, 0.7
"""Most signs of a monitor's curve that was read as letters, for each time it is as long as high; and how nearly it runs
level, or as the readings beside it do, as the cosine."""
LEVEL = np.array((1, 0), np.float32)
FAR = 12.0
"""How far past a reading its curve may be, in its height."""
THRICE = re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)
"""A letter three times over, as in no word and no name."""
CURVE = re.compile(r"[LVWUMNIJCAYlvwumnijcay~\u039b\u221a\u2227\W_]+")
"""What the reader makes of a curve."""
WAVE = 3
"""Most different letters of it: a curve repeats itself, and a name in wide letters (JULIA) does not."""


def kept(lines: Sequence[Line]) -> list[Line]:
    """A monitor's readings and curves stay, beside the name of what is measured or in a column with a pressure."""
    near: list[Quad] = []
    ways = [LEVEL]
    rows: list[Quad] = []
    for line in (line for line in lines if line.certainty >= 0.6):
        high, way = sides(line.spot.quad)[1], axis(line.spot.quad)
        if identifiers.vital_sign(line.text) or _named_value(line.text):
            near.append(grown(line.spot.quad, high))
            far = FAR * high * way
            rows.append(around([line.spot.quad - far, line.spot.quad + far], way))
        elif _pressure(line):
            near.append(grown(line.spot.quad, 5.0 * high))
        else:
            continue
        ways.append(way)
    out = []
    for line in lines:
        plain = not line.harmless and line.category != Category.KNOWN and line.certainty >= 0.6
        parts = _trace(line, lines, ways) if plain and (near or CURVE.match(line.text)) else [line]
        named = any(_named_value(part.text) for part in parts)
        for part in parts:
            curve = _curve(part, ways)
            there = named or any(shared(part.spot.quad, quad) > 0 for quad in (near + rows if curve else near))
            measured = curve or identifiers.vital_value(part.text) or _named_value(part.text)
            out.append(replace(part, category=Category.UNIT, strong=False) if plain and there and measured else part)
    return out


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
