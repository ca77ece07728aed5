"""What is said of wrong use.

What was typed may be a photo's name. It is quoted, escaped, on a terminal alone: to the person who has just typed it.
Into a pipe, a file or a log goes a message that quotes nothing.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable

import click

from medimg.errors import MedimgError, NotThere
from medimg.plain import printable
from medimg.words import mark, tr

_PROGRAMS = ("--json", "--json-lines")
_DASH = mark(" Write -- before a name that begins with a dash.")


def use(error: click.UsageError, cli: click.Group) -> str:
    """What click found wrong.

    Args:
        error: It.
        cli: The command ``medimg``.
    """
    command = error.ctx.command_path if error.ctx else "medimg"
    words = (_quoting(error, cli) if _alone() else "") or _bare(error, cli)
    return tr("{words} '{command} --help' lists what there is. [M-USE]", words=words, command=command)


def told(error: MedimgError, typed: list[str]) -> str:
    """An error of medimg; on a terminal, a name that is not there is quoted.

    Args:
        error: It.
        typed: The files and folders that were named in this call.
    """
    if isinstance(error, NotThere) and 0 < error.number <= len(typed) and _alone():
        name = typed[error.number - 1]
        return tr(
            "{quoted} does not exist. [{code}]", quoted=_quoted(name), code=error.code
        )  # no guess: what lies beside it was not typed by anybody
    return error.told()


def _alone() -> bool:
    """Whether the person who typed reads it on their terminal, and asked for no output for programs."""
    return sys.stderr.isatty() and not set(_PROGRAMS) & set(sys.argv)


def _quoting(error: click.UsageError, cli: click.Group) -> str:
    match error:
        case click.NoSuchOption():
            options = [o for p in error.ctx.command.params for o in p.opts] if error.ctx else []
            return tr(
                "there is no option {quoted}.{nearest}",
                quoted=_quoted(error.option_name),
                nearest=_nearest(error.option_name, options),
            )
        case click.BadParameter() if error.param is not None:
            return _value(error)
        case _ if error.ctx is not None and error.ctx.command is cli and len(sys.argv) > 1:
            name = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
            return (
                tr(
                    "there is no command {quoted}.{nearest}",
                    quoted=_quoted(name),
                    nearest=_nearest(name, cli.list_commands(error.ctx)),
                )
                if name
                else ""
            )
        case _:
            return ""


def _value(error: click.BadParameter) -> str:
    choices, typed = _choices(error), getattr(error, "typed", None) or _given(error)
    if typed is None:
        return ""
    if not choices:
        quoted, name = _quoted(typed), _name(error)
        return tr("{quoted} does not fit {name}. It takes {takes}.", quoted=quoted, name=name, takes=_takes(error))
    return tr(
        "{quoted} does not fit {name}.{nearest} Choose from: {choices}.",
        quoted=_quoted(typed),
        name=_name(error),
        nearest=_nearest(typed, choices),
        choices=", ".join(choices),
    )


def _given(error: click.BadParameter) -> str | None:
    """What stands behind the option in this call; None for what has no option before it."""
    for word, after in zip(sys.argv, [*sys.argv[1:], None], strict=True):
        for option in error.param.opts if error.param is not None else ():
            if option.startswith("-") and word == option:
                return after
            if option.startswith("--") and word.startswith(f"{option}="):
                return word.removeprefix(f"{option}=")
    return None


def _takes(error: click.BadParameter) -> str:
    """What the option takes: its range, or its form as the help has it."""
    if error.param is None:
        return ""
    kind = error.param.type
    if isinstance(kind, click.IntRange | click.FloatRange):
        if kind.min is not None and kind.max is not None:
            return f"{kind.min} - {kind.max}"
        return f">= {kind.min}" if kind.max is None else f"<= {kind.max}"
    return error.param.make_metavar(error.ctx) if error.ctx is not None else ""


def _bare(error: click.UsageError, cli: click.Group) -> str:
    """The same without what the user gave: a photo's name may stand where an option should."""
    match error:
        case click.NoSuchOption():
            return tr("there is no such option.") + ("" if error.ctx and error.ctx.command is cli else tr(_DASH))
        case click.MissingParameter():
            asked = error.param
            name = (
                _name(error) if isinstance(asked, click.Option) else (asked.human_readable_name or "") if asked else ""
            )
            return tr("{name} is missing.", name=name).strip()
        case click.BadOptionUsage():
            return tr("the option {option_name} needs a value.", option_name=error.option_name)
        case click.BadParameter() if error.param is not None:
            choices = _choices(error)
            allowed = tr(" Choose from: {choices}.", choices=", ".join(choices)) if choices else ""
            return tr("the value given for {name} does not fit.{allowed}", name=_name(error), allowed=allowed)
        case _ if error.ctx is not None and error.ctx.command is cli:
            return tr("there is no such command.")
        case _:
            return tr("this is not how the command is used.")


def _name(error: click.BadParameter) -> str:
    return max(error.param.opts, key=len) if error.param is not None and error.param.opts else ""


def _choices(error: click.BadParameter) -> list[str]:
    return list(map(str, getattr(error.param.type, "choices", None) or [])) if error.param is not None else []


def _quoted(typed: str) -> str:
    """What was typed, fit for a terminal: nothing in it steers the terminal or ends the line."""
    return f"'{printable(os.fsencode(typed).decode('utf-8', 'backslashreplace'))}'"


def _nearest(typed: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(typed, list(known), n=1, cutoff=0.6)
    return tr(" Did you mean {quoted}?", quoted=_quoted(near[0])) if near else ""
