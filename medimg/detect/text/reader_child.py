"""What runs in the second reader's own process: pytesseract's public call, and nothing of medimg.

pytesseract starts its program in the environment, the temporary folder and the working folder of its caller, and
cannot stop what that program starts. So it gets a process of its own, started by :mod:`medimg.system.programs`: an
environment made from nothing, a private working folder, and a process group that is killed as a whole. Nothing in a
program that uses medimg as a library is changed for the call, and other threads of it notice nothing.

This file is run by its path, so it imports nothing of medimg.
"""

from __future__ import annotations

import os
import sys
import tempfile

KEPT = frozenset(
    (
        "PATH",
        "LC_ALL",
        "HOME",
        "TMPDIR",
        "OMP_THREAD_LIMIT",
        "SYSTEMROOT",
        "USERPROFILE",
        "TEMP",
        "TMP",
    )  # the last: Windows
)
"""The variables that Tesseract gets. A packed program's own start adds more, ``LD_LIBRARY_PATH`` among them."""


def main(arguments: list[str]) -> None:
    """Read the pages in the working folder, and write Tesseract's table to the standard output.

    Args:
        arguments: Folders that hold the packages, joined with ``os.pathsep``; the absolute path of Tesseract; the name
            of the list of pages; page segmentation mode; seconds.

    Raises:
        Exception: Whatever pytesseract raises: the exit status is then not 0.
    """
    packages, program, pages, layout, seconds = arguments
    sys.path.extend(folder for folder in packages.split(os.pathsep) if folder and folder not in sys.path)
    for name in set(os.environ) - KEPT:
        del os.environ[name]
    tempfile.tempdir = os.getcwd()  # noqa: PTH109 - pathlib is not needed otherwise
    # pytesseract loads these two where they are installed, for answers that are not asked for here: 70 ms of numpy.
    sys.modules |= dict.fromkeys(("numpy", "pandas"))  # type: ignore[arg-type] # None: the import fails
    import pytesseract

    pytesseract.pytesseract.tesseract_cmd = program
    config = f"-c tessedit_create_tsv=1 --psm {int(layout)} --dpi 200"
    answer = pytesseract.run_and_get_output(
        pages, "tsv", lang="eng", config=config, timeout=float(seconds), return_bytes=True
    )
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
