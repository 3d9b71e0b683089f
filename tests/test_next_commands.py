"""Commands that are proposed for piles of which little or nothing can be told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.scoring.worth_asking import Known

RANDOM = np.random.default_rng(0)
VECTORS = {
    "one": RANDOM.normal(size=(1, 8)),
    "two": RANDOM.normal(size=(2, 8)),
    "three": RANDOM.normal(size=(3, 8)),
    "equal": np.ones((30, 8)),
    "zeros": np.zeros((30, 8)),
    "some zeros": RANDOM.normal(size=(30, 8)) * (np.arange(30) > 1)[:, None],
    "noise": RANDOM.normal(size=(60, 8)),
    "copies of two": np.repeat(RANDOM.normal(size=(2, 8)), 20, axis=0),
    "copies of four": np.repeat(RANDOM.normal(size=(4, 8)), 20, axis=0),
}
IMAGES = {
    "one": RANDOM.integers(0, 255, (1, 8, 8)),
    "two": RANDOM.integers(0, 255, (2, 8, 8)),
    "three": RANDOM.integers(0, 255, (3, 8, 8)),
    "equal": np.repeat(RANDOM.integers(0, 255, (1, 8, 8)), 24, axis=0),
    "noise": RANDOM.integers(0, 255, (24, 8, 8)),
    "copies of two": np.repeat(RANDOM.integers(0, 255, (2, 8, 8)), 20, axis=0),
}
ASKED = [
    "duplicates DATA",
    "duplicates DATA MODEL",
    "outliers DATA MODEL",
    "similar DATA MODEL 0",
    "pairs DATA MODEL pairs.csv",
    "splits DATA MODEL",
    "clusters DATA MODEL",
    "tree DATA MODEL tree.json",
    "predict DATA MODEL p.csv",
    "predict DATA MODEL two.csv -k 2",
    "evaluate DATA MODEL --no-labels",
    "report DATA MODEL report.html",
    "export DATA found/prediction.csv groups.csv --as csv",
    "info MODEL",
]
EMPTY = ("clusters mean nothing", "nothing to tell apart", "no copies among 1 ")
"""What a command says of a pile that it has nothing to say of."""


def proposed(result: Any) -> list[list[str]]:
    """The commands after ``shoal`` that a command proposed, but those that would train."""
    steps = (result.out + result.err).partition("What to do next:")[2]
    lines = [*re.findall(r"^next: (.*)$", result.err, re.MULTILINE),
             *re.findall(r"'(shoal .*)'\.$", steps, re.MULTILINE)]  # fmt: skip
    found = [shlex.split(line)[1:] for line in lines]
    return [words for words in found if words[0] not in ("run", "train")]


def follow(words: list[str], run_cli: Callable[..., Any], seen: set[tuple[str, ...]]) -> None:
    """Run a proposed command and what it proposes, until nothing is proposed."""
    for _ in range(15):
        if tuple(words) in seen:
            return
        seen.add(tuple(words))
        if words[0] == "name" and "--template" not in words:
            names = Path(words[-1])
            names.write_text(names.read_text().replace(",,", ",some,"))
        result = run_cli(*words)
        assert result.code == 0, (words, result.err)
        said = result.out + result.err
        assert not any(each in said for each in EMPTY), (words, said)
        assert words[0] != "similar" or "no direction" not in said, (words, said)
        following = proposed(result)
        if not following:
            return
        words = following[0]
    raise AssertionError(f"proposals do not end: {sorted(seen)}")


@pytest.mark.parametrize(
    ("kind", "pile"),
    [*[("vectors", name) for name in VECTORS], *[("images", name) for name in IMAGES]],
)
def test_what_is_proposed_for_a_pile_of_little_succeeds_tells_something_and_ends(
    kind: str, pile: str, run_cli: Callable[..., Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shoal.review.server.ReviewServer.run", lambda self: self.close())
    if kind == "vectors":
        np.save("pile.npy", VECTORS[pile].astype(np.float32))
        begun = run_cli("cluster", "pile.npy", "found", "--metric", "cosine")
    else:
        np.save("pile.npy", IMAGES[pile].astype(np.uint8))
        recipe = ["--recipe", "baseline", "--epochs", 1, "-k", 2, "--set", "encoder.widths=(4,8)"]
        begun = run_cli("run", "pile.npy", "found", *recipe)
    assert (begun.code == 2) == (pile == "one")
    seen: set[tuple[str, ...]] = set()
    for words in proposed(begun):
        follow(words, run_cli, seen)
    given = {"DATA": "pile.npy", "MODEL": "found/checkpoint.pth"}
    for line in ASKED:
        if pile == "one" and line != "duplicates DATA":
            continue
        if kind == "images" and line.startswith("report"):  # of a run of ten steps or more
            continue
        written = [line.split()[0], "--force"] if "info" not in line else ["info"]
        words = [given.get(word, word) for word in line.split()[1:]]
        if line.split()[0] in ("evaluate", "export"):
            written = [line.split()[0]]
        result = run_cli(*written, *words)
        assert result.code == 0 or "needs at least" in result.err or "need at least" in result.err
        assert kind == "images" or "images" not in result.err.partition("need")[2], result.err
        for following in proposed(result):
            follow(following, run_cli, seen)


def test_what_is_known_rules_out_what_would_say_nothing() -> None:
    assert not Known(19).answers("clusters")
    assert Known(20).answers("clusters")
    assert not Known(20, indistinct=True).answers("clusters")
    assert not Known(20, single=True).answers("name")
    assert Known(20, single=True).answers("clusters")
    assert not Known(20, n_splits=1).answers("splits")
    assert Known().answers("splits")


def said_of(pile: np.ndarray, run_cli: Callable[..., Any], *words: str | int) -> str:
    """What ``cluster`` says of vectors, or ``run`` of images, from the verdict on."""
    np.save("pile.npy", pile)
    if pile.dtype == np.uint8:
        small = ("--recipe", "baseline", "--epochs", 1, "--set", "encoder.widths=(4,8)")
        result = run_cli("run", "pile.npy", "found", *small, *words)
    else:
        result = run_cli("cluster", "pile.npy", "found", *words)
    assert result.code == 0, result.err
    return str(result.err.partition("Can these groups")[2])


def test_of_copies_no_advice_asks_for_more_than_the_few_that_differ(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = said_of(IMAGES["copies of two"].astype(np.uint8), run_cli, "-k", 2)
    assert "only 2 of the 40 images that were compared are different" in said
    assert "'shoal duplicates pile.npy found/checkpoint.pth --csv found/duplicates.csv" in said
    for word in ("too few", "Train", "--intensity", "shoal clusters"):
        assert word not in said
    monkeypatch.chdir(new_folder(tmp_path, "vectors"))
    said = said_of(VECTORS["copies of four"], run_cli, "-k", 4)
    assert "only 4 of the 80 vectors that were compared are different" in said
    assert "shoal clusters" not in said
    told = run_cli("clusters", "pile.npy", "found/checkpoint.pth").err
    assert "found/checkpoint.pth has 4 clusters already" in told
    assert "next:" not in told
    monkeypatch.chdir(new_folder(tmp_path, "fewer"))
    said = said_of(VECTORS["copies of four"], run_cli, "-k", 2)
    assert said.startswith(" be trusted? That is not known.")  # nothing tells of four points
    assert "of fewer than 20 different vectors nothing tells whether their groups mean" in said
    told = run_cli("clusters", "pile.npy", "found/checkpoint.pth").err
    assert told.splitlines()[-1].endswith("clusters-4.csv -k 4")


def test_named_groups_of_vectors_without_pictures_are_handed_over_as_a_file(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said_of(VECTORS["noise"] + 9 * (np.arange(60) % 2)[:, None], run_cli, "-k", 2)
    Path("names.csv").write_text("cluster,name\n0,cats\n1,dogs\n")
    labels = "".join(f"{row},{'cats' if row % 2 else 'dogs'}\n" for row in range(60))
    Path("labels.csv").write_text("id,label\n" + labels)
    named = run_cli("name", "found/prediction.csv", "names.csv")
    run_cli("import-labels", "pile.npy", "found/checkpoint.pth", "labels.csv")
    told = run_cli("predict", "pile.npy", "found/checkpoint.pth", "p.csv")
    for said in (named, told):
        (words,) = proposed(said)
        assert words[-2:] == ["--as", "csv"]
        assert run_cli(*words).code == 0


def test_of_few_and_of_noise_no_number_of_groups_is_asked_for_in_vain(
    run_cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = said_of(VECTORS["three"], run_cli, "-k", 3)
    assert said.rstrip().endswith("Give more vectors: so few form no groups.")
    assert "ask for fewer" not in said
    monkeypatch.chdir(new_folder(tmp_path, "four"))
    said = said_of(VECTORS["noise"][:4], run_cli)
    assert "4 vectors are few: of fewer than 20 different vectors nothing tells" in said
    assert "too few to tell more" not in said
    monkeypatch.chdir(new_folder(tmp_path, "three"))  # clear ones, of which the number is known
    three = RANDOM.normal(size=(90, 8)) + 9 * np.eye(3, 8)[np.arange(90) % 3]
    said = said_of(three, run_cli, "-k", "auto")
    assert "Yes, as far" in said
    assert "shoal clusters" not in said
    monkeypatch.chdir(new_folder(tmp_path, "noise"))
    said = said_of(VECTORS["noise"], run_cli, "-k", "auto")
    assert "too few to tell more" not in said
    assert "shoal clusters" not in said


def new_folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
