"""What several commands share: options, the caller's known values, words."""

from __future__ import annotations

import hmac
import math
import os
import secrets
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from medimg import words
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import DEFAULT_AUDIENCE, country
from medimg.errors import MissingPart, UsageError
from medimg.plain import printable, printable_json
from medimg.policy import LEAST_SIDE, MOST_SIDE, Policy
from medimg.run import known, scan, storage
from medimg.system import files, host
from medimg.types import NOTHING_KNOWN, KnownValues
from medimg.words import mark

if TYPE_CHECKING:  # with all that opens a photo, and asyncio: most commands need none of it
    from medimg.engine.pool import Workers
    from medimg.engine.worker import Job

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)


class Finite(click.FloatRange):
    """A number in a range; "nan" and "inf" are none, though they pass for a ``float`` that is not below a bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(mark("a number is asked for."), param, ctx)


class _Word(click.ParamType[str]):
    """One of some words, however it is written in capitals; the words are read when they are needed."""

    name = "word"

    def __init__(self, words: Callable[[], Sequence[str]], read: Callable[[str], str]) -> None:
        self._words, self._read = words, read

    @property
    def choices(self) -> list[str]:
        """What can be said."""
        return list(self._words())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word; several with commas stay together."""
        parts = [self._read(p) for p in str(value).replace(",", " ").split()]
        if not parts or not set(parts) <= set(self.choices):
            raise Unfit(str(value), self.choices, ctx, param)
        return ",".join(parts)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """The words that begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(w) for w in self.choices if w.lower().startswith(incomplete.lower())]


class Unfit(click.BadParameter):
    """A word that is none of those that can be said. Its message does not quote it; on a terminal ``typed`` may be."""

    def __init__(
        self, typed: str, choices: Sequence[str], ctx: click.Context | None, param: click.Parameter | None
    ) -> None:
        super().__init__("it is none of the words that can be said", ctx=ctx, param=param)
        self.typed, self.choices = typed, list(choices)


AUDIENCE = _Word(lambda: list(ChecklistDefinition.load().audiences), str.lower)
COUNTRY = _Word(lambda: list(ChecklistDefinition.load().jurisdictions), country)


def sharing_options(command: F) -> F:
    """``--audience`` and ``--where``, with the values that they take."""
    known = ChecklistDefinition.load()
    command = click.option(
        "--where",
        multiple=True,
        type=COUNTRY,
        metavar="COUNTRY",
        help=f"Ask this country's questions: {', '.join(known.jurisdictions)}. All when not given.",
    )(command)
    return click.option(
        "--audience",
        type=AUDIENCE,
        default=DEFAULT_AUDIENCE,
        show_default=True,
        metavar="WHO",
        help=f"For whom the copies are: {', '.join(known.audiences)}.",
    )(command)


def out_option(command: F) -> F:
    """``--out``."""
    return click.option(
        "-o",
        "--out",
        type=PLACE,
        metavar="OUT",
        help="Where the run folder is made; when not given, in medimg-runs beside the folder of the photos.",
    )(command)


def as_option(command: F) -> F:
    """``--as``."""
    return click.option(
        "--as",
        "save_as",
        type=click.Choice(["jpeg"], case_sensitive=False),
        help="Save covered copies of HEIC and AVIF photos as JPEG, a half to a third of the size of the exact PNG.",
    )(command)


def suggest_option(command: F) -> F:
    """``--suggest-groups``."""
    return click.option(
        "--suggest-groups", is_flag=True, help="Suggest patients by gaps in time and wristband codes; you decide."
    )(command)


def side_option(command: F) -> F:
    """``--max-side``."""
    return click.option(
        "--max-side",
        type=click.IntRange(LEAST_SIDE, MOST_SIDE),
        callback=lambda _ctx, _param, value: value or 0,
        metavar="N",
        help="Make larger pictures smaller before they are looked at: JPEG, N pixels on the longest side. For chats.",
    )(command)


def loudness_options(command: F) -> F:
    """``--quiet`` and ``--verbose``."""
    command = click.option("-q", "--quiet", is_flag=True, help="Say only what to do next.")(command)
    return click.option("-v", "--verbose", is_flag=True, help="A line for every photo as it is done.")(command)


def countries(where: Sequence[str]) -> tuple[str, ...]:
    """Every country that was named, one by one."""
    return tuple(c for given in where for c in given.split(","))


class _Place(click.ParamType[Path | str]):
    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:  # noqa: ARG002
        """A URL stays as it is: a path would lose one of its slashes."""
        _heard(value, ctx)
        return value if isinstance(value, str) and storage.is_url(value) else Path(storage.plain(os.fspath(value)))


def dicom_key() -> bytes:
    """For new identifiers of a server: the same from one start to the next, so that what is sent again is known."""
    from medimg.engine.incremental import site_key

    own = site_key()
    return hmac.digest(own, b"dicom-node", "sha256") if own else secrets.token_bytes(32)


def refuse_to_serve() -> None:
    """For commands that make a server of this computer.

    Raises:
        MissingPart: medimg does not do that on this system.
    """
    if not host.SERVES:
        raise MissingPart("this command is for Linux and macOS.")


class _Photos(click.ParamType[Path]):
    name = "photos"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """A path."""
        _heard(value, ctx)
        return Path(value)


def _heard(value: Any, ctx: click.Context | None) -> None:
    """Remember a name for an error on the terminal on which it was typed, and for nothing else."""
    if ctx is not None and isinstance(ctx.obj, list):
        ctx.obj.append(os.fspath(value))


PHOTOS = _Photos()
"""A file or folder of photos."""
PLACE = _Place()
"""A path, or the URL of a folder."""


def policy_options(command: F) -> F:
    """``--policy`` and ``--metadata-only``."""
    command = click.option(
        "--policy", "policy_file", type=FILE, metavar="FILE", help="Settings, instead of the shipped ones."
    )(command)
    return click.option(
        "--metadata-only", is_flag=True, help="Leave text, codes and faces unchecked; the report says so."
    )(command)


def small_faces_option(command: F) -> F:
    """``--small-faces``."""
    return click.option(
        "--small-faces", is_flag=True, help="Also look for small bystanders, in a larger picture; slower."
    )(command)


def known_option(command: F) -> F:
    """``--known``."""
    return click.option(
        "--known",
        "known_file",
        type=FILE,
        metavar="FILE",
        help="Names, numbers and dates to look for: TOML or JSON with the lists names, numbers, dates, or CSV with "
        "columns such as name, MRN, DOB. - reads stdin.",
    )(command)


def workers_option(command: F) -> F:
    """``--workers``."""
    from medimg.engine.pool import MOST_WORKERS

    return click.option(
        "--workers",
        type=click.IntRange(1, MOST_WORKERS),
        metavar="N",
        help="How many processes; when not given, as many as suit this computer.",
    )(command)


def read_policy(path: Path | None, metadata_only: bool, small_faces: bool = False) -> Policy:
    """The settings of a command; ``small_faces`` sets ``faces.small``, whatever the file says.

    Raises:
        UsageError: The file is not a policy.
    """
    policy = Policy.load(path)
    if small_faces:
        policy = msgspec.structs.replace(policy, faces=msgspec.structs.replace(policy.faces, small=True))
    return msgspec.structs.replace(policy, scope="metadata-only") if metadata_only else policy


def read_known(path: Path | None) -> KnownValues:
    """The values the caller knows, from a file or from standard input; kept in memory only.

    Raises:
        UsageError: The file is not of that form. It is not quoted.
    """
    if path is None:
        return NOTHING_KNOWN
    try:
        return known.known_values(given(path))
    except OSError as error:
        raise UsageError("the file of known values could not be read.") from error


def given(path: Path) -> bytes:
    """A file that was named, or standard input for ``-``.

    Raises:
        OSError: It may not be read, or is longer than any such file is.
    """
    if os.fspath(path) == "-":
        return files.bounded(sys.stdin.buffer, files.VALUES)
    return files.read_named(path, files.VALUES)


def jobs(paths: Sequence[Path]) -> list[tuple[Job, bytes]]:
    """The files of a command that writes nothing: numbered in the order they were named, with their readable names.

    Raises:
        UsageError: Something named is not there.
    """
    from medimg.engine.worker import Job

    found: list[tuple[Job, bytes]] = []
    roots = scan.roots(list(paths))
    listing = scan.Scan(roots)
    for item in sorted(listing.items(), key=lambda i: (i.root, i.path)):
        root = roots[item.root]
        folders = Path(os.fsdecode(item.path)).parts[:-1]
        found.append(
            (
                Job(
                    path=os.path.join(root.folder, item.path),  # noqa: PTH118 - bytes
                    safe_id=f"photo {len(found) + 1}",
                    folders=folders if root.only else (Path(os.fsdecode(root.folder)).name, *folders),
                ),
                item.path,
            )
        )
    if not found:
        raise UsageError(listing.nothing().what, todo="Name photos, or a folder with photos.")
    return found


def pool(policy: Policy, known: KnownValues, count: int, workers: int | None) -> Workers:
    """Workers for a command that writes nothing."""
    from medimg.engine.pool import Workers, suitable_workers
    from medimg.engine.worker import Setup

    return Workers(Setup(policy=policy, known=known), min(workers or suitable_workers(), count))


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print lines; what is not printable in them is escaped, so that no name and no note steers the terminal."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=err, nl=nl)


def say_prose(text: str, indent: int = 2) -> None:
    """Print one line of words, on a terminal wrapped between them. A command is printed by ``say``: it is copied."""
    for line in wrapped(printable(text), indent):
        click.echo(line)


def wrapped(text: str, indent: int = 0) -> list[str]:
    """A text as lines: on a terminal wrapped between words, the later ones indented; anywhere else as it is."""
    if not sys.stdout.isatty() or not text:
        return [text]
    width = max(20, shutil.get_terminal_size().columns - 1)
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * indent,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
        expand_tabs=False,
    ) or [text]


def say_json(record: Any) -> None:
    """Print a record as one line of JSON, in which what is not printable is escaped as well."""
    click.echo(printable_json(msgspec.json.encode(record).decode()))


def shown(path: Path) -> str:
    """A path for people; what is not printable in it is escaped, also a line end, which would forge a line."""
    return printable(told(path))


def told(path: Path) -> str:
    """A path for programs; bytes that are no UTF-8 are escaped."""
    return scan.readable(os.fsencode(path))


def plural(count: int, one: str, many: str = "") -> str:
    """``1 photo``, ``2 photos``."""
    return words.many(f"{{n}} {one}", f"{{n}} {many or one + 's'}", count)


def duration(seconds: float) -> str:
    """A time that is only an estimate: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
