"""What version 0.1 wrote is still read: a run folder, its register, answers, a policy and a site profile.

``fixtures/written-by-0.1/run.tar.xz`` was made with the commands of 0.1: two drawn photos cleaned, both patients
answered, the first released. Its answers hold "not-applicable" where this version takes none.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from click.testing import Result
from release_kit import call

from medimg.cli.answer import answer
from medimg.cli.clean import clean
from medimg.cli.decide import review
from medimg.cli.explain import explain
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.consent.site import SiteProfile
from medimg.errors import UsageError

KEPT = Path(__file__).resolve().parents[2] / "fixtures" / "written-by-0.1" / "run.tar.xz"
ASKED_AGAIN = ("img.marks", "id.known", "rec.consent-filed")
NEW = ("id.respect", "con.purpose", "con.may-be-known", "con.free", "aud.meant", "aud.limited")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path, filter="data")
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "home/data/medimg/register.sqlite"))
    monkeypatch.setenv("MEDIMG_SITE_KEY", str(tmp_path / "home/data/medimg/site-key"))
    return tmp_path


@pytest.fixture
def run(old: Path) -> Path:
    (folder,) = (old / "out").iterdir()
    return folder


def settings(group: str, items: tuple[str, ...]) -> list[str]:
    return [part for i in items for part in ("--set", f"{'' if i.startswith('aud.') else group + ':'}{i}=yes")]


def said(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    return result.output


def test_status_tells_what_was_released_and_asks_again_what_0_1_took_for_an_answer(run: Path) -> None:
    first, _, second = said(call(status, run), 11).partition("P02:")
    assert "Released: 1 copy." in first
    assert all(i in first and i in second for i in NEW)
    assert not any(i in first for i in ASKED_AGAIN)
    assert all(i in second for i in ASKED_AGAIN)


def test_a_patient_answered_under_0_1_is_released_once_the_new_questions_are_answered(run: Path) -> None:
    assert call(release, run, "P02", "--yes", "--to", "the hand group").exit_code == 11
    assert (run / "unreviewed" / "P02-001.jpg").is_file()
    call(answer, run, *settings("P02", (*NEW, *ASKED_AGAIN)))
    said(call(release, run, "P02", "--yes", "--to", "the hand group"), 0)
    assert {p.name for p in (run / "share").iterdir()} == {"P01-001.jpg", "P02-001.jpg"}
    assert "2 entries; the chain holds." in said(call(register, "verify"), 0)


def test_a_release_of_0_1_can_be_withdrawn(run: Path) -> None:
    assert "1 entries; the chain holds." in said(call(register, "verify", run), 0)
    letter = call(withdraw, run, "P01", "--note", "asked").output
    assert "with: the hand group" in letter
    assert not (run / "share" / "P01-001.jpg").exists()


def test_decisions_of_0_1_are_listed(run: Path) -> None:
    listed = call(review, run).output
    assert "P01-001" in listed
    assert "P02-001" in listed


def test_a_file_of_answers_of_0_1_is_read_and_what_is_no_answer_any_more_is_named(old: Path, run: Path) -> None:
    source = old / "answers-filled.yaml"
    with pytest.raises(UsageError, match=r"'does not apply' is no answer to img\.marks"):
        call(answer, run, "--from", source)
    turned = source.read_text().replace("id.recognition: not-applicable", "id.recognition: no")  # now: id.known
    source.write_text(turned.replace("not-applicable", "yes"))
    told = said(call(answer, run, "--from", source), 11)
    assert all(i in told for i in NEW)
    assert not any(i in told for i in ASKED_AGAIN)


def test_a_new_run_beside_one_of_0_1_leaves_it_as_it_is(old: Path, run: Path) -> None:
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    assert "2 copies passed" in said(call(clean, old / "photos", "-o", old / "out", "--where", "AU"), 0)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_a_policy_and_a_site_profile_of_0_1_are_read(old: Path) -> None:
    assert "harmless (ruler, colour-card, unit, harmless, laterality)" in said(
        call(explain, "--policy", old / "policy.toml"), 0
    )
    site = SiteProfile.load(old / "site.toml")
    assert site.levels == {"closed-group": {"id.timing": "blocking"}}
    assert "site.registered" in site.own_items()
