"""A fault nobody foresaw: where it happened is kept, what it said is not; and the bundle that carries it on."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import Scrubber
from medimg.cli.doctor import doctor
from medimg.engine.batch import scrub_folder
from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.errors import MedimgError
from medimg.formats import filename, png
from medimg.policy import Policy
from medimg.types import Check, Report, to_json

MARK = "Margaret-Whitcombe-1961"
LIGHT = Policy(scope="metadata-only")
PLACE = re.compile(r"medimg(\.\w+)*:\d+")


def photo() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((40, 50, 3), 120, np.uint8)).save(out, "PNG")
    return out.getvalue()


def _fails(*_: object, **__: object) -> Any:
    raise KeyError(MARK)


def test_a_fault_in_the_pipeline_keeps_its_place_and_not_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png.Png, "write", _fails)
    report = Scrubber(LIGHT).scrub(photo()).report
    assert report.state == "held"
    assert re.search(r"\(KeyError in medimg\.still:\d+\)", report.reason), report.reason
    kind, *places = report.fault.split()
    assert kind == "KeyError"
    assert places
    assert all(PLACE.fullmatch(p) for p in places)
    assert MARK.encode() not in to_json(report)


def test_a_fault_in_a_detector_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        version = "fake"

        def __init__(self, name: str) -> None:
            self.name = name

        def find(self, frame: object, known: object = None) -> list[Any]:
            return filename.findings(MARK, known=self)  # type: ignore[arg-type]

        def recheck(self, *_: object) -> tuple[list[Any], str]:
            return [], "fake"

    report = Scrubber(Policy(), detectors=[Broken(n) for n in ("text", "codes", "faces")]).scrub(photo()).report
    assert report.error_code == "M-HOLD-NOTRUN"
    assert re.search(r"\(AttributeError in medimg\.\w+(\.\w+)*:\d+\)", report.reason), report.reason
    assert MARK.encode() not in to_json(report)


def test_a_fault_in_a_worker_process_comes_back_with_its_place() -> None:
    with Workers(Setup(policy=LIGHT), 1) as pool:
        future = pool.submit(filename.findings, MARK, (), 7, seconds=200.0)
        pool.wait()
        with pytest.raises(MedimgError) as caught:
            pool.result(future)
    assert re.search(r"\(\w+Error in medimg\.formats\.filename:\d+\)", caught.value.what), caught.value.what
    assert MARK not in str(caught.value)


def test_frames_that_only_call_themselves_ours_do_not_count() -> None:
    from medimg import faults

    code = compile("raise ValueError", MARK, "exec")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        exec(code, {"__name__": f"medimg.{MARK}"})
    assert faults.places(caught.value) == ()
    assert faults.kind(caught.value) == "ValueError"


def bundle(path: Path, *runs: Path) -> str:
    done = CliRunner().invoke(doctor, [*map(str, runs), "--bundle", str(path)], standalone_mode=False)
    assert done.exception is None, done.output
    return path.read_text()


def test_the_bundle_holds_versions_places_and_timings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / MARK).mkdir()
    (tmp_path / MARK / f"{MARK}.png").write_bytes(photo())
    (tmp_path / MARK / "bad.png").write_bytes(photo()[:60])
    out = scrub_folder([tmp_path / MARK], tmp_path / "out", policy=LIGHT, keep_key=True, fail_on=())
    reports = out.folder / "PRIVATE-patient-record" / "reports.json"
    content = json.loads(reports.read_bytes())
    content[0]["fault"] = "KeyError medimg.pipeline:12 medimg.formats.filename:40"
    reports.write_text(json.dumps(content))
    text = bundle(tmp_path / "bundle.json", out.folder)
    made = json.loads(text)
    assert made["packages"]["pillow"]
    (run,) = made["runs"]
    assert run["photos"] == 2
    assert sum(run["states"].values()) == 2
    assert run["faults"] == {"KeyError medimg.pipeline:12 medimg.formats.filename:40": 1}
    assert run["seconds"]["open"]["most"] >= 0
    for secret in (MARK, "Whitcombe", str(tmp_path), "P01", out.folder.name, "2026"):
        assert secret not in text.replace(made["packages"]["distributed"], "")


def test_the_bundle_counts_every_check_and_format_by_its_name(tmp_path: Path) -> None:
    report = Report(
        safe_id="P01-001",
        state="unreviewed",
        format="gif",
        checks=(Check(name="coded-data", state="not-asked"), Check(name="text", state="passed")),
    )
    (tmp_path / "PRIVATE-patient-record").mkdir()
    (tmp_path / "PRIVATE-patient-record" / "reports.json").write_bytes(to_json([report]))
    (run,) = json.loads(bundle(tmp_path / "bundle.json", tmp_path))["runs"]
    assert run["checks"] == {"coded-data not-asked": 1, "text passed": 1}
    assert run["formats"] == {"gif": 1}


words = st.one_of(st.just(MARK), st.text(min_size=1, max_size=30).map(lambda t: MARK + t))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nothing_of_a_report_passes_but_numbers_and_known_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    from medimg.cli import bundle as _bundle

    report = json.loads(to_json(Report(safe_id="P01-001", state="held")))
    check = {"name": data.draw(words), "state": "passed", "engine": data.draw(words), "detail": data.draw(words)}
    report |= {name: data.draw(words) for name in ("safe_id", "format", "error_code", "reason", "policy_digest")}
    report |= {"engines": {data.draw(words): data.draw(words)}, "seconds": {data.draw(words): 1.0}, "checks": [check]}
    report["fault"] = data.draw(
        st.sampled_from(
            [
                f"{MARK} medimg.formats.filename:4",
                f"KeyError medimg.{MARK}:4 {MARK}",
                f"KeyError medimg.formats.filename:{MARK}",
                MARK,
            ]
        )
    )
    folder = tmp_path_factory.mktemp("run")
    (folder / "PRIVATE-patient-record").mkdir()
    (folder / "PRIVATE-patient-record" / "reports.json").write_text(json.dumps([report]))
    made = to_json(_bundle.make(["pillow"], {}, [folder])).decode()
    assert "Whitcombe" not in made
    assert "P01" not in made
    assert f'"{_bundle.OTHER}"' in made
