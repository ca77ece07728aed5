"""Calls of Windows (kernel32, advapi32) and their structures, declared for ctypes.

The types are those of the Windows SDK (winbase.h, winnt.h). Each call is described on learn.microsoft.com under its
name.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from typing import Any

assert sys.platform == "win32"  # noqa: S101 - says to a type checker which system this is

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_rights = ctypes.WinDLL("advapi32", use_last_error=True)
HANDLE, DWORD = wintypes.HANDLE, wintypes.DWORD


class Overlapped(ctypes.Structure):
    """Where in a file a lock lies."""

    _fields_ = (
        ("internal", ctypes.c_void_p),
        ("internal_high", ctypes.c_void_p),
        ("low", DWORD),
        ("high", DWORD),
        ("event", HANDLE),
    )


class BasicLimits(ctypes.Structure):
    """Limits of a job object."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", DWORD),
        ("least", ctypes.c_size_t),
        ("most", ctypes.c_size_t),
        ("processes", DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", DWORD),
        ("scheduling", DWORD),
    )


class ExtendedLimits(ctypes.Structure):
    """The same, with those of memory."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("process_peak", ctypes.c_size_t),
        ("job_peak", ctypes.c_size_t),
    )


class MemoryStatus(ctypes.Structure):
    """Memory of this computer."""

    _fields_ = (
        ("length", DWORD),
        ("load", DWORD),
        *((n, ctypes.c_uint64) for n in ("total", "free", "page_total", "page_free", "space", "space_free", "more")),
    )


def _declare(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    call = getattr(library, name)
    call.restype, call.argtypes = result, arguments
    return call


pointer, TEXT, BOOL = ctypes.c_void_p, wintypes.LPCWSTR, wintypes.BOOL
create_job = _declare(_kernel, "CreateJobObjectW", HANDLE, pointer, TEXT)
set_job = _declare(_kernel, "SetInformationJobObject", BOOL, HANDLE, ctypes.c_int, pointer, DWORD)
assign = _declare(_kernel, "AssignProcessToJobObject", BOOL, HANDLE, HANDLE)
end_job = _declare(_kernel, "TerminateJobObject", BOOL, HANDLE, wintypes.UINT)
current_process = _declare(_kernel, "GetCurrentProcess", HANDLE)
open_process = _declare(_kernel, "OpenProcess", HANDLE, DWORD, BOOL, DWORD)
wait_for = _declare(_kernel, "WaitForSingleObject", DWORD, HANDLE, DWORD)
close = _declare(_kernel, "CloseHandle", BOOL, HANDLE)
move_file = _declare(_kernel, "MoveFileExW", BOOL, TEXT, TEXT, DWORD)
lock_file = _declare(_kernel, "LockFileEx", BOOL, HANDLE, DWORD, DWORD, DWORD, DWORD, pointer)
create_file = _declare(_kernel, "CreateFileW", HANDLE, TEXT, DWORD, DWORD, pointer, DWORD, DWORD, HANDLE)
memory_status = _declare(_kernel, "GlobalMemoryStatusEx", BOOL, pointer)
error_mode = _declare(_kernel, "SetErrorMode", wintypes.UINT, wintypes.UINT)
free = _declare(_kernel, "LocalFree", pointer, pointer)
describe_rights = _declare(
    _rights, "ConvertStringSecurityDescriptorToSecurityDescriptorW", BOOL, TEXT, DWORD, pointer, pointer
)
set_rights = _declare(_rights, "SetFileSecurityW", BOOL, TEXT, DWORD, pointer)


def fault() -> OSError:
    """What the last call said when it failed."""
    return ctypes.WinError(ctypes.get_last_error())
