"""``medimg dicom-wrap``: released copies as DICOM photographs for an archive."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

import click

from medimg import strict
from medimg.cli import common
from medimg.dicom import Patient, Statement, statement, wrap
from medimg.errors import OutputError, UsageError
from medimg.policy import Policy
from medimg.run.folder import RECORD_FOLDER, SHARE_FOLDER
from medimg.run.opened import open_run
from medimg.system import files
from medimg.words import many, tr

FILE = click.Path(path_type=Path)


@click.command("dicom-wrap")
@click.argument("copies", nargs=-1, required=True, type=FILE, metavar="COPY...")
@click.option("-o", "--out", required=True, metavar="FILE", help="The DICOM file, or an existing folder.")
@click.option(
    "--patient",
    "patient_file",
    type=FILE,
    metavar="FILE",
    help="TOML or JSON with any of name, id, birth_date, sex, accession, study, series. - reads stdin.",
)
def dicom_wrap(copies: tuple[Path, ...], out: str, patient_file: Path | None) -> None:
    """Make DICOM photographs (VL Photographic Image) of copies, for an archive.

    A baseline JPEG is put in bit for bit. Several copies become one series. Every field about the patient is empty
    unless --patient gives it. What was checked is stated only for a copy that lies in share/ of its run.
    """
    policy = Policy.load()
    patient = _patient(patient_file)
    key = secrets.token_bytes(32)
    targets = _targets(copies, out)
    unknown = 0
    made: list[tuple[Path, bytes]] = []
    for number, (copy, target) in enumerate(zip(copies, targets, strict=True), 1):
        data = files.read_original(copy, policy.limits.bytes)
        statement = _statement(copy, data, key)
        unknown += statement is None
        said = statement or Statement(key=key)
        made.append((target, wrap(data, patient=patient, statement=said, number=number, policy=policy)))
    for target, data in made:
        files.write_private(target, data, new=True)
    click.echo(many("{n} DICOM file written.", "{n} DICOM files written.", len(made)))
    if unknown:
        click.echo(
            tr(
                "{unknown} of {n} did not come from share/ of a run: these files do not say that text and "
                "faces were checked.",
                unknown=unknown,
                n=len(made),
            )
        )
    if patient != Patient():
        click.echo(tr("These files name the patient. They are for the archive alone."))


def _targets(copies: tuple[Path, ...], named: str) -> list[Path]:
    """Where each file goes; nothing is replaced.

    Raises:
        UsageError: No folder is there for several copies, or where the name ends as a folder's.
        OutputError: Something is already there, or the folder is missing.
    """
    out = Path(named)
    into = out.is_dir()
    if (len(copies) > 1 or named.endswith(("/", os.sep))) and not into:
        raise UsageError(
            "several copies, and a name that ends in a slash, need a folder that is there.",
            todo="Make the folder first.",
        )
    targets = [out / f"{copy.stem}.dcm" if into else out for copy in copies]
    if len(set(targets)) != len(targets) or any(os.path.lexists(t) for t in targets):
        raise OutputError("there is already a file of that name.", todo="Choose another place.")
    if not all(t.parent.is_dir() for t in targets):
        raise OutputError("the output folder is not there.", todo="Make it first.")
    return targets


def _statement(path: Path, data: bytes, key: bytes) -> Statement | None:
    """What was checked in a copy that was released and is still the one that passed; None for any other."""
    folder = path.absolute().parent
    if folder.name != SHARE_FOLDER or not (folder.parent / RECORD_FOLDER).is_dir():
        return None
    run = open_run(folder.parent)
    digest = hashlib.sha256(data).hexdigest()
    for group in run.groups():
        for report in run.of(group):
            if report.copy is None or report.plan is None or report.copy.sha256 != digest:
                continue
            if report.copy.name in run.state.released_names(group):
                return statement(report.plan, report.scope, key)
    return None


def _patient(path: Path | None) -> Patient:
    """The patient's fields from a file or standard input, never from the command line, which others may read.

    Raises:
        UsageError: The file is not of that form. It is not quoted.
    """
    if path is None:
        return Patient()
    try:
        data = common.given(path)
    except OSError as error:
        raise UsageError("the file about the patient could not be read.") from error
    try:
        if data.lstrip().startswith(b"{"):
            return strict.from_json(data, Patient)
        return strict.from_toml(data, Patient)
    except ValueError as error:  # its text may quote a value
        raise UsageError(
            "the file about the patient must hold texts named name, id, birth_date, sex, accession, study or series."
        ) from error
