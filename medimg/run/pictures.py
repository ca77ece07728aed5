"""A written copy, or a picture that may be one, drawn small: for the sheets, and to know it again."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from medimg.errors import CheckNotRun
from medimg.system import files
from medimg.types import Limits

if TYPE_CHECKING:
    from PIL.Image import Image


READ = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "AVIF")
"""The formats that medimg writes copies in, or that one is saved again in. Pillow reads dozens more, in code that is
little used, and starts Ghostscript for one of them."""


def draw(data: bytes, long_side: int) -> tuple[Image, int, int, int] | None:
    """A picture as RGB, its stored width and height and its EXIF orientation; None when it cannot be drawn here.

    Args:
        data: The file.
        long_side: What is needed, in pixels; a JPEG is decoded smaller where that is enough.
    """
    return _with_pillow(data, long_side) or _with_reader(data)


def before(path: bytes, limits: Limits) -> bytes:
    """An original as a person sees it, as a JPEG without metadata; for a worker, because the file is anybody's.

    Raises:
        MedimgError: It cannot be read or decoded.
    """
    from PIL import Image

    from medimg import formats

    opened = formats.open_photo(files.read_original(Path(os.fsdecode(path)), limits.bytes), limits)
    view = next(iter(opened.views()), None)
    if view is None:
        raise CheckNotRun("this picture cannot be shown.")
    out = io.BytesIO()
    upright(Image.fromarray(view).convert("RGB"), opened.orientation).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def _with_pillow(data: bytes, long_side: int) -> tuple[Image, int, int, int] | None:
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(data), formats=READ)
        width, height = picture.size
        orientation = picture.getexif().get(0x0112, 1)
        picture.draft("RGB", (long_side, long_side))  # a JPEG is decoded small, but no smaller than that
        if picture.mode.startswith(("I", "F")):  # Pillow clips wide samples instead of scaling them
            return None
        return _flat(picture), width, height, orientation if orientation in range(1, 9) else 1
    except Exception:  # noqa: BLE001 - decoders raise whatever they stumble on; the file is anybody's
        return None


def _with_reader(data: bytes) -> tuple[Image, int, int, int] | None:
    """Draw a copy that Pillow cannot (HEIC, 16 bits) through medimg's own readers."""
    from PIL import Image

    from medimg import formats

    try:
        opened = formats.open_photo(data, Limits())
        view = next(iter(opened.views()))
        return Image.fromarray(view).convert("RGB"), opened.width, opened.height, opened.orientation
    except Exception:  # noqa: BLE001 - as above
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


def upright(picture: Image, orientation: int) -> Image:
    """A picture turned as its EXIF orientation (1 to 8) says."""
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
