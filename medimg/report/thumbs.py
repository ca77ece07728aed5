"""Small pictures of covered copies for the sheets. They are only ever made from a written copy."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from medimg import geometry
from medimg.types import Limits, Polygon

if TYPE_CHECKING:
    from PIL.Image import Image


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
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        return None
    drawn = _with_pillow(data, long_side) or _with_reader(data)
    if drawn is None:
        return None
    picture, width, height, orientation = drawn
    small = _upright(picture, orientation)
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


def _with_pillow(data: bytes, long_side: int) -> tuple[Image, int, int, int] | None:
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(data))
        width, height = picture.size
        orientation = picture.getexif().get(0x0112, 1)
        picture.draft("RGB", (long_side, long_side))  # a JPEG is decoded small, but no smaller than that
        if picture.mode.startswith(("I", "F")):  # Pillow clips wide samples instead of scaling them
            return None
        return _flat(picture), width, height, orientation if orientation in range(1, 9) else 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _with_reader(data: bytes) -> tuple[Image, int, int, int] | None:
    """Draw a copy that Pillow cannot (HEIC, 16 bits) through medimg's own readers."""
    from PIL import Image

    from medimg import formats
    from medimg.errors import MedimgError

    try:
        opened = formats.open_photo(data, Limits())
        view = next(iter(opened.views()))
        return Image.fromarray(view).convert("RGB"), opened.width, opened.height, opened.orientation
    except (MedimgError, StopIteration, TypeError, ValueError):
        return None


def _flat(picture: Image) -> Image:
    """RGB, on white where the picture is transparent."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        alpha = picture.convert("RGBA")
        alpha.thumbnail((1024, 1024))
        ground = Image.new("RGBA", alpha.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, alpha).convert("RGB")
    picture.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _upright(picture: Image, orientation: int) -> Image:
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return picture.transpose(turn) if turn is not None else picture
