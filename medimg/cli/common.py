"""What several commands share: options, the caller's known values, words."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from medimg.engine.pool import Workers, suitable_workers
from medimg.engine.worker import Job, Setup
from medimg.errors import MissingPart, UsageError
from medimg.plain import printable, printable_json
from medimg.policy import Policy
from medimg.run import scan, storage
from medimg.system import host
from medimg.types import NOTHING_KNOWN, KnownValues

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)


class _Place(click.ParamType[Path | str]):
    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:  # noqa: ARG002
        """A URL stays as it is: a path would lose one of its slashes."""
        return value if isinstance(value, str) and storage.is_url(value) else Path(value)


def refuse_to_serve() -> None:
    """For commands that make a server of this computer.

    Raises:
        MissingPart: medimg does not do that on this system.
    """
    if not host.SERVES:
        raise MissingPart("this command is for Linux and macOS.")


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
        help="Names, numbers and dates to look for: TOML or JSON with the lists names, numbers, dates. - reads stdin.",
    )(command)


def workers_option(command: F) -> F:
    """``--workers``."""
    return click.option(
        "--workers", type=click.IntRange(min=1), metavar="N", help="Processes; as many as suit when not given."
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
        data = sys.stdin.buffer.read() if os.fspath(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError("the file of known values could not be read.") from error
    read: Callable[..., dict[str, list[str]]] = (
        msgspec.json.decode if data.lstrip().startswith(b"{") else msgspec.toml.decode
    )
    try:
        lists = read(data, type=dict[str, list[str]])
        if not lists or not set(lists) <= {"names", "numbers", "dates"}:
            raise ValueError
    except ValueError as error:  # its text may quote a value
        raise UsageError(
            "the file of known values must hold the lists names, numbers and dates, all of them texts."
        ) from error
    return KnownValues(**{key: tuple(values) for key, values in lists.items()})


def jobs(paths: Sequence[Path]) -> list[tuple[Job, bytes]]:
    """The files of a command that writes nothing: numbered in the order they were named, with their readable names.

    Raises:
        UsageError: Something named is not there.
    """
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
    return Workers(Setup(policy=policy, known=known), min(workers or suitable_workers(), count))


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print lines; what is not printable in them is escaped, so that no name and no note steers the terminal."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=err, nl=nl)


def say_json(record: Any) -> None:
    """Print a record as one line of JSON, in which what is not printable is escaped as well."""
    click.echo(printable_json(msgspec.json.encode(record).decode()))


def shown(path: Path) -> str:
    """A path for people and programs; bytes that are no UTF-8 are escaped."""
    return scan.readable(os.fsencode(path))


def plural(count: int, one: str, many: str = "") -> str:
    """``1 photo``, ``2 photos``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A time that is only an estimate: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
