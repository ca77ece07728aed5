"""Copies as DICOM photographs: the picture as it is, the patient only when the host gives one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import dicom_kit as kit
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms, ImageOps
from release_kit import answered, call
from sheets_kit import run_folder

from medimg import audit, dicom, formats
from medimg.cli.dicom_wrap import dicom_wrap
from medimg.cli.release import release
from medimg.dicom import Patient, Statement
from medimg.errors import InputError, OutputError, UsageError
from medimg.types import Limits

WHO = Patient(
    name="Müller^Änne",
    id="4711",
    birth_date="19560304",
    sex="F",
    accession="A-9",
    study="1.2.840.4711.1",
    series="1.2.3.5",
)


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))


def copy_of(data: bytes) -> bytes:
    return formats.open_photo(data, Limits()).write().data


def saved(name: str, pixels: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, name, **options)
    return out.getvalue()


COPIES: dict[str, bytes] = {
    "baseline JPEG": copy_of(kit.jpeg_of(kit.picture(), exif=False)),
    "grey JPEG": copy_of(kit.jpeg_of(kit.picture(1), exif=False)),
    "turned JPEG": copy_of(kit.jpeg_of(kit.picture())),
    "turned grey JPEG": copy_of(kit.jpeg_of(kit.picture(1))),
    "progressive JPEG": copy_of(kit.jpeg_of(kit.picture(), exif=False, progressive=True)),
    "PNG": copy_of(saved("PNG", kit.picture())),
    "grey PNG": copy_of(saved("PNG", kit.picture(1))),
}
EVERY = pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())


def upright(copy: bytes) -> Any:
    with Image.open(io.BytesIO(copy)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture))


@EVERY
def test_the_picture_is_the_copy_s_and_the_file_is_valid(copy: bytes, tmp_path: Path) -> None:
    wrapped = dicom.wrap(copy, statement=Statement(key=b"k", text=True, faces=True))
    data = pydicom.dcmread(io.BytesIO(wrapped))
    assert data.SOPClassUID == kit.PHOTOGRAPH
    assert np.array_equal(data.pixel_array, upright(copy))
    assert audit.walk(wrapped, "dicom") == []
    assert kit.faults(wrapped, tmp_path) == []
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
        assert not data[name].value
    assert (data.PatientIdentityRemoved, data.BurnedInAnnotation, data.RecognizableVisualFeatures) == (
        "YES",
        "NO",
        "NO",
    )


def test_a_baseline_jpeg_goes_in_bit_for_bit() -> None:
    copy = COPIES["baseline JPEG"]
    data = pydicom.dcmread(io.BytesIO(dicom.wrap(copy)))
    assert data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    (frame,) = pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1)
    assert frame.rstrip(b"\0") == copy
    assert data.LossyImageCompression == "01"
    assert "BurnedInAnnotation" not in data
    assert [c.CodeValue for c in data.DeidentificationMethodCodeSequence] == ["113100"]


def test_the_colours_of_the_copy_go_along() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for copy in (
        copy_of(kit.jpeg_of(kit.picture(), exif=False, icc_profile=profile)),
        copy_of(saved("PNG", kit.picture(), icc_profile=profile)),
    ):
        wrapped = dicom.wrap(copy)
        with Image.open(io.BytesIO(copy)) as picture:
            assert pydicom.dcmread(io.BytesIO(wrapped)).ICCProfile.rstrip(b"\0") == picture.info["icc_profile"]
        assert audit.walk(wrapped, "dicom") == []


@EVERY
def test_a_patient_given_by_the_host_stands_there_and_nothing_is_called_removed(copy: bytes, tmp_path: Path) -> None:
    wrapped = dicom.wrap(copy, patient=WHO)
    data = pydicom.dcmread(io.BytesIO(wrapped))
    assert (str(data.PatientName), data.PatientID, data.PatientBirthDate) == (WHO.name, WHO.id, WHO.birth_date)
    assert (data.StudyInstanceUID, data.SeriesInstanceUID, data.AccessionNumber) == (WHO.study, WHO.series, "A-9")
    assert data.PatientIdentityRemoved == "NO"
    assert "DeidentificationMethod" not in data
    assert "DeidentificationMethodCodeSequence" not in data
    assert kit.faults(wrapped, tmp_path) == []
    assert audit.walk(wrapped, "dicom")  # it is no de-identified copy, and the judge of those says so


def test_the_same_key_gives_the_same_file() -> None:
    copy = COPIES["baseline JPEG"]
    assert dicom.wrap(copy, key=b"k") == dicom.wrap(copy, key=b"k") != dicom.wrap(copy, key=b"l")
    assert dicom.wrap(copy) != dicom.wrap(copy)


def test_what_is_no_copy_is_not_wrapped() -> None:
    with pytest.raises(UsageError, match="no copy of medimg"):
        dicom.wrap(kit.jpeg_of(kit.picture()))
    with pytest.raises(UsageError, match="no copy of medimg"):
        dicom.wrap(COPIES["baseline JPEG"] + b"PK\x03\x04")
    with pytest.raises(InputError):
        dicom.wrap(b"nothing of that kind")
    with pytest.raises(UsageError, match="alpha"):
        dicom.wrap(copy_of(saved("PNG", np.dstack((kit.picture(), kit.picture(1) // 2 + 1)))))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "A\\B"), ("name", "A\nB"), ("id", "x" * 65), ("accession", "x" * 17), ("birth_date", "4.3.1956"),
        ("sex", "female"), ("study", "1.02.3"), ("study", "a.b"), ("series", "1." + "2" * 64),
    ],
)  # fmt: skip
def test_fields_that_dicom_cannot_hold_are_refused_and_not_quoted(field: str, value: str) -> None:
    with pytest.raises(UsageError, match="form that DICOM wants") as caught:
        dicom.wrap(COPIES["baseline JPEG"], patient=Patient(**{field: value}))
    assert value not in str(caught.value)


# -- the command ------------------------------------------------------------------------------------------------------


def test_released_copies_become_one_series_that_says_what_was_checked(tmp_path: Path) -> None:
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 2}, actions=())
    answered(run, tmp_path)
    call(release, run, "--yes", "--to", "the hand group")
    copies = sorted((run / "share").iterdir())
    target = tmp_path / "out"
    target.mkdir()
    result = call(dicom_wrap, *copies, "-o", target)
    assert (result.exit_code, result.output) == (0, "2 DICOM files written.\n")
    made = [pydicom.dcmread(p) for p in sorted(target.iterdir())]
    assert [p.name for p in sorted(target.iterdir())] == ["P01-001.dcm", "P01-002.dcm"]
    assert len({d.SeriesInstanceUID for d in made}) == len({d.StudyInstanceUID for d in made}) == 1
    assert len({d.SOPInstanceUID for d in made}) == 2
    assert [d.InstanceNumber for d in made] == [1, 2]
    assert {d.BurnedInAnnotation for d in made} == {"NO"}
    assert kit.faults((target / "P01-001.dcm").read_bytes(), tmp_path) == []


def test_any_other_copy_says_nothing_of_text_and_faces(tmp_path: Path) -> None:
    (tmp_path / "copy.jpg").write_bytes(COPIES["baseline JPEG"])
    result = call(dicom_wrap, tmp_path / "copy.jpg", "-o", tmp_path / "x.dcm")
    assert "1 of 1 did not come from share/" in result.output
    assert "BurnedInAnnotation" not in pydicom.dcmread(tmp_path / "x.dcm")
    with pytest.raises(OutputError, match="already"):
        call(dicom_wrap, tmp_path / "copy.jpg", "-o", tmp_path / "x.dcm")
    assert (tmp_path / "copy.jpg").read_bytes() == COPIES["baseline JPEG"]


def test_the_patient_comes_from_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "copy.jpg").write_bytes(COPIES["baseline JPEG"])
    (tmp_path / "who.toml").write_text('name = "Doe^Jane"\nid = "4711"\n')
    result = call(dicom_wrap, tmp_path / "copy.jpg", "-o", tmp_path / "a.dcm", "--patient", tmp_path / "who.toml")
    assert "They are for the archive alone" in result.output
    call(dicom_wrap, tmp_path / "copy.jpg", "-o", tmp_path / "b.dcm", "--patient", "-", input='{"id": "4712"}')
    assert [pydicom.dcmread(tmp_path / f"{n}.dcm").PatientID for n in "ab"] == ["4711", "4712"]
    (tmp_path / "who.toml").write_text('nickname = "ZZNICK"\n')
    with pytest.raises(UsageError, match="the file about the patient") as caught:
        call(dicom_wrap, tmp_path / "copy.jpg", "-o", tmp_path / "c.dcm", "--patient", tmp_path / "who.toml")
    assert "ZZNICK" not in str(caught.value)
    assert not (tmp_path / "c.dcm").exists()


def test_several_copies_need_a_folder(tmp_path: Path) -> None:
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(COPIES["baseline JPEG"])
    with pytest.raises(UsageError, match="folder"):
        call(dicom_wrap, tmp_path / "one.jpg", tmp_path / "two.jpg", "-o", tmp_path / "x.dcm")
    with pytest.raises(UsageError, match="folder"):  # one copy where a pattern of the shell could have met several
        call(dicom_wrap, tmp_path / "one.jpg", "-o", f"{tmp_path / 'made'}/")
    assert not (tmp_path / "made").exists()
    with pytest.raises(OutputError, match="folder"):
        call(dicom_wrap, tmp_path / "one.jpg", "-o", tmp_path / "nowhere" / "x.dcm")
