"""After a release: what is kept of it, a withdrawal with its letter, what waits, what is taken out, what is found."""

from __future__ import annotations

import datetime
import io
import os
import re
import shutil
import sqlite3
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.answer import answer
from medimg.cli.find import find
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.cli.withdraw import withdraw
from medimg.errors import UsageError
from medimg.run import likeness, share, worklist
from medimg.run import state as runs
from medimg.run.register import PRIVATE, Entry, Register, Sharing

PRIVATE_FOLDER = "PRIVATE-patient-record"
TO = ("--yes", "--to", "ZZRECIPIENT group")
CAPTION = "ZZCAPTION, left hand, day 3"


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "register" / "register.sqlite"
    monkeypatch.setenv("MEDIMG_REGISTER", str(path))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    (tmp_path / "caption.txt").write_text(CAPTION)
    call(answer, folder, "--caption", tmp_path / "caption.txt")
    answered(folder, tmp_path)
    return folder


def texts(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


# ---------------------------------------------------------------- what is kept


def test_recipients_role_and_caption_are_in_the_record_and_the_register_and_nowhere_else(out: Path) -> None:
    call(release, out, "P01", *TO)
    entry = Register().entries()[0].sharing
    assert (entry.recipients, entry.role, entry.caption) == (TO[2], "registrar", CAPTION)
    sheet = (out / PRIVATE_FOLDER / "record-sheet.html").read_text()
    assert all(words in sheet for words in ("ZZRECIPIENT", "registrar", "ZZCAPTION"))
    for name, data in texts(out).items():
        if not name.startswith(PRIVATE_FOLDER):
            assert b"ZZRECIPIENT" not in data, name
            assert b"ZZCAPTION" not in data, name
            assert b"registrar" not in data, name


def test_the_look_of_a_copy_is_kept_in_the_register_alone(out: Path) -> None:
    call(release, out, "P01", *TO)
    kept = Register().entries()[0].sharing.likeness
    assert set(kept) == {"P01-001.jpg", "P01-002.jpg"}
    assert all(len(h) == 64 for h in kept.values())
    for name, data in texts(out).items():
        assert not any(h.encode() in data for h in kept.values()), name


def test_nobody_releases_without_saying_their_role(out: Path) -> None:
    state = runs.load(out)
    assert state is not None
    bare = tuple(msgspec.structs.replace(a, role="") for a in state.answers)
    runs.save(out, msgspec.structs.replace(state, answers=bare))
    with pytest.raises(UsageError, match="by whom"):
        call(release, out, "P01", *TO)
    assert not list((out / "share").iterdir())
    call(release, out, "P01", *TO, "--role", "nurse")
    assert Register().entries()[0].sharing.role == "nurse"
    notes = (out / PRIVATE_FOLDER / "paste-into-notes.txt").read_text()
    assert "shared with ZZRECIPIENT group (" in notes
    assert ") by nurse." in notes


# ---------------------------------------------------------------- the register keeps and forgets


def shared(path: Path) -> Register:
    kept = Register(path)
    for n, group in enumerate(("P01", "P02")):
        what = Sharing(
            run="R7Q4",
            group=group,
            copies={f"{group}-001.jpg": str(n) * 64},
            recipients="ZZPEOPLE",
            role="ZZROLE",
            caption="ZZCAPTION",
            likeness={f"{group}-001.jpg": "ab" * 32},
        )
        kept.append("released", what, f"2026-0{n + 1}-01T00:00:00Z")
    return kept


def test_purge_takes_out_what_was_typed_and_the_chain_holds(own_register: Path) -> None:
    kept = shared(own_register)
    before = [e.digest for e in kept.entries()]
    assert call(register, "purge", "--group", "P01", "--yes").exit_code == 0
    first, second, note = kept.entries()
    assert first.purged
    assert not any(getattr(first.sharing, name) for name in PRIVATE)
    assert first.sharing.copies == {"P01-001.jpg": "0" * 64}
    assert second.sharing.recipients == "ZZPEOPLE"
    assert (note.event, note.sharing.group) == ("purged", "P01")
    assert [e.digest for e in kept.entries()][:2] == before
    assert kept.verify() == []
    call(register, "purge", "--yes")
    assert b"ZZ" not in own_register.read_bytes()
    assert "ab" * 32 not in own_register.read_bytes().decode("latin-1")
    assert kept.verify() == []


def test_purge_asks_first(own_register: Path) -> None:
    kept = shared(own_register)
    assert call(register, "purge", input="n\n").exit_code == 1
    assert not any(e.purged for e in kept.entries())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DELETE FROM private WHERE seq = 1", "what was typed with entry 1 is missing."),
        (
            "DROP TRIGGER private_stays; UPDATE private SET body = replace(body, 'ZZPEOPLE', 'others') WHERE seq = 2",
            "what was typed with entry 2 was changed after it was written.",
        ),
    ],
)
def test_what_is_beside_the_chain_is_checked_too(own_register: Path, harm: str, said: str) -> None:
    kept = shared(own_register)
    with sqlite3.connect(own_register) as db:
        db.executescript(harm)
    assert kept.verify() == [said]


def test_a_register_of_version_1_is_read_grows_and_says_what_cannot_be_taken_out(own_register: Path) -> None:
    from medimg.run import register as module

    own_register.parent.mkdir(parents=True)
    body = msgspec.json.encode(
        {"run": "R1AA", "group": "P01", "copies": {"a.jpg": "0"}, "recipients": "ZZOLD"}
    ).decode()
    digest = module._digest(1, "2025-01-01T00:00:00Z", "released", body, "0" * 64)
    with sqlite3.connect(own_register) as db:
        db.executescript(module._SCHEMA.format(first="0" * 64) + "PRAGMA user_version = 1;")
        db.execute(
            "INSERT INTO entries VALUES (1, '2025-01-01T00:00:00Z', 'released', ?, ?, ?)", (body, "0" * 64, digest)
        )
        db.execute("UPDATE head SET seq = 1, digest = ?", (digest,))
    kept = Register(own_register)
    assert kept.entries()[0].sharing.recipients == "ZZOLD"
    assert kept.verify() == []
    kept.append("withdrawn", Sharing(run="R1AA", group="P01", note="ZZNEW"), "2026-01-01T00:00:00Z")
    assert [e.sharing.note for e in kept.entries()] == ["", "ZZNEW"]
    assert kept.verify() == []
    assert "kept as they are: entries 1." in call(register, "purge", "--yes").output
    assert kept.verify() == []
    assert b"ZZNEW" not in own_register.read_bytes()


def test_an_export_leaves_out_what_was_typed(own_register: Path) -> None:
    shared(own_register)
    for form in ("json", "csv"):
        assert "ZZ" not in call(register, "export", "--format", form).output
        assert "ZZPEOPLE" in call(register, "export", "--format", form, "--with-recipients").output


# ---------------------------------------------------------------- a withdrawal


def test_a_withdrawal_says_to_whom_takes_the_copies_out_and_writes_a_letter(out: Path) -> None:
    call(release, out, "P01", *TO)
    said = call(withdraw, out, "P01", "--note", "ZZREASON").output
    assert "with: ZZRECIPIENT group." in said
    assert "With this text: ZZCAPTION" in said
    assert "Taken out of share/, to unreviewed/: P01-001.jpg, P01-002.jpg." in said
    assert not list((out / "share").iterdir())
    letter = (out / PRIVATE_FOLDER / "withdrawal-letter-P01.txt").read_text()
    assert "P01-001.jpg, P01-002.jpg" in letter
    assert "delete them" not in letter.splitlines()[0]
    assert not any(words in letter for words in ("ZZREASON", "ZZCAPTION", "ZZRECIPIENT"))
    assert all(line.strip() in said for line in letter.splitlines() if line)
    (of_them, _) = (out / PRIVATE_FOLDER / "paste-into-notes.txt").read_text().split("\n\n")
    assert re.search(
        r"\nWithdrawn: \S+ \S+ UTC, ZZREASON\. Nothing of this patient may be shared any more\.\n", of_them
    )
    assert "get advice" not in of_them
    sheet = (out / PRIVATE_FOLDER / "record-sheet.html").read_text()
    assert re.search(r"Withdrawn: \d{4}-\d\d-\d\d \d\d:\d\d UTC, ZZREASON<", sheet)


def test_nothing_released_needs_no_letter(out: Path) -> None:
    said = call(withdraw, out, "P02").output
    assert "The register holds no release of this patient." in said
    assert not (out / PRIVATE_FOLDER / "withdrawal-letter-P02.txt").exists()


def test_a_withdrawal_waits_until_everybody_was_told(out: Path) -> None:
    call(release, out, "P01", *TO)
    with pytest.raises(UsageError, match="patient P01 did not withdraw"):
        call(withdraw, out, "P01", "--told")
    call(withdraw, out, "P01")
    waits = call(register, "due")
    assert waits.exit_code == 11
    assert "R7Q4 P01: the patient withdrew; not everybody was told yet." in waits.output
    assert "ZZ" not in waits.output
    call(withdraw, out, "P01", "--told")
    assert call(register, "due").output == "Nothing waits.\n"


# ---------------------------------------------------------------- what waits

DAY = datetime.date(2026, 11, 29)


def entry(seq: int, event: str, at: str, *, group: str = "P01", until: str = "") -> Entry:
    sharing = Sharing(run="R7Q4", group=group, copies={"a.jpg": "0"}, until=until)
    return Entry(seq=seq, at=f"{at}T00:00:00Z", event=event, sharing=sharing, previous="", digest="")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry(1, "released", "2026-11-01")], []),
        ([entry(1, "released", "2026-11-01", until="2026-12-05")], ["the consent ends in 6 days"]),
        ([entry(1, "released", "2026-11-01", until="2026-11-29")], ["the consent ends today"]),
        ([entry(1, "released", "2026-11-01", until="2026-11-28")], ["the consent ended 1 day ago"]),
        ([entry(1, "released", "2026-11-01", until="2027-11-28")], []),
        ([entry(1, "released", "2026-11-01", until="soon")], []),
        ([entry(1, "released", "2025-11-29")], ["released 365 days ago: is it still needed, and still agreed"]),
        ([entry(1, "released", "2025-11-29"), entry(2, "released", "2026-11-20")], []),
        ([entry(1, "withdrawn", "2026-11-20")], []),
        (
            [entry(1, "released", "2020-01-01"), entry(2, "withdrawn", "2026-11-20")],
            ["the patient withdrew; not everybody was told yet"],
        ),
    ],
)
def test_what_is_due(entries: list[Entry], words: list[str]) -> None:
    assert [d.words for d in worklist.due(entries, DAY)] == words


def test_withdrawals_come_first() -> None:
    entries = [
        entry(1, "released", "2020-01-01"),
        entry(2, "released", "2026-11-01", group="P02"),
        entry(3, "withdrawn", "2026-11-02", group="P02"),
    ]
    assert [d.sort for d in worklist.due(entries, DAY)] == ["withdrawal", "review"]


def test_the_end_of_a_consent_goes_from_the_answers_to_the_register(out: Path, tmp_path: Path) -> None:
    source = tmp_path / "more.yaml"
    source.write_text(
        'role: registrar\ngroups:\n  P01:\n    answers:\n      con.current: {answer: yes, valid_until: "2099-05-01"}\n'
    )
    call(answer, out, "--from", source)
    call(release, out, "P01", *TO)
    assert Register().entries()[0].sharing.until == "2099-05-01"
    assert call(register, "due").exit_code == 0
    assert "2099" not in (out / "share-sheet.html").read_text()


# ---------------------------------------------------------------- finding copies again


def photograph(seed: int) -> Image.Image:
    """Blotches of many sizes, as a photograph has; not like that of another seed."""
    noise = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(noise.integers(0, 255, (n, n + 2, 3), np.uint8)).resize(
                (800, 600), Image.Resampling.BICUBIC
            ),
            np.float32,
        )
        for n in (3, 6, 12, 40)
    ]
    return Image.fromarray(np.clip(sum(layers) / 4 * 1.4 - 50, 0, 255).astype(np.uint8))


def saved(picture: Image.Image, path: Path, **how: object) -> Path:
    data = io.BytesIO()
    picture.save(data, path.suffix[1:].replace("jpg", "jpeg"), **how)
    path.write_bytes(data.getvalue())
    return path


CHANGED = {
    "smaller.jpg": lambda p: p.resize((400, 300)),
    "again.webp": lambda p: p,
    "turned.jpg": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "upside-down.png": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "mirrored.jpg": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned-mirrored.jpg": lambda p: p.transpose(Image.Transpose.TRANSPOSE),
}


@pytest.fixture
def known(tmp_path: Path) -> Path:
    copy = saved(photograph(1), tmp_path / "P01-001.jpg", quality=95)
    sharing = Sharing(
        run="R7Q4",
        group="P01",
        copies={copy.name: share.digest(copy)},
        likeness={copy.name: likeness.of_file(copy)},
    )
    Register().append("released", sharing, "2026-01-01T00:00:00Z")
    return copy


@pytest.mark.parametrize("name", CHANGED)
def test_a_copy_is_found_again_when_it_was_changed(known: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "chat" / "media"
    folder.mkdir(parents=True)
    saved(CHANGED[name](photograph(1)), folder / name, **({} if name.endswith("png") else {"quality": 60}))
    result = call(find, tmp_path / "chat")
    assert result.exit_code == 10
    assert f"{name} looks like (" in result.output
    assert "R7Q4 P01-001.jpg" in result.output


def test_the_very_file_is_named_as_such_and_others_are_left_alone(known: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chat"
    folder.mkdir()
    (folder / "IMG.jpg").write_bytes(known.read_bytes())
    for seed in range(2, 12):
        saved(photograph(seed), folder / f"other{seed}.jpg", quality=85)
    (folder / "notes.txt").write_text("x" * 5000)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff" + b"x" * 5000)
    (folder / "link.jpg").symlink_to(known)
    result = call(find, folder)
    assert result.exit_code == 10
    assert "IMG.jpg is R7Q4 P01-001.jpg" in result.output
    assert "11 pictures looked at for 1 copy: 1 found. 1 other file." in result.output
    assert "1 could not be read: what is in them is not known." in result.output  # broken.jpg
    assert call(find, folder, "--group", "P02").output.startswith("The register holds no such release")


def test_a_hostile_file_starts_no_program_and_ends_no_search(
    known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow would give PostScript to Ghostscript; some of its decoders raise what is no OSError."""
    programs, ran, folder = tmp_path / "programs", tmp_path / "ran", tmp_path / "chat"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\necho > {ran}\n")
    (programs / "gs").chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    folder.mkdir()
    picture = photograph(3).resize((64, 48))
    picture.save(folder / "a.eps")
    (folder / "b.jpg").write_bytes((folder / "a.eps").read_bytes())
    avif = io.BytesIO()
    picture.save(avif, "AVIF")
    for number, spoilt in enumerate((b"iloc", b"ipma", b"ispe", b"av1C", b"pitm", b"iinf")):
        (folder / f"{number}.avif").write_bytes(avif.getvalue().replace(spoilt, b"free") + bytes(4096))
    shutil.copy(known, folder / "IMG.jpg")
    result = call(find, folder)
    assert result.exit_code == 10
    assert "IMG.jpg is R7Q4 P01-001.jpg" in result.output
    assert not ran.exists()


def test_nothing_found_is_said_with_what_cannot_be_found(known: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chat"
    folder.mkdir()
    saved(photograph(5), folder / "other.jpg")
    result = call(find, folder)
    assert result.exit_code == 0
    assert "0 found" in result.output
    assert "A cropped picture or a screenshot is not found." in result.output


def test_a_blank_page_is_like_nothing(tmp_path: Path) -> None:
    assert likeness.of_file(saved(Image.new("RGB", (300, 200), (250, 250, 250)), tmp_path / "blank.png")) == ""
    assert likeness.distance("", "ab" * 32) == 256


def test_a_purged_copy_is_found_as_the_very_file_alone(known: Path, tmp_path: Path) -> None:
    Register().purge(lambda _: True, "2026-02-01T00:00:00Z")
    folder = tmp_path / "chat"
    folder.mkdir()
    saved(photograph(1).resize((400, 300)), folder / "smaller.jpg")
    (folder / "IMG.jpg").write_bytes(known.read_bytes())
    result = call(find, folder)
    assert "smaller.jpg" not in result.output
    assert "IMG.jpg is R7Q4 P01-001.jpg" in result.output
    assert "Looked for as the very file alone: R7Q4 P01-001.jpg." in result.output
