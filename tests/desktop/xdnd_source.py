"""A stand-in for a file manager: press and drag in this window to drag the files named on the command line."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    def mousePressEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        data = QMimeData()
        lines = [b"file://" + quoted(os.fsencode(p)) for p in sys.argv[1:]]
        data.setData("text/uri-list", b"\r\n".join(lines))
        drag = QDrag(self)
        drag.setMimeData(data)
        done = drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.MoveAction)
        print("drag", done.name, flush=True)


def quoted(path: bytes) -> bytes:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(path).encode()


if __name__ == "__main__":
    app = QApplication(["files"])
    source = Source("drag me")
    source.setWindowTitle("files")
    source.resize(180, 120)
    source.show()
    print("ready", flush=True)
    app.exec()
