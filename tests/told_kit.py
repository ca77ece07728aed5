"""A detector that says what a test tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medimg.types import Finding, Polygon, Region


class Told:
    """A detector that finds what it was told, and in the copy what of ``later`` lies outside the covers."""

    version = "told"

    def __init__(self, name: str, first: Sequence[Finding] = (), later: Sequence[Finding] = ()) -> None:
        self.name, self._first, self._later = name, list(first), list(later)

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return self._first

    def recheck(self, frame: Any, covers: Sequence[Polygon], known: Any = None) -> tuple[list[Finding], str]:
        def hidden(finding: Finding) -> bool:
            boxes = [Region(frame.upright(c)).box for c in covers]
            return finding.region is not None and any(
                b.overlap(finding.region.box) >= 0.95 * finding.region.box.area for b in boxes
            )

        return [f for f in self._later if not hidden(f)], "told"
