"""How the page shows the covers: their colour before the copy that gets it is made, and the blocks of a JPEG copy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from medimg import geometry
from medimg.covers import covers
from medimg.desktop.session import Session
from medimg.errors import MedimgError
from medimg.types import BLACK, Colour, Plan, Polygon
from medimg.vocabulary import FormatName


class CoverColour:
    """Has the colour chosen anew when other areas are covered; until it is there, the one before is shown.

    Args:
        changed: Called when another colour came.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._safe_id = ""
        self._colour: Colour = BLACK
        self._of: object = None

    def begin(self, safe_id: str) -> None:
        """Another photo is shown."""
        self._safe_id, self._colour, self._of = safe_id, BLACK, None

    def known(self, session: Session, plan: Plan, colour: Colour) -> None:
        """The colour came with the picture."""
        self._colour, self._of = colour, covers(plan, session.policy)

    def want(self, session: Session, plan: Plan) -> None:
        """Have it chosen for what this plan covers, unless that was done."""
        wanted = covers(plan, session.policy)
        if wanted == self._of:
            return
        self._of = wanted
        if session.colour_seen(self._safe_id) is None:
            session.colour_to_be(self._safe_id, partial(self._came, self._safe_id, wanted))

    def _came(self, safe_id: str, wanted: object, colour: Colour | MedimgError) -> None:
        # A fault is said when the copy is made.
        if safe_id == self._safe_id and wanted == self._of and not isinstance(colour, MedimgError):
            self._colour = colour
            self._changed()

    def now(self, session: Session | None) -> Colour:
        """As it is known by now."""
        seen = session.colour_seen(self._safe_id) if session else None
        return seen if seen is not None else self._colour


def filled_blocks(session: Session, safe_id: str) -> list[Polygon] | None:
    """What a JPEG copy that shows the present decisions really has covered, in stored pixels: whole blocks."""
    report = session.report(safe_id)
    made = report.copy
    if made is None or not session.unchanged(safe_id) or {report.format, made.format} != {FormatName.JPEG}:
        return None
    left, top = (made.cropped.x0, made.cropped.y0) if made.cropped else (0, 0)
    return [geometry.moved(p, left, top) for p in made.covered]
