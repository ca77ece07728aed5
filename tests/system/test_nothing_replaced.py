"""A file that appears where an output is about to get its name stays: it is the act that finds the name taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import batch_fakes as fakes
import pytest
from release_kit import answered, call
from sheets_kit import run_folder

import medimg
from medimg.cli.consent_page import consent_page
from medimg.cli.dicom_wrap import dicom_wrap
from medimg.cli.doctor import doctor
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.errors import OutputError
from medimg.policy import Policy
from medimg.system import host

THEIRS = b"the only one there is"


def no_link(*_: object, **__: object) -> None:
    raise OSError(95, "not supported")


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a rename that replaces nothing": lambda _: None,
    "only links": lambda patch: patch.setattr(host, "rename_new", lambda *_: False),
    "neither": lambda patch: (patch.setattr(host, "rename_new", lambda *_: False), patch.setattr(os, "link", no_link)),
}


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    WAYS[request.param](monkeypatch)


def appears(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """Somebody writes ``target`` while medimg waits for the disk, between its look and its rename."""
    real = host.sync_file

    def sync(handle: int) -> None:
        real(handle)
        target.write_bytes(THEIRS)

    monkeypatch.setattr(host, "sync_file", sync)


@pytest.mark.usefixtures("way")
def test_the_library_writes_a_copy_under_a_free_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = fakes.photo(tmp_path / "a.png")
    tool = medimg.Scrubber(Policy(scope="metadata-only"))
    made = tool.scrub(photo, to=tmp_path / "free")
    assert (tmp_path / "free.png").read_bytes() == made.data
    with monkeypatch.context() as patch:
        appears(patch, tmp_path / "copy.png")
        done = tool.scrub(photo, to=tmp_path / "copy")
    assert (done.held, done.report.error_code) == (True, "M-OUT")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere")
    assert tool.scrub(photo, to=tmp_path / "link").report.error_code == "M-OUT"
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "copy.png").read_bytes() == THEIRS
    assert {p.name for p in tmp_path.iterdir()} == {"a.png", "copy.png", "free.png", "link.png"}


@pytest.mark.parametrize(
    "command",
    [
        (register, "export", "-o", "out.json"),
        (doctor, "--bundle", "out.json"),
        (dicom_wrap, "a.png", "-o", "out.json"),
    ],
)
def test_a_command_writes_under_a_free_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    fakes.photo(tmp_path / "a.png")
    target = tmp_path / "out.json"
    appears(monkeypatch, target)
    with pytest.raises(OutputError, match="already a file"):
        call(*command)
    assert target.read_bytes() == THEIRS
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("renames", [True, False])
def test_a_release_moves_no_copy_over_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: bool
) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 2})
    answered(out, tmp_path)
    real, target = host.rename_new, out / "share" / "P01-002.jpg"

    def rename(old: Path, new: Path) -> bool:
        if old.name == "P01-001.jpg":
            target.write_bytes(THEIRS)
        return renames and real(old, new)

    monkeypatch.setattr(host, "rename_new", rename)
    with pytest.raises(OutputError, match="already there"):
        call(release, out, "P01", "--yes", "--to", "the hand group")
    assert target.read_bytes() == THEIRS
    assert (out / "unreviewed" / "P01-002.jpg").is_file()


def test_a_second_scan_takes_no_place_of_a_first_that_the_answers_do_not_know(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 1})
    answered(out, tmp_path, {"P01": ["P01-001"]})
    state = out / "PRIVATE-patient-record" / "answers.json"
    before = state.read_bytes()
    for content in (b"first", b"second"):
        (tmp_path / "scan.pdf").write_bytes(content)
        call(consent_page, out, "P01", "--signed", tmp_path / "scan.pdf")
        state.write_bytes(before)  # a backup puts it back
    scans = sorted(p.read_bytes() for p in state.parent.glob("consent-signed-*"))
    assert scans == [b"first", b"second"]
