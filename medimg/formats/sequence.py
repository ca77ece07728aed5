"""Files of several frames taken apart into stills, and stills put together again.

Every frame that a policy keeps is a picture of its own: it is found in, covered, written and judged as a still, and
the stills that passed are put together without decoding them again. Pages of a TIFF stay pages of a TIFF; an
animation (GIF, WebP, PNG) becomes an animated PNG of whole frames, which holds any of them exactly.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageSequence

from medimg.errors import CheckNotRun, Malformed, TooLarge
from medimg.formats import Opened, png, tiff
from medimg.formats.png import _chunks, _write
from medimg.formats.png._chunks import SIGNATURE, chunk
from medimg.formats.shared import icc
from medimg.formats.tiff import _file
from medimg.types import Finding, Limits
from medimg.vocabulary import Category

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANIMATIONS = {"gif": "GIF", "webp": "WEBP", "png": "PNG"}
WHOLE = 4
"""All frames together may have this many times the pixels of the largest single picture."""
TICK, SLOWEST, USUAL = 10, 10_000, 100
"""Milliseconds: frames change at multiples of the first, after at most the second, and where a file says nothing after
the third. Exact odd times would be a place to hide a message."""


@dataclass(frozen=True)
class Series:
    """The frames of one file.

    Attributes:
        stills: Each as a file of its own, without metadata.
        findings: What the container holds besides the pictures of its frames.
        aligned: One scene over time, so that a place covered in one frame is covered in all.
        delays: Milliseconds that each frame of an animation is shown.
        loops: How often an animation runs; 0 for ever.
    """

    stills: tuple[bytes, ...]
    findings: tuple[Finding, ...]
    aligned: bool
    delays: tuple[int, ...] = ()
    loops: int = 1

    @property
    def format(self) -> str:
        """Name of the format that holds the frames of the copy."""
        return png.NAME if self.aligned else tiff.NAME

    def joined(self, stills: Sequence[bytes]) -> bytes:
        """These stills, each made from that of its frame, as one file."""
        return animated(stills, self.delays, self.loops) if self.aligned else pages(stills)

    def taken_apart(self, data: bytes) -> list[bytes]:
        """The stills of a file made by :meth:`joined`."""
        return frames_of(data) if self.aligned else pages_of(data)


def split(opened: Opened, limits: Limits, *, keep_profile: bool = True) -> Series:
    """Every frame as a still.

    Raises:
        CheckNotRun: The frames cannot be told apart here.
        Malformed: A frame cannot be decoded.
        TooLarge: There is more in them than in the largest picture the policy allows, several times over.
    """
    if isinstance(opened, tiff.TiffPhoto):
        return _split_pages(opened, limits, keep_profile)
    if opened.name not in ANIMATIONS:
        raise CheckNotRun("the frames of this file cannot be checked one by one, so they cannot be kept.")
    if opened.width * opened.height * opened.frames > WHOLE * limits.pixels:
        raise TooLarge("the frames together are larger than the policy allows.")
    return _split_animation(opened, keep_profile)


# -- pages -----------------------------------------------------------------------------------------------------------


def _split_pages(opened: tiff.TiffPhoto, limits: Limits, keep_profile: bool) -> Series:
    sheets = [tiff.TiffPhoto(opened.tiff, index) for index in range(opened.frames)]
    if sum(sheet.width * sheet.height for sheet in sheets) > WHOLE * limits.pixels:
        raise TooLarge("the pages together are larger than the policy allows.")
    stills, found = [], []
    for sheet in sheets:
        still = sheet.write(keep_profile=keep_profile).data
        if not np.array_equal(sheet.samples(), tiff.open(still, limits).samples()):
            raise CheckNotRun("a page could not be taken out of its file unchanged.")
        stills.append(still)
        found += [f for f in sheet.metadata() if f.category != Category.EXTRA_FRAMES]
    return Series(tuple(stills), tuple(png.merged(found)), aligned=False)


def pages(stills: Sequence[bytes]) -> bytes:
    """Files of one page each, as one file of many."""
    out, orders = b"", {still[:4] for still in stills}
    if len(orders) != 1:
        raise CheckNotRun("pages of different byte orders cannot be put together.")
    order = "<" if orders.pop() == b"II*\0" else ">"
    for index, still in enumerate(stills):
        fields, chunks, offsets, counts = _parts(still)
        last = index == len(stills) - 1
        out += _file.build(order, fields, chunks, offsets=offsets, counts=counts, start=len(out), more=not last)
    return out


def pages_of(data: bytes) -> list[bytes]:
    """Each page of a file made by :func:`pages`, as a file of its own."""
    book = _file.read(data, _file.MAX_IFDS)
    return [
        _file.build(book.order, fields, chunks, offsets=offsets, counts=counts)
        for fields, chunks, offsets, counts in (_page_parts(book, page) for page in book.pages)
    ]


def _parts(still: bytes) -> tuple[dict[int, tuple[int, bytes]], list[bytes], int, int]:
    book = _file.read(still, 1)
    return _page_parts(book, book.pages[0])


def _page_parts(book: _file.Tiff, page: _file.Ifd) -> tuple[dict[int, tuple[int, bytes]], list[bytes], int, int]:
    places, sizes = tiff.TILES if tiff.TILES[0] in page.entries else tiff.STRIPS
    spans = zip(book.numbers(page, places), book.numbers(page, sizes), strict=True)
    fields = {tag: (e.type, e.raw) for tag, e in page.entries.items() if tag not in (places, sizes)}
    return fields, [book.data[at : at + n] for at, n in spans], places, sizes


# -- animations ------------------------------------------------------------------------------------------------------


def _split_animation(opened: Opened, keep_profile: bool) -> Series:
    if opened.samples().dtype != np.uint8:
        raise CheckNotRun("an animation of more than 8 bits cannot be checked frame by frame.")
    try:
        shots, delays, loops, profile = _decoded(opened)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise Malformed("a frame of this animation cannot be decoded.") from error
    if len(shots) != opened.frames or not np.array_equal(shots[0], _rgba(opened.samples())):
        raise CheckNotRun("two readers see different frames in this animation.")
    if isinstance(opened, png.Png):
        looks = opened.looks(keep_profile=keep_profile, colour=2)
    else:
        clean = icc.clean(profile) if profile and keep_profile and profile[16:20] == b"RGB " else None
        looks = chunk(b"iCCP", png.profile_payload(clean)) if clean else b""
    solid = all(shot[..., 3].all() and shot[..., 3].min() == 255 for shot in shots)
    stills = tuple(_write.file(shot[..., :3] if solid else shot, looks) for shot in shots)
    found = tuple(f for f in opened.metadata() if f.category not in (Category.EXTRA_FRAMES, Category.ANIMATION_LOOP))
    return Series(stills, found, aligned=True, delays=tuple(delays), loops=min(max(loops, 0), 100))


def _decoded(opened: Opened) -> tuple[list[NDArray[np.uint8]], list[int], int, bytes | None]:
    """The frames as RGBA, how long each is shown, how often all are, and the colour profile."""
    shots, delays = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limits of the policy hold
        with Image.open(io.BytesIO(opened.data), formats=(ANIMATIONS[opened.name],)) as picture:
            for frame in ImageSequence.Iterator(picture):
                shots.append(_rgba(np.asarray(frame.convert("RGBA"))))
                delays.append(_delay(frame.info.get("duration", USUAL)))
                if len(shots) > opened.frames:
                    break
            return shots, delays, int(picture.info.get("loop", 1)), picture.info.get("icc_profile")


def _delay(milliseconds: float) -> int:
    return min(max(round(milliseconds / TICK), 1) * TICK, SLOWEST)


def _rgba(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of 8 bits as RGBA, with nothing under alpha 0."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    planes = samples.reshape(*samples.shape[:2], channels)
    out = np.full((*samples.shape[:2], 4), 255, np.uint8)
    out[..., :3] = planes[..., :3] if channels > 2 else planes[..., :1]
    if channels in (2, 4):
        out[..., 3] = planes[..., -1]
        out[out[..., 3] == 0] = 0
    return out


def animated(stills: Sequence[bytes], delays: Sequence[int], loops: int) -> bytes:
    """PNG files of one kind and size as an animated PNG (PNG, third edition, 11.3.6) of whole frames."""
    heads, datas = zip(*(_head_and_data(still) for still in stills), strict=True)
    if len(set(heads)) != 1:
        raise CheckNotRun("frames of different kinds cannot be put together.")
    width, height = struct.unpack(">II", heads[0][8:16])
    out = [SIGNATURE, heads[0], chunk(b"acTL", struct.pack(">II", len(stills), loops))]
    number = 0
    for data, delay in zip(datas, delays, strict=True):
        # Whole frame at (0, 0), shown for delay / 1000 s, left in place, replaced by the next.
        out.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, delay, 1000, 0, 0)))
        out.append(chunk(b"fdAT", struct.pack(">I", number + 1) + data) if number else chunk(b"IDAT", data))
        number += 2 if number else 1
    return b"".join([*out, chunk(b"IEND", b"")])


def frames_of(data: bytes) -> list[bytes]:
    """Each frame of a file made by :func:`animated`, as a file of its own."""
    chunks, _ = _chunks.walk(data)
    moving = (b"acTL", b"fcTL", b"fdAT", b"IDAT", b"IEND")
    head = SIGNATURE + b"".join(c.whole(data) for c in chunks if c.type not in moving)
    pictures = [c.payload(data)[4 * (c.type == b"fdAT") :] for c in chunks if c.type in (b"IDAT", b"fdAT")]
    return [head + chunk(b"IDAT", picture) + chunk(b"IEND", b"") for picture in pictures]


def _head_and_data(still: bytes) -> tuple[bytes, bytes]:
    """IHDR and what says how the picture looks, and the compressed picture."""
    chunks, _ = _chunks.walk(still)
    head = b"".join(c.whole(still) for c in chunks if c.type not in (b"IDAT", b"IEND"))
    return head, b"".join(c.payload(still) for c in chunks if c.type == b"IDAT")


def seen(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """Each frame as another reader shows it: RGBA, upright."""
    with Image.open(io.BytesIO(data), formats=("PNG", "TIFF")) as picture:
        for frame in ImageSequence.Iterator(picture):
            yield _rgba(np.asarray(frame.convert("RGBA")))
