"""Entries that start the window: in the menu, on the desktop to drop photos on, in *Open with* or *Send to*.

On Windows and macOS also in the menu that the right button opens over a photo or a folder. For the present user alone:
no administrator, no service, nothing that starts by itself. :func:`uninstall` takes away what :func:`install` made,
and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from medimg import formats
from medimg.desktop.lnk import shortcut
from medimg.desktop.quick_action import quick_action
from medimg.errors import OutputError
from medimg.system import files, host
from medimg.words import mark, tr

NAME = "medimg"
ABOUT = mark("Cover what identifies in clinical photos before sharing")
_MARK = "X-Medimg-Entry=true"
ACT = mark("Make copies for sharing")
"""The words of the entry in the menu of a photo or a folder."""
MENUS = ("Directory", r"SystemFileAssociations\image", r"SystemFileAssociations\.dcm")
"""Where Windows looks for such entries: of folders, of all kinds of pictures, of DICOM files."""
_HIVE = "HKEY_CURRENT_USER\\"

ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" id="medimg-icon" viewBox="0 0 64 64" role="img">
<title>medimg</title>
<rect x="4" y="8" width="56" height="48" rx="6" fill="#ffffff" stroke="#0a5a8c" stroke-width="4"/>
<circle cx="32" cy="30" r="13" fill="#e2b89b"/>
<path d="M12 54c2-10 10-14 20-14s18 4 20 14z" fill="#7fb2cf"/>
<rect x="14" y="20" width="36" height="16" rx="2" fill="#111111"/>
</svg>
"""


def command() -> list[str]:
    """The program that opens the window, before the paths of photos.

    A packed program is itself the window; otherwise Python starts it with ``-P``, so that no file in the folder it is
    started from can be taken for a module.
    """
    if getattr(sys, "frozen", False):
        window = Path(sys.executable).with_name("medimg-desktop" + Path(sys.executable).suffix)
        return [str(window)]
    python = Path(sys.executable)
    quiet = python.with_name("pythonw.exe")  # on Windows: without a console beside the window
    return [str(quiet if quiet.is_file() else python), "-P", "-m", "medimg", "desktop"]


def install() -> tuple[Path | str, ...]:
    """Make the entries of this user, or make them anew.

    Returns:
        The files and keys of the registry that were written.

    Raises:
        OutputError: One could not be written.
    """
    wanted = _wanted()
    for path, data in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError("an entry for the window could not be written.") from error
        files.write_private(path, data)
        if path.suffix == ".desktop":
            path.chmod(0o755)  # a file manager starts an icon on the desktop only when it is marked as a program
    menus = _menus()
    for key, line in menus.items():
        try:
            host.write_registry(rf"{key}\command", {"": line})
            host.write_registry(key, {"": ACT, "MultiSelectModel": "Single"})  # else a window for each of many
        except OSError as error:
            raise OutputError("an entry for the window could not be written.") from error
    return (*wanted, *(_HIVE + key for key in menus))


def uninstall() -> tuple[Path | str, ...]:
    """Take the entries away again. A file or key of that name that medimg did not write stays.

    Returns:
        The files and keys of the registry that were removed.

    Raises:
        OutputError: One could not be removed.
    """
    gone: list[Path | str] = []
    for path in _wanted():
        try:
            if path.is_symlink() or not path.is_file() or not _ours(path.read_bytes()):
                continue
            path.unlink()
        except OSError as error:
            raise OutputError("an entry for the window could not be removed.") from error
        gone.append(path)
        with contextlib.suppress(OSError):
            if path.parent.name in ("apps", "scalable", "hicolor"):
                path.parent.rmdir()  # only when nothing else is in it
            elif path.parent.name == "Contents":
                path.parent.rmdir()
                path.parent.parent.rmdir()
    for key in _menus():
        if host.registry_values(key).get("") != ACT:
            continue
        try:
            host.remove_registry(key)
        except OSError as error:
            raise OutputError("an entry for the window could not be removed.") from error
        gone.append(_HIVE + key)
    return tuple(gone)


def _menus() -> dict[str, str]:
    return windows_menus(command()) if sys.platform == "win32" else {}


def _wanted() -> dict[Path, bytes]:
    desktop = platformdirs.user_desktop_path()
    if sys.platform == "win32":
        roaming = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
        return windows_entries(command(), roaming, desktop)
    if sys.platform == "darwin":
        return quick_action(command(), Path.home() / "Library", name=ACT, mark=_MARK)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return linux_entries(command(), data, desktop if desktop.is_dir() else None)


def linux_entries(program: Sequence[str], data: Path, desktop: Path | None) -> dict[Path, bytes]:
    """Files of a Linux user.

    Args:
        program: The program and its first arguments.
        data: ``XDG_DATA_HOME``.
        desktop: The folder whose files are shown on the screen; none for no icon there.
    """
    icon = data / "icons" / "hicolor" / "scalable" / "apps" / f"{NAME}.svg"
    entry = desktop_entry(program, icon).encode()
    places = [data / "applications" / f"{NAME}.desktop"]
    if desktop is not None:
        places.append(desktop / f"{NAME}.desktop")
    return {icon: ICON.encode(), **dict.fromkeys(places, entry)}


def desktop_entry(program: Sequence[str], icon: Path) -> str:
    """A desktop file (freedesktop.org, Desktop Entry Specification 1.1). ``%F`` stands for what was dropped on it.

    *Open with* offers the window for files of every format. A folder can be dropped on the window or on its icon.
    """
    lines: Mapping[str, str] = {
        "Type": "Application",
        "Version": "1.1",
        "Name": NAME,
        "GenericName": "Clinical photo covering",
        "Comment": tr(ABOUT),
        "Exec": " ".join([*map(_quoted, program), "%F"]),
        "Icon": _escaped(str(icon)),
        "Terminal": "false",
        "StartupNotify": "true",
        "Categories": "Graphics;Photography;",
        "Keywords": "photo;patient;clinical;share;",
        "MimeType": ";".join(formats.media_types().values()) + ";",
    }
    return "\n".join(["[Desktop Entry]", *(f"{k}={v}" for k, v in lines.items()), _MARK, ""])


def _quoted(argument: str) -> str:
    """An argument of ``Exec``: in double quotes, with what is special inside them escaped, ``%`` doubled."""
    inner = "".join(f"\\{c}" if c in '"`$\\' else c for c in argument).replace("%", "%%")
    return _escaped(f'"{inner}"')


def _escaped(value: str) -> str:
    """A value of type string: a backslash is written twice."""
    if any(ord(c) < 32 for c in value):
        raise OutputError("the program lies in a folder whose name cannot be written into an entry.")
    return value.replace("\\", "\\\\")


def windows_entries(program: Sequence[str], roaming: Path, desktop: Path | None) -> dict[Path, bytes]:
    """Shortcuts of a Windows user: *Send to*, the Start menu, and one on the desktop to drop photos on.

    Args:
        program: The program and its first arguments; those have neither spaces nor quotes.
        roaming: ``APPDATA``.
        desktop: The folder whose files are shown on the screen; none for no icon there.
    """
    target = str(program[0])
    folder = target.rpartition("\\")[0]
    data = shortcut(target, arguments=" ".join(program[1:]), folder=folder, about=ABOUT)
    windows = roaming / "Microsoft" / "Windows"
    places = [windows / "SendTo", windows / "Start Menu" / "Programs", *([desktop] if desktop is not None else [])]
    return {p / f"{NAME}.lnk": data for p in places}


def windows_menus(program: Sequence[str]) -> dict[str, str]:
    """Entries in the menu of a photo or a folder: key of a Windows user's registry -> what is run.

    They take one thing; *Send to* takes many.

    Args:
        program: The program and its first arguments; those have neither spaces nor quotes.
    """
    line = " ".join([f'"{program[0]}"', *program[1:], '"%1"'])
    return {rf"Software\Classes\{kind}\shell\{NAME}": line for kind in MENUS}


def _ours(data: bytes) -> bool:
    return any(m in data for m in (_MARK.encode(), b'id="medimg-icon"', ABOUT.encode("utf-16-le")))
