"""What goes over the wire: records as JSON, which is decoded with a type, and never unpickled."""

from __future__ import annotations

import hashlib

import msgspec

from medimg.engine.worker import Job
from medimg.policy import Policy
from medimg.types import KnownValues, Report


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker must agree to before its first photo.

    Attributes:
        version: medimg's version.
        policy: The settings.
        policy_digest: Their digest at the coordinator; a worker with another notion of a setting comes to another one.
        engines: Detector -> engine, version and model digests at the coordinator.
        make: Module and function that load the detectors.
        known: Values the caller knows; in memory only.
    """

    version: str
    policy: Policy
    policy_digest: str
    engines: dict[str, str]
    make: str
    known: KnownValues

    @property
    def key(self) -> bytes:
        """Tells one setting from another."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).digest()


class Chunk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Photos for a worker. ``staging`` is a folder or URL of this attempt alone: nobody else writes there."""

    setting: Setting
    jobs: tuple[Job, ...]
    staging: str
    seconds: float


class Done(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a chunk: a report for each photo; or why the worker did not begin."""

    worker: str
    reports: tuple[Report, ...] = ()
    refused: str = ""


class Sight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Places that a worker is asked about: the setting it must agree to, and files it must be able to see."""

    setting: Setting
    paths: tuple[bytes, ...] = ()


class Reach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A worker's answer: why it cannot take part (empty: it can), and how many of the paths it does not see."""

    refused: str = ""
    missing: int = 0
