"""The HTTP worker (extra ``serve``): a program on this computer, or behind TLS, posts a photo and gets the copy.

``app``      routes, authentication, limits
``slots``    worker processes, one photo each at a time
``listen``   sockets and TLS: where it may listen
``once``     a request that is sent again
``jobs``     photos that are answered later, on the disk; ``later`` has their routes
``openapi``  the description of it all
"""

KEEP_HOURS = 24.0
"""How long the answer of a job is kept by default: what a nightly batch made is still there the next day."""
