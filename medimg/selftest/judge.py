"""What became of every mark: the pixels and bytes of the copies decide, not the report."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from medimg.redact.cover import mask
from medimg.run.pictures import READ
from medimg.selftest.pictures import Case, Mark
from medimg.words import mark

GONE, STAYS = 0.9, 0.02
"""A mark is gone when at least this share of it is changed, and stays when at most this share is."""
CHANGED = 24
"""Levels, of 255, by which a pixel under a cover differs from the original or else is the cover's own colour."""
FLAT = 2
"""Levels, of 255, that pixels of a cover differ by at most."""
_NOTHING = np.zeros((1, 1, 3), np.int16)
FLOORS = {"text": 0.9, "code": 0.85, "face": 0.85}
"""Share of each kind that must be gone; below it the test fails. Hidden things and things to keep allow no miss. Of the
drawn heads those that lie on their side under a mask are asked about and not covered."""
HANDED_OUT = 0.9
"""Share of the drawn photos that must have a copy: one whose covers would hide too much is held, as it should be."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One mark and whether it is as it must be."""

    case: str
    kind: str
    sorts: dict[str, str]
    right: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    kind: str
    sort: str
    right: int
    of: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the self-test came to.

    Attributes:
        lines: Right and all, by kind and sort.
        misses: Everything that is not as it must be, in words, with the name of the drawn photo.
        passed: Whether every floor is reached, nothing hidden is left, and hardly any drawn photo was held.
    """

    schema: str = "medimg.selftest/1"
    lines: tuple[Line, ...]
    misses: tuple[str, ...]
    passed: bool


def look(case: Case, copy: bytes | None) -> list[Verdict]:
    """Each mark of a photo against its copy; without a copy nothing is shown, and nothing is kept either."""
    if copy is None:
        return [Verdict(case=case.name, kind=m.kind, sorts=m.sorts, right=m.must == "go") for m in case.marks]
    before, after = (_upright(case.data), _upright(copy)) if case.marks else (_NOTHING, _NOTHING)
    out = []
    for one in case.marks:
        right = as_it_must_be(before, after, one)
        out.append(Verdict(case=case.name, kind=one.kind, sorts=one.sorts, right=right))
    if case.gone:
        left = any(word in copy for word in case.gone)
        out.append(Verdict(case=case.name, kind="hidden", sorts={"format": case.sort}, right=not left))
    return out


def as_it_must_be(before: NDArray[np.int16], after: NDArray[np.int16], mark: Mark) -> bool:
    """Whether a mark is gone from a copy, or untouched in it.

    Args:
        before: The original, upright, (H, W, 3), 0 to 255.
        after: The copy.
        mark: The mark, in pixels of the original.
    """
    share = _changed(before, after, mark)
    return share >= GONE if mark.must == "go" else share <= STAYS


def _upright(data: bytes) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(data), formats=READ) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).astype(np.int16)


def _changed(before: NDArray[np.int16], after: NDArray[np.int16], mark: Mark) -> float:
    """The share of a mark that shows one flat colour, if it must go, or anything else than before, if it must stay."""
    if before.shape != after.shape:
        return 0.0
    inside = mask([mark.polygon], before.shape[1], before.shape[0])
    differs = np.abs(before - after).max(axis=2) > CHANGED
    if not (differs & inside).any():
        return 0.0
    colour = np.median(after[differs & inside], axis=0)
    flat = np.abs(after - colour).max(axis=2) <= FLAT
    altered = flat if mark.must == "go" else differs
    return float((altered & inside).sum() / max(inside.sum(), 1))


def leaks(folder: Path, words: Iterable[bytes], private: str) -> list[str]:
    """Files of a run folder, outside its private part, in which a planted word stands or is the name."""
    wanted = list(words)
    out = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and private not in p.parts):
        if any(word in path.read_bytes() or word in path.name.encode() for word in wanted):
            out.append(path.relative_to(folder).parts[0])
    return out


def outcome(seen: Sequence[Verdict], leaked: Sequence[str], missing: Mapping[str, str]) -> Result:
    """The table, the misses and the verdict.

    Args:
        seen: Every mark.
        leaked: Places in the run folder where a planted word was found.
        missing: Photo -> why it has no copy.
    """
    rows: dict[tuple[str, str], list[bool]] = {}
    for s in seen:
        rows.setdefault((s.kind, "all"), []).append(s.right)
        for name, value in s.sorts.items():
            rows.setdefault((s.kind, f"{name} {value}"), []).append(s.right)
    lines = tuple(Line(kind=k, sort=n, right=sum(v), of=len(v)) for (k, n), v in sorted(rows.items()))
    misses = [f"{s.case}: {s.kind}, {', '.join(s.sorts.values())}" for s in seen if not s.right]
    misses += [mark(f"a planted word stands in {place}") for place in leaked]
    misses += [mark(f"{name}: no copy, {why}") for name, why in missing.items()]
    below = [line for line in lines if line.sort == "all" and line.right < FLOORS.get(line.kind, 1.0) * line.of]
    drawn = {s.case for s in seen if s.kind != "hidden"}
    held = len(drawn) - len(missing) >= HANDED_OUT * len(drawn) and drawn.issuperset(missing)
    return Result(lines=lines, misses=tuple(misses), passed=not below and not leaked and held)
