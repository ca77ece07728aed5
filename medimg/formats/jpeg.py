"""JPEG (ITU-T T.81; JFIF 1.02; Adobe TN 5116; Exif 3.0): the photographs of phones and cameras.

Without covers the copy holds the original's tables and coded data byte for byte; with covers only the blocks under a
cover change (:mod:`medimg.redact.jpeg_lossless`). Everything else in the copy is made here from a few facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats import _exif, _icc, _irb, _trailing, _xmp
from medimg.formats._jpeg_segments import APP0, COM, Segment, put, walk
from medimg.types import Copy, Cover, Finding, Kind, Limits, Secret

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "jpeg"

APP1, APP2, APP11, APP13, APP14 = 0xE1, 0xE2, 0xEB, 0xED, 0xEE
EXIF, JFIF, ADOBE, ICC = b"Exif\0", b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
XMP, XMP_MORE = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
BARE_JFIF = JFIF + bytes((1, 1, 0, 0, 1, 0, 1, 0, 0))
ICC_CHUNK = 65519
ARITHMETIC = (0xC9, 0xCA)

# Beginnings of application segments -> (kind, category). What matches none is an unknown block.
BLOCKS: tuple[tuple[int, bytes, Kind, str], ...] = (
    (0xE0, b"JFXX\0", "hidden-image", "thumbnail"),
    (0xE1, b"FLIR\0", "hidden-image", "thermal-image"),
    (0xE2, b"MPF\0", "hidden-image", "second-image"),
    (0xE2, b"urn:iso:std:iso:ts:21496:-1\0", "metadata", "gain-map"),
    (0xE2, b"FPXR\0", "hidden-image", "preview"),
    (0xE3, b"", "metadata", "maker-note"),
    (0xE4, b"", "metadata", "maker-note"),
    (0xE5, b"", "metadata", "maker-note"),
    (0xE6, b"", "metadata", "maker-note"),
    (0xE7, b"", "metadata", "maker-note"),
    (0xE8, b"", "metadata", "maker-note"),
    (0xE9, b"", "metadata", "maker-note"),
    (0xEA, b"", "metadata", "comment"),
    (0xEB, b"HDR_RI", "metadata", "gain-map"),
    (0xEB, b"JP", "metadata", "content-credential"),
    (0xEC, b"", "metadata", "software"),
)


def sniff(head: bytes) -> bool:
    """SOI and the beginning of a further marker."""
    return head[:3] == b"\xff\xd8\xff"


def open(data: bytes, limits: Limits) -> Jpeg:  # noqa: A001 - the name every format module has
    """Walk the segments.

    Raises:
        Malformed: The stream is damaged or ends early.
        TooLarge: It is over ``limits.pixels``.
        Unsupported: A kind of JPEG that is not handled (12 bit, lossless, hierarchical).
    """
    photo = Jpeg(data)
    if photo.width * photo.height > limits.pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    return photo


class Jpeg:
    """A walked JPEG. Coordinates are those of the stored picture; the orientation is a viewer's business."""

    name = NAME
    frames = 1

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stream = walk(data)
        frame = self.stream.frame
        if frame is None:
            raise Malformed("the picture has no frame.")
        head = data[frame.start : frame.end]
        self.frame_marker = frame.marker
        self.height, self.width = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
        self.components = head[5]
        if head[0] != 8:
            raise Unsupported("this JPEG has more than 8 bits a colour, which is not handled.", todo="Export as PNG.")
        if self.components not in (1, 3, 4):
            raise Unsupported("this JPEG has an unusual number of colours.", todo="Export it as PNG first.")
        if not self.height:
            raise Unsupported("this JPEG gives its height after the picture.", todo="Export it again from the device.")
        if not self.width or any(not 1 <= n <= 4 for k in range(7, len(head), 3) for n in (head[k] >> 4, head[k] & 15)):
            raise Malformed("the frame header is damaged.")
        self.orientation = _exif.orientation(self._exif or b"")

    def _payload(self, segment: Segment) -> bytes:
        return self.data[segment.start : segment.end]

    def _starting(self, marker: int, beginning: bytes) -> list[bytes]:
        return [
            self._payload(s)
            for s in self.stream.others
            if s.marker == marker and self.data.startswith(beginning, s.start)
        ]

    @cached_property
    def _exif(self) -> bytes | None:
        blocks = self._starting(APP1, EXIF)
        return blocks[0][6:] if blocks else None

    @cached_property
    def _profile(self) -> bytes | None:
        """The ICC profile, its chunks joined (ICC.1:2022, B.4); None when a chunk is missing or stands twice."""
        chunks = self._starting(APP2, ICC)
        if not chunks or any(len(c) < 14 for c in chunks):
            return None
        numbered = {c[12]: c[14:] for c in chunks}
        if len(numbered) != len(chunks) or sorted(numbered) != list(range(1, len(chunks) + 1)):
            return None
        return b"".join(numbered[k] for k in sorted(numbered))

    @cached_property
    def adobe(self) -> int | None:
        """The colour transform of the Adobe segment: 0 none, 1 YCbCr, 2 YCCK."""
        segments = [s for s in self._starting(APP14, ADOBE) if len(s) >= 12]
        return segments[0][11] if segments else None

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Every segment and byte that is not the picture; see :class:`medimg.formats.Opened`."""
        found: list[Finding] = []
        first_exif = True
        for segment in self.stream.others:
            marker, payload = segment.marker, self._payload(segment)
            if marker == APP1 and payload.startswith(EXIF):
                where = "APP1/Exif" if first_exif else "APP1/Exif/again"
                padded = payload[5:6] != b"\0" or not first_exif
                found += _exif.findings(payload[6:], where) or ([_one("metadata", "unknown-block", where)] * padded)
                first_exif = False
            elif not (marker == APP2 and payload.startswith(ICC)):
                found += self._block(marker, payload)
        found += self._profile_findings()
        if self.stream.loose:
            found.append(_one("metadata", "unknown-block", "bytes between segments"))
        found += _trailing.finding(self.data, self.stream.end, "after EOI", "jpeg reader")
        return found

    def _profile_findings(self) -> list[Finding]:
        if not self._starting(APP2, ICC):
            return []
        if self._profile is None:
            return [_one("metadata", "colour-profile-text", "APP2/ICC")]
        return _icc.findings(self._profile, "APP2/ICC")

    def _block(self, marker: int, payload: bytes) -> list[Finding]:
        if marker == COM:
            text = payload[: _exif.MAX_SECRET].decode("utf-8", "replace")
            return [Finding(kind="metadata", category="comment", where="COM", detector="jpeg reader", secret=Secret(text))]
        where = f"APP{marker - APP0}"
        if marker == APP0 and payload.startswith(JFIF):
            if len(payload) != 14:
                return [_one("hidden-image", "thumbnail", "APP0/JFIF")]
            return [] if payload[12:] == b"\0\0" else [_one("metadata", "unknown-block", "APP0/JFIF")]
        if marker == APP14 and payload.startswith(ADOBE):
            return [] if len(payload) == 12 else [_one("metadata", "unknown-block", "APP14/Adobe")]
        if marker == APP1 and payload.startswith(XMP):
            return _xmp.findings(payload[len(XMP) :], "APP1/XMP") or [_one("metadata", "xmp", "APP1/XMP")]
        if marker == APP1 and payload.startswith(XMP_MORE):
            return _xmp.findings(payload[len(XMP_MORE) + 40 :], "APP1/XMP/more") or [_one("metadata", "xmp", "APP1/XMP")]
        if marker == APP13 and payload.startswith(b"Photoshop 3.0\0"):
            return _irb.findings(payload[14:], "APP13")
        for its_marker, beginning, kind, category in BLOCKS:
            if marker == its_marker and payload.startswith(beginning):
                return [_one(kind, category, where)]
        return [_one("metadata", "unknown-block", where)]

    # -- pixels -----------------------------------------------------------------------------------------------------

    def samples(self, frame: int = 0) -> NDArray[Any]:  # noqa: ARG002 - one frame
        """Grey (H, W), RGB (H, W, 3), or CMYK (H, W, 4) as stored in the file, uint8."""
        return self._decoded

    @cached_property
    def _decoded(self) -> NDArray[Any]:
        from medimg.formats import _jpeg_decode

        pixels = _jpeg_decode.samples(self)
        if pixels.shape[:2] != (self.height, self.width):
            raise Malformed("the picture does not decode to the size it claims.")
        return pixels

    def views(self, frame: int = 0) -> list[NDArray[Any]]:  # noqa: ARG002 - one frame
        """One 8-bit RGB rendering."""
        from medimg.formats import _jpeg_decode

        return [_jpeg_decode.rgb(self.samples())]

    # -- the copy ---------------------------------------------------------------------------------------------------

    def stripped(self, *, keep_profile: bool = True) -> bytes:
        """The picture's own tables and coded data, and what a viewer needs to show it rightly."""
        parts = [b"\xff\xd8"]
        if self._starting(APP0, JFIF):
            parts.append(put(APP0, BARE_JFIF))
        if self.adobe is not None:
            parts.append(put(APP14, ADOBE + bytes((0, 100, 0, 0, 0, 0, self.adobe))))
        if self.orientation != 1:
            parts.append(put(APP1, EXIF + b"\0" + _exif.orientation_only(self.orientation)))
        profile = _icc.clean(self._profile) if keep_profile and self._profile else None
        if profile:
            chunks = [profile[k : k + ICC_CHUNK] for k in range(0, len(profile), ICC_CHUNK)]
            parts += [put(APP2, ICC + bytes((n, len(chunks))) + c) for n, c in enumerate(chunks, 1)]
        parts += [self.data[start:end] for start, end in self.stream.structure]
        return b"".join([*parts, b"\xff\xd9"])

    def write(self, covers: Sequence[Cover] = (), *, keep_profile: bool = True, keep_frames: bool = False) -> Copy:  # noqa: ARG002
        """The copy: coded data byte for byte, or, under covers alone, blocks made flat.

        Raises:
            CheckNotRun: The coded data cannot be followed, so nothing can be covered in them.
        """
        data, method = self.stripped(keep_profile=keep_profile), "segment-copy"
        if not covers:
            return self._copy(data, method)
        from medimg.redact.jpeg_lossless import cover_jpeg

        covered = cover_jpeg(data, covers)
        return self._copy(covered.data, "coefficients", covered.polygons, covered.fringe)

    def _copy(self, data: bytes, method: str, covered: tuple[Any, ...] = (), fringe: int = 0) -> Copy:
        return Copy(
            data=data, format=NAME, suffix=".jpg", width=self.width, height=self.height,
            orientation=self.orientation, method=method, covered=covered, fringe=fringe,
            notes=("frames-dropped",) if self._starting(APP2, b"MPF\0") else (),
        )  # fmt: skip


def _one(kind: Kind, category: str, where: str) -> Finding:
    return Finding(kind=kind, category=category, where=where, detector="jpeg reader")


