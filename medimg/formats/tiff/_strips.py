"""The strips or tiles of a picture: as decoders are given them, and as the copy has them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from medimg.errors import CheckNotRun, Malformed, MedimgError, Unsupported
from medimg.formats.tiff import packed
from medimg.types import Limits

if TYPE_CHECKING:
    from medimg.formats.jpeg import JpegPhoto
    from medimg.formats.tiff.photo import TiffPhoto

FILL_ORDER = 266
FAX_OPTIONS = (292, 293)
SLACK = 8
"""Bytes that hold a part of the picture, beside the code for the end and what fills up the last byte."""


class Strips:
    """What a picture's strips or tiles hold. What was packed but not as JPEG is unpacked, and deflated in the copy."""

    def __init__(self, photo: TiffPhoto) -> None:
        self._photo = photo

    @cached_property
    def _raw(self) -> list[bytes]:
        photo = self._photo
        raw = [photo.data[a : a + n] for a, n in photo.chunks]
        turned = photo.packed_anew and photo.tiff.number(photo.page, FILL_ORDER, 1) == 2
        return [strip.translate(packed.MIRRORED) for strip in raw] if turned else raw

    def _size(self, index: int) -> tuple[int, int, int]:
        """Bytes in a row, bits behind its last pixel, and rows."""
        photo = self._photo
        across, rows = photo.chunk_size(index)
        bits = across * photo.bits[0] * (1 if photo.planes > 1 else photo.tiff.number(photo.page, 277, 1))
        row = -(-bits // 8)
        return row, 8 * row - bits, rows

    @cached_property
    def _inflated(self) -> list[packed.Inflated]:
        sizes = map(self._size, range(len(self._raw)))
        return [packed.inflated(raw, row * rows) for raw, (row, _, rows) in zip(self._raw, sizes, strict=True)]

    @cached_property
    def _unpacked(self) -> list[bytes]:
        """The rows of each strip, as they come out."""
        photo = self._photo
        if photo.compression == "deflate":
            return [i.rows for i in self._inflated]
        if photo.compression != "none":
            return self._by_library()
        out = []
        for index, raw in enumerate(self._raw):
            row, _, rows = self._size(index)
            if len(raw) < row * rows:
                raise Malformed("a strip of the picture ends early.")
            out.append(raw[: row * rows])
        return out

    def _plane(self, start: int, end: int, without: int = 0) -> list[bytes]:
        """The rows of the strips of a plane; ``without`` so many last bytes of each."""
        photo = self._photo
        row, spare, step = self._size(start)
        heights = [self._size(k)[2] for k in range(start, end)]
        fields = {256: row, 257: sum(heights), 258: 8, 259: photo.tiff.number(photo.page, 259, 1), 278: step}
        if photo.compression == "ccitt":
            if photo.bits[0] != 1 or photo.chunk_size(start)[0] != 8 * row - spare:
                raise Unsupported("this TIFF has a kind of pixels that is not handled.")
            options = {tag: photo.tiff.number(photo.page, tag, 0) for tag in FAX_OPTIONS}
            fields |= {256: 8 * row - spare, 258: 1} | options
        whole = packed.by_libtiff([raw[: len(raw) - without] for raw in self._raw[start:end]], fields, row)
        out, at = [], 0
        for height in heights:
            out.append(whole[at : at + row * height])
            at += row * height
        return out

    @cached_property
    def _rows(self) -> list[bytes]:
        """The rows of each strip, nothing behind their last pixels."""
        photo = self._photo
        mirrored = not photo.packed_anew and photo.tiff.number(photo.page, FILL_ORDER, 1) == 2
        row, spare, _ = self._size(0)
        return [packed.without_padding(rows, row, spare, mirrored=mirrored) for rows in self._unpacked]

    @cached_property
    def shown(self) -> list[bytes]:
        """As decoders are given them: without what stands behind the picture, and packed as is said of them."""
        if self._photo.compression == "jpeg":
            return [packed.without_applications(raw) for raw in self._raw]
        return [i.stream for i in self._inflated] if self._photo.compression == "deflate" else self.kept

    @cached_property
    def jpegs(self) -> list[JpegPhoto] | None:
        """Each strip as a JPEG with all its tables; None where one cannot be read to its last symbol.

        Raises:
            CheckNotRun: The symbols of a JPEG cannot be read here.
        """
        from medimg.formats import jpeg

        tables = self._photo.layout.get(347, (7, b"\xff\xd8\xff\xd9"))[1]
        try:
            out = [jpeg.open(tables[:-2] + raw[2:], Limits(bytes=len(tables) + len(raw))) for raw in self.shown]
            for picture in out:
                picture.behind()
        except CheckNotRun:
            raise
        except MedimgError:
            return None
        return out

    @cached_property
    def kept(self) -> list[bytes]:
        """As the copy has them."""
        photo = self._photo
        if photo.compression == "jpeg":
            return [picture.bare() for picture in self.jpegs or ()]
        return packed.all_deflated(self._rows) if photo.packed_anew else self._rows

    def _by_library(self, without: int = 0) -> list[bytes]:
        each = len(self._raw) // self._photo.planes
        planes = [(k * each, (k + 1) * each) for k in range(self._photo.planes)]
        return [rows for start, end in planes for rows in self._plane(start, end, without)]

    def _longer(self) -> bool:
        """Whether bytes stand behind the last codes of a strip."""
        if self._photo.compression == "packbits":
            return any(packed.packbits(raw) != len(rows) for raw, rows in zip(self._raw, self._unpacked, strict=True))
        if all(map(packed.stops, self._raw)):  # else its encoder leaves the code for the end out
            return False
        try:
            return self._by_library(SLACK) == self._unpacked
        except Malformed:
            return False

    @property
    def more(self) -> bool:
        """Whether they hold bytes or bits that are no picture; of a fax it is not known."""
        photo = self._photo
        if photo.compression == "jpeg":
            cut = any(a != b for a, b in zip(self._raw, self.shown, strict=True))
            return cut or any(picture.behind() for picture in self.jpegs or ())
        if photo.compression == "deflate" and any(i.more for i in self._inflated):
            return True
        if photo.compression in ("lzw", "packbits") and self._longer():
            return True
        if photo.compression == "none" and any(len(a) != len(b) for a, b in zip(self._raw, self._rows, strict=True)):
            return True
        return any(a != b for a, b in zip(self._unpacked, self._rows, strict=True))
