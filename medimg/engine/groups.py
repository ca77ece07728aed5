"""Which photos are one patient's: a file that says so, or a suggestion that a person confirms.

Consent belongs to a patient. A group that is too small costs a few answers; one that is too large gives away somebody
who did not agree. So whatever is not known to belong together is kept apart.
"""

from __future__ import annotations

import csv
import datetime
import io
import os
import random
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import msgspec

from medimg.engine import worker
from medimg.engine.pool import Workers
from medimg.errors import MedimgError, UsageError
from medimg.plain import cell
from medimg.run.scan import Group, Item, Root, Scan, readable
from medimg.system import files

GAP = datetime.timedelta(minutes=10)
"""Photos of one folder that lie further apart in time are suggested as two patients."""

Place = tuple[int, bytes]
"""Root and path of a file."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """Groups that are suggested: counts and opaque keys, never a name or a time.

    Attributes:
        now: Photos of each group without the suggestion, the largest first.
        suggested: Key -> photos.
        gaps: Gaps in time that split a folder.
        codes: Codes that are seen in more than one photo.
        unread: Photos that gave no hint; each is suggested as a group of its own, unless its whole folder gave none.
        photos: Key -> paths, so that a person can be shown the photos themselves; never printed or written.
    """

    now: tuple[int, ...]
    suggested: dict[str, int]
    gaps: int
    codes: int
    unread: int
    photos: dict[str, tuple[bytes, ...]] = {}

    @property
    def differs(self) -> bool:
        """Whether anything would change with it."""
        return sorted(self.now) != sorted(self.suggested.values())


Confirm = Callable[[Suggestion], bool]


def from_csv(path: Path, roots: Sequence[Root]) -> dict[Place, Group]:
    """Groups from a CSV file with the columns ``original`` (path under the input root) and ``group``.

    A photo that has no row is a group of its own.

    Raises:
        UsageError: A row names no photo, or one twice, or has an empty cell; the row's number is said, nothing of it.
    """
    items = list(Scan(roots).items())
    names = _names(items, roots)
    labels: dict[Place, str] = {}
    for number, original, group in _rows(path):
        place = names.get(original)
        if place is None:
            raise UsageError(
                f"row {number} of the groups file names no photo of this run, or one of several of that name.",
                todo="Write the path under the folder that was named; with that folder's name in front when two agree.",
            )
        if place in labels:
            raise UsageError(f"row {number} of the groups file names a photo that an earlier row has named.")
        labels[place] = group
    return _drawn(items, {(i.root, i.path): labels.get((i.root, i.path)) for i in items})


def _rows(path: Path) -> list[tuple[int, str, str]]:
    try:
        text = files.read_named(path, files.VALUES).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            "the groups file could not be read.", todo="--group-by takes folder, file, or a CSV file."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError("the groups file is not UTF-8 text.", todo="Save it as CSV in UTF-8.") from error
    head = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",", strict=True
    )
    try:
        columns = [c.strip().casefold() for c in next(reader, [])]
        if columns.count("original") != 1 or columns.count("group") != 1:
            raise UsageError("the groups file needs the columns 'original' and 'group' in its first row.")
        at = columns.index("original"), columns.index("group")
        out = []
        for number, row in enumerate(reader, 2):
            if not any(cell.strip() for cell in row):
                continue
            cells = [row[k].strip() if k < len(row) else "" for k in at]
            if not all(cells):
                raise UsageError(f"row {number} of the groups file has an empty cell.")
            out.append((number, cells[0], cells[1]))
    except csv.Error as error:
        raise UsageError("the groups file is not valid CSV.") from error
    return out


def _names(items: Sequence[Item], roots: Sequence[Root]) -> dict[str, Place]:
    """What a row may call a photo: its path, or with the root's name in front; only what is said of one photo alone."""
    called: dict[str, set[Place]] = defaultdict(set)
    for item in items:
        path = readable(item.path)
        for name in (path, f"{readable(os.path.basename(roots[item.root].folder))}/{path}"):  # noqa: PTH119 - bytes
            called[name].add((item.root, item.path))
            called[cell(name)].add((item.root, item.path))  # as a key writes it
    return {name: next(iter(places)) for name, places in called.items() if len(places) == 1}


def suggested(
    roots: Sequence[Root],
    listing: Scan,
    pool: Workers,
    confirm: Confirm,
    seconds: float,
) -> Mapping[Place, Group] | None:
    """Groups that a person has confirmed; None when not.

    Args:
        roots: Where the photos come from.
        listing: The groups that hold without the suggestion.
        pool: Looks at the photos.
        confirm: Shows the suggestion to a person; True only when the person agrees.
        seconds: Most time for a photo.
    """
    items = list(Scan(roots).items())
    key = secrets.token_bytes(32)
    hints: dict[Place, worker.Hint] = {}
    jobs = ((worker.Job(os.path.join(roots[i.root].folder, i.path), i.safe_id), key) for i in items)  # noqa: PTH118
    by_id = {i.safe_id: i for i in items}
    for (job, _), hint in pool.each(worker.hint, jobs, seconds=seconds):
        item = by_id[job.safe_id]
        hints[item.root, item.path] = worker.Hint() if isinstance(hint, MedimgError) else hint
    labels, gaps, unread = _by_time(items, hints)
    codes = _joined(labels, hints)
    groups = _drawn(items, labels)
    width = _width(groups)
    paths: dict[str, list[bytes]] = defaultdict(list)
    for item in items:
        label = f"P{groups[item.root, item.path].number:0{width}d}"
        paths[label].append(os.path.join(roots[item.root].folder, item.path))  # noqa: PTH118 - bytes
    was = Counter(i.safe_id.partition("-")[0] for i in listing.items())
    told = Suggestion(
        now=tuple(sorted(was.values(), reverse=True)),
        suggested={key: len(paths[key]) for key in sorted(paths)},
        gaps=gaps,
        codes=codes,
        unread=unread,
        photos={key: tuple(paths[key]) for key in sorted(paths)},
    )
    return groups if confirm(told) else None


def _by_time(
    items: Sequence[Item], hints: Mapping[Place, worker.Hint]
) -> tuple[dict[Place, Hashable | None], int, int]:
    """A label for each photo by folder and gaps in time; None for a group of its own."""
    folders: dict[tuple[int, bytes], list[Place]] = defaultdict(list)
    for item in items:
        folders[item.root, os.path.dirname(item.path)].append((item.root, item.path))  # noqa: PTH120 - bytes
    labels: dict[Place, Hashable | None] = {}
    gaps = unread = 0
    for folder, places in folders.items():
        timed = sorted((t, p) for p in places if (t := hints[p].taken) is not None)
        if not timed:
            labels.update(dict.fromkeys(places, (folder, 0)))
            continue
        labels.update(dict.fromkeys(places))
        unread += len(places) - len(timed)
        part, before = 0, timed[0][0]
        for taken, place in timed:
            if taken - before > GAP:
                part, gaps = part + 1, gaps + 1
            labels[place], before = (folder, part), taken
    return labels, gaps, unread


def _joined(labels: dict[Place, Hashable | None], hints: Mapping[Place, worker.Hint]) -> int:
    """Join the groups whose photos show the same code, in place; how many codes did so."""
    seen: dict[bytes, list[Place]] = defaultdict(list)
    for place, hint in hints.items():
        for code in hint.codes:
            seen[code].append(place)
    shared = [places for places in seen.values() if len(places) > 1]
    for places in shared:
        into = next((labels[p] for p in places if labels[p] is not None), ("code", places[0]))
        old = {labels[p] for p in places} - {None}
        for place in labels:
            if place in places or labels[place] in old:
                labels[place] = into
    return len(shared)


def _drawn(items: Sequence[Item], labels: Mapping[Place, Hashable | None]) -> dict[Place, Group]:
    """Opaque numbers in random order; typed labels go along for the key."""
    alone = sum(label is None for label in labels.values())
    order = list(range(1, len({x for x in labels.values() if x is not None}) + alone + 1))
    random.Random(secrets.randbits(128)).shuffle(order)  # noqa: S311 - seeded from the system's source
    numbers: dict[Hashable, int] = {}
    out: dict[Place, Group] = {}
    for item in items:
        place = (item.root, item.path)
        label = labels[place]
        key = place if label is None else ("label", label)
        number = numbers.setdefault(key, order[len(numbers)] if key not in numbers else 0)
        out[place] = Group(number, label if isinstance(label, str) else "")
    return out


def _width(groups: Mapping[Place, Group]) -> int:
    return max(2, len(str(max((g.number for g in groups.values()), default=1))))
