"""Networks are asked again round what changed, and the second reader reads what it has not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medimg.detect import Frame, changes
from medimg.detect.answers import Answers
from medimg.detect.text import ocr, tesseract
from medimg.detect.text import second_look as _second_look
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line
from medimg.detect.text.sizes import looks
from medimg.system import programs
from medimg.types import NOTHING_KNOWN

Place = tuple[float, float, float, float]
SIZE = (1200, 900)
needs_tesseract = pytest.mark.skipif(not Path("/usr/bin/tesseract").exists(), reason="Tesseract is not installed")


def ask_all(answers: Answers, picture: np.ndarray, asked: list[tuple[int, ...]]) -> list[Place]:
    """A network that finds each run of rows and columns with something white in it."""

    def ask(part: np.ndarray) -> list[Place]:
        asked.append(part.shape[:2])
        count, _, stats, _ = changes.cv2.connectedComponentsWithStats((part[..., 0] > 0).astype(np.uint8))
        return [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in stats[1:count]]

    def moved(place: Place, x: int, y: int) -> Place:
        return place[0] + x, place[1] + y, place[2] + x, place[3] + y

    return sorted(changes.places(answers, ("test",), picture, ask, lambda place: place, moved))


def test_what_is_found_is_what_a_look_at_the_whole_finds() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        before = np.zeros((*SIZE[::-1], 3), np.uint8)
        now = before.copy()
        for picture, count in ((before, 12), (now, 12)):
            for _ in range(count):
                x, y = int(rng.integers(0, SIZE[0] - 120)), int(rng.integers(0, SIZE[1] - 40))
                picture[y : y + int(rng.integers(3, 40)), x : x + int(rng.integers(3, 120))] = 255
        now = np.where(rng.random() < 0.5, np.maximum(before, now), before)
        x, y = int(rng.integers(0, 900)), int(rng.integers(0, 700))
        now[y : y + 60, x : x + 200] = 0
        answers = Answers()
        ask_all(answers, before, [])
        assert ask_all(answers, now, []) == ask_all(Answers(), now, [])


def test_an_equal_picture_is_not_asked_about_and_a_changed_one_only_there() -> None:
    picture = np.zeros((*SIZE[::-1], 3), np.uint8)
    picture[100:120, 100:180] = 255
    answers, asked = Answers(), list[tuple[int, ...]]()
    ask_all(answers, picture, asked)
    ask_all(answers, picture.copy(), asked)
    assert asked == [(900, 1200)]
    picture = picture.copy()
    picture[600:630, 800:900] = 255
    assert len(ask_all(answers, picture, asked)) == 2
    (part,) = asked[1:]
    assert part[0] * part[1] < 0.25 * 900 * 1200
    assert part[0] >= 30 + 2 * changes.REACH


def test_a_place_that_a_change_reaches_is_looked_at_whole() -> None:
    before = np.zeros((*SIZE[::-1], 3), np.uint8)
    before[400:420, 100:1000] = 255
    now = before.copy()
    now[400:420, 990:1000] = 0
    (inner, outer) = changes.windows(before, now, changes.REACH, [(100.0, 400.0, 1000.0, 420.0)])[0]
    assert inner.x0 <= 100
    assert inner.x1 >= 1000
    assert (outer.width, outer.height) > (inner.width, inner.height)


def test_a_picture_that_changed_everywhere_is_looked_at_whole() -> None:
    before = np.zeros((*SIZE[::-1], 3), np.uint8)
    assert changes.windows(before, before + 1, changes.REACH) is None
    assert changes.windows(before, before[:-1], changes.REACH) is None
    assert changes.windows(before, before, changes.REACH) == []


def sheet(*lines: tuple[int, int, str]) -> np.ndarray:
    picture = Image.new("RGB", SIZE, (250, 250, 246))
    for x, y, words in lines:
        ImageDraw.Draw(picture).text((x, y), words, (10, 10, 20), font=ImageFont.load_default(36))
    return np.asarray(picture)


def test_the_finder_finds_under_a_new_cover_what_it_finds_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sheet((60, 60, "Anna Lindqvist"), (60, 700, "Foam dressing"), (700, 400, "12.03.1961"))
    now = before.copy()
    now[395:450, 690:920] = 0
    sizes: list[int] = []
    detect = ocr.Models.detect

    def noted(self: ocr.Models, rgb: np.ndarray, least: float = 0.5) -> list[ocr.Spot]:
        sizes.append(rgb.shape[0] * rgb.shape[1])
        return detect(self, rgb, least)

    answers, models = Answers(), ocr.models()
    (look,) = looks(Frame(before), (1200,))
    old = list(look.spots(models, answers))
    monkeypatch.setattr(ocr.Models, "detect", noted)
    (look,) = looks(Frame(now), (1200,))
    new = list(look.spots(models, answers))
    assert len(sizes) == 1
    assert sizes[0] < 0.4 * before[..., 0].size
    words = [s for s in old if s.quad[:, 0].max() < 600]
    assert len(words) == 2
    assert all(any(np.array_equal(s.quad, t.quad) for t in new) for s in words)


@needs_tesseract
def test_the_second_reader_reads_once_what_stays_and_says_it_again() -> None:
    picture = sheet((60, 60, "MRN 4471902"), (60, 700, "Foam dressing"))
    read: list[int] = []

    class Counting(tesseract.Reader):
        def _proved(self, pieces: Any, layout: int) -> Any:
            read.extend(len(piece) for piece in pieces)
            return super()._proved(pieces, layout)

    reader, answers = Counting(), Answers()
    quads = [np.array([[50, y], [340, y], [340, y + 56], [50, y + 56]], np.float32) for y in (54, 694)]
    lines = [Line(ocr.Spot(quad, 1.0), "", 0.0, cover=quad) for quad in quads]
    first = _second_look.identifying(reader, Frame(picture, answers=answers), lines, [], Known(NOTHING_KNOWN))
    assert [line.text for line in first] == ["MRN 4471902"]
    began = list(read)
    again = _second_look.identifying(reader, Frame(picture.copy(), answers=answers), lines, [], Known(NOTHING_KNOWN))
    assert [line.text for line in again] == ["MRN 4471902"]
    assert read == began, "equal pixels are read once"
    cover = ((700.0, 400.0), (900.0, 400.0), (900.0, 450.0), (700.0, 450.0))
    copy = picture.copy()
    copy[400:450, 700:900] = 0
    _second_look.identifying(reader, Frame(copy, answers=answers), lines, [cover], Known(NOTHING_KNOWN))
    assert len(read) == len(began) + 1
    around = 3 * _second_look.LINE_HEIGHT + _second_look.APART
    assert read[-1] == around + 2 * _second_look.BORDER, "what lies round the new cover is read, and nothing else"


@needs_tesseract
def test_a_tall_canvas_starts_tesseract_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = tesseract.Reader()
    starts: list[str] = []
    run = programs.run

    def noted(command: Any, **named: Any) -> bytes:
        starts.append(command[0])
        return run(command, **named)

    monkeypatch.setattr(programs, "run", noted)
    grey = np.full((3600, 900), 255, np.uint8)
    assert len(tesseract._pieces(grey)) > 2
    assert reader.read(grey, layout=11) == []
    assert len(starts) == 1
