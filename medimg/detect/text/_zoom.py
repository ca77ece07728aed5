"""A closer look at what could not be read.

At a coarse size a ruler, a label or a card is often found as one long word. The strip is cut out, made upright and
looked at again with its shorter side as high as a few lines of text: numerals, print and a name written beside them
come apart, and only what identifies gets covered. A sheet of print that runs down the strip (or the picture) is found
as one box as high as a foot; turned by a quarter its lines come apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.detect.answers import fingerprint
from medimg.detect.objects import marks
from medimg.detect.text import ruler, scale_lines
from medimg.detect.text.labels import LEAST_HIGH, TRIO, Line
from medimg.detect.text.layout import TALLEST, like_a_foot
from medimg.detect.text.lines import Quad, area, around, axis, grown, labels, shared, sides
from medimg.detect.text.ocr import FINDER, Models, Spot, ordered
from medimg.detect.text.sizes import sharpened
from medimg.native.opencv import cv2

Matrix = NDArray[np.float64]

MOST = 5
"""Strips looked at in one picture."""
MOST_RULERS = 2
"""Rulers without a scale that could be read, looked at for a name beside their ticks."""
LEAST_SHARE = 0.002
"""Smallest strip worth a look, as a share of the frame."""
LEAST_SIDE = 24
"""Shorter side of the smallest strip, in pixels."""
HIGH = 256
HIGH_SQUAT = 384
LONG = 1600
LEAST_SCORE = 0.5
FAINT_SCORE = 0.55
"""Least score in the stretched strip, where folds of skin come out too."""
SHEET_VIEWS = ((1.0, False, True), (0.67, False, True), (0.5, False, True), (0.83, True, True))
"""Sizes at which a sheet is looked at, as shares of the strip's, whether its brightness is spread out and whether it is
turned by a quarter: print far out of focus comes together again when it is small. The first that shows rows counts."""
SHEET_SCORE = 0.3
"""Least score of a row of print on a sheet, where three rows bear each other out."""
OBLONG = 1.5
"""Least length of a row of print, in heights."""
FINE = 0.5
"""A find that fills more than this share of its strip says nothing new."""


def closer(
    models: Models, frame: Frame, lines: Sequence[Line], weak: Sequence[Quad], *, sheets: bool = True
) -> tuple[list[Spot], set[int]]:
    """Look again at strips that could not be read.

    Args:
        models: The networks.
        frame: The picture.
        lines: What was found and read.
        weak: Places that were too unsure to count; the long ones are looked at.
        sheets: Whether boxes as high as a foot may be sheets of print; the second look leaves that to the first.

    Returns:
        New spots, and the indices of the lines they take the place of.
    """
    longest = max(frame.width, frame.height)
    tall = {k for k, line in enumerate(lines) if sheets and like_a_foot(line, longest)}
    wanted: list[tuple[Quad, int | None, bool]] = [
        (line.spot.quad, k, k in tall) for k, line in enumerate(lines) if k in tall or _doubtful(line)
    ]
    wanted += [(np.clip(q, 0, [frame.width, frame.height]).astype(np.float32), None, False) for q in weak if _long(q)]
    wanted = [item for item in wanted if area(item[0]) >= LEAST_SHARE * frame.width * frame.height]
    wanted.sort(key=lambda item: -area(item[0]))
    strips = [*_scales(frame, lines), *marks.rulers(frame)[:MOST_RULERS]]
    waiting = deque([*((strip, None, False) for strip in strips), *wanted])
    new: list[Spot] = []
    replaced: set[int] = set()
    seen: list[Quad] = []
    told: list[Quad] = []
    while waiting:
        quad, k, sheet = waiting.popleft()
        if min(sides(quad)) < LEAST_SIDE:
            continue
        # Inside a strip that was looked at already: its finds count for this one too.
        within = any(shared(quad, done) > 0.8 * area(quad) for done in (told if sheet else seen))
        if not within:
            if len(seen) >= MOST:
                continue
            seen.append(quad)
            there = _look(models, frame, quad, sheet=sheet)
            new += there
            if not sheet or _rows(there):
                told.append(quad)
            else:
                # A smaller box as high as a foot: the sheet without what lies round it.
                waiting.extendleft((s.quad, None, True) for s in there if sides(s.quad)[1] > TALLEST * longest)
        finer = [s for s in new if shared(s.quad, quad) > 0.7 * area(s.quad) and area(s.quad) < FINE * area(quad)]
        if finer and k is not None:
            replaced.add(k)
    return new, replaced


def _stretched(rgb: Pixels) -> Pixels:
    """The strip with its brightness spread out part by part (CLAHE), for print as pale as its paper."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(3.0, (4, 4)).apply(np.ascontiguousarray(lab[..., 0]))
    return cast(Pixels, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def _long(quad: Quad) -> bool:
    long, high = sides(quad)
    return long > 2.5 * high


def _doubtful(line: Line) -> bool:
    long, high = sides(line.spot.quad)
    signs = sum(c.isalnum() for c in line.text)
    # A line of print has about two signs for each time it is as long as high.
    return line.certainty < 0.75 or signs < 0.4 * long / max(high, 1.0)


def _scales(frame: Frame, lines: Sequence[Line]) -> list[Quad]:
    """Strips wide enough for a whole ruler, from the numerals that were found on it.

    Few are found when the ticks crowd them, and a name written beside them is found even less.
    """
    at, values = scale_lines.numerals(lines)
    if len(values) > 120:
        return []
    on = ruler.scale(values)
    if not on:
        on = [n for n in range(min(len(at), 12)) if ruler.beside_ticks(frame.rgb, lines[at[n]].spot.quad)]
    out: list[Quad] = []
    while len(on) >= 2 and len(out) < 2:
        first = on[0]
        alike = [n for n in on if 0.5 < values[n].height / values[first].height < 2]
        low, top = min(alike, key=lambda n: values[n].value), max(alike, key=lambda n: values[n].value)
        rise = values[top].value - values[low].value
        way = np.array([values[top].x - values[low].x, values[top].y - values[low].y], np.float32)
        on = [n for n in on if n not in alike]
        length = float(np.hypot(*way))
        if rise <= 0 or length < 1:
            continue
        high = float(np.median([values[n].height for n in alike]))
        # The scale begins at 0, found or not.
        zero = np.array([values[low].x, values[low].y], np.float32) - way * min(values[low].value / rise, 3.0)
        point = np.array([[*zero], [*zero], [*zero], [*zero]], np.float32)
        strip = around([point, *(lines[at[n]].spot.quad for n in alike)], way / length)
        out.append(grown(strip, 4.0 * high))
    return out


def _look(models: Models, frame: Frame, quad: Quad, *, sheet: bool) -> list[Spot]:
    """What is found in a strip made level; ``sheet`` is a place that may hold many lines, also across."""
    cut, back = level(frame, quad)
    if cut is None:
        return []
    found = _inside(models, frame, quad, cut, LEAST_SCORE, back)
    if sheet and not _rows(found):
        across = rows(models, frame, quad, SHEET_VIEWS, cut, back)
        if across:
            return across
    return found or _inside(models, frame, quad, _stretched(cut), FAINT_SCORE, back)


def rows(
    models: Models, frame: Frame, quad: Quad, views: Sequence[tuple[float, bool, bool]], cut: Pixels, back: Matrix
) -> list[Spot]:
    """The rows of print on a sheet: what the first of the views finds that shows any; they count as sure.

    Args:
        models: The networks.
        frame: The picture.
        quad: The sheet.
        views: Sizes as shares of the cut-out's, whether its brightness is spread out, whether it is turned.
        cut: The sheet made level.
        back: From there into the frame.
    """
    for share, spread, turned in views:
        view = cut if share == 1 else cv2.resize(cut, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        view = sharpened(_stretched(np.asarray(view, np.uint8)) if spread else np.asarray(view, np.uint8))
        turn = np.diag([1 / share, 1 / share, 1.0])
        if turned:
            turn = np.array([[0, -1 / share, cut.shape[1]], [1 / share, 0, 0], [0, 0, 1]], np.float64)
            view = np.ascontiguousarray(np.rot90(view))
        found = _inside(models, frame, quad, view, SHEET_SCORE, back @ turn)
        if _rows(found):
            return [spot._replace(score=max(spot.score, LEAST_SCORE)) for spot in found]
    return []


def _inside(models: Models, frame: Frame, quad: Quad, strip: Pixels, least: float, back: Matrix) -> list[Spot]:
    out = []
    question = (FINDER, least, fingerprint(strip))
    for spot in frame.answers.to(question, lambda: models.detect(strip, least)):
        moved = cv2.perspectiveTransform(spot.quad[None], back)[0]
        there = np.clip(moved, 0, [frame.width, frame.height]).astype(np.float32)
        if 16 <= area(there) < FINE * area(quad):
            out.append(Spot(ordered(there), spot.score))
    return out


def _rows(spots: Sequence[Spot]) -> bool:
    """Whether there are lines of print under each other; a foot has no such rows."""
    quads = [s.quad for s in spots if sides(s.quad)[0] > OBLONG * sides(s.quad)[1] and sides(s.quad)[1] >= LEAST_HIGH]
    return any(len(group) >= TRIO for group in labels(quads, overlap=0.3))


def level(frame: Frame, quad: Quad, largest: float = 2.0) -> tuple[Pixels | None, Matrix]:
    """The strip cut out and made level, none when it is outside; and the way back into the frame.

    It is not enlarged more than ``largest`` times.
    """
    wide = grown(quad, 0.04 * sides(quad)[1])
    flat = around([wide], axis(wide))
    long, high = sides(flat)
    factor = min(largest, (HIGH if long > 3 * high else HIGH_SQUAT) / high, LONG / long)
    width, height = max(32, round(long * factor)), max(32, round(high * factor))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    back = np.asarray(np.linalg.inv(matrix), np.float64)
    source, shift = frame.rgb, np.eye(3)
    if factor < 0.6:
        # Shrink first: a warp alone would skip pixels.
        level = 0.5 ** int(np.floor(np.log2(1 / factor)))
        x0, y0 = np.maximum(np.floor(flat.min(axis=0)).astype(int), 0)
        x1, y1 = np.ceil(flat.max(axis=0)).astype(int) + 1
        part = frame.rgb[y0 : max(y1, 0), x0 : max(x1, 0)]
        if min(part.shape[:2]) * level < 1:
            return None, back
        source = cast(Pixels, cv2.resize(part, None, fx=level, fy=level, interpolation=cv2.INTER_AREA))
        shift = np.array([[1 / level, 0, x0], [0, 1 / level, y0], [0, 0, 1]])
    cut = cv2.warpPerspective(
        source, matrix @ shift, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, cut), back
