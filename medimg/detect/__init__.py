"""Detectors: one file each, plus its name in :data:`DETECTORS`.

A detector looks at a :class:`Frame` and returns findings whose regions it makes with :meth:`Frame.region`.
It holds its models, is made once per process (``make(policy)`` in its module) and is safe to call from one
thread at a time; two detectors may look at one frame at the same time. Any exception it raises means *the check did
not run*, and the photo is held.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from medimg import geometry
from medimg.detect.answers import Answers
from medimg.detect.shrink import shrunk
from medimg.native.opencv import cv2
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon, Region
from medimg.vocabulary import CONTENT_CHECKS

if TYPE_CHECKING:
    from medimg.policy import Policy

DETECTORS: tuple[str, ...] = CONTENT_CHECKS

Pixels = NDArray[np.uint8]

LIKE_A_COVER = 0.0
"""Score of a bar that no network sees a face round and that is of one grey throughout, as a cover is. The person who
looks at a photo is asked about it; in a finished copy, where covers are expected, it is none that is left to cover."""

_FROM = {1280: 2400, 1200: 2400, 640: 1600, 600: 1200, 320: 600, 160: 320, 140: 320, 96: 160, 64: 160}
"""Which level of the pyramid another one is shrunk from, by their longer sides in pixels; the rest from full size. An
area filter over 12 MP is paid for twice only, and a level is the same whoever asks for it first."""

_TURN = {
    2: lambda a: cv2.flip(a, 1),
    3: lambda a: cv2.flip(a, -1),
    4: lambda a: cv2.flip(a, 0),
    5: lambda a: cv2.transpose(a),
    6: lambda a: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE),
    7: lambda a: cv2.flip(cv2.transpose(a), -1),
    8: lambda a: cv2.rotate(a, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""By EXIF orientation; copies made by cv2 take 17 ms for 12 MP, numpy's 66."""


class Frame:
    """One picture as a person sees it, with a resize pyramid that all detectors share.

    Attributes:
        rgb: Upright pixels at full size, uint8, (H, W, 3), contiguous.
        index: Which frame of the file.
        answers: What networks said of pictures of this photo.
    """

    def __init__(
        self, stored: NDArray[Any], orientation: int = 1, index: int = 0, answers: Answers | None = None
    ) -> None:
        self._stored_size = (int(stored.shape[1]), int(stored.shape[0]))
        self._orientation = orientation
        turn = _TURN.get(orientation)
        stored = np.ascontiguousarray(stored)
        upright: NDArray[Any] = np.asarray(turn(stored)) if turn else stored
        # cv2 drops a last axis of one sample.
        self.rgb: Pixels = upright.reshape(*upright.shape[:2], *stored.shape[2:])
        self.index = index
        self.answers = answers or Answers()
        self._scaled: dict[int, Pixels] = {}
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        self._making = threading.RLock()

    @property
    def width(self) -> int:
        """Upright pixels across."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Upright pixels down."""
        return int(self.rgb.shape[0])

    def scaled(self, long_side: int) -> tuple[Pixels, float]:
        """The frame with its longer side at most ``long_side`` pixels, and the factor (<= 1) it was shrunk by."""
        factor = min(1.0, long_side / max(self.width, self.height))
        if factor == 1.0:
            return self.rgb, 1.0
        with self._lock:
            if long_side not in self._scaled:
                source = self.scaled(_FROM[long_side])[0] if long_side in _FROM else self.rgb
                size = (max(1, round(self.width * factor)), max(1, round(self.height * factor)))
                self._scaled[long_side] = shrunk(source, *size)
            return self._scaled[long_side], factor

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` returns, made for the first detector that asks and kept for the others."""
        with self._making:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def region(self, upright: Polygon) -> Region:
        """A region from upright full-size coordinates."""
        return Region(geometry.to_stored(upright, *self._stored_size, self._orientation), self.index)

    def upright(self, stored: Polygon) -> Polygon:
        """Upright coordinates of a stored polygon."""
        return geometry.to_upright(stored, *self._stored_size, self._orientation)


class Detector(Protocol):
    """What ``make(policy)`` of a detector module returns."""

    name: str
    version: str
    """Engine, version and model digests: goes into the report."""

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
        """Everything found, harmless things included (their category says so)."""
        ...

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        """Look at the written copy.

        Args:
            frame: The copy, decoded from disk.
            covers: What was filled, in upright coordinates.
            known: As for :meth:`find`.

        Returns:
            What is found outside the covers, and the name of the engine that looked
            (a second, independent one where there is one).
        """
        ...


def make(name: str, policy: Policy) -> Detector:
    """Load a detector and its models.

    Raises:
        MissingPart: A model or package is not there, or its digest is wrong.
    """
    return cast(Detector, importlib.import_module(f"medimg.detect.{name}").make(policy))
