"""Share it well: what guidance says besides the questions, in one panel where copies are released.

Advice closes nothing and stops nothing. Each line names the row of ``obligations`` it comes from, so that a test can
say that none is missing.
"""

from __future__ import annotations

from typing import NamedTuple

from medimg.words import tr

_EVERYONE = frozenset({"colleague-opinion", "closed-group", "teaching", "publication", "public"})
_OPEN = frozenset({"publication", "public"})


class Advice(NamedTuple):
    """One line: the row it comes from, for whom, and its words."""

    row: int
    audiences: frozenset[str]
    words: str


ADVICE = (
    Advice(45, frozenset({"colleague-opinion", "closed-group"}), "Chats: use the system your employer endorses; how"
           " well a general chat app keeps it, nobody can promise."),
    Advice(47, _EVERYONE, "Family and friends: what is meant for a few people can reach everybody."),
    Advice(50, _EVERYONE - {"colleague-opinion"}, "Tag no colleague and no place: it ties them, and you, to this"
           " patient."),
    Advice(51, frozenset({"teaching", "publication", "public"}), "Say what you gain by it: payment, a product, an"
           " interest of your own."),
    Advice(58, _OPEN | {"closed-group"}, "Say that you speak for yourself, unless your employer asked you to speak."),
    Advice(32, frozenset({"public"}), "Advertising: in many places a patient's praise may not be used, and before-and-"
           "after pictures have rules of their own. Ask first."),
    Advice(59, _EVERYONE, "Whoever posts it for you: the person named in the record stays responsible."),
    Advice(64, _EVERYONE, "Keep the private folder on an encrypted disk or in the patient's record, nowhere else."),
    Advice(68, _EVERYONE, "If it goes wrong, your employer, your registration body, a privacy regulator or a court may"
           " ask; telling early helps everybody."),
    Advice(69, _EVERYONE, "If somebody else's post shows a patient: tell them kindly and soon, do not pass it on, and"
           " tell whoever runs the place if it stays."),
)  # fmt: skip


def panel(audience: str) -> list[str]:
    """The lines for one audience, in the order of use."""
    return [tr(a.words) for a in ADVICE if audience in a.audiences]
