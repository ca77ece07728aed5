"""The host programs of docs/examples, run as their users would."""

from __future__ import annotations

import importlib.util
import io
import tomllib
from pathlib import Path
from types import ModuleType

import batch_fakes as fakes
import dicom_kit
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

import medimg
from medimg.detect import plugins
from medimg.policy import DetectorRules, explain

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.py"))
OWNER = "Margaret Whitcombe"


def example(name: str) -> ModuleType:
    path = next(p for p in EXAMPLES if p.stem == name)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scrubber() -> medimg.Scrubber:
    return medimg.Scrubber(detectors=fakes.make(None), key=bytes(32))


def photo(path: Path) -> Path:
    fakes.photo(path)
    exif = Image.Exif()
    exif[315] = OWNER
    with Image.open(path) as picture:
        picture.save(path, exif=exif)
    return path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40


def test_an_upload_comes_back_covered_or_as_a_reason(tmp_path: Path, scrubber: medimg.Scrubber) -> None:
    client = example("flask_upload").create_app(scrubber).test_client()
    data = photo(tmp_path / "a.png").read_bytes()
    answer = client.post("/photos", data={"photo": (io.BytesIO(data), "Whitcombe.png"), "name": OWNER})
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["X-Medimg-State"] == "unreviewed"
    assert OWNER.encode() not in answer.data
    assert Image.open(io.BytesIO(answer.data)).size == (32, 24)
    refused = client.post("/photos", data={"photo": (io.BytesIO(b"\1\2\3"), "x.png")})
    assert (refused.status_code, refused.json["code"]) == (422, "M-IN-NOTPIC")  # type: ignore[index]
    assert client.post("/photos").status_code == 400


def test_the_queue_worker_does_each_job_and_takes_up_what_was_claimed(
    tmp_path: Path, scrubber: medimg.Scrubber
) -> None:
    queue, out = tmp_path / "queue", tmp_path / "out"
    photo(queue / "Whitcombe 1.png")
    photo(queue / ".worker-1" / "Whitcombe 2.png")  # a killed worker's
    (queue / "notes.txt").write_text("not a photo")
    worker = example("watch_worker")
    assert worker.work(queue, out, scrubber) == 3
    assert worker.work(queue, out, scrubber) == 0
    assert sorted(p.suffix for p in out.iterdir()) == [".json"] * 3 + [".png"] * 2
    assert sorted(p.name for p in (queue / ".done").iterdir()) == ["Whitcombe 1.png", "Whitcombe 2.png"]
    assert [p.name for p in (queue / ".kept-back").iterdir()] == ["notes.txt"]
    assert not any("Whitcombe" in p.name or b"Whitcombe" in p.read_bytes() for p in out.iterdir())


def test_the_archive_pass_gives_new_objects(tmp_path: Path, scrubber: medimg.Scrubber) -> None:
    archive, out = tmp_path / "archive", tmp_path / "out"
    archive.mkdir()
    (archive / "1.dcm").write_bytes(dicom_kit.photograph())
    before = pydicom.dcmread(archive / "1.dcm")
    assert example("dicom_archive").run(archive, out, scrubber) == {"unreviewed": 1}
    (copy,) = out.iterdir()
    after = pydicom.dcmread(copy)
    assert copy.name == f"{after.SOPInstanceUID}.dcm"
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert not after.PatientName
    assert str(after.PatientIdentityRemoved) == "YES"


def _package(folder: Path, *points: str) -> None:
    """A package with the example's detector in it, as pip lays it down."""
    info = folder / "stamps-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stamps\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[medimg.detectors]\n" + "\n".join(points))
    (folder / "stamp_detector.py").write_text((EXAMPLES[0].parent / "stamp_detector.py").read_text())


def _stamped(ground: str | tuple[int, int, int] = "white") -> bytes:
    picture = Image.new("RGB", (300, 200), ground)
    draw = ImageDraw.Draw(picture)
    for y in (60, 75, 90):
        draw.line((40, y, 160, y + 6), fill=(200, 10, 20), width=4)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _asking(*names: str) -> medimg.Policy:
    return medimg.Policy(detectors=DetectorRules(also=names))


def test_a_detector_of_ones_own_covers_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tomllib.loads((EXAMPLES[0].parent / "pyproject.toml").read_text(encoding="utf-8"))
    _package(tmp_path, *(f"{name} = {at}" for name, at in package["project"]["entry-points"][plugins.GROUP].items()))
    monkeypatch.syspath_prepend(str(tmp_path))
    asked = _asking("stamps")
    assert any("stamps" in sentence for sentence in explain(asked))
    tool = medimg.Scrubber(asked, detectors=plugins.joined(fakes.make(None), asked))
    assert "stamps 1" in tool.engines["text"]
    done = tool.scrub(_stamped())
    assert done.report.counts() == {"unknown": 1}, done.report.reason
    assert np.all(done.array()[70:80, 60:140] == 0)
    assert np.all(done.array()[150:] == 255)
    assert tool.scrub(_stamped((225, 175, 150))).report.counts() == {}  # red on skin
    plain = medimg.Scrubber(_asking(), detectors=plugins.joined(fakes.make(None), _asking()))
    assert plain.scrub(_stamped()).report.counts() == {}


@pytest.mark.parametrize("point", ["stamps = stamp_detector:absent", "stamps = nowhere:make"])
def test_a_named_detector_that_is_missing_holds_and_a_broken_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    held = medimg.Scrubber(_asking("gone"), detectors=plugins.joined(fakes.make(None), _asking("gone")))
    assert held.scrub(_stamped()).report.error_code == "M-HOLD-NOTRUN"
    _package(tmp_path, point)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(medimg.errors.MissingPart):
        plugins.joined(fakes.make(None), _asking("stamps"))
