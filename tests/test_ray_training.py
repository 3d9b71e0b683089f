"""Training on a real Ray of two workers: one is killed, and the bits are those of a calm run."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.distributed import order
from shoal.distributed.board import Board
from shoal.distributed.fit import reopening
from shoal.errors import DataError, LostError
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.protocols import ImageSource, Workers
from shoal.recipes.named import DIGITS

ray = pytest.importorskip("ray", reason="needs the extra ray")

RECIPE = replace(DIGITS, epochs=6, n_clusters=3, precision="fp32")


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pile") / "pile.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8))
    return path


def workers_of(process: int, named: bytes = b"RayTrainWorker") -> list[int]:
    """The processes below ``process`` that train; or others that Ray has ``named``."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) != process:
                continue
            if named in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError):  # no process, or one that has just ended
            continue
        found += workers_of(int(folder.name), named)
    return found


def calm(pile: Path, folder: Path) -> str:
    """The digest of the weights that two undisturbed workers learn, under torchrun."""
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d",
               "--rdzv-endpoint", "localhost:0", "-m", "shoal", "train", str(pile), "calm.pth",
               "--recipe", "digits", "--epochs", "6", "-k", "3",
               "--set", "precision=fp32"]  # fmt: skip
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[1]), OMP_NUM_THREADS="1")
    subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, check=True, timeout=240,
        capture_output=True,
    )  # fmt: skip
    return checkpoints.load(folder / "calm.pth").weights_digest()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_costs_no_bit(
    pile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    steps: list[int] = []
    asks: set[str] = set()

    def noted(*args: Any, **options: Any) -> Any:
        asks.add(threading.current_thread().name)
        return get(*args, **options)

    def kill(states: Iterator[Checkpoint]) -> Iterator[Checkpoint]:
        for state in states:
            steps.append(state.step)
            if state.step > 1 and not killed:
                killed.extend(workers_of(os.getpid()))
                os.kill(killed[0], signal.SIGKILL)
            yield state

    get = ray.get
    monkeypatch.setattr(ray, "get", noted)

    source = open_source(pile)
    finished, table = shoal.fit(source, tmp_path / "best.pth", RECIPE, workers=2, watch=kill)
    assert len(killed) == 2
    # Ray ends a process, without a word, whose threads ask it for anything after it was shut down.
    assert asks == {threading.main_thread().name}
    assert steps == sorted(set(steps)), "a step came twice"
    assert steps[-1] == 60
    assert len(table) == len(source)
    assert finished.origin.workers == 2
    assert finished.weights_digest() == calm(pile, tmp_path)
    assert not workers_of(os.getpid())


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process in /proc")
@pytest.mark.parametrize("leads", [b"ray::_fit", b"ray::TrainController"])
def test_a_training_that_lost_what_leads_it_says_so(
    leads: bytes, pile: Path, tmp_path: Path
) -> None:
    def kill(states: Iterator[Checkpoint]) -> Iterator[Checkpoint]:
        for state in states:
            for process in workers_of(os.getpid(), leads):
                os.kill(process, signal.SIGKILL)
            yield state

    source = open_source(pile)
    with pytest.raises(LostError, match="leads the training has ended; what is done is kept"):
        shoal.fit(source, tmp_path / "best.pth", RECIPE, workers=1, watch=kill)
    assert CheckpointHistory(tmp_path / "best.pth").unfinished() is not None


def test_workers_that_see_other_images_say_so(pile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gathered(problems: list[str], problem: str) -> None:
        problems[:] = ["", problem]

    monkeypatch.setattr(order, "dist", SimpleNamespace(barrier=int, all_gather_object=gathered))
    told = order.Order(partial(open_source, pile), "another", RECIPE, None, None)
    for workers in (Workers(1, 2), Workers(0, 1)):
        with pytest.raises(DataError, match="a worker sees other images than the command"):
            order.open_alike(told, workers)
    told = replace(told, reopen=partial(open_source, pile.with_name("gone.npy")))
    with pytest.raises(
        DataError, match=r"a worker on .* cannot open what .*: .*gone\.npy: no such"
    ):
        order.open_alike(told, Workers(0, 1))


@pytest.mark.parametrize("open_", [open_source, lambda path: ArraySource(np.load(path))])
def test_workers_open_the_same_images(open_: Callable[[Path], ImageSource], pile: Path) -> None:
    source = open_(pile)
    again = reopening(source)
    assert isinstance(again, partial)
    assert again().digest() == source.digest()


def test_workers_that_get_no_further_are_given_up() -> None:
    async def starts() -> list[bool]:
        board = Board(b"order")
        stuck = []
        for _ in range(4):
            assert (await board.begin()).state is None
            stuck.append((await board.take()).stuck)
        await board.put(b"state")
        assert (await board.begin()).state == b"state"
        stuck.append((await board.take()).stuck)
        return stuck

    assert asyncio.run(starts()) == [False, False, False, True, False]
