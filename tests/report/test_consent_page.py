"""The page for the patient: what stands on it, that it is for these pictures, signing, and showing it on a tablet."""

from __future__ import annotations

import base64
import io
import json
import re
import stat
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from anyio import run as run_async
from pypdf import PdfReader
from release_kit import call
from sheets_kit import run_folder

from medimg.cli.answer import answer
from medimg.cli.consent_page import consent_page
from medimg.cli.withdraw import withdraw
from medimg.errors import UsageError
from medimg.report import consent_page as pages
from medimg.run import state as runs
from medimg.run.opened import open_run
from medimg.serve import app

PRIVATE = "PRIVATE-patient-record"
TOKEN = "t" * 40


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    return folder


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def test_the_page_has_every_covered_picture_and_what_the_patient_has_to_know(out: Path) -> None:
    assert call(consent_page, out, "P01").exit_code == 0
    page = (out / PRIVATE / "consent-page-P01.html").read_text()
    assert stat.S_IMODE((out / PRIVATE / "consent-page-P01.html").stat().st_mode) == 0o600
    assert page.count('<img src="data:image/jpeg;base64,') == 2
    assert "P02-001" not in page
    said = text_of(page)
    for words in (
        *pages.COVERED,
        *pages.NOT_BACK,
        *pages.CHOICE,
        *pages.WITHDRAW,
        *pages.TICKS,
        *pages.DECIDE,
        *pages.LINES,
    ):
        assert words in said, words
    assert pages.FOR_WHOM["closed-group"] in said
    assert "Number: R7Q4 P01" in said
    assert "<script" not in page
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page


def test_the_pdf_says_the_same_and_is_printed_large(out: Path) -> None:
    call(consent_page, out, "P01")
    reader = PdfReader(io.BytesIO((out / PRIVATE / "consent-page-P01.pdf").read_bytes()))
    said = " ".join(" ".join(p.extract_text() for p in reader.pages).split())
    for words in (*pages.NOT_BACK, *pages.TICKS, *pages.DECIDE, "Number: R7Q4 P01"):
        assert words in said, words
    assert sum(len(p.images) for p in reader.pages) == 2
    sizes: list[float] = []
    for sheet in reader.pages:
        sheet.extract_text(
            visitor_text=lambda text, _cm, _tm, _font, size: sizes.append(size) if text.strip() else None
        )
    assert min(sizes) >= 14


def test_the_pdf_says_above_all_that_it_lacks_letters(out: Path) -> None:
    told = "[?]: letters that this PDF cannot show. Print the HTML page instead."
    for whom, there in (("Ng\u0101 Hau <x>", False), ("\u674e\u5c0f\u660e <x>", True)):
        call(answer, out, "--to", whom)
        call(consent_page, out, "P01")
        said = " ".join(
            PdfReader(io.BytesIO((out / PRIVATE / "consent-page-P01.pdf").read_bytes())).pages[0].extract_text().split()
        )
        assert (told in said) == there
        assert whom.partition(" <")[0] in (out / PRIVATE / "consent-page-P01.html").read_text("utf-8")


def test_caption_recipients_and_contacts_stand_on_it_escaped(out: Path, tmp_path: Path) -> None:
    (tmp_path / "caption.txt").write_text("A <b>burn</b> & a graft")
    call(answer, out, "--caption", tmp_path / "caption.txt", "--to", "the hand group <x>")
    page = pages.html(pages.of(open_run(out), "P01"))
    assert "A &lt;b&gt;burn&lt;/b&gt; &amp; a graft" in page
    assert "That is: the hand group &lt;x&gt;" in page


def test_words_are_short_and_plain() -> None:
    every = [*pages.COVERED, *pages.NOT_BACK, *pages.CHOICE, *pages.WITHDRAW, *pages.TICKS, *pages.FOR_WHOM.values()]
    sentences = [s for words in every for s in re.split(r"(?<=[.?]) ", words) if s]
    assert max(len(s.split()) for s in sentences) <= 25
    assert sum(len(s.split()) for s in sentences) / len(sentences) <= 12
    assert not any(len(word.strip(".,:")) > 12 for s in sentences for word in s.split())


@pytest.mark.parametrize("harm", ["changed", "gone", "withdrawn", "empty"])
def test_there_is_no_page_for_other_pictures(out: Path, tmp_path: Path, harm: str) -> None:
    copy, group = out / "unreviewed" / "P01-001.jpg", "P01"
    match harm:
        case "changed":
            copy.write_bytes(copy.read_bytes() + b"x")
        case "gone":
            copy.unlink()
        case "withdrawn":
            call(withdraw, out, "P01")
        case "empty":
            out, group = tmp_path / "medimg-EEEE", "P01"
            run_folder(out, {"P01": 0}, held=1)
    with pytest.raises(UsageError):
        call(consent_page, out, group)
    assert not (out / PRIVATE / "consent-page-P01.html").exists()


def test_a_signed_scan_goes_to_the_record_alone_and_answers_nothing(out: Path, tmp_path: Path) -> None:
    before = runs.load(out)
    scan = tmp_path / "ZZNAME scan.PDF"
    scan.write_bytes(b"%PDF-1.7 ZZSIGNED")
    assert (
        call(consent_page, out, "P01", "--signed", scan, "--reference", "ZZFOLDER 3", "--role", "nurse").exit_code == 0
    )
    kept = out / PRIVATE / "consent-signed-P01-1.pdf"
    assert kept.read_bytes() == scan.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    state = runs.load(out)
    assert state is not None
    assert before is not None
    assert state.answers == before.answers
    assert [s.copies for s in state.signed_for("P01")] == [state.copies_of("P01")]
    assert state.signed_for("P02") == ()
    record = (out / PRIVATE / "record-sheet.html").read_text()
    assert "ZZFOLDER 3, scan consent-signed-P01-1.pdf, for these copies" in record
    for path in out.rglob("*"):
        if path.is_file() and PRIVATE not in str(path):
            assert b"ZZFOLDER" not in path.read_bytes()
            assert b"ZZSIGNED" not in path.read_bytes()
    assert "ZZNAME" not in record


def test_a_page_signed_for_other_copies_is_said_to_be(out: Path) -> None:
    call(consent_page, out, "P01", "--reference", "folder 3")
    state = runs.load(out)
    assert state is not None
    other = msgspec.structs.replace(state.signed[0], copies={"P01-001": "0" * 64})
    runs.save(out, msgspec.structs.replace(state, signed=(other,)))
    call(answer, out, "--set", "pol.employer=yes")
    record = json.loads((out / PRIVATE / "record-sheet.json").read_bytes())
    assert "for other copies than these" in record["groups"][0]["signed"][0]


@pytest.mark.parametrize("name", ["scan.exe", "missing.pdf"])
def test_what_is_no_scan_is_refused(out: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "scan.exe").write_bytes(b"MZ")
    with pytest.raises(UsageError):
        call(consent_page, out, "P01", "--signed", tmp_path / name)
    state = runs.load(out)
    assert state is not None
    assert state.signed == ()


# ---------------------------------------------------------------- on a tablet


class _Pool:
    """No workers: the page needs none."""

    engines: dict[str, str] = {}  # noqa: RUF012
    size = 0
    setup = SimpleNamespace(policy=SimpleNamespace(digest="", limits=SimpleNamespace(bytes=1)))

    @asynccontextmanager
    async def running(self):
        yield


def ask(page: bytes, path: str, authorization: str = "") -> httpx.Response:
    async def one() -> httpx.Response:
        transport = httpx.ASGITransport(app.build(_Pool(), TOKEN.encode(), page))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path, headers={"authorization": authorization} if authorization else {})

    return run_async(one)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"ward:{password}".encode()).decode()


def test_a_browser_is_asked_for_the_token_and_shown_the_page(out: Path) -> None:
    page = pages.html(pages.of(open_run(out), "P01")).encode()
    refused = ask(page, "/consent")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert b"P01" not in refused.content
    shown = ask(page, "/consent", basic(TOKEN))
    assert (shown.status_code, shown.content) == (200, page)
    assert shown.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert ask(page, "/consent", f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize("given", [basic("x" * 40), "Basic !!", "Basic " + "QQ==", "Bearer no", "Digest x"])
def test_without_the_token_nothing_is_shown(given: str) -> None:
    assert ask(b"<p>P01</p>", "/consent", given).status_code == 401


def test_a_password_opens_the_page_alone_and_there_is_none_unless_it_was_asked_for() -> None:
    assert ask(b"<p>P01</p>", "/health", basic(TOKEN)).status_code == 401
    assert ask(b"", "/consent", basic(TOKEN)).status_code == 401
    assert ask(b"", "/consent", f"Bearer {TOKEN}").status_code == 404
