"""The command ``medimg``. A command's module is imported when it is used, so ``medimg --help`` needs click alone."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import NoReturn

import click

import medimg
from medimg import faults
from medimg.system import children

COMMANDS: dict[str, tuple[str, str]] = {
    "share": (
        "medimg.cli.share:share",
        "From photos to released copies in one go: clean, look, answer, release. Run it again to go on.",
    ),
    "review": (
        "medimg.cli.decide:review",
        "List the photos of a run: where each copy lies, what was found, and the command that decides what is open.",
    ),
    "cover": (
        "medimg.cli.decide:cover",
        "Cover an area of one photo of a run: a box that you give, or something that was found.",
    ),
    "show": (
        "medimg.cli.decide:show",
        "Show an area of one photo of a run that was covered or asked about, and say why.",
    ),
    "crop": ("medimg.cli.decide:crop", "Keep only a part of one photo of a run. What lies outside needs no cover."),
    "clean": ("medimg.cli.clean:clean", "Make covered copies of photos, checked again, and the consent report."),
    "watch": ("medimg.cli.watch:watch", "Clean what arrives in a folder as soon as it is whole."),
    "status": (
        "medimg.cli.status:status",
        "Say which patients of a run are answered, which questions wait, and what was released.",
    ),
    "desktop": (
        "medimg.cli.desktop:desktop",
        "Open the window: drop photos, look at what was found, correct it, answer the questions, release.",
    ),
    "apply": (
        "medimg.cli.apply:apply",
        "Make the copies again whose plan was changed in decisions.json, and check them again.",
    ),
    "answer": (
        "medimg.cli.answer:answer",
        "Answer a run in a few acts, one screen each, up to the release. Every act is kept at once; stop at any time.",
    ),
    "cards": (
        "medimg.cli.cards:cards",
        "List the cards of your workplace, channels and consent forms, or delete them.",
    ),
    "release": ("medimg.cli.release:release", "Move the copies of answered patients from unreviewed/ to share/."),
    "upload": ("medimg.cli.upload:upload", "Put the released copies of a run into a storage, and nothing else of it."),
    "reopen": (
        "medimg.cli.reopen:reopen",
        "Move copies back from share/ to unreviewed/, and open the questions about pictures and recognition again.",
    ),
    "consent-page": (
        "medimg.cli.consent_page:consent_page",
        "Make a page for the patient: the covered pictures, for whom, what cannot be taken back, lines to sign.",
    ),
    "withdraw": (
        "medimg.cli.withdraw:withdraw",
        "Note that a patient withdrew: take the copies out of share/, say to whom they went, print the letter.",
    ),
    "incident": (
        "medimg.cli.incident:incident",
        "Say what to do when a picture reached the wrong person, with the country's clock and your contacts.",
    ),
    "find": (
        "medimg.cli.find:find",
        "Look for released copies in a folder, also for those that were made smaller, saved again, turned or mirrored.",
    ),
    "register": (
        "medimg.cli.register:register",
        "Show and check the record of what was shared. It stays on this computer, readable by you alone.",
    ),
    "fhir": (
        "medimg.cli.fhir:fhir",
        "Write a released patient's copies as a FHIR bundle, for a hospital's record, or send it there.",
    ),
    "dicom-wrap": (
        "medimg.cli.dicom_wrap:dicom_wrap",
        "Make DICOM photographs (VL Photographic Image) of copies, for an archive.",
    ),
    "purge": (
        "medimg.cli.purge:purge",
        "Remove old run folders: copies, sheets, answers. Originals are never touched; the register keeps its entries.",
    ),
    "inspect": ("medimg.cli.inspect:inspect", "Say what would be found in photos; write nothing."),
    "verify": (
        "medimg.cli.verify:verify",
        "Judge any picture: exit code 0 only when every check ran and found nothing.",
    ),
    "cluster": ("medimg.cli.cluster:cluster", "Run a batch on several computers: certificates, a scheduler, workers."),
    "explain": ("medimg.cli.explain:explain", "Say in plain words what the policy does."),
    "serve": (
        "medimg.cli.serve:serve",
        "Serve copies over HTTP to programs on this computer, or elsewhere behind TLS.",
    ),
    "dicom-node": (
        "medimg.cli.dicom_node:dicom_node",
        "Take DICOM photographs by C-STORE, and keep or send on their covered copies.",
    ),
    "selftest": (
        "medimg.cli.selftest:selftest",
        "Draw photos with planted marks, clean them, and say which marks are gone.",
    ),
    "doctor": ("medimg.cli.doctor:doctor", "Say what is installed, what is missing, and how to install it."),
}
"""Command -> where it is, and what its help begins with."""


GROUPS: dict[str, tuple[str, ...]] = {
    "From photos to copies that may go": ("share", "clean", "review", "cover", "show", "crop", "apply", "desktop"),
    "Questions, release, and after it": (
        "answer",
        "cards",
        "release",
        "upload",
        "status",
        "consent-page",
        "reopen",
        "withdraw",
        "incident",
        "find",
        "register",
        "purge",
    ),
    "Looking without writing": ("inspect", "verify", "explain"),
    "For hospitals and programs": ("watch", "serve", "dicom-node", "cluster", "fhir", "dicom-wrap"),
    "This installation": ("doctor", "selftest"),
}
"""Heading of the help -> the commands below it."""


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of use."""
        return [name for names in GROUPS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Their first lines by what they are for, without importing them."""
        for heading, names in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(medimg.__version__, prog_name="medimg", message="%(prog)s %(version)s")
def cli() -> None:
    """Make a clinical photo safer to share.

    Nothing leaves this computer but what you have sent, and no original is changed. You look at every copy before it
    goes.
    """


def main() -> NoReturn:
    """Run the command line.

    No message quotes a file name or anything else that was given, except on a terminal, to the person who typed it.
    """
    children.settle()
    try:
        code = _run()
    except click.exceptions.Exit as error:
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _say("stopped; nothing half-written is left. [M-STOP]", 130)
    except BrokenPipeError:
        code = 1
    except Exception as error:  # a traceback may quote names; its type and place do not
        if os.environ.get("MEDIMG_DEBUG"):
            raise
        code = _say(f"a fault in medimg itself ({faults.kind(error)}). Nothing was marked as done. [M-000]", 1)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.exit(code if isinstance(code, int) else 0)


def _run() -> object:
    """Run it; wrong use and medimg's own errors are said, and become exit codes."""
    from medimg.cli import _defaults, _wrong

    typed: list[str] = []
    try:
        return cli.main(prog_name="medimg", standalone_mode=False, obj=typed, default_map=_defaults.read(COMMANDS))
    except click.UsageError as error:
        return _say(_wrong.use(error, cli), 2)
    except click.ClickException:
        return _say("this cannot be done with what was given. [M-USE]", 2)
    except medimg.MedimgError as error:
        return _say(_wrong.told(error, typed), error.exit_code)


def _say(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"medimg: {text}", err=True)
    return code


if __name__ == "__main__":
    main()
