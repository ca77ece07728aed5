"""What an act costs goes by what it changes: nothing is reckoned twice."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from acts_kit import fresh, given, start

from medimg import covers
from medimg.acts import screen, step
from medimg.consent.evidence import AutoEvidence
from medimg.consent.standing import GroupResult
from medimg.report import build
from medimg.types import Box, Polygon, Report


def test_an_act_assesses_its_own_patient_once_and_what_covers_hide_is_reckoned_once_for_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 6, "P02": 2, "P03": 1})
    for n, one in enumerate(reports):
        assert one.copy is not None
        covered = (Box(n, 0, 100 + n, 50).polygon, Box(50, 20, 150 + n, 90).polygon)
        reports[n] = msgspec.structs.replace(one, copy=msgspec.structs.replace(one.copy, covered=covered))
    area, result, looked = covers.hidden_area, build.result, build.evidence
    reckoned: list[Sequence[Polygon]] = []
    assessed: list[str] = []
    evidence: list[str] = []

    def reckon(polygons: Sequence[Polygon], enough: float = 0.0) -> float:
        reckoned.append(polygons)
        return area(polygons, enough)

    def assess(matter: build.Matter) -> GroupResult:
        assessed.append(matter.group)
        return result(matter)

    def look(report: Report) -> list[AutoEvidence]:
        evidence.append(report.safe_id)
        return looked(report)

    monkeypatch.setattr(covers, "hidden_area", reckon)
    monkeypatch.setattr(build, "result", assess)
    monkeypatch.setattr(build, "evidence", look)
    walk = start(state, reports)
    assert evidence == [r.safe_id for r in reports]
    for _ in range(8):
        shown = screen(walk)
        assert shown is not None
        assessed.clear()
        walk = step(walk, given(shown, ())[0])
        assert assessed in ([], ["P01"]) or shown.group == "batch", shown.act
        assert len(assessed) == len(set(assessed)), shown.act
    assert evidence == [r.safe_id for r in reports]
    assert shown.act == "look:P01-006"
    assert walk.results == build.results(walk.state, walk.reports, walk.today)
    assert len(reckoned) == len(reports)
