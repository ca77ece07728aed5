"""A paragraph of any letters for a page that is laid out by reportlab's platypus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medimg.report import letters
from medimg.report.letters import bidi
from medimg.report.letters.embed import Ink

if TYPE_CHECKING:
    from reportlab.platypus import Flowable


def paragraph(ink: Ink, words: str, size: float, *, bold: bool = False, before: float = 0) -> Flowable:
    """Words as :func:`medimg.report.letters.shown` gives them, wrapped; from the right where they run from there."""
    from reportlab.platypus import Flowable

    leading, rtl = size + 5, bidi.right_to_left(words)

    class _Lines(Flowable):  # type: ignore[misc] # reportlab has no types
        def __init__(self, lines: Sequence[str] = (), before: float = before) -> None:
            super().__init__()
            self.lines, self.spaceBefore, self.spaceAfter = lines, before, 5

        def wrap(self, width: float, _: float) -> tuple[float, float]:
            self.width = width
            self.lines = self.lines or letters.split(words, size, width, bold=bold)
            return width, leading * len(self.lines)

        def split(self, width: float, height: float) -> list[Any]:
            self.wrap(width, height)
            room = int(height / leading)
            return [_Lines(self.lines[:room]), _Lines(self.lines[room:], 0)] if 0 < room < len(self.lines) else []

        def draw(self) -> None:
            for number, line in enumerate(self.lines, 1):
                right = self.width - letters.width(line, size, bold=bold, rtl=rtl) if rtl else 0
                at = leading * (len(self.lines) - number) + leading - size
                ink.draw(self.canv, right, at, line, size, bold=bold, rtl=rtl)

    return _Lines()
