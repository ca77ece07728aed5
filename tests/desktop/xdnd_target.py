"""The window under a real X server; it says on standard output what was dropped."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QTimer

from medimg.desktop import app
from medimg.desktop.window import Window

if __name__ == "__main__":
    program = app.application()
    window = Window()
    window.move(260, 40)
    window.show()
    window.raise_()
    said: list[int] = []

    def look() -> None:
        if window.start.seen is not None and not said:
            said.append(1)
            for path in window.start.things:
                print("took", os.fsencode(path).hex(), flush=True)
            print("counted", window.start.seen.pictures, *window.start.seen.others, flush=True)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    QTimer.singleShot(0, lambda: print("ready", flush=True))
    sys.exit(program.exec())
