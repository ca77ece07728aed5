"""Copies that are made smaller: what is looked at, covered and written is the smaller picture."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import batch_fakes as fakes
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from PIL.Image import Exif

from medimg import formats
from medimg.engine import apply as applying
from medimg.engine.batch import Hooks, scrub_folder
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run import decisions
from medimg.run.opened import open_run
from medimg.run.request import RunRequest
from medimg.types import Action, Box, Finding, Limits, Region

SIDE = 640


def photo(path: Path, size: tuple[int, int] = (1600, 1200), **more: object) -> Path:
    noise = np.random.default_rng(3).integers(60, 220, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(9))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **more)
    return path


def opened(path: Path) -> formats.Opened:
    return formats.open_photo(path.read_bytes(), Limits(max_side=SIDE))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif"])
def test_it_is_brought_to_the_side_and_is_the_same_picture(tmp_path: Path, suffix: str) -> None:
    """AVIF stands for HEIC too: both are read by one module, and Pillow writes only this one."""
    exact = {"webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}
    path = photo(tmp_path / f"a.{suffix}", **exact.get(suffix, {}))
    small = opened(path)
    assert (small.width, small.height) == (640, 480)
    with Image.open(path) as whole:
        wanted = np.asarray(whole.convert("RGB").resize((640, 480), Image.Resampling.LANCZOS), np.int16)
    assert np.abs(small.samples().astype(np.int16) - wanted).mean() < 1


def test_what_is_turned_stays_turned_and_the_profile_stays(tmp_path: Path) -> None:
    from PIL import ImageCms

    exif, profile = Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif[0x0112] = 6
    path = photo(tmp_path / "a.jpg", exif=exif, icc_profile=profile)
    small = opened(path)
    assert small.orientation == 6
    with Image.open(io.BytesIO(small.write().data)) as copy:
        assert copy.info.get("icc_profile")
        assert copy.getexif()[0x0112] == 6


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_avif_is_shown_as_it_was(tmp_path: Path, orientation: int) -> None:
    """It says how it is turned in a box of its own; the smaller copy is a JPEG, which says it in its EXIF."""
    exif = Exif()
    exif[0x0112] = orientation
    path = photo(tmp_path / "a.avif", exif=exif.tobytes())
    written = opened(path).write()
    assert written.format == "jpeg"
    with Image.open(path) as whole, Image.open(io.BytesIO(written.data)) as copy:
        upright = ImageOps.exif_transpose(copy)
        wanted = ImageOps.exif_transpose(whole).resize(upright.size, Image.Resampling.LANCZOS)
    assert upright.size in ((640, 480), (480, 640))
    gap = np.abs(np.asarray(upright.convert("RGB"), np.int16) - np.asarray(wanted.convert("RGB"), np.int16))
    assert gap.mean() < 3


def test_what_the_file_says_is_still_found(tmp_path: Path) -> None:
    exif = Exif()
    exif[0x010F] = "ZZMAKER"
    path = photo(tmp_path / "a.jpg", exif=exif)
    assert [f.where for f in opened(path).metadata()] == [
        f.where for f in formats.open_photo(path.read_bytes(), Limits()).metadata()
    ]
    assert b"ZZMAKER" not in opened(path).write().data


def test_a_smaller_photo_and_one_with_transparency_stay_as_they_are(tmp_path: Path) -> None:
    assert opened(photo(tmp_path / "a.jpg", (500, 400))).width == 500
    clear = Image.new("RGBA", (900, 700), (90, 30, 30, 120))
    clear.save(tmp_path / "clear.png")
    assert opened(tmp_path / "clear.png").width == 900


def test_a_run_is_of_the_smaller_pictures_and_a_decision_is_applied_to_them(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    request = RunRequest(photos=[tmp_path / "in"], out=tmp_path / "out", max_side=SIDE, workers=1)
    outcome = scrub_folder(request, hooks=Hooks(make=fakes.make))
    run = open_run(outcome.folder)
    (report,) = run.reports
    assert report.copy is not None
    assert (report.width, report.height, report.copy.width, report.copy.height) == (640, 480, 640, 480)
    assert (outcome.folder / "unreviewed" / "P01-001.jpg").stat().st_size < (tmp_path / "in" / "a.png").stat().st_size

    assert report.plan is not None
    drawn = Finding(kind="drawn", category="drawn", detector="person", region=Region(Box(100, 100, 200, 180).polygon))
    cover = Action(finding=drawn, do="cover", why="drawn by a person", by="person")
    edited = msgspec.structs.replace(report.plan, actions=(*report.plan.actions, cover))
    decided = decisions.of(run.state.run.tag, run.reports)
    decisions.save(outcome.folder, msgspec.structs.replace(decided, plans={"P01-001": edited}))
    made = applying.apply(outcome.folder, [tmp_path / "in"], make=fakes.make, workers=1)
    assert not made.left
    with Image.open(outcome.folder / "unreviewed" / "P01-001.jpg") as copy:
        assert copy.size == (640, 480)
        covered = np.asarray(copy.convert("RGB"))[110:170, 110:190]
    assert np.ptp(covered.reshape(-1, 3), axis=0).max() <= 2


def test_a_side_that_is_too_small_is_no_policy(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('schema = "medimg.policy/1"\n[limits]\nmax_side = 100\n')
    with pytest.raises(UsageError, match="at least 640"):
        Policy.load(tmp_path / "p.toml")


def test_the_digest_of_a_policy_without_it_is_as_before() -> None:
    said = msgspec.to_builtins(Policy())
    del said["limits"]["max_side"]
    before = hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]
    assert Policy().digest == Policy().with_side(0).digest == before
    assert len({before, Policy().with_side(SIDE).digest, Policy().with_side(2 * SIDE).digest}) == 3
