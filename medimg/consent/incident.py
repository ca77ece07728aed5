"""What to do when a picture reached the wrong person: the steps, and the country's clock with where it was read."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from medimg.words import mark, tr

#: In order (obligations, rows 65 and 66).
STEPS = (
    mark(
        "Tell hospital management or the privacy officer, your employer and your medical defence "
        "organisation at once, at any hour: a clock may have started when you noticed."
    ),
    mark("Ask the person who received it to delete it, not to forward it, and to confirm that."),
    mark("Delete the post or message, and look that it is gone."),
    mark("After the original is gone, ask search engines and the platform to remove cached copies."),
    mark("Write down what was shared, when, with whom, and what was done. Keep the note in the patient's record."),
)
ASK = mark("ask your employer or privacy officer which clock runs")
NO_COUNTRY = mark("No country was named: ask your employer or privacy officer which clock runs.")


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A passage that was read.

    Attributes:
        key: How clocks name it.
        title: Of the document.
        url: Where it was read.
        read: The day on which it was read.
        how: ``text``: the law's own words; ``authority``: the regulator's page; ``summary``: somebody else's account.
        paragraph: Which part.
        point: What it says, in our own words.
        year: Of the document; 0 where the page gives none.
    """

    key: str
    title: str
    url: str
    read: datetime.date
    how: Literal["text", "authority", "summary"]
    paragraph: str
    point: str
    year: int = 0


class Clock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How soon a breach has to be told in one country, by the organisation."""

    country: str
    words: str
    sources: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: tuple[Source, ...]
    clock: tuple[Clock, ...]


@cache
def _read() -> _File:
    text = resources.files("medimg.consent").joinpath("incident.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _File)


def sources() -> tuple[Source, ...]:
    """Every passage that was read."""
    return _read().source


def clocks(countries: Sequence[str], names: Mapping[str, str] | None = None) -> list[str]:
    """The clock of each country, one sentence each; where none was read, that the employer has to be asked.

    Args:
        countries: Codes, as the checklist has them.
        names: Code -> name of the country.
    """
    if not countries:
        return [tr(NO_COUNTRY)]
    known = {c.country: c for c in _read().clock}
    return [
        _line(known[c]) if c in known else tr("{named}: {ask}.", named=_named(c, names or {}), ask=tr(ASK))
        for c in countries
    ]


def _named(country: str, names: Mapping[str, str]) -> str:
    return tr("Another country") if country == "OTHER" else names.get(country, country)


def _line(clock: Clock) -> str:
    of = [next(s for s in sources() if s.key == key) for key in clock.sources]
    read = "; ".join(
        f"{s.title}, {s.paragraph}" + (tr(" (a summary; the text itself was not read)") if s.how == "summary" else "")
        for s in of
    )
    return tr(
        "{words} [{sources}; read {day}]", words=tr(clock.words), sources=read, day=max(s.read for s in of).isoformat()
    )
