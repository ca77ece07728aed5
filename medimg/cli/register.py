"""``medimg register``: the record of what was shared."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.errors import UsageError
from medimg.plain import cell, printable_json
from medimg.run import release as releasing
from medimg.run import worklist
from medimg.run.events import now
from medimg.run.register import PRIVATE, Entry
from medimg.types import to_json
from medimg.words import many, said, tr


@click.group()
@run_common.register_option
@click.pass_context
def register(ctx: click.Context, register_file: Path | None) -> None:
    """Show and check the record of what was shared. It stays on this computer, readable by you alone."""
    ctx.obj = run_common.register(register_file)


@register.command("list")
@click.option("--run", default="", metavar="TAG", help="Only this run.")
@click.pass_context
def list_(ctx: click.Context, run: str) -> None:
    """One line for each entry."""
    entries = ctx.obj.entries(run)
    for e in entries:
        copies = many("{n} copy", "{n} copies", len(e.sharing.copies))
        common.say(f"{e.seq:>4}  {e.at[:16].replace('T', ' ')}  {e.event}  {e.sharing.run} {e.sharing.group}  {copies}")
    if not entries:
        click.echo(tr("The register holds no entry."))


@register.command()
@click.argument("number", type=int)
@click.pass_context
def show(ctx: click.Context, number: int) -> None:
    """Everything one entry says, as JSON."""
    entry = next((e for e in ctx.obj.entries() if e.seq == number), None)
    if entry is None:
        raise UsageError("the register has no entry of this number.")
    click.echo(printable_json(to_json(entry).decode()), nl=False)


@register.command()
@click.argument("runs", nargs=-1, type=run_common.FILE, metavar="[RUN]...")
@click.pass_context
def verify(ctx: click.Context, runs: tuple[Path, ...]) -> None:
    """Walk the chain of entries. With RUN: also compare its answers and what lies in share/ with the register.

    Exit code 0 when the chain holds and they agree, 20 when not.
    """
    problems = list(ctx.obj.verify())
    for path in runs:
        opened, _ = run_common.opened(path)
        missing = sum(not ctx.obj.holds(r.receipt) for r in opened.state.released)
        if missing:
            problems.append(
                tr(
                    "run {run}: {missing} of its releases are not in this register.",
                    run=opened.state.run.tag,
                    missing=missing,
                )
            )
        problems += [
            tr("run {run}: {line}", run=opened.state.run.tag, line=said(line))
            for line in releasing.share_of(opened, ctx.obj)[1]
        ]
    for problem in problems:
        common.say(problem)
    if not problems:
        click.echo(tr("{n} entries; the chain holds.", n=len(ctx.obj.entries())))
    ctx.exit(20 if problems else 0)


@register.command()
@click.option("--days", type=click.IntRange(0, 3650), default=30, show_default=True, help="Look so far ahead.")
@click.option(
    "--review-after", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days after a release."
)
@click.pass_context
def due(ctx: click.Context, days: int, review_after: int) -> None:
    """What waits: consents that end, releases to be looked at again, withdrawals of which not everybody was told.

    Exit code 0 when nothing waits, 11 when something does.
    """
    waits = worklist.due(ctx.obj.entries(), datetime.now(UTC).date(), ahead=days, review_after=review_after)
    for row in waits:
        common.say(f"{row.run} {row.group}: {row.words}. " + tr("(register entry {number})", number=row.seq))
    if not waits:
        click.echo(tr("Nothing waits."))
    ctx.exit(11 if waits else 0)


@register.command()
@click.option("--run", default="", metavar="TAG", help="Only this run.")
@click.option("--group", default="", metavar="PATIENT", help="Only this group.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), help="Only entries older than this day.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask once more.")
@click.pass_context
def purge(ctx: click.Context, run: str, group: str, before: datetime | None, yes: bool) -> None:
    """Take out what was typed, the captions, and the hashes by which released copies are found again.

    The entries stay, and the chain with them: that something was shared, when, and which copies. Afterwards 'withdraw'
    cannot say to whom, and 'find' cannot find those copies.
    """
    day = before.date().isoformat() if before else ""

    def chosen(entry: Entry) -> bool:
        of = entry.sharing
        return run in ("", of.run) and group in ("", of.group) and (not day or entry.at < day)

    count = sum(chosen(e) and not e.purged and e.event != "purged" for e in ctx.obj.entries())
    if count and not yes:
        click.confirm(tr("Take it out of {entries}? This cannot be undone", entries=_entries(count)), abort=True)
    old = ctx.obj.purge(chosen, now()) if count else []
    click.echo(tr("Taken out of {entries}. The chain of entries stays as it is.", entries=_entries(count - len(old))))
    if old:
        click.echo(tr("Written by version 0.1, and kept as they are: entries {old}.", old=", ".join(map(str, old))))


@register.command()
@click.option("-o", "--out", type=run_common.FILE, metavar="FILE", help="Write here, readable by you alone.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option("--with-recipients", is_flag=True, help="Include what was typed, captions and hashes.")
@click.pass_context
def export(ctx: click.Context, out: Path | None, form: str, with_recipients: bool) -> None:
    """All entries as JSON or CSV. What people typed is left out unless it is asked for."""
    entries = ctx.obj.entries()
    if form == "json":
        data = to_json({"schema": "medimg.register/1", "entries": [_plain(e, with_recipients) for e in entries]})
    else:
        data = _csv(entries, with_recipients)
    if out is None:
        click.echo(printable_json(data.decode()) if form == "json" else data.decode(), nl=False)
    else:
        run_common.write_new(out, data)


def _entries(count: int) -> str:
    return many("{n} entry", "{n} entries", count)


def _plain(entry: Entry, typed: bool) -> dict[str, object]:
    hidden = () if typed else PRIVATE
    sharing = {k: getattr(entry.sharing, k) for k in entry.sharing.__struct_fields__ if k not in hidden}
    return {"seq": entry.seq, "at": entry.at, "event": entry.event, **sharing, "digest": entry.digest}


def _csv(entries: list[Entry], typed: bool) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    names = ["seq", "at", "event", "run", "group", "copy", "sha256", "audience", "countries", "basis", "checklist"]
    rows.writerow([*names, *(["recipients", "role", "note", "caption"] if typed else [])])
    for e in entries:
        s = e.sharing
        for copy, digest in s.copies.items() or [("", "")]:
            more = [cell(x) for x in (s.recipients, s.role, s.note, s.caption)] if typed else []
            rows.writerow(
                [
                    *(e.seq, e.at, e.event, s.run, s.group, copy, digest),
                    *(s.audience, " ".join(s.countries), s.basis, s.checklist, *more),
                ]
            )
    return text.getvalue().encode()
