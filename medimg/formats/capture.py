"""When a photo was taken, for use in memory: how long ago it was as a wide bucket, and gaps between photos.

A date never leaves the process; a report holds the bucket alone.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Literal

from medimg.formats import jpeg
from medimg.formats.shared import exif

ORIGINAL, DIGITISED, CHANGED = 0x9003, 0x9004, 0x0132
"""Exif 3.0, section 4.6.5: DateTimeOriginal, DateTimeDigitized, DateTime; the first that is there counts."""
Bucket = Literal["", "days", "weeks", "months", "longer"]
BUCKETS: tuple[tuple[Bucket, int], ...] = (("days", 7), ("weeks", 56), ("months", 365))
"""Name and the most days ago; what is older is ``longer``."""
_TIME = re.compile(rb"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_MARKS = ((b"Exif\0\0", 6), (b"eXIf", 4), (b"EXIF", 8))  # JPEG, HEIF; PNG; WebP (name and length)
_MOST = 8


def taken(data: bytes) -> datetime.datetime | None:
    """The camera's time, without a zone; None when there is none that can be read.

    Args:
        data: The whole file, of any format. Where it holds an EXIF block is found by the block's own mark: what comes
            of it is a hint, never a proof.
    """
    if data[128:132] == b"DICM":
        from medimg.formats.dicom import _text

        return _text.taken(data)
    for block in _blocks(data):
        found: dict[int, bytes] = {}
        for _, tag, raw in exif._walk(block):
            if tag in (ORIGINAL, DIGITISED, CHANGED):
                found.setdefault(tag, raw)
        for tag in (ORIGINAL, DIGITISED, CHANGED):
            match = _TIME.match(found.get(tag, b""))
            if match:
                try:
                    return datetime.datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*_ascii(match)))
                except ValueError:
                    continue
    return None


def _ascii(match: re.Match[bytes]) -> list[str]:
    return [part.decode("ascii") for part in match.groups()]


def bucket(when: datetime.datetime | None, now: datetime.datetime) -> Bucket:
    """``days``, ``weeks``, ``months`` or ``longer`` ago; empty when it is not known or lies in the future.

    A camera's clock has no zone: up to a day ahead counts as now.
    """
    if when is None:
        return ""
    days = (now - when).total_seconds() / 86400
    if days < -1:
        return ""
    return next((name for name, most in BUCKETS if days <= most), "longer")


def _blocks(data: bytes) -> Iterator[bytes]:
    if data[:4] in (b"II*\0", b"MM\0*"):
        yield data
    end = jpeg.first_scan(data) or len(data)  # the coded data of a JPEG are not searched
    for mark, skip in _MARKS:
        at, seen = data.find(mark, 0, end), 0
        while at >= 0 and seen < _MOST:
            block = data[at + skip : at + skip + 65536]
            if block.startswith(b"Exif\0\0"):  # some WebP writers repeat JPEG's prefix
                block = block[6:]
            if block[:4] in (b"II*\0", b"MM\0*"):
                yield block
            at, seen = data.find(mark, at + 1, end), seen + 1
