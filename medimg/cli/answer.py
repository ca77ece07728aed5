"""``medimg answer``: the questions of a run, page by page, from a file, or one at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import msgspec

from medimg.acts import answering, pages
from medimg.acts import template as templates
from medimg.acts.pages import Ask, Page
from medimg.acts.sitting import Sitting
from medimg.cli import _walk, common, run_common
from medimg.consent import caption, rules
from medimg.consent.answers import NOT_APPLICABLE
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import Flag
from medimg.consent.standing import GroupResult
from medimg.errors import UsageError
from medimg.report import build
from medimg.run import state as runs
from medimg.run.events import now
from medimg.run.opened import OpenRun, open_run
from medimg.run.state import RunState
from medimg.vocabulary import Category
from medimg.words import mark, tr

_KEYS = {"y": "yes", "n": "no", "?": "not-sure", "a": NOT_APPLICABLE}


_NO_ANSWER = mark("'Does not apply' is no answer to this question. [s] leaves it open.")


class _Stop(Exception):
    """The person wants to go on later."""


@click.command()
@run_common.run_argument
@click.argument("patients", nargs=-1, metavar="[PATIENT]...")
@click.option("--group", "groups", multiple=True, metavar="PATIENT", help="The same as PATIENT.")
@click.option("--from", "source", type=run_common.FILE, metavar="FILE", help="Take the answers from a YAML file.")
@click.option("--set", "settings", multiple=True, metavar="[PATIENT:]ITEM=ANSWER", help="One answer. May be repeated.")
@click.option("--note", default="", metavar="WORDS", help="For the record sheet alone; goes with --set.")
@run_common.recipients_option
@click.option(
    "--caption",
    "caption_file",
    type=run_common.FILE,
    metavar="FILE",
    help="Check the text that will be posted; - is stdin.",
)
@click.option("--all-questions", is_flag=True, help="Every question by itself, the long way; with --template, too.")
@click.option("--again", is_flag=True, help="With --all-questions: ask what is answered already, too.")
@click.option("--list", "listed", is_flag=True, help="List every item with its id, and write nothing.")
@click.option(
    "--template",
    is_flag=True,
    help="Print the acts as a file to fill in; write nothing.",
)
@run_common.role_option
@run_common.register_option
@run_common.json_option
@click.pass_context
def answer(
    ctx: click.Context,
    run: Path,
    patients: tuple[str, ...],
    groups: tuple[str, ...],
    source: Path | None,
    settings: tuple[str, ...],
    note: str,
    recipients: str,
    caption_file: Path | None,
    all_questions: bool,
    again: bool,
    listed: bool,
    template: bool,
    role: str,
    register_file: Path | None,
    as_json: bool,
) -> None:
    """Answer a run in a few acts, one screen each, up to the release. Every act is kept at once; stop at any time.

    Each screen shows the sentences that it answers. Keys: the letter, or arrows and Enter; b goes back, s leaves it
    open, q stops here. What you say of your workplace, channel and consent form is kept as cards ('medimg cards').
    With PATIENT: only those patients.

    Exit code: 0 every patient is answered, 11 blocking questions are open, 12 a patient is at a stop.
    """
    opened, results = run_common.opened(run)
    groups = (*patients, *groups)
    wanted = opened.groups(groups)
    if listed:
        _list(opened, wanted)
        return
    if template:
        long = templates.template(opened.state, results, wanted) if all_questions else ""
        click.echo(long or _sitting(opened, wanted, role, register_file).template(), nl=False)
        return
    state = opened.state
    given = _given(source, settings, recipients, caption_file, as_json=as_json)
    if caption_file is not None:
        state = _caption(state, caption_file, say=not as_json)
    file = answering.read(_read(source)) if source is not None else answering.AnswersFile()
    state = answering.from_file(state, file, now())
    for setting in settings:
        state = answering.from_setting(state, setting, now(), groups=groups, role=role, note=note)
    for group in wanted if recipients else ():
        state = runs.with_recipients(state, group, recipients)
    if file.acts:
        sitting = _sitting(opened.at(state), wanted, role or file.role, register_file)
        sitting.take(file.acts)
    elif given:
        runs.save(opened.folder, state)
    elif none := run_common.say_no_copy(opened, run):
        ctx.exit(none)
    else:
        _by_hand(opened, wanted, role, register_file, long=all_questions or again, again=again)
    before, opened = opened, open_run(opened.folder)  # as it was saved last
    results = run_common.written(opened, opened.state)
    mine = {g: results[g] for g in wanted}
    say = partial(run_common.say_json, "answer") if as_json else partial(run_common.say, most=run_common.MOST)
    say(mine, opened.state)
    if opened.state.released != before.state.released:
        run_common.say_share_well(opened)
        run_common.say_attach(opened)
    ctx.exit(run_common.exit_code(mine))


def _given(*given: object, as_json: bool) -> bool:
    """Whether answers come with the call.

    Raises:
        UsageError: JSON is wanted, and nobody can be asked then.
    """
    if as_json and not any(given):
        raise UsageError("--json goes with answers that are given: --from, --set, --to or --caption.")
    return any(given)


def _sitting(opened: OpenRun, wanted: list[str], role: str, register_file: Path | None) -> Sitting:
    return Sitting(opened, wanted, run_common.register(register_file), role)


def _by_hand(
    opened: OpenRun, wanted: list[str], role: str, register_file: Path | None, *, long: bool, again: bool
) -> None:
    if long:
        _ask_all(opened, wanted, role, again)
    else:
        _walk.walk(opened, wanted, role, run_common.register(register_file))


def _ask_all(opened: OpenRun, wanted: list[str], role: str, again: bool) -> RunState:
    """Page by page, saving after each; answering one page may change which others are asked."""
    session = _Session(opened, role)
    try:
        for group in wanted:
            session.page(pages.conditions_page(session.state, session.result(group), again=again))
        _rounds(session, partial(_batch_pages, session, again))
        for group in wanted:
            _rounds(session, partial(_group_pages, session, group, again))
    except (_Stop, click.Abort):
        click.echo(tr("\nKept so far. The same command goes on from here."))
    return session.state


def _batch_pages(session: _Session, again: bool) -> list[Page]:
    return pages.batch_pages(session.results(), again=again)


def _group_pages(session: _Session, group: str, again: bool) -> list[Page]:
    return pages.question_pages(session.results(), group, again=again)


def _rounds(session: _Session, make: Callable[[], list[Page]]) -> None:
    done: set[tuple[str, tuple[str, ...]]] = set()
    while True:
        left = [p for p in make() if any((a.item, a.subjects) not in done for a in p.asks)]
        if not left:
            return
        page = msgspec.structs.replace(left[0], asks=tuple(a for a in left[0].asks if (a.item, a.subjects) not in done))
        done |= {(a.item, a.subjects) for a in page.asks}
        session.page(page)


class _Session:
    """Asks on the terminal and keeps the answers."""

    def __init__(self, opened: OpenRun, role: str) -> None:
        self.opened, self.state, self.role = opened, opened.state, role

    def results(self) -> dict[str, GroupResult]:
        return build.results(self.state, self.opened.reports)

    def result(self, group: str) -> GroupResult:
        return self.results()[group]

    def page(self, page: Page) -> None:
        if not page.asks:
            return
        whom = tr("every patient") if page.group == answering.BATCH else page.group
        click.echo(f"\n=== {page.title} ({whom}) ===")
        state = self.state
        try:
            for number, ask in enumerate(page.asks, 1):
                state = self._one(state, ask, f"{number}/{len(page.asks)}")
        finally:
            if state is not self.state:
                self.state = runs.save(self.opened.folder, state)

    def _one(self, state: RunState, ask: Ask, place: str) -> RunState:
        level = {"blocking": tr(" (needs an answer before sharing)"), "advisory": tr(" (to think about)")}.get(
            ask.level, ""
        )
        about = "" if ask.condition or ask.subjects == (answering.BATCH,) else f" [{_named(ask.subjects)}]"
        click.echo(f"\n{place}{about} {ask.text}{level}")
        for line in (
            ask.help,
            tr("Checks: {checks_say}.", checks_say=ask.checks_say) if ask.checks_say else "",
            tr("Now: {now}.", now=ask.now) if ask.now else "",
        ):
            if line:
                click.echo(f"    {line}")
        keys = {k: c for k, c in _KEYS.items() if c in ask.choices}
        keys |= {str(n): c for n, c in enumerate((c for c in ask.choices if c not in _KEYS.values()), 1)}
        choice = self._key(keys, ask)
        if choice is None:
            return state
        if ask.condition:
            flag: Flag = choice  # type: ignore[assignment]
            return answering.with_condition(state, ask.subjects[0], ask.item, flag)
        if ask.item == "con.basis":
            refused = rules.basis_refused(choice, state.group_context(ask.subjects[0]))
            if refused:
                click.echo(tr("    This cannot be chosen here: {refused}", refused=refused))
                return self._one(state, ask, place)
        note = ""
        if ask.takes_note:
            note = click.prompt(
                tr("    Note for the record sheet alone (Enter for none)"), default="", show_default=False
            )
            if choice == NOT_APPLICABLE and not note.strip():
                click.echo(tr("    It stays open until a note says why it does not apply."))
        return answering.answered_by(state, ask.item, ask.subjects, choice, role=self.role, at=now(), note=note)

    def _key(self, keys: dict[str, str], ask: Ask) -> str | None:
        shown = "  ".join(f"[{k}] {ask.choices[c]}" for k, c in keys.items())
        while True:
            typed = (
                click.prompt(tr("    {shown}  [s] leave open  [q] stop", shown=shown), default="s", show_default=False)
                .strip()
                .lower()
            )
            if typed == "q":
                raise _Stop
            if typed == "s":
                return None
            if typed in keys:
                return keys[typed]
            refused = _KEYS.get(typed) == NOT_APPLICABLE
            click.echo(f"    {tr(_NO_ANSWER) if refused else tr('Please type one of the keys.')}")


def _named(subjects: tuple[str, ...]) -> str:
    return ", ".join(subjects) if len(subjects) <= 4 else common.plural(len(subjects), "copy", "copies")


def _caption(state: RunState, path: Path, *, say: bool) -> RunState:
    text = _read(path).decode("utf-8", "replace")
    found = caption.scan(text)
    kinds = ", ".join(f"{Category.words_of(k)} {n}" for k, n in found.items()) or tr("none; it can miss names")
    lines = [
        tr("Caption: the check found {kinds}.", kinds=kinds),
        *(f"  {x[:1].upper()}{x[1:]}." for x in caption.advice(found)),
    ]
    for line in lines if say else ():
        click.echo(line)
    return runs.with_caption(state, caption.digest(text), found, text)


def _read(path: Path) -> bytes:
    try:
        return common.given(path)
    except OSError as error:
        raise UsageError("the file could not be read.") from error


def _list(opened: OpenRun, wanted: list[str]) -> None:
    results = build.results(opened.state, opened.reports)
    for group in wanted:
        click.echo(f"{group}:")
        for s in results[group].standings:
            subjects = _named(s.subjects)
            click.echo(f"  {s.question.id}  [{subjects}]  {s.question.level}, {s.state}: {s.question.item.ask}")
    known = [c for c in ChecklistDefinition.load().conditions if c != "anonymised_basis"]
    click.echo(tr("Conditions: {known}", known=", ".join(known)))
