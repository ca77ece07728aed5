"""A strict walk of a DICOM file (PS3.5, PS3.10): every length is held against what is there before it is believed.

Bounded in depth, in elements and in inflated bytes. Elements out of order or given twice are refused, because readers
disagree about which one counts.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats.dicom import _tags as t

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END, PADDING = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFCFFFC
LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US")
)  # fmt: skip
MAX_DEPTH = 32
MAX_ELEMENTS = 100_000
HEAD = 132
"""Preamble of 128 bytes and ``DICM``."""


class Element(NamedTuple):
    """One element: where its value stands in the body. ``depth`` is 0 outside sequences."""

    tag: int
    vr: str
    start: int
    end: int
    depth: int


class Mode(NamedTuple):
    """How elements are written."""

    explicit: bool
    little: bool


class Dicom:
    """A file taken apart.

    Attributes:
        body: The bytes the elements stand in: the file, or its inflated data set.
        little: Byte order of numbers in the data set.
        syntax: Transfer syntax UID.
        meta: File meta elements, tag to value.
        top: Elements of the data set, by tag.
        every: All elements, those inside sequences too, in order.
        encapsulated: Whether the pixel data are coded, in fragments.
        fragments: Where those stand, the offset table left out.
        offsets: Where the offset table stands.
    """

    def __init__(self, data: bytes, limits: int) -> None:
        if data[128:HEAD] != b"DICM":
            raise Malformed("the file does not begin like a DICOM file.")
        self.preamble = data[:128]
        self.top: dict[int, Element] = {}
        self.every: list[Element] = []
        self.fragments: list[tuple[int, int]] = []
        self.encapsulated = False
        self.offsets = (0, 0)
        self.tail = 0
        self.body, self.little = data, True
        self.meta: dict[int, bytes] = {}
        at = self._meta()
        self.syntax = self.meta.get(t.SYNTAX, b"").decode("latin-1").strip(" \0")
        if not self.syntax:
            raise Unsupported(
                "the DICOM file does not say how it is written.", todo="Export it from the archive again."
            )
        explicit, self.little = self.syntax != t.IMPLICIT, self.syntax != t.BIG
        if self.syntax == t.DEFLATED:
            self.body, at = _inflated(data[at:], limits), 0
        self._data_set(at, len(self.body), 0, Mode(explicit, self.little), delimited=False)

    # -- values -----------------------------------------------------------------------------------------------------

    def value(self, element: Element) -> bytes:
        """The bytes of a value."""
        return self.body[element.start : element.end]

    def text_of(self, element: Element) -> str:
        """A value as text, without padding."""
        return self.value(element).decode("latin-1").strip(" \0")

    def text(self, tag: int) -> str:
        """The value of a tag of the data set as text; empty when it is not there."""
        return self.text_of(self.top[tag]) if tag in self.top else ""

    def number(self, tag: int, default: int = -1) -> int:
        """The value of a US or one-number IS element.

        Raises:
            Malformed: It is no such number.
        """
        element = self.top.get(tag)
        if element is None or element.start == element.end:
            return default
        raw = self.value(element)
        if t.KEPT[tag] == "US":
            if len(raw) != 2:
                raise Malformed("a number in the DICOM header is damaged.")
            return int.from_bytes(raw, "little" if self.little else "big")
        text = self.text(tag)
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise Malformed("a number in the DICOM header is damaged.")
        return int(text)

    # -- structure --------------------------------------------------------------------------------------------------

    def _meta(self) -> int:
        """The file meta group, always explicit and little-endian (PS3.10, 7.1)."""
        at, last, claimed = HEAD, 0, -1
        while at + 8 <= len(self.body) and self.body[at : at + 2] == b"\2\0":
            tag, _, start, end = self._head(at, len(self.body), Mode(explicit=True, little=True))
            if tag <= last or end < 0:
                raise Malformed("the file header of the DICOM file is damaged.")
            if tag == 0x00020000 and end - start == 4:
                claimed = end + int.from_bytes(self.body[start:end], "little")
            self.meta[tag] = self.body[start:end]
            at, last = end, tag
        if claimed not in (-1, at):
            raise Malformed("the file header of the DICOM file is not as long as it says.")
        return at

    def _head(self, at: int, limit: int, mode: Mode) -> tuple[int, str, int, int]:
        """Tag, representation, start and end of a value; the end is -1 when the length is undefined."""
        order = "<" if mode.little else ">"
        if at + 8 > limit:
            raise Malformed("the DICOM file ends in the middle.")
        group, number = struct.unpack_from(f"{order}HH", self.body, at)
        tag = group << 16 | number
        if group == 0xFFFE or not mode.explicit:
            (length,) = struct.unpack_from(f"{order}I", self.body, at + 4)
            vr, start = ("" if group == 0xFFFE else t.representation(tag)), at + 8
        else:
            code = self.body[at + 4 : at + 6]
            if code in SHORT:
                (length,) = struct.unpack_from(f"{order}H", self.body, at + 6)
                start = at + 8
            elif code in LONG and at + 12 <= limit:
                (length,) = struct.unpack_from(f"{order}I", self.body, at + 8)
                start = at + 12
            else:
                raise Malformed("an element of the DICOM file is of no known kind.")
            vr = code.decode("ascii")
        if length == UNDEFINED:
            return tag, vr, start, -1
        if start + length > limit:
            raise Malformed("an element of the DICOM file is longer than the file.")
        return tag, vr, start, start + length

    def _data_set(self, at: int, limit: int, depth: int, mode: Mode, *, delimited: bool) -> int:
        """Elements up to ``limit``, or up to an end mark when ``delimited``; returns where they end."""
        last = 0
        while delimited or at < limit:
            if depth == 0 and t.PIXELS in self.top and not self.body[at:limit].strip(b"\0"):
                self.tail = limit - at  # some archives fill files up with zeros
                return limit
            tag, vr, start, end = self._head(at, limit, mode)
            if delimited and tag == ITEM_END and start == end:
                return end
            if tag == PADDING and depth == 0 and end == limit:
                return end
            if tag <= last or tag >> 16 in (0, 2, 0xFFFE, 0xFFFF):
                raise Malformed("the elements of the DICOM file are out of order, or something follows them.")
            last = tag
            self._note(Element(tag, vr, start, max(end, start), depth))
            if end < 0 and tag == t.PIXELS and vr in ("OB", "OW", ""):
                at = self._fragments(start, limit, mode, keep=depth == 0)
            elif end < 0 and vr in ("SQ", "UN", ""):
                inner = mode if vr == "SQ" else Mode(explicit=False, little=vr == "UN" or mode.little)
                at = self._sequence(start, limit, depth + 1, inner, delimited=True)
            elif end < 0:
                raise Malformed("an element of the DICOM file has no length.")
            elif vr == "SQ":
                at = self._sequence(start, end, depth + 1, mode, delimited=False)
            else:
                at = end
        return at

    def _note(self, element: Element) -> None:
        if len(self.every) >= MAX_ELEMENTS:
            raise TooLarge("the DICOM file has too many elements.")
        self.every.append(element)
        if element.depth == 0:
            self.top[element.tag] = element

    def _sequence(self, at: int, limit: int, depth: int, mode: Mode, *, delimited: bool) -> int:
        if depth > MAX_DEPTH:
            raise Malformed("the DICOM file is nested too deep.")
        while delimited or at < limit:
            tag, _, start, end = self._head(at, limit, mode)
            if delimited and tag == SEQUENCE_END and start == end:
                return end
            if tag != ITEM:
                raise Malformed("a sequence of the DICOM file is damaged.")
            at = self._data_set(start, limit if end < 0 else end, depth, mode, delimited=end < 0)
        return at

    def _fragments(self, at: int, limit: int, mode: Mode, *, keep: bool) -> int:
        """Encapsulated pixel data (PS3.5, A.4): an offset table, fragments, an end mark."""
        parts: list[tuple[int, int]] = []
        while True:
            tag, _, start, end = self._head(at, limit, mode)
            if tag == SEQUENCE_END and start == end:
                break
            if tag != ITEM or end < 0 or len(parts) >= MAX_ELEMENTS:
                raise Malformed("the pixel data of the DICOM file are damaged.")
            parts.append((start, end))
            at = end
        if not parts:
            raise Malformed("the pixel data of the DICOM file are damaged.")
        if keep:
            self.encapsulated, self.fragments = True, parts[1:]
            self.offsets = parts[0]
        return end


def _inflated(data: bytes, limit: int) -> bytes:
    """A deflated data set (PS3.5, A.5): raw deflate, at most one byte of padding behind it.

    Raises:
        Malformed: It is damaged.
        TooLarge: It inflates to more than ``limit`` bytes.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = stream.decompress(data, limit)
    except zlib.error as error:
        raise Malformed("the DICOM file is deflated, and damaged.") from error
    if stream.unconsumed_tail:
        raise TooLarge("the DICOM file unpacks to more than the policy allows.")
    if not stream.eof or stream.unused_data not in (b"", b"\0"):
        raise Malformed("the DICOM file is deflated, and damaged.")
    return out
