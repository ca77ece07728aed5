"""How records are made, how cards are stored, how long files may be: what the larger tests pass over."""

from __future__ import annotations

import datetime
import inspect
import os
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from sheets_kit import none_true, picture, report

from medimg.consent import answers, caption, cards, checklist, context, evidence, incident, site, standing, strict_yaml
from medimg.consent.answers import Answer, choices
from medimg.consent.cards import Store
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import Flag, SharingContext
from medimg.consent.questions import questions
from medimg.consent.site import SECOND_PERSON, Contacts, SiteItem, SiteProfile
from medimg.consent.standing import assess
from medimg.errors import OutputError, UsageError
from medimg.vocabulary import StandingReason

TODAY = datetime.date(2026, 11, 30)
CONTEXT = SharingContext(audience="closed-group", jurisdictions=("AU",), conditions=none_true())


@pytest.mark.parametrize("module", [answers, cards, checklist, context, evidence, incident, site, standing])
def test_a_record_is_made_by_the_names_of_its_fields(module: ModuleType) -> None:
    """So that two words in the wrong order never become an answer."""
    for record in vars(module).values():
        own = inspect.isclass(record) and record.__module__ == module.__name__
        if own and issubclass(record, msgspec.Struct):
            with pytest.raises(TypeError):
                record(*[None] * len(record.__struct_fields__))


# -- cards ------------------------------------------------------------------------------------------------------------


def card(name: str = "Hand surgery") -> cards.Card:
    return cards.made("channel", CONTEXT, {}, {"name": name}, TODAY)


def test_cards_lie_in_a_folder_that_is_made_for_them_and_may_be_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "settings" / "medimg" / "cards")
    store.save(card())
    store.save(card("Burns"))
    assert sorted(c.name for c in store.read()[0]) == ["Burns", "Hand surgery"]
    names = [p.name for p in store.folder.iterdir()]
    assert all(n.startswith("channel-") and len(n) == len("channel-.json") + 16 for n in names)
    assert store.delete() == 2
    assert not store.folder.exists()


def test_a_card_that_cannot_be_kept_or_deleted_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="could not be made"):
        Store(tmp_path / "file" / "cards").save(card())
    (tmp_path / "cards" / "folder.json").mkdir(parents=True)
    with pytest.raises(OutputError, match="could not be deleted"):
        Store(tmp_path / "cards").delete()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX systems")
def test_cards_are_for_one_pair_of_eyes(tmp_path: Path) -> None:
    store = Store(tmp_path / "cards")
    store.folder.mkdir(mode=0o755)
    store.save(card())
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in store.folder.iterdir()} == {0o600}


def test_the_seal_of_a_card_follows_every_word_of_it() -> None:
    one = card()
    assert one.sealed() == one
    assert len(one.seal) == 64
    for change in (
        {"made": "2026-11-29"},
        {"audience": "public"},
        {"answers": {"aud.meant": "yes"}},
        {"countries": ()},
    ):
        changed = msgspec.structs.replace(one, **change)
        assert "changed by hand" in changed.trouble(TODAY)
    assert "has no date" in msgspec.structs.replace(one, made="").sealed().trouble(TODAY)
    assert "other questions" in msgspec.structs.replace(one, wording="0" * 16).sealed().trouble(TODAY)


# -- files ------------------------------------------------------------------------------------------------------------


def test_yaml_is_read_up_to_four_mebibytes() -> None:
    most = b"a: b #".ljust(4 << 20)
    assert strict_yaml.read(most) == {"a": "b"}
    with pytest.raises(strict_yaml.YamlRefused, match="too large"):
        strict_yaml.read(most + b" ")


def test_yaml_may_close_what_it_opened_and_open_more() -> None:
    assert strict_yaml.read(b"[" + b"[[[]]], " * 50 + b"a]") == [[[[]]]] * 50 + ["a"]
    assert strict_yaml.read("\ufeffa: b".encode()) == {"a": "b"}


@pytest.mark.parametrize("value", ["no", "1", "1.5", "~", "null", "2026-11-30", "0x10", "'yes'"])
def test_every_value_is_a_word(value: str) -> None:
    assert strict_yaml.read(f"a: {value}".encode()) == {"a": value.strip("'")}


def rows(**changed: object) -> bytes:
    """A checklist of one question."""
    item: dict[str, object] = {
        "id": "img.text", "ask": "?", "level": "B", "sources": ["one"], "pass": "yes", "say": "Yes.", "act": "look",
    }  # fmt: skip
    item |= changed
    whole = {
        "schema": "medimg.consent-checklist/1", "version": "1", "review_by": "2027-01-01", "language": "en",
        "status_words": {"open": "o", "stop": "s", "answered": "a", "never_say": []}, "audiences": {"closed": "C"},
        "jurisdictions": {"AU": "Australia"}, "conditions": {"child": "?"}, "ticks": {},
        "sources": {"one": {"title": "One"}}, "items": [{k: v for k, v in item.items() if v is not None}],
    }  # fmt: skip
    return msgspec.json.encode(whole)  # which is YAML as well


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, ""), ({"id": "odd.text"}, "unknown section"), ({"pass": "maybe"}, "unknown 'pass'"),
        ({"level": {"friends": "blocking"}}, "unknown audience"), ({"when_any": ["odd"]}, "unknown condition"),
        ({"when_all": ["odd"]}, "unknown condition"), ({"when_any": ["child"], "when_all": ["child"]}, ""),
        ({"sources": ["two"]}, "unknown source"), ({"sources": []}, "has no source"),
        ({"say": None}, "no sentence for its act"), ({"act": None}, "no sentence for its act"),
        ({"act": "extra", "say": None}, ""), ({"act": None, "say": None}, ""), ({"na": "with-note"}, "asks for a note"),
        ({"na": "with-note", "free_text": "record-only"}, ""), ({"na": "free"}, ""), ({"jurisdictions": ["AU"]}, ""),
        ({"jurisdictions": ["AU", "XX"]}, "unknown country"), ({"jurisdictions": "AU"}, "unknown country"),
        ({"level": "C"}, "not valid"), ({"level": "B B"}, "not valid"), ({"level": "A"}, ""), ({"level": "-"}, ""),
        ({"odd": "x"}, "not valid"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_said(changed: dict[str, object], says: str) -> None:
    if not says:
        (item,) = ChecklistDefinition.parse(rows(**changed)).items
        assert item.level == {"A": {"closed": "advisory"}, "-": {}}.get(
            str(changed.get("level")), {"closed": "blocking"}
        )
        return
    with pytest.raises(UsageError, match=says):
        ChecklistDefinition.parse(rows(**changed))


def test_a_digest_of_the_checklist_has_sixteen_digits() -> None:
    assert len(ChecklistDefinition.load().digest) == 16


# -- captions ---------------------------------------------------------------------------------------------------------


def test_a_number_is_found_in_up_to_six_words() -> None:
    assert caption.scan("+61 4 91 57 01 56") == {"phone": 1}
    assert caption.scan("+6 1 4 91 57 01 56") == {}
    assert caption.scan("12 Old Farm Hill Road") == {"address": 1}


def test_advice_is_given_for_what_was_found() -> None:
    assert caption.advice({}) == []
    assert caption.advice({"handle": 1, "judging-word": 2, "phone": 1}) == [
        caption.ADVICE["judging-word"], caption.ADVICE["handle"],
    ]  # fmt: skip


# -- the organisation -------------------------------------------------------------------------------------------------


def test_a_profile_asks_its_own_questions_and_a_second_person_where_it_says_so() -> None:
    own = SiteItem(id="site.own", ask="?", level={"closed-group": "blocking"}, na="with-note")
    one = SiteProfile(schema="medimg.site/1", items=(own,), four_eyes=True)
    assert one.own_items() == {"site.own": "with-note", SECOND_PERSON: "never"}
    assert SiteProfile(schema="medimg.site/1").own_items() == {}
    asked = {q.id: q for q in questions(CONTEXT, site=one)}
    second, first = asked[SECOND_PERSON], asked["site.own"]
    assert (second.asked, second.level, second.set_by_site, second.blocking, second.na) == (
        True, "blocking", True, True, "never",
    )  # fmt: skip
    assert (first.item.free_text, first.item.record, first.item.act, first.na) == (
        "record-only", "record-only", "extra", "with-note",
    )  # fmt: skip
    assert SECOND_PERSON not in {q.id for q in questions(CONTEXT, site=SiteProfile(schema="medimg.site/1"))}
    assert not any(q.set_by_site for q in questions(CONTEXT))


def test_whom_to_call_is_listed_where_it_is_set() -> None:
    assert Contacts().lines() == []
    assert Contacts(help_desk="9", privacy_officer="1").lines() == [("privacy officer", "1"), ("help desk", "9")]


def test_cards_of_the_organisation_are_for_its_audiences() -> None:
    fields = {"name": "Photo consent"}
    one = SiteProfile(
        schema="medimg.site/1",
        cards=(
            site.SiteCard(kind="form", reviewed="2026-05-01", fields=fields),
            site.SiteCard(kind="channel", reviewed="2026-05-01", fields=fields, audiences=("teaching",)),
        ),
    )
    assert [c.kind for c in one.cards_for(CONTEXT)] == ["form"]
    assert [c.kind for c in one.cards_for(msgspec.structs.replace(CONTEXT, audience="teaching"))] == ["form", "channel"]
    assert all(c.by == "site" and c.made == "2026-05-01" and c.sealed() == c for c in one.cards_for(CONTEXT))


def test_why_a_question_is_asked_is_said_of_what_was_and_was_not_said() -> None:
    def why(flag: Flag | None = None, **when: list[str]) -> str:
        one = ChecklistDefinition.parse(rows(level="B", **when))
        asked = SharingContext(audience="closed", jurisdictions=("AU",), conditions={"child": flag} if flag else {})
        (question,) = questions(asked, one)
        return question.why

    assert why() == why("yes") == StandingReason.ASKED
    assert why(None, jurisdictions=["AU"]) == "asked in AU"
    assert why(None, when_any=["child"]) == "asked because it is not settled whether this applies: child"
    assert why(None, when_all=["child"]) == "asked until it is settled whether this applies: child"
    assert why("yes", when_any=["child"]) == why("yes", when_all=["child"]) == "because: child"
    assert why("no", when_any=["child"]) == why("no", when_all=["child"]) == "you said that this does not apply: child"
    assert why("yes", when_any=["child"], jurisdictions=["AU"]) == "asked in AU; because: child"


# -- answers and standings --------------------------------------------------------------------------------------------


def test_what_does_not_apply_is_offered_where_it_may_be() -> None:
    assert choices("yes") == choices("yes", "never") == ("yes", "no", "not-sure")
    assert choices("yes", "free") == choices("yes", "with-note") == ("yes", "no", "not-sure", "not-applicable")
    assert choices("yes_or_accepted") == ("yes", "no", "not-sure", "accepted")


def test_evidence_of_nothing_counts_nothing() -> None:
    nothing = report("P01-001", None)
    for item in ("img.marks", "img.clinical-meaning"):
        (one,) = (e for e in evidence.evidence(nothing) if e.item == item)
        assert (one.verdict, one.found) == ("asks", 0)
    (name,) = (e for e in evidence.evidence(nothing) if e.item == "img.filename")
    assert name.verdict == "unknown"


def test_without_a_copy_nothing_is_answered() -> None:
    one = assess("P01", [report("P01-001", None)], CONTEXT)
    assert one.overall == "open"
    assert assess("P01", [], CONTEXT).overall == "open"


def test_a_question_about_copies_stands_once_for_those_that_stand_alike() -> None:
    shot = picture((200, 170, 150))
    reports = [report(f"P01-00{k}", shot, actions=()) for k in (1, 2, 3)]
    told = Answer(item="img.marks", subject="P01-002", choice="yes", at="2026-11-30T09:00:00Z")
    standings = [s for s in assess("P01", reports, CONTEXT, [told]).standings if s.question.id == "img.marks"]
    assert sorted(s.subjects for s in standings) == [("P01-001", "P01-003"), ("P01-002",)]
    assert {s.state for s in standings} == {"open", "closed"}


def test_a_passage_without_a_year_has_none() -> None:
    assert {s.year == 0 for s in incident.sources()} == {True, False}
