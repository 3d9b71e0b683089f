"""The ways to divide a pile that `peers.py` compares: images and k in, labels out.

    python benchmarks/peer_methods.py WAY images.npy labels.npy -k 10 --seconds 300 --seed 0

`peers.py` starts it, once for each run. It sees no kinds. ``--seconds`` are of the processor. What
measuring the cost of an epoch takes is not counted. How many epochs it took is printed as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from machine import command
from piles import simple_labels

Found = tuple[Any, dict[str, Any]]
"""Labels, int64 (n,), and what is to be said of the run; ``seconds`` of the processor among it."""
DEEP = {"dec": "DEC", "idec": "IDEC", "dcn": "DCN", "acedec": "ACeDeC"}
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


class Timed:
    """Batches for some seconds of the processor; an epoch that would begin later is empty."""

    def __init__(self, loader: Any, seconds: float) -> None:
        self.loader, self.seconds, self.epochs = loader, seconds, 0
        self.dataset, self.batch_size = loader.dataset, loader.batch_size
        self.began = time.process_time()

    def __iter__(self) -> Iterator[Any]:
        if time.process_time() - self.began < self.seconds:
            yield from self.loader
            self.epochs += 1

    def __len__(self) -> int:
        return len(self.loader)


def by_clustpy(name: str) -> Callable[[Any, int, float, int], Found]:
    """A deep method of ClustPy with its defaults: its network, batches, rates and embedding.

    It is pretrained for the share of the time that the defaults give to it, and then clusters for
    one and a half times as many epochs, as by default.
    """

    def found(images: Any, k: int, seconds: float, seed: int) -> Found:
        import torch

        deep, x = importlib.import_module("clustpy.deep"), _standardised(images)
        cpu = torch.device("cpu")
        usual = getattr(deep, name)(n_clusters=k)

        def pretrained(part: Any, epochs: int, limit: float) -> tuple[Any, int]:
            loader = Timed(deep.get_dataloader(part, usual.batch_size, True), limit)
            network = deep.get_trained_network(
                loader, n_epochs=epochs, embedding_size=usual.embedding_size, device=cpu,
                random_state=seed,
            )  # fmt: skip
            return network, loader.epochs

        def clustered(part: Any, network: Any, epochs: int) -> Any:
            model = getattr(deep, name)(
                n_clusters=k, neural_network=network, clustering_epochs=epochs, device=cpu,
                random_state=seed,
            )  # fmt: skip
            return model.fit(part).labels_

        with contextlib.redirect_stdout(sys.stderr):
            few = x[np.random.default_rng(seed).permutation(len(x))[: len(x) // 4]]
            network, _ = pretrained(few, 1, np.inf)
            costs = [
                _seconds(lambda: pretrained(few, 4, np.inf)) / 4,
                (_seconds(lambda: clustered(few, network, 4))
                 - _seconds(lambda: clustered(few, network, 1))) / 3,
            ]  # fmt: skip
            whole = PRETRAINING * costs[0] + CLUSTERING * max(costs[1], 0.1 * costs[0])
            torch.manual_seed(seed)
            began = time.process_time()
            share = PRETRAINING * costs[0] / whole
            network, epochs = pretrained(x, PRETRAINING, share * seconds)
            more = max(1, round(epochs * CLUSTERING / PRETRAINING))
            labels = np.asarray(clustered(x, network, more)).astype(np.int64).ravel()
        about = {"epochs": [epochs, more], "seconds": time.process_time() - began}
        return labels, about

    return found


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _standardised(images: Any) -> Any:
    """Pixels float32 (n, H · W · C) with mean 0 and variance 1 in each channel, channels first."""
    x = images.astype(np.float32)
    x = (x - x.mean(axis=(0, 1, 2))) / np.maximum(x.std(axis=(0, 1, 2)), 1e-6)
    return np.ascontiguousarray(np.moveaxis(x, 3, 1).reshape(len(x), -1))


def by_simclr(images: Any, k: int, seconds: float, seed: int) -> Found:
    """SimCLR as it is usually written, and k-means on the encoder's features."""
    import torch
    from simclr import Run
    from sklearn.cluster import KMeans

    torch.manual_seed(seed)
    began = time.process_time()
    run = Run(images, seed=seed)
    # Features and k-means take a few seconds in the end.
    training = seconds - 0.002 * len(images)
    while (spent := time.process_time() - began) < training:
        run.take_step(spent / training)
    labels = KMeans(k, n_init=10, random_state=seed).fit_predict(run.features())
    about = {"epochs": round(run.steps * run.batch / len(images), 1)}
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
