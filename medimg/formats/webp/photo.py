"""WebP (RFC 9649): lossy, lossless, with alpha, animated.

Without covers a lossy picture is copied symbol by symbol, which in a file of an ordinary encoder is byte by byte.
Covers, colour under alpha 0, and a first frame that is only part of its canvas make the copy a lossless WebP of the
decoded samples, exact outside the covers. A lossless picture is always encoded anew: the codes, colours and tables
that nothing in it uses could say anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, Malformed, TooLarge
from medimg.formats.shared import exif as _exif
from medimg.formats.shared import icc as _icc
from medimg.formats.shared import trailing, xmp
from medimg.formats.webp._chunks import (
    ALPHA,
    ANIMATION,
    EXIF,
    ICC,
    XMP,
    AnimationFrame,
    Chunk,
    Still,
    chunks,
    file,
    frame,
    number,
    still,
)
from medimg.types import Box, Copy, Cover, Finding, Limits
from medimg.vocabulary import Category, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "webp"
DETECTOR = "webp reader"
STRUCTURE = frozenset((b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"))


def sniff(head: bytes) -> bool:
    """Whether content is a RIFF file of the WebP kind."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def open(data: bytes, limits: Limits) -> WebP:  # noqa: A001 - the name every format module has
    """Walk the container.

    Raises:
        Malformed: A length, the order or a header is wrong.
        TooLarge: The canvas or the number of frames is over the limits.
    """
    return WebP(data, limits)


class WebP:
    """A parsed WebP file."""

    name = NAME

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.end = 8 + number(data[4:8])
        if len(data) < 20 or self.end > len(data):
            raise Malformed("the WebP file ends in the middle.")
        self.chunks = list(chunks(data, 12, self.end))
        first = self.chunks[0] if self.chunks else None
        self.extended = first is not None and first.name == b"VP8X"
        for name in (b"VP8X", b"ICCP", b"EXIF", b"ANIM"):
            if sum(c.name == name for c in self.chunks) > (1 if name != b"VP8X" or self.extended else 0):
                raise Malformed("a WebP chunk stands where it does not belong.")
        self.flags = 0
        canvas = self._canvas() if self.extended else None
        self.animation = self._animation(canvas, limits)
        self.frames = len(self.animation) or 1
        if self.animation:
            self.still: Still = self.animation[0].still
        else:
            self.still = still(data, self.chunks)
        self.width, self.height = canvas or (self.still.width, self.still.height)
        if not self.animation and (self.width, self.height) != (self.still.width, self.still.height):
            raise Malformed("the picture is not of the size the WebP file claims.")
        if self.width * self.height > limits.pixels:
            raise TooLarge("the picture is larger than the policy allows.")
        self.orientation = _exif.orientation(self._tiff) if self._tiff else 1

    def _canvas(self) -> tuple[int, int]:
        head = self.chunks[0]
        payload = self.data[head.start : head.end]
        if len(payload) != 10:
            raise Malformed("the header of the WebP file is damaged.")
        self.flags = payload[0]
        return number(payload[4:7]) + 1, number(payload[7:10]) + 1

    def _animation(self, canvas: tuple[int, int] | None, limits: Limits) -> list[AnimationFrame]:
        found = [c for c in self.chunks if c.name == b"ANMF"]
        if len(found) > limits.frames:
            raise TooLarge("the animation has more frames than the policy allows.")
        if bool(self.flags & ANIMATION) != bool(found) or (found and canvas is None):
            raise Malformed("the animation of the WebP file is damaged.")
        if not found or canvas is None:
            return []
        if any(c.name in (b"VP8 ", b"VP8L", b"ALPH") for c in self.chunks):
            raise Malformed("the WebP file holds both a picture and an animation.")
        out = [frame(self.data, c) for c in found]
        if any(f.x + f.still.width > canvas[0] or f.y + f.still.height > canvas[1] for f in out):
            raise Malformed("a frame of the WebP file is larger than its canvas.")
        return out

    def _payload(self, name: bytes) -> bytes:
        return next((self.data[c.start : c.end] for c in self.chunks if c.name == name), b"")

    @property
    def _tiff(self) -> bytes:
        """The EXIF block; some writers put a JPEG marker's prefix before it."""
        return self._payload(b"EXIF").removeprefix(b"Exif\0\0")

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Chunks and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        found: list[Finding] = []
        for c in self.chunks:
            found += self._chunk(c)
            if c.end - c.begin & 1 and self.data[c.end : c.end + 1].strip(b"\0"):
                found.append(_finding(Category.PADDING_BITS, _name(c.name)))
        found += [_finding(Category.UNKNOWN_BLOCK, "ANMF") for f in self.animation for _ in f.others]
        if self.animation:
            count = max(self.frames - 1, 1)
            found.append(_finding(Category.EXTRA_FRAMES, "ANMF", kind=Kind.HIDDEN_IMAGE, count=count))
        if self.extended and not self._header_plain:
            found.append(_finding(Category.UNKNOWN_BLOCK, "VP8X/reserved"))
        if self._behind:
            found.append(_finding(Category.TRAILING_BYTES, f"{_name(self.still.coding)}/after the picture"))
        if self._hidden:
            found.append(
                _finding(Category.HIDDEN_PIXELS, f"{_name(self.still.coding)}/alpha 0", kind=Kind.HIDDEN_IMAGE)
            )
        return found + trailing.finding(self.data, self.end, "after RIFF", DETECTOR)

    def _chunk(self, c: Chunk) -> list[Finding]:
        payload, where = self.data[c.start : c.end], _name(c.name)
        if c.name in STRUCTURE:
            return []
        if c.name == b"EXIF":
            if self.orientation > 1 and payload == _exif.orientation_only(self.orientation):
                return []
            return _exif.findings(self._tiff, where)
        if c.name == b"ICCP":
            if payload == self._profile:
                return []
            return _icc.findings(payload, where) or [_finding(Category.COLOUR_PROFILE_TEXT, where)]
        if c.name == b"XMP ":
            return xmp.findings(payload, where) or [_finding(Category.XMP, where)]
        if c.name == b"C2PA":
            return [_finding(Category.CONTENT_CREDENTIAL, where)]
        return [_finding(Category.UNKNOWN_BLOCK, where)]

    @property
    def _header_plain(self) -> bool:
        """Whether VP8X says what is in the file and nothing else."""
        payload = self._payload(b"VP8X")
        known = ICC | ALPHA | EXIF | XMP | ANIMATION
        return not payload[0] & ~known and payload[1:4] == b"\0\0\0"

    # -- pixels -----------------------------------------------------------------------------------------------------

    @cached_property
    def _bare(self) -> Still:
        """A lossy picture without what no decoder reads."""
        from medimg.formats.webp import _pixels

        return _pixels.bare(self.still)

    @property
    def _behind(self) -> bool:
        from medimg.formats.webp import _pixels

        lossy = self.still.coding == b"VP8 "
        return (lossy and self._bare.image != self.still.image) or _pixels.behind(self.still)

    @property
    def _whole_canvas(self) -> bool:
        return (self.still.width, self.still.height) == (self.width, self.height)

    @cached_property
    def _decoded(self) -> tuple[NDArray[Any], bool]:
        """The still picture, and whether colours stand under alpha 0."""
        from medimg.formats.webp import _pixels

        place = (self.animation[0].x, self.animation[0].y) if self.animation else (0, 0)
        return _pixels.canvas(self.still, place, self.width, self.height)

    @property
    def _hidden(self) -> bool:
        return self._decoded[1]

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """The still picture or the first frame on its canvas: RGB, or RGBA where something is not opaque."""
        self._only_first(frame)
        return self._decoded[0]

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; two where alpha may hide something."""
        from medimg.formats.shared import views as _views

        return list(_views.of(self.samples(frame), self._profile))

    def _only_first(self, frame: int) -> None:
        if frame:
            raise CheckNotRun("further frames of an animated WebP file cannot be looked at.")

    # -- the copy ---------------------------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> bytes:
        if not self._payload(b"ICCP"):
            return _icc.adobe_rgb() if _exif.says_adobe_rgb(self._tiff) else b""
        return _icc.clean(self._payload(b"ICCP")) or b""

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The still picture, its cleaned profile and its orientation.

        Raises:
            CheckNotRun: The picture cannot be decoded or encoded here.
        """
        from medimg.redact.cover import clipped, cut, framed

        crop, covers = framed(covers, crop, self.width, self.height)
        width, height = (crop.width, crop.height) if crop else (self.width, self.height)
        covered = clipped(covers, width, height)
        hidden = self._hidden  # decodes: a picture that a viewer would show only in part is not copied
        if covered or crop or hidden or not self._whole_canvas or self.still.coding == b"VP8L":
            from medimg.formats.webp import _pixels

            picture, method = _pixels.encoded(cut(self.samples(), crop), covers if covered else ()), "samples"
        else:
            picture, method = self._bare, "segment-copy"
        exif = _exif.orientation_only(self.orientation) if self.orientation > 1 else b""
        return Copy(
            data=file(picture, icc=self._profile if keep_profile else b"", exif=exif),
            format=NAME,
            suffix=".webp",
            width=width,
            height=height,
            orientation=self.orientation,
            method=method,
            covered=covered,
            notes=("frames-dropped",) * (self.frames > 1) + ("cropped",) * bool(crop),
            cropped=crop,
        )


def _finding(category: str, where: str, *, kind: Kind = Kind.METADATA, count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR)


def _name(name: bytes) -> str:
    """A chunk's name where it is one of the known; a name of somebody else's could say something."""
    known = (*STRUCTURE, b"EXIF", b"ICCP", b"XMP ", b"C2PA")
    return name.decode("ascii").strip() if name in known else "chunk"


def encode(samples: NDArray[Any], *, icc: bytes = b"", orientation: int = 1) -> bytes:
    """A lossless WebP file of RGB or RGBA uint8 samples.

    Raises:
        CheckNotRun: It is larger than a WebP file can be, or cannot be encoded.
    """
    from medimg.formats.webp import _pixels

    exif = _exif.orientation_only(orientation) if orientation > 1 else b""
    return file(_pixels.encoded(samples, ()), icc=icc, exif=exif)
