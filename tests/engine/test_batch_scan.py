from __future__ import annotations

import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import pytest

import medimg
from medimg.errors import NotAPicture, OutputError, Unreadable, UsageError
from medimg.policy import Policy
from medimg.run import scan
from medimg.run.folder import RunFolder, refuse_inside

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
    assert (
        10_000**2 / 2 / 32 ** len(run.tag) < 1e-6
    )  # odds that two of 10,000 runs have one tag: 32 letters are drawn from
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


LITTER = {
    "a deleted photo": [
        *("$RECYCLE.BIN/$R123.JPG", "a/#recycle/old.jpg", "a/@Recycle/old.jpg", ".Trash-1000/files/old.jpg"),
        *(".Trashes/501/old.jpg", "a/.trashed-1735689600-IMG_2.JPG", ".dtrash/files/x.jpg", "a/$RABC123.jpg"),
        *("Network Trash Folder/x.jpg", "RECYCLER/S-1/x.jpg", ".Trash/x.jpg"),
        *(".RecycleBin/x.jpg", ".ColorOSGalleryRecycler/x.jpg"),
    ],
    "a thumbnail that a program or a NAS has made": [
        *("a/@eaDir/IMG.JPG/SYNOPHOTO_THUMB_XL.jpg", "a/.@__thumb/defaultIMG.jpg", ".thumbnails/1.jpg"),
        *("a/MVI_4.THM", "a/Thumbs.db:encryptable", "a/thumbs.db", "ehthumbs_vista.db", "a/.thumbdata3-1763508120"),
        *("a/ward Previews.lrdata/0/x.jpg", "AlbumThumbs/x.jpg", "a/M0100.CTG"),
    ],
    "an earlier version that a program has kept": [
        *(".picasaoriginals/IMG.JPG", ".stversions/a/IMG~1.JPG", "#snapshot/GMT/a.jpg", "a/photo.jpg_original"),
        *("a/.picasaoriginals/deep/IMG.JPG", ".snapshots/1/a.jpg"),
        *("files_versions/a.jpg", ".sync/Archive/a.jpg"),
    ],
    "a transfer that is not finished": [
        *("a/.pending-1735689600-IMG_3.JPG", "a/IMG.JPG.crdownload", "a/b.jpg.part", "a/.syncthing.b.jpg.tmp"),
        *("a/IMG_9.jpg.tmp", ".tmp.driveupload/1.jpg"),
    ],
    "a file of the operating system": [
        *("a/._IMG.JPG", "__MACOSX/a/._x.jpg", "a/.AppleDouble/x.jpg", ".Spotlight-V100/x.jpg", "lost+found/#12"),
        *("a/IMG.JPG:Zone.Identifier", "Icon\r", "a/desktop.ini", ".DS_Store", "System Volume Information/x.jpg"),
        *("a/IMG.JPG:com.dropbox.attributes", "found.000/FILE0000.CHK", "IMG.JPG.Zone.Identifier"),
    ],
}
MEANT = [
    *("a/IMG_1.JPG", "a/12:30 wound.jpg", "a/Trash talk.jpg", "Recycle/b.jpg", "a/.hidden.jpg", "a/thumbs up.jpg"),
    *("a/IMG_E1.JPG", "a/IMG~2.jpg", "a/party.jpg", "a/thumbnails/left thumb.jpg", "lost and found/c.jpg", "a/$5.jpg"),
]


def test_what_a_nas_a_phone_or_a_desktop_leaves_is_passed_over_and_counted(tmp_path: Path) -> None:
    for path in (*MEANT, *(p for paths in LITTER.values() for p in paths)):
        touch(tmp_path / path)
    items, scanned = listed(tmp_path)
    assert {os.fsdecode(i.path) for i in items} == set(MEANT)
    assert scanned.total == len(MEANT)
    counts = Counter(a.reason for a in scanned.asides)
    assert counts == {reason: len(paths) for reason, paths in LITTER.items()}
    assert not any(a.asked for a in scanned.asides)


def test_what_is_named_is_taken_as_it_is(tmp_path: Path) -> None:
    touch(tmp_path / "#recycle/old.jpg")
    touch(tmp_path / "a/.trashed-1-b.jpg")
    items = list(scan.Scan(scan.roots([tmp_path / "#recycle", tmp_path / "a/.trashed-1-b.jpg"])).items())
    assert sorted(i.path for i in items) == [b".trashed-1-b.jpg", b"old.jpg"]


def test_nothing_to_do_says_why(tmp_path: Path) -> None:
    touch(tmp_path / "in/@eaDir/1.jpg")
    touch(tmp_path / "in/.trashed-1-2.jpg")
    with pytest.raises(NotAPicture, match=r"passed over: 1 \(a deleted photo\), 1 \(a thumbnail"):
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=Policy(scope="metadata-only"))


def test_a_folder_that_may_not_be_opened_has_words_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    real = os.scandir

    def closed(path: Any = ".") -> Any:
        if os.fsencode(path) == os.fsencode(tmp_path / "in"):
            raise PermissionError(13, "MARKER")
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)  # root, who may run this, can open everything
    with pytest.raises(Unreadable, match="could not be opened"):
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=Policy(scope="metadata-only"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", ["folder", "grouped"])
def test_the_number_of_a_copy_tells_nothing_of_its_name(tmp_path: Path, how: str) -> None:
    for n in range(40):
        touch(tmp_path / f"{n:02d}.jpg")
    roots = scan.roots([tmp_path])
    groups = {(0, b"%02d.jpg" % n): scan.Group(1) for n in range(40)} if how == "grouped" else None
    orders = []
    for _ in range(4):
        items = sorted(scan.Scan(roots, "folder", groups).items(), key=lambda i: i.path)
        numbers = [int(i.safe_id.partition("-")[2]) for i in items]
        assert sorted(numbers) == list(range(1, 41))
        orders.append(tuple(numbers))
    assert len(set(orders)) == 4
    assert tuple(range(1, 41)) not in orders


def test_a_file_that_goes_while_it_is_listed_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)
    real = os.stat

    def gone(path: Any, *args: Any, **more: Any) -> os.stat_result:
        if os.fsencode(path).endswith(b"in/1.png"):
            raise FileNotFoundError(2, "gone")
        return real(path, *args, **more)

    monkeypatch.setattr(os, "stat", gone)
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=Policy(scope="metadata-only"))
    assert outcome.photos == {"unreviewed": 2, "refused": 1}
