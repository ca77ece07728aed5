"""What an act costs goes by what it changes: nothing is reckoned twice."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec
import pytest
from acts_kit import fresh, given, start

from medimg import covers
from medimg.acts import screen, step
from medimg.consent.standing import GroupResult
from medimg.report import build
from medimg.run.state import RunState
from medimg.types import Box, Polygon, Report


def test_an_act_assesses_the_run_once_and_what_covers_hide_is_reckoned_once_for_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 6})
    for n, one in enumerate(reports):
        assert one.copy is not None
        covered = (Box(n, 0, 100 + n, 50).polygon, Box(50, 20, 150 + n, 90).polygon)
        reports[n] = msgspec.structs.replace(one, copy=msgspec.structs.replace(one.copy, covered=covered))
    area, results = covers.hidden_area, build.results
    reckoned: list[Sequence[Polygon]] = []
    assessed: list[RunState] = []

    def reckon(polygons: Sequence[Polygon], enough: float = 0.0) -> float:
        reckoned.append(polygons)
        return area(polygons, enough)

    def assess(
        state: RunState, reports: Sequence[Report], today: datetime.date | None = None
    ) -> dict[str, GroupResult]:
        assessed.append(state)
        return results(state, reports, today)

    monkeypatch.setattr(covers, "hidden_area", reckon)
    monkeypatch.setattr(build, "results", assess)
    walk = start(state, reports)
    for _ in range(8):
        shown = screen(walk)
        assert shown is not None
        before = len(assessed)
        walk = step(walk, given(shown, ())[0])
        assert len(assessed) <= before + 1, shown.act
        assert walk.results == results(walk.state, walk.reports, walk.today), shown.act
    assert assessed
    assert len(reckoned) == len(reports)
