"""A hospital's own settings: one TOML file that may add and raise questions, and never drops a blocking one.

::

    schema = "medimg.site/1"
    organisation = "Example Hospital"
    policy_text = "Clinical images: policy CP-12."
    policy_link = "https://intranet.example/policy"
    audiences = ["colleague-opinion", "closed-group", "teaching"]   # others are refused
    output_places = ["/srv/clean"]                                    # outputs elsewhere are refused
    allow_key = false                                                 # --keep-key is refused

    [contacts]
    privacy_officer = "extension 100"
    hospital_management = "extension 101"

    [levels.closed-group]
    "id.moment" = "blocking"

    [answers.closed-group]                                            # what the organisation itself answers
    "pol.employer" = "yes"

    [[cards]]                                                         # shown, and found right by a person in every run
    kind = "form"
    reviewed = "2026-05-01"
    fields = { name = "Photo consent", version = "3" }
    answers = { "con.written" = "yes", "con.specific" = "yes" }

    [[items]]
    id = "site.registered"
    ask = "Is this use entered in the image register?"
    level = { closed-group = "blocking", teaching = "blocking" }
"""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Literal

import msgspec

from medimg import strict
from medimg.consent.answers import NOT_APPLICABLE, TURNED, Answer, NotApplicable, choices
from medimg.consent.cards import FIELDS, Card, CardKind, wording
from medimg.consent.checklist import ChecklistDefinition, Item, Level, Question
from medimg.consent.context import SharingContext
from medimg.errors import UsageError
from medimg.system import files
from medimg.vocabulary import StandingReason
from medimg.words import Table, mark, tr

SECTION = "site"

#: What an organisation can know for every sharing with one audience: its policy, its channel, its contacts. Nothing
#: about a patient, a picture, or who receives it this time.
ANSWERABLE = frozenset(
    {
        "pol.employer",
        "pol.owner",
        "aud.endorsed-channel",
        "aud.terms",
        "aud.auto-upload",
        "aud.cross-border",
        "inc.plan",
    }
)


_CONTACTS = Table(
    {
        "privacy_officer": "privacy officer",
        "hospital_management": "hospital management",
        "defence_organisation": "defence organisation",
        "help_desk": "help desk",
    }
)


class Contacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call at once when a picture reached the wrong person (obligations, row 65)."""

    privacy_officer: str = ""
    hospital_management: str = ""
    defence_organisation: str = ""
    help_desk: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """Who and how, of those that are set."""
        return [(_CONTACTS[name], value) for name, value in msgspec.structs.asdict(self).items() if value]


class SiteItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question of the organisation's own, answered yes to close."""

    id: str
    ask: str
    level: dict[str, Level]
    help: str = ""
    record: Literal["both", "record-only"] = "record-only"
    na: NotApplicable = "never"


#: Asked of a second person before every release, where the organisation wants four eyes.
SECOND_PERSON = "site.second-person"
_SECOND_ITEM = Item(
    id=SECOND_PERSON,
    ask=mark("Has a second person looked at every copy?"),
    say=mark("I looked at every copy, and I agree to the release."),
    act="second",
    level={},
    record="record-only",
    sources=(),
)


class SiteCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card that the organisation fills in; a person still says in every run that it is right.

    Attributes:
        kind: ``workplace``, ``channel`` or ``form``.
        audiences: For whom it is; every audience when empty.
        answers: Item -> answer.
        fields: What stands on it, by the keys of :data:`~medimg.consent.cards.FIELDS`.
        reviewed: ISO date on which somebody looked at it last.
    """

    kind: CardKind
    reviewed: str
    audiences: tuple[str, ...] = ()
    answers: dict[str, str] = {}
    fields: dict[str, str] = {}


class SiteProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organisation sets for every run."""

    schema: Literal["medimg.site/1"]
    organisation: str = ""
    policy_text: str = ""
    policy_link: str = ""
    audiences: tuple[str, ...] = ()
    output_places: tuple[str, ...] = ()
    allow_key: bool = True
    languages: tuple[str, ...] = ("en",)
    contacts: Contacts = Contacts()
    levels: dict[str, dict[str, Level]] = {}
    answers: dict[str, dict[str, str]] = {}
    items: tuple[SiteItem, ...] = ()
    cards: tuple[SiteCard, ...] = ()
    locked_cards: tuple[CardKind, ...] = ()
    four_eyes: bool = False

    @classmethod
    def load(cls, path: Path, definition: ChecklistDefinition | None = None) -> SiteProfile:
        """Read and check a profile.

        Raises:
            UsageError: It cannot be read, has an unknown setting, or would weaken a blocking question.
        """
        try:
            profile = strict.from_toml(files.read_named(path), cls)
        except OSError as error:
            raise UsageError("the site profile could not be read.") from error
        except msgspec.DecodeError as error:
            raise UsageError(f"the site profile is not valid: {error}.") from error
        profile._check(definition or ChecklistDefinition.load())
        return profile

    @classmethod
    def installed(cls) -> SiteProfile | None:
        """The profile of this computer: ``MEDIMG_SITE``, or ``site.toml`` in the system's folder for settings.

        Raises:
            UsageError: It is there and cannot be used. It is never passed over.
        """
        named = os.environ.get("MEDIMG_SITE")
        if named:
            return cls.load(Path(named))
        import platformdirs

        path = platformdirs.site_config_path("medimg", appauthor=False) / "site.toml"
        return cls.load(path) if path.exists() else None

    def _check(self, definition: ChecklistDefinition) -> None:
        items = {i.id: i for i in definition.items}
        audiences = set(definition.audiences)
        if not {*self.audiences, *self.levels, *self.answers, *(a for i in self.items for a in i.level)} <= audiences:
            raise UsageError("the site profile names an unknown audience.")
        if self.policy_link and not self.policy_link.startswith(("https://", "http://")):
            raise UsageError("the policy link of the site profile is not a web address.")
        self._check_levels(items)
        self._check_answers(items)
        self._check_items(set(items))
        self._check_cards(items)

    def _check_levels(self, items: dict[str, Item]) -> None:
        for audience, levels in self.levels.items():
            for item_id, level in ((TURNED.get(i, i), x) for i, x in levels.items()):
                if item_id not in items:
                    raise UsageError("the site profile sets a level for an unknown item.")
                if level == "advisory" and items[item_id].level.get(audience) == "blocking":
                    raise UsageError(
                        "the site profile may raise a question to blocking, never lower or drop a blocking one."
                    )

    def _check_answers(self, items: dict[str, Item]) -> None:
        for answers in self.answers.values():
            for item_id, choice in answers.items():
                if item_id not in ANSWERABLE:
                    raise UsageError("the site profile answers a question that only a person can answer.")
                if choice not in choices(items[item_id].pass_) or choice in ("not-sure", NOT_APPLICABLE):
                    raise UsageError("the site profile gives an answer that is not possible.")

    def _check_items(self, taken: set[str]) -> None:
        for item in self.items:
            if not item.id.startswith(f"{SECTION}.") or item.id in {*taken, SECOND_PERSON}:
                raise UsageError(f"an item of the site profile needs an id of its own that starts with '{SECTION}.'.")
            taken.add(item.id)

    def _check_cards(self, items: dict[str, Item]) -> None:
        for card in self.cards:
            if not card.fields.get("name") or not set(card.fields) <= set(FIELDS[card.kind]):
                raise UsageError("a card of the site profile has no name, or a field that cards do not have.")
            for item_id, choice in card.answers.items():
                item = items.get(item_id)
                if item is None or item.act != card.kind:
                    raise UsageError("a card of the site profile answers a question that does not stand on it.")
                if choice not in choices(item.pass_, item.na) or choice == "not-sure":
                    raise UsageError("a card of the site profile gives an answer that is not possible.")
            try:
                datetime.date.fromisoformat(card.reviewed)
            except ValueError as error:
                raise UsageError("'reviewed' of a card is a date such as 2026-05-01.") from error
        if not set(self.locked_cards) <= {c.kind for c in self.cards}:
            raise UsageError("the site profile locks a kind of card that it does not have.")

    def cards_for(self, context: SharingContext) -> list[Card]:
        """The organisation's cards for this audience."""
        return [
            Card(
                kind=card.kind,
                audience=context.audience,
                countries=tuple(sorted(context.jurisdictions)),
                answers=card.answers,
                fields=card.fields,
                wording=wording(card.kind),
                made=card.reviewed,
                by="site",
            ).sealed()
            for card in self.cards
            if not card.audiences or context.audience in card.audiences
        ]

    def applied(self, asked: list[Question], context: SharingContext) -> list[Question]:
        """The questions with the organisation's levels and its own items."""
        levels = {TURNED.get(i, i): level for i, level in self.levels.get(context.audience, {}).items()}
        out = [self._raised(q, levels.get(q.id)) for q in asked]
        return (
            out
            + [
                Question(
                    item=_as_item(item),
                    asked=True,
                    level=item.level[context.audience],
                    why=StandingReason.BY_SITE,
                    na=item.na,
                    set_by_site=True,
                )
                for item in self.items
                if context.audience in item.level
            ]
            + ([_second()] if self.four_eyes else [])
        )

    @staticmethod
    def _raised(question: Question, level: Level | None) -> Question:
        if level is None or not question.asked or question.level == "blocking":
            return question
        return msgspec.structs.replace(question, level=level, why=StandingReason.BY_SITE, set_by_site=True)

    def own_items(self) -> dict[str, NotApplicable]:
        """The organisation's own questions -> whether *does not apply* closes them."""
        return {i.id: i.na for i in self.items} | ({SECOND_PERSON: "never"} if self.four_eyes else {})

    def answered(self, context: SharingContext) -> list[Answer]:
        """What the organisation answers for this audience, once for the whole run."""
        return [
            Answer(item=item, subject="batch", choice=choice, by="site")
            for item, choice in self.answers.get(context.audience, {}).items()
        ]

    def allows(self, context: SharingContext, out: Path | None = None, *, key: bool = False) -> None:
        """Refuse what the organisation does not allow.

        Args:
            context: For whom and where.
            out: Where the run folder would be made.
            key: Whether the key of original names would be kept.

        Raises:
            UsageError: The audience, the place or the key is not allowed.
        """
        ask = mark("Ask your privacy officer.")
        if self.audiences and context.audience not in self.audiences:
            raise UsageError("your organisation does not allow this audience.", todo=ask)
        if key and not self.allow_key:
            raise UsageError("your organisation does not allow a key of original names to be kept.", todo=ask)
        places = [Path(p).resolve() for p in self.output_places]
        if out is not None and places and not any(out.resolve().is_relative_to(p) for p in places):
            raise UsageError("your organisation does not allow this output folder.", todo=ask)


def _second() -> Question:
    item = msgspec.structs.replace(_SECOND_ITEM, ask=tr(_SECOND_ITEM.ask), say=tr(_SECOND_ITEM.say))
    return Question(item=item, asked=True, level="blocking", why=StandingReason.BY_SITE, set_by_site=True)


def _as_item(item: SiteItem) -> Item:
    return Item(
        id=item.id,
        ask=item.ask,
        evidence="human",
        level=item.level,
        act="extra",
        jurisdictions="all",
        record=item.record,
        free_text="record-only" if item.na == "with-note" else "none",
        sources=(),
        na=item.na,
        pass_="yes",  # noqa: S106 - the answer that closes the item
        help=item.help,
    )
