"""Each of the 72 obligations of the guidance is traced to what acts on it, and that is there and is reached."""

from __future__ import annotations

import importlib

import pytest

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.questions import questions
from medimg.report.words import REMAINING_RISK, incident

#: Row -> the items that act on it; ``words:`` a phrase of the product; ``code:`` what does it.
ROWS: dict[int, tuple[str, ...]] = {
    1: ("img.location",),
    2: ("img.metadata",),
    3: ("img.metadata",),
    4: ("img.text", "img.codes", "img.faces", "img.other-people"),
    5: ("img.workplace", "img.other-people"),
    6: ("img.workplace",),
    7: ("img.workplace", "id.caption"),
    8: ("code:medimg.run.release:release",),
    9: ("img.person-looked",),
    10: ("con.basis", "words:not a ground to share"),
    11: ("id.together", "words:still recognise"),
    12: ("img.text", "img.codes"),
    13: ("aud.endorsed-channel", "words:Team chats"),
    14: ("con.others",),
    15: ("img.faces", "img.other-people"),
    16: ("id.together",),
    17: ("id.together",),
    18: ("id.moment",),
    19: ("id.known",),
    20: ("id.caption", "id.respect"),
    21: ("con.limits", "words:cannot be called back"),
    22: ("id.together", "words:without your own name"),
    23: ("id.together", "aud.who-is-in"),
    24: ("con.written", "con.specific"),
    25: ("con.basis", "rec.consent-filed"),
    26: ("rec.consent-filed",),
    27: ("con.basis",),
    28: ("con.basis", "rec.what-was-shared"),
    29: ("con.specific", "con.audience"),
    30: ("rec.original-stored",),
    31: ("aud.needed",),
    32: ("pub.advertising", "words:praise by patients"),
    33: ("aud.who-is-in", "aud.limited"),
    34: ("aud.who-is-in", "aud.right-recipient"),
    35: ("aud.terms",),
    36: ("con.may-be-known", "con.limits"),
    37: ("aud.meant", "con.written"),
    38: ("aud.meant",),
    39: ("id.together",),
    40: ("con.limits",),
    41: ("aud.auto-upload",),
    42: ("aud.auto-upload",),
    43: ("aud.terms",),
    44: ("aud.endorsed-channel",),
    45: ("aud.endorsed-channel", "words:Team chats"),
    46: ("con.explicit", "con.specific"),
    47: ("aud.who-is-in", "words:Friends and family"),
    48: ("aud.cross-border",),
    49: ("aud.right-recipient",),
    50: ("id.caption", "words:Do not tag"),
    52: ("pol.employer",),
    53: ("pol.owner",),
    54: ("pol.employer",),
    55: ("pol.employer", "words:Of your placement"),
    56: ("pol.employer",),
    57: ("pol.copyright",),
    59: ("code:medimg.acts:step",),
    60: ("rec.what-was-shared",),
    61: ("rec.consent-filed",),
    62: ("code:medimg.system.files:write_private",),
    63: ("code:medimg.acts:screen",),
    65: ("inc.plan", "words:defence organisation"),
    66: ("inc.plan", "words:stored copies to be removed"),
    67: ("con.limits",),
    70: ("rec.what-was-shared",),
    71: ("aud.meant", "words:outside health care"),
    72: ("code:medimg.acts:begin",),
}
#: Rows that are advice alone: on the page of advice before a release, not in the checklist.
ADVICE = {
    51: "conflicts of interest",
    58: "speaking for the employer",
    64: "encrypt the record folder",
    68: "what a breach may bring",
    69: "somebody else's post",
}


def test_every_row_is_traced() -> None:
    assert sorted({*ROWS, *ADVICE}) == list(range(1, 73))


@pytest.mark.parametrize("row", ROWS)
def test_what_acts_on_a_row_is_there_and_reached(row: int) -> None:
    definition = ChecklistDefinition.load()
    words = " ".join([*(f"{i.ask} {i.say} {i.help}" for i in definition.items), REMAINING_RISK, *incident()])
    reached = {
        q.id
        for audience in definition.audiences
        for country in definition.jurisdictions
        for q in questions(SharingContext(audience=audience, jurisdictions=(country,)))
        if q.asked
    }
    for what in ROWS[row]:
        kind, _, rest = what.partition(":")
        if kind == "words":
            assert rest in words
        elif kind == "code":
            module, _, name = rest.partition(":")
            assert callable(getattr(importlib.import_module(module), name))
        else:
            item = definition.item(what)
            assert what in reached
            assert item.act or item.evidence == "auto"
