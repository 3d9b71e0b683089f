"""Training on a real Ray of two workers: one is killed, and the bits are those of a calm run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.distributed.board import Board
from shoal.distributed.fit import reopening
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.protocols import ImageSource
from shoal.recipes.named import DIGITS

pytest.importorskip("ray", reason="needs the extra ray")

RECIPE = replace(DIGITS, epochs=6, n_clusters=3, precision="fp32")


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pile") / "pile.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8))
    return path


def workers_of(process: int) -> list[int]:
    """The processes below ``process`` that train."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) != process:
                continue
            if b"RayTrainWorker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError):  # no process, or one that has just ended
            continue
        found += workers_of(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_costs_no_bit(pile: Path, tmp_path: Path) -> None:
    from shoal.distributed.training import trainer

    source = open_source(pile)
    calm, _ = shoal.fit(source, tmp_path / "calm.pth", RECIPE, workers=2)
    assert calm.origin.workers == 2

    killed: list[int] = []
    steps = []
    for state in trainer(reopening(source), 2)(source, RECIPE):
        steps.append(state.step)
        if state.step > 1 and not killed:
            killed += workers_of(os.getpid())
            os.kill(killed[0], signal.SIGKILL)
    assert len(killed) == 2
    assert steps == sorted(set(steps)), "no step comes twice"
    assert state.step == state.total_steps
    assert state.weights_digest() == calm.weights_digest()
    assert not workers_of(os.getpid())


def test_workers_that_see_other_images_say_so(pile: Path) -> None:
    from shoal.distributed.training import trainer

    other = ArraySource(np.zeros((100, 8, 8), dtype=np.uint8))
    with pytest.raises(DataError, match="a worker sees other images than the command"):
        next(trainer(reopening(other), 2)(open_source(pile), RECIPE))


@pytest.mark.parametrize("open_", [open_source, lambda path: ArraySource(np.load(path))])
def test_workers_open_the_same_images(open_: Callable[[Path], ImageSource], pile: Path) -> None:
    source = open_(pile)
    again = reopening(source)
    assert isinstance(again, partial)
    assert again().digest() == source.digest()


def test_workers_that_get_no_further_are_given_up() -> None:
    import asyncio

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
