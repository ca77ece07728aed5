"""The search for the end of coded JPEG data; how compiled parts are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medimg.audit import scans
from medimg.errors import MissingPart
from medimg.formats.jpeg import kernel, markers
from medimg.native import library
from medimg.system import host

CODED = st.lists(st.sampled_from((b"\xff", b"\0", b"\xff\0", b"\xd0", b"\xd7", b"\xd8", b"\xfe", b"\x7f" * 9, b"\x80")))


def plain(data: bytes, at: int, *, restarts: bool) -> int:
    for k in range(at, len(data)):
        after = data[k + 1 : k + 2]
        passed = after == b"\0" or (restarts and b"\xd0" <= after <= b"\xd7" and after != b"")
        if data[k] == 0xFF and not passed and after:
            return k
    return -1


@given(CODED, st.integers(0, 40), st.booleans())
def test_it_finds_what_a_plain_loop_finds(parts: list[bytes], at: int, restarts: bool) -> None:
    data = b"".join(parts)
    assert markers.next_marker(data, at, restarts=restarts) == plain(data, at, restarts=restarts)


def test_every_place_of_a_marker() -> None:
    """At every distance from the start and the end, among bytes that look alike."""
    for size in range(2, 40):
        for place in range(size - 1):
            data = bytes(0xFE for _ in range(place)) + b"\xff\xd9" + bytes(0x7F for _ in range(size - place - 2))
            assert markers.next_marker(data, 0, restarts=False) == place
            assert markers.next_marker(data, place + 1, restarts=True) == -1


def test_a_library_that_is_not_there_or_is_something_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "other").with_suffix(host.LIBRARY).write_bytes(b"not a library")
    for name in ("missing", "other"):
        with pytest.raises(MissingPart, match="missing or of another machine"):
            library.function(tmp_path / name, "medimg_scan", None)
    with pytest.raises(MissingPart, match="another version"):
        library.function(scans.LIBRARY, "no_such_function", None)
    assert kernel.load() is kernel.load()
    with pytest.raises(MissingPart, match="another version"):
        kernel.load(scans.LIBRARY)
