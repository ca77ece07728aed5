"""A DICOM node: takes photographs by C-STORE and keeps, or sends on, their covered copies.

What is acknowledged is durable: the copy is on the disk, or the next node has acknowledged it. What is held or refused
is answered with a failure and nothing of it stays here, so the sender still has it. Nothing is logged.
"""

from __future__ import annotations

import io
import logging
import queue
import ssl
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, TypeVar

from medimg import dicom  # first: it loads pydicom without what that would load beside itself

# isort: split
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]

from medimg.api import Scrubbed
from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.errors import MedimgError, OutputError, TooLarge, UsageError
from medimg.serve import slots
from medimg.serve.association import PATIENCE, SECONDS, Bounded
from medimg.serve.onward import HELD, NO_ROOM, SUCCESS, Onward
from medimg.system import files
from medimg.types import NOTHING_KNOWN

T = TypeVar("T")

COMMENT = 64
"""Characters of an Error Comment (PS3.5, VR LO)."""
NO_SUCH = 0x0112
"""Failure reason of a storage commitment (PS3.4, J.3.3): no such object instance."""
PLAIN = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
"""Codings of a request for storage commitment."""
COMMITMENT = "1.2.840.10008.1.20.1.1"
"""The one instance of the Storage Commitment Push Model (PS3.4, J.3.5)."""
HEAD = 1 << 20
"""Bytes beside the data set that one message may have."""


class Peer(NamedTuple):
    """A node that copies are sent on to by C-STORE.

    Attributes:
        title: Its title.
        host: Where it is.
        port: Its port.
        own: This node's title.
        trust: TLS; None for none.
    """

    title: str
    host: str
    port: int
    own: str = "MEDIMG"
    trust: ssl.SSLContext | None = None

    @classmethod
    def of(cls, text: str) -> Peer:
        """From ``AET@host:port``.

        Raises:
            UsageError: It is not of that form.
        """
        title, _, place = text.partition("@")
        host, _, port = place.rpartition(":")
        if not (host and port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
            raise UsageError("a peer is written as AET@host:port.")
        return cls(_title(title), host.strip("[]"), int(port))

    def takes(self, copy: bytes) -> bool:
        """Send a copy; whether it was acknowledged."""
        instance = pydicom.dcmread(io.BytesIO(copy))
        entity = AE(self.own)
        entity.add_requested_context(instance.file_meta.MediaStorageSOPClassUID, instance.file_meta.TransferSyntaxUID)
        tls = (self.trust, self.host) if self.trust is not None else None
        link = entity.associate(self.host, self.port, ae_title=self.title, tls_args=tls)
        if not link.is_established:
            return False
        try:
            return bool(link.send_c_store(instance).get("Status") == SUCCESS)
        except ValueError:  # it does not take this kind of object or coding
            return False
        finally:
            link.release()


class Node:
    """What one node does with what it is sent.

    Args:
        setup: What every worker is started with; its key gives the new identifiers.
        size: Worker processes.
        title: Application Entity title of this node.
        callers: Titles that are heard; a title is no proof of who calls.
        onward: Where copies go.
    """

    def __init__(
        self,
        setup: Setup,
        size: int,
        *,
        title: str,
        callers: list[str],
        onward: Onward,
    ) -> None:
        self.became: Counter[str] = Counter()
        self._setup, self._size, self._onward = setup, size, onward
        self._free: queue.Queue[Workers] = queue.Queue()
        self._received: Counter[int] = Counter()
        self._entity = AE(_title(title))
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = [_title(caller) for caller in callers]
        self._entity.maximum_associations = sys.maxsize  # the server sees to that: here connections would count as well
        self._entity.acse_timeout = SECONDS
        self._entity.network_timeout = PATIENCE + 2 * setup.policy.limits.seconds
        self._entity.add_supported_context(Verification)
        for kind, syntaxes in dicom.storage().items():
            self._entity.add_supported_context(kind, syntaxes)
        if onward.out is not None:
            # Not deflated: what is asked is unpacked here, without bounds.
            self._entity.add_supported_context(StorageCommitmentPushModel, PLAIN)

    @contextmanager
    def running(self, host: str, port: int, secured: ssl.SSLContext | None = None) -> Iterator[int]:
        """Listen as long as the block runs; gives the port.

        Raises:
            MissingPart: A model, program or package is not there.
            UsageError: This address and port cannot be used.
        """
        said = threading.excepthook
        _say_nothing()
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_ACTION, self._asked_to_commit),
            (evt.EVT_DATA_RECV, self._bounded),
            (evt.EVT_CONN_CLOSE, self._forgotten),
        ]
        with ExitStack() as stack:
            stack.callback(setattr, threading, "excepthook", said)
            for _ in range(self._size):
                pool = stack.enter_context(Workers(self._setup, 1, beside=self._size))
                pool.warm()
                self._free.put(pool)
            try:
                server: Any = self._entity.make_server(
                    (host, port), ssl_context=secured, evt_handlers=handlers, server_class=Bounded
                )
            except OSError as error:
                raise UsageError("this address and port cannot be used.", todo="Is another server there?") from error
            server.most = 2 * self._size
            self._entity._servers.append(server)  # as start_server does, which has no choice of the class
            threading.Thread(target=server.serve_forever, daemon=True).start()
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

    def _asked_to_commit(self, event: evt.Event) -> tuple[int, None]:
        """Take a request for storage commitment, and answer it on the same association, as soon as this returned."""
        asked = event.action_information
        there: list[pydicom.Dataset] = []
        missing: list[pydicom.Dataset] = []
        for one in asked.get("ReferencedSOPSequence", ()):
            (there if self._committed(str(one.ReferencedSOPInstanceUID)) else missing).append(one)
        for one in missing:
            one.FailureReason = NO_SUCH
        report = pydicom.Dataset()
        report.TransactionUID = asked.TransactionUID
        report.ReferencedSOPSequence = there
        if missing:
            report.FailedSOPSequence = missing
        kind = StorageCommitmentPushModel
        threading.Thread(
            target=event.assoc.send_n_event_report,
            args=(report, 2 if missing else 1, kind, COMMITMENT),  # PS3.4, J.3.3: 1 all are there, 2 some are not
            daemon=True,
        ).start()
        return SUCCESS, None

    def _committed(self, uid: str) -> bool:
        """Whether the copy of an original lies in the folder, and outlives a power cut."""
        folder = self._onward.out
        if folder is None or not (folder / f"{dicom.renamed(self._setup.key, uid)}.dcm").is_file():
            return False
        try:
            files.sync_folder(folder)
        except OutputError:
            return False
        return True

    def _kept(self, data: bytes) -> tuple[int, str]:
        """Status and error code, once the copy is where it is to be."""
        if len(data) > self._setup.policy.limits.bytes:
            raise TooLarge("the file is larger than the policy allows.")
        made = self._by_a_worker(lambda pool: _scrubbed(pool, data))
        if made.data is None:
            return HELD, made.report.error_code
        return self._onward.put(made.data, made.suffix)

    def _by_a_worker(self, job: Callable[[Workers], T]) -> T:
        pool = self._free.get()
        try:
            return job(pool)
        finally:
            self._free.put(pool)


def _title(text: str) -> str:
    """A title of a node (PS3.5, VR AE).

    Raises:
        UsageError: It is none.
    """
    if not text.strip() or len(text) > 16 or not text.isascii() or not text.isprintable() or "\\" in text:
        raise UsageError("the title of a node has 1 to 16 characters of ASCII, and no backslash.")
    return text


def _scrubbed(pool: Workers, data: bytes) -> Scrubbed:
    future = pool.submit(slots.scrub, data, NOTHING_KNOWN, seconds=pool.setup.policy.limits.seconds)
    pool.wait()
    return pool.result(future)


def _say_nothing() -> None:
    """What pydicom and pynetdicom log and warn of quotes what stands in a file, as do faults in their threads."""
    threading.excepthook = lambda _: None
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom)(\.|$)")
    _config.LOG_HANDLER_LEVEL = "none"
