"""Which files a batch is about, in which order, under which safe ids."""

from __future__ import annotations

import os
import random
import secrets
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.errors import InputError, NotAPicture, NotThere, Unreadable, UsageError
from medimg.run import litter, storage
from medimg.system import files as _files
from medimg.words import mark

GroupBy = Literal["folder", "file"]

_GONE = os.stat_result((0,) * 10 + (0.0,) * 3 + (0,) * 3)  # with times in nanoseconds, which the short form lacks
_CANNOT_OPEN = mark("the folder could not be opened")


class Root(msgspec.Struct, frozen=True):
    """A folder the photos come from, and the single files of it that were named (none: all of it)."""

    folder: bytes
    only: tuple[bytes, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """One file to be cleaned. ``path`` is relative to its root."""

    root: int
    path: bytes
    safe_id: str
    size: int
    mtime_ns: int
    label: str = ""


class Group(msgspec.Struct, frozen=True):
    """A patient's group: its opaque number, and what a person calls it, for the key alone."""

    number: int
    label: str = ""


class Aside(msgspec.Struct, frozen=True):
    """Something that was found and is not cleaned; ``asked`` when the user may have meant it to be."""

    root: int
    path: bytes
    reason: str
    asked: bool = True


class _Folder(msgspec.Struct):
    root: int
    path: bytes
    count: int


def roots(inputs: Sequence[str | os.PathLike[str] | Root]) -> list[Root]:
    """What the user named, in that order: folders whole, files one by one; URLs are folders. A root stays as it is.

    Raises:
        UsageError: Nothing was named, or something named is not there.
    """
    if not inputs:
        raise UsageError("no photos were named.")
    listed = [i for i in inputs if isinstance(i, Root)]
    found: dict[bytes, list[bytes] | None] = {}
    for number, named_by_user in enumerate(inputs, 1):
        if isinstance(named_by_user, Root):
            continue
        url = os.fsencode(named_by_user)
        if url.startswith(b"memory://"):
            raise UsageError("memory:// lies in the memory of this process, where no worker sees it.")
        if storage.is_url(url):
            found[url.rstrip(b"/")] = None
            continue
        given = Path(storage.plain(os.fspath(named_by_user)))
        try:
            resolved = given.resolve(strict=True)
            path, mode = os.fsencode(resolved), resolved.stat().st_mode
        except (OSError, RuntimeError) as error:
            missing = NotThere(f"number {number} of the files and folders that you named does not exist.")
            missing.number = number
            raise missing from error
        if stat.S_ISDIR(mode):
            found[path] = None
        else:
            # The name that was given counts, not the one a link leads to; its folder is resolved.
            folder = os.fsencode(given.parent.resolve(strict=True))
            named = found.setdefault(folder, [])
            name = os.fsencode(given.name)
            if named is not None and name not in named:
                named.append(name)
    return listed + [Root(folder, tuple(only or ())) for folder, only in found.items()]


class Scan:
    """Walks the roots twice: first to count and to draw the numbers, then to list every file.

    Links are not followed: what they lead to lies outside the folders named, or is there anyway.

    Args:
        roots: The folders, and the files of them that were named. The folder may be a URL (:mod:`storage`).
        group_by: What is one group when ``groups`` does not say it.
        groups: Root and path -> group.
        skip: Root and path of photos that are left out.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        group_by: GroupBy = "folder",
        groups: Mapping[tuple[int, bytes], Group] | None = None,
        skip: Collection[tuple[int, bytes]] = (),
    ) -> None:
        self._roots = roots
        self._skip = skip
        self._far: dict[int, storage.Listing] = {}
        self._groups = groups
        self.group_by = group_by
        self.asides: list[Aside] = []
        self._folders: list[_Folder] = []
        self._seen: set[bytes] = set()
        whole = {i: list(self._count(i)) for i, root in enumerate(roots) if not root.only}
        for index, root in enumerate(roots):
            if not root.only:
                self._folders += whole[index]
            elif root.folder not in self._seen:
                left_out = sum((index, name) in skip for name in root.only) if skip else 0
                self._folders.append(_Folder(index, b"", len(root.only) - left_out))

    @property
    def total(self) -> int:
        """How many files the first walk found."""
        return sum(f.count for f in self._folders)

    def nothing(self) -> InputError:
        """Why there is nothing to do, for a scan that found no file."""
        reasons = Counter(a.reason for a in self.asides)
        if reasons[_CANNOT_OPEN]:
            return Unreadable("a folder that was named could not be opened.", todo="Check your rights on it.")
        if reasons:
            counts = ", ".join(f"{count} ({reason})" for reason, count in sorted(reasons.items()))
            return NotAPicture(f"everything in what was named is passed over: {counts}.", todo="Name a photo itself.")
        return NotAPicture("there are no files in what was named.", todo="Name a folder with photos.")

    def items(self) -> Iterator[Item]:
        """Every file, with its safe id ``P<group>-<number>``; groups, and numbers within a group, in random order."""
        if self._groups is not None:
            yield from self._grouped(self._groups)
            return
        folders = [f for f in self._folders if f.count]
        groups = self.total if self.group_by == "file" else len(folders)
        order = _shuffled(groups)
        width = max(2, len(str(groups)))
        used = 0
        for folder in folders:
            numbers = _Numbers(1 if self.group_by == "file" else folder.count)
            for name, info in self._files(folder):
                # A file that came after the count gets the next free group or number.
                group = order[used] if used < len(order) else used + 1
                path = os.path.join(folder.path, name)  # noqa: PTH118 - bytes, which Path does not take
                number = 1 if self.group_by == "file" else numbers.next()
                yield Item(folder.root, path, f"P{group:0{width}d}-{number:03d}", *_files.state(info))
                if self.group_by == "file":
                    used += 1
            if self.group_by == "folder":
                used += 1

    def _grouped(self, groups: Mapping[tuple[int, bytes], Group]) -> Iterator[Item]:
        """Every file under the group it was given; one that came afterwards is a group of its own."""
        most = max((g.number for g in groups.values()), default=0)
        width = max(2, len(str(most)))
        sizes = Counter(group.number for place, group in groups.items() if place not in self._skip)
        numbers: dict[int, _Numbers] = {}
        for folder in self._folders:
            for name, info in self._files(folder):
                path = os.path.join(folder.path, name)  # noqa: PTH118 - bytes
                group = groups.get((folder.root, path))
                if group is None:
                    most += 1
                    group = Group(most)
                number = numbers.setdefault(group.number, _Numbers(sizes[group.number])).next()
                safe_id = f"P{group.number:0{width}d}-{number:03d}"
                yield Item(folder.root, path, safe_id, *_files.state(info), group.label)

    def _files(self, folder: _Folder) -> Iterator[tuple[bytes, os.stat_result]]:
        for name, info in self._found(folder):
            if not self._skip or (folder.root, os.path.join(folder.path, name)) not in self._skip:  # noqa: PTH118
                yield name, info

    def _found(self, folder: _Folder) -> Iterator[tuple[bytes, os.stat_result]]:
        root = self._roots[folder.root]
        if folder.root in self._far:
            yield from self._far[folder.root][folder.path]
            return
        base = os.path.join(root.folder, folder.path)  # noqa: PTH118
        try:
            names = list(root.only) or sorted(e.name for e in os.scandir(base) if _is_file(e))
        except OSError:
            self.asides.append(Aside(folder.root, folder.path, _CANNOT_OPEN))
            return
        for name in names:
            if not root.only and litter.file(name):
                continue  # listed by the first walk
            try:
                # A file named by the user may be a link; one that was found may not.
                info = os.stat(os.path.join(base, name), follow_symlinks=bool(root.only))  # noqa: PTH116, PTH118
            except OSError:
                info = _GONE  # the worker will say so
            yield name, info

    def _count(self, index: int) -> Iterator[_Folder]:
        top = self._roots[index].folder
        if storage.is_url(top):
            yield from self._count_far(index, top)
            return
        waiting = [b""]
        while waiting:
            path = waiting.pop()
            full = os.path.join(top, path) if path else top  # noqa: PTH118
            if full in self._seen:
                continue  # a folder that was named twice, once inside the other
            self._seen.add(full)
            folder = _Folder(index, path, 0)
            below: list[bytes] = []
            try:
                with os.scandir(full) as entries:
                    for entry in entries:
                        inside = os.path.join(path, entry.name)  # noqa: PTH118
                        if entry.is_dir(follow_symlinks=False) and not litter.folder(entry.name):
                            below.append(inside)
                        else:
                            folder.count += self._is_photo(index, inside, entry)
            except OSError:
                self.asides.append(Aside(index, path, _CANNOT_OPEN))
            waiting += sorted(below, reverse=True)
            yield folder

    def _is_photo(self, index: int, inside: bytes, entry: os.DirEntry[bytes]) -> bool:
        """Whether an entry counts as one; what does not is set aside."""
        if entry.is_symlink():
            self._link(index, inside)
        elif entry.is_dir(follow_symlinks=False):
            self._pass_over(index, inside, litter.folder(entry.name))
        elif not entry.is_file(follow_symlinks=False):
            self.asides.append(Aside(index, inside, mark("not a regular file")))
        elif passed_over := litter.file(entry.name):
            self.asides.append(Aside(index, inside, passed_over, asked=False))
        else:
            return not self._skip or (index, inside) not in self._skip
        return False

    def _pass_over(self, index: int, path: bytes, reason: str) -> None:
        """Count the files of a folder of no photos of the user's, without opening one."""
        top = os.path.join(self._roots[index].folder, path)  # noqa: PTH118 - bytes
        for folder, below, names in os.walk(top):
            below.sort()
            for name in sorted(names):
                inside = os.path.relpath(os.path.join(folder, name), self._roots[index].folder)  # noqa: PTH118
                self.asides.append(Aside(index, inside, reason, asked=False))

    def _count_far(self, index: int, url: bytes) -> Iterator[_Folder]:
        listing = self._far[index] = storage.listing(url)
        for path, files in listing.items():
            within = next(filter(None, map(litter.folder, path.split(b"/"))), "")
            kept = []
            for name, info in files:
                if reason := within or litter.file(name):
                    inside = os.path.join(path, name)  # noqa: PTH118
                    self.asides.append(Aside(index, inside, reason, asked=False))
                else:
                    kept.append((name, info))
            files[:] = kept
            count = sum((index, os.path.join(path, name)) not in self._skip for name, _ in files)  # noqa: PTH118
            yield _Folder(index, path, count)

    def _link(self, index: int, inside: bytes) -> None:
        target = os.path.realpath(os.path.join(self._roots[index].folder, inside))  # noqa: PTH118
        there = any(
            target == r.folder or target.startswith(os.path.join(r.folder, b""))  # noqa: PTH118
            for r in self._roots
            if not r.only
        ) and os.path.exists(target)  # noqa: PTH110
        reason = (
            mark("a link to something that is listed itself")
            if there
            else mark("a link that leads out of the folders named")
        )
        self.asides.append(Aside(index, inside, reason, asked=not there))


def readable(path: bytes) -> str:
    """The name in UTF-8; bytes that are none are escaped."""
    return path.decode("utf-8", "backslashreplace")


def _is_file(entry: os.DirEntry[bytes]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _shuffled(count: int) -> list[int]:
    """1 to ``count`` in an order that nobody can guess."""
    order = list(range(1, count + 1))
    random.Random(secrets.randbits(128)).shuffle(order)  # noqa: S311 - seeded from the system's source
    return order


class _Numbers:
    """Numbers of a group's photos: drawn as far as the photos were counted, then in turn."""

    def __init__(self, count: int) -> None:
        self._drawn = _shuffled(count)
        self._used = 0

    def next(self) -> int:
        """One that was not given yet."""
        self._used += 1
        return self._drawn[self._used - 1] if self._used <= len(self._drawn) else self._used
