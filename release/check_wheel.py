"""Install one built wheel into empty environments and use it there: the wheel that was tested is the wheel released.

    python release/check_wheel.py dist/medimg-*.whl [--extras heic pdf ...] [--locked] [--source dist/medimg-*.tar.gz]

First without extras, then with each extra alone. In each environment ``medimg doctor`` runs, and in the first the main
job of the README: photos that are drawn here are cleaned, answered from a file, and all of them must be released.
``--source`` does the same with what pip builds from the source archive.
``--locked`` installs from release/lock.txt with its hashes first, so that exactly those versions are tested.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBES = {
    "heic": "import pi_heif",
    "pdf": "import reportlab",
    "desktop": "from PySide6 import QtWidgets",
    "fhir": "from fhir.resources import bundle; import medimg.fhir",
    "cluster": "import distributed, fsspec; from medimg.cluster import engine, nodes",
    "storage": "import fsspec; from medimg.run import storage",
    "serve": "from medimg.serve import app, listen",
    "dicom-node": "from medimg.serve import node; from medimg.cli.dicom_node import dicom_node",
}
"""What an extra has to bring. Those for drawing, documentation and development are not for use."""
NOT_FOR_USE = {"demo", "docs", "dev"}
DRAW = """
import sys
from PIL import Image, ImageDraw
for n in range(3):
    picture = Image.effect_noise((900, 700), 6).convert("RGB")
    ImageDraw.Draw(picture).text((120, 300), "Margaret Whitcombe 03/04/1961", fill="white", font_size=44)
    exif = Image.Exif()
    exif[315] = "Margaret Whitcombe"
    picture.save(f"{sys.argv[1]}/photo{n}.jpg", quality=90, exif=exif)
"""


def run(*command: str | Path, ok: tuple[int, ...] = (0,), home: Path | None = None) -> str:
    """Run one command outside the project's folder, with a home folder of its own if named; give what it printed."""
    variables = os.environ | {"HOME": str(home), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""} if home else None
    words = [str(c) for c in command]
    done = subprocess.run(words, cwd=tempfile.gettempdir(), env=variables, capture_output=True, text=True)
    if done.returncode not in ok:
        sys.exit(f"{' '.join(map(str, command[1:4]))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def environment(place: Path, package: Path, extra: str, locked: bool) -> Path:
    """A new environment with the wheel or the source archive in it; gives its folder of programs."""
    venv.create(place, with_pip=True)
    pip = (place / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    if locked:
        run(*pip, "--require-hashes", "-r", ROOT / "release" / "lock.txt")
    run(*pip, f"{package}[{extra}]" if extra else package)
    run(place / "bin" / "python", "-m", "pip", "check")
    return place / "bin"


def main_job(programs: Path, work: Path) -> None:
    """The README's main job on drawn photos: clean, answer from a file in which every sentence is true, release."""
    photos, out, home, answers = work / "photos", work / "out", work / "home", work / "answers.yaml"
    photos.mkdir()
    home.mkdir()
    run(programs / "python", "-c", DRAW, photos)
    medimg = programs / "medimg"
    run(medimg, "clean", photos, "-o", out, "--where", "AU", ok=(10, 11), home=home)
    (folder,) = out.iterdir()
    open_acts = run(medimg, "answer", folder, "--template", home=home).replace("answer: not-sure", "answer: yes")
    answers.write_text(re.sub(r'""(?=  # .*\(needed\))', '"as agreed"', open_acts), encoding="utf-8")
    run(medimg, "answer", folder, "--from", answers, home=home)
    run(medimg, "release", folder, "--to", "the hand surgery group", "--yes", home=home)
    summary = json.loads((folder / "run.json").read_text())
    copies = list((folder / "share").rglob("*.jpg"))
    if len(copies) != 3 or any(b"Whitcombe" in c.read_bytes() for c in copies):
        sys.exit(f"the main job was not done: {len(copies)} copies released, {summary.get('counts')}")


def tried(package: Path, extra: str, locked: bool, name: str) -> None:
    """One package in one new environment: the main job without extras, else what the extra brings."""
    with tempfile.TemporaryDirectory() as folder:
        programs = environment(Path(folder) / "env", package, extra, locked)
        run(programs / "medimg", "doctor", ok=(0, 3) if extra else (0,))
        if extra:
            run(programs / "python", "-c", PROBES[extra])
        else:
            main_job(programs, Path(folder))
    print(f"{name}: as it should be", flush=True)


def main() -> None:
    """Check the wheel in every environment, and the source archive in one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--extras", nargs="*", default=sorted(PROBES))
    parser.add_argument("--locked", action="store_true")
    parser.add_argument("--source", type=Path)
    given = parser.parse_args()
    wheel = given.wheel.resolve(strict=True)
    with zipfile.ZipFile(wheel) as parts:
        (name,) = (n for n in parts.namelist() if n.endswith(".dist-info/METADATA"))
        extras = set(re.findall(r"^Provides-Extra: (\S+)", parts.read(name).decode(), re.MULTILINE))
    if extras - NOT_FOR_USE != set(PROBES):
        sys.exit(f"extras without a probe, or probes without an extra: {(extras - NOT_FOR_USE) ^ set(PROBES)}")
    for extra in ("", *given.extras):
        tried(wheel, extra, given.locked, extra or "without extras")
    if given.source:
        tried(given.source.resolve(strict=True), "", given.locked, "the source archive")


if __name__ == "__main__":
    main()
