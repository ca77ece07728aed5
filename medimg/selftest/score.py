"""What came of a site's own labelled photos, in one page: the pixels and bytes of the copies decide, not the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame
from medimg.formats import open_photo
from medimg.native.opencv import cv2
from medimg.redact.cover import mask
from medimg.selftest import judge
from medimg.selftest.own import Labelled
from medimg.types import Limits, Report
from medimg.words import mark

Z = 1.96
"""Standard deviations of a normal distribution to either side that hold 95 % of it."""
LEAST_COVER = 64
"""Pixels of the smallest patch of one new colour that counts as a cover."""
MARKED = 0.2
"""Share of a cover that has to lie on what is marked to go; below it the cover lies on something else."""

Pixels = NDArray[np.int16]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one photo.

    Attributes:
        name: What the photo is called here.
        copied: Whether there is a copy; else the photo waits for a person, or could not be cleaned.
        asked: Whether a person is asked about a place of the picture.
        go: Kind of each mark that must go, and whether it is covered.
        stay: Of each mark that must stay, whether it is untouched.
        elsewhere: Covers on nothing that is marked to go.
        hidden: Share of the frame that covers hide.
        word: Whether a word that may stand nowhere stands in the copy.
    """

    name: str
    copied: bool
    asked: bool = False
    go: tuple[tuple[str, bool], ...] = ()
    stay: tuple[bool, ...] = ()
    elsewhere: int = 0
    hidden: float = 0.0
    word: bool = False


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the page: how many of how many, and the 95 % range of the share (Wilson 1927)."""

    what: str
    count: int
    of: int
    low: float
    high: float


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The page.

    Attributes:
        photos: How many photos the list names.
        rates: Its lines.
        hidden: Median share of the frame that covers hide, of the copies.
        odd: What is not as it must be, by the number of the photo.
        words: Whether a word that may stand nowhere stands in a copy.
    """

    schema: str = "medimg.own/1"
    photos: int
    rates: tuple[Rate, ...]
    hidden: float
    odd: tuple[str, ...]
    words: bool


def seen(photo: Labelled, report: Report | None, copy: bytes | None, limits: Limits) -> Scored:
    """Judge one photo.

    Args:
        photo: Its labels; the original is read here.
        report: What the run says of it; only whether a person is asked is taken from it.
        copy: The bytes of the copy; None when there is none.
        limits: As of the policy.

    Raises:
        MedimgError: The original or the copy cannot be opened.
    """
    asked = report is not None and report.plan is not None and bool(report.plan.doing("ask"))
    if copy is None:
        go = tuple((m.kind, False) for m in photo.marks if m.must == "go")
        return Scored(name=photo.name, copied=False, asked=asked, go=go)
    before, after = upright(photo.path.read_bytes(), limits), upright(copy, limits)
    right = [(m, judge.as_it_must_be(before, after, m)) for m in photo.marks]
    covers = _covers(before, after)
    wanted = mask([m.polygon for m in photo.marks if m.must == "go"], before.shape[1], before.shape[0])
    return Scored(
        name=photo.name,
        copied=True,
        asked=asked,
        go=tuple((m.kind, ok) for m, ok in right if m.must == "go"),
        stay=tuple(ok for m, ok in right if m.must == "stay"),
        elsewhere=sum(float(wanted[cover].mean()) < MARKED for cover in covers),
        hidden=float(np.sum([cover.sum() for cover in covers])) / max(wanted.size, 1),
        word=any(word in copy for word in photo.gone),
    )


def upright(data: bytes, limits: Limits) -> Pixels:
    """The picture as a viewer shows it, (H, W, 3), 0 to 255.

    Raises:
        MedimgError: It cannot be opened.
    """
    opened = open_photo(data, limits)
    return np.asarray(Frame(opened.views()[0], opened.orientation).rgb).astype(np.int16)


def _covers(before: Pixels, after: Pixels) -> list[NDArray[np.bool_]]:
    """Patches of one colour in the copy where the original shows something else, (H, W) each."""
    if before.shape != after.shape:
        return []
    differs = np.abs(before - after).max(axis=2) > judge.CHANGED
    if not differs.any():
        return []
    colour = np.median(after[differs], axis=0)
    flat = (np.abs(after - colour).max(axis=2) <= judge.FLAT).astype(np.uint8)
    count, labels = cv2.connectedComponents(flat, connectivity=4)
    changed = np.bincount(np.asarray(labels)[differs].ravel(), minlength=count)
    return [labels == n for n in range(1, count) if changed[n] >= LEAST_COVER]


def page(photos: Sequence[Scored]) -> Page:
    """The page of all photos.

    Args:
        photos: What became of each.
    """
    copies = [p for p in photos if p.copied]
    marks = [one for p in copies for one in p.go]
    plain = [p for p in copies if not p.go]
    leaky = [p for p in copies if p.go]
    rates = [
        rate(mark("covered, of what must go, in the copies"), [ok for _, ok in marks]),
        *(rate(f"  {kind}", [ok for k, ok in marks if k == kind]) for kind in sorted({k for k, _ in marks})),
        rate(mark("the same, with photos that have no copy counted as missed"), [ok for p in photos for _, ok in p.go]),
        rate(mark("copies in which everything that must go is covered"), [all(ok for _, ok in p.go) for p in leaky]),
        rate(mark("wrongly covered: touched, of what must stay"), [not ok for p in copies for ok in p.stay]),
        rate(mark("wrongly covered: copies with a cover where nothing must go"), [p.elsewhere > 0 for p in copies]),
        rate(mark("  of those in which nothing at all must go"), [p.elsewhere > 0 for p in plain]),
        rate(mark("photos with a question"), [p.asked for p in photos]),
        rate(mark("photos without a copy: they wait for a person"), [not p.copied for p in photos]),
    ]
    return Page(
        photos=len(photos),
        rates=tuple(r for r in rates if r.of),
        hidden=float(np.median([p.hidden for p in copies])) if copies else 0.0,
        odd=tuple(_odd(photos)),
        words=any(p.word for p in photos),
    )


def rate(what: str, each: Iterable[bool]) -> Rate:
    """A line of the page."""
    of = list(each)
    n, count = len(of), sum(of)
    p = count / max(n, 1)
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n) if n else 0.5
    half = Z * ((p * (1 - p) + Z * Z / (4 * n)) / n) ** 0.5 / (1 + Z * Z / n) if n else 0.5
    return Rate(what=what, count=count, of=n, low=max(middle - half, 0.0), high=min(middle + half, 1.0))


def _odd(photos: Iterable[Scored]) -> Iterable[str]:
    for p in photos:
        number = p.name.partition(".")[0]
        if not p.copied:
            yield mark(f"{number}: no copy")
            continue
        left = sorted(kind for kind, ok in p.go if not ok)
        words = [
            *(["left: " + ", ".join(left)] if left else []),
            *([mark(f"touched, of what must stay: {p.stay.count(False)}")] if not all(p.stay) else []),
            *([mark(f"covers where nothing must go: {p.elsewhere}")] if p.elsewhere else []),
            *([mark("a word that must be gone stands in the copy")] if p.word else []),
        ]
        if words:
            yield f"{number}: {'; '.join(words)}"
