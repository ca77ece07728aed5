"""How many small faults in what decides the tests see: audit, policy, decide and consent, changed one place at a time.

    python -m benchmarks.mutants [ROOM ...] [--number 150] [--seed 1] [--again FILE]

Places are drawn evenly over the files of a room. A mutant changes one of them: a comparison the other way round or by
one, ``and`` for ``or``, a number by one, a sign, a condition that is left out, a ``raise`` that does nothing. It lives
in memory alone; the tests of its room run in a process of their own until the first that fails. Printed are the share
that was seen, and every mutant that was not, to be looked at: some mean the same as the original. ``--again`` tries
only those that a former run, whose output the file holds, did not see.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.abc
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONSENT = [
    "tests/consent/test_small_print.py",
    "tests/consent/test_edges.py", "tests/consent/test_settings.py",
    "tests/consent/test_consent_table.py", "tests/consent/test_not_applicable.py", "tests/consent/test_consent.py",
    "tests/consent/test_site_answers.py", "tests/consent/test_evidence_asked.py", "tests/consent/test_cards.py",
    "tests/consent/test_incident.py", "tests/consent/test_obligations.py", "tests/consent/test_evidence_words.py",
    "tests/consent/test_acts_counted.py", "tests/consent/test_plain_words.py",
]  # fmt: skip
POLICY = [
    "tests/covers/test_policy.py",
    "tests/covers",
    "tests/project/test_readme.py",
    "tests/pipeline/test_pipeline.py",
    "tests/run/test_versions.py",
    "tests/pipeline/test_max_side.py::test_the_digest_of_a_policy_without_it_is_as_before",
]
EVERY, EDGES, UNITS, ELEMENTS, SEGMENTS, CHUNKS, PARTS, LAYOUT, PICTURES, HIDDEN = (
    "tests/audit/test_every_byte.py",
    "tests/audit/test_boundaries.py",
    "tests/audit/test_coded_units.py",
    "tests/audit/test_dicom_elements.py",
    "tests/audit/test_jpeg_segments.py",
    "tests/audit/test_png_chunks.py",
    "tests/audit/test_heif_parts.py",
    "tests/audit/test_tiff_layout.py",
    "tests/audit/test_webp_chunks.py",
    "tests/formats/test_not_shown.py",
)
AUDIT = {
    "dicom": [ELEMENTS, EVERY, "tests/formats/test_dicom.py"],
    "heif": [UNITS, PARTS, EVERY, HIDDEN, "tests/formats/test_heif.py"],
    "icc": [EDGES, "tests/formats/test_icc.py", EVERY],
    "jpeg": [SEGMENTS, EDGES, EVERY, "tests/formats/test_jpeg.py"],
    "png": [CHUNKS, EDGES, EVERY, "tests/formats/test_png.py", "tests/formats/test_hidden_in_alpha.py"],
    "scans": ["tests/formats/test_coded_search.py"],
    **{name: [UNITS, PARTS, EVERY, HIDDEN] for name in ("av1", "coded", "head", "hevc")},
    "turn": [EDGES, EVERY],
    "tiff": [LAYOUT, EVERY, HIDDEN, "tests/formats/test_tiff.py", "tests/formats/test_tiff_packed.py"],
    "webp": [PICTURES, EDGES, EVERY, "tests/formats/test_webp.py"],
}
TWICE = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
         ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
         ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult}  # fmt: skip
"""What is put in the place of an operator."""
LONGEST = 300
"""Seconds after which a mutant counts as seen: it does not end."""


PLUGINS = ("-p", "pytest_timeout", "-o", "timeout=0", "-p", "no:cacheprovider")
"""Without the limit of a single test, which would take the alarm of :data:`LONGEST` away."""
HEAVY = ("numpy", "PIL.Image", "cv2", "msgspec", "hypothesis", "pydicom", "pi_heif", "piexif", "jinja2", "click")
"""Loaded once; nothing of medimg's is."""


def tests_of(path: Path) -> list[str]:
    """The test files of a module, those first that see most for their time."""
    room, name = path.parent.name, path.stem.strip("_").split("_")[0]
    if room == "audit":
        return AUDIT.get(name, ["tests/audit", "tests/formats/test_formats_all.py"])
    return CONSENT if room == "consent" else POLICY


def places(tree: ast.Module) -> list[ast.AST]:
    """What can be changed."""
    skipped = {
        id(n) for a in ast.walk(tree) if isinstance(a, ast.AnnAssign | ast.arg) for n in ast.walk(a.annotation or a)
    }
    found = []
    for node in ast.walk(tree):
        whole = isinstance(node, ast.Constant) and type(node.value) in (int, bool)
        kinds = ast.Compare | ast.BoolOp | ast.BinOp | ast.Raise | ast.If
        if id(node) not in skipped and (whole or (isinstance(node, kinds) and changed(node) is not None)):
            found.append(node)
    return found


def changed(node: ast.AST) -> ast.AST | None:
    """A node to stand in this one's place; None where there is none."""
    new: Any = copy.deepcopy(node)
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in TWICE:
            new.ops[0] = TWICE[type(first)]()
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in TWICE:
            new.op = TWICE[type(op)]()
        case ast.Constant(value=bool() as value):
            new.value = not value
        case ast.Constant(value=int() as value):
            new.value = value + 1
        case ast.Raise():
            new = ast.Pass()
        case ast.If():
            new.test = ast.UnaryOp(ast.Not(), new.test)
        case _:
            return None
    return ast.copy_location(new, node)


class Swap(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


class InMemory(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module as it was changed."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.code = name, path, compile(tree, str(path), "exec")

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module: Any) -> None:
        exec(self.code, module.__dict__)


def seen(path: Path, number: int | None) -> bool:
    """Whether a test sees the mutant ``number`` of a module, or the module as it is; in a child: nothing stays."""
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST)
        if number is not None:
            tree = ast.parse(path.read_text("utf-8"))
            old = places(tree)[number]
            new = changed(old)
            assert new is not None
            sys.meta_path.insert(
                0, InMemory(name_of(path), path, ast.fix_missing_locations(Swap(old, new).visit(tree)))
            )
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = pytest.main(["-x", "-q", *PLUGINS, "-m", "not long", *tests_of(path)])
        os._exit(int(code != 0))
    return os.waitpid(child, 0)[1] != 0


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def drawn(rooms: Sequence[str], number: int, seed: int) -> list[tuple[Path, int]]:
    """Places over all files, in a random order, as many of each file as it has a share of all."""
    every = []
    for room in rooms:
        where = ROOT / "medimg" / room
        for path in sorted(where.glob("*.py")) if where.is_dir() else [where.with_suffix(".py")]:
            every += [(path, k) for k in range(len(places(ast.parse(path.read_text("utf-8")))))]
    step = max(1, len(every) // number)
    chosen = every[random.Random(seed).randrange(step) :: step]
    random.Random(seed).shuffle(chosen)
    print(f"{len(every)} places, {len(chosen)} drawn", flush=True)
    return chosen


def said(path: Path, number: int) -> str:
    """Where a mutant is, and what it changes."""
    node = places(ast.parse(path.read_text("utf-8")))[number]
    old, new = (ast.unparse(n).splitlines()[0] for n in (node, changed(node) or node))
    return f"{path.relative_to(ROOT)}:{node.lineno}: {old}  ->  {new}"  # type: ignore[attr-defined]


def main() -> None:
    """Try mutants and print those that nobody saw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", default=["audit", "policy", "decide", "consent"])
    parser.add_argument("--number", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path)
    given = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for heavy in HEAVY:
        importlib.import_module(heavy)
    chosen = drawn(given.rooms, given.number, given.seed)
    if given.again:
        left = given.again.read_text("utf-8").splitlines()
        chosen = [one for one in chosen if f"not seen: {said(*one)}" in left]
    for tests, path in {tuple(tests_of(path)): path for path, _ in chosen}.items():
        if seen(path, None):
            sys.exit(f"these fail without any mutant: {' '.join(tests)}")
    killed: dict[str, list[bool]] = {}
    for path, number in chosen:
        start = time.monotonic()
        was = seen(path, number)
        killed.setdefault(path.parent.name if path.parent.name != "medimg" else path.stem, []).append(was)
        if not was:
            print(f"not seen: {said(path, number)}", flush=True)
        print(f"  {'seen' if was else 'NOT'} in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    for room, all_ in sorted(killed.items()):
        print(f"{room}: {sum(all_)} of {len(all_)} seen ({sum(all_) / len(all_):.0%})")
    every = [was for all_ in killed.values() for was in all_]
    print(f"all: {sum(every)} of {len(every)} ({sum(every) / len(every):.0%})")


if __name__ == "__main__":
    main()
