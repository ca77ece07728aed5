"""Cards: what a person says once about a workplace, a channel or a consent form, kept between runs.

A card lies in the user's settings folder, readable by them alone, or comes with the organisation's profile. It answers
nothing by itself: in every run it is shown with its text and age, and a person says whether it is still right. It is
asked again after 90 days, when a question on it was reworded, and when it was changed by hand. Nothing about a patient
is kept on it.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from medimg.consent import caption
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.errors import OutputError, UsageError
from medimg.system import files
from medimg.types import from_json
from medimg.vocabulary import Category
from medimg.words import Table, mark, tr

CardKind = Literal["workplace", "channel", "form"]
KINDS: tuple[CardKind, ...] = ("workplace", "channel", "form")
LASTS = 90
"""Days after which a card is asked again (docs/consent.md)."""
SITE_LASTS = 365
"""Days after which a card of the organisation's profile counts no more: somebody there looks at it once a year."""
_MOST = 64 * 1024  # bytes; a card is a few lines

#: Field -> what a person is asked for, by kind. The first one names the card.
FIELDS: dict[CardKind, Table] = {
    "workplace": Table(
        {
            "name": "Workplace",
            "role": "Your role, not your name",
            "conditions": "Conditions of your employer, if any",
            "owner": "Reference of the owner's permission",
            "platforms": "Systems your employer backs",
            "contact": "Whom to call if it goes wrong",
        }
    ),
    "channel": Table({"name": "Group, app or journal", "who": "Who is in"}),
    "form": Table({"name": "Form", "version": "Its version", "filed": "Where signed forms are filed"}),
}
_CALLED: dict[CardKind, str] = {
    "workplace": mark("The workplace card"),
    "channel": mark("The channel card"),
    "form": mark("The form card"),
}
#: No card takes these: they are about a patient.
_OF_A_PATIENT = frozenset({Category.RECORD_NUMBER, Category.AGE_OVER_89, Category.EXACT_AGE})


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One card.

    Attributes:
        kind: ``workplace``, ``channel`` or ``form``.
        audience: For whom the pictures are.
        countries: Countries whose questions were asked, sorted.
        answers: Item -> answer.
        fields: What was typed, by the keys of :data:`FIELDS`.
        wording: Digest of the sentences that were shown.
        made: ISO date on which it was filled in or last found right.
        by: ``person``, or ``site`` for a card of the organisation's profile.
        seal: Digest of the rest, so that a change by hand is noticed.
    """

    schema: Literal["medimg.card/1"] = "medimg.card/1"
    kind: CardKind
    audience: str
    countries: tuple[str, ...] = ()
    answers: dict[str, str] = {}
    fields: dict[str, str] = {}
    wording: str = ""
    made: str = ""
    by: Literal["person", "site"] = "person"
    seal: str = ""

    @property
    def name(self) -> str:
        """What a person called it."""
        return self.fields.get("name", "")

    def sealed(self) -> Card:
        """The card with the digest of its content."""
        bare = msgspec.structs.replace(self, seal="")
        digest = hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()
        return msgspec.structs.replace(self, seal=digest)

    def fits(self, context: SharingContext) -> bool:
        """Whether it was filled in for this audience and these countries."""
        return self.audience == context.audience and set(self.countries) == set(context.jurisdictions)

    def age(self, today: datetime.date) -> int:
        """Days since it was filled in or last found right; negative when the clock stands before that."""
        return (today - datetime.date.fromisoformat(self.made)).days

    def trouble(self, today: datetime.date) -> str:
        """Why it cannot be used and is asked again, in one sentence; empty when it can be used."""
        of = tr(_CALLED[self.kind])
        try:
            age = self.age(today)
        except ValueError:
            return tr("{card} has no date. It is asked again.", card=of)
        if self.sealed().seal != self.seal:
            return tr("{card} was changed by hand. It is asked again.", card=of)
        if age < 0:
            return tr("{card} is dated after today: the clock was set back. It is asked again.", card=of)
        if age > (SITE_LASTS if self.by == "site" else LASTS):
            return tr("{card} is {age} days old. It is asked again.", card=of, age=age)
        if self.wording != wording(self.kind):
            return tr("{card} was filled in for other questions. It is asked again.", card=of)
        return ""


def wording(kind: CardKind) -> str:
    """Digest of every sentence that may stand on a card of this kind."""
    rows = [(i.id, i.say) for i in ChecklistDefinition.shipped().items if i.act == kind]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()[:16]


def made(
    kind: CardKind, context: SharingContext, answers: Mapping[str, str], fields: Mapping[str, str], today: datetime.date
) -> Card:
    """A new card.

    Raises:
        UsageError: Something typed looks like a detail of a patient. It is not quoted.
    """
    refuse_patients(fields.values())
    return Card(
        kind=kind,
        audience=context.audience,
        countries=tuple(sorted(context.jurisdictions)),
        answers=dict(answers),
        fields={k: v.strip() for k, v in fields.items() if v.strip()},
        wording=wording(kind),
        made=today.isoformat(),
    ).sealed()


def refuse_patients(typed: Iterable[str]) -> None:
    """Refuse what looks like a detail of a patient.

    Raises:
        UsageError: A record number or an age stands there.
    """
    if any(_OF_A_PATIENT & caption.scan(text).keys() for text in typed):
        raise UsageError("this looks like a detail of a patient. A card is kept, and holds none.")


class Store:
    """The cards of this user.

    Args:
        folder: Where they lie; ``MEDIMG_CARDS``, or the system's folder for settings, when not given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _default()

    def read(self) -> tuple[list[Card], list[str]]:
        """The cards, newest first, and a sentence for each file that is none."""
        cards, troubles = [], []
        for path in self._paths():
            try:
                if path.is_symlink() or path.stat().st_size > _MOST:
                    raise ValueError
                cards.append(from_json(files.read_own(path), Card))
            except (OSError, ValueError, msgspec.DecodeError):
                troubles.append(tr("A card cannot be read, or is of another version of medimg. It is asked again."))
        return sorted(cards, key=lambda c: c.made, reverse=True), troubles

    def save(self, card: Card) -> None:
        """Keep a card; one of the same name for the same audience and countries is replaced.

        Raises:
            OutputError: It could not be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
        except OSError as error:
            raise OutputError("the folder for cards could not be made.") from error
        files.write_private(self._path(card), msgspec.json.format(msgspec.json.encode(card)))

    def delete(self) -> int:
        """Delete every card; how many there were.

        Raises:
            OutputError: One could not be deleted.
        """
        paths = self._paths()
        try:
            for path in paths:
                path.unlink()
        except OSError as error:
            raise OutputError("a card could not be deleted.") from error
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        return len(paths)

    def _paths(self) -> list[Path]:
        try:
            return sorted(p for p in self.folder.iterdir() if p.suffix == ".json")
        except OSError:
            return []

    def _path(self, card: Card) -> Path:
        key = "\n".join((card.kind, card.audience, *card.countries, card.name))
        return self.folder / f"{card.kind}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _default() -> Path:
    named = os.environ.get("MEDIMG_CARDS")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_config_path("medimg", appauthor=False) / "cards"
