"""Entries for the window: menu, desktop icon, Open with, Send to."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from medimg import formats
from medimg.cli.main import cli
from medimg.desktop import install
from medimg.desktop.lnk import shortcut
from medimg.desktop.quick_action import quick_action
from medimg.errors import OutputError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    desktop = tmp_path / "Schreibtisch ü"
    desktop.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr("platformdirs.user_desktop_path", lambda: desktop)
    return tmp_path


def snapshot(folder: Path) -> set[Path]:
    return {p for p in folder.rglob("*") if p.is_file()}


def fields(entry: Path) -> dict[str, str]:
    lines = entry.read_text().splitlines()
    assert lines[0] == "[Desktop Entry]"
    return dict(line.split("=", 1) for line in lines[1:])


def test_install_and_uninstall_leave_nothing(home: Path) -> None:
    before = snapshot(home)
    made = install.install()
    assert snapshot(home) - before == set(made)
    assert {p.name for p in made} == {"medimg.svg", "medimg.desktop"}
    assert set(install.uninstall()) == set(made)
    assert snapshot(home) == before


def test_again_is_the_same(home: Path) -> None:
    install.install()
    before = {p: p.read_bytes() for p in snapshot(home)}
    install.install()
    assert {p: p.read_bytes() for p in snapshot(home)} == before


def test_a_file_of_somebody_else_stays(home: Path) -> None:
    made = install.install()
    theirs = next(p for p in made if p.parent.name == "applications")
    theirs.write_text("[Desktop Entry]\nName=something else\n")
    assert theirs not in install.uninstall()
    assert theirs.read_text().endswith("something else\n")


def test_the_entry_is_valid(home: Path) -> None:
    program = shutil.which("desktop-file-validate")
    if program is None:
        pytest.skip("desktop-file-validate (Debian: desktop-file-utils) is not installed")
    for entry in (p for p in install.install() if p.suffix == ".desktop"):
        done = subprocess.run([program, str(entry)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_open_with_offers_the_window_for_files_of_every_format(home: Path) -> None:
    entry = next(p for p in install.install() if p.suffix == ".desktop")
    offered = fields(entry)["MimeType"].rstrip(";").split(";")
    assert sorted(offered) == sorted(set(offered))
    for name in formats.FORMATS:
        assert set(formats.load(name).MEDIA_TYPES.values()) <= set(offered), name
    assert {"image/jpeg", "image/heif", "image/gif"} <= set(offered)


def test_the_entry_starts_this_medimg(home: Path) -> None:
    entry = next(p for p in install.install() if p.suffix == ".desktop")
    said = fields(entry)
    assert Path(said["Icon"]).is_file()
    assert os.access(entry, os.X_OK)
    *program, files = shlex.split(said["Exec"])
    assert files == "%F"
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=600, check=True, cwd=home)
    assert "Usage: " in done.stdout


def test_no_file_in_the_folder_it_starts_from_is_run(home: Path) -> None:
    (home / "medimg.py").write_text("raise SystemExit('planted')\n")
    done = subprocess.run(
        [*install.command(), "--help"], capture_output=True, text=True, timeout=600, check=False, cwd=home
    )
    assert "planted" not in done.stdout + done.stderr
    assert done.returncode == 0


def test_the_command_makes_and_removes_them(home: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(cli, ["desktop", "--install"])
    assert made.exit_code == 0
    assert made.output.count("Added: ") == 3
    gone = runner.invoke(cli, ["desktop", "--uninstall"])
    assert gone.output.count("Removed: ") == 3
    assert runner.invoke(cli, ["desktop", "--uninstall"]).output == ""


@pytest.mark.parametrize("name", ["with space", 'quo"te', "dollar$x", "back\\slash", "per%cent", "tick`x", "ü ā"])
def test_the_program_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    text = install.desktop_entry([str(folder / "python"), "-m", "medimg"], tmp_path / "icon.svg")
    value = next(x for x in text.splitlines() if x.startswith("Exec="))[5:]
    line = value.replace("\\\\", "\\")  # a value of type string has its own escapes, undone first
    # Inside double quotes the specification escapes exactly what the shell does.
    done = subprocess.run(["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    *program, files = done.stdout.splitlines()
    assert [p.replace("%%", "%") for p in program] == [str(folder / "python"), "-m", "medimg"]
    assert files == "%F"


def test_a_name_that_would_break_out_of_its_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        install.desktop_entry(["/opt/a\nExec=evil"], tmp_path)


def test_a_folder_that_cannot_be_written_is_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("x")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "file"))
    with pytest.raises(OutputError) as error:
        install.install()
    assert str(home) not in str(error.value)


def test_the_icon_is_a_small_drawing() -> None:
    root = ET.fromstring(install.ICON)
    assert root.tag.endswith("svg")
    assert len(install.ICON) < 1000


def test_a_packed_program_is_the_window_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/medimg/medimg")
    assert install.command() == ["/opt/medimg/medimg-desktop"]


# ---------------------------------------------------------------- Windows: the bytes; they were not run on Windows


def test_send_to_start_menu_and_desktop(tmp_path: Path) -> None:
    entries = install.windows_entries([r"C:\Program Files\medimg\medimg-desktop.exe"], tmp_path / "r", tmp_path / "d")
    assert [str(p.relative_to(tmp_path)) for p in entries] == [
        "r/Microsoft/Windows/SendTo/medimg.lnk",
        "r/Microsoft/Windows/Start Menu/Programs/medimg.lnk",
        "d/medimg.lnk",
    ]
    assert all(install._ours(data) for data in entries.values())


def test_a_shortcut_is_what_the_format_says() -> None:
    target = r"C:\Program Files\medimg ā\medimg-desktop.exe"
    data = shortcut(target, arguments="-P -m medimg desktop", folder=r"C:\Program Files", about="words")
    assert data[:4] == b"\x4c\0\0\0"
    assert data[4:20] == bytes.fromhex("0114020000000000C000000000000046")
    (flags,) = struct.unpack_from("<I", data, 20)
    assert flags & 0x80  # Unicode
    assert not flags & 0x01  # no item list
    at = 76
    size, head, kind, _, _, _, _, wide, _ = struct.unpack_from("<9I", data, at)
    assert (head, kind) == (0x24, 1)
    path = data[at + wide : data.index(b"\0\0\0", at + wide) + 1]
    assert path.decode("utf-16-le").rstrip("\0") == target
    at += size
    strings = []
    for _ in range(4):
        (count,) = struct.unpack_from("<H", data, at)
        strings.append(data[at + 2 : at + 2 + 2 * count].decode("utf-16-le"))
        at += 2 + 2 * count
    assert strings == ["words", r"C:\Program Files", "-P -m medimg desktop", target]
    block, signature = struct.unpack_from("<II", data, at)
    assert (block, signature) == (0x314, 0xA0000001)
    assert data[at + 8 + 260 : at + block].decode("utf-16-le").rstrip("\0") == target
    assert data[at + block :] == bytes(4)


def test_a_long_path_still_makes_a_shortcut() -> None:
    target = "C:\\" + "d" * 300 + "\\medimg-desktop.exe"
    data = shortcut(target)
    assert target.encode("utf-16-le") in data
    assert data.endswith(bytes(4))


@pytest.fixture
def registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """This program as on Windows, with a registry that is a dictionary."""
    keys: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(home / "roaming"))
    monkeypatch.setattr(install.host, "write_registry", lambda key, values: keys.setdefault(key, {}).update(values))
    monkeypatch.setattr(install.host, "registry_values", lambda key: keys.get(key, {}))
    monkeypatch.setattr(
        install.host,
        "remove_registry",
        lambda key: [keys.pop(k) for k in list(keys) if (k + "\\").startswith(key + "\\")],
    )
    return keys


def test_the_menu_of_a_photo_and_of_a_folder(registry: dict[str, dict[str, str]]) -> None:
    made = install.install()
    menus = [m for m in made if isinstance(m, str)]
    assert menus == [
        rf"HKEY_CURRENT_USER\Software\Classes\{kind}\shell\medimg"
        for kind in ("Directory", r"SystemFileAssociations\image", r"SystemFileAssociations\.dcm")
    ]
    assert len(registry) == 6
    key = r"Software\Classes\Directory\shell\medimg"
    assert registry[key][""] == "Make copies for sharing"
    assert registry[rf"{key}\command"] == {"": f'"{sys.executable}" -P -m medimg desktop "%1"'}
    assert set(install.uninstall()) == set(made)
    assert registry == {}


def test_a_menu_of_somebody_else_stays(registry: dict[str, dict[str, str]]) -> None:
    install.install()
    theirs = r"Software\Classes\Directory\shell\medimg"
    registry[theirs][""] = "something else"
    assert rf"HKEY_CURRENT_USER\{theirs}" not in install.uninstall()
    assert set(registry) == {theirs, rf"{theirs}\command"}


def test_a_registry_that_cannot_be_written_is_words(
    registry: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(install.host, "write_registry", denied)
    with pytest.raises(OutputError):
        install.install()


# -- the Finder -------------------------------------------------------------------------------------------------------


def test_the_quick_action_gives_what_was_chosen_to_the_window(tmp_path: Path) -> None:
    """Its line is run here by a shell, as Automator would, with a program that says what it was given."""
    said = tmp_path / "said.txt"
    program = tmp_path / "a 'strange' program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.out" && mv "$0.out" ' + f"{said}\n")
    program.chmod(0o755)
    made = quick_action([str(program), "-P"], tmp_path / "Library", name=install.ACT, mark=install._MARK)
    assert {p.parent for p in made} == {tmp_path / "Library/Services/Make copies for sharing.workflow/Contents"}
    info, document = (plistlib.loads(made[p]) for p in sorted(made))
    (service,) = info["NSServices"]
    assert service["NSMenuItem"] == {"default": "Make copies for sharing"}
    assert set(service["NSSendFileTypes"]) >= {"public.image", "public.folder"}
    (step,) = document["actions"]
    run = step["action"]["ActionParameters"]
    assert run["inputMethod"] == 1
    line = run["COMMAND_STRING"] + "wait\n"
    subprocess.run([run["shell"], "-c", line, "sh", "/a b/$(x).jpg", "--odd"], check=True, timeout=20)
    assert said.read_text().splitlines() == ["-P", "/a b/$(x).jpg", "--odd"]


def test_the_quick_action_comes_and_goes_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "home", lambda: home)
    made = install.install()
    assert len(made) == 2
    assert all(Path(p).is_file() for p in made)
    services = home / "Library" / "Services"
    assert set(install.uninstall()) == set(made)
    assert list(services.iterdir()) == []
