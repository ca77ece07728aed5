"""What networks said of exact pictures, kept while one photo is handled.

A network gives the same answer to the same numbers. Outside its covers a copy is equal to its original sample by
sample, so much of the second look would ask what the first one asked. Such a question is known by a SHA-256 digest of
every byte that the network would be given, taken anew from the copy; one other bit makes it another question, which
is asked.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def fingerprint(picture: NDArray[Any]) -> bytes:
    """A digest of the samples of a picture, their kind, and its size."""
    digest = hashlib.sha256(repr((picture.shape, picture.dtype.str)).encode())
    digest.update(np.ascontiguousarray(picture).data)
    return digest.digest()


class Answers:
    """Answers by question, for both looks at one photo; calls may come from several threads.

    Attributes:
        cut_short: Whether the closer look at small print was not taken at every place where print is seen.
    """

    def __init__(self) -> None:
        self._said: dict[Hashable, Any] = {}
        self._last: dict[Hashable, tuple[NDArray[Any], Any]] = {}
        self.cut_short = False
        self._lock = threading.Lock()

    def several(self, questions: Sequence[tuple[Hashable, ...]], ask: Callable[[list[int]], Sequence[T]]) -> list[T]:
        """As :meth:`to`, for many questions: those that nobody asked before are asked together.

        Args:
            questions: As for :meth:`to`; equal ones are asked once.
            ask: Asks those at these places of the list.
        """
        with self._lock:
            new = {q: k for k, q in reversed(list(enumerate(questions))) if q not in self._said}
        asked = sorted(new.values())
        said = ask(asked) if asked else ()
        with self._lock:
            self._said.update(zip((questions[k] for k in asked), said, strict=True))
            return [self._said[q] for q in questions]

    def last(self, question: tuple[Hashable, ...]) -> tuple[NDArray[Any], Any] | None:
        """The picture of the last answer kept for a question that leaves the picture open, and that answer."""
        with self._lock:
            return self._last.get(question)

    def keep(self, question: tuple[Hashable, ...], picture: NDArray[Any], said: T) -> T:
        """Keep an answer for :meth:`last`, and return it."""
        with self._lock:
            self._last[question] = (picture, said)
        return said

    def to(self, question: tuple[Hashable, ...], ask: Callable[[], T]) -> T:
        """What was said to the question before, or what ``ask`` returns now; an error is not kept.

        Args:
            question: Which network, everything else that changes its answer, and :func:`fingerprint` of the picture.
            ask: Asks. Nobody may change what it returns; arrays are made read-only.
        """
        with self._lock:
            if question in self._said:
                said: T = self._said[question]
                return said
        said = ask()
        if isinstance(said, np.ndarray):
            said.setflags(write=False)
        with self._lock:
            self._said[question] = said
        return said
