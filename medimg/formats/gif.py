"""GIF, still and animated (GIF89a specification, CompuServe 1990).

Without covers the code stream of the first picture is copied; a first picture that is only part of its screen, or
in which something hides, is packed again. Where the palette has no room for the covers' colour, it is a PNG.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, TooLarge
from medimg.formats import _gif_blocks, _icc, _lzw, _trailing, _xmp
from medimg.formats._gif_blocks import Extension, Picture
from medimg.types import Box, Copy, Cover, Finding, Kind, Limits, Secret

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats._palette import Palette

NAME = "gif"
DETECTOR = "gif reader"
LOOKED_INTO, XMP_LIMIT, SECRET_LIMIT = 200, 4 << 20, 4096
"""Extensions of one file that are looked into, most bytes of an XMP packet, and of a text kept in memory."""
LACES = ((0, 8), (4, 8), (2, 4), (1, 2))
"""First row and row step of the four passes (appendix E)."""


def sniff(head: bytes) -> bool:
    """Whether content starts with a GIF signature."""
    return head[:6] in (b"GIF87a", b"GIF89a")


def open(data: bytes, limits: Limits) -> Gif:  # noqa: A001 - the name every format module has
    """Walk every block.

    Raises:
        Malformed: A block is damaged, or the trailer is missing.
        TooLarge: The screen or the number of pictures is over the limits.
    """
    return Gif(data, limits)


class Gif:
    """A parsed GIF file."""

    name = NAME
    orientation = 1

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.screen = _gif_blocks.read(data, limits.frames)
        self.width, self.height = self.screen.width, self.screen.height
        if self.width * self.height > limits.pixels:
            raise TooLarge("the picture is larger than the policy allows.")
        self.frames = len(self.screen.pictures)

    @property
    def first(self) -> Picture:
        """The picture that is copied."""
        return self.screen.pictures[0]

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Blocks and bytes that are not the first picture; see :class:`medimg.formats.Opened`."""
        found: list[Finding] = []
        for extension in self.screen.extensions[:LOOKED_INTO]:
            found += self._extension(extension)
        if more := len(self.screen.extensions[LOOKED_INTO:]):
            found.append(_finding("unknown-block", "extension", count=more))
        if self.frames > 1:
            found.append(_finding("extra-frames", "image 2...", kind="hidden-image", count=self.frames - 1))
        if self.first.palette and self.screen.palette:
            found.append(_finding("unused-palette", "global palette"))
        if self._unpacked.surplus:
            found.append(_finding("trailing-bytes", "image 1/after the picture"))
        if self._palette.mixed or self._palette.veiled:
            found.append(_finding("hidden-pixels", "image 1/equal colours", kind="hidden-image"))
        if self._palette.unused:
            found.append(_finding("unused-palette", "palette"))
        return found + _trailing.finding(self.data, self.screen.end, "after the trailer", DETECTOR)

    def _extension(self, e: Extension) -> list[Finding]:
        if e.label == 0xFE:
            return [_finding("comment", "comment", value=(e.first + e.rest)[:SECRET_LIMIT].decode("latin-1"))]
        if e.label == 0x01:
            return [_finding("comment", "plain text", value=e.rest[:SECRET_LIMIT].decode("latin-1"))]
        if e.label != 0xFF:
            return [_finding("unknown-block", "extension")]
        match e.first[:11]:
            case b"NETSCAPE2.0" | b"ANIMEXTS1.0":
                return [_finding("animation-loop", "application/loop")]
            case b"XMP DataXMP":
                # The packet is not cut into sub-blocks; walking it as if it were loses the bytes taken for lengths.
                start = e.begin + 14
                end = self.data.find(b"\x01\xff\xfe\xfd", start, start + XMP_LIMIT)
                found = _xmp.findings(self.data[start : max(end, start)], "application/XMP")
                return found or [_finding("xmp", "application/XMP")]
            case b"ICCRGBG1012":
                where = "application/ICC"
                return _icc.findings(e.rest, where) or [_finding("colour-profile-text", where)]
            case b"C2PA_GIF\x01\x00\x00":
                return [_finding("content-credential", "application/C2PA")]
        return [_finding("unknown-block", "application")]

    # -- pixels -----------------------------------------------------------------------------------------------------

    @cached_property
    def _unpacked(self) -> _lzw.Unpacked:
        return _lzw.unpack(self.first.stream, self.first.code_size, self.first.width * self.first.height)

    @cached_property
    def _indices(self) -> NDArray[Any]:
        """Palette indices of the first picture alone, in order of rows."""
        import numpy as np

        p = self.first
        stored = np.frombuffer(self._unpacked.pixels, np.uint8).reshape(p.height, p.width)
        if not p.interlaced:
            return stored
        out, at = np.empty_like(stored), 0
        for start, step in LACES:
            rows = len(range(start, p.height, step))
            out[start::step] = stored[at : at + rows]
            at += rows
        return out

    @cached_property
    def _palette(self) -> Palette:
        from medimg.formats import _palette

        colours = self.first.palette or self.screen.palette
        hole = self.first.transparent
        trns = b"\xff" * hole + b"\0" if 0 <= hole < len(colours) // 3 else b""
        return _palette.read(colours, trns, self._indices)

    @property
    def _fills(self) -> bool:
        return (self.first.width, self.first.height) == (self.width, self.height)

    @cached_property
    def _seen(self) -> NDArray[Any]:
        import numpy as np

        colours = self._palette.colours(self._indices)
        if self._fills:
            return colours
        out = np.zeros((self.height, self.width, 4), np.uint8)
        part = out[self.first.y : self.first.y + self.first.height, self.first.x : self.first.x + self.first.width]
        part[..., : colours.shape[2]] = colours
        if colours.shape[2] == 3:
            part[..., 3] = 255
        return out

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """The first picture on its screen: RGB, or RGBA where something is not drawn; uint8."""
        self._only_first(frame)
        return self._seen

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; two where something is transparent."""
        from medimg.formats import _views

        return list(_views.of(self.samples(frame)))

    def _only_first(self, frame: int) -> None:
        if frame:
            raise CheckNotRun("further frames of an animated GIF file cannot be looked at.")

    # -- the copy ---------------------------------------------------------------------------------------------------

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,  # noqa: ARG002 - there is none
        crop: Box | None = None,
    ) -> Copy:
        """The first picture with the palette entries it uses."""
        from medimg.redact.cover import clipped, framed

        crop, covers = framed(covers, crop, self.width, self.height)
        width, height = (crop.width, crop.height) if crop else (self.width, self.height)
        covered = clipped(covers, width, height)
        notes: tuple[str, ...] = ("frames-dropped",) * (self.frames > 1) + ("cropped",) * bool(crop)
        method, name = "samples", NAME
        if covered or crop or not self._fills or self._palette.mixed or self._unpacked.surplus:
            packed = self._anew(covers if covered else (), crop)
            if packed is None:
                data, name = self._as_png(covers if covered else (), crop), "png"
                notes += ("format-changed",)
            else:
                data = packed
        else:
            data, method = self._verbatim(), "segment-copy"
        return Copy(
            data=data,
            format=name,
            suffix=f".{name}",
            width=width,
            height=height,
            method=method,
            covered=covered,
            notes=notes,
            cropped=crop,
        )

    def _verbatim(self) -> bytes:
        colours, hole = _table(self._palette)
        first = self.first
        size = (self.width, self.height)
        return _gif_blocks.file(
            size, colours, first.code_size, first.stream, transparent=hole, interlaced=first.interlaced
        )

    def _anew(self, covers: Sequence[Cover], crop: Box | None) -> bytes | None:
        """Packed again, in place on its screen; None when the palette has no room for the covers or transparency."""
        import numpy as np

        from medimg.formats import _palette
        from medimg.redact.cover import colour_of, cut, paint

        palette = self._palette
        indices, table, colour = palette.first.astype(np.uint8)[self._indices], palette.clean(), 0
        if not self._fills:
            room = _palette.with_colour(table, palette, (0, 0, 0, 0))
            if room is None:
                return None
            table, hole = room
            screen = np.full((self.height, self.width), hole, np.uint8)
            y, x = self.first.y, self.first.x
            screen[y : y + self.first.height, x : x + self.first.width] = indices
            indices = screen
            palette = _palette.read(*_palette.chunks(table), indices)
        if covers:
            room = _palette.with_colour(table, palette, (*colour_of(covers), 255))
            if room is None:
                return None
            table, colour = room
        painted = paint(cut(indices, crop), covers, colour=colour)
        # A cover or crop may take away the last pixels of a colour; its entry goes too.
        left = _palette.read(*_palette.chunks(table), painted)
        colours, hole = _table(left)
        code_size = max(2, (len(colours) // 3 - 1).bit_length())
        stream = _lzw.pack(painted.tobytes(), code_size)
        size = (painted.shape[1], painted.shape[0])
        return _gif_blocks.file(size, colours, code_size, stream, transparent=hole, interlaced=False)

    def _as_png(self, covers: Sequence[Cover], crop: Box | None) -> bytes:
        from medimg.formats import png
        from medimg.redact.cover import cut, paint

        return png.encode(paint(cut(self.samples(), crop), covers))


def _table(palette: Palette) -> tuple[bytes, int]:
    """RGB triples of the entries in use, and the index of the transparent one."""
    import numpy as np

    table = palette.clean()
    holes = np.flatnonzero(table[:, 3] == 0)
    return np.ascontiguousarray(table[:, :3]).tobytes(), int(holes[0]) if len(holes) else -1


def _finding(category: str, where: str, *, kind: Kind = "metadata", count: int = 1, value: str = "") -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR, secret=Secret(value))
