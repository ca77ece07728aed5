"""A released group as a FHIR bundle, judged by the models of fhir.resources: R4B (for R4) and R5."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from release_kit import answered, call
from sheets_kit import MARKER, run_folder

from medimg import errors, fhir
from medimg.cli.fhir import fhir as command
from medimg.cli.release import release
from medimg.cli.reopen import reopen
from medimg.cli.withdraw import withdraw
from medimg.fhir import Settings
from medimg.run.opened import open_run
from medimg.types import Report, from_json, to_json

AT = "2026-11-21T12:00:00.123456Z"
EVERY = pytest.mark.parametrize("version", ["R4", "R5"])
BOTH = {"P01": ["P01-001", "P01-002"], "P02": ["P02-001"]}


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose first group is released; its second is not."""
    folder = tmp_path_factory.mktemp("base") / "medimg-R7Q4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIMG_REGISTER", str(folder.parent / "register.sqlite"))
        run_folder(folder, {"P01": 2, "P02": 1})
        answered(folder, folder.parent)
        call(release, folder, "P01", "--yes", "--recipients", "ZZTYPEDRECIPIENT", "--role", "ZZTYPEDROLE")
    return folder


@pytest.fixture
def run(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "medimg-R7Q4"))


def made(run: Path, **options: Any) -> dict[str, Any]:
    return fhir.bundle(open_run(run), "P01", Settings(at=AT, **options))


def of(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [r for v in value.values() for r in references(v)]
    return [r for v in value for r in references(v)] if isinstance(value, list) else []


@EVERY
def test_it_fits_the_models_and_every_reference_is_inside(run: Path, version: str) -> None:
    for more in ({}, {"kind": "transaction", "embed": True, "subject": "Patient/123"}):
        bundle = made(run, version=version, **more)
        fhir.check(bundle, version)
        urls = {e["fullUrl"] for e in bundle["entry"]}
        assert len(urls) == len(bundle["entry"])
        assert all(re.fullmatch("urn:uuid:[0-9a-f-]{36}", u) for u in urls)
        assert set(references(bundle)) <= urls | {"Patient/123"}
        counts = {k: len(of(bundle, k)) for k in ("DocumentReference", "Provenance", "AuditEvent", "Device")}
        assert counts == {"DocumentReference": 2, "Provenance": 2, "AuditEvent": 1, "Device": 1}
        assert [len(of(bundle, k)) for k in ("QuestionnaireResponse", "Consent")] == [1, 1]


def test_times_of_the_host_become_instants(run: Path) -> None:
    opened = open_run(run)
    for at in ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00"):
        bundle = fhir.bundle(opened, "P01", Settings(at=at))
        assert bundle["timestamp"] == "2026-11-21T12:00:00.000Z"
        fhir.check(bundle, "R4")
    with pytest.raises(errors.UsageError, match="ISO 8601"):
        fhir.bundle(opened, "P01", Settings(at="yesterday"))


def test_the_validation_really_judges(run: Path) -> None:
    bundle = made(run)
    of(bundle, "AuditEvent")[0].pop("agent")
    with pytest.raises(errors.CheckFailed):
        fhir.check(bundle, "R4")
    with pytest.raises(errors.CheckFailed):
        fhir.check(made(run, version="R4"), "R5")


@EVERY
def test_the_same_run_and_time_give_the_same_bundle(run: Path, version: str) -> None:
    assert fhir.to_json(made(run, version=version)) == fhir.to_json(made(run, version=version))


@EVERY
def test_a_copy_can_be_found_again_by_size_and_digest(run: Path, version: str) -> None:
    bundle = made(run, version=version, embed=True)
    for document in of(bundle, "DocumentReference"):
        (content,) = document["content"]
        attachment = content["attachment"]
        data = (run / "share" / attachment["title"]).read_bytes()
        assert int(attachment["size"]) == len(data)
        assert base64.b64decode(attachment["hash"]) == hashlib.sha1(data).digest()
        assert base64.b64decode(attachment["data"]) == data
        assert document["identifier"][0]["value"] == hashlib.sha256(data).hexdigest()
        assert attachment["contentType"] == "image/jpeg"
    assert "data" not in of(made(run, version=version), "DocumentReference")[0]["content"][0]["attachment"]


def test_an_avif_copy_is_not_called_heic(run: Path) -> None:
    (run / "share" / "P01-001.jpg").rename(run / "share" / "P01-001.avif")
    opened = open_run(run)

    def renamed(part: Any, kind: Any) -> Any:
        return from_json(to_json(part).replace(b'"P01-001.jpg"', b'"P01-001.avif"'), kind)

    changed = replace(
        opened, state=renamed(opened.state, type(opened.state)), reports=renamed(opened.reports, tuple[Report, ...])
    )
    bundle = fhir.bundle(changed, "P01", Settings(at=AT))
    found = [d["content"][0]["attachment"]["contentType"] for d in of(bundle, "DocumentReference")]
    assert sorted(found) == ["image/avif", "image/jpeg"]


@EVERY
def test_who_made_it_from_what_and_why(run: Path, version: str) -> None:
    bundle = made(run, version=version)
    device = next(e["fullUrl"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Device")
    for origin in of(bundle, "Provenance"):
        assert origin["agent"][0]["who"]["reference"] == device
        assert origin["entity"][0]["role"] == "source"
    said = {o["entity"][0]["what"]["identifier"]["value"] for o in of(bundle, "Provenance")}
    assert said == {"R7Q4/P01-001", "R7Q4/P01-002"}
    (event,) = of(bundle, "AuditEvent")
    purpose = event["purposeOfEvent"] if version == "R4" else event["authorization"]
    assert purpose[0]["text"]
    assert {r["what"]["reference"] for r in event["entity"]} == {
        e["fullUrl"] for e in bundle["entry"] if e["resource"]["resourceType"] == "DocumentReference"
    }


def test_originals_are_named_by_the_host_or_by_a_keyed_digest(run: Path) -> None:
    key, names = b"a key of the site", {"P01-001": "IMG-77", "P01-002": "IMG-78"}

    def given(**more: Any) -> set[str]:
        found = of(made(run, originals=names, **more), "Provenance")
        return {o["entity"][0]["what"]["identifier"]["value"] for o in found}

    assert given() == {"IMG-77", "IMG-78"}
    assert given(key=key) == {hmac.digest(key, n.encode(), "sha256").hex() for n in names.values()}
    with pytest.raises(errors.UsageError):
        made(run, originals={"P02-001": "IMG-79"})


@EVERY
def test_answers_carry_the_ids_of_the_checklist(run: Path, version: str) -> None:
    (response,) = of(made(run, version=version), "QuestionnaireResponse")
    by_id = {i["linkId"]: i for i in response["item"] if i["linkId"] != "file"}
    assert by_id["con.basis"]["answer"] == [{"valueCoding": {"code": "written-consent", "display": "written consent"}}]
    assert by_id["pol.employer"]["text"]
    files = [i for i in response["item"] if i["linkId"] == "file"]
    assert {f["text"] for f in files} <= {"P01-001", "P01-002"}
    looked = {i["linkId"] for f in files for i in f["item"]}
    assert "img.person-looked" in looked
    assert response["authored"].endswith("Z")


@EVERY
def test_the_consent_is_a_draft(run: Path, version: str) -> None:
    (consent,) = of(made(run, version=version), "Consent")
    assert consent["status"] == "draft"
    assert "Nobody has agreed to it" in consent["text"]["div"]
    assert "decision" not in consent
    assert not {"performer", "grantor", "verification"} & set(consent)


@EVERY
def test_no_name_no_path_and_nothing_typed(run: Path, version: str) -> None:
    raw = fhir.to_json(made(run, version=version)).decode()
    for mark in (MARKER, "ZZTYPED", str(run), "medimg-R7Q4", "share", str(Path.home())):
        assert mark not in raw
    for word in ("anonymous", "compliant", "certified", "guarantee"):
        assert word not in raw.lower()


def test_only_released_groups_have_one(run: Path, tmp_path: Path) -> None:
    opened = open_run(run)
    with pytest.raises(errors.UsageError, match=r"P02 is not released.*medimg release"):
        fhir.bundle(opened, "P02")
    with pytest.raises(errors.UsageError, match="no such patient"):
        fhir.bundle(opened, "P09")
    copy = run / "share" / "P01-001.jpg"
    whole = copy.read_bytes()
    copy.write_bytes(whole + b"x")
    with pytest.raises(errors.CheckFailed, match="changed"):
        fhir.bundle(opened, "P01")
    copy.unlink()
    with pytest.raises(errors.CheckFailed, match="not in the share folder"):
        fhir.bundle(opened, "P01")
    copy.write_bytes(whole)
    call(reopen, run, "P01")
    with pytest.raises(errors.UsageError, match="not released"):
        fhir.bundle(open_run(run), "P01")


def test_a_withdrawn_group_has_none(run: Path) -> None:
    call(withdraw, run, "P01")
    with pytest.raises(errors.UsageError, match="withdrawn"):
        fhir.bundle(open_run(run), "P01")


def test_the_example_of_the_page(run: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/dicom.md").read_text("utf-8")
    (code,) = (b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "fhir" in b)
    posted: list[bytes] = []
    exec(code, {"run_folder": run, "site_key": b"k" * 32, "post": posted.append})
    bundle = json.loads(posted[0])
    assert of(bundle, "Consent")[0]["status"] == "draft"
    assert b"IMG-77" not in posted[0]


# -- the command ------------------------------------------------------------------------------------------------------


@EVERY
def test_the_command_writes_a_checked_bundle(run: Path, tmp_path: Path, version: str) -> None:
    target = tmp_path / "bundle.json"
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    (tmp_path / "originals.json").write_text('{"P01-001": "IMG-77"}')
    result = call(
        command, run, "--version", version, "-o", target, "--check", "--transaction", "--subject", "Patient/123",
        "--key", tmp_path / "key", "--originals", tmp_path / "originals.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "a person decides" in result.output
    bundle = json.loads(target.read_bytes())
    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        assert (entry["request"]["method"], entry["request"]["url"]) == ("POST", entry["resource"]["resourceType"])
    assert len({e["request"]["ifNoneExist"] for e in bundle["entry"]}) == len(bundle["entry"])
    assert target.stat().st_mode & 0o777 == 0o600
    assert "IMG-77" not in target.read_text()
    with pytest.raises(errors.OutputError):
        call(command, run, "-o", target)


def test_the_command_says_what_to_do(run: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "medimg-AAAA"
    run_folder(fresh, {"P01": 1})
    with pytest.raises(errors.UsageError, match="nothing of this run is released"):
        call(command, fresh, "-o", tmp_path / "x.json")
    with pytest.raises(errors.UsageError, match="not released"):
        call(command, run, "--group", "P02", "-o", tmp_path / "x.json")
    (tmp_path / "bad").write_text('{"P01-001": 7}')
    with pytest.raises(errors.UsageError, match="originals"):
        call(command, run, "-o", tmp_path / "x.json", "--originals", tmp_path / "bad")
    with pytest.raises(errors.UsageError, match="16 bytes"):
        call(command, run, "-o", tmp_path / "x.json", "--key", tmp_path / "bad")
    with pytest.raises(errors.OutputError, match="folder"):
        call(command, run, "-o", tmp_path / "nowhere" / "x.json")
    assert not (tmp_path / "x.json").exists()
    answered(run, tmp_path, BOTH)
    call(release, run, "P02", "--yes", "--to", "the hand group")
    with pytest.raises(errors.UsageError, match="--group: P01, P02"):
        call(command, run, "-o", tmp_path / "x.json")
