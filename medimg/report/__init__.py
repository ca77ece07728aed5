"""The two sheets of a run: one may travel with the pictures, the other stays in the patient's record.

:func:`write_sheets` writes them all: ``share-sheet.html`` and ``.json`` beside the ``share`` folder, and in
``PRIVATE-patient-record/``: ``record-sheet.html`` and ``.json`` (and ``.pdf`` with the extra),
``paste-into-notes.txt``, ``decisions.json`` and ``answers.json`` (the state of the questions).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from medimg.consent.context import SharingContext
from medimg.consent.standing import GroupResult
from medimg.errors import OutputError
from medimg.run import decisions
from medimg.run import state as runs
from medimg.run.decisions import Decisions
from medimg.run.folder import RECORD_FOLDER, SHARE_FOLDER, UNREVIEWED_FOLDER
from medimg.run.state import RunState, RunSummary
from medimg.system import files, host
from medimg.types import CopySummary, Report, to_json

PDF_NAME = "record-sheet.pdf"
DRAWN_AT_ONCE = 2
"""Small pictures drawn at the same time."""

if TYPE_CHECKING:
    from medimg.report.thumbs import Thumb


def write_sheets(
    run: RunSummary, reports: Sequence[Report], context: SharingContext, out: Path
) -> dict[str, GroupResult]:
    """Write every sheet of a run, and keep what was answered before about copies that did not change.

    Args:
        run: What the run was.
        reports: One report a photo.
        context: For whom and where; conditions in it hold for every group.
        out: The run folder.

    Returns:
        Where each patient group stands.

    Raises:
        UsageError: The context has an unknown word, or the answers in the folder are damaged.
        OutputError: A sheet could not be written.
    """
    before = runs.load(out)
    state = runs.fresh(run, context, reports) if before is None else runs.reconciled(before, run, context, reports)
    _folder(out / RECORD_FOLDER)
    decided = _kept_decisions(before, decisions.load(out), run, reports)
    if decided is not None:
        decisions.save(out, decided)
    return refresh(runs.save(out, state), reports, out)


def _kept_decisions(
    before: RunState | None, decided: Decisions | None, run: RunSummary, reports: Sequence[Report]
) -> Decisions | None:
    """The decisions of a run that is written again: those about copies that are as they were stay as they are.

    None when there were some and the file is gone: what was decided is not known, and the release says so.
    """
    shown = decisions.of(run.tag, reports)
    if before is None:
        return shown
    if decided is None:
        return None
    same = {r.safe_id for r in reports if r.copy is not None and before.digests.get(r.safe_id) == r.copy.sha256}
    return Decisions(run=run.tag, plans={**shown.plans, **{i: p for i, p in decided.plans.items() if i in same}})


def refresh(state: RunState, reports: Sequence[Report], out: Path) -> dict[str, GroupResult]:
    """Write the sheets of a run again from its saved state. Decisions that are not applied yet stay.

    Raises:
        OutputError: A sheet could not be written.
    """
    from medimg.report import build, html, pdf, record, text

    found = build.results(state, reports)
    share = build.share_sheet(state, reports, found)
    kept = record.record_sheet(state, reports, found)
    thumbs = _thumbs(state, reports, out)
    private = out / RECORD_FOLDER
    for path, data in (
        (private / "record-sheet.json", to_json(kept)),
        (private / "record-sheet.html", html.record_html(kept, thumbs, reports).encode()),
        (private / "paste-into-notes.txt", text.notes(kept).encode()),
        (out / "share-sheet.json", to_json(share)),
        (out / "share-sheet.html", html.share_html(share, thumbs).encode()),
    ):
        files.write_private(path, data)
    if pdf.available():
        files.write_private(private / PDF_NAME, pdf.record_pdf(kept, thumbs))
    else:
        (private / PDF_NAME).unlink(missing_ok=True)  # one that was written before would no longer be true
    return found


def _thumbs(state: RunState, reports: Sequence[Report], out: Path) -> dict[str, Thumb]:
    from medimg.report import html
    from medimg.report.thumbs import quiet

    by_id = {r.safe_id: r for r in reports}
    groups = list(state.run.groups.values())[: html.GROUPS]
    shown = [by_id[i] for ids in groups for i in ids[: html.SHOWN] if i in by_id]
    copies = [r.copy for r in shown if r.copy is not None and Path(r.copy.name).name == r.copy.name]
    # Decoding leaves Python's lock alone, so two are drawn at the same time; no other photo is at work by now.
    with quiet(), ThreadPoolExecutor(DRAWN_AT_ONCE, "medimg-thumbs") as pool:
        made = pool.map(partial(_thumb, out), copies)
        return {copy.name: thumb for copy, thumb in zip(copies, made, strict=True) if thumb is not None}


def _thumb(out: Path, copy: CopySummary) -> Thumb | None:
    from medimg.report.thumbs import thumbnail

    places = (SHARE_FOLDER, UNREVIEWED_FOLDER)
    return next((t for place in places if (t := thumbnail(out / place / copy.name, copy.sha256)) is not None), None)


def _folder(path: Path) -> None:
    try:
        host.private_folder(path, exist_ok=True)
    except OSError as error:
        raise OutputError("the private folder could not be made.") from error


__all__ = ["Decisions", "RunState", "RunSummary", "SharingContext", "refresh", "write_sheets"]
