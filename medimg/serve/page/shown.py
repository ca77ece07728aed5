"""The pictures that the page shows of a run."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from medimg.errors import UsageError
from medimg.run import pictures
from medimg.run import squares as parts
from medimg.run.opened import OpenRun
from medimg.system import files

if TYPE_CHECKING:
    from PIL.Image import Image

SMALL = 176
"""Longest side of a small picture, in pixels: 88 points on a screen that has two pixels for each."""
SHOWN = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""Formats that every browser shows as they are; a copy in another one is drawn for the look."""
_ALL = 1 << 30
"""A longest side that makes no picture smaller."""


def path_of(opened: OpenRun, safe_id: str) -> Path | None:
    """Where the copy of a photo lies."""
    return next((opened.copy_of(r) for r in opened.reports if r.safe_id == safe_id), None)


def copy(opened: OpenRun, safe_id: str) -> tuple[bytes, str]:
    """A copy as a browser can show it, and its media type.

    Raises:
        UsageError: There is none.
    """
    report = next((r for r in opened.reports if r.safe_id == safe_id), None)
    path = opened.copy_of(report) if report else None
    if report is None or report.copy is None or path is None:
        raise UsageError("this photo has no copy.")
    if hashlib.sha256(data := held(path)).hexdigest() != report.copy.sha256:
        raise UsageError("this is not the copy that was checked.", todo="Clean the photo again.")
    if report.copy.format in SHOWN:
        return data, SHOWN[report.copy.format]
    out = io.BytesIO()
    _drawn(data, _ALL).save(out, "PNG")
    return out.getvalue(), "image/png"


def small(path: Path | None) -> bytes:
    """A copy in small, as JPEG.

    Raises:
        UsageError: There is none, or it cannot be shown.
    """
    picture, out = _drawn(held(path) if path is not None else b"", SMALL), io.BytesIO()
    picture.thumbnail((SMALL, SMALL))
    picture.save(out, "JPEG")
    return out.getvalue()


def squares(data: bytes) -> str:
    """The squares of a copy, one digit each, row by row: how much of a square has to be seen.

    0 has to be seen at full size, 1 lies inside a large plain area and may be seen at half, 2 is of one colour.

    Raises:
        UsageError: It cannot be drawn here.
    """
    import numpy as np

    seen = np.asarray(_drawn(data, _ALL))
    pairs = zip(parts.plain(seen), parts.blank(seen), strict=True)
    return "".join("2" if blank else str(plain) for plain, blank in pairs)


def held(path: Path) -> bytes:
    """The bytes of a copy in the run.

    Raises:
        UsageError: It is not there, or no file.
    """
    try:
        return files.read_own(path)
    except OSError as error:
        raise UsageError("the copy is not where it was written.", todo="Look at: medimg status RUN.") from error


def _drawn(data: bytes, side: int) -> Image:
    drawn = pictures.draw(data, side)
    if drawn is None:
        raise UsageError("this copy cannot be shown here.", todo="Open it in another program.")
    return pictures.upright(drawn[0], drawn[3])
