"""What a detector may answer: findings, and places that can be somewhere in a picture or beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from medimg import geometry
from medimg.errors import CheckNotRun
from medimg.types import Finding, Polygon, Region, Secret
from medimg.vocabulary import Kind


def findings(answer: object) -> list[Finding]:
    """A detector's answer as a list, its numbers as Python's own.

    Args:
        answer: Whatever it returned; a detector may be another package's, its numbers numpy's, which no report holds.

    Raises:
        CheckNotRun: It is not a list of findings, or a value in it is of another kind, or a place in it is none: not a
            number, or endlessly far off.
    """
    if not isinstance(answer, Sequence) or not all(isinstance(one, Finding) for one in answer):
        raise CheckNotRun("its answer was no list of findings.")
    if not all(one.kind in set(Kind) for one in answer):
        raise CheckNotRun("its answer had a finding of an unknown kind.")
    try:
        plain = [_plain(one) for one in answer]
    except (TypeError, ValueError, OverflowError) as error:
        raise CheckNotRun("its answer had a value of another kind.") from error
    if not all(geometry.somewhere(one.region.polygon) for one in plain if one.region is not None):
        raise CheckNotRun("its answer had a place that is in no picture.")
    return plain


def _plain(one: Finding) -> Finding:
    words = (one.kind, one.category, one.detector, one.where, one.id, one.on)
    if not all(isinstance(word, str) for word in words) or not isinstance(one.secret, Secret):
        raise TypeError
    return replace(
        one,
        score=float(one.score),
        count=int(one.count),
        tight=bool(one.tight),
        region=None if one.region is None else Region(_points(one.region.polygon), int(one.region.frame)),
        inner=_points(one.inner),
    )


def _points(polygon: Iterable[Iterable[float]]) -> Polygon:
    return tuple((float(x), float(y)) for x, y in polygon)
