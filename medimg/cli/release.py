"""``medimg release``: move answered copies to the share folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from medimg.cli import run_common
from medimg.errors import UsageError
from medimg.report.build import audience_words
from medimg.report.words import REMAINING_RISK
from medimg.run import release as releasing
from medimg.run.folder import SHARE_FOLDER
from medimg.run.opened import OpenRun
from medimg.words import many, tr


@click.command()
@run_common.run_argument
@click.argument("groups", nargs=-1, metavar="[PATIENT]...")
@run_common.recipients_option
@run_common.role_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask once more.")
@run_common.register_option
@run_common.json_option
@click.pass_context
def release(
    ctx: click.Context,
    run: Path,
    groups: tuple[str, ...],
    recipients: str,
    role: str,
    yes: bool,
    register_file: Path | None,
    as_json: bool,
) -> None:
    """Move the copies of answered patients from unreviewed/ to share/.

    A patient is released when all blocking questions are answered, a person has opened every copy at full size, and it
    is written down with whom and by whom the copies are shared. Without PATIENT: every patient who is answered. Nothing
    is sent.
    """
    if as_json and not yes:
        raise UsageError("--json asks nothing: add --yes.")
    opened, results = run_common.opened(run)
    wanted = opened.groups(groups)
    answered = [g for g in wanted if results[g].overall == "answered"]
    ready = [g for g in answered if recipients or _unreleased(opened, g)]
    state = opened.state
    if not as_json:
        for group in wanted:
            if group not in answered:
                run_common.say({group: results[group]}, state, most=run_common.MOST)
    if ready:
        recipients = recipients.strip() or _ask_recipients(opened, ready)
        role = role.strip() or _ask_role(opened, ready)
        if not as_json:
            _last_look(ready, state.context.audience, yes)
        register = run_common.register(register_file)
        state = releasing.release(opened, results, ready, register, role=role, recipients=recipients)
        run_common.written(opened, state)
    mine = {g: results[g] for g in wanted}
    if as_json:
        run_common.say_json("release", mine, state, moved=ready)
    elif ready:
        _say_released(opened, ready)
    elif len(answered) == len(wanted):
        click.echo(tr("Everything that was asked for is released already."))
    ctx.exit(run_common.exit_code(mine))


def _say_released(opened: OpenRun, ready: list[str]) -> None:
    """What lies in ``share/`` now, and how to share it well."""
    for group in ready:
        count = len(releasing.in_share(opened, group).lying)
        click.echo(
            many(
                "{group}: {n} copy in {folder}/.",
                "{group}: {n} copies in {folder}/.",
                count,
                group=group,
                folder=SHARE_FOLDER,
            )
        )
    run_common.say_share_well(opened)
    run_common.say_attach(opened)


def _unreleased(opened: OpenRun, group: str) -> bool:
    """Whether a group has a copy that is not released, or that does not lie in ``share/`` as it was released."""
    lying = opened.state.released_names(group) & releasing.in_share(opened, group).lying
    return any(r.copy is not None and r.copy.name not in lying for r in opened.of(group))


def _ask_recipients(opened: OpenRun, ready: list[str]) -> str:
    """With whom, where it is not written down yet and somebody is there to be asked; empty to keep what is known."""
    unsaid = [g for g in ready if not opened.state.recipients.get(g, "").strip()]
    if not unsaid or not sys.stdin.isatty():
        return ""
    if unsaid != ready:
        raise UsageError(
            f"with whom it is shared is not written down for: {', '.join(unsaid)}. Nothing was moved.",
            todo="Name those patients, with --to WORDS.",
        )
    words: str = click.prompt(tr("With whom will it be shared? For the private part and the register alone"))
    return words.strip()


def _ask_role(opened: OpenRun, ready: list[str]) -> str:
    """By whom, where no answer says it and somebody is there to be asked; empty to keep what is known."""
    if all(releasing.role_of(opened.state, g) for g in ready) or not sys.stdin.isatty():
        return ""
    words: str = click.prompt(tr("Your role, not your name. For the private part and the register alone"))
    return words.strip()


def _last_look(ready: list[str], audience: str, yes: bool) -> None:
    """The last screen: who will see it, and that copies cannot be called back. No is the default."""
    click.echo(
        tr(
            "To be released: {ready}. It will be seen by: {whom}.",
            ready=", ".join(ready),
            whom=audience_words(audience),
        )
    )
    click.echo(tr(REMAINING_RISK))
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm the release. Nothing was moved.", todo="Add --yes.")
    if not click.confirm(tr("If in doubt, leave it out. Release?"), default=False):
        raise click.Abort
