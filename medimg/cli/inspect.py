"""``medimg inspect``: what would be found; nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from medimg.cli import common
from medimg.engine import worker
from medimg.engine.worker import Inspected
from medimg.errors import MedimgError, UsageError
from medimg.plain import printable
from medimg.types import Plan, to_json
from medimg.words import Table, mark, tr

WARNING = mark("This shows what was read in the photos, and their names, on this screen. Do you want to see it?")


@click.command()
@click.argument("photos", nargs=-1, required=True, type=common.PHOTOS)
@common.policy_options
@common.small_faces_option
@common.known_option
@common.workers_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array; kinds, counts and places, no values.")
@click.option("--show-values", is_flag=True, help="Show what was read, on this terminal only, after a warning.")
def inspect(
    photos: tuple[Path, ...],
    policy_file: Path | None,
    metadata_only: bool,
    small_faces: bool,
    known_file: Path | None,
    workers: int | None,
    as_json: bool,
    show_values: bool,
) -> int:
    """Say what would be found in photos; write nothing.

    PHOTOS are files and folders. They are numbered in the order they are named. Kinds and counts are shown, never what
    was read, unless --show-values asks for it.
    """
    if show_values:
        if as_json or not (sys.stdout.isatty() and sys.stdin.isatty()):
            raise UsageError("--show-values works on a terminal only, so that nothing is kept by accident.")
        click.confirm(tr(WARNING), abort=True)
    policy = common.read_policy(policy_file, metadata_only, small_faces)
    known = common.read_known(known_file)
    found = common.jobs(photos)
    readable = {job.safe_id: printable(path.decode("utf-8", "backslashreplace")) for job, path in found}
    codes = set()
    seen: list[Inspected] = []
    with common.pool(policy, known, len(found), workers) as pool:
        pool.warm()
        work = ([job, show_values] for job, _ in found)
        for (job, _), result in pool.each(worker.look, work, seconds=policy.limits.seconds):
            one = Inspected(safe_id=job.safe_id, error=result) if isinstance(result, MedimgError) else result
            codes.add(one.error.exit_code if one.error else 0)
            seen.append(one)
            if not as_json:
                _say(one, readable[one.safe_id] if show_values else "")
    if as_json:
        seen.sort(key=lambda s: int(s.safe_id.split()[-1]))
        click.echo(to_json([_plain(s) for s in seen]), nl=False)
    elif metadata_only:
        click.echo(tr("Only metadata was looked at: text, codes and faces were not looked for."))
    return next((c for c in (20, 21) if c in codes), 0)


def _plain(seen: Inspected) -> dict[str, Any]:
    error = seen.error
    return {
        "photo": seen.safe_id,
        "format": seen.format,
        "plan": seen.plan,
        "error": {"code": error.code, "what": error.what, "todo": error.todo} if error else None,
    }


def _say(seen: Inspected, name: str) -> None:
    head = f"{seen.safe_id} ({name})" if name else seen.safe_id
    if seen.error is not None:
        error = seen.error.about("")
        click.echo(f"{head}: {error}")
        return
    assert seen.plan is not None  # noqa: S101 - an inspection has a plan or an error
    click.echo(f"{head}: {_kinds(seen.plan) or tr('the check found nothing')}")
    for action in seen.plan.actions:
        value = seen.values.get(action.finding.id)
        if value is not None:
            click.echo(f"    {action.finding.kind} {action.finding.category}: {printable(value)}")


def _kinds(plan: Plan) -> str:
    """``metadata: location 1, device 2; text: name 1 (cover)``."""
    kinds: dict[str, dict[str, int]] = {}
    for action in plan.actions:
        counts = kinds.setdefault(action.finding.kind, {})
        words = action.finding.category + ("" if action.do in ("drop", "cover") else f" ({_DO[action.do]})")
        counts[words] = counts.get(words, 0) + action.finding.count
    return "; ".join(
        f"{kind}: " + ", ".join(f"{category} {count}" for category, count in sorted(counts.items()))
        for kind, counts in kinds.items()
    )


_DO = Table({"keep": "stays", "ask": "to be looked at", "hold": "holds the photo"})
