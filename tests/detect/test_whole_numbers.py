"""The text finder in whole numbers: where it is used, and that it finds what the one in floats finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medimg._build.wire import field
from medimg.detect import Pixels, weights
from medimg.detect.text import ocr
from medimg.detect.text.lines import area, shared
from medimg.native import sums
from medimg.native.onnxruntime import onnxruntime

FLAGS = Path("/proc/cpuinfo")


def digest(name: str) -> str:
    return str(weights.manifest()[name]["sha256"][:8])


def test_only_a_processor_that_adds_exactly_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for exact, name in ((True, "text_finder_int8"), (False, "text_finder")):
        monkeypatch.setattr(sums, "exact", lambda exact=exact: exact)
        assert digest(name) in ocr.Models().version


def test_the_processor_is_asked() -> None:
    if not FLAGS.is_file() or "flags" not in FLAGS.read_text():
        pytest.skip("this system does not list what its processor can do")
    can = any("vnni" in line for line in FLAGS.read_text().splitlines() if line.startswith("flags"))
    assert sums.exact() is can


def test_sums_that_stop_early_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Short:
        def __init__(self, *_: object, **__: object) -> None: ...

        def run(self, _: object, given: dict[str, np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
            rows, length = given["a"].shape
            return [np.full((rows, given["b"].shape[1]), 32767 * (length // 2), np.int32)]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Short)
    assert not sums.exact.__wrapped__()


def test_what_is_asked_is_written_down_as_it_is() -> None:
    def info(name: str, kind: int) -> bytes:
        return field(1, name) + field(2, field(1, field(1, kind)))

    product = field(1, field(1, "a") + field(1, "b") + field(2, "y") + field(4, "MatMulInteger"))
    graph = product + field(2, "sums") + field(11, info("a", 2)) + field(11, info("b", 3)) + field(12, info("y", 6))
    assert field(1, 8) + field(8, field(2, 13)) + field(7, graph) == sums._PRODUCT


def page() -> Pixels:
    """Lines of print from 10 to 60 pixels, dark and pale, on grey that gets lighter."""
    ground = np.tile(np.linspace(90, 220, 960, dtype=np.uint8), (720, 1))
    sheet = Image.fromarray(np.repeat(ground[..., None], 3, axis=2))
    draw, y = ImageDraw.Draw(sheet), 12
    for k, size in enumerate((10, 12, 14, 18, 24, 32, 44, 60)):
        for x, ink in ((20, 20), (500, 250 if k % 2 else 40)):
            draw.text((x, y), f"Ward {k}B, Tamsin Okonkwo"[: 300 // size + 6], (ink,) * 3, ImageFont.load_default(size))
        y += size + 46
    return np.asarray(sheet, np.uint8)


@pytest.mark.skipif(not sums.exact(), reason="this processor does not add exactly")
def test_both_find_the_same_places() -> None:
    floats, whole = (ocr.Models(name).detect(page(), 0.3) for name in ("text_finder", "text_finder_int8"))
    assert len([s for s in floats if s.score >= 0.5]) >= 14
    for some, others in ((floats, whole), (whole, floats)):
        for spot in (s for s in some if s.score >= 0.5):
            assert any(shared(spot.quad, o.quad) > 0.7 * area(spot.quad) for o in others)
