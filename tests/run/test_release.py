"""From answered questions to the share folder, and back: answer, release, status, reopen, withdraw, register."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from release_kit import BATCH_YES, GROUP_YES, answered, call
from sheets_kit import MARKER, run_folder

from medimg.acts import pages
from medimg.cli.answer import answer
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.cli.reopen import reopen
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.consent.answers import CLOSING
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.site import SiteProfile
from medimg.errors import CheckFailed, MedimgError, OutputError, UsageError
from medimg.report import build
from medimg.run import state as runs
from medimg.run.opened import open_run
from medimg.run.register import Register, Sharing
from medimg.run.release import release as move
from medimg.system import host


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "register" / "register.sqlite"
    monkeypatch.setenv("MEDIMG_REGISTER", str(path))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    return folder


def test_a_fresh_run_releases_nothing(out: Path) -> None:
    result = call(release, out, "--yes", "--to", "the hand group")
    assert result.exit_code == 11
    assert "img.text" in result.output
    assert "more; 'medimg status' lists them" in result.output
    assert not list((out / "share").iterdir())
    assert len(list((out / "unreviewed").iterdir())) == 3


def test_one_answered_group_goes_the_other_stays(out: Path, tmp_path: Path) -> None:
    assert answered(out, tmp_path).exit_code == 11  # P02 is open
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in (out / "unreviewed").iterdir()}
    result = call(release, out, "--yes", "--recipients", "the hand group")
    assert result.exit_code == 11
    moved = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in (out / "share").iterdir()}
    assert moved == {n: before[n] for n in ("P01-001.jpg", "P01-002.jpg")}
    assert [p.name for p in (out / "unreviewed").iterdir()] == ["P02-001.jpg"]
    sheet = json.loads((out / "share-sheet.json").read_bytes())
    assert [g["group"] for g in sheet["groups"]] == ["P01"]
    assert sheet["overall"] == "answered"
    assert "P02" not in (out / "share-sheet.html").read_text()
    notes = (out / "PRIVATE-patient-record" / "paste-into-notes.txt").read_text().split("\n\n")
    assert re.match(r"[\d-]+ [\d:]+ UTC: 2 covered copies .* shared with the hand group \(.*\) by \S+\.\n", notes[0])
    assert "prepared, not shared yet" in notes[1]


def test_a_group_that_is_released_is_not_released_twice(out: Path, tmp_path: Path, own_register: Path) -> None:
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--to", "the hand group")
    result = call(release, out, "--yes", "--to", "the hand group")
    assert result.exit_code == 11
    assert [e.event for e in Register(own_register).entries()] == ["released"]


def test_one_picture_nobody_looked_at_keeps_the_group(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path, {"P01": ["P01-001"]})
    result = call(release, out, "P01", "--yes", "--to", "the hand group")
    assert result.exit_code == 11
    assert "img.person-looked" in result.output
    assert not list((out / "share").iterdir())


def test_looked_at_is_not_said_for_a_whole_group(out: Path) -> None:
    with pytest.raises(UsageError, match="copy by copy"):
        call(answer, out, "--set", "P01:img.person-looked=yes")


def test_a_stop_releases_nothing(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path)
    result = call(answer, out, "--set", "P01:child=yes", "--set", "P01:intimate=yes")
    assert result.exit_code == 12
    assert "Stop: get advice before sharing" in result.output
    assert call(release, out, "P01", "--yes", "--to", "the hand group").exit_code == 12
    assert not list((out / "share").iterdir())


@pytest.mark.parametrize("harm", ["changed", "gone", "doubled", "link", "renamed"])
def test_a_copy_that_is_not_the_one_that_was_checked_is_refused(out: Path, tmp_path: Path, harm: str) -> None:
    answered(out, tmp_path)
    copy = out / "unreviewed" / "P01-002.jpg"
    match harm:
        case "changed":
            copy.write_bytes(copy.read_bytes() + b"x")
        case "gone":
            copy.unlink()
        case "doubled":
            (out / "share" / copy.name).write_bytes(copy.read_bytes())
        case "link":
            copy.rename(tmp_path / "elsewhere.jpg")
            copy.symlink_to(tmp_path / "elsewhere.jpg")
        case "renamed":
            copy.rename(copy.with_name("P01-003.jpg"))
    with pytest.raises(CheckFailed):
        call(release, out, "P01", "--yes", "--to", "the hand group")
    assert not [p for p in (out / "share").iterdir() if p.name == "P01-001.jpg"]


def test_a_hand_edited_run_is_refused(out: Path) -> None:
    path = out / "PRIVATE-patient-record" / "answers.json"
    state = json.loads(path.read_bytes())
    state["digests"]["P01-001"] = "0" * 64
    path.write_text(json.dumps(state))
    with pytest.raises(UsageError, match="edited by hand"):
        call(status, out)


@pytest.mark.parametrize("data", [b"", b"{", b'{"schema":"medimg.answers/2"}', b"\xff\xfe"])
def test_damaged_answers_are_refused_and_kept(out: Path, data: bytes) -> None:
    path = out / "PRIVATE-patient-record" / "answers.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        call(answer, out, "--set", "pol.employer=yes")
    assert path.read_bytes() == data


def test_two_people_at_once_are_noticed(out: Path) -> None:
    mine, theirs = runs.load(out), runs.load(out)
    assert mine is not None
    assert theirs is not None
    runs.save(out, theirs)
    with pytest.raises(UsageError, match="somebody else"):
        runs.save(out, mine)
    after = runs.load(out)
    assert after is not None
    assert after.revision == theirs.revision + 1


def _bump(folder: str, times: int) -> int:
    done = 0
    for _ in range(times):
        state = runs.load(Path(folder))
        assert state is not None
        try:
            runs.save(Path(folder), state)
        except UsageError:
            continue
        done += 1
    return done


def test_two_processes_never_overwrite_each_other(out: Path) -> None:
    """Every write that succeeded is counted once: none was lost between comparing and writing."""
    start = runs.load(out)
    assert start is not None
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        done = sum(pool.map(_bump, [str(out)] * 2, [40] * 2))
    after = runs.load(out)
    assert after is not None
    assert after.revision == start.revision + done


def test_commands_load_no_imaging_library() -> None:
    code = (
        "import sys, medimg.cli.answer, medimg.cli.release, medimg.cli.status, medimg.cli.register;"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'PIL', 'cv2', 'onnxruntime', 'jinja2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nobody_there_to_confirm_is_no(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path)
    with pytest.raises(UsageError, match="nobody is there"):
        call(release, out, "P01")
    assert not list((out / "share").iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "groups: {P09: {answers: {con.written: yes}}}",
        "groups: {P01: {answers: {con.nothing: yes}}}",
        "groups: {P01: {answers: {con.written: perhaps}}}",
        "groups: {P01: {answers: {img.location: yes}}}",
        "groups: {P01: {answers: {con.basis: not-applicable}}}",
        "groups: {P01: {conditions: {tall: yes}}}",
        "groups: {P01: {conditions: {child: maybe}}}",
        "groups: {P01: {answers: {con.written: yes, con.written: no}}}",
        "groups: {P01: {answers: {con.current: {answer: yes, valid_until: soon}}}}",
        "groups: {P01: {answers: {con.specific: {answer: yes, note: a note}}}}",
        "batch: {con.written: yes}",
        "files: {P01-009: {img.marks: yes}}",
        "unknown: 1",
        "a: &a [x]\nb: *a",
        "- a list",
        "",
        "groups: [",
        "!!python/object/apply:os.system [id]",
    ],
)
def test_a_wrong_answers_file_changes_nothing(out: Path, tmp_path: Path, text: str) -> None:
    source = tmp_path / "a.yaml"
    source.write_text(text + f"\n# {MARKER}")
    before = (out / "PRIVATE-patient-record" / "answers.json").read_bytes()
    with pytest.raises(MedimgError) as error:
        call(answer, out, "--from", source)
    assert error.value.exit_code == 2
    assert MARKER not in str(error.value)
    assert (out / "PRIVATE-patient-record" / "answers.json").read_bytes() == before


def test_the_template_closes_nothing_as_it_is_and_everything_when_filled_in(out: Path, tmp_path: Path) -> None:
    made = call(answer, out, "--template", "--all-questions").output
    file = tmp_path / "answers.yaml"
    file.write_text(made)
    before = {g: r["waiting"] for g, r in json.loads(call(status, out, "--json").output)["groups"].items()}
    assert call(answer, out, "--from", file).exit_code == 11
    assert {g: r["waiting"] for g, r in json.loads(call(status, out, "--json").output)["groups"].items()} == before
    for item, choice in {**GROUP_YES, **BATCH_YES}.items():
        assert f" {item}: not-sure  #" in made
        made = made.replace(f" {item}: not-sure", f" {item}: {choice}")
    for line in [x for x in made.splitlines() if "looked_at: []" in x]:
        made = made.replace(line, f"    looked_at: [{line.partition('of: ')[2]}]")
    file.write_text(made)
    assert call(answer, out, "--from", file).exit_code == 0
    left = call(answer, out, "--template", "--all-questions").output
    assert "img.text" not in left
    assert "looked_at: []  # which you opened at full size, of: none left" in left
    file.write_text(left)
    assert call(answer, out, "--from", file).exit_code == 0


def test_the_template_asks_about_one_copy_where_the_others_are_answered(out: Path, tmp_path: Path) -> None:
    call(answer, out, "--set", "P01-001:img.text=yes", "--group", "P01")
    made = call(answer, out, "--template", "--all-questions", "--group", "P01").output
    _, _, files = made.partition("\nfiles:")
    assert "P01-002:" in files
    assert "img.text: not-sure" in files
    assert "P01-001:" not in files
    (tmp_path / "a.yaml").write_text(made)
    assert call(answer, out, "--from", tmp_path / "a.yaml").exit_code == 11


def test_the_examples_of_the_documentation_are_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "consent.md").read_text()
    blocks = dict(re.findall(r"```(yaml|toml)\n(.*?)```", page, re.DOTALL))
    run_folder(tmp_path / "run", {"P01": 2}, context=SharingContext(jurisdictions=("AU",)))
    (tmp_path / "answers.yaml").write_text(blocks["yaml"])
    assert call(answer, tmp_path / "run", "--from", tmp_path / "answers.yaml").exit_code == 0
    (tmp_path / "site.toml").write_text(blocks["toml"])
    assert len(SiteProfile.load(tmp_path / "site.toml").contacts.lines()) == 4


def test_consent_does_not_cross_to_another_patient(out: Path) -> None:
    with pytest.raises(UsageError, match="which patient"):
        call(answer, out, "--set", "con.written=yes")


def test_answering_on_the_terminal_is_kept_page_by_page(out: Path) -> None:
    result = call(answer, out, "--all-questions", "--group", "P01", input="y\ny\nq\n")
    assert "Kept so far" in result.output
    state = runs.load(out)
    assert state is not None
    assert len(state.answers) == 2
    assert {a.choice for a in state.answers} == {"yes"}
    asked_first = state.answers[0].item
    result = call(answer, out, "--all-questions", "--group", "P01", input="q\n")
    assert runs.load(out).answers[0].item == asked_first  # type: ignore[union-attr]


def test_the_whole_terminal_dialogue_leads_to_a_release(out: Path) -> None:
    """Every question answered by key; the closing answer of each is looked up in what the terminal shows."""
    typed: list[str] = []
    definition = ChecklistDefinition.load()
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    for page in [*pages.batch_pages(results), *pages.question_pages(results, "P01")]:
        for ask in page.asks:
            closing = CLOSING[definition.item(ask.item).pass_]
            special = [c for c in ask.choices if c not in ("yes", "no", "not-sure", "not-applicable")]
            if "yes" in closing:
                typed.append("y")
            elif "no" in closing:
                typed.append("n")
            else:
                typed.append(str(special.index(next(c for c in special if c in closing)) + 1))
            if ask.takes_note:
                typed.append("")
    result = call(answer, out, "--all-questions", "--group", "P01", input="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output[-2000:]
    with pytest.raises(UsageError, match="by whom"):
        call(release, out, "P01", "--yes", "--to", "the hand group")
    assert call(release, out, "P01", "--yes", "--to", "the hand group", "--role", "registrar").exit_code == 0
    assert len(list((out / "share").iterdir())) == 2


def test_reopen_takes_back_and_asks_again(out: Path, tmp_path: Path, own_register: Path) -> None:
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--to", "the hand group")
    result = call(reopen, out, "P01")
    assert result.exit_code == 11
    assert not list((out / "share").iterdir())
    assert len(list((out / "unreviewed").iterdir())) == 3
    state = runs.load(out)
    assert state is not None
    sections = {a.item.partition(".")[0] for a in state.answers if a.subject.startswith("P01")}
    assert sections == {"aud", "con", "rec"}
    assert [e.event for e in Register(own_register).entries()] == ["released", "reopened"]
    answered(out, tmp_path)
    assert call(release, out, "P01", "--yes", "--to", "the hand group").exit_code == 0
    assert len(list((out / "share").iterdir())) == 2


def test_withdrawal_lists_what_went_where_and_deletes_nothing(out: Path, tmp_path: Path, own_register: Path) -> None:
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--recipients", "hand surgery group")
    files = {p.name: p.read_bytes() for p in out.rglob("*.jpg")}
    result = call(withdraw, out, "P01", "--note", "asked by letter")
    assert result.exit_code == 0
    assert "hand surgery group" in result.output
    assert "cached copies" in result.output
    assert "P01-001.jpg" in result.output
    assert {p.name: p.read_bytes() for p in out.rglob("*.jpg")} == files
    assert not list((out / "share").iterdir())
    note = out / "PRIVATE-patient-record" / "withdrawal-P01.txt"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert call(status, out).exit_code == 12
    opened = open_run(out)
    with pytest.raises(UsageError, match="withdrawn"):
        move(opened, build.results(opened.state, opened.reports), ["P01"], Register(own_register))
    assert "hand surgery group" not in (out / "share-sheet.html").read_text()
    assert "asked by letter" not in (out / "share-sheet.json").read_text()


def test_status_as_json(out: Path) -> None:
    result = call(status, out, "--json")
    assert result.exit_code == 11
    data = json.loads(result.output)
    assert data["groups"]["P01"]["overall"] == "open"
    assert "con.basis" in data["groups"]["P01"]["waiting"]


def test_a_folder_above_the_run_will_do(out: Path) -> None:
    assert call(status, out.parent).exit_code == 11


@pytest.mark.parametrize("what", ["nothing", "several"])
def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, what: str) -> None:
    if what == "several":
        for name in ("medimg-AAAA", "medimg-BBBB"):
            (tmp_path / name / "PRIVATE-patient-record").mkdir(parents=True)
    with pytest.raises(UsageError):
        call(status, tmp_path)


def test_the_marker_is_in_no_file_of_a_whole_run(tmp_path: Path, own_register: Path) -> None:
    """What was read, and what a person typed as a note, stay where they belong."""
    home = tmp_path / MARKER
    home.mkdir()
    folder = home / "medimg-R7Q4"
    run_folder(folder, {"P01": 2})
    typed = "TYPEDRECIPIENT"
    answered(folder, tmp_path)
    outputs = [
        call(answer, folder, "--set", "P01:id.together=yes", "--note", typed).output,
        call(release, folder, "--yes", "--recipients", typed).output,
        call(status, folder, "--json").output,
        call(withdraw, folder, "P01").output,
        call(register, "export").output,
    ]
    assert all(MARKER not in o.replace(str(folder), "RUN") for o in outputs)  # its own folder, which was typed
    assert typed not in outputs[-1]
    for path in [*folder.rglob("*"), own_register]:
        if path.is_file():
            assert MARKER.encode() not in path.read_bytes(), path.name
            if "PRIVATE" not in str(path) and path != own_register:
                assert typed.encode() not in path.read_bytes(), path.name


# ---------------------------------------------------------------- the register


def entry(register: Register, group: str = "P01") -> None:
    register.append(
        "released", Sharing(run="R7Q4", group=group, copies={f"{group}-001.jpg": "0" * 64}), "2026-01-01T00:00:00Z"
    )


def test_the_register_is_private_and_its_chain_holds(own_register: Path) -> None:
    book = Register(own_register)
    for n in range(5):
        entry(book, f"P{n:02d}")
    assert stat.S_IMODE(own_register.stat().st_mode) == 0o600
    assert stat.S_IMODE(own_register.parent.stat().st_mode) == 0o700
    assert book.verify() == []
    assert [e.seq for e in book.entries()] == [1, 2, 3, 4, 5]
    assert call(register, "verify").exit_code == 0
    assert "P03" in call(register, "list").output
    assert json.loads(call(register, "show", "2").output)["sharing"]["group"] == "P01"


@pytest.mark.parametrize("harm", ["changed", "middle", "end", "swapped"])
def test_tampering_shows(own_register: Path, harm: str) -> None:
    book = Register(own_register)
    for n in range(4):
        entry(book, f"P{n:02d}")
    db = sqlite3.connect(own_register)
    for trigger in ("entries_stay", "entries_kept", "head_kept", "head_grows"):
        db.execute(f"DROP TRIGGER {trigger}")
    match harm:
        case "changed":
            db.execute("UPDATE entries SET body = replace(body, 'P01', 'P09') WHERE seq = 2")
        case "middle":
            db.execute("DELETE FROM entries WHERE seq = 2")
        case "end":
            db.execute("DELETE FROM entries WHERE seq = 4")
        case "swapped":
            db.execute("UPDATE entries SET at = '2020' WHERE seq = 4")
    db.commit()
    db.close()
    assert book.verify()
    assert call(register, "verify").exit_code == 20


@pytest.mark.parametrize(
    "sql", ["UPDATE entries SET at = 'x'", "DELETE FROM entries", "DELETE FROM head", "UPDATE head SET seq = 0"]
)
def test_the_register_only_grows(own_register: Path, sql: str) -> None:
    entry(Register(own_register))
    db = sqlite3.connect(own_register)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(sql)
    db.close()


@pytest.mark.parametrize("harm", ["cut", "empty", "text", "newer"])
def test_a_register_cut_short_is_refused_and_left_alone(own_register: Path, harm: str) -> None:
    book = Register(own_register)
    for n in range(40):
        entry(book, f"P{n:02d}")
    if harm == "newer":
        db = sqlite3.connect(own_register)
        db.execute("PRAGMA user_version = 9")
        db.close()
    else:
        data = own_register.read_bytes()
        own_register.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"no register" * 100}[harm])
    before = own_register.read_bytes()
    for use in (book.entries, lambda: entry(book)):
        with pytest.raises((UsageError, OutputError)):
            use()
    assert own_register.read_bytes() == before


def test_receipts_show_that_the_register_was_replaced(out: Path, tmp_path: Path, own_register: Path) -> None:
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--to", "the hand group")
    assert call(register, "verify", out).exit_code == 0
    own_register.unlink()
    entry(Register(own_register), "P77")
    result = call(register, "verify", out)
    assert result.exit_code == 20
    assert "1 of its releases" in result.output


def test_a_register_that_cannot_be_written_stops_the_release(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OutputError):
        call(release, out, "P01", "--yes", "--to", "the hand group", "--register", blocked / "register.sqlite")
    assert not list((out / "share").iterdir())


def test_a_move_that_fails_is_said_and_can_be_finished(
    out: Path, tmp_path: Path, own_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(out, tmp_path)
    real = host.rename_new

    def broken(old: Path, new: Path) -> bool:
        if old.name == "P01-002.jpg":
            raise OSError(28, "no space")
        return real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(host, "rename_new", broken)
        with pytest.raises(OutputError):
            call(release, out, "P01", "--yes", "--to", "the hand group")
    assert [e.event for e in Register(own_register).entries()] == ["released", "release-incomplete"]
    assert call(release, out, "P01", "--yes", "--to", "the hand group").exit_code == 0
    assert sorted(p.name for p in (out / "share").iterdir()) == ["P01-001.jpg", "P01-002.jpg"]


def test_export_as_csv_leaves_typed_text_out_and_defuses_formulas(own_register: Path, tmp_path: Path) -> None:
    Register(own_register).append(
        "released", Sharing(run="R", group="P01", copies={"a.jpg": "0"}, recipients="=cmd()"), "2026-01-01T00:00:00Z"
    )
    assert "cmd" not in call(register, "export", "--format", "csv").output
    target = tmp_path / "e.csv"
    call(register, "export", "--format", "csv", "--with-recipients", "-o", target)
    assert ",'=cmd()," in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_export_replaces_no_file(own_register: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"the only one there is")
    with pytest.raises(OutputError, match="already a file"):
        call(register, "export", "-o", photo)
    assert photo.read_bytes() == b"the only one there is"


def test_the_state_file_is_private(out: Path) -> None:
    for path in (out / "PRIVATE-patient-record").iterdir():
        if path.name != "reports.json":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert stat.S_IMODE((out / "share-sheet.html").stat().st_mode) == 0o600


def test_a_read_only_run_folder_is_said(out: Path) -> None:
    if os.geteuid() == 0:
        private = out / "PRIVATE-patient-record"
        (private / "answers.json").rename(private / "kept.json")
        (private / "answers.json").mkdir()
        with pytest.raises(MedimgError):
            call(answer, out, "--set", "pol.employer=yes")
        return
    (out / "PRIVATE-patient-record").chmod(0o500)
    with pytest.raises(OutputError):
        call(answer, out, "--set", "pol.employer=yes")


def test_a_newer_checklist_is_refused(out: Path) -> None:
    path = out / "PRIVATE-patient-record" / "answers.json"
    state = runs.load(out)
    assert state is not None
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, checklist="99.0.0", checklist_digest="f" * 16)))
    with pytest.raises(UsageError, match="newer checklist"):
        call(status, out)


@pytest.mark.parametrize("state", ["open", "stop"])
def test_the_library_door_refuses_what_is_not_answered(out: Path, own_register: Path, state: str) -> None:
    """A window or a script that calls the function directly meets the same refusal as the command."""
    if state == "stop":
        call(answer, out, "--set", "P01:child=yes", "--set", "P01:intimate=yes")
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    assert results["P01"].overall == state
    with pytest.raises(UsageError, match=f"not released: {state}"):
        move(opened, results, ["P01"], Register(own_register))
    assert not list((out / "share").iterdir())
    assert not own_register.exists()


def test_one_group_that_is_not_ready_keeps_all_named_ones(out: Path, tmp_path: Path, own_register: Path) -> None:
    answered(out, tmp_path)
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    assert results["P01"].overall == "answered"
    with pytest.raises(UsageError):
        move(opened, results, ["P01", "P02"], Register(own_register))
    assert not list((out / "share").iterdir())


def test_an_answer_that_expires_before_the_release_keeps_the_group(out: Path, tmp_path: Path) -> None:
    answered(out, tmp_path)
    source = tmp_path / "late.yaml"
    source.write_text("groups: {P01: {answers: {con.current: {answer: yes, valid_until: 2020-01-01}}}}")
    assert "expired" in call(answer, out, "--from", source).output
    assert call(release, out, "P01", "--yes", "--to", "the hand group").exit_code == 11
