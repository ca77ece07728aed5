"""An edited photo and the original beside it are told to be two versions of one, by safe ids alone."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def photo(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 32, 3)).astype(np.uint8)).save(out, "JPEG")
    path.write_bytes(out.getvalue())


def cleaned(folder: Path, names: list[str]) -> tuple[str, Path, dict[str, object]]:
    for seed, name in enumerate(names):
        photo(folder / "photos" / name, seed)
    done = subprocess.run(
        [sys.executable, "-m", "medimg", "clean", str(folder / "photos"), "-o", str(folder / "out"), "--metadata-only"],
        capture_output=True, text=True, cwd=folder, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode in (10, 11), done.stderr
    (summary,) = (folder / "out").rglob("run.json")
    return done.stdout, summary, json.loads(summary.read_bytes())


@pytest.mark.parametrize(
    "names",
    [
        ["IMG_4711.jpg", "IMG_E4711.jpg"],
        pytest.param(["leg.jpg", "leg_edited.jpg"], marks=pytest.mark.long),
        ["20240607_080910.jpg", "20240607_080910~2.jpg"],
        pytest.param(["PXL_20240607_1.jpg", "PXL_20240607_1-EFFECTS.jpg"], marks=pytest.mark.long),
        pytest.param(["heel (2).jpg", "heel.jpg"], marks=pytest.mark.long),
        ["heel - Copy.jpg", "heel.jpeg"],
        pytest.param(["Wunde-bearbeitet.jpg", "Wunde.jpg"], marks=pytest.mark.long),
    ],
    ids=lambda names: names[-1],
)
def test_two_versions_are_told_in_output_and_report(tmp_path: Path, names: list[str]) -> None:
    said, summary, told = cleaned(tmp_path, [*names, "other.jpg"])
    sets = told.get("versions")
    assert isinstance(sets, list)
    assert [len(ids) for ids in sets] == [2]
    (ids,) = sets
    line = f"{ids[0]} and {ids[1]} are versions of one photo"
    assert line in said
    (sheet,) = (p for p in summary.parent.rglob("*.html") if line in p.read_text("utf-8"))
    assert "record" in sheet.name
    for written in (said, sheet.read_text("utf-8"), summary.read_text("utf-8")):
        assert not any(Path(name).stem in written.replace(str(tmp_path), "") for name in names if len(name) > 9)


def test_a_numbered_series_and_other_folders_are_no_versions(tmp_path: Path) -> None:
    names = ["wound (1).jpg", "wound (2).jpg", "a/IMG_0001.jpg", "b/IMG_E0001.jpg", "IMG_0002.jpg", "IMG_0003.jpg"]
    said, _, told = cleaned(tmp_path, names)
    assert told.get("versions") == []
    assert not re.search("versions of one", said)


def test_what_has_no_copy_is_no_version_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/IMG_0001.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60))
    photo(tmp_path / "photos/IMG_0001.jpg", 1)
    done = subprocess.run(
        [sys.executable, "-m", "medimg", "clean", "photos", "-o", "out", "--metadata-only"],
        capture_output=True, text=True, cwd=tmp_path, timeout=600, check=False,
    )  # fmt: skip
    assert "1 copy passed" in done.stdout
    assert "1 file not cleaned" in done.stdout
    assert "versions of one" not in done.stdout


def test_many_pairs_do_not_push_the_next_steps_off_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    from medimg.cli import clean

    clean._say_versions([(f"P01-{n:03}", f"P01-{n + 1:03}") for n in range(1, 401, 2)])
    said = capsys.readouterr().out.splitlines()
    assert len([line for line in said if "versions of one photo" in line]) == 5
    assert said[5:] == ["195 more such sets of copies: the record sheet lists them.", ""]
