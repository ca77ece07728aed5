"""What a run tells the sheets, and the state of a run on disk (``PRIVATE-patient-record/answers.json``)."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg import _files
from medimg.consent.answers import Answer, choices
from medimg.consent.checklist import ChecklistDefinition, Flag, SharingContext
from medimg.consent.site import SiteProfile
from medimg.errors import OutputError, UsageError
from medimg.types import Report, to_json

RECORD_FOLDER = "PRIVATE-patient-record"
SHARE_FOLDER = "share"
UNREVIEWED_FOLDER = "unreviewed"
STATE_NAME = "answers.json"
REPORTS_NAME = "reports.json"

Warn = Literal["synced-input", "synced-output", "synced-temp", "removable-output", "skipped-files", "key-kept"]

#: What a warning says. Never a folder's name.
WARNINGS: dict[str, str] = {
    "synced-input": "The folder the photos came from looks synchronised with a cloud service. Other copies may exist.",
    "synced-output": "This run folder lies in a place that looks synchronised with a cloud service.",
    "synced-temp": "The folder for temporary files looks synchronised with a cloud service.",
    "removable-output": "This run folder lies on a removable drive.",
    "skipped-files": "Some files were no pictures, or of a kind that is not handled. They were not copied.",
    "key-kept": "A key from original names to copies was kept in the private folder, because it was asked for.",
}


class RunSummary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run, without patient information.

    Attributes:
        tag: Random tag of the run folder (``R7Q4``).
        version: Version of medimg.
        policy_digest: Digest of the policy.
        policy_lines: What the policy does, one sentence each (:func:`medimg.policy.explain`).
        engines: Engine or model -> version.
        scope: ``metadata-only`` when text, codes and faces were not checked.
        groups: Patient group -> safe ids, in order.
        month: Year and month of the run, for the part that travels.
        finished: UTC time of the end of the run, ISO 8601, for the part that stays.
        warnings: Keys of :data:`WARNINGS`.
        site: The organisation's profile, if there is one.
        replaces: Tag of the run that was re-opened, if any.
        versions: Safe ids of photos that are versions of one, to go by the names of their files.
    """

    tag: str
    version: str
    policy_digest: str
    groups: dict[str, tuple[str, ...]]
    policy_lines: tuple[str, ...] = ()
    engines: dict[str, str] = {}
    scope: Literal["full", "metadata-only"] = "full"
    month: str = ""
    finished: str = ""
    warnings: tuple[Warn, ...] = ()
    site: SiteProfile | None = None
    replaces: str = ""
    versions: tuple[tuple[str, ...], ...] = ()


class Released(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group that was released: which copies, with which digests, when, and the register's receipt."""

    group: str
    at: str
    copies: dict[str, str]
    receipt: str = ""


class Reopened(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group whose copies were taken back from the share folder."""

    group: str
    at: str


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A patient's withdrawal, as noted by a person."""

    group: str
    at: str
    note: str = ""


class RunState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything people said about a run. Lives in the private folder.

    Attributes:
        revision: Counts the writes, so that two people answering at once are noticed.
        checklist: Version of the checklist the answers were given to.
        checklist_digest: Its digest.
        context: Audience, countries, and conditions that hold for every group.
        conditions: Group -> what a person said about this patient.
        digests: Safe id -> SHA-256 of the copy the answers are about.
        caption: Digest of the caption that was checked, if any.
        caption_found: Kinds found in the caption -> count.
        recipients: Group -> with whom, as typed by the person.
    """

    schema: Literal["medimg.answers/1"] = "medimg.answers/1"
    revision: int = 0
    checklist: str = ""
    checklist_digest: str = ""
    run: RunSummary
    context: SharingContext
    conditions: dict[str, dict[str, Flag]] = {}
    answers: tuple[Answer, ...] = ()
    digests: dict[str, str] = {}
    caption: str = ""
    caption_found: dict[str, int] = {}
    recipients: dict[str, str] = {}
    released: tuple[Released, ...] = ()
    reopened: tuple[Reopened, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()

    def group_context(self, group: str) -> SharingContext:
        """The context of one patient group."""
        said = {**self.context.conditions, **self.conditions.get(group, {})}
        return msgspec.structs.replace(self.context, conditions=said)

    def released_names(self, group: str) -> frozenset[str]:
        """Names of the copies of a group that are released now, not taken back since."""
        since = max((r.at for r in self.reopened if r.group == group), default="")
        return frozenset(n for r in self.released if r.group == group and r.at > since for n in r.copies)

    def is_withdrawn(self, group: str) -> bool:
        """Whether the patient withdrew."""
        return any(w.group == group for w in self.withdrawn)


def fresh(run: RunSummary, context: SharingContext, reports: Sequence[Report]) -> RunState:
    """The state of a run nobody has answered yet."""
    definition = ChecklistDefinition.load()
    return RunState(
        checklist=definition.version,
        checklist_digest=definition.digest,
        run=run,
        context=context.checked(definition),
        digests=_digests(reports),
    )


def reconciled(state: RunState, run: RunSummary, context: SharingContext, reports: Sequence[Report]) -> RunState:
    """The state after the run changed. What was answered about something else is asked again.

    When a copy, the audience or a country changed, the answers about pictures and about recognising the patient go;
    when the audience changed, those about consent and the channel go as well (guidance, rule 7).
    """
    now = _digests(reports)
    changed = {s for s in {*now, *state.digests} if now.get(s) != state.digests.get(s)}
    groups = {s.partition("-")[0] for s in changed}
    audience = context.audience != state.context.audience
    countries = set(context.jurisdictions) != set(state.context.jurisdictions)

    def stays(answer: Answer) -> bool:
        section = answer.item.partition(".")[0]
        if section == "img" and (answer.subject in changed or audience or countries):
            return False
        if section == "id" and (answer.subject in groups or audience or countries):
            return False
        return not (audience and section in ("con", "aud"))

    return msgspec.structs.replace(
        state,
        run=run,
        context=context.checked(),
        digests=now,
        answers=tuple(a for a in state.answers if stays(a)),
    )


def with_caption(state: RunState, digest: str, found: dict[str, int]) -> RunState:
    """The state with another caption: pictures and recognition are asked again when it changed."""
    answers = state.answers
    if state.caption and state.caption != digest:
        answers = tuple(a for a in answers if a.item.partition(".")[0] not in ("img", "id"))
    return msgspec.structs.replace(state, caption=digest, caption_found=found, answers=answers)


def with_answers(state: RunState, new: Sequence[Answer]) -> RunState:
    """The state with more answers; the newest about an item and a subject counts.

    Raises:
        UsageError: An answer names an unknown item, subject or choice, or one that the tool answers.
    """
    definition = ChecklistDefinition.load()
    site = {i.id for i in state.run.site.items} if state.run.site else set()
    groups = set(state.run.groups)
    files = {s for ids in state.run.groups.values() for s in ids}
    for answer in new:
        if answer.item in site:
            kind, allowed = "group", choices("yes")
        else:
            item = definition.item(answer.item)
            if item.evidence == "auto":
                raise UsageError("this item is answered by the checks; a person cannot answer it.")
            kind, allowed = item.subject, choices(item.pass_)
            if answer.note and item.free_text == "none":
                raise UsageError("this item takes no note. Write it on the record sheet.")
        subjects = {"batch": {"batch"}, "group": groups, "file": files}[kind]
        if answer.subject not in subjects:
            raise UsageError("an answer is about a group or a copy that this run does not have.")
        if answer.choice not in allowed:
            raise UsageError(f"this answer is not possible here. Choose one of: {', '.join(allowed)}.")
    newest = {(a.item, a.subject): a for a in (*state.answers, *new)}
    return msgspec.structs.replace(state, answers=tuple(newest.values()))


def load(folder: Path) -> RunState | None:
    """The state in a run folder; None when there is none yet.

    Raises:
        UsageError: It was cut short, edited into something else, or written by a newer version.
    """
    path = folder / RECORD_FOLDER / STATE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError("the answers of this run cannot be read.") from error
    try:
        return msgspec.json.decode(data, type=RunState)
    except msgspec.DecodeError as error:
        raise UsageError(
            "the answers of this run are damaged, or were written by a newer version. Nothing was changed."
        ) from error


def save(folder: Path, state: RunState) -> RunState:
    """Write the state, whole; it must still have the revision it was read with.

    Raises:
        UsageError: Somebody else wrote in the meantime.
        OutputError: It could not be written.
    """
    with _alone(folder / RECORD_FOLDER):
        before = load(folder)
        if (before.revision if before else 0) != state.revision:
            raise UsageError(
                "somebody else changed the answers of this run in the meantime. Nothing was written.",
                todo="Start the command again: it shows what is answered now.",
            )
        state = msgspec.structs.replace(state, revision=state.revision + 1)
        _files.write_private(folder / RECORD_FOLDER / STATE_NAME, to_json(state))
    return state


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time compare and write; the lock is on the folder itself and leaves no file behind."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputError("the private folder of this run cannot be opened.") from error
    try:
        # A file system without locks (some network shares) still has the comparison of revisions.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _digests(reports: Sequence[Report]) -> dict[str, str]:
    return {r.safe_id: r.copy.sha256 for r in reports if r.copy is not None}


__all__ = [
    "RECORD_FOLDER",
    "REPORTS_NAME",
    "SHARE_FOLDER",
    "UNREVIEWED_FOLDER",
    "WARNINGS",
    "Released",
    "Reopened",
    "RunState",
    "RunSummary",
    "Warn",
    "Withdrawn",
    "fresh",
    "load",
    "reconciled",
    "save",
    "with_answers",
    "with_caption",
]
