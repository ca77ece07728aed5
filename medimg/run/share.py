"""What lies in ``share/``, compared by digest with what was released: the folder is attached as it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from medimg.errors import CheckFailed, OutputError
from medimg.run.folder import SHARE_FOLDER, is_link
from medimg.run.register import Entry
from medimg.run.state import RunState
from medimg.system import host
from medimg.words import mark


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The share folder of a run as it is now.

    Attributes:
        lying: Names of released copies that lie there and are the ones that were released.
        changed: Names of released copies whose file there is another one.
        missing: Names of released copies that do not lie there.
        strangers: How many other things lie there.
        linked: ``share`` is a link to another place, or no folder. Nothing in it was looked at.
    """

    lying: frozenset[str] = frozenset()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    strangers: int = 0
    linked: bool = False

    @property
    def trouble(self) -> list[str]:
        """Why the folder must not be attached, in plain words; nothing when it may."""
        out = []
        if self.linked:
            out.append(mark(f"{SHARE_FOLDER}/ is a link to another place, or no folder."))
        if self.strangers:
            out.append(
                mark(f"{SHARE_FOLDER}/ holds 1 file that was not released, or not any more. Take them out.")
                if self.strangers == 1
                else mark(
                    f"{SHARE_FOLDER}/ holds {self.strangers} files that were not released, or not any more."
                    f" Take them out."
                )
            )
        if self.changed:
            out.append(
                mark(f"in {SHARE_FOLDER}/ these are not the copies that were released: {', '.join(self.changed)}.")
            )
        return out


def look(folder: Path, released: Mapping[str, str]) -> Share:
    """Compare the share folder of a run with the copies that are released.

    Args:
        folder: The run folder.
        released: Name -> SHA-256 of every copy that may lie there.

    Raises:
        CheckFailed: It could not be read.
    """
    share = folder / SHARE_FOLDER
    if is_link(share):
        return Share(linked=True, missing=tuple(sorted(released)))
    try:
        names = sorted(p.name for p in share.iterdir()) if share.exists() else []
    except OSError as error:
        raise CheckFailed(f"the folder {SHARE_FOLDER}/ could not be read.") from error
    mine = [n for n in names if n in released]
    lying = frozenset(n for n in mine if digest(share / n) == released[n])
    return Share(
        lying=lying,
        changed=tuple(n for n in mine if n not in lying),
        missing=tuple(sorted(set(released) - set(mine))),
        strangers=len(names) - len(mine),
    )


def in_force(state: RunState, without: Collection[str] = ()) -> dict[str, str]:
    """The copies that are released and were not taken back, with their digests; not those of the groups ``without``."""
    return {
        name: sha256
        for group in state.run.groups
        if group not in without
        for release in state.releases(group)
        for name, sha256 in release.copies.items()
    }


def withdrawn(state: RunState, entries: list[Entry]) -> set[str]:
    """The groups whose patient withdrew, as the answers or the register say."""
    said = {e.sharing.group for e in entries if e.event == "withdrawn" and e.sharing.run == state.run.tag}
    return said | {g for g in state.run.groups if state.is_withdrawn(g)}


def disagreements(state: RunState, entries: list[Entry]) -> list[str]:
    """Where the answers of a run and the register differ, in plain words.

    A file that was put back from before, or edited by hand, shows here, and a release that was cut short.
    """
    mine = [e for e in entries if e.sharing.run == state.run.tag]
    out = []
    for group in state.run.groups:
        of_group = [e for e in mine if e.sharing.group == group]
        if any(e.event == "withdrawn" for e in of_group) and not state.is_withdrawn(group):
            out.append(mark(f"patient {group} was withdrawn by the patient; its answers do not say so."))
        if taken_back(state, group, of_group):
            out.append(mark(f"patient {group} was taken back after its answers were written."))
        if cut_short(state, group, of_group):
            out.append(
                mark(
                    f"the release of patient {group} was cut short, or its answers are from before it. Go on with it: "
                    f"medimg release RUN {group}. Or take it back: medimg reopen RUN {group}."
                )
            )
        by_receipt = {e.receipt: e for e in of_group}
        for release in state.releases(group):
            entry = by_receipt.get(release.receipt)
            if entry is not None and entry.sharing.copies != release.copies:
                out.append(mark(f"patient {group}: the answers speak of other copies than were released."))
    return out


def taken_back(state: RunState, group: str, entries: list[Entry]) -> bool:
    """Whether the register holds a later return of the group than the answers know of."""
    returns = [e for e in entries if e.event == "reopened" and e.sharing.group == group]
    return bool(returns) and returns[-1].at not in {r.at for r in state.reopened if r.group == group}


def cut_short(state: RunState, group: str, entries: list[Entry]) -> dict[str, str]:
    """The copies, with their digests, of a release that the register holds last and the answers do not know of."""
    ends = ("released", "release-incomplete", "reopened", "withdrawn")
    last = next((e for e in reversed(entries) if e.sharing.group == group and e.event in ends), None)
    if last is None or last.event not in ends[:2] or last.receipt in {r.receipt for r in state.released}:
        return {}
    return last.sharing.copies


def move(files: Sequence[Path], folder: Path) -> None:
    """Rename files into a folder of the same run, and make the new names durable.

    Raises:
        OutputError: One could not be moved; those before it were.
    """
    try:
        host.private_folder(folder, exist_ok=True)
        for file in files:
            target = folder / file.name
            if not host.rename_new(file, target):  # a file system without that kind of rename
                if os.path.lexists(target):
                    raise FileExistsError
                file.rename(target)
        for place in {folder, *(f.parent for f in files)}:
            host.sync_folder(place)
    except FileExistsError as error:
        raise OutputError("a file of that name is already there. Nothing was replaced.") from error
    except OSError as error:
        raise OutputError("a copy could not be moved.", todo="Check your rights on the run folder.") from error


def digest(path: Path) -> str:
    """SHA-256 of a regular file; empty for anything else.

    Raises:
        CheckFailed: It could not be read.
    """
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckFailed("a copy could not be read.") from error
