"""*Does not apply* closes nothing that a release rests on; what the law asks does not hang on an opinion."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sheets_kit import none_true, picture, report, run_folder

from medimg.acts import pages
from medimg.acts.answering import answered_by, from_file, from_setting, read
from medimg.cli.answer import answer
from medimg.cli.status import status
from medimg.consent import checklist
from medimg.consent.answers import BASES, CLOSING, Answer
from medimg.consent.checklist import ChecklistDefinition, Question
from medimg.consent.context import SharingContext
from medimg.consent.questions import questions
from medimg.consent.rules import basis_refused
from medimg.consent.standing import GroupResult, Standing, assess
from medimg.errors import UsageError
from medimg.report import build
from medimg.run import state as runs
from medimg.run.opened import open_run

DEFINITION = ChecklistDefinition.load()
FLAGS = [c for c in DEFINITION.conditions if c != "anonymised_basis"]
AT = "2026-11-21T12:00:00Z"
PHOTO = report("P01-001", picture((200, 160, 140)), actions=())
"""The checks found nothing in it, so that nothing but the answers keeps it."""
NEVER = ["con.written", "con.specific", "con.limits", "con.withdraw", "con.current"]
NEVER += [i.id for i in DEFINITION.items if i.section in ("id", "img", "pol", "rec") and i.evidence != "auto"]


def said(item: str, choice: str, note: str = "") -> Answer:
    kind = DEFINITION.item(item).subject
    return Answer(
        item=item,
        subject={"file": "P01-001", "group": "P01", "batch": "batch"}[kind],
        choice=choice,
        at=AT,
        note=note,
    )


def judged(context: SharingContext, answers: list[Answer]) -> GroupResult:
    return assess("P01", [PHOTO], context, answers)


def find(result: GroupResult, item: str) -> Standing:
    return next(s for s in result.standings if s.question.id == item)


@settings(max_examples=150)
@given(
    st.sampled_from(list(DEFINITION.audiences)),
    st.sets(st.sampled_from(list(DEFINITION.jurisdictions)), max_size=3),
    st.sampled_from(["", *BASES]),
    st.dictionaries(st.sampled_from(FLAGS), st.sampled_from(["yes", "no", "not-sure"])),
    st.sampled_from(["", "a note"]),
)
def test_does_not_apply_to_everything_never_releases(
    audience: str, where: set[str], basis: str, flags: dict[str, str], note: str
) -> None:
    context = SharingContext(audience=audience, jurisdictions=tuple(sorted(where)), conditions=flags)
    answers = [said(i.id, "not-applicable", note) for i in DEFINITION.items if i.evidence != "auto"]
    if basis:
        answers = [a for a in answers if a.item != "con.basis"] + [said("con.basis", basis, "the law and whose advice")]
    result = judged(context, answers)
    assert result.overall != "answered"
    assert len(result.waiting()) >= 5


def test_nor_with_every_condition_said_to_be_false() -> None:
    """The table of the property in full, where fewest questions are asked."""
    countries = [(), *((c,) for c in DEFINITION.jurisdictions)]
    for audience, where, basis in itertools.product(DEFINITION.audiences, countries, BASES):
        context = SharingContext(audience=audience, jurisdictions=where, conditions=none_true())
        if basis_refused(basis, context):
            continue
        rest = [said(i.id, "not-applicable", "n") for i in DEFINITION.items if i.evidence != "auto"]
        answers = [a for a in rest if a.item != "con.basis"] + [said("con.basis", basis, "n")]
        assert judged(context, answers).overall == "open", (audience, where, basis)


@pytest.mark.parametrize("item", NEVER)
def test_one_blocking_question_set_aside_keeps_the_group(item: str) -> None:
    """An answer that came in by another way, or from an earlier version, is met by the gate."""
    for audience in DEFINITION.audiences:
        conditions = dict.fromkeys(FLAGS, "yes") | {"intimate": "no"}
        context = SharingContext(audience=audience, conditions=conditions)
        result = judged(context, [said(item, "not-applicable", "a note")])
        one = find(result, item)
        assert one.state in ("open", "not-asked")
        if one.state == "open" and one.auto is None:
            assert "cannot be set aside" in one.why


def test_what_a_written_consent_is_made_of_applies_where_it_is_needed() -> None:
    context = SharingContext(audience="publication", jurisdictions=("AU",), conditions=none_true())
    free = judged(context, [said("con.seen", "not-applicable")])
    written = judged(context, [said("con.seen", "not-applicable"), said("con.basis", "written-consent")])
    assert find(free, "con.seen").state == "not-applicable"
    assert find(written, "con.seen").waits


def test_where_a_note_says_why_it_may_be_set_aside() -> None:
    context = SharingContext(audience="publication", jurisdictions=("AU",), conditions=none_true())
    bare, noted = said("pub.form", "not-applicable"), said("pub.form", "not-applicable", "a poster of our own")
    assert find(judged(context, [bare]), "pub.form").waits
    assert "in a note" in find(judged(context, [bare]), "pub.form").why
    assert find(judged(context, [noted]), "pub.form").state == "not-applicable"


def test_no_item_asks_for_a_note_that_it_does_not_take() -> None:
    text = Path(checklist.__file__).with_name("checklist.yaml").read_text("utf-8")
    assert [i.id for i in DEFINITION.items if i.na == "with-note"]
    with pytest.raises(UsageError, match="note"):
        ChecklistDefinition.parse(text.replace(" na: free", " na: with-note", 1).encode())
    with pytest.raises(UsageError):
        ChecklistDefinition.parse(text.replace(" na: free", " na: sometimes", 1).encode())


# ---------------------------------------------------------------- every door


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1})
    return tmp_path / "medimg-R7Q4"


DOORS = {
    "file": lambda s: from_file(s, read(b"groups: {P01: {answers: {con.written: not-applicable}}}"), AT),
    "file, with a note": lambda s: from_file(
        s, read(b"groups: {P01: {answers: {id.together: {answer: not-applicable, note: x}}}}"), AT
    ),
    "setting": lambda s: from_setting(s, "P01:con.limits=not-applicable", AT),
    "one copy": lambda s: from_setting(s, "P01-001:img.marks=not-applicable", AT),
    "run": lambda s: from_setting(s, "pol.employer=not-applicable", AT),
    "terminal and window": lambda s: answered_by(s, "con.current", ["P01"], "not-applicable"),
    "library": lambda s: runs.with_answers(s, [said("rec.consent-filed", "not-applicable")]),
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_it_in_words(run: Path, door: str) -> None:
    state = runs.load(run)
    assert state is not None
    with pytest.raises(UsageError, match=r"'does not apply' is no answer to [a-z]+\.[a-z-]+:"):
        DOORS[door](state)


def test_the_command_line_refuses_it_and_leaves_the_question_open(run: Path) -> None:
    before = (run / "PRIVATE-patient-record" / "answers.json").read_bytes()
    done = CliRunner().invoke(answer, [str(run), "--set", "P01:con.written=not-applicable"])
    assert isinstance(done.exception, UsageError)
    assert (run / "PRIVATE-patient-record" / "answers.json").read_bytes() == before
    assert "con.written" in CliRunner().invoke(status, [str(run)]).output


def test_the_terminal_and_the_template_do_not_offer_it(run: Path) -> None:
    typed = CliRunner().invoke(answer, [str(run), "--all-questions", "--group", "P01"], input="a\na\na\n").output
    assert "is no answer to this question" in typed
    made = CliRunner().invoke(answer, [str(run), "--template", "--all-questions"]).output
    assert "con.written: not-sure  # yes, no, not-sure\n" in made
    assert "con.may-see: not-sure  # yes, no, not-sure, not-applicable\n" in made
    opened = open_run(run)
    results = build.results(opened.state, opened.reports)
    asks = [a for p in [*pages.batch_pages(results), *pages.question_pages(results, "P01")] for a in p.asks]
    offered = {a.item for a in asks if "not-applicable" in a.choices}
    assert offered
    assert not offered & set(NEVER)


def test_an_old_answers_file_with_it_releases_nothing(run: Path) -> None:
    """Version 0.1 took it for nearly every question; what it wrote is opened, and those questions are open."""
    path = run / "PRIVATE-patient-record" / "answers.json"
    state = runs.load(run)
    assert state is not None
    rest = [said(i.id, "not-applicable") for i in DEFINITION.items if i.evidence != "auto" and i.id != "con.basis"]
    old = msgspec.structs.replace(
        state,
        checklist="0.1.0",
        checklist_digest="2478de63d1b5c096",
        answers=(*rest, said("con.basis", "written-consent")),
    )
    path.write_bytes(msgspec.json.encode(old))
    opened = open_run(run)
    result = build.results(opened.state, opened.reports)["P01"]
    assert result.overall == "open"
    assert set(NEVER) & {s.question.id for s in result.waiting()} >= {"con.written", "id.together", "pol.employer"}


# ---------------------------------------------------------------- evidence for a court


def test_advice_taken_closes_and_no_advice_stops() -> None:
    context = SharingContext(jurisdictions=("AU",), conditions={**none_true(), "forensic": "yes"})
    assert find(judged(context, [said("who.forensic", "yes")]), "who.forensic").state == "closed"
    assert judged(context, [said("who.forensic", "no")]).overall == "stop"
    assert judged(context, [said("who.forensic", "not-sure")]).overall == "open"
    assert judged(context, [said("who.forensic", "not-applicable")]).overall == "open"
    unsaid = SharingContext(jurisdictions=("AU",))
    assert judged(unsaid, [said("who.forensic", "no")]).overall == "stop"
    assert judged(SharingContext(conditions=none_true()), [said("who.forensic", "no")]).stops == ()


@pytest.mark.parametrize(("old", "now"), [("advice-taken", "yes"), ("yes", ""), ("no", ""), ("not-applicable", "")])
def test_an_answer_to_the_old_question_is_mapped_or_asked_again(run: Path, old: str, now: str) -> None:
    path = run / "PRIVATE-patient-record" / "answers.json"
    state = runs.load(run)
    assert state is not None
    path.write_bytes(
        msgspec.json.encode(
            msgspec.structs.replace(
                state,
                checklist="0.1.0",
                checklist_digest="2478de63d1b5c096",
                answers=(said("who.forensic", old), said("con.written", "yes")),
            )
        )
    )
    opened = open_run(run).state
    assert {a.item: a.choice for a in opened.answers} == ({"who.forensic": now} if now else {}) | {"con.written": "yes"}
    assert (opened.checklist, opened.checklist_digest) == (DEFINITION.version, DEFINITION.digest)
    saved = runs.save(run, opened)
    assert open_run(run).state == saved


def test_an_old_template_is_mapped_or_asked_again(run: Path) -> None:
    state = runs.load(run)
    assert state is not None
    asked = "# Could this picture be evidence (assault, safeguarding, custody, coroner)?\n"
    for given_, now in (("advice-taken", "yes"), ("yes", "not-sure"), ("{answer: no}", "not-sure")):
        text = f"{asked}groups: {{P01: {{answers: {{who.forensic: {given_}}}}}}}"
        assert [a.choice for a in from_file(state, read(text.encode()), AT).answers] == [now]
    plain = from_file(state, read(b"groups: {P01: {answers: {who.forensic: yes}}}"), AT)
    assert [a.choice for a in plain.answers] == ["yes"]


# ---------------------------------------------------------------- what the law asks


def asked(audience: str, where: tuple[str, ...], **flags: str) -> dict[str, Question]:
    context = SharingContext(audience=audience, jurisdictions=where, conditions={**none_true(), **flags})
    return {q.id: q for q in questions(context) if q.asked}


@pytest.mark.parametrize("audience", [a for a in DEFINITION.audiences if a != "colleague-opinion"])
@pytest.mark.parametrize("recognisable", ["yes", "no", "not-sure"])
def test_authorisation_or_deidentification_is_asked_whatever_the_sharer_thinks(
    audience: str, recognisable: str
) -> None:
    us = asked(audience, ("US-HIPAA",), identifiable=recognisable)
    assert "con.us-authorization" in {i for i, q in us.items() if q.blocking}
    context = SharingContext(
        audience=audience, jurisdictions=("US-HIPAA",), conditions={**none_true(), "identifiable": recognisable}
    )
    on_it = judged(context, [said("con.basis", "us-deidentified")])
    assert find(on_it, "id.safe-harbor").waits
    for closing in ("yes", "expert-determination"):
        told = judged(context, [said("con.basis", "us-deidentified"), said("id.safe-harbor", closing)])
        assert not find(told, "id.safe-harbor").waits
    aside = judged(context, [said("con.us-authorization", "not-applicable", "nobody would recognise it")])
    assert find(aside, "con.us-authorization").waits


def test_treatment_needs_no_authorisation() -> None:
    assert "con.us-authorization" not in asked("colleague-opinion", ("US-HIPAA",))


@pytest.mark.parametrize("country", ["EU", "UK"])
@pytest.mark.parametrize("recognisable", ["yes", "no", "not-sure"])
def test_explicit_consent_does_not_hang_on_recognition(country: str, recognisable: str) -> None:
    for audience in ("closed-group", "teaching", "publication", "public"):
        one = asked(audience, (country, "AU"), identifiable=recognisable).get("con.explicit")
        assert one is not None
        assert one.blocking
        context = SharingContext(
            audience=audience, jurisdictions=(country, "AU"), conditions={**none_true(), "identifiable": recognisable}
        )
        aside = judged(context, [said("con.explicit", "not-applicable", "nobody would recognise it")])
        assert find(aside, "con.explicit").waits


def test_another_countrys_law_may_be_set_aside_with_a_note_where_no_country_was_named() -> None:
    nowhere = SharingContext(audience="closed-group", conditions=none_true())
    noted = said("con.us-authorization", "not-applicable", "it stays in New Zealand")
    assert find(judged(nowhere, [noted]), "con.us-authorization").state == "not-applicable"
    assert find(judged(nowhere, [said("con.us-authorization", "not-applicable")]), "con.us-authorization").waits


def test_every_choice_that_closes_can_be_written_for_people() -> None:
    from medimg.consent.answers import ANSWER_WORDS

    for closing in CLOSING.values():
        assert closing <= set(ANSWER_WORDS)
