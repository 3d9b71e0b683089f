"""Training as TensorBoard and others see it; and that they change nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.images.array import ArraySource
from shoal.recipes.recipe import Recipe


def narrow() -> Recipe:
    return shoal.override(shoal.BEST, ["encoder.widths=(8,16)", "epochs=1", "checkpoints=3"])


class Stub:
    """Records as ``mlflow.log_metrics(metrics, step)`` and ``wandb.log(data, step)`` are called."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []

    def log(self, data: dict[str, float], step: int | None = None) -> None:
        assert step is not None
        self.rows.append((step, data))


def test_the_hook_hands_every_checkpoint_on_and_logs_each_row_once(images: np.ndarray) -> None:
    source, stub = ArraySource(images), Stub()
    alone = list(shoal.train(source, narrow()))
    watched = list(shoal.logged(shoal.train(source, narrow()), stub.log))
    assert [state.step for state in watched] == [state.step for state in alone]
    assert watched[-1].weights_digest() == alone[-1].weights_digest()
    assert [step for step, _ in stub.rows] == [row["step"] for row in watched[-1].history]
    names = {"epoch", "images_per_second", "learning_rate", "loss", "spread"}
    parts = {f"loss/{part.name}" for part in narrow().objectives}
    assert set(stub.rows[-1][1]) == names | parts
    total = sum(stub.rows[-1][1][name] for name in parts)
    assert stub.rows[-1][1]["loss"] == pytest.approx(total)


def test_a_resumed_run_logs_only_what_is_new(images: np.ndarray, tmp_path: Path) -> None:
    source, stub = ArraySource(images), Stub()
    steps = shoal.train(source, narrow())
    for state in steps:
        if state.step == 4:
            shoal.save(state, tmp_path / "resume.pth")
            break
    resumed = shoal.train(source, narrow(), resume=shoal.load(tmp_path / "resume.pth"))
    last = [*shoal.logged(resumed, stub.log)][-1]
    assert [step for step, _ in stub.rows] == [r["step"] for r in last.history if r["step"] > 4]


def test_tensorboard_shows_a_run_and_changes_nothing(images: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="shoal[tensorboard] is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    source, folder = ArraySource(images), tmp_path / "runs" / "a"
    alone, _ = shoal.fit(source, tmp_path / "alone.pth", narrow())
    board = shoal.TensorBoard(folder, source)
    shown, table = shoal.fit(source, tmp_path / "shown.pth", narrow(), watch=board)
    assert shown.weights_digest() == alone.weights_digest()
    assert [row["loss"] for row in shown.history] == [row["loss"] for row in alone.history]
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0}).Reload()
    tags = events.Tags()
    assert {"loss", "learning_rate", "images_per_second", "spread"} <= set(tags["scalars"])
    assert tags["images"] == ["reconstructions", "clusters"]
    steps = [image.step for image in events.Images("clusters")]
    assert len(steps) == 3
    assert steps[-1] == shown.step
    losses = [value.value for value in events.Scalars("loss")]
    assert losses == pytest.approx([row["loss"] for row in shown.history])
    sheet = events.Images("reconstructions")[-1]
    assert (sheet.width, sheet.height) > (100, 20)
    assert len(table) == len(images)


def test_the_command(
    run_cli: Callable[..., Any], images_file: Path, fast: Sequence[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("tensorboard", reason="shoal[tensorboard] is not installed")
    folder = tmp_path / "runs"
    words = ("train", images_file, tmp_path / "a.pth", *fast, "--tensorboard", folder)
    done = run_cli(*words)
    assert done.code == 0, done.err
    assert f"tensorboard --logdir {folder}" in done.err
    (first,) = folder.iterdir()
    assert first.name.endswith(".shoal")
    other = ("run", images_file, tmp_path / "b", *fast, "--tensorboard", folder)
    refused = run_cli(*other)
    assert refused.code == 2
    assert refused.err.startswith(f"shoal: {folder} holds another run; name another folder, or add")
    assert not (tmp_path / "b").exists()
    assert run_cli(*words, "--force").code == 0
    (second,) = folder.iterdir()
    assert second != first
    second.rename(folder / second.name.removesuffix(".shoal"))
    foreign = run_cli(*words, "--force")
    assert (foreign.code, "that shoal did not write" in foreign.err) == (2, True)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    missing = run_cli(*other[:-1], tmp_path / "new")
    assert missing.code == 2
    assert missing.err == "shoal: --tensorboard needs an extra: pip install 'shoal[tensorboard]'\n"
    assert not (tmp_path / "new").exists()
