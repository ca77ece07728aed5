"""Cards that were changed, grew old or are of another version, and other things that must not release anything."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

import msgspec
import pytest
from acts_kit import AT, TODAY, TYPED, cards_of, fresh, given, start, walked
from release_kit import call
from sheets_kit import run_folder

from medimg.acts import Input, Walk, screen, step
from medimg.cli.answer import answer
from medimg.cli.cards import cards as cards_command
from medimg.consent.cards import Card, Store, made
from medimg.consent.context import SharingContext
from medimg.consent.site import SiteCard, SiteProfile
from medimg.errors import UsageError
from medimg.report import build
from medimg.run import state as runs

AU = SharingContext(audience="closed-group", jurisdictions=("AU",))


def filled() -> tuple[Walk, tuple[Card, ...]]:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1})
    walk, _ = walked(start(state, reports))
    return start(state, reports), cards_of(walk)


def with_cards(cards: tuple[Card, ...]) -> Walk:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1})
    return start(state, reports, cards)


def test_a_card_that_is_right_is_shown_with_its_age_and_closes_nothing_before_a_person_says_so() -> None:
    _, cards = filled()
    walk = with_cards(cards)
    shown = screen(walk)
    assert shown is not None
    assert shown.act == "workplace"
    assert "12 days ago" in shown.lead
    assert not walk.state.answers
    after = step(walk, Input(key="y"))
    assert {a.item for a in after.state.answers} == {line.item for line in shown.lines if line.item}
    assert {a.act for a in after.state.answers} == {"workplace"}
    assert all(a.said in {line.text for line in shown.lines} for a in after.state.answers)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: msgspec.structs.replace(c, answers={**c.answers, "pol.employer": "yes", "x": "yes"}), "by hand"),
        (lambda c: msgspec.structs.replace(c, made="2026-08-01").sealed(), "days old"),
        (lambda c: msgspec.structs.replace(c, made="2027-01-01").sealed(), "clock was set back"),
        (lambda c: msgspec.structs.replace(c, made="soon").sealed(), "no date"),
        (lambda c: msgspec.structs.replace(c, wording="0" * 16).sealed(), "other questions"),
    ],
)
def test_a_card_that_cannot_be_used_is_asked_again(change: object, words: str) -> None:
    _, cards = filled()
    walk = with_cards(tuple(change(c) for c in cards))  # type: ignore[operator]
    shown = screen(walk)
    assert shown is not None
    assert words in shown.trouble
    assert "90 days" in shown.lead  # the screen on which a card is filled in
    assert not walk.state.answers


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda c: msgspec.structs.replace(c, made="2026-08-01").sealed(), "days old"),
        (lambda c: msgspec.structs.replace(c, answers={**c.answers, "pol.employer": "yes", "x": "yes"}), "by hand"),
        (lambda c: msgspec.structs.replace(c, wording="0" * 16).sealed(), "other questions"),
    ],
)
@pytest.mark.parametrize("act", ["workplace", "channel", "form"])
def test_a_card_that_grew_old_in_a_run_that_waits_is_asked_again_and_releases_nothing(
    act: str,
    harm: object,
    words: str,
) -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1})
    walk, _ = walked(start(state, reports))
    assert build.results(walk.state, reports, TODAY)["P01"].overall == "answered"
    use = walk.state.cards[act]
    card = harm(use.card)  # type: ignore[operator]
    assert words in card.trouble(TODAY)
    cards = {**walk.state.cards, act: msgspec.structs.replace(use, card=card)}
    later = msgspec.structs.replace(walk.state, cards=cards)
    assert build.results(later, reports, TODAY)["P01"].overall == "open"
    shown = screen(start(later, reports))
    assert shown is not None
    assert shown.act == act


def test_a_card_of_another_audience_or_country_is_not_used() -> None:
    _, cards = filled()
    state, reports = fresh("closed-group", ("NZ",), {"P01": 1})
    assert start(state, reports, cards).cards == ()


def test_a_form_without_written_leaves_it_open_and_releases_nothing() -> None:
    _, cards = filled()
    lacking = tuple(
        msgspec.structs.replace(c, answers={**c.answers, "con.written": "no"}).sealed() if c.kind == "form" else c
        for c in cards
    )
    walk = with_cards(lacking)
    while (shown := screen(walk)) is not None:
        if shown.act == "extra:P01:con.written":
            break
        walk = step(walk, given(shown, ())[0])
    assert shown is not None
    walk = step(walk, Input(key="n"))
    while (shown := screen(walk)) is not None and not shown.act.startswith("release"):
        walk = step(walk, given(shown, ())[0])
    assert shown is not None
    assert "y" not in {o.key for o in shown.options}
    assert any("writing" in line.text for line in shown.lines)
    assert walk.release == ()


def test_a_clock_before_the_newest_answer_starts_nothing_and_counts_no_answer() -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1})
    walk, _ = walked(start(state, reports))
    from medimg.acts import begin

    earlier = TODAY - datetime.timedelta(days=2)
    with pytest.raises(UsageError, match="clock"):
        begin(walk.state, reports, today=earlier, at=AT)
    assert build.results(walk.state, reports, TODAY)["P01"].overall == "answered"
    assert build.results(walk.state, reports, earlier)["P01"].overall == "open"


def test_a_date_of_consent_that_has_not_come_is_refused() -> None:
    state, reports = fresh("closed-group", ("AU",), {"P01": 1})
    walk = start(state, reports)
    while (shown := screen(walk)) is not None and shown.act != "consent:P01":
        walk = step(walk, given(shown, ())[0])
    after = step(walk, Input(key="y", fields={"date": "2027-01-01"}))
    assert "clock" in after.trouble
    assert after.state is walk.state


def test_a_copy_that_is_not_the_checked_one_cannot_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 1})
    with (out / "unreviewed" / "P01-001.jpg").open("ab") as copy:
        copy.write(b"x")
    lines = [TYPED["name"], "registrar", "", "", "", "", "y", "group", "", "y", "y"]
    result = call(answer, out, input="\n".join(lines) + "\n")
    assert "is not the copy that was checked" in result.output
    assert result.exit_code == 11
    state = runs.load(out)
    assert state is not None
    assert not [a for a in state.answers if a.item.startswith("img.")]


def test_two_people_at_one_run(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 1})
    first, second = runs.load(out), runs.load(out)
    assert first is not None
    assert second is not None
    runs.save(out, first)
    with pytest.raises(UsageError, match="somebody else changed"):
        runs.save(out, second)


def test_cards_are_private_listed_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    store = Store()
    store.save(made("channel", AU, {"aud.meant": "yes"}, {"name": "Hand group", "who": "surgeons"}, TODAY))
    (path,) = store.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert "Hand group" in call(cards_command).output
    path.with_name("form-0.json").write_text('{"schema": "medimg.card/9"}')
    assert "another version" in call(cards_command).output
    assert call(cards_command, "--delete").output == "2 cards deleted.\n"
    assert "no cards" in call(cards_command).output


def test_a_detail_of_a_patient_is_not_kept() -> None:
    with pytest.raises(UsageError, match="detail of a patient"):
        made("channel", AU, {}, {"name": "the 43-year-old with the hand"}, TODAY)


def test_the_organisation_supplies_and_locks_a_card_and_wants_four_eyes() -> None:
    site = SiteProfile(
        schema="medimg.site/1",
        cards=(
            SiteCard(
                kind="channel",
                reviewed="2026-10-01",
                fields={"name": "Trust group"},
                answers={"aud.who-is-in": "yes", "aud.meant": "yes", "aud.limited": "yes"},
            ),
        ),
        locked_cards=("channel",),
        four_eyes=True,
    )
    state, reports = fresh("closed-group", ("AU",), {"P01": 1}, site=site)
    _, cards = filled()
    walk = start(state, reports, cards)
    assert [c.name for c in walk.cards if c.kind == "channel"] == ["Trust group"]
    seen = []
    while (shown := screen(walk)) is not None:
        seen.append(shown.act)
        if shown.act == "channel":
            assert "Your organisation says" in shown.lead
            assert "c" not in {o.key for o in shown.options}
        if shown.act == "second:P01":
            same = step(walk, Input(key="y", fields={"role": "Registrar"}))
            assert "another than the first" in same.trouble
            walk = step(walk, Input(key="y", fields={"role": "consultant"}))
            continue
        walk = step(walk, given(shown, ())[0])
    assert seen.index("second:P01") < seen.index("release:P01")
    assert walk.release == ("P01",)


def test_a_card_of_another_version_is_said_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    _, cards = filled()
    for card in cards:
        Store().save(card)
    for path in (tmp_path / "cards").iterdir():
        path.write_text(path.read_text().replace("medimg.card/1", "medimg.card/2"))
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, context=AU, actions=())
    said = call(answer, tmp_path / "medimg-R7Q4", input="").output
    assert said.count("is of another version of medimg. It is asked again.") == 3
    assert "Kept on this computer for 90 days." in said


def test_what_shows_on_a_copy_is_followed_by_the_command_that_covers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 2}, context=AU, actions=())
    typed = ["Ward", "registrar", "", "", "", "", "y", "Group", "", "y", "n", "a", "q"]
    said = call(answer, run, input="\n".join(typed) + "\n").output
    assert f"Cover what shows on P01-001:  medimg cover {run} P01-001 PHOTOS --box X,Y,W,H" in said
    assert "P01-001: the answer does not allow sharing" in said
