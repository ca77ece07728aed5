"""onnxruntime's usage reports: off wherever medimg loads it, and said where a host program was first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from medimg.cli import doctor

SCRUB = """
import os
{first}
import medimg
from medimg.policy import Policy
import msgspec, sys
policy = Policy()
if sys.argv[2] != "note":
    policy = msgspec.convert({{"engines": {{"loaded_before": sys.argv[2]}}}}, Policy)
try:
    report = medimg.Scrubber(policy).scrub(sys.argv[1]).report
except medimg.MedimgError as error:
    print("refused", error.code)
else:
    print("made", report.state, report.engines.get("onnxruntime", "-"))
print(os.environ.get("ORT_DISABLE_TELEMETRY", "unset"))
"""
HOSTS = {
    "alone": ("", {}),
    "first": ("import onnxruntime", {}),
    "asked too late": ("import onnxruntime; onnxruntime.disable_telemetry_events()", {}),
    "set too late": ("import onnxruntime; os.environ['ORT_DISABLE_TELEMETRY'] = '1'", {}),
    "first, switched off": ("import onnxruntime", {"ORT_DISABLE_TELEMETRY": "1"}),
}


def scrub(folder: Path, host: str, setting: str) -> list[str]:
    Image.new("RGB", (320, 240), (205, 160, 140)).save(folder / "a.png")
    first, more = HOSTS[host]
    done = subprocess.run(
        [sys.executable, "-c", SCRUB.format(first=first), str(folder / "a.png"), setting],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **more},
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return done.stdout.splitlines()


LONG = ("asked too late", "first, switched off")


@pytest.mark.parametrize("host", [pytest.param(h, marks=pytest.mark.long) if h in LONG else h for h in HOSTS])
def test_a_host_that_was_first_is_told_so(tmp_path: Path, host: str) -> None:
    made, variable = scrub(tmp_path, host, "note")
    assert made.startswith("made unreviewed")
    queue = list(tmp_path.rglob("onnxruntime.db"))
    if queue or host == "first":  # an onnxruntime before 1.30 has no reports, which is not asked of it
        assert "usage reports" in made
    if host in ("alone", "first, switched off"):
        assert made.endswith(" -")
        assert not queue
    assert variable == {"set too late": "1", "first, switched off": "1"}.get(host, "unset")


@pytest.mark.parametrize("host", [pytest.param("alone", marks=pytest.mark.long), "first"])
def test_the_policy_can_refuse_it(tmp_path: Path, host: str) -> None:
    said = scrub(tmp_path, host, "refuse")[0]
    assert said.startswith("made" if host == "alone" else "refused M-USE")


def test_the_doctor_says_that_they_are_off_and_names_an_old_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    text = CliRunner().invoke(doctor.doctor, standalone_mode=False).output
    assert "usage reports" in text
    assert "off: ORT_DISABLE_TELEMETRY" in text
    assert "you may delete" not in text
    old = tmp_path / ".cache/Microsoft/DeveloperTools/.onnxruntime"
    old.mkdir(parents=True)
    (old / "onnxruntime.db").write_bytes(b"queue")
    text = CliRunner().invoke(doctor.doctor, standalone_mode=False).output
    assert "~/.cache/Microsoft/DeveloperTools/.onnxruntime" in text
    assert "you may delete" in text
    assert str(tmp_path) not in text
    assert [p.name for p in old.iterdir()] == ["onnxruntime.db"]
