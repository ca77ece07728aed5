"""Detectors of other packages: entry points of the group ``medimg.detectors`` that the policy names.

An entry point is a function ``make(policy)`` that returns a :class:`~medimg.detect.Detector`. Its ``name`` says to
which check of :data:`~medimg.vocabulary.CONTENT_CHECKS` it adds; it takes nothing away from what that check finds.
Nothing is loaded that no policy names.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from medimg.detect import Detector, Frame
from medimg.errors import CheckNotRun, MissingPart
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon
from medimg.vocabulary import CONTENT_CHECKS

if TYPE_CHECKING:
    from medimg.policy import Policy

GROUP = "medimg.detectors"


class Joined:
    """One check, by the shipped detector and those that were added to it.

    A photo is held where one of ``missing`` was named: what was asked for has not been looked at.
    """

    def __init__(self, shipped: Detector, added: Sequence[Detector], missing: int) -> None:
        self.name = shipped.name
        self.version = " + ".join([shipped.version, *(a.version for a in added)])
        self._all, self._missing = (shipped, *added), missing

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
        """What each of them finds.

        Raises:
            CheckNotRun: A detector that the policy names is not installed.
        """
        self._whole()
        return [finding for detector in self._all for finding in detector.find(frame, known)]

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        """What each of them finds in the copy, and their engines.

        Raises:
            CheckNotRun: A detector that the policy names is not installed.
        """
        self._whole()
        looks = [detector.recheck(frame, covers, known) for detector in self._all]
        return [finding for found, _ in looks for finding in found], " + ".join(engine for _, engine in looks)

    def _whole(self) -> None:
        if self._missing:
            raise CheckNotRun("a detector that the policy names is not installed.", todo="Install it.")


def joined(shipped: Sequence[Detector], policy: Policy) -> tuple[Detector, ...]:
    """The shipped detectors, with those that ``detectors.also`` of the policy names.

    Raises:
        MissingPart: One of them could not be loaded, or adds to no check.
    """
    if not policy.detectors.also:
        return tuple(shipped)
    points = {point.name: point for point in entry_points(group=GROUP)}
    missing = sum(name not in points for name in policy.detectors.also)
    added = [_made(points[name].load, policy) for name in policy.detectors.also if name in points]
    return tuple(Joined(d, [a for a in added if a.name == d.name], missing) for d in shipped)


def _made(load: object, policy: Policy) -> Detector:
    try:
        made = load()(policy)  # type: ignore[operator]
    except Exception as error:  # another package's, and its text may quote anything
        raise MissingPart("a detector that the policy names could not be loaded.") from error
    if made.name not in CONTENT_CHECKS:
        raise MissingPart("a detector that the policy names adds to no check.")
    return cast(Detector, made)
