"""Recorded walks through the terminal, as text: ``python tests/consent/test_walks.py`` records them anew."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import pytest
from acts_kit import fresh, start, walked
from release_kit import call
from sheets_kit import run_folder

from medimg.acts import Input, Screen
from medimg.cli.answer import answer
from medimg.consent.context import SharingContext

WALKS = Path(__file__).with_name("walks")
CASES = {
    "three-patients-closed-group-AU": ("closed-group", "AU", {"P01": 1, "P02": 1, "P03": 1}),
    "public-post-UK": ("public", "UK", {"P01": 1}),
    "publication-US": ("publication", "US-HIPAA", {"P01": 1}),
    "colleague-opinion-AU": ("colleague-opinion", "AU", {"P01": 1}),
}


def typed(audience: str, country: str, groups: dict[str, int]) -> str:
    """The lines that somebody types to whom all is well."""
    lines: list[str] = []

    def see(shown: Screen, given: Input) -> None:
        lines.extend(given.fields.get(f.name, "") for f in shown.fields)
        lines.append(" ".join([*given.ticks, given.key]).strip())

    state, reports = fresh(audience, (country,), groups)
    walked(start(state, reports), see=see)
    return "\n".join(lines) + "\n"


def recorded(folder: Path, case: str) -> tuple[str, int]:
    audience, country, groups = CASES[case]
    out = folder / "medimg-R7Q4"
    run_folder(out, groups, context=SharingContext(audience=audience, jurisdictions=(country,)), actions=())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = call(answer, out.name, input=typed(audience, country, groups))
    return re.sub(r"[ \t]+$", "", result.output, flags=re.M), result.exit_code


@pytest.mark.parametrize("case", CASES)
def test_a_walk_ends_in_a_release_and_is_as_recorded(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    text, code = recorded(tmp_path, case)
    assert code == 0, text[-1500:]
    copies = sum(CASES[case][2].values())
    assert len(list((tmp_path / "medimg-R7Q4" / "share").iterdir())) == copies
    assert text == (WALKS / f"{case}.txt").read_text("utf-8")


if __name__ == "__main__":
    WALKS.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in CASES:
            here = Path(tempfile.mkdtemp())
            patch.setenv("MEDIMG_CARDS", str(here / "cards"))
            patch.setenv("MEDIMG_REGISTER", str(here / "register.sqlite"))
            (WALKS / f"{name}.txt").write_text(recorded(here, name)[0], "utf-8")
