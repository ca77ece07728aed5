"""The consent checklist as it is defined: data (``checklist.yaml``), read and checked. Nothing in it is legal advice.

Which of its items are asked: :mod:`medimg.consent.questions`.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from medimg import words
from medimg.consent import strict_yaml
from medimg.consent.answers import CLOSING, NotApplicable
from medimg.errors import UsageError
from medimg.words import ENGLISH, Table, tr

Level = Literal["blocking", "advisory"]
EvidenceKind = Literal["auto", "human", "auto+human"]
SubjectKind = Literal["file", "group", "batch"]

SCHEMAS = ("medimg.consent-checklist/1",)

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

ActName = Literal[
    "", "look", "workplace", "channel", "form", "basis", "consent", "words", "people", "release", "extra", "second"
]

SECTIONS = Table(
    {
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
)


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
        shown = self if self.language == ENGLISH else _shipped()  # a translation is of the same questions
        return hashlib.sha256(msgspec.json.encode(shown, order="sorted")).hexdigest()[:16]

    def past_review(self, today: datetime.date) -> bool:
        """Whether the day has passed by which somebody was to read the checklist again."""
        return today.isoformat() > self.review_by

    def review_words(self, today: datetime.date) -> str:
        """By when somebody is to read it again, or that the day is past."""
        if self.past_review(today):
            return tr(
                "The checklist {version} is past its review date ({day}): its questions may be old.",
                version=self.version,
                day=self.review_by,
            )
        return tr("The checklist {version} is to be read again by {day}.", version=self.version, day=self.review_by)

    @classmethod
    def load(cls) -> ChecklistDefinition:
        """The checklist inside the package, in the language of this process."""
        return _shown(words.current())

    @classmethod
    def shipped(cls) -> ChecklistDefinition:
        """The checklist inside the package as it was written, in English."""
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


@cache
def _shown(language: str) -> ChecklistDefinition:
    """The shipped checklist with its words in the language of this process; ids, rules and sources stay."""
    shipped = _shipped()
    if language == ENGLISH:
        return shipped
    replace = msgspec.structs.replace
    return replace(
        shipped,
        language=language,
        status_words=replace(
            shipped.status_words, **{k: tr(getattr(shipped.status_words, k)) for k in ("open", "stop", "answered")}
        ),
        items=tuple(replace(i, ask=tr(i.ask), say=tr(i.say), help=tr(i.help)) for i in shipped.items),
        **{
            name: {k: tr(v) for k, v in getattr(shipped, name).items()}
            for name in ("audiences", "jurisdictions", "conditions", "ticks")
        },
    )


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
