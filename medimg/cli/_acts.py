"""The acts on a terminal or in a pipe: one screen each, single keys or arrows where a person sits there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from medimg.acts import Field, Input, Line, Option, Screen
from medimg.cli import common
from medimg.words import tr

_UP, _DOWN, _LEFT = {"\x1b[A", "\x1bOA", "\xe0H"}, {"\x1b[B", "\x1bOB", "\xe0P"}, {"\x1b[D", "\x1bOD", "\xe0K"}
_ENTER = {"\r", "\n", ""}
_STOP = {"q", "\x03", "\x04"}
BACK, SKIP, STOP, EMPTY = "b", "s", "q", "."


class Stopped(Exception):
    """The person goes on later."""


def ask(screen: Screen, notes: Sequence[str] = ()) -> Input:
    """Show a screen, below what became of the one before, and take what a person does on it.

    Raises:
        Stopped: They go on later.
    """
    draw(screen, notes)
    fields = {f.name: "" if typed == EMPTY else typed for f in screen.fields if (typed := _typed(f))}
    if fields.get("caption") and fields["caption"] != _value(screen, "caption"):
        return Input(fields=fields)  # shown again, with what the check found in it
    ticks, key = _keyed(screen)
    return Input(key=key, ticks=ticks, fields=fields)


def draw(screen: Screen, notes: Sequence[str] = ()) -> None:
    """Write a screen. What stood there before is scrolled up, not wiped away."""
    if _alive():
        click.echo("\n" * (_height() - 1) + "\x1b[H\x1b[J", nl=False)
    drawn = sum(_say(note, fg="green") for note in notes) + _say("") + _head(screen)
    drawn += sum(_line(line) for line in screen.lines) + len(screen.fields) + len(screen.ticks) + len(screen.options)
    if _alive() and drawn + 1 > _height():
        _head(screen)  # it is scrolled out of sight: once more below


def _height() -> int:
    """Lines of the window as it is now: the variable LINES is as old as the shell."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines
    except OSError:
        return shutil.get_terminal_size().lines


def _head(screen: Screen) -> int:
    """The title, what went wrong, and the line before the sentences; how many lines it took."""
    drawn = _say(f"{screen.title}  ({screen.place})", bold=True)
    drawn += _say(f"! {screen.trouble}", fg="red") if screen.trouble else 0
    return drawn + (_say(screen.lead) if screen.lead else 0)


def _line(line: Line) -> int:
    mark = {True: "+", False: tr("- NO:"), None: "-"}[line.true]
    drawn = _say(f"  {mark} {line.text}", indent=4, fg="red" if line.true is False else None)
    return drawn + (_say(f"      {line.checks_say}", indent=6, fg="yellow") if line.checks_say else 0)


def _value(screen: Screen, name: str) -> str:
    return next(f.value for f in screen.fields if f.name == name)


def _typed(field: Field) -> str:
    """What is typed; nothing where what stands there is kept. A full stop alone empties it."""
    shown = f" [{field.value}]" if field.value else "" if field.required else tr(" (Enter for none)")
    typed = _read(f"  {field.label}{shown}: ").strip()
    if typed.lower() == STOP:
        raise Stopped
    return typed


def _keyed(screen: Screen) -> tuple[tuple[str, ...], str]:
    """The ticks and the key."""
    ticked = set(screen.ticked)
    if not _alive():
        return _written(screen, ticked)
    at = 0
    rows = [*screen.ticks, *screen.options]
    drawn = 0
    while True:
        drawn = _rows(screen, rows, ticked, at, drawn)
        typed = click.getchar()
        if typed in _UP or typed in _DOWN:
            at = (at + (1 if typed in _DOWN else -1)) % len(rows)
            continue
        if typed in _ENTER and ticked and at < len(screen.ticks):
            return tuple(ticked), _confirm(screen)
        key = rows[at].key if typed in _ENTER or typed == " " else typed.lower()
        if key in {t.key for t in screen.ticks}:
            ticked ^= {key}
            continue
        done = _done(screen, BACK if typed in _LEFT else key)
        if done is not None:
            return tuple(ticked), done


def _confirm(screen: Screen) -> str:
    """Enter takes what is ticked: where conditions are ticked, "0" says that none is."""
    return "" if screen.act.startswith("applies") else "0"


def _done(screen: Screen, key: str) -> str | None:
    if key in _STOP:
        raise Stopped
    named = {BACK: "back", SKIP: "skip"}.get(key, key)
    return named if named in {"back", "skip", *(o.key for o in screen.options)} else None


def _rows(screen: Screen, rows: list[Option], ticked: set[str], at: int, drawn: int) -> int:
    """Write the list anew over the one that stands there; how many lines it has."""
    if drawn:
        click.echo(f"\x1b[{drawn}A\x1b[J", nl=False)
    lines = 0
    for n, row in enumerate(rows):
        blank = " " * len(screen.mark)
        box = f"[{screen.mark if row.key in ticked else blank}] " if n < len(screen.ticks) else ""
        lines += _say(f"{'>' if n == at else ' '} {row.key}  {box}{row.words}", indent=5 + len(box), bold=n == at)
    return lines + _say(tr("  b back   s leave open   q stop"), dim=True)


def _written(screen: Screen, ticked: set[str]) -> tuple[tuple[str, ...], str]:
    """Keys from a line of a pipe: ticks with blanks between, then the key; nothing else is taken."""
    for option in (*screen.ticks, *screen.options):
        _say(f"  {option.key}  {option.words}")
    ticks = {t.key for t in screen.ticks}
    while True:
        typed = _read("  > ").split()
        for key in typed:
            if key in ticks:
                ticked ^= {key}
                continue
            done = _done(screen, key)
            if done is not None:
                return tuple(ticked), done
            _say(tr("Please use one of the keys."))
        if ticked and typed and all(k in ticks for k in typed):
            return tuple(ticked), _confirm(screen)


def _read(prompt: str) -> str:
    click.echo(prompt, nl=False)
    line = sys.stdin.readline()
    if not line:
        raise Stopped
    if not _alive():
        click.echo(line.rstrip("\n"))
    return line.rstrip("\n")


def _alive() -> bool:
    """Whether a person sits at a terminal that can move its cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _say(text: str, *, indent: int = 0, fg: str | None = None, bold: bool = False, dim: bool = False) -> int:
    """Write a text, on a terminal wrapped between words; how many lines it took."""
    lines = common.wrapped(text, indent)
    plain = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
    for line in lines:
        click.echo(line if plain else click.style(line, fg=fg, bold=bold or None, dim=dim or None))
    return len(lines)
