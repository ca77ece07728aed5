"""The routes of the page, and who may use them.

The address that is printed carries a key after its ``#``, which no browser sends along. The page hands it in once for a
session: a cookie that no script reads, that goes to this page's own path alone, and to no other site. A second hand-in
is refused. Browsers do not tell ports apart where they keep cookies, so the path is one that nobody can guess, and a
request that changes something must come from this very page.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from medimg import strict
from medimg.acts import Input
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import DEFAULT_AUDIENCE
from medimg.errors import UsageError
from medimg.run import remembered
from medimg.run.request import CHAT
from medimg.serve import answers
from medimg.serve.page.desk import Desk
from medimg.serve.page.stand import Decision, Wanted
from medimg.serve.sending import sent
from medimg.words import ENGLISH, current, mark, tr

T = TypeVar("T")
COOKIE = "medimg"
NAME = "x-photo-name"
"""Header with a photo's own name, percent-encoded."""
WORDS = 65536
"""Bytes of an answer."""
FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "picture.js": ("picture.js", "text/javascript"),
}
"""What anybody may load: it holds nothing."""
HEADERS = {
    **answers.PLAIN,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
}


class Leaving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who changed their mind."""

    patient: str


class Agreed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the suggested patients are right."""

    use: bool


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person did on the screen ``act``."""

    act: str
    done: Input


class Door:
    """Who may come in: whoever brings the key first.

    Args:
        host: ``127.0.0.1:PORT``, as browsers send it.
        secured: Whether it is reached by TLS, as from a phone.
    """

    def __init__(self, host: str, *, secured: bool = False) -> None:
        self.host, self.root, self.secured = host, f"/{secrets.token_urlsafe(16)}/", secured
        self.origin = f"{'https' if secured else 'http'}://{host}"
        self._key, self.session = secrets.token_urlsafe(32), secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """What is opened in a browser, once."""
        return f"{self.origin}{self.root}#{self._key}"

    def takes(self, key: str) -> bool:
        """Whether this is the key; it opens once."""
        good = bool(self._key) and hmac.compare_digest(key.encode(), self._key.encode())
        if good:
            self._key = ""
        return good


PIECES = re.compile(r'(>)([^<>]*[a-z][^<>]*)(?=<)|((?:aria-label|alt)=")([^"]*[a-z][^"]*)(?=")')
"""Words of the page's frame: between two tags, or for screen readers."""
CALLS = re.compile(r'\btr\(("(?:[^"\\]|\\.)*")')
"""Words of the page's program."""


def translated(text: str, name: str) -> str:
    """A file of the page in the language of this process."""
    if current() == ENGLISH:
        return text
    if name.endswith(".html"):
        frame = PIECES.sub(lambda m: (m[1] or m[3]) + _kept(m[2] or m[4]), text)
        return frame.replace('<html lang="en">', f'<html lang="{current()}">')
    return (
        CALLS.sub(lambda m: f"tr({json.dumps(tr(json.loads(m[1])), ensure_ascii=False)}", text)
        if name.endswith(".js")
        else text
    )


def _kept(piece: str) -> str:
    """A piece with its words translated and the blanks around them as they were."""
    words = piece.strip()
    return piece.replace(words, html.escape(tr(words)))


class _Guard:
    """Lets through what anybody may load, and whoever has the session, from this page alone."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._refused(scope)):
            status, code, what = refused
            await answers.problem(status, code, what)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        headers, door = Headers(scope=scope), self._door
        if headers.get("host") != door.host:  # another name that leads here (DNS rebinding)
            return 421, "M-HTTP-ROUTE", mark("this is not the address that was printed.")
        if not scope["path"].startswith(door.root):
            return 404, "M-HTTP-ROUTE", mark("there is nothing here.")
        if scope["method"] != "GET" and headers.get("origin") != door.origin:
            return 403, "M-HTTP-TOKEN", mark("this request does not come from the page.")
        path = scope["path"].removeprefix(door.root)
        if path in FILES or path == "open":
            return None
        carried = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        if not hmac.compare_digest(carried.encode(), door.session.encode()):
            return 401, "M-HTTP-TOKEN", mark("this address was used already, or is not the one that was printed.")
        return None


class _Routes:
    def __init__(self, desk: Desk, door: Door, most: int) -> None:
        self._desk, self._door, self._most = desk, door, most
        self._one = asyncio.Lock()
        self._cleaning: asyncio.Task[None] | None = None

    def all(self) -> list[Route]:
        root = self._door.root
        table: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
            *((name, self.file, "GET") for name in FILES),
            ("open", self.open, "POST"),
            ("choices", self.choices, "GET"),
            ("stand", self.stand, "GET"),
            ("photos", self.photo, "POST"),
            ("clean", self.clean, "POST"),
            ("group", self.group, "POST"),
            ("stop", self.stop, "POST"),
            ("again", self.again, "POST"),
            ("decide", self.decide, "POST"),
            ("give", self.give, "POST"),
            ("withdraw", self.withdraw, "POST"),
            ("copy/{safe_id}", self.copy, "GET"),
            ("before/{safe_id}", self.before, "GET"),
            ("small/{safe_id}", self.small, "GET"),
            ("squares/{safe_id}", self.squares, "GET"),
            ("share/{name}", self.share, "GET"),
            ("record", self.record, "GET"),
        ]
        return [Route(root + path, answers.in_words(handler), methods=[method]) for path, handler, method in table]

    async def _do(self, job: Callable[..., T], *args: Any, **more: Any) -> T:
        """One thing at a time, beside the event loop."""
        async with self._one:
            return await asyncio.to_thread(job, *args, **more)

    async def end(self) -> None:
        """Stop what goes on, and remove the dropped photos."""
        self._desk.stop()
        async with self._one:
            self._desk.close()

    async def file(self, request: Request) -> Response:
        name, kind = FILES[request.url.path.removeprefix(self._door.root)]
        data = translated(resources.files("medimg.serve.page").joinpath(name).read_text("utf-8"), name).encode()
        return Response(data, headers=HEADERS, media_type=f"{kind}; charset=utf-8")

    async def open(self, request: Request) -> Response:
        if not self._door.takes(await _body(request, str)):
            return answers.problem(
                401, "M-HTTP-TOKEN", mark("this address was used already, or is not the one printed.")
            )
        answer = Response(status_code=204, headers=HEADERS)
        door = self._door
        answer.set_cookie(COOKIE, door.session, path=door.root, httponly=True, samesite="strict", secure=door.secured)
        return answer

    async def choices(self, _: Request) -> Response:
        known = ChecklistDefinition.load()
        audiences, where = (
            {key: words.partition(" (")[0] for key, words in named.items()}
            for named in (known.audiences, known.jurisdictions)
        )
        last = remembered.load()
        return answers.json(
            {
                "audiences": audiences,
                "audience": last.audience if last.audience in audiences else DEFAULT_AUDIENCE,
                "where": where,
                "country": last.country if last.country in where else "",
                "chat": CHAT,
                "lan": self._door.secured,
            }
        )

    async def stand(self, _: Request) -> Response:
        if self._one.locked():  # a copy is being made, or photos are cleaned
            return answers.json(self._desk.progress())
        return answers.json(await self._do(self._desk.stand))

    async def photo(self, request: Request) -> Response:
        data, _ = await sent(request, self._most)
        return answers.json(await self._do(self._desk.add, unquote(request.headers.get(NAME, "")), data))

    async def clean(self, request: Request) -> Response:
        asked = await _body(request, Wanted)
        self._desk.starts()  # at once: a page that asks now must not hear that nothing goes on
        remembered.save(remembered.Choices(audience=asked.audience, country=next(iter(asked.where), "")))
        self._cleaning = asyncio.create_task(self._do(self._desk.clean, asked))
        return answers.json(None)

    async def group(self, request: Request) -> Response:
        self._desk.group(use=(await _body(request, Agreed)).use)
        return answers.json(None)

    async def stop(self, _: Request) -> Response:
        self._desk.stop()
        return answers.json(None)

    async def again(self, _: Request) -> Response:
        await self._do(self._desk.again)
        return answers.json(None)

    async def decide(self, request: Request) -> Response:
        await self._do(self._desk.decide, await _body(request, Decision))
        return answers.json(None)

    async def give(self, request: Request) -> Response:
        given = await _body(request, Given)
        await self._do(self._desk.give, given.act, given.done)
        return answers.json(None)

    async def withdraw(self, request: Request) -> Response:
        leaving = await _body(request, Leaving)
        noted, letter = await self._do(self._desk.withdraw, leaving.patient)
        return answers.json({"noted": noted, "letter": letter})

    async def copy(self, request: Request) -> Response:
        data, kind = await self._do(self._desk.copy, request.path_params["safe_id"])
        return Response(data, headers=HEADERS, media_type=kind)

    async def before(self, request: Request) -> Response:
        data = await self._do(self._desk.before, request.path_params["safe_id"])
        return Response(data, headers=HEADERS, media_type="image/jpeg")

    async def small(self, request: Request) -> Response:
        data = await asyncio.to_thread(self._desk.small, request.path_params["safe_id"])  # others are checked meanwhile
        return Response(data, headers=HEADERS, media_type="image/jpeg")

    async def squares(self, request: Request) -> Response:
        return answers.json(await asyncio.to_thread(self._desk.squares, request.path_params["safe_id"]))

    async def share(self, request: Request) -> Response:
        name = request.path_params["name"]
        data = await self._do(self._desk.released, name)
        kept = {**HEADERS, "content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
        return Response(data, headers=kept, media_type="application/octet-stream")

    async def record(self, _: Request) -> Response:
        return Response(await self._do(self._desk.record), headers=answers.SHEET, media_type="text/html; charset=utf-8")


async def _body(request: Request, kind: type[T]) -> T:
    data, _ = await sent(request, WORDS)
    try:
        return strict.from_json(data, kind)
    except msgspec.DecodeError as error:  # its text may quote a value
        raise UsageError("this request is not as the page sends it.") from error


def build(desk: Desk, door: Door, most: int) -> Starlette:
    """The application.

    Args:
        desk: What stands behind it; closed when the application ends.
        door: Who may come in.
        most: Bytes of one photo.
    """
    routes = _Routes(desk, door, most)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await routes.end()

    served = Starlette(
        routes=routes.all(),
        exception_handlers={HTTPException: answers.no_such, Exception: answers.fault},
        lifespan=lifespan,
        middleware=[Middleware(answers.OneLength), Middleware(_Guard, door=door)],
    )
    served.router.redirect_slashes = False
    return served
