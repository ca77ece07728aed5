"""No prose stands in the code that no translator is given. What does not need one is listed in ``left.txt``.

The list may only shrink: a new line in it needs a reason that a reader of the diff accepts, such as a pattern, a
format, or a log that programs read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from words_kit import strings

LIST = Path(__file__).with_name("left.txt")
PROSE = re.compile(r"[A-Za-z]{2,}[,.;:]? [A-Za-z{(]")
OUTSIDE = ("_build", "serve/openapi.py", "selftest/hiding", "selftest/pictures.py", "audit", "detect", "formats")
"""Rooms whose texts are patterns, paths in files, a description for programs, or drawn. Their errors are collected."""


def literals(tree: ast.AST) -> Iterator[str]:
    """Every text of a module but its docstrings, an f-string as a template."""
    about = {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    within = {part for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in ast.walk(n) if part is not n}
    for node in ast.walk(tree):
        if node not in about and node not in within and isinstance(node, ast.Constant | ast.JoinedStr):
            yield from strings.texts(node)


def left() -> list[str]:
    """Prose of the package that is not collected, as ``file: text``."""
    out = []
    for path in sorted(strings.PACKAGE.rglob("*.py")):
        where = path.relative_to(strings.PACKAGE).as_posix()
        if where.startswith(OUTSIDE):
            continue
        source = path.read_text("utf-8")
        given = set()
        for message in strings.of_python(source):
            given.update([message] if isinstance(message, str) else message)
        texts = {t for t in literals(ast.parse(source)) if PROSE.search(t) and t not in given}
        out += [f"{where}: {' '.join(t.split())[:100]}" for t in sorted(texts)]
    return out


def test_no_prose_is_left_outside_the_catalogue() -> None:
    listed = LIST.read_text("utf-8").splitlines()
    assert sorted(set(left()) - set(listed)) == []
    assert sorted(set(listed) - set(left())) == []  # what went is taken off the list
