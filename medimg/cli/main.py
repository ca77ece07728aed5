"""The command ``medimg``. A command's module is imported when it is used, so ``medimg --help`` needs click alone."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import NoReturn

import click

import medimg
from medimg import faults
from medimg.cli import _language
from medimg.errors import Unreadable
from medimg.plain import printable
from medimg.system import children
from medimg.words import mark, tr

COMMANDS: dict[str, tuple[str, str]] = {
    "share": (
        "medimg.cli.share:share",
        mark("From photos to released copies in one go: clean, look, answer, release. Run it again to go on."),
    ),
    "review": (
        "medimg.cli.decide:review",
        mark(
            "List the photos of a run: where each copy lies, what was found, and the command that decides what is open."
        ),
    ),
    "cover": (
        "medimg.cli.decide:cover",
        mark("Cover an area of one photo of a run: a box that you give, or something that was found."),
    ),
    "show": (
        "medimg.cli.decide:show",
        mark("Show an area of one photo of a run that was covered or asked about, and say why."),
    ),
    "crop": (
        "medimg.cli.decide:crop",
        mark("Keep only a part of one photo of a run. What lies outside needs no cover."),
    ),
    "clean": ("medimg.cli.clean:clean", mark("Make covered copies of photos, checked again, and the consent report.")),
    "watch": ("medimg.cli.watch:watch", mark("Clean what arrives in a folder as soon as it is complete.")),
    "status": (
        "medimg.cli.status:status",
        mark("Say which patients of a run are answered, which questions wait, and what was released."),
    ),
    "desktop": (
        "medimg.cli.desktop:desktop",
        mark("Open the window: drop photos, look at what was found, correct it, answer the questions, release."),
    ),
    "apply": (
        "medimg.cli.apply:apply",
        mark("Make again the copies whose plan was changed in decisions.json, and check them again."),
    ),
    "answer": (
        "medimg.cli.answer:answer",
        mark(
            "Answer a run in a few acts, one screen each, up to the release. Every act is kept at once; stop at"
            " any time."
        ),
    ),
    "cards": (
        "medimg.cli.cards:cards",
        mark("List the cards of your workplace, channels and consent forms, or delete them."),
    ),
    "release": ("medimg.cli.release:release", mark("Move the copies of answered patients from unreviewed/ to share/.")),
    "upload": (
        "medimg.cli.upload:upload",
        mark("Put the released copies of a run into a storage, and nothing else of it."),
    ),
    "reopen": (
        "medimg.cli.reopen:reopen",
        mark(
            "Move copies back from share/ to unreviewed/, and open the questions about pictures and recognition again."
        ),
    ),
    "consent-page": (
        "medimg.cli.consent_page:consent_page",
        mark("Make a page for the patient: the covered pictures, for whom, what cannot be taken back, lines to sign."),
    ),
    "withdraw": (
        "medimg.cli.withdraw:withdraw",
        mark("Note that a patient withdrew: take the copies out of share/, say to whom they went, print the letter."),
    ),
    "incident": (
        "medimg.cli.incident:incident",
        mark(
            "Say what to do when a picture reached the wrong person, with the country's time limits and your contacts."
        ),
    ),
    "find": (
        "medimg.cli.find:find",
        mark(
            "Look for released copies in a folder, also for those that were made smaller, saved again, turned"
            " or mirrored."
        ),
    ),
    "register": (
        "medimg.cli.register:register",
        mark("Show and check the record of what was shared. It stays on this computer, readable by you alone."),
    ),
    "fhir": (
        "medimg.cli.fhir:fhir",
        mark("Write a released patient's copies as a FHIR bundle, for a hospital's record, or send it there."),
    ),
    "dicom-wrap": (
        "medimg.cli.dicom_wrap:dicom_wrap",
        mark("Make DICOM photographs (VL Photographic Image) of copies, for an archive."),
    ),
    "purge": (
        "medimg.cli.purge:purge",
        mark(
            "Remove old run folders: copies, sheets, answers. Originals are never touched; the register keeps"
            " its entries."
        ),
    ),
    "inspect": ("medimg.cli.inspect:inspect", mark("Say what would be found in photos; write nothing.")),
    "verify": (
        "medimg.cli.verify:verify",
        mark("Judge any picture: exit code 0 only when every check ran and found nothing."),
    ),
    "cluster": (
        "medimg.cli.cluster:cluster",
        mark("Run a batch on several computers: certificates, a scheduler, workers."),
    ),
    "explain": ("medimg.cli.explain:explain", mark("Say in plain words what the policy does.")),
    "serve": (
        "medimg.cli.serve:serve",
        mark("Serve copies over HTTP to programs on this computer, or elsewhere behind TLS."),
    ),
    "dicom-node": (
        "medimg.cli.dicom_node:dicom_node",
        mark("Take DICOM photographs by C-STORE, and keep or send on their covered copies."),
    ),
    "selftest": (
        "medimg.cli.selftest:selftest",
        mark("Draw photos with planted marks, clean them, and say which marks are gone."),
    ),
    "doctor": ("medimg.cli.doctor:doctor", mark("Say what is installed, what is missing, and how to install it.")),
}
"""Command -> where it is, and what its help begins with."""


GROUPS: dict[str, tuple[str, ...]] = {
    mark("From photos to released copies"): (
        "share",
        "clean",
        "review",
        "cover",
        "show",
        "crop",
        "apply",
        "desktop",
    ),
    mark("Questions, release, and after it"): (
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
    mark("Looking without writing"): ("inspect", "verify", "explain"),
    mark("For hospitals and programs"): ("watch", "serve", "dicom-node", "cluster", "fhir", "dicom-wrap"),
    mark("This installation"): ("doctor", "selftest"),
}
"""Heading of the help -> the commands below it."""


_AWAY = frozenset(
    {errno.EACCES, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EIO, errno.ENOSPC, errno.ENOTCONN, errno.EPERM}
    | {errno.EROFS, errno.ESTALE, errno.ETIMEDOUT}
)
"""What a disk or share fails with that is away, full or closed; any command may be the first to notice."""


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
        return _language.translated(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Their first lines by what they are for, without importing them."""
        for heading, names in GROUPS.items():
            with formatter.section(tr(heading)):
                formatter.write_dl([(name, tr(COMMANDS[name][1])) for name in names])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--language",
    metavar="CODE",
    is_eager=True,
    expose_value=False,
    callback=_language.given,
    help="The language of what you read: en or es. Before the command.",
)
@click.version_option(medimg.__version__, prog_name="medimg", message="%(prog)s %(version)s")
def cli() -> None:
    """Make a clinical photo safer to share.

    Nothing leaves this computer unless you send it, and no original is changed. You look at every copy before it
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
        code = _say(tr("stopped; nothing half-written is left.") + " [M-STOP]", 130)
    except BrokenPipeError:
        code = 1
    except Exception as error:  # a traceback may quote names; its type and place do not
        if os.environ.get("MEDIMG_DEBUG"):
            raise
        code = _unforeseen(error)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.exit(code if isinstance(code, int) else 0)


def _run() -> object:
    """Run it; wrong use and medimg's own errors are said, and become exit codes."""
    from medimg.cli import _wrong
    from medimg.cli import defaults as own

    typed: list[str] = []
    try:
        _language.choose(None, cli)
        defaults = own.read(COMMANDS)
        _language.choose(defaults.pop("language"), cli)
        return cli.main(prog_name="medimg", standalone_mode=False, obj=typed, default_map=defaults)
    except click.exceptions.NoArgsIsHelpError as error:  # a command alone: its help is what is missing
        click.echo(error.message, err=True)
        return 2
    except click.UsageError as error:
        return _say(_wrong.use(error, cli), 2)
    except click.ClickException:
        return _say(tr("this cannot be done with what was given.") + " [M-USE]", 2)
    except medimg.MedimgError as error:
        return _say(_wrong.told(error, typed), error.exit_code)


def _unforeseen(error: Exception) -> int:
    kind = faults.kind(error)
    if isinstance(error, OSError) and error.errno in _AWAY:
        said = tr("a file or folder could not be read or written ({kind}).", kind=kind)
        todo = tr("Check that its disk or share is there and that you may open it, then give the command again.")
        return _say(f"{said} {todo} [{Unreadable.code}]", Unreadable.exit_code)
    return _say(tr("a fault in medimg itself ({kind}). Nothing was marked as done.", kind=kind) + " [M-000]", 1)


def _say(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo("\n".join(map(printable, f"medimg: {text}".split("\n"))), err=True)
    return code


if __name__ == "__main__":
    main()
