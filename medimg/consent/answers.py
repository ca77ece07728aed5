"""What a person may answer, which answers close a question, and the record of one answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.words import Table

By = Literal["person", "rule", "site"]
NotApplicable = Literal["never", "with-note", "free"]
"""Whether *does not apply* closes an item: never, when a note says why, or as it is."""

#: The grounds a use may rest on (``con.basis``), with the words a person sees.
BASES = Table(
    {
        "written-consent": "written consent",
        "spoken-consent-in-notes": "spoken consent, recorded in the notes",
        "reasonable-expectation": "the patient would reasonably expect it for their own care",
        "permitted-by-law": "the law allows it",
        "uk-anonymised-teaching": "UK: anonymised picture for teaching inside healthcare, without consent",
        "uk-listed-recording": "UK: anonymised X-ray, ultrasound, scope, slide or inner organ, without consent",
        "us-deidentified": "US: de-identified under HIPAA, without authorization",
    }
)

#: Another word for *yes* that old answers hold; nobody is offered both.
SAME_AS_YES = frozenset({"needed"})

#: Answers that are possible everywhere.
COMMON = ("yes", "no", "not-sure")
#: Only ever a person's choice, and only where the checklist allows it.
NOT_APPLICABLE = "not-applicable"

#: ``pass`` of an item -> the answers that close it. An empty set: no answer closes it.
CLOSING: dict[str, frozenset[str]] = {
    "yes": frozenset({"yes"}),
    "never": frozenset(),
    "yes_each_file": frozenset({"yes"}),
    "each_region_decided": frozenset({"yes"}),
    "each_face_decided": frozenset({"yes"}),
    "all_covered": frozenset({"yes"}),
    "yes_or_accepted": frozenset({"yes", "accepted"}),
    "none_or_covered_or_consented": frozenset({"yes"}),
    "yes_or_agreed": frozenset({"yes", "agreed"}),
    "one_basis_chosen": frozenset(BASES),
    "lawful_decision_maker_recorded": frozenset({"yes"}),
    "safe_harbor_or_expert": frozenset({"yes", "expert-determination"}),
    "needed": frozenset({"needed", "yes"}),
    "yes_or_none_exists": frozenset({"yes", "none-exists"}),
    "yes_or_no_transfer": frozenset({"yes", "no-transfer"}),
    # Items the tool answers; a person's answer does not count there.
    "none_left": frozenset(),
    "none_left_or_allowlisted": frozenset(),
    "neutral": frozenset(),
    "solid_full_cover": frozenset(),
    "clean": frozenset(),
}

#: How an answer is written for people.
ANSWER_WORDS = Table(
    {
        "yes": "yes",
        "no": "no",
        "not-sure": "not sure",
        "not-applicable": "does not apply",
        "accepted": "something points there, and that is accepted",
        "agreed": "they may know it, and the patient agreed to that",
        "expert-determination": "an expert determined it in writing",
        "needed": "a picture is needed",
        "none-exists": "none exists",
        "no-transfer": "it does not leave the country",
        **BASES,
    }
)


#: The acts by which answers are given, by the first word of :attr:`Answer.act`; what is not here asks one question.
ACTS = Table(
    {
        "workplace": "My workplace",
        "channel": "Where it goes",
        "form": "The consent form",
        "look": "Look",
        "basis": "Allowed by",
        "consent": "Consent",
        "words": "Caption",
        "people": "To whom",
        "second": "A second person",
        "release": "Release",
    }
)


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer to one item about one subject.

    Attributes:
        item: Id of the item.
        subject: ``batch``, a patient group (``P01``) or a copy (``P01-001``).
        choice: One of :func:`choices`.
        by: ``person``; ``site`` when the organisation's profile answers it. The tool itself never answers.
        role: The role the person typed; never a login name.
        at: UTC time, to the second.
        note: Record part only.
        valid_until: ISO date after which the answer no longer counts; empty for none.
        wording: First 16 hex digits of the digest of the checklist that was shown.
        act: The act that gave it, as ``look:P01-001``; empty where the question was asked by itself.
        said: The sentence that stood on the screen of that act.
    """

    item: str
    subject: str
    choice: str
    by: By = "person"
    role: str = ""
    at: str = ""
    note: str = ""
    valid_until: str = ""
    wording: str = ""
    act: str = ""
    said: str = ""


#: Questions that read the other way round up to checklist 0.1: *no* was the good answer. Each has an id of its own now.
TURNED: dict[str, str] = {
    "id.sum": "id.together",
    "id.timing": "id.moment",
    "id.recognition": "id.known",
    "img.staff-employer": "img.workplace",
}


#: Asked of every patient; up to checklist 0.1 they were asked once for the whole run.
NOW_OF_A_PATIENT = frozenset({"aud.needed", "aud.right-recipient"})


def turned(answer: Answer) -> Answer:
    """An answer to a question that was turned round, as an answer to the one that took its place."""
    if answer.item not in TURNED:
        return answer
    choice = {"yes": "no", "no": "yes"}.get(answer.choice, answer.choice)
    return msgspec.structs.replace(answer, item=TURNED[answer.item], choice=choice)


def choices(item_pass: str, na: NotApplicable = "never") -> tuple[str, ...]:
    """The answers a person may give to an item with this ``pass`` and ``na``."""
    if item_pass == "one_basis_chosen":  # noqa: S105 - a word of the checklist
        return (*BASES, "not-sure")
    aside = () if na == "never" else (NOT_APPLICABLE,)
    return (*COMMON, *aside, *sorted(CLOSING[item_pass] - set(COMMON)))
