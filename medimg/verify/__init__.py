"""The judge of a written copy. It starts from the bytes on disk and shares no state with what wrote them.

:func:`container` needs no imaging library; :mod:`~medimg.verify.compare` and :mod:`~medimg.verify.second_look` decode.
"""

from __future__ import annotations

from collections.abc import Sequence

from medimg import audit, formats
from medimg.errors import CheckNotRun, MedimgError
from medimg.policy import Policy
from medimg.types import Check
from medimg.vocabulary import CheckName, CheckState, FormatName
from medimg.words import mark

WALK = "independent walk"
BEHIND = mark("bytes behind the last symbol of the coded picture were not looked for")


def container(data: bytes, format_name: str, policy: Policy, opened: formats.Opened | None = None) -> list[Check]:
    """Is there anything in the file but the picture? Two readers look, and they share no code.

    Args:
        data: The file.
        format_name: What it was written as.
        policy: The settings.
        opened: The same bytes, where they were opened already.
    """
    return reopened(data, format_name, policy, opened)[0]


def reopened(
    data: bytes, format_name: str, policy: Policy, opened: formats.Opened | None = None
) -> tuple[list[Check], formats.Opened | None]:
    """:func:`container`, and the photo that was opened for it; None where it cannot be."""
    checks: list[Check] = []
    try:
        checks.append(outcome(CheckName.STRUCTURE, WALK, audit.walk(data, format_name)))
    except MedimgError as error:
        checks.append(_not_run(CheckName.STRUCTURE, error, WALK))
    reader = f"{format_name} reader"
    try:
        opened = opened or formats.open_photo(data, policy.limits)
        checks.append(outcome(CheckName.METADATA, reader, opened.metadata()))
    except MedimgError as error:
        return [*checks, _not_run(CheckName.METADATA, error, reader)], None
    if all(c.state != CheckState.NOT_RUN for c in checks):
        try:
            checks += coded(opened, policy.scope)
        except MedimgError as error:
            checks.append(_not_run(CheckName.CODED_DATA, error))
    return checks, opened


def _not_run(name: CheckName, error: MedimgError, engine: str = "") -> Check:
    return Check(name=name, engine=engine, state=CheckState.NOT_RUN, detail=error.what)


def coded(opened: formats.Opened, scope: str) -> list[Check]:
    """A row for bytes inside the coded picture, behind its last symbol: where there are some, or nobody looked.

    None where every symbol was read, or where such bytes cannot be: in every format but HEIF.

    Raises:
        Malformed: The coded picture is damaged.
    """
    behind = getattr(opened, "behind", None)  # what a format can say of its coding is its own
    if scope == "full" and behind is not None and behind():  # else the independent walk alone has read them
        return [Check(name=CheckName.CODED_DATA, state=CheckState.FAILED, engine="symbol by symbol", found=1)]
    if opened.name != FormatName.HEIF:
        return []
    undecoded = ""
    if scope != "full":  # damaged HEVC or AV1 opens nowhere
        try:
            opened.samples()
        except CheckNotRun as error:
            undecoded = f"{error.what} "
    return [Check(name=CheckName.CODED_DATA, state=CheckState.NOT_ASKED, detail=undecoded + BEHIND)]


def outcome(name: str, engine: str, found: Sequence[object]) -> Check:
    """A check that ran: failed when it found anything."""
    return Check(name=name, state=CheckState.FAILED if found else CheckState.PASSED, engine=engine, found=len(found))
