"""A released group of a run as a FHIR bundle, R4 or R5, for a hospital's record.

It holds no name, no path, and nothing that a person typed as free text. References inside it are ``urn:uuid:``; the
same run, time and settings give the same bundle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from medimg.api import media_type
from medimg.errors import CheckFailed, MissingPart, UsageError
from medimg.fhir import resources
from medimg.fhir.resources import Resource, Shared, Version
from medimg.run.events import Released, now
from medimg.run.folder import SHARE_FOLDER
from medimg.run.opened import OpenRun
from medimg.run.state import RunState
from medimg.system import files
from medimg.types import Report

_NAMESPACE = uuid.UUID("4f5b7a52-3c0e-5d6e-9c41-8a7c7f1b9d20")
_TAG = "urn:ietf:rfc:3986"
"""The system of identifiers that are URIs (FHIR, 2.24.0.12)."""
Kind = Literal["collection", "transaction"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a host may say.

    Attributes:
        version: FHIR version.
        kind: A transaction has a POST request with every entry, which is done once however often it is sent: it asks
            for a tag of this entry's own first (conditional create).
        subject: Reference to the patient in the host's own server (``Patient/123``); left out when empty.
        originals: Safe id -> the host's identifier of the original photo.
        key: With it, an identifier of an original is given as HMAC-SHA-256 under this key, in hex.
        embed: Whether the pictures themselves are in the bundle.
        at: UTC time of the bundle, ISO 8601; now when empty.
    """

    version: Version = "R4"
    kind: Kind = "collection"
    subject: str = ""
    originals: Mapping[str, str] = {}
    key: bytes = b""
    embed: bool = False
    at: str = ""


def bundle(run: OpenRun, group: str, settings: Settings | None = None) -> Resource:
    """The bundle of one released group: what was shared, made from what, by what, why, and what people answered.

    The ``Consent`` in it is a draft for a person to accept; nothing in it was agreed to by anybody.

    Args:
        run: The run folder (:func:`medimg.run.opened.open_run`).
        group: The patient group.
        settings: What the host says.

    Returns:
        A Bundle as plain JSON data.

    Raises:
        UsageError: There is no such group, or it is not released now.
        CheckFailed: A released copy is missing or was changed.
    """
    said = settings or Settings()
    (group,) = run.groups([group])
    released = _release(run.state, group)
    at = said.at or now()
    names = {r.copy.name: r for r in run.of(group) if r.copy is not None}
    missing = set(released.copies) - set(names)
    if missing:
        raise CheckFailed("the reports of this run do not speak of every copy that was released.")
    if not set(said.originals) <= set(run.state.run.groups[group]):
        raise UsageError("the identifiers of originals name a photo that this group does not have.")

    def ref(role: str) -> str:
        return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{run.state.run.tag}/{group}/{released.at}/{said.version}/{role}')}"

    copies = [_shared(run, names[name], digest, said, ref(name)) for name, digest in sorted(released.copies.items())]
    device, answers, consent = ref("device"), ref("answers"), ref("consent")
    entries = [(device, resources.device(said.version, run.state.run.version))]
    for shared in copies:
        entries.append((shared.ref, resources.document(said.version, shared, said.subject, released.at)))
        origin = resources.provenance(shared, device, released.at)
        entries.append((ref(f"provenance of {shared.name}"), origin))
    audience = run.state.context.audience
    entries += [
        (ref("audit"), resources.audit(said.version, copies, device, audience, released.at)),
        (answers, resources.responses(run.state, group, said.subject)),
        (consent, resources.consent(said.version, copies, answers, audience, said.subject, at)),
    ]
    return {
        "resourceType": "Bundle",
        "id": ref("bundle").removeprefix("urn:uuid:"),
        "type": said.kind,
        "timestamp": resources.instant(at),
        "entry": [_entry(url, resource, said.kind) for url, resource in entries],
    }


def to_json(resource: Resource) -> bytes:
    """A resource as JSON, UTF-8, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(resource), indent=2) + b"\n"


def check(resource: Resource, version: Version) -> None:
    """Validate a bundle with the models of ``fhir.resources``: R4B for R4, whose resources here are the same; R5.

    Raises:
        MissingPart: ``fhir.resources`` is not installed.
        CheckFailed: It does not fit the models.
    """
    try:
        module = importlib.import_module("fhir.resources.R4B.bundle" if version == "R4" else "fhir.resources.bundle")
    except ImportError as error:
        raise MissingPart(
            "fhir.resources, which validates bundles, is not installed.", todo="pip install 'medimg[fhir]'"
        ) from error
    try:
        module.Bundle.model_validate_json(to_json(resource))
    except ValueError as error:
        raise CheckFailed("the bundle does not fit the FHIR models.") from error


def _release(state: RunState, group: str) -> Released:
    """The release that holds now.

    Raises:
        UsageError: There is none.
    """
    if state.is_withdrawn(group):
        raise UsageError(f"patient {group} was withdrawn by the patient. There is no bundle for it.")
    names = state.released_names(group)
    if not names:
        raise UsageError(
            f"patient {group} is not released. There is a bundle for released groups only.",
            todo="Answer its questions with 'medimg answer', then 'medimg release'.",
        )
    held = state.releases(group)
    return Released(group=group, at=held[-1].at, copies={n: d for r in held for n, d in r.copies.items()})


def _shared(run: OpenRun, report: Report, digest: str, said: Settings, ref: str) -> Shared:
    if report.copy is None:
        raise CheckFailed("a copy is not where it was written.", safe_id=report.safe_id)
    data = _read(run.folder / SHARE_FOLDER / report.copy.name, digest, report.safe_id)
    return Shared(
        ref=ref,
        name=report.copy.name,
        media_type=media_type(report.copy),
        size=len(data),
        sha1=base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii"),
        sha256=digest,
        original=_original(run.state.run.tag, report.safe_id, said),
        data=base64.b64encode(data).decode("ascii") if said.embed else "",
    )


def _read(path: Path, digest: str, safe_id: str) -> bytes:
    try:
        data = files.read_own(path)
    except OSError as error:
        raise CheckFailed("a released copy is not in the share folder.", safe_id=safe_id) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise CheckFailed("a released copy was changed afterwards.", safe_id=safe_id)
    return data


def _original(tag: str, safe_id: str, said: Settings) -> str:
    """How the original is named: by the host's identifier, its HMAC, or the run's own number for it."""
    given = said.originals.get(safe_id, "")
    if given and said.key:
        return hmac.digest(said.key, given.encode(), "sha256").hex()
    return given or f"{tag}/{safe_id}"


def _entry(url: str, resource: Resource, kind: Kind) -> dict[str, Any]:
    out: dict[str, Any] = {"fullUrl": url, "resource": resource}
    if kind == "transaction":
        meta = {**resource.get("meta", {}), "tag": [{"system": _TAG, "code": url}]}
        out["resource"] = {**resource, "meta": meta}
        out["request"] = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": f"_tag={_TAG}|{url}"}
    return out


__all__ = ["Kind", "Settings", "Version", "bundle", "check", "to_json"]
