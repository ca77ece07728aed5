"""What the policy says of a face that fills the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from medimg.decide import decide
from medimg.detect.faces.score import judged
from medimg.errors import UsageError
from medimg.policy import FaceRules, Policy, explain
from medimg.types import Box, Finding, Plan, Region
from medimg.vocabulary import Reason

WIDTH, HEIGHT = 640, 480
CLOSE, SMALL = Box(60, 20, 560, 460), Box(20, 20, 120, 150)


def face(box: Box, category: str = "face", kind: str = "face") -> Finding:
    return Finding(kind=kind, category=category, detector="t", region=Region(box.polygon))  # type: ignore[arg-type]


def planned(close_up: str, *findings: Finding) -> Plan:
    policy = Policy(faces=FaceRules(close_up=close_up))  # type: ignore[arg-type]
    return decide(findings, policy, width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize(
    ("close_up", "do", "why"),
    [
        ("hold", "hold", Reason.MOST_OF_IT),
        ("cover", "cover", Reason.CLOSE_UP_COVERED),
        ("ask", "hold", Reason.CLOSE_UP),
    ],
)
def test_a_face_that_fills_the_picture(close_up: str, do: str, why: str) -> None:
    plan = planned(close_up, face(CLOSE), face(SMALL))
    assert [(a.do, a.why) for a in plan.actions] == [(do, why), ("cover", Reason.FACE)]


@pytest.mark.parametrize("close_up", ["cover", "ask"])
def test_nothing_else_that_fills_the_picture_is_let_through(close_up: str) -> None:
    for other in (face(CLOSE, "unread", "text"), face(CLOSE, "barcode", "code")):
        assert [a.do for a in planned(close_up, other).actions] == ["hold"]
    assert [a.why for a in planned(close_up, face(CLOSE, "possible-face")).actions] == [Reason.POSSIBLE_FACE]


def test_other_covers_beside_a_covered_close_up_are_counted_by_themselves() -> None:
    text = [face(Box(0, 10 + 60 * k, 600, 50 + 60 * k), "unread", "text") for k in range(7)]
    plan = planned("cover", face(CLOSE), *text)
    assert plan.actions[0].do == "cover"
    assert [a.why for a in plan.doing("hold")] == [Reason.TOGETHER]
    assert not planned("cover", face(CLOSE), text[0]).doing("hold")


def test_the_thresholds_are_the_policys() -> None:
    weak = [0.0] * 9 + [0.0, 0.0, -1.0, 0.3]
    likely, _ = judged(weak, face=1.0, possible=1.0)
    assert judged(weak, face=likely, possible=0.0) == (likely, "face")
    assert judged(weak, face=1.0, possible=likely) == (likely, "possible-face")
    assert judged(weak, face=1.0, possible=1.0) == (likely, "")


@pytest.mark.parametrize("text", ["sure = 0.4\npossible = 0.5", "sure = 1.5", 'close_up = "show"'])
def test_settings_that_make_no_sense_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f"[faces]\n{text}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="faces"):
        Policy.load(path)


def test_explain_says_what_becomes_of_a_close_up() -> None:
    said = {close_up: explain(Policy(faces=FaceRules(close_up=close_up))) for close_up in ("hold", "cover", "ask")}
    assert len({line for lines in said.values() for line in lines if line.startswith("Faces:")}) == 3
    usual, own = explain(Policy()), explain(Policy(faces=FaceRules(sure=0.7, possible=0.3)))
    assert [line for line in own if line not in usual] == [
        "What counts as a face: covered from a likelihood of 0.7 (0.83 is usual), shown to the person who looks"
        " from 0.3 (0.46)."
    ]
