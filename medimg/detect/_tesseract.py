"""Tesseract as the second, independent reader, through pytesseract.

pytesseract starts its program itself, by name, in the caller's environment and folder, and keeps its settings in
module variables that a host program may use too. So a private instance of its module is loaded, whose ``subprocess``
is :mod:`medimg._programs` and whose temporary files lie in a private folder.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medimg import _programs
from medimg.errors import CheckNotRun, MissingPart

SECONDS = 60.0
"""Wall time for one call; the canvases read are bounded, and take about a second."""


class Word(NamedTuple):
    """A word as read: upright box in pixels of the picture given, and Tesseract's confidence 0 to 1."""

    text: str
    score: float
    x0: int
    y0: int
    x1: int
    y1: int
    line: tuple[int, int, int]


class Reader:
    """Reads pictures of text with the installed Tesseract.

    Raises:
        MissingPart: Tesseract, its English model or pytesseract is not installed.
    """

    def __init__(self) -> None:
        self._command = str(_programs.find("tesseract"))
        said = _programs.run([self._command, "--list-langs"], timeout=SECONDS).decode("utf-8", "replace").split()
        if "eng" not in said:
            raise MissingPart("Tesseract has no English model.")
        self.version = version(self._command)

    def read(self, grey: NDArray[np.uint8], *, layout: int = 6) -> list[Word]:
        """Words in a picture.

        Args:
            grey: (H, W) uint8.
            layout: Tesseract's page segmentation mode: 6 one block of lines, 11 sparse text.

        Raises:
            CheckNotRun: Tesseract failed or took too long.
        """
        try:
            with _programs.workspace() as folder:
                module = _private(self._command, folder)
                picture = Image.fromarray(np.ascontiguousarray(grey))
                picture.format = "PPM"  # handed over as it is; packing a PNG takes longer than reading it
                table = module.image_to_data(
                    picture,
                    lang="eng",
                    config=f"--psm {int(layout)} --dpi 200",
                    output_type=module.Output.DICT,
                    timeout=SECONDS,
                )
        except (RuntimeError, OSError, ValueError, UnicodeDecodeError) as error:
            raise CheckNotRun("the second text reader did not run.") from error
        return _words(table)


def _words(table: dict[str, list[Any]]) -> list[Word]:
    out = []
    for k, text in enumerate(table.get("text", ())):
        shown, score = str(text).strip(), float(table["conf"][k])
        if not shown or score < 0:
            continue
        x, y, w, h = (int(table[key][k]) for key in ("left", "top", "width", "height"))
        line = (int(table["block_num"][k]), int(table["par_num"][k]), int(table["line_num"][k]))
        out.append(Word(shown, score / 100, x, y, x + w, y + h, line))
    return out


def version(command: str) -> str:
    """``tesseract 5.3.0``, as it says itself in the page it makes of an empty picture.

    ``tesseract --version`` is not asked: it names its libraries, for which one of them (libldap, through libcurl) looks
    up the name of this computer, on the network where that is not in ``/etc/hosts``.

    Raises:
        CheckNotRun: It did not say.
    """
    empty = b"P5 40 40 255\n" + bytes([255]) * 1600
    arguments = [command, "stdin", "stdout", "--psm", "6", "-c", "tessedit_create_hocr=1"]
    said = re.search(rb"content='tesseract v?([0-9.]{1,20})", _programs.run(arguments, timeout=SECONDS, given=empty))
    if said is None:
        raise CheckNotRun("the second text reader did not say its version.")
    return "tesseract " + said[1].decode().strip(".")


def _private(command: str, folder: Path) -> Any:
    """An instance of pytesseract's module of our own, that runs ``command`` in ``folder`` and in no other way."""
    code = _code()
    module = types.ModuleType("medimg._pytesseract")
    module.__file__ = code.co_filename
    exec(code, module.__dict__)  # noqa: S102 - the installed pytesseract, as importing it would
    shim = types.SimpleNamespace(**{name: getattr(module.subprocess, name) for name in ("PIPE", "DEVNULL")})
    shim.TimeoutExpired = module.subprocess.TimeoutExpired

    def start(arguments: Sequence[str], **_settings: object) -> _programs.Program:
        return _programs.Program(arguments, folder, SECONDS)

    shim.Popen = start
    settings: dict[str, Any] = {
        "subprocess": shim,
        "tesseract_cmd": command,
        "NamedTemporaryFile": functools.partial(tempfile.NamedTemporaryFile, dir=folder),
        "get_tesseract_version": lambda *_a, **_k: module.Version("5"),
    }
    module.__dict__.update(settings)
    return module


@functools.lru_cache(maxsize=1)
def _code() -> types.CodeType:
    spec = importlib.util.find_spec("pytesseract")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart("the package 'pytesseract' is not installed.")
    path = Path(next(iter(spec.submodule_search_locations)), "pytesseract.py")
    try:
        return compile(path.read_bytes(), str(path), "exec")
    except (OSError, SyntaxError) as error:
        raise MissingPart("the package 'pytesseract' is damaged.") from error
