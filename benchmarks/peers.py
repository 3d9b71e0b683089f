"""Peers on the same machine, with the same images and the same minutes: accuracy against minutes.

    python benchmarks/peers.py --piles scenery cifar10 signs --minutes 5 --ways shoal idec simclr
    python benchmarks/peers.py --table                    # only print and draw what was measured

shoal's `best`; DEC, IDEC, DCN and ACeDeC of ClustPy (https://github.com/collinleiber/ClustPy,
BSD-3) with its defaults; SimCLR as it is usually written (`simclr.py`) with k-means; and three ways
of scikit-learn. ClustPy is needed by nothing else of the project, and is best installed apart:

    pip install --no-deps --target FOLDER clustpy torchvision; PYTHONPATH=FOLDER python …

(torchvision in the version for your PyTorch). A peer that is not there is left out.

Every run is a process that gets the images and the true number of clusters, never the kinds; all
run on one thread. Minutes are of the processor, not of the clock, so that other programs change
little. Rows go to results/peers.jsonl, and what is there is not measured again; the picture is
../docs/peers.png.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import labelled_piles
import numpy as np
from machine import HERE, append, commit, grouped, is_there, machine, rows, sources, spread
from piles import SCORES, scored

RESULTS = HERE / "results" / "peers.jsonl"
PICTURE = HERE.parent / "docs" / "peers.png"
N_OF_CIFAR, CIFAR_DRAW = 10_000, 28
NAMES = {
    "shoal": "shoal, `best`",
    "simclr": "SimCLR, k-means",
    "dec": "DEC",
    "idec": "IDEC",
    "dcn": "DCN",
    "acedec": "ACeDeC",
    "simple": "PCA, k-means",
    "tsne": "PCA, t-SNE, k-means",
    "spectral": "PCA, spectral",
}
OF_CLUSTPY = ("dec", "idec", "dcn", "acedec")
UNTIMED = ("simple", "tsne", "spectral")
"""They take as long as they take."""
_COLOURS = dict(
    zip(
        NAMES,
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "0.2", "0.45",
         "0.65"),
        strict=True,
    )
)  # fmt: skip


def pile(name: str, data: Path) -> tuple[Any, Any]:
    """Images, uint8 (n, 32, 32, C), and kinds, int64 (n,), -1 where unknown.

    Scenery is the 8,500 images that are learned from and the 500 with kinds; CIFAR-10 is 10,000
    random training images.
    """
    if name == "cifar10":
        import io

        import pyarrow.parquet as pq
        from PIL import Image

        table = pq.read_table(data / "cifar10" / "train.parquet", columns=["image", "label"])
        chosen = np.random.default_rng(CIFAR_DRAW).choice(len(table), N_OF_CIFAR, replace=False)
        few = table.take(np.sort(chosen))
        files = [io.BytesIO(image["bytes"]) for image in few.column("image").to_pylist()]
        return np.stack([np.asarray(Image.open(x)) for x in files]), few.column("label").to_numpy()
    if name == "scenery":
        known = np.load(data / "scenery" / "valX.npy")
        images = np.concatenate([known, np.load(data / "scenery" / "trainX.npy")])
        kinds = np.full(len(images), -1)
        kinds[: len(known)] = np.load(data / "scenery" / "valY.npy")
        return images, kinds
    images, kinds = labelled_piles.make(name, data)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], kinds[order]


def measure(way: str, images: Any, kinds: Any, minutes: float, seed: int) -> dict[str, Any]:
    """One run in a process of its own, and its scores."""
    known = kinds >= 0
    k = int(kinds.max()) + 1
    with tempfile.TemporaryDirectory() as name:
        given, found = Path(name) / "images.npy", Path(name) / "labels.npy"
        np.save(given, images)
        threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        one = dict.fromkeys((*threads, "TQDM_DISABLE"), "1")
        ran = subprocess.run(
            [sys.executable, str(HERE / "peer_methods.py"), way, str(given), str(found),
             "-k", str(k), "--seconds", str(60 * minutes), "--seed", str(seed)],
            check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one,
        )  # fmt: skip
        about = json.loads(ran.stdout.splitlines()[-1])
        labels = np.load(found)
    took = {"took": round(about.pop("seconds") / 60, 2)}
    return took | about | scored(labels[known].astype(np.int64), kinds[known])


def print_table(found: list[dict[str, Any]]) -> None:
    """Every pile, way and length, in Markdown."""
    print("| pile | way | minutes of one thread | epochs | " + " | ".join(SCORES[:2]) + " |")
    print("|---" * 6 + "|")
    for name, of_pile in grouped(found, "pile").items():
        for way in (way for way in NAMES if any(row["way"] == way for row in of_pile)):
            of_way = [row for row in of_pile if row["way"] == way]
            for _, some in sorted(grouped(of_way, "minutes").items()):
                took = spread([row["took"] for row in some], 1).removesuffix(" (one seed)")
                scores = [spread([row[score] for row in some]).removesuffix(" (one seed)")
                          for score in SCORES[:2]]  # fmt: skip
                epochs = " + ".join(map(str, np.ravel(some[0].get("epochs", "")).tolist()))
                print(f"| {name} | {NAMES[way]} | {took} | {epochs} | {' | '.join(scores)} |")
    print(f"\nSeeds: {sorted({row['seed'] for row in found})}. {sources(found)}")


def draw(found: list[dict[str, Any]]) -> None:
    """Accuracy against minutes, a part for each pile: a dot a run."""
    from matplotlib.figure import Figure

    from shoal.plots import figures

    parts = grouped(found, "pile")
    figure = Figure(figsize=(3.6 * len(parts), 3.8), layout="constrained")
    for ax, (name, of_pile) in zip(np.ravel(figure.subplots(1, len(parts))), parts.items(),
                                   strict=True):  # fmt: skip
        for way in NAMES:
            of_way = [row for row in of_pile if row["way"] == way]
            if not of_way:
                continue
            runs = sorted(of_way, key=lambda row: row["took"])
            ax.plot(
                [row["took"] for row in runs], [row["accuracy"] for row in runs],
                "s" if way in UNTIMED else "o-", color=_COLOURS[way],
                label=NAMES[way].replace("`", ""),
            )  # fmt: skip
        ax.set_title(name, fontsize=10)
        ax.set_xscale("log")
        ax.set_xticks(ticks := [0.1, 0.5, 1, 2, 5, 10], [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_ylim(0, 1.08 * max(row["accuracy"] for row in of_pile))
        ax.grid(alpha=0.3)
        ax.set_xlabel("minutes of one thread")
    figure.axes[0].set_ylabel("accuracy")
    handles: dict[str, Any] = {}
    for ax in figure.axes:
        handles |= {text: handle for handle, text in zip(*ax.get_legend_handles_labels(),
                                                         strict=True)}  # fmt: skip
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=5, frameon=False,
                  fontsize=8)  # fmt: skip
    figures.write(figure, PICTURE)


def main() -> None:
    """Measure what is missing, then print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--piles", nargs="+", default=["scenery", "cifar10", "signs"],
                        choices=labelled_piles.N_CLUSTERS)  # fmt: skip
    parser.add_argument("--ways", nargs="+", default=list(NAMES), choices=list(NAMES))
    parser.add_argument("--minutes", nargs="+", type=float, default=[5.0, 10.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--data", type=Path, default=labelled_piles.SHARED)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only print and draw")
    asked = parser.parse_args()
    if not asked.table:
        _measure_all(asked)
    found = rows(asked.results)
    print_table(found)
    if asked.results == RESULTS:
        draw(found)


def _measure_all(asked: argparse.Namespace) -> None:
    ways = list(asked.ways)
    if importlib.util.find_spec("clustpy") is None and set(ways) & set(OF_CLUSTPY):
        print("ClustPy is not installed, so its methods are left out; see --help.")
        ways = [way for way in ways if way not in OF_CLUSTPY]
    for name in asked.piles:
        images, kinds = pile(name, asked.data)
        for seed in asked.seeds:
            for minutes in asked.minutes:
                for way in ways:
                    case = {"pile": name, "way": way, "seed": seed}
                    case |= {"minutes": 0.0 if way in UNTIMED else minutes}
                    if not is_there(case, rows(asked.results)):
                        row = case | measure(way, images, kinds, minutes, seed)
                        row |= {"n": len(images), "machine": machine(), "threads": 1,
                                "commit": commit()}  # fmt: skip
                        append(asked.results, [row])
                        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
