"""What stands in deploy/: every command line is one that medimg takes, and the files pass the checks of their kinds."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from medimg.cli.main import cli

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))
UNITS = sorted(DEPLOY.glob("*.service"))


def commands() -> dict[str, list[str]]:
    """Where a command line stands -> its words behind the program's name."""
    found = {f"compose {name}": service["command"] for name, service in COMPOSE["services"].items()}
    for unit in UNITS:
        line = next(x for x in unit.read_text("utf-8").splitlines() if x.startswith("ExecStart="))
        found[unit.name] = shlex.split(line.removeprefix("ExecStart="))[1:]
    found["kubernetes"] = KUBERNETES[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


@pytest.mark.parametrize("where", commands())
def test_a_command_line_is_one_that_medimg_takes(where: str) -> None:
    name, *words = commands()[where]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, list(words))  # raises for an option or a value that is not there


def test_units_are_sound() -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    done = subprocess.run([program, "verify", *UNITS], capture_output=True, text=True, timeout=600, check=False)
    complaints = [x for x in done.stderr.splitlines() if "is not executable: No such file" not in x]
    assert not complaints
    assert len(UNITS) == 2
    for unit in UNITS:  # exposure 1.0 of 10 at most
        graded = [program, "security", "--offline=true", "--threshold=10", unit]
        assert subprocess.run(graded, capture_output=True, timeout=600, check=False).returncode == 0


def test_nothing_goes_into_the_image_but_what_medimg_is_made_of() -> None:
    given = [x.split() for x in (DEPLOY / "Containerfile").read_text("utf-8").splitlines() if x.startswith("COPY ")]
    taken = {name for words in given if not words[1].startswith("--") for name in words[1:-1]}
    assert taken == {"pyproject.toml", "README.md", "LICENSE", "medimg"}


@pytest.mark.parametrize(
    "name", ["token", "key.pem", "certs/ca-key.pem", "jobs/key", "deploy/token", "deploy/inbox/a.jpg"]
)
def test_what_the_documentation_has_people_make_in_a_checkout_is_not_committed(name: str) -> None:
    git = ["git", "-C", str(DEPLOY.parent), "check-ignore", "-q", name]
    assert subprocess.run(git, timeout=600, check=False).returncode == 0


def test_manifests_are_of_the_published_form_and_lock_the_container() -> None:
    for manifest in KUBERNETES:
        kubernetes_validate.validate(manifest, "1.30", strict=True)
    pod = KUBERNETES[0]["spec"]["template"]["spec"]
    for container in (*pod["initContainers"], *pod["containers"]):
        locked = container["securityContext"]
        assert locked["readOnlyRootFilesystem"]
        assert not locked["allowPrivilegeEscalation"]


def test_the_health_check_tells_a_worker_that_answers_from_none(tmp_path: Path) -> None:
    given = COMPOSE["services"]["serve"]["healthcheck"]["test"]
    assert given[:3] == ["CMD", "python3", "-c"]
    check = [sys.executable, "-c", given[3].replace("/run/medimg/medimg.sock", str(tmp_path / "s"))]
    assert subprocess.run(check, capture_output=True, timeout=600, check=False).returncode != 0
    (tmp_path / "token").write_text("0123456789abcdef" * 3)
    (tmp_path / "token").chmod(0o600)
    serve = ["serve", "--socket", str(tmp_path / "s"), "--token-file", str(tmp_path / "token"), "--metadata-only"]
    running = subprocess.Popen([sys.executable, "-m", "medimg", *serve], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 200
        while subprocess.run(check, capture_output=True, timeout=600, check=False).returncode != 0:
            assert running.poll() is None
            assert time.monotonic() < until
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(100) == 0
