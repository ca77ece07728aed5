"""A run of many patients: an act is about one of them, and the others are not gone through again."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import msgspec
import pytest
from release_kit import call
from sheets_kit import run_folder

from medimg.acts import plan
from medimg.acts.records import Input, Walk
from medimg.acts.sitting import Sitting
from medimg.cli.answer import answer
from medimg.consent.context import SharingContext
from medimg.run.opened import open_run
from medimg.run.register import Register

AU = SharingContext(audience="closed-group", jurisdictions=("AU",))


@pytest.fixture(autouse=True)
def own_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


def calls(out: Path, patients: int) -> int:
    """How many functions are called to print the template of a run."""
    run_folder(out, {f"P{n:02d}": 1 for n in range(1, patients + 1)}, context=AU, actions=())
    profile = cProfile.Profile()
    profile.enable()
    result = call(answer, out, "--template")
    profile.disable()
    assert result.exit_code == 0, result.output
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_a_template_takes_as_long_as_there_are_patients(tmp_path: Path) -> None:
    calls(tmp_path / "first", 1)  # what is read once
    few, many = calls(tmp_path / "few", 5), calls(tmp_path / "many", 20)
    assert many < few * 5


def whole(walk: Walk) -> Walk:
    """The walk with every patient settled anew."""
    return plan.settled(msgspec.structs.replace(walk, settled_from=None, matters={}, results={}, parts={}))


def test_what_is_kept_of_the_others_is_what_would_be_found_anew(tmp_path: Path) -> None:
    run_folder(tmp_path / "run", {"P01": 2, "P02": 1, "P03": 1}, context=AU, actions=())
    sitting = Sitting(open_run(tmp_path / "run"), (), Register(tmp_path / "register.sqlite"), "registrar")
    acts = 0
    while (shown := sitting.screen()) is not None:
        acts += 1
        assert acts < 100
        keys = [o.key for o in shown.options]
        fields = {f.name: f.value or "the hand group" for f in shown.fields if f.required}
        sitting.give(Input(key=keys[0] if keys else "skip", fields=fields))
        anew = whole(sitting.walk)
        assert sitting.walk.results == anew.results
        assert plan.acts(sitting.walk) == plan.acts(anew)
        assert plan.current(sitting.walk) == plan.current(anew)
    assert acts > 20
