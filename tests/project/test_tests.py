"""The tests themselves: what they may reach for, and that the fuzzers start."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FUZZERS = sorted((TESTS / "fuzz").glob("fuzz_*.py"))
STAND_IN = """
import contextlib, runpy, sys, types
atheris = types.ModuleType("atheris")
atheris.instrument_imports = lambda **_: contextlib.nullcontext()
atheris.FuzzedDataProvider = object
sys.modules["atheris"] = atheris
sys.path[0:0] = [sys.argv[2]]
runpy.run_path(sys.argv[1], run_name="loaded")
print("loaded")
"""


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{a.name}" for a in node.names)


def private(name: str) -> bool:
    """Whether a name lies in a module of medimg's that is private to its folder; what builds the wheel is not in it."""
    package, *parts = name.split(".")
    return package == "medimg" and parts[:1] != ["_build"] and any(p.startswith("_") for p in parts)


def test_no_test_imports_what_is_private_to_a_folder() -> None:
    found = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if path not in FUZZERS and any(map(private, imported(ast.parse(path.read_text("utf-8")))))
    }
    assert sorted(found) == []


@pytest.mark.parametrize("path", FUZZERS, ids=lambda p: p.stem)
def test_a_fuzzer_loads_and_draws_what_it_begins_with(path: Path) -> None:
    """Without atheris: names of modules that have moved are seen here and not after a night."""
    command = [sys.executable, "-c", STAND_IN, str(path), str(path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "loaded\n", done.stderr


def test_pillow_is_told_which_formats_it_may_read() -> None:
    """It knows dozens, and starts another program for some of them."""
    package = Path(__file__).resolve().parents[2] / "medimg"
    free = {
        path.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
        if "formats" not in {keyword.arg for keyword in node.keywords}
    }
    assert free == set()


def test_no_module_has_400_lines() -> None:
    package = Path(__file__).resolve().parents[2] / "medimg"
    long = {path.name: n for path in package.rglob("*.py") if (n := len(path.read_text("utf-8").splitlines())) >= 400}
    assert long == {}
