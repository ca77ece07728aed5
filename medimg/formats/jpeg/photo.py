"""JPEG (ITU-T T.81; JFIF 1.02; Exif 3.0): baseline, extended, progressive and arithmetic, 8 bits, 1, 3 or 4 components.

Without covers the coded picture is copied byte for byte: no decoder and no encoder takes part. With covers, and where
the coded data hold something beside the picture, the coefficients are rewritten (:mod:`medimg.formats.jpeg.lossless`);
where that cannot be done exactly, nothing is written. Every symbol is read in any case (``reading.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.jpeg import _findings
from medimg.formats.jpeg._findings import ADOBE, EXIF, ICC, JFIF, MPF
from medimg.formats.jpeg._headers import FrameHeader
from medimg.formats.jpeg._parse import parse
from medimg.formats.jpeg._segments import Head, Jpeg, picture, segment, starts
from medimg.formats.shared import exif, icc
from medimg.types import Box, Copy, Cover, Finding, Limits, Polygon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats.jpeg.reading import Reading

NAME = "jpeg"
APP0, APP1, APP2, APP11, APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE
ICC_ROOM = 65519
"""Bytes of a profile in one segment (ICC.1:2022, B.4)."""
MAX_PROFILE = 1 << 24


def sniff(head: bytes) -> bool:
    """Whether content starts like a JPEG, blanks before it allowed."""
    return starts(head) >= 0


def open(data: bytes, limits: Limits) -> JpegPhoto:  # noqa: A001 - the name every format module has
    """Walk the segments.

    Raises:
        Malformed: It is damaged, or decoders would show it differently.
        Unsupported: 12 bits, lossless, hierarchical, two components, or no height.
        TooLarge: The picture is over the limits.
    """
    return JpegPhoto(parse(data, limits))


class JpegPhoto:
    """A parsed JPEG."""

    name = NAME
    frames = 1

    def __init__(self, jpeg: Jpeg) -> None:
        if jpeg.frame is None:  # parse() refuses such a file
            raise Malformed("the JPEG holds no picture.")
        self.data = jpeg.data
        self.jpeg, self.frame = jpeg, jpeg.frame
        self.width, self.height = jpeg.frame.width, jpeg.frame.height
        self.block = jpeg.frame.mcu_width, jpeg.frame.mcu_height
        self.orientation = self._orientation()
        if jpeg.endless:
            _ = self._reading

    def _payloads(self, marker: int, beginning: bytes) -> list[bytes]:
        """Segments of one kind that stand before the picture; behind its first scan no decoder looks at them."""
        parts = (p for p in self.jpeg.parts[: self.jpeg.first_scan] if p.marker == marker)
        return [p for p in map(self.jpeg.payload, parts) if p.startswith(beginning)]

    @property
    def _exif_blocks(self) -> list[bytes]:
        return [p[len(EXIF) :] for p in self._payloads(APP1, EXIF)]

    def _orientation(self) -> int:
        """What the blocks state; one that says nothing of it does not contradict another that does."""
        read = {exif.said_orientation(b) for b in self._exif_blocks} - {0}
        if len(read) > 1:
            raise Malformed("the JPEG says twice how it is to be turned, and not the same.")
        return read.pop() if read else 1

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Segments and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        found = _findings.findings(self.jpeg, frozenset(self.head().segments))
        read = vars(self).get("_reading")  # where every symbol was read already
        if read is not None:
            found += [_findings.past_the_edge()] * read.past + [_findings.behind_the_last_block()] * read.loose
        return found

    def behind(self) -> bool:
        """Whether the coded data hold what no decoder heeds, or a picture past the edge; every symbol is read.

        Raises:
            Malformed: The picture data are damaged.
        """
        return self._reading.loose or self._reading.past

    # -- pixels -----------------------------------------------------------------------------------------------------

    @cached_property
    def _reading(self) -> Reading:
        from medimg.formats.jpeg import reading

        return reading.read(self.jpeg)

    @cached_property
    def _sound(self) -> Jpeg:
        """The picture without what no decoder heeds or shows; with Huffman codes where it was coded arithmetically.

        Raises:
            Malformed: The picture data are damaged or cut short.
        """
        if not (self.behind() or self.frame.arithmetic):
            return self.jpeg
        from medimg.formats.jpeg.lossless import cover_jpeg

        return self._parsed(cover_jpeg(self.jpeg, self.head(keep_profile=False), (), cut=True).data)

    def _parsed(self, rewritten: bytes) -> Jpeg:
        return parse(rewritten, Limits(pixels=self.width * self.height))

    @cached_property
    def _decoded(self) -> NDArray[Any]:
        from medimg.formats.jpeg import pixels as _pixels

        plain = picture(self._sound, self.head(keep_profile=False))
        return _pixels.samples(plain, len(self.frame.components), self.width, self.height)

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Grey (H, W), RGB (H, W, 3) or the four inks as stored (H, W, 4), uint8, never turned."""
        self._only_first(frame)
        return self._decoded

    def forget(self) -> None:
        """Give up the decoded samples until they are asked for again."""
        vars(self).pop("_decoded", None)

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; more than one of four inks, and where a profile shows far more than the numbers."""
        from medimg.formats.shared import views as _views

        self._only_first(frame)
        return list((_views.inks if len(self.frame.components) == 4 else _views.of)(self._decoded, self._profile))

    def _only_first(self, frame: int) -> None:
        if frame:
            raise CheckNotRun("a JPEG has one picture; further ones behind it are never kept.")

    # -- the copy ---------------------------------------------------------------------------------------------------

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The picture, its cleaned profile and its orientation.

        Raises:
            CheckNotRun: A cover or crop is asked for and cannot be made without loss.
            UsageError: The crop lies outside the picture.
        """
        jpeg = self._sound
        method = "segment-copy" if jpeg is self.jpeg else "coefficients"
        head = self.head(keep_profile=keep_profile)
        polygons: tuple[Polygon, ...] = ()
        fringe = 0
        if covers or crop:
            from medimg.formats.jpeg.lossless import cover_jpeg, crop_jpeg
            from medimg.redact.cover import colour_of, framed

            crop, moved = framed(covers, crop, self.width, self.height)
            if crop:
                less = crop_jpeg(jpeg, head, crop)
                # The crop shrinks to whole blocks, so the covers have to move by another step than was asked for.
                crop, moved = framed(covers, less.box, self.width, self.height)
                jpeg, method, fringe = self._parsed(less.data), "coefficients", less.fringe
            if moved:
                done = cover_jpeg(jpeg, head, moved, colour_of(moved))
                if done.polygons:
                    # Scans may have been given new tables; those they no longer use are left out.
                    jpeg, method = self._parsed(done.data), "coefficients"
                    polygons, fringe = done.polygons, done.fringe
        return Copy(
            data=self._written(jpeg, head),
            format=NAME,
            suffix=".jpg",
            width=crop.width if crop else self.width,
            height=crop.height if crop else self.height,
            orientation=self.orientation,
            method=method,
            covered=polygons,
            fringe=fringe,
            notes=self._notes(keep_profile=keep_profile) + (("cropped",) if crop else ()),
            cropped=crop,
        )

    def bare(self) -> bytes:
        """The picture with no word beside it but which colours its components are; for a strip of a TIFF."""
        head = self.head(keep_profile=False)
        return self._written(self._sound, Head(tuple(s for s in head.segments if s[1] == APP14)))

    def _written(self, jpeg: Jpeg, head: Head) -> bytes:
        """The file, with nothing in its tables but what the picture uses."""
        from medimg.formats.jpeg import reading

        jpeg.instead = reading.without_unused(jpeg, self._reading if jpeg is self.jpeg else reading.read(jpeg))
        return picture(jpeg, head)

    def _notes(self, *, keep_profile: bool) -> tuple[str, ...]:
        out = []
        out += ["hidden-pixels-dropped"] * self._reading.past + ["trailing-bytes-dropped"] * self._reading.loose
        if self._payloads(APP2, MPF):
            out.append("second-images-dropped")
        if self._payloads(APP11, b"JP"):
            out.append("content-credential-dropped")
        if (self._profile or self._payloads(APP2, ICC)) and not (keep_profile and self._profile):
            out.append("profile-dropped")
        return tuple(out)

    def head(self, *, keep_profile: bool = True) -> Head:
        """The segments that decoders need besides the picture's own, each made anew."""
        out = []
        jfif = [p for p in self._payloads(APP0, JFIF) if len(p) >= 14]
        if jfif:
            out.append(segment(APP0, JFIF + b"\1\1\0" + _aspect(jfif[0]) + b"\0\0"))
        if self.orientation > 1:
            out.append(segment(APP1, EXIF + exif.orientation_only(self.orientation)))
        profile = self._profile if keep_profile else b""
        chunks = [profile[k : k + ICC_ROOM] for k in range(0, len(profile), ICC_ROOM)]
        out += [segment(APP2, ICC + bytes((k, len(chunks))) + c) for k, c in enumerate(chunks, 1)]
        adobe = [p for p in self._payloads(APP14, ADOBE) if len(p) >= 12]
        transform = None
        if adobe and len(self.frame.components) > 1:
            transform = _transform(adobe[-1][11], self.frame)
            out.append(segment(APP14, ADOBE + b"\0\x64\0\0\0\0" + bytes((transform,))))
        return Head(tuple(out), bool(jfif), transform)

    @cached_property
    def _profile(self) -> bytes:
        """The colour profile, cleaned; one of our own where EXIF alone states Adobe RGB.

        Empty when there is none, or none that decoders agree on.
        """
        chunks = [p[len(ICC) :] for p in self._payloads(APP2, ICC)]
        if not chunks and len(self.frame.components) == 3 and any(map(exif.says_adobe_rgb, self._exif_blocks)):
            return icc.adobe_rgb()
        if any(len(c) < 2 or c[1] != len(chunks) for c in chunks):
            return b""
        chunks.sort(key=lambda c: c[0])
        if [c[0] for c in chunks] != list(range(1, len(chunks) + 1)):
            return b""
        whole = b"".join(c[2:] for c in chunks)
        return icc.clean(whole) or b"" if 0 < len(whole) <= MAX_PROFILE else b""


def _aspect(jfif: bytes) -> bytes:
    """The shape of a pixel as the density fields give it, in smallest numbers; the density itself is not kept."""
    across, down = int.from_bytes(jfif[8:10]), int.from_bytes(jfif[10:12])
    if not across or not down:
        across = down = 1
    by = math.gcd(across, down)
    return (across // by).to_bytes(2) + (down // by).to_bytes(2)


def _transform(value: int, frame: FrameHeader) -> int:
    """Adobe's colour transform as libjpeg understands it (jdapimin.c, default_decompress_parms)."""
    return value if value <= 2 else (1 if len(frame.components) == 3 else 2)
