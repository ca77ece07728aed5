"""What the sheets say the checks saw: what comes together, what covers hide, and what no check looks for."""

from __future__ import annotations

import msgspec
import pytest
from sheets_kit import findings, picture, region, report

from medimg.consent import caption
from medimg.consent.evidence import AutoEvidence, evidence, group_evidence
from medimg.types import Action, Box, Finding, Report
from medimg.vocabulary import Category


def made(*, covered: tuple[Box, ...] = (), **more: object) -> Report:
    """A report whose copy has these covers; it is 640 x 480."""
    one = report("P01-001", picture((200, 170, 150)))
    assert one.copy is not None
    copy = msgspec.structs.replace(one.copy, covered=tuple(b.polygon for b in covered), **more)
    return msgspec.structs.replace(one, copy=copy)


def said(item: str, of: Report) -> AutoEvidence:
    return next(e for e in evidence(of) if e.item == item)


@pytest.mark.parametrize(
    ("covered", "verdict", "words"),
    [
        ((), "supports", "nothing of the picture is covered"),
        ((Box(0, 0, 64, 48),), "supports", "covers hide 1 % of the picture"),
        ((Box(0, 0, 640, 48),), "asks", "covers hide 10 % of the picture"),
        ((Box(0, 0, 640, 96), Box(0, 48, 640, 96)), "asks", "covers hide 20 % of the picture"),
        ((Box(300, 200, 310, 210),), "asks", "less than 1 % of the picture; 1 cover reaches into its middle"),
        ((Box(60, 420, 100, 470),), "asks", "1 ruler or colour card is touched by a cover"),
    ],
)
def test_what_covers_may_hide_of_the_medicine_is_said(covered: tuple[Box, ...], verdict: str, words: str) -> None:
    auto = said("img.clinical-meaning", made(covered=covered))
    assert (auto.verdict, words in auto.words) == (verdict, True), auto.words
    assert auto.words.endswith("look whether the finding still shows")


def test_a_ruler_is_looked_for_where_the_crop_put_it() -> None:
    ruler = next(a.finding for a in findings() if a.finding.category == Category.RULER)
    assert ruler.region == region(60, 425, 580, 470)
    moved = made(covered=(Box(60, 25, 100, 70),), cropped=Box(0, 400, 640, 480), height=80)
    assert "touched by a cover" in said("img.clinical-meaning", moved).words
    assert "it was cropped" in said("img.clinical-meaning", moved).words
    assert "touched" not in said("img.clinical-meaning", made(covered=(Box(60, 25, 100, 70),))).words


def test_a_copy_that_was_saved_again_is_said_to_be() -> None:
    assert "colours may differ" in said("img.clinical-meaning", made(lossless=False)).words
    assert "colours may differ" not in said("img.clinical-meaning", made(lossless=True)).words


def test_a_word_that_may_be_a_name_is_told_where_text_is_asked_about_and_nowhere_else() -> None:
    word = Finding(kind="text", category="possible-name", detector="text", region=region(300, 60, 400, 90))
    one = made()
    assert one.plan is not None
    kept = Action(finding=word, do="keep", why="may be a name: look here")
    one = msgspec.structs.replace(one, plan=msgspec.structs.replace(one.plan, actions=(*one.plan.actions, kept)))
    assert {e.item for e in evidence(one) if "may be a name" in e.words} == {"img.text"}


def test_marks_are_never_said_to_be_looked_for() -> None:
    auto = said("img.marks", made())
    assert (auto.verdict, auto.found) == ("asks", 0)
    assert auto.words == "no check looks for tattoos, jewellery, scars or birthmarks: you look"


def grouped(item: str, *reports: Report, found: dict[str, int] | None = None) -> AutoEvidence:
    return next(e for e in group_evidence("P01", reports, found) if e.item == item)


def test_the_sum_says_what_goes_together_and_never_closes() -> None:
    face = Finding(kind="face", category="possible-face", detector="faces 1", region=region(1, 1, 9, 9))
    one = made()
    assert one.plan is not None
    asked = msgspec.structs.replace(one.plan.actions[0], finding=face, do="ask")
    open_ = msgspec.structs.replace(one, plan=msgspec.structs.replace(one.plan, actions=(asked,)))
    auto = grouped("id.together", open_, one, found={"place-name": 2})
    assert auto.verdict == "asks"
    assert auto.words.startswith("together: 2 copies, 1 find left to you to look at, 2 finds in the caption; ")
    assert "no caption was checked" in grouped("id.together", one).words
    assert grouped("id.together", one, found={}).verdict == "asks"


@pytest.mark.parametrize(
    ("captured", "found", "verdict", "words"),
    [
        ("", {}, "asks", "no photo says when it was taken; you know"),
        ("days", {}, "asks", "the newest photo was taken within the last days"),
        ("longer", {}, "supports", "the newest photo was taken longer ago than a year"),
        ("longer", {"relative-time": 1}, "asks", "longer ago than a year; the caption says when it was"),
    ],
)
def test_timing_hears_the_caption(captured: str, found: dict[str, int], verdict: str, words: str) -> None:
    auto = grouped("id.moment", msgspec.structs.replace(made(), captured=captured), found=found)
    assert auto.verdict == verdict
    assert auto.words.endswith(words)


#: Ten sorts of caption that have led to complaints, each in our own words.
BAD = {
    "a colleague and a place are tagged": (
        "Seen by @drexample at Westmead, #bondi",
        {"handle", "hashtag", "place-name"},
    ),
    "the night it happened": ("Guess what rolled into resus last night", {"relative-time"}),
    "the patient is made fun of": ("Another idiot with a nail gun, lol", {"judging-word"}),
    "a label for somebody who comes often": ("Our favourite frequent flyer, drug-seeking again", {"judging-word"}),
    "what everybody read about": ("The one from the bus crash on the news", {"in-the-news"}),
    "who they belong to": ("The mayor's daughter, burnt hand", {"somebody-close"}),
    "what they do, and where": ("Dairy farmer from Southland, degloved thumb", {"occupation", "place-name"}),
    "rare, and where": ("Only case in Tasmania so far", {"rare-case", "place-name"}),
    "age, place and day": ("17 year old from Broome, Saturday", {"exact-age", "place-name", "relative-time"}),
    "a link to more": ("More at www.example.org/hand and 1 in 2,000,000", {"link", "rare-case"}),
}


@pytest.mark.parametrize("sort", BAD)
def test_ten_sorts_of_bad_caption_are_found(sort: str) -> None:
    text, kinds = BAD[sort]
    found = caption.scan(text)
    assert kinds <= set(found)
    assert caption.advice(found) or found.keys() & caption.SURE


@pytest.mark.parametrize(
    "text",
    [
        "Crohn disease of the terminal ileum, haematoxylin and eosin, x40.",
        "Basal cell carcinoma of the nasal ala, punch biopsy site marked; scale in cm.",
        "Glasgow Coma Scale 15, Bristol Stool Chart type 4 and Victoria blue stain.",
        "A shooting pain down the leg; gross specimen of the gall bladder.",
        "Painter's palette sign. Baker cyst behind the left knee.",
        "Day 3 after debridement, granulating well.",
    ],
)
def test_a_clinical_caption_is_left_alone(text: str) -> None:
    assert caption.scan(text) == {}


def test_no_word_of_a_caption_is_kept() -> None:
    found = caption.scan("ZZMARKER farmer @zzmarker #zzmarker https://zz.example/marker last night")
    assert set(found) <= set(Category)
    assert not any("marker" in line.lower() for line in caption.advice(found))
