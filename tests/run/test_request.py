"""One record says what is asked of a run; the call with separate arguments says the same."""

from __future__ import annotations

from pathlib import Path

import batch_fakes as fakes
import msgspec
import pytest

import medimg
from medimg import Hooks, RunRequest
from medimg.engine.apply import policy_of
from medimg.engine.batch import Asked
from medimg.engine.loop import Progress
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.run.opened import open_run

LIGHT = msgspec.structs.replace(Policy.load(), scope="metadata-only")


def test_the_old_call_knows_every_field() -> None:
    fields = {*RunRequest.__struct_fields__, *Hooks.__struct_fields__} - {"photos", "out"}
    assert set(Asked.__annotations__) == fields


def test_a_request_and_the_old_call_do_the_same(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    fakes.photo(tmp_path / "in" / "2.png")
    told: list[Progress] = []
    request = RunRequest(photos=[tmp_path / "in"], out=tmp_path / "a", policy=LIGHT, keep_key=True, workers=1)
    by_request = medimg.scrub_folder(request, hooks=Hooks(progress=told.append))
    by_call = medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "b", policy=LIGHT, keep_key=True, workers=1, progress=told.append
    )
    assert by_request.photos == by_call.photos == {"unreviewed": 2}
    assert [p.event for p in told].count("end") == 2
    copies = [sorted(p.read_bytes() for p in (o.folder / "unreviewed").iterdir()) for o in (by_request, by_call)]
    assert copies[0] == copies[1]
    again = medimg.scrub_folder(request)
    assert again.unchanged == {by_request.folder.name.removeprefix("medimg-"): 2}


def test_nothing_is_named_beside_a_request(tmp_path: Path) -> None:
    request = RunRequest(photos=[tmp_path], out=tmp_path / "out")
    with pytest.raises(UsageError, match="RunRequest says all"):
        medimg.scrub_folder(request, keep_key=True)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="no output folder"):
        medimg.scrub_folder([tmp_path])  # type: ignore[call-overload]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong", [{"workers": 0}, {"audience": "everybody"}, {"group_by": "no-such.csv"}, {"photos": []}]
)
def test_a_wrong_request_writes_nothing(tmp_path: Path, wrong: dict[str, object]) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    fields: dict[str, object] = {"photos": [tmp_path / "in"], "out": tmp_path / "out", "policy": LIGHT, **wrong}
    with pytest.raises(UsageError):
        medimg.scrub_folder(RunRequest(**fields))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_country_is_written_as_people_write_it_and_kept_by_its_key(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    request = RunRequest(photos=[tmp_path / "in"], out=tmp_path / "out", policy=LIGHT, where=("gb", "Canada", "au"))
    checked = request.checked()
    assert checked.context.jurisdictions == checked.settings.where == ("UK", "CA", "AU")
    with pytest.raises(UsageError, match="unknown country"):
        msgspec.structs.replace(request, where=("atlantis",)).checked()


def test_without_an_output_folder_the_run_lies_beside_the_photos(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    place = (tmp_path / "medimg-runs").resolve()
    assert RunRequest(photos=[tmp_path / "in"], policy=LIGHT).checked().out == place
    assert RunRequest(photos=[tmp_path / "in" / "1.png"], policy=LIGHT).checked().out == place
    with pytest.raises(UsageError, match="output folder"):
        RunRequest(photos=[tmp_path / "in", tmp_path], policy=LIGHT).checked()
    with pytest.raises(UsageError, match="no folder beside"):
        RunRequest(photos=[Path("/")], policy=LIGHT).checked()


def test_copies_as_jpeg_are_asked_for_with_the_run_and_decisions_are_applied_to_it(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    request = RunRequest(photos=[tmp_path / "in"], out=tmp_path / "out", policy=LIGHT, save_as="jpeg", workers=1)
    assert request.checked().policy.covers.heif == "jpeg"
    outcome = medimg.scrub_folder(request)
    opened = open_run(outcome.folder)
    assert policy_of(opened).covers.heif == "jpeg"
    assert policy_of(opened).digest == opened.state.run.policy_digest
    other = msgspec.structs.replace(LIGHT, text=msgspec.structs.replace(LIGHT.text, margin=0.5))
    with pytest.raises(UsageError, match="other settings"):
        policy_of(opened, other)
