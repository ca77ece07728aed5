"""The caption in the acts: what was said of it stays, and a correction costs no look before it was judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from acts_kit import given
from release_kit import call
from sheets_kit import none_true, run_folder

from medimg.acts import Input, Screen
from medimg.acts.sitting import Sitting
from medimg.cli.answer import answer
from medimg.consent.context import SharingContext
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.run.state import Caption

AU = SharingContext(audience="closed-group", jurisdictions=("AU",), conditions=none_true())
FIRST, SECOND = "A burn of the hand.", "A scald of the hand."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2}, context=AU, actions=())
    return folder


def to_the_caption(run: Path) -> tuple[Sitting, Screen]:
    sitting = Sitting(open_run(run), [], Register())
    while (shown := sitting.screen()) is not None and not any(f.name == "caption" for f in shown.fields):
        sitting.give(given(shown, ())[0])
    assert shown is not None
    return sitting, shown


def looks(opened: OpenRun) -> int:
    return sum(a.item == "img.person-looked" for a in opened.state.answers)


def kept(opened: OpenRun) -> Caption:
    caption = opened.state.caption_of("P01")
    assert caption is not None
    return caption


def test_a_caption_that_a_file_gave_is_proposed_and_kept(run: Path, tmp_path: Path) -> None:
    (tmp_path / "post.txt").write_text("A burn\nof the hand.\n", "utf-8")
    assert call(answer, str(run), "--caption", str(tmp_path / "post.txt")).exit_code == 11
    sitting, shown = to_the_caption(run)
    assert [f.value for f in shown.fields] == [FIRST]
    sitting.give(Input(key="y"))
    after = open_run(run)
    assert kept(after).text == "A burn\nof the hand.\n"
    assert looks(after) == 2
    assert {a.choice for a in after.state.answers if a.item == "id.caption"} == {"yes"}


def test_a_caption_is_corrected_without_another_look_until_it_was_judged(run: Path) -> None:
    sitting, _ = to_the_caption(run)
    for words in (FIRST, SECOND):
        sitting.give(Input(fields={"caption": words}))
    assert looks(open_run(run)) == 2
    sitting, shown = to_the_caption(run)  # another sitting
    assert [f.value for f in shown.fields] == [SECOND]
    sitting.give(Input(key="y"))
    assert call(answer, str(run), "--caption", "-", input=FIRST).exit_code == 11
    assert looks(open_run(run)) == 0


def test_a_full_stop_alone_takes_a_caption_away(run: Path) -> None:
    sitting, _ = to_the_caption(run)
    sitting.give(Input(fields={"caption": FIRST}))
    assert kept(open_run(run)).text == FIRST
    result = call(answer, str(run), input=".\n\ny\n")
    assert f"Caption [{FIRST}]: ." in result.output
    after = open_run(run)
    assert kept(after).text == ""
    assert looks(after) == 2
