"""What is covered and what is lost, with things covered whole and by lines alone, on scenes that did not teach.

    python -m benchmarks.carriers_score ANSWERS PHOTOS FONTS --take check:0:40 fusc_test:0:80 [--sheet FOLDER]

``--take`` names kinds of :data:`benchmarks._carrier_answers.KINDS`, or folders of photographs, and which of them;
``ward:600:640`` are drawn ward scenes by seed. ``--again`` asks the checks again over what the networks said. The first
look alone counts: what the second look at the written copy would add is left out of both columns. Covered is 85 % of
what is seen of a text or code; lost 30 % of harmless print on what is no slip and no sheet; touched 2 % of a ruler, a
card or a lesion, what a name written on it needs apart.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks._carrier_answers import SORTS, Answer, answers
from benchmarks.carrier_scenes import Mark, Points, Thing
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect.objects import carriers, marks
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.redact.cover import mask
from medimg.types import Finding, Plan

POLICY = Policy()
COVERED, LOST, TOUCHED, SEEN, OFF = 0.85, 0.3, 0.02, 0.3, 0.01
COLOURS = {"cover": (230, 0, 0), "keep": (0, 180, 0), "ask": (255, 160, 0), "hold": (160, 0, 200)}
Mask = NDArray[np.bool_]


class Column:
    """One column of the table: counts, the IoU of covers with the slips they lie on, and what is covered beside."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.same: list[float] = []
        self.beside: list[float] = []

    def judge(self, answer: Answer, found: list[Finding]) -> tuple[Plan, list[tuple[Mark, str]]]:
        """Count one picture; the plan, and the marks that went wrong."""
        height, width = answer.made.rgb.shape[:2]
        plan = decide(found, POLICY, width=width, height=height)
        hidden = mask([c.polygon for c in covers(plan, POLICY)], width, height)
        name = answer.name.rsplit("-", 1)[0]
        if not answer.made.things:
            self.counts[f"{name}: n"] += 1
            self.counts[f"{name}: with a cover"] += bool(plan.doing("cover"))
            self.counts[f"{name}: asked"] += bool(plan.doing("ask"))
            self.counts[f"{name}: held"] += bool(plan.doing("hold"))
            return plan, []
        self.counts["scenes"] += 1
        self.counts["held"] += bool(plan.doing("hold"))
        self.counts["asked"] += bool(plan.doing("ask"))
        every = mask([_plain(t.polygon) for t in answer.made.things if len(t.polygon)], width, height)
        self.counts["more than 1 % covered beside things"] += bool((hidden & ~every).mean() > OFF)
        beside = hidden & ~_with_margins(answer.made.things, width, height)
        self.beside.append(float(beside.mean()))
        self.counts["more than 1 % covered beside things and their margin"] += bool(beside.mean() > OFF)
        bad = []
        for thing in answer.made.things:
            bad += [(m, what) for m in thing.marks for what in self._mark(m, thing, hidden)]
            if SORTS.get(thing.sort) == "slip":
                place, near = (mask([_plain(_wider(thing.polygon, by))], width, height) for by in (1.0, 1.3))
                both = float((hidden & place).sum())
                self.same.append(both / max(float((hidden & near | place).sum()), 1.0))
        return plan, bad

    def _mark(self, mark: Mark, thing: Thing, hidden: Mask) -> list[str]:
        place = mask([_plain(mark.polygon)], hidden.shape[1], hidden.shape[0])
        place &= ~mask([_plain(p) for p in mark.under], hidden.shape[1], hidden.shape[0])
        if place.sum() < SEEN * max(float(cv2.contourArea(mark.polygon)), 16.0):
            return []  # most of it is outside the frame, or beneath something
        if mark.kind == "body":
            names = [_plain(_wider(m.polygon, 1.35)) for m in thing.marks if m.identifying]
            place &= ~mask(names, hidden.shape[1], hidden.shape[0])
            return self._count(mark.text, "touched", bool(place.any() and hidden[place].mean() >= TOUCHED))
        share = float(hidden[place].mean())
        if mark.identifying:
            return self._count(mark.kind, "not covered", share < COVERED)
        if SORTS.get(thing.sort) in ("slip", "sheet"):
            return []
        return self._count("harmless print", "lost", share >= LOST)

    def _count(self, name: str, what: str, wrong: bool) -> list[str]:
        self.counts[name] += 1
        self.counts[f"{name} {what}"] += wrong
        return [what] if wrong else []


def _with_margins(things: list[Thing], width: int, height: int) -> Mask:
    """The things, each with the margin that the policy gives the cover of a thing."""
    out = np.zeros((height, width), np.uint8)
    for thing in things:
        if len(thing.polygon):
            corners = np.round(thing.polygon).astype(np.int32)
            short = min(cv2.minAreaRect(thing.polygon)[1])
            cv2.fillPoly(out, [corners], 1)
            cv2.polylines(out, [corners], True, 1, max(1, round(2 * POLICY.objects.margin * short)))
    return out > 0


def _plain(polygon: Points) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in polygon)


def _wider(polygon: Points, by: float) -> Points:
    middle = polygon.mean(axis=0)
    return np.asarray(middle + (polygon - middle) * by, np.float32)


def save(path: Path, answer: Answer, plan: Plan, bad: list[tuple[Mark, str]]) -> None:
    """A picture with what was decided and what went wrong, and beside it its copy."""
    image = Image.fromarray(answer.made.rgb)
    height, width = answer.made.rgb.shape[:2]
    copy = answer.made.rgb.copy()
    copy[mask([c.polygon for c in covers(plan, POLICY)], width, height)] = 0
    draw = ImageDraw.Draw(image, "RGBA")
    size = max(image.width, image.height)
    for action in plan.actions:
        found = action.finding
        if found.region and len(found.region.polygon):
            colour = COLOURS.get(action.do, (0, 0, 0))
            inner = (*colour, 0 if found.kind == "object" else 40)
            draw.polygon(found.region.polygon, outline=(*colour, 255), fill=inner, width=max(size // 500, 1))
            words = f"{found.on or found.kind} {found.category} {found.score:.2f} {found.secret.reveal()}"
            draw.text(found.region.polygon[0], words, fill=(0, 0, 255, 255), font_size=max(size // 90, 8))
    for mark, what in bad:
        draw.polygon(_plain(mark.polygon), outline=(255, 0, 255, 255), width=max(size // 300, 1))
        draw.text(_plain(mark.polygon)[2], what, fill=(180, 0, 180, 255), font_size=max(size // 60, 8))
    both = Image.new("RGB", (2 * width, height))
    both.paste(image, (0, 0))
    both.paste(Image.fromarray(copy), (width, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    both.thumbnail((2000, 1100))
    both.save(path)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("answers", "photos", "fonts"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--take", nargs="+", default=["check:0:40", "photo-check:0:80"], metavar="KIND:FIRST:END")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    given.answers.mkdir(parents=True, exist_ok=True)
    lines, whole = Column(), Column()
    seconds: list[Any] = []
    for kind, first, end in (taken.split(":") for taken in given.take):
        seeds = range(int(first), int(end))
        for answer in answers(given.answers, given.photos, given.fonts, kind, seeds, again=given.again):
            if answer.found:
                marks.views(answer.frame)  # the checks have made these
            start = time.process_time()
            placed = carriers.placed(answer.frame, [msgspec.structs.replace(f) for f in answer.found])
            seconds.append((time.process_time() - start, answer.seconds))
            lines.judge(answer, answer.found)
            plan, bad = whole.judge(answer, placed)
            beside = answer.made.things and whole.beside[-1] > OFF
            if given.sheet and (bad or beside or (not answer.made.things and plan.doing("cover"))):
                save(given.sheet / f"{answer.name}.png", answer, plan, bad)
    for name in sorted({*lines.counts, *whole.counts}):
        print(f"{name:56} {lines.counts[name]:6} {whole.counts[name]:6}")
    if whole.same:
        print(f"{'IoU of covers with slips, median':56} {np.median(lines.same):6.2f} {np.median(whole.same):6.2f}")
        beside = (100 * float(np.median(column.beside)) for column in (lines, whole))
        print(f"{'covered beside things and margin, median %':56}", *(f"{share:6.2f}" for share in beside))
    more, all_ = (float(sum(values)) for values in zip(*seconds, strict=True))
    print(f"processor time: {more / len(seconds):.3f} s a picture beside {all_ / len(seconds):.3f} s of the checks")


if __name__ == "__main__":
    main()
