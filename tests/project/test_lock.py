"""release/lock.txt is of today's pyproject.toml: a release is installed from it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "release" / "lock.txt").read_text("utf-8")
ASKED = [Requirement(r) for r in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["pdf"])]


def blocks() -> dict[str, tuple[str, str]]:
    """Name -> version, and what asks for it."""
    found = re.findall(r"^([\w.-]+)==(\S+)[^\n]*\n(.*?)(?=^[\w.-]+==|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    return {name: (version, " ".join(re.findall(r"#\s+(?:via )?(.*)", rest))) for name, version, rest in found}


def test_everything_that_is_asked_for_is_locked_in_a_version_that_fits() -> None:
    locked = blocks()
    for wanted in ASKED:
        assert wanted.name.lower() in locked, "make lock"
        assert wanted.specifier.contains(locked[wanted.name.lower()][0]), wanted.name


def test_nothing_is_locked_that_is_no_longer_asked_for() -> None:
    direct = {name for name, (_, why) in blocks().items() if "medimg" in why}
    assert direct == {r.name.lower() for r in ASKED}, "make lock"
