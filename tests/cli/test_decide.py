"""``review``, ``cover``, ``show`` and ``crop``: what a person decides without the window, by what the copies show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from medimg.cli.main import cli
from medimg.engine.batch import scrub_folder
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run import decisions
from medimg.run.opened import OpenRun, open_run
from medimg.run.request import RunRequest
from medimg.types import Action, Box, Finding, Region

NAME = "ZZMARKERNAME"


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(cli, list(map(str, arguments)), standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("made")
    turned = Image.fromarray(np.random.default_rng(3).integers(60, 200, (60, 90, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    (base / "in").mkdir()
    turned.save(base / "in" / f"{NAME}.png", exif=exif)
    light = msgspec.structs.replace(Policy.load(), scope="metadata-only")
    scrub_folder(RunRequest(photos=[base / "in"], out=base / "out", policy=light, workers=1))
    return base


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def upright(base: Path) -> np.ndarray:
    from PIL import ImageOps

    with Image.open(open_run(base / "out").folder / "unreviewed" / "P01-001.png") as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def with_finding(base: Path, finding: Finding, do: str = "ask") -> OpenRun:
    """A run in which a check found something more."""
    run = open_run(base / "out")
    decided = decisions.load(run.folder)
    assert decided is not None
    plan = decided.plans["P01-001"]
    action = Action(finding=finding, do=do, why="shown by a rule")  # type: ignore[arg-type]
    plan = msgspec.structs.replace(plan, actions=(*plan.actions, action))
    decisions.save(run.folder, msgspec.structs.replace(decided, plans={"P01-001": plan}))
    return run


def found(kind: str, category: str, inner: Box | None = None) -> Finding:
    return Finding(
        kind=kind,  # type: ignore[arg-type]
        category=category,
        detector="test 1",
        id="t1",
        region=Region(Box(8, 8, 40, 30).polygon),
        inner=inner.polygon if inner else (),
    )


def last(run: OpenRun) -> Action:
    decided = decisions.load(run.folder)
    assert decided is not None
    return decided.plans["P01-001"].actions[-1]


def test_a_box_is_covered_where_a_viewer_shows_it_and_nothing_else_changes(base: Path) -> None:
    before = upright(base)
    assert before.shape == (90, 60, 3)
    done = call("cover", base / "out", "P01-001", base / "in", "--box", "10,50,20,15")
    assert done.return_value == 10, done.output
    after = upright(base)
    changed = (before != after).any(axis=2)
    assert len(np.unique(after[50:65, 10:30].reshape(-1, 3), axis=0)) == 1
    changed[50:65, 10:30] = False
    assert not changed.any()
    assert "P01-001: the copy was made again and passed every check" in done.output
    assert "Next: look at the new copy" in done.output
    listed = json.loads(call("review", base / "out", "--json").output)
    assert listed["photos"][0]["areas"][0]["box"] == [10, 50, 20, 15]
    assert NAME not in done.output


def test_what_was_covered_is_shown_again(base: Path) -> None:
    before = upright(base)
    call("cover", base / "out", "P01-001", base / "in", "--box", "10 50 20 15")
    assert (upright(base) != before).any()
    done = call("show", base / "out", "P01-001", base / "in", "--area", "1", "--why", "shown")
    assert done.return_value == 10
    assert (upright(base) == before).all()
    listed = json.loads(call("review", base / "out", "--json").output)
    assert [(a["do"], a["by"]) for a in listed["photos"][0]["areas"]] == [("keep", "person")]


def test_a_crop_keeps_the_box_that_a_viewer_shows_and_is_taken_back(base: Path) -> None:
    before = upright(base)
    assert call("crop", base / "out", "P01-001", base / "in", "--box", "5,20,40,30").return_value == 10
    assert (upright(base) == before[20:50, 5:45]).all()
    # A box of the next decision counts in the whole picture, not in the crop.
    call("cover", base / "out", "P01-001", base / "in", "--box", "5,20,10,10")
    assert len(np.unique(upright(base)[:10, :10].reshape(-1, 3), axis=0)) == 1
    call("crop", base / "out", "P01-001", base / "in", "--whole")
    assert upright(base).shape == before.shape


def test_without_the_photos_the_decision_waits_and_the_command_that_applies_it_is_named(base: Path) -> None:
    before = upright(base)
    done = call("cover", base / "out", "P01-001", "--box", "0,0,9,9")
    assert done.output.strip().endswith(f"medimg apply {base / 'out'} PHOTOS")
    assert (upright(base) == before).all()
    assert "a decision is not applied yet" in call("review", base / "out").output
    assert call("apply", base / "out", base / "in").return_value == 10
    assert (upright(base) != before).any()


def test_a_face_that_holds_a_photo_is_covered_alone_or_cropped_away_by_the_commands_that_are_named(base: Path) -> None:
    before = upright(base)
    run = with_finding(base, found("face", "face", inner=Box(14, 12, 34, 28)), do="hold")
    listed = call("review", base / "out").output
    named = f"{base / 'out'} P01-001 PHOTOS"
    assert f"Cover the face alone, from brow to chin: medimg cover {named} --face 1" in listed
    assert f"Crop to the largest part beside the face: medimg crop {named} --beside 1" in listed
    assert call("cover", base / "out", "P01-001", base / "in", "--face", "1").return_value == 10
    changed = (upright(base) != before).any(axis=2)
    assert changed.sum() == 24 * 20  # the face and two pixels round it
    assert last(run).why == "a person has the face alone covered, from brow to chin"
    with_finding(base, found("face", "face", inner=Box(14, 12, 34, 28)), do="hold")
    assert call("crop", base / "out", "P01-001", base / "in", "--beside", "2").return_value == 10
    assert upright(base).size < before.size
    with pytest.raises(UsageError, match="does not have this choice"):
        call("cover", base / "out", "P01-001", "--face", "1")


def test_what_is_asked_names_the_command_that_decides_it(base: Path) -> None:
    run = with_finding(base, found("face", "possible-face"))
    listed = call("review", base / "out")
    assert listed.return_value == 20
    assert f"medimg cover {base / 'out'} P01-001 PHOTOS --area 1" in listed.output
    assert f"medimg show {base / 'out'} P01-001 PHOTOS --area 1 --why" in listed.output
    call("show", base / "out", "P01-001", "--area", "1", "--why", "consent-allows")
    assert (last(run).do, last(run).why, last(run).by) == (
        "keep",
        "a face, and the consent allows showing it",
        "person",
    )
    call("cover", base / "out", "P01-001", "--area", "1")
    assert (last(run).do, last(run).by) == ("cover", "person")


@pytest.mark.parametrize(
    ("kind", "category", "arguments", "words"),
    [
        ("text", "unread", ["show", "--area", "1", "--why", "not-a-face"], "not a face"),
        ("face", "face", ["show", "--area", "1", "--why", "not-writing"], "may be a face"),
        ("text", "unread", ["cover", "--carrier", "1"], "not a thing with writing"),
        ("text", "unread", ["cover", "--area", "2"], "has 1 area"),
        ("text", "unread", ["cover", "--box", "500,500,5,5"], "60 x 90"),
        ("text", "unread", ["cover", "--box", "5,5,0,5"], "60 x 90"),
        ("text", "unread", ["cover"], "say what to cover"),
        ("text", "unread", ["cover", "--area", "1", "--box", "1,1,5,5"], "say what to cover"),
        ("text", "unread", ["crop"], "say what to keep"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_decided(
    base: Path, kind: str, category: str, arguments: list[str], words: str
) -> None:
    run = with_finding(base, found(kind, category))
    before = last(run)
    command, *rest = arguments
    with pytest.raises(UsageError, match=words):
        call(command, base / "out", "P01-001", *rest)
    assert last(run) == before


def test_a_thing_is_covered_whole_and_gone_back_to_its_lines(base: Path) -> None:
    run = with_finding(base, found("object", "slip"), "keep")
    call("cover", base / "out", "P01-001", "--carrier", "1")
    assert (last(run).do, last(run).by) == ("cover", "person")
    call("show", base / "out", "P01-001", "--area", "1", "--why", "shown")
    assert (last(run).do, last(run).by) == ("keep", "person")


def test_a_photo_that_is_not_there_is_said_without_being_quoted(base: Path) -> None:
    with pytest.raises(UsageError) as caught:
        call("cover", base / "out", NAME, "--area", "1")
    assert NAME not in str(caught.value)
