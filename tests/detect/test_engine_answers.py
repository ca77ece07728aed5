"""What an engine answers is looked at before it counts: nothing, half or nonsense holds the photo."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from medimg.api import Scrubbed, Scrubber, load_detectors
from medimg.detect import Detector
from medimg.detect.codes import detector as codes
from medimg.detect.faces import detector as faces
from medimg.detect.objects import marks
from medimg.detect.text import detector as texts
from medimg.detect.text import tesseract
from medimg.errors import MissingPart
from medimg.policy import Policy

Answers = Sequence[np.ndarray]


class Spoilt:
    """A network whose answers are changed on their way."""

    def __init__(self, real: Any, spoil: Callable[[Answers], Any]) -> None:
        self._real, self._spoil = real, spoil

    def run(self, *asked: Any) -> Any:
        return self._spoil(self._real.run(*asked))


def holed(answers: Answers) -> Answers:
    """One number that is none, in the middle."""
    out = [a.copy() for a in answers]
    out[0].flat[out[0].size // 2] = np.nan
    return out


NONSENSE: dict[str, Callable[[Answers], Any]] = {
    "no answer": lambda _: [],
    "zeros": lambda answers: [np.zeros_like(a) for a in answers],
    "ones": lambda answers: [np.ones_like(a) for a in answers],
    "nan": lambda answers: [np.full_like(a, np.nan) for a in answers],
    "one nan": holed,
    "minus infinity": lambda answers: [np.full_like(a, -np.inf) for a in answers],
    "half as wide": lambda answers: [a[..., : a.shape[-1] // 2] for a in answers],
    "half as high": lambda answers: [a[:, :, : a.shape[2] // 2] for a in answers],
    "empty": lambda answers: [a[..., :0] for a in answers],
    "a batch of none": lambda answers: [a[:0] for a in answers],
    "whole numbers": lambda answers: [a.astype(np.int64) for a in answers],
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


@pytest.fixture(scope="module")
def second_reader() -> tesseract.Reader | None:
    try:
        return tesseract.Reader()
    except MissingPart:
        return None


@pytest.fixture
def detectors(
    policy: Policy, second_reader: tesseract.Reader | None, monkeypatch: pytest.MonkeyPatch
) -> tuple[Detector, ...]:
    """New ones for every test; the second reader, which keeps nothing, is started once to say its version."""
    if second_reader is not None:
        monkeypatch.setattr(tesseract, "Reader", lambda: second_reader)
    return load_detectors(policy)


def photo() -> bytes:
    """A label with a name, on skin."""
    picture = Image.new("RGB", (440, 180), (212, 171, 150))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 40, 420, 110), (252, 252, 250))
    draw.text((40, 54), "Name: Ada Brook", (12, 12, 14), font=ImageFont.load_default(36))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def scrub(policy: Policy, detectors: Sequence[Detector]) -> Scrubbed:
    return Scrubber(policy, detectors=detectors).scrub(photo())


def assert_held(result: Scrubbed) -> None:
    states = {c.name: c.state for c in result.report.checks}
    assert (result.data, result.report.state, result.report.error_code) == (None, "held", "M-HOLD-NOTRUN"), states


def part(detectors: Sequence[Detector], kind: type) -> Any:
    return next(d for d in detectors if isinstance(d, kind))


def networks(detectors: Sequence[Detector]) -> dict[str, tuple[Any, str]]:
    """Where each of the networks is kept."""
    text, face = part(detectors, texts.TextDetector), part(detectors, faces.Faces)
    return {
        "text finder": (text._models, "_finder"),
        "text reader": (text._models, "_reader"),
        "marks": (marks.network(), "_session"),
        "centerface": (face._centerface, "_session"),
        "yunet": (face._yunet, "_session"),
    }


CASES = [(nonsense, False) for nonsense in NONSENSE] + [(nonsense, True) for nonsense in ("zeros", "ones", "one nan")]
QUICK = (("zeros", False), ("half as high", False), ("one nan", True))
"""What every network is tried with; the rest, which is looked at in one place for all of them, with one of them."""


def _cases() -> Iterator[Any]:
    for network in ("text finder", "text reader", "marks", "centerface", "yunet"):
        for nonsense, warm in CASES:
            marks_ = () if network == "yunet" or (nonsense, warm) in QUICK else pytest.mark.long
            name = f"{network}-{nonsense}, {'later' if warm else 'at once'}"
            yield pytest.param(network, nonsense, warm, marks=marks_, id=name)


@pytest.mark.parametrize(("network", "nonsense", "warm"), [*_cases()])
def test_a_network_that_answers_nonsense_holds_the_photo(
    policy: Policy,
    detectors: tuple[Detector, ...],
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    nonsense: str,
    warm: bool,
) -> None:
    if warm:
        for one in detectors:
            one.find(_frame())
    where, name = networks(detectors)[network]
    monkeypatch.setattr(where, name, Spoilt(getattr(where, name), NONSENSE[nonsense]))
    result = scrub(policy, detectors)
    assert_held(result)
    assert "did not run" in result.report.reason


def _frame() -> Any:
    from medimg.detect import Frame

    return Frame(np.full((64, 64, 3), 200, np.uint8))


def silent(*_: Any, **__: Any) -> list[Any]:
    return []


def raising(*_: Any, **__: Any) -> list[Any]:
    raise RuntimeError("gone")


CODE_READERS = {"silent": silent, "raising": raising, "None": lambda *_, **__: None}


@pytest.mark.parametrize("warm", [False, True], ids=["from the start", "later"])
@pytest.mark.parametrize("reader", CODE_READERS)
def test_a_code_reader_that_is_gone_holds_the_photo(
    policy: Policy, detectors: tuple[Detector, ...], monkeypatch: pytest.MonkeyPatch, reader: str, warm: bool
) -> None:
    if warm:
        part(detectors, codes.Codes).find(_frame())
    monkeypatch.setattr(zxingcpp, "read_barcodes", CODE_READERS[reader])
    assert_held(scrub(policy, detectors))


def test_engines_that_answer_pass(policy: Policy, detectors: tuple[Detector, ...]) -> None:
    result = scrub(policy, detectors)
    assert result.report.state == "unreviewed"
    assert all(c.state == "passed" for c in result.report.checks)


def test_plain_pictures_are_answers_too(policy: Policy, detectors: tuple[Detector, ...]) -> None:
    """Of one colour, or noise: the networks' answers differ from place to place even so."""
    random = np.random.default_rng(11)
    for wide, high in ((32, 32), (9, 40), (240, 180), (600, 80)):
        for picture in (
            np.full((high, wide, 3), 0, np.uint8),
            np.full((high, wide, 3), 255, np.uint8),
            random.integers(0, 256, (high, wide, 3), np.uint8),
        ):
            result = Scrubber(policy, detectors=detectors).scrub(picture)
            assert result.report.error_code != "M-HOLD-NOTRUN", (wide, high, result.report.reason)
