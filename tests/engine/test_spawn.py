"""What a worker process loads before its first photo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
{first}
from medimg.engine import spawn
if __name__ == "__main__":
    child = spawn.context().Process(target=exec, args=("import sys; print(*sys.modules)",))
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""


@pytest.mark.parametrize(
    ("first", "loaded"),
    [("from medimg.cli.main import main", False), ("import click\nmain = click.command", True), ("import click", True)],
    ids=["the command", "another command", "a host's script"],
)
def test_a_worker_of_the_command_does_not_load_the_command_line(tmp_path: Path, first: str, loaded: bool) -> None:
    """A host's script is loaded as ever: what its workers are to do may stand there."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(first=first))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    modules = done.stdout.split()
    assert "multiprocessing.spawn" in modules
    assert ("click" in modules) == loaded


def test_a_worker_loads_no_mail_and_no_web_client() -> None:
    code = "import sys; loaded = set(sys.modules); import medimg.engine.pool; print(*set(sys.modules) - loaded)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    modules = done.stdout.split()
    assert "medimg.run.storage" in modules, done.stderr
    assert {"urllib.request", "http.client", "email.parser"}.isdisjoint(modules)
