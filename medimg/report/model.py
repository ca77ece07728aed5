"""The two sheets as records. The share sheet has no field for what must not travel."""

from __future__ import annotations

from typing import Literal

import msgspec

from medimg.types import Box


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one category and what became of it.

    ``mistaken`` counts what a person said is no face or no writing: it stays, and nothing was kept.
    """

    kind: str
    category: str
    words: str
    found: int
    removed: int = 0
    covered: int = 0
    kept: int = 0
    to_look_at: int = 0
    by_person: int = 0
    kept_back: int = 0
    mistaken: int = 0


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check over several copies."""

    name: str
    words: str
    passed: int = 0
    failed: int = 0
    not_run: int = 0
    not_asked: int = 0
    engines: tuple[str, ...] = ()


class CopyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One covered copy, as it may be named anywhere."""

    name: str
    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    altered: str
    looked_at: bool
    released: bool
    least_letters: int = 0


class ShareAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A question on the share sheet: its wording, and yes, no, n.a. or open."""

    item: str
    section: str
    ask: str
    level: str
    answer: str
    state: str


class ShareGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One patient group on the share sheet."""

    group: str
    overall: str
    status: str
    copies: tuple[CopyLine, ...]
    kept_back: int
    questions: dict[str, int]
    answers: tuple[ShareAnswer, ...]


class ShareSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The part that may travel with the pictures."""

    schema: Literal["medimg.share-sheet/1"] = "medimg.share-sheet/1"
    run: str
    medimg: str
    checklist: str
    checklist_digest: str
    policy_digest: str
    engines: dict[str, str]
    month: str
    audience: str
    audience_words: str
    countries: tuple[str, ...]
    scope: str
    scope_words: str
    status: str
    overall: str
    found: tuple[Tally, ...]
    zero_lines: tuple[str, ...]
    checks: tuple[CheckLine, ...]
    groups: tuple[ShareGroup, ...]
    remaining_risk: str
    wrong_recipient: str
    summary: str = ""
    set_by_organisation: str = ""
    review: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of one photo and what was decided; ``number`` stands in the small picture."""

    number: int
    kind: str
    category: str
    words: str
    count: int
    where: str
    box: Box | None
    score: float
    detector: str
    do: str
    why: str
    by: str


class RecordCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one written copy."""

    name: str
    state: str
    engine: str
    found: int
    detail: str


class RecordPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one photo but what was read in it."""

    safe_id: str
    state: str
    reason: str
    code: str
    format: str
    width: int
    height: int
    copy: CopyLine | None
    decisions: tuple[Decision, ...]
    checks: tuple[RecordCheck, ...]
    least_letters: int = 0


class RecordAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A question on the record sheet, with who answered and where the question comes from."""

    item: str
    section: str
    ask: str
    help: str
    level: str
    subjects: tuple[str, ...]
    state: str
    why: str
    choice: str
    choices: tuple[str, ...]
    by: str
    role: str
    at: str
    valid_until: str
    note: str
    checks_say: str
    sources: tuple[str, ...]
    set_by_site: bool
    act: str = ""
    said: str = ""


class RecordGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One patient group on the record sheet."""

    group: str
    overall: str
    status: str
    stops: tuple[str, ...]
    conditions: dict[str, str]
    basis: str
    recipients: str
    released_at: tuple[str, ...]
    withdrawn: tuple[str, ...]
    questions: dict[str, int]
    photos: tuple[RecordPhoto, ...]
    answers: tuple[RecordAnswer, ...]
    not_asked: dict[str, str]
    role: str = ""
    caption: str = ""
    signed: tuple[str, ...] = ()
    summary: str = ""
    open_questions: tuple[str, ...] = ()
    form: str = ""
    given: str = ""
    filed: str = ""
    agreement: str = ""


class RecordSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The part that stays in the patient's record."""

    schema: Literal["medimg.record-sheet/1"] = "medimg.record-sheet/1"
    run: str
    replaces: str
    finished: str
    medimg: str
    checklist: str
    checklist_digest: str
    policy_digest: str
    policy: tuple[str, ...]
    engines: dict[str, str]
    audience: str
    audience_words: str
    countries: tuple[str, ...]
    scope: str
    scope_words: str
    status: str
    overall: str
    warnings: tuple[str, ...]
    organisation: str
    policy_text: str
    policy_link: str
    contacts: tuple[tuple[str, str], ...]
    found: tuple[Tally, ...]
    checks: tuple[CheckLine, ...]
    groups: tuple[RecordGroup, ...]
    incident: tuple[str, ...]
    summary: str = ""
    clocks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    review: str = ""
