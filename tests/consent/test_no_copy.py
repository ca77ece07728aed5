"""Patients of whom there is no copy: nothing can be shared of them, so nothing is asked about them."""

from __future__ import annotations

import msgspec
from acts_kit import fresh, start

from medimg.acts import screen
from medimg.acts.plan import acts, group_of
from medimg.types import Report


def held(one: Report) -> Report:
    return msgspec.structs.replace(one, state="held", copy=None)


def test_a_patient_without_a_copy_is_not_asked_about() -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 2, "P02": 1})
    walk = start(state, [reports[0], held(reports[1]), held(reports[2])])
    assert {group_of(act) for act in acts(walk)} == {"batch", "P01"}
    assert "look:P01-002" not in acts(walk)


def test_where_there_is_no_copy_at_all_there_is_no_act() -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1, "P02": 1})
    walk = start(state, [held(one) for one in reports])
    assert acts(walk) == []
    assert screen(walk) is None
