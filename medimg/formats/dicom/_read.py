"""DICOM files (PS3.5, PS3.10), read by pydicom and held against their bytes.

pydicom passes over much: what is cut short, given twice, out of order or behind the end. Here the sizes of all that it
read must add up to those of the file, each tag must be greater than the one before it, and the number of elements, the
depth and the inflated bytes are bounded. Otherwise the file is refused, because readers disagree about what counts.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from medimg.formats.dicom._quiet import quiet  # isort: skip # before pydicom is loaded

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments
from pydicom.filereader import read_dataset, read_sequence
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats.dicom import _tags as t

T = TypeVar("T")

UNDEFINED = 0xFFFFFFFF
PADDING = 0xFFFCFFFC
MAX_DEPTH = 32
MAX_PARTS = 200_000
"""Elements and items of sequences."""
HEAD = 132
"""Preamble of 128 bytes and ``DICM``."""
END_MARK = 8
"""Bytes of the mark that ends a sequence or an item without a length."""
_FAULTS = (OSError, EOFError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, struct.error)
"""What pydicom raises where it cannot go on. Its messages quote the file, so they are not passed on."""


class Element(NamedTuple):
    """One element: its value as it stands in the file, empty for a sequence without a length; depth 0 is outside them.

    ``vr`` is empty where neither the file nor the dictionary says what a tag holds.
    """

    tag: int
    vr: str
    value: bytes
    depth: int


class Dicom:
    """A file taken apart.

    Attributes:
        little: Byte order of numbers in the data set.
        syntax: Transfer syntax UID.
        meta: File meta elements, tag to value.
        top: Elements of the data set, by tag.
        every: All elements, those inside sequences too, in order.
        encapsulated: Whether the pixel data are coded, in fragments.
        fragments: Those, the offset table left out.
        offsets: The offset table.
        tail: Zero bytes behind the data set.
    """

    def __init__(self, data: bytes, limits: int) -> None:
        if data[128:HEAD] != b"DICM":
            raise Malformed("the file does not begin like a DICOM file.")
        self.preamble = data[:128]
        self.meta, at = meta(data)
        self._check_meta(at)
        self.syntax = self.meta.get(t.SYNTAX, b"").decode("latin-1").strip(" \0")
        if not self.syntax:
            raise Unsupported(
                "the DICOM file does not say how it is written.", todo="Export it from the archive again."
            )
        self.little = self.syntax != t.BIG
        body = data
        if self.syntax == t.DEFLATED:
            body, at = _inflated(data[at:], limits), 0
        source = _Source(body)
        found, end = _read(source, at, implicit=self.syntax == t.IMPLICIT, little=self.little, only_meta=False)
        self.every = [e for e in _elements(found, source, 0) if e.tag != PADDING]
        self.top = {e.tag: e for e in self.every if e.depth == 0}
        self.tail = len(body) - end
        if body[end:].strip(b"\0") or (self.tail and t.PIXELS not in self.top):
            raise Malformed("the elements of the DICOM file are out of order, or something follows them.")
        self.fragments: list[bytes] = []
        self.offsets = b""
        pixels = found.get_item(t.PIXELS, keep_deferred=True) if t.PIXELS in self.top else None
        self.encapsulated = isinstance(pixels, RawDataElement) and pixels.length == UNDEFINED
        if self.encapsulated:
            self.offsets, *self.fragments = _fragments(self.top[t.PIXELS].value)

    # -- values -----------------------------------------------------------------------------------------------------

    def text_of(self, element: Element) -> str:
        """A value as text, without padding."""
        return element.value.decode("latin-1").strip(" \0")

    def text(self, tag: int) -> str:
        """The value of a tag of the data set as text; empty when it is not there."""
        return self.text_of(self.top[tag]) if tag in self.top else ""

    def number(self, tag: int, default: int = -1) -> int:
        """The value of a US or one-number IS element.

        Raises:
            Malformed: It is no such number.
        """
        element = self.top.get(tag)
        if element is None or not element.value:
            return default
        if t.KEPT[tag] == "US":
            if len(element.value) != 2:
                raise Malformed("a number in the DICOM header is damaged.")
            return int.from_bytes(element.value, "little" if self.little else "big")
        text = self.text(tag)
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise Malformed("a number in the DICOM header is damaged.")
        return int(text)

    def _check_meta(self, end: int) -> None:
        """The file meta group is as long as it says, where it says so (PS3.10, 7.1)."""
        length = self.meta.get(0x00020000, b"")
        if len(length) == 4 and HEAD + 12 + int.from_bytes(length, "little") != end:
            raise Malformed("the file header of the DICOM file is not as long as it says.")


def meta(data: bytes) -> tuple[dict[int, bytes], int]:
    """The file meta elements, tag to value, and where they end; nothing behind them is read or unpacked.

    Raises:
        Malformed: They are damaged.
        TooLarge: They are too many.
    """
    found, end = _read(_Source(data), HEAD, implicit=False, little=True, only_meta=True)
    return {int(tag): _value(found.get_item(tag, keep_deferred=True)) for tag in found.keys()}, end  # noqa: SIM118


class _Source(io.BytesIO):
    """The bytes of a data set, read at most so often: pydicom reads the head of each element and item as 8 bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data, self.parts = data, 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size == END_MARK:
            self.parts += 1
            if self.parts > MAX_PARTS:
                raise TooLarge("the DICOM file has too many elements.")
        return super().read(size)


def _read(source: _Source, at: int, *, implicit: bool, little: bool, only_meta: bool) -> tuple[Dataset, int]:
    """A data set, and where it ends; ``only_meta`` is the file meta group, else it stops before zero bytes."""

    def stops(tag: int, _vr: str | None, _length: int) -> bool:
        return tag >> 16 != 2 if only_meta else tag == 0

    source.seek(at)
    found = _by_pydicom(lambda: read_dataset(source, implicit, little, stop_when=stops), source)
    if len(found) and found.original_encoding != (implicit, little):
        raise Malformed("the DICOM file is written in another way than it says.")
    return found, at + _size(found, source, 0)


def _by_pydicom(call: Callable[[], T], source: _Source) -> T:
    """What a call of pydicom gives, its warnings unsaid."""
    try:
        with quiet():
            return call()
    except _FAULTS:
        if source.parts > MAX_PARTS:
            raise TooLarge("the DICOM file has too many elements.") from None
        raise Malformed("the DICOM file is damaged.") from None


# -- sizes ------------------------------------------------------------------------------------------------------------


def _size(found: Dataset, source: _Source, depth: int) -> int:
    """The bytes that the elements of a data set take up in the file, in the order in which they stand there."""
    if depth > MAX_DEPTH:
        raise Malformed("the DICOM file is nested too deep.")
    total, last = 0, 0
    for tag in found.keys():  # noqa: SIM118 - a data set iterates over converted elements
        if tag <= last or (tag >> 16 in (0, 0xFFFE, 0xFFFF)):
            raise Malformed("the elements of the DICOM file are out of order, or something follows them.")
        last = tag
        element = found.get_item(tag, keep_deferred=True)
        total += (
            _raw_size(element) if isinstance(element, RawDataElement) else _sequence_size(element, found, source, depth)
        )
    return total


def _raw_size(element: RawDataElement) -> int:
    vr, value = element.VR, _value(element)
    if (vr is None) != element.is_implicit_VR or (vr is not None and vr not in STANDARD_VR):
        raise Malformed("an element of the DICOM file is of an unknown kind.")
    head = 12 if vr in EXPLICIT_VR_LENGTH_32 else 8
    if element.length == UNDEFINED:
        if element.tag != t.PIXELS or vr not in ("OB", "OW", "UN", None):
            raise Malformed("an element of the DICOM file has no length.")
        return head + len(value) + END_MARK
    if len(value) != element.length:
        raise Malformed("an element of the DICOM file is longer than the file.")
    return head + len(value)


def _sequence_size(element: DataElement, inside: Dataset, source: _Source, depth: int) -> int:
    """A sequence without a length, which pydicom has read already."""
    head = 8 if inside.original_encoding[0] else 12
    return head + _items_size(element.value, source, depth) + END_MARK


def _items_size(items: Sequence[Dataset], source: _Source, depth: int) -> int:
    """The bytes of items; pydicom looks neither at their tags nor whether their lengths are true."""
    total = 0
    for item in items:
        size = _size(item, source, depth + 1)
        ends = item.is_undefined_length_sequence_item
        head = struct.pack("<HHI" if item.original_encoding[1] else ">HHI", 0xFFFE, 0xE000, UNDEFINED if ends else size)
        if source.data[item.seq_item_tell : item.seq_item_tell + 8] != head:
            raise Malformed("a sequence of the DICOM file is damaged.")
        total += 8 + size + END_MARK * ends
    return total


# -- elements ---------------------------------------------------------------------------------------------------------


def _elements(found: Dataset, source: _Source, depth: int) -> Iterator[Element]:
    """The elements of a data set whose size is known to be right, and behind each sequence those of its items."""
    for tag in found.keys():  # noqa: SIM118
        element = found.get_item(tag, keep_deferred=True)
        vr = element.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
        value = _value(element) if isinstance(element, RawDataElement) else b""
        yield Element(int(tag), str(vr), value, depth)
        items = _items(element, source, depth) if vr == "SQ" else ()
        for item in items:
            yield from _elements(item, source, depth + 1)


def _items(element: DataElement | RawDataElement, source: _Source, depth: int) -> Sequence[Dataset]:
    """The items of a sequence; those of one with a length are read here."""
    if isinstance(element, DataElement):
        return list(element.value)
    value = _value(element)
    inner = _Source(value)
    inner.parts = source.parts
    read = _by_pydicom(
        lambda: list(read_sequence(inner, element.is_implicit_VR, element.is_little_endian, len(value), "iso8859")),
        inner,
    )
    source.parts = inner.parts
    if _items_size(read, inner, depth) != len(value):
        raise Malformed("a sequence of the DICOM file is damaged.")
    return read


def _value(element: DataElement | RawDataElement) -> bytes:
    return element.value if isinstance(element, RawDataElement) and isinstance(element.value, bytes) else b""


def _fragments(value: bytes) -> list[bytes]:
    """Encapsulated pixel data (PS3.5, A.4): an offset table, and what follows it."""
    try:
        parts = list(generate_fragments(value))
    except _FAULTS:
        parts = []
    if not parts or sum(8 + len(p) for p in parts) != len(value):
        raise Malformed("the pixel data of the DICOM file are damaged.")
    return parts


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
