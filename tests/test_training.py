"""Training: same seed same bits, interrupted or not; labels cannot matter; failures are named."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shoal import pipeline
from shoal.errors import CheckpointError, DeviceError, Interrupted, TrainingError
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.recipes.named import BASELINE, BEST
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.training.devices import fast_bf16, resolve_device
from shoal.training.loop import train

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
PILE = ArraySource(PIXELS)
SMALL_ENCODER = Part("vgg", {"widths": (4, 8)})
RECIPES = {
    "simclr": replace(
        BEST,
        encoder=SMALL_ENCODER,
        objectives=(Part("nt_xent", {"hidden": 8, "dim": 4}), Part("reconstruction")),
        epochs=2,
    ),
    "moco": replace(
        BEST,
        encoder=SMALL_ENCODER,
        objectives=(Part("moco", {"hidden": 8, "dim": 4, "queue_size": 32}),),
        epochs=2,
    ),
    "baseline": replace(
        BASELINE,
        encoder=Part("convolutional", {"widths": (4, 8)}),
        reducers=(Part("kernel_pca", {"n_components": 5}), Part("tsne", {"n_iter": 50})),
        epochs=2,
    ),
}


def same(a: Checkpoint, b: Checkpoint) -> bool:
    """Whether two finished checkpoints are equal bit for bit in all that prediction uses."""
    return (
        a.weights_digest() == b.weights_digest()
        and all(
            torch.equal(x[name], y[name])
            for x, y in zip(a.objective_states, b.objective_states, strict=True)
            for name in x
        )
        and all(
            np.array_equal(x[name], y[name])
            for x, y in zip([*a.reducers, a.clusterer], [*b.reducers, b.clusterer], strict=True)
            for name in x
        )
    )


class StopAt:
    """A `Track` that asks to stop after some steps of training."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, items, description, total):  # type: ignore[no-untyped-def]
        for item in items:
            yield item
            if description == "training" and item.step == self.step:
                raise Interrupted("stopped")


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_seed_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    first = pipeline.fit(PILE, tmp_path / "a.pth", RECIPES[name])[0]
    again = pipeline.fit(PILE, tmp_path / "b.pth", RECIPES[name])[0]
    assert same(first, again)
    assert same(first, checkpoints.load(tmp_path / "b.pth"))
    other = pipeline.fit(PILE, tmp_path / "c.pth", replace(RECIPES[name], seed=1))[0]
    assert not same(first, other)


def test_a_row_of_the_history_that_an_interruption_cut_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.training.loop._HISTORY_ROWS", 2)  # a row is the mean of some steps
    recipe = next(iter(RECIPES.values()))
    whole = pipeline.fit(PILE, tmp_path / "whole.pth", recipe)[0]
    assert len(whole.history) < whole.total_steps / 2
    path = tmp_path / "halves.pth"
    with pytest.raises(Interrupted):
        pipeline.fit(PILE, path, recipe, track=StopAt(3))
    resumed = pipeline.fit(PILE, path, recipe, resume=CheckpointHistory(path).unfinished())[0]
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]
    assert not resumed.recent


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("step", [1, 7, 10, 13])
def test_resumed_is_uninterrupted_bit_for_bit(name: str, step: int, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    whole = pipeline.fit(PILE, tmp_path / "whole.pth", recipe)[0]
    path = tmp_path / "halves.pth"
    with pytest.raises(Interrupted):
        pipeline.fit(PILE, path, recipe, track=StopAt(step))
    assert not path.exists()
    state = CheckpointHistory(path).unfinished()
    assert state is not None
    assert state.step == step
    resumed = pipeline.fit(PILE, path, recipe, resume=state)[0]
    assert same(whole, resumed)
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]
    assert CheckpointHistory(path).unfinished() is None
    assert [f.name for f in CheckpointHistory(path).files()] == [
        f.name for f in CheckpointHistory(tmp_path / "whole.pth").files()
    ]
    tables = [pipeline.predict(PILE, c) for c in (whole, checkpoints.load(path))]
    assert np.array_equal(tables[0].labels, tables[1].labels)
    assert np.array_equal(tables[0].confidence, tables[1].confidence)


def test_a_step_that_failed_after_the_last_save_is_redone(tmp_path: Path) -> None:
    """As after kill -9: what was trained since the last save is lost, and trained again."""
    recipe = RECIPES["simclr"]
    whole = pipeline.fit(PILE, tmp_path / "whole.pth", recipe)[0]
    path = tmp_path / "killed.pth"
    history = CheckpointHistory(path)
    for checkpoint in train(PILE, recipe):
        if checkpoint.step == 6:
            history.save(checkpoint, now=True)
        if checkpoint.step == 9:
            break
    resumed = pipeline.fit(PILE, path, recipe, resume=history.unfinished())[0]
    assert same(whole, resumed)


def test_resuming_something_else_is_refused(tmp_path: Path) -> None:
    recipe = RECIPES["simclr"]
    with pytest.raises(Interrupted):
        pipeline.fit(PILE, tmp_path / "a.pth", recipe, track=StopAt(5))
    state = CheckpointHistory(tmp_path / "a.pth").unfinished()
    with pytest.raises(CheckpointError, match=r"learning_rate=0\.006, not 0\.5"):
        next(train(PILE, replace(recipe, learning_rate=0.5), resume=state))
    with pytest.raises(CheckpointError, match="other images"):
        next(train(ArraySource(PIXELS[::-1].copy()), recipe, resume=state))


def test_labels_present_or_absent_give_the_same_weights(tmp_path: Path) -> None:
    """Train through the real command, once in a folder with validation files and once without."""
    digests = []
    for name in ("with", "without"):
        folder = tmp_path / name
        folder.mkdir()
        np.save(folder / "trainX.npy", PIXELS)
        if name == "with":
            np.save(folder / "valX.npy", PIXELS[:10])
            np.save(folder / "valY.npy", np.arange(10) % 2)
            np.save(folder / "trainY.npy", np.arange(40) % 2)
        command = [sys.executable, "-m", "shoal", "train", "trainX.npy", "c.pth", "--epochs", "1",
                   "--set", "encoder=vgg(widths=(4, 8))", "--quiet"]  # fmt: skip
        subprocess.run(command, cwd=folder, check=True)
        digests.append(checkpoints.load(folder / "c.pth").weights_digest())
    assert digests[0] == digests[1]


def test_training_never_loads_the_room_where_labels_are_read() -> None:
    """Not by any path, lazy ones included: the import contracts see the code, this the process."""
    code = """
import sys, json, tempfile, numpy as np
from dataclasses import replace
from shoal import pipeline
from shoal.recipes.named import BEST
from shoal.recipes.parts import Part
from shoal.images.array import ArraySource
pile = ArraySource(np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8))
recipe = replace(BEST, epochs=1, encoder=Part("vgg", {"widths": (4, 8)}))
pipeline.predict(pile, pipeline.fit(pile, tempfile.mkdtemp() + "/c.pth", recipe)[0])
print(json.dumps([name for name in sys.modules if name.startswith("shoal.")]))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = json.loads(done.stdout)
    assert "shoal.pipeline" in loaded
    assert "shoal.scoring.evaluation" not in loaded


@pytest.mark.parametrize(
    "changes",
    [
        {"objectives": RECIPES["moco"].objectives},
        {"encoder": Part("convolutional", {"widths": (4, 8)})},  # takes images of one size
    ],
)
def test_local_crops_change_nothing_where_nothing_learns_from_them(changes: dict[str, Any]) -> None:
    def digest(n_local_crops: int) -> str:
        views = replace(BEST.views, n_local_crops=n_local_crops)
        recipe = replace(RECIPES["simclr"], **changes, views=views, epochs=1)
        *_, last = train(PILE, recipe)
        return last.weights_digest()

    assert digest(2) == digest(0)


def test_training_leaves_the_global_generators_alone() -> None:
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    wanted = (torch.rand(1), np.random.rand(1))  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    list(train(PILE, RECIPES["moco"]))
    assert torch.equal(torch.rand(1), wanted[0])
    assert np.random.rand(1) == wanted[1]  # noqa: NPY002


def test_training_learns() -> None:
    """Two kinds of images, told apart by texture alone, come apart."""
    generator = np.random.default_rng(0)
    flat = generator.integers(0, 256, (60, 1, 1, 3)).repeat(12, 1).repeat(12, 2)
    rough = flat + 90 * ((np.indices((12, 12)) // 2).sum(0) % 2)[None, :, :, None] - 45
    pixels = np.clip(np.concatenate([flat, rough]), 0, 255).astype(np.uint8)
    recipe = replace(
        RECIPES["simclr"], encoder=Part("vgg", {"widths": (16, 32)}), epochs=40,
        objectives=(Part("nt_xent", {"hidden": 32, "dim": 16}), Part("reconstruction")),
        clusterer=Part("spectral", {"n_neighbors": 10}),
    )  # fmt: skip
    *_, last = train(ArraySource(pixels), recipe)
    assert last.history[-1]["nt_xent"] < last.history[0]["nt_xent"] - 0.3
    finished = pipeline.cluster(ArraySource(pixels), last)[0]
    labels = pipeline.predict(ArraySource(pixels), finished).labels
    truth = np.arange(120) >= 60
    assert max(np.mean(labels == truth), np.mean(labels != truth)) > 0.95


def test_a_loss_that_is_not_finite_is_named() -> None:
    recipe = replace(RECIPES["baseline"], learning_rate=10.0, optimizer="adam", precision="fp32")
    steps = train(PILE, recipe)
    for tensor in next(steps).encoder_state.values():  # the live weights
        tensor.fill_(float("inf"))
    with pytest.raises(TrainingError, match="not finite at step 2"):
        next(steps)


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="auto, cpu or cuda, got 'gpu'"):
        resolve_device("gpu")
    if not torch.cuda.is_available():
        assert resolve_device("auto") == "cpu"
        with pytest.raises(DeviceError, match="must be cpu here"):
            resolve_device("cuda")


@pytest.mark.parametrize("known", [(), ("_is_avx512_bf16_supported",), ("_is_amx_tile_supported",)])
def test_bf16_where_the_processor_has_instructions_for_it(
    known: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in known, raising=False)
    assert fast_bf16("cpu") == bool(known)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")  # as in an older PyTorch
    assert fast_bf16("cpu") == ("_is_avx512_bf16_supported" in known)


def test_bf16_and_fp32_learn_alike() -> None:
    recipe: Recipe = replace(RECIPES["simclr"], epochs=4)
    losses = []
    for precision in ("fp32", "bf16"):
        *_, last = train(PILE, replace(recipe, precision=precision))
        losses.append(last.history[-1]["loss"])
        assert last.origin.precision == precision
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    assert losses[0] != losses[1]
