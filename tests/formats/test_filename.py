from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medimg import pipeline
from medimg.api import Scrubber
from medimg.detect.text import identifiers
from medimg.detect.text.known import Known
from medimg.formats import filename
from medimg.types import KnownValues


def kinds(name: str, *folders: str, known: KnownValues | None = None) -> dict[str, int]:
    found = filename.findings(name, folders, known or KnownValues())
    out: dict[str, int] = {}
    for finding in found:
        out[finding.category] = out.get(finding.category, 0) + finding.count
    return out


@pytest.mark.parametrize(
    "name",
    [
        "IMG_0001.JPG",
        "DSC_1234.jpg",
        "DSCF0042.JPG",
        "P1020304.jpg"[:6] + ".jpg",
        "image.png",
        "photo (2).jpg",
        "scan.tif",
        "IMG-12345.jpg",
    ],
)
def test_what_cameras_write_is_nothing(name: str) -> None:
    assert kinds(name) == {}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Mary Jones.jpg", {"words": 2}),
        ("O'Brien.jpg", {"words": 1}),
        ("jones_mary_1234567.jpg", {"words": 2, "number": 1}),
        ("IMG_20240531_101500.jpg", {"date": 1}),
        ("PXL_20240531_101500123.jpg", {"date": 1}),
        ("2024-05-31.jpg", {"date": 1}),
        ("31.5.2024.jpg", {"date": 1}),
        ("3 Jan.jpg", {"date": 1}),
        ("NHS 943 476 5919.jpg", {"words": 1}),
        ("9434765919.jpg", {"number": 1}),
        ("Ngāti.jpg", {"words": 1}),
        ("田中.jpg", {"words": 1}),
    ],
)
def test_what_people_write_is_named_by_kind(name: str, found: dict[str, int]) -> None:
    assert kinds(name) == found


def test_folders_are_told_apart_and_known_values_are_seen_in_any_spelling() -> None:
    found = filename.findings("IMG_1.jpg", ["Jones", "DCIM"])
    assert [(f.where, f.category, f.count) for f in found] == [("folder name", "words", 1)]
    known = KnownValues(names=("Mary-Ann Jones",), numbers=("123 456",))
    assert kinds("maryann_JONES.jpg", known=known)["known"] == 1
    assert kinds("x123456.jpg", known=known)["known"] == 1
    assert "known" not in kinds("x.jpg", known=KnownValues(names=("", "-")))


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_name_is_counted_and_never_shown(name: str, folder: str) -> None:
    for finding in filename.findings(name, [folder]):
        assert finding.kind == "filename"
        assert finding.count >= 1
        assert finding.category in ("words", "date", "number")
        assert finding.where in ("file name", "folder name")


def test_names_in_a_files_name_and_folders_are_looked_for_in_the_picture() -> None:
    """Row 59: the folder bears the patient's name, and a label in the photo does too."""
    known = filename.known("Smith_John_1980-01-01.jpg", ["left wounds", "DCIM"], KnownValues(numbers=("4417",)))
    assert known.numbers == ("4417",)
    for said in ("Smith & Nephew", "JOHN", "Sm1th"):
        assert identifiers.classify(said, 1.0, Known(known)) == ("known", True)
    for said in ("Left foot", "wounds", "STERILE"):
        assert identifiers.classify(said, 1.0, Known(known)).category in identifiers.KEPT


@pytest.mark.parametrize(
    "name", ["IMG_0001.JPG", "PXL_20240531_101500.jpg", "WhatsApp Image 2024-05-31.jpg", "Jan 3.png"]
)
def test_what_cameras_and_programs_write_is_not_looked_for(name: str) -> None:
    assert filename.known(name, ["DCIM", "Photos"]) == KnownValues()


def test_a_photo_in_a_file_named_after_the_patient_is_searched_for_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[KnownValues] = []

    def inspected(*_: object, known: KnownValues, **__: object) -> tuple[None, None]:
        seen.append(known)
        return None, None

    monkeypatch.setattr(pipeline, "inspect", inspected)
    monkeypatch.setattr(Scrubber, "load", lambda _: ())
    (tmp_path / "Smith_left.jpg").write_bytes(b"photo")
    Scrubber().inspect(tmp_path / "Smith_left.jpg")
    assert Known(seen[0]).matches("Smith & Nephew")
    assert not Known(seen[0]).matches("Left foot")
