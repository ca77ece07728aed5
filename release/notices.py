"""Third-party notices of an installed medimg, and a check of their licences.

    python release/notices.py [--extras serve pdf ...] > THIRD-PARTY-NOTICES.txt

Walks what medimg and the named extras require in this environment, writes name, version, licence and the licence texts
that the packages carry, and fails when one of them can only be had under the GPL or AGPL, or says nothing about its
licence. What a wheel says of itself is all that is read here; what is bundled inside wheels stands in
docs/release.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TEXTS = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
STRONG = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )(?<!Library or )General Public License", re.IGNORECASE)
"""GPL and AGPL, and not LGPL."""
SAID_ELSEWHERE = {
    "pebble": "LGPL-3.0-or-later",  # its metadata says "LGPL"; the licence file is version 3
}


def closure(extras: list[str]) -> dict[str, metadata.Distribution]:
    """Name -> distribution of everything medimg needs here with these extras, without medimg."""
    found: dict[str, metadata.Distribution] = {}
    queue: list[tuple[str, frozenset[str]]] = [("medimg", frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while queue:
        name, wanted = queue.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        dist = metadata.distribution(name)
        found[canonicalize_name(name)] = dist
        for text in dist.requires or ():
            need = Requirement(text)
            if any(need.marker is None or need.marker.evaluate({"extra": e}) for e in (*wanted, "")):
                queue.append((canonicalize_name(need.name), frozenset(need.extras)))
    del found["medimg"]
    return dict(sorted(found.items()))


def licence(dist: metadata.Distribution) -> str:
    """What a package says of its licence: the expression, else the short field, else the classifiers."""
    meta = dist.metadata
    name = canonicalize_name(meta["Name"])
    if name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[name]
    if meta.get("License-Expression"):
        return str(meta["License-Expression"])
    classes = [c.split(" :: ")[-1] for c in meta.get_all("Classifier") or () if c.startswith("License ::")]
    short = (meta.get("License") or "").strip().split("\n")[0]
    return "; ".join(c for c in classes if c != "OSI Approved") or short


def allowed(said: str) -> bool:
    """Whether one of the choices of an SPDX expression is neither GPL nor AGPL; classifiers count together."""
    return bool(said) and any(not STRONG.search(choice) for choice in re.split(r"\s+OR\s+", said))


def texts(dist: metadata.Distribution) -> list[str]:
    """The licence files a package carries."""
    out = []
    for file in dist.files or ():
        if ".dist-info" in str(file) and TEXTS.search(file.name):
            try:
                out.append(file.read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError):
                continue
    return out


def main() -> int:
    """Print the notices; 1 when a licence is not allowed or not known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", default=[])
    given = parser.parse_args()
    bad = []
    for name, dist in closure(given.extras).items():
        said = licence(dist)
        if not allowed(said):
            bad.append(f"{name} {dist.version}: {said or 'says nothing of its licence'}")
        print(f"{'=' * 100}\n{name} {dist.version}\nLicence: {said}\n")
        for text in texts(dist):
            print(text + "\n")
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
