"""``medimg explain``: the policy in plain words."""

from __future__ import annotations

from pathlib import Path

import click

from medimg import policy
from medimg.cli import common
from medimg.words import said


@click.command()
@common.policy_options
def explain(policy_file: Path | None, metadata_only: bool) -> int:
    """Say in plain words what the policy does."""
    settings = common.read_policy(policy_file, metadata_only)
    for sentence in policy.explain(settings):
        common.say(f"- {said(sentence)}")
    return 0
