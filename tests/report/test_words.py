"""The never-say list against every template, message and sheet, and the fixed status words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from sheets_kit import run_folder

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.report.words import CHECKS, DOES, STATES, WOULD
from medimg.run.state import WARNINGS, Warn
from medimg.types import Do
from medimg.vocabulary import CheckName, PhotoState

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "medimg"
NEVER = (
    *ChecklistDefinition.load().status_words.never_say,
    "certified",
    "anonymized",
    "fully anonymous",
    "clean picture",
    "risk-free",
    "100 %",
    "100%",
)

#: Words of the list that have another meaning where they stand. Each is a phrase, looked at by a person.
ALLOWED = (
    "safe id",  # the opaque key of a photo
    "safe ids",
    "id.safe-harbor",  # name of a rule of HIPAA
    "safe harbor",
    "safer to share",  # says more, not that it is enough
)


def found(text: str) -> list[str]:
    """Forbidden words in a text, outside the allowed phrases."""
    plain = text.casefold()
    for phrase in ALLOWED:
        plain = plain.replace(phrase, " ")
    return [w for w in NEVER if re.search(rf"(?<![\w-]){re.escape(w.casefold())}(?![\w-])", plain)]


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Every text a person may read in a module: strings with a blank in them, and help texts of commands."""
    tree = ast.parse(path.read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            # click prints the docstring of a command; any other docstring is for developers.
            shown = isinstance(node, ast.FunctionDef) and any("command" in ast.dump(d) for d in node.decorator_list)
            if not shown:
                docstrings.add(id(node.body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


MODULES = sorted(PACKAGE.rglob("*.py"))
TEXTS = sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".j2", ".html") or p.name == "checklist.yaml")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_message_promises(path: Path) -> None:
    bad = [(line, word) for line, text in messages(path) if " " in text for word in found(text)]
    assert not bad


@pytest.mark.parametrize("path", [p for p in TEXTS if p.name != "checklist.yaml"], ids=lambda p: p.name)
def test_no_template_promises(path: Path) -> None:
    assert not found(path.read_text("utf-8"))


def test_no_question_or_hint_promises() -> None:
    for item in ChecklistDefinition.load().items:
        assert not found(f"{item.ask} {item.help}"), item.id


@pytest.mark.parametrize("scope", ["full", "metadata-only"])
def test_no_sheet_promises(tmp_path: Path, scope: str) -> None:
    for audience in ChecklistDefinition.load().audiences:
        out = tmp_path / audience
        run_folder(out, {"P01": 1}, scope=scope, held=1, context=SharingContext(audience=audience))
        for path in [*out.glob("share-sheet.*"), *(out / "PRIVATE-patient-record").iterdir()]:
            if path.suffix in (".html", ".txt"):
                page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", path.read_text("utf-8"), flags=re.S)
                assert not found(page), path.name


def test_the_list_itself_is_applied() -> None:
    assert found("This picture is safe to share.") == ["safe"]
    assert found("It is HIPAA-compliant.") == ["HIPAA-compliant"]
    assert found("The safe id of the photo") == []
    assert found("an unsafe word, safety first") == []


def test_every_warning_and_check_of_a_run_has_words() -> None:
    assert set(get_args(Warn)) == set(WARNINGS)
    assert set(PhotoState) == set(STATES)
    assert set(CheckName) == set(CHECKS)
    assert all((*STATES.values(), *CHECKS.values()))
    assert set(get_args(Do)) == set(DOES) == set(WOULD)
