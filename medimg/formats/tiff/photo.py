"""TIFF photographs: scanners, microscopes, hospital archives (TIFF 6.0; Adobe Photoshop TIFF notes; BigTIFF).

The copy is a classic TIFF of one page, built anew from an allow-list of fields. Without covers its strips or tiles are
the original's rows, as they are or deflated anew, or its JPEGs; with covers the samples are written again, deflated,
outside the covers exactly as they were.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats import refused
from medimg.formats.shared import exif, icc
from medimg.formats.tiff import _file, _findings, _pages, packed
from medimg.formats.tiff._file import ALPHA, INTEGERS, MULTIPLIED, NO_COLOURS, UNSAID, Entry, Ifd, Tiff, build, read
from medimg.formats.tiff._strips import FAX_OPTIONS, FILL_ORDER, Strips
from medimg.types import Box, Copy, Cover, Finding, Limits, Polygon
from medimg.vocabulary import Category, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "tiff"

# Compression -> name (TIFF 6.0, section 8 and 9; TIFF technical note 2; Adobe Photoshop TIFF notes).
COMPRESSIONS = {
    1: "none", 2: "ccitt", 3: "ccitt", 4: "ccitt", 5: "lzw", 7: "jpeg", 8: "deflate", 32946: "deflate",
    32773: "packbits",
}  # fmt: skip

# Fields that say how the samples are laid out, nothing else (TIFF 6.0, section 8, 11, 13, 15, 18, 20 to 22).
# 256 width, 257 height, 258 bits, 259 compression, 262 photometric, 266 fill order, 274 orientation, 277 samples,
# 278 rows per strip, 284 planar, 292 and 293 fax options, 317 predictor, 320 colour map, 322 and 323 tile size,
# 332 ink set, 338 extra samples, 339 sample format, 529 to 532 YCbCr and reference values.
LAYOUT = (
    256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 292, 293, 317, 320, 322, 323, 332, 338, 339, 529, 530, 531, 532,
)  # fmt: skip
JPEG_TABLES, PROFILE, ORIENTATION, KIND = 347, 34675, 274, 254
WHOLE_PICTURE = (4, bytes(4))
"""NewSubfileType of a copy: without it ExifTool takes the picture for a preview."""
STRIPS, TILES = (273, 279), (324, 325)
RAW_TAGS = {50706: "a DNG raw photo", 33421: "a camera raw photo", 50752: "a camera raw photo"}
CFA, LINEAR_RAW = 32803, 34892
# Photometric interpretation -> colour channels (TIFF 6.0, sections 8, 16, 20, 21 and 23).
COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}
PALETTE, INKS, YCBCR = 3, 5, 6
PREDICTED = (5, 8, 32946)
DEFLATE = 8
# Layout field -> the photometric interpretations, or compressions, in which it says something of the picture. In any
# other a viewer passes it over, and it could hold anything.
OF_COLOURS = {320: (PALETTE,), 332: (INKS,), 529: (YCBCR,), 530: (YCBCR,), 531: (YCBCR,), 532: (YCBCR,)}
OF_PACKING = {292: (3,), 293: (4,), 317: PREDICTED} | dict.fromkeys((529, 532), (1, *PREDICTED, 32773))
ROWS = 278
DEFINED = {
    266: (1, 2), 284: (1, 2), 292: range(8), 293: (0, 2), 317: (1, 2, 3), 332: (1, 2), 339: (1, 4), 530: (1, 2, 4),
    531: (1, 2),
}  # fmt: skip
"""Layout field -> its values that are defined; most viewers pass another over, and it could say anything."""
PARTS = 10_000
"""What fractions are rounded to: the coefficients of ITU-R BT.601 and 709 have four places."""


def sniff(head: bytes) -> bool:
    """Classic or big TIFF, either byte order."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open(data: bytes, limits: Limits) -> TiffPhoto:  # noqa: A001 - the name every format module has
    """Parse the directories.

    Raises:
        Malformed: They are damaged.
        TooLarge: The picture is over a limit.
        Unsupported: It is camera raw, or packed in a way that is not handled.
    """
    found = refused.recognise(data)
    if found is not None and (found.kind != "picture" or data[128:132] == b"DICM"):
        raise Unsupported(f"this is {found.name}, which is not cleaned.", todo=found.advice)
    tiff = read(data, limits.frames)
    for tag, name in RAW_TAGS.items():
        if any(tag in page.entries for page in tiff.pages):
            raise Unsupported(f"this is {name}, which is not cleaned.", todo=refused.ADVICE["raw"])
    photo = TiffPhoto(tiff)
    if photo.width * photo.height > limits.pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    return photo


class TiffPhoto:
    """A parsed TIFF; of several pages the picture, unless another is asked for."""

    name = NAME

    def __init__(self, tiff: Tiff, page: int | None = None) -> None:
        self.data = tiff.data
        self.tiff = tiff
        self.page: Ifd = _pages.picture(tiff, page)
        self.frames = len(tiff.pages)
        self.others, self.subs = _pages.others(tiff, self.page, page)
        self.heads = () if page is not None or self.page is tiff.pages[0] else (tiff.pages[0],)
        if self.page.twice & self._kept_tags():
            raise Malformed("a field of the picture stands twice, and not the same.")
        self.width, self.height = self._number(256, 0), self._number(257, 0)
        if not self.width or not self.height:
            raise Malformed("the picture does not say how large it is.")
        turned = self.page.entries.get(ORIENTATION)
        self.orientation = (turned and exif.whole_orientation(tiff.order, turned.type, turned.raw)) or 1
        compression = self._number(259, 1)
        if compression not in COMPRESSIONS:
            raise Unsupported("this TIFF is compressed in a way that is not handled.")
        self.compression = COMPRESSIONS[compression]
        if self._number(262, 0) in (CFA, LINEAR_RAW):
            raise Unsupported("this is a camera raw photo, which is not cleaned.")
        self.bits = tiff.numbers(self.page, 258, (1,))
        if len(set(self.bits)) != 1 or self.bits[0] not in (1, 2, 4, 8, 16):
            raise Unsupported("this TIFF has a bit depth that is not handled.")
        if set(tiff.numbers(self.page, 339, (1,))) - {1, 4}:
            raise Unsupported("this TIFF holds measurements, not a picture.")
        self._check_channels()
        self.chunks = self._chunks()

    def _check_channels(self) -> None:
        """Colour channels and at most one alpha: in any other channel a picture could hide."""
        colours, extra = COLOURS.get(self._number(262, -1)), self.tiff.numbers(self.page, 338)
        channels = self._number(277, 1)
        if colours is None or (self._number(262, -1) == YCBCR and self.compression != "jpeg"):
            raise Unsupported("this TIFF stores its colours in a way that is not handled.")
        if colours == 1 and self._number(262, 0) == PALETTE and self.bits[0] > 8:
            raise Unsupported("this TIFF has a bit depth that is not handled.")
        most = colours + 1 if self._number(262, 0) in (0, 1, 2) else colours
        if not colours + len(extra) <= channels <= most or len(self.bits) not in (1, channels):
            raise Unsupported(NO_COLOURS)
        if extra and extra[0] not in (UNSAID, MULTIPLIED, ALPHA):
            raise Unsupported(NO_COLOURS)

    def _number(self, tag: int, default: int) -> int:
        return self.tiff.number(self.page, tag, default)

    def _chunks(self) -> list[tuple[int, int]]:
        """(start, length) of every strip or tile."""
        tiled = TILES[0] in self.page.entries
        place, size = TILES if tiled else STRIPS
        starts, sizes = self.tiff.numbers(self.page, place), self.tiff.numbers(self.page, size)
        if self.tiles is not None and not all(self.tiles):
            raise Malformed("the picture's tiles have no size.")
        across, down = self.chunk_size(0)
        expected = -(-self.width // across) * -(-self.height // down) * self.planes
        if len(starts) != expected or len(sizes) != expected:
            raise Malformed("the picture's strips do not add up.")
        if any(a + n > len(self.data) or not n for a, n in zip(starts, sizes, strict=True)):
            raise Malformed("a strip of the picture stands outside the file.")
        return list(zip(starts, sizes, strict=True))

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Fields, pages and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        found = _findings.of_page(self.tiff, self.page, self._kept_tags())
        for head in self.heads:  # of a thumbnail that stands first, which often describes the photo too
            found += _findings.of_page(self.tiff, head, self._kept_tags() - {PROFILE})
        for category, where, count in (
            ("extra-frames", "IFD1...", self.others),
            ("second-image", "SubIFDs", self.subs),
        ):
            if count:
                found.append(
                    Finding(kind=Kind.HIDDEN_IMAGE, category=category, where=where, count=count, detector="tiff reader")
                )
        if not (self.others or self.subs) and _findings.loose_bytes(self.tiff, self.page, self.chunks):
            found.append(
                Finding(
                    kind=Kind.METADATA,
                    category=Category.UNKNOWN_BLOCK,
                    where="bytes of no field",
                    detector="tiff reader",
                )
            )
        if self.strips.more:
            found.append(
                Finding(
                    kind=Kind.METADATA,
                    category=Category.UNKNOWN_BLOCK,
                    where="strips/bytes that are no picture",
                    detector="tiff reader",
                )
            )
        if self.hidden:
            found.append(
                Finding(
                    kind=Kind.HIDDEN_IMAGE,
                    category=Category.HIDDEN_PIXELS,
                    where="strips/more than is shown",
                    detector="tiff reader",
                )
            )
        return found

    def _kept_tags(self) -> frozenset[int]:
        said = filter(self._says_something, LAYOUT)
        return frozenset((*said, ORIENTATION, *STRIPS, *TILES, JPEG_TABLES, PROFILE))

    @property
    def has_alpha(self) -> bool:
        """Whether some pixels may be hidden under alpha."""
        return self._number(277, 1) > COLOURS[self._number(262, 0)]

    @property
    def alpha(self) -> int:
        """What the channel beside the colours is (ExtraSamples): 0 if the file does not say."""
        return self.tiff.number(self.page, 338, UNSAID)

    @cached_property
    def strips(self) -> Strips:
        """What the strips or tiles hold."""
        return Strips(self)

    @property
    def packed_anew(self) -> bool:
        """Whether strips are packed in a way in which the copy's are not."""
        return self.compression not in ("none", "jpeg")

    @property
    def planes(self) -> int:
        """How often the strips or tiles run through the picture: once a channel where channels stand apart."""
        return self._number(277, 1) if self._number(284, 1) == 2 else 1

    @property
    def tiles(self) -> tuple[int, int] | None:
        """Width and height of a tile; None where there are strips."""
        return (self._number(322, 0), self._number(323, 0)) if TILES[0] in self.page.entries else None

    def chunk_size(self, index: int) -> tuple[int, int]:
        """Columns and rows of a strip or tile."""
        if self.tiles is not None:
            return self.tiles
        step = min(self._number(278, 2**32 - 1) or 1, self.height)
        strips = -(-self.height // step)
        return self.width, min(step, self.height - (index % strips) * step)

    def places(self) -> list[tuple[int, int]]:
        """The left upper corner of every strip or tile."""
        across, down = self.chunk_size(0)
        once = [(x, y) for y in range(0, self.height, down) for x in range(0, self.width, across)]
        return once * self.planes

    @cached_property
    def hidden(self) -> bool:
        """Whether strips or tiles hold more than is shown of them; see :mod:`medimg.formats.tiff._hidden`."""
        from medimg.formats.tiff import _hidden

        return _hidden.hidden(self)

    # -- pixels -----------------------------------------------------------------------------------------------------

    def samples(self, frame: int = 0) -> NDArray[Any]:  # noqa: ARG002 - one page
        """Decoded samples of the first page: grey, RGB, RGBA or CMYK; 1-bit as 0 and 255, palettes as RGB.

        Colours under alpha 0 are 0.
        """
        return self._decoded

    @cached_property
    def _decoded(self) -> NDArray[Any]:
        from medimg.formats.tiff import _decode

        return _decode.first_page(self)

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings."""
        from medimg.formats.shared import views as _views
        from medimg.formats.tiff import _decode

        _, profile = self._profile_field(keep_profile=True).get(PROFILE, (7, None))
        if self._number(262, 0) == INKS:
            return list(_views.inks(self.samples(frame), profile))
        return list(_views.of(_decode.divided(self, self.samples(frame)), profile))

    # -- the copy ---------------------------------------------------------------------------------------------------

    def stripped(self, *, keep_profile: bool = True, colour_map: bytes | None = None) -> bytes:
        """The first page with its layout fields, its strips or tiles, and nothing else."""
        fields = {KIND: WHOLE_PICTURE} | self.layout | self._profile_field(keep_profile)
        if colour_map is not None:
            fields[320] = (3, colour_map)
        fields.pop(JPEG_TABLES, None)  # each strip has its own
        return self.built(fields, self.strips.kept)

    def built(self, fields: dict[int, tuple[int, bytes]], chunks: list[bytes]) -> bytes:
        """A file of these fields and strips or tiles."""
        place, size = TILES if TILES[0] in self.page.entries else STRIPS
        return build(self.tiff.order, fields, chunks, offsets=place, counts=size)

    @property
    def layout(self) -> dict[int, tuple[int, bytes]]:
        """Tag -> (field type, value) of the fields that say how the samples are laid out."""
        fields = {tag: self._field(self.page.entries[tag]) for tag in LAYOUT if self._says_something(tag)}
        if self.packed_anew:
            fields = {tag: v for tag, v in fields.items() if tag not in (FILL_ORDER, *FAX_OPTIONS)}
            fields[259] = (3, struct.pack(f"{self.tiff.order}H", DEFLATE))
        if ROWS in fields:
            fields[ROWS] = self._numbers([min(self._number(ROWS, 1) or 1, self.height)])
        if self.orientation > 1:
            fields[ORIENTATION] = (3, struct.pack(f"{self.tiff.order}H", self.orientation))
        tables = self.page.entries.get(JPEG_TABLES)
        if tables is not None and self.compression == "jpeg":
            fields[JPEG_TABLES] = (7, packed.without_applications(tables.raw))
        return fields

    def _says_something(self, tag: int) -> bool:
        """Whether a layout field is there and is about this picture."""
        colours, packing = self._number(262, 0), self._number(259, 1)
        return (
            tag in self.page.entries
            and tag not in (ORIENTATION, *((322, 323) if self.tiles is None else (ROWS,)))
            and colours in OF_COLOURS.get(tag, (colours,))
            and packing in OF_PACKING.get(tag, (packing,))
        )

    def _field(self, entry: Entry) -> tuple[int, bytes]:
        """A layout field, its numbers in classic types."""
        if entry.type in INTEGERS:
            values = self.tiff.numbers(self.page, entry.tag)
            many = {258: len(self.bits), 320: 3 << self.bits[0], 529: 3, 530: 2, 532: 6}
            channels = self._number(277, 1) if entry.tag in (338, 339) else 1
            if not 1 <= len(values) <= many.get(entry.tag, channels) or any(v >= 2**32 for v in values):
                raise Malformed("a field of the picture has too few or too many values.")
            if not set(values) <= set(DEFINED.get(entry.tag, values)):
                raise Malformed("a field of the picture has a value that is not defined.")
            return self._numbers(_file.wide_map(values) if entry.tag == 320 else values)
        if entry.type == 5 and entry.tag in (529, 532) and entry.count in (3, 6):
            return 5, self._rounded(entry.raw)
        raise Malformed("a field of the picture is of a wrong type.")

    def _numbers(self, values: Sequence[int]) -> tuple[int, bytes]:
        """Whole numbers as a field, in the narrower of the two types that hold them."""
        kind, code = (4, "I") if any(v > 0xFFFF for v in values) else (3, "H")
        return kind, struct.pack(f"{self.tiff.order}{len(values)}{code}", *values)

    def _rounded(self, raw: bytes) -> bytes:
        """Fractions of one denominator: a fraction of any other could say anything."""
        numbers = struct.unpack(f"{self.tiff.order}{len(raw) // 4}I", raw)
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        if not all(d and n / d * PARTS < 2**32 - 1 for n, d in pairs):
            raise Malformed("a field of the picture has a value that is too large.")
        return b"".join(struct.pack(f"{self.tiff.order}2I", round(PARTS * n / d), PARTS) for n, d in pairs)

    def _profile_field(self, keep_profile: bool) -> dict[int, tuple[int, bytes]]:
        entry = self.page.entries.get(PROFILE)
        if not keep_profile:
            return {}
        made = icc.adobe_rgb() if entry is None and self._adobe_rgb else None
        clean = icc.clean(entry.raw) if entry is not None else made
        return {PROFILE: (7, clean)} if clean else {}

    @property
    def _adobe_rgb(self) -> bool:
        """Whether EXIF alone states Adobe RGB; in BigTIFF it is not looked for."""
        return (COLOURS[self._number(262, 0)] == 3 or self._number(262, 0) == PALETTE) and exif.says_adobe_rgb(
            self.data
        )

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The copy: strip-identical without covers, samples written again with them."""
        from medimg.formats.tiff import _decode

        notes = ("frames-dropped",) if self.others or self.subs else ()
        from medimg.redact.cover import framed

        covered: tuple[Polygon, ...] = ()
        crop, covers = framed(covers, crop, self.width, self.height)
        if not covers and not crop and not self.has_alpha and not self.hidden:
            colour_map = _decode.colour_map(self) if self._number(262, 0) == PALETTE else None
            data = self.stripped(keep_profile=keep_profile, colour_map=colour_map)
            method = "samples" if self.packed_anew else "segment-copy"
        else:
            data, covered = _decode.covered(self, covers, self._profile_field(keep_profile), crop)
            method = "samples"
        return Copy(
            data=data, format=NAME, suffix=".tif", width=crop.width if crop else self.width,
            height=crop.height if crop else self.height, orientation=self.orientation, method=method,
            covered=covered, notes=(*notes, "cropped") if crop else notes, cropped=crop,
        )  # fmt: skip
