"""The language of the command line, and its help in it."""

from __future__ import annotations

import inspect

import click

from medimg import words
from medimg.words import mark, said

_CLICK = (
    mark("Usage:"),
    mark("Options"),
    mark("Commands"),
    mark("Show this message and exit."),
    mark("Show the version and exit."),
    mark("default: {default}"),
    mark("required"),
)
"""What click itself says in a help."""


def given(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """``--language`` before a command."""
    if value is not None:
        choose(value, ctx.command)


def choose(language: str | None, cli: click.Command) -> None:
    """Speak a language from here on: the one that is named, else the one that was chosen, else the computer's.

    Args:
        language: Its code, or None.
        cli: The command ``medimg``, whose help was made before the language was known.
    """
    if language is not None and language not in words.LANGUAGES:
        raise click.BadParameter(
            "it is none of the languages", param=next(p for p in cli.params if p.name == "language")
        )
    words.use(language or words.usual())
    translated(cli)


def translated(command: click.Command) -> click.Command:
    """A command with its help in the language of this process; what is English stays as it is."""
    if words.current() == words.ENGLISH:
        return command
    for module in (click.core, click.formatting, click.decorators, click.exceptions):
        vars(module)["_"] = words.tr
    command.help = said(inspect.cleandoc(command.help or "").partition("\f")[0].strip())
    command.epilog = said(command.epilog or "") or None
    for param in (*command.params, *filter(None, [getattr(command, "_help_option", None)])):  # made on first use
        if isinstance(param, click.Option) and param.help:
            param.help = said(param.help)
    for one in getattr(command, "commands", {}).values():
        translated(one)
    return command
