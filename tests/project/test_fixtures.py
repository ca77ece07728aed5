from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import piexif
import pytest
from PIL import Image

from fixtures import make as drawing
from fixtures._bad import PATIENT, bad
from fixtures.make import Manifest, Picture, face_photo, make
from medimg import geometry


def pictures(fixture_photos: tuple[Path, Manifest]) -> list[tuple[bytes, Picture]]:
    out, manifest = fixture_photos
    return [((out / p.file).read_bytes(), p) for p in manifest.pictures]


@pytest.mark.parametrize("count", [4, pytest.param(len(drawing.PLAN), marks=pytest.mark.long)])
def test_same_bytes_every_time(
    fixture_photos: tuple[Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(drawing, "PLAN", drawing.PLAN[:count])
    again = {p.file for p in make(tmp_path).pictures}
    first, second = (
        {p.relative_to(root): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*") if p.is_file()}
        for root in (fixture_photos[0], tmp_path)
    )
    assert {name: digest for name, digest in first.items() if name.as_posix() in again} == second
    assert len(first) == len(fixture_photos[1].pictures)
    assert 0 < len(second) == len(again)
    assert (tmp_path.with_name(f"{tmp_path.name}-manifest.json")).read_bytes()


def test_manifest_tells_size_orientation_and_what_is_planted(fixture_photos: tuple[Path, Manifest]) -> None:
    for data, picture in pictures(fixture_photos):
        with Image.open(fixture_photos[0] / picture.file) as image:
            # Pillow names a JPEG with a second picture behind it after its index (CIPA DC-007).
            named = {"MPO": "jpeg", "JPEG": "jpeg", "PNG": "png"}[str(image.format)]
            assert (named, image.size) == (picture.format, (picture.width, picture.height))
            assert (image.format == "MPO") == ("mpf" in picture.metadata)
            assert image.getexif().get(0x0112, 1) == picture.orientation
        if picture.format == "jpeg":
            for marker in picture.markers:
                assert marker.encode() in data, picture.file
        assert bool(picture.markers) == (picture.metadata != ("orientation",))


def test_real_location_serial_and_thumbnail_in_the_exif(fixture_photos: tuple[Path, Manifest]) -> None:
    for data, picture in pictures(fixture_photos):
        if "thumbnail" not in picture.metadata:
            continue
        exif = piexif.load(data)
        assert exif["GPS"][piexif.GPSIFD.GPSLatitude][0][0] in (39, 53)
        assert exif["Exif"][piexif.ExifIFD.BodySerialNumber].decode() in picture.markers
        assert exif["thumbnail"][:2] == b"\xff\xd8"
        assert any(bytes.fromhex(block) in data for block in picture.marker_blocks)


def test_every_layout_orientation_and_kind_of_thing_occurs(fixture_photos: tuple[Path, Manifest]) -> None:
    made = [p for _, p in pictures(fixture_photos)]
    assert {p.orientation for p in made} == {1, 3, 6, 8}
    sorts = {s for p in made for s in p.metadata}
    assert {"mpf", "second-picture", "iptc", "xmp", "comment", "trailing", "icc-text", "maker-note", "time"} <= sorts
    assert {c.cls for p in made for c in p.codes} >= {"Code128", "DataMatrix", "QRCode", "PDF417", "Aztec"}
    assert {c.cls for p in made for c in p.survive} >= {"ruler", "colour-card", "wound"}
    assert {c.cls for p in made for c in p.identifiers} >= {"name", "nhi", "nhs", "date", "place", "address"}
    assert any(not p.identifiers and not p.codes and not p.faces for p in made)


def test_faces_are_there_or_the_manifest_says_why_not(fixture_photos: tuple[Path, Manifest]) -> None:
    faces = [p for _, p in pictures(fixture_photos) if p.faces]
    assert len(faces) == (2 if face_photo() else 0)
    assert len(fixture_photos[1].left_out) == (0 if face_photo() else 2)


def test_what_has_to_survive_does_not_touch_what_has_to_go(fixture_photos: tuple[Path, Manifest]) -> None:
    for _, picture in pictures(fixture_photos):
        for keep in picture.survive:
            for gone in (*picture.identifiers, *picture.codes, *picture.faces):
                a, b = (np.asarray(p) for p in (keep.polygon, gone.polygon))
                apart = (a.max(0) <= b.min(0) - 2).any() or (b.max(0) <= a.min(0) - 2).any()
                slanted = geometry.area(keep.polygon) < 0.97 * float(np.prod(a.max(0) - a.min(0)))
                assert apart or slanted, (picture.file, keep.cls, gone.text)


def test_places_of_codes_are_dark_on_light(fixture_photos: tuple[Path, Manifest]) -> None:
    """The stored coordinates point at the printed thing: a code has much contrast."""
    for _, picture in pictures(fixture_photos):
        with Image.open(fixture_photos[0] / picture.file) as image:
            gray = np.asarray(image.convert("L")).astype(float)
        for code in picture.codes:
            x0, y0 = (int(v) for v in np.min(code.polygon, 0))
            x1, y1 = (int(v) for v in np.max(code.polygon, 0))
            patch = gray[max(y0, 0) : y1, max(x0, 0) : x1]
            assert np.percentile(patch, 90) - np.percentile(patch, 10) > 70, (picture.file, code.cls)


def test_bad_inputs_are_written(tmp_path: Path) -> None:
    made = bad(tmp_path)
    assert {"empty.jpg", "text.jpg", "bomb.png", "huge-header.jpg", "-rf.jpg", "new\nline.jpg"} <= set(made)
    assert any(PATIENT in name for name in made)
    for name in made:
        assert (tmp_path / name).is_file()
    assert (tmp_path / "empty.jpg").stat().st_size == 0
    assert (tmp_path / "bomb.png").stat().st_size < 2_000_000
    assert (tmp_path / "one/same.jpg").read_bytes() == (tmp_path / "two/same.jpg").read_bytes()
