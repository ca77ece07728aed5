"""The README says what the program does: held to the commands themselves."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import medimg
from medimg.cli.main import COMMANDS, cli
from medimg.policy import Policy, explain

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_policy_page_says_what_explain_prints() -> None:
    page = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    block = page.split("<!-- explain -->")[1].split("<!-- /explain -->")[0]
    said = [" ".join(line.split()) for line in re.split(r"^- ", block, flags=re.MULTILINE)[1:]]
    assert said == explain(Policy.load())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    named = {*re.findall(r"^medimg ([a-z][a-z-]*)", fenced, re.MULTILINE), *re.findall(r"`medimg ([a-z][a-z-]*)", text)}
    assert named <= set(COMMANDS)


def options(command: click.Command) -> set[str]:
    """Every way to write an option of a command, and of the commands below it."""
    found = {
        "--help",
        *(o for p in command.params if isinstance(p, click.Option) for o in (*p.opts, *p.secondary_opts)),
    }
    context = click.Context(command)
    below = command.list_commands(context) if isinstance(command, click.Group) else []
    return found.union(*(options(command.get_command(context, name) or command) for name in below))  # type: ignore[attr-defined]


OPTIONS = {name: options(cli.get_command(click.Context(cli), name) or cli) for name in COMMANDS}
OF_SCRIPTS = {
    option
    for folder in ("benchmarks", "release", "fixtures")
    for script in (ROOT / folder).glob("*.py")
    for option in re.findall(r"""["'](--[a-z][a-z-]*)["']""", script.read_text("utf-8"))
}
EVERY_OPTION = set().union(*OPTIONS.values(), options(cli), OF_SCRIPTS)


def wrong_options(text: str) -> list[str]:
    """Options that a page names and no command has: beside a command, those of that command; alone, those of any."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```[a-z]*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(s.split()) for s in re.findall(r"`([^`]+)`", rest)]
    spans += [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    wrong = []
    for span in spans:
        asked = re.search(r"(?:^|[ (/])medimg ([a-z][a-z-]*)([^|;&#]*)", span)
        if asked is not None:
            known, said = OPTIONS.get(asked[1], set()), asked[2]
        elif span.startswith("--"):
            known, said = EVERY_OPTION, span
        else:
            continue
        named = re.findall(r"(?<![\w-])--?[a-z][a-z-]*(?![\w-])", said)
        wrong += [f"{option} in: {span}" for option in named if option not in known]
    return wrong


@pytest.mark.parametrize("page", [*PAGES, *(ROOT / "changes").glob("+*.md")], ids=lambda p: p.name)
def test_every_option_named_exists(page: Path) -> None:
    assert wrong_options(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "`medimg clean IN --metadata`",
        "`--quite`",
        "```\nmedimg watch IN \\\n  -x OUT\n```\n",
        "`medimg cluster worker --port 1 --x`",
    ],
)
def test_an_option_that_does_not_exist_is_noticed(text: str) -> None:
    assert len(wrong_options(text)) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def headings(page: Path) -> set[str]:
    """The anchors of a page, as the site and GitHub make them of its headings."""
    found = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S), re.MULTILINE
    )
    return {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w/.-]*)#([\w-]+)\)", page.read_text("utf-8")):
        assert anchor in headings(page.parent / target if target else page), f"{target}#{anchor}"


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_the_newest_entry_of_the_change_log_is_of_this_version() -> None:
    entries = re.findall(r"^## (\S+), \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert entries[0] == medimg.__version__


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 600
