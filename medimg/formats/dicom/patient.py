"""Who a DICOM photograph is of, where a host system says so."""

from __future__ import annotations

import msgspec


class Patient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host system writes into a header it makes itself; empty by default.

    Attributes:
        name: Patient's Name, ``Family^Given``.
        id: Patient ID.
        birth_date: ``YYYYMMDD``.
        sex: ``M``, ``F`` or ``O``.
        accession: Accession Number.
        study: Study Instance UID to belong to; a new one when empty.
        series: Series Instance UID; a new one when empty.
    """

    name: str = ""
    id: str = ""
    birth_date: str = ""
    sex: str = ""
    accession: str = ""
    study: str = ""
    series: str = ""
