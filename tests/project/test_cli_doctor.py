from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from medimg import detect
from medimg.cli import doctor
from medimg.errors import MissingPart
from medimg.native import opencv
from medimg.system import host


def said() -> tuple[int, str]:
    done = CliRunner().invoke(doctor.doctor, standalone_mode=False)
    assert done.exception is None
    return done.return_value, done.output


def test_says_what_is_there_with_versions_and_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = said()
    assert code == 0
    for name in detect.DETECTORS:
        assert f"check: {name}" in text
    assert "opencv-python" in text
    assert "MISSING" not in text


def test_two_owners_of_cv2_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv, "owners", lambda: ["opencv-python", "opencv-python-headless"])
    monkeypatch.setattr(detect, "DETECTORS", ())
    code, text = said()
    assert code == 3
    assert "MISSING  cv2" in text
    assert "pip uninstall -y opencv-python opencv-python-headless" in text


def test_a_model_that_is_missing_or_changed_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, policy: object) -> detect.Detector:
        raise MissingPart("the weights of the face check are not the ones expected.")

    monkeypatch.setattr(detect, "make", broken)
    code, text = said()
    assert code == 3
    assert "are not the ones expected" in text
    assert "to install: medimg itself again" in text


def test_tesseract_is_used_when_it_is_there_and_named_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host, "program_folders", lambda: (str(tmp_path),))
    monkeypatch.setattr(detect, "DETECTORS", ())
    code, text = said()
    assert code == 0
    assert "one text reader instead of two" in text
    assert "apt-get install tesseract-ocr" in text


def test_in_a_place_of_pipx_the_command_is_one_that_reaches_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A newcomer who installs with pipx has no ``pip`` that knows this place."""
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "reportlab" else there(name))
    monkeypatch.setattr(detect, "DETECTORS", ())
    assert "to install: python -m pip install 'medimg[pdf]'" in said()[1]
    (tmp_path / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert f"to install: pipx runpip {tmp_path.name} install 'medimg[pdf]'" in said()[1]
