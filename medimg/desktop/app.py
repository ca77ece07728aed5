"""The program behind ``medimg desktop``."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QSettings, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from medimg import words
from medimg.consent.site import SiteProfile
from medimg.desktop import theme
from medimg.desktop.window import Window
from medimg.errors import UsageError
from medimg.run.folder import RECORD_FOLDER


class Catalogue(QTranslator):
    """The words of Qt's ``tr`` from the one catalogue, whatever their context."""

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        """An empty one is not asked."""
        return False

    def translate(  # noqa: D102 - Qt's
        self,
        _context: str,
        text: str,
        _disambiguation: str | None = None,
        _n: int = -1,
    ) -> str:
        return words.tr(text)


def application(arguments: Sequence[str] = ()) -> QApplication:
    """The one application of this process, set up to remember nothing."""
    there = QApplication.instance()
    if isinstance(there, QApplication):
        return there
    # The system's own dialogs note what was chosen in its list of recent files.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    app = QApplication(["medimg", *arguments])
    app.setApplicationName("medimg")
    app.setApplicationDisplayName("medimg")
    app.setDesktopFileName("medimg")
    if words.current() != words.ENGLISH:
        app.installTranslator(Catalogue(app))  # asked after Qt's own words, which are installed below
    translator = QTranslator(app)
    if translator.load(
        QLocale(words.current()), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        app.installTranslator(translator)
    theme.apply(app)
    return app


@contextlib.contextmanager
def forgetful() -> Iterator[None]:
    """Lead Qt's settings files into a folder that goes away. Where they are no files: :mod:`medimg.desktop.dialogs`."""
    place = Path(tempfile.mkdtemp(prefix="medimg-window-"))
    for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(form, QSettings.Scope.UserScope, os.fspath(place))
    try:
        yield
    finally:
        shutil.rmtree(place, ignore_errors=True)


def run(paths: Sequence[Path] = (), photos: Sequence[Path] = ()) -> int:
    """Show the window until it is closed.

    Args:
        paths: A run folder to open, or photos and folders as if they were dropped.
        photos: Where the originals of the run are.

    Returns:
        The exit code.

    Raises:
        UsageError: There is no screen, or the organisation's profile cannot be used.
    """
    multiprocessing.freeze_support()
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    ):
        raise UsageError("there is no screen to show a window on.", todo="Use 'medimg clean' here.")
    site = SiteProfile.installed()
    with forgetful():
        app = application()
        window = Window(site=site)
        window.show()
        if len(paths) == 1 and is_run(paths[0]):
            window.open_run(paths[0], photos)
        elif paths:
            window.start.take([p.absolute() for p in paths])
        try:
            return app.exec()
        finally:
            window.stop()


def is_run(path: Path) -> bool:
    """Whether a folder is a run folder."""
    return (path / RECORD_FOLDER).is_dir()


def main() -> None:
    """Start from an icon: what stands on the command line is dropped photos or a run folder."""
    words.use(words.usual())
    sys.exit(run([Path(a) for a in sys.argv[1:]]))
