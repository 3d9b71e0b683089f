"""The package as a whole: quick to import, typed, and the same when built and installed."""

from __future__ import annotations

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import shoal

ROOT = Path(__file__).parent.parent


DRAWS_OR_SCORES = ("matplotlib", "scipy.optimize", "sklearn", "faiss", "pyarrow", "openTSNE")


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("shoal, shoal.cli", ("torch", "numpy", "pandas", *DRAWS_OR_SCORES)),
        # What `shoal predict` imports; the rest takes a second, and it has no need of it.
        (
            "shoal.export.summaries, shoal.cli.opening_as_learned, shoal.cli.inference",
            ("pandas", *DRAWS_OR_SCORES),
        ),
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


def test_public_names_are_the_same_for_type_checkers() -> None:
    """What the imports under TYPE_CHECKING name is `__all__`, and each from its home."""
    tree = ast.parse((ROOT / "shoal/__init__.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    told = {
        name.name: node.module
        for node in imports
        if node.module and node.module.startswith("shoal.")
        for name in node.names
    }
    assert told == {name: f"shoal.{module}" for name, module in shoal._HOME.items()}
    assert {"__version__", *told} == set(shoal.__all__)


def test_a_users_file_is_type_checked(tmp_path: Path) -> None:
    """An editor knows the types of public names, and a misspelt one is an error."""
    (tmp_path / "theirs.py").write_text(
        "import shoal\n"
        'source = shoal.open_source("photos")\n'
        'checkpoint, table = shoal.fit(source, "best.pth", shoal.BEST)\n'
        "reveal_type(source)\n"
        "reveal_type(checkpoint)\n"
        "reveal_type(shoal.predict(source, checkpoint))\n"
        'reveal_type(shoal.find_similar(source, checkpoint, ["a.jpg"]))\n'
        "reveal_type(shoal.ImageClusterer().fit(source))\n"
        "reveal_type(shoal.BEST)\n"
        "shoal.find_simlar\n"
    )
    # Without the types of the libraries below, which these names do not need, it takes 4 s.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nignore_missing_imports = True\nfollow_imports = silent\nincremental = False\n"
        "[mypy-torch.*,scipy.*,sklearn.*,matplotlib.*,PIL.*,rich.*,typer.*,jinja2.*,pypdf.*]\n"
        "follow_imports = skip\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "theirs.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    assert re.findall(r'Revealed type is "(?:[\w.]+\.)?(\w+)"', done.stdout) == [
        "ImageSource", "Checkpoint", "ImageTable", "Similar", "ImageClusterer", "Recipe"
    ], done.stdout + done.stderr  # fmt: skip
    assert 'has no attribute "find_simlar"' in done.stdout


def test_only_what_draws_needs_the_drawing_libraries(
    images_file: Path, kinds: np.ndarray, tmp_path: Path, fast: Sequence[str]
) -> None:
    """Without matplotlib, reportlab and pypdf: every command that draws nothing, and Python."""
    code = (
        "import sys\n"
        "for name in ('matplotlib', 'reportlab', 'pypdf'): sys.modules[name] = None\n"
        "import shoal\n"
        "for name in shoal.__all__:\n"
        "    if name != 'report': getattr(shoal, name)\n"
        "from shoal.cli import app\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    assert not app(line.split(chr(9)), standalone_mode=False), line\n"
        "import numpy as np\n"
        "found = shoal.ImageClusterer.load('a.pth')\n"
        "found.reconstruct(np.load('images.npy'))\n"
        "assert found.fit(np.load('images.npy')[:20]).labels_.shape == (20,)\n"
    )
    shutil.copy(images_file, tmp_path / "images.npy")
    np.save(tmp_path / "labels.npy", kinds)
    (tmp_path / "names.csv").write_text("cluster,name\n0,red\n1,striped\n")
    commands = [
        ["train", "images.npy", "a.pth", "--quiet", *fast],
        ["predict", "images.npy", "a.pth", "a.csv", "--table", "a.parquet"],
        ["evaluate", "images.npy", "a.pth", "labels.npy"],
        ["evaluate", "images.npy", "a.pth", "--no-labels"],
        ["pairs", "images.npy", "a.pth", "pairs.csv"],
        ["name", "a.csv", "names.csv"],
        *(["export", "images.npy", "a.parquet", f"all.{kind}", "--as", kind]
          for kind in ("folders", "csv", "json", "parquet")),
        ["info", "a.pth"],
        ["info", "a.pth", "--json"],
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join("\t".join(command) for command in commands),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    for name in ("pairs.csv", "all.folders", "all.csv", "all.json", "all.parquet"):
        assert (tmp_path / name).exists(), name
    assert "red" in (tmp_path / "a.csv").read_text()


def test_the_demo_of_a_built_wheel_in_a_fresh_environment(tmp_path: Path) -> None:
    """As a stranger would run it, apart from this checkout: the slowest test, and the one that
    matters."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "shoal", copy / "shoal", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    environment = {**os.environ, "SHOAL_URL": "https://example.org/o/shoal"}
    environment.pop("PYTHONPATH", None)
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(copy)],
        check=True,
        env=environment,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        about = Parser().parsestr(archive.read(name).decode())
    assert (about["License-Expression"], about["Author"]) == ("MIT", "The shoal maintainers")
    assert "Source, https://example.org/o/shoal" in about.get_all("Project-URL", [])
    # PyPI shows README without the files beside it.
    assert "](https://example.org/o/shoal/raw/HEAD/docs/clusters.png)" in about.get_payload()
    assert not re.findall(r"\]\((?!https?:|#)", about.get_payload())

    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], check=True)
    python = str(fresh / "bin/python")
    subprocess.run(
        [*pip, "--python", python, "install", "--no-deps", str(wheel)], check=True, env=environment
    )
    # What it depends on is taken from here; what is editable here is not seen through a .pth file.
    (site,) = fresh.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done = subprocess.run(
        [str(fresh / "bin/shoal"), "demo"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if "shoal (" in line)
    accuracy, nmi, ari = (float(number) for number in re.findall(r"\d\.\d{3}", row))
    assert accuracy >= 0.95
    assert nmi > 0.9
    assert ari > 0.9
    assert "pixels + k-means" in done.stdout
    demo = tmp_path / "demo"
    with (demo / "prediction.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [str(i) for i in range(1797)]
    assert {row["label"] for row in rows} == {str(k) for k in range(10)}
    table = pq.read_table(demo / "table.parquet")
    assert table["label"].to_pylist() == [int(row["label"]) for row in rows]
    for picture in ("clusters.png", "map.png"):
        assert (demo / picture).stat().st_size > 10_000
    assert "<svg" in (demo / "report.html").read_text()
    where = [python, "-c", "import shoal; print(shoal.__file__)"]
    there = subprocess.run(where, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert there.stdout.startswith(str(fresh))


def test_version_is_told_once() -> None:
    assert f'version = "{shoal.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_python_dash_m_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shoal", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"shoal {shoal.__version__}\n"


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))], ids=lambda page: page.name
)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    """Each `shoal COMMAND --option`, in blocks and in sentences, is known to the command line."""
    from typer.main import get_command

    from shoal.cli import app

    if page.name == "commands.md":
        pytest.skip("written by typer, where the site was built")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"```(?:sh|console|bash)\n(.*?)```", text, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(shoal [a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.S))
    used = [line.removeprefix("$ ").split("#")[0].split() for line in lines]
    used = [words[1:] for words in used if words and words[0] == "shoal"]
    assert len(used) >= 5 or page.name != "README.md"
    for name, *words in used:
        if name.startswith("-"):
            continue
        options = {option for parameter in commands[name].params for option in parameter.opts}
        for word in words:
            if word.startswith("-"):
                assert word.split("=")[0] in options, f"shoal {name} {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
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
