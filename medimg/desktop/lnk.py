"""Windows shortcuts as bytes, after [MS-SHLLINK] 8.0: a shortcut hands dropped files on as they are.

A ``.cmd`` file in *Send to* would be simpler, but its line is read by the command processor: a photo called
``a&calc.jpg`` would then start a program. A shortcut starts ours without a shell in between.
"""

from __future__ import annotations

import struct

_CLSID = bytes.fromhex("0114020000000000c000000000000046")
_HAS_LINK_INFO, _HAS_NAME, _HAS_WORKING_DIR, _HAS_ARGUMENTS, _HAS_ICON = 0x02, 0x04, 0x10, 0x20, 0x40
_IS_UNICODE, _HAS_EXP_STRING = 0x80, 0x200
_SHOW_NORMAL = 1
_DRIVE_FIXED = 3
_MAX_PATH = 260


def shortcut(target: str, *, arguments: str = "", folder: str = "", about: str = "", icon: str = "") -> bytes:
    """The bytes of a ``.lnk`` file.

    Args:
        target: The program, an absolute Windows path.
        arguments: What it gets before the dropped files.
        folder: Its working folder; never the folder of the photos.
        about: What the shortcut says of itself.
        icon: File with the icon; the program itself when empty.
    """
    flags = _HAS_LINK_INFO | _HAS_NAME | _HAS_WORKING_DIR | _HAS_ARGUMENTS | _HAS_ICON | _IS_UNICODE
    extra = _expandable(target)
    if extra:
        flags |= _HAS_EXP_STRING
    header = struct.pack(
        "<I16sII8s8s8sIiIHHII",
        0x4C,
        _CLSID,
        flags,
        0x20,  # an ordinary file
        bytes(8),
        bytes(8),
        bytes(8),
        0,
        0,
        _SHOW_NORMAL,
        0,
        0,
        0,
        0,
    )
    strings = b"".join(map(_string, (about, folder, arguments, icon or target)))
    return header + _link_info(target) + strings + extra + bytes(4)


def _link_info(target: str) -> bytes:
    """Section 2.3: where the program is, on a drive of this computer."""
    volume = struct.pack("<IIII", 0x11, _DRIVE_FIXED, 0, 0x10) + b"\0"
    ansi = target.encode("cp1252", "replace") + b"\0"
    wide = target.encode("utf-16-le") + bytes(2)
    at_volume = 0x24
    at_path = at_volume + len(volume)
    at_suffix = at_path + len(ansi)
    at_wide = at_suffix + 1
    at_wide_suffix = at_wide + len(wide)
    size = at_wide_suffix + 2
    head = struct.pack("<9I", size, 0x24, 1, at_volume, at_path, 0, at_suffix, at_wide, at_wide_suffix)
    return head + volume + ansi + b"\0" + wide + bytes(2)


def _string(text: str) -> bytes:
    """Section 2.4: a counted string."""
    return struct.pack("<H", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _expandable(target: str) -> bytes:
    """Section 2.5.4: the path once more, for readers that do not use the link information."""
    ansi, wide = target.encode("cp1252", "replace"), target.encode("utf-16-le")
    if len(ansi) >= _MAX_PATH or len(wide) >= 2 * _MAX_PATH:
        return b""
    return struct.pack("<II", 0x314, 0xA0000001) + ansi.ljust(_MAX_PATH, b"\0") + wide.ljust(2 * _MAX_PATH, b"\0")
