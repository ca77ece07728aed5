"""The resources of a bundle, as plain JSON data. Where R4 and R5 differ is said beside each.

Sources: HL7 FHIR 4.0.1 (R4) and 5.0.0 (R5), the pages of each resource; HL7 Terminology for the code systems.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from medimg.consent.answers import ANSWER_WORDS, Answer
from medimg.consent.checklist import ChecklistDefinition
from medimg.errors import UsageError
from medimg.report.build import audience_words
from medimg.run.state import RunState

Version = Literal["R4", "R5"]
Resource = dict[str, Any]

TERMS = "http://terminology.hl7.org/CodeSystem/"
DICOM_CODES = "http://dicom.nema.org/resources/ontology/DCM"
LOINC = "http://loinc.org"
PHOTOGRAPH = {"system": LOINC, "code": "72170-4", "display": "Photographic image"}
CONSENT_DOCUMENT = {"system": LOINC, "code": "59284-0", "display": "Consent Document"}
PURPOSES = {"colleague-opinion": ("TREAT", "treatment"), "teaching": ("TRAIN", "training")}
"""Audience -> purpose of use (v3-ActReason); audiences without a code that says the same are given in words alone."""
DRAFT = "A draft for a person to accept, change or discard. Nobody has agreed to it."
ABOUT = "Covered copy of a clinical photograph. A person who knows the patient may still recognise them."
NOT_ACCEPTED = "To be set by the person who accepts this draft."


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """One released copy. ``original`` names its original; ``data`` is the picture in base64, if it is to be there."""

    ref: str
    name: str
    media_type: str
    size: int
    sha1: str
    sha256: str
    original: str
    data: str = ""


def instant(at: str) -> str:
    """An ISO 8601 time as FHIR wants an instant: UTC, to the millisecond. Without a zone it is taken as UTC.

    Raises:
        UsageError: It is no time.
    """
    try:
        when = datetime.fromisoformat(at)
    except ValueError as error:
        raise UsageError("a time is not written as ISO 8601 has it.") from error
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def device(version: Version, medimg: str) -> Resource:
    """The program. R4 has ``deviceName``, R5 ``name``."""
    if version == "R4":
        named: Resource = {"deviceName": [{"name": "medimg", "type": "model-name"}]}
    else:
        named = {"name": [{"value": "medimg", "type": "registered-name"}]}
    return {"resourceType": "Device", "status": "active", **named, "version": [{"value": medimg}]}


def document(version: Version, shared: Shared, subject: str, at: str) -> Resource:
    """A copy. ``hash`` is SHA-1, as FHIR has it; the SHA-256 that the run's sheets give is the identifier.

    R4 counts ``size`` as a number, R5 as text, because its numbers may be longer.
    """
    attachment: Resource = {
        "contentType": shared.media_type,
        **({"data": shared.data} if shared.data else {}),
        "size": shared.size if version == "R4" else str(shared.size),
        "hash": shared.sha1,
        "title": shared.name,
    }
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"type": {"text": "SHA-256"}, "value": shared.sha256}],
        "status": "current",
        "type": {"coding": [PHOTOGRAPH]},
        **_subject(subject),
        "date": instant(at),
        "description": ABOUT,
        "content": [{"attachment": attachment}],
    }


def provenance(shared: Shared, maker: str, at: str) -> Resource:
    """Where a copy comes from, and what made it."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": shared.ref}],
        "recorded": instant(at),
        "activity": {
            "coding": [{"system": f"{TERMS}iso-21089-lifecycle", "code": "deidentify"}],
            "text": "covered, written anew without hidden information, and checked again",
        },
        "agent": [
            {
                "type": {"coding": [{"system": f"{TERMS}provenance-participant-type", "code": "assembler"}]},
                "who": {"reference": maker},
            }
        ],
        "entity": [
            {
                # R4 also has "derivation"; "source" is what both have.
                "role": "source",
                "what": {"identifier": {"value": shared.original}, "display": "the original photograph"},
            }
        ],
    }


def audit(version: Version, copies: Sequence[Shared], maker: str, audience: str, at: str) -> Resource:
    """The release as an event: an export (DICOM PS3.15, A.5.3), for what purpose."""
    code: Resource = {"system": DICOM_CODES, "code": "110106", "display": "Export"}
    out: Resource = {"resourceType": "AuditEvent", "recorded": instant(at), "action": "R"}
    purpose = [_purpose(audience)]
    agent = [{"who": {"reference": maker}, "requestor": False}]
    if version == "R4":
        out |= {"type": code, "outcome": "0", "purposeOfEvent": purpose}
    else:
        out |= {"code": {"coding": [code]}, "authorization": purpose}
    return {
        **out,
        "agent": agent,
        "source": {"observer": {"reference": maker}},
        "entity": [{"what": {"reference": c.ref}} for c in copies],
    }


def responses(state: RunState, group: str, subject: str) -> Resource:
    """What people answered about a group and its copies: ``linkId`` is the item's id. Notes are left out."""
    definition = ChecklistDefinition.load()
    files = state.run.groups[group]
    mine = [a for a in state.answers if a.subject in ("batch", group)]
    items = [_item(a, definition, state) for a in mine]
    for file in files:
        about = [_item(a, definition, state) for a in state.answers if a.subject == file]
        if about:
            items.append({"linkId": "file", "text": file, "item": about})
    when = max((a.at for a in state.answers if a.at and a.subject in ("batch", group, *files)), default="")
    out: Resource = {
        "resourceType": "QuestionnaireResponse",
        # R5 wants the questionnaire named; it is no resource on any server.
        "questionnaire": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, state.checklist_digest)}|{state.checklist}",
        "status": "completed",
        **_subject(subject),
        **({"authored": instant(when)} if when else {}),
    }
    return {**out, "item": items} if items else out


def consent(version: Version, copies: Sequence[Shared], answers: str, audience: str, subject: str, at: str) -> Resource:
    """A draft. R4 wants a scope and a policy; R5 has neither, and lists of provisions and sources."""
    data = [{"meaning": "instance", "reference": {"reference": c.ref}} for c in copies]
    provision: Resource = {"data": data}
    if audience in PURPOSES:
        provision = {"purpose": [_purpose(audience)["coding"][0]], **provision}
    out: Resource = {
        "resourceType": "Consent",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{DRAFT}</p></div>',
        },
        "status": "draft",
        "category": [{"coding": [CONSENT_DOCUMENT]}],
    }
    if version == "R4":
        return {
            **out,
            "scope": {"coding": [{"system": f"{TERMS}consentscope", "code": "patient-privacy"}]},
            **({"patient": {"reference": subject}} if subject else {}),
            "dateTime": instant(at),
            "sourceReference": {"reference": answers},
            "policyRule": {"text": NOT_ACCEPTED},
            "provision": provision,
        }
    return {
        **out,
        **_subject(subject),
        "date": instant(at)[:10],
        "sourceReference": [{"reference": answers}],
        "provision": [provision],
    }


def _item(answer: Answer, definition: ChecklistDefinition, state: RunState) -> Resource:
    site = {i.id: i.ask for i in state.run.site.items} if state.run.site else {}
    known = {i.id: i.ask for i in definition.items}
    coded = {"code": answer.choice, "display": ANSWER_WORDS.get(answer.choice, answer.choice)}
    asked = known.get(answer.item) or site.get(answer.item, "")
    return {"linkId": answer.item, **({"text": asked} if asked else {}), "answer": [{"valueCoding": coded}]}


def _purpose(audience: str) -> Resource:
    words: Resource = {"text": audience_words(audience)}
    if audience not in PURPOSES:
        return words
    code, display = PURPOSES[audience]
    return {"coding": [{"system": f"{TERMS}v3-ActReason", "code": code, "display": display}], **words}


def _subject(reference: str) -> Resource:
    return {"subject": {"reference": reference}} if reference else {}
