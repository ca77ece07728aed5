"""A network is not asked twice about equal pictures of one photo, and is asked about every other one."""

from __future__ import annotations

import numpy as np
import pytest

from medimg.detect import Frame
from medimg.detect.answers import Answers, fingerprint
from medimg.detect.faces import detector as faces
from medimg.detect.faces.centerface import CenterFace
from medimg.detect.objects import marks

SQUARE = np.zeros((8, 8, 3), np.uint8)


def changed(picture: np.ndarray, at: tuple[int, ...]) -> np.ndarray:
    out = picture.copy()
    out[at] ^= 1
    return out


def test_one_bit_makes_another_question() -> None:
    assert fingerprint(SQUARE) == fingerprint(SQUARE.copy())
    others = [changed(SQUARE, (7, 7, 2)), SQUARE.reshape(4, 16, 3), SQUARE.view(np.int8), SQUARE[:, :4]]
    assert len({fingerprint(p) for p in [SQUARE, *others]}) == 5
    turned = np.arange(12, dtype=np.uint8).reshape(2, 6)
    assert fingerprint(turned.T) != fingerprint(turned.reshape(6, 2)), "rows that do not lie one behind the other"


def test_what_was_said_is_said_again_and_cannot_be_changed() -> None:
    answers, asked = Answers(), iter([np.ones(3), np.zeros(3)])
    first = answers.to(("a", b"1"), lambda: next(asked))
    assert answers.to(("a", b"1"), lambda: next(asked)) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 5
    assert answers.to(("b", b"1"), lambda: next(asked)).sum() == 0


def test_an_error_is_no_answer() -> None:
    answers = Answers()
    with pytest.raises(ZeroDivisionError):
        answers.to(("a",), lambda: 1 / 0)
    assert answers.to(("a",), lambda: 2.0) == 2.0


def runs(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[tuple[int, ...]]:
    """The shapes of the pictures that a method of a network is called with from now on."""
    before, shapes = getattr(owner, name), []

    def called(self: object, picture: np.ndarray, *more: float) -> object:
        shapes.append(picture.shape)
        return before(self, picture, *more)

    monkeypatch.setattr(owner, name, called)
    return shapes


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    coarse = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)
    return np.kron(coarse, np.ones((20, 20, 1), np.uint8))


@pytest.fixture
def looked(noise: np.ndarray) -> Answers:
    answers = Answers()
    frame = Frame(noise, answers=answers)
    faces.Faces().find(frame)
    marks.views(frame)
    return answers


def test_an_equal_copy_asks_no_network_for_faces_and_marks_again(
    noise: np.ndarray, looked: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = faces.Faces()
    detector.find(Frame(np.zeros_like(noise)))  # what engines are asked for their proof
    asked = runs(monkeypatch, CenterFace, "detect"), runs(monkeypatch, marks.Network, "see")
    again = Frame(noise.copy(), answers=looked)
    detector.recheck(again, ())
    marks.views(again)
    assert asked == ([], [])


def test_a_cover_is_looked_at_and_what_it_changes(
    noise: np.ndarray, looked: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = faces.Faces()
    detector.find(Frame(np.zeros_like(noise)))
    whole = runs(monkeypatch, marks.Network, "see")
    fresh = marks.views(Frame(noise))
    asked = runs(monkeypatch, CenterFace, "detect")
    before = len(whole)
    covered = noise.copy()
    covered[40:90, 60:200] = 0
    copy = Frame(covered, answers=looked)
    detector.recheck(copy, ())
    seen = marks.views(copy)
    again = whole[before:]
    assert len(asked) == 4 * 5, "every size and turn shows the cover"
    assert again.count((320, 320, 3)) < before - 3, "parts without it are equal"
    expected = marks.views(Frame(covered))
    assert len(fresh) == len(seen) == len(expected)
    assert all(np.array_equal(a.marks, b.marks) for a, b in zip(seen, expected, strict=True))
