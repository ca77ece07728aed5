"""What a basis changes, what it may be used for, and what stops a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from medimg.errors import UsageError

if TYPE_CHECKING:
    from medimg.consent.checklist import Question, SharingContext

#: Not asked when the UK basis of an anonymised picture is chosen (GMC, recordings, paras 10-12).
_UK_NOT_ASKED = frozenset(
    {
        "con.written",
        "con.specific",
        "con.audience",
        "con.limits",
        "con.withdraw",
        "con.seen",
        "rec.consent-filed",
    }
)
#: What a written consent is made of: where one of them is needed, the consent has it or is not this consent.
_ELEMENTS = frozenset(
    {"con.written", "con.specific", "con.audience", "con.limits", "con.withdraw", "con.seen", "con.current"}
)
#: Stay as they are whatever the basis: the basis itself, the questions a special basis brings, and the one that
#: asks for an Article 9 ground, which the law is as well.
_NEVER_SOFTENED = frozenset({"con.basis", "con.uk-anonymised", "con.explicit"})


def basis_refused(basis: str, context: SharingContext) -> str:
    """Why this basis cannot be used here, in plain words; empty when it can.

    With several countries the strictest wins: a basis of one country's law does not reach over a border.
    """
    countries = set(context.jurisdictions)
    match basis:
        case "reasonable-expectation" if context.audience != "colleague-opinion":
            return "reasonable expectation covers a colleague's opinion on the patient's own care, and nothing else."
        case "uk-anonymised-teaching" if context.audience != "teaching":
            return "this basis is for teaching inside healthcare only."
        case "uk-anonymised-teaching" if countries != {"UK"}:
            return "this basis stands in UK guidance only, and another country is named or none is."
        case "us-deidentified" if countries != {"US-HIPAA"}:
            return "this basis stands in HIPAA only, and another country is named or none is."
    return ""


def by_basis(question: Question, context: SharingContext) -> Question:
    """The question after the rule of the chosen basis.

    Raises:
        UsageError: The basis may not be used for this audience or country.
    """
    if not context.basis:
        return question
    refused = basis_refused(context.basis, context)
    if refused:
        raise UsageError(f"this basis cannot be chosen here: {refused}")
    consent = question.id.startswith("con.") and question.id not in _NEVER_SOFTENED
    match context.basis:
        case "written-consent" if question.id in _ELEMENTS and question.blocking:
            return msgspec.structs.replace(question, na="never")
        case "reasonable-expectation":
            if question.id == "rec.what-was-shared":
                return _now(question, "blocking", "needed because the basis is reasonable expectation")
            if consent:
                return _now(question, "advisory", "advisory because the basis is reasonable expectation")
        case "permitted-by-law" if consent:
            return _now(question, "advisory", "advisory because the basis is the law; say which in the record")
        case "uk-anonymised-teaching" if question.id in _UK_NOT_ASKED:
            return msgspec.structs.replace(question, asked=False, why="not asked on the UK anonymised basis")
        case "uk-anonymised-teaching" if question.id == "con.explicit" and context.flag("identifiable") == "no":
            return msgspec.structs.replace(question, asked=False, why="not asked on the UK anonymised basis")
        case "us-deidentified":
            if question.id == "id.safe-harbor":  # required by the rule, for every audience
                return msgspec.structs.replace(question, asked=True, level="blocking", why="needed on the HIPAA basis")
            if question.id == "con.us-authorization":
                return msgspec.structs.replace(question, asked=False, why="not asked on the HIPAA de-identified basis")
            if consent:
                return _now(question, "advisory", "advisory on the HIPAA de-identified basis; guidance still asks it")
    return question


def _now(question: Question, level: str, why: str) -> Question:
    if not question.asked:
        return question
    return msgspec.structs.replace(question, level=level, why=why)


def for_shown_face(question: Question) -> Question:
    """Whether the patient agreed how identity is shown is needed, for every audience, once a face is shown with it."""
    if question.id != "con.seen":
        return question
    return _now(msgspec.structs.replace(question, asked=True), "blocking", "needed because a face is shown")


def fails_by_basis(question: Question, context: SharingContext) -> bool:
    """Spoken consent fails the written-consent item where that blocks."""
    return context.basis == "spoken-consent-in-notes" and question.id == "con.written" and question.blocking


def stops(context: SharingContext, choices: dict[str, str]) -> list[str]:
    """Ids of the items that put the whole set to *stop*.

    An intimate picture of a child stops when both are plainly said. A picture that may be evidence, or of which that
    is not settled, stops when a person says that no advice was taken.

    Args:
        context: The conditions that were said.
        choices: Item id -> answer, for one patient group.
    """
    out = []
    if context.flag("child") == "yes" and context.flag("intimate") == "yes":
        out.append("who.child-intimate")
    if context.flag("forensic") != "no" and choices.get("who.forensic") == "no":
        out.append("who.forensic")
    return out
