"""Names and paths as Windows takes them; no call of the system, so that it is tested everywhere."""

from __future__ import annotations

import ntpath

_DEVICES = frozenset(
    ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *(f"{d}{n}" for d in ("COM", "LPT") for n in "123456789¹²³"))
)
"""Names of devices (Microsoft, *Naming Files, Paths, and Namespaces*)."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_PREFIX, _SHARE = "\\\\?\\", "\\\\?\\UNC\\"


def reserved(name: str) -> bool:
    """Whether Windows does not take this for the name of a file, or gives it another meaning or another name."""
    stem = name.partition(".")[0].rstrip(" ").upper()
    return not name or stem in _DEVICES or name[-1] in ". " or any(c in _FORBIDDEN or ord(c) < 32 for c in name)


def long_path(path: str) -> str:
    r"""The path in the form that may be longer than 260 characters (``\\?\``), absolute as that form has to be."""
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    full = ntpath.normpath(path if ntpath.isabs(path) and ntpath.splitdrive(path)[0] else ntpath.abspath(path))
    return _SHARE + full[2:] if full.startswith("\\\\") else _PREFIX + full
