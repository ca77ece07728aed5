"""One run from the folder of photos to the withdrawal, every step through the command, markers planted everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import batch_fakes as fakes
import msgspec
import piexif
import pytest
from PIL import Image
from release_kit import BATCH_YES, GROUP_YES
from sheets_kit import findings, none_true, region, run_folder

import medimg
from medimg.types import Action, Finding, Report, from_json

PRIVATE = "PRIVATE-patient-record"
PLANTED = ("ZZNAMEQUENTIN", "ZZFOLDERWARD", "ZZOWNERHALL", "2031:02:17")
GROUP_NAME = "ZZTYPEDGROUP"
TYPED = ("ZZTYPEDNOTE", "ZZTYPEDRECIPIENT", "ZZTYPEDROLE", "ZZTYPEDWITHDRAWAL")
CAPTION = "ZZCAPTIONWORD"
SITE = """
schema = "medimg.site/1"
organisation = "Example Hospital"
policy_text = "Clinical images, policy 12"
audiences = ["colleague-opinion", "closed-group"]
output_places = ["{place}"]
allow_key = {key}

[contacts]
privacy_officer = "extension 100"

[levels.closed-group]
"id.moment" = "blocking"

[[items]]
id = "site.register"
ask = "Is this use entered in the image register?"
level = {{ closed-group = "blocking" }}
"""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def astronaut() -> Path:
    return Path(str(resources.files("skimage"))) / "data" / "astronaut.png"


def photo_with_a_face(path: Path) -> None:
    exif = piexif.dump(
        {
            "0th": {piexif.ImageIFD.Artist: PLANTED[2].encode()},
            "Exif": {piexif.ExifIFD.DateTimeOriginal: f"{PLANTED[3]} 09:41:07".encode()},
            "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"S", piexif.GPSIFD.GPSLatitude: ((36, 1), (51, 1), (0, 1))},
        }
    )
    path.parent.mkdir(parents=True)
    with Image.open(astronaut()) as image:
        image.convert("RGB").save(path, quality=92, exif=exif)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cleaned run of a photo with a face and one without, in two groups that a file names."""
    base = tmp_path_factory.mktemp("whole")
    photos = base / "in" / PLANTED[1]
    photo_with_a_face(photos / f"{PLANTED[0]}.jpg")
    fakes.photo(photos / f"{PLANTED[0]}-plain.png")
    first = f"{PLANTED[1]}/{PLANTED[0]}"
    (base / "groups.csv").write_text(f"original,group\n{first}.jpg,{GROUP_NAME}\n{first}-plain.png,{GROUP_NAME} B\n")
    (base / "site.toml").write_text(SITE.format(place=base, key="true"))
    done = command(base)(
        *("clean", base / "in", "-o", base / "out", "--where", "AU", "--keep-key", "--workers", "1"),
        *("--group-by", base / "groups.csv"),
    )
    assert done.returncode == 11, done.stderr
    listed = json.loads(command(base)("review", run_of(base), "--json").stdout)
    for photo in listed["photos"]:
        for area in photo["asked"]:  # perhaps writing, says the check: a fold of a flag
            line = ("show", run_of(base), photo["safe_id"], "--area", area, "--why", "not-writing")
            assert command(base)(*line).returncode == 10
    (base / "said.txt").write_text(done.stdout + done.stderr)
    return base


def command(base: Path) -> Command:
    env = {**os.environ, "MEDIMG_REGISTER": str(base / "register.sqlite"), "MEDIMG_SITE": str(base / "site.toml")}

    def call(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "medimg", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=600, env={**env, **more}, input="")

    return call


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    """The cleaned run, to be worked on; its copies lie in ``out/medimg-*`` as before."""
    shutil.copytree(base, tmp_path / "base")
    return tmp_path / "base"


def run_of(base: Path) -> Path:
    (run,) = (base / "out").iterdir()
    return run


def face_group(run: Path) -> str:
    reports = from_json((run / PRIVATE / "reports.json").read_bytes(), list[Report])
    (group,) = {r.safe_id.partition("-")[0] for r in reports if r.counts("face")}
    return group


def answers(run: Path, leave_out: tuple[str, ...] = ()) -> str:
    """An answers file that closes everything of both groups but what is left out."""
    lines = [f"role: {TYPED[2]}", "batch:", *(f"  {k}: {v}" for k, v in BATCH_YES.items()), "groups:"]
    said = {**GROUP_YES, "id.moment": "yes", "site.register": "yes"}
    conditions = {k: v for k, v in none_true().items() if k != "face"}
    for group in ("P01", "P02"):
        lines += [f"  {group}:", "    conditions:", *(f"      {k}: {v}" for k, v in conditions.items())]
        if group != face_group(run):
            lines.append("      face: no")
        lines += [f"    looked_at: [{group}-001]", f"    recipients: {TYPED[1]}", "    answers:"]
        lines += [f"      {k}: {v}" for k, v in said.items() if k not in (*leave_out, "id.together")]
        lines.append(f"      id.together: {{answer: yes, note: {TYPED[0]}}}")
    return "\n".join(lines) + "\n"


def everything(base: Path) -> dict[str, bytes]:
    """Every file that medimg wrote, by its path."""
    made = [*run_of(base).rglob("*"), *base.glob("register.sqlite*")]
    return {str(p.relative_to(base)): p.read_bytes() for p in made if p.is_file()}


def test_markers_of_a_whole_run_are_where_they_may_be_and_nowhere_else(copy: Path) -> None:
    call, run = command(copy), run_of(copy)
    group = face_group(run)
    (copy / "answers.yaml").write_text(answers(run))
    (copy / "caption.txt").write_text(f"{CAPTION} {CAPTION}, hand after repair")
    quiet, loud = [(copy / "said.txt").read_text()], []
    seen: dict[str, bytes] = everything(copy)

    def step(code: int, *arguments: object, typed: bool = False) -> str:
        done = call(*arguments)
        assert done.returncode == code, done.stderr
        (loud if typed else quiet).append(done.stdout + done.stderr)
        seen.update({f"{len(quiet)}.{len(loud)} {k}": v for k, v in everything(copy).items()})
        return done.stdout

    step(11, "answer", run, "--caption", copy / "caption.txt")
    step(0, "answer", run, "--from", copy / "answers.yaml")
    step(0, "status", run, "--json")
    assert "2 copies" not in step(0, "release", run, "--yes", "--role", TYPED[2])
    assert len(list((run / "share").iterdir())) == 2
    step(11, "reopen", run, group)
    assert [p.name[:3] for p in (run / "unreviewed").iterdir()] == [group]
    step(0, "answer", run, "--from", copy / "answers.yaml")
    step(0, "release", run, group, "--yes")
    said = step(0, "withdraw", run, group, "--note", TYPED[3], typed=True)
    assert "extension 100" in said
    assert "cached" in said
    assert TYPED[1] in said
    step(12, "status", run)
    step(0, "register", "list")
    step(0, "register", "verify", run)
    exported = step(0, "register", "export")
    assert not any(word in exported for word in (*TYPED[:2], CAPTION))
    step(0, "register", "show", "1", typed=True)

    for path, data in seen.items():
        name = path.rpartition("/")[2]
        for marker in PLANTED:
            may = name == "key.csv" and marker in PLANTED[:2]
            assert may or (marker.encode() not in data and marker not in path), (marker, path)
        assert name == "key.csv" or GROUP_NAME.encode() not in data, path
        if PRIVATE not in path and "register.sqlite" not in path:
            assert not any(word.encode() in data for word in (*TYPED, CAPTION)), path
    for word in (*PLANTED, CAPTION, GROUP_NAME, *TYPED):
        assert all(word not in text for text in quiet), word
    for word in (*PLANTED, GROUP_NAME):
        assert all(word not in text for text in loud), word
    final = everything(copy)
    for word in TYPED:  # what was typed is kept where it belongs
        assert any(word.encode() in data for path, data in final.items() if PRIVATE in path), word


def test_a_picture_with_a_face_needs_a_persons_decision(copy: Path) -> None:
    call, run = command(copy), run_of(copy)
    group = face_group(run)
    (copy / "answers.yaml").write_text(answers(run, leave_out=("img.faces",)))
    assert call("answer", run, "--from", copy / "answers.yaml").returncode == 11
    for said, code in (("", 11), ("not-sure", 11), ("not-applicable", 11), ("no", 11), ("yes", 0)):
        if said:
            call("answer", run, "--set", f"{group}:img.faces={said}")
        done = call("release", run, group, "--yes", "--to", "the hand group", "--role", "registrar")
        assert done.returncode == code, (said, done.stdout, done.stderr)
        assert bool(list((run / "share").glob(f"{group}-*"))) is (code == 0), said
        assert code == 0 or "img.faces" in done.stdout
    sheet = (run / PRIVATE / "record-sheet.html").read_text()
    assert "found 1 face" in sheet


def test_a_possible_face_is_asked_and_seen(tmp_path: Path) -> None:
    possible = Finding(
        id="f9", kind="face", category="possible-face", detector="faces 1", score=0.3, region=region(300, 200, 360, 260)
    )
    ask = Action(finding=possible, do="ask", why="possible face: look")
    run = tmp_path / "out" / "medimg-R7Q4"
    run_folder(run, {"P01": 1}, actions=(*findings(), ask))
    (tmp_path / "site.toml").write_text(SITE.format(place=tmp_path, key="false"))
    call = command(tmp_path)
    sheet = (run / PRIVATE / "record-sheet.html").read_text()
    assert "found 2 faces; 1 covered; 1 is only possible: look" in sheet
    assert "possible face: look" in sheet
    assert "for you to look at" in sheet
    (tmp_path / "answers.yaml").write_text(
        "batch:\n"
        + "".join(f"  {k}: {v}\n" for k, v in BATCH_YES.items())
        + "groups:\n  P01:\n    looked_at: [P01-001]\n    answers:\n"
        + "".join(f"      {k}: {v}\n" for k, v in GROUP_YES.items() if k != "img.faces")
    )
    done = call("answer", run, "--from", tmp_path / "answers.yaml")
    assert "img.faces" in done.stdout
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 11
    line = [sys.executable, "-m", "medimg", "answer", "--all-questions", str(run)]
    env = {**os.environ, "MEDIMG_SITE": str(tmp_path / "site.toml")}
    typed = subprocess.run(line, input="s\n" * 60, capture_output=True, text=True, timeout=600, env=env)
    assert "Checks: the check found 2 faces; 1 covered; 1 is only possible: look." in typed.stdout


# ---------------------------------------------------------------- the organisation's profile


def test_what_the_organisation_sets_is_asked_blocks_and_is_shown(copy: Path) -> None:
    call, run = command(copy), run_of(copy)
    (copy / "answers.yaml").write_text(answers(run, leave_out=("id.moment", "site.register")))
    done = call("answer", run, "--from", copy / "answers.yaml")
    assert done.returncode == 11
    assert "site.register: Is this use entered in the image register?" in done.stdout
    assert "id.moment" in done.stdout
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 11
    for group in ("P01", "P02"):
        settings = ("--set", f"{group}:site.register=yes", "--set", f"{group}:id.moment=yes")
        call("answer", run, *settings)
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 0
    record = (run / PRIVATE / "record-sheet.html").read_text()
    assert record.count("set by your organisation") >= 4
    for words in ("Set by your organisation: Example Hospital", "extension 100", "Clinical images, policy 12"):
        assert words in record
    share = (run / "share-sheet.html").read_text()
    assert "set by the sharer's organisation" in share.replace("&#39;", "'")
    assert "Example Hospital" not in share


@pytest.mark.parametrize(
    ("more", "text", "said"),
    [
        (["--keep-key"], SITE, "key of original names"),
        (["--audience", "public"], SITE, "this audience"),
        ([], SITE.replace("{place}", "/somewhere/else"), "this output folder"),
        ([], SITE.replace('"id.moment" = "blocking"', '"con.written" = "advisory"'), "never lower or drop"),
        ([], SITE.replace('"id.moment" = "blocking"', '"con.written" = "dropped"'), "not valid"),
        ([], SITE + "drop = ['con.written']\n", "not valid"),
    ],
)
def test_what_the_organisation_does_not_allow_and_what_it_may_not_do(
    tmp_path: Path, more: list[str], text: str, said: str
) -> None:
    fakes.photo(tmp_path / "in/a.png")
    (tmp_path / "site.toml").write_text(text.format(place=tmp_path, key="false"))
    done = command(tmp_path)("clean", tmp_path / "in", "-o", tmp_path / "out", "--metadata-only", *more)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- interrupted, edited, newer


def test_a_resumed_run_keeps_what_was_released_and_asks_about_what_is_new(tmp_path: Path) -> None:
    """One copy could not be written, the other was answered and released meanwhile."""
    fakes.photo(tmp_path / "in/1.png", fakes.FILLS)
    fakes.photo(tmp_path / "in/2.png", seed=2)
    (tmp_path / "site.toml").write_text(SITE.format(place=tmp_path, key="false"))
    call = command(tmp_path)

    def clean(make: object) -> medimg.Outcome:
        return medimg.scrub_folder(
            [tmp_path / "in"], tmp_path / "out", make=make, workers=1, resume=True, where=("AU",)
        )

    run = clean(fakes.make).folder
    (written,) = (p.name for p in (run / "unreviewed").iterdir())  # numbers are drawn
    (missing,) = {"P01-001.png", "P01-002.png"} - {written}
    (tmp_path / "answers.yaml").write_text(answers_for_one(GROUP_YES, [Path(written).stem]))
    assert call("answer", run, "--from", tmp_path / "answers.yaml").returncode == 0
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 0
    released = {p.name: p.read_bytes() for p in (run / "share").iterdir()}
    assert list(released) == [written]

    assert clean(fakes.make_nothing_found).folder == run
    assert {p.name: p.read_bytes() for p in (run / "share").iterdir()} == released
    assert [p.name for p in (run / "unreviewed").iterdir()] == [missing]
    status = json.loads(call("status", run, "--json").stdout)["groups"]["P01"]
    assert status["released"] == [written]
    assert status["overall"] == "open"
    assert "img.person-looked" in status["waiting"]
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 11
    (tmp_path / "answers.yaml").write_text(answers_for_one(GROUP_YES, ["P01-001", "P01-002"]))
    assert call("answer", run, "--from", tmp_path / "answers.yaml").returncode == 0
    assert call("release", run, "--yes", "--to", "the hand group", "--role", "registrar").returncode == 0
    assert sorted(p.name for p in (run / "share").iterdir()) == ["P01-001.png", "P01-002.png"]
    assert call("register", "verify", run).returncode == 0


def answers_for_one(said: dict[str, str], looked: list[str]) -> str:
    lines = ["batch:", *(f"  {k}: {v}" for k, v in BATCH_YES.items()), "groups:", "  P01:"]
    lines += ["    conditions:", *(f"      {k}: {v}" for k, v in none_true().items())]
    lines += [f"    looked_at: [{', '.join(looked)}]", "    answers:", *(f"      {k}: {v}" for k, v in said.items())]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "harm", ["report", "plan-digest", "answers-newer", "answers-unknown", "answers-cut", "copy", "reports-gone"]
)
def test_a_run_that_was_changed_by_hand_is_refused_and_left_as_it_is(copy: Path, harm: str) -> None:
    call, run = command(copy), run_of(copy)
    (copy / "answers.yaml").write_text(answers(run))
    assert call("answer", run, "--from", copy / "answers.yaml").returncode == 0
    state, reports = run / PRIVATE / "answers.json", run / PRIVATE / "reports.json"
    held = msgspec.json.decode(state.read_bytes())
    match harm:
        case "report":
            found = msgspec.json.decode(reports.read_bytes())
            found[0]["copy"]["sha256"] = "0" * 64
            reports.write_bytes(msgspec.json.encode(found))
        case "plan-digest":
            held["digests"] = {}
            state.write_bytes(msgspec.json.encode(held))
        case "answers-newer":
            held["schema"] = "medimg.answers/2"
            state.write_bytes(msgspec.json.encode(held))
        case "answers-unknown":
            held["later"] = True
            state.write_bytes(msgspec.json.encode(held))
        case "answers-cut":
            state.write_bytes(state.read_bytes()[:-40])
        case "copy":
            path = next((run / "unreviewed").iterdir())
            path.write_bytes(path.read_bytes() + b"\0")
        case "reports-gone":
            reports.unlink()
    before = everything(copy)
    done = call("release", run, "--yes", "--to", "the hand group", "--role", "registrar")
    assert done.returncode == (20 if harm == "copy" else 2), done.stderr
    assert "[M-" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(copy) == before
