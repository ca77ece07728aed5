"""A pass over a DICOM archive: photographs become covered copies under new identifiers, series stay together.

Needs pydicom, to look at what came out; medimg itself reads and writes DICOM without it.
"""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from pathlib import Path

import pydicom

import medimg


def run(archive: Path, out: Path, scrubber: medimg.Scrubber) -> Counter[str]:
    """Copy every object of ``archive`` that can be cleaned; how many by outcome."""
    out.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    for path in sorted(archive.rglob("*.dcm")):
        with pydicom.dcmread(path, stop_before_pixels=True) as header:  # the archive knows whose it is
            known = medimg.KnownValues(names=(str(header.get("PatientName", "")).replace("^", " "),))
        made = scrubber.scrub(path, known=known)
        if made.data is None:
            counts[f"{made.report.state}: {made.report.error_code}"] += 1
            continue
        (out / "new.part").write_bytes(made.data)
        new = pydicom.dcmread(out / "new.part", stop_before_pixels=True)
        (out / "new.part").rename(out / f"{new.SOPInstanceUID}.dcm")
        counts[made.report.state] += 1
    return counts


if __name__ == "__main__":
    # One key for the whole pass: the same study, series and instance get the same new identifiers.
    print(run(Path(sys.argv[1]), Path(sys.argv[2]), medimg.Scrubber(key=secrets.token_bytes(32))))
