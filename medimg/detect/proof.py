"""An engine that answers nothing, half or nonsense did not run.

Nothing found looks the same as nothing there. So every engine proves itself before its first answer counts, by
finding what is drawn for it; and what a network answers must have the right shape, be finite, and not be one and the
same number everywhere, which no network gives even for an empty picture (tried on single-coloured and on noisy
pictures of 32 to 1,600 pixels).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.detect import Pixels
from medimg.errors import CheckNotRun

WORD = "dressing"
CODE = "MEDIMG"
_CODE_ROWS = (
    0x1FCD7F, 0x104F41, 0x17515D, 0x17535D, 0x174A5D, 0x104E41, 0x1FD57F, 0x000900, 0x03660C, 0x1C907D, 0x0D5AAE,
    0x0B9D39, 0x008603, 0x00150C, 0x1FD202, 0x10488A, 0x175251, 0x175918, 0x174AF3, 0x104E82, 0x1FCBB6,
)  # fmt: skip
"""A QR code of version 1 that says :data:`CODE`: 21 rows of 21 modules, the leftmost the highest bit."""
FACE = (18.0, 26.0, 63.0, 82.0)
"""Where the face is in :func:`face`: x0, y0, x1, y1. Both networks put it within three pixels of that."""


class Proof:
    """Asks the engines of a detector, once, whether they find what is drawn for them; until they do, again and again.

    Args:
        engines: What asks them. Each raises an exception when its engine does not find it.
    """

    def __init__(self, *engines: Callable[[], None]) -> None:
        self._engines = engines
        self._lock = threading.Lock()
        self._done = False

    def __call__(self) -> None:
        """Ask, if nobody has asked before.

        Raises:
            CheckNotRun: An engine did not find what was drawn for it.
        """
        with self._lock:
            if not self._done:
                for ask in self._engines:
                    ask()
                self._done = True


def found(there: bool, engine: str) -> None:
    """Complain unless an engine found what was drawn.

    Raises:
        CheckNotRun: It did not.
    """
    if not there:
        raise CheckNotRun(f"{engine} did not find what was drawn to try it.")


def whole(answers: Sequence[object], shapes: Sequence[tuple[int, ...]], engine: str) -> list[NDArray[np.float32]]:
    """The arrays that a network answered.

    Args:
        answers: What it answered.
        shapes: The shape that each of them must have.
        engine: How messages name the network.

    Raises:
        CheckNotRun: There are more or fewer of them, or one has another shape, a number that is not finite, or the
            same number everywhere.
    """
    out = []
    for answer, shape in zip(answers, shapes, strict=False):
        array = np.asarray(answer)
        if array.shape != shape or array.dtype.kind != "f":
            break
        low, high = array.min(), array.max()  # either is NaN when any number is
        if not (np.isfinite(low) and np.isfinite(high) and (low < high or array.size == 1)):
            break
        out.append(np.asarray(array, np.float32))
    if not len(out) == len(shapes) == len(answers):
        raise nonsense(engine)
    return out


def nonsense(engine: str) -> CheckNotRun:
    """The error for an answer that cannot be right."""
    return CheckNotRun(f"{engine} gave an answer that cannot be right.")


@functools.lru_cache(maxsize=1)
def text() -> Pixels:
    """A label with :data:`WORD` on it, (96, 320, 3)."""
    sheet = Image.new("RGB", (320, 96), (255, 255, 255))
    ImageDraw.Draw(sheet).text((24, 24), WORD, (0, 0, 0), font=ImageFont.load_default(48))
    return np.asarray(sheet, np.uint8)


@functools.lru_cache(maxsize=1)
def code() -> Pixels:
    """A QR code with modules of four pixels and its quiet zone, (128, 128, 3)."""
    modules = [[row >> bit & 1 for bit in reversed(range(21))] for row in _CODE_ROWS]
    dark = np.kron(np.asarray(modules, np.uint8), np.ones((4, 4), np.uint8))
    sheet = np.pad(255 - 255 * dark, 22, constant_values=255)
    return np.repeat(sheet[..., None], 3, axis=2)


@functools.lru_cache(maxsize=1)
def face() -> Pixels:
    """A drawn head, (100, 80, 3)."""
    from medimg.detect import drawn_head

    return np.asarray(drawn_head.draw(100, "III", step=4).convert("RGB"), np.uint8)


def shows_face(rows: NDArray[np.float32], least: float) -> bool:
    """Whether one of a network's boxes (x0, y0, x1, y1, score) is the face of :func:`face`."""
    x0, y0, x1, y1 = FACE
    for a0, b0, a1, b1, score in rows:
        across, down = min(x1, a1) - max(x0, a0), min(y1, b1) - max(y0, b0)
        both = max(across, 0.0) * max(down, 0.0)
        union = (x1 - x0) * (y1 - y0) + (a1 - a0) * (b1 - b0) - both
        if score >= least and both >= 0.5 * union:
            return True
    return False
