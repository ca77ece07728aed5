"""Finds 2-D codes by what they look like: two inks in small squares, changing as much one way as across it.

A candidate is laid straight and measured; weave, gauze, lines of print and noise change both ways too, but repeat, lie
in rows, or have one ink in one piece. The measures are weighed by a logistic regression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np

from medimg._opencv import cv2
from medimg.detect import Pixels
from medimg.detect import _code_weights as weights
from medimg.detect._code_shape import Floats, Gray, clockwise, parallel, sides, straight, stretched, tint

LARGEST_PATCH = 128
"""Longer side a candidate is laid straight to, in pixels."""
ONE_WAY = 0.85
"""Most of the gradients of a 2-D code that run one way: ticks and bars have over 0.9, rows of bars up to 0.8."""
REPEATS, REPEATS_LARGE = 0.76, 0.62
"""Most that a 2-D code looks like itself moved, small (under 50 pixels) and large: of codes, one in 200 does more."""
TINT = 20.0
"""Spread of colour left when brightness is taken out, 0 to 255: print of one ink has 1 to 17, a colour card over 25."""
SAMPLE = 32
"""Pieces looked at of what may be a sheet of codes."""
FIELD = 48
"""Side of the square in which a candidate is compared with itself moved."""
MEANS, SPREADS = np.asarray(weights.MEANS), np.asarray(weights.SPREADS)
HIDDEN, LAST = np.asarray(weights.HIDDEN), np.asarray(weights.LAST)


class Measured(NamedTuple):
    corners: Floats
    score: float
    measures: dict[str, float]


def fits(gray: Gray, corners: Floats) -> list[Floats]:
    """Boxes round what a rough one lies on: round all that changes, and round each of the two inks."""
    reach = 0.2 * float(np.max(corners.max(0) - corners.min(0))) + 6
    x0, y0 = (int(v) for v in np.maximum(corners.min(0) - reach, 0))
    x1, y1 = (int(v) for v in np.minimum(corners.max(0) + reach, gray.shape[::-1]))
    patch = gray[y0:y1, x0:x1]
    if min(patch.shape, default=0) < 10:
        return [corners]
    at = np.asarray((x0, y0), np.float32)
    rough = np.zeros(patch.shape, np.uint8)
    cv2.fillConvexPoly(rough, np.round(corners - at).astype(np.int32), 1)
    if not rough.any():
        return [corners]
    found = [corners]
    picture = patch.astype(np.float32)
    strong = cv2.magnitude(cv2.Sobel(picture, -1, 1, 0, ksize=3), cv2.Sobel(picture, -1, 0, 1, ksize=3))
    busy = (strong > 0.5 * float(np.percentile(strong[rough > 0], 70))).astype(np.uint8)
    own = patch[rough > 0]
    level = float(cv2.threshold(own.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])
    inks = [busy]
    for ink in (patch <= level, patch > level):
        loose = ink.astype(np.uint8)
        # Ink that runs out of the patch is what lies round the label.
        count, labels, stats, _ = cv2.connectedComponentsWithStats(loose, connectivity=4)
        left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        right, low = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
        kept = (left > 0) & (top > 0) & (right < patch.shape[1]) & (low < patch.shape[0])
        kept[0] = False
        if count > 2:
            inks.append(kept[labels].astype(np.uint8))
    size = max(3, round(0.08 * float(np.sqrt(max(cv2.contourArea(corners), 1.0)))) | 1)
    for k, mask in enumerate(inks):
        side = 7 if k == 0 else size
        closed = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), np.uint8)
        closed = np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)), np.uint8)
        if (box := _box(closed, corners - at)) is not None:
            made = stretched(box, 1.0, 1.0) + at
            if not any(_alike(made, other) for other in found):
                found.append(made)
    return found


def _alike(one: Floats, other: Floats) -> bool:
    size = float(cv2.contourArea(one))
    near = float(np.abs(one.mean(0) - other.mean(0)).max()) < 1.5
    return near and abs(size - float(cv2.contourArea(other))) < 0.04 * size


def _box(mask: Gray, corners: Floats) -> Floats | None:
    """The least rectangle round the largest part of a mask, or its four sides when it is seen from the side."""
    outlines = [c for c in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0] if len(c) > 12]
    if not outlines:
        return None
    best = max(outlines, key=cv2.contourArea)
    if cv2.contourArea(best) < 40:
        return None
    fitted = cast(Floats, cv2.boxPoints(cv2.minAreaRect(best)))
    if cv2.contourArea(best) < 0.88 * cv2.contourArea(fitted):  # seen from the side?
        hull = cv2.convexHull(best)
        slanted = np.asarray(cv2.approxPolyN(hull, 4, ensure_convex=True), np.float32).reshape(-1, 2)
        if len(slanted) == 4 and cv2.contourArea(slanted) < 0.88 * cv2.contourArea(fitted) and parallel(slanted):
            fitted = clockwise(slanted)
    shared = cv2.intersectConvexConvex(fitted, corners)[0]
    return np.asarray(fitted, np.float32) if shared > 0.35 * cv2.contourArea(corners) else None


def measured(gray: Gray, pixels: Pixels, corners: Floats, fill: float, ring: Callable[[], float]) -> Measured | None:
    """A candidate and its score; ``ring`` measures how busy it is round about."""
    long, high = sides(corners)
    if min(long, high) < 8:
        return None
    shrink = min(2.0, LARGEST_PATCH / max(long, high))
    w, h = (max(16, int(shrink * side)) for side in (long, high))
    patch = straight(gray, corners, w, h)
    # The rim is left out: how much of the white round a code is in the patch differs.
    core = patch[int(h * 0.1) : int(np.ceil(h * 0.9)), int(w * 0.1) : int(np.ceil(w * 0.9))]
    side = 2 * (max(core.shape) // 3) + 1
    flat = core - cv2.blur(core, (side, side), borderType=cv2.BORDER_REPLICATE)
    even = cv2.normalize(flat, np.empty_like(flat), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    inner = np.asarray(cv2.threshold(even, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1], np.uint8)
    ink = inner.astype(bool)
    share = float(ink.mean())
    step = float(flat[~ink].mean() - flat[ink].mean()) if 0 < share < 1 else 0.0
    two = share * (1 - share) * step**2 / max(float(flat.var()), 1e-6)
    across = np.count_nonzero(np.diff(inner, axis=1), axis=1)
    down = np.count_nonzero(np.diff(inner, axis=0), axis=0)
    if min(long, high) < 9 or step < 12 or two < 0.55 or min(across.mean(), down.mean()) < 1.5:
        return Measured(corners, 0.0, {})
    gx, gy = cv2.Sobel(patch, -1, 1, 0, ksize=3), cv2.Sobel(patch, -1, 0, 1, ksize=3)
    strength = gx * gx + gy * gy
    weight = max(float(strength.sum()), 1e-6)
    real, imaginary = gx * gx - gy * gy, 2 * gx * gy
    safe = np.maximum(strength, 1e-3)
    twofold = float(np.hypot(real.sum(), imaginary.sum())) / weight
    fourfold = float(np.hypot(((real**2 - imaginary**2) / safe).sum(), (2 * real * imaginary / safe).sum())) / weight
    density = across.mean() / core.shape[1], down.mean() / core.shape[0]
    measures = {
        "long": max(long, high),
        "high": min(long, high),
        "dark": share,
        "two": two,
        "spread": step,
        "across": float(across.mean()),
        "down": float(down.mean()),
        "pitch": float(inner.size / max(across.sum() + down.sum(), 1)) / shrink,
        "gaps": float(max((across < 2).mean(), (down < 2).mean())),
        "rows": float(inner.mean(1).std()),
        "cols": float(inner.mean(0).std()),
        "square": fourfold,
        "oneway": twofold,
        "even": _even(strength),
        "fill": fill,
        "ratio": float(abs(np.log(max(density[0], 1e-3) / max(density[1], 1e-3)))),
        "vary": float(np.std(across) / max(across.mean(), 0.1) + np.std(down) / max(down.mean(), 0.1)),
    }
    if measures["oneway"] > ONE_WAY:
        return Measured(corners, 0.0, measures)
    measures["tint"] = tint(pixels, corners)
    if measures["tint"] > TINT:
        return Measured(corners, 0.0, measures)
    measures["repeats"] = _repeats(flat)
    if measures["repeats"] > (REPEATS if min(long, high) < 50 else REPEATS_LARGE):
        return Measured(corners, 0.0, measures)
    measures["ring"] = ring()
    measures["pieces"] = max(_largest(inner), _largest(np.asarray(1 - inner, np.uint8)))
    return Measured(corners, _score(measures), measures)


def sheet(gray: Gray, pixels: Pixels, corners: Floats) -> bool:
    """Whether what repeats is a sheet of codes, close together: half of a sample of its pieces look like codes."""
    x0, y0 = (int(v) for v in np.maximum(corners.min(0), 0))
    x1, y1 = (int(v) for v in np.minimum(corners.max(0), gray.shape[::-1]))
    patch = gray[y0:y1, x0:x1]
    level = float(cv2.threshold(patch, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])
    ink = (patch <= level).astype(np.uint8)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines = [c for c in cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0] if len(c) > 24]
    if len(outlines) < SAMPLE // 4:
        return False
    like = 0
    sample = outlines[:: max(1, len(outlines) // SAMPLE)][:SAMPLE]
    for outline in sample:
        box = stretched(cast(Floats, cv2.boxPoints(cv2.minAreaRect(outline))), 1.0, 1.0)
        seen = measured(gray, pixels, box + np.asarray((x0, y0), np.float32), 0.9, lambda: 0.2)
        like += seen is not None and seen.score > 0.5
    return 2 * like >= len(sample)


def _largest(ink: Gray) -> float:
    """Share of an ink that is in one piece: print stands on one piece of paper, a code has islands of both inks."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return float(areas.max() / areas.sum()) if count > 1 else 1.0


def _repeats(flat: Floats) -> float:
    """How well the patch fits on itself when moved: cloth, gauze, keys and lines of print do, codes do not."""
    field = cv2.resize(flat, (FIELD, FIELD), interpolation=cv2.INTER_AREA)
    field = field - field.mean()
    power = np.abs(np.fft.rfft2(field, (2 * FIELD, 2 * FIELD))) ** 2
    related = np.fft.irfft2(power)
    steps = FIELD - np.abs(np.fft.fftfreq(2 * FIELD, 1 / (2 * FIELD)))
    shared = np.maximum(np.outer(steps, steps), 1)
    related = related / shared * FIELD * FIELD / max(float(related[0, 0]), 1e-6)
    half = FIELD // 2
    centred = np.roll(related, (half, half), (0, 1))[: 2 * half + 1, : 2 * half + 1]
    # Past the mark itself: where the middle hill has gone down first.
    column, row = centred[:, half], centred[half]
    profile = np.minimum(np.minimum(column[half:], column[half::-1]), np.minimum(row[half:], row[half::-1]))
    low = np.flatnonzero(profile < 0.1)
    clear = int(low[0]) + 2 if low.size else half
    centred[max(half - clear, 0) : half + clear + 1, max(half - clear, 0) : half + clear + 1] = -1
    return float(max(centred.max(), 0.0))


def _even(energy: Floats) -> float:
    """How evenly a patch is busy: the quiet tenth of 25 cells against their median. Codes are busy all over."""
    cells = np.sort(cv2.resize(energy, (5, 5), interpolation=cv2.INTER_AREA), axis=None)
    return float((0.6 * cells[2] + 0.4 * cells[3]) / max(float(cells[12]), 1e-6))


def inputs(m: dict[str, float]) -> list[float]:
    """The measures as they are weighed, in the order of :data:`medimg.detect._code_weights.MEASURES`."""
    length = float(np.log(m["long"] / m["high"]))
    return [
        m["square"],
        abs(m["dark"] - 0.5),
        max(m["rows"], m["cols"]),
        float(np.log(m["pitch"])),
        length,
        min(float(np.log(max(min(m["across"], m["down"]), 0.1))), 2.5),
        min(m["even"], 1.0),
        m["fill"],
        min(m["ring"], 1.0),
        m["oneway"],
        m["repeats"],
        m["pieces"],
        min(m["ratio"], 1.5),
        min(m["vary"], 2.0),
        m["gaps"],
        m["two"],
        min(float(np.log(m["spread"])), 4.5),
        m["oneway"] * length,
        min(m["tint"], 25.0),
        min(m["tint"] / max(m["spread"], 8.0), 1.0),
    ]


def _score(m: dict[str, float]) -> float:
    """0 to 1."""
    given = np.clip((np.asarray(inputs(m)) - MEANS) / SPREADS, -4, 4)
    sum_ = float(np.tanh(given @ HIDDEN[:-1] + HIDDEN[-1]) @ LAST) + weights.CONSTANT
    return float(1 / (1 + np.exp(-np.clip(sum_, -30, 30))))
