"""A second reader that dies in the middle holds the photo."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from medimg import detect, pipeline
from medimg.policy import Policy


def labelled() -> bytes:
    picture = Image.new("RGB", (900, 600), (205, 200, 190))
    draw = ImageDraw.Draw(picture)
    draw.text((120, 120), "Foam dressing", (20, 20, 20), font=ImageFont.load_default(64))
    draw.text((120, 320), "TAMSIN OKONKWO", (20, 20, 20), font=ImageFont.load_default(64))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_a_killed_tesseract_holds_the_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy.load()
    detectors = [detect.make(name, policy) for name in detect.DETECTORS]
    sink = pipeline.MemorySink()
    assert pipeline.scrub(labelled(), sink, detectors, policy).state == "unreviewed"

    dying = tmp_path / "tesseract"
    dying.write_text("#!/bin/sh\nkill -9 $$\n")
    dying.chmod(0o755)
    text = next(d for d in detectors if d.name == "text")
    monkeypatch.setattr(text._second, "_command", str(dying))  # type: ignore[attr-defined]
    sink = pipeline.MemorySink()
    report = pipeline.scrub(labelled(), sink, detectors, policy)
    assert (report.state, report.exit_code, sink.data) == ("held", 20, b"")
    assert report.error_code == "M-HOLD-NOTRUN"
