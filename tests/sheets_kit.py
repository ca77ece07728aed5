"""A small run folder for the tests of questions and sheets: real JPEG copies, real reports."""

from __future__ import annotations

import hashlib
import io
import os
from functools import cache
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.report import RunSummary, letters, write_sheets
from medimg.report.letters import fonts
from medimg.system import host
from medimg.types import (
    Action,
    Box,
    Check,
    CopySummary,
    Finding,
    Plan,
    Region,
    Report,
    Secret,
    to_json,
)

MARKER = "ZZMARKERQUENTIN"
WIDTH, HEIGHT = 640, 480
FULL = ("structure", "metadata", "pixels", "text", "codes", "faces")


def fonts_in(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Letters are looked for in the fonts of these folders, and in no others."""
    monkeypatch.setattr(host, "font_folders", lambda: tuple(map(str, folders)))
    for place, name in ((fonts, "_fonts"), (fonts, "with_letters"), (letters, "pieces")):  # what is kept of others
        monkeypatch.setattr(place, name, cache(getattr(place, name).__wrapped__))


def none_true() -> dict[str, str]:
    """Every condition said to be false."""
    return {c: "no" for c in ChecklistDefinition.load().conditions if c != "anonymised_basis"}


def picture(colour: tuple[int, int, int], orientation: int = 1) -> bytes:
    """A skin-coloured JPEG with a ruler and two covers."""
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    draw = ImageDraw.Draw(image)
    draw.ellipse((250, 180, 400, 290), fill=(150, 50, 45))
    for x in range(60, 580, 20):
        draw.line((x, 430, x, 445 if x % 100 else 460), fill=(20, 20, 20), width=2)
    draw.rectangle((40, 40, 240, 90), fill=(0, 0, 0))
    draw.rectangle((460, 60, 600, 200), fill=(0, 0, 0))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(out, "JPEG", quality=90, exif=exif if orientation != 1 else b"")
    return out.getvalue()


def region(x0: int, y0: int, x1: int, y1: int) -> Region:
    """A rectangle as a region."""
    return Region(Box(x0, y0, x1, y1).polygon)


def findings() -> tuple[Action, ...]:
    """One of everything, each with a marker as its secret."""
    secret = Secret(MARKER)
    found = [
        (Finding(kind="metadata", category="location", detector="jpeg", where="APP1/Exif/GPS", secret=secret), "drop"),
        (Finding(kind="metadata", category="device", detector="jpeg", where="APP1/Exif/0th", count=4), "drop"),
        (Finding(kind="hidden-image", category="thumbnail", detector="jpeg", where="APP1/Exif/1st"), "drop"),
        (Finding(kind="filename", category="name", detector="filename", secret=secret), "drop"),
        (
            Finding(
                kind="text",
                category="record-number",
                detector="text 1",
                score=0.97,
                secret=secret,
                region=region(45, 45, 235, 85),
            ),
            "cover",
        ),
        (
            Finding(
                kind="text",
                category="ruler",
                detector="text 1",
                score=0.9,
                secret=secret,
                region=region(60, 425, 580, 470),
            ),
            "keep",
        ),
        (
            Finding(kind="face", category="face", detector="faces 1", score=0.88, region=region(465, 65, 595, 195)),
            "cover",
        ),
    ]
    return tuple(
        Action(finding=msgspec.structs.replace(f, id=f"f{n}"), do=do, why="identifying" if do == "cover" else "rule")
        for n, (f, do) in enumerate(found, 1)
    )


def report(
    safe_id: str, data: bytes | None, *, scope: str = "full", actions: tuple[Action, ...] | None = None
) -> Report:
    """A report of a photo with a copy, or of one that was held."""
    plan = Plan(width=WIDTH, height=HEIGHT, actions=findings() if actions is None else actions)
    if data is None:
        return Report(
            safe_id=safe_id,
            state="held",
            format="jpeg",
            width=WIDTH,
            height=HEIGHT,
            plan=plan,
            error_code="M-HOLD-FAIL",
            exit_code=20,
            reason="the written copy did not pass: text.",
        )
    content = "passed" if scope == "full" else "not-asked"
    return Report(
        safe_id=safe_id,
        state="unreviewed",
        format="jpeg",
        width=WIDTH,
        height=HEIGHT,
        plan=plan,
        checks=tuple(
            Check(name=n, state=content if n in ("text", "codes", "faces", "pixels") else "passed", engine="test 1")
            for n in FULL
        ),
        copy=CopySummary(
            name=f"{safe_id}.jpg",
            format="jpeg",
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            width=WIDTH,
            height=HEIGHT,
            lossless=True,
            method="coefficients",
        ),
        scope=scope,
        policy_digest="0011223344556677",
        engines={"text": "rapidocr 3.9.1"},
    )


def run_folder(
    out: Path,
    groups: dict[str, int],
    *,
    context: SharingContext | None = None,
    held: int = 0,
    scope: str = "full",
    actions: tuple[Action, ...] | None = None,
    tag: str = "R7Q4",
    **more: object,
) -> tuple[RunSummary, list[Report]]:
    """Make a whole run folder: ``groups`` says how many copies each group has.

    Its sheets take half a second: what came out is kept, and written the next time the same is asked for.
    """
    for name in ("share", "unreviewed", "hold", "PRIVATE-patient-record"):
        (out / name).mkdir(parents=True, exist_ok=True)
    wanted = (*groups.items(), held, scope, tag, *(os.environ.get(name) for name in ("LC_ALL", "MEDIMG_SITE")))
    plain = context is None and actions is None and not more
    if plain and wanted in _MADE:
        files, run, reports = _MADE[wanted]
        put(out, files)
        return run, list(reports)
    reports = []
    keys: dict[str, tuple[str, ...]] = {}
    for g, (group, count) in enumerate(groups.items()):
        ids = []
        for n in range(1, count + 1):
            data = picture((215 - 12 * g, 170 - 8 * n, 145))
            one = report(f"{group}-{n:03d}", data, scope=scope, actions=actions)
            (out / "unreviewed" / one.copy.name).write_bytes(data)
            reports.append(one)
            ids.append(one.safe_id)
        for n in range(count + 1, count + 1 + held):
            reports.append(report(f"{group}-{n:03d}", None, scope=scope))
            ids.append(reports[-1].safe_id)
        keys[group] = tuple(ids)
    run = RunSummary(
        tag=tag,
        version="0.1.0",
        policy_digest="0011223344556677",
        policy_lines=("Metadata: everything that is not the picture is left out of the copy.",),
        engines={"faces": "centerface 1"},
        scope=scope,
        groups=keys,
        month="2026-11",
        finished="2026-11-21T12:00:00Z",
        **more,
    )
    (out / "PRIVATE-patient-record" / "reports.json").write_bytes(to_json(reports))
    write_sheets(run, reports, context or SharingContext(jurisdictions=("AU",), conditions=none_true()), out)
    if plain:
        _MADE[wanted] = taken(out), run, tuple(reports)
    return run, reports


Files = dict[Path, tuple[int, bytes]]
_MADE: dict[object, tuple[Files, RunSummary, tuple[Report, ...]]] = {}


def taken(folder: Path) -> Files:
    """The files of a folder: permissions and content."""
    return {p.relative_to(folder): (p.stat().st_mode & 0o777, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def put(folder: Path, files: Files) -> None:
    """Write what :func:`taken` gave, with the same permissions."""
    for name, (mode, data) in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(mode)
