"""Text in the picture: found at two sizes, read from the full-size pixels, and kept only when known to be harmless.

What cannot be read is ``unread`` and gets covered. What becomes of a line is decided by
:mod:`medimg.detect.text.identifiers`; rulers are recognised by :mod:`medimg.detect.text.ruler`; whole documents by
:mod:`medimg.detect.text._documents`. The written copy is looked at by :mod:`medimg.detect.text.second_look`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np

from medimg.detect import Frame, Pixels, proof
from medimg.detect.answers import fingerprint
from medimg.detect.objects import marks
from medimg.detect.text import _documents, _zoom, full_size, identifiers, ocr, rings, tesseract
from medimg.detect.text import cards as _cards
from medimg.detect.text import lines as _lines
from medimg.detect.text import second_look as _second_look
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line, in_company
from medimg.detect.text.layout import decide, explained, merged
from medimg.detect.text.letters import SIZES
from medimg.detect.text.lines import grown, labels, sides
from medimg.detect.text.sizes import LEAST_SCORE, looks
from medimg.errors import MissingPart
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon, Secret
from medimg.vocabulary import Kind

if TYPE_CHECKING:
    from medimg.policy import Policy

SECOND_SIZE = 1200
"""Long side for the look at the written copy: another grid, so what was missed by bad luck gets a new chance."""
MOST_READ = 240
"""Lines read in one picture; the rest is ``unread``. Bounds the time for a page full of text."""
MOST_FAINT = 100
"""Places in one picture that are too faint to count by themselves and are looked at all the same."""
UNSURE, SURE = 0.5, 0.97
"""Between these a line that is neither harmless nor identifying is read again; below, there is nothing to go by."""
DRAWN_IN = 0.15
"""What its box is drawn in by for that, as a share of its height. The finder's boxes are roomy, and the reader squeezes
what it gets to one height: of 13 harmless lines misread on drawn labels 6 were read right from the tighter box."""
FAIRLY = 0.75
"""Least certainty of a second reading."""
LEAST_SIGNS = 3
LIKE = 0.5
"""Least likeness of the second reading to the first, 0 to 1 (matching letters in order)."""
MOST_LINES = 1200
"""Lines handled in one picture; when there are more, they are covered together."""


class TextDetector:
    """Finds and reads text.

    Args:
        policy: ``policy.verify.second_reader`` says whether Tesseract has to be there, ``policy.text`` what stays and
            how large covers get.

    Raises:
        MissingPart: A model is not there or not the pinned one, or Tesseract is required and missing.
    """

    name = "text"

    def __init__(self, policy: Policy) -> None:
        self._rules = policy.text
        self._models = ocr.models()
        self._proof = proof.Proof(self._models.prove, lambda: marks.network().prove())
        self._second: tesseract.Reader | None
        try:
            self._second = tesseract.Reader()
        except MissingPart:
            if policy.verify.second_reader == "required":
                raise
            self._second = None
        self.version = self._models.version + (f", {self._second.version}" if self._second else "")

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
        """Every text in the frame; the category says whether it may stay."""
        lines = self._read(frame, SIZES, known)
        found = [self._finding(frame, line) for line in lines]
        paper = _documents.found(lines, frame.width, frame.height)
        if paper:
            region = frame.region(_lines.polygon(paper[1]))
            found.append(Finding(kind=Kind.DOCUMENT, category=paper[0], detector="text", region=region))
        return found

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        """What can still be read in the written copy outside its covers."""
        lines = _second_look.outside(
            self._read(frame, (SECOND_SIZE,), known, covers), covers, max(frame.width, frame.height)
        )
        found = [self._finding(frame, line) for line in lines]
        if self._second is None:
            return found, f"{self._models.version} at another size; no second reader is installed"
        more = _second_look.identifying(self._second, frame, lines, covers, Known(known), self._rules.keep)
        found += [self._finding(frame, line) for line in more]
        return found, f"{self._models.version} at another size, and {self._second.version}"

    def _read(
        self, frame: Frame, sizes: Sequence[int], known: KnownValues, covers: Sequence[Polygon] = ()
    ) -> list[Line]:
        self._proof()
        every = [
            _second_look.uncovered(look.spots(self._models, frame.answers), covers) for look in looks(frame, sizes)
        ]
        sure = [[s for s in spots if s.score >= LEAST_SCORE] for spots in every]
        faint = [[s for s in spots if s.score < LEAST_SCORE] for spots in every]
        weak = [s.quad for spots in faint for s in spots]
        found = merged([*sure, *faint], frame.width, frame.height)
        spots = [s for s in found if s.level < len(every)]
        maybe = [s._replace(level=s.level - len(every)) for s in found if s.level >= len(every)]
        maybe = sorted(maybe, key=lambda s: -s.score)[:MOST_FAINT]
        if len(spots) > MOST_LINES:
            frame.answers.cut_short = True
            whole = _lines.around([s.quad for s in spots], _lines.axis(spots[0].quad))
            return [Line(ocr.Spot(whole, 1.0), "", 0.0, cover=whole)]
        spots += [maybe[k] for k in in_company(spots, maybe)]
        lines = _read_spots(self._models, frame, spots)
        ring: list[Line] = []
        if len(lines) < MOST_READ:
            first = len(sizes) > 1
            new, replaced = _zoom.closer(self._models, frame, lines, weak, sheets=first)
            new += _cards.unread(self._models, frame, lines) if first else []
            rest = [line for k, line in enumerate(lines) if k not in replaced]
            fresh = merged([[line.spot for line in rest], new], frame.width, frame.height)[len(rest) :]
            finer = _read_spots(self._models, frame, [s._replace(level=0) for s in fresh])
            # A name of two words may have come back as one word of it.
            now, keep = [*rest, *finer], self._rules.keep
            lines = now + [lines[k] for k in sorted(replaced) if not explained(lines[k], now, keep)]
            if first:
                lines += self._at_full_size(frame, lines)
                ring = rings.lines(self._models, frame, lines)
                lines = rings.beside(lines, ring)
        else:
            frame.answers.cut_short = True
        # What is on a ring is no row of a label: its pieces are covered as they are.
        return decide(lines, frame, Known(known), self._rules) + rings.judged(ring, Known(known), self._rules.keep)

    def _at_full_size(self, frame: Frame, lines: Sequence[Line]) -> list[Line]:
        new = full_size.spots(self._models, frame, lines)
        fresh = merged([[line.spot for line in lines], new], frame.width, frame.height)[len(lines) :]
        found = _read_spots(self._models, frame, [s._replace(level=0) for s in fresh])
        return [line for line in found if full_size.read(line)]

    def _finding(self, frame: Frame, line: Line) -> Finding:
        return Finding(
            kind=Kind.TEXT,
            category=line.category,
            detector="text",
            score=round(min(max(line.spot.score, 0.0), 1.0), 3),
            region=frame.region(_lines.polygon(line.cover)),
            secret=Secret(line.text),
            tight=line.tight,
        )


def _read_spots(models: ocr.Models, frame: Frame, spots: Sequence[ocr.Spot]) -> list[Line]:
    # The surest first: what is over the limit stays unread.
    order = sorted(range(len(spots)), key=lambda k: -spots[k].score)
    some = order[:MOST_READ]
    crops = {k: ocr.crop(frame.rgb, spots[k].quad) for k in some}
    readings = dict(zip(some, _said(models, frame, [crops[k] for k in some]), strict=True))
    ways = dict.fromkeys(some, 0)
    # Writing may stand on its head; a box hardly longer than high may stand on its side as well.
    for turns, least, squarest in ((2, 0.8, 0.0), (1, 0.6, 0.67), (3, 0.6, 0.67)):
        again = [
            k
            for k in some
            if readings[k].score < least and min(crops[k].shape[:2]) / max(crops[k].shape[:2]) >= squarest
        ]
        turned = _said(models, frame, [_turned(crops[k], turns) for k in again])
        for k, reading in zip(again, turned, strict=True):
            if reading.score > max(readings[k].score, 0.6) and len(reading.text) >= len(readings[k].text) * 0.6:
                readings[k], ways[k] = reading, turns
    readings |= _read_again(models, frame, spots, readings, ways)
    return [Line(s, *readings.get(k, ocr.Reading("", 0.0))) for k, s in enumerate(spots)]


def _said(models: ocr.Models, frame: Frame, crops: Sequence[Pixels]) -> list[ocr.Reading]:
    """What each crop says; nothing is read twice in one photo, and in its copy only what changed."""
    questions = [(ocr.READER, fingerprint(c)) for c in crops]
    return frame.answers.several(questions, lambda new: models.read([crops[k] for k in new]))


def _read_again(
    models: ocr.Models,
    frame: Frame,
    spots: Sequence[ocr.Spot],
    readings: Mapping[int, ocr.Reading],
    ways: Mapping[int, int],
) -> dict[int, ocr.Reading]:
    """Better readings of lines that nothing was made of: from a tighter box, and the other way up.

    Only a sure reading counts whose every word is harmless, and that is much like the first one, or was made the other
    way up because most of the label is.
    """
    weak = {k for k, r in readings.items() if UNSURE < r.score < SURE and _of_no_use(r)}
    wanted: list[tuple[int, int, float, bool]] = []
    for group in labels([spots[k].quad for k in readings]) if weak else ():
        members = [list(readings)[g] for g in group]
        upright = sum(readings[k].score for k in members if ways[k] == 0)
        turned = sum(readings[k].score for k in members if ways[k] == 2)
        for k in weak.intersection(members):
            way = ways[k] if ways[k] % 2 or upright == turned else 2 * (turned > upright)
            voted = way != ways[k]
            if voted or _maybe_words(readings[k].text):
                wanted += [(k, way, DRAWN_IN, voted), (k, (ways[k] + 2) % 4, 0.0, voted)]
    quads = [ocr.ordered(grown(spots[k].quad, -by * sides(spots[k].quad)[1])) for k, _, by, _ in wanted]
    crops = [_turned(ocr.crop(frame.rgb, q), turns) for q, (_, turns, _, _) in zip(quads, wanted, strict=True)]
    out: dict[int, ocr.Reading] = {}
    for reading, (k, _, _, voted) in zip(_said(models, frame, crops), wanted, strict=True):
        like = SequenceMatcher(None, reading.text, readings[k].text, autojunk=False).ratio() >= LIKE
        if reading.score >= max(out[k].score if k in out else 0.0, FAIRLY) and _harmless(reading) and (like or voted):
            out[k] = reading
    return out


def _of_no_use(reading: ocr.Reading) -> bool:
    return identifiers.classify(reading.text, reading.score).category in ("unknown", "unread")


def _maybe_words(text: str) -> bool:
    """Whether a reading has letters enough, and is no number."""
    letters = sum(c.isascii() and c.isalpha() for c in text)
    return letters >= LEAST_SIGNS and sum(c.isdigit() for c in text) <= LEAST_SIGNS


def _harmless(reading: ocr.Reading) -> bool:
    kept = identifiers.classify(reading.text, reading.score).category in identifiers.KEPT
    return kept and sum(c.isalnum() for c in reading.text) >= LEAST_SIGNS


def _turned(crop: Pixels, quarters: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(crop, quarters))


def make(policy: Policy) -> TextDetector:
    """Load the models.

    Raises:
        MissingPart: As for :class:`TextDetector`.
    """
    return TextDetector(policy)
