"""What follows from what writing and codes lie on: things that go whole, lines that are asked about."""

from __future__ import annotations

import msgspec
import pytest

from medimg.covers import covers
from medimg.decide import decide
from medimg.policy import ObjectRules, Policy
from medimg.types import Action, Box, Finding, Plan, Region
from medimg.vocabulary import Reason

WIDE, HIGH = 1000, 800
THING = Box(100, 100, 500, 300)
NAME = Box(120, 120, 320, 150)
OTHER = Box(120, 200, 320, 230)


def _found(kind: str, category: str, box: Box, on: str = "", score: float = 0.9) -> Finding:
    return Finding(
        kind=kind,  # type: ignore[arg-type]
        category=category,
        detector="test",
        score=score,
        region=Region(box.polygon),
        on=on,
    )


PAGE = [_found("text", "unknown", Box(50, 300 + 40 * k, 90, 330 + 40 * k), "sheet 1") for k in range(6)]


def _plan(*found: Finding, policy: Policy | None = None) -> Plan:
    return decide(found, policy or Policy(), width=WIDE, height=HIGH)


def _of(plan: Plan, kind: str) -> Action:
    return next(a for a in plan.actions if a.finding.kind == kind)


@pytest.mark.parametrize(
    ("kind", "category"), [("text", "name"), ("text", "unread"), ("text", "unknown"), ("code", "barcode")]
)
@pytest.mark.parametrize("sort", ["slip", "sheet"])
def test_a_thing_goes_whole_with_anything_on_it_that_goes(kind: str, category: str, sort: str) -> None:
    on = f"{sort} 1"
    plan = _plan(
        _found(kind, category, NAME, on), _found("text", "harmless", OTHER, on), _found("object", sort, THING, on)
    )
    assert (_of(plan, "object").do, _of(plan, "object").why) == ("cover", Reason.WITH_ITS_THING)
    filled = [c.polygon for c in covers(plan, Policy()) if c.category == sort]
    assert len(filled) == 1
    assert min(x for x, _ in filled[0]) < THING.x0
    assert max(y for _, y in filled[0]) > THING.y1


def test_a_thing_with_nothing_on_it_that_goes_stays() -> None:
    plan = _plan(_found("text", "harmless", NAME, "slip 1"), _found("object", "slip", THING, "slip 1"))
    assert plan.doing("cover") == ()


def test_what_goes_on_one_thing_leaves_another_alone() -> None:
    plan = _plan(_found("text", "name", NAME, "slip 1"), _found("object", "slip", THING, "slip 2"))
    assert _of(plan, "object").do == "keep"


@pytest.mark.parametrize("sort", ["packet", "screen"])
def test_a_packet_and_a_screen_are_decided_line_by_line(sort: str) -> None:
    on = f"{sort} 1"
    plan = _plan(
        _found("code", "2d-code", NAME, on), _found("text", "product", OTHER, on), _found("object", sort, THING, on)
    )
    assert [a.finding.kind for a in plan.doing("cover")] == ["code"]


def test_a_thing_larger_than_the_policy_says_is_left_to_its_lines() -> None:
    plan = _plan(_found("text", "name", NAME, "sheet 1"), _found("object", "sheet", Box(0, 0, 900, 700), "sheet 1"))
    assert [a.finding.kind for a in plan.doing("cover")] == ["text"]


@pytest.mark.parametrize(
    ("more", "do"), [("date", "hold"), ("hospital", "hold"), ("name", "keep"), ("unknown", "keep"), ("barcode", "keep")]
)
def test_one_that_tells_of_a_person_in_two_ways_is_a_document(more: str, do: str) -> None:
    """A signature or a note that no reader saw would stay between its lines."""
    kind = "code" if more == "barcode" else "text"
    large = _found("object", "sheet", Box(0, 0, 900, 700), "sheet 1")
    few = (_found("text", "name", NAME, "sheet 1"), _found(kind, more, OTHER, "sheet 1"))
    plan = _plan(*few, *PAGE, large)
    assert _of(plan, "object").do == do
    assert do == "keep" or _of(plan, "object").why == Reason.DOCUMENT
    assert _of(_plan(*few, large), "object").do == "keep"


def test_what_is_a_document_by_its_words_is_one_question() -> None:
    large = Box(0, 0, 900, 700)
    plan = _plan(
        _found("text", "name", NAME, "sheet 1"),
        _found("text", "date", OTHER, "sheet 1"),
        *PAGE,
        _found("object", "sheet", large, "sheet 1"),
        _found("document", "consent-form", large),
    )
    assert [a.finding.kind for a in plan.doing("hold")] == ["document"]


def test_a_person_can_go_back_to_the_lines_of_a_thing() -> None:
    plan = _plan(_found("text", "name", NAME, "slip 1"), _found("object", "slip", THING, "slip 1"))
    shown = tuple(
        msgspec.structs.replace(a, do="keep", by="person") if a.finding.kind == "object" else a for a in plan.actions
    )
    assert [c.category for c in covers(msgspec.structs.replace(plan, actions=shown), Policy())] == ["name"]


def test_a_policy_can_go_by_lines_alone() -> None:
    policy = Policy(objects=ObjectRules(whole=()))
    plan = _plan(_found("text", "name", NAME, "slip 1"), _found("object", "slip", THING, "slip 1"), policy=policy)
    assert [a.finding.kind for a in plan.doing("cover")] == ["text"]


@pytest.mark.parametrize(
    ("kind", "category", "score", "do"),
    [
        ("text", "unread", 0.9, "ask"),
        ("code", "2d-code", 0.9, "ask"),
        ("code", "2d-code", 1.0, "cover"),
        ("text", "name", 0.9, "cover"),
        ("text", "unknown", 0.9, "cover"),
    ],
)
def test_on_bare_skin_only_what_nobody_could_read_is_asked_about(
    kind: str, category: str, score: float, do: str
) -> None:
    assert _plan(_found(kind, category, NAME, "bare", score)).actions[0].do == do
    never = Policy(objects=ObjectRules(ask=False))
    assert _plan(_found(kind, category, NAME, "bare", score), policy=never).actions[0].do == "cover"


def test_what_lies_on_nothing_known_is_covered() -> None:
    assert _plan(_found("text", "unread", NAME)).actions[0].do == "cover"
