"""A DICOM node: takes photographs by C-STORE and keeps, or sends on, their covered copies.

What is acknowledged is durable: the copy is on the disk, or the next node has acknowledged it. What is held or refused
is answered with a failure and nothing of it stays here, so the sender still has it. Nothing is logged.
"""

from __future__ import annotations

import io
import logging
import queue
import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from medimg import dicom  # first: it loads pydicom without what that would load beside itself

# isort: split
import pydicom
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from medimg.api import Scrubbed
from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.errors import MedimgError, OutputError, TooLarge, UsageError
from medimg.serve import slots
from medimg.system import files
from medimg.types import NOTHING_KNOWN

T = TypeVar("T")

SUCCESS, NO_ROOM, HELD, NOT_SENT_ON = 0x0000, 0xA700, 0xC000, 0xC001
"""Status of C-STORE (PS3.4, Table B.2-1): out of resources; two of "cannot understand", which leaves the rest free."""
COMMENT = 64
"""Characters of an Error Comment (PS3.5, VR LO)."""
PATIENCE = 60.0
"""Seconds a peer may be silent, beside what its photo and the one before it take."""
HEAD = 1 << 20
"""Bytes beside the data set that one message may have."""


class Peer(NamedTuple):
    """Where copies are sent on to."""

    title: str
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Peer:
        """From ``AET@host:port``.

        Raises:
            UsageError: It is not of that form.
        """
        title, _, place = text.partition("@")
        host, _, port = place.rpartition(":")
        if not (title and host and port.isdecimal() and 0 < int(port) < 65536):
            raise UsageError("a peer is written as AET@host:port.")
        return cls(title, host.strip("[]"), int(port))


class Node:
    """What one node does with what it is sent.

    Args:
        setup: What every worker is started with; its key gives the new identifiers.
        size: Worker processes.
        title: Application Entity title of this node.
        callers: Titles that are heard; a title is no proof of who calls.
        out: Folder for the copies; None to keep none.
        to: Where copies are sent on to; None to send none.
        trust: TLS for sending on; None for none.
    """

    def __init__(
        self,
        setup: Setup,
        size: int,
        *,
        title: str,
        callers: list[str],
        out: Path | None = None,
        to: Peer | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.became: Counter[str] = Counter()
        self._setup, self._size, self._out, self._to, self._trust = setup, size, out, to, trust
        self._free: queue.Queue[Workers] = queue.Queue()
        self._received: Counter[int] = Counter()
        self._writing = threading.Lock()
        self._entity = AE(title)
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = callers
        self._entity.maximum_associations = 2 * size
        self._entity.network_timeout = PATIENCE + 2 * setup.policy.limits.seconds
        self._entity.add_supported_context(Verification)
        for kind, syntaxes in dicom.storage().items():
            self._entity.add_supported_context(kind, syntaxes)

    @contextmanager
    def running(self, host: str, port: int, secured: ssl.SSLContext | None = None) -> Iterator[int]:
        """Listen as long as the block runs; gives the port.

        Raises:
            MissingPart: A model, program or package is not there.
            UsageError: This address and port cannot be used.
        """
        _say_nothing()
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_RECV, self._bounded),
            (evt.EVT_CONN_CLOSE, self._forgotten),
        ]
        with ExitStack() as stack:
            for _ in range(self._size):
                pool = stack.enter_context(Workers(self._setup, 1, beside=self._size))
                pool.warm()
                self._free.put(pool)
            try:
                server = self._entity.start_server(
                    (host, port), block=False, ssl_context=secured, evt_handlers=handlers
                )
            except OSError as error:
                raise UsageError("this address and port cannot be used.", todo="Is another server there?") from error
            assert server is not None  # noqa: S101 - it does not block
            try:
                yield int(server.server_address[1])
            finally:
                self._entity.shutdown()

    def _bounded(self, event: evt.Event) -> None:
        """End an association that sends more than a photo may have; nothing of it is kept."""
        self._received[id(event.assoc)] += len(event.data)
        if self._received[id(event.assoc)] > self._setup.policy.limits.bytes + HEAD:
            event.assoc.abort()

    def _forgotten(self, event: evt.Event) -> None:
        self._received.pop(id(event.assoc), None)

    def _store(self, event: evt.Event) -> pydicom.Dataset:
        """Answer a C-STORE request."""
        self._received.pop(id(event.assoc), None)
        try:
            status, comment = self._kept(event.encoded_dataset())
        except (TooLarge, OutputError) as error:
            status, comment = NO_ROOM, error.code
        except MedimgError as error:
            status, comment = HELD, error.code
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not acknowledged; its text may quote values
            status, comment = HELD, type(error).__name__
        self.became["stored" if status == SUCCESS else comment] += 1
        answer = pydicom.Dataset()
        answer.Status = status
        if status != SUCCESS:
            answer.ErrorComment = comment[:COMMENT]
        return answer

    def _kept(self, data: bytes) -> tuple[int, str]:
        """Status and error code, once the copy is where it is to be."""
        if len(data) > self._setup.policy.limits.bytes:
            raise TooLarge("the file is larger than the policy allows.")
        made = self._by_a_worker(lambda pool: _scrubbed(pool, data))
        if made.data is None:
            return HELD, made.report.error_code
        if self._out is not None:
            self._write(self._out / f"{dicom.identifier(made.data)}{made.suffix}", made.data)
        if self._to is not None and not self._sent_on(self._to, made.data):
            return NOT_SENT_ON, "M-DICOM-PEER"
        return SUCCESS, ""

    def _by_a_worker(self, job: Callable[[Workers], T]) -> T:
        pool = self._free.get()
        try:
            return job(pool)
        finally:
            self._free.put(pool)

    def _write(self, path: Path, copy: bytes) -> None:
        """Put a copy on the disk; the same one sent again changes nothing.

        Raises:
            OutputError: It could not be written, or another one of its identifier is there.
        """
        with self._writing:
            if path.exists():
                if path.read_bytes() != copy:
                    raise OutputError("there is another copy of that identifier.")
                files.sync_folder(path.parent)
                return
            files.write_private(path, copy)
            if path.read_bytes() != copy:
                raise OutputError("the output could not be read back.")

    def _sent_on(self, to: Peer, copy: bytes) -> bool:
        """Whether the next node has acknowledged the copy."""
        instance = pydicom.dcmread(io.BytesIO(copy))
        entity = AE(self._entity.ae_title)
        entity.add_requested_context(instance.file_meta.MediaStorageSOPClassUID, instance.file_meta.TransferSyntaxUID)
        tls = (self._trust, to.host) if self._trust is not None else None
        link = entity.associate(to.host, to.port, ae_title=to.title, tls_args=tls)
        if not link.is_established:
            return False
        try:
            return bool(link.send_c_store(instance).get("Status") == SUCCESS)
        except ValueError:  # it does not take this kind of object or coding
            return False
        finally:
            link.release()


def _scrubbed(pool: Workers, data: bytes) -> Scrubbed:
    future = pool.submit(slots.scrub, data, NOTHING_KNOWN, seconds=pool.setup.policy.limits.seconds)
    pool.wait()
    return pool.result(future)


def _say_nothing() -> None:
    """What pydicom and pynetdicom log and warn of quotes what stands in a file."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom)(\.|$)")
    _config.LOG_HANDLER_LEVEL = "none"
