"""Pictures for the window, decoded in a worker: the window itself parses no photo.

A picture comes as raw RGB rows in a file of the worker's scratch folder. The window maps it into memory, and the file's
name is gone before anything is drawn; on Windows it goes with the picture. Large pictures come with a small one for the
views from afar. With a picture comes the colour of its covers, so that the window shows them as the copy has them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from medimg import formats
from medimg.covers import covers
from medimg.errors import CheckNotRun
from medimg.policy import Policy
from medimg.run import squares
from medimg.system import files
from medimg.types import BLACK, Colour, Cover, Plan, Polygon
from medimg.vocabulary import FormatName

FAR = 2048
"""Longest side of the small picture, in pixels."""
SAMPLES = 10_000
"""Pixels of a copy's covers that are looked at for their colour."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it is seen upright.

    Attributes:
        file: Raw RGB rows of the whole picture, one byte a sample, no padding; then those of the small one.
        width: Pixels across, upright.
        height: Pixels down, upright.
        far_width: Pixels across of the small picture.
        far_height: Pixels down of the small picture.
        orientation: EXIF orientation that was applied.
        frames: Pages or frames of the file; the first is shown.
        colour: That of the covers; None when there are none.
        plain: One byte for each square of :class:`~medimg.desktop.seen.Seen`: 1 inside a large plain area; empty for a
            small picture.
    """

    file: str
    width: int
    height: int
    far_width: int
    far_height: int
    orientation: int
    frames: int = 1
    colour: Colour | None = None
    plain: bytes = b""


def draw(
    path: bytes, policy: Policy, longest: int = 0, plan: Plan | None = None, covered: Sequence[Polygon] = ()
) -> Drawn:
    """Decode a picture upright.

    Args:
        path: The file.
        policy: For its limits, and the colour of covers.
        longest: Longest side wanted, for a small picture; 0 for all of it.
        plan: What is to be covered in an original.
        covered: What was filled in a copy, stored coordinates.

    Raises:
        MedimgError: It cannot be read or decoded.
    """
    import numpy as np

    opened, view = _decoded(path, policy)
    seen = _upright(view, opened.orientation)
    near = _small(seen, longest) if longest else seen
    far = _small(near, FAR)
    handle, name = tempfile.mkstemp(prefix="picture-")
    with os.fdopen(handle, "wb") as file:
        for part in (near, far):
            np.ascontiguousarray(part, np.uint8).tofile(file)
    return Drawn(
        file=name,
        width=near.shape[1],
        height=near.shape[0],
        far_width=far.shape[1],
        far_height=far.shape[0],
        orientation=opened.orientation,
        frames=opened.frames,
        colour=_chosen(view, plan, policy, opened.name) if plan else _filled(view, covered) if covered else None,
        plain=b"" if longest else squares.plain(near),
    )


def colour(path: bytes, policy: Policy, plan: Plan) -> Colour:
    """The colour that the covers of a copy get, chosen from its original as the copy's writer chooses it.

    Raises:
        MedimgError: It cannot be read or decoded.
    """
    opened, view = _decoded(path, policy)
    return _chosen(view, plan, policy, opened.name)


def first_frame(plan: Plan, policy: Policy, name: str) -> list[Polygon]:
    """What is filled in the first frame; in an animation, what is covered in any of its frames.

    Args:
        plan: Actions for all frames.
        policy: For the margins.
        name: Of the format: the pages of a TIFF are pictures of their own.
    """
    return [c.polygon for c in covers(plan, policy) if c.frame == 0 or name != FormatName.TIFF]


def _decoded(path: bytes, policy: Policy) -> tuple[formats.Opened, Any]:
    opened = formats.open_photo(files.read_original(Path(os.fsdecode(path)), policy.limits.bytes), policy.limits)
    try:
        return opened, opened.views(0)[0]
    except IndexError as error:
        raise CheckNotRun("this picture cannot be shown.") from error


def _chosen(view: Any, plan: Plan, policy: Policy, name: str) -> Colour:
    if policy.covers.rgb is not None:
        return policy.covers.rgb
    wanted = first_frame(plan, policy, name)
    if not wanted:
        return BLACK
    from medimg.redact.colour import visible

    return visible({0: view}, [Cover(polygon=p, category="") for p in wanted])


def _filled(view: Any, covered: Sequence[Polygon]) -> Colour | None:
    """The colour found under the covers of a copy."""
    import numpy as np

    from medimg.redact.cover import mask

    inside = view[mask(covered, view.shape[1], view.shape[0])]
    if not len(inside):
        return None
    red, green, blue = (int(v) for v in np.median(inside[:: max(1, len(inside) // SAMPLES)], axis=0))
    return red, green, blue


def _upright(view: Any, orientation: int) -> Any:
    """Rows as a viewer shows them (Exif 3.0, tag 0x0112)."""
    import numpy as np

    match orientation:
        case 2:
            return view[:, ::-1]
        case 3:
            return view[::-1, ::-1]
        case 4:
            return view[::-1]
        case 5:
            return np.swapaxes(view, 0, 1)
        case 6:
            return np.rot90(view, -1)
        case 7:
            return np.swapaxes(view, 0, 1)[::-1, ::-1]
        case 8:
            return np.rot90(view)
        case _:
            return view


def _small(view: Any, longest: int) -> Any:
    import numpy as np

    height, width = view.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return view
    from medimg.native.opencv import cv2

    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(np.ascontiguousarray(view), size, interpolation=cv2.INTER_AREA)
