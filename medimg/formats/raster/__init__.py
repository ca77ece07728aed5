"""GIF, BMP and JPEG 2000: decoded by Pillow, and written as PNG with exactly the pixels that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medimg.errors import NotAPicture

if TYPE_CHECKING:
    from medimg.formats.raster.photo import Raster
    from medimg.types import Limits

NAME = "raster"
MEDIA_TYPES = {".gif": "image/gif", ".bmp": "image/bmp", ".jp2": "image/jp2", ".j2k": "image/j2c"}
WRITES = ("png",)


def kind(head: bytes) -> str:
    """``gif``, ``bmp`` or ``jp2`` by the first bytes; empty for anything else."""
    from medimg.formats.raster import _bmp, _gif, _jp2

    return next((k for k, module in (("gif", _gif), ("bmp", _bmp), ("jp2", _jp2)) if module.sniff(head)), "")


def sniff(head: bytes) -> bool:
    """Whether content starts as one of the three does."""
    return bool(kind(head))


def open(data: bytes, limits: Limits) -> Raster:  # noqa: A001 - the name every format has
    """Read the header; the pixels are decoded later.

    Raises:
        Malformed: The header is damaged.
        TooLarge: The picture or the number of frames is over the limits.
        Unsupported: The pixels would not be decoded exactly.
    """
    from medimg.formats.raster import _bmp, _gif, _jp2
    from medimg.formats.raster.photo import Raster

    match kind(data[:32]):
        case "gif":
            return Raster(data, _gif.header(data, limits))
        case "bmp":
            return Raster(data, _bmp.header(data, limits))
        case "jp2":
            return Raster(data, _jp2.header(data, limits))
    raise NotAPicture("the content is not a picture.")
