"""Two real processes under torchrun learn what one process learns."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shoal.distributed.torchrun import joined
from shoal.errors import DistributedError, RecipeError
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.models.encoders._pooling import BatchNormMaxPool, Scratch
from shoal.protocols import Workers
from shoal.recipes import parts
from shoal.recipes.named import BEST
from shoal.recipes.parts import Part
from shoal.training.batch_norm import over_all_workers
from shoal.training.optimizers import orthogonalise, orthogonalise_all
from shoal.training.start import start_run
from shoal.training.workers import ALONE, of_batch, process_group

HERE = Path(__file__).parent
WAIT = 240
"""Seconds until a run counts as hanging."""

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available(), reason="PyTorch was built without torch.distributed"
)


def torchrun(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PYTHONPATH=str(HERE.parent), OMP_NUM_THREADS="1")
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend",
         "c10d", "--rdzv-endpoint", "localhost:0", *map(str, words)],
        capture_output=True, text=True, timeout=WAIT, env=environment, cwd=folder,
    )  # fmt: skip


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """What `share_training` says of one process, and of two."""
    script = HERE / "share_training.py"
    alone = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=WAIT,
        env=dict(os.environ, PYTHONPATH=str(HERE.parent), OMP_NUM_THREADS="1"),
    )  # fmt: skip
    two = torchrun(script, folder=tmp_path_factory.mktemp("two"))
    assert alone.returncode == two.returncode == 0, alone.stderr + two.stderr
    return json.loads(alone.stdout), json.loads(two.stdout)


@pytest.mark.parametrize(
    "recipe", ["baseline", "improved", "best", "digits", "moco", "tiny", "whitened"]
)
def test_two_workers_have_the_losses_of_one(recipe: str, learned: tuple[Any, Any]) -> None:
    alone, two = (np.array([step[:2] for step in said[recipe]]) for said in learned)
    assert np.ptp(alone[:, 0]) > 1e-3  # it learns: equal losses are no accident
    np.testing.assert_allclose(alone, two, atol=1e-4, rtol=0)


def test_two_workers_learn_the_same_bits_again(learned: tuple[Any, Any]) -> None:
    alone, two = learned
    assert two["again"] == two["best"]
    assert alone["again"] == alone["best"]


@pytest.fixture
def alone_in_a_group(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone."""
    with process_group(
        "gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1
    ):  # fmt: skip
        yield


@pytest.mark.parametrize("layer", [BatchNormMaxPool(3, Scratch()), torch.nn.BatchNorm2d(3)])
def test_batch_norm_of_all_workers_is_that_of_one(
    layer: torch.nn.Module, alone_in_a_group: None
) -> None:
    plain = torch.nn.Sequential(layer)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.5, -0.5, 0.01]))  # a line may fall
        layer.bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    shared = copy.deepcopy(plain)
    over_all_workers(shared, Workers(0, 2, 6), "cpu")
    draw = torch.Generator().manual_seed(0)
    x = 3 + torch.randn(6, 3, 5, 4, generator=draw).contiguous(memory_format=torch.channels_last)
    found = []
    for module in (plain, shared):
        own = x.clone().requires_grad_()
        y = module(own)
        (y**2).sum().backward()
        module.eval()
        found.append([y, own.grad, *(p.grad for p in module.parameters()), module(own)])
    for of_plain, of_shared in zip(*found, strict=True):
        torch.testing.assert_close(of_plain, of_shared, atol=1e-4, rtol=1e-4)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed by Linux")
def test_a_group_ends_with_its_threads(tmp_path: Path) -> None:
    script = """
import glob, sys
from shoal.training.workers import process_group
def threads():
    return [open(path).read().strip() for path in glob.glob("/proc/self/task/*/comm")]
with process_group("gloo", init_method=sys.argv[1], rank=0, world_size=1):
    import torch._dynamo  # as torch.optim does
    print(sum("gloo" in name for name in threads()))
print(sum("gloo" in name for name in threads()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, f"file://{tmp_path / 'group'}"], capture_output=True,
        text=True, timeout=WAIT, env=dict(os.environ, PYTHONPATH=str(HERE.parent)),
    )  # fmt: skip
    within, after = map(int, done.stdout.split())
    assert within > 0 == after


def test_the_command_under_torchrun(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "pile.npy", images)
    command = ["-m", "shoal", "train", "pile.npy", "best.pth", "--recipe", "digits", "-k", "3"]
    done = torchrun(*command, "--epochs", "1", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    # Worker 0 alone speaks and writes.
    assert done.stderr.count("60 images of 8 × 8 pixels") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.pth", "best.pth.history", "pile.npy"
    ]  # fmt: skip
    assert checkpoints.load(tmp_path / "best.pth").origin.workers == 2


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    np.save(tmp_path / "pile.npy", np.zeros((60, 8, 8), dtype=np.uint8))
    command = ["-m", "shoal", "train", "pile.npy", "best.pth", "--recipe", "digits"]
    done = torchrun(*command, "--set", "objectives.nt_xent.temperature=1e-42", folder=tmp_path)
    said = [line for line in done.stderr.splitlines() if line.startswith("shoal: ")]
    assert len(said) == 1, done.stderr
    assert "the loss is not finite at step" in said[0]
    assert not (tmp_path / "best.pth").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "pile.npy", "none.pth", "p.csv"], "torchrun is for 'shoal train' and"),
        (["train", "pile.npy", "a.pth", "--ray", "-k", "3"], "give --ray or torchrun, not both"),
    ],
)
def test_torchrun_lets_the_command_say_what_is_wrong(
    words: list[str], said: str, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "pile.npy", images)
    done = torchrun("-m", "shoal", *words, folder=tmp_path)
    lines = [line for line in done.stderr.splitlines() if line.startswith("shoal: ")]
    assert done.returncode != 0
    assert len(lines) == 1, done.stderr
    assert said in lines[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "a", "b", "c"], "torchrun is for 'shoal train' and 'shoal run', got predict"),
        (["train", "a", "b", "--ray"], "give --ray or torchrun, not both"),
    ],
)
def test_what_torchrun_cannot_share_is_refused_once(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(DistributedError, match=message), joined(words):
        pass
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr("shoal.distributed.torchrun._SPEAKING", 0.0)
    with pytest.raises(SystemExit), joined(words):
        pass


def test_shares_are_all_images_in_order() -> None:
    workers = [Workers(rank, 3, 8) for rank in range(3)]
    rows = [row for worker in workers for row in range(8)[worker.own]]
    assert rows == list(range(8))
    assert range(8)[ALONE.own] == range(8)


def test_more_workers_than_images_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"workers must be at most 2, the images of a step"):
        of_batch(Workers(0, 3), 2)


def test_a_single_worker_changes_nothing() -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    over_all_workers(layers, ALONE, "cpu")
    assert type(layers[1]) is torch.nn.BatchNorm1d
    matrix = torch.rand(4, 3)
    assert torch.equal(next(orthogonalise_all([matrix], ALONE)), orthogonalise(matrix))


def test_a_worker_without_a_matrix_sends_numbers_as_long_as_the_others() -> None:
    """Two workers and one matrix of half the bits: what is summed is float32 with both."""
    sent = []

    class Sending(Workers):
        def total(self, x: torch.Tensor) -> torch.Tensor:
            sent.append(x.dtype)
            return x

    matrix = torch.rand(4, 3).bfloat16()
    for rank in range(2):
        list(orthogonalise_all([matrix], Sending(rank, 2)))
    assert sent == [torch.float32] * 2


@pytest.mark.parametrize("n_devices", [1, 2])
def test_workers_do_not_share_a_cuda_device(
    n_devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "0", "RANK": "0"}
    for name, value in (several | {"TORCHELASTIC_RUN_ID": "x"}).items():
        monkeypatch.setenv(name, value)
    begun: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_devices)
    monkeypatch.setattr(torch.cuda, "set_device", lambda place: None)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda by, **_: begun.append(by))
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    train = ["train", "photos/", "best.pth"]
    if n_devices == 1:
        with pytest.raises(DistributedError, match=r"at most 1 on this machine.* got 2"):
            joined(train).__enter__()
    else:
        with joined(train):
            assert begun == ["cpu:gloo,cuda:nccl"]
    with joined([*train, "--device", "cpu"]):
        assert begun[-1] == "gloo"


def test_a_run_of_one_process_asks_no_other_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker 0 measures by itself how long a step takes, while the others wait for its order."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    for name in ("all_reduce", "all_gather", "broadcast_object_list"):
        monkeypatch.setattr(torch.distributed, name, lambda *_: pytest.fail("nobody answers"))
    pile = ArraySource(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
    for name in parts.names("encoders"):
        run = start_run(pile, replace(BEST, encoder=Part(name), batch_size=20), "cpu", None)
        run.take_step(pile, 1)
