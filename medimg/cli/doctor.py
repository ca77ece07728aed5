"""``medimg doctor``: one screen that says what is there, what is missing, and the command that installs it."""

from __future__ import annotations

import datetime
import importlib.util
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import click

import medimg
from medimg import faults
from medimg.cli import common
from medimg.consent.checklist import ChecklistDefinition
from medimg.errors import MedimgError, MissingPart, UsageError
from medimg.policy import Policy
from medimg.system import files, programs
from medimg.types import to_json
from medimg.words import mark, tr
from medimg.words import said as in_language

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
    "zxing-cpp",
)
OPTIONAL = (
    "pi-heif",
    "reportlab",
    "uharfbuzz",
    "PySide6-Essentials",
    "starlette",
    "uvicorn",
    "distributed",
    "cryptography",
)
TESSERACT = "sudo apt-get install tesseract-ocr   (or: brew install tesseract)"


class Line(NamedTuple):
    """One finding of the doctor. ``needed`` makes a missing thing a failure; ``advice`` is for what is there."""

    name: str
    there: bool
    words: str
    install: str = ""
    needed: bool = True
    advice: str = ""


def examine() -> list[Line]:
    """Look at everything medimg needs or uses."""
    return [*_packages(), *_opencv(), *_detectors(), *_usage_reports(), _second_reader(), *_extras(), _checklist()]


def _packages() -> list[Line]:
    out = []
    for name in CORE:
        try:
            out.append(Line(name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            out.append(Line(name, False, tr("not installed"), f"{_pip()} {name}"))
    return out


def _opencv() -> list[Line]:
    try:
        from medimg.native.opencv import owners
    except ImportError:
        return [Line("cv2", False, mark("cannot be loaded"), "sudo apt-get install libgl1 libglib2.0-0")]
    found = owners()
    if len(found) > 1:
        return [
            Line(
                "cv2",
                False,
                tr("{n} packages own it and break each other: {found}", n=len(found), found=", ".join(found)),
                f"python -m pip uninstall -y {' '.join(found)} && python -m pip install opencv-python",
            )
        ]
    return [Line("cv2", True, tr("from {found} alone", found=", ".join(found)))]


def _detectors() -> list[Line]:
    try:
        from medimg import detect
    except ImportError as error:
        return [
            Line(
                tr("checks of the picture"), False, tr("cannot be loaded ({kind})", kind=faults.kind(error)), _REINSTALL
            )
        ]
    out = []
    policy = Policy.load()
    for name in detect.DETECTORS:
        try:
            out.append(Line(tr("check: {name}", name=name), True, detect.make(name, policy).version))
        except (MedimgError, ImportError) as error:
            words = (
                error.what
                if isinstance(error, MedimgError)
                else tr("cannot be loaded ({kind})", kind=faults.kind(error))
            )
            out.append(Line(tr("check: {name}", name=name), False, words, _REINSTALL))
    return out


def _usage_reports() -> list[Line]:
    try:
        from medimg.native import onnxruntime as _onnxruntime
    except ImportError:
        return []  # said with the checks
    name, version = tr("usage reports"), _onnxruntime.onnxruntime.__version__
    if _onnxruntime.concern:
        how = tr("set {variable}=1 before the program starts", variable=_onnxruntime.VARIABLE)
        out = [
            Line(
                name, False, tr("onnxruntime {version}: {concern}", version=version, concern=_onnxruntime.concern), how
            )
        ]
    else:
        words = tr(
            "off: {variable} was set when onnxruntime {version} was loaded, and no queue is open",
            variable=_onnxruntime.VARIABLE,
            version=version,
        )
        out = [Line(name, True, words)]
    for place in _onnxruntime.left_behind():
        words = tr(
            "{place} is there: onnxruntime under an earlier medimg, or in another program, wrote it", place=place
        )
        out.append(
            Line(tr("old usage reports"), True, words, advice=tr("medimg does not need it; you may delete the folder"))
        )
    return out


_REINSTALL = mark("medimg itself again, from where you have it: its files were changed or are missing")


def _second_reader() -> Line:
    try:
        path = programs.find("tesseract")
        languages = programs.run([str(path), "--list-langs"], timeout=30).decode("ascii", "replace").split()
    except MissingPart:
        words = tr("not installed: one text reader instead of two")
        return Line(tr("second text reader"), False, words, TESSERACT, needed=False)
    except MedimgError as error:
        return Line(tr("second text reader"), False, error.what, TESSERACT, needed=False)
    if "eng" not in languages:
        return Line(
            tr("second text reader"), False, tr("{path} has no English model", path=path), TESSERACT, needed=False
        )
    from medimg.detect.text import tesseract

    try:
        said = tesseract.version(str(path))
    except MedimgError as error:
        return Line(tr("second text reader"), False, error.what, TESSERACT, needed=False)
    return Line(tr("second text reader"), True, tr("{version} at {path}", version=said, path=path), needed=False)


def _extras() -> list[Line]:
    there = importlib.util.find_spec("pi_heif") is not None
    words = f"pi-heif {metadata.version('pi-heif')}" if there else tr("not installed: iPhone photos are refused")
    heic = Line(tr("HEIC photos"), there, words, f"{_pip()} pi-heif", needed=False)
    there = importlib.util.find_spec("reportlab") is not None
    words = f"reportlab {metadata.version('reportlab')}" if there else tr("not installed: no PDF to fill in")
    return [heic, Line(tr("PDF sheet"), there, words, f"{_pip()} 'medimg[pdf]'", needed=False)]


def _pip() -> str:
    """What installs a package where this medimg is: pipx keeps it in a place that no other ``pip`` knows."""
    home = Path(sys.prefix)
    return f"pipx runpip {home.name} install" if (home / "pipx_metadata.json").exists() else "python -m pip install"


def _checklist() -> Line:
    """The consent questions, and whether somebody should have read them again by now."""
    shipped = ChecklistDefinition.load()
    words = shipped.review_words(datetime.datetime.now(datetime.UTC).date())
    return Line(tr("consent questions"), True, words, needed=False)


@click.command()
@click.argument("runs", nargs=-1, type=common.FILE, metavar="[RUN]...")
@click.option(
    "--bundle",
    type=common.FILE,
    metavar="FILE",
    help="Write a file for a help desk; of each RUN it holds numbers alone.",
)
def doctor(runs: tuple[Path, ...], bundle: Path | None) -> int:
    """Say what is installed, what is missing, and how to install it.

    With --bundle, a file of versions, places of faults in medimg's own modules, counts and timings: no name, no
    number of a copy, no text, no path, no date. Exit code 3 when something that is needed is missing.
    """
    if runs and bundle is None:
        raise UsageError("a run is looked at for --bundle alone.")
    click.echo(f"medimg {medimg.__version__}, Python {platform.python_version()}, {sys.platform} {platform.machine()}")
    lines = examine()
    width = max(len(line.name) for line in lines)
    for line in lines:
        mark = tr("ok     ") if line.there else tr("MISSING") if line.needed else tr("without")
        click.echo(f"{mark}  {line.name:<{width}}  {in_language(line.words)}")
        if not line.there:
            click.echo(f"{'':9}{'':{width}}  " + tr("to install: {what}", what=in_language(line.install)))
        if line.advice:
            click.echo(f"{'':9}{'':{width}}  {line.advice}")
    missing = [line for line in lines if not line.there and line.needed]
    click.echo()
    click.echo(
        tr("Something that is needed is missing.")
        if missing
        else tr("Everything that is needed is there. Nothing was sent.")
    )
    if bundle is not None:
        _write(bundle, lines, runs)
    return 3 if missing else 0


def _write(path: Path, lines: Sequence[Line], runs: Sequence[Path]) -> None:
    from medimg.cli import bundle as _bundle

    made = _bundle.make((*CORE, *OPTIONAL), {line.name: line.there for line in lines}, runs)
    files.write_private(path, to_json(made), new=True)
    click.echo(tr("The bundle is written. Read it before you send it: it is text."))
