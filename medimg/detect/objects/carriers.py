"""What the finds of the other checks lie on: a slip, a sheet, a packet, a ruler or card, or nothing of these.

Facts only: :func:`medimg.decide.decide` says what follows from them. The finds come back with what they lie on, and a
finding of its own for every thing that bears some of them: its outline with straight sides, its sort, how sure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg import geometry
from medimg.detect import Frame
from medimg.detect.objects import burned, company, drawn_scale, grey_card, judge, marks, product, scales, screens
from medimg.detect.objects.blocks import ALIKE, REAL, SCALES, Block, dense, found_blocks, with_finds
from medimg.detect.objects.grounds import Picture, Points, share_in
from medimg.detect.objects.judge import GROUNDS, Find
from medimg.native.opencv import cv2
from medimg.types import Finding
from medimg.vocabulary import IDENTIFYING, THINGS, Category, Kind

WHOLE = (Category.SLIP, Category.SHEET)
"""What is of a patient where anything on it is."""
PRINTED = (Category.PACKET, Category.SCREEN, "measure")
"""What bears print that is nobody's name, where nothing says who somebody is."""
OF_A_BATCH = frozenset((Category.UNKNOWN, Category.RECORD_NUMBER, Category.DATE, Category.ID_NUMBER))
"""What the number or date of a batch may have been taken for."""
UNCLEAR = frozenset((Category.UNKNOWN, Category.UNREAD))
"""What a numeral of a scale may have been taken for."""
FIGURES = UNCLEAR | {Category.RECORD_NUMBER}
"""What several of them have been taken for, where they touch ticks and numerals."""
FIGURE = re.compile(r"\d")
UNIT = re.compile(r"[\W_]*(?:cm|mm|inch(?:es)?)[\W_]*", re.IGNORECASE)
"""A unit of length by itself: what bears it, and not much of a person, is a ruler, though its figures were not read."""
SCALE = 0.35
"""Least mean likelihood of a ruler for a place to be one."""
NO_SCALE = 0.15
"""Mean likelihood of a ruler below which a line that was read is no part of one by itself."""
CARD, LEAST_CARD, LEAST_BESIDE_NAMES = 0.6, 60, 250
"""Likelihood of a colour card from which a square of the network's map is one, the fewest connected ones that are a
card, and the fewest on what surely names somebody: portraits on badges had 12 and 82, cards 300 to 3,936."""
PERHAPS_SCALE = 0.15
"""Least of it for a place to be asked about instead of covered, where nobody could read what stands there: a small or
blurred ruler blacked out is lost, and the ticks of one look like writing."""
DENSE, LOOSE = 0.6, 0.15
"""Least share of a block that its finds fill, and of one that surely names somebody: a badge has a portrait between."""
ON_SCALE = 0.2
"""Share of a scale or a card in an outline that makes it no thing to be covered: it would hide what must stay."""
NAMED, SURELY_NAMED = 2, 3
"""So many sorts of what identifies (a name, a number, a date ...) on an outline that is believed, without a row of
figures, are on no ruler, though it be as slim and small as one; so many tell it against the judge too."""
ON_A_SCALE = "scale"
"""What writing lies on that cannot be told from the ticks and numerals it touches."""
PERHAPS_SLIP = 1 / 6
"""Likelihood from which it is a slip and no packet: a label left half open costs more than five packets covered."""
LEAST_LINES, UNREAD = 3, 0.75
"""So many lines, and of them the share nobody could read, from which a thing goes as a slip and not as a packet."""
BARE, SURELY_BARE = GROUNDS.index("bare"), 0.8
"""Least likelihood of bare skin or cloth for a find to be asked about instead of covered."""
RED, YELLOW, BLOOD = 5.0, 3.0, 15.0
"""Least red and yellow of a ground that may be skin, and least red of one that may be a wound: CIELAB as 8 bits, from
neutral. Off such ground what nobody could read is covered: the judge has seen too little bare ground to be believed."""
SURELY_SCALE, SPARSE, LONG = 0.6, 0.9, 2.5
"""Likelihood of a ruler from which so few signs for each time a line is as long as high, in one so long, are no word;
print has 1.3 to 2."""
COLOURED, RIM, MOSTLY = 12.0, 0.3, 0.6
"""Least colour of what is no paper, CIELAB as 8 bits; how far round a code flesh is looked for, in its shorter side;
and how much of that has to be flesh."""
WITHIN = 0.6
"""Least share of a find that lies on a screen to be of it."""
HALF = 0.5
"""The same round a lone sign."""
A_WORD = 3
"""Signs from which what was read on skin is a word: of fewer, hairs and creases are read too; of one more, figures are
a number, and not streaks of blood."""


def placed(frame: Frame, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, writing and codes with what they lie on, and the things that bear them.

    Args:
        frame: The picture.
        findings: What the checks found in it.
    """
    findings = [*findings, *company.codes(frame, [f for f in findings if _partly_in(frame, f)])]
    findings = company.no_letters(frame, findings)
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
    numerals = [f for f in finds if f.category == Category.RULER and scales.NUMBERS.fullmatch(f.text)]
    rows = [features(frame, picture, finds, block) for block in blocks]
    said = judge.lies_on([row for some in rows for row in some])
    for number, (block, some) in enumerate(zip(blocks, rows, strict=True), 1):
        likely, said = said[: len(some)], said[len(some) :]
        there = [finds[m] for m in block.members]
        measures = [f for f, k in zip(finds, at, strict=True) if out[k].category in SCALES]
        named = _named(block, there, measures)
        sort = _sort(block, there, likely.mean(axis=0), some, named)
        # No ruler lies on a monitor, whose curves look like one's ticks.
        if named >= NAMED or (sort == Category.SCREEN and block.likely >= REAL and screens.measuring(there)):
            some = [{**row, "ruler": 0.0, "ruler_all": 0.0} for row in some]
            measures = []
        bare = block.likely < REAL and all(map(_flesh, some)) and not any(f.category in IDENTIFYING for f in there)
        _keep_readings(out, at, finds, block, picture, sort)
        for m, own, row in zip(block.members, likely, some, strict=True):
            name = _name(block, likely.mean(axis=0) + own, sort)
            if (bare and not finds[m].code) or _in_flesh(picture, finds[m], row):
                name = "bare"
            elif name == "bare" and (own[BARE] < SURELY_BARE or not _flesh(row)):
                name = ""
            borne = block.likely >= REAL and sort in WHOLE
            device = sort in (Category.SCREEN, "measure")
            printed = sort in PRINTED and product.prints(finds[m].text, there, device=device)
            printed = printed or product.sentence(finds[m].text, there)
            scale = row["ruler"] >= PERHAPS_SCALE or scales.runs_along(finds[m].quad, numerals)
            out[at[m]] = _on(out[at[m]], name, number, row, borne=borne, printed=printed, scale=scale)
            if out[at[m]].on in ("bare", ON_A_SCALE) and _burned_in(frame, picture, finds[m]):
                out[at[m]] = msgspec.structs.replace(out[at[m]], on="")
        outline = with_finds(block, there)
        sorts = {f.category for f in there} & IDENTIFYING
        least = LOOSE if sort in WHOLE and len(sorts) >= NAMED else DENSE
        filled = not bare and dense(outline, [f.quad for f in there], least)
        over = _over(frame, picture, outline, some[0], [f.quad for f in measures], there, named)
        over = over or (sort == Category.SLIP and named < NAMED and any(UNIT.fullmatch(f.text) for f in there))
        # What a camera burned in is all that is covered there: a sheet or a wall beneath it bears nothing else.
        burned_in = all(f.category == Category.DATE and _burned_in(frame, picture, f) for f in there)
        if sort in THINGS and (block.likely >= REAL or filled) and not over and not burned_in:
            outline = np.clip(outline / picture.factor, 0, (frame.width, frame.height))
            region = frame.region(tuple((float(x), float(y)) for x, y in outline))
            sure = round(float(likely.mean(axis=0).max()), 3)
            thing = Finding(kind=Kind.OBJECT, category=sort, detector="carriers", score=sure, region=region)
            out.append(placed_on(thing, sort, number, 0.0))
    return out


def _name(block: Block, likely: NDArray[np.float64], sort: str) -> str:
    """What a find lies on: what its block is, if that is believed or a patient's, and else what it looks like there."""
    own = GROUNDS[int(np.argmax(likely))]
    return sort if block.likely >= REAL or (own in THINGS and sort in WHOLE) else own


def _keep_readings(
    out: list[Finding], at: Sequence[int], finds: Sequence[Find], block: Block, picture: Picture, sort: str
) -> None:
    """Mark what a screen shows of the body: values and their names on it and on its panels, and traces on its ground.

    A note that was stuck on the screen has a ground of its own.
    """
    there = [finds[m] for m in block.members]
    high = screens.measuring(there) if sort == Category.SCREEN else 0.0
    if not high:
        return
    outline = with_finds(block, there)
    ground = np.median([picture.colour(f.quad, f.code) for f in there if screens.said(f)], axis=0)
    curves = [find.quad for find in there if find.category == Category.UNIT and screens.curve(find.text)]
    for again in (False, True):
        for m, (k, find) in enumerate(zip(at, finds, strict=True)):
            own = m in block.members
            value = (own or share_in(find.quad, outline) >= WITHIN) and screens.measured(find)
            colour = picture.colour(find.quad, find.code)  # a broad curve tints it
            alike = np.linalg.norm(colour - ground) <= ALIKE or max(colour[0], ground[0]) < screens.DARK
            traced = own and alike and screens.traced(find, high, curves if again else ())
            if value or traced:
                out[k] = msgspec.structs.replace(out[k], category=Category.UNIT)
            if traced and not again:
                curves.append(find.quad)


def _sort(
    block: Block,
    there: Sequence[Find],
    likely: NDArray[np.float64],
    rows: Sequence[Mapping[str, float]],
    named: int,
) -> str:
    """What a block of finds lies on; what may be a patient's slip and bears what identifies is no packet, no ruler."""
    if screens.shows_readings(there, float(np.median([row["light"] for row in rows]))):
        return Category.SCREEN
    if product.bears_one(there):
        return Category.PACKET
    sort = GROUNDS[int(np.argmax(likely))]
    identifying = any(map(product.identifies, there))
    if sort == Category.PACKET and product.names_a_person(there):
        return Category.SHEET
    if sort == "measure" and named >= SURELY_NAMED:
        return Category.SLIP
    perhaps = identifying and likely[GROUNDS.index(Category.SLIP)] >= PERHAPS_SLIP
    told_nothing = perhaps or _mostly_unread(there)
    return Category.SLIP if sort == Category.PACKET and told_nothing and block.likely >= REAL else sort


def _mostly_unread(there: Sequence[Find]) -> bool:
    """Whether so little of several lines was read that nothing says of what product a packet would be."""
    lines = [f for f in there if not f.code]
    return len(lines) >= LEAST_LINES and sum(f.category == Category.UNREAD for f in lines) >= UNREAD * len(lines)


def _named(block: Block, there: Sequence[Find], measures: Sequence[Find]) -> int:
    """How many sorts of what identifies are on an outline that is believed; none on one that surely bears a scale."""
    on = [f for f in measures if share_in(f.quad, block.outline) > ON_SCALE]
    quads, texts = [f.quad for f in on], [f.text for f in on]
    sure = any(f.category == Category.COLOUR_CARD for f in on) or any(
        scales.figures(quads, texts, n) for n in range(len(on))
    )
    return 0 if sure or block.likely < REAL else len({f.category for f in there} & IDENTIFYING)


def _burned_in(frame: Frame, picture: Picture, find: Find) -> bool:
    """Whether a find is writing that looks like a date which a camera burned in."""
    return not find.code and burned.like_a_date(frame, find.quad / picture.factor, find.text)


def _on(
    finding: Finding, name: str, number: int, row: Mapping[str, float], *, borne: bool, printed: bool, scale: bool
) -> Finding:
    """A find with what it lies on; on a slip or a sheet that is believed nothing is a scale by its looks alone."""
    if printed and finding.kind == Kind.TEXT and finding.category == Category.UNKNOWN:
        finding = msgspec.structs.replace(finding, category=Category.PRODUCT)
    if scale and _blank(finding, row):
        finding = msgspec.structs.replace(finding, category=Category.UNREAD, on=ON_A_SCALE)
    return placed_on(finding, name, number, 0.0 if borne else row["ruler"])


def _over(
    frame: Frame,
    picture: Picture,
    outline: Points,
    row: Mapping[str, float],
    measures: Sequence[Points],
    there: Sequence[Find],
    named: int,
) -> bool:
    """Whether a cover of an outline would hide a scale, a colour card or a grey one."""
    scale = row["ruler_all"] >= SCALE or any(share_in(quad, outline) > ON_SCALE for quad in measures)
    least = LEAST_BESIDE_NAMES if named >= NAMED else LEAST_CARD
    card = _on_card(_view(frame), outline / picture.factor, least)
    return scale or card or grey_card.inside(picture, outline, [f.quad for f in there])


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
        told = scales.ticks(texts[n]) or scales.figures(quads, texts, n)
        if seen < NO_SCALE and not told and not drawn_scale.strokes(frame.rgb, quads[n] / picture.factor):
            out[k] = msgspec.structs.replace(findings[k], category=Category.UNKNOWN)
    return out


def _view(frame: Frame) -> marks.View:
    """The look of the network of marks at the whole picture."""
    looks = marks.views(frame)
    return looks[1] if max(frame.width, frame.height) > marks.COARSE[0] else looks[0]


def _on_card(view: marks.View, outline: Points, least: int) -> bool:
    """Whether a colour card, which has no writing to be found, reaches into an outline (full-size pixels)."""
    sure = (view.marks[marks.CARD] >= CARD).astype(np.uint8)
    inside = np.zeros_like(sure)
    cv2.fillPoly(inside, [np.round(outline / (view.across, view.down)).astype(np.int32)], 1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(sure, connectivity=4)
    touched = np.unique(labels[(sure & inside) > 0])
    return bool((stats[touched, cv2.CC_STAT_AREA] >= least).any())


def _flesh(row: Mapping[str, float]) -> bool:
    """Whether a ground is as red as skin and wounds of every tone are; paper, metal and most cloth are not."""
    return row["red"] >= RED and (row["yellow"] >= YELLOW or row["red"] >= BLOOD)


def _off_scales(
    frame: Frame, picture: Picture, findings: Sequence[Finding], at: Sequence[int], finds: Sequence[Find]
) -> dict[int, Finding]:
    """Writing that touches the ticks or numerals of a ruler: part of them, or cut off where they begin."""
    # A lone letter that passed for a numeral (o, l) cuts nobody's name.
    rulers = [f.quad for f in finds if f.category == Category.RULER and (scales.ticks(f.text) or FIGURE.search(f.text))]
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
        if _figures(category, text, on=name == "measure" or scale >= SCALE, touching=finding.on == ON_A_SCALE):
            category = Category.RULER
        elif category in OF_A_BATCH and name == Category.PACKET and product.numbers_it(text, category):
            category = Category.PRODUCT
        elif category == Category.UNKNOWN and name == "bare" and _no_word(text):
            category = Category.UNREAD
    where = f"{name} {number}" if name in THINGS else name
    return msgspec.structs.replace(finding, category=category, on=finding.on or where)


def _no_word(text: str) -> bool:
    """Whether what was read on skin is too short for a word or a number, or one sign: nails are read as 0000."""
    signs = [c for c in text if c.isalnum()]
    return len(signs) < A_WORD + all(map(str.isdigit, signs)) or len(set(signs)) == 1


def _figures(category: str, text: str, *, on: bool, touching: bool) -> bool:
    """Whether a line on a scale, or one that touches ticks and numerals, is figures of it."""
    if on and ((category in UNCLEAR and scales.numerals(text)) or scales.counts_up(text)):
        return True
    rising = scales.mostly_counts_up(text) or (touching and scales.rises(text))
    return (on or touching) and category in FIGURES and rising


def _blank(finding: Finding, row: Mapping[str, float]) -> bool:
    """Whether nobody could read a line, or what was read is no word: of ticks few letters are made, or one often."""
    text = finding.secret.reveal()
    few = row["ruler"] >= SURELY_SCALE and row["letters"] + row["digits"] <= SPARSE * row["long"]
    no_word = bool(scales.THRICE.search(text)) or (few and row["long"] >= LONG)
    return finding.category == Category.UNREAD or (finding.category == Category.UNKNOWN and no_word)


def _in_flesh(picture: Picture, find: Find, row: Mapping[str, float]) -> bool:
    """Whether a code that nobody read, or a lone sign, is coloured and lies in flesh.

    Slough and scabs have dots too, and no paper; a round wound is read as an O.
    """
    lone = find.code or sum(c.isalnum() for c in find.text) <= 1
    glint = not find.code and find.category == Category.UNREAD  # white on wet flesh
    if not lone or find.score >= 1 or (not glint and np.hypot(row["red"], row["yellow"]) < COLOURED):
        return False
    around = picture.around(find.quad, RIM * float(min(cv2.minAreaRect(find.quad)[1])))
    red, yellow = around[:, 1] - 128, around[:, 2] - 128
    least = MOSTLY if find.code else HALF
    return float(np.mean((red >= RED) & (yellow >= YELLOW))) >= least if len(around) else False


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
