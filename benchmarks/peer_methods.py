"""The ways to divide a pile that `peers.py` compares: images and k in, labels out.

    python benchmarks/peer_methods.py WAY images.npy labels.npy -k 10 --seconds 300 --seed 0

`peers.py` starts it, once for each run. It sees no kinds. ``--seconds`` are of the processor. A way
that trains measures first how long an epoch takes, which is not counted, and takes as many as fit;
what else it was given is printed as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import command
from piles import simple_labels

Found = tuple[Any, dict[str, Any]]
"""Labels, int64 (n,), and what is to be said of the run; ``seconds`` of the processor among it."""
DEEP = {"dec": "DEC", "idec": "IDEC", "dcn": "DCN", "acedec": "ACeDeC", "vade": "VaDE"}
"""Ways of ClustPy."""
PRETRAINING, CLUSTERING = 100, 150
"""The epochs of ClustPy's defaults. A shorter run keeps the ratio."""


def by_shoal(images: Any, k: int, seconds: float, seed: int) -> Found:
    """`shoal train` with as many epochs as fit, then `shoal predict`."""
    from dataclasses import replace

    from sizes import cost

    from shoal.images.array import ArraySource
    from shoal.recipes.named import BEST
    from shoal.training.schedule import steps_an_epoch

    source = ArraySource(images)
    recipe = replace(BEST, n_clusters=k, seed=seed)
    an_epoch = cost(source, recipe) * steps_an_epoch(recipe, len(source))
    epochs = round(max(1.0, (seconds - _FIXED - _AFTER_TRAINING * len(images)) / an_epoch), 1)
    with tempfile.TemporaryDirectory() as name:
        data, trained, table = (str(Path(name) / x) for x in ("x.npy", "x.pth", "x.csv"))
        np.save(data, images)
        _, spent, _, _ = command(
            "train", data, trained, "--recipe", "best", "-k", str(k), "--seed", str(seed),
            "--epochs", str(epochs), "--quiet",
        )  # fmt: skip
        _, more, _, _ = command("predict", data, trained, table, "--quiet")
        ids, found = np.loadtxt(
            table, delimiter=",", skiprows=1, usecols=(0, 1), dtype=np.int64, unpack=True
        )
    return found[np.argsort(ids)], {"epochs": epochs, "seconds": spent + more}


_FIXED, _AFTER_TRAINING = 20.0, 0.006
"""Seconds, and seconds an image, that are kept free for what is not training."""


def by_sklearn(way: str) -> Callable[[Any, int, float, int], Found]:
    """PCA of the pixels, and what follows it; it takes as long as it takes."""

    def found(images: Any, k: int, seconds: float, seed: int) -> Found:
        began = time.process_time()
        x = images.reshape(len(images), -1).astype(np.float32) / 255
        return simple_labels(x, k, way, seed), {"seconds": time.process_time() - began}

    return found


def by_clustpy(name: str) -> Callable[[Any, int, float, int], Found]:
    """A deep method of ClustPy with its defaults: its network, batches, rates and embedding."""

    def found(images: Any, k: int, seconds: float, seed: int) -> Found:
        import torch

        method = getattr(importlib.import_module("clustpy.deep"), name)
        # VaDE's loss is the cross entropy of pixels in [0, 1].
        x = _flat(images.astype(np.float32) / 255) if name == "VaDE" else _standardised(images)

        def fit(part: Any, pretraining: int, clustering: int) -> tuple[Any, float]:
            torch.manual_seed(seed)
            began = time.process_time()
            model = method(
                n_clusters=k, pretrain_epochs=pretraining, clustering_epochs=clustering,
                device=torch.device("cpu"), random_state=seed,
            )  # fmt: skip
            with contextlib.redirect_stdout(sys.stderr):
                labels = model.fit(part).labels_
            return labels, time.process_time() - began

        few = x[np.random.default_rng(seed).permutation(len(x))[: len(x) // 4]]
        fit(few, 1, 1)
        short, first, second = (fit(few, *epochs)[1] for epochs in ((1, 1), (4, 1), (1, 4)))
        one, other = (max(1e-3, (longer - short) / 3 * 4) for longer in (first, second))
        rounds = seconds / (PRETRAINING * one + CLUSTERING * other)
        epochs = [max(1, round(min(1.0, rounds) * all_of)) for all_of in (PRETRAINING, CLUSTERING)]
        labels, spent = fit(x, *epochs)
        return np.asarray(labels).astype(np.int64).ravel(), {"epochs": epochs, "seconds": spent}

    return found


def _standardised(images: Any) -> Any:
    """Pixels float32 (n, H · W · C) with mean 0 and variance 1 in each channel, channels first."""
    x = images.astype(np.float32)
    x = (x - x.mean(axis=(0, 1, 2))) / np.maximum(x.std(axis=(0, 1, 2)), 1e-6)
    return _flat(x)


def _flat(x: Any) -> Any:
    return np.ascontiguousarray(np.moveaxis(x, 3, 1).reshape(len(x), -1))


def by_simclr(images: Any, k: int, seconds: float, seed: int) -> Found:
    """SimCLR as it is usually written, and k-means on the encoder's features."""
    import torch
    from simclr import Run
    from sklearn.cluster import KMeans

    torch.manual_seed(seed)
    trial = Run(images, steps=10, seed=seed)
    trial.take_step()
    began = time.process_time()
    for _ in range(4):
        trial.take_step()
    a_step = (time.process_time() - began) / 4
    # A pass of the encoder over all images is a sixth of a step with two views for each of them.
    a_pass = a_step * len(images) / trial.batch / 6
    steps = max(1, int((seconds - a_pass - 5) / a_step))
    torch.manual_seed(seed)
    began = time.process_time()
    run = Run(images, steps=steps, seed=seed)
    for _ in range(steps):
        run.take_step()
    labels = KMeans(k, n_init=10, random_state=seed).fit_predict(run.features())
    about = {"epochs": round(steps * run.batch / len(images), 1)}
    return labels.astype(np.int64), about | {"seconds": time.process_time() - began}


WAYS: dict[str, Callable[[Any, int, float, int], Found]] = {
    "shoal": by_shoal,
    **{way: by_clustpy(name) for way, name in DEEP.items()},
    "simclr": by_simclr,
    **{way: by_sklearn(way) for way in ("simple", "tsne", "spectral")},
}


def main() -> None:
    """Divide a pile in one way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("-k", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    labels, about = WAYS[asked.way](np.load(asked.images), asked.k, asked.seconds, asked.seed)
    np.save(asked.labels, labels)
    print(json.dumps(about))


if __name__ == "__main__":
    main()
