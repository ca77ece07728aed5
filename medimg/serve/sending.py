"""What a request sends: the photo as bytes, as a form, or as JSON, and values known to belong to the person.

A photo is held in memory alone: the parser of forms is told to write no file.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from typing import NoReturn

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, create_form_parser
from starlette.requests import ClientDisconnect, Request

from medimg import strict
from medimg.errors import TooLarge, Unreadable, UsageError
from medimg.serve.records import Sent
from medimg.types import NOTHING_KNOWN, KnownValues

PATIENCE = 60.0
"""Seconds a sender may take for the whole of a photo."""
WORDS = 65536
"""Bytes that may stand beside the photo: field names, boundaries, known values."""
FIELDS = 1000
"""Fields of a form."""
JSON, FORM = "application/json", "multipart/form-data"

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its warnings quote what was sent


async def sent(request: Request, most: int) -> tuple[bytes, KnownValues]:
    """The photo of a request, and what is known of the person.

    Raises:
        TooLarge: More than ``most`` bytes (a third more as base64).
        Unreadable: The sender was too slow, or went away.
        UsageError: There is no photo, or the form or JSON is not of the form described.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    allowed = {JSON: most * 4 // 3 + WORDS, FORM: most + WORDS}.get(kind, most)
    data, known = await body(request, allowed), NOTHING_KNOWN
    if kind == JSON:  # beside the event loop: a large photo takes seconds, in which others want to be answered
        data, known = await asyncio.to_thread(_from_json, data)
    elif kind == FORM:
        data, known = await asyncio.to_thread(_from_form, data, request.headers["content-type"])
    if not data:
        raise UsageError("there is no photo in this request.")
    if len(data) > most:
        raise _too_large()
    return data, known


async def body(request: Request, most: int) -> bytes:
    """All that a request sends, held in memory.

    Raises:
        TooLarge: More than ``most`` bytes.
        Unreadable: The sender was too slow, or went away.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            return await _body(request, most)
    except TimeoutError as error:
        raise Unreadable("the photo did not arrive in time.") from error
    except ClientDisconnect as error:
        raise Unreadable("the sender went away.") from error


async def _body(request: Request, most: int) -> bytes:
    claimed = request.headers.get("content-length", "")
    if claimed.isdigit() and int(claimed) > most:
        raise _too_large()
    out = bytearray()
    async for block in request.stream():
        out += block
        if len(out) > most:
            raise _too_large()
    return bytes(out)


def _from_json(body: bytes) -> tuple[bytes, KnownValues]:
    try:
        record = strict.from_json(body, Sent)
        return base64.b64decode(record.photo, validate=True), record.known
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:  # its text may quote a value
        _not_as_described("JSON", error)


def _from_form(body: bytes, content_type: str) -> tuple[bytes, KnownValues]:
    photos: list[bytes] = []
    values: dict[str, list[str]] = {"names": [], "numbers": [], "dates": []}
    words = fields = 0

    def field(given: Field) -> None:
        nonlocal words, fields
        words, fields = words + len(given.value or b""), fields + 1
        if words > WORDS or fields > FIELDS:  # the parser bounds the fields of other kinds of forms alone
            raise ValueError
        values[(given.field_name or b"").decode()].append((given.value or b"").decode())

    def file(given: File) -> None:
        if given.field_name != b"photo":  # known values that were sent as a file are no photo
            raise ValueError
        given.file_object.seek(0)
        photos.append(given.file_object.read())

    # A photo may be larger than what the parser would keep in memory by itself; the whole body is bounded already.
    config = {"MAX_MEMORY_FILE_SIZE": float("inf")}
    try:
        parser = create_form_parser({"Content-Type": content_type.encode("latin-1")}, field, file, config=config)
        parser.write(body)
        parser.finalize()
        (photo,) = photos
    except (FormParserError, LookupError, ValueError) as error:
        _not_as_described("form", error)
    return photo, KnownValues(**{name: tuple(v for v in given if v.strip()) for name, given in values.items()})


def _not_as_described(what: str, error: Exception) -> NoReturn:
    raise UsageError(f"the {what} is not as /openapi.json describes it.") from error


def _too_large() -> TooLarge:
    return TooLarge("the file is larger than the policy allows.")
