"""Being told to stop: Ctrl-C, the end of a session, a service manager, a console that is closed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from medimg.system import host

Handler = Callable[[int, FrameType | None], object]


def as_interrupt() -> None:
    """Let every request to stop act as Ctrl-C does: KeyboardInterrupt."""
    for number in host.STOP_SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def when_ended(handler: Handler) -> None:
    """Call ``handler`` when this process is told to end."""
    signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def heeded(handler: Handler) -> Iterator[None]:
    """Call ``handler`` for every request to stop, Ctrl-C among them; afterwards they mean what they did before."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, *host.STOP_SIGNALS)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def heeded_in(loop: asyncio.AbstractEventLoop, told: Callable[[], object]) -> Iterator[None]:
    """The same inside an event loop: ``told`` is called by the loop."""
    with heeded(lambda *_: loop.call_soon_threadsafe(told)):
        yield
