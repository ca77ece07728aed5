"""The main job on the synthetic clinical pictures: real photos, real detectors, real readers, the real command."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
FOLDER_MARK = "Wharekura 8821047"
# What exiftool says of a file's structure, and of the file on this disk; nothing else may be in a copy.
STRUCTURE = {"ExifTool", "System", "File", "JFIF", "PNG", "Composite", "Adobe", "ICC_Profile"}
ICC = ["ICC-header", "ICC-view", "ICC-meas"]


class Run(NamedTuple):
    photos: Path
    folder: Path
    said: bytes
    code: int
    manifest: dict[str, Any]
    key: dict[str, str]
    before: dict[Path, tuple[bytes, int]]


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


FEW = ("IMG_20310217_094107.jpg", "bedside/ruler.png", "face/IMG_0008.jpg")
"""A label, a wristband and codes beside a ruler, a name on one, and a face: one of each thing."""


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.long)])
def run(tmp_path_factory: pytest.TempPathFactory, fixture_photos: tuple[Path, Any], request: Any) -> Run:
    base = tmp_path_factory.mktemp("real")
    drawn, made = fixture_photos
    if request.param == "few":
        made = msgspec.structs.replace(made, pictures=tuple(p for p in made.pictures if p.file in FEW))
    photos = base / FOLDER_MARK
    for picture in made.pictures:
        (photos / picture.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(drawn / picture.file, photos / picture.file)
    before = contents(photos)
    done = subprocess.run(
        [sys.executable, "-m", "medimg", "clean", photos, "-o", base / "out", "--where", "AU", "--keep-key"],
        capture_output=True,
        timeout=600,
        cwd=base,
    )
    (folder,) = (base / "out").iterdir()
    with (folder / "PRIVATE-patient-record/key.csv").open(newline="", encoding="utf-8") as file:
        key = {row["original"]: row["copy"] for row in csv.DictReader(file)}
    manifest = msgspec.to_builtins(made)
    return Run(photos, folder, done.stdout + done.stderr, done.returncode, manifest, key, before)


def inside(polygon: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    image = Image.new("1", (shape[1], shape[0]))
    ImageDraw.Draw(image).polygon([tuple(p) for p in polygon], fill=1)
    return np.asarray(image)


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_every_photo_became_a_copy_that_waits_for_a_person(run: Run) -> None:
    assert run.code == 11, run.said
    assert set(run.key) == {p["file"] for p in run.manifest["pictures"]}
    assert all(run.key.values())
    assert sorted(run.key.values()) == sorted(p.name for p in (run.folder / "unreviewed").iterdir())


def test_no_planted_value_is_in_any_byte_of_the_run_or_of_what_was_said(run: Run) -> None:
    words = {FOLDER_MARK, "Wharekura", "8821047"}
    blocks = set()
    for picture in run.manifest["pictures"]:
        words |= {*picture["markers"], Path(picture["file"]).stem}
        words |= {i["text"] for kind in ("identifiers", "codes") for i in picture[kind]}
        blocks |= {bytes.fromhex(b) for b in picture["marker_blocks"]}
    words -= {"", "plain", "codes", "board", "ruler"}
    needles = blocks | {w.encode(e) for w in words for e in ("utf-8", "utf-16-le", "utf-16-be")}
    assert len(needles) > 50
    places = {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file() and p.name != "key.csv"}
    places[Path("said")] = run.said
    found = [(p.name, n) for p, data in places.items() for n in needles if n in data]
    assert found == []
    assert not [p for p in run.folder.rglob("*") for w in words if w in p.name]


def test_everything_that_must_be_found_is_solid_and_of_one_colour(run: Run) -> None:
    missed = []
    colours = set()
    for picture in run.manifest["pictures"]:
        copy = pixels(run.folder / "unreviewed" / run.key[picture["file"]]).astype(int)
        places = [
            (kind, item, inside(item["polygon"], copy.shape))
            for kind in ("identifiers", "faces")
            for item in picture[kind]
        ]
        if not places:
            continue
        # Black, or the grey that can be seen beside a dark screen or cloth; the same for the whole picture.
        colour = np.median(np.concatenate([copy[place] for _, _, place in places]), axis=0)
        colours.add(tuple(int(c) for c in colour))
        solid = np.abs(copy - colour).max(axis=2) <= 2
        for kind, item, place in places:
            share = solid[place].mean()
            if share < 0.97:
                missed.append((picture["file"], kind, item["cls"], round(float(share), 2)))
    assert missed == []
    assert (0, 0, 0) in colours
    assert all(max(c) - min(c) <= 2 for c in colours)


def test_what_must_survive_is_untouched_pixel_for_pixel(run: Run) -> None:
    changed = []
    for picture in run.manifest["pictures"]:
        before = pixels(run.photos / picture["file"])
        after = pixels(run.folder / "unreviewed" / run.key[picture["file"]])
        # A name written on a ruler is covered there; the rest of the ruler is not.
        written_on = np.zeros(before.shape[:2], bool)
        for item in picture["identifiers"]:
            box = inside(item["polygon"], before.shape)
            ys, xs = np.nonzero(box)
            written_on[max(ys.min() - 24, 0) : ys.max() + 24, max(xs.min() - 24, 0) : xs.max() + 24] = True
        different = (before != after).any(axis=2) & ~written_on
        for item in picture["survive"]:
            count = int(different[inside(item["polygon"], before.shape)].sum())
            if count:
                changed.append((picture["file"], item["cls"], count))
    assert changed == []


def test_no_reader_reads_a_planted_identifier_from_a_copy(run: Run) -> None:
    """RapidOCR as it comes, with its own detector at full size: not the way the product uses it."""
    from rapidocr import RapidOCR

    reader = RapidOCR()
    read = []
    for picture in run.manifest["pictures"]:
        words = {w for i in picture["identifiers"] for w in i["text"].upper().split() if len(w) > 3 and w.isalnum()}
        words -= {"WARD"}
        with Image.open(run.folder / "unreviewed" / run.key[picture["file"]]) as image:
            from PIL import ImageOps

            upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        texts = " ".join(reader(upright).txts or ()).upper()
        read += [(picture["file"], w) for w in words if w in texts]
    assert read == []


def test_no_code_can_be_decoded_from_a_copy(run: Run) -> None:
    import zxingcpp

    for name in run.key.values():
        with Image.open(run.folder / "unreviewed" / name) as image:
            assert [c.format.name for c in zxingcpp.read_barcodes(image.convert("RGB"))] == []


def test_exiftool_shows_structure_and_nothing_else(run: Run) -> None:
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("exiftool is not installed")
    done = subprocess.run(
        [tool, "-a", "-u", "-G1", "-s", run.folder / "unreviewed"], capture_output=True, text=True, timeout=600
    )
    said = set()
    for line in done.stdout.splitlines():
        if line.startswith("["):
            group, _, rest = line[1:].partition("]")
            said.add((group.strip(), rest.split(":")[0].strip()))
    allowed = {("IFD0", "Orientation"), *((g, t) for g, t in said if g in STRUCTURE or g in ICC)}
    assert said - allowed == set()


def test_the_originals_are_as_they_were(run: Run) -> None:
    assert contents(run.photos) == run.before


def test_bad_inputs_are_named_by_safe_id_and_cost_nobody_else(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from fixtures._bad import bad

    wrong = bad(tmp_path / "in")
    assert wrong
    files = [p for p in (tmp_path / "in").rglob("*") if p.is_file()]
    before = contents(tmp_path / "in")
    done = subprocess.run(
        [sys.executable, "-m", "medimg", "clean", tmp_path / "in", "-o", tmp_path / "out", "--metadata-only"],
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 21, done.stderr
    (folder,) = (tmp_path / "out").iterdir()
    import json

    summary = json.loads((folder / "run.json").read_bytes())
    assert sum(summary["photos"].values()) + sum(summary["set_aside"].values()) >= len(files)
    assert summary["photos"]["refused"] >= 5
    assert summary["photos"]["unreviewed"] >= 5
    assert "failed" not in summary["photos"]
    everything = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file()) + done.stdout + done.stderr
    for name in ("Tamsin", "pwned", "same.jpg", "truncated", "letter.txt"):
        assert name.encode() not in everything
    assert contents(tmp_path / "in") == before
