"""Several computers for one batch (extra ``medimg[cluster]``): Dask carries references to photos, never pixels.

Whoever can reach the scheduler with a certificate can run code on every worker: that is how Dask works. Therefore every
connection is TLS with certificates on both sides, on loopback too. What medimg itself sends are records of its own
(:mod:`medimg.cluster.messages`).
"""
