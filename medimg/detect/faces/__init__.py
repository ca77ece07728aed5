"""Faces, possible faces and old disguises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medimg.detect import Detector
    from medimg.policy import Policy


def make(policy: Policy) -> Detector:
    """Load the models.

    Raises:
        MissingPart: A model or package is not there, or its digest is wrong.
    """
    from medimg.detect.faces import detector  # cv2 and the networks are loaded only when they are needed

    return detector.make(policy)
