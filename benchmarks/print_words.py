"""Make the lists of :mod:`medimg.detect.objects.print_words`.

    python -m benchmarks.print_words FREQUENCY SCOWL NAMES MEDICINES

- ``FREQUENCY``: ``content/2018`` of FrequencyWords (CC BY-SA 4.0; words of film subtitles by how often they are
  said). Of the 50,000 commonest words of twelve languages those count that hunspell with Debian's dictionary takes for
  words when written small; of German also those that it takes for nouns.
- ``SCOWL``: a folder of SCOWL's lists (Debian's ``scowl``; terms like those of X11), English words up to size 60; those
  up to size 50 are the common ones.
- ``NAMES``: a folder of lists of names, of which every word is left out: those of NameDatabases (Unlicense),
  firstname-database (GFDL) and the names-dataset of solvenium (MIT, from Wiktionary). They decide what is left out;
  nothing of them is in the lists.
- ``MEDICINES``: the dictionary of the package drug-named-entity-recognition 2.0.9 (MIT; by its page from DrugBank's
  open data, which are CC0, MeSH, MedlinePlus, PubChem, the NHS and Wikipedia): a pickle packed with bzip2, of which
  nothing but plain containers is read. Names of one word count.

Words that stand before a name (nurse, seen: ``role`` of :mod:`medimg.detect.text.lexicon`) are left out too. Its
words that are nobody's name are added, short ones too, and those of ``product_words.txt``, unless they are names.
"""

from __future__ import annotations

import bz2
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from medimg.detect.objects.print_words import folded
from medimg.detect.text.lexicon import lexicon

LANGUAGES = {
    "de": "de_DE", "fr": "fr", "es": "es_ES", "it": "it_IT", "nl": "nl", "pl": "pl_PL", "pt": "pt_PT", "tr": "tr_TR",
    "sv": "sv_SE", "da": "da_DK", "no": "nb_NO", "cs": "cs_CZ",
}  # fmt: skip
"""Language of the frequencies -> hunspell's dictionary."""
SHORTEST, ALONE, LONGEST = 3, 5, 20
"""Fewest letters of an English word and of one that may stand alone, and most of any; another language's has one more
than the first."""
SIZES, COMMON = (10, 20, 35, 40, 50, 55, 60), 50
WORD = re.compile(r"[^\W\d_]+")
PRODUCT = Path(__file__).with_name("product_words.txt")
OUT = Path(__file__).resolve().parent.parent / "medimg" / "detect" / "objects"


def names(folder: Path) -> set[str]:
    """Every word of every list of names."""
    return {folded(w) for p in folder.iterdir() for w in WORD.findall(p.read_text("utf-8", "replace"))}


def english(scowl: Path, largest: int) -> Iterator[str]:
    """Words up to a size."""
    for family in ("english", "american", "british"):
        for size in (s for s in SIZES if s <= largest):
            path = scowl / f"{family}-words.{size}"
            yield from (w for w in path.read_text("latin-1").split() if w.islower()) if path.exists() else ()


def foreign(frequency: Path, language: str) -> Iterator[str]:
    """The commonest words of a language that are in its dictionary."""
    rows = (frequency / language / f"{language}_50k.txt").read_text("utf-8").splitlines()
    said = [row.split()[0] for row in rows]
    yield from _spelt(said, LANGUAGES[language])
    if language == "de":
        yield from _spelt([w.capitalize() for w in said], LANGUAGES[language])


def _spelt(words: Iterable[str], dictionary: str) -> list[str]:
    command = ["hunspell", "-i", "UTF-8", "-d", dictionary, "-G"]
    return subprocess.run(command, input="\n".join(words), capture_output=True, text=True, check=True).stdout.split()


class _Containers(pickle.Unpickler):
    """Reads what needs no code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def medicines(dictionary: Path) -> list[str]:
    """Substances and trade names."""
    with bz2.open(dictionary) as file:
        return list(_Containers(file).load()["drug_variant_to_canonical"])


def fit(words: Iterable[str], least: int) -> set[str]:
    """The words, folded, that are long enough."""
    bare = {folded(w) for w in words if WORD.fullmatch(w)}
    return {w for w in bare if least <= len(w) <= LONGEST and w.isascii()}


def write(name: str, words: set[str]) -> None:
    (OUT / name).write_text("\n" + "\n".join(sorted(words)) + "\n", "ascii")
    print(f"{name}: {len(words)} words")


def main() -> None:
    """Write the lists."""
    frequency, scowl, people = Path(sys.argv[1]), Path(sys.argv[2]), names(Path(sys.argv[3]))
    sections = lexicon()
    people |= sections["name"] | sections["both"] | sections["small"] | sections["role"]
    own = {w for w in sections["plain"] if 2 <= len(w) <= LONGEST and w.isalpha()}
    product = (line for line in PRODUCT.read_text("utf-8").splitlines() if not line.startswith(";"))
    every = fit(english(scowl, SIZES[-1]), SHORTEST).union(
        fit((word for line in product for word in line.split()), SHORTEST),
        *(fit(foreign(frequency, language), SHORTEST + 1) for language in LANGUAGES),
    )
    write("print_words.txt", every - people | own)
    write("medicines.txt", fit(medicines(Path(sys.argv[4])), ALONE) - people - every - own)
    write("words_and_names.txt", every & people)
    write("common_words.txt", fit(english(scowl, COMMON), ALONE) - people)


if __name__ == "__main__":
    main()
