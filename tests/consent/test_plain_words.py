"""Questions in plain words: one thing each, and school grade 7 at most by Flesch and Kincaid."""

from __future__ import annotations

import re
import warnings

import pytest

from medimg.consent.checklist import ChecklistDefinition, Item

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is written for an older Python
    import readability

ITEMS = [i for i in ChecklistDefinition.load().items if not i.retired_in]


def grade(text: str) -> float:
    """Flesch-Kincaid grade; the library takes a sentence a line, its words apart."""
    sentences = [s for s in re.split(r"(?<=[.?!])\s+", text) if s]
    lines = "\n".join(" ".join(re.findall(r"[\w'-]+|[.?!,]", s)) for s in sentences)
    return float(readability.getmeasures(lines, lang="en")["readability grades"]["Kincaid"])


@pytest.mark.parametrize("item", ITEMS, ids=lambda i: i.id)
def test_a_question_is_plain(item: Item) -> None:
    assert grade(item.ask) <= 7
    assert not item.say or grade(item.say) <= 7


@pytest.mark.parametrize("item", ITEMS, ids=lambda i: i.id)
def test_a_question_asks_one_thing_and_yes_is_the_good_answer(item: Item) -> None:
    assert item.ask.count("?") <= 1
    assert item.pass_ not in ("no", "nothing_left_or_accepted")


def test_sources_of_law_say_when_and_where_they_were_read() -> None:
    sources = ChecklistDefinition.load().sources
    for key in ("gmc-rec", "hipaa-508", "gdpr", "nz-hipc", "oaic-app6", "cmpa", "ahpra-cosmetic"):
        source = sources[key]
        assert source.year
        assert source.url.startswith("http")
        assert source.date_read
        assert source.where
        assert source.point
