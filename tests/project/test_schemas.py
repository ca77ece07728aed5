"""What is written for other programs: its published form, and that files of earlier versions still open."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from medimg import schemas
from medimg.types import from_json, to_json

ROOT = Path(__file__).resolve().parents[2]
OLD = sorted((ROOT / "fixtures").glob("written-by-*/*.json"))


@pytest.mark.parametrize("name", schemas.RECORDS)
def test_the_published_schema_is_that_of_the_record(name: str) -> None:
    published = (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_bytes()
    assert published == to_json(schemas.schema(name)), "python -m medimg.schemas docs/schemas"


def test_the_schemas_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "medimg.schemas", str(tmp_path / "new")], check=True)
    assert {p.name for p in (tmp_path / "new").iterdir()} == {f"{name}.schema.json" for name in schemas.RECORDS}


def test_every_record_has_a_file_of_an_earlier_version() -> None:
    assert {p.stem for p in OLD} == set(schemas.RECORDS)


@pytest.mark.parametrize("path", OLD, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_file_of_an_earlier_version_opens_and_fits_its_schema(path: Path) -> None:
    data = path.read_bytes()
    record = from_json(data, schemas.RECORDS[path.stem])
    assert from_json(to_json(record), schemas.RECORDS[path.stem]) == record
    validator = validator_for(schemas.schema(path.stem))
    assert validator.is_valid(json.loads(data)), [e.message for e in validator.iter_errors(json.loads(data))]
    assert validator.is_valid(json.loads(to_json(record)))
    written = json.loads(to_json(record))
    assert written.get("schema") == json.loads(data).get("schema")
