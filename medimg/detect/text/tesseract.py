"""Tesseract as the second, independent reader, through pytesseract in a process of its own.

A reader that says nothing looks like a picture without text, so its answer proves itself: known words are drawn above
and below what is to be read and must come back, and the table must be whole (:func:`_table`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import math
import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medimg.detect.text import reader_child
from medimg.errors import CheckNotRun, MissingPart
from medimg.native.opencv import cv2
from medimg.system import programs

SECONDS = 60.0
"""Wall time for one page; pages are bounded, and take about a tenth of a second."""
START = 15.0
"""Wall time that starting and ending the process may take besides; on a busy machine it takes seconds."""
FROZEN = "--medimg-reader"
"""First argument of a packed program that is to run :mod:`medimg.detect.text.reader_child`."""

COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num",
    "left", "top", "width", "height", "conf", "text",
)  # fmt: skip
"""The header of Tesseract's table, since version 3.05."""
LIST = "pages.txt"
"""The file that names the pages to read, one a line."""
PAGE, WORD = 1, 5
"""Values of ``level``: the page's row, which comes first, and a word's."""

PROBES = (
    "garden", "window", "market", "copper", "forest", "silver", "kitchen", "number",
    "picture", "orange", "distance", "mountain", "harbour", "bridge", "planet", "basket",
)  # fmt: skip
"""Words without letters that run together in the font (tt, ff, fi, rn)."""
STRIP = 72
"""Height of the strips above and below what is read, in pixels."""
LETTERS = 40
"""Size of the words there: their capitals are as high as Tesseract reads best."""
MARGIN = 24
"""White on all sides of what is read, in pixels: words that touch a dark area are not read."""
NARROWEST = 620
"""Least width of the picture with its strips: two of the words."""
TOP = STRIP + MARGIN
BLOCKS = 10_000
"""More than Tesseract finds in one piece: it keeps the blocks of the pieces apart."""
PAPER = 250
"""What is lighter is paper, for the tone of the words."""
TALLEST = 1200
"""Height of what is read at once, in pixels, where there is white to cut it at. Of a sheet of many cut-outs of photos
Tesseract's layout analysis takes whole parts for one picture: on six canvases of 2,050 to 3,850 pixels, made from
photographs of packets, it missed the drawn words and read 37 others; cut up, it read the drawn ones and 96 others."""
LAYOUTS = ((1.0, 0), (0.8, 0), (1.0, 40))
"""Size and white frame, in pixels, of what is read: first as it is, and again when the words were not read. A little
smaller or larger, and with other words, the layout analysis falls out differently; a reader that is broken fails each
time. How often it is needed: ``benchmarks/reader_proof.py``."""


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
        CheckNotRun: Tesseract is there and cannot be run.
    """

    def __init__(self) -> None:
        self._command = str(programs.find("tesseract"))
        self._packages = _packages()
        try:
            self.version = version(self._command)  # it has read with the English model then
        except CheckNotRun:
            said = programs.run([self._command, "--list-langs"], timeout=SECONDS).decode("utf-8", "replace").split()
            if "eng" not in said:
                raise MissingPart("Tesseract has no English model.") from None
            raise

    def read(self, grey: NDArray[np.uint8], *, layout: int = 6) -> list[Word]:
        """Words in a picture.

        Args:
            grey: (H, W) uint8.
            layout: Tesseract's page segmentation mode: 6 one block of lines, 11 sparse text.

        Raises:
            CheckNotRun: Tesseract failed, took too long, or its answer is not whole.
        """
        pieces = _pieces(grey)
        words: list[Word] = []
        said = self._read([grey[top:bottom] for top, bottom in pieces], layout)
        for number, (top, _) in enumerate(pieces):
            for word in said[number]:
                block, *rest = word.line
                line = (block + number * BLOCKS, rest[0], rest[1])
                words.append(word._replace(y0=word.y0 + top, y1=word.y1 + top, line=line))
        return words

    def _read(self, pieces: Sequence[NDArray[np.uint8]], layout: int) -> list[list[Word]]:
        """The words of every piece; those whose drawn words did not come back are laid out anew."""
        out: dict[int, list[Word]] = {}
        for scale, frame in LAYOUTS:
            left = [k for k in range(len(pieces)) if k not in out]
            for k, words in zip(
                left, self._proved([_laid(pieces[k], scale, frame) for k in left], layout), strict=True
            ):
                if words is not None:
                    out[k] = [_back(word, scale, frame) for word in words]
            if len(out) == len(pieces):
                return [out[k] for k in range(len(pieces))]
        raise CheckNotRun("the second text reader did not read the words that were drawn for it to read.")

    def _proved(self, pieces: Sequence[NDArray[np.uint8]], layout: int) -> list[list[Word] | None]:
        """The words of each picture; None when those that were drawn round it did not come back.

        They are pages of one document: starting Tesseract takes as long as reading two or three of them.
        """
        pages = [_with_probes(piece) for piece in pieces]
        files = {
            f"{n}.pgm": b"P5 %d %d 255\n" % page.shape[::-1] + page.tobytes() for n, (page, _, _) in enumerate(pages)
        }
        files[LIST] = "".join(f"{name}\n" for name in files).encode()
        start = [sys.executable, FROZEN] if getattr(sys, "frozen", False) else [sys.executable, "-I", "-S", _CHILD]
        seconds = SECONDS * len(pages)
        arguments = [self._packages, self._command, LIST, str(int(layout)), str(seconds)]
        try:
            answer = programs.run([*start, *arguments], timeout=seconds + START, files=files)
            said = _table(answer, [page.shape for page, _, _ in pages])
        except (CheckNotRun, MissingPart) as error:
            raise CheckNotRun(f"the second text reader did not run: {error.what}") from error
        return [_own(words, len(piece), *page) for words, piece, page in zip(said, pieces, pages, strict=True)]


_CHILD = str(Path(reader_child.__file__).resolve())


def _own(
    words: Sequence[Word], high: int, page: NDArray[np.uint8], above: Sequence[str], below: Sequence[str]
) -> list[Word] | None:
    """The words of a page that stand on the picture, which is so high; None when the drawn ones are not all there."""
    for wanted, rows in ((above, range(STRIP)), (below, range(len(page) - STRIP, len(page)))):
        if not any(w.text in wanted and (w.y0 + w.y1) // 2 in rows for w in words):
            return None
    own = [w for w in words if TOP <= (w.y0 + w.y1) / 2 < TOP + high]
    return [w._replace(x0=w.x0 - MARGIN, y0=w.y0 - TOP, x1=w.x1 - MARGIN, y1=w.y1 - TOP) for w in own]


def _pieces(grey: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Rows from and to of what is read at once: cut at white rows, so that no line of writing is cut."""
    height, top, out = len(grey), 0, []
    white = np.flatnonzero(grey.min(axis=1) == 255)
    while height - top > TALLEST:
        within = white[(white > top) & (white <= top + TALLEST)]
        later = white[white > top + TALLEST]
        if not within.size and not later.size:
            break
        cut = int(within[-1] if within.size else later[0])
        out.append((top, cut))
        top = cut
    return [*out, (top, height)]


def _laid(grey: NDArray[np.uint8], scale: float, frame: int) -> NDArray[np.uint8]:
    """A picture in another size and with a white frame round it."""
    if scale != 1.0:
        height, width = (max(1, round(side * scale)) for side in grey.shape)
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.pad(grey, frame, constant_values=255) if frame else grey


def _back(word: Word, scale: float, frame: int) -> Word:
    """A word where it stands in the picture that was given."""
    x0, y0, x1, y1 = (round((side - frame) / scale) for side in (word.x0, word.y0, word.x1, word.y1))
    return word._replace(x0=x0, y0=y0, x1=x1, y1=y1)


def _with_probes(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...], tuple[str, ...]]:
    """The picture between two strips with two words each, and those words.

    Which words they are follows from the picture, so that an answer about another one does not pass. They are as dark
    as its ink is on average: Tesseract parts ink from paper at one level for the whole picture (Otsu's), and words of
    another tone would move it. Measured on drawn canvases: see docs/checks.md.
    """
    digest = hashlib.sha256(grey.tobytes()).digest()
    chosen = tuple(PROBES[k % len(PROBES)] for k in digest[:4])
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    inked = grey[grey <= min(level, PAPER)]
    ink = int(inked.mean()) if inked.size else 0
    height, width = grey.shape
    out = np.full((height + 2 * TOP, max(width + 2 * MARGIN, NARROWEST)), 255, np.uint8)
    out[TOP : TOP + height, MARGIN : MARGIN + width] = grey
    for top, words in ((0, chosen[:2]), (len(out) - STRIP, chosen[2:])):
        coverage = _drawn(" ".join(words))
        there = out[top : top + STRIP, : coverage.shape[1]]
        there[:] = np.round(255 - coverage * (255 - ink))
    return out, chosen[:2], chosen[2:]


@functools.lru_cache(maxsize=len(PROBES) ** 2)
def _drawn(text: str) -> NDArray[np.float32]:
    """How much ink is on each pixel of a strip, 0 to 1, (STRIP, NARROWEST)."""
    sheet = Image.new("L", (NARROWEST, STRIP), 0)
    ImageDraw.Draw(sheet).text((20, 10), text, fill=255, font=ImageFont.load_default(LETTERS))
    return np.asarray(np.asarray(sheet) / 255, np.float32)


def _table(answer: bytes, sizes: Sequence[tuple[int, ...]]) -> list[list[Word]]:
    """The words of each page of a table, after all of it was looked at.

    Args:
        answer: The table.
        sizes: Height and width of each page.

    Raises:
        CheckNotRun: It is not a whole table of pages of these sizes.
    """
    try:
        text = answer.decode("utf-8")
        header, *rows = text.removesuffix("\n").split("\n")
        cells = [row.split("\t") for row in rows]
        numbers = [[int(cell) for cell in row[:10]] for row in cells]
        scores = [float(row[10]) for row in cells]
    except (ValueError, IndexError) as error:
        raise _not_whole() from error
    pages = [[PAGE, n, 0, 0, 0, 0, 0, 0, width, height] for n, (height, width) in enumerate(sizes, 1)]
    whole = (
        text.endswith("\n")
        and tuple(header.split("\t")) == COLUMNS
        and all(len(row) == len(COLUMNS) for row in cells)
        and [row for row in numbers if row[0] == PAGE] == pages
        and numbers[:1] == pages[:1]
        and all(a[1] <= b[1] for a, b in pairwise(numbers))
        and all(math.isfinite(score) and -1 <= score <= 100 for score in scores)
        and all(_inside(row, sizes) for row in numbers)
    )
    if not whole:
        raise _not_whole()
    out: list[list[Word]] = [[] for _ in sizes]
    for row, numbered, score in zip(cells, numbers, scores, strict=True):
        shown = row[11].strip()
        if numbered[0] == WORD and shown and score >= 0:
            x, y, w, h = numbered[6:]
            word = Word(shown, score / 100, x, y, x + w, y + h, (numbered[2], numbered[3], numbered[4]))
            out[numbered[1] - 1].append(word)
    return out


def _inside(row: Sequence[int], sizes: Sequence[tuple[int, ...]]) -> bool:
    level, page, (x, y, w, h) = row[0], row[1], row[6:]
    if not (PAGE <= level <= WORD and 1 <= page <= len(sizes)):
        return False
    height, width = sizes[page - 1]
    return min(x, y, w, h) >= 0 and x + w <= width and y + h <= height


def version(command: str) -> str:
    """``tesseract 5.3.0``, as it says itself in the page it makes of an empty picture.

    ``tesseract --version`` is not asked: it names its libraries, for which one of them (libldap, through libcurl) looks
    up the name of this computer, on the network where that is not in ``/etc/hosts``.

    Raises:
        CheckNotRun: It did not say.
    """
    empty = b"P5 40 40 255\n" + bytes([255]) * 1600
    arguments = [command, "stdin", "stdout", "--psm", "6", "-c", "tessedit_create_hocr=1"]
    said = re.search(rb"content='tesseract v?([0-9.]{1,20})", programs.run(arguments, timeout=SECONDS, given=empty))
    if said is None:
        raise CheckNotRun("the second text reader did not say its version.")
    return "tesseract " + said[1].decode().strip(".")


def _not_whole() -> CheckNotRun:
    return CheckNotRun("its answer was not whole.")


def _packages() -> str:
    """The folders that hold what the process needs, joined with ``os.pathsep``.

    Raises:
        MissingPart: pytesseract is not installed.
    """
    if getattr(sys, "frozen", False):
        return ""  # they are in the packed program
    folders = []
    for name in ("pytesseract", "PIL", "packaging"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise MissingPart(f"the package '{name}', which the second text reader needs, is not installed.")
        folders.append(str(Path(spec.origin).resolve().parent.parent))
    return os.pathsep.join(dict.fromkeys(folders))
