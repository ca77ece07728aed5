"""BMP (Windows SDK, "Bitmap Storage"): 1 to 32 bits, palettes, run-length packing, all header versions.

The copy holds the pixels as they are, behind the smallest header that describes them; run-length packed
pictures become plain rows.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun
from medimg.formats import _bmp_header, _icc, _trailing
from medimg.types import Box, Copy, Cover, Finding, Kind, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats._palette import Palette

NAME = "bmp"
DETECTOR = "bmp reader"


def sniff(head: bytes) -> bool:
    """Whether content starts as a BMP file does: ``BM`` and the size of a known header."""
    return head[:2] == b"BM" and len(head) >= 18 and struct.unpack_from("<I", head, 14)[0] in _bmp_header.SIZES


def open(data: bytes, limits: Limits) -> Bmp:  # noqa: A001 - the name every format module has
    """Read the headers.

    Raises:
        Malformed: A field is out of range, or the file is too short.
        TooLarge: The picture is over ``limits.pixels``.
        Unsupported: The pixels are packed in a way that is not handled.
    """
    return Bmp(data, limits)


class Bmp:
    """A parsed BMP file."""

    name = NAME
    frames = 1
    orientation = 1

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.header = _bmp_header.read(data, limits.pixels)
        self.width, self.height = self.header.width, self.header.height

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Fields and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        from medimg.formats import _bmp_pixels

        head, data = self.header, self.data
        values, padded, end = self._stored
        found: list[Finding] = []
        if head.spare:
            found.append(_finding("unknown-block", "header/spare fields"))
        if data[14:18] == b"\x7c\0\0\0" and data[70:74] == b"KNIL":
            found.append(_finding("colour-profile-text", "header/linked profile"))
        if data[head.header_end : head.start].strip(b"\0"):
            found.append(_finding("unknown-block", "before the pixels"))
        if padded:
            found.append(_finding("padding-bits", "pixels/row ends"))
        if _bmp_pixels.spare_bits(values, head):
            found.append(_finding("padding-bits", "pixels/spare bits"))
        if _bmp_pixels.hidden(values, head) or (head.depth <= 8 and self._palette.mixed):
            found.append(_finding("hidden-pixels", "pixels/equal colours", kind="hidden-image"))
        if head.depth <= 8 and self._palette.unused:
            found.append(_finding("unused-palette", "palette"))
        start, stop = head.profile
        if stop:
            profile = data[start:stop]
            if profile != self._profile:
                found += _icc.findings(profile, "profile") or [_finding("colour-profile-text", "profile")]
            if data[end : max(start, end)]:
                found.append(_finding("unknown-block", "before the profile"))
        return found + _trailing.finding(data, max(end, stop), "after the pixels", DETECTOR)

    # -- pixels -----------------------------------------------------------------------------------------------------

    @cached_property
    def _stored(self) -> tuple[NDArray[Any], bool, int]:
        from medimg.formats import _bmp_pixels

        return _bmp_pixels.unpacked(self.data, self.header)

    @cached_property
    def _palette(self) -> Palette:
        from medimg.formats import _palette

        raw = self.header.palette
        table = b"".join(raw[k : k + 3][::-1] for k in range(0, len(raw), 4))
        return _palette.read(table, b"", self._stored[0])

    @cached_property
    def _seen(self) -> NDArray[Any]:
        from medimg.formats import _bmp_pixels

        values = self._stored[0]
        pixels = self._palette.colours(values) if self.header.depth <= 8 else _bmp_pixels.colours(values, self.header)
        return pixels if self.header.top_down else pixels[::-1].copy()

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """RGB samples, or RGBA where something is not opaque; uint8. Smaller channels are scaled to 0..255."""
        if frame:
            raise CheckNotRun("a BMP file has one picture.")
        return self._seen

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; two where alpha may hide something."""
        from medimg.formats import _views

        return list(_views.of(self.samples(frame)))

    # -- the copy ---------------------------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> bytes:
        start, stop = self.header.profile
        return (_icc.clean(self.data[start:stop]) or b"") if stop else b""

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The pixels behind a small header, with the cleaned profile."""
        from medimg.formats import _bmp_pixels
        from medimg.redact.cover import clipped, framed

        head = self.header
        crop, covers = framed(covers, crop, self.width, self.height)
        width, height = (crop.width, crop.height) if crop else (self.width, self.height)
        covered = clipped(covers, width, height)
        values, padded, _ = self._stored
        method = "samples"
        notes: tuple[str, ...] = ()
        plain = head._replace(packing=_bmp_header.RGB, palette=b"", spare=False)
        if covered or crop or head.depth <= 8:
            plain, rows, notes = self._anew(covers if covered else (), crop)
            same = not (covered or crop) and head.packing == _bmp_header.RGB and not padded and not self._palette.mixed
            method = "segment-copy" if same else method
        else:
            rows = _bmp_pixels.packed(_bmp_pixels.without_spare(values, head), head.depth)
            if not (padded or _bmp_pixels.spare_bits(values, head) or _bmp_pixels.hidden(values, head)):
                method = "segment-copy"
        return Copy(
            data=_bmp_header.file(plain, rows, self._profile if keep_profile else b""),
            format=NAME,
            suffix=".bmp",
            width=width,
            height=height,
            method=method,
            covered=covered,
            notes=(*notes, "cropped") if crop else notes,
            cropped=crop,
        )

    def _anew(self, covers: Sequence[Cover], crop: Box | None) -> tuple[_bmp_header.Header, bytes, tuple[str, ...]]:
        """Header and rows with the covers filled, and palettes without what the picture does not use."""
        import numpy as np

        from medimg.formats import _bmp_pixels, _palette
        from medimg.redact.cover import colour_of, cut, paint

        head = self.header
        plain = head._replace(packing=_bmp_header.RGB, palette=b"", spare=False)
        values = self._stored[0]
        upright = cut(values if head.top_down else values[::-1], crop)
        plain = plain._replace(width=upright.shape[1], height=upright.shape[0])
        if head.depth > 8:
            clean = _bmp_pixels.without_spare(upright, head)
            painted = paint(clean, covers, colour=_bmp_pixels.stored_colour(colour_of(covers), head))
            return plain, _bmp_pixels.packed(painted if head.top_down else painted[::-1], head.depth), ()
        palette = self._palette
        indices, table, colour = palette.first.astype(np.uint8)[upright], palette.clean(), 0
        depth = head.depth
        if covers:
            room = _palette.with_colour(table, palette, (*colour_of(covers), 255))
            if room is None:
                painted = np.ascontiguousarray(paint(cut(self._seen, crop), covers)[..., ::-1])
                plain = plain._replace(depth=24)
                return plain, _bmp_pixels.packed(painted if head.top_down else painted[::-1], 24), ("palette-replaced",)
            table, colour = room
            depth = next(d for d in (depth, 4, 8) if d >= depth and len(table) <= 1 << d)
        painted = paint(indices, covers, colour=colour)
        # A cover or crop may take away the last pixels of a colour; its entry goes too.
        left = _palette.read(*_palette.chunks(table), painted).clean()
        entries = np.zeros((len(left), 4), np.uint8)
        entries[:, :3] = left[:, 2::-1]
        plain = plain._replace(depth=depth, palette=entries.tobytes())
        return plain, _bmp_pixels.packed(painted if head.top_down else painted[::-1], depth), ()


def _finding(category: str, where: str, *, kind: Kind = "metadata") -> Finding:
    return Finding(kind=kind, category=category, where=where, detector=DETECTOR)
