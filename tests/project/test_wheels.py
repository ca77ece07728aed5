"""What looks into the wheels of other platforms sees what is wrong with them."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import struct
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from medimg._build import kernel

ROOT = Path(__file__).resolve().parent.parent.parent
LINUX = "manylinux_2_17_x86_64"


@pytest.fixture(scope="module")
def wheels() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release_wheels", ROOT / "release" / "wheels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def elf(machine: int, more: bytes = b"") -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + bytes(40) + more


MACHO = b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C) + bytes(40)
PE = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(40)


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (elf(0x3E), ("linux", "x86_64")),
        (elf(0xB7), ("linux", "aarch64")),
        (MACHO, ("macos", "aarch64")),
        (PE, ("windows", "x86_64")),
    ],
)
def test_a_library_says_what_it_is_for(wheels: ModuleType, library: bytes, said: tuple[str, str]) -> None:
    assert wheels.machine(library) == said


def made(folder: Path, platform: str, libraries: dict[str, bytes]) -> Path:
    """A wheel of that platform with these libraries and weights of other bytes than the real ones."""
    models = {n: f"weights {n}".encode() for n in ("one", "two")}
    table = "".join(
        f'[{n}]\nfile = "{n}.onnx"\nsha256 = "{hashlib.sha256(d).hexdigest()}"\n' for n, d in models.items()
    )
    assert len(tomllib.loads(table)) == 2
    path = folder / f"medimg-1-py3-none-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("medimg-1.dist-info/WHEEL", f"Root-Is-Purelib: false\nTag: py3-none-{platform}\n")
        archive.writestr("medimg/models/models.toml", table)
        for name, data in models.items():
            archive.writestr(f"medimg/models/{name}.onnx", data)
        for name, data in libraries.items():
            archive.writestr(name, data)
    return path


def good(wheels: ModuleType, suffix: str, library: bytes) -> dict[str, bytes]:
    return {s.with_suffix(suffix).as_posix(): library + wheels.SYMBOLS[s.stem] for s in kernel.SOURCES}


def test_a_wheel_as_it_should_be_has_no_faults(wheels: ModuleType, tmp_path: Path) -> None:
    assert wheels.faults(made(tmp_path, LINUX, good(wheels, ".so", elf(0x3E, b"GLIBC_2.14"))), LINUX) == []
    assert wheels.faults(made(tmp_path, "win_amd64", good(wheels, ".dll", PE)), "win_amd64") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"medimg/audit/_scan.so": None}, "its libraries are"),
        ({"medimg/audit/_scan.dylib": MACHO}, "its libraries are"),
        ({"medimg/audit/_scan.so": elf(0xB7, b"medimg_audit_vp8")}, "it is for linux/aarch64"),
        ({"medimg/audit/_scan.so": elf(0x3E)}, "does not export"),
        ({"medimg/audit/_scan.so": elf(0x3E, b"medimg_audit_vp8 GLIBC_2.34")}, "newer glibc"),
        ({"medimg/audit/_scan.so": elf(0x3E, b"medimg_audit_vp8 /home/")}, "a path of the computer"),
        ({"medimg/models/one.onnx": b"others"}, "one.onnx is missing or another one"),
        ({"tests/test_x.py": b""}, "does not belong in it"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_wrong_with_a_wheel_is_seen(
    wheels: ModuleType, tmp_path: Path, change: dict[str, bytes | None], said: str
) -> None:
    libraries = {**good(wheels, ".so", elf(0x3E)), **change}
    path = made(tmp_path, LINUX, {n: d for n, d in libraries.items() if d is not None})
    assert any(said in fault for fault in wheels.faults(path, LINUX)), wheels.faults(path, LINUX)


def test_a_platform_nobody_knows_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(kernel.KernelError, match="is none of"):
        kernel.cross_build(ROOT, "plan9_mips", tmp_path)


def test_without_the_compiler_a_wheel_of_another_platform_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(kernel.KernelError, match="ziglang"):
        kernel.cross_build(ROOT, "win_amd64", tmp_path)
    assert list(tmp_path.iterdir()) == []
