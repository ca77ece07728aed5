"""How many threads one photo may use, and what runs beside what; the same for every model."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


def threads() -> int:
    """Threads for one photo: ``MEDIMG_THREADS``, 1 to 64; 2 when unset or not a number."""
    try:
        return min(max(int(os.environ.get("MEDIMG_THREADS", "2")), 1), 64)
    except ValueError:
        return 2


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """What two calls return; they run at the same time where more than one thread is allowed.

    Both have ended when this returns or raises. When both raise, the exception of the first counts.
    """
    if threads() < 2:
        return first(), second()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "medimg") as pool:
        other = pool.submit(second)
        return first(), other.result()


def each(call: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """What ``call`` returns for every item, in their order; the first item, as the longest job, beside the rest."""
    first, rest = both(lambda: [call(i) for i in items[:1]], lambda: [call(i) for i in items[1:]])
    return first + rest


ARENA = 512 << 20
"""First region of the networks' working memory, in bytes of address space; what is never used of it is never taken. It
holds what the largest picture asks for (the text finder on 1600 x 1600): a region that has to grow doubles, and the
pieces of one cannot serve for what is larger than it."""


@cache
def _share_an_arena() -> None:
    """Register the arena with onnxruntime, which keeps it for the whole process; a second one changes nothing."""
    from medimg.native.onnxruntime import onnxruntime as ort

    where = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(where, ort.OrtArenaCfg({"initial_chunk_size_bytes": ARENA}))


def session_options(*, most: int = 64) -> Any:
    """``onnxruntime.SessionOptions`` for every network.

    All sessions share one arena that keeps its memory between runs: they work one after the other, and pages would be
    asked from the system and zeroed in every run. Measured with four networks in turns, one thread (processor seconds
    of a pass of the text finder at 1600 x 1216 and of ten batches of the reader, peak memory of the process): in an
    arena that doubles, the reader outside it, 0.64 s, 2.18 s, 752 MiB; all in one of :data:`ARENA` 0.68 s, 1.90 s,
    506 MiB. Without any a pass took 1.09 s. A plan of the memory for every shape seen took 280 MiB more.

    Args:
        most: Most threads the network has work for.
    """
    from medimg.native.onnxruntime import onnxruntime

    _share_an_arena()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(threads(), most)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Threads that spin while they wait double the processor time, and treble the wall time on a busy machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
