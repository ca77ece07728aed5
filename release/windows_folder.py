"""Make the folder that runs on Windows, and an installer of it, on Linux. Built, never run on Windows.

    python release/windows_folder.py EMBEDDABLE WHEEL [--out build/windows] [--extras desktop pdf] [--installer]

For a Python beside which ``uv`` is installed (``make build/tools/.made``). EMBEDDABLE is python.org's
``python-3.x.y-embed-amd64.zip``, WHEEL the medimg wheel for win_amd64 of ``make wheels``. Nothing is run: the folder
holds Python, medimg and the Windows wheels of what it needs, and two commands that start them. What is looked at: that
every library is one of Windows x64, and that Python takes its path from the folder alone. ``--installer`` packs the
folder with NSIS (``makensis``), for all users below ``Program Files``, with an entry in the Start menu.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from release.wheels import machine  # noqa: E402

SITE = Path("Lib", "site-packages")
COMMANDS = {
    "medimg.cmd": '@"%~dp0python\\python.exe" -P -m medimg %*\r\n',
    "medimg-desktop.cmd": '@start "" "%~dp0python\\pythonw.exe" -P -m medimg desktop %*\r\n',
}
UNUSED = ("bin", "PySide6/qml", "PySide6/metatypes", "PySide6/include", "PySide6/typesystems", "PySide6/scripts")
"""Programs of packages, for the Python that installed them; QML, and what compiles for Qt: the window uses none."""
LONGEST = 150
"""Characters of a path below the folder: with one like ``C:\\Program Files\\medimg`` in front, Windows' 260 are far."""


def unpacked(embeddable: Path, python: Path) -> str:
    """Python in its place, with a path of its own; gives its version as in ``3.11``."""
    with zipfile.ZipFile(embeddable) as packed:
        packed.extractall(python)
    (paths,) = python.glob("python3*._pth")
    # With this file Python is isolated: no registry, no PYTHONPATH, and it does not look into the current folder.
    lines = [line for line in paths.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    paths.write_text("\r\n".join([*lines, str(SITE).replace("/", "\\"), ""]), "utf-8", newline="")
    return re.sub(r"python(\d)(\d+)\._pth", r"\1.\2", paths.name)


def installed(wheel: Path, extras: list[str], version: str, site: Path) -> None:
    """The medimg wheel, and the Windows wheels of what it needs; markers are judged as Windows would."""
    wanted = f"medimg[{','.join(extras)}] @ {wheel.resolve().as_uri()}"
    line = [str(Path(sys.executable).with_name("uv")), "pip", "install", "-q", "--target", str(site)]
    line += [
        "--python-platform",
        "x86_64-pc-windows-msvc",
        "--python-version",
        version,
        "--only-binary",
        ":all:",
        wanted,
    ]
    subprocess.run(line, check=True)
    for name in UNUSED:
        shutil.rmtree(site / name, ignore_errors=True)


def faults(folder: Path) -> list[str]:
    """What would not work, as far as it can be seen without Windows."""
    found = [
        f"{name} is missing" for name in ("python/python.exe", "python/pythonw.exe") if not (folder / name).is_file()
    ]
    found += [f"{name} is missing" for name in COMMANDS if not (folder / name).is_file()]
    if not (folder / "python" / SITE / "medimg" / "__init__.py").is_file():
        found.append("medimg is missing")
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if len(name) > LONGEST:
            found.append(f"{name}: too long a path")
        if path.suffix in (".pyd", ".dll", ".exe", ".so") and path.is_file():
            found += _of_windows(path, name)
    return found


def _of_windows(path: Path, name: str) -> list[str]:
    if path.parts[-3:-1] == ("setuptools", "command") or path.name.startswith(("t32", "w32", "cli-32", "gui-32")):
        return []  # starters that packages carry for other systems; nothing starts them
    try:
        of = machine(path.read_bytes())
    except (ValueError, KeyError, IndexError):
        return [f"{name}: no library of a known kind"]
    return [] if of == ("windows", "x86_64") else [f"{name}: for {' '.join(of)}"]


def installer(folder: Path, version: str) -> Path:
    """The folder as one program that installs it."""
    target = folder.with_name(f"medimg-{version}-setup.exe")
    script = ROOT / "release" / "windows.nsi"
    subprocess.run(
        [
            "makensis",
            "-V2",
            f"-DVERSION={version}",
            f"-DFOLDER={folder.resolve()}",
            f"-DTARGET={target.resolve()}",
            script,
        ],
        check=True,
    )
    return target


def main() -> None:
    """Make the folder, look at it, and pack it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddable", type=Path)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "windows")
    parser.add_argument("--extras", nargs="*", default=["desktop", "pdf"])
    parser.add_argument("--installer", action="store_true")
    given = parser.parse_args()
    folder = given.out / "medimg"
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "python"
    installed(given.wheel, given.extras, unpacked(given.embeddable, python), python / SITE)
    for name, text in COMMANDS.items():
        (folder / name).write_text(text, "ascii", newline="")
    found = faults(folder)
    if found:
        sys.exit("\n".join(found))
    files = [p for p in folder.rglob("*") if p.is_file()]
    print(f"{folder}: {sum(p.stat().st_size for p in files) / 1e6:.0f} MB in {len(files)} files; never run on Windows")
    if given.installer:
        made = installer(folder, given.wheel.name.split("-")[1])
        print(f"{made}: {made.stat().st_size / 1e6:.0f} MB; never run")


if __name__ == "__main__":
    main()
