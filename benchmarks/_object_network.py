"""What lies where in a picture: wristbands, labels, screens, rulers, skin, wounds, codes, print.

One small network (``benchmarks/objects_train.py``, ``benchmarks/objects-model.md``) looks once at the whole picture and
labels every square of four pixels twice: what the place *lies on* (:data:`GROUNDS`), and what is *marked* on it
(:data:`MARKS`). It is not good enough yet to decide anything, so it is no part of the program.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.errors import CheckNotRun
from medimg.native.onnxruntime import onnxruntime
from medimg.native.opencv import cv2
from medimg.native.threads import session_options

GROUNDS = (
    "background", "wristband", "label", "badge", "paper", "whiteboard", "screen", "packet", "ruler", "colour card",
    "skin", "wound", "dressing", "picture",
)  # fmt: skip
"""What a place can lie on. An envelope is a paper, a vial's label a label, a door sign a badge; a picture is one of a
person, printed or on a badge."""
MARKS = ("bar code", "2-D code", "print", "handwriting", "ticks")
"""What can be marked on a place. The scale of a ruler is ticks, its numerals are print too."""
LONG = 640
"""Longer side of the look, in pixels: a wristband of a tenth of the frame is then 16 squares long."""
STRIDE, MULTIPLE = 4, 64
"""Pixels of the look to a square of a map; what the network needs its sides to be multiples of."""
OWN = len(GROUNDS) + 4
"""Maps of ``objects``: the grounds, where two things meet, print, handwriting and ticks."""
OLDER = 5
"""Maps of ``marks``, as :data:`medimg.detect.objects.marks.CLASSES`."""

Map = NDArray[np.float32]
WEIGHTS = Path(os.environ.get("OBJECTS_ONNX", "build/objects.onnx"))
"""What ``python -m benchmarks.objects_train`` wrote."""


class Maps(NamedTuple):
    """One look.

    Attributes:
        grounds: Likelihoods of :data:`GROUNDS`, which sum to 1 at every square; (14, h, w).
        meets: Likelihood that two things touch there, (h, w).
        marks: Likelihoods of :data:`MARKS`, each by itself, (5, h, w).
        across: Pixels of the full-size frame to a square, along a row.
        down: The same along a column.
    """

    grounds: Map
    meets: Map
    marks: Map
    across: float
    down: float


class Network:
    """The network, from the file :data:`WEIGHTS`."""

    def __init__(self) -> None:
        data = WEIGHTS.read_bytes()
        self._session = onnxruntime.InferenceSession(data, session_options(most=1), providers=["CPUExecutionProvider"])
        self.version = f"objects {hashlib.sha256(data).hexdigest()[:8]}"

    def see(self, picture: Pixels) -> tuple[Map, Map]:
        """Logits of a picture, (H, W, 3) with sides that are multiples of 64: (18, h, w) and (5, h, w).

        Raises:
            CheckNotRun: They are not numbers, or not as many as there should be.
        """
        given = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)[None]
        said = [np.asarray(map_, np.float32)[0] for map_ in self._session.run(["objects", "marks"], {"picture": given})]
        high, wide = picture.shape[0] // STRIDE, picture.shape[1] // STRIDE
        if [map_.shape for map_ in said] != [(OWN, high, wide), (OLDER, high, wide)]:
            raise CheckNotRun("the network that sees objects gave maps of another size than the picture's.")
        if not all(np.isfinite(map_).all() for map_ in said):
            raise CheckNotRun("the network that sees objects gave values that are not numbers.")
        return said[0], said[1]


@functools.lru_cache(maxsize=1)
def network() -> Network:
    """The network, loaded once in a process; its calls may come from several threads."""
    return Network()


def maps(frame: Frame) -> Maps:
    """The look at a whole frame, its longer side at most :data:`LONG` pixels.

    Raises:
        CheckNotRun: As for :meth:`Network.see`.
    """
    pixels, _ = frame.scaled(LONG)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, 2)
    height, width = pixels.shape[:2]
    high, wide = -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE
    padded = cv2.copyMakeBorder(pixels, 0, high - height, 0, wide - width, cv2.BORDER_REPLICATE)
    own, older = network().see(np.asarray(padded, np.uint8))
    rows, columns = -(-height // STRIDE), -(-width // STRIDE)
    own, older = own[:, :rows, :columns], older[:, :rows, :columns]
    kinds = len(GROUNDS)
    power = np.exp(own[:kinds] - own[:kinds].max(0))
    marks = np.concatenate((older[:2], own[kinds + 1 :]))
    return Maps(
        np.asarray(power / power.sum(0), np.float32), _likely(own[kinds]), _likely(marks), STRIDE * frame.width / width,
        STRIDE * frame.height / height,
    )  # fmt: skip


def _likely(logits: Map) -> Map:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def find(frame: Frame) -> list[Any]:
    """Regions of a frame: carriers and measures first, then skin and wounds, then marks; the largest of each first.

    Raises:
        CheckNotRun: The network gave something that is no answer.
    """
    from benchmarks._object_regions import regions

    return cast("list[Any]", frame.once("objects", lambda: regions(maps(frame))))
