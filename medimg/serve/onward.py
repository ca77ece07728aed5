"""Where the DICOM copies of a node go: a folder, the next node, or both. What is not there is not acknowledged."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from medimg import dicom
from medimg.errors import OutputError
from medimg.system import files, locks

SUCCESS, NO_ROOM, HELD, NOT_SENT_ON = 0x0000, 0xA700, 0xC000, 0xC001
"""Status of a store (PS3.4, Table B.2-1): out of resources; two of "cannot understand", which leaves the rest free."""


class Next(Protocol):
    """The next node."""

    def takes(self, copy: bytes) -> bool:
        """Send a copy; whether it was acknowledged."""
        ...


class Onward:
    """A place for copies.

    Args:
        out: A folder; None to keep none.
        to: The next node; None to send none.
    """

    def __init__(self, out: Path | None, to: Next | None = None) -> None:
        self.out, self._to = out, to
        self._writing = threading.Lock()
        with contextlib.suppress(OSError, OutputError), self._alone():
            for part in out.glob(".medimg-*.part") if out is not None else ():  # a node was killed while it wrote it
                part.unlink()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No thread writes, nor does another node that keeps its copies in the same folder.

        Raises:
            OutputError: The folder cannot be opened.
        """
        with self._writing, contextlib.ExitStack() as stack:
            if self.out is not None:
                try:
                    stack.enter_context(locks.alone(self.out))
                except OSError as error:
                    raise OutputError("the output could not be written.") from error
            yield

    def put(self, copy: bytes, suffix: str) -> tuple[int, str]:
        """Status and error code, once the copy is where it is to be.

        Raises:
            OutputError: It could not be written, or another one of its identifier is there.
        """
        if self.out is not None:
            self._write(self.out / f"{dicom.identifier(copy)}{suffix}", copy)
        if self._to is not None and not self._to.takes(copy):
            return NOT_SENT_ON, "M-DICOM-PEER"
        return SUCCESS, ""

    def _write(self, path: Path, copy: bytes) -> None:
        """Put a copy on the disk; the same one sent again changes nothing."""
        with self._alone():
            if path.exists():
                if path.read_bytes() != copy:
                    raise OutputError("there is another copy of that identifier.")
                files.sync_folder(path.parent)
                return
            files.write_private(path, copy, new=True)
            if path.read_bytes() != copy:
                raise OutputError("the output could not be read back.")
