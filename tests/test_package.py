"""The package as a whole: quick to import, and every public name is where it is said to be."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import shoal

ROOT = Path(__file__).parent.parent


DRAWS_OR_SCORES = ("matplotlib", "scipy.optimize", "sklearn", "faiss", "pyarrow", "openTSNE")


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("shoal, shoal.cli", ("torch", "numpy", "pandas", *DRAWS_OR_SCORES)),
        # What `shoal predict` imports; the rest takes a second, and it has no need of it.
        ("shoal.findings, shoal.opening, shoal.session", ("pandas", *DRAWS_OR_SCORES)),
    ],
)
def test_import_is_light(modules: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names() -> None:
    for name in shoal.__all__:
        assert getattr(shoal, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = shoal.nothing


def test_version_is_told_once() -> None:
    assert f'version = "{shoal.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_python_dash_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shoal", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"shoal {shoal.__version__}\n"


def test_every_command_that_readme_shows_exists() -> None:
    """Each `shoal COMMAND --option` of README is known to the command line."""
    from typer.main import get_command

    from shoal.cli import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    blocks = re.findall(r"```(?:sh|console|bash)\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    used = [line.removeprefix("$ ").split("#")[0].split() for line in lines]
    used = [words[1:] for words in used if words and words[0] == "shoal"]
    assert len(used) >= 5
    for name, *words in used:
        if name.startswith("-"):
            continue
        options = {option for parameter in commands[name].params for option in parameter.opts}
        for word in words:
            if word.startswith("-"):
                assert word.split("=")[0] in options, f"shoal {name} {word}"


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link and picture exists, and where it names a heading, so does that."""
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text(), re.M)
            anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in anchors, link
