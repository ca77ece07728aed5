"""medimg makes a clinical photograph safer to share.

It covers what identifies a person, leaves the medicine untouched, checks the written copy again, and reports what
was found and done. The public names are the ones below; everything loads on first use.
"""

from __future__ import annotations

__version__ = "0.1.0"
