"""What people read, in their language. There is one catalogue: ``LANGUAGE.po`` in this folder, by the English words.

English stands in the code and is what records on disk hold; another language is looked up when words are shown.
``make strings`` collects the words (``release/strings.py``); docs/architecture.md says how a language is added.
"""

from __future__ import annotations

import gettext
import locale
import os
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

ENGLISH = "en"
_NAMES = {"es": "Spanish"}
"""Language -> how Windows names it in a locale such as ``Spanish_Spain``."""
LANGUAGES = (ENGLISH, *_NAMES)


class Catalogue(NamedTuple):
    """The words of one language.

    Attributes:
        code: ISO 639-1, as ``<html lang>`` has it.
        one: English words -> theirs. Templates have named fields in braces.
        counted: English words for one thing -> theirs for every plural form.
        form: A count -> which of the plural forms it takes.
    """

    code: str
    one: Mapping[str, str]
    counted: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]


_ENGLISH = Catalogue(ENGLISH, {}, {}, lambda n: int(n != 1))
_now = _ENGLISH


def use(language: str | Catalogue) -> None:
    """From here on, words are shown in this language; a language that is not there is English.

    Args:
        language: Its code, with or without a country (``es``, ``es_MX.UTF-8``), or a catalogue.
    """
    global _now  # one process speaks one language
    _now = language if isinstance(language, Catalogue) else _read(known(language))


def known(language: str) -> str:
    """The code of a language as it is named here or by an operating system; English for one that is not there."""
    name = re.split(r"[_.@-]", language.strip())[0].casefold()
    return next((code for code, long in _NAMES.items() if name in (code, long.casefold())), ENGLISH)


def usual() -> str:
    """The language of this computer's user: LC_ALL, LC_MESSAGES or LANG, else what the system says."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return known(os.environ[name])
    try:
        return known(locale.getlocale()[0] or "")
    except ValueError:  # a locale that Python does not know
        return ENGLISH


def current() -> str:
    """The code of the language that words are shown in."""
    return _now.code


def mark(text: str) -> str:
    """The words as they are: they are collected here, and looked up with :func:`tr` where they are shown."""
    return text


class Table(dict[str, str]):
    """English words by a key, as they are collected here; what is read of it is in the language of this process."""

    def __getitem__(self, key: str) -> str:
        return tr(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        """The words of a key; the default as it is."""
        return self[key] if dict.__contains__(self, key) else default

    def values(self) -> Any:
        """The words."""
        return [self[key] for key in self]

    def items(self) -> Any:
        """Keys with their words."""
        return [(key, self[key]) for key in self]


def tr(text: str, /, **fields: object) -> str:
    """Words in the language of this process; without a translation they stay English.

    Args:
        text: English words. Named fields in braces are filled in.
        fields: What is filled in; without any, the text is taken as it is.
    """
    shown = _now.one.get(text, text)
    return shown.format(**fields) if fields else shown


class Worded(StrEnum):
    """A fixed word with what people read of it, in their language."""

    english: str

    @property
    def words(self) -> str:
        """What people read."""
        return tr(self.english)


def many(one: str, more: str, n: int, /, **fields: object) -> str:
    """Words about a number of things, which may stand in them as ``{n}``.

    Args:
        one: English words for one.
        more: English words for any other number.
        n: How many.
        fields: What else is filled in.
    """
    return template(one, more, n).format(n=n, **fields)


def template(one: str, more: str, n: int) -> str:
    """The words for a number of things, not filled in."""
    forms = _now.counted.get(one)
    return forms[_now.form(n)] if forms else (one if n == 1 else more)


def said(sentence: str) -> str:
    """A finished English sentence of a record or an error in the language of this process.

    What was filled into it is found again by its template, so that records hold one language whoever reads them.
    """
    if _now.code == ENGLISH or not sentence:
        return sentence
    return _known(sentence) or _pieces(sentence) or sentence


def _known(sentence: str) -> str:
    """The translation of one sentence: as it stands, without its full stop, or by a template; empty for none."""
    if sentence in _now.one:
        return _now.one[sentence]
    for begins, text in _templates(_now.code):
        if sentence.startswith(begins) and (found := _pattern(text).fullmatch(sentence)):
            return _now.one[text].format(**{name: said(value) for name, value in found.groupdict().items()})
    bare = sentence.removesuffix(".")
    return f"{_now.one[bare]}." if bare != sentence and bare in _now.one else ""


def _pieces(text: str) -> str:
    """Several sentences, or a list with commas, each for itself; empty where the first is not known."""
    for end in re.finditer(r"(?<=[.?!]) ", text):
        if first := _known(text[: end.start()]):
            return f"{first} {said(text[end.end() :])}"
    parts = text.split(", ")
    return ", ".join(map(tr, parts)) if len(parts) > 1 and all(part in _now.one for part in parts) else ""


_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")
_LEAST = 10
"""Letters that a template has to have of its own, to be recognised in a sentence."""


@cache
def _templates(code: str) -> list[tuple[str, str]]:  # noqa: ARG001 - the cache is by language
    """Templates by which a sentence can be recognised, with what each begins with; the longest come first."""
    own = {text: len(_FIELD.sub("", text)) for text in _now.one if _FIELD.search(text)}
    sure = sorted((t for t, length in own.items() if length >= _LEAST), key=own.__getitem__, reverse=True)
    return [(text[: text.index("{")], text) for text in sure]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = _FIELD.split(text)
    seen: set[str] = set()
    out = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            out.append(re.escape(part))
        else:
            out.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(out), re.DOTALL)


@cache
def _read(language: str) -> Catalogue:
    if language == ENGLISH:
        return _ENGLISH
    return parse(language, resources.files("medimg.words").joinpath(f"{language}.po").read_text("utf-8"))


_ESCAPED = re.compile(r"\\(.)")
_RULE = re.compile(r"plural=(.+?);")


def parse(code: str, text: str) -> Catalogue:
    """A catalogue as gettext writes it (``.po``); what is not translated, or marked *fuzzy*, is left out.

    Args:
        code: The language.
        text: The file.
    """
    one: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    for entry in text.split("\n\n"):
        parts: dict[str, str] = {}
        key = ""
        for line in entry.split("\n"):
            if line[:3] == "msg":
                key, line = line.split(" ", 1)
            if line[:1] == '"':
                parts[key] = parts.get(key, "") + line[1:-1]
        english = parts.pop("msgid", "")
        more = parts.pop("msgid_plural", "")
        if not parts or not all(parts.values()) or "fuzzy" in entry[: entry.find("msgid")]:
            continue
        forms = tuple(map(_plain, parts.values()))
        if more:
            counted[_plain(english)] = forms
        else:
            one[_plain(english)] = forms[0]
    rule = _RULE.search(one.pop("", ""))
    return Catalogue(code, one, counted, gettext.c2py(rule[1]) if rule else _ENGLISH.form)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text) if "\\" in text else text
