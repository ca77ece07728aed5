"""``medimg verify``: the judge of a written copy, for any picture."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common
from medimg.engine import worker
from medimg.engine.worker import Judged
from medimg.errors import MedimgError
from medimg.types import to_json
from medimg.vocabulary import CheckName, CheckState
from medimg.words import mark, tr

_WORDS = {
    "passed": mark("the check found nothing"),
    "not-run": mark("did not run"),
    "not-asked": mark("was not asked for"),
}


@click.command()
@click.argument("files", nargs=-1, required=True, type=common.PHOTOS)
@common.policy_options
@common.known_option
@common.workers_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def verify(
    files: tuple[Path, ...],
    policy_file: Path | None,
    metadata_only: bool,
    known_file: Path | None,
    workers: int | None,
    as_json: bool,
) -> int:
    """Judge any picture: exit code 0 only when every check ran and found nothing.

    What no check looks for in a format (bytes inside the coded data of HEIC, for one) is named, and
    counts neither way. 20: a check found something or did not run. 21: a file is not a picture, is damaged, or is of a
    kind not handled. Whatever the checks found or did not find, a person has to look.
    """
    policy = common.read_policy(policy_file, metadata_only)
    known = common.read_known(known_file)
    found = common.jobs(files)
    codes = set()
    judged: list[Judged] = []
    with common.pool(policy, known, len(found), workers) as pool:
        pool.warm()
        work = ([job] for job, _ in found)
        for (job,), result in pool.each(worker.verify, work, seconds=policy.limits.seconds):
            one = Judged(safe_id=job.safe_id, error=result) if isinstance(result, MedimgError) else result
            codes.add(_code(one))
            judged.append(one)
            if not as_json:
                _say(one)
    if as_json:
        judged.sort(key=lambda j: int(j.safe_id.split()[-1]))
        click.echo(
            to_json(
                [
                    {
                        "photo": j.safe_id,
                        "exit_code": _code(j),
                        "checks": j.checks,
                        "error": {"code": j.error.code, "what": j.error.what} if j.error else None,
                    }
                    for j in judged
                ]
            ),
            nl=False,
        )
    return next((c for c in (20, 21) if c in codes), 0)


def _code(judged: Judged) -> int:
    if judged.error is not None:
        return judged.error.exit_code
    # What no check looks for in this format is named, and cannot be asked for.
    ran = [c for c in judged.checks if (c.name, c.state) != (CheckName.CODED_DATA, CheckState.NOT_ASKED)]
    return 0 if ran and all(c.state == CheckState.PASSED for c in ran) else 20


def _say(judged: Judged) -> None:
    if judged.error is not None:
        click.echo(f"{judged.safe_id}: {judged.error.about('')}")
        return
    click.echo(f"{judged.safe_id}:")
    for check in judged.checks:
        words = (
            tr("the check found {found}", found=check.found)
            if check.state == CheckState.FAILED
            else tr(_WORDS[check.state])
        )
        engine = f" [{check.engine}]" if check.engine else ""
        # What the check says of covers; why one did not run is among its details too, and stands in the JSON.
        detail = f"; {check.detail}" if check.state == CheckState.PASSED and check.detail else ""
        click.echo(f"  {check.name}: {words}{detail}{engine}")
