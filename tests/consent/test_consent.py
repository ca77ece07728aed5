"""The checklist: its definition, rules, evidence, standing, carry-over, expiry, site profile and caption check."""

from __future__ import annotations

import datetime
import io
import re
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sheets_kit import MARKER, findings, none_true, picture, report, run_folder

from medimg import formats
from medimg.acts.answering import from_file, from_setting, read
from medimg.consent import caption, strict_yaml
from medimg.consent.answers import BASES, CLOSING, Answer, choices
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.evidence import AutoEvidence, evidence
from medimg.consent.questions import questions
from medimg.consent.site import SiteProfile
from medimg.consent.standing import GroupResult, Standing, assess
from medimg.detect import Frame, faces
from medimg.detect import drawn_head as face
from medimg.detect.text import identifiers
from medimg.errors import UsageError
from medimg.policy import Policy
from medimg.report import build, write_sheets
from medimg.run import state as runs
from medimg.run.state import RunState, RunSummary
from medimg.types import Action, Report
from medimg.vocabulary import Category

SHIPPED = Path(__file__).parents[2] / "medimg" / "consent" / "checklist.yaml"
AT = "2026-11-21T12:00:00Z"


def context(audience: str = "closed-group", where: tuple[str, ...] = ("AU",), **flags: str) -> SharingContext:
    return SharingContext(audience=audience, jurisdictions=where, conditions={**none_true(), **flags})


def say(item: str, choice: str, subject: str = "P01", **more: str) -> Answer:
    return Answer(item=item, subject=subject, choice=choice, at=AT, **more)


def one_report(**more: object) -> Report:
    return report("P01-001", picture((200, 160, 140)), **more)


def assessed(
    *answers: Answer, about: SharingContext | None = None, reports: list[Report] | None = None, **more: object
) -> GroupResult:
    return assess("P01", reports or [one_report()], about or context(), answers, **more)


def find(result: GroupResult, item: str) -> Standing:
    return next(s for s in result.standings if s.question.id == item)


def closing_answers(result: GroupResult) -> list[Answer]:
    """A closing answer of a person to everything a person can answer."""
    out = []
    for s in result.standings:
        item = s.question.item
        if s.question.asked and item.evidence != "auto" and CLOSING[item.pass_]:
            choice = "written-consent" if item.id == "con.basis" else sorted(CLOSING[item.pass_])[-1]
            note = "who decided" if item.free_text == "record-only" else ""
            out += [say(item.id, choice, subject, note=note) for subject in s.subjects]
    return out


# ---------------------------------------------------------------- definition


def test_the_shipped_checklist_is_the_documented_size() -> None:
    """87 items; a closed group with no condition true: 49, of which 5 by the tool, 10 found, 34 plain, 22 blocking."""
    definition = ChecklistDefinition.load()
    assert len(definition.items) == 87
    asked = [q for q in questions(context(where=("OTHER",))) if q.asked]
    kinds = [q.item.evidence for q in asked]
    assert (kinds.count("auto"), kinds.count("auto+human"), kinds.count("human")) == (5, 10, 34)
    assert sum(q.blocking for q in asked if q.item.evidence == "human") == 22


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("checklist/1", "checklist/2"),
        ("evidence: auto,", "evidence: magic,"),
        ("- {id: img.location", "- {id: img.metadata"),
        ("- {id: img.location", "- {id: zzz.location"),
        ("pass: none_left,", "pass: whatever,"),
        ("when_any: [face]", "when_any: [beard]"),
        ("sources: [reviewer]", "sources: [nobody]"),
        ("jurisdictions: [US-HIPAA]", "jurisdictions: [XX]"),
        ("jurisdictions: [US-HIPAA]", "jurisdictions: some"),
        ("level: B B B B B", "level: B B B B"),
        ("act: look", "act: look, surprise: 1"),
        ('say: "No name, number or date can be read.", ', ""),
        ("ask: Is every trace", "ask: &a Is every trace"),
    ],
)
def test_a_wrong_checklist_is_refused(old: str, new: str) -> None:
    text = SHIPPED.read_text("utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    if "&a" in new:
        changed = changed.replace("evidence: auto,", "evidence: *a ,", 1)
    with pytest.raises(UsageError):
        ChecklistDefinition.parse(changed.encode())


def test_the_digest_follows_the_wording() -> None:
    text = SHIPPED.read_text("utf-8")
    same = ChecklistDefinition.parse(text.encode())
    assert same.digest == ChecklistDefinition.load().digest
    other = ChecklistDefinition.parse(text.replace("GPS, place names", "Place names", 1).encode())
    assert other.digest != same.digest


def test_every_pass_can_be_answered_and_every_closing_answer_is_offered() -> None:
    for item in ChecklistDefinition.load().items:
        assert CLOSING[item.pass_] <= set(choices(item.pass_))
        if item.evidence != "auto" and item.pass_ != "never":
            assert CLOSING[item.pass_]


@given(st.binary(max_size=400))
def test_yaml_of_any_bytes_is_read_or_refused(data: bytes) -> None:
    refused = ""
    try:
        strict_yaml.read(data)
    except strict_yaml.YamlRefused as error:
        refused = str(error)
    assert len(refused) < 80


@pytest.mark.parametrize(
    "text",
    [
        "a: [" * 30_000,
        "{" * 30_000,
        "x: 1\nx: 2",
        "? [a]\n: b",
        "",
        "a: \x00",
        "x: !!binary eA==",
        "x: !y z",
        "!!omap\na: b",
    ],
)
def test_hostile_yaml_is_refused(text: str) -> None:
    with pytest.raises(strict_yaml.YamlRefused):
        strict_yaml.read(text.encode())


def test_yaml_words_stay_words() -> None:
    assert strict_yaml.read(b"a: no\nb: 1e3\nc: 2027-05-01\nd: ~") == {
        "a": "no",
        "b": "1e3",
        "c": "2027-05-01",
        "d": "~",
    }


@pytest.mark.parametrize(
    "wrong",
    [{"audience": "friends"}, {"jurisdictions": ("XX",)}, {"conditions": {"tall": "yes"}}, {"basis": "i-said-so"}],
)
def test_a_context_with_unknown_words_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        questions(SharingContext(**wrong))


# ---------------------------------------------------------------- evidence


def test_a_scan_that_found_nothing_never_closes_what_a_person_must_answer() -> None:
    result = assessed(reports=[one_report(actions=())])
    for s in result.standings:
        if s.question.asked and s.question.item.evidence != "auto":
            assert s.state == "open", s.question.id
    assert find(result, "img.faces").why == "not answered yet"
    assert "can miss faces" in find(result, "img.faces").auto.words
    assert result.overall == "open"


def test_answers_of_a_person_to_everything_close_the_set() -> None:
    first = assessed()
    result = assessed(*closing_answers(first))
    assert result.waiting() == []
    assert result.overall == "answered"


def test_one_blocking_question_left_keeps_it_open() -> None:
    first = assessed()
    for missing in [
        s.question.id for s in first.standings if s.question.blocking and s.question.item.evidence != "auto"
    ]:
        answers = [a for a in closing_answers(first) if a.item != missing]
        assert assessed(*answers).overall == "open", missing


@pytest.mark.parametrize("check", ["structure", "metadata", "text", "codes", "faces", "pixels"])
@pytest.mark.parametrize("state", ["failed", "not-run"])
def test_a_check_that_failed_or_did_not_run_beats_every_answer(check: str, state: str) -> None:
    whole = one_report()
    broken = msgspec.structs.replace(
        whole,
        checks=tuple(msgspec.structs.replace(c, state=state) if c.name == check else c for c in whole.checks),
    )
    result = assessed(*closing_answers(assessed()), reports=[broken])
    assert result.overall == "open"


def test_a_missing_check_is_a_check_that_did_not_run() -> None:
    bare = msgspec.structs.replace(one_report(), checks=())
    assert {e.item for e in evidence(bare) if e.verdict == "asks"} == {"img.marks", "img.clinical-meaning"}
    assert [e.item for e in evidence(bare) if e.verdict == "supports"] == ["img.filename"]
    assert assessed(*closing_answers(assessed()), reports=[bare]).overall == "open"


def test_metadata_only_leaves_text_codes_and_faces_open_whatever_is_said() -> None:
    result = assessed(*closing_answers(assessed()), reports=[one_report(scope="metadata-only")])
    waiting = {s.question.id for s in result.waiting()}
    assert {"img.text", "img.codes", "img.faces", "img.reopened"} <= waiting
    assert "img.location" not in waiting
    assert find(result, "img.text").why == "text was not checked"


def test_held_photos_have_nothing_to_share() -> None:
    held = report("P01-001", None)
    result = assessed(*closing_answers(assessed()), reports=[held])
    assert result.overall == "open"


def test_evidence_holds_no_value() -> None:
    for e in evidence(one_report()):
        assert MARKER not in repr(e)


def test_a_copy_with_a_telling_name_fails() -> None:
    named = one_report()
    named = msgspec.structs.replace(named, copy=msgspec.structs.replace(named.copy, name="Smith.jpg"))
    assert find(assessed(reports=[named]), "img.filename").state == "failed"


def test_a_face_raises_the_condition_and_none_found_never_lowers_it() -> None:
    assert assessed(about=context(face="no")).context.flag("face") == "yes"
    unsaid = SharingContext(jurisdictions=("AU",))
    assert assessed(about=unsaid, reports=[one_report(actions=())]).context.flag("face") == "not-sure"


def test_a_face_kept_by_a_person_is_said() -> None:
    kept = tuple(
        Action(finding=a.finding, do="keep", why="consent", by="person") if a.finding.kind == "face" else a
        for a in findings()
    )
    cover = find(assessed(reports=[one_report(actions=kept)]), "img.cover-method")
    assert "1 face shown by a person's decision" in cover.why


# ---------------------------------------------------------------- rules


def test_spoken_consent_fails_where_written_blocks() -> None:
    answers = [*closing_answers(assessed()), say("con.basis", "spoken-consent-in-notes")]
    assert find(assessed(*answers), "con.written").state == "failed"
    teaching = context("teaching")
    more = [*closing_answers(assessed(about=teaching)), say("con.basis", "spoken-consent-in-notes")]
    assert find(assessed(*more, about=teaching), "con.written").state == "closed"


def test_reasonable_expectation_is_for_a_colleagues_opinion_alone() -> None:
    with pytest.raises(UsageError):
        questions(msgspec.structs.replace(context(), basis="reasonable-expectation"))
    result = assessed(*closing_answers(assessed()), say("con.basis", "reasonable-expectation"))
    assert find(result, "con.basis").state == "failed"
    assert result.context.basis == ""
    colleague = context("colleague-opinion")
    result = assessed(say("con.basis", "reasonable-expectation"), about=colleague)
    assert all(s.question.level == "advisory" for s in result.standings if s.question.id == "con.current")
    assert find(result, "rec.what-was-shared").question.blocking
    assert find(result, "con.basis").state == "closed"


def test_permitted_by_law_needs_the_law_in_the_record() -> None:
    assert find(assessed(say("con.basis", "permitted-by-law")), "con.basis").state == "open"
    told = assessed(say("con.basis", "permitted-by-law", note="court order; advice of the privacy officer"))
    assert find(told, "con.basis").state == "closed"
    assert find(told, "con.written").question.level == "advisory"


def test_the_uk_basis_is_for_uk_teaching_and_brings_its_own_question() -> None:
    uk = context("teaching", ("UK",))
    result = assessed(say("con.basis", "uk-anonymised-teaching"), about=uk)
    for item in ("con.written", "con.specific", "con.audience", "con.limits", "con.withdraw", "con.may-see"):
        assert find(result, item).state == "not-asked"
    assert find(result, "rec.consent-filed").state == "not-asked"
    assert find(result, "con.uk-anonymised").question.blocking
    for elsewhere in (context("teaching", ("UK", "AU")), context("teaching", ()), context("public", ("UK",))):
        assert (
            find(assessed(say("con.basis", "uk-anonymised-teaching"), about=elsewhere), "con.basis").state == "failed"
        )


def test_the_hipaa_basis_needs_safe_harbor_for_every_audience() -> None:
    for audience in ChecklistDefinition.load().audiences:
        us = context(audience, ("US-HIPAA",), identifiable="yes")
        result = assessed(say("con.basis", "us-deidentified"), about=us)
        assert find(result, "id.safe-harbor").question.blocking
        assert find(result, "con.us-authorization").state == "not-asked"
        assert find(result, "con.current").question.level == "advisory"
        assert "guidance still asks" in find(result, "con.current").question.why
    assert find(assessed(say("con.basis", "us-deidentified")), "con.basis").state == "failed"


def test_without_a_basis_the_set_is_open() -> None:
    answers = [a for a in closing_answers(assessed()) if a.item != "con.basis"]
    assert assessed(*answers).overall == "open"
    assert assessed(*answers, say("con.basis", "not-sure")).overall == "open"


def test_an_intimate_picture_of_a_child_stops_everything() -> None:
    about = context(child="yes", intimate="yes")
    answers = closing_answers(assessed(about=about))
    result = assessed(*answers, about=about)
    assert result.overall == "stop"
    assert result.stops == ("who.child-intimate",)


def test_not_sure_about_child_or_intimate_asks_and_does_not_stop() -> None:
    about = context(child="not-sure", intimate="yes")
    result = assessed(*closing_answers(assessed(about=about)), about=about)
    assert result.overall == "open"
    assert find(result, "who.child-intimate").waits


@pytest.mark.parametrize("choice", ["yes", "no", "not-sure", "not-applicable"])
def test_no_answer_sets_the_stop_item_aside(choice: str) -> None:
    about = context(child="not-sure", intimate="not-sure")
    result = assessed(*closing_answers(assessed(about=about)), say("who.child-intimate", choice), about=about)
    assert result.overall == "open"


def test_evidence_for_a_court_without_advice_stops() -> None:
    about = context(forensic="yes")
    answers = closing_answers(assessed(about=about))
    assert assessed(*answers, about=about).overall == "answered"
    assert assessed(*answers, say("who.forensic", "no"), about=about).overall == "stop"
    assert assessed(*[a for a in answers if a.item != "who.forensic"], about=about).overall == "open"


def test_not_applicable_is_a_persons_choice_and_never_for_the_basis() -> None:
    assert find(assessed(say("con.may-see", "not-applicable")), "con.may-see").state == "not-applicable"
    assert find(assessed(say("con.basis", "not-applicable")), "con.basis").state == "open"


def test_an_expired_answer_is_open_again() -> None:
    answers = [*closing_answers(assessed()), say("con.current", "yes", valid_until="2027-01-31")]
    assert assessed(*answers, today=datetime.date(2027, 1, 31)).overall == "answered"
    late = assessed(*answers, today=datetime.date(2027, 2, 1))
    assert late.overall == "open"
    assert "expired" in find(late, "con.current").why


# ---------------------------------------------------------------- carry-over and re-opening


def state_of(groups: dict[str, int], tmp_path: Path, **more: object) -> tuple[RunState, list[Report]]:
    _, reports = run_folder(tmp_path, groups, **more)
    state = runs.load(tmp_path)
    assert state is not None
    return state, reports


def test_policy_and_channel_carry_over_and_consent_does_not(tmp_path: Path) -> None:
    state, reports = state_of({"P01": 1, "P02": 1}, tmp_path)
    state = from_setting(state, "pol.employer=yes", AT)
    state = from_setting(state, "P01:con.written=yes", AT)
    result = build.results(state, reports)
    for group in ("P01", "P02"):
        assert find(result[group], "pol.employer").state == "closed"
    assert find(result["P01"], "con.written").state == "closed"
    assert find(result["P02"], "con.written").state == "open"


def test_conditions_are_per_patient(tmp_path: Path) -> None:
    state, reports = state_of({"P01": 1, "P02": 1}, tmp_path)
    state = from_setting(state, "P02:child=yes", AT)
    result = build.results(state, reports)
    assert find(result["P01"], "who.child").state == "not-asked"
    assert find(result["P02"], "who.child").state == "open"


def test_a_picture_answer_for_a_group_holds_for_its_copies_alone(tmp_path: Path) -> None:
    state, _ = state_of({"P01": 2, "P02": 1}, tmp_path, held=1)
    state = from_setting(state, "P01:img.marks=yes", AT)
    assert {a.subject for a in state.answers} == {"P01-001", "P01-002"}


EVERY = (
    "img.marks",
    "id.together",
    "con.written",
    "who.child",
    "aud.terms",
    "pol.employer",
    "rec.consent-filed",
    "inc.plan",
)


def everything_said(state: RunState) -> RunState:
    subject = {"aud": "batch", "pol": "batch", "inc": "batch", "img": "P01-001"}
    return runs.with_answers(state, [say(i, "yes", subject.get(i[:3], "P01")) for i in EVERY])


def left(state: RunState) -> set[str]:
    return {a.item for a in state.answers}


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ("nothing", set()),
        ("pixels", {"img.marks", "id.together"}),
        ("other pixels", set()),
        ("country", {"img.marks", "id.together"}),
        ("audience", {"img.marks", "id.together", "con.written", "aud.terms"}),
        ("caption", {"img.marks", "id.together"}),
    ],
)
def test_what_a_change_asks_again(tmp_path: Path, change: str, gone: set[str]) -> None:
    state, reports = state_of({"P01": 1, "P02": 1}, tmp_path)
    state = everything_said(state)
    about, again = state.context, list(reports)

    def repainted(index: int) -> None:
        copy = msgspec.structs.replace(again[index].copy, sha256="1" * 64)
        again[index] = msgspec.structs.replace(again[index], copy=copy)

    match change:
        case "pixels":
            repainted(0)
        case "other pixels":
            repainted(1)
        case "country":
            about = msgspec.structs.replace(about, jurisdictions=("AU", "UK"))
        case "audience":
            about = msgspec.structs.replace(about, audience="public")
    if change == "caption":
        state = runs.with_caption(state, caption.digest("one"), {})
        assert left(state) == set(EVERY)
        after = runs.with_caption(state, caption.digest("two"), {})
    else:
        after = runs.reconciled(state, state.run, about, again)
    assert left(after) == set(EVERY) - gone


def test_writing_the_sheets_again_keeps_the_answers(tmp_path: Path) -> None:
    state, reports = state_of({"P01": 1}, tmp_path)
    runs.save(tmp_path, everything_said(state))
    write_sheets(state.run, reports, state.context, tmp_path)
    after = runs.load(tmp_path)
    assert after is not None
    assert left(after) == set(EVERY)


def test_an_answer_keeps_the_wording_it_was_given_to(tmp_path: Path) -> None:
    state, _ = state_of({"P01": 1}, tmp_path)
    state = from_file(state, read(b"groups: {P01: {answers: {con.written: yes}}}"), AT)
    assert state.answers[0].wording == ChecklistDefinition.load().digest


# ---------------------------------------------------------------- synced folders and captions


def test_a_synced_folder_fails_the_upload_item_and_does_not_block(tmp_path: Path) -> None:
    state, reports = state_of({"P01": 1}, tmp_path, warnings=("synced-output",))
    result = build.results(state, reports)["P01"]
    assert find(result, "aud.auto-upload").state == "failed"
    assert not find(result, "aud.auto-upload").waits


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Wound of the left hand, day 3 after debridement. Scale in cm.", set()),
        ("MRN 1234567", {"record-number"}),
        ("Mr Whitcombe had this for years", {"title-and-name"}),
        ("A 92-year-old woman with a pressure ulcer", {"age-over-89"}),
        ("A 45 year old man", {"exact-age"}),
        ("Hand of J. S. before closure", {"initials"}),
        ("Seen 12/03/2024 by us", {"date"}),
        ("write to jane@example.org", {"email"}),
        ("call 021 555 1234", {"phone"}),
    ],
)
def test_what_the_caption_check_finds(text: str, kinds: set[str]) -> None:
    assert set(caption.scan(text)) == kinds


@given(st.text(max_size=200))
def test_the_caption_check_takes_any_text(text: str) -> None:
    found = caption.scan(text)
    assert all(count > 0 for count in found.values())


def test_a_sure_finding_in_the_caption_beats_the_answer_a_soft_one_does_not(tmp_path: Path) -> None:
    state, reports = state_of({"P01": 1}, tmp_path)
    for text, expected in (
        ("MRN 1234567", "failed"),
        ("Mr Whitcombe", "failed"),
        ("Mary smiled, aged 45", "closed"),
        ("A burn", "closed"),
    ):
        told = runs.with_caption(state, caption.digest(text), caption.scan(text))
        told = from_setting(told, "P01:id.caption=yes", AT)
        assert find(build.results(told, reports)["P01"], "id.caption").state == expected, text


# ---------------------------------------------------------------- site profile

PROFILE = """
schema = "medimg.site/1"
organisation = "Example Hospital"
policy_text = "Clinical images, policy 12"
policy_link = "https://intranet.example/12"
audiences = ["colleague-opinion", "closed-group"]

[contacts]
privacy_officer = "extension 100"

[levels.closed-group]
"id.moment" = "blocking"

[[items]]
id = "site.register"
ask = "Is this use entered in the image register?"
level = { closed-group = "blocking" }
"""


def profile(tmp_path: Path, text: str) -> SiteProfile:
    path = tmp_path / "site.toml"
    path.write_text(text)
    return SiteProfile.load(path)


def test_a_site_profile_raises_and_adds(tmp_path: Path) -> None:
    site = profile(tmp_path, PROFILE)
    plain = {q.id: q for q in questions(context())}
    ruled = {q.id: q for q in questions(context(), site=site)}
    assert not plain["id.moment"].blocking
    assert ruled["id.moment"].blocking
    assert ruled["id.moment"].set_by_site
    assert ruled["site.register"].blocking
    assert set(plain) < set(ruled)
    with pytest.raises(UsageError, match="does not allow"):
        site.allows(context("public"))


@pytest.mark.parametrize(
    "text",
    [
        PROFILE + '\n[levels.public]\n"con.written" = "advisory"',
        PROFILE + '\n[levels.public]\n"con.unheard" = "blocking"',
        PROFILE + '\n[levels.friends]\n"con.written" = "blocking"',
        PROFILE.replace("site.register", "con.written"),
        PROFILE.replace("site.register", "other.register"),
        PROFILE.replace("https://", "javascript:"),
        PROFILE.replace("organisation", "organization"),
        PROFILE.replace("site/1", "site/9"),
        "not toml [",
    ],
)
def test_a_profile_that_weakens_or_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        profile(tmp_path, text)


def test_no_profile_can_make_a_blocking_question_advisory(tmp_path: Path) -> None:
    """A level that is already blocking stays, whatever basis or audience; only the reverse is applied."""
    site = profile(tmp_path, PROFILE)
    for audience in ChecklistDefinition.load().audiences:
        before = {q.id for q in questions(context(audience)) if q.blocking}
        after = {q.id for q in questions(context(audience), site=site) if q.blocking}
        assert before <= after


def test_a_profile_limits_places_and_keys(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    site = profile(tmp_path, f'schema = "medimg.site/1"\noutput_places = ["{allowed}"]\nallow_key = false')
    site.allows(context(), allowed / "today")
    for wrong in ({"out": tmp_path}, {"out": tmp_path / "allowed-not"}, {"out": allowed / ".."}, {"key": True}):
        with pytest.raises(UsageError, match="your organisation"):
            site.allows(context(), **wrong)


def test_an_installed_profile_that_cannot_be_used_is_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.toml").write_text(PROFILE)
    monkeypatch.setenv("MEDIMG_SITE", str(tmp_path / "site.toml"))
    site = SiteProfile.installed()
    assert site is not None
    assert site.organisation == "Example Hospital"
    monkeypatch.setenv("MEDIMG_SITE", str(tmp_path / "gone.toml"))
    with pytest.raises(UsageError):
        SiteProfile.installed()


def test_a_site_question_is_answered_like_any_other(tmp_path: Path) -> None:
    site = profile(tmp_path, PROFILE)
    run, reports = run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, site=site)
    state = runs.load(tmp_path / "medimg-R7Q4")
    assert state is not None
    assert find(build.results(state, reports)["P01"], "site.register").waits
    state = from_setting(state, "site.register=yes", AT)
    assert find(build.results(state, reports)["P01"], "site.register").state == "closed"
    page = (tmp_path / "medimg-R7Q4" / "PRIVATE-patient-record" / "record-sheet.html").read_text()
    assert "set by your organisation" in page
    assert "extension 100" in page
    assert isinstance(run, RunSummary)


# ---------------------------------------------------------------- answers at large


@given(
    st.sampled_from([i.id for i in ChecklistDefinition.load().items]),
    st.sampled_from([*CLOSING, *BASES, "yes", "no", "not-sure", "accepted", "", MARKER]),
)
def test_an_answer_is_one_that_is_offered_or_refused(item: str, choice: str) -> None:
    run = RunSummary(tag="R", version="0", policy_digest="0", groups={"P01": ("P01-001",)})
    state = RunState(run=run, context=SharingContext())
    kind = ChecklistDefinition.load().item(item)
    subject = {"batch": "batch", "group": "P01", "file": "P01-001"}[kind.subject]
    if kind.evidence == "auto" or choice not in choices(kind.pass_):
        with pytest.raises(UsageError):
            runs.with_answers(state, [say(item, choice, subject)])
    else:
        assert runs.with_answers(state, [say(item, choice, subject)]).answers[0].choice == choice


def test_evidence_about_the_run_reaches_every_group() -> None:
    extra = [AutoEvidence(item="aud.auto-upload", subject="batch", verdict="fails", words="x")]
    assert find(assessed(extra=extra), "aud.auto-upload").state == "failed"


# ---------------------------------------------------------------- what evidence is drawn from


def _gps_jpeg() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "S", 2: (36.0, 50.0, 54.0), 3: "E", 4: (174.0, 46.0, 6.0)})
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 90, 80)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def _disguised() -> set[str]:
    """A drawn head with a bar over its eyes, as the face check sees it."""
    wall = np.full((480, 640, 3), 130, np.uint8)
    head = np.asarray(face.draw(279 * face.HEIGHT // (face.HEAD[3] - face.HEAD[1]), "III"))
    wall[20 : 20 + head.shape[0], 176 : 176 + head.shape[1]] = head
    wall[167:207, 234:406] = 0
    return {f.category for f in faces.make(Policy()).find(Frame(wall))}


def test_every_category_that_evidence_names_is_produced_by_a_check() -> None:
    signs = {
        "hospital": "Example General Hospital",
        "name": "Dr Whitcombe",
        "id-number": "badge A44812",
        "email": "ward@example.org",
        "phone": "021 555 1234",
        "unknown": "zqxv plkwrt",
        "unread": "...",
    }
    assert set(signs) == {c for c in Category if "img.workplace" in c.items}
    assert {c: identifiers.classify(text, 0.95).category for c, text in signs.items()} == {c: c for c in signs}
    seen = {f.category for f in formats.open_photo(_gps_jpeg(), Policy().limits).metadata()}
    assert seen >= {c for c in Category if "img.location" in c.items}
    assert Category.OLD_DISGUISE in _disguised()


def test_a_badge_feeds_the_question_about_staff() -> None:
    def words(*categories: str) -> str:
        actions = tuple(
            Action(finding=msgspec.structs.replace(findings()[4].finding, category=c, id=f"x{n}"), do="cover", why="r")
            for n, c in enumerate(categories)
        )
        return find(assessed(reports=[one_report(actions=actions)]), "img.workplace").auto.words

    unseen = "no check looks for badges, uniforms, logos or signatures as such: you look"
    found = "the check found 2 areas that may name a person or a workplace"
    assert words("name", "hospital", "date") == f"{found}; all covered; {unseen}"
    assert words("ruler") == f"the check found no writing that may name a person or a workplace; {unseen}"


def test_nothing_is_said_of_people_where_only_faces_are_looked_for() -> None:
    auto = find(assessed(reports=[one_report(actions=())]), "img.other-people").auto
    assert auto is not None
    assert auto.words == "the check found no face; no check looks for people whose face is not seen: you look"


def test_what_ships_is_no_draft() -> None:
    text = SHIPPED.read_text("utf-8").lower()
    assert "draft for" not in text
    assert "draft-1" not in text
    assert "auto_source" not in text
    rules = SHIPPED.parent.parent / "detect" / "text" / "rules" / "identifiers.toml"
    head = rules.read_text("utf-8").partition("[[rule]]")[0]
    used = {key for rule in tomllib.loads(rules.read_text("utf-8"))["rule"] for key in rule}
    assert set(re.findall(r"`(\w+)`", head)) <= used
