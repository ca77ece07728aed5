"""One vocabulary: whatever a check can find is an entry, with words, and every entry is found by something."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import medimg
from medimg import audit, formats, vocabulary
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.evidence import evidence
from medimg.detect import make
from medimg.detect.text import identifiers
from medimg.policy import Policy
from medimg.report import words
from medimg.types import Report
from medimg.vocabulary import CONTENT_CHECKS, Category, FormatName, Kind, Reason, StandingReason

PACKAGE = Path(medimg.__file__).parent
EMITTERS = [
    *sorted(p for p in (PACKAGE / "formats").rglob("*.py") if p.name != "refused.py"),  # what is no picture at all
    *sorted((PACKAGE / "detect").rglob("*.py")),
    PACKAGE / "desktop" / "edits.py",
    PACKAGE / "consent" / "caption.py",
]
WHOLE = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {path: WHOLE[path] for path in EMITTERS}
RULES = sorted((PACKAGE / "detect").rglob("rules/*.toml"))
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
TABLE = 0.5
"""Share of a table's values that are categories, from which on it is one of categories."""


def constants(node: ast.AST) -> Iterator[str]:
    """Names in an expression, those of a comparison apart."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        yield from (x for a in node.args[1:] for x in constants(a))
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Category":
        yield Category[node.attr].value


def takers(*trees: ast.AST) -> dict[str, int]:
    """Functions of modules with a parameter called ``category`` -> its place."""
    return {
        node.name: [a.arg for a in node.args.args].index("category")
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "category" in [a.arg for a in node.args.args]
    }


TAKERS = takers(*TREES.values())
"""Those of every module; in a module its own names come before those of the others."""


def given(tree: ast.AST, places: dict[str, int], *, tabled: bool) -> Iterator[str]:
    """Names given to a finding, or to a function that makes one, or that stand behind a kind where ``tabled``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (x for k in node.keywords if k.arg == "category" for x in constants(k.value))
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = places.get(called)
            if place is not None and len(node.args) > place:
                yield from constants(node.args[place])
        elif isinstance(node, ast.Tuple) and tabled:
            for kind, name in zip(node.elts, node.elts[1:], strict=False):
                if isinstance(kind, ast.Attribute) and isinstance(kind.value, ast.Name) and kind.value.id == "Kind":
                    yield from constants(name)


def tables(tree: ast.AST) -> Iterator[set[str]]:
    """What may be a table of categories: the values of dictionaries, and what a function returns or yields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield {x for v in node.values for x in constants(v)}
        elif isinstance(node, ast.FunctionDef):
            said = [n.value for n in ast.walk(node) if isinstance(n, ast.Return | ast.Yield) and n.value is not None]
            yield {x for v in said for x in constants(v)} - {""}


@cache
def emitted() -> dict[str, str]:
    """Every category that a module of a check names -> one of the modules."""
    known = set(Category)
    out: dict[str, str] = {}
    for path, tree in TREES.items():
        names = set(given(tree, TAKERS | takers(tree), tabled="formats" in path.parts)) - {""}
        for table in tables(tree):
            if table and len(table & known) >= TABLE * len(table):
                names |= table
        out.update(dict.fromkeys(names, path.name))
    for path in RULES:
        out.update({rule["category"]: path.name for rule in tomllib.loads(path.read_text("utf-8")).get("rule", ())})
    return out


def test_everything_that_a_check_can_find_is_an_entry() -> None:
    found = emitted()
    assert len(found) > 60  # it was looked for
    assert {name: module for name, module in found.items() if name not in set(Category)} == {}


def bare(node: ast.AST) -> Iterator[ast.Constant]:
    """Strings that are given as a category or a kind: arguments and defaults of that name, and what is compared."""
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg in ("category", "kind"):
            yield from (n for n in ast.walk(part.value) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        elif isinstance(part, ast.Compare):
            sides = (part.left, *part.comparators)
            if any(isinstance(s, ast.Attribute) and s.attr == "kind" for s in sides):
                yield from (s for s in sides if isinstance(s, ast.Constant) and s.value in set(Kind))
            if any(isinstance(s, ast.Attribute) and s.attr == "category" for s in sides):
                yield from (s for s in sides if isinstance(s, ast.Constant) and s.value in set(Category))


@pytest.mark.parametrize(
    "path", [*TREES, PACKAGE / "policy.py", PACKAGE / "decide.py"], ids=lambda p: p.relative_to(PACKAGE).as_posix()
)
def test_no_check_writes_an_entry_as_a_bare_string(path: Path) -> None:
    entries = {*Kind, *Category}
    assert [n.lineno for n in bare(WHOLE[path]) if n.value in entries] == []


def test_every_entry_is_found_by_a_check() -> None:
    written = {n.value for t in TREES.values() for n in ast.walk(t) if isinstance(n, ast.Constant)} | emitted().keys()
    written |= {
        Category[n.attr].value
        for t in TREES.values()
        for n in ast.walk(t)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "Category"
    }
    assert set(Category) <= written, set(Category) - written


@pytest.mark.parametrize("entry", Category)
def test_every_category_has_words_and_feeds_what_is_asked(entry: Category) -> None:
    assert NAME.match(entry)
    assert entry.words
    assert "-" not in entry.words
    if entry.kinds and entry.kinds[0] in (Kind.TEXT, Kind.CODE, Kind.FACE, Kind.DOCUMENT, Kind.DRAWN):
        assert entry.window, "the window shows it"
    assert set(entry.items) <= {i.id for i in ChecklistDefinition.load().items}
    assert not entry.keepable or entry.kinds == (Kind.TEXT,)


def test_every_item_that_a_finding_feeds_gets_evidence() -> None:
    asked = {i for entry in (*Kind, *Category) for i in entry.items}
    assert asked <= {e.item for e in evidence(Report(safe_id="P01-001", state="held"))}
    assert {k: k.words for k in Kind} == words.KINDS


def test_the_policy_keeps_what_the_check_of_writing_may_keep() -> None:
    assert Policy().text.keep == Policy.load().text.keep == vocabulary.KEEPABLE
    assert set(vocabulary.KEEPABLE) == identifiers.KEPT


def test_a_category_of_a_later_version_has_words_too() -> None:
    assert Category.words_of("fax-number") == "fax number"
    assert Category.words_of("2d-code") == "2d code"


def test_no_reason_is_compared_as_prose() -> None:
    entries = {*Reason, *StandingReason}
    bad = [
        (path.name, node.lineno, part.value)
        for path, tree in WHOLE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in entries
    ]
    assert bad == []


@pytest.mark.parametrize("entry", [*Reason, *StandingReason])
def test_every_reason_is_words(entry: str) -> None:
    assert entry == entry.strip(" .")
    assert entry.isprintable()
    assert entry[0].islower()


DECIDING = ("detect", "formats", "decide.py")
"""Where categories are emitted and decided about; what is emitted there is held against the entries above."""


def test_nobody_else_compares_a_category_or_a_format_with_a_bare_word() -> None:
    compared = {"category": set(Category), "format": set(FormatName), "why": {*Reason, *StandingReason}}
    bad = [
        (path.name, node.lineno)
        for path, tree in WHOLE.items()
        if path.relative_to(PACKAGE).parts[0] not in DECIDING
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr in compared
        for part in node.comparators
        for word in ast.walk(part)
        if isinstance(word, ast.Constant) and word.value in compared[node.left.attr]
    ]
    assert bad == []


def test_every_format_that_is_read_has_a_name() -> None:
    assert set(audit.AUDITS) <= set(FormatName)
    assert set(formats.FORMATS) - {"raster"} <= set(FormatName)  # a room for several


def test_every_check_of_the_picture_has_a_detector() -> None:
    assert {make(name, Policy()).name for name in CONTENT_CHECKS} == set(CONTENT_CHECKS)
