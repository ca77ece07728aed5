"""CenterFace: an anchor-free face detector, fully convolutional, stride 4 (Xu et al., arXiv 1911.03599)."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect import _weights

Rows = NDArray[np.float32]
STRIDE = 4
MULTIPLE = 32
ROW = 15
"""Columns of a row: x0, y0, x1, y1, score, then x and y of both eyes, nose and both corners of the mouth."""


class CenterFace:
    """The network. Give it a picture as a person sees it, small enough to run whole.

    Raises:
        MissingPart: The weights are not there or were changed.
    """

    def __init__(self) -> None:
        self._session, self.digest = _weights.session("centerface")

    def detect(self, rgb: NDArray[np.uint8], threshold: float) -> Rows:
        """Faces of one picture.

        Args:
            rgb: uint8, (H, W, 3).
            threshold: Least score.

        Returns:
            float32, (N, 15), see :data:`ROW`; in pixels of ``rgb``, best first, one row a face.
        """
        height, width = rgb.shape[:2]
        padded = np.zeros((-(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE, 3), np.uint8)
        padded[:height, :width] = rgb
        blob = padded.transpose(2, 0, 1)[None].astype(np.float32)
        heat, size, offset, marks = self._session.run(["537", "538", "539", "540"], {"input.1": blob})
        return _suppressed(_decoded(heat[0, 0], size[0], offset[0], marks[0], threshold))


def _decoded(
    heat: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    marks: NDArray[np.float32],
    threshold: float,
) -> Rows:
    peak = heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero(peak & (heat >= threshold))
    rows = np.empty((len(ys), ROW), np.float32)
    high, wide = (np.exp(np.minimum(size[n, ys, xs], 8.0)) * STRIDE for n in (0, 1))
    x0 = (xs + offset[1, ys, xs] + 0.5) * STRIDE - wide / 2
    y0 = (ys + offset[0, ys, xs] + 0.5) * STRIDE - high / 2
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = x0, y0, x0 + wide, y0 + high
    rows[:, 4] = heat[ys, xs]
    for n in range(5):
        rows[:, 5 + 2 * n] = marks[2 * n + 1, ys, xs] * wide + x0
        rows[:, 6 + 2 * n] = marks[2 * n, ys, xs] * high + y0
    return rows


def _suppressed(rows: Rows, overlap: float = 0.3) -> Rows:
    if not len(rows):
        return rows
    boxes = [(float(r[0]), float(r[1]), float(r[2] - r[0]), float(r[3] - r[1])) for r in rows]
    kept = np.asarray(cv2.dnn.NMSBoxes(boxes, rows[:, 4].tolist(), 0.0, overlap)).reshape(-1).astype(int)
    return cast(Rows, rows[kept])
