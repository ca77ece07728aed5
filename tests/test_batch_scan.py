from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from medimg.batch import scan
from medimg.batch.folder import RunFolder, refuse_inside
from medimg.errors import OutputError, UsageError

HOSTILE = [
    b'it\'s "quoted".jpg',
    b"new\nline.jpg",
    b"latin-\xe9\xff.jpg",
    b"-rf.jpg",
    b"$(id).jpg",
    "Ngāti Māori 漢字.jpg".encode(),
]


def listed(*inputs: Path, group_by: scan.GroupBy = "folder") -> tuple[list[scan.Item], scan.Scan]:
    scanned = scan.Scan(scan.roots(list(inputs)), group_by)
    return list(scanned.items()), scanned


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_everything_below_a_folder_under_safe_ids_grouped_by_folder(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.jpg", "a/deep/3.jpg", "b/1.jpg", "0.jpg"):
        touch(tmp_path / name)
    items, scanned = listed(tmp_path)
    assert scanned.total == 5
    assert {i.path for i in items} == {b"a/1.jpg", b"a/2.jpg", b"a/deep/3.jpg", b"b/1.jpg", b"0.jpg"}
    group = {i.path: i.safe_id.partition("-")[0] for i in items}
    assert group[b"a/1.jpg"] == group[b"a/2.jpg"]
    assert sorted(set(group.values())) == ["P01", "P02", "P03", "P04"]
    number = {i.path: i.safe_id.partition("-")[2] for i in items}
    assert ({number[b"a/1.jpg"], number[b"a/2.jpg"]}, number[b"b/1.jpg"]) == ({"001", "002"}, "001")
    assert len({i.safe_id for i in items}) == 5


def test_the_order_of_groups_is_drawn_anew_each_time(tmp_path: Path) -> None:
    for name in range(12):
        touch(tmp_path / f"{name:02d}" / "x.jpg")
    orders = {tuple(i.safe_id for i in sorted(listed(tmp_path)[0], key=lambda i: i.path)) for _ in range(4)}
    assert len(orders) > 1


def test_every_file_its_own_group(tmp_path: Path) -> None:
    for name in range(120):
        touch(tmp_path / "all" / f"{name}.jpg")
    items, _ = listed(tmp_path, group_by="file")
    assert sorted(i.safe_id for i in items) == [f"P{n:03d}-001" for n in range(1, 121)]


def test_two_inputs_of_one_name_and_a_folder_named_twice(tmp_path: Path) -> None:
    touch(tmp_path / "a/x.jpg")
    touch(tmp_path / "b/x.jpg")
    items, _ = listed(tmp_path / "a/x.jpg", tmp_path / "b/x.jpg")
    assert len({i.safe_id for i in items}) == 2
    for inputs in ([tmp_path, tmp_path / "a"], [tmp_path / "a", tmp_path], [tmp_path, tmp_path / "a/x.jpg"]):
        items, _ = listed(*inputs)
        assert len(items) == 2


def test_links_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path / "in/1.jpg")
    touch(tmp_path / "elsewhere/secret.jpg")
    (tmp_path / "in/inside.jpg").symlink_to(tmp_path / "in/1.jpg")
    (tmp_path / "in/outside.jpg").symlink_to(tmp_path / "elsewhere/secret.jpg")
    (tmp_path / "in/folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/broken").symlink_to(tmp_path / "in/nothing")
    items, scanned = listed(tmp_path / "in")
    assert [i.path for i in items] == [b"1.jpg"]
    asked = {a.path: a.asked for a in scanned.asides}
    assert asked == {b"inside.jpg": False, b"outside.jpg": True, b"folder": True, b"loop": False, b"broken": True}


def test_a_link_the_user_names_is_meant(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere/1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "one.jpg").symlink_to(tmp_path / "elsewhere/1.jpg")
    assert [i.path for i in listed(tmp_path / "link")[0]] == [b"1.jpg"]
    assert [(i.path, i.size) for i in listed(tmp_path / "one.jpg")[0]] == [(b"one.jpg", 1)]


def test_pipes_are_set_aside_and_litter_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    touch(tmp_path / ".DS_Store")
    touch(tmp_path / "._1.jpg")
    touch(tmp_path / "Thumbs.db")
    os.mkfifo(tmp_path / "pipe.jpg")
    items, scanned = listed(tmp_path)
    assert [i.path for i in items] == [b"1.jpg"]
    assert {a.path: a.asked for a in scanned.asides} == {
        b".DS_Store": False,
        b"._1.jpg": False,
        b"Thumbs.db": False,
        b"pipe.jpg": True,
    }


def test_names_of_any_bytes(tmp_path: Path) -> None:
    for name in HOSTILE:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    items, _ = listed(tmp_path)
    assert {i.path for i in items} == set(HOSTILE)
    assert all(i.safe_id.isascii() and i.safe_id.startswith("P01-") for i in items)


def test_what_is_not_there_is_named_by_its_place_in_the_list(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    with pytest.raises(UsageError) as caught:
        scan.roots([tmp_path / "1.jpg", tmp_path / "Mary Jones.jpg"])
    assert "number 2" in str(caught.value)
    assert "Mary" not in str(caught.value)
    with pytest.raises(UsageError):
        scan.roots([])


@pytest.mark.parametrize("inside", ["", "out", "a/b/out", "link/out"])
def test_an_output_folder_inside_an_input_folder_is_refused(tmp_path: Path, inside: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path / "in")
    with pytest.raises(UsageError):
        refuse_inside(tmp_path / "in" / inside, [tmp_path / "in"])
    refuse_inside(tmp_path / "beside", [tmp_path / "in"])
    refuse_inside(tmp_path, [tmp_path / "in"])


def test_a_run_folder_is_its_owners_alone(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "new" / "out")
    for path in (run.path, run.share, run.unreviewed, run.hold, run.private):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert run.path.name == f"medimg-{run.tag}"
    assert len(run.tag) == 4
    assert [r.path for r in RunFolder.all_under(tmp_path / "new" / "out")] == [run.path]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError) as caught:
        RunFolder.create(tmp_path / "file" / "out")
    assert caught.value.exit_code == 30
    assert str(tmp_path) not in str(caught.value)


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path)
    handle = run.lock()
    with pytest.raises(UsageError):
        run.lock()
    run.unlock(handle)
    run.unlock(run.lock())
    assert list(run.private.iterdir()) == []


def test_only_bare_run_folders_are_removed(tmp_path: Path) -> None:
    bare, used = RunFolder.create(tmp_path), RunFolder.create(tmp_path)
    (used.unreviewed / "P01-001.jpg").write_bytes(b"x")
    assert bare.remove_if_bare()
    assert not used.remove_if_bare()
    assert [r.path for r in RunFolder.all_under(tmp_path)] == [used.path]
