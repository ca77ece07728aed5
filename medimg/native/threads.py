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


@cache
def _share_an_arena() -> None:
    """Register the arena with onnxruntime, which keeps it for the whole process; a second one changes nothing."""
    from medimg.native.onnxruntime import onnxruntime as ort

    where = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(where, None)


def session_options(*, arena: bool, most: int = 64) -> Any:
    """``onnxruntime.SessionOptions`` for every network.

    Args:
        most: Most threads the network has work for.
        arena: Whether the session keeps its working memory between runs. That pays for large pictures, whose pages
            would be asked from the system and zeroed in every run. Measured on the text finder at 1600 x 1216, one
            thread (processor seconds, peak memory): no arena 0.85 s, 567 MiB; arena 0.70 s, 647 MiB; arena without a
            memory plan, which is kept for every shape seen, 0.72 s, 479 MiB. All such sessions share one arena:
            they work one after the other, and a worker's peak at 12 megapixels fell from 848 to 795 MiB.
    """
    from medimg.native.onnxruntime import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(threads(), most)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = False
    if arena:
        _share_an_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    # Threads that spin while they wait double the processor time, and treble the wall time on a busy machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
