"""The search for the end of coded JPEG data: the reader's and the audit's, compiled and in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medimg.audit import scans
from medimg.formats.jpeg import _markers

CODED = st.lists(st.sampled_from((b"\xff", b"\0", b"\xff\0", b"\xd0", b"\xd7", b"\xd8", b"\xfe", b"\x7f" * 9, b"\x80")))


def plain(data: bytes, at: int, *, restarts: bool, open_end: bool) -> int:
    for k in range(at, len(data)):
        after = data[k + 1 : k + 2]
        passed = after == b"\0" or (restarts and b"\xd0" <= after <= b"\xd7" and after != b"")
        if data[k] == 0xFF and not passed and (after or open_end):
            return k
    return -1


@given(CODED, st.integers(0, 40), st.booleans())
def test_each_finds_what_a_plain_loop_finds(parts: list[bytes], at: int, restarts: bool) -> None:
    data = b"".join(parts)
    for search, open_end in ((_markers.next_marker, False), (scans.coded_end, True)):
        assert search(data, at, restarts=restarts) == plain(data, at, restarts=restarts, open_end=open_end)
    assert _markers.in_python(data, at, restarts=restarts) == _markers.next_marker(data, at, restarts=restarts)
    assert scans.in_python(data, at, restarts=restarts) == scans.coded_end(data, at, restarts=restarts)


@pytest.mark.parametrize("search", [_markers.next_marker, scans.coded_end])
def test_every_place_of_a_marker(search: Callable[..., int]) -> None:
    """At every distance from the start and the end, among bytes that look alike."""
    for size in range(2, 40):
        for place in range(size - 1):
            data = bytes(0xFE for _ in range(place)) + b"\xff\xd9" + bytes(0x7F for _ in range(size - place - 2))
            assert search(data, 0, restarts=False) == place
            assert search(data, place + 1, restarts=True) == -1


@pytest.mark.parametrize("module", [_markers, scans])
def test_a_library_of_something_else_is_not_used(module: object, tmp_path: Path) -> None:
    other = tmp_path / "other.so"
    other.write_bytes(b"not a library")
    assert module.compiled(other) is None  # type: ignore[attr-defined]
    assert module.compiled(tmp_path / "missing.so") is None  # type: ignore[attr-defined]
