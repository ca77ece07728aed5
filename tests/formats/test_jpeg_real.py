"""JPEG: real files. Nothing that identifies stays, the picture does, and other programs agree."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medimg import audit, formats
from medimg.errors import Malformed
from medimg.formats import jpeg
from medimg.types import Copy, Limits

LIMITS = Limits()
# Tags of the structure itself; everything else that ExifTool prints of a copy is a finding.
STRUCTURE = {"ExifTool", "System", "File", "JFIF", "Composite", "ICC_Profile", "ICC-header", "Adobe"}
NOT_IDENTIFYING = {"System", "File", "ExifTool", "Composite", "JFIF", "ICC_Profile", "ICC-header", "Adobe"}


def photos(corpus: Callable[[str], list[Path]]) -> Iterator[tuple[Path, formats.Opened, Copy]]:
    """The real files that are whole: one of them ends in the middle and is refused, by Pillow too."""
    for path in [*corpus("*.jpg"), *corpus("*.mpo")]:
        try:
            photo = formats.open_photo(path.read_bytes(), LIMITS)
        except Malformed:
            with pytest.raises(OSError, match="truncated"), Image.open(path) as broken:
                broken.load()
            continue
        yield path, photo, photo.write()


def test_both_readers_find_nothing_in_the_copy_and_the_picture_is_the_same(corpus) -> None:
    for path, photo, copy in photos(corpus):
        assert photo.metadata(), path.name
        assert audit.walk(copy.data, "jpeg") == [], path.name
        again = formats.open_photo(copy.data, LIMITS)
        assert again.metadata() == [], path.name
        assert again.write().data == copy.data, path.name
        assert (again.width, again.height, again.orientation) == (photo.width, photo.height, photo.orientation)
        with Image.open(path) as before, Image.open(io.BytesIO(copy.data)) as after:
            assert np.array_equal(np.asarray(before), np.asarray(after)), path.name
            assert np.array_equal(np.asarray(before), photo.samples()), path.name


CODED_ANEW = {"jpeg183_frame-size.mpo"}
"""Pictures whose coded data hold bits that no decoder heeds; they are written anew, with the same pixels."""


def test_coded_data_are_the_original_s(corpus) -> None:
    for path, photo, copy in photos(corpus):
        first = photo.data.index(b"\xff\xda", photo.jpeg.parts[photo.jpeg.first_scan].begin)
        if path.name in CODED_ANEW:
            seen, shown = (np.asarray(Image.open(io.BytesIO(d))) for d in (photo.data, copy.data))
            assert np.array_equal(seen, shown), path.name
        else:
            assert photo.data[first : photo.jpeg.end] in copy.data, path.name


def identifying(told: dict[str, object]) -> set[bytes]:
    """Strings of six characters and more that ExifTool reads in the blocks that are dropped."""
    out = set()
    for name, value in told.items():
        if name.split(":")[0] not in NOT_IDENTIFYING and isinstance(value, str) and not value.startswith("(Binary"):
            out |= {m.encode() for m in re.findall(r"[\x21-\x7e][\x20-\x7e]{4,}[\x21-\x7e]", value)}
    return out


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="program not installed")
def test_exiftool_finds_structure_only_and_no_string_of_the_original(corpus) -> None:
    exiftool = ["exiftool", "-a", "-u", "-U", "-G1", "-ee", "-j", "-"]
    for path, photo, copy in photos(corpus):
        (before,), (after,) = (
            json.loads(subprocess.run(exiftool, input=data, capture_output=True, check=True).stdout)
            for data in (photo.data, copy.data)
        )
        left = {n for n in after if n != "SourceFile" and n.split(":")[0] not in STRUCTURE}
        allowed = {"IFD0:Orientation"} if photo.orientation > 1 else set()
        assert left <= allowed, (path.name, left)
        assert "ExifTool:Warning" not in after, path.name
        strings = identifying(before)
        assert {s for s in strings if s in copy.data} == set(), path.name


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="program not installed")
def test_what_exiftool_calls_a_place_or_a_person_is_reported(corpus) -> None:
    kinds = {"GPSLatitude": "location", "SerialNumber": "serial", "ThumbnailImage": "thumbnail", "Model": "device"}
    for path, photo, _copy in photos(corpus):
        told = subprocess.run(
            ["exiftool", "-G1", "-s", "-EXIF:all", "-j", str(path)], capture_output=True, check=True
        ).stdout
        tags = {name.rpartition(":")[2] for name in json.loads(told)[0]}
        found = {f.category for f in photo.metadata()}
        assert {kinds[t] for t in tags if t in kinds} <= found, path.name


def test_the_copy_turns_the_same_way(corpus) -> None:
    from PIL import ImageOps

    for path, _photo, copy in photos(corpus):
        with Image.open(path) as before, Image.open(io.BytesIO(copy.data)) as after:
            upright = [np.asarray(ImageOps.exif_transpose(p)) for p in (before, after)]
        assert np.array_equal(*upright), path.name


def test_the_metadata_path_stays_light(tmp_path: Path) -> None:
    """Neither Pillow nor OpenCV is loaded to strip and to walk a file."""
    import sys

    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG")
    path = tmp_path / "in.jpg"
    path.write_bytes(out.getvalue())
    code = (
        "import sys; from pathlib import Path; from medimg import audit, formats; from medimg.types import Limits;"
        "photo = formats.load('jpeg').open(Path(sys.argv[1]).read_bytes(), Limits()); photo.metadata();"
        "assert audit.walk(photo.write().data, 'jpeg') == [];"
        "print([m for m in ('PIL', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
    assert jpeg.sniff(out.getvalue())
