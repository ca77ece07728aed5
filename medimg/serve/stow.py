"""DICOMweb STOW-RS (PS3.18, 10.5): photographs in over HTTP, and copies out to an archive, as the DICOM node does."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.responses import Response

from medimg import dicom
from medimg.errors import MedimgError, OutputError, TooLarge, UsageError
from medimg.serve import slots
from medimg.serve.answers import PLAIN, Handler
from medimg.serve.metrics import Metrics
from medimg.serve.onward import HELD, NO_ROOM, SUCCESS, Onward
from medimg.serve.sending import body
from medimg.serve.slots import Slots
from medimg.system import posting
from medimg.types import NOTHING_KNOWN

STUDIES = "/dicom-web/studies"
DICOM, ANSWER = "application/dicom", "application/dicom+json"
FAILED, REASON, DONE = "00081198", "00081197", "00081199"
CLASS, INSTANCE = "00081150", "00081155"
"""Attributes of the answer (PS3.18, 10.5.3; PS3.6)."""


class Store:
    """``POST /dicom-web/studies``: an instance is answered as stored once its copy is where it is to be.

    Args:
        pool: Who makes the copies.
        onward: Where they go.
        counted: Where they are counted.
    """

    def __init__(self, pool: Slots, onward: Onward, counted: Metrics) -> None:
        self._pool, self._onward, self._counted = pool, onward, counted
        self._most = pool.setup.policy.limits.bytes

    def table(self) -> list[tuple[str, Handler, str]]:
        """Path, handler and method."""
        return [(STUDIES, self.store, "POST")]

    async def store(self, request: Request) -> Response:
        """Take the instances of a request, one after the other."""
        async with self._pool.place():
            parts = _parts(await body(request, self._most), request.headers.get("content-type", ""))
            done: list[dict[str, Any]] = []
            failed: list[dict[str, Any]] = []
            for part in parts:
                status = await self._one(part)
                name = dict(zip((CLASS, INSTANCE), map(_uid, dicom.named(part)), strict=True))
                if status == SUCCESS:
                    done.append(name)
                else:
                    failed.append(name | {REASON: {"vr": "US", "Value": [status]}})
        answer = {tag: {"vr": "SQ", "Value": rows} for tag, rows in ((FAILED, failed), (DONE, done)) if rows}
        code = 200 if not failed else 202 if done else 409
        return Response(json.dumps(answer), code, PLAIN, media_type=ANSWER)

    async def _one(self, part: bytes) -> int:
        try:
            with self._counted.photo() as became:
                made = await self._pool.do(slots.scrub, part, NOTHING_KNOWN)
                became.append(str(made.report.state))
                if made.data is None or made.media_type != DICOM:
                    return HELD
                return (await asyncio.to_thread(self._onward.put, made.data, made.suffix))[0]
        except (TooLarge, OutputError):
            return NO_ROOM
        except MedimgError:
            return HELD


def _uid(value: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [value]} if value else {"vr": "UI"}


def _parts(data: bytes, content_type: str) -> list[bytes]:
    """The instances of a ``multipart/related`` body.

    Raises:
        UsageError: It is none, or has none.
    """
    kind, options = parse_options_header(content_type)
    out: list[bytearray] = []
    try:
        if kind != b"multipart/related" or options.get(b"type", DICOM.encode()) != DICOM.encode():
            raise UsageError("instances are sent as multipart/related of the type application/dicom.")
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": lambda: out.append(bytearray()),
                "on_part_data": lambda block, start, end: out[-1].extend(block[start:end]),
            },
        )
        parser.write(data)
        parser.finalize()
    except (FormParserError, KeyError, IndexError) as error:
        raise UsageError("the parts of the request cannot be told apart.") from error
    if not out or not data.rstrip().endswith(b"--"):
        raise UsageError("there is no instance in this request, or it was cut short.")
    return [bytes(part) for part in out]


class Archive(NamedTuple):
    """A DICOMweb server that copies are sent on to.

    Attributes:
        studies: Where its studies are.
        trust: TLS; None for none.
        token: What ``Authorization: Bearer`` carries; empty for none.
    """

    studies: posting.Server
    trust: ssl.SSLContext | None = None
    token: str = ""

    @classmethod
    def of(cls, url: str, trust: ssl.SSLContext | None, token: str = "") -> Archive:
        """From ``https://host:port/dicom-web``.

        Raises:
            UsageError: It is not of that form.
        """
        found = posting.server(url)
        if found is None:
            raise UsageError("a DICOMweb server is written as https://host:port/dicom-web.")
        trusted = (trust or ssl.create_default_context()) if found.secured else None
        return cls(found._replace(path=f"{found.path}/studies"), trusted, token)

    @property
    def host(self) -> str:
        """Where it is."""
        return self.studies.host

    def takes(self, copy: bytes) -> bool:
        """Send a copy; whether the answer says that it is stored."""
        mark = secrets.token_hex(16)
        sent = b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n--%b--\r\n"
        headers = {"Content-Type": f'multipart/related; type="{DICOM}"; boundary={mark}', "Accept": ANSWER}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            data = sent % (mark.encode(), DICOM.encode(), copy, mark.encode())
            status, said = posting.post(self.studies, data, headers, self.trust)
            stored = [one[INSTANCE]["Value"][0] for one in said[DONE]["Value"]]
            failed = said.get(FAILED, {}).get("Value")  # Orthanc sends an empty list where nothing failed
            return status == 200 and not failed and dicom.identifier(copy) in stored
        except (OSError, LookupError, TypeError, AttributeError):
            return False
