"""Finds that lie on one thing: those on one believed outline, the others by nearness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from medimg.detect.objects import grounds, judge
from medimg.detect.objects.grounds import Ground, Picture, Points, share_in
from medimg.detect.objects.judge import Find
from medimg.native.opencv import cv2
from medimg.vocabulary import Category

SCALES = frozenset((Category.RULER, Category.COLOUR_CARD))
"""What must stay, and is no writing."""
MOST = 16
"""Finds of a picture whose ground is grown; the largest first."""
ON, REAL = 0.6, 0.5
"""Least share of a find on an outline to lie on it, and least likelihood of an outline to be believed."""
SOLID, RAGGED, CUT, EDGE = 0.6, 0.85, 0.2, 16.0
"""Least share of its convex hull that a ground fills; and, of one that fills less than the second or has more than the
third of its outline along the frame, the least strength of the edge along the rest."""
BAND = 0.6
"""Most that a band which completes a thing has of its size, as a share of the rest."""
ALIKE = 14.0
"""Most difference of two grounds that may be one."""
NEAR = 2.2
"""How far apart finds of one block may be, in heights of the lower one."""


class Block(NamedTuple):
    """Finds that share a ground: their indices, its outline, and how likely that is real."""

    members: tuple[int, ...]
    outline: Points
    likely: float


def found_blocks(picture: Picture, finds: Sequence[Find]) -> list[Block]:
    """Finds in blocks: those on one believed outline, the others by nearness."""
    left = sorted(range(len(finds)), key=lambda k: -float(cv2.contourArea(finds[k].quad)))
    colours = [picture.colour(f.quad, f.code) for f in finds]
    scale = [f.category in SCALES for f in finds]
    out: list[Block] = []
    unsure: dict[int, list[Ground]] = {}
    tried = 0
    for k in list(left):
        if k not in left or tried >= MOST:
            continue
        tried += 1
        unsure[k] = candidates(picture, finds, colours, k)
        best = _best(picture, finds, unsure[k], k)
        if best is None or best[1] < REAL:
            continue
        quad, likely = best
        # A scale bears what is written on it, and nothing else bears a scale.
        borne = [m for m in left if share_in(finds[m].quad, quad) >= ON and (scale[k] or not scale[m])]
        members = tuple(m for m in left if m == k or m in borne)
        out.append(Block(members, quad, likely))
        left = [m for m in left if m not in members]
    measures = [b for b in out if any(scale[m] for m in b.members)]
    out = _joined([b for b in out if not any(scale[m] for m in b.members)])
    for k in [k for k in unsure if k in left and not scale[k]]:
        if _completed(out, k, unsure[k]):
            left.remove(k)
    out += measures
    for some in ([m for m in left if not scale[m]], [m for m in left if scale[m]]):
        for group in _groups([finds[m] for m in some]):
            members = tuple(some[g] for g in group)
            out.append(Block(members, around([finds[m].quad for m in members]), 0.0))
    return out


def candidates(picture: Picture, finds: Sequence[Find], colours: Sequence[Points], k: int) -> list[Ground]:
    """The grounds of a find at every tolerance."""
    alike = [f.quad for f, c in zip(finds, colours, strict=True) if np.linalg.norm(c - colours[k]) < ALIKE]
    return list(grounds.grown(picture, finds[k].quad, colours[k], alike))


def _best(picture: Picture, finds: Sequence[Find], there: Sequence[Ground], k: int) -> tuple[Points, float] | None:
    """The likeliest of the outlines of a find, and how likely it is."""
    if not there:
        return None
    others = [f for m, f in enumerate(finds) if m != k]
    rows = [judge.outline_features(picture, g, finds[k], others) for g in there]
    likely = judge.outlines(rows) * [not _leaked(row) for row in rows]
    best = int(np.argmax(likely))
    return there[best].quad, float(likely[best])


def _leaked(row: Mapping[str, float]) -> bool:
    """Whether a ground ran over what it lies on: far from a convex shape, or without an edge round it."""
    cut_off = row["solid"] < RAGGED or row["cut"] > CUT
    return row["solid"] < SOLID or (row["edge"] < EDGE and cut_off)


def _completed(blocks: list[Block], k: int, there: Sequence[Ground]) -> bool:
    """Whether one of the grounds of a find, believed by itself or not, completes a block: a header above its field."""
    for n, block in enumerate(blocks):
        for ground in there:
            if float(cv2.contourArea(ground.quad)) > BAND * float(cv2.contourArea(block.outline)):
                continue
            whole = _union(block.outline, ground.quad)
            if whole is not None:
                blocks[n] = Block((*block.members, k), whole, block.likely)
                return True
    return False


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Two grounds of one thing made one: a badge's header and its white field, a code's white field on a tinted slip.

    One lies in the other, or together they fill the rectangle round both.
    """
    out = sorted(blocks, key=lambda b: -float(cv2.contourArea(b.outline)))
    k = 0
    while k < len(out):
        for m in range(k + 1, len(out)):
            whole = _union(out[k].outline, out[m].outline)
            if whole is not None:
                likely = max(out[k].likely, out[m].likely)
                out[k] = Block((*out[k].members, *out[m].members), whole, likely)
                del out[m]
                break
        else:
            k += 1
    return out


def _union(a: Points, b: Points) -> Points | None:
    if share_in(b, a) > 0.7:
        return a
    both = np.concatenate((a, b))
    quad = grounds.straight(np.asarray(cv2.convexHull(both).reshape(-1, 2), np.float32))
    apart = float(cv2.contourArea(a) + cv2.contourArea(b)) - float(cv2.intersectConvexConvex(a, b)[0])
    return quad if apart >= 0.9 * float(cv2.contourArea(quad)) else None


def _groups(finds: Sequence[Find]) -> list[list[int]]:
    """Finds near each other, of any direction."""
    group = list(range(len(finds)))
    wide = [grown(f.quad, NEAR * min(cv2.minAreaRect(f.quad)[1]) / 2) for f in finds]
    for a in range(len(finds)):
        for b in range(a):
            if group[a] != group[b] and cv2.intersectConvexConvex(wide[a], wide[b])[0] > 0:
                old = group[a]
                group = [group[b] if g == old else g for g in group]
    return [[k for k, g in enumerate(group) if g == name] for name in dict.fromkeys(group)]


def grown(quad: Points, by: float) -> Points:
    """A rectangle with every side moved outward by so many pixels."""
    (x, y), (w, h), angle = cv2.minAreaRect(quad)
    return np.asarray(cv2.boxPoints(((x, y), (w + 2 * by, h + 2 * by), angle)), np.float32)


def around(quads: Sequence[Points]) -> Points:
    """The smallest rectangle round all of them."""
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(np.concatenate(list(quads)))), np.float32)


def dense(outline: Points, quads: Sequence[Points], least: float) -> bool:
    """Whether several finds fill so much of what they span that they are one block, whose ground was not made out.

    Words burned into a picture do so too, on skin: there only an outline that is believed makes a thing.
    """
    corner, (wide, high) = outline.min(axis=0), np.ptp(outline, axis=0)
    filled = np.zeros((int(high) + 2, int(wide) + 2), np.uint8)
    for quad in quads:
        cv2.fillPoly(filled, [np.round(quad - corner).astype(np.int32)], 1)
    return len(quads) > 1 and float(filled.sum()) >= least * float(cv2.contourArea(outline))


def with_finds(block: Block, finds: Sequence[Find]) -> Points:
    """The outline of a thing and of the finds on it, straight-sided and convex."""
    inner = [grown(f.quad, -0.12 * min(cv2.minAreaRect(f.quad)[1])) for f in finds]
    points = np.concatenate([block.outline, *inner]).astype(np.float32)
    hull = cv2.convexHull(points).reshape(-1, 2)
    near = cv2.approxPolyDP(hull, 0.008 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    return np.asarray(near if len(near) >= 3 else hull, np.float32)
