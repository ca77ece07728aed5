"""What a detector may answer: findings, and places that can be somewhere in a picture or beside it."""

from __future__ import annotations

from collections.abc import Sequence

from medimg import geometry
from medimg.errors import CheckNotRun
from medimg.types import Finding
from medimg.vocabulary import Kind


def findings(answer: object) -> list[Finding]:
    """A detector's answer as a list.

    Args:
        answer: Whatever it returned; a detector may be another package's.

    Raises:
        CheckNotRun: It is not a list of findings, or a place in it is none: not a number, or endlessly far off.
    """
    if not isinstance(answer, Sequence) or not all(isinstance(one, Finding) for one in answer):
        raise CheckNotRun("its answer was no list of findings.")
    if not all(one.kind in set(Kind) for one in answer):
        raise CheckNotRun("its answer had a finding of an unknown kind.")
    if not all(geometry.somewhere(one.region.polygon) for one in answer if one.region is not None):
        raise CheckNotRun("its answer had a place that is in no picture.")
    return list(answer)
