"""Files that commands read, broken: each is said by what it should be, and none ends in a fault of medimg itself."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import batch_fakes as fakes
import pytest
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli import defaults
from medimg.cli.answer import answer
from medimg.cli.cluster import cluster
from medimg.cli.decide import review
from medimg.cli.dicom_node import dicom_node
from medimg.cli.explain import explain
from medimg.cli.incident import incident
from medimg.cli.inspect import inspect
from medimg.cli.main import COMMANDS
from medimg.cli.release import release
from medimg.cli.serve import serve
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.errors import OutputError, UsageError

DEEP = {"deep JSON": b'{"a":' + b"[" * 100_000, "deep TOML": b"a=" + b"[" * 5000}
CONTENTS = {
    "nothing": b"", "bytes": bytes(range(256)) * 9, "another code page": "n\xe4me = 1".encode("latin-1"),
    "UTF-16": "a = 1".encode("utf-16"), "a long number": b"a = " + b"1" * 5000, **DEEP,
}  # fmt: skip
JUNK = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("content", [c for c in CONTENTS if c != "nothing"])
def test_settings_that_are_no_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_bytes(CONTENTS[content])
    settings_are_refused(wrong, fakes.photo(tmp_path / "a.png"), monkeypatch)


def test_settings_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, most = fakes.photo(tmp_path / "a.png"), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, most[1]))
    try:
        settings_are_refused(Path("/dev/zero"), photo, monkeypatch)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, most)


def settings_are_refused(wrong: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="policy file"):
        call(explain, "--policy", wrong)
    with pytest.raises(UsageError, match="known values"):
        call(inspect, photo, "--metadata-only", "--known", wrong)
    monkeypatch.setenv("MEDIMG_SITE", str(wrong))
    with pytest.raises(UsageError, match="site profile"):
        call(incident)
    monkeypatch.setenv("MEDIMG_DEFAULTS", str(wrong))
    with pytest.raises(UsageError, match="your defaults"):
        defaults.read(COMMANDS)


# ---------------------------------------------------------------- certificates


def authority(folder: Path) -> None:
    call(cluster, "certificates", folder, "one")


def _mismatched(folder: Path) -> None:
    authority(folder.parent / "other")
    shutil.copy(folder.parent / "other" / "ca-key.pem", folder / "ca-key.pem")


def _locked(folder: Path) -> None:
    _encrypt(folder / "ca-key.pem")


def _encrypt(key: Path) -> None:
    command = ["openssl", "pkey", "-in", str(key), "-aes128", "-passout", "pass:secret", "-out", str(key) + ".new"]
    subprocess.run(command, check=True, capture_output=True)
    Path(f"{key}.new").replace(key)


BROKEN_AUTHORITIES: dict[str, Callable[[Path], object]] = {
    "empty certificate": lambda f: (f / "ca.pem").write_bytes(b""),
    "junk certificate": lambda f: (f / "ca.pem").write_bytes(JUNK),
    "bytes": lambda f: (f / "ca.pem").write_bytes(bytes(range(256))),
    "a folder": lambda f: ((f / "ca.pem").unlink(), (f / "ca.pem").mkdir()),
    "no certificate": lambda f: (f / "ca.pem").unlink(),
    "no key": lambda f: (f / "ca-key.pem").unlink(),
    "empty key": lambda f: (f / "ca-key.pem").write_bytes(b""),
    "certificate as key": lambda f: shutil.copy(f / "ca.pem", f / "ca-key.pem"),
    "another's key": _mismatched,
    "a key with a password": _locked,
}


@pytest.mark.parametrize("broken", BROKEN_AUTHORITIES)
def test_an_authority_that_is_none_is_named_and_stays_as_it_is(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "ca"
    authority(folder)
    BROKEN_AUTHORITIES[broken](folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    with pytest.raises(UsageError, match=r"ca\.pem and ca-key\.pem"):
        call(cluster, "certificates", folder, "two")
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert not (folder / "two").exists()


@pytest.mark.parametrize("names", [("one", "one"), ("ca.pem",), ("ca-key.pem",), ("..",), ("a/b",)])
def test_names_of_nodes_that_cannot_be_folders(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="each name"):
        call(cluster, "certificates", tmp_path / "ca", *names)
    assert not (tmp_path / "ca").exists()


def test_a_file_in_the_place_of_the_folder_of_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(b"")
    with pytest.raises(OutputError):
        call(cluster, "certificates", tmp_path / "ca", "one")


BROKEN_IDENTITIES: dict[str, Callable[[Path], object]] = {
    **{f"{how} {name}": (lambda f, n=name, c=content: (f / n).write_bytes(c))  # type: ignore[misc]
       for name in ("cert.pem", "key.pem", "ca.pem") for how, content in (("empty", b""), ("junk", JUNK))},
    "a key with a password": lambda f: _encrypt(f / "key.pem"),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN_IDENTITIES)
@pytest.mark.parametrize("command", ["scheduler", "worker", "serve", "serve --page", "dicom-node"])
def test_a_certificate_or_key_that_is_none(tmp_path: Path, command: str, broken: str) -> None:
    authority(tmp_path / "ca")
    node = tmp_path / "ca" / "one"
    BROKEN_IDENTITIES[broken](node)
    token = tmp_path / "token"
    token.write_text("t" * 64)
    token.chmod(0o600)
    tls = ("--certificate", node / "cert.pem", "--key", node / "key.pem")
    peers = ("--client-ca", node / "ca.pem")
    asked: dict[str, tuple[object, ...]] = {
        "scheduler": (cluster, "scheduler", "--certificates", node, "--port", 0),
        "worker": (cluster, "worker", "tls://localhost:1", "--certificates", node),
        "serve": (serve, "--port", 1, "--token-file", token, *tls, *peers),
        "serve --page": (serve, "--page", tmp_path / "out", "--lan", "--host", "203.0.113.9", *tls),
        "dicom-node": (dicom_node, "--port", 1, "--peer", "X", "-o", tmp_path, *tls, *peers),
    }
    if command == "serve --page" and broken.endswith("ca.pem"):
        pytest.skip("the page asks no browser for a certificate")
    with pytest.raises(UsageError, match="certificate or key could not be read"):
        call(*asked[command])


# ---------------------------------------------------------------- the run folder


@pytest.mark.parametrize("name", ["answers.json", "decisions.json", "reports.json"])
@pytest.mark.parametrize("content", ["pipe", *CONTENTS])
def test_what_is_none_in_the_run_folder_is_not_waited_for_and_is_named(tmp_path: Path, name: str, content: str) -> None:
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 1})
    answered(run, tmp_path, {"P01": ["P01-001"]})
    file = run / "PRIVATE-patient-record" / name
    file.unlink(missing_ok=True)
    if content == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(CONTENTS[content])
    for command in ((release, run, "P01", "--yes", "--to", "x"), (review, run)):
        with pytest.raises(UsageError):
            call(*command)
    if name != "decisions.json":
        for command in ((status, run), (answer, run, "--list")):
            with pytest.raises(UsageError):
                call(*command)


@pytest.mark.parametrize("name", ["decisions.json", "reports.json"])
def test_an_area_without_a_corner_is_a_damaged_record(tmp_path: Path, name: str) -> None:
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 1})
    answered(run, tmp_path, {"P01": ["P01-001"]})
    file = run / "PRIVATE-patient-record" / name
    text, changed = re.subn(r'"polygon": \[.*?\]\s*\]', '"polygon": []', file.read_text(), flags=re.S)
    assert changed
    file.write_text(text)
    with pytest.raises(UsageError):
        call(review, run)


def test_a_copy_with_a_name_that_no_file_can_have_was_written_by_somebody_else(tmp_path: Path) -> None:
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 1})
    answered(run, tmp_path, {"P01": ["P01-001"]})
    file = run / "PRIVATE-patient-record" / "reports.json"
    file.write_text(file.read_text().replace('"P01-001.jpg"', '"P01-001\\u0000.jpg"'))
    with pytest.raises(UsageError):
        call(withdraw, run, "P01")
