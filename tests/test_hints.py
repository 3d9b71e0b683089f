"""What the pages show and the program advises exists and works, word for word."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import io
import os
import pydoc
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main

import shoal
from shoal.cli import app
from shoal.cli.flags import FLAGS, OF_COMMAND, in_flags
from shoal.clustering.tree import Tree
from shoal.errors import DataError, RecipeError
from shoal.estimator import ImageClusterer
from shoal.export.export import export_prediction
from shoal.recipes.recipe import Recipe
from shoal.scoring.evidence import Evidence
from shoal.scoring.next_steps import next_steps
from shoal.scoring.training_command import TrainingCommand

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.rglob("docs/**/*.md")]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_folder_of_a_run_in_place_of_images_and_checkpoint_is_understood(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.pth").touch()
    for words in (["report", tmp_path], ["report", tmp_path, "x.html"], ["outliers", tmp_path]):
        result = run_cli(*words)
        assert result.code == 2
        advice = f"'shoal {words[0]} DATA {tmp_path / 'checkpoint.pth'}"
        assert "is the folder of a run" in result.err
        assert advice in result.err
    assert "--data" in run_cli("review", tmp_path).err
    told = run_cli("export", tmp_path, tmp_path / "table.parquet", tmp_path / "x", "--as", "coco")
    assert "got 'coco'; COCO is json." in told.err


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """(page, text) of each fenced block."""
    for page in PAGES:
        for found, text in BLOCK.findall(page.read_text()):
            if found == language:
                yield page.name, text


def texts() -> Iterator[tuple[str, str]]:
    """(where, text) of every string in the source; what is put in later is an ellipsis."""
    for path in sorted((ROOT / "shoal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "…" for v in node.values]
                yield f"{path.name}:{node.lineno}", "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.name}:{node.lineno}", node.value


def advised() -> set[tuple[str, str]]:
    """(where, command line) of each 'shoal …' in quotes or after Example."""
    return {
        (where, " ".join(found.split()))
        for where, text in texts()
        for found in re.findall(r"'(shoal [a-z][^']*)'|``(shoal [a-z][^`]*)``", text)
        for found in found
        if found
    }


def options_of(command: str) -> set[str]:
    given = {name for parameter in COMMANDS[command].params for name in parameter.opts}
    return given | {"--help"}


def shown_commands() -> list[str]:
    lines = []
    for _, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = line.partition("  #")[0].strip()
            if words.startswith("shoal "):
                lines.append(words)
    return sorted(set(lines))


def test_every_command_that_a_message_advises_exists_with_its_options() -> None:
    found = advised()
    assert len(found) > 10
    for where, line in found:
        words = line.split()
        assert words[1] in COMMANDS, (where, line)
        for word in words[2:]:
            if word.startswith("-"):
                assert word.rstrip(",.;") in options_of(words[1]), (where, line)


def test_every_option_that_a_message_names_exists() -> None:
    known = {option for command in COMMANDS for option in options_of(command)}
    known |= {"--help", "--version"}
    known |= {"--image", "--x", "--y", "--neighbors"}  # embedding-atlas's own
    known |= {"--logdir"}  # TensorBoard's own
    known |= {"--head", "--address"}  # Ray's own
    known |= {"--nproc-per-node", "--nnodes", "--node-rank"}  # torchrun's own
    known |= {"--master-addr", "--master-port"}
    for where, text in texts():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
            assert option in known, (where, option)


@pytest.mark.parametrize("line", shown_commands())
def test_every_line_of_the_pages_is_understood(line: str, tmp_path: Path) -> None:
    words = shlex.split(line)
    command = COMMANDS[words[1]]
    parsed = command.make_context(words[1], list(words[2:]), resilient_parsing=False)
    assert parsed.params


def test_the_python_of_the_pages_runs(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("trainX.npy", images[:24, ::2, ::2])
    narrow = shoal.override(shoal.BEST, ["encoder.widths=(8,16)"])  # 20 epochs take a second
    monkeypatch.setattr(f"shoal.{shoal._HOME['BEST']}.BEST", narrow)
    # The tutorials, whose snippets go on from one another: test_tutorials.py.
    snippets = [(page, text) for page, text in blocks("python") if page == "README.md"]
    assert snippets
    for page, text in snippets:
        names: dict[str, Any] = {}
        with contextlib.redirect_stderr(io.StringIO()):
            exec(compile(text, page, "exec"), names)
        if "table" in names:  # each attribute that the comment beside it names is there
            comment = re.search(r"table = .*# its (.*)", text)
            for attribute in re.findall(r"\w+", comment[1] if comment else ""):
                assert hasattr(names["table"], attribute), attribute
            # What one function returns the next one takes.
            Path("out.csv").unlink(missing_ok=True)
            export_prediction(names["source"], names["table"], "out.csv", kind="csv")
            assert len(Path("out.csv").read_text().splitlines()) == 25


def test_an_encoding_without_a_character_is_no_crash(
    start_shoal: Callable[..., Any], checkpoint_file: Path, tmp_path: Path
) -> None:
    for encoding in ("ascii", "cp1252"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        process = start_shoal("info", checkpoint_file, env=environment, encoding="latin-1")
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert ("\\xd7" if encoding == "ascii" else "8") in out


def test_what_can_be_checked_first_is(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    # The pile is not there: whoever looks at it first says so instead.
    for options, message in (
        (("--device", "gpu"), "gpu"),
        (("--set", "nonsense=1"), "nonsense"),
        (("--recipe", "bset"), "bset"),
        (("--minutes", "-1"), "--minutes"),
        (("-k", "0"), "-k must be from 2 to 1,000,000, got 0"),
        (("-k", "1"), "-k must be from 2 to 1,000,000, got 1"),
        (("--epochs", "1", "--minutes", "1"), "both"),
    ):
        for command in ("train", "run"):
            result = run_cli(command, tmp_path / "none.npy", tmp_path / "out", *options)
            assert result.code == 2
            assert message in result.err, result.err
            assert "no such" not in result.err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("shape", "k", "message"),
    [
        ((150, 512), 2, "got a table of shape"),
        ((30, 40, 3), 2, "got one photograph"),
        ((12, 8, 8), 1, "n_clusters must be from 2 to 1,000,000, got 1"),
    ],
)
def test_the_estimator_refuses_what_it_would_train_on_in_vain(
    shape: tuple[int, ...], k: int, message: str
) -> None:
    with pytest.raises(DataError if k > 1 else RecipeError, match=message):
        ImageClusterer(n_clusters=k).fit(np.zeros(shape, dtype=np.uint8))


def test_help_shows_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in shoal.__all__:
        found = getattr(shoal, name)
        if callable(found):
            told = pydoc.render_doc(found, renderer=pydoc.plaintext)
            assert os.environ["PATH"] not in told, name


# Of each command that does not end with a verdict, and so with its steps.
NEXT = [
    "predict DATA MODEL P.csv",
    "splits DATA MODEL --force",
    "clusters DATA MODEL --force",
    "tree DATA MODEL tree.json --force",
    "cut tree.json mine.csv -k 2",
    "evaluate DATA MODEL labels.npy",
    "evaluate DATA MODEL --no-labels",
    "pairs DATA MODEL same.csv",
    "similar DATA MODEL 3 --force",
    "outliers DATA MODEL --force",
    "duplicates DATA MODEL --force",
    "name P.csv --template given.csv",
    "name P.csv given.csv",
    "export DATA P.csv out/sorted --dry-run",
    "info HISTORY",
    "report DATA MODEL report.html",
    "cluster VECTORS out/vectors -k 2",
    "export-model MODEL model.onnx",
]


def test_every_command_ends_by_naming_one_that_runs_as_it_stands(
    images: np.ndarray, kinds: np.ndarray, checkpoint_file: Path, run_cli: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    place = tmp_path / "it's $odd"
    shutil.copytree(checkpoint_file.parent, place / "a model")
    monkeypatch.chdir(place)
    monkeypatch.setattr("shoal.reports.progression.FEWEST", 3)
    # What cluster leads to serves a page.
    monkeypatch.setattr("shoal.review.server.ReviewServer.run", lambda self: self.close())
    np.save("my pile.npy", images)
    np.save("labels.npy", kinds)
    np.save("vectors.npy", images.reshape(len(images), -1)[:, ::7].astype(np.float32))
    model = "a model/checkpoint.pth"
    step = sorted(Path(f"{model}.history").glob("step-*.pth"))[0]
    given = {"DATA": "my pile.npy", "MODEL": model, "HISTORY": step, "P.csv": "my $P.csv",
             "VECTORS": "vectors.npy"}  # fmt: skip
    for line in NEXT:
        result = run_cli(*(given.get(word, word) for word in line.split()))
        assert result.code == 0, (line, result.err)
        *_, last = result.err.splitlines()
        said, _, typed = last.partition(": shoal ")
        assert said in ("next", "next, with your images in place of DATA"), (line, last)
        following = [given["DATA"] if word == "DATA" else word for word in shlex.split(typed)]
        if following[0] == "name" and "--template" not in following:
            names = Path(following[-1])
            names.write_text(names.read_text().replace(",,", ",some,"))
        after = run_cli(*following)
        assert after.code == 0, (last, after.err)
    named = {line.split()[0] for line in NEXT}
    assert set(COMMANDS) - named == {"run", "train", "demo", "review", "import-labels", "mend"}
    # the last leads to review, which serves a page


def test_a_run_that_was_much_too_short_is_told_a_sane_time() -> None:
    evidence = Evidence(n_images=500, n_clusters=2, n_nonempty=2, minutes=0.001,
                        epochs=0.1, recipe_epochs=38,
                        training=TrainingCommand("run", "photos", "found"))  # fmt: skip
    steps = [str(step) for step in next_steps(evidence, "no")]
    assert any("'shoal run photos found-longer --minutes 1'" in step for step in steps), steps


# (a command with one option that is wrong, how the error begins to speak of it)
WRONG = [
    "predict DATA MODEL OUT/p.csv -k 0",
    "predict DATA MODEL OUT/p.csv --split 0",
    "predict DATA MODEL OUT/p.csv --array x",
    "train DATA OUT/c.pth --minutes 0",
    "train DATA OUT/c.pth -k 1",
    "train DATA OUT/c.pth --size 64",
    "clusters DATA MODEL --from 1",
    "clusters DATA MODEL --to 1000",
    "tree DATA MODEL OUT/t.json --leaves 1",
    "cut TREE OUT/p.csv -k 0",
    "pairs DATA MODEL OUT/p.csv --metric other",
    "pairs DATA MODEL OUT/p.csv --threshold 2",
    "pairs DATA MODEL OUT/p.csv --space other",
    "similar DATA MODEL 3 -n 0",
    "outliers DATA MODEL -n 0",
    "export DATA OUT/p.csv OUT/out --as other",
    "export DATA OUT/p.csv OUT/out --as folders --by other",
    "export DATA PREDICTION OUT/out --trust other",
    "report DATA MODEL OUT/r.html --labels DATA",
    "predict DATA MODEL OUT/p.csv --device gpu",
    "train DATA OUT/c.pth --epochs 0",
    "train DATA OUT/c.pth --seed -1",
    "duplicates DATA --max-distance 2",
    "report DATA MODEL OUT/r.html --lang fr",
    "report DATA MODEL OUT/r.html --show one",
    "cut TREE OUT/p.csv --at 99",
    "report DATA MODEL OUT/r.html --after MODEL",
]


@pytest.mark.parametrize("line", WRONG)
def test_an_error_names_the_flag_that_was_typed(
    line: str, images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    tree = Tree(["a", "b", "c"], np.array([0, 1, 2]), ((0, 1), (2, 3)), (0.5, 1.0),
                ((0,), (1,), (2,)))  # fmt: skip
    tree.save(Path("tree.json"))
    Path("prediction.csv").write_text("id,label\n0,0\n")
    given = {"DATA": images_file, "MODEL": checkpoint_file, "TREE": "tree.json",
             "PREDICTION": "prediction.csv"}  # fmt: skip
    words = [given.get(word, word.replace("OUT", "out")) for word in line.split()]
    result = run_cli(*words)
    assert (result.code, result.err.count("\n")) == (2, 1), result.err
    flag = [word for word in line.split() if word.startswith("-") and word != "-1"][-1]
    assert re.search(rf"(?<![\w-]){flag}\b", result.err), result.err
    names = [name for name, known in FLAGS.items() if known == flag and name not in flag]
    assert not re.search(rf"(^|[:;] )({'|'.join(names)}) ", result.err) if names else True


def test_every_flag_of_the_table_exists_for_a_parameter() -> None:
    known = {option for command in COMMANDS for option in options_of(command)}
    assert {*FLAGS.values(), *OF_COMMAND.values()} <= known
    taken: set[str] = set()
    for path in sorted((ROOT / "shoal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                taken |= {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
    assert set(FLAGS) <= taken | {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("size must be 32 or 64, got 63.", "--size must be 32 or 64, got 63."),
        (
            "a.npy: array is for .npz files; leave it out.",
            "a.npy: --array is for .npz files; leave it out.",
        ),
        ("The size must be known.", "The size must be known."),
        ("give --set epochs=3, or epochs=3.", "give --set epochs=3, or --epochs 3."),
        ("my.size=3 is too large.", "my.size=3 is too large."),
        ("low must be below high.", "low must be below high."),
    ],
)
def test_only_parameters_become_flags(message: str, said: str) -> None:
    assert in_flags(message, "train", options_of("train")) == said
