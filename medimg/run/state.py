"""What a run tells the sheets, and the state of a run on disk (``PRIVATE-patient-record/answers.json``)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.consent.answers import NOT_APPLICABLE, NOW_OF_A_PATIENT, Answer, choices, turned
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import Flag, SharingContext
from medimg.consent.site import SiteProfile
from medimg.errors import UsageError
from medimg.run import lock
from medimg.run.events import Act, CardUse, Released, Reopened, Signed, Withdrawn
from medimg.run.folder import RECORD_FOLDER, STATE_NAME, RunFolder
from medimg.run.names import Name
from medimg.system import files as _files
from medimg.types import Report, from_json, to_json
from medimg.words import Table

REWORDED, REWORDED_IN = "who.forensic", (1, 0, 0)
"""Up to checklist 0.1 it asked whether the picture could be evidence; *yes* says now that advice was taken."""

Warn = Literal["synced-input", "synced-output", "synced-temp", "removable-output", "skipped-files", "key-kept"]

#: What a warning says. Never a folder's name.
WARNINGS = Table(
    {
        "synced-input": "The folder the photos came from looks synchronised with a cloud service. Other"
        " copies may exist.",
        "synced-output": "This run folder lies in a place that looks synchronised with a cloud service.",
        "synced-temp": "The folder for temporary files looks synchronised with a cloud service.",
        "removable-output": "This run folder lies on a removable drive.",
        "skipped-files": "Some files were no pictures, or of a kind that is not handled. They were not copied.",
        "key-kept": "A key from original names to copies was kept in the private folder, because it was asked for.",
    }
)


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
        max_side: Pixels to which pictures were brought, 0 for none.
    """

    tag: Name
    version: str
    policy_digest: str
    groups: dict[Name, tuple[Name, ...]]
    policy_lines: tuple[str, ...] = ()
    engines: dict[str, str] = {}
    scope: Literal["full", "metadata-only"] = "full"
    month: str = ""
    finished: str = ""
    warnings: tuple[Warn, ...] = ()
    site: SiteProfile | None = None
    replaces: Name = ""
    versions: tuple[tuple[Name, ...], ...] = ()
    max_side: int = 0


class Caption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The caption of one patient: its digest, and the kinds that were found in it.

    ``text`` is the caption itself; for the private part and the register alone.
    """

    digest: str
    found: dict[str, int] = {}
    text: str = ""


def _when(event: Released | Reopened) -> tuple[int, str]:
    return event.revision, "" if event.revision else event.at


class RunState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything people said about a run. Lives in the private folder.

    Attributes:
        revision: Counts the writes, so that two people answering at once are noticed.
        checklist: Version of the checklist the answers were given to.
        checklist_digest: Its digest.
        context: Audience, countries, and conditions that hold for every group.
        conditions: Group -> what a person said about this patient.
        digests: Safe id -> SHA-256 of the copy the answers are about.
        caption: Digest of the caption for every group that was checked, if any.
        caption_text: The caption itself; for the private part and the register alone.
        caption_found: Kinds found in the caption -> count.
        captions: Group -> a caption of its own.
        cards: Card kind, or ``form:P01``, -> the card that was found right in this run.
        acts: What people did, in order.
        recipients: Group -> with whom, as typed by the person.
        signed: Consent pages that were signed.
    """

    schema: Literal["medimg.answers/1"] = "medimg.answers/1"
    revision: int = 0
    checklist: str = ""
    checklist_digest: str = ""
    run: RunSummary
    context: SharingContext
    conditions: dict[Name, dict[str, Flag]] = {}
    answers: tuple[Answer, ...] = ()
    digests: dict[Name, str] = {}
    caption: str = ""
    caption_found: dict[str, int] = {}
    caption_text: str = ""
    captions: dict[Name, Caption] = {}
    cards: dict[str, CardUse] = {}
    acts: tuple[Act, ...] = ()
    recipients: dict[Name, str] = {}
    released: tuple[Released, ...] = ()
    reopened: tuple[Reopened, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    signed: tuple[Signed, ...] = ()

    def group_context(self, group: str) -> SharingContext:
        """The context of one patient group."""
        said = {**self.context.conditions, **self.conditions.get(group, {})}
        return msgspec.structs.replace(self.context, conditions=said)

    def caption_of(self, group: str) -> Caption | None:
        """The caption that goes with a group, if one was checked."""
        if not self.caption:
            return self.captions.get(group)
        return self.captions.get(group, Caption(digest=self.caption, found=self.caption_found, text=self.caption_text))

    def caption_text_of(self, group: str) -> str:
        """The caption that goes with a group, as it was checked; empty for none."""
        said = self.caption_of(group)
        return said.text if said else ""

    def released_names(self, group: str) -> frozenset[str]:
        """Names of the copies of a group that are released now, not taken back since."""
        return frozenset(n for r in self.releases(group) for n in r.copies)

    def releases(self, group: str) -> list[Released]:
        """The releases of a group that hold now: those since it was last taken back, by the count of writes.

        Events of version 0.1 carry no count: they came before all others, and among themselves their times tell.
        """
        since = max((_when(r) for r in self.reopened if r.group == group), default=(0, ""))
        return [r for r in self.released if r.group == group and _when(r) > since]

    def copies_of(self, group: str) -> dict[str, str]:
        """Safe id -> SHA-256 of the copies of a group."""
        return {s: d for s, d in self.digests.items() if s in self.run.groups.get(group, ())}

    def signed_for(self, group: str) -> tuple[Signed, ...]:
        """The signed pages of a group that are for the copies as they are now."""
        now = self.copies_of(group)
        return tuple(s for s in self.signed if s.group == group and s.copies == now)

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
        cards={} if audience or countries else state.cards,
        answers=tuple(a for a in state.answers if stays(a)),
    )


def with_caption(state: RunState, digest: str, found: dict[str, int], text: str = "", group: str = "") -> RunState:
    """The state with another caption: pictures and recognition are asked again where one was judged with them.

    Args:
        state: The state before.
        digest: Digest of the caption.
        found: Kinds found in it -> count.
        text: The caption, kept in the private part so that the record says what went with the copies.
        group: The group that it goes with; every group when empty.
    """
    judged = {_group(a) for a in state.answers if a.item.startswith("id.") and group in ("", _group(a))}
    other = {g for g in judged if (before := state.caption_of(g)) is not None and before.digest != digest}
    answers = tuple(a for a in state.answers if not (_seen_with_caption(a) and _group(a) in other))
    if group:
        return msgspec.structs.replace(
            state, captions={**state.captions, group: Caption(digest=digest, found=found, text=text)}, answers=answers
        )
    return msgspec.structs.replace(
        state, caption=digest, caption_found=found, caption_text=text, captions={}, answers=answers
    )


def _group(answer: Answer) -> str:
    return answer.subject.partition("-")[0]


def _seen_with_caption(answer: Answer) -> bool:
    return answer.item.partition(".")[0] in ("img", "id")


def with_recipients(state: RunState, group: str, recipients: str) -> RunState:
    """The state with whom a group is shared with, as typed. It goes to the record part and the register alone."""
    return msgspec.structs.replace(state, recipients={**state.recipients, group: recipients.strip()})


def with_answers(state: RunState, new: Sequence[Answer]) -> RunState:
    """The state with more answers; the newest about an item and a subject counts.

    Raises:
        UsageError: An answer names an unknown item, subject or choice, or one that the tool answers.
    """
    definition = ChecklistDefinition.load()
    site = state.run.site.own_items() if state.run.site else {}
    groups = set(state.run.groups)
    files = {s for ids in state.run.groups.values() for s in ids}
    new = [m for a in new for m in _mapped(a, state.run.groups)]
    for answer in new:
        if answer.item in site:
            kind, na = "group", site[answer.item]
            allowed = choices("yes", na)
        else:
            item = definition.item(answer.item)
            if item.evidence == "auto":
                raise UsageError(f"{item.id} is answered by the checks; a person cannot answer it.")
            kind, na = item.subject, item.na_in(state.context.jurisdictions)
            allowed = choices(item.pass_, na)
            if answer.note and item.free_text == "none":
                raise UsageError(f"{item.id} takes no note. Write it on the record sheet.")
        subjects = {"batch": {"batch"}, "group": groups, "file": files}[kind]
        if answer.subject not in subjects:
            raise UsageError("an answer is about a patient or a copy that this run does not have.")
        if answer.choice == NOT_APPLICABLE and na == "never":
            raise UsageError(
                f"'does not apply' is no answer to {answer.item}: it stays open.",
                todo=f"Choose one of: {', '.join(allowed)}.",
            )
        if answer.choice not in allowed:
            raise UsageError(f"{answer.item} has no such answer. Choose one of: {', '.join(allowed)}.")
    about = {a.subject for a in new}
    last = {(a.item, a.subject): a for a in new}
    if any((a.item, a.subject) in last for a in [a for a in state.answers if a.subject in about]):
        last = {(a.item, a.subject): a for a in (*state.answers, *new)}
        return msgspec.structs.replace(state, answers=tuple(last.values()))
    return msgspec.structs.replace(state, answers=(*state.answers, *last.values()))


def load(folder: Path) -> RunState | None:
    """The state in a run folder; None when there is none yet.

    Raises:
        UsageError: It was cut short, edited into something else, or written by a newer version.
    """
    path = folder / RECORD_FOLDER / STATE_NAME
    try:
        data = _files.read_own(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError("the answers of this run cannot be read.") from error
    try:
        return _adopted(from_json(data, RunState))
    except msgspec.DecodeError as error:
        raise UsageError(
            "the answers of this run are damaged, or were written by a newer version. Nothing was changed."
        ) from error


def _mapped(answer: Answer, groups: Iterable[str]) -> list[Answer]:
    """An answer in the words of the present checklist.

    Up to 0.1, *advice taken* closed what *yes* closes now, some questions read the other way round, and two that are
    asked of every patient now were asked once for all of them.
    """
    if answer.item == REWORDED and answer.choice == "advice-taken":
        answer = msgspec.structs.replace(answer, choice="yes")
    answer = turned(answer)
    if answer.item in NOW_OF_A_PATIENT and answer.subject == "batch":
        return [msgspec.structs.replace(answer, subject=group) for group in groups]
    return [answer]


def _adopted(state: RunState) -> RunState:
    """A state of an earlier checklist, taken over by this one; one of a newer checklist stays as it is.

    A plain *yes* or *no* to a question that meant something else then is asked again.
    """
    definition = ChecklistDefinition.load()
    if state.checklist_digest == definition.digest or version(state.checklist) > version(definition.version):
        return state
    old = version(state.checklist) < REWORDED_IN
    kept = [a for a in state.answers if not (old and a.item == REWORDED and a.choice != "advice-taken")]
    return msgspec.structs.replace(
        state,
        checklist=definition.version,
        checklist_digest=definition.digest,
        answers=tuple(new for a in kept for new in _mapped(a, state.run.groups)),
    )


def version(text: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(int(p) for p in text.split(".") if p.isascii() and p.isdigit() and len(p) < 10)


def save(folder: Path, state: RunState) -> RunState:
    """Write the state, whole; it must still have the revision it was read with.

    Raises:
        UsageError: Somebody else wrote in the meantime.
        OutputError: It could not be written.
    """
    with lock.alone(folder / RECORD_FOLDER):
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
def claimed(folder: Path, state: RunState) -> Iterator[None]:
    """Hold the run's lock, the one that ``clean`` and ``apply`` hold as well, for as long as files move.

    Raises:
        UsageError: Another process is working on the run, or its answers are not the ones in ``state`` any more.
        OutputError: The private folder cannot be written.
    """
    handle = lock.claim(folder / RECORD_FOLDER)
    try:
        now = load(folder)
        if now is None or now.revision != state.revision:
            raise UsageError(
                "somebody else changed this run in the meantime. Nothing was moved.",
                todo="Start the command again: it shows what is answered now.",
            )
        RunFolder(folder).sweep_parts()
        yield
    finally:
        lock.give_back(folder / RECORD_FOLDER, handle)


def _digests(reports: Sequence[Report]) -> dict[str, str]:
    return {r.safe_id: r.copy.sha256 for r in reports if r.copy is not None}
