"""JPEG 2000: JP2 files and bare codestreams (ISO/IEC 15444-1), one codestream of 1 to 4 components.

Without covers the packets are copied byte for byte. Covers, a crop and alpha make the copy a PNG of the decoded
samples, exact outside the covers.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, Malformed, Unsupported
from medimg.formats import _exif, _icc, _trailing, _xmp
from medimg.formats._bmff import Span, box, boxes, top_boxes
from medimg.formats._jp2_codestream import ADVICE, parse
from medimg.types import Box, Copy, Cover, Finding, Kind, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "jp2"
DETECTOR = "jpeg 2000 reader"
SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
BARE = b"\xff\x4f\xff\x51"
TYPE = box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
SRGB, GREY, SYCC = 16, 17, 18
COLOURS = {SRGB: 3, GREY: 1, SYCC: 3}
"""Enumerated colour spaces of JP2 (I.5.3.3) -> their channels."""

# Boxes that hold something known -> category. UUIDs of XMP, Exif, IPTC and GeoJP2 as ExifTool lists them.
BOXES = {b"jp2i": "owner", b"jumb": "content-credential", b"asoc": "caption", b"uinf": "unknown-block"}
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF = (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"))
IPTC = (bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"), bytes.fromhex("09a14e97c0b442e0bebf36df6f0ce36f"))
PLACE = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")


def sniff(head: bytes) -> bool:
    """A JP2 file or a bare codestream."""
    return head.startswith((SIGNATURE, BARE))


def open(data: bytes, limits: Limits) -> Jp2:  # noqa: A001 - the name every format module has
    """Walk boxes and codestream.

    Raises:
        Malformed: They are damaged.
        Unsupported: A palette, subsampled or signed components, more than one codestream, or an extension (JPX, HTJ2K).
        TooLarge: The picture is over the limits.
    """
    return Jp2(data, limits)


class Jp2:
    """A parsed JPEG 2000 file."""

    name = NAME
    frames = 1
    orientation = 1

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.bare = not data.startswith(SIGNATURE)
        self.top, self.end = ([], len(data)) if self.bare else top_boxes(data)
        self.inner: list[Span] = []
        start, end = 0, len(data)
        if not self.bare:
            if len(self.top) < 2 or self.top[1].type != b"ftyp":
                raise Malformed("the JPEG 2000 file does not begin as it must.")
            held = self._payload(self.top[1])
            if b"jp2 " not in (held[k : k + 4] for k in range(8, len(held), 4)):
                raise _unhandled()
            header, stream = self._only(b"jp2h"), self._only(b"jp2c")
            if header.start > stream.start:
                raise Malformed("the boxes of the JPEG 2000 file are out of order.")
            self.inner = list(boxes(data, header.body, header.end))
            start, end = stream.body, stream.end
        self.stream = parse(data, start, end, limits)
        self.stream_box_end = end
        self.width, self.height = self.stream.width, self.stream.height
        self.has_alpha = False
        self.colour, self.icc = 0, b""
        if self.bare and self.stream.components not in (1, 3):
            raise _unhandled()
        if not self.bare:
            self._look()

    def _payload(self, span: Span) -> bytes:
        return self.data[span.body : span.end]

    def _only(self, kind: bytes) -> Span:
        found = [b for b in self.top if b.type == kind]
        if len(found) != 1:
            raise Malformed("a box of the JPEG 2000 file is missing or stands twice.")
        return found[0]

    # -- how the components are shown ---------------------------------------------------------------------------------

    def _look(self) -> None:
        """The header box (I.5.3): size, colour space, channels."""
        kinds = [b.type for b in self.inner]
        if not kinds or kinds[0] != b"ihdr" or kinds.count(b"ihdr") > 1 or kinds.count(b"cdef") > 1:
            raise Malformed("the header of the JPEG 2000 file is damaged.")
        if {b"pclr", b"cmap"} & set(kinds):
            raise _unhandled()
        size = self._payload(self.inner[0])
        if len(size) != 14 or struct.unpack_from(">IIH", size) != (self.height, self.width, self.stream.components):
            raise Malformed("the JPEG 2000 file gives two sizes of its picture.")
        for span in self.inner:
            if span.type == b"cdef":
                self.has_alpha = self._channels(self._payload(span))
        colours = self.stream.components - self.has_alpha
        for span in self.inner:
            payload = self._payload(span)
            if span.type != b"colr" or len(payload) < 7 or payload[0] not in (1, 2):
                continue  # a reader of JP2 passes over other methods (I.5.3.3)
            if payload[0] == 1:
                self.colour = int.from_bytes(payload[3:7])
                if COLOURS.get(self.colour) != colours:
                    raise _unhandled()
            else:
                self.icc = payload[3:]
            break
        if not self.colour and not self.icc:
            raise _unhandled()
        if colours not in (1, 3):
            raise _unhandled()

    def _channels(self, payload: bytes) -> bool:
        """Whether the last component is opacity (I.5.3.6); colours must stand in their order."""
        count = self.stream.components
        if len(payload) != 2 + 6 * count or int.from_bytes(payload[:2]) != count:
            raise _unhandled()
        found = {n: (kind, of) for n, kind, of in struct.iter_unpack(">HHH", payload[2:])}
        alpha = found.get(count - 1) in ((1, 0), (2, 0))
        if any(found.get(n) != (0, n + 1) for n in range(count - alpha)):
            raise _unhandled()
        return alpha

    # -- what is in there ---------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Boxes, segments and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        found: list[Finding] = []
        for span in self.top:
            found += self._box(span)
        for span in self.inner:
            if span.type == b"colr" and self._payload(span)[:1] == b"\2":
                found += _icc.findings(self._payload(span)[3:], "jp2h/colr")
            elif span.type == b"res ":
                found.append(_finding("resolution", "jp2h/res"))
            elif span.type not in (b"ihdr", b"colr", b"bpcc", b"cdef"):
                found.append(_finding("unknown-block", "jp2h"))
        comments = [_exif.secret(c[2:]) for c in self.stream.comments]
        if comments:
            found.append(
                Finding(
                    kind="metadata", category="comment", where="codestream/COM", count=len(comments),
                    detector=DETECTOR, secret=comments[0],
                )
            )  # fmt: skip
        if self.stream.others:
            found.append(_finding("unused-table", "codestream", count=self.stream.others))
        if not self.bare and not found and self.data[: self.end] != self._built(keep_profile=True):
            found.append(_finding("unknown-block", "boxes"))
        rest = self.data[: self.stream_box_end]
        found += _trailing.finding(rest, self.stream.end, "after EOC", DETECTOR)
        return found + _trailing.finding(self.data, self.end, "after the last box", DETECTOR)

    def _box(self, span: Span) -> list[Finding]:
        payload, kind = self._payload(span), span.type
        if kind in (b"jP  ", b"ftyp", b"jp2h", b"jp2c"):
            return []
        if kind == b"xml ":
            return _xmp.findings(payload, "xml") or [_finding("xmp", "xml")]
        if kind == b"uuid":
            name, body = payload[:16], payload[16:]
            if name == XMP:
                return _xmp.findings(body, "uuid/XMP") or [_finding("xmp", "uuid/XMP")]
            if name in EXIF:
                return _exif.findings(body.removeprefix(b"Exif\0\0"), "uuid/Exif")
            return [_finding("iptc" if name in IPTC else "location" if name == PLACE else "unknown-block", "uuid")]
        return [_finding(BOXES.get(kind, "unknown-block"), kind.decode() if kind in BOXES else "box")]

    # -- pixels -------------------------------------------------------------------------------------------------------

    @cached_property
    def _decoded(self) -> NDArray[Any]:
        """The built file is decoded, not the original, so that both give one picture."""
        import numpy as np
        from PIL import Image

        wanted = {(1, 8): "L", (1, 16): "I;16", (2, 8): "LA", (3, 8): "RGB", (4, 8): "RGBA"}
        mode = wanted.get((self.stream.components, self.stream.depth))
        if mode is None:
            raise Unsupported("this JPEG 2000 picture has a kind of pixels that is not handled.", todo=ADVICE)
        try:
            with Image.open(io.BytesIO(self._built(keep_profile=False)), formats=["JPEG2000"]) as picture:
                if picture.mode != mode:
                    raise Unsupported("this JPEG 2000 picture has a kind of pixels that is not handled.", todo=ADVICE)
                pixels = np.asarray(picture).copy()
        except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
            raise Malformed("the picture cannot be decoded.") from error
        if pixels.shape[:2] != (self.height, self.width):
            raise Malformed("the picture does not decode to the size it claims.")
        if self.has_alpha:
            pixels[pixels[..., -1] == 0] = 0
        return pixels

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Grey, grey with alpha, RGB or RGBA, uint8; grey of 16 bits uint16.

        Raises:
            Unsupported: Another depth: the decoder here would change the samples.
        """
        if frame:
            raise CheckNotRun("a JPEG 2000 file has one picture.")
        return self._decoded

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; two where alpha may hide something."""
        from medimg.formats import _views

        return list(_views.of(self.samples(frame)))

    # -- the copy -----------------------------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> bytes:
        return _icc.clean(self.icc) or b"" if self.icc else b""

    def write(self, covers: Sequence[Cover] = (), *, keep_profile: bool = True, crop: Box | None = None) -> Copy:
        """The same codestream, or a PNG where something is covered, cropped or could hide under alpha.

        Raises:
            CheckNotRun: The picture cannot be decoded exactly here.
        """
        if covers or crop or self.has_alpha:
            return self._as_png(covers, keep_profile, crop)
        return Copy(
            data=self._built(keep_profile=keep_profile),
            format=NAME,
            suffix=".j2k" if self.bare else ".jp2",
            width=self.width,
            height=self.height,
            method="segment-copy",
            notes=("profile-dropped",) if self.icc and not (keep_profile and self._profile) else (),
        )

    def _as_png(self, covers: Sequence[Cover], keep_profile: bool, crop: Box | None) -> Copy:
        from medimg.formats import png
        from medimg.redact.cover import clipped, cut, framed, paint

        crop, moved = framed(covers, crop, self.width, self.height)
        samples = cut(self.samples(), crop)
        height, width = samples.shape[:2]
        return Copy(
            data=png.encode(paint(samples, moved), icc=self._profile or None if keep_profile else None),
            format="png",
            suffix=".png",
            width=width,
            height=height,
            method="samples",
            covered=clipped(moved, width, height),
            notes=("format-changed",) + ("cropped",) * bool(crop),
            cropped=crop,
        )

    def _built(self, *, keep_profile: bool) -> bytes:
        stream = b"".join(self.stream.parts)
        if self.bare:
            return stream
        depth = self.stream.depth - 1
        size = struct.pack(">IIHBBBB", self.height, self.width, self.stream.components, depth, 7, 0, 0)
        profile = self._profile if keep_profile else b""
        space = self.colour or (GREY if self.stream.components - self.has_alpha == 1 else SRGB)
        colour = b"\2\0\0" + profile if profile else b"\1\0\0" + struct.pack(">I", space)
        inner = [box(b"ihdr", size), box(b"colr", colour)]
        if self.has_alpha:
            last = self.stream.components - 1
            channels = b"".join(struct.pack(">HHH", n, n == last, 0 if n == last else n + 1) for n in range(last + 1))
            inner.append(box(b"cdef", struct.pack(">H", last + 1) + channels))
        return b"".join((SIGNATURE, TYPE, box(b"jp2h", *inner), box(b"jp2c", stream)))


def _unhandled() -> Unsupported:
    return Unsupported("this JPEG 2000 picture is coded in a way that is not handled.", todo=ADVICE)


def _finding(category: str, where: str, *, kind: Kind = "metadata", count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR)
