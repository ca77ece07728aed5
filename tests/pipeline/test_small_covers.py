"""Small covers far apart are no letters of one large word."""

from __future__ import annotations

import pytest

import medimg
from medimg.selftest import pictures
from medimg.vocabulary import PhotoState


@pytest.mark.long
def test_four_slanted_labels_are_covered_and_the_photo_is_not_held() -> None:
    """The second look read the four covers as one word as large as the picture."""
    _, slanted, *_ = pictures.texts((18, 44), (0, 30))
    made = medimg.Scrubber(medimg.Policy()).scrub(slanted.data)
    assert made.report.state == PhotoState.UNREVIEWED
    assert made.report.counts()["name"] == 1
