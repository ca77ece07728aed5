"""The look at the written copy: what is left outside the covers, and what Tesseract makes of it.

Tesseract does not read the whole picture (14 to 22 s for 12 MP) but one canvas, put together from the lines that were
kept and from the surroundings of the covers; of those only what it has not read before: a further look at a copy with
more covers reads what changed. Only what it reads as identifying counts: it takes tick rows, scales and
skin for letters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from medimg.detect import Frame, Pixels
from medimg.detect.answers import fingerprint
from medimg.detect.text import identifiers
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line
from medimg.detect.text.lines import Quad, around, axis, grown, shared, sides
from medimg.detect.text.lines import area as quad_area
from medimg.detect.text.ocr import Spot
from medimg.detect.text.tesseract import Reader, Word
from medimg.native.opencv import cv2
from medimg.types import Polygon
from medimg.vocabulary import Category

LINE_HEIGHT = 40
"""Height of a line on the canvas, in pixels; Tesseract reads capitals of 20 to 40 pixels best."""
WIDEST = 1600
MOST_PLACES = 40
HIDDEN = 0.85
"""A spot with this share under covers is neither read nor looked at more closely. What has less is, though
:func:`outside` may drop it in the end: a part of it that is found by itself may still say something."""
LARGE, STROKES = 0.3, 0.02
"""A box higher than the first share of the picture's longer side, the second share of it under covers: its letters are
the covers. What is written between them is found by itself."""
LIKELY, SURE = 0.5, 0.7
"""Least confidence of a word of Tesseract's, and of a line of them that counts."""
SECOND_READER = "the second text reader"
BORDER, APART = 20, 24
"""White round the canvas and between what is on it, in pixels."""


class Place(NamedTuple):
    """A cut-out of the copy: its corners in the picture, its size, and whether it is part of a ruler."""

    quad: Quad
    height: int
    width: int
    ruler: bool


def uncovered(spots: Iterable[Spot], covers: Sequence[Polygon]) -> list[Spot]:
    """Without the spots of which nothing is left to read: the network takes the outline of a cover for a word."""
    quads = [grown(np.asarray(c, np.float32), 2.0) for c in covers if len(c) >= 3]
    return [s for s in spots if sum(shared(s.quad, quad) for quad in quads) < HIDDEN * max(quad_area(s.quad), 1.0)]


def outside(lines: Sequence[Line], covers: Sequence[Polygon], long_side: int) -> list[Line]:
    """The lines that do not lie in the covers.

    A cover's own edge looks like text, so a little more is left out; several covers together look like large letters.

    Args:
        lines: What was found.
        covers: Upright polygons.
        long_side: The frame's longer side, in pixels.
    """
    quads = [grown(np.asarray(c, np.float32), 2.0) for c in covers if len(c) >= 3]
    out = []
    for line in lines:
        size = max(quad_area(line.spot.quad), 1.0)
        hidden = sum(shared(line.spot.quad, quad) for quad in quads) / size
        # A box that is half on a cover and cannot be read is the cover's outline.
        strokes = hidden > STROKES and sides(line.spot.quad)[1] > LARGE * long_side and not line.strong
        if hidden < 0.6 and not (hidden > 0.15 and line.category == Category.UNREAD) and not strokes:
            out.append(line)
    return out


def identifying(
    reader: Reader,
    frame: Frame,
    lines: Sequence[Line],
    covers: Sequence[Polygon],
    known: Known,
    keep: Collection[str] = identifiers.KEPT,
) -> list[Line]:
    """What the second reader reads as identifying in the kept lines and round the covers.

    Args:
        reader: The second reader.
        frame: The copy.
        lines: What the first reader found in it.
        covers: Upright polygons.
        known: Values of the person.
        keep: Categories that the policy keeps.

    Raises:
        CheckNotRun: The second reader failed.
    """
    cuts = list(_cuts(frame, lines, covers))
    questions = [(SECOND_READER, fingerprint(cut)) for _, cut in cuts]
    read = frame.answers.several(questions, lambda new: _read(reader, [cuts[k][1] for k in new]))
    found = []
    for (place, _), said in ((cut, said) for cut, some in zip(cuts, read, strict=True) for said in some):
        text = " ".join(w.text for w in said)
        score = sum(w.score * len(w.text) for w in said) / sum(len(w.text) for w in said)
        verdict = identifiers.classify(text, score, known)
        if not verdict.strong or score < SURE or (place.ruler and not _name_or_number(text)):
            continue
        if identifiers.harmless(text) in keep or ("ruler" in keep and identifiers.scale_text(text)):
            continue
        quad = _back(place, said)
        found.append(Line(Spot(quad, score), text, score, verdict.category, True, quad))
    return found


def _name_or_number(text: str) -> bool:
    """Letters enough for a name or figures enough for a number; less is what ticks are misread as."""
    return bool(re.search(r"[^\W\d_]{4,}", text)) or bool(re.search(r"\d{6,}", text.replace(" ", "")))


def _cuts(frame: Frame, lines: Sequence[Line], covers: Sequence[Polygon]) -> Iterator[tuple[Place, Pixels]]:
    """What is read: every line, and every cover with what lies round it; in grey."""
    wanted: list[tuple[Quad, int, bool]] = [(line.spot.quad, 1, line.category == Category.RULER) for line in lines]
    for cover in covers:
        quad = np.asarray(cover, np.float32)
        tight = around([quad], axis(quad)) if len(quad) == 4 else grown(quad, 0.0)
        wanted.append((grown(tight, 0.9 * min(sides(tight)[1], 0.05 * max(frame.width, frame.height))), 3, False))
    for quad, rows, on_ruler in wanted[:MOST_PLACES]:
        long, high = sides(quad)
        if high < 6:
            continue
        height = LINE_HEIGHT * rows
        width = int(min(WIDEST, max(16, long * height / high)))
        flat = around([quad], axis(quad))
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(flat, corners)
        cut = cv2.warpPerspective(frame.rgb, matrix, (width, height), flags=cv2.INTER_AREA, borderValue=(255,) * 3)
        yield Place(flat, height, width, on_ruler), np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.uint8)


def canvas(cuts: Sequence[Pixels]) -> tuple[list[int], Pixels]:
    """The cut-outs under each other on one sheet: where each begins, and the sheet."""
    *tops, end = accumulate((len(cut) + APART for cut in cuts), initial=BORDER)
    # White paper beside the cut-outs costs Tesseract as much as what is written on it.
    sheet = np.full((end + BORDER, max(cut.shape[1] for cut in cuts) + 2 * BORDER), 255, np.uint8)
    for top, cut in zip(tops, cuts, strict=True):
        sheet[top : top + len(cut), BORDER : BORDER + cut.shape[1]] = cut
    return tops, sheet


def _read(reader: Reader, cuts: Sequence[Pixels]) -> list[list[list[Word]]]:
    """The words in each cut-out, line by line."""
    tops, sheet = canvas(cuts)
    out: list[dict[tuple[int, int, int], list[Word]]] = [{} for _ in cuts]
    for word in reader.read(sheet, layout=11):
        middle = (word.y0 + word.y1) / 2
        for k, (top, cut) in enumerate(zip(tops, cuts, strict=True)):
            if top <= middle <= top + len(cut) and word.score >= LIKELY:
                there = (word.x0 - BORDER, word.y0 - top, word.x1 - BORDER, word.y1 - top)
                out[k].setdefault(word.line, []).append(Word(word.text, word.score, *there, word.line))
                break
    return [list(some.values()) for some in out]


def _back(place: Place, words: Sequence[Word]) -> Quad:
    """Corners in the picture of words in its cut-out."""
    x0, x1 = min(w.x0 for w in words), max(w.x1 for w in words)
    y0, y1 = min(w.y0 for w in words), max(w.y1 for w in words)
    corners = np.array([[0, 0], [place.width, 0], [place.width, place.height], [0, place.height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, place.quad)
    box = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float32)
    return np.asarray(cv2.perspectiveTransform(box, matrix)[0], np.float32)
