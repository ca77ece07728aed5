"""What a person can do about an area with one click: one list for the window, the terminal and the page."""

from __future__ import annotations

import pytest

from medimg.covers import hidden_share
from medimg.decide import decide
from medimg.policy import Policy
from medimg.run import choices
from medimg.types import Box, Finding, Plan, Region
from medimg.vocabulary import Category, Choice, Kind, Reason

WIDTH, HEIGHT = 900, 600
HEAD, FACE = Box(0, 0, 760, 600), Box(150, 80, 560, 520)
POLICY = Policy.load()


def plan(kind: Kind, category: str, box: Box, inner: Box | None = None) -> Plan:
    found = Finding(
        kind=kind, category=category, detector="t", region=Region(box.polygon), inner=inner.polygon if inner else ()
    )
    return decide([found], POLICY, width=WIDTH, height=HEIGHT)


def offered(of: Plan) -> tuple[Choice, ...]:
    return choices.of(of, of.actions[0], POLICY)


def test_a_face_that_fills_the_picture_has_five_choices_and_each_lets_the_photo_go() -> None:
    held = plan(Kind.FACE, Category.FACE, HEAD, FACE)
    assert held.doing("hold")
    assert offered(held) == (Choice.COVER, Choice.FACE_ALONE, Choice.BESIDE, Choice.NO_FACE, Choice.CONSENT)
    after = {choice: choices.taken(held, 0, choice, POLICY) for choice in offered(held)}
    assert not any(p.doing("hold", "ask") for p in after.values())
    assert {p.actions[0].by for p in after.values()} == {"person"}
    whole, alone = (hidden_share(after[c], POLICY) for c in (Choice.COVER, Choice.FACE_ALONE))
    assert 0.3 < alone < 0.55 < whole
    assert [after[c].actions[0].why for c in (Choice.NO_FACE, Choice.CONSENT)] == [Reason.NO_FACE, Reason.FACE_SHOWN]


def test_the_crop_beside_a_face_shows_nothing_of_it_and_the_face_stays_covered_without_the_crop() -> None:
    after = choices.taken(plan(Kind.FACE, Category.FACE, HEAD, FACE), 0, Choice.BESIDE, POLICY)
    assert after.crop is not None
    assert not after.crop.overlap(FACE)
    assert after.crop.x0 > FACE.x1
    assert (after.crop.x1, after.crop.height) == (WIDTH, HEIGHT)
    assert after.actions[0].do == "cover"


def test_no_crop_is_offered_where_hardly_anything_is_beside_the_face() -> None:
    assert Choice.BESIDE not in offered(plan(Kind.FACE, Category.FACE, HEAD, Box(40, 20, 860, 590)))


def test_a_face_alone_can_be_chosen_where_a_rule_covers_the_head_and_is_offered_once() -> None:
    head = plan(Kind.FACE, Category.FACE, Box(10, 10, 210, 260), Box(60, 80, 160, 210))
    assert offered(head) == (Choice.FACE_ALONE, Choice.NO_FACE, Choice.CONSENT)
    alone = choices.taken(head, 0, Choice.FACE_ALONE, POLICY)
    assert offered(alone) == (Choice.NO_FACE, Choice.CONSENT)


def test_who_took_one_reason_for_another_can_say_so() -> None:
    held = plan(Kind.FACE, Category.FACE, HEAD)
    assert offered(held) == (Choice.COVER, Choice.NO_FACE, Choice.CONSENT)
    shown = choices.taken(held, 0, Choice.NO_FACE, POLICY)
    assert offered(shown) == (Choice.COVER, Choice.CONSENT)


def test_writing_is_covered_or_shown() -> None:
    asked = plan(Kind.TEXT, Category.UNREAD, Box(10, 10, 90, 30))
    assert offered(asked) == (Choice.NO_WRITING, Choice.SHOW)
    with pytest.raises(ValueError, match="no such choice"):
        choices.taken(asked, 0, Choice.CONSENT, POLICY)
