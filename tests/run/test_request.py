"""One record says what is asked of a run; the call with separate arguments says the same."""

from __future__ import annotations

from pathlib import Path

import batch_fakes as fakes
import msgspec
import pytest

import medimg
from medimg import Hooks, RunRequest
from medimg.engine.batch import Asked
from medimg.engine.loop import Progress
from medimg.errors import UsageError
from medimg.policy import Policy

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
