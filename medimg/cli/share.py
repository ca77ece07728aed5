"""``medimg share``: from photos to released copies in one command, which goes on where it was left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from medimg.cli import _page, _walk, clean, common, decide, progress, run_common
from medimg.consent.site import SiteProfile
from medimg.engine import apply as applying
from medimg.engine import deciding
from medimg.engine.batch import Hooks, Outcome, scrub_folder
from medimg.errors import Interrupted, UsageError
from medimg.run.folder import RunFolder
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.run.request import RunRequest
from medimg.system import stops
from medimg.words import tr

_MOST = 3
"""Open questions that are named: the same command goes on with them."""


@click.command()
@click.argument("photos", nargs=-1, required=True, type=common.PLACE)
@common.out_option
@common.sharing_options
@common.policy_options
@common.small_faces_option
@common.known_option
@common.as_option
@common.side_option
@click.option("--group-by", default="folder", show_default=True, metavar="folder|file|CSV", help="What is one patient.")
@common.suggest_option
@common.workers_option
@click.option("--no-window", is_flag=True, help="Do not open the window for the look.")
@common.loudness_options
@run_common.role_option
@run_common.register_option
@click.pass_context
def share(
    ctx: click.Context,
    /,
    photos: tuple[Path | str, ...],
    out: Path | None,
    audience: str,
    where: tuple[str, ...],
    policy_file: Path | None,
    metadata_only: bool,
    small_faces: bool,
    known_file: Path | None,
    save_as: Literal["jpeg"] | None,
    suggest_groups: bool,
    no_window: bool,
    quiet: bool,
    verbose: bool,
    role: str,
    register_file: Path | None,
    **more: Any,
) -> None:
    """From photos to released copies in one go: clean, look, answer, release. Run it again to go on.

    The look is in the window where there is one, else on a page in a browser or in your own program for pictures.
    Every step is kept: stop at any time, and give the same command again. Nothing is sent.

    Exit code: 0 everything is released or answered, 11 questions are open, 12 a patient is at a stop, 20 a photo is on
    hold.
    """
    policy = common.read_policy(policy_file, metadata_only, small_faces)
    request = RunRequest(
        photos=photos,
        out=out,
        policy=policy,
        audience=audience,
        where=common.countries(where),
        known=common.read_known(known_file),
        save_as=save_as or "",
        resume=True,
        site=SiteProfile.installed(),
        **more,
    )
    codes = [0]
    for run in _cleaned(request, suggest=suggest_groups, light=metadata_only, quiet=quiet, verbose=verbose):
        places = [p for p in photos if isinstance(p, Path)]
        register = run_common.register(register_file)
        page = partial(_page.serve, run.parent, policy, register, run=run, places=places)
        _look(run, places, page, window=not no_window and policy_file is None)
        remake = partial(_made_again, photos=places, request=request)
        codes.append(_answered(run, role, register, remake))
    ctx.exit(max(codes))


def _cleaned(request: RunRequest, *, suggest: bool, light: bool, quiet: bool, verbose: bool) -> list[Path]:
    """The runs these photos are in: one that is made now, and those of an earlier call."""
    stops.as_interrupt()
    shown = progress.telling(quiet=quiet, verbose=verbose)
    try:
        confirm = clean.confirm_groups if suggest else None
        outcome = scrub_folder(request, hooks=Hooks(progress=shown.tell, confirm=confirm))
    except Interrupted:
        shown.stop()
        raise
    shown.stop()
    if outcome.photos and not quiet:
        clean.say(outcome, light, sheets=False)
    return _runs(outcome)


def _runs(outcome: Outcome) -> list[Path]:
    out = outcome.folder.parent
    earlier = [RunFolder.of(out, tag).path for tag in outcome.unchanged]
    return [*(p for p in earlier if p != outcome.folder), outcome.folder]


def _look(run: Path, photos: Sequence[Path], page: Callable[[], None], *, window: bool) -> None:
    """The look at every copy that nobody opened yet, and at what holds a photo."""
    left = [p for p in deciding.photos(open_run(run)) if not p.looked]
    if not left:
        return
    if window and sys.stdin.isatty() and _window(run, photos):
        return
    folder = common.shown(run)
    common.say(tr("Look at every copy at full size, in a program that shows pictures:"))
    names = run_common.own_names(run, [p.safe_id for p in left], photos)
    for photo in left:
        decide.say_photo(photo, folder, photos, areas="asked", name=names.get(photo.safe_id, ""))
    common.say(tr("What was found in each, and where: medimg review {folder}", folder=folder))
    common.say()
    if sys.stdin.isatty() and sys.stdout.isatty():
        common.say(tr("To decide about a photo first: Ctrl-C, the command above, then this one again; it goes on."))
        common.say(tr("To see and answer it in a browser on this computer instead: type p, then Enter."))
        typed = click.prompt(tr("Press Enter when you have looked"), default="", show_default=False)
        if typed.strip().lower() == "p":
            page()


def _window(run: Path, photos: Sequence[Path]) -> bool:
    """Open the window until it is closed; False when there is none here."""
    try:
        from medimg.desktop import app
    except ImportError:
        return False
    try:
        app.run([run], list(photos))
    except UsageError:  # no screen
        return False
    return True


def _made_again(run: Path, *, photos: Sequence[Path], request: RunRequest) -> list[str]:
    """Have the copies made again that do not show yet what was decided."""
    common.say(tr("Making the copy again, and checking it ..."))
    outcome = applying.apply(run, photos, policy=request.policy, known=request.known, workers=request.workers)
    return decide.became(outcome)


def _answered(run: Path, role: str, register: Register, remake: _walk.Remake) -> int:
    """The acts up to the release, and what is to be done next in one sentence."""
    opened, _ = run_common.opened(run)
    if none := run_common.say_no_copy(opened, run):
        return none
    before, opened = opened, _walk.walk(opened, opened.groups(), role, register, remake)
    state = opened.state
    results = run_common.written(opened, state)
    run_common.say(results, state, most=_MOST)
    if state.released != before.state.released:
        run_common.say_share_well(opened)
    code = run_common.exit_code(results)
    folder = common.shown(run)
    waiting = run_common.unreleased(opened)
    held = run_common.say_held(opened, run)
    if code:
        common.say(tr("Next: give the same command again; it goes on with what is open."))
    elif waiting:
        common.say(tr("Next: release what is answered: medimg release {folder}", folder=folder))
    else:
        run_common.say_attach(opened)
    return max(code, 20 if held else 0)
