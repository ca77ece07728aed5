"""Acts in an answers file: the template filled in closes what its screens show, and nothing else is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from release_kit import call
from sheets_kit import run_folder

from medimg.cli.answer import answer
from medimg.cli.release import release
from medimg.cli.withdraw import withdraw
from medimg.consent.context import SharingContext
from medimg.errors import UsageError
from medimg.run import state as runs


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1, "P02": 1}, context=AU, actions=())
    return tmp_path / "medimg-R7Q4"


AU = SharingContext(audience="closed-group", jurisdictions=("AU",))
TYPED = {"name": "Hand group", "role": "registrar", "to": "the hand group"}


def template(out: Path) -> str:
    result = call(answer, out, "--template", "--role", "registrar")
    assert result.exit_code == 0, result.output
    return result.output


def filled(text: str) -> str:
    """Every act said to be true, and what has to be typed typed."""
    text = text.replace("answer: not-sure", "answer: yes")
    return re.sub(r'^      (\w+): ""', lambda m: f'      {m[1]}: "{TYPED.get(m[1], "")}"', text, flags=re.M)


def taken(out: Path, text: str, code: int = 0) -> str:
    (out.parent / "answers.yaml").write_text(text, "utf-8")
    result = call(answer, out, "--from", out.parent / "answers.yaml")
    assert result.exit_code == code, result.output
    return result.output


def refused(out: Path, text: str) -> str:
    """The sentence with which a file is refused; nothing is written then."""
    (out.parent / "answers.yaml").write_text(text, "utf-8")
    before = state_of(out)
    with pytest.raises(UsageError) as error:
        call(answer, out, "--from", out.parent / "answers.yaml")
    assert state_of(out) == before
    return f"{error.value.what} {error.value.todo}"


def state_of(out: Path) -> runs.RunState:
    state = runs.load(out)
    assert state is not None
    return state


def test_the_template_filled_in_answers_every_patient_and_a_release_follows(out: Path) -> None:
    taken(out, filled(template(out)))
    state = state_of(out)
    assert {a.act for a in state.acts} >= {"workplace", "channel", "form", "look:P01-001", "applies:P02", "release:P02"}
    assert all(a.act and a.said for a in state.answers)
    assert not list((out / "share").iterdir())  # a file releases nothing
    assert len(list((out.parent / "cards").iterdir())) == 3
    done = call(release, out, "--yes")
    assert done.exit_code == 0, done.output
    assert len(list((out / "share").iterdir())) == 2


def test_the_template_as_it_is_closes_nothing(out: Path) -> None:
    taken(out, template(out), code=11)
    assert not state_of(out).answers


def test_what_is_not_true_is_answered_no_and_stays_open(out: Path) -> None:
    text = filled(template(out)).replace(
        "  look:P01-001:  # Look at P01-001\n", "  look:P01-001:\n    but: {img.codes: no}\n"
    )
    said = taken(out, text, code=11)
    assert "P01-001" in said
    assert {a.item for a in state_of(out).answers if a.choice == "no"} == {"img.codes"}
    assert call(release, out, "P01", "--yes").exit_code == 11


def test_a_card_that_is_kept_is_named_in_the_next_template_and_found_right_by_its_name(
    out: Path, tmp_path: Path
) -> None:
    taken(out, filled(template(out)))
    other = tmp_path / "again" / "medimg-R7Q4"
    run_folder(other, {"P01": 1}, context=AU, actions=())
    text = template(other)
    assert text.count('card: "Hand group"') == 3
    taken(other, filled(text))
    assert {use.card.name for use in state_of(other).cards.values()} == {"Hand group"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: re.sub(r'(look:P01-001:(?:.*\n)+?    shown: )"\w+"', r'\1"00000000"', t, count=1), "look:P01-001"),
        (lambda t: t.replace("  look:P01-001:", "  look:P09-001:"), "look:P09-001"),
        (lambda t: t.replace("answer: yes", "answer: perhaps", 1), "yes or not-sure"),
        (lambda t: t.replace("  workplace:  #", "  workplace:\n    but: {img.text: yes}  #", 1), "not on its screen"),
        (lambda t: t.replace("applies: []", "applies: [anonymised_basis]", 1), "not on its list"),
        (lambda t: t.replace("basis: written-consent", "basis: reasonable-expectation", 1), "cannot hold here"),
        (lambda t: t.replace('name: "Hand group"', 'name: ""', 1), "Please say"),
        (lambda t: t.replace('date: "today"', 'date: "2099-01-01"', 1), "not come yet"),
        (lambda t: t.replace('name: "Hand group"', 'colour: "x"', 1), "not on its screen"),
    ],
)
def test_an_act_that_does_not_fit_is_refused_and_nothing_is_written(out: Path, change: object, words: str) -> None:
    text = change(filled(template(out)))  # type: ignore[operator]
    assert words in refused(out, text)
    assert not (tmp := out.parent / "cards").exists() or not list(tmp.iterdir())


def test_what_has_to_be_typed_is_marked_and_a_gap_is_filled_in_the_same_file(out: Path) -> None:
    """A new template would throw away what the person wrote so far."""
    text = filled(template(out))
    assert "# Workplace (needed)" in text
    assert "# Systems your employer backs\n" in text
    gap = text.replace('name: "Hand group"  # Workplace', 'name: ""  # Workplace')
    assert gap != text
    said = refused(out, gap)
    assert "workplace is not done: Please say: Workplace" in said
    assert "--template" not in said
    taken(out, text)


def test_answers_for_another_copy_than_the_one_that_lies_there_are_refused(out: Path) -> None:
    text = filled(template(out))
    (out / "unreviewed" / "P01-001.jpg").write_bytes(b"another")
    assert "another copy now" in refused(out, text)


def test_a_file_for_another_run_is_refused_whose_patients_have_the_same_numbers(out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "medimg-K3M8"
    run_folder(other, {"P01": 1, "P02": 1}, context=AU, actions=(), tag="K3M8")
    of_the_patient = re.compile(r"\n  (?!applies:P01|basis:P01)\S+:.*(?:\n    .*)*")
    acts = of_the_patient.sub("", filled(template(other)))  # of acts that say what copy they are about, none
    assert "applies:P01" in acts
    long = call(answer, other, "--template", "--all-questions").output.replace(": not-sure", ": yes")
    for text in (acts, acts.replace('run: "K3M8"\n', ""), long):
        assert "another run" in refused(out, text)
    taken(out, acts.replace("K3M8", "R7Q4"), code=11)


def test_two_people_with_two_files_the_second_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from medimg.acts import filing

    text, real = filled(template(out)), filing.taken

    def somebody_else(walk: object, acts: object) -> object:
        monkeypatch.setattr(filing, "taken", real)
        taken(out, text)
        return real(walk, acts)  # type: ignore[arg-type]

    monkeypatch.setattr(filing, "taken", somebody_else)
    (out.parent / "answers.yaml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="somebody else changed the answers"):
        call(answer, out, "--from", out.parent / "answers.yaml")
    assert len({a.act for a in state_of(out).acts}) == len(state_of(out).acts)


def test_answers_of_a_file_without_acts_still_read(out: Path) -> None:
    taken(out, "role: registrar\nbatch: {pol.employer: yes}\n", code=11)
    assert [(a.item, a.choice) for a in state_of(out).answers] == [("pol.employer", "yes")]


def test_the_record_of_a_withdrawn_patient_is_not_opened_again_by_a_file(out: Path) -> None:
    text = filled(template(out))
    assert call(withdraw, out, "P01").exit_code == 0
    taken(out, text, code=12)
    assert call(release, out, "P01", "--yes").exit_code == 12
    assert json.loads((out / "PRIVATE-patient-record" / "answers.json").read_bytes())["withdrawn"]
