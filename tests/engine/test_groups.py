"""Patient groups from a file, and suggested groups that a person confirms; how long ago a photo was taken."""

from __future__ import annotations

import csv
import datetime
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import medimg
from medimg.engine import groups
from medimg.engine.groups import Suggestion
from medimg.errors import UsageError
from medimg.formats import capture
from medimg.policy import Policy
from medimg.run import scan
from medimg.types import Report, from_json

NOW = datetime.datetime(2031, 6, 15, 12, 0, 0)
TYPED = "TYPEDGROUPNAME"
LIGHT = Policy(scope="metadata-only")


def photo(path: Path, taken: datetime.datetime | None = None, code: str = "") -> Path:
    """A photo with a camera's time and, if asked for, a code in the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (400, 300), (200, 160, 140))
    if code:
        made = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128).to_image(scale=2)
        image.paste(Image.fromarray(np.array(made)).convert("RGB"), (10, 40))
    exif = Image.Exif()
    exif[0x0112] = 1
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
        # Pillow writes no Exif directory into a TIFF file; elsewhere the time of the last change is not the one meant.
        exif[0x0132] = taken.strftime("%Y:%m:%d %H:%M:%S") if path.suffix == ".tiff" else "2000:01:01 00:00:00"
    image.save(path, exif=exif if taken is not None else b"")
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_the_camera_time_is_read_whatever_the_container(tmp_path: Path, suffix: str) -> None:
    when = datetime.datetime(2031, 2, 17, 9, 41, 7)
    assert capture.taken(photo(tmp_path / f"a.{suffix}", when).read_bytes()) == when
    assert capture.taken(photo(tmp_path / f"b.{suffix}").read_bytes()) is None


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-400, ""), (-2, ""), (-0.5, "days"), (0, "days"), (7, "days"), (8, "weeks"), (56, "weeks"),
        (57, "months"), (365, "months"), (366, "longer"), (9999, "longer"),
    ],
)  # fmt: skip
def test_a_bucket_and_never_a_date(days: float, bucket: str) -> None:
    assert capture.bucket(NOW - datetime.timedelta(days=days), NOW) == bucket


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from([b"", b"Exif\0\0", b"II*\0", b"Exif\0\0MM\0*\0\0\0\x08", b"eXIf"]))
def test_any_bytes_give_a_time_or_none(data: bytes, head: bytes) -> None:
    assert isinstance(capture.taken(head + data), datetime.datetime | None)


@pytest.mark.parametrize("text", ["2031:02:31 25:00:00", "0000:00:00 00:00:00", "    :  :     :  :  ", ""])
def test_a_time_that_is_none_is_not_a_time(tmp_path: Path, text: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = text
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert capture.taken((tmp_path / "a.jpg").read_bytes()) is None


def test_the_report_holds_the_bucket_and_only_the_record_part_says_it(tmp_path: Path) -> None:
    recent = datetime.datetime.now() - datetime.timedelta(days=2)
    photo(tmp_path / "in/a.jpg", recent)
    photo(tmp_path / "in/b.jpg", recent - datetime.timedelta(days=900))
    photo(tmp_path / "in/c.jpg")
    run = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT).folder
    reports = from_json((run / "PRIVATE-patient-record/reports.json").read_bytes(), list[Report])
    assert sorted(r.captured for r in reports) == ["", "days", "longer"]
    said = "newest photo was taken within the last days"
    assert said in (run / "PRIVATE-patient-record/record-sheet.html").read_text()
    for path in run.rglob("*"):
        if path.is_file():
            data = path.read_text(errors="replace")
            assert recent.strftime("%Y:%m:%d %H") not in data
            assert "PRIVATE" in str(path) or (said not in data and '"captured"' not in data), path.name


# ---------------------------------------------------------------- groups.csv


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for n, name in enumerate(("one.png", "two.png", "deep/three.png")):
        fakes.photo(tmp_path / "in" / name, seed=n)
    return tmp_path / "in"


def table(tmp_path: Path, *rows: str, head: str = "original,group") -> Path:
    path = tmp_path / "groups.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def keyed(run: Path) -> dict[str, tuple[str, str]]:
    with (run / "PRIVATE-patient-record/key.csv").open(newline="") as file:
        return {r["original"]: (r["copy"][:3], r["group"]) for r in csv.DictReader(file)}


def test_a_file_says_which_photos_are_one_patient(three: Path, tmp_path: Path) -> None:
    file = table(tmp_path, f"one.png,{TYPED} A", f"deep/three.png,{TYPED} A")
    done = medimg.scrub_folder([three], tmp_path / "out", policy=LIGHT, group_by=file, keep_key=True)
    key = keyed(done.folder)
    assert key["one.png"] == key["deep/three.png"] == (key["one.png"][0], f"{TYPED} A")
    assert key["two.png"] == ({"P01": "P02", "P02": "P01"}[key["one.png"][0]], "")  # no row: a group of its own
    for path in done.folder.rglob("*"):
        assert path.name == "key.csv" or not path.is_file() or TYPED.encode() not in path.read_bytes(), path.name


def test_the_order_of_groups_in_a_file_is_not_the_order_of_keys(three: Path, tmp_path: Path) -> None:
    file = table(tmp_path, "one.png,a", "two.png,b", "deep/three.png,c")
    roots = scan.roots([three])
    seen = {tuple(g.number for g in groups.from_csv(file, roots).values()) for _ in range(60)}
    assert len(seen) > 1
    assert all(sorted(numbers) == [1, 2, 3] for numbers in seen)


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("original,group", ["one.png,a", "missing.png,b"], "row 3"),
        ("original,group", ["one.png,a", "one.png,b"], "row 3"),
        ("original,group", ["one.png,"], "row 2"),
        ("original,group", [",a"], "row 2"),
        ("original,group", ["one.png"], "row 2"),
        ("original,group", ["../in/one.png,a"], "row 2"),
        ("original,group", ['"one.png,a'], "not valid CSV"),
        ("photo,patient", ["one.png,a"], "columns"),
        ("original,original,group", ["one.png,two.png,a"], "columns"),
        ("", [], "columns"),
    ],
)
def test_a_bad_row_is_named_by_its_number_and_nothing_is_written(
    three: Path, tmp_path: Path, head: str, rows: list[str], said: str
) -> None:
    file = table(tmp_path, *rows, head=head)
    with pytest.raises(UsageError) as refused:
        medimg.scrub_folder([three], tmp_path / "out", policy=LIGHT, group_by=file)
    assert said in str(refused.value)
    assert "missing" not in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"\xff\xfeo\0r\0", b"\x80\x81", b""])
def test_a_file_that_is_no_table_is_refused(three: Path, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "groups.csv").write_bytes(data)
    with pytest.raises(UsageError):
        medimg.scrub_folder([three], tmp_path / "out", policy=LIGHT, group_by=tmp_path / "groups.csv")


def test_a_table_as_spreadsheets_write_it(three: Path, tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_bytes("\ufeffGroup;Original;Remark\r\na;one.png;x\r\n;;\r\na;two.png;\r\n".encode())
    found = groups.from_csv(file, scan.roots([three]))
    assert found[0, b"one.png"] == found[0, b"two.png"] != found[0, b"deep/three.png"]


def test_two_inputs_of_one_name_need_the_folder_in_front(tmp_path: Path) -> None:
    for name in ("left", "right"):
        fakes.photo(tmp_path / name / "a.png")
    roots = scan.roots([tmp_path / "left", tmp_path / "right"])
    with pytest.raises(UsageError):
        groups.from_csv(table(tmp_path, "a.png,x"), roots)
    found = groups.from_csv(table(tmp_path, "left/a.png,x", "right/a.png,x"), roots)
    assert len(set(found.values())) == 1


# ---------------------------------------------------------------- suggestions


def suggest(folder: Path, tmp_path: Path, answer: bool, policy: Policy = LIGHT) -> tuple[Suggestion, dict[str, str]]:
    told: list[Suggestion] = []

    def confirm(one: Suggestion) -> bool:
        told.append(one)
        return answer

    run = medimg.scrub_folder(
        [folder], tmp_path / "out", policy=policy, keep_key=True, confirm=confirm, make=fakes.make
    ).folder
    return told[0], {name: group for name, (group, _) in keyed(run).items()}


@pytest.mark.parametrize("answer", [True, False])
def test_gaps_in_time_are_suggested_and_used_only_when_a_person_agrees(tmp_path: Path, answer: bool) -> None:
    for n, minutes in enumerate((0, 4, 13, 60, 62)):
        photo(tmp_path / f"in/{n}.jpg", NOW + datetime.timedelta(minutes=minutes))
    photo(tmp_path / "in/without.jpg")
    told, got = suggest(tmp_path / "in", tmp_path, answer)
    assert told.now == (6,)
    assert sorted(told.suggested.values()) == [1, 2, 3]
    assert (told.gaps, told.unread) == (1, 1)
    if answer:
        assert got["0.jpg"] == got["1.jpg"] == got["2.jpg"] != got["3.jpg"] == got["4.jpg"]
        assert len(set(got.values())) == 3
        assert sorted(list(got.values()).count(k) for k in told.suggested) == [1, 2, 3]
    else:
        assert len(set(got.values())) == 1


def test_one_wristband_in_two_folders_is_one_patient(tmp_path: Path) -> None:
    photo(tmp_path / "in/mon/a.png", NOW, "NHI-ZZZ0016")
    photo(tmp_path / "in/tue/b.png", NOW + datetime.timedelta(days=1), "NHI-ZZZ0016")
    photo(tmp_path / "in/tue/c.png", NOW + datetime.timedelta(days=1, hours=2), "NHI-ZZZ0024")
    told, got = suggest(tmp_path / "in", tmp_path, True, Policy())
    assert (told.codes, sorted(told.suggested.values())) == (1, [1, 2])
    assert got["mon/a.png"] == got["tue/b.png"] != got["tue/c.png"]
    assert b"ZZZ0016" not in b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())


def test_what_cannot_be_read_is_kept_apart_and_nothing_stops(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.jpg", NOW)
    (tmp_path / "in/b.jpg").write_bytes(b"no picture")
    told, _ = suggest(tmp_path / "in", tmp_path, True)
    assert sorted(told.suggested.values()) == [1, 1]


def command(*more: str | Path) -> list[str]:
    return [sys.executable, "-m", "medimg", "clean", "--metadata-only", "--suggest-groups", *map(str, more)]


def test_without_a_terminal_the_suggestion_is_printed_and_not_used(tmp_path: Path) -> None:
    for n, hours in enumerate((0, 5)):
        photo(tmp_path / f"in/{TYPED}{n}.jpg", NOW + datetime.timedelta(hours=hours))
    done = subprocess.run(
        command(tmp_path / "in", "-o", tmp_path / "out"), capture_output=True, input=b"y\n", timeout=600
    )
    assert b"Suggested: 2 patients" in done.stderr
    assert b"stay as given" in done.stderr
    assert TYPED.encode() not in done.stderr + done.stdout
    assert b"2031" not in done.stderr + done.stdout
    assert {p.name[:3] for p in (tmp_path / "out").rglob("P0*.jpg")} == {"P01"}


def test_on_a_terminal_a_person_decides(tmp_path: Path) -> None:
    for n, hours in enumerate((0, 5)):
        photo(tmp_path / f"in/{n}.jpg", NOW + datetime.timedelta(hours=hours))
    ours, theirs = pty.openpty()
    os.write(ours, b"y\n")
    done = subprocess.run(
        command(tmp_path / "in", "-o", tmp_path / "out"), stdin=theirs, capture_output=True, timeout=600
    )
    os.close(ours)
    os.close(theirs)
    assert b"Use the suggestion?" in done.stderr
    assert len(re.findall(rb"P0\d: 1 photo", done.stderr)) == 2
    assert {p.name[:3] for p in (tmp_path / "out").rglob("P0*.jpg")} == {"P01", "P02"}
