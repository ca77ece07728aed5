"""Every audience, country and two sets of conditions walked through: acts, keystrokes, questions and words to read.

``python tests/consent/test_acts_counted.py`` writes the table of benchmarks/acts.md anew.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import pytest
from acts_kit import Count, cards_of, fresh, start, walked

from medimg.consent.checklist import ChecklistDefinition

DOC = Path(__file__).parents[2] / "benchmarks" / "acts.md"
BEGIN, END = "<!-- counted: begin -->\n", "<!-- counted: end -->\n"
AUDIENCES = list(ChecklistDefinition.load().audiences)
COUNTRIES = list(ChecklistDefinition.load().jurisdictions)
SETS = {"none of these": (), "under 18, other people": ("child", "other_people")}


@cache
def counted(audience: str, country: str, ticks: tuple[str, ...]) -> tuple[Count, Count, Count]:
    """The very first patient (cards filled in), the first in a known place (cards confirmed), and a further one."""
    state, reports = fresh(audience, (country,), {"P01": 1, "P02": 1})
    walk, new = walked(start(state, reports), ticks)
    assert all(r.overall == "answered" for r in walk.results.values()), _open(walk)
    assert walk.release == ("P01", "P02")
    known, costs = walked(start(state, reports, cards_of(walk)), ticks)
    assert known.release == ("P01", "P02")
    return new["P01"], costs["P01"], costs["P02"]


def _open(walk: object) -> list[str]:
    return [s.question.id for r in walk.results.values() for s in r.waiting()]  # type: ignore[attr-defined]


def table() -> str:
    rows = [
        "| for | where | applies | once, cards new | first patient | further patient | a look |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for audience in AUDIENCES:
        for country in COUNTRIES:
            for name, ticks in SETS.items():
                new, first, further = counted(audience, country, ticks)
                cells = [f"{c.acts} / {c.keys} / {c.questions} / {c.words}" for c in (new, first, further)]
                rows.append(f"| {audience} | {country} | {name} | {' | '.join(cells)} | {further.look_words} |")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("country", COUNTRIES)
def test_the_goals_hold_where_nothing_special_applies(audience: str, country: str) -> None:
    _, first, further = counted(audience, country, ())
    assert first.acts <= 10
    assert first.keys <= 40
    assert first.words <= 350
    assert further.acts <= 6
    assert further.keys <= 20
    assert further.words <= 150


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_condition_adds_its_own_questions_and_nothing_else(audience: str) -> None:
    _, _, plain = counted(audience, "AU", ())
    _, _, more = counted(audience, "AU", ("child",))
    assert [s for s in more.screens if not s.startswith("extra")] == plain.screens
    assert {s.split(":")[2] for s in more.screens if s.startswith("extra")} == {
        "who.child",
        "who.child-view",
        "who.child-calm",
    }


def test_the_table_of_the_documentation_is_counted() -> None:
    assert DOC.read_text("utf-8").partition(BEGIN)[2].partition(END)[0] == table()


if __name__ == "__main__":
    text = DOC.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    DOC.write_text(head + BEGIN + table() + END + rest.partition(END)[2], "utf-8")
