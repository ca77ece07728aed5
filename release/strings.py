"""Collects what people read into the catalogues of ``medimg/words``: ``make strings``.

Collected are: what stands in ``tr``, ``many``, ``mark``, ``counted``, ``Table`` and Qt's own ``self.tr``; the sentences
of errors; the help of commands and options; the templates of the sheets; the page; the checklist and the clocks. An
f-string of an error becomes a template with a named field for each value, by which ``medimg.words.said`` knows it
again.
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from medimg.consent import strict_yaml
from medimg.serve.page.routes import CALLS, PIECES

if TYPE_CHECKING:
    from babel.messages import Catalog

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "medimg"
FOLDER = PACKAGE / "words"

Message = str | tuple[str, str]
"""Words, or words for one thing and for more."""

_RAISED = dict.fromkeys(re.findall(r"^class (\w+)\(", (PACKAGE / "errors.py").read_text(), re.MULTILINE), 0) | {
    "refuse": 0,
    "unexpected": 0,
    "YamlRefused": 0,
    "_refused": 1,
    "problem": 2,
}
"""Call -> where its sentence stands: of errors, which are English and are known again by it."""


def texts(node: ast.AST | None) -> Iterator[str]:
    """The words of an expression: a string, an f-string as a template, both sides of a choice or a sum."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield as_template(node)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        for side in (node.left, node.right) if isinstance(node, ast.BinOp) else node.values:
            yield from texts(side)


def as_template(node: ast.JoinedStr) -> str:
    """An f-string with a named field for each of its values."""
    names: dict[str, str] = {}
    out = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            out += "{" + names.setdefault(ast.unparse(part.value), f"x{len(names) + 1}") + "}"
        else:
            out += str(ast.literal_eval(part))
    return out


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def of_call(node: ast.Call) -> Iterator[Message]:
    """What a call holds for readers."""
    name, arguments = called(node), node.args
    if name in READ and arguments:
        yield from READ[name](arguments)
    if name in _RAISED:
        yield from (t for a in arguments[_RAISED[name] :][: 1 + (name == "problem")] for t in texts(a))
    for keyword in node.keywords:
        if keyword.arg in ("help", "epilog") or (keyword.arg == "todo" and name in _RAISED):
            yield from texts(keyword.value)


def of_words(arguments: list[ast.expr]) -> Iterator[Message]:
    """Words; with two texts it is Qt's call, which begins with a context."""
    yield from texts(next((a for a in arguments[1:2] if isinstance(a, ast.Constant | ast.JoinedStr)), arguments[0]))


def of_table(arguments: list[ast.expr]) -> Iterator[Message]:
    """The values of a table."""
    if isinstance(arguments[0], ast.Dict):
        for value in arguments[0].values:
            yield from texts(value)


def of_entry(arguments: list[ast.expr]) -> Iterator[Message]:
    """A category: its name is its words."""
    yield from (text.replace("-", " ") for text in texts(arguments[0]))


def of_counted(arguments: list[ast.expr]) -> Iterator[Message]:
    """Words for one and for more, and for none where they stand behind."""
    said = [a.value for a in arguments[:3] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if len(said) > 1:
        yield (said[0], said[1])
        yield from said[2:]


def of_plural(arguments: list[ast.expr]) -> Iterator[Message]:
    """A noun of the command line, and its plural where it is no ``s``."""
    said = [a.value for a in arguments if isinstance(a, ast.Constant)]
    if said:
        yield (f"{{n}} {said[0]}", f"{{n}} {said[1] if len(said) > 1 else f'{said[0]}s'}")


READ: dict[str, Callable[[list[ast.expr]], Iterator[Message]]] = {
    "tr": of_words,
    "mark": of_words,
    "translate": lambda arguments: texts(arguments[-1]),
    "Advice": lambda arguments: texts(arguments[-1]),
    "Table": of_table,
    "_Entry": of_entry,
    "plural": lambda arguments: of_plural(arguments[1:]),
    **dict.fromkeys(("_n", "n"), lambda arguments: of_counted(arguments[1:])),
    **dict.fromkeys(("many", "counted", "template"), of_counted),
}
"""Call -> how its words are read."""


def of_python(source: str) -> Iterator[Message]:
    """What a module holds for readers."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from of_call(node)
        elif isinstance(node, ast.FunctionDef) and any(
            isinstance(d, ast.Call) and called(d) in ("command", "group") for d in node.decorator_list
        ):
            yield inspect.cleandoc(ast.get_docstring(node) or "").partition("\f")[0].strip()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names = {getattr(t, "id", "") for t in (node.targets if isinstance(node, ast.Assign) else [node.target])}
            if "todo_default" in names:
                yield from texts(node.value)


def of_template(source: str) -> Iterator[Message]:
    """What a template of the sheets holds for readers."""
    for node in jinja2.Environment().parse(source).find_all(jinja2.nodes.Call):
        if isinstance(node.node, jinja2.nodes.Name) and node.node.name in ("tr", "many"):
            said = [a.value for a in node.args if isinstance(a, jinja2.nodes.Const)]
            if said:
                yield (said[0], said[1]) if node.node.name == "many" else said[0]


def of_checklist(source: str) -> Iterator[Message]:
    """What the checklist holds for readers; titles of sources stay as they are."""
    said = strict_yaml.read(source.encode())
    yield from (said["status_words"][k] for k in ("open", "stop", "answered"))
    for table in ("audiences", "jurisdictions", "conditions", "ticks"):
        yield from said[table].values()
    yield from (name.replace("_", " ") for name in said["conditions"])
    for item in said["items"]:
        yield from (item[k] for k in ("ask", "say", "help") if item.get(k))


def of_frame(source: str) -> Iterator[Message]:
    """What the frame of the page for a browser holds."""
    yield from ((m[2] or m[4]).strip() for m in PIECES.finditer(source) if (m[2] or "").strip() != "medimg")


def of_program(source: str) -> Iterator[Message]:
    """What its program holds."""
    yield from (json.loads(words) for words in CALLS.findall(source))


def of_clocks(source: str) -> Iterator[Message]:
    """What the clocks of countries hold, and the points of their sources."""
    said = tomllib.loads(source)
    yield from (c["words"] for c in said.get("clock", ()))
    yield from (s["point"] for s in said.get("source", ()))


def of_refused(source: str) -> Iterator[Message]:
    """The kinds of files that are refused ("a PDF document"), and what to do with each."""
    yield from of_python(source)
    tree = ast.parse(source)
    about = {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in (n for n in ast.walk(tree) if n not in about):
        yield from (text for text in texts(node) if re.fullmatch(r"(an?|the) [\w{].*[\w)}]|[A-Z].+ .+\.", text))


READERS = {
    ".py": of_python,
    ".j2": of_template,
    ".yaml": of_checklist,
    ".js": of_program,
    ".html": of_frame,
    ".toml": of_clocks,
}
LEFT_OUT = ("detect/text/rules", "models", "_build", "policies")


def collected() -> dict[Message, list[str]]:
    """Everything that people read, with the files it stands in."""
    found: dict[Message, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*")):
        where = path.relative_to(PACKAGE).as_posix()
        if path.suffix not in READERS or where.startswith(LEFT_OUT):
            continue
        read = of_refused if where == "formats/refused.py" else READERS[path.suffix]
        for message in read(path.read_text("utf-8")):
            if re.search(r"[^\W\d_]", "".join(message)) and where not in found.setdefault(message, []):
                found[message].append(where)
    return found


def catalogue() -> Catalog:
    """All of it, with no words of another language."""
    from babel.messages import Catalog

    out = Catalog(project="medimg", header_comment="# What people read in medimg.", charset="utf-8")
    for message, places in sorted(collected().items(), key=lambda m: (m[1][0], str(m[0]))):
        # "python-brace-format" is what the fields are; a place is a file, so that moved lines change nothing.
        flags = ["python-brace-format"] if "{" in "".join(message) else []
        out.add(message, locations=[(p, None) for p in places], flags=flags)
    return out


def main() -> None:
    """Bring every catalogue up to date; what is new has no translation yet."""
    from babel.messages import pofile

    template = catalogue()
    for path in sorted(FOLDER.glob("*.po")):
        header = path.read_text("utf-8").partition("\n\n")[0]  # without the day and the program: they say nothing
        with path.open("rb") as file:
            there = pofile.read_po(file, locale=path.stem)
        there.update(template, no_fuzzy_matching=True, update_header_comment=False)
        there.obsolete.clear()
        written = io.BytesIO()
        pofile.write_po(written, there, width=110, omit_header=True)
        path.write_text(f"{header}\n\n{written.getvalue().decode().lstrip()}", "utf-8")
        left = sum(not m.string or not all(m.string) for m in there if m.id)
        print(f"{path.name}: {len(there)} messages, {left} without a translation")


if __name__ == "__main__":
    main()
