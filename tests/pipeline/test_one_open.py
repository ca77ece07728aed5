"""Each stream of bytes is taken apart once by the side that writes, once by the audit, and decoded once."""

from __future__ import annotations

import io
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medimg import Scrubber, audit, formats
from medimg.formats.jpeg import pixels as _pixels
from medimg.formats.jpeg import reading
from medimg.policy import Policy
from medimg.types import Box, Finding, Region

NAME = Finding(kind="text", category="name", detector="told", region=Region(Box(40, 40, 120, 80).polygon))


class Told:
    """A detector that finds what it was told in the original, and nothing in the copy."""

    version = "told"

    def __init__(self, name: str, *found: Finding) -> None:
        self.name, self._found = name, list(found)

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return self._found

    def recheck(self, frame: Any, covers: Sequence[Any], known: Any = None) -> tuple[list[Finding], str]:
        return [], "told"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of the costly things was done."""
    done: Counter[str] = Counter()

    def count(owner: Any, name: str, what: str) -> None:
        before = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            done[what] += 1
            return before(*given, **named)

        monkeypatch.setattr(owner, name, counted)

    count(formats, "open_photo", "opened")
    count(audit, "walk", "audited")
    count(_pixels, "samples", "decoded")
    count(reading, "read", "read to the last symbol")
    return done


def photo() -> bytes:
    out = io.BytesIO()
    rows = np.random.default_rng(2).integers(90, 160, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    Image.fromarray(rows).save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.mark.parametrize(
    ("scope", "found", "decoded", "symbols"),
    [("metadata-only", (), 0, 1), ("full", (), 2, 2), ("full", (NAME,), 2, 3)],
    ids=["metadata only", "nothing found", "a cover"],
)
def test_a_jpeg_and_its_copy_are_each_opened_and_decoded_once(
    calls: Counter[str], scope: Any, found: tuple[Finding, ...], decoded: int, symbols: int
) -> None:
    detectors = [Told("text", *found), Told("codes"), Told("faces")]
    done = Scrubber(Policy(scope=scope), detectors=detectors).scrub(photo())
    assert done.data, done.report.reason
    assert dict(calls) == {k: n for k, n in {
        "opened": 2, "audited": 1, "decoded": decoded, "read to the last symbol": symbols,
    }.items() if n}  # fmt: skip


def test_the_original_is_not_kept_decoded_while_its_copy_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    there: list[list[bool]] = []
    decode = _pixels.samples

    def decoded(*given: Any) -> Any:
        made = decode(*given)
        alive.append(weakref.ref(made))
        return made

    class Counting(Told):
        def recheck(self, frame: Any, covers: Sequence[Any], known: Any = None) -> tuple[list[Finding], str]:
            there.append([one() is not None for one in alive])
            return super().recheck(frame, covers, known)

    monkeypatch.setattr(_pixels, "samples", decoded)
    done = Scrubber(Policy(), detectors=[Counting("text", NAME), Told("codes"), Told("faces")]).scrub(photo())
    assert done.data, done.report.reason
    assert there == [[False, True]]
