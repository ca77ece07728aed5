"""HEIF containers: HEIC from phones, and AVIF (ISO/IEC 23008-12; AV1 Image File Format 1.1).

Without covers the copy is a file built anew from the primary picture and its tiles: their coded bytes are the
original's, and nothing else of the file is read into it. With covers, or where alpha may hide pixels, the copy is
a PNG with the decoded samples.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, Malformed, TooLarge, Unsupported
from medimg.formats.heif import _build, _findings, _hidden, _nal, _obu
from medimg.formats.heif._bits import Coded
from medimg.formats.heif._items import CODED, DERIVED, Item, Tables, read
from medimg.formats.shared import exif
from medimg.formats.shared import icc as _icc
from medimg.formats.shared.bmff import top_boxes
from medimg.types import Box, Copy, Cover, Finding, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats import Opened

NAME = "heif"

HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
AVIF_BRANDS = frozenset((b"avif", b"avis"))
OTHER_BRANDS = frozenset((b"mif1", b"mif2", b"msf1", b"miaf"))

ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


def sniff(head: bytes) -> bool:
    """Whether the ``ftyp`` box names a HEIF or AVIF brand."""
    if head[4:8] != b"ftyp" or len(head) < 16:
        return False
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[k : k + 4] for k in range(16, end - 3, 4))}
    return bool(brands & (HEIC_BRANDS | AVIF_BRANDS | OTHER_BRANDS)) and b"crx " not in brands


def open(data: bytes, limits: Limits) -> Heif:  # noqa: A001 - the name every format module has
    """Parse the tables.

    Raises:
        Malformed: They are damaged.
        TooLarge: The picture is over ``limits.pixels``.
        Unsupported: The picture is coded in a way that is not handled.
    """
    photo = Heif(data)
    if photo.width * photo.height > limits.pixels or not photo.width * photo.height:
        raise TooLarge("the picture is larger than the policy allows.")
    return photo


class Heif:
    """A parsed HEIF or AVIF file. ``width`` and ``height`` are those of the decoded picture, turned as it says."""

    name = NAME
    orientation = 1

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.top, self.end = top_boxes(data)
        metas = [b for b in self.top if b.type == b"meta"]
        if len(metas) != 1:
            raise Unsupported("this file holds no single primary picture.")
        self.tables: Tables = read(data, metas[0])
        if self.end < max((a + n for item in self.tables.items.values() for a, n in item.extents), default=0):
            raise Malformed("a box is larger than the space it stands in.")
        self.kept = self.closure(self.tables.primary)
        kinds = {self.tables.items[i].type for i in self.kept} - DERIVED
        if len(kinds) != 1 or not kinds <= set(CODED):
            raise Unsupported("the picture in this file is coded in a way that is not handled.")
        self.coding = CODED[kinds.pop()]
        self.width, self.height = self._shown_size()
        self.frames = 2 if any(b.type == b"moov" for b in self.top) else 1  # or more: a sequence is not counted

    def part(self, item: int) -> Heif:
        """One of the pictures that the primary one is put together from, as if it were the primary one."""
        one = Heif.__new__(Heif)
        one.data, one.top, one.end, one.coding = self.data, self.top, self.end, self.coding
        one.tables = replace(self.tables, primary=item)
        one.kept, one.frames, one.alpha = [item], 1, []
        one.width, one.height = one._shown_size()
        return one

    @cached_property
    def hidden(self) -> str | None:
        """What the coded data hold beside the picture that is shown; see :mod:`medimg.formats.heif._hidden`."""
        return _hidden.hidden(self)

    def closure(self, start: int) -> list[int]:
        """A picture and everything it is derived from, in order."""
        out, queue = [start], [start]
        while queue:
            for target in self.tables.targets(b"dimg", queue.pop(0)):
                if target not in self.tables.items:
                    raise Malformed("a tile is missing.")
                if target not in out:
                    out.append(target)
                    queue.append(target)
        return out

    def property(self, item: int, kind: bytes) -> bytes | None:
        """The first property of a kind that an item has."""
        for index, _ in self.tables.items[item].properties:
            if self.tables.properties[index - 1][0] == kind:
                return self.tables.properties[index - 1][1]
        return None

    def coded(self, item: int) -> Coded:
        """A coded picture as a copy would hold it.

        Raises:
            Malformed: It is damaged.
        """
        record = self.property(item, b"av1C" if self.coding == "avif" else b"hvcC")
        if record is None:
            raise Malformed("a coded picture's configuration is cut short.")
        read = _obu.read if self.coding == "avif" else _nal.read
        return read(record, self.tables.payload(self.data, self.tables.items[item]))

    def _shown_size(self) -> tuple[int, int]:
        size = self.property(self.tables.primary, b"ispe")
        if size is None or len(size) != 12:
            raise Malformed("the picture does not say how large it is.")
        width, height = struct.unpack(">II", size[4:])
        clap = self.property(self.tables.primary, b"clap")
        if clap is not None:
            if len(clap) != 32:
                raise Malformed("the picture's clean aperture is damaged.")
            wn, wd, hn, hd = struct.unpack(">4I", clap[:16])
            if not wd or not hd:
                raise Malformed("the picture's clean aperture is damaged.")
            width, height = min(width, wn // wd), min(height, hn // hd)
        turn = self.property(self.tables.primary, b"irot")
        return (height, width) if turn and turn[0] & 1 else (width, height)

    @cached_property
    def alpha(self) -> list[int]:
        """Alpha pictures that belong to the primary picture."""
        return [i for i in self._auxiliary() if self.aux_type(i) in ALPHA]

    def _auxiliary(self) -> list[int]:
        return [
            frm
            for kind, frm, to in self.tables.references
            if kind == b"auxl" and frm in self.tables.items and set(to) & set(self.kept)
        ]

    def aux_type(self, item: int) -> bytes:
        """What an auxiliary picture is for, as a URN; empty where nothing says."""
        raw = self.property(item, b"auxC") or b""
        return raw[4:].split(b"\0")[0]

    def metadata(self) -> list[Finding]:
        """Items, boxes and properties that are not the picture; see :class:`medimg.formats.Opened`."""
        return _findings.of(self)

    # -- pixels -----------------------------------------------------------------------------------------------------

    def samples(self, frame: int = 0) -> NDArray[Any]:  # noqa: ARG002 - one frame
        """Decoded samples, turned and mirrored as the file says; uint16 for more than 8 bits.

        Colours under alpha 0 are 0.
        """
        return self._decoded

    @cached_property
    def _decoded(self) -> NDArray[Any]:
        from medimg.formats.heif import _decode

        pixels = _decode.avif(self) if self.coding == "avif" else _decode.heic(self)
        if pixels.shape[:2] != (self.height, self.width):
            raise Malformed("the picture does not decode to the size it claims.")
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            pixels[pixels[..., 3] == 0] = 0
        return pixels

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; two where alpha may hide something."""
        from medimg.formats.shared import managed
        from medimg.formats.shared import views as _views

        return _views.of(self.samples(frame), self.profile(), managed.by_code((self.cicp() or (0, 0))[1]))

    # -- the copy ---------------------------------------------------------------------------------------------------

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """A HEIF file of the primary picture alone, or a PNG where something is covered, cropped or could hide."""
        from medimg.redact.cover import framed

        crop, covers = framed(covers, crop, self.width, self.height)
        cut = self.alpha or self.property(self.tables.primary, b"clap") is not None
        if covers or crop or cut or self.hidden:
            return self._as_png(covers, keep_profile, crop)
        notes = ("frames-dropped",) if any(b.type == b"moov" for b in self.top) else ()
        built = _build.build(self, keep_profile=keep_profile)
        return Copy(
            data=built.data,
            format=NAME,
            suffix=f".{self.coding}",
            width=self.width,
            height=self.height,
            method="segment-copy",
            notes=notes,
        )

    def _as_png(self, covers: Sequence[Cover], keep_profile: bool, crop: Box | None) -> Copy:
        from medimg.formats import png
        from medimg.redact.cover import clipped, cut, paint

        samples = cut(self.samples(), crop)
        height, width = samples.shape[:2]
        return Copy(
            data=png.encode(paint(samples, covers), icc=self.profile() if keep_profile else None, cicp=self.cicp()),
            format="png",
            suffix=".png",
            width=width,
            height=height,
            method="samples",
            covered=clipped(covers, width, height),
            notes=("format-changed",) + ("cropped",) * bool(crop),
            cropped=crop,
        )

    def profile(self) -> bytes | None:
        """The cleaned colour profile."""
        said = self._colours()
        profile = next((raw[4:] for raw in said if raw[:4] in (b"prof", b"rICC")), None)
        if profile is not None:
            return _icc.clean(profile)
        return _icc.adobe_rgb() if self.adobe_rgb else None

    def _colours(self) -> list[bytes]:
        """Colour information of the primary picture: a profile, code points, or both (ISO/IEC 23008-12, 6.5.5)."""
        used = (self.tables.properties[index - 1] for index, _ in self.tables.items[self.tables.primary].properties)
        return [payload for kind, payload in used if kind == b"colr"]

    @cached_property
    def adobe_rgb(self) -> bool:
        """Whether EXIF alone states Adobe RGB: a profile and code points other than "unspecified" are stronger."""
        if any(raw[:4] != b"nclx" or raw[4:6] != b"\0\2" for raw in self._colours()):
            return False
        mine = {self.tables.primary}
        items = (self.tables.items[frm] for kind, frm, to in self.tables.references
                 if kind == b"cdsc" and mine & set(to) and frm in self.tables.items)  # fmt: skip
        return any(exif.says_adobe_rgb(self.exif_block(item)) for item in items if item.type == b"Exif")

    def exif_block(self, item: Item) -> bytes:
        """The TIFF structure of an Exif item (ISO/IEC 23008-12, annex A.2.1)."""
        payload = self.tables.payload(self.data, item)
        return payload[4 + int.from_bytes(payload[:4], "big") :]

    def cicp(self) -> tuple[int, int] | None:
        """Colour primaries and transfer characteristics (ITU-T H.273), for files without a profile."""
        for index, _ in self.tables.items[self.tables.primary].properties:
            kind, payload = self.tables.properties[index - 1]
            if kind == b"colr" and payload[:4] == b"nclx" and len(payload) >= 11:
                primaries, transfer = struct.unpack(">HH", payload[4:8])
                return (primaries, transfer) if primaries <= 22 and transfer <= 18 else None
        return None


def write_jpeg(photo: Opened, covers: Sequence[Cover], *, keep_profile: bool, crop: Box | None) -> Copy | None:
    """A covered or cropped photo as JPEG; None where only PNG keeps how it looks."""
    from medimg.formats.heif import _jpeg

    return _jpeg.write(photo, covers, keep_profile=keep_profile, crop=crop) if isinstance(photo, Heif) else None


def plain_profile(photo: Opened) -> bytes | None:
    """The colour profile of a picture whose colours a JPEG can say, empty where none is needed; None for others."""
    from medimg.formats.heif._jpeg import HDR

    if not isinstance(photo, Heif):
        return None
    profile, code = photo.profile(), photo.cicp()
    beyond = code is not None and (code[1] in HDR or code[0] not in (1, 2))
    return None if profile is None and beyond else profile or b""


def missing_decoder(package: str) -> CheckNotRun:
    """The error for a picture that cannot be looked at here."""
    return CheckNotRun(
        "this kind of picture cannot be decoded here.", todo=f"Install the decoder: pip install '{package}'."
    )
