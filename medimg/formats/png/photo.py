"""PNG and APNG (PNG, third edition, W3C 2025).

The picture is always encoded anew, with the chunks that say how it looks and nothing else, exact in everything that
can be seen. A foreign stream could say anything in what no decoder shows: empty blocks, codes that nothing uses, the
filter of each row, colour under alpha 0, palette entries that look alike, padding bits, data after the last row.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medimg.errors import CheckNotRun, Malformed, TooLarge
from medimg.formats.png import _text
from medimg.formats.png._chunks import (
    SIGNATURE,
    Chunk,
    Header,
    appearance,
    check_stream,
    chunk,
    header,
    parts,
    walk,
)
from medimg.formats.shared import exif as _exif
from medimg.formats.shared import icc as _icc
from medimg.formats.shared import trailing as _trailing
from medimg.types import Box, Copy, Cover, Finding, Limits, Polygon
from medimg.vocabulary import Category, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medimg.formats.png._palette import Palette

NAME = "png"
PROFILE_NAME = b"icc"
COLOURS = frozenset((b"iCCP", b"sRGB", b"cICP", b"gAMA", b"cHRM"))
ANIMATION = frozenset((b"acTL", b"fcTL", b"fdAT"))


def sniff(head: bytes) -> bool:
    """Whether content starts with the PNG signature."""
    return head.startswith(SIGNATURE)


def open(data: bytes, limits: Limits) -> Png:  # noqa: A001 - the name every format module has
    """Walk every chunk and inflate the picture once, without keeping it.

    Raises:
        Malformed: A chunk, its order, its checksum or the picture data is wrong.
        TooLarge: The picture has more pixels or frames than the limits allow.
        Unsupported: It needs an extension that is not handled.
    """
    return Png(data, limits)


class Png:
    """A parsed PNG file."""

    name = NAME

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.chunks, self.end = walk(data)
        self.header: Header = header(self.chunks[0].payload(data), limits.pixels)
        self.width, self.height = self.header.width, self.header.height
        self.idat = [c for c in self.chunks if c.type == b"IDAT"]
        self._check_palette()
        self.frames = self._count_frames(limits)
        self.stream = check_stream(parts(data, self.idat), self.header.passes())
        exif = self._first(b"eXIf")
        self.orientation = _exif.orientation(exif) if exif is not None else 1

    def _first(self, kind: bytes) -> bytes | None:
        for c in self.chunks:
            if c.type == kind:
                return c.payload(self.data)
        return None

    def _check_palette(self) -> None:
        plte, trns, colour = self._first(b"PLTE"), self._first(b"tRNS"), self.header.colour
        if plte is not None and (len(plte) % 3 or not 3 <= len(plte) <= 768 or colour in (0, 4)):
            raise Malformed("the palette is damaged.")
        if colour == 3 and (plte is None or len(plte) // 3 > 1 << self.header.depth):
            raise Malformed("the palette is damaged.")
        if trns is None:
            return
        if colour == 3:
            fits = plte is not None and 1 <= len(trns) <= len(plte) // 3
        else:
            fits = {0: 2, 2: 6}.get(colour) == len(trns)
            fits = fits and all(v < 1 << self.header.depth for v in struct.unpack(f">{len(trns) // 2}H", trns))
        if not fits:
            raise Malformed("the transparency of the picture is damaged.")

    def _count_frames(self, limits: Limits) -> int:
        """Frames of an animation, and the still picture where it is not one of them (PNG 11.3.6)."""
        control = self._first(b"acTL")
        if control is None:
            return 1
        if len(control) != 8:
            raise Malformed("the animation of the PNG file is damaged.")
        told = [c for c in self.chunks if c.type == b"fcTL"]
        claimed = struct.unpack(">I", control[:4])[0]
        if max(claimed, len(told)) > limits.frames:
            raise TooLarge("the animation has more frames than the policy allows.")
        if claimed != len(told) or any(c.end - c.start != 26 for c in told):
            raise Malformed("the animation of the PNG file is damaged.")
        return len(told) + (not told or told[0].begin > self.idat[0].begin)

    # -- what is in there -------------------------------------------------------------------------------------------

    def metadata(self) -> list[Finding]:
        """Chunks and bytes that are not the picture; see :class:`medimg.formats.Opened`."""
        single: list[Finding] = []
        texts = 0
        for c in self.chunks:
            texts += c.type in _text.TEXT
            if c.type not in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", *ANIMATION) and not self._stays(c):
                single += _text.of(c, self.data, look=texts <= _text.LOOKED_INTO)
        if self._first(b"PLTE") is not None and self.header.colour != 3:
            single.append(_text.finding(Category.UNUSED_PALETTE, "PLTE"))
        moving = [c for c in self.chunks if c.type in ANIMATION]
        if moving:
            count = max(self.frames - 1, 1)
            single.append(_text.finding(Category.EXTRA_FRAMES, "fdAT", kind=Kind.HIDDEN_IMAGE, count=count))
        if self.stream.surplus or self.stream.trailing:
            single.append(_text.finding(Category.TRAILING_BYTES, "IDAT/after the picture"))
        single += self._in_pixels()
        single += _trailing.finding(self.data, self.end, "after IEND", _text.DETECTOR)
        return merged(single)

    def _in_pixels(self) -> list[Finding]:
        found = []
        if self.header.colour in (4, 6) and self._hidden:
            found.append(_text.finding(Category.HIDDEN_PIXELS, "IDAT/alpha 0", kind=Kind.HIDDEN_IMAGE))
        if self.header.colour == 3:
            if self.palette.mixed or self.palette.veiled:
                found.append(_text.finding(Category.HIDDEN_PIXELS, "PLTE/equal colours", kind=Kind.HIDDEN_IMAGE))
            if self.palette.unused:
                found.append(_text.finding(Category.UNUSED_PALETTE, "PLTE"))
        if self._may_pad and self._rows[1]:
            found.append(_text.finding(Category.PADDING_BITS, "IDAT/row ends"))
        return found

    # -- pixels -----------------------------------------------------------------------------------------------------

    @property
    def _may_pad(self) -> bool:
        bits = self.header.depth * self.header.channels
        return any(p.width * bits % 8 for p in self.header.passes())

    @cached_property
    def _rows(self) -> tuple[NDArray[Any], bool]:
        """Stored values, and whether padding bits are set."""
        from medimg.formats.png import _pixels

        whole = not self.stream.surplus and not self.stream.trailing
        grids = _pixels.rows(self.data, self.idat, self.header, whole=whole)
        return _pixels.values(grids, self.header), _pixels.padding_used(grids, self.header)

    @property
    def stored(self) -> NDArray[Any]:
        """Stored values: palette indices, or samples that are not scaled."""
        return self._rows[0]

    @cached_property
    def _hidden(self) -> bool:
        """Whether a fully transparent pixel has a colour."""
        from medimg.formats.shared import views as _views

        stored = self.stored
        return bool(stored[..., :-1][_views.invisible(stored[..., -1])].any())

    @cached_property
    def palette(self) -> Palette:
        """The palette and how the picture uses it."""
        from medimg.formats.png import _palette

        return _palette.read(self._first(b"PLTE") or b"", self._first(b"tRNS") or b"", self.stored)

    @cached_property
    def _seen(self) -> NDArray[Any]:
        stored, depth = self.stored, self.header.depth
        if self.header.colour == 3:
            return self.palette.colours(stored)
        if depth < 8:
            scaled: NDArray[Any] = stored * stored.dtype.type(255 // ((1 << depth) - 1))
            return scaled
        return without_hidden(stored) if self.header.colour in (4, 6) else stored

    def samples(self, frame: int = 0) -> NDArray[Any]:
        """Samples of the still picture: grey, grey+alpha, RGB or RGBA, uint8 or uint16; 0 where alpha is 0."""
        self._only_first(frame)
        return self._seen

    def views(self, frame: int = 0) -> list[NDArray[Any]]:
        """8-bit RGB renderings; more than one where alpha, a transparent colour or 16 bits may hide something."""
        from medimg.formats.shared import views as _views

        self._only_first(frame)
        key, profile, light = self.key, self._clean, self._light()
        if key is None:
            return list(_views.of(self._seen, profile, light))
        import numpy as np

        stored = self.stored
        shown = stored != np.array(key if len(key) > 1 else key[0], stored.dtype)
        if shown.ndim == 3:
            shown = shown.any(axis=2)
        full = np.iinfo(self._seen.dtype).max
        alpha = (shown * full).astype(self._seen.dtype)
        keyed = np.dstack((self._seen, alpha))
        return _views.distinct([*_views.of(self._seen, profile, light), *_views.of(keyed, profile, light)])

    def _light(self) -> Callable[[float], float] | None:
        """What cICP, or else gAMA, says of how numbers become light, where the copy says it too."""
        from medimg.formats.shared import managed

        chunks = ((c.type, c.payload(self.data)) for c in self.chunks)
        said = {kind: payload for kind, payload in chunks if appearance(kind, payload, self.header)}
        if b"cICP" in said:
            return managed.by_code(said[b"cICP"][1])
        return managed.by_gamma(int.from_bytes(said.get(b"gAMA", b"")))

    def _only_first(self, frame: int) -> None:
        if frame:
            raise CheckNotRun("further frames of an animated PNG cannot be looked at.")

    @property
    def key(self) -> tuple[int, ...] | None:
        """The colour that a grey or RGB picture shows as transparent, in stored values."""
        trns = self._first(b"tRNS")
        if trns is None or self.header.colour == 3:
            return None
        return tuple(struct.unpack(f">{len(trns) // 2}H", trns))

    # -- the copy ---------------------------------------------------------------------------------------------------

    def write(
        self,
        covers: Sequence[Cover] = (),
        *,
        keep_profile: bool = True,
        crop: Box | None = None,
    ) -> Copy:
        """The still picture with the chunks that say how it looks.

        Raises:
            CheckNotRun: The picture cannot be decoded or encoded here.
        """
        looks = self.looks(keep_profile=keep_profile)
        notes: tuple[str, ...] = ("frames-dropped",) if self.frames > 1 else ()
        covered: tuple[Polygon, ...] = ()
        width, height = self.width, self.height
        if covers or crop:
            from medimg.redact.cover import clipped, framed

            crop, covers = framed(covers, crop, width, height)
            width, height = (crop.width, crop.height) if crop else (width, height)
            covered = clipped(covers, width, height)
        from medimg.formats.png import _write

        data, more = _write.anew(self, covers if covered else (), looks, crop)
        notes += more
        return Copy(
            data=data,
            format=NAME,
            suffix=".png",
            width=width,
            height=height,
            orientation=self.orientation,
            method="samples",
            covered=covered,
            notes=(*notes, "cropped") if crop else notes,
            cropped=crop,
        )

    def _stays(self, c: Chunk) -> bool:
        """Whether a chunk besides those that hold the picture is exactly what the copy has."""
        payload = c.payload(self.data)
        if c.type == b"iCCP":
            return payload == self._profile
        if c.type == b"eXIf":
            return self.orientation > 1 and payload == _exif.orientation_only(self.orientation)
        return appearance(c.type, payload, self.header)

    @cached_property
    def _profile(self) -> bytes | None:
        """The payload of a clean iCCP chunk with the picture's colour profile; None without a usable one."""
        return profile_payload(self._clean) if self._clean else None

    @cached_property
    def _clean(self) -> bytes | None:
        payload = self._first(b"iCCP")
        if self._adobe_rgb:
            return _icc.adobe_rgb()
        profile = _text.icc_profile(payload) if payload is not None else None
        return _icc.clean(profile) if profile else None

    @property
    def _adobe_rgb(self) -> bool:
        """Whether EXIF alone states Adobe RGB: every chunk about colours is stronger (PNG, third edition, 4.3)."""
        if self.header.colour not in (2, 3, 6) or any(c.type in COLOURS for c in self.chunks):
            return False
        return _exif.says_adobe_rgb(self._first(b"eXIf") or b"")

    def looks(self, *, keep_profile: bool, colour: int | None = None) -> bytes:
        """Every chunk of the copy between IHDR and PLTE, in order; ``colour`` is its colour type if not the same."""
        stay = [c for c in self.chunks if appearance(c.type, c.payload(self.data), self.header)]
        out = b"".join(c.whole(self.data) for c in stay if c.type != b"sBIT" or colour is None)
        fits = colour is None or self.header.colour in (2, 3, 6)  # the profile of a grey picture is one of greys
        if keep_profile and self._profile and fits:
            out += chunk(b"iCCP", self._profile)
        return out + (chunk(b"eXIf", _exif.orientation_only(self.orientation)) if self.orientation > 1 else b"")


def profile_payload(profile: bytes) -> bytes:
    """An iCCP payload with a neutral name."""
    return PROFILE_NAME + b"\0\0" + zlib.compress(profile, 9)


def without_hidden(stored: NDArray[Any]) -> NDArray[Any]:
    """The values with every colour under alpha 0 set to 0; the same array when there is none."""
    from medimg.formats.shared import views as _views

    gone = _views.invisible(stored[..., -1])
    if not stored[..., :-1][gone].any():
        return stored
    out = stored.copy()
    out[gone] = 0
    return out


def merged(found: list[Finding]) -> list[Finding]:
    """Findings that differ in their count alone, as one; those with a value stay apart."""
    import msgspec

    out: dict[tuple[object, ...], Finding] = {}
    for f in found:
        key = (f.kind, f.category, f.where, f.detector, f.secret)
        out[key] = msgspec.structs.replace(out[key], count=out[key].count + f.count) if key in out else f
    return list(out.values())


def encode(
    samples: NDArray[Any], *, icc: bytes | None = None, cicp: tuple[int, int] | None = None, orientation: int = 1
) -> bytes:
    """A PNG file of grey, grey+alpha, RGB or RGBA samples, uint8 or uint16, (H, W) or (H, W, C).

    Args:
        samples: The samples; colour under alpha 0 is left out.
        icc: A cleaned colour profile.
        cicp: Colour primaries and transfer characteristics (ITU-T H.273), when there is no profile.
        orientation: EXIF orientation.

    Raises:
        CheckNotRun: The size cannot be encoded.
    """
    from medimg.formats.png import _write

    looks = b""
    if icc:
        looks += chunk(b"iCCP", profile_payload(icc))
    elif cicp:
        code = bytes((cicp[0] & 255, cicp[1] & 255, 0, 1))
        looks += chunk(b"cICP", code) if max(cicp) < 256 else b""
    if orientation > 1:
        looks += chunk(b"eXIf", _exif.orientation_only(orientation))
    return _write.file(samples, looks)
