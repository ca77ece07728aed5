"""What a monitoring system may know of the HTTP worker: counts, durations, the queue; no value of a photo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from medimg.errors import MedimgError
from medimg.serve.answers import OtherBody
from medimg.serve.slots import Busy

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BUCKETS = (0.1, 0.3, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120, 300)
"""Seconds: a metadata-only copy takes a tenth of one, a photo in a default policy at most 300."""


class Metrics:
    """Counters of one server, in a registry of their own.

    Args:
        taken: How many photos are in work or wait.
    """

    def __init__(self, taken: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._photos = Counter(
            "medimg_photos", "Photos by what became of them: a state, or the code of an error.", ["became"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "medimg_photo_seconds", "From the first byte to the answer.", buckets=BUCKETS, registry=self._registry
        )
        Gauge("medimg_photos_taken", "Photos in work or waiting.", registry=self._registry).set_function(taken)

    def waiting(self, jobs: Callable[[], int]) -> None:
        """Show also how many jobs wait."""
        Gauge("medimg_jobs_waiting", "Jobs that wait.", registry=self._registry).set_function(jobs)

    @contextmanager
    def photo(self) -> Iterator[list[str]]:
        """Time one photo; what became of it is put into the list, and an error counts by its code."""
        became: list[str] = []
        start = time.monotonic()
        try:
            yield became
        except MedimgError as error:
            became.append(error.code)
            raise
        except Busy:
            became.append("busy")
            raise
        except OtherBody:
            became.append("M-HTTP-KEY")
            raise
        finally:
            self._seconds.observe(time.monotonic() - start)
            self._photos.labels(became[0] if became else "ended").inc()

    def exposition(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self._registry)


__all__ = ["CONTENT_TYPE", "Metrics"]
