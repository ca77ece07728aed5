"""The three systems answer to the same names, and the parts of them that can be tried anywhere do what they say."""

from __future__ import annotations

import ast
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import medimg.system
from medimg.errors import Unreadable
from medimg.system import children, files, host, locks, placeholders, windows_names

HERE = Path(medimg.system.__file__).parent
SYSTEMS = ("_linux", "_darwin", "_windows")


def tree(name: str) -> ast.Module:
    return ast.parse((HERE / f"{name}.py").read_text("utf-8"))


def exported(name: str) -> set[str]:
    found: set[str] = set()
    for node in tree(name).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found |= set(ast.literal_eval(node.value))
        elif isinstance(node, ast.AugAssign) and ast.unparse(node) == "__all__ += _posix.__all__":
            found |= exported("_posix")
    assert found, f"{name} has no __all__"
    return found


def shapes(name: str) -> dict[str, str]:
    """Name -> parameters and result of each function, and of the methods of Tree, whichever file it stands in."""
    found: dict[str, str] = {}
    for place in ("_registry" if name == "_windows" else "_posix", name):
        for node in tree(place).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = f"{ast.unparse(node.args)} -> {ast.unparse(node.returns) if node.returns else ''}"
            elif isinstance(node, ast.ClassDef) and node.name in ("Tree", "PosixTree"):
                found |= {f"Tree.{m.name}": ast.unparse(m.args) for m in node.body if isinstance(m, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("system", SYSTEMS[1:])
def test_the_systems_answer_to_the_same_names(system: str) -> None:
    assert exported(system) == exported("_linux")
    own, linux = shapes(system), shapes("_linux")
    own["long_path"] = linux["long_path"]  # Windows takes it from windows_names
    names = {n for n in linux if n.partition(".")[0] in exported("_linux")}
    assert len(names) > 25
    assert {n: own.get(n) for n in names} == {n: linux[n] for n in names}


def test_the_door_is_this_systems() -> None:
    wanted = {"linux": "_linux", "darwin": "_darwin", "win32": "_windows"}[sys.platform]
    assert host.__name__ == f"medimg.system.{wanted}"
    assert set(host.__all__) == {n for n in dir(host) if n in exported(wanted)}


HOLD = (
    "import sys, time; from pathlib import Path; from medimg.system import locks\n"
    "handle = locks.claim(Path(sys.argv[1])); print(handle is not None, flush=True); time.sleep(300)"
)


def test_a_lock_is_one_processs_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not locks.held(path)
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline().strip() == "True"
        assert locks.held(path)
        assert locks.claim(path) is None
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert not locks.held(path)
    handle = locks.claim(path)
    assert handle is not None
    locks.give_back(path, handle)
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_lock_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):  # noqa: PT011 - ELOOP, of whatever class
        locks.claim(tmp_path / "lock")


ALONE = (
    "import sys; from pathlib import Path; from medimg.system import locks; print('before', flush=True)\n"
    "with locks.alone(Path(sys.argv[1])): print('inside', flush=True)"
)


def test_one_process_at_a_time_is_alone_with_a_folder(tmp_path: Path) -> None:
    with locks.alone(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", ALONE, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"before"  # it has started, however busy the machine is
        time.sleep(1)
        assert child.poll() is None
    out, _ = child.communicate(timeout=600)
    assert out.strip() == b"inside"


def test_a_private_folder_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    host.private_folder(folder, parents=True)
    with pytest.raises(FileExistsError):
        host.private_folder(folder)
    host.private_folder(folder, exist_ok=True)
    if sys.platform != "win32":  # there by an access list: tests/system/test_windows.py
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_name_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"1")
    (tmp_path / "taken").write_bytes(b"2")
    with pytest.raises(FileExistsError):
        host.rename_new(tmp_path / "old", tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == b"2"
    if host.rename_new(tmp_path / "old", tmp_path / "new"):
        assert (tmp_path / "new").read_bytes() == b"1"


def test_a_file_that_was_taken_goes_with_its_last_use(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"picture")
    handle = host.take(path)
    mapped = mmap.mmap(handle, 7, access=mmap.ACCESS_READ)
    os.close(handle)
    view = memoryview(mapped)
    assert host.UNLINK_OPEN is not path.exists()
    assert bytes(view) == b"picture"
    view.release()
    mapped.close()
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        host.take(path)


def test_who_is_there() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert host.alive(child.pid)
    child.communicate(b"\n", timeout=600)
    assert not host.alive(child.pid)
    assert host.processors() >= 1
    assert host.total_memory() > 1 << 28


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_freed_memory_goes_back_to_the_system() -> None:
    code = """if True:
        import os
        from medimg.system import host

        def resident():
            with open("/proc/self/statm") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        kept = []
        for _ in range(2000):
            piece = bytearray(32 << 10)  # too small for a mapping of its own
            kept.append(bytearray(64))  # and something small above each, so that the heap cannot end there
            kept.append(piece)
        del piece
        kept[1::2] = [None] * 2000
        before = resident()
        host.give_back()
        assert before - resident() > 40 << 20, (before, resident())
    """
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("attributes", "away"),
    [(0x20, False), (0x80020, False), (0x400000, True), (0x40000, True), (0x1020, True), (0x501620, True)],
)
def test_a_file_of_onedrive_is_known_by_its_attributes(attributes: int, away: bool) -> None:
    """Archive; pinned and there; recall on data access; recall on open; offline; an online-only file as seen there."""
    assert placeholders.recalled(attributes) is away


def test_a_file_of_icloud_is_known_by_its_flags() -> None:
    assert placeholders.dataless(0x40000000 | 0x20)
    assert not placeholders.dataless(0x20)


def test_what_lies_in_the_cloud_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"photo")
    opened: list[object] = []
    real = os.open
    monkeypatch.setattr(host, "only_in_cloud", lambda _: True)
    monkeypatch.setattr(os, "open", lambda *a: opened.append(a) or real(*a))
    with pytest.raises(Unreadable, match="not on this computer"):
        files.read_original(photo, 100)
    assert not opened


@pytest.mark.parametrize(
    "name", ["CON", "nul.jpg", "Com1", "LPT9.txt", "com¹", "a.", "a ", "a:b", "x|y", "a\x1f", "", "CONOUT$", "aux .png"]
)
def test_windows_does_not_take_these_names(name: str) -> None:
    assert windows_names.reserved(name)


@pytest.mark.parametrize("name", ["P01-001.jpg", "medimg-R7Q4", ".medimg-00ff.part", "CONSENT", "com10.jpg", "LPT0"])
def test_windows_takes_these_names(name: str) -> None:
    assert not windows_names.reserved(name)


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (r"C:\photos\a.jpg", r"\\?\C:\photos\a.jpg"),
        (r"C:/photos/../b.jpg", r"\\?\C:\b.jpg"),
        (r"\\server\share\a.jpg", r"\\?\UNC\server\share\a.jpg"),
        (r"\\?\C:\a", r"\\?\C:\a"),
        (r"\\.\pipe\a", r"\\.\pipe\a"),
    ],
)
def test_the_long_form_of_a_path(path: str, long: str) -> None:
    assert windows_names.long_path(path) == long


def test_a_system_that_does_not_serve_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from medimg.cli.cluster import cluster
    from medimg.cli.serve import serve
    from medimg.errors import MissingPart

    monkeypatch.setattr(host, "SERVES", False)
    for command, given in (
        (serve, ["--port", "1", "--token-file", str(tmp_path / "t")]),
        (cluster, ["certificates", str(tmp_path / "c"), "n"]),
    ):
        result = CliRunner().invoke(command, given)
        assert isinstance(result.exception, MissingPart), result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"])
def test_no_list_of_a_child_names_the_current_folder(name: str, tmp_path: Path) -> None:
    given = os.pathsep.join(("", str(tmp_path), "lib"))
    assert children.changes({name: given})[name] == str(tmp_path)
    assert children.changes({name: "lib"})[name] is None


@pytest.mark.parametrize(
    ("own", "written", "processors", "memory"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000", "a/b/memory.max": "max"}, 2, 0),
        ("0::/\n", {"cpu.max": "50000 100000", "memory.max": "2147483648"}, 1, 2 << 30),
        ("0::/of/the/host\n", {"cpu.max": "400000 100000", "memory.max": "max"}, 4, 0),
        (
            "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n",
            {
                "memory/job/memory.limit_in_bytes": "1073741824",
                "memory/memory.limit_in_bytes": "9223372036854771712",
                "cpu/job/cpu.cfs_quota_us": "200000",
                "cpu/job/cpu.cfs_period_us": "100000",
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
            },
            2,
            1 << 30,
        ),
        ("", {}, 0, 0),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
def test_a_container_bounds_processors_and_memory(
    tmp_path: Path, own: str, written: dict[str, str], processors: int, memory: int
) -> None:
    from medimg.system import cgroup

    (tmp_path / "own").write_text(own)
    for name, text in written.items():
        place = tmp_path / "mounted" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + "\n")
    assert cgroup.processors(tmp_path / "own", tmp_path / "mounted") == processors
    assert cgroup.memory(tmp_path / "own", tmp_path / "mounted") == memory
