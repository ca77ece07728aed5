"""Ultrasound: what lies outside the regions that its header names is the device's writing, and covered unread."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import dicom_kit as kit
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

import medimg
from medimg import formats
from medimg.errors import InputError
from medimg.policy import Policy
from medimg.types import Limits

ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
LIGHT = Policy(scope="metadata-only")
ONE = [(16, 16, 63, 47)]
TWO = [(16, 8, 39, 31), (32, 24, 79, 55)]
"""Corners as the standard has them: both are pixels of the region."""


def ultrasound(regions: list[tuple[int, ...]] | None, pixels: NDArray[Any] | None = None, **more: Any) -> bytes:
    pixels = kit.picture() if pixels is None else pixels
    if more.pop("coded", False):
        coded = [kit.jpeg_of(pixels, subsampling=2)]
        more |= {"syntax": JPEGBaseline8Bit, "coded": coded, "photometric": "YBR_FULL_422"}
    data = kit.dataset(pixels, of=ULTRASOUND, **more)
    data.Modality = "US"
    if regions is not None:
        items = []
        for corners in regions:
            item = Dataset()
            item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 2
            names = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
            for name, value in zip(names, corners, strict=False):
                setattr(item, name, value)
            items.append(item)
        data.SequenceOfUltrasoundRegions = Sequence(items)
    return kit.saved(data)


def inside(regions: list[tuple[int, ...]]) -> NDArray[np.bool_]:
    out = np.zeros((kit.HEIGHT, kit.WIDTH), bool)
    for x0, y0, x1, y1 in regions:
        out[y0 : y1 + 1, x0 : x1 + 1] = True
    return out


@pytest.mark.parametrize("regions", [ONE, TWO, [(0, 0, kit.WIDTH - 1, kit.HEIGHT)]])
@pytest.mark.parametrize("syntax", ["", ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("samples", [1, 3])
def test_the_picture_stays_and_the_device_s_writing_around_it_goes(
    regions: list[tuple[int, ...]], syntax: str, samples: int, tmp_path: Path
) -> None:
    pixels = kit.picture(samples) | 1  # nothing of it is black already
    made = medimg.scrub(ultrasound(regions, pixels, **({"syntax": syntax} if syntax else {})), policy=LIGHT)
    assert made.data is not None, made.report.reason
    copy = pydicom.dcmread(io.BytesIO(made.data))
    assert (copy.SOPClassUID, copy.Modality, copy.ConversionType) == (kit.CAPTURE, "US", "DI")
    assert "SequenceOfUltrasoundRegions" not in copy
    seen = inside(regions)
    assert np.array_equal(copy.pixel_array[seen], pixels[seen])
    assert not copy.pixel_array[~seen].any()
    assert made.report.counts("hidden-image").get("overlay", 0) >= (not seen.all())
    assert kit.MARK.encode() not in made.data
    assert kit.faults(made.data, tmp_path) == []


def test_in_a_jpeg_whole_blocks_are_covered_and_the_others_are_byte_for_byte(tmp_path: Path) -> None:
    made = medimg.scrub(ultrasound(ONE, coded=True), policy=LIGHT)
    assert made.data is not None, made.report.reason
    copy = pydicom.dcmread(io.BytesIO(made.data)).pixel_array
    before = formats.open_photo(ultrasound(ONE, coded=True), Limits()).samples()
    after = formats.open_photo(made.data, Limits()).samples()
    seen = inside([(17, 17, 62, 46)])  # one pixel is the decoder's, which mixes chroma at an edge
    assert np.array_equal(after[seen], before[seen])
    assert not copy[:14].any()
    assert kit.faults(made.data, tmp_path) == []


def test_the_detectors_do_not_see_it_and_a_person_s_cover_has_its_colour() -> None:
    opened = formats.open_photo(ultrasound(ONE, kit.picture() | 1), Limits())
    (view, *_) = opened.views()
    assert not view[~inside(ONE)].any()
    assert opened.samples()[~inside(ONE)].all()
    plan = medimg.inspect(ultrasound(ONE), policy=LIGHT)
    assert "overlay" in {a.finding.category for a in plan.actions}
    assert {a.do for a in plan.actions} == {"drop"}


@pytest.mark.parametrize(
    "regions", [None, [], [(5, 5, 4, 9)], [(500, 0, 600, 10)], [(16, 16, 63)], [(16, 16, 63, 47), (1, 2)]]
)
def test_without_regions_or_with_damaged_ones_it_is_refused(regions: list[tuple[int, ...]] | None) -> None:
    with pytest.raises(InputError, match="ultrasound"):
        formats.open_photo(ultrasound(regions), Limits())
