"""The catalogues of ``medimg/words``: whole, up to date, and with the same fields as the English."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from words_kit import spanish, strings

from medimg import words
from medimg.cli.main import COMMANDS
from medimg.words import Catalogue

SPANISH = spanish()
COLLECTED = strings.collected()
PAIRS: list[tuple[str, str]] = [*SPANISH.one.items()]
PAIRS += [(m[k != 0], form) for m in COLLECTED if isinstance(m, tuple) for k, form in enumerate(SPANISH.counted[m[0]])]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    words.use("en")


def test_everything_that_is_read_is_in_the_catalogue_and_translated() -> None:
    """What is missing or left over: ``make strings``, then translate in medimg/words/es.po."""
    one = {m for m in COLLECTED if isinstance(m, str)}
    counted = {m[0] for m in COLLECTED if isinstance(m, tuple)}
    assert one - SPANISH.one.keys() == set()
    assert counted - SPANISH.counted.keys() == set()
    assert SPANISH.one.keys() - one == set()
    assert SPANISH.counted.keys() - counted == set()
    assert one & counted == set()  # gettext knows words by themselves or by their number, not both
    assert len(one) > 2800


def fields(text: str) -> Counter[str]:
    try:
        return Counter(f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(text) if name is not None)
    except ValueError:
        return Counter()


def test_a_translation_has_the_fields_of_the_english() -> None:
    wrong = [
        (e, s)
        for e, s in PAIRS
        if fields(e).keys() != fields(s).keys() and fields(e).keys() - fields(s).keys() != {"n:"}
    ]
    assert wrong == []
    # Where one thing is meant, its number may be left out; never where more are.
    assert [
        f for m in COLLECTED if isinstance(m, tuple) for f in SPANISH.counted[m[0]][1:] if fields(f) != fields(m[1])
    ] == []


def test_a_translation_keeps_blanks_at_its_ends_keys_commands_and_options() -> None:
    def ends(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    def kept(text: str) -> set[str]:
        """Commands, options, names of files and folders, codes: what is typed or found elsewhere."""
        typed = re.findall(r"--[a-z][a-z-]+|\b[a-z]+/(?=[ :.)])|[\w-]+\.(?:json|html|txt)\b|\bM-[A-Z]+", text)
        return {*typed, *(w for w in re.findall(r"\bmedimg ([a-z][a-z-]+)", text) if w in COMMANDS)}

    assert [(e, s) for e, s in PAIRS if ends(e) != ends(s)] == []
    assert [(e, s) for e, s in PAIRS if kept(e) - kept(s)] == []
    assert [(e, s) for e, s in PAIRS if len(re.findall(r"&\w", e)) != len(re.findall(r"&\w", s))] == []


def test_words_of_the_sheets_hold_no_markup() -> None:
    assert [s for _, s in PAIRS if re.search(r"</?[a-z]+>", s)] == []


def test_a_finished_sentence_is_known_again_by_its_template() -> None:
    """What an error or a record says in English is shown in the other language, with what was filled in."""
    words.use(SPANISH)
    missed = []
    for english, theirs in SPANISH.one.items():
        names = [n for n in fields(english) if re.fullmatch(r"[a-z]\w*:", n)]
        if (
            not names
            or "{{" in english
            or len(re.sub(r"\{\w+\}", "", english)) < 10
            or fields(english).keys() != set(names)
        ):
            continue
        filled = {n[:-1]: f"Q{k}" for k, n in enumerate(names)}
        if words.said(english.format(**filled)) != theirs.format(**filled):
            missed.append(english)
    assert missed == []


def test_a_reason_of_a_report_is_what_and_what_to_do() -> None:
    words.use(SPANISH)
    assert words.said("this looks like a document. Look at the photo, then decide.") == (
        "esto parece un documento. Mire la foto y después decida."
    )
    assert words.said(
        "the text check did not run: its answer was not whole. Run 'medimg doctor'; then clean this photo again."
    ) == (
        "la comprobación «texto» no se hizo: su respuesta no estaba completa. Ejecute «medimg doctor»; después"
        " limpie esta"
        " foto de nuevo."
    )
    assert words.said("the written copy did not pass: text, faces.") == "la copia escrita no superó: texto, caras."
    assert words.said("this is a Nikon raw photo (NEF), which is not cleaned.") == (
        "esto es una foto en bruto de Nikon (NEF), que no se limpia."
    )


def test_a_sentence_that_is_not_known_stays() -> None:
    words.use(SPANISH)
    assert words.said("something of another program") == "something of another program"
    assert words.said("") == ""
    words.use("en")
    assert words.said("not a face") == "not a face"


def test_the_catalogue_is_read_as_gettext_reads_it() -> None:
    pofile = pytest.importorskip("babel.messages.pofile")
    with (Path(words.__file__).parent / "es.po").open("rb") as file:
        theirs = pofile.read_po(file, locale="es")
    messages = [m for m in theirs if m.id]
    assert {m.id: m.string for m in messages if isinstance(m.id, str)} == SPANISH.one
    assert {m.id[0]: tuple(m.string) for m in messages if not isinstance(m.id, str)} == SPANISH.counted


def test_what_is_fuzzy_or_not_translated_stays_english() -> None:
    made = words.parse(
        "es",
        'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural=n == 1 ? 0 : n == 2 ? 1 : 2;\\n"\n\n'
        'msgid "one"\nmsgstr "uno"\n\n#, fuzzy\nmsgid "two"\nmsgstr "dos"\n\nmsgid "three"\nmsgstr ""\n\n'
        'msgid "{n} \\"cat\\"\\n"\nmsgid_plural "{n} cats"\nmsgstr[0] "a{n}"\nmsgstr[1] "b{n}"\nmsgstr[2] "c{n}"\n',
    )
    assert made.one == {"one": "uno"}
    assert made.counted == {'{n} "cat"\n': ("a{n}", "b{n}", "c{n}")}
    words.use(made)
    assert [words.many('{n} "cat"\n', "{n} cats", n) for n in (1, 2, 5)] == ["a1", "b2", "c5"]
    assert words.tr("three") == "three"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("es", "es"),
        ("es_MX.UTF-8", "es"),
        ("ES-es", "es"),
        ("Spanish_Spain", "es"),
        ("C.UTF-8", "en"),
        ("", "en"),
        ("tlh", "en"),
    ],
)
def test_a_language_by_its_many_names(named: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.known(named) == code
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", named or "C")
    assert words.usual() == code
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert words.usual() == "en"


def command(*arguments: str, **environment: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-m", "medimg", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )
    return done.stdout + done.stderr


def test_the_command_line_speaks_the_language_that_is_named(tmp_path: Path) -> None:
    defaults = tmp_path / "defaults.toml"
    defaults.write_text('language = "es"\n')
    assert "Hace más seguro compartir una foto clínica." in command("--language", "es", "--help")
    assert "Uso: medimg clean" in command("clean", "--help", LC_ALL="es_CL.UTF-8")
    assert "Uso: medimg clean" in command("clean", "--help", MEDIMG_DEFAULTS=str(defaults))
    assert "Usage: medimg clean" in command("--language", "en", "clean", "-h", MEDIMG_DEFAULTS=str(defaults))
    assert "no existe esa orden." in command("--language", "es", "nothing")
    gone = command("--language", "es", "verify", str(tmp_path / "gone.jpg"))
    assert gone == "medimg: el número 1 de los archivos y carpetas nombrados no existe. [M-USE]\n"
    assert "the value given for --language does not fit" in command("--language", "xx", "--help")


def test_many_forms_of_one_language_are_one_catalogue() -> None:
    words.use("es_MX")
    assert words.current() == "es"
    words.use(Catalogue("de", {"yes": "ja"}, {}, lambda n: int(n != 1)))
    assert (words.current(), words.tr("yes"), words.tr("no")) == ("de", "ja", "no")
