"""What a basis changes, what it may be used for, and what stops a set."""

from __future__ import annotations

import msgspec

from medimg.consent.checklist import Question
from medimg.consent.context import SharingContext
from medimg.errors import UsageError
from medimg.words import tr

#: What a form for written consent has.
_FORM = frozenset(
    {
        "con.written",
        "con.specific",
        "con.purpose",
        "con.audience",
        "con.kept",
        "con.limits",
        "con.may-be-known",
        "con.free",
        "con.withdraw",
        "con.may-see",
        "con.method",
    }
)
#: Not asked on a UK basis without consent: for teaching and training inside healthcare (GMC, recordings, para 17), and
#: for the six kinds of recording that need no consent of their own, wherever they are used (paras 10-12).
_UK_NOT_ASKED = _FORM | {"con.current", "con.seen", "rec.consent-filed"}
#: What a written consent is made of: where one of them is needed, the consent has it or is not this consent.
_ELEMENTS = _FORM | {"con.current", "con.seen"}
#: Asked for every audience on the basis of 45 CFR 164.514.
_SAFE_HARBOR = frozenset({"id.safe-harbor", "id.no-other-clue"})
#: Stay as they are whatever the basis: the basis itself, the questions a special basis brings, and the one that
#: asks for an Article 9 ground, which the law is as well.
_NEVER_SOFTENED = frozenset({"con.basis", "con.uk-anonymised", "con.uk-inside", "con.explicit"})


def basis_refused(basis: str, context: SharingContext) -> str:
    """Why this basis cannot be used here, in plain words; empty when it can.

    With several countries the strictest wins: a basis of one country's law does not reach over a border.
    """
    countries = set(context.jurisdictions)
    match basis:
        case "reasonable-expectation" if context.audience != "colleague-opinion":
            return tr(
                "reasonable expectation covers a colleague's opinion on the patient's own care, and nothing else."
            )
        case "uk-anonymised-teaching" if context.audience != "teaching":
            return tr("this basis is for teaching inside healthcare only.")
        case "uk-anonymised-teaching" if countries != {"UK"}:
            return tr("this basis stands in UK guidance only, and another country is named or none is.")
        case "uk-listed-recording" if context.audience == "colleague-opinion":
            return tr("for a colleague's opinion the patient's own care is the ground.")
        case "uk-listed-recording" if countries != {"UK"}:
            return tr("this basis stands in UK guidance only, and another country is named or none is.")
        case "us-deidentified" if countries != {"US-HIPAA"}:
            return tr("this basis stands in HIPAA only, and another country is named or none is.")
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
        case "reasonable-expectation" if question.id == "rec.what-was-shared":
            return _now(question, "blocking", tr("needed because the basis is reasonable expectation"))
        case "reasonable-expectation" if consent:
            return _now(question, "advisory", tr("advisory because the basis is reasonable expectation"))
        case "permitted-by-law" if consent:
            return _now(question, "advisory", tr("advisory because the basis is the law; say which in the record"))
        case "uk-anonymised-teaching" | "uk-listed-recording" if _uk_not_asked(question.id, context):
            return msgspec.structs.replace(question, asked=False, why=tr("not asked on the UK anonymised basis"))
        case "us-deidentified":
            return _without_identifiers(question, consent=consent)
    return question


def _without_identifiers(question: Question, *, consent: bool) -> Question:
    """The question on the HIPAA de-identified basis."""
    if question.id in _SAFE_HARBOR:  # required by the rule, for every audience
        return msgspec.structs.replace(question, asked=True, level="blocking", why=tr("needed on the HIPAA basis"))
    if question.id == "con.us-authorization":
        return msgspec.structs.replace(question, asked=False, why=tr("not asked on the HIPAA de-identified basis"))
    if consent:
        return _now(question, "advisory", tr("advisory on the HIPAA de-identified basis; guidance still asks it"))
    return question


def _uk_not_asked(item: str, context: SharingContext) -> bool:
    if item == "con.explicit":
        return context.flag("identifiable") == "no"
    return item in _UK_NOT_ASKED or (item == "con.uk-inside" and context.basis == "uk-listed-recording")


def _now(question: Question, level: str, why: str) -> Question:
    if not question.asked:
        return question
    return msgspec.structs.replace(question, level=level, why=why)


def for_shown_face(question: Question) -> Question:
    """Whether the patient agreed how identity is shown is needed, for every audience, once a face is shown with it."""
    if question.id not in ("con.seen", "con.method"):
        return question
    return _now(msgspec.structs.replace(question, asked=True), "blocking", tr("needed because a face is shown"))


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
