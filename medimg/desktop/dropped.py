"""What was dropped: paths out of a drag, and which of the files are pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

import msgspec
from PySide6.QtCore import QMimeData

from medimg import formats
from medimg.errors import MedimgError
from medimg.formats import refused
from medimg.run import scan

SHOWN = 24
"""Pictures that are shown small as they are dropped."""
MOST_NAMED = 2000
"""Names that are kept of files that are not pictures."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in what was dropped. Names are for the window alone; they are written nowhere.

    Attributes:
        pictures: Files whose content begins like a picture that is handled.
        others: Names of files that are no such pictures.
        unread: Names of files that could not be opened.
        gone: How many of the things dropped are not there any more.
        messages: How many of the others are e-mail messages, which may have photos in them.
        packed: How many of the others are archives (zip), likewise.
        first: The first of the pictures, to be shown.
    """

    pictures: int = 0
    others: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    gone: int = 0
    messages: int = 0
    packed: int = 0
    first: tuple[Path, ...] = ()


MESSAGE = ("FileGroupDescriptor", "message/rfc822", "text/x-moz-message", "x-outlook")
"""What stands in the names of the formats of a drag out of a mail program that gives no files: Outlook (Windows shell
clipboard formats, CFSTR_FILEDESCRIPTOR), Thunderbird."""
_MAIL = (".eml", ".msg", ".emlx", ".mbox", ".mht")
_PACKED = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")


def is_message(mime: QMimeData) -> bool:
    """Whether something of a mail program is dragged, without files."""
    return not paths(mime) and any(mark in name for name in mime.formats() for mark in MESSAGE)


def paths(mime: QMimeData) -> list[Path]:
    """The files and folders of a drag. Names that are not UTF-8 are taken as they are; web addresses are passed by."""
    if sys.platform.startswith("linux") and mime.hasFormat("text/uri-list"):
        out = []
        for line in bytes(mime.data("text/uri-list").data()).splitlines():
            if not line or line.startswith(b"#"):
                continue
            scheme, _, rest = line.strip().partition(b"://")
            host, slash, path = rest.partition(b"/")
            if scheme.lower() == b"file" and host in (b"", b"localhost"):
                out.append(Path(os.fsdecode(unquote_to_bytes(slash + path))))
        return out
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def look(things: Sequence[Path], stop: Callable[[], bool] = lambda: False) -> Looked:
    """Count the pictures by their first bytes; nothing is decoded.

    Args:
        things: Files and folders.
        stop: Asked before every file.
    """
    there = [t for t in things if _there(t)]
    pictures = messages = packed = 0
    others: list[str] = []
    unread: list[str] = []
    first: list[Path] = []
    for path in _files(there):
        if stop():
            break
        try:
            with path.open("rb") as file:
                head = file.read(formats.HEAD)
        except OSError:
            unread.append(path.name)
            continue
        if formats.sniff(head):
            pictures += 1
            if len(first) < SHOWN:
                first.append(path)
        else:
            others.append(path.name)
            kind = refused.recognise(head)
            if path.suffix.lower() in _MAIL or (kind and kind.name in ("an e-mail message", "an Outlook message")):
                messages += 1
            elif path.suffix.lower() in _PACKED or (not path.suffix and kind and kind.kind == "archive"):
                packed += 1
    return Looked(
        pictures=pictures,
        others=tuple(others[:MOST_NAMED]),
        unread=tuple(unread[:MOST_NAMED]),
        gone=len(things) - len(there),
        messages=messages,
        packed=packed,
        first=tuple(first),
    )


def readable(name: str) -> str:
    """A name for the window: what cannot be shown is escaped."""
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)


def short(folder: Path) -> str:
    """A folder for the window, with ``~`` for the person's own one where that is usual."""
    if os.name == "posix" and folder.is_relative_to(Path.home()) and folder != Path.home():
        return readable(f"~/{folder.relative_to(Path.home())}")
    return readable(str(folder))


def _there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _files(things: Sequence[Path]) -> Iterable[Path]:
    try:
        roots = scan.roots(list(things)) if things else []
    except MedimgError:
        return
    for item in scan.Scan(roots).items():
        yield Path(os.fsdecode(os.path.join(roots[item.root].folder, item.path)))  # noqa: PTH118 - bytes
