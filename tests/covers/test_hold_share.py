"""What all covers hide together: many small ones are as much as a large one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import pipeline
from medimg.decide import decide
from medimg.errors import UsageError
from medimg.policy import Policy, explain
from medimg.types import Action, Finding, Plan, Polygon, Region

WIDTH, HEIGHT = 640, 480


def box(x: float, y: float, wide: float, high: float) -> Polygon:
    return ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


def found(polygon: Polygon, kind: str = "text", frame: int = 0) -> Finding:
    return Finding(kind=kind, category="unread", detector="t", region=Region(polygon, frame))  # type: ignore[arg-type]


def page(rows: int = 16, kind: str = "text") -> list[Finding]:
    """A page of print: each line hides 4 % of the picture."""
    return [found(box(40, 20 + 26 * k, 560, 18), kind) for k in range(rows)]


def planned(findings: list[Finding], policy: Policy | None = None, **more: Any) -> Plan:
    return decide(findings, policy or Policy(), width=WIDTH, height=HEIGHT, **more)


def policy_of(text: str, tmp_path: Path) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path)


class Scripted:
    version = "fake 1"

    def __init__(self, name: str, first: list[Finding], later: list[Finding]) -> None:
        self.name, self.first, self.later = name, first, [later]

    def find(self, frame: Any, known: Any = None) -> list[Finding]:
        return self.first

    def recheck(self, frame: Any, covers: Any, known: Any = None) -> tuple[list[Finding], str]:
        return (self.later.pop() if self.later else []), "second engine"


def scrubbed(first: list[Finding], later: list[Finding], plan: Plan | None = None) -> tuple[Any, bytes]:
    out, sink = io.BytesIO(), pipeline.MemorySink()
    pixels = np.random.default_rng(0).integers(60, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    tools = [Scripted("text", first, later), Scripted("codes", [], []), Scripted("faces", [], [])]
    return pipeline.scrub(out.getvalue(), sink, tools, Policy(), plan=plan), sink.data  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["text", "code", "face"])
def test_many_small_covers_that_hide_most_of_a_picture_hold_it(kind: str) -> None:
    plan = planned(page(kind=kind))
    assert [a.do for a in plan.actions].count("hold") == 1  # one question, not one a line
    assert "together" in plan.doing("hold")[0].why
    assert not planned(page(5, kind)).doing("hold")


def test_covers_of_every_kind_count_together() -> None:
    assert planned([*page(5), found(box(40, 200, 560, 90), "face"), found(box(40, 320, 300, 90), "code")]).doing("hold")


def test_nothing_of_a_page_is_released_black() -> None:
    for report, copy in (scrubbed(page(), []), scrubbed([], page()), scrubbed(page(8), page(16)[8:])):
        assert (report.state, report.error_code, copy) == ("held", "M-HOLD", b"")
        assert "together would hide most of the picture" in report.reason


def test_what_lies_under_two_covers_counts_once() -> None:
    same = [found(box(40 + k, 20, 560, 90)) for k in range(10)]
    assert not planned(same).doing("hold")


def test_covers_of_other_frames_are_not_added_unless_they_are_one_scene() -> None:
    spread = [msgspec.structs.replace(f, region=Region(f.region.polygon, k)) for k, f in enumerate(page()) if f.region]
    assert not planned(spread).doing("hold")
    assert planned(spread, aligned=True).doing("hold")


def test_what_a_person_marked_or_decided_does_not_count() -> None:
    assert not planned(page(kind="drawn")).doing("hold")
    plan = planned(page())
    agreed = [msgspec.structs.replace(a, do="cover", by="person") if a.do == "hold" else a for a in plan.actions]
    report, _ = scrubbed([], [found(box(2, 460, 30, 10))], msgspec.structs.replace(plan, actions=tuple(agreed)))
    assert report.state == "unreviewed"  # a small find of the second look asks no second time
    by_hand = [Action(finding=f, do="cover", why="a person", by="person") for f in page(8)]
    assert not planned(page()[8:10], beside=by_hand).doing("hold")
    by_rule = [msgspec.structs.replace(a, by="rule") for a in by_hand]
    assert planned(page()[8:10], beside=by_rule).doing("hold")


def test_the_share_is_that_of_the_policy_under_either_name(tmp_path: Path) -> None:
    now = policy_of("[covers]\nhold_share = 0.9\n", tmp_path)
    former = policy_of("[faces]\nhold_share = 0.9\nmargin = 0.1\n", tmp_path)
    assert former == now
    assert former.digest == now.digest
    for policy in (now, former):
        assert not planned(page(), policy).doing("hold")
        assert "90 %" in " ".join(explain(policy))
    assert planned(page(2), policy_of("[faces]\nhold_share = 0.05\n", tmp_path)).doing("hold")


def test_both_names_with_different_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"covers\.hold_share"):
        policy_of("[faces]\nhold_share = 0.9\n[covers]\nhold_share = 0.5\n", tmp_path)
    same = policy_of("[faces]\nhold_share = 0.5\n[covers]\nhold_share = 0.5\n", tmp_path)
    assert not planned(page(9), same).doing("hold")


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(20, 60)] * 2), min_size=2, max_size=12))
def test_the_union_is_that_of_the_pixels(places: list[tuple[int, int, int, int]]) -> None:
    """Held just when pixels counted one by one say so; a margin of error of 1 % of the picture is left out."""
    counted = np.zeros((200, 200), bool)
    for x, y, wide, high in places:
        counted[y + 20 : y + 20 + high, x + 20 : x + 20 + wide] = True
    drawn = [found(box(x + 22, y + 22, wide - 4, high - 4)) for x, y, wide, high in places]
    rules = Policy.load()
    for share in (0.05, 0.1, 0.2, 0.3):
        policy = msgspec.structs.replace(
            rules,
            covers=msgspec.structs.replace(rules.covers, hold_share=share),
            text=msgspec.structs.replace(rules.text, margin=0.0),
        )
        if abs(float(counted.mean()) - share) > 0.01:
            held = decide(drawn, policy, width=200, height=200).doing("hold")
            assert bool(held) == (counted.mean() > share)


def test_each_page_is_measured_by_its_own_size() -> None:
    large, small = (WIDTH * 10, HEIGHT * 10), (WIDTH, HEIGHT)
    most = found(box(0, 0, WIDTH, HEIGHT * 0.9), frame=1)
    (held,) = planned([most], pages=[large, small]).actions
    assert (held.do, held.why) == ("hold", "a cover would hide most of the picture: crop, cover or show")
    assert [a.do for a in planned([found(box(0, 0, WIDTH, HEIGHT * 0.9))], pages=[large, small]).actions] == ["cover"]
    together = [found(box(20, 20 + 26 * k, 560, 18), frame=1) for k in range(16)]
    assert [a.do for a in planned(together, pages=[large, small]).actions].count("hold") == 1
    assert {a.do for a in planned(together, pages=[large, large]).actions} == {"cover"}
