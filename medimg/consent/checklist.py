"""The consent checklist: its definition, the context of a sharing, and the questions that follow.

The definition is data (``checklist.yaml``); nothing in it is legal advice. A question is asked when any of the
chosen countries asks it and its conditions are not plainly false: what has not been said counts as *not sure*.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from medimg.consent import strict_yaml
from medimg.consent.answers import BASES, CLOSING, Answer, NotApplicable
from medimg.errors import UsageError
from medimg.vocabulary import StandingReason

Level = Literal["blocking", "advisory"]
EvidenceKind = Literal["auto", "human", "auto+human"]
Flag = Literal["yes", "no", "not-sure"]
SubjectKind = Literal["file", "group", "batch"]

SCHEMAS = ("medimg.consent-checklist/1",)
DEFAULT_AUDIENCE = "closed-group"  # the default when the user does not say (checklist, audiences)

#: What an answer is about: pictures per file, consent and the person per patient, channel, policy and incident once
#: (checklist, rules, carry_over). Record and publication are not named there, so they stay with the patient.
_SUBJECTS: dict[str, SubjectKind] = {
    "img": "file",
    "id": "group",
    "con": "group",
    "who": "group",
    "aud": "batch",
    "pol": "batch",
    "rec": "group",
    "pub": "group",
    "inc": "batch",
    "site": "group",  # an organisation's own question is asked for every patient
}

_WITHOUT_CONSENT = frozenset({"uk-anonymised-teaching", "uk-listed-recording", "us-deidentified"})

ActName = Literal[
    "", "look", "workplace", "channel", "form", "basis", "consent", "words", "people", "release", "extra", "second"
]

SECTIONS: dict[str, str] = {
    "img": "What can be seen",
    "id": "All the information together",
    "con": "Consent",
    "who": "People and situations that need more care",
    "aud": "Audience and channel",
    "pol": "Policy and ownership",
    "rec": "The patient's record",
    "pub": "Publication and advertising",
    "inc": "If it goes wrong",
    "site": "Asked by your organisation",
}


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the checklist; the fields are explained at the top of ``checklist.yaml``."""

    id: str
    ask: str
    level: dict[str, Level]
    sources: tuple[str, ...]
    say: str = ""
    help: str = ""
    act: ActName = ""
    about: SubjectKind | Literal[""] = ""
    evidence: EvidenceKind = "human"
    pass_: str = msgspec.field(name="pass", default="yes")
    na: NotApplicable = "never"
    jurisdictions: str | tuple[str, ...] = "all"
    record: Literal["both", "record-only", "share-ok"] = "both"
    free_text: Literal["none", "record-only"] = "none"
    when_any: tuple[str, ...] = ()
    when_all: tuple[str, ...] = ()
    retired_in: str = ""

    @property
    def section(self) -> str:
        """Key of :data:`SECTIONS`."""
        return self.id.partition(".")[0]

    @property
    def subject(self) -> SubjectKind:
        """What one answer to it is about."""
        return self.about or _SUBJECTS[self.section]

    def na_in(self, countries: Iterable[str]) -> NotApplicable:
        """Whether it may be set aside where these countries were chosen.

        A question of some countries' law that is asked because no country was named may be another country's.
        """
        elsewhere = self.na == "never" and self.jurisdictions != "all" and not any(countries)
        return "with-note" if elsewhere and self.free_text == "record-only" else self.na


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A guidance document an item rests on, how far it was read and when, and its point in our own words."""

    title: str
    year: str = ""
    url: str = ""
    date_read: str = ""
    where: str = ""
    read: str = ""
    point: str = ""


class StatusWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The only words that are printed about a whole set of answers."""

    open: str
    stop: str
    answered: str
    never_say: tuple[str, ...]


class ChecklistDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole checklist."""

    schema: str
    version: str
    review_by: str
    language: str
    status_words: StatusWords
    audiences: dict[str, str]
    jurisdictions: dict[str, str]
    conditions: dict[str, str]
    ticks: dict[str, str]
    sources: dict[str, Source]
    items: tuple[Item, ...]

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of the definition in canonical form."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]

    def past_review(self, today: datetime.date) -> bool:
        """Whether the day has passed by which somebody was to read the checklist again."""
        return today.isoformat() > self.review_by

    def review_words(self, today: datetime.date) -> str:
        """By when somebody is to read it again, or that the day is past."""
        if self.past_review(today):
            return f"The checklist {self.version} is past its review date ({self.review_by}): its questions may be old."
        return f"The checklist {self.version} is to be read again by {self.review_by}."

    @classmethod
    def load(cls) -> ChecklistDefinition:
        """The checklist inside the package."""
        return _shipped()

    @classmethod
    def parse(cls, data: bytes) -> ChecklistDefinition:
        """Read and validate a checklist.

        Raises:
            UsageError: It is of another schema, has an unknown field, or contradicts itself.
        """
        try:
            raw = strict_yaml.read(data)
            if not isinstance(raw, dict) or raw.get("schema") not in SCHEMAS:
                raise UsageError("this checklist is of a kind that this version does not know.")
            definition = msgspec.convert(_levels_named(raw), cls)
        except strict_yaml.YamlRefused as error:
            raise UsageError(f"the checklist cannot be read: {error}.") from error
        except msgspec.ValidationError as error:
            raise UsageError(f"the checklist is not valid: {error}.") from error
        definition._check()
        return definition

    def _check(self) -> None:
        seen: set[str] = set()
        for item in self.items:
            where = f"item {len(seen) + 1} of the checklist"
            problems: list[tuple[bool, str]] = [
                (item.id in seen, "has an id that was used before"),
                (item.section not in _SUBJECTS, "is of an unknown section"),
                (item.pass_ not in CLOSING, "has an unknown 'pass'"),
                (not set(item.level) <= set(self.audiences), "names an unknown audience"),
                (not {*item.when_any, *item.when_all} <= set(self.conditions), "names an unknown condition"),
                (not set(item.sources) <= set(self.sources), "names an unknown source"),
                (not item.sources, "has no source"),
                (bool(item.act) != bool(item.say) and item.act != "extra", "has no sentence for its act"),
                (item.na == "with-note" and item.free_text == "none", "asks for a note that it does not take"),
                (
                    item.jurisdictions != "all"
                    and (isinstance(item.jurisdictions, str) or not set(item.jurisdictions) <= set(self.jurisdictions)),
                    "names an unknown country",
                ),
            ]
            for wrong, what in problems:
                if wrong:
                    raise UsageError(f"{where} {what}.")
            seen.add(item.id)

    def item(self, item_id: str) -> Item:
        """The item with this id.

        Raises:
            UsageError: There is none. The message does not repeat the id, which may be anything a person typed.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise UsageError("there is no such item in the checklist.", todo="'medimg answer --list' shows the ids.")


_LETTERS: dict[str, Level] = {"B": "blocking", "A": "advisory"}


def _levels_named(raw: dict[str, Any]) -> dict[str, Any]:
    """The file with each row's letters (``B A - B B``) as levels by audience; what is no such row stays as it is."""
    audiences, rows = raw.get("audiences"), raw.get("items")
    if not isinstance(audiences, dict) or not isinstance(rows, list):
        return raw
    out = []
    for row in rows:
        letters = str(row.get("level")).split() if isinstance(row, dict) else []
        if len(letters) == len(audiences) and set(letters) <= {*_LETTERS, "-"}:
            levels = {a: _LETTERS[x] for a, x in zip(audiences, letters, strict=True) if x != "-"}
            out.append({**row, "level": levels})
        else:
            out.append(row)
    return {**raw, "items": out}


@cache
def _shipped() -> ChecklistDefinition:
    data = resources.files("medimg").joinpath("consent/checklist.yaml").read_bytes()
    return ChecklistDefinition.parse(data)


_ALSO = {"GB": "UK", "US": "US-HIPAA", "USA": "US-HIPAA"}
"""What people write for a country (ISO 3166 and habit) -> its key."""


def country(word: str, definition: ChecklistDefinition | None = None) -> str:
    """The key of a country however it is written: ``au``, ``GB``, ``Canada``. A word that is none stays as it is."""
    known = (definition or ChecklistDefinition.load()).jurisdictions
    upper = word.strip().upper()
    by_name = {name.upper(): key for key, name in known.items()}
    return next((k for k in (upper, _ALSO.get(upper, ""), by_name.get(upper, "")) if k in known), word)


class SharingContext(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom, where, and what is special about it.

    Attributes:
        audience: Key of the checklist's audiences.
        jurisdictions: Countries; none means that the questions of every country are asked.
        conditions: Flag -> yes, no or not-sure. What is not named counts as not-sure.
        basis: Key of :data:`~medimg.consent.answers.BASES`, once it was chosen.
    """

    audience: str = DEFAULT_AUDIENCE
    jurisdictions: tuple[str, ...] = ()
    conditions: dict[str, Flag] = {}
    basis: str = ""

    def checked(self, definition: ChecklistDefinition | None = None) -> SharingContext:
        """The same context, when every word of it is in the checklist.

        Raises:
            UsageError: An audience, country, condition or basis is unknown.
        """
        known = definition or ChecklistDefinition.load()
        if self.audience not in known.audiences:
            raise UsageError(f"unknown audience. Choose one of: {', '.join(known.audiences)}.")
        if not set(self.jurisdictions) <= set(known.jurisdictions):
            raise UsageError(f"unknown country. Choose from: {', '.join(known.jurisdictions)}.")
        if not set(self.conditions) <= set(known.conditions):
            raise UsageError(f"unknown condition. Choose from: {', '.join(known.conditions)}.")
        if not set(self.conditions.values()) <= {"yes", "no", "not-sure"}:
            raise UsageError("a condition is yes, no or not-sure.")
        if self.basis and self.basis not in BASES:
            raise UsageError(f"unknown basis. Choose one of: {', '.join(BASES)}.")
        return self

    def flag(self, condition: str) -> Flag:
        """Yes, no or not-sure; the anonymised basis follows from the basis alone."""
        if condition == "anonymised_basis":
            return "yes" if self.basis in _WITHOUT_CONSENT else "no"
        return self.conditions.get(condition, "not-sure")

    def with_condition(self, condition: str, flag: Flag) -> SharingContext:
        """The same context with one condition set."""
        return msgspec.structs.replace(self, conditions={**self.conditions, condition: flag})


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One item in one context.

    Attributes:
        item: The row of the checklist.
        asked: Whether it is asked.
        level: Blocking or advisory, for this audience after the rules.
        why: Why it is asked or not asked, in plain words.
        na: Whether *does not apply* closes it here.
        set_by_site: The organisation's profile added or raised it.
    """

    item: Item
    asked: bool
    level: Level
    why: str
    na: NotApplicable = "never"
    set_by_site: bool = False

    @property
    def id(self) -> str:
        """Id of the item."""
        return self.item.id

    @property
    def blocking(self) -> bool:
        """Whether it needs an answer before sharing."""
        return self.asked and self.level == "blocking"


def questions(
    context: SharingContext, definition: ChecklistDefinition | None = None, *, site: Any = None
) -> list[Question]:
    """Every item of the checklist in this context, asked or not, and why.

    Args:
        context: For whom, where, conditions and basis.
        definition: The checklist; the shipped one when none is given.
        site: The organisation's :class:`~medimg.consent.site.SiteProfile`, if there is one.

    Raises:
        UsageError: The context uses a word the checklist does not have.
    """
    from medimg.consent import rules

    known = definition or ChecklistDefinition.load()
    context.checked(known)
    plain = [_one(item, context) for item in known.items if not item.retired_in]
    ruled = [rules.by_basis(q, context) for q in plain]
    return site.applied(ruled, context) if site is not None else ruled


def checklist(
    audience: str = DEFAULT_AUDIENCE, where: Iterable[str] = (), conditions: Mapping[str, Flag] | None = None
) -> tuple[Question, ...]:
    """The questions that are asked before sharing, blocking ones first.

    Args:
        audience: For whom (a key of the checklist's audiences).
        where: Countries; none means that the questions of every country are asked.
        conditions: What is special: condition -> ``yes``, ``no`` or ``not-sure``. What is not named is not sure.

    Raises:
        UsageError: The checklist has no such word.
    """
    context = SharingContext(audience=audience, jurisdictions=tuple(where), conditions=dict(conditions or {}))
    return tuple(sorted((q for q in questions(context) if q.asked), key=lambda q: not q.blocking))


def _one(item: Item, context: SharingContext) -> Question:
    if context.audience not in item.level:
        return Question(item=item, asked=False, level="advisory", why="not asked for this audience")
    level = item.level[context.audience]

    def no(why: str) -> Question:
        return Question(item=item, asked=False, level=level, why=why)

    countries = _asking_countries(item, context)
    if countries is not None and not countries:
        return no("not asked in the chosen countries")
    flags = {c: context.flag(c) for c in (*item.when_any, *item.when_all)}
    if item.when_any and all(flags[c] == "no" for c in item.when_any):
        return no("you said that this does not apply: " + ", ".join(map(words, item.when_any)))
    if item.when_all and any(flags[c] == "no" for c in item.when_all):
        return no("you said that this does not apply: " + " and ".join(map(words, item.when_all)))
    return Question(
        item=item,
        asked=True,
        level=level,
        why=_asked_because(item, flags, countries),
        na=item.na_in(context.jurisdictions),
    )


def _asking_countries(item: Item, context: SharingContext) -> list[str] | None:
    """The chosen countries that ask it; None when every country does."""
    if isinstance(item.jurisdictions, str):
        return None
    chosen = context.jurisdictions
    return [j for j in item.jurisdictions if j in chosen or not chosen]


def _asked_because(item: Item, flags: dict[str, Flag], countries: list[str] | None) -> str:
    parts = [f"asked in {', '.join(countries)}"] if countries else []
    said = [words(c) for c, f in flags.items() if f == "yes"]
    unsaid = [words(c) for c, f in flags.items() if f == "not-sure"]
    if item.when_all and unsaid:
        parts.append("asked until it is settled whether this applies: " + " and ".join(unsaid))
    elif said:
        parts.append("because: " + ", ".join(said))
    elif unsaid:
        parts.append("asked because it is not settled whether this applies: " + ", ".join(unsaid))
    return "; ".join(parts) or StandingReason.ASKED


def words(condition: str) -> str:
    """A condition's key as words."""
    return condition.replace("_", " ")


__all__ = [
    "DEFAULT_AUDIENCE",
    "SECTIONS",
    "Answer",
    "ChecklistDefinition",
    "Flag",
    "Item",
    "Level",
    "Question",
    "SharingContext",
    "Source",
    "StatusWords",
    "questions",
    "words",
]
