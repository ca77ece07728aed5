"""How the original of a photo is found again, without its name being written anywhere."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from medimg.types import Original, Report


def mark(data: bytes) -> Original:
    """What a report says of its original: the size, and a digest with a salt of its own.

    With the salt, nobody who has the report alone can look the photo up by a known digest.
    """
    salt = secrets.token_hex(16)
    return Original(len(data), salt, _digest(data, salt))


def fits(data: bytes, original: Original) -> bool:
    """Whether these bytes are that original."""
    try:
        return len(data) == original.bytes and _digest(data, original.salt) == original.digest
    except ValueError:  # the salt was edited into something else
        return False


def find(reports: Sequence[Report], places: Iterable[Path]) -> dict[str, Path]:
    """Where the originals of some photos are, by safe id.

    Only files of the right size are read; links are followed where they were named, and not inside folders.

    Args:
        reports: The photos that are looked for.
        places: Files and folders to look in.
    """
    by_size: dict[int, list[tuple[str, Original]]] = defaultdict(list)
    for report in reports:
        if report.original is not None:
            by_size[report.original.bytes].append((report.safe_id, report.original))
    found: dict[str, Path] = {}
    for path, size in _files(places):
        wanted = [(i, o) for i, o in by_size.get(size, ()) if i not in found]
        if not wanted:
            continue
        try:
            data = path.read_bytes()
        except OSError:
            continue
        # Two equal files are two photos of the run: each takes the next one that fits.
        match = next((i for i, o in wanted if fits(data, o)), None)
        if match is not None:
            found[match] = path
        if len(found) == len(reports):
            break
    return found


def _digest(data: bytes, salt: str) -> str:
    return hashlib.blake2b(data, key=bytes.fromhex(salt), digest_size=32).hexdigest()


def _files(places: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for place in places:
        try:
            info = place.stat()
        except OSError:
            continue
        if stat.S_ISREG(info.st_mode):
            yield place, info.st_size
        elif stat.S_ISDIR(info.st_mode):
            for folder, _, names in os.walk(place):
                for name in sorted(names):
                    path = Path(folder, name)
                    try:
                        inside = path.lstat()
                    except OSError:
                        continue
                    if stat.S_ISREG(inside.st_mode):
                        yield path, inside.st_size
