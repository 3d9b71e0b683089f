"""The four scripts of the assignment, as its grader would run them."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
TRAINING = ("train_baseline.sh", "train_improved.sh", "train_best.sh")
SCRIPTS = (*TRAINING, "hw9_best.sh")


def bash(
    *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``bash ARGUMENTS`` on one thread; without a PYTHONPATH of the tests' own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(env or {})}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        ["bash", *map(str, arguments)],
        cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def read_prediction(path: Path, n_images: int) -> list[int]:
    """The labels, after checking that the file is just what the assignment asks for."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("id,label\n")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(n_images)]
    labels = [int(row[1]) for row in rows[1:]]
    assert set(labels) <= {0, 1}
    return labels


@pytest.fixture
def few(images: np.ndarray) -> np.ndarray:
    """Two images, one of each kind: a step an epoch, so that the whole recipes end soon."""
    return images[:2]


# Each recipe in full, each time called in another way: (script, working folder, data, checkpoint,
# prediction), the paths relative to the working folder or, with a leading ABS, absolute.
WAYS = [
    ("train_baseline.sh", ".", "trainX.npy", "new/folder/baseline.pth", "out/p.csv"),
    ("train_improved.sh", "else where", "../trainX.npy", "c p.pth", "p r e d.csv"),
    ("train_best.sh", "else where", "ABS/my data/trainX 2.npy", "ABS/é/best.pth", "ABS/new/p.csv"),
]


@pytest.mark.parametrize(("script", "cwd", "data", "checkpoint", "prediction"), WAYS)
def test_train_then_predict(
    script: str,
    cwd: str,
    data: str,
    checkpoint: str,
    prediction: str,
    few: np.ndarray,
    tmp_path: Path,
) -> None:
    folder = tmp_path / cwd
    folder.mkdir(exist_ok=True)
    data, checkpoint, prediction = (
        path.replace("ABS", str(tmp_path)) for path in (data, checkpoint, prediction)
    )
    (folder / data).parent.mkdir(exist_ok=True)
    np.save(folder / data, few)

    trained = bash(ROOT / script, data, checkpoint, cwd=folder)
    assert trained.returncode == 0, trained.stderr
    assert (folder / checkpoint).is_file()
    recipe = script.removeprefix("train_").removesuffix(".sh")
    assert f"recipe {recipe}," in trained.stderr
    history = sorted(os.listdir(f"{folder / checkpoint}.history"))
    assert len(history) >= 10  # the assignment plots points along the way
    assert all(name.startswith("step-") for name in history)

    predicted = bash(ROOT / "hw9_best.sh", data, checkpoint, prediction, cwd=folder)
    assert predicted.returncode == 0, predicted.stderr
    assert "Traceback" not in trained.stderr + predicted.stderr
    assert "Warning" not in trained.stderr + predicted.stderr
    assert trained.stdout == predicted.stdout == ""
    labels = read_prediction(folder / prediction, len(few))
    assert sorted(labels) == [0, 1]  # red is not stripes


def test_paths_that_look_like_options_are_paths(
    images_file: Path, checkpoint_file: Path, images: np.ndarray, tmp_path: Path
) -> None:
    shutil.copy(images_file, tmp_path / "-k.npy")
    script = os.path.relpath(ROOT / "hw9_best.sh", tmp_path)  # called by a relative path, too
    result = bash(script, "-k.npy", checkpoint_file, "--table=p.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    read_prediction(tmp_path / "--table=p.csv", len(images))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("off", [-9, -1, 1])
def test_another_number_of_paths_is_one_usage_line(script: str, off: int, tmp_path: Path) -> None:
    expected = 3 if script == "hw9_best.sh" else 2
    paths = [f"path-{i}" for i in range(max(0, expected + off))]
    result = bash(ROOT / script, *paths, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"usage: bash {ROOT / script} <trainX_npy> <checkpoint>"
        + (" <prediction_path>" if expected == 3 else "")
        + f" (needs {expected} paths, got {len(paths)})\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "paths", "fragment"),
    [
        ("train_best.sh", ("no.npy", "c.pth"), "no such file"),
        ("hw9_best.sh", ("no.npy", "c.pth", "p.csv"), "no such"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    script: str, paths: tuple[str, ...], fragment: str, tmp_path: Path
) -> None:
    result = bash(ROOT / script, *paths, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("shoal: ")
    assert result.stderr.count("\n") == 1
    assert fragment in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts and the package alone, as a fresh clone without its .venv."""
    folder = tmp_path / "bare clone"
    folder.mkdir()
    for script in SCRIPTS:
        shutil.copy(ROOT / script, folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copytree(ROOT / "shoal", folder / "shoal", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def commands(folder: Path, **scripts: str) -> dict[str, str]:
    """A PATH of ``folder`` first, then the system's, with these commands in ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def python() -> str:
    import sys

    return sys.executable


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("lacking", ["all", "one", "python"])
def test_missing_dependencies_are_one_line(
    script: str, lacking: str, clone: Path, python: str, tmp_path: Path
) -> None:
    lame = tmp_path / "lame"
    lame.mkdir()
    (lame / "sitecustomize.py").write_text("import sys\nsys.modules['rich'] = None\n")
    wrappers = {
        "all": f'#!/bin/sh\nexec "{python}" -I -S "$@"\n',
        "one": f'#!/bin/sh\nPYTHONPATH="{lame}:$PYTHONPATH" exec "{python}" "$@"\n',
        "python": "#!/bin/sh\nexit 127\n",
    }
    env = commands(tmp_path / "bin", python3=wrappers[lacking], python=wrappers[lacking])
    paths = ["x.npy", "c.pth", *(["p.csv"] if script == "hw9_best.sh" else [])]
    work = tmp_path / "work"
    work.mkdir()
    result = bash(clone / script, *paths, cwd=work, env=env)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert result.stderr == (
        f"shoal's dependencies are missing: run 'make install' in {clone}, or "
        f"'pip install {clone}'\n"
    )
    assert list(work.iterdir()) == []


def test_a_bare_clone_runs_on_the_current_python(
    clone: Path,
    python: str,
    images_file: Path,
    checkpoint_file: Path,
    images: np.ndarray,
    tmp_path: Path,
) -> None:
    """Without .venv, and from its own copy of the package rather than an installed one."""
    main = clone / "shoal" / "__main__.py"
    main.write_text(main.read_text().replace('print(f"shoal: {', 'print(f"shoal (of the clone): {'))
    env = commands(tmp_path / "bin", python3=f'#!/bin/sh\nexec "{python}" "$@"\n')
    result = bash(
        clone / "hw9_best.sh", images_file, checkpoint_file, "p.csv", cwd=tmp_path, env=env
    )
    assert result.returncode == 0, result.stderr
    read_prediction(tmp_path / "p.csv", len(images))
    wrong = bash(clone / "hw9_best.sh", "no.npy", "no.pth", "q.csv", cwd=tmp_path, env=env)
    assert wrong.stderr.startswith("shoal (of the clone): ")


def test_needed_modules_are_those_of_the_project() -> None:
    """scripts/shoal.sh looks for a module of every dependency that pyproject.toml lists."""
    import tomllib

    imported = {
        "Pillow": "PIL", "scikit-learn": "sklearn", "faiss-cpu": "faiss", "Jinja2": "jinja2",
    }  # fmt: skip
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = {line.split(">=")[0] for line in project["dependencies"]}
    text = (ROOT / "scripts" / "shoal.sh").read_text()
    line = next(line for line in text.splitlines() if line.startswith('needed="import '))
    checked = set(line.removeprefix('needed="import ').rstrip('"').split(", "))
    assert checked == {imported.get(name, name) for name in listed}
