"""On a CUDA device: what the CPU does. Where there is none, that nothing is left on the CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from shoal import pipeline
from shoal.errors import Interrupted
from shoal.estimator import ImageClusterer
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.recipes.named import BASELINE, BEST, IMPROVED
from shoal.recipes.parts import Part
from shoal.training.devices import reproducible
from shoal.training.start import start_run

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 16, 16, 3), dtype=np.uint8)
PILE = ArraySource(PIXELS)
SIMCLR = replace(
    BEST,
    encoder=Part("vgg", {"widths": (8, 16)}),
    objectives=(Part("nt_xent", {"hidden": 16, "dim": 8}), Part("reconstruction")),
    epochs=2,
    batch_size=16,
)
RECIPES = {
    "baseline": replace(
        BASELINE,
        encoder=Part("convolutional", {"widths": (4, 8)}),
        reducers=(Part("kernel_pca", {"n_components": 5}),),
        epochs=2,
    ),
    "improved": replace(IMPROVED, encoder=Part("vgg", {"widths": (8, 16)}), epochs=2),
    "simclr": SIMCLR,
    "residual": replace(SIMCLR, encoder=Part("residual", {"width": 4})),
    "noise": replace(SIMCLR, views=replace(SIMCLR.views, rotation=10, noise=0.1, resolution=0.75)),
    "moco": replace(
        SIMCLR,
        objectives=(Part("moco", {"hidden": 16, "dim": 8, "queue_size": 32}),),
        optimizer="adamw",
    ),
}
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


class OneDevice(TorchDispatchMode):
    """Fails where an operation but a copy mixes tensors of two devices; single numbers may."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device.type == "meta":
            return 0.5  # tensors without content have no number to give
        tensors = [x for x in tree_leaves((args, kwargs)) if _is_filled(x)]
        if "copy" not in func.name():
            assert len({tensor.device for tensor in tensors}) <= 1, func.name()
        return func(*args, **(kwargs or {}))


def _is_filled(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.ndim > 0


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_mixes_no_devices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's device without memory stands in for one that is not there."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "none")
    with OneDevice():
        run = start_run(PILE, replace(RECIPES[name], precision="fp32"), "meta")
        for step in (1, 2):
            losses = run.take_step(PILE, step)
    assert {loss.device.type for loss in losses.values()} == {"meta"}
    states = [value for o in run.optimizers for s in o.state.values() for value in s.values()]
    assert all(x.device.type == "meta" for x in states if _is_filled(x))


def test_mixed_devices_are_noticed() -> None:
    with OneDevice(), pytest.raises(AssertionError, match="conv"):
        torch.nn.functional.conv2d(torch.rand(1, 3, 4, 4, device="meta"), torch.rand(3, 3, 3, 3))


def test_reproducible_leaves_pytorch_as_it_was() -> None:
    def flags() -> tuple[bool, ...]:
        found = torch.backends.cudnn
        return found.enabled, found.benchmark, found.deterministic, found.allow_tf32

    before = flags()
    with reproducible():
        assert flags() == (True, False, True, False)
    assert flags() == before


@needs_cuda
@pytest.mark.parametrize("name", RECIPES)
def test_cuda_learns_what_the_cpu_learns(name: str) -> None:
    runs = {
        device: start_run(PILE, replace(RECIPES[name], precision="fp32"), device)
        for device in ("cpu", "cuda")
    }
    for step in (1, 2):
        losses = {device: run.take_step(PILE, step) for device, run in runs.items()}
        for part, loss in losses["cpu"].items():
            assert float(losses["cuda"][part]) == pytest.approx(float(loss), rel=2e-3), step


@needs_cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", RECIPES)
def test_cuda_gives_the_same_bits_twice(name: str, precision: str, tmp_path: Path) -> None:
    recipe = replace(RECIPES[name], precision=precision)
    twice = [pipeline.fit(PILE, tmp_path / f"{n}.pth", recipe, device="cuda")[0] for n in range(2)]
    assert twice[0].weights_digest() == twice[1].weights_digest()
    tables = [pipeline.predict(PILE, found, device="cuda") for found in twice]
    assert np.array_equal(tables[0].embedding, tables[1].embedding)
    assert np.array_equal(tables[0].labels, tables[1].labels)
    # The file tells where it was made, opens anywhere, and says the same on the CPU.
    assert twice[0].provenance["device"] == torch.cuda.get_device_name()
    content = torch.load(tmp_path / "0.pth", weights_only=True)
    assert {tensor.device.type for tensor in content["encoder"].values()} == {"cpu"}
    on_cpu = pipeline.predict(PILE, checkpoints.load(tmp_path / "0.pth"))
    np.testing.assert_allclose(on_cpu.embedding, tables[0].embedding, atol=2e-3)
    assert np.mean(on_cpu.labels == tables[0].labels) > 0.95


@needs_cuda
@pytest.mark.parametrize("resumed_on", ["cuda", "cpu"])
def test_a_run_on_cuda_is_resumed(resumed_on: str, tmp_path: Path) -> None:
    whole = pipeline.fit(PILE, tmp_path / "whole.pth", SIMCLR, device="cuda")[0]
    path = tmp_path / "halves.pth"

    def stop(items: Any, description: str, total: int) -> Any:
        for item in items:
            yield item
            if description == "training" and item.step == 4:
                raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        pipeline.fit(PILE, path, SIMCLR, device="cuda", track=stop)
    state = CheckpointHistory(path).unfinished()
    assert isinstance(state, Checkpoint)
    resumed = pipeline.fit(PILE, path, SIMCLR, device=resumed_on, resume=state)[0]
    assert resumed.step == whole.step
    if resumed_on == "cuda":
        assert resumed.weights_digest() == whole.weights_digest()


@needs_cuda
def test_commands_and_estimator_take_cuda(
    run_cli: Callable[..., Any], images_file: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "c.pth", tmp_path / "p.csv"
    fast = ("--set", "encoder.widths=(8,16)", "--set", "checkpoints=3", "--minutes", "0.1")
    trained = run_cli("train", images_file, path, *fast, "--device", "auto")
    assert trained.code == 0, trained.err
    assert checkpoints.load(path).provenance["device"] == torch.cuda.get_device_name()
    for arguments in (
        ("evaluate", images_file, path, "--no-labels"),
        ("predict", images_file, path, out),
    ):
        result = run_cli(*arguments, "--device", "cuda")
        assert result.code == 0, result.err
    clusterer = ImageClusterer(recipe=SIMCLR, device="cuda").fit(PIXELS)
    assert len(clusterer.labels_) == len(PIXELS)
    assert clusterer.reconstruct(PIXELS).shape == PIXELS.shape
