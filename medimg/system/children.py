"""How worker processes are started: no code and no library from the current folder, which may hold photos.

A process of multiprocessing's "spawn" is ``python -c ...``, which puts the current folder first on its path, and so is
the resource tracker beside it. An empty or relative entry of ``PYTHONPATH`` or ``LD_LIBRARY_PATH`` means the current
folder as well. Further variables of the interpreter, the loader and the C library load code or write files
(``LD_PRELOAD``, ``PYTHONWARNINGS``), and so do those of libraries (``OPENCV_TRACE``), which can also move their limits.
Children start without the first, and a worker keeps no variable but those it has a use for (:func:`keep_listed`); a
host program's are put back at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_LISTS = (
    "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH",
    "DYLD_FALLBACK_FRAMEWORK_PATH",
)  # fmt: skip
"""Lists of folders that code is loaded from; the last four are macOS's."""
_FIXED = {"PYTHONSAFEPATH": "1", "ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Python's own switch for a path without the current folder (3.11); :data:`medimg.native.onnxruntime.VARIABLE`, for
a host's main module that imports onnxruntime: a child imports it before any of medimg; and one thread for numpy's
products, which are small here: its threads spin while they wait."""
_AT_THE_START = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_TUNABLES", "GCONV_PATH")
"""What the interpreter, the loader and the C library read as a process starts, by how it begins."""
_HARMLESS = ("PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUTF8")
ALSO = "MEDIMG_WORKER_ENVIRONMENT"
"""Names of further variables that a host's own detectors need, with commas between them."""
_KEPT = frozenset((*_LISTS, *_FIXED, *_HARMLESS)) | frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "USERNAME", "USERDOMAIN", "USERPROFILE",
    "HOMEDRIVE", "HOMEPATH", "COMPUTERNAME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE", "PUBLIC",
    "NUMBER_OF_PROCESSORS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "KRB5CCNAME", "KRB5_CONFIG", "SSH_AUTH_SOCK", "BOTO_CONFIG",
))  # fmt: skip
"""Where things are, the language, Windows' own, and how a storage is reached, from which workers read photos."""
_KEPT_FAMILIES = (
    "MEDIMG_", "XDG_", "LC_", "PROGRAMFILES", "COMMONPROGRAM", "PROCESSOR_", "COVERAGE_", "AWS_", "AZURE_", "GOOGLE_",
    "GCLOUD_", "FSSPEC_",
)  # fmt: skip
_NATIVE = ("OPENCV_", "ORT_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "NPY_", "LIBHEIF_", "LIBTIFF_", "OPJ_", "SSLKEYLOG")
"""What libraries in C read when they are loaded, or later; and the file that Python's TLS writes its keys to."""

_lock = threading.RLock()


def changes(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What a child's environment has otherwise than ``environment`` as it starts; None where a variable is left out."""
    starting = (name for name in environment if name.upper().startswith(_AT_THE_START) and name not in _HARMLESS)
    out: dict[str, str | None] = {**dict.fromkeys(starting), **_FIXED}
    for name in _LISTS:
        if name in environment:
            kept = [e for e in environment[name].split(os.pathsep) if Path(e).is_absolute()]
            out[name] = os.pathsep.join(kept) or None
    return out


def keep_listed() -> None:
    """Take every variable out of a worker's environment that it has no use for; its host's main module has had them."""
    named = {name.strip().upper() for name in os.environ.get(ALSO, "").split(",")}
    for name in [n for n in os.environ if n.upper() not in _KEPT | named and not n.upper().startswith(_KEPT_FAMILIES)]:
        del os.environ[name]


@contextlib.contextmanager
def environment() -> Iterator[None]:
    """Start children inside, one thread at a time: nothing in the environment they inherit names the current folder."""
    with _set_for_now(changes(os.environ)):
        yield


@contextlib.contextmanager
def without(*families: str, **but: str) -> Iterator[None]:
    """Load a library inside that reads variables of these beginnings: it finds none ``but`` these."""
    with _set_for_now({**dict.fromkeys(_of(families)), **but}):
        yield


def _of(families: tuple[str, ...]) -> list[str]:
    return [name for name in os.environ if name.upper().startswith(families)]


@contextlib.contextmanager
def _set_for_now(wanted: Mapping[str, str | None]) -> Iterator[None]:
    with _lock:
        before = {name: os.environ.get(name) for name in wanted}
        _set(wanted)
        try:
            yield
        finally:
            _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def settle() -> None:
    """Do the same for this process and all it starts; for medimg's own programs, not for a host's."""
    named = os.environ.get("PYTHONPATH", "")
    relative = {os.path.abspath(e) for e in named.split(os.pathsep) if named and not os.path.isabs(e)}  # noqa: PTH100, PTH117 - "" is the current folder
    own = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [e for e in sys.path if e == own or (e and e not in relative)]
    _set({**dict.fromkeys(_of(_NATIVE)), **changes(os.environ)})
