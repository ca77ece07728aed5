"""What the finds of the other checks lie on: a slip, a sheet, a packet, a ruler or card, or nothing of these.

Facts only: :func:`medimg.policy.decide` says what follows from them. The finds come back with what they lie on, and a
finding of its own for every thing that bears some of them: its outline with straight sides, its sort, how sure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from medimg import geometry
from medimg.detect import Frame
from medimg.detect.objects import company, grounds, judge, marks, scales
from medimg.detect.objects.grounds import Ground, Picture, Points, share_in
from medimg.detect.objects.judge import GROUNDS, Find
from medimg.native.opencv import cv2
from medimg.types import Finding
from medimg.vocabulary import Category, Kind

MOST = 16
"""Finds of a picture whose ground is grown; the largest first."""
ON, REAL = 0.6, 0.5
"""Least share of a find on an outline to lie on it, and least likelihood of an outline to be believed."""
THINGS = (Category.SLIP, Category.SHEET, Category.SCREEN, Category.PACKET)
"""What may be covered as a whole."""
OF_A_BATCH = frozenset((Category.UNKNOWN, Category.RECORD_NUMBER, Category.DATE, Category.ID_NUMBER))
"""What the number or date of a batch may have been taken for."""
UNCLEAR = frozenset((Category.UNKNOWN, Category.UNREAD))
"""What a numeral of a scale may have been taken for."""
NUMERALS = re.compile(r"[\W_]*(?:\d{1,3}(?:[\W_]+\d{1,3}){0,11})?[\W_]*(?:cm|mm|in)?[\W_]*", re.IGNORECASE)
"""Numerals of a scale, or ticks alone."""
SCALES = frozenset((Category.RULER, Category.COLOUR_CARD))
SCALE = 0.35
"""Least mean likelihood of a ruler for a place to be one."""
NO_SCALE = 0.15
"""Mean likelihood of a ruler below which a line that was read is no part of one by itself."""
CARD = 0.6
"""Likelihood of a colour card from which a square of the network's map is one."""
PERHAPS_SCALE = 0.15
"""Least of it for a place to be asked about instead of covered, where nobody could read what stands there: a small or
blurred ruler blacked out is lost, and the ticks of one look like writing."""
DENSE = 0.6
"""Least share of a block that its finds fill."""
ON_SCALE = 0.2
"""Share of a scale or a card in an outline that makes it no thing to be covered: it would hide what must stay."""
ON_A_SCALE = "scale"
"""What writing lies on that cannot be told from the ticks and numerals it touches."""
BARE, SURELY_BARE = GROUNDS.index("bare"), 0.8
"""Least likelihood of bare skin or cloth for a find to be asked about instead of covered."""
BAND = 0.6
"""Most that a band which completes a thing has of its size, as a share of the rest."""
DARK = 90.0
"""Most brightness of the ground of a monitor's readings, CIELAB as 8 bits; a chart has them on paper."""
RED, YELLOW, BLOOD = 5.0, 3.0, 15.0
"""Least red and yellow of a ground that may be skin, and least red of one that may be a wound: CIELAB as 8 bits, from
neutral. Off such ground what nobody could read is covered: the judge has seen too little bare ground to be believed."""
A_WORD = 3
"""Signs from which what was read on skin is a word: of fewer, hairs and creases are read too."""
ALIKE = 14.0
"""Most difference of two grounds that may be one."""
NEAR = 2.2
"""How far apart finds of one block may be, in heights of the lower one."""


class Block(NamedTuple):
    """Finds that share a ground: their indices, its outline, and how likely that is real."""

    members: tuple[int, ...]
    outline: Points
    likely: float


def placed(frame: Frame, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, writing and codes with what they lie on, and the things that bear them.

    Args:
        frame: The picture.
        findings: What the checks found in it.
    """
    findings = [*findings, *company.codes(frame, findings)]
    at = [k for k, f in enumerate(findings) if f.kind in (Kind.TEXT, Kind.CODE) and _partly_in(frame, f)]
    if not at or min(frame.width, frame.height) < 16:
        return list(findings)
    picture = Picture(frame)
    findings = _no_scales(frame, picture, findings, at)
    finds = [find_of(frame, picture, findings[k]) for k in at]
    blocks = found_blocks(picture, finds)
    out = list(findings)
    for k, cut in _off_scales(frame, picture, findings, at, finds).items():
        out[k] = cut
    rows = [features(frame, picture, finds, block) for block in blocks]
    said = judge.lies_on([row for some in rows for row in some])
    for number, (block, some) in enumerate(zip(blocks, rows, strict=True), 1):
        likely, said = said[: len(some)], said[len(some) :]
        whole = likely.mean(axis=0)
        sort, real = GROUNDS[int(np.argmax(whole))], block.likely >= REAL
        if judge.monitor([finds[m].text for m in block.members]) and some[0]["light"] < DARK:
            sort = Category.SCREEN
        there = [out[at[m]] for m in block.members]
        bare = not real and all(map(_flesh, some)) and not any(f.category in judge.IDENTIFYING for f in there)
        for m, own, row in zip(block.members, likely, some, strict=True):
            name = sort if real else GROUNDS[int(np.argmax(whole + own))]
            if bare and out[at[m]].kind == Kind.TEXT:
                name = "bare"
            elif name == "bare" and (own[BARE] < SURELY_BARE or not _flesh(row)):
                name = ""
            if row["ruler"] >= PERHAPS_SCALE and _blank(out[at[m]]):
                out[at[m]] = msgspec.structs.replace(out[at[m]], category=Category.UNREAD, on=ON_A_SCALE)
            out[at[m]] = placed_on(out[at[m]], name, number, row["ruler"])
        outline = _with_finds(block, [finds[m] for m in block.members])
        measures = [f for k, f in enumerate(finds) if out[at[k]].category in SCALES]
        over = some[0]["ruler_all"] >= SCALE or any(share_in(f.quad, outline) > ON_SCALE for f in measures)
        over = over or _on_card(_view(frame), outline / picture.factor)
        dense = not bare and _dense(outline, [finds[m].quad for m in block.members])
        if sort in THINGS and (real or dense) and not over:
            outline = np.clip(outline / picture.factor, 0, (frame.width, frame.height))
            region = frame.region(tuple((float(x), float(y)) for x, y in outline))
            sure = round(float(whole.max()), 3)
            thing = Finding(kind=Kind.OBJECT, category=sort, detector="carriers", score=sure, region=region)
            out.append(placed_on(thing, sort, number, 0.0))
    return out


def _partly_in(frame: Frame, finding: Finding) -> bool:
    """Whether a finding lies on the picture at least in part: elsewhere there is no ground beneath it."""
    polygon = frame.upright(finding.region.polygon) if finding.region else ()
    return geometry.area(geometry.inside(polygon, frame.width, frame.height)) > 0


def _no_scales(frame: Frame, picture: Picture, findings: Sequence[Finding], at: Sequence[int]) -> list[Finding]:
    """The findings; what was read and taken for part of a ruler where no ruler is seen, nor ticks, is none of it.

    Digits of a number are evenly spaced too, and a ruler found on a chart would keep that from being one thing.
    """
    some = [k for k in at if findings[k].category == Category.RULER]
    quads = [find_of(frame, picture, findings[k]).quad for k in some]
    texts = [findings[k].secret.reveal() for k in some]
    out = list(findings)
    for n, k in enumerate(some):
        seen = judge.seen(picture, _view(frame), quads[n])[marks.RULER]
        if seen < NO_SCALE and not scales.ticks(texts[n]) and not scales.figures(quads, texts, n):
            out[k] = msgspec.structs.replace(findings[k], category=Category.UNKNOWN)
    return out


def _view(frame: Frame) -> marks.View:
    """The look of the network of marks at the whole picture."""
    looks = marks.views(frame)
    return looks[1] if max(frame.width, frame.height) > marks.COARSE[0] else looks[0]


def _on_card(view: marks.View, outline: Points) -> bool:
    """Whether a colour card, which has no writing to be found, reaches into an outline (full-size pixels)."""
    sure = (view.marks[marks.CARD] >= CARD).astype(np.uint8)
    inside = np.zeros_like(sure)
    cv2.fillPoly(inside, [np.round(outline / (view.across, view.down)).astype(np.int32)], 1)
    return bool((sure & inside).any())


def _flesh(row: Mapping[str, float]) -> bool:
    """Whether a ground is as red as skin and wounds of every tone are; paper, metal and most cloth are not."""
    return row["red"] >= RED and (row["yellow"] >= YELLOW or row["red"] >= BLOOD)


def _off_scales(
    frame: Frame, picture: Picture, findings: Sequence[Finding], at: Sequence[int], finds: Sequence[Find]
) -> dict[int, Finding]:
    """Writing that touches the ticks or numerals of a ruler: part of them, or cut off where they begin."""
    rulers = [f.quad for f in finds if f.category == Category.RULER]
    out: dict[int, Finding] = {}
    for k, find in zip(at, finds, strict=True):
        if find.code or find.category in SCALES or not any(share_in(find.quad, r) > scales.TOUCH for r in rulers):
            continue
        blank = find.category == Category.UNREAD or (find.category in UNCLEAR and scales.ticks(find.text))
        if blank and scales.part_of(find.quad, rulers):
            out[k] = msgspec.structs.replace(findings[k], category=Category.RULER)
            continue
        rest = scales.beside(find.quad, rulers)
        if rest is None:
            out[k] = msgspec.structs.replace(findings[k], on=ON_A_SCALE)
        else:
            region = frame.region(tuple((float(x), float(y)) for x, y in rest / picture.factor))
            out[k] = msgspec.structs.replace(findings[k], region=region, tight=True)
    return out


def placed_on(finding: Finding, name: str, number: int, scale: float) -> Finding:
    """The finding with what it lies on, which may tell what it says: the number of a scale, or of a batch.

    Args:
        finding: It.
        name: What it lies on.
        number: Of that thing.
        scale: Mean likelihood of its place to be a ruler.
    """
    text = finding.secret.reveal()
    category: str = finding.category
    if finding.kind == Kind.TEXT:
        if category in UNCLEAR and (name == "measure" or scale >= SCALE) and _scale(text):
            category = Category.RULER
        elif category in OF_A_BATCH and name == Category.PACKET and judge.of_product(text):
            category = Category.PRODUCT
        elif category == Category.UNKNOWN and name == "bare" and sum(c.isalnum() for c in text) < A_WORD:
            category = Category.UNREAD
    where = f"{name} {number}" if name in THINGS else name
    return msgspec.structs.replace(finding, category=category, on=finding.on or where)


def _blank(finding: Finding) -> bool:
    """Whether nobody could read a line, or what was read is no word: of blurred ticks all sorts of letters are made."""
    thrice = finding.category == Category.UNKNOWN and scales.THRICE.search(finding.secret.reveal())
    return finding.category == Category.UNREAD or bool(thrice)


def _dense(outline: Points, quads: Sequence[Points]) -> bool:
    """Whether several finds fill so much of what they span that they are one block, whose ground was not made out.

    Words burned into a picture do so too, on skin: there only an outline that is believed makes a thing.
    """
    corner, (wide, high) = outline.min(axis=0), np.ptp(outline, axis=0)
    filled = np.zeros((int(high) + 2, int(wide) + 2), np.uint8)
    for quad in quads:
        cv2.fillPoly(filled, [np.round(quad - corner).astype(np.int32)], 1)
    return len(quads) > 1 and float(filled.sum()) >= DENSE * float(cv2.contourArea(outline))


def _scale(text: str) -> bool:
    """Whether a line on a ruler is one of its numerals, several that rise evenly, or ticks."""
    values = [int(v) for v in re.findall(r"\d+", text)]
    steps = {b - a for a, b in pairwise(values)}
    return bool(NUMERALS.fullmatch(text)) and (not steps or (len(steps) == 1 and min(steps) > 0))


def find_of(frame: Frame, picture: Picture, finding: Finding) -> Find:
    """A finding as it is judged."""
    polygon = finding.region.polygon if finding.region else ()
    upright = np.asarray(frame.upright(polygon), np.float32) * picture.factor
    quad = np.asarray(cv2.boxPoints(cv2.minAreaRect(upright)), np.float32)
    return Find(quad, finding.kind, finding.category, finding.score, finding.secret.reveal())


def features(frame: Frame, picture: Picture, finds: Sequence[Find], block: Block) -> list[dict[str, float]]:
    """The features of every find of a block."""
    view = _view(frame)
    near = [finds[m] for m in block.members]
    return [
        judge.ground_features(
            picture, view, one, picture.colour(one.quad, one.code), (block.outline, block.likely), near
        )
        for one in near
    ]


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
            out.append(Block(members, _around([finds[m].quad for m in members]), 0.0))
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
    likely = judge.outlines([judge.outline_features(picture, g, finds[k], others) for g in there])
    best = int(np.argmax(likely))
    return there[best].quad, float(likely[best])


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
    wide = [_grown(f.quad, NEAR * min(cv2.minAreaRect(f.quad)[1]) / 2) for f in finds]
    for a in range(len(finds)):
        for b in range(a):
            if group[a] != group[b] and cv2.intersectConvexConvex(wide[a], wide[b])[0] > 0:
                old = group[a]
                group = [group[b] if g == old else g for g in group]
    return [[k for k, g in enumerate(group) if g == name] for name in dict.fromkeys(group)]


def _grown(quad: Points, by: float) -> Points:
    (x, y), (w, h), angle = cv2.minAreaRect(quad)
    return np.asarray(cv2.boxPoints(((x, y), (w + 2 * by, h + 2 * by), angle)), np.float32)


def _around(quads: Sequence[Points]) -> Points:
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(np.concatenate(list(quads)))), np.float32)


def _with_finds(block: Block, finds: Sequence[Find]) -> Points:
    """The outline of a thing and of the finds on it, straight-sided and convex."""
    inner = [_grown(f.quad, -0.12 * min(cv2.minAreaRect(f.quad)[1])) for f in finds]
    points = np.concatenate([block.outline, *inner]).astype(np.float32)
    hull = cv2.convexHull(points).reshape(-1, 2)
    near = cv2.approxPolyDP(hull, 0.008 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    return np.asarray(near if len(near) >= 3 else hull, np.float32)
