"""The context of a sharing: for whom, where, and what is special about it."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.consent.answers import BASES
from medimg.consent.checklist import ChecklistDefinition
from medimg.errors import UsageError

Flag = Literal["yes", "no", "not-sure"]

DEFAULT_AUDIENCE = "closed-group"  # the default when the user does not say (checklist, audiences)

_WITHOUT_CONSENT = frozenset({"uk-anonymised-teaching", "uk-listed-recording", "us-deidentified"})

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
