"""What the commands about a run folder share: opening it, saying where it stands, writing its sheets again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from medimg.cli import common
from medimg.consent.advice import panel
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.standing import GroupResult
from medimg.engine import deciding
from medimg.errors import OutputError
from medimg.report import build, refresh
from medimg.run import originals
from medimg.run.folder import SHARE_FOLDER
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.run.request import EXIT_CODES
from medimg.run.state import RunState
from medimg.system import files
from medimg.types import Report
from medimg.vocabulary import StandingReason
from medimg.words import many, tr

F = TypeVar("F", bound=Callable[..., Any])
MOST = 8  # open questions that are named after an answer or a refused release
FILE = click.Path(path_type=Path)


def run_argument(command: F) -> F:
    """``RUN``: a run folder, or the folder it lies in."""
    return click.argument("run", type=FILE, metavar="RUN")(command)


def register_option(command: F) -> F:
    """``--register``."""
    return click.option(
        "--register", "register_file", type=FILE, metavar="FILE", help="The register, instead of your own."
    )(command)


def role_option(command: F) -> F:
    """``--role``."""
    return click.option("--role", default="", metavar="WORDS", help="Your role, for the record sheet. Not your name.")(
        command
    )


def recipients_option(command: F) -> F:
    """``--to``, also called ``--recipients``."""
    return click.option(
        "--to",
        "--recipients",
        "recipients",
        default="",
        metavar="WORDS",
        help="With whom it is shared, for the private part and the register alone.",
    )(command)


def own_names(run: Path, ids: Sequence[str], photos: Sequence[Path | str]) -> dict[str, str]:
    """What some photos of a run are called, on a terminal alone: nothing else is told, and nothing is written.

    A photo is known by its digest, among the files and folders that are named now.
    """
    if not ids or not sys.stdout.isatty():
        return {}
    reports = [r for r in open_run(run).reports if r.safe_id in ids]
    found = originals.find(reports, [p for p in photos if isinstance(p, Path)])
    return {safe_id: common.shown(Path(path.name)) for safe_id, path in found.items()}


def say_share_well(run: OpenRun) -> None:
    """What to think of with the released copies."""
    common.say(tr("Share it well:"))
    for line in panel(run.state.context.audience):
        common.say_prose(f"- {line}", 2)


def unreleased(run: OpenRun) -> list[Report]:
    """The photos whose copy was not released."""
    out = {name for group in run.state.run.groups for name in run.state.released_names(group)}
    return [r for r in run.reports if r.copy and r.copy.name not in out]


def say_attach(run: OpenRun) -> None:
    """What to do with the released copies."""
    folder = f"{common.shown(run.folder)}/{SHARE_FOLDER}"
    common.say_prose(tr("Next: attach the files in {folder}, nothing else, and file the record sheet.", folder=folder))


def say_held(run: OpenRun, folder: Path, most: int = 8) -> list[str]:
    """Say which photos are held, and the command that says what decides them; their safe ids."""
    held = [p.safe_id for p in deciding.photos(run) if not p.copy]
    if held:
        more = tr(" and more") if len(held) > most else ""
        common.say(
            tr(
                "Still held: {held}{more}. What decides it: medimg review {run}",
                held=", ".join(held[:most]),
                more=more,
                run=common.shown(folder),
            )
        )
    return held


def say_no_copy(run: OpenRun, folder: Path) -> int:
    """Where no photo has a copy, say so and what to do, in one sentence; the exit code, 0 where there are copies."""
    if any(r.copy is not None for r in run.reports):
        return 0
    common.say(tr("There is no copy yet, so there is nothing to answer."))
    if say_held(run, folder):
        return EXIT_CODES["hold"]
    why = common.shown(run.folder / "hold" / "why-held.txt")
    common.say(tr("Next: read why files were not cleaned: {file}", file=why))
    return EXIT_CODES["unreadable"]


def opened(path: Path) -> tuple[OpenRun, dict[str, GroupResult]]:
    """A run and where its groups stand."""
    run = open_run(path)
    return run, build.results(run.state, run.reports)


def register(path: Path | None) -> Register:
    """The register of this user, or the named one."""
    return Register(path)


def write_new(out: Path, data: bytes) -> None:
    """Write a private file where there is none yet.

    Raises:
        OutputError: Something is already there, the folder is missing, or it could not be written.
    """
    if not out.parent.is_dir():
        raise OutputError("the output folder is not there.", todo="Make it first.")
    files.write_private(out, data, new=True)


def written(run: OpenRun, state: RunState) -> dict[str, GroupResult]:
    """Write the sheets again for a new state."""
    return refresh(state, run.reports, run.folder)


def say(results: Mapping[str, GroupResult], state: RunState, *, most: int | None = None) -> None:
    """Where every group stands, on the terminal; ``most`` open questions of each are named, all by default."""
    for group, result in results.items():
        count = result.counts()
        common.say_prose(f"{group}: {words(result)}", 5)
        common.say_prose(
            tr(
                "  Answered: {blocking} of {all_blocking} questions that need an answer, {advisory} of "
                "{all_advisory} to think about.",
                blocking=count["blocking"] - count["blocking_open"],
                all_blocking=count["blocking"],
                advisory=count["advisory"] - count["advisory_open"],
                all_advisory=count["advisory"],
            ),
            4,
        )
        released = len(state.released_names(group))
        if state.is_withdrawn(group):
            click.echo(tr("  The patient withdrew. Nothing of this patient is released."))
        elif released:
            click.echo(many("  Released: {n} copy.", "  Released: {n} copies.", released))
        unsaid = sum(result.context.flag(c) == "not-sure" for c in ChecklistDefinition.load().conditions)
        if unsaid and result.waiting():
            common.say_prose(
                tr("  Not said yet: {unsaid} conditions. They decide which questions are asked.", unsaid=unsaid), 4
            )
        if not released:
            for line in medicine(result):
                common.say_prose(tr("  Is the medicine still right? {line}", line=line), 4)
        _say_open(result, most)


def _say_open(result: GroupResult, most: int | None) -> None:
    """What keeps a group back: areas to be decided about, then questions."""
    for safe_id, numbers in list(result.undecided.items())[:most]:
        common.say_prose(f"  - {safe_id}: {undecided(numbers)}", 4)
    left = waiting(result)
    for item, ask, why in left[:most]:
        common.say_prose(f"  - {item}: {ask}", 4)
        if why != StandingReason.NOT_ANSWERED:
            common.say_prose(f"      {tr(why)}", 6)
    if most and len(left) > most:
        click.echo(tr("  ... and {n} more; 'medimg status' lists them.", n=len(left) - most))


def record(results: Mapping[str, GroupResult], state: RunState) -> dict[str, dict[str, Any]]:
    """Where every patient stands, for programs."""
    return {
        group: {
            "overall": result.overall,
            "status": words(result),
            **result.counts(),
            "undecided": result.undecided,
            "waiting": [item for item, _, _ in waiting(result)],
            "released": sorted(state.released_names(group)),
            "withdrawn": state.is_withdrawn(group),
        }
        for group, result in results.items()
    }


def say_json(schema: str, results: Mapping[str, GroupResult], state: RunState, **more: Any) -> None:
    """Where every patient stands, as one line of JSON."""
    groups = record(results, state)
    common.say_json({"schema": f"medimg.{schema}/1", "run": state.run.tag, "groups": groups, **more})


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def waiting(result: GroupResult) -> list[tuple[str, str, str]]:
    """The blocking questions that are open or not met, each once; what was answered names the copies it is about."""
    rows: dict[str, tuple[str, str, str]] = {}
    for standing in result.waiting():
        question = standing.question
        of_copy = question.item.subject == "file" and standing.why != StandingReason.NOT_ANSWERED
        why = f"{', '.join(standing.subjects)}: {standing.why}" if of_copy else standing.why
        rows.setdefault(question.id, (question.id, question.item.ask, why))
    return list(rows.values())


def undecided(numbers: Sequence[int]) -> str:
    """That nobody decided about areas of a copy, and the command that asks."""
    what = (
        many("area {numbers}", "areas {numbers}", len(numbers), numbers=", ".join(map(str, numbers)))
        if numbers
        else tr("an area")
    )
    return tr("nobody decided yet about {what}: 'medimg answer' asks, 'medimg review' names the commands.", what=what)


def medicine(result: GroupResult) -> list[str]:
    """Copies in which covers may hide what the picture is for, one line each that stand alike."""
    return [
        (", ".join(s.subjects) if len(s.subjects) <= MOST else common.plural(len(s.subjects), "copy", "copies"))
        + f": {s.auto.words}."
        for s in result.standings
        if s.question.id == "img.clinical-meaning" and s.state == "open" and s.auto and s.auto.verdict == "asks"
    ]


def words(result: GroupResult) -> str:
    """The fixed words for where a group stands."""
    status = ChecklistDefinition.load().status_words
    return {"open": status.open, "stop": status.stop, "answered": status.answered}[result.overall]


def exit_code(results: Mapping[str, GroupResult]) -> int:
    """12 with a stop, 11 with open blocking questions, else 0."""
    states = {r.overall for r in results.values()}
    return 12 if "stop" in states else 11 if "open" in states or not states else 0
