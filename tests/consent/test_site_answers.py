"""What an organisation's profile answers by itself: shown as its answer, and never more than it can know."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sheets_kit import none_true, run_folder

from medimg.acts import answering, pages
from medimg.consent.context import SharingContext
from medimg.consent.site import ANSWERABLE, SiteProfile
from medimg.errors import UsageError
from medimg.report import build
from medimg.run.opened import open_run

HEAD = 'schema = "medimg.site/1"\n'


def load(tmp_path: Path, body: str) -> SiteProfile:
    path = tmp_path / "site.toml"
    path.write_text(HEAD + body)
    return SiteProfile.load(path)


def standing(run: Path, item: str):
    opened = open_run(run)
    results = build.results(opened.state, opened.reports)
    return opened, next(s for s in results["P01"].standings if s.question.id == item)


def test_its_answer_closes_the_question_and_says_whose_it_is(tmp_path: Path) -> None:
    site = load(tmp_path, '[answers.closed-group]\n"pol.employer" = "yes"\n"aud.endorsed-channel" = "none-exists"\n')
    run_folder(tmp_path / "run", {"P01": 1}, site=site)
    opened, one = standing(tmp_path / "run", "pol.employer")
    assert (one.state, one.why) == ("closed", "answered by your organisation")
    assert one.answer is not None
    assert one.answer.by == "site"
    results = build.results(opened.state, opened.reports)
    asked = {a.item for p in pages.batch_pages(results) for a in p.asks}
    assert not asked & {"pol.employer", "aud.endorsed-channel"}
    assert "pol.owner" in asked


def test_a_persons_answer_goes_before_it(tmp_path: Path) -> None:
    site = load(tmp_path, '[answers.closed-group]\n"pol.employer" = "yes"\n')
    run_folder(tmp_path / "run", {"P01": 1}, site=site)
    opened, _ = standing(tmp_path / "run", "pol.employer")
    state = answering.answered_by(opened.state, "pol.employer", ["batch"], "no")
    results = build.results(state, opened.reports)
    one = next(s for s in results["P01"].standings if s.question.id == "pol.employer")
    assert one.state == "failed"
    assert one.waits


def test_it_holds_for_its_audience_alone(tmp_path: Path) -> None:
    site = load(tmp_path, '[answers.teaching]\n"pol.employer" = "yes"\n')
    run_folder(tmp_path / "run", {"P01": 1}, site=site)
    _, one = standing(tmp_path / "run", "pol.employer")
    assert one.state == "open"


def test_a_check_that_failed_still_fails(tmp_path: Path) -> None:
    site = load(tmp_path, '[answers.closed-group]\n"aud.auto-upload" = "yes"\n')
    run_folder(tmp_path / "run", {"P01": 1}, site=site, warnings=("synced-output",))
    _, one = standing(tmp_path / "run", "aud.auto-upload")
    assert one.state == "failed"


@pytest.mark.parametrize(
    "body",
    [
        '[answers.closed-group]\n"con.written" = "yes"\n',
        '[answers.closed-group]\n"aud.right-recipient" = "yes"\n',
        '[answers.closed-group]\n"img.person-looked" = "yes"\n',
        '[answers.closed-group]\n"pol.employer" = "not-applicable"\n',
        '[answers.closed-group]\n"pol.employer" = "none-exists"\n',
        '[answers.nobody]\n"pol.employer" = "yes"\n',
        '[answers.closed-group]\n"site.none" = "yes"\n',
    ],
)
def test_what_it_cannot_know_is_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(UsageError):
        load(tmp_path, body)


def test_nothing_about_a_patient_or_a_picture_can_be_answered() -> None:
    assert not [i for i in ANSWERABLE if i.split(".")[0] in ("img", "id", "con", "who", "rec", "pub")]


def test_a_run_of_an_earlier_version_opens(tmp_path: Path) -> None:
    site = load(tmp_path, "")
    run_folder(tmp_path / "run", {"P01": 1}, site=site, context=SharingContext(conditions=none_true()))
    path = tmp_path / "run" / "PRIVATE-patient-record" / "answers.json"
    raw = msgspec.json.decode(path.read_bytes())
    raw["run"]["site"].pop("answers", None)
    path.write_bytes(msgspec.json.encode(raw))
    assert open_run(tmp_path / "run").state.run.site == site
