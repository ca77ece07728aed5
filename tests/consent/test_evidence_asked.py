"""Writing and codes that a person has to look at are no ground to say that there are none."""

from __future__ import annotations

import pytest

from medimg.consent.evidence import evidence
from medimg.decide import decide
from medimg.policy import Policy
from medimg.types import Box, Check, CopySummary, Finding, Region, Report
from medimg.vocabulary import CheckName, CheckState, PhotoState

BARE = "bare"


@pytest.mark.parametrize(
    ("kind", "category", "item"), [("text", "unread", "img.text"), ("code", "2d-code", "img.codes")]
)
@pytest.mark.parametrize(("on", "verdict"), [(BARE, "asks"), ("", "supports")])
def test_what_is_asked_about_supports_nothing(kind: str, category: str, item: str, on: str, verdict: str) -> None:
    found = Finding(
        kind=kind,  # type: ignore[arg-type]
        category=category,
        detector="test",
        score=0.8,
        region=Region(Box(10, 10, 60, 40).polygon),
        on=on,
    )
    report = Report(
        safe_id="P01-001",
        state=PhotoState.UNREVIEWED,
        plan=decide([found], Policy(), width=100, height=100),
        checks=tuple(Check(name=n, state=CheckState.PASSED) for n in CheckName),
        copy=CopySummary(
            name="P01-001.png",
            format="png",
            bytes=1,
            sha256="0" * 64,
            width=100,
            height=100,
            lossless=True,
            method="samples",
        ),
    )
    said = next(e for e in evidence(report) if e.item == item)
    assert said.verdict == verdict
    assert ("possible: look" in said.words) == (on == BARE)
