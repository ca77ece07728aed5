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

from medimg.batch import storage
from medimg.errors import UsageError

GroupBy = Literal["folder", "file"]

# Files an operating system leaves in picture folders; nobody asked for them to be cleaned.
_LITTER = frozenset({b".ds_store", b"thumbs.db", b"desktop.ini", b"ehthumbs.db", b".picasa.ini", b".nomedia"})


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
        if storage.is_url(url):
            found[url.rstrip(b"/")] = None
            continue
        given = Path(named_by_user)
        try:
            resolved = given.resolve(strict=True)
            path, mode = os.fsencode(resolved), resolved.stat().st_mode
        except (OSError, RuntimeError) as error:
            raise UsageError(f"number {number} of the files and folders named is not there.") from error
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
    """Walks the roots twice: first to count and to draw the order of the groups, then to list every file.

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

    def items(self) -> Iterator[Item]:
        """Every file, with its safe id ``P<group>-<number>``; groups in random order."""
        if self._groups is not None:
            yield from self._grouped(self._groups)
            return
        folders = [f for f in self._folders if f.count]
        groups = self.total if self.group_by == "file" else len(folders)
        order = list(range(1, groups + 1))
        random.Random(secrets.randbits(128)).shuffle(order)  # noqa: S311 - seeded from the system's source
        width = max(2, len(str(groups)))
        used = 0
        for folder in folders:
            number = 0
            for name, info in self._files(folder):
                if self.group_by == "file":
                    # A file that came after the count gets the next free group.
                    group, number = order[used] if used < len(order) else used + 1, 1
                else:
                    group, number = order[used], number + 1
                path = os.path.join(folder.path, name)  # noqa: PTH118 - bytes, which Path does not take
                yield Item(folder.root, path, f"P{group:0{width}d}-{number:03d}", info.st_size, info.st_mtime_ns)
                if self.group_by == "file":
                    used += 1
            if self.group_by == "folder":
                used += 1

    def _grouped(self, groups: Mapping[tuple[int, bytes], Group]) -> Iterator[Item]:
        """Every file under the group it was given; one that came afterwards is a group of its own."""
        most = max((g.number for g in groups.values()), default=0)
        width = max(2, len(str(most)))
        counts: Counter[int] = Counter()
        for folder in self._folders:
            for name, info in self._files(folder):
                path = os.path.join(folder.path, name)  # noqa: PTH118 - bytes
                group = groups.get((folder.root, path))
                if group is None:
                    most += 1
                    group = Group(most)
                counts[group.number] += 1
                safe_id = f"P{group.number:0{width}d}-{counts[group.number]:03d}"
                yield Item(folder.root, path, safe_id, info.st_size, info.st_mtime_ns, group.label)

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
            self.asides.append(Aside(folder.root, folder.path, "the folder could not be opened"))
            return
        for name in names:
            if not root.only and _litter(name):
                continue  # listed by the first walk
            try:
                # A file named by the user may be a link; one that was found may not.
                info = os.stat(os.path.join(base, name), follow_symlinks=bool(root.only))  # noqa: PTH116, PTH118
            except OSError:
                info = os.stat_result((0,) * 10)  # gone: the worker will say so
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
                        if entry.is_symlink():
                            self._link(index, inside)
                        elif entry.is_dir(follow_symlinks=False):
                            below.append(inside)
                        elif not entry.is_file(follow_symlinks=False):
                            self.asides.append(Aside(index, inside, "not a regular file"))
                        elif _litter(entry.name):
                            self.asides.append(Aside(index, inside, "a file of the operating system", asked=False))
                        elif not self._skip or (index, inside) not in self._skip:
                            folder.count += 1
            except OSError:
                self.asides.append(Aside(index, path, "the folder could not be opened"))
            waiting += sorted(below, reverse=True)
            yield folder

    def _count_far(self, index: int, url: bytes) -> Iterator[_Folder]:
        listing = self._far[index] = storage.listing(url)
        for path, files in listing.items():
            for name, _ in files:
                if _litter(name):
                    inside = os.path.join(path, name)  # noqa: PTH118
                    self.asides.append(Aside(index, inside, "a file of the operating system", asked=False))
            files[:] = [(name, info) for name, info in files if not _litter(name)]
            count = sum((index, os.path.join(path, name)) not in self._skip for name, _ in files)  # noqa: PTH118
            yield _Folder(index, path, count)

    def _link(self, index: int, inside: bytes) -> None:
        target = os.path.realpath(os.path.join(self._roots[index].folder, inside))  # noqa: PTH118
        there = any(
            target == r.folder or target.startswith(os.path.join(r.folder, b""))  # noqa: PTH118
            for r in self._roots
            if not r.only
        ) and os.path.exists(target)  # noqa: PTH110
        reason = "a link to something that is listed itself" if there else "a link that leads out of the folders named"
        self.asides.append(Aside(index, inside, reason, asked=not there))


def readable(path: bytes) -> str:
    """The name in UTF-8; bytes that are none are escaped."""
    return path.decode("utf-8", "backslashreplace")


def _is_file(entry: os.DirEntry[bytes]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _litter(name: bytes) -> bool:
    return name.lower() in _LITTER or name.startswith(b"._")
