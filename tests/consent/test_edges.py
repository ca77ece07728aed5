"""Evidence, cards, captions and clocks on both sides of each edge: the count, the day, the share that decides."""

from __future__ import annotations

import datetime
import os
from importlib import resources
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from sheets_kit import none_true, picture, region, report

from medimg.consent import answers as answers_module
from medimg.consent import caption, cards, checklist, context, incident, rules, site, standing, strict_yaml
from medimg.consent import evidence as evidence_module
from medimg.consent.answers import BASES, Answer, choices, turned
from medimg.consent.cards import Card, Store
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext, country
from medimg.consent.evidence import AutoEvidence, evidence, faces_shown, group_evidence, hidden_share
from medimg.consent.questions import bases, questions
from medimg.consent.site import SiteProfile
from medimg.consent.standing import GroupResult, assess
from medimg.errors import UsageError
from medimg.types import Action, Box, Finding, Report
from medimg.vocabulary import Category, Kind, Reason

PHOTO = picture((200, 170, 150))
TODAY = datetime.date(2026, 11, 30)
CONTEXT = SharingContext(audience="closed-group", jurisdictions=("AU",), conditions=none_true())


def made(*, covered: tuple[object, ...] = (), actions: tuple[Action, ...] | None = None, **more: object) -> Report:
    """A report of one photo, its copy changed like this."""
    one = report("P01-001", PHOTO, actions=actions)
    assert one.copy is not None
    polygons = tuple(c.polygon if isinstance(c, Box) else c for c in covered)
    return msgspec.structs.replace(one, copy=msgspec.structs.replace(one.copy, covered=polygons, **more))


def of(item: str, one: Report) -> AutoEvidence:
    return next(e for e in evidence(one) if e.item == item)


def grouped(item: str, *reports: Report, found: dict[str, int] | None = None) -> AutoEvidence:
    return next(e for e in group_evidence("P01", reports, found) if e.item == item)


def found(kind: str, category: str, do: str, count: int = 1, **more: object) -> Action:
    finding = Finding(kind=kind, category=category, detector="test", count=count, region=region(10, 10, 40, 40))
    return Action(finding=finding, do=do, **{"why": "rule", **more})


# -- evidence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "neutral"),
    [
        ("P01-001.jpg", True), ("P123-12345.png", True), ("P01-001-a1z9.jpg", True), ("P01-001.ab", True),
        ("P01-001.abcde", True), ("P1-001.jpg", False), ("P01-01.jpg", False), ("P01-001-.jpg", False),
        ("P01-001-abcde.jpg", False), ("P01-001.j", False), ("P01-001.abcdef", False), ("P01-001.JPG", False),
        ("P01-001.jpg.exe", False), ("Smith P01-001.jpg", False),
    ],
)  # fmt: skip
def test_a_name_is_neutral_by_its_form(name: str, neutral: bool) -> None:
    auto = of("img.filename", made(name=name))
    assert auto.verdict == ("supports" if neutral else "fails")
    assert auto.words == ("the copy has a neutral name" if neutral else "there is no copy with a neutral name")
    assert auto.found == 1  # one name was found in the original's


@pytest.mark.parametrize(
    ("buckets", "newest", "verdict", "count"),
    [
        (("days", "weeks", "days"), "days", "asks", 2), (("weeks", "months"), "weeks", "asks", 1),
        (("months", "longer", "months"), "months", "supports", 2), (("longer", ""), "ago than a year", "supports", 1),
        (("", ""), "no photo says", "asks", 0),
    ],
)  # fmt: skip
def test_the_newest_photo_says_how_recent_a_patient_is(
    buckets: tuple[str, ...], newest: str, verdict: str, count: int
) -> None:
    auto = grouped("id.moment", *(msgspec.structs.replace(made(), captured=b) for b in buckets))
    assert (auto.verdict, auto.found) == (verdict, count)
    assert newest in auto.words
    late = grouped("id.moment", msgspec.structs.replace(made(), captured="longer"), found={"in-the-news": 1})
    assert late.verdict == "asks"


def test_what_goes_together_is_counted() -> None:
    shown = found(Kind.FACE, Category.FACE, "keep", by="person", why=Reason.FACE_SHOWN)
    asked = found(Kind.FACE, Category.POSSIBLE_FACE, "ask", count=3)
    outside = Action(finding=Finding(kind="metadata", category="device", detector="test"), do="ask", why="rule")
    one = made(actions=(shown, asked, outside))
    auto = grouped("id.together", one, made(actions=()), report("P01-002", None), found={"date": 1, "phone": 2})
    assert auto.found == 3
    assert "2 copies, 1 face shown, 3 finds left to you to look at, 3 finds in the caption" in auto.words
    alone = grouped("id.together", made(actions=()))
    assert "1 copy, no finds left to you to look at, no caption was checked" in alone.words
    assert alone.found == 0


def test_a_face_counts_as_shown_only_where_a_person_says_that_consent_allows_it() -> None:
    one = found(Kind.FACE, Category.FACE, "keep", by="person", why=Reason.FACE_SHOWN)
    others = [
        found(Kind.FACE, Category.FACE, "cover", by="person", why=Reason.FACE_SHOWN),
        found(Kind.FACE, Category.FACE, "keep", by="rule", why=Reason.FACE_SHOWN),
        found(Kind.FACE, Category.FACE, "keep", by="person", why=Reason.NO_FACE),
        found(Kind.TEXT, Category.NAME, "keep", by="person", why=Reason.FACE_SHOWN),
    ]
    assert faces_shown([made(actions=(one, *others)), made(actions=(one,))]) == 2
    assert faces_shown([made(actions=tuple(others))]) == 0


@pytest.mark.parametrize(("faces", "old", "counted"), [(2, 0, 2), (0, 1, 1), (2, 1, 2), (1, 3, 3)])
def test_an_old_bar_stands_for_a_face_where_none_was_found(faces: int, old: int, counted: int) -> None:
    actions = (found(Kind.FACE, Category.FACE, "cover", faces),) * bool(faces)
    actions += (found(Kind.FACE, Category.OLD_DISGUISE, "ask", old),) * bool(old)
    auto = of("img.faces", made(actions=actions))
    assert auto.found == counted
    noun = "1 face" if counted == 1 else f"{counted} faces"
    assert auto.words.startswith(f"the check found {noun}")
    assert ("a bar or mosaic, which is no disguise: look" in auto.words) == bool(old)
    assert "only possible" not in auto.words
    assert auto.verdict == "supports"  # that a face was found is no reason to ask; what is asked stands in its words


def test_what_is_only_possible_is_said_with_its_number() -> None:
    auto = of("img.text", made(actions=(found(Kind.TEXT, Category.UNREAD, "ask", 2),)))
    assert auto.verdict == "asks"
    assert auto.words == "the check found 2 areas with writing; 2 are only possible: look"
    one = of("img.codes", made(actions=(found(Kind.CODE, "qr-code", "ask"),)))
    assert (one.verdict, one.words) == ("asks", "the check found 1 code; 1 is only possible: look")
    shown = of(
        "img.faces", made(actions=(found(Kind.FACE, Category.FACE, "keep", by="person", why=Reason.FACE_SHOWN),))
    )
    assert "1 is shown: a person says that the consent allows it" in shown.words


def test_a_covered_thing_is_no_reason_to_ask() -> None:
    auto = of("img.text", made(actions=(found(Kind.TEXT, Category.NAME, "cover"),)))
    assert (auto.verdict, auto.words) == ("supports", "the check found 1 area with writing; covered")


@pytest.mark.parametrize(
    ("category", "by", "said"),
    [(Category.POSSIBLE_NAME, "rule", True), (Category.POSSIBLE_NAME, "person", False), (Category.RULER, "rule", False),
     (Category.LATERALITY, "rule", False)],
)  # fmt: skip
def test_a_word_that_stays_by_a_rule_and_may_be_a_name_is_told(category: str, by: str, said: bool) -> None:
    auto = of("img.text", made(actions=(found(Kind.TEXT, category, "keep", 2, by=by),)))
    assert ("2 stay and may be a name: look" in auto.words) == said
    assert "may be a name" not in of("img.text", made(actions=(found(Kind.TEXT, category, "cover", 2, by=by),))).words


def test_the_covers_of_faces_are_counted() -> None:
    auto = of("img.cover-method", made(actions=(found(Kind.FACE, Category.FACE, "cover"),) * 2))
    assert (auto.verdict, auto.found) == ("supports", 2)
    assert auto.words == "every cover is one solid colour and larger than what it hides"
    kept = of("img.cover-method", made(actions=(found(Kind.FACE, Category.FACE, "keep", by="person"),)))
    assert (kept.found, kept.words.endswith("; 1 face shown by a person's decision")) == (0, True)


def test_the_checks_of_the_written_copy_are_counted() -> None:
    one = made()
    assert (of("img.reopened", one).found, of("img.reopened", one).verdict) == (0, "supports")
    assert of("img.reopened", one).words == "6 checks ran on the written copy"
    failed = (msgspec.structs.replace(one.checks[0], state="failed"), *one.checks[1:])
    auto = of("img.reopened", msgspec.structs.replace(one, checks=failed))
    assert (auto.verdict, auto.found, auto.words) == ("fails", 1, "6 checks ran on the written copy, 1 failed")
    missing = (msgspec.structs.replace(one.checks[0], state="not-run"), *one.checks[1:])
    auto = of("img.reopened", msgspec.structs.replace(one, checks=missing))
    assert (auto.verdict, auto.words) == ("unknown", "5 checks ran on the written copy")
    assert of("img.reopened", msgspec.structs.replace(one, checks=())).verdict == "unknown"
    light = of("img.reopened", report("P01-001", PHOTO, scope="metadata-only"))
    assert (light.verdict, light.words.endswith("; text, codes and faces were not checked")) == ("unknown", True)


LESS = Box(0, 0, 1, 307)  # 307 of 307,200 pixels; 1 % is 3,072


@pytest.mark.parametrize(
    ("covered", "verdict", "words"),
    [
        ((Box(0, 0, 640, 47), Box(0, 47, 639, 48)), "supports", "covers hide 10 %"),  # a pixel less than a tenth
        ((Box(0, 0, 640, 48),), "asks", "covers hide 10 %"),
        ((Box(0, 0, 64, 48),), "supports", "covers hide 1 %"),
        ((Box(0, 0, 64, 47),), "supports", "covers hide less than 1 %"),
        ((LESS,), "supports", "covers hide less than 1 %"),
        ((Box(0, 160, 213, 200),), "supports", "covers hide 3 %"),  # up to the middle ninth: 213 to 427, 160 to 320
        ((Box(0, 160, 214, 161),), "asks", "1 cover reaches into its middle"),
        ((Box(0, 0, 214, 161), Box(427, 0, 640, 5), Box(426, 319, 640, 321)), "asks", "2 covers reach into its middle"),
        ((Box(427, 200, 440, 210), Box(300, 320, 310, 330)), "supports", "less than 1 %"),
        ((Box(0, 420, 60, 470), Box(60, 400, 580, 425)), "supports", "covers hide 5 %"),  # beside the ruler
        ((Box(0, 420, 61, 426),), "asks", "1 ruler or colour card is touched by a cover"),
    ],
)  # fmt: skip
def test_a_cover_is_put_to_a_person_from_an_edge_on(covered: tuple[Box, ...], verdict: str, words: str) -> None:
    auto = of("img.clinical-meaning", made(covered=covered))
    assert (auto.verdict, words in auto.words) == (verdict, True), auto.words
    assert auto.found == len(covered)
    assert ("touched" in auto.words) == ("touched" in words)
    assert ("into its middle" in auto.words) == ("middle" in words)


def test_a_ruler_is_where_a_crop_from_the_left_put_it() -> None:
    """It lies from 60 to 580 and from 425 to 470 in the original."""

    def touched(x0: int, y0: int, x1: int, y1: int) -> bool:
        one = made(covered=(Box(x0, y0, x1, y1),), cropped=Box(50, 400, 640, 480), width=590, height=80)
        return "touched" in of("img.clinical-meaning", one).words

    assert touched(529, 30, 560, 40)  # its last column and beyond: 579 of the original
    assert not touched(530, 30, 560, 40)
    assert touched(0, 30, 11, 40)
    assert not touched(0, 30, 10, 40)
    assert touched(100, 0, 120, 26)
    assert not touched(100, 0, 120, 25)
    assert touched(100, 69, 120, 80)
    assert not touched(100, 70, 120, 80)


def test_what_was_not_looked_for_is_said_otherwise_than_what_did_not_run() -> None:
    light = report("P01-001", PHOTO, scope="metadata-only", actions=())
    assert of("img.text", light).words == "text was not checked"
    assert of("img.codes", light).words == "codes were not checked"
    one = made(actions=())
    broken = tuple(msgspec.structs.replace(c, state="not-run") if c.name == "text" else c for c in one.checks)
    assert of("img.text", msgspec.structs.replace(one, checks=broken)).words == "the check did not run"
    gone = tuple(c for c in one.checks if c.name != "text")
    assert of("img.text", msgspec.structs.replace(one, checks=gone)).words == "the check did not run"


def test_how_much_covers_hide() -> None:
    def share(*covered: object, **more: object) -> float:
        one = made(covered=covered, **more).copy
        assert one is not None
        return hidden_share(one)

    assert share() == 0
    assert share(Box(-100, -100, 320, 240)) == pytest.approx(0.25)  # what lies outside hides nothing
    assert share(((0.0, 0.0), (640.0, 0.0), (0.0, 480.0))) == pytest.approx(0.5)
    assert share(((-640.0, 0.0), (1280.0, 0.0), (320.0, 4800.0))) == 1  # and no more than all
    assert share(Box(0, 0, 640, 480), width=0, height=0) == 0


# -- standings --------------------------------------------------------------------------------------------------------


def judged(answers: list[Answer], **more: object) -> GroupResult:
    return assess("P01", [made(actions=())], CONTEXT, answers, **more)


def state(result: GroupResult, item: str) -> str:
    return next(s.state for s in result.standings if s.question.id == item)


def said(item: str, choice: str = "yes", subject: str = "P01", **more: str) -> Answer:
    return Answer(item=item, subject=subject, choice=choice, at="2026-11-30T09:00:00Z", **more)


@pytest.mark.parametrize(
    ("until", "at", "now"),
    [
        ("", "2026-11-30", "closed"), ("2026-11-30", "2026-11-30", "closed"), ("2026-11-29", "2026-11-29", "open"),
        ("2026-12-01", "2026-11-30", "closed"), ("", "2026-12-01", "open"), ("", "2026-11-29", "closed"),
    ],
)  # fmt: skip
def test_an_answer_holds_up_to_its_last_day_and_not_before_it_was_given(until: str, at: str, now: str) -> None:
    answer = Answer(item="con.written", subject="P01", choice="yes", at=f"{at}T23:59:59Z", valid_until=until)
    assert state(judged([answer], today=TODAY), answer.item) == now
    assert state(judged([answer]), answer.item) == "closed"  # without a day no answer expires


def test_answers_of_other_patients_are_passed_over() -> None:
    for subject in ("P011", "P02", "P011-001"):
        assert state(judged([said("con.written", subject=subject)]), "con.written") == "open"
    assert state(judged([said("con.written")]), "con.written") == "closed"


def test_a_law_has_to_be_named() -> None:
    assert state(judged([said("con.basis", "permitted-by-law")]), "con.basis") == "open"
    assert state(judged([said("con.basis", "permitted-by-law", note="section 3")]), "con.basis") == "closed"


def test_the_second_person_is_another_than_the_first() -> None:
    four_eyes = SiteProfile(schema="medimg.site/1", four_eyes=True)
    first = said("con.written", role="Surgeon")
    for role, now in (("Nurse", "closed"), ("surgeon", "open"), (" ", "open"), ("", "open")):
        second = said("site.second-person", role=role)
        assert state(judged([first, second], site=four_eyes), "site.second-person") == now
    assert "site.second-person" not in {s.question.id for s in judged([]).standings}


def test_questions_are_counted_once_by_level() -> None:
    empty = judged([]).counts()
    one = judged([said("con.written")]).counts()
    assert one == {**empty, "blocking_open": empty["blocking_open"] - 1}
    assert empty["blocking"] >= empty["blocking_open"] > 0
    assert empty["advisory"] == empty["advisory_open"] > 0


# -- cards ------------------------------------------------------------------------------------------------------------


def card(**more: object) -> Card:
    one = cards.made("channel", CONTEXT, {}, {"name": " Hand surgery ", "who": " "}, TODAY)
    return msgspec.structs.replace(one, **more).sealed() if more else one


def test_a_card_keeps_what_was_typed_without_blanks() -> None:
    assert card().fields == {"name": "Hand surgery"}
    assert (card().name, card().countries, card().trouble(TODAY)) == ("Hand surgery", ("AU",), "")
    assert len({cards.wording(kind) for kind in cards.KINDS}) == 3
    assert all(len(cards.wording(kind)) == 16 for kind in cards.KINDS)


def test_a_card_is_filled_in_again_when_its_own_questions_change(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = ChecklistDefinition.load()
    before = {kind: cards.wording(kind) for kind in cards.KINDS}
    items = tuple(msgspec.structs.replace(i, say=f"{i.say}!") if i.act == "channel" else i for i in shipped.items)
    changed = msgspec.structs.replace(shipped, items=items)
    monkeypatch.setattr(ChecklistDefinition, "shipped", lambda: changed)
    assert {kind for kind in cards.KINDS if cards.wording(kind) != before[kind]} == {"channel"}


@pytest.mark.parametrize(("by", "last"), [("person", 90), ("site", 365)])
def test_a_card_lasts_to_its_last_day(by: str, last: int) -> None:
    one = card(by=by)
    for days, words in ((-1, "the clock was set back"), (0, ""), (last, ""), (last + 1, f"{last + 1} days old")):
        trouble = one.trouble(TODAY + datetime.timedelta(days))
        assert (words in trouble) if words else not trouble


def test_a_card_is_for_its_audience_and_countries() -> None:
    assert card().fits(CONTEXT)
    assert not card().fits(msgspec.structs.replace(CONTEXT, audience="teaching"))
    assert not card().fits(msgspec.structs.replace(CONTEXT, jurisdictions=()))
    assert not card().fits(msgspec.structs.replace(CONTEXT, jurisdictions=("AU", "UK")))


def test_cards_are_read_newest_first_and_what_is_none_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "cards")
    assert store.read() == ([], [])
    assert store.delete() == 0
    old = card(made="2026-01-01", fields={"name": "Old"})
    store.save(old)
    store.save(card())
    assert [c.name for c in store.read()[0]] == ["Hand surgery", "Old"]
    store.save(msgspec.structs.replace(old, made="2026-12-01").sealed())  # of the same name: in the other's place
    assert [c.made for c in store.read()[0]] == ["2026-12-01", "2026-11-30"]
    (store.folder / "notes.txt").write_text("no card")
    (store.folder / "broken.json").write_text("{")
    whole = msgspec.json.encode(card())
    (store.folder / "at-most.json").write_bytes(whole.ljust(64 * 1024))
    (store.folder / "too-large.json").write_bytes(whole.ljust(64 * 1024 + 1))
    found, troubles = store.read()
    assert (len(found), len(troubles)) == (3, 2)
    if os.name == "posix":
        (store.folder / "link.json").symlink_to(store.folder / "at-most.json")
        assert len(store.read()[1]) == 3
        assert store.folder.stat().st_mode & 0o777 == 0o700
    store.delete()
    assert [p.name for p in store.folder.iterdir()] == ["notes.txt"]


def test_a_card_takes_no_detail_of_a_patient() -> None:
    for typed in ("MRN 5550173", "aged 45", "94 years"):
        with pytest.raises(UsageError):
            cards.made("channel", CONTEXT, {}, {"name": "Hand surgery", "who": typed}, TODAY)


# -- captions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("89 years", {}), ("90 years", {"age-over-89": 1}), ("129 yo", {"age-over-89": 1}), ("130 years", {}),
        ("aged 9", {"exact-age": 1}), ("aged 97", {"age-over-89": 1}), ("45 y/o", {"exact-age": 1}),
        ("3 weeks old and 4 months old", {"exact-age": 2}), ("A.B.", {"initials": 1}), ("A.", {}),
        ("Dr Quillfeather, Mrs. Banks", {"title-and-name": 2}), ("dr quillfeather", {}),
        ("@one and @two and @three", {"handle": 3}), ("", {}),
    ],
)  # fmt: skip
def test_what_is_found_in_a_caption_is_counted(text: str, kinds: dict[str, int]) -> None:
    looked_for = {k: n for k, n in caption.scan(text).items() if k in {*kinds, "age-over-89", "exact-age", "initials"}}
    assert looked_for == kinds


def test_one_word_is_enough_and_a_name_begins_with_a_capital() -> None:
    assert caption.scan("jane@example.org") == {"email": 1}
    assert caption.scan("Xu") == caption.scan("wound Xu") == {"name": 1}
    assert caption.scan("McDonald") == {"name": 1}
    assert "name" not in {**caption.scan("xu"), **caption.scan("XU")}


def test_a_caption_is_read_line_by_line_up_to_its_longest() -> None:
    assert caption.scan("Quillfeather\nWithers\nMRN 5550173\n+61 491 570 156")["phone"] == 1
    late = "x" * 99_990 + "\n"
    assert caption.scan(late + "aged 45")["exact-age"] == 1
    assert "exact-age" not in caption.scan("x" * 100_000 + "\naged 45")


# -- the checklist ----------------------------------------------------------------------------------------------------


def test_yaml_is_read_twenty_deep() -> None:
    assert strict_yaml.read(b"[" * 20 + b"]" * 20)
    with pytest.raises(strict_yaml.YamlRefused, match="too deeply"):
        strict_yaml.read(b"[" * 21 + b"]" * 21)


@pytest.mark.parametrize(
    ("word", "key"),
    [("au", "AU"), (" GB ", "UK"), ("usa", "US-HIPAA"), ("US", "US-HIPAA"), ("Canada", "CA"), ("Atlantis", "Atlantis")],
)
def test_a_country_however_it_is_written(word: str, key: str) -> None:
    assert country(word) == key


def test_the_checklist_is_read_again_after_its_day() -> None:
    one = ChecklistDefinition.load()
    day = datetime.date.fromisoformat(one.review_by)
    assert not one.past_review(day)
    assert one.past_review(day + datetime.timedelta(1))
    assert "is to be read again by" in one.review_words(day)
    assert "is past its review date" in one.review_words(day + datetime.timedelta(1))


def test_spoken_consent_is_offered_where_it_need_not_be_written() -> None:
    def offered(audience: str, *where: str) -> set[str]:
        return set(bases(SharingContext(audience=audience, jurisdictions=where, conditions=none_true())))

    for audience in ChecklistDefinition.load().audiences:
        asked = questions(SharingContext(audience=audience, jurisdictions=("AU",), conditions=none_true()))
        written = any(q.blocking for q in asked if q.id in ("con.written", "con.us-authorization"))
        assert ("spoken-consent-in-notes" in offered(audience, "AU")) != written
        assert "written-consent" in offered(audience, "AU")
    assert "reasonable-expectation" in offered("colleague-opinion", "AU")
    assert "reasonable-expectation" not in offered("closed-group", "AU")
    assert "uk-anonymised-teaching" in offered("teaching", "UK")
    assert "uk-anonymised-teaching" not in offered("teaching", "UK", "AU")
    assert "us-deidentified" in offered("teaching", "US-HIPAA")
    assert "us-deidentified" not in offered("teaching")


def test_a_context_takes_the_words_of_its_own_checklist() -> None:
    whole = ChecklistDefinition.load()
    own = msgspec.structs.replace(
        whole, audiences={"friends": "Friends"}, jurisdictions={"XX": "Nowhere"}, conditions={"odd": "Is it odd?"}
    )
    one = SharingContext(audience="friends", jurisdictions=("XX",), conditions={"odd": "yes"})
    assert one.checked(own) is one
    assert country("nowhere", own) == "XX"
    for wrong in (CONTEXT, msgspec.structs.replace(one, jurisdictions=("AU",)),
                  msgspec.structs.replace(one, conditions={"child": "no"})):  # fmt: skip
        with pytest.raises(UsageError):
            wrong.checked(own)
    with pytest.raises(UsageError):
        one.checked()
    with pytest.raises(UsageError):
        whole.item("con.nothing")


def test_a_context_says_no_more_than_it_may() -> None:
    one = CONTEXT.with_condition("child", "yes")
    assert (one.flag("child"), CONTEXT.flag("child"), SharingContext().flag("child")) == ("yes", "no", "not-sure")
    assert one.flag("anonymised_basis") == "no"
    for basis in ("uk-anonymised-teaching", "uk-listed-recording", "us-deidentified"):
        assert msgspec.structs.replace(one, basis=basis).flag("anonymised_basis") == "yes"
    for wrong in ({"conditions": {"child": "perhaps"}}, {"basis": "goodwill"}):
        with pytest.raises(UsageError):
            msgspec.structs.replace(CONTEXT, **wrong).checked()


def test_a_shown_face_makes_the_questions_about_it_needed() -> None:
    shown = found(Kind.FACE, Category.FACE, "keep", by="person", why=Reason.FACE_SHOWN)
    covered = found(Kind.FACE, Category.FACE, "cover")
    for action, level in ((shown, "blocking"), (covered, None)):
        result = assess("P01", [made(actions=(action,))], CONTEXT)
        for item in ("con.seen", "con.method"):
            question = next(s.question for s in result.standings if s.question.id == item)
            if level:
                assert (question.asked, question.level, question.why) == (True, level, "needed because a face is shown")
            else:
                assert question.why != "needed because a face is shown"


def test_the_wrong_item_of_a_checklist_is_said_by_its_place() -> None:
    text = (resources.files("medimg") / "consent" / "checklist.yaml").read_bytes()
    first, second = [i.id.encode() for i in ChecklistDefinition.load().items[:2]]
    with pytest.raises(UsageError, match=r"item 2 of the checklist has an id that was used before"):
        ChecklistDefinition.parse(text.replace(b"id: " + second, b"id: " + first, 1))


@pytest.mark.parametrize(
    "module", [answers_module, cards, checklist, context, evidence_module, incident, site, standing]
)
def test_no_record_of_consent_is_changed_later_nor_has_a_field_that_nobody_knows(module: ModuleType) -> None:
    for record in vars(module).values():
        if isinstance(record, type) and issubclass(record, msgspec.Struct) and record is not msgspec.Struct:
            config = record.__struct_config__
            assert config.frozen, record
            if record.__module__ == module.__name__ and module not in (evidence_module, standing):
                assert config.forbid_unknown_fields or record is checklist.Question, record


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('policy_link = "ftp://intranet.example"', "not a web address"),
        ('audiences = ["friends"]', "unknown audience"),
        ('[answers.closed-group]\n"con.written" = "yes"', "only a person can answer"),
        ('[answers.closed-group]\n"pol.employer" = "not-sure"', "not possible"),
        ('[levels.closed-group]\n"no.such" = "blocking"', "unknown item"),
        ('[[items]]\nid = "own.question"\nask = "?"\nlevel = {}', "starts with 'site.'"),
        ('[[items]]\nid = "site.second-person"\nask = "?"\nlevel = {}', "starts with 'site.'"),
        ('locked_cards = ["form"]', "does not have"),
        ('[[cards]]\nkind = "form"\nreviewed = "2026-05-01"', "has no name"),
        ('[[cards]]\nkind = "form"\nreviewed = "2026-05-01"\nnmae = "F"', "unknown field"),
        ('[[cards]]\nkind = "form"\nreviewed = "May"\nfields = { name = "F" }', "is a date"),
        ('[[cards]]\nkind = "form"\nreviewed = "2026-05-01"\nfields = { name = "F", who = "x" }', "do not have"),
        ('[[cards]]\nkind = "form"\nreviewed = "2026-05-01"\nfields = { name = "F" }\nanswers = { "img.text" = "yes" }',
         "does not stand on it"),
        ('[[cards]]\nkind = "form"\nreviewed = "2026-05-01"\nfields = { name = "F" }\n'
         'answers = { "con.written" = "not-sure" }', "not possible"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_profile_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f'schema = "medimg.site/1"\n{text}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        SiteProfile.load(path)


def test_a_profile_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "here.toml"
    path.write_text('schema = "medimg.site/1"\norganisation = "Here"\n[[items]]\nid = "site.own"\nask = "?"\n'
                    'level = { closed-group = "advisory" }\n', encoding="utf-8")  # fmt: skip
    monkeypatch.setenv("MEDIMG_SITE", str(path))
    installed = SiteProfile.installed()
    assert installed is not None
    assert installed.organisation == "Here"
    own = next(q for q in questions(CONTEXT, site=installed) if q.id == "site.own")
    assert (own.asked, own.level, own.set_by_site, own.why) == (True, "advisory", True, "set by your organisation")
    teaching = msgspec.structs.replace(CONTEXT, audience="teaching")
    assert "site.own" not in {q.id for q in questions(teaching, site=installed)}
    advised = next(q for q in questions(CONTEXT) if q.asked and q.level == "advisory")
    raised = msgspec.structs.replace(installed, levels={"closed-group": {advised.id: "blocking"}}, items=())
    (after,) = (q for q in questions(CONTEXT, site=raised) if q.set_by_site)
    assert (after.id, after.level, after.why) == (advised.id, "blocking", "set by your organisation")
    assert not any(q.set_by_site for q in questions(teaching, site=raised))
    monkeypatch.setenv("MEDIMG_SITE", str(tmp_path / "gone.toml"))
    with pytest.raises(UsageError):
        SiteProfile.installed()


def test_an_output_place_is_a_folder_and_what_lies_in_it(tmp_path: Path) -> None:
    one = SiteProfile(schema="medimg.site/1", output_places=(str(tmp_path / "clean"),), allow_key=False,
                      audiences=("closed-group",))  # fmt: skip
    one.allows(CONTEXT, tmp_path / "clean" / "today")
    one.allows(CONTEXT, tmp_path / "clean")
    one.allows(CONTEXT)
    teaching = msgspec.structs.replace(CONTEXT, audience="teaching")
    for out, key, asked in ((tmp_path, False, CONTEXT), (tmp_path / "cleaner", False, CONTEXT), (None, True, CONTEXT),
                            (None, False, teaching)):  # fmt: skip
        with pytest.raises(UsageError):
            one.allows(asked, out, key=key)


@pytest.mark.parametrize(
    ("identifiable", "basis", "asked"),
    [("no", "uk-anonymised-teaching", False), ("yes", "uk-anonymised-teaching", True),
     ("not-sure", "uk-anonymised-teaching", True)],
)  # fmt: skip
def test_an_article_9_ground_is_asked_on_the_uk_basis_unless_nobody_can_be_known(
    identifiable: str, basis: str, asked: bool
) -> None:
    one = SharingContext(audience="teaching", jurisdictions=("UK",), basis=basis,
                         conditions={**none_true(), "identifiable": identifiable})  # fmt: skip
    found_ = {q.id: q.asked for q in questions(one)}
    assert {q.id: q.asked for q in questions(msgspec.structs.replace(one, basis=""))}["con.explicit"]
    assert found_["con.explicit"] == asked
    assert found_["con.uk-inside"]
    listed = msgspec.structs.replace(one, basis="uk-listed-recording")
    assert not {q.id: q.asked for q in questions(listed)}["con.uk-inside"]


@pytest.mark.parametrize(
    ("flags", "answer", "stopped"),
    [
        ({"child": "yes", "intimate": "yes"}, "", ["who.child-intimate"]),
        ({"child": "yes", "intimate": "no"}, "", []), ({"child": "no", "intimate": "yes"}, "", []),
        ({"child": "yes", "intimate": "not-sure"}, "", []),
        ({"forensic": "yes"}, "no", ["who.forensic"]), ({"forensic": "not-sure"}, "no", ["who.forensic"]),
        ({"forensic": "no"}, "no", []), ({"forensic": "yes"}, "yes", []), ({"forensic": "yes"}, "", []),
    ],
)  # fmt: skip
def test_what_stops_a_set(flags: dict[str, str], answer: str, stopped: list[str]) -> None:
    one = msgspec.structs.replace(CONTEXT, conditions={**none_true(), **flags})
    assert rules.stops(one, {"who.forensic": answer} if answer else {}) == stopped


def test_answers_that_read_the_other_way_round_are_turned_once() -> None:
    for choice, now in (("yes", "no"), ("no", "yes"), ("not-sure", "not-sure")):
        after = turned(Answer(item="id.timing", subject="P01", choice=choice))
        assert (after.item, after.choice) == ("id.moment", now)
        assert turned(after) == after
    assert choices("one_basis_chosen") == (*BASES, "not-sure")


def test_a_country_without_a_clock_is_to_be_asked() -> None:
    assert incident.clocks(()) == [incident.NO_COUNTRY]
    assert incident.clocks(("XX", "OTHER"), {"XX": "Nowhere"}) == [
        f"Nowhere: {incident.ASK}.", f"Another country: {incident.ASK}.",
    ]  # fmt: skip
    assert incident.clocks(("XX",)) == [f"XX: {incident.ASK}."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a: 1\nb: [\nc\n", "line 4: this is not valid YAML"), (b"a: 1\na: 2\n", "line 2: a key appears twice"),
        (b"a: &x 1\nb: *x\n", "line 2: aliases"), (b"\n? [a]\n: 1\n", "line 2: a key must be a word"),
        (b"", "empty"), (b"a: [\n", "not valid YAML"), (b"\xff\xfe", "UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_by_its_line(text: bytes, says: str) -> None:
    with pytest.raises(strict_yaml.YamlRefused, match=says):
        strict_yaml.read(text)
