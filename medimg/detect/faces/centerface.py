"""CenterFace: an anchor-free face detector, fully convolutional, stride 4 (Xu et al., arXiv 1911.03599)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels, proof, weights
from medimg.native.opencv import cv2

Rows = NDArray[np.float32]
"""float32, (N, 5): x0, y0, x1, y1 in pixels of the picture that was looked at, and a score of 0 to 1."""

NAME = "the face network CenterFace"
PROOF = 0.4
"""Least score of the drawn face; it was 0.83."""
STRIDE = 4
MULTIPLE = 32


class CenterFace:
    """The network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """

    def __init__(self) -> None:
        self._session, digest = weights.session("centerface")
        self.version = f"centerface {digest[:8]}"

    def detect(self, rgb: Pixels, threshold: float) -> Rows:
        """Faces of one picture that is small enough to run whole; one row a face."""
        height, width = rgb.shape[:2]
        padded = np.zeros((1, 3, -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE), np.float32)
        padded[0, :, :height, :width] = rgb.transpose(2, 0, 1)
        high, wide = padded.shape[2] // STRIDE, padded.shape[3] // STRIDE
        answers = self._session.run(["537", "538", "539"], {"input.1": padded})
        heat, size, offset = proof.whole(answers, [(1, n, high, wide) for n in (1, 2, 2)], NAME)
        return _decoded(heat[0, 0], size[0], offset[0], threshold)

    def prove(self) -> None:
        """Find a drawn face.

        Raises:
            CheckNotRun: It does not.
        """
        proof.found(proof.shows_face(self.detect(proof.face(), 0.1), PROOF), NAME)


def _decoded(heat: Rows, size: Rows, offset: Rows, threshold: float) -> Rows:
    peak = heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero(peak & (heat >= threshold))
    # The network gives the logarithm of the size; 8 bounds it at 12,000 pixels.
    high, wide = (np.exp(np.minimum(size[n, ys, xs], 8.0)) * STRIDE for n in (0, 1))
    x0 = (xs + offset[1, ys, xs] + 0.5) * STRIDE - wide / 2
    y0 = (ys + offset[0, ys, xs] + 0.5) * STRIDE - high / 2
    rows = np.stack([x0, y0, x0 + wide, y0 + high, heat[ys, xs]], axis=1).astype(np.float32)
    boxes = [(float(r[0]), float(r[1]), float(r[2] - r[0]), float(r[3] - r[1])) for r in rows]
    kept = cv2.dnn.NMSBoxes(boxes, rows[:, 4].tolist(), 0.0, 0.3) if boxes else []
    chosen: NDArray[np.float32] = rows[np.asarray(kept, dtype=int).reshape(-1)]
    return chosen
