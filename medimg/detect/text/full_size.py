"""Print that is legible at full size and too low at the size looked at: a closer look at few places.

Where the small network (:mod:`medimg.detect.objects.marks`) sees print, and no line was read, the picture is looked at
again at up to :data:`SIDE` pixels; in a large photo also where it is drawn finest. What these looks cost is bounded;
what they find counts only if it was read, so skin, hair and cloth are not covered for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.detect.answers import fingerprint
from medimg.detect.objects import marks
from medimg.detect.text.labels import Line
from medimg.detect.text.letters import CLOSER, SLIM
from medimg.detect.text.lines import Quad, area, grown, shared, sides
from medimg.detect.text.ocr import FINDER, Models, Spot
from medimg.native.opencv import cv2

SIDE = 4000
"""Longer side of the picture for the closer look, in pixels; a photo of 12 megapixels has it."""
LIKELY = 0.3
"""Least likelihood of print in a square of the map."""
APART = 3
"""Squares between two places of print that are looked at together, and the room round a place."""
ROOM = 24
"""Pixels round a place of print."""
LEAST, MOST = 96, 1024
"""Least and longest side of one look, in pixels."""
WINDOW = 384
"""Side of a look at a finely drawn part, in pixels."""
BUDGET = 0.8e6
"""Pixels that are looked at in a photo of up to :data:`LARGE` pixels: two fifths of a look at the whole. A larger one
has its share more, up to :data:`MOST_TIMES`."""
LARGE, MOST_TIMES = 12e6, 3.0
TEXTURED = 8e6
"""Pixels of the photos that are also looked at where they are drawn finest."""
BLOCK = 16
NOISE, STRONG = 16, 80
"""Steps of brightness between neighbours that count for nothing, and those above which more does not count."""
LEAST_FINE = 4.0
"""Least mean step, across and down, of a part that may hold print."""
LEAST_SCORE = 0.5
RIM = 0.5
"""How far round a line that was read print is that line's own rim, as a share of its height."""
AGAIN = 0.6
"""Share of a find that lies in a line that was read, from which it is that line once more."""
READ, SIGNS = 0.7, 3
"""Least certainty and least letters and digits of a reading that counts."""

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the closer look."""


class Places(NamedTuple):
    """What is looked at, and whether the budget sufficed for every place where print is seen."""

    windows: list[Window]
    all_of_print: bool


def spots(models: Models, frame: Frame, lines: Sequence[Line]) -> list[Spot]:
    """Places that look like text in the closer looks, in upright full-size coordinates.

    Args:
        models: The networks.
        frame: The picture.
        lines: What was found and read before.
    """
    longest, shortest = max(frame.width, frame.height), min(frame.width, frame.height)
    if longest < CLOSER or longest > SLIM * shortest:
        return []
    pixels, factor = frame.scaled(SIDE)
    out: list[Spot] = []
    there = places(frame, pixels, factor, lines)
    if not there.all_of_print:
        frame.answers.cut_short = True
    for x0, y0, x1, y1 in there.windows:
        part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        for spot in _seen(models, frame, part):
            out.append(Spot(((spot.quad + np.array([x0, y0], np.float32)) / factor).astype(np.float32), spot.score))
    known = [line.spot.quad for line in lines if read(line)]
    return [spot for spot in out if not any(_again(spot.quad, quad) for quad in known)]


def _again(quad: Quad, line: Quad) -> bool:
    """Whether a find is a piece of a line as high as itself; print inside something higher is not."""
    return sides(line)[1] < 2 * sides(quad)[1] and shared(quad, line) > AGAIN * area(quad)


def read(line: Line) -> bool:
    """Whether a line that only a closer look found says anything."""
    return line.certainty >= READ and sum(c.isalnum() for c in line.text) >= SIGNS


def places(frame: Frame, pixels: Pixels, factor: float, lines: Sequence[Line]) -> Places:
    """What to look at, the likeliest first."""
    height, width = pixels.shape[:2]
    left = BUDGET * min(max(frame.width * frame.height / LARGE, 1.0), MOST_TIMES)
    known = _known(lines, factor, width, height)
    windows: list[Window] = []
    whole = True
    for window in _print(frame, known, factor, width, height):
        size = (window[2] - window[0]) * (window[3] - window[1])
        if size > left:
            whole = False
            continue
        left -= size
        windows.append(window)
    if frame.width * frame.height >= TEXTURED:
        for x0, y0, x1, y1 in windows:
            known[y0 // BLOCK : -(-y1 // BLOCK), x0 // BLOCK : -(-x1 // BLOCK)] = True
        windows += _finest(frame, pixels, known, int(left / WINDOW**2))
    return Places(windows, whole)


def _known(lines: Sequence[Line], factor: float, width: int, height: int) -> NDArray[np.bool_]:
    """Which blocks lie in lines that were read."""
    mask = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.uint8)
    for line in lines:
        if read(line):
            quad = grown(line.spot.quad, RIM * sides(line.spot.quad)[1])
            cv2.fillPoly(mask, [np.round(quad * (factor / BLOCK)).astype(np.int32)], 1)
    return np.asarray(mask, np.bool_)


def _print(frame: Frame, known: NDArray[np.bool_], factor: float, width: int, height: int) -> Iterator[Window]:
    """Round the places where the network sees print and nothing was read."""
    found: list[tuple[float, Window]] = []
    for view in marks.views(frame)[:2]:
        likely = view.marks[marks.TEXT]
        here = cv2.resize(known.astype(np.uint8), likely.shape[::-1], interpolation=cv2.INTER_NEAREST)
        some = np.asarray((likely >= LIKELY) & (here == 0), np.uint8)
        near = cv2.dilate(some, np.ones((APART, APART), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
        for k in range(1, count):
            x, y, w, h = (int(v) for v in stats[k][:4])
            score = float(likely[labels == k].max())
            across, down = view.across * factor, view.down * factor
            found.append((score, _window(x * across, y * down, (x + w) * across, (y + h) * down, width, height)))
    done: list[Window] = []
    for _, window in sorted(found, key=lambda f: -f[0]):
        if not any(_inside(window, other) for other in done):
            done.append(window)
            yield window


def _window(x0: float, y0: float, x1: float, y1: float, width: int, height: int) -> Window:
    """A place with room round it, in the picture; not smaller than :data:`LEAST` and not longer than :data:`MOST`."""
    spans = []
    for low, high, end in ((x0, x1, width), (y0, y1, height)):
        half = min(max((high - low) / 2 + ROOM, LEAST / 2), MOST / 2)
        middle = (low + high) / 2
        spans.append((max(0, round(middle - half)), min(end, round(middle + half))))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def _inside(window: Window, other: Window) -> bool:
    across = min(window[2], other[2]) - max(window[0], other[0])
    down = min(window[3], other[3]) - max(window[1], other[1])
    return max(across, 0) * max(down, 0) > 0.8 * (window[2] - window[0]) * (window[3] - window[1])


def _finest(frame: Frame, pixels: Pixels, known: NDArray[np.bool_], most: int) -> Iterator[Window]:
    """The parts that are drawn finest, across and down, without what is known to be a code, a ruler or read."""
    if most < 1:
        return
    height, width = pixels.shape[:2]
    fine = fineness(pixels)
    view = marks.views(frame)[0].marks
    other = np.maximum(np.maximum(view[marks.BAR], view[marks.MATRIX]), view[marks.RULER])
    other = cv2.resize(other, fine.shape[::-1], interpolation=cv2.INTER_LINEAR)
    fine[known[: fine.shape[0], : fine.shape[1]] | (np.asarray(other) >= marks.SEEN)] = 0
    half = WINDOW // 2 // BLOCK
    for _ in range(most):
        y, x = divmod(int(fine.argmax()), fine.shape[1])
        if fine[y, x] < LEAST_FINE:
            return
        fine[max(y - half, 0) : y + half, max(x - half, 0) : x + half] = 0
        middle = ((x + 0.5) * BLOCK, (y + 0.5) * BLOCK)
        low = (middle[0] - WINDOW / 2 + ROOM, middle[1] - WINDOW / 2 + ROOM)
        high = (middle[0] + WINDOW / 2 - ROOM, middle[1] + WINDOW / 2 - ROOM)
        yield _window(*low, *high, width, height)


def fineness(pixels: Pixels) -> NDArray[np.float32]:
    """The smaller of the mean steps across and down in every block and its neighbours: print has both."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    size = (max(1, grey.shape[1] // BLOCK), max(1, grey.shape[0] // BLOCK))
    means = []
    for one, two in ((grey[:, 1:], grey[:, :-1]), (grey[1:], grey[:-1])):
        step = np.asarray(cv2.absdiff(one, two), np.uint8)  # as large as the picture, so the rest is done in place
        np.maximum(step, NOISE, out=step)
        step -= NOISE
        np.minimum(step, STRONG - NOISE, out=step)
        means.append(cv2.resize(step, size, interpolation=cv2.INTER_AREA).astype(np.float32))
    return np.asarray(cv2.blur(np.minimum(*means), (3, 3)), np.float32)


def _seen(models: Models, frame: Frame, part: Pixels) -> list[Spot]:
    question = (FINDER, "full size", LEAST_SCORE, fingerprint(part))
    return frame.answers.to(question, lambda: models.detect(part, LEAST_SCORE))
