"""What is known of a photo while it is handled."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from medimg import formats
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Check, CopySummary, Plan, Report
from medimg.vocabulary import PhotoState

if TYPE_CHECKING:
    from medimg.detect import Detector
    from medimg.detect.answers import Answers
    from medimg.formats.sequence import Series


class Record:
    """What is known of the photo so far; becomes the report whatever happens."""

    def __init__(self, safe_id: str, policy: Policy, detectors: Sequence[Detector]) -> None:
        self.safe_id, self.policy = safe_id, policy
        self.engines = {d.name: d.version for d in detectors}
        runtime = sys.modules.get("medimg.native.onnxruntime")  # a metadata-only run does not load it
        if runtime is not None and detectors and runtime.concern:
            self.engines["onnxruntime"] = f"onnxruntime {runtime.onnxruntime.__version__}: {runtime.concern}"
        self.seconds: dict[str, float] = {}
        self.known = NOTHING_KNOWN
        self.opened: formats.Opened | None = None
        self.answers: Answers | None = None
        self.series: Series | None = None
        self.plan: Plan | None = None
        self.checks: list[Check] = []
        self.copy: CopySummary | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the wall time of what runs inside; stages of different names may run at the same time."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)

    def report(self, state: PhotoState, error: MedimgError | None = None) -> Report:
        """The report of the photo as it stands."""
        return Report(
            safe_id=self.safe_id,
            state=state,
            format=self.opened.name if self.opened else "",
            width=self.opened.width if self.opened else 0,
            height=self.opened.height if self.opened else 0,
            plan=self.plan,
            checks=tuple(self.checks),
            copy=self.copy,
            error_code=error.code if error else "",
            exit_code=error.exit_code if error else 0,
            reason=f"{error.what} {error.todo}".strip() if error else "",
            fault=error.fault if error else "",
            scope=self.policy.scope,
            policy_digest=self.policy.digest,
            engines=self.engines,
            seconds=self.seconds,
            least_letters=self._least_letters(),
        )

    def _least_letters(self) -> int:
        if self.opened is None or "text" not in self.engines:
            return 0
        from medimg.detect.text.letters import least_height

        closer = self.answers is not None and not self.answers.cut_short
        return least_height(self.opened.width, self.opened.height, closer=closer)
