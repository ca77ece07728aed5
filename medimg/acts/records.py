"""What a screen shows, what a person did, and where a walk through the acts stands."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from medimg.consent.cards import Card
from medimg.consent.standing import GroupResult
from medimg.report.build import Matter
from medimg.run.areas import Asked
from medimg.run.plans import Why
from medimg.run.state import RunState
from medimg.types import Report
from medimg.words import tr

BATCH = "batch"


def kind(act: str) -> str:
    """What kind of act it is: the first part of its id."""
    return act.partition(":")[0]


def subject(act: str) -> str:
    """What an act is about: ``batch``, a patient group or a copy."""
    return act.split(":")[1] if ":" in act else BATCH


def group_of(act: str) -> str:
    """The patient group of an act, or ``batch``."""
    return subject(act).partition("-")[0]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence on a screen.

    Attributes:
        item: The obligation whose sentence it is; empty for a line that tells something.
        text: The sentence.
        checks_say: What the checks found, if they feed it.
        true: Whether the card that is shown has it; None where no card says.
    """

    item: str = ""
    text: str
    checks_say: str = ""
    true: bool | None = None


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person may do: a key, and its words."""

    key: str
    words: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """Something to type; what stands there already is taken when nothing is typed."""

    name: str
    label: str
    value: str = ""
    required: bool = False
    kind: Literal["text", "date"] = "text"


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """One screen: plain words, to be drawn anywhere.

    Attributes:
        act: Id of the act, as ``look:P01-001``.
        group: The patient it is about, or ``batch``.
        title: What it is.
        number: Its place among all acts, from 1.
        of: How many acts there are.
        lead: A line before the sentences.
        lines: The sentences.
        fields: What may be typed.
        ticks: A list of which some may be ticked.
        ticked: Keys of those that are.
        mark: What a tick says.
        options: What a person may do.
        trouble: What went wrong, in one sentence.
    """

    act: str
    group: str
    title: str
    number: int
    of: int
    lead: str = ""
    lines: tuple[Line, ...] = ()
    fields: tuple[Field, ...] = ()
    ticks: tuple[Option, ...] = ()
    ticked: tuple[str, ...] = ()
    mark: str = "x"
    options: tuple[Option, ...] = ()
    trouble: str = ""

    @property
    def place(self) -> str:
        """The patient, where the title does not say it, and the place among all acts."""
        where = tr("{number} of {of}", number=self.number, of=self.of)
        return where if self.group == BATCH or self.group in self.title else f"{self.group}, {where}"

    def texts(self) -> Iterator[str]:
        """Every text on it, in order; place and trouble aside."""
        yield self.title
        yield self.lead
        for line in self.lines:
            yield line.text
            yield line.checks_say
        for field in self.fields:
            yield field.label
            yield field.value
        yield from (t.words for t in self.ticks)
        yield from (o.words for o in self.options)

    def words(self) -> int:
        """How many words stand on it."""
        return sum(len(re.findall(r"[\w'/-]+", text)) for text in self.texts())


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did on a screen.

    Attributes:
        key: Key of the option; ``back`` goes to the act before, ``skip`` leaves this one open.
        ticks: Keys of what is ticked.
        fields: What was typed; a field that is not named keeps what stood there.
    """

    key: str = ""
    ticks: tuple[str, ...] = ()
    fields: dict[str, str] = {}


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about an area: ``cover``, or why it is left as it is."""

    photo: str
    number: int
    what: Literal["cover"] | Why


Acts = tuple[str, ...]


class Part(NamedTuple):
    """The acts of one group, those before its form and those after it: every one, and those that are not done."""

    on_form: bool
    every: tuple[Acts, Acts]
    open: tuple[Acts, Acts]


class Settled(NamedTuple):
    """What a walk was settled from."""

    state: RunState
    reports: tuple[Report, ...]
    areas: dict[str, tuple[Asked, ...]]
    release: tuple[str, ...]
    language: str


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person stands in the acts of a run. Nothing in it changes; :func:`step` gives the next one.

    Attributes:
        state: The run as answered so far.
        reports: The reports of its photos.
        cards: Cards that can be used, newest first.
        today: The day by the clock.
        at: When this act happens, UTC.
        groups: The groups that are asked about.
        act: The act that is shown; empty for the first that is open.
        part: Which part of the act: empty for the act itself, ``which`` for what is not true, ``one`` for one question,
            ``new`` for a card that is filled in, ``law`` for the law a use rests on, ``area`` for one area.
        held: What was said in an earlier part: item -> answer.
        typed: What was typed in an earlier part.
        left: Items to be asked one by one.
        card: Which of several cards is shown.
        skipped: Acts that were left open.
        new_cards: Cards to be kept.
        release: Groups a person said to release.
        role: The role that was said.
        trouble: What went wrong, to be shown.
        done: Whether nothing is left to do.
        changed: Copies that do not lie there as they were checked; nobody looks at those.
        waits: Copies that do not show yet what a person decided; nobody looks at those either.
        areas: Safe id -> the areas of its copy about which nobody decided; where a picture is at hand to decide in,
            as in the window, it is empty.
        decided: What was decided about areas, to be kept.
        results: Where every question stands.
        matters: What that follows from.
        parts: The acts of every group that is asked about and has copies.
        settled_from: What these three were made from.
    """

    state: RunState
    reports: tuple[Report, ...]
    cards: tuple[Card, ...] = ()
    today: datetime.date
    at: str = ""
    groups: tuple[str, ...] = ()
    act: str = ""
    part: Literal["", "which", "one", "new", "law", "area"] = ""
    held: dict[str, str] = {}
    typed: dict[str, str] = {}
    left: tuple[str, ...] = ()
    card: int = 0
    skipped: frozenset[str] = frozenset()
    new_cards: tuple[Card, ...] = ()
    release: tuple[str, ...] = ()
    role: str = ""
    trouble: str = ""
    done: bool = False
    changed: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    areas: dict[str, tuple[Asked, ...]] = {}
    decided: tuple[Decided, ...] = ()
    results: dict[str, GroupResult] = {}
    matters: dict[str, Matter] = {}
    parts: dict[str, Part | None] = {}
    settled_from: Settled | None = None
