"""A second run over the same folder does only what is new or changed, and says what an earlier run has done."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import batch_fakes as fakes
import pytest

import medimg
from medimg.engine import incremental
from medimg.engine.batch import Outcome
from medimg.policy import Policy
from medimg.run.journal import Settings
from medimg.types import KnownValues, Report, from_json

LIGHT = Policy(scope="metadata-only")


def run(tmp_path: Path, **more: object) -> Outcome:
    return medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", **{"policy": LIGHT, **more})  # type: ignore[arg-type]


def made(tmp_path: Path, count: int = 6) -> None:
    for n in range(count):
        fakes.photo(tmp_path / f"in/{n % 2}/MARKER {n}.png", seed=n)


def test_nothing_new_writes_nothing_and_names_the_run_that_has_it(tmp_path: Path) -> None:
    made(tmp_path)
    first = run(tmp_path)
    again = run(tmp_path)
    assert again.folder == first.folder
    assert again.unchanged == {first.folder.name.removeprefix("medimg-"): 6}
    # Its copies still wait: a second command does not make that go away.
    assert (again.photos, again.exit_code, again.conditions) == ({}, 11, ("questions", "review"))
    assert list((tmp_path / "out").iterdir()) == [first.folder]
    (tmp_path / "in/link.png").symlink_to("/etc/hostname")
    led_out = run(tmp_path)
    assert (led_out.photos, led_out.conditions[0], sum(led_out.set_aside.values())) == ({}, "unreadable", 1)
    for copy in (first.folder / "unreviewed").iterdir():
        copy.rename(first.folder / "share" / copy.name)
    assert run(tmp_path, fail_on=("review", "questions")).exit_code == 0


def test_only_what_is_new_changed_or_moved_is_done(tmp_path: Path) -> None:
    made(tmp_path)
    first = run(tmp_path)
    tag = first.folder.name.removeprefix("medimg-")
    fakes.photo(tmp_path / "in/0/new.png", seed=50)
    fakes.photo(tmp_path / "in/2/new.png", seed=51)
    # Same size, same time, other content: what counts is the content.
    old = tmp_path / "in/0/MARKER 0.png"
    info, data = old.stat(), bytearray(old.read_bytes())
    data[-6] ^= 1  # inside the checksum of the last chunk
    old.write_bytes(data)
    os.utime(old, ns=(info.st_atime_ns, info.st_mtime_ns))
    # Another folder is another patient: a photo that was moved is done again.
    (tmp_path / "in/1/MARKER 1.png").rename(tmp_path / "in/0/MARKER 1.png")
    # A new time alone changes nothing.
    os.utime(tmp_path / "in/0/MARKER 2.png", ns=(1, 1))
    second = run(tmp_path, keep_key=False)
    assert second.folder != first.folder
    assert second.unchanged == {tag: 4}
    assert sum(second.photos.values()) == 4
    third = run(tmp_path)
    assert third.unchanged[tag] == 4
    assert sum(third.unchanged.values()) + sum(third.photos.values()) == 8


def test_what_was_kept_back_still_is_and_a_lost_copy_is_made_again(tmp_path: Path) -> None:
    made(tmp_path, 4)
    (tmp_path / "in/0/notes.txt").write_text("MARKER")
    first = run(tmp_path)
    assert first.photos == {"unreviewed": 4, "refused": 1}
    again = run(tmp_path)
    assert (again.photos, again.unchanged_kept_back) == ({}, {"refused": 1})
    assert (again.conditions[0], again.exit_code) == ("unreadable", 21)
    assert run(tmp_path, fail_on=("hold",)).exit_code == 0
    # A released copy is still there; one that was deleted is not.
    copies = sorted((first.folder / "unreviewed").iterdir())
    copies[0].rename(first.folder / "share" / copies[0].name)
    copies[1].unlink()
    assert run(tmp_path).photos == {"unreviewed": 1}
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path).photos == {"refused": 1, "unreviewed": 4}


def test_what_may_come_out_otherwise_next_time_is_tried_again(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png", fakes.RAISES)
    fakes.photo(tmp_path / "in/2.png", fakes.CRASHES)
    fakes.photo(tmp_path / "in/3.png")
    assert run(tmp_path, policy=Policy(), make=fakes.make).photos == {"held": 2, "unreviewed": 1}
    assert run(tmp_path, policy=Policy(), make=fakes.make_nothing_found).photos == {"unreviewed": 2}
    assert run(tmp_path, policy=Policy(), make=fakes.make).photos == {}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"policy": Policy(), "make": fakes.make}, "policy"),
        pytest.param({"audience": "teaching"}, "audience", marks=pytest.mark.long),
        pytest.param({"group_by": "file"}, "group-by", marks=pytest.mark.long),
        pytest.param({"keep_key": True}, "keep-key", marks=pytest.mark.long),
        ({"known": KnownValues(names=("Mary",))}, "known"),
    ],
)
def test_other_settings_do_everything_again_and_say_so(tmp_path: Path, more: dict[str, object], why: str) -> None:
    made(tmp_path, 3)
    run(tmp_path)
    second = run(tmp_path, **more)
    assert second.photos == {"unreviewed": 3}
    assert why in second.changed
    assert second.unchanged == {}
    # The first run still holds for its own settings.
    assert run(tmp_path).photos == {}


def test_other_models_do_everything_again(tmp_path: Path) -> None:
    made(tmp_path, 2)
    run(tmp_path, policy=Policy(), make=fakes.make)
    assert run(tmp_path, policy=Policy(), make=fakes.make).photos == {}
    assert run(tmp_path, policy=Policy(), make=fakes.make_newer).changed == ("models",)


def test_another_version_or_other_known_values_of_the_same_number_count_as_changed() -> None:
    key = bytes(32)
    mary, jane = (incremental.known_mark(key, KnownValues(names=(n,))) for n in ("Mary", "Jane"))
    one = incremental.Made(settings=Settings(roots=(), policy="p"), known=mary, engines={})
    assert one.changed(incremental.Made(settings=Settings(roots=(), policy="p"), known=mary, engines={})) == []
    other = incremental.Made(settings=Settings(roots=(), policy="p", medimg="9"), known=jane, engines={})
    assert one.changed(other) == ["known", "medimg"]


def test_again_does_everything(tmp_path: Path) -> None:
    made(tmp_path, 3)
    run(tmp_path)
    assert run(tmp_path, again=True).photos == {"unreviewed": 3}


def test_the_list_tells_nobody_a_name_and_another_key_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, 3)
    first = run(tmp_path, known=KnownValues(names=("MARKER",)))
    seen = first.folder / "PRIVATE-patient-record" / incremental.NAME
    data = seen.read_bytes()
    assert b"MARKER" not in data
    assert os.fsencode(tmp_path) not in data
    assert seen.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("MEDIMG_SITE_KEY", str(tmp_path / "other"))
    assert run(tmp_path, known=KnownValues(names=("MARKER",))).photos == {"unreviewed": 3}
    monkeypatch.setenv("MEDIMG_SITE_KEY", str(tmp_path / "in/0/MARKER 0.png/not-a-folder"))
    assert incremental.site_key() == b""
    last = run(tmp_path)
    assert last.photos == {"unreviewed": 3}
    assert not (last.folder / "PRIVATE-patient-record" / incremental.NAME).exists()


@pytest.mark.parametrize("kinds", [("cut", "rows"), pytest.param(("emptied", "other"), marks=pytest.mark.long)])
def test_a_damaged_list_is_passed_over(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    """Each run finds the damaged lists of those before it, and its own is damaged for the next."""
    made(tmp_path, 2)

    def rows(seen: Path) -> None:
        with sqlite3.connect(seen) as db:
            db.execute("UPDATE seen SET original = x'5b315d'")

    damages: dict[str, Callable[[Path], object]] = {
        "cut": lambda seen: seen.write_bytes(seen.read_bytes()[:700]),
        "emptied": lambda seen: seen.write_bytes(b""),
        "other": lambda seen: seen.write_text("no list " * 200),
        "rows": rows,
    }
    last = run(tmp_path)
    for kind in kinds:
        damages[kind](last.folder / "PRIVATE-patient-record" / incremental.NAME)
        last = run(tmp_path)
        assert last.photos == {"unreviewed": 2}


def test_a_resumed_run_leaves_its_list_too(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png", fakes.FILLS)
    fakes.photo(tmp_path / "in/2.png", seed=2)
    once = run(tmp_path, policy=Policy(), make=fakes.make, workers=1)
    assert once.photos == {"failed": 1, "unreviewed": 1}
    assert not (once.folder / "PRIVATE-patient-record" / incremental.NAME).exists()
    run(tmp_path, policy=Policy(), make=fakes.make_nothing_found, workers=1, resume=True)
    assert run(tmp_path, policy=Policy(), make=fakes.make, workers=1).unchanged == {once.folder.name[7:]: 2}


def test_reports_say_where_a_copy_came_from_by_digest_alone(tmp_path: Path) -> None:
    made(tmp_path, 1)
    raw = (run(tmp_path).folder / "PRIVATE-patient-record/reports.json").read_bytes()
    (report,) = from_json(raw, list[Report])
    assert report.original is not None
    assert b"MARKER" not in raw
