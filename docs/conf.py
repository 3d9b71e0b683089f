"""Sphinx: the site that ``make docs`` builds from this folder, offline."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # the checkout's own shoal is documented

import shoal  # noqa: E402

project = "shoal"
author = "The shoal maintainers"
copyright = "2026, The shoal maintainers"
release = shoal.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring links to that name where it is documented
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "shoal"
html_show_sourcelink = False
html_static_path: list[str] = []


CONVENTION = """\
Inputs come first: DATA, then CHECKPOINT, then whatever else is read. What a command must be told to
write comes last. What it writes by default has an option, and an option means the same in every
command. Square brackets mark what may be left out.
"""


def table_of_commands() -> str:
    """A row for each command: what it reads, and what it writes."""
    from typer.main import get_command

    from shoal.cli import app

    rows = ["| command | reads | writes |", "|---|---|---|"]
    for name, command in get_command(app).commands.items():
        reads, writes = command.reads_and_writes()
        cells = [f"[`{name}`](#shoal-{name})", " ".join(reads), " ".join(writes)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def write_commands() -> None:
    """``reference/commands.md``, which typer writes from the command line itself."""
    command = [sys.executable, "-m", "typer", "shoal.cli", "utils", "docs", "--name", "shoal"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent)
    text = done.stdout.replace("# `shoal`\n", "# Commands\n", 1)
    # The list of commands in full: typer cuts each description off after some 45 characters.
    for name, about in re.findall(r"^## `shoal (\w+)`\n\n(.+?)\n\n", text, re.M | re.S):
        whole = f"* [`{name}`](#shoal-{name}): {' '.join(about.split())}"
        text = re.sub(rf"^\* `{name}`: .*$", lambda _, whole=whole: whole, text, flags=re.M)
    text = text.replace("# Commands\n", f"# Commands\n\n{CONVENTION}\n{table_of_commands()}\n", 1)
    path = HERE / "reference" / "commands.md"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


write_commands()
