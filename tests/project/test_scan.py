"""The release looks up known vulnerabilities, stops at one, and says where it could not look."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCAN = Path(__file__).resolve().parents[2] / "release" / "scan.py"
SOUND = {"name": "pillow", "version": "13.0.0", "vulns": []}
KNOWN = {"name": "pyyaml", "version": "5.3", "vulns": [{"id": "PYSEC-2021-142", "fix_versions": ["5.4"]}]}
UNKNOWN = {"name": "reportlab", "skip_reason": "Dependency not found"}


def scanned(folder: Path, answer: str) -> tuple[int, str, list[str]]:
    """With a stand-in for pip-audit, which asks a service that tests do not reach."""
    program = folder / "pip-audit"
    program.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
    program.chmod(0o700)
    out = folder / "out"
    out.mkdir()
    command = [sys.executable, str(SCAN), str(out), "--program", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, [p.name for p in out.iterdir()]


@pytest.mark.parametrize(
    ("packages", "code", "words", "file"),
    [
        ([SOUND], 0, "in 1 packages: 0", "vulnerabilities.json"),
        ([SOUND, KNOWN], 1, "pyyaml 5.3: PYSEC-2021-142", "vulnerabilities.json"),
        ([SOUND, UNKNOWN], 0, "not scanned (the advisory service knows nothing of reportlab)", "NOT-SCANNED.txt"),
        ([], 0, "not scanned", "NOT-SCANNED.txt"),
        (None, 0, "not scanned (the advisory service did not answer)", "NOT-SCANNED.txt"),
    ],
)
def test_a_release_says_what_was_looked_up(
    tmp_path: Path, packages: list[dict[str, Any]] | None, code: int, words: str, file: str
) -> None:
    answer = json.dumps({"dependencies": packages}) if packages is not None else "no connection"
    done = scanned(tmp_path, answer)
    assert (done[0], done[2]) == (code, [file])
    assert words in done[1]


def test_a_release_without_the_program_says_so(tmp_path: Path) -> None:
    command = [sys.executable, str(SCAN), str(tmp_path), "--program", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, "Known vulnerabilities: not scanned (pip-audit is not installed).\n")
