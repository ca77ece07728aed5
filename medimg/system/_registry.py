"""This user's part of the registry of Windows."""

from __future__ import annotations

import contextlib
import sys
import winreg
from collections.abc import Mapping

assert sys.platform == "win32"  # noqa: S101 - says to a type checker which system this is


def registry_values(key: str) -> dict[str, str]:
    """What stands in a key of this user's registry, by name; none where it is not there. "" names its default."""
    found = {}
    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
        for number in range(winreg.QueryInfoKey(opened)[1]):
            name, value, _ = winreg.EnumValue(opened, number)
            found[name] = str(value)
    return found


def write_registry(key: str, values: Mapping[str, str]) -> None:
    """Write values into a key of this user's registry, which is made where it is missing.

    Raises:
        OSError: It could not be done.
    """
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
        for name, value in values.items():
            winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)


def remove_registry(key: str) -> None:
    """Remove a key of this user's registry with all below it; it may be gone.

    Raises:
        OSError: It could not be done.
    """
    with contextlib.suppress(FileNotFoundError):
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            below = [winreg.EnumKey(opened, number) for number in range(winreg.QueryInfoKey(opened)[0])]
        for name in below:
            remove_registry(rf"{key}\{name}")
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, key)
