"""Start of the packed program: ``medimg-desktop`` is the window, ``medimg`` the command line."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

# First of all: a worker of the batch is this program started again, and goes no further than this line.
multiprocessing.freeze_support()

if __name__ == "__main__":
    # The second reader's process is this program as well (medimg/detect/text/tesseract.py).
    if sys.argv[1:2] == ["--medimg-reader"]:
        from medimg.detect.text import reader_child

        reader_child.main(sys.argv[2:])
        sys.exit(0)
    if Path(sys.executable).stem == "medimg-desktop":
        sys.argv.insert(1, "desktop")
    from medimg.cli.main import main

    main()
