"""A site's own cases: a folder of photos and ``cases.json``, which says what must go and what must stay.

::

    [{"file": "band.jpg", "go": [[120, 80, 460, 150]], "stay": [[600, 500, 900, 640]], "gone": ["Whitcombe"]}]

Boxes are x0, y0, x1, y1 in pixels of the picture as a viewer shows it; ``gone`` are words that may stand nowhere in the
copy's bytes. The photos stay where they are; nothing is written beside them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from medimg.errors import UsageError
from medimg.selftest.pictures import Case, Mark
from medimg.types import Box

LIST = "cases.json"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    go: tuple[tuple[int, int, int, int], ...] = ()
    stay: tuple[tuple[int, int, int, int], ...] = ()
    gone: tuple[str, ...] = ()


def cases(folder: Path) -> list[Case]:
    """The cases of a folder.

    Raises:
        UsageError: The list is not of that form, or a photo is not there.
    """
    try:
        entries = msgspec.json.decode((folder / LIST).read_bytes(), type=list[_Entry])
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError("cases.json could not be read.", todo="docs/selftest.md says what it holds.") from error
    out = []
    for number, entry in enumerate(entries, 1):
        path = folder / entry.file
        if path.parent != folder or not path.is_file():
            raise UsageError(f"the photo of case {number} is not in the folder of cases.json.")
        sorts = {"case": "own"}
        marks = [Mark(kind="text", must="go", polygon=Box(*box).polygon, sorts=sorts) for box in entry.go]
        marks += [Mark(kind="keep", must="stay", polygon=Box(*box).polygon, sorts=sorts) for box in entry.stay]
        out.append(
            Case(
                name=f"own-{number:03}{path.suffix}", data=path.read_bytes(), marks=tuple(marks),
                gone=tuple(word.encode() for word in entry.gone), sort="own",
            )
        )  # fmt: skip
    return out
