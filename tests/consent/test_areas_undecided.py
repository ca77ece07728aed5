"""An area that a check was not sure of keeps its photo from release until a person decided about it, everywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from acts_kit import given
from release_kit import answered, call
from sheets_kit import none_true, region, run_folder

from medimg.acts import Screen
from medimg.acts.sitting import Sitting
from medimg.cli.answer import answer
from medimg.cli.decide import cover as cover_command
from medimg.cli.decide import review, show
from medimg.cli.release import release
from medimg.cli.status import status
from medimg.consent.context import SharingContext
from medimg.errors import UsageError
from medimg.report import build
from medimg.run import decisions
from medimg.run import release as releasing
from medimg.run import state as runs
from medimg.run.folder import REPORTS_NAME
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.types import Action, Finding, Report, to_json

AU = SharingContext(audience="closed-group", jurisdictions=("AU",), conditions=none_true())


def asked(kind: str, category: str, *box: int) -> Action:
    finding = Finding(kind=kind, category=category, detector="test 1", region=region(*box), id=f"{kind}{box[0]}")  # type: ignore[arg-type]
    return Action(finding=finding, do="ask", why="look")


FACE = asked("face", "possible-face", 20, 20, 120, 120)
WRITING = asked("text", "unread", 500, 400, 600, 470)
BAR = asked("face", "old-disguise", 260, 200, 380, 280)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 1}, context=AU, actions=(FACE, WRITING, BAR))
    return folder


def shared(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "share").iterdir())


def plan_of(out: Path) -> list[tuple[str, str, str]]:
    (report,) = open_run(out).reports
    assert report.plan is not None
    return [(a.do, a.by, a.why) for a in report.plan.actions]


def typed_until(sitting: Sitting, act: str) -> Screen:
    """Go on honestly until the screen of an act."""
    for _ in range(40):
        shown = sitting.screen()
        assert shown is not None
        if shown.act == act:
            return shown
        sitting.give(given(shown, ())[0])
    raise AssertionError(act)


# ---------------------------------------------------------------------- the rule


def test_answers_of_every_kind_release_nothing_while_an_area_waits(out: Path, tmp_path: Path) -> None:
    result = answered(out, tmp_path, {"P01": ["P01-001"]})
    assert result.exit_code == 11
    assert "P01-001: nobody decided yet about areas 1, 2, 3: 'medimg answer' asks" in " ".join(result.output.split())
    assert call(status, out).exit_code == 11
    listed = json.loads(call(status, out, "--json").output)["groups"]["P01"]
    assert (listed["overall"], listed["undecided"]) == ("open", {"P01-001": [1, 2, 3]})
    assert listed["waiting"] == []
    done = call(release, out, "--yes", "--to", "the hand group")
    assert done.exit_code == 11
    assert shared(out) == []
    record = json.loads((out / "PRIVATE-patient-record" / "record-sheet.json").read_bytes())
    assert record["groups"][0]["open_questions"][0] == "P01-001: areas 1, 2, 3: cover or leave?"
    assert json.loads((out / "share-sheet.json").read_bytes())["overall"] == "open"


def test_the_release_itself_refuses_and_names_the_commands_whatever_it_is_told(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path, {"P01": ["P01-001"]})
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    lie = {"P01": msgspec.structs.replace(results["P01"], overall="answered", undecided={})}
    with pytest.raises(UsageError) as error:
        releasing.release(opened, lie, ["P01"], Register(), role="registrar", recipients="the hand group")
    assert error.value.what == "patient P01 is not released: nobody decided about areas 1, 2, 3 of P01-001."
    assert "medimg cover RUN P01-001 --area 1, medimg show RUN P01-001 --area 1 --why REASON" in error.value.todo
    assert shared(out) == []


def test_an_area_that_a_crop_leaves_out_needs_no_decision(tmp_path: Path) -> None:
    from medimg.types import Box, Plan

    plan = Plan(width=640, height=480, actions=(FACE, WRITING))
    assert plan.undecided() == (1, 2)
    assert msgspec.structs.replace(plan, crop=Box(200, 200, 640, 480)).undecided() == (2,)


def test_an_old_run_without_decisions_is_read_and_kept_back(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path, {"P01": ["P01-001"]})
    (out / "PRIVATE-patient-record" / decisions.NAME).unlink()
    assert call(status, out).exit_code == 11
    opened = open_run(out)
    with pytest.raises(UsageError, match="P01 is not released"):
        releasing.release(opened, build.results(opened.state, opened.reports), ["P01"], Register(), recipients="x")


# ---------------------------------------------------------------------- the commands


def test_showing_an_area_that_was_asked_about_needs_no_original_and_changes_no_pixel(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path, {"P01": ["P01-001"]})
    before = (out / "unreviewed" / "P01-001.jpg").read_bytes()
    for area, why in ((1, "not-a-face"), (2, "not-writing"), (3, "not-a-face")):
        assert call(release, out, "--yes", "--to", "the hand group").exit_code == 11
        done = call(show, out, "P01-001", "--area", area, "--why", why)
        assert "decided; its copy shows it so already" in done.output
    assert (out / "unreviewed" / "P01-001.jpg").read_bytes() == before
    assert [do for do, _, _ in plan_of(out)] == ["keep"] * 3
    assert call(status, out).exit_code == 0
    # What was answered about the copy holds: it is the same copy.
    assert call(release, out, "--yes", "--to", "the hand group").exit_code == 0
    assert shared(out) == ["P01-001.jpg"]


def test_covering_an_area_waits_for_the_original_and_keeps_the_photo_back(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path, {"P01": ["P01-001"]})
    call(show, out, "P01-001", "--area", 1, "--why", "not-a-face")
    call(show, out, "P01-001", "--area", 3, "--why", "not-a-face")
    done = call(cover_command, out, "P01-001", "--area", 2)
    assert "medimg apply" in done.output
    opened = open_run(out)
    with pytest.raises(UsageError, match="is not in the copy yet"):
        releasing.release(opened, build.results(opened.state, opened.reports), ["P01"], Register(), recipients="x")


@pytest.mark.parametrize(
    ("area", "why", "said"),
    [
        (1, "not-writing", "may be a face"),
        (2, "not-a-face", "is not a face"),
        (2, "consent-allows", "is not a face"),
        (9, "shown", "this photo has 3 areas"),
    ],
)
def test_a_reason_that_does_not_fit_decides_nothing(out: Path, area: int, why: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call(show, out, "P01-001", "--area", area, "--why", why)
    assert [do for do, _, _ in plan_of(out)] == ["ask"] * 3


def test_while_another_process_works_on_the_run_a_decision_waits(out: Path) -> None:
    opened = open_run(out)
    with runs.claimed(out, opened.state):
        call(show, out, "P01-001", "--area", 1, "--why", "not-a-face")
    assert [do for do, _, _ in plan_of(out)] == ["ask"] * 3
    assert decisions.waiting(decisions.load(out), open_run(out).reports) == ["P01-001"]


# ---------------------------------------------------------------------- the act


def test_one_act_shows_the_areas_of_a_photo_in_words_and_one_key_leaves_them(out: Path) -> None:
    sitting = Sitting(open_run(out), [], Register())
    shown = typed_until(sitting, "areas:P01-001")
    assert shown.title == "Decide about P01-001"
    assert [(line.item, line.text) for line in shown.lines] == [
        ("area.1", "Area 1 (top left) is not a face."),
        ("area.2", "Area 2 (bottom right) is not writing."),
        ("area.3", "Area 3 (middle) is not a bar or blur over a face."),
    ]
    sitting.give(given(shown, ())[0])
    assert plan_of(out) == [("keep", "person", w) for w in ("not a face", "not writing", "not a face")]
    after = sitting.screen()
    assert after is not None
    assert after.act == "look:P01-001"
    (act,) = [a for a in sitting.walk.state.acts if a.act == "areas:P01-001"]
    assert act.said == "area 1: not-a-face; area 2: not-writing; area 3: not-a-face"
    assert act.lines == tuple(line.text for line in shown.lines)
    typed_until(sitting, "release:P01")
    sitting.give(given(sitting.screen(), ())[0])  # type: ignore[arg-type]
    assert shared(out) == ["P01-001.jpg"]


def test_what_is_not_true_is_asked_one_by_one_and_back_works(out: Path) -> None:
    from medimg.acts import Input

    sitting = Sitting(open_run(out), [], Register())
    typed_until(sitting, "areas:P01-001")
    for key, ticks in (("n", ()), ("back", ()), ("n", ()), ("0", ("a", "c"))):
        sitting.give(Input(key=key, ticks=ticks))
    first = sitting.screen()
    assert first is not None
    assert first.lead == "What is area 1 (top left)?"
    assert [o.key for o in first.options] == ["c", "k", "p"]
    sitting.give(Input(key="p"))
    second = sitting.screen()
    assert second is not None
    assert [o.key for o in second.options] == ["c", "k"]  # writing is not what a consent shows
    sitting.give(Input(key="c"))
    # One is to be covered: until the copy is made again it is not looked at, nor released.
    look = sitting.screen()
    assert look is not None
    assert look.act == "look:P01-001"
    assert look.options == ()
    assert "does not show yet what was decided" in look.lead
    decided = decisions.load(out)
    assert decided is not None
    assert [a.do for a in decided.plans["P01-001"].actions] == ["keep", "cover", "keep"]
    assert decisions.waiting(decided, open_run(out).reports) == ["P01-001"]


def test_the_act_in_an_answers_file(out: Path, tmp_path: Path) -> None:
    text = call(answer, out, "--template", "--role", "registrar").output
    assert "areas:P01-001:  # Decide about P01-001" in text
    assert "answer: not-sure  # yes; under but, by the ID of an area: cover, shown" in text
    (act,) = re.findall(r"\n  areas:P01-001:.*?answer: not-sure", text, flags=re.S)
    source, head = tmp_path / "answers.yaml", "run: R7Q4\nacts:"
    for wrong in ("{area.2: consent-allows}", "{area.9: shown}", "{area.1: perhaps}"):
        source.write_text(head + act.replace("not-sure", "yes") + f"\n    but: {wrong}\n")
        with pytest.raises(UsageError, match="Nothing was written"):
            call(answer, out, "--from", source)
        assert [do for do, _, _ in plan_of(out)] == ["ask"] * 3
    source.write_text(head + act.replace("not-sure", "yes") + "\n    but: {area.1: consent-allows}\n")
    assert call(answer, out, "--from", source).exit_code == 11
    assert plan_of(out)[0][2] == "a face, and the consent allows showing it"
    source.write_text(head + act.replace("not-sure", "yes"))
    with pytest.raises(UsageError):  # that screen is no more
        call(answer, out, "--from", source)


def test_what_somebody_else_decided_in_the_meantime_stays(out: Path) -> None:
    sitting = Sitting(open_run(out), [], Register())
    shown = typed_until(sitting, "areas:P01-001")
    call(cover_command, out, "P01-001", "--area", 2)
    sitting.give(given(shown, ())[0])
    decided = decisions.load(out)
    assert decided is not None
    assert [a.do for a in decided.plans["P01-001"].actions] == ["keep", "cover", "keep"]


def test_many_areas_come_screen_by_screen(tmp_path: Path) -> None:
    many = tuple(asked("text", "unread", 10 * n, 20, 10 * n + 8, 40) for n in range(1, 31))
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, context=AU, actions=many)
    sitting = Sitting(open_run(tmp_path), [], Register())
    first = typed_until(sitting, "areas:P01-001")
    sitting.give(given(first, ())[0])
    second = sitting.screen()
    assert second is not None
    assert second.act == "areas:P01-001"
    assert len(first.lines) + len(second.lines) == 30
    sitting.give(given(second, ())[0])
    assert sitting.screen() is not None
    assert sitting.screen().act == "look:P01-001"  # type: ignore[union-attr]


def test_in_the_window_areas_are_decided_in_the_picture_and_the_release_waits_for_them(out: Path) -> None:
    sitting = Sitting(open_run(out), [], Register(), pictures=True)
    shown = typed_until(sitting, "release:P01")
    assert "Open: P01-001: areas 1, 2, 3: cover or leave?" in [line.text for line in shown.lines]
    assert "y" not in [o.key for o in shown.options]


def test_decisions_that_were_edited_by_hand_to_leave_other_findings_wait(out: Path) -> None:
    """Only what was asked about is in the copy as it is: a cover that is taken away has to be made again."""
    opened = open_run(out)
    (report,) = opened.reports
    covered = msgspec.structs.replace(
        report, plan=msgspec.structs.replace(report.plan, actions=(msgspec.structs.replace(FACE, do="cover"),))
    )
    reports: tuple[Report, ...] = (covered,)
    (out / "PRIVATE-patient-record" / REPORTS_NAME).write_bytes(to_json(reports))
    shown = msgspec.structs.replace(covered.plan, actions=(msgspec.structs.replace(FACE, do="keep", by="person"),))
    assert not decisions.put(out, opened.state, reports, {"P01-001": shown})
    assert decisions.waiting(decisions.load(out), reports) == ["P01-001"]


def test_review_lists_them_and_the_exact_commands(out: Path) -> None:
    text = call(review, out).output
    assert f"medimg show {out} P01-001 PHOTOS --area 1 --why not-a-face" in text
