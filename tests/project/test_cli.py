"""The command line through its real door: a process, its exit code, what it prints and what it leaves."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest
from click.testing import CliRunner
from PIL import Image, PngImagePlugin

from medimg.cli.main import COMMANDS, cli

MARKER = "MARKERJONES"


def medimg(
    *arguments: str | Path | bytes, cwd: Path | None = None, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "medimg", *arguments], capture_output=True, cwd=cwd, input=given, timeout=600
    )


def marked(path: Path, seed: int = 0) -> Path:
    """A photo with a planted marker in its metadata."""
    fakes.photo(path, seed=seed)
    with Image.open(path) as image:
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", MARKER)
        image.save(path, pnginfo=info)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for n in range(3):
        marked(tmp_path / f"in/{MARKER} {n}/{MARKER}.png", seed=n)
    return tmp_path / "in"


def the_run(out: Path) -> Path:
    (run,) = out.iterdir()
    return run


def test_help_lists_every_command_and_imports_click_alone() -> None:
    said = medimg("--help")
    assert said.returncode == 0
    code = (
        "import sys; loaded = set(sys.modules)\n"  # a child that is measured for coverage has loaded more
        "from medimg.cli.main import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'PIL', 'onnxruntime', 'msgspec', 'pebble', 'jinja2', 'sqlite3', 'rapidocr'}\n"
        "print(sorted(heavy & (set(sys.modules) - loaded)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stderr.strip() == "[]"
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_and_says_first_what_the_list_says(name: str) -> None:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.name == name
    assert (command.help or "").split("\n")[0] == COMMANDS[name][1]
    assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_clean_leaves_what_it_promises_and_no_marker(photos: Path, tmp_path: Path) -> None:
    done = medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only", "--where", "AU,NZ")
    assert done.returncode == 11, done.stderr
    run = the_run(tmp_path / "out")
    assert sorted(p.name for p in run.iterdir()) == [
        "PRIVATE-patient-record",
        "hold",
        "run.json",
        "share",
        "share-sheet.html",
        "share-sheet.json",
        "unreviewed",
    ]
    assert [p.name for p in sorted((run / "unreviewed").iterdir())] == ["P01-001.png", "P02-001.png", "P03-001.png"]
    assert list((run / "share").iterdir()) == []
    for sheet in ("share-sheet.html", "PRIVATE-patient-record/record-sheet.html"):
        assert str(run / sheet).encode() in done.stdout
    assert b"text, codes and faces were not looked for" in done.stdout
    assert MARKER.encode() not in done.stdout + done.stderr
    for path in run.rglob("*"):
        assert MARKER not in path.name
        assert not path.is_file() or MARKER.encode() not in path.read_bytes()
    assert all(MARKER.encode() in p.read_bytes() for p in photos.rglob("*.png"))


def test_fail_on_chooses_what_counts(photos: Path, tmp_path: Path) -> None:
    for given, code in (("review", 10), ("hold,unreadable", 0), ("none", 0), ("questions review", 11)):
        done = medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only", "--fail-on", given)
        assert done.returncode == code, done.stderr
    assert medimg("clean", photos, "-o", tmp_path / "out", "--fail-on", "everything").returncode == 2


def test_events_for_programs(photos: Path, tmp_path: Path) -> None:
    done = medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only", "--json-lines")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["event"] for e in events] == ["start", "photo", "photo", "photo", "end", "finished"]
    assert events[-1]["exit_code"] == done.returncode == 11
    assert {e["photo"]["state"] for e in events if e["event"] == "photo"} == {"unreviewed"}
    assert MARKER.encode() not in done.stdout + done.stderr


def test_a_bar_with_count_and_time_left_on_a_terminal(photos: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    many, one = tmp_path / "many", next(photos.rglob("*.png"))
    many.mkdir()
    for n in range(20):  # more than are given out together: those say nothing of the rate
        shutil.copy(one, many / f"{n}.png")
    command = ["clean", str(many), "-o", str(tmp_path / "out"), "--metadata-only", "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "medimg", *command],
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    process.communicate(timeout=600)
    said = os.read(ours, 65536)
    os.close(ours)
    assert b"Cleaning" in said
    assert b"20/20" in said
    assert b"/s" in said


WRONG: list[tuple[list[str], int]] = [
    ([f"clean-{MARKER}"], 2),
    (["clean"], 2),
    (["clean", f"{MARKER}.jpg"], 2),
    (["clean", f"{MARKER}.jpg", "-o", "out"], 2),
    (["clean", "photos", "-o", "photos/out"], 2),
    (["clean", "photos", "-o", "photos/one.png/out", "--metadata-only"], 2),
    (["clean", f"-{MARKER}.png", "-o", "out"], 2),
    (["clean", "photos", "-o", "out", "--audience", MARKER], 2),
    (["clean", "photos", "-o", "out", "--where", MARKER], 2),
    (["clean", "photos", "-o", "out", "--workers", MARKER], 2),
    (["clean", "photos", "-o", "out", "--group-by", MARKER], 2),
    (["clean", "photos", "-o", "out", "--policy", f"{MARKER}.toml"], 2),
    (["clean", "photos", "-o", "out", "--policy", "bad.toml"], 2),
    (["clean", "photos", "-o", "out", "--known", f"{MARKER}.toml"], 2),
    (["clean", "photos", "-o", "out", "--known", "bad.toml"], 2),
    (["clean", "empty", "-o", "out", "--metadata-only"], 21),
    (["clean", "photos", "-o", "file/out", "--metadata-only"], 30),
    (["inspect", f"{MARKER}.jpg"], 2),
    (["inspect", "photos", "--show-values"], 2),
    (["verify", f"{MARKER}.jpg"], 2),
    (["explain", "--policy", f"{MARKER}.toml"], 2),
]


@pytest.mark.parametrize(("arguments", "code"), WRONG, ids=[" ".join(a) for a, _ in WRONG])
def test_wrong_use_is_a_clear_error_that_quotes_nothing(tmp_path: Path, arguments: list[str], code: int) -> None:
    fakes.photo(tmp_path / "photos/one.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "bad.toml").write_text(f'nonsense = ["{MARKER}"]')
    before = sorted(tmp_path.rglob("*"))
    done = medimg(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(b"medimg: ")
    assert done.stderr.count(b"\n") == 1
    assert b"[M-" in done.stderr
    assert MARKER.encode() not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_what_an_organisation_does_not_allow_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        'schema = "medimg.site/1"\norganisation = "Example Hospital"\nallow_key = false\n'
        f'audiences = ["closed-group"]\noutput_places = ["{tmp_path}/out"]\n'
    )
    monkeypatch.setenv("MEDIMG_SITE", str(site))
    for more in (["--keep-key"], ["--audience", "public"]):
        done = medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only", *more)
        assert done.returncode == 2
        assert b"your organisation does not allow" in done.stderr
    assert medimg("clean", photos, "-o", tmp_path / "other", "--metadata-only").returncode == 2
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "other").exists()
    assert medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only").returncode == 11
    sheet = (the_run(tmp_path / "out") / "PRIVATE-patient-record/record-sheet.html").read_text()
    assert "Example Hospital" in sheet


def test_a_name_that_begins_with_a_dash_goes_after_two_dashes(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "-rf.png")
    done = medimg("clean", "-o", "out", "--metadata-only", "--", "-rf.png", cwd=tmp_path)
    assert done.returncode == 11
    assert [p.name for p in (the_run(tmp_path / "out") / "unreviewed").iterdir()] == ["P01-001.png"]


def test_a_name_that_is_not_utf8_on_the_command_line(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/in-\xe9\xff.png"
    Path(os.fsdecode(raw)).write_bytes(fakes.photo(tmp_path / "x.png").read_bytes())
    done = medimg("clean", raw, "-o", tmp_path / "out", "--metadata-only", "--keep-key")
    assert done.returncode == 11, done.stderr
    key = (the_run(tmp_path / "out") / "PRIVATE-patient-record/key.csv").read_text()
    assert key.splitlines() == ["original,id,copy,state,group", "in-\\xe9\\xff.png,P01-001,P01-001.png,unreviewed,"]


PHOTOS = 120
"""Several times those whose events the pipe below holds."""


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_signal_ends_with_130_and_can_be_resumed(tmp_path: Path, number: int) -> None:
    for n in range(PHOTOS):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)
    arguments = ["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--metadata-only", "--json-lines"]
    process = subprocess.Popen(
        [sys.executable, "-m", "medimg", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pipesize=4096,  # about fifteen photos: without a reader it cannot come to its end before the signal does
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a shell's job in the background ignores SIGINT
    )
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    process.send_signal(number)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130
    assert b"--resume" in said
    run = the_run(tmp_path / "out")
    assert not list(run.rglob("*.part"))
    done = medimg(*arguments, "--resume")
    assert done.returncode == 11
    assert the_run(tmp_path / "out") == run
    assert len(list((run / "unreviewed").iterdir())) == PHOTOS


def test_known_values_are_looked_for_and_never_written(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/wound of zoe zebedee.png")
    for text in (b'names = ["Zoe Zebedee"]', b'{"names": ["Zoe Zebedee"]}'):
        done = medimg("inspect", tmp_path / "in", "--metadata-only", "--known", "-", given=text)
        assert done.returncode == 0, done.stderr
        assert b"known 1" in done.stdout
        assert b"ebedee" not in done.stdout + done.stderr


def test_inspect_writes_nothing_and_shows_no_value(photos: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = medimg("inspect", photos, "--metadata-only")
    assert done.returncode == 0
    assert done.stdout.count(b"photo ") == 3
    assert b"metadata: " in done.stdout
    assert b"filename: " in done.stdout
    as_json = medimg("inspect", photos, "--metadata-only", "--json")
    rows = json.loads(as_json.stdout)
    assert [r["photo"] for r in rows] == ["photo 1", "photo 2", "photo 3"]
    assert all(a["finding"]["secret"] is None for r in rows for a in r["plan"]["actions"])
    assert MARKER.encode() not in done.stdout + done.stderr + as_json.stdout + as_json.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_inspect_and_verify_name_what_cannot_be_handled(tmp_path: Path) -> None:
    (tmp_path / f"{MARKER}.jpg").write_bytes(b"\x01\x00\x02 no picture")
    for command in ("inspect", "verify"):
        done = medimg(command, tmp_path / f"{MARKER}.jpg", "--metadata-only")
        assert done.returncode == 21
        assert b"photo 1: " in done.stdout
        assert b"M-IN-NOTPIC" in done.stdout
        assert MARKER.encode() not in done.stdout + done.stderr


def test_verify_is_satisfied_only_when_every_check_ran(photos: Path, tmp_path: Path) -> None:
    medimg("clean", photos, "-o", tmp_path / "out", "--metadata-only")
    copies = sorted((the_run(tmp_path / "out") / "unreviewed").iterdir())
    done = medimg("verify", *copies, "--metadata-only", "--json")
    rows = json.loads(done.stdout)
    states = {c["name"]: c["state"] for r in rows for c in r["checks"]}
    assert states["structure"] == states["metadata"] == "passed"
    assert states["text"] == states["faces"] == "not-asked"
    assert done.returncode == 20
    original = medimg("verify", next(photos.rglob("*.png")), "--metadata-only", "--json")
    checks = {c["name"]: c for c in json.loads(original.stdout)[0]["checks"]}
    assert checks["metadata"]["state"] == checks["structure"]["state"] == "failed"
    assert checks["metadata"]["found"] >= 1


def test_explain_is_what_the_policy_says(tmp_path: Path) -> None:
    from medimg.policy import Policy, explain

    done = medimg("explain")
    assert done.returncode == 0
    assert done.stdout.decode() == "".join(f"- {s}\n" for s in explain(Policy.load()))
    assert b"not checked" in medimg("explain", "--metadata-only").stdout


def test_a_fault_of_ours_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    code = (
        "import medimg.cli.main as m\n"
        "import medimg.policy as p\n"
        f"def broken(*_): raise KeyError('{MARKER}')\n"
        "p.explain = broken\n"
        "import sys; sys.argv = ['medimg', 'explain']\n"
        "m.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=600)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"KeyError" in done.stderr
    assert MARKER.encode() not in done.stderr
