"""Which items are asked, and which block: every audience, country and condition, against a reviewed table.

``python tests/consent/test_consent_table.py`` writes the table anew after a change of the checklist;
read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from medimg.consent.answers import BASES
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.questions import questions
from medimg.consent.rules import basis_refused

TABLE = Path(__file__).parents[1] / "consent_table.txt"


def asked(context: SharingContext) -> dict[str, str]:
    return {q.id: "B" if q.blocking else "a" for q in questions(context) if q.asked}


def line(rows: dict[str, str]) -> str:
    return " ".join(f"{i}{'!' if level == 'B' else ''}" for i, level in rows.items()) or "-"


def table() -> str:
    definition = ChecklistDefinition.load()
    flags = [c for c in definition.conditions if c != "anonymised_basis"]
    none = dict.fromkeys(flags, "no")
    out = [
        f"checklist {definition.version} {definition.digest}",
        "An item with ! blocks. Lines with + add to the line above them that begins with 'none'; 'basis' lines give",
        "what a basis changes there: = new level, + asked, - not asked.",
    ]
    for audience in definition.audiences:
        for where in [*((c,) for c in definition.jurisdictions), ("AU", "UK"), ()]:
            context = SharingContext(audience=audience, jurisdictions=where, conditions=none)
            plain = asked(context)
            blocking = sum(level == "B" for level in plain.values())
            out += ["", f"[{audience} | {'+'.join(where) or 'no country named'}] {len(plain)} asked, {blocking} block"]
            out.append(f"none: {line(plain)}")
            for flag in flags:
                more = asked(context.with_condition(flag, "yes"))
                assert plain.items() <= more.items()
                out.append(f"+ {flag}: {line({k: v for k, v in more.items() if k not in plain})}")
            both = asked(context.with_condition("child", "yes").with_condition("intimate", "yes"))
            out.append(f"+ child and intimate: {line({k: v for k, v in both.items() if k not in plain})}")
            unsaid = asked(SharingContext(audience=audience, jurisdictions=where))
            out.append(f"nothing said: {len(unsaid)} asked")
            for basis in BASES:
                if basis_refused(basis, context):
                    continue
                based = asked(SharingContext(audience=audience, jurisdictions=where, conditions=none, basis=basis))
                changed = [f"={line({k: v})}" for k, v in based.items() if k in plain and plain[k] != v]
                added = [f"+{line({k: v})}" for k, v in based.items() if k not in plain]
                gone = [f"-{k}" for k in plain if k not in based]
                out.append(f"basis {basis}: {' '.join([*changed, *added, *gone]) or 'no change'}")
    return "\n".join(out) + "\n"


def test_the_table_is_as_reviewed() -> None:
    assert table() == TABLE.read_text("utf-8")


@pytest.mark.parametrize("audience", list(ChecklistDefinition.load().audiences))
def test_more_countries_and_unsaid_conditions_never_ask_less(audience: str) -> None:
    """The strictest wins: a second country, or a condition nobody has settled, only ever adds."""
    countries = list(ChecklistDefinition.load().jurisdictions)
    union: dict[str, str] = {}
    for country in countries:
        one = asked(SharingContext(audience=audience, jurisdictions=(country,)))
        union |= one
        for other in countries:
            two = asked(SharingContext(audience=audience, jurisdictions=(country, other)))
            assert one.items() <= two.items()
    assert asked(SharingContext(audience=audience)) == {i: union[i] for i in asked(SharingContext(audience=audience))}
    assert set(asked(SharingContext(audience=audience))) == set(union)


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
