"""DICOM photographs and captures: what goes, what stays, what a copy says of itself. Files are written by pydicom."""

from __future__ import annotations

import datetime
import io
import os
import re
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dicom_kit as kit
import numpy as np
import pydicom
import pydicom.data
import pytest
from PIL import Image
from pydicom.datadict import dictionary_VR
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

import medimg
from medimg import audit, formats
from medimg.errors import MedimgError, Unsupported
from medimg.formats import Statement
from medimg.formats.dicom.profile import profile as confidentiality
from medimg.pipeline import MemorySink, scrub
from medimg.policy import Policy
from medimg.types import Action, Box, Cover, Finding, KnownValues, Limits, Plan, Region

LIMITS = Limits()
BARE = Policy(scope="metadata-only")
ALL = Statement(key=b"key", text=True, faces=True)
BOX = Cover(polygon=Box(17, 9, 39, 26).polygon, category="name")
GREY, WIDE = kit.picture(1), kit.picture(1, 12)


def run_length(pixels: Any, **options: Any) -> bytes:
    data = kit.dataset(pixels, **options)
    data.compress(RLELossless, generate_instance_uid=False)
    return kit.saved(data)


CASES: dict[str, bytes] = {
    "photograph, JPEG 4:2:0": kit.photograph(),
    "photograph, JPEG 4:4:4": kit.photograph(subsampling=0),
    "photograph, grey JPEG": kit.photograph(pixels=GREY),
    "photograph, plain": kit.saved(kit.dataset()),
    "photograph, implicit": kit.saved(kit.dataset(syntax=ImplicitVRLittleEndian)),
    "photograph, deflated": kit.saved(kit.dataset(syntax=DeflatedExplicitVRLittleEndian)),
    "photograph, JPEG 2000": kit.jpeg2000(kit.picture()),
    "photograph, run-length": run_length(kit.picture()),
    "endoscopy, JPEG": kit.photograph(of=kit.ENDOSCOPIC),
    "microscopy, JPEG": kit.photograph(of=kit.MICROSCOPIC),
    "capture, plain": kit.saved(kit.dataset(of=kit.CAPTURE)),
    "capture, JPEG": kit.photograph(of=kit.CAPTURE),
    "capture, big-endian 16 bit": kit.saved(
        kit.dataset(kit.picture(1, 16), syntax=ExplicitVRBigEndian, of=kit.CAPTURE)
    ),
    "capture, 12 of 16 bit": kit.saved(kit.dataset(WIDE, stored=12, of=kit.CAPTURE)),
    "capture, inverted": kit.saved(kit.dataset(GREY, photometric="MONOCHROME1", of=kit.CAPTURE)),
    "capture, 16 bit colour": kit.saved(kit.dataset(kit.picture(3, 16), of=kit.CAPTURE)),
    "capture, run-length 16 bit": run_length(kit.picture(1, 16), of=kit.CAPTURE),
    "capture, JPEG 2000 16 bit": kit.jpeg2000(kit.picture(1, 16), of=kit.CAPTURE),
    "capture, many frames": kit.saved(kit.dataset(GREY, of=kit.BYTES, frames=3)),
    "capture, many words": kit.saved(kit.dataset(WIDE, stored=12, of=kit.WORDS)),
    "capture, many colours": kit.photograph(of=kit.COLOURS),
}
EVERY = pytest.mark.parametrize("data", CASES.values(), ids=CASES.keys())


def opened(data: bytes) -> Any:
    return formats.open_photo(data, LIMITS)


def reread(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data))


# -- the copy ---------------------------------------------------------------------------------------------------------


@EVERY
def test_nothing_but_the_picture_is_left(data: bytes, tmp_path: Path) -> None:
    photo = opened(data)
    photo.state(ALL)
    assert photo.metadata()
    copy = photo.write()
    assert (copy.format, copy.suffix) == ("dicom", ".dcm")
    assert kit.MARK.encode() not in copy.data
    for planted in (b"20240531", b"19560304", b"-4711", b"Exif"):
        assert planted not in copy.data
    assert audit.walk(copy.data, "dicom") == []
    again = opened(copy.data)
    assert again.metadata() == []
    assert np.array_equal(again.samples(), photo.samples())
    assert kit.faults(copy.data, tmp_path) == []


@EVERY
def test_covers_are_exact_at_the_picture_s_own_depth(data: bytes, tmp_path: Path) -> None:
    photo = opened(data)
    photo.state(ALL)
    copy = photo.write([BOX])
    assert audit.walk(copy.data, "dicom") == []
    before, after = photo.samples(), opened(copy.data).samples()
    inside = np.zeros(before.shape[:2], bool)
    for polygon in copy.covered:
        xs, ys = [int(x) for x, _ in polygon], [int(y) for _, y in polygon]
        inside[max(min(ys), 0) : max(ys), max(min(xs), 0) : max(xs)] = True
    assert inside[9:26, 17:39].all()
    fringe = copy.fringe
    near = np.zeros_like(inside)
    ys, xs = np.nonzero(inside)
    near[max(ys.min() - fringe, 0) : ys.max() + 1 + fringe, max(xs.min() - fringe, 0) : xs.max() + 1 + fringe] = True
    assert np.array_equal(before[~near], after[~near])
    assert before.dtype == after.dtype
    assert len(np.unique(after[10:25, 18:38].reshape(-1, *after.shape[2:]), axis=0)) == 1
    seen = opened(copy.data).views()[0]
    assert seen[12:24, 20:36].max() <= 2
    assert reread(copy.data).ImageType[0] == "DERIVED"
    assert kit.faults(copy.data, tmp_path) == []


@EVERY
def test_a_crop_holds_nothing_else(data: bytes) -> None:
    photo = opened(data)
    copy = photo.write(crop=Box(16, 16, 64, 48))
    assert audit.walk(copy.data, "dicom") == []
    kept = copy.cropped
    assert kept is not None
    assert kept == Box(16, 16, 64, 48)
    again = opened(copy.data)
    assert (again.width, again.height) == (48, 32)
    f = copy.fringe
    before = photo.samples()[16 + f : 48 - f, 16 + f : 64 - f]
    assert np.array_equal(again.samples()[f : 32 - f, f : 48 - f], before)


@EVERY
def test_another_reader_sees_the_same_picture(data: bytes) -> None:
    """pydicom's decoders: Pillow for JPEG, its own for the rest; it has none for JPEG 2000."""
    before, after = reread(data), reread(opened(data).write().data)
    b = after.pixel_array
    if before.file_meta.TransferSyntaxUID == JPEG2000Lossless:
        (frame,) = pydicom.encaps.generate_frames(before.PixelData, number_of_frames=1)
        a = np.asarray(Image.open(io.BytesIO(frame)))
    else:
        a = before.pixel_array
    a = a[0] if before.get("NumberOfFrames", 1) > 1 else a
    assert np.array_equal(np.squeeze(a), np.squeeze(b))


def test_the_coded_picture_is_the_original_s_byte_for_byte() -> None:
    pixels = kit.picture()
    bare = kit.jpeg_of(pixels, exif=False, subsampling=2)
    copy = opened(kit.photograph(pixels=pixels)).write()
    assert copy.method == "segment-copy"
    scan = bare[bare.index(b"\xff\xda") :]
    assert scan in copy.data
    covered = opened(kit.photograph(pixels=pixels)).write([BOX])
    assert covered.method == "coefficients"


def test_fragments_of_one_frame_are_joined() -> None:
    whole = kit.jpeg_of(kit.picture())
    data = kit.dataset(syntax=JPEGBaseline8Bit, coded=[whole], photometric="YBR_FULL_422")
    data.PixelData = pydicom.encaps.encapsulate([whole], fragments_per_frame=4)
    copy = opened(kit.saved(data)).write()
    assert np.array_equal(opened(copy.data).samples(), opened(kit.photograph()).samples())


def test_the_first_frame_is_kept_and_the_others_are_named() -> None:
    photo = opened(CASES["capture, many frames"])
    assert photo.frames == 3
    assert [(f.category, f.count) for f in photo.metadata() if f.category == "extra-frames"] == [("extra-frames", 2)]
    copy = photo.write()
    assert copy.notes == ("frames-dropped",)
    assert opened(copy.data).frames == 1
    keep_all = Policy(scope="metadata-only", metadata=medimg.policy.MetadataRules(keep_frames=True))
    report = scrub(CASES["capture, many frames"], MemorySink(), [], keep_all)
    assert (report.state, report.error_code) == ("held", "M-HOLD-NOTRUN")


def test_the_profile_is_rebuilt_from_its_colours() -> None:
    from PIL import ImageCms

    data = kit.dataset()
    data.ICCProfile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = opened(kit.saved(data))
    assert "colour-profile-text" in {f.category for f in photo.metadata()}
    copy = photo.write()
    assert reread(copy.data).ICCProfile[36:40] == b"acsp"
    assert (audit.walk(copy.data, "dicom"), opened(copy.data).metadata()) == ([], [])
    bare = photo.write(keep_profile=False)
    assert "profile-dropped" in bare.notes
    assert "ICCProfile" not in reread(bare.data)


def test_bits_above_the_picture_go() -> None:
    pixels = WIDE | 0x8000
    photo = opened(kit.saved(kit.dataset(pixels, stored=12, of=kit.CAPTURE)))
    assert "overlay" in {f.category for f in photo.metadata() if f.where == "pixel data/bits"}
    copy = photo.write()
    assert int(opened(copy.data).samples().max()) < 1 << 12
    assert np.array_equal(opened(copy.data).samples(), WIDE)


def test_a_window_stays_and_what_it_shows_is_looked_at() -> None:
    data = kit.dataset(WIDE, stored=12, of=kit.CAPTURE)
    data.WindowCenter, data.WindowWidth = "300", "64.5"
    photo = opened(kit.saved(data))
    looks = photo.views()
    assert len(looks) >= 2
    assert (looks[-1] == 255).mean() > 0.5
    kept = reread(photo.write().data)
    assert (kept.WindowCenter, kept.WindowWidth) == (300, 64.5)
    data.WindowCenter, data.WindowWidth = "300.471120240531", "64.5"
    assert reread(opened(kit.saved(data)).write().data).WindowCenter == 300.47
    data.WindowCenter = "4711202405"
    bare = opened(kit.saved(data)).write().data
    assert "WindowCenter" not in reread(bare)
    assert b"47112024" not in bare  # a shorter one stands in a new identifier by chance, one run in a hundred


# -- the header -------------------------------------------------------------------------------------------------------


def planted(tag: int, vr: str) -> Any:
    """A value of a kind with the mark in it, as far as the kind allows."""
    match vr:
        case "SQ":
            inner = pydicom.Dataset()
            inner.PatientComments = kit.MARK
            return [inner]
        case "DA":
            return "20240531"
        case "TM":
            return "101500"
        case "DT":
            return "20240531101500"
        case "UI":
            return "1.2.3.47110815"
        case "AT":
            return 0x00100010
        case "DS" | "IS":
            return "47110815"
        case "OB" | "OW" | "UN":
            return kit.MARK.encode() + b"\0"
        case "US" | "UL" | "SS" | "SL" | "UV" | "SV":
            return 4711
        case "FL" | "FD":
            return 4711.0
        case "OF" | "OD" | "OL" | "OV":
            return b"ZZMARKER" * 2
        case "AS":
            return "066Y"
        case _:
            return kit.MARK


def test_every_attribute_of_the_confidentiality_profile_goes_or_is_emptied() -> None:
    """All of PS3.15, Table E.1-1, in one file, in explicit and in implicit form."""
    profile = confidentiality()
    assert len(profile) == 617
    for syntax in ("1.2.840.10008.1.2.1", ImplicitVRLittleEndian):
        data = kit.dataset(syntax=syntax)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for tag, (_, vr) in profile.items():
                if tag >> 16 > 2 and tag not in (0x00080018, 0x0020000D, 0x0020000E, 0x7FE00010, 0x00282000):
                    data.add_new(tag, vr, planted(tag, vr))
            raw = kit.saved(data)
        photo = opened(raw)
        kinds = {f.category for f in photo.metadata()}
        assert {"person", "capture-time", "id", "record-number", "institution", "device", "birth-date"} <= kinds
        copy = photo.write()
        for mark in (kit.MARK.encode(), b"ZZMARKER", b"20240531", b"47110815", b"066Y"):
            assert mark not in copy.data
        after = reread(copy.data)
        for element in after:
            action = profile.get(element.tag, ("", ""))[0]
            if "Z" in action or "D" in action or element.tag.group == 0x0010:
                assert not element.value, element.tag
            elif "U" in action:
                assert str(element.value).startswith("2.25.")
            elif "X" in action:
                pytest.fail(f"{element.tag} is to be removed")
        assert audit.walk(copy.data, "dicom") == []


def test_the_table_of_the_profile_agrees_with_the_dictionary() -> None:
    for tag, (action, vr) in confidentiality().items():
        assert set(action) <= set("DZXU/*")
        assert vr == dictionary_VR(tag).split()[0]


def test_kinds_are_named_and_values_never() -> None:
    found = opened(kit.photograph()).metadata()
    assert kit.MARK not in repr(found)
    kinds = {(f.category, f.where) for f in found}
    assert ("private-element", "data set") in kinds
    assert ("overlay", "data set") in kinds
    assert ("curve", "data set") in kinds
    assert ("thumbnail", "data set") in kinds
    assert ("person", "sequences") in kinds
    assert ("location", "pixel data/APP1/Exif/GPS") in kinds
    assert ("unknown-block", "preamble") in kinds


def test_values_are_for_the_owner_s_terminal_alone() -> None:
    found = {(f.category, f.where): f for f in opened(kit.photograph()).metadata()}
    assert f"{kit.MARK}^Nested" in found["person", "sequences"].secret.reveal()
    assert f"{kit.MARK}^Jörg" in found["person", "data set"].secret.reveal()
    assert kit.MARK not in found["overlay", "data set"].secret.reveal()


def test_files_without_identifiers_do_not_become_one() -> None:
    made = []
    for seed in (1, 2):
        data = kit.dataset(kit.picture(seed=seed))
        for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            del data[name]
        del data.file_meta.MediaStorageSOPInstanceUID
        out = io.BytesIO()
        pydicom.dcmwrite(out, data, enforce_file_format=False)
        photo = opened(out.getvalue())
        photo.state(Statement(key=b"k"))
        made.append(reread(photo.write().data))
    assert (
        len({str(d[n].value) for d in made for n in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}) == 6
    )


def test_a_loss_of_long_ago_is_told() -> None:
    pixels = kit.picture()
    for lossy, said_so in ((True, "01"), (False, "00")):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG2000", no_jp2=True, irreversible=lossy, mct=1, quality_layers=[8])
        name = "YBR_ICT" if lossy else "YBR_RCT"
        data = kit.dataset(pixels, syntax="1.2.840.10008.1.2.4.91", coded=[out.getvalue()], photometric=name)
        assert reread(opened(kit.saved(data)).write().data).LossyImageCompression == said_so


def test_medical_words_of_a_fixed_list_stay_and_others_do_not() -> None:
    after = reread(opened(kit.photograph()).write().data)
    assert (after.BodyPartExamined, after.Laterality, list(after.PatientOrientation)) == ("HAND", "L", ["L", "F"])
    assert (after.SeriesNumber, after.InstanceNumber, after.Modality) == (2, 17, "XC")
    data = kit.dataset()
    data.BodyPartExamined, data.Laterality, data.SeriesNumber = "QUENTIN", "Q", "20240531"
    data.ImageType, data.PatientOrientation = ["ORIGINAL", "PRIMARY", "QUENTIN"], ["DOE", "F"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy = opened(kit.saved(data)).write().data
    after = reread(copy)
    assert "BodyPartExamined" not in after
    assert (after.Laterality, after.SeriesNumber, after.PatientOrientation) == ("", None, "")
    assert b"QUENTIN" not in copy
    assert b"DOE" not in copy


def test_identifiers_are_new_and_those_of_a_series_stay_together() -> None:
    one, two = kit.dataset(), kit.dataset(kit.picture(seed=4))
    two.SOPInstanceUID = two.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"

    def copied(data: Any, key: bytes) -> Any:
        photo = opened(kit.saved(data))
        photo.state(Statement(key=key))
        return reread(photo.write().data)

    a, b, c = copied(one, b"k1"), copied(two, b"k1"), copied(one, b"k2")
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        assert getattr(a, name) == getattr(b, name) != getattr(c, name)
        assert getattr(a, name) != getattr(one, name)
        assert getattr(a, name).is_valid
    assert a.SOPInstanceUID != b.SOPInstanceUID
    assert a.SOPInstanceUID == a.file_meta.MediaStorageSOPInstanceUID
    assert copied(one, b"k1") == a
    scrubber = medimg.Scrubber(BARE)
    runs = [reread(scrubber.scrub(kit.saved(x)).data or b"").StudyInstanceUID for x in (one, two)]
    assert runs[0] == runs[1] != reread(medimg.Scrubber(BARE).scrub(kit.saved(one)).data or b"").StudyInstanceUID


def test_a_series_stays_together_in_a_batch(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        data = kit.dataset(kit.picture(seed=number))
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
        (folder / f"{number}.dcm").write_bytes(kit.saved(data))
    done = medimg.scrub_folder([folder], tmp_path / "out", policy=BARE, where=("AU",), workers=2)
    copies = [pydicom.dcmread(p) for p in sorted((done.folder / "unreviewed").glob("*.dcm"))]
    assert len(copies) == 3
    assert len({d.SeriesInstanceUID for d in copies}) == 1
    assert len({d.SOPInstanceUID for d in copies}) == 3
    for path in done.folder.rglob("*"):
        assert not path.is_file() or kit.MARK.encode() not in path.read_bytes()


# -- what a copy says of itself ---------------------------------------------------------------------------------------


class Told:
    """A detector that finds what it was told, once."""

    version = "told 1"

    def __init__(self, name: str, found: list[Finding] | None = None) -> None:
        self.name, self.found = name, found or []
        self.known: list[KnownValues] = []

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        self.known.append(known)
        return self.found

    def recheck(self, frame: Any, covers: Any, known: Any = None) -> tuple[list[Finding], str]:
        self.known.append(known)
        return [], "told 1"


def tools(**found: list[Finding]) -> list[Told]:
    return [Told(name, found.get(name)) for name in ("text", "codes", "faces")]


def written(plan: Plan | None = None, policy: Policy | None = None, **found: list[Finding]) -> Any:
    sink = MemorySink()
    report = scrub(kit.photograph(), sink, tools(**found), policy or Policy(), plan=plan)
    assert report.state == "unreviewed", report.reason
    return reread(sink.data)


def said(data: Any) -> tuple[list[str], str | None, str | None]:
    codes = [c.CodeValue for c in data.DeidentificationMethodCodeSequence]
    return codes, data.get("BurnedInAnnotation"), data.get("RecognizableVisualFeatures")


def something(kind: Any, category: str) -> Finding:
    return Finding(kind=kind, category=category, detector="told", region=Region(Box(20, 20, 40, 30).polygon), id="f1")


def test_the_method_names_only_what_was_done() -> None:
    done = written()
    assert done.PatientIdentityRemoved == "YES"
    assert done.DeidentificationMethod.startswith("medimg ")
    assert done.LongitudinalTemporalInformationModified == "REMOVED"
    assert said(done) == (["113100", "113101", "113102"], "NO", "NO")
    assert said(written(text=[something("text", "name")])) == (["113100", "113101", "113102"], "NO", "NO")
    assert said(written(policy=BARE)) == (["113100"], None, None)


def test_what_a_person_keeps_or_has_to_look_at_is_not_called_checked() -> None:
    assert said(written(faces=[something("face", "possible-face")])) == (["113100", "113101"], "NO", None)
    for kind, expected in (
        ("text", (["113100", "113102"], None, "NO")),
        ("code", (["113100", "113102"], None, "NO")),
        ("face", (["113100", "113101"], "NO", None)),
    ):
        kept = Action(finding=something(kind, "name"), do="keep", why="it may stay", by="person")
        assert said(written(Plan(width=kit.WIDTH, height=kit.HEIGHT, actions=(kept,)))) == expected


def test_names_and_numbers_of_the_header_are_looked_for_in_the_picture() -> None:
    detectors = tools()
    scrub(kit.photograph(), MemorySink(), detectors, Policy(), known=KnownValues(names=("Given Elsewhere",)))
    first, second = detectors[0].known
    assert first == second
    assert first.names[0] == "Given Elsewhere"
    assert {f"{kit.MARK} Jörg", f"{kit.MARK} Nested"} <= set(first.names)
    assert {f"{kit.MARK}-4711", f"{kit.MARK}1"} <= set(first.numbers)
    assert {"1956-03-04", "2024-05-31"} <= set(first.dates)


@pytest.mark.parametrize(
    ("coding", "raw", "name"),
    [
        ("ISO_IR 100", "Buc^Jérôme".encode("latin-1"), "Buc Jérôme"),
        ("ISO_IR 144", "\u041b\u044e\u0434\u0430".encode("iso8859-5"), "\u041b\u044e\u0434\u0430"),
        ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "山田 太郎"),
        ("GB18030", "王^小东".encode("gb18030"), "王 小东"),
        ("NONSENSE", b"Plain^Name", "Plain Name"),
    ],
)
def test_names_in_other_writings_are_read(coding: str, raw: bytes, name: str) -> None:
    def text(group: int, number: int, kind: str, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return struct.pack("<HH2sH", group, number, kind.encode(), len(value)) + value

    data = kit.saved(kit.dataset(named=False))
    at = data.index(b"\x08\0\x05\0") if b"\x08\0\x05\0CS" in data else data.index(b"\x08\0\x08\0CS")
    data = data[:at] + text(0x0008, 0x0005, "CS", coding.encode()) + data[at:]
    at = data.index(b"\x18\0\x15\0CS")
    data = data[:at] + text(0x0010, 0x0010, "PN", raw) + data[at:]
    assert name in opened(data).values().names


def test_what_pydicom_says_of_a_file_is_not_let_out(caplog: pytest.LogCaptureFixture) -> None:
    data = kit.dataset()
    with caplog.at_level("DEBUG"), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        raw = kit.saved(data).replace(b"ISO_IR 192", b"ZZMARKER Q")
        caplog.clear()
        photo = opened(raw)
        assert photo.values().names
        assert photo.write().data
    assert not caplog.records
    assert not told
    with caplog.at_level("DEBUG"), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        str(pydicom.dcmread(io.BytesIO(raw)).PatientName)
    assert "ZZMARKER" in caplog.text, "a host program's own use of it is as it was"


def test_when_it_was_taken_is_known_in_memory() -> None:
    from medimg.formats import capture

    assert capture.taken(kit.photograph()) == datetime.datetime(2024, 5, 31)
    data = kit.dataset()
    data.AcquisitionDate, data.AcquisitionTime = "20240601", "081530.250"
    assert capture.taken(kit.saved(data)) == datetime.datetime(2024, 6, 1, 8, 15, 30)
    assert capture.taken(kit.saved(kit.dataset(named=False))) is None
    assert capture.taken(bytes(128) + b"DICM" + b"rubbish") is None


def test_a_photo_with_its_patient_s_name_in_it_through_the_real_checks(tmp_path: Path) -> None:
    from PIL import ImageDraw, ImageFont

    page = Image.new("RGB", (900, 600), (203, 160, 140))
    draw = ImageDraw.Draw(page)
    draw.ellipse((350, 300, 500, 420), fill=(150, 50, 45))
    draw.text((60, 60), "Zzmarkerdoe Jorg  04/03/1956", fill=(10, 10, 10), font=ImageFont.load_default(40))
    pixels = np.asarray(page)
    for data in (kit.photograph(pixels=pixels), kit.saved(kit.dataset(pixels))):
        done = medimg.scrub(data)
        assert done.report.state == "unreviewed", done.report.reason
        assert done.media_type == "application/dicom"
        assert said(reread(done.data or b"")) == (["113100", "113101", "113102"], "NO", "NO")
        seen = opened(done.data or b"").views()[0]
        assert seen[65:95, 70:560].max() < 200
        assert np.array_equal(seen[300:420, 350:500], opened(data).views()[0][300:420, 350:500])
        assert {f.category for f in done.findings if f.kind == "text"} & {"known", "name"}
        assert kit.faults(done.data or b"", tmp_path) == []


@pytest.mark.skipif(kit.DCIODVFY is None, reason="dciodvfy is not installed (Debian: dicom3tools)")
def test_the_validator_really_judges(tmp_path: Path) -> None:
    good = opened(kit.photograph()).write().data
    assert kit.faults(good, tmp_path) == []
    assert kit.faults(good.replace(b"ORIGINAL\\PRIMARY", b"WHATEVER\\PRIMARY"), tmp_path)


def test_the_examples_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs/dicom.md").read_text("utf-8")
    first, second = (b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "fhir" not in b)
    archived: list[tuple[bytes, str]] = []
    names: dict[str, Any] = {
        "run_key": b"k" * 32,
        "dicom_bytes": kit.photograph(),
        "archive": lambda *a: archived.append(a),
    }
    plain = medimg.Scrubber
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(medimg, "Scrubber", lambda **more: plain(Policy(), detectors=tools(), **more), raising=False)
        exec(first, names)
    ((data, kind),) = archived
    assert kind == "application/dicom"
    assert said(reread(data)) == (["113100", "113101", "113102"], "NO", "NO")
    names["jpeg_copy"] = opened(kit.jpeg_of(kit.picture(), exif=False)).write().data
    exec(second, names)
    assert reread(names["with_patient"]).PatientName == "Doe^Jane"
    assert not reread(names["without"]).PatientName


# -- what is refused, and pydicom's own files -------------------------------------------------------------------------


def test_other_objects_are_refused_by_name() -> None:
    for uid, name in (("2", "CT Image"), ("4", "MR Image"), ("77.1.2.1", "Video Microscopic Image")):
        with pytest.raises(Unsupported, match=f"of the kind {name}"):
            opened(kit.saved(kit.dataset(of=f"1.2.840.10008.5.1.4.1.1.{uid}")))
    with pytest.raises(Unsupported, match="of another kind"):
        opened(kit.saved(kit.dataset(of="1.2.3.4711")))


def test_colours_that_viewers_would_show_differently_are_refused() -> None:
    with_jfif = kit.photograph(photometric="RGB")  # wrong, and the picture says so itself
    after = reread(opened(with_jfif).write().data)
    assert after.PhotometricInterpretation == "YBR_FULL_422"
    assert np.array_equal(opened(with_jfif).samples(), opened(kit.photograph()).samples())
    at = with_jfif.index(b"\xff\xe0\0\x10JFIF")
    bare = with_jfif[:at] + b"\xff\xfe\0\x10" + b" " * 14 + with_jfif[at + 18 :]
    with pytest.raises(MedimgError, match="other colours"):
        opened(bare)


def test_every_file_of_pydicom_is_copied_and_valid_or_refused_with_a_reason(tmp_path: Path) -> None:
    root = Path(pydicom.data.__file__).parent
    copied, refused = [], []
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc", ".json")):
        data = path.read_bytes()
        try:
            photo = opened(data)
            photo.state(ALL)
            copy = photo.write()
        except MedimgError as error:
            refused.append(path.name * bool(error.what))
            continue
        copied.append(path.name)
        assert audit.walk(copy.data, copy.format) == [], path.name
        again = opened(copy.data)
        assert again.metadata() == [], path.name
        assert np.array_equal(again.samples(), photo.samples()), path.name
        assert kit.faults(copy.data, tmp_path) == [], path.name
        names = [w for n in photo.values().names for w in n.split() if len(w) > 3 and w.isascii()]
        assert not [w for w in names if w.encode() in copy.data], path.name
    assert {"SC_rgb_rle_16bit.dcm", "SC_rgb_small_odd_big_endian.dcm", "SC_rgb_jpeg_dcmtk.dcm", "chrH31.dcm"} <= set(
        copied
    )
    assert {"CT_small.dcm", "MR_small.dcm", "JPGExtended.dcm", "DICOMDIR"} <= set(refused)
    assert len(copied) >= 25


def test_a_photo_is_read_without_the_package_that_opens_a_socket_when_it_is_loaded(tmp_path: Path) -> None:
    """pydicom loads requests where it is installed; one that may not be loaded stands first on the path."""
    (tmp_path / "requests.py").write_text("raise SystemExit('loaded')\n")
    (tmp_path / "photo.dcm").write_bytes(kit.photograph())
    code = (
        "import pathlib, sys; from medimg import formats; from medimg.types import Limits;"
        "formats.open_photo(pathlib.Path(sys.argv[1]).read_bytes(), Limits()).write();"
        "print('pydicom' in sys.modules, 'requests' in sys.modules, 'urllib3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "photo.dcm")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "False", "False"]), done.stderr
