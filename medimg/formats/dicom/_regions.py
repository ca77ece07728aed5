"""Where the pictures of an ultrasound image are (PS3.3, C.8.5.5): what lies outside them the device has written.

A name, a number and a date mostly stand there, in letters that a reader of text may miss. So it is not looked at but
treated as an overlay: left out of what is shown to the detectors, and covered in every copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from medimg.errors import Malformed, Unsupported
from medimg.formats.dicom import _tags as t
from medimg.formats.dicom._read import Dicom
from medimg.types import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def outside(dicom: Dicom, width: int, height: int) -> tuple[Box, ...]:
    """What lies in no region, as boxes that do not overlap.

    Raises:
        Unsupported: The file does not say where its pictures are.
        Malformed: A region is none.
    """
    regions = _regions(dicom, width, height)
    if not regions:
        raise Unsupported(
            "this ultrasound image does not say where its picture is, and what the device wrote around it.",
            todo="Export it with its regions (Sequence of Ultrasound Regions), or the picture alone as a photo.",
        )
    rows = sorted({0, height, *(r.y0 for r in regions), *(r.y1 for r in regions)})
    out = []
    for top, bottom in pairwise(rows):
        at = 0
        for left, right in sorted((r.x0, r.x1) for r in regions if r.y0 <= top and bottom <= r.y1):
            if left > at:
                out.append(Box(at, top, left, bottom))
            at = max(at, right)
        if at < width:
            out.append(Box(at, top, width, bottom))
    return tuple(out)


def blanked(view: NDArray[np.uint8], overlay: Sequence[Box]) -> NDArray[np.uint8]:
    """What is seen, without what the device has written around it."""
    out = view.copy()
    for box in overlay:
        out[box.y0 : box.y1, box.x0 : box.x1] = 0
    return out


def _regions(dicom: Dicom, width: int, height: int) -> list[Box]:
    """The regions; their corners are pixels of theirs."""
    corners: list[int] = []
    inside = False
    for element in dicom.every:
        if element.depth == 0:
            inside = element.tag == t.REGIONS
        elif inside and element.depth == 1 and element.tag in t.REGION_CORNERS:
            if len(element.value) != 4 or element.tag != t.REGION_CORNERS[len(corners) % 4]:
                raise Malformed("a region of the ultrasound image is damaged.")
            corners.append(int.from_bytes(element.value, "little" if dicom.little else "big"))
    if len(corners) % 4:
        raise Malformed("a region of the ultrasound image is damaged.")
    out = []
    for x0, y0, x1, y1 in zip(*[iter(corners)] * 4, strict=True):
        box = Box(x0, y0, min(x1 + 1, width), min(y1 + 1, height))
        if box.x0 >= box.x1 or box.y0 >= box.y1:
            raise Malformed("a region of the ultrasound image is damaged.")
        out.append(box)
    return out
