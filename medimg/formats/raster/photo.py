"""A photo that Pillow decodes at the door; its copy is a PNG of those samples."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from medimg.errors import SAVE_AS_PNG, CheckNotRun, Malformed, TooLarge, Unsupported
from medimg.formats.shared import icc as _icc
from medimg.types import Box, Copy, Cover, Finding, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

ADVICE = SAVE_AS_PNG


class Header(NamedTuple):
    """What is known of a file before it is decoded.

    Attributes:
        name: ``gif``, ``bmp`` or ``jp2``.
        reader: Pillow's name of the format.
        width: Pixels across.
        height: Pixels down.
        findings: Everything in the container that is not the first picture.
        frames: Pictures in the file.
        profile: The embedded colour profile, as it is in the file; empty without one.
        modes: Pillow's modes whose samples are exact -> the mode they are taken in.
    """

    name: str
    reader: str
    width: int
    height: int
    findings: tuple[Finding, ...]
    modes: dict[str, str]
    frames: int = 1
    profile: bytes = b""


def bounded(width: int, height: int, limits: Limits) -> None:
    """Compare a size with the limits.

    Raises:
        Malformed: A side is 0.
        TooLarge: There are more pixels than the policy allows.
    """
    if width <= 0 or height <= 0:
        raise Malformed("the header gives the picture no size.")
    if width * height > limits.pixels:
        raise TooLarge("the picture is larger than the policy allows.")


class Raster:
    """An opened GIF, BMP or JPEG 2000 file; see :class:`medimg.formats.Opened`."""

    orientation = 1

    def __init__(self, data: bytes, header: Header) -> None:
        self.data = data
        self.header = header
        self.name, self.frames = header.name, header.frames
        self.width, self.height = header.width, header.height

    def metadata(self) -> list[Finding]:
        """Kinds and counts of what is not the picture."""
        return list(self.header.findings)

    @cached_property
    def _samples(self) -> NDArray[Any]:
        import numpy as np
        from PIL import Image

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the policy's limits hold
                with Image.open(io.BytesIO(self.data), formats=(self.header.reader,)) as picture:
                    if picture.size != (self.width, self.height):
                        raise Malformed("the picture does not decode to the size it claims.")
                    picture.load()
                    mode = self.header.modes.get(picture.mode, "")
                    if picture.mode == "P":
                        mode = "RGBA" if "transparency" in picture.info else "RGB"
                    if not mode:
                        raise Unsupported("this file has a kind of pixels that is not handled.", todo=ADVICE)
                    pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode)).copy()
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error) as error:
            raise Malformed("the picture cannot be decoded.") from error
        except Image.DecompressionBombError as error:
            raise TooLarge("the picture is larger than the policy allows.") from error
        if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
            pixels[pixels[..., -1] == 0] = 0
        return pixels

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Grey, grey with alpha, RGB or RGBA, uint8; grey of 16 bits uint16.

        Raises:
            CheckNotRun: Another frame than the first.
            Malformed: It cannot be decoded.
            Unsupported: Its samples would be changed.
        """
        if frame:
            raise CheckNotRun("further frames of this file cannot be looked at.")
        return self._samples

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; several where something is transparent."""
        from medimg.formats.shared import views as _views

        return list(_views.of(self.samples(frame), self._profile))

    @property
    def _profile(self) -> bytes | None:
        return _icc.clean(self.header.profile) if self.header.profile else None

    def write(self, covers: Sequence[Cover] = (), *, keep_profile: bool = True, crop: Box | None = None) -> Copy:
        """A PNG of the first picture, exact outside the covers."""
        from medimg.formats import png
        from medimg.redact.cover import clipped, cut, framed, paint

        crop, covers = framed(covers, crop, self.width, self.height)
        samples = cut(self.samples(), crop)
        height, width = samples.shape[:2]
        covered = clipped(covers, width, height)
        profile = self._profile if keep_profile else None
        notes = [
            "format-changed",
            *["frames-dropped"] * (self.frames > 1),
            *["profile-dropped"] * bool(self.header.profile and not profile),
            *["cropped"] * bool(crop),
        ]
        return Copy(
            data=png.encode(paint(samples, covers if covered else ()), icc=profile),
            format=png.NAME,
            suffix=".png",
            width=width,
            height=height,
            method="samples",
            covered=covered,
            notes=tuple(notes),
            cropped=crop,
        )
