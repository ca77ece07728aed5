"""``medimg watch``: clean what arrives in a folder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from medimg.cli import common
from medimg.consent.site import SiteProfile
from medimg.engine.batch import Hooks, Outcome, scrub_folder
from medimg.engine.watch import Watch, alone
from medimg.errors import Interrupted, MedimgError, UsageError
from medimg.run.request import RunRequest
from medimg.run.scan import Root
from medimg.system import stops
from medimg.words import many, tr

_PAUSE = 60.0  # seconds after the output could not be written


@click.command()
@click.argument("inbox", type=common.FILE, metavar="INBOX")
@click.option("-o", "--out", required=True, type=common.FILE, metavar="OUT", help="Where the run folders are made.")
@common.sharing_options
@common.policy_options
@common.known_option
@click.option("--keep-key", is_flag=True, help="Keep the list of original names in the private part.")
@click.option(
    "--group-by",
    type=click.Choice(["folder", "file"]),
    default="folder",
    show_default=True,
    help="What is one patient in a round of arrivals.",
)
@common.workers_option
@click.option(
    "--rest",
    type=common.Finite(0.1, 86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="A file is complete when its size and time have not changed for this long and nobody has it open for writing.",
)
@click.option(
    "--every",
    type=common.Finite(0.1, 86_400),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)
@click.option(
    "--move-originals",
    "originals",
    type=common.FILE,
    metavar="DIR",
    help="Move originals there whose copy passed every check. Without it the inbox is never touched.",
)
@click.option("--json-lines", is_flag=True, help="Print events for programs, one JSON object a line.")
def watch(
    inbox: Path,
    out: Path,
    audience: str,
    where: tuple[str, ...],
    policy_file: Path | None,
    metadata_only: bool,
    known_file: Path | None,
    keep_key: bool,
    group_by: str,
    workers: int | None,
    rest: float,
    every: float,
    originals: Path | None,
    json_lines: bool,
) -> int:
    """Clean what arrives in a folder as soon as it is complete.

    Every round of arrivals gets a run folder under OUT, where the copies wait in unreviewed/ for a person's look. A
    file that cannot be cleaned stops nothing. SIGTERM and Ctrl-C leave nothing half-written; the next start goes on.
    """
    stop = threading.Event()
    policy, known = common.read_policy(policy_file, metadata_only), common.read_known(known_file)

    def clean(roots: Sequence[Root], resume: bool) -> Outcome:
        request = RunRequest(
            photos=roots,
            out=out,
            policy=policy,
            audience=audience,
            where=common.countries(where),
            known=known,
            keep_key=keep_key,
            group_by=group_by,
            workers=workers,
            resume=resume,
            site=SiteProfile.installed(),
        )
        return scrub_folder(request, hooks=Hooks(stop=stop.is_set))

    tell = _events if json_lines else _words
    watching = Watch(inbox, out, clean, rest=rest, originals=originals)
    with stops.heeded(lambda *_: stop.set()), alone(out):
        tell("watching", {})
        while not stop.is_set():
            pause = every
            try:
                outcome = watching.round()
                if outcome is not None:
                    tell("run", _summary(outcome))
                    if watching.unmoved:
                        tell("trouble", {"code": "M-OUT", "words": _unmoved(watching.unmoved)})
                    pause = _PAUSE if "output" in outcome.conditions else 0.0
            except Interrupted:
                break
            except UsageError:
                raise
            except MedimgError as error:
                tell("trouble", {"code": error.code, "words": str(error)})
                pause = _PAUSE
            except Exception as error:  # noqa: BLE001 - what arrives later is still cleaned; only its type is said
                words = tr("a fault in medimg itself ({name}). It is tried again.", name=type(error).__name__)
                tell("trouble", {"code": "M-000", "words": words})
                pause = _PAUSE
            stop.wait(pause)
    tell("stopped", {})
    return 0


def _unmoved(count: int) -> str:
    return many(
        "{n} original could not be moved and is still in INBOX.",
        "{n} originals could not be moved and are still in INBOX.",
        count,
    )


def _summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "folder": common.told(outcome.folder),
        "photos": outcome.photos,
        "unchanged": sum(outcome.unchanged.values()),
        "conditions": list(outcome.conditions),
    }


def _words(event: str, more: dict[str, Any]) -> None:
    match event:
        case "watching":
            text = tr("Watching. Stop with Ctrl-C.")
        case "run" if more["photos"]:
            said = {"unreviewed": tr("waiting for your look"), "held": tr("held"), "refused": tr("not cleaned")}
            counts = ", ".join(f"{n} {said.get(s, tr('not written'))}" for s, n in more["photos"].items())
            text = f"{counts}: {more['folder']}"
        case "run":
            text = tr("{unchanged} unchanged: {folder}", unchanged=more["unchanged"], folder=more["folder"])
        case "trouble":
            text = more["words"]
        case _:
            text = tr("Stopped. Nothing half-written is left; the next start goes on.")
    common.say(f"{datetime.now().astimezone():%H:%M:%S}  {text}")


def _events(event: str, more: dict[str, Any]) -> None:
    common.say_json({"event": event, **more})
