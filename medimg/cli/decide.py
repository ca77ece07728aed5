"""``medimg review``, ``cover``, ``show``, ``crop``: a run's photos, and decisions about them, without the window."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import click

from medimg.cli import _page, common, run_common
from medimg.engine import apply as applying
from medimg.engine import deciding
from medimg.engine.deciding import Area, Photo, Why
from medimg.errors import MedimgError, UsageError
from medimg.plain import printable
from medimg.policy import Policy
from medimg.run.opened import OpenRun, open_run
from medimg.run.request import EXIT_CODES
from medimg.types import Report
from medimg.vocabulary import Category, Choice, PhotoState
from medimg.words import Table, mark, said, tr

F = TypeVar("F", bound=Callable[..., Any])
Areas = Literal["asked", "found", "all"]
_DOES = Table(
    {"cover": "covered", "keep": "shown", "ask": "ASKED ABOUT", "hold": "HOLDS THE PHOTO", "drop": "taken out"}
)

_COMMANDS: dict[Choice, str] = {
    Choice.COVER: "cover {of} --area {number}",
    Choice.FACE_ALONE: "cover {of} --face {number}",
    Choice.BESIDE: "crop {of} --beside {number}",
}
"""The command of a choice; every other one shows the area, and its name is the reason."""


class _BoxType(click.ParamType[tuple[int, int, int, int]]):
    name = "box"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int, int]:
        """Four whole numbers; the values are not quoted."""
        if isinstance(value, tuple):
            return value
        parts = str(value).replace(",", " ").split()
        if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
            self.fail(mark("a box is X,Y,WIDTH,HEIGHT in whole pixels."), param, ctx)
        x, y, width, height = map(int, parts)
        return x, y, width, height


BOX = _BoxType()


def _photo_arguments(command: F) -> F:
    """``RUN``, ``PHOTO``, ``[PHOTOS]...`` and what applying needs."""
    for add in (
        common.workers_option,
        common.known_option,
        click.option("--policy", "policy_file", type=common.FILE, metavar="FILE", help="The settings of the run."),
        click.argument("photos", nargs=-1, type=common.FILE, metavar="[PHOTOS]..."),
        click.argument("photo", metavar="PHOTO"),
    ):
        command = add(command)
    return run_common.run_argument(command)


@click.command()
@run_common.run_argument
@click.argument("photos", nargs=-1, type=common.PHOTOS, metavar="[PHOTOS]...")
@click.option("--all", "everything", is_flag=True, help="Also list what was judged harmless.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--page",
    is_flag=True,
    help="In a browser on this computer instead: look, decide, answer, release. PHOTOS are shown beside the copies.",
)
@click.option("--policy", "policy_file", type=common.FILE, metavar="FILE", help="With --page: the settings of the run.")
@run_common.register_option
def review(
    run: Path,
    photos: tuple[Path, ...],
    everything: bool,
    as_json: bool,
    page: bool,
    policy_file: Path | None,
    register_file: Path | None,
) -> int:
    """List the photos of a run: where each copy lies, what was found, and the command that decides what is open.

    Areas have the numbers of the record sheet. Boxes are X,Y,WIDTH,HEIGHT in pixels, as a viewer shows the picture.
    Photos that need a decision come first. With PHOTOS, the files and folders the run was made from, a photo is called
    by its own name as well, on a terminal alone.
    """
    if not page and (policy_file or register_file):
        raise UsageError("--policy and --register go with --page.")
    opened = open_run(run)
    if page:
        policy = common.read_policy(policy_file, metadata_only=False)
        register = run_common.register(register_file)
        _page.serve(opened.folder.parent, policy, register, run=opened.folder, places=photos)
        opened = open_run(run)
    listed = deciding.photos(opened)
    if as_json:
        common.say_json({"schema": "medimg.review/1", "run": opened.state.run.tag, "photos": listed})
    else:
        names = run_common.own_names(run, [p.safe_id for p in listed], photos)
        for photo in listed:
            say_photo(
                photo,
                common.shown(run),
                photos,
                areas="all" if everything else "found",
                name=names.get(photo.safe_id, ""),
            )
        common.say()
        if not listed:
            return run_common.say_no_copy(opened, run)
        _say_next(opened, listed, common.shown(run))
    return EXIT_CODES["hold"] if any(p.asked or not p.copy for p in listed) else EXIT_CODES["review"]


def say_photo(photo: Photo, run: str, photos: Sequence[Path] = (), *, areas: Areas = "found", name: str = "") -> None:
    """One photo: where its copy lies, what was found, and the commands that decide what is open.

    Args:
        photo: The photo.
        run: The run folder, as it was named.
        photos: What the run was made from, if it was named.
        areas: Which are listed: those that wait for a decision, all but the harmless, or all.
        name: Its own name, on a terminal alone.
    """
    state = tr("opened") if photo.looked else tr("not opened yet")
    where = f"{printable(photo.copy)} ({state})" if photo.copy else tr("held: {reason}", reason=photo.reason)
    called = f"{photo.safe_id} ({name})" if name else photo.safe_id
    common.say(f"{called}  {where}" + (tr("; a decision is not applied yet") if photo.waits else ""))
    for area in photo.areas:
        if _listed(area, photo, areas):
            box = tr(" at {box}", box=",".join(map(str, area.box))) if area.box else ""
            kind = f"{area.kind}, {Category.words_of(area.category)}"
            why = "" if area.why in photo.reason else f" ({area.why})"  # it stands in the line above
            common.say_prose(f"  {area.number:>3}  {kind}{box}: {_DOES[area.do]}{why}", 7)
    for line in deciding_commands(photo, run, photos):
        common.say(f"       {line}")


def _listed(area: Area, photo: Photo, areas: Areas) -> bool:
    if area.number in photo.asked or area.category == Category.POSSIBLE_NAME:
        return True
    return areas == "all" or (areas == "found" and (area.do != "keep" or area.by == "person"))


def deciding_commands(photo: Photo, run: str, photos: Sequence[Path] = ()) -> list[str]:
    """The exact commands that decide what is asked about a photo, or what holds it.

    On a terminal they have the places that this call was given, to be pasted as they are.
    """
    named = " ".join(shlex.quote(common.shown(p)) for p in photos) if photos and sys.stdout.isatty() else "PHOTOS"
    of = f"{shlex.quote(run)} {photo.safe_id} {named}"
    lines = []
    for number in photo.asked:
        area = next(a for a in photo.areas if a.number == number)
        lines += [f"{o.words}: medimg {_command(o.choice).format(of=of, number=number)}" for o in area.choices]
    if not photo.copy and photo.state == PhotoState.HELD:
        lines.append(tr("Crop it:  medimg crop {of} --box X,Y,W,H", of=of))
    return lines


def _command(choice: Choice) -> str:
    return _COMMANDS.get(choice, f"show {{of}} --area {{number}} --why {choice}")


def _say_next(opened: OpenRun, listed: list[Photo], run: str) -> None:
    """What to do next, in one sentence; where everything is released, that it may be attached."""
    settled = any(p.copy for p in listed) and not any(p.asked or p.waits for p in listed)
    if settled and not run_common.unreleased(opened):
        run_common.say_attach(opened)
    else:
        common.say(_next(listed, run))


def _next(listed: list[Photo], run: str) -> str:
    if any(p.asked for p in listed) or not any(p.copy for p in listed):
        return tr(
            "Next: decide what is asked above (what stays held is not shared), then look at all copies at full size."
        )
    if any(p.waits for p in listed):
        return tr("Next: have the decisions applied: medimg apply {run} PHOTOS", run=run)
    if any(not p.looked and p.copy for p in listed):
        return tr("Next: open every copy at full size, then answer and release: medimg answer {run}", run=run)
    return tr("Next: answer and release: medimg answer {run}", run=run)


@click.command()
@_photo_arguments
@click.option("--box", type=BOX, metavar="X,Y,W,H", help="Cover this box, in pixels of the upright picture.")
@click.option("--area", type=click.IntRange(min=1), metavar="N", help="Cover area N of 'medimg review'.")
@click.option("--carrier", type=click.IntRange(min=1), metavar="N", help="Cover all of thing N, not only its lines.")
@click.option("--face", type=click.IntRange(min=1), metavar="N", help="Cover face N from brow to chin alone.")
def cover(
    run: Path,
    photo: str,
    photos: tuple[Path, ...],
    box: tuple[int, int, int, int] | None,
    area: int | None,
    carrier: int | None,
    face: int | None,
    **settings: Any,
) -> int:
    """Cover an area of one photo of a run: a box that you give, or something that was found.

    With PHOTOS, the files and folders the run was made from, the copy is made again and checked again at once. Without,
    the decision waits for 'medimg apply'. PHOTO is a safe id such as P01-001.
    """
    if sum(x is not None for x in (box, area, carrier, face)) != 1:
        raise UsageError("say what to cover: one of --box, --area, --carrier and --face.")
    if box is not None:
        deciding.cover_box(run, photo, box, photos)
    elif area is not None:
        deciding.cover_area(run, photo, area)
    elif carrier is not None:
        deciding.cover_area(run, photo, carrier, carrier=True)
    elif face is not None:
        deciding.choose(run, photo, face, Choice.FACE_ALONE)
    return _applied(run, photo, photos, **settings)


@click.command()
@_photo_arguments
@click.option("--area", type=click.IntRange(min=1), required=True, metavar="N", help="Area N of 'medimg review'.")
@click.option("--why", type=click.Choice(get_args(Why)), required=True, help="Why it may be seen; for the record.")
def show(run: Path, photo: str, photos: tuple[Path, ...], area: int, why: Why, **settings: Any) -> int:
    """Show an area of one photo of a run that was covered or asked about, and say why.

    With PHOTOS, the files and folders the run was made from, the copy is made again and checked again at once. Without,
    the decision waits for 'medimg apply'. PHOTO is a safe id such as P01-001.
    """
    if deciding.show_area(run, photo, area, why):
        shown = common.shown(run)
        common.say(
            tr(
                "{photo}: decided; its copy shows it so already. Next: look, answer and release: medimg answer {run}",
                photo=photo,
                run=shown,
            )
        )
        return EXIT_CODES["review"]
    return _applied(run, photo, photos, **settings)


@click.command()
@_photo_arguments
@click.option("--box", type=BOX, metavar="X,Y,W,H", help="Keep this box, in pixels of the upright picture.")
@click.option("--beside", type=click.IntRange(min=1), metavar="N", help="Keep the largest part beside face N.")
@click.option("--whole", is_flag=True, help="Keep the whole picture again.")
def crop(
    run: Path,
    photo: str,
    photos: tuple[Path, ...],
    box: tuple[int, int, int, int] | None,
    beside: int | None,
    whole: bool,
    **settings: Any,
) -> int:
    """Keep only a part of one photo of a run. What lies outside needs no cover.

    With PHOTOS, the files and folders the run was made from, the copy is made again and checked again at once. Without,
    the decision waits for 'medimg apply'. PHOTO is a safe id such as P01-001.
    """
    if (box is not None) + (beside is not None) + whole != 1:
        raise UsageError("say what to keep: one of --box, --beside and --whole.")
    if beside is not None:
        deciding.choose(run, photo, beside, Choice.BESIDE)
    else:
        deciding.crop(run, photo, box, photos)
    return _applied(run, photo, photos, **settings)


def _applied(
    run: Path,
    photo: str,
    photos: tuple[Path, ...],
    *,
    policy_file: Path | None,
    known_file: Path | None,
    workers: int | None,
) -> int:
    """Have the decision applied where the original can be found; what became of it, and what to do next."""
    shown = common.shown(run)
    if not photos:
        common.say(tr("{photo}: decided. Next: have it applied: medimg apply {run} PHOTOS", photo=photo, run=shown))
        return EXIT_CODES["review"]
    outcome = applying.apply(
        run,
        photos,
        only={photo},
        policy=Policy.load(policy_file) if policy_file else None,
        known=common.read_known(known_file),
        workers=workers,
    )
    return say_applied(outcome, shown)


def say_applied(outcome: applying.Applied, run: str, *, as_json: bool = False) -> int:
    """What became of decisions, and what to do next; the exit code."""
    held = any(r.copy is None for r in outcome.reports.values())
    if as_json:
        made = {i: {"state": r.state, "code": r.error_code, "reason": r.reason} for i, r in outcome.reports.items()}
        left = {i: {"code": e.code, "reason": e.what} for i, e in outcome.left.items()}
        common.say_json({"schema": "medimg.apply/1", "made": made, "left": left})
    else:
        _say_became(outcome, run, held=held)
    codes = {error.exit_code for error in outcome.left.values()} | ({EXIT_CODES["hold"]} if held else set())
    return max(codes, default=EXIT_CODES["review"] if outcome.reports else 0)


def _say_became(outcome: applying.Applied, run: str, *, held: bool) -> None:
    for line in became(outcome):
        common.say(line)
    if not outcome.reports and not outcome.left:
        common.say(tr("No decision waits: every copy shows what was decided."))
    elif held:
        common.say(tr("Next: decide what still holds a photo: medimg review {run}", run=run))
    elif outcome.reports:
        common.say(tr("Next: look at the new copy at full size, then answer and release: medimg answer {run}", run=run))


def became(outcome: applying.Applied) -> list[str]:
    """What became of each decision, one line a photo."""
    made = [f"{safe_id}: {_became(report)}" for safe_id, report in sorted(outcome.reports.items())]
    left = [
        tr("{photo}: not applied: {why}", photo=i, why=f"{said(error.what)} {said(error.todo)}").rstrip()
        for i, error in sorted(outcome.left.items())
    ]
    return made + left


def _became(report: Report | MedimgError) -> str:
    if isinstance(report, MedimgError):
        return tr("not applied: {what}", what=said(report.what))
    return (
        tr("the copy was made again and passed every check")
        if report.copy
        else tr("held: {reason}", reason=said(report.reason))
    )
