"""Names beside plain words, and harmless lines: what stays, on text alone and without pictures.

    uv run --with faker --with simple-icd-10-cm python -m benchmarks.names [--half open|held] [--share 1.0]

40,000 names of the locales of Faker (MIT), which gives none of the rule's lists, and the commonest surnames of ten
places, in 60 templates of what stands on boards, labels, rulers, badges and captions. Half of the templates and half of
the names are held back: with ``--half open`` both are left out, so that the rule is never fitted to them. *Kept* is a
line whose verdict is in ``identifiers.KEPT``; *names kept* are names of which any line is. Of 2,000 harmless lines,
*lost* are those that are not kept.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import pkgutil
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks._common_surnames import common
from benchmarks._harmless_lines import lines
from medimg.detect.text import identifiers
from medimg.detect.text import lexicon as _lexicon
from medimg.detect.text.known import folded

NAMES = 40_000
TEMPLATES = (
    "{n} left leg ulcer", "{n} - sacrum", "Photo by {n}", "Assessed by {n}", "Mrs {n} dressing", "Wound care: {n}",
    "{n}", "{N}", "{a}", "{n} left heel", "{N} - sacrum", "{N} LEFT HEEL", "left heel {n}", "Left heel - {n}",
    "Sacrum ({n})", "{n}: foot ulcer", "{n}, right heel", "{n} / sacrum", "{i} {n} left foot", "{n} {I} right hip",
    "{n}, {I} wound", "{n}, {g} left heel", "{g} {n} dressing", "{n} {g} sacrum", "{N}, {g}", "{g} {n}",
    "{n} bed 4", "Bed 12 {n} sacrum", "4 {n} heel", "{n} 12/3 heel", "{n} 14-5 left heel", "R) heel {n}",
    "{n} R heel", "{n} L) foot", "{n} Mepilex Border", "Mepilex for {n}", "{n} foam dressing 10 x 10 cm",
    "{n} dressing change", "Dressing change {n}", "Redo dressing {n} daily", "{n} wound", "{n} burn", "Wound {n}",
    "Ulcer - {n}", "Patient {n}", "Nurse {n}", "Registered Nurse {n}", "{n} RN", "Seen by {n}", "Dressed by {n}",
    "Reviewed by {n} wound care", "Image: {n}", "Label: {n} right leg", "{a} left leg ulcer", "{a} - heel",
    "{n} pressure injury stage 2", "Pressure injury, {n}, stage 3", "5 cm {n}", "{n} 15 cm", "cm {n} 1 2 3",
)  # fmt: skip
"""``{n}`` a name, ``{N}`` in capitals, ``{a}`` without its accents, ``{g}`` another name, ``{i}`` ``{I}`` initials."""


def names() -> dict[str, str]:
    """Names in Latin letters -> the language they were taken from, at most :data:`NAMES`, in a fixed order."""
    import faker.providers.person as person

    found: dict[str, str] = {}
    for locale in sorted(m.name for m in pkgutil.iter_modules(person.__path__)):
        provider = importlib.import_module(f"{person.__name__}.{locale}").Provider
        for attribute in dir(provider):
            if re.match(r"(?:first|last|middle)_(?:romanized_)?names?", attribute):
                values = getattr(provider, attribute)
                for value in values if isinstance(values, list | tuple | dict) else ():
                    if isinstance(value, str) and re.fullmatch(r"[^\W\d_][^\d_]*", value) and _latin(value):
                        found.setdefault(value, locale)
    order = sorted(found, key=lambda value: _mark(value))
    return {value: found[value] for value in order[:NAMES]}


def _latin(value: str) -> bool:
    return all(not c.isalpha() or "LATIN" in unicodedata.name(c, "") for c in value)


def _mark(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _held(value: str) -> bool:
    """Whether a name is in the half that is held back."""
    return int(_mark(value)[0], 16) % 2 == 1


def written(template: str, name: str, other: str) -> str:
    """A line of a template for a name."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return template.format(n=name, N=name.upper(), a=bare, g=other, i=other[0].upper(), I=f"{other[0].upper()}.")


def kept(line: str) -> bool:
    """Whether a line would stay in a picture, read with full certainty."""
    return identifiers.classify(line, 1.0).category in identifiers.KEPT


def _table(title: str, people: dict[str, str], templates: tuple[str, ...], show: int) -> None:
    order = list(people)
    cells: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    staying: Counter[str] = Counter()
    by_template: Counter[str] = Counter()
    for k, name in enumerate(order):
        other = order[(k * 7919 + 1) % len(order)]
        stay = [t for t in templates if kept(written(t, name, other))]
        row = cells[people[name]]
        row[0] += 1
        row[1] += len(templates)
        row[2] += len(stay)
        row[3] += bool(stay)
        staying[name] += len(stay)
        by_template.update(stay)
    total = [sum(row[k] for row in cells.values()) for k in range(4)]
    print(f"\n{title}: {total[0]} names, {total[1]} lines")
    for stratum, (n, m, k, any_) in sorted(cells.items(), key=lambda item: -item[1][2]):
        if k:
            _row(stratum, n, m, k, any_)
    _row("all", *total)
    if show:
        print("  most:", ", ".join(f"{n} {k}" for n, k in staying.most_common(show) if k))
        print("  by template:", "; ".join(f"{t} {k}" for t, k in by_template.most_common(show)))


def _row(stratum: str, people: int, lines_: int, stay: int, staying: int) -> None:
    print(f"  {stratum:10} {people:6} names {lines_:8} lines, kept {stay:5} = {stay / lines_:.5f},", end="")
    print(f" names kept {staying:4} = {staying / people:.4f}")


def _harmless() -> Iterator[str]:
    return (line for line in lines() if not kept(line))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", choices=("open", "held", "all"), default="open")
    parser.add_argument("--share", type=float, default=1.0, help="of the names, for a quick look")
    parser.add_argument("--show", type=int, default=0, help="so many of the worst")
    given = parser.parse_args()
    templates = {"open": TEMPLATES[::2], "held": TEMPLATES[1::2], "all": TEMPLATES}[given.half]
    wanted = {"open": (False,), "held": (True,), "all": (False, True)}[given.half]
    every = {n: where for n, where in names().items() if _held(n) in wanted}
    some = dict(list(every.items())[: round(len(every) * given.share)])
    listed = _lexicon.may_be_names()
    outside = sum(folded(n) not in listed for n in every)
    print(f"{len(every)} names, {outside / len(every):.3f} of them in none of the rule's lists")
    _table("names of Faker", some, templates, given.show)
    for place, surnames in common().items():
        _table(f"commonest of {place}", dict.fromkeys(surnames, place), templates, given.show)
    lost = list(_harmless())
    print(f"\nharmless lines: {len(lines())}, lost {len(lost) / len(lines()):.4f}")


if __name__ == "__main__":
    main()
