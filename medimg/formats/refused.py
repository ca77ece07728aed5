"""Names for files that are recognised and not cleaned, so that the refusal says what the file is."""

from __future__ import annotations


def name_of(data: bytes) -> str:
    """A noun phrase (``a PDF document``) for a recognised kind that is not handled; empty when unknown."""
    if data.startswith(b"%PDF-"):
        return "a PDF document"
    return ""
