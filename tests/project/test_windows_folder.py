"""The folder for Windows, as far as it can be looked at here; packages are not fetched."""

from __future__ import annotations

import runpy
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MADE = runpy.run_path(str(ROOT / "release" / "windows_folder.py"))
PE = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(40)
ELF = b"\x7fELF" + bytes(14) + struct.pack("<H", 0x3E) + bytes(40)
PTH = "python311.zip\r\n.\r\n\r\n# Uncomment to run site.main() automatically\r\n#import site\r\n"


def made(name: str) -> Any:
    return MADE[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "embed.zip", "w") as packed:
        packed.writestr("python311._pth", PTH)
        for name in ("python.exe", "pythonw.exe", "python311.dll"):
            packed.writestr(name, PE)
    out = tmp_path / "medimg"
    assert made("unpacked")(tmp_path / "embed.zip", out / "python") == "3.11"
    package = out / "python" / "Lib" / "site-packages" / "medimg"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in made("COMMANDS"):
        (out / name).touch()
    return out


def test_python_looks_into_its_own_folder_alone(folder: Path) -> None:
    told = (folder / "python" / "python311._pth").read_bytes().decode()
    assert told.split("\r\n") == ["python311.zip", ".", "Lib\\site-packages", ""]


def test_a_whole_folder_has_no_fault(folder: Path) -> None:
    assert made("faults")(folder) == []


def test_what_is_missing_or_of_another_system_is_named(folder: Path) -> None:
    (folder / "python" / "python.exe").unlink()
    library = folder / "python" / "Lib" / "site-packages" / "medimg" / "_kernel.pyd"
    library.write_bytes(ELF)
    found = made("faults")(folder)
    assert any("python/python.exe is missing" in f for f in found)
    assert any(f.endswith("_kernel.pyd: for linux x86_64") for f in found)


def test_the_commands_start_python_without_the_current_folder() -> None:
    assert all(" -P -m medimg" in text and "%~dp0python" in text for text in made("COMMANDS").values())
