"""``medimg clean``: the main job."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import click

from medimg.cli import common, progress, run_common
from medimg.consent.site import SiteProfile
from medimg.engine import deciding
from medimg.engine.batch import Engine, Hooks, Outcome, scrub_folder
from medimg.engine.groups import GAP, Suggestion
from medimg.errors import Interrupted, UsageError
from medimg.report import words
from medimg.run.folder import UNREVIEWED_FOLDER
from medimg.run.opened import open_run
from medimg.run.request import CONDITIONS, RunRequest
from medimg.system import stops
from medimg.vocabulary import FormatName
from medimg.words import said, tr

_KEYS = 20  # suggested groups that are listed
_VERSIONS = 5  # sets of versions of one photo that are told


@click.command()
@click.argument("photos", nargs=-1, required=True, type=common.PLACE)
@common.out_option
@common.sharing_options
@common.policy_options
@common.small_faces_option
@common.known_option
@click.option("--keep-key", is_flag=True, help="Keep the list of original names in the private part.")
@click.option(
    "--group-by",
    default="folder",
    show_default=True,
    metavar="folder|file|CSV",
    help="What is one patient; a CSV file has the columns original and group.",
)
@common.suggest_option
@common.workers_option
@click.option("--resume", is_flag=True, help="Go on with the newest unfinished run of these photos, or start one.")
@click.option(
    "--again", is_flag=True, help="Also do photos that an earlier run under OUT has done and that are unchanged."
)
@click.option(
    "--fail-on",
    metavar="LIST",
    help=f"Conditions that give an exit code: any of {', '.join(c for c in CONDITIONS if c != 'output')}, or none.",
)
@click.option("--cluster", "scheduler", metavar="tls://HOST:PORT", help="Let a cluster do it (docs/batch.md).")
@click.option("--certificates", type=common.FILE, metavar="DIR", help="With --cluster: this side's identity.")
@click.option("--staging", default="", metavar="URL", help="With --cluster: where workers put copies that OUT fetches.")
@common.as_option
@common.side_option
@common.loudness_options
@click.option("--json-lines", is_flag=True, help="Print events for programs, one JSON object a line.")
def clean(
    photos: tuple[Path | str, ...],
    out: Path | None,
    audience: str,
    where: tuple[str, ...],
    policy_file: Path | None,
    metadata_only: bool,
    small_faces: bool,
    known_file: Path | None,
    keep_key: bool,
    group_by: str,
    suggest_groups: bool,
    workers: int | None,
    resume: bool,
    again: bool,
    fail_on: str | None,
    scheduler: str | None,
    certificates: Path | None,
    staging: str,
    save_as: Literal["jpeg"] | None,
    max_side: int,
    quiet: bool,
    verbose: bool,
    json_lines: bool,
) -> int:
    """Make covered copies of photos, checked again, and the consent report.

    PHOTOS are files and folders, or URLs of folders; folders with everything below them. OUT may not lie inside one of
    them. The originals are read and never changed. Copies wait in unreviewed/ for a person's look.
    """
    shown = progress.telling(json_lines=json_lines, quiet=quiet, verbose=verbose)
    stops.as_interrupt()
    try:
        request = RunRequest(
            photos=photos,
            out=out,
            policy=common.read_policy(policy_file, metadata_only, small_faces),
            audience=audience,
            where=common.countries(where),
            known=common.read_known(known_file),
            keep_key=keep_key,
            group_by=group_by,
            workers=workers,
            resume=resume,
            again=again,
            fail_on=_conditions(fail_on),
            save_as=save_as or "",
            max_side=max_side,
            site=SiteProfile.installed(),
        )
        hooks = Hooks(
            progress=shown.tell,
            confirm=confirm_groups if suggest_groups else None,
            engine=_engine(scheduler, certificates, staging),
        )
        outcome = scrub_folder(request, hooks=hooks)
    except Interrupted:
        shown.stop()
        raise
    shown.stop()
    if json_lines:
        common.say_json(
            {
                "event": "finished",
                "folder": common.told(outcome.folder),
                "photos": outcome.photos,
                "unchanged": outcome.unchanged,
                "unchanged_kept_back": outcome.unchanged_kept_back,
                "changed": list(outcome.changed),
                "versions": [list(ids) for ids in outcome.versions],
                "conditions": list(outcome.conditions),
                "exit_code": outcome.exit_code,
            }
        )
    else:
        if not quiet:
            say(outcome, metadata_only)
            say_held(outcome, photos)
        common.say(following(outcome))
    return outcome.exit_code


def _engine(scheduler: str | None, certificates: Path | None, staging: str) -> Engine | None:
    if scheduler is None:
        if certificates is not None or staging:
            raise UsageError("--certificates and --staging go with --cluster.")
        return None
    if certificates is None:
        raise UsageError("--cluster needs --certificates.")
    from medimg.cluster.engine import Cluster
    from medimg.cluster.nodes import Identity

    return Cluster(scheduler, Identity(certificates), staging=staging)


def confirm_groups(told: Suggestion) -> bool:
    """Show the suggestion; on a terminal a person decides, elsewhere it is only printed."""
    say = partial(common.say, err=True)
    sizes = ", ".join(f"{key}: {common.plural(n, 'photo')}" for key, n in list(told.suggested.items())[:_KEYS])
    more = len(told.suggested) - _KEYS
    given, found = (common.plural(n, "patient") for n in (len(told.now), len(told.suggested)))
    say(tr("As given: {given} (the largest has {photos}).", given=given, photos=common.plural(told.now[0], "photo")))
    say(
        tr(
            "Suggested: {found} ({sizes}).",
            found=found,
            sizes=sizes + (tr(" and {n} more", n=more) if more > 0 else ""),
        )
    )
    say(
        tr(
            "Why: {gaps} of more than {minutes} minutes between photos;",
            gaps=common.plural(told.gaps, "gap"),
            minutes=int(GAP.total_seconds() // 60),
        )
    )
    say(tr("     {codes} seen in more than one photo;", codes=common.plural(told.codes, "code")))
    say(tr("     {photos} without a time, each by itself.", photos=common.plural(told.unread, "photo")))
    if not sys.stdin.isatty():
        say(tr("Nobody is there to confirm it: the patients stay as given."))
        return False
    return click.confirm(tr("Consent is asked for each patient. Use the suggestion?"), default=False, err=True)


def _conditions(text: str | None) -> tuple[str, ...]:
    if text is None:
        return CONDITIONS
    named = tuple(t for t in text.replace(",", " ").split() if t != "none")
    if not set(named) <= set(CONDITIONS):
        raise UsageError(f"--fail-on takes any of: {', '.join(CONDITIONS)}, or none.")
    return named


def say(outcome: Outcome, metadata_only: bool, *, sheets: bool = True) -> None:
    """What became of the photos, where it is, and which patients they were taken for."""
    folder = common.shown(outcome.folder)
    _say_unchanged(outcome)
    if not outcome.photos:
        common.say(tr("Nothing is new."))
        for reason, count in sorted(outcome.set_aside.items()):
            common.say(tr("{count} not cleaned: {reason}.", count=count, reason=said(reason)))
        common.say()
        common.say(tr("Run folder:    {folder}", folder=folder))
        return
    if outcome.changed:
        common.say(
            tr("Done again, because this changed since an earlier run: {changed}.", changed=", ".join(outcome.changed))
        )
    waiting = outcome.photos.get("unreviewed", 0)
    held, refused, failed = (outcome.photos.get(s, 0) for s in ("held", "refused", "failed"))
    common.say(tr("{copies} passed every check that was asked for.", copies=common.plural(waiting, "copy", "copies")))
    if metadata_only:
        common.say(tr("Only metadata was checked: text, codes and faces were not looked for."))
    _say_large(outcome)
    if held:
        common.say(tr("{photos} held. hold/why-held.txt says why.", photos=common.plural(held, "photo")))
    if refused:
        common.say(
            tr("{files} not cleaned and not copied. hold/why-held.txt says why.", files=common.plural(refused, "file"))
        )
    if failed:
        common.say(
            tr(
                "{copies} could not be written. Run again with --resume.",
                copies=common.plural(failed, "copy", "copies"),
            )
        )
    for reason, count in sorted(outcome.set_aside.items()):
        common.say(tr("{count} not cleaned: {reason}.", count=count, reason=said(reason)))
    common.say()
    _say_versions(outcome.versions)
    common.say(tr("Run folder:    {folder}", folder=folder))
    if sheets:
        common.say(tr("Share sheet:   {file}", file=common.shown(outcome.share_sheet)))
        common.say(tr("Record sheet:  {file}  (private)", file=common.shown(outcome.record_sheet)))
    _say_patients(open_run(outcome.folder).state.run.groups)
    common.say()


def _say_patients(groups: Mapping[str, Sequence[str]]) -> None:
    """Which photos count as one patient: consent is asked for each, so a wrong guess gives somebody away."""
    sizes = [f"{key}: {common.plural(len(ids), 'photo')}" for key, ids in groups.items()]
    if len(groups) == 1 and any(len(ids) > 1 for ids in groups.values()):
        common.say(tr("One patient:   if they are several, give it again with --suggest-groups or --group-by."))
    elif len(groups) > 1:
        more = tr(" and {n} more", n=len(groups) - _KEYS) if len(groups) > _KEYS else ""
        common.say_prose(tr("{n} patients:    {sizes}", n=len(groups), sizes=", ".join(sizes[:_KEYS]) + more), 15)


def _say_unchanged(outcome: Outcome) -> None:
    since = ", ".join(tr("{count} since run {tag}", count=count, tag=tag) for tag, count in outcome.unchanged.items())
    kept = ", ".join(
        f"{n} {words}"
        for state, words in (("held", tr("held")), ("refused", tr("not cleaned")))
        if (n := outcome.unchanged_kept_back.get(state))
    )
    if since:
        common.say(
            tr(
                "Unchanged and not done again: {since}. --again does them.",
                since=since + (tr(" (still {kept})", kept=kept) if kept else ""),
            )
        )


def _say_large(outcome: Outcome) -> None:
    """Copies of HEIC and AVIF photos that are PNG: their size is a surprise in a chat."""
    reports = open_run(outcome.folder).reports
    large = sum(r.format == FormatName.HEIF and r.copy is not None and r.copy.format == FormatName.PNG for r in reports)
    if large:
        common.say(
            tr(
                "{copies} of HEIC or AVIF photos saved as exact PNG, about ten times as large.",
                copies=common.plural(large, "copy", "copies"),
            )
        )
        common.say(tr("For a chat, clean again with --as jpeg, or --max-side 2048."))


def _say_versions(sets: Sequence[tuple[str, ...]]) -> None:
    """Which copies are versions of one photo; in a folder of RAW and JPEG pairs there are hundreds, so not all here."""
    for ids in sets[:_VERSIONS]:
        common.say(words.versions(ids))
    if len(sets) > _VERSIONS:
        common.say(tr("{n} more such sets of copies: the record sheet lists them.", n=len(sets) - _VERSIONS))
    if sets:
        common.say()


def say_held(outcome: Outcome, photos: Sequence[Path | str]) -> None:
    """Why photos are held, and the command that decides each.

    On a terminal alone a photo is called by its own name as well, which is stored nowhere: it is found by its digest.
    """
    from medimg.cli import decide  # with all that opens a photo

    held = [p for p in deciding.photos(open_run(outcome.folder)) if not p.copy] if outcome.photos.get("held") else []
    names = run_common.own_names(outcome.folder, [p.safe_id for p in held], photos)
    folder = common.shown(outcome.folder)
    for photo in held:
        name = f" ({names[photo.safe_id]})" if photo.safe_id in names else ""
        common.say(f"{photo.safe_id}{name}: {said(photo.reason)}")
        for line in decide.deciding_commands(photo, folder):
            common.say(f"  {line}")


def following(outcome: Outcome) -> str:
    """What to do next, in one sentence. A run that waits for a person has ended well: its code is not announced."""
    folder = common.shown(outcome.folder)
    waits = set(outcome.conditions)
    if not outcome.photos:
        return tr("Next: see how it stands: medimg status {folder}", folder=folder)
    if "output" in waits:
        return tr("Next: make room on the disk, then run the same command with --resume.")
    if "hold" in waits:
        return tr("Next: decide about the held photos, then look and answer: medimg review {folder}", folder=folder)
    if "review" in waits:
        look = tr("open every copy in {folder} at full size", folder=common.shown(outcome.folder / UNREVIEWED_FOLDER))
        return tr("Next: {look}, then answer and release: medimg answer {folder}", look=look, folder=folder)
    if "unreadable" in waits:
        return tr(
            "Next: read why files were not cleaned: {file}", file=common.shown(outcome.folder / "hold" / "why-held.txt")
        )
    return tr("Nothing waits for you.")
