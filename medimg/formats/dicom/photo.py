"""DICOM (PS3.3, PS3.5, PS3.10): visible-light photographs and secondary captures.

The copy's header is made anew from an allow-list (:mod:`medimg.formats.dicom._header`). Baseline JPEG frames go through
the same lossless covering as JPEG files; other samples are covered at their own depth and written plain.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from medimg.errors import CheckNotRun, Malformed, TooLarge, Unsupported
from medimg.formats import Statement, jpeg
from medimg.formats.dicom import _header, _regions, _text
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._jpeg import SEQUENTIAL, irreversible, is_rgb, says_colours
from medimg.formats.dicom._read import Dicom
from medimg.formats.dicom._write import file, new_uid, plain
from medimg.formats.shared import icc
from medimg.types import Box, Colour, Copy, Cover, Finding, KnownValues, Limits, Secret
from medimg.vocabulary import Category, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "dicom"
DETECTOR = "dicom reader"
SUFFIX = ".dcm"
_CONVERT = "Export it as JPEG or uncompressed DICOM from the archive first."
_ANOTHER = "Use the archive's own tool for it: only photographs and secondary captures are cleaned here."
_UNKEYED = secrets.token_bytes(32)
"""For new identifiers when nobody gives a key: the same within this process, never again."""


def open(data: bytes, limits: Limits) -> DicomPhoto:  # noqa: A001 - the name every format module has
    """Walk the file.

    Raises:
        Malformed: It is damaged, or readers would show it differently.
        Unsupported: It is no photograph or secondary capture, or coded in a way that is not handled.
        TooLarge: The picture is over the limits.
    """
    return DicomPhoto(Dicom(data, limits.bytes), data, limits)


class DicomPhoto:
    """A parsed DICOM picture."""

    name = NAME
    orientation = 1

    def __init__(self, dicom: Dicom, data: bytes, limits: Limits) -> None:
        self.data, self.dicom = data, dicom
        self._statement = Statement(key=_UNKEYED)
        self._limits = limits
        self._of_a_kind()
        facts = self._facts = _header.read(dicom)
        self.frames = dicom.number(t.FRAMES, 1)
        self.excess = 0
        self._fits(facts, limits)
        self.width, self.height = facts.columns, facts.rows
        ultrasound = dicom.text(t.CLASS_UID) == t.ULTRASOUND
        self._overlay = _regions.outside(dicom, self.width, self.height) if ultrasound else ()
        self._coded = [self._frame(0)] if dicom.encapsulated else []
        if dicom.syntax in (t.JPEG, t.JPEG_EXTENDED):
            self._facts = self._as_the_jpeg_says(facts)
        elif dicom.syntax == t.J2K and irreversible(self._coded[0]):
            self._facts = msgspec.structs.replace(facts, lossy=True, method=facts.method or "ISO_15444_1")

    def _of_a_kind(self) -> None:
        uid = self.dicom.text(t.CLASS_UID)
        if uid not in t.CLASSES:
            kind = t.OTHER_CLASSES.get(uid or self.dicom.meta.get(t.META_CLASS, b"").decode("latin-1").strip("\0 "))
            name = f"a DICOM file of the kind {kind}" if kind else "a DICOM file of another kind"
            raise Unsupported(f"this is {name}, which is not cleaned.", todo=_ANOTHER)
        if self.dicom.meta.get(t.META_CLASS, b"").decode("latin-1").strip("\0 ") not in ("", uid):
            raise Malformed("the DICOM file says twice what it is, and not the same.")
        if t.PIXELS not in self.dicom.top:
            raise Malformed("the DICOM file holds no picture.")
        if self.dicom.syntax not in (*t.NATIVE, *t.CODED):
            name = t.SYNTAXES.get(self.dicom.syntax, "a coding of another kind")
            raise Unsupported(f"the DICOM file holds {name}, which is not handled.", todo=_CONVERT)
        if self.dicom.encapsulated != (self.dicom.syntax in t.CODED):
            raise Malformed("the pixel data of the DICOM file are not coded as it says.")

    def _fits(self, facts: _header.Facts, limits: Limits) -> None:
        if facts.rows <= 0 or facts.columns <= 0 or self.frames < 1:
            raise Malformed("the DICOM file does not say how large its picture is.")
        if facts.rows * facts.columns > limits.pixels:
            raise TooLarge("the picture is larger than the policy allows.")
        if self.frames > limits.frames:
            raise TooLarge("the file has more frames than the policy allows.")
        coded = {t.J2K_LOSSLESS: ("YBR_RCT",), t.J2K: ("YBR_RCT", "YBR_ICT")}
        jpeg_colours = ("YBR_FULL", "YBR_FULL_422") if self.dicom.syntax in (t.JPEG, t.JPEG_EXTENDED) else ()
        known = {
            1: ("MONOCHROME1", "MONOCHROME2"),
            3: ("RGB", *jpeg_colours, *coded.get(self.dicom.syntax, ())),
        }
        plain = facts.allocated in (8, 16) and 1 <= facts.stored <= facts.allocated
        if facts.samples not in known or facts.photometric not in known[facts.samples]:
            raise Unsupported("the DICOM file has colours of a kind that is not handled.", todo=_CONVERT)
        if not plain or self.dicom.number(t.SIGNED, 0) or (facts.samples == 3 and facts.stored not in (8, 16)):
            raise Unsupported("the DICOM file has samples of a kind that is not handled.", todo=_CONVERT)
        if self.dicom.number(t.HIGH_BIT, facts.stored - 1) != facts.stored - 1:
            raise Unsupported("the DICOM file has samples of a kind that is not handled.", todo=_CONVERT)
        if self.dicom.number(t.PLANAR, 0) not in (0, 1):
            raise Malformed("a number in the DICOM header is damaged.")
        if not self.dicom.encapsulated:
            size = self._frame_bytes * self.frames
            there = len(self.dicom.top[t.PIXELS].value)
            if there < size:
                raise Malformed("the pixel data of the DICOM file are not of the size it says.")
            self.excess = there - size - size % 2  # receivers pass over it (PS3.5, 8.1.1)

    @property
    def _frame_bytes(self) -> int:
        return self._facts.rows * self._facts.columns * self._facts.samples * (self._facts.allocated // 8)

    def _frame(self, index: int) -> bytes:
        """The coded bytes of a frame, without the byte that makes their number even."""
        parts = self.dicom.fragments
        if self.frames > 1 and len(parts) != self.frames:
            raise Unsupported("the frames of the DICOM file cannot be told apart.", todo=_CONVERT)
        wanted = parts if self.frames == 1 else parts[index : index + 1]
        raw = b"".join(wanted)
        even = raw[-3:] == b"\xff\xd9\0" and len(raw) % 2 == 0
        return raw[:-1] if even else raw

    # -- JPEG -------------------------------------------------------------------------------------------------------

    @cached_property
    def _jpeg(self) -> jpeg.JpegPhoto:
        photo = jpeg.open(self._coded[0], self._limits)
        photo.orientation = 1  # no DICOM viewer turns a frame by what EXIF says
        return photo

    def _as_the_jpeg_says(self, facts: _header.Facts) -> _header.Facts:
        """The facts with the coded picture's own colours.

        Raises:
            Malformed: The header says something else, so that viewers would show it differently.
        """
        frame = self._jpeg.frame
        if (frame.width, frame.height, len(frame.components)) != (facts.columns, facts.rows, facts.samples):
            raise Malformed("the JPEG picture is of another size than the DICOM header says.")
        if facts.allocated != 8 or facts.stored != 8 or frame.sof not in SEQUENTIAL:
            raise Malformed("the JPEG picture has other samples than the DICOM header says.")
        if facts.samples == 3:
            # The copy's header is told by a picture that says it; where both leave it open, viewers guess differently.
            if is_rgb(self._jpeg) != (facts.photometric == "RGB") and not says_colours(self._jpeg):
                raise Malformed("the JPEG picture has other colours than the DICOM header says.")
            # PS3.3 allows photographs no other name for JPEG's own colours, whatever the subsampling.
            name = "RGB" if is_rgb(self._jpeg) else "YBR_FULL_422"
            facts = msgspec.structs.replace(facts, photometric=name)
        method = facts.method or "ISO_10918_1"
        ratio = facts.ratio or _header.short(self._frame_bytes / len(self._coded[0]))
        return msgspec.structs.replace(facts, lossy=True, method=method, ratio=ratio)

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Attributes and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        out = self._elements()
        profile = self._raw_profile
        if profile and profile != self._profile:
            out += icc.findings(profile, "data set/profile")
        if self.dicom.syntax in (t.JPEG, t.JPEG_EXTENDED):
            out += [msgspec.structs.replace(f, where=f"pixel data/{f.where}") for f in self._jpeg.metadata()]
        elif self._spare:
            out.append(
                Finding(kind=Kind.HIDDEN_IMAGE, category=Category.OVERLAY, where="pixel data/bits", detector=DETECTOR)
            )
        return out

    def _elements(self) -> list[Finding]:
        """Attributes that are not the picture's, and bytes beside it."""
        found: Counter[tuple[Kind, str, str]] = Counter()
        values: dict[tuple[Kind, str, str], list[str]] = {}
        if self.dicom.preamble.strip(b"\0"):
            found[Kind.METADATA, Category.UNKNOWN_BLOCK, "preamble"] += 1
        meta = set(self.dicom.meta) - {0x00020000, 0x00020001, 0x00020010, 0x00020012, 0x00020013, *_META_UIDS}
        if meta:
            found[Kind.METADATA, Category.DEVICE, "file meta"] += len(meta)
        if self.dicom.offsets and _header.ours(self.dicom):
            found[Kind.METADATA, Category.UNKNOWN_BLOCK, "offset table"] += 1
        for element in _header.says_more(self.dicom, self._plain_facts):
            key = (*t.category(element.tag, element.vr), "sequences" if element.depth else "data set")
            found[key] += 1
            values.setdefault(key, []).append(_text.shown(self.dicom, element))
        if self.excess > 0:
            found[Kind.METADATA, Category.TRAILING_BYTES, "pixel data"] += 1
        if self.dicom.tail:
            found[Kind.METADATA, Category.TRAILING_BYTES, "after the data set"] += 1
        if self._overlay:
            found[Kind.HIDDEN_IMAGE, Category.OVERLAY, "pixel data/outside the regions"] += 1
        if self.frames > 1:
            found[Kind.HIDDEN_IMAGE, Category.EXTRA_FRAMES, "pixel data"] += self.frames - 1
        return [
            Finding(
                kind=kind, category=category, where=where, count=count, detector=DETECTOR,
                secret=Secret("\n".join(filter(None, values.get((kind, category, where), ())))),
            )
            for (kind, category, where), count in found.items()
        ]  # fmt: skip

    @property
    def _plain_facts(self) -> _header.Facts:
        return msgspec.structs.replace(self._facts, profile=self._raw_profile)

    @property
    def _raw_profile(self) -> bytes:
        element = self.dicom.top.get(t.PROFILE)
        return element.value if element else b""

    @cached_property
    def _profile(self) -> bytes:
        return icc.clean(self._raw_profile) or b"" if self._raw_profile else b""

    def values(self) -> KnownValues:
        """Names, numbers and dates of the header (:class:`medimg.formats.Declaring`)."""
        return _text.values(self.dicom)

    # -- pixels -----------------------------------------------------------------------------------------------------

    @cached_property
    def _raw(self) -> NDArray[Any]:
        """The samples of the first frame as they are stored, spare bits and all; not for JPEG."""
        from medimg.formats.dicom import _pixels

        facts, dicom = self._facts, self.dicom
        shape = (facts.rows, facts.columns, facts.samples)
        if dicom.syntax == t.RLE:
            return _pixels.run_length(self._coded[0], shape, facts.allocated)
        if dicom.syntax in (t.J2K, t.J2K_LOSSLESS):
            return _pixels.jpeg2000(self._coded[0], shape, facts.stored)
        raw = dicom.top[t.PIXELS].value[: self._frame_bytes]
        planes = bool(dicom.number(t.PLANAR, 0))
        return _pixels.plain(raw, shape, facts.allocated, little=dicom.little, planes=planes)

    @cached_property
    def _spare(self) -> bool:
        if self._facts.stored == self._facts.allocated or self.dicom.syntax in (t.J2K, t.J2K_LOSSLESS):
            return False
        from medimg.formats.dicom import _pixels

        return _pixels.spare_bits(self._raw, self._facts.stored)

    @cached_property
    def _samples(self) -> NDArray[Any]:
        from medimg.formats.dicom import _pixels

        return _pixels.without_spare(self._raw, self._facts.stored) if self._spare else self._raw

    @property
    def coded(self) -> bool:
        """Whether the picture is a JPEG inside the data set."""
        return self.dicom.syntax in (t.JPEG, t.JPEG_EXTENDED)

    def behind(self) -> bool:
        """Whether bytes stand behind the last block of a JPEG inside; every symbol is read to know it."""
        return self.coded and self._jpeg.behind()

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Samples at their own depth, uint8 or uint16: grey (H, W) as stored, or RGB (H, W, 3)."""
        self._only_first(frame)
        return self._jpeg.samples() if self.coded else self._samples

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB: the whole range, stretched where it is dim, and through the header's window."""
        from medimg.formats.dicom import _pixels

        self._only_first(frame)
        facts = self._facts
        inverted = facts.photometric == "MONOCHROME1"
        out = _pixels.views(self.samples(), facts.stored, facts.window, self._profile, inverted=inverted)
        return [_regions.blanked(view, self._overlay) for view in out] if self._overlay else list(out)

    def _only_first(self, frame: int) -> None:
        if frame:
            raise CheckNotRun("further frames of a DICOM file are not looked at, and never kept.")

    # -- the copy ---------------------------------------------------------------------------------------------------

    def state(self, statement: Statement) -> None:
        """What :meth:`write` may say of the copy (:class:`medimg.formats.Declaring`)."""
        self._statement = msgspec.structs.replace(statement, key=statement.key or _UNKEYED)

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The picture behind a new header.

        Raises:
            CheckNotRun: A cover or crop cannot be made without loss.
            UsageError: The crop lies outside the picture.
        """
        coded = self._stays_jpeg
        covers = [*covers, *self._over_the_overlay(covers)]
        copy, photometric = self._in_jpeg(covers, crop) if coded else self._plain(covers, crop)
        facts = self._facts_of(copy, photometric, self._profile if keep_profile else b"")
        pixels = [copy.data] if coded else plain(copy.data, facts.allocated)
        fields = _header.fields(facts, self._statement)
        syntax = t.EXPLICIT
        if coded:
            syntax = t.JPEG if jpeg.open(copy.data, self._limits).frame.sof == SEQUENTIAL[0] else t.JPEG_EXTENDED
        notes = (*(("frames-dropped",) if self.frames > 1 else ()), *(("cropped",) if copy.cropped else ()))
        return msgspec.structs.replace(
            copy,
            data=file(syntax, facts.object_class, facts.instance, fields, pixels),
            format=NAME,
            suffix=SUFFIX,
            notes=notes + (("profile-dropped",) if self._raw_profile and not facts.profile else ()),
        )

    @property
    def _stays_jpeg(self) -> bool:
        return self.dicom.syntax in (t.JPEG, t.JPEG_EXTENDED)

    @property
    def block(self) -> tuple[int, int]:
        """See :class:`medimg.formats.InBlocks`."""
        return self._jpeg.block if self._stays_jpeg else (1, 1)

    def _over_the_overlay(self, covers: Sequence[Cover]) -> list[Cover]:
        from medimg.redact.cover import colour_of

        return [
            Cover(polygon=box.polygon, category=Category.OVERLAY, colour=colour_of(covers)) for box in self._overlay
        ]

    def _facts_of(self, copy: Copy, photometric: str, profile: bytes) -> _header.Facts:
        facts = self._facts
        altered = bool(copy.covered or copy.cropped)
        return msgspec.structs.replace(
            facts,
            rows=copy.height,
            columns=copy.width,
            photometric=photometric,
            profile=profile,
            image_type=("DERIVED", facts.image_type[1]) if altered else facts.image_type,
            instance=self._new_uid(facts.instance, "instance"),
            study=self._new_uid(facts.study, "study"),
            series=self._new_uid(facts.series, "series"),
        )

    def _new_uid(self, old: str, level: str) -> str:
        return new_uid(self._statement.key, old or f"{level} of {hashlib.sha256(self.data).hexdigest()}")

    def _in_jpeg(self, covers: Sequence[Cover], crop: Box | None) -> tuple[Copy, str]:
        inverted = self._facts.photometric == "MONOCHROME1"
        wanted = [msgspec.structs.replace(c, colour=_inverse(c.colour)) for c in covers] if inverted else covers
        return self._jpeg.write(wanted, keep_profile=False, crop=crop), self._facts.photometric

    def _plain(self, covers: Sequence[Cover], crop: Box | None) -> tuple[Copy, str]:
        from medimg.redact.cover import clipped, colour_of, cut, framed, paint, sample_values

        box, moved = framed(covers, crop, self.width, self.height)
        samples = cut(self._samples, box)
        height, width = samples.shape[:2]
        covered = clipped(moved, width, height)
        if covered:
            colour = _inverse(colour_of(moved)) if self._facts.photometric == "MONOCHROME1" else colour_of(moved)
            values = sample_values(colour, self._facts.samples, (1 << self._facts.stored) - 1)
            samples = paint(samples, moved, colour=values if samples.ndim == 3 else values[0])
        as_it_was = self.dicom.syntax in (t.EXPLICIT, t.IMPLICIT, t.DEFLATED) and not self.dicom.number(t.PLANAR, 0)
        untouched = as_it_was and not (covered or box or self._spare)
        data = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
        return (
            Copy(
                data=data, format=NAME, suffix=SUFFIX, width=width, height=height,
                method="segment-copy" if untouched else "samples", covered=covered, cropped=box,
            ),
            "RGB" if self._facts.samples == 3 else self._facts.photometric,
        )  # fmt: skip


_META_UIDS = (t.META_CLASS, t.META_INSTANCE)


def _inverse(colour: Colour) -> Colour:
    red, green, blue = colour
    return 255 - red, 255 - green, 255 - blue
