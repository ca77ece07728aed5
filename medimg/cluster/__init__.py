"""Several computers for one batch (extra ``medimg[cluster]``): Dask carries references to photos, never pixels.

Whoever can reach the scheduler with a certificate can run code on every worker: that is how Dask works. Therefore every
connection is TLS with certificates on both sides, on loopback too. What medimg itself sends are records of its own
(:mod:`medimg.cluster.messages`).
"""

from __future__ import annotations

import secrets
import uuid

# Dask names things by uuid1. As root, libuuid would keep a clock file for that under /var/lib, and the names would hold
# the address of the network card; with Python's own way and a random number instead of the address, neither happens.
vars(uuid).update(_generate_time_safe=None, _UuidCreate=None, _node=secrets.randbits(48) | 1 << 40)
