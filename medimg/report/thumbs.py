"""Small pictures of covered copies for the sheets. They are only ever made from a written copy."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from medimg import geometry
from medimg.run import pictures
from medimg.system import files
from medimg.types import Polygon


class Thumb(msgspec.Struct, frozen=True, kw_only=True):
    """A small upright JPEG as a data URI, with the copy's own size and orientation."""

    uri: str
    width: int
    height: int
    stored_width: int
    stored_height: int
    orientation: int

    def outline(self, polygon: Polygon) -> str:
        """Points of a stored polygon in the small picture, as SVG writes them."""
        upright = geometry.to_upright(polygon, self.stored_width, self.stored_height, self.orientation)
        across, down = geometry.upright_size(self.stored_width, self.stored_height, self.orientation)
        return " ".join(f"{x * self.width / across:.1f},{y * self.height / down:.1f}" for x, y in upright)


@contextmanager
def quiet() -> Iterator[None]:
    """No warning about large pictures while small ones are drawn; entered once, not by every thread."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def thumbnail(path: Path, sha256: str, *, long_side: int = 320, quality: int = 72) -> Thumb | None:
    """A small picture of a written copy; None when the file is gone, changed, or cannot be drawn here.

    Args:
        path: The copy.
        sha256: The digest its report gives; a file with another digest is not shown.
        long_side: Longest side in pixels.
        quality: JPEG quality.
    """
    try:
        data = files.read_own(path)
    except (OSError, ValueError):  # ValueError: a name no file can have, in a record that was edited
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        return None
    drawn = pictures.draw(data, long_side)
    if drawn is None:
        return None
    picture, width, height, orientation = drawn
    small = pictures.upright(picture, orientation)
    small.thumbnail((long_side, long_side))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality, optimize=True)
    return Thumb(
        uri="data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii"),
        width=small.width,
        height=small.height,
        stored_width=width,
        stored_height=height,
        orientation=orientation,
    )
