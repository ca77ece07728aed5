"""``medimg doctor``: one screen that says what is there, what is missing, and the command that installs it."""

from __future__ import annotations

import importlib.util
import platform
import sys
from importlib import metadata
from typing import NamedTuple

import click

import medimg
from medimg import _faults, _programs
from medimg.errors import MedimgError, MissingPart
from medimg.policy import Policy

CORE = (
    "click",
    "jinja2",
    "msgspec",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "pebble",
    "piexif",
    "pillow",
    "pytesseract",
    "python-stdnum",
    "rapidocr",
    "zxing-cpp",
)
TESSERACT = "sudo apt-get install tesseract-ocr   (or: brew install tesseract)"


class Line(NamedTuple):
    """One finding of the doctor. ``needed`` makes a missing thing a failure."""

    name: str
    there: bool
    words: str
    install: str = ""
    needed: bool = True


def examine() -> list[Line]:
    """Look at everything medimg needs or uses."""
    return [*_packages(), *_opencv(), *_detectors(), _tesseract(), *_extras()]


def _packages() -> list[Line]:
    out = []
    for name in CORE:
        try:
            out.append(Line(name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            out.append(Line(name, False, "not installed", f"python -m pip install {name}"))
    return out


def _opencv() -> list[Line]:
    try:
        from medimg._opencv import owners
    except ImportError:
        return [Line("cv2", False, "cannot be loaded", "sudo apt-get install libgl1 libglib2.0-0")]
    found = owners()
    if len(found) > 1:
        return [
            Line(
                "cv2",
                False,
                f"{len(found)} packages own it and break each other: {', '.join(found)}",
                f"python -m pip uninstall -y {' '.join(found)} && python -m pip install opencv-python",
            )
        ]
    return [Line("cv2", True, f"from {', '.join(found)} alone")]


def _detectors() -> list[Line]:
    try:
        from medimg import detect
    except ImportError as error:
        return [Line("checks of the picture", False, f"cannot be loaded ({_faults.kind(error)})", _REINSTALL)]
    out = []
    policy = Policy.load()
    for name in detect.DETECTORS:
        try:
            out.append(Line(f"check: {name}", True, detect.make(name, policy).version))
        except (MedimgError, ImportError) as error:
            words = error.what if isinstance(error, MedimgError) else f"cannot be loaded ({_faults.kind(error)})"
            out.append(Line(f"check: {name}", False, words, _REINSTALL))
    return out


_REINSTALL = "python -m pip install --force-reinstall medimg"


def _tesseract() -> Line:
    try:
        path = _programs.find("tesseract")
        said = _programs.run([str(path), "--version"], timeout=30).split(b"\n", 1)[0].decode("ascii", "replace")
        languages = _programs.run([str(path), "--list-langs"], timeout=30).decode("ascii", "replace").split()
    except MissingPart:
        words = "not installed: one text reader instead of two"
        return Line("second text reader", False, words, TESSERACT, needed=False)
    except MedimgError as error:
        return Line("second text reader", False, error.what, TESSERACT, needed=False)
    if "eng" not in languages:
        return Line("second text reader", False, f"{path} has no English model", TESSERACT, needed=False)
    return Line("second text reader", True, f"{said} at {path}", needed=False)


def _extras() -> list[Line]:
    there = importlib.util.find_spec("pi_heif") is not None
    words = f"pi-heif {metadata.version('pi-heif')}" if there else "not installed: iPhone photos are refused"
    heic = Line("HEIC photos", there, words, "python -m pip install 'medimg[heic]'", needed=False)
    there = importlib.util.find_spec("reportlab") is not None
    words = f"reportlab {metadata.version('reportlab')}" if there else "not installed: no PDF to fill in"
    return [heic, Line("PDF sheet", there, words, "python -m pip install 'medimg[pdf]'", needed=False)]


@click.command()
def doctor() -> int:
    """Say what is installed, what is missing, and how to install it.

    Exit code 3 when something that is needed is missing.
    """
    click.echo(f"medimg {medimg.__version__}, Python {platform.python_version()}, {sys.platform} {platform.machine()}")
    lines = examine()
    width = max(len(line.name) for line in lines)
    for line in lines:
        mark = "ok     " if line.there else "MISSING" if line.needed else "without"
        click.echo(f"{mark}  {line.name:<{width}}  {line.words}")
        if not line.there:
            click.echo(f"{'':9}{'':{width}}  to install: {line.install}")
    missing = [line for line in lines if not line.there and line.needed]
    click.echo()
    click.echo(
        "Something that is needed is missing." if missing else "Everything that is needed is there. Nothing was sent."
    )
    return 3 if missing else 0
