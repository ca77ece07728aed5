"""What waits in the register: consents that end, releases to be looked at again, withdrawals that were not told."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from medimg.run.register import Entry
from medimg.words import many, tr

Sort = Literal["withdrawal", "consent", "review"]


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits; ``words`` names nobody and no day."""

    run: str
    group: str
    sort: Sort
    words: str
    seq: int


def due(entries: Iterable[Entry], today: datetime.date, *, ahead: int = 30, review_after: int = 365) -> list[Due]:
    """What waits, withdrawals first.

    Args:
        entries: The register, oldest first.
        today: The present day.
        ahead: Days before its end from which a consent is named.
        review_after: Days after a release from which it is to be looked at again.
    """
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.sharing.run, entry.sharing.group), []).append(entry)
    found = [d for of in groups.values() for d in _of_group(of, today, ahead, review_after)]
    order = ("withdrawal", "consent", "review")
    return sorted(found, key=lambda d: (order.index(d.sort), d.seq))


def _of_group(entries: Sequence[Entry], today: datetime.date, ahead: int, review_after: int) -> Iterator[Due]:
    """What waits of one patient: of the copies that went out, whatever became of them here since."""
    released = [e for e in entries if e.event == "released"]
    if not released:
        return
    last = released[-1]

    def row(sort: Sort, words: str, entry: Entry) -> Due:
        return Due(run=last.sharing.run, group=last.sharing.group, sort=sort, words=words, seq=entry.seq)

    withdrawn = [e for e in entries if e.event == "withdrawn"]
    if withdrawn:
        if not any(e.event == "withdrawal-told" and e.seq > withdrawn[-1].seq for e in entries):
            yield row("withdrawal", tr("the patient withdrew; not everybody was told yet"), withdrawn[-1])
        return
    left = _days(last.sharing.until, today)
    if left is not None and left <= ahead:
        words = (
            many("the consent ends in {n} day", "the consent ends in {n} days", left)
            if left > 0
            else many("the consent ended {n} day ago", "the consent ended {n} days ago", -left)
        )
        yield row("consent", tr("the consent ends today") if left == 0 else words, last)
    old = _days(last.at[:10], today)
    if old is not None and -old >= review_after:
        yield row(
            "review",
            many(
                "released {n} day ago: is it still needed, and still agreed",
                "released {n} days ago: is it still needed, and still agreed",
                -old,
            ),
            last,
        )


def _days(day: str, today: datetime.date) -> int | None:
    """Days from today until a day, as ISO 8601 writes it; None when it is none."""
    try:
        return (datetime.date.fromisoformat(day) - today).days
    except ValueError:
        return None
